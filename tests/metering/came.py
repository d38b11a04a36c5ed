"""Rows of the inbox are charged as of when they came, whoever else is at work: while one session drains, another's maintain()
posts nothing that fell due after the oldest row that waits. Those between which nothing falls due are one posting."""

from __future__ import annotations

from typing import Any

import psycopg

from support import harness
from support.harness import Checks

CUSTOMERS = ("ada", "ben", "cy")
LASTS = 2  # seconds until the grants end
TOOK = """SELECT customer_id, sum(consumed), sum(pending), bool_and(created_at = occurred_at)
          FROM credits.usage WHERE event_name = 'tokens' GROUP BY 1 ORDER BY 1"""

ROWS = 30  # of each of two customers, each in a transaction of its own
UPDATES = "SELECT n_tup_upd FROM pg_stat_xact_all_tables WHERE relid = 'credits_internal.accounts'::regclass"
# Received as occurred: the row says nothing of the latter.
LINES = """SELECT row_number() OVER (ORDER BY l.line_no), l.identifier
           FROM credits.ledger l JOIN credits.usage u USING (customer_id, identifier)
           WHERE l.customer_id = %s AND l.running_balance = 1000 - (l.line_no - 1) AND l.created_at = u.occurred_at
             AND l.effective_at = u.occurred_at ORDER BY l.line_no"""


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as one, harness.connect(database) as other:
        one.execute("SELECT credits.meter_create('tokens')")
        one.execute("SELECT credits.meter_create('later', settlement => 'deferred')")
        for customer in CUSTOMERS:
            one.execute(
                "SELECT credits.credit_grant(%s, 10, expires_at => clock_timestamp() + %s * interval '1 second')",
                [customer, LASTS],
            )
            one.execute(
                "INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES (%s, 'tokens', 4, 'before')",
                [customer],
            )
        # Due after them, and nothing of it waits.
        one.execute(
            "SELECT credits.credit_grant('dot', 10, expires_at => clock_timestamp() + %s * interval '1 second')", [LASTS]
        )
        # The first of an account looks at it; those after it do not.
        one.execute("SELECT credits.report_meter_event('cy', 'later', 1, 'first')")
        one.execute("SELECT pg_sleep(%s)", [LASTS + 0.1])
        beside_one_that_drains(checks, one, other)
        one.execute("SELECT credits.settle()")
        other.execute("CALL credits.maintain()")
        checks.equal(
            one.execute(TOOK).fetchall(), [(customer, 4, 0, True) for customer in CUSTOMERS], "each row is paid as of then"
        )
        checks.equal(ended(one), {"ada": 6, "ben": 6, "cy": 5, "dot": 10}, "and what was left has ended since")
        checks.none(harness.verify(one), "verify() finds nothing")
        each_in_a_transaction(checks, one)


def beside_one_that_drains(
    checks: Checks, one: psycopg.Connection[Any], other: psycopg.Connection[Any]
) -> None:
    """One session has drained a row and not committed; the others' rows wait while a second one maintains."""
    one.execute("BEGIN")
    one.execute("SELECT credits.settle(1)")
    # Recorded now, after the grants' end: charged at once it would take its account past that.
    other.execute("SELECT credits.report_meter_event('cy', 'later', 1, 'deferred')")
    other.execute("CALL credits.maintain(batch_size => 1)")
    checks.equal(
        ended(other), {"dot": 10}, "another's maintain() posts no end that came after rows that wait, but the one behind those"
    )
    one.execute("COMMIT")


def each_in_a_transaction(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """Rows that came one by one: a posting of all of them, to the same lines as one by one."""
    for customer in ("eli", "fay"):
        connection.execute("SELECT credits.credit_grant(%s, 1000)", [customer])
    connection.execute(
        "SELECT credits.credit_grant('gus', 5, expires_at => clock_timestamp() + interval '1 second'),"
        " credits.credit_grant('gus', 100)"
    )
    for number in range(ROWS):
        for customer in ("eli", "fay"):
            _put_in(connection, customer, "tokens", str(number))
    for customer, event_name, identifier in (
        ("eli", "tokens", "0"), ("eli", "tokens", "last"), ("hal", "none such", "wrong"), ("gus", "tokens", "before"),
    ):  # fmt: skip
        _put_in(connection, customer, event_name, identifier)
    connection.execute("SELECT pg_sleep(1.1)")
    _put_in(connection, "gus", "tokens", "after")
    connection.execute("BEGIN")
    connection.execute("SELECT credits.settle()")
    updates = connection.execute(UPDATES).fetchone()[0]
    connection.execute("COMMIT")
    checks.check(updates < ROWS, f"{2 * ROWS} rows that came one by one are few postings", f"{updates} of accounts")
    for customer in ("eli", "fay"):
        checks.equal(
            connection.execute(LINES, [customer]).fetchall(),
            [(number + 1, str(number) if number < ROWS else "last") for number in range(ROWS + (customer == "eli"))],
            f"{customer}: a line each, in order, as of when each came",
        )
    rejected = connection.execute("SELECT customer_id, identifier, error FROM credits.rejected_events").fetchall()
    checks.equal(rejected, [("hal", "wrong", "PC004")], "what is wrong is put aside, and a repeat is dropped")
    paid = connection.execute("SELECT amount, type FROM credits.ledger WHERE customer_id = 'gus' ORDER BY line_no").fetchall()
    expected = [(5, "grant"), (100, "grant"), (-1, "consumption"), (-4, "expiration"), (-1, "consumption")]
    checks.equal(paid, expected, "a grant ends between the two that came before and after")
    checks.none(harness.verify(connection), "verify() finds nothing")


def _put_in(connection: psycopg.Connection[Any], *row: str) -> None:
    connection.execute("INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES (%s, %s, %s)", row)


def ended(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """What expired, by customer, as posted."""
    return dict(
        connection.execute(
            "SELECT customer_id, -sum(amount) FROM credits.ledger WHERE type = 'expiration' GROUP BY 1"
        ).fetchall()
    )
