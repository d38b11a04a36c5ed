-- What the catalogue says of functions, views and types: that it is complete and right, and how help() shows it.

-- 1. EVERY COMMENT IS COMPLETE
--
-- A function says what it does, has a line for each parameter and for nothing else, raises codes that exist, and has an
-- example; a column says what it is. One row for each that does not.
CREATE TEMPORARY VIEW faults AS
WITH explained AS MATERIALIZED (
    SELECT f.function, h.lines, h.words FROM credits_internal.function_docs f
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT line) FILTER (WHERE line <> '') AS lines,
               coalesce(array_agg(word) FILTER (WHERE word <> ''), '{}') AS words
        FROM credits.help(f.name) AS line
        LEFT JOIN LATERAL regexp_split_to_table(line, '\s+') AS word ON word <> '') AS h
)
SELECT f.function::regprocedure::text AS of, 'does not begin with a sentence' AS fault, f.summary AS found
FROM credits_internal.function_docs f WHERE f.summary !~ '^[A-Z].*\.$' OR f.first_sentence IS NULL
UNION ALL
SELECT f.function::regprocedure::text, 'has a parameter without a line', f.name
FROM credits_internal.function_fields f WHERE f.kind = 'parameter' AND coalesce(f.description, '') = ''
UNION ALL
SELECT p.oid::regprocedure::text, 'has a line for what is no parameter', line[1]
FROM pg_proc p, regexp_matches(obj_description(p.oid, 'pg_proc'), '(?n)^(\w+): ', 'g') line
WHERE p.pronamespace = 'credits'::regnamespace AND line[1] <> ALL (coalesce(p.proargnames, '{}') || ARRAY['Example'])
UNION ALL
SELECT f.function::regprocedure::text, 'has a parameter more than once', line[1]
FROM credits_internal.function_docs f,
     regexp_matches(obj_description(f.function, 'pg_proc'), '(?n)^(\w+): ', 'g') line GROUP BY 1, 3 HAVING count(*) > 1
UNION ALL
SELECT f.function::regprocedure::text, 'speaks of a code that does not exist', code[1]
FROM credits_internal.function_docs f, regexp_matches(obj_description(f.function, 'pg_proc'), 'PC\d+', 'g') code
WHERE code[1] NOT IN (SELECT e.code FROM credits.error_codes e)
UNION ALL
SELECT f.function::regprocedure::text, 'has more than codes after Raises', line[1]
FROM credits_internal.function_docs f,
     regexp_matches(obj_description(f.function, 'pg_proc'), '(?n)^Raises (.*)$', 'g') line
WHERE line[1] !~ '^PC\d{3}(, PC\d{3})*\.$'
UNION ALL
SELECT f.function::regprocedure::text, 'has no example of itself at its end', f.example
FROM credits_internal.function_docs f
WHERE f.example IS NULL OR f.example !~ ('^(SELECT|CALL) .*\mcredits\.' || f.name || '\(.*;$')
UNION ALL
SELECT f.function::regprocedure::text, 'belongs to no subject of help()', f.subject
FROM credits_internal.function_docs f WHERE f.subject IS NULL
UNION ALL
SELECT c.oid::regclass::text, 'has a column without a comment', a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'credits'::regnamespace AND c.relkind IN ('r', 'v', 'c')
  AND col_description(c.oid, a.attnum) IS NULL
UNION ALL
SELECT f.function::regprocedure::text, 'is not explained by help()', f.name
FROM credits_internal.function_docs f JOIN explained e ON e.function = f.function WHERE e.lines < 4
UNION ALL
SELECT f.function::regprocedure::text, 'has a word that help() does not show', left(word, 20)
FROM credits_internal.function_docs f JOIN explained e ON e.function = f.function
CROSS JOIN LATERAL regexp_split_to_table(
    regexp_replace(obj_description(f.function, 'pg_proc'), '(?n)^(Raises .*$|\w+: )', '', 'g'), '\s+') word
WHERE word <> '' AND word <> ALL (e.words);
SELECT * FROM faults;

-- Each of these is seen where it is so.
BEGIN;
COMMENT ON FUNCTION credits.clock IS 'now';
SELECT * FROM faults ORDER BY 1, 2, 3;
COMMENT ON FUNCTION credits.clock IS
E'Returns now.\n\nzone: where.\nzone: there.\n\nRaises PC999, sometimes.\nExample: SELECT now();';
COMMENT ON FUNCTION credits.hold_release IS
E'Releases.\n\nhold_id: the hold.\n\nExample: SELECT credits.hold_release(NULL, NULL);';
COMMENT ON COLUMN credits.wallets.held IS NULL;
COMMENT ON COLUMN credits.hold.captured IS NULL;
COMMENT ON FUNCTION credits.current_customer IS
E'Returns a word_of_help_that_goes_on_and_on_until_it_is_too_long_for_a_line_and_has_more_than_a_hundred_and_nine_letters.';
CREATE FUNCTION credits.wallet() RETURNS void LANGUAGE sql AS '';
SELECT * FROM faults ORDER BY 1, 2, 3;
ROLLBACK;

-- 2. EVERY EXAMPLE RUNS
--
-- On a database where this has happened, each in a transaction of its own that leaves the ledger sound.
SELECT FROM credits.currency_create('USD', 'US dollar', kind => 'fiat');
SELECT FROM credits.meter_create('llm.tokens', unit_price => 0.0015, unit => 'token');
SELECT FROM credits.credit_grant('ann', 1000, name => 'Pack of 1,000', category => 'paid', cost_basis => 0.02);
SELECT FROM credits.credit_grant('ann', 200, name => 'Bonus', expires_at => now() + interval '30 days');
SELECT FROM credits.credit_grant('ben', 100);
SELECT FROM credits.hold_create('ann', 20);
SELECT FROM credits.report_meter_event('ann', 'llm.tokens', 2000, 'req-1');
SELECT FROM credits.meter_price_override('ann', 'llm.tokens', unit_price => 0.001,
    effective_at => now() + interval '1 year');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('ann', 'no.such.meter', 1, 'req-9');
SELECT credits.settle();
SELECT FROM credits.exchange_rate_set('CREDIT', 'USD', 0.02);
SELECT FROM credits.billing_portal_session_create('ann');
SELECT FROM credits.payment_provider_set('acmepay', 'not a real secret');
SELECT price_id FROM credits.package_create('Pack of 1,000', 1000, 20, 'USD') \gset
SELECT FROM credits.configure_recharge('CREDIT', :'price_id');
SELECT FROM credits.top_up_create('ann', :'price_id', description => 'open');
SELECT top_up_id FROM credits.top_up_create('ann', :'price_id', description => 'paid') \gset
SELECT FROM credits.payment_succeeded('ann', :'top_up_id', 'acmepay', 'pay-1', 20);
SELECT FROM credits.payment_refunded('ann', :'top_up_id', 'acmepay', 'refund-1', amount => 2);
SELECT FROM credits.payment_disputed('ann', :'top_up_id', 'acmepay', 'dispute-1', amount => 4);
SELECT FROM credits.refund_create('ann', :'top_up_id', 3, description => 'asked');
SELECT FROM credits.outbox_consumer_create('worker');
SELECT count(*) FROM generate_series(1, 8) n, credits.webhook_endpoint_create('https://hooks.example/' || n, '{*}');
SELECT FROM credits.credit_grant('cy', 10);
SELECT FROM credits.configure_auto_recharge('cy', threshold => 50, payment_method => 'pm_1');
SELECT FROM credits.invoice_create('ann', '[{"amount": 50}]', 'USD', 'new invoice');
SELECT FROM credits.invoice_create('ann', '[{"amount": 70}]', 'USD', 'sent invoice', '2026-01-31',
    auto_finalize => true);
SELECT FROM credits.credit_grant('ann', 20, 'USD');
SELECT FROM credits.invoice_pay('ann', (SELECT invoice_id FROM credits.invoice_create('ann', '[{"amount": 20}]', 'USD',
    'deposit', billing_reason => 'deposit', auto_finalize => true)), 'wallet');
SELECT FROM credits.invoice_item_create('ann', 'USD', 5, 'pending');
SET credits.checkout_url = 'https://app.example/checkout';
SELECT FROM credits.checkout_session_create('ben', line_items => jsonb_build_array(jsonb_build_object('price_id',
    :'price_id')), client_reference_id => 'new session', allow_promotion_codes => true);
SELECT FROM credits.coupon_create('In spring', percent_off => 10, promotion_codes => '[{"code": "SPRING"}]');
SELECT FROM credits.customer_upsert('created by mistake');
SELECT FROM credits.payment_method_attach('ann', 'acmepay', NULL, 'method-1');
SELECT FROM credits.coupon_create('Welcome', credit_config => '{"amount": 5}',
    promotion_codes => '[{"code": "WELCOME5"}]');
SELECT FROM credits.voucher_redeem('ann', 'WELCOME5');
SELECT FROM credits.price_create((SELECT product_id FROM credits.products LIMIT 1), 'recurring', 20, 'USD',
    recurring => '{"interval": "month"}', lookup_key => 'pro_monthly');
SELECT FROM credits.price_create((SELECT product_id FROM credits.products LIMIT 1), 'recurring', 5, 'USD',
    recurring => '{"interval": "month"}', lookup_key => 'seat_monthly');
SELECT FROM credits.price_create((SELECT product_id FROM credits.products LIMIT 1), 'recurring', 0.01, 'USD',
    recurring => '{"interval": "month", "usage_type": "metered"}', lookup_key => 'calls_monthly');
SELECT FROM credits.subscription_create('ben', '[{"lookup_key": "pro_monthly"}, {"lookup_key": "seat_monthly"},
    {"lookup_key": "calls_monthly"}]', collection_method => 'send_invoice');
SELECT FROM credits.coupon_create('A mistake', percent_off => 5, promotion_codes => '[{"code": "MISTAKE"}]');
SELECT * FROM credits.verify();

BEGIN;
SET LOCAL credits.production = off; -- for reset()
SET LOCAL credits.current_customer = 'ann'; -- for customer_me()
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE unsound bigint;
BEGIN
    EXECUTE statement;
    SELECT count(*) INTO unsound FROM credits.verify();
    RAISE EXCEPTION '%', CASE unsound WHEN 0 THEN 'ran' ELSE 'ran, and verify() finds ' || unsound END
        USING ERRCODE = 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TEMPORARY TABLE outcomes AS
SELECT f.example, outcome FROM credits_internal.function_docs f, pg_temp.outcome(f.example) AS outcome;
SELECT count(*) = (SELECT count(*) FROM pg_proc WHERE pronamespace = 'credits'::regnamespace) AS all_of_them
FROM outcomes;
SELECT * FROM outcomes WHERE outcome <> 'ran' ORDER BY example;
-- Those of functions that return rows return some.
WITH many AS MATERIALIZED (
    SELECT f.name, f.example FROM credits_internal.function_docs f JOIN pg_proc p ON p.oid = f.function
    WHERE p.proretset AND f.name <> 'verify')
SELECT name AS returns_nothing FROM many WHERE query_to_xml(rtrim(example, ';'), false, false, '')::text !~ '<row>';
-- What does not run, and what is not sound, is seen.
SELECT pg_temp.outcome('SELECT credits.hold_release(NULL, NULL);'),
       pg_temp.outcome('UPDATE credits_internal.accounts SET held = held + 1');
ROLLBACK;

-- 3. WHAT IT SAYS
\pset format unaligned
\pset tuples_only on
SELECT credits.help('hold_create');
-- Both of one name, and whatever way the name is written.
SELECT credits.help(' credits.Report_Meter_Events(jsonb, boolean)');
-- A procedure; no parameters, one value, and no errors of its own; a long list.
SELECT credits.help('maintain');
SELECT credits.help('billing_portal_key_rotate');
SELECT credits.help('help');
-- What is not there is answered with what is near.
SELECT credits.help('hold_crate');
SELECT credits.help('debit');
SELECT credits.help('wallet');
SELECT credits.help('tokens');
SELECT credits.help(repeat('x', 100000));
SELECT credits.help();
-- No line is too long for a page.
SELECT f.name, line FROM credits_internal.function_docs f, credits.help(f.name) line WHERE length(line) > 112;

-- 4. WHO MAY ASK
--
-- Every role that may use the schema, and with its own rights: it shows what the catalogue shows anybody.
SELECT prosecdef FROM pg_proc WHERE oid = 'credits.help(text)'::regprocedure;
CREATE TEMPORARY TABLE answers (role text, answer bigint, list bigint);
GRANT INSERT ON answers TO PUBLIC;
SELECT format('SET ROLE %I; INSERT INTO answers SELECT current_user, '
              || '(SELECT count(*) FROM credits.help(''hold_create'')), (SELECT count(*) FROM credits.help())', rolname)
FROM pg_roles WHERE rolname ~ '^credits_' AND rolname <> 'credits_owner' ORDER BY rolname \gexec
RESET ROLE;
SELECT count(*), bool_and(answer = (SELECT count(*) FROM credits.help('hold_create'))),
       bool_and(list = (SELECT count(*) FROM credits.help())) FROM answers;
