"""What grants cost, after the random mix: what each ledger line did to the money, computed from the books alone and held
against the journal and the view revenue. Shares are whole numbers of cents of a fraction, and share no code with SQL.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg

from books import NOTHING, Account, Books, Grant, Line, by_operation
from rules import Count

Connection = psycopg.Connection[Any]

# Where the money of a line goes that is deferred no longer.
BECOMES = {
    "consumption": "recognised", "debit": "recognised", "capture": "recognised", "expiration": "breakage",
    "void": "breakage", "refund": "refunded", "hold": "deferred", "release": "deferred",
    "suspension": "deferred", "resumption": "deferred", "grant": "received",
    "transfer": "received",
}  # fmt: skip
# What reversals take back, by customer and operation.
Reversed = dict[tuple[str, str | None], str]

# Of each line of a grant with a cost: what it adds to what is deferred, and where that comes from.
Moves = dict[tuple[str, int], tuple[Decimal, str]]


def of_lines(connection: Connection, books: Books, count: Count) -> list[str]:
    """The journal has of every line the difference of the cost's rounded share."""
    found: dict[tuple[str, int], list[tuple[Decimal, str]]] = defaultdict(list)
    for customer, line_no, cost, account in connection.execute(
        "SELECT customer_id, line_no, cost_amount, cost_account FROM credits.journal WHERE cost_account IS NOT NULL"
    ):
        found[customer, line_no].append((cost, account))
    wrong = []
    for key, (deferred_, becomes) in computed(connection, books).items():
        count(f"cost: {becomes}")
        if sorted(found.pop(key, [])) != sorted([(deferred_, "deferred"), (-deferred_, becomes)]):
            wrong.append(f"line {key} defers {deferred_}, {becomes}")
    return wrong + [f"line {key} should move no money: {sides}" for key, sides in found.items()]


def computed(connection: Connection, books: Books) -> Moves:
    rows = connection.execute("SELECT customer_id, operation_id::text, reversed_type FROM credits_internal.reversals")
    reversed_: Reversed = {(customer, operation): type_ for customer, operation, type_ in rows}
    return {
        (account.customer, line.line_no): (after - before, _becomes(account, line, reversed_))
        for account in books.values()
        for line, before, after in _of_account(account)
    }


def _of_account(account: Account) -> list[tuple[Line, Decimal, Decimal]]:
    """Of each line what was deferred of its grant before and after it."""
    kept: dict[str, Decimal] = defaultdict(Decimal)
    moves = []
    for line in account.lines:
        grant = account.grants.get(line.grant or "")
        if grant is not None and grant.cost_amount is not None:
            before = deferred(grant, kept[grant.id])
            if line.type not in ("suspension", "resumption"):
                kept[grant.id] += line.amount + line.held
            moves.append((line, before, deferred(grant, kept[grant.id])))
    return moves


def _becomes(account: Account, line: Line, reversed_: Reversed) -> str:
    if line.type == "adjustment":
        return "received" if line.amount > 0 else "breakage"
    type_ = reversed_[account.customer, line.operation] if line.type == "reversal" else line.type
    return BECOMES.get(type_, "breakage")


def deferred(grant: Grant, kept: Decimal) -> Decimal:
    """What is still to be earned of a grant that has so many credits left."""
    assert grant.cost_amount is not None
    cents = Fraction(grant.cost_amount) * Fraction(grant.amount - kept) / Fraction(grant.amount) * 100
    earned = Decimal((2 * cents.numerator + cents.denominator) // (2 * cents.denominator)).scaleb(-2)
    return grant.cost_amount - earned


def of_transfers(connection: Connection, books: Books, count: Count) -> list[str]:
    """Each part of a transfer arrived with the money that was taken for it."""
    moves = computed(connection, books)
    sides: dict[str, dict[bool, list[Decimal]]] = defaultdict(lambda: {True: [], False: []})
    for account in books.values():
        for operation, lines in by_operation(account).items():
            for line in lines:
                if line.type == "transfer" and (account.customer, line.line_no) in moves:
                    sides[operation][line.amount > 0].append(abs(moves[account.customer, line.line_no][0]))
    for _ in sides:
        count("transfers with a cost")
    return [f"transfer {operation}: {side}" for operation, side in sides.items() if side[True] != side[False]]


def in_total(connection: Connection, books: Books) -> list[str]:
    """All that was paid is recognised, breakage, paid back or deferred in the view revenue, each to the cent."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for deferred_, becomes in computed(connection, books).values():
        if becomes != "received":
            totals[becomes] -= deferred_
    never = NOTHING
    for account in books.values():
        begun = {line.grant for line in account.lines}
        for grant in account.grants.values():
            if grant.cost_amount is not None and grant.transferred_from is None:
                totals["received"] += grant.cost_amount
            if grant.cost_amount is not None and grant.id not in begun:
                never += grant.cost_amount
    totals["breakage"] += never
    row = connection.execute(
        "SELECT sum(received), sum(recognised), sum(breakage), sum(refunded) FROM credits.revenue"
    ).fetchone()
    names = ("received", "recognised", "breakage", "refunded")
    wrong = [] if row == tuple(totals[name] for name in names) else [f"{row} in revenue, {dict(totals)} by the lines"]
    return wrong + [
        str(row)
        for row in connection.execute(
            "SELECT day, category, deferred FROM credits.revenue WHERE deferred < 0"
        )
    ]
