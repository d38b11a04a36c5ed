"""maintain() comes to an end, and every kind of its work has its turn, while more usage comes in than it can settle."""

from __future__ import annotations

import threading
from typing import Any

import psycopg

from support import harness
from support.harness import Checks

ACCOUNTS = 250  # in which a grant has expired; more than two batches
INBOX, DEFERRED, OUTBOX = 5_000, 3_000, 250
FLOOD = 4_000  # rows that come at once, again and again: several times what is settled meanwhile
PATIENCE = "60s"

PUT_IN = """INSERT INTO credits.inbox (customer_id, event_name, identifier)
            SELECT 'busy', 'calls', %s || n FROM generate_series(1, %s) n"""
REPORT = """SELECT count(*) FROM credits.report_meter_events(
                array_fill('other'::text, ARRAY[%s]), array_fill('later'::text, ARRAY[%s]),
                array_fill(1::numeric, ARRAY[%s]), (SELECT array_agg(%s || n) FROM generate_series(1, %s) n))"""


class Flood(threading.Thread):
    """Usage that never stops coming: into the inbox, and of a deferred meter."""

    def __init__(self, database: str) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.stopped = threading.Event()
        self.came = 0

    def run(self) -> None:
        with harness.connect(self.database) as connection:
            while not self.stopped.wait(0.01):
                self.came += 1
                connection.execute(PUT_IN, [f"flood {self.came} ", FLOOD])
                report(connection, f"deferred flood {self.came} ", FLOOD // 4)


def report(connection: psycopg.Connection[Any], prefix: str, events: int) -> None:
    connection.execute(REPORT, [events, events, events, prefix, events])


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        checks.none(_turns(checks, connection), "settle() gives both kinds of usage their turn")
        _prepare(connection)
        began = connection.execute("SELECT clock_timestamp()").fetchone()[0]
        flood = Flood(database)
        flood.start()
        try:
            while flood.came < 3:
                flood.stopped.wait(0.01)
            connection.execute(f"SET statement_timeout = '{PATIENCE}'")
            before = flood.came
            connection.execute("CALL credits.maintain()")
            checks.check(flood.came > before, f"it ends while usage comes in: {flood.came - before} times")
        finally:
            flood.stopped.set()
            flood.join()
        waits = connection.execute("SELECT inbox, unsettled FROM credits.backlog").fetchone()
        # Of which kind depends on how far the last round was when the flood stopped.
        checks.check(sum(waits) > 0, f"some of what came meanwhile waits: {waits}")
        for what, query in {
            "accounts that were due": "SELECT count(*) FROM credits_internal.accounts WHERE next_change_at <= %s",
            "rows of the inbox that had come": "SELECT count(*) FROM credits.inbox WHERE received_at <= %s",
            "deferred events that were recorded": "SELECT count(*) FROM credits_internal.unsettled_events WHERE created_at <= %s",
            "rows of the outbox that were old": "SELECT count(*) FROM credits_internal.outbox WHERE created_at <= %s",
        }.items():
            checks.equal(connection.execute(query, [began]).fetchone(), (0,), f"{what} are done with")
        checks.none(harness.verify(connection), "verify() finds nothing")


def _prepare(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT credits.credit_grant('busy', 1000000000)")
    connection.execute(
        "SELECT count(*) FROM generate_series(1, %s) n CROSS JOIN LATERAL"
        " credits.credit_grant('due ' || n, 1, expires_at => now() + interval '1 second')",
        [ACCOUNTS],
    )
    # Rows of the outbox that nobody takes out.
    connection.execute(
        "SELECT count(*) FROM generate_series(1, %s) n CROSS JOIN LATERAL"
        " (SELECT credits.credit_grant('low ' || n, 10), credits.account_configure('low ' || n, 'CREDIT',"
        "  low_balance_threshold => 5)) x",
        [OUTBOX],
    )
    connection.execute(
        "SELECT count(*) FROM generate_series(1, %s) n CROSS JOIN LATERAL credits.wallet_debit('low ' || n, 9)", [OUTBOX]
    )
    connection.execute("UPDATE credits_internal.outbox SET created_at = created_at - interval '31 days'")
    connection.execute(PUT_IN, ["first ", INBOX])
    report(connection, "first deferred ", DEFERRED)
    connection.execute("SELECT pg_sleep(1.1)")


def _turns(checks: Checks, connection: psycopg.Connection[Any]) -> list[str]:
    """A batch of settle() that the inbox alone would fill charges deferred usage too, and is as large as it may be."""
    connection.execute("SELECT credits.meter_create('calls')")
    connection.execute("SELECT credits.meter_create('later', settlement => 'deferred')")
    connection.execute("SELECT credits.customer_upsert('busy'), credits.customer_upsert('other')")
    connection.execute(PUT_IN, ["turn ", 300])
    report(connection, "deferred turn ", 50)
    wrong = []
    for settled, waits in ((100, (250, 0)), (100, (150, 0)), (100, (50, 0)), (50, (0, 0)), (0, (0, 0))):
        row = connection.execute("SELECT credits.settle(100)").fetchone()
        left = connection.execute("SELECT inbox, unsettled FROM credits.backlog").fetchone()
        if row != (settled,) or left != waits:
            wrong.append(f"{row} settled, {left} left, where it should be {settled} and {waits}")
    return wrong
