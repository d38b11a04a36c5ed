"""Who owns it: credits_owner, a role that can do nothing else; and what installing does with roles that are there already
and with default privileges. Roles belong to the cluster, so what is changed of one is changed back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from logins import Logins, outcome, state_of
from psycopg import sql
from settings import REFUSED
from support import harness
from support.harness import Checks

# What is beyond credits_owner, and was not beyond the superuser whom the functions belonged to.
BEYOND = (
    "SELECT * FROM pg_authid", "SELECT pg_read_file('PG_VERSION')", "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT * FROM public.of_the_application", "CREATE ROLE rights_more",
    "CREATE FUNCTION credits.more() RETURNS int LANGUAGE c AS 'pg_credits', 'clock_wrapper'",
    "SET credits.test_clock = '2001-01-01'",
)  # fmt: skip
ATTRIBUTES = ("SUPERUSER", "LOGIN", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
EXISTS = "55000"


def check(checks: Checks, logins: Logins) -> None:
    owner = logins.owner
    checks.none(harness.owned_by_others(owner), "everything of the extension is credits_owner's")
    owner.execute("CREATE TABLE public.of_the_application ()")
    for statement in BEYOND:
        checks.equal(as_credits_owner(owner, statement), REFUSED, f"credits_owner may not {statement}")
    kept = as_credits_owner(owner, "DELETE FROM credits_internal.accounts")
    checks.equal(kept, "00000", "nor is it refused everything: its own tables are its own")
    whole = state_of(owner, "DROP OWNED BY credits_owner")
    checks.equal(whole, "2BP01", "and DROP OWNED takes nothing out of the extension")


def as_credits_owner(owner: psycopg.Connection[Any], statement: str) -> str:
    """The SQLSTATE that a statement ends with as that role; nothing of it stays."""
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL SESSION AUTHORIZATION credits_owner")
        return state_of(owner, statement)


def check_install(checks: Checks, logins: Logins) -> None:
    with harness.fresh_database("rights_owner") as database, harness.connect(database) as owner:
        said: list[str] = []
        owner.add_notice_handler(lambda notice: said.append(f"{notice.severity}: {notice.message_primary}"))
        check_attributes(checks, owner)
        check_members(checks, logins, owner, said)
        check_default_privileges(checks, logins, owner, database)


def again(owner: psycopg.Connection[Any]) -> tuple[str, str]:
    """Drops the extension and installs it."""
    owner.execute("DROP EXTENSION IF EXISTS pg_credits")
    return outcome(owner, "CREATE EXTENSION pg_credits")


def check_attributes(checks: Checks, owner: psycopg.Connection[Any]) -> None:
    for attribute in ATTRIBUTES:
        with changed(owner, f"ALTER ROLE credits_owner {attribute}", f"ALTER ROLE credits_owner NO{attribute}"):
            refused = again(owner)
            checks.equal(refused[0], EXISTS, f"not installed for a credits_owner that is {attribute}")
            checks.check("credits_owner" in refused[1], "and the message names it", refused[1])
    checks.equal(again(owner)[0], "00000", "installed for one that can do nothing")


def check_members(checks: Checks, logins: Logins, owner: psycopg.Connection[Any], said: list[str]) -> None:
    """Whoever was put into a role before has its rights in every database that gets the extension: said, not refused."""
    login = logins.make("before")
    said.clear()
    again(owner)
    checks.none([line for line in said if login in line or "credits_owner" in line], "roles that are as made are passed over")
    for role in ("credits_owner", "credits_admin", "credits_worker"):
        with changed(owner, f"GRANT {role} TO {login}", f"REVOKE {role} FROM {login}"):
            said.clear()
            again(owner)
            lines = [line for line in said if f"role {role} exists already" in line and login in line]
            checks.check(len(lines) == 1 and lines[0].startswith("WARNING"), f"a member of {role} is warned of", said)
    with changed(owner, "GRANT pg_read_all_data TO credits_owner", "REVOKE pg_read_all_data FROM credits_owner"):
        said.clear()
        again(owner)
        lines = [line for line in said if "member of pg_read_all_data" in line]
        checks.equal(len(lines), 1, "and so are the rights that credits_owner has of others")
    with changed(owner, "ALTER ROLE credits_app LOGIN", "ALTER ROLE credits_app NOLOGIN"):
        said.clear()
        again(owner)
        checks.check(any("role credits_app" in line and "log in" in line for line in said), "and a role that logs in", said)


def check_default_privileges(
    checks: Checks, logins: Logins, owner: psycopg.Connection[Any], database: str
) -> None:
    """ALTER DEFAULT PRIVILEGES, of which a reporting login lives in many databases, opens nothing of this."""
    login = sql.Identifier(logins.make("reports"))
    owner.execute("ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO PUBLIC")
    for what in ("SELECT ON TABLES", "SELECT ON SEQUENCES", "EXECUTE ON FUNCTIONS", "USAGE ON TYPES", "USAGE ON SCHEMAS"):
        owner.execute(sql.SQL(f"ALTER DEFAULT PRIVILEGES GRANT {what} TO {{}}").format(login))
    again(owner)
    given = owner.execute(
        "SELECT DISTINCT given.grantee::regrole::text FROM ("
        " SELECT nspacl AS acl FROM pg_namespace WHERE nspname IN ('credits', 'credits_internal') UNION ALL"
        " SELECT relacl FROM pg_class WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' UNION ALL"
        " SELECT typacl FROM pg_type WHERE typnamespace::regnamespace::text ~ '^credits(_internal)?$' UNION ALL"
        " SELECT proacl FROM pg_proc WHERE pronamespace::regnamespace::text ~ '^credits(_internal)?$') AS made,"
        " aclexplode(made.acl) AS given"
        " WHERE given.grantee::regrole::text !~ '^credits_'"
    ).fetchall()
    checks.none(given, "default privileges give nobody anything of it")
    with harness.connect(database, user=logins.role("reports")) as connection:
        state = state_of(connection, "SELECT * FROM credits_internal.payment_providers")
    checks.equal(state, REFUSED, "so a login that reads all else does not read the secrets")
    owner.execute(sql.SQL("DROP OWNED BY {}").format(login))
    owner.execute("ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SEQUENCES FROM PUBLIC")


@contextlib.contextmanager
def changed(owner: psycopg.Connection[Any], change: str, back: str) -> Iterator[None]:
    owner.execute(change)
    try:
        yield
    finally:
        owner.execute(back)
