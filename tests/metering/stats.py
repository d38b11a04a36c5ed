"""Statistics over the million events that inbox.py leaves: right, and what is read for one customer is bounded by that
customer's own events, however many the others have. A page of the largest account's history is read as quickly as that of any
other. Plans are shown, and what they read is counted in blocks, which does not depend on the machine's mood.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from plans import Answered, explained, nodes, read_whole, show
from support.harness import Checks

LONE = "lone"
LONE_EVENTS = 200
EVERY = timedelta(minutes=144)  # ten a day
METER = "prompt"
QUESTION = "SELECT bucket, event_count, total_value, total_credits FROM credits.meter_event_stats(%s, %s, %s, 'hour', %s)"
PAGE = 50
COLLECTOR = "collector"
COLLECTED = 2000
HISTORY = "SELECT line_no, running_balance FROM credits.wallet_history(%s, %s, %s, %s)"
FILTERED = "SELECT line_no, type FROM credits.wallet_history(%s, 'CREDIT', %s, {})"
TOTAL = "SELECT event_name, total_credits FROM credits.credit_transaction_summary(%s)"
SUMMARY = "SELECT event_name, event_count FROM credits.usage_summary(%s)"
Hours = dict[tuple[str, str | None, datetime], list[Any]]


class Usage(NamedTuple):
    """One row of the inbox, as text."""

    customer: str
    event_name: str
    value: str
    identifier: str
    occurred_at: str


def lone_customer(connection: psycopg.Connection[Any], now: datetime) -> str:
    """A customer whose usage does not grow while the others' does; some of it a day."""
    connection.execute("SELECT credits.customer_upsert(%s)", [LONE])
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    times = [midnight - timedelta(days=20) + EVERY * number for number in range(LONE_EVENTS)]
    connection.execute(
        "SELECT count(*) FROM credits.report_meter_events(array_fill(%s::text, ARRAY[%s]), array_fill(%s::text, ARRAY[%s]),"
        " array_fill(1::numeric, ARRAY[%s]), %s, %s)",
        [LONE, LONE_EVENTS, METER, LONE_EVENTS, LONE_EVENTS, [f"lone {n}" for n in range(LONE_EVENTS)], times],
    )
    return LONE


def ask(connection: psycopg.Connection[Any], day: datetime, customer: str | None) -> Answered:
    """A day's hourly question, with the plan that it was answered by."""
    return explained(connection, QUESTION, [METER, day, day + timedelta(days=1), customer], "credits_internal.events e")


def of_one(connection: psycopg.Connection[Any], customer: str, now: datetime) -> Answered:
    connection.execute("VACUUM ANALYZE credits_internal.meter_events")
    return ask(connection, midnight_before(now), customer)


def midnight_before(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)


def check(
    checks: Checks, connection: psycopg.Connection[Any], hours: Hours, lone: str, before: Answered, now: datetime
) -> None:
    after = of_one(connection, lone, now)
    day = midnight_before(now)
    show("one customer's day by hour, a third of the events", before)
    show("one customer's day by hour, all of the events", after)
    checks.equal(sum(row[1] for row in after.rows), 10, "one customer's day: the customer's own events")
    checks.equal(after.rows, before.rows, "the same as before the others' usage grew threefold")
    bound = 2 * LONE_EVENTS
    checks.check(
        max(before.blocks, after.blocks) <= bound,
        f"for one customer a block of the table and one of the index for each own event are the most that is read, {bound}:"
        f" {before.blocks} then, {after.blocks} now",
    )
    everyone = ask(connection, day, None)
    show("all customers' day by hour", everyone)
    expected = [
        (hour, *sums) for (meter, customer, hour), sums in sorted(hours.items(), key=lambda item: item[0][2])
        if meter == METER and customer is None and day <= hour < day + timedelta(days=1)
    ]  # fmt: skip
    own = {row[0]: row for row in after.rows}
    together = [
        (row[0], *(part - mine for part, mine in zip(row[1:], own.get(row[0], (None, 0, 0, 0))[1:])))
        for row in everyone.rows
    ]
    together = [row for row in together if row[1]]
    checks.equal(together, expected, "all customers' day is what was reported, hour by hour")
    indexes = {node["Index Name"] for node in nodes(everyone.plan) if "Index Name" in node}
    checks.equal(indexes, {"meter_events_time"}, "all customers' day is found by the index on meter and time")
    checks.none(read_whole(everyone, 10_000), "no large table is read whole")
    checks.check(everyone.blocks > 2 * bound, f"which is {everyone.blocks} blocks: far more than one customer's may be")
    some = next(customer for _, customer, _ in hours if customer is not None)
    answered = ask(connection, day, some).rows
    expected = [
        (hour, *sums) for (meter, customer, hour), sums in sorted(hours.items(), key=lambda item: item[0][2])
        if meter == METER and customer == some and day <= hour < day + timedelta(days=1)
    ]  # fmt: skip
    checks.equal(answered, expected, "a large customer's day is what was reported, hour by hour")


def collector(connection: psycopg.Connection[Any]) -> str:
    """A customer who has thousands of grants, operations, holds and cancellations, where the planner has seen customers with one
    of each."""
    for call in (
        "credit_grant('once ' || n, 2, idempotency_key => 'once')", "hold_create('once ' || n, 1)",
        f"report_meter_event('once ' || n, '{METER}', 1, 'once')", "meter_event_cancel('once ' || n, 'once')",
    ):  # fmt: skip
        connection.execute(f"SELECT count(credits.{call}) FROM generate_series(1, {10 * COLLECTED}) n")
    connection.execute("ANALYZE credits_internal.credit_grants, credits_internal.credit_transactions")
    connection.execute("ANALYZE credits_internal.operations, credits_internal.holds")
    connection.execute("ANALYZE credits_internal.meter_events, credits_internal.canceled_events")
    for call in (
        "credit_grant(%s, 100)", f"report_meter_event(%s, '{METER}', 1, 'c' || n)", "meter_event_cancel(%s, 'c' || n)",
        "wallet_adjust(%s, -1, 'charge')", "hold_create(%s, 1)", "wallet_debit(%s, 1)",
    ):  # fmt: skip
        connection.execute(f"SELECT count(credits.{call}) FROM generate_series(1, {COLLECTED}) n", [COLLECTOR])
    return COLLECTOR


def check_history(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """Pages of the history of the account that has the most lines, from its newest and from its middle, and of one whose lines
    come from many grants, operations and holds."""
    connection.execute("ANALYZE credits_internal.meter_events")
    accounts = connection.execute("SELECT customer_id, last_line FROM credits_internal.accounts ORDER BY last_line DESC")
    largest, lines = accounts.fetchone()
    pages = [(largest, None), (largest, lines // 2), (collector(connection), None), (COLLECTOR, 5 * COLLECTED)]
    for customer, before in pages:
        page = explained(connection, HISTORY, [customer, "CREDIT", PAGE, before], "credits.ledger l")
        show(f"{PAGE} lines of {customer}, before {before}", page)
        checks.equal([row[0] - page.rows[0][0] for row in page.rows], [*range(0, -PAGE, -1)], "they are a page's lines")
        checks.check(
            page.blocks <= 20 * PAGE, f"20 blocks a line are the most that is read, its grant and its event with it: {page.blocks}"
        )
    check_filters(checks, connection, largest, lines)
    summary = explained(connection, SUMMARY, [COLLECTOR], "credits_internal.events e")
    show("a customer's usage, all of it taken back", summary)
    checks.equal(summary.rows, [], "usage that was taken back is not summed up")
    compared = sum(node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"] for node in nodes(summary.plan))
    checks.check(compared <= COLLECTED, f"each event's cancellation is found by its key: {compared} others were compared")


def check_filters(checks: Checks, connection: psycopg.Connection[Any], largest: str, lines: int) -> None:
    """A time, a type and a line by its key are found without the lines around them; whatever else is looked for, no line is
    looked up that is not on the page."""
    moment, key = connection.execute(
        "SELECT effective_at, transaction_id FROM credits.ledger WHERE customer_id = %s AND currency = 'CREDIT' AND line_no = %s",
        [largest, lines // 2],
    ).fetchone()
    of_page = [
        ("a time", largest, "end_at => %s", [moment]),
        ("a line by its key", largest, "transaction_id => %s", [key]),
        ("grants", largest, "type => 'grant'", []),
        ("holds", COLLECTOR, "type => 'hold'", []),
        ("a meter", largest, "event_name => %s", [METER]),
    ]
    for what, customer, asked, values in of_page:
        page = explained(connection, FILTERED.format(asked), [customer, PAGE, *values], "credits_internal.lines x")
        show(f"{PAGE} lines of {customer}: {what}", page)
        checks.check(page.blocks <= 25 * PAGE, f"{what}: what is read is bounded by the page: {page.blocks}")
    rare = explained(connection, FILTERED.format("subscription_id => 'none'"), [largest, PAGE], "credits_internal.lines x")
    show(f"lines of {largest}: a subscription that has none", rare)
    checks.check(rare.blocks <= lines, f"of {lines} lines that are not wanted none is looked up: {rare.blocks} blocks")
    connection.execute("VACUUM credits_internal.meter_events")
    total = explained(connection, TOTAL, [largest], "credits_internal.meter_events e")
    show("what a customer's usage consumed", total)
    checks.check(total.blocks <= lines, f"of {lines} lines none is looked up: {total.blocks} blocks")
