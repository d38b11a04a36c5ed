"""Deliveries: everything that is told of a payment is told 50 times, by 16 sessions in random orders, before, while and
after its top_up_create commits, while the customers spend. Credits are granted once, statuses only ever go forward, and
what came of it all is what stories.py says and reckoning.py works out.

PAYMENTS (4) is how many purchases of each kind there are, COPIES (50) how often each thing is told, SEED (1) what they
are made from.
"""

from __future__ import annotations

import heapq
import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing import get_context

import psycopg

import reckoning
import shop
import stories
from shop import Answer
from stories import CUSTOMERS, Delivery, Story
from support import harness
from support.harness import Checks, say

ROUNDS = int(os.environ.get("PAYMENTS") or 4)
COPIES = int(os.environ.get("COPIES") or 50)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, SHOPS, SPENDERS = 16, 2, 4
GIFT = Decimal(150)  # half of the customers have something before they buy
PATIENCE = 240.0  # seconds until what should have come to an end counts as stuck

# What the sessions have to have met to prove anything.
MUST_HAPPEN = ("told too early", "rolled back", "debits", "captures", "releases", "refused debits", "owed")


@dataclass
class Report:
    """What one session brings home."""

    answers: list[tuple[int, str, Answer]] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Deliverer:
    """One session of the provider's: tells its share, again where it was told too early, as providers do."""

    def __init__(self, database: str, number: int) -> None:
        self.random = random.Random(f"{SEED}/{number}")
        self.report = Report()
        self.stories = stories.all_of(ROUNDS, SEED)
        self.connection = harness.connect(database)
        self.begun: dict[int, tuple[str, bool]] = {}  # by number: the top-up's id, and whether it is gone for good
        self.again: list[tuple[float, int, Story, Delivery]] = []
        self.serial = 0
        self.until = time.monotonic() + PATIENCE
        self.share = [
            (story, delivery)
            for story in self.stories
            for copy in range(COPIES) if copy % SESSIONS == number
            for delivery in story.deliveries
        ]  # fmt: skip
        # Roughly in the order in which the purchases begin, so that they are told of while they do.
        self.share.sort(key=lambda one: one[0].number + self.random.uniform(0, 4))

    def run(self) -> Report:
        for story, delivery in self.share:
            self.tell_again(time.monotonic())
            self.wait_for(story)
            self.tell(story, delivery)
        while self.again:
            time.sleep(max(0.0, self.again[0][0] - time.monotonic()))
            self.tell_again(time.monotonic())
        self.connection.close()
        return self.report

    def wait_for(self, story: Story) -> None:
        """Until the purchase has begun, though not necessarily so that anybody else could know."""
        if story.number not in self.begun:
            self.connection.execute("INSERT INTO public.wanted VALUES (%s) ON CONFLICT DO NOTHING", [story.number])
        while story.number not in self.begun:
            self.look()
            time.sleep(0.002)

    def look(self) -> None:
        if time.monotonic() > self.until:
            raise TimeoutError(f"{len(self.again)} deliveries were never taken")
        for number, top_up_id, gone in self.connection.execute("SELECT number, top_up_id, gone FROM public.begun"):
            self.begun[number] = top_up_id, gone

    def tell_again(self, now: float) -> None:
        while self.again and self.again[0][0] <= now:
            _, _, story, delivery = heapq.heappop(self.again)
            self.look()
            self.tell(story, delivery)

    def tell(self, story: Story, delivery: Delivery) -> None:
        gone = self.begun[story.number][1]
        if not all(self.tell_one(story, one) for one in delivery) and not gone:
            self.serial += 1
            due = time.monotonic() + self.random.uniform(0.005, 0.06)
            heapq.heappush(self.again, (due, self.serial, story, delivery))

    def tell_one(self, story: Story, told: stories.Told) -> bool:
        """Whether it was taken. Now and then whoever receives it changes its mind, and it was never told."""
        top_up_id, gone = self.begun[story.number]
        rolls_back = self.random.random() < 0.04
        try:
            with self.connection.transaction(force_rollback=rolls_back):
                answer = shop.tell(self.connection, told, story.customer, top_up_id)
        except psycopg.Error as error:
            if error.sqlstate != "PC014":
                self.report.wrong.append(f"{told.key}: {harness.described(error)}")
                return True
            self.report.counts["told too early"] += 1
            return False
        if rolls_back:
            self.report.counts["rolled back"] += 1
            return False
        if gone:
            self.report.wrong.append(f"{told.key} was taken: {answer}")
        self.report.answers.append((story.number, told.key, answer))
        return True


def deliver(database: str, number: int) -> Report:
    return Deliverer(database, number).run()


def sell(database: str, number: int) -> None:
    """Begins purchases as they are asked for. Each is told of before its transaction ends, by commit or rollback."""
    random_ = random.Random(f"{SEED}/shop {number}")
    open_ones = {story.number: story for story in stories.all_of(ROUNDS, SEED) if story.number % SHOPS == number}
    until = time.monotonic() + PATIENCE
    with harness.connect(database) as buying, harness.connect(database) as telling:
        while open_ones and time.monotonic() < until:
            for (wanted,) in telling.execute("SELECT number FROM public.wanted ORDER BY number").fetchall():
                story = open_ones.pop(wanted, None)
                if story is None:
                    continue
                with buying.transaction(force_rollback=not story.begins):
                    top_up_id = shop.begin(buying, story.customer, story.price)
                    telling.execute("INSERT INTO public.begun VALUES (%s, %s)", [story.number, top_up_id])
                    time.sleep(random_.uniform(0, 0.08))
                if not story.begins:
                    telling.execute("UPDATE public.begun SET gone = true WHERE number = %s", [story.number])
            time.sleep(0.002)


def is_over(connection: psycopg.Connection[tuple[bool]]) -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM public.over)").fetchone()
    return row == (True,)


def spend(database: str, number: int) -> Report:
    """The customers: debits, and holds that are captured in part or released."""
    random_, report = random.Random(f"{SEED}/spender {number}"), Report()
    with harness.connect(database) as connection:
        while not is_over(connection):
            customer = random_.choice(CUSTOMERS)
            amount = Decimal(random_.randint(1, 20_000)).scaleb(-2)
            if random_.random() < 0.2:
                # All that there is, so that some of what is paid back later is spent already.
                row = connection.execute("SELECT available FROM credits.wallet_balance(%s, 'CREDIT')", [customer]).fetchone()
                amount = max(row[0], amount) if row else amount
            try:
                spend_once(connection, random_, report, customer, amount)
            except psycopg.Error as error:
                # A customer that nobody made yet has nothing either.
                if error.sqlstate not in ("PC001", "PC003"):
                    report.wrong.append(f"spending: {harness.described(error)}")
            time.sleep(random_.uniform(0, 0.005))
    return report


def spend_once(
    connection: psycopg.Connection[tuple[object, ...]],
    random_: random.Random,
    report: Report,
    customer: str,
    amount: Decimal,
) -> None:
    if random_.random() < 0.5:
        row = connection.execute("SELECT ok FROM credits.wallet_try_debit(%s, %s)", [customer, amount]).fetchone()
        report.counts["debits" if row == (True,) else "refused debits"] += 1
        report.spent[customer] += amount if row == (True,) else 0
        return
    row = connection.execute("SELECT hold_id FROM credits.hold_create(%s, %s)", [customer, amount]).fetchone()
    assert row is not None
    time.sleep(random_.uniform(0, 0.05))
    if random_.random() < 0.4:
        connection.execute("SELECT credits.hold_release(%s, %s)", [customer, row[0]])
        report.counts["releases"] += 1
        return
    part = amount if random_.random() < 0.3 else max((amount / 3).quantize(Decimal("0.01")), Decimal("0.01"))
    connection.execute("SELECT credits.hold_capture(%s, %s, %s)", [customer, row[0], part])
    report.counts["captures"] += 1
    report.spent[customer] += part


def watch(database: str) -> tuple[int, list[str]]:
    """Looks at every purchase, again and again. Returns how often, and what went backward."""
    seen: dict[str, str] = {}
    looks, wrong, last = 0, [], False
    again = {story.number for story in stories.all_of(ROUNDS, SEED) if story.paid_again}
    query = (
        "SELECT p.top_up_id::text, p.status, b.number FROM credits.top_ups p"
        " JOIN public.begun b ON b.top_up_id = p.top_up_id::text"
    )
    with harness.connect(database) as connection:
        while not last:
            last = is_over(connection)
            for top_up_id, status, number in connection.execute(query):
                if reckoning.goes_back(seen.get(top_up_id, status), status, number in again):
                    wrong.append(f"{top_up_id} was {seen[top_up_id]} and is {status}")
                seen[top_up_id] = status
            looks += 1
            time.sleep(0.005)
    return looks, wrong


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        shop.open_shop(connection)
        connection.execute("CREATE TABLE public.wanted (number integer PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE public.begun (number integer PRIMARY KEY, top_up_id text, gone boolean DEFAULT false)"
        )
        connection.execute("CREATE TABLE public.over ()")
        gifts = {customer: GIFT for customer in CUSTOMERS[::2]}
        for customer, gift in gifts.items():
            connection.execute("SELECT credits.credit_grant(%s, %s)", [customer, gift])
    delivered, spent, (looks, went_back) = under_way(database)
    reports = [*delivered, *spent]
    counts: Counter[str] = sum((report.counts for report in reports), Counter())
    checks.none([line for report in reports for line in report.wrong], "no session met an error that it should not")
    checks.none(went_back, f"statuses only ever went forward, in {looks:,} looks at all of them")
    with harness.connect(database) as connection:
        reckoning.check(
            checks, connection, stories.all_of(ROUNDS, SEED), [report.answers for report in delivered],
            gifts, sum((report.spent for report in spent), Counter()),
        )  # fmt: skip
        # Credits that were spent before their price was paid back.
        row = connection.execute(
            "SELECT count(*) FROM credits_internal.lines WHERE type = 'refund' AND pending > 0"
        ).fetchone()
        counts["owed"] = row[0] if row else 0
    checks.none([what for what in MUST_HAPPEN if not counts[what]], "the sessions met everything that it is about")
    say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))


def under_way(database: str) -> tuple[list[Report], list[Report], tuple[int, list[str]]]:
    with ProcessPoolExecutor(SESSIONS + SHOPS + SPENDERS + 1, mp_context=get_context("fork")) as pool:
        selling = [pool.submit(sell, database, number) for number in range(SHOPS)]
        spending = [pool.submit(spend, database, number) for number in range(SPENDERS)]
        watching = pool.submit(watch, database)
        delivering = [pool.submit(deliver, database, number) for number in range(SESSIONS)]
        try:
            delivered = [one.result() for one in delivering]
        finally:
            with harness.connect(database) as connection:
                connection.execute("INSERT INTO public.over DEFAULT VALUES")
        for one in selling:
            one.result()
        return delivered, [one.result() for one in spending], watching.result()
