"""Auto-recharge under load: sixteen sessions drain fifty wallets below their thresholds, while workers take the
requests from the outbox, charge, are declined, hear late or never of the payment, and crash at any point of it.

RECHARGE_SECONDS (60) is how long it runs, SEED (1) what it is made from. Limits, cooldowns and time-outs are short, so
that all of them are met; what switches itself off after three failures is switched on again now and then.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import Any

import psycopg

import recharge_rules as rules
import recharge_sessions as sessions
import recharge_workers as workers
from children import until
from recharge_terms import CREDITS, PRICE, STOP, TIMEOUT, Report, Terms, wallets
from support import harness
from support.harness import Checks, say

SECONDS = float(os.environ.get("RECHARGE_SECONDS") or 60)
SEED = int(os.environ.get("SEED") or 1)
SPENDERS, WALLETS = 16, 50
SPENT_DOWN = 3.0  # seconds for which a wallet that is drained all the time may be low and yet not asked for
WATCHER = "the test"  # a second consumer that acknowledges nothing, so that all of the outbox stays to be seen

# What a run has to have met to prove anything.
MUST_HAPPEN = (
    "requests paid", "requests failed", "requests timed_out", "requests canceled", "late payments that granted",
    "wallets that reached their limit of attempts", "wallets that reached their limit of the amount",
    "more units than the fewest", "requests that the limit cut", "requests of a schedule",
    "switched off after three failures", "switched on again", "killed", *workers.CRASHES.values(),
    *sessions.Spender.KINDS, "webhooks, late", "webhooks, paid", "looks", "charges asked for again",
)  # fmt: skip


def check(checks: Checks, database: str) -> None:
    terms = wallets(WALLETS, SEED)
    say(f"        {SPENDERS} sessions, {WALLETS} wallets, {workers.WORKERS} workers, {SECONDS:.0f} s, seed {SEED}")
    with harness.connect(database) as connection:
        prepare(connection, terms)
        counts, wrong, disabled_at = run(checks, connection, database, terms)
        checks.none(wrong, "no session met an unexpected error or a wrong answer")
        rules.check_all(checks, rules.load(connection, terms), disabled_at, lambda what: counts.update([what]))
        once_each(checks, connection)
        row = connection.execute("SELECT count(*) FROM public.charges WHERE asked > 1").fetchone()
        counts["charges asked for again"] = row[0] if row else 0
        checks.equal(counts["otherwise"], 0, "no worker ended in a way of its own")
        checks.none([what for what in MUST_HAPPEN if not counts[what]], "the load met everything that it is about")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))
        checks.none(harness.verify(connection), "verify() finds nothing")


def prepare(connection: psycopg.Connection[Any], terms: list[Terms]) -> None:
    connection.execute(workers.TABLES)
    connection.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    connection.execute("SELECT credits.meter_create('calls')")
    connection.execute("SELECT credits.package_create('a pack', %s, %s, 'USD')", [CREDITS, PRICE])
    for consumer in (workers.CONSUMER, WATCHER):
        connection.execute("SELECT credits.outbox_consumer_create(%s)", [consumer])
    for one in terms:
        connection.execute("SELECT credits.wallet_credit(%s, 100)", [one.customer])
        told = one.configuration() | {"cooldown": rules.COOLDOWN}
        connection.execute(
            "SELECT credits.configure_auto_recharge(%s, enabled => true,"
            " price_id => (SELECT price_id FROM credits.packages), payment_method => 'a card',"
            f" timeout => %s * interval '1 s', {', '.join(f'{name} => %s' for name in told)})",
            [one.customer, TIMEOUT, *told.values()],
        )


def run(
    checks: Checks, connection: psycopg.Connection[Any], database: str, terms: list[Terms]
) -> tuple[Counter[str], list[Any], datetime]:
    """Returns what was met, what was wrong, and when auto-recharge was switched off for the end."""
    STOP.clear()
    customers = [one.customer for one in terms]
    with ProcessPoolExecutor(SPENDERS + 5, mp_context=get_context("fork")) as pool:
        others: list[Future[Report]] = [
            pool.submit(workers.supervise, database, SEED), pool.submit(workers.provide, database, SEED),
            pool.submit(sessions.watch, database), pool.submit(sessions.maintain, database),
        ]  # fmt: skip
        enabling = pool.submit(sessions.enable, database, customers, SECONDS)
        spending = [
            pool.submit(sessions.spend, database, number, SEED, customers, SECONDS) for number in range(SPENDERS)
        ]
        try:
            reports = [one.result() for one in [*spending, enabling]]
            checks.none(forgotten(connection, terms), "no wallet is low without being asked for")
            checks.none(overdue(connection, terms), "no moment of a schedule is left over")
            disabled_at = switch_off(connection, customers)
            over = until(lambda: not under_way(connection))
            checks.equal(over, True, f"all is over {under_way(connection)}")
        finally:
            STOP.set()
        reports += [one.result() for one in others]
    counts: Counter[str] = sum((report.counts for report in reports), Counter())
    wrong: list[Any] = [line for report in reports for line in report.wrong]
    wrong += connection.execute("SELECT what FROM public.mistakes").fetchall()
    return counts, wrong, disabled_at


def switch_off(connection: psycopg.Connection[Any], customers: list[str]) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    for customer in customers:
        connection.execute("SELECT credits.configure_auto_recharge(%s, enabled => false)", [customer])
    assert row is not None
    return row[0]


def forgotten(connection: psycopg.Connection[Any], terms: list[Terms]) -> list[Any]:
    """Wallets without a limit that have been low for a while, and nothing was asked for."""
    unlimited = [one.customer for one in terms if not one.limited]
    return connection.execute(
        "SELECT a.customer_id, b.available, a.threshold, r.closed_at, now() FROM unnest(%s::text[]) AS c"
        " CROSS JOIN LATERAL credits.auto_recharge_config(c) a"
        " CROSS JOIN LATERAL credits.wallet_balance(c, 'CREDIT') b"
        " CROSS JOIN LATERAL (SELECT max(coalesce(r.closed_at, 'infinity')) AS closed_at"
        "                     FROM credits.recharge_log r WHERE r.customer_id = c) r"
        " WHERE a.enabled AND b.available < a.threshold AND r.closed_at < now() - %s * interval '1 s'"
        " AND NOT EXISTS (SELECT FROM public.enablings e"
        "                 WHERE e.customer_id = c AND e.enabled_at > now() - interval '3 s')",
        [unlimited, SPENT_DOWN],
    ).fetchall()


def overdue(connection: psycopg.Connection[Any], terms: list[Terms]) -> list[Any]:
    """Wallets whose schedule has waited longer than any request can be open."""
    return connection.execute(
        "SELECT a.customer_id, a.next_scheduled_at FROM unnest(%s::text[]) AS c"
        " CROSS JOIN LATERAL credits.auto_recharge_config(c) a"
        " WHERE a.enabled AND a.next_scheduled_at < now() - %s * interval '1 s'",
        [[one.customer for one in terms if one.scheduled], TIMEOUT + SPENT_DOWN],
    ).fetchall()


def under_way(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """What is not over yet: open requests, payments that nobody has told, rows that no worker has acknowledged."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM credits.recharge_log WHERE status IN ('requested', 'processing')),"
        " (SELECT count(*) FROM public.charges WHERE outcome IN ('paid', 'late') AND told_at IS NULL),"
        " (SELECT count(*) FROM credits_internal.outbox o LEFT JOIN credits_internal.outbox_positions p"
        "  ON p.customer_id = o.customer_id AND p.consumer = %s WHERE o.outbox_no > coalesce(p.acked_no, 0))",
        [workers.CONSUMER],
    ).fetchone()
    assert row is not None
    names = ("requests", "payments", "rows of the outbox")
    return {name: number for name, number in zip(names, row) if number}


def once_each(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """Seen from the credits: what the customers have of paid credits is what was paid for."""
    granted = connection.execute(
        "SELECT customer_id, count(*), sum(amount) FROM credits.grants WHERE category = 'paid' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    bought = connection.execute(
        "SELECT customer_id, count(*), sum(credits) FROM credits.top_ups WHERE status = 'paid' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    checks.none(sorted({*granted} ^ {*bought}), "paid grants and paid purchases are the same, customer by customer")
    opened = connection.execute(
        "SELECT t.customer_id, t.top_up_id, l.lines FROM credits.top_ups t CROSS JOIN LATERAL ("
        "  SELECT count(*) AS lines FROM credits.ledger l"
        "  WHERE l.customer_id = t.customer_id AND l.grant_id = t.grant_id AND l.type = 'grant') l"
        " WHERE t.status = 'paid' AND l.lines <> 1"
    ).fetchall()
    checks.none(opened, "each of them has one line in the ledger that gave its credits")
    contradictions = connection.execute(
        "SELECT customer_id, type, contradiction FROM credits.payment_log WHERE contradiction IS NOT NULL"
    ).fetchall()
    checks.none(contradictions, "nothing that was told of payments contradicts another")
