"""Limits of what may be spent, as adding up everything from the beginning has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple


class Spent(NamedTuple):
    """Credits that were spent at a moment; below zero, credits that came back of what was spent then."""

    at: datetime
    member: str | None
    meter: str | None
    amount: Decimal


class Limit(NamedTuple):
    """The most that a member, or everybody, may spend on a meter, or on anything, in the last so many seconds."""

    member: str | None
    meter: str | None
    seconds: int
    most: Decimal
    rejects: bool

    def is_about(self, member: str | None, meter: str | None) -> bool:
        return self.member in (None, member) and self.meter in (None, meter)

    def used(self, spent: Iterable[Spent], now: datetime) -> Decimal:
        since = now - timedelta(seconds=self.seconds)
        mine = (one.amount for one in spent if one.at > since and self.is_about(one.member, one.meter))
        return sum(mine, Decimal(0))
