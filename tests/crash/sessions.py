"""The sessions that are at work when the server is killed, and what each of them knows then: what was acknowledged,
what was refused or rolled back, and what was under way.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from calls import BATCH, MEMBER, METER, PACK, SHOPPERS, WALLETS, Answer, Call, Unit
from support import harness

# It warns of every transaction whose connection is lost.
logging.getLogger("psycopg").setLevel(logging.ERROR)
# They lock the customer.
OF_CUSTOMER = (
    "payment_succeeded", "payment_refunded", "subscription_create", "subscription_pause", "subscription_cancel",
)  # fmt: skip
# What wallets with too little may answer.
REFUSALS = ("PC001",)


class Stopped(Exception):
    """The caller of a transaction changed its mind."""


@dataclass
class Report:
    acknowledged: list[tuple[Unit, list[Answer]]] = field(default_factory=list)
    nothing: list[Unit] = field(default_factory=list)
    under_way: Unit | None = None
    wrong: list[str] = field(default_factory=list)


class Session:
    """One of them: any call over any wallet, one after the other, until its connection is lost."""

    def __init__(self, database: str, label: str) -> None:
        self.label = label
        self.random = random.Random(label)
        self.report = Report()
        self.serial = 0
        self.holds: list[tuple[str, str, Decimal]] = []
        # Without those that were reversed, taken back in part, adjusted or canceled, changed.
        self.debits: list[tuple[str, str, Decimal, bool]] = []
        self.grants: list[tuple[str, str, Decimal]] = []
        self.events: list[tuple[str, str, Decimal]] = []
        self.unchanged: set[str] = set()
        self.for_usage: set[str] = set()
        self.begun: list[tuple[str, str]] = []  # purchases that nobody has paid
        self.paid: list[tuple[str, str]] = []  # and those of which nothing was paid back
        self.deaf = False  # the next answer is lost on its way
        self.plans: list[tuple[str, str]] = []  # subscriptions that go on
        self.connection = harness.connect(database, row_factory=dict_row)

    def run(self) -> None:
        try:
            while not self.lost() and self.one():
                pass
        except Exception as error:  # noqa: BLE001 - the report has to come home
            self.report.wrong.append(f"{self.label}: {harness.described(error)}")
        finally:
            self.connection.close()

    def lost(self) -> bool:
        return self.connection.closed or self.connection.broken

    def one(self) -> bool:
        """One unit of work; whether there was an answer."""
        unit, work = self.random.choices((self.alone, self.transaction, self.batch), (70, 20, 10))[0]()
        self.report.under_way = unit
        try:
            answers = work(unit)
        except Stopped:
            self.report.nothing.append(unit)
        except psycopg.Error as error:
            if self.lost():
                return False
            self.report.nothing.append(unit)
            if error.sqlstate not in REFUSALS:
                self.report.wrong.append(f"{unit}: {harness.described(error)}")
        else:
            if self.deaf:
                return False
            self.acknowledge(unit, answers)
        self.report.under_way = None
        return True

    def acknowledge(self, unit: Unit, rows: list[dict[str, Any]]) -> None:
        if any(row.get("ok") is False for row in rows):  # all that such a unit has is this refusal
            self.report.nothing.append(unit)
            return
        self.report.acknowledged.append((unit, [call.answer(row) for call, row in zip(unit.calls, rows, strict=True)]))
        for call, row in zip(unit.calls, rows, strict=True):
            if row.get("replayed") or call.answer(row)[1] != call.charge:
                self.report.wrong.append(f"{call} answered {row}")
            if call.function in ("hold_create", "hold_for_usage"):
                self.holds.append((call.customer, str(row["hold_id"]), call.amount))
                self.unchanged.add(str(row["hold_id"]))
            if call.function == "hold_for_usage":
                self.for_usage.add(str(row["hold_id"]))
            if call.function in ("wallet_debit", "wallet_try_debit"):
                is_members = call.function == "wallet_debit"
                self.debits.append((call.customer, str(row["operation_id"]), call.amount, is_members))
            if call.function == "credit_grant":
                self.grants.append((call.customer, str(row["grant_id"]), call.amount))
            if call.function == "report_meter_event":
                self.events.append((call.customer, str(call.key), call.amount))
            if call.function == "top_up_create":
                self.begun.append((call.customer, str(row["top_up_id"])))
            if call.function == "payment_succeeded":
                self.paid.append((call.customer, call.other))
            if call.function == "subscription_create":
                self.plans.append((call.customer, str(row["subscription_id"])))
            if call.function in ("hold_part", "hold_usage", "hold_update"):
                self.unchanged.discard(call.other)
            if call.function == "hold_update":
                self.holds = [(*hold[:2], call.amount if hold[1] == call.other else hold[2]) for hold in self.holds]
            if call.function in ("hold_part", "hold_usage"):
                self.holds = [(*hold[:2], hold[2] - call.charge * (hold[1] == call.other)) for hold in self.holds]
            if call.function in ("hold_capture", "hold_more", "hold_release"):
                self.holds = [hold for hold in self.holds if hold[1] != call.other]

    # --- what a session does -------------------------------------------------------------------------------------

    def alone(self) -> tuple[Unit, Callable[[Unit], list[Any]]]:
        return Unit("a call", (self.call(self.random.choice(WALLETS)),)), self.make

    def transaction(self) -> tuple[Unit, Callable[[Unit], list[Any]]]:
        """Two calls, in the order of their wallets. None is a transfer, which takes two, or one that tries, which never
        fails."""
        customers = sorted(self.random.choices(WALLETS, k=2))
        calls: list[Call] = []
        while len(calls) < 2:
            call = self.call(customers[len(calls)])
            if call.function in ("wallet_transfer", "wallet_try_debit"):
                continue
            # A customer comes before all accounts.
            if call.function in OF_CUSTOMER and calls and calls[0].function not in OF_CUSTOMER:
                continue
            of_hold = call.function in ("hold_part", "hold_usage", "hold_more")
            if call.key is not None and not of_hold or all(call.other != one.other for one in calls):
                calls.append(call)
        calls.sort(key=lambda call: call.customer)  # a hold's end is where the hold is
        return Unit("a transaction", tuple(calls)), self.make_all

    def batch(self) -> tuple[Unit, Callable[[Unit], list[Any]]]:
        calls = [self.event(self.random.choice(WALLETS)) for _ in range(self.random.randint(2, 5))]
        return Unit("a batch", tuple(calls)), self.make_batch

    def call(self, customer: str) -> Call:
        kind = self.random.choices(
            ("report_meter_event", "wallet_debit", "wallet_try_debit", "wallet_credit", "credit_grant", "wallet_adjust",
             "wallet_transfer", "hold_create", "hold_for_usage", "end", "purchase", "operation_reverse", "grant", "event",
             "plan"),
            (25, 15, 5, 5, 7, 5, 10, 11, 6, 18, 20, 10, 10, 8, 14))[0]  # fmt: skip
        if kind == "purchase":
            return self.purchase(customer)
        if kind == "plan":
            return self.plan(customer)
        if kind == "grant" and self.grants:
            return self.of_grant()
        if kind == "event" and self.events:
            customer, identifier, value = self.events.pop()
            if self.random.random() < 0.4:
                return Call("meter_event_cancel", customer, Decimal(0), None, identifier, value)
            other = value + self.random.choice((7, -1 if value > 1 else 3))
            return Call("meter_event_adjust", customer, other, None, identifier, value)
        if kind == "end" and self.holds:
            customer, hold_id, held = self.random.choice(self.holds)
            if hold_id in self.unchanged and self.random.random() < 0.3:
                other = held + self.random.choice((2, -(held / 4).quantize(Decimal("0.01")) or 1))
                return Call("hold_update", customer, other, None, hold_id, held)
            if hold_id in self.for_usage:
                if held >= 1 and self.random.random() < 0.6:
                    return Call("hold_usage", customer, Decimal(self.random.randint(1, 10)), self.key(), hold_id)
                return Call("hold_release", customer, held, None, hold_id, held)
            if self.random.random() < 0.2:
                return Call("hold_more", customer, held + self.amount() / 4, self.key(), hold_id, held)
            if held >= 1 and self.random.random() < 0.4:
                if self.random.random() < 0.5:
                    return Call("hold_usage", customer, Decimal(self.random.randint(1, 10)), self.key(), hold_id)
                return Call("hold_part", customer, (held / 3).quantize(Decimal("0.01")), self.key(), hold_id)
            if self.random.random() < 0.3:
                return Call("hold_release", customer, held, None, hold_id, held)
            part = held if self.random.random() < 0.3 else (held / 3).quantize(Decimal("0.01")) or held
            return Call("hold_capture", customer, part, None, hold_id, held)
        if kind == "operation_reverse" and self.debits:
            customer, operation_id, taken, is_members = self.debits.pop()
            part = (taken / self.random.choice((1, 3))).quantize(Decimal("0.01")) or taken
            return Call(kind, customer, part, self.key(), operation_id, Decimal(is_members))
        if kind in ("report_meter_event", "end", "operation_reverse", "grant", "event"):
            return self.event(customer)
        if kind in ("hold_create", "hold_for_usage") and customer in SHOPPERS:
            return self.event(customer)
        if kind == "wallet_transfer":
            to = self.random.choice([wallet for wallet in WALLETS if wallet != customer])
            return Call(kind, customer, self.amount(), self.key(), to)
        if kind == "wallet_adjust":
            return Call(kind, customer, self.amount() * self.random.choice((1, -1)), self.key())
        if kind == "credit_grant":
            return Call(kind, customer, self.amount() * 5, self.key(), self.random.randint(40, 60))
        return Call(kind, customer, self.amount(), self.key())

    def plan(self, customer: str) -> Call:
        """A subscription begins, or one is paused or canceled, each once."""
        if self.plans and self.random.random() < 0.6:
            customer, subscription_id = self.plans.pop()
            kind = self.random.choice(("subscription_pause", "subscription_cancel"))
            return Call(kind, customer, Decimal(0), None, subscription_id)
        return Call("subscription_create", customer, self.amount(), self.key())

    def of_grant(self) -> Call:
        """A grant is extended, or part of it is taken back, each of them once."""
        customer, grant_id, amount = self.grants.pop()
        part = (amount / 3).quantize(Decimal("0.01")) or amount
        kind = self.random.choice(("credit_grant_void", "credit_grant_expire", "credit_grant_extend", "grant_mistaken"))
        if kind == "credit_grant_extend":
            return Call(kind, customer, amount, None, grant_id)
        # Of what is held it would be owed only once the hold ends.
        if kind == "grant_mistaken" and customer not in SHOPPERS:
            kind = "credit_grant_void"
        return Call(kind, customer, part, self.key(), grant_id)

    def purchase(self, customer: str) -> Call:
        """The next thing that becomes of one: it is begun, paid, and paid back in part or whole, each once."""
        if self.paid and self.random.random() < 0.3:
            customer, top_up_id = self.paid.pop()
            part = PACK * self.random.choice((Decimal(1), Decimal("0.5"), Decimal("0.033")))
            return Call("payment_refunded", customer, part, self.key(), top_up_id)
        if self.begun and self.random.random() < 0.6:
            customer, top_up_id = self.begun.pop()
            return Call("payment_succeeded", customer, PACK, self.key(), top_up_id)
        return Call("top_up_create", self.random.choice(SHOPPERS), PACK, self.key())

    def event(self, customer: str) -> Call:
        return Call("report_meter_event", customer, Decimal(self.random.randint(1, 50)), self.key(), METER)

    def amount(self) -> Decimal:
        return Decimal(self.random.randint(1, 1_000)).scaleb(-2)

    def key(self) -> str:
        self.serial += 1
        return f"{self.label} {self.serial}"

    def make(self, unit: Unit) -> list[Any]:
        return [self.connection.execute(call.sql, vars(call), prepare=True).fetchone() for call in unit.calls]

    def make_all(self, unit: Unit) -> list[Any]:
        with self.connection.transaction():
            rows = self.make(unit)
            if self.random.random() < 0.15:
                raise Stopped
        return rows

    def make_batch(self, unit: Unit) -> list[Any]:
        columns = [[call.customer for call in unit.calls], [METER] * len(unit.calls),
                   [call.amount for call in unit.calls], [call.key for call in unit.calls],
                   [MEMBER] * len(unit.calls)]  # fmt: skip
        return self.connection.execute(BATCH, columns, prepare=True).fetchall()


class Together:
    """Sessions at work at the same time, a thread each."""

    def __init__(self, database: str, labels: list[str]) -> None:
        self.sessions = [Session(database, label) for label in labels]
        self.threads = [threading.Thread(target=session.run, daemon=True) for session in self.sessions]

    def begin(self) -> None:
        for thread in self.threads:
            thread.start()

    def lose_answers(self) -> None:
        """From here on half of them get no answer, whatever becomes of their calls."""
        for session in self.sessions[::2]:
            session.deaf = True

    def reports(self, seconds: float) -> list[Report]:
        """What each knows, once its connection is lost."""
        for thread in self.threads:
            thread.join(seconds)
            if thread.is_alive():
                raise TimeoutError("a session goes on after the server was killed")
        return [session.report for session in self.sessions]
