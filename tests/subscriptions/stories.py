#!/usr/bin/python3
"""Random stories of a customer with one or two subscriptions: three years of calls, or sixty days where the periods are
of hours.

A story is plain data, for a driver that makes the same calls to the model and to a server: `decimals` of the currency,
and `script`, a list of [time, call, arguments, SQLSTATE or null]. Time is in UTC and never goes back; several calls may
have the same. Objects have the names that model.py says; the calls are the methods of model.Model:

    customer, method            a customer with a rate of tax, and whether a payment method is attached
    price, coupon               the catalogue; a price without `pricing` is unit_amount × quantity. One of a name that
                                there is takes its place: items keep theirs
    create, update, preview     subscription_create, _update, _preview; `item` is the name of a subscription_item
    cancel, recover             subscription_cancel ('now', 'period_end' or a moment), _recover
    pause, resume               subscription_pause, _resume
    paid, failed                what a provider reports of an invoice's payment intent: all of its amount, each time
                                another payment, so that one that comes twice, or too late, is to go back
    disputed, decided           what it reports of a dispute of all that was paid of an invoice
    void, uncollectible         invoice_void, invoice_mark_uncollectible
    spend                       wallet_debit of the customer's credits
    maintain                    maintain(); it is the last call

A driver that lets maintain() run at each moment at which something is due compares with Model(); one that lets it run
at the calls alone, with Model(late=True).

    stories.py SEED [HOW MANY]      prints them, one as JSON a line
"""

from __future__ import annotations

import heapq
import json
import random
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import catalogue  # noqa: E402
import due  # noqa: E402
from model import Model  # noqa: E402
from periods import MICROSECOND, Interval, text_of  # noqa: E402
from things import ENDED, Invoice, Subscription  # noqa: E402

DAY = timedelta(days=1)
# Days that not every month has, a leap day, the end of a year; and any other.
INTERVALS = ("hour", "6 hours", "day", "week", "month", "month", "month", "3 months", "year", "year")
STARTS = (
    (2027, 1, 31),
    (2027, 1, 29),
    (2027, 8, 31),
    (2028, 2, 29),
    (2027, 12, 31),
    (2027, 3, 30),
    (2028, 1, 30),
    (2027, 5, 14),
)
SHORT = {"hour", "6 hours", "day"}
CALLS = {
    "update": 30, "move": 5, "cancel": 8, "recover": 6, "pause": 6, "resume": 6, "method": 4, "void": 2, "uncollectible": 2,
    "dispute": 14, "reprice": 3, "spend": 12, "create": 6, "refused": 3, "wrong": 3, "maintain": 3,
}  # fmt: skip
# What stories have, where it is not said: all of it. What a call needs, where that is not named like it.
FEATURES = frozenset(
    "tax plans trials anchors sent coupons update prorations keep cancels recover pause resume method void"
    " uncollectible spend create two refused wrong maintain refunds disputes reprice dunning free moves".split()
) | {"nomethod"}
NEEDS = {"move": "moves", "dispute": "disputes", "cancel": "cancels", "resume": "pause", "recover": "cancels"}
# How an invoice is answered: paid at once, later, after failures, or never. Of short periods there are so many invoices
# that most have to be paid, or no subscription would live.
ANSWERS = {"paid": 70, "late": 12, "fails": 14, "never": 4}
ANSWERS_OF_MANY = {"paid": 960, "late": 20, "fails": 19, "never": 1}


class Story:
    """Writes one, with a model beside it that says what there is to call about."""

    def __init__(
        self, seed: int, spends: bool = True, calm: bool = False, features: frozenset[str] = FEATURES,
        periods: int = 1096, model: type[Model] = Model,
    ) -> None:  # fmt: skip
        self.random = random.Random(seed)
        self.features = features
        self.decimals = self.random.choice([2, 2, 2, 0, 3])
        self.model = model(self.decimals)
        self.script: list[list[Any]] = []
        self.answers: list[tuple[datetime, int, str, str]] = []
        self.seen: set[str] = set()
        self.spends = spends and "spend" in features
        # Everything is charged and paid, so that nothing depends on when an invoice is really made.
        self.calm = calm
        self.counts: Counter[str] = Counter()
        self.interval = self.random.choice(INTERVALS)
        self.hours = "hour" in self.interval
        year, month, day = self.random.choice(STARTS)
        self.start = datetime(year, month, day, tzinfo=timezone.utc) + self.time_of_day()
        most = Interval.parse(self.interval).after(self.start, periods) if periods < 1096 else None
        self.end = self.start + (60 if self.hours else 1096) * DAY
        self.end = min(self.end, most) if most else self.end
        self.items = 0
        self.sold: list[dict[str, Any]] = []

    def time_of_day(self) -> timedelta:
        return self.random.choice([timedelta(0), timedelta(microseconds=self.random.randrange(86_400_000_000))])

    def may(self, feature: str, percent: int) -> bool:
        """Whether it happens this time, of what these stories are to have."""
        return self.chance(percent) and feature in self.features

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def pick(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def say(self, moment: datetime, call: str, /, **arguments: Any) -> str | None:
        code = self.model.call(moment, call, arguments)
        self.script.append([text_of(moment), call, arguments, code])
        self.counts[f"{call} {code}" if code else call] += 1
        return code

    def write(self) -> list[list[Any]]:
        at = self.start
        rate = self.random.choice(["0", "0", "19", "8.875"]) if "tax" in self.features else "0"
        self.say(at, "customer", name="ann", method=not self.may("nomethod", 15) or self.calm, rate=rate)
        for price in catalogue.prices(self.random, self.interval, self.decimals):
            if "plans" not in self.features:
                price.pop("plan", None)
            if "free" not in self.features and price["unit_amount"] in ("0", "0.01", "1"):
                price["unit_amount"] = "20"
            self.say(at, "price", **price)
            self.sold.append(price)
        for coupon in catalogue.coupons(self.random, self.decimals):
            if "free" not in self.features and coupon.get("percent") == "100":
                coupon["percent"] = "20"
            self.say(at, "coupon", **coupon)
        self.create(at)
        pace = (4 if self.hours else 45) * self.random.choice([0.5, 1, 2])
        coming = at
        while True:
            # More happens while nobody knows whose the money is.
            is_open = any(invoice.dispute == "open" for invoice in self.model.invoices.values())
            coming = self.soon(max(coming, self.model.now), pace / 6 if is_open else pace)
            self.live_until(min(coming, self.end))
            if coming >= self.end:
                break
            self.call(coming)
        self.say(self.end, "maintain")
        return self.script

    def soon(self, after: datetime, pace: float) -> datetime:
        """Any moment, or one at which something is due or a grant begins, to the microsecond."""
        moment = after + timedelta(microseconds=int(self.random.expovariate(1 / pace) * 86_400_000_000) + 1)
        if self.chance(75):
            return moment
        edges = [at for one in self.alive() for at in due.moments(self.model, one).values() if at and at >= after]
        edges += [row.start for one in self.alive() for row in one.rows()[-40:] if row.start >= after]
        if not edges:
            return moment
        return max(after, self.random.choice(edges) + self.random.choice([-1, 0, 0, 1]) * MICROSECOND)

    def live_until(self, moment: datetime) -> None:
        """Time passes, and what is due to be paid is answered, as worker and provider do."""
        while True:
            self.await_answers()
            change = due.next_change(self.model)
            answer = self.answers[0][0] if self.answers else None
            coming = min((at for at in (change, answer) if at), default=None)
            if coming is None or coming > moment:
                break
            if answer == coming and (change is None or change > coming):
                at, _, call, invoice = heapq.heappop(self.answers)
                found = self.model.invoices[invoice]
                if call == "decided":
                    self.say(at, call, invoice=invoice, won=self.chance(75))
                elif found.unpaid or self.chance(20) and not found.dispute:
                    self.say(at, call, invoice=invoice)
            else:
                self.model.advance(coming)
        self.model.advance(moment)

    def await_answers(self) -> None:
        """Says of each new invoice when it is paid, or fails."""
        for name, invoice in list(self.model.invoices.items()):
            if name not in self.seen:
                self.seen.add(name)
                if invoice.unpaid:
                    self.foresee(name, invoice)

    def foresee(self, name: str, invoice: Invoice) -> None:
        now, unit = max(invoice.at, self.model.now), timedelta(hours=1) if self.hours else DAY
        subscription = self.model.subscriptions[invoice.subscription]
        sent = subscription.collection == "send_invoice"
        how = self.pick(ANSWERS_OF_MANY if self.interval in SHORT else ANSWERS)
        if (self.calm or "dunning" not in self.features) and how in ("fails", "never"):
            how = "late"
        moments = [(now, "paid")]
        if how == "paid":
            moments = [(now + self.random.randrange(3600) * timedelta(seconds=1) * (24 if sent else 1), "paid")]
        elif how == "late":
            moments = [(now + self.random.uniform(0.1, 40) * unit, "paid")]
        elif how == "fails":
            delays = sorted(self.random.uniform(0, 35) for _ in range(self.random.randint(1, 4)))
            moments = [(now + MICROSECOND, "failed"), *((now + delay * unit, "failed") for delay in delays[:-1])]
            if self.chance(75):
                moments.append((now + delays[-1] * unit, "paid"))
        elif how == "never":
            moments = []
        for at, call in moments:
            if call == "paid" or not sent:
                # Whole microseconds, as a server has them.
                heapq.heappush(self.answers, (at, len(self.answers) + self.items, call, name))

    def alive(self) -> list[Subscription]:
        return [one for one in self.model.subscriptions.values() if one.state not in ENDED]

    def call(self, at: datetime) -> None:
        kind = self.pick(CALLS)
        if NEEDS.get(kind, kind) not in self.features:
            return
        alive = self.alive()
        if kind == "create" and len(alive) < ("two" in self.features) + 1 or not alive:
            self.create(at)
        elif kind == "method" and not self.calm:
            self.say(at, "method", customer="ann", attached=self.chance(75))
        elif kind == "spend":
            self.spend(at)
        elif kind == "dispute":
            self.dispute(at)
        elif kind == "reprice":
            self.say(at, "price", **catalogue.changed(self.random, self.random.choice(self.sold[:-1]), self.decimals))
        elif kind == "maintain":
            self.say(at, "maintain")
        elif kind in ("void", "uncollectible") and not self.calm:
            unpaid = [invoice.name for one in alive for invoice in one.unpaid()]
            if unpaid:
                self.say(at, kind, invoice=self.random.choice(unpaid))
        elif kind not in ("create", "method", "void", "uncollectible"):
            one = self.random.choice(alive)
            # What is allowed mostly, and what is not now and then.
            if kind == "resume" and one.state != "paused" and self.chance(90):
                kind = "pause"
            if kind in ("pause", "update", "move") and one.state == "paused" and self.chance(90):
                kind = "resume"
            if kind == "wrong":
                self.wrong(at, one)
                return
            if kind == "refused":
                kind = self.random.choice(["update", "pause", "resume", "cancel"])
                one = self.random.choice(list(self.model.subscriptions.values()))
            getattr(self, kind)(at, one)

    def spend(self, at: datetime) -> None:
        available = self.model.available("ann")
        if self.spends and available:
            cents = self.random.randint(1, int(available * 100))
            self.say(at, "spend", customer="ann", credits=f"{cents // 100}.{cents % 100:02}")

    def dispute(self, at: datetime) -> None:
        """Of one of the last invoices that one payment paid, of which nothing went back. Most are decided, some later."""
        back = {refund.invoice for refund in self.model.refunds}
        paid = [one.name for one in self.model.invoices.values()
                if one.amount_paid and not one.dispute and one.name not in back]  # fmt: skip
        if paid:
            name = self.random.choice([paid[-1], *paid[-3:]])
            self.say(at, "disputed", invoice=name)
            one = self.model.subscriptions[self.model.invoices[name].subscription]
            then = self.random.choice(["update", "move", "pause", "pause", "cancel", "cancel"])
            if self.chance(60) and NEEDS.get(then, then) in self.features and one.state not in (*ENDED, "paused"):
                getattr(self, then)(at, one)
            if self.chance(85):
                later = self.random.choice([0, 1, 5, 20, 60]) * self.random.random() * (DAY / 24 if self.hours else DAY)
                later = max(at + later, self.model.now)
                heapq.heappush(self.answers, (later, len(self.answers) + self.items, "decided", name))

    def item_name(self) -> str:
        self.items += 1
        return f"i{self.items}"

    def price_name(self, interval: Interval | None = None) -> str:
        wanted = interval or Interval.parse(self.interval)
        return self.random.choice([price.name for price in self.model.prices.values()
                                   if price.name != "other" and price.interval == wanted])  # fmt: skip

    def priced(self, item: str, interval: Interval, quantities: list[int]) -> dict[str, Any]:
        return {"item": item, "price": self.price_name(interval), "quantity": self.random.choice(quantities)}

    def create(self, at: datetime) -> None:
        names = [self.item_name() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        items = [{"item": name, "price": self.price_name(), "quantity": self.random.choice([1, 1, 2, 7])} for name in names]
        name = f"s{len(self.model.subscriptions) + 1}"
        given: dict[str, Any] = {"subscription": name, "customer": "ann", "items": items}
        if self.may("trials", 35):
            given["trial_days"] = self.random.choice([1, 3]) if self.hours else self.random.choice([7, 14, 30, 45])
            given["trial_end_behavior"] = self.random.choice(["charge", "cancel", "pause"])
        elif self.may("trials", 10):
            given["trial_end"] = text_of(at + self.random.randrange(1, 40 * 86_400_000_000) * MICROSECOND)
        if self.may("anchors", 40):
            given["anchor"] = text_of(self.anchor(at))
            given["proration_behavior"] = self.random.choice(["create_prorations", "create_prorations", "none"])
        if self.may("sent", 30) and not self.calm:
            given["collection"] = "send_invoice"
            given["days_until_due"] = self.random.choice([0, 7, 30])
        if self.may("coupons", 45):
            given["coupon"] = self.random.choice(list(self.model.coupons))
        if self.chance(10):
            given["days_until_cancel"] = self.random.choice([5, 60])
        if self.may("cancels", 5):
            given["cancel_at_period_end"] = True
        self.say(at, "create", **given)

    def anchor(self, at: datetime) -> datetime:
        """A day at the end of a month, before or after; the first of the next month; or any."""
        kind = self.random.randrange(3)
        if kind == 0:
            month, day = self.random.choice([1, 3, 5, 8, 12]), self.random.choice([29, 30, 31])
            return datetime(at.year, month, day, tzinfo=timezone.utc)
        if kind == 1:
            return (at.replace(day=1) + 32 * DAY).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return at + self.random.randrange(-200 * 86_400, 200 * 86_400) * timedelta(seconds=1)

    def update(self, at: datetime, one: Subscription) -> None:
        changes: list[dict[str, Any]] = []
        for item in one.items:
            kind = self.random.randrange(6)
            if kind < 2:
                changes.append({"item": item.name, "quantity": self.random.choice([1, 2, 3, 5, 20])})
            elif kind < 4:
                changes.append(self.priced(item.name, one.interval, [1, 1, 3]))
            elif kind == 4 and (len(one.items) > 1 or self.chance(3)):
                changes.append({"item": item.name, "deleted": True})
        if self.chance(20) or not changes:
            changes.append(self.priced(self.item_name(), one.interval, [1, 4]))
        self.change(at, one, changes)

    def move(self, at: datetime, one: Subscription) -> None:
        """All items to the other interval, or back."""
        own, other = Interval.parse(self.interval), Interval.parse(catalogue.MOVED[self.interval])
        to = other if one.interval == own else own
        changes: list[dict[str, Any]] = [self.priced(item.name, to, [1, 1, 3]) for item in one.items]
        if len(changes) > 1 and self.chance(20):
            changes[-1] = {"item": one.items[-1].name, "deleted": True}
        if self.chance(15):
            changes.append(self.priced(self.item_name(), to, [2]))
        self.change(at, one, changes)

    def change(self, at: datetime, one: Subscription, changes: list[dict[str, Any]]) -> None:
        """As it is said, and sometimes back."""
        proration = self.random.choice(["always_invoice"] * 2 + ["create_prorations"] * 2 + ["none"])
        if "prorations" not in self.features:
            proration = "none"
        keeps = self.random.choice(["prorate", "prorate", "prorate", "keep" if "keep" in self.features else "prorate"])
        before = [{"item": item.name, "price": item.price.name, "quantity": int(item.quantity)} for item in one.items]
        arguments = {"subscription": one.name, "items": changes, "proration_behavior": proration, "credits": keeps}
        if self.chance(20):
            self.say(at, "preview", **arguments)
        if self.say(at, "update", **arguments) is None and self.chance(15):
            # And back at the same moment, or a little later.
            back = [item for item in before if item["item"] in {item.name for item in one.items}]
            if back:
                later = self.random.choice([timedelta(0), timedelta(0), MICROSECOND, timedelta(seconds=77)])
                later = min(at + later, self.end)
                self.live_until(later)
                self.say(later, "update", **(arguments | {"items": back}))

    def cancel(self, at: datetime, one: Subscription) -> None:
        kind = self.random.randrange(4)
        if kind == 0:
            refund = self.random.choice(["none", "proration", "last"]) if "refunds" in self.features else "none"
            self.say(at, "cancel", subscription=one.name, at="now", refund=refund)
        elif kind == 1:
            moment = at + self.random.uniform(0, 5 if self.hours else 90) * DAY
            self.say(at, "cancel", subscription=one.name, at=text_of(moment))
        else:
            self.say(at, "cancel", subscription=one.name, at="period_end")

    def wrong(self, at: datetime, one: Subscription) -> None:
        """What no state allows."""
        past = text_of(at - self.random.choice([0, 1, 10**9]) * MICROSECOND)
        changes = one.state in ("active", "past_due", "trialing")
        calls = catalogue.refused(one.name, past, [item.name for item in one.items], changes)
        settled = [invoice.name for invoice in one.invoices if not invoice.unpaid]
        if settled:
            calls.append((self.random.choice(["void", "uncollectible"]), {"invoice": self.random.choice(settled)}))
        call, arguments = self.random.choice(calls)
        self.say(at, call, **arguments)

    def recover(self, at: datetime, one: Subscription) -> None:
        self.say(at, "recover", subscription=one.name)

    def pause(self, at: datetime, one: Subscription) -> None:
        if self.chance(50):
            resumes_at = text_of(at + self.random.uniform(0, 3 if self.hours else 60) * DAY)
            self.say(at, "pause", subscription=one.name, resumes_at=resumes_at)
        else:
            self.say(at, "pause", subscription=one.name)

    def resume(self, at: datetime, one: Subscription) -> None:
        self.say(at, "resume", subscription=one.name)


def story(seed: int, **options: bool) -> dict[str, Any]:
    one = Story(seed, **options)
    return {"seed": seed, "decimals": one.decimals, "script": one.write()}


def main() -> None:
    first, *more = [int(argument) for argument in sys.argv[1:]] or [1]
    for seed in range(first, first + (more[0] if more else 1)):
        print(json.dumps(story(seed)))


if __name__ == "__main__":
    main()
