"""What a finance team reads from credits.journal at a month's end, and the same figures from the model's own books.

Figures are sums by what they say and by the category of the credits. The journal's rows are added up here, in Python,
so that neither side depends on an aggregate of the database or on the view's SQL.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from model import EXACT, Model
from support.journal import Entry

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


def _not_zero(figures: Figures) -> Figures:
    return {key: value for key, value in figures.items() if value != 0}


def report(figures: Figures) -> list[str]:
    """A month's figures for people."""
    return [" ".join(filter(None, key)) + f" {figures.get(key, 0):,.6f}" for key in MUST_HAVE]


def month_of(at: datetime) -> datetime:
    """The first moment of a moment's month."""
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(start: datetime) -> datetime:
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
