"""Two sessions that meet on one payment intent, or on its refunds: one outcome, whoever comes first, and no deadlock."""

from __future__ import annotations

from typing import Any

from sessions import Pair, refusal

BEGIN = "SELECT * FROM credits.payment_intent_begin(%s, %s)"
PAY = "SELECT * FROM credits.payment_succeeded(%s, %s, 'stripe', %s, %s)"
FAIL = "SELECT * FROM credits.payment_failed(%s, %s, 'stripe', %s)"
UNDER_WAY = "SELECT * FROM credits.payment_processing(%s, %s, 'stripe', %s)"
ACTION = "SELECT * FROM credits.payment_requires_action(%s, %s, 'https://bank.example/confirm', 'stripe', %s)"
VOID = "SELECT * FROM credits.invoice_void(%s, %s)"
WALLET = "SELECT * FROM credits.invoice_pay(%s, %s, 'wallet')"
OUTSIDE = "SELECT * FROM credits.invoice_pay(%s, %s, 'outside', reference => 'cash')"
UPDATE = "SELECT metadata, replayed FROM credits.payment_intent_update(%s, %s, %s)"
REFUND = "SELECT * FROM credits.refund_create(%s, %s, %s)"
REFUND_KEY = "SELECT * FROM credits.refund_create(%s, %s, %s, idempotency_key => 'k')"
REFUND_LINE = """
    SELECT * FROM credits.refund_create(%s, %s, lines => (
        SELECT jsonb_agg(jsonb_build_object('invoice_line_id', l.invoice_line_id, 'amount', %s::numeric))
        FROM credits.invoice_lines l JOIN credits.invoices i USING (customer_id, invoice_id)
        WHERE l.customer_id = %s AND l.line_no = %s))"""
REFUNDED = "SELECT * FROM credits.payment_refunded(%s, %s, 'stripe', %s, %s, payment_reference => 'pi of ' || %s)"
MADE = "SELECT * FROM credits.payment_refunded(%s, %s, 'stripe', %s, %s, refund_id => %s)"
NOT_MADE = "SELECT * FROM credits.payment_refund_failed(%s, %s, 'stripe', %s, refund_id => %s)"
REFUND_BEGIN = "SELECT * FROM credits.refund_begin(%s, %s)"
REFUND_CANCEL = "SELECT * FROM credits.refund_cancel(%s, %s)"
METHOD = "SELECT 1 FROM credits.payment_method_attach(%s, 'stripe', 'cus', 'pm of ' || %s)"
PACK = "SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD', if_not_exists => true)"
STATE = """
    SELECT i.status, i.amount_paid, t.status AS intent, t.amount_received, t.amount_refunded,
           coalesce((SELECT sum(r.amount) FROM credits.refunds r WHERE r.customer_id = i.customer_id
                     AND r.status IN ('pending', 'succeeded')), 0) AS asked_back
    FROM credits.invoices i JOIN credits.payment_intents t USING (customer_id, invoice_id) WHERE i.customer_id = %s"""
PENDING = "SELECT 1 FROM credits.refunds WHERE customer_id = %s AND status = 'pending'"


def two_workers_begin_one_intent(pair: Pair) -> None:
    """two workers on one intent: one attempt with one key, also where the first rolled back"""
    for commit in (True, False):
        intent = _open(pair, f"workers_{commit}", method=True)
        pair.first.begin()
        one = pair.first.one(BEGIN, pair.customer, intent["id"])
        waiting = pair.blocked(pair.second.start(BEGIN, pair.customer, intent["id"]))
        pair.first.end(commit)
        other = waiting.one()
        pair.checks.equal((one["go"], other["go"], other["attempt"]), (True, True, 1), f"{_how(commit)}: one attempt")
        same = one["attempt_key"] == other["attempt_key"]
        pair.checks.equal((same, other["attempt_key"] is None), (commit, False), f"{_how(commit)}: one key")
        pair.second.one(PAY, pair.customer, intent["id"], f"p of {pair.customer}", 10)
        pair.checks.equal((pair.first.one(BEGIN, pair.customer, intent["id"])["go"], pair.balance()[0]), (False, 100), "paid")


def success_and_void(pair: Pair) -> None:
    """a payment and a void: paid and the void is refused, or void and the money is asked back, once"""
    for paid_first in (True, False):
        for commit in (True, False):
            intent = _open(pair, f"void_{paid_first}_{commit}")
            pay = (PAY, pair.customer, intent["id"], f"p of {pair.customer}", 10)
            void = (VOID, pair.customer, intent["invoice_id"])
            waiting = _meet(pair, (pay, void), paid_first, commit)
            paid = paid_first == commit
            if paid and paid_first:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "a paid one cannot be void")
            else:
                waiting.one()
            # Where the payment rolled back, or came second, it is told again.
            pair.third.one(*pay)
            _is(pair, ("paid", 10, 100, 0) if paid else ("void", 0, 0, 10))


def success_and_another_payment(pair: Pair) -> None:
    """a payment, and the same invoice paid from outside: paid once, granted once, and what came too late is asked back"""
    for paid_first in (True, False):
        for commit in (True, False):
            intent = _open(pair, f"outside_{paid_first}_{commit}")
            pay = (PAY, pair.customer, intent["id"], f"p of {pair.customer}", 10)
            outside = (OUTSIDE, pair.customer, intent["invoice_id"])
            waiting = _meet(pair, (pay, outside), paid_first, commit)
            by_intent = paid_first == commit
            if by_intent and paid_first:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is paid")
            else:
                waiting.one()
            pair.third.one(*pay)
            _is(pair, ("paid", 10, 100, 0 if by_intent else 10))


def success_and_the_wallet(pair: Pair) -> None:
    """a payment, and the same invoice paid from the wallet: one of them pays, and the wallet has what it did not pay"""
    for paid_first in (True, False):
        for commit in (True, False):
            intent = _open(pair, f"wallet_{paid_first}_{commit}")
            pair.observer.one("SELECT 1 FROM credits.credit_grant(%s, 25, currency => 'USD')", pair.customer)
            pay = (PAY, pair.customer, intent["id"], f"p of {pair.customer}", 10)
            waiting = _meet(pair, (pay, (WALLET, pair.customer, intent["invoice_id"])), paid_first, commit)
            by_intent = paid_first == commit
            if by_intent and paid_first:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is paid")
            else:
                waiting.one()
            pair.third.one(*pay)
            _is(pair, ("paid", 10, 100, 0 if by_intent else 10))
            money = pair.observer.one("SELECT available FROM credits.wallet_balance(%s, 'USD')", pair.customer)["available"]
            pair.checks.equal(money, 25 if by_intent else 15, "what is left in the wallet")


def success_and_failure(pair: Pair) -> None:
    """one payment, reported as paid and as failed, or as waiting for the customer, or under way: it is paid"""
    for name, other in (("failed", FAIL), ("action", ACTION), ("processing", UNDER_WAY)):
        for paid_first in (True, False):
            for commit in (True, False):
                intent = _open(pair, f"{name}_{paid_first}_{commit}", method=True)
                pair.observer.one(BEGIN, pair.customer, intent["id"])
                reference = f"p of {pair.customer}"
                pay = (PAY, pair.customer, intent["id"], reference, 10)
                _meet(pair, (pay, (other, pair.customer, intent["id"], reference)), paid_first, commit).one()
                pair.third.one(*pay)
                _is(pair, ("paid", 10, 100, 0))
                pair.checks.equal(pair.observer.one(BEGIN, pair.customer, intent["id"])["go"], False, "no worker charges it")


def processing_and_void(pair: Pair) -> None:
    """a worker that begins, and a void: it charges and the void is refused, or there is nothing to charge"""
    for worker_first in (True, False):
        intent = _open(pair, f"begin_void_{worker_first}", method=True)
        begin, void = (BEGIN, pair.customer, intent["id"]), (VOID, pair.customer, intent["invoice_id"])
        waiting = _meet(pair, (begin, void), worker_first, True)
        if worker_first:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "money may be on its way")
        else:
            pair.checks.equal(waiting.one()["go"], False, "the worker does not charge")


def two_payments(pair: Pair) -> None:
    """two payments of one intent: the second's money is asked back, once"""
    for commit in (True, False):
        intent = _open(pair, f"two_payments_{commit}")
        calls = [(PAY, pair.customer, intent["id"], f"p{n} of {pair.customer}", 10) for n in (1, 2)]
        _meet(pair, (calls[0], calls[1]), True, commit).one()
        for call in calls * 2:
            pair.third.one(*call)
        _is(pair, ("paid", 10, 100, 10))


def two_changes_of_metadata(pair: Pair) -> None:
    """two updates of one intent's metadata, and one beside its payment: the last one counts"""
    intent = _open(pair, "metadata")
    calls = [(UPDATE, pair.customer, intent["id"], f'{{"n": {n}}}') for n in (1, 2)]
    second = _meet(pair, (calls[0], calls[1]), True, True).one()
    pair.checks.equal(second, {"metadata": {"n": 2}, "replayed": False}, "the second's")
    pair.checks.equal(_meet(pair, (calls[1], calls[1]), True, True).one()["replayed"], True, "it has them already")
    _meet(pair, ((PAY, pair.customer, intent["id"], "p of metadata", 10), calls[0]), False, True).one()
    row = pair.observer.one("SELECT metadata, status FROM credits.payment_intents WHERE customer_id = 'metadata'")
    pair.checks.equal(row, {"metadata": {"n": 1}, "status": "succeeded"}, "paid, and the data are there")


def two_refunds_of_more_than_there_is(pair: Pair) -> None:
    """two refunds of more than there is, together: the second is PC007, or goes through where the first rolls back"""
    for commit in (True, False):
        intent = _paid(pair, f"refunds_{commit}")
        calls = [(REFUND, pair.customer, intent["id"], amount) for amount in (6, 5)]
        waiting = _meet(pair, (calls[0], calls[1]), True, commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC007", "4 are left")
        else:
            waiting.one()
        _is(pair, ("paid", 10, 40 if commit else 50, 6 if commit else 5))


def one_refund_by_one_key(pair: Pair) -> None:
    """one refund, asked for by one key in two sessions: once"""
    for commit in (True, False):
        intent = _paid(pair, f"by_key_{commit}")
        call = (REFUND_KEY, pair.customer, intent["id"], 4)
        pair.checks.equal(_meet(pair, (call, call), True, commit).one()["replayed"], commit, _how(commit))
        _is(pair, ("paid", 10, 60, 4))


def two_refunds_of_one_line(pair: Pair) -> None:
    """two refunds of one line: together no more than it came to"""
    for commit in (True, False):
        intent = _paid(pair, f"line_{commit}")
        call = (REFUND_LINE, pair.customer, intent["id"], 6, pair.customer, 1)
        waiting = _meet(pair, (call, call), True, commit)
        if commit:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC007", "4 are left of the line")
        else:
            waiting.one()
        _is(pair, ("paid", 10, 40, 6))


def a_refund_and_the_providers(pair: Pair) -> None:
    """a refund of all that is asked for, and the provider's of the same: it counts once, whoever comes first"""
    for asked_first in (True, False):
        for commit in (True, False):
            intent = _paid(pair, f"provider_{asked_first}_{commit}")
            ask = (REFUND, pair.customer, intent["id"], 10)
            told = (REFUNDED, pair.customer, intent["id"], f"re of {pair.customer}", 10, pair.customer)
            waiting = _meet(pair, (ask, told), asked_first, commit)
            if not asked_first and commit:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC007", "it is back already")
            else:
                waiting.one()
            row = pair.third.one(*told)
            pair.checks.equal((row["refunded"], row["contradiction"]), (10, None), "it counts once")
            pair.checks.equal(pair.balance(), (0, 0, 0), "and takes its credits once")
            pending = pair.observer.all(PENDING, pair.customer)
            pair.checks.equal(len(pending), 0, "nobody is asked for it any more")


def made_and_not_made(pair: Pair) -> None:
    """one refund, reported as made and as failed at once: nobody waits for the other in a circle, and it failed"""
    for failed_first in (True, False):
        intent = _paid(pair, f"made_{failed_first}")
        refund = pair.observer.one(REFUND, pair.customer, intent["id"], 4)["refund_id"]
        reference = f"re of {pair.customer}"
        made = (MADE, pair.customer, intent["id"], reference, 4, refund)
        not_made = (NOT_MADE, pair.customer, intent["id"], reference, refund)
        # Both are under way while somebody else has the customer.
        pair.third.begin()
        pair.third.one("SELECT 1 FROM credits_internal.customers WHERE customer_id = %s FOR NO KEY UPDATE", pair.customer)
        one = pair.blocked(pair.first.start(*(not_made if failed_first else made)), pair.third)
        other = pair.settled(pair.second.start(*(made if failed_first else not_made)))
        pair.third.commit()
        one.one(), other.one()
        _is(pair, ("paid", 10, 100, 0))


def a_refund_begun_and_taken_back(pair: Pair) -> None:
    """a worker that begins with a refund, and somebody who takes it back: one of them is refused"""
    for begun_first in (True, False):
        for commit in (True, False):
            intent = _paid(pair, f"taken_back_{begun_first}_{commit}")
            refund = pair.observer.one(REFUND, pair.customer, intent["id"], 4)["refund_id"]
            begin, cancel = (REFUND_BEGIN, pair.customer, refund), (REFUND_CANCEL, pair.customer, refund)
            waiting = _meet(pair, (begin, cancel), begun_first, commit)
            if begun_first and commit:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "it is under way")
            elif begun_first:
                pair.checks.equal(waiting.one()["status"], "canceled", "it is taken back")
            else:
                row = waiting.one()
                pair.checks.equal((row["go"], row["status"]), (not commit, "canceled" if commit else "pending"), "the worker")
            canceled = begun_first != commit
            _is(pair, ("paid", 10, 100 if canceled else 60, 0 if canceled else 4))


def two_workers_pay_back(pair: Pair) -> None:
    """two workers on one refund get one key, and one who takes it back twice is told so"""
    intent = _paid(pair, "pay_back")
    refund = pair.observer.one(REFUND, pair.customer, intent["id"], 4)["refund_id"]
    pair.first.begin()
    one = pair.first.one(REFUND_BEGIN, pair.customer, refund)
    waiting = pair.blocked(pair.second.start(REFUND_BEGIN, pair.customer, refund))
    pair.first.commit()
    pair.checks.equal(waiting.one()["attempt_key"], one["attempt_key"], "one key")
    other = pair.observer.one(REFUND, pair.customer, intent["id"], 1)["refund_id"]
    cancel = (REFUND_CANCEL, pair.customer, other)
    pair.checks.equal(_meet(pair, (cancel, cancel), True, True).one()["replayed"], True, "taken back once")
    _is(pair, ("paid", 10, 60, 4))


CASES = [
    two_workers_begin_one_intent, success_and_void, success_and_another_payment, success_and_the_wallet, success_and_failure,
    processing_and_void, two_payments, two_changes_of_metadata, two_refunds_of_more_than_there_is, one_refund_by_one_key,
    two_refunds_of_one_line, a_refund_and_the_providers, made_and_not_made, a_refund_begun_and_taken_back, two_workers_pay_back,
]  # fmt: skip


def _open(pair: Pair, name: str, method: bool = False) -> dict[str, Any]:
    """An open invoice of a new customer's for a pack of 100 credits, with its intent."""
    pair.customer = name
    pair.observer.one("SELECT 1 FROM credits.customer_upsert(%s)", name)
    if method:
        pair.observer.one(METHOD, name, name)
    price = pair.observer.one(PACK)["price_id"]
    return pair.observer.one(
        "SELECT invoice_id, payment_intent_id AS id FROM credits.invoice_create(%s, jsonb_build_array("
        " jsonb_build_object('price_id', %s::uuid)), 'USD', auto_finalize => true)",
        name, price,
    )  # fmt: skip


def _paid(pair: Pair, name: str) -> dict[str, Any]:
    intent = _open(pair, name)
    pair.observer.one(PAY, name, intent["id"], f"pi of {name}", 10)
    return intent


def _meet(pair: Pair, calls: tuple[tuple[Any, ...], tuple[Any, ...]], in_order: bool, commit: bool) -> Any:
    """One of two calls in a transaction that ends so; the other, which waited for that."""
    one, other = calls if in_order else calls[::-1]
    pair.first.begin()
    pair.first.one(*one)
    waiting = pair.blocked(pair.second.start(*other))
    pair.first.end(commit)
    return pair.settled(waiting)


def _is(pair: Pair, expected: tuple[Any, ...]) -> None:
    """The invoice's status, what was paid of it, the customer's credits, and what is asked back."""
    row = pair.observer.one(STATE, pair.customer)
    found = (row["status"], row["amount_paid"], pair.balance()[0], row["asked_back"])
    pair.checks.equal(found, expected, f"{pair.customer}: status, paid, credits, asked back")


def _how(commit: bool) -> str:
    return "the first commits" if commit else "the first rolls back"
