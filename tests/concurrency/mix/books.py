"""What the tables have after the mix, read once, account by account, and what follows from it: the state after each
line, and the state at any moment, computed from the terms of the grants instead of from their lines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from calls import cost

NOTHING = Decimal(0)
# What takes credits from a grant for good. A transfer or an adjustment does where its amount is below zero.
SPENDING = frozenset(("consumption", "debit", "transfer", "adjustment", "refund"))


class State(NamedTuple):
    """What an account has."""

    available: Decimal
    restricted: Decimal
    held: Decimal
    pending: Decimal


class Line(NamedTuple):
    """A ledger line."""

    customer: str
    line_no: int
    type: str
    amount: Decimal
    running_balance: Decimal
    held: Decimal
    pending: Decimal
    grant: str | None
    operation: str | None
    identifier: str | None
    effective_at: datetime
    created_at: datetime


class Grant(NamedTuple):
    """A grant with its terms as they are in the end. `opens` is when it took effect, `ends` when it ended, if ever."""

    customer: str
    id: str
    name: str | None
    category: str
    status: str
    priority: int
    amount: Decimal
    effective_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    opens: datetime
    ends: datetime | None
    meters: list[str] | None
    cost_basis: Decimal | None
    transferred_from: str | None
    cost_amount: Decimal | None


class Hold(NamedTuple):
    """A hold. `ends` is when it was closed, or will run out."""

    customer: str
    id: str
    status: str
    amount: Decimal
    captured: Decimal
    grants: list[str]
    amounts: list[Decimal]
    created_at: datetime
    ends: datetime

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        """What each grant gave to it, in drawdown order."""
        return list(zip(self.grants, self.amounts))


class Event(NamedTuple):
    """A meter event."""

    customer: str
    identifier: str
    event_name: str
    value: Decimal
    consumed: Decimal
    pending: Decimal


READ: dict[Any, str] = {
    Line: "SELECT customer_id, line_no, type, amount, running_balance, coalesce(held, 0), coalesce(pending, 0),"
    " grant_id::text, operation_id::text, identifier, effective_at, created_at FROM credits_internal.lines"
    " ORDER BY customer_id, line_no",
    Grant: "SELECT customer_id, grant_id::text, name, category, status, priority, amount, effective_at,"
    " nullif(expires_at, 'infinity'), ended_at, greatest(effective_at, created_at),"
    " nullif(least(expires_at, ended_at), 'infinity'), applicable_meters, cost_basis, transferred_from,"
    " cost_amount"
    " FROM credits_internal.credit_grants",
    Hold: "SELECT customer_id, hold_id::text, status, amount, captured,"
    " grant_ids::text[], grant_amounts, created_at, coalesce(closed_at, expires_at) FROM credits_internal.holds",
    Event: "SELECT customer_id, identifier, event_name, value, consumed, pending FROM credits_internal.meter_events",
}


@dataclass
class Account:
    """One customer's."""

    customer: str
    lines: list[Line] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    # After each line; the first is before there was any.
    states: list[State] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    # When each event was charged: at its first line.
    charged: dict[str, datetime] = field(default_factory=dict)

    def add_up(self) -> None:
        """What the lines come to, one after the other."""
        available = restricted = held = pending = NOTHING
        self.states = [State(available, restricted, held, pending)]
        for line in self.lines:
            if line.grant is not None and self.grants[line.grant].meters is not None:
                restricted += line.amount
            else:
                available += line.amount
            held += line.held
            pending += line.pending
            self.states.append(State(available, restricted, held, pending))
            if line.identifier is not None:
                self.charged.setdefault(line.identifier, line.effective_at)
        self.times = [line.effective_at for line in self.lines]

    def posted_by(self, moment: datetime) -> State:
        """After the last line that took effect by then."""
        return self.states[bisect_right(self.times, moment)]

    def state_at(self, moment: datetime) -> State:
        """From what was granted, spent and set aside by then. That a grant opened or ended follows from its terms, and
        that a hold ended from its own row: no line that says so is looked at, nor any balance."""
        left = {
            grant.id: grant.amount
            for grant in self.grants.values()
            if grant.opens <= moment and (grant.ends is None or moment < grant.ends)
        }
        held = NOTHING
        pending = sum(
            (cost(event.event_name, event.value) for event in self.events.values()
             if event.identifier in self.charged and self.charged[event.identifier] <= moment), NOTHING,
        )  # fmt: skip

        def take(grant: str | None, amount: Decimal) -> None:
            if grant in left:
                left[grant] -= amount

        for line in self.lines[: bisect_right(self.times, moment)]:
            if line.type in SPENDING and line.amount < 0:
                take(line.grant, -line.amount)
                if line.type == "consumption":
                    pending += line.amount
            elif line.type == "reversal":
                take(line.grant, -line.amount)
        for hold in self.holds.values():
            if hold.created_at > moment:
                continue
            is_open = moment < hold.ends
            held += hold.amount if is_open else NOTHING
            for grant, amount in hold.parts if is_open else captured_parts(hold):
                take(grant, amount)
        restricted = sum((amount for id_, amount in left.items() if self.grants[id_].meters is not None), NOTHING)
        return State(sum(left.values(), NOTHING) - restricted, restricted, held, pending)


Books = dict[str, Account]


def captured_parts(hold: Hold) -> list[tuple[str, Decimal]]:
    """What a capture spends of each of a hold's parts: the first in drawdown order first."""
    parts, still = [], hold.captured
    for grant, amount in hold.parts:
        parts.append((grant, min(still, amount)))
        still -= parts[-1][1]
    return parts


def load(connection: psycopg.Connection[Any]) -> Books:
    """By customer: every account as the tables have it."""
    accounts: Books = {}
    for kind, query in READ.items():
        for row in connection.execute(query):
            account = accounts.setdefault(row[0], Account(row[0]))
            _add(account, kind(*row))
    for account in accounts.values():
        account.add_up()
    return accounts


def _add(account: Account, one: Line | Grant | Hold | Event) -> None:
    match one:
        case Line():
            account.lines.append(one)
        case Grant():
            account.grants[one.id] = one
        case Hold():
            account.holds[one.id] = one
        case Event():
            account.events[one.identifier] = one


def by_operation(account: Account) -> dict[str, list[Line]]:
    """An account's lines by the operation or the hold that they name."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in account.lines:
        if line.operation is not None:
            lines[line.operation].append(line)
    return lines
