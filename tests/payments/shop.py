"""The shop of the tests: what it sells, how a purchase begins there, and how something is told of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

import signing
import stripe_events
from stories import PRICES, Price
from stripe_events import SECRET, Told
from support import harness

Connection = psycopg.Connection[Any]


class Answer(NamedTuple):
    """What was answered to something told."""

    status: str | None  # None where it is not known yet which purchase it is about
    contradicts: bool
    replayed: bool


def without_grant_events(database: str) -> None:
    """For tests that count what the outbox has: nothing of grants, in sessions from now on."""
    with harness.connect(database) as connection:
        connection.execute(f"ALTER DATABASE {database} SET credits.grant_events = off")


def open_shop(connection: Connection) -> None:
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.payment_provider_set('stripe', %s)", [SECRET])
    for price in PRICES:
        if price.rate is None:
            connection.execute(
                "SELECT credits.package_create(%s, %s, %s, 'USD')",
                [f"pack {price.amount}", price.credits, price.amount],
            )


def begin(connection: Connection, customer: str, price: Price) -> str:
    """Begins a purchase, and returns its id."""
    if price.rate is None:
        row = connection.execute(
            "SELECT top_up_id::text, status, credits, amount FROM credits.top_up_create(%s,"
            " price_id => (SELECT price_id FROM credits.packages WHERE unit_amount = %s))",
            [customer, price.amount],
        ).fetchone()
    else:
        row = connection.execute(
            "SELECT top_up_id::text, status, credits, amount FROM credits.top_up_create(%s, amount => %s,"
            " currency => 'USD', credit_currency => 'CREDIT', rate => %s)",
            [customer, price.amount, price.rate],
        ).fetchone()
    assert row is not None
    if row[1:] != ("initiated", price.credits, price.amount):
        raise AssertionError(f"top_up_create answers {row} for {price}")
    return row[0]


def tell(connection: Connection, told: Told, customer: str, top_up_id: str) -> Answer:
    """Tells the extension, as a provider or as the application would."""
    if told.function == "webhook_receive":
        payload = stripe_events.payload(told, customer, top_up_id)
        row = connection.execute(
            "SELECT status, outcome = 'contradiction', replayed FROM credits.webhook_receive('stripe', %s, %s)",
            [payload, signing.header("stripe", payload, SECRET)],
        ).fetchone()
    else:
        values = {"customer_id": customer, "top_up_id": top_up_id, **told.values}
        arguments = ", ".join(f"{name} => %({name})s" for name in values)
        row = connection.execute(
            f"SELECT status, contradiction IS NOT NULL, replayed FROM credits.{told.function}({arguments})", values
        ).fetchone()
    assert row is not None
    return Answer(*row)


def balance(connection: Connection, customer: str) -> tuple[Decimal, Decimal, Decimal]:
    """available, held, pending."""
    row = connection.execute(
        "SELECT available, held, pending FROM credits.wallet_balance(%s, 'CREDIT')", [customer]
    ).fetchone()
    assert row is not None
    return row
