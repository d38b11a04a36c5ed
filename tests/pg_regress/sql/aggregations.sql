-- Usage of which one event decides, or whose price depends on what was used before: charged is always the price of what the
-- events that are not taken back add up to, in whatever order they come.
SET credits.test_clock = '2026-03-10 12:00';
SELECT FROM credits.meter_create('seats', unit_price => 2, aggregation => 'max', period => 'month');
SELECT FROM credits.meter_create('storage', unit_price => 0.5, aggregation => 'last', period => 'day', unit => 'GB');
SELECT FROM credits.wallet_credit('ada', 100);

-- max: a report is charged what it adds to the highest so far.
SELECT identifier, status, consumed, pending, available FROM (VALUES
    ('s1', 5, '2026-03-01 00:00'::timestamptz), ('s2', 8, '2026-03-09'), ('s3', 7, '2026-03-09 12:00'),
    ('s4', 8, '2026-03-02'), ('feb', 3, '2026-02-28 23:59:59.999999')) v (id, value, at),
LATERAL credits.report_meter_event('ada', 'seats', value, id, at);
SELECT event_name, period_start, quantity, event_count, credits FROM credits.usage_by_period ORDER BY 1, 2;

-- The highest is taken back: the next one counts, and the difference comes back.
SELECT * FROM credits.meter_event_cancel('ada', 's2');
SELECT status, consumed, pending, returned FROM credits.meter_event_cancel('ada', 's3');
SELECT returned, available FROM credits.meter_event_cancel('ada', 's4');
SELECT returned, replayed FROM credits.meter_event_cancel('ada', 's4');
SELECT returned, available FROM credits.meter_event_cancel('ada', 's1');
SELECT period_start, quantity, event_count, credits FROM credits.usage_by_period ORDER BY 1;
-- What each event changed stands with it; what the period costs is the sum.
SELECT identifier, status, quantity, credits, consumed, returned FROM credits.usage ORDER BY created_at, identifier;

-- last: a lower value gives back, a late report of an earlier time changes nothing.
SELECT identifier, status, consumed, pending, available FROM (VALUES
    ('g1', 40, '2026-03-10 06:00'::timestamptz), ('g2', 10, '2026-03-10 08:00'), ('g3', 99, '2026-03-10 07:00'),
    ('g4', 12, '2026-03-10 08:00'), ('g5', 12, '2026-03-09 23:00')) v (id, value, at),
LATERAL credits.report_meter_event('ada', 'storage', value, id, at);
SELECT returned, consumed, available FROM credits.meter_event_cancel('ada', 'g4');
SELECT returned, consumed, available FROM credits.meter_event_cancel('ada', 'g2');
SELECT event_name, period_start, quantity, event_count, credits FROM credits.usage_by_period
WHERE event_name = 'storage' ORDER BY 2;
SELECT line_no, type, amount, running_balance, identifier, quantity FROM credits.ledger WHERE event_name = 'storage'
ORDER BY 1;
-- A repeat answers what the first report was answered.
SELECT * FROM credits.report_meter_event('ada', 'storage', 40, 'g1');
SELECT * FROM credits.report_meter_event('ada', 'storage', 10, 'g2');
SELECT * FROM credits.usage_summary('ada');
SELECT * FROM credits.usage_summary('ada', '2026-03-10', '2026-03-11');

-- What is lowered is first what is owed of it, the newest debt first, then what was paid, the newest draw first.
SELECT FROM credits.credit_grant('bob', 3, name => 'ends', expires_at => '2026-03-11');
SELECT FROM credits.credit_grant('bob', 5, name => 'pack', category => 'paid');
SELECT identifier, consumed, pending, available FROM (VALUES ('b1', 10), ('b2', 16), ('b3', 30)) v (id, value),
LATERAL credits.report_meter_event('bob', 'storage', value, id);
SELECT identifier, consumed, pending, available FROM credits.report_meter_event('bob', 'storage', 22, 'b4');
SELECT identifier, status, consumed, pending FROM credits.usage WHERE customer_id = 'bob' ORDER BY 1;
SELECT identifier, consumed, pending, available FROM credits.report_meter_event('bob', 'storage', 8, 'b5');
SELECT name, remaining FROM credits.grants WHERE customer_id = 'bob' ORDER BY grant_id;
-- … and where a grant has ended since, what comes back to it ends as well. The rest pays what is owed otherwise.
SELECT FROM credits.meter_create('calls');
SELECT pending FROM credits.report_meter_event('bob', 'calls', 6, 'c1');
SET credits.test_clock = '2026-03-11 12:00';
SELECT consumed, pending, available FROM credits.report_meter_event('bob', 'storage', 0, 'b6', '2026-03-10 20:00');
SELECT line_no, type, amount, pending, grant_name, identifier FROM credits.ledger WHERE customer_id = 'bob' ORDER BY 1;
SELECT name, status, remaining, lapsed, consumed FROM credits.grants WHERE customer_id = 'bob' ORDER BY grant_id;

-- A meter that refuses, and an account with a limit: the report is refused whole, and what it would have changed is not changed.
SELECT FROM credits.meter_create('desks', aggregation => 'max', overage => 'reject');
SELECT FROM credits.wallet_credit('cy', 10);
SELECT consumed FROM credits.report_meter_event('cy', 'desks', 7, 'd1');
SELECT credits.report_meter_event('cy', 'desks', 20, 'd2');
SELECT consumed, available FROM credits.report_meter_event('cy', 'desks', 9, 'd2');
SELECT FROM credits.account_configure('cy', overdraft_limit => 5);
SELECT consumed, pending FROM credits.report_meter_event('cy', 'storage', 10, 'g1');
SELECT credits.report_meter_event('cy', 'storage', 30, 'g2');
SELECT quantity, credits FROM credits.usage_by_period WHERE customer_id = 'cy' ORDER BY event_name;
-- An event that costs nothing still counts, also where there was no account.
SELECT FROM credits.customer_upsert('dee');
SELECT status, consumed, available FROM credits.report_meter_event('dee', 'desks', 0, 'zero');
SELECT returned, available FROM credits.meter_event_cancel('dee', 'zero');
SELECT quantity, event_count, credits FROM credits.usage_by_period WHERE customer_id = 'dee';

-- In a batch, among others, each as it would be alone.
SELECT identifier, status, consumed, pending, available, replayed, error FROM credits.report_meter_events(
    '{eve,eve,eve,eve,eve,eve,nobody}', '{seats,calls,seats,storage,storage,seats,seats}', '{5,4,6,9,1,5,1}', '{1,2,3,4,5,1,6}');
SELECT FROM credits.wallet_credit('eve', 20);
SELECT identifier, status, consumed, pending, available, replayed, error FROM credits.report_meter_events(
    '{eve,eve,eve,eve,eve,eve,nobody}', '{seats,calls,seats,storage,storage,seats,seats}', '{5,4,6,9,1,5,1}', '{1,2,3,4,5,1,6}');

-- Several reports of one transaction, at one moment: of a last the one reported last counts, of a max the first of the highest,
-- with its price, and whoever asks is told the same.
SELECT FROM credits.meter_create('plan', aggregation => 'last', pricing => '{
    "by": "tier", "prices": {"gold": {"unit_price": 3}}, "default": {"unit_price": 1}}');
SELECT FROM credits.meter_create('peak', aggregation => 'max', pricing => '{
    "by": "tier", "prices": {"gold": {"unit_price": 3}}, "default": {"unit_price": 1}}');
BEGIN;
SELECT FROM credits.wallet_credit('fay', 100);
SELECT identifier, consumed FROM (VALUES ('l1', 10, NULL), ('l3', 12, 'gold'), ('l2', 3, NULL), ('l0', 5, 'gold')) v (id, value, tier),
LATERAL credits.report_meter_event('fay', 'plan', value, id, metadata => jsonb_build_object('tier', tier));
SELECT identifier, consumed FROM (VALUES ('m3', 12, NULL), ('m1', 12, 'gold'), ('m2', 3, NULL)) v (id, value, tier),
LATERAL credits.report_meter_event('fay', 'peak', value, id, metadata => jsonb_build_object('tier', tier));
COMMIT;
SELECT event_name, quantity, event_count, credits, price_class FROM credits.usage_by_period WHERE customer_id = 'fay'
ORDER BY 1;
SELECT event_name, total_quantity, event_count, total_credits FROM credits.usage_summary('fay');
-- The one that counts is taken back: the one before it does, for all of them.
SELECT returned FROM credits.meter_event_cancel('fay', 'l0');
SELECT returned FROM credits.meter_event_cancel('fay', 'm3');
SELECT event_name, quantity, event_count, credits, price_class FROM credits.usage_by_period WHERE customer_id = 'fay'
ORDER BY 1;
SELECT event_name, total_quantity, event_count, total_credits FROM credits.usage_summary('fay');
SELECT event_name, total_quantity, event_count
FROM credits.usage_summary('fay', '2026-03-01', '2026-04-01', subscription_id => 'none');

-- Over time the same: of each stretch the last, the highest or the number, and never what the reports add up to.
SELECT FROM credits.meter_create('visits', aggregation => 'count');
SELECT identifier, consumed FROM generate_series(1, 3) n,
LATERAL credits.report_meter_event('fay', 'visits', 7, 'v' || n);
SELECT m, s.event_count, s.total_value, u.total_quantity = s.total_value AS as_in_summary
FROM unnest(ARRAY['plan', 'peak', 'visits']) m, LATERAL credits.meter_event_stats(m, customer_id => 'fay') s,
     LATERAL credits.usage_summary('fay', event_name => m) u;
-- A day of 'ada', whose 40, 99, 10 and 12 of storage became 99 when the last two were taken back; and hour by hour.
SELECT bucket, event_count, total_value FROM credits.meter_event_stats('storage', customer_id => 'ada');
SELECT bucket, event_count, total_value
FROM credits.meter_event_stats('storage', '2026-03-10', '2026-03-11', 'hour', 'ada');
SELECT bucket, event_count, total_value FROM credits.meter_event_stats('seats', customer_id => 'eve');
-- Of all customers what each one's come to, added up: what they are charged for.
SELECT s.bucket, s.event_count, s.total_value, (SELECT sum(u.quantity) FROM credits.usage_by_period u
                                                WHERE u.event_name = 'storage' AND u.period_start = s.bucket) AS charged
FROM credits.meter_event_stats('storage') s;

SELECT * FROM credits.verify();
