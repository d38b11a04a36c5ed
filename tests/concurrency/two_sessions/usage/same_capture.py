"""Two sessions that capture one hold in parts, as usage, or change it: who waits sees what the other did."""

from __future__ import annotations

import json
from typing import Any

from sessions import DEBIT, EVENT, HOLD, RELEASE, Pair, refusal

PART = "SELECT * FROM credits.hold_capture(%s, %s, %s, final => false, idempotency_key => %s, more => %s)"
USAGE = (
    "SELECT * FROM credits.hold_capture(%s, %s, event_name => 'calls', value => %s, identifier => %s, final => %s,"
    " more => %s)"
)
UPDATE = "SELECT * FROM credits.hold_update(%s, %s, amount => %s)"
HOLD_FOR_CALLS = "SELECT * FROM credits.hold_create(%s, %s, event_name => 'calls')"
CANCEL = "SELECT * FROM credits.meter_event_cancel(%s, %s)"


def same_part_twice(pair: Pair) -> None:
    """two captures of a part under one key: one counts, the other is a replay, or does it where the first rolls back"""
    for commit in (True, False):
        hold = _new_hold(pair, f"same_part_{commit}")
        pair.first.begin()
        pair.first.one(PART, pair.customer, hold, 4, "k", None)
        waiting = pair.blocked(pair.second.start(PART, pair.customer, hold, 4, "k", None))
        pair.first.end(commit)
        two = waiting.one()
        pair.checks.equal((two["replayed"], two["captured"]), (commit, 4), f"{_how(commit)}: the second's answer")
        pair.checks.equal(_wallet(pair), (90, 6), "4 of 10 are spent once, 6 are held")


def two_parts(pair: Pair) -> None:
    """two parts under two keys of a hold that has enough for one: the second is PC007, or goes through"""
    for commit in (True, False):
        hold = _new_hold(pair, f"two_parts_{commit}")
        pair.first.begin()
        pair.first.one(PART, pair.customer, hold, 7, "one", None)
        waiting = pair.blocked(pair.second.start(PART, pair.customer, hold, 6, "two", None))
        pair.first.end(commit)
        if commit:
            error = refusal(waiting.one)
            held = json.loads(error.diag.message_detail or "{}").get("held")
            pair.checks.equal((error.sqlstate, held), ("PC007", "3"), "COMMIT: 3 are left")
        else:
            pair.checks.equal(waiting.one()["captured"], 6, "ROLLBACK: the second goes through")
        pair.checks.equal(_wallet(pair), (90, 3 if commit else 4), "only what was captured is spent")


def more_than_there_is(pair: Pair) -> None:
    """a capture of more than is held waits for a debit that takes the rest: PC001, or goes through"""
    for commit in (True, False):
        hold = _new_hold(pair, f"more_than_there_is_{commit}")
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 85, None)
        waiting = pair.blocked(pair.second.start(PART, pair.customer, hold, 20, "k", "available"))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "COMMIT: 5 are left beside the hold")
            pair.checks.equal(_wallet(pair), (5, 10), "nothing was captured")
        else:
            answer = waiting.one()
            pair.checks.equal((answer["captured"], answer["charged"]), (10, 10), "ROLLBACK: 10 and 10 more")
            pair.checks.equal(_wallet(pair), (80, 0), "20 are spent")


def same_usage_twice(pair: Pair) -> None:
    """one event captured twice, of one hold: one counts, the other is a replay, or does it where the first rolls back"""
    for final in (True, False):
        for commit in (True, False):
            hold = _new_hold(pair, f"same_usage_{final}_{commit}")
            pair.first.begin()
            pair.first.one(USAGE, pair.customer, hold, 4, "e", final, None)
            waiting = pair.blocked(pair.second.start(USAGE, pair.customer, hold, 4, "e", final, None))
            pair.first.end(commit)
            two = waiting.one()
            pair.checks.equal((two["replayed"], two["captured"]), (commit, 4), f"{_how(commit)}: the second's answer")
            pair.checks.equal(_wallet(pair), (96, 0) if final else (90, 6), "4 are spent once")
            pair.checks.equal(_usage(pair), (1, 4), "and are one event")


def usage_captured_and_reported(pair: Pair) -> None:
    """one identifier captured of a hold and reported without: the later is a replay, or PC002 where it is the capture"""
    for capture_first in (True, False):
        hold = _new_hold(pair, f"captured_and_reported_{capture_first}")
        capture, report = (USAGE, pair.customer, hold, 4, "e", True, None), (EVENT, pair.customer, 4, "e")
        before, after = (capture, report) if capture_first else (report, capture)
        pair.first.begin()
        pair.first.one(*before)
        waiting = pair.blocked(pair.second.start(*after))
        pair.first.commit()
        if capture_first:
            pair.checks.equal((waiting.one()["replayed"], _wallet(pair)), (True, (96, 0)), "paid by the hold, once")
        else:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC002", "it was reported without the hold")
            pair.checks.equal(_wallet(pair), (86, 10), "paid by the balance, and the hold is still open")
        pair.checks.equal(_usage(pair), (1, 4), "one event")


def usage_of_two_holds(pair: Pair) -> None:
    """one identifier captured of two holds: the second is PC002, or goes through where the first rolls back"""
    for commit in (True, False):
        hold = _new_hold(pair, f"two_holds_{commit}")
        other = pair.observer.one(HOLD, pair.customer, 10, None)["hold_id"]
        pair.first.begin()
        pair.first.one(USAGE, pair.customer, hold, 4, "e", True, None)
        waiting = pair.blocked(pair.second.start(USAGE, pair.customer, other, 4, "e", True, None))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC002", "COMMIT: it is the other hold's")
        else:
            pair.checks.equal(waiting.one()["captured"], 4, "ROLLBACK: the second goes through")
        pair.checks.equal((_wallet(pair), _usage(pair)), ((86, 10), (1, 4)), "one event, one hold is left")


def captured_usage_canceled(pair: Pair) -> None:
    """an event is canceled while the next part of its hold waits to be captured: both count"""
    hold = _new_hold(pair, "usage_canceled")
    pair.observer.one(USAGE, pair.customer, hold, 4, "one", False, None)
    pair.first.begin()
    pair.first.one(CANCEL, pair.customer, "one")
    waiting = pair.blocked(pair.second.start(USAGE, pair.customer, hold, 5, "two", False, None))
    pair.first.commit()
    pair.checks.equal(waiting.one()["captured"], 9, "9 were captured, 4 of them are back in the balance")
    pair.checks.equal(_wallet(pair), (94, 1), "5 of 100 are spent, 1 is held")


def owed_by_two_captures(pair: Pair) -> None:
    """two captures that would owe as much as an account may: the second is PC001, or goes through"""
    for commit in (True, False):
        hold = _new_hold(pair, f"owed_by_two_{commit}")
        pair.observer.one("SELECT * FROM credits.account_configure(%s, overdraft_limit => 8)", pair.customer)
        pair.first.begin()
        one = pair.first.one(PART, pair.customer, hold, 105, "one", "pending")
        pair.checks.equal((one["captured"], one["charged"], one["pending"]), (10, 95, 5), "the first owes 5")
        waiting = pair.blocked(pair.second.start(USAGE, pair.customer, hold, 4, "e", False, "pending"))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "COMMIT: 4 more would be beyond 8")
        else:
            two = waiting.one()
            pair.checks.equal((two["captured"], two["charged"]), (4, 0), "ROLLBACK: the hold pays the second")
        pair.checks.equal(pair.balance()[2], 5 if commit else 0, "what is owed")


def held_for_a_meter(pair: Pair) -> None:
    """an event takes credits that only its meter may use while a hold for that meter waits: it sees what is left"""
    for commit in (True, False):
        pair.customer = f"held_for_a_meter_{commit}"
        pair.observer.one(
            "SELECT * FROM credits.credit_grant(%s, 10, applicable_meters => ARRAY['calls'])", pair.customer
        )
        pair.first.begin()
        pair.first.one(EVENT, pair.customer, 6, "e")
        waiting = pair.blocked(pair.second.start(HOLD_FOR_CALLS, pair.customer, 5))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "COMMIT: 4 are left")
        else:
            pair.checks.equal(waiting.one()["amount"], 5, "ROLLBACK: 5 of 10 are held")


def updated_and_captured(pair: Pair) -> None:
    """a hold is made smaller while a capture waits, and the other way round: who waits sees what is left"""
    for commit in (True, False):
        hold = _new_hold(pair, f"updated_and_captured_{commit}")
        pair.first.begin()
        pair.first.one(UPDATE, pair.customer, hold, 3)
        waiting = pair.blocked(pair.second.start(PART, pair.customer, hold, 5, "k", None))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC007", "COMMIT: only 3 are held")
            pair.checks.equal(_wallet(pair), (97, 3), "nothing was captured")
        else:
            pair.checks.equal(waiting.one()["captured"], 5, "ROLLBACK: 5 of 10 are captured")
            pair.checks.equal(_wallet(pair), (90, 5), "5 are held")
        pair.first.begin()
        pair.first.one(RELEASE, pair.customer, hold)
        waiting = pair.blocked(pair.second.start(UPDATE, pair.customer, hold, 8))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC010", "COMMIT: it is released")
        else:
            pair.checks.equal(waiting.one()["amount"], 8, "ROLLBACK: it has another amount")


CASES = [
    same_part_twice, two_parts, more_than_there_is, same_usage_twice, usage_captured_and_reported, usage_of_two_holds,
    captured_usage_canceled, owed_by_two_captures, held_for_a_meter, updated_and_captured,
]  # fmt: skip


def _new_hold(pair: Pair, customer: str) -> Any:
    """The id of a hold of 10 of a new customer who had 100 credits."""
    pair.customer = customer
    pair.give(100)
    return pair.observer.one(HOLD, pair.customer, 10, None)["hold_id"]


def _how(commit: bool) -> str:
    return "COMMIT" if commit else "ROLLBACK"


def _wallet(pair: Pair) -> tuple[Any, ...]:
    """available and held."""
    query = "SELECT available, held FROM credits.wallet_balance(%s, 'CREDIT')"
    return tuple(pair.observer.one(query, pair.customer).values())


def _usage(pair: Pair) -> tuple[Any, ...]:
    """How many events the customer has, and what they cost."""
    query = "SELECT count(*) AS events, sum(consumed + pending) AS credits FROM credits.usage WHERE customer_id = %s"
    return tuple(pair.observer.one(query, pair.customer).values())
