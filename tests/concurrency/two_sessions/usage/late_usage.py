"""Late usage, and who posts what fell due before it: what lapsed pays the same, whether another session has posted that or
the usage does so itself.
"""

from __future__ import annotations

from typing import Any

from sessions import Pair, Row, Session

BEGINS, ENDS, HOLD_ENDS, NOW = (f"2026-05-01 {hour}" for hour in ("10:00", "11:00", "12:00", "12:01"))
HOLD = "SELECT * FROM credits.hold_create(%s, %s, expires_in => '2 hours')"
MISTAKE = "SELECT * FROM credits.credit_grant_void(%s, %s, 'a mistake', %s, 'pending')"
LATE = "SELECT * FROM credits.report_meter_event(%s, 'calls', %s, %s, occurred_at => '2026-05-01 10:30')"
POSTS = "SELECT * FROM credits.wallet_credit(%s, 1, description => 'own')"
REINSTATED = (
    "SELECT coalesce(sum(amount), 0) AS credits FROM credits_internal.lines"
    " WHERE customer_id = %s AND type = 'reinstatement'"
)


def held_mistake(pair: Pair) -> None:
    """a hold had a part of a grant that was a mistake: it lapses with the hold's end, and pays no late usage, whoever
    posts that end"""
    for mistake, commit in ((2, True), (2, False), (5, True), (5, False)):
        pair.customer = f"held_mistake_{mistake}_{commit}"
        _prepare(pair, mistake)
        _at(NOW, pair.first, pair.second)
        pair.first.begin()
        pair.first.one(POSTS, pair.customer)
        waiting = pair.blocked(pair.second.start(LATE, pair.customer, 5, "late"))
        pair.first.end(commit)
        _check(pair, waiting.one(), mistake, commit)


def held_mistake_settled(pair: Pair) -> None:
    """the same of usage that was recorded, and is charged with whatever posts next"""
    pair.observer.one("SELECT event_name FROM credits.meter_create('slow', settlement => 'deferred')")
    for mistake in (2, 5):
        pair.customer = f"held_mistake_settled_{mistake}"
        _prepare(pair, mistake)
        # The first of an account is recorded under its lock, with what fell due.
        pair.observer.one("SELECT * FROM credits.report_meter_event(%s, 'slow', 0, 'first')", pair.customer)
        _at(NOW, pair.first, pair.second)
        pair.first.one(LATE.replace("calls", "slow"), pair.customer, 5, "late")
        pair.second.one(POSTS, pair.customer)
        query = "SELECT consumed, pending FROM credits.usage WHERE customer_id = %s AND identifier = 'late'"
        _check(pair, pair.second.one(query, pair.customer), mistake, True)


CASES = (held_mistake, held_mistake_settled)


def _prepare(pair: Pair, mistake: int) -> None:
    """A grant of 5 that ended, while a hold that ended later had all of it; so much of it was a mistake."""
    _at(BEGINS, pair.observer)
    grant = pair.give(5, expires_at=f"'{ENDS}'")["grant_id"]
    pair.observer.one(HOLD, pair.customer, 5)
    pair.observer.one(MISTAKE, pair.customer, grant, mistake)


def _at(clock: str, *sessions: Session) -> None:
    for session in sessions:
        session.all("SELECT set_config('credits.test_clock', %s, false)", clock)
        session.all("SELECT set_config('credits.late_usage_grace', '3h', false)")


def _check(pair: Pair, row: Row, mistake: int, credited: bool) -> None:
    """What was no mistake pays, and with what was credited before, the rest."""
    found: Any = row["consumed"], row["pending"], pair.observer.one(REINSTATED, pair.customer)["credits"]
    paid = 5 - mistake + credited
    how = f"{mistake} of 5 were a mistake, {'posted before' if credited else 'not posted before'}"
    pair.checks.equal(found, (paid, 5 - paid, 5 - mistake), how)
