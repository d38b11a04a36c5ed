"""After the random mix: what the sessions were told, held against what the database has.

Each function returns what is wrong, so that an empty list is right. What holds whatever the sessions were told is in
rules.py, what was available when in moments.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import psycopg

from books import NOTHING, Books, by_operation, captured_parts
from calls import Done, cost

Connection = psycopg.Connection[Any]

Count = Callable[[str], None]

SPENDS = ("wallet_debit", "wallet_try_debit")
GRANTS = ("credit_grant", "wallet_credit")


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


def events_recorded(books: Books, done: Sequence[Done]) -> list[str]:
    """The events in the database are the acknowledged ones, at their cost; consumed is what the ledger's lines took,
    and pending what they left."""
    acknowledged = {
        (one.call.customer, one.id): (one.call.target, one.call.amount, one.amount)
        for one in _of(done, "report_meter_event")
    }
    recorded = {}
    wrong = []
    for account in books.values():
        drawn: dict[str | None, Decimal] = defaultdict(Decimal)
        owed: dict[str | None, Decimal] = defaultdict(Decimal)
        for line in account.lines:
            drawn[line.identifier] -= line.amount
            owed[line.identifier] += line.pending
        for event in account.events.values():
            charged = event.consumed + event.pending
            recorded[event.customer, event.identifier] = (event.event_name, event.value, charged)
            if (drawn[event.identifier], owed[event.identifier]) != (event.consumed, event.pending):
                wrong.append(f"{event}: its lines took {drawn[event.identifier]} and left {owed[event.identifier]}")
            if charged != cost(event.event_name, event.value):
                wrong.append(f"{event} costs {cost(event.event_name, event.value)}")
    return wrong + _compare(acknowledged, recorded)


def operations_recorded(connection: Connection, books: Books, done: Sequence[Done]) -> list[str]:
    """Debits, holds, reversals, transfers (on either side) and adjustments are what was acknowledged, and so are their lines."""
    acknowledged: dict[tuple[str, str], tuple[str, Decimal]] = {}
    moved: dict[tuple[str, str], Decimal] = {}
    for one in _of(done, *SPENDS):
        acknowledged[one.call.customer, one.id] = ("wallet_debit", one.amount)
        moved[one.call.customer, one.id] = -one.amount
    for one in _of(done, "hold_create"):
        acknowledged[one.call.customer, one.id] = ("hold_create", one.amount)
        moved[one.call.customer, one.id] = -one.amount
    for one in _of(done, "wallet_adjust"):
        acknowledged[one.call.customer, one.id] = ("wallet_adjust", one.amount)
        moved[one.call.customer, one.id] = one.amount
    for one in _of(done, "operation_reverse"):
        acknowledged[one.call.customer, one.id] = ("operation_reverse", one.amount)
        moved[one.call.customer, one.id] = one.amount
    for one in _of(done, "wallet_transfer"):
        assert one.call.target is not None
        for customer, amount in ((one.call.customer, -one.amount), (one.call.target, one.amount)):
            acknowledged[customer, one.id] = ("wallet_transfer", one.amount)
            moved[customer, one.id] = amount
    recorded = {
        (customer, operation): (function, amount)
        for customer, operation, function, amount in connection.execute(
            "SELECT customer_id, operation_id::text, function, amount FROM credits_internal.operations"
            " WHERE function NOT IN ('credit_grant', 'wallet_credit')"
        )
    }
    # What a hold's lines took; how it ended is in holds_recorded.
    by_lines = {
        (account.customer, operation): sum((line.amount for line in lines if line.type not in ("capture", "release")), NOTHING)
        for account in books.values()
        for operation, lines in by_operation(account).items()
    }
    return _compare(acknowledged, recorded) + _compare(moved, by_lines)


def holds_recorded(books: Books, done: Sequence[Done]) -> list[str]:
    """Holds ended as was acknowledged, the others when they ran out or not yet; their lines spent and gave back as
    much, part by part, and what came back the newest draw first."""
    ended: dict[tuple[str, str], tuple[str, Decimal]] = {}
    wrong = []
    for one in _of(done, "hold_capture", "hold_release"):
        captured = one.call.function == "hold_capture"
        key, end = (one.call.customer, one.id), (("captured", one.amount) if captured else ("released", NOTHING))
        if not one.replayed and key in ended:
            wrong.append(f"hold {key} was ended twice: {ended[key]} and {end}")
        if not one.replayed:
            ended[key] = end
    for account in books.values():
        lines = by_operation(account)
        for hold in account.holds.values():
            end = ended.pop((hold.customer, hold.id), None)
            if (hold.status, hold.captured) != end and not (end is None and hold.status in ("open", "expired")):
                wrong.append(f"{hold} was acknowledged as {end}")
            spent = captured_parts(hold)
            back = [(grant, amount - used) for (grant, amount), (_, used) in zip(hold.parts, spent)][::-1]
            expected = [("hold", grant, amount) for grant, amount in hold.parts]
            if hold.status != "open":
                expected += [("capture", grant, -used) for grant, used in spent if used > 0]
                expected += [("release", grant, -amount) for grant, amount in back if amount > 0]
            found = [(line.type, line.grant, line.held) for line in lines[hold.id]]
            if found != expected:
                wrong.append(f"{hold}: its lines are {found}, not {expected}")
    return wrong + [f"acknowledged and lost: the end of hold {key}" for key in ended]


def reversals_recorded(connection: Connection, books: Books, count: Count) -> list[str]:
    """What went back of a debit came off its draws as off a stack: the newest first, and no more than there was."""
    reversed_by = {
        (customer, operation): original
        for customer, operation, original in connection.execute(
            "SELECT customer_id, operation_id::text, reversed_operation_id::text FROM credits_internal.reversals"
        )
    }
    wrong = []
    for account in books.values():
        drawn: dict[str, list[tuple[str | None, Decimal]]] = defaultdict(list)
        for line in account.lines:
            if line.type == "debit" and line.operation is not None:
                drawn[line.operation].append((line.grant, -line.amount))
            if line.type != "reversal" or line.operation is None:
                continue
            stack = drawn[reversed_by[account.customer, line.operation]]
            grant, amount = stack.pop() if stack else (None, NOTHING)
            if grant != line.grant or amount < line.amount:
                wrong.append(f"{line}: the newest draw that is left is {amount} on {grant}")
            elif amount > line.amount:
                stack.append((grant, amount - line.amount))
                count("reversals in parts")
    return wrong


def grants_recorded(books: Books, done: Sequence[Done], given_before: int) -> list[str]:
    """The grants in the database are the acknowledged ones, beside those that the wallets began with and those that are
    parts of transfers."""
    acknowledged = {(one.call.customer, one.id): one.amount for one in _of(done, *GRANTS)}
    for one in _of(done, "wallet_adjust"):
        if one.amount > 0:
            acknowledged[one.call.customer, str(one.terms[0])] = one.amount
    own = [grant for account in books.values() for grant in account.grants.values() if grant.transferred_from is None]
    recorded = {(grant.customer, grant.id): grant.amount for grant in own if grant.name != "begin"}
    wrong = _compare(acknowledged, recorded)
    begun = sum(1 for grant in own if grant.name == "begin")
    if begun != given_before:
        wrong.append(f"{begun} wallets kept their first grant, not {given_before}")
    return wrong


def conserved(connection: Connection, done: Sequence[Done], given_before: Decimal) -> list[str]:
    """All that was granted remains, is held, expired, was voided or was spent, by what the sessions were told and
    readers see. What was transferred is somewhere else and still there."""
    first = [one for one in done if not one.replayed]
    adjusted = [one.amount for one in _of(first, "wallet_adjust")]
    granted = given_before + _sum(_of(first, *GRANTS)) + sum((one for one in adjusted if one > 0), NOTHING)
    taken = -sum((one for one in adjusted if one < 0), NOTHING)
    spent = _sum(_of(first, *SPENDS, "hold_capture", "report_meter_event")) + taken
    spent -= _sum(_of(first, "operation_reverse"))
    row = connection.execute(
        "SELECT sum(b.available + b.restricted), sum(b.held), sum(b.pending), (SELECT sum(lapsed) FROM credits.grants)"
        " FROM credits_internal.customers AS c, credits.wallet_balance(c.customer_id, 'CREDIT') AS b"
    ).fetchone()
    assert row is not None
    remaining, held, pending, lapsed = row
    if granted != remaining + held + lapsed + spent - pending:
        return [f"{granted} granted, {remaining} remaining, {held} held, {lapsed} lapsed, {spent - pending} spent"]
    return []


def _of(done: Iterable[Done], *functions: str) -> list[Done]:
    return [one for one in done if one.call.function in functions]


def _sum(done: Iterable[Done]) -> Decimal:
    return sum((one.amount for one in done), NOTHING)


def _compare(acknowledged: dict[Any, Any], recorded: dict[Any, Any]) -> list[str]:
    lost = [f"acknowledged and lost: {key}" for key in acknowledged.keys() - recorded.keys()]
    unknown = [f"nobody was told of {key}" for key in recorded.keys() - acknowledged.keys()]
    other = [
        f"{key} is {recorded[key]}, acknowledged was {value}"
        for key, value in acknowledged.items()
        if key in recorded and recorded[key] != value
    ]
    return lost + unknown + other
