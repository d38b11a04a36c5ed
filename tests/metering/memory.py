"""Memory: what callers send is bounded, what is too large is refused or put aside, and where there is no memory it is an error of
PostgreSQL's and not the end of the server. Long calls answer a cancel, and what a session took it gives back.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from support import harness
from support.harness import Checks, say

MB = 1 << 20
LARGE = "jsonb_build_object('a', repeat('x', {}))"
MANY = 100_000

# A batch of so many events, by arrays and as JSON, under identifiers of their own.
ARRAYS = """SELECT count(*), count(error) FROM credits.report_meter_events(
    (SELECT array_agg('ann'::text) FROM generate_series(1, {0})), (SELECT array_agg('calls'::text) FROM generate_series(1, {0})),
    (SELECT array_agg(1::numeric) FROM generate_series(1, {0})), (SELECT array_agg('{1}' || n) FROM generate_series(1, {0}) n))"""
JSON = """SELECT count(*), count(error) FROM credits.report_meter_events((
    SELECT jsonb_agg(jsonb_build_object('customer_id', 'ann', 'event_name', 'calls', 'identifier', '{1}' || n))
    FROM generate_series(1, {0}) n))"""
PUT = """INSERT INTO credits.inbox (customer_id, event_name, identifier, metadata)
    SELECT %s, 'calls', %s || n, {} FROM generate_series(1, %s) n"""


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, options="-c synchronous_commit=off") as connection:
        connection.execute("SELECT credits.meter_create('calls')")
        connection.execute("SELECT credits.credit_grant('ann', 1000000000)")
        bounds(checks, connection)
        too_large_for_the_inbox(checks, connection)
        maintained(checks, database)
        no_memory(checks, database)
        canceled(checks, database)
        given_back(checks, database)
        checks.none(harness.verify(connection), "verify() finds nothing")


def bounds(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    large, long = LARGE.format(2 * MB), "repeat('x', 10001)"
    for call, argument in (
        (f"report_meter_event('ann', 'calls', 1, 'large', metadata => {large})", "metadata"),
        (f"report_meter_event('ann', 'calls', 1, 'large', source_data => {large})", "source_data"),
        (f"report_meter_event('ann', 'calls', 1, 'large', subscription_id => {long})", "subscription_id"),
        (f"wallet_debit('ann', 1, metadata => {large})", "metadata"),
        (f"wallet_debit('ann', 1, description => {long})", "description"),
        (f"credit_grant('ann', 1, metadata => {large})", "metadata"),
        (f"customer_upsert('ann', name => {long})", "name"),
        (f"hold_create('ann', 1, metadata => {large})", "metadata"),
        (f"meter_create('more', description => {long})", "description"),
        (f"credit_grant('ann', 1, applicable_meters => array_fill('calls'::text, ARRAY[{MANY + 1}]))", "applicable_meters"),
        (f"outbox_ack('one', array_fill(gen_random_uuid(), ARRAY[{MANY + 1}]))", "ids"),
    ):  # fmt: skip
        checks.equal(refused(connection, f"SELECT credits.{call}"), ("PC013", argument), f"{argument} of {call.partition('(')[0]}")
    checks.equal(refused(connection, ARRAYS.format(MANY + 1, "x")), ("PC013", "customer_ids"), "a batch by arrays")
    checks.equal(refused(connection, JSON.format(MANY + 1, "x")), ("PC013", "events"), "a batch as JSON")
    event = "jsonb_build_object('customer_id', 'ann', 'event_name', 'calls', 'identifier', {}, 'metadata', {})"
    events = event.format(1, "NULL::jsonb"), event.format(2, large), event.format(3, LARGE.format(MB // 2))
    batch = f"jsonb_build_array({', '.join(events)})"
    rows = connection.execute(f"SELECT error FROM credits.report_meter_events({batch})").fetchall()
    checks.equal(rows, [(None,), ("PC013",), (None,)], "one event of a batch has too much with it")


def refused(connection: psycopg.Connection[Any], statement: str) -> tuple[str | None, str] | None:
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate, (error.diag.message_primary or "").partition(" ")[0]
    return None


def too_large_for_the_inbox(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    connection.execute(PUT.format(LARGE.format(60 * MB)), ["ann", "huge ", 12])
    connection.execute(PUT.format(LARGE.format(MB - 1000)), ["ann", "large ", 100])
    connection.execute(PUT.format("NULL"), ["x" * 300, "long ", 1])
    connection.execute(PUT.format("NULL"), ["y" * 3_000_000, "longer ", 1])
    before = peak(connection)
    settled = connection.execute("SELECT credits.settle(1000)").fetchone()
    checks.equal(settled, (114,), "all of it leaves the inbox")
    grown = (peak(connection) - before) / MB
    checks.check(grown < 400, f"with at most {grown:.0f} MB in memory, of 820", grown)
    rows = connection.execute(
        "SELECT split_part(identifier, ' ', 1), error, message, count(*) FROM credits.rejected_events GROUP BY 1, 2, 3 ORDER BY 1"
    ).fetchall()
    key = "customer_id must have 1 to 255 characters"
    expected = [("huge", "PC013", "metadata must have at most 1 MiB", 12), ("long", "PC013", key, 1), ("longer", "PC013", key, 1)]
    checks.equal(rows, expected, "what is too large is put aside")
    connection.execute("DELETE FROM credits_internal.inbox_rejected")


def maintained(checks: Checks, database: str) -> None:
    """A batch of maintain() that is larger than a session's memory should be: a row is a few pages, and a megabyte when read."""
    with harness.connect(database, options="-c synchronous_commit=off") as connection:
        connection.execute(PUT.format(LARGE.format(MB - 1000)), ["ann", "compressed ", 350])
    with harness.connect(database, options="-c synchronous_commit=off") as connection:
        pid = connection.info.backend_pid
        connection.execute("SELECT credits.settle(1)")
        idle, before = private(pid), peak(connection)
        connection.execute("CALL credits.maintain()")
        grown, kept = (peak(connection) - before) // MB, (private(pid) - idle) // MB
        checks.equal(connection.execute("SELECT count(*) FROM credits.inbox").fetchone(), (0,), "maintain() charges 350 MB of rows")
        checks.check(grown < 250 and kept < 24, f"with at most {grown} MB in memory, of which {kept} MB stay")


def no_memory(checks: Checks, database: str) -> None:
    """A session that may have so much more memory, and no more."""
    outcomes: dict[str, int] = {}
    for more in (8, 32, 128, 192, 224, 256, 320, 448):
        for name, batch in (("arrays", ARRAYS), ("JSON", JSON)):
            with harness.connect(database) as connection:
                connection.execute(batch.format(10, f"loading {more} {name} "))
                pid = connection.info.backend_pid
                # By the server's own user, who may.
                limit = f"cat >&2; prlimit --pid {pid} --as={size(pid) + more * MB}"
                connection.execute(f"COPY (SELECT 1) TO PROGRAM '{limit}'")
                try:
                    # Taken back, so that verify() at the end has no million events to go through.
                    with connection.transaction(force_rollback=True):
                        connection.execute(batch.format(MANY, f"{more} {name} "))
                    outcome = "done"
                except psycopg.OperationalError as error:
                    outcome = error.sqlstate or "the connection is lost"
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                if outcome == "53200":
                    connection.execute("SELECT 1")
    say(f"        {outcomes}")
    checks.none([one for one in outcomes if one not in ("done", "53200")], "without memory it is an error, and the session goes on")
    checks.equal(set(outcomes), {"done", "53200"}, "some batches had enough, and some had not")


def canceled(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute(ARRAYS.format(10, "loading cancel "))
        for name, batch in (("arrays", ARRAYS), ("JSON", JSON)):
            took = []
            for tenth in range(1, 9):
                statement = batch.format(MANY, f"cancel {name} {tenth} ")
                took.append(cancel_after(connection, statement, tenth * 0.15))
            took = [one for one in took if one is not None]
            checks.check(bool(took) and max(took) < 1, f"{name}: canceled within {max(took, default=9) * 1000:.0f} ms", took)


def cancel_after(connection: psycopg.Connection[Any], statement: str, seconds: float) -> float | None:
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.monotonic())
        connection.cancel()

    timer = threading.Timer(seconds, cancel)
    timer.start()
    try:
        connection.execute(statement)
    except psycopg.errors.QueryCanceled:
        return time.monotonic() - asked[0]
    finally:
        timer.cancel()
        timer.join()
    return None


def given_back(checks: Checks, database: str) -> None:
    with harness.connect(database, options="-c synchronous_commit=off") as connection:
        pid = connection.info.backend_pid
        connection.execute(ARRAYS.format(10, "loading back "))
        before, taken = private(pid), []
        for number in range(6):
            with connection.transaction(force_rollback=True):
                connection.execute(ARRAYS.format(MANY, f"back {number} "))
            taken.append((private(pid) - before) // MB)
        checks.check(max(taken) < 24, f"after each of six batches of {MANY:,} the session has {taken} MB more")
        loop = "DO $$ BEGIN FOR n IN 1..20000 LOOP PERFORM credits.{}; END LOOP; END $$"
        for call in (
            "wallet_debit('ann', 1, metadata => '{\"a\": [1, 2]}')",
            "wallet_try_debit('ann', 1e20)",
            "report_meter_event('ann' || n % 50, 'calls', 1, 'loop ' || n, metadata => '{\"a\": [1, 2]}')",
            "wallet_history('ann')",
        ):
            count = "SELECT count(*) FROM generate_series(0, 50) n, credits.credit_grant('ann' || n, 1000000)"
            connection.execute(count)
            connection.execute(loop.format(call).replace("20000", "200"))
            before = private(pid)
            connection.execute(loop.format(call).replace("20000", "3000"))
            grown = (private(pid) - before) // MB
            checks.check(grown < 8, f"3,000 of {call.partition('(')[0]} in one transaction take {grown} MB")


def status(pid: int, name: str) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def private(pid: int) -> int:
    """The memory of a session that is its own."""
    return status(pid, "RssAnon")


def size(pid: int) -> int:
    return status(pid, "VmSize")


def peak(connection: psycopg.Connection[Any]) -> int:
    return status(connection.info.backend_pid, "VmHWM")
