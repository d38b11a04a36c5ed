-- Usage: charged once, at the meter's price, from credits or on account.
SET credits.test_clock = '2026-03-01 12:00';
SELECT * FROM credits.meter_create('tokens', name => 'Tokens', unit_price => 0.0015, unit => 'token');
SELECT * FROM credits.meter_create('calls', unit_price => 2, aggregation => 'count', overage => 'reject');
SELECT FROM credits.wallet_credit('ada', 10);

SELECT * FROM credits.report_meter_event('ada', 'tokens', 374, 'req-1');
SELECT * FROM credits.report_meter_event('ada', 'calls', 99, 'req-2', subscription_id => 's', metadata => '{"a": 1}');

-- A value may be zero; a count counts it all the same.
SELECT * FROM credits.report_meter_event('ada', 'tokens', 0, 'req-3');
SELECT * FROM credits.report_meter_event('ada', 'calls', 0, 'req-4');

-- Rounded half away from zero to the currency's decimals, event by event.
SELECT FROM credits.currency_create('CENT', decimals => 2);
SELECT FROM credits.meter_create('bytes', currency => 'CENT', unit_price => 0.005);
SELECT FROM credits.wallet_credit('ada', 1, 'CENT');
SELECT value, consumed FROM (VALUES (1), (2), (0.9), (1.1)) v (value),
LATERAL credits.report_meter_event('ada', 'bytes', value, 'b-' || value);

-- Usage beyond the credits is owed; the next credits pay it first, oldest first.
SELECT status, consumed, pending, available FROM credits.report_meter_event('ada', 'tokens', 10000, 'big-1');
SELECT status, consumed, pending, available FROM credits.report_meter_event('ada', 'tokens', 1000, 'big-2');
SELECT available, pending FROM credits.wallet_balance('ada', 'CREDIT');
SELECT credited, available FROM credits.wallet_credit('ada', 10);
SELECT identifier, value, consumed, pending FROM credits_internal.meter_events WHERE identifier LIKE 'big%' ORDER BY 1;
SELECT available, pending FROM credits.wallet_balance('ada', 'CREDIT');
SELECT credited, available FROM credits.wallet_credit('ada', 100);
SELECT status, consumed, pending, available, replayed FROM credits.report_meter_event('ada', 'tokens', 1000, 'big-2');
SELECT line_no, type, amount, running_balance, identifier FROM credits_internal.lines
WHERE customer_id = 'ada' AND currency = 'CREDIT' ORDER BY line_no;

-- A meter that refuses what no credit covers.
SELECT FROM credits.customer_upsert('bob');
SELECT credits.report_meter_event('bob', 'calls', identifier => 'c-1');
SELECT count(*) FROM credits_internal.meter_events WHERE customer_id = 'bob';

-- A grant for certain meters pays what it may and leaves older debts of others.
SELECT pending FROM credits.report_meter_event('bob', 'tokens', 1000, 't-1');
SELECT FROM credits.meter_create('images');
SELECT pending FROM credits.report_meter_event('bob', 'images', 4, 'i-1');
SELECT FROM credits.credit_grant('bob', 10, applicable_meters => '{images}');
SELECT identifier, consumed, pending FROM credits_internal.meter_events WHERE customer_id = 'bob' ORDER BY 1;
SELECT available, restricted, pending FROM credits.wallet_balance('bob', 'CREDIT');

-- A meter switched off refuses new events and answers old ones.
SELECT * FROM credits.meter_deactivate('tokens');
SELECT credits.report_meter_event('ada', 'tokens', 1, 'req-9');
SELECT status, replayed FROM credits.report_meter_event('ada', 'tokens', 374, 'req-1');
SELECT * FROM credits.meter_activate('tokens');
SELECT status FROM credits.report_meter_event('ada', 'tokens', 1, 'req-9');

-- The time of an event has limits, which an import can widen.
SELECT status FROM credits.report_meter_event('ada', 'tokens', 1, 'at-1', occurred_at => '2026-03-01 12:05');
SELECT credits.report_meter_event('ada', 'tokens', 1, 'at-2', occurred_at => '2026-03-01 12:05:01');
SELECT status FROM credits.report_meter_event('ada', 'tokens', 1, 'at-3', occurred_at => '2026-01-25 12:00');
SELECT credits.report_meter_event('ada', 'tokens', 1, 'at-4', occurred_at => '2026-01-25 11:59');
SELECT credits.report_meter_event('ada', 'tokens', 1, 'at-5', occurred_at => 'infinity');
SELECT credits.report_meter_event('ada', 'tokens', 1, 'at-6', occurred_at => '-infinity');
SET credits.event_max_age = '3650d';
SELECT status FROM credits.report_meter_event('ada', 'tokens', 1, 'at-4', occurred_at => '2026-01-25 11:59');

-- Meters that cannot be.
SELECT credits.meter_create('tokens');
SELECT credits.meter_create('x', aggregation => 'median');
SELECT credits.meter_create('x', overage => 'free');
SELECT credits.meter_create('x', period => 'fortnight');
SELECT credits.meter_create('x', settlement => 'later');
SELECT credits.meter_create('x', unit_price => -1);
SELECT credits.meter_create('x', currency => 'NONE');
SELECT credits.meter_activate('none');

SELECT * FROM credits.verify();
