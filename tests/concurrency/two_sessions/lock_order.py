"""Locks are taken in one order (ledger/engine/posting.rs): two sessions that go the opposite ways through what they have in common,
and a stress of all kinds of calls on few customers."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import time
import uuid
from collections import Counter
from typing import Any

import psycopg
from psycopg.rows import dict_row
from support import harness
from support.at_once import together
from support.harness import Checks, say

from sessions import DEBIT, Pair, Session, Waiting

SECRET = "a secret of the bazaar's own making"
PROVIDER = "SELECT credits.payment_provider_set('bazaar', %s)"
RECEIVE = "SELECT * FROM credits.webhook_receive('bazaar', %s, %s)"
REFUND = "SELECT * FROM credits.payment_refunded(%s, %s, 'bazaar', %s, 2, payment_reference => %s)"
ERASE = "SELECT * FROM credits.customer_erase(%s)"
UPSERT = "SELECT * FROM credits.customer_upsert(%s, name => 'Somebody')"
PAY = "SELECT * FROM credits.payment_succeeded(%s, %s, 'bazaar', %s)"
DEBIT_IN = "SELECT * FROM credits.wallet_debit(%s, %s, currency => %s)"
CREDIT_IN = "SELECT * FROM credits.wallet_credit(%s, %s, currency => %s)"
TRANSFER_IN = "SELECT * FROM credits.wallet_transfer(%s, %s, %s, currency => %s)"
LOW = "SELECT * FROM credits.account_configure(%s, %s, low_balance_threshold => %s)"
AUTO = "SELECT * FROM credits.configure_auto_recharge(%s, %s, threshold => 20, price_id => %s, cooldown => '0', enabled => true)"
BUY = "SELECT * FROM credits.top_up_create(%s, %s, idempotency_key => %s)"
PACK = "SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD', %s)"


def a_refund_told_before_its_payment_and_beside_it(pair: Pair) -> None:
    """a payment that applies a refund which came before it, and the same refund told by hand: both wait for the account"""
    top_up_id = _begun(pair, "refunded_before")
    _ignored(pair, "payment.refunded", "r of before", "p of before")
    with Holding(pair, pair.third):
        paid = pair.blocked(_succeeded(pair, pair.first, top_up_id, "p of before"), pair.third)
        told = pair.settled(pair.second.start(REFUND, pair.customer, top_up_id, "r of before", "p of before"))
    pair.checks.equal(paid.one()["outcome"], "applied", "what the payment is answered")
    pair.checks.check(told.one()["status"] == "paid", "the refund is answered")
    pair.checks.equal(pair.balance()[0], 50 - 1 + 80, "it is taken once")


def a_dispute_told_before_its_payment(pair: Pair) -> None:
    """a payment that applies a dispute, which switches off auto-recharge in another currency, beside a debit in that one"""
    top_up_id = _begun(pair, "disputed_before")
    _other(pair)
    price = pair.observer.one(PACK, "OTHER")["price_id"]
    pair.observer.one(CREDIT_IN, pair.customer, 50, "OTHER")
    pair.observer.one(AUTO, pair.customer, "OTHER", price)
    _ignored(pair, "payment.disputed", "d of before", "p of dispute")
    with Holding(pair, pair.third, "OTHER"):
        debit = pair.blocked(pair.second.start(DEBIT_IN, pair.customer, 40, "OTHER"), pair.third)
        paid = pair.settled(_succeeded(pair, pair.first, top_up_id, "p of dispute"))
    debit.one()
    pair.checks.equal(paid.one()["outcome"], "applied", "what the payment is answered")
    row = pair.observer.one("SELECT enabled FROM credits.auto_recharge_config(%s, 'OTHER')", pair.customer)
    pair.checks.equal(row["enabled"], False, "it is switched off")


def an_erasure_beside_a_redelivery(pair: Pair) -> None:
    """a customer is erased beside an event of the customer's that was ignored and is delivered again"""
    top_up_id = _begun(pair, "erased_beside")
    pair.observer.one(PAY, pair.customer, top_up_id, "p of erased")
    pair.observer.one("SELECT credits.payment_provider_set('bazaar', %s, livemode => false)", SECRET)
    event = _event("payment.refunded", "r of erased", top_up_id=top_up_id, customer=pair.customer, livemode=True)
    pair.checks.equal(pair.observer.one(RECEIVE, *event)["outcome"], "ignored", "it is ignored at first")
    pair.observer.one("SELECT credits.payment_provider_set('bazaar', %s, livemode => true)", SECRET)
    with Holding(pair, pair.third):
        erased = pair.blocked(pair.first.start(ERASE, pair.customer), pair.third)
        again = pair.settled(pair.second.start(RECEIVE, *event))
    erased.one()
    pair.checks.equal(again.one()["outcome"], "applied", "what the redelivery is answered")
    rows = pair.observer.all("SELECT payload FROM credits_internal.webhook_events WHERE customer_id = %s", pair.customer)
    pair.checks.equal([row["payload"] for row in rows], [None], "what it said is forgotten")


def a_customer_changed_before_a_debit(pair: Pair) -> None:
    """a transaction that changes the customer and then debits, beside a payment of the customer's, and beside an erasure"""
    top_up_id = _begun(pair, "changed_before")
    for query in ((PAY, pair.customer, top_up_id, "p of changed"), (ERASE, pair.customer)):
        pair.first.begin()
        pair.first.one(UPSERT, pair.customer)
        other = pair.settled(pair.second.start(*query))
        pair.first.one(DEBIT, pair.customer, 1, None)
        pair.first.commit()
        other.one()
    pair.checks.equal(pair.balance()[0], 50 - 2 + 100, "all of it happened")


def two_transfers_in_two_currencies(pair: Pair) -> None:
    """two transfers between the same customers, opposite ways in two currencies, each of which tells of both"""
    _other(pair)
    for code, giver, taker in (("CREDIT", "zoe", "abe"), ("OTHER", "abe", "zoe")):
        pair.observer.one(CREDIT_IN, giver, 100, code)
        pair.observer.one(LOW, giver, code, 60)
        pair.observer.one(CREDIT_IN, taker, 30, code)
        pair.observer.one(AUTO, taker, code, pair.observer.one(PACK, code)["price_id"])
        pair.observer.one(DEBIT_IN, taker, 20, code)
    pair.observer.one("SELECT credits.currency_create('THIRD')")
    fourth = Session(pair.observer.connection.info.dbname, "the fourth session")
    try:
        for session, customer in ((pair.third, "abe"), (fourth, "zoe")):
            pair.observer.one(CREDIT_IN, customer, 100, "THIRD")
            pair.observer.one(LOW, customer, "THIRD", 60)
            session.begin()
            session.one(DEBIT_IN, customer, 50, "THIRD")
        one = pair.settled(pair.first.start(TRANSFER_IN, "zoe", "abe", 50, "CREDIT"))
        other = pair.settled(pair.second.start(TRANSFER_IN, "abe", "zoe", 50, "OTHER"))
        pair.third.commit()
        free = "%s <> ALL (pg_blocking_pids(%s) || pg_blocking_pids(%s))"
        pair.wait_for(free, pair.third.pid, pair.first.pid, pair.second.pid)
        pair.settled(other)
        fourth.commit()
        one.one()
        other.one()
    finally:
        fourth.close()
    rows = pair.observer.all("SELECT type FROM credits.outbox_rows WHERE customer_id IN ('abe', 'zoe')")
    counts = Counter(row["type"] for row in rows)
    pair.checks.equal((counts["balance.low"], counts["recharge.canceled"]), (4, 2), "each of them is told of")


def a_first_purchase_of_a_new_customer(pair: Pair) -> None:
    """a transaction that makes a customer and then begins a purchase under a key, beside the same purchase"""
    price = pair.observer.one(PACK, "CREDIT")["price_id"]
    pair.first.begin()
    pair.first.one(UPSERT, "a new customer")
    other = pair.blocked(pair.second.start(BUY, "a new customer", price, "the key"))
    first = pair.first.one(BUY, "a new customer", price, "the key")
    pair.first.commit()
    row = other.one()
    pair.checks.equal((row["top_up_id"], row["replayed"]), (first["top_up_id"], True), "what the other is answered")


CASES = [
    a_refund_told_before_its_payment_and_beside_it, a_dispute_told_before_its_payment, an_erasure_beside_a_redelivery,
    a_customer_changed_before_a_debit, two_transfers_in_two_currencies, a_first_purchase_of_a_new_customer,
]  # fmt: skip


class Holding:
    """A session that has the customer's account until the end."""

    def __init__(self, pair: Pair, session: Session, code: str = "CREDIT") -> None:
        self.session = session
        session.begin()
        session.one(DEBIT_IN, pair.customer, 1, code)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.session.commit()


def _other(pair: Pair) -> None:
    pair.observer.one("SELECT CASE WHEN NOT EXISTS (SELECT FROM credits_internal.currencies WHERE currency = 'OTHER')"
                      " THEN (SELECT currency FROM credits.currency_create('OTHER')) END")  # fmt: skip


def _begun(pair: Pair, name: str) -> Any:
    """A purchase of a new customer's who has 50 already."""
    pair.customer = name
    pair.give(50)
    pair.observer.one(PROVIDER, SECRET)
    price = pair.observer.one(PACK, "CREDIT")["price_id"]
    return pair.observer.one(BUY, name, price, None)["top_up_id"]


def _event(kind: str, reference: str, payment: str | None = None, customer: str | None = None, top_up_id: Any = None,
           amount: int = 2, **more: Any) -> tuple[str, str]:  # fmt: skip
    """An event of the provider's, and its signature."""
    event: dict[str, Any] = {"id": f"{kind} {reference}", "type": kind, "reference": reference, "currency": "USD"}
    event |= {"amount": amount, **more}
    event |= {"payment": payment} if payment else {}
    event |= {"customer_id": customer, "top_up_id": str(top_up_id)} if customer else {}
    payload = json.dumps(event)
    return payload, hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _ignored(pair: Pair, kind: str, reference: str, payment: str) -> None:
    row = pair.observer.one(RECEIVE, *_event(kind, reference, payment))
    pair.checks.equal(row["outcome"], "ignored", "nobody knows the payment yet")


def _succeeded(pair: Pair, session: Session, top_up_id: Any, payment: str) -> Waiting:
    event = _event("payment.succeeded", payment, customer=pair.customer, top_up_id=top_up_id, amount=10)
    return session.start(RECEIVE, *event)


SECONDS = 10.0
SESSIONS = 8
SEED = int(os.environ.get("SEED") or 1)
CUSTOMERS = ("ann", "bob", "cyd")
CURRENCIES = ("CREDIT", "OTHER")
# How often each kind is called, beside the others.
KINDS = {
    "debit": 8, "grant": 6, "transfer": 8, "hold": 4, "event": 6, "batch": 4, "inbox": 3, "settle": 3, "maintain": 1,
    "batch of maintenance": 2, "auto-recharge": 3, "buy": 6, "pay": 6, "webhook": 16, "erase": 3, "clear": 1, "upsert": 4,
    "claim": 4, "configure": 2, "rate": 2, "recharge limits": 1, "upsert and spend": 3, "work": 4, "adjust": 2,
    "cancel": 4,
    "by hand": 12, "late": 4,
}  # fmt: skip


class Stress:
    """What one session of the stress does."""

    def __init__(self, database: str, number: int) -> None:
        self.random = random.Random(f"{SEED} {number}")
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '60s'")
        self.counts: Counter[str] = Counter()
        self.number = 0

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def run(self) -> Counter[str]:
        until = time.monotonic() + SECONDS
        names, weights = list(KINDS), list(KINDS.values())
        while time.monotonic() < until:
            (kind,) = self.random.choices(names, weights)
            try:
                self.call(kind)
                self.counts[kind] += 1
            except psycopg.Error as error:
                state = error.sqlstate or str(error)
                self.counts[state] += 1
                if not state.startswith("PC"):
                    self.counts[f"{state} of {kind}: {error.diag.message_detail or error}"] += 1
                self.connection.rollback()
        self.connection.close()
        return self.counts

    def call(self, kind: str) -> None:
        some = self.random.choice
        customer, code = some(CUSTOMERS), some(CURRENCIES)
        other = some([one for one in CUSTOMERS if one != customer])
        amount = self.random.randint(1, 40)
        match kind:
            case "debit":
                self.all(DEBIT_IN, customer, amount, code)
            case "grant":
                self.all(CREDIT_IN, customer, amount, code)
            case "adjust":
                self.all("SELECT credits.wallet_adjust(%s, %s, 'gift', %s)", customer, amount, code)
            case "transfer":
                self.all(TRANSFER_IN, customer, other, amount, code)
            case "hold":
                for row in self.all("SELECT hold_id FROM credits.hold_create(%s, %s, %s)", customer, amount, code):
                    self.all("SELECT credits.hold_capture(%s, %s, %s)", customer, row["hold_id"], some((0, amount)))
            case "event":
                meter = some(("calls", "files", "later", "both"))
                self.all("SELECT credits.report_meter_event(%s, %s, 1, %s)", customer, meter, str(uuid.uuid4()))
            case "batch":
                customers = [some(CUSTOMERS) for _ in range(6)]
                meters = [some(("calls", "files", "later", "both")) for _ in customers]
                names = [str(uuid.uuid4()) for _ in customers]
                query = "SELECT * FROM credits.report_meter_events(%s::text[], %s::text[], %s::numeric[], %s::text[])"
                self.all(query, customers, meters, [1] * 6, names)
            case "cancel":
                self.cancel(customer)
            case "inbox":
                query = "INSERT INTO credits.inbox (customer_id, event_name, value) SELECT c, %s, 1 FROM unnest(%s::text[]) c"
                self.all(query, some(("calls", "files")), list(CUSTOMERS))
            case "settle":
                self.all("SELECT credits.settle()")
            case "maintain":
                self.all("CALL credits.maintain()")
            case "batch of maintenance":
                self.all("SELECT credits.maintain_batch(100)")
            case "auto-recharge":
                self.all(AUTO, customer, code, self.price(code))
            case "buy":
                self.all(BUY, customer, self.price(code), some((None, f"key {self.random.randint(1, 50)}")))
            case "pay":
                self.pay()
            case "webhook":
                self.webhook()
            case "erase":
                self.all(ERASE, customer)
            case "clear":
                self.all("SELECT credits.customer_metadata_clear(%s)", customer)
            case "upsert":
                self.all(UPSERT, customer)
            case "claim":
                rows = self.all("SELECT * FROM credits.outbox_claim('stress', 20, '1 s')")
                self.all("SELECT credits.outbox_ack('stress', %s)", [row["outbox_id"] for row in rows])
            case "configure":
                self.all(LOW, customer, code, amount)
            case "rate":
                self.all("SELECT credits.exchange_rate_set(%s, 'USD', 0.1, effective_at => now() + interval '1 h')", code)
            case "recharge limits":
                self.all("SELECT credits.configure_recharge(%s, %s)", code, self.price(code))
            case "by hand":
                self.by_hand(customer, code)
            case "late":
                terms = "expires_at => clock_timestamp() + interval '0.5 s'"
                self.all(f"SELECT credits.credit_grant(%s, %s, %s, {terms})", customer, amount, code)
                event = "SELECT credits.report_meter_event(%s, %s, 2, %s, occurred_at => now() - interval '1 s')"
                self.all(event, customer, some(("calls", "files", "later")), str(uuid.uuid4()))
            case "upsert and spend":
                with self.connection.transaction():
                    self.all(UPSERT, customer)
                    self.all(DEBIT_IN, customer, 1, code)
                    self.all(CREDIT_IN, customer, 1, code)
            case _:
                query = "SELECT customer_id, recharge_id, top_up_id FROM credits.recharge_log WHERE status = 'requested'"
                for row in self.all(query + " ORDER BY random() LIMIT 1"):
                    begun = self.all("SELECT * FROM credits.recharge_begin(%s, %s)", row["customer_id"], row["recharge_id"])
                    if begun[0]["go"]:
                        self.all(PAY, row["customer_id"], row["top_up_id"], f"recharge {row['recharge_id']}")

    def by_hand(self, customer: str, code: str) -> None:
        """A grant is ended, in part or as a mistake, suspended, resumed or extended."""
        query = "SELECT grant_id FROM credits.grants WHERE customer_id = %s AND currency = %s AND ended_at IS NULL"
        for row in self.all(query + " ORDER BY random() LIMIT 1", customer, code):
            call = self.random.choice((
                "suspend(%s, %s)", "resume(%s, %s)", "resume(%s, %s)", "extend(%s, %s, now() + random() * interval '9 s')",
                "void(%s, %s, amount => 1)", "expire(%s, %s, 2, 'k' || (random() * 99)::int)", "void(%s, %s)",
                "void(%s, %s, amount => 3, spent => 'pending')", "void(%s, %s, spent => 'pending')",
                "update(%s, %s, expired => true)",
            ))  # fmt: skip
            self.all(f"SELECT credits.credit_grant_{call}", customer, row["grant_id"])

    def price(self, code: str) -> Any:
        return self.all("SELECT price_id FROM credits.packages WHERE credit_currency = %s LIMIT 1", code)[0]["price_id"]

    def cancel(self, customer: str) -> None:
        """Of an event that two currencies paid, if there is one."""
        query = "SELECT identifier FROM credits.usage WHERE customer_id = %s AND status <> 'canceled' AND event_name = 'both'"
        for row in self.all(query + " ORDER BY fallback_covered IS NULL, created_at DESC LIMIT 1", customer):
            self.all("SELECT credits.meter_event_cancel(%s, %s)", customer, row["identifier"])

    def purchase(self) -> dict[str, Any] | None:
        """One of the latest, so that several sessions tell of the same."""
        rows = self.all("SELECT customer_id, top_up_id FROM credits.top_ups ORDER BY created_at DESC LIMIT 6")
        return self.random.choice(rows) if rows else None

    def pay(self) -> None:
        if purchase := self.purchase():
            customer, top_up_id = purchase["customer_id"], purchase["top_up_id"]
            if self.random.random() < 0.5:
                self.all(PAY, customer, top_up_id, f"p {top_up_id}")
            else:
                self.all(REFUND, customer, top_up_id, f"r {top_up_id}", f"p {top_up_id}")

    def webhook(self) -> None:
        """Of a payment, and of refunds and disputes that name nothing but the payment, in any order and again and again."""
        if not (purchase := self.purchase()):
            return
        payment = f"p {purchase['top_up_id']}"
        kind = self.random.choice(("succeeded", "refunded", "disputed", "refund_failed"))
        if kind == "succeeded":
            whose = {"customer": purchase["customer_id"], "top_up_id": purchase["top_up_id"]}
            event = _event("payment.succeeded", payment, amount=10, **whose)
        else:
            event = _event(f"payment.{kind}", f"{kind[0]} {purchase['top_up_id']}", payment)
        self.all(RECEIVE, *event)


def run_session(database: str, number: int) -> Counter[str]:
    """What the process of one session does."""
    return Stress(database, number).run()


def run(checks: Checks) -> None:
    what = f"lock order: {SESSIONS} sessions, all kinds of calls on {len(CUSTOMERS)} customers, {SECONDS:.0f} s, seed {SEED}"
    with checks.case(what), harness.fresh_database("lock_order") as database:
        with harness.connect(database) as connection:
            _open(connection)
        counts: Counter[str] = sum(together(run_session, [(database, number) for number in range(SESSIONS)]), Counter())
        say("        " + ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())))
        checks.none([name for name in counts if name[:2] in ("40", "XX", "23", "55", "57")], "no deadlock, nothing unexpected")
        checks.none([kind for kind in KINDS if not counts[kind]], "every kind of call was made")
        with harness.connect(database) as connection:
            connection.execute("CALL credits.maintain()")
            checks.none(harness.verify(connection), "verify() finds nothing")


def _open(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.currency_create('OTHER')")
    connection.execute("SELECT credits.meter_create('calls')")
    connection.execute("SELECT credits.meter_create('files', currency => 'OTHER')")
    connection.execute("SELECT credits.meter_create('later', settlement => 'deferred')")
    connection.execute("SELECT credits.meter_create('both', unit_price => 20)")
    connection.execute("SELECT credits.meter_update('both', fallback_currency => 'OTHER', fallback_rate => 0.3)")
    connection.execute(PROVIDER, [SECRET])
    connection.execute("SELECT credits.outbox_consumer_create('stress')")
    for setting in ("late_usage_grace = '5s'", "expiring_notice = '1h'"):
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET credits.{setting}")
    for code in CURRENCIES:
        connection.execute(PACK, [code])
        for customer in CUSTOMERS:
            connection.execute(CREDIT_IN, [customer, 100, code])
            connection.execute(LOW, [customer, code, 50])
