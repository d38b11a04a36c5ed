"""Random sales for refunded.py: invoices of things and of credits, and top-ups, each paid in its own way."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import psycopg

import model
from refund_model import ZERO, Line, Sale

MONEY = {"JPY": 0, "USD": 2, "KWD": 3}
CREDITS = {"WHOLE": 0, "HUNDREDTHS": 2, "FINE": 6}
RATES = [None, None, "7", "19", "8.875", "33.333333"]
TIERS = {"mode": "graduated", "tiers": [{"up_to": 3, "unit_price": 10}, {"unit_price": "4.123456789012", "flat_fee": 2}]}


def decimal(number: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return Decimal(number.numerator) / Decimal(number.denominator)


class Run:
    """The invoices, each of a customer of its own."""

    def __init__(self, connection: psycopg.Connection[Any], seed: int) -> None:
        self.connection = connection
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.steps = 0
        self.prices: dict[str, list[tuple[str, dict[str, Any], str, Fraction, bool]]] = defaultdict(list)
        for currency, decimals in [*MONEY.items(), *CREDITS.items()]:
            kind = "fiat" if currency in MONEY else "credit"
            self.one("SELECT * FROM credits.currency_create(%s, NULL, %s, %s)", currency, decimals, kind)
        for currency in MONEY:
            for credit, decimals in CREDITS.items():
                for how in ("unit", "fine", "tiers", "free"):
                    self.price(currency, credit, decimals, how)

    def price(self, currency: str, credit: str, decimals: int, how: str) -> None:
        credits = Fraction(self.random.randint(1, 10 ** (decimals + 3)), 10**decimals)
        fine = Fraction(self.random.randint(1, 10**13), 10**12)
        unit = {"unit": Fraction(self.random.randint(1, 90)), "fine": fine, "free": ZERO, "tiers": ZERO}[how]
        pricing = TIERS if how == "tiers" else {"unit_price": str(decimal(unit))}
        behavior = self.random.choice(["inclusive", "exclusive"])
        config = json.dumps({"amount": str(decimal(credits)), "currency": credit})
        product = self.one("SELECT product_id FROM credits.product_create(%s, 'credit', credit_config => %s)",
                           f"{credit} for {currency}, {how}", config)  # fmt: skip
        row = self.one(
            "SELECT price_id FROM credits.price_create(%s, unit_amount => %s, currency => %s, pricing => %s,"
            " tax_behavior => %s)",
            product["product_id"], None if how == "tiers" else decimal(unit), currency,
            json.dumps(pricing) if how == "tiers" else None, behavior,
        )  # fmt: skip
        self.prices[currency].append((str(row["price_id"]), pricing, credit, credits, behavior == "inclusive"))

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(query, *values)
        return row

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def saw(self, what: str) -> None:
        self.counts[what] += 1

    def part(self, most: Fraction, decimals: int) -> Fraction:
        """Some of it, at least the smallest amount; all of it, now and then."""
        units = max(int(most * 10**decimals), 1)
        return Fraction(units if self.chance(15) else self.random.randint(1, units), 10**decimals)

    def split(self, whole: Fraction, decimals: int) -> list[Fraction]:
        parts = []
        while whole and len(parts) < 2 and self.chance(40):
            parts.append(self.part(whole, decimals))
            whole -= parts[-1]
        return [*parts, whole] if whole else parts

    def same(self, what: str, found: Any, expected: Fraction) -> None:
        if found is None or Fraction(found) != expected:
            self.wrong.append(f"{what}: {found} where {decimal(expected)} was due")


class Selling:
    """One invoice, or one top-up, until it is paid."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.what = f"r{number}"
        self.currency = run.random.choice(list(MONEY))
        self.decimals = MONEY[self.currency]
        self.asked: dict[int, str] = {}
        self.references: dict[int, str] = {}
        self.totals: set[str] = set()
        self.over = False
        self.log: list[str] = []
        self.names = 0
        self.intent = ""
        self.invoice = ""

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}-{self.what}-{self.names}"

    # How it comes to be.

    def line(self) -> tuple[dict[str, Any], model.Line, str, Fraction]:
        random, run = self.run.random, self.run
        kind = random.choice(["thing", "below zero", "pack", "pack", "pack", "pack"])
        given: dict[str, Any] = {}
        credit, credits, inclusive = "", ZERO, run.chance(40)
        if kind == "pack":
            price_id, pricing, credit, each, inclusive = random.choice(run.prices[self.currency])
            quantity = Fraction(random.randint(1, 6))
            amount, credits = model.rounded(model.price(pricing, quantity), self.decimals), each * quantity
            given |= {"price_id": price_id, "quantity": int(quantity)}
            run.saw("tiers" if "tiers" in pricing else "free" if not amount else "pack")
        else:
            sign = -1 if kind == "below zero" else 1
            amount = sign * Fraction(random.randint(1, 3000), 100 if self.decimals else 1)
            given |= {"amount": str(decimal(amount)), "description": kind,
                      "tax_behavior": "inclusive" if inclusive else "exclusive"}  # fmt: skip
            run.saw(kind)
        rate = random.choice(RATES)
        given["tax_rate"] = rate or "0"
        run.saw("no tax" if rate is None else "inclusive" if inclusive else "exclusive")
        return given, model.Line(amount, ZERO, Fraction(rate or 0), inclusive), credit, credits

    def begin_invoice(self) -> Sale | None:
        run = self.run
        lines = [self.line() for _ in range(run.random.randint(1, 6))]
        whole = sum((line.amount for _, line, _, _ in lines), ZERO)
        discount = run.part(whole / 2, self.decimals) if whole >= 2 and run.chance(30) else ZERO
        expected = model.of([line for _, line, _, _ in lines], discount, self.decimals)
        if expected.total <= 0 or expected.net <= 0:
            return None
        run.saw("a discount" if discount else "no discount")
        row = run.one(
            "SELECT * FROM credits.invoice_create(%s, %s, %s, discount => %s, auto_finalize => true)",
            self.what, json.dumps([given for given, *_ in lines]), self.currency, decimal(discount),
        )  # fmt: skip
        self.invoice = row["invoice_id"]
        run.same(f"{self.what}, total", row["total"], expected.total)
        ids = run.all("SELECT invoice_line_id FROM credits.invoice_lines WHERE customer_id = %s ORDER BY line_no", self.what)
        made = [
            Line(str(line_id["invoice_line_id"]), part.net, part.tax, credits, credit, CREDITS.get(credit, 0))
            for line_id, part, (_, _, credit, credits) in zip(ids, expected.parts, lines, strict=True)
        ]
        due, elsewhere = expected.total, ZERO
        if due * 10**self.decimals > 2 and run.chance(30):
            elsewhere = run.part(due / 2, self.decimals)
            self.elsewhere(elsewhere)
            due -= elsewhere
        row = run.one("SELECT payment_intent_id FROM credits.invoices WHERE invoice_id = %s", self.invoice)
        self.intent = row["payment_intent_id"]
        return Sale(self.decimals, made, elsewhere, self.pay(due))

    def elsewhere(self, amount: Fraction) -> None:
        place = self.run.random.choice(["wallet", "outside"])
        if place == "wallet":
            self.run.one("SELECT * FROM credits.wallet_credit(%s, %s, %s)", self.what, decimal(amount), self.currency)
        self.run.one("SELECT * FROM credits.invoice_pay(%s, %s, %s, %s, %s)", self.what, self.invoice, place, decimal(amount),
                     "reference" if place == "outside" else None)  # fmt: skip
        self.run.saw("paid in part elsewhere")

    def pay(self, due: Fraction) -> dict[str, Fraction]:
        parts = self.run.split(due, self.decimals)
        if len(parts) > 1:
            self.run.saw("in parts")
        if self.run.chance(25):
            parts[-1] += self.run.part(due, self.decimals)
            self.run.saw("overpaid")
        payments = {}
        for part in parts:
            payments[self.name("pi")] = part
        for reference, part in payments.items():
            self.run.one("SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s, %s)", self.what, self.intent, reference,
                         decimal(part))  # fmt: skip
        return payments

    def begin_top_up(self) -> Sale | None:
        """With what the provider's checkout adds: tax on top or in the price, shipping, a discount."""
        run = self.run
        price_id, pricing, credit, each, _ = run.random.choice(run.prices[self.currency])
        quantity = run.random.randint(1, 6)
        price = model.rounded(model.price(pricing, Fraction(quantity)), self.decimals)
        if price * 10**self.decimals < 10:
            return None
        row = run.one("SELECT * FROM credits.top_up_create(%s, %s, quantity => %s)", self.what, price_id, quantity)
        self.intent = row["top_up_id"]
        discount = run.part(price / 3, self.decimals) if run.chance(30) else ZERO
        shipping = run.part(price, self.decimals) if run.chance(30) else ZERO
        tax, net = ZERO, price - discount
        amount = net + shipping
        if run.chance(70):
            on_top = run.chance(50)
            tax = run.part(net / 2, self.decimals)
            amount += tax if on_top else 0
            net -= ZERO if on_top else tax
            run.saw("tax on top" if on_top else "tax in it")
        run.saw("shipping" if shipping else "no shipping")
        run.saw("a discount of the provider's" if discount else "no discount")
        reference = self.name("pi")
        self.log.append(f"top-up of {decimal(price)}: paid {decimal(amount)}, tax {decimal(tax)}, shipping {decimal(shipping)},"
                        f" discount {decimal(discount)}")  # fmt: skip
        row = run.one(
            "SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s, %s, %s, %s, %s)", self.what, self.intent, reference,
            decimal(amount), *(decimal(extra) if extra else None for extra in (tax, shipping, discount)),
        )  # fmt: skip
        if row["contradiction"]:
            run.wrong.append(f"{self.what}: {row['contradiction']}: {self.log}")
        row = run.one("SELECT invoice_id FROM credits.payment_intents WHERE payment_intent_id = %s", self.intent)
        self.invoice = row["invoice_id"]
        row = run.one("SELECT invoice_line_id FROM credits.invoice_lines WHERE invoice_id = %s", self.invoice)
        line = Line(str(row["invoice_line_id"]), net, tax, each * quantity, credit, CREDITS[credit])
        return Sale(self.decimals, [line], ZERO, {reference: amount})
