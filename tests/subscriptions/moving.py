"""Changes to another interval: the period ends at once, and one of the other begins, from which periods are counted."""

from __future__ import annotations

import billing
import plan_credits
from proration import Change, GivenBack, apply, covering, give_back
from things import Books, Invoice, Line, Period, Subscription


def move(
    books: Books, subscription: Subscription, changes: list[Change], proration: str, credits: str
) -> Invoice | None:
    """All items move. In a trial nothing else does."""
    now, period = books.now, subscription.period
    is_trial, charged = period.kind == "trial", proration != "none" and not period.free
    lines: list[Line] = []
    given_back = GivenBack()
    for change in changes:
        if change.is_new or is_trial:
            continue
        if charged:
            give_back(books, subscription, change.item, credits, lines, given_back)
        else:
            stop(subscription, change, books)
    for change in changes:
        apply(subscription, change)
    subscription.interval = subscription.items[0].price.interval
    for invoice in given_back.invoices:
        billing.lowered(books, invoice, now)
    books.note(now, subscription, "updated")
    if is_trial:
        return None
    subscription.anchor = now
    if period.start == now:
        subscription.periods.pop()
    period.end = now
    period = Period("full", now, subscription.interval.after(now), now)
    subscription.periods.append(period)
    if subscription.cancel_at_period_end:
        subscription.cancel_at = period.end
    new = [billing.period_line(books, subscription, item, period) for item in subscription.items]
    subscription.lines.extend(new)
    return billing.make(books, subscription, "subscription_update", lines + new, now, begins=True)


def stop(subscription: Subscription, change: Change, books: Books) -> None:
    """Nothing is given back of an item, and what has begun of its credits stays."""
    for line in covering(subscription, change.item, books.now):
        line.credited = True
        plan_credits.give_up(line.rows, books.now, False)
