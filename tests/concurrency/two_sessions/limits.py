"""Two sessions at a limit: no two of them exceed it together, and what one takes back makes room for the other."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

from sessions import PATIENCE, Pair, Session, refusal

DEBIT = "SELECT * FROM credits.wallet_debit(%s, %s, member_id => %s)"
TRY_DEBIT = "SELECT * FROM credits.wallet_try_debit(%s, %s, member_id => %s)"
HOLD = "SELECT * FROM credits.hold_create(%s, %s, member_id => %s)"
EVENT = "SELECT * FROM credits.report_meter_event(%s, 'calls', %s, %s, member_id => %s)"
MEMBER = "SELECT * FROM credits.member_limit_set(%s, %s, %s, %s)"
CALLS = "SELECT * FROM credits.usage_limit_set(%s, 'calls', %s, %s)"


def _give(pair: Pair, most: int, per: str = "day") -> None:
    pair.give(1000)
    pair.first.one(MEMBER, pair.customer, "kim", most, per)


def _used(pair: Pair) -> list[tuple[str | None, int]]:
    rows = pair.observer.all(
        "SELECT member_id, used FROM credits.limits WHERE customer_id = %s ORDER BY member_id", pair.customer
    )
    return [(row["member_id"], row["used"]) for row in rows]


def nearly_all_is_used(pair: Pair) -> None:
    """two debits of one member, the first takes nearly all of the limit: the waiting one is refused, with what is used"""
    for per in ("day", "1 hour"):
        pair.customer = f"nearly_{per.replace(' ', '_')}"
        _give(pair, 100, per)
        pair.first.begin()
        pair.first.one(DEBIT, pair.customer, 95, "kim")
        waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 10, "kim"))
        pair.first.commit()
        error = refusal(waiting.one)
        pair.checks.equal(error.sqlstate, "PC021", f"per {per}: refused")
        detail = json.loads(error.diag.message_detail or "{}")
        seen = (detail.get("used"), detail.get("requested"), detail.get("member_id"))
        pair.checks.equal(seen, ("95", "10", "kim"), "DETAIL: 95 used, 10 requested, by whom")
        pair.checks.equal(pair.balance(), (905, 0, 0), "905 are left")


def nearly_all_is_given_back(pair: Pair) -> None:
    """the same, and the first rolls back: the waiting one goes through"""
    _give(pair, 100)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 95, "kim")
    waiting = pair.blocked(pair.second.start(TRY_DEBIT, pair.customer, 10, "kim"))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["ok"], True, "ok")
    pair.checks.equal(_used(pair), [("kim", 10)], "10 are used")


def held_meanwhile(pair: Pair) -> None:
    """a debit waits while nearly all of the limit is held: refused until the hold is released"""
    _give(pair, 100)
    pair.first.begin()
    hold = pair.first.one(HOLD, pair.customer, 95, "kim")["hold_id"]
    waiting = pair.blocked(pair.second.start(TRY_DEBIT, pair.customer, 10, "kim"))
    pair.first.commit()
    answer = waiting.one()
    pair.checks.equal((answer["ok"], answer["shortfall"]), (False, 5), "refused, 5 short")
    pair.first.begin()
    pair.first.one("SELECT * FROM credits.hold_capture(%s, %s, 20)", pair.customer, hold)
    waiting = pair.blocked(pair.second.start(HOLD, pair.customer, 80, "kim"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["status"], "open", "what went back can be held")
    pair.checks.equal(_used(pair), [("kim", 100)], "100 are used or held")


def canceled_meanwhile(pair: Pair) -> None:
    """an event waits while another is canceled: it has the room that came back"""
    pair.give(1000)
    pair.first.one(CALLS, pair.customer, 100, "day")
    pair.first.one(EVENT, pair.customer, 95, "one", None)
    pair.first.begin()
    pair.first.one("SELECT * FROM credits.meter_event_cancel(%s, 'one')", pair.customer)
    waiting = pair.blocked(pair.second.start(EVENT, pair.customer, 60, "two", None))
    pair.first.commit()
    pair.checks.equal(waiting.one()["consumed"], 60, "charged")
    pair.checks.equal(_used(pair), [(None, 60)], "60 are used")


def set_meanwhile(pair: Pair) -> None:
    """a debit waits while the first limit of the account is set: it keeps to it"""
    pair.give(1000)
    pair.first.one(DEBIT, pair.customer, 8, "kim")
    pair.first.begin()
    answer = pair.first.one(MEMBER, pair.customer, "kim", 10, "day")
    pair.checks.equal(answer["used"], 8, "8 are used")
    waiting = pair.blocked(pair.second.start(TRY_DEBIT, pair.customer, 3, "kim"))
    pair.first.commit()
    answer = waiting.one()
    pair.checks.equal((answer["ok"], answer["reason"]), (False, "limit_exceeded"), "refused")


def spent_meanwhile(pair: Pair) -> None:
    """a limit is set behind a debit under way: that counts"""
    pair.give(1000)
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 8, "kim")
    waiting = pair.blocked(pair.second.start(MEMBER, pair.customer, "kim", 10, "day"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["used"], 8, "8 are used")


def set_twice(pair: Pair) -> None:
    """two sessions set one limit: the later one's amount stands"""
    pair.give(1000)
    pair.first.begin()
    pair.first.one(MEMBER, pair.customer, "kim", 10, "day")
    waiting = pair.blocked(pair.second.start(MEMBER, pair.customer, "kim", 20, "day"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["amount"], 20, "20")


def removed_meanwhile(pair: Pair) -> None:
    """a debit waits while the limit is removed: it goes through, and the account is as quick as before"""
    _give(pair, 10)
    pair.first.begin()
    pair.first.one(MEMBER, pair.customer, "kim", "infinity", "day")
    waiting = pair.blocked(pair.second.start(DEBIT, pair.customer, 30, "kim"))
    pair.first.commit()
    pair.checks.equal(waiting.one()["debited"], 30, "30 taken")
    row = pair.observer.one(
        "SELECT charge_above < 'infinity' AS quick FROM credits_internal.accounts WHERE customer_id = %s", pair.customer
    )
    pair.checks.equal(row["quick"], True, "the head may pay alone")


def all_at_once(pair: Pair) -> None:
    """three sessions of two members spend until a member's limit and the team's are used up: exactly that much"""
    pair.give(1000)
    pair.first.one(MEMBER, pair.customer, "kim", "12.5", "1 hour")
    pair.first.one("SELECT * FROM credits.usage_limit_set(%s, amount => 40, per => 'month')", pair.customer)
    taken: list[tuple[str, Decimal]] = []

    def spend(session: Session, number: int) -> None:
        for turn in range(60):
            member = "kim" if (number + turn) % 2 else "lee"
            amount = (Decimal(1), Decimal("0.7"), Decimal("1.3"))[(number + turn) % 3]
            if turn % 4:
                if session.one(TRY_DEBIT, pair.customer, amount, member)["ok"]:
                    taken.append((member, amount))
                continue
            batch = "SELECT * FROM credits.report_meter_events(%s, %s, %s::numeric[], %s, member_ids => %s)"
            keys = [f"{number} {turn} {event}" for event in range(3)]
            customers, meters = [pair.customer] * 3, ["calls"] * 3
            rows = session.all(batch, customers, meters, [amount, Decimal(1), Decimal("0.1")], keys, [member, "lee", "kim"])
            for row, who in zip(rows, (member, "lee", "kim")):
                if row["error"] is None:
                    taken.append((who, row["consumed"]))

    sessions = (pair.first, pair.second, pair.third)
    threads = [threading.Thread(target=spend, args=(session, number)) for number, session in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    by_kim, by_all = sum(amount for who, amount in taken if who == "kim"), sum(amount for _, amount in taken)
    pair.checks.equal(_used(pair), [("kim", by_kim), (None, by_all)], "used is what was acknowledged")
    # Less may be left than what they try to spend.
    full = (Decimal(11) < by_kim <= Decimal("12.5"), Decimal("39.3") < by_all <= 40)
    pair.checks.equal(full, (True, True), f"used up, and not exceeded: {by_kim}, {by_all}")


CASES = [
    nearly_all_is_used, nearly_all_is_given_back, held_meanwhile, canceled_meanwhile, set_meanwhile, spent_meanwhile, set_twice,
    removed_meanwhile, all_at_once,
]  # fmt: skip
