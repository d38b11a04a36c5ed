"""What the mix in order was charged where prices change while it goes on: by the price that was in force when the usage
happened, by the customer's own where there is one, and in tiers that begin anew or go on.

A call may not know yet of what another session sets at the same time: of a price that was set less than a moment before
the call it may take either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from acts import Turn
from charges import rounded

Connection = psycopg.Connection[Any]
A_MOMENT = timedelta(seconds=1.5)
BEGINNING = datetime.min.replace(tzinfo=timezone.utc)
NEVER = datetime.max.replace(tzinfo=timezone.utc)
NOTHING = Decimal(0)


class Price(NamedTuple):
    """A price of a meter, or of one customer's: in force from a moment on, until another."""

    since: datetime
    number: int
    until: datetime
    made_at: datetime
    unit_price: Decimal | None
    tiers: list[dict[str, Any]] | None = None
    continues: bool = False
    discount: Decimal | None = None

    def may_be_in_force(self, at: datetime, known_by: datetime) -> bool:
        return self.since <= at < self.until + A_MOMENT and self.made_at <= known_by

    def is_in_force(self, at: datetime, asked_at: datetime) -> bool:
        return self.since <= at < self.until and self.made_at + A_MOMENT < asked_at


class Usage(NamedTuple):
    """An event in its turn, and what its row says."""

    customer: str
    identifier: str
    begun: datetime
    at: datetime
    quantity: Decimal
    credits: Decimal
    occurred_at: datetime
    version: int | None
    override: int | None
    period: str | None


def wrong(connection: Connection, turns: Sequence[Turn]) -> list[str]:
    """Every event of a meter whose price changes that was charged other than it should have been."""
    lists: dict[str, list[Price]] = defaultdict(list)
    for meter, *row in connection.execute(LISTS):
        lists[meter].append(priced(row))
    own: dict[str, list[Price]] = defaultdict(list)
    for customer, *row in connection.execute(OVERRIDES):
        own[customer].append(Price(*row[:5], discount=row[5]))
    found = [line for one in usage(connection, turns, "priced") for line in alone(one, lists["priced"], own[one.customer])]
    return found + in_tiers(usage(connection, turns, "tiers"), lists["tiers"], carried(connection))


def priced(row: Sequence[Any]) -> Price:
    since, number, made_at, unit_price, pricing, continues = row
    tiers = pricing["tiers"] if pricing else None
    return Price(since or BEGINNING, number, NEVER - A_MOMENT, made_at, unit_price, tiers, continues)


def usage(connection: Connection, turns: Sequence[Turn], meter: str) -> list[Usage]:
    """The events of a meter in the order of their turns."""
    rows = {(customer, name): row for customer, name, *row in connection.execute(EVENTS, [meter])}
    found = []
    for turn in sorted(turns, key=lambda one: one.at):
        for act, answer in turn.acts:
            row = rows.pop((act.customer, act.fields.get("identifier") or ""), None)
            if row is not None and not answer.get("replayed"):
                found.append(Usage(act.customer, act.fields["identifier"], turn.begun, turn.at, *row))
    return found


def alone(one: Usage, prices: Iterable[Price], own: Iterable[Price]) -> list[str]:
    """What is wrong with an event that is priced by itself."""
    override = chosen(one, own, one.override)
    price = override if override and override.discount is None else chosen(one, prices, one.version)
    if price is None or one.override is not None and override is None:
        return [f"{one} has a price that was not in force"]
    if one.override is None and (due := newest(one, own)):
        return [f"{one} has none of the customer's own prices, {due} was due"]
    part = (100 - override.discount) / 100 if override and override.discount is not None else Decimal(1)
    assert price.unit_price is not None
    cost = rounded(one.quantity * price.unit_price * part)
    return [] if cost == one.credits else [f"{one} costs {cost} at {price}, {override}"]


def chosen(one: Usage, prices: Iterable[Price], number: int | None) -> Price | None:
    """The price of that number, if it may have been in force, and none after it that the call must have known."""
    prices = list(prices)
    price = next((price for price in prices if price.number == number), None)
    if price is None or not price.may_be_in_force(one.occurred_at, one.at):
        return None
    later = newest(one, prices)
    return None if later and later[:2] > price[:2] else price


def newest(one: Usage, prices: Iterable[Price]) -> Price | None:
    """What the call must have known to be in force."""
    return max((price for price in prices if price.is_in_force(one.occurred_at, one.begun)), default=None, key=lambda p: p[:2])


def in_tiers(events: Iterable[Usage], prices: list[Price], carried: dict[tuple[str, str], Decimal]) -> list[str]:
    """What is wrong with events whose tiers go on: each costs what it changes of its period's price."""
    found = []
    used: dict[tuple[str, int], Decimal] = {}
    for one in events:
        price = chosen(one, prices, one.version)
        if price is None or price.tiers is None:
            found.append(f"{one} has a price that was not in force")
            continue
        key = (one.customer, price.number)
        begins = carried[one.customer, one.period or ""]
        if key not in used:
            used[key] = NOTHING
            known = [other for other in prices if other.made_at + A_MOMENT < one.begun or other == price]
            possible = [other for other in prices if other.made_at <= one.at]
            due = {goes_on_from(price, some, one.customer, used, carried) for some in (known, possible)}
            if begins not in due:
                found.append(f"{one} begins after {begins}, not one of {due}")
        before = begins + used[key]
        used[key] += one.quantity
        cost = of_tiers(price.tiers, before + one.quantity) - of_tiers(price.tiers, before)
        if cost != one.credits:
            found.append(f"{one} costs {cost}, after {before}")
    return found


def goes_on_from(
    price: Price, prices: Iterable[Price], customer: str, used: dict[tuple[str, int], Decimal], carried: dict[Any, Decimal]
) -> Decimal:
    """What was used under the newest of the prices that this one goes on from, and under those before that."""
    prices = sorted(prices, key=lambda one: one[:2])
    while price.continues:
        earlier = [one for one in prices if one.since < price.since]
        if not earlier:
            break
        price = earlier[-1]
        if (customer, price.number) in used:
            begun = next((amount for (who, period), amount in carried.items()
                          if who == customer and period.endswith(f" v{price.number}")), NOTHING)  # fmt: skip
            return begun + used[customer, price.number]
    return NOTHING


def of_tiers(tiers: Iterable[dict[str, Any]], quantity: Decimal) -> Decimal:
    cost, below = NOTHING, NOTHING
    for tier in tiers:
        up_to = Decimal(tier.get("up_to", quantity))
        cost += max(min(quantity, up_to) - below, NOTHING) * Decimal(str(tier["unit_price"]))
        below = up_to
    return rounded(cost)


def carried(connection: Connection) -> dict[tuple[str, str], Decimal]:
    return {(customer, key): amount for customer, key, amount in connection.execute(CARRIED)}


LISTS = (
    "SELECT event_name, price_since, price_version, created_at, unit_price, pricing, continue_tiers"
    " FROM credits.price_versions WHERE event_name IN ('priced', 'tiers')"
)
OVERRIDES = (
    "SELECT customer_id, effective_at, override_no, coalesce(ends_at, '9999-01-01'), created_at, unit_price, discount_percent"
    " FROM credits.price_overrides WHERE event_name = 'priced'"
)
EVENTS = (
    "SELECT customer_id, identifier, quantity, credits, occurred_at, price_version, override_no, period_key FROM credits.usage"
    " WHERE event_name = %s"
)
CARRIED = "SELECT customer_id, period_key, carried FROM credits.usage_by_period WHERE event_name = 'tiers'"
