-- Products and prices of all kinds: what is sold, what one unit grants, and what is frozen once it was used.
\set SHOW_CONTEXT never
SET credits.test_clock = '2026-03-01 12:00';
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g');
END $$;
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.currency_create('JPY', decimals => 0, kind => 'fiat');
SELECT FROM credits.currency_create('GPU', decimals => 2);
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.meter_create('images');

-- A service with two prices in one call: a month, and once by tiers.
SELECT product_id, name, type, images, features, unit_label, statement_descriptor, credits, credit_config,
       cardinality(price_ids) AS prices, replayed
FROM credits.product_create('Team', description => 'For teams', images => '{https://shop.example/team.png}',
    features => '{Unlimited projects,Priority support}', unit_label => 'seat', statement_descriptor => 'SHOP TEAM',
    prices => '[{"type": "recurring", "unit_amount": "12.50", "currency": "USD", "recurring": {"interval": "month"},
                 "lookup_key": "team-month", "currency_options": [{"currency_id": "JPY", "unit_amount": 1900}]},
                {"currency_id": "USD", "lookup_key": "team-setup", "tax_behavior": "inclusive",
                 "pricing": {"mode": "graduated", "tiers": [{"up_to": 5, "flat_fee": 100}, {"unit_price": 10}]}}]',
    metadata => '{"color": "red"}', idempotency_key => 'team') \gset team_
SELECT :'team_type' AS type, :'team_images' AS images, :'team_features' AS features, :'team_unit_label' AS unit_label,
       :'team_statement_descriptor' AS descriptor, :'team_prices' AS prices, :'team_replayed' AS replayed;
SELECT lookup_key, type, unit_amount, currency, recurring, recurring_interval, currency_options, pricing, tax_behavior,
       credits, active, used
FROM credits.prices ORDER BY lookup_key;

-- A replay returns what is there, and other terms are refused.
SELECT product_id = :'team_product_id' AS same, replayed
FROM credits.product_create('Team', idempotency_key => 'team', description => 'Another text',
    prices => '[{"recurring": {"interval": "month"}, "type": "recurring", "unit_amount": 12.5, "currency": "USD",
                 "lookup_key": "team-month", "currency_options": [{"currency": "JPY", "unit_amount": "1900.0"}]},
                {"currency": "USD", "lookup_key": "team-setup", "tax_behavior": "inclusive",
                 "pricing": {"mode": "graduated", "tiers": [{"up_to": 5, "flat_fee": 100}, {"unit_price": 10}]}}]');
SELECT credits.product_create('Teams', idempotency_key => 'team');
SELECT credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD', idempotency_key => 'team');

-- What one unit grants, in either spelling; it is stored in one form.
SELECT credit_config FROM credits.product_create('Pack', 'credit',
    credit_config => '{"credit_amount": "500.0", "valid_duration_value": 90, "valid_duration_unit": "days",
                       "applicable_meters": ["tokens", "images", "tokens"], "priority": 10}');
SELECT credit_config, credits, credit_currency, category, priority, time_to_live
FROM credits.product_create('Plan', credit_config => '{"amount": 300, "currency": "GPU", "valid_for": "P1M",
    "schedule": {"delivery": "schedule", "every": "1 day", "amount_per_grant": 10, "expire_with_next_grant": true},
    "rollover": {"percent": 50, "max": 100}}');
SELECT credit_config FROM credits.product_create('Single terms', credits => 10, time_to_live => '36 hours',
    category => 'promotional', applicable_meters => '{tokens}');
SELECT product_id AS single FROM credits.products WHERE name = 'Single terms' \gset
SELECT credit_config FROM credits.product_update(:'single', priority => 20, time_to_live => '1 mon -1 day');
SELECT credit_config, type, updated_at
FROM credits.product_update(:'single', credit_config => '{"amount": 5}', type => 'good', unit_label => 'box');
SELECT name, credits, credit_currency, category, priority, time_to_live, applicable_meters, type
FROM credits.products ORDER BY name;

-- Meters by the metered prices that they are sold with.
SELECT price_id AS metered FROM credits.price_create(:'team_product_id', 'recurring', currency => 'GPU',
    recurring => '{"interval": "month", "usage_type": "metered", "meter": "tokens"}') \gset
SELECT credit_config FROM credits.product_create('For tokens',
    credit_config => format('{"amount": 1, "applicable_prices": ["%s"]}', :'metered')::jsonb);

-- What is wrong is named.
SELECT credits.product_create('x', 'thing');
SELECT credits.product_create('x', images => '{NULL}');
SELECT credits.product_create('x', statement_descriptor => 'much too long for a statement');
SELECT credits.product_create('x', credits => 1, credit_config => '{"amount": 1}');
SELECT credits.product_create('x', credit_config => '{"amount": 1, "ammount": 2}');
SELECT credits.product_create('x', credit_config => '{"amount": 1, "schedule": {"every": "1 day"}}');
SELECT credits.product_create('x', credit_config => '{"amount": 1.001, "currency": "GPU"}');
SELECT credits.product_create('x', credit_config => '{"amount": 1, "currency": "NONE"}');
SELECT credits.product_create('x', credit_config => '{"amount": 1, "valid_for": "11 years"}');
SELECT credits.product_create('x', credit_config => '{"amount": 1, "valid_for": "1 month -30 days"}');
SELECT credits.product_create('x', credit_config => '{"amount": 1, "applicable_meters": ["nix"]}');
SELECT credits.product_create('x', prices => '{}');
SELECT credits.product_create('x', prices => '[{"unit_amount": -1}]');
SELECT credits.product_create('x', prices => '[{"unit_amount": 1, "currency": "USD", "color": 1}]');
SELECT refused('SELECT credits.product_create(''x'',
    prices => ''[{"unit_amount": 1, "currency": "USD", "lookup_key": "team-setup"}]'')');
SELECT credits.price_create(:'team_product_id', 'recurring', 1, 'USD');
SELECT credits.price_create(:'team_product_id', 'one_time', 1, 'USD', '{"interval": "month"}');
SELECT credits.price_create(:'team_product_id', 'recurring', 1, 'USD', '{"interval": "month", "count": 2}');
SELECT credits.price_create(:'team_product_id', 'recurring', 1, 'USD', '{"interval": "day", "interval_count": 3651}');
SELECT credits.price_create(:'team_product_id', 'recurring', 1, 'USD',
    '{"interval": "day", "usage_type": "metered", "meter": "nix"}');
SELECT credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD', pricing => '{"unit_price": 1}');
SELECT credits.price_create(:'team_product_id', currency => 'USD', pricing => '{"tiers": []}');
SELECT credits.price_create(:'team_product_id', currency => 'USD',
    pricing => '{"by": "model", "prices": {"a": {"unit_price": 1}}, "unpriced": "reject"}');
SELECT credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD',
    currency_options => '[{"currency": "USD", "unit_amount": 1}]');
SELECT credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD',
    currency_options => '[{"currency": "JPY"}]');
SELECT credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD', tax_behavior => 'none');
SELECT credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD', quantity_limit_per_checkout => 0);
SELECT credits.price_create(:'team_product_id', unit_amount => -1, currency => 'USD');

-- A lookup key is of one price on sale: the same again returns it.
SELECT product_id AS pack FROM credits.products WHERE name = 'Pack' \gset
SELECT price_id AS once FROM credits.price_create(:'pack', unit_amount => 9.99, currency => 'USD', lookup_key => 'pack',
    credit_config => '{"amount": 1000}') \gset
SELECT price_id = :'once' AS same, replayed
FROM credits.price_create(:'pack', unit_amount => 9.990, currency => 'USD', lookup_key => 'pack',
    credit_config => '{"credit_amount": "1000", "priority": 50}', nickname => 'any');
SELECT refused(format('SELECT credits.price_create(%L, unit_amount => 8, currency => ''USD'', lookup_key => ''pack'')',
    :'pack'));
SELECT refused(format('SELECT credits.price_create(%L, unit_amount => 8, currency => ''USD'', lookup_key => ''pack'')',
    :'team_product_id'));
SELECT credits.package_create('Pack', 1000, 9.99, 'USD', lookup_key => 'pack') IS NOT NULL AS found,
       (credits.package_create('Pack', 1000, 9.99, 'USD', lookup_key => 'pack')).replayed;
SELECT refused('SELECT credits.package_create(''Pack'', 1000, 8.99, ''USD'', lookup_key => ''pack'')');
SELECT refused('SELECT credits.package_create(''Packs'', 1000, 9.99, ''USD'', lookup_key => ''pack'')');
SELECT name, replayed FROM credits.package_create('Large', 5000, 40, 'USD', lookup_key => 'large',
    idempotency_key => 'large');
SELECT name, replayed FROM credits.package_create('Large', 5000, 40, 'USD', lookup_key => 'large',
    idempotency_key => 'large');
SELECT refused('SELECT credits.package_create(''Large'', 5000, 41, ''USD'', lookup_key => ''large'',
    idempotency_key => ''large'')');

-- Before anything is sold, all of it changes.
SELECT unit_amount, currency, nickname, lookup_key FROM credits.price_update(:'once', unit_amount => 9.999999999999,
    nickname => 'One pack', lookup_key => 'small');
SELECT unit_amount, pricing FROM credits.price_update(:'once', pricing => '{"unit_price": 8}');
SELECT unit_amount, pricing, quantity_limit_per_checkout
FROM credits.price_update(:'once', unit_amount => 0.005, quantity_limit_per_checkout => 50);
SELECT refused(format('SELECT credits.price_update(%L, lookup_key => ''large'')', :'once'));
SELECT refused(format('SELECT credits.price_update(%L, recurring => ''{"interval": "day"}'')', :'once'));
SELECT credits.price_update('00000000-0000-0000-0000-000000000000', nickname => 'x');
SELECT used FROM credits.prices WHERE price_id = :'once';

-- What is sold is rounded once: 3 times 0.005 is 0.02. From then on what it comes to is frozen.
SELECT amount, credits, credit_currency FROM credits.top_up_create('ann', :'once', quantity => 3);
SELECT used FROM credits.prices WHERE price_id = :'once';
SELECT refused(format('SELECT credits.price_update(%L, unit_amount => 1)', :'once'));
SELECT refused(format('SELECT credits.price_update(%L, credit_config => ''{"amount": 1}'')', :'once'));
SELECT refused(format('SELECT credits.price_update(%L, tax_behavior => ''inclusive'')', :'once'));
SELECT unit_amount, nickname, lookup_key, metadata FROM credits.price_update(:'once', unit_amount => 0.0050,
    nickname => 'Sold', lookup_key => '', metadata => '{"a": 1}');
SELECT refused(format('SELECT credits.price_delete(%L)', :'once'));
SELECT refused(format('SELECT credits.product_delete(%L)', :'pack'));
SELECT refused(format('SELECT credits.top_up_create(''ann'', %L, quantity => 51)', :'once'));
SELECT refused(format('SELECT credits.top_up_create(''ann'', %L)', :'once')) AS half_a_cent;

-- Top-ups sell tiers too; and they refuse what they cannot sell.
SELECT price_id AS tiers FROM credits.price_create(:'pack', currency => 'USD',
    pricing => '{"mode": "volume", "tiers": [{"up_to": 9, "unit_price": 2}, {"unit_price": 1.5}]}') \gset
SELECT amount, credits FROM credits.top_up_create('ann', :'tiers', quantity => 9);
SELECT amount, credits FROM credits.top_up_create('ann', :'tiers', quantity => 10);
SELECT price_id AS month FROM credits.prices WHERE lookup_key = 'team-month' \gset
SELECT price_id AS setup FROM credits.prices WHERE lookup_key = 'team-setup' \gset
SELECT price_id AS wallet FROM credits.price_create(:'pack', unit_amount => 10, currency => 'GPU') \gset
SELECT price_id AS gift FROM credits.price_create(:'pack', unit_amount => 0, currency => 'USD') \gset
SELECT what, refused(format('SELECT credits.top_up_create(''ann'', %L)', price_id)) AS top_up,
       refused(format('SELECT credits.configure_recharge(''CREDIT'', %L)', price_id)) AS configured,
       refused(format('SELECT credits.configure_auto_recharge(''ann'', ''CREDIT'', true, 10, %L)', price_id))
           AS recharge
FROM (VALUES (1, 'recurring', :'month'), (2, 'without credits', :'setup'), (3, 'from the wallet', :'wallet'),
             (4, 'free', :'gift'), (5, 'tiers', :'tiers')) AS v (no, what, price_id)
ORDER BY no;
SELECT name, credits, unit_amount, price_currency, lookup_key, quantity_limit_per_checkout
FROM credits.packages ORDER BY name, unit_amount;

-- Invoices take whatever is paid once, by id or lookup key, with its tax as the price has it.
SELECT total, tax FROM credits.invoice_create('ann', '[{"lookup_key": "team-setup", "quantity": 7}]', tax_rate => 20);
SELECT currency, total FROM credits.invoice_create('ann', format('[{"price_id": "%s"}]', :'wallet')::jsonb);
SELECT refused('SELECT credits.invoice_create(''ann'', ''[{"lookup_key": "team-month"}]'')');
SELECT refused('SELECT credits.invoice_create(''ann'', ''[{"lookup_key": "nix"}]'')');
SELECT refused(format('SELECT credits.price_update(%L, tax_behavior => ''exclusive'')', :'setup'));

-- What nobody used goes; what was archived leaves its lookup key to another.
SELECT active, lookup_key FROM credits.price_delete(:'month');
SELECT name, active FROM credits.product_delete((SELECT product_id FROM credits.products WHERE name = 'Plan'));
SELECT credits.price_delete('00000000-0000-0000-0000-000000000000');
SELECT credits.product_delete('00000000-0000-0000-0000-000000000000');
SELECT credits.product_delete(NULL);
SELECT active FROM credits.price_archive(:'setup');
SELECT replayed FROM credits.price_create(:'team_product_id', unit_amount => 1, currency => 'USD',
    lookup_key => 'team-setup');
SELECT active, price_ids FROM credits.product_archive(:'team_product_id');
SELECT lookup_key, active, archived_at FROM credits.prices WHERE product_id = :'team_product_id' ORDER BY price_id;
SELECT refused(format('SELECT credits.price_create(%L, unit_amount => 1, currency => ''USD'')', :'team_product_id'));

-- What programs read of it.
DO $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM credits.price_update((SELECT price_id FROM credits.prices WHERE nickname = 'Sold'), unit_amount => 1);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '%: % %', SQLSTATE, detail::jsonb - 'id', hint;
END $$;
SELECT * FROM credits.verify();
BEGIN;
DELETE FROM credits_internal.price_usage;
SELECT problem FROM credits.verify();
ROLLBACK;
BEGIN;
DELETE FROM credits_internal.products;
SELECT DISTINCT problem FROM credits.verify();
ROLLBACK;
