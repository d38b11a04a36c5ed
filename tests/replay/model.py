"""What every balance has to be, computed from the rules alone.

A second implementation of the ledger for tests, as plain as it can be: one account at a time, one event at a time,
every grant looked at every time, exact decimals. It shares no code with the extension and knows no database. Its input
is what the loader reports too: grants with their terms and events with their values, in the order of reporting.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Context, Decimal

NEVER = datetime.max.replace(tzinfo=timezone.utc)
EXACT = Context(prec=80)

# The rules of the drawdown order, in the order in which they decide.
RULES = ("priority", "expiry", "category", "effective time", "age")


@dataclass
class Grant:
    """Credits given at one time under one set of terms, and what has become of them."""

    key: str
    number: int
    amount: Decimal
    category: str
    priority: int
    effective_at: datetime
    expires_at: datetime
    meters: frozenset[str] | None
    cost_basis: Decimal | None
    cost_amount: Decimal | None
    given_at: datetime
    remaining: Decimal
    status: str = "pending"

    def rank(self) -> tuple[int, datetime, int, datetime, int]:
        """Where the grant stands in the drawdown order; one place for each of RULES."""
        paid = 1 if self.category == "paid" else 0
        return (self.priority, self.expires_at, paid, self.effective_at, self.number)

    def pays_for(self, event_name: str) -> bool:
        return self.meters is None or event_name in self.meters


@dataclass
class Usage:
    """One event: what it cost, what was paid of it and what is owed."""

    identifier: str
    event_name: str
    cost: Decimal
    consumed: Decimal = Decimal(0)

    @property
    def pending(self) -> Decimal:
        return self.cost - self.consumed


@dataclass(frozen=True)
class Line:
    """One movement of the ledger: a grant opening, a draw of an event on a grant, a grant's remains expiring, or usage
    that no credit covers. `pending` is what it does to the usage owed: a draw that pays a debt lowers it."""

    type: str
    grant: str | None
    identifier: str | None
    amount: Decimal
    effective_at: datetime
    pending: Decimal = Decimal(0)


@dataclass(frozen=True)
class Answer:
    """What reporting one event has to answer."""

    status: str
    consumed: Decimal
    pending: Decimal
    available: Decimal


@dataclass
class Account:
    """One customer's wallet in one currency."""

    decimals: int
    exercised: Counter[str]
    now: datetime = datetime.min.replace(tzinfo=timezone.utc)
    grants: dict[str, Grant] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)
    owed: list[Usage] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def grant(
        self,
        key: str,
        at: datetime,
        amount: Decimal,
        category: str,
        priority: int,
        effective_at: datetime | None,
        expires_at: datetime | None,
        meters: tuple[str, ...] | None,
        cost_basis: Decimal | None,
        cost_amount: Decimal | None,
    ) -> Grant:
        """Gives credits at a moment; they pay what is owed first, as soon as they are in effect."""
        self.advance(at)
        grant = Grant(
            key=key,
            number=len(self.grants),
            amount=amount,
            category=category,
            priority=priority,
            # A moment ago is now.
            effective_at=self.now if effective_at is None else max(self.now, effective_at),
            expires_at=NEVER if expires_at is None else expires_at,
            meters=None if meters is None else frozenset(meters),
            cost_basis=cost_basis,
            cost_amount=cost_amount,
            given_at=self.now,
            remaining=amount,
        )
        self.grants[key] = grant
        if grant.effective_at <= self.now:
            self._open(grant)
            self._pay_owed("a top-up pays what is owed")
        return grant

    def report(self, identifier: str, event_name: str, value: Decimal, unit_price: Decimal, at: datetime) -> Answer:
        """Charges one event: takes what there is and owes the rest."""
        self.advance(at)
        exact = EXACT.multiply(value, unit_price)
        cost = exact.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP, EXACT)
        if cost != exact:
            half = abs(exact - cost) * 2 == Decimal(1).scaleb(-self.decimals)
            self.exercised["rounding of an exact half" if half else "rounding"] += 1
        usage = Usage(identifier, event_name, cost)
        self.usage[identifier] = usage
        self._draw(usage)
        if usage.pending > 0:
            self.owed.append(usage)
            self.lines.append(Line("debt", None, identifier, Decimal(0), self.now, usage.pending))
            self.exercised["usage beyond the balance"] += 1
        status = "pending" if usage.pending > 0 else "processed"
        return Answer(status, usage.consumed, usage.pending, self.available)

    def advance(self, to: datetime) -> None:
        """Lets time pass: what ends ends, what begins begins, and what is owed is paid, each at its own moment."""
        while True:
            ends = [grant.expires_at for grant in self.grants.values() if grant.status == "granted"]
            begins = [grant.effective_at for grant in self.grants.values() if grant.status == "pending"]
            due = min(ends + begins, default=NEVER)
            if due > to or due == NEVER:
                break
            self.now = max(self.now, due)
            ended = [g for g in self.grants.values() if g.status == "granted" and g.expires_at == due]
            begun = [g for g in self.grants.values() if g.status == "pending" and g.effective_at == due]
            for grant in ended:
                self._expire(grant)
            for grant in begun:
                self._open(grant)
            if begun:
                self._pay_owed("an activation pays what is owed")
            if ended and begun:
                self.exercised["an end and a start at one moment"] += 1
        self.now = max(self.now, to)

    @property
    def available(self) -> Decimal:
        return sum((g.remaining for g in self._usable() if g.meters is None), Decimal(0))

    @property
    def restricted(self) -> Decimal:
        return sum((g.remaining for g in self._usable() if g.meters is not None), Decimal(0))

    @property
    def pending(self) -> Decimal:
        return sum((usage.pending for usage in self.owed), Decimal(0))

    def next_expiry(self) -> tuple[datetime | None, Decimal | None]:
        """The next moment at which credits are lost, and how many are by then."""
        ending = [g for g in self._usable() if g.expires_at != NEVER and g.remaining > 0]
        if not ending:
            return None, None
        first = min(grant.expires_at for grant in ending)
        return first, sum((g.remaining for g in ending if g.expires_at == first), Decimal(0))

    def _usable(self) -> list[Grant]:
        return [grant for grant in self.grants.values() if grant.status == "granted"]

    def _open(self, grant: Grant) -> None:
        grant.status = "granted"
        self.lines.append(Line("grant", grant.key, None, grant.amount, self.now))

    def _expire(self, grant: Grant) -> None:
        grant.status = "expired"
        self.lines.append(Line("expiration", grant.key, None, -grant.remaining, grant.expires_at))
        grant.remaining = Decimal(0)
        self.exercised["credits expiring"] += 1

    def _draw(self, usage: Usage, owed: bool = False) -> None:
        """Takes what is still unpaid of an event from the grants that may pay for it, one after the other. `owed` says
        that it had been owed until now."""
        while usage.pending > 0:
            able = sorted((g for g in self._usable() if g.pays_for(usage.event_name)), key=Grant.rank)
            if not able:
                return
            first = able[0]
            if len(able) > 1:
                self.exercised[f"order by {self._decided_by(first, able[1])}"] += 1
            if first.meters is not None:
                self.exercised["a grant for one meter only"] += 1
            taken = min(first.remaining, usage.pending)
            first.remaining -= taken
            usage.consumed += taken
            paid = -taken if owed else Decimal(0)
            self.lines.append(Line("consumption", first.key, usage.identifier, -taken, self.now, paid))
            if first.remaining == 0:
                first.status = "depleted"
                if usage.pending > 0 and len(able) > 1:
                    self.exercised["one event drawn from several grants"] += 1

    def _pay_owed(self, how: str) -> None:
        """Pays what is owed, oldest event first, each from what may pay for it."""
        for usage in self.owed:
            before = usage.consumed
            self._draw(usage, owed=True)
            if usage.consumed > before:
                self.exercised[how] += 1
        self.owed = [usage for usage in self.owed if usage.pending > 0]

    @staticmethod
    def _decided_by(first: Grant, second: Grant) -> str:
        for rule, one, other in zip(RULES, first.rank(), second.rank()):
            if one != other:
                return rule
        raise AssertionError("two grants cannot rank the same")


@dataclass
class Model:
    """All customers' accounts, and how often each rule has decided something."""

    decimals: int
    unit_prices: dict[str, Decimal]
    accounts: dict[str, Account] = field(default_factory=dict)
    exercised: Counter[str] = field(default_factory=Counter)

    def account(self, customer: str) -> Account:
        if customer not in self.accounts:
            self.accounts[customer] = Account(self.decimals, self.exercised)
        return self.accounts[customer]

    def report(self, customer: str, identifier: str, event_name: str, value: Decimal, at: datetime) -> Answer:
        return self.account(customer).report(identifier, event_name, value, self.unit_prices[event_name], at)

    def advance(self, to: datetime) -> None:
        for account in self.accounts.values():
            account.advance(to)
