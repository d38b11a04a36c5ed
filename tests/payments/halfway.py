"""Webhooks that fail half-way: whatever fails, at whatever step, and however the client is lost, nothing of the event
is left, and the provider's next try grants the credits, once.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

import shop
from shop import Answer
from stories import PRICES
from stripe_events import Events, Told
from support import harness
from support.harness import Checks

# It warns of every transaction whose connection is lost.
logging.getLogger("psycopg").setLevel(logging.ERROR)

Connection = psycopg.Connection[Any]

PRICE = PRICES[0]
PATIENCE = 20.0  # seconds until something that should have happened counts as not happening

# The tables that each event writes. A write to any of them can fail.
PAID = (
    "webhook_events", "payment_references", "payments", "payment_totals", "payment_intents", "invoices", "invoice_lines",
    "invoice_payments", "invoice_numbers", "accounts", "credit_grants", "credit_transactions", "outbox",
)  # fmt: skip
TAKEN_BACK = (
    "webhook_events", "payment_references", "payments", "payment_totals", "payment_intents", "invoice_lines", "accounts",
    "operations", "reclaims", "credit_transactions",
)  # fmt: skip


class Purchase:
    """A purchase of a customer of its own."""

    serial = 0

    def __init__(self, connection: Connection) -> None:
        Purchase.serial += 1
        self.customer = f"unlucky {Purchase.serial}"
        self.events = Events(Purchase.serial)
        self.top_up_id = shop.begin(connection, self.customer, PRICE)

    def tell(self, connection: Connection, told: Told) -> Answer:
        return shop.tell(connection, told, self.customer, self.top_up_id)

    def paid(self) -> Told:
        return self.events.succeeded(PRICE.amount)

    def grants(self, connection: Connection) -> list[Decimal]:
        rows = connection.execute(
            "SELECT amount FROM credits_internal.credit_grants WHERE customer_id = %s", [self.customer]
        ).fetchall()
        return [row[0] for row in rows]


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection, harness.connect(database) as other:
        shop.open_shop(connection)
        connection.execute(
            "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF TG_ARGV[0] = 'slow' THEN PERFORM pg_sleep(30); END IF;"
            " RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$"
        )
        with checks.case("every step of a payment fails once"):
            for table in PAID:
                failed = fails_at(checks, connection, table, lambda purchase: purchase.paid(), ())
                checks.check(failed, f"a payment writes {table}")
            fails_at_commit(checks, connection)
        with checks.case("every step of a refund and of a dispute fails once"):
            for table in TAKEN_BACK:
                failed = [
                    fails_at(checks, connection, table, refunded, (Purchase.paid,)),
                    fails_at(checks, connection, table, won, (Purchase.paid, disputed)),
                ]
                checks.check(any(failed), f"one of the two writes {table}")
        with checks.case("the caller goes on after the failure"):
            caller_goes_on(checks, connection)
        with checks.case("the client is lost"):
            canceled(checks, connection, other)
            terminated_inside(checks, connection, other, database)
            terminated_between(checks, connection, other, database)
        with checks.case("two deliveries of one event at once"):
            for end, expected in (("COMMIT", True), ("ROLLBACK", False)):
                waits(checks, connection, database, end, expected)
            terminated_while_another_waits(checks, connection, database)
        with checks.case("an event that names the payment alone"):
            by_reference(checks, connection, other)
        with checks.case("an event whose amount is none"):
            no_amount(checks, connection)
        checks.none(harness.verify(connection), "verify() finds nothing")


def refunded(purchase: Purchase) -> Told:
    return purchase.events.refund_updated(Decimal(5), 1)


def disputed(purchase: Purchase) -> Told:
    return purchase.events.disputed(PRICE.amount)


def won(purchase: Purchase) -> Told:
    return purchase.events.dispute_closed(PRICE.amount, won=True)


# --- something fails -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def failing(connection: Connection, table: str, how: str = "at once") -> Iterator[None]:
    """Whatever is written to a table fails meanwhile: at once, at the commit, or after it was slow."""
    name = sql.Identifier("credits_internal", table)
    kind = "CONSTRAINT TRIGGER unlucky AFTER INSERT OR UPDATE ON {} DEFERRABLE INITIALLY DEFERRED"
    if how != "commit":
        kind = "TRIGGER unlucky BEFORE INSERT OR UPDATE ON {}"
    body = sql.SQL("CREATE " + kind + " FOR EACH ROW EXECUTE FUNCTION public.fail({})")
    connection.execute(body.format(name, sql.Literal(how)))
    try:
        yield
    finally:
        connection.execute(sql.SQL("DROP TRIGGER unlucky ON {}").format(name))


def outcome(work: Callable[[], Answer]) -> str:
    """The SQLSTATE that it ends with."""
    try:
        work()
    except psycopg.Error as error:
        return error.sqlstate or "lost"
    return "00000"


def fails_at(
    checks: Checks,
    connection: Connection,
    table: str,
    what: Callable[[Purchase], Told],
    before: tuple[Callable[[Purchase], Told], ...],
) -> bool:
    """Whether it failed: not every step writes every table."""
    purchase = Purchase(connection)
    for one in before:
        purchase.tell(connection, one(purchase))
    told = what(purchase)
    sums = harness.table_checksums(connection)
    with failing(connection, table):
        state = outcome(lambda: purchase.tell(connection, told))
    left = different(sums, harness.table_checksums(connection))
    again = [purchase.tell(connection, told).replayed for _ in range(2)]
    name = f"{told.values['type']}, writing {table}"
    if state == "00000":
        checks.equal(again, [True, True], f"{name}: is not written to")
    else:
        seen = state, left, again
        checks.equal(seen, ("53100", [], [False, True]), f"{name}: leaves nothing, the next try does it")
    checks.equal(purchase.grants(connection), [PRICE.credits], f"{name}: credits are granted once")
    return state != "00000"


def fails_at_commit(checks: Checks, connection: Connection) -> None:
    purchase = Purchase(connection)
    sums = harness.table_checksums(connection)
    with failing(connection, "webhook_events", "commit"):
        state = outcome(lambda: purchase.tell(connection, purchase.paid()))
    left = different(sums, harness.table_checksums(connection))
    checks.equal((state, left), ("53100", []), "a failure at the commit leaves nothing")
    checks.equal(purchase.tell(connection, purchase.paid()).replayed, False, "the next try does it")
    checks.equal(purchase.grants(connection), [PRICE.credits], "once")


def different(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [table for table in before if before[table] != after[table]]


def caller_goes_on(checks: Checks, connection: Connection) -> None:
    """In one transaction: it fails, the caller rolls back to before it, does something else, tries again, commits."""
    purchase = Purchase(connection)
    with connection.transaction():
        with failing(connection, "credit_transactions"):
            with contextlib.suppress(psycopg.errors.DiskFull), connection.transaction():
                purchase.tell(connection, purchase.paid())
        row = connection.execute(
            "SELECT count(*) FROM credits.webhook_log WHERE top_up_id = %s", [purchase.top_up_id]
        ).fetchone()
        checks.equal(row, (0,), "rolled back to a savepoint, the event is not claimed")
        connection.execute("SELECT credits.wallet_credit(%s, 7)", [purchase.customer])
        checks.equal(purchase.tell(connection, purchase.paid()).replayed, False, "the same transaction tries again")
    available = shop.balance(connection, purchase.customer)[0]
    checks.equal(available, PRICE.credits + 7, "and has done both")


# --- the client is lost ----------------------------------------------------------------------------------------------


def canceled(checks: Checks, connection: Connection, other: Connection) -> None:
    purchase = Purchase(connection)
    sums = harness.table_checksums(connection)
    other.execute("SET statement_timeout = '300ms'")
    with failing(connection, "credit_transactions", "slow"):
        state = outcome(lambda: purchase.tell(other, purchase.paid()))
    other.execute("RESET statement_timeout")
    left = different(sums, harness.table_checksums(connection))
    checks.equal((state, left), ("57014", []), "canceled in the middle of it: nothing is left")
    checks.equal(purchase.tell(other, purchase.paid()).replayed, False, "the next try does it")
    checks.equal(purchase.grants(connection), [PRICE.credits], "once")


def terminated_inside(checks: Checks, connection: Connection, other: Connection, database: str) -> None:
    purchase = Purchase(connection)
    sums = harness.table_checksums(connection)
    with failing(connection, "credit_transactions", "slow"), ThreadPoolExecutor(1) as pool:
        with contextlib.closing(harness.connect(database)) as lost:
            telling = pool.submit(outcome, lambda: purchase.tell(lost, purchase.paid()))
            wait_until(lambda: activity(other, lost.info.backend_pid) == ("active", "Timeout", "PgSleep"))
            terminate(other, lost)
            state = telling.result(PATIENCE)
    left = different(sums, harness.table_checksums(connection))
    # Whether the last words of the session come through depends on when the client looks.
    checks.check(state in ("57P01", "lost"), "terminated in the middle of it", state)
    checks.equal(left, [], "nothing is left")
    checks.equal(purchase.tell(other, purchase.paid()).replayed, False, "the next try does it")
    checks.equal(purchase.grants(connection), [PRICE.credits], "once")


def terminated_between(checks: Checks, connection: Connection, other: Connection, database: str) -> None:
    """It was answered, and its transaction is still open: the caller wanted to do something else in it."""
    for what, before in ((Purchase.paid, ()), (refunded, (Purchase.paid,)), (disputed, (Purchase.paid,))):
        purchase = Purchase(connection)
        for one in before:
            purchase.tell(connection, one(purchase))
        told = what(purchase)
        sums = harness.table_checksums(connection)
        with contextlib.closing(harness.connect(database)) as lost:
            lost.execute("BEGIN")
            purchase.tell(lost, told)
            terminate(other, lost)
        left = different(sums, harness.table_checksums(connection))
        seen = left, [purchase.tell(other, told).replayed for _ in range(2)]
        name = told.values["type"]
        expected = [], [False, True]
        checks.equal(seen, expected, f"{name}: terminated before the commit: nothing is left, the next try does it")
        checks.equal(purchase.grants(connection), [PRICE.credits], f"{name}: credits are granted once")


def terminate(connection: Connection, lost: Connection) -> None:
    connection.execute("SELECT pg_terminate_backend(%s, 10000)", [lost.info.backend_pid])


def activity(connection: Connection, pid: int) -> tuple[Any, ...] | None:
    return connection.execute(
        "SELECT state, wait_event_type, wait_event FROM pg_stat_activity WHERE pid = %s", [pid]
    ).fetchone()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("it never came true")
        time.sleep(0.01)


# --- two at once -----------------------------------------------------------------------------------------------------


def waiting(
    pool: ThreadPoolExecutor, first: Connection, second: Connection, work: Callable[[], Answer]
) -> Future[Answer]:
    """Work in the second session that waits for the first, or is over already."""
    future = pool.submit(work)

    def waits_or_is_over() -> bool:
        row = first.execute(
            "SELECT pg_backend_pid() = ANY (pg_blocking_pids(%s))", [second.info.backend_pid]
        ).fetchone()
        return future.done() or row == (True,)

    wait_until(waits_or_is_over)
    return future


def waits(checks: Checks, connection: Connection, database: str, end: str, replayed: bool) -> None:
    purchase = Purchase(connection)
    with harness.connect(database) as first, harness.connect(database) as second, ThreadPoolExecutor(1) as pool:
        first.execute("BEGIN")
        purchase.tell(first, purchase.paid())
        future = waiting(pool, first, second, lambda: purchase.tell(second, purchase.paid()))
        checks.equal(future.done(), False, f"{end}: the second waits for the first")
        first.execute(end)
        checks.equal(future.result(PATIENCE), Answer("paid", False, replayed), f"and then says replayed = {replayed}")
    checks.equal(purchase.grants(connection), [PRICE.credits], "credits are granted once")


def terminated_while_another_waits(checks: Checks, connection: Connection, database: str) -> None:
    purchase = Purchase(connection)
    with (
        contextlib.closing(harness.connect(database)) as first,
        harness.connect(database) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        first.execute("BEGIN")
        purchase.tell(first, purchase.paid())
        future = waiting(pool, first, second, lambda: purchase.tell(second, purchase.paid()))
        terminate(connection, first)
        answer = future.result(PATIENCE)
        checks.equal(answer, Answer("paid", False, False), "the first is terminated: the second does it")
    checks.equal(purchase.grants(connection), [PRICE.credits], "credits are granted once")


def no_amount(checks: Checks, connection: Connection) -> None:
    """Refused or recorded: but it is not the amount that was due, so nothing is granted."""
    for amount in (0, -2000, 20.5, "many"):
        purchase = Purchase(connection)
        told = purchase.paid()
        told.values["object"]["amount_received"] = amount
        state = outcome(partial(purchase.tell, connection, told))
        seen = state in ("00000", "PC007", "PC013"), purchase.grants(connection)
        checks.equal(seen, (True, []), f"amount_received {amount!r} grants nothing")


def by_reference(checks: Checks, connection: Connection, other: Connection) -> None:
    """A dispute with no metadata comes before anybody knows the payment, or while its success is being told."""
    for when in ("before the success", "while the success is not committed", "after it"):
        purchase = Purchase(connection)
        half = purchase.events.disputed(PRICE.amount / 2).bare()
        if when == "before the success":
            purchase.tell(connection, half)
        with ThreadPoolExecutor(1) as pool:
            connection.execute("BEGIN")
            purchase.tell(connection, purchase.paid())
            if when == "while the success is not committed":
                future = waiting(pool, connection, other, partial(purchase.tell, other, half))
            connection.execute("COMMIT")
            if when == "while the success is not committed":
                future.result(PATIENCE)
        if when == "after it":
            purchase.tell(connection, half)
        available = shop.balance(connection, purchase.customer)[0]
        checks.equal(available, PRICE.credits / 2, f"a dispute of half, told {when}: half of the credits are taken")
