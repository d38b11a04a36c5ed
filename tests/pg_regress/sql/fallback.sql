-- A meter with a second currency: where the first is used up, the second pays the rest of an event.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.meter_create('tokens', unit_price => 0.5);
SELECT event_name, fallback_currency, fallback_rate
FROM credits.meter_update('tokens', fallback_currency => 'USD', fallback_rate => 0.03);
SELECT FROM credits.wallet_credit('ada', 10);
SELECT FROM credits.wallet_credit('ada', 1, 'USD', 'paid');

-- Enough of the first: the second is not touched.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 8, 'e1');
-- 6 are left, 10 are due: 4 are worth 0.12.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 20, 'e2');
SELECT currency, available, pending FROM credits.wallets ORDER BY currency;
-- None are left, 30 are due, worth 0.90. 0.88 buy 29.333333 of them, and the rest is owed.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 60, 'e3');
SELECT currency, available, pending FROM credits.wallets ORDER BY currency;
-- Nothing is left of either.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 2, 'e4');
SELECT identifier, status, quantity, credits, consumed, pending, fallback_currency, fallback_covered, fallback_consumed
FROM credits.usage ORDER BY identifier;
SELECT currency, line_no, type, amount, running_balance, identifier, event_name, quantity FROM credits.ledger
ORDER BY currency, line_no;
-- A repeat is one.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 60, 'e3');
SELECT * FROM credits.verify();

-- What the next credits pay is what is owed; what the second currency paid stays paid.
SELECT FROM credits.wallet_credit('ada', 5);
SELECT currency, available, pending FROM credits.wallets ORDER BY currency;

-- Taken back: each currency gets back what it paid, by the rate of then.
SELECT FROM credits.meter_update('tokens', fallback_currency => 'USD', fallback_rate => 1);
SELECT * FROM credits.meter_event_cancel('ada', 'e2');
SELECT * FROM credits.meter_event_cancel('ada', 'e3');
SELECT * FROM credits.meter_event_cancel('ada', 'e3');
SELECT currency, available, pending FROM credits.wallets ORDER BY currency;
SELECT * FROM credits.verify();

-- A meter that refuses: both together must cover it. Nothing is taken where they do not.
SELECT FROM credits.meter_create('images', unit_price => 4, overage => 'reject');
SELECT FROM credits.meter_update('images', fallback_currency => 'USD', fallback_rate => 0.25);
SELECT FROM credits.customer_upsert('bob');
SELECT credits.report_meter_event('bob', 'images', 1, 'i0');
SELECT FROM credits.wallet_credit('bob', 1.01, 'USD');
SELECT * FROM credits.report_meter_event('bob', 'images', 1, 'i1');
SELECT credits.report_meter_event('bob', 'images', 1, 'i2');
SELECT currency, available FROM credits.wallets WHERE customer_id = 'bob' ORDER BY currency;
-- Grants for certain meters pay as they do in the first currency.
SELECT FROM credits.credit_grant('bob', 3, 'USD', applicable_meters => '{images}');
SELECT FROM credits.credit_grant('bob', 9, 'USD', applicable_meters => '{tokens}');
SELECT * FROM credits.report_meter_event('bob', 'images', 3, 'i3');
SELECT credits.report_meter_event('bob', 'images', 1, 'i4');
SELECT currency, available, restricted FROM credits.wallets WHERE customer_id = 'bob' ORDER BY currency;

-- The same in a batch, in order, with what is recorded for the second currency in between.
SELECT FROM credits.meter_create('storage', currency => 'USD', unit_price => 0.1, settlement => 'deferred');
SELECT FROM credits.wallet_credit('cleo', 3);
SELECT FROM credits.wallet_credit('cleo', 2, 'USD');
SELECT identifier, status, consumed, pending, error FROM credits.report_meter_events(
    '{cleo,cleo,cleo,cleo,cleo}', '{tokens,storage,tokens,tokens,tokens}', '{4,10,2,2,2}', '{b1,b2,b3,b4,b5}');
SELECT currency, available, pending FROM credits.wallets WHERE customer_id = 'cleo' ORDER BY currency;
SELECT identifier, status, consumed, pending, fallback_covered, fallback_consumed FROM credits.usage
WHERE customer_id = 'cleo' ORDER BY identifier;
SELECT * FROM credits.verify();

-- How much may be owed.
SELECT FROM credits.customer_upsert('dan');
SELECT FROM credits.account_configure('dan', overdraft_limit => 2);
SELECT FROM credits.wallet_credit('dan', 1, 'USD');
SELECT credits.report_meter_event('dan', 'tokens', 8, 'd1');
SELECT * FROM credits.report_meter_event('dan', 'tokens', 6, 'd2');

-- Limits of either currency count what that currency paid, and nothing is taken where one of them refuses.
SELECT FROM credits.wallet_credit('fay', 2);
SELECT FROM credits.wallet_credit('fay', 9, 'USD');
SELECT FROM credits.usage_limit_set('fay', NULL, 4, 'day', currency => 'USD');
SELECT * FROM credits.report_meter_event('fay', 'tokens', 10, 'f1');
SELECT credits.report_meter_event('fay', 'tokens', 4, 'f2');
SELECT * FROM credits.report_meter_event('fay', 'tokens', 2, 'f3');
SELECT currency, available, pending FROM credits.wallets WHERE customer_id = 'fay' ORDER BY currency;
SELECT currency, amount, used FROM credits.limits WHERE customer_id = 'fay';

-- A second currency that is switched off pays nothing; neither does one that was removed.
SELECT FROM credits.wallet_credit('eve', 5, 'USD');
SELECT FROM credits.currency_update('USD', active => false);
SELECT consumed, pending FROM credits.report_meter_event('eve', 'tokens', 2, 'v1');
SELECT FROM credits.currency_update('USD', active => true);
SELECT consumed, pending FROM credits.report_meter_event('eve', 'tokens', 2, 'v2');
SELECT fallback_currency, fallback_rate FROM credits.meter_update('tokens', fallback_rate => 0);
SELECT consumed, pending FROM credits.report_meter_event('eve', 'tokens', 2, 'v3');
SELECT event_name, fallback_currency, fallback_rate FROM credits.meters ORDER BY 1;

-- Wrong arguments.
SELECT credits.meter_update('tokens', fallback_currency => 'USD');
SELECT credits.meter_update('tokens', fallback_rate => 2);
SELECT credits.meter_update('tokens', fallback_currency => 'USD', fallback_rate => 0);
SELECT credits.meter_update('tokens', fallback_currency => 'USD', fallback_rate => -1);
SELECT credits.meter_update('tokens', fallback_currency => 'EUR', fallback_rate => 1);
SELECT credits.meter_update('tokens', fallback_currency => 'CREDIT', fallback_rate => 1);
SELECT FROM credits.currency_create('GPU');
SELECT credits.meter_update('storage', fallback_currency => 'GPU', fallback_rate => 1);
SELECT FROM credits.meter_create('seats', aggregation => 'max', period => 'month');
SELECT credits.meter_update('seats', fallback_currency => 'USD', fallback_rate => 1);
SELECT credits.meter_update('images',
    pricing => '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 1}, {"unit_price": 2}]}');

SELECT * FROM credits.verify();
