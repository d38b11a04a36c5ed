"""Credits of plans: which grants a line plans, when they start and end, and what a change, a refund, a pause or an end
takes of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction

from periods import part, rounded
from things import ZERO, CreditPlan, Item, Line, Period, Price, Refused, Row, Subscription

MOST_GRANTS = 366
COUNTER = itertools.count()
LIVE = ("granted", "suspended", "withheld")


def check(price: Price) -> None:
    """More instalments than a period may have, in the longest one, so that no renewal fails where the first period did
    not."""
    plan = price.plan
    if plan is None or plan.delivery == "invoice":
        return
    if plan.every is None:
        raise Refused("PC013", "a schedule without every")
    if plan.most is not None and plan.most <= MOST_GRANTS:
        return
    if -(-price.interval.longest() // plan.every.shortest()) > MOST_GRANTS:
        raise Refused("PC013", f"more than {MOST_GRANTS} instalments")


Planned = tuple[datetime, datetime, Fraction]


def instalments(
    plan: CreditPlan, whole: Fraction, each: Fraction | None, start: datetime, end: datetime
) -> list[Planned]:
    """(start, end, credits) of each, in [start, end)."""
    if plan.delivery == "invoice" or plan.every is None:
        return [(start, end, whole)]
    starts = []
    moment = start
    while moment < end and len(starts) < (plan.most or MOST_GRANTS):
        starts.append(moment)
        moment = plan.every.after(start, len(starts))
    count = len(starts)
    marks = [rounded(whole * number / count, plan.decimals) for number in range(count + 1)]
    ends = [*starts[1:], end]
    return [
        (begins, ends[number], each if each is not None else marks[number + 1] - marks[number])
        for number, begins in enumerate(starts)
    ]


def planned(item: Item, price: Price, quantity: Fraction, period: Period) -> list[Row]:
    """What a line of a period grants: of a stub what is left of the period that it is cut from."""
    return rest(on_grid(item, price, quantity, period), period.start, True)


def on_grid(item: Item, price: Price, quantity: Fraction, period: Period) -> list[Row]:
    """What a line of the period that it is cut from would."""
    plan = price.plan
    if plan is None or period.free:
        return []
    whole = rounded(plan.amount * quantity, plan.decimals)
    each = None if plan.amount_per_grant is None else rounded(plan.amount_per_grant * quantity, plan.decimals)
    found = instalments(plan, whole, each, period.grid_start, period.end)
    return [
        Row(item.name, period.start, number, item.revision, start, end, amount, plan)
        for number, (start, end, amount) in enumerate(found)
        if amount > 0
    ]


def remaining(
    item: Item, price: Price, quantity: Fraction, period: Period, now: datetime, prorate: bool, before: list[Row]
) -> list[Row]:
    """What a line grants that begins in mid-period: instalments to come whole, of the one under way what is left. Where that
    would be over, what has expired of the item before does not come again."""
    rows = rest(on_grid(item, price, quantity, period), now, prorate)
    lasts = price.plan.valid_for if price.plan else None
    starts = [row.start for row in on_grid(item, price, quantity, period) if row.start <= now < row.end]
    if not prorate or lasts is None or not starts or lasts.after(starts[0]) > now:
        return rows
    lapsed = [row for row in before if is_lapsed(row, now) and row.start <= now < row.end]
    less = sum((part(row.credits, row.start, row.end, now, row.plan.decimals) for row in lapsed), ZERO)
    for row in rows:
        if row.start == now:
            row.credits = max(ZERO, row.credits - less)
    return [row for row in rows if row.credits > 0]


def is_lapsed(row: Row, now: datetime) -> bool:
    """Whether it was granted, and its time is over; it was not taken before."""
    return not row.cut and row.status in LIVE and row.expires_at is not None and row.expires_at <= now


def rest(all_rows: list[Row], now: datetime, prorate: bool) -> list[Row]:
    rows = []
    for row in all_rows:
        if row.start <= now:
            if not prorate or row.end <= now:
                continue
            row.credits = part(row.credits, row.start, row.end, now, row.plan.decimals)
            row.start = now
        if row.credits > 0:
            rows.append(row)
    return rows


def grant(row: Row, paid_at: datetime, subscription: Subscription) -> None:
    """As it is paid for. What would start while the subscription is paused is suspended; what would after its end, is
    not."""
    start = max(row.start, paid_at)
    row.starts_at, row.begun = start, start <= paid_at
    if row.plan.valid_for:
        row.expires_at = row.plan.valid_for.after(start)
    elif not row.plan.expire_with_next:
        row.expires_at = None
    else:
        row.expires_at = row.end if row.end > paid_at else paid_at + (row.end - row.start)
    row.status, row.order = "granted", next(COUNTER)
    paused, until = subscription.paused_at, subscription.resumes_at
    if paused and row.start > paused and (until is None or start < until):
        row.status = "suspended"
    judge([row], subscription)


def judge(rows: Iterable[Row], subscription: Subscription) -> None:
    """What starts when the subscription will have ended is withheld at once, and back where the end is put off."""
    for row in rows:
        if row.status in ("granted", "withheld", "disputed") and row.starts_at is not None:
            late = subscription.cancel_at is not None and row.start >= subscription.cancel_at
            if row.status == "withheld" and not late:
                row.revision, row.order = row.revision + 1, next(COUNTER)
            row.is_disputed |= row.status == "disputed"
            row.status = "withheld" if late else "disputed" if row.is_disputed else "granted"


def is_under_way(rows: Iterable[Row], now: datetime) -> bool:
    """Whether any was left alone by a change before."""
    return any(row.status in ("planned", *LIVE) and not row.cut and row.start <= now < row.end for row in rows)


def give_up(rows: Iterable[Row], now: datetime, prorate: bool) -> None:
    """For a change of plan: those not begun end; of the one under way goes what is left of its time, as far as it is
    unspent."""
    for row in rows:
        if row.status == "disputed" and row.start > now:
            row.status = "ended"
        if row.cut or row.status not in ("planned", *LIVE):
            continue
        if row.start > now:
            row.status = "ended"
        elif prorate and row.end > now and not is_lapsed(row, now):
            row.cut = True
            share = part(row.credits, row.start, row.end, now, row.plan.decimals)
            if row.status == "planned":
                # Whenever it is paid, it lasts as long as it was there for.
                row.credits, row.end = row.credits - share, now
                if row.start == now:
                    row.status = "ended"
            else:
                row.taken += min(share, row.left)


def take_share(line: Line, share: Fraction, now: datetime) -> None:
    """For a refund of so much of a line, of all that was refunded: those not begun first, the latest first."""
    rows = [row for row in line.rows if row.status in LIVE and row.starts_at is not None]
    if not rows:
        return
    total = sum((row.credits for row in rows), ZERO)
    due = rounded(total * share, rows[0].plan.decimals) - sum((row.taken for row in rows), ZERO)
    for row in sorted(rows, key=lambda row: row.starts_at or row.start, reverse=True):
        if due > 0 and (row.expires_at is None or row.expires_at > now):
            taken = min(due, row.left)
            row.taken += taken
            due -= taken


def dispute(rows: Iterable[Row], now: datetime) -> None:
    """All that was paid is disputed: what has not begun is not there, and of what has, nothing is left."""
    for row in rows:
        if row.status in ("suspended", "withheld"):
            row.is_disputed = True
        elif row.status == "granted" and row.starts_at is not None and row.starts_at > now:
            row.status, row.is_disputed = "disputed", True
        elif row.status == "granted" and (row.expires_at is None or row.expires_at > now):
            row.disputed = row.left
            row.taken += row.disputed


def restore(rows: Iterable[Row], now: datetime, subscription: Subscription) -> None:
    """The dispute was won: what it took is there again, from now on; what has ended otherwise meanwhile is not."""
    for row in rows:
        row.taken, row.disputed = row.taken - row.disputed, ZERO
        row.is_disputed = False
        if row.status == "disputed":
            grant(row, now, subscription)


def suspend(rows: Iterable[Row], now: datetime, until: datetime | None) -> None:
    """What would start while it is paused; what starts after it is known to go on stays."""
    for row in rows:
        if row.status == "planned" and row.start > now and (until is None or row.start < until):
            row.status = "halted"
        if row.status in ("granted", "withheld", "disputed") and row.starts_at is not None and row.starts_at > now:
            if until is None or row.starts_at < until:
                row.status = "suspended"


def bring_back(rows: Iterable[Row], now: datetime, running: bool) -> None:
    """At resuming: those that are still to come; also those under way, from then on, where the rules say so."""
    for row in rows:
        if row.status != "suspended" or row.starts_at is None:
            continue
        if row.starts_at >= now:
            row.status, row.order = "disputed" if row.is_disputed else "granted", next(COUNTER)
        elif running and row.end > now:
            row.status, row.starts_at = "granted", now
        else:
            row.status = "ended"


def end_from(rows: Iterable[Row], moment: datetime) -> None:
    """At a subscription's end: what starts then or later, and what is suspended."""
    for row in rows:
        late = row.starts_at is not None and row.starts_at >= moment
        if row.status in ("suspended", "withheld", "halted") or row.status == "granted" and late and not row.begun:
            row.status = "ended"
        elif row.status in ("planned", "disputed") and row.start >= moment:
            row.status = "ended"


def spend(rows: list[Row], amount: Fraction, now: datetime) -> None:
    """A debit of what is there, from what expires first; the oldest where that is the same."""
    far = now + timedelta(days=400_000)
    usable = [row for row in rows if row.usable(now)]
    for row in sorted(usable, key=lambda row: (row.expires_at or far, row.starts_at or now, row.order)):
        part_of_it = min(amount, row.left)
        row.spent += part_of_it
        amount -= part_of_it
    if amount > 0:
        raise Refused("PC001", "too little")
