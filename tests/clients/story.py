#!/usr/bin/python3
"""The clients' story in psycopg: parameters as %s or %(name)s, Decimals and UUIDs as they come, errors with
exc.sqlstate and exc.diag. The test runs this file and counts the lines that it prints."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

CUSTOMER = "psycopg o'brien"


def check(got: object, expected: object, what: str) -> None:
    print(f"ok {what}" if got == expected else f"FAIL {what}: expected {expected!r}, got {got!r}", flush=True)


def main(database: str) -> None:
    with psycopg.connect(dbname=database, row_factory=namedtuple_row) as connection:
        connection.execute(
            "SELECT * FROM credits.meter_create(%s, unit_price => %s)", ["psycopg_answers", Decimal("0.5")]
        )

        signed_up = connection.execute(
            "SELECT * FROM credits.customer_upsert(%(customer)s, name => %(name)s)",
            {"customer": CUSTOMER, "name": "Pat O'Brien"},
        ).fetchone()
        check(signed_up.customer_id, CUSTOMER, "signed up")

        grant = connection.execute(
            "SELECT * FROM credits.credit_grant(%s, %s, name => %s, metadata => %s)",
            [CUSTOMER, 20, "sign-up bonus", Jsonb({"campaign": "spring"})],
        ).fetchone()
        check((grant.remaining, type(grant.grant_id)), (Decimal(20), UUID), "20 granted, its id a UUID")
        check(grant.metadata, {"campaign": "spring"}, "metadata comes back as a dict")

        debit = connection.execute(
            "SELECT * FROM credits.wallet_debit(%s, %s, idempotency_key => %s)", [CUSTOMER, Decimal("5"), "order 1"]
        ).fetchone()
        check((debit.debited, debit.available, debit.replayed), (5, 15, False), "5 debited, 15 left")
        connection.commit()

        refused = connection.execute(
            "SELECT * FROM credits.wallet_try_debit(%s, %s, idempotency_key => %s)", [CUSTOMER, 1000, "order 2"]
        ).fetchone()
        seen = (refused.ok, refused.shortfall, refused.operation_id)
        check(seen, (False, 985, None), "wallet_try_debit: ok = false, 985 short, and the transaction goes on")

        report = "SELECT * FROM credits.report_meter_event(%s, %s, %s, %s, occurred_at => %s)"
        values = [CUSTOMER, "psycopg_answers", 4, "answer_psycopg", datetime.now(timezone.utc)]
        first = connection.execute(report, values).fetchone()
        again = connection.execute(report, values).fetchone()
        seen = (first.consumed, first.replayed, again.consumed, again.replayed)
        check(seen, (2, False, 2, True), "reported twice, charged once")

        rows = connection.execute(
            "SELECT * FROM credits.report_meter_events(%s, %s, %s, %s)",
            [[CUSTOMER] * 2, ["psycopg_answers", "no such meter"], [Decimal(2), Decimal(1)], ["batch_1", "batch_2"]],
        ).fetchall()
        seen = [(row.identifier, row.error) for row in rows]
        check(seen, [("batch_1", None), ("batch_2", "PC004")], "a batch from four lists, one bad event")

        balance = connection.execute("SELECT * FROM credits.wallet_balance(%s, %s)", [CUSTOMER, "CREDIT"]).fetchone()
        check((balance.available, balance.pending), (12, 0), "12 left, nothing owed")
        connection.commit()

        refusal(connection)
        together(connection)
        held(connection)
    print("done")


def refusal(connection: psycopg.Connection) -> None:
    """An uncovered debit: the code that a program acts on, and what it tells its user."""
    try:
        connection.execute("SELECT * FROM credits.wallet_debit(%s, %s)", [CUSTOMER, 1000])
    except psycopg.Error as exc:
        check(exc.sqlstate, "PC001", "exc.sqlstate of an uncovered debit")
        detail = json.loads(exc.diag.message_detail or "", parse_float=Decimal)
        names = ["available", "currency", "customer_id", "requested", "shortfall"]
        check(sorted(detail), names, "exc.diag.message_detail is JSON with five values")
        check((detail["customer_id"], detail["currency"]), (CUSTOMER, "CREDIT"), "whose and of what")
        amounts = [Decimal(detail[name]) for name in ("available", "requested", "shortfall")]
        check(amounts, [12, 1000, 988], "the amounts")
    else:
        check("no error", "PC001", "exc.sqlstate of an uncovered debit")
    connection.rollback()


def together(connection: psycopg.Connection) -> None:
    """The job and its debit commit or fail as one."""
    try:
        with connection.transaction():
            connection.execute("SELECT * FROM credits.wallet_debit(%s, %s)", [CUSTOMER, 10])
            raise RuntimeError("the job could not be stored")
    except RuntimeError:
        pass
    balance = connection.execute("SELECT * FROM credits.wallet_balance(%s, %s)", [CUSTOMER, "CREDIT"]).fetchone()
    check(balance.available, 12, "a rolled back debit took nothing")


def held(connection: psycopg.Connection) -> None:
    """Hold the most that a job can cost, settle what it did cost: an id and an interval as Python has them."""
    hold = connection.execute(
        "SELECT * FROM credits.hold_create(%s, %s, expires_in => %s)", [CUSTOMER, 10, timedelta(minutes=5)]
    ).fetchone()
    check((type(hold.hold_id), hold.amount, hold.available), (UUID, 10, 2), "10 held, 2 left")
    capture = "SELECT * FROM credits.hold_capture(%s, %s, %s)"
    captured = connection.execute(capture, [CUSTOMER, hold.hold_id, Decimal("7.5")]).fetchone()
    seen = (captured.status, captured.captured, captured.released, captured.available)
    check(seen, ("captured", Decimal("7.5"), Decimal("2.5"), Decimal("4.5")), "7.5 captured, the rest is back")
    connection.commit()
    try:
        connection.execute(capture, [CUSTOMER, hold.hold_id, 8])
    except psycopg.Error as exc:
        state = json.loads(exc.diag.message_detail or "")["state"]
        check((exc.sqlstate, state), ("PC010", "captured"), "captured once: PC010, and DETAIL says the state")
    else:
        check("no error", "PC010", "captured once")
    connection.rollback()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except psycopg.Error as problem:
        print(f"FAIL the story runs to its end: {problem.sqlstate} {problem}")
        sys.exit(1)
