-- What a script makes each time that it runs: if_not_exists returns what is there, and says what differs.
\set SHOW_CONTEXT never

-- Currencies.
SELECT * FROM credits.currency_create('USD', 'US dollar', 2, 'fiat', '$', if_not_exists => true);
SELECT * FROM credits.currency_create('USD', 'US dollar', 2, 'fiat', '$', if_not_exists => true);

-- What is left out may be anything; decimals and kind have defaults.
SELECT currency, name FROM credits.currency_create('USD', kind => 'fiat', if_not_exists => true);
SELECT FROM credits.currency_create('USD', 'Dollar', 3, symbol => 'US$', metadata => '{"a": 1}', if_not_exists => true);

-- Without it, as before.
SELECT FROM credits.currency_create('USD', 'US dollar', 2, 'fiat', '$');
SELECT FROM credits.currency_create('USD', 'US dollar', 2, 'fiat', '$', if_not_exists => false);

-- The built-in one, which was created by its first use.
SELECT FROM credits.wallet_credit('ann', 1);
SELECT currency, decimals FROM credits.currency_create('CREDIT', 'Credits', 6, if_not_exists => true);

-- One that was switched off is there.
SELECT FROM credits.currency_update('USD', active => false);
SELECT active FROM credits.currency_create('USD', kind => 'fiat', if_not_exists => true);
SELECT FROM credits.currency_update('USD', active => true);

-- Bad input is bad input.
SELECT FROM credits.currency_create('USD', decimals => 19, if_not_exists => true);
SELECT FROM credits.currency_create('', if_not_exists => true);

-- Meters.
SELECT event_name, unit_price, active FROM credits.meter_create('calls', 'Calls', unit_price => 0.50, unit => 'call',
    period => 'day', aggregation => 'max', metadata => '{"team": "api"}', if_not_exists => true);
SELECT event_name, unit_price, active FROM credits.meter_create('calls', 'Calls', unit_price => 0.5, unit => 'call',
    period => 'day', aggregation => 'max', metadata => '{"team": "api"}', if_not_exists => true);
SELECT event_name, name, unit FROM credits.meter_create('calls', unit_price => 0.5, period => 'day',
    aggregation => 'max',
    if_not_exists => true);
SELECT FROM credits.meter_create('calls', 'API calls', unit_price => 2, overage => 'reject', if_not_exists => true);
SELECT FROM credits.meter_create('calls', currency => 'USD', period => 'day', aggregation => 'max',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 0}, {"unit_price": 1}]}',
    if_not_exists => true);

-- The price of now counts.
SELECT FROM credits.meter_update('calls', unit_price => 0.75);
SELECT FROM credits.meter_create('calls', unit_price => 0.5, period => 'day', aggregation => 'max',
    if_not_exists => true);
SELECT unit_price FROM credits.meter_create('calls', unit_price => 0.75, period => 'day', aggregation => 'max',
    if_not_exists => true);
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.meter_create('calls', currency => 'NONE', if_not_exists => true);

-- Packages: by name and currencies.
SELECT name, credits, unit_amount, price_currency FROM credits.package_create('Starter', 100, 9.99, 'USD',
    description => 'For a start', time_to_live => '1 year', applicable_meters => ARRAY['calls'], if_not_exists => true);
SELECT name, credits, unit_amount, price_currency FROM credits.package_create('Starter', 100, 9.990, 'USD',
    time_to_live => '12 months', applicable_meters => ARRAY['calls', 'calls'], if_not_exists => true);
SELECT count(*) FROM credits.packages;
SELECT FROM credits.package_create('Starter', 110, 8.99, 'USD', category => 'promotional', priority => 10,
    if_not_exists => true);

-- In another currency it is another package; so it is without if_not_exists, and the oldest that is the same is
-- returned.
SELECT FROM credits.currency_create('EUR', 'Euro', kind => 'fiat');
SELECT price_currency FROM credits.package_create('Starter', 100, 8.99, 'EUR', if_not_exists => true);
SELECT FROM credits.package_create('Starter', 200, 15, 'EUR');
SELECT FROM credits.package_create('Starter', 200, 15, 'EUR');
SELECT price_id = (SELECT price_id FROM credits.packages WHERE credits = 200 ORDER BY price_id LIMIT 1) AS oldest
FROM credits.package_create('Starter', 200, 15, 'EUR', if_not_exists => true);
SELECT FROM credits.package_create('Starter', 300, 15, 'EUR', if_not_exists => true);

-- What is archived is not sold any more, and does not count.
SELECT count(*) FROM credits.packages p, credits.price_archive(p.price_id) WHERE p.price_currency = 'EUR';
SELECT credits FROM credits.package_create('Starter', 300, 15, 'EUR', if_not_exists => true);
SELECT FROM credits.package_create('Starter', 0, 15, 'EUR', if_not_exists => true);
SELECT name, credits, unit_amount, price_currency FROM credits.packages ORDER BY price_id;

-- What programs read of it.
DO $$
DECLARE
    given text;
BEGIN
    PERFORM credits.meter_create('calls', unit_price => 1, if_not_exists => true);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS given = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '%: %', SQLSTATE, given;
END $$;
SELECT * FROM credits.verify();
