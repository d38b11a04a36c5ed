"""Two sessions at the last units of a price: sold twice, given back, taken off sale, and reserved for too long."""

from __future__ import annotations

import json
from typing import Any

from sessions import Pair, refusal

PRICE = """
    SELECT price_id::text FROM credits.price_create((credits.product_create(%s, 'good')).product_id, unit_amount => 10,
        currency => 'USD', quantity_available => %s)"""
DRAFT = "SELECT invoice_id FROM credits.invoice_create(%s, %s)"
SELL = "SELECT invoice_id, status FROM credits.invoice_create(%s, %s, auto_finalize => true)"
FINALIZE = "SELECT status FROM credits.invoice_finalize(%s, %s)"
VOID = "SELECT status FROM credits.invoice_void(%s, %s)"
FEWER = "SELECT quantity_available FROM credits.price_inventory(%s, 1, 'decrement')"
UPDATE = "SELECT quantity_available, quantity_taken FROM credits.price_update(%s, quantity_available => %s)"
FIGURES = "SELECT quantity_available, quantity_taken FROM credits.prices WHERE price_id = %s"
RUN_OUT = """
    UPDATE credits_internal.stock_reservations SET holder_id = gen_random_uuid(), expires_at = now() - interval '1 s'
    WHERE price_id = %s AND released_at IS NULL RETURNING 1"""
MAINTAIN = "SELECT credits.maintain_batch(work => 'stock') AS released"


def of(*prices: str) -> str:
    """A line of one unit of each."""
    return json.dumps([{"price_id": price_id} for price_id in prices])


def price(pair: Pair, units: int) -> str:
    return str(pair.observer.one(PRICE, pair.customer, units)["price_id"])


def figures(pair: Pair, price_id: str) -> tuple[Any, ...]:
    return tuple(pair.observer.one(FIGURES, price_id).values())


def the_last_one(pair: Pair) -> None:
    """the last unit in two sessions: the second waits, and gets it only where the first rolls back"""
    for commit in (True, False):
        last = price(pair, 1)
        pair.first.begin()
        pair.first.one(SELL, "kim", of(last))
        waiting = pair.blocked(pair.second.start(SELL, "lee", of(last)))
        pair.first.end(commit)
        if commit:
            error = refusal(waiting.one)
            detail = json.loads(error.diag.message_detail or "{}")
            expected = {"price_id": last, "available": 0, "requested": "1"}
            pair.checks.equal((error.sqlstate, detail), ("PC017", expected), "sold is sold")
        else:
            pair.checks.equal(waiting.one()["status"], "open", "rolled back, it is for the next")
        pair.checks.equal(figures(pair, last), (1, 1), "one of one is taken")


def in_a_snapshot(pair: Pair) -> None:
    """the last unit in a snapshot of before the other sold it: nothing is sold, and it has to try again"""
    last = price(pair, 1)
    pair.second.begin("REPEATABLE READ")
    pair.second.one(FIGURES, last)
    pair.first.one(SELL, "kim", of(last))
    pair.checks.equal(refusal(lambda: pair.second.one(SELL, "lee", of(last))).sqlstate, "40001", "its snapshot is too old")
    pair.second.rollback()


def nothing_left(pair: Pair) -> None:
    """a price that has nothing left: whoever wants it is told so at once, whatever others are about to give back"""
    last = price(pair, 1)
    sold = pair.observer.one(SELL, "kim", of(last))["invoice_id"]
    pair.first.begin()
    pair.first.one(VOID, "kim", sold)
    pair.checks.equal(refusal(lambda: pair.second.one(SELL, "lee", of(last))).sqlstate, "PC017", "refused without waiting")
    pair.first.commit()
    pair.checks.equal(pair.second.one(SELL, "lee", of(last))["status"], "open", "once it is given back, it is sold")


def in_either_order(pair: Pair) -> None:
    """two prices in two orders: counters are locked in one, so the second waits and nobody deadlocks"""
    one, other = price(pair, 5), price(pair, 5)
    pair.first.begin()
    first = pair.first.one(SELL, "kim", of(one, other))["invoice_id"]
    waiting = pair.blocked(pair.second.start(SELL, "lee", of(other, one)))
    pair.first.commit()
    second = waiting.one()["invoice_id"]
    pair.first.begin()
    pair.first.one(VOID, "kim", first)
    waiting = pair.blocked(pair.second.start(VOID, "lee", second))
    pair.first.commit()
    pair.checks.equal(waiting.one()["status"], "void", "given back likewise")
    pair.checks.equal((figures(pair, one), figures(pair, other)), ((5, 0), (5, 0)), "nothing is taken any more")


def one_invoice_twice(pair: Pair) -> None:
    """one invoice that is finalized in two sessions, and voided in two: it takes its units once, and gives them back once"""
    few = price(pair, 5)
    draft = pair.observer.one(DRAFT, pair.customer, of(few))["invoice_id"]
    for call, taken in ((FINALIZE, 1), (VOID, 0)):
        pair.first.begin()
        pair.first.one(call, pair.customer, draft)
        waiting = pair.blocked(pair.second.start(call, pair.customer, draft))
        pair.first.commit()
        waiting.one()
        pair.checks.equal(figures(pair, few), (5, taken), f"{taken} taken")


def fewer_for_sale(pair: Pair) -> None:
    """fewer for sale beside a sale: whoever comes second is judged by what the first left"""
    last = price(pair, 1)
    pair.first.begin()
    pair.first.one(SELL, "kim", of(last))
    waiting = pair.blocked(pair.second.start(FEWER, last))
    pair.first.commit()
    error = refusal(waiting.one)
    said = "quantity must be at most 0 to take away: of 1 available, 1 are taken"
    pair.checks.equal((error.sqlstate, error.diag.message_primary), ("PC013", said), "what is sold stays available")
    last = price(pair, 1)
    pair.first.begin()
    pair.first.one(FEWER, last)
    waiting = pair.blocked(pair.second.start(SELL, "kim", of(last)))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC017", "what is not for sale is not sold")
    pair.checks.equal(figures(pair, last), (0, 0), "none of none")


def the_limit_goes(pair: Pair) -> None:
    """a limit that is taken away while a sale waits: it sells, and is not counted"""
    last = price(pair, 0)
    pair.observer.one(UPDATE, last, 1)
    pair.first.begin()
    pair.first.one(UPDATE, last, -1)
    waiting = pair.blocked(pair.second.start(SELL, "kim", of(last)))
    pair.first.commit()
    pair.checks.equal(waiting.one()["status"], "open", "it is sold")
    pair.checks.equal(figures(pair, last), (None, 0), "nothing is counted")


def too_late_for_some(pair: Pair) -> None:
    """what ran out, wanted by two: the first takes it, the second is told that it is gone; maintain() waits for neither"""
    # Sessions of other cases that are over may have left some to it.
    pair.observer.one(MAINTAIN)
    last = price(pair, 1)
    pair.observer.one(SELL, "kim", of(last))
    pair.observer.one(RUN_OUT, last)
    pair.checks.equal(figures(pair, last), (1, 0), "it is free for readers")
    pair.first.begin()
    pair.first.one(SELL, "lee", of(last))
    pair.checks.equal(pair.observer.one(MAINTAIN)["released"], 0, "maintain() leaves it to the sale")
    waiting = pair.blocked(pair.second.start(SELL, "max", of(last)))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC017", "sold is sold")
    pair.checks.equal(figures(pair, last), (1, 1), "one of one is taken")
    pair.observer.one(RUN_OUT, last)
    pair.first.begin()
    pair.checks.equal(pair.first.one(MAINTAIN)["released"], 1, "maintain() releases it otherwise")
    waiting = pair.blocked(pair.second.start(SELL, "max", of(last)))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["status"], "open", "and where that is rolled back, the sale does so itself")
    pair.checks.equal(figures(pair, last), (1, 1), "one of one is taken")


CASES = (
    the_last_one, in_a_snapshot, nothing_left, in_either_order, one_invoice_twice, fewer_for_sale, the_limit_goes,
    too_late_for_some,
)  # fmt: skip
