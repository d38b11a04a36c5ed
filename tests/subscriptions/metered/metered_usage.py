"""Usage of metered items beside an independent model: random records, late ones too, changes of price, pauses and ends; and
maintain() at each step, or by the calls alone. What each period comes to, and each line, is equal."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
from psycopg.rows import dict_row
from support import harness
from support.harness import Checks

STORIES = int(os.environ.get("METERED") or 60)
STEPS = 60
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
LENGTH, GRACE = timedelta(days=2), timedelta(hours=1)
# Names of prices: how usage adds up, and what a unit costs, or from how many units on.
PRICES = {
    "calls": ("sum", "0.003", None), "dear": ("sum", "0.11", None), "tiers": ("sum", None, ("50", "0.02")),
    "peak": ("max", "2.5", None), "last": ("last_during_period", "1.01", None), "ever": ("last_ever", "3.33", None),
}  # fmt: skip

LINES = """
SELECT i.metadata->>'item' AS item, l.amount, l.quantity, l.period_start, l.period_end FROM credits_internal.invoice_lines l
JOIN credits_internal.subscription_items i
  ON i.customer_id = l.customer_id AND i.subscription_item_id = l.subscription_item_id
WHERE l.customer_id = %s AND l.invoice_id IS NOT NULL"""
SUMMARIES = """
SELECT i.metadata->>'item' AS item, s.period_start, s.period_end, s.total_usage, s.invoiced_amount, s.closes_at
FROM credits.usage_record_summaries s JOIN credits.subscription_items i USING (customer_id, subscription_item_id)
WHERE s.customer_id = %s ORDER BY i.metadata->>'item', s.period_start, s.usage_record_summary_id"""


def rounded(number: Fraction) -> Decimal:
    """To cents, half away from zero; none is below zero."""
    return Decimal(int(number * 100 + Fraction(1, 2))).scaleb(-2)


@dataclass
class Span:
    """A period of an item at one price."""

    price: str
    start: datetime
    end: datetime
    whole: tuple[datetime, datetime]
    closes: datetime | None
    records: list[tuple[datetime, str, Decimal]] = field(default_factory=list)
    invoiced: Decimal = Decimal(0)
    seen: list[Decimal] = field(default_factory=list)


@dataclass
class Model:
    """What a subscription does, worked out from its history each time."""

    now: datetime = BEGIN
    anchor: datetime = BEGIN
    period_start: datetime = BEGIN
    items: dict[str, str] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    paused: datetime | None = None
    ended: datetime | None = None

    def begin(self, item: str, price: str, start: datetime) -> None:
        whole = (self.period_start, self.period_start + LENGTH)
        self.items[item] = price
        self.spans.setdefault(item, []).append(Span(price, start, whole[1], whole, whole[1] + GRACE))

    def usage(self, item: str, span: Span) -> Decimal:
        moments: dict[datetime, Decimal] = {}
        for at, action, quantity in span.records:
            moments[at] = quantity if action == "set" else moments.get(at, Decimal(0)) + quantity
        how = PRICES[span.price][0]
        if how == "sum":
            return sum(moments.values(), Decimal(0))
        if how == "max":
            return max(moments.values(), default=Decimal(0))
        if moments:
            return moments[max(moments)]
        before = self.spans[item][: self.spans[item].index(span)]
        earlier = [other for other in before if other.records]
        if how == "last_during_period" or not earlier:
            return Decimal(0)
        moments = {}
        for at, action, quantity in earlier[-1].records:
            moments[at] = quantity if action == "set" else moments.get(at, Decimal(0)) + quantity
        return moments[max(moments)]

    def cost(self, item: str, span: Span) -> Decimal:
        how, unit, tier = PRICES[span.price]
        usage = Fraction(self.usage(item, span))
        if tier:
            return rounded(max(usage - Fraction(tier[0]), Fraction(0)) * Fraction(tier[1]))
        full = rounded(usage * Fraction(unit or "0"))
        if how == "sum":
            return full

        def until(at: datetime) -> Decimal:
            passed = Fraction((at - span.whole[0]) / timedelta(microseconds=1))
            return rounded(Fraction(full) * passed / Fraction(LENGTH / timedelta(microseconds=1)))

        return until(span.end) - until(span.start)

    def close(self, at: datetime) -> None:
        for item, spans in self.spans.items():
            for span in (span for span in spans if span.closes and span.closes <= at):
                usage, late = self.usage(item, span), bool(span.seen)
                amount = max(self.cost(item, span) - span.invoiced, Decimal(0))
                more = usage - max(span.seen, default=Decimal(0))
                if amount or (usage and (not late or more > 0)):
                    self.lines.append((item, amount, more if more > 0 else None, span.start, span.end))
                span.invoiced += amount
                span.seen.append(usage)
                span.closes = None

    def advance(self, now: datetime) -> None:
        """All that is due by then, in the order of time: a period before a closing."""
        while True:
            closing = min((s.closes for spans in self.spans.values() for s in spans if s.closes), default=None)
            renewal = None if self.paused or self.ended else self.period_start + LENGTH
            first = min((at for at in (closing, renewal) if at), default=None)
            if first is None or first > now:
                self.now = now
                return
            if first == renewal:
                self.period_start = first
                for item, price in list(self.items.items()):
                    self.begin(item, price, first)
            else:
                self.close(first)

    def record(self, item: str, action: str, quantity: Decimal, at: datetime) -> bool:
        spans = [span for span in self.spans[item] if span.start <= at]
        is_over = self.ended and (at >= self.ended or not any(s.closes for all in self.spans.values() for s in all))
        if not spans or at >= spans[-1].end or is_over or (self.ended and not spans[-1].closes):
            return False
        if self.paused and at >= self.paused:
            return False
        span = spans[-1]
        before = {id(other): self.usage(item, other) for other in self.spans[item]}
        span.records.append((at, action, quantity))
        closes = max(self.period_start + LENGTH, self.now) + GRACE
        if span.closes is None:
            span.closes = closes
        else:
            closes = span.closes
        for other in self.spans[item]:
            if other.closes is None and self.usage(item, other) != before[id(other)]:
                other.closes = closes
        return True

    def change(self, item: str, price: str | None) -> None:
        self.spans[item][-1].end = max(self.now, self.spans[item][-1].start)
        del self.items[item]
        if price:
            self.begin(item, price, self.now)

    def cancel(self) -> None:
        self.ended, self.paused = self.now, None
        for spans in self.spans.values():
            for span in spans:
                if span.closes:
                    span.end = min(span.end, max(self.now, span.start))
                    span.closes = min(span.closes, self.now + GRACE)

    def resume(self) -> None:
        self.paused = None
        if self.now >= self.period_start + LENGTH:
            self.period_start = self.now
            for item, price in list(self.items.items()):
                self.begin(item, price, self.now)


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET credits.test_clock_drives_billing = on")
        connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
        for name, (how, unit, tier) in PRICES.items():
            recurring = {"interval": "day", "interval_count": 2, "usage_type": "metered", "aggregate_usage": how}
            tiers = tier and json.dumps(
                {"mode": "graduated", "tiers": [{"up_to": tier[0], "unit_price": 0}, {"unit_price": tier[1]}]}
            )
            connection.execute(
                "SELECT credits.price_create((credits.product_create(%s)).product_id, 'recurring', %s::numeric, 'USD',"
                " recurring => %s, pricing => %s, lookup_key => %s)", [name, unit, json.dumps(recurring), tiers, name],
            )  # fmt: skip
        wrong = [said for seed in range(STORIES) for said in told(connection, seed)]
        checks.equal(wrong[:5], [], f"{STORIES} stories of usage are what the model says")
        late = one(connection, "SELECT count(*) AS n FROM credits_internal.usage_closings WHERE closing_no > 1 AND amount > 0")
        checks.equal(late["n"] > STORIES, True, f"{late['n']} lines are of usage that came late")
        found = connection.execute("SELECT problem, customer_id FROM credits.verify() LIMIT 5").fetchall()
        checks.equal(found, [], "verify() finds nothing")


def told(connection: psycopg.Connection[Any], seed: int) -> list[str]:
    """One story; what was otherwise than the model says."""
    chance, model, customer, wrong = random.Random(seed), Model(), f"metered {seed}", []
    maintains = seed % 2 == 0
    names = [f"i{no}" for no in range(chance.randint(1, 3))]
    clock(connection, BEGIN)
    given = [{"lookup_key": chance.choice(list(PRICES)), "metadata": {"item": name}} for name in names]
    row = one(connection, "SELECT subscription_id, items FROM credits.subscription_create(%s, %s, collection_method =>"
              " 'send_invoice', days_until_due => 3000)", customer, json.dumps(given))  # fmt: skip
    plan, ids = row["subscription_id"], {it["metadata"]["item"]: it["subscription_item_id"] for it in row["items"]}
    for name, item in zip(names, given, strict=True):
        model.begin(name, item["lookup_key"], BEGIN)
    for _ in range(STEPS):
        now = model.now + timedelta(minutes=chance.choice((0, 1, 30, 60, 61, 300, 700, 1500, 4000)))
        model.advance(now)
        clock(connection, now)
        if maintains:
            maintain(connection)
        what = chance.choices(("record", "price", "remove", "pause", "resume", "cancel"), (50, 5, 1, 1.5, 6, 0.7))[0]
        item = chance.choice(names)
        if what == "record":
            action, quantity = chance.choice(("set", "increment")), Decimal(chance.randint(0, 800)) / 4
            # Often for a moment that something was recorded for.
            moments = [at for span in model.spans[item] for at, _, _ in span.records]
            ago = timedelta(minutes=chance.choice((0, 0, 1, 30, 90, 2000, 5000)))
            at = chance.choice(moments) if moments and chance.random() < 0.3 else now - ago
            takes = model.record(item, action, quantity, at)
            query = 'SELECT credits.usage_record_create(%s, %s, %s, %s, "timestamp" => %s)'
            if takes != accepts(connection, query, customer, ids[item], quantity, action, at):
                wrong.append(f"story {seed}, {now}: a record for {at} of {item} is {'taken' if takes else 'refused'} by the model")
        elif what in ("price", "remove") and item in model.items and not model.ended and not model.paused:
            price = chance.choice([name for name in PRICES if name != model.items[item]])
            if what == "remove" and len(model.items) == 1:
                continue
            model.change(item, price if what == "price" else None)
            change = {"lookup_key": price} if what == "price" else {"deleted": True}
            items = json.dumps([{"subscription_item_id": ids[item], **change}])
            one(connection, "SELECT status FROM credits.subscription_update(%s, %s, %s)", customer, plan, items)
        elif what == "pause" and not model.ended and not model.paused:
            model.paused = now
            one(connection, "SELECT status FROM credits.subscription_pause(%s, %s)", customer, plan)
        elif what == "resume" and model.paused:
            model.resume()
            one(connection, "SELECT status FROM credits.subscription_resume(%s, %s)", customer, plan)
        elif what == "cancel" and not model.ended:
            model.cancel()
            one(connection, "SELECT status FROM credits.subscription_cancel(%s, %s, 'now')", customer, plan)
    if not model.ended:
        model.cancel()
        one(connection, "SELECT status FROM credits.subscription_cancel(%s, %s, 'now')", customer, plan)
    model.advance(model.now + 2 * GRACE)
    clock(connection, model.now)
    maintain(connection)
    return wrong + different(connection, seed, customer, model)


def different(connection: psycopg.Connection[Any], seed: int, customer: str, model: Model) -> list[str]:
    """Periods and lines that are not those of the model."""
    rows = connection.execute(SUMMARIES, [customer]).fetchall()
    found = [(r["item"], r["period_start"], r["period_end"], r["total_usage"], r["invoiced_amount"], r["closes_at"]) for r in rows]
    expected = [
        (item, span.start, span.end, model.usage(item, span), span.invoiced, span.closes)
        for item in sorted(model.spans) for span in model.spans[item]
    ]  # fmt: skip
    wrong = [f"story {seed}: {one} where {other} is due" for one, other in zip(found, expected, strict=False) if one != other]
    if len(found) != len(expected):
        wrong.append(f"story {seed}: {len(found)} periods where {len(expected)} are due")
    lines = [(r["item"], r["amount"], r["quantity"], r["period_start"], r["period_end"]) for r in
             connection.execute(LINES, [customer]).fetchall()]  # fmt: skip
    for line in sorted(set(lines) ^ set(model.lines), key=str):
        wrong.append(f"story {seed}: the line {line} is only {'there' if line in lines else 'in the model'}")
    if len(lines) != len(model.lines):
        wrong.append(f"story {seed}: {len(lines)} lines where {len(model.lines)} are due")
    return wrong


def one(connection: psycopg.Connection[Any], query: str, *values: Any) -> dict[str, Any]:
    (row,) = connection.execute(query, values).fetchall()
    return row


def accepts(connection: psycopg.Connection[Any], query: str, *values: Any) -> bool:
    try:
        connection.execute(query, values)
    except psycopg.Error as error:
        if error.sqlstate not in ("PC013", "PC020"):
            raise
        return False
    return True


def clock(connection: psycopg.Connection[Any], at: datetime) -> None:
    connection.execute("SELECT set_config('credits.test_clock', %s, false)", [at.isoformat()])


def maintain(connection: psycopg.Connection[Any]) -> None:
    while one(connection, "SELECT credits.maintain_batch(1000, work => 'subscriptions') AS done")["done"]:
        pass
