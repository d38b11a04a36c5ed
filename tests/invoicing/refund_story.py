"""What can happen to a sale once it is paid, for refunded.py: a step at a time, each beside refund_model.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction

import psycopg

from refund_model import ZERO, Back
from refund_sale import CREDITS, Selling, decimal
from support import harness

STEPS = (
    "all", "all", "all", "line", "line", "lines", "unasked", "unasked", "total", "disputed", "won", "lost", "succeeded",
    "succeeded", "failed", "failed", "canceled", "spend", "spend", "too much",
)  # fmt: skip


class Different(Exception):
    """The model and the extension went apart: nothing that follows in this story means anything."""


class Story(Selling):
    """One sale, from its lines to the last of its money."""

    def tell(self) -> None:
        run = self.run
        top_up = run.chance(30)
        sale = self.begin_top_up() if top_up else self.begin_invoice()
        if sale is None:
            return
        self.sale = sale
        run.saw("by top-up" if top_up else "by invoice")
        # What is forgiven is what its own grant has not: each line with credits has its currency alone.
        sale.forgives = len(self.currencies()) == len([line for line in sale.lines if line.credits]) and run.chance(50)
        run.saw("forgive" if sale.forgives else "pending")
        self.for_nothing()
        self.compare("paid")
        for _ in range(run.random.randint(2, 12)):
            if not self.over:
                self.step(run.random.choice(STEPS))
        if not self.over and run.chance(60):
            self.all_gone()
        self.spend_all()

    def for_nothing(self) -> None:
        """What was asked back by itself, because it paid for nothing: no more than was overpaid."""
        rows = self.run.all("SELECT * FROM credits.refunds WHERE payment_intent_id = %s ORDER BY refund_id", self.intent)
        for row in rows:
            number = len(self.sale.backs)
            self.asked[number] = row["refund_id"]
            if row["takes_credits"]:
                self.run.wrong.append(f"{self.what}: took credits for nothing: {row}")
            self.sale.backs.append(Back(number, row["payment_reference"], Fraction(row["amount"]), counts=False))
            self.run.saw(f"for nothing: {row['reason']}")
            self.log.append(f"paid back, since it paid for nothing: {row['amount']} {self.succeed(number)}")

    # What can happen.

    def step(self, kind: str) -> None:
        steps: dict[str, Callable[[], str | None]] = {
            "all": self.ask, "line": self.ask_line, "lines": self.ask_lines, "unasked": self.unasked, "total": self.total,
            "disputed": self.dispute, "won": lambda: self.decide(won=True), "lost": lambda: self.decide(won=False),
            "succeeded": self.succeed, "failed": self.fail, "canceled": self.cancel, "spend": self.spend,
            "too much": self.too_much,
        }  # fmt: skip
        said = steps[kind]()
        if said is not None:
            self.run.steps += 1
            self.run.saw(kind)
            self.log.append(f"{kind} {said}")
            self.compare(kind)

    def spent_word(self) -> str | None:
        return "forgive" if self.sale.forgives else self.run.random.choice([None, "pending"])

    def payment(self) -> str | None:
        open_ones = [name for name in self.sale.payments if self.sale.left_of(name) > 0]
        return self.run.random.choice(open_ones) if open_ones else None

    def give(self, back: Back) -> None:
        self.sale.backs.append(back)
        if any(self.sale.balance(currency) < 0 for currency in self.currencies()):
            self.run.saw("forgiven" if self.sale.forgives else "owed")

    def create(self, amount: Fraction | None, lines: dict[int, Fraction]) -> str:
        spent = self.spent_word()
        named = [{"invoice_line_id": self.sale.lines[number].line_id, "amount": str(decimal(part))}
                 for number, part in lines.items()]  # fmt: skip
        row = self.run.one(
            "SELECT * FROM credits.refund_create(%s, %s, %s, %s, spent => %s)", self.what, self.intent,
            None if amount is None else decimal(amount), json.dumps(named) if named else None, spent,
        )  # fmt: skip
        number, payment, amount = len(self.sale.backs), row["payment_reference"], Fraction(row["amount"])
        if amount > self.sale.left_of(payment):
            self.run.wrong.append(f"{self.what}: {row['amount']} of {payment}, which has {self.sale.left_of(payment)}")
        self.asked[number] = row["refund_id"]
        self.give(Back(number, payment, amount, named=lines))
        return f"{decimal(amount)} of {named or 'all'}, {spent}"

    def most(self) -> Fraction:
        return max(self.sale.left_of(name) for name in self.sale.payments)

    def ask(self) -> str | None:
        most = self.most()
        return self.create(None if self.run.chance(10) else self.run.part(most, self.decimals), {}) if most > 0 else None

    def ask_line(self, several: int = 1) -> str | None:
        left, lines = self.most(), {}
        open_ones = [number for number in range(len(self.sale.lines)) if self.sale.left_of_line(number) > 0]
        for number in self.run.random.sample(open_ones, min(several, len(open_ones))):
            most = min(self.sale.left_of_line(number), left)
            if most > 0:
                lines[number] = self.run.part(most, self.decimals)
                left -= lines[number]
        return self.create(None, lines) if lines else None

    def ask_lines(self) -> str | None:
        return self.ask_line(3)

    def report(self, payment: str, amount: Fraction | None, total: Fraction | None, back: Fraction) -> str:
        spent, reference = self.spent_word(), self.name("re")
        self.run.one(
            "SELECT * FROM credits.payment_refunded(%s, %s, 'stripe', %s, %s, %s, %s, %s)", self.what, self.intent, reference,
            amount and decimal(amount), total and decimal(total), spent, payment,
        )  # fmt: skip
        number = len(self.sale.backs)
        self.references[number] = reference
        self.give(Back(number, payment, back))
        return f"{decimal(back)} of {payment} as {reference}, {spent}"

    def unasked(self) -> str | None:
        """Paid back by the provider's own page: an amount that nobody asked for."""
        payment = self.payment()
        if payment is None:
            return None
        amount = self.run.part(self.sale.left_of(payment), self.decimals)
        open_ones = [self.sale.backs[number].amount for number in self.pending()]
        return None if amount in open_ones else self.report(payment, amount, None, amount)

    def total(self) -> str | None:
        """The same, by a provider that also says what all of it comes to."""
        payment = self.payment()
        if payment is None or any(back.payment == payment and not back.stands for back in self.sale.backs):
            return None
        amount = self.run.part(self.sale.left_of(payment), self.decimals)
        standing = [back.amount for back in self.sale.standing() if back.payment == payment and not back.dispute]
        if amount in [self.sale.backs[number].amount for number in self.pending()]:
            return None
        # What it says of all is no news where it says how much each was. What is asked for later is in no total alone.
        alone = self.run.chance(30)
        self.over = alone
        self.run.saw("total alone" if alone else "total beside its amount")
        self.totals.add(payment)
        return self.report(payment, None if alone else amount, sum(standing, ZERO) + amount, amount)

    def dispute(self) -> str | None:
        payment = self.payment()
        if payment is None:
            return None
        amount = self.run.part(self.sale.left_of(payment), self.decimals)
        spent, reference = self.spent_word(), self.name("dp")
        self.run.one("SELECT * FROM credits.payment_disputed(%s, %s, 'stripe', %s, %s, %s, %s)", self.what, self.intent,
                     reference, decimal(amount), spent, payment)  # fmt: skip
        number = len(self.sale.backs)
        self.references[number] = reference
        self.give(Back(number, payment, amount, dispute=True))
        return f"{decimal(amount)} of {payment} as {reference}, {spent}"

    def decide(self, *, won: bool) -> str | None:
        disputes = [back for back in self.sale.backs if back.dispute and back.number in self.references]
        if not disputes:
            return None
        back = self.run.random.choice(disputes)
        reference = self.references.pop(back.number)
        self.run.one("SELECT * FROM credits.payment_dispute_closed(%s, %s, 'stripe', %s, %s)", self.what, self.intent, reference,
                     won)  # fmt: skip
        back.stands = not won
        return reference

    def pending(self) -> list[int]:
        """What is asked for and not answered."""
        return [number for number in self.asked if self.sale.backs[number].stands and number not in self.references]

    def choose_pending(self) -> Back | None:
        numbers = self.pending()
        return self.sale.backs[self.run.random.choice(numbers)] if numbers else None

    def succeed(self, number: int | None = None) -> str | None:
        """What was asked for is paid back: known by its id, or by its amount."""
        back = self.choose_pending() if number is None else self.sale.backs[number]
        if back is None:
            return None
        reference, by_id = self.name("re"), self.run.chance(60)
        alike = [1 for number in self.pending() if self.sale.backs[number].amount == back.amount]
        by_id = by_id or len(alike) > 1
        if self.run.chance(50):
            self.run.one("SELECT * FROM credits.refund_begin(%s, %s)", self.what, self.asked[back.number])
        self.run.one(
            "SELECT * FROM credits.payment_refunded(%s, %s, 'stripe', %s, %s, payment_reference => %s, refund_id => %s)",
            self.what, self.intent, reference, decimal(back.amount), back.payment, self.asked[back.number] if by_id else None,
        )  # fmt: skip
        self.references[back.number] = reference
        back.counts = True
        return f"{decimal(back.amount)} as {reference}"

    def fail(self) -> str | None:
        ours = [b for b in self.sale.standing() if not b.dispute and b.payment not in self.totals]
        if not ours:
            return None
        back = self.run.random.choice(ours)
        reference = self.references.get(back.number)
        by_id = None if reference else self.asked[back.number]
        self.run.one("SELECT * FROM credits.payment_refund_failed(%s, %s, 'stripe', %s, refund_id => %s)", self.what, self.intent,
                     reference or self.name("re"), by_id)  # fmt: skip
        back.stands = False
        self.run.saw("failed later" if reference else "failed at once")
        return f"number {back.number}, {decimal(back.amount)}"

    def cancel(self) -> str | None:
        back = self.choose_pending()
        if back is None:
            return None
        row = self.run.one("SELECT * FROM credits.refunds WHERE refund_id = %s", self.asked[back.number])
        if row["under_way"]:
            return None
        self.run.one("SELECT * FROM credits.refund_cancel(%s, %s)", self.what, self.asked[back.number])
        back.stands = False
        return f"number {back.number}, {decimal(back.amount)}"

    def currencies(self) -> list[str]:
        return sorted({line.currency for line in self.sale.lines if line.credits})

    def spend(self) -> str | None:
        currencies = [each for each in self.currencies() if self.sale.balance(each) > 0]
        if not currencies:
            return None
        currency = self.run.random.choice(currencies)
        amount = self.run.part(self.sale.balance(currency), CREDITS[currency])
        self.debit(currency, amount)
        return f"{decimal(amount)} {currency}"

    def debit(self, currency: str, amount: Fraction) -> None:
        self.run.one("SELECT * FROM credits.wallet_debit(%s, %s, %s)", self.what, decimal(amount), currency)
        self.sale.spent[currency] = self.sale.spent.get(currency, ZERO) + amount

    def too_much(self) -> str:
        """More than is left of any payment, or of a line, is refused and leaves nothing."""
        least = Fraction(1, 10**self.decimals)
        number = self.run.random.randrange(len(self.sale.lines))
        part = {"invoice_line_id": self.sale.lines[number].line_id,
                "amount": str(decimal(self.sale.left_of_line(number) + least))}  # fmt: skip
        for amount, lines in ((decimal(self.most() + least), None), (None, json.dumps([part]))):
            try:
                self.run.one("SELECT * FROM credits.refund_create(%s, %s, %s, %s)", self.what, self.intent, amount, lines)
                self.run.wrong.append(f"{self.what}: {amount or lines} was not refused")
            except psycopg.Error as error:
                if error.sqlstate != "PC007":
                    self.run.wrong.append(f"{self.what}: {harness.described(error)}")
        return ""

    # What must be.

    def compare(self, kind: str) -> None:
        run, sale, before = self.run, self.sale, len(self.run.wrong)
        row = run.one("SELECT * FROM credits.payment_intents WHERE payment_intent_id = %s", self.intent)
        run.same("amount_received", row["amount_received"], sale.received())
        run.same("amount_refunded", row["amount_refunded"], sale.refunded())
        run.same("amount_disputed", row["amount_disputed"], sale.disputed())
        invoice = run.one("SELECT * FROM credits.invoices WHERE invoice_id = %s", self.invoice)
        run.same("the invoice's amount_refunded", invoice["amount_refunded"], sale.refunded())
        run.same("what is paid", invoice["amount_paid"], Fraction(invoice["total"]))
        if (row["status"], invoice["status"]) != ("succeeded", "paid"):
            run.wrong.append(f"{row['status']} and {invoice['status']}")
        if sale.refunded() > sale.received():
            run.wrong.append("more goes back than was received")
        lines = run.all("SELECT * FROM credits_internal.invoice_lines WHERE invoice_id = %s ORDER BY line_no", self.invoice)
        for number, line in enumerate(lines):
            run.same(f"reclaimed of line {number + 1}", line["reclaimed"], sale.reclaimed(number))
            run.same(f"refunded of line {number + 1}", line["refunded_amount"], sale.named(number))
        rows = run.all("SELECT refund_id, status FROM credits.refunds WHERE payment_intent_id = %s", self.intent)
        found = {row["refund_id"]: row["status"] for row in rows}
        for number, refund_id in self.asked.items():
            stands = "succeeded" if number in self.references else "pending"
            allowed = (stands,) if sale.backs[number].stands else ("failed", "canceled")
            if found.pop(refund_id, None) not in allowed:
                run.wrong.append(f"refund {number} is not {stands}")
        if found:
            run.wrong.append(f"nobody asked for {found}")
        for currency in self.currencies():
            balance = sale.balance(currency)
            row = run.one("SELECT available, pending FROM credits.wallet_balance(%s, %s)", self.what, currency)
            run.same(f"available {currency}", row["available"], max(balance, ZERO))
            run.same(f"pending {currency}", row["pending"], sale.owed(currency))
        self.explain(kind, before)

    def explain(self, kind: str, before: int) -> None:
        if len(self.run.wrong) > before:
            lines = [(str(decimal(e.net)), str(decimal(e.tax)), str(decimal(e.credits)), e.currency) for e in self.sale.lines]
            paid = {name: str(decimal(amount)) for name, amount in self.sale.payments.items()}
            self.run.wrong[before] = (
                f"{self.what} after {kind}: {self.run.wrong[before]}: lines {lines}, {self.currency}, paid {paid} and"
                f" {decimal(self.sale.elsewhere)}; {self.log}"
            )
            raise Different

    def all_gone(self) -> None:
        """Asks until there is nothing left: all that was paid goes back, with all that it paid for."""
        for number in self.pending():
            self.succeed(number)
        while self.most() > 0:
            self.log.append("rest " + self.create(None, {}))
            self.compare("rest")
        self.run.saw("all gone")
        if any(self.sale.left_of(name) for name in self.sale.payments):
            self.run.wrong.append(f"{self.what}: something is left")

    def spend_all(self) -> None:
        """Then no revenue is deferred: what was paid for credits was earned, or went back."""
        for currency in self.currencies():
            balance = self.sale.balance(currency)
            if balance > 0:
                self.debit(currency, balance)
        before = len(self.run.wrong)
        self.compare("the last debit")
        if len(self.run.wrong) == before:
            self.revenue()
            self.explain("all was spent", before)

    def revenue(self) -> None:
        for line in self.sale.lines:
            rows = self.run.all(
                "SELECT j.cost_account, sum(j.cost_amount) AS cost FROM credits.journal j JOIN credits.invoice_lines l"
                " USING (customer_id, grant_id) WHERE l.invoice_line_id = %s AND j.cost_amount IS NOT NULL GROUP BY 1",
                line.line_id,
            )  # fmt: skip
            accounts = {row["cost_account"]: Fraction(row["cost"]) for row in rows}
            if line.credits and line.net > 0:
                self.run.same(f"deferred, {accounts}", accounts.pop("deferred", 0), ZERO)
                self.run.same(f"received, {accounts}", -accounts.pop("received", ZERO), line.net)
                self.run.same("earned or gone", sum(accounts.values(), ZERO), line.net)
                # What comes back after something was spent in between may differ from what was taken by the smallest amount.
                least = -Fraction(sum(not back.stands for back in self.sale.backs), 10**self.decimals)
                if min(accounts.values(), default=ZERO) < least:
                    self.run.wrong.append(f"below zero: {accounts}")
