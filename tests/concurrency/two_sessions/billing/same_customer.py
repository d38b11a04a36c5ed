"""Two sessions at one customer: which payment method is the default, whose a prefix of invoices is, and a customer that one
deletes while the other gives it a history.
"""

from __future__ import annotations

from sessions import CREDIT, EVENT, Pair, refusal

UPSERT = "SELECT * FROM credits.customer_upsert(%s)"
GRANT = "SELECT * FROM credits.wallet_credit(%s, %s)"
NAME = "SELECT * FROM credits.customer_upsert(%s, name => %s)"
PREFIX = "SELECT invoice_prefix FROM credits.customer_upsert(%s, invoice_prefix => %s)"
DELETE = "SELECT * FROM credits.customer_delete(%s)"
ERASE = "SELECT * FROM credits.customer_erase(%s)"
ATTACH = "SELECT * FROM credits.payment_method_attach(%s, 'stripe', NULL, %s, is_default => %s)"
DETACH = "SELECT * FROM credits.payment_method_detach(%s, %s)"
OVERRIDE = "SELECT * FROM credits.meter_price_override(%s, 'calls', discount_percent => 10)"
CONFIGURE = "SELECT * FROM credits.account_configure(%s, overdraft_limit => 5)"
PACK = "SELECT price_id FROM credits.package_create('Pack of the case', 10, 1, 'USD', if_not_exists => true)"
TOP_UP = "SELECT * FROM credits.top_up_create(%s, %s)"


def _methods(pair: Pair) -> list[tuple[str, bool]]:
    query = "SELECT reference, is_default FROM credits.payment_methods WHERE customer_id = %s ORDER BY reference"
    return [(row["reference"], row["is_default"]) for row in pair.observer.all(query, pair.customer)]


def _events(pair: Pair) -> list[str]:
    query = "SELECT type FROM credits.billing_events WHERE customer_id = %s ORDER BY object_seq"
    return [row["type"] for row in pair.observer.all(query, pair.customer)]


def _is_there(pair: Pair) -> bool:
    return bool(pair.observer.all("SELECT true AS there FROM credits.customers WHERE customer_id = %s", pair.customer))


def two_defaults(pair: Pair) -> None:
    """two sessions attach a default each: the second waits, and is the only default"""
    pair.first.one(UPSERT, pair.customer)
    pair.first.begin()
    pair.first.one(ATTACH, pair.customer, "pm_1", True)
    waiting = pair.blocked(pair.second.start(ATTACH, pair.customer, "pm_2", True))
    pair.first.commit()
    pair.checks.equal(waiting.one()["is_default"], True, "the later one is the default")
    pair.checks.equal(_methods(pair), [("pm_1", False), ("pm_2", True)], "and the only one")


def two_first(pair: Pair) -> None:
    """two sessions attach the first method of a customer: one of them is the default"""
    for commits in (True, False):
        pair.customer = f"two first {commits}"
        pair.first.one(UPSERT, pair.customer)
        pair.first.begin()
        pair.first.one(ATTACH, pair.customer, "pm_1", False)
        waiting = pair.blocked(pair.second.start(ATTACH, pair.customer, "pm_2", False))
        pair.first.end(commits)
        pair.checks.equal(waiting.one()["is_default"], not commits, "the default, where the first rolled back")


def attached_twice(pair: Pair) -> None:
    """one method is attached in two sessions: it is there once, and detached twice it is detached once"""
    pair.first.one(UPSERT, pair.customer)
    pair.first.begin()
    one = pair.first.one(ATTACH, pair.customer, "pm_1", False)
    waiting = pair.blocked(pair.second.start(ATTACH, pair.customer, "pm_1", False))
    pair.first.commit()
    other = waiting.one()
    same = one["payment_method_id"] == other["payment_method_id"]
    pair.checks.equal((same, other["replayed"]), (True, True), "the same one, replayed")
    pair.first.begin()
    pair.first.one(DETACH, pair.customer, one["payment_method_id"])
    waiting = pair.blocked(pair.second.start(DETACH, pair.customer, one["payment_method_id"]))
    pair.first.commit()
    pair.checks.equal(waiting.one()["replayed"], True, "detached before")


def attached_while_erased(pair: Pair) -> None:
    """a method is attached while the person is erased: refused"""
    pair.first.one(UPSERT, pair.customer)
    pair.first.begin()
    pair.first.one(ERASE, pair.customer)
    waiting = pair.blocked(pair.second.start(ATTACH, pair.customer, "pm_1", False))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "refused")


def one_prefix(pair: Pair) -> None:
    """two customers get one prefix in two sessions: the second waits, and gets it only where the first rolls back"""
    for commits in (True, False):
        pair.first.begin()
        pair.first.one(PREFIX, f"prefix one {commits}", f"one{commits}")
        waiting = pair.blocked(pair.second.start(PREFIX, f"prefix two {commits}", f"one{commits}"))
        pair.first.end(commits)
        if commits:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC013", "refused")
        else:
            pair.checks.equal(waiting.one()["invoice_prefix"], "ONEFALSE", "it has it")


def prefix_of_deleted(pair: Pair) -> None:
    """a customer is written anew with its own prefix while it is deleted: it is there, and the prefix is its own"""
    pair.first.one(PREFIX, pair.customer, "anew")
    pair.first.begin()
    pair.first.one(DELETE, pair.customer)
    waiting = pair.blocked(pair.second.start(PREFIX, pair.customer, "anew"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["invoice_prefix"], "ANEW", "it has its prefix")
    state = refusal(lambda: pair.first.one(PREFIX, "another customer", "anew")).sqlstate
    pair.checks.equal(state, "PC013", "which is nobody else's")


def deleted_while_granted(pair: Pair) -> None:
    """a grant comes to a customer that is being deleted: it waits, and the customer is created anew for it"""
    for commits in (True, False):
        for configured in (True, False):
            pair.customer = f"granted {commits} {configured}"
            pair.first.one(UPSERT, pair.customer)
            if configured:
                pair.first.one(CONFIGURE, pair.customer)
            pair.first.begin()
            pair.first.one(DELETE, pair.customer)
            waiting = pair.blocked(pair.second.start(CREDIT, pair.customer, 5, "g"))
            pair.first.end(commits)
            waiting.one()
            pair.checks.equal(pair.balance(), (5, 0, 0), "the credits are there")
            pair.checks.equal(_is_there(pair), True, "and so is the customer")


def granted_while_deleted(pair: Pair) -> None:
    """a customer is deleted while its first grant is under way: it waits, and is refused where that commits"""
    for isolation in ("READ COMMITTED", "REPEATABLE READ"):
        for commits in (True, False):
            pair.customer = f"deleted {commits} {isolation}"
            pair.first.one(UPSERT, pair.customer)
            pair.first.begin()
            pair.first.one(CREDIT, pair.customer, 5, "g")
            pair.second.begin(isolation)
            waiting = pair.blocked(pair.second.start(DELETE, pair.customer))
            pair.first.end(commits)
            if commits:
                pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", f"{isolation}: refused")
                pair.second.rollback()
            else:
                waiting.one()
                pair.second.commit()
            pair.checks.equal(_is_there(pair), commits, f"{isolation}: the customer is there where it has credits")


def configured_while_deleted(pair: Pair) -> None:
    """something is configured for a customer that another session deletes, or has in an old snapshot"""
    price = pair.first.one(PACK)["price_id"]
    calls = {"attach": (ATTACH, "pm_1", False), "override": (OVERRIDE,), "configure": (CONFIGURE,), "top up": (TOP_UP, price)}
    for name, (call, *values) in calls.items():
        pair.customer = f"{name} first"
        pair.first.one(UPSERT, pair.customer)
        pair.second.begin("REPEATABLE READ")
        pair.second.one("SELECT count(*) FROM credits.customers")
        pair.first.one(call, pair.customer, *values)
        state = refusal(lambda: pair.second.one(DELETE, pair.customer)).sqlstate
        pair.checks.equal(state, "PC020", f"{name}: a snapshot of before deletes nothing")
        pair.second.rollback()
        pair.customer = f"{name} second"
        pair.first.one(UPSERT, pair.customer)
        pair.first.begin()
        pair.first.one(DELETE, pair.customer)
        waiting = pair.blocked(pair.second.start(call, pair.customer, *values))
        pair.first.commit()
        if name in ("attach", "override"):
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC003", f"{name}: there is no customer any more")
        else:
            waiting.one()
            pair.checks.equal(_is_there(pair), True, f"{name}: it is created anew")


def used_while_deleted(pair: Pair) -> None:
    """usage of a customer that is being deleted: it waits, and there is no such customer"""
    for configured in (True, False):
        pair.customer = f"used {configured}"
        pair.first.one(UPSERT, pair.customer)
        if configured:
            pair.first.one(CONFIGURE, pair.customer)
        pair.first.begin()
        pair.first.one(DELETE, pair.customer)
        waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 1, "e"))
        pair.first.commit()
        pair.checks.equal(refusal(waiting.one).sqlstate, "PC003", "refused")
    pair.first.one(UPSERT, pair.customer)
    pair.first.begin()
    pair.first.one(EVENT, pair.customer, 1, "e")
    waiting = pair.blocked(pair.second.start(DELETE, pair.customer))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "the other way round the customer is not deleted")


def created_twice(pair: Pair) -> None:
    """two sessions create one customer, by name or by a grant: one event says so, and another what the second changed"""
    ways = {"named": (NAME, "Ann"), "granted": (GRANT, 5), "named otherwise": (NAME, "Lee")}
    for how, first in ways.items():
        for then, second in ways.items():
            for commits in (True, False):
                pair.customer = f"{how}, {then}, {commits}"
                pair.first.begin()
                pair.first.one(first[0], pair.customer, first[1])
                waiting = pair.blocked(pair.second.start(second[0], pair.customer, second[1]))
                pair.first.end(commits)
                waiting.one()
                changed = ["customer.updated"] if commits and second[0] == NAME else []
                pair.checks.equal(_events(pair), ["customer.created", *changed], pair.customer)
    pair.customer = "changed twice"
    pair.first.one(UPSERT, pair.customer)
    pair.first.begin()
    pair.first.one(NAME, pair.customer, "Ann")
    waiting = pair.blocked(pair.second.start(NAME, pair.customer, "Lee"))
    pair.first.commit()
    waiting.one()
    query = (
        "SELECT data#>>'{previous_attributes,name}' AS name FROM credits.billing_events"
        " WHERE customer_id = %s ORDER BY object_seq"
    )
    before = [row["name"] for row in pair.observer.all(query, pair.customer)]
    pair.checks.equal(before, [None, None, "Ann"], "what was before")


CASES = (
    created_twice,
    two_defaults, two_first, attached_twice, attached_while_erased, one_prefix, prefix_of_deleted, deleted_while_granted,
    granted_while_deleted, configured_while_deleted, used_while_deleted,
)  # fmt: skip
