"""Two sessions that meet on one purchase, or on one account that recharges itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sessions import CREDIT, DEBIT, Pair

# References are the provider's, so each purchase has its own.
OF = "FROM (SELECT %s::text, %s::uuid, %s::text) AS p (customer, top_up, name)"
PAY = f"SELECT s.* {OF}, credits.payment_succeeded(customer, top_up, 'shop', name || ' of ' || top_up) AS s"
FAIL = f"SELECT f.* {OF}, credits.payment_failed(customer, top_up, 'shop', name || ' of ' || top_up) AS f"
REFUND = f"SELECT r.* {OF}, credits.payment_refunded(customer, top_up, 'shop', name || ' of ' || top_up, %s) AS r"
# Of what two purchases have in common.
PAY_SHARED = "SELECT * FROM credits.payment_succeeded(%s, %s, 'shop', %s)"
REFUND_SHARED = "SELECT * FROM credits.payment_refunded(%s, %s, 'shop', %s, %s)"
BEGIN = "SELECT * FROM credits.recharge_begin(%s, %s)"
AUTO = "SELECT * FROM credits.configure_auto_recharge(%s, threshold => 20, price_id => %s, cooldown => '0')"
REQUESTS = "SELECT recharge_id, status FROM credits.recharge_log WHERE customer_id = %s ORDER BY recharge_id"
CREATED = (
    "SELECT type FROM credits.billing_events WHERE customer_id = %s AND type IN ('invoice.created', 'payment_intent.created')"
    " ORDER BY type"
)
RECEIVE = "SELECT * FROM credits.webhook_receive('market', %s, %s)"
EXPECT = "SELECT * FROM credits.payment_provider_set('market', %s, livemode => %s)"
SECRET = "a secret of the market's"
LOW = "SELECT * FROM credits.account_configure(%s, low_balance_threshold => 50)"


def one_payment_told_twice(pair: Pair) -> None:
    """one payment, told in two sessions: the second waits, and repeats the first or, if that rolled back, does it"""
    for commit in (True, False):
        top_up_id = _begun(pair, f"told_twice_{commit}")
        pair.first.begin()
        pair.first.one(PAY, pair.customer, top_up_id, "p1")
        waiting = pair.blocked(pair.second.start(PAY, pair.customer, top_up_id, "p1"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, "a repeat of what is committed")
        pair.checks.equal(pair.balance(), (100, 0, 0), "the credits are there once")


def two_payments_of_one_purchase(pair: Pair) -> None:
    """two payments of one purchase: the second waits, grants nothing and is told apart"""
    top_up_id = _begun(pair, "two_payments")
    pair.first.begin()
    pair.first.one(PAY, pair.customer, top_up_id, "p1")
    waiting = pair.blocked(pair.second.start(PAY, pair.customer, top_up_id, "p2"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["contradiction"], "it was paid before, by another payment", "it contradicts")
    pair.checks.equal(pair.balance(), (100, 0, 0), "the credits are there once")


def one_payment_of_two_purchases(pair: Pair) -> None:
    """one payment told of two customers' purchases at once: the second waits, and is paid only if the first rolled back"""
    for commit in (True, False):
        theirs = _begun(pair, f"first_payer_{commit}")
        payer, reference = pair.customer, f"shared_{commit}"
        ours = _begun(pair, f"second_payer_{commit}")
        pair.first.begin()
        pair.first.one(PAY_SHARED, payer, theirs, reference)
        waiting = pair.blocked(pair.second.start(PAY_SHARED, pair.customer, ours, reference))
        pair.first.end(commit)
        expected = ("initiated", f"it belongs to another payment, {theirs}: nothing is done") if commit else ("paid", None)
        row = waiting.one()
        pair.checks.equal((row["status"], row["contradiction"]), expected, "what the second is told")
        pair.checks.equal(pair.balance(), (0 if commit else 100, 0, 0), "it is granted once")


def one_refund_of_two_purchases(pair: Pair) -> None:
    """one refund told of two customers' purchases at once: the second waits, and takes only if the first rolled back"""
    for commit in (True, False):
        theirs = _begun(pair, f"first_refunded_{commit}")
        payer, reference = pair.customer, f"refund_{commit}"
        pair.first.one(PAY, payer, theirs, "p1")
        ours = _begun(pair, f"second_refunded_{commit}")
        pair.second.one(PAY, pair.customer, ours, "p1")
        pair.first.begin()
        pair.first.one(REFUND_SHARED, payer, theirs, reference, 4)
        waiting = pair.blocked(pair.second.start(REFUND_SHARED, pair.customer, ours, reference, 4))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["taken"], 0 if commit else 40, "what the second takes")
        pair.checks.equal(pair.balance(), (100 if commit else 60, 0, 0), "it is taken once")


def a_refund_while_it_is_paid(pair: Pair) -> None:
    """a refund while its payment is under way waits, and takes its part; if that rolled back it is kept for later"""
    for commit, expected in ((True, 70), (False, 0)):
        top_up_id = _begun(pair, f"refund_meanwhile_{commit}")
        pair.first.begin()
        pair.first.one(PAY, pair.customer, top_up_id, "p1")
        waiting = pair.blocked(pair.second.start(REFUND, pair.customer, top_up_id, "r1", 3))
        pair.first.end(commit)
        pair.checks.equal((waiting.one()["taken"], pair.balance()[0]), (30 if commit else 0, expected), "what it takes")
        pair.second.one(PAY, pair.customer, top_up_id, "p1")
        pair.checks.equal(pair.balance(), (70, 0, 0), "in the end its part is gone")


def one_ignored_refund_delivered_twice(pair: Pair) -> None:
    """a refund that was ignored and names no payment, delivered twice at once: it is taken once, also behind a rollback"""
    for commit in (True, False):
        top_up_id = _begun(pair, f"ignored_refund_{commit}")
        pair.first.one(PAY, pair.customer, top_up_id, "p1")
        event = {"id": f"e of {top_up_id}", "type": "payment.refunded", "livemode": True, "amount": 2, "currency": "USD"}
        payload = json.dumps(event | {"customer_id": pair.customer, "top_up_id": str(top_up_id)})
        delivery = (RECEIVE, payload, hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest())
        pair.observer.one(EXPECT, SECRET, False)
        pair.checks.equal(pair.observer.one(*delivery)["reason"], "livemode", "it is ignored at first")
        pair.observer.one(EXPECT, SECRET, True)
        # Both are under way before either has written what came of it.
        pair.third.begin()
        pair.third.one(DEBIT, pair.customer, 10, None)
        pair.first.begin()
        one = pair.blocked(pair.first.start(*delivery), pair.third)
        other = pair.settled(pair.second.start(*delivery))
        pair.third.commit()
        pair.checks.equal(one.one()["outcome"], "applied", "what the first is answered")
        pair.first.end(commit)
        row = other.one()
        pair.checks.equal((row["outcome"], row["replayed"]), ("applied", commit), "what the second is answered")
        pair.checks.equal(pair.balance(), (70, 0, 0), "it is taken once")


def a_refund_behind_a_debit(pair: Pair) -> None:
    """a refund waits for a debit of the same credits: what that spent is owed"""
    top_up_id = _begun(pair, "behind_a_debit")
    pair.first.one(PAY, pair.customer, top_up_id, "p1")
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 80, None)
    waiting = pair.blocked(pair.second.start(REFUND, pair.customer, top_up_id, "r1", 5))
    pair.first.commit()
    row = waiting.one()
    pair.checks.equal((row["taken"], row["pending"]), (20, 30), "20 are left to be taken, 30 are owed")
    pair.checks.equal(pair.balance(), (0, 0, 30), "the balance afterwards")


def a_failure_and_a_debit_in_one_transaction(pair: Pair) -> None:
    """a transaction that is told of a failure and then debits: a debit beside it that leaves little waits for it"""
    top_up_id = _begun(pair, "failure_and_debit")
    pair.give(100)
    pair.first.one(LOW, pair.customer)
    pair.first.begin()
    pair.first.one(FAIL, pair.customer, top_up_id, "p1")
    waiting = pair.settled(pair.second.start(DEBIT, pair.customer, 60, None))
    pair.first.one(DEBIT, pair.customer, 1, None)
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.balance(), (39, 0, 0), "both debits went through")


def two_debits_that_leave_little(pair: Pair) -> None:
    """two debits that leave too little, at once: one request, of the first, or of the second if that rolled back"""
    for commit, left in ((True, 5), (False, 10)):
        _recharging(pair, f"leave_little_{commit}", 25)
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 10, None)
        waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 15 if not commit else 10, None))
        pair.first.end(commit)
        waiting.one()
        pair.checks.equal(pair.balance()[0], left, "the debits that are committed")
        pair.checks.equal(_statuses(pair), ["requested"], "and one request")


def topped_up_while_a_worker_begins(pair: Pair) -> None:
    """a worker and a top-up by hand at once: whoever is first decides whether it may charge"""
    for worker_first, go, status in ((True, True, "processing"), (False, False, "canceled")):
        _recharging(pair, f"by_hand_{worker_first}", 15)
        (request,) = pair.observer.all(REQUESTS, pair.customer)
        begin, credit = (BEGIN, pair.customer, request["recharge_id"]), (CREDIT, pair.customer, 50, None)
        pair.first.begin()
        first = pair.first.one(*(begin if worker_first else credit))
        waiting = pair.blocked(pair.second.start(*(credit if worker_first else begin)))
        pair.first.commit()
        second = waiting.one()
        pair.checks.equal((first if worker_first else second)["go"], go, f"it {'may' if go else 'must not'} charge")
        pair.checks.equal(_statuses(pair), [status], "what became of the request")


def two_workers_begin(pair: Pair) -> None:
    """two workers begin with one request: both may charge, as after a crash of the first; one payment is granted"""
    _recharging(pair, "two_workers", 15)
    (request,) = pair.observer.all(REQUESTS, pair.customer)
    pair.first.begin()
    one = pair.first.one(BEGIN, pair.customer, request["recharge_id"])
    waiting = pair.blocked(pair.second.start(BEGIN, pair.customer, request["recharge_id"]))
    pair.first.commit()
    other = waiting.one()
    pair.checks.equal((one["go"], other["go"], other["top_up_id"]), (True, True, one["top_up_id"]), "the same charge")
    created = [row["type"] for row in pair.observer.all(CREATED, pair.customer)]
    pair.checks.equal(created, ["invoice.created", "payment_intent.created"], "what is bought began once")
    for session in (pair.first, pair.second):
        session.one(PAY, pair.customer, one["top_up_id"], "p1")
    pair.checks.equal((pair.balance()[0], _statuses(pair)), (115, ["paid"]), "paid once")


CASES = [
    one_payment_told_twice, two_payments_of_one_purchase, one_payment_of_two_purchases, one_refund_of_two_purchases,
    a_refund_while_it_is_paid, one_ignored_refund_delivered_twice, a_refund_behind_a_debit,
    a_failure_and_a_debit_in_one_transaction, two_debits_that_leave_little, topped_up_while_a_worker_begins,
    two_workers_begin,
]  # fmt: skip


def _price(pair: Pair) -> Any:
    """Of a pack of 100 credits for 10 USD."""
    return pair.observer.one("SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD')")["price_id"]


def _begun(pair: Pair, name: str) -> Any:
    """A purchase of a new customer's that nobody has paid yet."""
    pair.customer = name
    return pair.observer.one("SELECT top_up_id FROM credits.top_up_create(%s, %s)", name, _price(pair))["top_up_id"]


def _recharging(pair: Pair, name: str, amount: int) -> None:
    """A new customer with so much, whose account recharges itself below 20."""
    pair.customer = name
    pair.give(amount)
    pair.observer.one(AUTO, name, _price(pair))


def _statuses(pair: Pair) -> list[str]:
    return [row["status"] for row in pair.observer.all(REQUESTS, pair.customer)]
