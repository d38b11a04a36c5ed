"""Coupons under load: sixteen sessions redeem two codes of one voucher for a thousand customers, at random to the end, rolled back,
twice under one key, or as purchases that nobody goes on with, while another kills sessions and looks: at no moment is a code, or
its coupon, used more often than it may be, the counters are what is held, the log agrees, and what is given back is used again.

BUYERS (1000) is how many there are, SEED (1) what they are made from.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from support import harness
from support.at_once import together
from support.harness import Checks, say

BUYERS = int(os.environ.get("BUYERS") or 1000)
SEED = int(os.environ.get("SEED") or 1)
SESSIONS, SECONDS = 16, 25.0
COUPON, FEW = 80, 60

# What it has to have met to prove anything.
MUST_HAPPEN = (
    "redeemed", "replayed", "rolled back", "abandoned", "killed", "max_redemptions", "max_redemptions_per_customer",
    "fewer", "more", "PC013",
)  # fmt: skip

MAKE = """
    SELECT coupon_id::text FROM credits.coupon_create('Gift', credit_config => '{"amount": 5}', max_redemptions => %s,
        promotion_codes => '[{"code": "few", "max_redemptions": 60}, {"code": "any"}]')"""
REDEEM = "SELECT grant_id, replayed FROM credits.voucher_redeem(%s, %s, %s)"
LIMIT = "SELECT max_redemptions FROM credits.promotion_code_update(%s, max_redemptions => %s)"
CODE = "SELECT promotion_code_id::text FROM credits.promotion_code_by_code('few')"
# As a purchase reserves one, that nobody goes on with: for a moment. There is no invoice, which verify() says of each.
ABANDON = """
    WITH paid AS (DELETE FROM credits_internal.discount_log WHERE customer_id = %s AND holder_id = %s AND action = 'confirmed')
    UPDATE credits_internal.redemptions
    SET holder_type = 'invoice', confirmed_at = NULL, last_log_no = 1, expires_at = clock_timestamp() + interval '0.3 s'
    WHERE customer_id = %s AND holder_id = %s"""

NO_INVOICE = "checkout session: its invoice is paid and its discount is not used, or the reverse"

# All in one snapshot: how often each is used, what its counter says, what is held, and what the log says of that.
LOOK = """
    SELECT c.max_redemptions AS most, c.times_redeemed AS used, u.taken,
           (SELECT count(*) FROM credits_internal.redemptions r
            WHERE r.coupon_id = c.coupon_id AND r.released_at IS NULL AND coalesce(r.expires_at > now(), true)) AS held,
           (SELECT count(*) FROM credits_internal.redemptions r
            JOIN credits_internal.discount_log l ON l.customer_id = r.customer_id AND l.holder_id = r.holder_id
                 AND l.log_no = r.last_log_no
            WHERE l.action IN ('applied', 'confirmed')) AS logged,
           p.max_redemptions AS most_few, p.times_redeemed AS used_few, w.taken AS taken_few,
           (SELECT count(*) FROM credits_internal.redemptions r
            WHERE r.promotion_code_id = p.promotion_code_id AND r.released_at IS NULL
              AND coalesce(r.expires_at > now(), true)) AS held_few
    FROM credits.coupons c JOIN credits_internal.coupon_counters u ON u.coupon_id = c.coupon_id
    JOIN credits.promotion_codes p ON p.coupon_id = c.coupon_id AND p.code = 'few'
    JOIN credits_internal.promotion_code_counters w ON w.promotion_code_id = p.promotion_code_id"""
KILL = """
    SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
    WHERE a.application_name = 'buyer' AND a.datname = current_database() AND a.state <> 'idle' ORDER BY random() LIMIT 1"""
BUYING = "SELECT FROM pg_stat_activity WHERE application_name = 'buyer' AND datname = current_database() LIMIT 1"


@dataclass
class Report:
    """What one session brings home."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    # Who was given something, as it was acknowledged.
    given: dict[str, str] = field(default_factory=dict)

    def say(self, what: str) -> None:
        self.counts["wrong"] += 1
        if len(self.wrong) < 10:
            self.wrong.append(what)


class RolledBack(Exception):
    """What a transaction is rolled back with."""


class Redeemer:
    """One session: redeems for its share of the customers. The first calls maintain() now and then; the second is the merchant."""

    def __init__(self, database: str, number: int, code_id: str) -> None:
        self.database, self.number, self.code_id = database, number, code_id
        self.random = random.Random(f"discounts/{SEED}/{number}")
        self.report = Report()
        self.connect()

    def connect(self) -> None:
        self.connection = harness.connect(self.database, row_factory=dict_row, application_name="buyer")
        self.connection.execute("SET statement_timeout = '30s'")

    def run(self) -> Report:
        until = time.monotonic() + SECONDS
        for buyer in range(self.number, BUYERS, SESSIONS):
            if time.monotonic() > until:
                break
            self.attempt(lambda buyer=buyer: self.redeem(f"buyer {buyer}"))
            if self.number == 0 and buyer % 5 == 0:
                self.attempt(lambda: self.connection.execute("CALL credits.maintain()"))
            if self.number == 1:
                self.attempt(self.manage)
        self.connection.close()
        return self.report

    def attempt(self, work: Any) -> None:
        """Whatever a session was killed in, it begins anew with another."""
        try:
            work()
        except psycopg.Error as error:
            if not self.connection.closed:
                self.report.say(f"session {self.number}: {harness.described(error)}")
            else:
                self.report.counts["killed"] += 1
                self.connect()

    def redeem(self, customer: str) -> None:
        self.report.counts["buyers"] += 1
        code = self.random.choice(("few", "FEW", "Few", "any"))
        fate = self.random.choices(("keep", "twice", "again", "roll back", "abandon"), (4, 3, 3, 20, 70))[0]
        key = f"key {customer}" if fate == "twice" or self.random.random() < 0.3 else None
        try:
            if fate == "roll back":
                with self.connection.transaction():
                    self.one(REDEEM, customer, code, key)
                    raise RolledBack
            if fate == "abandon":
                with self.connection.transaction():
                    grant_id = self.one(REDEEM, customer, code, key)["grant_id"]
                    self.connection.execute(ABANDON, [customer, grant_id] * 2)
                self.report.counts["abandoned"] += 1
                time.sleep(self.random.uniform(0, 0.02))
                return
            grant_id = self.one(REDEEM, customer, code, key)["grant_id"]
            self.report.given[customer] = str(grant_id)
            self.report.counts["redeemed"] += 1
            if fate == "twice":
                again = self.one(REDEEM, customer, code.lower(), key)
                if (again["grant_id"], again["replayed"]) != (grant_id, True):
                    self.report.say(f"{customer}: the same call is another grant")
                self.report.counts["replayed"] += 1
            if fate == "again":
                self.one(REDEEM, customer, code, None)
                self.report.say(f"{customer}: redeemed twice")
        except RolledBack:
            self.report.counts["rolled back"] += 1
        except psycopg.Error as error:
            if error.sqlstate != "PC016":
                raise
            reason = json.loads(error.diag.message_detail or "{}")["reason"]
            self.report.counts[reason] += 1
            time.sleep(self.random.uniform(0, 0.05))

    def manage(self) -> None:
        """The code may be used less often, and then as often as before."""
        for most, what in ((FEW - 10, "fewer"), (FEW, "more")):
            try:
                self.one(LIMIT, self.code_id, most)
            except psycopg.Error as error:
                if error.sqlstate != "PC013" or what == "more":
                    raise
                self.report.counts["PC013"] += 1
                return
            self.report.counts[what] += 1

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        row = self.connection.execute(query, values, prepare=True).fetchone()
        assert row is not None
        return row


class Watcher:
    """Looks as often as it can, and kills a session now and then."""

    def __init__(self, database: str) -> None:
        self.connection = harness.connect(database, row_factory=dict_row)
        self.report = Report()

    def run(self) -> Report:
        began = killed = time.monotonic()
        while time.monotonic() < began + 2 or self.connection.execute(BUYING).fetchall():
            for row in self.connection.execute(LOOK).fetchall():
                self.look(row)
            if time.monotonic() > killed + 0.15:
                killed = time.monotonic()
                self.connection.execute(KILL)
        self.connection.close()
        return self.report

    def look(self, row: dict[str, Any]) -> None:
        self.report.counts["looks"] += 1
        self.report.counts["looks with nothing left"] += row["used"] == row["most"] or row["used_few"] == row["most_few"]
        if not 0 <= row["used"] <= row["taken"] <= row["most"] or not 0 <= row["used_few"] <= row["taken_few"] <= row["most_few"]:
            self.report.say(f"used more often than it may be: {row}")
        if (row["used"], row["used_few"], row["taken"]) != (row["held"], row["held_few"], row["logged"]):
            self.report.say(f"what is used is not what is held, or what the log says: {row}")


def session(database: str, number: int, code_id: str) -> Report:
    """One of them: the last looks."""
    # A transaction whose session is killed cannot be rolled back, and psycopg says so.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    return Watcher(database).run() if number == SESSIONS else Redeemer(database, number, code_id).run()


def run(checks: Checks) -> None:
    say(f"discounts: {SESSIONS} sessions, {BUYERS} customers for {COUPON} uses of a coupon, {FEW} of a code, seed {SEED}")
    with harness.fresh_database("discounts") as database:
        with harness.connect(database, row_factory=dict_row) as connection:
            connection.execute(MAKE, [COUPON])
            code_id = connection.execute(CODE).fetchone()["promotion_code_id"]
        began = time.monotonic()
        reports = together(session, [(database, number, code_id) for number in range(SESSIONS + 1)])
        took = time.monotonic() - began
        counts: Counter[str] = sum((report.counts for report in reports), Counter())
        checks.none([wrong for report in reports for wrong in report.wrong], "no session met an error or a wrong figure")
        checks.none([what for what in MUST_HAPPEN if not counts[what]], "they met everything that this is about")
        checks.equal(counts["looks with nothing left"] > 0, True, "and sometimes nothing was left")
        with harness.connect(database, row_factory=dict_row) as connection:
            look_back(checks, connection, reports)
        say(f"        {took:.1f} s; " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))


def verified(checks: Checks, connection: psycopg.Connection[Any], title: str) -> None:
    """verify() has nothing to say, except that what was abandoned has no invoice: each once."""
    made = connection.execute("SELECT count(*) AS made FROM credits_internal.redemptions WHERE holder_type = 'invoice'").fetchone()
    there = harness.verify(connection)
    said = [row for row in there if row["problem"] == NO_INVOICE and row["subject"] is None]
    checks.none([row for row in there if row not in said], title)
    checks.equal(len(said), made["made"], "and it finds what was abandoned")


def look_back(checks: Checks, connection: psycopg.Connection[Any], reports: list[Report]) -> None:
    """Everything against everything, once what was abandoned has run out."""
    verified(checks, connection, "verify() finds nothing as the sessions end")
    given = {customer: grant_id for report in reports for customer, grant_id in report.given.items()}
    query = "SELECT customer_id, holder_id::text FROM credits_internal.redemptions WHERE confirmed_at IS NOT NULL"
    there = {row["customer_id"]: row["holder_id"] for row in connection.execute(query).fetchall()}
    wrong = [f"{one}: {grant_id}, and is {there.get(one)}" for one, grant_id in given.items() if there.get(one) != grant_id]
    checks.none(wrong, "every use that was acknowledged is there")
    time.sleep(0.4)
    (before,) = connection.execute(LOOK).fetchall()
    checks.equal(before["used"], len(there), "what was abandoned is free, before maintain()")
    connection.execute("CALL credits.maintain()")
    (after,) = connection.execute(LOOK).fetchall()
    checks.equal((after["taken"], after["used"]), (len(there), len(there)), "and the counter says so after it")
    verified(checks, connection, "verify() finds nothing after maintain()")
