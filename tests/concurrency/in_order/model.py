"""An account as one that makes its calls one after the other would keep it: every grant, hold, debt and line in memory,
and nothing that is there to be fast. What calls do to it is in deeds.py, what limits allow in allowance.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from allowance import Limit, Spent
from draws import left_of

NOTHING = Decimal(0)
NEVER = datetime.max.replace(tzinfo=timezone.utc)
ENDED = ("expired", "voided")


class Source(NamedTuple):
    """What a line belongs to: an operation, an event, or both where a hold pays an event."""

    operation: UUID | None = None
    event: str | None = None


NOBODY = Source()


class Line(NamedTuple):
    """A ledger line."""

    type: str
    grant: UUID | None
    amount: Decimal
    held: Decimal
    pending: Decimal
    source: Source
    at: datetime


@dataclass
class Clawback:
    """Credits of a grant that are taken when they come back, or owed once they are spent."""

    amount: Decimal
    operation: UUID


@dataclass
class Grant:
    id: UUID
    amount: Decimal
    priority: int
    paid: bool
    effective_at: datetime
    expires_at: datetime
    meters: tuple[str, ...] | None
    status: str
    remaining: Decimal
    lapsed: Decimal = NOTHING
    by_hand: bool = False
    # Since it was suspended last, and not resumed.
    was_suspended: bool = False
    parts_ended: Decimal = NOTHING
    clawbacks: list[Clawback] = field(default_factory=list)

    @property
    def order(self) -> tuple[int, datetime, bool, datetime, int]:
        return self.priority, self.expires_at, self.paid, self.effective_at, self.id.int

    def pays(self, meter: str | None) -> bool:
        return self.meters is None or meter in self.meters

    def has_ended(self, at: datetime) -> bool:
        return self.status in ENDED or self.expires_at <= at

    def waiting(self) -> Decimal:
        return sum((one.amount for one in self.clawbacks), NOTHING)

    def take_off(self, amount: Decimal) -> list[Clawback]:
        """Takes an amount off its clawbacks, the oldest first."""
        taken = []
        for clawback in self.clawbacks:
            part = min(amount, clawback.amount)
            if part > 0:
                clawback.amount -= part
                amount -= part
                taken.append(Clawback(part, clawback.operation))
        self.clawbacks = [one for one in self.clawbacks if one.amount > 0]
        return taken


@dataclass
class Hold:
    id: UUID
    amount: Decimal
    expires_at: datetime
    created_at: datetime
    meter: str | None
    member: str | None
    parts: list[tuple[UUID, Decimal]]
    status: str = "open"
    captured: Decimal = NOTHING
    charged: Decimal = NOTHING
    # What it still had when it was closed.
    had: Decimal = NOTHING
    # What captures of their own took of it, and what they took after it ran out.
    parts_captured: Decimal = NOTHING
    late: Decimal = NOTHING
    ended_late: Decimal | None = None

    @property
    def left(self) -> Decimal:
        return sum((amount for _, amount in self.parts), NOTHING)


@dataclass
class Event:
    identifier: str
    meter: str
    value: Decimal
    member: str | None
    consumed: Decimal
    pending: Decimal
    canceled: bool = False
    # What the meter's second currency paid.
    second: Decimal = NOTHING


@dataclass
class Operation:
    """One that took credits: how many, and what went back."""

    id: UUID
    taken: Decimal
    member: str | None
    counts: bool
    returned: Decimal = NOTHING
    forgiven: Decimal = NOTHING


@dataclass
class Debt:
    source: Source
    meter: str | None
    pending: Decimal
    consumed: Decimal = NOTHING


@dataclass
class Reclaim:
    """A grant that was a mistake: how much of it was taken back, and the debt for what was spent."""

    grant: UUID | None
    credits: Decimal


@dataclass
class Account:
    """One account. Its balances are those at `posted_at`."""

    grace: timedelta
    grants: dict[UUID, Grant] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    operations: dict[UUID, Operation] = field(default_factory=dict)
    debts: dict[int, Debt] = field(default_factory=dict)
    reclaims: dict[UUID, Reclaim] = field(default_factory=dict)
    limits: dict[tuple[str | None, str | None, int], Limit] = field(default_factory=dict)
    spent: list[Spent] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    # The balances after so many lines.
    totals: list[tuple[Decimal, ...]] = field(default_factory=lambda: [(NOTHING,) * 4])
    overdraft_limit: Decimal | None = None
    available: Decimal = NOTHING
    restricted: Decimal = NOTHING
    held: Decimal = NOTHING
    pending: Decimal = NOTHING
    last_debt: int = 0
    posted_at: datetime = datetime.min.replace(tzinfo=timezone.utc)
    # When events and operations were made, as their rows have it: what comes back of them counts then.
    made_at: dict[Source, datetime] = field(default_factory=dict)

    def copy(self) -> Account:
        """One for a call that may change its mind: what a call only adds to is shared up to here."""
        return replace(
            self,
            grants={id_: replace(one, clawbacks=[replace(c) for c in one.clawbacks]) for id_, one in self.grants.items()},
            holds={id_: replace(one, parts=list(one.parts)) for id_, one in self.holds.items()},
            events={id_: replace(one) for id_, one in self.events.items()},
            operations={id_: replace(one) for id_, one in self.operations.items()},
            debts={number: replace(one) for number, one in self.debts.items()},
            reclaims={id_: replace(one) for id_, one in self.reclaims.items()},
            limits=dict(self.limits), spent=list(self.spent), lines=list(self.lines),
            totals=list(self.totals),
        )  # fmt: skip

    def balances(self) -> tuple[Decimal, ...]:
        return self.available, self.restricted, self.held, self.pending

    # --- lines -----------------------------------------------------------------------------------------------------

    def post(
        self,
        type_: str,
        grant: Grant | None,
        amount: Decimal,
        at: datetime,
        source: Source = NOBODY,
        held: Decimal = NOTHING,
        pending: Decimal = NOTHING,
    ) -> None:
        """Records a line: the only way that balances change."""
        if grant is not None and grant.meters is not None:
            self.restricted += amount
        else:
            self.available += amount
        self.held += held
        self.pending += pending
        self.lines.append(Line(type_, grant.id if grant else None, amount, held, pending, source, at))
        self.totals.append(self.balances())
        self.count(self.lines[-1])

    def count(self, line: Line) -> None:
        """What a line counts as, for limits."""
        operation, event = line.source
        whose = self.events.get(event or "") or self.operations.get(operation) or self.holds.get(operation)  # type: ignore[arg-type]
        counts = line.type in ("capture", "debit", "debt") or line.type in ("consumption", "reversal") and event is not None
        if isinstance(whose, Operation) and not (counts := whose.counts and (counts or line.type == "reversal")):
            return
        if not counts or whose is None:
            return
        at = self.made_at.get(line.source, line.at) if line.type == "reversal" else line.at
        meter = whose.meter if isinstance(whose, Event) else None
        self.spent.append(Spent(at, whose.member, meter, line.pending - line.amount - line.held))

    def draws_of(self, *, event: str | None = None, operation: UUID | None = None) -> list[tuple[UUID, Decimal]]:
        """What grants paid for an event or gave to an operation, and did not get back: oldest first."""
        stack: list[tuple[UUID, Decimal]] = []
        for line in self.lines:
            mine = line.source.event == event if event else line.source.operation == operation
            taken = -line.amount - line.held
            if not mine or line.grant is None or taken == 0:
                continue
            if taken > 0:
                stack.append((line.grant, taken))
            elif event:
                stack = left_of(stack, -taken)
        return stack

    # --- time ------------------------------------------------------------------------------------------------------

    def advance(self, to: datetime) -> None:
        """Posts what time brings until then: at one instant holds end, grants end, grants begin, what is owed is paid."""
        while (at := min(self.due(), default=NEVER)) <= to and at != NEVER:
            open_holds = [one for one in self.holds.values() if one.status == "open"]
            coming = [one for one in self.grants.values() if one.status == "pending"]
            for hold in sorted((one for one in open_holds if one.expires_at <= at), key=lambda one: one.id.int):
                self.close(hold, "expired", at)
            for grant in sorted((one for one in self.grants.values() if one.expires_at <= at), key=lambda one: one.order):
                if grant.status in ("granted", "suspended"):
                    self.end(grant, "expired", at)
            for grant in sorted((one for one in coming if one.effective_at <= at), key=lambda one: one.order):
                if grant.status == "pending":
                    grant.status = "granted"
                    self.post("grant", grant, grant.remaining, at)
            self.pay_debts(at)
        self.posted_at = max(to, self.posted_at)

    def due(self) -> list[datetime]:
        """When time changes something."""
        holds = [one.expires_at for one in self.holds.values() if one.status == "open"]
        ends = [one.expires_at for one in self.grants.values() if one.status in ("granted", "suspended")]
        return holds + ends + [one.effective_at for one in self.grants.values() if one.status == "pending"]

    def due_between(self, since: datetime, until: datetime) -> list[datetime]:
        """When time changes something in a span, or makes room in a limit; and its end."""
        room = [one.at + timedelta(seconds=limit.seconds) for limit in self.limits.values() for one in self.spent]
        return sorted({at for at in (*self.due(), *room) if since < at <= until} | {until})

    def close(self, hold: Hold, status: str, at: datetime) -> None:
        """What a hold still has goes back, and it is closed."""
        hold.status, hold.had = status, hold.left
        self.give_from(hold, hold.left, at)

    def give_from(self, hold: Hold, amount: Decimal, at: datetime) -> None:
        """So much of a hold goes back, the newest draw first."""
        while amount > 0:
            grant, part = hold.parts.pop()
            back = min(amount, part)
            if back < part:
                hold.parts.append((grant, part - back))
            amount -= back
            self.give_back("release", self.grants[grant], back, at, Source(hold.id))

    # --- what grants pay -------------------------------------------------------------------------------------------

    def payers(self, meter: str | None) -> list[Grant]:
        usable = [one for one in self.grants.values() if one.status == "granted" and one.remaining > 0 and one.pays(meter)]
        return sorted(usable, key=lambda one: one.order)

    def payable(self, meter: str | None) -> Decimal:
        return sum((one.remaining for one in self.payers(meter)), NOTHING)

    def draw(self, meter: str | None, amount: Decimal, before: Grant | None = None) -> list[tuple[Grant, Decimal]]:
        """Takes up to an amount from those that pay, in their order; only from those before one, if that is given."""
        draws = []
        for grant in self.payers(meter):
            if amount <= 0 or before is not None and grant.order >= before.order:
                break
            part = min(amount, grant.remaining)
            grant.remaining -= part
            if grant.remaining == 0:
                grant.status = "depleted"
            amount -= part
            draws.append((grant, part))
        return draws

    def take(self, type_: str, draws: Iterable[tuple[Grant, Decimal]], at: datetime, source: Source) -> Decimal:
        total = NOTHING
        for grant, part in draws:
            self.post(type_, grant, -part, at, source)
            total += part
        return total

    def owe(self, source: Source, meter: str | None, pending: Decimal, consumed: Decimal = NOTHING) -> None:
        for debt in self.debts.values():
            if debt.source == source and (source.event is None or debt.pending > 0):
                debt.pending += pending
                debt.consumed += consumed
                return
        self.last_debt += 1
        self.debts[self.last_debt] = Debt(source, meter, pending, consumed)

    def debt_of(self, event: str) -> Debt | None:
        return next((one for one in self.debts.values() if one.source.event == event and one.pending > 0), None)

    def pay_debts(self, at: datetime) -> None:
        """What is owed, the oldest first."""
        for debt in [self.debts[number] for number in sorted(self.debts)] if self.pending > 0 else ():
            for grant, part in self.draw(debt.meter, debt.pending) if debt.pending > 0 else ():
                self.post("consumption", grant, -part, at, debt.source, pending=-part)
                debt.pending -= part
                debt.consumed += part
                if debt.source.event is not None:
                    event = self.events[debt.source.event]
                    event.consumed, event.pending = event.consumed + part, event.pending - part

    # --- what comes back, and what ends ----------------------------------------------------------------------------

    def give_back(self, type_: str, grant: Grant, amount: Decimal, at: datetime, source: Source) -> None:
        """Credits return to the grant that gave them; of one that has ended they lapse at once."""
        self.post(type_, grant, amount, at, source, held=-amount if type_ == "release" else NOTHING)
        suspended = grant.status == "suspended"
        if grant.has_ended(at):
            grant.take_off(amount)
            if grant.status in ENDED:
                self.lapse(grant, amount, at)
            else:
                if suspended:
                    self.post("suspension", grant, -amount, at)
                grant.remaining += amount
                self.end(grant, "expired", at)
            return
        before = grant.remaining
        grant.remaining += amount
        for clawback in grant.take_off(amount):
            grant.remaining -= clawback.amount
            grant.lapsed += clawback.amount
            self.post("refund", grant, -clawback.amount, at, Source(clawback.operation))
        if not suspended:
            grant.status = "granted" if grant.remaining > 0 else "depleted"
        elif grant.remaining > before:
            self.post("suspension", grant, before - grant.remaining, at)

    def end(self, grant: Grant, status: str, at: datetime) -> None:
        """What remains of a grant is gone."""
        was, remaining = grant.status, grant.remaining
        grant.status, grant.remaining = status, NOTHING
        if was == "pending":
            grant.lapsed = remaining
            return
        if was == "suspended" and remaining > 0:
            self.post("resumption", grant, remaining, at)
        self.lapse(grant, remaining, at)

    def lapse(self, grant: Grant, amount: Decimal, at: datetime) -> None:
        if amount > 0:
            grant.lapsed += amount
            self.post("void" if grant.status == "voided" else "expiration", grant, -amount, at)

    def lapsed_by_time(self, grant: Grant) -> Decimal:
        """What lapsed with a grant's time, and did not come back."""
        mistakes = sum((one.credits for one in self.reclaims.values() if one.grant == grant.id), NOTHING)
        return max(grant.lapsed - grant.parts_ended - (mistakes - self.counted(grant)) + grant.waiting(), NOTHING)

    def counted(self, grant: Grant) -> Decimal:
        """What is owed for a grant that was a mistake, or was paid for."""
        operations = {id_ for id_, one in self.reclaims.items() if one.grant == grant.id}
        debts = [one for one in self.debts.values() if one.source.operation in operations]
        return sum((one.consumed + one.pending for one in debts), NOTHING)

    def held_of(self, grant: Grant) -> Decimal:
        holds = [one for one in self.holds.values() if one.status == "open"]
        return sum((amount for one in holds for id_, amount in one.parts if id_ == grant.id), NOTHING)
