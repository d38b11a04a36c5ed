"""Webhooks signed by code of our own, as each provider says that it signs them."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any


def header(provider: str, payload: str, secret: str, at: int | None = None) -> str:
    """What stands in the provider's header; Stripe's has the time in it, in seconds (now where none is given)."""
    if provider == "paystack":
        return digest(secret, payload, hashlib.sha512)
    if provider == "stripe":
        at = int(time.time()) if at is None else at
        return f"t={at},v1={digest(secret, f'{at}.{payload}', hashlib.sha256)}"
    return digest(secret, payload, hashlib.sha256)


def digest(secret: str, text: str, how: Any) -> str:
    return hmac.new(secret.encode(), text.encode(), how).hexdigest()
