"""Stripe Billing's events of one subscription, signed, in the shapes that its API had before 2025-03-31 or has had since."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, NamedTuple

SECRET = "whsec_of_these_tests"


class Event(NamedTuple):
    """An event as it is sent."""

    payload: str

    def signature(self, at: datetime) -> str:
        seconds = int(at.timestamp())
        digest = hmac.new(SECRET.encode(), f"{seconds}.{self.payload}".encode(), hashlib.sha256)
        return f"t={seconds},v1={digest.hexdigest()}"


class Plan:
    """A subscription at Stripe; what it says of itself."""

    def __init__(self, name: str, customer_id: str, is_new: bool = True) -> None:
        self.name, self.is_new = name, is_new
        self.metadata = {"customer_id": customer_id}
        self.sent = 0

    def stands(self, what: str, at: datetime, price: str, quantity: int, period: tuple[datetime, datetime],
               status: str = "active", **more: Any) -> Event:  # fmt: skip
        span = {"current_period_start": unix(period[0]), "current_period_end": unix(period[1])}
        item = {"id": f"si_{self.name}", "quantity": quantity,
                "price": {"id": f"price_{price}", "lookup_key": price, "currency": "usd"}}  # fmt: skip
        item |= span if self.is_new else {}
        about = {"id": f"sub_{self.name}", "status": status, "currency": "usd", "metadata": self.metadata,
                 "items": {"data": [item]}, "billing_cycle_anchor": unix(more.pop("anchor", period[0]))}  # fmt: skip
        about |= {} if self.is_new else span
        about |= {key: unix(value) if isinstance(value, datetime) else value for key, value in more.items()}
        return self.event(f"customer.subscription.{what}", at, about)

    def paid(self, at: datetime, price: str, quantity: int, period: tuple[datetime, datetime], cents: int,
             invoice: str, reason: str = "subscription_cycle", extra: int = 0) -> Event:  # fmt: skip
        """An invoice of a period, with `extra` cents of prorations."""
        lines = [self.line(price, quantity, period, cents, False)]
        if extra:
            lines.append(self.line(price, quantity, period, extra, True))
        return self.event("invoice.paid", at, self.invoice(invoice, cents + extra, reason, lines))

    def failed(self, at: datetime, invoice: str) -> Event:
        return self.event("invoice.payment_failed", at, self.invoice(invoice, 0, "subscription_cycle", []))

    def paid_by(self, at: datetime, invoice: str) -> Event:
        """What new versions say apart: by which payment."""
        about = {"invoice": f"in_{self.name}_{invoice}",
                 "payment": {"type": "payment_intent", "payment_intent": f"pi_{self.name}_{invoice}"}}  # fmt: skip
        return self.event("invoice_payment.paid", at, about)

    def refunded(self, at: datetime, invoice: str, cents: int) -> Event:
        about = {"id": f"ch_{self.name}_{invoice}", "payment_intent": f"pi_{self.name}_{invoice}",
                 "amount_refunded": cents, "currency": "usd"}  # fmt: skip
        return self.event("charge.refunded", at, about)

    def line(self, price: str, quantity: int, period: tuple[datetime, datetime], cents: int, proration: bool) -> Any:
        span = {"start": unix(period[0]), "end": unix(period[1])}
        line = {"amount": cents, "quantity": quantity, "period": span}
        if self.is_new:
            details = {"subscription": f"sub_{self.name}", "subscription_item": f"si_{self.name}", "proration": proration}
            return line | {"pricing": {"price_details": {"price": f"price_{price}"}},
                           "parent": {"subscription_item_details": details}}  # fmt: skip
        return line | {"price": {"id": f"price_{price}", "lookup_key": price}, "proration": proration,
                       "subscription_item": f"si_{self.name}"}  # fmt: skip

    def invoice(self, name: str, cents: int, reason: str, lines: list[Any]) -> dict[str, Any]:
        about: dict[str, Any] = {
            "id": f"in_{self.name}_{name}", "number": name, "amount_paid": cents, "currency": "usd", "billing_reason": reason,
            "lines": {"data": lines},
        }  # fmt: skip
        of = {"subscription": f"sub_{self.name}", "metadata": self.metadata}
        if self.is_new:
            return about | {"parent": {"type": "subscription_details", "subscription_details": of}}
        return about | {"subscription": of["subscription"], "subscription_details": {"metadata": self.metadata},
                        "payment_intent": f"pi_{self.name}_{name}"}  # fmt: skip

    def event(self, kind: str, at: datetime, about: dict[str, Any]) -> Event:
        self.sent += 1
        return Event(json.dumps({"id": f"evt_{self.name}_{self.sent}", "object": "event", "type": kind, "livemode": True,
                                 "created": unix(at), "data": {"object": about}}))  # fmt: skip


def unix(at: datetime) -> int:
    return int(at.timestamp())
