-- Prices by block, by tier and by metadata: checked when they are set, and never in the way of an event.
SET credits.test_clock = '2026-03-10 12:00';

-- Per 1,000: in proportion, or in whole blocks of what was used in the period.
SELECT event_name, unit_price, pricing
FROM credits.meter_create('tokens', unit => 'token', pricing => '{"unit_price": 0.02, "per": 1000}');
SELECT event_name, unit_price, period, pricing FROM credits.meter_create('seconds', period => 'day',
    pricing => '{"unit_price": 0.1, "per": 60, "round": "up"}');
SELECT FROM credits.wallet_credit('ada', 1000);
SELECT identifier, consumed, available FROM (VALUES ('t1', 374), ('t2', 1000), ('t3', 1)) v (id, value),
LATERAL credits.report_meter_event('ada', 'tokens', value, id);
SELECT identifier, consumed FROM (VALUES ('s1', 1), ('s2', 59), ('s3', 0.5), ('s4', 60), ('s5', 59.5)) v (id, value),
LATERAL credits.report_meter_event('ada', 'seconds', value, id);
SELECT quantity, event_count, credits, price_version FROM credits.usage_by_period;
-- A second less, and a block less.
SELECT returned, consumed FROM credits.meter_event_cancel('ada', 's1');
SELECT returned, consumed FROM credits.meter_event_cancel('ada', 's2');
SELECT quantity, event_count, credits FROM credits.usage_by_period;

-- Graduated tiers: each part at the price of its tier.
SELECT pricing FROM credits.meter_create('calls', aggregation => 'count', period => 'month', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 2, "unit_price": 0}, {"up_to": 4, "unit_price": 1}, {"unit_price": 0.5, "flat_fee": 10}]}');
SELECT identifier, consumed FROM generate_series(1, 6) i,
LATERAL credits.report_meter_event('ada', 'calls', identifier => 'c' || i);
-- Another month begins anew.
SELECT consumed FROM credits.report_meter_event('ada', 'calls', identifier => 'feb', occurred_at => '2026-02-20');
SELECT returned, consumed FROM credits.meter_event_cancel('ada', 'c1');
SELECT returned, consumed FROM credits.meter_event_cancel('ada', 'c2');
SELECT period_start, quantity, credits FROM credits.usage_by_period WHERE event_name = 'calls' ORDER BY 1;

-- Volume tiers: all of it at the price of the last tier reached. More can cost less, and taking back can cost more.
SELECT FROM credits.meter_create('gb', unit => 'GB', pricing => '{"mode": "volume",
    "tiers": [{"up_to": 100, "unit_price": 1}, {"up_to": 1000, "unit_price": 0.5}, {"unit_price": 0.25}]}');
SELECT identifier, consumed, available FROM (VALUES ('g1', 90), ('g2', 20), ('g3', 390), ('g4', 501)) v (id, value),
LATERAL credits.report_meter_event('ada', 'gb', value, id);
SELECT returned, consumed, pending, available FROM credits.meter_event_cancel('ada', 'g4');
SELECT quantity, credits FROM credits.usage_by_period WHERE event_name = 'gb';
-- A correction is never refused: what no credit covers of it is owed.
SELECT FROM credits.meter_create('kept', overage => 'reject', pricing => '{"mode": "volume", "tiers": [{"up_to": 10, "unit_price": 9}, {"unit_price": 1}]}');
SELECT FROM credits.wallet_credit('ben', 12);
SELECT consumed, available FROM credits.report_meter_event('ben', 'kept', 12, 'k');
SELECT credits.report_meter_event('ben', 'kept', 90, 'l');
SELECT FROM credits.report_meter_event('ben', 'kept', 0, 'nothing');
SELECT FROM credits.wallet_adjust('ben', 5, 'gift');
SELECT consumed, pending FROM credits.report_meter_event('ben', 'kept', 5, 'm');
SELECT returned, consumed, pending, available FROM credits.meter_event_cancel('ben', 'k');
SELECT identifier, status, consumed, pending FROM credits.usage WHERE customer_id = 'ben' ORDER BY 1;

-- By a key of the metadata: an event with any other value, or none, has the default.
SELECT FROM credits.meter_create('llm', pricing => '{"by": "model", "prices": {"large": {"unit_price": 10},
    "batch": {"mode": "graduated", "tiers": [{"up_to": 5, "unit_price": 1}, {"unit_price": "0.1"}]}}, "default": {"unit_price": 1}}');
SELECT identifier, consumed FROM (VALUES ('m1', 2, '{"model": "large"}'::jsonb), ('m2', 2, '{"model": "small"}'), ('m3', 2, NULL),
    ('m4', 4, '{"model": "batch"}'), ('m5', 4, '{"model": "batch", "other": 1}'), ('m6', 2, '{"model": ["large"]}')) v (id, value, m),
LATERAL credits.report_meter_event('ada', 'llm', value, id, metadata => m);
-- What was used at one price does not count for another.
SELECT quantity, event_count, credits, price_class FROM credits.usage_by_period WHERE event_name = 'llm';
SELECT identifier, consumed, error FROM credits.report_meter_events('[
    {"customer_id": "ada", "event_name": "llm", "value": 1, "identifier": "j1", "metadata": {"model": "large"}},
    {"customer_id": "ada", "event_name": "llm", "value": 1, "identifier": "j2", "metadata": {"model": "batch"}}]');
SELECT returned FROM credits.meter_event_cancel('ada', 'm1');
SELECT returned FROM credits.meter_event_cancel('ada', 'm4');

-- Asked beforehand.
SELECT credits.usage_price('llm', 3), credits.usage_price('llm', 3, '{"model": "large"}'), credits.usage_price('llm', 8, price_class => 'batch');

-- Another price is another version: for events from now on, whenever they occurred. Earlier ones keep theirs, and tiers begin anew.
SELECT unit_price, pricing FROM credits.meter_update('llm', unit_price => 7);
SELECT consumed FROM credits.report_meter_event('ada', 'llm', 2, 'n1', metadata => '{"model": "batch"}');
SELECT consumed, replayed FROM credits.report_meter_event('ada', 'llm', 2, 'm2');
SELECT pricing FROM credits.meter_update('calls', pricing => '{"mode": "graduated", "tiers": [{"up_to": 1, "unit_price": 3}, {"unit_price": 2}]}');
SELECT consumed FROM credits.report_meter_event('ada', 'calls', identifier => 'c7');
SELECT consumed FROM credits.report_meter_event('ada', 'calls', identifier => 'c8');
-- The same again is no other price.
SELECT FROM credits.meter_update('calls', pricing => '{"tiers": [{"up_to": 1, "unit_price": 3}, {"unit_price": 2.0}], "mode": "graduated"}');
SELECT consumed FROM credits.report_meter_event('ada', 'calls', identifier => 'c9');
SELECT quantity, credits, price_version FROM credits.usage_by_period WHERE event_name = 'calls'
AND period_start = '2026-03-01' ORDER BY 3;
SELECT returned, consumed FROM credits.meter_event_cancel('ada', 'c3');
SELECT quantity, credits, price_version FROM credits.usage_by_period WHERE event_name = 'calls'
AND period_start = '2026-03-01' ORDER BY 3;
SELECT credits.usage_price('calls', 4), credits.usage_price('calls', 4, price_version => 1);
-- Of a last or a max the event that counts brings its own price.
SELECT FROM credits.meter_create('peak', aggregation => 'max');
SELECT consumed FROM credits.report_meter_event('ada', 'peak', 10, 'p1');
SELECT FROM credits.meter_update('peak', unit_price => 100);
SELECT consumed FROM credits.report_meter_event('ada', 'peak', 3, 'p2');
SELECT consumed, pending FROM credits.report_meter_event('ada', 'peak', 11, 'p3');
SELECT quantity, credits, price_version FROM credits.usage_by_period WHERE event_name = 'peak';
SELECT returned, consumed, pending FROM credits.meter_event_cancel('ada', 'p3');
SELECT quantity, credits, price_version FROM credits.usage_by_period WHERE event_name = 'peak';

SELECT event_name, aggregation, period, unit_price, pricing, price_version FROM credits.meters ORDER BY 1;

-- What cannot be a price is refused when it is set.
SELECT credits.meter_create('x', pricing => '[]');
SELECT credits.meter_create('x', pricing => '{"unit_price": -1}');
SELECT credits.meter_create('x', pricing => '{"unit_price": 1, "prise": 2}');
SELECT credits.meter_create('x', pricing => '{"mode": "volume", "tiers": [{"up_to": 5, "unit_price": 1}]}');
SELECT credits.meter_create('x', pricing => '{"by": "model", "prices": {"a": {"unit_price": 1}}}');
SELECT credits.meter_create('x', unit_price => 2, pricing => '{"unit_price": 1}');
SELECT credits.meter_create('x', unit_price => NULL);
SELECT credits.meter_update('llm', unit_price => 2, pricing => '{"unit_price": 1}');
SELECT credits.meter_update('llm', pricing => '{"mode": "odd", "tiers": [{"unit_price": 1}]}');
SELECT credits.meter_update('none', unit_price => 2);
SELECT credits.usage_price('none', 2);
SELECT credits.usage_price('llm', -2);
SELECT credits.usage_price('llm', 2, price_version => 9);
SELECT credits.usage_price('llm', NULL);

SELECT * FROM credits.verify();
