"""Limits in the random mix: set before it, and held against every line of the ledger after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from calls import BUDGETED, BUDGETS

Connection = psycopg.Connection[Any]
SPENDING = """
    SELECT l.customer_id, l.line_no, l.type, l.member_id, l.effective_at, l.operation_id::text, l.reversed_operation_id::text,
           l.pending - l.amount - l.held AS spent
    FROM credits.ledger l
    WHERE l.customer_id = ANY (%s)
      AND (l.type IN ('consumption', 'debt', 'capture') OR l.type IN ('debit', 'reversal') AND l.function <> 'wallet_adjust')
    ORDER BY l.customer_id, l.line_no
"""


def set_limits(connection: Connection) -> None:
    for wallet in BUDGETED:
        for member, most, seconds in BUDGETS:
            values = [wallet, most, f"{seconds} seconds"]
            if member is None:
                connection.execute("SELECT credits.usage_limit_set(%s, NULL, %s, %s)", values)
            else:
                connection.execute("SELECT credits.member_limit_set(%s, %s, %s, %s)", [wallet, member, *values[1:]])


def kept(connection: Connection, count: Callable[[str], None]) -> list[str]:
    """Nothing was ever spent beyond a limit: after each line that spends, what its window has is added up from the lines.
    What came back counts when it was spent. And limits had to do with it: some of them were nearly used up."""
    spent: dict[str, list[tuple[datetime, str | None, Decimal]]] = defaultdict(list)
    times: dict[str, datetime] = {}
    wrong = []
    for customer, line_no, kind, member, at, operation, reversed_, amount in connection.execute(SPENDING, [BUDGETED]):
        if operation is not None:
            times.setdefault(operation, at)
        if kind == "reversal" and reversed_ not in times:
            continue  # of an adjustment
        when = times[reversed_] if kind == "reversal" else at
        spent[customer].append((when, member, amount))
        for who, most, seconds in BUDGETS if amount > 0 else ():
            since = at - timedelta(seconds=seconds)
            used = sum(part for then, by, part in spent[customer] if then > since and who in (None, by))
            if used > most and who in (None, member):
                wrong.append(f"{customer}: {used} spent by {who or 'all'} within {seconds} s at line {line_no}, {most} allowed")
            if used > most * Decimal("0.9"):
                count("limits nearly used up")
    return wrong
