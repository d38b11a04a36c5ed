"""Random events, repeats, cancellations, adjustments and price changes over every aggregation and kind of pricing; after
each of them, credits charged are what naive.py works out from scratch, and credits are conserved.

METERING_ACTIONS (2500) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
from psycopg.rows import dict_row

from naive import Customer, Event, Meter, Override
from support import harness
from support.harness import Checks, say

ACTIONS = int(os.environ.get("METERING_ACTIONS") or 2500)
SEED = int(os.environ.get("SEED") or 1)
# Clocks change in Havana, in Berlin and in Sydney as it goes on.
BEGIN = datetime(2026, 3, 20, 9, tzinfo=timezone.utc)
ZONES = ("America/Havana", "Asia/Kathmandu", "Australia/Sydney", "Europe/Berlin", "Pacific/Kiritimati")

FLAT = [{"unit_price": "0.0000015"}, {"unit_price": 0.3333333}, {"unit_price": 2}, {"unit_price": 1, "per": 3}]
BLOCKS = [
    {"unit_price": 0.5, "per": 60, "round": "up"},
    {"unit_price": 3, "per": 7.5, "round": "down"},
    {"unit_price": 0.1, "per": 9, "round": "up"},
]
TIERS = [
    {"mode": "graduated", "tiers": [{"up_to": 50, "unit_price": 0.1}, {"up_to": 200, "unit_price": 0.05, "flat_fee": 1},
                                    {"unit_price": 0.01}]},
    {"mode": "volume", "tiers": [{"up_to": 40, "unit_price": 0.2}, {"up_to": 120, "unit_price": 0.1},
                                 {"unit_price": 0.04, "flat_fee": 2}]},
    {"mode": "volume", "per": 10, "round": "up", "tiers": [{"up_to": 100, "unit_price": 1}, {"unit_price": "0.25"}]},
    {"mode": "graduated", "tiers": [{"up_to": 30, "flat_fee": 4}, {"unit_price": 0.3333333}]},
]  # fmt: skip
CLASSES = [
    {"by": "model", "prices": {"large": {"unit_price": 1}, "small": TIERS[1], "7": BLOCKS[0]},
     "default": {"unit_price": 0.1}},
    {"by": "model", "prices": {"large": TIERS[0], "true": {"unit_price": 5}}, "default": TIERS[3]},
    {"by": ["model", "size"], "prices": {"large": {"1.0": {"unit_price": 4}, "2": TIERS[1]}, "small": {"unit_price": 2},
                                         "7.00": BLOCKS[1]}, "default": {"unit_price": 0.5}},
]  # fmt: skip
# More of them never costs less.
GOING_ON = [*BLOCKS, TIERS[0], TIERS[3]]
METADATA = [None, {}, {"model": "large"}, {"model": "small", "other": [1]}, {"model": 7}, {"model": True},
            {"model": "large", "size": 1}, {"model": "large", "size": 2.0}, {"model": 7.0, "size": "2"},
            {"model": ["large"]}, {"model": "unknown"}, {"Model": "large"}]  # fmt: skip

# Values of which some are one.
USERS = ["ann", "bob", 7, 7.0, "7", 1.5, True, "true", "x" * 300, ""]

MUST_HAPPEN = (
    "reported", "batch", "repeat", "conflict", "canceled", "canceled twice", "adjusted", "adjusted to the same",
    "not adjusted", "price changed", "price set for later",
    "override", "override ended", "a price of their own", "a discount", "gone on from the price before",
    "same price again", "a price of before", "grant", "time passed", "lowered", "raised by a cancellation",
    "refused", "owed", "settled", "credits for one meter", "another calendar", "begun elsewhere",
    "a value that does not count", "a late report", "known already", "known at another price",
)  # fmt: skip


class Run:
    """The actions, over one customer."""

    def __init__(self, connection: psycopg.Connection[Any], checks: Checks) -> None:
        self.connection = connection
        self.checks = checks
        self.random = random.Random(SEED)
        self.counts: Counter[str] = Counter()
        self.now = BEGIN
        self.serial = 0
        self.wrong: list[str] = []
        self.meters = self.make_meters()
        self.known: dict[str, tuple[Meter, Event]] = {}
        self.customer = Customer()

    def make_meters(self) -> list[Meter]:
        meters = []
        for aggregation in ("sum", "count", "last", "max", "unique"):
            for kind, pricings in (("flat", FLAT), ("blocks", BLOCKS), ("tiers", TIERS), ("classes", CLASSES)):
                period = self.random.choice((None, "day", "week", "month", "year"))
                pricing = self.random.choice(pricings)
                meters.append(Meter(f"{aggregation} {kind}", aggregation, period, [pricing]))
                meters[-1].unique_by = "user" if aggregation == "unique" else None
                meters[-1].zone = self.random.choice((None, *ZONES)) if period else None
                meters[-1].period_from = self.random.choice(("meter", "customer", "billing_date")) if period else "meter"
        meters.append(Meter("refusing", "max", "day", [TIERS[1]], overage="reject"))
        meters.append(Meter("refusing users", "unique", "day", [TIERS[1]], overage="reject", unique_by="user"))
        meters.append(Meter("later", "sum", None, [{"unit_price": 0.25}], settlement="deferred"))
        for meter in meters:
            self.execute(
                "SELECT credits.meter_create(%s, aggregation => %s, period => %s, pricing => %s, settlement => %s,"
                " overage => %s, unique_by => %s, time_zone => %s, period_from => %s)",
                meter.name, meter.aggregation, meter.period, json.dumps(meter.prices[0]), meter.settlement, meter.overage,
                meter.unique_by, meter.zone, meter.period_from,
            )  # fmt: skip
        self.execute("SELECT credits.customer_upsert('ada')")
        return meters

    def execute(self, query: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.connection.cursor(row_factory=dict_row).execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def run(self) -> None:
        actions = [
            (self.report, 50), (self.batch, 8), (self.repeat, 6), (self.conflict, 2), (self.cancel, 16), (self.adjust, 16),
            (self.reprice, 4), (self.override, 3), (self.end, 1), (self.grant, 10), (self.wait, 8), (self.settle, 4),
            (self.move, 2),
        ]  # fmt: skip
        work, weights = zip(*actions)
        for number in range(ACTIONS):
            self.execute("SELECT set_config('credits.test_clock', %s, false)", self.now.isoformat())
            action = self.random.choices(work, weights)[0]
            action()
            self.compare(action.__name__)
            if number % 250 == 249:
                found = harness.verify(self.connection)
                if found:
                    self.wrong.append(f"verify() after {number + 1} actions: {found[:3]}")
            if self.wrong:
                break

    # --- what happens ------------------------------------------------------------------------------------------------

    def value(self) -> Decimal:
        return Decimal(self.random.choice(("0", "1", "7", "12.5", "40", "60", "99.99", "150"))) * self.random.choice((1, 1, 2))

    def new(self, meter: Meter) -> Event:
        self.serial += 1
        value = self.value()
        # Mostly of today, some of the same moment as others, some late.
        back = self.random.choice((0, 0, 0, 60, 60, 3600, 86_400, 10 * 86_400, 30 * 86_400))
        at = self.now - timedelta(seconds=back)
        version, override = meter.versions_at(at)
        metadata = self.random.choice(METADATA)
        if meter.unique_by:
            metadata = {**(metadata or {}), meter.unique_by: self.random.choice(USERS)}
        event = Event(self.serial, f"e{self.serial}", value, at, version, metadata, override)
        event.period = meter.period_at(at, self.customer)
        self.counts["begun elsewhere"] += meter.together(event) and event.period != meter.period_at(at, Customer())
        return event

    def report(self) -> None:
        meter = self.random.choice(self.meters)
        event = self.new(meter)
        before = meter.credits()
        arguments = (meter.name, event.value, event.identifier, event.occurred_at, _json(event.metadata))
        try:
            rows = self.execute(
                "SELECT * FROM credits.report_meter_event('ada', %s, %s, %s, %s, metadata => %s)", *arguments
            )
        except psycopg.Error as error:
            self.refused(meter, error.sqlstate)
            return
        self.accept(meter, event)
        if event.occurred_at < self.now - timedelta(days=5):
            self.counts["a late report"] += 1
        if event.version not in (0, meter.version_at(self.now)):
            self.counts["a price of before"] += 1
        if meter.carried.get(meter.group(event)):
            self.counts["gone on from the price before"] += 1
        if event.brought not in (None, event):
            self.counts["known already"] += 1
            self.counts["known at another price"] += meter.price_of(event) != meter.price_of(event.brought)
        if event.override:
            self.counts["a price of their own" if event.version == 0 else "a discount"] += 1
        self.answer(meter, event, rows[0], meter.credits() - before)

    def answer(self, meter: Meter, event: Event, row: dict[str, Any], change: Decimal) -> None:
        self.counts["reported"] += 1
        if change == 0 and meter.ranked:
            self.counts["a value that does not count"] += 1
        if change < 0:
            self.counts["lowered"] += 1
        if row["pending"] > 0:
            self.counts["owed"] += 1
        expected = "unsettled" if meter.settlement == "deferred" else "pending" if row["pending"] > 0 else "processed"
        if row["status"] != expected or row["replayed"]:
            self.wrong.append(f"{meter.name}, {event}: {row}")
        # What a report changes is what it was charged; less than nothing may have been forgiven instead of paid back.
        charged = row["consumed"] + row["pending"]
        if expected != "unsettled" and not (charged == change or change < charged <= 0):
            self.wrong.append(f"{meter.name}, {event} was charged {charged} where it changes {change}")

    def accept(self, meter: Meter, event: Event) -> None:
        meter.accept(event)
        self.known[event.identifier] = (meter, event)

    def refused(self, meter: Meter, sqlstate: str | None) -> None:
        self.counts["refused"] += 1
        if sqlstate != "PC001" or meter.overage != "reject":
            self.wrong.append(f"{meter.name} refused with {sqlstate}")

    def batch(self) -> None:
        """Several at once, some of them twice."""
        self.counts["batch"] += 1
        pairs = [(meter, self.new(meter)) for meter in self.random.choices(self.meters, k=self.random.randint(2, 12))]
        pairs += self.random.sample(pairs, self.random.randint(0, 2))
        events = [
            {"customer_id": "ada", "event_name": meter.name, "value": str(event.value), "identifier": event.identifier,
             "occurred_at": event.occurred_at.isoformat(), "metadata": event.metadata}
            for meter, event in pairs
        ]  # fmt: skip
        rows = self.execute("SELECT * FROM credits.report_meter_events(%s::jsonb)", json.dumps(events))
        for (meter, event), row in zip(pairs, rows, strict=True):
            if row["error"]:
                self.refused(meter, row["error"])
            elif event.identifier in self.known:
                if not row["replayed"]:
                    self.wrong.append(f"{event} twice in a batch: {row}")
            else:
                self.accept(meter, event)

    def some(self) -> tuple[Meter, Event] | None:
        return self.random.choice(list(self.known.values())) if self.known else None

    def repeat(self) -> None:
        known = self.some()
        if known:
            meter, event = known
            row = self.execute(
                "SELECT * FROM credits.report_meter_event('ada', %s, %s, %s)", meter.name, event.reported, event.identifier
            )[0]
            self.counts["repeat"] += 1
            if not row["replayed"] or (row["status"] == "canceled") != event.canceled:
                self.wrong.append(f"repeat of {event}: {row}")

    def conflict(self) -> None:
        known = self.some()
        if known:
            meter, event = known
            try:
                row = self.execute(
                    "SELECT * FROM credits.report_meter_event('ada', %s, %s, %s)",
                    meter.name, event.reported + 1, event.identifier,
                )  # fmt: skip
                self.wrong.append(f"{event} with another value: {row}")
            except psycopg.errors.Error as error:
                self.counts["conflict"] += 1
                if error.sqlstate != "PC002":
                    self.wrong.append(f"{event} with another value: {error}")

    def cancel(self) -> None:
        known = self.some()
        if known:
            meter, event = known
            before = meter.credits()
            row = self.execute("SELECT * FROM credits.meter_event_cancel('ada', %s, 'because')", event.identifier)[0]
            if row["replayed"] != event.canceled or row["status"] != "canceled" or row["returned"] < 0:
                self.wrong.append(f"cancellation of {event}: {row}")
            self.counts["canceled twice" if event.canceled else "canceled"] += 1
            meter.cancel(event)
            if meter.credits() > before:
                self.counts["raised by a cancellation"] += 1

    def adjust(self) -> None:
        known = self.some()
        if not known:
            return
        meter, event = known
        value = self.random.choice((event.value, self.value(), event.reported, Decimal(0)))
        try:
            row = self.execute(
                "SELECT * FROM credits.meter_event_adjust('ada', %s, %s, 'counted again')", event.identifier, value
            )[0]
        except psycopg.errors.Error as error:
            self.counts["not adjusted"] += 1
            if error.sqlstate != ("PC013" if event.canceled else "PC001") or meter.overage != "reject" and not event.canceled:
                self.wrong.append(f"{event} adjusted to {value}: {error}")
            return
        same = value == event.value
        self.counts["adjusted to the same" if same else "adjusted"] += 1
        if row["replayed"] != same or (row["value"], row["value_before"]) != (value, event.value) or event.canceled:
            self.wrong.append(f"{event} adjusted to {value}: {row}")
        meter.adjust(event, value)

    def reprice(self) -> None:
        meter = self.random.choice(self.meters)
        kinds = (FLAT,) if meter.settlement == "deferred" else (FLAT, BLOCKS, TIERS, CLASSES)
        may_go_on = meter.settlement != "deferred" and self.random.random() < 0.5
        pricing = self.random.choice(GOING_ON if may_go_on else self.random.choice(kinds))
        hours = self.random.choice((None, None, 1, 5, 48))
        later = None if hours is None else self.now + timedelta(hours=hours)
        continues = pricing in GOING_ON and meter.settlement != "deferred" and self.random.random() < 0.9
        self.execute(
            "SELECT credits.meter_update(%s, pricing => %s, effective_at => %s, continue_tiers => %s)",
            meter.name, json.dumps(pricing), later, continues,
        )  # fmt: skip
        begins = later or self.now
        if pricing == meter.prices[meter.version_at(begins) - 1]:
            self.counts["same price again"] += 1
        else:
            self.counts["price changed" if later is None else "price set for later"] += 1
            meter.price(pricing, begins, continues)

    def override(self) -> None:
        meter = self.random.choice(self.meters)
        kinds = (FLAT,) if meter.settlement == "deferred" else (FLAT, BLOCKS, TIERS, CLASSES)
        pricing = self.random.choice(self.random.choice(kinds)) if self.random.random() < 0.5 else None
        discount = None if pricing else self.random.choice(("10", "33.333", "100"))
        hours, lasts = self.random.choice((None, None, 1, 5)), self.random.choice((None, 6, 30))
        begins = self.now + timedelta(hours=hours or 0)
        ends = None if lasts is None else begins + timedelta(hours=lasts)
        row = self.execute(
            "SELECT * FROM credits.meter_price_override('ada', %s, %s, discount_percent => %s, effective_at => %s,"
            " ends_at => %s)", meter.name, pricing and json.dumps(pricing), discount, hours and begins, ends,
        )[0]  # fmt: skip
        if row["replayed"]:
            self.counts["same override again"] += 1
        else:
            self.counts["override"] += 1
            meter.overrides.append(Override(begins, ends, pricing, Fraction(discount or 0)))
            if row["override_no"] != len(meter.overrides):
                self.wrong.append(f"{meter.name}: {row} is number {len(meter.overrides)}")

    def end(self) -> None:
        meter = self.random.choice(self.meters)
        number = self.random.choice((None, *range(1, len(meter.overrides) + 1)))
        rows = self.execute("SELECT * FROM credits.meter_price_override_end('ada', %s, %s)", meter.name, number)
        self.counts["override ended"] += any(not row["replayed"] for row in rows)
        for override in meter.overrides if number is None else [meter.overrides[number - 1]]:
            ends = max(self.now, override.begins)
            override.ends = ends if override.ends is None else min(override.ends, ends)

    def grant(self) -> None:
        self.counts["grant"] += 1
        ends = self.random.choice((None, None, 2, 20))
        begins = self.random.choice((None, None, 1))
        meters = [self.random.choice(self.meters).name] if self.random.random() < 0.25 else None
        self.counts["credits for one meter"] += meters is not None
        self.execute(
            "SELECT credits.credit_grant('ada', %s, priority => %s, effective_at => %s, expires_at => %s,"
            " applicable_meters => %s)",
            Decimal(self.random.randint(1, 6_000)).scaleb(-2), self.random.choice((10, 50)),
            None if begins is None else self.now + timedelta(hours=begins),
            None if ends is None else self.now + timedelta(hours=(begins or 0) + ends), meters,
        )  # fmt: skip

    def wait(self) -> None:
        self.counts["time passed"] += 1
        self.now += timedelta(minutes=self.random.choice((1, 30, 90, 600)))

    def move(self) -> None:
        """The customer's periods begin elsewhere from now on."""
        self.counts["another calendar"] += 1
        zone, day = self.random.choice(("", *ZONES)), self.random.choice((None, 1, 14, 29, 30, 31))
        anchor = day and datetime(2024, 1, day, self.random.randint(0, 23), 30, tzinfo=timezone.utc)
        row = self.execute(
            "SELECT * FROM credits.customer_upsert('ada', time_zone => %s, billing_anchor => %s)", zone, anchor or "infinity"
        )[0]
        if (row["time_zone"], row["billing_anchor"]) != (zone or None, anchor):
            self.wrong.append(f"{zone}, {anchor}: {row}")
        self.customer = Customer(zone or None, anchor)

    def settle(self) -> None:
        if self.random.random() < 0.5:
            self.counts["settled"] += self.execute("SELECT credits.settle() AS settled")[0]["settled"]
        else:
            self.execute("CALL credits.maintain()")

    # --- what must hold ----------------------------------------------------------------------------------------------

    def compare(self, after: str) -> None:
        summary = {row["event_name"]: row for row in self.execute("SELECT * FROM credits.usage_summary('ada')")}
        for meter in self.meters:
            row = summary.get(meter.name)
            found = (row["total_credits"], row["event_count"]) if row else (0, 0)
            expected = (meter.credits(), len(meter.counted()))
            users = len({meter.named(event)[1] for event in meter.counted()}) if meter.unique_by else 0
            if meter.unique_by and row and row["total_quantity"] != users:
                self.wrong.append(f"{meter.name} after {after}: {row} where there are {users} values")
            if found != expected:
                self.wrong.append(f"{meter.name} after {after}: {found} charged and counted where {expected} are due")
        by_period = {
            (row["event_name"], row["period_start"], row["price_version"] or 0, row["override_no"] or 0, row["price_class"]):
                row["credits"]
            for row in self.execute(
                "SELECT * FROM credits.usage_by_period WHERE event_count > 0"
            )
        }
        naive = {(meter.name, *key): cost for meter in self.meters for key, cost in meter.by_period().items()}
        for key in by_period.keys() | naive.keys():
            if by_period.get(key) != naive.get(key):
                self.wrong.append(f"{key} after {after}: {by_period.get(key)} where {naive.get(key)} are due")
        self.conserve(after)

    def conserve(self, after: str) -> None:
        """Credits given are there, lapsed, or paid for usage; what usage costs beyond that is owed."""
        row = self.execute(
            "SELECT coalesce(sum(CASE WHEN g.status = 'pending' THEN 0 ELSE g.amount END), 0) AS given,"
            " coalesce(sum(CASE WHEN g.status = 'pending' THEN 0 ELSE g.lapsed END), 0) AS lapsed,"
            " coalesce(max(w.balance), 0) AS there, coalesce(max(w.pending), 0) AS owed"
            " FROM credits.wallets w LEFT JOIN credits.grants g USING (customer_id, currency)"
        )[0]
        cost = sum((meter.credits() for meter in self.meters), Decimal(0))
        if row["given"] - row["lapsed"] - row["there"] != cost - row["owed"]:
            self.wrong.append(f"after {after} usage costs {cost}: {row}")


def _json(metadata: dict[str, Any] | None) -> str | None:
    return None if metadata is None else json.dumps(metadata)


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        run = Run(connection, checks)
        run.run()
        checks.none(run.wrong, f"{ACTIONS:,} actions, seed {SEED}: charged is what the rules come to, after each")
        checks.none([what for what in MUST_HAPPEN if not run.counts[what]], "the actions met all that they are about")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(run.counts.items())))
        checks.none(harness.verify(connection), "verify() finds nothing")
