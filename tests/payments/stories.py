"""What becomes of each payment: what is told of it, and what must have come of that in the end, in whatever order and
however often it was told. Worked out here, apart from the extension.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from stripe_events import Events, Told

CUSTOMERS = [f"payer {number}" for number in range(8)]
MILLIONTH = Decimal("0.000001")

# What is told together, in that order. All else is told in any order.
Delivery = tuple[Told, ...]


class Price(NamedTuple):
    """What is bought, and for how much: a package, or an amount at a rate."""

    amount: Decimal
    credits: Decimal
    rate: Decimal | None = None

    def share(self, share: str) -> Decimal:
        """A part of the amount, in cents."""
        return (self.amount * Decimal(share)).quantize(Decimal("0.01"), ROUND_HALF_UP)


PRICES = (
    Price(Decimal(20), Decimal(1_000)),
    Price(Decimal("9.99"), Decimal("1234.567891")),
    Price(Decimal(25), Decimal("83.333333"), Decimal("0.3")),  # rounded down
)


class Due(NamedTuple):
    """What must have come of it."""

    statuses: tuple[str, ...] = ("paid",)
    paid: bool = True
    back: Decimal = Decimal(0)  # of what was due for the credits: refunded, or disputed and not won
    price: Decimal | None = None  # that, where it is not what the purchase costs
    contradicts: bool | None = False  # None: that depends on the order


class Story(NamedTuple):
    """One purchase."""

    number: int
    kind: str
    customer: str
    price: Price
    deliveries: list[Delivery]
    due: Due

    @property
    def begins(self) -> bool:
        """Whether its top_up_create is committed at all."""
        return self.kind != "never_begun"

    @property
    def named(self) -> bool:
        """Whether all that is told of it says which purchase it is about."""
        return self.kind != "told_by_reference"

    @property
    def paid_again(self) -> bool:
        """Whether it may be paid after it was refunded: its other payment is told, and is still there."""
        return self.kind == "second_refunded"

    def reclaimed(self) -> Decimal:
        """Credits that went back, were owed or will go back: rounded on the total."""
        price = self.price.amount if self.due.price is None else self.due.price
        back = min(self.due.back, price)
        return (self.price.credits * back / price).quantize(MILLIONTH, ROUND_HALF_UP) if price else Decimal(0)


class Teller:
    """What can be told of one purchase: webhooks and function calls."""

    def __init__(self, number: int, price: Price) -> None:
        self.price = price
        self.amount = price.amount
        self.stripe = Events(number)
        self.number = number

    def call(self, function: str, reference: str | None, **values: Any) -> Told:
        """A call of a function, under a reference of this purchase's own."""
        if reference is not None:
            values["provider_reference"] = f"{reference} of {self.number}"
        return Told(f"{function} {self.number} {reference}", function, values)


# --- by webhooks -----------------------------------------------------------------------------------------------------


def paid(tell: Teller) -> tuple[list[Delivery], Due]:
    """Three events of one payment."""
    stripe, amount = tell.stripe, tell.amount
    return [(stripe.completed(amount),), (stripe.succeeded(amount),), (stripe.succeeded(amount, serial=2),)], Due()


def paid_after_failures(tell: Teller) -> tuple[list[Delivery], Due]:
    stripe, amount = tell.stripe, tell.amount
    failures = [(stripe.failed(amount, serial),) for serial in (1, 2)]
    return [*failures, (stripe.succeeded(amount),), (stripe.completed(amount),)], Due(contradicts=None)


def only_failed(tell: Teller) -> tuple[list[Delivery], Due]:
    return [(tell.stripe.failed(tell.amount, serial),) for serial in (1, 2)], Due(("failed",), paid=False)


def refunded_in_parts(tell: Teller) -> tuple[list[Delivery], Due]:
    """Two refunds, each told by the charge alone, which says how much was refunded in all."""
    stripe, amount = tell.stripe, tell.amount
    first, second = tell.price.share("0.17"), tell.price.share("0.33")
    refunds = [(stripe.refunded(amount, first),), (stripe.refunded(amount, first + second, serial=2),)]
    return [(stripe.succeeded(amount),), *refunds], Due(back=first + second, contradicts=None)


def refunded_told_twice(tell: Teller) -> tuple[list[Delivery], Due]:
    """Each refund is told by the charge and by itself, and is one all the same."""
    stripe, amount = tell.stripe, tell.amount
    first, second = tell.price.share("0.29"), tell.price.share("0.41")
    refunds = [
        (stripe.refunded(amount, first),), (stripe.refund_updated(first, 1),),
        (stripe.refunded(amount, first + second, serial=2),), (stripe.refund_updated(second, 2),),
    ]  # fmt: skip
    return [(stripe.succeeded(amount),), *refunds], Due(back=first + second, contradicts=None)


def refunded_whole(tell: Teller) -> tuple[list[Delivery], Due]:
    stripe, amount = tell.stripe, tell.amount
    told = [(stripe.completed(amount),), (stripe.refunded(amount, amount),), (stripe.refund_updated(amount, 1),)]
    return told, Due(("refunded",), back=amount, contradicts=None)


def refunded_too_much(tell: Teller) -> tuple[list[Delivery], Due]:
    stripe, amount = tell.stripe, tell.amount
    parts = [tell.price.share("0.6"), tell.price.share("1.2")]
    told = [(stripe.refunded(amount, total, serial),) for serial, total in enumerate(parts)]
    return [(stripe.succeeded(amount),), *told], Due(("refunded",), back=parts[1], contradicts=True)


def dispute_won(tell: Teller) -> tuple[list[Delivery], Due]:
    stripe, amount = tell.stripe, tell.amount
    told = [(stripe.disputed(amount),), (stripe.dispute_closed(amount, won=True),)]
    return [(stripe.succeeded(amount),), *told], Due(contradicts=None)


def dispute_lost(tell: Teller) -> tuple[list[Delivery], Due]:
    stripe, amount, part = tell.stripe, tell.amount, tell.price.share("0.37")
    told = [(stripe.disputed(part),), (stripe.dispute_closed(part, won=False),)]
    return [(stripe.succeeded(amount),), *told], Due(("paid", "refunded"), back=part, contradicts=None)


def disputed_and_refunded(tell: Teller) -> tuple[list[Delivery], Due]:
    """The whole is disputed and half of it refunded, and the dispute is won: half stays refunded."""
    stripe, amount, half = tell.stripe, tell.amount, tell.price.share("0.5")
    told = [(stripe.disputed(amount),), (stripe.dispute_closed(amount, won=True),), (stripe.refunded(amount, half),)]
    return [(stripe.succeeded(amount),), *told], Due(back=half, contradicts=None)


def told_by_reference(tell: Teller) -> tuple[list[Delivery], Due]:
    """A refund and a dispute that name the payment alone, which nobody knows before its success was told."""
    stripe, amount = tell.stripe, tell.amount
    refunded, disputed = tell.price.share("0.19"), tell.price.share("0.43")
    told = [
        stripe.refunded(amount, refunded), stripe.refund_updated(refunded, 1), stripe.disputed(disputed),
        stripe.dispute_closed(disputed, won=False),
    ]  # fmt: skip
    due = Due(("paid", "refunded"), back=refunded + disputed, contradicts=None)
    return [(stripe.succeeded(amount),), *((one.bare(),) for one in told)], due


def paid_twice(tell: Teller) -> tuple[list[Delivery], Due]:
    """Two payments for one top-up: credits once, and somebody has to look at it."""
    stripe, amount = tell.stripe, tell.amount
    return [(stripe.succeeded(amount, payment=payment, serial=payment),) for payment in (1, 2)], Due(contradicts=True)


def second_refunded(tell: Teller) -> tuple[list[Delivery], Due]:
    """Two payments for one top-up, of which one goes back, told by the charge and by itself: nothing is missing."""
    stripe, amount = tell.stripe, tell.amount
    told = [
        stripe.succeeded(amount), stripe.succeeded(amount, payment=2, serial=2), stripe.refund_updated(amount, 1, payment=2),
        stripe.refunded(amount, amount, payment=2, serial=2),
    ]  # fmt: skip
    return [(one,) for one in told], Due(contradicts=True)


def each_refunded_in_part(tell: Teller) -> tuple[list[Delivery], Due]:
    """Two payments for one top-up, of both of which something goes back: what is missing is what is missing in all."""
    stripe, amount = tell.stripe, tell.amount
    first, second = tell.price.share("0.7"), tell.price.share("0.6")
    told = [
        stripe.succeeded(amount), stripe.succeeded(amount, payment=2, serial=2), stripe.refund_updated(first, 1),
        stripe.disputed(second, payment=2),
    ]  # fmt: skip
    return [(one,) for one in told], Due(back=first + second - amount, contradicts=True)


def paid_in_two(tell: Teller) -> tuple[list[Delivery], Due]:
    """Two payments that make up what is due, and something of the second goes back."""
    stripe, part = tell.stripe, tell.price.share("0.4")
    back = tell.price.share("0.25")
    told = [
        stripe.succeeded(part), stripe.succeeded(tell.amount - part, payment=2, serial=2),
        stripe.refund_updated(back, 1, payment=2),
    ]  # fmt: skip
    return [(one,) for one in told], Due(back=back, contradicts=True)


def taxed(tell: Teller) -> tuple[list[Delivery], Due]:
    """Tax came on top at the checkout; that goes back, and a fifth of the price."""
    stripe, tax, back = tell.stripe, tell.price.share("0.19"), tell.price.share("0.2")
    whole = tell.amount + tax
    told = [stripe.completed(whole, tax=tax), stripe.succeeded(whole), stripe.refunded(whole, tax + back)]
    return [(one,) for one in told], Due(back=back, contradicts=None)


def discounted(tell: Teller) -> tuple[list[Delivery], Due]:
    """A quarter was taken off at the checkout; a fifth of the price goes back."""
    stripe, off, back = tell.stripe, tell.price.share("0.25"), tell.price.share("0.2")
    less = tell.amount - off
    told = [stripe.completed(less, discount=off), stripe.succeeded(less), stripe.refund_updated(back, 1)]
    return [(one,) for one in told], Due(back=back, price=less, contradicts=None)


def free(tell: Teller) -> tuple[list[Delivery], Due]:
    return [(tell.stripe.free(tell.amount),)], Due(price=Decimal(0))


def several_providers(tell: Teller) -> tuple[list[Delivery], Due]:
    """Stripe says how much went back in all, and a cheque gave back something else."""
    stripe, amount = tell.stripe, tell.amount
    first, second = tell.price.share("0.2"), tell.price.share("0.3")
    cheque = tell.call("payment_refunded", "cheque", amount=second, provider="cheque")
    told = [stripe.succeeded(amount), stripe.refunded(amount, first), stripe.refund_updated(first, 1), cheque]
    return [(one,) for one in told], Due(back=first + second, contradicts=None)


def refunded_and_lost(tell: Teller) -> tuple[list[Delivery], Due]:
    """The whole is disputed and refunded, and the dispute is lost: too much went back."""
    stripe, amount = tell.stripe, tell.amount
    told = [stripe.disputed(amount), stripe.dispute_closed(amount, won=False), stripe.refunded(amount, amount)]
    return [(stripe.succeeded(amount),), *((one,) for one in told)], Due(("refunded",), back=amount, contradicts=True)


def paid_too_little(tell: Teller) -> tuple[list[Delivery], Due]:
    little = tell.stripe.succeeded(tell.price.share("0.9"))
    return [(little,)], Due(("initiated",), paid=False, contradicts=True)


def paid_too_little_at_first(tell: Teller) -> tuple[list[Delivery], Due]:
    stripe = tell.stripe
    little, whole = stripe.succeeded(tell.price.share("0.9")), stripe.succeeded(tell.amount, serial=2, payment=2)
    return [(little,), (whole,)], Due(contradicts=True)


def paid_too_much(tell: Teller) -> tuple[list[Delivery], Due]:
    return [(tell.stripe.succeeded(tell.amount + 1),)], Due(contradicts=True)


def never_begun(tell: Teller) -> tuple[list[Delivery], Due]:
    """Its transaction is rolled back: nobody ever knows this top-up."""
    stripe, amount = tell.stripe, tell.amount
    told = [(stripe.succeeded(amount),), (stripe.refunded(amount, amount),), (tell.call("payment_failed", "paid"),)]
    return told, Due((), paid=False)


# --- by functions ----------------------------------------------------------------------------------------------------


def called(tell: Teller) -> tuple[list[Delivery], Due]:
    told = [
        tell.call("payment_succeeded", "paid", amount=tell.amount), tell.call("payment_failed", "failed", reason="no"),
        tell.call("top_up_expire", None),
    ]  # fmt: skip
    return [(one,) for one in told], Due(contradicts=None)


def called_and_told(tell: Teller) -> tuple[list[Delivery], Due]:
    """By a webhook, and by the application, which asked the provider: one payment, since it has one reference."""
    reference = tell.stripe.payment()
    asked = Told(f"asked {reference}", "payment_succeeded", {"provider": "stripe", "provider_reference": reference})
    return [(asked,), (tell.stripe.succeeded(tell.amount),)], Due()


def refunds_called(tell: Teller) -> tuple[list[Delivery], Due]:
    """Three refunds of two fifths."""
    part = tell.price.share("0.4")
    refunds = [(tell.call("payment_refunded", f"refund {number}", amount=part),) for number in range(3)]
    due = Due(("refunded",), back=3 * part, contradicts=True)
    return [(tell.call("payment_succeeded", "paid"),), *refunds], due


def whole_refund_called(tell: Teller) -> tuple[list[Delivery], Due]:
    refund = tell.call("payment_refunded", None)
    due = Due(("refunded",), back=tell.amount, contradicts=None)
    return [(tell.call("payment_succeeded", "paid"),), (refund,)], due


def refund_that_fails(tell: Teller) -> tuple[list[Delivery], Due]:
    """One refund goes through, another is told and then did not."""
    one, other = tell.price.share("0.23"), tell.price.share("0.51")
    goes = (tell.call("payment_refunded", "refund 1", amount=one),)
    fails = (tell.call("payment_refunded", "refund 2", amount=other), tell.call("payment_refund_failed", "refund 2"))
    return [(tell.call("payment_succeeded", "paid"),), goes, fails], Due(back=one, contradicts=None)


def disputes_called(tell: Teller) -> tuple[list[Delivery], Due]:
    """Two disputes, of which one is won."""
    part = tell.price.share("0.3")
    told = [(tell.call("payment_disputed", f"dispute {number}", amount=part),) for number in (1, 2)]
    told += [(tell.call("payment_dispute_closed", f"dispute {number}", won=number == 1),) for number in (1, 2)]
    due = Due(("paid", "refunded"), back=part, contradicts=None)
    return [(tell.call("payment_succeeded", "paid"),), *told], due


KINDS: tuple[Callable[[Teller], tuple[list[Delivery], Due]], ...] = (
    paid, paid_after_failures, only_failed, refunded_in_parts, refunded_told_twice, refunded_whole, refunded_too_much,
    dispute_won, dispute_lost, disputed_and_refunded, told_by_reference, paid_twice, second_refunded, each_refunded_in_part,
    paid_in_two, taxed, discounted, free, several_providers, refunded_and_lost, paid_too_little,
    paid_too_little_at_first, paid_too_much, never_begun, called, called_and_told, refunds_called, whole_refund_called,
    refund_that_fails, disputes_called,
)  # fmt: skip


def all_of(rounds: int, seed: int) -> list[Story]:
    """So many purchases of every kind, in a random order."""
    random_ = random.Random(seed)
    kinds = [(kind, PRICES[(at + round_) % len(PRICES)]) for round_ in range(rounds) for at, kind in enumerate(KINDS)]
    random_.shuffle(kinds)
    stories = []
    for number, (kind, price) in enumerate(kinds):
        deliveries, due = kind(Teller(number, price))
        stories.append(Story(number, kind.__name__, random_.choice(CUSTOMERS), price, deliveries, due))
    return stories
