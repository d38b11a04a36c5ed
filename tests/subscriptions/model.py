"""Subscriptions, worked out from the rules alone: the calls that an application makes, and time. It shares nothing with
the extension.

Objects have small names: a customer, a price, a coupon, a subscription and an item the one that they are made with; an
invoice that of its subscription with a number, such as s1#3 for the third that was made.
"""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import billing
import due
import ending
import plan_credits
import proration
from periods import Interval, moment_of
from things import (
    ENDED,
    ZERO,
    Books,
    Coupon,
    CreditPlan,
    Customer,
    Invoice,
    Item,
    Line,
    Period,
    Price,
    Refused,
    Subscription,
)

MOST_ITEMS = 20


class Model(Books):
    """The calls. Each first does what is due until its moment."""

    def call(self, at: str | datetime, name: str, arguments: dict[str, Any]) -> str | None:
        """One line of a script; the SQLSTATE where it is refused."""
        self.advance(at)
        try:
            getattr(self, name)(**arguments)
        except Refused as refused:
            return refused.code
        return None

    def advance(self, until: str | datetime) -> None:
        """Time passes."""
        due.advance(self, moment_of(until))

    def maintain(self) -> None:
        """Nothing is left to do: what is due is done before any call."""

    def customer(self, name: str, method: bool = True, rate: str = "0") -> None:
        self.customers[name] = Customer(name, method, Fraction(rate))

    def method(self, customer: str, attached: bool) -> None:
        """A payment method comes or goes."""
        self.customers[customer].method = attached

    def price(self, name: str, interval: str, unit_amount: str, pricing: dict[str, Any] | None = None,
              inclusive: bool = False, product: str = "", plan: dict[str, Any] | None = None) -> None:  # fmt: skip
        self.prices[name] = Price(name, Interval.parse(interval), Fraction(unit_amount), pricing, inclusive, product,
                                  credit_plan(plan))  # fmt: skip

    def coupon(self, name: str, duration: str, percent: str | None = None, amount_off: str | None = None,
               months: int = 0, products: list[str] | None = None) -> None:  # fmt: skip
        self.coupons[name] = Coupon(
            Fraction(percent) if percent else None, Fraction(amount_off) if amount_off else None, duration, months,
            set(products) if products else None,
        )  # fmt: skip

    def create(self, subscription: str, customer: str, items: list[dict[str, Any]], trial_days: int = 0,
               trial_end: str | None = None, trial_end_behavior: str = "charge", anchor: str | None = None,
               collection: str = "charge_automatically", proration_behavior: str = "create_prorations",
               coupon: str | None = None, days_until_due: int = 30, days_until_cancel: int = 30,
               cancel_at_period_end: bool = False) -> None:  # fmt: skip
        start = self.now
        if not 1 <= len(items) <= MOST_ITEMS or trial_days < 0 or trial_days and trial_end:
            raise Refused("PC013", "items or trial")
        prices = [self.price_of(item["price"]) for item in items]
        if len({price.interval for price in prices}) > 1:
            raise Refused("PC013", "prices of several intervals")
        ends = moment_of(trial_end) or (start + timedelta(days=trial_days) if trial_days else None)
        if ends and ends <= start:
            raise Refused("PC013", "a trial that has ended")
        begin = ends or start
        if coupon and not self.is_for(self.coupons[coupon], prices, items):
            raise Refused("PC016", "nothing that the coupon is for")
        made = [Item(item["item"], price, quantity_of(item)) for item, price in zip(items, prices)]
        one = Subscription(
            subscription, customer, prices[0].interval, made, start, moment_of(anchor) or begin, ends,
            trial_end_behavior, collection, days_until_due, days_until_cancel, proration_behavior != "none",
            self.coupons[coupon] if coupon else None,
        )  # fmt: skip
        self.subscriptions[subscription] = one
        self.note(start, one, "created")
        if ends:
            one.state = "trialing"
            one.periods.append(Period("trial", start, ends, start))
            self.grant_trial(one)
        else:
            one.state = "incomplete" if collection == "charge_automatically" else "active"
            ending.begin_period(self, one, start, "subscription_create")
        if cancel_at_period_end:
            one.cancel_at, one.cancel_at_period_end, one.canceled_at = one.period.end, True, start
            plan_credits.judge(one.rows(), one)

    def is_for(self, coupon: Coupon, prices: list[Price], items: list[dict[str, Any]]) -> bool:
        eligible = [(price, item) for price, item in zip(prices, items)
                    if coupon.products is None or price.product in coupon.products]  # fmt: skip
        return any(price.amount(quantity_of(item), self.decimals) > 0 for price, item in eligible)

    def grant_trial(self, subscription: Subscription) -> None:
        """What a trial has of credits, at once."""
        period = subscription.period
        for item in subscription.items:
            if item.price.plan and item.price.plan.first_grant == "immediate":
                line = Line("trial", subscription.name, item.name, ZERO, ZERO, False, period.start, period.end)
                line.rows = plan_credits.planned(item, item.price, item.quantity, period)
                subscription.lines.append(line)
                for row in line.rows:
                    plan_credits.grant(row, period.start, subscription)

    def update(self, subscription: str, items: list[dict[str, Any]], proration_behavior: str = "create_prorations",
               credits: str = "prorate") -> Invoice | None:  # fmt: skip
        one = self.alive(subscription)
        if one.state not in ("active", "past_due", "trialing"):
            raise Refused("PC020", one.state)
        changes = [self.change(one, item) for item in items]
        left = (
            len(one.items) + sum(change.is_new for change in changes) - sum(change.price is None for change in changes)
        )
        if not 1 <= left <= MOST_ITEMS:
            raise Refused("PC013", "items")
        left = {change.item.name: change.price for change in changes}
        prices = [left.get(item.name, item.price) for item in one.items] + [change.price for change in changes]
        intervals = {price.interval for price in prices if price}
        if len(intervals) > 1:
            raise Refused("PC013", "several intervals")
        how = proration.update if intervals == {one.interval} else proration.move
        return how(self, one, changes, proration_behavior, credits)

    def change(self, subscription: Subscription, given: dict[str, Any]) -> proration.Change:
        found = [item for item in subscription.items if item.name == given["item"]]
        if given.get("deleted"):
            if not found:
                raise Refused("PC019", "no such item")
            return proration.Change(found[0], None, ZERO)
        price = self.price_of(given["price"]) if "price" in given else found[0].price
        quantity = quantity_of(given) if found == [] or "quantity" in given else found[0].quantity
        item = found[0] if found else Item(given["item"], price, quantity)
        return proration.Change(item, price, quantity, not found)

    def preview(self, **arguments: Any) -> Invoice | None:
        """What an update would make, changing nothing."""
        return copy.deepcopy(self).update(**arguments)

    def cancel(self, subscription: str, at: str = "period_end", refund: str = "none") -> None:
        one = self.subscriptions[subscription]
        if refund != "none" and at != "now":
            raise Refused("PC013", "a refund is for now")
        moment = moment_of(at) if at not in ("now", "period_end") else None
        if moment and moment <= self.now:
            raise Refused("PC013", "a moment that has passed")
        if one.state == "canceled":
            return
        one = self.alive(subscription)
        one.canceled_at = self.now
        if at == "period_end" and one.period.end > self.now:
            moment = one.period.end
        if one.state == "incomplete" or moment is None:
            one.cancel_at, one.cancel_at_period_end = None, False
            ending.cancel(self, one, self.now, refund)
        else:
            one.cancel_at, one.cancel_at_period_end = moment, at == "period_end"
            plan_credits.judge(one.rows(), one)

    def recover(self, subscription: str) -> None:
        one = self.alive(subscription)
        one.cancel_at, one.cancel_at_period_end, one.canceled_at = None, False, None
        plan_credits.judge(one.rows(), one)

    def pause(self, subscription: str, resumes_at: str | None = None) -> None:
        until = moment_of(resumes_at)
        if until and until <= self.now:
            raise Refused("PC013", "a moment that has passed")
        one = self.alive(subscription)
        if one.state == "paused" and one.resumes_at == until:
            return
        if one.state != "active":
            raise Refused("PC020", one.state)
        ending.pause(self, one, self.now, until)

    def resume(self, subscription: str) -> None:
        one = self.alive(subscription)
        if one.state == "active":
            return
        if one.state != "paused":
            raise Refused("PC020", one.state)
        ending.resume(self, one, self.now)

    def paid(self, invoice: str) -> None:
        """The provider reports that it was paid."""
        billing.paid(self, self.invoices[invoice], self.now)
        # What it waited for may be due since.
        due.advance(self, self.now)

    def failed(self, invoice: str) -> None:
        """The provider reports that a payment of it failed."""
        found = self.invoices[invoice]
        subscription = self.subscriptions[found.subscription]
        if found.unpaid and subscription.collection == "charge_automatically":
            billing.failed(self, subscription, found, self.now)

    def disputed(self, invoice: str) -> None:
        """The payer disputes all that was paid of it."""
        billing.disputed(self, self.invoices[invoice], self.now)

    def decided(self, invoice: str, won: bool) -> None:
        """The bank decides the dispute."""
        billing.decided(self, self.invoices[invoice], won, self.now)

    def void(self, invoice: str) -> None:
        found = self.invoices[invoice]
        if found.status == "void":
            return
        if not found.unpaid:
            raise Refused("PC020", found.status)
        billing.void(self, found, self.now)

    def uncollectible(self, invoice: str) -> None:
        found = self.invoices[invoice]
        if found.status == "uncollectible":
            return
        if found.status != "open":
            raise Refused("PC020", found.status)
        found.status = "uncollectible"

    def spend(self, customer: str, credits: str) -> None:
        """A debit of the customer's credits, of all subscriptions."""
        rows = [row for one in self.subscriptions.values() if one.customer == customer for row in one.rows()]
        plan_credits.spend(rows, Fraction(credits), self.now)

    def available(self, customer: str) -> Fraction:
        rows = [row for one in self.subscriptions.values() if one.customer == customer for row in one.rows()]
        return sum((row.left for row in rows if row.usable(self.now)), ZERO)

    def price_of(self, name: str) -> Price:
        if name not in self.prices:
            raise Refused("PC015", name)
        plan_credits.check(self.prices[name])
        return self.prices[name]

    def alive(self, name: str) -> Subscription:
        one = self.subscriptions[name]
        if one.state in ENDED:
            raise Refused("PC020", one.state)
        return one


def quantity_of(given: dict[str, Any]) -> Fraction:
    quantity = Fraction(str(given.get("quantity", 1)))
    if quantity <= 0:
        raise Refused("PC007", "quantity")
    return quantity


def credit_plan(given: dict[str, Any] | None) -> CreditPlan | None:
    """The keys of credit_config and of its schedule, in one object."""
    if given is None:
        return None
    schedule = given.get("schedule", {})
    # Without a schedule nothing is said of trials, and there is nothing in them.
    first = schedule.get("first_grant", "immediate") if schedule else "after_trial"
    each = schedule.get("amount_per_grant")
    return CreditPlan(
        Fraction(str(given["amount"])), given.get("decimals", 2), schedule.get("delivery", "invoice"),
        Interval.parse(schedule["every"]) if "every" in schedule else None,
        None if each is None else Fraction(str(each)), first,
        schedule.get("expire_with_next_grant", False), schedule.get("max_grants_per_period"),
        Interval.parse(given["valid_for"]) if "valid_for" in given else None,
    )  # fmt: skip
