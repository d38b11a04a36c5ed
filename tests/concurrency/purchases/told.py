"""What can be told of a purchase, in whatever order and however often. All of it follows from the purchase's id, so
that sessions that know nothing of each other tell the same things at the same time; and what must come of it follows
from which of them were told, and not from when.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

NOTHING = Decimal(0)
PROVIDER, SECRET = "shop", "a secret of the shop's"
CURRENCY = "USD"

# By kind: the function, and what it takes after whose purchase it is and who tells of it by which reference.
CALLS = {
    "succeeded": ("payment_succeeded", "amount"),
    "failed": ("payment_failed", ""),
    "expired": ("top_up_expire", ""),
    "refunded": ("payment_refunded", "amount total_refunded spent"),
    "refund_failed": ("payment_refund_failed", ""),
    "disputed": ("payment_disputed", "amount spent"),
    "dispute_won": ("payment_dispute_closed", "won"),
    "dispute_lost": ("payment_dispute_closed", "won"),
}
WEBHOOK = "SELECT * FROM credits.webhook_receive(%s, %s, %s)"
# How often each is told, beside the others.
OFTEN = {"succeeded": 8, "failed": 1, "expired": 1, "refunded": 3, "refund_failed": 2, "disputed": 2}


@dataclass(frozen=True)
class Told:
    """One thing that is told. Of refunds `amount` is one alone, `total` all together."""

    kind: str
    reference: str | None = None
    amount: Decimal | None = None
    total: Decimal | None = None


@dataclass(frozen=True)
class Purchase:
    """A purchase as its customer sees it: what is due for it, and what it buys."""

    customer: str
    id: str
    amount: Decimal
    credits: Decimal

    def things(self) -> list[Told]:
        """All that can be told of it. Each refund and each dispute ends in one way, whoever tells of it."""
        random_ = random.Random(self.id)
        things = [Told("succeeded", self.named("paid"), self.amount), Told("failed", self.named("no")), Told("expired")]
        if random_.random() < 0.2:
            things.append(Told("succeeded", self.named("too little"), self.amount - 1))
            things.append(Told("succeeded", self.named("paid again"), self.amount))
        if random_.random() < 0.6:
            for number in range(random_.randint(1, 3)):
                things.append(Told("refunded", self.named(f"refund {number}"), self.part(random_)))
                if random_.random() < 0.6:
                    things.append(Told("refund_failed", self.named(f"refund {number}")))
        else:
            totals = sorted(self.part(random_) for _ in range(2))
            things += [Told("refunded", self.named(f"total {total}"), total=total) for total in totals]
        for number in range(random_.randint(0, 2)):
            reference = self.named(f"dispute {number}")
            things.append(Told("disputed", reference, self.part(random_)))
            if fate := random_.choice(("dispute_won", "dispute_won", "dispute_lost", None)):
                things.append(Told(fate, reference))
        return things

    def named(self, what: str) -> str:
        return f"{what} of {self.id}"

    def part(self, random_: random.Random) -> Decimal:
        """Some or all of what is due, in cents."""
        share = random_.choice((Decimal(1), Decimal("0.5"), Decimal("0.3"), Decimal("0.11")))
        return (self.amount * share).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def call(self, told: Told, spent: str | None) -> tuple[str, list[Any]]:
        function, names = CALLS[told.kind]
        given = {"amount": told.amount, "total_refunded": told.total, "spent": spent, "won": told.kind == "dispute_won"}
        arguments = {"customer_id": self.customer, "top_up_id": self.id}
        if told.reference is not None:
            arguments |= {"provider": PROVIDER, "provider_reference": told.reference}
        arguments |= {name: given[name] for name in names.split()}
        shown = ", ".join(f"{name} => %s" for name in arguments)
        return f"SELECT * FROM credits.{function}({shown})", list(arguments.values())

    def webhook(self, told: Told) -> tuple[str, list[Any]]:
        event: dict[str, Any] = {"id": f"{told.kind} {told.reference or self.id}", "currency": CURRENCY}
        closed = told.kind.startswith("dispute_")
        event["type"] = "payment." + ("dispute_closed" if closed else told.kind)
        event |= {"customer_id": self.customer, "top_up_id": self.id, "won": told.kind == "dispute_won"}
        given = {"reference": told.reference, "amount": told.amount, "total_refunded": told.total}
        event |= {name: str(value) for name, value in given.items() if value is not None}
        payload = json.dumps(event)
        return WEBHOOK, [PROVIDER, payload, hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()]


@dataclass(frozen=True)
class Due:
    """What must have come of what was told."""

    statuses: frozenset[str]
    refunded: Decimal
    disputed: Decimal
    reclaimed: Decimal

    @property
    def is_paid(self) -> bool:
        return self.statuses <= {"paid", "refunded"}


def due(purchase: Purchase, told: Iterable[Told]) -> Due:
    """What must have come of a purchase, by all that was told of it, in whatever order that was."""
    things = set(told)
    ended = {(one.kind, one.reference) for one in things}
    refunds = [one for one in things if one.kind == "refunded" and ("refund_failed", one.reference) not in ended]
    refunded = max(sum((one.amount or NOTHING for one in refunds), NOTHING),
                   max((one.total or NOTHING for one in refunds), default=NOTHING))  # fmt: skip
    disputes = [one for one in things if one.kind == "disputed" and ("dispute_won", one.reference) not in ended]
    disputed = sum((one.amount or NOTHING for one in disputes), NOTHING)
    # In all payments: what is due and no longer remains paid takes its part, and nothing is told of one of them alone.
    paid = sum((one.amount or NOTHING for one in things if one.kind == "succeeded"), NOTHING)
    if paid >= purchase.amount:
        missing = max(purchase.amount - max(paid - refunded - disputed, NOTHING), NOTHING)
        part = (purchase.credits * missing / purchase.amount).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        return Due(frozenset(("refunded" if refunded >= paid else "paid",)), refunded, disputed, part)
    ends = {one.kind for one in things} & {"failed", "expired"}
    return Due(frozenset(ends or ("initiated",)), refunded, disputed, NOTHING)
