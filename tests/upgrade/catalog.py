"""All that the catalogue says of the extension in a database, object by object, and how two of these differ.

Objects are those of the two schemas and those that belong to the extension, wherever they are. Nothing here is an OID: names
and definitions are written out, so two databases can be compared.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Catalog = dict[str, dict[str, Any]]

# Some builds of PostgreSQL set pg_attver on every column by themselves: a number that no two databases share.
OPTIONS = "ARRAY(SELECT one FROM unnest(attoptions) AS one WHERE one NOT LIKE 'pg\\_attver=%' ORDER BY 1)"
RELATION = "CASE o.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END"
OURS = "IN (SELECT oid FROM pg_namespace WHERE nspname IN ('credits', 'credits_internal'))"


def _rights(acl: str) -> str:
    """A list of rights in a fixed order."""
    return f"(SELECT array_agg(one::text ORDER BY one::text COLLATE \"C\") FROM unnest({acl}) AS one)"


def _of(catalog: str, kind: str, acl: str, owner: str, part: str = "0") -> str:
    """What every object has: whether it is the extension's, rights, rights that a dump takes for given, and a comment. No
    entry in either list of rights means those of its kind."""
    default = f"acldefault({kind}, {owner})"
    first = f"(SELECT initprivs FROM pg_init_privs WHERE classoid = '{catalog}'::regclass AND objoid = o.oid AND objsubid = {part})"
    return f"""
        {_member(catalog)} AS "part of the extension",
        {owner}::regrole::text AS owner,
        {_rights(f"coalesce({acl}, {default})")} AS rights,
        {_rights(f"coalesce({first}, {default})")} AS "rights as installed",
        obj_description(o.oid, '{catalog}') AS comment
    """


def _member(catalog: str) -> str:
    return f"""EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_credits'
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
          AND d.classid = '{catalog}'::regclass AND d.objid = o.oid)"""


QUERIES = {
    "extension": """
        SELECT 'extension ' || extname AS object, extowner::regrole::text AS owner, extnamespace::regnamespace::text AS schema,
            extrelocatable AS relocatable, extversion AS version, obj_description(oid, 'pg_extension') AS comment
        FROM pg_extension WHERE extname = 'pg_credits'
    """,
    "schema": f"""
        SELECT 'schema ' || nspname AS object, {_of("pg_namespace", "'n'", "o.nspacl", "o.nspowner")}
        FROM pg_namespace o WHERE oid {OURS}
    """,
    # Tables, views, indexes, sequences, row types.
    "relation": f"""
        SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view'
                WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence' ELSE 'relation' END
                || ' ' || o.oid::regclass AS object,
            {_of("pg_class", RELATION, "o.relacl", "o.relowner")},
            relkind::text AS kind, relpersistence::text AS persistence, reloptions AS options,
            (SELECT amname FROM pg_am WHERE pg_am.oid = relam) AS "access method",
            (SELECT t.reloptions FROM pg_class t WHERE t.oid = o.reltoastrelid) AS "toast options",
            relreplident::text AS "replica identity", relrowsecurity, relforcerowsecurity,
            pg_get_partkeydef(o.oid) AS partitions, pg_get_expr(relpartbound, o.oid) AS partition,
            ARRAY(SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = o.oid ORDER BY inhseqno) AS parents,
            (SELECT ARRAY[condition] FROM pg_extension CROSS JOIN unnest(extconfig, extcondition) AS dumped (relation, condition)
                WHERE extname = 'pg_credits' AND dumped.relation = o.oid) AS "rows in dumps",
            CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(o.oid) END AS definition
        FROM pg_class o WHERE relnamespace {OURS} AND relkind <> 'c'
    """,
    "index": f"""
        SELECT 'index ' || indexrelid::regclass AS object, pg_get_indexdef(indexrelid) AS "as created",
            indisvalid, indisready, indisclustered, indisreplident, indimmediate
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace {OURS}
    """,
    "sequence": f"""
        SELECT 'sequence ' || seqrelid::regclass AS object, seqtypid::regtype::text AS type, seqstart, seqincrement, seqmax,
            seqmin, seqcache, seqcycle
        FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid WHERE relnamespace {OURS}
    """,
    # Columns of tables, views and indexes, and attributes of row types.
    "column": f"""
        SELECT CASE relkind WHEN 'c' THEN 'attribute ' ELSE 'column ' END || attrelid::regclass || '.' || attname AS object,
            row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS position,
            format_type(atttypid, atttypmod) AS type, attnotnull AS "not null", pg_get_expr(adbin, adrelid) AS "default",
            attgenerated::text, attidentity::text, attcollation::regcollation::text AS collation, attstorage::text AS storage,
            attcompression::text AS compression, attstattarget, {OPTIONS} AS options, {_rights("attacl")} AS rights,
            {_rights('''(SELECT initprivs FROM pg_init_privs WHERE classoid = 'pg_class'::regclass AND objoid = attrelid
                         AND objsubid = attnum)''')} AS "rights as installed",
            col_description(attrelid, attnum) AS comment
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace {OURS} AND attnum > 0 AND NOT attisdropped
    """,
    "constraint": f"""
        SELECT 'constraint ' || conname || ' on '
                || CASE conrelid WHEN 0 THEN contypid::regtype::text ELSE conrelid::regclass::text END AS object,
            pg_get_constraintdef(oid) AS definition, convalidated AS validated, condeferrable, condeferred,
            obj_description(oid, 'pg_constraint') AS comment
        FROM pg_constraint WHERE connamespace {OURS}
    """,
    "trigger": f"""
        SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass AS object, pg_get_triggerdef(pg_trigger.oid) AS definition,
            tgenabled::text AS enabled, obj_description(pg_trigger.oid, 'pg_trigger') AS comment
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace {OURS} AND NOT tgisinternal
    """,
    "rule": f"""
        SELECT 'rule ' || rulename || ' on ' || ev_class::regclass AS object, pg_get_ruledef(pg_rewrite.oid) AS definition,
            ev_enabled::text AS enabled, obj_description(pg_rewrite.oid, 'pg_rewrite') AS comment
        FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class WHERE relnamespace {OURS} AND rulename <> '_RETURN'
    """,
    "policy": f"""
        SELECT 'policy ' || polname || ' on ' || polrelid::regclass AS object, polcmd::text AS command, polpermissive,
            polroles::regrole[]::text AS roles, pg_get_expr(polqual, polrelid) AS using,
            pg_get_expr(polwithcheck, polrelid) AS "with check", obj_description(pg_policy.oid, 'pg_policy') AS comment
        FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid WHERE relnamespace {OURS}
    """,
    "statistics": f"""
        SELECT 'statistics ' || stxnamespace::regnamespace || '.' || stxname AS object, pg_get_statisticsobjdef(oid) AS definition,
            stxowner::regrole::text AS owner, stxstattarget, obj_description(oid, 'pg_statistic_ext') AS comment
        FROM pg_statistic_ext WHERE stxnamespace {OURS}
    """,
    # A table's row type has its table's name. Arrays are made with their elements.
    "type": f"""
        SELECT 'type ' || o.oid::regtype AS object, {_of("pg_type", "'T'", "o.typacl", "o.typowner")},
            typtype::text AS kind, typcategory::text AS category, typnotnull AS "not null", typdefault AS "default",
            format_type(nullif(typbasetype, 0), typtypmod) AS base, typcollation::regcollation::text AS collation,
            ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = o.oid ORDER BY enumsortorder) AS labels,
            (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = o.oid) AS "range of"
        FROM pg_type o WHERE typnamespace {OURS} AND typcategory <> 'A'
    """,
    "function": f"""
        SELECT 'function ' || o.oid::regprocedure AS object, {_of("pg_proc", "'f'", "o.proacl", "o.proowner")},
            prokind::text AS kind, pg_get_function_arguments(o.oid) AS arguments, pg_get_function_result(o.oid) AS result,
            (SELECT lanname FROM pg_language WHERE pg_language.oid = prolang) AS language, provolatile::text AS volatility,
            prosecdef AS "security definer", proisstrict AS strict, proleakproof AS leakproof, proparallel::text AS parallel,
            procost AS cost, prorows AS rows, prosupport::text AS support, proconfig AS settings, probin AS library,
            prosrc AS body, pg_get_function_sqlbody(o.oid) AS "SQL body"
        FROM pg_proc o WHERE pronamespace {OURS}
    """,
    "aggregate": f"""
        SELECT 'function ' || aggfnoid::regprocedure AS object, aggkind::text, aggnumdirectargs, aggtransfn::text,
            aggfinalfn::text, aggcombinefn::text, aggserialfn::text, aggdeserialfn::text, aggmtransfn::text, aggminvtransfn::text,
            aggmfinalfn::text, aggfinalextra, aggfinalmodify::text, aggsortop::regoper::text, aggtranstype::regtype::text,
            agginitval, aggminitval
        FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid WHERE pronamespace {OURS}
    """,
    "event trigger": f"""
        SELECT 'event trigger ' || evtname AS object, {_member("pg_event_trigger")} AS "part of the extension", evtevent::text,
            evtfoid::regprocedure::text AS function, evtenabled::text AS enabled, evttags AS tags,
            evtowner::regrole::text AS owner, obj_description(oid, 'pg_event_trigger') AS comment
        FROM pg_event_trigger o
    """,
    "default privileges": f"""
        SELECT 'default privileges of ' || defaclrole::regrole || ' for ' || defaclobjtype::text || ' in '
                || coalesce(nullif(defaclnamespace, 0)::regnamespace::text, 'every schema') AS object,
            {_rights("defaclacl")} AS rights
        FROM pg_default_acl
    """,
    # Members of a kind that nothing above looks into.
    "other": f"""
        SELECT 'not compared yet: ' || pg_describe_object(classid, objid, 0) AS object
        FROM pg_depend JOIN pg_extension e ON e.oid = refobjid AND extname = 'pg_credits'
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
          AND NOT (classid = 'pg_namespace'::regclass AND objid {OURS}
            OR classid = 'pg_class'::regclass AND (SELECT relnamespace {OURS} FROM pg_class WHERE oid = objid)
            OR classid = 'pg_type'::regclass AND (SELECT typnamespace {OURS} FROM pg_type WHERE oid = objid)
            OR classid = 'pg_proc'::regclass AND (SELECT pronamespace {OURS} FROM pg_proc WHERE oid = objid)
            OR classid = 'pg_statistic_ext'::regclass OR classid = 'pg_event_trigger'::regclass)
    """,
}
# They belong to the cluster: how they are is seen before another database may have made them.
ROLES = """
    SELECT 'role ' || rolname AS object, rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
        rolinherit, rolconfig, shobj_description(oid, 'pg_authid') AS comment,
        ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = oid ORDER BY 1) AS "member of"
    FROM pg_roles WHERE rolname LIKE 'credits\\_%'
"""


def read(connection: Connection) -> Catalog:
    """Every object, and what is said of it."""
    found: Catalog = {}
    connection.execute("SELECT set_config('search_path', 'pg_catalog', false)")
    for query in QUERIES.values():
        _add(found, connection, query)
    connection.execute("RESET search_path")
    return found


def roles(connection: Connection) -> Catalog:
    found: Catalog = {}
    _add(found, connection, ROLES)
    return found


def not_compared(catalog: Catalog) -> list[str]:
    return [name for name in catalog if name.startswith("not compared yet")]


def _add(found: Catalog, connection: Connection, query: str) -> None:
    for row in connection.cursor(row_factory=dict_row).execute(query):
        name = row.pop("object")
        found.setdefault(name, {}).update(row)


def differences(fresh: Catalog, upgraded: Catalog) -> list[str]:
    """Where an upgraded database is not what a fresh one is, a line each."""
    wrong = []
    for name in sorted(fresh.keys() | upgraded.keys()):
        if name not in upgraded:
            wrong.append(f"{name}: missing after the upgrade")
        elif name not in fresh:
            wrong.append(f"{name}: there after the upgrade, and not in a fresh installation")
        else:
            one, other = fresh[name], upgraded[name]
            wrong += [f"{name}, {what}: {_shown(one.get(what), other.get(what))}"
                      for what in {**one, **other} if one.get(what) != other.get(what)]  # fmt: skip
    return wrong


def _shown(fresh: Any, upgraded: Any) -> str:
    """Both; of lists what only one has, of texts of several lines the first line that is another."""
    if isinstance(fresh, list) and isinstance(upgraded, list) and set(map(str, fresh)) != set(map(str, upgraded)):
        fresh, upgraded = [one for one in fresh if one not in upgraded], [one for one in upgraded if one not in fresh]
    elif isinstance(fresh, str) and isinstance(upgraded, str):
        lines = fresh.splitlines(), upgraded.splitlines()
        for one, other in zip(*lines, strict=False):
            if one != other:
                fresh, upgraded = one.strip(), other.strip()
                break
        else:
            fresh, upgraded = f"{len(lines[0])} lines", f"{len(lines[1])} lines"
    return f"{fresh!r} in a fresh installation, {upgraded!r} after the upgrade"
