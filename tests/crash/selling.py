"""Stock in a crash: eight sessions sell 50 tickets to a thousand buyers, by top-ups and by invoices, whose payments fail, come
late or twice, and whose sessions expire, while the server is killed twice. Never are more sold and held than there are, what
failed is for sale again, and what is paid after it was gone is a contradiction whose money is asked back once.

BUYERS (1000) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import psycopg
from psycopg.rows import dict_row

from server import PATIENCE, Server
from support import harness
from support.harness import Checks, say

BUYERS = int(os.environ.get("BUYERS") or 1000)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, SECONDS, TICKETS, CREDITS = 8, 24.0, 50, 100
KILLED_AT = (6.0, 14.0)

# What it has to have met to prove anything.
MUST_HAPPEN = (
    "sold", "PC017", "failed", "expired", "paid late", "too late", "void", "paid after void", "paid twice", "under way",
    "lost", "looks", "looks with nothing left",
)  # fmt: skip

TOP_UP = """
    SELECT top_up_id AS id, NULL::uuid AS invoice_id
    FROM credits.top_up_create(%s, %s, expires_in => %s * interval '1 s', idempotency_key => %s)"""
INVOICE = """
    SELECT payment_intent_id AS id, invoice_id FROM credits.invoice_create(%s, jsonb_build_array(
        jsonb_build_object('price_id', %s::uuid)), 'USD', auto_finalize => true, idempotency_key => %s)"""
PAY = "SELECT status, contradiction FROM credits.payment_succeeded(%s, %s, 'shop', %s, 10)"
FAIL = "SELECT status FROM credits.payment_failed(%s, %s, 'shop', %s)"
UNDER_WAY = "SELECT status FROM credits.payment_processing(%s, %s, 'shop', %s)"
EXPIRE = "SELECT status FROM credits.top_up_expire(%s, %s)"
VOID = "SELECT status FROM credits.invoice_void(%s, %s)"

# In one snapshot: what is set aside and did not run out, and what was paid for.
LOOK = """
    SELECT p.quantity_taken AS taken, s.taken AS counted,
           (SELECT coalesce(sum(r.quantity), 0) FROM credits_internal.stock_reservations r
            WHERE r.price_id = p.price_id AND r.released_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > now())) AS held,
           (SELECT count(*) FROM credits.invoices i WHERE i.status = 'paid') AS paid
    FROM credits.prices p JOIN credits_internal.price_stock s ON s.price_id = p.price_id"""
FOUND = """
    SELECT t.customer_id, i.status, t.amount_received AS received, i.billing_reason,
           (SELECT count(*) FROM credits.grants g WHERE g.customer_id = t.customer_id) AS grants,
           (SELECT coalesce(sum(r.amount), 0) FROM credits.refunds r WHERE r.customer_id = t.customer_id) AS asked,
           (SELECT coalesce(sum((o.payload->>'amount')::numeric), 0) FROM credits_internal.outbox o
            WHERE o.customer_id = t.customer_id AND o.type = 'refund.requested') AS requested,
           (SELECT coalesce(sum(r.quantity), 0) FROM credits_internal.stock_reservations r WHERE r.customer_id = t.customer_id
                AND r.released_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > now())) AS held
    FROM credits.payment_intents t JOIN credits.invoices i USING (customer_id, invoice_id)"""


@dataclass
class Report:
    """What one session brings home."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    # How much was acknowledged as received of a customer, and whether that was said to be paid.
    received: Counter[str] = field(default_factory=Counter)
    paid: set[str] = field(default_factory=set)


@dataclass
class Sale:
    """What somebody buys, and by now has an id."""

    customer: str
    id: Any
    invoice_id: Any
    due: float
    likely: float = 0.05


class Session:
    """Whatever its connection is lost in, it does again once there is another: a shop that retries, by the same keys."""

    def __init__(self, database: str, number: int) -> None:
        self.database = database
        self.random = random.Random(f"selling/{SEED}/{number}")
        self.report = Report()
        self.connect()

    def connect(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.connection = harness.connect(self.database, row_factory=dict_row)
                return
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        while True:
            try:
                row = self.connection.execute(query, values).fetchone()
                assert row is not None
                return row
            except psycopg.OperationalError:
                if not (self.connection.closed or self.connection.broken):
                    raise
                self.report.counts["lost"] += 1
                self.connect()


class Seller(Session):
    """Sells to its share of the buyers."""

    def __init__(self, database: str, number: int, price: str) -> None:
        super().__init__(database, number)
        self.number, self.price = number, price
        self.late: list[Sale] = []

    def run(self) -> Report:
        began = time.monotonic()
        share = range(self.number, BUYERS, SESSIONS)
        for place, buyer in enumerate(share):
            # Spread over the whole time, so that both kills are in the middle of it.
            time.sleep(max(0.0, began + SECONDS * place / len(share) - time.monotonic()))
            self.attempt(lambda buyer=buyer: self.sell(f"buyer {buyer}"))
            self.come_late(time.monotonic())
            if self.number == 0 and place % 10 == 0:
                self.attempt(lambda: self.connection.execute("CALL credits.maintain()"))
        time.sleep(1)
        self.come_late(time.monotonic() + 60)
        self.connection.close()
        return self.report

    def attempt(self, work: Any) -> None:
        try:
            work()
        except psycopg.Error as error:
            if self.connection.closed or self.connection.broken:
                self.connect()
            else:
                self.report.wrong.append(f"session {self.number}: {harness.described(error)}")

    def sell(self, customer: str) -> None:
        by_invoice = self.random.random() < 0.4
        lasts = self.random.choice((0.1, 0.4, 60))
        try:
            if by_invoice:
                row = self.one(INVOICE, customer, self.price, customer)
            else:
                row = self.one(TOP_UP, customer, self.price, lasts, customer)
        except psycopg.Error as error:
            if error.sqlstate != "PC017":
                raise
            self.report.counts["PC017"] += 1
            return
        sale = Sale(customer, row["id"], row["invoice_id"], time.monotonic() + self.random.uniform(0.5, 4))
        if self.random.random() < 0.2:
            self.report.counts["under way"] += 1
            self.one(UNDER_WAY, customer, sale.id, f"p of {customer}")
        self.go_on(sale, by_invoice)

    def go_on(self, sale: Sale, by_invoice: bool) -> None:
        fate = self.random.choices(("pay", "fail", "fail, and pay", "end", "end, and pay", "late"), (1, 25, 10, 14, 10, 40))[0]
        if fate == "pay":
            self.pay(sale, "sold")
        elif fate.startswith("fail"):
            self.one(FAIL, sale.customer, sale.id, f"p of {sale.customer}")
            self.report.counts["failed"] += 1
            if by_invoice:
                self.end(sale)
        elif fate.startswith("end"):
            self.end(sale)
        if fate.endswith("and pay"):
            sale.likely = 0.3
        if fate == "late" or fate.endswith("and pay"):
            self.late.append(sale)

    def end(self, sale: Sale) -> None:
        """Nobody is to pay it any more. What is under way fails first."""
        self.one(FAIL, sale.customer, sale.id, f"p of {sale.customer}")
        if sale.invoice_id is None:
            self.one(EXPIRE, sale.customer, sale.id)
        else:
            self.one(VOID, sale.customer, sale.invoice_id)
        self.report.counts["expired" if sale.invoice_id is None else "void"] += 1

    def come_late(self, now: float) -> None:
        """Some pay after all, most do not: what an invoice has, it has until it is void."""
        due = [sale for sale in self.late if sale.due <= now]
        self.late = [sale for sale in self.late if sale.due > now]
        for sale in due:
            if self.random.random() < sale.likely:
                self.attempt(lambda sale=sale: self.pay(sale, "paid late"))
            else:
                self.attempt(lambda sale=sale: self.end(sale))

    def pay(self, sale: Sale, what: str) -> None:
        row = self.one(PAY, sale.customer, sale.id, f"p of {sale.customer}")
        self.report.received[sale.customer] += 10
        if row["contradiction"] is None:
            self.report.paid.add(sale.customer)
            self.report.counts[what] += 1
        else:
            self.report.counts["paid after void" if sale.invoice_id else "too late"] += 1
        if self.random.random() < 0.3:
            again = self.one(PAY, sale.customer, sale.id, f"again of {sale.customer}")
            self.report.received[sale.customer] += 10
            self.report.counts["paid twice"] += 1
            if again["contradiction"] is None:
                # There was some again.
                self.report.paid.add(sale.customer)


class Watcher(Session):
    """Looks as often as it can."""

    def run(self) -> Report:
        until = time.monotonic() + SECONDS + 1
        while time.monotonic() < until:
            row = self.one(LOOK)
            self.report.counts["looks"] += 1
            self.report.counts["looks with nothing left"] += row["taken"] == TICKETS
            right = row["paid"] <= row["held"] <= row["taken"] <= TICKETS and row["counted"] <= TICKETS
            if not right and len(self.report.wrong) < 10:
                self.report.wrong.append(f"more are sold and held than there are: {row}")
            time.sleep(0.005)
        return self.report


def session(database: str, number: int, price: str) -> Report:
    """One of them: the last looks."""
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    return Watcher(database, number).run() if number == SESSIONS else Seller(database, number, price).run()


def run(checks: Checks, server: Server, database: str) -> None:
    say(f"selling: {SESSIONS} sessions, {BUYERS} buyers for {TICKETS} tickets, two crashes, seed {SEED}")
    with harness.connect(database) as connection:
        price = set_up(connection)
    began = time.monotonic()
    with ProcessPoolExecutor(SESSIONS + 1, mp_context=get_context("fork")) as pool:
        all_of = [pool.submit(session, database, number, price) for number in range(SESSIONS + 1)]
        kill_twice(checks, server, began)
        reports = [one.result() for one in all_of]
    counts: Counter[str] = sum((report.counts for report in reports), Counter())
    checks.none([wrong for report in reports for wrong in report.wrong], "no session met an error or a wrong figure")
    checks.none([what for what in MUST_HAPPEN if not counts[what]], "they met everything that this is about")
    with harness.connect(database, row_factory=dict_row) as connection:
        look_back(checks, connection, reports, price)
    say(f"        {time.monotonic() - began:.1f} s; " + ", ".join(f"{what} {n:,}" for what, n in sorted(counts.items())))


def kill_twice(checks: Checks, server: Server, began: float) -> None:
    for number, at in enumerate(KILLED_AT):
        time.sleep(max(0.0, began + at - time.monotonic()))
        server.kill(everything=number > 0)
        checks.none(server.left_after(), f"crash {number + 1}: all of its processes are gone")
        server.start()


def set_up(connection: psycopg.Connection[Any]) -> str:
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.outbox_consumer_create('worker')")
    row = connection.execute(
        "SELECT price_id::text FROM credits.price_create((credits.product_create('Ticket', 'good')).product_id,"
        " unit_amount => 10, currency => 'USD', quantity_available => %s, credit_config => %s)",
        [TICKETS, json.dumps({"currency": "CREDIT", "amount": CREDITS})],
    ).fetchone()
    assert row is not None
    return row[0]


def look_back(checks: Checks, connection: psycopg.Connection[Any], reports: list[Report], price: str) -> None:
    """Everything against everything."""
    checks.none(harness.verify(connection), "verify() finds nothing as the sessions end")
    received: Counter[str] = sum((report.received for report in reports), Counter())
    paid = {customer for report in reports for customer in report.paid}
    found = {row["customer_id"]: row for row in connection.execute(FOUND).fetchall()}
    wrong = [f"{one}: {received[one]}, {found.get(one)}" for one in received if found[one]["received"] != received[one]]
    checks.none(wrong, "what was acknowledged as received is there, once")
    checks.none([one for one in paid if found[one]["status"] != "paid"], "what was acknowledged as paid is paid")
    wrong = []
    for row in found.values():
        is_paid = row["status"] == "paid"
        # Of all that came, one payment paid for something.
        asked = row["received"] - (10 if is_paid else 0)
        if (row["grants"], row["asked"], row["requested"]) != (int(is_paid), asked, asked):
            wrong.append(row)
        if is_paid and row["held"] != 1:
            wrong.append(row)
    checks.none(wrong, "what is paid is granted once and has its ticket; all other money is asked back, once")
    sold = sum(row["status"] == "paid" for row in found.values())
    checks.equal(sold <= TICKETS, True, f"{sold} are sold, of {TICKETS}")
    connection.execute("CALL credits.maintain()")
    row = connection.execute(LOOK).fetchone()
    kept = sum(row["held"] for row in found.values())
    checks.equal(row and (row["taken"], row["counted"], row["paid"]), (kept, kept, sold), "what failed is for sale again")
    for buyer in range(TICKETS - kept):
        connection.execute(TOP_UP, [f"last {buyer}", price, 60, None])
    try:
        connection.execute(TOP_UP, ["nobody", price, 60, None])
        checks.check(False, "then there is none left")
    except psycopg.Error as error:
        checks.equal(error.sqlstate, "PC017", f"{TICKETS - kept} more can be had, and then there is none left")
    checks.none(harness.verify(connection), "verify() finds nothing after that")
