"""Quotas in a crash: sixteen sessions check out a thousand buyers, who want 50 tickets and a code that 100 may use, with carts
that nobody submits, payments that fail, are tried again, come twice or when all is over, and sessions whose time goes by while
a payment is under way; calls and webhooks report them, maintain() runs beside, and the server is killed twice. At no moment is
more held than there is; what failed is given back; what was acknowledged is there, and everything agrees.

BUYERS (1000) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing import get_context
from typing import Any

import psycopg

import quotas_found
from quotas_found import CODE, TICKETS
from selling import Session
from server import Server
from support import harness
from support.harness import Checks, say

BUYERS = int(os.environ.get("BUYERS") or 1000)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, SECONDS = 16, 30.0
KILLED_AT = (9.0, 19.0)
SECRET = "whsec of the quotas' test"

# What it has to have met to prove anything.
MUST_HAPPEN = (
    "paid", "failed", "failed, and reserved again", "failed, and refused again", "over by a call", "left in the cart",
    "paid unsubmitted", "paid late", "too late", "paid twice", "under way", "paid under way after its time",
    "failed under way after its time", "PC016", "PC017", "webhooks", "lost", "looks", "looks with no code left",
    "looks with no ticket left", "maintained",
)  # fmt: skip

CREATE = """
    SELECT checkout_session_id AS id, amount_total AS total FROM credits.checkout_session_create(%s, line_items => %s,
        discounts => %s, expires_at => clock_timestamp() + %s * interval '1 s', idempotency_key => %s)"""
SUBMIT = "SELECT status, invoice_id, replayed FROM credits.checkout_session_submit(%s, %s)"
EXPIRE = "SELECT status FROM credits.checkout_session_expire(%s, %s)"
PAY = "SELECT status, contradiction FROM credits.payment_succeeded(%s, %s, 'stripe', %s, %s)"
FAIL = "SELECT status, contradiction FROM credits.payment_failed(%s, %s, 'stripe', %s)"
UNDER_WAY = "SELECT status, contradiction FROM credits.payment_processing(%s, %s, 'stripe', %s)"
RECEIVE = "SELECT outcome, status FROM credits.webhook_receive('stripe', %s, %s)"
# Whether all that a customer's one session wants is kept for it until its payment ends; and whether it has any of it.
KEPT = """
    SELECT (SELECT coalesce(bool_and(r.released_at IS NULL AND r.expires_at IS NULL), true)
            FROM credits_internal.redemptions r WHERE r.customer_id = %s)
           AND (SELECT coalesce(bool_and(r.released_at IS NULL AND r.expires_at IS NULL), true)
                FROM credits_internal.stock_reservations r WHERE r.customer_id = %s) AS kept"""
HAS = """
    SELECT (SELECT count(*) FROM credits_internal.redemptions r WHERE r.customer_id = %s AND r.released_at IS NULL
                AND coalesce(r.expires_at > clock_timestamp(), true))
           + (SELECT count(*) FROM credits_internal.stock_reservations r WHERE r.customer_id = %s AND r.released_at IS NULL
                AND coalesce(r.expires_at > clock_timestamp(), true)) AS has"""


@dataclass
class Report:
    """What one session brings home: of customers, what was acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)
    invoices: dict[str, str] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    paid: set[str] = field(default_factory=set)
    # Those for whom all was kept when their payment came.
    kept: set[str] = field(default_factory=set)

    def say(self, what: str) -> None:
        if len(self.wrong) < 10:
            self.wrong.append(what)


@dataclass
class Cart:
    """A session, and what is to come of it."""

    customer: str
    id: str
    total: Decimal
    ends: float
    then: str = ""
    due: float = 0.0
    kept: bool = False

    def payment(self, number: int = 1) -> str:
        return f"pi of {self.customer}, {number}"


class Seller(Session):
    """Checks out its share of the buyers: whatever its connection is lost in, it does again, by the same keys and events."""

    def __init__(self, database: str, number: int, prices: dict[str, str]) -> None:
        super().__init__(database, number)
        self.random = random.Random(f"quotas/{SEED}/{number}")
        self.number, self.prices, self.report = number, prices, Report()
        self.waiting: list[Cart] = []

    def run(self) -> Report:
        began = time.monotonic()
        share = range(self.number, BUYERS, SESSIONS)
        for place, buyer in enumerate(share):
            # Spread over the whole time, so that both kills are in the middle of it.
            time.sleep(max(0.0, began + SECONDS * place / len(share) - time.monotonic()))
            self.attempt(lambda buyer=buyer: self.check_out(f"buyer {buyer}"))
            self.go_on(time.monotonic())
        while self.waiting:
            time.sleep(0.1)
            self.go_on(time.monotonic())
        self.connection.close()
        return self.report

    def attempt(self, work: Any) -> None:
        try:
            work()
        except psycopg.Error as error:
            if self.connection.closed or self.connection.broken:
                self.connect()
            else:
                self.report.say(f"session {self.number}: {harness.described(error)}")

    def check_out(self, customer: str) -> None:
        what = self.random.choices(("both", "code", "ticket", "all"), (30, 45, 15, 10))[0]
        items = {"both": ["ticket"], "code": ["pack"], "ticket": ["ticket"], "all": ["pack", "ticket"]}[what]
        code = self.random.choices(("launch", "LAUNCH", "Launch", "friends"), (3, 3, 3, 1))[0] if what != "ticket" else None
        lasts = self.random.choice((0.4, 1.5, 4, 60))
        values = (
            customer,
            json.dumps([{"price_id": self.prices[item]} for item in items]),
            json.dumps([{"code": code}] if code else []),
            lasts,
            f"cart of {customer}",
        )
        if (row := self.one_or(("PC016",), CREATE, *values)) is None:
            return
        cart = Cart(customer, str(row["id"]), row["total"], time.monotonic() + lasts)
        self.report.sessions[customer] = cart.id
        if self.random.random() < 0.2:
            self.report.counts["left in the cart"] += 1
            self.later(cart, self.random.choices(("nothing", "pay unsubmitted"), (60, 40))[0])
        elif self.submit(cart):
            self.decide(cart)

    def submit(self, cart: Cart) -> bool:
        # Its time may be over by now.
        row = self.one_or(("PC016", "PC017", "PC020"), SUBMIT, cart.customer, cart.id)
        if row is None:
            return False
        if self.report.invoices.setdefault(cart.customer, str(row["invoice_id"])) != str(row["invoice_id"]):
            self.report.say(f"{cart.customer}: submitted again, it is another invoice")
        return True

    def decide(self, cart: Cart) -> None:
        fates = ("pay", "fail", "fail, and again", "end", "wait", "under way")
        fate = self.random.choices(fates, (2, 14, 16, 10, 36, 22))[0]
        if fate == "pay":
            self.pay(cart, "paid")
        elif fate == "fail":
            self.fail(cart, "failed")
        elif fate == "fail, and again":
            self.fail(cart, "failed")
            is_reserved = self.submit(cart)
            self.report.counts["failed, and reserved again" if is_reserved else "failed, and refused again"] += 1
            # Whoever is refused may have paid at the provider all the same.
            self.later(cart, self.random.choices(("pay late", "end"), (20, 80))[0])
        elif fate == "end":
            self.end(cart)
            self.later(cart, self.random.choices(("pay late", "nothing"), (20, 80))[0])
        elif fate == "wait":
            self.later(cart, self.random.choices(("pay late", "end", "nothing"), (10, 50, 40))[0])
        else:
            self.say_of(cart, UNDER_WAY, "payment_intent.processing", {})
            self.report.counts["under way"] += 1
            cart.kept = self.one(KEPT, cart.customer, cart.customer)["kept"]
            self.later(cart, self.random.choices(("pay under way", "fail under way"), (15, 85))[0])

    def later(self, cart: Cart, then: str) -> None:
        cart.then, cart.due = then, time.monotonic() + self.random.uniform(0.5, 7)
        if then != "nothing":
            self.waiting.append(cart)

    def go_on(self, now: float) -> None:
        due = [cart for cart in self.waiting if cart.due <= now]
        self.waiting = [cart for cart in self.waiting if cart.due > now]
        for cart in due:
            self.attempt(lambda cart=cart: self.do(cart))

    def do(self, cart: Cart) -> None:
        after = " after its time" if cart.ends < time.monotonic() else ""
        if cart.then == "end":
            self.end(cart)
        elif cart.then == "pay unsubmitted":
            self.pay(cart, "paid unsubmitted")
        elif cart.then == "pay late":
            self.pay(cart, "paid late")
        elif cart.then == "pay under way":
            if cart.kept:
                self.report.kept.add(cart.customer)
            self.pay(cart, "paid under way" + after)
            if cart.kept and cart.customer not in self.report.paid:
                self.report.say(f"{cart.customer}: its ticket was kept, and it is out of stock")
        else:
            self.fail(cart, "failed under way" + after)

    def end(self, cart: Cart) -> None:
        self.one(EXPIRE, cart.customer, cart.id)
        self.report.counts["over by a call"] += 1
        self.must_have_nothing(cart)

    def fail(self, cart: Cart, what: str) -> None:
        self.say_of(cart, FAIL, "payment_intent.payment_failed", {})
        self.report.counts[what] += 1
        self.must_have_nothing(cart)

    def must_have_nothing(self, cart: Cart) -> None:
        if self.one(HAS, cart.customer, cart.customer)["has"]:
            self.report.say(f"{cart.customer}: not all that it had is given back at once")

    def pay(self, cart: Cart, what: str) -> None:
        is_paid = self.succeed(cart, 1)
        self.report.counts[what if is_paid else "too late"] += 1
        if not is_paid:
            self.must_have_nothing(cart)
        if self.random.random() < 0.25:
            self.report.counts["paid twice"] += 1
            self.succeed(cart, 2)

    def succeed(self, cart: Cart, number: int) -> bool:
        """Reports it by a call, or by one of Stripe's events, or by both in any order. Whether it is paid, by the last answer."""
        metadata = {"metadata": {"customer_id": cart.customer, "checkout_session_id": cart.id}}
        cents = int(cart.total * 100)
        page = {
            "id": f"cs of {cart.customer}, {number}", "mode": "payment", "payment_status": "paid", "currency": "usd",
            "amount_total": cents, "amount_subtotal": cents, "payment_intent": cart.payment(number), **metadata,
        }  # fmt: skip
        intent = {"id": cart.payment(number), "currency": "usd", "amount_received": cents, **metadata}
        ways = [("checkout.session.completed", page), ("payment_intent.succeeded", intent), ("", {})]
        self.random.shuffle(ways)
        for kind, data in ways[: self.random.choice((1, 1, 2, 3))]:
            if kind:
                answer = self.event(f"{kind} of {cart.payment(number)}", kind, data)
                is_paid = answer["outcome"] == "applied" and answer["status"] == "succeeded"
            else:
                answer = self.one(PAY, cart.customer, cart.id, cart.payment(number), cart.total)
                is_paid = answer["status"] == "succeeded" and answer["contradiction"] is None
            if is_paid:
                self.report.paid.add(cart.customer)
        self.report.received[cart.customer] += cart.total
        return cart.customer in self.report.paid

    def say_of(self, cart: Cart, query: str, kind: str, data: dict[str, Any]) -> None:
        """Reports something of its first payment, by a call or by an event."""
        if self.random.random() < 0.5:
            self.one(query, cart.customer, cart.id, cart.payment())
        else:
            metadata = {"customer_id": cart.customer, "payment_intent_id": cart.id}
            self.event(f"{kind} of {cart.payment()}", kind, {"id": cart.payment(), "metadata": metadata, **data})

    def event(self, event_id: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        self.report.counts["webhooks"] += 1
        body = json.dumps({"id": event_id, "type": kind, "data": {"object": data}})
        at = int(time.time())
        signed = hmac.new(SECRET.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
        return self.one(RECEIVE, body, f"t={at},v1={signed}")

    def one_or(self, refusals: tuple[str, ...], query: str, *values: Any) -> dict[str, Any] | None:
        try:
            return self.one(query, *values)
        except psycopg.Error as error:
            if error.sqlstate not in refusals:
                raise
            self.report.counts[str(error.sqlstate)] += 1
            return None


class Watcher(Session):
    """Looks as often as it can."""

    def run(self) -> Report:
        report = Report()
        until = time.monotonic() + SECONDS + 6
        while time.monotonic() < until:
            row = self.one(quotas_found.LOOK)
            report.counts["looks"] += 1
            report.counts["looks with no code left"] += row["code"] == CODE
            report.counts["looks with no ticket left"] += row["tickets"] == TICKETS
            if quotas_found.is_wrong(row):
                report.say(f"not what is held, or more than there is: {row}")
            time.sleep(0.005)
        report.counts += self.report.counts
        return report


class Maintainer(Session):
    """Ends what time ends."""

    def run(self) -> Report:
        report = Report()
        until = time.monotonic() + SECONDS + 6
        while time.monotonic() < until:
            try:
                self.connection.execute("CALL credits.maintain()")
                report.counts["maintained"] += 1
            except psycopg.Error as error:
                if self.connection.closed or self.connection.broken:
                    self.connect()
                else:
                    report.say(f"maintain: {harness.described(error)}")
            time.sleep(0.1)
        return report


def session(database: str, number: int, prices: dict[str, str]) -> Report:
    """One of them: the last two maintain and look."""
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    if number >= SESSIONS:
        return (Watcher if number == SESSIONS else Maintainer)(database, number).run()
    return Seller(database, number, prices).run()


def run(checks: Checks, server: Server, database: str) -> None:
    say(f"quotas: {SESSIONS} sessions, {BUYERS} buyers, {TICKETS} tickets, {CODE} uses of a code, two crashes, seed {SEED}")
    with harness.connect(database) as connection:
        prices = quotas_found.set_up(connection, SECRET)
    began = time.monotonic()
    with ProcessPoolExecutor(SESSIONS + 2, mp_context=get_context("fork")) as pool:
        all_of = [pool.submit(session, database, number, prices) for number in range(SESSIONS + 2)]
        for number, at in enumerate(KILLED_AT):
            time.sleep(max(0.0, began + at - time.monotonic()))
            server.kill(everything=number > 0)
            checks.none(server.left_after(), f"crash {number + 1}: all of its processes are gone")
            server.start()
            with harness.connect(database) as connection:
                checks.none(harness.verify(connection), "and verify() finds nothing once it is back")
        reports = [one.result() for one in all_of]
    counts: Counter[str] = sum((report.counts for report in reports), Counter())
    checks.none([wrong for report in reports for wrong in report.wrong], "no session met an error or a wrong figure")
    checks.none([what for what in MUST_HAPPEN if not counts[what]], "they met everything that this is about")
    quotas_found.look_back(checks, database, prices, reports)
    say(f"        {time.monotonic() - began:.1f} s; " + ", ".join(f"{what} {n:,}" for what, n in sorted(counts.items())))
