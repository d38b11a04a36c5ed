-- Wrong input: each has its code, says which argument, and writes nothing.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.wallet_credit('ada', 10);
SELECT FROM credits.meter_create('tokens');
CREATE TABLE before AS SELECT
    (SELECT count(*) FROM credits_internal.customers) AS customers, (SELECT count(*)
FROM credits_internal.accounts) AS accounts,
    (SELECT count(*) FROM credits_internal.credit_grants) AS grants, (SELECT count(*)
FROM credits_internal.operations) AS operations,
    (SELECT count(*) FROM credits_internal.meter_events) AS events, (SELECT count(*)
FROM credits_internal.lines) AS lines,
    (SELECT count(*) FROM credits_internal.currencies) AS currencies, (SELECT count(*)
FROM credits_internal.meters) AS meters,
    (SELECT count(*) FROM credits_internal.holds) AS holds,
    (SELECT string_agg(a::text, E'\n' ORDER BY a) FROM credits_internal.accounts a) AS account_rows;
-- One statement's code and which argument it is about, or what it returned.
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; result text;
BEGIN
    EXECUTE 'SELECT x::text FROM ' || statement || ' AS x' INTO result;
    RETURN 'returned ' || result;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN format('%s %s %s', SQLSTATE, SQLERRM, coalesce(detail::jsonb - 'value', '{}'));
END $$;

-- Unknown customer, meter, currency.
SELECT try($$credits.wallet_debit('nobody', 1)$$);
SELECT try($$credits.report_meter_event('nobody', 'tokens', 1, 'e')$$);
SELECT try($$credits.customer_erase('nobody')$$);
SELECT try($$credits.report_meter_event('ada', 'nothing', 1, 'e')$$);
SELECT try($$credits.meter_deactivate('nothing')$$);
SELECT try($$credits.wallet_debit('ada', 1, 'NONE')$$);
SELECT try($$credits.credit_grant('ada', 1, 'NONE')$$);
SELECT try($$credits.wallet_credit('ada', 1, 'NONE')$$);
SELECT try($$credits.wallet_balance('ada', 'NONE')$$);
SELECT try($$credits.wallet_balance('ada', '')$$);
SELECT try($$credits.meter_create('m', currency => 'NONE')$$);
SELECT try($$credits.currency_update('NONE', active => true)$$);
SELECT try($$credits.hold_create('nobody', 1)$$);
SELECT try($$credits.hold_create('ada', 1, 'NONE')$$);
SELECT try($$credits.hold_capture('nobody', '01900000-0000-7000-8000-000000000000')$$);
SELECT try($$credits.hold_release('ada', '01900000-0000-7000-8000-000000000000')$$);
SELECT try($$credits.credit_grant_void('ada', '01900000-0000-7000-8000-000000000000')$$);
SELECT try($$credits.credit_grant_expire('ada', '01900000-0000-7000-8000-000000000000')$$);
SELECT try($$credits.credit_grant_update('ada', '01900000-0000-7000-8000-000000000000', name => 'x')$$);
SELECT try($$credits.wallet_transfer('ada', 'eve', 1, 'NONE')$$);
SELECT try($$credits.wallet_adjust('ada', 1, 'gift', 'NONE')$$);

-- More than there is: the key stays unused, the recipient is not made.
SELECT try($$credits.wallet_debit('ada', 11, idempotency_key => 'k')$$);
SELECT try($$credits.hold_create('ada', 11, idempotency_key => 'k')$$);
SELECT try($$credits.wallet_transfer('ada', 'eve', 11, idempotency_key => 'k')$$);
SELECT try($$credits.wallet_adjust('ada', -11, 'charge', idempotency_key => 'k')$$);

-- Amounts.
SELECT function, amount, try(format('credits.%s(%L, %L)', function, 'ada', amount))
FROM unnest(ARRAY['credit_grant', 'wallet_credit', 'wallet_debit', 'wallet_try_debit', 'hold_create']) WITH ORDINALITY f (function, i),
     unnest(ARRAY['0', '-1', 'NaN', 'Infinity', '-Infinity', '0.0000001', '1e30', '1e-30', '1e22', '1e-7'])
         WITH ORDINALITY a (amount, j) ORDER BY i, j;
SELECT amount, try(format('credits.wallet_transfer(''ada'', ''eve'', %L)', amount)),
       try(format('credits.wallet_adjust(''ada'', %L, ''correction'')', amount))
FROM unnest(ARRAY['0', 'NaN', 'Infinity', '-Infinity', '0.0000001', '1e30', '1e22']) amount;
SELECT value, try(format('credits.report_meter_event(%L, %L, %L, %L)', 'ada', 'tokens', value, 'e'))
FROM unnest(ARRAY['-1', '-0.0000001', 'NaN', 'Infinity', '1e30', '1e28', '1e22']) value;
SELECT price, try(format('credits.meter_create(%L, unit_price => %L)', 'm', price))
FROM unnest(ARRAY['-1', 'NaN', 'Infinity', '1e30']) price;
SELECT try($$credits.currency_update('CREDIT', min_payment => 0)$$);
SELECT try($$credits.currency_update('CREDIT', min_payment => 5, max_payment => 4)$$);

-- More than an account can count.
SELECT try($$credits.wallet_credit('ada', 9999999999999999999999.999999)$$);
SELECT try($$credits.wallet_adjust('ada', 9999999999999999999999.999999, 'gift')$$);

-- NULL for every required argument.
SELECT statement, try(statement) FROM unnest(ARRAY[
    $$credits.customer_upsert(NULL)$$, $$credits.customer_erase(NULL)$$,
    $$credits.currency_create(NULL)$$, $$credits.currency_update(NULL)$$,
    $$credits.credit_grant(NULL, 1)$$, $$credits.credit_grant('ada', NULL)$$,
    $$credits.wallet_credit(NULL, 1)$$, $$credits.wallet_credit('ada', NULL)$$,
    $$credits.wallet_debit(NULL, 1)$$, $$credits.wallet_debit('ada', NULL)$$,
    $$credits.wallet_try_debit(NULL, 1)$$, $$credits.wallet_try_debit('ada', NULL)$$,
    $$credits.wallet_balance(NULL)$$,
    $$credits.hold_create(NULL, 1)$$, $$credits.hold_create('ada', NULL)$$,
    $$credits.hold_capture(NULL, gen_random_uuid())$$, $$credits.hold_capture('ada', NULL)$$,
    $$credits.hold_release(NULL, gen_random_uuid())$$, $$credits.hold_release('ada', NULL)$$,
    $$credits.credit_grant_void(NULL, gen_random_uuid())$$, $$credits.credit_grant_void('ada', NULL)$$,
    $$credits.credit_grant_expire(NULL, gen_random_uuid())$$, $$credits.credit_grant_expire('ada', NULL)$$,
    $$credits.credit_grant_update(NULL, gen_random_uuid())$$, $$credits.credit_grant_update('ada', NULL)$$,
    $$credits.wallet_transfer(NULL, 'eve', 1)$$, $$credits.wallet_transfer('ada', NULL, 1)$$,
    $$credits.wallet_transfer('ada', 'eve', NULL)$$,
    $$credits.wallet_adjust(NULL, 1, 'gift')$$, $$credits.wallet_adjust('ada', NULL, 'gift')$$,
    $$credits.wallet_adjust('ada', 1, NULL)$$, $$credits.account_configure(NULL)$$,
    $$credits.credit_availability(NULL)$$, $$credits.explain_drawdown(NULL, 1)$$, $$credits.explain_drawdown('ada', NULL)$$,
    $$credits.wallet_history(NULL)$$, $$credits.wallet_balance_at(NULL, as_of => now())$$,
    $$credits.wallet_balance_at('ada')$$, $$credits.credit_grant_summary(NULL)$$,
    $$credits_internal.due_grants(NULL, 'CREDIT')$$, $$credits_internal.due_grants('ada', NULL)$$,
    $$credits.meter_create(NULL)$$, $$credits.meter_create('m', unit_price => NULL)$$,
    $$credits.meter_activate(NULL)$$, $$credits.meter_deactivate(NULL)$$,
    $$credits.report_meter_event(NULL, 'tokens', 1, 'e')$$, $$credits.report_meter_event('ada', NULL, 1, 'e')$$,
    $$credits.report_meter_event('ada', 'tokens', NULL, 'e')$$, $$credits.report_meter_event('ada', 'tokens', 1)$$,
    $$credits.report_meter_events(NULL, '{}', '{}', '{}')$$, $$credits.report_meter_events('{}', NULL, '{}', '{}')$$,
    $$credits.report_meter_events('{}', '{}', NULL, '{}')$$, $$credits.report_meter_events('{}', '{}', '{}', NULL)$$,
    $$credits.report_meter_events('{ada}', '{}', '{}', '{}')$$, $$credits.maintain_batch(NULL)$$,
    $$credits.maintain_batch(-1)$$]) statement;

-- Keys: empty, and far too long.
SELECT left(statement, 60), length(statement), try(statement) FROM unnest(ARRAY[
    $$credits.report_meter_event('ada', 'tokens', 1, '')$$,
    format('credits.report_meter_event(%L, %L, 1, %L)', 'ada', 'tokens', repeat('x', 10000)),
    format('credits.report_meter_event(%L, %L, 1, %L)', 'ada', 'tokens', repeat('x', 256)),
    format('credits.report_meter_event(%L, %L, 1, %L)', 'ada', repeat('m', 256), 'e'),
    $$credits.wallet_debit('ada', 1, idempotency_key => '')$$,
    format('credits.wallet_debit(%L, 1, idempotency_key => %L)', 'ada', repeat('x', 10000)),
    format('credits.credit_grant(%L, 1, idempotency_key => %L)', 'ada', repeat('x', 10000)),
    $$credits.hold_create('ada', 1, idempotency_key => '')$$,
    $$credits.wallet_transfer('ada', '', 1)$$,
    format('credits.wallet_transfer(%L, %L, 1)', 'ada', repeat('c', 256)),
    format('credits.wallet_adjust(%L, 1, %L)', 'ada', repeat('r', 10000)),
    $$credits.customer_upsert('')$$,
    format('credits.customer_upsert(%L)', repeat('c', 256)),
    format('credits.wallet_credit(%L, 1)', repeat('c', 256)),
    $$credits.meter_create('')$$,
    $$credits.currency_create('')$$,
    format('credits.currency_create(%L)', repeat('C', 33)),
    $$credits.currency_create('X', decimals => 19)$$,
    $$credits.currency_create('X', decimals => -1)$$,
    $$credits.currency_create('X', kind => 'coin')$$,
    $$credits.currency_create('CREDIT')$$]) statement;

-- A time a year ahead, and one long past.
SELECT try($$credits.report_meter_event('ada', 'tokens', 1, 'e', occurred_at => '2027-03-01')$$);
SELECT try($$credits.report_meter_event('ada', 'tokens', 1, 'e', occurred_at => '1999-01-01')$$);

-- Nothing of all that was written.
SELECT b.customers = (SELECT count(*) FROM credits_internal.customers) AND b.accounts = (SELECT count(*) FROM credits_internal.accounts)
   AND b.grants = (SELECT count(*) FROM credits_internal.credit_grants) AND b.operations = (SELECT count(*) FROM credits_internal.operations)
   AND b.events = (SELECT count(*) FROM credits_internal.meter_events)
   AND b.lines = (SELECT count(*) FROM credits_internal.lines)
   AND b.currencies = (SELECT count(*) FROM credits_internal.currencies) AND b.meters = (SELECT count(*) FROM credits_internal.meters)
   AND b.holds = (SELECT count(*) FROM credits_internal.holds)
   AND b.account_rows = (SELECT string_agg(a::text, E'\n' ORDER BY a) FROM credits_internal.accounts a) AS nothing_written
FROM before b;

-- Text is text, whatever is in it. 255 characters are not too long, in any script.
SELECT id, d.debited, d.replayed
FROM unnest(ARRAY['o''brien', '"; DROP SCHEMA credits; --', E'tab\tand\nline', '\000\x00 \u0000', '😀🧾', ' ', '%s %n $1',
                  repeat('é', 255)]) WITH ORDINALITY t (id, i),
     LATERAL credits.wallet_credit(id, 2) c,
     LATERAL credits.wallet_debit(id, 1, idempotency_key => id, description => id) d
ORDER BY i;
SELECT id, e.identifier = id AS same, e.consumed
FROM unnest(ARRAY['o''brien', '"; DROP SCHEMA credits; --', '\000\x00 \u0000', '😀🧾', repeat('é', 255)])
         WITH ORDINALITY t (id, i),
     LATERAL credits.report_meter_event(id, 'tokens', 1, id) e ORDER BY i;
SELECT credits.wallet_debit('"; DROP SCHEMA credits; --', 100);

-- The largest amounts that there are.
SELECT FROM credits.currency_create('BIG', decimals => 0);
SELECT FROM credits.currency_create('FINE', decimals => 18);
SELECT credited, available FROM credits.wallet_credit('big', 9999999999999999999999999998, 'BIG');
SELECT available FROM credits.wallet_debit('big', 1, 'BIG');
SELECT available FROM credits.wallet_credit('big', 1, 'BIG');
SELECT try($$credits.wallet_credit('big', 1, 'BIG')$$);
SELECT available FROM credits.wallet_credit('big', 9999999999.999999999999999999, 'FINE');
SELECT available FROM credits.wallet_debit('big', 0.000000000000000001, 'FINE');

-- Each says what was given, what it was held against, and where to go on.
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SET credits.allow_backdating = on;
SELECT FROM credits.exchange_rate_set('CREDIT', 'USD', 0.01, '2026-02-01');
SET credits.test_clock = '2026-03-01 12:00:01';
SELECT credits.exchange_rate_set('CREDIT', 'USD', 0.02, '2026-02-01');
RESET credits.allow_backdating;
SELECT credits.configure_recharge('CREDIT', (SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD')), min_amount => 50, max_amount => 40);
SELECT credits.currency_update('USD', min_payment => 5, max_payment => 4);
SELECT credits.explain_drawdown('ada', 1, 'USD', event_name => 'tokens');
SELECT credits.usage_price('tokens', 1, price_version => 2);
SELECT credits.usage_summary('ada', '2026-03-02', '2026-03-01');
SELECT credits.meter_event_stats('tokens', time_zone => 'Mars/' || repeat('Base', 100));
SELECT credits.report_meter_events('{ada,ada}', '{tokens}', '{1,1}', '{x,y}');
SELECT credits.maintain_batch(1, 'everything');
SELECT credits.meter_event_cancel('ada', 'nix');
-- Declarations of another version than the library.
CREATE FUNCTION of_a_later_version(customer_id text, currency text) RETURNS TABLE (currency_code text, pending numeric, more text)
LANGUAGE c AS '$libdir/pg_credits', 'pending_amount_wrapper';
SELECT of_a_later_version('ada', 'CREDIT');
DROP FUNCTION of_a_later_version;

-- A currency switched off.
SELECT FROM credits.currency_update('CREDIT', active => false);
SELECT try($$credits.wallet_debit('ada', 1)$$);
SELECT try($$credits.wallet_credit('ada', 1)$$);
SELECT try($$credits.report_meter_event('ada', 'tokens', 1, 'e')$$);
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');

SELECT * FROM credits.verify();
