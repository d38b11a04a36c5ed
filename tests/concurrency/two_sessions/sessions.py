"""Sessions for tests of two of them: one whose statement can be left waiting, and the proof that it does wait.

A case gets a Pair: two sessions (and a third for the case that needs it) and an observer that watches the locks.
Nothing here sleeps and hopes: `blocked` returns only when the server itself says that the one session waits for the
other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support import harness
from support.harness import Checks

PATIENCE = 20.0  # seconds until something that should have happened counts as not happening

# The calls of these tests, in the users' usual style.
BALANCE = "SELECT available, restricted, pending FROM credits.wallet_balance(%s, 'CREDIT')"
DEBIT = "SELECT * FROM credits.wallet_debit(%s, %s, idempotency_key => %s)"
TRY_DEBIT = "SELECT * FROM credits.wallet_try_debit(%s, %s, idempotency_key => %s)"
CREDIT = "SELECT * FROM credits.wallet_credit(%s, %s, idempotency_key => %s)"
GRANT = "SELECT * FROM credits.credit_grant(%s, %s, idempotency_key => %s)"
EVENT = "SELECT * FROM credits.report_meter_event(%s, 'calls', %s, %s)"
BATCH = "SELECT * FROM credits.report_meter_events(%s, %s, %s::numeric[], %s)"
HOLD = "SELECT * FROM credits.hold_create(%s, %s, idempotency_key => %s)"
HOLD_FOR = "SELECT * FROM credits.hold_create(%s, %s, expires_in => %s * interval '1 s')"
CAPTURE = "SELECT * FROM credits.hold_capture(%s, %s, %s)"
RELEASE = "SELECT * FROM credits.hold_release(%s, %s)"
REVERSE = "SELECT * FROM credits.operation_reverse(%s, %s, amount => %s, idempotency_key => %s)"
REVERSE_ALL = "SELECT * FROM credits.operation_reverse(%s, %s, idempotency_key => %s)"
TRANSFER = "SELECT * FROM credits.wallet_transfer(%s, 'recipient', %s, idempotency_key => %s)"
TRANSFER_TO = "SELECT * FROM credits.wallet_transfer(%s, %s, %s)"
ADD = "SELECT * FROM credits.wallet_adjust(%s, %s, 'gift', idempotency_key => %s)"
TAKE = "SELECT * FROM credits.wallet_adjust(%s, -%s::numeric, 'correction', idempotency_key => %s)"

Row = dict[str, Any]


class Waiting:
    """A statement under way in a thread of its own."""

    def __init__(self, session: Session, query: str, values: tuple[Any, ...]) -> None:
        self.session = session
        self._rows: list[Row] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, args=(query, values), daemon=True)
        self._thread.start()

    def _work(self, query: str, values: tuple[Any, ...]) -> None:
        try:
            self._rows = self.session.all(query, *values)
        except Exception as error:  # noqa: BLE001 - handed to whoever asks for the result
            self._error = error

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def all(self) -> list[Row]:
        """What the statement returned; raises what it raised."""
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise TimeoutError(f"{self.session.name} still waits after {PATIENCE:.0f} s")
        if self._error is not None:
            raise self._error
        return self._rows

    def one(self) -> Row:
        rows = self.all()
        assert len(rows) == 1, f"{len(rows)} rows where one was due"
        return rows[0]


class Session:
    """One connection. Each statement commits by itself unless begin() opened a transaction."""

    def __init__(self, database: str, name: str) -> None:
        self.name = name
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '60s'")
        self.pid = self.connection.info.backend_pid

    def all(self, query: str, *values: Any) -> list[Row]:
        cursor = self.connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *values: Any) -> Row:
        rows = self.all(query, *values)
        assert len(rows) == 1, f"{len(rows)} rows where one was due"
        return rows[0]

    def start(self, query: str, *values: Any) -> Waiting:
        return Waiting(self, query, values)

    def begin(self, isolation: str = "READ COMMITTED") -> None:
        self.connection.execute(f"BEGIN ISOLATION LEVEL {isolation}")

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        self.connection.execute("ROLLBACK")

    def end(self, commit: bool) -> None:
        self.commit() if commit else self.rollback()

    def close(self) -> None:
        self.connection.close()


class Pair:
    """The two sessions of one case, the observer, and a customer of the case's own."""

    def __init__(self, database: str, checks: Checks, customer: str) -> None:
        self.checks = checks
        self.customer = customer
        self.first = Session(database, "the first session")
        self.second = Session(database, "the second session")
        self.third = Session(database, "the third session")
        self.observer = Session(database, "the observer")

    def blocked(self, waiting: Waiting, by: Session | None = None) -> Waiting:
        """Returns once the statement waits for the other session's lock; fails where it does not wait."""
        holder = by or (self.first if waiting.session is self.second else self.second)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            query = "SELECT %s = ANY (pg_blocking_pids(%s)) AS blocked"
            row = self.observer.one(query, holder.pid, waiting.session.pid)
            if row["blocked"]:
                return waiting
            if waiting.done:
                waiting.all()
                raise AssertionError(f"{waiting.session.name} did not wait for {holder.name}")
            time.sleep(0.01)
        raise TimeoutError(f"{waiting.session.name} was not seen waiting for {holder.name}")

    def settled(self, waiting: Waiting) -> Waiting:
        """Returns once the statement is over or waits for any lock, for where either is right."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not waiting.done:
            row = self.observer.one("SELECT pg_blocking_pids(%s) <> '{}' AS blocked", waiting.session.pid)
            if row["blocked"]:
                break
            time.sleep(0.01)
        return waiting

    def give(self, amount: Any, name: str | None = None, **terms: Any) -> Row:
        """A committed grant to the case's customer; terms are parameters of credit_grant, as SQL where they are str."""
        extra = "".join(f", {key} => {value}" for key, value in terms.items())
        query = f"SELECT * FROM credits.credit_grant(%s, %s, name => %s{extra})"
        return self.observer.one(query, self.customer, amount, name)

    def balance(self) -> tuple[Any, ...]:
        """available, restricted, pending of the case's customer."""
        return tuple(self.observer.one(BALANCE, self.customer).values())

    def draws(self) -> list[tuple[str | None, Any]]:
        """From which grant how much was drawn, in the ledger's order."""
        rows = self.observer.all(
            "SELECT g.name, -l.amount AS drawn FROM credits_internal.lines AS l"
            " JOIN credits_internal.credit_grants AS g USING (customer_id, grant_id)"
            " WHERE l.customer_id = %s AND l.type IN ('consumption', 'debit', 'hold') ORDER BY l.line_no",
            self.customer,
        )
        return [(row["name"], row["drawn"]) for row in rows]

    def wait_for(self, condition: str, *values: Any) -> None:
        """Lets the server's clock come to a moment: returns once the SQL condition holds."""
        until = time.monotonic() + PATIENCE
        while not self.observer.one(f"SELECT {condition} AS holds", *values)["holds"]:
            if time.monotonic() > until:
                raise TimeoutError(f"never came true: {condition}")
            time.sleep(0.02)

    def close(self) -> None:
        for session in (self.first, self.second, self.third, self.observer):
            session.close()


def refusal(call: Callable[[], Any]) -> psycopg.Error:
    """The database's error from a call that has to fail."""
    try:
        answer = call()
    except psycopg.Error as error:
        return error
    raise AssertionError(f"went through where it had to be refused: {answer}")


def run_case(checks: Checks, database: str, case: Callable[[Pair], None]) -> None:
    """Runs one case in sessions of its own; its docstring is its title, and verify() closes it."""
    title = " ".join((case.__doc__ or case.__name__).split())
    with checks.case(title):
        pair = Pair(database, checks, case.__name__)
        try:
            case(pair)
            checks.none(pair.observer.all("SELECT * FROM credits.verify()"), "verify() finds nothing")
        finally:
            pair.close()
