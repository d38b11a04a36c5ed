"""The loop of applications that learn what work costs by doing it: hold the most that it can cost, do it, capture what
it did cost. Sixteen sessions of it over one wallet, some of which crash, beside a model of what has to come out.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sessions import CAPTURE, HOLD_FOR, RELEASE
from support import harness
from support.at_once import together
from support.harness import Checks, say

WALLET = "one wallet"
SESSIONS = 16
SECONDS = 6.0
FIRST_GRANT = Decimal(100)
# Below this the first session tops up: so late that by then others are short, however slow the machine.
LOW = Decimal(20)

TOP_UP = "SELECT amount FROM credits.credit_grant(%s, %s, priority => %s, expires_at => now() + %s * interval '1 s')"
# In one statement, so that both have to say the same.
BOTH = (
    "SELECT b.available, b.held, (w.available, w.held) = (b.available, b.held) AS same"
    " FROM credits.wallet_balance(%s, 'CREDIT') AS b JOIN credits.wallets AS w ON w.customer_id = %s"
)

# What the loop has to have met to prove anything.
MUST_HAPPEN = (
    "captured", "captured in part", "released", "abandoned", "ran out", "PC001", "replayed", "crashed while capturing",
    "topped up", "topped up with an expiry",
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """One piece of work: its hold and what became of that."""

    hold_id: str
    held: Decimal
    outcome: str
    captured: Decimal


@dataclass
class Report:
    """What one session brings home."""

    work: list[Work] = field(default_factory=list)
    granted: Decimal = Decimal(0)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Worker:
    """One session at work. The first tops the wallet up when it is low, the second calls maintain() now and then."""

    def __init__(self, database: str, number: int) -> None:
        self.database = database
        self.number = number
        self.random = random.Random(f"holds/{number}")
        self.report = Report()
        self.seen = FIRST_GRANT
        self.connect()

    def connect(self) -> None:
        self.connection = harness.connect(self.database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '30s'")

    def run(self) -> Report:
        began = maintained = time.monotonic()
        while time.monotonic() < began + SECONDS:
            if self.number == 0 and self.seen < LOW:
                self.top_up()
            if self.number == 1 and time.monotonic() > maintained + 0.25:
                maintained = time.monotonic()
                self.connection.execute("CALL credits.maintain()")
            self.work()
        self.connection.close()
        return self.report

    def top_up(self) -> None:
        """Some of it for ever, some of it for so short that it ends while it is held."""
        lasts = self.random.choice((None, 0.4, 1.5))
        terms = [self.random.randint(40, 80), self.random.choice((0, 50)), lasts]
        try:
            self.report.granted += self.ask(TOP_UP, WALLET, *terms)["amount"]
        except psycopg.Error as error:
            # Behind the others' commits it may have waited until its expiry had passed; nothing was granted then.
            if error.sqlstate != "PC013" or lasts is None:
                raise
            self.count("topped up too late")
            return
        self.seen = LOW
        self.count("topped up with an expiry" if lasts else "topped up")

    def work(self) -> None:
        most = Decimal(self.random.randint(1, 4_000_000)).scaleb(-6)
        # A hold for nearly no time runs out under the work; one that is abandoned must not keep the credits for long.
        fate = self.random.choices(("captured", "released", "abandoned", "slow"), (70, 14, 6, 10))[0]
        seconds = {"abandoned": 0.3, "slow": self.random.choice((0.002, 0.01))}.get(fate, 20)
        try:
            hold = self.ask(HOLD_FOR, WALLET, most, seconds)
        except psycopg.Error as error:
            self.short(error, most)
            return
        if (hold["status"], hold["amount"], hold["captured"], hold["replayed"]) != ("open", most, 0, False):
            self.wrong(f"a hold of {most} answers {hold}")
        time.sleep(self.random.uniform(0, 0.005))
        if fate == "abandoned":
            self.abandon(hold["hold_id"], most)
        elif fate == "released":
            self.release(hold["hold_id"], most)
        else:
            self.capture(hold["hold_id"], most, may_be_late=fate == "slow")
        if self.random.random() < 0.1:
            self.look()

    def capture(self, hold_id: Any, most: Decimal, may_be_late: bool) -> None:
        whole = self.random.random() < 0.3
        spent = most if whole else Decimal(self.random.randint(1, int(most.scaleb(6)))).scaleb(-6)
        try:
            done = self.ask(CAPTURE, WALLET, hold_id, spent)
        except psycopg.Error as error:
            state = json.loads(error.diag.message_detail or "{}").get("state")
            if not may_be_late or (error.sqlstate, state) != ("PC010", "expired"):
                self.wrong(f"capturing {spent} of {most}: {harness.described(error)}")
            self.finish(hold_id, most, "ran out")
            return
        if (done["status"], done["captured"], done["released"]) != ("captured", spent, most - spent):
            self.wrong(f"capturing {spent} of {most} answers {done}")
        self.finish(hold_id, most, "captured", spent)
        self.count("captured in part" if spent < most else "captured whole")
        if self.random.random() < 0.05:
            again = self.ask(CAPTURE, WALLET, hold_id, spent)
            self.count("replayed")
            if not again["replayed"] or again["captured"] != spent:
                self.wrong(f"capturing {spent} of {most} again answers {again}")

    def release(self, hold_id: Any, most: Decimal) -> None:
        done = self.ask(RELEASE, WALLET, hold_id)
        if (done["status"], done["released"], done["replayed"]) != ("released", most, False):
            self.wrong(f"releasing {most} answers {done}")
        self.finish(hold_id, most, "released")

    def abandon(self, hold_id: Any, most: Decimal) -> None:
        """A crash, some of them with a capture that is not committed."""
        if self.random.random() < 0.5:
            try:
                self.connection.execute("BEGIN")
                self.ask(CAPTURE, WALLET, hold_id, most)
                self.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            except psycopg.Error as error:
                # On a slow machine the hold may have run out before.
                if not self.connection.closed and error.sqlstate != "PC010":
                    raise
                self.count("crashed while capturing" if self.connection.closed else "ran out before the crash")
        self.connection.close()
        self.connect()
        self.finish(hold_id, most, "abandoned")

    def look(self) -> None:
        row = self.ask(BOTH, WALLET, WALLET)
        if row["held"] < 0 or not row["same"]:
            self.wrong(f"a reader sees {row}")

    def short(self, error: psycopg.Error, most: Decimal) -> None:
        detail = json.loads(error.diag.message_detail or "{}", parse_float=Decimal)
        if error.sqlstate != "PC001" or not 0 <= Decimal(detail["available"]) < most:
            self.wrong(f"a hold of {most}: {harness.described(error)}")
        self.count("PC001")
        self.seen = Decimal(detail["available"])
        time.sleep(self.random.uniform(0, 0.02))

    def ask(self, query: str, *values: Any) -> dict[str, Any]:
        """The call's one row; whatever it says is available is not below zero."""
        row = self.connection.execute(query, values, prepare=True).fetchone()
        assert row is not None
        self.seen = row.get("available", self.seen)
        if self.seen < 0:
            self.wrong(f"available below zero: {row}")
        return row

    def finish(self, hold_id: Any, held: Decimal, outcome: str, captured: Decimal = Decimal(0)) -> None:
        self.report.work.append(Work(str(hold_id), held, outcome, captured))
        self.count(outcome)

    def wrong(self, what: str) -> None:
        self.count("wrong")
        if len(self.report.wrong) < 20:
            self.report.wrong.append(f"session {self.number}: {what}")

    def count(self, what: str) -> None:
        self.report.counts[what] += 1


def run_worker(database: str, number: int) -> Report:
    """What the process of one session does."""
    return Worker(database, number).run()


def run(checks: Checks, database: str) -> None:
    with checks.case(f"holds: {SESSIONS} sessions estimate, work and settle over one wallet, {SECONDS:.0f} s"):
        loop(checks, database)


def loop(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute("SELECT credits.credit_grant(%s, %s)", [WALLET, FIRST_GRANT])
    reports = together(run_worker, [(database, number) for number in range(SESSIONS)])
    counts: Counter[str] = sum((report.counts for report in reports), Counter())
    work = [one for report in reports for one in report.work]
    granted = sum((report.granted for report in reports), FIRST_GRANT)
    checks.none([line for report in reports for line in report.wrong], "no session met a wrong answer")
    checks.none([what for what in MUST_HAPPEN if not counts[what]], "the loop met everything that it is about")
    say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))

    with harness.connect(database) as connection:
        checks.none(harness.verify(connection), "verify() finds nothing as the sessions end")
        _let_all_end(connection)
        checks.equal(_held(connection), (0, 0), "nothing is held once all have run out, before maintain()")
        before = _available(connection)
        connection.execute("CALL credits.maintain()")
        checks.equal(_held(connection), (0, 0), "nothing is held after maintain()")
        checks.equal(_available(connection), before, "maintain() makes no difference to what is available")
        checks.none(_unlike(connection, work), "every hold came to the end that its session saw, and its lines say so")
        checks.none(_overspent(connection), "at no line anything was below zero")
        spent = sum((one.captured for one in work), Decimal(0))
        row = connection.execute("SELECT sum(lapsed) FROM credits.grants WHERE customer_id = %s", [WALLET]).fetchone()
        assert row is not None
        checks.check(spent <= granted, "no more was captured than granted", f"{spent} of {granted}")
        checks.equal(granted - spent - row[0], before, "granted, less captured, less expired is what is available")
        checks.check(row[0] > 0, "some expired")
        checks.none(harness.verify(connection), "verify() finds nothing after maintain()")


def _let_all_end(connection: psycopg.Connection[Any]) -> None:
    """Waits until no hold is open and no grant about to expire."""
    moment = (
        "SELECT greatest((SELECT max(expires_at) FROM credits_internal.holds WHERE customer_id = %s AND status = 'open'),"
        " (SELECT max(expires_at) FROM credits_internal.credit_grants WHERE customer_id = %s AND expires_at < 'infinity'))"
        " > clock_timestamp()"
    )
    until = time.monotonic() + 30
    while connection.execute(moment, [WALLET, WALLET]).fetchone() == (True,):
        assert time.monotonic() < until, "the holds do not run out"
        time.sleep(0.05)


def _held(connection: psycopg.Connection[Any]) -> tuple[Any, ...] | None:
    return connection.execute(
        "SELECT b.held, w.held FROM credits.wallet_balance(%s, 'CREDIT') AS b"
        " JOIN credits.wallets AS w ON w.customer_id = %s", [WALLET, WALLET],
    ).fetchone()  # fmt: skip


def _available(connection: psycopg.Connection[Any]) -> Any:
    row = connection.execute("SELECT available FROM credits.wallet_balance(%s, 'CREDIT')", [WALLET]).fetchone()
    return row and row[0]


def _unlike(connection: psycopg.Connection[Any], work: list[Work]) -> list[str]:
    """Holds that ended otherwise than their sessions saw, or whose captures are not in the ledger once."""
    ends = {"captured": "captured", "released": "released", "abandoned": "expired", "ran out": "expired"}
    seen = {one.hold_id: (ends[one.outcome], one.held, one.captured, one.captured) for one in work}
    found = {
        hold_id: (status, held, captured, spent)
        for hold_id, status, held, captured, spent in connection.execute(
            "SELECT h.hold_id::text, h.status, h.amount, h.captured, coalesce(-sum(l.held), 0) FROM credits_internal.holds AS h"
            " LEFT JOIN credits_internal.lines AS l"
            "   ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id AND l.type = 'capture'"
            " WHERE h.customer_id = %s GROUP BY 1, 2, 3, 4", [WALLET],
        )
    }  # fmt: skip
    keys = sorted(seen.keys() | found.keys())
    return [f"{key}: {found.get(key)}, seen was {seen.get(key)}" for key in keys if found.get(key) != seen.get(key)]


def _overspent(connection: psycopg.Connection[Any]) -> list[str]:
    """Lines after which more was spent or held than there was."""
    wrong = []
    balance = held = Decimal(0)
    for line_no, amount, set_aside in connection.execute(
        "SELECT line_no, amount, coalesce(held, 0) FROM credits_internal.lines WHERE customer_id = %s"
        " ORDER BY line_no", [WALLET],
    ):  # fmt: skip
        balance, held = balance + amount, held + set_aside
        if balance < 0 or held < 0:
            wrong.append(f"line {line_no}: balance {balance}, held {held}")
    return wrong
