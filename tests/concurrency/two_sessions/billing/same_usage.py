"""Two sessions that meet on usage of one subscription: recorded once, and invoiced once."""

from __future__ import annotations

from typing import Any

from sessions import Pair

PRODUCT = "SELECT product_id FROM credits.product_create(%s)"
PRICE = """
    SELECT price_id FROM credits.price_create(%s, 'recurring', 2, 'USD', lookup_key => %s,
        recurring => '{"interval": "month", "usage_type": "metered"}')"""
CREATE = """
    SELECT subscription_id AS id, items->0->>'subscription_item_id' AS item
    FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)))"""
RECORD = "SELECT replayed, total_usage::int AS n FROM credits.usage_record_create(%s, %s, %s, idempotency_key => %s)"
LATE = """
    SELECT total_usage::int AS n
    FROM credits.usage_record_create(%s, %s, %s, "timestamp" => '2026-01-31 12:00:00+00')"""
MAINTAIN = "SELECT credits.maintain_batch(100, 'subscriptions') AS done"
CLOCK = "SELECT set_config('credits.test_clock', %s, false), set_config('credits.test_clock_drives_billing', 'on', false)"
INVOICED = "SELECT coalesce(sum(total), 0)::int AS n, count(*)::int AS invoices FROM credits.invoices WHERE customer_id = %s"


def recorded_twice(pair: Pair) -> None:
    """one key, in two sessions: the second waits, and repeats it or, if the first rolled back, does it"""
    for commit in (True, False):
        item = _begun(pair, f"usage_key_{commit}")
        pair.first.begin()
        pair.first.one(RECORD, pair.customer, item, 5, "k")
        waiting = pair.blocked(pair.second.start(RECORD, pair.customer, item, 5, "k"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one(), {"replayed": commit, "n": 5}, f"{_how(commit)}: five, once")


def recorded_at_once(pair: Pair) -> None:
    """two that record for one moment: the second waits, and adds to what the first left"""
    item = _begun(pair, "usage_added")
    pair.first.begin()
    pair.first.one(RECORD, pair.customer, item, 5, "a")
    waiting = pair.blocked(pair.second.start(RECORD, pair.customer, item, 3, "b"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["n"], 8, "both count")


def recorded_while_it_closes(pair: Pair) -> None:
    """usage of a period that is being invoiced: the record waits, and is on the next invoice; or is there first, and on this"""
    for is_first in (True, False):
        item = _begun(pair, f"usage_closing_{is_first}")
        pair.first.one(RECORD, pair.customer, item, 5, "a")
        # The next period begins; the usage of this one closes an hour later.
        _clock(pair, "2026-02-01 00:30:00+00")
        pair.observer.one(MAINTAIN)
        if is_first:
            pair.first.begin()
            pair.first.one(LATE, pair.customer, item, 3)
            _clock(pair, "2026-02-01 02:00:00+00")
            pair.second.one(MAINTAIN)
            pair.checks.equal(pair.observer.one(INVOICED, pair.customer)["n"], 0, "whoever renews passes over it")
            pair.first.commit()
            pair.second.one(MAINTAIN)
            pair.checks.equal(pair.observer.one(INVOICED, pair.customer), {"n": 16, "invoices": 1}, "eight on one invoice")
            continue
        _clock(pair, "2026-02-01 02:00:00+00")
        pair.second.begin()
        pair.second.one(MAINTAIN)
        waiting = pair.blocked(pair.first.start(LATE, pair.customer, item, 3))
        pair.second.commit()
        pair.checks.equal(waiting.one()["n"], 8, "it counts in its period")
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer), {"n": 10, "invoices": 1}, "five are on the invoice")
        _clock(pair, "2026-03-01 02:00:00+00")
        # What was not paid is asked for again four times before.
        for _ in range(8):
            pair.second.one(MAINTAIN)
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer), {"n": 16, "invoices": 2}, "three on the next")


def _how(commit: bool) -> str:
    return "the first commits" if commit else "the first rolls back"


def _clock(pair: Pair, at: str) -> None:
    for session in (pair.first, pair.second, pair.third, pair.observer):
        session.one(CLOCK, at)


def _begun(pair: Pair, name: str) -> Any:
    _clock(pair, "2026-01-01 00:00:00+00")
    pair.customer = name
    product_id = pair.observer.one(PRODUCT, name)["product_id"]
    pair.observer.one(PRICE, product_id, name)
    return pair.observer.one(CREATE, name, name)["item"]


CASES = (recorded_twice, recorded_at_once, recorded_while_it_closes)
