"""The sample sender beside endpoints that misbehave, each in its own way, and one that does not."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import psycopg

import receivers
from children import Child, until
from receivers import Receiver
from support import harness
from support.harness import Checks

SENDER = Path(__file__).resolve().parents[2] / "examples" / "webhook_sender.py"
TIMEOUT = "1.5"  # seconds: 10 in real life


def start(database: str, name: str, **environment: str) -> Child:
    whole = {
        "PGDATABASE": database, "WEBHOOK_WORKER": name, "WEBHOOK_TIMEOUT": TIMEOUT, "WEBHOOK_ALLOW_PRIVATE": "1",
        "WEBHOOK_POLL": "0.1", "PYTHONUNBUFFERED": "1", **environment,
    }  # fmt: skip
    return Child(name, [sys.executable, str(SENDER)], whole)


def allow_local(connection: psycopg.Connection[Any]) -> None:
    """Endpoints of this machine: for tests."""
    connection.execute("SET credits.webhook_http = on")
    connection.execute("SET credits.webhook_private_addresses = on")


def check(checks: Checks, database: str) -> None:
    with checks.case("slow and successful"), harness.fresh_database("tardy") as own:
        check_tardy(checks, own)
    elsewhere = Receiver()
    bad = {
        "slow": Receiver(receivers.slow), "failing": Receiver(receivers.failing), "dripping": Receiver(receivers.dripping),
        "nonsense": Receiver(receivers.nonsense), "reading twice": Receiver(receivers.twice),
        "redirecting": Receiver(receivers.redirecting(elsewhere.url)),
    }  # fmt: skip
    good = {"good": Receiver(), "talkative": Receiver(receivers.endless)}
    with harness.connect(database) as connection:
        allow_local(connection)
        for name, receiver in {**bad, **good}.items():
            connection.execute("SELECT FROM credits.webhook_endpoint_create(%s, '{*}', %s)", [receiver.url, name])
        connection.execute("SELECT FROM credits.webhook_endpoint_create('http://127.0.0.1:1/', '{*}', 'nobody')")
        connection.execute("SELECT FROM generate_series(1, 20) i, credits.customer_upsert('c' || i % 10, gen_random_uuid()::text)")
        events = [str(row[0]) for row in connection.execute("SELECT event_id FROM credits.billing_events").fetchall()]
        child = start(database, "sender")
        try:
            began = time.monotonic()
            done = until(lambda: all(len(one.events()) >= len(events) for one in good.values()), 30)
            checks.check(done, f"all {len(events)} events reach those that behave", child.said())
            took = time.monotonic() - began
            checks.check(took < 15, "without waiting for the others", f"{took:.1f} s")
            outcome = "SELECT count(DISTINCT e.description) FROM credits.webhook_attempts a JOIN credits.webhook_endpoints e USING (webhook_endpoint_id) WHERE a.status = 'failed'"  # noqa: E501
            checks.check(until(lambda: connection.execute(outcome).fetchone() == (7,), 30), "each of the others fails")
            reasons = connection.execute(
                "SELECT DISTINCT ON (e.description) e.description, a.response_status, a.response_body"
                " FROM credits.webhook_attempts a JOIN credits.webhook_endpoints e USING (webhook_endpoint_id)"
                " WHERE a.status = 'failed' ORDER BY e.description, a.attempt_id"
            ).fetchall()
            answers = {name: (code, (text or "")[:30]) for name, code, text in reasons}
            for name in ("slow", "dripping", "reading twice"):
                code, text = answers[name]
                checks.check(code is None and "in time" in text, f"{name}: no answer in time", text)
            checks.equal(answers["redirecting"], (307, "over there"), "a redirect is an answer that is no success")
            checks.equal(elsewhere.received, [], "and is not followed")
            checks.equal(answers["failing"], (500, "no"), "an error is kept as it was said")
            checks.check(answers["nonsense"][0] is None, "nonsense is no answer", answers["nonsense"])
            checks.check("refused" in answers["nobody"][1].lower(), "nor is nobody", answers["nobody"])
            longest = connection.execute("SELECT max(length(response_body)) FROM credits.webhook_attempts").fetchone()
            checks.equal(longest, (2_000,), "answers are cut")
            for name, receiver in good.items():
                checks.equal(sorted(set(receiver.events())), sorted(events), f"{name}: each event")
                checks.none(out_of_order(receiver.received), f"{name}: in order for each object")
            checks.check(child.runs(), "the sender goes on", child.said())
        finally:
            child.kill()
            for receiver in (*bad.values(), *good.values(), elsewhere):
                receiver.__exit__()
        checks.none(harness.verify(connection), "verify() finds nothing")


def check_tardy(checks: Checks, database: str) -> None:
    """One that takes everything, as slowly as it may, and has much to take: it does not get every place that becomes free."""
    with harness.connect(database) as connection, Receiver(receivers.tardy) as tardy, Receiver() as good:
        allow_local(connection)
        upsert = "SELECT FROM generate_series(1, %s) i, credits.customer_upsert(%s || i, 'x')"
        endpoint = "SELECT FROM credits.webhook_endpoint_create(%s, '{*}')"
        connection.execute(endpoint, [tardy.url])
        connection.execute(upsert, [200, "a"])
        child = start(database, "sender")
        try:
            checks.check(until(lambda: len(tardy.events()) > 8, 20), "a slow one is busy", child.said())
            connection.execute(endpoint, [good.url])
            began = time.monotonic()
            connection.execute(upsert, [50, "b"])
            done = until(lambda: len(good.events()) >= 50, 30)
            took = time.monotonic() - began
            checks.check(done and took < 6, f"another has its 50 events after {took:.1f} s", len(good.events()))
            checks.check(len(tardy.events()) < 150, "before the slow one has what came first", len(tardy.events()))
            lost = "SELECT FROM credits.webhook_endpoint_delete((SELECT webhook_endpoint_id FROM credits.webhook_endpoints WHERE url = %s))"  # noqa: E501
            connection.execute(lost, [tardy.url])
            time.sleep(2)
            connection.execute(upsert, [5, "c"])
            checks.check(until(lambda: len(good.events()) >= 55, 20), "it is deleted on the way: the sender goes on", child.said())
        finally:
            child.kill()
        checks.none(harness.verify(connection), "verify() finds nothing")


def out_of_order(received: list[dict[str, Any]]) -> list[str]:
    """Events that came, for the first time, after a later one of their object."""
    last: dict[tuple[str, str], int] = {}
    wrong = []
    for event in received:
        key = (event["object_type"], event["object_id"])
        if event["object_seq"] > last.get(key, 0) + 1:
            wrong.append(f"{key}: {event['object_seq']} after {last.get(key, 0)}")
        last[key] = max(last.get(key, 0), event["object_seq"])
    return wrong
