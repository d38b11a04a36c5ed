"""Transfers: two sessions that move credits at one time, and sixteen that move them to and fro without a deadlock."""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sessions import DEBIT, EVENT, GRANT, TRANSFER_TO, Pair, refusal
from support import harness
from support.at_once import together
from support.harness import Checks, say

SESSIONS = 16
SECONDS = 4.0
SIDES = ("left", "right")

KEYED = "SELECT * FROM credits.wallet_transfer(%s, %s, %s, idempotency_key => %s)"
TOTAL = (
    "SELECT sum(balance) AS total, min(balance) AS least FROM credits.wallets WHERE customer_id IN ('left', 'right')"
)
# What a transfer must not change: whose the credits are is all that it moves.
BY_TERMS = (
    "SELECT category, cost_basis, priority, expires_at, name, sum(remaining) FROM credits.grants"
    " WHERE customer_id IN ('left', 'right') AND remaining > 0 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
)


def to_a_customer_in_the_making(pair: Pair) -> None:
    """a transfer to a customer that another session is making by a grant: it waits, and what is committed counts"""
    for commit, expected in ((True, 8), (False, 3)):
        to = _customers(pair, f"in_the_making_{commit}")
        pair.first.begin()
        pair.first.one(GRANT, to, 5, None)
        waiting = pair.blocked(pair.second.start(TRANSFER_TO, pair.customer, to, 3))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["available"], 97, "the sender has 97")
        pair.checks.equal(_available(pair, to), expected, "the recipient has what was committed")


def two_transfers_make_one_customer(pair: Pair) -> None:
    """two transfers from two customers to one that is not there: both arrive that are committed"""
    for commit, expected in ((True, 7), (False, 3)):
        to = _customers(pair, f"two_make_one_{commit}")
        other = f"other_{to}"
        pair.observer.one(GRANT, other, 10, None)
        pair.first.begin()
        pair.first.one(TRANSFER_TO, other, to, 4)
        waiting = pair.blocked(pair.second.start(TRANSFER_TO, pair.customer, to, 3))
        pair.first.end(commit)
        waiting.one()
        pair.checks.equal(_available(pair, to), expected, "what was committed arrived")
        pair.checks.equal(_available(pair, other), 6 if commit else 10, "and left where it came from")


def opposite(pair: Pair) -> None:
    """opposite transfers between two wallets: the second waits and goes through, whichever wallet it begins with"""
    for forth in (True, False):
        to = _customers(pair, f"opposite_{forth}")
        pair.observer.one(GRANT, to, 100, None)
        one, other = (pair.customer, to) if forth else (to, pair.customer)
        pair.first.begin()
        pair.first.one(TRANSFER_TO, one, other, 30)
        waiting = pair.blocked(pair.second.start(TRANSFER_TO, other, one, 120))
        pair.first.commit()
        pair.checks.equal(waiting.one()["available"], 10, "130 less 120: it spends what has just arrived as well")
        pair.checks.equal((_available(pair, one), _available(pair, other)), (190, 10), "nothing is lost")


def one_key_two_recipients(pair: Pair) -> None:
    """one key for transfers to two customers: the second waits and is refused with PC002"""
    to = _customers(pair, "two_recipients")
    pair.first.begin()
    pair.first.one(KEYED, pair.customer, to, 3, "k")
    waiting = pair.blocked(pair.second.start(KEYED, pair.customer, f"not {to}", 3, "k"))
    pair.first.commit()
    error = refusal(waiting.one)
    difference = json.loads(error.diag.message_detail or "{}").get("difference")
    pair.checks.equal((error.sqlstate, difference), ("PC002", "recipient"), "refused")
    rows = pair.observer.all("SELECT FROM credits_internal.customers WHERE customer_id = %s", f"not {to}")
    pair.checks.none(rows, "and makes no customer")


def behind_a_debit_at_either_end(pair: Pair) -> None:
    """a transfer waits for a debit at either of its ends, and sees what that left"""
    for at_sender in (True, False):
        to = _customers(pair, f"behind_a_debit_{at_sender}")
        pair.observer.one(GRANT, to, 100, None)
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer if at_sender else to, 90, None)
        waiting = pair.blocked(pair.second.start(TRANSFER_TO, pair.customer, to, 20))
        pair.first.commit()
        if at_sender:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "the sender is short")
        else:
            waiting.one()
        expected = (10, 100) if at_sender else (80, 30)
        pair.checks.equal((_available(pair, pair.customer), _available(pair, to)), expected, "the balances afterwards")


def usage_owed_meanwhile(pair: Pair) -> None:
    """a transfer waits while its recipient comes to owe usage: it pays that first"""
    to = _customers(pair, "usage_owed")
    pair.observer.one("SELECT * FROM credits.customer_upsert(%s)", to)
    pair.first.begin()
    pair.first.one(EVENT, to, 4, "e")
    waiting = pair.blocked(pair.second.start(TRANSFER_TO, pair.customer, to, 10))
    pair.first.commit()
    waiting.one()
    row = pair.observer.one("SELECT available, pending FROM credits.wallet_balance(%s, 'CREDIT')", to)
    pair.checks.equal(tuple(row.values()), (6, 0), "10 less the 4 that were owed")


CASES = [
    to_a_customer_in_the_making, two_transfers_make_one_customer, opposite, one_key_two_recipients,
    behind_a_debit_at_either_end, usage_owed_meanwhile,
]  # fmt: skip


def _customers(pair: Pair, name: str) -> str:
    """A new sender with 100 credits, and the name of a recipient that is not there yet."""
    pair.customer = name
    pair.give(100)
    return f"to_{name}"


def _available(pair: Pair, customer: str) -> Any:
    return pair.observer.one("SELECT available FROM credits.wallet_balance(%s, 'CREDIT')", customer)["available"]


# By sender and key: how much.
Transfers = dict[tuple[str, str], Decimal]


def shuttle(database: str, number: int, total: Decimal) -> tuple[Transfers, Counter[str], list[str]]:
    """One of sixteen, half of which transfer one way and half the other: what was done, met and wrong."""
    random_ = random.Random(f"transfers/{number}")
    sender, to = SIDES if number % 2 else SIDES[::-1]
    done: Transfers = {}
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.monotonic()
    with harness.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET statement_timeout = '30s'")
        while time.monotonic() < began + SECONDS:
            # Whole credits, so that the parts into which grants are split stay few. Some keys are others' as well.
            amount = Decimal(random_.randint(1, 9))
            key = f"{number} {len(done)}"
            if random_.random() < 0.2:
                window = int((time.monotonic() - began) * 20)
                amount, key = Decimal(window % 9 + 1), f"shared {window}"
            try:
                row = connection.execute(KEYED, [sender, to, amount, key], prepare=True).fetchone()
            except psycopg.Error as error:
                counts[str(error.sqlstate)] += 1
                if error.sqlstate != "PC001":
                    wrong.append(harness.described(error))
                continue
            assert row is not None
            counts["replayed" if row["replayed"] else "transferred"] += 1
            done[sender, key] = amount
            if row["transferred"] != amount or row["to_customer_id"] != to or row["available"] < 0:
                wrong.append(f"{key} of {amount} answers {row}")
            seen = connection.execute(TOTAL, prepare=True).fetchone()
            if seen is None or seen["total"] != total or seen["least"] < 0:
                wrong.append(f"a reader sees {seen}, not {total} in all")
    return done, counts, wrong[:20]


def run(checks: Checks, database: str) -> None:
    with checks.case(f"transfers: {SESSIONS} sessions to and fro between two wallets, {SECONDS:.0f} s"):
        shuttles(checks, database)


def shuttles(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        for side in SIDES:
            for name, terms in {
                "pack": "category => 'paid', cost_basis => 0.02",
                "trial": "priority => 10, expires_at => now() + interval '1 day'",
                "gift": "priority => 90",
            }.items():
                connection.execute(f"SELECT credits.credit_grant(%s, 10, name => %s, {terms})", [side, name])
        total = _one(connection, TOTAL)[0]
        before = connection.execute(BY_TERMS).fetchall()
        reports = together(shuttle, [(database, number, total) for number in range(SESSIONS)])
        counts: Counter[str] = sum((report[1] for report in reports), Counter())
        checks.equal(counts["40P01"], 0, "no deadlock")
        wrong = [line for report in reports for line in report[2]]
        checks.none(wrong, "no session met a wrong answer or another total")
        checks.check(counts["replayed"] > 0 and counts["PC001"] > 0, "some were repeats, some short", dict(counts))
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))

        done = {key: amount for report in reports for key, amount in report[0].items()}
        checks.equal(len(done), counts["transferred"], "each key was done once")
        checks.none(_unlike(connection, done), "each transfer is there once, on either side, and its lines say so")
        checks.equal(_one(connection, TOTAL)[0], total, "in all there is what there was")
        # Both began alike and terms were kept, so of the credits under the same terms there is still as much.
        checks.equal(connection.execute(BY_TERMS).fetchall(), before, "and under each of the terms")
        checks.none(harness.verify(connection), "verify() finds nothing")


def _unlike(connection: psycopg.Connection[Any], done: Transfers) -> list[str]:
    """Transfers that were acknowledged and are not there, or were not, or whose parts differ between the two sides."""
    keys: dict[Any, tuple[str, str]] = {}
    sent: dict[Any, list[Decimal]] = defaultdict(list)
    arrived: dict[Any, list[Decimal]] = defaultdict(list)
    for customer, operation, key, amount in connection.execute(
        "SELECT customer_id, operation_id, idempotency_key, amount FROM credits.ledger"
        " WHERE customer_id = ANY (%s) AND type = 'transfer' ORDER BY line_no", [list(SIDES)],
    ):  # fmt: skip
        if amount < 0:
            keys[operation] = (customer, key)
            sent[operation].append(-amount)
        else:
            arrived[operation].append(amount)
    found = {keys[operation]: sum(parts) for operation, parts in sent.items()}
    wrong = [f"{operation}: sent {parts}, arrived {arrived[operation]}" for operation, parts in sent.items()
             if parts != arrived[operation]]  # fmt: skip
    wrong += [f"{operation} arrived from nowhere" for operation in arrived.keys() - sent.keys()]
    both = found.keys() | done.keys()
    return wrong + [f"{key}: {found.get(key)} of {done.get(key)}" for key in both if found.get(key) != done.get(key)]


def _one(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row
