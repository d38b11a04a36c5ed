"""The queue before a wallet that sessions had to wait for: who waits in it, who does not, and what is left of it."""

from __future__ import annotations

import json

from sessions import DEBIT, EVENT, Pair, Session, refusal

# The queue's locks (src/pg/locking/lock.rs): who has one, and who waits for it.
QUEUE = """SELECT coalesce(jsonb_object_agg(pid, granted), '{}') AS queue FROM pg_locks
           WHERE locktype = 'object' AND classid = 'credits_internal.accounts'::regclass"""


def one_waits_for_the_row(pair: Pair) -> None:
    """sessions that had to wait before form a queue: the first of it waits for the row, the rest for the queue"""
    pair.give(100)
    have_waited(pair, pair.first, pair.second, pair.third)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    ahead = pair.blocked(pair.second.start(EVENT, pair.customer, 2, "ahead"))
    behind = pair.third.start(DEBIT, pair.customer, 3, None)
    _until(pair, {pair.second.pid: True, pair.third.pid: False})
    pair.checks.equal(pair.first.one(DEBIT, pair.customer, 4, None)["available"], 89, "who has the row does not queue")
    pair.first.commit()
    pair.checks.equal(ahead.one()["available"], 87, "the first in the queue comes next")
    pair.checks.equal(behind.one()["available"], 84, "then the next")
    _until(pair, {})
    pair.checks.equal(pair.balance(), (84, 0, 0), "100 less 6 waited for and 10")


def who_has_written_does_not_queue(pair: Pair) -> None:
    """a transaction that has written waits for the row itself, past the queue"""
    other = pair.customer + "_other"
    pair.give(100)
    pair.observer.one("SELECT * FROM credits.wallet_credit(%s, 10)", other)
    have_waited(pair, pair.second, pair.third)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    pair.second.begin()
    pair.second.one(DEBIT, other, 1, None)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 2, None))
    queued = pair.third.start(DEBIT, pair.customer, 3, None)
    _until(pair, {pair.third.pid: True})
    pair.first.commit()
    waiting.one()
    pair.second.commit()
    queued.one()
    pair.checks.equal(pair.balance(), (90, 0, 0), "each was charged")


def canceled_in_the_queue(pair: Pair) -> None:
    """who is canceled leaves the queue, from its middle and from its head, and the others go on"""
    pair.give(100)
    for head in (False, True):
        have_waited(pair, pair.second, pair.third)
        before = pair.balance()[0]
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 1, None)
        two = pair.blocked(pair.second.start(DEBIT, pair.customer, 2, None))
        three = pair.third.start(DEBIT, pair.customer, 3, None)
        _until(pair, {pair.second.pid: True, pair.third.pid: False})
        leaving, staying = (two, three) if head else (three, two)
        pair.observer.one("SELECT pg_cancel_backend(%s)", leaving.session.pid)
        pair.checks.equal(refusal(leaving.one).sqlstate, "57014", "canceled")
        _until(pair, {staying.session.pid: True})
        pair.first.commit()
        staying.one()
        _until(pair, {})
        pair.checks.equal(pair.balance()[0], before - 1 - (3 if head else 2), "only the other one was charged")


def nobody_waits_where_commits_do_not(pair: Pair) -> None:
    """with synchronous_commit off nobody queues"""
    pair.give(100)
    have_waited(pair, pair.second)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    pair.second.connection.execute("SET synchronous_commit = off")
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 2, None))
    pair.checks.equal(pair.observer.one(QUEUE)["queue"], {}, "it waits for the row itself")
    pair.first.commit()
    waiting.one()


CASES = [one_waits_for_the_row, who_has_written_does_not_queue, canceled_in_the_queue, nobody_waits_where_commits_do_not]


def have_waited(pair: Pair, *sessions: Session) -> None:
    """Each of these sessions has had to wait for the wallet, and took a credit as the one before it did."""
    for session in sessions:
        before = pair.second if session is pair.first else pair.first
        before.begin()
        before.one(DEBIT, pair.customer, 1, None)
        waiting = pair.blocked(session.start(DEBIT, pair.customer, 1, None), by=before)
        before.commit()
        waiting.one()


def _until(pair: Pair, expected: dict[int, bool]) -> None:
    """Waits until those sessions are in the queue, and whether each is at its head."""
    pair.wait_for(f"({QUEUE}) = %s::jsonb", json.dumps(expected))
