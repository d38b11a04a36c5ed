"""What the model holds as plain data, in an order that does not depend on how it came about: for comparing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from invoicing import model as invoicing
from periods import text_of
from things import Books, Invoice, Line, Row, Subscription


def of(books: Books) -> dict[str, Any]:
    return {
        "subscriptions": {name: subscription_of(one) for name, one in books.subscriptions.items()},
        "invoices": {name: invoice_of(one) for name, one in books.invoices.items()},
        "pending": {name: lines_of(lines) for name, lines in books.pending.items() if lines_of(lines)},
        "refunds": sorted([text_of(one.at), one.invoice, number(one.amount), one.why] for one in books.refunds),
        "requests": sorted([text_of(at), invoice] for at, invoice in books.requests),
    }


def number(value: Any) -> str:
    return f"{invoicing.decimal(Fraction(value)).normalize():f}"


def subscription_of(one: Subscription) -> dict[str, Any]:
    return {
        "status": one.state,
        "items": sorted([item.name, item.price.name, number(item.quantity)] for item in one.items),
        "anchor": text_of(one.anchor),
        "periods": [[period.kind, text_of(period.start), text_of(period.end)] for period in one.periods],
        "cancel_at": text_of(one.cancel_at),
        "cancel_at_period_end": one.cancel_at_period_end,
        "canceled_at": text_of(one.canceled_at),
        "ended_at": text_of(one.ended_at),
        "past_due_at": text_of(one.past_due_at),
        "resumes_at": text_of(one.resumes_at),
        "grants": sorted(grant_of(row) for row in one.rows() if row.status == "granted"),
    }


def grant_of(row: Row) -> list[Any]:
    """Item, start of the period, number; start, expiry, credits, and what was taken of them. What ended before it began
    is left out, and so is the revision."""
    key = [row.item, text_of(row.period_start), row.no]
    times = [text_of(row.starts_at) or "", text_of(row.expires_at) or "never"]
    return [*key, *times, number(row.credits), number(row.taken), number(row.spent)]


def invoice_of(one: Invoice) -> dict[str, Any]:
    return {
        "reason": one.reason,
        "status": one.status,
        "at": text_of(one.at),
        "made": text_of(one.made),
        "subtotal": number(one.subtotal),
        "discount": number(one.discount),
        "tax": number(one.tax),
        "total": number(one.total),
        "paid": number(one.amount_paid),
        "refunded": number(one.refunded),
        "due_date": text_of(one.due_date),
        "lines": lines_of(one.lines),
    }


def lines_of(lines: list[Line]) -> list[list[Any]]:
    """Those of 0 are left out: they say nothing."""
    return [
        [
            line.kind,
            line.item,
            number(line.amount),
            number(line.discount),
            number(line.tax),
            text_of(line.start),
            text_of(line.end),
        ]
        for line in lines
        if line.amount
    ]
