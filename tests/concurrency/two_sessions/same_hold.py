"""Two sessions on one hold, or on the credits that one of them wants to hold: who waits sees what the other did."""

from __future__ import annotations

import json
from typing import Any

from sessions import CAPTURE, DEBIT, EVENT, HOLD, HOLD_FOR, RELEASE, Pair, Row, Waiting, refusal

VOID = "SELECT * FROM credits.credit_grant_void(%s, %s)"


def same_amount_captured_twice(pair: Pair) -> None:
    """two captures of one hold, one amount: one wins, the other is a replay, or does it where the first rolls back"""
    for commit in (True, False):
        hold = _new_hold(pair, f"captured_twice_{commit}")
        pair.first.begin()
        one = pair.first.one(CAPTURE, pair.customer, hold, 4)
        pair.checks.equal((one["status"], one["released"]), ("captured", 6), "the first captures 4 of 10")
        waiting = pair.blocked(pair.second.start(CAPTURE, pair.customer, hold, 4))
        pair.first.end(commit)
        two = waiting.one()
        pair.checks.equal((two["replayed"], two["captured"]), (commit, 4), f"{_how(commit)}: the second's answer")
        pair.checks.equal(_wallet(pair), (96, 0), "4 of 100 are spent, nothing is held")
        pair.checks.equal(_captured(pair, hold), 4, "in the ledger once")


def other_amount_captured(pair: Pair) -> None:
    """two captures of one hold with two amounts: the second is PC010, or goes through where the first rolls back"""
    for commit in (True, False):
        hold = _new_hold(pair, f"other_amount_{commit}")
        pair.first.begin()
        pair.first.one(CAPTURE, pair.customer, hold, 4)
        waiting = pair.blocked(pair.second.start(CAPTURE, pair.customer, hold, 7))
        pair.first.end(commit)
        _goes_through_unless(pair, commit, waiting, "captured")
        pair.checks.equal(_wallet(pair), (96, 0) if commit else (93, 0), f"{_how(commit)}: only one counts")
        pair.checks.equal(_captured(pair, hold), 4 if commit else 7, "in the ledger once")


def captured_and_released(pair: Pair) -> None:
    """a capture and a release of one hold: the second is PC010, or goes through where the first rolls back"""
    for commit in (True, False):
        for capture_first in (True, False):
            hold = _new_hold(pair, f"captured_and_released_{commit}_{capture_first}")
            capture, release = (CAPTURE, pair.customer, hold, 4), (RELEASE, pair.customer, hold)
            before, after = (capture, release) if capture_first else (release, capture)
            pair.first.begin()
            pair.first.one(*before)
            waiting = pair.blocked(pair.second.start(*after))
            pair.first.end(commit)
            _goes_through_unless(pair, commit, waiting, "captured" if capture_first else "released")
            captured = capture_first == commit
            pair.checks.equal(_wallet(pair), (96, 0) if captured else (100, 0), "only one counts")
            pair.checks.equal(_captured(pair, hold), 4 if captured else 0, "so says the ledger")


def released_twice(pair: Pair) -> None:
    """two releases of one hold: one wins, the other is a replay, or does it where the first rolls back"""
    for commit in (True, False):
        hold = _new_hold(pair, f"released_twice_{commit}")
        pair.first.begin()
        pair.first.one(RELEASE, pair.customer, hold)
        waiting = pair.blocked(pair.second.start(RELEASE, pair.customer, hold))
        pair.first.end(commit)
        two = waiting.one()
        seen = (two["replayed"], two["status"])
        pair.checks.equal(seen, (commit, "released"), f"{_how(commit)}: the second's answer")
        pair.checks.equal(_wallet(pair), (100, 0), "all of it is back, once")


def captured_before_maintenance(pair: Pair) -> None:
    """a capture is under way as its hold runs out: maintain() passes over it, and once committed it stays captured"""
    hold = _short_hold(pair)
    pair.first.begin()
    pair.first.one(CAPTURE, pair.customer, hold["hold_id"], 4)
    pair.wait_for("clock_timestamp() > %s", hold["expires_at"])
    pair.second.all("SET lock_timeout = '3s'")
    pair.second.all("CALL credits.maintain()")
    pair.first.commit()
    pair.second.all("CALL credits.maintain()")
    pair.checks.equal(_wallet(pair), (96, 0), "4 of 100 are spent, the rest is back once")
    pair.checks.equal(_status(pair, hold), ("captured", 4), "the hold is captured")


def captured_behind_maintenance(pair: Pair) -> None:
    """a capture waits while maintenance posts that its hold ran out: PC010, also where that is rolled back"""
    for commit in (True, False):
        pair.customer = f"behind_maintenance_{commit}"
        hold = _short_hold(pair)
        pair.wait_for("clock_timestamp() > %s", hold["expires_at"])
        pair.first.begin()
        pair.first.one("SELECT credits.maintain_batch()")
        waiting = pair.blocked(pair.second.start(CAPTURE, pair.customer, hold["hold_id"], 4))
        pair.first.end(commit)
        error = refusal(waiting.one)
        state = json.loads(error.diag.message_detail or "{}").get("state")
        pair.checks.equal((error.sqlstate, state), ("PC010", "expired"), f"{_how(commit)}: refused")
        pair.checks.equal(_wallet(pair), (100, 0), "everything is back")
        answer = pair.second.one(RELEASE, pair.customer, hold["hold_id"])
        pair.checks.equal((answer["replayed"], answer["status"]), (True, "expired"), "a release finds it done")


def old_capture_behind_maintenance(pair: Pair) -> None:
    """a transaction that began before its hold ran out captures it after maintenance has posted that: PC010"""
    hold = _short_hold(pair)
    pair.second.begin()
    began = pair.second.one("SELECT now() AS began")["began"]
    assert began < hold["expires_at"], "too slow: the hold ran out before the second session began"
    pair.wait_for("clock_timestamp() > %s", hold["expires_at"])
    pair.first.all("CALL credits.maintain()")
    error = refusal(lambda: pair.second.one(CAPTURE, pair.customer, hold["hold_id"], 4))
    pair.second.rollback()
    pair.checks.equal(error.sqlstate, "PC010", "refused")
    pair.checks.equal(_wallet(pair), (100, 0), "everything is back")


def old_capture_before_anything(pair: Pair) -> None:
    """a transaction that began before its hold ran out captures it later, nothing being posted: as of then"""
    hold = _short_hold(pair)
    pair.second.begin()
    pair.second.one("SELECT now()")
    pair.wait_for("clock_timestamp() > %s", hold["expires_at"])
    pair.checks.equal(_wallet(pair), (100, 0), "by now readers see everything given back")
    pair.second.one(CAPTURE, pair.customer, hold["hold_id"], 4)
    pair.second.commit()
    pair.checks.equal(_wallet(pair), (96, 0), "4 of 100 are spent")
    pair.first.all("CALL credits.maintain()")
    pair.checks.equal((_wallet(pair), _status(pair, hold)), ((96, 0), ("captured", 4)), "maintain() lets it be")


def the_last_credits(pair: Pair) -> None:
    """a hold and a debit want the last credits, whichever comes first: the other is PC001 with what is left"""
    calls = {"hold": HOLD, "debit": DEBIT}
    for one, other in (("hold", "debit"), ("debit", "hold"), ("hold", "hold")):
        for commit in (True, False):
            pair.customer = f"the_last_credits_{one}_{other}_{commit}"
            pair.give(10)
            pair.first.begin()
            pair.first.one(calls[one], pair.customer, 8, None)
            waiting = pair.blocked(pair.second.start(calls[other], pair.customer, 5, None))
            pair.first.end(commit)
            if commit:
                error = refusal(waiting.one)
                detail = json.loads(error.diag.message_detail or "{}")
                seen = (error.sqlstate, float(detail["available"]), float(detail["shortfall"]))
                pair.checks.equal(seen, ("PC001", 2.0, 3.0), f"{other} behind a {one}: 2 available, 3 short")
                pair.checks.equal(_wallet(pair), (2, 8 if one == "hold" else 0), "the first one's 8 are gone")
            else:
                pair.checks.equal(waiting.one()["available"], 5, f"{other} behind a {one} rolled back: 5 left")
                pair.checks.equal(_wallet(pair), (5, 5 if other == "hold" else 0), "only the second counts")


def held_while_its_grant_is_voided(pair: Pair) -> None:
    """a capture waits while the grant that gave to the hold is voided: it spends what it needs, the rest is voided"""
    pair.customer = "held_and_voided"
    grant = pair.give(100)["grant_id"]
    hold = pair.observer.one(HOLD, pair.customer, 10, None)["hold_id"]
    pair.first.begin()
    pair.first.one(VOID, pair.customer, grant)
    waiting = pair.blocked(pair.second.start(CAPTURE, pair.customer, hold, 4))
    pair.first.commit()
    answer = waiting.one()
    pair.checks.equal((answer["captured"], answer["available"]), (4, 0), "4 are spent, nothing is left")
    row = pair.observer.one("SELECT status, consumed, lapsed FROM credits.grants WHERE grant_id = %s", grant)
    pair.checks.equal(tuple(row.values()), ("voided", 4, 96), "of the grant 4 are consumed, 96 voided")


def usage_behind_a_release(pair: Pair) -> None:
    """an event waits while all that there is comes back from a hold: it is paid, or owed where that rolls back"""
    for commit in (True, False):
        hold = _new_hold(pair, f"usage_behind_a_release_{commit}", 100)
        pair.first.begin()
        pair.first.one(RELEASE, pair.customer, hold)
        waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 4, "e"))
        pair.first.end(commit)
        answer = waiting.one()
        expected = (4, 0) if commit else (0, 4)
        pair.checks.equal((answer["consumed"], answer["pending"]), expected, f"{_how(commit)}: paid or owed")
        if not commit:
            pair.second.one(RELEASE, pair.customer, hold)
        pair.checks.equal((_wallet(pair), pair.balance()[2]), ((96, 0), 0), "what comes back pays what is owed")


def repeated_after_its_end(pair: Pair) -> None:
    """a hold_create is repeated while its hold is captured by another: the same hold, as it stands then"""
    pair.give(100)
    hold = pair.first.one(HOLD, pair.customer, 10, "k")["hold_id"]
    pair.first.begin()
    pair.first.one(CAPTURE, pair.customer, hold, 4)
    during = pair.second.one(HOLD, pair.customer, 10, "k")
    pair.first.commit()
    after = pair.second.one(HOLD, pair.customer, 10, "k")
    seen = [(one["hold_id"] == hold, one["replayed"], one["status"], one["captured"]) for one in (during, after)]
    expected = [(True, True, "open", 0), (True, True, "captured", 4)]
    pair.checks.equal(seen, expected, "open while that is not committed, captured afterwards")


CASES = [
    same_amount_captured_twice, other_amount_captured, captured_and_released, released_twice,
    captured_before_maintenance, captured_behind_maintenance, old_capture_behind_maintenance,
    old_capture_before_anything, the_last_credits, held_while_its_grant_is_voided, usage_behind_a_release,
    repeated_after_its_end,
]  # fmt: skip


def _new_hold(pair: Pair, customer: str, amount: int = 10) -> Any:
    """The id of a hold of a new customer who had 100 credits."""
    pair.customer = customer
    pair.give(100)
    return pair.observer.one(HOLD, pair.customer, amount, None)["hold_id"]


def _short_hold(pair: Pair) -> Row:
    """A hold of 10 of the customer's 100 credits that runs out while the test looks on."""
    pair.give(100)
    return pair.observer.one(HOLD_FOR, pair.customer, 10, 1.5)


def _goes_through_unless(pair: Pair, refused: bool, waiting: Waiting, state: str) -> None:
    if not refused:
        pair.checks.equal(waiting.one()["replayed"], False, "ROLLBACK: the second goes through")
        return
    error = refusal(waiting.one)
    found = json.loads(error.diag.message_detail or "{}").get("state")
    pair.checks.equal((error.sqlstate, found), ("PC010", state), f"COMMIT: PC010, the hold is {state}")


def _how(commit: bool) -> str:
    return "COMMIT" if commit else "ROLLBACK"


def _wallet(pair: Pair) -> tuple[Any, ...]:
    """available and held, as the function and the view have them."""
    query = "SELECT available, held FROM credits.wallet_balance(%s, 'CREDIT')"
    one = pair.observer.one(query, pair.customer)
    two = pair.observer.one("SELECT available, held FROM credits.wallets WHERE customer_id = %s", pair.customer)
    assert one == two, f"wallet_balance says {one}, the view wallets {two}"
    return tuple(one.values())


def _captured(pair: Pair, hold: Any) -> Any:
    """What the ledger says was spent of a hold."""
    return pair.observer.one(
        "SELECT coalesce(-sum(held), 0) AS spent FROM credits_internal.lines"
        " WHERE customer_id = %s AND operation_id = %s AND type = 'capture'", pair.customer, hold,
    )["spent"]  # fmt: skip


def _status(pair: Pair, hold: Row) -> tuple[Any, ...]:
    query = "SELECT status, captured FROM credits_internal.holds WHERE customer_id = %s AND hold_id = %s"
    return tuple(pair.observer.one(query, pair.customer, hold["hold_id"]).values())
