"""The journal as Python reads it, and what double entry demands of it, added up here and not by the database."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg


class Entry(NamedTuple):
    """One row of credits.journal."""

    currency: str
    customer: str
    line_no: int
    account: str | None
    amount: Decimal
    category: str | None
    cost_basis: Decimal | None
    effective_at: datetime


def read(connection: psycopg.Connection[Any]) -> list[Entry]:
    rows = connection.execute(
        "SELECT currency, customer_id, line_no, account, amount, category, cost_basis, effective_at"
        " FROM credits.journal"
    )
    return [Entry(*row) for row in rows]


def double_entry(connection: psycopg.Connection[Any], entries: list[Entry]) -> list[str]:
    """What is wrong: every ledger line has two accounts in the journal and sums to zero, and the trial balance is the
    sum of the journal and sums to zero itself."""
    return _lines(connection, entries) + _trial_balance(connection, entries)


def _lines(connection: psycopg.Connection[Any], entries: list[Entry]) -> list[str]:
    lines: dict[tuple[str, str, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        lines[entry.currency, entry.customer, entry.line_no].append(entry)
    wrong = []
    for key, sides in lines.items():
        accounts = {side.account for side in sides}
        total = sum(side.amount for side in sides)
        if len(sides) != 2 or len(accounts) != 2 or None in accounts or total != 0:
            wrong.append(f"{key}: {[(side.account, side.amount) for side in sides]}")
        elif sides[0].amount == 0:
            wrong.append(f"{key}: moves nothing")
    posted = connection.execute("SELECT count(*) FROM credits_internal.lines").fetchone()
    if posted != (len(lines),):
        wrong.append(f"{len(lines)} lines in the journal, {posted} in the ledger")
    return wrong


def _trial_balance(connection: psycopg.Connection[Any], entries: list[Entry]) -> list[str]:
    accounts: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for entry in entries:
        accounts[entry.currency, entry.account] += entry.amount
    totals: dict[str, Decimal] = defaultdict(Decimal)
    wrong = []
    rows = connection.execute("SELECT currency, account, balance FROM credits.trial_balance")
    for currency, account, balance in rows:
        totals[currency] += balance
        if accounts.pop((currency, account), None) != balance:
            wrong.append(f"trial balance: {currency} {account} is {balance}, not the sum of the journal")
    wrong += [f"not in the trial balance: {account}" for account in accounts]
    wrong += [f"trial balance: {currency} sums to {total}" for currency, total in totals.items() if total != 0]
    return wrong if totals else [*wrong, "the trial balance is empty"]
