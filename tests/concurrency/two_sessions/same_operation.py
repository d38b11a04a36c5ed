"""Two sessions that give back what one operation took: no more than that goes back, whoever comes first."""

from __future__ import annotations

from typing import Any

from sessions import CAPTURE, DEBIT, EVENT, HOLD, REVERSE, REVERSE_ALL, Pair, refusal


def all_of_it_twice(pair: Pair) -> None:
    """two reversals of all that a debit took: one wins, the other changes nothing, or does it where the first rolls back"""
    for commit in (True, False):
        debit = _debited(pair, f"all_twice_{commit}")
        pair.first.begin()
        one = pair.first.one(REVERSE_ALL, pair.customer, debit, None)
        waiting = pair.blocked(pair.second.start(REVERSE_ALL, pair.customer, debit, None))
        pair.first.end(commit)
        two = waiting.one()
        pair.checks.equal((two["replayed"], two["returned"]), (commit, 10), f"{_how(commit)}: the second's answer")
        pair.checks.equal(two["operation_id"] == one["operation_id"], commit, f"{_how(commit)}: the same reversal")
        pair.checks.equal(pair.balance(), (100, 0, 0), "all of it is back, once")


def more_than_is_left(pair: Pair) -> None:
    """two parts that are more than a debit took: the second is PC007, or goes through where the first rolls back"""
    for commit in (True, False):
        debit = _debited(pair, f"more_than_is_left_{commit}")
        pair.first.begin()
        pair.first.one(REVERSE, pair.customer, debit, 6, "one")
        waiting = pair.blocked(pair.second.start(REVERSE, pair.customer, debit, 5, "other"))
        pair.first.end(commit)
        if commit:
            error = refusal(waiting.one)
            pair.checks.equal(error.sqlstate, "PC007", "refused")
            pair.checks.equal("what was taken, 4" in str(error), True, "it says what is left")
            pair.checks.equal(pair.second.one(REVERSE, pair.customer, debit, 4, "other")["returned"], 4, "its key is unused")
            pair.checks.equal(pair.balance(), (100, 0, 0), "all of it is back")
        else:
            pair.checks.equal(waiting.one()["total_returned"], 5, "the second goes through")
            pair.checks.equal(pair.balance(), (95, 0, 0), "only the second counts")


def under_one_key(pair: Pair) -> None:
    """one reversal in two sessions under one key, of a part or of all: one effect, the same answer for both"""
    for call, values in ((REVERSE, (3, "k")), (REVERSE, (10, "k")), (REVERSE_ALL, ("k",))):
        for commit in (True, False):
            debit = _debited(pair, f"under_one_key_{len(values)}_{values[0]}_{commit}")
            pair.first.begin()
            one = pair.first.one(call, pair.customer, debit, *values)
            waiting = pair.blocked(pair.second.start(call, pair.customer, debit, *values))
            pair.first.end(commit)
            two = waiting.one()
            pair.checks.equal(two["replayed"], commit, f"{_how(commit)}: the second's answer")
            if commit:
                pair.checks.equal({**two, "replayed": False}, one, "the same ids and amounts")
            pair.checks.equal(pair.balance()[0], 90 + two["returned"], "given back once")


def another_amount_under_one_key(pair: Pair) -> None:
    """one key with two amounts: the second waits and is refused with PC002, also where too little is left by then"""
    for amount in (2, 9):
        debit = _debited(pair, f"another_amount_{amount}")
        pair.first.begin()
        pair.first.one(REVERSE, pair.customer, debit, 6, "k")
        waiting = pair.blocked(pair.second.start(REVERSE, pair.customer, debit, amount, "k"))
        pair.first.commit()
        pair.checks.equal(refusal(waiting.one).sqlstate, "PC002", "refused")
        pair.checks.equal(pair.balance(), (96, 0, 0), "only the first counts")


def captured_meanwhile(pair: Pair) -> None:
    """a reversal waits while its hold is captured: what was captured is back, or nothing is, where that rolls back"""
    for commit in (True, False):
        pair.customer = f"captured_meanwhile_{commit}"
        pair.give(100)
        hold = pair.observer.one(HOLD, pair.customer, 10, None)["hold_id"]
        pair.first.begin()
        pair.first.one(CAPTURE, pair.customer, hold, 4)
        waiting = pair.blocked(pair.second.start(REVERSE_ALL, pair.customer, hold, None))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(waiting.one()["returned"], 4, "what was captured is back")
            pair.checks.equal(pair.balance(), (100, 0, 0), "and the rest was released")
        else:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC013", "nothing was captured")
            pair.checks.equal(pair.balance(), (90, 0, 0), "the hold is open")


def usage_behind_a_reversal(pair: Pair) -> None:
    """an event waits while all that there is comes back: it is paid, or owed where that rolls back"""
    for commit in (True, False):
        debit = _debited(pair, f"usage_behind_a_reversal_{commit}", 100)
        pair.first.begin()
        pair.first.one(REVERSE_ALL, pair.customer, debit, None)
        waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 4, "e"))
        pair.first.end(commit)
        answer = waiting.one()
        expected = (4, 0) if commit else (0, 4)
        pair.checks.equal((answer["consumed"], answer["pending"]), expected, f"{_how(commit)}: paid or owed")
        if not commit:
            pair.second.one(REVERSE_ALL, pair.customer, debit, None)
        pair.checks.equal(pair.balance(), (96, 0, 0), "what comes back pays what is owed")


CASES = [
    all_of_it_twice, more_than_is_left, under_one_key, another_amount_under_one_key, captured_meanwhile,
    usage_behind_a_reversal,
]  # fmt: skip


def _debited(pair: Pair, customer: str, amount: int = 10) -> Any:
    """The id of a debit of a new customer who had 100 credits."""
    pair.customer = customer
    pair.give(100)
    return pair.observer.one(DEBIT, pair.customer, amount, None)["operation_id"]


def _how(commit: bool) -> str:
    return "COMMIT" if commit else "ROLLBACK"
