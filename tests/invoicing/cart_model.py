"""What becomes of carts and of the discounts in them, from the rules alone (docs/reference/checkout.md and coupons.md), on
model.py. It shares nothing with the extension."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

import model


@dataclass
class Price:
    """What is sold: by an amount of one, or by what a quantity costs."""

    price_id: str
    lookup_key: str
    product: str
    currency: str
    unit: Fraction | None
    pricing: dict[str, Any] | None
    inclusive: bool
    credits: Fraction | None


@dataclass
class Item:
    """So many of it, in a cart."""

    price: Price
    quantity: int
    adjustable: tuple[int, int] | None
    custom: Fraction | None
    rate: Fraction | None
    behavior: bool | None

    def cost(self, decimals: int) -> Fraction:
        if self.custom is not None:
            return self.custom
        if self.price.pricing is not None:
            return model.rounded(model.price(self.price.pricing, Fraction(self.quantity)), decimals)
        return model.rounded(self.quantity * (self.price.unit or 0), decimals)


@dataclass(eq=False)
class Coupon:
    """What is taken off, of what, how often and until when."""

    coupon_id: str
    percent: Fraction | None
    amounts: dict[str, Fraction]
    products: set[str] | None
    most: int | None
    per_customer: int | None
    redeem_by: datetime | None
    active: bool = True
    codes: list[Code] = field(default_factory=list)


@dataclass(eq=False)
class Code:
    """By what people use it, and what is asked of them."""

    code_id: str
    code: str
    most: int | None
    starts_at: datetime | None
    expires_at: datetime | None
    customers: set[str] | None
    first: bool
    minimum: dict[str, Fraction] | None
    active: bool = True


@dataclass(frozen=True)
class Choice:
    """A coupon by a code, or by itself."""

    coupon: Coupon
    code: Code | None


@dataclass(eq=False)
class Use:
    """A discount that a purchase has reserved: until a moment, or for good."""

    customer: str
    choice: Choice
    until: datetime | None
    released: bool = False
    confirmed: bool = False
    over_quota: bool = False

    def is_held(self, now: datetime) -> bool:
        return not self.released and (self.until is None or self.until > now)


@dataclass(eq=False)
class Session:
    """A cart, and how far it has come."""

    customer: str
    currency: str
    decimals: int
    items: list[Item]
    rate: Fraction | None
    choice: Choice | None
    allows_codes: bool
    expires_at: datetime
    session_id: str = ""
    written: str = "open"
    submitted: bool = False
    failed: bool = False
    under_way: bool = False
    for_nothing: bool = False
    # How often somebody tried to pay.
    attempts: int = 0
    use: Use | None = None

    def status(self, now: datetime) -> str:
        is_over = self.written == "open" and self.expires_at <= now and not self.under_way
        return "expired" if is_over else self.written

    def cart(self) -> list[tuple[str, Fraction]]:
        return [(item.price.product, item.cost(self.decimals)) for item in self.items]

    def taken_off(self) -> list[Fraction]:
        if self.choice is None:
            return [Fraction(0)] * len(self.items)
        return model.taken_off(self.terms(self.choice), self.currency, self.cart(), self.decimals)

    @staticmethod
    def terms(choice: Choice) -> model.Coupon:
        """What does not change with time."""
        coupon, code = choice.coupon, choice.code
        return model.Coupon(coupon.percent, coupon.amounts, coupon.products, code.minimum if code else None)

    def comes_to(self) -> model.Invoice:
        """Its invoice: what is taken off each line, then tax."""
        lines = []
        for item, off in zip(self.items, self.taken_off(), strict=True):
            rate = item.rate if item.rate is not None else self.rate or Fraction(0)
            inclusive = item.price.inclusive if item.behavior is None else item.behavior
            lines.append(model.Line(item.cost(self.decimals), off, rate, inclusive))
        return model.of(lines, Fraction(0), self.decimals)


class Shop:
    """All that was used or reserved, and who ever paid."""

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.paid: set[str] = set()

    def reason(self, session: Session, choice: Choice, now: datetime) -> str | None:
        """Why a discount is not good for a cart; None where it is."""
        coupon, code = choice.coupon, choice.code
        terms = session.terms(choice)
        terms.active, terms.too_late = coupon.active, coupon.redeem_by is not None and now > coupon.redeem_by
        terms.most, terms.per_customer = coupon.most, coupon.per_customer
        if code is not None:
            terms.code_active, terms.most_of_code = code.active, code.most
            terms.not_started = code.starts_at is not None and now < code.starts_at
            terms.expired = code.expires_at is not None and now >= code.expires_at
            terms.customers, terms.first = code.customers, code.first
        uses = self.counted(session, choice, now)
        return model.reason(terms, uses, session.customer, session.currency, session.cart())

    def counted(self, session: Session, choice: Choice, now: datetime) -> model.Uses:
        """What others have, and what the customer has by other purchases."""
        held = [use for use in self.uses if use is not session.use and use.is_held(now)]
        own = [use for use in held if use.customer == session.customer]
        first = any(use.choice.code is not None and use.choice.code.first for use in own)
        return model.Uses(
            sum(use.choice.coupon is choice.coupon and not use.over_quota for use in held),
            sum(use.choice.code is choice.code and not use.over_quota for use in held) if choice.code else 0,
            sum(use.choice.coupon is choice.coupon for use in own),
            session.customer in self.paid or first,
        )

    def is_left(self, session: Session, choice: Choice, now: datetime) -> bool:
        """Whether one is left for a purchase that comes back to it: how often it is used is all that counts."""
        uses, coupon, code = self.counted(session, choice, now), choice.coupon, choice.code
        limits = ((uses.coupon, coupon.most), (uses.code, code and code.most), (uses.by_customer, coupon.per_customer))
        return all(most is None or used < most for used, most in limits)

    def reserve(self, session: Session) -> None:
        if session.choice is None:
            return
        if session.use is None:
            session.use = Use(session.customer, session.choice, None)
            self.uses.append(session.use)
        session.use.until, session.use.released = session.expires_at, False

    @staticmethod
    def release(session: Session) -> None:
        if session.use is not None and not session.use.confirmed:
            session.use.released = True

    def submit(self, session: Session, now: datetime) -> None:
        """Nobody refused it."""
        session.submitted, session.failed = True, False
        self.reserve(session)
        total = session.comes_to().total
        if total == 0 or session.currency == "COIN":
            self.complete(session, now)
            session.for_nothing = total == 0

    def complete(self, session: Session, now: datetime) -> None:
        """Paid. What was given back meanwhile is taken again, and over quota where none is left."""
        use = session.use
        if use is not None:
            use.over_quota = not use.is_held(now) and not self.is_left(session, use.choice, now)
            use.confirmed, use.released, use.until = True, False, None
        session.written, session.under_way = "complete", False
        if session.comes_to().total > 0:
            self.paid.add(session.customer)
