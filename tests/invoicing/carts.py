"""Random carts with discounts, beside cart_model.py: what is sold, taken off, taxed and granted to the last digit, after each
call; whom a discount is refused, and why; who has it, as payments come, fail, come late or never.

CARTS (350) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
from psycopg.rows import dict_row

from cart_catalogue import CURRENCIES, CUSTOMERS, RATES, Catalogue, exact
from cart_model import Choice, Item, Session, Shop
from support import harness
from support.harness import Checks, say

CARTS = int(os.environ.get("CARTS") or 350)
SEED = int(os.environ.get("SEED") or 1)
MUST_HAPPEN = (
    "create", "quantities", "refill", "tax_rate", "apply", "remove", "submit", "pay", "unasked", "late", "fail", "processing",
    "expire", "again", "inactive", "not_started", "expired", "redeem_by", "max_redemptions", "max_redemptions_per_customer",
    "verification", "first_time_transaction", "currency", "no_eligible_product", "minimum_amount", "PC001", "PC013", "PC020",
    "over quota", "nothing to pay", "capped", "percent", "some products", "inclusive", "exclusive", "custom", "tiers", "credits",
    "paid by the wallet", "refused again",
)  # fmt: skip

CREATE = """
    SELECT checkout_session_id::text FROM credits.checkout_session_create(%s, line_items => %s, currency => %s,
        discounts => %s, allow_promotion_codes => %s, expires_at => %s, tax_rate => %s)"""
LINES = """
    SELECT l.amount, l.discount, l.tax, l.amount_excluding_tax AS net, l.credits, g.amount AS granted, g.cost_amount,
           g.cost_currency
    FROM credits.invoice_lines l LEFT JOIN credits.grants g USING (customer_id, grant_id)
    WHERE l.invoice_id = %s ORDER BY l.line_no"""
USED = """
    SELECT c.coupon_id::text AS id, c.times_redeemed AS times, c.times_over_quota AS over FROM credits.coupons c
    UNION ALL
    SELECT p.promotion_code_id::text, p.times_redeemed, p.times_over_quota FROM credits.promotion_codes p"""


class Run(Catalogue):
    """The carts of a few customers, and what becomes of them."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection, random.Random(SEED))
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.shop = Shop()
        self.sessions: list[Session] = []

    def session(self, act: Any) -> Session:
        """One of late: mostly one that is open, and of which the act is what comes next."""
        late = self.sessions[-30:]
        alive = [one for one in late if one.status(self.now) == "open"]
        failed = [one for one in alive if one.failed]
        # Whose discount was given back, and is another's now.
        lost = [one for one in self.sessions[-90:] if one.use and not one.use.is_held(self.now)
                and not self.shop.is_left(one, one.use.choice, self.now)]  # fmt: skip
        if act == self.pay and lost and self.chance(40):
            return self.random.choice(lost)
        if act == self.submit and failed and self.chance(35):
            return self.random.choice(failed)
        wanted = [one for one in alive if one.submitted == (act in (self.pay, self.report))]
        return self.random.choice(wanted if wanted and self.chance(85) else late)

    def call(self, what: str, expected: str | None, query: str, *values: Any) -> dict[str, Any] | None:
        """Its row, or None where it was refused, as it was to be: by an error's code, or the reason of PC016."""
        found, row = None, None
        try:
            row = self.one(query, *values)
        except psycopg.Error as error:
            detail = json.loads(error.diag.message_detail or "{}")
            found = detail.get("reason", error.sqlstate) if error.sqlstate == "PC016" else str(error.sqlstate)
        self.counts[found or what] += 1
        if found != expected:
            self.wrong.append(f"{what}{values}: {found or 'done'} where {expected or 'done'} was expected")
        return row

    def create(self) -> None:
        customer, currency = self.random.choice(CUSTOMERS), self.random.choice(list(CURRENCIES))
        rate = self.maybe(50, Fraction(self.random.choice(RATES)))
        choice = self.maybe(50, self.choice())
        session = Session(customer, currency, CURRENCIES[currency], self.items(currency), None, choice, self.chance(85),
                          self.now + timedelta(minutes=self.random.choice([40, 300, 1440])))  # fmt: skip
        session.rate = self.rates[customer] if rate is None else rate
        expected = self.shop.reason(session, choice, self.now) if choice else None
        discount = None
        if choice and choice.code:
            key = self.random.choice(["code", "promotion_code"])
            discount = {key: choice.code.code.lower() if key == "code" else choice.code.code_id}
        elif choice:
            discount = {"coupon": choice.coupon.coupon_id}
        row = self.call(
            "create", expected, CREATE, customer, self.given(session.items), self.maybe(50, currency),
            json.dumps([discount]) if discount else None, session.allows_codes, session.expires_at, exact(rate),
        )  # fmt: skip
        if row:
            session.session_id = row["checkout_session_id"]
            self.sessions.append(session)
            self.compare(session)

    def change_cart(self, session: Session) -> None:
        """Quantities, what is in it, the tax rate, or its code."""
        is_open = session.status(self.now) == "open" and not session.submitted
        what = self.random.choice(["quantities", "refill", "tax_rate", "apply", "apply", "remove"])
        before = (session.items, session.rate, session.choice)
        keys = (session.customer, session.session_id)
        expected, query, values = None, "credits.checkout_session_update(%s, %s, ", []
        if what == "quantities":
            item = self.random.choice(session.items)
            quantity = self.random.randint(0, 20)
            fits = item.adjustable and max(item.adjustable[0], 1) <= quantity <= item.adjustable[1]
            expected = None if fits else "PC013"
            session.items = [Item(**{**vars(one), "quantity": quantity}) if one is item else one for one in session.items]
            query, values = query + "quantities => %s)", [json.dumps({item.price.lookup_key: quantity})]
        elif what == "refill":
            currency = self.random.choice(list(CURRENCIES)) if self.chance(10) else session.currency
            expected = None if currency == session.currency else "PC013"
            session.items = self.items(currency)
            query, values = query + "line_items => %s)", [self.given(session.items)]
        elif what == "tax_rate":
            session.rate = Fraction(self.random.choice(RATES))
            query, values = query + "tax_rate => %s)", [exact(session.rate)]
        elif what == "apply":
            coupon = self.random.choice(self.coupons[-4:])
            session.choice = Choice(coupon, self.random.choice(coupon.codes))
            expected = None if session.allows_codes else "PC013"
            query, values = "credits.checkout_session_apply_promotion_code(%s, %s, %s)", [session.choice.code.code]
        else:
            session.choice = None
            query = "credits.checkout_session_remove_promotion_code(%s, %s)"
        if not is_open:
            expected = "PC020"
        elif expected is None and session.choice:
            expected = self.shop.reason(session, session.choice, self.now)
        if not self.call(what, expected, f"SELECT * FROM {query}", *keys, *values):
            session.items, session.rate, session.choice = before
        self.compare(session)

    def submit(self, session: Session) -> None:
        status = session.status(self.now)
        expected, what = None, "submit"
        # Whether it does anything: after a failure it begins again.
        again = status == "open" and session.submitted and session.failed
        is_first = status == "open" and not session.submitted
        if status == "expired":
            expected = "PC020"
        elif is_first or again:
            what = "again" if again else what
            expected = self.shop.reason(session, session.choice, self.now) if session.choice else None
            if expected and again:
                self.counts["refused again"] += 1
            due = session.comes_to().total if session.currency == "COIN" and not expected else 0
            if due and self.chance(25):
                expected = "PC001"
            elif due:
                self.one("SELECT FROM credits.wallet_credit(%s, %s, 'COIN')", session.customer, exact(due))
                self.counts["paid by the wallet"] += 1
        query = "SELECT * FROM credits.checkout_session_submit(%s, %s)"
        row = self.call(what, expected, query, session.customer, session.session_id)
        does_it = is_first or again
        if row and does_it:
            self.shop.submit(session, self.now)
            self.counts["nothing to pay"] += session.for_nothing
        if row and row["replayed"] == does_it:
            self.wrong.append(f"submitted with replayed = {row['replayed']}")
        self.compare(session)

    def pay(self, session: Session) -> None:
        """Whether or not it was submitted, and in time."""
        total = session.comes_to().total
        if session.written == "complete" or session.currency == "COIN" or not total:
            return
        what = "pay" if session.submitted else "unasked"
        self.counts["late"] += session.status(self.now) == "expired"
        if not session.submitted:
            # It costs what it was to cost, whatever would be said of its discount now.
            session.submitted = True
            self.shop.reserve(session)
            self.shop.release(session)
        query = "SELECT * FROM credits.payment_succeeded(%s, %s, 'manual', %s, %s)"
        session.attempts += not session.under_way
        row = self.call(what, None, query, session.customer, session.session_id, self.reference(session), exact(total))
        if row and (row["status"], row["contradiction"]) != ("succeeded", None):
            self.wrong.append(f"{what}: {row}")
        self.shop.complete(session, self.now)
        self.counts["over quota"] += session.use is not None and session.use.over_quota
        self.compare(session)

    def report(self, session: Session) -> None:
        """The provider says that a payment is under way, or failed."""
        if session.status(self.now) != "open" or not session.submitted:
            return
        what = self.random.choice(["fail", "processing"])
        if not session.under_way:
            session.attempts += 1
        query = f"SELECT * FROM credits.payment_{'failed' if what == 'fail' else what}(%s, %s, 'manual', %s)"
        self.call(what, None, query, session.customer, session.session_id, self.reference(session))
        if what == "fail":
            session.failed, session.under_way = True, False
            self.shop.release(session)
        else:
            session.failed, session.under_way = False, True
            if session.use and not session.use.released:
                session.use.until = None
        self.compare(session)

    @staticmethod
    def reference(session: Session) -> str:
        return f"{session.session_id} {session.attempts}"

    def expire(self, session: Session) -> None:
        expected = "PC020" if session.written == "complete" or session.under_way else None
        query = "SELECT * FROM credits.checkout_session_expire(%s, %s)"
        if self.call("expire", expected, query, session.customer, session.session_id):
            session.written = "expired"
            self.shop.release(session)
        self.compare(session)

    def same(self, what: str, found: Any, expected: Any) -> None:
        found = tuple(Fraction(one) if isinstance(one, (Decimal, int)) else one and str(one) for one in found)
        if found != tuple(expected):
            self.wrong.append(f"{what}: {found} where {tuple(expected)} was expected")

    def compare(self, session: Session) -> None:
        """What it comes to, line by line, in the session, on the invoice, and in what was granted."""
        expected, status = session.comes_to(), session.status(self.now)
        where = f"{session.customer}'s {session.session_id}"
        row = self.one("SELECT * FROM credits.checkout_sessions WHERE checkout_session_id = %s", session.session_id)
        columns = ("status", "amount_subtotal", "amount_discount", "amount_tax", "amount_total")
        totals = (expected.subtotal, expected.discount, expected.tax, expected.total)
        self.same(where, (row[column] for column in columns), (status, *totals))
        payment = "unpaid" if status != "complete" else "no_payment_required" if session.for_nothing else "paid"
        self.same(f"{where}, payment", [row["payment_status"]], [payment])
        lines = list(zip(session.items, expected.parts, strict=True))
        for said, (item, part) in zip(row["line_items"], lines, strict=True):
            credits = item.price.credits and item.price.credits * item.quantity
            found = [Decimal(said[key]) for key in ("amount", "amount_discount", "amount_tax")]
            due = (item.cost(session.decimals), part.discount, part.tax, item.quantity, credits)
            self.same(f"{where}, {item}", [*found, said["quantity"], credits and Decimal(said.get("credits", 0))], due)
            self.note(session, item, part)
        choice, discount = session.choice, (row["discounts"] or [{}])[0]
        named = (choice.coupon.coupon_id, choice.code and choice.code.code_id) if choice else (None, None)
        self.same(f"{where}, discount", (discount.get("coupon_id"), discount.get("promotion_code_id")), named)
        if choice:
            self.same(f"{where}, discount", [Decimal(discount["amount"])], [expected.discount])
        if session.submitted:
            self.compare_invoice(where, session, row["invoice_id"])

    def compare_invoice(self, where: str, session: Session, invoice_id: Any) -> None:
        expected, is_paid = session.comes_to(), session.written == "complete"
        row = self.one("SELECT * FROM credits.invoices WHERE invoice_id = %s", invoice_id)
        columns = ("status", "subtotal", "discount", "tax", "total", "total_excluding_tax", "amount_paid")
        totals = (expected.subtotal, expected.discount, expected.tax, expected.total, expected.net)
        paid = expected.total if is_paid else Fraction(0)
        self.same(f"{where}, invoice", (row[c] for c in columns), ("paid" if is_paid else "draft", *totals, paid))
        for line, item, part in zip(self.all(LINES, invoice_id), session.items, expected.parts, strict=True):
            credits = item.price.credits and item.price.credits * item.quantity
            granted = (credits, part.net, session.currency) if is_paid and credits else (None, None, None)
            due = (item.cost(session.decimals), part.discount, part.tax, part.net, credits, *granted)
            self.same(f"{where}, invoice's line of {item}", line.values(), due)
            self.counts["credits"] += bool(is_paid and credits)

    def note(self, session: Session, item: Item, part: Any) -> None:
        if part.discount and session.choice:
            coupon = session.choice.coupon
            self.counts["percent" if coupon.percent else "amount"] += 1
            self.counts["some products"] += coupon.products is not None
            self.counts["capped"] += not coupon.percent and part.discount == item.cost(session.decimals)
        inclusive = item.price.inclusive if item.behavior is None else item.behavior
        self.counts["inclusive" if inclusive else "exclusive"] += bool(part.tax)
        self.counts["custom"] += item.custom is not None
        self.counts["tiers"] += item.price.pricing is not None

    def compare_uses(self) -> None:
        """How often each is used or reserved now, and over quota."""
        found = {row["id"]: (row["times"], row["over"]) for row in self.all(USED)}
        for coupon in self.coupons:
            of = [use for use in self.shop.uses if use.choice.coupon is coupon]
            for key, code in ((coupon.coupon_id, None), *((code.code_id, code) for code in coupon.codes)):
                uses = [use for use in of if code is None or use.choice.code is code]
                held = sum(use.is_held(self.now) and not use.over_quota for use in uses)
                expected = (held, sum(use.over_quota for use in uses))
                if found[key] != expected:
                    self.wrong.append(f"{key} is used {found[key]} where {expected} was expected")


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        run = Run(connection)
        run.tick()
        run.set_up()
        number = 0
        while len(run.sessions) < CARTS and len(run.wrong) < 10:
            number += 1
            run.tick()
            if number % 25 == 1:
                run.coupon()
            if run.chance(5):
                run.change()
            if number % 100 == 0:
                connection.execute("CALL credits.maintain()")
                run.compare_uses()
            act = run.random.choices(
                (run.create, run.change_cart, run.submit, run.pay, run.report, run.expire), (26, 30, 32, 9, 14, 4)
            )[0]
            if act == run.create or not run.sessions:
                run.create()
            else:
                act(run.session(act))
        checks.none(run.wrong[:5], f"{len(run.sessions)} carts, seed {SEED}, {number} calls: all of it is as the model says")
        checks.none([what for what in MUST_HAPPEN if not run.counts[what]], "they met everything that this is about")
        run.compare_uses()
        checks.none(run.wrong[:5], "and how often each discount is used")
        checks.none(harness.verify(connection), "verify() finds nothing")
        say("        " + ", ".join(f"{what} {count:,}" for what, count in sorted(run.counts.items())))
