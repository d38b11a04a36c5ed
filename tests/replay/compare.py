"""Holds what the database says against what the model computed, value by value, to the last decimal.

Each function returns what differs, a line a difference, so that an empty list is agreement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg

from loader import Reply, call
from model import NEVER, Account, Answer, Model
from scenario import CURRENCY, GrantPlan, Step


def answers(steps: Sequence[Step], replies: Sequence[Reply], expected: Sequence[Answer | None]) -> list[str]:
    """What each call of the first pass answered at its time."""
    wrong = []
    for step, reply, answer in zip(steps, replies, expected, strict=True):
        if isinstance(step, GrantPlan):
            if reply[2]:
                wrong.append(f"grant {step.customer}/{step.key} answered replayed = true")
            continue
        assert answer is not None
        should = (answer.status, answer.consumed, answer.pending, answer.available, False)
        if tuple(reply) != should:
            wrong.append(f"{step.customer} {step.identifier}: {_plain(reply)}, should be {_plain(should)}")
    return wrong


def repeats(steps: Sequence[Step], replies: Sequence[Reply], model: Model) -> list[str]:
    """What each call of the second pass answered: replayed, and the first call's amounts as they stand now."""
    wrong = []
    for step, reply in zip(steps, replies, strict=True):
        account = model.accounts[step.customer]
        if isinstance(step, GrantPlan):
            grant = account.grants[step.key]
            should: Reply = (grant.status, grant.remaining, True)
            got = tuple(reply)
        else:
            usage = account.usage[step.identifier]
            status = "pending" if usage.pending > 0 else "processed"
            should = (status, usage.consumed, usage.pending, True)
            got = (*reply[:3], reply[4])
        if got != should:
            name = step.key if isinstance(step, GrantPlan) else step.identifier
            wrong.append(f"{step.customer} {name}: {_plain(got)}, should be {_plain(should)}")
    return wrong


def balances(connection: psycopg.Connection[Any], model: Model) -> list[str]:
    """wallet_balance of every customer."""
    wrong = []
    for customer, account in model.accounts.items():
        got = connection.execute(
            "SELECT currency, available, restricted, held, pending, next_expiry_at, next_expiry_amount"
            " FROM credits.wallet_balance(%s, %s)",
            [customer, CURRENCY],
            prepare=True,
        ).fetchall()
        should = (
            CURRENCY, account.available, account.restricted, Decimal(0), account.pending, *account.next_expiry()
        )  # fmt: skip
        if got != [should]:
            wrong.append(f"{customer}: {[_plain(row) for row in got]}, should be {_plain(should)}")
    return wrong


def grants(connection: psycopg.Connection[Any], plans: Sequence[GrantPlan], model: Model) -> list[str]:
    """Status and remaining of every grant as of now, asked by repeating the call that gave it."""
    wrong = []
    for plan in plans:
        query, values = call(plan, CURRENCY)
        got = connection.execute(query, values, prepare=True).fetchone()
        grant = model.accounts[plan.customer].grants[plan.key]
        if got != (grant.status, grant.remaining, True):
            wrong.append(f"{plan.customer}/{plan.key}: {got}, should be {(grant.status, grant.remaining, True)}")
    return wrong


def events(connection: psycopg.Connection[Any], model: Model) -> list[str]:
    """Consumed and pending of every event as recorded."""
    found = {
        (customer, identifier): (event_name, consumed, pending)
        for customer, identifier, event_name, consumed, pending in connection.execute(
            "SELECT customer_id, identifier, event_name, consumed, pending FROM credits_internal.meter_events"
        )
    }
    should = {
        (customer, usage.identifier): (usage.event_name, usage.consumed, usage.pending)
        for customer, account in model.accounts.items()
        for usage in account.usage.values()
    }
    return differences(found, should)


def lines(connection: psycopg.Connection[Any], model: Model) -> list[str]:
    """Every ledger line: which grant, which event, when, and what it did to the balance and to the usage owed."""
    found = Counter(
        connection.execute(
            "SELECT l.customer_id, g.name, l.type, l.identifier, l.effective_at, l.amount, coalesce(l.pending, 0)"
            " FROM credits_internal.lines AS l LEFT JOIN credits_internal.credit_grants AS g USING (customer_id, grant_id)"
        )
    )
    should = Counter(
        (customer, line.grant, line.type, line.identifier, line.effective_at, line.amount, line.pending)
        for customer, account in model.accounts.items()
        for line in account.lines
    )
    return differences(found, should)


def running_balances(connection: psycopg.Connection[Any]) -> list[str]:
    """Each line's running balance is the sum of its account's lines up to it, the numbers without a gap."""
    return [
        f"{customer} line {line_no}"
        for customer, line_no in connection.execute(
            "SELECT customer_id, line_no FROM ("
            "  SELECT customer_id, line_no, running_balance,"
            "         sum(amount) OVER account AS balance, row_number() OVER account AS place"
            "  FROM credits_internal.lines WINDOW account AS (PARTITION BY customer_id, currency ORDER BY line_no)"
            ") AS numbered WHERE running_balance <> balance OR line_no <> place OR running_balance < 0"
        )
    ]


def conserved(account: Account) -> bool:
    """The model's own books: what took effect is what remains, expired or was consumed, and what is owed is what its
    lines say."""
    opened = sum((g.amount for g in account.grants.values() if g.status != "pending"), Decimal(0))
    expired = -sum((line.amount for line in account.lines if line.type == "expiration"), Decimal(0))
    consumed = sum((usage.consumed for usage in account.usage.values()), Decimal(0))
    owed = sum((line.pending for line in account.lines), Decimal(0))
    return opened == account.available + account.restricted + expired + consumed and owed == account.pending


def differences(found: Mapping[Any, Any], should: Mapping[Any, Any]) -> list[str]:
    """What one has and the other has not, or has otherwise."""
    missing = [f"missing {_plain(key)} = {_plain(should[key])}" for key in should.keys() - found.keys()]
    extra = [f"unexpected {_plain(key)} = {_plain(found[key])}" for key in found.keys() - should.keys()]
    other = [
        f"{_plain(key)} is {_plain(found[key])}, should be {_plain(value)}"
        for key, value in should.items()
        if key in found and found[key] != value
    ]
    return sorted(missing) + sorted(extra) + other


def _plain(value: Any) -> str:
    """A value as a reader of the test's output wants it."""
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(_plain(one) for one in value) + ")"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "never" if value == NEVER else str(value)
