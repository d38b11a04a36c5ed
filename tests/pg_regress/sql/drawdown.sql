-- Which credits are used first: each rule where those before it tie. Names are in the order of use.
SET credits.test_clock = '2026-02-01';

SELECT FROM credits.credit_grant('u', 1, category => 'paid', name => '7 never expires, paid, younger', effective_at => '2026-03-01');
SELECT FROM credits.credit_grant('u', 1, category => 'paid', name => '6 never expires, paid, effective earlier',
                                 effective_at => '2026-02-28');
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.credit_grant('u', 1, name => '5 never expires, promotional');
SELECT FROM credits.credit_grant('u', 1, category => 'paid', name => '4 expires in May, paid', expires_at => '2026-05-01');
SELECT FROM credits.credit_grant('u', 1, name => '3 expires in May, promotional', expires_at => '2026-05-01');
SELECT FROM credits.credit_grant('u', 1, category => 'paid', name => '2 expires in April', expires_at => '2026-04-01');
SELECT FROM credits.credit_grant('u', 1, category => 'paid', priority => 10, name => '1 priority 10');
SELECT FROM credits.wallet_credit('u', 1, category => 'paid', description => '8 as 7, and younger still');

SELECT available FROM credits.wallet_debit('u', 7.5);
SELECT l.line_no, g.name, l.amount, l.running_balance
FROM credits_internal.lines l JOIN credits_internal.credit_grants g USING (customer_id, grant_id)
WHERE l.type = 'debit' ORDER BY l.line_no;

-- A better grant that comes later is used from then on, and the one before it goes on after it.
SELECT FROM credits.credit_grant('v', 10, name => 'first');
SELECT available FROM credits.wallet_debit('v', 4);
SELECT FROM credits.credit_grant('v', 3, name => 'better', priority => 0);
SELECT available FROM credits.wallet_debit('v', 5);
SELECT available FROM credits.wallet_debit('v', 4);
SELECT l.line_no, l.type, g.name, l.amount, l.running_balance
FROM credits_internal.lines l JOIN credits_internal.credit_grants g USING (customer_id, grant_id)
WHERE l.customer_id = 'v' ORDER BY l.line_no;
SELECT name, status, remaining FROM credits_internal.credit_grants WHERE customer_id = 'v' ORDER BY name;

-- Usage may draw on grants for its meter in between the others, where they stand in the order.
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('w', 2, name => '1 any', priority => 1);
SELECT FROM credits.credit_grant('w', 2, name => '2 tokens', priority => 2, applicable_meters => '{tokens}');
SELECT FROM credits.credit_grant('w', 2, name => '3 any', priority => 3);
SELECT consumed, available FROM credits.report_meter_event('w', 'tokens', 5, 'e1');
SELECT g.name, l.amount, l.identifier FROM credits_internal.lines l
JOIN credits_internal.credit_grants g USING (customer_id, grant_id)
WHERE l.customer_id = 'w' AND l.type = 'debit' ORDER BY l.line_no;

-- More grants than are looked at in one go.
SELECT count(*) FROM generate_series(1, 300) i, credits.credit_grant('x', 1, priority => i % 100);
SELECT available FROM credits.wallet_debit('x', 250);
SELECT available FROM credits.wallet_debit('x', 50);
SELECT credits.wallet_debit('x', 0.000001);

SELECT * FROM credits.verify();
