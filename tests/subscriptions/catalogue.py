"""What the customers of the stories can buy: prices of an interval and of another one, and coupons of every duration. And
calls that no subscription allows."""

from __future__ import annotations

from random import Random
from typing import Any

# How often a period grants, for each interval.
EVERY = {
    "hour": ["hour"], "6 hours": ["hour", "2 hours"], "day": ["hour", "6 hours"], "week": ["day", "36 hours"],
    "month": ["day", "week", "10 days"], "3 months": ["month", "week", "day"],
    "year": ["month", "month", "week", "day"],
}  # fmt: skip
# To which one may change.
MOVED = {
    "hour": "6 hours", "6 hours": "day", "day": "week", "week": "month", "month": "year", "3 months": "month", "year": "month",
}  # fmt: skip
VALID_FOR = ["1 month", "36 hours", "10 days", "1 year"]
TIERS = {"mode": "graduated", "tiers": [{"up_to": 2, "unit_price": 10}, {"unit_price": "7.5", "flat_fee": 3}]}
VOLUME = {"mode": "volume", "tiers": [{"up_to": 3, "unit_price": 9}, {"unit_price": 4}]}


def prices(chosen: Random, interval: str, decimals: int) -> list[dict[str, Any]]:
    amounts = (
        ["0", "20", "49.99", "7", "100", "333.33", "0.01"] if decimals else ["0", "20", "50", "7", "1000", "333", "1"]
    )
    found: list[dict[str, Any]] = []
    kinds = [(f"p{number}", number, interval) for number in range(5)]
    kinds += [(f"m{number}", number, MOVED[interval]) for number in range(3)]
    for name, number, interval in kinds:
        one: dict[str, Any] = {
            "name": name, "interval": interval, "unit_amount": chosen.choice(amounts[number > 0 :]),
            "product": f"product {number % 3}", "inclusive": chosen.random() < 0.3,
        }  # fmt: skip
        if number == 4:
            one["pricing"] = chosen.choice([TIERS, VOLUME])
        if chosen.random() < 0.75:
            one["plan"] = plan(chosen, interval)
        found.append(one)
    other = "2 weeks" if interval != "2 weeks" else "month"
    found.append({"name": "other", "interval": other, "unit_amount": "5"})
    return found


def changed(chosen: Random, price: dict[str, Any], decimals: int) -> dict[str, Any]:
    """Another price and other credits, for who buys it from now on."""
    new = price | {"unit_amount": chosen.choice(["9", "20", "25", "112"] + ["33.35"] * (decimals > 0))}
    if "plan" in price and chosen.random() < 0.5:
        new["plan"] = price["plan"] | {"amount": chosen.choice([1200, 90, "33.34", 11])}
    return new


def plan(chosen: Random, interval: str) -> dict[str, Any]:
    schedule: dict[str, Any] = {"delivery": chosen.choice(["invoice", "schedule", "schedule"])}
    if schedule["delivery"] == "schedule":
        schedule["every"] = chosen.choice(EVERY[interval])
        if chosen.random() < 0.3:
            schedule["amount_per_grant"] = chosen.choice([10, "3.33"])
        if chosen.random() < 0.2:
            schedule["max_grants_per_period"] = chosen.choice([1, 3, 366 if interval == "year" else 12])
    if chosen.random() < 0.6:
        schedule["first_grant"] = chosen.choice(["immediate", "after_trial", "after_first_payment"])
    if chosen.random() < 0.6:
        schedule["expire_with_next_grant"] = True
    found: dict[str, Any] = {"amount": chosen.choice([1000, 100, "33.33", 7]), "schedule": schedule}
    if chosen.random() < 0.25:
        found["valid_for"] = chosen.choice(VALID_FOR)
    return found


def coupons(chosen: Random, decimals: int) -> list[dict[str, Any]]:
    amount = "10" if decimals == 0 else "10.55"
    found = [
        {"name": "once", "duration": "once", "percent": "50"},
        {"name": "once off", "duration": "once", "amount_off": amount},
        {"name": "some", "duration": "repeating", "months": chosen.choice([1, 3]), "percent": "33.3"},
        {"name": "some off", "duration": "repeating", "months": 2, "amount_off": amount},
        {"name": "always", "duration": "forever", "percent": chosen.choice(["20", "100"])},
        {"name": "always off", "duration": "forever", "amount_off": amount},
    ]
    for coupon in found:
        if chosen.random() < 0.25:
            coupon["products"] = ["product 0", "product 1"]
    return found


def refused(name: str, past: str | None, items: list[str], changes: bool) -> list[tuple[str, dict[str, Any]]]:
    """With a moment that has passed, and whether its items may change."""
    new = {"subscription": "never", "customer": "ann"}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("cancel", {"subscription": name, "at": past}),
        ("cancel", {"subscription": name, "at": "period_end", "refund": "proration"}),
        ("create", new | {"items": []}),
        ("create", new | {"items": [{"item": "x", "price": "p0"}], "trial_end": past}),
        ("create", new | {"items": [{"item": "x", "price": "p0", "quantity": 0}]}),
        ("create", new | {"items": [{"item": "x", "price": "p0"}, {"item": "y", "price": "other"}]}),
    ]  # fmt: skip
    if changes:
        calls += [
            ("update", {"subscription": name, "items": [{"item": items[0], "price": "other"}, {"item": "y", "price": "p0"}]}),
            ("update", {"subscription": name, "items": [{"item": items[0], "quantity": -1}]}),
            ("update", {"subscription": name, "items": [{"item": each, "deleted": True} for each in items]}),
        ]
    return calls
