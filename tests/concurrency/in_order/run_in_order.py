"""The mix in order: what it needs in a database, its sessions, and the verdict."""

from __future__ import annotations

import json
import os
import time
from collections import Counter

import actor
import prices
from acts import CUSTOMERS, LIMITED, SQL, Act
from charges import METERS
from in_turn import FIRST_LIMIT, GRACE, InTurn
from support import harness
from support.at_once import together
from support.harness import Checks, say

SESSIONS = 16
SECONDS = float(os.environ.get("IN_ORDER_SECONDS") or 25)
SEED = int(os.environ.get("SEED") or 1)
# What it has to have met to prove anything.
MUST_HAPPEN = (
    *SQL, "maintain", "rolled back", "debts dropped", "ok = false", "PC001", "PC007", "PC010", "PC013", "PC021",
)  # fmt: skip


def run(checks: Checks) -> None:
    what = f"in order: {SESSIONS} sessions, {len(CUSTOMERS)} customers, {SECONDS:.0f} s, seed {SEED}"
    with checks.case(what), harness.fresh_database("in_order") as database:
        prepare(database)
        reports = together(actor.run_session, [(database, number, SEED, SECONDS) for number in range(SESSIONS)])
        counts: Counter[str] = sum((report.counts for report in reports), Counter())
        wrong = [line for report in reports for line in report.wrong]
        checks.none(wrong, "no session met an unexpected error")
        turns = [turn for report in reports for turn in report.turns]
        refusals = [one for report in reports for one in report.refusals]
        with harness.connect(database) as connection:
            checks.none(harness.verify(connection), "verify() finds nothing as the sessions end")
            began = time.monotonic()
            verdict = InTurn(connection)
            verdict.run(turns, refusals)
            checks.none(verdict.wrong, "every answer and every refusal is what the model says, in order")
            connection.execute("CALL credits.maintain()")
            checks.none(verdict.lines(), "every line of the ledger is the model's")
            checks.none(verdict.rows(), "grants, holds and events are as well")
            checks.none(prices.wrong(connection, turns), "usage costs what the prices in force come to")
            checks.none(harness.verify(connection), "verify() finds nothing after maintain()")
            checks.none([one for one in MUST_HAPPEN if not counts[one]], "the mix met everything that it is about")
        say(f"        {verdict.judged:,} judged in {time.monotonic() - began:.1f} s; {len(turns):,} transactions,"
            f" {len(refusals):,} refusals")  # fmt: skip
        say("        " + ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())))


def prepare(database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute(f"ALTER DATABASE {database} SET credits.late_usage_grace = '{GRACE.seconds}s'")
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        connection.execute("SELECT credits.currency_create('OTHER', decimals => 6)")
        connection.execute("SELECT credits.package_create('Pack', 100, 10, 'USD')")
        for name, meter in METERS.items():
            pricing = json.dumps({"mode": "graduated", "tiers": actor.LISTS[0]}) if name == "tiers" else None
            connection.execute(
                "SELECT credits.meter_create(%s, unit_price => %s, aggregation => %s, overage => %s, pricing => %s, period => %s)",
                [name, None if pricing else meter.unit_price or 0, meter.aggregation, meter.overage, pricing,
                 "day" if pricing else None],
            )  # fmt: skip
            if meter.rate:
                both = "SELECT credits.meter_update(%s, fallback_currency => 'OTHER', fallback_rate => %s)"
                connection.execute(both, [name, meter.rate])
        for customer in CUSTOMERS:
            connection.execute("SELECT credits.customer_upsert(%s)", [customer])
            # So that no event finds its second account made while it waits for the first.
            connection.execute("SELECT credits.account_configure(%s, 'OTHER')", [customer])
        for customer in LIMITED:
            limit = {"meter": None, "amount": FIRST_LIMIT.most, "seconds": FIRST_LIMIT.seconds, "action": None}
            connection.execute(*Act("usage_limit_set", customer, limit).statement())
