"""Reporting a trace to the database: grants and events through the public functions, the clock following the trace.

Calls go out in pipelined transactions of a few hundred, each with the clock set before it, over one connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

from scenario import MONEY, GrantPlan, Step, moment
from support.harness import described

CALLS_A_TRANSACTION = 500

SET_CLOCK = "SELECT set_config('credits.test_clock', %s, false)"
REPORT = (
    "SELECT status, consumed, pending, available, replayed FROM credits.report_meter_event("
    "customer_id => %s, event_name => %s, value => %s, identifier => %s, occurred_at => %s)"
)
GRANT = (
    "SELECT status, remaining, replayed FROM credits.credit_grant("
    "customer_id => %s, amount => %s, currency => %s, category => %s, priority => %s, effective_at => %s,"
    " expires_at => %s, applicable_meters => %s, cost_basis => %s, cost_amount => %s, cost_currency => %s, name => %s,"
    " idempotency_key => %s)"
)

# A step's answer, in the order of the columns above.
Reply = tuple[Any, ...]


class CallFailed(Exception):
    """One call was refused: which, and what the database said."""

    def __init__(self, step: Step, error: psycopg.Error) -> None:
        self.step, self.error = step, error
        what = f"grant {step.key}" if isinstance(step, GrantPlan) else step.identifier
        super().__init__(f"{what} of {step.customer}: {described(error)}")


@dataclass
class Progress:
    """Says how far it has come, at most once every `seconds`."""

    total: int
    say: Callable[[str], None]
    what: str = "calls"
    seconds: float = 2.0

    def __post_init__(self) -> None:
        self.started = self.said = time.monotonic()

    def reached(self, done: int) -> None:
        now = time.monotonic()
        if now - self.said < self.seconds and done < self.total:
            return
        self.said = now
        elapsed = max(now - self.started, 1e-9)
        percent = 100 * done // max(self.total, 1)
        self.say(f"  {percent:3d} %  {done:,} of {self.total:,} {self.what}, {done / elapsed:,.0f} a second")


def set_clock(connection: psycopg.Connection[Any], to: datetime | None) -> None:
    """What the extension takes for now() in this session; None is the real clock again."""
    if to is None:
        connection.execute("RESET credits.test_clock")
    else:
        connection.execute(SET_CLOCK, [to.isoformat()])


def make_meters(connection: psycopg.Connection[Any], unit_prices: dict[str, Decimal], currency: str) -> None:
    """Creates the meters; one that is there already has to have the same price and currency. And the money."""
    if connection.execute("SELECT FROM credits.currencies WHERE currency = %s", [MONEY]).fetchone() is None:
        connection.execute("SELECT credits.currency_create(%s, kind => 'fiat')", [MONEY])
    for event_name, unit_price in unit_prices.items():
        found = connection.execute(
            "SELECT unit_price, currency FROM credits.meters WHERE event_name = %s", [event_name]
        ).fetchone()
        if found is None:
            connection.execute(
                "SELECT credits.meter_create(event_name => %s, currency => %s, unit_price => %s)",
                [event_name, currency, unit_price],
            )
        elif found != (unit_price, currency):
            raise ValueError(f"meter {event_name} exists at {found[0]} {found[1]}, not at {unit_price} {currency}")


def make_customers(connection: psycopg.Connection[Any], customers: Iterable[str]) -> None:
    with connection.transaction(), connection.pipeline():
        for customer in customers:
            connection.execute("SELECT credits.customer_upsert(%s)", [customer], prepare=True)


def play(
    connection: psycopg.Connection[Any],
    steps: Sequence[Step],
    currency: str,
    progress: Progress | None = None,
) -> list[Reply]:
    """Makes every call in order and returns the answers in the same order."""
    replies: list[Reply] = []
    for begin in range(0, len(steps), CALLS_A_TRANSACTION):
        part = steps[begin : begin + CALLS_A_TRANSACTION]
        try:
            replies += _play_together(connection, part, currency)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            _find_failing(connection, part, currency)
            raise
        if progress is not None:
            progress.reached(len(replies))
    return replies


def _play_together(connection: psycopg.Connection[Any], steps: Sequence[Step], currency: str) -> list[Reply]:
    clock: datetime | None = None
    with connection.transaction(), connection.pipeline():
        cursors = []
        for step in steps:
            at = moment(step)
            if at != clock:
                connection.execute(SET_CLOCK, [at.isoformat()], prepare=True)
                clock = at
            query, values = call(step, currency)
            cursors.append(connection.execute(query, values, prepare=True))
    return [_only_row(cursor) for cursor in cursors]


def _find_failing(connection: psycopg.Connection[Any], steps: Sequence[Step], currency: str) -> None:
    """Makes the calls of a failed transaction one by one, to say which it was."""
    for step in steps:
        try:
            _play_together(connection, [step], currency)
        except psycopg.Error as error:
            raise CallFailed(step, error) from None


def call(step: Step, currency: str) -> tuple[str, list[Any]]:
    """The call that reports a step: its SQL and its values."""
    if isinstance(step, GrantPlan):
        meters = None if step.meters is None else list(step.meters)
        terms = [step.category, step.priority, step.effective_at, step.expires_at, meters, step.cost_basis, step.cost_amount]
        terms.append(None if step.cost_amount is None else MONEY)
        return GRANT, [step.customer, step.amount, currency, *terms, step.key, step.key]
    return REPORT, [step.customer, step.event_name, step.value, step.identifier, step.time]


def _only_row(cursor: psycopg.Cursor[Any]) -> Reply:
    rows = cursor.fetchall()
    if len(rows) != 1:
        raise AssertionError(f"one call answered {len(rows)} rows")
    return rows[0]
