"""Logins that exist for one test: made in its database, dropped with all that is theirs at the end, whatever happened.

Roles belong to the cluster, so their names carry the process's id. How a check uses a login belongs to that check.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from support import harness


class Logins:
    """The logins of one database, by a short name each."""

    def __init__(self, database: str, owner: psycopg.Connection[Any]) -> None:
        self.database = database
        self.owner = owner
        self.made: list[str] = []

    def role(self, label: str) -> str:
        """The role behind a short name."""
        return f"rights_{label}_{os.getpid()}"

    def make(self, label: str, *groups: str, options: str = "", settings: dict[str, str] | None = None) -> str:
        """A login that is in `groups`, with what CREATE ROLE may say besides, and settings from its first moment on."""
        role = self.role(label)
        self.owner.execute(sql.SQL("CREATE ROLE {} LOGIN " + options).format(sql.Identifier(role)))
        self.made.append(role)
        for group in groups:
            self.owner.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role)))
        for name, value in (settings or {}).items():
            self.set(label, name, value)
        return role

    def set(self, label: str, name: str, value: str) -> None:
        """ALTER ROLE … SET, by the superuser; it holds from the next session on."""
        role = sql.Identifier(self.role(label))
        self.owner.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.SQL(name), sql.Literal(value)))

    def connect(self, label: str, options: str = "", **others: Any) -> psycopg.Connection[Any]:
        """A new session of that login; `options` as in PGOPTIONS."""
        return harness.connect(self.database, user=self.role(label), options=options, **others)

    def drop(self) -> None:
        for role in reversed(self.made):
            name = sql.Identifier(role)
            self.owner.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
            self.owner.execute(sql.SQL("DROP ROLE {}").format(name))


def outcome(connection: psycopg.Connection[Any], statement: sql.Composable | str) -> tuple[str, str]:
    """The SQLSTATE that a statement ends with, and its message; what it did in its transaction stays."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate or "no SQLSTATE", error.diag.message_primary or ""
    return "00000", ""


def state_of(connection: psycopg.Connection[Any], statement: sql.Composable | str) -> str:
    return outcome(connection, statement)[0]


@contextlib.contextmanager
def logins(database: str, owner: psycopg.Connection[Any]) -> Iterator[Logins]:
    """The logins of a test, gone at its end. A rule of one database (ALTER ROLE … IN DATABASE) goes with its role."""
    some = Logins(database, owner)
    try:
        yield some
    finally:
        some.drop()
