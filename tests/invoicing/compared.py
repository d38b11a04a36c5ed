"""Random invoices, beside model.py: every line, total and split to the last digit; then paid in random parts from random
places, voided, given up and paid all the same, with what each of that leaves.

INVOICES (400) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import psycopg
from psycopg.rows import dict_row

import model
from support import harness
from support.harness import Checks, say

INVOICES = int(os.environ.get("INVOICES") or 400)
SEED = int(os.environ.get("SEED") or 1)
CURRENCIES = {"JPY": 0, "USD": 2, "KWD": 3, "COIN": 2}
RATES = ["0", "5", "7", "19", "20", "8.875", "33.333333", "100"]
PRICINGS: list[dict[str, Any]] = [
    {"unit_price": 0.3333333, "per": 3, "round": "up"},
    {"unit_price": "0.000000000123"},
    {"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 10}, {"up_to": 100, "unit_price": 7.5, "flat_fee": 3},
                                    {"unit_price": "4.123456789012"}]},
    {"mode": "volume", "tiers": [{"up_to": 40, "unit_price": 0.2}, {"up_to": 120, "unit_price": 0.1, "flat_fee": 9},
                                 {"unit_price": 0.04}]},
    {"mode": "volume", "per": 10, "round": "up", "tiers": [{"up_to": 100, "unit_price": 1}, {"unit_price": "0.25"}]},
]  # fmt: skip
MUST_HAPPEN = (
    "amount", "unit_amount", "pricing", "price", "a line below zero", "pending", "a discount of a line", "a discount of all",
    "inclusive", "exclusive", "a total below zero", "nothing to pay", "paid by the wallet", "paid outside", "paid from both",
    "void", "uncollectible", "paid after all", "credits", "mixed signs under one rate", "updated",
    "paid as it is given out", "too little in the wallet",
)  # fmt: skip


class Run:
    """The invoices, of a few customers."""

    def __init__(self, connection: psycopg.Connection[Any], checks: Checks) -> None:
        self.connection = connection
        self.checks = checks
        self.random = random.Random(SEED)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.pending: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
        self.prices: dict[str, list[tuple[str, Decimal]]] = {}
        for currency, decimals in CURRENCIES.items():
            kind = "credit" if currency == "COIN" else "fiat"
            self.one("SELECT * FROM credits.currency_create(%s, NULL, %s, %s)", currency, decimals, kind)
            for number in range(2 if kind == "fiat" else 0):
                amount = self.decimal(Fraction(self.random.randint(1, 5000), 10 ** min(decimals, 2)))
                query = "SELECT price_id FROM credits.package_create(%s, 100, %s, %s)"
                row = self.one(query, f"Pack {currency} {number}", amount, currency)
                self.prices.setdefault(currency, []).append((str(row["price_id"]), amount))

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(query, *values)
        return row

    @staticmethod
    def decimal(number: Fraction) -> Decimal:
        with localcontext() as context:
            context.prec = 60
            return Decimal(number.numerator) / Decimal(number.denominator)

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def saw(self, what: str) -> None:
        self.counts[what] += 1

    def money(self, decimals: int, least: int = 0, most: int = 100_000) -> Fraction:
        return Fraction(self.random.randint(least, most), 10**decimals)

    def line(self, currency: str) -> tuple[dict[str, Any], Fraction]:
        """One as it is given, and what it costs by itself."""
        decimals = CURRENCIES[currency]
        kinds = ["amount", "amount", "unit_amount", "pricing", *(["price"] if currency in self.prices else [])]
        kind = self.random.choice(kinds)
        self.saw(kind)
        given: dict[str, Any] = {"description": kind}
        if kind == "amount":
            below = self.chance(15)
            amount = self.money(decimals) * (-1 if below else 1)
            if below:
                self.saw("a line below zero")
            given["amount"] = str(self.decimal(amount))
        elif kind == "unit_amount":
            quantity = Fraction(self.random.randint(1, 10**7), 10 ** self.random.choice([0, 0, 3]))
            unit = Fraction(self.random.randint(0, 10**13), 10 ** self.random.choice([12, 12, 8]))
            given |= {"unit_amount": str(self.decimal(unit)), "quantity": str(self.decimal(quantity))}
            amount = model.rounded(quantity * unit, decimals)
        elif kind == "pricing":
            quantity = Fraction(self.random.randint(1, 2000), self.random.choice([1, 1, 10]))
            pricing = self.random.choice(PRICINGS)
            given |= {"pricing": pricing, "quantity": str(self.decimal(quantity))}
            amount = model.rounded(model.price(pricing, quantity), decimals)
        else:
            price_id, unit_amount = self.random.choice(self.prices[currency])
            quantity = Fraction(self.random.randint(1, 9))
            given |= {"price_id": price_id, "quantity": int(quantity)}
            amount = model.rounded(quantity * Fraction(unit_amount), decimals)
        if self.chance(30):
            given["tax_rate"] = self.random.choice(RATES)
        if self.chance(50):
            given["tax_behavior"] = self.random.choice(["inclusive", "exclusive"])
            self.saw(given["tax_behavior"])
        return given, amount

    def discounted(self, given: dict[str, Any], amount: Fraction, decimals: int) -> None:
        """Takes something off a line, sometimes."""
        if amount > 0 and self.chance(25):
            given["discount"] = str(self.decimal(min(self.money(decimals, 1), amount)))
            self.saw("a discount of a line")

    @staticmethod
    def modelled(given: dict[str, Any], amount: Fraction, rate: str | None) -> model.Line:
        own = Fraction(given.get("tax_rate", rate or 0))
        inclusive = given.get("tax_behavior") == "inclusive"
        return model.Line(amount, Fraction(given.get("discount", 0)), own, inclusive)

    def item(self, customer: str, currency: str) -> None:
        """A pending line."""
        given, amount = self.line(currency)
        if "pricing" in given:
            return
        names = [name for name in given if name != "description"]
        arguments = ", ".join(f"{name} => %s" for name in names)
        casts = {"price_id": "uuid", "tax_behavior": "text"}
        for name in names:
            arguments = arguments.replace(f"{name} => %s", f"{name} => %s::{casts.get(name, 'numeric')}", 1)
        query = f"SELECT * FROM credits.invoice_item_create(%s, %s, {arguments})"
        row = self.one(query, customer, currency, *(given[name] for name in names))
        self.same("an item's amount", row["amount"], amount)
        self.pending.setdefault((customer, currency), []).append((str(row["invoice_line_id"]), given | {"is": amount}))
        self.saw("pending")

    def same(self, what: str, found: Any, expected: Fraction) -> None:
        if Fraction(found) != expected:
            self.wrong.append(f"{what}: {found} where {self.decimal(expected)} was due")

    def invoice(self, number: int) -> None:
        customer, currency = f"c{number % 7}", self.random.choice(list(CURRENCIES))
        decimals = CURRENCIES[currency]
        for _ in range(self.random.choice([0, 0, 0, 1, 2])):
            self.item(customer, currency)
        lines = [self.line(currency) for _ in range(self.random.randint(1, 6))]
        for given, amount in lines:
            self.discounted(given, amount, decimals)
        rate = self.random.choice([None, *RATES])
        taken = self.pending.pop((customer, currency), [])
        every = [(given, amount) for given, amount in lines] + [(given, given["is"]) for _, given in taken]
        modelled = [self.modelled(given, amount, rate) for given, amount in every]
        left = max(sum((line.amount - line.discount for line in modelled), Fraction(0)), Fraction(0))
        discount = Fraction(0)
        if left and self.chance(40):
            discount = left if self.chance(15) else min(self.money(decimals, 1), left)
            self.saw("a discount of all")
        self.note_signs(modelled)
        expected = model.of(modelled, discount, decimals)
        method = self.random.choice(["charge_automatically", "send_invoice"])
        row = self.one(
            "SELECT * FROM credits.invoice_create(%s, %s, %s, tax_rate => %s::numeric, discount => %s,"
            " collection_method => %s)",
            customer, json.dumps([given for given, _ in lines]), currency, rate, self.decimal(discount), method,
        )  # fmt: skip
        if self.chance(20):
            # The same lines again, and the discount and rate that it has.
            row = self.one("SELECT * FROM credits.invoice_update(%s, %s, lines => %s)", customer, row["invoice_id"],
                           json.dumps([given for given, _ in lines]))  # fmt: skip
            self.saw("updated")
        self.compare(f"invoice {number}", row, expected, [amount for _, amount in every])
        self.go_on(customer, row, expected)

    def note_signs(self, lines: list[model.Line]) -> None:
        for rate in {(line.rate, line.inclusive) for line in lines if line.rate}:
            values = [line.amount - line.discount for line in lines if (line.rate, line.inclusive) == rate]
            if min(values) < 0 < max(values):
                self.saw("mixed signs under one rate")

    def compare(self, what: str, row: dict[str, Any], expected: model.Invoice, amounts: list[Fraction]) -> None:
        for column in ("subtotal", "discount", "tax", "total"):
            self.same(f"{what}, {column}", row[column], getattr(expected, column))
        self.same(f"{what}, net", row["total_excluding_tax"], expected.net)
        self.same(f"{what}, due", row["amount_due"], max(expected.total, Fraction(0)))
        lines = self.all("SELECT * FROM credits.invoice_lines WHERE invoice_id = %s ORDER BY line_no", row["invoice_id"])
        if len(lines) != len(amounts):
            self.wrong.append(f"{what}: {len(lines)} lines where {len(amounts)} were due")
        for line, amount, part in zip(lines, amounts, expected.parts, strict=False):
            where = f"{what}, line {line['line_no']} ({line['description']})"
            self.same(f"{where}, amount", line["amount"], amount)
            self.same(f"{where}, discount", line["discount"], part.discount)
            self.same(f"{where}, tax", line["tax"], part.tax)
            self.same(f"{where}, net", line["amount_excluding_tax"], part.net)

    def go_on(self, customer: str, row: dict[str, Any], expected: model.Invoice) -> None:
        """What becomes of it."""
        invoice_id, due = row["invoice_id"], max(expected.total, Fraction(0))
        if due and (row["currency"], row["collection_method"]) == ("COIN", "charge_automatically"):
            self.from_wallet(customer, invoice_id, due)
            return
        row = self.one("SELECT * FROM credits.invoice_finalize(%s, %s)", customer, invoice_id)
        if expected.total < 0:
            self.saw("a total below zero")
            (left,) = self.all("SELECT * FROM credits.invoice_lines WHERE from_invoice_id = %s", invoice_id)
            self.same("what is left over", left["amount"], expected.total)
            given = {"description": "left over", "tax_rate": "0", "is": expected.total}
            self.pending.setdefault((customer, row["currency"]), []).append((str(left["invoice_line_id"]), given))
        if not due:
            self.saw("nothing to pay")
            self.checks_paid(customer, row, due)
            return
        if self.chance(10):
            self.one("SELECT * FROM credits.invoice_mark_uncollectible(%s, %s)", customer, invoice_id)
            self.saw("uncollectible")
        if self.chance(10):
            self.void(customer, row, due)
            return
        places = set()
        while due:
            part = due if self.chance(60) else min(self.money(CURRENCIES[row["currency"]], 1), due)
            place = self.random.choice(["wallet", "outside"])
            places.add(place)
            row = self.pay(customer, row, place, part)
            due -= part
            self.same("what remains", row["amount_remaining"], due)
        self.saw("paid from both" if len(places) == 2 else f"paid {'outside' if places == {'outside'} else 'by the wallet'}")
        if row["marked_uncollectible_at"]:
            self.saw("paid after all")
        self.checks_paid(customer, row, max(expected.total, Fraction(0)))

    def from_wallet(self, customer: str, invoice_id: Any, due: Fraction) -> None:
        """What is due in credits is paid as it is given out; while the wallet has too little, it stays a draft."""
        finalize = "SELECT * FROM credits.invoice_finalize(%s, %s)"
        part = min(self.money(2, 1), model.rounded(due / 2, 2))
        if 0 < part < due and self.chance(50):
            self.one("SELECT * FROM credits.wallet_credit(%s, %s, 'COIN')", customer, self.decimal(part))
            try:
                self.one(finalize, customer, invoice_id)
                self.wrong.append(f"{due} were paid of {part}")
            except psycopg.errors.DatabaseError as error:
                if error.sqlstate != "PC001":
                    raise
            self.saw("too little in the wallet")
        else:
            part = Fraction(0)
        self.one("SELECT * FROM credits.wallet_credit(%s, %s, 'COIN')", customer, self.decimal(due - part))
        row = self.one(finalize, customer, invoice_id)
        self.saw("paid as it is given out")
        left = self.one("SELECT available FROM credits.wallet_balance(%s, 'COIN')", customer)
        self.same("what is left in the wallet", left["available"], Fraction(0))
        self.checks_paid(customer, row, due)

    def pay(self, customer: str, row: dict[str, Any], place: str, part: Fraction) -> dict[str, Any]:
        amount = self.decimal(part)
        if place == "wallet":
            self.one("SELECT * FROM credits.wallet_credit(%s, %s, %s)", customer, amount, row["currency"])
            query = "SELECT * FROM credits.invoice_pay(%s, %s, 'wallet', %s)"
            row = self.one(query, customer, row["invoice_id"], amount)
            left = self.one("SELECT available FROM credits.wallet_balance(%s, %s)", customer, row["currency"])
            self.same("what is left in the wallet", left["available"], Fraction(0))
            return row
        query = "SELECT * FROM credits.invoice_pay(%s, %s, 'outside', %s, 'reference')"
        return self.one(query, customer, row["invoice_id"], amount)

    def void(self, customer: str, row: dict[str, Any], due: Fraction) -> None:
        """After a part was paid by the wallet, sometimes: that is there again, and spent so that the wallet is empty."""
        part = min(self.money(CURRENCIES[row["currency"]], 1), due / 2)
        part = model.rounded(part, CURRENCIES[row["currency"]])
        if 0 < part < due:
            row = self.pay(customer, row, "wallet", part)
        row = self.one("SELECT * FROM credits.invoice_void(%s, %s)", customer, row["invoice_id"])
        self.saw("void")
        if (row["status"], row["amount_paid"], row["amount_remaining"]) != ("void", 0, 0):
            self.wrong.append(f"a void invoice is {row}")
        balance = self.one("SELECT available FROM credits.wallet_balance(%s, %s)", customer, row["currency"])["available"]
        self.same("what is back in the wallet", balance, part if 0 < part < due else Fraction(0))
        if balance:
            self.one("SELECT * FROM credits.wallet_debit(%s, %s, %s)", customer, balance, row["currency"])
        again = self.all("SELECT * FROM credits.invoice_lines WHERE customer_id = %s AND invoice_id IS NULL"
                         " AND currency = %s ORDER BY created_at, invoice_line_id", customer, row["currency"])  # fmt: skip
        for line in again:
            given = {"description": "left over", "tax_rate": "0", "is": Fraction(line["amount"])}
            self.pending.setdefault((customer, row["currency"]), []).append((str(line["invoice_line_id"]), given))

    def checks_paid(self, customer: str, row: dict[str, Any], due: Fraction) -> None:
        if row["status"] != "paid" or Fraction(row["amount_paid"]) != due:
            self.wrong.append(f"a paid invoice is {row}")
        lines = self.all(
            "SELECT l.credits, greatest(l.amount_excluding_tax, 0) AS net, g.amount, g.cost_amount, g.cost_currency, l.currency"
            " FROM credits.invoice_lines l LEFT JOIN credits.grants g USING (customer_id, grant_id)"
            " WHERE l.invoice_id = %s AND l.credits IS NOT NULL", row["invoice_id"])  # fmt: skip
        for line in lines:
            self.saw("credits")
            expected = (line["credits"], line["net"], line["currency"])
            if (line["amount"], line["cost_amount"], line["cost_currency"]) != expected:
                self.wrong.append(f"a line's grant is {line}")


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        run = Run(connection, checks)
        for number in range(INVOICES):
            run.invoice(number)
            if len(run.wrong) > 20:
                break
        checks.none(run.wrong, f"{INVOICES} invoices, seed {SEED}: all of it is as the model says")
        checks.none([what for what in MUST_HAPPEN if not run.counts[what]], "they met everything that this is about")
        checks.none(harness.verify(connection), "verify() finds nothing")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(run.counts.items())))
