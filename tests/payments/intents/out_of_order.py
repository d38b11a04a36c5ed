"""Out of order: what Stripe reports of invoices and top-ups, in all orders and by many sessions at once. What is paid is paid
once and granted once, what contradicts is recorded, and money that came for nothing is asked back once.

COPIES (50) is how often each event comes, SEED (1) what their order is made from.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

import signing
import stripe_events
from stripe_events import SECRET, Events, Told
from support import harness
from support.at_once import together
from support.harness import Checks, say

COPIES = int(os.environ.get("COPIES") or 50)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS = 16
PRICE, CREDITS = Decimal(10), 100
TEN, TAX = Decimal(10), Decimal("1.90")

RECEIVE = "SELECT outcome, status, replayed, customer_id FROM credits.webhook_receive('stripe', %s, %s)"
INVOICE = """
    SELECT payment_intent_id::text AS id, invoice_id::text FROM credits.invoice_create(%s,
        jsonb_build_array(jsonb_build_object('price_id', %s::uuid)), 'USD', auto_finalize => true)"""
TOP_UP = "SELECT top_up_id::text AS id, NULL AS invoice_id FROM credits.top_up_create(%s, %s)"
# What became of a purchase: its invoice, the credits granted for it and there, and what is asked back, as rows and in the outbox.
STATE = """
    SELECT i.status, t.status AS intent, i.amount_paid, t.amount_received AS received, t.amount_refunded AS refunded,
           (SELECT count(*) FROM credits.grants g WHERE g.customer_id = t.customer_id) AS grants,
           (SELECT coalesce(sum(g.remaining), 0) FROM credits.grants g WHERE g.customer_id = t.customer_id) AS credits,
           (SELECT count(*) FROM credits.payment_log p WHERE p.customer_id = t.customer_id AND p.contradiction IS NOT NULL)
               AS contradictions,
           (SELECT coalesce(array_agg(r.amount ORDER BY r.refund_id), '{}') FROM credits.refunds r
            WHERE r.customer_id = t.customer_id) AS asked,
           (SELECT coalesce(array_agg((o.payload->>'amount')::numeric ORDER BY o.payload->>'refund_id'), '{}')
            FROM credits_internal.outbox o WHERE o.customer_id = t.customer_id AND o.type = 'refund.requested') AS requested
    FROM credits.payment_intents t JOIN credits.invoices i USING (customer_id, invoice_id)
    WHERE t.customer_id = %s"""
# Never more asked back or gone than came, of each payment.
TOO_MUCH = """
    SELECT r.customer_id, r.payment_reference, sum(r.amount), max(p.amount)
    FROM credits.refunds r
    LEFT JOIN credits.payment_log p ON p.customer_id = r.customer_id AND p.top_up_id = r.payment_intent_id
        AND p.type = 'succeeded' AND p.provider_reference = r.payment_reference
        AND p.payment_id = (SELECT min(q.payment_id::text)::uuid FROM credits.payment_log q WHERE q.customer_id = p.customer_id
                            AND q.type = 'succeeded' AND q.provider_reference = p.provider_reference)
    WHERE r.status IN ('pending', 'succeeded') GROUP BY 1, 2 HAVING sum(r.amount) > max(p.amount) OR max(p.amount) IS NULL"""


class Shop:
    """What is sold, and what Stripe says of it."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.connection = harness.connect(database, row_factory=dict_row)
        self.number = 0
        for setting in ("credits.currency_create('USD', kind => 'fiat')", "credits.outbox_consumer_create('worker')"):
            self.connection.execute(f"SELECT {setting}")
        self.connection.execute("SELECT credits.payment_provider_set('stripe', %s)", [SECRET])
        row = self.one("SELECT price_id FROM credits.package_create('Pack', %s, %s, 'USD')", CREDITS, PRICE)
        self.price = row["price_id"]

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row

    def sell(self, kind: str, name: str) -> Sale:
        self.number += 1
        customer = f"{name} {kind}"
        row = self.one(INVOICE if kind == "invoice" else TOP_UP, customer, self.price)
        return Sale(self, customer, row["id"], row["invoice_id"], Events(self.number))

    def tell(self, customer: str, intent: str, told: Told) -> dict[str, Any]:
        return receive(self.connection, payload(told, customer, intent))


class Sale:
    """One purchase."""

    def __init__(self, shop: Shop, customer: str, intent: str, invoice: str, events: Events) -> None:
        self.shop, self.customer, self.intent, self.invoice, self.events = shop, customer, intent, invoice, events

    def tell(self, *all_told: Told) -> None:
        for told in all_told:
            self.shop.tell(self.customer, self.intent, told)

    def void(self) -> None:
        self.shop.one("SELECT status FROM credits.invoice_void(%s, %s)", self.customer, self.invoice)

    def state(self) -> dict[str, Any]:
        return self.shop.one(STATE, self.customer)

    def progress(self, what: str) -> Told:
        """Where the payment is on its way."""
        about = {"id": self.events.payment(), "object": "payment_intent", "amount": 1000, "currency": "usd", "status": what}
        about["next_action"] = {"redirect_to_url": {"url": "https://bank.example/confirm"}}
        return self.events.event(f"payment_intent.{what}", 1, **about)


def payload(told: Told, customer: str, intent: str) -> str:
    """As an application of today gives its payments metadata."""
    return stripe_events.payload(told, customer, intent).replace('"top_up_id"', '"payment_intent_id"')


def receive(connection: psycopg.Connection[Any], text: str) -> dict[str, Any]:
    row = connection.execute(RECEIVE, [text, signing.header("stripe", text, SECRET)]).fetchone()
    assert row is not None
    return row


def check(checks: Checks, database: str) -> None:
    shop = Shop(database)
    for kind in ("invoice", "top_up"):
        in_all_orders(checks, shop, kind)
        refunded_first(checks, shop, kind)
        paid_twice(checks, shop, kind)
    after_void(checks, shop)
    at_once(checks, shop)
    pay_back(checks, shop)
    checks.none(shop.connection.execute(TOO_MUCH).fetchall(), "nothing is asked back that did not come")
    checks.none(harness.verify(shop.connection), "verify() finds nothing")


def differs(sale: Sale, **expected: Any) -> list[str]:
    """What of a purchase is not as it should be. What is asked for is in the outbox as well."""
    state = sale.state()
    expected["requested"] = expected["asked"] = expected.get("asked", [])
    wrong = {name: (state[name], value) for name, value in expected.items() if state[name] != value}
    return [f"{sale.customer}: {name} is {found} and not {value}" for name, (found, value) in wrong.items()]


PAID = {"status": "paid", "intent": "succeeded", "amount_paid": 10, "grants": 1, "credits": CREDITS}


def in_all_orders(checks: Checks, shop: Shop, kind: str) -> None:
    """processing, requires_action, failed and succeeded of one payment, in all orders, each twice."""
    wrong = []
    for place, order in enumerate(itertools.permutations(("processing", "requires_action", "failed", "succeeded"))):
        sale = shop.sell(kind, f"order {place}")
        events = {
            "processing": sale.progress("processing"), "requires_action": sale.progress("requires_action"),
            "failed": sale.events.failed(TEN), "succeeded": sale.events.succeeded(TEN),
        }  # fmt: skip
        for what in order:
            sale.tell(events[what], events[what])
        late = order.index("failed") > order.index("succeeded")
        wrong += differs(sale, **PAID, received=10, refunded=0, contradictions=int(late))
    checks.none(wrong, f"{kind}: under way, to be confirmed, failed and paid, in all 24 orders: paid and granted once")


def refunded_first(checks: Checks, shop: Shop, kind: str) -> None:
    """A payment, its refund as such, and its refund by what is refunded of the charge in all, in all orders."""
    wrong = []
    for place, order in enumerate(itertools.permutations(("succeeded", "refund", "charge"))):
        for part in (Decimal(4), TEN):
            sale = shop.sell(kind, f"refund {place} of {part}")
            events = {
                "succeeded": sale.events.succeeded(TEN), "refund": sale.events.refund_updated(part, 1),
                "charge": sale.events.refunded(TEN, part),
            }  # fmt: skip
            for what in order:
                sale.tell(events[what], events[what])
            expected = {**PAID, "credits": CREDITS - part * 10}
            wrong += differs(sale, **expected, received=10, refunded=part)
    checks.none(wrong, f"{kind}: paid back before it was paid: taken once, and nothing is asked back")


def paid_twice(checks: Checks, shop: Shop, kind: str) -> None:
    """Two payments, each told by its session and its intent, in all orders: the later is asked back once."""
    wrong, place = [], 0
    for order in itertools.permutations(((1, "intent"), (1, "session"), (2, "intent"), (2, "session"))):
        place += 1
        sale = shop.sell(kind, f"twice {place}")
        for payment, what in order:
            event = sale.events.succeeded(TEN + TAX, payment=payment)
            if what == "session":
                event = sale.events.completed(TEN + TAX, payment=payment, tax=TAX, serial=payment)
            else:
                event = event._replace(key=f"{event.key} {payment}")
            sale.tell(event, event)
        # What a top-up's invoice comes to follows what the provider says of its tax.
        paid = {**PAID, "amount_paid": sale.state()["amount_paid"]}
        wrong += differs(sale, **paid, received=2 * (TEN + TAX), refunded=0, asked=[TEN + TAX])
    checks.none(wrong, f"{kind}: paid twice, in all 24 orders: the second payment is asked back once")


def after_void(checks: Checks, shop: Shop) -> None:
    """Paid after it was void, by one payment or in parts; and void after a part was paid."""
    wrong = []
    void = {"status": "void", "intent": "canceled", "amount_paid": 0, "grants": 0, "credits": 0, "refunded": 0}
    for place, order in enumerate(itertools.permutations(("intent", "session", "failed"))):
        sale = shop.sell("invoice", f"void {place}")
        sale.void()
        events = {
            "intent": sale.events.succeeded(TEN + TAX), "session": sale.events.completed(TEN + TAX, tax=TAX),
            "failed": sale.events.failed(TEN + TAX),
        }  # fmt: skip
        for what in order:
            sale.tell(events[what], events[what])
        wrong += differs(sale, **void, received=TEN + TAX, asked=[TEN + TAX])
    parts = [Decimal(4), Decimal(6), Decimal(3)]
    for paid_before in range(2):
        sale = shop.sell("invoice", f"parts {paid_before}")
        for place, part in enumerate(parts):
            if place == paid_before:
                sale.void()
            told = sale.events.succeeded(part, payment=place, serial=place)
            sale.tell(told, told)
        wrong += differs(sale, **void, received=13, asked=parts)
    checks.none(wrong, "paid after it was void, whatever else is told: asked back once")


def deliver(database: str, number: int, all_events: list[tuple[str, str, Told]]) -> list[str]:
    """One of the sessions: tells its share, in an order of its own."""
    order = random.Random(f"{SEED}/{number}")
    share = [one for copy in range(COPIES) if copy % SESSIONS == number for one in all_events]
    order.shuffle(share)
    wrong = []
    with harness.connect(database, row_factory=dict_row) as connection:
        for customer, intent, told in share:
            try:
                receive(connection, payload(told, customer, intent))
            except psycopg.Error as error:
                wrong.append(f"{told.key}: {harness.described(error)}")
    return wrong


def at_once(checks: Checks, shop: Shop) -> None:
    """All of it by sixteen sessions."""
    sales: dict[str, Sale] = {}
    told: list[tuple[str, str, Told]] = []

    def sell(name: str, kind: str, *events: str) -> Sale:
        sale = sales[name] = shop.sell(kind, name)
        of = {
            "paid": sale.events.succeeded(TEN), "failed": sale.events.failed(TEN), "again": sale.events.succeeded(TEN, 2, 2),
            "way": sale.progress("processing"), "confirm": sale.progress("requires_action"),
            "back": sale.events.refund_updated(Decimal(4), 1).bare(), "all": sale.events.refunded(TEN, Decimal(4)).bare(),
        }  # fmt: skip
        told.extend((sale.customer, sale.intent, of[what]) for what in events)
        return sale

    for kind in ("invoice", "top_up"):
        sell(f"everything {kind}", kind, "paid", "failed", "way", "confirm")
        sell(f"refunded {kind}", kind, "paid", "back", "all")
        sell(f"again {kind}", kind, "paid", "again", "failed")
    sell("too late", "invoice", "paid", "failed", "way").void()
    sell("too late and again", "invoice", "paid", "again").void()
    one, other = sell("one of two", "invoice"), sell("the other of two", "top_up")
    shared = one.events.succeeded(TEN)
    for sale in (one, other):
        told.append((sale.customer, sale.intent, shared._replace(key=f"{shared.key} of {sale.customer}")))
    found = together(deliver, [(shop.database, number, told) for number in range(SESSIONS)])
    checks.none([wrong for one_found in found for wrong in one_found], "sixteen sessions at once: none met an error")
    void = {"status": "void", "intent": "canceled", "amount_paid": 0, "grants": 0, "credits": 0, "refunded": 0}
    wrong = []
    for kind in ("invoice", "top_up"):
        wrong += differs(sales[f"everything {kind}"], **PAID, received=10, refunded=0)
        wrong += differs(sales[f"refunded {kind}"], **{**PAID, "credits": 60}, received=10, refunded=4)
        wrong += differs(sales[f"again {kind}"], **PAID, received=20, refunded=0, asked=[TEN])
    wrong += differs(sales["too late"], **void, received=10, asked=[TEN])
    wrong += differs(sales["too late and again"], **void, received=20, asked=[TEN, TEN])
    states = [sale.state() for sale in (one, other)]
    checks.equal(sorted(state["grants"] for state in states), [0, 1], "one payment told of two: one of them is granted")
    checks.equal([state["asked"] for state in states], [[], []], "its money is nobody's to ask back")
    checks.none(wrong, f"each event {COPIES} times: paid once, granted once, asked back once")
    say(f"        {len(told)} events, {COPIES} times each")


def pay_back(checks: Checks, shop: Shop) -> None:
    """A worker pays back all that is asked for; Stripe tells of each in two ways, twice: it counts once."""
    query = "SELECT customer_id, refund_id::text, payment_intent_id::text, amount FROM credits.refunds WHERE status = 'pending'"
    before = "SELECT customer_id, sum(remaining) AS credits FROM credits.grants GROUP BY 1 ORDER BY 1"
    credits = shop.connection.execute(before).fetchall()
    pending = shop.connection.execute(query).fetchall()
    wrong = []
    for number, row in enumerate(pending):
        begun = shop.one("SELECT * FROM credits.refund_begin(%s, %s)", row["customer_id"], row["refund_id"])
        about = {
            "id": f"re_asked_{number}", "object": "refund", "amount": stripe_events.cents(row["amount"]), "currency": "usd",
            "status": "succeeded", "payment_intent": begun["payment_reference"],
            "metadata": {"customer_id": row["customer_id"], "refund_id": row["refund_id"]},
        }  # fmt: skip
        for kind, serial in (("refund.created", 1), ("refund.updated", 1), ("refund.updated", 1), ("refund.updated", 2)):
            event = {"id": f"evt {kind} {number} {serial}", "type": kind, "livemode": True, "data": {"object": about}}
            answer = receive(shop.connection, json.dumps(event))
            if answer["outcome"] != "applied":
                wrong.append(f"{row}: {answer}")
    checks.none(wrong, f"{len(pending)} refunds that were asked for are made, and nothing contradicts")
    checks.none(shop.connection.execute(query).fetchall(), "none is pending")
    checks.equal(shop.connection.execute(before).fetchall() == credits, True, "money that paid for nothing takes no credits")
