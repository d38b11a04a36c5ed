"""Whether the functions as they are declared in sql/ are those that the library has: each parameter's name, type and place,
and each column of what they return. Both are kept by hand; what differs would be read as something else, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row
from support.harness import Checks
from support.library import Function, functions, older

SOURCES = Path(__file__).resolve().parents[2] / "src"

DECLARED = """
SELECT p.oid::regprocedure::text AS signature, p.prosrc AS symbol, p.prokind = 'p' AS procedure, p.proisstrict AS strict,
       p.proretset AS many, p.prorettype::regtype::text AS returned,
       coalesce(p.proargnames[1:p.pronargs], '{}') AS names,
       ARRAY(SELECT format_type(t.type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY t(type, place) ORDER BY place) AS types,
       coalesce(
           -- A named row type's columns, or else the OUT parameters or those of RETURNS TABLE.
           (SELECT array_agg(ARRAY[a.attname::text, format_type(a.atttypid, NULL)] ORDER BY a.attnum)
            FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
            WHERE t.oid = p.prorettype AND t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT array_agg(ARRAY[p.proargnames[o.place], format_type(o.type, NULL)] ORDER BY o.place)
            FROM unnest(p.proallargtypes, p.proargmodes::text[]) WITH ORDINALITY o(type, mode, place)
            WHERE o.mode IN ('o', 't', 'b')),
           '{}') AS columns
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'pg_credits'
JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'c'
ORDER BY 1
"""

# The Rust types of columns and of single values.
SQL = {
    "String": "text", "Decimal": "numeric", "Time": "timestamp with time zone", "Uuid": "uuid", "bool": "boolean",
    "i32": "integer", "i64": "bigint", "Json": "jsonb", "Span": "interval", "Date": "date", "Total": "numeric",
    "&'static str": "text", "Words": "text[]",
}  # fmt: skip


# As an earlier release declared them: what takes their place has its parameters in another order.
REORDERED = {"price_create_wrapper", "product_create_wrapper"}


@dataclass
class Declared:
    """A function of pg_proc."""

    signature: str
    symbol: str
    procedure: bool
    strict: bool
    many: bool
    returned: str
    names: list[str]
    types: list[str]
    columns: list[list[str]]


def check(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    library, declared = _read(connection)
    missing = sorted({one.symbol for one in declared} ^ (library.keys() - REORDERED))
    checks.none(missing, f"the library has the {len(library)} functions that are declared, and no more")
    _check_each(checks, connection, library, declared)


def check_older(checks: Checks, connection: psycopg.Connection[Any]) -> None:
    """Of a version from before: the library serves it too, since no symbol has come to mean something else."""
    library, declared = _read(connection)
    library |= older(_library(connection), SOURCES)
    missing = sorted({one.symbol for one in declared} - library.keys())
    checks.none(missing, f"the library has the {len(declared)} functions that are declared")
    # Row types only grow at the end, and rows are cut to what the installed type has.
    _check_each(checks, connection, library, declared, grown=True)


def _read(connection: psycopg.Connection[Any]) -> tuple[dict[str, Function], list[Declared]]:
    with connection.cursor(row_factory=class_row(Declared)) as cursor:
        return functions(_library(connection)), cursor.execute(DECLARED).fetchall()


def _library(connection: psycopg.Connection[Any]) -> Path:
    row = connection.execute("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'").fetchone()
    assert row is not None
    return Path(row[0]) / "pg_credits.so"


def _check_each(
    checks: Checks,
    connection: psycopg.Connection[Any],
    library: dict[str, Function],
    declared: list[Declared],
    grown: bool = False,
) -> None:
    types = {argument.sql for function in library.values() for argument in function.arguments}
    names = {sql: _name(connection, sql) for sql in types}
    wrong = []
    for one in declared:
        if one.symbol in library:
            wrong += [f"{one.signature}: {why}" for why in _differing(one, library[one.symbol], names, grown)]
    checks.none(wrong, f"the {len(declared)} declarations say of parameters and results what the library says")


def _name(connection: psycopg.Connection[Any], sql: str) -> str:
    row = connection.execute("SELECT format_type(%s::regtype, NULL)", [sql]).fetchone()
    assert row is not None
    return str(row[0])


def _differing(declared: Declared, library: Function, names: dict[str, str], grown: bool) -> list[str]:
    arguments = [[argument.name, names[argument.sql]] for argument in library.arguments]
    found = _each("parameter", zip(declared.names, declared.types, strict=True), arguments)
    # Strict exactly where nothing may be NULL; where there are no parameters it says nothing.
    if arguments and declared.strict == any(argument.optional for argument in library.arguments):
        found.append(f"{'something' if declared.strict else 'nothing'} may be NULL in Rust, and strict is {declared.strict}")
    matched = re.fullmatch(r"Reply<(?:(Nothing|Unchanged)|(Value|One|Maybe|Many)<(?:Option<)?(\w+)>?>)>", library.rust)
    if not matched:
        return [*found, f"returns what is read here for the first time: {library.rust}"]
    kind = matched[1] or matched[2]
    if declared.many != (kind == "Many"):
        found.append(f"returns {'rows' if declared.many else 'one'}, and in Rust {library.rust}")
    if kind in ("One", "Maybe", "Many"):
        columns = [[name, _sql(rust)] for name, rust in (line.split(": ", 1) for line in library.columns.splitlines())]
        found += _each("column", declared.columns, columns[: len(declared.columns)] if grown else columns)
    else:
        # A procedure returns nothing, and its row in pg_proc says so in its own way.
        returned = {"Nothing": declared.returned if declared.procedure else "void", "Unchanged": "trigger"}
        if declared.returned != returned.get(kind, SQL.get(matched[3] or "", library.rust)):
            found.append(f"returns {declared.returned}, and in Rust {library.rust}")
    return found


def _each(what: str, declared: Iterable[Sequence[str]], rust: list[list[str]]) -> list[str]:
    """Names and types in order. A word of Rust's own cannot be a name there: what SQL calls type is its kind."""
    wanted = [["kind" if name == "type" else name, sql] for name, sql in declared]
    return [f"{what} {one}, and in Rust {other}" for one, other in zip_longest(wanted, rust) if one != other]


def _sql(rust: str) -> str:
    """A column's type in SQL."""
    plain = re.sub(r"\w+::", "", rust)
    inner = re.fullmatch(r"Option<(.*)>", plain)
    plain = inner[1] if inner else plain
    several = re.fullmatch(r"Vec<(?:Option<)?(\w+)>*", plain)
    return SQL.get(several[1], several[1]) + "[]" if several else SQL.get(plain, plain)
