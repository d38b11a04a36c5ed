-- Usage that happened before a grant's end and is reported after it: within credits.late_usage_grace what lapsed pays
-- it.
SET credits.test_clock = '2026-03-01';
SELECT event_name FROM credits.meter_create('calls');
SELECT event_name FROM credits.meter_create('images');
SELECT event_name FROM credits.meter_create('gated', overage => 'reject');
SELECT event_name FROM credits.meter_create('slow', settlement => 'deferred');
SELECT event_name FROM credits.meter_create('peak', aggregation => 'max', period => 'month');
SELECT FROM credits.credit_grant('ada', 10, name => 'trial', expires_at => '2026-03-10');
SELECT FROM credits.credit_grant('ada', 5, name => 'first', priority => 1, expires_at => '2026-04-10');
SELECT FROM credits.credit_grant('ada', 100, name => 'own');
SET credits.test_clock = '2026-03-10 00:10';

-- By default nothing changes: what lapsed is gone.
SELECT status, consumed, available FROM credits.report_meter_event('ada', 'calls', 1, 'c0', '2026-03-09 23:59');
SELECT name, remaining, lapsed FROM credits.grants ORDER BY grant_id;

-- Within the time of grace the trial pays in its place: behind what has a better priority, before what ends later.
SET credits.late_usage_grace = '1h';
SELECT status, consumed, available FROM credits.report_meter_event('ada', 'calls', 6, 'c1', '2026-03-09 23:59');
SELECT name, status, remaining, consumed, lapsed FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, grant_name, amount, running_balance, identifier, effective_at
FROM credits.ledger WHERE identifier = 'c1' OR type IN ('expiration', 'reinstatement') ORDER BY line_no;
SELECT account, balance FROM credits.trial_balance;
SELECT * FROM credits.verify();
-- Not what happened after its end; and a repeat is the same.
SELECT status, consumed, available FROM credits.report_meter_event('ada', 'calls', 1, 'c2', '2026-03-10 00:05');
SELECT consumed, replayed FROM credits.report_meter_event('ada', 'calls', 6, 'c1', '2026-03-09 23:59');
SELECT name, remaining, lapsed FROM credits.grants ORDER BY grant_id;
-- Canceled, it lapses again.
SELECT returned FROM credits.meter_event_cancel('ada', 'c1');
SELECT name, remaining, lapsed FROM credits.grants ORDER BY grant_id;
SELECT * FROM credits.verify();

-- Many in one call, and what is priced together.
SELECT identifier, status, consumed FROM credits.report_meter_events('{ada,ada,ada}', '{calls,peak,calls}', '{3,4,2}',
    '{b1,b2,b3}', '{2026-03-09 12:00,2026-03-09 12:00,2026-03-10 00:09}');
SELECT name, remaining, lapsed FROM credits.grants ORDER BY grant_id;
SELECT -sum(amount) AS paid, grant_name FROM credits.ledger WHERE identifier LIKE 'b_'
    AND type = 'consumption' GROUP BY 2 ORDER BY 2;

-- A meter that refuses what is not covered counts it too.
SELECT FROM credits.credit_grant('bob', 4, expires_at => '2026-03-10 00:20');
SET credits.test_clock = '2026-03-10 00:30';
SELECT credits.report_meter_event('bob', 'gated', 5, 'g1', '2026-03-10 00:15');
SELECT status, consumed FROM credits.report_meter_event('bob', 'gated', 4, 'g2', '2026-03-10 00:15');

-- A deferred event counts as of when it was reported, whenever it is settled, and for every reader at once.
SELECT FROM credits.credit_grant('cy', 4, expires_at => '2026-03-10 00:40');
SELECT FROM credits.wallet_credit('cy', 1, description => 'own');
SET credits.test_clock = '2026-03-10 00:50';
SELECT status FROM credits.report_meter_event('cy', 'slow', 3, 's1', '2026-03-10 00:35');
SELECT available, pending FROM credits.wallet_balance('cy', 'CREDIT');
SET credits.test_clock = '2026-03-10 05:00';
SELECT available, pending FROM credits.wallet_balance('cy', 'CREDIT');
CALL credits.maintain();
SELECT available, pending FROM credits.wallet_balance('cy', 'CREDIT');
SELECT line_no, type, amount, identifier, effective_at FROM credits.ledger WHERE customer_id = 'cy' ORDER BY line_no;
-- Too late.
SELECT status, consumed, pending FROM credits.report_meter_event('bob', 'calls', 1, 'c1', '2026-03-10 00:15');

-- Only what lapsed by time: not what was voided, suspended, ended by hand, or is for other meters.
SELECT grant_id AS v FROM credits.credit_grant('dee', 4, expires_at => '2026-03-10 06:00') \gset
SELECT grant_id AS s FROM credits.credit_grant('dee', 4, expires_at => '2026-03-10 06:00') \gset
SELECT grant_id AS e FROM credits.credit_grant('dee', 4, expires_at => '2026-03-10 06:00') \gset
SELECT FROM credits.credit_grant('dee', 4, expires_at => '2026-03-10 06:00', applicable_meters => '{images}');
SELECT remaining FROM credits.credit_grant_void('dee', :'v', amount => 3);
SELECT status FROM credits.credit_grant_suspend('dee', :'s');
SELECT status FROM credits.credit_grant_expire('dee', :'e');
SET credits.test_clock = '2026-03-10 06:30';
SELECT status, consumed, pending FROM credits.report_meter_event('dee', 'calls', 9, 'd1', '2026-03-10 05:30');
SELECT status, consumed, pending FROM credits.report_meter_event('dee', 'images', 9, 'd2', '2026-03-10 05:30');
SELECT * FROM credits.verify();
-- A grant that is extended has no lapsed credits any more.
SELECT grant_id AS x FROM credits.credit_grant('eve', 4, expires_at => '2026-03-10 07:00') \gset
SET credits.test_clock = '2026-03-10 07:30';
SELECT consumed FROM credits.report_meter_event('eve', 'calls', 1, 'x1', '2026-03-10 06:45');
SELECT status, remaining FROM credits.credit_grant_extend('eve', :'x', '2026-03-11');
SELECT consumed, available FROM credits.report_meter_event('eve', 'calls', 1, 'x2', '2026-03-10 06:45');
SELECT * FROM credits.verify();

-- What was a mistake while it was held lapses with the hold, and pays nothing: neither where the usage itself posts the
-- hold's end, nor where something else did before.
SET credits.late_usage_grace = '3h';
SET credits.test_clock = '2026-03-12 10:00';
SELECT FROM unnest('{fay,gus}'::text[]) AS c, credits.credit_grant(c, 5, expires_at => '2026-03-12 11:00');
SELECT FROM unnest('{fay,gus}'::text[]) AS c, credits.hold_create(c, 5, expires_in => '2 hours');
SELECT v.customer_id, v.remaining FROM credits.grants AS g,
    credits.credit_grant_void(g.customer_id, g.grant_id, 'a mistake', 2, spent => 'pending') AS v
WHERE g.customer_id IN ('fay', 'gus') ORDER BY 1;
SET credits.test_clock = '2026-03-12 12:01';
SELECT status, consumed, pending FROM credits.report_meter_event('fay', 'calls', 5, 'f1', '2026-03-12 10:30');
CALL credits.maintain();
SELECT status, consumed, pending FROM credits.report_meter_event('gus', 'calls', 5, 'f1', '2026-03-12 10:30');
SELECT customer_id, line_no, type, amount, effective_at FROM credits.ledger WHERE customer_id IN ('fay', 'gus')
ORDER BY customer_id, line_no;
SELECT * FROM credits.verify();
