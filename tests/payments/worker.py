"""From a debit to restored credits with nothing by hand: the sample worker and the sample webhook endpoint of examples/
run as programs of their own, against a fake Stripe server that is asked for charges and sends webhooks. Each has a login
of its own with the rights of its role, credits_worker and credits_webhook, and no others.

The server is localstripe with what it lacks: fake_stripe.py says what that is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import getrandbits
from typing import Any
from uuid import UUID, uuid4

import psycopg

import packages
from children import Child, free_port, listens, until
from logins import logins
from stripe_client import DECLINED, GOOD, KEY, SECRET, FakeStripe, deliver
from support import harness
from support.harness import Checks

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
LEASE = "2 seconds"  # how long a killed worker's rows stay its own
WATCHER = "the test"  # a second consumer, so that what the worker acknowledges stays to be seen
CREDITS, PRICE, THRESHOLD = Decimal(100), Decimal(5), Decimal(20)

Connection = psycopg.Connection[Any]


class Service:
    """What an application would run: the worker and the webhook endpoint, here with the fake Stripe beside them."""

    def __init__(self, database: str, users: dict[str, str]) -> None:
        self.database = database
        self.users = users
        self.python = str(packages.python())
        self.endpoint_port = free_port()
        self.stripe_port = free_port()
        self.stripe = FakeStripe(self.stripe_port)
        self.children: dict[str, Child] = {}

    def start(self, name: str) -> None:
        programs = {
            "stripe": [str(HERE / "fake_stripe.py"), str(self.stripe_port)],
            "endpoint": [str(EXAMPLES / "webhook_endpoint.py")],
            "worker": [str(EXAMPLES / "recharge_worker.py")],
        }
        environment = {
            "PGDATABASE": self.database, "PGUSER": self.users.get(name, ""), "PYTHONUNBUFFERED": "1",
            "WEBHOOK_PORT": str(self.endpoint_port), "STRIPE_API_KEY": KEY, "STRIPE_API_BASE": self.stripe.base,
            "RECHARGE_LEASE": LEASE,
        }  # fmt: skip
        child = self.children[name] = Child(name, [self.python, *programs[name]], environment)
        port = {"stripe": self.stripe_port, "endpoint": self.endpoint_port}.get(name)
        if port is not None and not until(lambda: listens(port) or not child.runs()):
            raise TimeoutError(f"the {name} does not listen: {child.said()}")

    def kill(self, name: str) -> None:
        self.children.pop(name).kill()

    def ended(self) -> list[str]:
        """Which programs have ended by themselves, and what they said."""
        return [f"{name}: {child.said()}" for name, child in self.children.items() if not child.runs()]


@contextmanager
def service(database: str, users: dict[str, str]) -> Iterator[Service]:
    running = Service(database, users)
    try:
        for name in ("stripe", "endpoint"):
            running.start(name)
        running.stripe.webhooks_to(running.endpoint_port)
        running.start("worker")
        yield running
    finally:
        for child in running.children.values():
            child.stop()


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection, logins(database, connection) as some:
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        connection.execute("SELECT credits.package_create('a pack', %s, %s, 'USD')", [CREDITS, PRICE])
        connection.execute("SELECT credits.payment_provider_set('stripe', %s, livemode => false)", [SECRET])
        for consumer in ("recharge worker", WATCHER):
            connection.execute("SELECT credits.outbox_consumer_create(%s)", [consumer])
        users = {"endpoint": some.make("endpoint", "credits_webhook"), "worker": some.make("worker", "credits_worker")}
        with service(database, users) as running:
            restored(checks, connection, running)
            killed_in_between(checks, connection, running)
            declined(checks, connection, running)
            answers(checks, running)
            checks.none(running.ended(), "worker and endpoint still run")
        checks.none(harness.verify(connection), "verify() finds nothing")


def signed_up(connection: Connection, running: Service, customer: str, number: str) -> str:
    """A customer with 30 credits and auto-recharge; returns its name at Stripe."""
    at_stripe = running.stripe.customer()
    connection.execute("SELECT credits.wallet_credit(%s, 30)", [customer])
    connection.execute(
        "SELECT credits.configure_auto_recharge(%s, enabled => true, threshold => %s, payment_method => %s,"
        " price_id => (SELECT price_id FROM credits.packages), cooldown => '100 milliseconds')",
        [customer, THRESHOLD, running.stripe.save_card(at_stripe, number)],
    )
    return at_stripe


def restored(checks: Checks, connection: Connection, running: Service) -> None:
    at_stripe = signed_up(connection, running, "alice", GOOD)
    checks.equal(statuses(connection, "alice"), [], "nothing is asked for while there is enough")
    connection.execute("SELECT credits.wallet_debit('alice', 15)")
    came = until(lambda: available(connection, "alice") == 115)
    checks.equal(came, True, "a debit below the threshold: 100 credits come")
    checks.equal(running.stripe.charges(at_stripe), [(500, "usd", "succeeded")], "the card was charged once, 5.00 USD")
    checks.equal(log(connection, "alice"), [("paid", PRICE, "USD", CREDITS)], "the request is paid")
    bought = connection.execute(
        "SELECT t.status, t.paid_amount, t.provider, t.recharge_id = r.recharge_id, g.amount, g.category"
        " FROM credits.top_ups t JOIN credits.recharge_log r USING (customer_id, top_up_id)"
        " JOIN credits.grants g USING (customer_id, grant_id) WHERE customer_id = 'alice'"
    ).fetchall()
    checks.equal(bought, [("paid", PRICE, "stripe", True, CREDITS, "paid")], "and so is its top-up, which granted them")
    # What the webhook did is committed before the endpoint answers, so this needs no waiting.
    events = connection.execute("SELECT type, outcome FROM credits.webhook_log WHERE customer_id = 'alice'").fetchall()
    checks.equal(events, [("payment_intent.succeeded", "applied")], "Stripe's webhook said so")
    told = [kind for customer, kind in watched(connection) if customer == "alice"]
    checks.equal(told.count("recharge.requested"), 1, "the outbox asked for it once")
    waits = until(lambda: waiting(connection) == 0, 10)
    checks.equal(waits, True, "and the worker has acknowledged what it was told")


def killed_in_between(checks: Checks, connection: Connection, running: Service) -> None:
    """The worker dies when the card is charged and it does not know yet, and the endpoint is away as well."""
    at_stripe = signed_up(connection, running, "bob", GOOD)
    before = set(running.stripe.calls())
    running.kill("endpoint")
    running.stripe.hold_answers(True)
    connection.execute("SELECT credits.wallet_debit('bob', 15)")
    charged = until(lambda: running.stripe.charges(at_stripe))
    checks.equal(charged, True, "the card is charged, and the worker waits for the answer")
    running.kill("worker")
    running.stripe.hold_answers(False)
    checks.equal(statuses(connection, "bob"), ["processing"], "it is killed there")
    running.start("worker")

    def again() -> list[int]:
        return [number for key, number in running.stripe.calls().items() if key not in before]

    checks.equal(until(lambda: again() == [2]), True, "the next one asks for the charge again, under the same key")
    checks.equal(running.stripe.charges(at_stripe), [(500, "usd", "succeeded")], "which is no second charge")
    checks.equal(available(connection, "bob"), 15, "nothing is granted while nobody heard of the money")
    running.start("endpoint")
    came = until(lambda: available(connection, "bob") == 115)
    checks.equal(came, True, "the endpoint is back: Stripe's webhook comes again")
    checks.equal(log(connection, "bob"), [("paid", PRICE, "USD", CREDITS)], "one request, paid")


def declined(checks: Checks, connection: Connection, running: Service) -> None:
    at_stripe = signed_up(connection, running, "carol", DECLINED)
    connection.execute("SELECT credits.wallet_debit('carol', 15)")
    failed = until(lambda: statuses(connection, "carol") == ["failed"])
    checks.equal(failed, True, "a card that is declined: the request has failed")
    reason = connection.execute("SELECT reason FROM credits.recharge_log WHERE customer_id = 'carol'").fetchone()
    checks.check("declined" in str(reason), "and says why", reason)

    def three_times() -> bool:
        connection.execute("SELECT credits.wallet_debit('carol', 0.01)")
        return config(connection, "carol")[0] is False

    checks.equal(until(three_times), True, "further debits ask again, until auto-recharge is off")
    checks.equal(statuses(connection, "carol"), ["failed"] * 3, "after three failures in a row")
    # Stripe's webhooks tell the failures once more, and are waited for, so as to see that they count for nothing.
    heard = "SELECT count(*) FROM credits.webhook_log WHERE customer_id = 'carol' AND type ~ 'failed'"
    said = until(lambda: connection.execute(heard).fetchone() == (3,))
    checks.equal(said, True, "Stripe's webhooks say the same")
    enabled, failures, why = config(connection, "carol")
    checks.equal((enabled, failures, why is not None), (False, 3, True), "which counts for nothing: 3 failures")
    told = [kind for customer, kind in watched(connection) if customer == "carol"]
    checks.equal(told.count("recharge.disabled"), 1, "the outbox says that it is off, once")
    charges = running.stripe.charges(at_stripe)
    checks.equal(charges, [(500, "usd", "failed")] * 3, "nothing was charged")
    contradictions = connection.execute("SELECT * FROM credits.payment_log WHERE contradiction IS NOT NULL").fetchall()
    checks.none(contradictions, "no two of what was told contradict each other")

    left = available(connection, "carol")
    connection.execute("SELECT credits.wallet_debit('carol', 0.01)")
    checks.equal(len(statuses(connection, "carol")), 3, "switched off, it asks for nothing more")
    card = running.stripe.save_card(at_stripe, GOOD)
    time.sleep(0.1)  # the cooldown, after which it may ask again
    connection.execute("SELECT credits.configure_auto_recharge('carol', enabled => true, payment_method => %s)", [card])
    back = until(lambda: available(connection, "carol") == left - Decimal("0.01") + CREDITS)
    checks.equal(back, True, "another card and switched on again: it recharges at once")
    checks.equal(config(connection, "carol"), (True, 0, None), "and starts afresh")


def just_made() -> UUID:
    """An id as a top-up has that begins just now: a UUID of version 7."""
    return UUID(int=(time.time_ns() // 1_000_000) << 80 | 7 << 76 | 2 << 62 | getrandbits(62))


def paid(event_id: str, top_up_id: UUID) -> str:
    """An event that says that somebody paid for a top-up."""
    intent = {"id": f"pi_{event_id}", "object": "payment_intent", "amount": 500, "amount_received": 500, "currency": "usd",
              "status": "succeeded", "metadata": {"customer_id": "alice", "top_up_id": str(top_up_id)}}  # fmt: skip
    event = {"id": event_id, "object": "event", "type": "payment_intent.succeeded", "data": {"object": intent}}
    return json.dumps(event)


def answers(checks: Checks, running: Service) -> None:
    """What the endpoint answers, on which it depends whether Stripe tries again."""
    unknown, nobodys = paid("evt_unknown", just_made()), paid("evt_nobodys", uuid4())
    port = running.endpoint_port
    checks.equal(deliver(port, unknown, "whsec_of_another"), 400, "a webhook with a wrong signature: 400")
    checks.equal(deliver(port, unknown, None), 400, "without one: 400")
    checks.equal(deliver(port, "no JSON"), 400, "one that is no event: 400")
    checks.equal(deliver(port, unknown), 503, "one for a top-up that is not known (yet): 503, so that it is sent again")
    checks.equal(deliver(port, nobodys), 200, "one for an id that can be none of a top-up: 200")
    nothing = json.dumps({**json.loads(unknown), "type": "plan.created"})
    checks.equal(deliver(port, nothing), 200, "one that means nothing here: 200")


def available(connection: Connection, customer: str) -> Decimal:
    row = connection.execute("SELECT available FROM credits.wallet_balance(%s, 'CREDIT')", [customer]).fetchone()
    assert row is not None
    return row[0]


def log(connection: Connection, customer: str) -> list[Any]:
    return connection.execute(
        "SELECT status, amount, price_currency, credits FROM credits.recharge_log WHERE customer_id = %s"
        " ORDER BY requested_at",
        [customer],
    ).fetchall()


def statuses(connection: Connection, customer: str) -> list[str]:
    return [row[0] for row in log(connection, customer)]


def config(connection: Connection, customer: str) -> Any:
    query = "SELECT enabled, failures, disabled_reason FROM credits.auto_recharge_config(%s)"
    return connection.execute(query, [customer]).fetchone()


def watched(connection: Connection) -> list[tuple[str, str]]:
    """Everything that the outbox ever said: this consumer acknowledges nothing, so all of it stays."""
    query = "SELECT customer_id, type FROM credits.outbox_rows ORDER BY customer_id, outbox_no"
    return connection.execute(query).fetchall()


def waiting(connection: Connection) -> int:
    """How many rows the worker has not acknowledged."""
    row = connection.execute(
        "SELECT count(*) FROM credits_internal.outbox o LEFT JOIN credits_internal.outbox_positions p"
        " ON p.customer_id = o.customer_id AND p.consumer = 'recharge worker'"
        " WHERE o.outbox_no > coalesce(p.acked_no, 0)"
    ).fetchone()
    assert row is not None
    return row[0]
