"""Renewals in a crash: 2,000 subscriptions whose periods end at one moment, and maintain() that is killed in the middle of them:
its backend, the postmaster, all of them. It goes on where it was: each has one invoice for the period, under the next number of
its customer, and what it grants or asks for once; and sessions that spend meanwhile lose nothing that was acknowledged.

RENEWALS (2000) is how many there are, SEED (1) what the moments of the kills are made from.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from typing import Any

import psycopg

from server import PATIENCE, Server
from support import harness
from support.harness import Checks, say

RENEWALS = int(os.environ.get("RENEWALS") or 2000)
SEED = int(os.environ.get("SEED") or 1)
# Where the postmaster alone is killed, its children end once they have done what they are at.
KILLS = ("backend", "all", "backend", "all", "postmaster")
BEGAN, DUE = "2026-03-10 00:00+00", "2026-04-01 00:00+00"
SPENDERS = 2
# How long the server may take to be there again, on a machine that has other work.
RESTART = 4 * PATIENCE

# Every second plan costs nothing: its invoice is paid as it is made, and grants. The others ask for a payment.
SET_UP = """
    SELECT count(s.status) FROM generate_series(1, %s) AS v (i),
        credits.customer_upsert('customer ' || i) AS c,
        credits.payment_method_attach(c.customer_id, 'shop', NULL, 'card ' || i) AS m,
        credits.subscription_create(m.customer_id, jsonb_build_array(jsonb_build_object('lookup_key',
            CASE WHEN i %% 2 = 0 THEN 'free' ELSE 'pro' END)), billing_cycle_anchor => '2026-04-01 00:00+00',
            proration_behavior => 'none') AS s
    WHERE s.status = 'active'"""
DONE = "SELECT count(*) FROM credits.invoices WHERE billing_reason = 'subscription_cycle'"
# Of each subscription: how often it has what it must have once.
FOUND = """
    SELECT s.customer_id, s.current_period_start AS period, f.free, coalesce(i.cycles, 0) AS invoices,
           (SELECT count(*) FROM credits_internal.subscription_periods p
            WHERE p.customer_id = s.customer_id AND p.period_start = %s) AS periods,
           (SELECT count(*) FROM credits.grants g WHERE g.customer_id = s.customer_id AND g.effective_at = %s) AS grants,
           (SELECT count(*) FROM credits_internal.outbox o
            WHERE o.customer_id = s.customer_id AND o.type = 'payment.requested') AS asked,
           (SELECT count(*) FROM credits.billing_events e
            WHERE e.customer_id = s.customer_id AND e.type = 'customer.subscription.renewed') AS renewed,
           i.numbers, i.last
    FROM credits.subscriptions s
    CROSS JOIN LATERAL (SELECT right(s.customer_id, 1) IN ('0', '2', '4', '6', '8') AS free) f
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE i.billing_reason = 'subscription_cycle') AS cycles,
               count(DISTINCT i.number) AS numbers, max(right(i.number, 4)::integer) AS last
        FROM credits.invoices i WHERE i.customer_id = s.customer_id) i ON true"""


def run(checks: Checks, server: Server, database: str) -> None:
    say(f"renewals: {RENEWALS} at one moment, {len(KILLS)} crashes, seed {SEED}")
    with harness.connect(database) as connection:
        set_up(checks, connection)
    spenders = [Spender(database, number) for number in range(SPENDERS)]
    began, chosen = time.monotonic(), random.Random(f"renewals/{SEED}")
    for spender in spenders:
        spender.start()
    done = [0]
    for kind in KILLS:
        kill(server, database, kind, chosen.uniform(0.05, 0.2))
        done.append(count(database))
    with connected(database) as connection:
        at(connection, DUE)
        connection.execute("CALL credits.maintain()")
        for spender in spenders:
            spender.stop()
        checks.equal(done, sorted(done), "what was renewed stays so")
        crossed = sum(before < after for before, after in zip(done, done[1:], strict=False))
        checks.equal(crossed > 2 and done[-2] < RENEWALS, True, f"it was killed in the middle of them: {done[1:]}")
        look_back(checks, connection)
    lost = [wrong for spender in spenders for wrong in spender.wrong]
    checks.none(lost, f"{sum(spender.spent for spender in spenders)} debits beside it, each there once")
    say(f"        {time.monotonic() - began:.1f} s")


def set_up(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    at(connection, BEGAN)
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.outbox_consumer_create('worker')")
    for name, amount in (("pro", 20), ("free", 0)):
        connection.execute(
            "SELECT credits.price_create((credits.product_create(%s)).product_id, 'recurring', %s, 'USD', lookup_key => %s,"
            " recurring => '{\"interval\": \"month\"}', credit_config => '{\"amount\": 100, \"schedule\":"
            ' {"expire_with_next_grant": true, "first_grant": "after_trial"}}\')',
            [name, amount, name],
        )
    made = connection.execute(SET_UP, [RENEWALS]).fetchone()
    checks.equal(made, (RENEWALS,), "their first period is free, and all of them are active")
    for number in range(SPENDERS):
        connection.execute("SELECT credits.credit_grant(%s, 1000000)", [f"customer {number + 1}"])
    connection.execute("VACUUM ANALYZE credits_internal.subscriptions")


def at(connection: psycopg.Connection[Any], moment: str) -> None:
    connection.execute("SELECT set_config('credits.test_clock_drives_billing', 'on', false)")
    connection.execute("SELECT set_config('credits.test_clock', %s, false)", [moment])


def connected(database: str) -> psycopg.Connection[Any]:
    """A connection, as soon as the server takes one."""
    until = time.monotonic() + RESTART
    while True:
        try:
            return harness.connect(database)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def count(database: str) -> int:
    """How many are renewed: asked again where the server ends all sessions because one of them was killed."""
    until = time.monotonic() + RESTART
    while True:
        try:
            with connected(database) as connection:
                row = connection.execute(DONE).fetchone()
                assert row is not None
                return row[0]
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def kill(server: Server, database: str, kind: str, seconds: float) -> None:
    """Kills maintain() after that time, from when it renews: another process that works for it, or the whole server."""
    connection = connected(database)
    at(connection, DUE)
    pid = connection.info.backend_pid
    before = count(database)
    working = threading.Thread(target=maintain, args=[connection], daemon=True)
    working.start()
    until = time.monotonic() + PATIENCE
    while count(database) == before and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(seconds)
    if kind == "backend":
        os.kill(pid, signal.SIGKILL)
    else:
        server.kill(everything=kind == "all")
        server.left_after()
        server.start()
    working.join(PATIENCE)
    connection.close()


def maintain(connection: psycopg.Connection[Any]) -> None:
    with contextlib.suppress(psycopg.Error):
        connection.execute("CALL credits.maintain()")


class Spender(threading.Thread):
    """Debits one of the customers whose plan renews, and repeats what had no answer by the same key."""

    def __init__(self, database: str, number: int) -> None:
        super().__init__(daemon=True)
        self.database, self.customer = database, f"customer {number + 1}"
        self.goes_on, self.spent = True, 0
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            self.spend()
        except Exception as error:  # noqa: BLE001 - what stops it has to be told
            self.wrong.append(harness.described(error))

    def spend(self) -> None:
        connection = connected(self.database)
        while self.goes_on:
            try:
                at(connection, DUE)
                connection.execute(
                    "SELECT credits.wallet_debit(%s, 1, idempotency_key => %s)", [self.customer, f"debit {self.spent}"]
                )
                self.spent += 1
            except psycopg.OperationalError:
                connection.close()
                connection = connected(self.database)
        row = connection.execute(
            "SELECT count(*), -sum(amount) FROM credits.ledger WHERE customer_id = %s AND type = 'debit'", [self.customer]
        ).fetchone()
        if row != (self.spent, self.spent):
            self.wrong.append(f"{self.customer} made {self.spent} debits of 1, and the ledger has {row}")
        connection.close()

    def stop(self) -> None:
        self.goes_on = False
        self.join(RESTART)
        if self.is_alive():
            self.wrong.append(f"{self.customer}'s session goes on")


def look_back(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """Everything once."""
    found = connection.execute(FOUND, [DUE, DUE]).fetchall()
    checks.equal(len(found), RENEWALS, "all subscriptions are there")
    wrong = []
    for row in found:
        customer, period, is_free, invoices, periods, grants, asked, renewed, numbers, last = row
        right = (1, 1, int(is_free), int(not is_free), 1)
        if (invoices, periods, grants, asked, renewed) != right or str(period)[:10] != DUE[:10] or numbers != 2 or last != 2:
            wrong.append((customer, *row[1:]))
    checks.none(wrong[:5], "each has one invoice for the period, with the next number, and what comes with it once")
    checks.none(harness.verify(connection), "verify() finds nothing")
