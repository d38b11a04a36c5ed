"""Two sessions that meet on one subscription: begun once, renewed once, paid once, and over once."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sessions import Pair, refusal

PRODUCT = "SELECT product_id FROM credits.product_create(%s)"
PRICE = """
    SELECT price_id FROM credits.price_create(%s, 'recurring', 20, 'USD', recurring => '{"interval": "month"}', lookup_key => %s,
        credit_config => '{"amount": 40, "schedule": {"delivery": "schedule", "every": "10 days"}}')"""
CREATE = """
    SELECT * FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)),
                                              idempotency_key => 'k')"""
CANCEL = "SELECT * FROM credits.subscription_cancel(%s, %s, 'now')"
PAUSE = "SELECT * FROM credits.subscription_pause(%s, %s)"
RESUME = "SELECT * FROM credits.subscription_resume(%s, %s)"
RECOVER = "SELECT * FROM credits.subscription_recover(%s, %s)"
PREVIEW = """
    SELECT lowered FROM credits.subscription_preview(%s, %s, (SELECT jsonb_build_array(jsonb_build_object(
        'subscription_item_id', subscription_item_id, 'quantity', %s::int))
        FROM credits.subscription_items WHERE customer_id = %s))"""
UPDATE = """
    SELECT * FROM credits.subscription_update(%s, %s, (SELECT jsonb_build_array(jsonb_build_object(
        'subscription_item_id', subscription_item_id, 'quantity', %s::int))
        FROM credits.subscription_items WHERE customer_id = %s))"""
ADD = "SELECT * FROM credits.subscription_item_create(%s, %s, lookup_key => %s, idempotency_key => 'more')"
REMOVE = "SELECT * FROM credits.subscription_item_delete(%s, %s)"
QUANTITY = "SELECT * FROM credits.subscription_item_update(%s, %s, quantity => %s)"
YEARLY = """
    SELECT * FROM credits.subscription_update(%s, %s, (SELECT jsonb_agg(jsonb_build_object(
        'subscription_item_id', subscription_item_id, 'lookup_key', %s::text))
        FROM credits.subscription_items WHERE customer_id = %s AND removed_at IS NULL))"""
YEAR = """
    SELECT price_id FROM credits.price_create(%s, 'recurring', 200, 'USD', recurring => '{"interval": "year"}', lookup_key => %s)"""
DELETE = "SELECT * FROM credits.subscription_delete(%s, %s)"
UPCOMING = "SELECT count(*) AS n FROM credits.billing_events WHERE customer_id = %s AND type = 'invoice.upcoming'"
PERIODS = "SELECT count(*) AS n FROM credits_internal.subscription_periods WHERE customer_id = %s"
ITEMS = "SELECT count(*) AS n FROM credits.subscription_items WHERE customer_id = %s AND removed_at IS NULL"
PRODUCT_OF = "SELECT product_id FROM credits.products WHERE name = %s"
SECRET = "a secret of Stripe's"
PROVIDER = "SELECT provider FROM credits.payment_provider_set('stripe', 'a secret of Stripe''s', tolerance => 2000000000)"
PROVIDED = """
    SELECT subscription_id FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)),
        collection_method => 'external', provider => 'stripe', provider_reference => %s)"""
RECEIVE = "SELECT * FROM credits.webhook_receive('stripe', %s, %s)"
PAY = "SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s, 20)"
MAINTAIN = "SELECT credits.maintain_batch(100, 'subscriptions') AS done"
CLOCK = "SELECT set_config('credits.test_clock', %s, false), set_config('credits.test_clock_drives_billing', 'on', false)"
INTENT = "SELECT payment_intent_id AS id FROM credits.payment_intents WHERE customer_id = %s ORDER BY created_at DESC LIMIT 1"
STATE = "SELECT status FROM credits.subscriptions WHERE customer_id = %s"
INVOICES = "SELECT count(*) AS n FROM credits.invoices WHERE customer_id = %s"
GRANTED = "SELECT coalesce(sum(amount) FILTER (WHERE status <> 'voided'), 0)::int AS n FROM credits.grants WHERE customer_id = %s"
ITEM = "SELECT quantity::int AS n FROM credits.subscription_items WHERE customer_id = %s"


def begun_twice(pair: Pair) -> None:
    """one key, in two sessions: the second waits, and repeats it or, if the first rolled back, does it"""
    for commit in (True, False):
        _price(pair, f"sub_begun_{commit}")
        pair.first.begin()
        pair.first.one(CREATE, pair.customer, pair.customer)
        waiting = pair.blocked(pair.second.start(CREATE, pair.customer, pair.customer))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, f"{_how(commit)}: the second's answer")
        pair.checks.equal(pair.observer.one(INVOICES, pair.customer)["n"], 1, "one invoice")


def renewed_twice(pair: Pair) -> None:
    """two that renew at once: the second passes over whom the first has; a period has one invoice"""
    _paid(pair, "sub_renewed")
    _clock(pair, "2026-02-02 00:00:00+00")
    pair.first.begin()
    pair.checks.equal(pair.first.one(MAINTAIN)["done"] > 0, True, "the first renews it, and those of other cases")
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "the second waits for nobody")
    pair.first.commit()
    pair.second.one(MAINTAIN)
    pair.checks.equal(pair.observer.one(INVOICES, pair.customer)["n"], 2, "two periods, two invoices")


def renewed_by_a_call(pair: Pair) -> None:
    """a call and maintenance at once: the call waits, and finds it renewed"""
    subscription_id = _paid(pair, "sub_called")
    _clock(pair, "2026-02-02 00:00:00+00")
    pair.first.begin()
    pair.first.one(MAINTAIN)
    waiting = pair.blocked(pair.second.start(RECOVER, pair.customer, subscription_id))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.observer.one(INVOICES, pair.customer)["n"], 2, "two periods, two invoices")


def paid_and_canceled(pair: Pair) -> None:
    """a payment and the end: whoever comes second finds what the first left, and credits come once or not at all"""
    for paid_first in (True, False):
        subscription_id = _begun(pair, f"sub_paid_{paid_first}")
        intent_id = pair.observer.one(INTENT, pair.customer)["id"]
        pay, cancel = (PAY, pair.customer, intent_id, pair.customer), (CANCEL, pair.customer, subscription_id)
        one, two = (pay, cancel) if paid_first else (cancel, pay)
        pair.first.begin()
        pair.first.one(*one)
        waiting = pair.blocked(pair.second.start(*two))
        pair.first.commit()
        waiting.one()
        pair.checks.equal(pair.observer.one(STATE, pair.customer)["status"], "canceled", "it is over")
        granted = pair.observer.one(GRANTED, pair.customer)["n"]
        pair.checks.equal(granted, 10 if paid_first else 0, "the credits that had begun, or none")


def paid_twice(pair: Pair) -> None:
    """one payment, reported in two sessions: its credits come once"""
    _begun(pair, "sub_told_twice")
    intent_id = pair.observer.one(INTENT, pair.customer)["id"]
    pair.first.begin()
    pair.first.one(PAY, pair.customer, intent_id, "once")
    waiting = pair.blocked(pair.second.start(PAY, pair.customer, intent_id, "once"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["replayed"], True, "the second repeats it")
    pair.checks.equal(pair.observer.one(GRANTED, pair.customer)["n"], 40, "forty credits")


def changed_twice(pair: Pair) -> None:
    """two changes of one item: the second waits, and changes what the first left"""
    subscription_id = _paid(pair, "sub_changed")
    pair.first.begin()
    pair.first.one(UPDATE, pair.customer, subscription_id, 2, pair.customer)
    waiting = pair.blocked(pair.second.start(UPDATE, pair.customer, subscription_id, 3, pair.customer))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.observer.one(ITEM, pair.customer)["n"], 3, "three of it")
    lowered = pair.observer.one(PREVIEW, pair.customer, subscription_id, 1, pair.customer)["lowered"]
    pair.checks.equal([one["amount"] for one in lowered], ["60"], "what is pending would be lowered")


def added_and_removed_twice(pair: Pair) -> None:
    """one item, added in two sessions under one key, and removed in two: once each, whether or not the first commits"""
    for commit in (True, False):
        name = f"sub_items_{commit}"
        subscription_id = _paid(pair, name)
        pair.first.begin()
        pair.first.one(ADD, name, subscription_id, name)
        waiting = pair.blocked(pair.second.start(ADD, name, subscription_id, name))
        pair.first.end(commit)
        item = waiting.one()
        pair.checks.equal(item["replayed"], commit, f"{_how(commit)}: the second's answer")
        pair.checks.equal(pair.observer.one(ITEMS, name)["n"], 2, "two items")
        pair.first.begin()
        pair.first.one(REMOVE, name, item["subscription_item_id"])
        waiting = pair.blocked(pair.second.start(REMOVE, name, item["subscription_item_id"]))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, f"{_how(commit)}: the second removes it, or finds that done")
        pair.checks.equal(pair.observer.one(ITEMS, name)["n"], 1, "one item")


def moved_and_changed(pair: Pair) -> None:
    """a change to another interval and one of a quantity: the second waits, and changes what the first left"""
    name = "sub_moved"
    subscription_id = _paid(pair, name)
    pair.observer.one(YEAR, pair.observer.one(PRODUCT_OF, name)["product_id"], "sub_moved_year")
    item = pair.observer.one("SELECT subscription_item_id AS id FROM credits.subscription_items WHERE customer_id = %s", name)["id"]
    _clock(pair, "2026-01-11 00:00:00+00")
    pair.first.begin()
    pair.first.one(YEARLY, name, subscription_id, "sub_moved_year", name)
    waiting = pair.blocked(pair.second.start(QUANTITY, name, item, 2))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.observer.one(PERIODS, name)["n"], 2, "the month that was cut, and the year")
    # Twice the same: the second finds the year, of which nothing changes.
    pair.first.begin()
    pair.first.one(YEARLY, name, subscription_id, "sub_moved_year", name)
    waiting = pair.blocked(pair.second.start(YEARLY, name, subscription_id, "sub_moved_year", name))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.observer.one(PERIODS, name)["n"], 2, "the same two")


def deleted_and_changed(pair: Pair) -> None:
    """what is deleted meanwhile is not there to be changed"""
    name, key = "sub_deleted", "sub_deleted_year"
    _price(pair, name)
    # One that grants nothing in its trial, which so has no invoice.
    pair.observer.one(YEAR, pair.observer.one(PRODUCT_OF, name)["product_id"], key)
    tried = "SELECT * FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)), 9)"
    subscription_id = pair.observer.one(tried, name, key)["subscription_id"]
    pair.first.begin()
    pair.first.one(DELETE, name, subscription_id)
    waiting = pair.blocked(pair.second.start(ADD, name, subscription_id, key))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC019", "it is gone")
    pair.checks.equal(pair.observer.one(PERIODS, name)["n"], 0, "nothing is left")


def announced_twice(pair: Pair) -> None:
    """two that announce a renewal at once: the second passes over whom the first has, and it is announced once"""
    _paid(pair, "sub_announced")
    _clock(pair, "2026-01-30 00:00:00+00")
    pair.first.begin()
    pair.first.one(MAINTAIN)
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "the second waits for nobody")
    pair.first.commit()
    pair.second.one(MAINTAIN)
    pair.checks.equal(pair.observer.one(UPCOMING, pair.customer)["n"], 1, "one event")


def paused_and_resumed(pair: Pair) -> None:
    """a pause and its end at once: the second waits, and finds it paused"""
    subscription_id = _paid(pair, "sub_paused")
    pair.first.begin()
    pair.first.one(PAUSE, pair.customer, subscription_id)
    waiting = pair.blocked(pair.second.start(RESUME, pair.customer, subscription_id))
    pair.first.commit()
    pair.checks.equal(waiting.one()["status"], "active", "it goes on")
    pair.checks.equal(pair.observer.one(GRANTED, pair.customer)["n"], 40, "all of it is there")
    pair.first.one(CANCEL, pair.customer, subscription_id)
    error = refusal(lambda: pair.second.one(PAUSE, pair.customer, subscription_id))
    pair.checks.equal(error.sqlstate, "PC020", "what is over cannot pause")


def told_twice(pair: Pair) -> None:
    """one invoice that a provider reports, in two sessions: the second waits, and its credits come once"""
    for commit in (True, False):
        name = f"sub_provided_{commit}"
        _price(pair, name)
        pair.observer.one(PROVIDER)
        pair.observer.one(PROVIDED, name, name, f"sub_{name}")
        pair.first.begin()
        pair.first.one(RECEIVE, *_paid_event(name, 1))
        waiting = pair.blocked(pair.second.start(RECEIVE, *_paid_event(name, 1)))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, f"{_how(commit)}: the second's answer")
        pair.checks.equal(pair.observer.one(GRANTED, name)["n"], 40, "forty credits")
        # The same invoice under another event, while the first is being applied.
        pair.checks.equal(pair.second.one(RECEIVE, *_paid_event(name, 2))["outcome"], "applied", "another event of it")
        pair.checks.equal(pair.observer.one(INVOICES, name)["n"], 1, "one invoice")


def told_at_once(pair: Pair) -> None:
    """two events of one invoice, at once: the second waits for the first, and repeats it"""
    name = "sub_provided_at_once"
    _price(pair, name)
    pair.observer.one(PROVIDER)
    pair.observer.one(PROVIDED, name, name, f"sub_{name}")
    pair.first.begin()
    pair.first.one(RECEIVE, *_paid_event(name, 1))
    waiting = pair.blocked(pair.second.start(RECEIVE, *_paid_event(name, 2)))
    pair.first.commit()
    pair.checks.equal(waiting.one()["outcome"], "applied", "the second")
    pair.checks.equal(pair.observer.one(GRANTED, name)["n"], 40, "forty credits")
    pair.checks.equal(pair.observer.one(INVOICES, name)["n"], 1, "one invoice")


def _paid_event(name: str, number: int) -> tuple[str, str]:
    """A signed event: an invoice of a subscription at Stripe is paid."""
    line = {"amount": 2000, "period": {"start": 1767225600, "end": 1769904000}, "subscription_item": f"si_{name}",
            "price": {"id": f"price_{name}", "lookup_key": name}}  # fmt: skip
    invoice = {"id": f"in_{name}", "subscription": f"sub_{name}", "currency": "usd", "amount_paid": 2000,
               "lines": {"data": [line]}}  # fmt: skip
    body = json.dumps({"id": f"evt_{name}_{number}", "type": "invoice.paid", "created": 1767225600, "livemode": True,
                       "data": {"object": invoice}})  # fmt: skip
    digest = hmac.new(SECRET.encode(), f"1767225600.{body}".encode(), hashlib.sha256).hexdigest()
    return body, f"t=1767225600,v1={digest}"


def _how(commit: bool) -> str:
    return "the first commits" if commit else "the first rolls back"


def _clock(pair: Pair, at: str) -> None:
    for session in (pair.first, pair.second, pair.third, pair.observer):
        session.one(CLOCK, at)


def _price(pair: Pair, name: str) -> None:
    _clock(pair, "2026-01-01 00:00:00+00")
    pair.customer = name
    product_id = pair.observer.one(PRODUCT, name)["product_id"]
    pair.observer.one(PRICE, product_id, name)


def _begun(pair: Pair, name: str) -> Any:
    _price(pair, name)
    return pair.observer.one(CREATE, name, name)["subscription_id"]


def _paid(pair: Pair, name: str) -> Any:
    subscription_id = _begun(pair, name)
    pair.observer.one(PAY, name, pair.observer.one(INTENT, name)["id"], name)
    return subscription_id


CASES = (
    begun_twice, renewed_twice, renewed_by_a_call, paid_and_canceled, paid_twice, changed_twice, paused_and_resumed,
    added_and_removed_twice, moved_and_changed, deleted_and_changed, announced_twice,
    told_twice, told_at_once,
)  # fmt: skip
