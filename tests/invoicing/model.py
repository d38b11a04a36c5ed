"""What an invoice comes to, worked out from the rules alone, in fractions: docs/invoices.md and docs/pricing.md. It shares
nothing with the extension, and rounds only where the rules say so."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass
class Line:
    """A line as it is given, with what it costs by itself."""

    amount: Fraction
    discount: Fraction
    rate: Fraction
    inclusive: bool


@dataclass
class Part:
    """What is a line's own of the totals."""

    discount: Fraction
    tax: Fraction
    net: Fraction


@dataclass
class Invoice:
    """What it comes to."""

    subtotal: Fraction
    discount: Fraction
    tax: Fraction
    total: Fraction
    net: Fraction
    parts: list[Part]


def rounded(number: Fraction, decimals: int) -> Fraction:
    """Half away from zero."""
    size = math.floor(abs(number) * 10**decimals + Fraction(1, 2))
    return Fraction(size if number >= 0 else -size, 10**decimals)


def price(pricing: dict[str, Any], quantity: Fraction) -> Fraction:
    """What a quantity costs, before it is rounded."""
    per = Fraction(str(pricing.get("per", 1)))
    blocks = quantity / per
    if pricing.get("round") == "up":
        blocks = Fraction(math.ceil(blocks))
    elif pricing.get("round") == "down":
        blocks = Fraction(math.floor(blocks))
    if "tiers" not in pricing:
        return blocks * Fraction(str(pricing["unit_price"]))
    quantity = blocks * per
    total, below = Fraction(0), Fraction(0)
    for tier in pricing["tiers"]:
        end = Fraction(str(tier["up_to"])) if "up_to" in tier else None
        unit, fee = Fraction(str(tier.get("unit_price", 0))), Fraction(str(tier.get("flat_fee", 0)))
        if pricing["mode"] == "volume":
            if quantity > 0 and (end is None or quantity <= end):
                return quantity / per * unit + fee
            continue
        if quantity <= below:
            break
        inside = (quantity if end is None else min(quantity, end)) - below
        total += inside / per * unit + fee
        below += inside
    return total


def of(lines: list[Line], discount: Fraction, decimals: int) -> Invoice:
    """The invoice of some lines, with so much off all of them."""
    shares = split(discount, [max(line.amount - line.discount, Fraction(0)) for line in lines], decimals)
    left = [line.amount - line.discount - share for line, share in zip(lines, shares, strict=True)]
    groups: dict[tuple[Fraction, bool], list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        if line.rate:
            groups[line.rate, line.inclusive].append(number)
    taxes = [Fraction(0)] * len(lines)
    for (rate, inclusive), members in groups.items():
        factor = rate / (100 + rate) if inclusive else rate / 100
        values = [left[number] for number in members]
        for number, tax in zip(members, split_tax(values, factor, decimals), strict=True):
            taxes[number] = tax
    parts = [
        Part(line.discount + share, tax, rest - tax if line.inclusive else rest)
        for line, share, tax, rest in zip(lines, shares, taxes, left, strict=True)
    ]
    on_top = sum((tax for line, tax in zip(lines, taxes, strict=True) if not line.inclusive), Fraction(0))
    total = sum(left, Fraction(0)) + on_top
    tax = sum(taxes, Fraction(0))
    subtotal = sum((line.amount for line in lines), Fraction(0))
    return Invoice(subtotal, sum((part.discount for part in parts), Fraction(0)), tax, total, total - tax, parts)


def split(whole: Fraction, weights: list[Fraction], decimals: int) -> list[Fraction]:
    """Differences of round(whole × running share)."""
    every = sum(weights, Fraction(0))
    if not every:
        return [Fraction(0)] * len(weights)
    sums = [sum(weights[:number], Fraction(0)) for number in range(len(weights) + 1)]
    marks = [rounded(whole * running / every, decimals) for running in sums]
    return [after - before for before, after in zip(marks, marks[1:], strict=False)]


def split_tax(values: list[Fraction], factor: Fraction, decimals: int) -> list[Fraction]:
    """The tax on a sum, rounded once and split; by what it grows with each line where some are below zero and some above."""
    every = sum(values, Fraction(0))
    if min(values) < 0 < max(values):
        sums = [sum(values[:number], Fraction(0)) for number in range(len(values) + 1)]
        marks = [rounded(running * factor, decimals) for running in sums]
        return [after - before for before, after in zip(marks, marks[1:], strict=False)]
    return split(rounded(every * factor, decimals), values, decimals)


def decimal(number: Fraction) -> Decimal:
    """Exactly; it has few decimals by now."""
    return Decimal(number.numerator) / Decimal(number.denominator)


@dataclass
class Coupon:
    """What a coupon and its code say; amounts by currency."""

    percent: Fraction | None
    amounts: dict[str, Fraction]
    products: set[str] | None
    minimum: dict[str, Fraction] | None
    active: bool = True
    code_active: bool = True
    # Before it has begun, after it has ended, after the coupon has: as they are at the moment of judging.
    not_started: bool = False
    expired: bool = False
    too_late: bool = False
    most: int | None = None
    most_of_code: int | None = None
    per_customer: int | None = None
    customers: set[str] | None = None
    first: bool = False


@dataclass
class Uses:
    """What is used or reserved already, by others than the purchase that is judged."""

    coupon: int
    code: int
    by_customer: int
    has_paid: bool


def reason(coupon: Coupon, uses: Uses, customer: str, currency: str, cart: list[tuple[str, Fraction]]) -> str | None:
    """The first reason why a coupon takes nothing off a cart of products and amounts; None where it does."""
    eligible = [amount for product, amount in cart if coupon.products is None or product in coupon.products]
    said = (
        (not coupon.active or not coupon.code_active, "inactive"),
        (coupon.not_started, "not_started"),
        (coupon.expired, "expired"),
        (coupon.too_late, "redeem_by"),
        (coupon.most is not None and uses.coupon >= coupon.most, "max_redemptions"),
        (coupon.most_of_code is not None and uses.code >= coupon.most_of_code, "max_redemptions"),
        (coupon.per_customer is not None and uses.by_customer >= coupon.per_customer, "max_redemptions_per_customer"),
        (coupon.customers is not None and customer not in coupon.customers, "verification"),
        (coupon.first and uses.has_paid, "first_time_transaction"),
        (coupon.minimum is not None and currency not in coupon.minimum, "currency"),
        (coupon.percent is None and currency not in coupon.amounts, "currency"),
        (sum(eligible, Fraction(0)) <= 0, "no_eligible_product"),
        (coupon.minimum is not None and sum((a for _, a in cart), Fraction(0)) < coupon.minimum.get(currency, 0), "minimum_amount"),
    )
    return next((name for holds, name in said if holds), None)


def taken_off(coupon: Coupon, currency: str, cart: list[tuple[str, Fraction]], decimals: int) -> list[Fraction]:
    """What a coupon takes off each line of a cart that it applies to."""
    weights = [amount if coupon.products is None or product in coupon.products else Fraction(0) for product, amount in cart]
    every = sum(weights, Fraction(0))
    if coupon.percent is not None:
        off = rounded(every * coupon.percent / 100, decimals)
    else:
        off = min(coupon.amounts[currency], every)
    return split(off, weights, decimals)
