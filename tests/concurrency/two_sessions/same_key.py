"""Two sessions with one identifier or one idempotency key: one effect, and the same answer for both."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

from sessions import ADD, BATCH, CREDIT, DEBIT, EVENT, GRANT, HOLD, TAKE, TRANSFER, TRY_DEBIT, Pair, Row, refusal

# Every call that takes a key: its SQL, what it returns that a repeat has to return too, and what 3 credits of it do to
# a balance of 100.
CALLS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "report_meter_event": (EVENT, ("identifier", "status", "consumed", "pending"), 97),
    "wallet_debit": (DEBIT, ("operation_id", "currency", "debited"), 97),
    "wallet_try_debit": (TRY_DEBIT, ("ok", "shortfall", "operation_id", "currency", "debited"), 97),
    "credit_grant": (GRANT, ("grant_id", "currency", "amount", "category", "priority"), 103),
    "wallet_credit": (CREDIT, ("grant_id", "currency", "credited"), 103),
    "hold_create": (HOLD, ("hold_id", "currency", "status", "amount", "captured", "released", "expires_at"), 97),
    "wallet_transfer": (TRANSFER, ("operation_id", "to_customer_id", "currency", "transferred"), 97),
    "wallet_adjust, adding": (ADD, ("operation_id", "grant_id", "currency", "adjusted"), 103),
    "wallet_adjust, taking": (TAKE, ("operation_id", "grant_id", "currency", "adjusted"), 97),
}


def same_inputs_committed(pair: Pair) -> None:
    """the same key in two sessions: the second waits, and once the first commits gets its answer with replayed"""
    for function, (call, returned, after) in CALLS.items():
        _new_customer(pair, f"commit_{function}")
        pair.first.begin()
        one = pair.first.one(call, pair.customer, 3, "k")
        waiting = pair.blocked(pair.second.start(call, pair.customer, 3, "k"))
        pair.first.commit()
        two = waiting.one()
        pair.checks.equal((one["replayed"], two["replayed"]), (False, True), f"{function}: one effect, one replay")
        pair.checks.equal(_part(two, returned), _part(one, returned), f"{function}: the same ids and amounts")
        pair.checks.equal(pair.balance(), (after, 0, 0), f"{function}: done once")


def same_inputs_rolled_back(pair: Pair) -> None:
    """the same key in two sessions: once the first rolls back, the second does it"""
    for function, (call, _, after) in CALLS.items():
        _new_customer(pair, f"rollback_{function}")
        pair.first.begin()
        pair.first.one(call, pair.customer, 3, "k")
        waiting = pair.blocked(pair.second.start(call, pair.customer, 3, "k"))
        pair.first.rollback()
        pair.checks.equal(waiting.one()["replayed"], False, f"{function}: not a replay")
        pair.checks.equal(pair.balance(), (after, 0, 0), f"{function}: done once")


def other_inputs_committed(pair: Pair) -> None:
    """the same key with another amount: the second waits, and once the first commits is refused with PC002"""
    for function, (call, _, after) in CALLS.items():
        _new_customer(pair, f"conflict_{function}")
        pair.first.begin()
        pair.first.one(call, pair.customer, 3, "k")
        waiting = pair.blocked(pair.second.start(call, pair.customer, 4, "k"))
        pair.first.commit()
        pair.checks.equal(refusal(waiting.one).sqlstate, "PC002", f"{function}: refused")
        pair.checks.equal(pair.balance(), (after, 0, 0), f"{function}: only the first counts")


def other_inputs_rolled_back(pair: Pair) -> None:
    """the same key with another amount: once the first rolls back, the second goes through with its own"""
    for function, (call, _, after) in CALLS.items():
        _new_customer(pair, f"conflict_rollback_{function}")
        pair.first.begin()
        pair.first.one(call, pair.customer, 3, "k")
        waiting = pair.blocked(pair.second.start(call, pair.customer, 4, "k"))
        pair.first.rollback()
        pair.checks.equal(waiting.one()["replayed"], False, f"{function}: not a replay")
        expected = 100 + (4 if after > 100 else -4)
        pair.checks.equal(pair.balance(), (expected, 0, 0), f"{function}: with its own amount")


def one_namespace(pair: Pair) -> None:
    """one key, two functions: the second waits and is refused with PC002"""
    pair.give(100)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 3, "k")
    waiting = pair.blocked(pair.second.start(CREDIT, pair.customer, 3, "k"))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC002", "wallet_credit under wallet_debit's key")
    pair.checks.equal(pair.balance(), (97, 0, 0), "only the debit counts")


def single_then_batch(pair: Pair) -> None:
    """an identifier reported alone and in a batch: the batch waits, answers it as a replay and charges the others"""
    pair.give(100)
    pair.first.begin()
    pair.first.one(EVENT, pair.customer, 3, "e2")
    waiting = pair.blocked(pair.second.start(BATCH, *_batch(pair.customer, e1=5, e2=3, e3=7)))
    pair.first.commit()
    rows = waiting.all()
    pair.checks.equal([row["identifier"] for row in rows], ["e1", "e2", "e3"], "one row an event, in order")
    pair.checks.equal([row["replayed"] for row in rows], [False, True, False], "only the known one is a replay")
    pair.checks.equal([row["consumed"] for row in rows], [5, 3, 7], "each with its amount")
    pair.checks.equal(pair.balance(), (85, 0, 0), "each charged once")


def batch_then_single(pair: Pair) -> None:
    """an identifier in a batch and alone with another value: the single one waits and is refused with PC002"""
    pair.give(100)
    pair.first.begin()
    pair.first.all(BATCH, *_batch(pair.customer, e1=5, e2=3))
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 4, "e2"))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC002", "refused")
    pair.checks.equal(pair.balance(), (92, 0, 0), "only the batch counts")


def refused_try_debit_leaves_its_key(pair: Pair) -> None:
    """a refused wallet_try_debit leaves its key unused, also for a session that waits for the same key"""
    pair.give(10)
    pair.first.begin()
    answer = pair.first.one(TRY_DEBIT, pair.customer, 100, "k")
    pair.checks.equal((answer["ok"], answer["shortfall"]), (False, 90), "refused, 90 short")
    waiting = pair.settled(pair.second.start(DEBIT, pair.customer, 4, "k"))
    pair.first.commit()
    two = waiting.one()
    seen = (two["replayed"], two["debited"])
    pair.checks.equal(seen, (False, 4), "the other session uses the key with its own amount")
    again = pair.first.one(TRY_DEBIT, pair.customer, 2, "k2")
    pair.checks.equal(again["ok"], True, "the first session goes on")
    pair.checks.equal(pair.balance(), (4, 0, 0), "10 less 4 less 2")


def waits_behind_a_refusal(pair: Pair) -> None:
    """a key whose debit fails with PC001 in a session that goes on afterwards: the waiting session uses it"""
    pair.give(10)
    pair.first.begin()
    pair.first.one(EVENT, pair.customer, 1, "before")
    pair.first.connection.execute("SAVEPOINT attempt")
    error = refusal(lambda: pair.first.one(DEBIT, pair.customer, 100, "k"))
    pair.checks.equal(error.sqlstate, "PC001", "refused")
    pair.first.connection.execute("ROLLBACK TO attempt")
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 9, "k"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["replayed"], False, "not a replay")
    pair.checks.equal(pair.balance(), (0, 0, 0), "10 less 1 less 9")


def at_the_same_moment(pair: Pair) -> None:
    """the same identifier from two sessions at the same moment, fifty times: always one effect and one replay"""
    pair.give(1000)
    rounds, barrier = 50, threading.Barrier(2)
    answers: dict[str, list[Row]] = {"first": [], "second": []}
    errors: list[Exception] = []

    def report(name: str, session: Any) -> None:
        try:
            for number in range(rounds):
                barrier.wait(20)
                answers[name].append(session.one(EVENT, pair.customer, 2, f"e{number}"))
        except Exception as error:  # noqa: BLE001 - shown as a failed check
            errors.append(error)
            barrier.abort()

    threads = [
        threading.Thread(target=report, args=("first", pair.first)),
        threading.Thread(target=report, args=("second", pair.second)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pair.checks.none(errors, "no error")
    both = list(zip(answers["first"], answers["second"]))
    pair.checks.equal([one["replayed"] != two["replayed"] for one, two in both], [True] * rounds, "one replay each")
    returned = CALLS["report_meter_event"][1]
    same = [_part(one, returned) == _part(two, returned) for one, two in both]
    pair.checks.equal(same, [True] * rounds, "the same answer each")
    pair.checks.equal(pair.balance(), (1000 - 2 * rounds, 0, 0), "each charged once")


CASES = [
    same_inputs_committed, same_inputs_rolled_back, other_inputs_committed, other_inputs_rolled_back, one_namespace,
    single_then_batch, batch_then_single, refused_try_debit_leaves_its_key, waits_behind_a_refusal, at_the_same_moment,
]  # fmt: skip


def _new_customer(pair: Pair, name: str) -> None:
    pair.customer = name
    pair.give(100)


def _part(row: Row, columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: row[column] for column in columns}


def _batch(customer: str, **values: int) -> list[Any]:
    """The arrays of report_meter_events: events of the meter 'calls', by identifier."""
    numbers = [Decimal(value) for value in values.values()]
    return [[customer] * len(values), ["calls"] * len(values), numbers, list(values)]
