"""How a question was answered: the plan of the statement that a function runs within, and the blocks that it read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg

from support.harness import say


class Answered(NamedTuple):
    """What a question was answered, how long it took, and what was read for it."""

    rows: list[Any]
    seconds: float
    plan: dict[str, Any]
    blocks: int


def explained(connection: psycopg.Connection[Any], query: str, values: list[Any], mentions: str) -> Answered:
    """Runs a query, with the plan of the statement within its function that mentions a certain text."""
    connection.execute(query, values)  # so that the session has loaded what it needs
    notices: list[str] = []

    def listen(diagnostic: Any) -> None:
        notices.append(diagnostic.message_primary or "")

    connection.execute("LOAD 'auto_explain'")
    for setting, value in {
        "log_min_duration": "0", "log_nested_statements": "on", "log_analyze": "on", "log_buffers": "on",
        "log_timing": "off", "log_format": "json",
    }.items():  # fmt: skip
        connection.execute("SELECT set_config(%s, %s, false)", [f"auto_explain.{setting}", value])
    connection.add_notice_handler(listen)
    connection.execute("SET client_min_messages = log")
    rows = connection.execute(query, values).fetchall()
    connection.execute("SET client_min_messages = notice")
    connection.execute("SET auto_explain.log_min_duration = -1")
    connection.remove_notice_handler(listen)
    began = time.monotonic()
    connection.execute(query, values)
    seconds = time.monotonic() - began
    plans = [json.loads(text[text.index("{") :]) for text in notices if mentions in text]
    plan = plans[0]["Plan"]
    return Answered(rows, seconds, plan, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's nodes, from the top."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def read_whole(answered: Answered, rows: int) -> list[str]:
    """Tables of which that many rows were looked at without an index."""
    return sorted({
        node["Relation Name"] for node in nodes(answered.plan)
        if node["Node Type"] == "Seq Scan"
        and (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] >= rows
    })  # fmt: skip


def show(title: str, answered: Answered) -> None:
    say(f"        {title}: {answered.seconds * 1000:.1f} ms, {answered.blocks} blocks")
    for depth, line in lines(answered.plan):
        say("          " + "  " * depth + line)


def lines(plan: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, str]]:
    """The plan to be read, each node with its depth."""
    on = f" on {plan['Index Name']}" if "Index Name" in plan else ""
    condition = plan.get("Index Cond") or plan.get("Filter") or ""
    yield depth, f"{plan['Node Type']}{on}, {plan['Actual Rows']} rows {condition}".rstrip()
    for part in plan.get("Plans", []):
        yield from lines(part, depth + 1)
