"""What a finance team reads from credits.journal at a month's end, and the same figures from the model's own books.

Figures are sums by what they say and by the category of the credits. The journal's rows are added up here, in Python,
so that neither side depends on an aggregate of the database or on the view's SQL.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import psycopg

from model import EXACT, Model
from scenario import MONEY
from support.journal import Entry

Key = TypeVar("Key")

# (what, category): how many credits; of 'revenue' and 'breakage' how much money.
Figures = dict[tuple[str, str | None], Decimal]

# What a month must have some of to prove anything.
MUST_HAVE = tuple(
    (what, category)
    for what in ("granted", "spent", "expired", "outstanding")
    for category in ("paid", "promotional")
) + (("revenue", "paid"), ("breakage", "paid"), ("owed", None))  # fmt: skip

# The journal's accounts in which credits wait to be spent.
OUTSTANDING = ("available", "restricted", "held")


def read(entries: list[Entry], start: datetime, end: datetime) -> Figures:
    """The month from `start` to before `end` as the journal has it."""
    figures: Figures = defaultdict(Decimal)
    for entry in entries:
        if entry.effective_at >= end:
            continue
        if entry.account in OUTSTANDING:
            figures["outstanding", entry.category] += entry.amount
        elif entry.account == "debt":
            figures["owed", None] -= entry.amount
        if entry.effective_at < start or entry.account is None:
            continue
        if entry.account.startswith("issued_"):
            figures["granted", entry.account.removeprefix("issued_")] -= entry.amount
        elif entry.account in ("spent", "debt"):
            # A debt is spent under no category when it is made and takes that back here; what pays it has one.
            figures["spent", entry.category] += entry.amount
            _add_money(figures, "revenue", entry)
        elif entry.account == "expired":
            figures["expired", entry.category] += entry.amount
            _add_money(figures, "breakage", entry)
    return _not_zero(figures)


def _add_money(figures: Figures, what: str, entry: Entry) -> None:
    if entry.cost_basis is not None:
        figures[what, entry.category] += EXACT.multiply(entry.amount, entry.cost_basis)


def standing(model: Model) -> Figures:
    """What is outstanding and owed as the model stands."""
    figures: Figures = defaultdict(Decimal)
    for account in model.accounts.values():
        for grant in account.grants.values():
            if grant.status == "granted":
                figures["outstanding", grant.category] += grant.remaining
        figures["owed", None] += account.pending
    return figures


def computed(model: Model, closing: Figures, start: datetime, end: datetime) -> Figures:
    """The month as the model has it, with what it stood at when the month closed."""
    figures = defaultdict(Decimal, closing)
    movements = {"grant": ("granted", None), "consumption": ("spent", "revenue"), "expiration": ("expired", "breakage")}
    for account in model.accounts.values():
        for line in account.lines:
            if line.grant is None or not start <= line.effective_at < end:
                continue
            grant, (what, money) = account.grants[line.grant], movements[line.type]
            figures[what, grant.category] += abs(line.amount)
            if money is not None and grant.cost_basis is not None:
                figures[money, grant.category] += EXACT.multiply(abs(line.amount), grant.cost_basis)
    return _not_zero(figures)


# What a day's money can become.
MOVEMENTS = ("received", "recognised", "breakage")

# (day, what): how much money.
Money = dict[tuple[date, str], Decimal]


def revenue(connection: psycopg.Connection[Any]) -> Money:
    """The view revenue."""
    money: Money = {}
    rows = connection.execute("SELECT day, received, recognised, breakage, deferred, currency, category FROM credits.revenue")
    for day, *amounts, currency, category in rows:
        assert (currency, category) == (MONEY, "paid"), (currency, category)
        money.update({(day, what): amount for what, amount in zip((*MOVEMENTS, "deferred"), amounts)})
    return _not_zero(money)


def computed_revenue(model: Model) -> Money:
    """The same from the model: each grant's share by itself, rounded once, as it stood after each of its lines."""
    money: Money = defaultdict(Decimal)
    becomes = {"consumption": "recognised", "expiration": "breakage"}
    for account in model.accounts.values():
        gone: dict[str, Decimal] = defaultdict(Decimal)
        for grant in account.grants.values():
            if grant.cost_amount is not None:
                money[min(grant.given_at, grant.effective_at).date(), "received"] += grant.cost_amount
        for line in account.lines:
            grant = account.grants.get(line.grant or "")
            if grant is None or grant.cost_amount is None or line.type == "grant":
                continue
            before, gone[grant.key] = gone[grant.key], gone[grant.key] + abs(line.amount)
            part = share(grant.cost_amount, gone[grant.key], grant.amount)
            part -= share(grant.cost_amount, before, grant.amount)
            money[line.effective_at.date(), becomes[line.type]] += part
    deferred = Decimal(0)
    for day in sorted({day for day, _ in money}):
        deferred += money[day, "received"] - money[day, "recognised"] - money[day, "breakage"]
        money[day, "deferred"] = deferred
    return _not_zero(money)


def share(cost: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Of so much money the share, in whole cents, half away from zero."""
    cents = Fraction(cost) * Fraction(part) / Fraction(whole) * 100
    return Decimal((2 * cents.numerator + cents.denominator) // (2 * cents.denominator)).scaleb(-2)


def unbalanced(model: Model, money: Money) -> list[str]:
    """What is deferred at the end is what the grants that are left cost, to the cent."""
    left = Decimal(0)
    for account in model.accounts.values():
        for grant in account.grants.values():
            if grant.cost_amount is not None:
                left += grant.cost_amount - share(grant.cost_amount, grant.amount - grant.remaining, grant.amount)
    last = money.get((max(day for day, _ in money), "deferred"), Decimal(0))
    return [] if last == left else [f"{last} is deferred, and {left} are left"]


def _not_zero(figures: dict[Key, Decimal]) -> dict[Key, Decimal]:
    return {key: value for key, value in figures.items() if value != 0}


def report(figures: Figures) -> list[str]:
    """A month's figures for people."""
    return [" ".join(filter(None, key)) + f" {figures.get(key, 0):,.6f}" for key in MUST_HAVE]


def month_of(at: datetime) -> datetime:
    """The first moment of a moment's month."""
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(start: datetime) -> datetime:
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
