"""The outbox: what is written to it and what is not, how its rows are handed out, and what acknowledging them does. The
same with many sessions at once is in outbox_load.py.
"""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any

import psycopg

import outbox_load
import shop
from shop import Connection
from stories import PRICES
from support import harness
from support.harness import Checks

# It warns of every transaction whose connection is lost.
logging.getLogger("psycopg").setLevel(logging.ERROR)

LONG, SHORT = "1 hour", "300 milliseconds"
PATIENCE = 10.0  # seconds until something that should have happened counts as not happening


def pay(connection: Connection, customer: str, times: int = 1) -> None:
    """Payments: one row each."""
    for _ in range(times):
        top_up_id = shop.begin(connection, customer, PRICES[0])
        connection.execute("SELECT credits.payment_succeeded(%s, %s)", [customer, top_up_id])


def make(connection: Connection, *consumers: str) -> None:
    for consumer in consumers:
        connection.execute("SELECT credits.outbox_consumer_create(%s)", [consumer])


def claim(connection: Connection, consumer: str, most: int = 100, lease: str = LONG) -> dict[str, list[str]]:
    """The ids of what is handed out, by customer, in the order in which they come."""
    rows = connection.execute(
        "SELECT customer_id, outbox_id::text FROM credits.outbox_claim(%s, %s, %s::interval)", [consumer, most, lease]
    ).fetchall()
    claimed: dict[str, list[str]] = {}
    for customer, outbox_id in rows:
        claimed.setdefault(customer, []).append(outbox_id)
    return claimed


def acknowledge(connection: Connection, consumer: str, ids: list[str]) -> int:
    row = connection.execute("SELECT credits.outbox_ack(%s, %s::uuid[])", [consumer, ids]).fetchone()
    assert row is not None
    return row[0]


def waiting(connection: Connection, customer: str) -> list[str]:
    """The ids of what waits, in order."""
    rows = connection.execute(
        "SELECT outbox_id::text FROM credits.outbox_rows WHERE customer_id = %s ORDER BY outbox_no", [customer]
    )
    return [row[0] for row in rows]


def types(connection: Connection, customer: str) -> list[tuple[int, str]]:
    return connection.execute(
        "SELECT outbox_no, type FROM credits.outbox_rows WHERE customer_id = %s ORDER BY outbox_no", [customer]
    ).fetchall()


# --- what is written -------------------------------------------------------------------------------------------------


def a_row_a_crossing(checks: Checks, connection: Connection, _: str) -> None:
    """a low balance is told once a crossing"""
    connection.execute("SELECT credits.credit_grant('ann', 20)")
    connection.execute("SELECT credits.account_configure('ann', low_balance_threshold => 10)")
    counts = []
    for amount in (5, 5, 3, 1, -20, 13, -20, 1, 20):
        if amount > 0:
            connection.execute("SELECT credits.wallet_debit('ann', %s)", [amount])
        else:
            connection.execute("SELECT credits.wallet_credit('ann', %s)", [-amount])
        row = connection.execute("SELECT count(*) FROM credits.outbox_rows WHERE type = 'balance.low'").fetchone()
        assert row is not None
        counts.append(row[0])
    # What is left: 15, 10, 7 (below), 6, 26, 13, 33, 32, 12 and so never below again.
    checks.equal(counts, [0, 0, 1, 1, 1, 1, 1, 1, 1], "one row when it falls below the threshold, and no more")
    connection.execute("SELECT credits.wallet_debit('ann', 3)")
    low = [number for number, type_ in types(connection, "ann") if type_ == "balance.low"]
    checks.equal(len(low), 2, "and another when it falls below again")


def rolled_back(checks: Checks, connection: Connection, _: str) -> None:
    """a transaction that is rolled back leaves no row, and no gap"""
    pay(connection, "bob")
    with connection.transaction(force_rollback=True):
        pay(connection, "bob", 2)
        checks.equal(len(types(connection, "bob")), 3, "the transaction itself sees its rows")
    with connection.transaction():
        with connection.transaction(force_rollback=True):
            pay(connection, "bob")
        pay(connection, "bob")
    expected = [(1, "top_up.paid"), (2, "top_up.paid")]
    checks.equal(types(connection, "bob"), expected, "what was committed is there, and nothing else")


def told_of(checks: Checks, connection: Connection, database: str) -> None:
    """LISTEN credits_outbox"""
    heard: list[str] = []
    with harness.connect(database) as listener:
        listener.add_notify_handler(lambda notification: heard.append(notification.channel))
        listener.execute("LISTEN credits_outbox")

        def hear(least: int) -> int:
            """How often it was told of. Waits for so many, and then for a while to be sure that there are no more."""
            until = time.monotonic() + PATIENCE
            while len(heard) < least and time.monotonic() < until:
                listener.execute("SELECT")
                time.sleep(0.02)
            time.sleep(0.3)
            listener.execute("SELECT")
            count = len(heard)
            heard.clear()
            return count

        connection.execute("BEGIN")
        pay(connection, "carol", 2)
        pay(connection, "dave")
        checks.equal(hear(0), 0, "nobody is told before the commit")
        connection.execute("COMMIT")
        checks.equal(hear(1), 1, "a commit with three rows tells once")
        with connection.transaction(force_rollback=True):
            pay(connection, "carol")
        checks.equal(hear(0), 0, "a rollback tells nothing")
        connection.execute("SET credits.notify = off")
        pay(connection, "carol")
        checks.equal(hear(0), 0, "with credits.notify = off nothing is told")
        checks.equal(len(types(connection, "carol")), 3, "and the row is there all the same")
        connection.execute("RESET credits.notify")
        pay(connection, "carol")
        checks.equal(hear(1), 1, "switched on again, it is")


def without_notify_it_can_be_prepared(checks: Checks, connection: Connection, _: str) -> None:
    """credits.notify = off is for two-phase commit, which a notification does not allow"""
    row = connection.execute("SELECT current_setting('max_prepared_transactions')::integer > 0").fetchone()
    if row != (True,):
        connection.execute("BEGIN")
        connection.execute("SET LOCAL credits.notify = off")
        pay(connection, "erin")
        connection.execute("COMMIT")
        checks.equal(len(types(connection, "erin")), 1, "no prepared transactions on this server; SET LOCAL works")
        return
    for setting, expected in (("on", "0A000"), ("off", "00000")):
        connection.execute("BEGIN")
        connection.execute(f"SET LOCAL credits.notify = {setting}")
        pay(connection, "erin")
        try:
            connection.execute("PREPARE TRANSACTION 'paid'")
            connection.execute("COMMIT PREPARED 'paid'")
            state = "00000"
        except psycopg.Error as error:
            connection.execute("ROLLBACK")
            state = error.sqlstate or ""
        checks.equal(state, expected, f"PREPARE TRANSACTION with credits.notify = {setting} is {expected}")


# --- how it is handed out --------------------------------------------------------------------------------------------


def in_order(checks: Checks, connection: Connection, database: str) -> None:
    """rows leave in order, and a customer's to one session at a time"""
    make(connection, "mailer", "biller")
    pay(connection, "frank", 3)
    frank = waiting(connection, "frank")
    with harness.connect(database) as other:
        checks.equal(claim(connection, "mailer", most=2), {"frank": frank[:2]}, "the first two of three, in order")
        pay(connection, "grace")
        grace = waiting(connection, "grace")
        checks.equal(claim(other, "mailer"), {"grace": grace}, "another session gets nothing of the same customer")
        checks.equal(claim(connection, "mailer"), {}, "nor does the same session, before it acknowledges")
        checks.equal(claim(other, "biller"), {"frank": frank, "grace": grace}, "another name gets everything")
        pay(connection, "grace")
        checks.equal(claim(connection, "mailer"), {}, "a new row of a customer that is handed out waits")
        checks.equal(acknowledge(connection, "mailer", frank[:2]), 2, "two are acknowledged")
        checks.equal(claim(other, "mailer"), {"frank": frank[2:]}, "at once the customer's next can be handed out")


def nobody_waits_for_ever(checks: Checks, connection: Connection, _: str) -> None:
    """an old row is not passed over for ever, however much comes after it for others"""
    make(connection, "mailer")
    pay(connection, "zoe")
    pay(connection, "adam", 4)
    seen: list[str] = []
    for _round in range(10):
        claimed = claim(connection, "mailer", most=2)
        for customer, ids in claimed.items():
            seen += [customer]
            acknowledge(connection, "mailer", ids)
        pay(connection, "adam", 2)
    checks.check("zoe" in seen, "two rows at a time, two more come: the oldest is among the first twenty", seen)


def out_of_order(checks: Checks, connection: Connection, database: str) -> None:
    """acknowledging acknowledges what follows without a gap"""
    make(connection, "mailer")
    pay(connection, "heidi", 5)
    first, second, third, fourth, fifth = ids = waiting(connection, "heidi")
    checks.equal(claim(connection, "mailer"), {"heidi": ids}, "five rows are handed out")
    tries = [
        ([third], 0), ([second, third], 0), ([first], 1), ([first], 0), ([fourth, third], 0), ([third, second], 2),
        ([], 0), ([fifth, first], 0),
    ]  # fmt: skip
    seen = [acknowledge(connection, "mailer", some) for some, _ in tries]
    checks.equal(seen, [count for _, count in tries], "only what has nothing unacknowledged before it counts")
    checks.equal(waiting(connection, "heidi"), [fourth, fifth], "that is gone, and the rest is there")
    with harness.connect(database) as other:
        checks.equal(claim(other, "mailer"), {}, "the rest is still handed out")
        checks.equal(acknowledge(other, "mailer", [fifth, fourth, fourth]), 2, "another session may acknowledge it")
    checks.equal(waiting(connection, "heidi"), [], "then nothing waits")
    strange = acknowledge(connection, "mailer", [first, "00000000-0000-7000-8000-000000000000"])
    checks.equal(strange, 0, "ids that are gone or never were are none")


def deleted(checks: Checks, connection: Connection, database: str) -> None:
    """rows that every consumer has acknowledged are deleted"""
    make(connection, "mailer", "biller")
    seen = [claim(connection, name) for name in ("mailer", "biller")]
    checks.equal(seen, [{}, {}], "two names ask before there is any row")
    pay(connection, "ivan", 3)
    ids = waiting(connection, "ivan")
    seen = [claim(connection, name) for name in ("mailer", "biller")]
    checks.equal(seen, [{"ivan": ids}] * 2, "each gets everything")
    counts = []
    for name, some in (("mailer", ids), ("biller", ids[:1]), ("biller", ids[1:])):
        counts.append((acknowledge(connection, name, some), len(waiting(connection, "ivan"))))
    checks.equal(counts, [(3, 3), (1, 2), (2, 0)], "each row goes with the last acknowledgement")
    pay(connection, "ivan")
    checks.equal(types(connection, "ivan"), [(4, "top_up.paid")], "and the numbers go on")
    ids = waiting(connection, "ivan")
    with harness.connect(database) as other:
        seen = [claim(connection, "mailer"), claim(other, "biller")]
        checks.equal(seen, [{"ivan": ids}] * 2, "both names get the next row")
        other.execute("SET lock_timeout = '1s'")
        waited = False
        with connection.transaction():
            acknowledge(connection, "mailer", ids)
            try:
                acknowledge(other, "biller", ids)
            except psycopg.errors.LockNotAvailable:
                waited = True
        if waited:
            acknowledge(other, "biller", ids)
    checks.equal(waiting(connection, "ivan"), [], "it goes also where both acknowledge at the same time")


def leases(checks: Checks, connection: Connection, database: str) -> None:
    """a consumer that is killed before it acknowledges"""
    make(connection, "mailer")
    pay(connection, "judy", 2)
    ids = waiting(connection, "judy")
    with contextlib.closing(harness.connect(database)) as killed:
        began = time.monotonic()
        checks.equal(claim(killed, "mailer", lease=SHORT), {"judy": ids}, "gets two rows")
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", [killed.info.backend_pid])
    checks.equal(claim(connection, "mailer"), {}, "they are not handed out again at once")
    while not (again := claim(connection, "mailer", lease=SHORT)) and time.monotonic() < began + PATIENCE:
        time.sleep(0.01)
    took = time.monotonic() - began
    checks.equal(again, {"judy": ids}, "but once the lease has passed")
    checks.check(took >= 0.3, "and not before that", took)
    checks.equal(acknowledge(connection, "mailer", ids[:1]), 1, "one is acknowledged")
    time.sleep(0.35)
    checks.equal(claim(connection, "mailer"), {"judy": ids[1:]}, "then only the other is handed out again")
    checks.equal(acknowledge(connection, "mailer", ids[1:]), 1, "and acknowledged")
    pay(connection, "judy")
    ids = waiting(connection, "judy")
    with contextlib.closing(harness.connect(database)) as killed:
        killed.execute("BEGIN")
        checks.equal(claim(killed, "mailer"), {"judy": ids}, "killed before its claim is committed")
        checks.equal(claim(connection, "mailer"), {}, "nobody else gets them meanwhile")
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", [killed.info.backend_pid])
    checks.equal(claim(connection, "mailer"), {"judy": ids}, "it has claimed nothing")


def released(checks: Checks, connection: Connection, database: str) -> None:
    """an administrator ends the leases of sessions that went away"""
    make(connection, "mailer", "biller")
    for customer in ("kim", "lee"):
        pay(connection, customer, 2)
    kim, lee = waiting(connection, "kim"), waiting(connection, "lee")
    with harness.connect(database) as other:
        both = {"kim": kim, "lee": lee}
        checks.equal([claim(other, name, lease="24 hours") for name in ("mailer", "biller")], [both] * 2, "both hold all")
        checks.equal(claim(connection, "mailer"), {}, "nothing is left for another session")
        released = connection.execute("SELECT credits.outbox_release('mailer', 'lee')").fetchone()
        checks.equal(released, (1,), "one customer is released")
        checks.equal(claim(connection, "mailer"), {"lee": lee}, "and handed out again, the other not")
        released = connection.execute("SELECT credits.outbox_release('mailer')").fetchone()
        checks.equal(released, (2,), "then all of the consumer")
        checks.equal(claim(connection, "mailer"), both, "which are handed out again")
        checks.equal(claim(connection, "biller"), {}, "another consumer keeps its leases")
        checks.equal(acknowledge(other, "mailer", kim), 2, "whoever had them may acknowledge all the same")


def removed(checks: Checks, connection: Connection, database: str) -> None:
    """a consumer that is removed keeps no row, and no name is a consumer by itself"""
    make(connection, "mailer", "biller")
    pay(connection, "mia", 2)
    ids = waiting(connection, "mia")
    claim(connection, "mailer")
    checks.equal(acknowledge(connection, "mailer", ids[:1]), 1, "one consumer acknowledges a row")
    with harness.connect(database) as other, other.transaction():
        claim(other, "biller")
        connection.execute("SET lock_timeout = '200ms'")
        try:
            connection.execute("SELECT credits.outbox_consumer_remove('biller')")
            checks.check(False, "it waits for whoever is just claiming")
        except psycopg.errors.LockNotAvailable:
            checks.check(True, "it waits for whoever is just claiming")
        connection.execute("RESET lock_timeout")
    removed = connection.execute("SELECT credits.outbox_consumer_remove('biller')").fetchone()
    checks.equal((removed, waiting(connection, "mia")), ((1,), ids[1:]), "what the other has acknowledged goes")
    checks.equal(acknowledge(connection, "mailer", ids[1:]), 1, "and the rest when it is acknowledged")
    pay(connection, "mia")
    removed = connection.execute("SELECT credits.outbox_consumer_remove('mailer')").fetchone()
    checks.equal((removed, len(waiting(connection, "mia"))), ((0,), 1), "where nobody is left, what waits stays")
    make(connection, "mailer")
    checks.equal(claim(connection, "mailer"), {"mia": waiting(connection, "mia")}, "for whoever is made next")
    refusals = []
    for call in ("outbox_claim('invented')", "outbox_ack('invented', '{}')", "outbox_release('invented')",
                 "outbox_consumer_remove('invented')"):  # fmt: skip
        try:
            connection.execute("SELECT credits." + call)
        except psycopg.Error as error:
            refusals.append((error.sqlstate, error.diag.message_hint))
    made = ("PC013", "An administrator makes it with credits.outbox_consumer_create.")
    there = ("PC013", "The view credits.outbox_backlog lists those that there are.")
    checks.equal(refusals, [made] * 2 + [there] * 2, "a name that was never made is PC013, and the hint fits the call")


def very_many(checks: Checks, connection: Connection, database: str) -> None:
    """one claim takes rows of 20,000 customers, and another at the same time takes the others'"""
    make(connection, "mailer")
    fill = "SELECT format('customer %s', n) AS customer_id FROM generate_series(1, 30000) n"
    connection.execute(f"INSERT INTO credits_internal.outbox_counters SELECT customer_id, 1 FROM ({fill}) c")
    connection.execute(
        "INSERT INTO credits_internal.outbox (customer_id, outbox_no, outbox_id, type, payload, created_at)"
        f" SELECT customer_id, 1, gen_random_uuid(), 'top_up.paid', '{{}}', now() FROM ({fill}) c"
    )
    row = connection.execute("SELECT current_setting('max_locks_per_transaction')").fetchone()
    checks.equal(row, ("64",), "on a server as it is installed")
    with harness.connect(database) as other, other.transaction():
        first = claim(other, "mailer", most=20_000)
        locks = other.execute("SELECT count(*) < 50 FROM pg_locks WHERE pid = pg_backend_pid()").fetchone()
        began = time.monotonic()
        second = claim(connection, "mailer", most=20_000)
        took = time.monotonic() - began
    checks.equal((len(first), locks), (20_000, (True,)), "the first gets 20,000, with a handful of locks")
    checks.equal(len(second), 10_000, "the second gets the rest, at once")
    checks.equal(len(first.keys() & second.keys()), 0, "and no customer of the first")
    checks.check(took < 10, "without waiting", took)
    checks.equal(claim(connection, "mailer"), {}, "then nothing is left")


def refused(checks: Checks, connection: Connection, _: str) -> None:
    """arguments that make no sense, or that would keep rows from others for long, are PC013"""
    make(connection, "m")
    wrong = []
    for call in (
        "outbox_claim(NULL)", "outbox_claim('')", "outbox_claim('m', 0)", "outbox_claim('m', -1)",
        "outbox_claim('m', NULL)", "outbox_claim('m', 1, '0')", "outbox_claim('m', 1, '-1 second')",
        "outbox_claim('m', 50001)", "outbox_claim('m', 2000000000)", "outbox_claim('m', 1, '24 hours 1 second')",
        "outbox_claim('m', 1, '10 years')", "outbox_claim('m', 1, '9999 years')", "outbox_consumer_create(NULL)",
        "outbox_consumer_create('')", "outbox_release(NULL)", "outbox_consumer_remove(NULL)", "outbox_claim('m', 1, NULL)",
        "outbox_ack(NULL, '{}')", "outbox_ack('', '{}')", "outbox_ack('m', NULL)",
    ):  # fmt: skip
        try:
            wrong.append(f"{call}: {connection.execute('SELECT credits.' + call).fetchall()}")
        except psycopg.Error as error:
            wrong += [] if error.sqlstate == "PC013" else [f"{call}: {harness.described(error)}"]
    checks.none(wrong, "each of them")


CASES: tuple[Any, ...] = (
    a_row_a_crossing, rolled_back, told_of, without_notify_it_can_be_prepared, in_order, nobody_waits_for_ever,
    out_of_order, deleted, leases, released, removed, very_many, refused,
)  # fmt: skip


def check(checks: Checks, database: str) -> None:
    for number, case in enumerate(CASES):
        # In a database of its own, so that no consumer of an earlier one keeps rows.
        with checks.case(case.__doc__), harness.fresh_database(f"outbox_{number}") as own:
            shop.without_grant_events(own)
            with harness.connect(own) as connection:
                shop.open_shop(connection)
                case(checks, connection, own)
                checks.none(harness.verify(connection), "verify() finds nothing")
    with checks.case("many sessions at once"):
        outbox_load.check(checks, database)
