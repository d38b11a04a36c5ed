"""Auto-recharge under load: what its sessions share. The wallets and how they recharge themselves, what a session
reports, and how all of them are told that it is over.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from multiprocessing import get_context

TIMEOUT = 2  # seconds until a request has timed out
CREDITS, PRICE = Decimal(100), Decimal(5)  # of one unit of the package
MANY = 100_000  # a limit that is never reached
EVERY = timedelta(seconds=1.5)  # between two moments of a schedule
START = datetime(2026, 1, 1, tzinfo=timezone.utc)  # the first of them

# Set when the sessions shall end. They are forked, so that they all have it.
STOP = get_context("fork").Event()


@dataclass(frozen=True)
class Terms:
    """A wallet, and how it recharges itself."""

    customer: str
    threshold: Decimal
    quantity: int  # with a target, the fewest
    max_attempts: int
    max_amount: Decimal
    monthly: bool  # whether these limits are of the calendar's month, not of 24 hours
    target: Decimal | None
    scheduled: bool

    @property
    def amount(self) -> Decimal:
        """What the least costs."""
        return PRICE * self.quantity

    @property
    def limited(self) -> bool:
        return self.max_attempts < MANY or self.max_amount < MANY

    def configuration(self) -> dict[str, object]:
        """What configure_auto_recharge is told of it."""
        period = "calendar_month" if self.monthly else "day"
        told: dict[str, object] = {"threshold": self.threshold, "quantity": self.quantity}
        told |= {f"max_attempts_per_{period}": self.max_attempts, f"max_amount_per_{period}": self.max_amount}
        if self.target is not None:
            told["target"] = self.target
        if self.scheduled:
            told |= {"schedule_every": EVERY, "schedule_start_at": START}
        return told


def wallets(number: int, seed: int) -> list[Terms]:
    """Every fifth may try eight times, every fifth pay for ten units, the others may go on: within 24 hours, or every
    other one within the month. A third have a target, and all whose amount is limited; of the others a third have a
    schedule."""
    made = []
    for serial in range(number):
        random_ = random.Random(f"{seed}/wallet {serial}")
        quantity = random_.choice((1, 1, 2))
        attempts = 8 if serial % 5 == 0 else MANY
        amount = PRICE * 10 if serial % 5 == 1 else Decimal(MANY)
        threshold = Decimal(random_.randint(20, 60))
        target = threshold + random_.randint(0, 600) if serial % 3 == 0 or serial % 5 == 1 else None
        scheduled = serial % 5 > 1 and serial % 3 == 1
        made.append(Terms(f"wallet {serial}", threshold, quantity, attempts, amount, serial % 2 == 0, target, scheduled))
    return made


@dataclass
class Report:
    """What a session did, and what it was told that it should not have been."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
