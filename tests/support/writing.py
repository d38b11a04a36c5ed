"""Which functions of the extension write: what a test that means all of them has to call, or to say why it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

WRITING = (
    "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'credits'::regnamespace AND provolatile = 'v' ORDER BY 1"
)


def uncalled(connection: psycopg.Connection[Any], called: Iterable[str], excepted: Mapping[str, str]) -> list[str]:
    """The functions that write and that a test neither calls nor excepts with a reason; and what it excepts in vain."""
    writing = {name for (name,) in connection.execute(WRITING)}
    called = set(called)
    wrong = [f"{name}() writes, and is neither called nor excepted" for name in writing - called - excepted.keys()]
    wrong += [f"{name}() is excepted, and called" for name in excepted.keys() & called]
    return sorted(wrong + [f"{name}() is no function that writes" for name in (called | excepted.keys()) - writing])
