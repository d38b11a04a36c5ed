"""Work for everybody waits for no session without limit: what one holds up stays for the next call, and the others' is done."""

from __future__ import annotations

from typing import Any

from sessions import Pair, Waiting

MANY = 40
LATER = "SELECT status FROM credits.report_meter_event(%s, 'patience later', 1, %s)"
CREDIT = "SELECT available FROM credits.wallet_credit(%s, 5, %s)"
PUT_IN = "INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES (%s, %s, %s)"
LEFT = "SELECT customer_id, identifier FROM credits.inbox ORDER BY received_at, customer_id, identifier"
SPENT = "SELECT coalesce(sum(consumed + pending), 0) AS spent FROM credits.usage WHERE customer_id = %s"
SETTLE = "SELECT credits.settle() AS settled"
MAINTAIN = "CALL credits.maintain()"


def an_identifier_that_is_being_claimed(pair: Pair) -> None:
    """a row of the inbox whose identifier an open transaction claims waits, and nobody behind it does"""
    busy, other = _customers(pair)
    _report(pair, busy, other)
    for commit, call in ((False, SETTLE), (True, SETTLE), (True, MAINTAIN)):
        name = f"{call} {commit}"
        pair.first.begin()
        pair.first.one(LATER, busy, name)
        for customer, identifier in ((busy, name), (busy, f"{name} free"), (other, name)):
            _put_in(pair, customer, "patience later", identifier)
        _ends(pair, call)
        _left(pair, [(busy, name)], "the row stays, the others are done with")
        pair.first.end(commit)
        _ends(pair, call)
        _left(pair, [], f"commit {commit}: it is a repeat, or charged, once that has ended")
    _ends(pair, MAINTAIN)
    _spent(pair, busy, 7)
    _spent(pair, other, 4)


def an_account_that_is_being_made(pair: Pair) -> None:
    """a row of the inbox that needs an account which an open transaction makes waits, and nobody behind it does"""
    _customers(pair)
    for call, code in ((SETTLE, "PATIENCE1"), (MAINTAIN, "PATIENCE2")):
        pair.observer.one("SELECT credits.currency_create(%s)", code)
        pair.observer.one("SELECT credits.meter_create(%s, currency => %s)", code, code)
        busy, other = _customers(pair, code)
        pair.first.begin()
        pair.first.one(CREDIT, busy, code)
        _put_in(pair, busy, code, "one")
        _put_in(pair, other, code, "one")
        _ends(pair, call)
        _left(pair, [(busy, "one")], "the row stays, the other is done with")
        pair.first.commit()
        _ends(pair, call)
        _left(pair, [], "it is charged then")
        _spent(pair, busy, 1)
        _spent(pair, other, 1)


def many_that_wait(pair: Pair) -> None:
    """rows of many customers, and many of one, that an open transaction holds up do not add up to a long wait"""
    _, other = _customers(pair)
    many = [f"{pair.customer} {number}" for number in range(MANY)]
    for customer in many:
        pair.observer.one("SELECT credits.credit_grant(%s, 100)", customer)
    _report(pair, *many)
    pair.first.begin()
    for customer, identifier in [(customer, "one") for customer in many] + [(many[0], str(n)) for n in range(MANY)]:
        pair.first.one(LATER, customer, identifier)
        _put_in(pair, customer, "patience later", identifier)
    _put_in(pair, other, "calls", "behind")
    _ends(pair, SETTLE)
    pair.checks.equal(len(pair.observer.all(LEFT)), 2 * MANY, "all but the one behind them stay")
    _spent(pair, other, 1)
    pair.first.commit()
    _ends(pair, SETTLE)
    _left(pair, [], "they are repeats then")


def a_table_that_is_locked(pair: Pair) -> None:
    """while a table is locked, settle() leaves its rows and ends, and maintain() ends and says so"""
    busy, _ = _customers(pair)
    for number in range(MANY):
        _put_in(pair, busy, "calls", str(number))
    pair.first.begin()
    pair.first.connection.execute("LOCK TABLE credits_internal.meter_events")
    _ends(pair, SETTLE)
    pair.checks.equal(len(pair.observer.all("SELECT 1 FROM credits.inbox")), MANY, "the rows stay")
    pair.first.rollback()
    pair.first.begin()
    pair.first.connection.execute("LOCK TABLE credits.inbox")
    waiting = pair.second.start(MAINTAIN)
    pair.checks.equal(_error(waiting), "55P03", "what cannot be read at all is an error, of maintain()")
    pair.first.rollback()
    _ends(pair, SETTLE)
    _left(pair, [], "they are done with then")
    _spent(pair, busy, MANY)


def a_row_that_is_locked(pair: Pair) -> None:
    """an account that cannot be posted to for another's lock waits, and the others are settled and brought up to date"""
    busy, other = _customers(pair)
    _report(pair, busy, other)
    for customer in (busy, other):
        pair.observer.one("SELECT credits.credit_grant(%s, 10, expires_at => now() + interval '1 second')", customer)
        pair.observer.one(LATER, customer, "second")
    pair.first.begin()
    pair.first.all("SELECT FROM credits_internal.unsettled_events WHERE customer_id = %s FOR UPDATE", busy)
    pair.first.all("SELECT FROM credits_internal.credit_grants WHERE customer_id = %s FOR UPDATE", busy)
    _ends(pair, SETTLE)
    waits = "SELECT customer_id FROM credits_internal.unsettled_events WHERE customer_id = ANY (%s)"
    pair.checks.equal(pair.observer.all(waits, [busy, other]), [{"customer_id": busy}], "its usage waits alone")
    pair.wait_for("(SELECT max(expires_at) < clock_timestamp() FROM credits.grants WHERE customer_id = ANY (%s)"
                  " AND expires_at < 'infinity')", [busy, other])  # fmt: skip
    _ends(pair, MAINTAIN)
    ended = "SELECT DISTINCT customer_id FROM credits.ledger WHERE type = 'expiration' AND customer_id = ANY (%s)"
    pair.checks.equal(pair.observer.all(ended, [busy, other]), [{"customer_id": other}], "the other's grant has ended")
    failed = pair.observer.one("SELECT failed_accounts FROM credits.backlog")["failed_accounts"]
    pair.checks.equal(failed, 0, "none of them is taken for one that fails")
    pair.first.commit()
    _ends(pair, MAINTAIN)
    pair.checks.equal(len(pair.observer.all(ended, [busy, other])), 2, "both are up to date then")


CASES = (
    an_identifier_that_is_being_claimed, an_account_that_is_being_made, many_that_wait, a_table_that_is_locked,
    a_row_that_is_locked,
)  # fmt: skip


def _customers(pair: Pair, suffix: str = "") -> tuple[str, str]:
    """Two with credits, the second of whom nobody holds up."""
    pair.observer.all(
        "SELECT credits.meter_create('patience later', settlement => 'deferred')"
        " WHERE NOT EXISTS (SELECT FROM credits_internal.meters WHERE event_name = 'patience later')"
    )
    busy, other = f"{pair.customer} busy {suffix}", f"{pair.customer} other {suffix}"
    for customer in (busy, other):
        pair.observer.one("SELECT credits.credit_grant(%s, 100)", customer)
    return busy, other


def _report(pair: Pair, *customers: str) -> None:
    """The first deferred event of an account locks it; those after it do not."""
    for customer in customers:
        pair.observer.one(LATER, customer, "first")
    pair.observer.one(SETTLE)


def _put_in(pair: Pair, customer: str, event_name: str, identifier: str) -> None:
    pair.observer.all(PUT_IN, customer, event_name, identifier)


def _ends(pair: Pair, call: str) -> None:
    """The call comes to its end though the first session's transaction is open."""
    pair.second.connection.execute("SET statement_timeout = '15s'")
    waiting = pair.second.start(call)
    pair.checks.check(_error(waiting) is None, f"{call} ends", waiting._error)


def _error(waiting: Waiting) -> str | None:
    try:
        waiting.all()
    except Exception as error:  # noqa: BLE001 - told to whoever asked
        return getattr(error, "sqlstate", None) or str(error)
    return None


def _left(pair: Pair, rows: list[tuple[str, str]], what: str) -> None:
    found: list[tuple[Any, ...]] = [tuple(row.values()) for row in pair.observer.all(LEFT)]
    pair.checks.equal(found, rows, what)


def _spent(pair: Pair, customer: str, credits: int) -> None:
    pair.checks.equal(pair.observer.one(SPENT, customer)["spent"], credits, f"{customer}: {credits} charged")
