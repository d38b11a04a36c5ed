"""Thousands of scheduled grants in one account: each costs as much as the first, when it is made, when it begins and when it
ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg

import kept
from support import harness
from support.harness import Checks, say

FEW, MANY = 1_000, 6_000
TICKS = os.sysconf("SC_CLK_TCK")

# Each in its own transaction: within one PostgreSQL itself goes through all versions of the account's row.
MAKE = """DO $$ BEGIN
    FOR n IN 1..{} LOOP
        PERFORM credits.credit_grant('{}', 1,
            effective_at => credits.clock() + interval '1 day' + n * interval '1 second',
            expires_at => credits.clock() + interval '30 days' + n * interval '1 second');
        COMMIT;
    END LOOP; END $$"""


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, options="-c synchronous_commit=off") as connection:
        steps = {
            "made": lambda customer, count: make(connection, customer, count),
            "read once they have begun": lambda customer, _: balance(connection, customer, "10 days"),
            "begun": lambda customer, _: connection.execute("SELECT credits.wallet_debit(%s, 2)", [customer]),
            "ended": lambda customer, _: balance(connection, customer, "40 days", "SELECT credits.wallet_credit(%s, 1)"),
        }
        spent: dict[str, dict[int, float]] = {step: {} for step in steps}
        for customer, count in (("loading", 10), ("few", FEW), ("many", MANY)):
            connection.execute("RESET credits.test_clock")
            connection.execute("SELECT credits.credit_grant(%s, 5)", [customer])
            for step, run in steps.items():
                before = seconds(connection)
                run(customer, count)
                spent[step][count] = seconds(connection) - before
        for step, of in spent.items():
            say(f"        {FEW:,} grants {step}: {of[FEW]:.2f} s, {MANY:,}: {of[MANY]:.2f} s")
            # As many times longer as there are more, and not the square of it; so little time is measured in steps.
            checks.check(of[MANY] <= 2 * MANY / FEW * (of[FEW] + 2 / TICKS), f"{MANY:,} grants are {step} as fast as few", of)
        one_more = "SELECT credits.credit_grant(%s, 1, effective_at => credits.clock() + interval '1 day')"
        connection.execute("RESET credits.test_clock")
        for customer, count in (("fewer", 10), ("more", 3_000)):
            make(connection, customer, count)
            kept.blocks(connection, one_more, [customer])
        few, many = (kept.blocks(connection, one_more, [customer]) for customer in ("fewer", "more"))
        checks.check(many <= few + 20, f"one grant more reads {many} blocks beside 3,000, {few} beside 10")
        checks.none(harness.verify(connection), "verify() finds nothing")


def make(connection: psycopg.Connection[Any], customer: str, count: int) -> None:
    connection.execute(MAKE.format(count, customer))


def balance(connection: psycopg.Connection[Any], customer: str, after: str, query: str = "") -> None:
    connection.execute("SELECT set_config('credits.test_clock', (now() + %s::interval)::text, false)", [after])
    connection.execute(query or "SELECT credits.wallet_balance(%s)", [customer])


def seconds(connection: psycopg.Connection[Any]) -> float:
    """The processor's time that the session's server process has had."""
    fields = Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
