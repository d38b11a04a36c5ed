"""What a script makes if it is not there yet, in two sessions at once; and a database of tests that is emptied while
others are connected.
"""

from __future__ import annotations

from sessions import DEBIT, EVENT, HOLD, Pair, Row, refusal

# Every create with if_not_exists: its SQL, its terms, and others.
CREATES: dict[str, tuple[str, tuple[str, int, int]]] = {
    "currency_create": ("SELECT * FROM credits.currency_create(%s, decimals => %s, if_not_exists => true)", ("TOKEN", 3, 4)),
    "meter_create": ("SELECT * FROM credits.meter_create(%s, unit_price => %s, if_not_exists => true)", ("pages", 3, 4)),
    "package_create": (
        "SELECT * FROM credits.package_create(%s, %s, 10, 'USD', if_not_exists => true)", ("Pack", 300, 400),
    ),
}  # fmt: skip
RESET = "SELECT credits.reset()"
PUT = "INSERT INTO credits.inbox (customer_id, event_name, identifier) SELECT %s, 'calls', %s || i FROM generate_series(1, %s) i"
SETTLE = "SELECT credits.settle(1000) AS settled"
COUNT = "SELECT (SELECT count(*) FROM credits.customers) AS customers, (SELECT count(*) FROM credits.ledger) AS lines"


def made(row: Row) -> Row:
    """What was made, whoever made it."""
    return {column: value for column, value in row.items() if column != "replayed"}


def same_terms_committed(pair: Pair) -> None:
    """one thing made in two sessions: the second waits, and once the first commits gets what the first made"""
    for function, (call, (name, terms, _)) in CREATES.items():
        for isolation in ("READ COMMITTED", "REPEATABLE READ"):
            key = f"{name} {isolation[:10]}"
            pair.first.begin()
            one = pair.first.one(call, key, terms)
            pair.second.begin(isolation)
            waiting = pair.blocked(pair.second.start(call, key, terms))
            pair.first.commit()
            if isolation == "REPEATABLE READ" and function != "package_create":
                state = refusal(waiting.one).sqlstate
                pair.checks.equal(state, "40001", f"{function}: a snapshot of before is no answer")
                pair.second.rollback()
                pair.second.begin(isolation)
                pair.checks.equal(made(pair.second.one(call, key, terms)), made(one), f"{function}: the same, tried again")
            else:
                pair.checks.equal(made(waiting.one()), made(one), f"{function}: the same")
            pair.second.commit()
    row = pair.observer.one("SELECT count(*) AS number FROM credits.packages WHERE name LIKE 'Pack %%'")
    pair.checks.equal(row["number"], 2, "package_create: made once each")


def same_terms_rolled_back(pair: Pair) -> None:
    """one thing made in two sessions: once the first rolls back, the second makes it"""
    for function, (call, (name, terms, _)) in CREATES.items():
        key = f"{name} again"
        pair.first.begin()
        pair.first.one(call, key, terms)
        waiting = pair.blocked(pair.second.start(call, key, terms))
        pair.first.rollback()
        one = waiting.one()
        there = pair.first.one(call, key, terms)
        pair.checks.equal(made(there), made(one), f"{function}: made, and there for the first as well")


def other_terms_committed(pair: Pair) -> None:
    """one thing made in two sessions on other terms: once the first commits, the second is told what differs"""
    for function, (call, (name, terms, others)) in CREATES.items():
        key = f"{name} otherwise"
        pair.first.begin()
        pair.first.one(call, key, terms)
        waiting = pair.blocked(pair.second.start(call, key, others))
        pair.first.commit()
        error = refusal(waiting.one)
        pair.checks.equal(error.sqlstate, "PC002", f"{function}: refused")
        pair.checks.check(f'is "{terms}", not "{others}"' in str(error), f"{function}: says what differs")


def emptied_while_others_work(pair: Pair) -> None:
    """a reset waits for a session in the middle of its work, and keeps it from nothing that it goes on to do"""
    pair.give(100)
    pair.second.all("SET credits.production = off")
    pair.first.begin()
    pair.first.one(DEBIT, pair.customer, 1, "a")
    emptying = pair.second.start(RESET)
    for number in range(30):
        pair.first.one(HOLD, pair.customer, 1, f"hold {number}")
        pair.first.one(EVENT, pair.customer, 1, f"event {number}")
        pair.first.one("SELECT * FROM credits.customer_upsert(%s)", f"new {number}")
        pair.first.one("SELECT count(*) FROM credits.wallets")
    pair.checks.check(not emptying.done, "it waits")
    pair.first.commit()
    emptying.all()
    pair.checks.equal(tuple(pair.observer.one(COUNT).values()), (0, 0), "everything is gone")


def emptied_while_others_remember(pair: Pair) -> None:
    """sessions that know meters, plans and the places of the inbox's rows go on as in a new database"""
    pair.second.all("SET credits.production = off")
    for turn in range(3):
        pair.give(100)
        pair.checks.equal(pair.first.one(EVENT, pair.customer, 1, "e")["replayed"], False, "the identifier is free")
        pair.checks.equal(pair.first.one(DEBIT, pair.customer, 1, "d")["available"], 98, "nothing is spent")
        pair.first.all(PUT, pair.customer, "i", 50 * (turn + 1))
        pair.checks.equal(pair.first.one(SETTLE)["settled"], 50 * (turn + 1), "all of the inbox")
        pair.first.all(PUT, pair.customer, "j", 5)
        pair.checks.none(pair.observer.all("SELECT * FROM credits.verify()"), "verify() finds nothing")
        # Now and then by TRUNCATE, which puts the next rows where others were.
        pair.second.begin("REPEATABLE READ" if turn % 2 else "READ COMMITTED")
        pair.second.all(RESET)
        pair.second.commit()
        pair.checks.equal(pair.first.one(SETTLE)["settled"], 0, "nothing waits")
    pair.checks.equal(tuple(pair.observer.one(COUNT).values()), (0, 0), "everything is gone")


CASES = (
    same_terms_committed, same_terms_rolled_back, other_terms_committed, emptied_while_others_work,
    emptied_while_others_remember,
)  # fmt: skip
