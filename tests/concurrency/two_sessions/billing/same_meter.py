"""Two sessions that meet on a meter that is invoiced: each event is taken once, whatever commits while its period closes."""

from __future__ import annotations

import psycopg
from sessions import Pair

PRODUCT = "SELECT product_id FROM credits.product_create(%s)"
METER = "SELECT event_name FROM credits.meter_create(%s, currency => 'USD', unit_price => 2, settlement => 'invoice')"
PRICE = """
    SELECT price_id FROM credits.price_create(%s, 'recurring', currency => 'USD', lookup_key => %s,
        recurring => jsonb_build_object('interval', 'month', 'usage_type', 'metered', 'meter', %s::text))"""
CREATE = """
    SELECT subscription_id AS id
    FROM credits.subscription_create(%s, jsonb_build_array(jsonb_build_object('lookup_key', %s::text)),
        collection_method => 'send_invoice')"""
REPORT = "SELECT status, replayed FROM credits.report_meter_event(%s, %s, %s, %s, '2026-01-31 12:00:00+00')"
CANCEL = "SELECT status, replayed FROM credits.meter_event_cancel(%s, %s)"
ADJUST = "SELECT status, value::int AS n FROM credits.meter_event_adjust(%s, %s, %s)"
MAINTAIN = "SELECT credits.maintain_batch(100, 'subscriptions') AS done"
CLOCK = "SELECT set_config('credits.test_clock', %s, false), set_config('credits.test_clock_drives_billing', 'on', false)"
INVOICED = "SELECT coalesce(sum(total), 0)::int AS n, count(*)::int AS invoices FROM credits.invoices WHERE customer_id = %s"


def reported_while_it_closes(pair: Pair) -> None:
    """a report that began before the closing and commits after it: neither waits, and it is on the next invoice, once"""
    for commit in (True, False):
        _begun(pair, f"meter_closing_{commit}")
        _clock(pair, "2026-02-01 00:30:00+00")
        pair.observer.one(REPORT, pair.customer, pair.customer, 5, "a")
        pair.first.begin()
        pair.first.one(REPORT, pair.customer, pair.customer, 3, "b")
        _clock(pair, "2026-02-01 02:00:00+00")
        _renew(pair)
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer), {"n": 10, "invoices": 1}, "what it sees is invoiced")
        pair.first.end(commit)
        _renew(pair)
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer), {"n": 10, "invoices": 1}, "and nothing else by then")
        _clock(pair, "2026-03-01 02:00:00+00")
        _renew(pair)
        then = {"n": 16, "invoices": 2} if commit else {"n": 10, "invoices": 1}
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer), then, "what committed is on the next")


def canceled_while_it_closes(pair: Pair) -> None:
    """an event of a period that is being invoiced: its correction waits, and is refused; or is there first"""
    for act, values in ((CANCEL, ()), (ADJUST, (1,))):
        name = "cancel" if act is CANCEL else "adjust"
        _begun(pair, f"meter_{name}_late")
        pair.observer.one(REPORT, pair.customer, pair.customer, 5, "a")
        _clock(pair, "2026-02-01 02:00:00+00")
        pair.second.begin()
        _renew(pair)
        waiting = pair.blocked(pair.first.start(act, pair.customer, "a", *values))
        pair.second.commit()
        try:
            waiting.one()
            pair.checks.equal("accepted", "refused", name)
        except psycopg.Error as error:
            pair.checks.equal(error.sqlstate, "PC020", f"{name}: it is invoiced")
        _begun(pair, f"meter_{name}_early")
        pair.observer.one(REPORT, pair.customer, pair.customer, 5, "a")
        _clock(pair, "2026-02-01 02:00:00+00")
        pair.first.begin()
        pair.first.one(act, pair.customer, "a", *values)
        pair.second.one(MAINTAIN)
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer)["n"], 0, "whoever renews passes over it")
        pair.first.commit()
        _renew(pair)
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer)["n"], 0 if act is CANCEL else 2, f"{name}: as corrected")


def reported_twice(pair: Pair) -> None:
    """one identifier, in two sessions: the second waits, and repeats it or, if the first rolled back, records it"""
    for commit in (True, False):
        _begun(pair, f"meter_twice_{commit}")
        pair.first.begin()
        pair.first.one(REPORT, pair.customer, pair.customer, 5, "a")
        waiting = pair.blocked(pair.second.start(REPORT, pair.customer, pair.customer, 5, "a"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one(), {"status": "recorded", "replayed": commit}, "recorded once")
        _clock(pair, "2026-02-01 02:00:00+00")
        _renew(pair)
        pair.checks.equal(pair.observer.one(INVOICED, pair.customer)["n"], 10, "and invoiced once")


def _renew(pair: Pair) -> None:
    for _ in range(8):
        pair.second.one(MAINTAIN)


def _clock(pair: Pair, at: str) -> None:
    for session in (pair.first, pair.second, pair.third, pair.observer):
        session.one(CLOCK, at)


def _begun(pair: Pair, name: str) -> None:
    _clock(pair, "2026-01-01 00:00:00+00")
    pair.customer = name
    product_id = pair.observer.one(PRODUCT, name)["product_id"]
    pair.observer.one(METER, name)
    pair.observer.one(PRICE, product_id, name, name)
    pair.observer.one(CREATE, name, name)
    _clock(pair, "2026-01-31 13:00:00+00")


CASES = (reported_while_it_closes, canceled_while_it_closes, reported_twice)
