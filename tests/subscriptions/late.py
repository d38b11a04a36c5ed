"""The same calm story with maintain() at every moment at which something is due, once a week, and not before a provider
reports: the same periods, invoices, lines and credits. What is due is done by the calls themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import due
import psycopg
from model import Model
from server import Server

WAYS = ("always", "weekly", "never")
# A provider reports of what exists, so a worker had been asked.
REPORTS = {"paid", "failed", "maintain"}


def told(connection: psycopg.Connection[Any], story: dict[str, Any], way: str) -> tuple[dict[str, Any], list[str]]:
    """What there is at the end, and what was refused otherwise than the story says."""
    server, model = Server(connection, f"calm {story['seed']} {way}", story["decimals"]), Model(story["decimals"])
    wrong, passed = [], None
    for at, name, arguments, expected in story["script"]:
        moment = datetime.fromisoformat(at)
        while way == "always" and model.now and (following := due.next_change(model)) and following <= moment:
            model.advance(following)
            server.clock(following)
            server.due()
        while way == "weekly" and passed and passed + timedelta(days=7) < moment:
            passed += timedelta(days=7)
            server.clock(passed)
            server.due()
        passed = moment
        server.clock(moment)
        if name in REPORTS:
            server.due()
        if way == "always":
            model.call(at, name, arguments)
        got = None if name == "preview" else server.call(name, arguments)
        if got != expected:
            wrong.append(f"story {story['seed']} {way}, {at} {name} {arguments}: {got} where {expected} was due")
    found = server.snapshot()
    server.end()
    return found, wrong
