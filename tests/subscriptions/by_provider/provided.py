"""Plans that a provider bills. The same story, billed here and told by Stripe's events, comes to the same grants; and the events
of a short story, in whatever order and however often, come to the same grants and the same state.

PROVIDED (60) is how many stories there are, ORDERS (150) in how many orders one is told, SEED (1) what they are made from.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from periods import Interval, text_of
from psycopg.rows import dict_row
from stripe_plan import SECRET, Event, Plan
from support import harness
from support.harness import Checks

STORIES = int(os.environ.get("PROVIDED") or 60)
ORDERS = int(os.environ.get("ORDERS") or 150)
SEED = int(os.environ.get("SEED") or 1)

# Name, interval, dollars, and what a period grants.
PRICES: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("month", "month", 20, {"amount": 1000, "schedule": {"expire_with_next_grant": True}}),
    ("month more", "month", 60, {"amount": 4000, "schedule": {"expire_with_next_grant": True}}),
    ("weeks", "month", 30, {"amount": 999, "schedule": {"every": "1 week", "expire_with_next_grant": True}}),
    ("weeks that stay", "month", 45, {"amount": 70, "valid_for": "20 days", "schedule": {"every": "1 week"}}),
    ("year", "year", 200, {"amount": 12000, "schedule": {"every": "1 month", "expire_with_next_grant": True}}),
    ("year more", "year", 500, {"amount": 36000, "schedule": {
        "every": "1 month", "amount_per_grant": 3000, "expire_with_next_grant": True}}),
)  # fmt: skip
OF = {name: (interval, dollars) for name, interval, dollars, _ in PRICES}

GRANTS = """
    SELECT g.amount, g.remaining, g.status, g.effective_at, g.expires_at FROM credits.grants g
    WHERE g.customer_id = %s ORDER BY g.effective_at, g.expires_at, g.amount, g.status, g.remaining"""
STATE = """
    SELECT s.status, s.current_period_start, s.current_period_end, s.cancel_at, s.ended_at,
           (SELECT json_agg(json_build_array(p.lookup_key, i.quantity::text)) FROM credits.subscription_items i
            JOIN credits.prices p USING (price_id)
            WHERE i.customer_id = s.customer_id AND i.subscription_id = s.subscription_id AND i.removed_at IS NULL) AS items,
           (SELECT sum(v.amount_paid) FROM credits.invoices v WHERE v.customer_id = s.customer_id) AS paid
    FROM credits.subscriptions s WHERE s.customer_id = %s"""


class Shop:
    """A database, and its clock."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.now = datetime(2025, 1, 1, tzinfo=UTC)
        self.call("SELECT set_config('credits.test_clock_drives_billing', 'on', false)")
        self.clock(self.now)
        self.call("SELECT FROM credits.currency_create('USD', kind => 'fiat')")
        self.call("SELECT FROM credits.payment_provider_set('stripe', %s, tolerance => 2000000000)", SECRET)
        product = self.call("SELECT product_id FROM credits.product_create('Plan')")[0]["product_id"]
        for name, interval, dollars, config in PRICES:
            if "every" in config["schedule"]:
                config["schedule"]["delivery"] = "schedule"
            self.call(
                "SELECT FROM credits.price_create(%s, 'recurring', %s, 'USD', lookup_key => %s, credit_config => %s,"
                " recurring => jsonb_build_object('interval', %s::text))", product, dollars, name, json.dumps(config), interval,
            )  # fmt: skip

    def call(self, query: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def clock(self, at: datetime) -> None:
        self.now = at
        self.call("SELECT set_config('credits.test_clock', %s, false)", text_of(at))

    def send(self, event: Event) -> dict[str, Any]:
        query = "SELECT * FROM credits.webhook_receive('stripe', %s, %s)"
        return self.call(query, event.payload, event.signature(self.now))[0]

    def grants(self, customer: str) -> list[dict[str, Any]]:
        return self.call(GRANTS, customer)

    def state(self, customer: str) -> dict[str, Any]:
        return self.call(STATE, customer)[0]


class Own:
    """A customer whose subscription is billed here."""

    def __init__(self, shop: Shop, name: str) -> None:
        self.shop, self.name, self.payments = shop, name, 0
        shop.call("SELECT FROM credits.customer_upsert(%s)", name)
        shop.call("SELECT FROM credits.payment_method_attach(%s, 'manual', NULL, %s, is_default => true)", name, f"{name} card")

    def begin(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        row = self.shop.call(
            "SELECT subscription_id FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object("
            "'lookup_key', %s::text, 'quantity', %s::int)))", self.name, price, quantity,
        )  # fmt: skip
        self.id = row[0]["subscription_id"]
        self.pay()

    def renew(self, price: str, quantity: int, period: tuple[datetime, datetime], paid_at: datetime) -> None:
        self.shop.clock(period[0])
        self.maintain()
        self.shop.clock(paid_at)
        self.pay()

    def owes(self, at: datetime) -> bool:
        """Whether the invoice of the period that begins then is to be paid, or was with money."""
        self.shop.clock(at)
        self.maintain()
        query = "SELECT i.total > 0 AS owes FROM credits.invoices i WHERE i.customer_id = %s ORDER BY i.invoice_id DESC LIMIT 1"
        return bool(self.shop.call(query, self.name)[0]["owes"])

    def change(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        self.shop.call(
            "SELECT FROM credits.subscription_update(%s, %s, (SELECT jsonb_build_array(jsonb_build_object("
            "'subscription_item_id', i.subscription_item_id, 'lookup_key', %s::text, 'quantity', %s::int))"
            " FROM credits.subscription_items i WHERE i.customer_id = %s AND i.removed_at IS NULL))",
            self.name, self.id, price, quantity, self.name,
        )  # fmt: skip

    def end(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        self.shop.call("SELECT FROM credits.subscription_cancel(%s, %s, 'now')", self.name, self.id)

    def maintain(self) -> None:
        while self.shop.call("SELECT credits.maintain_batch(1000, 'subscriptions') AS done")[0]["done"]:
            pass

    def pay(self) -> None:
        for row in self.shop.call("SELECT payment_intent_id AS id FROM credits.invoices WHERE customer_id = %s AND status = 'open'",
                                  self.name):  # fmt: skip
            self.payments += 1
            self.shop.call("SELECT FROM credits.payment_succeeded(%s, %s, 'manual', %s)",
                           self.name, row["id"], f"{self.name} {self.payments}")  # fmt: skip


class Provided:
    """A customer whose plan Stripe bills."""

    def __init__(self, shop: Shop, name: str, is_new: bool) -> None:
        self.shop, self.name = shop, name
        self.plan = Plan(name, name, is_new)
        self.invoices = 0

    def begin(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        at, self.anchor = self.shop.now, period[0]
        self.shop.send(self.plan.stands("created", at, price, quantity, period, "incomplete"))
        self.paid(price, quantity, period)
        self.shop.send(self.plan.stands("updated", at, price, quantity, period))

    def renew(self, price: str, quantity: int, period: tuple[datetime, datetime], paid_at: datetime) -> None:
        self.shop.clock(period[0])
        self.shop.send(self.plan.stands("updated", period[0], price, quantity, period, anchor=self.anchor))
        if paid_at > period[0]:
            self.shop.send(self.plan.failed(period[0] + timedelta(seconds=9), f"{self.invoices + 1}"))
        self.shop.clock(paid_at)
        self.paid(price, quantity, period)

    def change(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        self.shop.send(self.plan.stands("updated", self.shop.now, price, quantity, period, anchor=self.anchor))

    def end(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        event = self.plan.stands("deleted", self.shop.now, price, quantity, period, "canceled", ended_at=self.shop.now)
        self.shop.send(event)

    def paid(self, price: str, quantity: int, period: tuple[datetime, datetime]) -> None:
        self.invoices += 1
        reason = "subscription_create" if self.invoices == 1 else "subscription_cycle"
        cents = OF[price][1] * quantity * 100
        self.shop.send(self.plan.paid(self.shop.now, price, quantity, period, cents, f"{self.invoices}", reason))


def story(checks: Checks, shop: Shop, number: int) -> list[str]:
    """One story, of one that is billed here and one that is not; where they differ."""
    chance = random.Random(f"{SEED} {number}")
    both = (Own(shop, f"own {number}"), Provided(shop, f"provided {number}", chance.random() < 0.5))
    interval = chance.choice(["month", "month", "year"])
    prices = [name for name, (of, _) in OF.items() if of == interval]
    price, quantity = chance.choice(prices), chance.choice([1, 1, 3])
    begins = datetime(2025, chance.choice([1, 3, 8]), chance.choice([1, 15, 31]), chance.randrange(24), 7, 3, tzinfo=UTC)
    step = Interval.parse(f"1 {interval}")
    spend = [chance.randrange(2000) for _ in range(99)]
    acts: list[tuple[str, datetime, Any]] = []
    for no in range(chance.randint(1, 5 if interval == "month" else 2)):
        period = (step.after(begins, no), step.after(begins, no + 1))
        late = timedelta(seconds=chance.choice([0, 0, 3600, 86400 * 3, 86400 * 20])) if no else timedelta(0)
        acts.append(("begin" if no == 0 else "renew", period[0] + late, period))
        length = period[1] - period[0] - late
        at = period[0] + late + timedelta(seconds=int(length.total_seconds() * chance.uniform(0.05, 0.9)))
        if chance.random() < 0.6:
            acts.append(("change", at, period))
    if chance.random() < 0.4:
        acts.append(("end", acts[-1][1] + timedelta(hours=chance.randint(1, 30)), acts[-1][2]))
    changes = {no: (chance.choice(prices), chance.choice([1, 2, 3])) for no in range(len(acts))}
    for no, (what, at, period) in enumerate(acts):
        if what == "change":
            price, quantity = changes[no]
        for one in both:
            if what == "renew":
                # What comes to nothing here, since more was given back, is paid at once.
                one.renew(price, quantity, period, at if both[0].owes(period[0]) else period[0])
                continue
            shop.clock(at)
            getattr(one, what)(price, quantity, period)
        for one in both:
            shop.call("SELECT FROM credits.wallet_try_debit(%s, %s)", one.name, spend[no])
    own, provided = (shop.grants(one.name) for one in both)
    if own == provided:
        return []
    shown = [f"{a} | {b}" for a, b in itertools.zip_longest(own, provided) if a != b]
    return [f"{number} {[(what, text_of(at)) for what, at, _ in acts]}: {shown[0]} of {len(shown)}"]


def told(shop: Shop, name: str, which: list[int] | None, chance: random.Random) -> dict[str, Any]:
    """A short story, its events sent in an order, some again; what that comes to."""
    plan = Plan(name, name, chance.random() < 0.5)
    at = datetime(2025, 5, 1, 9, tzinfo=UTC)
    step = Interval.parse("1 month")
    first, second = (at, step.after(at, 1)), (step.after(at, 1), step.after(at, 2))
    changed, ended = at + timedelta(days=10), second[0] + timedelta(days=9)
    events = [
        plan.stands("created", at, "weeks", 1, first, "incomplete"),
        plan.paid(at + timedelta(seconds=2), "weeks", 1, first, 3000, "1", "subscription_create"),
        plan.stands("updated", at + timedelta(seconds=2), "weeks", 1, first),
        plan.paid_by(second[0] + timedelta(days=1), "2"),
        plan.refunded(second[0] + timedelta(days=4), "2", 3200),
        plan.stands("updated", changed, "month more", 2, first),
        plan.failed(second[0] + timedelta(hours=1), "2"),
        plan.paid(second[0] + timedelta(days=1), "month more", 2, second, 12000, "2", extra=4000),
        plan.stands("updated", second[0] + timedelta(days=1, seconds=1), "month more", 2, second),
        plan.stands("deleted", ended, "month more", 2, second, "canceled", ended_at=ended),
    ]
    order = list(range(len(events))) if which is None else which
    for place in order:
        shop.send(events[place])
        if which is not None and chance.random() < 0.2:
            shop.send(events[chance.choice(order)])
    return {"state": shop.state(name), "grants": shop.grants(name)}


def orders(checks: Checks, shop: Shop) -> None:
    chance = random.Random(SEED)
    shop.clock(datetime(2025, 8, 1, tzinfo=UTC))
    expected = told(shop, "in order", None, chance)
    checks.equal(expected["state"]["status"], "canceled", "the story ends")
    wrong = []
    for number in range(ORDERS):
        which = list(range(10))
        chance.shuffle(which)
        got = told(shop, f"order {number}", which, chance)
        if got != expected:
            wrong.append(f"{which}: {different(got, expected)}")
    checks.none(wrong, f"{ORDERS} orders of one story come to the same")


def different(got: dict[str, Any], expected: dict[str, Any]) -> str:
    if got["state"] != expected["state"]:
        return str({key: (value, expected["state"][key]) for key, value in got["state"].items() if value != expected["state"][key]})
    pairs = itertools.zip_longest(got["grants"], expected["grants"])
    return str([pair for pair in pairs if pair[0] != pair[1]])


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        shop = Shop(connection)
        found = [one for number in range(STORIES) for one in story(checks, shop, number)]
        checks.none(found, f"{STORIES} stories, billed here and by the provider, come to the same grants")
        orders(checks, shop)
        checks.none(shop.call("SELECT * FROM credits.verify()"), "verify()")
