"""Usage that no credit covers, and the renewal that takes what is owed: each credit is on the invoice, or is pending."""

from __future__ import annotations

from typing import Any

from sessions import Pair, refusal

PRODUCT = "SELECT product_id FROM credits.product_create(%s)"
PRICE = """
    SELECT price_id FROM credits.price_create(%s, 'recurring', 20, 'USD', recurring => '{"interval": "month"}', lookup_key => %s,
        credit_config => '{"amount": 40, "schedule": {"expire_with_next_grant": true}}')"""
METER = "SELECT event_name FROM credits.meter_create(%s)"
CREATE = """
    SELECT subscription_id AS id FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)),
        at_period_end => 'invoice', overage_rate => 0.5)"""
USE = "SELECT pending::int AS n FROM credits.report_meter_event(%s, %s, 10, %s)"
PAY = "SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s)"
VOID = "SELECT status FROM credits.invoice_void(%s, %s)"
MAINTAIN = "SELECT credits.maintain_batch(100, 'subscriptions') AS done"
CLOCK = "SELECT set_config('credits.test_clock', %s, false), set_config('credits.test_clock_drives_billing', 'on', false)"
OPEN = "SELECT invoice_id AS id, payment_intent_id AS intent FROM credits.invoices WHERE customer_id = %s AND status = 'open'"
PURSE = "SELECT pending::int, invoiced::int FROM credits.wallets WHERE customer_id = %s AND currency = 'CREDIT'"
VERIFY = "SELECT count(*) AS n FROM credits.verify(%s)"


def used_then_renewed(pair: Pair) -> None:
    """usage under way as the period ends: maintenance passes over it, and takes it once it is committed"""
    _owing(pair, "owed_used")
    pair.first.begin()
    pair.first.one(USE, pair.customer, pair.customer, "late")
    _clock(pair, "2026-02-02 00:00:00+00")
    pair.second.one(MAINTAIN)
    _purse(pair, 10, 0, "nothing is taken while it may change")
    pair.first.commit()
    pair.second.one(MAINTAIN)
    _purse(pair, 0, 20, "both are on the invoice")


def renewed_then_used(pair: Pair) -> None:
    """usage while the renewal takes what is owed: it waits, and is the next period's"""
    _owing(pair, "owed_renewed")
    _clock(pair, "2026-02-02 00:00:00+00")
    pair.first.begin()
    pair.first.one(MAINTAIN)
    waiting = pair.blocked(pair.second.start(USE, pair.customer, pair.customer, "late"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["n"], 10, "it is owed")
    _purse(pair, 10, 10, "ten are on the invoice, ten are pending")


def paid_and_void(pair: Pair) -> None:
    """its invoice is paid and made void at once: what it holds is closed once, or owed again once"""
    for paid_first in (True, False):
        _owing(pair, f"owed_closed_{paid_first}")
        _clock(pair, "2026-02-02 00:00:00+00")
        pair.observer.one(MAINTAIN)
        bill = pair.observer.one(OPEN, pair.customer)
        pay, void = (PAY, pair.customer, bill["intent"], f"{pair.customer} 2"), (VOID, pair.customer, bill["id"])
        one, two = (pay, void) if paid_first else (void, pay)
        pair.first.begin()
        pair.first.one(*one)
        waiting = pair.blocked(pair.second.start(*two))
        pair.first.commit()
        error = refusal(waiting.one) if paid_first else waiting.one() and None
        pair.checks.equal(error and error.sqlstate, "PC020" if paid_first else None, "what is paid is not void")
        _purse(pair, 0 if paid_first else 10, 0, "paid" if paid_first else "owed again")


def _purse(pair: Pair, pending: int, invoiced: int, what: str) -> None:
    pair.checks.equal(dict(pair.observer.one(PURSE, pair.customer)), {"pending": pending, "invoiced": invoiced}, what)
    pair.checks.equal(pair.observer.one(VERIFY, pair.customer)["n"], 0, "verify() finds nothing")


def _clock(pair: Pair, at: str) -> None:
    for session in (pair.first, pair.second, pair.third, pair.observer):
        session.one(CLOCK, at)


def _owing(pair: Pair, name: str) -> Any:
    """A subscription that is paid, in whose first period ten credits more were used than there are."""
    _clock(pair, "2026-01-01 00:00:00+00")
    pair.customer = name
    product_id = pair.observer.one(PRODUCT, name)["product_id"]
    pair.observer.one(PRICE, product_id, name)
    pair.observer.one(METER, name)
    pair.observer.one(CREATE, name, name)
    pair.observer.one(PAY, name, pair.observer.one(OPEN, name)["intent"], name)
    for number in range(5):
        pair.observer.one(USE, name, name, f"use {number}")


CASES = (used_then_renewed, renewed_then_used, paid_and_void)
