"""The settings that need superuser, or GRANT SET ON PARAMETER, and every way in which anybody else might try: before the library is
loaded in a session, when any name with a dot can be given a value, and after. What is done with whose rows a customer
sees belongs in customer.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from logins import Logins, state_of
from psycopg import sql
from support.harness import Checks

REFUSED = "42501"
# Known once the library is loaded; the first call of a function loads it.
CLOCK = "credits.test_clock"
CUSTOMER = "credits.current_customer"


@dataclass
class Way:
    """One way to give a setting a value.

    {name}: the setting; {literal}: the value; {text}: the name as text; {login}: the login's role; {database};
    {observe}: a query that shows what the extension takes.
    """

    what: str
    statements: tuple[str, ...]
    sets: bool = True  # whether it sets rather than takes back, and so has to be refused
    observed_by: str = "{observe}"

    @property
    def works_where_allowed(self) -> bool:
        """Whether it sets for the session at hand, before the library is loaded as well."""
        lasting = ("ALTER", "GRANT", "UPDATE")
        return (self.sets and not self.statements[0].startswith(lasting)) or "function" in self.what


@dataclass
class Try:
    """One way tried in one session: what its statements ended with, and what was seen then, and later."""

    way: Way
    loaded: bool
    when: str
    states: list[str]
    seen: list[object]


WAYS = (
    Way("SET", ("SET {name} = {literal}",)),
    Way("SET SESSION, in other letters", ("SET SESSION {upper} TO {literal}",)),
    Way("SET, committed", ("BEGIN", "SET {name} = {literal}", "COMMIT")),
    Way("SET LOCAL", ("BEGIN", "SET LOCAL {name} = {literal}")),
    Way("SET within savepoints", ("BEGIN", "SET {name} = {literal}", "SAVEPOINT a", "SET LOCAL {name} = {literal}")),
    Way("SET before a savepoint rolled back to", ("BEGIN", "SET {name} = {literal}", "SAVEPOINT a", "ROLLBACK TO a")),
    Way("set_config", ("SELECT set_config({text}, {literal}, false)",)),
    Way("set_config, local", ("BEGIN", "SELECT set_config({text}, {literal}, true)")),
    Way("set_config in DO", ("DO $$BEGIN PERFORM set_config({text}, {literal}, false); END$$",)),
    Way(
        "a function's SET",
        ("CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql SET {name} = {literal} AS $$ {observe} $$",),
        observed_by="SELECT pg_temp.f()",
    ),
    Way(
        "a function that sets and asks",
        (
            "CREATE FUNCTION pg_temp.g() RETURNS text LANGUAGE plpgsql AS $$BEGIN"
            " BEGIN SET LOCAL {name} = {literal}; EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
            " RETURN ({observe}); END$$",
        ),
        sets=False,
        observed_by="SELECT pg_temp.g()",
    ),
    Way("UPDATE pg_settings", ("UPDATE pg_settings SET setting = {literal} WHERE name = {text}",)),
    Way("ALTER ROLE self SET", ("ALTER ROLE {login} SET {name} = {literal}",)),
    Way("ALTER ROLE self IN DATABASE SET", ("ALTER ROLE {login} IN DATABASE {database} SET {name} = {literal}",)),
    Way("ALTER ROLE ALL SET", ("ALTER ROLE ALL SET {name} = {literal}",)),
    Way("ALTER DATABASE SET", ("ALTER DATABASE {database} SET {name} = {literal}",)),
    Way("ALTER SYSTEM SET", ("ALTER SYSTEM SET {name} = {literal}",)),
    Way("GRANT SET ON PARAMETER self", ("GRANT SET ON PARAMETER {name} TO {login}", "SET {name} = {literal}")),
    Way("ALTER ROLE self RESET", ("ALTER ROLE {login} RESET {name}",), sets=False),
    Way("ALTER ROLE self RESET ALL", ("ALTER ROLE {login} RESET ALL",), sets=False),
    Way("SET TO DEFAULT", ("SET {name} = {literal}", "SET {name} TO DEFAULT"), sets=False),
    Way("RESET", ("SET {name} = {literal}", "RESET {name}"), sets=False),
    Way("RESET ALL", ("SET {name} = {literal}", "RESET ALL"), sets=False),
    Way("DISCARD ALL", ("DISCARD ALL",), sets=False),
)
# What a client may say as it connects: before the role's own settings are applied.
OPTIONS = ("-c {name}={value}", "--{name}={value}", "-c {upper}={value}")



def attempts(logins: Logins, label: str, name: str, value: str, query: str, ways: tuple[Way, ...] = WAYS) -> list[Try]:
    """Tries ways as one login, before and after the library is loaded; `query` shows what the extension takes."""
    plainly = sql.SQL(query)
    parts = {
        "name": sql.SQL(name), "upper": sql.SQL(name.upper()), "literal": sql.Literal(value), "text": sql.Literal(name),
        "login": sql.Identifier(logins.role(label)), "database": sql.Identifier(logins.database), "observe": plainly,
    }  # fmt: skip
    made = []
    for way in ways:
        for loaded in (False, True):
            with logins.connect(label) as connection:
                if loaded:
                    connection.execute(plainly)
                states = run(connection, way, parts)
                seen = [observe(connection, sql.SQL(way.observed_by).format(**parts), plainly)]
                if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                    connection.execute("COMMIT")
                    seen.append(observe(connection, plainly, plainly))
            with logins.connect(label) as connection:
                seen.append(observe(connection, plainly, plainly))
            when = f"{way.what}, {'after' if loaded else 'before'} the library is loaded"
            made.append(Try(way, loaded, when, states, seen))
    return made


def run(connection: psycopg.Connection[Any], way: Way, parts: dict[str, sql.Composable]) -> list[str]:
    """Runs a way's statements, each whatever became of the one before; a transaction that failed is given up."""
    states = []
    for statement in way.statements:
        try:
            connection.execute(sql.SQL(statement).format(**parts))
            states.append("00000")
        except psycopg.Error as error:
            states.append(error.sqlstate or "no SQLSTATE")
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                connection.execute("ROLLBACK")
    return states


def observe(connection: psycopg.Connection[Any], first: sql.Composable, plainly: sql.Composable) -> object:
    """What the extension takes, asked in the way's own manner, and plainly where that is refused; or that it refuses to
    go on, since the setting was given a value before the library was loaded."""
    for question in (first, plainly):
        try:
            with connection.transaction():
                return connection.execute(question).fetchone()[0]
        except psycopg.Error as error:
            state = error.sqlstate
            if state == REFUSED and (error.diag.message_detail or "").startswith('{"setting"'):
                return REFUSED
    raise psycopg.ProgrammingError(f"{plainly}: {state}")


def check_refused(
    checks: Checks, logins: Logins, label: str, name: str, value: str, query: str, taken: Callable[[object], bool]
) -> None:
    """No way is of any use to this login; `taken` says of an observation whether it is what was tried."""
    made = attempts(logins, label, name, value, query)
    by_options = []
    for options in OPTIONS:
        escaped = options.format(name=name, upper=name.upper(), value=value.replace(" ", "\\ "))
        with logins.connect(label, escaped) as connection:
            seen = observe(connection, sql.SQL(query), sql.SQL(query))
        if taken(seen) or seen != REFUSED:
            by_options.append(f"connecting with {escaped}: {seen}")
    wrong = [f"{one.when}: {one.seen}" for one in made if any(taken(seen) for seen in one.seen)] + by_options
    checks.none(wrong, f"{label} cannot give {name} a value, in {len(made) + len(OPTIONS)} tries")
    passed = [f"{one.when}: {one.states}" for one in made if one.loaded and one.way.sets and REFUSED not in one.states]
    checks.none(passed, f"{label} is refused whatever sets {name}, once the library is loaded")
    silent = [
        f"{one.when}: {one.states} {one.seen}"
        for one in made
        if not one.loaded and one.way.sets and REFUSED not in (*one.states, one.seen[0])
        and not one.way.statements[0].startswith("UPDATE")  # of no row, since there is no such setting yet
    ]  # fmt: skip
    checks.none(silent, f"and before that either the attempt to set {name} or the first call after it is refused")


def check_possible(
    checks: Checks, logins: Logins, label: str, name: str, value: str, query: str, taken: Callable[[object], bool]
) -> None:
    """The same tries are of use to a login that may set it, so that they can fail: those that end with the session."""
    ways = tuple(one for one in WAYS if one.works_where_allowed)
    made = attempts(logins, label, name, value, query, ways)
    useless = [f"{one.when}: {one.states} {one.seen}" for one in made if not taken(one.seen[0])]
    checks.none(useless, f"a login that may set {name} can, in each of {len(made)} tries")


# What else changes money, or says where tokens go, and a value of each that is not the default.
OTHERS = {
    "credits.default_currency": "EUR", "credits.event_max_future": "7", "credits.event_max_age": "7",
    "credits.spent_on_refund": "forgive", "credits.portal_url": "https://mallory.example", "credits.outbox_retention": "77",
    "credits.allow_backdating": "on",
}  # fmt: skip
SETTING = "SELECT CASE WHEN credits.clock() IS NOT NULL THEN current_setting('{}') END"


def check_others(checks: Checks, logins: Logins) -> None:
    """Nor may an application choose for itself what changes money, or who owns the database for everybody."""
    with owned_by(logins, "landlord"):
        for name, value in OTHERS.items():
            seen = SETTING.format(name)
            check_refused(checks, logins, "landlord", name, value, seen, lambda seen, it=value: str(seen) in (it, f"{it}s"))
    listed = "SELECT name FROM pg_settings WHERE name LIKE 'credits.%' AND context = 'user' AND credits.clock() IS NOT NULL"
    anybodys = logins.owner.execute(listed).fetchall()
    checks.equal(anybodys, [("credits.notify",)], "the others are all of the settings, but for what anybody may set")
    importer = sql.Identifier(logins.make("importer", "credits_app"))
    age = sql.SQL("credits.event_max_age")
    logins.owner.execute(sql.SQL("GRANT SET ON PARAMETER {} TO {}").format(age, importer))
    check_possible(
        checks, logins, "importer", "credits.event_max_age", "7", SETTING.format("credits.event_max_age"),
        lambda seen: str(seen) == "7s",
    )  # fmt: skip
    # A value that was refused is in nobody's way once it is taken back.
    with logins.connect("importer") as connection:
        connection.execute("SET credits.portal_url = 'https://mallory.example'")
        clock = "SELECT credits.clock() IS NOT NULL"
        states = [state_of(connection, clock), state_of(connection, clock)]
        checks.equal(states, [REFUSED, REFUSED], "each call is refused while the setting has such a value")
        connection.execute("DISCARD ALL")
        checks.equal(state_of(connection, clock), "00000", "and none after DISCARD ALL")


@contextlib.contextmanager
def owned_by(logins: Logins, label: str) -> Iterator[None]:
    """While the database belongs to a login of an application, which makes its roles as well."""
    keeper = logins.make(label, "credits_app", options="CREATEROLE")
    database, owner = sql.Identifier(logins.database), logins.owner
    owner.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(keeper)))
    try:
        yield
    finally:
        owner.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(database))


def check_clock(checks: Checks, logins: Logins) -> None:
    """Nobody but a superuser chooses what the extension takes for now()."""
    value = "2001-01-01 00:00:00+00"

    def taken(seen: object) -> bool:
        return str(seen or "").startswith("2001")

    clock = "SELECT credits.clock()::text"
    for label in ("read", "app", "admin"):
        check_refused(checks, logins, label, CLOCK, value, clock, taken)
    # A customer may not ask for the clock; what the setting says is to be seen once the library is loaded.
    loads = "coalesce(credits.current_customer(), '') >= ''"
    setting = f"SELECT CASE WHEN {loads} THEN current_setting('{CLOCK}', true) END"
    check_refused(checks, logins, "customer", CLOCK, value, setting, taken)
    # Nor may who owns the database and makes its roles.
    with owned_by(logins, "keeper"):
        check_refused(checks, logins, "keeper", CLOCK, value, clock, taken)
    logins.make("root", options="SUPERUSER")
    check_possible(checks, logins, "root", CLOCK, value, clock, taken)
