"""One session of the random mix: calls of every kind over a few wallets, seeded, each answer judged as it comes.

What a session was told went through is recorded; audit.py holds all of it against the database at the end.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support import harness

WALLETS = [f"wallet_{number:02d}" for number in range(50)]

# event_name: (unit price, aggregation, overage)
METERS = {
    "calls": (Decimal(1), "count", "pending"),
    "tokens": (Decimal("0.0020005"), "sum", "pending"),
    "gated": (Decimal("0.5"), "sum", "reject"),
}

EVENT = "SELECT * FROM credits.report_meter_event(%s, %s, %s, %s)"
BATCH = "SELECT * FROM credits.report_meter_events(%s, %s, %s::numeric[], %s)"
DEBIT = "SELECT * FROM credits.wallet_debit(%s, %s, idempotency_key => %s)"
TRY_DEBIT = "SELECT * FROM credits.wallet_try_debit(%s, %s, idempotency_key => %s)"
CREDIT = "SELECT * FROM credits.wallet_credit(%s, %s, idempotency_key => %s)"
GRANT = (
    "SELECT * FROM credits.credit_grant(%s, %s, idempotency_key => %s, category => %s, priority => %s,"
    " effective_at => now() + %s * interval '1 s', expires_at => now() + %s * interval '1 s', applicable_meters => %s)"
)
BALANCE = "SELECT * FROM credits.wallet_balance(%s, 'CREDIT')"


def cost(event_name: str, value: Decimal) -> Decimal:
    """What an event costs: half away from zero to six decimals."""
    unit_price, aggregation, _ = METERS[event_name]
    exact = unit_price if aggregation == "count" else unit_price * value
    return exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Call:
    """One call with its inputs: all that a repeat needs."""

    function: str
    customer: str
    amount: Decimal
    key: str | None
    event_name: str = ""
    terms: tuple[Any, ...] = ()

    def sql(self) -> tuple[str, list[Any]]:
        match self.function:
            case "report_meter_event":
                return EVENT, [self.customer, self.event_name, self.amount, self.key]
            case "wallet_debit":
                return DEBIT, [self.customer, self.amount, self.key]
            case "wallet_try_debit":
                return TRY_DEBIT, [self.customer, self.amount, self.key]
            case "wallet_credit":
                return CREDIT, [self.customer, self.amount, self.key]
        return GRANT, [self.customer, self.amount, self.key, *self.terms]


@dataclass(frozen=True)
class Done:
    """One call that was acknowledged: what it did, or what it repeated."""

    call: Call
    id: str | None
    amount: Decimal
    replayed: bool


@dataclass
class Report:
    """What one session brings home."""

    done: list[Done] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Mix:
    """The session at work."""

    def __init__(self, database: str, number: int, seed: int, seconds: float) -> None:
        self.number = number
        self.random = random.Random(f"{seed}/{number}")
        self.report = Report()
        self.serial = 0
        self.rolled_back: list[Call] = []
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '30s'")
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.maintained = self.begun

    def run(self) -> Report:
        kinds = [
            (self.single, 50), (self.batch, 8), (self.repeat, 10), (self.conflict, 4), (self.shared, 14),
            (self.several, 8), (self.balance, 6), (self.repeatable_read, 3), (self.again_after_rollback, 3),
        ]  # fmt: skip
        work, weights = zip(*kinds)
        while time.monotonic() < self.until:
            if self.number == 0 and time.monotonic() > self.maintained + 0.5:
                self.maintain()
            self.random.choices(work, weights)[0]()
        self.connection.close()
        return self.report

    # --- what a session does -------------------------------------------------------------------------------------

    def single(self) -> None:
        self.make([self.new_call(self.random.choice(WALLETS))])

    def repeat(self) -> None:
        """A call of its own again, with the same inputs: the same answer."""
        known = self.known()
        if known is None:
            return
        done = self.make([known.call])
        if done and not (done[0].replayed and (done[0].id, done[0].amount) == (known.id, known.amount)):
            self.wrong(f"repeat of {known} answered {done[0]}")

    def conflict(self) -> None:
        """A key of its own with another amount."""
        known = self.known()
        if known is not None:
            self.make([replace(known.call, amount=known.call.amount + 1)], allowed=("PC002",), due="PC002")

    def shared(self) -> None:
        """A call that other sessions make at the same time, with the same key and the same inputs."""
        window = int((time.monotonic() - self.begun) * 25) + self.random.randint(0, 3)
        self.make([shared_call(window)])

    def again_after_rollback(self) -> None:
        """A key whose transaction was rolled back is unused."""
        if self.rolled_back:
            call = self.rolled_back.pop()
            for one in self.make([call]):
                if one.replayed:
                    self.wrong(f"{call} was rolled back and answers replayed = true")

    def several(self) -> None:
        """A transaction of several calls over up to three wallets, in the order of the wallets; some roll back."""
        wallets = sorted(self.random.sample(WALLETS, self.random.randint(1, 3)))
        calls = [self.new_call(wallet) for wallet in wallets for _ in range(self.random.randint(1, 2))]
        self.make(calls, commit=self.random.random() < 0.7)

    def repeatable_read(self) -> None:
        call = self.new_call(self.random.choice(WALLETS))
        self.make([call], allowed=("40001",), isolation="REPEATABLE READ")

    def batch(self) -> None:
        """Events of several wallets in one call: new ones, shared ones, and now and then one twice."""
        calls = [self.new_event(self.random.choice(WALLETS)) for _ in range(self.random.randint(1, 5))]
        window = int((time.monotonic() - self.begun) * 25)
        shared = [call for call in map(shared_call, range(window, window + 6)) if call.function == "report_meter_event"]
        calls += shared[: self.random.randint(0, 3)]
        if self.random.random() < 0.3:
            calls.append(self.random.choice(calls))
        self.random.shuffle(calls)
        arrays = [
            [call.customer for call in calls], [call.event_name for call in calls], [call.amount for call in calls],
            [call.key for call in calls],
        ]  # fmt: skip
        try:
            rows = self.connection.execute(BATCH, arrays, prepare=True).fetchall()
        except psycopg.Error as error:
            self.unexpected("a batch", error)
            return
        self.count("report_meter_events")
        if [row["identifier"] for row in rows] != arrays[3]:
            self.wrong(f"a batch of {arrays[3]} answered {[row['identifier'] for row in rows]}")
            return
        for call, row in zip(calls, rows):
            if row["error"] is not None:
                self.count(row["error"])
                if row["error"] != "PC001" or METERS[call.event_name][2] != "reject":
                    self.wrong(f"{call} in a batch: {row['error']}")
            else:
                self.acknowledge([self.judge(call, row)])

    def balance(self) -> None:
        wallet = self.random.choice(WALLETS)
        row = self.connection.execute(BALANCE, [wallet], prepare=True).fetchone()
        assert row is not None
        self.count("wallet_balance")
        if min(row["available"], row["restricted"], row["held"], row["pending"]) < 0:
            self.wrong(f"{wallet} is below zero: {row}")
        if row["available"] > 0 and row["pending"] > 0:
            self.wrong(f"{wallet} owes while it has credits: {row}")

    def maintain(self) -> None:
        self.maintained = time.monotonic()
        try:
            self.connection.execute("CALL credits.maintain()")
            self.count("maintain")
        except psycopg.Error as error:
            self.unexpected("maintain()", error)

    # --- new calls -----------------------------------------------------------------------------------------------

    def new_call(self, wallet: str) -> Call:
        """A call that nobody made before."""
        function = self.random.choices(
            ("report_meter_event", "wallet_debit", "wallet_try_debit", "credit_grant", "wallet_credit"),
            (40, 16, 12, 20, 6),
        )[0]
        if function == "report_meter_event":
            return self.new_event(wallet)
        key = self.new_key() if self.random.random() < 0.5 else None
        amount = Decimal(self.random.randint(1, 12_000_000)).scaleb(-6)
        if function != "credit_grant":
            return Call(function, wallet, amount, key)
        begins = self.random.choice((None, None, None, self.random.randint(1, 3)))
        ends = self.random.choice((None, None, (begins or 0) + self.random.randint(1, 5)))
        meters = self.random.choice((None, None, None, ["calls"], ["tokens", "gated"]))
        category = self.random.choice(("paid", "promotional"))
        terms = (category, self.random.choice((0, 10, 50, 50, 90)), begins, ends, meters)
        return Call(function, wallet, amount * 2, key, terms=terms)

    def new_event(self, wallet: str) -> Call:
        event_name = self.random.choice(list(METERS))
        value = Decimal(self.random.randint(0, 4) if event_name == "gated" else self.random.randint(0, 2_000))
        return Call("report_meter_event", wallet, value, self.new_key(), event_name)

    def new_key(self) -> str:
        self.serial += 1
        return f"session {self.number} key {self.serial}"

    def known(self) -> Done | None:
        """One of its own latest acknowledged calls with a key."""
        latest = [done for done in self.report.done[-100:] if done.call.key and not done.replayed]
        return self.random.choice(latest) if latest else None

    # --- making calls --------------------------------------------------------------------------------------------

    def make(
        self,
        calls: list[Call],
        commit: bool = True,
        allowed: tuple[str, ...] = (),
        due: str | None = None,
        isolation: str | None = None,
    ) -> list[Done]:
        """Makes the calls, several or an isolation level as one transaction. `due` is the error that has to come."""
        together = len(calls) > 1 or not commit or isolation is not None
        done: list[Done] = []
        try:
            if together:
                self.connection.execute(f"BEGIN ISOLATION LEVEL {isolation or 'READ COMMITTED'}")
            for call in calls:
                query, values = call.sql()
                row = self.connection.execute(query, values, prepare=True).fetchone()
                self.count(call.function)
                if row is None or (call.function == "wallet_try_debit" and not row["ok"]):
                    self.refused_politely(call, row)
                else:
                    done.append(self.judge(call, row))
            if together:
                self.connection.execute("COMMIT" if commit else "ROLLBACK")
        except psycopg.Error as error:
            self.refused(call, error, allowed, alone=not together)
            if together:
                self.connection.execute("ROLLBACK")
            return []
        if due is not None:
            self.wrong(f"{calls[0]} went through where {due} was due")
        if not commit:
            self.count("rolled back")
            self.rolled_back += [one.call for one in done if one.call.key]
            return []
        self.acknowledge(done)
        return done

    def judge(self, call: Call, row: dict[str, Any]) -> Done:
        """Turns an answer into what it says was done, after a look at whether it can be."""
        match call.function:
            case "report_meter_event":
                charged = row["consumed"] + row["pending"]
                if charged != cost(call.event_name, call.amount):
                    self.wrong(f"{call} is charged {charged}, not {cost(call.event_name, call.amount)}")
                if (row["status"] == "pending") != (row["pending"] > 0) or row["available"] < 0:
                    self.wrong(f"{call} answers {row}")
                return Done(call, row["identifier"], charged, row["replayed"])
            case "wallet_debit" | "wallet_try_debit":
                if row["debited"] != call.amount or row["available"] < 0:
                    self.wrong(f"{call} answers {row}")
                return Done(call, str(row["operation_id"]), row["debited"], row["replayed"])
            case "wallet_credit":
                return Done(call, str(row["grant_id"]), row["credited"], row["replayed"])
        if not 0 <= row["remaining"] <= row["amount"] == call.amount:
            self.wrong(f"{call} answers {row}")
        return Done(call, str(row["grant_id"]), row["amount"], row["replayed"])

    def acknowledge(self, done: list[Done]) -> None:
        self.report.done += done
        self.report.counts["replayed"] += sum(1 for one in done if one.replayed)

    def refused_politely(self, call: Call, row: dict[str, Any] | None) -> None:
        self.count("ok = false")
        if row is None or not row["shortfall"] == call.amount - row["available"] > 0:
            self.wrong(f"{call} answers {row}")

    def refused(self, call: Call, error: psycopg.Error, allowed: tuple[str, ...], alone: bool) -> None:
        """An error: one that may come here is counted, with its DETAIL looked at; any other is wrong."""
        state = error.sqlstate or "no connection"
        uncovered = call.function == "wallet_debit" or (call.event_name and METERS[call.event_name][2] == "reject")
        if state == "PC001" and uncovered:
            detail = json.loads(error.diag.message_detail or "{}", parse_float=Decimal)
            short = Decimal(detail["requested"]) - Decimal(detail["available"])
            if not Decimal(detail["shortfall"]) == short > 0 or detail["customer_id"] != call.customer:
                self.wrong(f"{call} is refused with {detail}")
        elif state not in allowed:
            self.unexpected(f"{call}{' alone' if alone else ' in a transaction'}", error)
        self.count(state)

    def unexpected(self, what: str, error: psycopg.Error) -> None:
        self.wrong(f"{what}: {harness.described(error)}")
        if error.sqlstate is None:
            raise error

    def wrong(self, what: str) -> None:
        self.count("wrong")
        if len(self.report.wrong) < 20:
            self.report.wrong.append(f"session {self.number}: {what}")

    def count(self, what: str) -> None:
        self.report.counts[what] += 1


def shared_call(number: int) -> Call:
    """The call of that number, the same in every session: its inputs follow from the number alone."""
    random_ = random.Random(f"shared/{number}")
    wallet, key = WALLETS[number * 7 % len(WALLETS)], f"shared {number}"
    kind = number % 6
    if kind < 3:
        event_name = random_.choice(("calls", "tokens"))
        return Call("report_meter_event", wallet, Decimal(random_.randint(1, 2_000)), key, event_name)
    function = ("wallet_debit", "wallet_try_debit", "wallet_credit")[kind - 3]
    return Call(function, wallet, Decimal(random_.randint(1, 9_000_000)).scaleb(-6), key)


def run_session(database: str, number: int, seed: int, seconds: float) -> Report:
    """What the process of one session does."""
    return Mix(database, number, seed, seconds).run()
