"""The inbox: a trace of real usage (a made-up one where its file is not there), repeated to a million rows under new
identifiers, is loaded by COPY and settled by sessions that are terminated and a server that is killed. Balances equal what
is worked out apart, rows that are wrong are put aside, and progress is seen from another session.

INBOX_ROWS (1000000) is how many rows there are at least.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg

import busy
import stats
from server import Server
from stats import Usage
from support import harness
from support.harness import Checks, say
from usage_trace import Row, read_csv, spread, synthetic

ROWS = int(os.environ.get("INBOX_ROWS") or 1_000_000)
REAL_TRACE = Path(__file__).resolve().parents[3] / "shared" / "data" / "llm_trace_conv_2023.csv"
SEED = 7
CUSTOMERS = 60
SETTLERS = 3
BATCH = 5_000
METERS = {"prompt": Decimal("0.0015"), "completion": Decimal("0.0060005")}
COLUMNS = "customer_id, event_name, value, identifier, occurred_at"

# What is wrong with one row in so many, and the error that it gets.
WRONG = {
    "PC003": lambda row: row._replace(customer="stranger"),
    "PC004": lambda row: row._replace(event_name="none such"),
    "PC007": lambda row: row._replace(value="-1"),
    "PC013": lambda row: row._replace(identifier=""),
    "PC006": lambda row: row._replace(occurred_at="2001-01-01 00:00:00+00"),
    "PC002": lambda row: row._replace(value=str(Decimal(row.value) + 1)),
}


@dataclass
class Expected:
    """What the rows come to, worked out while they are made."""

    cost: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    events: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    # By meter and hour: how many, their values, what they cost; and the same for each customer.
    hours: dict[tuple[str, str | None, datetime], list[Any]] = field(
        default_factory=lambda: defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    )


def requests() -> list[Row]:
    if REAL_TRACE.exists():
        say("        the trace is the real one")
        return read_csv(REAL_TRACE).rows
    say("        the trace is a made-up one: the real one is not here")
    return synthetic(SEED, 19_366, datetime(2023, 11, 16, 18, 15, tzinfo=timezone.utc), timedelta(hours=1)).rows


def usage(rows: list[Row], now: datetime) -> Iterator[Usage]:
    """Each request's two values again and again, a day earlier each time, until there are enough."""
    first = rows[0].time
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    repeat = made = 0
    while made < ROWS:
        repeat += 1
        # On a day of its own, the trace's hour spread over it.
        begins = midnight - timedelta(days=1 + repeat % 28)
        for row in rows:
            at = begins + (row.time - first) * 20
            for name, value in zip(METERS, row.values.values()):
                made += 1
                yield Usage(
                    spread(row.number, CUSTOMERS), name, str(value), f"{repeat}:{row.number}:{name}", at.isoformat()
                )


def with_errors(rows: Iterator[Usage], expected: Expected) -> Iterator[Usage]:
    """Now and then one that is wrong, or once more one that was there before; counts what is to be expected."""
    random_ = random.Random(SEED)
    before: Usage | None = None
    for row in rows:
        kind = random_.random()
        if kind < 0.0005 and before is not None:
            code = random_.choice(list(WRONG))
            expected.refused[code] += 1
            yield WRONG[code](before if code == "PC002" else row._replace(identifier=f"wrong {row.identifier}"))
        elif kind < 0.0105 and before is not None:
            expected.repeats += 1
            yield before
        expected.events += 1
        cost = (Decimal(row.value) * METERS[row.event_name]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        expected.cost[row.customer] += cost
        hour = datetime.fromisoformat(row.occurred_at).replace(minute=0, second=0, microsecond=0)
        for customer in (None, row.customer):
            sums = expected.hours[row.event_name, customer, hour]
            sums[0], sums[1], sums[2] = sums[0] + 1, sums[1] + Decimal(row.value), sums[2] + cost
        before = row
        yield row


def load(connection: psycopg.Connection[Any], rows: list[Usage]) -> None:
    """COPY, as a pipeline does it."""
    text = "".join("\t".join(part or "\\N" for part in row) + "\n" for row in rows)
    began = time.monotonic()
    with connection.cursor().copy(f"COPY credits.inbox ({COLUMNS}) FROM STDIN") as copy:
        copy.write(text)
    seconds = time.monotonic() - began
    say(f"        {len(rows):,} rows copied in {seconds:.1f} s, {len(rows) / seconds:,.0f} a second")


class Watch(threading.Thread):
    """Looks at the backlog from a session of its own, as an operator would."""

    def __init__(self, database: str) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.seen: list[int] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        session = busy.Session(self.database)
        while not self.stopped.wait(0.25):
            self.seen.append(session.once_more(lambda c: c.execute("SELECT inbox FROM credits.backlog").fetchone()[0]))
        session.close()


def check(checks: Checks, database: str) -> None:
    now = datetime.now(timezone.utc)
    expected = Expected()
    with harness.connect(database) as connection:
        given = prepare(connection)
        rows = list(with_errors(usage(requests(), now), expected))
        third = len(rows) // 3
        lone = stats.lone_customer(connection, now)
        load(connection, rows[:third])
        settle_all(checks, connection, database, third, None)
        before = stats.of_one(connection, lone, now)
        load(connection, rows[third:])
    server = Server()
    try:
        with harness.connect(database) as connection:
            settle_all(checks, connection, database, len(rows) - third, server)
        with harness.connect(database) as connection:
            account_for_it(checks, connection, expected, given)
            stats.check(checks, connection, expected.hours, lone, before, now)
            stats.check_history(checks, connection)
    finally:
        server.start()  # whatever happened, so that the database can be dropped


def prepare(connection: psycopg.Connection[Any]) -> dict[str, Decimal]:
    """Meters, and wallets of which some run dry and some have nothing."""
    for event_name, unit_price in METERS.items():
        connection.execute("SELECT credits.meter_create(%s, unit_price => %s)", [event_name, unit_price])
    random_ = random.Random(SEED)
    given: dict[str, Decimal] = {}
    for number in range(1, CUSTOMERS + 1):
        customer = f"customer-{number:02d}"
        connection.execute("SELECT credits.customer_upsert(%s)", [customer])
        given[customer] = Decimal(0)
        for _ in range(random_.choice((0, 1, 2, 3))):
            amount = Decimal(random_.choice((100, 5_000, 1_000_000)))
            connection.execute("SELECT credits.credit_grant(%s, %s)", [customer, amount])
            given[customer] += amount
    return given


def settle_all(
    checks: Checks, connection: psycopg.Connection[Any], database: str, rows: int, server: Server | None
) -> None:
    """Settles what is there in several sessions at once. With a server they are terminated, and it is killed."""
    watch = Watch(database)
    watch.start()
    terminated = 0
    began = time.monotonic()
    with ProcessPoolExecutor(SETTLERS, mp_context=get_context("fork")) as pool:
        settling = [pool.submit(busy.settle_until, database, BATCH, 0) for _ in range(SETTLERS)]
        if server is not None:
            for _ in range(4):
                time.sleep(1)
                terminated += busy.interrupt_settling(database)
            server.kill(everything=True)
            server.start()
        results = [one.result() for one in settling]
    seconds = time.monotonic() - began
    watch.stopped.set()
    watch.join()
    events, batches = sum(one[0] for one in results), sum(one[1] for one in results)
    say(f"        {rows:,} rows settled in {seconds:.1f} s, {rows / seconds:,.0f} a second, in {batches} batches")
    if server is None:
        checks.equal(events, rows, "settle() says how many it were")
        falling = all(one >= other for one, other in zip(watch.seen, watch.seen[1:]))
        steps = len(set(watch.seen))
        checks.check(falling and steps > 3, f"another session sees them become fewer, in {steps} steps", watch.seen)
    else:
        checks.check(terminated > 0, f"settling was terminated {terminated} times and the server killed")


def account_for_it(
    checks: Checks, connection: psycopg.Connection[Any], expected: Expected, given: dict[str, Decimal]
) -> None:
    row = connection.execute("SELECT inbox, unsettled, rejected FROM credits.backlog").fetchone()
    checks.equal(row, (0, 0, expected.refused.total()), "the inbox is empty, and what was wrong is put aside")
    refused = dict(connection.execute("SELECT error, count(*) FROM credits.rejected_events GROUP BY 1").fetchall())
    checks.equal(refused, dict(expected.refused), "each with its error")
    row = connection.execute(
        "SELECT count(*) FROM credits_internal.meter_events WHERE customer_id <> %s", [stats.LONE]
    ).fetchone()
    checks.equal(row, (expected.events,), f"{expected.events:,} events, {expected.repeats:,} repeats dropped")
    wrong = []
    for customer, amount in given.items():
        left = amount - expected.cost[customer]
        balance = connection.execute(
            "SELECT available, pending FROM credits.wallet_balance(%s, 'CREDIT')", [customer]
        ).fetchone()
        if balance != (max(left, Decimal(0)), max(-left, Decimal(0))):
            wrong.append(f"{customer}: {balance} where {left} is left")
    checks.none(wrong, f"{len(given)} balances equal the independent computation")
    sides = {amount > expected.cost[customer] for customer, amount in given.items()}
    checks.equal(sides, {True, False}, "some of them ran dry, some did not")
    began = time.monotonic()
    checks.none(harness.verify(connection), "verify() finds nothing")
    say(f"        verify() took {time.monotonic() - began:.1f} s")
