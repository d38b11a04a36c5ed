"""The providers' libraries at work, in a process of their own: run by the Python of packages.py.

Reads a question a line from standard input and answers each with a line, both JSON:

    {"provider": …, "payload": …, "secret": …, "at": …}                     -> the header that the library makes
    {"provider": …, "payload": …, "secret": …, "header": …, "tolerance": …} -> whether the library accepts it
"""

from __future__ import annotations

import json
import sys
from typing import Any

import stripe
from pypaystack2 import PaystackClient


class Listener:
    """Is equal to everything, and remembers to what: pypaystack2 hands a signature out to nobody, it only compares."""

    heard = ""

    def __eq__(self, other: object) -> bool:
        self.heard = str(other)
        return True


def stripe_header(payload: str, secret: str, at: int) -> str:
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{payload}", secret)
    return f"t={at},v1={signature}"


def stripe_accepts(payload: str, secret: str, header: str, tolerance: int) -> bool:
    try:
        stripe.Webhook.construct_event(payload, header, secret, tolerance)
    except (stripe.SignatureVerificationError, TypeError):  # the second where a signature is not ASCII
        return False
    return True


def paystack_header(payload: str, secret: str, at: int) -> str:
    listener: Any = Listener()
    PaystackClient(secret_key=secret).is_verified_webhook_payload(payload.encode(), listener)
    return listener.heard


def paystack_accepts(payload: str, secret: str, header: str, tolerance: int) -> bool:
    return PaystackClient(secret_key=secret).is_verified_webhook_payload(payload.encode(), header)


MAKES = {"stripe": stripe_header, "paystack": paystack_header}
ACCEPTS = {"stripe": stripe_accepts, "paystack": paystack_accepts}


def main() -> None:
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        provider = asked.pop("provider")
        work = ACCEPTS[provider] if "header" in asked else MAKES[provider]
        print(json.dumps(work(**asked)), flush=True)


if __name__ == "__main__":
    main()
