-- Help: what the comments on functions and types say, laid out for reading. It all comes from the catalogue.

-- How a comment is read: a first paragraph; a line for each parameter, `name: …`; paragraphs of rules; `Raises …`;
-- and `Example: …`. A line that goes on is indented. tests/pg_regress/sql/help.sql checks that all are so.
CREATE VIEW credits_internal.function_docs AS
SELECT p.oid AS function, p.proname::text AS name, p.prokind = 'p' AS is_procedure, s.subject_no, s.subject,
       regexp_replace(split_part(d.comment, E'\n\n', 1), '\s+', ' ', 'g') AS summary,
       regexp_replace(substring(d.comment, '^.+?\.(?=\s|$)'), '\s+', ' ', 'g') AS first_sentence,
       ARRAY(SELECT regexp_replace(r.rule, '\s+', ' ', 'g')
             FROM string_to_table(d.comment, E'\n\n') WITH ORDINALITY AS r(rule, no)
             WHERE r.no > 1 AND r.rule !~ '^(Raises |[A-Za-z_]+: )' ORDER BY r.no) AS rules,
       ARRAY(SELECT c.code[1]
             FROM regexp_matches(substring(d.comment, '\nRaises ([^\n]*)'), 'PC\d+', 'g') AS c(code)) AS raises,
       regexp_replace(substring(d.comment, '\nExample: (.*)$'), '\n +', E'\n', 'g') AS example
FROM pg_proc p
CROSS JOIN LATERAL (SELECT obj_description(p.oid, 'pg_proc') AS comment) AS d
LEFT JOIN LATERAL (
    SELECT v.subject_no, v.subject
    FROM (VALUES
        (1, 'Customers and currencies', '^(customer|currency)_'),
        (2, 'Grants', '^(credit_grant|wallet_credit$)'),
        (3, 'Balances',
            '^(account_configure|(balance_alert|member_limit|usage_limit)_set|credit_availability|explain_drawdown|'
                || 'pending_amount|wallet_balance)'),
        (4, 'Spending', '^(wallet_(adjust|debit|transfer|try_debit)$|hold_|operation_reverse$)'),
        (5, 'Meters', '^(meter_(activate|create|deactivate|update|price_override(_end)?)|usage_price)$'),
        (6, 'Usage', '^(inbox_|meter_event_|report_meter_event|settle$|usage_summary$|credit_transaction_)'),
        (7, 'Catalogue',
            '^(configure_recharge$|coupon_|exchange_rate|package_|price_|product_|promotion_code_|recharge_config$|'
                || 'voucher_)'),
        (8, 'Purchases and payments', '^(payment_(?!link_)|refund_|top_up_|webhook_receive$)'),
        (9, 'Checkout', '^(checkout_session|payment_link)_'),
        (10, 'Invoices', '^(my_)?invoice_'),
        (17, 'Subscriptions', '^(subscription|usage_record)_'),
        (11, 'Auto-recharge', '^(auto_recharge_|configure_auto_recharge$|recharge_begin$)'),
        (12, 'Outbox', '^outbox_'),
        (18, 'Webhook endpoints', '^webhook_(?!receive$)'),
        (13, 'Billing pages', '^(billing_|current_customer$)'),
        (14, 'Search', '^search$'),
        (15, 'Ledger', '^(verify|wallet_history)$'),
        (16, 'Maintenance', '^(clock$|help$|history_import$|maintain|reset$)')
    ) AS v(subject_no, subject, names)
    WHERE p.proname::text ~ v.names
) AS s ON true
WHERE p.pronamespace = 'credits'::regnamespace;
COMMENT ON VIEW credits_internal.function_docs IS
'The functions of schema credits with what their comments say. For help() and the pages of docs/reference.';

CREATE VIEW credits_internal.function_fields AS
SELECT p.oid AS function, 'parameter' AS kind, a.no, a.name,
       replace(format_type(a.type, NULL), 'timestamp with time zone', 'timestamptz') AS type,
       regexp_replace(pg_get_function_arg_default(p.oid, a.no::integer), '::[a-z ]+(\[\])?$', '') AS default_value,
       regexp_replace(
           substring(obj_description(p.oid, 'pg_proc'), '\n' || a.name || ': ([^\n]*(\n  [^\n]*)*)'),
           '\s+', ' ', 'g') AS description
FROM pg_proc p
CROSS JOIN LATERAL unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) WITH ORDINALITY AS a(name, type, no)
WHERE p.pronamespace = 'credits'::regnamespace
UNION ALL
SELECT p.oid, 'column', row_number() OVER (PARTITION BY p.oid ORDER BY a.attnum), a.attname::text,
       replace(format_type(a.atttypid, NULL), 'timestamp with time zone', 'timestamptz'), NULL,
       regexp_replace(col_description(a.attrelid, a.attnum), '\s+', ' ', 'g')
FROM pg_proc p
JOIN pg_type t ON t.oid = p.prorettype AND t.typtype = 'c'
JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE p.pronamespace = 'credits'::regnamespace;
COMMENT ON VIEW credits_internal.function_fields IS
'The parameters of the functions of schema credits, and the columns of what they return, with what the comments say of
each. For help() and the pages of docs/reference.';

-- With its caller's rights, which are those of anybody who may use the schema; its names were bound when it was
-- created. The settings are those that PostgreSQL shows types and defaults by.
CREATE FUNCTION credits.help(function_name text DEFAULT NULL)
RETURNS SETOF text
LANGUAGE sql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp
SET quote_all_identifiers = off SET IntervalStyle = postgres
BEGIN ATOMIC
    WITH asked AS (
        SELECT left(regexp_replace(lower(btrim($1)), '^credits\.|\s*\(.*$', '', 'g'), 63) AS name
    ),
    found AS (
        SELECT d.*, p.pronargs, p.proretset, p.prorettype,
               replace(format_type(p.prorettype, NULL), 'timestamp with time zone', 'timestamptz') AS returned
        FROM asked a
        JOIN credits_internal.function_docs d ON d.name = a.name
        JOIN pg_proc p ON p.oid = d.function
    ),
    -- By three letters that follow each other: how many of them two names have in common.
    near AS (
        SELECT d.name, min(d.first_sentence) AS first_sentence,
               max(CASE WHEN strpos(d.name, a.name) > 0 THEN 1 ELSE 0 END) AS contains, max(c.common) AS common
        FROM asked a
        CROSS JOIN credits_internal.function_docs d
        CROSS JOIN LATERAL (
            SELECT count(*)::numeric / (length(d.name) + length(a.name) + 2) AS common
            FROM (SELECT substr('  ' || d.name || ' ', i, 3) FROM generate_series(1, length(d.name) + 1) i
                  INTERSECT ALL
                  SELECT substr('  ' || a.name || ' ', i, 3) FROM generate_series(1, length(a.name) + 1) i) AS both_have
        ) AS c
        WHERE a.name <> '' AND NOT EXISTS (SELECT FROM found)
        GROUP BY d.name
        HAVING max(c.common) > 0.2 OR bool_or(strpos(d.name, a.name) > 0 AND length(a.name) > 2)
        ORDER BY 3 DESC, 4 DESC, 1
        LIMIT 8
    ),
    -- Name, what comes after it, and text that is wrapped beside them.
    fields AS (
        SELECT f.function, CASE e.kind WHEN 'parameter' THEN 20 ELSE 40 END AS section, e.no, e.name AS head,
               e.type || coalesce(' = ' || e.default_value, '') AS middle, e.description AS text
        FROM found f
        JOIN credits_internal.function_fields e ON e.function = f.function
        UNION ALL
        SELECT f.function, 50, row_number() OVER (PARTITION BY f.function ORDER BY c.code), c.code, c.name,
               c.raised_when
        FROM found f
        JOIN credits.error_codes c ON c.code = ANY (f.raises)
    ),
    wide AS (
        SELECT e.*, max(length(e.head)) OVER w + 2 AS head_width, max(length(e.middle)) OVER w + 2 AS middle_width
        FROM fields e WINDOW w AS (PARTITION BY e.function, e.section)
    ),
    lines AS (
        SELECT f.name, f.pronargs, f.function, 0 AS section, w.no, 0::bigint AS part, w.line[1] AS line
        FROM found f
        CROSS JOIN LATERAL regexp_matches(
            CASE WHEN f.is_procedure THEN 'CALL ' ELSE '' END || 'credits.' || f.name || '(' || coalesce(
                (SELECT string_agg(e.name, ', ' ORDER BY e.no) FROM credits_internal.function_fields e
                 WHERE e.function = f.function AND e.kind = 'parameter'), '') || ')',
            '\S.{0,108}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT f.name, f.pronargs, f.function, r.section, r.no, w.no, w.line[1]
        FROM found f
        CROSS JOIN LATERAL (
            SELECT 10 AS section, 1::bigint AS no, f.summary AS text
            UNION ALL
            SELECT 30 + u.no::integer, u.no, u.rule FROM unnest(f.rules) WITH ORDINALITY AS u(rule, no)
        ) AS r
        CROSS JOIN LATERAL regexp_matches(r.text, '\S.{0,108}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT f.name, f.pronargs, f.function, e.section, e.no, w.no,
               CASE WHEN w.no = 1 THEN '  ' || rpad(e.head, e.head_width) || rpad(e.middle, e.middle_width)
                    ELSE repeat(' ', 2 + e.head_width + e.middle_width) END || w.line[1]
        FROM found f
        JOIN wide e ON e.function = f.function
        CROSS JOIN LATERAL regexp_matches(
            e.text, '\S.{0,' || greatest(107 - e.head_width - e.middle_width, 40) || '}(?=\s|$)', 'g')
            WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 40, 0, 0,
               'Returns ' || CASE WHEN f.proretset THEN 'rows of ' WHEN t.typtype = 'c' THEN 'one row of ' ELSE '' END
               || f.returned || CASE WHEN t.typtype = 'c' THEN ':' ELSE '.' END
        FROM found f
        JOIN pg_type t ON t.oid = f.prorettype
        WHERE NOT f.is_procedure
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 50, 0, 0, 'Raises:' FROM found f WHERE f.raises <> '{}'
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 20, 0, 0, 'Parameters:' FROM found f WHERE f.pronargs > 0
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 60, 0, 0, 'Example:' FROM found f
        UNION ALL
        SELECT f.name, f.pronargs, f.function, 60, u.no, 0, CASE WHEN u.no = 1 THEN '  ' ELSE '    ' END || u.line
        FROM found f
        CROSS JOIN LATERAL string_to_table(f.example, E'\n') WITH ORDINALITY AS u(line, no)
    ),
    -- A blank line before each section.
    text_of_one AS (
        SELECT l.name, l.pronargs, l.function, l.section, l.no, l.part, l.line FROM lines l
        UNION ALL
        SELECT l.name, l.pronargs, l.function, l.section, -1, 0, '' FROM lines l
        GROUP BY l.name, l.pronargs, l.function, l.section
        HAVING l.section > 0 OR l.function <> (
            SELECT f.function FROM found f ORDER BY f.name, f.pronargs, f.function LIMIT 1)
    ),
    listed AS (
        SELECT DISTINCT d.subject_no, d.subject, d.name, d.first_sentence
        FROM credits_internal.function_docs d, asked a WHERE coalesce(a.name, '') = ''
    ),
    text_of_all AS (
        SELECT l.subject_no, 2 AS place, l.name, w.no,
               '  ' || rpad(CASE WHEN w.no = 1 THEN l.name ELSE '' END, 31) || w.line[1] AS line
        FROM listed l
        CROSS JOIN LATERAL regexp_matches(l.first_sentence, '\S.{0,76}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
        UNION ALL
        SELECT DISTINCT l.subject_no, 1, NULL, 0, l.subject FROM listed l
        UNION ALL
        SELECT DISTINCT l.subject_no, 0, NULL, 0, '' FROM listed l WHERE l.subject_no > 1
        UNION ALL
        SELECT 1000, v.place, NULL, 0, v.line
        FROM (VALUES (1, ''), (2, 'SELECT credits.help(''hold_create'') explains one of them.')) AS v(place, line)
        WHERE EXISTS (SELECT FROM listed)
    ),
    text_of_none AS (
        SELECT 1 AS place, 0 AS contains, 0::numeric AS common, NULL AS name, 0::bigint AS no,
               'There is no function credits.' || a.name || '.'
               || CASE WHEN EXISTS (SELECT FROM near) THEN ' Did you mean:'
                       ELSE ' SELECT credits.help() lists them all.' END AS line
        FROM asked a WHERE a.name <> '' AND NOT EXISTS (SELECT FROM found)
        UNION ALL
        SELECT 2, n.contains, n.common, n.name, w.no,
               '  ' || rpad(CASE WHEN w.no = 1 THEN n.name ELSE '' END, 31) || w.line[1]
        FROM near n
        CROSS JOIN LATERAL regexp_matches(n.first_sentence, '\S.{0,76}(?=\s|$)', 'g') WITH ORDINALITY AS w(line, no)
    ),
    answer AS (
        SELECT row_number() OVER (ORDER BY t.name, t.pronargs, t.function, t.section, t.no, t.part) AS no, t.line
        FROM text_of_one t
        UNION ALL
        SELECT row_number() OVER (ORDER BY t.subject_no, t.place, t.name, t.no), t.line FROM text_of_all t
        UNION ALL
        SELECT row_number() OVER (ORDER BY t.place, t.contains DESC, t.common DESC, t.name, t.no), t.line
        FROM text_of_none t
    )
    SELECT a.line FROM answer a ORDER BY a.no;
END;
COMMENT ON FUNCTION credits.help IS
'Explains a function: what it does, its parameters, its result, its errors and an example.

function_name: the name, with or without its schema; NULL lists all functions by subject.

All functions of that name are explained. An unknown name is answered with the nearest ones.

Example: SELECT credits.help(''hold_create'');';
