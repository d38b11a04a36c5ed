"""Billing events under load: sixteen sessions that change the same few customers, prices and invoices, some of which roll back,
while two sessions delete what is old and erase persons. Each object's events are numbered without gaps, in the order in which
they were committed. How many a second is shown.

EVENTS_SECONDS (5) is how long, SEED (1) what it is made from.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import psycopg

from support import harness
from support.at_once import together
from support.harness import Checks, say

SECONDS = float(os.environ.get("EVENTS_SECONDS") or 5)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, DELETING = 16, 2
CUSTOMERS = ("one", "two")
# Of each object: what is missing between its oldest and its newest, what is dated before the event before it, and what its
# counter says otherwise.
WRONG = """
    SELECT object_type, object_id, array_agg(object_seq ORDER BY object_seq) FROM (
        SELECT e.*, object_seq - lag(object_seq) OVER w AS step, created_at - lag(created_at) OVER w AS later
        FROM credits.billing_events e WINDOW w AS (PARTITION BY object_type, object_id ORDER BY object_seq)) e
    GROUP BY 1, 2 HAVING bool_or(step <> 1) OR bool_or(later < interval '0')
        OR max(object_seq) <> (SELECT last_seq FROM credits_internal.billing_event_counters c
                               WHERE c.object_type = e.object_type AND c.object_id = e.object_id)
"""


class Undone(Exception):
    """What a transaction is rolled back with."""


def session(database: str, number: int, price_id: object, invoice_ids: dict[str, object]) -> Counter[str]:
    """The first of them change things, the others clear up behind them."""
    chance = random.Random(SEED * 1_000 + number)
    done: Counter[str] = Counter()
    until = time.monotonic() + SECONDS
    with harness.connect(database) as connection:
        while time.monotonic() < until:
            customer = chance.choice(CUSTOMERS)
            try:
                if number < SESSIONS:
                    change(connection, chance, customer, price_id, invoice_ids[customer], done)
                else:
                    clear(connection, chance, customer, done)
            except Undone:
                done["rolled back"] += 1
            except psycopg.errors.Error as error:
                done[f"{error.sqlstate} {error.diag.message_primary}"[:100]] += 1
    return done


def change(
    connection: psycopg.Connection, chance: random.Random, customer: str, price_id: object, invoice_id: object,
    done: Counter[str],
) -> None:  # fmt: skip
    """One transaction that changes an object, twice in some cases, and may roll back."""
    what = chance.choice(("customer", "price", "invoice", "created", "unchanged"))
    calls = {
        "customer": ("SELECT credits.customer_upsert(%s, phone => %s)", [customer, str(chance.random())]),
        "price": ("SELECT credits.price_update(%s, nickname => %s)", [price_id, str(chance.random())]),
        "invoice": ("SELECT credits.invoice_update(%s, %s, description => %s)", [customer, invoice_id, str(chance.random())]),
        # Of several that create one at once, one does.
        "created": ("SELECT credits.wallet_credit(%s, 1)", [f"new {chance.randrange(10**4)}"]),
        "unchanged": ("SELECT credits.customer_upsert(%s)", [customer]),
    }
    query, values = calls[what]
    with connection.transaction():
        connection.execute(query, values)
        if chance.random() < 0.2 and what == "customer":
            connection.execute(query, [customer, "again"])
        if chance.random() < 0.3:
            raise Undone
    done[what] += 1


def clear(connection: psycopg.Connection, chance: random.Random, customer: str, done: Counter[str]) -> None:
    """What deletes events, or what they say."""
    if chance.random() < 0.8:
        # All of them are old by then, as the clock of this session says.
        connection.execute("SET credits.test_clock = '2100-01-01'")
        query = "SELECT credits.maintain_batch(%s, 'events')"
        (deleted,) = connection.execute(query, [chance.choice((1, 7, 100))]).fetchone()
        done["deleted"] += deleted
        connection.execute("RESET credits.test_clock")
    else:
        connection.execute("SELECT credits.customer_erase(%s)", [customer])
        done["erased"] += 1


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        query = "SELECT price_id FROM credits.package_create('Pack', 1, 1, 'USD')"
        (price_id,) = connection.execute(query).fetchone()
        query = "SELECT invoice_id FROM credits.invoice_create(%s, '[{\"amount\": 1}]', 'USD')"
        invoice_ids = {customer: connection.execute(query, [customer]).fetchone()[0] for customer in CUSTOMERS}
    for deleting in (0, DELETING):
        numbers = [*range(SESSIONS), *range(SESSIONS, SESSIONS + deleting)]
        reports = together(session, [(database, number, price_id, invoice_ids) for number in numbers])
        done: Counter[str] = sum(reports, Counter())
        expected = {"customer", "price", "invoice", "created", "unchanged", "rolled back"}
        expected |= {"deleted", "erased"} if deleting else set()
        checks.none(sorted(set(done) - expected), "no session met an error")
        checks.none(sorted(expected - set(done)), "they met everything that this is about")
        with harness.connect(database) as connection:
            checks.none(connection.execute(WRONG).fetchall(), "no object's numbers have a gap, and its times go on")
            checks.none(harness.verify(connection), "verify() finds nothing")
            if not deleting:
                counted = "SELECT count(*), sum(object_seq) FILTER (WHERE object_seq = 1) FROM credits.billing_events"
                (written, objects) = connection.execute(counted).fetchone()
                checks.check(written > 10 * len(CUSTOMERS), f"{written:,} events of {objects:,} objects")
        rates = ", ".join(f"{what} {count / SECONDS:,.0f}" for what, count in sorted(done.items()))
        say(f"        a second, in {len(numbers)} sessions: {rates}")
