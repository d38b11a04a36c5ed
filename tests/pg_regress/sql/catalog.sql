-- What is sold: products, prices, packages, exchange rates, what a currency is recharged with.
SET credits.test_clock = '2026-03-01 12:00';
-- What is refused, without the ids.
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g');
END $$;
SELECT currency, kind FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT currency, kind FROM credits.currency_create('JPY', decimals => 0, kind => 'fiat');
SELECT FROM credits.meter_create('tokens');

SELECT name, description, credit_currency, credits, category, priority, time_to_live, applicable_meters, metadata, active, created_at
FROM credits.product_create('Pack', description => 'A thousand credits', credits => 1000,
                            time_to_live => '1 year', metadata => '{"color": "red"}');
SELECT product_id FROM credits.products WHERE name = 'Pack' \gset
SELECT type, unit_amount, currency, active
FROM credits.price_create(:'product_id', unit_amount => 20, currency => 'USD');
SELECT type, unit_amount, currency, metadata
FROM credits.price_create(:'product_id', 'one_time', 3000, 'JPY', metadata => '{"a": 1}');
SELECT name, credits, credit_currency, unit_amount, price_currency
FROM credits.package_create('Tokens', 50.5, 4.99, 'USD', description => 'For tokens', category => 'promotional', priority => 10,
                            time_to_live => '30 days', applicable_meters => '{tokens,tokens}');
SELECT name, description, credits, credit_currency, unit_amount, price_currency, category, priority, time_to_live, applicable_meters
FROM credits.packages ORDER BY name, price_currency;

-- Wrong arguments.
SELECT credits.product_create(NULL, credits => 1);
SELECT credits.product_create('', credits => 1);
SELECT credits.product_create('x', category => 'paid');
SELECT credits.product_create('x', credits => 0);
SELECT credits.product_create('x', credits => 1.1234567);
SELECT credits.product_create('x', credits => 'NaN');
SELECT credits.product_create('x', credit_currency => 'NONE', credits => 1);
SELECT credits.product_create('x', credits => 1, category => 'free');
SELECT credits.product_create('x', credits => 1, priority => 101);
SELECT credits.product_create('x', credits => 1, time_to_live => '-1 day');
SELECT credits.product_create('x', credits => 1, time_to_live => '11 years');
SELECT credits.product_create('x', credits => 1, applicable_meters => '{nix}');
SELECT credits.price_create(NULL, unit_amount => 1, currency => 'USD');
SELECT credits.price_create('00000000-0000-0000-0000-000000000000', unit_amount => 1, currency => 'USD');
SELECT credits.price_create(:'product_id', 'monthly', 1, 'USD');
SELECT credits.price_create(:'product_id', unit_amount => 1);
SELECT credits.price_create(:'product_id', currency => 'USD');
SELECT credits.price_create(:'product_id', unit_amount => 1.0000000000001, currency => 'USD');
SELECT credits.price_create(:'product_id', unit_amount => 1, currency => 'EUR');
SELECT credits.price_create(:'product_id', unit_amount => 1, currency => 'NONE');
SELECT credits.package_create('x', 1, 1, NULL);
SELECT credits.product_update('00000000-0000-0000-0000-000000000000', name => 'x');
SELECT credits.product_archive('00000000-0000-0000-0000-000000000000');
SELECT credits.price_archive('00000000-0000-0000-0000-000000000000');

-- A product changes for what is bought from now on; a price never does.
SELECT name, credits, priority, time_to_live
FROM credits.product_update(:'product_id', credits => 1100, priority => 40);
SELECT credits.product_update(:'product_id', credits => -1);
SELECT price_id FROM credits.packages WHERE price_currency = 'JPY' \gset
SELECT unit_amount, active FROM credits.price_archive(:'price_id');
SELECT unit_amount, active FROM credits.price_archive(:'price_id');
SELECT name, price_currency FROM credits.packages ORDER BY 1, 2;
SELECT d.name, p.unit_amount, p.currency AS price_currency, p.archived_at AS price_archived_at
FROM credits.products d LEFT JOIN credits.prices p USING (product_id) ORDER BY 1, 2;
SELECT refused(format('SELECT credits.top_up_create(''u1'', %L)', :'price_id'));

-- Exchange rates: the price of one credit, scheduled ahead, never for the past.
SELECT * FROM credits.exchange_rate_set('CREDIT', 'USD', 0.02);
SELECT * FROM credits.exchange_rate_set('CREDIT', 'USD', 0.025, '2026-04-01');
SELECT * FROM credits.exchange_rate_set('CREDIT', 'USD', 0.03, '2026-04-01');
SELECT credits.exchange_rate('CREDIT', 'USD'), credits.exchange_rate('CREDIT', 'USD', '2026-04-01'),
       credits.exchange_rate('CREDIT', 'USD', '2026-02-01'), credits.exchange_rate('USD', 'USD'),
       credits.exchange_rate('CREDIT', 'JPY');
SELECT credits.exchange_rate_set('CREDIT', 'USD', 0.04, '2026-02-01');
SELECT credits.exchange_rate_set('CREDIT', 'USD', 0);
SELECT credits.exchange_rate_set('CREDIT', 'CREDIT', 1);
SELECT credits.exchange_rate_set('NONE', 'USD', 1);
SELECT credits.exchange_rate_set(NULL, 'USD', 1);
SELECT credits.exchange_rate(NULL, 'USD');
SELECT currency, fiat_currency, rate, effective_at FROM credits.exchange_rates ORDER BY effective_at;

-- What a credit currency is recharged with.
SELECT * FROM credits.recharge_config('CREDIT');
SELECT credits.recharge_config('NONE');
SELECT price_id FROM credits.packages WHERE name = 'Pack' \gset
SELECT currency, product_name, credits, unit_amount, price_currency, checkout_url, min_amount, max_amount
FROM credits.configure_recharge('CREDIT', :'price_id', 'https://pay.example/{currency}', 5, 500);
SELECT currency, product_name, credits, unit_amount, price_currency, checkout_url, min_amount, max_amount
FROM credits.recharge_config();
SELECT min_amount, max_amount, checkout_url
FROM credits.configure_recharge('CREDIT', :'price_id', max_amount => 'infinity');
SELECT credits.configure_recharge('CREDIT', :'price_id', min_amount => 10, max_amount => 9);
SELECT credits.configure_recharge('USD', :'price_id');
SELECT credits.configure_recharge('CREDIT', '00000000-0000-0000-0000-000000000000');
SELECT credits.configure_recharge(NULL, NULL);

-- An archived product takes its prices along.
SELECT active FROM credits.product_archive(:'product_id');
SELECT active FROM credits.product_archive(:'product_id');
SELECT name FROM credits.packages;
SELECT refused(format('SELECT credits.price_create(%L, unit_amount => 1, currency => ''USD'')', :'product_id'));
SELECT refused(format('SELECT credits.configure_recharge(''CREDIT'', %L)', :'price_id'));
SELECT * FROM credits.verify();
