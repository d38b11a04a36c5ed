"""Another billing system with a past, made up at random: what happened to one account, and what it stood at ever after.

As plain as can be, and sharing nothing with the extension: everything is looked at every time, and each balance is
remembered. Its entries are what credits.history_import() takes.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

NEVER = datetime.max.replace(tzinfo=timezone.utc)
CENT = Decimal("0.01")
ZERO = Decimal(0)
# The meters: a price for each unit, and one of which what is beyond 100 in a month costs half.
FLAT = {"pages": Decimal("0.25"), "calls": Decimal("0.013")}
TIERED = "minutes"
METERS = [*FLAT, TIERED]

# Available, restricted, pending.
Standing = tuple[Decimal, Decimal, Decimal]


@dataclass
class Lot:
    """Credits given at one time."""

    key: str
    number: int
    amount: Decimal
    paid: bool
    priority: int
    begins: datetime
    ends: datetime
    meters: list[str] | None
    left: Decimal = ZERO
    state: str = "pending"

    def place(self) -> tuple[Any, ...]:
        return (self.priority, self.ends, self.paid, self.begins, self.number)

    def pays(self, meter: str | None) -> bool:
        return self.state == "granted" and self.left > 0 and (self.meters is None or meter in self.meters)


@dataclass
class Charge:
    """What something took of which lot, in order, and what it still owes."""

    meter: str | None
    draws: list[tuple[Lot, Decimal]] = field(default_factory=list)
    owed: Decimal = ZERO
    # What may go back, what did, and what of that was owed. A debit's is all of it; of a correction, what was taken at once.
    taken: Decimal = ZERO
    returned: Decimal = ZERO
    forgiven: Decimal = ZERO


@dataclass
class Source:
    """One account's past."""

    now: datetime = datetime(2024, 1, 1, tzinfo=timezone.utc)
    lots: list[Lot] = field(default_factory=list)
    charges: dict[str, Charge] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    moments: list[datetime] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def standing(self) -> Standing:
        open_lots = [lot for lot in self.lots if lot.state == "granted"]
        return (
            sum((lot.left for lot in open_lots if lot.meters is None), ZERO),
            sum((lot.left for lot in open_lots if lot.meters is not None), ZERO),
            sum((charge.owed for charge in self.charges.values()), ZERO),
        )

    def at(self, moment: datetime) -> Standing:
        found = bisect_right(self.moments, moment)
        return self.standings[found - 1] if found else (ZERO, ZERO, ZERO)

    def remember(self) -> None:
        self.moments.append(self.now)
        self.standings.append(self.standing())

    def go_to(self, moment: datetime) -> None:
        """What time brings until then: at one moment lots end, then begin, and then debts are paid."""
        while True:
            due = [lot.ends for lot in self.lots if lot.state in ("granted", "depleted") and lot.ends <= moment]
            due += [lot.begins for lot in self.lots if lot.state == "pending" and lot.begins <= moment]
            if not due:
                break
            self.now = min(due)
            for lot in self.lots:
                if lot.state in ("granted", "depleted") and lot.ends <= self.now:
                    lot.state, lot.left = ("expired", ZERO) if lot.state == "granted" else ("ended", ZERO)
            for lot in self.lots:
                if lot.state == "pending" and lot.begins <= self.now:
                    lot.state = "granted"
            self.pay()
            self.remember()
        self.now = moment

    def pay(self) -> None:
        for charge in self.charges.values():
            if charge.owed > 0:
                charge.owed -= self.draw(charge, charge.owed)

    def draw(self, charge: Charge, amount: Decimal) -> Decimal:
        open_ = amount
        for lot in sorted(self.lots, key=Lot.place):
            if open_ > 0 and lot.pays(charge.meter):
                part = min(open_, lot.left)
                lot.left -= part
                lot.state = "depleted" if lot.left == 0 else lot.state
                charge.draws.append((lot, part))
                open_ -= part
        return amount - open_

    def give_back(self, lot: Lot, amount: Decimal) -> None:
        if lot.state in ("granted", "depleted"):
            lot.left, lot.state = lot.left + amount, "granted"

    # What can happen; each is an entry too.

    def enter(self, kind: str, **particulars: Any) -> None:
        shown = {name: str(value) if isinstance(value, Decimal) else value for name, value in particulars.items()}
        shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items()}
        entry = {"type": kind, "at": self.now.isoformat(), **shown}
        self.entries.append({name: value for name, value in entry.items() if value is not None})

    def grant(self, key: str, amount: Decimal, paid: bool, priority: int, begins: datetime | None, ends: datetime,
              meters: list[str] | None) -> None:  # fmt: skip
        lot = Lot(key, len(self.lots), amount, paid, priority, begins or self.now, ends, meters, amount)
        self.lots.append(lot)
        self.enter("grant", idempotency_key=key, name=key, amount=amount, category="paid" if paid else "promotional",
                   priority=priority, effective_at=begins, expires_at=None if ends == NEVER else ends,
                   applicable_meters=meters)  # fmt: skip
        if begins is None:
            lot.state = "granted"
            self.pay()

    def charge(self, key: str, meter: str | None, amount: Decimal) -> None:
        charge = self.charges[key] = Charge(meter)
        charge.taken = self.draw(charge, amount)
        charge.owed = amount - charge.taken

    def debit(self, key: str, amount: Decimal) -> None:
        self.enter("debit", idempotency_key=key, amount=amount, description=f"Job {key}", member_id="kim")
        self.charge(key, None, amount)
        self.charges[key].taken = amount

    def correct(self, key: str, amount: Decimal) -> None:
        self.enter("adjustment", idempotency_key=key, amount=amount, reason="correction")
        if amount < 0:
            return self.charge(key, None, -amount)
        lot = Lot(key, len(self.lots), amount, False, 50, self.now, NEVER, None, amount, "granted")
        self.lots.append(lot)
        self.pay()

    def usage(self, key: str, meter: str, value: Decimal, credits: Decimal | None) -> None:
        self.enter("usage", identifier=key, event_name=meter, value=value, credits=credits, subscription_id="plan",
                   metadata={"request": key})  # fmt: skip
        if credits is None and meter == TIERED:
            month = f"{self.now:%Y-%m}"
            before = self.used[month]
            self.used[month] += value
            credits = rounded(tiers(self.used[month])) - rounded(tiers(before))
        self.charge(key, meter, rounded(FLAT[meter] * value) if credits is None else credits)

    def reverse(self, key: str, of: str, amount: Decimal | None) -> None:
        self.enter("reversal", idempotency_key=key, operation_key=of, amount=amount, reason="It failed")
        charge = self.charges[of]
        open_ = charge.taken - charge.returned if amount is None else amount
        skip = charge.returned - charge.forgiven
        charge.returned += open_
        draws, left = charge.draws, charge.taken
        if of.startswith("d"):
            # What a debit still owes is owed no longer, before anything goes back.
            forgiven = min(open_, charge.owed)
            charge.owed -= forgiven
            charge.forgiven += forgiven
            open_ -= forgiven
        else:
            # Not what paid its debt later.
            draws = []
            for lot, part in charge.draws:
                draws.append((lot, min(part, left)))
                left -= min(part, left)
        # The newest draw first, less what went back before.
        for lot, part in reversed(draws):
            gone = min(part, skip)
            skip -= gone
            back = min(part - gone, open_)
            open_ -= back
            self.give_back(lot, back)
        self.pay()

    def cancel(self, of: str) -> None:
        self.enter("cancellation", identifier=of, reason="It failed")
        charge = self.charges.pop(of)
        for lot, part in charge.draws:
            self.give_back(lot, part)
        self.pay()

    def end(self, kind: str, lot: Lot, amount: Decimal | None) -> None:
        self.enter(kind, grant_key=lot.key, amount=amount)
        if amount is not None:
            lot.left -= amount
            lot.state = "depleted" if lot.left == 0 else lot.state
        else:
            lot.left, lot.state = ZERO, "voided" if kind == "void" else "expired"


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def tiers(quantity: Decimal) -> Decimal:
    return min(quantity, Decimal(100)) + max(quantity - 100, ZERO) / 2


def make(seed: int, steps: int, end: datetime, now: datetime) -> Source:
    """A past of about so many entries, from 2024 to `end`, and what time brought until now."""
    dice = random.Random(seed)
    source = Source()
    span = (end - source.now).total_seconds()
    moments = sorted(source.now + timedelta(seconds=dice.randrange(1, int(span))) for _ in range(steps))
    for number, moment in enumerate(moments):
        # Sometimes two things happen at once.
        source.go_to(moment if dice.random() < 0.95 else source.now)
        step(source, dice, number)
        source.remember()
    source.go_to(now)
    source.remember()
    return source


def step(source: Source, dice: random.Random, number: int) -> None:
    cents = lambda most: Decimal(dice.randrange(1, 100 * most)) * CENT  # noqa: E731
    kind = dice.choices(
        ["grant", "usage", "debit", "correction", "reversal", "cancellation", "end"], [14, 45, 20, 4, 8, 5, 4]
    )[0]
    if kind == "grant":
        begins = source.now + timedelta(days=dice.randrange(1, 20)) if dice.random() < 0.2 else None
        ends = (begins or source.now) + timedelta(days=dice.randrange(1, 90)) if dice.random() < 0.7 else NEVER
        meters = sorted(dice.sample(METERS, dice.randrange(1, 3))) if dice.random() < 0.25 else None
        source.grant(f"g{number}", cents(80), dice.random() < 0.5, dice.choice([10, 50, 50, 90]), begins, ends, meters)
    elif kind == "usage":
        credits = cents(9) if dice.random() < 0.3 else None
        source.usage(f"u{number}", dice.choice(METERS), Decimal(dice.randrange(0, 60)), credits)
    elif kind == "debit":
        source.debit(f"d{number}", cents(30))
    elif kind == "correction":
        source.correct(f"c{number}", cents(40) * dice.choice([1, -1]))
    elif kind == "reversal":
        open_ = [key for key, charge in source.charges.items() if charge.meter is None and charge.taken > charge.returned]
        if open_:
            key = dice.choice(open_)
            left = source.charges[key].taken - source.charges[key].returned
            source.reverse(f"r{number}", key, min(left, cents(20)) if dice.random() < 0.6 else None)
    elif kind == "cancellation":
        open_ = [key for key, charge in source.charges.items() if charge.meter in FLAT]
        if open_:
            source.cancel(dice.choice(open_))
    else:
        open_lots = [lot for lot in source.lots if lot.state == "granted" and lot.left > 0]
        if open_lots:
            lot = dice.choice(open_lots)
            part = min(lot.left, cents(10)) if dice.random() < 0.5 else None
            source.end(dice.choice(["void", "expiration"]), lot, part)
