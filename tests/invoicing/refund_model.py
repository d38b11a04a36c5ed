"""What refunds and disputes take of an invoice's credits, worked out from the rules alone, in fractions: docs/payments.md and the
comment of refund_create(). It shares nothing with the extension, and rounds only where the rules say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from model import rounded

ZERO = Fraction(0)


@dataclass
class Line:
    """A line of an invoice that is paid: what it comes to, and what it grants."""

    line_id: str
    net: Fraction
    tax: Fraction
    credits: Fraction = ZERO
    currency: str = ""
    decimals: int = 0

    @property
    def gross(self) -> Fraction:
        return self.net + self.tax


@dataclass
class Back:
    """Money that goes back, or is disputed."""

    number: int
    payment: str
    amount: Fraction
    dispute: bool = False
    named: dict[int, Fraction] = field(default_factory=dict)
    # Whether it counts as paid back: what paid for nothing does when it is.
    counts: bool = True
    stands: bool = True


@dataclass
class Sale:
    """An invoice that is paid, and what went back of its money since."""

    decimals: int
    lines: list[Line]
    elsewhere: Fraction
    payments: dict[str, Fraction]
    backs: list[Back] = field(default_factory=list)
    spent: dict[str, Fraction] = field(default_factory=dict)
    # Whether what was spent of credits that are to go back is forgiven, instead of owed.
    forgives: bool = False

    def standing(self) -> list[Back]:
        return [back for back in self.backs if back.stands]

    def received(self) -> Fraction:
        return sum(self.payments.values(), ZERO)

    def refunded(self) -> Fraction:
        return sum((back.amount for back in self.standing() if back.counts and not back.dispute), ZERO)

    def disputed(self) -> Fraction:
        return sum((back.amount for back in self.standing() if back.dispute), ZERO)

    def left_of(self, payment: str) -> Fraction:
        """What of a payment neither went back nor is asked for nor disputed."""
        return self.payments[payment] - sum((back.amount for back in self.standing() if back.payment == payment), ZERO)

    def named(self, number: int) -> Fraction:
        """What went back of a line by its name."""
        return sum((back.named.get(number, ZERO) for back in self.standing()), ZERO)

    def left_of_line(self, number: int) -> Fraction:
        return max(self.lines[number].gross, ZERO) - self.named(number)

    def others(self, number: int) -> Fraction:
        """The share of a line that does not go back by its name."""
        gross = self.lines[number].gross
        return 1 - self.named(number) / gross if gross > 0 else Fraction(1)

    def share(self) -> Fraction:
        """Of what no name is said: what was overpaid, tax and shipping go first, then every line in proportion."""
        net = sum((line.net * self.others(number) for number, line in enumerate(self.lines)), ZERO)
        gross = sum((line.gross * self.others(number) for number, line in enumerate(self.lines)), ZERO)
        # With lines below zero the tax may be so too, and then none can go first.
        due = min(net, gross)
        left = self.elsewhere + sum((self.left_of(payment) for payment in self.payments), ZERO)
        return min(max(due - left, ZERO), due) / due if due > 0 else ZERO

    def reclaimed(self, number: int) -> Fraction:
        """How many credits of a line went back: it depends on what stands by now, not on what was first."""
        line = self.lines[number]
        return rounded(line.credits * (1 - self.others(number) * (1 - self.share())), line.decimals)

    def balance(self, currency: str) -> Fraction:
        """What is available, or, below zero, what was spent of what went back."""
        lines = [number for number, line in enumerate(self.lines) if line.currency == currency]
        kept = sum((self.lines[number].credits - self.reclaimed(number) for number in lines), ZERO)
        return kept - self.spent.get(currency, ZERO)

    def owed(self, currency: str) -> Fraction:
        return ZERO if self.forgives else max(-self.balance(currency), ZERO)
