"""What several sessions do against one server that is killed under them: each goes on where it was once it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from support import harness

T = TypeVar("T")
PATIENCE = 30.0  # seconds until a server that was killed has to be back


class Session:
    """A connection that is made anew when it is lost."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.lost = 0
        self.connection: psycopg.Connection[Any] | None = None

    def once_more(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Does the work, again where the connection was lost before there was an answer. Errors of the call itself are
        the caller's."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if self.connection is None:
                    self.connection = harness.connect(self.database)
                return work(self.connection)
            except psycopg.Error as error:
                if not is_lost(self.connection, error) or time.monotonic() > until:
                    raise
                self.lost += 1
                self.close()
                time.sleep(0.05)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def is_lost(connection: psycopg.Connection[Any] | None, error: psycopg.Error) -> bool:
    """Whether an error is the connection's: it could not be made, or it is gone."""
    return isinstance(error, psycopg.OperationalError) and (
        connection is None or connection.closed or connection.broken or error.sqlstate in (None, "57P01", "57P03")
    )


def settle_until(database: str, batch_size: int, seconds: float) -> tuple[int, int, int]:
    """Settles batch after batch until that time is over and nothing waits. Returns how many events, in how many batches,
    and how often it was interrupted."""
    session = Session(database)
    events = batches = 0
    until = time.monotonic() + seconds
    while True:
        settled = session.once_more(lambda c: c.execute("SELECT credits.settle(%s)", [batch_size]).fetchone()[0])
        events, batches = events + settled, batches + (settled > 0)
        if settled == 0:
            if time.monotonic() > until and session.once_more(nothing_waits):
                session.close()
                return events, batches, session.lost
            time.sleep(0.01)


def nothing_waits(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT inbox + unsettled FROM credits.backlog").fetchone()
    return row == (0,)


def interrupt_settling(database: str) -> int:
    """Terminates the sessions that are in the middle of a batch, and says how many."""
    with harness.connect(database) as connection:
        row = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT credits.settle(%'"
        ).fetchone()
    assert row is not None
    return row[0]
