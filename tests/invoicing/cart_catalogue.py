"""A random catalogue and what is taken off: prices of several currencies, coupons, codes, and a merchant who changes them."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import psycopg

from cart_model import Choice, Code, Coupon, Item, Price

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
CUSTOMERS = [f"customer {number}" for number in range(10)]
# COIN is paid from the wallet.
CURRENCIES = {"JPY": 0, "USD": 2, "KWD": 3, "COIN": 2}
RATES = ["0", "5", "7", "19", "20", "8.875", "33.333333", "100"]
PERCENTS = ["10", "12.5", "20", "33.333333", "50", "0.01", "99.99", "100"]
PRICINGS: list[dict[str, Any]] = [
    {"unit_price": 0.3333333, "per": 3, "round": "up"},
    {"mode": "graduated", "tiers": [{"up_to": 3, "unit_price": 10}, {"up_to": 8, "unit_price": 7.5, "flat_fee": 3},
                                    {"unit_price": "4.123456789012"}]},
    {"mode": "volume", "tiers": [{"up_to": 4, "unit_price": 0.2}, {"up_to": 12, "unit_price": 0.1, "flat_fee": 9},
                                 {"unit_price": 0.04}]},
]  # fmt: skip

COUPON = """
    SELECT coupon_id::text FROM credits.coupon_create('Off', percent_off => %s, amount_off => %s, currency => %s,
        currency_options => %s, applies_to_products => %s::uuid[], max_redemptions => %s,
        max_redemptions_per_customer => %s, redeem_by => %s)"""
CODE = """
    SELECT promotion_code_id::text, code FROM credits.promotion_code_create(%s, max_redemptions => %s, starts_at => %s,
        expires_at => %s, customer_ids => %s, restrictions => %s)"""


def exact(number: Fraction | None) -> Decimal | None:
    if number is None:
        return None
    with localcontext() as context:
        context.prec = 60
        return Decimal(number.numerator) / Decimal(number.denominator)


def written(number: Fraction | None) -> str | None:
    return None if number is None else format(exact(number), "f")


class Catalogue:
    """What is sold to whom, and what takes something off it."""

    def __init__(self, connection: psycopg.Connection[Any], rng: random.Random) -> None:
        self.connection = connection
        self.random = rng
        self.now = START
        self.prices: dict[str, list[Price]] = {currency: [] for currency in CURRENCIES}
        self.rates: dict[str, Fraction | None] = {}
        self.coupons: list[Coupon] = []

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(query, *values)
        return row

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def maybe(self, percent: int, value: Any) -> Any:
        return value if self.chance(percent) else None

    def money(self, decimals: int, most: int) -> Fraction:
        return Fraction(self.random.randint(1, most), 10**decimals)

    def tick(self) -> None:
        self.now += timedelta(minutes=self.random.randint(1, 12))
        self.one("SELECT set_config('credits.test_clock', %s, false)", self.now.isoformat())

    def set_up(self) -> None:
        self.one("SELECT set_config('credits.test_clock_drives_billing', 'on', false)")
        for currency, decimals in CURRENCIES.items():
            kind = "credit" if currency == "COIN" else "fiat"
            self.one("SELECT FROM credits.currency_create(%s, NULL, %s, %s)", currency, decimals, kind)
        products = [self.one("SELECT product_id::text AS id FROM credits.product_create(%s)", f"P{n}")["id"] for n in range(5)]
        for currency in CURRENCIES:
            for number in range(9):
                self.price(self.random.choice(products), currency, f"{currency}-{number}", number)
        for customer in CUSTOMERS:
            rate = self.rates[customer] = self.maybe(50, Fraction(self.random.choice(RATES)))
            self.one("SELECT FROM credits.customer_upsert(%s, tax_rate => %s)", customer, exact(rate))

    def price(self, product: str, currency: str, key: str, number: int) -> None:
        pricing = self.random.choice(PRICINGS) if number % 3 == 0 else None
        decimals = CURRENCIES[currency]
        tiny = Fraction(self.random.randint(0, 10**13), 10**12)
        unit = None if pricing else self.random.choice([tiny, tiny, self.money(decimals, 5000 * 10**decimals), Fraction(0)])
        credits = self.maybe(40, Fraction(self.random.randint(1, 500)))
        inclusive = self.chance(50)
        row = self.one(
            "SELECT price_id::text FROM credits.price_create(%s, unit_amount => %s, currency => %s, pricing => %s,"
            " lookup_key => %s, credit_config => %s, tax_behavior => %s)",
            product, exact(unit), currency, json.dumps(pricing) if pricing else None, key,
            json.dumps({"amount": int(credits)}) if credits else None, "inclusive" if inclusive else "exclusive",
        )  # fmt: skip
        self.prices[currency].append(Price(row["price_id"], key, product, currency, unit, pricing, inclusive, credits))

    def coupon(self) -> None:
        """Percent or amounts, of some products or all; with codes that ask for this and that."""
        percent, amounts = None, {}
        if self.chance(50):
            percent = Fraction(self.random.choice(PERCENTS))
        else:
            for currency in self.random.sample(list(CURRENCIES), self.random.randint(1, 4)):
                amounts[currency] = self.money(CURRENCIES[currency], 300 * 10 ** CURRENCIES[currency])
        (first, off), *others = list(amounts.items()) or [(None, None)]
        options = {currency: {"amount_off": written(amount)} for currency, amount in others}
        ids = sorted({price.product for prices in self.prices.values() for price in prices})
        products = self.maybe(35, self.random.sample(ids, self.random.randint(1, 3)))
        most, per_customer = self.maybe(60, self.random.choice([1, 1, 2, 3])), self.maybe(50, 1)
        redeem_by = self.maybe(20, self.now + timedelta(hours=self.random.randint(1, 20)))
        row = self.one(COUPON, exact(percent), exact(off), first, json.dumps(options) if options else None, products, most,
                       per_customer, redeem_by)  # fmt: skip
        made = Coupon(row["coupon_id"], percent, amounts, set(products) if products else None, most, per_customer, redeem_by)
        self.coupons.append(made)
        for _ in range(self.random.randint(1, 2)):
            made.codes.append(self.code(made))

    def code(self, coupon: Coupon) -> Code:
        most, starts_at = self.maybe(25, 1), self.maybe(15, self.now + timedelta(hours=2))
        expires_at = self.maybe(25, (starts_at or self.now) + timedelta(hours=self.random.randint(1, 20)))
        customers, first = self.maybe(20, self.random.sample(CUSTOMERS, 4)), self.chance(25)
        minimum, restrictions = None, {}
        if self.chance(30):
            some = self.random.sample(list(CURRENCIES), self.random.randint(2, 4))
            minimum = {currency: self.money(CURRENCIES[currency], 2000 * 10 ** CURRENCIES[currency]) for currency in some}
            restrictions |= {"minimum_amount": written(minimum[some[0]]), "currency": some[0]}
            restrictions["currency_options"] = {c: {"minimum_amount": written(minimum[c])} for c in some[1:]}
        if first:
            restrictions["first_time_transaction"] = True
        given = json.dumps(restrictions) if restrictions else None
        row = self.one(CODE, coupon.coupon_id, most, starts_at, expires_at, customers, given)
        times = (most, starts_at, expires_at)
        return Code(row["promotion_code_id"], row["code"], *times, set(customers) if customers else None, first, minimum)

    def change(self) -> None:
        """The merchant switches one on or off, or has more of it."""
        coupon = self.random.choice(self.coupons[-4:])
        code = self.random.choice(coupon.codes)
        if self.chance(40):
            coupon.most, code.most = (limit and limit + 1 for limit in (coupon.most, code.most))
            self.one("SELECT FROM credits.coupon_update(%s, max_redemptions => %s)", coupon.coupon_id, coupon.most)
            self.one("SELECT FROM credits.promotion_code_update(%s, max_redemptions => %s)", code.code_id, code.most)
        elif self.chance(50):
            coupon.active = not coupon.active
            self.one("SELECT FROM credits.coupon_update(%s, active => %s)", coupon.coupon_id, coupon.active)
        else:
            code.active = not code.active
            self.one("SELECT FROM credits.promotion_code_update(%s, active => %s)", code.code_id, code.active)

    def items(self, currency: str) -> list[Item]:
        decimals = CURRENCIES[currency]
        items = []
        for price in self.random.sample(self.prices[currency], self.random.randint(1, 5)):
            quantity = self.random.randint(1, 12)
            adjustable = self.maybe(60, (self.random.randint(1, quantity), quantity + self.random.randint(0, 9)))
            custom = self.maybe(12, self.money(decimals, 500 * 10**decimals))
            rate = self.maybe(30, Fraction(self.random.choice(RATES)))
            items.append(Item(price, quantity, adjustable, custom, rate, self.maybe(25, self.chance(50))))
        return items

    @staticmethod
    def given(items: list[Item]) -> str:
        def of(item: Item) -> dict[str, Any]:
            by_key = item.quantity % 2
            given = {"lookup_key": item.price.lookup_key} if by_key else {"price_id": item.price.price_id}
            limits = item.adjustable and {"minimum": item.adjustable[0], "maximum": item.adjustable[1]}
            behavior = None if item.behavior is None else "inclusive" if item.behavior else "exclusive"
            return given | {
                "quantity": item.quantity, "adjustable_quantity": limits, "custom_amount": written(item.custom),
                "tax_rate": written(item.rate), "tax_behavior": behavior,
            }  # fmt: skip

        return json.dumps([of(item) for item in items])

    def choice(self) -> Choice:
        coupon = self.random.choice(self.coupons[-4:])
        return Choice(coupon, self.random.choice(coupon.codes) if self.chance(85) else None)
