"""Two sessions on one period's usage, which is priced as one, and on usage that is charged later."""

from __future__ import annotations

from sessions import Pair

CREDIT = "SELECT * FROM credits.wallet_credit(%s, %s)"
CUSTOMER = "SELECT credits.customer_upsert(%s)"
METER = "SELECT credits.meter_create(%s, aggregation => %s, pricing => %s::jsonb, settlement => %s)"
REPORT = "SELECT * FROM credits.report_meter_event(%s, %s, %s, %s)"
USERS = "SELECT credits.meter_create(%s, aggregation => 'unique', unique_by => 'user', unit_price => 3)"
OF_USER = (
    "SELECT * FROM credits.report_meter_event(%s, %s, 1, %s, metadata => jsonb_build_object('user', %s::text))"
)
CANCEL = "SELECT * FROM credits.meter_event_cancel(%s, %s)"
DEBIT_OF_1 = "SELECT * FROM credits.wallet_debit(%s, 1)"
DEBIT_OF_3 = "SELECT * FROM credits.wallet_debit(%s, 3)"
COPIED = (
    "INSERT INTO credits.inbox (customer_id, event_name, value, identifier)"
    " VALUES (%s, 'copied', 2, 'row ' || %s), (%s, 'copied', 2, 'row ' || %s)"
)
SETTLE = "SELECT credits.settle() AS settled"
TIERS = '{"mode": "graduated", "tiers": [{"up_to": 1000, "unit_price": 0.01}, {"unit_price": 0.001}]}'
PRICE_OF_1 = '{"unit_price": 1}'


def first_of_a_period(pair: Pair) -> None:
    """the first two events of a period at once: they are priced as one"""
    pair.first.one(METER, "tiers", "sum", TIERS, "immediate")
    for commit in (True, False):
        pair.customer = f"first_of_a_period_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.begin()
        one = pair.first.one(REPORT, pair.customer, "tiers", 900, "one")
        pair.checks.equal(one["consumed"], 9, "the first is charged from nothing on")
        waiting = pair.blocked(pair.second.start(REPORT, pair.customer, "tiers", 200, "two"))
        pair.first.end(commit)
        # From 900 on: a hundred at 0.01 and a hundred at 0.001.
        due = "1.1" if commit else "2"
        pair.checks.equal(str(waiting.one()["consumed"].normalize()), due, f"commit {commit}: the second is from there on")


def higher_while_reported(pair: Pair) -> None:
    """a higher value comes as a lower one waits: the lower one costs nothing, or its own where the first rolls back"""
    pair.first.one(METER, "peak", "max", PRICE_OF_1, "immediate")
    for commit in (True, False):
        pair.customer = f"higher_while_reported_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.begin()
        pair.first.one(REPORT, pair.customer, "peak", 10, "ten")
        waiting = pair.blocked(pair.second.start(REPORT, pair.customer, "peak", 7, "seven"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["consumed"], 0 if commit else 7, f"commit {commit}: what the lower one costs")
        pair.checks.equal(pair.balance()[0], 90 if commit else 93, "the period costs its highest")


def canceled_while_reported_again(pair: Pair) -> None:
    """the event that counts is being taken back as another comes: that one counts, where it is taken back"""
    pair.first.one(METER, "level", "max", PRICE_OF_1, "immediate")
    for commit in (True, False):
        pair.customer = f"canceled_while_reported_again_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(REPORT, pair.customer, "level", 10, "ten")
        pair.first.one(REPORT, pair.customer, "level", 4, "four")
        pair.first.begin()
        pair.checks.equal(pair.first.one(CANCEL, pair.customer, "ten")["returned"], 6, "without it the 4 count")
        waiting = pair.blocked(pair.second.start(REPORT, pair.customer, "level", 6, "six"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["consumed"], 2 if commit else 0, f"commit {commit}: what the 6 change")
        pair.checks.equal(pair.balance()[0], 94 if commit else 90, "the period costs what is left of it")


def same_new_value_at_once(pair: Pair) -> None:
    """two events of a new value at once: it counts once, for the second where the first rolls back"""
    pair.first.one(USERS, "users")
    for commit in (True, False):
        pair.customer = f"same_new_value_at_once_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.begin()
        pair.checks.equal(pair.first.one(OF_USER, pair.customer, "users", "one", "ann")["consumed"], 3, "the first pays")
        waiting = pair.blocked(pair.second.start(OF_USER, pair.customer, "users", "two", "ann"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["consumed"], 0 if commit else 3, f"commit {commit}: what the second costs")
        pair.checks.equal(pair.balance()[0], 97, "the value is charged once")


def value_taken_back_as_it_comes(pair: Pair) -> None:
    """the only event of a value is being taken back as another comes: that one brings it anew where it is taken back"""
    pair.first.one(USERS, "visitors")
    for commit in (True, False):
        pair.customer = f"value_taken_back_as_it_comes_{commit}"
        pair.first.one(CREDIT, pair.customer, 100)
        pair.first.one(OF_USER, pair.customer, "visitors", "one", "ann")
        pair.first.begin()
        pair.checks.equal(pair.first.one(CANCEL, pair.customer, "one")["returned"], 3, "the value is gone")
        waiting = pair.blocked(pair.second.start(OF_USER, pair.customer, "visitors", "two", "ann"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["consumed"], 3 if commit else 0, f"commit {commit}: what the second costs")
        pair.checks.equal(pair.balance()[0], 97, "the value is charged once")


def lowered_while_spent(pair: Pair) -> None:
    """a report gives credits back as they are spent: the spender waits, and has them where it commits"""
    pair.first.one(METER, "seats", "last", PRICE_OF_1, "immediate")
    for commit in (True, False):
        pair.customer = f"lowered_while_spent_{commit}"
        pair.first.one(CREDIT, pair.customer, 10)
        pair.first.one(REPORT, pair.customer, "seats", 10, "ten")
        pair.first.begin()
        pair.checks.equal(pair.first.one(REPORT, pair.customer, "seats", 4, "four")["consumed"], -6, "six come back")
        waiting = pair.blocked(pair.second.start("SELECT * FROM credits.wallet_try_debit(%s, 5)", pair.customer))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["ok"], commit, f"commit {commit}: whether five of them can be spent")


def deferred_not_seen_before_commit(pair: Pair) -> None:
    """deferred usage waits for nobody and makes nobody wait: it counts from its commit on"""
    pair.first.one(METER, "later", "sum", PRICE_OF_1, "deferred")
    for commit in (True, False):
        pair.customer = f"deferred_not_seen_before_commit_{commit}"
        pair.first.one(CREDIT, pair.customer, 10)
        pair.first.one(REPORT, pair.customer, "later", 0, "the first of all")
        pair.first.begin()
        pair.first.one(REPORT, pair.customer, "later", 8, "eight")
        pair.checks.equal(pair.second.one(DEBIT_OF_1, pair.customer)["available"], 9, "a debit does not wait for it")
        pair.first.end(commit)
        pair.checks.equal(pair.balance()[0], 1 if commit else 9, f"commit {commit}: what is left")
        row = pair.second.one(DEBIT_OF_1, pair.customer)
        pair.checks.equal(row["available"], 0 if commit else 8, "and the next debit settles it first")


def first_deferred_of_all(pair: Pair) -> None:
    """an account's first deferred usage of all has its row, so that whoever charges it knows from then on: once"""
    pair.first.one(METER, "at first", "sum", PRICE_OF_1, "deferred")
    for commit in (False, True):
        pair.customer = f"first_deferred_of_all_{commit}"
        pair.first.one(CREDIT, pair.customer, 10)
        pair.first.begin()
        pair.first.one(REPORT, pair.customer, "at first", 8, "eight")
        waiting = pair.blocked(pair.second.start(DEBIT_OF_1, pair.customer))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["available"], 1 if commit else 9, f"commit {commit}: a debit counts what is there")
        pair.checks.equal(pair.balance()[0], 1 if commit else 9, "and so does a reader")


def deferred_beside_an_older_snapshot(pair: Pair) -> None:
    """deferred usage comes after the snapshot of a transaction that spends: as if it had come after it altogether"""
    pair.first.one(METER, "after", "sum", PRICE_OF_1, "deferred")
    pair.first.one(CREDIT, pair.customer, 10)
    pair.first.one(REPORT, pair.customer, "after", 0, "the first of all")
    pair.second.begin("REPEATABLE READ")
    pair.second.one("SELECT 1 AS snapshot")
    pair.first.one(REPORT, pair.customer, "after", 8, "eight")
    pair.checks.equal(pair.second.one(DEBIT_OF_3, pair.customer)["available"], 7, "three of ten are spent")
    pair.second.commit()
    pair.checks.equal(pair.balance(), (0, 0, 1), "the usage takes the seven that are left and owes one")
    pair.checks.equal(pair.third.one(SETTLE)["settled"], 1, "also once it is settled")
    pair.checks.equal(pair.balance(), (0, 0, 1), "which changes nothing")


def canceled_while_settled(pair: Pair) -> None:
    """a deferred event is taken back as it is being settled: what it was charged comes back, or it never was"""
    pair.first.one(METER, "soon", "sum", PRICE_OF_1, "deferred")
    for commit in (True, False):
        pair.customer = f"canceled_while_settled_{commit}"
        pair.first.one(CREDIT, pair.customer, 10)
        pair.first.one(REPORT, pair.customer, "soon", 8, "eight")
        pair.first.begin()
        pair.checks.equal(pair.first.one(SETTLE)["settled"], 1, "the first settles it")
        pair.checks.equal(pair.third.one(SETTLE)["settled"], 0, "a third leaves the account to it")
        waiting = pair.blocked(pair.second.start(CANCEL, pair.customer, "eight"))
        pair.first.end(commit)
        pair.checks.equal(waiting.one()["status"], "canceled", f"commit {commit}: it is taken back")
        pair.checks.equal(pair.balance(), (10, 0, 0), "and costs nothing")
        pair.checks.equal(pair.third.one(SETTLE)["settled"], 0, "nothing waits any more")


def copied_for_a_busy_account(pair: Pair) -> None:
    """a row of the inbox is for an account that another session has locked: it stays, and the others are charged"""
    pair.first.one(METER, "copied", "sum", PRICE_OF_1, "immediate")
    other = f"{pair.customer}_other"
    for commit in (True, False):
        pair.customer = f"copied_for_a_busy_account_{commit}"
        for customer in (pair.customer, other):
            pair.first.one(CREDIT, customer, 10)
        pair.first.begin()
        pair.first.one(DEBIT_OF_3, pair.customer)
        pair.second.all(COPIED, pair.customer, commit, other, commit)
        pair.checks.equal(pair.second.one(SETTLE)["settled"], 1, f"commit {commit}: one of the two rows is settled")
        pair.checks.equal(pair.second.one(SETTLE)["settled"], 0, "the other stays as long as the account is locked")
        pair.checks.equal(pair.second.one("SELECT inbox FROM credits.backlog")["inbox"], 1, "and is not lost")
        pair.first.end(commit)
        pair.checks.equal(pair.second.one(SETTLE)["settled"], 1, "it is settled afterwards")
        pair.checks.equal(pair.balance()[0], 5 if commit else 8, "and charged once")
    pair.checks.equal(pair.third.one("SELECT rejected FROM credits.backlog")["rejected"], 0, "nothing was put aside")


CASES = (
    first_of_a_period, higher_while_reported, canceled_while_reported_again, same_new_value_at_once,
    value_taken_back_as_it_comes, lowered_while_spent,
    deferred_not_seen_before_commit, first_deferred_of_all, deferred_beside_an_older_snapshot, canceled_while_settled,
    copied_for_a_busy_account,
)  # fmt: skip
