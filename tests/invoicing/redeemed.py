"""Random vouchers for random customers, beside model.py: who is given the credits, or the first reason why not, as limits, times,
customers and payments change; then how often each coupon and code is used, by the views, the lists and the log.

VOUCHERS (1500) is how many times one is tried, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import psycopg
from psycopg.rows import dict_row

import model
from support import harness
from support.harness import Checks, say

VOUCHERS = int(os.environ.get("VOUCHERS") or 1500)
SEED = int(os.environ.get("SEED") or 1)
CUSTOMERS = [f"customer {number}" for number in range(12)]
START = datetime(2026, 3, 1, tzinfo=timezone.utc)
# All but those that a purchase's lines give.
MUST_HAPPEN = (
    "given", "inactive", "not_started", "expired", "redeem_by", "max_redemptions", "max_redemptions_per_customer",
    "verification", "first_time_transaction", "switched off", "switched on", "more", "paid",
)  # fmt: skip

MAKE = """
    SELECT coupon_id::text FROM credits.coupon_create('Gift', credit_config => '{"amount": 5}', max_redemptions => %s,
        max_redemptions_per_customer => %s, redeem_by => %s)"""
CODE = """
    SELECT promotion_code_id::text, code FROM credits.promotion_code_create(%s, max_redemptions => %s, starts_at => %s,
        expires_at => %s, customer_ids => %s, restrictions => %s)"""
REDEEM = "SELECT grant_id FROM credits.voucher_redeem(%s, %s)"
PAY = """
    SELECT status FROM credits.invoice_pay(%s, (SELECT invoice_id FROM credits.invoice_create(%s, '[{"amount": 1}]', 'USD',
        auto_finalize => true)), 'outside', reference => 'cash')"""


@dataclass
class Voucher:
    """A coupon with one code, when it may be used, and by whom it was."""

    coupon: model.Coupon
    coupon_id: str
    code_id: str
    code: str
    starts_at: datetime | None
    expires_at: datetime | None
    redeem_by: datetime | None
    given: Counter[str] = field(default_factory=Counter)


class Run:
    """The vouchers, and the customers who try them."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.random = random.Random(SEED)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.paid: set[str] = set()
        # Who was given a voucher for first purchases: nobody gets two.
        self.firsts: Counter[str] = Counter()
        self.now = START
        self.vouchers: list[Voucher] = []

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.connection.execute(query, values).fetchall()
        return row

    def maybe(self, percent: int, value: Any) -> Any:
        return value if self.random.randrange(100) < percent else None

    def moment(self, percent: int, days: int) -> datetime | None:
        return self.maybe(percent, self.now + timedelta(hours=self.random.randint(1, 24 * days)))

    def tick(self) -> None:
        self.now += timedelta(minutes=self.random.randint(1, 60))
        self.connection.execute("SELECT set_config('credits.test_clock', %s, false)", [self.now.isoformat()])

    def make(self) -> None:
        most, per_customer = self.maybe(50, self.random.randint(1, 8)), self.maybe(40, self.random.randint(1, 3))
        redeem_by = self.moment(30, 12)
        coupon_id = self.one(MAKE, most, per_customer, redeem_by)["coupon_id"]
        customers = self.maybe(30, self.random.sample(CUSTOMERS, 4))
        first = self.random.randrange(100) < 30
        starts_at, most_of_code = self.moment(30, 3), self.maybe(40, self.random.randint(1, 6))
        expires_at = self.maybe(30, (starts_at or self.now) + timedelta(hours=self.random.randint(1, 24 * 9)))
        restrictions = json.dumps({"first_time_transaction": True}) if first else None
        code = self.one(CODE, coupon_id, most_of_code, starts_at, expires_at, customers, restrictions)
        coupon = model.Coupon(
            percent=Fraction(1), amounts={}, products=None, minimum=None, most=most, most_of_code=most_of_code,
            per_customer=per_customer or 1, customers=set(customers) if customers else None, first=first,
        )  # fmt: skip
        times = (starts_at, expires_at, redeem_by)
        self.vouchers.append(Voucher(coupon, coupon_id, code["promotion_code_id"], code["code"], *times))

    def change(self, voucher: Voucher) -> None:
        """The merchant switches one on or off, or has more of it."""
        what = self.random.choice(("coupon", "code", "more"))
        coupon = voucher.coupon
        if what == "more":
            coupon.most, coupon.most_of_code = (limit and limit + 2 for limit in (coupon.most, coupon.most_of_code))
            self.one("SELECT FROM credits.coupon_update(%s, max_redemptions => %s)", voucher.coupon_id, coupon.most)
            self.one("SELECT FROM credits.promotion_code_update(%s, max_redemptions => %s)", voucher.code_id, coupon.most_of_code)
            self.counts["more"] += 1
            return
        attribute = "active" if what == "coupon" else "code_active"
        is_on = not getattr(coupon, attribute)
        setattr(coupon, attribute, is_on)
        function, key = ("coupon_update", voucher.coupon_id) if what == "coupon" else ("promotion_code_update", voucher.code_id)
        self.one(f"SELECT FROM credits.{function}(%s, active => %s)", key, is_on)
        self.counts["switched on" if is_on else "switched off"] += 1

    def redeem(self, voucher: Voucher, customer: str) -> None:
        coupon, now = voucher.coupon, self.now
        coupon.not_started = voucher.starts_at is not None and now < voucher.starts_at
        coupon.expired = voucher.expires_at is not None and now >= voucher.expires_at
        coupon.too_late = voucher.redeem_by is not None and now > voucher.redeem_by
        used = voucher.given.total()
        has_paid = customer in self.paid or self.firsts[customer] > 0
        uses = model.Uses(used, used, voucher.given[customer], has_paid)
        expected = model.reason(coupon, uses, customer, "USD", [("anything", Fraction(1))]) or "given"
        typed = self.random.choice((voucher.code, voucher.code.lower(), f" {voucher.code} "))
        try:
            self.one(REDEEM, customer, typed)
            found = "given"
        except psycopg.Error as error:
            detail = json.loads(error.diag.message_detail or "{}")
            found = detail.get("reason", error.sqlstate) if error.sqlstate == "PC016" else str(error.sqlstate)
        self.counts[found] += 1
        if found != expected:
            self.wrong.append(f"{customer}, {voucher}: {found} where {expected} was expected")
        if found == "given":
            voucher.given[customer] += 1
            self.firsts[customer] += coupon.first


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        run = Run(connection)
        run.tick()
        run.one("SELECT FROM credits.currency_create('USD', kind => 'fiat')")
        for number in range(VOUCHERS):
            run.tick()
            if number % 12 == 0:
                run.make()
            voucher, customer = run.random.choice(run.vouchers[-15:]), run.random.choice(CUSTOMERS)
            if run.random.randrange(100) < 8:
                run.change(voucher)
            if run.random.randrange(100) < 1:
                run.one(PAY, customer, customer)
                run.paid.add(customer)
                run.counts["paid"] += 1
            run.redeem(voucher, customer)
        checks.none(run.wrong[:5], f"{VOUCHERS} vouchers, seed {SEED}: each is given, or refused for the reason of the model")
        checks.none([what for what in MUST_HAPPEN if not run.counts[what]], "and they met everything that this is about")
        look_back(checks, run)
        checks.none(harness.verify(connection), "verify() finds nothing")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(run.counts.items())))


def look_back(checks: Checks, run: Run) -> None:
    """How often each is used, by all who say so."""
    query = """
        SELECT c.times_redeemed AS of_coupon, p.times_redeemed AS of_code,
               (SELECT count(*) FROM credits.coupon_redemptions(c.coupon_id, page_size => 1000)) AS listed,
               (SELECT count(*) FROM credits.discount_log l WHERE l.coupon_id = c.coupon_id AND l.action = 'confirmed') AS logged
        FROM credits.coupons c JOIN credits.promotion_codes p ON p.coupon_id = c.coupon_id WHERE c.coupon_id = %s"""
    wrong = []
    for voucher in run.vouchers:
        row, used = run.one(query, voucher.coupon_id), voucher.given.total()
        if set(row.values()) != {used}:
            wrong.append(f"{voucher.code}: {row} where {used} were given")
    checks.none(wrong, f"{len(run.vouchers)} coupons and their codes say how often they were used, and so do the lists and the log")
