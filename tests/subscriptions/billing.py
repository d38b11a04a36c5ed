"""Invoices: what they come to, how they are paid or void, and what that does to their subscription."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import plan_credits
from invoicing import model as invoicing
from periods import Interval, part, rounded
from things import ZERO, Books, Invoice, Item, Line, Period, Refund, Subscription


def can_charge(books: Books, subscription: Subscription) -> bool:
    return books.customers[subscription.customer].method


def make(
    books: Books, subscription: Subscription, reason: str, lines: list[Line], at: datetime, begins: bool = False
) -> Invoice:
    """Made, worked out and given out. One by which an update begins a period is as that of a renewal."""
    period, now = subscription.period, books.now
    name = f"{subscription.name}#{len(subscription.invoices) + 1}"
    invoice = Invoice(name, subscription.name, reason, at, now, period.start, period.end, lines)
    if reason in books.rules.takes_pending or begins:
        invoice.taken = books.pending.pop(subscription.customer, [])
        invoice.lines = [*lines, *invoice.taken]
    for line in invoice.lines:
        line.invoice = invoice
    if reason != "subscription_update" or begins:
        discount(books, subscription, invoice)
    # Lines of an update have theirs from there.
    invoice.discounted = any(line.discount for line in lines)
    subscription.invoices.append(invoice)
    books.invoices[name] = invoice
    work_out(books, invoice)
    books.note(at, subscription, f"invoice {reason}")
    if invoice.total <= 0:
        withhold(books, invoice)
    if invoice.total <= 0:
        close(books, subscription, invoice, at)
    elif subscription.collection == "send_invoice":
        invoice.due_date = now + timedelta(days=subscription.days_until_due)
    elif can_charge(books, subscription):
        books.requests.append((now, name))
    else:
        failed(books, subscription, invoice, now)
    return invoice


def eligible(subscription: Subscription, line: Line) -> bool:
    coupon = subscription.coupon
    return coupon is not None and line.amount > 0 and (coupon.products is None or line.product in coupon.products)


def discount_started_at(subscription: Subscription) -> datetime | None:
    """Where the first invoice begins, of those not void, that something was taken off."""
    found = [invoice.start for invoice in subscription.invoices if invoice.status != "void" and invoice.discounted]
    return found[0] if found else None


def runs(subscription: Subscription, start: datetime) -> bool:
    """Whether the coupon still takes something off what begins then."""
    coupon, started = subscription.coupon, discount_started_at(subscription)
    if coupon is None:
        return False
    if coupon.duration == "once":
        return started is None
    if coupon.duration == "repeating" and started is not None:
        return start < Interval("month", coupon.months).after(started)
    return True


def discount(books: Books, subscription: Subscription, invoice: Invoice) -> None:
    """What the coupon takes off the lines of the period. What was pending has what it was made with."""
    coupon = subscription.coupon
    lines = [line for line in invoice.lines if line.kind == "period" and eligible(subscription, line)]
    every = sum((line.amount for line in lines), ZERO)
    if coupon is None or not lines or not runs(subscription, invoice.start):
        return
    take_off(
        lines, percent_of(coupon.percent, every, books) if coupon.percent is not None else coupon.amount_off, books
    )


def percent_of(percent: Fraction, amount: Fraction, books: Books) -> Fraction:
    return rounded(amount * percent / 100, books.decimals)


def take_off(lines: list[Line], off: Fraction, books: Books) -> None:
    """So much, and at most what they cost, in proportion."""
    weights = [line.amount for line in lines]
    for line, share in zip(lines, invoicing.split(min(off, sum(weights, ZERO)), weights, books.decimals)):
        line.discount = share


def lower(
    line: Line, now: datetime, books: Books, share: Fraction = Fraction(1), amount: Fraction | None = None
) -> None:
    """The rest of its time is taken out of a line that nobody paid, or a share of it."""
    freed = ZERO
    if amount is None:
        amount = part(line.amount, line.start, line.end, now, books.decimals)
        freed = amount - part(line.paid, line.start, line.end, now, books.decimals)
    line.amount -= rounded(amount * share, books.decimals)
    line.discount -= rounded(freed * share, books.decimals)


def work_out(books: Books, invoice: Invoice) -> None:
    """Its tax and totals."""
    given = [invoicing.Line(line.amount, line.discount, line.rate, line.inclusive) for line in invoice.lines]
    found = invoicing.of(given, ZERO, books.decimals)
    for line, own in zip(invoice.lines, found.parts):
        line.tax = own.tax
    invoice.subtotal, invoice.discount, invoice.tax, invoice.total = (
        found.subtotal,
        found.discount,
        found.tax,
        found.total,
    )


def close(books: Books, subscription: Subscription, invoice: Invoice, at: datetime) -> None:
    """Nothing is to be paid: it is paid, and what is below zero waits for the next invoice."""
    if invoice.total < 0:
        left = Line("left_over", None, None, invoice.total, ZERO, False, None, None)
        books.pending.setdefault(subscription.customer, []).append(left)
    settle(books, subscription, invoice, at)


def settle(books: Books, subscription: Subscription, invoice: Invoice, at: datetime) -> None:
    """It is paid: its lines grant, and its subscription is active where that was what it waited for."""
    invoice.status, invoice.paid_at = "paid", at
    invoice.amount_paid = max(invoice.total, ZERO)
    subscription.paid_money |= invoice.amount_paid > 0
    for line in invoice.lines:
        owner = books.subscriptions.get(line.subscription or "")
        if owner:
            grant(owner, line, at)
    if subscription.state == "incomplete":
        subscription.state = "active"
        books.note(at, subscription, "active")
    leave_past_due(books, subscription, at)


def grant(subscription: Subscription, line: Line, at: datetime) -> None:
    for row in line.rows:
        if row.status == "planned":
            plan_credits.grant(row, at, subscription)


def withhold(books: Books, invoice: Invoice) -> None:
    """Nothing is to be paid, and no money came before: what waits for a first payment is not granted, then or later."""
    for line in invoice.lines:
        owner = books.subscriptions.get(line.subscription or "")
        for row in line.rows if owner and not owner.paid_money else []:
            if row.plan.first_grant == "after_first_payment" and row.status == "planned":
                row.status = "ended"


def owes(books: Books, subscription: Subscription, now: datetime) -> bool:
    """Whether something keeps it past due."""
    for invoice in subscription.unpaid():
        waits = invoice.status == "open" and invoice.due_date is not None and invoice.due_date > now
        if not (waits and books.rules.only_overdue_counts):
            return True
    return False


def leave_past_due(books: Books, subscription: Subscription, at: datetime) -> None:
    if subscription.state == "past_due" and not owes(books, subscription, at):
        subscription.state, subscription.past_due_at, subscription.retried = "active", None, 0
        books.note(at, subscription, "active")


def failed(books: Books, subscription: Subscription, invoice: Invoice, at: datetime) -> None:
    invoice.failed = True
    if subscription.state == "active":
        past_due(books, subscription, at)


def past_due(books: Books, subscription: Subscription, at: datetime) -> None:
    subscription.state, subscription.past_due_at, subscription.retried = "past_due", at, 0
    books.note(at, subscription, "past_due")


def paid(books: Books, invoice: Invoice, now: datetime) -> None:
    """A provider reports all of its money."""
    subscription = books.subscriptions[invoice.subscription]
    if invoice.unpaid:
        settle(books, subscription, invoice, now)
    elif invoice.status != "paid" or invoice.amount_paid:
        # Too late, or twice: it goes back.
        books.refunds.append(Refund(now, invoice.name, invoice.total, "for nothing"))


def void(books: Books, invoice: Invoice, at: datetime) -> None:
    """Not owed. What was pending before it was made waits again."""
    subscription = books.subscriptions[invoice.subscription]
    invoice.status = "void"
    again = (
        invoice.taken
        if books.rules.void_frees_pending
        else [line for line in invoice.taken if line.kind == "left_over"]
    )
    for line in again:
        line.invoice, line.tax = None, ZERO
    if again:
        waiting = books.pending.setdefault(subscription.customer, [])
        waiting[:0] = again
    for line in invoice.lines:
        if line not in again:
            for row in line.rows:
                row.status = "ended" if row.status == "planned" else row.status
    invoice.lines = [line for line in invoice.lines if line not in again]
    books.note(at, subscription, "void")
    leave_past_due(books, subscription, at)


def lowered(books: Books, invoice: Invoice, at: datetime) -> None:
    """A line of it was lowered: it comes to less, and may be paid by that."""
    subscription = books.subscriptions[invoice.subscription]
    work_out(books, invoice)
    if invoice.total <= 0:
        withhold(books, invoice)
        close(books, subscription, invoice, at)


def refund(books: Books, invoice: Invoice, at: datetime, wanted: dict[int, Fraction]) -> None:
    """Of lines by their number, each so much with tax, at most what remains of the invoice's money; their credits go
    with it."""
    for number, amount in wanted.items():
        line = invoice.lines[number]
        amount = min(amount, line.gross - line.refunded, invoice.kept)
        if amount <= 0:
            continue
        line.refunded += amount
        invoice.refunded += amount
        books.refunds.append(Refund(at, invoice.name, amount, "proration"))
        plan_credits.take_share(line, line.refunded / line.gross, at)


def refund_all(books: Books, invoice: Invoice, at: datetime) -> None:
    """All that remains of an invoice's money, and of its credits."""
    amount = invoice.kept
    if amount <= 0:
        return
    invoice.refunded += amount
    books.refunds.append(Refund(at, invoice.name, amount, "last"))
    for line in invoice.lines:
        plan_credits.take_share(line, invoice.refunded / invoice.amount_paid, at)


def disputed(books: Books, invoice: Invoice, at: datetime) -> None:
    """The payer wants all of it back: its credits go while nobody knows."""
    invoice.dispute = "open"
    for line in invoice.lines:
        plan_credits.dispute(line.rows, at)


def decided(books: Books, invoice: Invoice, won: bool, at: datetime) -> None:
    """What was won brings back what the dispute took."""
    invoice.dispute = "won" if won else "lost"
    for line in invoice.lines:
        owner = books.subscriptions.get(line.subscription or "")
        if won and owner:
            plan_credits.restore(line.rows, at, owner)


def period_line(books: Books, subscription: Subscription, item: Item, period: Period) -> Line:
    """An item's line of a period: a stub in proportion, a free one for nothing."""
    price, decimals = item.price, books.decimals
    amount = part(price.amount(item.quantity, decimals), period.grid_start, period.end, period.start, decimals)
    rate = books.customers[subscription.customer].rate
    line = Line("period", subscription.name, item.name, ZERO if period.free else amount, rate, price.inclusive,
                period.start, period.end, price.product)  # fmt: skip
    item.revision = 0
    line.rows = plan_credits.planned(item, price, item.quantity, period)
    return line
