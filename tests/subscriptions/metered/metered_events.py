"""Events of meters that are invoiced, beside an independent model: random reports, late ones too, corrections, changes of price
and ends; with maintain() at each step, or at the end alone. Each line is equal, so each event is on one invoice."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
from metered_usage import BEGIN, GRACE, LENGTH, LINES, clock, maintain, one, rounded
from psycopg.rows import dict_row
from support import harness
from support.harness import Checks

STORIES = int(os.environ.get("METERED") or 60)
STEPS = 60
# How each meter adds up, and what a unit costs: of the meter, and of a price that says it.
METERS = {
    "calls": ("sum", "0.003", "0.11"), "jobs": ("count", "1.5", "2"), "peak": ("max", "2.5", "3.33"),
    "seats": ("last", "1.01", "7"), "users": ("unique", "0.7", "1"),
}  # fmt: skip

REPORT = "SELECT status FROM credits.report_meter_event(%s, %s, %s, %s, %s, metadata => %s)"
BATCH = "SELECT status FROM credits.report_meter_events(jsonb_build_array(jsonb_strip_nulls(%s)))"
INBOX = """
    INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, metadata)
    VALUES (%s, %s, %s, %s, %s, %s)"""


@dataclass
class Event:
    """One report."""

    meter: str
    value: Decimal
    at: datetime
    reported: datetime
    user: str
    canceled: bool = False


@dataclass
class Span:
    """A period of an item at one price."""

    meter: str
    own_price: bool
    start: datetime
    end: datetime
    whole: tuple[datetime, datetime]


@dataclass
class Model:
    """One subscription. Nothing is worked out before the end: what is on which invoice follows from the times alone."""

    spans: dict[str, list[Span]] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    ended: datetime | None = None

    def advance(self, now: datetime) -> None:
        for spans in self.spans.values():
            while not self.ended and spans[-1].end <= now:
                last = spans[-1]
                spans.append(Span(last.meter, last.own_price, last.end, last.end + LENGTH, (last.end, last.end + LENGTH)))

    def change(self, meter: str, now: datetime) -> None:
        last = self.spans[meter][-1]
        after = Span(meter, not last.own_price, now, last.end, last.whole)
        last.end = now
        self.spans[meter].append(after)

    def end(self, now: datetime) -> None:
        self.ended = now
        for spans in self.spans.values():
            spans[-1].end = now

    def closes(self, span: Span) -> datetime:
        """When its usage is invoiced first."""
        return min(span.whole[1], self.ended or span.whole[1]) + GRACE

    def closings(self) -> list[datetime]:
        return sorted({self.closes(span) for spans in self.spans.values() for span in spans})

    def span_of(self, event: Event) -> Span | None:
        return next((span for span in self.spans[event.meter] if span.start <= event.at < span.end), None)

    def taken(self, event: Event) -> datetime | None:
        """When it is invoiced: with the first invoice of usage after its period and its report."""
        span = self.span_of(event)
        after = span and max(self.closes(span), event.reported)
        return next((at for at in self.closings() if after and at >= after), None)

    def lines(self) -> Counter[tuple[Any, ...]]:
        lines: Counter[tuple[Any, ...]] = Counter()
        for meter, spans in self.spans.items():
            for span in spans:
                lines.update(self.lines_of(meter, span))
        return lines

    def lines_of(self, meter: str, span: Span) -> list[tuple[Any, ...]]:
        events = [e for e in self.events.values() if not e.canceled and e.meter == meter and self.span_of(e) is span]
        invoiced, most, lines = Decimal(0), Decimal(0), []
        for at in self.closings():
            is_first, new = at == self.closes(span), [e for e in events if self.taken(e) == at]
            if not is_first and not new:
                continue
            usage = come_to(meter, [e for e in events if (taken := self.taken(e)) and taken <= at])
            amount, more = max(cost(meter, span, usage) - invoiced, Decimal(0)), usage - most
            if amount or (usage and is_first) or more > 0:
                quantity = usage if is_first else more
                lines.append((meter, amount, quantity if quantity > 0 else None, span.start, span.end))
            invoiced, most = invoiced + amount, max(most, usage)
        return lines


def come_to(meter: str, events: list[Event]) -> Decimal:
    how = METERS[meter][0]
    if not events:
        return Decimal(0)
    if how == "last":
        # Of two at one moment, the one that was reported last: none are, here.
        return max(events, key=lambda e: (e.at, e.reported)).value
    of = {
        "sum": sum((e.value for e in events), Decimal(0)), "count": Decimal(len(events)),
        "max": max(e.value for e in events), "unique": Decimal(len({e.user for e in events})),
    }  # fmt: skip
    return of[how]


def cost(meter: str, span: Span, usage: Decimal) -> Decimal:
    how, own, price = METERS[meter]
    full = rounded(Fraction(usage) * Fraction(price if span.own_price else own))
    if how not in ("max", "last"):
        return full
    start, end = span.whole

    def rest(at: datetime) -> Decimal:
        tick = timedelta(microseconds=1)
        return full - rounded(Fraction(full) * Fraction((at - start) // tick, (end - start) // tick))

    return rest(span.start) - rest(span.end)


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET credits.test_clock_drives_billing = on")
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        for name, (how, own, price) in METERS.items():
            by = "user_id" if how == "unique" else None
            connection.execute(
                "SELECT credits.meter_create(%s, currency => 'USD', unit_price => %s::numeric, aggregation => %s, unique_by => %s,"
                " settlement => 'invoice')", [name, own, how, by],
            )  # fmt: skip
            recurring = json.dumps({"interval": "day", "interval_count": 2, "usage_type": "metered", "meter": name})
            for key, unit in ((f"{name} own", price), (name, None)):
                connection.execute(
                    "SELECT credits.price_create((credits.product_create(%s)).product_id, 'recurring', %s::numeric, 'USD',"
                    " recurring => %s, lookup_key => %s)", [key, unit, recurring, key],
                )  # fmt: skip
        wrong = [said for seed in range(STORIES) for said in told(connection, seed)]
        checks.equal(wrong[:5], [], f"{STORIES} stories of events are what the model says")
        late = one(connection, "SELECT count(*) AS n FROM credits_internal.usage_closings WHERE closing_no > 1 AND amount > 0")
        checks.equal(late["n"] > STORIES, True, f"{late['n']} lines are of events that came late")
        found = connection.execute("SELECT problem, customer_id FROM credits.verify() LIMIT 5").fetchall()
        checks.equal(found, [], "verify() finds nothing")


def told(connection: psycopg.Connection[Any], seed: int) -> list[str]:
    """One story; what was otherwise than the model says."""
    chance, model, customer, wrong = random.Random(seed), Model(), f"events {seed}", []
    maintains, now = seed % 2 == 0, BEGIN
    names = chance.sample(list(METERS), chance.randint(1, 3))
    clock(connection, BEGIN)
    given = [{"lookup_key": name, "metadata": {"item": name}} for name in names]
    row = one(connection, "SELECT subscription_id, items FROM credits.subscription_create(%s, %s, collection_method =>"
              " 'send_invoice', days_until_due => 3000)", customer, json.dumps(given))  # fmt: skip
    plan, ids = row["subscription_id"], {it["metadata"]["item"]: it["subscription_item_id"] for it in row["items"]}
    model.spans = {name: [Span(name, False, BEGIN, BEGIN + LENGTH, (BEGIN, BEGIN + LENGTH))] for name in names}
    for step in range(STEPS):
        now += timedelta(minutes=chance.choice((0, 1, 30, 60, 61, 300, 700, 1500)), seconds=1)
        model.advance(now)
        clock(connection, now)
        if maintains:
            maintain(connection)
        what = chance.choices(("report", "price", "cancel", "adjust", "end"), (50, 5, 6, 6, 0.5))[0]
        if what == "report":
            report(connection, chance, model, customer, f"e{step}", now)
        elif what == "price" and not model.ended:
            name = chance.choice(names)
            model.change(name, now)
            key = f"{name} own" if model.spans[name][-1].own_price else name
            items = json.dumps([{"subscription_item_id": ids[name], "lookup_key": key}])
            one(connection, "SELECT status FROM credits.subscription_update(%s, %s, %s)", customer, plan, items)
        elif what in ("cancel", "adjust") and model.events:
            wrong += corrected(connection, chance, model, (customer, what), now, maintains)
        elif what == "end" and not model.ended:
            model.end(now)
            one(connection, "SELECT status FROM credits.subscription_cancel(%s, %s, 'now')", customer, plan)
    if not model.ended:
        model.end(now)
        one(connection, "SELECT status FROM credits.subscription_cancel(%s, %s, 'now')", customer, plan)
    clock(connection, now + 2 * GRACE)
    maintain(connection)
    lines = Counter((r["item"], r["amount"], r["quantity"], r["period_start"], r["period_end"]) for r in
                    connection.execute(LINES, [customer]).fetchall())  # fmt: skip
    expected = model.lines()
    wrong += [f"story {seed}: the line {line} is missing" for line in expected - lines]
    wrong += [f"story {seed}: the line {line} is too much" for line in lines - expected]
    return wrong


def report(
    connection: psycopg.Connection[Any], chance: random.Random, model: Model, customer: str, identifier: str, now: datetime
) -> None:
    meter, user = chance.choice(list(model.spans)), chance.choice("abcdef")
    ago = chance.choice((0, 0, 1, 30, 90, 2000, 5000))
    event = Event(meter, Decimal(chance.randint(0, 800)) / 4, now - timedelta(minutes=ago), now, user)
    metadata = json.dumps({"user_id": user})
    values = [customer, meter, event.value, identifier, event.at, metadata]
    way = chance.choice(("one", "batch", "inbox"))
    if way == "one":
        connection.execute(REPORT, values)
    elif way == "batch":
        keys = ("customer_id", "event_name", "value", "identifier", "occurred_at")
        given = dict(zip(keys, (customer, meter, str(event.value), identifier, event.at.isoformat()), strict=True))
        rows = connection.execute(BATCH, [json.dumps({**given, "metadata": {"user_id": user}})]).fetchall()
        assert rows[0]["status"] == "recorded", rows
    else:
        connection.execute(INBOX, values)
        connection.execute("SELECT credits.settle()")
    model.events[identifier] = event


def corrected(
    connection: psycopg.Connection[Any], chance: random.Random, model: Model, act: tuple[str, str], now: datetime, maintains: bool
) -> list[str]:
    """A correction, of what is not due to be invoiced yet; where it was invoiced, it is refused."""
    (customer, what), identifier = act, chance.choice(list(model.events))
    event, value = model.events[identifier], Decimal(chance.randint(0, 800)) / 4
    due = model.taken(event)
    is_taken = due is not None and due <= now
    if event.canceled or (is_taken and not maintains) or value == event.value:
        return []
    query = "SELECT status FROM credits.meter_event_cancel(%s, %s)"
    values: list[Any] = [customer, identifier]
    if what == "adjust":
        query, values = "SELECT status FROM credits.meter_event_adjust(%s, %s, %s)", [*values, value]
    try:
        connection.execute(query, values)
    except psycopg.Error as error:
        return [] if is_taken and error.sqlstate == "PC020" else [f"{customer}, {now}: {what} of {identifier} is refused: {error}"]
    if is_taken:
        return [f"{customer}, {now}: {what} of {identifier} is taken, and was invoiced at {due}"]
    event.canceled, event.value = what == "cancel", value if what == "adjust" else event.value
    return []
