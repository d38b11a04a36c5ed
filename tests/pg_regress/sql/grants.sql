-- Credit grants: terms, status, and what a grant pays for.
SET credits.test_clock = '2026-03-01 12:00';

-- Customer and account are made on the way.
SELECT customer_id, currency, status, amount, remaining, category, priority, effective_at, expires_at, name, replayed
FROM credits.credit_grant('ada', 100, name => 'Welcome');
SELECT currency, name, decimals, kind, active FROM credits_internal.currencies;
SELECT customer_id, name FROM credits_internal.customers;

-- All the terms.
SELECT FROM credits.meter_create('images');
SELECT currency, status, amount, category, priority, effective_at, expires_at, applicable_meters, cost_basis, name,
       granted_by, metadata, created_at
FROM credits.credit_grant(
    customer_id => 'ada', amount => 12.5, currency => 'CREDIT', category => 'paid', name => 'Pack', priority => 10,
    effective_at => '2026-03-05', expires_at => '2026-04-05', applicable_meters => ARRAY['images'],
    cost_basis => 0.02, granted_by => 'sales', metadata => '{"order": 7}');

-- NULL is the default, for what has one.
SELECT category, priority, expires_at FROM credits.credit_grant('ada', 1, category => NULL, priority => NULL);

-- A moment ago is now: clocks differ. Long ago is for imports: backdating.sql.
SELECT status, effective_at, created_at FROM credits.credit_grant('ada', 1, effective_at => '2026-03-01 11:56');
SELECT credits.credit_grant('ada', 1, effective_at => '2026-01-01');

SELECT available, restricted, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');

-- wallet_credit is a grant that never expires.
SELECT currency, credited, available, replayed FROM credits.wallet_credit('bob', 20, description => 'sorry');
SELECT category, priority, amount, expires_at, name FROM credits_internal.credit_grants WHERE customer_id = 'bob';

-- A grant for certain meters pays those and nothing else.
SELECT FROM credits.credit_grant('cy', 5, applicable_meters => ARRAY['images', 'images']);
SELECT available, restricted FROM credits.wallet_balance('cy', 'CREDIT');
SELECT ok, shortfall FROM credits.wallet_try_debit('cy', 1);
SELECT FROM credits.meter_create('tokens');
SELECT status, consumed, pending FROM credits.report_meter_event('cy', 'tokens', 1, 't1');
SELECT status, consumed, pending FROM credits.report_meter_event('cy', 'images', 2, 'i1');
SELECT available, restricted, pending FROM credits.wallet_balance('cy', 'CREDIT');

-- Wrong terms.
SELECT credits.credit_grant('ada', 1, category => 'gift');
SELECT credits.credit_grant('ada', 1, priority => 101);
SELECT credits.credit_grant('ada', 1, priority => -1);
SELECT credits.credit_grant('ada', 1, expires_at => '2026-03-01 12:00');
SELECT credits.credit_grant('ada', 1, effective_at => '2026-03-09', expires_at => '2026-03-08');
SELECT credits.credit_grant('ada', 1, effective_at => 'infinity');
SELECT credits.credit_grant('ada', 1, applicable_meters => '{}');
SELECT credits.credit_grant('ada', 1, applicable_meters => '{images,NULL}');
SELECT credits.credit_grant('ada', 1, applicable_meters => '{videos}');
SELECT credits.credit_grant('ada', 1, cost_basis => -0.01);

SELECT * FROM credits.verify();
