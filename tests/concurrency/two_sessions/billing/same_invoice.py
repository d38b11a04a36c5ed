"""Two sessions that meet on one customer's invoices: one number each and no gap, paid once, granted once."""

from __future__ import annotations

from typing import Any

from sessions import DEBIT, Pair, refusal

FINALIZE = "SELECT * FROM credits.invoice_finalize(%s, %s)"
PAY = "SELECT * FROM credits.invoice_pay(%s, %s, %s, %s, CASE %s WHEN 'outside' THEN 'r' END, %s)"
VOID = "SELECT * FROM credits.invoice_void(%s, %s)"
DELETE = "SELECT * FROM credits.invoice_delete(%s, %s)"
CREATE = "SELECT * FROM credits.invoice_create(%s, currency => 'USD')"
CREATE_KEY = "SELECT * FROM credits.invoice_create(%s, '[{\"amount\": 5}]', 'USD', idempotency_key => %s)"
UPDATE = "SELECT * FROM credits.invoice_update(%s, %s, metadata => '{\"a\": 1}')"
CLEAR = "SELECT * FROM credits.customer_metadata_clear(%s)"
ITEM = "SELECT * FROM credits.invoice_item_create(%s, 'USD', 5)"
PACK = "SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD', if_not_exists => true)"
NUMBERS = """
    SELECT array_agg(number_no ORDER BY number_no) AS all FROM credits_internal.invoices
    WHERE customer_id = %s AND number_no > 0
"""


def one_invoice_finalized_twice(pair: Pair) -> None:
    """one draft, finalized in two sessions: the second waits, and repeats it or, if the first rolled back, does it"""
    for commit in (True, False):
        invoice_id = _draft(pair, f"finalized_twice_{commit}")
        pair.first.begin()
        pair.first.one(FINALIZE, pair.customer, invoice_id)
        waiting = pair.blocked(pair.second.start(FINALIZE, pair.customer, invoice_id))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["replayed"], commit, f"{_how(commit)}: the second's answer")
        pair.checks.equal(_numbers(pair), [1], "one number, and no gap")


def two_invoices_of_one_customer(pair: Pair) -> None:
    """two drafts of one customer, finalized at once: the second waits for its number, which follows, or is the first's"""
    for commit in (True, False):
        one, two = _draft(pair, f"two_numbers_{commit}"), _draft(pair, f"two_numbers_{commit}")
        pair.first.begin()
        pair.first.one(FINALIZE, pair.customer, one)
        waiting = pair.blocked(pair.second.start(FINALIZE, pair.customer, two))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["number"][-5:], "-0002" if commit else "-0001", f"{_how(commit)}: its number")
        if not commit:
            pair.first.one(FINALIZE, pair.customer, one)
        pair.checks.equal(_numbers(pair), [1, 2], "no gap")


def paid_twice(pair: Pair) -> None:
    """one invoice, paid in two sessions, by one key or none, from the wallet or outside: it is paid and granted once"""
    for place in ("wallet", "outside"):
        for key in (None, "k"):
            for commit in (True, False):
                invoice_id = _open(pair, f"paid_twice_{place}_{key}_{commit}")
                _fill(pair, 50)
                pair.first.begin()
                pair.first.one(PAY, pair.customer, invoice_id, place, None, place, key)
                waiting = pair.blocked(pair.second.start(PAY, pair.customer, invoice_id, place, None, place, key))
                pair.first.end(commit)
                if commit and key is None:
                    error = refusal(waiting.one)
                    pair.checks.equal(error.sqlstate, "PC020", "it is paid")
                else:
                    row = waiting.one()
                    pair.checks.equal((row["status"], row["replayed"]), ("paid", commit), "paid, once")
                pair.checks.equal(pair.balance(), (100, 0, 0), "its credits are there once")
                pair.checks.equal(_money(pair), 40 if place == "wallet" else 50, "its money was taken once")


def two_parts_that_are_too_much(pair: Pair) -> None:
    """two parts that are more than remains: the second is PC007, or goes through where the first rolls back"""
    for commit in (True, False):
        invoice_id = _open(pair, f"two_parts_{commit}")
        _fill(pair, 50)
        pair.first.begin()
        pair.first.one(PAY, pair.customer, invoice_id, "wallet", 6, "", None)
        waiting = pair.blocked(pair.second.start(PAY, pair.customer, invoice_id, "outside", 5, "outside", None))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC007", "more than remains")
        else:
            pair.checks.equal(waiting.one()["amount_remaining"], 5, "the second goes through")


def paid_and_void(pair: Pair) -> None:
    """one session pays and the other voids: whoever comes second is PC020, or goes on where the first rolls back"""
    for paid_first in (True, False):
        for commit in (True, False):
            invoice_id = _open(pair, f"paid_and_void_{paid_first}_{commit}")
            _fill(pair, 50)
            pair.observer.one(PAY, pair.customer, invoice_id, "wallet", 3, "", None)
            pay = (PAY, pair.customer, invoice_id, "wallet", None, "", None)
            void = (VOID, pair.customer, invoice_id)
            one, two = (pay, void) if paid_first else (void, pay)
            pair.first.begin()
            pair.first.one(*one)
            waiting = pair.blocked(pair.second.start(*two))
            pair.first.end(commit)
            if commit:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is over")
            else:
                waiting.one()
            is_paid = paid_first == commit
            pair.checks.equal(_money(pair), 40 if is_paid else 50, "the money is where it belongs")
            pair.checks.equal(pair.balance()[0], 100 if is_paid else 0, "and so are the credits")


def one_item_of_two_invoices(pair: Pair) -> None:
    """two invoices that want what is pending: one has it; the other has nothing, or has it where the first rolls back"""
    for commit in (True, False):
        pair.customer = f"one_item_{commit}"
        pair.observer.one(ITEM, pair.customer)
        pair.first.begin()
        pair.first.one(CREATE, pair.customer)
        waiting = pair.blocked(pair.second.start(CREATE, pair.customer))
        pair.first.end(commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC013", "nothing is left for it")
        else:
            pair.checks.equal(waiting.one()["total"], 5, "it is there for the second")


def deleted_and_finalized(pair: Pair) -> None:
    """a draft is deleted while it is finalized: whoever comes second finds it gone, or given out"""
    for delete_first in (True, False):
        invoice_id = _draft(pair, f"deleted_{delete_first}")
        one, two = (DELETE, FINALIZE) if delete_first else (FINALIZE, DELETE)
        pair.first.begin()
        pair.first.one(one, pair.customer, invoice_id)
        waiting = pair.blocked(pair.second.start(two, pair.customer, invoice_id))
        pair.first.commit()
        pair.checks.equal(refusal(waiting.one).sqlstate, "PC019" if delete_first else "PC020", "it is too late")


def created_under_one_key(pair: Pair) -> None:
    """one invoice, created in two sessions under one key: one is made, and both have it"""
    for commit in (True, False):
        pair.customer = f"created_under_one_key_{commit}"
        pair.give(1)
        pair.first.begin()
        one = pair.first.one(CREATE_KEY, pair.customer, "k")
        waiting = pair.blocked(pair.second.start(CREATE_KEY, pair.customer, "k"))
        pair.first.end(commit)
        two = waiting.one()
        pair.checks.equal((two["replayed"], two["invoice_id"] == one["invoice_id"]), (commit, commit), _how(commit))


def a_charge_waits_for_no_invoice(pair: Pair) -> None:
    """a debit in another currency goes on while an invoice is made and finalized: no charge takes the customer's lock"""
    invoice_id = _draft(pair, "charged_meanwhile")
    pair.give(10)
    pair.first.begin()
    pair.first.one(FINALIZE, pair.customer, invoice_id)
    pair.checks.equal(pair.second.one(DEBIT, pair.customer, 1, None)["debited"], 1, "it did not wait")
    pair.first.commit()


def cleared_meanwhile(pair: Pair) -> None:
    """what is written of a customer is cleared while an invoice is finalized and then paid: it waits without the accounts"""
    invoice_id = _draft(pair, "cleared_meanwhile")
    pair.observer.one(UPDATE, pair.customer, invoice_id)
    _fill(pair, 50)
    pair.first.begin()
    pair.first.one(FINALIZE, pair.customer, invoice_id)
    waiting = pair.blocked(pair.second.start(CLEAR, pair.customer))
    pair.checks.equal(pair.first.one(PAY, pair.customer, invoice_id, "wallet", None, "", None)["status"], "paid", "it is paid")
    pair.first.commit()
    waiting.one()


CASES = [
    one_invoice_finalized_twice, two_invoices_of_one_customer, paid_twice, two_parts_that_are_too_much, paid_and_void,
    one_item_of_two_invoices, deleted_and_finalized, created_under_one_key, a_charge_waits_for_no_invoice,
    cleared_meanwhile,
]  # fmt: skip


def _draft(pair: Pair, customer: str) -> Any:
    """The id of a draft of a case's own customer: a pack of 100 credits for 10 dollars."""
    pair.customer = customer
    price_id = pair.observer.one(PACK)["price_id"]
    lines = "jsonb_build_array(jsonb_build_object('price_id', %s::text))"
    return pair.observer.one(f"SELECT * FROM credits.invoice_create(%s, {lines})", customer, price_id)["invoice_id"]


def _open(pair: Pair, customer: str) -> Any:
    invoice_id = _draft(pair, customer)
    pair.observer.one(FINALIZE, customer, invoice_id)
    return invoice_id


def _fill(pair: Pair, dollars: int) -> None:
    pair.observer.one("SELECT * FROM credits.wallet_credit(%s, %s, 'USD')", pair.customer, dollars)


def _money(pair: Pair) -> Any:
    return pair.observer.one("SELECT available FROM credits.wallet_balance(%s, 'USD')", pair.customer)["available"]


def _numbers(pair: Pair) -> Any:
    return pair.observer.one(NUMBERS, pair.customer)["all"]


def _how(commit: bool) -> str:
    return "COMMIT" if commit else "ROLLBACK"
