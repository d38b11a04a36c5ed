"""How long deliveries are kept, and what is not kept of a person who is erased."""

from __future__ import annotations

import concurrent.futures
import time

import psycopg

from deliveries import BEGIN, DAY, MINUTE, Connection, at, claim, endpoint, rename, report, seen
from support import harness
from support.harness import Checks


def check(checks: Checks, _: str) -> None:
    for case in (retention, forgotten, erasing):
        with checks.case(case.__doc__ or ""), harness.fresh_database(case.__name__) as own, harness.connect(own) as connection:
            at(connection, BEGIN)
            case(checks, connection, own)
            checks.none(harness.verify(connection), "verify() finds nothing")


def retention(checks: Checks, connection: Connection, _: str) -> None:
    """events, deliveries and attempts are kept for credits.event_retention, and what waited behind old ones goes on"""
    endpoint(connection)
    rename(connection, "ann")
    ((attempt, *_),) = claim(connection)
    report(connection, attempt, 500)
    at(connection, BEGIN + 29 * DAY)
    rename(connection, "ann")
    claim(connection)
    at(connection, BEGIN + 31 * DAY)
    connection.execute("CALL credits.maintain()")
    connection.execute("CALL credits.maintain()")
    kept = connection.execute("SELECT object_seq, status FROM credits_internal.webhook_deliveries").fetchall()
    checks.check(kept in ([(2, "due")], [(2, "sending")]), "the old one is gone, and the one after it is next", kept)
    checks.equal(seen(claim(connection)), [("ann", 2)], "it is sent")


def forgotten(checks: Checks, connection: Connection, _: str) -> None:
    """an event that is kept no more is not sent, and its delivery and attempts go with it"""
    endpoint(connection)
    rename(connection, "ann")
    rename(connection, "bob")
    mine = claim(connection, most=1)
    at(connection, BEGIN + 31 * DAY)
    for kind in ("events", "deliveries"):
        connection.execute("SELECT credits.maintain_batch(1000, %s)", [kind])
        checks.equal(claim(connection), [], f"after {kind} are forgotten")
    tables = ("billing_events", "webhook_deliveries", "webhook_attempts")
    left = [connection.execute(f"SELECT count(*) FROM credits_internal.{table}").fetchone()[0] for table in tables]
    checks.equal(left, [0, 0, 0], "nothing is left, not even what nobody reported")
    try:
        report(connection, mine[0][0])
        checks.check(False, "a report of it is PC019")
    except psycopg.Error as error:
        checks.equal(error.sqlstate, "PC019", "a report of it is PC019")


def erasing(checks: Checks, connection: Connection, database: str) -> None:
    """who is erased is in no event that is still to be sent, and in no answer"""
    endpoint(connection)
    connection.execute("SELECT FROM credits.customer_upsert('ann', 'Ann Lee')")
    ((attempt, _, _, _, body),) = claim(connection)
    checks.check("Ann Lee" in body, "before")
    report(connection, attempt, 500, "we have no Ann Lee")
    connection.execute("SELECT FROM credits.customer_erase('ann')")
    at(connection, BEGIN + MINUTE)
    ((attempt, _, _, event, body),) = claim(connection)
    checks.equal((event["data"], "Ann Lee" in body), (None, False), "after")
    report(connection, attempt, 200, "Ann Lee is gone")
    told = connection.execute("SELECT count(*) FROM credits.webhook_attempts WHERE response_body IS NOT NULL").fetchone()
    checks.equal(told, (0,), "nor in what is answered later")
    in_flight(checks, connection, database)


def in_flight(checks: Checks, connection: Connection, database: str) -> None:
    """An answer that comes while somebody is erased, before or after."""
    for customer, first in (("bea", "report"), ("cat", "erase")):
        connection.execute("SELECT FROM credits.customer_upsert(%s, 'Lee')", [customer])
        attempt = next(row[0] for row in claim(connection) if row[3]["object_id"] == customer)
        with harness.connect(database, autocommit=False) as one, harness.connect(database) as two:
            steps = {
                "report": lambda session, attempt=attempt: report(session, attempt, 200, "we know Lee"),
                "erase": lambda session, who=customer: session.execute("SELECT FROM credits.customer_erase(%s)", [who]),
            }
            second = next(name for name in steps if name != first)
            for session in (one, two):
                at(session, BEGIN + MINUTE)
            steps[first](one)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                waiting = pool.submit(steps[second], two)
                time.sleep(0.3)
                checks.check(not waiting.done(), f"{second} waits for {first}")
                one.commit()
                waiting.result(10)
        kept = connection.execute("SELECT response_body FROM credits.webhook_attempts WHERE attempt_id = %s", [attempt]).fetchone()
        checks.equal(kept, (None,), "nothing is kept of the answer")
    told = connection.execute("SELECT count(*) FROM credits.webhook_attempts WHERE response_body IS NOT NULL").fetchone()
    checks.equal(told, (0,), "nor in what was answered")
