"""Usage that is invoiced in a crash: 600 subscriptions whose month of events closes at one moment, and maintain() that is killed
in the middle of it, while sessions report more events of that month. Each event that was acknowledged is on one invoice: on that of
the month if the closing saw it, else on the next.

CLOSINGS (600) is how many there are, SEED (1) what the moments of the kills are made from.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any

import psycopg
import renewals
from server import Server
from support import harness
from support.harness import Checks, say

CLOSINGS = int(os.environ.get("CLOSINGS") or 600)
SEED = int(os.environ.get("SEED") or 1)
KILLS = ("backend", "all", "postmaster")
# Events are reported in the hour before their month closes, or are not there yet as it does.
BEGAN, REPORTED, NEXT = "2026-03-10 00:00+00", "2026-04-01 00:30+00", "2026-05-01 02:00+00"
REPORTERS = 2

SET_UP = """
    SELECT count(s.status) FROM generate_series(1, %s) AS v (i),
        credits.customer_upsert('customer ' || i) AS c,
        credits.subscription_create(c.customer_id, '[{"lookup_key": "calls"}]', collection_method => 'send_invoice',
            billing_cycle_anchor => '2026-04-01 00:00+00', days_until_due => 3000) AS s
    WHERE s.status = 'active'"""
EVENTS = """
    SELECT count(*) FROM generate_series(1, %s) AS v (i),
        credits.report_meter_event('customer ' || i, 'calls', 10, 'first') AS e WHERE e.status = 'recorded'"""
REPORT = "SELECT status FROM credits.report_meter_event(%s, 'calls', 1, %s, '2026-03-20 00:00+00')"
FOUND = """
    SELECT i.customer_id, i.reported, i.invoiced, coalesce(l.quantity, 0) AS quantity
    FROM (SELECT e.customer_id, sum(e.quantity) AS reported, count(e.invoice_id) = count(*) AS invoiced
          FROM credits.invoiced_events e GROUP BY 1) i
    LEFT JOIN (SELECT l.customer_id, sum(l.quantity) AS quantity FROM credits.invoice_lines l GROUP BY 1) l USING (customer_id)
    WHERE NOT i.invoiced OR i.reported <> coalesce(l.quantity, 0)"""


def run(checks: Checks, server: Server, database: str) -> None:
    say(f"closings: {CLOSINGS} at one moment, {len(KILLS)} crashes, seed {SEED}")
    with harness.connect(database) as connection:
        set_up(checks, connection)
    reporters = [Reporter(database, number) for number in range(REPORTERS)]
    began, chosen = time.monotonic(), random.Random(f"closings/{SEED}")
    for reporter in reporters:
        reporter.start()
    due = renewals.DUE
    renewals.DUE = "2026-04-01 01:00+00"
    try:
        for kind in KILLS:
            renewals.kill(server, database, kind, chosen.uniform(0.05, 0.2))
        done = renewals.count(database)
    finally:
        renewals.DUE = due
    for reporter in reporters:
        reporter.stop()
    with renewals.connected(database) as connection:
        for moment in ("2026-04-01 01:00+00", NEXT):
            renewals.at(connection, moment)
            connection.execute("CALL credits.maintain()")
        look_back(checks, connection, sum(reporter.reported for reporter in reporters))
    lost = [wrong for reporter in reporters for wrong in reporter.wrong]
    reported = sum(reporter.reported for reporter in reporters)
    checks.none(lost, f"{reported} reports beside it, and {done} were closed when it was killed last")
    say(f"        {time.monotonic() - began:.1f} s")


def set_up(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    renewals.at(connection, BEGAN)
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.meter_create('calls', currency => 'USD', unit_price => 2, settlement => 'invoice')")
    connection.execute(
        "SELECT credits.price_create((credits.product_create('Calls')).product_id, 'recurring', currency => 'USD', lookup_key =>"
        ' \'calls\', recurring => \'{"interval": "month", "usage_type": "metered", "meter": "calls"}\')'
    )
    checks.equal(connection.execute(SET_UP, [CLOSINGS]).fetchone(), (CLOSINGS,), "all of them are active")
    renewals.at(connection, "2026-03-15 00:00+00")
    checks.equal(connection.execute(EVENTS, [CLOSINGS]).fetchone(), (CLOSINGS,), "each has an event")


class Reporter(threading.Thread):
    """Reports events of all customers in turn, and repeats what had no answer under the same identifier."""

    def __init__(self, database: str, number: int) -> None:
        super().__init__(daemon=True)
        self.database, self.number = database, number
        self.goes_on, self.reported = True, 0
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            self.report()
        except Exception as error:  # noqa: BLE001 - what stops it has to be told
            self.wrong.append(harness.described(error))

    def report(self) -> None:
        connection = renewals.connected(self.database)
        while self.goes_on:
            try:
                renewals.at(connection, REPORTED)
                customer = f"customer {self.reported * 7 % CLOSINGS + 1}"
                connection.execute(REPORT, [customer, f"reporter {self.number}, {self.reported}"])
                self.reported += 1
            except psycopg.OperationalError:
                connection.close()
                connection = renewals.connected(self.database)
        connection.close()

    def stop(self) -> None:
        self.goes_on = False
        self.join(renewals.RESTART)
        if self.is_alive():
            self.wrong.append(f"reporter {self.number} goes on")


def look_back(checks: Checks, connection: psycopg.Connection[Any], reported: int) -> None:
    (events,) = connection.execute("SELECT count(*) FROM credits.invoiced_events").fetchone() or (0,)
    checks.equal(events, CLOSINGS + reported, "what was acknowledged is there, once")
    checks.none(connection.execute(FOUND).fetchall()[:5], "and on invoices, once")
    late = connection.execute("SELECT count(*) FROM credits_internal.usage_closings WHERE closing_no > 1 AND amount > 0").fetchone()
    say(f"        {late and late[0]} lines are of events that their month's closing had not seen")
    checks.none(harness.verify(connection), "verify() finds nothing")
