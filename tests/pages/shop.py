"""Invoices of every kind, whose pages the tests look at."""

from __future__ import annotations

import json
from typing import Any

import psycopg

SELLER = "Studio Ek AB\nStorgatan 1\n111 22 Stockholm\nSweden\nVAT SE556677889901"
ADDRESS = {"line1": "Sveavägen 44", "line2": "3 tr", "city": "Stockholm", "postal_code": "111 34", "country": "SE"}
NOW = "2026-05-04 09:00+00"


class Shop:
    """Makes invoices in a database, at a fixed time, and asks for their pages."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.value("SELECT set_config('credits.test_clock', %s, false)", NOW)
        self.value("SELECT set_config('credits.invoice_seller', %s, false)", SELLER)
        for code, decimals in (("EUR", 2), ("JPY", 0), ("KWD", 3)):
            self.value("SELECT currency FROM credits.currency_create(%s, decimals => %s, kind => 'fiat')", code, decimals)
        self.value("SELECT currency FROM credits.currency_create('CREDIT', decimals => 6)")
        self.value("SELECT credits.payment_provider_set('stripe', 'whsec_0123456789abcdef', %s)",
                   "https://pay.example/?id={payment_intent_id}&amount={amount}")  # fmt: skip
        self.customer("nora", "Nora Ek", "nora@example.com", ADDRESS)

    def value(self, query: str, *parameters: object) -> Any:
        row = self.connection.execute(query, list(parameters)).fetchone()
        return row and row[0]

    def customer(self, key: str, name: str, email: str | None = None, address: dict[str, str] | None = None) -> None:
        self.value(
            "SELECT customer_id FROM credits.customer_upsert(%s, %s, %s, address => %s::jsonb)",
            key, name, email, json.dumps(address) if address else None,
        )  # fmt: skip

    def draft(self, customer: str, lines: list[dict[str, Any]], currency: str = "EUR", **more: Any) -> str:
        given = {"lines": json.dumps(lines), "currency": currency, **more}
        for name in ("custom_fields", "metadata"):
            if name in given:
                given[name] = json.dumps(given[name])
        names = ", ".join(f"{name} => %s{'::jsonb' if name in ('lines', 'custom_fields', 'metadata') else ''}" for name in given)
        query = f"SELECT invoice_id::text FROM credits.invoice_create(%s, {names})"
        return self.value(query, customer, *given.values())

    def invoice(self, customer: str, lines: list[dict[str, Any]], currency: str = "EUR", **more: Any) -> str:
        return self.draft(customer, lines, currency, auto_finalize=True, **more)

    def pay(self, customer: str, invoice: str, paid_from: str, amount: object = None, reference: str | None = None) -> None:
        self.value("SELECT status FROM credits.invoice_pay(%s, %s, %s, %s, %s)", customer, invoice, paid_from, amount, reference)

    def html(self, customer: str, invoice: str) -> str:
        return self.value("SELECT credits.invoice_html(%s, %s)", customer, invoice)

    def number(self, invoice: str) -> str:
        return self.value("SELECT number FROM credits.invoices WHERE invoice_id = %s", invoice)

    def discounted(self, customer: str, code: str) -> str:
        """The page of a cart of two posters with a code, which is a draft until it is paid."""
        if not self.value("SELECT price_id FROM credits.prices WHERE lookup_key = 'poster'"):
            prices = '[{"unit_amount": 12.50, "currency": "EUR", "lookup_key": "poster"}]'
            self.value("SELECT product_id FROM credits.product_create('Poster', 'good', prices => %s)", prices)
        made = self.value(
            "SELECT checkout_session_id::text FROM credits.checkout_session_create(%s, discounts => %s, tax_rate => 19,"
            " line_items => '[{\"lookup_key\": \"poster\", \"quantity\": 2}]')",
            customer, json.dumps([{"code": code}]),
        )  # fmt: skip
        invoice = "SELECT invoice_id::text FROM credits.checkout_session_submit(%s, %s)"
        return self.html(customer, self.value(invoice, customer, made))

    def usual(self) -> str:
        """An invoice as many are: two rates, one in the amounts, a discount, half of it paid."""
        self.value("SELECT credited FROM credits.wallet_credit('nora', 400, 'EUR', 'paid')")
        lines = [
            {"description": "Design, hours", "unit_amount": 95, "quantity": 12.5,
             "period": {"start": "2026-04-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}},
            {"description": "Tokens of the assistant", "unit_amount": 0.000125, "quantity": 240000},
            {"description": "The book", "amount": 26.75, "tax_rate": 7, "tax_behavior": "inclusive", "discount": 2},
            {"description": "Returned: one month of hosting", "amount": -12},
        ]  # fmt: skip
        made = self.invoice(
            "nora", lines, tax_rate=19, days_until_due=14, discount=50, description="Website, second part",
            footer="Bank: SEB, IBAN SE35 5000 0000 0549 1000 0003\nThank you!",
            custom_fields=[{"name": "Your order", "value": "PO-7731"}, {"name": "Your VAT", "value": "SE123456789001"}],
        )  # fmt: skip
        self.pay("nora", made, "wallet", 400)
        return made


def many(count: int) -> list[dict[str, Any]]:
    """Lines of which each is known by its number, some of them of several rows."""
    texts = (
        "Line {0:03}. end {0:03}.",
        "Line {0:03}.\nRenderings of the second scene\nin the small hall end {0:03}.",
        "Line {0:03}. Support and advice by telephone, on working days between eight and six, for which the customer has an"
        " agreement that was extended in March end {0:03}.",
    )
    return [{"description": texts[n % 3].format(n), "unit_amount": n * 1.25, "quantity": 1 + n % 7} for n in range(1, count + 1)]
