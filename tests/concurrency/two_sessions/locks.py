"""Locks of the extension's own: nobody else can take them, whoever is kept out by one says so, and they do exclude."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import Any

import psycopg
from psycopg import sql
from support import harness

from queueing import have_waited
from sessions import DEBIT, Pair, Session

SECRET = "a secret of thirty-two characters"
WEBHOOK = "SELECT * FROM credits.webhook_receive('own', %s, %s)"
# What a reader of the source would try first: the keys that earlier versions used, and what the names hash to.
GUESSES = """SELECT a.one AS key FROM (VALUES
    (1128481097::bigint * 4294967296 + 'credits.inbox'::regclass::oid::bigint),
    (1128481097::bigint * 4294967296), ('credits.inbox'::regclass::oid::bigint),
    ('credits_internal.accounts'::regclass::oid::bigint), ('credits_internal.webhook_events'::regclass::oid::bigint),
    (hashtextextended('pg_credits webhook own pay-1', 0)), (hashtextextended('credits.inbox', 0))) AS a (one)"""
# All that pg_locks shows of locks that are no transaction's, read as keys of either kind; and of relations and objects.
SEEN = """SELECT DISTINCT classid::bigint::bit(32)::int AS high, objid::bigint::bit(32)::int AS low FROM pg_locks
          WHERE classid IS NOT NULL AND objid IS NOT NULL"""
BACKLOG = "SELECT inbox, inbox_drained_by FROM credits.backlog"


def a_login_that_may_only_connect_stops_nothing(pair: Pair) -> None:
    """a login with no more than CONNECT that takes every advisory lock it can think of, or see, holds nobody up"""
    pair.give(100)
    have_waited(pair, pair.first, pair.second, pair.third)
    _put_in(pair, 3)
    _provider(pair)
    with _login(pair) as stranger:
        # All of them are held or waited for now: it looks, and takes them once they are free.
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 1, None)
        queued = pair.blocked(pair.second.start(DEBIT, pair.customer, 2, None))
        behind = pair.third.start(DEBIT, pair.customer, 3, None)
        pair.wait_for("EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)", pair.third.pid)
        drainer, receiver = _more(pair), _more(pair)
        drainer.begin()
        drainer.one("SELECT credits.settle(1)")
        receiver.begin()
        _receive(receiver, "evt-1", "payment.failed")
        seen = stranger.execute(SEEN).fetchall()
        pair.first.commit()
        queued.one()
        behind.one()
        drainer.commit()
        receiver.commit()
        taken = _take_everything(stranger, seen, [row["key"] for row in pair.observer.all(GUESSES)])
        pair.checks.check(taken > 10, f"it has {taken} locks")
        for session in (pair.first, pair.second, pair.third, drainer, receiver):
            session.connection.execute("SET statement_timeout = '5s'")
        settled = drainer.one("SELECT credits.settle() AS rows")["rows"]
        pair.checks.equal(settled, 2, "settle() drains the inbox")
        _receive(receiver, "evt-2", "payment.failed")
        have_waited(pair, pair.first, pair.second)
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 1, None)
        queued = pair.blocked(pair.second.start(DEBIT, pair.customer, 1, None))
        pair.first.commit()
        queued.one()
        pair.checks.equal(pair.balance()[0], 82, "every charge went through")
        drainer.close()
        receiver.close()


def two_drainers(pair: Pair) -> None:
    """one session drains the inbox at a time: another says that it was kept out and by whom, and does not wait"""
    pair.give(100)
    _put_in(pair, 5)
    said = _listen(pair.second)
    pair.first.begin()
    pair.checks.equal(pair.first.one("SELECT credits.settle(2) AS rows")["rows"], 2, "the first drains")
    pair.checks.equal(pair.second.one("SELECT credits.settle() AS rows")["rows"], 0, "the second is kept out")
    kept_out = ["another session is draining the inbox: inbox_drained_by in credits.backlog says which"]
    pair.checks.equal(said, kept_out, "and says so")
    pair.second.connection.execute("CALL credits.maintain()")
    pair.checks.equal(said, kept_out * 2, "so does maintain()")
    row = pair.observer.one(BACKLOG)
    pair.checks.equal(row, {"inbox": 5, "inbox_drained_by": pair.first.pid}, "backlog says who it is")
    pair.first.commit()
    row = pair.observer.one(BACKLOG)
    pair.checks.equal(row, {"inbox": 3, "inbox_drained_by": None}, "nobody, once that has committed")
    pair.checks.equal(pair.second.one("SELECT credits.settle() AS rows")["rows"], 3, "then the second drains the rest")
    pair.checks.equal(pair.second.one("SELECT credits.settle() AS rows")["rows"], 0, "nothing is left")
    pair.checks.equal(said, kept_out * 2, "of which nothing is said")


def two_events_of_one_payment(pair: Pair) -> None:
    """of two webhooks of one payment the later waits for the earlier"""
    _provider(pair)
    pair.first.begin()
    _receive(pair.first, "evt-3", "payment.failed")
    waiting = pair.blocked(pair.second.start(WEBHOOK, *_signed("evt-4", "payment.failed")))
    pair.first.commit()
    pair.checks.equal(waiting.one()["event_id"], "evt-4", "it goes on then")


CASES = [a_login_that_may_only_connect_stops_nothing, two_drainers, two_events_of_one_payment]


def _put_in(pair: Pair, rows: int) -> None:
    """Rows in the inbox, of one credit each, by a customer of their own."""
    customer = pair.customer + "_inbox"
    pair.observer.one("SELECT * FROM credits.wallet_credit(%s, 100)", customer)
    for number in range(rows):
        pair.observer.all(
            "INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES (%s, 'calls', %s)",
            customer, f"{pair.customer} {number}",
        )  # fmt: skip


def _provider(pair: Pair) -> None:
    pair.observer.one("SELECT * FROM credits.payment_provider_set('own', %s)", SECRET)


def _signed(event: str, kind: str) -> tuple[str, str]:
    payload = json.dumps({"id": event, "type": kind, "payment": "pay-1"})
    return payload, hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _receive(session: Session, event: str, kind: str) -> None:
    session.one(WEBHOOK, *_signed(event, kind))


def _more(pair: Pair) -> Session:
    return Session(pair.observer.connection.info.dbname, "another session")


def _listen(session: Session) -> list[str]:
    """What the server tells this session from now on, beside what it answers."""
    said: list[str] = []
    session.connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    return said


class _login:  # noqa: N801 - used as a function
    """A session of a login with no rights but to connect, for as long as the block lasts."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.role = sql.Identifier(f"stranger_{os.getpid()}")

    def __enter__(self) -> psycopg.Connection[Any]:
        connection = self.pair.observer.connection
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(self.role))
        self.session = harness.connect(connection.info.dbname, user=self.role.as_string(connection).strip('"'))
        return self.session

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.pair.observer.connection.execute(sql.SQL("DROP ROLE {}").format(self.role))


def _take_everything(stranger: psycopg.Connection[Any], seen: list[tuple[int, int]], keys: list[int]) -> int:
    """Every advisory lock that was seen or can be guessed, in every way of writing its key, for as long as the session
    lasts. How many it has then."""
    taken = 0
    for high, low in seen:
        taken += _take(stranger, "SELECT pg_try_advisory_lock(%s::int, %s::int)", high, low)
    for key in keys + [(high << 32) | (low & 0xFFFFFFFF) for high, low in seen]:
        taken += _take(stranger, "SELECT pg_try_advisory_lock(%s::bigint)", key)
        taken += _take(stranger, "SELECT pg_try_advisory_lock(%s::int, %s::int)", key >> 32, _signed_int(key))
    return taken


def _take(stranger: psycopg.Connection[Any], query: str, *key: int) -> bool:
    row = stranger.execute(query, key).fetchone()
    assert row is not None
    return row[0]


def _signed_int(key: int) -> int:
    low = key & 0xFFFFFFFF
    return low - (1 << 32) if low >= 1 << 31 else low
