"""Batches of 10,000 events with all that can be wrong with them: each row is what the same event alone would have got, in
one session and in four at once.

METERING_BATCH (10000) is how many events a batch has, SEED (1) what it is made from.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from plans import explained, read_whole
from support import harness
from support.at_once import together
from support.harness import Checks, say

SIZE = int(os.environ.get("METERING_BATCH") or 10_000)
SEED = int(os.environ.get("SEED") or 1)
WALLETS = 200
SESSIONS = 4

# event_name: aggregation, pricing, overage, settlement
METERS = {
    "tokens": ("sum", '{"unit_price": 0.0015}', "pending", "immediate"),
    "calls": ("count", '{"unit_price": 1}', "reject", "immediate"),
    "gauge": ("last", '{"unit_price": 0.1}', "pending", "immediate"),
    "peak": ("max", '{"unit_price": 0.3}', "reject", "immediate"),
    "tiers": ("sum", '{"mode": "volume", "tiers": [{"up_to": 500, "unit_price": 0.1}, {"unit_price": 0.02}]}', "pending",
              "immediate"),
    "later": ("sum", '{"unit_price": 0.01}', "pending", "deferred"),
}  # fmt: skip
BATCH = "SELECT * FROM credits.report_meter_events(%s, %s, %s::numeric[], %s, all_or_nothing => %s)"
ALONE = "SELECT * FROM credits.report_meter_event(%s, %s, %s, %s)"
SAME = ("identifier", "status", "consumed", "pending", "available", "replayed", "error")

MUST_HAPPEN = ("processed", "pending", "unsettled", "replayed", "PC001", "PC003", "PC004", "PC007", "lowered")


@dataclass(frozen=True)
class Report:
    customer: str
    event_name: str
    value: Decimal | None
    identifier: str


def make(label: str) -> list[Report]:
    """The same events for any label, which the wallets' names begin with."""
    random_ = random.Random(SEED)
    made: list[Report] = []
    for number in range(SIZE):
        customer = f"{label}_{random_.randrange(WALLETS):03d}"
        # From 0.01 to 1,000, in hundredths.
        value = Decimal(random_.choice((1, 10, 100, 100, 1000)) * random_.randint(1, 100)).scaleb(-2)
        report = Report(customer, random_.choice(list(METERS)), value, f"e{number}")
        kind = random_.random()
        if kind < 0.01 and made:
            report = random_.choice(made)  # a duplicate
        elif kind < 0.02:
            report = replace(report, customer=f"{label}_stranger")
        elif kind < 0.03:
            report = replace(report, value=random_.choice((Decimal(-1), Decimal("NaN"), Decimal("Infinity"))))
        elif kind < 0.035:
            report = replace(report, event_name="none such")
        made.append(report)
    return made


def prepare(connection: psycopg.Connection[Any], label: str) -> None:
    """Wallets of which some have enough, some run dry and some have nothing; a few have credits for one meter only."""
    random_ = random.Random(f"{SEED} wallets")
    for number in range(WALLETS):
        customer = f"{label}_{number:03d}"
        connection.execute("SELECT credits.customer_upsert(%s)", [customer])
        for _ in range(random_.choice((0, 1, 1, 2, 5))):
            amount = Decimal(random_.choice((3, 20, 1_000)))
            meters = [random_.choice(list(METERS))] if random_.random() < 0.2 else None
            connection.execute(
                "SELECT credits.credit_grant(%s, %s, priority => %s, applicable_meters => %s)",
                [customer, amount, random_.choice((10, 50)), meters],
            )
        if random_.random() < 0.2:
            connection.execute("SELECT credits.account_configure(%s, overdraft_limit => 5)", [customer])


def send(connection: psycopg.Connection[Any], reports: list[Report], all_or_nothing: bool = False) -> list[dict[str, Any]]:
    columns = [
        [report.customer for report in reports], [report.event_name for report in reports],
        [report.value for report in reports], [report.identifier for report in reports], all_or_nothing,
    ]  # fmt: skip
    return connection.cursor(row_factory=dict_row).execute(BATCH, columns).fetchall()


def one(connection: psycopg.Connection[Any], report: Report) -> dict[str, Any]:
    """An event alone; its error as a batch tells it."""
    values = (report.customer, report.event_name, report.value, report.identifier)
    try:
        row = connection.cursor(row_factory=dict_row).execute(ALONE, values, prepare=True).fetchone()
    except psycopg.Error as error:
        return dict.fromkeys(SAME) | {"identifier": report.identifier, "replayed": False, "error": error.sqlstate}
    assert row is not None
    return row | {"error": None}


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        for event_name, (aggregation, pricing, overage, settlement) in METERS.items():
            connection.execute(
                "SELECT credits.meter_create(%s, aggregation => %s, pricing => %s, overage => %s, settlement => %s)",
                [event_name, aggregation, pricing, overage, settlement],
            )
        in_one_call(checks, connection)
        by_four(checks, connection, database)
        checks.none(harness.verify(connection), "verify() finds nothing")
        connection.execute("VACUUM ANALYZE")
        view = "credits_internal.usage_discrepancies d"
        answered = explained(connection, "SELECT * FROM credits.verify(%s)", ["batch_000"], view)
        checks.none(read_whole(answered, SIZE // 2), "verify() of one customer reads no table whole")


def in_one_call(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    prepare(connection, "batch")
    prepare(connection, "alone")
    began = time.monotonic()
    rows = send(connection, make("batch"))
    seconds = time.monotonic() - began
    checks.equal(len(rows), SIZE, f"{SIZE:,} events in one call: a row each, {SIZE / seconds:,.0f} a second")
    alone = [one(connection, report) for report in make("alone")]
    differing = [
        f"{report}: {row} where it alone got {single}"
        for report, row, single in zip(make("batch"), rows, alone, strict=True)
        if any(row[name] != single[name] for name in SAME)
    ]
    checks.none(differing, "in order, each what it would have been alone")
    checks.none(unlike(connection, "batch", "alone"), "and the wallets come to the same")
    counts = Counter(row["error"] or row["status"] for row in rows)
    counts["replayed"] = sum(row["replayed"] for row in rows)
    counts["lowered"] = sum((row["consumed"] or 0) < 0 for row in rows)
    checks.none([what for what in MUST_HAPPEN if not counts[what]], "the batch met all that it is about")
    say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items(), key=str)))

    again = send(connection, make("batch"))
    wrong = [
        f"{first} and then {second}"
        for first, second in zip(rows, again, strict=True)
        if first["error"] is None and not (second["replayed"] and second["error"] is None)
    ]
    checks.none(wrong, "again: what was charged is a replay")
    before = harness.table_checksums(connection)
    fresh = [replace(report, identifier=f"all {report.identifier}") for report in make("batch")]
    try:
        send(connection, fresh, all_or_nothing=True)
        checks.check(False, "all_or_nothing with something wrong in it raises")
    except psycopg.Error as error:
        due = next(row["error"] for row in rows if row["error"] not in (None, "PC001", "PC002"))
        checks.check(error.sqlstate in (due, "PC001"), f"all_or_nothing raises the first error ({error.sqlstate})")
    after = harness.table_checksums(connection)
    checks.none([table for table in before if before[table] != after[table]], "and no table has changed")


def unlike(connection: psycopg.Connection[Any], label: str, other: str) -> list[Any]:
    """Wallets that are not the same under both labels, those that only one of them has included."""
    wallets = "SELECT replace(customer_id, %s, ''), available, restricted, pending FROM credits.wallets WHERE customer_id LIKE %s"
    found = [set(connection.execute(wallets, [one, f"{one}%"]).fetchall()) for one in (label, other)]
    return sorted(found[0] ^ found[1]) if found[0] else ["there are none"]


def by_four(checks: Checks, connection: psycopg.Connection[Any], database: str) -> None:
    """The same batch by four sessions at once, each in an order of its own."""
    prepare(connection, "four")
    began = time.monotonic()
    answers = together(send_shuffled, [(database, number) for number in range(SESSIONS)])
    say(f"        {SESSIONS} x {SIZE:,} events in {time.monotonic() - began:.1f} s")
    checks.none([error for error, _ in answers if error], f"{SESSIONS} sessions send it at once: no deadlock, no error")
    first: Counter[tuple[str, str]] = Counter()
    for _, rows in answers:
        first.update((customer, identifier) for customer, identifier, charged in rows if charged)
    checks.none([key for key, number in first.items() if number > 1], "each event was charged by one of them")
    stored = connection.execute(
        "SELECT customer_id, identifier FROM credits_internal.meter_events WHERE customer_id LIKE 'four%'"
    ).fetchall()
    checks.equal(set(stored), set(first), "and the events that are stored are those")
    checks.none(
        connection.execute(
            "SELECT e.customer_id, e.identifier FROM credits_internal.meter_events e"
            " LEFT JOIN (SELECT customer_id, identifier, -sum(amount) AS paid FROM credits_internal.lines"
            "            WHERE identifier IS NOT NULL GROUP BY 1, 2) l USING (customer_id, identifier)"
            " LEFT JOIN credits_internal.unsettled_events u USING (customer_id, identifier)"
            " WHERE u.identifier IS NULL AND e.consumed <> coalesce(l.paid, 0) AND e.customer_id LIKE 'four%'"
        ).fetchall(),
        "what each consumed is what its lines took",
    )


def send_shuffled(database: str, number: int) -> tuple[str | None, list[tuple[str, str, bool]]]:
    reports = make("four")
    random.Random(number).shuffle(reports)
    with harness.connect(database) as connection:
        try:
            rows = send(connection, reports)
        except psycopg.Error as error:
            return harness.described(error), []
    return None, [
        (report.customer, report.identifier, row["error"] is None and not row["replayed"])
        for report, row in zip(reports, rows, strict=True)
    ]
