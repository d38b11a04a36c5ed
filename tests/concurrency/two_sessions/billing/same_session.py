"""Two sessions that meet on one checkout session: submitted once, paid once, and over once."""

from __future__ import annotations

from typing import Any

from sessions import Pair, refusal

PRODUCT = "SELECT product_id FROM credits.product_create(%s, 'good')"
PRICE = """
    SELECT price_id FROM credits.price_create(%s, unit_amount => 5, currency => 'USD', lookup_key => %s,
                                              quantity_available => %s)"""
CREATE = """
    SELECT * FROM credits.checkout_session_create(%s, line_items => jsonb_build_array(
        jsonb_build_object('lookup_key', %s::text, 'adjustable_quantity', '{}'::jsonb)))"""
CREATE_KEY = """
    SELECT * FROM credits.checkout_session_create(%s, line_items => jsonb_build_array(
        jsonb_build_object('lookup_key', %s::text)), idempotency_key => 'k')"""
UPDATE = """
    SELECT * FROM credits.checkout_session_update(%s, %s, quantities => jsonb_build_object(%s::text, %s::integer))"""
SUBMIT = "SELECT * FROM credits.checkout_session_submit(%s, %s)"
EXPIRE = "SELECT * FROM credits.checkout_session_expire(%s, %s)"
PAY = "SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s, 5)"
FAIL = "SELECT * FROM credits.payment_failed(%s, %s, 'stripe', %s)"
MAINTAIN = "SELECT credits.maintain_batch(100, 'sessions') AS done"
COUPON = """
    SELECT credits.coupon_create(%s, percent_off => 10,
                                 promotion_codes => jsonb_build_array(jsonb_build_object('code', %s::text)))"""
CREATE_WITH_CODE = """
    SELECT * FROM credits.checkout_session_create(%s, line_items => jsonb_build_array(
        jsonb_build_object('lookup_key', %s::text)), discounts => jsonb_build_array(jsonb_build_object('code', %s::text)))"""
USED = "SELECT times_redeemed AS used FROM credits.coupons WHERE name = %s"
ENDS = "UPDATE credits_internal.checkout_sessions SET expires_at = now() - interval '1 s' WHERE checkout_session_id = %s"
INTENT_ENDS = "UPDATE credits_internal.payment_intents SET expires_at = now() - interval '1 s' WHERE payment_intent_id = %s"
TAKEN = "SELECT quantity_taken AS taken FROM credits.prices WHERE lookup_key = %s"
STATE = "SELECT status, payment_status FROM credits.checkout_sessions WHERE checkout_session_id = %s"
DRAFTS = "SELECT count(*) AS n FROM credits.invoices WHERE customer_id = %s"


def submitted_twice(pair: Pair) -> None:
    """one cart, submitted in two sessions: the second waits, and repeats it or, if the first rolled back, does it"""
    for commit in (True, False):
        cart = _cart(pair, f"submitted_twice_{commit}")
        pair.first.begin()
        pair.first.one(SUBMIT, pair.customer, cart)
        waiting = pair.blocked(pair.second.start(SUBMIT, pair.customer, cart))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, f"{_how(commit)}: the second's answer")
        pair.checks.equal((_taken(pair), pair.observer.one(DRAFTS, pair.customer)["n"]), (1, 1), "one unit, one invoice")


def submitted_and_changed(pair: Pair) -> None:
    """one submits while the other changes the cart: what is submitted is what was there before, or after"""
    for submitted_first in (True, False):
        for commit in (True, False):
            cart = _cart(pair, f"changed_{submitted_first}_{commit}")
            submit = (SUBMIT, pair.customer, cart)
            change = (UPDATE, pair.customer, cart, pair.customer, 3)
            one, two = (submit, change) if submitted_first else (change, submit)
            pair.first.begin()
            pair.first.one(*one)
            waiting = pair.blocked(pair.second.start(*two))
            pair.first.end(commit)
            if submitted_first and commit:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is submitted")
            else:
                waiting.one()
            units = 0 if submitted_first and not commit else 1 if submitted_first or not commit else 3
            pair.checks.equal(_taken(pair), units, "what was submitted is reserved")


def submitted_and_ended(pair: Pair) -> None:
    """one submits while the other ends it: whoever comes second finds what the first left"""
    for submitted_first in (True, False):
        for commit in (True, False):
            cart = _cart(pair, f"ended_{submitted_first}_{commit}")
            submit, end = (SUBMIT, pair.customer, cart), (EXPIRE, pair.customer, cart)
            one, two = (submit, end) if submitted_first else (end, submit)
            pair.first.begin()
            pair.first.one(*one)
            waiting = pair.blocked(pair.second.start(*two))
            pair.first.end(commit)
            if not submitted_first and commit:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is over")
            else:
                waiting.one()
            is_over = submitted_first or commit
            pair.checks.equal((_state(pair, cart)[0], _taken(pair)), ("expired", 0) if is_over else ("open", 1), "one of them")


def paid_and_ended(pair: Pair) -> None:
    """a payment and the end: paid, whoever comes first, since there is some left"""
    for paid_first in (True, False):
        for commit in (True, False):
            cart = _submitted(pair, f"paid_{paid_first}_{commit}")
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
            is_paid = not paid_first or commit
            state = (("complete", "paid"), 1) if is_paid else (("expired", "unpaid"), 0)
            pair.checks.equal((_state(pair, cart), _taken(pair)), state, "paid, or over")


def paid_twice(pair: Pair) -> None:
    """one payment, reported in two sessions, and another: complete once"""
    for same in (True, False):
        for commit in (True, False):
            cart = _submitted(pair, f"twice_{same}_{commit}")
            names = [f"p of {pair.customer}", f"p of {pair.customer}" if same else f"another of {pair.customer}"]
            pair.first.begin()
            pair.first.one(PAY, pair.customer, cart, names[0])
            waiting = pair.blocked(pair.second.start(PAY, pair.customer, cart, names[1]))
            pair.first.end(commit)
            waiting.one()
            pair.checks.equal((_state(pair, cart), _taken(pair)), (("complete", "paid"), 1), "complete, once")


def failed_and_submitted_again(pair: Pair) -> None:
    """a failure and another submission: reserved at most once"""
    for failed_first in (True, False):
        for commit in (True, False):
            cart = _submitted(pair, f"again_{failed_first}_{commit}")
            fail, submit = (FAIL, pair.customer, cart, f"p of {pair.customer}"), (SUBMIT, pair.customer, cart)
            one, two = (fail, submit) if failed_first else (submit, fail)
            pair.first.begin()
            pair.first.one(*one)
            waiting = pair.blocked(pair.second.start(*two))
            pair.first.end(commit)
            waiting.one()
            pair.checks.equal(_taken(pair), 1 if failed_first else 0, "reserved, or for sale again")


def the_last_unit(pair: Pair) -> None:
    """two customers submit for the last unit: one has it, and the other PC017, or it where the first rolls back"""
    for commit in (True, False):
        cart = _cart(pair, f"last_{commit}", units=1)
        other = pair.observer.one(CREATE, "other", pair.customer)["checkout_session_id"]
        pair.first.begin()
        pair.first.one(SUBMIT, pair.customer, cart)
        waiting = pair.blocked(pair.second.start(SUBMIT, "other", other))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC017", "it is gone")
        else:
            waiting.one()
        pair.checks.equal(_taken(pair), 1, "one has it")


def maintained_meanwhile(pair: Pair) -> None:
    """maintenance passes over a customer that is locked, and ends what is over once it is free"""
    cart = _submitted(pair, "maintained")
    pair.observer.all(ENDS, cart)
    pair.first.begin()
    pair.first.one(PAY, pair.customer, cart, f"p of {pair.customer}")
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 0, "it waits for nobody")
    pair.first.rollback()
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 1, "it is over")
    pair.checks.equal((_state(pair, cart)[0], _taken(pair)), ("expired", 0), "and its unit for sale again")


def maintained_beside_a_sale(pair: Pair) -> None:
    """maintenance ends a session whose coupon and price another has in hand: it waits for neither, and all of it goes back"""
    _price(pair, "beside")
    pair.observer.one(COUPON, pair.customer, pair.customer)
    own, other = (
        pair.observer.one(CREATE_WITH_CODE, who, pair.customer, pair.customer)["checkout_session_id"]
        for who in (pair.customer, "beside")
    )
    pair.observer.one(SUBMIT, pair.customer, own)
    pair.observer.all(ENDS, own)
    pair.observer.all(INTENT_ENDS, own)
    pair.first.begin()
    pair.first.one(SUBMIT, "beside", other)
    pair.checks.equal(pair.second.one(MAINTAIN)["done"], 1, "it is over")
    pair.first.end(True)
    used = pair.observer.one(USED, pair.customer)["used"]
    pair.checks.equal((_state(pair, own)[0], _taken(pair), used), ("expired", 1, 1), "the other has one, and nobody else")


def created_twice_by_one_key(pair: Pair) -> None:
    """two creates by one key: one session, or the second's where the first rolls back"""
    for commit in (True, False):
        _price(pair, f"key_{commit}")
        pair.observer.one("SELECT 1 FROM credits.customer_upsert(%s)", pair.customer)
        pair.first.begin()
        one = pair.first.one(CREATE_KEY, pair.customer, pair.customer)
        waiting = pair.blocked(pair.second.start(CREATE_KEY, pair.customer, pair.customer))
        pair.first.end(commit)
        other = waiting.one()
        same = one["checkout_session_id"] == other["checkout_session_id"]
        pair.checks.equal((same, other["replayed"]), (commit, commit), f"{_how(commit)}: one session")


def _price(pair: Pair, name: str, units: int = 9) -> None:
    pair.customer = f"session_{name}"
    product = pair.observer.one(PRODUCT, pair.customer)["product_id"]
    pair.observer.one(PRICE, product, pair.customer, units)


def _cart(pair: Pair, name: str, units: int = 9) -> Any:
    _price(pair, name, units)
    return pair.observer.one(CREATE, pair.customer, pair.customer)["checkout_session_id"]


def _submitted(pair: Pair, name: str) -> Any:
    cart = _cart(pair, name)
    pair.observer.one(SUBMIT, pair.customer, cart)
    return cart


def _taken(pair: Pair) -> int:
    return pair.observer.one(TAKEN, pair.customer)["taken"]


def _state(pair: Pair, cart: Any) -> tuple[str, str]:
    row = pair.observer.one(STATE, cart)
    return row["status"], row["payment_status"]


def _how(commit: bool) -> str:
    return "the first commits" if commit else "the first rolls back"


CASES = (
    submitted_twice, submitted_and_changed, submitted_and_ended, paid_and_ended, paid_twice, failed_and_submitted_again,
    the_last_unit, maintained_meanwhile, maintained_beside_a_sale, created_twice_by_one_key,
)  # fmt: skip
