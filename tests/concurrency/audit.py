"""After the random mix: what the sessions were told, held against what the database has, and against the rules.

Each function returns what is wrong, so that an empty list is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import psycopg

from mix import Done, cost

Connection = psycopg.Connection[Any]


def once_each(done: Sequence[Done]) -> list[str]:
    """Of all answers under one key exactly one is no replay, and all say the same."""
    answers: dict[tuple[str, str], list[Done]] = defaultdict(list)
    for one in done:
        if one.call.key is not None:
            answers[one.call.customer, one.call.key].append(one)
    wrong = []
    for key, same in answers.items():
        first = [one for one in same if not one.replayed]
        if len(first) != 1:
            wrong.append(f"{key} was done {len(first)} times in {len(same)} answers")
        if len({(one.id, one.amount) for one in same}) != 1:
            wrong.append(f"{key} was answered differently: {[(one.id, one.amount) for one in same]}")
    return wrong


def events_recorded(connection: Connection, done: Sequence[Done]) -> list[str]:
    """The events in the database are the acknowledged ones, at their cost; consumed is what the ledger's lines say."""
    reported = [one.call for one in done if one.call.function == "report_meter_event"]
    acknowledged = {
        (call.customer, call.key): (call.event_name, call.amount, cost(call.event_name, call.amount))
        for call in reported
    }
    recorded = {
        (customer, identifier): (event_name, value, charged)
        for customer, identifier, event_name, value, charged in connection.execute(
            "SELECT customer_id, identifier, event_name, value, consumed + pending FROM credits.meter_events"
        )
    }
    wrong = _compare(acknowledged, recorded)
    wrong += _rows(
        connection,
        "SELECT customer_id, identifier, consumed, drawn FROM credits.meter_events FULL JOIN ("
        "  SELECT customer_id, identifier, -sum(amount) AS drawn FROM credits.credit_transactions"
        "  WHERE identifier IS NOT NULL GROUP BY 1, 2) AS lines USING (customer_id, identifier)"
        " WHERE coalesce(consumed, -1) <> coalesce(drawn, 0)",
    )
    return wrong


def debits_recorded(connection: Connection, done: Sequence[Done]) -> list[str]:
    """The debits in the database are the acknowledged ones, and each one's lines add up to it."""
    acknowledged = {
        (one.call.customer, one.id): one.amount
        for one in done
        if one.call.function in ("wallet_debit", "wallet_try_debit")
    }
    recorded = {
        (customer, operation): amount
        for customer, operation, amount in connection.execute(
            "SELECT customer_id, operation_id::text, amount FROM credits.operations WHERE function = 'wallet_debit'"
        )
    }
    drawn = {
        (customer, operation): amount
        for customer, operation, amount in connection.execute(
            "SELECT customer_id, operation_id::text, -sum(amount) FROM credits.credit_transactions"
            " WHERE type = 'consumption' AND identifier IS NULL GROUP BY 1, 2"
        )
    }
    return _compare(acknowledged, recorded) + _compare(acknowledged, drawn)


def grants_recorded(connection: Connection, done: Sequence[Done], given_before: int) -> list[str]:
    """The grants in the database are the acknowledged ones, beside those that the wallets began with."""
    acknowledged = {
        (one.call.customer, one.id): one.amount
        for one in done
        if one.call.function in ("credit_grant", "wallet_credit")
    }
    recorded = {
        (customer, grant): amount
        for customer, grant, amount in connection.execute(
            "SELECT customer_id, grant_id::text, amount FROM credits.credit_grants WHERE name IS DISTINCT FROM 'begin'"
        )
    }
    wrong = _compare(acknowledged, recorded)
    begun = connection.execute("SELECT count(*) FROM credits.credit_grants WHERE name = 'begin'").fetchone()
    if begun != (given_before,):
        wrong.append(f"{begun} wallets kept their first grant, not {given_before}")
    return wrong


def conserved(connection: Connection, done: Sequence[Done], given_before: Decimal) -> list[str]:
    """All that was granted remains, expired or was consumed, by what the sessions were told and readers see."""
    first = [one for one in done if not one.replayed]
    granted = sum((one.amount for one in first if one.call.function in ("credit_grant", "wallet_credit")), given_before)
    debited = sum((one.amount for one in first if one.call.function.endswith("debit")), Decimal(0))
    used = sum((one.amount for one in first if one.call.function == "report_meter_event"), Decimal(0))
    remaining, pending, expired = _sums(connection)
    if granted - remaining - expired != debited + used - pending:
        return [f"{granted} granted, {remaining} remaining, {expired} expired, {debited + used - pending} consumed"]
    return []


def _sums(connection: Connection) -> tuple[Decimal, Decimal, Decimal]:
    row = connection.execute(
        "SELECT sum(b.available + b.restricted), sum(b.pending),"
        " (SELECT coalesce(-sum(amount), 0) FROM credits.credit_transactions WHERE type = 'expiration')"
        " FROM credits.customers AS c, credits.wallet_balance(c.customer_id, 'CREDIT') AS b"
    ).fetchone()
    assert row is not None
    return row


def below_zero(connection: Connection) -> list[str]:
    """Nothing of an account, a grant or an event is negative, nor is any balance on the way."""
    return _rows(
        connection,
        "SELECT 'account', customer_id, available, restricted, held, pending FROM credits.accounts"
        " WHERE least(available, restricted, held, pending, head_remaining) < 0",
        "SELECT 'grant', customer_id, remaining FROM credits.credit_grants WHERE remaining NOT BETWEEN 0 AND amount",
        "SELECT 'event', customer_id, identifier FROM credits.meter_events WHERE least(consumed, pending) < 0",
        "SELECT 'line', customer_id, line_no FROM credits.credit_transactions WHERE running_balance < 0",
        "SELECT 'grant by its lines', customer_id, grant_id, sum(amount) FROM credits.credit_transactions"
        " GROUP BY 2, 3 HAVING sum(amount) < 0",
    )


def lines_in_order(connection: Connection) -> list[str]:
    """Lines are numbered without a gap, their balances add up, and their times never go back."""
    return _rows(
        connection,
        "SELECT customer_id, line_no FROM (SELECT *, row_number() OVER account AS place,"
        "  sum(amount) OVER account AS balance, lag(effective_at) OVER account AS effective_before,"
        "  lag(created_at) OVER account AS created_before FROM credits.credit_transactions"
        "  WINDOW account AS (PARTITION BY customer_id, currency ORDER BY line_no)) AS lines"
        " WHERE line_no <> place OR running_balance <> balance"
        "  OR effective_at < effective_before OR created_at < created_before OR effective_at > created_at",
    )


def drawdown(connection: Connection, count: Callable[[str], None]) -> list[str]:
    """Every draw was on a grant usable at its moment and for its purpose, and on the first of those in the order.

    Goes through each account's lines in their order with a book of its own. What it met is told to `count`.
    """
    grants = {
        (customer, grant): (priority, expires, category == "paid", effective, grant, meters)
        for customer, grant, priority, expires, category, effective, meters in connection.execute(
            "SELECT customer_id, grant_id, priority, extract(epoch FROM expires_at), category,"
            " extract(epoch FROM effective_at), applicable_meters FROM credits.credit_grants"
        )
    }
    lines = connection.execute(
        "SELECT l.customer_id, l.line_no, l.type, l.grant_id, l.amount, extract(epoch FROM l.effective_at),"
        " e.event_name FROM credits.credit_transactions AS l"
        " LEFT JOIN credits.meter_events AS e USING (customer_id, identifier)"
        " ORDER BY l.customer_id, l.currency, l.line_no"
    )
    wrong = []
    books: dict[str, dict[Any, Decimal]] = defaultdict(dict)
    for customer, line_no, type_, grant, amount, at, event_name in lines:
        book = books[customer]
        if type_ == "grant":
            book[grant] = amount
            continue
        if type_ == "consumption":
            able = [
                terms
                for terms in (grants[customer, other] for other, left in book.items() if left > 0)
                if terms[3] <= at < terms[1] and (terms[5] is None or event_name in terms[5])
            ]
            best = min(able, key=lambda terms: terms[:5], default=None)
            if len(able) > 1:
                count("draws with a choice")
            if best is None or best[4] != grant:
                wrong.append(f"{customer} line {line_no} draws on {grant}, first in order is {best and best[4]}")
        elif at < grants[customer, grant][1]:
            wrong.append(f"{customer} line {line_no} ends {grant} before its time")
        else:
            count("expirations")
        book[grant] = book.get(grant, Decimal(0)) + amount
        if book[grant] < 0:
            wrong.append(f"{customer} line {line_no} overdraws {grant}")
    return wrong


def _rows(connection: Connection, *queries: str) -> list[str]:
    return [str(row) for query in queries for row in connection.execute(query)]


def _compare(acknowledged: dict[Any, Any], recorded: dict[Any, Any]) -> list[str]:
    lost = [f"acknowledged and lost: {key}" for key in acknowledged.keys() - recorded.keys()]
    unknown = [f"nobody was told of {key}" for key in recorded.keys() - acknowledged.keys()]
    other = [
        f"{key} is {recorded[key]}, acknowledged was {value}"
        for key, value in acknowledged.items()
        if key in recorded and recorded[key] != value
    ]
    return lost + unknown + other
