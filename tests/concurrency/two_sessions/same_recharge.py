"""Two sessions that meet on one account that recharges itself: to a target, on a schedule, at a limit."""

from __future__ import annotations

from typing import Any

from sessions import DEBIT, Pair

PACK = "SELECT price_id FROM credits.package_create('Ten', 10, 1, 'USD')"
AUTO = "SELECT * FROM credits.configure_auto_recharge(%s, threshold => 50, price_id => %s, cooldown => '0'{})"
FAIL = "SELECT * FROM credits.payment_failed(%s, %s)"
REQUESTS = (
    "SELECT status, quantity, scheduled, top_up_id FROM credits.recharge_log WHERE customer_id = %s ORDER BY recharge_id"
)
CONFIGURE = "SELECT * FROM credits.configure_auto_recharge(%s, {})"


def two_debits_and_a_target(pair: Pair) -> None:
    """two debits that leave too little, at once: one request reaches the target, from what the first left or, if that
    rolled back, from what the second leaves"""
    for commit, units in ((True, 96), (False, 97)):
        _recharging(pair, f"target_{commit}", 60, ", target => 1000")
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 20, None)
        waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 30, None))
        pair.first.end(commit)
        waiting.one()
        pair.checks.equal(_requests(pair), [("requested", units, False)], "one request, and its units")


def two_sessions_at_a_moment_of_a_schedule(pair: Pair) -> None:
    """two debits after a moment of a schedule: the first asks, or the second if that rolled back; nobody asks twice"""
    for commit in (True, False):
        soon = ", schedule_every => '1 day', schedule_start_at => clock_timestamp() + interval '0.1 s'"
        _recharging(pair, f"schedule_{commit}", 100, soon)
        pair.observer.one("SELECT pg_sleep(0.2)")
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 1, None)
        waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 1, None))
        pair.first.end(commit)
        waiting.one()
        pair.observer.all("CALL credits.maintain()")
        pair.checks.equal(_requests(pair), [("requested", 1, True)], "one request, of the schedule")


def two_configurations(pair: Pair) -> None:
    """two sessions that configure different things at once: both hold, or the second alone if the first rolled back"""
    for commit, day in ((True, 15), (False, None)):
        _recharging(pair, f"configured_{commit}", 100, "")
        pair.first.begin()
        pair.first.one(CONFIGURE.format("schedule_day => 15, threshold => 40"), pair.customer)
        waiting = pair.blocked(pair.second.start(CONFIGURE.format("target => 500"), pair.customer))
        pair.first.end(commit)
        row = waiting.one()
        told = (row["schedule_day"], row["threshold"], row["target"])
        pair.checks.equal(told, (day, 40 if commit else 50, 500), "what is configured")


def a_failure_told_twice_at_the_limit(pair: Pair) -> None:
    """a failure told in two sessions, with one attempt left today: it is asked for once more, and not again"""
    for commit in (True, False):
        _recharging(pair, f"limit_{commit}", 60, ", max_attempts_per_calendar_day => 2, max_attempts_per_calendar_month => 2")
        pair.observer.one(DEBIT, pair.customer, 20, None)
        (request,) = pair.observer.all(REQUESTS, pair.customer)
        pair.first.begin()
        pair.first.one(FAIL, pair.customer, request["top_up_id"])
        waiting = pair.blocked(pair.second.start(FAIL, pair.customer, request["top_up_id"]))
        pair.first.end(commit)
        waiting.one()
        pair.checks.equal(_requests(pair), [("failed", 1, False), ("requested", 1, False)], "the second attempt")
        second = pair.observer.all(REQUESTS, pair.customer)[1]
        pair.observer.one(FAIL, pair.customer, second["top_up_id"])
        pair.observer.one(DEBIT, pair.customer, 1, None)
        pair.checks.equal([status for status, *_ in _requests(pair)], ["failed", "failed"], "and no third")


CASES = [
    two_debits_and_a_target, two_sessions_at_a_moment_of_a_schedule, two_configurations, a_failure_told_twice_at_the_limit,
]  # fmt: skip


def _recharging(pair: Pair, name: str, amount: int, terms: str) -> None:
    """A new customer with so much, whose account recharges itself below 50, in packs of 10 credits for a dollar."""
    pair.customer = name
    pair.give(amount)
    price_id = pair.observer.one(PACK)["price_id"]
    pair.observer.one(AUTO.format(terms), name, price_id)


def _requests(pair: Pair) -> list[tuple[Any, ...]]:
    rows = pair.observer.all(REQUESTS, pair.customer)
    return [(row["status"], row["quantity"], row["scheduled"]) for row in rows]
