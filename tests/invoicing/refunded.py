"""Random invoices that were paid, beside refund_model.py: refunds in any parts and order, asked for or not, of lines or of all,
failures and disputes, while credits are spent. After each step all amounts are as the model says, to the last digit.

REFUNDED (250) is how many invoices there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import contextlib
import os

from psycopg.rows import dict_row

from refund_sale import Run
from refund_story import STEPS, Different, Story
from support import harness
from support.harness import Checks, say

INVOICES = int(os.environ.get("REFUNDED") or 250)
SEED = int(os.environ.get("SEED") or 1)
MUST_HAPPEN = {
    *STEPS, "by invoice", "by top-up", "free", "below zero", "inclusive", "exclusive", "no tax", "a discount", "tiers",
    "in parts", "paid in part elsewhere", "overpaid", "tax on top", "tax in it", "shipping", "a discount of the provider's",
    "total alone", "pending", "forgive", "owed", "forgiven", "all gone", "failed later",
}  # fmt: skip


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        run = Run(connection, SEED)
        told = 0
        for told in range(1, INVOICES + 1):
            with contextlib.suppress(Different):
                Story(run, told).tell()
            if len(run.wrong) > 5:
                break
        checks.none(run.wrong, f"{told} invoices, {run.steps:,} steps, seed {SEED}: all of it is as the model says")
        checks.none(sorted(what for what in MUST_HAPPEN if not run.counts[what]), "they met everything that this is about")
        left = connection.execute(
            "SELECT currency, category, sum(received - recognised - breakage - refunded) FROM credits.revenue GROUP BY 1, 2"
            " HAVING sum(received - recognised - breakage - refunded) <> 0"
        ).fetchall()
        checks.none(left, "all is spent: no revenue is left deferred")
        checks.none(harness.verify(connection), "verify() finds nothing")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(run.counts.items())))
