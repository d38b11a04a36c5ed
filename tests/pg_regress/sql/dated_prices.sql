-- Prices with a date: an event takes the price that was in force when it occurred.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.wallet_credit('ada', 1000);
SELECT FROM credits.meter_create('calls', unit_price => 1);
-- A price for later: until then the meter costs what it did.
SELECT unit_price, next_price_at FROM credits.meter_update('calls', unit_price => 2, effective_at => '2026-04-01Z');
SELECT unit_price, price_version, price_since, next_price_at FROM credits.meters;
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'march');
-- The moment comes, in a session that remembers the meter.
SET credits.test_clock = '2026-03-31 23:59:59.999999Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'march, last');
SET credits.test_clock = '2026-04-01 00:00Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'april, first');
SELECT unit_price, price_version, price_since, next_price_at FROM credits.meters;
SELECT credits.usage_price('calls', 1);
-- Reported late, it still costs what it did when it occurred; reported ahead, what it will.
SET credits.test_clock = '2026-04-01 00:04Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'late', '2026-03-31 20:00Z');
SET credits.test_clock = '2026-03-31 23:57Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'ahead', '2026-04-01 00:01Z');
SET credits.test_clock = '2026-04-02 00:00Z';
-- In a batch, each event for itself.
SELECT identifier, consumed FROM credits.report_meter_events(ARRAY['ada', 'ada', 'ada'], ARRAY['calls', 'calls',
    'calls'],
    ARRAY[1, 1, 1], ARRAY['b1', 'b2', 'b3'], ARRAY['2026-03-30Z', '2026-04-01Z', '2026-03-31Z']::timestamptz[]);
-- A change without a date is in force from now on.
SELECT unit_price FROM credits.meter_update('calls', unit_price => 3);
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'now');
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'before', '2026-04-01 23:59Z');
-- It does not cancel what is set for later; a price for the same moment takes that one's place.
SELECT FROM credits.meter_update('calls', unit_price => 5, effective_at => '2026-05-01Z');
SELECT unit_price FROM credits.meter_update('calls', unit_price => 4);
SELECT FROM credits.meter_update('calls', unit_price => 6, effective_at => '2026-05-01Z');
SELECT price_version, unit_price, price_since, price_until FROM credits.price_versions ORDER BY 3, 1;
-- The same price again is none, at the moment that it is for.
SELECT FROM credits.meter_update('calls', unit_price => 6, effective_at => '2026-06-01Z');
SELECT FROM credits.meter_update('calls', unit_price => 4);
SELECT count(*) FROM credits.price_versions;
SET credits.test_clock = '2026-05-01Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 1, 'may');
SELECT identifier, occurred_at, price_version, credits FROM credits.usage ORDER BY occurred_at, 1;

-- Tiers begin anew with a price, and late usage goes on in the tiers of its own.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.meter_create('mails', aggregation => 'count', period => 'month', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 2, "unit_price": 0}, {"unit_price": 1}]}');
SELECT FROM credits.meter_update('mails', effective_at => '2026-03-15Z', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 1, "unit_price": 0}, {"unit_price": 5}]}');
SELECT sum(consumed) FROM generate_series(1, 2) i, credits.report_meter_event('ada', 'mails', 1, 'm' || i);
SET credits.test_clock = '2026-03-16 12:00Z';
SELECT sum(consumed) FROM generate_series(3, 5) i, credits.report_meter_event('ada', 'mails', 1, 'm' || i);
SELECT consumed FROM credits.report_meter_event('ada', 'mails', 1, 'm late', '2026-03-14Z');
SELECT returned FROM credits.meter_event_cancel('ada', 'm1');
SELECT period_key, quantity, credits FROM credits.usage_by_period ORDER BY 1;
-- Unless they are to go on: seven of ten are free under the old price, three more under the new one.
SELECT FROM credits.meter_create('sms', aggregation => 'count', period => 'month', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 10, "unit_price": 0}, {"unit_price": 1}]}');
SELECT FROM credits.meter_update('sms', effective_at => '2026-03-17Z', continue_tiers => true,
    pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 10, "unit_price": 0}, {"unit_price": 5}]}');
SELECT sum(consumed) FROM generate_series(1, 7) i, credits.report_meter_event('ada', 'sms', 1, 't' || i);
SET credits.test_clock = '2026-03-17Z';
SELECT sum(consumed) FROM generate_series(8, 12) i, credits.report_meter_event('ada', 'sms', 1, 't' || i);
SELECT returned FROM credits.meter_event_cancel('ada', 't9');
SELECT period_key, carried, quantity, credits FROM credits.usage_by_period WHERE event_name = 'sms' ORDER BY 1;
-- A batch that has some of either price, in its order.
SELECT FROM credits.customer_upsert('bob');
SELECT identifier, consumed, pending FROM credits.report_meter_events(ARRAY['bob', 'bob', 'bob', 'bob'], ARRAY['sms',
    'sms', 'sms', 'sms'],
    ARRAY[1, 1, 1, 1], ARRAY['b1', 'b2', 'b3', 'b4'], ARRAY['2026-03-16Z', '2026-03-17Z', '2026-03-16Z',
    '2026-03-17Z']::timestamptz[]);
SELECT period_key, carried, quantity FROM credits.usage_by_period WHERE event_name = 'sms' AND customer_id = 'bob'
ORDER BY 1;
-- Nothing is used under a price in between: the next one goes on from the one before it.
SELECT FROM credits.customer_upsert('cyd');
SELECT sum(consumed) FROM generate_series(1, 8) i,
    credits.report_meter_event('cyd', 'sms', 1, 't' || i, '2026-03-16Z');
SELECT FROM credits.meter_update('sms', effective_at => '2026-03-18Z', continue_tiers => true,
    pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 10, "unit_price": 0}, {"unit_price": 7}]}');
SET credits.test_clock = '2026-03-18Z';
SELECT sum(consumed) FROM generate_series(9, 11) i, credits.report_meter_event('cyd', 'sms', 1, 't' || i);
SELECT period_key, carried, quantity, credits FROM credits.usage_by_period
WHERE event_name = 'sms' AND customer_id = 'cyd' ORDER BY 1;
SELECT credits.meter_update('sms', unit_price => 1, continue_tiers => true);
-- Of a last, the event that counts brings the price of its own time.
SELECT FROM credits.meter_create('seats', aggregation => 'last', unit_price => 1);
SELECT FROM credits.meter_update('seats', unit_price => 10, effective_at => '2026-03-20Z');
SELECT consumed FROM credits.report_meter_event('ada', 'seats', 4, 's1');
SET credits.test_clock = '2026-03-21Z';
SELECT consumed FROM credits.report_meter_event('ada', 'seats', 3, 's2');
SELECT consumed FROM credits.report_meter_event('ada', 'seats', 9, 's3', '2026-03-19Z');
SELECT returned FROM credits.meter_event_cancel('ada', 's2');
SELECT quantity, credits, price_version FROM credits.usage_by_period WHERE event_name = 'seats';

-- Deferred and in the inbox it is the same.
SELECT FROM credits.meter_create('later', unit_price => 1, settlement => 'deferred');
SELECT FROM credits.meter_update('later', unit_price => 2, effective_at => '2026-03-22Z');
SELECT status FROM credits.report_meter_event('ada', 'later', 1, 'l1');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at) VALUES
    ('ada', 'calls', 1, 'i1', '2026-03-21Z'), ('ada', 'later', 1, 'l2', '2026-03-21Z');
SET credits.test_clock = '2026-03-23Z';
SELECT status FROM credits.report_meter_event('ada', 'later', 1, 'l3');
SELECT status FROM credits.report_meter_event('ada', 'later', 1, 'l4', '2026-03-21Z');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('ada', 'later', 1, 'l5');
CALL credits.maintain();
SELECT identifier, price_version, credits FROM credits.usage
WHERE event_name = 'later' OR identifier = 'i1' ORDER BY 1;

-- What cannot be.
SELECT credits.meter_update('calls', unit_price => 1, effective_at => '2026-03-22Z');
SELECT credits.meter_update('calls', unit_price => 1, effective_at => 'infinity');
SELECT credits.meter_update('calls', name => 'Calls', effective_at => '2026-03-25Z');

-- Without a test clock: the moment passes while the session is connected.
RESET credits.test_clock;
SELECT FROM credits.meter_create('soon', unit_price => 1);
SELECT next_price_at > now() AS is_set FROM credits.meter_update('soon', unit_price => 2,
    effective_at => now() + interval '0.5 s');
SELECT consumed FROM credits.report_meter_event('ada', 'soon', 1, 'x1');
SELECT pg_sleep(0.6);
SELECT consumed FROM credits.report_meter_event('ada', 'soon', 1, 'x2');

SELECT * FROM credits.verify();
