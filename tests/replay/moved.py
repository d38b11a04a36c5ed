"""Moving in with history: credits.history_import() beside another system's past (source.py) and beside a life lived here."""

from __future__ import annotations

import json
import random
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg

import source
from source import Source
from support import at_once, harness
from support.harness import Checks, say

SEED = 20_240_229
END = datetime(2026, 1, 1, tzinfo=timezone.utc)
NOW = END + timedelta(days=3)
PASTS = 30
STEPS = 250
LOOKS = 300

Connection = psycopg.Connection[Any]


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        prepare(connection)
        with checks.case("other systems' pasts"):
            pasts(checks, connection)
        with checks.case("in parts"):
            parts(checks, connection)
        with checks.case("a life lived here, and its copy"):
            copied(checks, connection)
        with checks.case("two at once"):
            two(checks, database, connection)
        with checks.case("rolled back"):
            rolled_back(checks, connection)
        with checks.case("nothing is announced, and nothing of today judges"):
            quiet(checks, connection)
        with checks.case("speed"):
            speed(checks, connection)
        checks.none(harness.verify(connection), "verify() finds nothing")


def prepare(connection: Connection) -> None:
    set_clock(connection, NOW)
    connection.execute("SELECT credits.currency_create('COIN', decimals => 2)")
    for meter, price in source.FLAT.items():
        connection.execute("SELECT credits.meter_create(%s, currency => 'COIN', unit_price => %s)", [meter, price])
    pricing = {"mode": "graduated", "tiers": [{"up_to": 100, "unit_price": 1}, {"unit_price": 0.5}]}
    connection.execute(
        "SELECT credits.meter_create(%s, currency => 'COIN', period => 'month', pricing => %s)",
        [source.TIERED, json.dumps(pricing)],
    )


def set_clock(connection: Connection, moment: datetime | None) -> None:
    connection.execute("SELECT set_config('credits.test_clock', %s, false)", [moment.isoformat() if moment else ""])


def load(connection: Connection, customer: str, entries: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    given = {"finished": True, "key": None, **options}
    cursor = connection.execute(
        "SELECT * FROM credits.history_import(%s, %s, 'COIN', %s, %s)",
        [customer, json.dumps(entries), given["key"], given["finished"]],
    )
    row = cursor.fetchone()
    assert row is not None and cursor.description is not None
    return dict(zip([column.name for column in cursor.description], row))


def wrong_balances(connection: Connection, customer: str, past: Source, dice: random.Random) -> list[str]:
    """Moments at which the past here is not the source's: those of changes, just before them, and any others."""
    looks = dice.sample(past.moments, min(LOOKS // 3, len(past.moments)))
    looks += [moment - timedelta(microseconds=1) for moment in looks]
    span = int((NOW - past.moments[0]).total_seconds())
    looks += [past.moments[0] + timedelta(seconds=dice.randrange(span)) for _ in range(LOOKS // 3)]
    rows = connection.execute(
        "SELECT t, b.available, b.restricted, b.pending FROM unnest(%s::timestamptz[]) AS t,"
        " credits.wallet_balance_at(%s, 'COIN', t) AS b", [looks, customer],
    ).fetchall()  # fmt: skip
    return [f"{t}: {found} and not {past.at(t)}" for t, *found in rows if tuple(found) != past.at(t)]


def wrong_lots(connection: Connection, customer: str, past: Source) -> list[str]:
    found = dict(connection.execute(
        "SELECT o.idempotency_key, g.remaining FROM credits_internal.operations o"
        " JOIN credits.grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id"
        " WHERE o.customer_id = %s AND o.idempotency_key IS NOT NULL", [customer],
    ).fetchall())  # fmt: skip
    left = {lot.key: lot.left for lot in past.lots}
    return [f"{key}: {found.get(key)} and not {amount}" for key, amount in left.items() if found.get(key) != amount]


def pasts(checks: Checks, connection: Connection) -> None:
    balances: list[str] = []
    lots: list[str] = []
    debts = 0
    for number in range(PASTS):
        past = source.make(SEED + number, STEPS, END, NOW)
        dice = random.Random(number)
        entries = past.entries[:]
        # In any order, except for those of one moment.
        if number % 2:
            by_time: dict[str, list[dict[str, Any]]] = {}
            for entry in entries:
                by_time.setdefault(entry["at"], []).append(entry)
            shuffled = list(by_time.values())
            dice.shuffle(shuffled)
            entries = [entry for group in shuffled for entry in group]
        customer = f"past {number}"
        row = load(connection, customer, entries)
        if row["entries"] != len(entries) or (row["available"], row["restricted"], row["pending"]) != past.standing():
            balances.append(f"{customer}: {row} and not {past.standing()}")
        balances += [f"{customer} {wrong}" for wrong in wrong_balances(connection, customer, past, dice)]
        lots += [f"{customer} {wrong}" for wrong in wrong_lots(connection, customer, past)]
        debts += any(standing[2] for standing in past.standings)
    checks.check(debts > PASTS // 2, "most of them owed something once", debts)
    checks.none(balances, f"{PASTS} pasts of {STEPS} steps: the balance at {LOOKS} moments of each is the source's")
    checks.none(lots, "what remains of each grant is the source's")
    checks.none(harness.verify(connection), "verify() finds nothing")
    late = connection.execute(
        "SELECT count(*) FROM credits.ledger WHERE created_at <> credits.clock() OR effective_at > created_at"
    ).fetchone()
    checks.equal(late, (0,), "each line was posted now, and took effect then")
    again = [load_again(connection, kind, number) for number in range(3) for kind in ("usage", "debit")]
    checks.none([row for row in again if row is not True], "usage and debits that are reported again are recognised")


def load_again(connection: Connection, kind: str, number: int) -> Any:
    past = source.make(SEED + number, STEPS, END, NOW)
    canceled = {entry["identifier"] for entry in past.entries if entry["type"] == "cancellation"}
    of_kind = [entry for entry in past.entries if entry["type"] == kind]
    entry = next(entry for entry in of_kind if entry.get("identifier") not in canceled)
    if kind == "debit":
        query, values = "SELECT replayed FROM credits.wallet_debit(%s, %s, 'COIN', %s)", [entry["amount"], entry["idempotency_key"]]
    else:
        query = "SELECT replayed FROM credits.report_meter_event(%s, %s, %s, %s)"
        values = [entry["event_name"], entry["value"], entry["identifier"]]
    row = connection.execute(query, [f"past {number}", *values]).fetchone()
    return row and row[0]


def lines(connection: Connection, customer: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT line_no, type, amount, running_balance, pending, identifier, quantity, grant_name, effective_at"
        " FROM credits.ledger WHERE customer_id = %s ORDER BY line_no", [customer],
    ).fetchall()  # fmt: skip


def parts(checks: Checks, connection: Connection) -> None:
    past = source.make(SEED, STEPS, END, NOW)
    with connection.transaction():
        for begin in range(0, len(past.entries), 60):
            part, last = past.entries[begin : begin + 60], begin + 60 >= len(past.entries)
            row = load(connection, "in parts", part, finished=last, key=f"part {begin}")
            replay = load(connection, "in parts", part, finished=last, key=f"part {begin}")
            if (row["replayed"], replay["replayed"]) != (False, True) or row["entries"] != replay["entries"]:
                checks.check(False, "a part is imported once", (row, replay))
    checks.equal(lines(connection, "in parts"), lines(connection, "past 0"), "parts make the same ledger as the whole")
    # Left in the middle, and committed: it may go on, until something else happens.
    middle = len(past.entries) // 2
    load(connection, "in the middle", past.entries[:middle], finished=False)
    checks.none(harness.verify(connection), "verify() finds nothing in the middle of a history")
    connection.execute("CALL credits.maintain()")
    checks.none(harness.verify(connection), "nor once it was maintained")
    state = refused(connection, "in the middle", past.entries[middle:])
    checks.equal(state, ("PC013", "posted_to"), "what was posted to since does not go on")
    checks.equal(refused(connection, "in parts", []), ("PC013", "finished"), "a finished history does not go on")
    connection.execute("SELECT credits.wallet_credit('used', 5, 'COIN')")
    checks.equal(refused(connection, "used", []), ("PC013", "used"), "an account that was used takes none")


def refused(connection: Connection, customer: str, entries: list[dict[str, Any]]) -> tuple[str | None, str | None]:
    try:
        load(connection, customer, entries)
    except psycopg.Error as error:
        return error.sqlstate, json.loads(error.diag.message_detail or "{}").get("state")
    return None, None


EXPORT = """
    SELECT jsonb_agg(entry ORDER BY line) FROM (
        SELECT l.line_no AS line, jsonb_build_object('type', 'grant', 'at', g.created_at, 'amount', g.amount, 'name', g.name,
            'category', g.category, 'priority', g.priority, 'expires_at', g.expires_at,
            'applicable_meters', g.applicable_meters) AS entry
        FROM credits.grants g JOIN credits.ledger l ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
            AND l.type = 'grant' WHERE g.customer_id = $1
        UNION ALL
        SELECT min(l.line_no), jsonb_build_object('type', 'usage', 'at', u.created_at, 'event_name', u.event_name,
            'value', u.quantity, 'identifier', u.identifier, 'subscription_id', u.subscription_id, 'metadata', u.metadata,
            'member_id', u.member_id)
        FROM credits.usage u JOIN credits.ledger l ON l.customer_id = u.customer_id AND l.identifier = u.identifier
        WHERE u.customer_id = $1 GROUP BY u.identifier, u.created_at, u.event_name, u.quantity, u.subscription_id, u.metadata,
            u.member_id
        UNION ALL
        SELECT min(l.line_no), jsonb_build_object('type', 'debit', 'at', min(l.effective_at), 'amount', -sum(l.amount),
            'description', l.description, 'idempotency_key', l.idempotency_key)
        FROM credits.ledger l WHERE l.customer_id = $1 AND l.type = 'debit'
        GROUP BY l.operation_id, l.description, l.idempotency_key) AS entries
"""


def copied(checks: Checks, connection: Connection) -> None:
    """The calls of every day, with the clock set for each; then the views say all that is needed for the copy."""
    dice = random.Random(SEED)
    moment = datetime(2025, 1, 1, tzinfo=timezone.utc)
    connection.execute("SELECT credits.customer_upsert('live')")
    for number in range(200):
        moment += timedelta(hours=dice.randrange(1, 60))
        set_clock(connection, moment)
        kind = dice.choices(["grant", "usage", "debit"], [2, 5, 3])[0]
        if kind == "grant":
            ends = moment + timedelta(days=dice.randrange(3, 50))
            meters = [dice.choice(source.METERS)] if dice.random() < 0.3 else None
            connection.execute(
                "SELECT credits.credit_grant('live', %s, 'COIN', name => %s, priority => %s, expires_at => %s,"
                " applicable_meters => %s)", [dice.randrange(5, 90), f"g{number}", dice.choice([10, 50]), ends, meters],
            )  # fmt: skip
        elif kind == "usage":
            connection.execute(
                "SELECT credits.report_meter_event('live', %s, %s, %s, metadata => '{\"a\": 1}', member_id => 'kim')",
                [dice.choice(source.METERS), dice.randrange(1, 60), f"u{number}"],
            )
        else:
            with_what = [Decimal(dice.randrange(1, 900)) / 100, f"d{number}", f"Job {number}"]
            try:
                connection.execute("SELECT credits.wallet_debit('live', %s, 'COIN', %s, %s)", with_what)
            except psycopg.Error as error:
                assert error.sqlstate in ("PC001", "PC003"), error
    set_clock(connection, NOW)
    connection.execute("CALL credits.maintain()")
    row = connection.execute(EXPORT.replace("$1", "'live'")).fetchone()
    assert row is not None
    load(connection, "copy", row[0])
    live, copy = lines(connection, "live"), lines(connection, "copy")
    checks.check(len(live) > 200, "there was a life", len(live))
    checks.equal(copy, live, "the copy's ledger is the same: lines, amounts, balances, times")


def import_one(database: str, number: int) -> str | None:
    past = source.make(SEED, STEPS, END, NOW)
    with harness.connect(database) as connection:
        set_clock(connection, NOW)
        try:
            load(connection, "both want", past.entries, key="same" if number < 3 else f"other {number}")
        except psycopg.Error as error:
            return error.sqlstate
    return None


def two(checks: Checks, database: str, connection: Connection) -> None:
    came = at_once.together(import_one, [(database, number) for number in range(6)])
    checks.check(came.count(None) in (1, 3) and set(came) <= {None, "PC013"}, "one imports, its replays say so", came)
    checks.equal(lines(connection, "both want"), lines(connection, "past 0"), "and the history is there once")


def rolled_back(checks: Checks, connection: Connection) -> None:
    before = harness.table_checksums(connection)
    past = source.make(SEED, STEPS, END, NOW)
    late = {"type": "reversal", "at": END.isoformat(), "operation_key": "no such key"}
    number = len(past.entries) + 1
    try:
        load(connection, "never", [*past.entries, late])
        checks.check(False, "an entry that is wrong is refused")
    except psycopg.Error as error:
        found = (error.sqlstate, str(error).partition(":")[0], json.loads(error.diag.message_detail or "{}").get("entry"))
        checks.equal(found, ("PC013", f"entry {number}", number), "the error names the entry")
    # The same where PostgreSQL ends it.
    connection.execute("SET statement_timeout = '400ms'")
    try:
        load(connection, "never", [{"type": "debit", "at": "2025-01-01T00:00:00Z", "amount": 1}] * 99_000)
        checks.check(False, "it takes longer than that")
    except psycopg.errors.QueryCanceled:
        pass
    connection.execute("RESET statement_timeout")
    # The session goes on in its own time.
    clock = connection.execute("SELECT credits.clock()").fetchone()
    checks.equal(clock, (NOW,), "afterwards now is now")
    after = harness.table_checksums(connection)
    checks.none([table for table in before if before[table] != after[table]], "and nothing of it stays")


def quiet(checks: Checks, connection: Connection) -> None:
    connection.execute("SELECT credits.outbox_consumer_create('all')")
    connection.execute("SELECT credits.customer_upsert('quiet')")
    connection.execute("SELECT credits.account_configure('quiet', 'COIN', 0, 40)")
    connection.execute("SELECT credits.usage_limit_set('quiet', NULL, 1, 'month', currency => 'COIN')")
    connection.execute("SELECT credits.usage_limit_set('quiet', NULL, 1, '900 days', currency => 'COIN')")
    connection.execute("SELECT credits.balance_alert_set('quiet', 'COIN', '{10, 20}')")
    connection.execute("DELETE FROM credits_internal.outbox")
    past = source.make(SEED + 2, STEPS, END, NOW)
    past.correct("last", Decimal(500))
    load(connection, "quiet", past.entries)
    rows = connection.execute("SELECT type FROM credits.outbox_rows WHERE customer_id = 'quiet'").fetchall()
    checks.equal(rows, [], "an account that has enough today announces nothing of its past")
    checks.none(wrong_balances(connection, "quiet", past, random.Random(1)), "and no limit stood in its way")
    # A balance that was low for two years, and of which there is enough today: it asked for credits once, when that
    # was switched on.
    connection.execute("SELECT credits.currency_create('EUR', kind => 'fiat')")
    price = "SELECT price_id FROM credits.package_create('P', 50, 5, 'EUR', 'COIN')"
    connection.execute("SELECT credits.customer_upsert('buys')")
    connection.execute(f"SELECT credits.configure_auto_recharge('buys', 'COIN', true, 40, ({price}), payment_method => 'c')")
    past = source.make(SEED + 3, STEPS, END, NOW)
    past.correct("last", Decimal(900))
    load(connection, "buys", past.entries)
    rows = connection.execute("SELECT status FROM credits.recharge_log WHERE customer_id = 'buys'").fetchall()
    checks.equal(rows, [("canceled",)], "no recharge is asked for a balance of then, and that of before is not needed")
    checks.none(harness.verify(connection), "verify() finds nothing")


def speed(checks: Checks, connection: Connection) -> None:
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    at = lambda number: (start + timedelta(minutes=10 * number)).isoformat()  # noqa: E731
    months = [{"type": "grant", "at": (start + timedelta(days=30 * month)).isoformat(), "amount": 100_000,
               "expires_at": (start + timedelta(days=30 * month + 45)).isoformat()} for month in range(24)]  # fmt: skip
    kinds = {
        "usage": lambda n: {"type": "usage", "at": at(n), "event_name": "pages", "value": 3, "identifier": f"{n}"},
        "tiered usage": lambda n: {"type": "usage", "at": at(n), "event_name": source.TIERED, "value": 3, "identifier": f"{n}"},
        "debits": lambda n: {"type": "debit", "at": at(n), "amount": "0.5", "idempotency_key": f"{n}"},
        "grants": lambda n: {"type": "grant", "at": at(n), "amount": 1, "idempotency_key": f"{n}"},
    }
    for name, make in kinds.items():
        count = 2_000 if name == "grants" else 20_000
        entries = months + [make(number) for number in range(count)]
        began = time.monotonic()
        load(connection, f"fast {name}", entries)
        say(f"        {name}: {len(entries) / (time.monotonic() - began):,.0f} entries a second")
