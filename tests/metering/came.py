"""Rows of the inbox are charged as of when they came, whoever else is at work: while one session drains, another's maintain()
posts nothing that fell due after the oldest row that waits."""

from __future__ import annotations

from typing import Any

import psycopg

from support import harness
from support.harness import Checks

CUSTOMERS = ("ada", "ben", "cy")
LASTS = 2  # seconds until the grants end
TOOK = """SELECT customer_id, sum(consumed), sum(pending), bool_and(created_at = occurred_at)
          FROM credits.usage WHERE event_name = 'tokens' GROUP BY 1 ORDER BY 1"""


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


def ended(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """What expired, by customer, as posted."""
    return dict(
        connection.execute(
            "SELECT customer_id, -sum(amount) FROM credits.ledger WHERE type = 'expiration' GROUP BY 1"
        ).fetchall()
    )
