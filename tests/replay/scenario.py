"""What the replay test gives whom: two meters, and grants that make every rule of the drawdown order decide somewhere.

Pure input, made from a seed and the trace. The loader reports it to the database and the model computes from it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from usage_trace import Event

CUSTOMERS = 200
CURRENCY = "CREDIT"
DECIMALS = 6

# Neither price is a multiple of what six decimals can hold for every value: 0.00150015 makes amounts that round up and
# down, 0.0020005 makes an exact half of every odd value.
UNIT_PRICES = {"prompt_tokens": Decimal("0.00150015"), "completion_tokens": Decimal("0.0020005")}

# What customers paid for one credit, in the packs that they bought. The last has more digits than the credits
# themselves, so revenue is exact only where all digits are kept.
COST_BASES = (Decimal("0.02"), Decimal("0.0125"), Decimal("0.00833333"))

# What a whole grant was paid with, below this many cents: no whole number of cents per credit.
MOST_CENTS = 9_973
MONEY = "USD"

# What has to have happened at least once for a replay to prove anything; the model counts them.
MUST_HAPPEN = (
    "order by priority",
    "order by expiry",
    "order by category",
    "order by effective time",
    "order by age",
    "a grant for one meter only",
    "one event drawn from several grants",
    "credits expiring",
    "an end and a start at one moment",
    "usage beyond the balance",
    "an activation pays what is owed",
    "a top-up pays what is owed",
    "rounding",
    "rounding of an exact half",
)


@dataclass(frozen=True)
class GrantPlan:
    """One grant to give, at its moment. `key` is its idempotency key, unique within the customer."""

    key: str
    customer: str
    at: datetime
    amount: Decimal
    category: str = "promotional"
    priority: int = 50
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    meters: tuple[str, ...] | None = None
    cost_basis: Decimal | None = None
    cost_amount: Decimal | None = None


Step = GrantPlan | Event


def plan(events: Sequence[Event], customers: Iterable[str], seed: int) -> list[GrantPlan]:
    """The grants of every customer, sized by what the customer will use, so that most run dry at some time."""
    usage: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        usage[event.customer].append(event)
    start, end = events[0].time, events[-1].time
    grants: list[GrantPlan] = []
    for customer in customers:
        grants += _Customer(customer, usage[customer], start, end, random.Random(f"{seed}/{customer}")).grants()
    return grants


def in_order(grants: Iterable[GrantPlan], events: Iterable[Event]) -> list[Step]:
    """Grants and events as one sequence in time; at one moment the grant comes first. Otherwise the order stays."""
    steps: list[Step] = [*grants, *events]
    steps.sort(key=moment)
    return steps


def moment(step: Step) -> datetime:
    """When a step is to be reported."""
    return step.at if isinstance(step, GrantPlan) else step.time


class _Customer:
    """The choices for one customer."""

    def __init__(
        self, name: str, events: list[Event], start: datetime, end: datetime, random_: random.Random
    ) -> None:
        self.name = name
        self.events = events
        self.start, self.end = start, end
        self.random = random_
        self.usage = sum(float(event.value * UNIT_PRICES[event.event_name]) for event in events) or 1.0

    def grants(self) -> list[GrantPlan]:
        groups = [
            self._bonus, self._pack_and_gift, self._late_before_early, self._twins, self._scheduled, self._prompt_only,
            self._completion_only, self._relay, self._beyond_the_end, self._long_lived,
        ]  # fmt: skip
        chosen = self.random.sample(groups, self.random.randint(5, 8))
        given = [grant for group in chosen for grant in group()]
        return given + [self._top_up(number) for number in range(self.random.choice((0, 1, 2, 2, 3)))]

    def _give(self, key: str, share: float, **terms: object) -> GrantPlan:
        """A grant before the trace begins, worth about that share of the customer's usage."""
        terms.setdefault("at", self.start - timedelta(hours=1))
        if terms.get("category") == "paid":
            terms["cost_basis"] = self.random.choice(COST_BASES)
        micro = max(1, int(self.usage * share * self.random.uniform(0.6, 1.4) * 10**DECIMALS))
        if terms.get("category") == "paid":
            terms["cost_amount"] = Decimal(micro % MOST_CENTS).scaleb(-2)
        return GrantPlan(key, self.name, amount=Decimal(micro).scaleb(-DECIMALS), **terms)  # type: ignore[arg-type]

    def _moment(self, part: float) -> datetime:
        """A moment so far into the trace: mostly the very microsecond of one of the customer's own events."""
        if self.events and self.random.random() < 0.7:
            return self.events[int(part * (len(self.events) - 1))].time
        return self.start + part * (self.end - self.start)

    def _bonus(self) -> list[GrantPlan]:
        return [self._give("bonus", 0.10, expires_at=self._moment(self.random.uniform(0.05, 0.5)))]

    def _pack_and_gift(self) -> list[GrantPlan]:
        """The same priority and both for ever: the promotional one goes first, though it is the younger."""
        return [self._give("pack", 0.08, category="paid"), self._give("gift", 0.05)]

    def _late_before_early(self) -> list[GrantPlan]:
        """Only the effective time tells them apart, and it is the reverse of their age."""
        early = self.start + 0.15 * (self.end - self.start)
        return [
            self._give("late", 0.04, priority=30, effective_at=early + timedelta(microseconds=1)),
            self._give("early", 0.04, priority=30, effective_at=early),
        ]

    def _twins(self) -> list[GrantPlan]:
        """Nothing but their age tells them apart."""
        until = self.start + 0.8 * (self.end - self.start)
        return [
            self._give("twin 1", 0.03, category="paid", priority=40, expires_at=until),
            self._give("twin 2", 0.03, category="paid", priority=40, expires_at=until),
        ]

    def _scheduled(self) -> list[GrantPlan]:
        """Begins in the middle and goes before everything else from then on."""
        begins = self._moment(0.5)
        ends = max(self._moment(0.7), begins + timedelta(minutes=1))
        return [self._give("scheduled", 0.15, category="paid", priority=10, effective_at=begins, expires_at=ends)]

    def _prompt_only(self) -> list[GrantPlan]:
        return [self._give("prompt only", 0.06, priority=5, meters=("prompt_tokens",))]

    def _completion_only(self) -> list[GrantPlan]:
        begins = self._moment(0.35)
        ends = max(self._moment(0.9), begins + timedelta(minutes=1))
        return [
            self._give("completion only", 0.05, priority=60, meters=("completion_tokens",), effective_at=begins,
                       expires_at=ends)
        ]  # fmt: skip

    def _relay(self) -> list[GrantPlan]:
        """One ends, with something left as a rule, at the moment at which the next begins."""
        handover = self._moment(self.random.uniform(0.05, 0.5))
        both = ("prompt_tokens", "completion_tokens")
        return [
            self._give("relay 1", 0.25, priority=70, expires_at=handover),
            self._give("relay 2", 0.05, priority=70, effective_at=handover, meters=both),
        ]

    def _beyond_the_end(self) -> list[GrantPlan]:
        """Never begins within the trace."""
        return [self._give("next month", 0.5, effective_at=self.end + timedelta(days=1))]

    def _long_lived(self) -> list[GrantPlan]:
        """Still has something left at the end, as a rule, and will expire."""
        return [self._give("long lived", 0.6, priority=90, expires_at=self.end + timedelta(hours=1))]

    def _top_up(self, number: int) -> GrantPlan:
        """Bought in the middle of the trace, often when the customer has run dry."""
        at = self._moment(self.random.uniform(0.4, 0.98))
        terms = self.random.choice(
            (
                {"category": "paid"},
                {"category": "paid", "priority": 20},
                {"expires_at": at + timedelta(minutes=self.random.randint(1, 10))},
                {"meters": ("completion_tokens",), "priority": 80},
                {"effective_at": at + timedelta(minutes=self.random.randint(1, 5))},
                {"effective_at": at - timedelta(minutes=self.random.randint(1, 5)), "category": "paid"},
            )
        )
        return self._give(f"top-up {number}", self.random.choice((0.03, 0.1, 0.3)), at=at, **terms)
