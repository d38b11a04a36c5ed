"""Auto-recharge under load: what its sessions share. The wallets and how they recharge themselves, what a session
reports, and how all of them are told that it is over.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing import get_context

TIMEOUT = 2  # seconds until a request has timed out
CREDITS, PRICE = Decimal(100), Decimal(5)  # of one unit of the package
MANY = 100_000  # a limit that is never reached

# Set when the sessions shall end. They are forked, so that they all have it.
STOP = get_context("fork").Event()


@dataclass(frozen=True)
class Terms:
    """A wallet, and how it recharges itself."""

    customer: str
    threshold: Decimal
    quantity: int
    max_attempts: int
    max_amount: Decimal

    @property
    def amount(self) -> Decimal:
        return PRICE * self.quantity

    @property
    def limited(self) -> bool:
        return self.max_attempts < MANY or self.max_amount < MANY


def wallets(number: int, seed: int) -> list[Terms]:
    """Every fifth may try eight times a day, every fifth pay for ten units a day, the others may go on."""
    made = []
    for serial in range(number):
        random_ = random.Random(f"{seed}/wallet {serial}")
        quantity = random_.choice((1, 1, 2))
        attempts = 8 if serial % 5 == 0 else MANY
        amount = PRICE * 10 if serial % 5 == 1 else Decimal(MANY)
        made.append(Terms(f"wallet {serial}", Decimal(random_.randint(20, 60)), quantity, attempts, amount))
    return made


@dataclass
class Report:
    """What a session did, and what it was told that it should not have been."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
