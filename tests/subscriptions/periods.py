"""Time: periods from an anchor, and what a part of one costs. All in UTC, exact to the microsecond."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import NamedTuple

from invoicing import model as invoicing

MICROSECOND = timedelta(microseconds=1)
FIXED = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
MONTHS = {"month": 1, "year": 12}


class Interval(NamedTuple):
    """So many hours, days, weeks, calendar months or years."""

    unit: str
    count: int

    @classmethod
    def parse(cls, text: str) -> Interval:
        """'3 months', or 'month' for one."""
        *number, unit = text.split()
        return cls(unit.removesuffix("s"), int(number[0]) if number else 1)

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """The moment that is so many of it later, or earlier."""
        if self.unit in FIXED:
            return moment + FIXED[self.unit] * (self.count * times)
        return months_after(moment, MONTHS[self.unit] * self.count * times)

    def longest(self) -> timedelta:
        """What it lasts at most."""
        if self.unit in FIXED:
            return FIXED[self.unit] * self.count
        return timedelta(days=31 * self.count if self.unit == "month" else 366 * self.count)

    def shortest(self) -> timedelta:
        """What it lasts at least."""
        if self.unit in FIXED:
            return FIXED[self.unit] * self.count
        return timedelta(days=28 * self.count if self.unit == "month" else 365 * self.count)


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and time of day, or the month's last day where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def index_at(anchor: datetime, interval: Interval, moment: datetime) -> int:
    """The largest n whose boundary is not after the moment."""
    number = (moment - anchor) // interval.longest() if interval.unit in FIXED else about(anchor, interval, moment)
    while interval.after(anchor, number) > moment:
        number -= 1
    while interval.after(anchor, number + 1) <= moment:
        number += 1
    return number


def about(anchor: datetime, interval: Interval, moment: datetime) -> int:
    months = (moment.year - anchor.year) * 12 + moment.month - anchor.month
    return months // (MONTHS[interval.unit] * interval.count)


def part(amount: Fraction, start: datetime, end: datetime, moment: datetime, decimals: int) -> Fraction:
    """What is from the moment to the end, of a period that comes to so much."""
    if moment <= start:
        return amount
    if moment >= end:
        return Fraction(0)
    share = Fraction((moment - start) // MICROSECOND, (end - start) // MICROSECOND)
    return amount - rounded(amount * share, decimals)


def rounded(number: Fraction, decimals: int) -> Fraction:
    return invoicing.rounded(number, decimals)


def text_of(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.utc).isoformat() if moment else None


def moment_of(text: str | datetime | None) -> datetime | None:
    if text is None or isinstance(text, datetime):
        return text
    return datetime.fromisoformat(text).astimezone(timezone.utc)
