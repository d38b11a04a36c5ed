"""Search and lists over a shop of some years: what they find, in which order, by which indexes, and how long that takes.

ROWS=1000000 makes it that many invoices, of a fifth as many customers: a few minutes and 4 GB on disk. Times are only shown;
what is checked is which rows were read, and that it does not grow with the tables.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg

import search_volume
from support import harness
from support.harness import Checks, say

ROWS = int(os.environ.get("ROWS") or 20_000)
PAGE = 50

# What is asked for, and by which condition on its row an invoice is found, as the rows were made. Frequent words and rare
# ones, several, unfinished ones, words of the oldest alone, and what nothing has.
INVOICES = {
    "usd": "true",
    "usd paid": "i.status = 'paid'",
    "charge_automatically pro": "i.description LIKE 'Plan pro%'",
    "autumn": "i.description LIKE '%autumn%'",
    "seldom": "i.description LIKE '%seldom%'",
    "autumn open": "i.description LIKE '%autumn%' AND i.status = 'open'",
    "legacy": "i.description LIKE '%legacy%'",
    "legacy seldom": "i.description LIKE '%legacy%' AND i.description LIKE '%seldom%'",
    "lodz us-east": "i.customer_address->>'city' = 'Łódź' AND i.metadata->>'region' = 'us-east'",
    "ord-00000123": "i.metadata->>'order' = 'ORD-00000123'",
    "ord-0000012": "i.metadata->>'order' LIKE 'ORD-0000012%'",
    "us-e": "i.metadata->>'region' = 'us-east'",
    '"p00000007-0002"': "i.number = 'P00000007-0002'",
    "nothing has these": "false",
    "open 0": "i.status = 'open'",
    # What many begin with, beside what few have, or only old ones, or only others.
    "seldom p": "i.description LIKE '%seldom%'",
    "legacy p": "i.description LIKE '%legacy%'",
    "usd ord-0000012": "i.metadata->>'order' LIKE 'ORD-0000012%'",
    "legacy zz": "false",
    '"open" "recharge"': "i.status = 'open' AND i.billing_reason = 'recharge'",
    "recharge open": "i.status = 'open' AND i.billing_reason = 'recharge'",
}
# The most objects of one kind that have the words and may be read for a page: those of some questions to an index of words.
# Not all that have a frequent word, of which there are many more.
OBJECTS = 2 * max(1_000, ROWS // 160)
BLOCKS = 3 * OBJECTS


class Answered(NamedTuple):
    """What was found, the plans of what was asked for it, the blocks that were read, and how long it took."""

    rows: list[Any]
    plans: list[dict[str, Any]]
    blocks: int
    milliseconds: float


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        began = time.monotonic()
        search_volume.fill(connection, ROWS // 5, ROWS)
        say(f"        {ROWS} invoices of {ROWS // 5} customers in {time.monotonic() - began:.0f} s")
        sizes(connection)
        connection.execute("LOAD 'auto_explain'")
        for words, condition in INVOICES.items():
            invoices(checks, connection, words, condition)
        later(checks, connection)
        pages(checks, connection)
        others(checks, connection)
        lists(checks, connection)


def sizes(connection: psycopg.Connection[Any]) -> None:
    for table, rows, size, words in connection.execute(
        """SELECT c.relname, c.reltuples::bigint, pg_relation_size(c.oid) / greatest(c.reltuples, 1)::bigint,
                  pg_relation_size(i.oid) / greatest(c.reltuples, 1)::bigint
           FROM pg_class c JOIN pg_class i ON i.relname = c.relname || '_by_words'
           WHERE c.relnamespace = 'credits_internal'::regnamespace AND c.reltuples > 0 ORDER BY c.relname"""
    ):
        say(f"        {table}: {rows} rows of {size} bytes, {words} bytes of words each")


def invoices(checks: Checks, connection: psycopg.Connection[Any], words: str, condition: str) -> None:
    """The newest invoices with some words are those that a look at all rows finds."""
    answered = asked(connection, "SELECT object_id FROM credits.search(%s, '{invoices}')", [words])
    expected = connection.execute(
        f"SELECT i.invoice_id::text FROM credits_internal.invoices i WHERE {condition}"
        f" ORDER BY i.created_at DESC, i.invoice_id DESC LIMIT {PAGE}"
    ).fetchall()
    checks.equal(answered.rows, expected, f"{words}: the newest {len(expected)} invoices")
    show(checks, words, answered)


def later(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """A page far behind takes no longer than the first."""
    for words in ("usd", "usd paid", "autumn", "legacy", "seldom", "nothing has these"):
        condition = INVOICES[words]
        row = connection.execute(
            """SELECT i.created_at, i.invoice_id,
                       (extract(epoch FROM i.created_at) * 1000000)::bigint - 946684800000000 || ':invoice:' || i.invoice_id
                FROM credits_internal.invoices i ORDER BY i.created_at LIMIT 1 OFFSET %s""",
            [ROWS // 5],
        ).fetchone()
        assert row is not None
        query = "SELECT object_id FROM credits.search(%s, '{invoices}', after => %s)"
        answered = asked(connection, query, [words, row[2]])
        expected = connection.execute(
            f"SELECT i.invoice_id::text FROM credits_internal.invoices i WHERE {condition.replace('%', '%%')}"
            f" AND (i.created_at, i.invoice_id) < (%s, %s) ORDER BY i.created_at DESC, i.invoice_id DESC LIMIT {PAGE}",
            row[:2],
        ).fetchall()
        checks.equal(answered.rows, expected, f"{words}, far behind: the next {len(expected)} invoices")
        show(checks, f"{words}, far behind", answered)


def show(checks: Checks, title: str, answered: Answered) -> None:
    read = [node for plan in answered.plans for node in nodes(plan) if "Relation Name" in node]
    checks.none(
        [node["Relation Name"] for node in read if node["Node Type"] == "Seq Scan" and node["Actual Rows"] > 100],
        f"{title}: no table is read whole",
    )
    found = [
        node["Actual Rows"] * node["Actual Loops"]
        for plan in answered.plans for node in nodes(plan) if node["Node Type"] == "Bitmap Heap Scan"
    ]  # fmt: skip
    # Of each kind of object.
    kinds = len({node["Relation Name"] for node in read})
    checks.check(sum(found) <= OBJECTS * kinds, f"{title}: at most {OBJECTS * kinds} rows are read by their words", found)
    checks.check(answered.blocks <= BLOCKS * kinds, f"{title}: at most {BLOCKS * kinds} blocks are read", answered.blocks)
    ways = [
        f"{node['Index Name'].split('_', 1)[1] if node['Index Name'].startswith('payment_') else node['Index Name']}"
        f" {node['Actual Rows'] * node['Actual Loops']:.0f}"
        for plan in answered.plans for node in nodes(plan)
        if node.get("Index Name", "").endswith(("_words", "_newest")) or "customer_id" in node.get("Index Cond", "")
    ]  # fmt: skip
    say(f"        {title}: {len(answered.rows)} rows in {answered.milliseconds:.1f} ms, {answered.blocks} blocks: "
        + ", ".join(ways))  # fmt: skip


def pages(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """Page by page nothing is left out and nothing comes twice, over all kinds, while others come."""
    expected = connection.execute("SELECT object_id FROM credits.search('open', page_size => 140)").fetchall()
    found: list[Any] = []
    after = None
    while len(found) < len(expected):
        rows = connection.execute(
            "SELECT object_id, cursor FROM credits.search('open', page_size => 7, after => %s)", [after]
        ).fetchall()
        found += [row[:1] for row in rows]
        after = rows[-1][1]
        connection.execute("SELECT FROM credits.customer_upsert(%s, 'Open House')", [f"later {len(found)}"])
    checks.equal(found, expected, f"{len(expected)} are found page by page, each once, while others come")
    connection.execute("DELETE FROM credits_internal.customers WHERE customer_id LIKE 'later %%'", [])


def others(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """What is looked for over all kinds, and of one customer."""
    middle = ROWS // 10
    mine = connection.execute(
        "SELECT customer_id, email, invoice_prefix FROM credits_internal.customers WHERE customer_id = %s", [f"cust_{middle}"]
    ).fetchone()
    assert mine is not None
    customer, email, prefix = mine
    search = "SELECT object, object_id, customer_id FROM credits.search(%s, customer_id => %s, page_size => %s)"
    for words in (f'"{email}"', f"{email.split('@')[0]}@", f'"CRM-{middle}"', f'"{prefix}-0001"'):
        answered = asked(connection, search, [words, None, PAGE])
        checks.check({row[2] for row in answered.rows} == {customer}, f"{words}: what is {customer}'s", answered.rows)
        show(checks, words, answered)
    for words in ("usd", "succeeded", "wrong plan", "example.com", "berlin agency", "kaba"):
        show(checks, words, asked(connection, search, [words, None, PAGE]))
    for words in ("usd", "paid pro", "autumn", '"autumn"'):
        answered = asked(connection, search, [words, customer, PAGE])
        checks.check({row[2] for row in answered.rows} <= {customer}, f"{words} of {customer}", answered.rows)
        show(checks, f"{words} of {customer}", answered)
    show(checks, "usd, 1000 rows", asked(connection, search, ["usd", None, 1000]))


# Each list in the order of its unique key, and the newest first, and how the next page begins.
LISTS = {
    "customers": ("customer_id", "created_at, customer_id"),
    "invoices": ("customer_id, invoice_id", "created_at, invoice_id", "invoice_id"),
    "payment_intents": ("customer_id, payment_intent_id", "created_at, payment_intent_id", "payment_intent_id"),
    "refunds": ("customer_id, refund_id", "created_at, refund_id", "refund_id"),
    "invoice_lines": ("customer_id, invoice_line_id",),
    "checkout_sessions": ("customer_id, checkout_session_id", "checkout_session_id"),
    "coupons": ("coupon_id",),
    "promotion_codes": ("promotion_code_id",),
    "payment_links": ("payment_link_id",),
    "top_ups": ("customer_id, top_up_id", "created_at, top_up_id", "top_up_id"),
}


def lists(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    for view, keys in LISTS.items():
        for key in keys:
            order = ", ".join(f"{column} DESC" for column in key.split(", "))
            first = f"SELECT * FROM credits.{view} ORDER BY {order} LIMIT {PAGE}"
            middle = connection.execute(f"SELECT {key} FROM credits.{view} ORDER BY {order} OFFSET %s LIMIT 1", [ROWS // 100])
            row = middle.fetchone()
            if row is None:
                continue
            values = ", ".join(["%s"] * len(row))
            after = f"SELECT * FROM credits.{view} WHERE ({key}) < ({values}) ORDER BY {order} LIMIT {PAGE}"
            for title, query, arguments in ((f"{view} by {key}", first, []), (f"{view} by {key}, later", after, list(row))):
                plan = one_plan(connection, query, arguments)
                rows = [node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan)]
                checks.check(max(rows) <= 8 * PAGE, f"{title}: {max(rows):.0f} rows are read", json.dumps(plan)[:800])


def one_plan(connection: psycopg.Connection[Any], query: str, arguments: list[Any]) -> dict[str, Any]:
    row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", arguments).fetchone()
    assert row is not None
    return row[0][0]["Plan"]


def asked(connection: psycopg.Connection[Any], query: str, arguments: list[Any]) -> Answered:
    """Asks, once for the time it takes and once for the plans."""
    connection.execute(query, arguments)
    began = time.monotonic()
    rows = connection.execute(query, arguments).fetchall()
    milliseconds = (time.monotonic() - began) * 1000
    notices: list[str] = []

    def listen(diagnostic: Any) -> None:
        notices.append(diagnostic.message_primary or "")

    for setting, value in {
        "log_min_duration": "0", "log_nested_statements": "on", "log_analyze": "on", "log_buffers": "on",
        "log_timing": "off", "log_format": "json",
    }.items():  # fmt: skip
        connection.execute("SELECT set_config(%s, %s, false)", [f"auto_explain.{setting}", value])
    connection.add_notice_handler(listen)
    connection.execute("SET client_min_messages = log")
    connection.execute(query, arguments)
    connection.execute("SET client_min_messages = notice")
    connection.execute("SET auto_explain.log_min_duration = -1")
    connection.remove_notice_handler(listen)
    plans = [json.loads(text[text.index("{") :])["Plan"] for text in notices if "searched_" in text]
    whole = [json.loads(text[text.index("{") :])["Plan"] for text in notices if "credits.search(" in text]
    blocks = sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in whole)
    return Answered(rows, plans, blocks, milliseconds)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's nodes, from the top."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)
