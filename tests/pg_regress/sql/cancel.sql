-- Usage taken back: the event stays, and costs nothing.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('ada', 5, name => 'first', expires_at => '2026-03-10');
SELECT FROM credits.credit_grant('ada', 5, name => 'second', expires_at => '2026-04-10');
SELECT FROM credits.credit_grant('ada', 20, name => 'tokens only', applicable_meters => '{tokens}', expires_at => '2026-04-20');
SELECT FROM credits.wallet_credit('ada', 100, description => 'third');
SELECT status, consumed FROM credits.report_meter_event('ada', 'tokens', 34, 'e1');
SELECT name, remaining FROM credits.grants ORDER BY grant_id;

-- Three grants and a fourth paid. One has expired since, one was voided: what comes back to them ends the same way at once.
SET credits.test_clock = '2026-03-20';
SELECT FROM credits.credit_grant_void('ada', (SELECT grant_id FROM credits.grants WHERE name = 'second'));
SELECT * FROM credits.meter_event_cancel('ada', 'e1', 'counted twice');
SELECT name, status, remaining, consumed, lapsed FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, grant_name, amount, running_balance, identifier, effective_at FROM credits.ledger
ORDER BY line_no;
SELECT status, quantity, credits, consumed, pending, returned, cancel_reason, canceled_at FROM credits.usage;

-- Again is a no-op. The identifier stays used.
SELECT * FROM credits.meter_event_cancel('ada', 'e1', 'again');
SELECT status, consumed, pending, replayed FROM credits.report_meter_event('ada', 'tokens', 34, 'e1');
SELECT credits.report_meter_event('ada', 'tokens', 35, 'e1');
SELECT * FROM credits.usage_summary('ada');

-- What is owed is no longer owed; and what comes back pays what is owed otherwise.
SELECT FROM credits.wallet_credit('bob', 10);
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 8, 'e1');
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 7, 'e2');
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 6, 'e3');
SELECT status, returned, available FROM credits.meter_event_cancel('bob', 'e2');
SELECT identifier, status, consumed, pending, returned FROM credits.usage WHERE customer_id = 'bob' ORDER BY 1;
SELECT status, returned, available FROM credits.meter_event_cancel('bob', 'e1');
SELECT identifier, status, consumed, pending, returned FROM credits.usage WHERE customer_id = 'bob' ORDER BY 1;
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT line_no, type, amount, running_balance, pending, identifier FROM credits.ledger WHERE customer_id = 'bob'
ORDER BY 1;

-- A debt that was paid much later, and by time alone.
SELECT FROM credits.customer_upsert('cy');
SELECT pending FROM credits.report_meter_event('cy', 'tokens', 4, 'owed');
SELECT count(*) FROM generate_series(1, 2000) i, LATERAL credits.report_meter_event('cy', 'tokens', 0.001, 'e' || i);
SELECT FROM credits.credit_grant('cy', 10, effective_at => '2026-04-01');
SET credits.test_clock = '2026-04-02';
SELECT * FROM credits.meter_event_cancel('cy', 'owed');
SELECT available, pending FROM credits.wallet_balance('cy', 'CREDIT');

-- An event that cost nothing, in an account and without one.
SELECT FROM credits.report_meter_event('cy', 'tokens', 0, 'nothing');
SELECT returned, available, replayed FROM credits.meter_event_cancel('cy', 'nothing');
SELECT FROM credits.meter_create('strict', overage => 'reject');
SELECT FROM credits.customer_upsert('dee');
SELECT consumed FROM credits.report_meter_event('dee', 'strict', 0, 'nothing');
SELECT returned, available, replayed FROM credits.meter_event_cancel('dee', 'nothing');
SELECT returned, available, replayed FROM credits.meter_event_cancel('dee', 'nothing');

-- Wrong.
SELECT credits.meter_event_cancel('ada', 'unknown');
SELECT credits.meter_event_cancel('bob', NULL);
SELECT credits.meter_event_cancel(NULL, 'e1');
SELECT credits.meter_event_cancel('ada', '');

-- The books balance: taken back, nothing was spent.
SELECT account, sum(amount) FROM credits.journal WHERE customer_id = 'ada' GROUP BY 1 ORDER BY 1;
SELECT account, category, sum(amount) FROM credits.journal WHERE customer_id = 'bob' AND account IN ('spent', 'debt')
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT sum(balance) = 0 AS balanced FROM credits.trial_balance;
-- By day: an event that is taken back leaves with its own day what the others of its period come to cost more or less without
-- it, and says so. The days add up to what the period costs.
SET credits.test_clock = '2026-05-20 12:00';
SELECT FROM credits.meter_create('rising', period => 'month', pricing => '{
    "mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 1}, {"unit_price": 2}]}');
SELECT FROM credits.meter_create('falling', period => 'month', pricing => '{
    "mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 2}, {"unit_price": 1}]}');
SELECT FROM credits.meter_create('level', period => 'month', aggregation => 'last');
SELECT FROM credits.wallet_credit('hugo', 100);
SELECT m, d, consumed FROM unnest(ARRAY['rising', 'falling', 'level']) m, generate_series(1, 3) d,
LATERAL credits.report_meter_event('hugo', m, 10 - d, m || d, format('2026-05-1%s 08:00', d)::timestamptz);
SELECT m, returned, consumed FROM unnest(ARRAY['rising', 'falling', 'level']) m,
LATERAL credits.meter_event_cancel('hugo', m || CASE m WHEN 'level' THEN 3 ELSE 1 END);
SELECT m, bucket::date AS day, s.event_count, total_value, total_credits, canceled_credits
FROM unnest(ARRAY['rising', 'falling', 'level']) m, LATERAL credits.meter_event_stats(m, customer_id => 'hugo') s;
SELECT event_name, u.credits AS period_costs, s.total_credits, s.canceled_credits, s.total_quantity
FROM credits.usage_by_period u JOIN credits.usage_summary('hugo') s USING (event_name) WHERE u.customer_id = 'hugo'
ORDER BY 1;
-- What is priced by itself leaves nothing.
SELECT FROM credits.meter_create('single');
SELECT FROM credits.report_meter_event('hugo', 'single', 4, 'single1');
SELECT FROM credits.meter_event_cancel('hugo', 'single1');
SELECT event_count, total_credits, canceled_credits FROM credits.meter_event_stats('single');

SELECT * FROM credits.verify();
