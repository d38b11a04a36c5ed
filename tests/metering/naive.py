"""What usage costs, worked out from scratch each time: every event looked at, no running totals, fractions instead of
decimals. It shares nothing with the extension but the rules: docs/pricing.md and docs/concepts.md.
"""

from __future__ import annotations

import calendar
import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

DECIMALS = 6


@dataclass
class Customer:
    """When the customer's periods begin, as it is now."""

    zone: str | None = None
    anchor: datetime | None = None


@dataclass
class Event:
    """One report that was accepted."""

    number: int
    identifier: str
    value: Decimal
    occurred_at: datetime
    version: int
    metadata: dict[str, Any] | None
    # The customer's override that it has; 0 for none. The version is 0 where that is a price of their own.
    override: int = 0
    canceled: bool = False
    # What was reported, where it was adjusted since.
    first: Decimal | None = None
    # Of unique, the event at whose price its value counts: the one that brought it.
    brought: Event | None = None
    # When its period begins: as it was when it was reported, whatever the customer's calendar is by now.
    period: datetime | None = None

    @property
    def reported(self) -> Decimal:
        return self.value if self.first is None else self.first


@dataclass
class Override:
    """What the customer pays instead, from a moment on and until another."""

    begins: datetime
    ends: datetime | None
    pricing: dict[str, Any] | None
    discount: Fraction


@dataclass
class Meter:
    """A meter with every price that it had, and one customer's events."""

    name: str
    aggregation: str
    period: str | None
    prices: list[dict[str, Any]]
    settlement: str = "immediate"
    overage: str = "pending"
    # From when on each price is in force; the first is in force for all that occurred before, too.
    begins: list[datetime] = field(default_factory=lambda: [datetime.min.replace(tzinfo=timezone.utc)])
    # Whether the tiers of each price go on from what was used under the one before, and what that was by period.
    continues: list[bool] = field(default_factory=lambda: [False])
    carried: dict[Any, Fraction] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    # Of unique, the key of the metadata.
    unique_by: str | None = None
    events: list[Event] = field(default_factory=list)
    # What was worked out since the last event or cancellation: the rest of a long run need not be looked at again.
    known: dict[str, Any] = field(default_factory=dict)
    # When its periods begin.
    zone: str | None = None
    period_from: str = "meter"

    def accept(self, event: Event) -> None:
        if self.unique_by:
            same = [other for other in self.counted() if self.named(other) == self.named(event)]
            event.brought = same[0].brought if same else event
        group = self.group(event)
        if group is not None and group not in self.carried:
            self.carried[group] = self.carried_by(event)
        self.events.append(event)
        self.known.clear()

    def group(self, event: Event, version: int | None = None) -> Any:
        """What an event of a sum or a count is priced with; None where it is priced by itself, or one event decides."""
        if self.ranked or not self.together(event):
            return None
        by = event.brought or event
        return event.period, version or by.version, by.override, self.price_class(by)

    def carried_by(self, event: Event) -> Fraction:
        """What was used under the price before in the period, if the event's price goes on from there."""
        if not event.version or event.version > len(self.continues) or not self.continues[event.version - 1]:
            return Fraction(0)
        before = max((begins, v) for v, begins in enumerate(self.begins, 1) if begins < self.begins[event.version - 1])[1]
        group = self.group(event, before)
        if group not in self.carried:  # no event came under it: what there was before that goes on
            return self.carried_by(replace(event, version=before))
        used = [other for other in self.counted() if self.group(other) == group]
        return self.carried[group] + self.quantity(used)

    def cancel(self, event: Event) -> None:
        event.canceled = True
        self.known.clear()

    def adjust(self, event: Event, value: Decimal) -> None:
        event.first, event.value = event.reported, value
        self.known.clear()

    def price(self, pricing: dict[str, Any], begins: datetime, continues: bool = False) -> None:
        """Another price, from a moment on."""
        self.prices.append(pricing)
        self.begins.append(begins)
        self.continues.append(continues)

    def version_at(self, moment: datetime) -> int:
        """What began last by then; of several that began at once, what was set last."""
        begun = [(begins, version) for version, begins in enumerate(self.begins, 1) if begins <= moment]
        return max(begun)[1]

    def override_at(self, moment: datetime) -> int:
        """The same of what has not ended; 0 for none."""
        begun = [
            (override.begins, number) for number, override in enumerate(self.overrides, 1)
            if override.begins <= moment and (override.ends is None or moment < override.ends)
        ]  # fmt: skip
        return max(begun)[1] if begun else 0

    def versions_at(self, moment: datetime) -> tuple[int, int]:
        """The version and the override of an event."""
        override = self.override_at(moment)
        own = override and self.overrides[override - 1].pricing is not None
        return 0 if own else self.version_at(moment), override

    @property
    def ranked(self) -> bool:
        return self.aggregation in ("last", "max")

    def credits(self) -> Decimal:
        """What is charged for all that is not taken back."""
        if "credits" not in self.known:
            alone = [event for event in self.counted() if not self.together(event)]
            own = sum((rounded(self.price_of(event), self.quantity([event])) for event in alone), Decimal(0))
            self.known["credits"] = own + sum(self.by_period().values(), Decimal(0))
        return self.known["credits"]

    def by_period(self) -> dict[tuple[datetime | None, int, int, str | None], Decimal]:
        """What is charged for usage that is priced as one: by the period's begin, price version, override and class.
        Periods of which everything was taken back are left out."""
        if "by period" not in self.known:
            self.known["by period"] = self._by_period()
        return self.known["by period"]

    def _by_period(self) -> dict[tuple[datetime | None, int, int, str | None], Decimal]:
        groups: dict[Any, list[Event]] = defaultdict(list)
        for event in self.counted():
            if self.together(event):
                by = event.brought or event
                series = () if self.ranked else (by.version, by.override, self.price_class(by))
                groups[event.period, series].append(event)
        costs = {}
        for (period, _), events in groups.items():
            decides = self.decides(events) if self.ranked else events[0].brought or events[0]
            price, carried = self.price_of(decides), self.carried.get(self.group(decides), Fraction(0))
            cost = rounded(price, carried + self.quantity(events)) - rounded(price, carried)
            costs[period, decides.version, decides.override, self.price_class(decides)] = cost
        return costs

    def counted(self) -> list[Event]:
        return [event for event in self.events if not event.canceled]

    def quantity(self, events: list[Event]) -> Fraction:
        if self.ranked:
            return Fraction(self.decides(events).value)
        if self.aggregation == "count":
            return Fraction(len(events))
        if self.unique_by:
            return Fraction(len({self.named(event) for event in events}))
        return sum((Fraction(event.value) for event in events), Fraction(0))

    def decides(self, events: list[Event]) -> Event:
        """The event that counts: of a last the latest, then the one reported last; of a max the highest, then the first."""
        if self.aggregation == "last":
            return max(events, key=lambda e: (e.occurred_at, e.number))
        return max(events, key=lambda e: (e.value, -e.number))

    def together(self, event: Event) -> bool:
        price = self.price_of(event)
        return self.ranked or self.unique_by is not None or "tiers" in price or "round" in price

    def named(self, event: Event) -> tuple[str | None, str]:
        """The period, and its value there: a text, a number by what it is, true and false by their names."""
        value = (event.metadata or {})[self.unique_by or ""]
        if isinstance(value, bool):
            value = "true" if value else "false"
        return event.period, value if isinstance(value, str) else str(Fraction(str(value)))

    def pricing_of(self, event: Event) -> dict[str, Any]:
        own = self.overrides[event.override - 1].pricing if event.override else None
        return self.prices[event.version - 1] if own is None else own

    def price_class(self, event: Event) -> str | None:
        pricing = self.pricing_of(event)
        if "by" not in pricing or not event.metadata:
            return None
        keys = pricing["by"] if isinstance(pricing["by"], list) else [pricing["by"]]
        prices, name = pricing["prices"], []
        for key in keys:
            value = event.metadata.get(key)
            same = [named for named in prices if is_named(named, value)]
            if not same:
                return None
            name.append(same[0])
            prices = prices[same[0]]
            if "unit_price" in prices or "tiers" in prices:
                return "/".join(name)
        return None

    def price_of(self, event: Event) -> dict[str, Any]:
        pricing = self.pricing_of(event)
        if "by" in pricing:
            named = self.price_class(event)
            default, prices = pricing["default"], pricing["prices"]
            for part in named.split("/") if named else []:
                prices = prices[part]
            pricing = prices if named else default
        discount = self.overrides[event.override - 1].discount if event.override else 0
        return {**pricing, "discount": discount} if discount else pricing

    def period_at(self, at: datetime, customer: Customer) -> datetime | None:
        """When the period of a moment begins, as the customer's calendar is now."""
        if self.period is None:
            return None
        if self.period_from == "billing_date" and customer.anchor:
            return from_anchor(self.period, at, customer.anchor)
        zone = customer.zone if self.period_from == "customer" and customer.zone else self.zone
        return in_zone(self.period, at, ZoneInfo(zone or "UTC"))


def in_zone(period: str, at: datetime, zone: ZoneInfo) -> datetime:
    """When it begins on a zone's calendar. Of a midnight that comes twice, the second; where there is none, what comes in
    its place: that is the later of both readings."""
    date = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "week":
        date -= timedelta(days=date.weekday())
    if period in ("month", "year"):
        date = date.replace(day=1)
    if period == "year":
        date = date.replace(month=1)
    return max(date.replace(fold=fold).astimezone(timezone.utc) for fold in (0, 1))


def from_anchor(period: str, at: datetime, anchor: datetime) -> datetime:
    """The last begin by then, of all around it."""
    if period in ("day", "week"):
        length = timedelta(days=1 if period == "day" else 7)
        return anchor + (at - anchor) // length * length
    begins = []
    for number in range((at.year - anchor.year) * 12 - 14, (at.year - anchor.year) * 12 + 26):
        if period == "month" or number % 12 == 0:
            year, month = divmod(anchor.year * 12 + anchor.month - 1 + number, 12)
            day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
            begins.append(anchor.replace(year=year, month=month + 1, day=day))
    return max(begin for begin in begins if begin <= at)


def is_named(name: str, value: Any) -> bool:
    """Whether that value of metadata is meant: a text as it is, true and false by their names, a number by what it is."""
    if isinstance(value, bool):
        return name == ("true" if value else "false")
    if isinstance(value, (int, float)):
        return name.replace(".", "", 1).isdigit() and Fraction(name) == Fraction(str(value))
    return isinstance(value, str) and name == value


def exact(price: dict[str, Any], quantity: Fraction) -> Fraction:
    """The price of a quantity, unrounded."""
    per = Fraction(str(price.get("per", 1)))
    blocks = quantity / per
    if price.get("round") == "up":
        blocks = Fraction(math.ceil(blocks))
    if price.get("round") == "down":
        blocks = Fraction(math.floor(blocks))
    quantity = blocks * per
    if "unit_price" in price:
        return blocks * Fraction(str(price["unit_price"]))
    if quantity == 0:
        return Fraction(0)
    total, begins = Fraction(0), Fraction(0)
    for tier in price["tiers"]:
        ends = Fraction(str(tier["up_to"])) if "up_to" in tier else None
        unit, fee = Fraction(str(tier.get("unit_price", 0))), Fraction(str(tier.get("flat_fee", 0)))
        if price["mode"] == "volume":
            if ends is None or quantity <= ends:
                return quantity / per * unit + fee
            continue
        part = quantity if ends is None else min(quantity, ends)
        if part > begins:
            total += (part - begins) / per * unit + fee
        begins = ends if ends is not None else begins
    return total


def rounded(price: dict[str, Any], quantity: Fraction) -> Decimal:
    """Once, half away from zero."""
    scaled = exact(price, quantity) * (100 - price.get("discount", 0)) / 100 * 10**DECIMALS
    return Decimal(math.floor(scaled + Fraction(1, 2))).scaleb(-DECIMALS)
