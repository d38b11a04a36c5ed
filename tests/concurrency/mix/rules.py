"""After the random mix: what has to hold whatever the sessions were told, recomputed in Python from the books.

Each function returns what is wrong, so that an empty list is right. What a function met is told to `count`, because a
rule that was never put to the test proves nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import psycopg

from books import NOTHING, SPENDING, Account, Books, Grant, by_operation
from calls import Done

Connection = psycopg.Connection[Any]
Count = Callable[[str], None]
NEVER = datetime.max.replace(tzinfo=timezone.utc)


def below_zero(connection: Connection, books: Books) -> list[str]:
    """Nothing of an account, a grant or an event is negative, nor was at any line."""
    wrong = [
        f"{account.customer} after line {line_no}: {state}"
        for account in books.values()
        for line_no, state in enumerate(account.states)
        if min(state) < 0
    ]
    return wrong + _rows(
        connection,
        "SELECT 'account', customer_id, available, restricted, held, pending FROM credits_internal.accounts"
        " WHERE least(available, restricted, held, pending, available - head_floor) < 0",
        "SELECT 'grant', customer_id, remaining FROM credits_internal.credit_grants WHERE remaining NOT BETWEEN 0 AND amount",
        "SELECT 'event', customer_id, identifier FROM credits_internal.meter_events WHERE least(consumed, pending) < 0",
        "SELECT 'grant by its lines', customer_id, grant_id, sum(amount), sum(held) FROM credits_internal.lines"
        " GROUP BY 2, 3 HAVING least(sum(amount), sum(held)) < 0",
    )


def lines_in_order(books: Books) -> list[str]:
    """Lines are numbered without a gap, their balances add up, and their times never go back."""
    wrong = []
    for account in books.values():
        before = None
        for place, line in enumerate(account.lines, start=1):
            state = account.states[place]
            if line.line_no != place or line.running_balance != state.available + state.restricted:
                wrong.append(f"{line} is number {place}, with {state}")
            if line.effective_at > line.created_at:
                wrong.append(f"{line} takes effect after it was posted")
            if before and (line.effective_at < before.effective_at or line.created_at < before.created_at):
                wrong.append(f"{line} is earlier than {before}")
            before = line
    return wrong


def held_and_pending(connection: Connection, books: Books) -> list[str]:
    """What an account holds is what its open holds hold, what it owes what its events owe, and both are what its lines
    say."""
    wrong = []
    for customer, held, pending in connection.execute("SELECT customer_id, held, pending FROM credits_internal.accounts"):
        account = books[customer]
        by_holds = sum((hold.amount for hold in account.holds.values() if hold.status == "open"), NOTHING)
        by_events = sum((event.pending for event in account.events.values()), NOTHING)
        by_lines = account.states[-1]
        if not held == by_holds == by_lines.held or not pending == by_events == by_lines.pending:
            wrong.append(f"{customer}: {held} held, {by_holds} by its holds, {pending} owed, {by_events} by its events,"
                         f" by its lines {by_lines}")  # fmt: skip
    return wrong


class Terms:
    """The priority and expiry of grants, as they were at each line."""

    def __init__(self, books: Books, done: Sequence[Done]) -> None:
        changes = [one for one in done if one.call.function == "credit_grant_update"]
        # Under its account's lock every change has its place after a line, and its moment among those at that place.
        changes.sort(key=lambda one: (one.last_line, one.at))
        self.changes: dict[tuple[str, str], list[tuple[int, Any]]] = defaultdict(list)
        for one in changes:
            assert one.last_line is not None
            self.changes[one.call.customer, one.id].append((one.last_line, one.terms))
        # What a grant began with is what its maker was told; the plain ways have plain terms.
        self.first = {
            (one.call.customer, one.id): one.terms
            for one in done
            if one.call.function == "credit_grant" and not one.replayed
        }

    def at(self, grant: Grant, line_no: int) -> tuple[int, datetime | None]:
        """Priority and expiry as they were when that line was posted."""
        changes = self.changes.get((grant.customer, grant.id))
        if changes is None:
            return grant.priority, grant.expires_at
        made = bisect_left([after for after, _ in changes], line_no)
        return changes[made - 1][1] if made else self.first.get((grant.customer, grant.id), (50, None))


def drawdown(books: Books, done: Sequence[Done], count: Count) -> list[str]:
    """Every draw was on a grant usable at its moment and for its purpose, and on the first of those in the order.

    Goes through each account's lines in their order with a book of its own.
    """
    terms = Terms(books, done)
    return [line for account in books.values() for line in _draws(account, terms, count)]


def _draws(account: Account, terms: Terms, count: Count) -> list[str]:
    wrong = []
    left: dict[str, Decimal] = defaultdict(Decimal)
    for place, line in enumerate(account.lines):
        if line.grant is None:
            continue
        grant = account.grants[line.grant]
        expires_at = terms.at(grant, line.line_no)[1]
        if line.amount < 0 and (line.type in SPENDING or line.type == "hold"):
            event = account.events[line.identifier].event_name if line.identifier else None
            able = []
            for other in (account.grants[id_] for id_, amount in left.items() if amount > 0):
                priority, ends = terms.at(other, line.line_no)
                pays = other.meters is None or event in other.meters
                if pays and other.effective_at <= line.effective_at < (ends or NEVER):
                    able.append((priority, ends or NEVER, other.category == "paid", other.effective_at, other.id))
            if len(able) > 1:
                count("draws with a choice")
            if line.pending < 0:
                count("debts paid")
            if not able or min(able)[4] != grant.id:
                wrong.append(f"{line} draws on {grant}, first in order is {min(able, default=None)}")
        elif line.type in ("expiration", "void"):
            before = account.lines[place - 1]
            back = before.type in ("release", "reversal") and (before.grant, before.amount) == (grant.id, -line.amount)
            count("lapsed on its way back" if back else f"{line.type}s")
            if line.effective_at < min(expires_at or NEVER, grant.ended_at or NEVER):
                wrong.append(f"{line} ends {grant} before its time")
            if line.type == "void" and (grant.status, grant.ended_at) == ("voided", None):
                wrong.append(f"{line} voids {grant}, which nobody voided")
        left[grant.id] += line.amount
        if left[grant.id] < 0:
            wrong.append(f"{line} overdraws {grant}")
    return wrong


def overdraft(books: Books, done: Sequence[Done], count: Count) -> list[str]:
    """No usage was recorded as owed beyond what the account could owe at that line."""
    wrong = []
    limits: dict[str, list[Done]] = defaultdict(list)
    for one in done:
        if one.call.function == "account_configure" and one.call.terms[0] is not None:
            limits[one.call.customer].append(one)
    for customer, configured in limits.items():
        configured.sort(key=lambda one: (one.last_line, one.at))
        places = [one.last_line for one in configured]
        account = books[customer]
        for line in account.lines:
            made = bisect_left(places, line.line_no)
            limit = configured[made - 1].terms[0] if made and line.type == "debt" else None
            if limit is not None:
                count("debts within a limit")
                if account.states[line.line_no].pending > limit:
                    wrong.append(f"{line} goes beyond {limit}: {account.states[line.line_no]}")
    return wrong


def transfers(books: Books, done: Sequence[Done], count: Count) -> list[str]:
    """Each part of a transfer arrived as a grant with the terms of the one that it came from, as they were then."""
    terms = Terms(books, done)
    sides: dict[str, dict[bool, list[Any]]] = defaultdict(lambda: {True: [], False: []})
    for account in books.values():
        for operation, lines in by_operation(account).items():
            for line in lines:
                if line.type == "transfer":
                    grant = account.grants[line.grant or ""]
                    kept = (grant.name, grant.category, grant.cost_basis, grant.meters, *terms.at(grant, line.line_no))
                    sides[operation][line.amount > 0].append((abs(line.amount), kept))
    wrong = []
    for operation, side in sides.items():
        count("transfers of several parts" if len(side[True]) > 1 else "transfers of one part")
        if side[True] != side[False]:
            wrong.append(f"transfer {operation}: {side[True]} arrived of {side[False]}")
    return wrong


def views(connection: Connection, books: Books) -> list[str]:
    """The views wallets and grants are what the lines come to."""
    wrong = []
    found = connection.execute(
        "SELECT customer_id, available, restricted, held, pending, balance, is_low,"
        " low_balance_threshold IS NOT NULL AND available < low_balance_threshold FROM credits.wallets"
    ).fetchall()
    for customer, available, restricted, held, pending, balance, is_low, should_be_low in found:
        state = books[customer].states[-1]
        row = (available, restricted, held, pending)
        if row != state or balance != available + restricted or is_low != should_be_low:
            wrong.append(f"wallets: {customer} {row}, {balance} in all, low {is_low}, where its lines come to {state}")
    if len(found) != len(books):
        wrong.append(f"wallets: {len(found)} of {len(books)}")

    by_lines = {key: row for account in books.values() for key, row in _grants(account).items()}
    by_view = {
        (customer, grant): tuple(row)
        for customer, grant, *row in connection.execute(
            "SELECT customer_id, grant_id::text, status, remaining, held, lapsed, consumed FROM credits.grants"
        )
    }
    both = by_lines.keys() | by_view.keys()
    return wrong + [f"grants: {key} is {by_view.get(key)}, not {by_lines.get(key)}" for key in both
                    if by_view.get(key) != by_lines.get(key)]  # fmt: skip


def _grants(account: Account) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By grant: status, remaining, held, lapsed and consumed, all by the lines."""
    sums: dict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    for line in account.lines:
        sums[line.grant, "remaining"] += line.amount
        sums[line.grant, "held"] += line.held
        if line.type in ("expiration", "void"):
            sums[line.grant, "lapsed"] -= line.amount
        elif line.type == "capture":
            sums[line.grant, "consumed"] -= line.held
        elif line.type == "reversal" or line.type in SPENDING and line.amount < 0:
            sums[line.grant, "consumed"] -= line.amount
    rows = {}
    for grant in account.grants.values():
        what = ("remaining", "held", "lapsed", "consumed")
        remaining, held, lapsed, consumed = (sums[grant.id, one] for one in what)
        if grant.ended_at is not None and grant.ended_at < grant.effective_at:
            lapsed = grant.amount
        # How it was ended by hand the lines only say where something remained; its own row does.
        status = grant.status if grant.ended_at else "expired" if remaining == 0 and lapsed > 0 else None
        status = status or ("granted" if remaining > 0 else "depleted")
        rows[grant.customer, grant.id] = (status, remaining, held, lapsed, consumed)
    return rows


def _rows(connection: Connection, *queries: str) -> list[str]:
    return [str(row) for query in queries for row in connection.execute(query)]
