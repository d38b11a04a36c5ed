"""Auto-recharge under load: the sessions that spend, the one that maintains, the one that looks for what must never be
seen, and the one that switches on again what switched itself off. Each is a function for a process of its own.
"""

from __future__ import annotations

import random
import time

import psycopg

from recharge_terms import STOP, Report
from support import harness


class Spender:
    """A session that takes credits in every way there is, and now and then tops up by hand."""

    KINDS = {"debit": 55, "event": 25, "transaction": 10, "hold": 8, "top-up by hand": 2}

    def __init__(self, database: str, number: int, seed: int, customers: list[str]) -> None:
        self.connection = harness.connect(database)
        self.random = random.Random(f"{seed}/spender {number}")
        self.number = number
        self.customers = customers
        self.serial = 0

    def spend(self, kind: str) -> None:
        customers = sorted(self.random.sample(self.customers, 2))
        self.serial += 1
        if kind == "debit":
            self.debit(customers[0])
        elif kind == "event":
            self.connection.execute(
                "SELECT credits.report_meter_event(%s, 'calls', %s, %s)",
                [customers[0], self.random.randint(1, 10), f"{self.number}/{self.serial}"],
            )
        elif kind == "transaction":
            with self.connection.transaction(force_rollback=self.random.random() < 0.2):
                for customer in customers:
                    self.debit(customer)
        elif kind == "hold":
            self.hold(customers[0])
        else:
            self.top_up(customers[0])

    def debit(self, customer: str) -> None:
        self.connection.execute("SELECT credits.wallet_try_debit(%s, %s)", [customer, self.random.randint(1, 30)])

    def hold(self, customer: str) -> None:
        row = self.connection.execute("SELECT hold_id FROM credits.hold_create(%s, 15)", [customer]).fetchone()
        time.sleep(self.random.random() * 0.02)
        end = self.random.choice(("hold_release", "hold_capture"))
        self.connection.execute(f"SELECT credits.{end}(%s, %s)", [customer, *(row or ())])

    def top_up(self, customer: str) -> None:
        package = "price_id => (SELECT price_id FROM credits.packages)"
        row = self.connection.execute(
            f"SELECT top_up_id FROM credits.top_up_create(%s, {package})", [customer]
        ).fetchone()
        self.connection.execute("SELECT credits.payment_succeeded(%s, %s)", [customer, *(row or ())])


def spend(database: str, number: int, seed: int, customers: list[str], seconds: float) -> Report:
    spender, report = Spender(database, number, seed, customers), Report()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        kind = spender.random.choices(list(Spender.KINDS), list(Spender.KINDS.values()))[0]
        report.counts[kind] += 1
        try:
            spender.spend(kind)
        except psycopg.Error as error:
            report.counts[str(error.sqlstate)] += 1
            if (kind, error.sqlstate) != ("hold", "PC001"):  # there may be too little to hold
                report.wrong.append(f"{kind}: {harness.described(error)}")
        time.sleep(spender.random.random() * 0.01)
    spender.connection.close()
    return report


def maintain(database: str) -> Report:
    """CALLs maintain() every half second."""
    report = Report()
    with harness.connect(database) as connection:
        while not STOP.is_set():
            connection.execute("CALL credits.maintain()")
            report.counts["maintenance"] += 1
            time.sleep(0.5)
    return report


def watch(database: str) -> Report:
    """Looks again and again for two open requests, or two open charges, in one account."""
    report = Report()
    with harness.connect(database) as connection:
        while not STOP.is_set():
            report.wrong += connection.execute(
                "SELECT customer_id, array_agg(recharge_id) FROM credits.recharge_log"
                " WHERE status IN ('requested', 'processing') GROUP BY customer_id, currency HAVING count(*) > 1"
                " UNION ALL SELECT customer_id, array_agg(recharge_id) FROM public.charges"
                " WHERE ended_at IS NULL AND expires_at > clock_timestamp() GROUP BY customer_id HAVING count(*) > 1"
            ).fetchall()
            report.counts["looks"] += 1
            time.sleep(0.02)
    return report


def enable(database: str, customers: list[str], seconds: float) -> Report:
    """Once a second, switches on again some of what has switched itself off: the load has to go on."""
    random_, report = random.Random("enable"), Report()
    until = time.monotonic() + seconds - 1
    with harness.connect(database) as connection:
        while time.monotonic() < until:
            time.sleep(1)
            rows = connection.execute(
                "SELECT a.customer_id, a.disabled_reason"
                " FROM unnest(%s::text[]) AS c CROSS JOIN LATERAL credits.auto_recharge_config(c) a"
                " WHERE NOT a.enabled",
                [customers],
            ).fetchall()
            for customer, reason in rows:
                if reason is None:
                    report.wrong.append(f"{customer} is off, and does not say why")
                if random_.random() < 0.6:
                    with connection.transaction():
                        connection.execute("SELECT credits.configure_auto_recharge(%s, enabled => true)", [customer])
                        connection.execute("INSERT INTO public.enablings (customer_id) VALUES (%s)", [customer])
                    report.counts["switched on again"] += 1
    return report
