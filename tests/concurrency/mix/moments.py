"""After the random mix: wallet_balance_at against what the calls were told, and against a recomputation that knows no
running balance.

Each function returns what is wrong, so that an empty list is right.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from books import Account, Books, Line, State, by_operation
from calls import Done
from support import harness
from support.at_once import together

Connection = psycopg.Connection[Any]
# By customer; of states one for each moment.
Moments = dict[str, list[datetime]]
States = dict[str, list[State]]

ASKED = 1_000
PROCESSES = 4
AT = (
    "SELECT m.at, b.available, b.restricted, b.held, b.pending, b.balance FROM unnest(%s::timestamptz[]) AS m (at)"
    " CROSS JOIN LATERAL credits.wallet_balance_at(%s, 'CREDIT', m.at) AS b"
)

# Calls by which credits come in: they pay what is owed before they answer.
INCOMING = ("wallet_credit", "wallet_adjust", "hold_capture", "hold_release", "operation_reverse")


class Places:
    """Finds the last line of each call among an account's lines."""

    def __init__(self, account: Account, done: Sequence[Done]) -> None:
        self.lines = account.lines
        self.by_operation = by_operation(account)
        self.by_identifier: dict[str | None, list[Line]] = defaultdict(list)
        self.openings: dict[str | None, list[Line]] = defaultdict(list)
        for line in account.lines:
            # The lines by which an event was charged; those that paid what it owed came later.
            if line.type == "debt" or (line.type == "consumption" and line.pending == 0):
                self.by_identifier[line.identifier].append(line)
            elif line.type == "grant":
                self.openings[line.grant].append(line)
        # Where voiding or expiring a grant by hand came to: such a line is not a hold's, though it may follow it.
        self.by_hand = {
            (one.id, one.last_line)
            for one in done
            if one.call.function in ("credit_grant_void", "credit_grant_expire") and not one.replayed
        }

    def last_line(self, one: Done) -> int | None:
        """The number of the last line that a call wrote; None where it wrote none."""
        match one.call.function:
            case "report_meter_event":
                own = self.by_identifier[one.id]
            case "wallet_credit":
                own = self.openings[one.id]
            case "hold_create":
                own = [line for line in self.by_operation[one.id] if line.type == "hold"]
            case _:
                own = self.by_operation[one.id]
        if not own:
            return None
        last = own[-1].line_no
        if one.call.function in INCOMING and one.amount >= 0:
            last = self._after_incoming(last)
        return last

    def _after_incoming(self, last: int) -> int:
        """What came back to a grant that has ended lapses at once; what came in pays what is owed at once."""
        at = self.lines[last - 1].effective_at
        rest = [line for line in self.lines[last : last + 1] if line.effective_at == at]
        if rest and self.lines[last - 1].type in ("release", "reversal") and rest[0].type in ("expiration", "void"):
            if rest[0].grant == self.lines[last - 1].grant and (rest[0].grant, last + 1) not in self.by_hand:
                last += 1
        while last < len(self.lines) and self.lines[last].pending < 0 and self.lines[last].effective_at == at:
            last += 1
        return last


def in_place(books: Books, done: Sequence[Done], count: Callable[[str], None]) -> tuple[list[str], Moments]:
    """What each call said is available is what its account's lines come to after the last line of that call. Returns
    the moments of those lines as well."""
    wrong = []
    moments: dict[str, set[datetime]] = defaultdict(set)
    by_customer: dict[str, list[Done]] = defaultdict(list)
    for one in done:
        by_customer[one.call.customer].append(one)
    for customer, calls in by_customer.items():
        account = books[customer]
        places = Places(account, calls)
        for one in calls:
            if one.replayed or one.available is None:
                continue
            place = places.last_line(one)
            count("answers without a line" if place is None else "answers with a place")
            if place is None:
                continue
            if one.last_line not in (None, place):
                wrong.append(f"{one} ended with line {one.last_line}, was found at {place}")
            if account.states[place].available != one.available:
                wrong.append(f"{one}: after line {place} there is {account.states[place]}")
            moments[customer].add(account.lines[place - 1].effective_at)
    return wrong, {customer: sorted(times) for customer, times in moments.items()}


def as_of_each_call(database: str, books: Books, moments: Moments) -> list[str]:
    """wallet_balance_at as of each call's line is the state after the last line of that moment."""
    shares: list[Moments] = [{} for _ in range(PROCESSES)]
    for number, customer in enumerate(moments):
        shares[number % PROCESSES][customer] = moments[customer]
    found = {}
    for states in together(ask, [(database, share) for share in shares]):
        found |= states
    expected = {customer: [books[customer].posted_by(at) for at in times] for customer, times in moments.items()}
    return unlike(moments, found, expected)


def at_random(
    books: Books, mixed: tuple[datetime, datetime], now: datetime, count: Callable[[str], None]
) -> Moments:
    """A thousand moments of random customers: most while the sessions worked, some after that, when time went on and
    nothing was posted, and some between something's taking effect and its being posted."""
    random_ = random.Random(ASKED)
    since, ended = mixed
    moments: Moments = defaultdict(list)
    late = [
        line
        for account in books.values()
        for line in account.lines
        if line.type in ("expiration", "grant", "release") and line.created_at > line.effective_at
    ]
    for number in range(ASKED):
        customer = random_.choice(list(books))
        if number % 10 < 3 and late:
            line = random_.choice(late)
            moments[line.customer].append(line.effective_at + (line.created_at - line.effective_at) * random_.random())
            count(f"moments before a late {line.type} was posted")
        elif number % 10 < 5:
            moments[customer].append(ended + (now - ended) * random_.random())
        else:
            moments[customer].append(since + (ended - since) * random_.random())
    return moments


def from_terms(books: Books, moments: Moments) -> States:
    """What there was at each of the moments, from the grants' own terms, the holds and what was spent."""
    return {customer: [books[customer].state_at(at) for at in times] for customer, times in moments.items()}


def ask(database: str, moments: Moments) -> States:
    """What wallet_balance_at says there was."""
    found: States = {}
    with harness.connect(database) as connection:
        for customer, times in moments.items():
            rows = connection.execute(AT, [times, customer], prepare=True).fetchall()
            found[customer] = [State(*state) for _, *state, _ in rows]
            assert [row[0] for row in rows] == times
            assert all(balance == available + restricted for _, available, restricted, _, _, balance in rows), rows
    return found


def unlike(moments: Moments, found: States, expected: States) -> list[str]:
    return [
        f"{customer} at {at}: {one}, should be {other}"
        for customer, times in moments.items()
        for at, one, other in zip(times, found[customer], expected[customer], strict=True)
        if one != other
    ]
