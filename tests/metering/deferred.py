"""Deferred events: sixteen sessions report into one wallet while others settle, debit it and are interrupted, by
pg_terminate_backend and by kill -9 of the server. Every event is charged once, and the balance is what was worked out apart.

DEFERRED_EVENTS (600) is how many events each session reports, SEED (1) what they are made from.
"""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from decimal import ROUND_HALF_UP, Decimal
from multiprocessing import get_context
from typing import Any

import psycopg

import busy
from busy import Session
from server import Server
from support import harness
from support.harness import Checks, say

EVENTS = int(os.environ.get("DEFERRED_EVENTS") or 600)
SEED = int(os.environ.get("SEED") or 1)
REPORTERS, SETTLERS, SPENDERS = 16, 3, 2
UNIT_PRICE = Decimal("0.0035")
GIVEN = [Decimal(20_000), Decimal(40), Decimal(15_000)]
WALLET = "busy"

Event = tuple[str, Decimal]


def events(number: int) -> list[Event]:
    """What one session reports: now and then the same again."""
    random_ = random.Random(f"{SEED}/{number}")
    made: list[Event] = []
    for serial in range(EVENTS):
        value = Decimal(random_.randint(0, 400_000)).scaleb(-2)
        made.append(random_.choice(made) if made and random_.random() < 0.03 else (f"{number}/{serial}", value))
    return made


def cost(value: Decimal) -> Decimal:
    return (value * UNIT_PRICE).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def report(database: str, number: int) -> tuple[list[str], int]:
    """Reports them one after the other. Returns what was answered wrong, and how often the connection was lost."""
    session = Session(database)
    wrong = []
    for identifier, value in events(number):
        row = session.once_more(
            lambda c, identifier=identifier, value=value: c.execute(
                "SELECT status, replayed FROM credits.report_meter_event(%s, 'tokens', %s, %s)", [WALLET, value, identifier]
            ).fetchone()
        )
        if row[0] not in ("unsettled", *(("processed", "pending") if row[1] else ())):
            wrong.append(f"{identifier} answers {row}")
    session.close()
    return wrong, session.lost


def spend(database: str, number: int, seconds: float) -> tuple[Decimal, int]:
    """Takes a little, again and again: each time what was reported by then is settled first."""
    session = Session(database)
    spent, serial = Decimal(0), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        serial += 1
        key = f"{number}/{serial}"
        row = session.once_more(
            lambda c, key=key: c.execute(
                "SELECT ok, debited FROM credits.wallet_try_debit(%s, 0.01, idempotency_key => %s)", [WALLET, key]
            ).fetchone()
        )
        spent += row[1] if row[0] else 0
        time.sleep(0.02)
    session.close()
    return spent, session.lost


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute(
            "SELECT credits.meter_create('tokens', unit_price => %s, settlement => 'deferred')", [UNIT_PRICE]
        )
        for amount in GIVEN:
            connection.execute("SELECT credits.credit_grant(%s, %s)", [WALLET, amount])
        connection.execute("SELECT credits.credit_grant('early', 100)")
    waits_for_nothing(checks, database)
    charged_by_an_earlier_transaction(checks, database)
    server = Server()
    try:
        under_fire(checks, server, database)
    finally:
        server.start()  # whatever happened, so that the database can be dropped


def waits_for_nothing(checks: Checks, database: str) -> None:
    """A report does not wait for whoever has the account, but for the first of all, with which the account learns of it."""
    with harness.connect(database) as one, harness.connect(database) as other, ThreadPoolExecutor(1) as pool:
        one.execute("BEGIN")
        one.execute("SELECT credits.wallet_debit(%s, 1)", [WALLET])
        first = pool.submit(
            other.execute, "SELECT status FROM credits.report_meter_event(%s, 'tokens', 100, 'the first')", [WALLET]
        )
        checks.check(wait([first], 0.5).not_done, "the first deferred event of an account waits for its row")
        one.execute("ROLLBACK")
        checks.equal(first.result(30).fetchone(), ("unsettled",), "until it is free")
        row = other.execute("SELECT credits.settle()").fetchone()
        checks.equal(row, (1,), "and is settled")
        one.execute("BEGIN")
        one.execute("SELECT credits.wallet_debit(%s, 1)", [WALLET])
        other.execute("SET statement_timeout = '5s'")
        row = other.execute(
            "SELECT status FROM credits.report_meter_event(%s, 'tokens', 100, 'beside a debit')", [WALLET]
        ).fetchone()
        checks.equal(row, ("unsettled",), "an event is recorded while another session has the account locked")
        row = other.execute("SELECT credits.settle()").fetchone()
        checks.equal(row, (0,), "and settle() does not wait either: it leaves the account alone")
        one.execute("ROLLBACK")
        row = other.execute("SELECT credits.settle()").fetchone()
        checks.equal(row, (1,), "until it is free")


def charged_by_an_earlier_transaction(checks: Checks, database: str) -> None:
    """What settles an event may have begun before it was reported; the event is charged as of its report all the same."""
    with harness.connect(database) as settling, harness.connect(database) as reporting:
        settling.execute("BEGIN")
        settling.execute("SELECT")
        for number in (1, 2, 3):
            reporting.execute("SELECT credits.report_meter_event('early', 'tokens', 100, %s)", [f"early {number}"])
        settling.execute("SELECT credits.settle(1)")
        settling.execute("SELECT credits.settle(1)")
        settling.execute("SELECT credits.wallet_try_debit('early', 1)")
        settling.execute("COMMIT")
        checks.none(harness.verify(reporting), "an event may be charged in a transaction that began before its report")
        rows = [
            reporting.execute("SELECT returned + pending FROM credits.meter_event_cancel('early', %s)", [f"early {number}"])
            .fetchone() for number in (1, 2, 3)
        ]  # fmt: skip
        checks.equal(rows, [(cost(Decimal(100)),)] * 3, "and what it took is found again when it is canceled")


def events_stored(database: str) -> int:
    """How many of the events are there."""
    with harness.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM credits_internal.meter_events WHERE customer_id = %s", [WALLET]).fetchone()
    return row[0]


def under_fire(checks: Checks, server: Server, database: str) -> None:
    seconds = 3.0
    terminated = 0
    with ProcessPoolExecutor(REPORTERS + SETTLERS + SPENDERS, mp_context=get_context("fork")) as pool:
        reports = [pool.submit(report, database, number) for number in range(REPORTERS)]
        settling = [pool.submit(busy.settle_until, database, 200, seconds + 1) for _ in range(SETTLERS)]
        spending = [pool.submit(spend, database, number, seconds) for number in range(SPENDERS)]
        while events_stored(database) < REPORTERS * EVENTS // 3 and not any(one.done() for one in reports):
            time.sleep(0.05)
            terminated += busy.interrupt_settling(database)
        server.kill(everything=True)
        checks.none(server.left_after(), "the server is killed in the middle of it")
        server.start()
        while not all(one.done() for one in reports):
            time.sleep(0.05)
            terminated += busy.interrupt_settling(database)
        wrong = [line for one in reports for line in one.result()[0]]
        lost = sum(one.result()[1] for one in reports)
        spent = sum((one.result()[0] for one in spending), Decimal(0))
        settled = [one.result() for one in settling]
    # Where the machine is slow, some was reported after the time of those that settle.
    settled.append(busy.settle_until(database, 200, 0))
    checks.none(wrong, f"{REPORTERS} sessions reported {REPORTERS * EVENTS:,} times")
    checks.check(lost > 0, "some of them had to report again what had no answer", lost)
    checks.check(terminated > 0, "settling was terminated in the middle of a batch", terminated)
    say(f"        settled by settle() {sum(one[0] for one in settled):,} in {sum(one[1] for one in settled):,} batches,"
        f" {terminated} terminated, {lost} answers lost, {spent} debited meanwhile")  # fmt: skip
    with harness.connect(database) as connection:
        account_for_it(checks, connection, spent)


def account_for_it(checks: Checks, connection: psycopg.Connection[Any], spent: Decimal) -> None:
    checks.equal(busy.nothing_waits(connection), True, "nothing waits any more")
    reported = {identifier: value for number in range(REPORTERS) for identifier, value in events(number)}
    reported["the first"] = reported["beside a debit"] = Decimal(100)
    stored = dict(
        connection.execute(
            "SELECT identifier, value FROM credits_internal.meter_events WHERE customer_id = %s", [WALLET]
        ).fetchall()
    )
    checks.none(sorted(stored.items() ^ reported.items()), f"{len(reported):,} events are there, each once")
    charged = connection.execute(
        "SELECT e.identifier, e.value, e.consumed + e.pending, count(l.line_no) FILTER (WHERE l.type = 'debt'),"
        " coalesce(-sum(l.amount), 0) + coalesce(sum(l.pending), 0)"
        " FROM credits_internal.meter_events e LEFT JOIN credits_internal.lines l USING (customer_id, identifier)"
        " WHERE e.customer_id = %s GROUP BY 1, 2, 3",
        [WALLET],
    ).fetchall()
    wrong = [row for row in charged if not (row[2] == row[4] == cost(row[1]) and row[3] <= 1)]
    checks.none(wrong, "each is charged once, at its price, by lines that say so")
    # A spend that lost its answer was repeated with its key, so what was acknowledged is all that was spent.
    total = sum((cost(value) for value in reported.values()), Decimal(0))
    left = sum(GIVEN) - total - spent
    row = connection.execute("SELECT available, pending FROM credits.wallet_balance(%s, 'CREDIT')", [WALLET]).fetchone()
    checks.equal(row, (max(left, Decimal(0)), max(-left, Decimal(0))), f"the balance is what was worked out apart: {left}")
    checks.check(spent > 0, "debits got through beside it", spent)
    checks.check(left < 0, "more was used than there was, so that some of it is owed", left)
    checks.none(harness.verify(connection), "verify() finds nothing")
