"""What the Python tests share: a database of their own, connections, checks and the closing line.

A test imports it with

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from support import harness

and connects the way every PostgreSQL program does, through the standard PG* environment variables.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import sql

# Where a database is created from and dropped from.
MAINTENANCE_DATABASE = "postgres"


class Checks:
    """Counts what held and what did not, and says so line by line."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, ok: bool, what: str, detail: object = "") -> bool:
        """One check: `what` should hold, and `detail` tells what was seen where it does not."""
        if ok:
            self.passed += 1
            say(f"  ok    {what}")
        else:
            self.failed += 1
            say(f"  FAIL  {what}" + (f": {detail}" if str(detail) else ""))
        return ok

    def equal(self, got: object, expected: object, what: str) -> bool:
        return self.check(got == expected, what, f"expected {expected!r}, got {got!r}")

    def none(self, found: list[Any], what: str) -> bool:
        """Nothing was found that should not be; the first few are shown where something was."""
        shown = "; ".join(str(one) for one in found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        return self.check(not found, what, f"{len(found)}: {shown}{more}")

    @contextlib.contextmanager
    def case(self, what: str) -> Iterator[None]:
        """Runs one case; an exception in it is one failed check and the next case still runs."""
        say(what)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of this case
            self.check(False, what, described(error))
            traceback.print_tb(error.__traceback__, file=sys.stdout)


def say(line: str) -> None:
    print(line, flush=True)


def described(error: BaseException) -> str:
    """An error in one line; of the database's with its SQLSTATE and the first line of its DETAIL."""
    if not isinstance(error, psycopg.Error) or error.sqlstate is None:
        return f"{type(error).__name__}: {first_line(str(error))}"
    return f"{error.sqlstate} {first_line(str(error))} {first_line(error.diag.message_detail)}".strip()


def first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def connect(database: str, **options: Any) -> psycopg.Connection[Any]:
    """A session that commits each statement by itself unless a transaction is opened."""
    options.setdefault("autocommit", True)
    return psycopg.connect(dbname=database, **options)


@contextlib.contextmanager
def fresh_database(label: str, version: str | None = None) -> Iterator[str]:
    """A new database with the extension in it, dropped at the end whatever happened."""
    name = f"pg_credits_{label}_{os.getpid()}"
    create_database(name, version)
    try:
        yield name
    finally:
        drop_database(name)


def create_database(name: str, version: str | None = None) -> None:
    """A database with the extension in it: of the version that is installed by default, or of another."""
    of_version = sql.SQL("VERSION {}").format(sql.Identifier(version)) if version else sql.SQL("")
    with connect(MAINTENANCE_DATABASE) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
        )
    try:
        with connect(name) as connection:
            connection.execute(sql.SQL("CREATE EXTENSION pg_credits {}").format(of_version))
    except psycopg.Error:
        drop_database(name)
        raise


def database_exists(name: str) -> bool:
    with connect(MAINTENANCE_DATABASE) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def drop_database(name: str) -> None:
    with connect(MAINTENANCE_DATABASE) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def verify(connection: psycopg.Connection[Any]) -> list[Any]:
    """What credits.verify() has to say: nothing when all is sound."""
    return connection.execute("SELECT * FROM credits.verify()").fetchall()


def owned_by_others(connection: psycopg.Connection[Any]) -> list[str]:
    """What of the extension, of whatever kind, credits_owner does not own."""
    rows = connection.execute(
        # Who has an owner other than the cluster's first superuser has it in pg_shdepend, whatever its kind is.
        "SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d"
        " WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'"
        "   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_credits')"
        "   AND NOT EXISTS (SELECT FROM pg_shdepend s WHERE s.classid = d.classid AND s.objid = d.objid"
        "     AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        "     AND s.deptype = 'o' AND s.refobjid = 'credits_owner'::regrole)"
        # From 18 on a table's row type is listed, and has the owner of its table.
        "   AND NOT EXISTS (SELECT FROM pg_depend p WHERE p.classid = d.classid AND p.objid = d.objid AND p.deptype IN ('a', 'i')"
        "     AND p.refclassid IN ('pg_class'::regclass, 'pg_type'::regclass))"
        " UNION ALL SELECT 'relation ' || relname FROM pg_class"
        " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND relowner <> 'credits_owner'::regrole"
        " UNION ALL SELECT 'type ' || typname FROM pg_type"
        " WHERE typnamespace::regnamespace::text ~ '^credits(_internal)?$' AND typowner <> 'credits_owner'::regrole"
        " UNION ALL SELECT 'function ' || proname FROM pg_proc"
        " WHERE pronamespace::regnamespace::text ~ '^credits(_internal)?$' AND proowner <> 'credits_owner'::regrole"
        " UNION ALL SELECT 'schema ' || nspname FROM pg_namespace"
        " WHERE nspname IN ('credits', 'credits_internal') AND nspowner <> 'credits_owner'::regrole"
    ).fetchall()
    return [what for (what,) in rows]


def table_checksums(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """A checksum of every table of the extension: rows in a fixed order, every column of theirs."""
    tables = connection.execute(
        "SELECT relname, oid::regclass::text FROM pg_class"
        " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND relkind IN ('r', 'p') ORDER BY relname"
    ).fetchall()
    sums = {}
    for table, name in tables:
        query = sql.SQL(
            "SELECT count(*) || ' rows ' || coalesce(md5(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\")), '-')"
            " FROM (SELECT t::text AS line FROM {} AS t) AS lines"
        ).format(sql.SQL(name))
        row = connection.execute(query).fetchone()
        assert row is not None
        sums[table] = row[0]
    return sums


def run(label: str, body: Callable[[Checks, str], str | None]) -> None:
    """Runs a test in a database of its own, prints the closing line and ends the program.

    `body` gets the checks and the database's name. What it returns, if anything, opens the closing line.
    """

    def in_database(checks: Checks) -> str | None:
        with fresh_database(label) as database:
            return body(checks, database)

    run_alone(in_database)


def run_alone(body: Callable[[Checks], str | None]) -> None:
    """The same for a test that makes its databases by itself."""
    checks = Checks()
    closing: str | None = None
    try:
        closing = body(checks)
    except KeyboardInterrupt:
        checks.check(False, "interrupted")
    except Exception as error:  # noqa: BLE001 - the closing line comes whatever happened
        traceback.print_tb(error.__traceback__, file=sys.stdout)
        checks.check(False, "the test runs to its end", described(error))
    say((f"{closing}: " if closing else "") + f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(0 if checks.failed == 0 and checks.passed > 0 else 1)
