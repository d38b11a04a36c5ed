"""The ways to dump and restore, through PostgreSQL's own programs. Each fills a database that was made for it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql
from support import harness

# What CREATE EXTENSION says of a login that restore/test has given a role before.
KNOWN_MEMBERS = re.compile(
    r"(pg_restore: |psql:\S+ )?WARNING:  role credits_app exists already: its members are restore_app_\d+\nHINT: .*\n"
)


def plain(source: str, target: str) -> None:
    """pg_dump as SQL, run by psql"""
    empty(target)
    into(source, target)


def into(source: str, target: str) -> None:
    """The same into a database that is there, with the extension in it or without."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dump.sql"
        program("pg_dump", "--format=plain", f"--file={file}", source)
        psql(target, file)


def custom(source: str, target: str) -> None:
    """pg_dump in its own format, restored by pg_restore in two jobs"""
    empty(target)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dump"
        program("pg_dump", "--format=custom", f"--file={file}", source)
        program("pg_restore", "--exit-on-error", "--jobs=2", f"--dbname={target}", str(file))


def data_only(source: str, target: str) -> None:
    """the data alone, into a database where the extension is installed already"""
    empty(target)
    with harness.connect(target) as connection:
        connection.execute("CREATE EXTENSION pg_credits")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dump.sql"
        program("pg_dump", "--data-only", "--exclude-schema=public", f"--file={file}", source)
        psql(target, file)


def without_public(source: str, target: str) -> None:
    """pg_dump without public, restored where there is no such schema"""
    empty(target)
    with harness.connect(target) as connection:
        connection.execute("DROP SCHEMA public")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dump.sql"
        program("pg_dump", "--exclude-schema=public", f"--file={file}", source)
        psql(target, file)


WAYS: tuple[Callable[[str, str], None], ...] = (plain, custom, data_only, without_public)


def empty(name: str) -> None:
    with harness.connect(harness.MAINTENANCE_DATABASE) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
        )


def psql(database: str, file: Path) -> None:
    program("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", f"--dbname={database}", f"--file={file}")


def program(*arguments: str) -> str:
    """Runs one; not a word of complaint may come from it, but that a role has members here (restore/test makes one)."""
    done = subprocess.run(arguments, capture_output=True, text=True)
    complaints = KNOWN_MEMBERS.sub("", done.stderr)
    if done.returncode != 0 or complaints:
        raise psycopg.ProgrammingError(f"{' '.join(arguments[:2])}: {done.returncode} {done.stderr.strip()[:500]}")
    return done.stdout


def nothing_but_the_extension(source: str) -> list[str]:
    """What pg_dump would restore of the schema beside CREATE EXTENSION: rights and owners that it takes for the user's."""
    lines = program("pg_dump", "--schema-only", source).splitlines()
    return [line for line in lines if "credits" in line and not line.startswith(("--", "CREATE EXTENSION", "COMMENT ON EXTENSION"))]
