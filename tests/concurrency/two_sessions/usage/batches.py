"""A batch beside a session that has one of its accounts."""

from __future__ import annotations

from sessions import Pair

CREDIT = "SELECT * FROM credits.wallet_credit(%s, %s)"
CUSTOMER = "SELECT credits.customer_upsert(%s)"


def creates_a_later_account(pair: Pair) -> None:
    """a batch of two customers, of whom the later has no account yet, beside a transaction that charges both in their order"""
    pair.observer.one("SELECT credits.meter_create('later_account', aggregation => 'max')")
    pair.observer.one(CREDIT, "made early", 10)
    pair.observer.one(CUSTOMER, "made late")
    # A batch that fails is charged customer by customer: so it is the other that would be failed.
    pair.second.connection.execute("SET deadlock_timeout = '1min'")
    pair.first.begin()
    # A row that is only locked, and not changed, stops nobody who looks for it to create it.
    pair.first.one("SELECT * FROM credits.wallet_try_debit('made early', 1000)")
    batch = "SELECT * FROM credits.report_meter_events(%s::text[], %s::text[], %s::numeric[], %s::text[])"
    other = pair.blocked(
        pair.second.start(batch, ["made late", "made early"], ["later_account"] * 2, [1, 1], ["late", "early"])
    )
    pair.first.one("SELECT * FROM credits.report_meter_event('made late', 'later_account', 1, 'first')")
    pair.first.commit()
    pair.checks.equal([(row["status"], row["error"]) for row in other.all()], [("processed", None)] * 2, "both went on")


CASES = (creates_a_later_account,)
