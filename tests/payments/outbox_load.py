"""The outbox with many sessions at once: some pay for many customers, others hand on what the outbox has, under three
names: eight sessions that acknowledge everything, three likewise, and four that now and then forget to, or come late.

OUTBOX_SECONDS (6) is how long is paid, SEED (1) what it is made from.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context

import shop
from shop import Connection
from stories import PRICES
from support import harness
from support.harness import Checks, say

SECONDS = float(os.environ.get("OUTBOX_SECONDS") or 6)
SEED = int(os.environ.get("SEED") or 1)
PAYERS = 4
CUSTOMERS = [f"payer {number:02}" for number in range(60)]
LEASE = 0.2  # of those that forget; the others have a minute
IDLE = 0.5  # seconds without a row after which a session takes it that there are no more


@dataclass
class Name:
    """A consumer's name: how many sessions share it, and whether they forget."""

    consumer: str
    sessions: int
    forgets: bool = False

    @property
    def lease(self) -> float:
        return LEASE if self.forgets else 60.0


NAMES = (Name("mailer", 8), Name("biller", 3), Name("forgetful", 4, forgets=True))


@dataclass
class Held:
    """A customer's rows in one session's hands."""

    customer: str
    numbers: list[int]
    got: float  # after the claim
    until: float  # when the lease ended at the earliest
    acknowledged: float = math.inf  # when that session acknowledged them at the earliest


def pay(database: str, number: int) -> Counter[str]:
    """Payments of several customers in one transaction, some rolled back. Returns what was committed, by customer."""
    random_, done = random.Random(f"{SEED}/payer {number}"), Counter[str]()
    until = time.monotonic() + SECONDS
    with harness.connect(database) as connection:
        while time.monotonic() < until:
            # In one order in every session, as transactions of several customers have to be.
            among = CUSTOMERS[: random_.choice((3, 60))]
            customers = sorted({random_.choice(among) for _ in range(random_.randint(1, 3))})
            rolls_back = random_.random() < 0.1
            with connection.transaction(force_rollback=rolls_back):
                for customer in customers:
                    top_up_id = shop.begin(connection, customer, PRICES[0])
                    connection.execute("SELECT credits.payment_succeeded(%s, %s)", [customer, top_up_id])
                time.sleep(random_.uniform(0, 0.01))
            if not rolls_back:
                done.update(customers)
    return done


def consume(database: str, name: Name, number: int) -> list[Held]:
    """Hands rows on until there are no more."""
    random_, held = random.Random(f"{SEED}/{name.consumer} {number}"), list[Held]()
    with harness.connect(database) as connection:
        last = time.monotonic()
        while time.monotonic() < last + IDLE or not is_over(connection):
            asked = time.monotonic()
            rows = connection.execute(
                "SELECT customer_id, outbox_no, outbox_id FROM credits.outbox_claim(%s, %s, %s * interval '1 second')",
                [name.consumer, random_.randint(1, 20), name.lease],
            ).fetchall()
            got = time.monotonic()
            if not rows:
                time.sleep(0.005)
                continue
            last = got
            by_customer: dict[str, list[int]] = defaultdict(list)
            for customer, outbox_no, _ in rows:
                by_customer[customer].append(outbox_no)
            until = asked + name.lease
            some = [Held(customer, numbers, got, until) for customer, numbers in by_customer.items()]
            held += some
            time.sleep(random_.uniform(0, LEASE * 2 if name.forgets and random_.random() < 0.05 else 0.01))
            if name.forgets and random_.random() < 0.1:
                continue
            for one in some:
                one.acknowledged = time.monotonic()
            connection.execute("SELECT credits.outbox_ack(%s, %s)", [name.consumer, [row[2] for row in rows]])
    return held


def is_over(connection: Connection) -> bool:
    return connection.execute("SELECT EXISTS (SELECT FROM public.over)").fetchone() == (True,)


def check(checks: Checks, database: str) -> None:
    shop.without_grant_events(database)
    with harness.connect(database) as connection:
        shop.open_shop(connection)
        connection.execute("CREATE TABLE public.over ()")
        for name in NAMES:
            connection.execute("SELECT credits.outbox_consumer_create(%s)", [name.consumer])
    paid, held = under_way(database)
    with harness.connect(database) as connection:
        say(f"        {paid.total():,} payments, handed out in {sum(map(len, held.values())):,} parts")
        for name in NAMES:
            looked_at(checks, name, held[name.consumer], paid)
        row = connection.execute("SELECT count(*) FROM credits.outbox_rows").fetchone()
        checks.equal(row, (0,), "what every name has acknowledged is deleted")
        checks.none(harness.verify(connection), "verify() finds nothing")


def under_way(database: str) -> tuple[Counter[str], dict[str, list[Held]]]:
    sessions = PAYERS + sum(name.sessions for name in NAMES)
    with ProcessPoolExecutor(sessions, mp_context=get_context("fork")) as pool:
        consuming = {
            name.consumer: [pool.submit(consume, database, name, number) for number in range(name.sessions)]
            for name in NAMES
        }
        paying = [pool.submit(pay, database, number) for number in range(PAYERS)]
        try:
            paid: Counter[str] = sum((one.result() for one in paying), Counter())
        finally:
            with harness.connect(database) as connection:
                connection.execute("INSERT INTO public.over DEFAULT VALUES")
        held = {name: [part for one in some for part in one.result()] for name, some in consuming.items()}
    return paid, held


def looked_at(checks: Checks, name: Name, held: list[Held], paid: Counter[str]) -> None:
    by_customer: dict[str, list[Held]] = defaultdict(list)
    for part in sorted(held, key=lambda part: part.got):
        by_customer[part.customer].append(part)
    wrong, gaps, twice = [], [], []
    for customer, count in paid.items():
        parts = by_customer.pop(customer, [])
        numbers = [number for part in parts for number in part.numbers]
        # One row a payment: numbered from 1 on, handed out in that order. Whoever forgets gets the same again.
        expected = list(range(1, count + 1))
        if (sorted(set(numbers)) if name.forgets else numbers) != expected:
            wrong.append(f"{customer}: {numbers[:20]}, {count} were due")
        acknowledged = 0
        for part in parts:
            if part.numbers != list(range(part.numbers[0], part.numbers[0] + len(part.numbers))):
                gaps.append(f"{customer}: {part.numbers}")
            if part.numbers[0] > acknowledged + 1:
                gaps.append(f"{customer}: {part.numbers} after {acknowledged}")
            acknowledged = max(acknowledged, part.numbers[-1])
        for one, next_ in pairwise(parts):
            # Whoever comes back to rows after the lease may acknowledge them while another has them again.
            ends = [part.acknowledged for part in parts if part.numbers[-1] >= one.numbers[-1]]
            if next_.got < min(one.until, *ends):
                twice.append(f"{customer}: {next_.numbers} while {one.numbers} were held")
    wrong += [f"{customer}: nothing was due" for customer in by_customer]
    what = f"{name.consumer}, {name.sessions} sessions"
    checks.none(wrong, f"{what}: every row came{'' if name.forgets else ' once'}")
    checks.none(gaps, f"{what}: in order, customer by customer")
    checks.none(twice, f"{what}: no two held rows of one customer at the same time")
    if name.forgets:
        handed = sum(len(part.numbers) for part in held)
        checks.check(handed > paid.total(), f"{what}: some came again, for they forgot", (handed, paid.total()))
