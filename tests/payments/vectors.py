"""What signatures are tried with: secrets, payloads in every form, headers of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

# As short as they may be, as Stripe's are, longer than what SHA-256 and SHA-512 take at once, and not ASCII alone.
SECRETS = ["whsec_Zq8_16char", "sk_live_5f3a9c1e7b2d4860a1c3e5f7092b4d6e", "long " * 40 + "one", "gehëim–秘密, 16 wide"]
# Events that mean nothing to us, so that all that matters of them is their signature.
KIND = {"stripe": "customer.created", "paystack": "customeridentification.success"}

# What can be no signature of any scheme.
NOTHING = [
    "", " ", ",", "=", ",,,", "t", "t=", "v1=", "t=1", "t=,v1=", "\t\n", "null", "é", "0", "'; --", "{}", "%s", "\\x00",
    "a" * 1_000_000, "t=1,v1=" + "0" * 1_000_000, "t=1," * 50_000, "💳" * 1_000,
]  # fmt: skip


class Headers(NamedTuple):
    """One header in other forms: that may mean the same, that are only written otherwise, that can mean nothing."""

    odd: list[str]
    lenient: list[str]
    absurd: list[str]


def event(provider: str, number: int | str, **more: Any) -> dict[str, Any]:
    if provider == "paystack":
        return {"event": KIND[provider], "data": {"id": number, "reference": f"ref {number}", **more}}
    return {"id": f"evt_{number}", "object": "event", "type": KIND[provider], "data": {"object": more}}


def payloads(provider: str) -> list[str]:
    """The same kind of event in every form in which JSON can come over the wire."""
    some = [event(provider, number, name="Zoë – 日本 🚀 \"'\\ \x7f\u2028", amount=10.50) for number in range(7)]
    return [
        json.dumps(some[0]),
        json.dumps(some[1], indent=2) + "\n",
        json.dumps(some[2], indent=2).replace("\n", "\r\n"),
        json.dumps(some[3], ensure_ascii=False, separators=(",", ":")),
        "  \t" + json.dumps(some[4], ensure_ascii=False, sort_keys=True),
        json.dumps({**some[5], "more": "é" * 100_000}, ensure_ascii=False),
        json.dumps({**some[6], "more": r"only looks like \u0000"}),
    ]


def no_events(provider: str) -> list[str]:
    """What is no event."""
    return [
        "", " ", "null", "[]", "{}", '"text"', "1", "not JSON", '{"id":', "[" * 100_000,
        '{"id": 5, "event": 5, "type": 5}',
    ]  # fmt: skip


def odd_events(provider: str) -> list[str]:
    """Genuine events with what PostgreSQL, or a JSON library, does not take."""
    values = [
        r'"\u0000"', r'"\ud800"', "1e999999", "9" * 5_000, '{"$serde_json::private::Number": "x"}', r'{"\u0000": 1}',
        "[" * 50_000 + "]" * 50_000, '{"a":' * 50_000 + "0" + "}" * 50_000,
    ]  # fmt: skip
    return [json.dumps(event(provider, f"odd {n}", x="X")).replace('"X"', value) for n, value in enumerate(values)]


def with_one_changed(text: str, change: Callable[[str], str]) -> list[str]:
    """The text with one character changed, for each of them."""
    return [text[:place] + change(text[place]) + text[place + 1 :] for place in range(len(text))]


def other_letter(letter: str) -> str:
    return chr(ord(letter) ^ 1)


def other_digit(digit: str) -> str:
    return "1" if digit == "0" else "0"


def stripe_headers(header: str) -> Headers:
    at, digits = header.removeprefix("t=").split(",v1=")
    zeros = "0" * len(digits)
    odd = [
        f"v1={digits},t={at}", f"{header},v0={zeros}", f"v0={digits},{header}", f"t={at},v1={zeros},v1={digits}",
        f"t={at},v1={digits},v1={zeros}", f"t=0,{header}", f"{header},t=0", f"t={int(at) + 1},{header}",
        f"t=0{at},v1={digits}", f"t=+{at},v1={digits}", f"t={at}.0,v1={digits}", f"{header},", f",{header}",
        f"t={at};v1={digits}", f"T={at},V1={digits}", f"t={at},v1={digits}0", f"t={at},v1=0{digits}",
        f"t={at},v1=={digits}", f"{header}=", f"{header},x=y",
    ]  # fmt: skip
    lenient = [
        f"t={at}, v1={digits}", f" {header}", f"{header} ", f"{header}\r\n", f"t={at},v1={digits.upper()}",
        f"{header},v1",
    ]  # fmt: skip
    absurd = [
        *NOTHING, digits, f"t={at},v0={digits}", f"t={at}", f"v1={digits}", f"t=-{at},v1={digits}",
        f"t=now,v1={digits}",
        f"t={'9' * 40},v1={digits}", f"t=9223372036854775808,v1={digits}", f"t=0x{int(at):x},v1={digits}",
        f"t={at},v1={'z' * 64}", f"t={at},v1={'é' * 32}", f"t={at},v1={digits * 2}", f"t={at} v1={digits}",
        f"t={at},v1={digits[:-1]}",
    ]  # fmt: skip
    return Headers(odd, lenient, absurd)


def paystack_headers(header: str) -> Headers:
    odd = [f"sha512={header}", header[:64], header * 2, f"{header}00", f"v1={header}", f"t=1,v1={header}", header[::-1]]
    lenient = [f" {header}", f"{header} ", f"{header}\r\n", header.upper()]
    absurd = [
        *NOTHING, "0" * 128, "f" * 128, "z" * 128, "é" * 64, header[:-1], f"{header}0", f"{header},{header}",
    ]  # fmt: skip
    return Headers(odd, lenient, absurd)


def headers(provider: str, header: str) -> Headers:
    return stripe_headers(header) if provider == "stripe" else paystack_headers(header)
