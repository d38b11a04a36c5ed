"""Changes of items in mid-period: what is given back of the old lines, what the new ones cost, and their credits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

import billing
import plan_credits
from invoicing import model as invoicing
from periods import part
from things import ZERO, Books, Invoice, Item, Line, Period, Price, Subscription


@dataclass
class Change:
    """An item as it is to be: without a price it goes, and one that is not there yet comes."""

    item: Item
    price: Price | None
    quantity: Fraction
    is_new: bool = False

    @property
    def does_nothing(self) -> bool:
        same = self.item.price is self.price and self.item.quantity == self.quantity
        return same and not self.is_new


def covering(subscription: Subscription, item: Item, now: datetime) -> list[Line]:
    """The lines that the customer has this moment of the item by."""
    found = []
    for line in subscription.lines:
        if line.item != item.name or line.kind not in ("period", "remaining") or line.credited:
            continue
        if line.start is None or line.end is None or not line.start <= now < line.end:
            continue
        if line.invoice is None or line.invoice.status != "void":
            found.append(line)
    return found


def update(
    books: Books, subscription: Subscription, changes: list[Change], proration: str, credits: str
) -> Invoice | None:
    """What changes is made, and paid for as `proration` says. Of a trial and of a free stub nothing is."""
    now, period = books.now, subscription.period
    charged = proration != "none" and period.kind != "trial" and not period.free
    lines: list[Line] = []
    given_back = GivenBack()
    new: list[Change] = []
    for change in changes:
        if change.does_nothing:
            continue
        if charged:
            give_back(books, subscription, change.item, credits, lines, given_back)
            change.item.revision += 1
        apply(subscription, change)
        if charged and change.price:
            new.append(change)
    discounts = discounts_of(books, subscription, new)
    lines += [new_line(books, subscription, change, credits, off) for change, off in zip(new, discounts)]
    subscription.lines.extend(line for line in lines if line.kind == "remaining")
    for invoice in given_back.invoices:
        billing.lowered(books, invoice, now)
    books.note(now, subscription, "updated")
    if proration == "always_invoice" and lines:
        return billing.make(books, subscription, "subscription_update", lines, now)
    if lines:
        books.pending.setdefault(subscription.customer, []).extend(lines)
        if books.rules.pending_grants_at_once:
            for line in lines:
                grant_at_once(subscription, line, now)
    return None


def apply(subscription: Subscription, change: Change) -> None:
    if change.price is None:
        subscription.items.remove(change.item)
        return
    change.item.price, change.item.quantity = change.price, change.quantity
    if change.is_new:
        subscription.items.append(change.item)


@dataclass
class GivenBack:
    """The invoices that were lowered."""

    invoices: list[Invoice] = field(default_factory=list)


def give_back(
    books: Books, subscription: Subscription, item: Item, credits: str, lines: list[Line], given_back: GivenBack
) -> None:
    """The rest of what covers this moment: lowered where nothing of it is paid, and a line below zero where it is."""
    now = books.now
    credited = covering(subscription, item, now)
    for line in credited:
        unused = unused_of(books, subscription, item, line)
        if line.invoice is None or line.invoice.unpaid:
            unspent = unspent_share(line, now) if credits == "prorate" else Fraction(1)
            billing.lower(line, now, books, unspent, None if line.discount else unused)
            if line.invoice and line.invoice not in given_back.invoices:
                given_back.invoices.append(line.invoice)
        else:
            # What went back of it already is not given back again.
            left = line.paid if not line.refunded else line.paid * (1 - line.refunded / line.gross)
            left = ZERO if line.invoice.dispute in ("open", "lost") else left
            amount = min(unused, left)
            if amount > 0:
                lines.append(
                    Line(
                        "unused",
                        subscription.name,
                        item.name,
                        -amount,
                        line.rate,
                        line.inclusive,
                        now,
                        line.end,
                        line.product,
                    )
                )
        line.credited = True
    # A line whose credits are running is not always one that still pays for something: where they were left alone before.
    if books.rules.kept_goes_later:
        every = [line for line in subscription.lines if line.item == item.name and line.kind != "trial"]
        credited = [line for line in every if line in credited or plan_credits.is_under_way(line.rows, now)]
    rows = [row for line in credited for row in line.rows]
    plan_credits.give_up(rows, now, credits == "prorate")


def unused_of(books: Books, subscription: Subscription, item: Item, line: Line) -> Fraction:
    """What is left of what was to be paid. Where a line costs what the rest of the period does, so does what is left of it."""
    period, now, decimals = subscription.period, books.now, books.decimals
    full = item.price.amount(item.quantity, decimals)
    if not line.discount and line.end == period.end:
        if line.amount == part(full, period.grid_start, period.end, line.start, decimals):
            return part(full, period.grid_start, period.end, now, decimals)
    return part(line.paid, line.start, line.end, now, decimals)


def unspent_share(line: Line, now: datetime) -> Fraction:
    """How much is unspent of the credits that a change takes of a line: of one that nobody paid, what is spent is paid for."""
    under_way = [row for row in line.rows if row.status in plan_credits.LIVE and not row.cut and row.start <= now < row.end]
    under_way = [row for row in under_way if row.expires_at is None or row.expires_at > now]
    shares = [(part(row.credits, row.start, row.end, now, row.plan.decimals), row.left) for row in under_way]
    every = sum((share for share, _ in shares), ZERO)
    return sum((min(share, left) for share, left in shares), ZERO) / every if every else Fraction(1)


def new_line(books: Books, subscription: Subscription, change: Change, credits: str, off: Fraction) -> Line:
    """What remains of the period. Of a stub, the price is that of the whole period that it is cut from."""
    now, period, price = books.now, subscription.period, change.price
    full = price.amount(change.quantity, books.decimals)
    amount = part(full, period.grid_start, period.end, now, books.decimals)
    rate = books.customers[subscription.customer].rate
    line = Line(
        "remaining", subscription.name, change.item.name, amount, rate, price.inclusive, now, period.end, price.product
    )
    line.discount = amount - part(full - off, period.grid_start, period.end, now, books.decimals)
    own = [line for line in subscription.lines if line.item == change.item.name and line.kind != "trial"]
    before = [row for line in own for row in line.rows]
    line.rows = plan_credits.remaining(change.item, price, change.quantity, period, now, credits == "prorate", before)
    return line


def discounts_of(books: Books, subscription: Subscription, changes: list[Change]) -> list[Fraction]:
    """What the coupon takes off a whole period of each item that changes: of a percentage its part of what it takes off all
    items as they will be, of an amount its part of what the others leave of it."""
    coupon, now = subscription.coupon, books.now
    if coupon is None or not changes or not is_discounted(subscription):
        return [ZERO] * len(changes)

    def price_of(item: Item) -> Fraction:
        eligible = coupon.products is None or item.price.product in coupon.products
        return item.price.amount(item.quantity, books.decimals) if eligible else ZERO

    prices = [price_of(item) for item in subscription.items]
    if coupon.percent is not None:
        most = billing.percent_of(coupon.percent, sum(prices, ZERO), books)
    else:
        most = min(coupon.amount_off, sum(prices, ZERO))
    shares = invoicing.split(most, prices, books.decimals) if most else [ZERO] * len(prices)
    changed = [change.item for change in changes]
    off = [shares[subscription.items.index(item)] for item in changed]
    if coupon.percent is not None:
        return off
    others = [item for item in subscription.items if item not in changed]
    used = sum((line.discount for item in others for line in covering(subscription, item, now)), ZERO)
    at_most = sum((price_of(item) for item, share in zip(changed, off) if share), ZERO)
    left = min(max(coupon.amount_off - used, ZERO), at_most)
    return invoicing.split(left, off, books.decimals) if left else [ZERO] * len(off)


def is_discounted(subscription: Subscription) -> bool:
    """Whether the coupon takes something off the current period: one for once, its invoice."""
    start, started = subscription.period.start, billing.discount_started_at(subscription)
    if started is None:
        return False
    return started == start if subscription.coupon.duration == "once" else billing.runs(subscription, start)


def grant_at_once(subscription: Subscription, line: Line, now: datetime) -> None:
    """The customer pays with the next invoice. What waits for a first payment goes on waiting, for this line's
    invoice."""
    for row in line.rows:
        if row.plan.first_grant != "after_first_payment" or subscription.paid_money:
            plan_credits.grant(row, now, subscription)


def move(
    books: Books, subscription: Subscription, changes: list[Change], proration: str, credits: str
) -> Invoice | None:
    """All items move to another interval: the period ends, and one of that begins. In a trial nothing else does."""
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
