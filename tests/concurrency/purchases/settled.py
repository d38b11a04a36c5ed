"""After the purchases: what the sessions were told and told, held against what the database has.

Each function returns what is wrong, so that an empty list is right.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from spending import PLAIN, WILD, Report
from support import harness, journal
from support.harness import Checks
from told import NOTHING, Due, Purchase, Told, due

Connection = psycopg.Connection[Any]
CONSUMERS = ("mails", "books")
# Until the last hold, the last credits that run out and the last unanswered request have ended.
PATIENCE = 5.0
MOMENTS = 40


def check(checks: Checks, database: str, report: Report) -> None:
    with harness.connect(database) as connection:
        checks.none(harness.verify(connection), "verify() finds nothing as the sessions end")
        time.sleep(PATIENCE)
        checks.none(harness.verify(connection), "verify() finds nothing before maintain()")
        before = seen(connection)
        connection.execute("CALL credits.maintain()")
        checks.none(harness.verify(connection), "verify() finds nothing after maintain()")
        checks.equal(seen(connection), before, "wallets and grants say the same after it as before")

        rows = {str(row["top_up_id"]): row for row in all_of(connection, "SELECT * FROM credits.top_ups")}
        dues = what_is_due(rows, report)
        checks.none(begun(rows, report), "every purchase was begun once, and there is no other")
        checks.none(once(connection, report), "whatever was told many times was done and recorded once")
        checks.none(unlike(rows, dues), f"{len(rows)} purchases: what went back of each is its part, to the millionth")
        checks.none(grants(connection, rows, dues), "credits were granted once for what was paid, and for nothing else")
        checks.none(balances(connection, rows, dues, report), "plain wallets have what was given less what was spent")
        checks.none(conserved(connection, rows, report), "in the others all that was given is there, spent or gone")
        checks.none(below_zero(connection), "nothing was below zero at any line")
        checks.none(moments(connection), "wallet_balance_at says at random moments what the lines come to")
        checks.none(journal.double_entry(connection, journal.read(connection)), "the journal sums to zero")
        checks.none(requests(connection, dues), "of the requests of accounts those are paid whose purchases are")
        checks.none(outbox(connection, report), "every row of the outbox was handed to somebody, in order")
        checks.none(harness.verify(connection), "verify() finds nothing then")


def all_of(connection: Connection, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


def seen(connection: Connection) -> list[list[dict[str, Any]]]:
    """What readers see of every wallet and every grant."""
    return [all_of(connection, f"SELECT * FROM credits.{view} ORDER BY 1, 2") for view in ("wallets", "grants")]


def what_is_due(rows: Mapping[str, dict[str, Any]], report: Report) -> dict[str, Due]:
    by_purchase: dict[str, set[Told]] = defaultdict(set)
    for top_up_id, one, _, _ in report.told:
        by_purchase[top_up_id].add(one)
    return {
        id_: due(Purchase(row["customer_id"], id_, row["amount"], row["credits"]), by_purchase[id_])
        for id_, row in rows.items()
    }


def begun(rows: Mapping[str, dict[str, Any]], report: Report) -> list[str]:
    """Of all answers that name a purchase one is no replay; those that nobody was answered belong to auto-recharges."""
    firsts = Counter(purchase.id for purchase, first in report.bought if first)
    wrong = [f"{purchase} was begun {firsts[purchase.id]} times" for purchase, _ in report.bought
             if firsts[purchase.id] != 1 or purchase.id not in rows]  # fmt: skip
    return wrong + [f"nobody began {id_}" for id_, row in rows.items() if not row["recharge_id"] and id_ not in firsts]


def once(connection: Connection, report: Report) -> list[str]:
    """Each webhook was new once, each call once or never where a webhook was first; and each thing is recorded once."""
    firsts = Counter((id_, one, way) for id_, one, way, first in report.told if first)
    told = {(id_, one, way) for id_, one, way, _ in report.told if one.reference is not None}
    wrong = []
    for id_, one, way in told:
        least = 0 if way == "call" and (id_, one, "webhook") in told else 1
        if not least <= firsts[id_, one, way] <= 1:
            wrong.append(f"{one} by {way} was new {firsts[id_, one, way]} times")
    log = "SELECT top_up_id::text AS id, type, provider_reference AS reference FROM credits.payment_log"
    recorded = Counter(tuple(row.values()) for row in all_of(connection, log) if row["reference"] is not None)
    expected = {(id_, one.kind, one.reference) for id_, one, _ in told}
    wrong += [f"{key} is recorded {number} times" for key, number in recorded.items() if number != 1]
    return wrong + [f"told and not recorded, or the reverse: {key}" for key in expected ^ recorded.keys()]


def unlike(rows: Mapping[str, dict[str, Any]], dues: Mapping[str, Due]) -> list[str]:
    wrong = []
    for id_, expected in dues.items():
        row = rows[id_]
        found = row["refunded_amount"], row["disputed_amount"], row["reclaimed"]
        fits = found == (expected.refunded, expected.disputed, expected.reclaimed)
        if row["status"] not in expected.statuses or not fits:
            wrong.append(f"{row['customer_id']} {id_}: {row['status']} {found}, due is {expected}")
    return wrong


def grants(connection: Connection, rows: Mapping[str, dict[str, Any]], dues: Mapping[str, Due]) -> list[str]:
    """Of what was bought; what a transfer made of it elsewhere is no grant of the purchase's."""
    bought = "SELECT grant_id, amount FROM credits.grants WHERE granted_by = 'top_up' AND transferred_from IS NULL"
    there = {row["grant_id"]: row["amount"] for row in all_of(connection, bought)}
    paid = {rows[id_]["grant_id"]: rows[id_]["credits"] for id_, expected in dues.items() if expected.is_paid}
    return [f"{grant}: {there.get(grant)}, bought was {paid.get(grant)}" for grant in there.keys() | paid.keys()
            if there.get(grant) != paid.get(grant)]  # fmt: skip


def balances(
    connection: Connection, rows: Mapping[str, dict[str, Any]], dues: Mapping[str, Due], report: Report
) -> list[str]:
    """By what was told alone. Where there are credits nothing is owed, so that both are known."""
    wrong = []
    for wallet in PLAIN:
        net = report.net[wallet]
        for id_, expected in dues.items():
            if rows[id_]["customer_id"] == wallet and expected.is_paid:
                net += rows[id_]["credits"] - expected.reclaimed
        (row,) = all_of(connection, "SELECT * FROM credits.wallet_balance(%s)", [wallet])
        found = row["available"], row["restricted"], row["held"], row["pending"]
        expected_balance = (max(net, NOTHING), NOTHING, NOTHING, max(-net, NOTHING))
        if found != expected_balance:
            wrong.append(f"{wallet}: {found}, not {expected_balance}")
    return wrong


def conserved(connection: Connection, rows: Mapping[str, dict[str, Any]], report: Report) -> list[str]:
    """All that was given and bought is there, has lapsed, was taken back, was spent, or paid for what was spent of
    purchases that were paid back."""
    given = sum((report.net[wallet] for wallet in WILD), NOTHING)
    paid = [row for row in rows.values() if row["customer_id"] in WILD and row["grant_id"] is not None]
    given += sum((row["credits"] for row in paid), NOTHING)
    (found,) = all_of(
        connection,
        "SELECT"
        " (SELECT sum(balance + held - pending) FROM credits.wallets WHERE customer_id = ANY (%(wild)s)) AS there,"
        " (SELECT sum(lapsed) FROM credits.grants WHERE customer_id = ANY (%(wild)s)) AS lapsed,"
        " (SELECT sum(consumed + pending) FROM credits_internal.reclaims WHERE customer_id = ANY (%(wild)s)) AS owed",
        {"wild": WILD},
    )
    total = sum(found.values(), NOTHING)
    return [] if given == total else [f"{given} given less what was spent, {total} found: {found}"]


def below_zero(connection: Connection) -> list[str]:
    """The sums of an account's lines, and of each grant's, line by line."""
    found = all_of(
        connection,
        "SELECT * FROM (SELECT customer_id, line_no, sum(amount) OVER account AS balance,"
        "  sum(coalesce(held, 0)) OVER account AS held, sum(coalesce(pending, 0)) OVER account AS pending,"
        "  sum(CASE WHEN grant_id IS NULL THEN 0 ELSE amount END) OVER its_grant AS remaining"
        "  FROM credits_internal.lines WINDOW account AS (PARTITION BY customer_id, currency ORDER BY line_no),"
        "  its_grant AS (PARTITION BY customer_id, grant_id ORDER BY line_no)) AS l"
        " WHERE least(balance, held, pending, remaining) < 0",
    )
    return [str(tuple(row.values())) for row in found]


def moments(connection: Connection) -> list[str]:
    """Whatever was posted late took effect when it did: so the lines up to a moment are what there was then."""
    random_ = random.Random("moments")
    span = "SELECT min(created_at) AS since, max(created_at) - min(created_at) AS lasted FROM credits.ledger"
    (mixed,) = all_of(connection, span)
    wrong = []
    for wallet in all_of(connection, "SELECT customer_id FROM credits.wallets"):
        for _ in range(MOMENTS):
            at: datetime = mixed["since"] + mixed["lasted"] * random_.random()
            (row,) = all_of(
                connection,
                "SELECT b.available + b.restricted AS balance, b.held, b.pending, l.* FROM credits.wallet_balance_at("
                "%(customer_id)s, 'CREDIT', %(at)s) b, (SELECT coalesce(sum(amount), 0), coalesce(sum(held), 0),"
                " coalesce(sum(pending), 0) FROM credits_internal.lines WHERE customer_id = %(customer_id)s"
                " AND effective_at <= %(at)s) AS l (l_balance, l_held, l_pending)",
                {**wallet, "at": at},
            )
            found = list(row.values())
            if found[:3] != found[3:]:
                wrong.append(f"{wallet['customer_id']} at {at}: {found[:3]}, by its lines {found[3:]}")
    return wrong


def requests(connection: Connection, dues: Mapping[str, Due]) -> list[str]:
    """A request is paid where its purchase is, however late that was; nobody's else is."""
    rows = all_of(connection, "SELECT top_up_id::text AS id, customer_id, status FROM credits.recharge_log")
    # One that no worker began, and of which nothing was told, has no purchase.
    paid = {top_up_id for top_up_id, due in dues.items() if due.is_paid}
    return [str(row) for row in rows if (row["status"] == "paid") != (row["id"] in paid)]


def outbox(connection: Connection, report: Report) -> list[str]:
    """Whatever is left is handed out now; then each customer's rows were handed out from the first to the last."""
    handed = set(report.handed)
    wrong = []
    for consumer in CONSUMERS:
        while taken := all_of(connection, "SELECT * FROM credits.outbox_claim(%s, 500, '1 hour')", [consumer]):
            ids = [row["outbox_id"] for row in taken]
            (acked,) = all_of(connection, "SELECT credits.outbox_ack(%s, %s) AS number", [consumer, ids])
            if acked["number"] != len(ids):
                wrong.append(f"{consumer} acknowledged {len(ids)}, and was answered {acked}")
                break
            handed |= {(row["customer_id"], row["outbox_no"]) for row in taken}
    last = all_of(connection, "SELECT customer_id, last_no FROM credits_internal.outbox_counters")
    ever = {(row["customer_id"], number) for row in last for number in range(1, row["last_no"] + 1)}
    wrong += [f"nobody was handed {key}" for key in ever - handed] + [f"from nowhere: {key}" for key in handed - ever]
    return wrong + [f"still there: {row}" for row in all_of(connection, "SELECT * FROM credits.outbox_rows")]
