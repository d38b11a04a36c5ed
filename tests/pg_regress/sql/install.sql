-- What the extension consists of, and what holds for all of it.

-- Every object, so that nothing comes or goes unnoticed. (From 18 on the row types of tables are listed too.)
SELECT pg_catalog.pg_describe_object(classid, objid, 0) COLLATE "C" AS object
FROM pg_catalog.pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND classid <> 'pg_type'::regclass
  AND refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'pg_credits')
ORDER BY 1;

-- The schema is the extension's own: dropped with it, and not the caller's choice.
SELECT extrelocatable, extversion FROM pg_catalog.pg_extension WHERE extname = 'pg_credits';

-- All of it has one owner, a role that can do nothing else. (tests/rights has more of this.)
SELECT rolname, rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, count(*) > 100 AS owns_all
FROM pg_catalog.pg_roles JOIN (
    SELECT nspowner AS owner FROM pg_catalog.pg_namespace WHERE nspname = 'credits'
    UNION ALL SELECT relowner FROM pg_catalog.pg_class WHERE relnamespace = 'credits'::regnamespace
    UNION ALL SELECT proowner FROM pg_catalog.pg_proc WHERE pronamespace = 'credits'::regnamespace
    UNION ALL SELECT typowner FROM pg_catalog.pg_type WHERE typnamespace = 'credits'::regnamespace
) AS made ON made.owner = pg_roles.oid GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- Every table, column, view and function says what it is for.
SELECT 'table ' || c.relname AS without_comment FROM pg_class c
WHERE relnamespace = 'credits'::regnamespace AND relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE relnamespace = 'credits'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
  AND col_description(c.oid, attnum) IS NULL
UNION ALL
SELECT 'function ' || p.proname FROM pg_proc p
WHERE pronamespace = 'credits'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;

-- Nothing is granted to PUBLIC.
SELECT c.relname AS granted_to_public FROM pg_class c, aclexplode(c.relacl) a
WHERE relnamespace = 'credits'::regnamespace AND a.grantee = 0
UNION ALL
SELECT p.proname FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE pronamespace = 'credits'::regnamespace AND a.grantee = 0
UNION ALL
SELECT t.typname FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c',
    aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
WHERE typnamespace = 'credits'::regnamespace AND a.grantee = 0
UNION ALL
SELECT n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'credits' AND a.grantee = 0;

-- Every function runs as the owner with a pinned search_path and no other setting, but for the procedure that commits,
-- verify(), which is not to be compiled, the clock, which reads a setting, and wallet_balance, a query that takes the place of
-- its call, whose names were bound when it was made; none is STRICT.
SELECT proname AS unpinned, prosecdef, proconfig, proisstrict FROM pg_proc
WHERE pronamespace = 'credits'::regnamespace
  AND (NOT prosecdef OR proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp'] OR proisstrict)
ORDER BY proname;

-- pg_dump takes every table along.
SELECT relname AS not_dumped FROM pg_class
WHERE relnamespace = 'credits'::regnamespace AND relkind IN ('r', 'S')
  AND oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'pg_credits')::oid[]);

-- The settings, and who may set them: known once the library is loaded.
SELECT count(*) FROM credits.wallet_balance('nobody');
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'credits.%' ORDER BY name;

-- It goes as it came.
DROP EXTENSION pg_credits;
SELECT count(*) FROM pg_namespace WHERE nspname = 'credits';
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
-- Nor can the schema be dropped apart from it.
DROP SCHEMA credits CASCADE;
