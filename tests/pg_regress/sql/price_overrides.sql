-- What one customer pays instead of a meter's prices.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.wallet_credit('ada', 1000);
SELECT FROM credits.wallet_credit('bob', 1000);
SELECT FROM credits.meter_create('calls', unit_price => 1);
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'list');
-- A discount: percent off whatever the meter's price is.
SELECT override_no, unit_price, discount_percent, effective_at, ends_at, status, replayed
FROM credits.meter_price_override('ada', 'calls', discount_percent => 20);
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a1');
SELECT consumed FROM credits.report_meter_event('bob', 'calls', 10, 'b1');
SELECT credits.usage_price('calls', 10) AS list, credits.usage_price('calls', 10, customer_id => 'ada') AS ada,
       credits.usage_price('calls', 10, customer_id => 'bob') AS bob;
-- The same again is the same.
SELECT override_no, replayed FROM credits.meter_price_override('ada', 'calls', discount_percent => 20.0);
SET credits.test_clock = '2026-03-02 12:00Z';
SELECT FROM credits.meter_update('calls', unit_price => 2);
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a2');
-- Late, it is what it was then: the old price and no discount yet, the old price with it.
SELECT identifier, consumed FROM credits.report_meter_events(ARRAY['ada', 'ada', 'bob', 'ada'], ARRAY['calls',
    'calls', 'calls', 'calls'],
    ARRAY[10, 10, 10, 10], ARRAY['l1', 'l2', 'l3', 'l4'],
    ARRAY['2026-03-01 11:59Z', '2026-03-01 12:01Z', '2026-03-02 12:01Z', '2026-03-02 12:01Z']::timestamptz[]);
-- A special price for a while over it, and a price from April on. What began last is in force.
SELECT override_no, status FROM credits.meter_price_override('ada', 'calls', unit_price => 0.5,
    effective_at => '2026-03-10Z', ends_at => '2026-03-20Z');
SELECT override_no, status FROM credits.meter_price_override('ada', 'calls', effective_at => '2026-04-01Z',
    pricing => '{"unit_price": 1, "per": 4, "round": "up"}');
SELECT at, credits.usage_price('calls', 10, customer_id => 'ada', occurred_at => at)
FROM unnest('{2026-03-01 11:00Z, 2026-03-01 13:00Z, 2026-03-02 13:00Z, 2026-03-10Z, 2026-03-20Z, 2026-04-01Z}'::timestamptz[]) at;
SELECT override_no, unit_price, pricing, discount_percent, effective_at, ends_at, status FROM credits.price_overrides;
SET credits.test_clock = '2026-03-10Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a3');
SET credits.test_clock = '2026-03-20Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a4');
SET credits.test_clock = '2026-04-01Z';
-- Whole blocks of four, priced together; another price of the meter changes nothing of that.
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a5');
SELECT FROM credits.meter_update('calls', unit_price => 3);
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 2, 'a6');
SELECT period_key, quantity, credits, price_version, override_no FROM credits.usage_by_period;
SELECT returned FROM credits.meter_event_cancel('ada', 'a5');
SELECT identifier, credits, price_version, override_no FROM credits.usage WHERE customer_id = 'ada'
ORDER BY occurred_at, 1;
-- A price of before, by its number.
SELECT credits.usage_price('calls', 10, customer_id => 'ada', override_no => 2) AS special,
       credits.usage_price('calls', 10, customer_id => 'ada', override_no => 1, price_version => 1) AS at_first,
       credits.usage_price('calls', 10, customer_id => 'ada', price_version => 1) AS list_of_then;

-- Ending them: now, at a moment, one or all.
SELECT override_no, ends_at, status FROM credits.meter_price_override_end('ada', 'calls', 3, '2026-05-01Z');
SELECT override_no, ends_at, status, replayed FROM credits.meter_price_override_end('ada', 'calls', 2);
SELECT override_no, status FROM credits.meter_price_override('ada', 'calls', unit_price => 9,
    effective_at => '2026-06-01Z');
SELECT override_no, effective_at, ends_at, status FROM credits.meter_price_override_end('ada', 'calls');
SELECT count(*) FROM credits.meter_price_override_end('ada', 'calls');
SET credits.test_clock = '2026-04-01 00:01Z';
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a7');
SELECT consumed FROM credits.report_meter_event('ada', 'calls', 10, 'a8', '2026-03-25Z');

-- Tiers: with a discount the meter's, of a price of their own its own.
SELECT FROM credits.meter_create('mails', aggregation => 'count', period => 'month', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 2, "unit_price": 0}, {"unit_price": 1}]}');
SELECT FROM credits.meter_price_override('ada', 'mails', discount_percent => 50);
SELECT FROM credits.meter_price_override('bob', 'mails', pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 3, "unit_price": 0}, {"unit_price": 0.1}]}');
SELECT c, sum(consumed) FROM unnest('{ada, bob}'::text[]) c, generate_series(1, 5) i,
    credits.report_meter_event(c, 'mails', 1, 'm' || i) GROUP BY 1 ORDER BY 1;
SELECT returned FROM credits.meter_event_cancel('ada', 'm1');
SELECT returned FROM credits.meter_event_cancel('bob', 'm1');
-- Of a last, the event that counts brings the price of its own time.
SELECT FROM credits.meter_create('seats', aggregation => 'last', unit_price => 10);
SELECT consumed FROM credits.report_meter_event('ada', 'seats', 4, 's1');
SET credits.test_clock = '2026-04-02Z';
SELECT FROM credits.meter_price_override('ada', 'seats', unit_price => 1);
SELECT consumed FROM credits.report_meter_event('ada', 'seats', 4, 's2');
SELECT returned FROM credits.meter_event_cancel('ada', 's2');
SELECT period_key, quantity, credits, price_version, override_no FROM credits.usage_by_period ORDER BY customer_id,
    event_name, 1;
-- By metadata, deferred, and through the inbox. Erasure keeps what the price names.
SELECT FROM credits.meter_create('llm', settlement => 'deferred', unit_price => 5);
SELECT FROM credits.meter_price_override('ada', 'llm',
    pricing => '{"by": "model", "prices": {"large": {"unit_price": 3}},
    "default": {"unit_price": 1}}');
SELECT status FROM credits.report_meter_event('ada', 'llm', 1, 'd1',
    metadata => '{"model": "large", "prompt": "secret"}');
INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('ada', 'llm', 'd2'), ('bob', 'llm', 'd3');
CALL credits.maintain();
SELECT customer_id, identifier, credits, override_no FROM credits.usage WHERE event_name = 'llm' ORDER BY 1, 2;
SELECT FROM credits.customer_metadata_clear('ada');
SELECT identifier, metadata FROM credits.usage WHERE metadata IS NOT NULL;
SELECT returned FROM credits.meter_event_cancel('ada', 'd1');

-- What cannot be.
SELECT credits.meter_price_override('ada', 'calls');
SELECT credits.meter_price_override('ada', 'calls', unit_price => 1, discount_percent => 5);
SELECT credits.meter_price_override('ada', 'calls', discount_percent => 0);
SELECT credits.meter_price_override('ada', 'calls', discount_percent => 100.5);
SELECT credits.meter_price_override('ada', 'calls', unit_price => -1);
SELECT credits.meter_price_override('ada', 'calls', pricing => '{"unit_price": 1, "prise": 2}');
SELECT credits.meter_price_override('ada', 'calls', unit_price => 1, effective_at => '2026-03-01Z');
SELECT credits.meter_price_override('ada', 'calls', unit_price => 1, ends_at => '2026-04-02Z');
SELECT credits.meter_price_override('ada', 'llm', pricing => '{"unit_price": 1, "per": 4, "round": "up"}');
SELECT credits.meter_price_override('eve', 'calls', unit_price => 1);
SELECT credits.meter_price_override('ada', 'callz', unit_price => 1);
SELECT credits.meter_price_override_end('ada', 'calls', 99);
SELECT credits.meter_price_override_end('ada', 'calls', 1, '2026-03-01Z');
SELECT credits.usage_price('calls', 1, override_no => 1);
SELECT credits.usage_price('calls', 1, customer_id => 'bob', override_no => 1);

SELECT * FROM credits.verify();
