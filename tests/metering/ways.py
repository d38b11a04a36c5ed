"""Every way of charging comes to the same.

The same life is led by five wallets in one transaction: one event a call (the fast path wherever it applies); batches in which
an event costs nothing (locked, planned and posted); batches that the fast path may pay (undone where it does not); single
events beside credits for another meter (which rule the fast path out); and a wallet in which usage could be pending (which the
fast path looks for). Their answers and ledgers must be the same.

SEED (42) is what the life is made from.
"""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg

from support import harness
from support.harness import Checks

SEED = int(os.environ.get("SEED") or 42)
MINUTES = 300
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
WALLETS = ("one", "batch", "heads", "beside", "later")
ANSWER = "SELECT concat_ws(' ', status, consumed, pending, available, replayed) FROM "
EVENT = ANSWER + "credits.report_meter_event(%s, %s, %s, %s)"
# Beside an event of somebody else's, since a batch of one is charged as its event alone.
PAIR = ANSWER + "credits.report_meter_events(%s::text[], '{m,m}', %s::numeric[], %s::text[]) LIMIT 1"
DEBIT = (
    "SELECT concat_ws(' ', ok, shortfall, debited, available)"
    " FROM credits.wallet_try_debit(%s, %s, idempotency_key => %s)"
)
GRANT = "SELECT credits.credit_grant(%s, %s, priority => %s, effective_at => %s, expires_at => %s)"
# Told by amounts and times; the line of 1000 is the other credits', of the wallet that has some.
LEDGER = (
    "SELECT concat_ws(' ', type, trim_scale(amount), trim_scale(running_balance - %s), identifier, effective_at, created_at)"
    " FROM credits_internal.lines WHERE customer_id = %s AND amount <> 1000 ORDER BY line_no"
)
# Events whose line is their own.
OWN = "SELECT count(*) FROM credits_internal.meter_events WHERE customer_id = %s AND line_no IS NOT NULL"
# How many commands after the credits were taken the event was written: on the fast path of one event none, on that of a batch
# some; otherwise the event comes first, and is none after only where the posting changes it once more.
AFTER = (
    "SELECT (SELECT e.cmin::text::bigint - a.cmin::text::bigint"
    " FROM credits_internal.accounts a JOIN credits_internal.meter_events e USING (customer_id, currency)"
    " WHERE a.customer_id = %s AND e.identifier = %s AND e.consumed > 0 AND a.xmin = e.xmin)"
)


class Life:
    """The five wallets, and the answers that differed."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.random = random.Random(SEED)
        self.differing: list[str] = []
        self.fast = {"one": 0, "batch": 0, "heads": 0}

    def value(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None, query
        return row[0]

    def clock(self, minute: int) -> datetime:
        now = BEGIN + timedelta(minutes=minute)
        self.connection.execute("SELECT set_config('credits.test_clock', %s, false)", [now.isoformat()])
        return now

    def prepare(self) -> None:
        self.connection.execute("SELECT credits.meter_create('m', unit_price => 0.5), credits.meter_create('other')")
        self.connection.execute("SELECT credits.meter_create('later', settlement => 'deferred')")
        self.clock(0)
        for wallet in (*WALLETS, "other"):
            self.connection.execute("SELECT credits.customer_upsert(%s)", [wallet])
        self.connection.execute("SELECT credits.credit_grant('other', 1000000)")
        self.connection.execute("SELECT credits.report_meter_event('later', 'later', 0, 'nothing')")
        self.connection.execute("SELECT credits.credit_grant('beside', 1000, applicable_meters => '{other}')")

    def lead(self) -> None:
        for minute in range(1, MINUTES + 1):
            now = self.clock(minute)
            if self.random.randrange(4) == 0:
                self.grant(now)
                continue
            self.report(minute, self.random.randrange(20))
            if minute % 5 == 0:
                amount = self.random.randrange(1, 21)
                self.compare(minute, {w: self.value(DEBIT, w, amount, f"d{minute}") for w in WALLETS})

    def grant(self, now: datetime) -> None:
        starts = now + timedelta(minutes=self.random.randrange(3) * 7)
        ends = self.random.choice((None, starts + timedelta(minutes=5 + self.random.randrange(60))))
        amount, priority = 1 + self.random.randrange(60), self.random.randrange(3)
        for wallet in WALLETS:
            self.connection.execute(GRANT, [wallet, amount, priority, starts, ends])

    def report(self, minute: int, value: int) -> None:
        answers = {w: self.value(EVENT, w, "m", value, f"e{minute}") for w in ("one", "beside", "later")}
        self.fast["one"] += self.value(AFTER, "one", f"e{minute}") == 0
        for wallet, others in (("batch", 0), ("heads", 1)):
            identifiers = [f"e{minute}", f"{wallet}{minute}"]
            answers[wallet] = self.value(PAIR, [wallet, "other"], [value, others], identifiers)
            self.fast[wallet] += (self.value(AFTER, wallet, identifiers[0]) or 0) > 0
        self.compare(minute, answers)

    def compare(self, minute: int, answers: dict[str, Any]) -> None:
        for wallet, answer in answers.items():
            if answer is None or answer != answers["one"]:
                self.differing.append(f"minute {minute}: {answers['one']!r}, and of {wallet} {answer!r}")

    def ledger(self, wallet: str) -> list[str]:
        less = 1000 if wallet == "beside" else 0
        return [line for (line,) in self.connection.execute(LEDGER, [less, wallet])]


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection, connection.transaction():
        life = Life(connection)
        life.prepare()
        life.lead()
        checks.none(life.differing, f"{MINUTES} minutes, seed {SEED}: five ways of charging answer the same")
        life.clock(100_000)
        connection.execute("SELECT credits.maintain_batch(10)")
        single = life.ledger("one")
        kinds = {line.partition(" ")[0] for line in single}
        checks.none(sorted({"grant", "consumption", "debit", "debt", "expiration"} - kinds), "all of it happened")
        own = life.value(OWN, "one")
        checks.check(own > 20, "events have lines of their own", own)
        for wallet in WALLETS[1:]:
            pairs = list(zip(single, life.ledger(wallet), strict=False))
            checks.none([pair for pair in pairs if pair[0] != pair[1]], f"the ledger of {wallet} is the same")
            checks.equal(len(life.ledger(wallet)), len(single), f"and has as many lines ({wallet})")
            checks.equal(life.value(OWN, wallet), own, f"as many events have lines of their own ({wallet})")
        checks.check(life.fast["one"] > 20, "the fast path paid single events", life.fast["one"])
        checks.check(life.fast["heads"] > 20, "the fast path paid batches", life.fast["heads"])
        checks.equal(life.fast["batch"], 0, "and none of those with an event that costs nothing")
        checks.none(harness.verify(connection), "verify() finds nothing")
