-- Usage asked about: how much, what it cost, what is owed; and meters that change their price.
SET credits.test_clock = '2026-03-01 12:00';
SELECT event_name, name, unit_price, unit FROM credits.meter_create('tokens', unit_price => 0.5, unit => 'token');
SELECT FROM credits.meter_create('images', aggregation => 'count', unit_price => 2);
SELECT FROM credits.currency_create('GPU');
SELECT FROM credits.meter_create('gpu', currency => 'GPU', unit => 'hour');
SELECT FROM credits.credit_grant('ada', 10);
SELECT FROM credits.report_meter_event('ada', 'tokens', 8, 'e1', subscription_id => 'basic', metadata => '{"model": "small"}');
SELECT FROM credits.report_meter_event('ada', 'images', 1, 'e2', occurred_at => '2026-02-28 23:00');
SELECT FROM credits.report_meter_event('ada', 'gpu', 1.5, 'e3');

-- A new price is that of events from now on. What was charged before stays, and so does the answer to its repeat.
SELECT unit_price, overage, unit FROM credits.meter_update('tokens', unit_price => 0.75);
SELECT consumed, replayed FROM credits.report_meter_event('ada', 'tokens', 8, 'e1');
SELECT consumed, pending FROM credits.report_meter_event('ada', 'tokens', 8, 'e4', subscription_id => 'pro');
SELECT name, unit_price, unit, overage
FROM credits.meter_update('tokens', name => 'Tokens', unit => 'tok', overage => 'reject');
SELECT credits.report_meter_event('ada', 'tokens', 1, 'e5');
SELECT credits.meter_update('nothing', unit_price => 1);
SELECT credits.meter_update('tokens', unit_price => -1);
SELECT credits.meter_update('tokens', overage => 'maybe');
SELECT credits.meter_update(NULL);

SELECT * FROM credits.usage_summary('ada');
SELECT * FROM credits.usage_summary('ada', '2026-03-01', '2026-04-01', currency => 'CREDIT');
SELECT * FROM credits.usage_summary('ada', event_name => 'tokens', subscription_id => 'pro');
SELECT * FROM credits.usage_summary('nobody');
SELECT credits.usage_summary('ada', event_name => 'nothing');
SELECT credits.usage_summary('ada', currency => 'NONE');
SELECT credits.usage_summary('ada', '2026-03-02', '2026-03-01');
SELECT credits.usage_summary(NULL);

SELECT identifier, event_name, currency, unit, quantity, credits, consumed, pending, status, subscription_id, metadata
FROM credits.usage WHERE customer_id = 'ada' ORDER BY identifier;
SELECT * FROM credits.pending_amount('ada');
SELECT * FROM credits.pending_amount('ada', 'CREDIT');
SELECT * FROM credits.pending_amount('nobody', 'CREDIT');
SELECT credits.pending_amount('ada', 'NONE');
SELECT * FROM credits.pending_amount(NULL);

-- At this moment: a grant that took effect since has paid, though nothing has posted it.
SELECT FROM credits.credit_grant('ada', 5, effective_at => '2026-03-02');
SET credits.test_clock = '2026-03-03';
SELECT identifier, credits, consumed, pending, status FROM credits.usage WHERE customer_id = 'ada'
AND currency = 'CREDIT' ORDER BY 1;
SELECT * FROM credits.pending_amount('ada', 'CREDIT');
SELECT type, amount FROM credits.wallet_history('ada', 'CREDIT', 1);
SELECT * FROM credits.verify();
