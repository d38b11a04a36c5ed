"""Stock under load: sixteen sessions sell a few units of two prices to a thousand buyers by invoices, which are paid, voided,
rolled back and abandoned at random, while another kills sessions and looks: never is more sold than there is, what is taken is
what invoices and purchases under way have at that moment, and what is given back is for sale again.

BUYERS (1000) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support import harness
from support.at_once import together
from support.harness import Checks, say

BUYERS = int(os.environ.get("BUYERS") or 1000)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, SECONDS = 16, 25.0
TICKETS, SHIRTS = 50, 20

# What it has to have met to prove anything.
MUST_HAPPEN = (
    "sold", "paid", "given up", "voided", "voided twice", "rolled back", "abandoned", "killed", "PC017",
    "fewer for sale", "more for sale", "PC013", "both at once",
)  # fmt: skip

DRAFT = "SELECT invoice_id FROM credits.invoice_create(%s, %s)"
FINALIZE = "SELECT status, number, replayed FROM credits.invoice_finalize(%s, %s)"
PAY = "SELECT status FROM credits.invoice_pay(%s, %s, 'outside', reference => 'cash')"
GIVE_UP = "SELECT status FROM credits.invoice_mark_uncollectible(%s, %s)"
VOID = "SELECT status, replayed FROM credits.invoice_void(%s, %s)"
INVENTORY = "SELECT quantity_available FROM credits.price_inventory(%s, %s, %s)"
# As a purchase reserves, that nobody goes on with: under an id of its own, and for a moment.
ABANDON = """
    UPDATE credits_internal.stock_reservations SET holder_id = gen_random_uuid(), expires_at = clock_timestamp() + interval '0.3 s'
    WHERE customer_id = %s AND holder_id = %s"""

# All in one snapshot: what is taken, what invoices have, and what purchases have that did not run out.
LOOK = """
    SELECT p.nickname, p.quantity_available AS available, p.quantity_taken AS taken, p.quantity_sold AS sold, s.taken AS counted,
           coalesce((SELECT sum(l.quantity) FROM credits.invoice_lines l
                     JOIN credits.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
                     WHERE l.price_id = p.price_id AND i.status IN ('open', 'paid', 'uncollectible')), 0) AS invoiced,
           coalesce((SELECT sum(r.quantity) FROM credits_internal.stock_reservations r
                     WHERE r.price_id = p.price_id AND r.released_at IS NULL AND r.expires_at > now()), 0) AS under_way
    FROM credits.prices p JOIN credits_internal.price_stock s ON s.price_id = p.price_id ORDER BY p.nickname"""
GAPS = """
    SELECT customer_id, count(*), max(number_no) FROM credits_internal.invoices WHERE number IS NOT NULL
    GROUP BY 1 HAVING count(*) <> max(number_no) OR min(number_no) <> 1 OR count(DISTINCT number_no) <> count(*)"""
KILL = """
    SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
    WHERE a.application_name = 'buyer' AND a.datname = current_database() AND a.state <> 'idle' ORDER BY random() LIMIT 1"""

BUYING = "SELECT FROM pg_stat_activity WHERE application_name = 'buyer' AND datname = current_database() LIMIT 1"


@dataclass
class Report:
    """What one session brings home."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    # Invoices whose end was acknowledged.
    ended: dict[str, str] = field(default_factory=dict)

    def say(self, what: str) -> None:
        self.counts["wrong"] += 1
        if len(self.wrong) < 10:
            self.wrong.append(what)


class RolledBack(Exception):
    """What a transaction is rolled back with."""


class Seller:
    """One session: sells to its share of the buyers. The first now and then calls maintain(), the second is the merchant's too."""

    def __init__(self, database: str, number: int, prices: dict[str, str]) -> None:
        self.database, self.number, self.prices = database, number, prices
        self.random = random.Random(f"stock/{SEED}/{number}")
        self.report = Report()
        self.connect()

    def connect(self) -> None:
        self.connection = harness.connect(self.database, row_factory=dict_row, application_name="buyer")
        self.connection.execute("SET statement_timeout = '30s'")

    def run(self) -> Report:
        until = time.monotonic() + SECONDS
        for buyer in range(self.number, BUYERS, SESSIONS):
            if time.monotonic() > until:
                break
            self.attempt(lambda buyer=buyer: self.sell(f"buyer {buyer}"))
            if self.number == 0 and buyer % 5 == 0:
                self.attempt(lambda: self.connection.execute("CALL credits.maintain()"))
            if self.number == 1:
                self.attempt(self.manage)
        self.connection.close()
        return self.report

    def attempt(self, work: Any) -> None:
        """Whatever a session was killed in, it begins anew with another."""
        try:
            work()
        except psycopg.Error as error:
            if not self.connection.closed:
                self.report.say(f"session {self.number}: {harness.described(error)}")
            else:
                self.report.counts["killed"] += 1
                self.connect()

    def sell(self, customer: str) -> None:
        self.report.counts["buyers"] += 1
        wanted = {"tickets": self.random.choice((1, 1, 2, 3))}
        if self.random.random() < 0.3:
            wanted["shirts"] = self.random.choice((1, 2))
        lines = [{"price_id": self.prices[what], "quantity": count} for what, count in wanted.items()]
        lines.append({"amount": 1})
        self.random.shuffle(lines)
        invoice_id = self.one(DRAFT, customer, json.dumps(lines))["invoice_id"]
        fate = self.random.choices(("void", "roll back", "abandon", "pay", "give up", "leave"), (70, 12, 13, 2, 1.5, 1.5))[0]
        try:
            if fate in ("roll back", "abandon"):
                self.in_a_transaction(customer, invoice_id, fate)
            else:
                self.one(FINALIZE, customer, invoice_id)
        except RolledBack:
            self.end(customer, invoice_id, "draft", "rolled back")
        except psycopg.Error as error:
            self.refused(error, customer, invoice_id, wanted)
        else:
            self.report.counts["sold"] += fate != "abandon"
            self.report.counts["both at once"] += "shirts" in wanted
            time.sleep(self.random.uniform(0, 0.02))
            self.go_on(customer, invoice_id, fate)

    def in_a_transaction(self, customer: str, invoice_id: Any, fate: str) -> None:
        with self.connection.transaction():
            self.one(FINALIZE, customer, invoice_id)
            if fate == "roll back":
                raise RolledBack
            self.connection.execute(ABANDON, [customer, invoice_id])
            self.one(VOID, customer, invoice_id)

    def go_on(self, customer: str, invoice_id: Any, fate: str) -> None:
        if fate == "void":
            if self.one(VOID, customer, invoice_id)["replayed"]:
                self.report.say(f"{customer}: voided for the first time, and it answers that it was before")
            self.end(customer, invoice_id, "void", "voided")
            if self.random.random() < 0.1:
                self.report.counts["voided twice"] += self.one(VOID, customer, invoice_id)["replayed"]
        elif fate == "pay":
            self.one(PAY, customer, invoice_id)
            self.end(customer, invoice_id, "paid", "paid")
        elif fate == "give up":
            self.one(GIVE_UP, customer, invoice_id)
            self.end(customer, invoice_id, "uncollectible", "given up")
        elif fate == "leave":
            # Its units are gone for good: the others sell what is left.
            self.end(customer, invoice_id, "open", "left open")
        else:
            self.end(customer, invoice_id, "void", "abandoned")

    def refused(self, error: psycopg.Error, customer: str, invoice_id: Any, wanted: dict[str, int]) -> None:
        if error.sqlstate != "PC017":
            raise error
        detail = json.loads(error.diag.message_detail or "{}")
        asked = {self.prices[what]: count for what, count in wanted.items()}
        if int(detail["requested"]) != asked.get(detail["price_id"]) or not 0 <= detail["available"] < int(detail["requested"]):
            self.report.say(f"{wanted} is refused with {detail}")
        self.end(customer, invoice_id, "draft", "PC017")
        time.sleep(self.random.uniform(0, 0.05))

    def manage(self) -> None:
        """Some are not for sale any more, and then they are again."""
        for action, what in (("decrement", "fewer for sale"), ("increment", "more for sale")):
            try:
                self.one(INVENTORY, self.prices["tickets"], 4, action)
            except psycopg.Error as error:
                if error.sqlstate != "PC013" or action == "increment":
                    raise
                self.report.counts["PC013"] += 1
                return
            self.report.counts[what] += 1

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        row = self.connection.execute(query, values, prepare=True).fetchone()
        assert row is not None
        return row

    def end(self, customer: str, invoice_id: Any, status: str, what: str) -> None:
        self.report.counts[what] += 1
        self.report.ended[str(invoice_id)] = status


class Watcher:
    """Looks as often as it can, and kills a session now and then."""

    def __init__(self, database: str) -> None:
        self.connection = harness.connect(database, row_factory=dict_row)
        self.report = Report()

    def run(self) -> Report:
        began = killed = time.monotonic()
        while time.monotonic() < began + 2 or self.connection.execute(BUYING).fetchall():
            for row in self.connection.execute(LOOK).fetchall():
                self.look(row)
            if time.monotonic() > killed + 0.15:
                killed = time.monotonic()
                self.connection.execute(KILL)
        self.connection.close()
        return self.report

    def look(self, row: dict[str, Any]) -> None:
        self.report.counts["looks"] += 1
        self.report.counts["looks with nothing left"] += row["taken"] == row["available"]
        there_are = {"tickets": TICKETS, "shirts": SHIRTS}[row["nickname"]]
        if not 0 <= row["taken"] <= row["available"] <= there_are or not row["taken"] <= row["counted"] <= row["available"]:
            self.report.say(f"more are taken than there are: {row}")
        if row["sold"] != row["invoiced"] or row["taken"] != row["invoiced"] + row["under_way"]:
            self.report.say(f"what is taken is not what invoices and purchases have: {row}")


def session(database: str, number: int, prices: dict[str, str]) -> Report:
    """One of them: the last looks."""
    # A transaction whose session is killed cannot be rolled back, and psycopg says so.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    return Watcher(database).run() if number == SESSIONS else Seller(database, number, prices).run()


def run(checks: Checks) -> None:
    say(f"stock: {SESSIONS} sessions, {BUYERS} buyers for {TICKETS} tickets and {SHIRTS} shirts, seed {SEED}")
    with harness.fresh_database("stock") as database:
        with harness.connect(database) as connection:
            prices = set_up(connection)
        began = time.monotonic()
        reports = together(session, [(database, number, prices) for number in range(SESSIONS + 1)])
        took = time.monotonic() - began
        counts: Counter[str] = sum((report.counts for report in reports), Counter())
        checks.none([wrong for report in reports for wrong in report.wrong], "no session met an error or a wrong figure")
        checks.none([what for what in MUST_HAPPEN if not counts[what]], "they met everything that this is about")
        checks.equal(counts["looks with nothing left"] > 0, True, "and sometimes nothing was left")
        with harness.connect(database, row_factory=dict_row) as connection:
            look_back(checks, connection, reports)
        say(f"        {took:.1f} s; " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))


def set_up(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Two prices with few units."""
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    prices = {}
    for what, count in (("tickets", TICKETS), ("shirts", SHIRTS)):
        query = """
            SELECT price_id::text FROM credits.price_create((credits.product_create(%s, 'good')).product_id,
                unit_amount => 10, currency => 'USD', nickname => %s, quantity_available => %s)"""
        (prices[what],) = connection.execute(query, [what, what, count]).fetchone()
    return prices


def look_back(checks: Checks, connection: psycopg.Connection[Any], reports: list[Report]) -> None:
    """Everything against everything, once what was abandoned has run out."""
    checks.none(harness.verify(connection), "verify() finds nothing as the sessions end")
    ended = {invoice_id: status for report in reports for invoice_id, status in report.ended.items()}
    query = "SELECT invoice_id::text, status FROM credits.invoices"
    there = {row["invoice_id"]: row["status"] for row in connection.execute(query).fetchall()}
    wrong = [f"{one}: {status}, and is {there.get(one)}" for one, status in ended.items() if there.get(one) != status]
    checks.none(wrong, "every invoice is what was acknowledged")
    checks.none(connection.execute(GAPS).fetchall(), "no customer's numbers have a gap, or begin elsewhere than at 1")
    time.sleep(0.4)
    before = connection.execute(LOOK).fetchall()
    connection.execute("CALL credits.maintain()")
    after = connection.execute(LOOK).fetchall()
    checks.none([row for row in before if row["taken"] != row["invoiced"]], "what was abandoned is free, before maintain()")
    checks.none([row for row in after if row["counted"] != row["invoiced"]], "and the counter says so after it")
    checks.none(harness.verify(connection), "verify() finds nothing after maintain()")
