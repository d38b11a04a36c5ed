"""Two sessions on one wallet: who waits sees what the other did, and what time did meanwhile."""

from __future__ import annotations

import json
from datetime import timedelta

from sessions import ADD, BALANCE, BATCH, DEBIT, EVENT, GRANT, HOLD, TAKE, TRANSFER, TRY_DEBIT, Pair, refusal


def nearly_all_is_taken(pair: Pair) -> None:
    """two debits, the first takes nearly all: the waiting one is refused, with what is left in DETAIL"""
    pair.give(100)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 95, None)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.first.commit()
    error = refusal(waiting.one)
    pair.checks.equal(error.sqlstate, "PC001", "refused")
    detail = json.loads(error.diag.message_detail or "{}")
    seen = [float(detail[name]) for name in ("available", "requested", "shortfall")]
    pair.checks.equal(seen, [5.0, 10.0, 5.0], "DETAIL: 5 available, 10 requested, 5 short")
    pair.checks.equal(detail.get("customer_id"), pair.customer, "DETAIL names the customer")
    pair.checks.equal(pair.balance(), (5, 0, 0), "5 are left")


def nearly_all_is_given_back(pair: Pair) -> None:
    """two debits, the first takes nearly all and rolls back: the waiting one goes through"""
    pair.give(100)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 95, None)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["available"], 90, "answers 90 available")
    pair.checks.equal(pair.balance(), (90, 0, 0), "90 are left")


def try_debit_waits(pair: Pair) -> None:
    """wallet_try_debit waits like wallet_debit and answers with what the other left"""
    pair.give(100)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 95, None)
    waiting = pair.blocked(pair.second.start(TRY_DEBIT, pair.customer, 10, "k"))
    pair.first.commit()
    answer = waiting.one()
    seen = (answer["ok"], answer["shortfall"], answer["available"])
    pair.checks.equal(seen, (False, 5, 5), "ok = false, 5 short, 5 available")


def three_debits_in_line(pair: Pair) -> None:
    """a debit behind a debit behind a debit: each sees the one before"""
    pair.give(10)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 4, None)
    second = pair.blocked(pair.second.start(DEBIT, pair.customer, 4, None))
    third = pair.settled(pair.third.start(DEBIT, pair.customer, 4, None))
    pair.first.commit()
    answers = []
    for waiting in (second, third):
        try:
            answers.append(str(waiting.one()["available"].normalize()))
        except Exception as error:  # noqa: BLE001 - compared below
            answers.append(str(getattr(error, "sqlstate", error)))
    pair.checks.equal(sorted(answers), ["2", "PC001"], "one of the two goes through, the other is refused")
    pair.checks.equal(pair.balance(), (2, 0, 0), "2 are left")


def better_grant_meanwhile(pair: Pair) -> None:
    """a debit waits while a grant of better priority is committed: it draws on that one first"""
    pair.give(100, "old")
    pair.first.begin()
    pair.first.one("SELECT * FROM credits.credit_grant(%s, 6, name => 'better', priority => 1)", pair.customer)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.draws(), [("better", 6), ("old", 4)], "6 from the better grant, 4 from the old one")


def better_grant_rolled_back(pair: Pair) -> None:
    """a debit waits while a grant of better priority is rolled back: it draws on what there is"""
    pair.give(100, "old")
    pair.first.begin()
    pair.first.one("SELECT * FROM credits.credit_grant(%s, 6, name => 'better', priority => 1)", pair.customer)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.first.rollback()
    waiting.one()
    pair.checks.equal(pair.draws(), [("old", 10)], "10 from the old grant")


def event_behind_a_better_grant(pair: Pair) -> None:
    """an event waits while a grant for its meter alone and of better priority is committed: it draws on that one"""
    pair.give(100, "old")
    pair.first.begin()
    terms = "name => 'for calls', priority => 1, applicable_meters => '{calls}'"
    pair.first.one(f"SELECT * FROM credits.credit_grant(%s, 6, {terms})", pair.customer)
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 10, "e"))
    pair.first.commit()
    waiting.one()
    pair.checks.equal(pair.draws(), [("for calls", 6), ("old", 4)], "6 from the meter's grant, 4 from the old one")


def grant_expires_meanwhile(pair: Pair) -> None:
    """a grant expires, another session posts that and a debit that began before waits behind it: it gets nothing"""
    for number, (call, key) in enumerate(((DEBIT, None), (TRY_DEBIT, "k"), (EVENT, "e"))):
        pair.customer = f"expires_meanwhile_{number}"
        ends = pair.give(50, "short", expires_at="clock_timestamp() + interval '1.5 s'")["expires_at"]
        pair.second.begin()
        began = pair.second.one("SELECT now() AS began")["began"]
        assert began < ends, "too slow: the grant ended before the second session began"
        pair.wait_for("clock_timestamp() > %s", ends)
        pair.first.begin()
        pair.first.one("SELECT * FROM credits.credit_grant(%s, 3, name => 'new')", pair.customer)
        waiting = pair.blocked(pair.second.start(call, pair.customer, 10, key))
        pair.first.commit()
        if call is DEBIT:
            pair.checks.equal(refusal(waiting.one).sqlstate, "PC001", "wallet_debit: PC001")
            pair.second.rollback()
        elif call is TRY_DEBIT:
            answer = waiting.one()
            seen = (answer["ok"], answer["available"])
            pair.checks.equal(seen, (False, 3), "wallet_try_debit: ok = false, 3 available")
            pair.second.commit()
        else:
            answer = waiting.one()
            seen = (answer["consumed"], answer["pending"])
            pair.checks.equal(seen, (3, 7), "report_meter_event: 3 from the new grant, 7 pending")
            pair.second.commit()
        expected = (0, 0, 7) if call is EVENT else (3, 0, 0)
        pair.checks.equal(pair.balance(), expected, "the balance afterwards")
        drawn = [name for name, _ in pair.draws()]
        pair.checks.check("short" not in drawn, "nothing was drawn from the expired grant", drawn)


def lock_held_past_expiry(pair: Pair) -> None:
    """a lock is held until after a grant's expiry: what the waiting debit takes, it takes as of its own beginning"""
    ends = pair.give(50, "short", expires_at="clock_timestamp() + interval '1.5 s'")["expires_at"]
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, None))
    pair.wait_for("clock_timestamp() > %s", ends)
    pair.first.commit()
    try:
        taken = waiting.one()["debited"]
    except Exception as error:  # noqa: BLE001 - a refusal is right as well, nothing else is
        pair.checks.equal(getattr(error, "sqlstate", str(error)), "PC001", "refused")
        taken = 0
    late = pair.observer.all(
        "SELECT line_no, effective_at FROM credits_internal.lines"
        " WHERE customer_id = %s AND amount < 0 AND type <> 'expiration' AND effective_at >= %s",
        pair.customer, ends,
    )  # fmt: skip
    pair.checks.none(late, "no line of a draw at or after the expiry")
    pair.checks.equal(pair.balance(), (0, 0, 0), "whoever reads afterwards sees nothing of it")
    pair.observer.all("CALL credits.maintain()")
    expired = pair.observer.one(
        "SELECT coalesce(-sum(amount), 0) AS expired FROM credits_internal.lines"
        " WHERE customer_id = %s AND type = 'expiration'", pair.customer,
    )["expired"]  # fmt: skip
    pair.checks.equal(expired, 49 - taken, "the rest is recorded as expired")
    error = refusal(lambda: pair.second.one(DEBIT, pair.customer, 1, None))
    pair.checks.equal(error.sqlstate, "PC001", "a debit that begins after the expiry is refused")


def grant_begins_meanwhile(pair: Pair) -> None:
    """a scheduled grant begins, another session posts that and a debit that began before waits behind it: it draws"""
    pair.give(5, "old")
    begins = pair.give(50, "scheduled", priority=1, effective_at="clock_timestamp() + interval '1 s'")["effective_at"]
    pair.second.begin()
    began = pair.second.one("SELECT now() AS began")["began"]
    assert began < begins, "too slow: the grant began before the second session did"
    pair.checks.equal(pair.second.one(BALANCE, pair.customer)["available"], 5, "before: 5 available")
    pair.wait_for("clock_timestamp() > %s", begins)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 20, None))
    pair.first.commit()
    pair.checks.equal(waiting.one()["available"], 34, "the waiting debit draws, 34 are left")
    pair.second.commit()
    pair.checks.equal(pair.draws(), [("scheduled", 1), ("scheduled", 20)], "both drew on the better, scheduled grant")


def pending_created_meanwhile(pair: Pair) -> None:
    """an event waits while another takes what there is: it is owed whole, and is paid after the other"""
    pair.give(5, "first")
    pair.first.begin()
    one = pair.first.one(EVENT, pair.customer, 8, "older")
    pair.checks.equal((one["consumed"], one["pending"]), (5, 3), "the first takes 5 and owes 3")
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 2, "younger"))
    pair.first.commit()
    two = waiting.one()
    pair.checks.equal((two["status"], two["consumed"], two["pending"]), ("pending", 0, 2), "the second owes 2")
    pair.give(4, "second")
    owed = _owed(pair)
    pair.checks.equal(owed, [("younger", 1)], "4 more credits pay the older event and half of the younger")
    pair.checks.equal(pair.balance(), (0, 0, 1), "1 is owed")


def pending_paid_meanwhile(pair: Pair) -> None:
    """an event waits while new credits pay what is owed: it gets what is left of them"""
    pair.observer.one("SELECT * FROM credits.customer_upsert(%s)", pair.customer)
    pair.observer.one(EVENT, pair.customer, 3, "older")
    pair.first.begin()
    pair.first.one(GRANT, pair.customer, 10, None)
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 9, "younger"))
    pair.first.commit()
    answer = waiting.one()
    pair.checks.equal((answer["consumed"], answer["pending"]), (7, 2), "7 of 10 after the older one's 3")
    pair.checks.equal(_owed(pair), [("younger", 2)], "the older one is paid")


def pending_not_paid_after_all(pair: Pair) -> None:
    """an event waits while new credits pay what is owed and are rolled back: both are owed"""
    pair.observer.one("SELECT * FROM credits.customer_upsert(%s)", pair.customer)
    pair.observer.one(EVENT, pair.customer, 3, "older")
    pair.first.begin()
    pair.first.one(GRANT, pair.customer, 10, None)
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 9, "younger"))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["pending"], 9, "all of it is owed")
    pair.checks.equal(_owed(pair), [("older", 3), ("younger", 9)], "oldest first")


def two_grants_pay_one_debt(pair: Pair) -> None:
    """two grants at once to a wallet that owes: the debt is paid once"""
    pair.observer.one("SELECT * FROM credits.customer_upsert(%s)", pair.customer)
    pair.observer.one(EVENT, pair.customer, 8, "e")
    pair.first.begin()
    pair.first.one(GRANT, pair.customer, 5, "one")
    waiting = pair.blocked(pair.second.start(GRANT, pair.customer, 5, "two"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["remaining"], 2, "3 of the second grant pay the rest, 2 remain")
    pair.checks.equal(pair.balance(), (2, 0, 0), "10 less 8")


def a_batch_behind_a_debit(pair: Pair) -> None:
    """a batch over two wallets waits for one of them and locks none out of order"""
    other = pair.customer + "_z"
    pair.give(10)
    pair.observer.one(GRANT, other, 10, None)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 6, None)
    arrays = [[other, pair.customer], ["calls"] * 2, [3, 7], ["e", "e"]]
    waiting = pair.blocked(pair.second.start(BATCH, *arrays))
    pair.first.one(DEBIT, other, 9, None)
    pair.checks.check(not waiting.done, "the first session goes on to the second wallet, the batch still waits")
    pair.first.commit()
    seen = [(row["consumed"], row["pending"]) for row in waiting.all()]
    pair.checks.equal(seen, [(1, 2), (4, 3)], "the batch sees what is left of both")


def a_canceled_batch(pair: Pair) -> None:
    """a batch that is canceled while it waits leaves nothing, and its transaction goes on from its savepoint"""
    other = pair.customer + "_a"
    pair.give(10)
    pair.observer.one(GRANT, other, 10, None)
    arrays = [[other, pair.customer], ["calls"] * 2, [3, 7], ["e", "e"]]
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    pair.second.begin()
    pair.second.one(DEBIT, other, 1, None)
    pair.second.connection.execute("SAVEPOINT before")
    pair.second.connection.execute("SET LOCAL statement_timeout = '300ms'")
    pair.checks.equal(refusal(lambda: pair.second.all(BATCH, *arrays)).sqlstate, "57014", "canceled")
    pair.second.connection.execute("ROLLBACK TO before")
    pair.first.commit()
    seen = [(row["consumed"], row["available"]) for row in pair.second.all(BATCH, *arrays)]
    pair.checks.equal(seen, [(3, 6), (7, 2)], "the same batch again charges both, and for the first time")
    pair.second.commit()
    pair.checks.equal(pair.balance(), (2, 0, 0), "10 less 1 and 7")


def batches_in_both_orders(pair: Pair) -> None:
    """two batches over the same wallets in opposite orders, held up in the middle: one waits behind the other"""
    wallets = [f"{pair.customer}_{number:02}" for number in range(20)]
    for wallet in wallets:
        pair.observer.one(GRANT, wallet, 100, None)
    for round_no in range(5):
        arrays = [wallets, ["calls"] * len(wallets), [1] * len(wallets)]
        back = [list(reversed(wallets)), *arrays[1:]]
        pair.third.begin()
        pair.third.one(DEBIT, wallets[10], 1, None)
        up = pair.blocked(pair.first.start(BATCH, *arrays, [f"up {round_no}"] * len(wallets)), by=pair.third)
        down = pair.blocked(pair.second.start(BATCH, *back, [f"down {round_no}"] * len(wallets)), by=pair.first)
        pair.third.rollback()
        pair.checks.equal({row["available"] for row in up.all()}, {99 - 2 * round_no}, "the one that was first")
        pair.checks.equal({row["available"] for row in down.all()}, {98 - 2 * round_no}, "the one behind it")


def first_use_together(pair: Pair) -> None:
    """two sessions make the same customer's first grant: both count"""
    for commit, expected in ((True, 8), (False, 5)):
        pair.customer = f"first_use_{'commit' if commit else 'rollback'}"
        pair.first.begin()
        pair.first.one(GRANT, pair.customer, 3, None)
        waiting = pair.blocked(pair.second.start(GRANT, pair.customer, 5, None))
        pair.first.end(commit)
        waiting.one()
        how = "COMMIT" if commit else "ROLLBACK"
        pair.checks.equal(pair.balance(), (expected, 0, 0), f"{expected} after the first one's {how}")


def first_event_together(pair: Pair) -> None:
    """two sessions report the first events of a customer without an account: both are owed"""
    pair.observer.one("SELECT * FROM credits.customer_upsert(%s)", pair.customer)
    pair.first.begin()
    pair.first.one(EVENT, pair.customer, 3, "one")
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 4, "two"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["pending"], 4, "the second owes its own")
    pair.checks.equal(pair.balance(), (0, 0, 7), "7 in all")


def repeatable_read(pair: Pair) -> None:
    """REPEATABLE READ: who writes after another changed the wallet gets 40001, not a wrong result"""
    calls = (
        (DEBIT, None), (TRY_DEBIT, "t"), (EVENT, "e"), (GRANT, "g"), (HOLD, None), (TRANSFER, None), (ADD, "a"),
        (TAKE, None),
    )  # fmt: skip
    for number, (call, key) in enumerate(calls):
        for waits in (False, True):
            pair.customer = f"repeatable_read_{number}_{waits}"
            pair.give(10)
            pair.second.begin("REPEATABLE READ")
            pair.second.one(BALANCE, pair.customer)
            if waits:
                pair.first.begin()
            pair.first.one(DEBIT, pair.customer, 7, None)
            waiting = pair.second.start(call, pair.customer, 5, key)
            if waits:
                pair.blocked(waiting)
                pair.first.commit()
            error = refusal(waiting.one)
            pair.second.rollback()
            name = call.split("credits.")[1].split("(")[0]
            when = "having waited" if waits else "with an old snapshot"
            pair.checks.equal(error.sqlstate, "40001", f"{name}, {when}")
            pair.checks.equal(pair.balance(), (3, 0, 0), "only the first one's debit counts")


def repeatable_read_same_key(pair: Pair) -> None:
    """REPEATABLE READ: a key that another session claimed since is 40001, and the retry is a replay"""
    pair.give(10)
    pair.second.begin("REPEATABLE READ")
    pair.second.one(BALANCE, pair.customer)
    pair.first.one(EVENT, pair.customer, 2, "e")
    error = refusal(lambda: pair.second.one(EVENT, pair.customer, 2, "e"))
    pair.second.rollback()
    pair.checks.equal(error.sqlstate, "40001", "refused")
    pair.checks.equal(pair.second.one(EVENT, pair.customer, 2, "e")["replayed"], True, "the retry is a replay")


def maintain_does_not_wait(pair: Pair) -> None:
    """maintain() passes over a wallet that another session holds, does the others, and comes back for it"""
    other = pair.customer + "_other"
    pair.give(10, expires_at="clock_timestamp() + interval '1.5 s'")
    ends = pair.observer.one(
        "SELECT expires_at FROM credits.credit_grant(%s, 10, expires_at => clock_timestamp() + interval '1.5 s')", other
    )["expires_at"]
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, None)
    pair.wait_for("clock_timestamp() > %s", ends + timedelta(milliseconds=1))
    pair.second.all("SET lock_timeout = '3s'")
    pair.second.all("CALL credits.maintain()")
    pair.checks.equal((_expired(pair, pair.customer), _expired(pair, other)), (0, 1), "the held one not, the other one")
    pair.first.commit()
    pair.second.all("CALL credits.maintain()")
    pair.checks.equal(_expired(pair, pair.customer), 1, "once it is free, it is done as well")


def readers_do_not_wait(pair: Pair) -> None:
    """wallet_balance never waits, and shows what is committed; another wallet's debit does not wait either"""
    other = pair.customer + "_other"
    pair.give(10)
    pair.observer.one(GRANT, other, 10, None)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 4, None)
    pair.second.all("SET lock_timeout = '3s'")
    pair.checks.equal(pair.second.one(BALANCE, pair.customer)["available"], 10, "10 until the debit is committed")
    pair.checks.equal(pair.second.one(DEBIT, other, 1, None)["available"], 9, "another wallet goes on")
    pair.first.commit()
    pair.checks.equal(pair.second.one(BALANCE, pair.customer)["available"], 6, "6 afterwards")


CASES = [
    nearly_all_is_taken, nearly_all_is_given_back, try_debit_waits, three_debits_in_line, better_grant_meanwhile,
    better_grant_rolled_back, event_behind_a_better_grant, grant_expires_meanwhile, lock_held_past_expiry,
    grant_begins_meanwhile, pending_created_meanwhile, pending_paid_meanwhile, pending_not_paid_after_all,
    two_grants_pay_one_debt, a_batch_behind_a_debit, a_canceled_batch, batches_in_both_orders, first_use_together,
    first_event_together, repeatable_read,
    repeatable_read_same_key, maintain_does_not_wait, readers_do_not_wait,
]  # fmt: skip


def _owed(pair: Pair) -> list[tuple[str, int]]:
    rows = pair.observer.all(
        "SELECT identifier, pending FROM credits_internal.meter_events WHERE customer_id = %s AND pending > 0"
        " ORDER BY created_at",
        pair.customer,
    )
    return [(row["identifier"], row["pending"]) for row in rows]


def _expired(pair: Pair, customer: str) -> int:
    row = pair.observer.one(
        "SELECT count(*) AS lines FROM credits_internal.lines WHERE customer_id = %s AND type = 'expiration'",
        customer,
    )
    return row["lines"]
