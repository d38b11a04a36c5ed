"""Credits that are owed as periods end beside an independent model: random usage, grants, cancellations of usage, late
maintenance, changes of what becomes of it, and invoices that are paid, void or given up. After each step the balance, and
what is pending and invoiced, is equal, and in the end each invoice's line."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row
from support import harness
from support.harness import Checks

STORIES = int(os.environ.get("OWED") or 16)
STEPS = 40
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
WEEK = timedelta(days=7)
ZERO = Decimal(0)

PURSE = """
SELECT w.balance, w.pending, w.invoiced FROM credits.wallets w WHERE w.customer_id = %s AND w.currency = 'CREDIT'"""
LINES = """
SELECT i.invoice_id, i.status, l.quantity, l.amount
FROM credits.invoices i JOIN credits.invoice_lines l USING (customer_id, invoice_id)
WHERE i.customer_id = %s AND l.description LIKE 'Credits beyond%%' ORDER BY i.created_at, i.invoice_id"""
CREATE = """
SELECT subscription_id FROM credits.subscription_create(%s, '[{"lookup_key": "bare"}]', collection_method =>
'send_invoice', days_until_due => 3000, days_until_cancel => 3000, at_period_end => %s, overage_rate => %s)"""


@dataclass
class Grant:
    """Credits; those that were written off are gone where they come back."""

    remaining: Decimal
    is_gone: bool = False


@dataclass
class Event:
    """Usage: who paid what of it, the oldest first, and what is owed."""

    at: datetime
    pending: Decimal
    paid: list[tuple[Grant, Decimal]] = field(default_factory=list)


@dataclass
class Bill:
    """A line of an invoice, with the grant that it made."""

    credits: Decimal
    amount: Decimal
    grant: Grant
    status: str = "open"

    def holds(self) -> bool:
        """Whether its credits are invoiced."""
        return self.status in ("open", "uncollectible")


@dataclass
class Model:
    """A wallet, and a subscription of a week."""

    policy: str
    rate: Decimal
    now: datetime = BEGIN
    boundary: datetime = BEGIN + WEEK
    is_over: bool = False
    grants: list[Grant] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)
    bills: list[Bill] = field(default_factory=list)

    def purse(self) -> tuple[Decimal, Decimal, Decimal]:
        owed = sum((event.pending for event in self.events.values()), ZERO)
        invoiced = sum((bill.credits for bill in self.bills if bill.holds()), ZERO)
        return sum((grant.remaining for grant in self.grants), ZERO), owed, invoiced

    def pay(self) -> None:
        """The oldest grant first, and the oldest event."""
        for event in self.events.values():
            for grant in self.grants:
                part = min(grant.remaining, event.pending)
                if part:
                    grant.remaining -= part
                    event.pending -= part
                    event.paid.append((grant, part))

    def use(self, name: str, value: Decimal) -> None:
        self.events[name] = Event(self.now, value)
        self.pay()

    def give(self, amount: Decimal) -> None:
        self.grants.append(Grant(amount))
        self.pay()

    def take_back(self, name: str) -> None:
        event = self.events[name]
        for grant, part in event.paid:
            grant.remaining += ZERO if grant.is_gone else part
        event.pending, event.paid = ZERO, []
        self.pay()

    def renew(self) -> None:
        """The periods that have ended by now."""
        while not self.is_over and self.boundary <= self.now:
            self.settle(self.boundary)
            self.boundary += WEEK

    def cancel(self) -> None:
        self.settle(self.now + timedelta.resolution)  # what was recorded at that moment too
        self.is_over = True

    def settle(self, before: datetime) -> None:
        owing = [event for event in self.events.values() if event.pending and event.at < before]
        if not owing or self.policy == "carry":
            return
        payer = Grant(ZERO, is_gone=self.policy == "forgive")
        self.grants.append(payer)
        credits = sum((event.pending for event in owing), ZERO)
        for event in owing:
            event.paid.append((payer, event.pending))
            event.pending = ZERO
        if self.policy == "invoice":
            amount = (credits * self.rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
            self.bills.append(Bill(credits, amount, payer))

    def void(self, bill: Bill) -> None:
        """Owed again as of now, all of it; what came back of it meanwhile, or comes back, pays it."""
        bill.status = "void"
        self.events[f"void {len(self.events)}"] = Event(self.now, bill.credits)
        self.pay()


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET credits.test_clock_drives_billing = on")
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        connection.execute("SELECT credits.meter_create('words')")
        connection.execute(
            "SELECT credits.price_create((credits.product_create('Plan')).product_id, 'recurring', 1, 'USD',"
            """ recurring => '{"interval": "week"}', lookup_key => 'bare')"""
        )
        stories = [Story(connection, seed) for seed in range(STORIES)]
        wrong = [said for story in stories for said in story.told()]
        checks.equal(wrong[:5], [], f"{STORIES} stories of what is owed are what the model says")
        bills = [bill for story in stories for bill in story.model.bills]
        told = {status: sum(bill.status == status for bill in bills) for status in ("open", "paid", "void", "uncollectible")}
        checks.equal(min(told.values()) > 0, True, f"of their {len(bills)} lines each end was seen: {told}")
        found = connection.execute("SELECT problem, customer_id FROM credits.verify() LIMIT 5").fetchall()
        checks.equal(found, [], "verify() finds nothing")


class Story:
    """One customer."""

    def __init__(self, connection: psycopg.Connection[Any], seed: int) -> None:
        self.connection, self.seed, self.customer = connection, seed, f"owes {seed}"
        self.chance = random.Random(seed)
        self.model = Model(self.chance.choice(("carry", "forgive", "invoice", "invoice")), self.a_rate())
        self.wrong: list[str] = []

    def a_rate(self) -> Decimal:
        return Decimal(self.chance.randint(1, 4000)) / 1000

    def call(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.connection.execute(query, values).fetchall()
        return row

    def told(self) -> list[str]:
        model, chance = self.model, self.chance
        self.clock(BEGIN)
        self.plan = self.call(CREATE, self.customer, model.policy, model.rate)["subscription_id"]
        for step in range(STEPS):
            self.clock(model.now + timedelta(minutes=chance.choice((1, 60, 700, 2000, 7000))))
            if chance.random() < 0.6:
                self.maintained()
                self.clock(model.now + timedelta(minutes=1))  # what was written off lapses right after
            kinds = ("use", "give", "take back", "end a bill", "policy", "cancel")
            what = chance.choices(kinds, (40, 20, 12, 25, 4, 0.5))[0]
            getattr(self, what.replace(" ", "_"))(f"no {step}")
            self.compare(f"step {step}, {what}")
        if not model.is_over:
            self.cancel("")
            self.compare("the end")
        lines = self.connection.execute(LINES, [self.customer]).fetchall()
        found = [(line["status"], line["quantity"], line["amount"]) for line in lines]
        expected = [(bill.status, bill.credits, bill.amount) for bill in model.bills]
        if found != expected:
            self.wrong.append(f"story {self.seed}: the lines are {found} where {expected} are due")
        return self.wrong

    def compare(self, when: str) -> None:
        rows = self.connection.execute(PURSE, [self.customer]).fetchall()
        found = tuple(rows[0].values()) if rows else (ZERO, ZERO, ZERO)
        if found != self.model.purse():
            said = f"{when}: balance, pending and invoiced are {found} where {self.model.purse()} are due"
            self.wrong.append(f"story {self.seed}, {said}")

    def clock(self, at: datetime) -> None:
        self.model.now = at
        self.connection.execute("SELECT set_config('credits.test_clock', %s, false)", [at.isoformat()])

    def maintained(self) -> None:
        self.model.renew()
        while self.call("SELECT credits.maintain_batch(1000, work => 'subscriptions') AS done")["done"]:
            pass

    def use(self, name: str) -> None:
        value = Decimal(self.chance.randint(1, 9000)) / 100
        self.model.use(name, value)
        self.call("SELECT status FROM credits.report_meter_event(%s, 'words', %s, %s)", self.customer, value, name)

    def give(self, _name: str) -> None:
        amount = Decimal(self.chance.randint(1, 9000)) / 100
        self.model.give(amount)
        self.call("SELECT status FROM credits.credit_grant(%s, %s, category => 'paid')", self.customer, amount)

    def take_back(self, _name: str) -> None:
        if self.model.events:
            name = self.chance.choice([name for name in self.model.events if name.startswith("no")])
            self.model.take_back(name)
            self.call("SELECT status FROM credits.meter_event_cancel(%s, %s)", self.customer, name)

    def policy(self, _name: str) -> None:
        if self.model.is_over:
            return
        # The call does what was due first.
        self.model.renew()
        self.model.policy, self.model.rate = self.chance.choice(("carry", "forgive", "invoice")), self.a_rate()
        query = "SELECT status FROM credits.subscription_update(%s, %s, at_period_end => %s, overage_rate => %s)"
        self.call(query, self.customer, self.plan, self.model.policy, self.model.rate)

    def cancel(self, _name: str) -> None:
        if self.model.is_over:
            return
        self.model.renew()
        self.model.cancel()
        self.call("SELECT status FROM credits.subscription_cancel(%s, %s, 'now')", self.customer, self.plan)

    def end_a_bill(self, _name: str) -> None:
        """An invoice that has a line for it is paid, void, or given up."""
        lines = self.connection.execute(LINES, [self.customer]).fetchall()
        ids = [line["invoice_id"] for line in lines]
        open_ones = [no for no, bill in enumerate(self.model.bills) if bill.holds()]
        if not open_ones or len(ids) != len(self.model.bills):
            return
        no = self.chance.choice(open_ones)
        bill = self.model.bills[no]
        ends = ("paid", "void", "uncollectible") if bill.status == "open" else ("paid", "void")
        end = self.chance.choice(ends)
        if end == "void":
            self.model.void(bill)
            self.call("SELECT status FROM credits.invoice_void(%s, %s)", self.customer, ids[no])
        elif end == "paid":
            bill.status = end
            query = "SELECT status FROM credits.invoice_pay(%s, %s, 'outside', reference => %s)"
            self.call(query, self.customer, ids[no], f"transfer {no}")
        else:
            bill.status = end
            self.call("SELECT status FROM credits.invoice_mark_uncollectible(%s, %s)", self.customer, ids[no])
