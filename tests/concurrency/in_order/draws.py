"""What grants gave, oldest draw first: what comes back of it comes off the end, as off a stack."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID


def left_of(stack: list[tuple[UUID, Decimal]], back: Decimal) -> list[tuple[UUID, Decimal]]:
    """What is left of draws where so much went back, the newest first."""
    stack = list(stack)
    while back > 0 and stack:
        grant, amount = stack.pop()
        if amount > back:
            stack.append((grant, amount - back))
        back -= amount
    return stack


def newest_of(stack: list[tuple[UUID, Decimal]], amount: Decimal) -> list[tuple[UUID, Decimal]]:
    """The newest draws that come to an amount, the newest first."""
    parts = []
    for grant, drawn in reversed(stack):
        part = min(amount, drawn)
        amount -= part
        if part > 0:
            parts.append((grant, part))
    return parts
