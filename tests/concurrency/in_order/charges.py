"""What holds and usage do to the model of an account, and what they have to answer. See deeds.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from deeds import Answer, Refused, admit, owe_back, short
from draws import newest_of
from model import NOTHING, Account, Event, Grant, Hold, Operation, Reclaim, Source

MICRO = Decimal("0.000001")


class Unknown(Exception):
    """What a call would have cost is nowhere to be read."""


@dataclass(frozen=True)
class Meter:
    """A meter whose price does not change, or, without a price, one whose events say what they cost."""

    unit_price: Decimal | None
    aggregation: str = "sum"
    overage: str = "pending"
    # Units of the second currency per unit of its own.
    rate: Decimal | None = None

    def cost(self, value: Decimal, told: Decimal | None = None) -> Decimal:
        """What usage costs: as it was told, where the price changes; see prices.py."""
        if self.unit_price is None:
            if told is None:
                raise Unknown
            return told
        return rounded(self.unit_price if self.aggregation == "count" else self.unit_price * value)


METERS = {
    "calls": Meter(Decimal(1), "count"),
    "tokens": Meter(Decimal("0.0020005")),
    "gated": Meter(Decimal("0.5"), overage="reject"),
    "both": Meter(Decimal("0.01"), rate=Decimal("0.3")),
    "priced": Meter(None),
    "tiers": Meter(None),
}


def rounded(amount: Decimal, way: str = ROUND_HALF_UP) -> Decimal:
    return amount.quantize(MICRO, way)


# --- holds -----------------------------------------------------------------------------------------------------------


def hold_of(account: Account, call: Answer) -> Hold:
    return account.holds[UUID(call["hold"])]


def told(account: Account, hold: Hold) -> Answer:
    """What every answer says of a hold."""
    return {
        "status": hold.status, "amount": hold.amount, "captured": hold.captured, "charged": hold.charged,
        "available": account.available,
    }  # fmt: skip


def hold_create(account: Account, call: Answer, row: Answer) -> Answer:
    amount, member, meter = call["amount"], call["member"], call["meter"]
    there = account.available + (account.restricted if meter else NOTHING)
    if there < amount:
        raise short(there)
    admit(account, member, meter, amount)
    if account.payable(meter) < amount:
        raise short(account.payable(meter))
    at = account.posted_at
    id_, ends = row.get("hold_id", UUID(int=0)), row.get("expires_at", at)
    hold = account.holds[id_] = Hold(id_, amount, ends, at, meter, member, [])
    hold_more(account, hold, amount)
    return told(account, hold)


def hold_more(account: Account, hold: Hold, amount: Decimal) -> None:
    for grant, part in account.draw(hold.meter, amount):
        account.post("hold", grant, -part, account.posted_at, Source(hold.id), held=part)
        if hold.parts and hold.parts[-1][0] == grant.id:
            part += hold.parts.pop()[1]
        hold.parts.append((grant.id, part))


def hold_update(account: Account, call: Answer, row: Answer) -> Answer:
    hold, target = hold_of(account, call), call["amount"]
    if hold.status != "open":
        raise Refused("PC010", {"state": hold.status})
    ends = hold.expires_at if call["ends"] is None else row.get("expires_at", call["ends_at"])
    target = hold.amount if target is None else target
    if (target, ends) == (hold.amount, hold.expires_at):
        return told(account, hold) | {"replayed": True}
    if target < hold.captured:
        raise Refused("PC007", {"argument": "amount"})
    more = target - hold.amount
    if more > 0:
        admit(account, hold.member, hold.meter, more)
        if account.payable(hold.meter) < more:
            raise short(account.payable(hold.meter))
        hold_more(account, hold, more)
    elif more < 0:
        account.give_from(hold, -more, account.posted_at)
        account.pay_debts(account.posted_at)
    hold.amount, hold.expires_at = target, ends
    return told(account, hold) | {"replayed": False, "expires_at": ends}


def hold_release(account: Account, call: Answer, _: Answer) -> Answer:
    hold = hold_of(account, call)
    if hold.status == "captured":
        raise Refused("PC010", {"state": hold.status})
    replayed = hold.status != "open"
    if not replayed:
        account.close(hold, "released", account.posted_at)
        account.pay_debts(account.posted_at)
    return told(account, hold) | {"replayed": replayed}


def hold_capture(account: Account, call: Answer, row: Answer) -> Answer:
    hold, at, meter = hold_of(account, call), account.posted_at, call["meter"]
    final, key, event = call["final"], call["key"], call["identifier"]
    amount = METERS[meter].cost(call["value"], row.get("capture_amount")) if meter else call["amount"]
    left, late = hold.left, hold.status != "open"
    if late:
        asked = hold.had if amount is None else amount
        if final and not key and not event and asked in answered_before(hold, asked):
            return told(account, hold) | {"replayed": True}
        if hold.status != "expired" or call["late"] != "charge" or hold.ended_late is not None:
            raise Refused("PC010", {"state": hold.status})
        left = max(hold.had - hold.late, NOTHING)
    amount = left if amount is None else amount
    if amount > left and call["more"] is None:
        raise Refused("PC007", {"argument": "amount"})
    held = NOTHING if late else min(amount, left)
    rest = amount - held
    if meter and held > 0:
        admit_captured(account, hold, meter, amount)
    check_rest(account, hold, meter, rest, call["more"])
    capture_id = row.get("capture_id")
    source = Source(capture_id or hold.id, event)
    if event:
        account.events[event] = Event(event, meter, call["value"], hold.member, held, NOTHING)
    else:
        account.operations[source.operation or hold.id] = Operation(source.operation or hold.id, amount, hold.member, True)
    spent = capture(account, hold, held, source)
    owed = pay_rest(account, meter, rest, Source(None, event) if event else source)
    if final and not late:
        account.close(hold, "captured" if amount > 0 else "released", at)
    for grant, part in spent:
        for clawback in account.grants[grant].take_off(part):
            meters = account.grants[grant].meters
            owe_back(account, clawback.operation, meters[0] if meters else None, clawback.amount)
    account.pay_debts(at)
    hold.captured, hold.charged = hold.captured + held, hold.charged + rest
    if late:
        hold.late += amount
        hold.ended_late = amount if final else None
    elif not final:
        hold.parts_captured += amount
    plain = final and not key and not event and rest == 0 and not late
    # What is paid of it at once by what goes back is owed no more, but was when it was answered.
    return told(account, hold) | {"capture_amount": amount, "pending": owed, "replayed": False, "plain": plain}


def answered_before(hold: Hold, asked: Decimal) -> tuple[Any, ...]:
    """The amounts with which a capture without a key is a repeat."""
    if hold.status == "captured":
        return (hold.captured + hold.charged - hold.parts_captured,)
    return (NOTHING, hold.ended_late) if hold.status == "expired" else (NOTHING,)


def admit_captured(account: Account, hold: Hold, meter: str, amount: Decimal) -> None:
    """Limits in which the hold was not counted have room for all that its usage costs."""
    every = account.limits
    account.limits = {key: one for key, one in every.items() if not one.is_about(hold.member, hold.meter)}
    try:
        admit(account, hold.member, meter, amount)
    finally:
        account.limits = every


def check_rest(account: Account, hold: Hold, meter: str | None, rest: Decimal, more: str | None) -> None:
    """What a hold does not pay may be taken from the balance, or owed."""
    if rest == 0:
        return
    overage = "reject" if more != "pending" else METERS[meter].overage if meter else "pending"
    if not meter:
        admit(account, hold.member, None, rest)
    would_owe(account, meter, rest, overage)
    if meter:
        admit(account, hold.member, meter, rest)


def capture(account: Account, hold: Hold, amount: Decimal, source: Source) -> list[tuple[UUID, Decimal]]:
    """Spends what a hold has, the oldest draw first."""
    spent, parts = [], []
    for grant, part in hold.parts:
        used = min(amount, part)
        amount -= used
        if used > 0:
            account.post("capture", account.grants[grant], NOTHING, account.posted_at, source, held=-used)
            spent.append((grant, used))
        if used < part:
            parts.append((grant, part - used))
    hold.parts = parts
    return spent


def pay_rest(account: Account, meter: str | None, rest: Decimal, source: Source) -> Decimal:
    at = account.posted_at
    if rest == 0:
        return NOTHING
    if source.event:
        return charge(account, account.events[source.event], rest, None)
    paid = account.take("debit", account.draw(None, rest), at, source)
    if rest > paid:
        account.post("debt", None, NOTHING, at, source, pending=rest - paid)
        account.owe(source, None, rest - paid)
        assert source.operation is not None
        account.reclaims[source.operation] = Reclaim(None, rest - paid)
    return rest - paid


# --- usage -----------------------------------------------------------------------------------------------------------


def would_owe(account: Account, meter: str | None, cost: Decimal, overage: str, late: Decimal = NOTHING) -> Decimal:
    """What usage would leave owed, where it may."""
    payable = account.payable(meter)
    owed = max(cost - late - payable, NOTHING)
    limit = account.overdraft_limit
    if owed > 0 and (overage == "reject" or limit is not None and account.pending + owed > limit):
        raise short(payable + late)
    return owed


def payers_of_late(account: Account, meter: str, occurred_at: datetime | None) -> list[tuple[Grant, Decimal]]:
    """What lapsed of grants that had begun and not ended when usage happened."""
    if occurred_at is None or not account.grace:
        return []
    payers = [
        (grant, account.lapsed_by_time(grant))
        for grant in account.grants.values()
        if grant.status == "expired" and not grant.by_hand and not grant.was_suspended and grant.pays(meter)
        and grant.effective_at <= occurred_at < grant.expires_at and account.posted_at <= grant.expires_at + account.grace
    ]  # fmt: skip
    return sorted(((grant, lapsed) for grant, lapsed in payers if lapsed > 0), key=lambda one: one[0].order)


def charge(account: Account, event: Event, cost: Decimal, occurred_at: datetime | None) -> Decimal:
    """Usage is paid by the grants in line, and if it is late by what lapsed, each in its place; the rest is owed."""
    at, source, paid = account.posted_at, Source(None, event.identifier), NOTHING
    for grant, lapsed in payers_of_late(account, event.meter, occurred_at):
        paid += account.take("consumption", account.draw(event.meter, cost - paid, grant), at, source)
        part = min(lapsed, cost - paid)
        if part > 0:
            grant.lapsed -= part
            account.post("reinstatement", grant, part, at)
            paid += account.take("consumption", [(grant, part)], at, source)
    paid += account.take("consumption", account.draw(event.meter, cost - paid), at, source)
    owed = cost - paid
    if owed > 0:
        account.post("debt", None, NOTHING, at, source, pending=owed)
        account.owe(source, event.meter, owed, paid)
    event.consumed += paid
    event.pending += owed
    return owed


def report_meter_event(account: Account, call: Answer, row: Answer, second: Account | None = None) -> Answer:
    name, value, member, occurred_at = call["meter"], call["value"], call["member"], call.get("occurred_at")
    meter = METERS[name]
    event = Event(call["identifier"], name, value, member, NOTHING, NOTHING)
    cost = meter.cost(value, row["consumed"] + row["pending"] if row else None)
    if second is not None and meter.rate is not None and account.payable(name) < cost:
        covered, amount = cover(cost - account.payable(name), second.payable(name), meter.rate)
        admit(second, member, name, amount)
        event.second = amount
        cost -= covered
    late = sum((lapsed for _, lapsed in payers_of_late(account, name, occurred_at)), NOTHING)
    would_owe(account, name, cost, meter.overage, late)
    admit(account, member, name, cost)
    account.events[event.identifier] = event
    charge(account, event, cost, occurred_at)
    if second is not None and event.second > 0:
        second.events[event.identifier] = Event(event.identifier, name, value, member, event.second, NOTHING)
        second.take("consumption", second.draw(name, event.second), second.posted_at, Source(None, event.identifier))
    return {"consumed": event.consumed, "pending": event.pending, "available": account.available, "replayed": False}


def cover(missing: Decimal, payable: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """What the second currency covers, and what it is charged."""
    whole = rounded(missing * rate)
    if whole <= payable:
        return missing, whole
    covered = rounded(payable / rate, ROUND_DOWN)
    return covered, rounded(covered * rate)


def meter_event_cancel(account: Account, call: Answer, _: Answer, second: Account | None = None) -> Answer:
    event = account.events[call["identifier"]]
    if event.canceled:
        return {"replayed": True}
    returned = event.consumed
    forgive(account, event, event.pending)
    come_back(account, event, returned)
    event.canceled = True
    answer = {"returned": returned, "available": account.available, "replayed": False}
    if second is not None and event.second > 0:
        come_back(second, second.events[event.identifier], event.second)
    return answer


def forgive(account: Account, event: Event, amount: Decimal) -> None:
    """So much less is owed for an event."""
    debt = account.debt_of(event.identifier)
    if debt is not None and amount > 0:
        debt.pending -= amount
        event.pending -= amount
        account.post("reversal", None, NOTHING, account.posted_at, Source(None, event.identifier), pending=-amount)


def come_back(account: Account, event: Event, amount: Decimal) -> None:
    draws: Sequence[tuple[UUID, Decimal]] = newest_of(account.draws_of(event=event.identifier), amount)
    event.consumed -= amount
    for grant, part in draws:
        account.give_back("reversal", account.grants[grant], part, account.posted_at, Source(None, event.identifier))
    account.pay_debts(account.posted_at)


def meter_event_adjust(account: Account, call: Answer, _: Answer) -> Answer:
    event, value = account.events[call["identifier"]], call["value"]
    if event.canceled or event.second > 0:
        raise Refused("PC013", {"argument": "identifier"})
    if event.value == value:
        return {"replayed": True, "value": value}
    meter, before, charged, returned = METERS[event.meter], event.value, NOTHING, NOTHING
    more = meter.cost(value) - event.consumed - event.pending
    if more >= 0:
        would_owe(account, event.meter, more, meter.overage)
        admit(account, event.member, event.meter, more)
        charged = more
        charge(account, event, more, None)
    else:
        forgiven = min(-more, event.pending)
        returned = -more - forgiven
        forgive(account, event, forgiven)
        come_back(account, event, returned)
    event.value = value
    return {
        "value": value, "value_before": before, "consumed": event.consumed, "pending": event.pending, "charged": charged,
        "returned": returned, "available": account.available, "replayed": False,
    }  # fmt: skip
