"""Two sessions on one meter event, one of which takes it back: who waits sees what the other did."""

from __future__ import annotations

from sessions import EVENT, Pair

CANCEL = "SELECT * FROM credits.meter_event_cancel(%s, %s)"
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


def _available(pair: Pair) -> object:
    return pair.balance()[0]


CASES = (canceled_twice, canceled_while_paid, paid_while_canceled, reported_while_canceled)
