"""Two sessions at one coupon or code: its last use, one customer twice, its first use beside a change of what it gives, and
codes that are made, switched off and deleted meanwhile."""

from __future__ import annotations

import json
from typing import Any

from sessions import Pair, refusal

COUPON = """
    SELECT coupon_id::text FROM credits.coupon_create(%s, credit_config => '{"amount": 5}', max_redemptions => %s,
        promotion_codes => %s)"""
REDEEM = "SELECT credits, replayed FROM credits.voucher_redeem(%s, %s)"
KEYED = "SELECT grant_id, replayed FROM credits.voucher_redeem(%s, %s, %s)"
TEN = """SELECT credit_config->>'amount' AS amount FROM credits.coupon_update(%s, credit_config => '{"amount": 10}')"""
LIMIT = "SELECT max_redemptions FROM credits.coupon_update(%s, max_redemptions => %s)"
DELETE = "SELECT name FROM credits.coupon_delete(%s)"
CODE = "SELECT code FROM credits.promotion_code_create(%s, %s)"
ARCHIVE = "SELECT active FROM credits.promotion_code_archive((credits.promotion_code_by_code(%s)).promotion_code_id)"
FIGURES = """
    SELECT c.times_redeemed, (SELECT sum(p.times_redeemed)::int FROM credits.promotion_codes p WHERE p.coupon_id = c.coupon_id)
               AS of_codes
    FROM credits.coupons c WHERE c.coupon_id = %s"""
# As a purchase has one whose time ran out.
RUN_OUT = """
    WITH paid AS (DELETE FROM credits_internal.discount_log WHERE coupon_id = %s AND action = 'confirmed')
    UPDATE credits_internal.redemptions
    SET holder_type = 'invoice', confirmed_at = NULL, last_log_no = 1, expires_at = clock_timestamp() WHERE coupon_id = %s"""
# There is no such purchase, which verify() would say.
FORGET = """
    WITH logged AS (DELETE FROM credits_internal.discount_log l USING credits_internal.redemptions r
                    WHERE r.holder_id = l.holder_id AND r.holder_type = 'invoice')
    DELETE FROM credits_internal.redemptions WHERE holder_type = 'invoice' AND released_at IS NOT NULL RETURNING customer_id"""
MAINTAIN = "SELECT credits.maintain_batch(work => 'discounts') AS released"


def coupon(pair: Pair, code: str, most: int | None = None) -> str:
    """A voucher with a code that may be used so often."""
    codes = json.dumps([{"code": code}])
    return pair.observer.one(COUPON, code, most, codes)["coupon_id"]


def figures(pair: Pair, coupon_id: str) -> tuple[Any, Any]:
    row = pair.observer.one(FIGURES, coupon_id)
    return row["times_redeemed"], row["of_codes"]


def reason(error: Any) -> str:
    return json.loads(error.diag.message_detail or "{}").get("reason", error.sqlstate)


def the_last_one(pair: Pair) -> None:
    """the last use: the second waits, and is told that it is used up; where the first is rolled back, it is the second's"""
    for commit in (True, False):
        code = f"LAST-{commit}"
        last = coupon(pair, code, 1)
        pair.first.begin()
        pair.first.one(REDEEM, "kim", code)
        waiting = pair.blocked(pair.second.start(REDEEM, "lee", code.lower()))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(reason(refusal(waiting.one)), "max_redemptions", "the last one is gone")
        else:
            pair.checks.equal(waiting.one()["credits"], 5, "the last one is the second's")
        pair.checks.equal(figures(pair, last), (1, 1), "one is used")


def one_customer_twice(pair: Pair) -> None:
    """a voucher, twice by one customer: the second waits, and is told that one may use it once"""
    once = coupon(pair, "once")
    pair.first.begin()
    pair.first.one(REDEEM, pair.customer, "once")
    waiting = pair.blocked(pair.second.start(REDEEM, pair.customer, "once"))
    pair.first.commit()
    pair.checks.equal(reason(refusal(waiting.one)), "max_redemptions_per_customer", "once is once")
    pair.checks.equal(figures(pair, once), (1, 1), "one is used")


def one_key(pair: Pair) -> None:
    """one idempotency key in two sessions: one grant"""
    keyed = coupon(pair, "keyed")
    pair.first.begin()
    first = pair.first.one(KEYED, pair.customer, "keyed", "a key")
    waiting = pair.blocked(pair.second.start(KEYED, pair.customer, "KEYED", "a key"))
    pair.first.commit()
    row = waiting.one()
    pair.checks.equal((row["grant_id"], row["replayed"]), (first["grant_id"], True), "the second gets the first's")
    pair.checks.equal(figures(pair, keyed), (1, 1), "one is used")


def changed_beside_its_first_use(pair: Pair) -> None:
    """what a coupon gives, changed as it is used first: one waits for the other, and what it gives is what it says"""
    used = coupon(pair, "used-first")
    pair.first.begin()
    pair.first.one(REDEEM, pair.customer, "used-first")
    waiting = pair.blocked(pair.second.start(TEN, used))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "once it is used, it is frozen")
    changed = coupon(pair, "changed-first")
    pair.first.begin()
    pair.first.one(TEN, changed)
    waiting = pair.blocked(pair.second.start(REDEEM, pair.customer, "changed-first"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["credits"], 10, "once it is changed, it gives what it says now")


def deleted_beside_its_first_use(pair: Pair) -> None:
    """a coupon that is deleted as it is used first: the second waits, and is told"""
    gone = coupon(pair, "gone")
    pair.first.begin()
    pair.first.one(DELETE, gone)
    waiting = pair.blocked(pair.second.start(REDEEM, pair.customer, "gone"))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC019", "what is gone is not there")
    kept = coupon(pair, "kept")
    pair.first.begin()
    pair.first.one(REDEEM, pair.customer, "kept")
    waiting = pair.blocked(pair.second.start(DELETE, kept))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "what is used stays")


def a_lower_limit(pair: Pair) -> None:
    """a limit that is lowered beside a use: whoever comes second is judged by what the first left"""
    few = coupon(pair, "few")
    pair.first.begin()
    pair.first.one(REDEEM, "kim", "few")
    pair.first.one(REDEEM, "lee", "few")
    waiting = pair.blocked(pair.second.start(LIMIT, few, 1))
    pair.first.commit()
    error = refusal(waiting.one)
    said = "max_redemptions must be at least 2: so often it is used or reserved"
    pair.checks.equal((error.sqlstate, error.diag.message_primary), ("PC013", said), "what is used stays used")
    pair.first.begin()
    pair.first.one(LIMIT, few, 2)
    waiting = pair.blocked(pair.second.start(REDEEM, "max", "few"))
    pair.first.commit()
    pair.checks.equal(reason(refusal(waiting.one)), "max_redemptions", "two of two are used")
    pair.checks.equal(figures(pair, few), (2, 2), "two are used")


def one_code(pair: Pair) -> None:
    """one code in two sessions, in upper and lower case: the second waits, and is refused; it is free where it is archived"""
    ours, theirs = coupon(pair, "ours"), coupon(pair, "theirs")
    for commit in (True, False):
        pair.first.begin()
        pair.first.one(CODE, ours, f"Same-{commit}")
        waiting = pair.blocked(pair.second.start(CODE, theirs, f"SAME-{commit}"))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC013", "no two active codes are the same")
        else:
            pair.checks.equal(waiting.one()["code"], "SAME-False", "what was rolled back leaves the code free")
    pair.observer.one(ARCHIVE, "same-true")
    pair.checks.equal(pair.observer.one(CODE, theirs, "SAME-TRUE")["code"], "SAME-TRUE", "and so does what is archived")


def too_late_for_some(pair: Pair) -> None:
    """what ran out, wanted by two: the first takes it, the second is told; maintain() waits for neither"""
    last = coupon(pair, "late", 1)
    pair.observer.one(REDEEM, "kim", "late")
    pair.observer.all(RUN_OUT, last, last)
    pair.checks.equal(figures(pair, last), (0, 0), "it is free for readers")
    pair.first.begin()
    pair.first.one(REDEEM, "lee", "late")
    pair.checks.equal(pair.observer.one(MAINTAIN)["released"], 0, "maintain() leaves it to the use")
    waiting = pair.blocked(pair.second.start(REDEEM, "max", "late"))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["credits"], 5, "where that is rolled back, the next one takes it")
    pair.checks.equal(figures(pair, last), (1, 1), "one of one is used")
    pair.checks.equal(len(pair.observer.all(FORGET)), 1, "what ran out was released")


CASES = (
    the_last_one, one_customer_twice, one_key, changed_beside_its_first_use, deleted_beside_its_first_use, a_lower_limit,
    one_code, too_late_for_some,
)  # fmt: skip
