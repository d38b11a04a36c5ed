"""Numbers of invoices without gaps: sessions that finalize, void, pay and roll back at once over a few customers, beside
sessions that only charge. How many a second is shown, and what a draft that is never finalized costs beside it.

NUMBERS_SECONDS (5) is how long, SEED (1) what it is made from.
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

SECONDS = float(os.environ.get("NUMBERS_SECONDS") or 5)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, CHARGING, CUSTOMERS = 8, 2, 3
GAPS = """
    SELECT customer_id, count(*), max(number_no) FROM credits_internal.invoices WHERE number IS NOT NULL
    GROUP BY 1 HAVING count(*) <> max(number_no) OR min(number_no) <> 1 OR count(DISTINCT number_no) <> count(*)
"""


class Undone(Exception):
    """What a transaction is rolled back with."""


def session(database: str, number: int) -> Counter[str]:
    """The first of them write invoices, the others charge."""
    return (write if number < SESSIONS else charge)(database, number)


def write(database: str, number: int) -> Counter[str]:
    """One session: invoices of any of the customers, each finalized in its own transaction, some of which roll back."""
    chance = random.Random(SEED * 1_000 + number)
    done: Counter[str] = Counter()
    until = time.monotonic() + SECONDS
    with harness.connect(database) as connection:
        while time.monotonic() < until:
            customer = f"c{chance.randrange(CUSTOMERS)}"
            query = "SELECT invoice_id FROM credits.invoice_create(%s, '[{\"amount\": 1}]', 'USD')"
            (invoice_id,) = connection.execute(query, [customer]).fetchone()
            done["drafts"] += 1
            if chance.random() < 0.2:
                continue
            try:
                with connection.transaction():
                    connection.execute("SELECT credits.invoice_finalize(%s, %s)", [customer, invoice_id])
                    after(connection, chance, customer, invoice_id)
                    if chance.random() < 0.3:
                        raise Undone
                done["finalized"] += 1
            except Undone:
                done["rolled back"] += 1
            except psycopg.errors.Error as error:
                done[f"{error.sqlstate} {error.diag.message_primary}"[:100]] += 1
    return done


def after(connection: psycopg.Connection, chance: random.Random, customer: str, invoice_id: object) -> None:
    """What may come after it in the same transaction."""
    what = chance.random()
    if what < 0.3:
        pay = "SELECT credits.invoice_pay(%s, %s, 'outside', reference => 'r')"
        connection.execute(pay, [customer, invoice_id])
    elif what < 0.5:
        connection.execute("SELECT credits.invoice_void(%s, %s)", [customer, invoice_id])


def charge(database: str, number: int) -> Counter[str]:
    """One session that only spends: it waits for no invoice."""
    done: Counter[str] = Counter()
    until = time.monotonic() + SECONDS
    with harness.connect(database) as connection:
        connection.execute("SET lock_timeout = '2s'")
        while time.monotonic() < until:
            connection.execute("SELECT credits.wallet_debit(%s, 1)", [f"c{number % CUSTOMERS}"])
            done["debits"] += 1
    return done


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        for number in range(CUSTOMERS):
            connection.execute("SELECT credits.wallet_credit(%s, 1000000)", [f"c{number}"])
    reports = together(session, [(database, number) for number in range(SESSIONS + CHARGING)])
    done: Counter[str] = sum(reports, Counter())
    expected = {"drafts", "finalized", "rolled back", "debits"}
    checks.none(sorted(set(done) - expected), "no session met an error")
    checks.none(sorted(expected - set(done)), "they met everything that this is about")
    with harness.connect(database) as connection:
        checks.none(connection.execute(GAPS).fetchall(), "no customer's numbers have a gap, or begin elsewhere than at 1")
        (numbered,) = connection.execute("SELECT count(*) FROM credits.invoices WHERE number IS NOT NULL").fetchone()
        checks.equal(numbered, done["finalized"], "what was committed has a number, and nothing else")
        checks.none(harness.verify(connection), "verify() finds nothing")
    rates = ", ".join(f"{what} {count / SECONDS:,.0f}" for what, count in sorted(done.items()))
    say(f"        a second, in {SESSIONS} sessions over {CUSTOMERS} customers: {rates}")
