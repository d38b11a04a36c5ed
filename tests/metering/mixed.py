"""Sessions that report, take back, reprice, settle, grant and debit at the same time over a few customers. At the end
nothing that was acknowledged is missing, and what was charged is what naive.py works out from the events that are there.

MIXED_SECONDS (12) is how long they work, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
from psycopg.rows import dict_row

from charged import BLOCKS, CLASSES, FLAT, METADATA, TIERS, ZONES
from naive import Event, Meter, Override
from support import harness
from support.at_once import together
from support.harness import Checks, say

SECONDS = float(os.environ.get("MIXED_SECONDS") or 12)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS = 8
CUSTOMERS = [f"customer {number}" for number in range(6)]
KINDS = {"flat": FLAT, "blocks": BLOCKS, "tiers": TIERS, "classes": CLASSES}
METERS = [f"{aggregation} {kind}" for aggregation in ("sum", "count", "last", "max") for kind in KINDS]
# At one price each, so that it does not matter in which order their events came.
UNIQUE = ["unique flat", "unique blocks", "unique tiers"]
DEFERRED = ["sum later", "count later"]
REJECTING = {"last tiers", "max flat", "sum blocks", "unique blocks"}
REPORT = "SELECT * FROM credits.report_meter_event(%s, %s, %s, %s, %s, metadata => %s)"
BATCH = "SELECT * FROM credits.report_meter_events(%s::jsonb)"
SOME_EVENT = "SELECT identifier FROM credits_internal.meter_events WHERE customer_id = %s ORDER BY random() LIMIT 1"

MUST_HAPPEN = ("processed", "pending", "unsettled", "lowered", "PC001", "replayed", "canceled", "settled", "rolled back",
                "another calendar")  # fmt: skip


@dataclass
class Report:
    """What one session brings home: what was acknowledged, what came to happen, what was wrong."""

    acknowledged: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Mixed:
    """The session at work."""

    def __init__(self, database: str, number: int) -> None:
        self.number = number
        self.random = random.Random(f"{SEED}/{number}")
        self.report = Report()
        self.serial = 0
        self.connection = harness.connect(database, row_factory=dict_row)
        self.connection.execute("SET statement_timeout = '30s'")

    def run(self) -> Report:
        work, weights = zip(
            (self.one, 50), (self.batch, 10), (self.several, 6), (self.cancel, 18), (self.grant, 10), (self.debit, 5),
            (self.settle, 4), (self.reprice, 2), (self.override, 2), (self.end, 1), (self.move, 2),
        )  # fmt: skip
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            action = self.random.choices(work, weights)[0]
            try:
                action()
            except psycopg.Error as error:
                if error.sqlstate == "PC001":
                    self.report.counts["PC001"] += 1
                else:
                    self.report.wrong.append(f"{action.__name__}: {harness.described(error)}")
        self.connection.close()
        return self.report

    def new(self, customer: str) -> dict[str, Any]:
        """An event whose value and time are nobody else's, so that no rule about ties is needed."""
        self.serial += 1
        own = Decimal(self.serial * SESSIONS + self.number).scaleb(-6)
        value = self.random.choice((0, 1, 7, 40, 60, 150)) + own
        back = self.random.choice((0, 0, 3_600, 86_400, 30 * 86_400))
        at = datetime.now(timezone.utc) - timedelta(seconds=back, microseconds=self.random.randint(0, 10**9))
        event_name = self.random.choice((*METERS, *UNIQUE, *DEFERRED))
        metadata = {"user": self.random.randint(1, 9)} if event_name in UNIQUE else self.random.choice(METADATA)
        return {
            "customer_id": customer, "event_name": event_name, "value": str(value),
            "identifier": f"{self.number}/{self.serial}", "occurred_at": at.isoformat(), "metadata": metadata,
        }  # fmt: skip

    def send(self, event: dict[str, Any]) -> dict[str, Any]:
        values = (*list(event.values())[:5], json.dumps(event["metadata"]) if event["metadata"] is not None else None)
        return self.connection.execute(REPORT, values).fetchone()  # type: ignore[return-value]

    def acknowledge(self, event: dict[str, Any], row: dict[str, Any]) -> None:
        self.report.acknowledged[event["customer_id"], event["identifier"]] = Decimal(event["value"])
        self.report.counts["replayed" if row["replayed"] else row["status"]] += 1
        self.report.counts["lowered"] += row["consumed"] < 0

    def one(self) -> None:
        event = self.new(self.random.choice(CUSTOMERS))
        self.acknowledge(event, self.send(event))
        if self.random.random() < 0.1:
            self.acknowledge(event, self.send(event))

    def batch(self) -> None:
        events = [self.new(self.random.choice(CUSTOMERS)) for _ in range(self.random.randint(2, 20))]
        rows = self.connection.execute(BATCH, [json.dumps(events)]).fetchall()
        for event, row in zip(events, rows, strict=True):
            if row["error"] is None:
                self.acknowledge(event, row)
            elif row["error"] == "PC001":
                self.report.counts["PC001"] += 1
            else:
                self.report.wrong.append(f"{event} in a batch: {row}")

    def several(self) -> None:
        """Two customers' events in a transaction, in the customers' order; some roll back."""
        events = [self.new(customer) for customer in sorted(self.random.sample(CUSTOMERS, 2))]
        commit = self.random.random() < 0.6
        with self.connection.transaction(force_rollback=not commit):
            rows = [self.send(event) for event in events]
        if commit:
            for event, row in zip(events, rows, strict=True):
                self.acknowledge(event, row)
        self.report.counts["rolled back"] += not commit

    def cancel(self) -> None:
        """Anybody's event."""
        customer = self.random.choice(CUSTOMERS)
        known = self.connection.execute(SOME_EVENT, [customer]).fetchone()
        if known:
            row = self.connection.execute(
                "SELECT * FROM credits.meter_event_cancel(%s, %s)", [customer, known["identifier"]]
            ).fetchone()
            assert row is not None
            self.report.counts["canceled twice" if row["replayed"] else "canceled"] += 1

    def grant(self) -> None:
        meters = [self.random.choice(METERS)] if self.random.random() < 0.2 else None
        ends = self.random.choice((None, None, 2))
        self.connection.execute(
            "SELECT credits.credit_grant(%s, %s, expires_at => now() + %s * interval '1 s', applicable_meters => %s)",
            [self.random.choice(CUSTOMERS), self.random.choice((3, 25)), ends, meters],
        )

    def debit(self) -> None:
        self.connection.execute("SELECT credits.wallet_debit(%s, 1)", [self.random.choice(CUSTOMERS)])

    def settle(self) -> None:
        row = self.connection.execute("SELECT credits.settle(%s) AS settled", [self.random.choice((5, 100))]).fetchone()
        assert row is not None
        self.report.counts["settled"] += row["settled"]

    def reprice(self) -> None:
        """Another price of the same kind: a meter that is deferred can have no other."""
        meter = self.random.choice((*METERS, *DEFERRED))
        pricing = self.random.choice(KINDS.get(meter.split()[1], FLAT))
        seconds = self.random.choice((None, None, 1, 3))
        self.connection.execute(
            "SELECT credits.meter_update(%s, pricing => %s, effective_at => now() + %s * interval '1 s')",
            [meter, json.dumps(pricing), seconds],
        )

    def override(self) -> None:
        """A discount or a price of the same kind for one customer, from now on or soon, perhaps for a while."""
        meter, customer = self.random.choice((*METERS, *DEFERRED)), self.random.choice(CUSTOMERS)
        own = self.random.random() < 0.5
        pricing = json.dumps(self.random.choice(KINDS.get(meter.split()[1], FLAT))) if own else None
        seconds, lasts = self.random.choice((None, None, 1)), self.random.choice((None, 2))
        self.connection.execute(
            "SELECT credits.meter_price_override(%s, %s, %s, discount_percent => %s,"
            " effective_at => now() + %s * interval '1 s', ends_at => now() + %s * interval '1 s')",
            [customer, meter, pricing, None if own else "12.5", seconds, lasts and lasts + (seconds or 0)],
        )
        self.report.counts["override"] += 1

    def end(self) -> None:
        meter, customer = self.random.choice((*METERS, *DEFERRED)), self.random.choice(CUSTOMERS)
        self.connection.execute("SELECT credits.meter_price_override_end(%s, %s)", [customer, meter])


    def move(self) -> None:
        """A customer's periods begin elsewhere from now on."""
        day = self.random.choice((None, 3, 14, 31))
        anchor = day and datetime(2026, 1, day, tzinfo=timezone.utc)
        self.connection.execute(
            "SELECT credits.customer_upsert(%s, time_zone => %s, billing_anchor => %s)",
            [self.random.choice(CUSTOMERS), self.random.choice(("", *ZONES)), anchor or "infinity"],
        )
        self.report.counts["another calendar"] += 1


def session(database: str, number: int) -> Report:
    return Mixed(database, number).run()


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        prepare(connection)
        reports = together(session, [(database, number) for number in range(SESSIONS)])
        counts: Counter[str] = sum((report.counts for report in reports), Counter())
        checks.none([line for report in reports for line in report.wrong], f"{SESSIONS} sessions, seed {SEED}: no error")
        checks.none([what for what in MUST_HAPPEN if not counts[what]], "they met all that they are about")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))
        checks.none(harness.verify(connection), "verify() finds nothing as they end")
        acknowledged = {key: value for report in reports for key, value in report.acknowledged.items()}
        stored = {
            (row["customer_id"], row["identifier"]): row["value"]
            for row in connection.execute("SELECT customer_id, identifier, value FROM credits_internal.meter_events")
        }
        checks.check(stored == acknowledged, f"{len(stored):,} events are there: those that were acknowledged")
        for moment in ("before", "after"):
            checks.none(unlike(connection), f"{moment} all is settled, charged is what the events come to")
            checks.none(unconserved(connection), "and credits are conserved")
            while connection.execute("SELECT credits.settle() AS settled").fetchone() != {"settled": 0}:
                pass
            connection.execute("CALL credits.maintain()")
        checks.none(harness.verify(connection), "verify() finds nothing")


def prepare(connection: psycopg.Connection[Any]) -> None:
    random_ = random.Random(SEED)
    for name in (*METERS, *UNIQUE, *DEFERRED):
        aggregation, kind = name.split()
        period = random_.choice((None, "day", "week", "month", "year"))
        connection.execute(
            "SELECT credits.meter_create(%s, aggregation => %s, period => %s, period_from => %s, pricing => %s,"
            " settlement => %s, overage => %s, unique_by => %s)",
            [
                name, aggregation, period, random_.choice(("meter", "customer", "billing_date")) if period else None,
                json.dumps(random_.choice(KINDS.get(kind, FLAT))), "deferred" if name in DEFERRED else "immediate",
                "reject" if name in REJECTING else "pending", "user" if name in UNIQUE else None,
            ],
        )  # fmt: skip
    for customer in CUSTOMERS:
        connection.execute("SELECT credits.customer_upsert(%s)", [customer])


def meters_of(connection: psycopg.Connection[Any], customer: str) -> list[Meter]:
    """The meters with their prices and the customer's events, as they are stored."""
    prices: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute("SELECT * FROM credits_internal.meter_prices ORDER BY event_name, version"):
        prices.setdefault(row["event_name"], []).append(row["pricing"] or {"unit_price": row["unit_price"]})
    meters = {
        row["event_name"]: Meter(
            row["event_name"], row["aggregation"], row["period"], prices[row["event_name"]], unique_by=row["unique_by"]
        )
        for row in connection.execute("SELECT event_name, aggregation, period, unique_by FROM credits_internal.meters")
    }
    overrides = "SELECT * FROM credits_internal.price_overrides WHERE customer_id = %s ORDER BY override_no"
    for row in connection.execute(overrides, [customer]):
        pricing = {"unit_price": row["unit_price"]} if row["unit_price"] is not None else row["pricing"]
        meters[row["event_name"]].overrides.append(
            Override(row["effective_at"], row["ends_at"], pricing, Fraction(row["discount_percent"] or 0))
        )
    events = connection.execute(
        "SELECT e.*, x.identifier IS NOT NULL AS canceled, u.period_start FROM credits_internal.meter_events e"
        " LEFT JOIN credits_internal.canceled_events x USING (customer_id, identifier)"
        " LEFT JOIN credits.usage_by_period u USING (customer_id, event_name, period_key) WHERE customer_id = %s",
        [customer],
    )
    for number, row in enumerate(events):
        override, version = divmod(row["price_version"], 65536)
        meters[row["event_name"]].accept(
            Event(number, row["identifier"], row["value"], row["occurred_at"], version, row["metadata"], override,
                  row["canceled"], period=row["period_start"])
        )  # fmt: skip
    return list(meters.values())


def unlike(connection: psycopg.Connection[Any]) -> list[str]:
    """Meters of which something else was charged than their events come to."""
    wrong = []
    for customer in CUSTOMERS:
        rows = connection.execute("SELECT * FROM credits.usage_summary(%s)", [customer]).fetchall()
        charged = {row["event_name"]: row["total_credits"] for row in rows}
        for meter in meters_of(connection, customer):
            if charged.get(meter.name, 0) != meter.credits():
                wrong.append(f"{customer}, {meter.name}: {charged.get(meter.name, 0)}, due {meter.credits()}")
    return wrong


def unconserved(connection: psycopg.Connection[Any]) -> list[str]:
    """Customers of whose credits some came from nowhere or went there."""
    rows = connection.execute(
        "SELECT w.customer_id, w.balance, w.pending,"
        " (SELECT coalesce(sum(g.amount - g.lapsed), 0) FROM credits.grants g WHERE g.customer_id = w.customer_id) AS given,"
        " (SELECT coalesce(-sum(l.amount), 0) FROM credits_internal.lines l"
        "  WHERE l.customer_id = w.customer_id AND l.type = 'debit') AS debited FROM credits.wallets w"
    ).fetchall()
    wrong = []
    for row in rows:
        cost = sum((meter.credits() for meter in meters_of(connection, row["customer_id"])), Decimal(0))
        if row["given"] - row["debited"] - row["balance"] != cost - row["pending"]:
            wrong.append(f"usage costs {cost}: {row}")
    return wrong
