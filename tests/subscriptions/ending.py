"""Cancelling, with and without a refund, and pausing."""

from __future__ import annotations

from datetime import datetime

import billing
import plan_credits
from periods import index_at, part
from proration import unspent_share
from things import ZERO, Books, Invoice, Line, Period, Subscription


def cancel(
    books: Books, subscription: Subscription, at: datetime, refund: str = "none", state: str = "canceled",
    gives_up: bool = False,
) -> None:
    """It ends at that moment. The refund takes its credits first: what has not begun goes with the money, not on top of
    it."""
    subscription.state, subscription.ended_at = state, at
    subscription.canceled_at = subscription.canceled_at or at
    if refund == "proration":
        refund_rest(books, subscription, at)
        if books.rules.refund_lowers_unpaid:
            lower_unpaid(books, subscription, at)
    elif refund == "last":
        refund_last(books, subscription, at)
    last = last_invoice(books, subscription, at) if state == "canceled" and not gives_up else None
    for invoice in subscription.invoices:
        if invoice.status == "open" and invoice is not last and (gives_up or not was_used(subscription, invoice, at)):
            billing.void(books, invoice, at)
    plan_credits.end_from(subscription.rows(), at)
    subscription.resumes_at = subscription.paused_at = None
    books.note(at, subscription, state)


def was_used(subscription: Subscription, invoice: Invoice, at: datetime) -> bool:
    """What was sent for time before the end stays owed."""
    begins = [line.start for line in invoice.lines if line.start]
    return subscription.collection == "send_invoice" and bool(begins) and min(begins) < at


def last_invoice(books: Books, subscription: Subscription, at: datetime) -> Invoice | None:
    """Where changes are still to be charged for, there is one more invoice, of all that is pending."""
    own = [line for line in books.pending.get(subscription.customer, []) if line.subscription == subscription.name]
    if sum((line.paid for line in own), ZERO) <= 0:
        return None
    return billing.make(books, subscription, "subscription_cycle", [], at)


def refund_rest(books: Books, subscription: Subscription, at: datetime) -> None:
    """Of each paid line that covers the moment, what is left of its own time, with tax."""
    for invoice in books.invoices.values():
        if invoice.status == "paid":
            wanted = {
                number: part(line.gross, line.start, line.end, at, books.decimals)
                for number, line in enumerate(invoice.lines)
                if covers(subscription, line, at)
            }
            billing.refund(books, invoice, at, wanted)


def covers(subscription: Subscription, line: Line, at: datetime) -> bool:
    if line.subscription != subscription.name or line.kind not in ("period", "remaining") or line.credited:
        return False
    return line.start is not None and line.end is not None and line.start <= at < line.end


def lower_unpaid(books: Books, subscription: Subscription, at: datetime) -> None:
    """What nobody paid yet of the time after the end is not charged, except of invoices that the end makes void: what waits
    for an invoice, what is on one of another subscription, and what was sent. What is spent of its credits stays."""
    lowered: list[Invoice] = []
    for line in subscription.lines:
        invoice = line.invoice
        if not covers(subscription, line, at) or invoice and not invoice.unpaid:
            continue
        own = invoice is not None and invoice.subscription == subscription.name and invoice.status == "open"
        if own and not was_used(subscription, invoice, at):
            continue
        billing.lower(line, at, books, unspent_share(line, at))
        line.credited = True
        plan_credits.give_up(line.rows, at, True)
        if invoice and invoice not in lowered:
            lowered.append(invoice)
    for invoice in lowered:
        billing.lowered(books, invoice, at)


def refund_last(books: Books, subscription: Subscription, at: datetime) -> None:
    paid = [invoice for invoice in subscription.invoices if invoice.status == "paid" and invoice.amount_paid > 0]
    if paid:
        billing.refund_all(books, max(paid, key=lambda invoice: (invoice.paid_at, len(invoice.name), invoice.name)), at)


def pause(books: Books, subscription: Subscription, at: datetime, resumes_at: datetime | None) -> None:
    subscription.state, subscription.paused_at, subscription.resumes_at = "paused", at, resumes_at
    plan_credits.suspend(subscription.rows(), at, resumes_at)
    books.note(at, subscription, "paused")


def resume(books: Books, subscription: Subscription, at: datetime) -> None:
    """Within its period it goes on; after that a new one begins, from this moment on."""
    plan_credits.bring_back(subscription.rows(), at, books.rules.resume_gives_running)
    subscription.state, subscription.paused_at, subscription.resumes_at = "active", None, None
    for line in subscription.lines:
        for row in line.rows:
            if row.status == "halted":
                row.status = "planned" if row.start >= at else "ended"
                if row.status == "planned" and line.invoice and line.invoice.status == "paid":
                    plan_credits.grant(row, at, subscription)
    plan_credits.judge(subscription.rows(), subscription)
    books.note(at, subscription, "resumed")
    if any(invoice.failed or invoice.due_date and invoice.due_date <= at for invoice in subscription.unpaid()):
        billing.past_due(books, subscription, books.now)
    if at >= subscription.period.end:
        subscription.anchor = at
        begin_period(books, subscription, at, "subscription_cycle")


def begin_period(books: Books, subscription: Subscription, start: datetime, reason: str) -> None:
    """The first paid period, or the next, with its invoice. It is a stub where it begins after its boundary."""
    interval, anchor = subscription.interval, subscription.anchor
    number = index_at(anchor, interval, start)
    grid_start, end = interval.after(anchor, number), interval.after(anchor, number + 1)
    stub = grid_start < start
    period = Period("stub" if stub else "full", start, end, grid_start, stub and not subscription.charges_stub)
    subscription.periods.append(period)
    lines = [billing.period_line(books, subscription, item, period) for item in subscription.items]
    subscription.lines.extend(lines)
    billing.make(books, subscription, reason, lines, start)
