"""What a session remembers of meters, currencies and the inbox, while another session changes them."""

from __future__ import annotations

import time
from decimal import Decimal

from sessions import EVENT, Pair, refusal

PUT = """INSERT INTO credits.inbox (customer_id, event_name, identifier)
         SELECT %s, 'calls', %s || i FROM generate_series(1, %s) i"""
SETTLE = "SELECT credits.settle(1000) AS settled"
PRICE = "SELECT * FROM credits.meter_update(%s, unit_price => %s)"
LATER = "SELECT * FROM credits.meter_update(%s, unit_price => %s, effective_at => now() + %s * interval '1 s')"
AT = "SELECT * FROM credits.meter_update(%s, unit_price => %s, effective_at => '2100-01-01Z')"
OVERRIDE = "SELECT * FROM credits.meter_price_override(%s, %s, unit_price => %s)"
END_LATER = "SELECT * FROM credits.meter_price_override_end(%s, %s, ends_at => now() + %s * interval '1 s')"
NAMED = "SELECT * FROM credits.report_meter_event(%s, %s, 1, %s)"


def a_change_is_seen_by_the_next_call(pair: Pair) -> None:
    """a meter switched off by one session refuses the other's next event, and takes it again when switched on"""
    meter = _meter(pair)
    pair.second.one(NAMED, pair.customer, meter, "a")
    pair.first.one("SELECT * FROM credits.meter_deactivate(%s)", meter)
    pair.checks.equal(refusal(lambda: pair.second.one(NAMED, pair.customer, meter, "b")).sqlstate, "PC005", "refused")
    pair.first.one("SELECT * FROM credits.meter_activate(%s)", meter)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "b")["consumed"], 1, "taken again")


def a_change_counts_from_its_commit(pair: Pair) -> None:
    """a change that is not committed, or is rolled back, is nobody else's"""
    meter = _meter(pair)
    pair.second.one(NAMED, pair.customer, meter, "a")
    pair.first.begin()
    pair.first.one("SELECT * FROM credits.meter_deactivate(%s)", meter)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "b")["consumed"], 1, "not committed: not seen")
    pair.first.rollback()
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "c")["consumed"], 1, "rolled back: not seen")
    pair.checks.equal(pair.first.one(NAMED, pair.customer, meter, "d")["consumed"], 1, "nor by the one who tried")


def an_old_snapshot_is_not_remembered(pair: Pair) -> None:
    """a REPEATABLE READ transaction sees the meter as it was, and leaves nothing of that behind in its session"""
    meter = _meter(pair)
    pair.second.one(NAMED, pair.customer, "calls", "a session remembers from its second look on")
    pair.second.begin("REPEATABLE READ")
    pair.second.one("SELECT count(*) FROM credits_internal.meters")
    pair.first.one("SELECT * FROM credits.meter_deactivate(%s)", meter)
    pair.second.one("SELECT count(*) FROM credits_internal.meters")  # the session hears of the change; its snapshot stays
    pair.second.one(NAMED, pair.customer, meter, "as it was")
    pair.second.commit()
    error = refusal(lambda: pair.second.one(NAMED, pair.customer, meter, "as it is"))
    pair.checks.equal(error.sqlstate, "PC005", "the next transaction is refused")


def a_price_for_later(pair: Pair) -> None:
    """a price that one session sets for a moment, which passes while the other is connected and hears of nothing"""
    meter = _meter(pair)
    pair.first.one(LATER, meter, 2, 0.7)
    for number in range(3):
        pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, f"a{number}")["consumed"], 1, "until then")
    time.sleep(0.8)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "b")["consumed"], 2, "from then on")
    pair.second.begin("REPEATABLE READ")
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "c")["consumed"], 2, "in an old snapshot too")
    pair.second.commit()


def a_change_that_began_before_another(pair: Pair) -> None:
    """two changes of a price: what is set last is in force, though its transaction began first"""
    meter = _meter(pair)
    pair.first.begin()
    pair.first.one("SELECT now()")
    pair.second.one(PRICE, meter, 2)
    pair.first.one(PRICE, meter, 3)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "a")["consumed"], 2, "not committed: not seen")
    pair.first.commit()
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "b")["consumed"], 3, "the last one")
    pair.checks.equal(pair.first.one("SELECT unit_price FROM credits.meters WHERE event_name = %s", meter)["unit_price"],
                      3, "in the view too")  # fmt: skip


def two_prices_for_one_moment(pair: Pair) -> None:
    """two sessions set a price for the same moment: the second waits, and its price takes the place of the first's"""
    meter = _meter(pair)
    pair.first.begin()
    pair.first.one(AT, meter, 2)
    waiting = pair.blocked(pair.second.start(AT, meter, 3), pair.first)
    pair.first.commit()
    waiting.one()
    rows = pair.first.all("SELECT unit_price, price_since = price_until AS replaced FROM credits.price_versions"
                          " WHERE event_name = %s AND price_version > 1 ORDER BY price_version", meter)  # fmt: skip
    pair.checks.equal([tuple(row.values()) for row in rows], [(2, True), (3, None)], "both are there")


def an_override(pair: Pair) -> None:
    """a customer's own price that one session sets and ends: the other's next event has it, once it is committed"""
    meter = _meter(pair)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "a")["consumed"], 1, "the meter's price")
    pair.first.begin()
    pair.first.one(OVERRIDE, pair.customer, meter, Decimal("0.5"))
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "b")["consumed"], 1, "not committed: not seen")
    pair.first.commit()
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "c")["consumed"], 0.5, "then theirs")
    pair.first.one("SELECT * FROM credits.meter_update(%s, unit_price => 7)", meter)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "d")["consumed"], 0.5, "whatever the meter's is")
    pair.first.one(END_LATER, pair.customer, meter, 0.7)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "e")["consumed"], 0.5, "until it ends")
    time.sleep(0.8)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "f")["consumed"], 7, "the meter's again")


def two_overrides(pair: Pair) -> None:
    """two sessions set a customer's price: the second waits, and what is set last is in force"""
    meter = _meter(pair)
    pair.first.begin()
    pair.first.one(OVERRIDE, pair.customer, meter, 2)
    waiting = pair.blocked(pair.second.start(OVERRIDE, pair.customer, meter, 3), pair.first)
    pair.first.commit()
    pair.checks.equal(waiting.one()["override_no"], 2, "the second")
    pair.checks.equal(pair.first.one(NAMED, pair.customer, meter, "a")["consumed"], 3, "in force")
    pair.first.begin()
    pair.first.one(OVERRIDE, pair.customer, meter, 4)
    waiting = pair.blocked(pair.second.start(OVERRIDE, pair.customer, meter, 4), pair.first)
    pair.first.commit()
    row = waiting.one()
    pair.checks.equal((row["override_no"], row["replayed"]), (3, True), "the same twice is one")


def more_overrides_than_are_read_at_once(pair: Pair) -> None:
    """of a meter with more than a thousand, each customer's are read, and forgotten when one changes"""
    meter = _meter(pair)
    pair.first.all("SELECT credits.meter_price_override(c.customer_id, %s, unit_price => 2)"
                   " FROM (SELECT i::text AS i FROM generate_series(1, 1001) i) i,"
                   " credits.customer_upsert(%s || i) c", meter, f"many {pair.customer} ")  # fmt: skip
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "a")["consumed"], 1, "one who has none")
    pair.checks.equal(pair.second.one(NAMED, f"many {pair.customer} 7", meter, "a")["pending"], 2, "one who has one")
    pair.first.one(OVERRIDE, pair.customer, meter, 3)
    pair.checks.equal(pair.second.one(NAMED, pair.customer, meter, "b")["consumed"], 3, "who has one now")


def a_currency_too(pair: Pair) -> None:
    """a currency switched off by one session refuses the other's next debit and event"""
    pair.give(10)
    pair.second.one(EVENT, pair.customer, 1, "a")
    pair.first.one("SELECT * FROM credits.currency_update('CREDIT', active => false)")
    try:
        error = refusal(lambda: pair.second.one(EVENT, pair.customer, 1, "b"))
        pair.checks.equal(error.sqlstate, "PC008", "the event is refused")
        error = refusal(lambda: pair.second.one("SELECT * FROM credits.wallet_debit(%s, 1)", pair.customer))
        pair.checks.equal(error.sqlstate, "PC008", "the debit is refused")
    finally:
        pair.first.one("SELECT * FROM credits.currency_update('CREDIT', active => true)")
    pair.checks.equal(pair.second.one(EVENT, pair.customer, 1, "b")["consumed"], 1, "and taken again")


def a_row_that_is_committed_late(pair: Pair) -> None:
    """a row of the inbox that another transaction put in before, and commits after the session has gone past its page"""
    pair.give(1000)
    pair.first.begin()
    pair.first.all(PUT, pair.customer, "early", 1)
    pair.second.all(PUT, pair.customer, "late", 500)
    pair.checks.equal(pair.second.one(SETTLE)["settled"], 500, "what is committed is taken out, some pages of it")
    pair.second.all(PUT, pair.customer, "later", 2)
    pair.checks.equal(pair.second.one(SETTLE)["settled"], 2, "what came since is found behind it")
    pair.first.commit()
    pair.checks.equal(pair.second.one(SETTLE)["settled"], 1, "and what was there before, once it is committed")
    pair.second.all(PUT, pair.customer, "last", 3)
    pair.checks.equal(pair.second.one(SETTLE)["settled"], 3, "then what comes next")
    pair.checks.equal(pair.second.one(SETTLE)["settled"], 0, "and nothing twice")
    pair.checks.equal(pair.balance(), (494, 0, 0), "1000 less 506")


def rows_that_lie_apart(pair: Pair) -> None:
    """a few rows of the inbox with drained pages between them"""
    pair.give(1000)
    pair.first.begin()
    pair.first.all(PUT, pair.customer, "early", 1)
    pair.second.all(PUT, pair.customer, "late", 500)
    pair.checks.equal(pair.second.one(SETTLE)["settled"], 500, "the pages between them are drained")
    pair.first.commit()
    pair.second.all(PUT, pair.customer, "last", 2)
    pair.checks.equal(pair.third.one(SETTLE)["settled"], 3, "a session that knows of none takes all of them")
    pair.checks.equal(pair.balance(), (497, 0, 0), "1000 less 503")


CASES = [a_change_is_seen_by_the_next_call, a_change_counts_from_its_commit, an_old_snapshot_is_not_remembered,
         a_price_for_later, a_change_that_began_before_another, two_prices_for_one_moment, an_override,
         two_overrides, more_overrides_than_are_read_at_once,
         a_currency_too, a_row_that_is_committed_late, rows_that_lie_apart]  # fmt: skip


def _meter(pair: Pair) -> str:
    """A meter of this case's own, and a customer who can pay."""
    pair.give(100)
    name = f"of {pair.customer}"
    pair.first.one("SELECT * FROM credits.meter_create(%s)", name)
    return name
