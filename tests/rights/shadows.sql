-- What an attacker puts in front of PostgreSQL's own, run by its own session in its own schema, mallory: all functions
-- and operators by name and arguments, and a domain of each type's name. Whatever of it runs raises AT001. What
-- PostgreSQL does not let be made (internal arguments and the like) is left out.

DO $make$
DECLARE
    one record;
    body CONSTANT text := $body$ AS $$BEGIN RAISE EXCEPTION 'the attacker runs' USING ERRCODE = 'AT001'; END$$ $body$;
BEGIN
    SET LOCAL search_path = pg_catalog;
    SET LOCAL check_function_bodies = off;
    EXECUTE 'CREATE FUNCTION mallory.trap() RETURNS boolean LANGUAGE plpgsql' || body;
    FOR one IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, p.proretset,
                      CASE WHEN t.typtype = 'p' AND t.typname !~ '^any' THEN 'text'
                           ELSE format_type(t.oid, NULL) END AS result
               FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype
               WHERE p.pronamespace = 'pg_catalog'::regnamespace LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION mallory.%I(%s) RETURNS %s %s LANGUAGE plpgsql', one.proname, one.arguments,
                           CASE WHEN one.proretset THEN 'SETOF' ELSE '' END, one.result) || body;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR one IN SELECT o.oprname, p.proname, nullif(o.oprleft, 0)::regtype AS leftarg, o.oprright::regtype AS rightarg
               FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
               WHERE o.oprnamespace = 'pg_catalog'::regnamespace LOOP
        BEGIN
            EXECUTE format('CREATE OPERATOR mallory.%s (FUNCTION = mallory.%I%s, RIGHTARG = %s)',
                           one.oprname, one.proname, ', LEFTARG = ' || one.leftarg::text, one.rightarg);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR one IN SELECT typname FROM pg_type
               WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r') AND typname !~ '^_' LOOP
        EXECUTE format('CREATE DOMAIN mallory.%I AS pg_catalog.int4 CHECK (mallory.trap())', one.typname);
    END LOOP;
    -- Casts are found without a search_path, so these are in every session's way: a type that passes for text and for
    -- numeric, in both directions.
    CREATE TYPE mallory.disguise AS (it pg_catalog.int4);
    FOR one IN VALUES ('text'), ('numeric') LOOP
        EXECUTE format('CREATE FUNCTION mallory.out_of(%s) RETURNS mallory.disguise LANGUAGE plpgsql', one.column1)
                || body;
        EXECUTE format('CREATE FUNCTION mallory.into_%s(mallory.disguise) RETURNS %1$s LANGUAGE plpgsql', one.column1)
                || body;
        EXECUTE format('CREATE CAST (%s AS mallory.disguise) WITH FUNCTION mallory.out_of(%1$s) AS ASSIGNMENT',
                       one.column1);
        EXECUTE format('CREATE CAST (mallory.disguise AS %s) WITH FUNCTION mallory.into_%1$s(mallory.disguise)'
                       ' AS IMPLICIT', one.column1);
    END LOOP;
END $make$;
