"""Two sessions that meet on a plan that a wallet pays: maintenance waits for no wallet, and nothing is paid twice."""

from __future__ import annotations

from typing import Any

from sessions import DEBIT, GRANT, Pair, refusal

PRICE = """
    SELECT credits.price_create((SELECT product_id FROM credits.product_create(%s)), 'recurring', 20, 'CREDIT',
        recurring => '{"interval": "month"}', lookup_key => %s)"""
CREATE = """
    SELECT subscription_id AS id
    FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)))"""
RECOVER = "SELECT status FROM credits.subscription_recover(%s, %s)"
MAINTAIN = "SELECT credits.maintain_batch(100, 'subscriptions') AS done"
CLOCK = "SELECT set_config('credits.test_clock', %s, false), set_config('credits.test_clock_drives_billing', 'on', false)"
PAY = """
    SELECT status FROM credits.invoice_pay(%s, (SELECT invoice_id FROM credits.invoices
        WHERE customer_id = %s AND status = 'open'), 'wallet')"""
STATE = """
    SELECT s.status, w.available::int AS available,
           (SELECT string_agg(i.status, ', ' ORDER BY i.created_at) FROM credits.invoices i
            WHERE i.customer_id = s.customer_id) AS invoices
    FROM credits.subscriptions s, credits.wallet_balance(s.customer_id, 'CREDIT') w WHERE s.customer_id = %s"""
BEGAN = "2026-01-01 00:00:00+00"
RENEWS = "2026-02-01 00:00:00+00"
TRIED_AGAIN = "2026-02-02 00:00:00+00"


def debited_and_renewed(pair: Pair) -> None:
    """a wallet that is in use as its plan renews: maintenance renews the others, and this one with what is left of it"""
    for spent, left in ((10, ("active", 10, "paid, paid")), (30, ("past_due", 10, "paid, open"))):
        name, beside = f"plan_spent_{spent}", f"plan_beside_{spent}"
        ids = _begun(pair, 60, name, beside)
        _clock(pair, RENEWS)
        pair.first.begin()
        pair.first.one(DEBIT, name, spent, "spent")
        pair.checks.equal(pair.second.one(MAINTAIN)["done"], 1, "the other one, without waiting")
        pair.checks.equal(_state(pair, beside), ("active", 20, "paid, paid"), "it is renewed")
        pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "whose wallet is in use is left for later")
        waiting = pair.blocked(pair.second.start(RECOVER, name, ids[name]))
        pair.first.commit()
        pair.checks.equal(waiting.one()["status"], left[0], "a call waits for the wallet")
        pair.checks.equal(_state(pair, name), left, "paid from what is left, or not at all")


def renewed_and_debited(pair: Pair) -> None:
    """a debit as the plan is being renewed: it waits, and finds what that left"""
    name = "plan_first"
    _begun(pair, 50, name)
    _clock(pair, RENEWS)
    pair.first.begin()
    pair.first.one(MAINTAIN)
    waiting = pair.blocked(pair.second.start(DEBIT, name, 30, "late"))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "10 are left")
    pair.checks.equal(_state(pair, name), ("active", 10, "paid, paid"), "the renewal is paid")


def topped_up(pair: Pair) -> None:
    """credits that come while it is past due: the retry that they meet leaves it for later, and the next one is paid"""
    for commit in (True, False):
        name = f"plan_topped_{commit}"
        _past_due(pair, name)
        pair.first.begin()
        pair.first.one(GRANT, name, 20, "top up")
        pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "it waits for nobody")
        pair.first.end(commit)
        pair.second.one(MAINTAIN)
        paid, open_ = ("active", 5, "paid, paid"), ("past_due", 5, "paid, open")
        pair.checks.equal(_state(pair, name), paid if commit else open_, "paid, if the credits are there")


def retried_and_paid(pair: Pair) -> None:
    """a retry and a payment by hand at once, whichever is first: the wallet pays once"""
    for by_hand in (True, False):
        name = f"plan_paid_{by_hand}"
        _past_due(pair, name)
        pair.observer.one(GRANT, name, 40, "top up")
        pair.first.begin()
        if by_hand:
            pair.first.one(PAY, name, name)
            pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "the customer is locked")
            pair.first.commit()
            pair.second.one(MAINTAIN)
        else:
            pair.first.one(MAINTAIN)
            waiting = pair.blocked(pair.second.start(PAY, name, name))
            pair.first.commit()
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is paid")
        pair.checks.equal(_state(pair, name), ("active", 25, "paid, paid"), "once")


def _past_due(pair: Pair, name: str) -> None:
    """Renewed with too little, and about to be tried again."""
    _begun(pair, 25, name)
    _clock(pair, RENEWS)
    pair.observer.one(MAINTAIN)
    pair.checks.equal(_state(pair, name), ("past_due", 5, "paid, open"), "5 are not enough")
    _clock(pair, TRIED_AGAIN)


def _state(pair: Pair, name: str) -> tuple[Any, ...]:
    return tuple(pair.observer.one(STATE, name).values())


def _clock(pair: Pair, at: str) -> None:
    for session in (pair.first, pair.second, pair.third, pair.observer):
        session.one(CLOCK, at)


def _begun(pair: Pair, credits: int, *names: str) -> dict[str, Any]:
    """Plans of these customers, each of whom had so many credits."""
    # What other cases left is over by then.
    _clock(pair, TRIED_AGAIN)
    while pair.observer.one(MAINTAIN)["done"]:
        pass
    _clock(pair, BEGAN)
    ids = {}
    for name in names:
        pair.observer.one(PRICE, name, name)
        pair.observer.one(GRANT, name, credits, f"for {name}")
        ids[name] = pair.observer.one(CREATE, name, name)["id"]
    return ids


CASES = (debited_and_renewed, renewed_and_debited, topped_up, retried_and_paid)
