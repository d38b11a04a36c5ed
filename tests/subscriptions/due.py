"""What time brings about, each at the moment at which it is due."""

from __future__ import annotations

from datetime import datetime, timedelta

import billing
import ending
from things import ENDED, Books, Subscription

DAY = timedelta(days=1)
# At one moment they come in this order, so that nothing is made that would end at once.
KINDS = ("expire", "cancel", "unpaid", "resume", "trial", "renew", "overdue", "retry")


def moments(books: Books, subscription: Subscription) -> dict[str, datetime | None]:
    """When each thing is due, of those that its state has."""
    state, rules = subscription.state, books.rules
    if state in ENDED:
        return {}
    found: dict[str, datetime | None] = {"cancel": subscription.cancel_at}
    if state == "incomplete":
        found["expire"] = min(subscription.created + rules.incomplete_for, subscription.period.end)
    elif state == "trialing":
        found["trial"] = subscription.trial_end
    elif state == "paused":
        found["resume"] = subscription.resumes_at
    else:
        found["renew"] = subscription.period.end
    if state == "active" and subscription.collection == "send_invoice":
        dates = [invoice.due_date for invoice in subscription.unpaid() if invoice.status == "open" and invoice.due_date]
        found["overdue"] = min(dates, default=None)
    if state == "past_due" and subscription.past_due_at:
        found["unpaid"] = subscription.past_due_at + subscription.days_until_cancel * DAY
        if subscription.collection == "charge_automatically" and subscription.retried < len(rules.retries):
            found["retry"] = subscription.past_due_at + rules.retries[subscription.retried] * DAY
    return found


def next_of(books: Books, subscription: Subscription) -> tuple[datetime, int] | None:
    found = [(at, KINDS.index(kind)) for kind, at in moments(books, subscription).items() if at is not None]
    return min(found, default=None)


def next_change(books: Books) -> datetime | None:
    """The next moment at which anything is due."""
    found = [change[0] for one in books.subscriptions.values() if (change := next_of(books, one))]
    return min(found, default=None)


def advance(books: Books, until: datetime) -> None:
    """Everything that is due until then, of all subscriptions, in the order of time: as each falls due, or all of it
    now."""
    assert books.now is None or until >= books.now, "time went back"
    everyone = list(books.subscriptions.values())
    while True:
        found = []
        for number, subscription in enumerate(everyone):
            change = next_of(books, subscription)
            if change and change[0] <= until:
                found.append((change[0], number, change[1]))
        if not found:
            break
        at, number, kind = min(found)
        books.now = until if books.late or books.now is None else max(books.now, at)
        perform(books, everyone[number], KINDS[kind], at)
    books.now = until


def perform(books: Books, subscription: Subscription, kind: str, at: datetime) -> None:
    if kind in ("cancel", "unpaid"):
        ending.cancel(books, subscription, at, gives_up=kind == "unpaid")
    elif kind == "expire":
        ending.cancel(books, subscription, at, state="incomplete_expired")
    elif kind == "resume":
        ending.resume(books, subscription, at)
    elif kind == "trial":
        end_trial(books, subscription, at)
    elif kind == "renew":
        books.note(at, subscription, "renewed")
        ending.begin_period(books, subscription, at, "subscription_cycle")
    elif kind == "overdue":
        billing.past_due(books, subscription, at)
    else:
        subscription.retried += 1
        for invoice in subscription.unpaid():
            if invoice.status == "open" and billing.can_charge(books, subscription):
                books.requests.append((books.now, invoice.name))


def end_trial(books: Books, subscription: Subscription, at: datetime) -> None:
    chargeable = billing.can_charge(books, subscription) or subscription.collection == "send_invoice"
    if subscription.trial_end_behavior == "charge" or chargeable:
        subscription.state = "active"
        books.note(at, subscription, "trial_end")
        ending.begin_period(books, subscription, at, "subscription_cycle")
    elif subscription.trial_end_behavior == "cancel":
        ending.cancel(books, subscription, at)
    else:
        ending.pause(books, subscription, at, None)
