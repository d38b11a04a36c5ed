"""The test's own side of the fake Stripe server: what an application and a person with a card would do there, and what
was charged. Plain HTTP, so that it needs no package."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from typing import Any

KEY = "sk_test_of_this_test"
SECRET = "whsec_of_this_test"
GOOD, DECLINED = "4242424242424242", "4000000000000341"  # the second can be saved, and then every charge is declined
ASKS_THE_BANK = "4000002760003184"  # it can be saved, and then the bank asks the customer about every charge
EVENTS = ["payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.requires_action"]


class FakeStripe:
    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def call(self, path: str, values: dict[str, Any] | None = None) -> Any:
        """POST where there are values, else GET."""
        request = urllib.request.Request(
            self.base + path,
            data=None if values is None else json.dumps(values).encode(),
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def webhooks_to(self, port: int) -> None:
        url = f"http://127.0.0.1:{port}/"
        self.call("/_config/webhooks/endpoint", {"url": url, "secret": SECRET, "events": EVENTS})

    def hold_answers(self, hold: bool) -> None:
        self.call("/_config/hold", {"hold": hold})

    def customer(self) -> str:
        return self.call("/v1/customers", {"email": "someone@example.com"})["id"]

    def save_card(self, customer: str, number: str) -> str:
        """Saves a card, and returns what auto-recharge keeps as the payment method."""
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        made = self.call("/v1/payment_methods", {"type": "card", "card": card})["id"]
        self.call(f"/v1/payment_methods/{made}/attach", {"customer": customer})
        return f"{customer}/{made}"

    def clock(self, now: float) -> None:
        """From now on webhooks are signed as of then."""
        self.call("/_config/clock", {"now": now})

    def last_intent(self, customer: str) -> dict[str, Any]:
        """What a customer was asked to pay last."""
        found = self.call("/v1/payment_intents?limit=100")["data"]
        return [one for one in found if one["customer"] == customer][-1]

    def confirm(self, intent: dict[str, Any]) -> None:
        """The customer comes back, to a page that confirms the payment: the bank asks."""
        self.call(f"/v1/payment_intents/{intent['id']}/confirm", {})

    def answer_the_bank(self, intent: dict[str, Any]) -> None:
        self.call(
            f"/v1/payment_intents/{intent['id']}/_authenticate", {"client_secret": intent["client_secret"], "success": True}
        )

    def charges(self, customer: str) -> list[tuple[int, str, str]]:
        """Every charge of a customer's cards: how much, of what, and what became of it."""
        found = self.call(f"/v1/charges?customer={customer}&limit=100")["data"]
        return [(one["amount"], one["currency"], one["status"]) for one in found]

    def calls(self) -> dict[str, int]:
        """How often a payment was asked for under each idempotency key."""
        return self.call("/_config/calls")


def deliver(port: int, payload: str, secret: str | None = SECRET) -> int:
    """Posts a webhook, signed with the secret (unsigned without one), and returns the status of the answer."""
    now = int(time.time())
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        signature = hmac.new(secret.encode(), f"{now}.{payload}".encode(), hashlib.sha256).hexdigest()
        headers["Stripe-Signature"] = f"t={now},v1={signature}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", data=payload.encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
