"""Two sessions on one meter event, one of which takes it back or adjusts it: who waits sees what the other did."""

from __future__ import annotations

from sessions import EVENT, Pair, refusal

CANCEL = "SELECT * FROM credits.meter_event_cancel(%s, %s)"
ADJUST = "SELECT * FROM credits.meter_event_adjust(%s, %s, %s)"
CREDIT = "SELECT * FROM credits.wallet_credit(%s, %s)"
CUSTOMER = "SELECT credits.customer_upsert(%s)"


def canceled_twice(pair: Pair) -> None:
    """two cancellations of one event: one wins, the other is a replay, or does it where the first rolls back"""
    for commit in (True, False):
        pair.customer = f"canceled_twice_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        one = pair.first.one(CANCEL, pair.customer, "event")
        pair.checks.equal((one["returned"], one["replayed"]), (7, False), "the first takes it back")
        waiting = pair.blocked(pair.second.start(CANCEL, pair.customer, "event"))
        pair.first.end(commit)
        two = waiting.one()
        pair.checks.equal((two["returned"], two["replayed"]), (7, commit), f"commit {commit}: the second's answer")
        pair.checks.equal(_available(pair), 100, "the 7 are back once")


def canceled_while_paid(pair: Pair) -> None:
    """a grant is paying what an event owes as the event is taken back: the credits come back"""
    for commit in (True, False):
        pair.customer = f"canceled_while_paid_{commit}"
        pair.first.one(CUSTOMER, pair.customer)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(CREDIT, pair.customer, 100)
        waiting = pair.blocked(pair.second.start(CANCEL, pair.customer, "event"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["returned"], 7 if commit else 0, f"commit {commit}: what was paid is returned")
        pair.checks.equal(pair.balance(), (100 if commit else 0, 0, 0), "and nothing is owed")


def paid_while_canceled(pair: Pair) -> None:
    """an event is being taken back as a grant comes: it pays only what is still owed"""
    for commit in (True, False):
        pair.customer = f"paid_while_canceled_{commit}"
        pair.first.one(CUSTOMER, pair.customer)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(CANCEL, pair.customer, "event")
        waiting = pair.blocked(pair.second.start(CREDIT, pair.customer, 100))
        pair.first.end(commit)
        waiting.one()
        pair.checks.equal(_available(pair), 100 if commit else 93, f"commit {commit}: what is left of the grant")


def reported_while_canceled(pair: Pair) -> None:
    """an event is reported again as it is being taken back: it waits, and is answered as it stands then"""
    for commit in (True, False):
        pair.customer = f"reported_while_canceled_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(CANCEL, pair.customer, "event")
        waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 7, "event"))
        pair.first.end(commit)
        seen = waiting.one()
        expected = ("canceled", 0, True) if commit else ("processed", 7, True)
        answer = (seen["status"], seen["consumed"], seen["replayed"])
        pair.checks.equal(answer, expected, f"commit {commit}: the answer")
        pair.checks.equal(_available(pair), 100 if commit else 93, "nothing is charged again")


def adjusted_twice(pair: Pair) -> None:
    """two adjustments of one event: the second follows the first, or what was reported where that rolls back"""
    for commit in (True, False):
        for value in (3, 5):
            pair.customer = f"adjusted_twice_{commit}_{value}"
            pair.first.one(CREDIT, pair.customer, 100)
            pair.first.one(EVENT, pair.customer, 7, "event")
            pair.first.begin()
            pair.first.one(ADJUST, pair.customer, "event", 3)
            waiting = pair.blocked(pair.second.start(ADJUST, pair.customer, "event", value))
            pair.first.end(commit)
            two = waiting.one()
            before, replayed = (3 if commit else 7), commit and value == 3
            seen = (two["value_before"], two["value"], two["replayed"])
            pair.checks.equal(seen, (before, value, replayed), f"commit {commit}: the second's answer")
            pair.checks.equal(_available(pair), 100 - value, "charged is the last value")


def adjusted_and_canceled(pair: Pair) -> None:
    """an event is adjusted and canceled, whichever comes first: nothing of it is charged any more"""
    for commit in (True, False):
        pair.customer = f"canceled_behind_adjusted_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(ADJUST, pair.customer, "event", 3)
        waiting = pair.blocked(pair.second.start(CANCEL, pair.customer, "event"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["returned"], 3 if commit else 7, f"commit {commit}: what stood comes back")
        pair.checks.equal(_available(pair), 100, "nothing is charged")
        pair.customer = f"adjusted_behind_canceled_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(CANCEL, pair.customer, "event")
        waiting = pair.blocked(pair.second.start(ADJUST, pair.customer, "event", 9))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC013", "what was canceled is not adjusted")
        else:
            pair.checks.equal(waiting.one()["charged"], 2, "the second goes through")
        pair.checks.equal(_available(pair), 100 if commit else 91, "charged is what stands")


def adjusted_while_paid(pair: Pair) -> None:
    """a grant is paying what an event owes as the event is adjusted: what was paid too much comes back"""
    for commit in (True, False):
        pair.customer = f"adjusted_while_paid_{commit}"
        pair.first.one(CUSTOMER, pair.customer)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(CREDIT, pair.customer, 5)
        waiting = pair.blocked(pair.second.start(ADJUST, pair.customer, "event", 3))
        pair.first.end(commit)
        two = waiting.one()
        expected = (3, 0, 2) if commit else (0, 3, 0)
        seen = (two["consumed"], two["pending"], two["returned"])
        pair.checks.equal(seen, expected, f"commit {commit}: paid, owed and returned")
        pair.checks.equal(pair.balance(), (2, 0, 0) if commit else (0, 0, 3), "and the balance says so")


def reported_while_adjusted(pair: Pair) -> None:
    """an event is reported again as it is being adjusted: a replay, with the value that was reported, as it stands then"""
    for commit in (True, False):
        pair.customer = f"reported_while_adjusted_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(EVENT, pair.customer, 7, "event")
        pair.first.begin()
        pair.first.one(ADJUST, pair.customer, "event", 3)
        waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 7, "event"))
        pair.first.end(commit)
        seen = waiting.one()
        pair.checks.equal((seen["consumed"], seen["replayed"]), (3 if commit else 7, True), f"commit {commit}: the answer")
        pair.checks.equal(_available(pair), 97 if commit else 93, "nothing is charged again")


def _available(pair: Pair) -> object:
    return pair.balance()[0]


CASES = (
    canceled_twice, canceled_while_paid, paid_while_canceled, reported_while_canceled, adjusted_twice,
    adjusted_and_canceled, adjusted_while_paid, reported_while_adjusted,
)  # fmt: skip
