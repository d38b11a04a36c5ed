-- What the extension consists of, and what holds for all of it.

-- Every object, so that nothing comes or goes unnoticed. (From 18 on the row types of tables belong to it too.)
SELECT pg_catalog.pg_describe_object(classid, objid, 0) COLLATE "C" AS object
FROM pg_catalog.pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND (classid <> 'pg_type'::regclass OR objid IN (
    SELECT t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'))
  AND refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'pg_credits')
ORDER BY 1;

-- The schema is the extension's own: dropped with it, and not the caller's choice.
SELECT extrelocatable, extversion FROM pg_catalog.pg_extension WHERE extname = 'pg_credits';

-- All of it has one owner, a role that can do nothing else. (tests/rights has more of this.)
SELECT rolname, rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, count(*) > 100 AS owns_all
FROM pg_catalog.pg_roles JOIN (
    SELECT nspowner AS owner FROM pg_catalog.pg_namespace WHERE nspname IN ('credits', 'credits_internal')
    UNION ALL SELECT relowner FROM pg_catalog.pg_class
WHERE relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
    UNION ALL SELECT proowner FROM pg_catalog.pg_proc
WHERE pronamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
    UNION ALL SELECT typowner FROM pg_catalog.pg_type
WHERE typnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
) AS made ON made.owner = pg_roles.oid GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- Every table, column, view, type and function says what it is for.
SELECT 'table ' || c.relname AS without_comment FROM pg_class c
WHERE relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND relkind IN ('r', 'v')
AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
  AND (relkind = 'r' OR (relkind IN ('v', 'c') AND relnamespace = 'credits'::regnamespace)) AND attnum > 0
AND NOT attisdropped
  AND col_description(c.oid, attnum) IS NULL
UNION ALL
SELECT 'type ' || t.typname FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE typnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
AND obj_description(t.oid, 'pg_type') IS NULL
UNION ALL
SELECT 'function ' || p.proname FROM pg_proc p
WHERE pronamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
AND obj_description(p.oid, 'pg_proc') IS NULL;

-- A function's comment has a line for each parameter, and no line of a comment is long.
SELECT p.oid::regprocedure AS function, parameter AS without_a_line FROM pg_proc p
CROSS JOIN LATERAL unnest(p.proargnames[:p.pronargs]) AS parameter
WHERE pronamespace = 'credits'::regnamespace AND obj_description(p.oid, 'pg_proc') !~ ('(?n)^' || parameter || ': ');
SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid) AS object, length(line) AS long FROM pg_description d
JOIN pg_depend e ON e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e'
  AND e.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_credits')
CROSS JOIN LATERAL string_to_table(d.description, E'\n') AS line WHERE length(line) > 120;

-- Schema credits has one table, every row that a function returns there has a named type, and whatever runs with its caller's
-- rights has its names bound: nobody else may use schema credits_internal.
SELECT relname AS table_in_credits FROM pg_class
WHERE relnamespace = 'credits'::regnamespace AND relkind IN ('r', 'p', 'f', 'S') AND relname <> 'inbox';
SELECT p.oid::regprocedure AS without_a_named_row FROM pg_proc p
WHERE pronamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
  AND (prorettype = 'record'::regtype OR proargmodes && '{o,b,t}');
SELECT p.oid::regprocedure AS with_names_to_look_up FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE pronamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND NOT prosecdef AND lanname <> 'c'
  AND prosqlbody IS NULL;

-- What a function and a view both return of a thing is of one type, and what a view leaves out says something of the call alone.
SELECT t.attrelid::regclass AS row, t.attname, t.atttypid::regtype, v.atttypid::regtype AS in_view
FROM (VALUES ('customer', 'customers'), ('currency', 'currencies'), ('product', 'products'), ('price', 'prices'), ('meter', 'meters'),
             ('hold', 'holds'), ('credit_grant', 'grants'), ('exchange_rate', 'exchange_rates'), ('top_up', 'top_ups'),
             ('ledger_line', 'ledger'), ('balance', 'wallets'), ('package', 'packages')) AS pair (type, view)
JOIN pg_class c ON c.relnamespace = 'credits'::regnamespace AND c.relname = pair.type AND c.relkind = 'c'
JOIN pg_attribute t ON t.attrelid = c.oid
LEFT JOIN pg_attribute v ON v.attrelid = ('credits.' || pair.view)::regclass AND v.attname = t.attname
WHERE v.atttypid IS DISTINCT FROM t.atttypid ORDER BY 1, 2;

-- Nothing is granted to PUBLIC.
SELECT c.relname AS granted_to_public FROM pg_class c, aclexplode(c.relacl) a
WHERE relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND a.grantee = 0
UNION ALL
SELECT p.proname FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE pronamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND a.grantee = 0
UNION ALL
SELECT t.typname FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c',
    aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
WHERE typnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND a.grantee = 0
UNION ALL
SELECT n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname IN ('credits', 'credits_internal')
AND a.grantee = 0;

-- Every function runs as the owner with a pinned search_path and no other setting, except the procedure that commits,
-- help(), verify(), which is not to be compiled, the clock, which reads a setting, reset() and history_import(), a
-- superuser's, wallet_balance, a query that takes the place of its call, whose names were bound when it was made, and
-- share() and search_words(), which look at nothing but their arguments; none is STRICT.
SELECT proname AS unpinned, prosecdef, proconfig, proisstrict FROM pg_proc
WHERE pronamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
  AND (NOT prosecdef OR proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp'] OR proisstrict)
ORDER BY proname;

-- pg_dump takes every table along.
SELECT relname AS not_dumped FROM pg_class
WHERE relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) AND relkind IN ('r', 'S')
  AND oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'pg_credits')::oid[]);

-- The settings, and who may set them: known once the library is loaded.
SELECT count(*) FROM credits.wallet_balance('nobody');
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'credits.%' ORDER BY name;

-- It goes as it came.
DROP EXTENSION pg_credits;
SELECT count(*) FROM pg_namespace WHERE nspname IN ('credits', 'credits_internal');
CREATE EXTENSION pg_credits;
SELECT * FROM credits.verify();

-- It belongs to no schema that others drop, and needs none to be made: not public, nor a search_path.
SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_credits';
SELECT credited FROM credits.wallet_credit('ann', 5);
DROP SCHEMA public CASCADE;
SELECT available FROM credits.wallet_balance('ann', 'CREDIT');
SELECT * FROM credits.verify();
DROP EXTENSION pg_credits;
SET search_path = '';
CREATE EXTENSION pg_credits;
SELECT credited FROM credits.wallet_credit('ann', 5);
SELECT * FROM credits.verify();
-- Nor can a schema be dropped apart from it.
DROP SCHEMA credits CASCADE;
DROP SCHEMA credits_internal CASCADE;
