"""Two sessions on when a customer's periods begin: one moves them as the other reports usage."""

from __future__ import annotations

from sessions import Pair

METER = (
    "SELECT credits.meter_create(%s, aggregation => 'max', period => 'month', period_from => 'billing_date',"
    " if_not_exists => true)"
)
MOVE = "SELECT credits.customer_upsert(%s, billing_anchor => %s)"
CREDIT = "SELECT * FROM credits.wallet_credit(%s, %s)"
REPORT = "SELECT * FROM credits.report_meter_event(%s, 'billed', %s, %s, now())"
BATCH = (
    "SELECT sum(consumed) AS consumed FROM credits.report_meter_events(ARRAY[%s, %s], ARRAY['billed', 'billed'],"
    " ARRAY[5, 5]::numeric[],"
    " ARRAY[%s, %s])"
)
ADJUST = "SELECT * FROM credits.meter_event_adjust(%s, %s, %s)"
CANCEL = "SELECT * FROM credits.meter_event_cancel(%s, %s)"
PERIODS = (
    "SELECT to_char(period_start AT TIME ZONE 'UTC', 'DD') AS day, credits FROM credits.usage_by_period"
    " WHERE customer_id = %s ORDER BY event_count, 1"
)
FIRST, SECOND = "2026-01-03T00:00Z", "2026-01-20T00:00Z"


def started(pair: Pair, name: str) -> None:
    pair.customer = name
    pair.first.one(METER, "billed")
    pair.first.one(CREDIT, pair.customer, 100)
    pair.first.one(MOVE, pair.customer, FIRST)


def days(pair: Pair) -> list[tuple[str, int]]:
    return [(row["day"], int(row["credits"])) for row in pair.third.all(PERIODS, pair.customer)]


def moved_while_reported(pair: Pair) -> None:
    """the billing date is moved as an event is open: the event keeps its period, and so do its corrections"""
    for commit in (True, False):
        started(pair, f"moved_while_reported_{commit}")
        pair.first.begin()
        pair.first.one(REPORT, pair.customer, 5, "before")
        pair.second.one(MOVE, pair.customer, SECOND)
        waiting = pair.blocked(pair.second.start(REPORT, pair.customer, 7, "after"))
        pair.first.one(REPORT, pair.customer, 6, "beside it")
        pair.first.end(commit)
        # Each of the first one's statements sees what is committed by then: its second event is in the new period.
        due = 1 if commit else 7
        pair.checks.equal(waiting.one()["consumed"], due, f"commit {commit}: what comes later is in the new period")
        there = [("03", 5), ("20", 7)] if commit else [("20", 7)]
        pair.checks.equal(days(pair), there, "the events are where they were reported")
        if commit:
            pair.checks.equal(pair.second.one(ADJUST, pair.customer, "before", 9)["charged"], 4, "one is adjusted")
            pair.checks.equal(pair.second.one(CANCEL, pair.customer, "after")["returned"], 1, "another is taken back")
            pair.checks.equal(days(pair), [("03", 9), ("20", 6)], "each in the period that it has")


def reported_while_moved(pair: Pair) -> None:
    """an event is reported as the billing date is being moved: it waits for nobody, and has the date that is committed"""
    for commit in (True, False):
        started(pair, f"reported_while_moved_{commit}")
        pair.first.begin()
        pair.first.one(MOVE, pair.customer, SECOND)
        pair.checks.equal(pair.second.one(REPORT, pair.customer, 5, "during")["consumed"], 5, "it does not wait")
        pair.first.end(commit)
        pair.second.one(REPORT, pair.customer, 5, "after")
        there = [("03", 5), ("20", 5)] if commit else [("03", 5)]
        pair.checks.equal(days(pair), there, f"commit {commit}: from then on it holds, if it does")


def moved_while_waiting(pair: Pair) -> None:
    """events wait for their account as the billing date is moved: they have the date of when they go on"""
    for batch in (False, True):
        started(pair, f"moved_while_waiting_{batch}")
        pair.first.begin()
        pair.first.one("SELECT * FROM credits.wallet_debit(%s, 1)", pair.customer)
        if batch:
            waiting = pair.second.start(BATCH, pair.customer, pair.customer, "one", "two")
        else:
            waiting = pair.second.start(REPORT, pair.customer, 5, "one")
        pair.blocked(waiting)
        pair.third.one(MOVE, pair.customer, SECOND)
        pair.first.end(True)
        pair.checks.equal(waiting.one()["consumed"], 5, f"batch {batch}: they are charged once")
        pair.checks.equal(days(pair), [("20", 5)], "in the period of then")


CASES = (moved_while_reported, reported_while_moved, moved_while_waiting)
