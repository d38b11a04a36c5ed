"""Auto-recharge under load: the workers that charge, and crash, and the provider whose webhooks come late and twice.

What a card is charged is a row of the test's own table, public.charges, by its idempotency key, as a payment provider
keeps it: what becomes of a charge is decided when it is first made.
"""

from __future__ import annotations

import os
import random
import time
from decimal import Decimal
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from signal import SIGKILL
from typing import Any

import psycopg

from recharge_terms import STOP, Report
from support import harness

WORKERS = 6
CONSUMER = "recharge worker"
PROVIDER = "the test's"
LEASE = "1 second"
LATE = 2.5  # seconds until a payment comes that comes late: after the time-out

# How a worker that crashes ends, by where it was; and how likely it is each time.
CRASHES = {11: "after the claim", 12: "before the charge", 13: "after the charge", 14: "before the acknowledgement"}
CRASH = 0.03
ENDS: dict[int | None, str] = {-SIGKILL: "killed", 0: "told to end", **CRASHES}
# What becomes of a charge: 'late' is paid after its time-out, of 'lost' nothing is ever heard.
OUTCOMES = {"paid": 60, "declined": 24, "late": 8, "lost": 8}

TABLES = """
CREATE TABLE public.charges (
    recharge_id uuid PRIMARY KEY, customer_id text NOT NULL, top_up_id uuid NOT NULL, amount numeric NOT NULL,
    outcome text NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp(), asked integer NOT NULL DEFAULT 1,
    expires_at timestamptz NOT NULL, ended_at timestamptz, told_at timestamptz);
CREATE TABLE public.enablings (customer_id text NOT NULL, enabled_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE public.mistakes (what text NOT NULL);
"""

Connection = psycopg.Connection[Any]


class Worker:
    """What a worker does, with crashes in it: os._exit, so that nothing is tidied up."""

    def __init__(self, database: str, label: str) -> None:
        self.random = random.Random(label)
        self.connection = harness.connect(database)

    def maybe_crash(self, status: int) -> None:
        if self.random.random() < CRASH:
            os._exit(status)

    def work(self) -> bool:
        """One batch; whether there was anything."""
        rows = self.connection.execute(
            "SELECT outbox_id, customer_id, type, payload FROM credits.outbox_claim(%s, %s, %s)",
            [CONSUMER, self.random.randint(1, 5), LEASE],
        ).fetchall()
        if rows:
            self.maybe_crash(11)
        for outbox_id, customer, kind, payload in rows:
            if kind == "recharge.requested":
                self.recharge(customer, payload["recharge_id"])
                self.maybe_crash(14)
            self.connection.execute("SELECT credits.outbox_ack(%s, %s)", [CONSUMER, [outbox_id]])
        return bool(rows)

    def recharge(self, customer: str, recharge_id: str) -> None:
        begun = self.connection.execute(
            "SELECT go, top_up_id, amount, expires_at FROM credits.recharge_begin(%s, %s)", [customer, recharge_id]
        ).fetchone()
        assert begun is not None
        if not begun[0]:
            return
        self.maybe_crash(12)
        outcome = self.charge(customer, recharge_id, *begun[1:])
        self.maybe_crash(13)
        time.sleep(self.random.random() ** 3 * 0.2)
        if outcome == "paid":
            succeeded(self.connection, customer, recharge_id, begun[1])
        elif outcome == "declined":
            ended(self.connection, recharge_id)
            self.connection.execute(
                "SELECT credits.payment_failed(%s, %s, %s, %s, 'declined')", [customer, begun[1], PROVIDER, recharge_id]
            )

    def charge(self, customer: str, recharge_id: str, top_up_id: Any, amount: Decimal, expires_at: Any) -> str:
        """The provider's answer: once made under an idempotency key, a charge is made for good."""
        outcome = self.random.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
        row = self.connection.execute(
            "INSERT INTO public.charges AS c (recharge_id, customer_id, top_up_id, amount, expires_at, outcome)"
            " VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (recharge_id) DO UPDATE SET asked = c.asked + 1 RETURNING outcome",
            [recharge_id, customer, top_up_id, amount, expires_at, outcome],
        ).fetchone()
        assert row is not None
        return row[0]


def work(database: str, label: str) -> None:
    worker = Worker(database, label)
    try:
        while not STOP.is_set():
            if not worker.work():
                time.sleep(0.02)
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to come home
        with harness.connect(database) as connection:
            connection.execute("INSERT INTO public.mistakes VALUES (%s)", [f"{label}: {harness.described(error)}"])


def supervise(database: str, seed: int) -> Report:
    """Keeps the workers going: one that has crashed is followed by another, and now and then one is killed. Returns how
    often they ended in which way."""
    random_, report = random.Random(f"{seed}/supervisor"), Report()
    fork = get_context("fork")
    made = 0
    workers: list[BaseProcess] = []
    while not STOP.is_set():
        while len(workers) < WORKERS:
            made += 1
            workers.append(fork.Process(target=work, args=(database, f"{seed}/worker {made}")))
            workers[-1].start()
        if random_.random() < 0.07:
            random_.choice(workers).kill()
        time.sleep(0.1)
        for worker in [worker for worker in workers if not worker.is_alive()]:
            workers.remove(worker)
            report.counts[ENDS.get(worker.exitcode, "otherwise")] += 1
    for worker in workers:
        worker.join()
    return report


def ended(connection: Connection, recharge_id: Any) -> None:
    """Notes that a charge is over, before the extension hears of it: so it is never over later than it knows."""
    connection.execute(
        "UPDATE public.charges SET ended_at = coalesce(ended_at, clock_timestamp()) WHERE recharge_id = %s",
        [recharge_id],
    )


def succeeded(connection: Connection, customer: str, recharge_id: Any, top_up_id: Any) -> Any:
    """Tells that the money came, as a worker does or as a webhook does, and notes that it was told."""
    ended(connection, recharge_id)
    row = connection.execute(
        "SELECT status, credits, contradiction FROM credits.payment_succeeded(%s, %s, %s, %s)",
        [customer, top_up_id, PROVIDER, str(recharge_id)],
    ).fetchone()
    connection.execute(
        "UPDATE public.charges SET told_at = coalesce(told_at, clock_timestamp()) WHERE recharge_id = %s", [recharge_id]
    )
    return row


def provide(database: str, seed: int) -> Report:
    """The provider's webhooks, now and then twice: of what is paid late, and of what a crashed worker told nobody."""
    random_, report = random.Random(f"{seed}/provider"), Report()
    with harness.connect(database) as connection:
        while not STOP.is_set():
            rows = connection.execute(
                "SELECT customer_id, recharge_id, top_up_id, outcome FROM public.charges"
                " WHERE told_at IS NULL AND outcome IN ('paid', 'late')"
                " AND made_at < clock_timestamp() - CASE outcome WHEN 'late' THEN %s ELSE 1 END * interval '1 s'",
                [LATE],
            ).fetchall()
            for customer, recharge_id, top_up_id, outcome in rows:
                for _ in range(random_.choice((1, 1, 2))):
                    row = succeeded(connection, customer, recharge_id, top_up_id)
                    if row[0] != "paid" or row[2] is not None:
                        report.wrong.append(f"{recharge_id}, {outcome}: {row}")
                report.counts[f"webhooks, {outcome}"] += 1
            time.sleep(0.1)
    return report
