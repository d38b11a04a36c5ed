-- Parts of the pages of docs/reference, as Markdown from the catalogue. The variable page says which: functions, views,
-- errors or details. Run by reference.sh.

SET client_min_messages = warning;

-- Text in Markdown, in a cell of a table as well.
CREATE FUNCTION pg_temp.md(text text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(replace(replace(replace(coalesce(text, ''), '<', '&lt;'), '>', '&gt;'), '|', '\|'), '*', '\*')
$$;
-- What GitHub makes the address of a heading.
CREATE FUNCTION pg_temp.anchor(heading text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(lower(heading), ' ', '-')
$$;

-- An overload's heading has the names of its parameters, since an address is one function's.
CREATE TEMPORARY VIEW functions AS
SELECT d.*, p.pronargs, p.proretset, t.typtype, d.name AS heading,
       replace(format_type(p.prorettype, NULL), 'timestamp with time zone', 'timestamptz') AS returned,
       coalesce((SELECT string_agg(e.name, ', ' ORDER BY e.no) FROM credits_internal.function_fields e
                 WHERE e.function = d.function AND e.kind = 'parameter'), '') AS parameters
FROM credits_internal.function_docs d
JOIN pg_proc p ON p.oid = d.function
JOIN pg_type t ON t.oid = p.prorettype;

CREATE TEMPORARY VIEW functions_page AS
SELECT 0 AS subject_no, '' AS name, 0 AS pronargs, 0 AS place,
       string_agg(format('* [%s](#%s): %s', s.subject, pg_temp.anchor(s.subject), s.names), E'\n' ORDER BY s.subject_no)
       || E'\n' AS text
FROM (SELECT f.subject_no, f.subject,
             string_agg(format('[`%s`](#%s)', f.name, f.name), ', ' ORDER BY f.name COLLATE "C") AS names
      FROM (SELECT DISTINCT subject_no, subject, name FROM functions) f GROUP BY f.subject_no, f.subject) s
UNION ALL
SELECT DISTINCT f.subject_no, '', 0, 1, '## ' || f.subject || E'\n' FROM functions f
UNION ALL
SELECT f.subject_no, f.name, f.pronargs, 2, concat(
    CASE WHEN row_number() OVER (PARTITION BY f.name ORDER BY f.pronargs) = 1 THEN '### ' || f.name || E'\n\n' END,
    '`', CASE WHEN f.is_procedure THEN 'CALL ' END, 'credits.', f.name, '(', f.parameters, E')`\n\n',
    pg_temp.md(f.summary), E'\n\n',
    (SELECT E'| parameter | type | default | |\n|---|---|---|---|\n' || string_agg(
         format('| `%s` | %s | %s | %s |', e.name, e.type,
                CASE WHEN e.default_value IS NULL THEN 'required' ELSE '`' || e.default_value || '`' END,
                pg_temp.md(e.description)), E'\n' ORDER BY e.no) || E'\n\n'
     FROM credits_internal.function_fields e WHERE e.function = f.function AND e.kind = 'parameter'),
    (SELECT string_agg(pg_temp.md(u.rule), E'\n\n' ORDER BY u.no) || E'\n\n'
     FROM unnest(f.rules) WITH ORDINALITY AS u(rule, no)),
    CASE WHEN f.is_procedure THEN NULL
         WHEN f.typtype = 'c' THEN format(E'Returns %s of type `%s`:\n\n',
                                          CASE WHEN f.proretset THEN 'rows' ELSE 'one row' END, f.returned)
         ELSE format(E'Returns %s%s.\n\n', CASE WHEN f.proretset THEN 'rows of ' END, f.returned) END,
    (SELECT E'| column | type | |\n|---|---|---|\n' || string_agg(
         format('| `%s` | %s | %s |', e.name, e.type, pg_temp.md(e.description)), E'\n' ORDER BY e.no) || E'\n\n'
     FROM credits_internal.function_fields e WHERE e.function = f.function AND e.kind = 'column'),
    (SELECT 'Raises ' || string_agg(format('%s (%s)', c.code, c.name), ', ' ORDER BY c.code) || E'.\n\n'
     FROM credits.error_codes c WHERE c.code = ANY (f.raises)),
    E'```\n', f.example, E'\n```\n')
FROM functions f;

CREATE TEMPORARY VIEW views_page AS
SELECT c.relname, 1 AS place, concat(
    '## ', c.relname, CASE WHEN c.relkind = 'r' THEN ' (table)' END, E'\n\n',
    (SELECT string_agg(pg_temp.md(regexp_replace(u.rule, '\s+', ' ', 'g')), E'\n\n' ORDER BY u.no)
     FROM string_to_table(obj_description(c.oid, 'pg_class'), E'\n\n') WITH ORDINALITY AS u(rule, no)), E'\n\n',
    (SELECT E'| column | type | |\n|---|---|---|\n' || string_agg(
         format('| `%s` | %s | %s |', a.attname,
                replace(format_type(a.atttypid, NULL), 'timestamp with time zone', 'timestamptz'),
                pg_temp.md(regexp_replace(col_description(c.oid, a.attnum), '\s+', ' ', 'g'))), E'\n' ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), E'\n') AS text
FROM pg_class c WHERE c.relnamespace = 'credits'::regnamespace AND c.relkind IN ('r', 'v')
UNION ALL
SELECT '', 0, string_agg(
    format('* [`%s`](#%s): %s', c.relname, c.relname || CASE WHEN c.relkind = 'r' THEN '-table' ELSE '' END,
           pg_temp.md(regexp_replace(split_part(obj_description(c.oid, 'pg_class'), E'\n\n', 1), '\s+', ' ', 'g'))),
    E'\n' ORDER BY c.relname COLLATE "C") || E'\n'
FROM pg_class c WHERE c.relnamespace = 'credits'::regnamespace AND c.relkind IN ('r', 'v');

CREATE TEMPORARY VIEW page AS
SELECT 'functions' AS page,
       row_number() OVER (ORDER BY f.subject_no, f.name COLLATE "C", f.pronargs, f.place) AS no, f.text
FROM functions_page f
UNION ALL
SELECT 'views', row_number() OVER (ORDER BY v.relname COLLATE "C", v.place), v.text FROM views_page v
UNION ALL
SELECT 'errors', 1, E'| code | name | when |\n|---|---|---|\n' || string_agg(
    format('| %s | %s | %s |', e.code, e.name,
           regexp_replace(pg_temp.md(e.raised_when), 'credits\.\w+', '`\&`', 'g')), E'\n' ORDER BY e.code) || E'\n'
FROM credits.error_codes e
UNION ALL
SELECT 'details', 1, E'| code | keys |\n|---|---|\n' || string_agg(
    format('| %s | %s |', d.codes, d.detail), E'\n' ORDER BY d.codes) || E'\n'
FROM (SELECT string_agg(e.code, ', ' ORDER BY e.code) AS codes, e.detail
      FROM credits.error_codes e GROUP BY e.detail) d;

SELECT text FROM page WHERE page = :'page' ORDER BY no;
