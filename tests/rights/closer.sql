-- What an attacker who may make objects in public puts there before the extension is installed: functions and
-- operators whose arguments match more closely than those of PostgreSQL's own, and so are taken even behind
-- pg_catalog. Whatever of it runs raises AT001.

DO $make$
DECLARE
    types CONSTANT text[] := '{text,bigint,integer,smallint,numeric,uuid,timestamptz,boolean,uuid[],numeric[],text[]}';
    body CONSTANT text := $body$ IMMUTABLE LANGUAGE plpgsql
        AS $$BEGIN RAISE EXCEPTION 'the attacker runs' USING ERRCODE = 'AT001'; END$$ $body$;
    l text;
    r text;
    one record;
BEGIN
    SET LOCAL search_path = pg_catalog;
    FOREACH l IN ARRAY types LOOP
        FOR one IN VALUES ('cardinality', 'integer'), ('length', 'integer'), ('unnest', 'SETOF ' || rtrim(l, '[]')) LOOP
            EXECUTE format('CREATE FUNCTION public.%s(%s) RETURNS %s', one.column1, l, one.column2) || body;
        END LOOP;
        FOREACH r IN ARRAY types LOOP
            FOR one IN VALUES ('boolean', '{=,<>,<,<=,>,>=}'::text[]), ('numeric', '{+,-,*}'), ('text', '{||}') LOOP
                -- With anything else in front, || makes the script fail, and that is no attack.
                CONTINUE WHEN one.column1 = 'text' AND l <> 'text';
                EXECUTE format('CREATE FUNCTION public.closer_%1$s(%2$s, %3$s) RETURNS %1$s', one.column1, l, r)
                        || body;
                EXECUTE (SELECT string_agg(format(
                             'CREATE OPERATOR public.%s (FUNCTION = public.closer_%s, LEFTARG = %s, RIGHTARG = %s)',
                             operator, one.column1, l, r), ';') FROM unnest(one.column2) AS operator);
            END LOOP;
        END LOOP;
    END LOOP;
END $make$;
