#!/usr/bin/env python3
"""A worker that charges saved cards: when a customer's credits run low, and for invoices, such as a plan's renewal.

pg_credits notices that a wallet went below its threshold and writes a row of type 'recharge.requested' to its outbox,
in the very transaction that spent the credits; with an invoice that is to be charged it writes 'payment.requested'. This
program claims such rows and charges the card with Stripe. The credits are granted when Stripe's webhook reports the
payment: see webhook_endpoint.py beside this file.

It may be killed at any moment, and several may run at once:

  * before the charge: the row is handed out again when its lease has ended;
  * during the charge or after it: the same, and the charge is requested again under the same idempotency key, which
    Stripe answers with the first charge instead of making another;
  * and if nobody comes back in time, the request times out: recharge_begin says that it must not be charged any more.

An administrator creates its consumer once: SELECT credits.outbox_consumer_create('recharge worker').

Environment:
  PGHOST, PGDATABASE, …   where the database is, as every PostgreSQL program has it
  STRIPE_API_KEY          the secret key
  STRIPE_API_BASE         another address of Stripe's API: a fake server, for tests
  RECHARGE_LEASE          how long a row is this worker's before others get it ('5 minutes')
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
import stripe
from psycopg.rows import namedtuple_row

CONSUMER = "recharge worker"  # all workers of this kind share the name, and so the work
LEASE = os.environ.get("RECHARGE_LEASE") or "5 minutes"
BATCH = 20
POLL = 10.0  # seconds: a notification wakes the worker, but a lease that ends notifies nobody

Connection = psycopg.Connection[Any]


def main() -> None:
    stripe.api_key = os.environ["STRIPE_API_KEY"]
    stripe.api_base = os.environ.get("STRIPE_API_BASE") or stripe.api_base
    # Each statement commits by itself: what is claimed is committed before anything is done about it.
    with psycopg.connect(autocommit=True, row_factory=namedtuple_row) as connection:
        connection.execute("LISTEN credits_outbox")
        while True:
            while work(connection):
                pass
            for _ in connection.notifies(timeout=POLL, stop_after=1):
                pass


def work(connection: Connection) -> bool:
    """Does what waits in the outbox, up to one batch; whether there was anything."""
    rows = connection.execute("SELECT * FROM credits.outbox_claim(%s, %s, %s)", [CONSUMER, BATCH, LEASE]).fetchall()
    for row in rows:
        try:
            if row.type == "recharge.requested":
                recharge(connection, row.customer_id, row.payload["recharge_id"])
            elif row.type == "payment.requested" and row.payload["provider"] in (None, "stripe"):
                pay(connection, row.customer_id, row.payload["payment_intent_id"])
        except stripe.StripeError as error:
            # Stripe cannot be reached, or not now. Not acknowledged, so it comes again when the lease has passed.
            print(f"{row.customer_id}: {error}", flush=True)
            continue
        # Rows of other types are acknowledged too: programs that act on those have a consumer name of their own.
        connection.execute("SELECT credits.outbox_ack(%s, %s)", [CONSUMER, [row.outbox_id]])
    return bool(rows)


def recharge(connection: Connection, customer_id: str, recharge_id: str) -> None:
    """Charges for one request, unless it was answered, has timed out or is no longer wanted."""
    begun = connection.execute("SELECT * FROM credits.recharge_begin(%s, %s)", [customer_id, recharge_id]).fetchone()
    if begun is None or not begun.go:
        return
    # What the application gave to configure_auto_recharge as the payment method: 'cus_…/pm_…'.
    stripe_customer, _, card = (begun.payment_method or "").partition("/")
    subject = (customer_id, "top_up_id", begun.top_up_id)
    charge(connection, subject, begun, (stripe_customer, card), str(begun.recharge_id))


def pay(connection: Connection, customer_id: str, payment_intent_id: str) -> None:
    """Charges for an invoice, unless it is paid, is void or waits for the customer."""
    query = "SELECT * FROM credits.payment_intent_begin(%s, %s)"
    begun = connection.execute(query, [customer_id, payment_intent_id]).fetchone()
    if begun is None or not begun.go:
        return
    # What the application gave to payment_method_attach. A key per attempt: Stripe answers an old one with the old decline.
    card = (begun.provider_customer, begun.payment_method)
    charge(connection, (customer_id, "payment_intent_id", begun.payment_intent_id), begun, card, str(begun.attempt_key))


def charge(
    connection: Connection, subject: tuple[str, str, Any], begun: Any, card: tuple[str | None, str | None], key: str
) -> None:
    """Charges a saved card while its owner is away. The metadata is how the webhook finds what it is for."""
    customer_id, name, paid_id = subject
    try:
        stripe.PaymentIntent.create(
            amount=int(begun.minor_units),
            currency=begun.currency.lower(),
            customer=card[0] or "",
            payment_method=card[1] or "",
            off_session=True,
            confirm=True,
            metadata={"customer_id": customer_id, name: str(paid_id)},
            idempotency_key=key,
        )
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        # The card was declined, there is no such card, or the bank asks its owner: reported at once, so that nothing needs
        # to time out. After three in a row auto-recharge switches itself off; a plan is past due, and asked for again in
        # some days. Stripe's webhook reports it again: no harm.
        connection.execute(
            "SELECT credits.payment_failed(%s, %s, 'stripe', reason => %s)",
            [customer_id, paid_id, error.user_message or str(error)],
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
