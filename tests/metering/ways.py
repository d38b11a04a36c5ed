"""Every way of charging comes to the same.

The same life is led by five wallets in one transaction: one event a call (the fast path wherever it applies); batches in which
an event costs nothing (locked, planned and posted); batches that the fast path may pay (undone where it does not); single
events beside credits for another meter (which rule the fast path out); and a wallet in which usage could be pending (which the
fast path looks for). Their answers and ledgers must be the same.

And so are values that count once: one event a call, in batches, and through the inbox, some of them taken back.

SEED (42) is what the life is made from.
"""

from __future__ import annotations

import json
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


VALUES = ("alone", "at once", "copied")
USAGE = (
    "SELECT concat_ws(' ', identifier, period_key, credits) FROM credits.usage WHERE customer_id = %s AND event_name = 'users'"
    " ORDER BY identifier"
)
PERIODS = (
    "SELECT concat_ws(' ', period_key, quantity, event_count, trim_scale(credits)) FROM credits.usage_by_period"
    " WHERE customer_id = %s ORDER BY period_key"
)
COUNTED = (
    "SELECT concat_ws(' ', period, value, event_count, period_key) FROM credits_internal.usage_values WHERE customer_id = %s"
    " ORDER BY period, value"
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


class Values:
    """Three customers with the same usage of few values, at prices that change."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.random = random.Random(SEED)
        self.serial = 0

    def lead(self) -> None:
        tiers = [{"up_to": 10, "unit_price": 2}, {"unit_price": 0.5}]
        pricing = {"by": "kind", "prices": {"b": {"unit_price": 3}}, "default": {"mode": "volume", "tiers": tiers}}
        self.connection.execute(
            "SELECT credits.meter_create('users', aggregation => 'unique', unique_by => 'user', period => 'day', pricing => %s)",
            [json.dumps(pricing)],
        )
        for customer in VALUES:
            self.connection.execute("SELECT credits.wallet_credit(%s, 100)", [customer])
        for step in range(40):
            self.report()
            for _ in range(self.random.randrange(12)):
                identifier = f"u{self.random.randrange(self.serial)}"
                for customer in VALUES:
                    self.connection.execute("SELECT credits.meter_event_cancel(%s, %s)", [customer, identifier])
            if step % 10 == 9:
                self.connection.execute("SELECT credits.meter_update('users', unit_price => %s)", [step])

    def report(self) -> None:
        now = datetime.now(timezone.utc)
        events = []
        for _ in range(self.random.randrange(1, 30)):
            metadata = {"user": self.random.randrange(25), "kind": self.random.choice("ab")}
            at = now - timedelta(days=self.random.randrange(2))
            events.append({
                "event_name": "users", "identifier": f"u{self.serial}", "occurred_at": at.isoformat(), "metadata": metadata,
            })  # fmt: skip
            self.serial += 1
        for event in events:
            self.connection.execute(
                "SELECT credits.report_meter_event('alone', 'users', 1, %s, %s, metadata => %s)",
                [event["identifier"], event["occurred_at"], json.dumps(event["metadata"])],
            )
        batch = json.dumps([{"customer_id": "at once", **event} for event in events])
        self.connection.execute("SELECT credits.report_meter_events(%s::jsonb)", [batch])
        self.connection.execute(
            "INSERT INTO credits.inbox (customer_id, event_name, identifier, occurred_at, metadata)"
            " SELECT 'copied', event_name, identifier, occurred_at, metadata"
            " FROM jsonb_to_recordset(%s) AS e (event_name text, identifier text, occurred_at timestamptz, metadata jsonb)",
            [json.dumps(events)],
        )
        self.connection.execute("SELECT credits.settle(1000)")

    def rows(self, query: str, customer: str) -> list[str]:
        return [row for (row,) in self.connection.execute(query, [customer])]


def check_values(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        values = Values(connection)
        values.lead()
        for customer in VALUES[1:]:
            for what, query in (("events", USAGE), ("periods", PERIODS), ("values", COUNTED)):
                alone = values.rows(query, "alone")
                pairs = list(zip(alone, values.rows(query, customer), strict=True))
                checks.none([pair for pair in pairs if pair[0] != pair[1]], f"{len(alone)} {what} of {customer} are the same")
        checks.none(harness.verify(connection), "verify() finds nothing")


def check(checks: Checks, database: str) -> None:
    with harness.fresh_database("ways_values") as own:
        check_values(checks, own)
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
