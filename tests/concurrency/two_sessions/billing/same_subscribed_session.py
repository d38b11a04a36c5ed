"""Two sessions that meet on a checkout session which begins a subscription: one subscription, paid once, or over once."""

from __future__ import annotations

from typing import Any

from sessions import Pair, refusal

PRICE = """
    SELECT credits.price_create((SELECT product_id FROM credits.product_create(%s)), 'recurring', 20, 'USD',
        recurring => '{"interval": "month"}', lookup_key => %s, credit_config => '{"amount": 40}')"""
CREATE = """
    SELECT * FROM credits.checkout_session_create(%s, 'subscription',
        jsonb_build_array(jsonb_build_object('lookup_key', %s::text)))"""
SUBMIT = "SELECT * FROM credits.checkout_session_submit(%s, %s)"
EXPIRE = "SELECT * FROM credits.checkout_session_expire(%s, %s)"
CANCEL = """
    SELECT * FROM credits.subscription_cancel(%s, (SELECT subscription_id FROM credits.checkout_sessions
                                                   WHERE checkout_session_id = %s), 'now')"""
PAY = "SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s, 20)"
FAIL = "SELECT * FROM credits.payment_failed(%s, %s, 'stripe', %s)"
MAINTAIN = "SELECT credits.maintain_batch(100, 'sessions') AS done"
ENDS = "UPDATE credits_internal.checkout_sessions SET expires_at = now() - interval '1 s' WHERE checkout_session_id = %s"
INTENT_ENDS = "UPDATE credits_internal.payment_intents SET expires_at = now() - interval '1 s' WHERE payment_intent_id = %s"
STATE = """
    SELECT s.status, b.status AS subscription,
           (SELECT count(*) FROM credits.subscriptions o WHERE o.customer_id = s.customer_id) AS begun,
           (SELECT coalesce(sum(g.amount), 0)::int FROM credits.grants g WHERE g.customer_id = s.customer_id) AS credits,
           (SELECT count(*) FROM credits.outbox_rows o
            WHERE o.customer_id = s.customer_id AND o.type = 'refund.requested') AS refunds
    FROM credits.checkout_sessions s LEFT JOIN credits.subscriptions b USING (customer_id, subscription_id)
    WHERE s.checkout_session_id = %s"""
PAID, OVER, OPEN = ("complete", "active", 1, 40, 0), ("expired", "incomplete_expired", 1, 0, 0), ("open", "incomplete", 1, 0, 0)


def submitted_twice(pair: Pair) -> None:
    """one cart, submitted in two sessions: the second waits, and repeats it or, if the first rolled back, does it"""
    for commit in (True, False):
        cart = _cart(pair, f"twice_{commit}")
        pair.first.begin()
        pair.first.one(SUBMIT, pair.customer, cart)
        waiting = pair.blocked(pair.second.start(SUBMIT, pair.customer, cart))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, "the second's answer")
        pair.checks.equal(_state(pair, cart), OPEN, "one subscription")


def failed_and_submitted_again(pair: Pair) -> None:
    """a failure and another submission: the same subscription"""
    for failed_first in (True, False):
        cart = _submitted(pair, f"again_{failed_first}")
        fail, submit = (FAIL, pair.customer, cart, f"p of {pair.customer}"), (SUBMIT, pair.customer, cart)
        one, two = (fail, submit) if failed_first else (submit, fail)
        pair.first.begin()
        pair.first.one(*one)
        waiting = pair.blocked(pair.second.start(*two))
        pair.first.end(True)
        waiting.one()
        pair.checks.equal(_state(pair, cart), OPEN, "one subscription")


def paid_and_ended(pair: Pair) -> None:
    """a payment and the end: paid, or over and the money asked back"""
    for paid_first in (True, False):
        for commit in (True, False):
            cart = _submitted(pair, f"ended_{paid_first}_{commit}")
            pay, end = (PAY, pair.customer, cart, f"p of {pair.customer}"), (EXPIRE, pair.customer, cart)
            one, two = (pay, end) if paid_first else (end, pay)
            pair.first.begin()
            pair.first.one(*one)
            waiting = pair.blocked(pair.second.start(*two))
            pair.first.end(commit)
            if paid_first and commit:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is complete")
            else:
                waiting.one()
            if paid_first:
                expected = PAID if commit else OVER
            else:
                expected = (*OVER[:4], 1) if commit else PAID
            pair.checks.equal(_state(pair, cart), expected, "paid, or over")


def paid_and_canceled(pair: Pair) -> None:
    """a payment and the subscription's cancellation: whoever comes second finds what the first left"""
    for paid_first in (True, False):
        cart = _submitted(pair, f"canceled_{paid_first}")
        pay, cancel = (PAY, pair.customer, cart, f"p of {pair.customer}"), (CANCEL, pair.customer, cart)
        one, two = (pay, cancel) if paid_first else (cancel, pay)
        pair.first.begin()
        pair.first.one(*one)
        waiting = pair.blocked(pair.second.start(*two))
        pair.first.end(True)
        waiting.one()
        expected = ("complete", "canceled", 1, 40, 0) if paid_first else ("expired", "canceled", 1, 0, 1)
        pair.checks.equal(_state(pair, cart), expected, "canceled, paid or not")


def paid_twice(pair: Pair) -> None:
    """one payment, reported in two sessions, also of a cart that nobody submitted: it begins once"""
    for submitted in (True, False):
        cart = _submitted(pair, "told") if submitted else _cart(pair, "unasked")
        pair.first.begin()
        pair.first.one(PAY, pair.customer, cart, f"p of {pair.customer}")
        waiting = pair.blocked(pair.second.start(PAY, pair.customer, cart, f"p of {pair.customer}"))
        pair.first.end(True)
        waiting.one()
        pair.checks.equal(_state(pair, cart), PAID, "once")


def maintained_meanwhile(pair: Pair) -> None:
    """maintenance passes over a customer that is locked, and ends what is over once it is free"""
    cart = _submitted(pair, "maintained")
    pair.observer.all(ENDS, cart)
    pair.observer.all(INTENT_ENDS, cart)
    pair.first.begin()
    pair.first.one(SUBMIT, pair.customer, _other(pair))
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "it waits for nobody")
    pair.first.rollback()
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 1, "it is over")
    pair.checks.equal(_state(pair, cart), OVER, "and so is its subscription")


def _other(pair: Pair) -> Any:
    return pair.observer.one(CREATE, pair.customer, pair.customer)["checkout_session_id"]


def _cart(pair: Pair, name: str) -> Any:
    pair.customer = f"subscribed_{name}"
    pair.observer.one(PRICE, pair.customer, pair.customer)
    return pair.observer.one(CREATE, pair.customer, pair.customer)["checkout_session_id"]


def _submitted(pair: Pair, name: str) -> Any:
    cart = _cart(pair, name)
    pair.observer.one(SUBMIT, pair.customer, cart)
    return cart


def _state(pair: Pair, cart: Any) -> tuple[Any, ...]:
    return tuple(pair.observer.one(STATE, cart).values())


CASES = (
    submitted_twice, failed_and_submitted_again, paid_and_ended, paid_and_canceled, paid_twice, maintained_meanwhile,
)  # fmt: skip
