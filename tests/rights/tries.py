"""What each role may do with each object of the extension, found out by trying. The objects come from the catalog, so
that a new one cannot be missed; rights.txt is what is expected. What no table of rights may ever say is here too.

A function is called with NULL for every argument: 42501 is refused, any other error or a result is allowed. What a call
does when it is given real arguments belongs in story.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from logins import Logins
from psycopg import sql
from support.harness import Checks

TABLE = Path(__file__).resolve().parent / "rights.txt"
# The one table that others write, and the columns that they may.
INBOX = "inbox"
INBOX_COLUMNS = {
    "customer_id", "event_name", "value", "identifier", "occurred_at", "subscription_id", "source_data", "metadata",
    "member_id",
}  # fmt: skip
# What has secrets in it: nobody but the owner may read it, in whatever way.
SECRET = ("payment_providers", "signing_keys", "webhook_secrets")
# But that is none: which endpoint, and until when its old secret signs.
NO_SECRET = ("webhook_endpoint_id", "previous_secret_expires_at")
# A login of each, in the table's order. nobody is a login that was given no role.
GROUPS = {
    "nobody": (),
    "customer": ("credits_customer",),
    "webhook": ("credits_webhook",),
    "meter": ("credits_meter",),
    "sender": ("credits_sender",),
    "worker": ("credits_worker",),
    "read": ("credits_read",),
    "app": ("credits_app",),
    "admin": ("credits_admin",),
}
# What whoever may use the schema may ask: what there is, and which errors are raised.
FOR_ALL = {"help", "error_codes"}
# All that the roles may that are for one program, beside that.
NARROW = {
    "webhook": {"webhook_receive"},
    "meter": {"report_meter_event", "report_meter_events", INBOX},
    "worker": {
        "outbox_claim", "outbox_ack", "recharge_begin", "payment_succeeded", "payment_failed", "payment_refunded",
        "payment_refund_failed", "payment_disputed", "payment_dispute_closed", "payment_intent_begin", "payment_processing",
        "payment_requires_action", "refund_begin",
    },
    "sender": {"webhook_claim", "webhook_report"},
}  # fmt: skip
# Who may put rows into the inbox.
REPORTERS = ("meter", "app", "admin")
SECTIONS = ("schema", "tables", "views", "functions that only read", "functions that change something", "triggers")
HEAD = """\
# What each role may do with each object of the extension, as found out by logging in with it and trying. What is in no
# schema's name here is in credits.
# nobody is a login that was given no role; each of the others was given the role credits_… of its name. credits_owner, which
# owns it all, is not shown.
# ACCEPT=1 tests/rights/test writes this file, for git diff to be read.
"""

REFUSED = "42501"
# The second is nobody's but the owner's.
SCHEMAS = ("credits", "credits_internal")
NOT_WRITABLE = "55000"  # a view that nobody can write, whatever was granted on it


@dataclass
class Thing:
    """One object: where the table lists it, and a statement for each thing that may be tried with it."""

    section: str
    schema: str
    name: str
    oid: int
    tries: dict[str, sql.Composable]
    privileges: dict[str, str]
    may: dict[str, list[str]] = field(default_factory=dict)

    def is_one_of(self, *sections: str) -> bool:
        return self.section in sections


def things(owner: psycopg.Connection[Any]) -> Iterator[Thing]:
    """Everything of the extension, the schemas first."""
    for schema in SCHEMAS:
        (oid,) = owner.execute("SELECT %s::regnamespace::oid", [schema]).fetchone()
        missing = sql.Identifier(schema, "not there")
        yield Thing(
            "schema", schema, schema, oid,
            {"use": sql.SQL("SELECT FROM {}").format(missing), "create": sql.SQL("CREATE TABLE {} ()").format(missing)},
            {"use": "USAGE", "create": "CREATE"},
        )  # fmt: skip
    relations = owner.execute(
        "SELECT c.oid, relnamespace::regnamespace::text, c.relname, c.relkind IN ('v', 'm'), a.attname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1"
        " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND relkind NOT IN ('i', 'I', 't', 'c')"
        " ORDER BY 2, 3"
    )
    for oid, schema, name, view, column in relations.fetchall():
        words = {
            "select": "SELECT * FROM {table}",
            "insert": "INSERT INTO {table} DEFAULT VALUES",
            "update": "UPDATE {table} SET {column} = NULL",
            "delete": "DELETE FROM {table}",
        }
        table, first = sql.Identifier(schema, name), sql.Identifier(column)
        tries = {word: sql.SQL(text).format(table=table, column=first) for word, text in words.items()}
        kind = "views" if view else "tables"
        yield Thing(kind, schema, shown_in(schema, name), oid, tries, {word: word.upper() for word in words})
    routines = owner.execute(
        "SELECT p.oid, pronamespace::regnamespace::text, p.proname, p.prokind, p.provolatile = 'v',"
        "       p.prorettype = 'trigger'::regtype,"
        "       array(SELECT format_type(t, NULL) FROM unnest(CASE WHEN p.prokind = 'p'"
        "             THEN coalesce(p.proallargtypes, p.proargtypes::oid[]) ELSE p.proargtypes::oid[] END) AS t)"
        " FROM pg_proc p WHERE pronamespace::regnamespace::text ~ '^credits(_internal)?$' ORDER BY 2, 3, 7"
    )
    for oid, schema, name, kind, changes, trigger, types in routines.fetchall():
        nulls = sql.SQL(", ").join(sql.SQL("NULL::" + one) for one in types)
        call = sql.SQL("CALL {}({})" if kind == "p" else "SELECT {}({})").format(sql.Identifier(schema, name), nulls)
        section = "triggers" if trigger else SECTIONS[4] if changes else SECTIONS[3]
        shown = ", ".join(one.replace("timestamp with time zone", "timestamptz") for one in types)
        yield Thing(section, schema, f"{shown_in(schema, name)}({shown})", oid, {"call": call}, {"call": "EXECUTE"})


def shown_in(schema: str, name: str) -> str:
    """An object's name in the table."""
    return name if schema == "credits" else f"{schema}.{name}"


def attempt(connection: psycopg.Connection[Any], statement: sql.Composable) -> str:
    """The SQLSTATE that a statement ends with; nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate or "no SQLSTATE"
    return "00000"


def try_all(checks: Checks, logins: Logins) -> list[Thing]:
    """Tries everything as everybody, and holds what was seen against the catalog and against what must always hold."""
    found = list(things(logins.owner))
    wrong = [
        f"{state}: {statement.as_string(logins.owner)}"
        for thing in found
        for statement in thing.tries.values()
        if (state := attempt(logins.owner, statement)) in (REFUSED, "42601", "42883", "42704")
    ]
    checks.none(wrong, f"{len(found)} objects: every try is a statement that the owner may run")
    differing = []
    for label in GROUPS:
        with logins.connect(label) as connection:
            for thing in found:
                states = {word: attempt(connection, statement) for word, statement in thing.tries.items()}
                thing.may[label] = [word for word, state in states.items() if state not in (REFUSED, NOT_WRITABLE)]
                granted = by_catalog(logins, thing, label)
                if granted != thing.may[label]:
                    differing.append(f"{label}, {thing.name}: may {thing.may[label]}, granted {granted}")
    checks.none(differing, "what the tries say is what the catalog says, for every role and object")
    return found


def by_catalog(logins: Logins, thing: Thing, label: str) -> list[str]:
    """The same according to PostgreSQL's own functions: it finds what a try cannot, such as INSERT on a view."""
    kind = {"schema": "schema", "tables": "table", "views": "table"}.get(thing.section, "function")
    granted = []
    for word, privilege in thing.privileges.items():
        on_columns = " OR has_any_column_privilege(%(role)s, %(oid)s::oid, %(privilege)s)" if word == "insert" else ""
        row = logins.owner.execute(
            f"SELECT (has_{kind}_privilege(%(role)s, %(oid)s::oid, %(privilege)s){on_columns})"
            " AND has_schema_privilege(%(role)s, %(within)s, %(schema)s)",
            {
                "role": logins.role(label), "oid": thing.oid, "privilege": privilege,
                "within": thing.schema, "schema": privilege if kind == "schema" else "USAGE",
            },
        ).fetchone()  # fmt: skip
        if row[0]:
            granted.append(word)
    return granted


def check_rules(checks: Checks, logins: Logins, found: list[Thing]) -> None:
    """What must hold whatever the table says, so that ACCEPT=1 cannot make a wrong right look right."""

    def those(label: str, *sections: str) -> list[str]:
        return [f"{one.name}: {one.may[label]}" for one in found if one.is_one_of(*sections) and one.may[label]]

    checks.none(those("nobody", *SECTIONS), "a login without a role may do nothing")
    internal = [f"{label}, {one.name}: {one.may[label]}" for label in GROUPS for one in found
                if one.schema != "credits" and one.may[label]]  # fmt: skip
    checks.none(internal, "nobody looks into credits_internal")
    for label in GROUPS:
        beyond = [
            f"{one.name}: {one.may[label]}"
            for one in found
            if one.is_one_of("tables", "triggers") and one.may[label]
            and not (one.name == INBOX and one.may[label] == ["insert"] and label in REPORTERS)
        ]  # fmt: skip
        what = "may insert into the inbox, and has no other right" if label in REPORTERS else "has no right"
        checks.none(beyond, f"{label} {what} on any table or trigger")
    writing = [
        f"{label}, {thing.name}: {thing.may[label]}"
        for label in GROUPS
        for thing in found
        if (thing.section == "schema" and "create" in thing.may[label])
        or (thing.section == "views" and set(thing.may[label]) - {"select"})
    ]
    checks.none(writing, "nobody writes through a view or makes anything in the schema")
    checks.none(those("read", SECTIONS[4]), "credits_read calls nothing that changes anything")
    own = {thing.name for thing in found if thing.section == "views" and thing.name.startswith("my_")}
    own |= functions_of_views(logins.owner, own) | {"credits", "customer_me()", "my_invoice_html(uuid)"}
    beyond = [one.name for one in found if one.may["customer"] and one.name not in own
              and one.name.partition("(")[0] not in FOR_ALL]
    checks.none(beyond, "credits_customer has the my_ views, what they need, customer_me() and my_invoice_html(), and no more")
    checks.check(len(own) > 4, "there are my_ views and functions that they need", own)
    for label, names in NARROW.items():
        may = {one.name.partition("(")[0] for one in found if one.may[label] and one.section != "schema"}
        checks.equal(may, names | FOR_ALL, f"credits_{label} has what its program needs, and nothing else")
    # What a sender reports as delivered is not sent again, so no other program of the application's may.
    app = tuple(label for label in NARROW if label != "sender")
    for more, fewer in (("admin", ("read", "app", "sender")), ("app", app)):
        lacking = [
            f"{one.name} of {label}"
            for one in found
            for label in fewer
            if not set(one.may[label]) <= set(one.may[more])
        ]
        checks.none(lacking, f"credits_{more} may do all that those may: {', '.join(fewer)}")


def functions_of_views(owner: psycopg.Connection[Any], views: set[str]) -> set[str]:
    """The functions of schema credits that the views' own text calls."""
    rows = owner.execute(
        "SELECT DISTINCT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' FROM pg_rewrite r"
        " JOIN pg_class c ON c.oid = r.ev_class AND c.relnamespace = 'credits'::regnamespace"
        " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
        " JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid WHERE c.relname = ANY (%s)",
        [list(views)],
    )
    return {name for (name,) in rows.fetchall()}


def check_grants(checks: Checks, owner: psycopg.Connection[Any]) -> None:
    """What no try finds out: rights without a statement of their own, and what the roles themselves are."""
    other = owner.execute(
        "SELECT c.relname, a.grantee::regrole::text, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$'"
        " AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'"
        " UNION ALL"
        " SELECT c.relname || '.' || t.attname, a.grantee::regrole::text, a.privilege_type"
        " FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a"
        " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$'"
    ).fetchall()
    inbox = {(f"{INBOX}.{column}", f"credits_{label}", "INSERT") for column in INBOX_COLUMNS for label in REPORTERS}
    checks.none(sorted(set(other) - inbox), "nobody but the owner has TRUNCATE, REFERENCES, TRIGGER or a right on a column")
    checks.none(sorted(inbox - set(other)), "but for the columns of the inbox that an application fills")
    within = owner.execute(
        "SELECT relname FROM pg_class c, aclexplode(relacl) a"
        " WHERE relnamespace = 'credits_internal'::regnamespace AND a.grantee <> c.relowner"
        " UNION SELECT proname FROM pg_proc p, aclexplode(proacl) a"
        " WHERE pronamespace = 'credits_internal'::regnamespace AND a.grantee <> p.proowner ORDER BY 1"
    ).fetchall()
    needed = ["balance_now", "due_events", "due_grants", "due_rollovers", "error_code_list",
              "function_docs", "function_fields", "own_grants", "own_wallets", "payment_link_url", "rollover_terms", "share",
              "stored_balances"]
    checks.equal([name for (name,) in within], needed, "of credits_internal only what public views and queries need is granted")
    passing = owner.execute(
        "SELECT o.name, a.grantee::regrole::text, a.privilege_type FROM ("
        "  SELECT nspname AS name, nspacl AS acl FROM pg_namespace WHERE nspname IN ('credits', 'credits_internal') UNION ALL"
        "  SELECT relname, relacl FROM pg_class WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' UNION ALL"
        "  SELECT proname, proacl FROM pg_proc WHERE pronamespace::regnamespace::text ~ '^credits(_internal)?$') o,"
        " aclexplode(o.acl) a"
        " WHERE a.is_grantable"
    ).fetchall()
    checks.none(passing, "nobody can pass a right on")
    able = owner.execute(
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^credits_'"
        " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication OR rolbypassrls)"
    ).fetchall()
    checks.none(able, "the roles cannot log in, make roles or databases, or pass by any wall")
    members = owner.execute(
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text ~ '^credits_'"
    ).fetchall()
    checks.none(members, "no role is in another")


def check_secrets(checks: Checks, logins: Logins) -> None:
    """Nobody but the owner reads a secret: not as a whole, not by a column, and through no view."""
    owner = logins.owner
    columns = owner.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'credits_internal'::regnamespace AND c.relname = ANY (%s) ORDER BY 1, a.attnum",
        [list(SECRET)],
    ).fetchall()  # fmt: skip
    ways = [sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), sql.Identifier("credits_internal", name))
            for name, column in columns]  # fmt: skip
    for way in ("SELECT * FROM {}", "SELECT count(*) FROM {}", "SELECT t FROM {} t", "TABLE {}"):
        ways += [sql.SQL(way).format(sql.Identifier("credits_internal", name)) for name in SECRET]
    checks.none([str(way) for way in ways if attempt(owner, way) != "00000"], "the owner reads what has secrets in it")
    seen = []
    for label in GROUPS:
        with logins.connect(label) as connection:
            seen += [f"{label}: {way}" for way in ways if attempt(connection, way) != REFUSED]
    checks.none(seen, f"nobody else does, in any of {len(ways)} ways")
    through = owner.execute(
        "SELECT DISTINCT r.ev_class::regclass::text FROM pg_rewrite r"
        " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
        " JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND a.attnum > 0"
        " WHERE c.relnamespace = 'credits_internal'::regnamespace AND c.relname = ANY (%s)"
        " AND coalesce(a.attname::text, '') <> ALL (%s)", [list(SECRET), list(NO_SECRET)]
    ).fetchall()  # fmt: skip
    checks.none(through, "and no view has it")


def written(found: list[Thing]) -> str:
    """The table: a row an object, a column a role, the object last because its arguments are long."""
    cells = {label: max(len(label), *(len(cell(thing, label)) for thing in found)) for label in GROUPS}
    lines = [HEAD]
    for section in SECTIONS:
        heads = "  ".join(label.ljust(width) for label, width in cells.items())
        lines.append(f"{heads}  {section}")
        for thing in found:
            if thing.section == section:
                row = "  ".join(cell(thing, label).ljust(width) for label, width in cells.items())
                lines.append(f"{row}  {thing.name}")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def cell(thing: Thing, label: str) -> str:
    return " ".join(thing.may[label]) or "-"
