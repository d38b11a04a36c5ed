"""What is taken back at once is as if it had never been, beside a twin who did nothing: a cancellation that is recovered,
then and in the periods after it; a change of plan and back at one moment, in money to the cent, also of what is left of a
period, and in credits of a whole one.

CASES (40) is how many of each, SEED (1) what they are made from.
"""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta, timezone
from typing import Any

import catalogue
import psycopg
from periods import Interval, text_of
from psycopg.rows import dict_row
from server import Server
from support import harness
from support.harness import Checks

SEED = int(os.environ.get("SEED") or 1)
CASES = int(os.environ.get("CASES") or 40)
WHOLE = {"p0": "20", "p1": "49.99"}
PENDING = """
SELECT coalesce(sum(l.amount - l.given_discount), 0) AS n FROM credits_internal.invoice_lines l
WHERE l.customer_id = %s AND l.invoice_id IS NULL"""
AVAILABLE = "SELECT coalesce(sum(w.available), 0) AS n FROM credits.wallets w WHERE w.customer_id = %s"


class Twins:
    """Two customers with the same plan, both of which pay at once; the second is the one who changes things."""

    def __init__(self, connection: psycopg.Connection[Any], seed: int, name: str, stub: bool = False) -> None:
        self.chosen = random.Random(seed)
        interval = self.chosen.choice(["day", "week", "month", "3 months", "year"])
        self.interval = Interval.parse(interval)
        self.now = datetime(2027, 1, 31, tzinfo=timezone.utc) + timedelta(seconds=self.chosen.randrange(400 * 86_400))
        self.both = [Server(connection, f"{name} {seed} {which}", 2) for which in ("quiet", "restless")]
        plans = {price: catalogue.plan(self.chosen, interval) for price in WHOLE}
        for plan in plans.values():
            # 366 instalments, ended and brought back, take a minute.
            if interval == "year" and "every" in plan["schedule"]:
                plan["schedule"]["every"] = "month"
        self.start, self.end, self.periods = self.now, self.interval.after(self.now), 0
        if stub:
            self.end = self.within()
        for server in self.both:
            server.clock(self.now)
            server.customer("ann")
            for price, amount in WHOLE.items():
                server.price(price, interval, amount, plan=plans[price])
            server.create("s1", "ann", [{"item": "i1", "price": "p0", "quantity": 2}], anchor=text_of(self.end) if stub else None)
            server.paid("s1#1")

    def within(self) -> datetime:
        """Any moment that is left of the first period."""
        left = (self.end - self.now) // timedelta(microseconds=1)
        return self.now + timedelta(microseconds=self.chosen.randrange(1, max(2, left - 1)))

    def go_to(self, moment: datetime) -> None:
        self.now = moment
        for server in self.both:
            server.clock(moment)

    def renew(self) -> None:
        """The next period begins, and is paid."""
        self.periods += 1
        self.go_to(self.interval.after(self.start, self.periods))
        for server in self.both:
            server.due()
            server.paid(f"s1#{self.periods + 1}")

    def differ(self) -> bool:
        quiet, restless = (server.snapshot() for server in self.both)
        return quiet != restless


def recovered(connection: psycopg.Connection[Any], seed: int) -> list[str]:
    """Canceled for the end of the period, or for a moment, and recovered before."""
    twins = Twins(connection, seed, "recovered")
    restless, wrong = twins.both[1], []
    twins.go_to(twins.within())
    later = twins.now + timedelta(days=twins.chosen.randint(1, 900))
    at = twins.chosen.choice(["period_end", text_of(max(later, twins.end))])
    restless.cancel("s1", at)
    twins.go_to(twins.within())
    restless.recover("s1")
    for _ in range(3):
        if twins.differ():
            wrong.append(f"recovered {seed}: otherwise at {twins.now}")
        twins.renew()
    for server in twins.both:
        server.end()
    return wrong


def there_and_back(connection: psycopg.Connection[Any], seed: int) -> list[str]:
    """To another price or quantity, and back at the same moment. What lasts for a time of its own does so from the change on,
    and what of it has expired does not come again."""
    twins = Twins(connection, seed, "back", stub=seed % 4 == 1)
    restless, base = twins.both[1], {"price": "p0", "quantity": 2}
    if seed % 4 == 2:
        base = {"price": "p0", "quantity": 3}
        twins.go_to(twins.within())
        for server in twins.both:
            server.update("s1", [{"item": "i1"} | base], "always_invoice")
            server.paid("s1#2")
    twins.go_to(twins.within())
    to = twins.chosen.choice([{"price": "p1"}, {"quantity": 7}, {"quantity": 1}, {"price": "p1", "quantity": 5}])
    for change in (to, base):
        restless.update("s1", [{"item": "i1"} | change])
    quiet_has, restless_has = (server.one(AVAILABLE, server.customer_id)["n"] for server in twins.both)
    pending = restless.one(PENDING, restless.customer_id)["n"]
    for server in twins.both:
        server.end()
    found = []
    if pending:
        found.append(f"there and back {seed}: {pending} is to be paid")
    if quiet_has != restless_has and seed % 4 in (0, 3):
        found.append(f"there and back {seed}: {restless_has} credits where {quiet_has} were")
    return found


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET credits.test_clock_drives_billing = on; SET credits.test_clock = '2027-01-01 00:00:00+00'")
        connection.execute("SELECT credits.currency_create('USD', NULL, 2, 'fiat')")
        connection.execute("SELECT credits.currency_create('COIN', NULL, 2)")
        for what, of in (("cancel, then recover", recovered), ("there and back", there_and_back)):
            wrong = [one for seed in range(SEED, SEED + CASES) for one in of(connection, seed)]
            checks.none(wrong, f"{what}: as if nothing had happened, {CASES} times, seed {SEED}")
        checks.none(harness.verify(connection), "verify() finds nothing")
