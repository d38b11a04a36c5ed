"""Auto-recharge under load: what must hold of what is left, worked out from recharge_log, the purchases, the outbox and
the test's own table of charges. Each rule returns what breaks it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from recharge_terms import CREDITS, EVERY, PRICE, START, Terms
from support.harness import Checks

COOLDOWN = timedelta(milliseconds=100)
PAID_LATE_OR_NOT = ("paid", "late")

Count = Callable[[str], None]


class Recharge(NamedTuple):
    """A row of recharge_log with its purchase."""

    customer: str
    id: UUID
    status: str
    amount: Decimal
    credits: Decimal
    currency: str
    price_currency: str
    requested_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    top_up: UUID
    bought: str
    paid_at: datetime | None
    grant: UUID | None
    granted: Decimal | None
    quantity: int
    scheduled: bool
    reason: str | None

    @property
    def late(self) -> bool:
        """Whether it was paid after its time-out."""
        return self.paid_at is not None and self.paid_at >= self.expires_at

    @property
    def did_fail(self) -> bool:
        return self.status in ("failed", "timed_out") or self.late

    @property
    def no_longer_open(self) -> datetime:
        return min(self.closed_at or self.expires_at, self.expires_at)


class Charge(NamedTuple):
    customer: str
    id: UUID
    outcome: str
    amount: Decimal
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    told_at: datetime | None

    @property
    def no_longer_open(self) -> datetime:
        return min(self.ended_at or self.expires_at, self.expires_at)


@dataclass
class Account:
    terms: Terms
    recharges: list[Recharge] = field(default_factory=list)  # in the order in which they were requested
    charges: list[Charge] = field(default_factory=list)  # in the order in which they were made
    told: list[tuple[str, Any]] = field(default_factory=list)  # what the outbox said, in its order
    enablings: int = 0


Books = dict[str, Account]


def load(connection: psycopg.Connection[Any], terms: list[Terms]) -> Books:
    books = {one.customer: Account(one) for one in terms}
    for row in connection.execute(
        "SELECT r.customer_id, r.recharge_id, r.status, r.amount, r.credits, r.currency, r.price_currency,"
        " r.requested_at, r.expires_at, r.closed_at, r.top_up_id, t.status, t.paid_at, t.grant_id, g.amount,"
        " r.quantity, r.scheduled, r.reason"
        " FROM credits.recharge_log r JOIN credits.top_ups t USING (customer_id, top_up_id)"
        " LEFT JOIN credits.grants g USING (customer_id, grant_id) ORDER BY r.requested_at, r.recharge_id"
    ):
        books[row[0]].recharges.append(Recharge(*row))
    for row in connection.execute(
        "SELECT customer_id, recharge_id, outcome, amount, made_at, expires_at, ended_at, told_at FROM public.charges"
        " ORDER BY made_at"
    ):
        books[row[0]].charges.append(Charge(*row))
    for customer, kind, payload in connection.execute(
        "SELECT customer_id, type, payload FROM credits.outbox_rows ORDER BY customer_id, outbox_no"
    ):
        books[customer].told.append((kind, payload))
    for (customer,) in connection.execute("SELECT customer_id FROM public.enablings"):
        books[customer].enablings += 1
    return books


def check_all(checks: Checks, books: Books, disabled_at: datetime, count: Count) -> None:
    checks.none([*never_two_open(books)], "never two open requests in an account")
    checks.none([*never_two_charges(books)], "never two open charges in an account")
    checks.none([*cooled_down(books)], "never sooner than the cooldown")
    checks.none([*attempts_in_limits(books, count)], "never more attempts a day than the limit")
    checks.none([*amounts_in_limits(books, count)], "never more a day than the limit, failed attempts left out")
    checks.none([*money_in_limits(books)], "nor was more than that charged")
    checks.none([*ended_rightly(books, count)], "every request ended as its charge did, or timed out")
    checks.none([*granted_once(books, count)], "every paid one granted its credits, late ones too, no other did")
    checks.none([*reaches_its_target(books, count)], "as many units as the target takes and the limit leaves")
    checks.none([*on_schedule(books, count)], "a schedule asks once for each of its moments, whatever the balance")
    checks.none([*asked_once(books)], "the outbox asked for each, once, with what it is")
    checks.none([*switched_off(books)], "it switched itself off after three failures in a row only")
    checks.none([*stayed_on(books, disabled_at, count)], "and never went on after three")


def never_two_open(books: Books) -> Iterator[str]:
    for account in books.values():
        for one, next_ in pairwise(account.recharges):
            if next_.requested_at < one.no_longer_open:
                yield f"{one.customer}: {next_.id} requested while {one.id} was open"


def never_two_charges(books: Books) -> Iterator[str]:
    for account in books.values():
        for one, next_ in pairwise(account.charges):
            if next_.made_at < one.no_longer_open:
                yield f"{one.customer}: {next_.id} charged while {one.id} was open"


def cooled_down(books: Books) -> Iterator[str]:
    for account in books.values():
        for one, next_ in pairwise(account.recharges):
            if next_.requested_at < one.requested_at + COOLDOWN:
                after = next_.requested_at - one.requested_at
                yield f"{one.customer}: {next_.id} requested {after} after {one.id}, which is {one.status}"


def periods(books: Books) -> Iterator[tuple[Terms, list[Recharge]]]:
    """What limits count together: a run is shorter than a day, and may see a month end."""
    for account in books.values():
        by_month: dict[int, list[Recharge]] = defaultdict(list)
        for one in account.recharges:
            by_month[one.requested_at.astimezone(timezone.utc).month if account.terms.monthly else 0].append(one)
        yield from ((account.terms, recharges) for recharges in by_month.values())


def attempts_in_limits(books: Books, count: Count) -> Iterator[str]:
    """One that was canceled may count as an attempt or not."""
    for terms, recharges in periods(books):
        attempts = sum(one.status != "canceled" for one in recharges)
        if attempts > terms.max_attempts:
            yield f"{terms.customer}: {attempts} of {terms.max_attempts} attempts"
        if len(recharges) >= terms.max_attempts:
            count("wallets that reached their limit of attempts")


def amounts_in_limits(books: Books, count: Count) -> Iterator[str]:
    for terms, recharges in periods(books):
        total = Decimal(0)
        for one in recharges:
            if one.status == "canceled":
                continue
            if total + one.amount > terms.max_amount:
                yield f"{one.customer}: {one.id} makes {total + one.amount} of {terms.max_amount}"
            if one.status != "failed":
                total += one.amount
        if total + terms.amount > terms.max_amount:
            count("wallets that reached their limit of the amount")


def reaches_its_target(books: Books, count: Count) -> Iterator[str]:
    """Without a target it is the quantity. With one it is enough from the threshold on, unless the limit has less."""
    for terms, recharges in periods(books):
        spent = Decimal(0)
        for one in recharges:
            least = terms.quantity
            if terms.target is not None and not one.scheduled:
                least = max(least, -(-(terms.target - terms.threshold) // CREDITS))
            left = max(terms.max_amount - spent, Decimal(0)) // PRICE
            if one.quantity < min(least, left) or (terms.target is None and one.quantity != least):
                yield f"{one.customer}: {one.id} is of {one.quantity} units, due were {least}, left {left}"
            if one.quantity > terms.quantity:
                count("more units than the fewest")
            if terms.target is not None and one.quantity == left:
                count("requests that the limit cut")
            if one.status not in ("canceled", "failed"):
                spent += one.amount


def on_schedule(books: Books, count: Count) -> Iterator[str]:
    for account in books.values():
        asked = [one for one in account.recharges if one.scheduled]
        for one in asked:
            count("requests of a schedule")
            if not account.terms.scheduled:
                yield f"{one.customer}: {one.id} is of no schedule"
            if account.terms.target is None and one.reason == "there are credits again":
                yield f"{one.customer}: {one.id} was canceled because of the balance"
        for one, next_ in pairwise(asked):
            if (one.requested_at - START) // EVERY == (next_.requested_at - START) // EVERY:
                yield f"{one.customer}: {next_.id} asked for the moment of {one.id} again"


def money_in_limits(books: Books) -> Iterator[str]:
    charged = {charge.id: charge for account in books.values() for charge in account.charges}
    for terms, recharges in periods(books):
        charges = [charged[one.id] for one in recharges if one.id in charged]
        paid = sum(charge.amount for charge in charges if charge.outcome in PAID_LATE_OR_NOT)
        if paid > terms.max_amount:
            yield f"{terms.customer}: {paid} charged of {terms.max_amount}"


def ended_rightly(books: Books, count: Count) -> Iterator[str]:
    for account in books.values():
        charges = {charge.id: charge for charge in account.charges}
        for one in account.recharges:
            count(f"requests {one.status}")
            charge = charges.pop(one.id, None)
            if one.closed_at is None or one.status not in may_end(charge):
                yield f"{one.customer}: {one.id} is {one.status}, closed at {one.closed_at}, its charge {charge}"
            if charge is not None and charge.amount != one.amount:
                yield f"{one.customer}: {one.id} was of {one.amount}, charged were {charge.amount}"
        yield from (f"{charge.customer}: {charge.id} charged, and not in the log" for charge in charges.values())


def may_end(charge: Charge | None) -> tuple[str, ...]:
    if charge is None:
        return ("timed_out", "canceled")
    if charge.outcome in PAID_LATE_OR_NOT:
        in_time = charge.told_at is not None and charge.told_at < charge.expires_at
        return ("paid",) if in_time else ("paid", "timed_out")
    return ("failed", "timed_out") if charge.outcome == "declined" else ("timed_out",)


def granted_once(books: Books, count: Count) -> Iterator[str]:
    for account in books.values():
        charges = {charge.id: charge for charge in account.charges}
        for one in account.recharges:
            charge = charges.get(one.id)
            paid = charge is not None and charge.outcome in PAID_LATE_OR_NOT
            due = CREDITS * one.quantity
            if one.credits != due or one.amount != PRICE * one.quantity:
                yield f"{one.customer}: {one.id} is of {one.credits} credits for {one.amount}"
            if (one.bought == "paid", one.granted) != (paid, due if paid else None):
                yield f"{one.customer}: {one.id}, charge {charge}: the top-up is {one.bought}, granted {one.granted}"
            if one.late:
                count("late payments that granted")


def asked_once(books: Books) -> Iterator[str]:
    for account in books.values():
        asked = [payload for kind, payload in account.told if kind == "recharge.requested"]
        for payload, one in zip(asked, account.recharges):
            expected = {
                "recharge_id": str(one.id), "top_up_id": str(one.top_up), "currency": one.currency,
                "amount": one.amount, "price_currency": one.price_currency, "credits": one.credits,
                "quantity": one.quantity, "scheduled": one.scheduled, "payment_method": "a card",
                "expires_at": one.expires_at,
            }  # fmt: skip
            said = {name: of_json(name, payload.get(name)) for name in expected}
            if said != expected:
                yield f"{one.customer}: {payload}, not {expected}"
        if len(asked) != len(account.recharges):
            yield f"{account.terms.customer}: asked for {len(asked)} times, {len(account.recharges)} in the log"


def of_json(name: str, said: Any) -> Any:
    """Amounts and times as they are told, in strings."""
    if not isinstance(said, str):
        return said
    return {"amount": Decimal, "credits": Decimal, "expires_at": datetime.fromisoformat}.get(name, str)(said)


def runs(account: Account) -> Iterator[tuple[list[Recharge], bool]]:
    """The requests from one switching on to the next switching off, and whether it was switched off after them."""
    by_id = {str(one.id): one for one in account.recharges}
    run: list[Recharge] = []
    for kind, payload in account.told:
        if kind == "recharge.requested":
            run.append(by_id[payload["recharge_id"]])
        elif kind == "recharge.disabled":
            yield run, True
            run = []
    yield run, False


def switched_off(books: Books) -> Iterator[str]:
    for account in books.values():
        offs = 0
        for run, off in runs(account):
            tried = [one for one in run if one.status != "canceled"]
            if off and not (len(tried) >= 3 and all(one.did_fail for one in tried[-3:])):
                yield f"{account.terms.customer}: off after {[one.status for one in tried[-3:]]}"
            offs += off
        if not 0 <= offs - account.enablings <= 1:
            yield f"{account.terms.customer}: off {offs} times, on again {account.enablings} times"


def stayed_on(books: Books, disabled_at: datetime, count: Count) -> Iterator[str]:
    """Three in a row that failed or timed out are the last of their run, unless one was paid late meanwhile."""
    for account in books.values():
        late = [one.paid_at for one in account.recharges if one.paid_at is not None and one.late]
        for run, off in runs(account):
            for at in range(len(run) - 2):
                three = run[at : at + 3]
                since, closed_at = three[0].requested_at, three[2].closed_at
                if closed_at is None or closed_at >= disabled_at or not all(one.did_fail for one in three):
                    continue
                if any(one.late for one in three) or any(since <= paid_at <= closed_at for paid_at in late):
                    continue
                if at + 3 == len(run) and off:
                    count("switched off after three failures")
                else:
                    yield f"{account.terms.customer}: on after {[(str(one.id), one.status) for one in three]}"
