"""Two sessions and a meter whose second currency pays what the first does not cover."""

from __future__ import annotations

from typing import Any

from sessions import Pair, refusal

CREDIT_IN = "SELECT * FROM credits.wallet_credit(%s, %s, %s)"
DEBIT_IN = "SELECT * FROM credits.wallet_debit(%s, %s, %s)"
EVENT = "SELECT * FROM credits.report_meter_event(%s, 'both', %s, %s)"
CANCEL = "SELECT * FROM credits.meter_event_cancel(%s, %s)"
PAID = "SELECT fallback_covered, fallback_consumed, consumed, pending FROM credits.usage WHERE customer_id = %s AND identifier = %s"


def spent_while_it_falls_back(pair: Pair) -> None:
    """the second currency is being spent as an event needs it: the event waits, and takes what is left"""
    _open(pair)
    for commit in (True, False):
        pair.customer = f"spent_while_{commit}"
        _credit(pair, 5, 4)
        pair.first.begin()
        pair.first.one(DEBIT_IN, pair.customer, 3, "SECOND")
        waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 7, "event"))
        pair.first.end(commit)
        waiting.one()
        # Two are short, at two each.
        expected = (0.5, 1, 5, 1.5) if commit else (2, 4, 5, 0)
        pair.checks.equal(_paid(pair, "event"), expected, f"commit {commit}: what each currency paid")


def falls_back_while_it_is_spent(pair: Pair) -> None:
    """an event is taking the second currency as it is being spent: the debit waits, and is refused where nothing is left"""
    _open(pair)
    for commit in (True, False):
        pair.customer = f"falls_back_while_{commit}"
        _credit(pair, 5, 4)
        pair.first.begin()
        pair.first.one(EVENT, pair.customer, 7, "event")
        waiting = pair.blocked(pair.second.start(DEBIT_IN, pair.customer, 1, "SECOND"))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "commit: nothing is left")
        else:
            pair.checks.equal(waiting.one()["available"], 3, "rollback: all of it is there")


def canceled_while_spent(pair: Pair) -> None:
    """an event that both paid is taken back twice at once, beside a debit: both get back what they paid, once"""
    _open(pair)
    pair.customer = "canceled_while_spent"
    _credit(pair, 5, 4)
    pair.first.one(EVENT, pair.customer, 7, "event")
    pair.first.begin()
    pair.first.one(CANCEL, pair.customer, "event")
    again = pair.blocked(pair.second.start(CANCEL, pair.customer, "event"))
    pair.first.commit()
    pair.checks.equal(again.one()["replayed"], True, "the second is a replay")
    for code, left in (("CREDIT", 5), ("SECOND", 4)):
        row = pair.observer.one("SELECT available FROM credits.wallet_balance(%s, %s)", pair.customer, code)
        pair.checks.equal(row["available"], left, f"{code} is back")


def _open(pair: Pair) -> None:
    if pair.observer.all("SELECT 1 AS there FROM credits.meters WHERE event_name = 'both'"):
        return
    pair.observer.one("SELECT credits.currency_create('SECOND')")
    pair.observer.one("SELECT credits.meter_create('both')")
    pair.observer.one("SELECT credits.meter_update('both', fallback_currency => 'SECOND', fallback_rate => 2)")


def _credit(pair: Pair, first: int, second: int) -> None:
    pair.observer.one(CREDIT_IN, pair.customer, first, "CREDIT")
    pair.observer.one(CREDIT_IN, pair.customer, second, "SECOND")


def _paid(pair: Pair, identifier: str) -> tuple[Any, ...]:
    row = pair.observer.one(PAID, pair.customer, identifier)
    return tuple(float(row[name]) for name in ("fallback_covered", "fallback_consumed", "consumed", "pending"))


CASES = (spent_while_it_falls_back, falls_back_while_it_is_spent, canceled_while_spent)
