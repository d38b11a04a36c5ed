"""Two sessions as a grant's time runs out that rolls over: whoever comes, it goes on once, as it was by then."""

from __future__ import annotations

from typing import Any

from sessions import DEBIT, HOLD_FOR, RELEASE, Pair, Row, refusal

VOID = "SELECT * FROM credits.credit_grant_void(%s, %s)"
CHAIN = "SELECT grant_id, amount, remaining, rolled_to FROM credits.grants WHERE customer_id = %s ORDER BY effective_at"


def debit_begun_before_the_end(pair: Pair) -> None:
    """a debit begins before the end and commits after it; another waits for it: what the first left goes on"""
    for commit in (True, False):
        grant = _short(pair, f"begun_before_{commit}")
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 20, None)
        _past(pair, grant)
        waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 5, None))
        pair.first.end(commit)
        left = 15 if commit else 25
        pair.checks.equal(waiting.one()["available"], left - 5, "the other spends of what went on")
        pair.checks.equal(_amounts(pair), [(50, 0), (left, left - 5)], "half of what the first left")


def two_after_the_end(pair: Pair) -> None:
    """two debits after the end: the one rolls the grant over, the other waits and finds it so"""
    for commit in (True, False):
        grant = _short(pair, f"after_the_end_{commit}")
        _past(pair, grant)
        seen = _chain(pair)[1]["grant_id"]
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 10, None)
        waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
        pair.first.end(commit)
        waiting.one()
        left = 5 if commit else 15
        pair.checks.equal(_amounts(pair), [(50, 0), (25, left)], "25 went on, once")
        pair.checks.equal(_chain(pair)[1]["grant_id"], seen, "as the grant that a reader saw before")


def held_across_the_end(pair: Pair) -> None:
    """credits are held before the end by a call that commits after it: they do not go on, and lapse when they come back"""
    grant = _short(pair, "held_across")
    pair.first.begin()
    hold = pair.first.one(HOLD_FOR, pair.customer, 20, 3600)
    _past(pair, grant)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 1, None))
    pair.first.commit()
    pair.checks.equal(waiting.one()["available"], 14, "of the 30 that were not held 15 went on")
    pair.second.one(RELEASE, pair.customer, hold["hold_id"])
    pair.checks.equal(pair.balance(), (14, 0, 0), "what was held has lapsed")


def voided_by_the_id_that_was_seen(pair: Pair) -> None:
    """a reader sees what a grant rolled over into, and voids that before anything is posted, behind a debit"""
    grant = _short(pair, "voided_as_seen")
    _past(pair, grant)
    seen = _chain(pair)[1]["grant_id"]
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 10, None)
    waiting = pair.blocked(pair.second.start(VOID, pair.customer, seen))
    pair.first.commit()
    pair.checks.equal(waiting.one()["status"], "voided", "it is voided")
    pair.checks.equal(pair.balance(), (0, 0, 0), "nothing is left")
    pair.checks.equal(refusal(lambda: pair.second.one(DEBIT, pair.customer, 1, None)).sqlstate, "PC001", "nothing to spend")


def maintained_meanwhile(pair: Pair) -> None:
    """maintain() comes by while a debit of after the end is under way: it passes, and the grant has gone on once"""
    grant = _short(pair, "maintained")
    _past(pair, grant)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 10, None)
    pair.second.all("CALL credits.maintain()")
    pair.first.commit()
    pair.second.all("CALL credits.maintain()")
    pair.checks.equal(_amounts(pair), [(50, 0), (25, 15)], "25 went on, once")


def _short(pair: Pair, customer: str) -> Row:
    """50 credits for a moment, of which half go on for an hour."""
    pair.customer = customer
    ends = "clock_timestamp() + interval '0.6 s'"
    return pair.give(50, expires_at=ends, rollover="""'{"percent": 50, "expires_after": "1 hour"}'""")


def _past(pair: Pair, grant: Row) -> None:
    pair.wait_for("clock_timestamp() > %s", grant["expires_at"])


def _chain(pair: Pair) -> list[Row]:
    return pair.observer.all(CHAIN, pair.customer)


def _amounts(pair: Pair) -> list[tuple[Any, Any]]:
    return [(row["amount"], row["remaining"]) for row in _chain(pair)]


CASES = (
    debit_begun_before_the_end,
    two_after_the_end,
    held_across_the_end,
    voided_by_the_id_that_was_seen,
    maintained_meanwhile,
)
