"""What grants, debits, corrections and limits do to the model of an account, and what they have to answer. Holds and usage
are in charges.py.

A deed takes the account, brought to the moment at which the call was posted, the call, and the call's answer, which tells
the ids and the times that the database chose. It returns what else has to be in that answer, or raises Refused.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from allowance import Limit
from draws import left_of, newest_of
from model import NEVER, NOTHING, Account, Clawback, Grant, Operation, Reclaim, Source

Answer = dict[str, Any]


class Refused(Exception):
    """A call may not be made: with which code, and what its DETAIL may say."""

    def __init__(self, state: str, *details: Answer) -> None:
        super().__init__(state, *details)
        self.state = state
        self.details = details


def short(*available: Decimal) -> Refused:
    return Refused("PC001", *({"available": one} for one in available))


REPLAY: Answer = {"replayed": True}


def admit(account: Account, member: str | None, meter: str | None, amount: Decimal) -> None:
    """Spending keeps to the limits, at the account's moment."""
    over = []
    for limit in account.limits.values():
        taken = taken_of(account, limit)
        if limit.rejects and amount > 0 and limit.is_about(member, meter) and taken + amount > limit.most:
            over.append({"member_id": limit.member, "event_name": limit.meter, "used": taken, "amount": limit.most})
    if over:
        raise Refused("PC021", *over)


def taken_of(account: Account, limit: Limit) -> Decimal:
    """What is spent and held in a limit's window."""
    held = (one.left for one in account.holds.values() if one.status == "open" and limit.is_about(one.member, one.meter))
    return limit.used(account.spent, account.posted_at) + sum(held, NOTHING)


# --- grants --------------------------------------------------------------------------------------------------------


def grant_of(account: Account, call: Answer) -> Grant:
    return account.grants[UUID(call["grant"])]


def told(grant: Grant) -> Answer:
    """What every answer says of a grant."""
    return {"remaining": grant.remaining, "status": grant.status, "priority": grant.priority}


def credit_grant(account: Account, call: Answer, row: Answer) -> Answer:
    at, begins = account.posted_at, row["effective_at"]
    grant = Grant(
        row["grant_id"], call["amount"], call["priority"], call["category"] == "paid", begins, row["expires_at"] or NEVER,
        tuple(call["meters"]) if call["meters"] else None, "pending" if begins > at else "granted", call["amount"],
    )  # fmt: skip
    account.grants[grant.id] = grant
    if begins <= at:
        account.post("grant", grant, grant.amount, at)
        account.pay_debts(at)
    return told(grant)


def credit_grant_void(account: Account, call: Answer, _: Answer) -> Answer:
    return end(account, call, "voided", call["spent"] == "pending")


def credit_grant_expire(account: Account, call: Answer, _: Answer) -> Answer:
    return end(account, call, "expired", False)


def end(account: Account, call: Answer, status: str, owes: bool) -> Answer:
    grant, at = grant_of(account, call), account.posted_at
    if call["amount"] is not None:
        end_part(account, grant, call["amount"], "void" if status == "voided" else "expiration", owes)
        return told(grant) | {"replayed": False}
    ended = grant.has_ended(at)
    if not ended:
        account.end(grant, status, at)
        grant.by_hand = True
    held = max(account.held_of(grant) - grant.waiting(), NOTHING)
    owing = owes and held + spent_of(account, grant) > 0
    if owing:
        take_mistake(account, grant, NOTHING, held, spent_of(account, grant))
    return told(grant) | {"replayed": ended and not owing}


def spent_of(account: Account, grant: Grant) -> Decimal:
    """What was spent of a grant and is not owed for it."""
    rest = grant.amount - grant.remaining - account.held_of(grant) - grant.lapsed - account.counted(grant)
    return max(rest, NOTHING)


def end_part(account: Account, grant: Grant, amount: Decimal, type_: str, owes: bool) -> None:
    if grant.status == "pending" or grant.has_ended(account.posted_at) and not owes:
        raise Refused("PC013", {"argument": "amount"})
    if not owes:
        if grant.remaining < amount:
            raise short(grant.remaining)
        take_part(account, grant, amount, type_, None)
        grant.parts_ended += amount
        return
    taken = min(amount, grant.remaining)
    held = min(max(account.held_of(grant) - grant.waiting(), NOTHING), amount - taken)
    owed, spent = amount - taken - held, spent_of(account, grant)
    if owed > spent:
        raise short(amount - owed + spent)
    take_mistake(account, grant, taken, held, owed)


def take_part(account: Account, grant: Grant, amount: Decimal, type_: str, operation: UUID | None) -> None:
    at = account.posted_at
    if amount == 0:
        return
    if grant.status == "suspended":
        account.post("resumption", grant, amount, at)
    grant.remaining -= amount
    grant.lapsed += amount
    if grant.remaining == 0 and grant.status == "granted":
        grant.status = "depleted"
    account.post(type_, grant, -amount, at, Source(operation or uuid4()))


def take_mistake(account: Account, grant: Grant, taken: Decimal, held: Decimal, owed: Decimal) -> None:
    at, operation = account.posted_at, uuid4()
    account.reclaims[operation] = Reclaim(grant.id, taken + held + owed)
    take_part(account, grant, taken, "void", operation)
    if held > 0:
        grant.clawbacks.append(Clawback(held, operation))
    owe_back(account, operation, grant.meters[0] if grant.meters else None, owed)
    account.pay_debts(at)


def owe_back(account: Account, operation: UUID, meter: str | None, owed: Decimal) -> None:
    if owed > 0:
        account.post("refund", None, NOTHING, account.posted_at, Source(operation), pending=owed)
        account.owe(Source(operation), meter, owed)


def credit_grant_update(account: Account, call: Answer, row: Answer) -> Answer:
    grant, at = grant_of(account, call), account.posted_at
    ended = grant.has_ended(at)
    if call["expired"]:
        if not ended:
            account.end(grant, "expired", at)
            grant.by_hand = True
        return told(grant) | {"replayed": ended}
    ends = new_end(call, row)
    if ends is None and call["priority"] is None:
        return told(grant)
    if ended or ends is not None and ends <= max(grant.effective_at, at):
        raise Refused("PC013", {"argument": "priority"}, {"argument": "expires_at"})
    grant.priority = grant.priority if call["priority"] is None else call["priority"]
    grant.expires_at = ends or grant.expires_at
    return told(grant)


def new_end(call: Answer, row: Answer) -> datetime | None:
    if call.get("never"):
        return NEVER
    if call["ends"] is None:
        return None
    return row["expires_at"] if row else call["ends_at"]


def credit_grant_extend(account: Account, call: Answer, row: Answer) -> Answer:
    grant, at = grant_of(account, call), account.posted_at
    ends = new_end(call, row)
    assert ends is not None
    if ends == grant.expires_at and not grant.has_ended(at):
        return told(grant) | REPLAY
    if grant.by_hand:
        raise Refused("PC013", {"argument": "grant_id"})
    if ends <= max(grant.expires_at, at):
        raise Refused("PC013", {"argument": "expires_at"})
    back = account.lapsed_by_time(grant)
    grant.expires_at = ends
    if grant.status == "expired":
        grant.lapsed -= back
        reopen(account, grant, "reinstatement", back)
    grant.was_suspended = grant.status == "suspended"
    return told(grant) | {"replayed": False}


def credit_grant_suspend(account: Account, call: Answer, _: Answer) -> Answer:
    grant, at = grant_of(account, call), account.posted_at
    if grant.has_ended(at) or grant.status == "pending":
        raise Refused("PC013", {"argument": "grant_id"})
    if grant.status == "suspended":
        return told(grant) | REPLAY
    grant.status, grant.was_suspended = "suspended", True
    if grant.remaining > 0:
        account.post("suspension", grant, -grant.remaining, at)
    return told(grant) | {"replayed": False}


def credit_grant_resume(account: Account, call: Answer, _: Answer) -> Answer:
    grant = grant_of(account, call)
    if grant.has_ended(account.posted_at):
        raise Refused("PC013", {"argument": "grant_id"})
    if grant.status != "suspended":
        return told(grant) | REPLAY
    reopen(account, grant, "resumption", NOTHING)
    grant.was_suspended = False
    return told(grant) | {"replayed": False}


def reopen(account: Account, grant: Grant, type_: str, back: Decimal) -> None:
    grant.remaining += back
    grant.status = "granted" if grant.remaining > 0 else "depleted"
    if grant.remaining > 0:
        account.post(type_, grant, grant.remaining, account.posted_at)
    account.pay_debts(account.posted_at)


# --- debits, and what is given back of them --------------------------------------------------------------------------


def wallet_debit(account: Account, call: Answer, row: Answer) -> Answer:
    amount = call["amount"]
    if account.available < amount:
        raise short(account.available)
    admit(account, call["member"], None, amount)
    return withdraw(account, "debit", amount, row, call["member"], True) | {"debited": amount}


def wallet_adjust(account: Account, call: Answer, row: Answer) -> Answer:
    """One that takes: for each reason lines of another type, and none of them counts towards limits."""
    if account.available < -call["amount"]:
        raise short(account.available)
    type_ = {"refund": "refund", "charge": "debit", "correction": "adjustment"}[call["reason"]]
    return withdraw(account, type_, -call["amount"], row, None, False) | {"adjusted": call["amount"]}


def withdraw(account: Account, type_: str, amount: Decimal, row: Answer, member: str | None, counts: bool) -> Answer:
    operation: UUID = row.get("operation_id") or uuid4()
    account.operations[operation] = Operation(operation, amount, member, counts)
    account.take(type_, account.draw(None, amount), account.posted_at, Source(operation))
    return {"available": account.available}


def operation_reverse(account: Account, call: Answer, row: Answer) -> Answer:
    original = account.operations.get(UUID(call["operation"]))
    if original is None:  # a hold of which nothing was captured, or an event's capture
        raise Refused("PC013", {"argument": "operation_id"})
    left = original.taken - original.returned
    amount = left if call["amount"] is None else call["amount"]
    if call["amount"] is None and left == 0 and original.taken > 0:
        return REPLAY | {"total_returned": original.returned}
    if original.taken == 0:
        raise Refused("PC013", {"argument": "operation_id"})
    if amount > left:
        raise Refused("PC007", {"argument": "amount"})
    reversal: UUID = row.get("operation_id") or uuid4()
    account.operations[reversal] = Operation(reversal, NOTHING, original.member, original.counts)
    # What it still owes is owed no longer, before anything goes back: also what paid its debt later.
    debt = next((one for one in account.debts.values() if one.source.operation == original.id), None)
    forgiven = min(amount, debt.pending) if debt else NOTHING
    if debt is not None and forgiven > 0:
        debt.pending -= forgiven
        account.post("reversal", None, NOTHING, account.posted_at, Source(reversal), pending=-forgiven)
    draws = left_of(account.draws_of(operation=original.id), original.returned - original.forgiven)
    original.forgiven += forgiven
    for grant, part in newest_of(draws, amount - forgiven):
        account.give_back("reversal", account.grants[grant], part, account.posted_at, Source(reversal))
    account.pay_debts(account.posted_at)
    original.returned += amount
    return {
        "taken": original.taken, "returned": amount, "total_returned": original.returned, "available": account.available,
        "replayed": False, "forgiven": forgiven,
    }  # fmt: skip


# --- limits ----------------------------------------------------------------------------------------------------------


def account_configure(account: Account, call: Answer, _: Answer) -> Answer:
    limit = call["overdraft_limit"]
    account.overdraft_limit = None if limit.is_infinite() else limit
    return {"overdraft_limit": account.overdraft_limit}


def set_limit(account: Account, call: Answer, _: Answer) -> Answer:
    key = (call.get("member"), call.get("meter"), call["seconds"])
    if call["amount"].is_infinite():
        limit = account.limits.pop(key, None)
        return {"amount": None, "used": taken_of(account, limit) if limit else NOTHING}
    # Without an action it keeps what it has.
    before = account.limits.get(key)
    rejects = before.rejects if before and call.get("action") is None else call.get("action") != "notify"
    account.limits[key] = limit = Limit(*key, call["amount"], rejects)
    taken = taken_of(account, limit)
    return {"amount": limit.most, "used": taken, "remaining": max(limit.most - taken, NOTHING)}
