"""Many events to twenty endpoints, three of which are bad for a while, with two senders of which one is killed: each gets all
of them at least once, in order for each object, and the good ones are not held back."""

from __future__ import annotations

import os
import time

import receivers
from children import until
from misbehaving import allow_local, out_of_order, start
from receivers import Receiver
from support import harness
from support.harness import Checks, say

EVENTS = int(os.environ.get("WEBHOOK_EVENTS") or 400)
ENDPOINTS, BAD, OBJECTS = 20, 3, max(EVENTS // 10, 1)
PATIENCE = 60 + EVENTS * ENDPOINTS / 100


def check(checks: Checks, database: str) -> None:
    healed = {"is": False}

    def until_healed(answer: object) -> object:
        return lambda handler: (receivers.ok if healed["is"] else answer)(handler)

    kinds = [receivers.failing, receivers.slow, receivers.redirecting("http://127.0.0.1:1/")]
    endpoints = [Receiver(until_healed(kind)) for kind in kinds] + [Receiver() for _ in range(ENDPOINTS - BAD)]
    bad, good = endpoints[:BAD], endpoints[BAD:]
    with harness.connect(database) as connection:
        allow_local(connection)
        for receiver in endpoints:
            connection.execute("SELECT FROM credits.webhook_endpoint_create(%s, '{*}')", [receiver.url])
        children = [start(database, f"sender {i}", WEBHOOK_LEASE="5 seconds", WEBHOOK_CONCURRENCY="24") for i in (1, 2)]
        began = time.monotonic()
        try:
            for first in range(0, EVENTS, 100):
                connection.execute(
                    "SELECT FROM generate_series(%s::integer, %s::integer) i,"
                    " credits.customer_upsert('c' || i %% %s, gen_random_uuid()::text)",
                    [first + 1, min(first + 100, EVENTS), OBJECTS],
                )
            events = sorted(str(row[0]) for row in connection.execute("SELECT event_id FROM credits.billing_events").fetchall())
            checks.equal(len(events), EVENTS, "so many events")
            until(lambda: len(good[0].events()) > EVENTS // 3, PATIENCE)
            children.pop().kill()
            done = until(lambda: all(len(set(one.events())) == EVENTS for one in good), PATIENCE)
            took = time.monotonic() - began
            checks.check(done, f"the {len(good)} good ones have all", [len(set(one.events())) for one in good])
            say(f"  {EVENTS * len(good) / took:.0f} requests a second, one sender killed on the way")
            left = [len(set(one.events())) for one in bad]
            checks.check(any(count < EVENTS for count in left), "while the bad ones have not", left)
            healed["is"] = True
            # As if the hours had passed: what failed is due.
            for _ in range(60):
                connection.execute("UPDATE credits_internal.webhook_deliveries SET due_at = now() WHERE status = 'due'")
                if until(lambda: undelivered(connection) == 0, PATIENCE / 20):
                    break
            checks.equal(undelivered(connection), 0, "healed, nothing is left")
            wrong = [
                (index, len(set(one.events())), out_of_order(one.received)[:3])
                for index, one in enumerate(endpoints)
                if sorted(set(one.events())) != events or out_of_order(one.received)
            ]
            checks.none(wrong, "each has all, in order for each object")
            lost = connection.execute("SELECT count(*) FROM credits.webhook_attempts WHERE status = 'lost'").fetchone()
            say(f"  {lost[0]} attempts were lost with the sender; all took {time.monotonic() - began:.0f} s")
            checks.check(children[0].runs(), "the other sender goes on", children[0].said())
        finally:
            for child in children:
                child.kill()
            for receiver in endpoints:
                receiver.__exit__()
        checks.none(harness.verify(connection), "verify() finds nothing")


def undelivered(connection: object) -> int:
    return connection.execute("SELECT sum(undelivered)::integer FROM credits.webhook_endpoints").fetchone()[0]
