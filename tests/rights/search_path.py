"""Attacks with search_path: a login puts objects of its own, of every name that the extension could mean, in front of
PostgreSQL's. The story must come out as without them, and none of them may ever run: each raises an error of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import story
from logins import Logins, outcome, state_of
from psycopg import sql
from purchases import SECRET
from story import Story
from support import harness
from support.harness import Checks

# What everything of the attacker's raises.
RAN = "AT001"
MESSAGE = "the attacker runs"
PATHS = ("mallory, pg_temp, pg_catalog", "pg_temp, mallory, pg_catalog")
# What the attacker makes.
SHADOWS = Path(__file__).resolve().parent / "shadows.sql"
CLOSER = SHADOWS.with_name("closer.sql")

# What is done with an extension that was installed among an attacker's objects.
AFTER_INSTALL = (
    "SELECT credits.credit_grant('zoe', 5, expires_at => now() + interval '1 day')",
    "SELECT credits.hold_create('zoe', 2)",
    "SELECT credits.meter_create('tokens')",
    "SELECT credits.report_meter_event('zoe', 'tokens', 4, 'e1')",
    "SELECT * FROM credits.wallets",
    "SELECT * FROM credits.grants",
    "SELECT * FROM credits.trial_balance",
    "SELECT * FROM credits.verify()",
)


def check(checks: Checks, logins: Logins) -> None:
    """Tells the story without the attack, under it from the first call on, and with it coming in between."""
    owner = logins.owner
    logins.make("mallory", "credits_admin", "credits_customer", settings={"credits.test_clock": story.NOW})
    role = sql.Identifier(logins.role("mallory"))
    owner.execute(sql.SQL("CREATE SCHEMA mallory AUTHORIZATION {}").format(role))
    # credits_owner passes over schemas that it may not use, so an attacker opens this one.
    owner.execute("GRANT USAGE ON SCHEMA mallory TO PUBLIC")
    # For the customer views to tell the story of whoever it is about.
    owner.execute(sql.SQL("GRANT SET ON PARAMETER credits.current_customer TO {}").format(role))

    plain = told(owner, logins, "zoe_0")
    check_complete(checks, owner, plain)
    with logins.connect("mallory") as connection:
        build(checks, connection, names_of_relations(owner))
    for number, path in enumerate(PATHS, start=1):
        with logins.connect("mallory") as connection:
            set_up(connection, owner, path)
            check_same(checks, plain, tell(owner, connection, f"zoe_{number}"), f"from the first call on: {path}")
            check_traps(checks, connection, path)
    with logins.connect("mallory") as connection:
        check_same(checks, plain, tell(owner, connection, "zoe_4"), "in the same session, before the attack")
        set_up(connection, owner, PATHS[0])
        check_same(checks, plain, tell(owner, connection, "zoe_5"), "in the same session, under the attack")
    check_would_be_seen(checks, logins)


def told(owner: psycopg.Connection[Any], logins: Logins, name: str) -> Story:
    with logins.connect("mallory") as connection:
        return tell(owner, connection, name)


def tell(owner: psycopg.Connection[Any], connection: psycopg.Connection[Any], name: str) -> Story:
    return tell_it(owner, Story(connection, name))


def tell_it(owner: psycopg.Connection[Any], it: Story) -> Story:
    with owner.transaction():  # so that nothing of other stories falls due in this one
        owner.execute("SELECT set_config('credits.test_clock', %s, true)", [story.NOW])
        owner.execute("CALL credits.maintain(1000)")
    story.prepare(owner, it.name)
    it.tell()
    return it


def names_of_relations(owner: psycopg.Connection[Any]) -> list[str]:
    rows = owner.execute(
        "SELECT DISTINCT relname FROM pg_class WHERE relkind IN ('r', 'v')"
        " AND (relnamespace::regnamespace::text ~ '^credits(_internal)?$'"
        " OR relname ~ '^pg_(class|proc|type|namespace|roles|authid|operator|settings|extension)$')"
    )
    return [name for (name,) in rows.fetchall()]


def build(checks: Checks, connection: psycopg.Connection[Any], relations: list[str]) -> None:
    """What lasts of the attack: the attacker's schema."""
    connection.execute(SHADOWS.read_text())
    for name in relations:
        connection.execute(sql.SQL("CREATE TABLE mallory.{} (it mallory.text)").format(sql.Identifier(name)))
    count = "SELECT count(*) FROM pg_{} WHERE {}namespace = 'mallory'::regnamespace"
    kinds = {"proc": ("pro", 2500), "operator": ("opr", 700), "type": ("typ", 60), "class": ("rel", len(relations))}
    for table, (prefix, least) in kinds.items():
        (number,) = connection.execute(count.format(table, prefix)).fetchone()
        checks.check(number >= least, f"the attacker has {number} of pg_{table}", f"fewer than {least}")


def set_up(connection: psycopg.Connection[Any], owner: psycopg.Connection[Any], path: str) -> None:
    """What a session of the attacker's brings along: temporary tables and types, and the search_path."""
    for name in names_of_relations(owner):
        connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} (it pg_catalog.int4)").format(sql.Identifier(name)))
    for name in ("text", "numeric", "uuid", "jsonb", "timestamptz", "int8"):
        connection.execute(f"CREATE DOMAIN pg_temp.{name} AS pg_catalog.int4 CHECK (mallory.trap())")
    connection.execute(
        "CREATE FUNCTION pg_temp.lower(pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE sql AS 'SELECT mallory.trap()'"
    )
    connection.execute(f"SET search_path = {path}")


def check_same(checks: Checks, plain: Story, other: Story, when: str) -> None:
    differing = [
        f"{what}: {answer} where {before} was expected"
        for (what, before), (_, answer) in zip(plain.answers, other.answers, strict=True)
        if answer != before
    ]
    checks.none(differing, f"{len(other.answers)} answers are the same, {when}")


def check_complete(checks: Checks, owner: psycopg.Connection[Any], plain: Story) -> None:
    """The story calls every function and reads every view of schema credits that anybody was given."""
    given = owner.execute(
        "SELECT proname FROM pg_proc"
        " WHERE pronamespace = 'credits'::regnamespace AND prorettype <> 'trigger'::regtype"
        " UNION SELECT relname FROM pg_class c, aclexplode(relacl) a"
        " WHERE relnamespace = 'credits'::regnamespace AND relkind = 'v' AND a.grantee <> c.relowner"
    ).fetchall()
    # Nobody's but a superuser's; and the story would not survive reset().
    left = {name for (name,) in given} - plain.called - {"reset", "history_import"}
    checks.none(sorted(left), "the story calls every function and view")
    failed = {answer.split()[0] for _, answer in plain.answers if isinstance(answer, str)}
    meant = {"PC001", "PC002", "PC010", "PC011", "PC012", "PC014", "PC015"}
    checks.equal(failed, meant, "the story meets the errors that it is meant to, and no others")
    checks.none([what for what, answer in plain.answers if SECRET in str(answer)], "no answer has a secret in it")


def check_traps(checks: Checks, connection: psycopg.Connection[Any], path: str) -> None:
    """The traps are in the way of whoever is not careful: without this the rest would prove nothing."""
    careless = {
        "SELECT lower('X')": RAN,
        "SELECT 1 = 1": RAN,
        "SELECT '1'::text": RAN,
        "SELECT count(*) FROM accounts": "42809",
        "SELECT customer_id FROM accounts": "42703",
    }
    for statement, expected in careless.items():
        checks.equal(state_of(connection, statement), expected, f"a careless {statement} is caught: {path}")


def check_would_be_seen(checks: Checks, logins: Logins) -> None:
    """A function of the extension's without its pinned search_path would be caught: one is unpinned to see it."""
    logins.owner.execute("ALTER FUNCTION credits.verify(text) RESET search_path")
    try:
        with logins.connect("mallory") as connection:
            connection.execute(f"SET search_path = {PATHS[0]}")
            checks.equal(state_of(connection, "SELECT credits.verify('zoe_0')"), RAN, "an unpinned verify() is caught")
    finally:
        logins.owner.execute("ALTER FUNCTION credits.verify(text) SET search_path = pg_catalog, pg_temp")


def check_install(checks: Checks, logins: Logins) -> None:
    """The same when the extension is installed: where others may make objects in the schema that the superuser's
    search_path names first (in public, before PostgreSQL 15), none of theirs may become part of it."""
    role = logins.role("mallory")
    with harness.fresh_database("rights_install") as database, harness.connect(database) as owner:
        owner.execute("DROP EXTENSION pg_credits")
        for schema in ("credits", "credits_internal"):
            owner.execute(sql.SQL(f"CREATE SCHEMA {schema} AUTHORIZATION {{}}").format(sql.Identifier(role)))
            state = state_of(owner, "CREATE EXTENSION pg_credits")
            checks.equal(state, "42P06", f"it is not installed where there is a schema {schema} already")
            owner.execute(f"DROP SCHEMA {schema}")
        owner.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(role)))
        with harness.connect(database, user=role) as mallory:
            mallory.execute(CLOSER.read_text())
        owner.execute("CREATE EXTENSION pg_credits")
        used = owner.execute(
            "SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0) || ' in '"
            "       || pg_describe_object(d.classid, d.objid, 0)"
            " FROM pg_depend d"
            " LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid"
            " LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid"
            " WHERE 'public'::regnamespace IN (p.pronamespace, o.oprnamespace)"
            "   AND d.classid IN ('pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass,"
            "                     'pg_attrdef'::regclass) ORDER BY 1"
        ).fetchall()
        checks.none([what for (what,) in used], "nothing of another's became part of it")
        with harness.connect(database) as again:
            ran = [statement for statement in AFTER_INSTALL if outcome(again, statement)[1] == MESSAGE]
        checks.none(ran, "and nothing of another's runs")
