"""What the database has of money that comes in: purchases that went every way there is, accounts that recharge
themselves, and consumers of the outbox that are half-way. fay buys; gus spent what is paid back;
hal has an account that asked for credits; ida has one that asked, and nobody answered.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from filled import LATER, NOW, Connection, Filler, Row, rows

CUSTOMERS = ("fay", "gus", "hal", "ida")
# What providers sign with, and what one signed with before.
STRIPE, SHOP, SHOP_BEFORE = "whsec of stripe, whole", "\\ of a\tshop ü and so on", "the one that was older"
AN_HOUR_BEFORE = "2025-01-31 23:00:00+00"  # NOW
# Longer than from LATER to NOW: Stripe's signatures have the time in them.
TOLERANCE = 100 * 24 * 60 * 60
AUTO = "configure_auto_recharge"
CLAIM = "SELECT * FROM credits.outbox_claim(%s, %s, %s)"


class Bought:
    """Fills it, beside what the filler does, and remembers what no call can be asked for again."""

    def __init__(self, filler: Filler) -> None:
        self.it = filler
        self.database = filler.connection.info.dbname
        self.token = ""  # of a link to fay's billing page
        self.left: dict[str, list[Any]] = {}  # the rows that each consumer of the outbox is to be handed next

    def fill(self) -> None:
        self.it.at(LATER)
        self.catalog()
        self.purchases()
        self.refunds()
        self.disputes()
        self.spent()
        self.webhooks()
        self.recharges()
        # Of two consumers one acknowledged some and was not heard of again; the other is still at work on what it has.
        self.it.at(AN_HOUR_BEFORE)
        self.consumer("mails", 30, 11, is_at_work=False)
        self.it.at(NOW)
        self.consumer("books", 6, 2, is_at_work=True)
        page = "'fay', 'https://a.example/back'"
        self.token = self.it.call("billing_portal_session_create", page)["token"]

    def find(self, query: str, *values: Any) -> Row:
        (row,) = rows(self.it.connection, query, list(values))
        return row

    def catalog(self) -> None:
        it = self.it
        it.call("currency_create", "'USD', 'Dollar', 2, 'fiat'")
        it.call("meter_create", "'prompts', unit_price => 1")
        it.call("package_create", "'Pack', 100, 10, 'USD', description => 'A hundred', metadata => '{\"n\": 1.50}'")
        prompts = "'Prompts', 60, 6, 'USD', category => 'promotional', priority => 40, time_to_live => '1 year'"
        it.call("package_create", prompts + ", applicable_meters => ARRAY['prompts']")
        it.call("package_create", "'Month', 50, 5, 'USD', time_to_live => '15 days'")
        it.call("price_archive", "%s", it.call("package_create", "'Old', 10, 1, 'USD'")["price_id"])
        it.call("product_create", "'No price yet', credits => 5")
        it.call("exchange_rate_set", "'CREDIT', 'USD', 0.1")
        it.call("exchange_rate_set", "'CREDIT', 'USD', 0.125, '2025-06-01 00:00+00'")
        it.call("configure_recharge", "'CREDIT', %s, 'https://pay.example/{amount}', 1, 500", self.price("Pack"))
        it.call("payment_provider_set", "'stripe', %s, tolerance => %s", STRIPE, TOLERANCE)
        shop = "'shop', %s, 'https://shop.example/{top_up_id}', %s, previous_secret_expires_at => '2100-01-01 00:00+00'"
        it.call("payment_provider_set", shop, SHOP, SHOP_BEFORE)

    def price(self, pack: str) -> Any:
        return self.find("SELECT price_id FROM credits.packages WHERE name = %s", pack)["price_id"]

    def buy(self, customer: str, pack: str, what: str, terms: str = "") -> Any:
        """Begins a purchase. `what` is its key, and what finds it after the restore."""
        fixed = ("top_up_id", "checkout_url", "expires_at", "credits", "credit_currency", "amount", "currency", "rate")
        arguments = "%s, %s, idempotency_key => %s, description => %s, expires_in => '1 year'" + terms
        made = self.it.keep("top_up_create", arguments, customer, self.price(pack), what, what, fixed=fixed)
        return made["top_up_id"]

    def tell(self, function: str, customer: str, top_up_id: Any, reference: str, terms: str = "") -> None:
        """Something is told of a payment, with a reference that a repeat is known by."""
        arguments = f"%s, %s, 'bank', %s{terms}"
        self.it.keep(function, arguments, customer, top_up_id, reference, fixed=("top_up_id", "contradiction"))

    def paid(self, customer: str, pack: str, what: str, terms: str = "") -> Any:
        top_up_id = self.buy(customer, pack, what, terms)
        self.tell("payment_succeeded", customer, top_up_id, f"paid: {what}")
        return top_up_id

    def purchases(self) -> None:
        """Paid twice, failed, given up, paid too little, and two that nobody has paid yet."""
        urls = ", quantity => 3, return_url => 'https://a.example/', failure_url => 'https://a.example/sorry'"
        self.tell("payment_succeeded", "fay", self.paid("fay", "Pack", "paid twice", urls), "paid again")
        failed = self.buy("fay", "Pack", "failed", ", provider => 'shop'")
        self.tell("payment_failed", "fay", failed, "no", ", 'declined'")
        self.it.call("top_up_expire", "'fay', %s", self.buy("fay", "Month", "given up"))
        self.tell("payment_succeeded", "fay", self.buy("fay", "Pack", "too little"), "too little", ", 9.99")
        self.buy("fay", "Pack", "not paid yet", ", metadata => '{\"y\": null}'")
        by_amount = "'fay', amount => 7.77, currency => 'USD', credit_currency => 'CREDIT', idempotency_key => 'amount'"
        self.it.keep("top_up_create", by_amount, fixed=("top_up_id", "credits", "rate"))

    def refunds(self) -> None:
        """In parts, one of which fails after all; before the payment; of what runs out."""
        part = self.paid("fay", "Pack", "refunded in part")
        self.tell("payment_refunded", "fay", part, "part 1", ", 3.33")
        self.tell("payment_refunded", "fay", part, "part 2", ", 2")
        self.tell("payment_refund_failed", "fay", part, "part 1")
        self.tell("payment_refunded", "fay", self.buy("fay", "Pack", "refunded before it is paid"), "early", ", 4")
        self.tell("payment_refunded", "fay", self.paid("fay", "Month", "runs out"), "of what runs out", ", 1")

    def disputes(self) -> None:
        """One is won and the next is open; another is lost."""
        twice = self.paid("fay", "Pack", "disputed twice")
        self.tell("payment_disputed", "fay", twice, "dispute 1", ", 4")
        self.tell("payment_dispute_closed", "fay", twice, "dispute 1", ", true")
        self.tell("payment_disputed", "fay", twice, "dispute 2", ", 5")
        once = self.paid("fay", "Pack", "disputed once")
        self.tell("payment_disputed", "fay", once, "dispute 3", ", 1")
        self.tell("payment_dispute_closed", "fay", once, "dispute 3", ", false")

    def spent(self) -> None:
        """What is paid back of credits that are spent, held, or spent and forgiven."""
        it = self.it
        prompts, pack = self.paid("gus", "Prompts", "for prompts"), self.paid("gus", "Pack", "spent")
        it.call("report_meter_event", "'gus', 'prompts', 45, 'most of the prompts'")
        it.keep("hold_create", "'gus', 30, NULL, '1 year', 'of what is paid back'", fixed=("hold_id",))
        it.call("wallet_debit", "'gus', 50")
        self.tell("payment_refunded", "gus", pack, "all of it")
        self.tell("payment_refunded", "gus", prompts, "of the prompts", ", 5, spent => 'pending'")
        forgiven = self.paid("ida", "Pack", "forgiven")
        it.call("wallet_debit", "'ida', 80")
        self.tell("payment_refunded", "ida", forgiven, "most of it", ", 9, spent => 'forgive'")

    def webhooks(self) -> None:
        """Paid; in another currency; meaning nothing; of a payment that nobody knows yet. One is signed with the secret
        before."""
        paid = {"id": "pi_1", "amount_received": 1000, "currency": "usd"}
        paid["metadata"] = {"customer_id": "fay", "top_up_id": str(self.buy("fay", "Pack", "by stripe"))}
        dispute = {"id": "dp_1", "payment_intent": "pi_2", "amount": 400, "currency": "usd", "status": "needs_response"}
        told = {"payment_intent.succeeded": paid, "customer.created": {"id": "c"}, "charge.dispute.created": dispute}
        for number, (kind, what) in enumerate(told.items()):
            self.receive("stripe", STRIPE, {"id": f"evt_{number}", "type": kind, "data": {"object": what}})
        event = {"id": "1", "type": "payment.succeeded", "reference": "s1", "amount": "10.00", "currency": "USD",
                 "customer_id": "fay", "top_up_id": str(self.buy("fay", "Pack", "by the shop"))}  # fmt: skip
        self.receive("shop", SHOP_BEFORE, event)
        self.receive("shop", SHOP, {**event, "id": "2", "currency": "EUR"})

    def receive(self, provider: str, secret: str, event: dict[str, Any]) -> None:
        values = signed(provider, secret, event, LATER)
        fixed = ("event_id", "type", "outcome", "customer_id", "top_up_id")
        self.it.keep("webhook_receive", "%s, %s, %s", *values, fixed=fixed)

    def recharges(self) -> None:
        """Of hal's requests one failed, one is paid and one is at a worker's; ida's times out before NOW."""
        it = self.it
        it.call("wallet_credit", "'hal', 8")
        auto = "%s, threshold => 40, payment_method => 'card', cooldown => '0', max_amount_per_day => 99, timeout => %s"
        # A schema of 0.2.0 has no such parameters.
        if self.find("SELECT bool_or('target' = ANY (proargnames)) AS has FROM pg_proc WHERE proname = %s", AUTO)["has"]:
            auto += ", target => 60, max_attempts_per_calendar_month => 99, schedule_every => '400 days'"
        it.call(AUTO, auto, "hal", "1 year")
        it.call(AUTO, auto, "ida", "12 days")
        self.tell("payment_failed", "hal", self.begin(), "declined", ", 'declined'")
        self.tell("payment_succeeded", "hal", self.begin(), "charged")
        it.call("wallet_debit", "'hal', 90")
        self.begin()
        # Nothing has looked yet whether what they buy can still be bought.
        product_id = self.find("SELECT product_id FROM credits.packages WHERE name = 'Pack'")["product_id"]
        it.call("product_update", "%s, description => 'A hundred, and no more'", product_id)

    def begin(self) -> Any:
        """A worker begins with hal's open request. Returns its purchase."""
        open_one = "SELECT recharge_id FROM credits.recharge_log WHERE customer_id = 'hal' AND closed_at IS NULL"
        return self.it.call("recharge_begin", "'hal', %s", self.find(open_one)["recharge_id"])["top_up_id"]

    def consumer(self, name: str, size: int, acknowledged: int, is_at_work: bool) -> None:
        """A consumer is handed rows and acknowledges the first of them. While it is at work on the others, it is handed
        no more of those customers."""
        connection = self.it.connection
        self.it.call("outbox_consumer_create", "%s", name)
        taken = rows(connection, CLAIM, [name, size, "1 day" if is_at_work else "1 hour"])
        done = [row["outbox_id"] for row in taken[:acknowledged]]
        rows(connection, "SELECT credits.outbox_ack(%s, %s)", [name, done])
        busy = {row["customer_id"] for row in taken[acknowledged:]} if is_at_work else set()
        there = rows(connection, "SELECT customer_id, outbox_id FROM credits.outbox_rows")
        left = [row["outbox_id"] for row in there if row["customer_id"] not in busy and row["outbox_id"] not in done]
        self.left[name] = left


def signed(provider: str, secret: str, event: dict[str, Any], at: str) -> tuple[str, str, str]:
    """An event as the provider sends it; one that is not Stripe signs the payload and nothing else."""
    payload = json.dumps(event)
    if provider != "stripe":
        return provider, payload, digest(secret, payload)
    seconds = int(datetime.fromisoformat(at).timestamp())
    return provider, payload, f"t={seconds},v1={digest(secret, f'{seconds}.{payload}')}"


def digest(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def story_goes_on(connection: Connection) -> None:
    """What happens after the restore, in any of the databases."""
    for what, call in (
        ("not paid yet", "payment_succeeded({}, 'bank', 'late')"),
        ("failed", "payment_succeeded({}, 'bank', 'after all')"),
        ("refunded before it is paid", "payment_succeeded({}, 'bank', 'later')"),
        ("disputed twice", "payment_dispute_closed({}, 'bank', 'dispute 2', true)"),
        ("refunded in part", "payment_refunded({}, 'bank', 'part 3')"),
        ("disputed once", "payment_refunded({}, 'bank', 'part of it', 2)"),
        ("runs out", "payment_refunded({}, 'bank', 'the rest of what runs out', 4)"),
        ("spent", "payment_refund_failed({}, 'bank', 'all of it')"),
        ("for prompts", "payment_refunded({}, 'bank', 'the rest of the prompts', 1)"),
        ("forgiven", "payment_refunded({}, 'bank', 'the rest', 1)"),
    ):
        (row,) = rows(connection, "SELECT customer_id, top_up_id FROM credits.top_ups WHERE description = %s", [what])
        rows(connection, "SELECT credits." + call.format("%s, %s"), list(row.values()))
    for statement in (
        "SELECT credits.meter_event_cancel('gus', 'most of the prompts')",
        "SELECT credits.hold_release('gus', hold_id) FROM credits.holds WHERE status = 'open' AND customer_id = 'gus'",
        "SELECT credits.payment_succeeded('hal', top_up_id, 'bank', 'charged again') FROM credits.recharge_log"
        " WHERE customer_id = 'hal' AND status = 'processing'",
        "SELECT credits.wallet_debit('hal', 80)",
        "SELECT credits.top_up_create('fay', amount => 2, currency => 'USD', credit_currency => 'CREDIT')",
        "SELECT credits.price_archive(price_id) FROM credits.packages WHERE name = 'Month'",
    ):
        rows(connection, statement)
    by_stripe = rows(connection, "SELECT top_up_id::text FROM credits.top_up_create('fay', price_id => (SELECT price_id"
                                 " FROM credits.packages WHERE name = 'Pack'), provider => 'stripe')")  # fmt: skip
    paid = {"id": "pi_2", "amount_received": 1000, "currency": "usd", "metadata": by_stripe[0]}
    event = {"id": "evt_9", "type": "payment_intent.succeeded", "data": {"object": paid}}
    rows(connection, "SELECT credits.webhook_receive(%s, %s, %s)", list(signed("stripe", STRIPE, event, NOW)))
