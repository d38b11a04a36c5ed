"""Kept plans: whatever a table was when a statement was planned, it finds its rows by the longest key that it says.

Every statement of the library is planned as the library plans it, on tables of no row, of one, and of thirty, analyzed. Then a
session whose plans were made on thirty customers brings in thousands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg

import plans
import statements
from statements import Statement
from support import harness
from support.harness import Checks

# How many rows each table has, and of how many customers.
SIZES = ((0, 1), (1, 1), (30, 30), (30, 1))
# What columns that are no free choice hold, so that rows are such as partial indexes have.
VALUES = {"status": "granted", "currency": "CREDIT"}
STATUS = {"holds": "open", "recharges": "requested", "payment_intents": "processing"}

# What reads more than a key says, and why that is right.
EXCEPT = {
    "jobs/maintain DUE": "takes the accounts that are due first, and looks up which of them failed",
    "ledger/engine/posting/lapsed LAPSED": "looks among one customer's grants, and only where late_usage_grace is set",
    "ledger/engine/posting/limits LOAD": "takes the limits of one account, of which there are few",
    "ledger/availability LEFT": "looks among the limits of one account, of which there are few, and only where it has any",
    "ledger/limit COUNT_ROLLING": "counts what was spent of one account, once, as a limit is set",
    "invoicing/line/instalment OF_LINE": "reads all instalments of one line, and looks up what came before each by its key",
    "invoicing/sale/reclaim OF": "reads all instalments of one line, and looks up how each began by its key",
    "subscriptions/instalments PAID_BACK": "reads all instalments of each line, and looks up the last of each by its key",
    "subscriptions/instalments PAID_BACK_OF_LINE": "reads all instalments of a line, and looks up the last of each by its key",
    "metering/meter REPRICE": "looks among the prices of one meter, of which there are few",
    "metering/meter ROW": "looks among the prices of one meter, of which there are few",
    "metering/meter/cache FIND": "looks among the prices of one meter, of which there are few",
    "metering/meter/fallback LATER": "looks among the prices of one meter, of which there are few",
    "metering/meter/price_override END": "looks among one customer's overrides of a meter, of which there are few",
    "outbox/billing_event/forget FORGET_OLD": "numbers one batch of what it deletes, object by object",
    "outbox/webhook_delivery DUE": "asks every endpoint, of which there are few, for the first that are due",
    "outbox/webhook_endpoint ENABLED": "asks every endpoint, of which there are few",
    "outbox/webhook_delivery/fan_out ANY": "takes the first of an index that has only what is to be sent",
    "outbox/webhook_delivery/fan_out EVENTS": "takes the first of an index that has only what is to be sent",
    "outbox/mod IS_CONSUMED": "asks whether there is a consumer, of which there are few",
    "metering/meter/existing DIFFERENCES": "looks among the prices of one meter, of which there are few",
    "outbox/mod FORGET": "asks every consumer, of which there are few",
    "subscriptions/usage_record/events OTHERS": "looks among one customer's subscriptions, of which there are few",
    "payments/provider FIND": "looks whether there is one provider or more",
}

GRANTS = 20_000
SCHEMAS = ("credits", "credits_internal")


class Scan(NamedTuple):
    """How a plan finds rows of a table: by which columns of an index, and what else it asks of them."""

    table: str
    index: str | None
    by: set[str]
    asked: set[str]


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        all_statements(checks, connection)
    with harness.fresh_database("kept_import") as own:
        an_import(checks, own)


def all_statements(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    # What locks a table finds no row, and has no plan.
    kept = [one for one in statements.all_of_them() if one.kind != "scanning" and not one.text.startswith("LOCK ")]
    checks.equal(len(statements.all_of_them()), statements.count(), "every statement of the sources is read")
    keys = indexes(connection)
    drop_checks(connection)
    unused = set(EXCEPT)
    for rows, customers in SIZES:
        fill(connection, rows, customers)
        wrong = []
        for statement in kept:
            plan = planned(connection, statement)
            found = [f"{statement.name}: {one}" for one in faults(statement.kind, plan, keys)]
            if statement.name in EXCEPT:
                unused.discard(statement.name)
            else:
                wrong += found
        checks.none(wrong, f"{len(kept)} statements find their rows by key, planned on {rows} rows of {customers}")
    checks.equal(unused, set(), "no exception is made for a statement that is not there")


def indexes(connection: psycopg.Connection[Any]) -> dict[str, dict[str, tuple[list[str], bool, bool]]]:
    """The columns of each table's B-trees, whether they are unique, and whether they have all rows."""
    found: dict[str, dict[str, tuple[list[str], bool, bool]]] = {}
    for table, index, columns, unique, whole in connection.execute(
        """SELECT t.relname, i.relname, array_agg(a.attname::text ORDER BY a.attnum), x.indisunique, x.indpred IS NULL
           FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
           JOIN pg_attribute a ON a.attrelid = i.oid JOIN pg_am m ON m.oid = i.relam
           WHERE t.relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND m.amname = 'btree'
           GROUP BY 1, 2, 4, 5"""
    ):
        found.setdefault(table, {})[index] = (columns, unique, whole)
    return found


def drop_checks(connection: psycopg.Connection[Any]) -> None:
    """So that rows can be made up."""
    for table, constraint in connection.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace::regnamespace::text ~ '^credits(_internal)?$'"
    ).fetchall():
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')


def fill(connection: psycopg.Connection[Any], rows: int, customers: int) -> None:
    """Puts so many made-up rows into every table, and analyzes it."""
    columns = connection.execute(
        """SELECT c.oid::regclass::text, c.relname,
                  array_agg(ARRAY[a.attname::text, format_type(a.atttypid, NULL)] ORDER BY a.attnum)
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relnamespace::regnamespace::text ~ '^credits(_internal)?$'
             AND c.relkind = 'r' AND a.attidentity = '' GROUP BY 1, 2"""
    ).fetchall()
    for table, name_of_it, parts in columns:
        names = [name for name, _ in parts]
        values = [value(name_of_it, name, kind, customers) for name, kind in parts]
        connection.execute(f"TRUNCATE {table}")
        connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"
            f" FROM generate_series(1, {rows}) AS n ON CONFLICT DO NOTHING"
        )
        connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        connection.execute(f"ANALYZE {table}")


def value(table: str, name: str, kind: str, customers: int) -> str:
    if name == "customer_id":
        return f"'customer ' || n % {customers}"
    if name == "status":
        return f"'{STATUS.get(table, VALUES[name])}'"
    if name in VALUES and table != "currencies":
        return f"'{VALUES[name]}'"
    plain = {"text": "'t' || n", "uuid": "gen_random_uuid()", "jsonb": "'{}'", "boolean": "true", "interval": "'1 day'",
             "timestamp with time zone": "now() + n * interval '1 day'", "date": "current_date + n",
             "bytea": "'x'"}  # fmt: skip
    if kind.endswith("[]"):
        return f"ARRAY[]::{kind}"
    return plain.get(kind, f"n::{kind}")


def planned(connection: psycopg.Connection[Any], statement: Statement) -> dict[str, Any]:
    """The plan that is kept of a statement."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute("SET LOCAL credits.plan_for_many_rows = on")
        for setting in statements.settings(statement.kind):
            connection.execute(f"SET LOCAL {setting} = off")
        types = f"({', '.join(statement.types)})" if statement.types else ""
        values = f"({', '.join('NULL' for _ in statement.types)})" if statement.types else ""
        connection.execute("DEALLOCATE ALL")
        connection.execute(f"PREPARE planned {types} AS {statement.text}".replace("%", "%%"), [], prepare=False)
        row = connection.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE planned {values}", prepare=False).fetchone()
        assert row is not None
        return row[0][0]["Plan"]


def faults(kind: str, plan: dict[str, Any], keys: dict[str, Any]) -> Iterator[str]:
    """Where a plan reads rows that a longer key would have passed by, or sorts what an index has in order."""
    if kind == "in_order" and any("Sort" in node["Node Type"] for node in plans.nodes(plan)):
        yield "it sorts"
    for scan in scans(plan):
        if scan.index is None or not scan.by:
            yield f"{scan.table} is read whole"
            continue
        if kind == "by_words":
            if scan.index != f"{scan.table}_by_words":
                yield f"{scan.table} is read by {scan.index}"
            continue
        used, unique, _ = keys[scan.table][scan.index]
        if unique and set(used) <= scan.by:
            continue
        length = prefix(used, scan.by)
        for name, (columns, _, whole) in keys[scan.table].items():
            longest = prefix(columns, scan.by | scan.asked)
            if (whole or name == scan.index) and longest > length:
                yield f"{scan.table} by {length} columns of {scan.index}, where {name} has {longest}"
                break


def prefix(columns: list[str], asked: set[str]) -> int:
    return next((place for place, column in enumerate(columns) if column not in asked), len(columns))


def scans(plan: dict[str, Any]) -> Iterator[Scan]:
    conditions = [
        text for node in plans.nodes(plan) for name, text in node.items()
        if isinstance(text, str) and name.endswith(("Cond", "Filter"))
    ]  # fmt: skip
    for node in plans.nodes(plan):
        if node.get("Schema") not in SCHEMAS or "Relation Name" not in node or "Scan" not in node["Node Type"]:
            continue
        if node["Node Type"].startswith("Tid "):  # by where it is
            continue
        alias = node["Alias"]
        asked = {column for text in conditions for column in equal_columns(text, alias)}
        if node["Node Type"] == "Bitmap Heap Scan":
            parts = [part for part in plans.nodes(node) if part["Node Type"] == "Bitmap Index Scan"]
        else:
            parts = [node]
        for part in parts:
            by = equal_columns(part.get("Index Cond", ""), alias) | ranged_columns(part.get("Index Cond", ""), alias)
            yield Scan(node["Relation Name"], part.get("Index Name"), by, asked)


def equal_columns(condition: str, alias: str) -> set[str]:
    """The columns of a table that a condition says the value of."""
    name = rf'(?:{re.escape(alias)}|"{re.escape(alias)}")\.(\w+)(?:\)::\w+)?'
    return set(re.findall(rf"{name} = ", condition)) | set(re.findall(rf" = {name}(?!\w)", condition))


def ranged_columns(condition: str, alias: str) -> set[str]:
    return set(re.findall(rf"(?:{re.escape(alias)})\.(\w+)", condition))


def an_import(checks: Checks, database: str) -> None:
    """Thirty customers, analyzed; the same session brings in thousands, and goes on."""
    with harness.connect(database) as connection:
        connection.execute("SET statement_timeout = '120s'")
        for (table,) in connection.execute(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND relkind = 'r'"
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        connection.execute("SELECT credits.meter_create('calls')")
        grants(connection, 1, 30)
        connection.execute("ANALYZE")
        for call in calls("customer 1", "early"):
            connection.execute(*call)
        grants(connection, 31, GRANTS)
        with harness.connect(database) as new:
            for number, (call, other) in enumerate(zip(calls("customer 40", "old"), calls("customer 41", "new"), strict=True)):
                new.execute(*calls("customer 42", "loading")[number])
                mine, others = blocks(connection, *call), blocks(new, *other)
                checks.check(mine <= 2 * others + 20, f"{call[0]}: {mine} blocks, {others} in a new session")
        checks.none(harness.verify(connection), "verify() finds nothing")


def grants(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    connection.execute(
        "SELECT count(*) FROM generate_series(%s::int, %s) n, credits.credit_grant('customer ' || n, 100)", [first, last]
    )


def calls(customer: str, key: str) -> list[tuple[str, list[Any]]]:
    """One of each kind."""
    return [
        ("SELECT credits.credit_grant(%s, 10, idempotency_key => %s)", [customer, f"{key} grant"]),
        ("SELECT credits.wallet_debit(%s, 1, idempotency_key => %s)", [customer, f"{key} debit"]),
        ("SELECT credits.wallet_debit(%s, 105, idempotency_key => %s)", [customer, f"{key} larger"]),
        ("SELECT credits.report_meter_event(%s, 'calls', 1, %s)", [customer, f"{key} event"]),
        ("SELECT credits.meter_event_cancel(%s, %s)", [customer, f"{key} event"]),
        ("SELECT credits.hold_capture(h.customer_id, h.hold_id, 1) FROM credits.hold_create(%s, 2) h", [customer]),
        ("SELECT credits.wallet_transfer(%s, %s, 1)", [customer, f"{customer} friend"]),
        ("SELECT credits.wallet_balance(%s, 'CREDIT')", [customer]),
        ("SELECT credits.usage_summary(%s)", [customer]),
        ("SELECT credits.wallet_history(%s)", [customer]),
        ("SELECT credits.wallet_history(%s, type => 'debit', start_at => now() - interval '1 day')", [customer]),
        ("SELECT credits.wallet_history(%s, event_name => 'calls', subscription_id => 's')", [customer]),
        ("SELECT credits.credit_transaction_summary(%s)", [customer]),
        ("SELECT credits.pending_amount(%s, subscription_id => 's')", [customer]),
    ]  # fmt: skip


def blocks(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> int:
    """How many blocks a call touches, its own statements' with it."""
    row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", values).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
