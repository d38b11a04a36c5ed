"""From the end of a plan's period to the next one's credits with nothing by hand: maintain() makes the invoice, the sample
worker charges the saved card, and the fake Stripe's webhook brings the credits. A card that is declined, asked again, and
replaced; and a bank that asks the customer. Days pass by the test clock, which is the server's, and Stripe's too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from children import until
from logins import logins
from stripe_client import ASKS_THE_BANK, DECLINED, GOOD, SECRET
from support import harness
from support.harness import Checks
from worker import Service, service

Connection = psycopg.Connection[Any]

PRICE = """
    SELECT credits.price_create((SELECT product_id FROM credits.product_create('Pro')), 'recurring', 20, 'USD',
        recurring => '{"interval": "month"}', lookup_key => 'pro',
        credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true}}')"""
ATTACH = "SELECT credits.payment_method_attach(%s, 'stripe', %s, %s, is_default => true)"
SUBSCRIBE = """SELECT credits.subscription_create(%s, '[{"lookup_key": "pro"}]')"""
STATE = """
    SELECT s.status, coalesce((SELECT available FROM credits.wallet_balance(s.customer_id, 'CREDIT')), 0)::int AS credits,
           (SELECT string_agg(i.status, ', ' ORDER BY i.created_at) FROM credits.invoices i
            WHERE i.customer_id = s.customer_id) AS invoices
    FROM credits.subscriptions s WHERE s.customer_id = %s"""
INTENT = """
    SELECT status, action_url FROM credits.payment_intents WHERE customer_id = %s
    ORDER BY created_at DESC, payment_intent_id DESC LIMIT 1"""
LEFT = "SELECT count(*) FROM credits_internal.subscriptions WHERE next_change_at <= credits.clock()"
HEARD = "SELECT count(*) FROM credits.webhook_log WHERE customer_id = %s AND type = %s"


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection, logins(database, connection) as some:
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        connection.execute(PRICE)
        connection.execute("SELECT credits.payment_provider_set('stripe', %s, livemode => false)", [SECRET])
        connection.execute("SELECT credits.outbox_consumer_create('recharge worker')")
        users = {"endpoint": some.make("endpoint", "credits_webhook"), "worker": some.make("worker", "credits_worker")}
        with test_clock(connection), service(database, users) as running:
            renewed(checks, connection, running)
            declined(checks, connection, running)
            confirmed(checks, connection, running)
            checks.none(running.ended(), "worker and endpoint still run")
            checks.none(harness.verify(connection), "verify() finds nothing")


@contextmanager
def test_clock(connection: Connection) -> Iterator[None]:
    """The whole server's, so that the worker and the endpoint see it as well."""
    connection.execute("SELECT credits.clock()")  # loads the library, which knows the setting
    try:
        connection.execute("SET credits.test_clock_drives_billing = on")
        yield
    finally:
        connection.execute("ALTER SYSTEM RESET credits.test_clock")
        connection.execute("SELECT pg_reload_conf()")


def it_is(connection: Connection, running: Service, at: str) -> None:
    """Moves the clock, the server's and Stripe's, and has maintain() do what that brings."""
    connection.execute(sql.SQL("ALTER SYSTEM SET credits.test_clock = {}").format(sql.Literal(at)))
    connection.execute("SELECT pg_reload_conf()")
    seen = "SELECT credits.clock() = %s::timestamptz"
    if not until(lambda: connection.execute(seen, [at]).fetchone() == (True,)):
        raise TimeoutError("the clock stands still")
    row = connection.execute("SELECT extract(epoch FROM credits.clock())").fetchone()
    assert row is not None
    running.stripe.clock(float(row[0]))
    if not until(lambda: maintained(connection)):
        raise TimeoutError("something is due all the time")


def maintained(connection: Connection) -> bool:
    """A run of maintain() waits for nobody: whom the endpoint has locked with a payment at that moment is for the next run."""
    connection.execute("CALL credits.maintain()")
    return connection.execute(LEFT).fetchone() == (0,)


def signed_up(connection: Connection, running: Service, customer: str) -> str:
    """A customer with a plan, whose card was charged; returns its name at Stripe."""
    connection.execute("SELECT credits.customer_upsert(%s)", [customer])
    at_stripe = running.stripe.customer()
    save(connection, running, customer, at_stripe, GOOD)
    connection.execute(SUBSCRIBE, [customer])
    return at_stripe


def save(connection: Connection, running: Service, customer: str, at_stripe: str, number: str) -> None:
    card = running.stripe.save_card(at_stripe, number).partition("/")[2]
    connection.execute(ATTACH, [customer, at_stripe, card])


def comes(connection: Connection, customer: str, *expected: Any) -> Any:
    """What comes of a plan, once it is that, or in the end."""
    until(lambda: state(connection, customer) == expected)
    return state(connection, customer)


def state(connection: Connection, customer: str) -> Any:
    return connection.execute(STATE, [customer]).fetchone()


def renewed(checks: Checks, connection: Connection, running: Service) -> None:
    it_is(connection, running, "2026-01-31 09:00:00+00")
    at_stripe = signed_up(connection, running, "alice")
    active = ("active", 1000, "paid")
    checks.equal(comes(connection, "alice", *active), active, "a plan: its card is charged, its credits come")
    connection.execute("SELECT credits.wallet_debit('alice', 300)")
    it_is(connection, running, "2026-02-28 09:00:00+00")
    active = ("active", 1000, "paid, paid")
    checks.equal(comes(connection, "alice", *active), active, "a month later the next one's, and the rest has ended")
    charged = [(2000, "usd", "succeeded")] * 2
    checks.equal(running.stripe.charges(at_stripe), charged, "20.00 USD a month, once each")
    # Nobody looked for three months: each has its invoice. What is paid late keeps its length.
    it_is(connection, running, "2026-05-31 09:00:00+00")
    active = ("active", 3000, "paid, paid, paid, paid, paid")
    checks.equal(comes(connection, "alice", *active), active, "three months that were missed: an invoice and a charge each")
    checks.equal(running.stripe.charges(at_stripe), [(2000, "usd", "succeeded")] * 5, "five months, five charges")
    connection.execute("SELECT credits.subscription_cancel('alice', subscription_id, 'now') FROM credits.subscriptions")


def declined(checks: Checks, connection: Connection, running: Service) -> None:
    it_is(connection, running, "2026-06-01 09:00:00+00")
    at_stripe = signed_up(connection, running, "bob")
    active = ("active", 1000, "paid")
    checks.equal(comes(connection, "bob", *active), active, "another plan")
    save(connection, running, "bob", at_stripe, DECLINED)
    it_is(connection, running, "2026-07-01 09:00:00+00")
    owes = ("past_due", 0, "paid, open")
    checks.equal(comes(connection, "bob", *owes), owes, "its card is declined as it renews: past due, without credits")
    failed = [(2000, "usd", "failed")]
    until(lambda: heard(connection, "bob", "payment_intent.payment_failed") == 1)
    it_is(connection, running, "2026-07-02 09:00:00+00")
    asked = until(lambda: running.stripe.charges(at_stripe).count(failed[0]) == 2)
    checks.equal(asked, True, "a day later the worker is asked again, and the provider by another key")
    until(lambda: heard(connection, "bob", "payment_intent.payment_failed") == 2)
    checks.equal(comes(connection, "bob", *owes), owes, "which is declined as well")
    save(connection, running, "bob", at_stripe, GOOD)
    it_is(connection, running, "2026-07-04 09:00:00+00")
    active = ("active", 1000, "paid, paid")
    checks.equal(comes(connection, "bob", *active), active, "another card, and the third attempt: active again, with credits")
    charges = sorted(status for _, _, status in running.stripe.charges(at_stripe))
    checks.equal(charges, ["failed", "failed", "succeeded", "succeeded"], "and charged once for each month")
    said = [event for event in events(connection, "bob") if event not in ("created", "started")]
    checks.equal(said, ["renewed", "renew_failed", "past_due", "renew_failed", "recovered"], "its events say so")
    connection.execute(
        "SELECT credits.subscription_cancel('bob', subscription_id, 'now') FROM credits.subscriptions WHERE customer_id = 'bob'"
    )


def confirmed(checks: Checks, connection: Connection, running: Service) -> None:
    it_is(connection, running, "2026-08-01 09:00:00+00")
    at_stripe = signed_up(connection, running, "carol")
    active = ("active", 1000, "paid")
    checks.equal(comes(connection, "carol", *active), active, "a third plan")
    save(connection, running, "carol", at_stripe, ASKS_THE_BANK)
    it_is(connection, running, "2026-09-01 09:00:00+00")
    owes = ("past_due", 0, "paid, open")
    checks.equal(comes(connection, "carol", *owes), owes, "its bank asks, and nobody is there to answer: past due")
    until(lambda: heard(connection, "carol", "payment_intent.payment_failed") == 1)
    # She comes back, to a page that confirms the payment.
    asked = running.stripe.last_intent(at_stripe)
    running.stripe.confirm(asked)
    waits = ("requires_action", f"https://bank.example/{asked['id']}")
    until(lambda: intent(connection, "carol") == waits)
    checks.equal(intent(connection, "carol"), waits, "she confirms it: the payment says where the bank asks her")
    it_is(connection, running, "2026-09-02 09:00:00+00")
    checks.equal(intent(connection, "carol"), waits, "a day later nobody else is asked to charge meanwhile")
    checks.equal(state(connection, "carol"), owes, "and it is owed until then")
    running.stripe.answer_the_bank(asked)
    active = ("active", 1000, "paid, paid")
    checks.equal(comes(connection, "carol", *active), active, "she answers: paid, active again, with credits")
    checks.equal(running.stripe.charges(at_stripe), [(2000, "usd", "succeeded")] * 2, "and charged once for each month")


def heard(connection: Connection, customer: str, event: str) -> int:
    row = connection.execute(HEARD, [customer, event]).fetchone()
    assert row is not None
    return row[0]


def intent(connection: Connection, customer: str) -> Any:
    return connection.execute(INTENT, [customer]).fetchone()


def events(connection: Connection, customer: str) -> list[str]:
    query = (
        "SELECT type FROM credits.billing_events WHERE customer_id = %s AND object_type = 'subscription'"
        " ORDER BY object_id, object_seq"
    )
    return [row[0].rpartition(".")[2] for row in connection.execute(query, [customer]).fetchall()]
