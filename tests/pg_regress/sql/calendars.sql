-- When periods begin: in UTC, in a time zone, in the customer's time zone, or at the customer's billing date.
SET credits.test_clock = '2026-03-31 12:00Z';
SELECT count(*) FROM unnest('{ann,bob,cid}'::text[]) c, credits.wallet_credit(c, 1000) w;
SELECT event_name, period, time_zone, period_from
FROM credits.meter_create('utc', aggregation => 'max', period => 'day')
UNION ALL SELECT event_name, period, time_zone, period_from
FROM credits.meter_create('berlin', aggregation => 'max', period => 'day', time_zone => 'europe/berlin')
UNION ALL SELECT event_name, period, time_zone, period_from
FROM credits.meter_create('home', aggregation => 'max', period => 'day', period_from => 'customer')
UNION ALL SELECT event_name, period, time_zone, period_from
FROM credits.meter_create('billed', pricing => '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 1},
    {"unit_price": 3}]}', period => 'month', period_from => 'billing_date', time_zone => 'America/New_York');
SELECT customer_id, time_zone, billing_anchor
FROM credits.customer_upsert('ann', time_zone => 'asia/kathmandu', billing_anchor => '2026-01-31 09:30Z');
SELECT customer_id, time_zone, billing_anchor FROM credits.customer_upsert('bob', billing_anchor => '2026-03-15Z');

-- The night in which Berlin's clocks went forward: its 29 March had 23 hours.
CREATE FUNCTION report(customer text, meter text, VARIADIC times timestamptz[]) RETURNS TABLE (at timestamptz,
    consumed numeric) LANGUAGE sql AS $$
    SELECT t, (credits.report_meter_event(customer, meter, 5, meter || ' ' || t, t)).consumed FROM unnest(times) t $$;
SELECT * FROM report('ann', 'berlin', '2026-03-28 22:59:59Z', '2026-03-28 23:00Z', '2026-03-29 21:59:59Z',
                     '2026-03-29 22:00Z');
SELECT * FROM report('ann', 'utc', '2026-03-28 22:59:59Z', '2026-03-28 23:00Z', '2026-03-29 21:59:59Z',
                     '2026-03-29 22:00Z');
-- Kathmandu is 5:45 ahead. A customer without a time zone has the meter's calendar, here that of UTC.
SELECT * FROM report('ann', 'home', '2026-03-29 18:14:59Z', '2026-03-29 18:15Z');
SELECT * FROM report('bob', 'home', '2026-03-29 18:14:59Z', '2026-03-29 18:15Z');
-- From 31 January, 28 February and 31 March on; without a billing date, from New York's first of the month.
SELECT * FROM report('ann', 'billed', '2026-03-31 09:29:59Z', '2026-03-31 09:30Z', '2026-02-28 09:30Z');
SELECT * FROM report('bob', 'billed', '2026-03-14 23:59:59Z', '2026-03-15 00:00Z');
SELECT * FROM report('cid', 'billed', '2026-03-01 04:59:59Z', '2026-03-01 05:00Z', '2026-03-31 04:00Z');
SELECT customer_id, event_name, period_key, period_start, period_end, quantity, event_count, credits
FROM credits.usage_by_period ORDER BY event_name, customer_id, period_start;
-- As date_trunc says.
SELECT bool_and(p.period_start = date_trunc(p.period, e.occurred_at, m.time_zone)) AS same
FROM credits.usage e JOIN credits.meters m USING (event_name)
JOIN credits.usage_by_period p USING (customer_id, event_name, period_key)
WHERE e.event_name = 'berlin' OR (e.event_name, e.customer_id) = ('billed', 'cid');

-- Another billing date is for what is reported from then on. What was reported keeps its period, also when it is
-- corrected.
SELECT billing_anchor FROM credits.customer_upsert('bob', billing_anchor => '2026-03-20Z');
SELECT * FROM report('bob', 'billed', '2026-03-16Z', '2026-03-20Z');
SELECT value, consumed, charged FROM credits.meter_event_adjust('bob', 'billed 2026-03-15 00:00:00+00', 12);
SELECT consumed, returned FROM credits.meter_event_cancel('bob', 'billed 2026-03-14 23:59:59+00');
SELECT period_key, period_start, period_end, quantity, event_count, credits FROM credits.usage_by_period
WHERE customer_id = 'bob' AND event_name = 'billed' ORDER BY period_start;
-- The same period is the same: one that begins at the same moment by another calendar.
SELECT FROM credits.customer_upsert('cid', billing_anchor => '2026-01-01 05:00Z');
SELECT * FROM report('cid', 'billed', '2026-03-02Z');
SELECT period_key, period_start, period_end, quantity, credits FROM credits.usage_by_period
WHERE customer_id = 'cid' ORDER BY period_start;
-- None any more; the person's zone is forgotten, the billing date is kept.
SELECT time_zone, billing_anchor FROM credits.customer_upsert('cid', time_zone => '', billing_anchor => 'infinity');
SELECT customer_id FROM credits.customer_erase('ann');
SELECT customer_id, time_zone, billing_anchor FROM credits.customers ORDER BY customer_id;
SELECT * FROM report('ann', 'home', '2026-03-29 18:15:01Z');

-- In a batch, of many customers at once; the same event again is the same.
SELECT r.identifier, r.consumed, r.replayed FROM credits.report_meter_events(
    ARRAY['ann', 'bob', 'cid', 'bob', 'bob'], ARRAY['billed', 'billed', 'billed', 'berlin', 'billed'],
    ARRAY[1, 1, 1, 1, 5],
    ARRAY['b1', 'b2', 'b3', 'b4', 'billed 2026-03-20 00:00:00+00'],
    array_fill(timestamptz '2026-03-30 12:00Z', ARRAY[5])) r;
-- As what a hold pays for, and from the inbox.
SELECT c.captured FROM credits.hold_create('bob', 50) h,
    credits.hold_capture('bob', h.hold_id, event_name => 'billed', value => 6, identifier => 'held') c;
INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at)
VALUES ('bob', 'billed', 2, 'inbox 1', '2026-03-19 23:59Z'), ('ann', 'billed', 2, 'inbox 2', '2026-03-31 09:29Z');
CALL credits.maintain();
SELECT customer_id, period_key, quantity, event_count, credits FROM credits.usage_by_period
WHERE event_name = 'billed' ORDER BY customer_id, period_start;
-- Graduated tiers may go on under another price, in the same period.
SELECT FROM credits.meter_update('billed', pricing => '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 2},
    {"unit_price": 4}]}', continue_tiers => true);
SELECT * FROM report('bob', 'billed', '2026-03-31 12:00Z');
SELECT period_key, period_start, period_end, quantity, carried, credits FROM credits.usage_by_period
WHERE customer_id = 'bob' AND event_name = 'billed' AND carried > 0;

-- A value counts once in each period, wherever that begins.
SELECT FROM credits.meter_create('users', aggregation => 'unique', unique_by => 'id', period => 'month',
                                 period_from => 'billing_date');
CREATE FUNCTION seen(identifier text, at timestamptz) RETURNS numeric LANGUAGE sql AS $$
    SELECT consumed FROM credits.report_meter_event('bob', 'users', 1, identifier, at, metadata => '{"id": 7}') $$;
SELECT seen('u1', '2026-03-19 23:59Z'), seen('u2', '2026-03-20 00:00Z'), seen('u3', '2026-03-22Z');
SELECT FROM credits.customer_upsert('bob', billing_anchor => '2026-03-25Z');
SELECT seen('u4', '2026-03-22Z'), seen('u5', '2026-03-26Z'), seen('u6', '2026-03-27Z');
SELECT c.identifier, c.returned FROM unnest('{u2,u3,u5}'::text[]) u, credits.meter_event_cancel('bob', u) c;
SELECT period_key, period_end, quantity, event_count, credits FROM credits.usage_by_period
WHERE event_name = 'users' ORDER BY period_start;

-- Where midnight comes twice, or never, date_trunc says which moment begins the day.
SELECT FROM credits.meter_create('azores', aggregation => 'max', period => 'day', time_zone => 'Atlantic/Azores');
SELECT FROM credits.meter_create('cairo', aggregation => 'max', period => 'day', time_zone => 'Africa/Cairo');
SET credits.test_clock = '2026-10-26 12:00Z';
SET credits.event_max_age = '200 d';
SELECT * FROM report('bob', 'azores', '2026-10-24 23:59Z', '2026-10-25 00:30Z', '2026-10-25 01:30Z',
                     '2026-10-26 01:00Z');
SELECT * FROM report('bob', 'cairo', '2026-04-23 21:59Z', '2026-04-23 22:00Z', '2026-04-24 20:59Z',
                     '2026-04-24 21:00Z');
SELECT event_name, period_start, period_end, event_count FROM credits.usage_by_period
WHERE event_name IN ('azores', 'cairo') ORDER BY 1, 2;

-- Nights in which clocks change and others, in zones of all kinds: as date_trunc says, each day, week, month and year.
SET credits.test_clock = '2027-01-03Z';
SET credits.event_max_age = '1000 d';
SELECT FROM credits.currency_create('NONE');
SELECT count(*) FROM unnest('{day,week,month,year}'::text[]) span,
    unnest('{Africa/Cairo,America/Havana,America/Santiago,Asia/Kathmandu,Australia/Lord_Howe,Europe/London,'
           'Pacific/Kiritimati}'::text[]) zone,
    credits.meter_create(span || ' ' || zone, currency => 'NONE', aggregation => 'max', period => span,
                         time_zone => zone);
SELECT FROM credits.customer_upsert('all');
CREATE TABLE times AS
SELECT t FROM generate_series(timestamptz '2025-01-01Z', '2027-01-02Z', '31 hours 7 minutes') t
UNION SELECT night + n * interval '30 minutes'
FROM unnest('{2026-03-07,2026-03-28,2026-04-04,2026-04-23,2026-09-05,2026-10-03,2026-10-24,2026-10-29,2026-10-31}'
            ::timestamptz[]) night, generate_series(0, 96) n;
SELECT count(*) AS events, count(r.error) AS errors
FROM (SELECT array_agg('all'::text) AS customers, array_agg(event_name) AS meters, array_agg(1::numeric) AS "values",
             array_agg(event_name || ' ' || t) AS identifiers, array_agg(t) AS times
      FROM times, credits.meters WHERE currency = 'NONE') a,
     credits.report_meter_events(a.customers, a.meters, a."values", a.identifiers, a.times) r;
SELECT m.time_zone, m.period, count(*) AS events, count(DISTINCT p.period_start) AS periods,
       count(*) FILTER (WHERE p.period_start <> date_trunc(m.period, e.occurred_at, m.time_zone)) AS begin_otherwise,
       count(*) FILTER (WHERE p.period_end <> date_trunc(m.period, p.period_start
                            + CASE m.period WHEN 'day' THEN '36 hours' WHEN 'week' THEN '10 days'
                                            WHEN 'month' THEN '45 days' ELSE '500 days' END::interval, m.time_zone))
           AS end_otherwise
FROM credits.usage e JOIN credits.meters m USING (event_name)
JOIN credits.usage_by_period p USING (customer_id, event_name, period_key)
WHERE e.customer_id = 'all' GROUP BY 1, 2 ORDER BY 1, 2;

-- What is no calendar.
SELECT credits.meter_create('x', period => 'day', time_zone => 'Europe/Nowhere');
SELECT credits.meter_create('x', period => 'day', time_zone => 'CET');
SELECT credits.meter_create('x', period => 'day', time_zone => 'Europe/Nowhere5');
SELECT credits.meter_create('x', period => 'day', time_zone => '');
SELECT credits.meter_create('x', period => 'day', period_from => 'me');
SELECT credits.meter_create('x', time_zone => 'Europe/Berlin');
SELECT credits.meter_create('x', period_from => 'billing_date');
SELECT credits.customer_upsert('x', time_zone => '+02');
SELECT credits.customer_upsert('x', billing_anchor => '-infinity');
-- The same meter again, and another.
SELECT time_zone FROM credits.meter_create('berlin', aggregation => 'max', period => 'day',
    time_zone => 'Europe/BERLIN', if_not_exists => true);
SELECT credits.meter_create('berlin', aggregation => 'max', period => 'day', period_from => 'customer',
                            if_not_exists => true);
SELECT time_zone, period_from FROM credits.meter_create('utc', aggregation => 'max', period => 'day',
    time_zone => 'UTC', period_from => 'meter', if_not_exists => true);
SELECT * FROM credits.verify();
-- It finds an event that is in a period which it is not in.
UPDATE credits_internal.usage_periods SET period_end = period_end - interval '30 days'
WHERE customer_id = 'bob' AND event_name = 'billed';
SELECT problem, subject FROM credits.verify() ORDER BY subject;
