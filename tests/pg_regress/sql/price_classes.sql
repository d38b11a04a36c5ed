-- Prices by several keys of the metadata, numbers, and usage that has no price.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.wallet_credit('ada', 1000);
SELECT FROM credits.meter_create('llm', pricing => '{"by": ["model", "region"], "prices": {
    "large": {"eu": {"unit_price": 5}, "us": {"mode": "graduated", "tiers": [{"up_to": 2, "unit_price": 4},
    {"unit_price": 1}]}},
    "small": {"unit_price": 1}}, "default": {"unit_price": 2}}');
SELECT metadata, consumed FROM (VALUES
    (1, '{"model": "large", "region": "eu"}'::jsonb), (2, '{"model": "large", "region": "us"}'), (3,
    '{"model": "large"}'),
    (4, '{"model": "small", "region": "anywhere"}'), (5, '{"region": "eu"}'), (6, NULL)) v (no, metadata),
    credits.report_meter_event('ada', 'llm', 3, 'e' || no, metadata => metadata) ORDER BY no;
SELECT period_key, price_class, quantity, credits FROM credits.usage_by_period;
SELECT credits.usage_price('llm', 3, '{"model": "large", "region": "us"}') AS by_metadata,
       credits.usage_price('llm', 3, price_class => 'large/us') AS by_name;
SELECT identifier, returned FROM unnest('{e1, e2}'::text[]) e, credits.meter_event_cancel('ada', e) ORDER BY 1;
-- 1, 1.0 and 1.00 are one number; a text is none.
SELECT FROM credits.meter_create('gpu',
    pricing => '{"by": "gpus", "prices": {"1.0": {"unit_price": 3}, "8": {"unit_price": 20}},
    "default": {"unit_price": 1}}');
SELECT metadata, consumed FROM unnest(ARRAY['{"gpus": 1}', '{"gpus": 1.00}', '{"gpus": 8.0}', '{"gpus": "1"}',
    '{"gpus": 2}']::jsonb[])
    WITH ORDINALITY v (metadata, no), credits.report_meter_event('ada', 'gpu', 1, 'g' || no, metadata => metadata)
    ORDER BY no;
-- What has no price is refused, in whatever way it comes, and not charged at a default that nobody meant.
SELECT FROM credits.meter_create('strict',
    pricing => '{"by": "model", "prices": {"large": {"unit_price": 5}}, "unpriced": "reject"}');
SELECT consumed FROM credits.report_meter_event('ada', 'strict', 1, 's1', metadata => '{"model": "large"}');
SELECT consumed FROM credits.report_meter_event('ada', 'strict', 1, 's2', metadata => '{"model": "huge"}');
SELECT consumed FROM credits.report_meter_event('ada', 'strict', 1, 's3');
SELECT identifier, consumed, error, message FROM credits.report_meter_events('[
    {"customer_id": "ada", "event_name": "strict", "identifier": "s4", "metadata": {"model": "huge"}},
    {"customer_id": "ada", "event_name": "strict", "identifier": "s5", "metadata": {"model": "large"}}]');
INSERT INTO credits.inbox (customer_id, event_name, identifier, metadata) VALUES ('ada', 'strict', 's6',
    '{"model": "huge"}');
SELECT credits.settle();
SELECT identifier, error FROM credits.rejected_events;
SELECT credits.usage_price('strict', 1, '{"model": "huge"}');
-- Once it has a price, what was refused can be reported, and what was put aside tried again.
SELECT FROM credits.meter_update('strict', pricing => '{"by": "model", "prices": {"large": {"unit_price": 5},
    "huge": {"unit_price": 9}}, "unpriced": "reject"}');
SELECT consumed FROM credits.report_meter_event('ada', 'strict', 1, 's2', metadata => '{"model": "huge"}');
SELECT credits.inbox_retry();
CALL credits.maintain();
SELECT identifier, credits FROM credits.usage WHERE event_name = 'strict' ORDER BY 1;
-- A price that was set before 0.3.0 goes on matching numbers as they are written, until it is set again.
UPDATE credits_internal.meter_prices SET effective_at = NULL WHERE event_name = 'gpu';
SELECT credits.usage_price('gpu', 1, '{"gpus": 1.0}') AS as_written, credits.usage_price('gpu', 1,
    '{"gpus": 1}') AS otherwise;
SELECT FROM credits.meter_update('gpu',
    pricing => '{"by": "gpus", "prices": {"1.0": {"unit_price": 3}, "8": {"unit_price": 20}},
    "default": {"unit_price": 1}}');
SELECT credits.usage_price('gpu', 1, '{"gpus": 1}');
UPDATE credits_internal.meter_prices SET effective_at = created_at WHERE event_name = 'gpu' AND version = 1;
-- Periods: each event in the week, month or year that it occurred in.
SELECT FROM credits.meter_create('weekly', aggregation => 'count', period => 'week', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 2, "unit_price": 0}, {"unit_price": 1}]}');
SELECT FROM credits.meter_create('yearly', aggregation => 'max', period => 'year', unit_price => 2);
SELECT e, sum(consumed) FROM unnest('{weekly, yearly}'::text[]) e,
    unnest('{2026-02-22 23:59Z, 2026-02-23Z, 2026-02-24Z, 2026-02-28Z, 2026-03-01Z, 2026-03-01 11:00Z}'::timestamptz[])
        WITH ORDINALITY v (at, no), credits.report_meter_event('ada', e, no, e || no, at) GROUP BY 1 ORDER BY 1;
SELECT event_name, period, period_key, period_start, quantity, credits FROM credits.usage_by_period
WHERE event_name IN ('weekly', 'yearly') ORDER BY 1, 3;
SELECT credits.meter_create('x', period => 'quarter');
-- Erasure keeps of the metadata what decided.
SELECT FROM credits.report_meter_event('ada', 'llm', 1, 'x1',
    metadata => '{"model": "large", "region": "eu", "prompt": "secret"}');
SELECT FROM credits.report_meter_event('ada', 'gpu', 1, 'x2', metadata => '{"gpus": 1, "model": "large"}');
SELECT FROM credits.customer_metadata_clear('ada');
SELECT identifier, metadata FROM credits.usage WHERE identifier ^@ 'x' ORDER BY 1;

-- What cannot be.
SELECT credits.meter_create('x', pricing => '{"by": [], "prices": {"a": {"unit_price": 1}}, "unpriced": "reject"}');
SELECT credits.meter_create('x',
    pricing => '{"by": "m", "prices": {"1": {"unit_price": 1}, "1.0": {"unit_price": 2}}, "unpriced": "reject"}');
SELECT credits.meter_create('x',
    pricing => '{"by": "m", "prices": {"a": {"unit_price": 1}}, "default": {"unit_price": 1}, "unpriced": "reject"}');
SELECT credits.meter_create('x', pricing => '{"by": "m", "prices": {"a": {"unit_price": 1}}, "unpriced": "allow"}');

SELECT * FROM credits.verify();
