"""Two sessions on one grant: parts of it are ended once, and what is suspended, extended or a mistake is so for both."""

from __future__ import annotations

from sessions import BALANCE, DEBIT, EVENT, Pair, refusal

PART = "SELECT * FROM credits.credit_grant_void(%s, %s, amount => %s, idempotency_key => %s)"
MISTAKE = "SELECT * FROM credits.credit_grant_void(%s, %s, spent => 'pending')"
SUSPEND = "SELECT * FROM credits.credit_grant_suspend(%s, %s)"
RESUME = "SELECT * FROM credits.credit_grant_resume(%s, %s)"
EXTEND = "SELECT * FROM credits.credit_grant_extend(%s, %s, now() + %s * interval '1 day')"


def same_part(pair: Pair) -> None:
    """the same part of a grant ended by two, under one key: one ends it, the other replays"""
    grant = pair.give(100)["grant_id"]
    pair.first.begin()
    one = pair.first.one(PART, pair.customer, grant, 30, "k")
    waiting = pair.blocked(pair.second.start(PART, pair.customer, grant, 30, "k"))
    pair.first.commit()
    other = waiting.one()
    pair.checks.equal((one["replayed"], other["replayed"]), (False, True), "one replays")
    pair.checks.equal((one["remaining"], other["remaining"]), (70, 70), "both answer what remains")
    pair.checks.equal(pair.balance(), (70, 0, 0), "30 are gone")


def same_part_rolled_back(pair: Pair) -> None:
    """the same part, and the first rolls back: the other ends it"""
    grant = pair.give(100)["grant_id"]
    pair.first.begin()
    pair.first.one(PART, pair.customer, grant, 30, "k")
    waiting = pair.blocked(pair.second.start(PART, pair.customer, grant, 30, "k"))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["replayed"], False, "it is the first")
    pair.checks.equal(pair.balance(), (70, 0, 0), "30 are gone")


def part_that_was_spent(pair: Pair) -> None:
    """a part is ended behind a debit that leaves less: PC001, with what remains"""
    grant = pair.give(100)["grant_id"]
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 80, None)
    waiting = pair.blocked(pair.second.start(PART, pair.customer, grant, 30, "k"))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "refused")
    pair.checks.equal(pair.balance(), (20, 0, 0), "20 are left")
    pair.checks.equal(pair.second.one(PART, pair.customer, grant, 20, "k")["replayed"], False, "the key is unused")


def mistake_twice(pair: Pair) -> None:
    """a mistaken grant taken back by two: what was spent is owed once"""
    grant = pair.give(100)["grant_id"]
    pair.observer.one(DEBIT, pair.customer, 60, None)
    pair.first.begin()
    one = pair.first.one(MISTAKE, pair.customer, grant)
    waiting = pair.blocked(pair.second.start(MISTAKE, pair.customer, grant))
    pair.first.commit()
    pair.checks.equal((one["replayed"], waiting.one()["replayed"]), (False, True), "one replays")
    pair.checks.equal(pair.balance(), (0, 0, 60), "60 are owed")


def spent_while_taken_back(pair: Pair) -> None:
    """a mistaken grant is taken back behind an event: what that spent is owed as well"""
    grant = pair.give(100)["grant_id"]
    pair.first.begin()
    pair.first.one(EVENT, pair.customer, 10, "e")
    waiting = pair.blocked(pair.second.start(MISTAKE, pair.customer, grant))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.balance(), (0, 0, 10), "what the event cost is owed")


def debit_behind_a_suspension(pair: Pair) -> None:
    """a debit waits while its grant is suspended: refused; resumed by then, it goes through"""
    grant = pair.give(100)["grant_id"]
    pair.first.begin()
    pair.first.one(SUSPEND, pair.customer, grant)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "refused")
    pair.first.begin()
    pair.first.one(RESUME, pair.customer, grant)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.first.commit()
    pair.checks.equal(waiting.one()["available"], 90, "90 are left")


def suspended_by_both(pair: Pair) -> None:
    """a grant suspended by two, and resumed by two: once each"""
    grant = pair.give(100)["grant_id"]
    for call in (SUSPEND, RESUME):
        pair.first.begin()
        one = pair.first.one(call, pair.customer, grant)
        waiting = pair.blocked(pair.second.start(call, pair.customer, grant))
        pair.first.commit()
        pair.checks.equal((one["replayed"], waiting.one()["replayed"]), (False, True), "one replays")
    pair.checks.equal(pair.balance(), (100, 0, 0), "all is there again")


def extended_by_both(pair: Pair) -> None:
    """a grant that has ended is extended by two, to different ends: what lapsed comes back once, the later end holds"""
    ends = pair.give(50, expires_at="clock_timestamp() + interval '0.3 s'")
    pair.wait_for("clock_timestamp() > %s", ends["expires_at"])
    pair.checks.equal(pair.first.one(BALANCE, pair.customer)["available"], 0, "it has lapsed")
    pair.first.begin()
    pair.first.one(EXTEND, pair.customer, ends["grant_id"], 10)
    waiting = pair.blocked(pair.second.start(EXTEND, pair.customer, ends["grant_id"], 20))
    pair.first.commit()
    pair.checks.equal(waiting.one()["remaining"], 50, "50 remain")
    pair.checks.equal(pair.balance(), (50, 0, 0), "50 came back")
    lines = "SELECT count(*) AS n FROM credits_internal.lines WHERE customer_id = %s AND type = 'reinstatement'"
    pair.checks.equal(pair.observer.one(lines, pair.customer)["n"], 1, "once")


CASES = (
    same_part,
    same_part_rolled_back,
    part_that_was_spent,
    mistake_twice,
    spent_while_taken_back,
    debit_behind_a_suspension,
    suspended_by_both,
    extended_by_both,
)
