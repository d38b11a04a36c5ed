"""What must have come of all deliveries, held against what the extension says: grants, statuses, credits that went
back, contradictions, balances. What is due is in stories.py."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

import shop
from shop import Answer
from stories import Story
from support import harness, journal
from support.harness import Checks

Row = dict[str, Any]
Answers = list[tuple[int, str, Answer]]  # a session's, in its order: which purchase, what was told, what was answered

# How far a purchase has come.
RANK = {"initiated": 0, "failed": 1, "expired": 1, "paid": 2, "refunded": 3}


def goes_back(before: str, status: str, may_be_paid_again: bool) -> bool:
    return RANK[status] < RANK[before] and not (may_be_paid_again and (before, status) == ("refunded", "paid"))


class Found:
    """What the database says of every purchase."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        with connection.cursor(row_factory=dict_row) as cursor:
            begun = cursor.execute("SELECT number, top_up_id FROM public.begun").fetchall()
            self.ids: dict[int, str] = {row["number"]: row["top_up_id"] for row in begun}
            rows = cursor.execute("SELECT *, top_up_id::text AS id FROM credits.top_ups").fetchall()
            self.purchases: dict[str, Row] = {row["id"]: row for row in rows}
            self.log: dict[str, list[Row]] = defaultdict(list)
            for row in cursor.execute("SELECT *, top_up_id::text AS id FROM credits.payment_log ORDER BY payment_id"):
                self.log[row["id"]].append(row)
            self.webhooks = cursor.execute("SELECT *, top_up_id::text AS id FROM credits.webhook_log").fetchall()

    def purchase(self, story: Story) -> Row:
        return self.purchases[self.ids[story.number]]


def check(
    checks: Checks,
    connection: psycopg.Connection[Any],
    stories: list[Story],
    sessions: list[Answers],
    gifts: Mapping[str, Decimal],
    spent: Mapping[str, Decimal],
) -> None:
    found = Found(connection)
    answers = [one for session in sessions for one in session]
    begun = [story for story in stories if story.begins]
    checks.none(untold(stories, answers), f"{len(answers):,} answers: everything was told, of {len(begun)} purchases")
    checks.none(unlike_nothing(found, stories), "a purchase that was rolled back left nothing, whatever was told of it")
    checks.none(once(stories, answers), "whatever was told many times was done once")
    checks.none(backward(stories, sessions), "no session was told that a status went backward")
    checks.none(grants(connection, found, begun), "credits were granted once for what was paid, and for nothing else")
    checks.none(statuses(found, begun), "each purchase came to the status that it had to")
    checks.none(reclaimed(found, begun), "what went back is the part that was refunded or disputed, to the millionth")
    checks.none(contradictions(found, begun, answers), "every contradiction is recorded, and nothing else is one")
    checks.none(webhooks(found, begun, answers), "every event was kept once, with the outcome that was answered")
    checks.none(balances(connection, begun, gifts, spent), "balances are what was given, granted, spent and taken back")
    checks.none(journal.double_entry(connection, journal.read(connection)), "the journal sums to zero")
    checks.none(harness.verify(connection), "verify() finds nothing")


def untold(stories: list[Story], answers: Answers) -> list[str]:
    due = {told.key for story in stories if story.begins for delivery in story.deliveries for told in delivery}
    return sorted(due ^ {key for _, key, _ in answers})


def unlike_nothing(found: Found, stories: list[Story]) -> list[str]:
    wrong = []
    for story in stories:
        if not story.begins:
            top_up_id = found.ids[story.number]
            kept = [row for row in found.webhooks if row["event_id"].startswith(f"evt_{story.number}_")]
            if kept or top_up_id in found.purchases or found.log[top_up_id]:
                wrong.append(f"{story.kind} {story.number}: {kept}")
    return wrong


def once(stories: list[Story], answers: Answers) -> list[str]:
    """Each event was taken once. So was each call with a reference, or never where a webhook with that was first."""
    firsts: Counter[str] = Counter(key for _, key, answer in answers if not answer.replayed)
    wrong = []
    for story in stories:
        for told in (told for delivery in story.deliveries for told in delivery if story.begins):
            if told.function == "webhook_receive":
                fits = firsts[told.key] == 1
            else:
                fits = firsts[told.key] <= 1 or "provider_reference" not in told.values
            wrong += [] if fits else [f"{story.kind}, {told.key}: done {firsts[told.key]} times"]
    return wrong


def backward(stories: list[Story], sessions: list[Answers]) -> list[str]:
    wrong = []
    again = {story.number for story in stories if story.paid_again}
    for answers in sessions:
        seen: dict[int, str] = {}
        for number, key, answer in answers:
            if answer.status is None:
                continue
            before = seen.get(number, answer.status)
            if goes_back(before, answer.status, number in again):
                wrong.append(f"{key}: {answer.status} after {before}")
            seen[number] = answer.status
    return wrong


def grants(connection: psycopg.Connection[Any], found: Found, begun: list[Story]) -> list[str]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT g.customer_id, g.grant_id, g.amount, count(l.line_no) FILTER (WHERE l.type = 'grant') AS opened"
            " FROM credits_internal.credit_grants g LEFT JOIN credits_internal.lines l USING (customer_id, grant_id)"
            " WHERE g.category = 'paid' GROUP BY 1, 2, 3"
        ).fetchall()
    there = {row["grant_id"]: (row["customer_id"], row["amount"], row["opened"]) for row in rows}
    wrong = []
    for story in begun:
        grant_id = found.purchase(story)["grant_id"]
        grant = there.pop(grant_id, None)
        expected = (story.customer, story.price.credits, 1) if story.due.paid else None
        if grant != expected or (grant_id is None) == story.due.paid:
            wrong.append(f"{story.kind} {story.number}: {grant}, not {expected}")
    return wrong + [f"a grant for nothing: {grant}" for grant in there.items()]


def statuses(found: Found, begun: list[Story]) -> list[str]:
    seen = [(story, found.purchase(story)["status"]) for story in begun]
    return [f"{story.kind} {story.number}: {status}" for story, status in seen if status not in story.due.statuses]


def reclaimed(found: Found, begun: list[Story]) -> list[str]:
    seen = [(story, found.purchase(story)["reclaimed"]) for story in begun]
    return [
        f"{story.kind} {story.number}: {there}, not {story.reclaimed()}"
        for story, there in seen
        if there != story.reclaimed()
    ]


def contradictions(found: Found, begun: list[Story], answers: Answers) -> list[str]:
    """By the stories, by what was answered, and by the order in which failure and success were recorded."""
    answered = {number for number, _, answer in answers if answer.contradicts}
    wrong = []
    for story in begun:
        rows = found.log[found.ids[story.number]]
        recorded = any(row["contradiction"] is not None for row in rows)
        told = recorded == (story.number in answered) or not story.named
        if story.due.contradicts not in (None, recorded) or not told:
            wrong.append(f"{story.kind} {story.number}: {[(row['type'], row['contradiction']) for row in rows]}")
        paid = False
        for row in rows:
            paid = paid or (row["type"] == "succeeded" and story.due.paid)
            if row["type"] == "failed" and paid != (row["contradiction"] is not None):
                wrong.append(f"{story.kind} {story.number}: failed with {row['contradiction']}, paid before: {paid}")
    return wrong


def webhooks(found: Found, begun: list[Story], answers: Answers) -> list[str]:
    told = {
        told.key: (story, told)
        for story in begun for delivery in story.deliveries for told in delivery if told.function == "webhook_receive"
    }  # fmt: skip
    outcomes: dict[str, set[bool]] = defaultdict(set)
    for _, key, answer in answers:
        outcomes[key].add(answer.contradicts)
    kept = {row["event_id"]: row for row in found.webhooks}
    wrong = sorted(kept.keys() ^ told.keys())
    for key in kept.keys() & told.keys():
        row, (story, one) = kept[key], told[key]
        about = row["type"], row["customer_id"], row["id"], row["outcome"] == "contradiction"
        expected = one.values["type"], story.customer, found.ids[story.number]
        # One that names the payment alone may have been answered before anybody knew what to make of it.
        if about[:3] != expected or (one.metadata and outcomes[key] != {about[3]}):
            wrong.append(f"{key}: {about}, not {expected}")
    return wrong


def balances(
    connection: psycopg.Connection[Any],
    begun: list[Story],
    gifts: Mapping[str, Decimal],
    spent: Mapping[str, Decimal],
) -> list[str]:
    due: dict[str, Decimal] = defaultdict(Decimal)
    for customer, gift in gifts.items():
        due[customer] += gift
    for story in begun:
        due[story.customer] += story.price.credits - story.reclaimed() if story.due.paid else 0
    wrong = []
    for customer, balance in due.items():
        available, held, pending = shop.balance(connection, customer)
        if (available + held - pending, held) != (balance - spent[customer], 0):
            wrong.append(f"{customer}: {available} and {held} held, {pending} owed, not {balance - spent[customer]}")
    return wrong
