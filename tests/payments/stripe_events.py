"""Stripe's events of one purchase, in the form in which Stripe tells them, as far as it matters here. Amounts come in
major units and leave in cents."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NamedTuple

SECRET = "whsec_of_these_tests"


class Told(NamedTuple):
    """Something that is told of a payment: by a webhook, or by a call of the function of the same meaning."""

    key: str  # what has the same key is the same, told again
    function: str
    values: dict[str, Any]
    metadata: bool = True  # whether a webhook carries what the application gave the payment

    def bare(self) -> Told:
        """As Stripe tells of refunds and disputes: they have metadata of their own, and name the payment alone."""
        return self._replace(metadata=False)


class Events:
    """Events of one purchase. A serial number makes it another event; what it is about may be the same all the same."""

    def __init__(self, number: int) -> None:
        self.number = number

    def completed(
        self,
        amount: Decimal,
        serial: int = 1,
        payment: int = 1,
        tax: Decimal = Decimal(0),
        discount: Decimal = Decimal(0),
    ) -> Told:
        """The customer was through with the checkout page, where tax came on top and a discount was taken off."""
        return self.event(
            "checkout.session.completed", serial,
            id=f"cs_{self.number}_{payment}", object="checkout.session", amount_total=cents(amount), currency="usd",
            amount_subtotal=cents(amount - tax + discount), mode="payment", status="complete", payment_status="paid",
            total_details={"amount_tax": cents(tax), "amount_discount": cents(discount), "amount_shipping": 0},
            payment_intent=self.payment(payment),
        )  # fmt: skip

    def free(self, price: Decimal) -> Told:
        """The customer was through with it, and a discount left nothing to be paid."""
        return self.event(
            "checkout.session.completed", 1,
            id=f"cs_{self.number}_free", object="checkout.session", amount_total=0, currency="usd",
            amount_subtotal=cents(price), mode="payment", status="complete", payment_status="no_payment_required",
            total_details={"amount_tax": 0, "amount_discount": cents(price), "amount_shipping": 0}, payment_intent=None,
        )  # fmt: skip

    def succeeded(self, amount: Decimal, serial: int = 1, payment: int = 1) -> Told:
        return self.event(
            "payment_intent.succeeded", serial,
            id=self.payment(payment), object="payment_intent", amount=cents(amount), amount_received=cents(amount),
            currency="usd", status="succeeded", latest_charge=self.charge(payment),
        )  # fmt: skip

    def failed(self, amount: Decimal, serial: int = 1, payment: int = 1) -> Told:
        return self.event(
            "payment_intent.payment_failed", serial,
            id=self.payment(payment), object="payment_intent", amount=cents(amount), amount_received=0, currency="usd",
            status="requires_payment_method",
            last_payment_error={"code": "card_declined", "message": "Your card was declined."},
        )  # fmt: skip

    def refunded(self, amount: Decimal, total: Decimal, serial: int = 1, payment: int = 1) -> Told:
        """A charge was refunded: what it says is how much of it in all."""
        return self.event(
            "charge.refunded", serial,
            id=self.charge(payment), object="charge", amount=cents(amount), amount_captured=cents(amount),
            amount_refunded=cents(total), currency="usd", refunded=total >= amount, status="succeeded", paid=True,
            payment_intent=self.payment(payment),
        )  # fmt: skip

    def refund_updated(self, amount: Decimal, refund: int, status: str = "succeeded", payment: int = 1) -> Told:
        return self.event(
            "refund.updated", f"{refund}_{status}",
            id=f"re_{self.number}_{refund}", object="refund", amount=cents(amount), currency="usd", status=status,
            charge=self.charge(payment), payment_intent=self.payment(payment),
        )  # fmt: skip

    def disputed(self, amount: Decimal, dispute: int = 1, payment: int = 1) -> Told:
        return self.dispute("charge.dispute.created", amount, dispute, "needs_response", payment)

    def dispute_closed(self, amount: Decimal, won: bool, dispute: int = 1, payment: int = 1) -> Told:
        return self.dispute("charge.dispute.closed", amount, dispute, "won" if won else "lost", payment)

    def dispute(self, what: str, amount: Decimal, dispute: int, status: str, payment: int) -> Told:
        return self.event(
            what, dispute,
            id=f"dp_{self.number}_{dispute}", object="dispute", amount=cents(amount), currency="usd", status=status,
            reason="fraudulent", charge=self.charge(payment), payment_intent=self.payment(payment),
        )  # fmt: skip

    def payment(self, payment: int = 1) -> str:
        return f"pi_{self.number}_{payment}"

    def charge(self, payment: int) -> str:
        return f"ch_{self.number}_{payment}"

    def event(self, what: str, serial: int | str, **about: Any) -> Told:
        return Told(f"evt_{self.number}_{what}_{serial}", "webhook_receive", {"type": what, "object": about})


def cents(amount: Decimal) -> int:
    return int(amount * 100)


def payload(told: Told, customer_id: str, top_up_id: str) -> str:
    """The body of the request."""
    about = dict(told.values["object"])
    about["metadata"] = {"customer_id": customer_id, "top_up_id": top_up_id} if told.metadata else {}
    return json.dumps(
        {"id": told.key, "object": "event", "type": told.values["type"], "livemode": True, "data": {"object": about}},
        indent=2,
    )
