"""The recipe of docs/testing.md: an application's own login that stops the clock, through a pool, in tests side by side."""

from __future__ import annotations

import queue
import re
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
from logins import Logins, state_of
from support.harness import Checks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
TESTS = 8
DAYS = 30
REAL = "SELECT abs(extract(epoch FROM credits.clock() - now())) < 1"


def check(checks: Checks, logins: Logins) -> None:
    (recipe,) = re.findall(r"```sql\n(CREATE SCHEMA testing;.*?)```", PAGE.read_text(), re.DOTALL)
    logins.owner.execute(recipe)
    logins.make("tester", "credits_app")
    pool: queue.Queue[psycopg.Connection[Any]] = queue.Queue()
    for _ in range(3):
        pool.put(logins.connect("tester"))

    wrong: list[str] = []
    threads = [threading.Thread(target=_test, args=(pool, number, wrong)) for number in range(TESTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checks.none(wrong, f"{TESTS} tests at once over 3 connections: {DAYS} days each, on a clock of their own")

    while not pool.empty():
        with pool.get() as connection:
            row = connection.execute(REAL).fetchone()
            checks.equal(row, (True,), "nothing is left in the connection")
            refused = state_of(connection, "SET LOCAL credits.test_clock = '2026-03-01Z'")
            checks.equal(refused, "42501", "and the login itself may not set it")
            checks.equal(state_of(connection, "SELECT testing.reset()"), "PC013", "nor empty what is not for tests")
    logins.owner.execute("DROP SCHEMA testing CASCADE")


def _test(pool: queue.Queue[psycopg.Connection[Any]], number: int, wrong: list[str]) -> None:
    """A test with a customer of its own, whose credits end in its own month; each transaction on any connection."""
    customer, began = f"test_{number}_ann", BEGIN + timedelta(days=31 * number)
    for day in range(DAYS):
        connection = pool.get()
        now = began + timedelta(days=day)
        try:
            with connection.transaction(force_rollback=day % 7 == 6):
                # The first call of a session: nothing of the extension is loaded yet.
                connection.execute("SELECT testing.freeze(%s)", [now])
                if day == 0:
                    end = began + timedelta(days=10)
                    connection.execute("SELECT credits.credit_grant(%s, 10, expires_at => %s)", [customer, end])
                query = "SELECT credits.clock(), available FROM credits.wallet_balance(%s, 'CREDIT')"
                row = connection.execute(query, [customer]).fetchone()
                if row != (now, 10 if day < 10 else 0):
                    wrong.append(f"{customer}, day {day}: {row}")
        except psycopg.Error as error:
            wrong.append(f"{customer}, day {day}: {error}")
        finally:
            pool.put(connection)
