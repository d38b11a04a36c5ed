-- Meters that count different values of a key of the metadata: monthly active users.
SET credits.test_clock = '2026-03-10 12:00Z';
SELECT FROM credits.wallet_credit('acme', 1000);
SELECT aggregation, unique_by, period, unit_price FROM credits.meter_create('mau', aggregation => 'unique',
    unique_by => 'user_id',
    period => 'month', unit_price => 2, unit => 'user');
SELECT event_name, aggregation, unique_by FROM credits.meters;

-- The first event of a user costs what one user costs,
-- every other of that month nothing; the value does not matter.
SELECT identifier, status, consumed, available FROM credits.report_meter_event('acme', 'mau', 1, 'e1',
    metadata => '{"user_id": "ann"}');
SELECT identifier, status, consumed, available FROM credits.report_meter_event('acme', 'mau', 7, 'e2',
    metadata => '{"user_id": "ann"}');
SELECT identifier, status, consumed, available FROM credits.report_meter_event('acme', 'mau', 0, 'e3',
    metadata => '{"user_id": "bob"}');
-- Last month is another one.
SELECT consumed FROM credits.report_meter_event('acme', 'mau', 1, 'e4', '2026-02-27 12:00Z',
    metadata => '{"user_id": "ann"}');
SELECT period_key, quantity, event_count, credits FROM credits.usage_by_period ORDER BY period_key;
-- The same report again is a replay, whatever user it says.
SELECT consumed, replayed FROM credits.report_meter_event('acme', 'mau', 1, 'e1', metadata => '{"user_id": "cat"}');

-- A text is what it is, a number what it is, true and false by their names: as for prices by metadata.
SELECT metadata, consumed FROM unnest(ARRAY['{"user_id": 7}', '{"user_id": 7.0}', '{"user_id": "7"}',
    '{"user_id": "7.0"}',
        '{"user_id": true}', '{"user_id": "true"}', '{"user_id": "Ann"}',
    '{"user_id": ""}']::jsonb[]) WITH ORDINALITY v (metadata, no),
    credits.report_meter_event('acme', 'mau', 1, 'n' || no, metadata => metadata) ORDER BY no;
-- One of any length, and what looks like the digest by which it is kept.
SELECT length(v), consumed FROM unnest(ARRAY[repeat('x', 255), repeat('x', 256), repeat('x', 256), repeat('x',
    100000),
        'sha256:' || encode(sha256(convert_to(repeat('x', 256), 'UTF8')), 'hex')]) WITH ORDINALITY u (v, no),
    credits.report_meter_event('acme', 'mau', 1, 'l' || no, metadata => jsonb_build_object('user_id',
    v)) ORDER BY no;
SELECT max(length(value)) FROM credits_internal.usage_values;

-- Without such a value nothing can be counted: refused, whatever way it comes.
SELECT credits.report_meter_event('acme', 'mau', 1, 'x1');
SELECT identifier, error, message FROM credits.report_meter_events('[
    {"customer_id": "acme", "event_name": "mau", "identifier": "x2", "metadata": {"user": "ann"}},
    {"customer_id": "acme", "event_name": "mau", "identifier": "x3", "metadata": {"user_id": null}},
    {"customer_id": "acme", "event_name": "mau", "identifier": "x4", "metadata": {"user_id": ["ann"]}},
    {"customer_id": "acme", "event_name": "mau", "identifier": "x5", "metadata": {"user_id": {"id": 1}}},
    {"customer_id": "acme", "event_name": "mau", "identifier": "x6", "metadata": {"user_id": "dan"}}]');
SELECT error FROM credits.report_meter_events('{acme}', '{mau}', '{1}', '{x7}');
INSERT INTO credits.inbox (customer_id, event_name, identifier, metadata)
VALUES ('acme', 'mau', 'i1', NULL), ('acme', 'mau', 'i2', '{"user_id": "eve"}'), ('acme', 'mau', 'i3',
    '{"user_id": "ann"}');
SELECT credits.settle();
SELECT identifier, error FROM credits.rejected_events;
SELECT identifier, credits FROM credits.usage WHERE identifier LIKE 'i%' ORDER BY 1;

-- Taking an event back lowers the count only where no other of that user is left.
SELECT returned FROM credits.meter_event_cancel('acme', 'e1');
SELECT returned FROM credits.meter_event_cancel('acme', 'i3');
SELECT returned FROM credits.meter_event_cancel('acme', 'e2');
SELECT returned, replayed FROM credits.meter_event_cancel('acme', 'e2');
SELECT consumed FROM credits.report_meter_event('acme', 'mau', 1, 'e5', metadata => '{"user_id": "ann"}');
-- Another value changes nothing, since it does not matter.
SELECT value, charged, returned FROM credits.meter_event_adjust('acme', 'e5', 12);

-- In a batch the first event of each value pays.
SELECT FROM credits.wallet_credit('bulk', 100000);
SELECT count(*), count(error), sum(consumed) FROM credits.report_meter_events((
    SELECT jsonb_agg(jsonb_build_object('customer_id', 'bulk', 'event_name', 'mau', 'identifier', 'b' || n,
        'metadata', jsonb_build_object('user_id', n % 3000))) FROM generate_series(1, 10000) n));
SELECT count(*), count(error), sum(consumed) FROM credits.report_meter_events((
    SELECT jsonb_agg(jsonb_build_object('customer_id', 'bulk', 'event_name', 'mau', 'identifier', 'c' || n,
        'metadata', jsonb_build_object('user_id', n % 3500))) FROM generate_series(1, 10000) n));
SELECT quantity, event_count, credits FROM credits.usage_by_period WHERE customer_id = 'bulk';
-- Where one is refused the next may pay.
SELECT FROM credits.meter_create('seats', aggregation => 'unique', unique_by => 'seat', overage => 'reject',
    pricing => '{"by": "kind",
    "prices": {"full": {"unit_price": 10}, "lite": {"unit_price": 1}}, "default": {"unit_price": 3}}');
SELECT FROM credits.wallet_credit('poor', 5);
SELECT identifier, status, consumed, error FROM credits.report_meter_events('[
    {"customer_id": "poor", "event_name": "seats", "identifier": "s1", "metadata": {"seat": 1, "kind": "full"}},
    {"customer_id": "poor", "event_name": "seats", "identifier": "s2", "metadata": {"seat": 1, "kind": "lite"}},
    {"customer_id": "poor", "event_name": "seats", "identifier": "s3", "metadata": {"seat": 1, "kind": "full"}},
    {"customer_id": "poor", "event_name": "seats", "identifier": "s4", "metadata": {"seat": 2}},
    {"customer_id": "poor", "event_name": "seats", "identifier": "s5", "metadata": {"seat": 3}},
    {"customer_id": "poor", "event_name": "seats", "identifier": "s6", "metadata": {"seat": 2, "kind": "lite"}},
    {"customer_id": "poor", "event_name": "seats", "identifier": "s2", "metadata": {"seat": 4, "kind": "lite"}}]');
-- A value counts at the price of the event that brought it,
-- and stays there until the last of its events is taken back.
SELECT period_key, price_class, quantity, event_count, credits FROM credits.usage_by_period
    WHERE customer_id = 'poor' ORDER BY 1;
SELECT returned FROM credits.meter_event_cancel('poor', 's2');
SELECT returned FROM credits.meter_event_cancel('poor', 's3');
SELECT consumed FROM credits.report_meter_event('poor', 'seats', 1, 's7', metadata => '{"seat": 1}');
-- So it is with another price in mid-period, and with one of the customer's own.
SELECT FROM credits.meter_update('mau', unit_price => 5);
SELECT consumed FROM credits.report_meter_event('acme', 'mau', 1, 'p1', metadata => '{"user_id": "ann"}');
SELECT consumed FROM credits.report_meter_event('acme', 'mau', 1, 'p2', metadata => '{"user_id": "pat"}');
SELECT FROM credits.meter_price_override('acme', 'mau', unit_price => 1);
SELECT consumed FROM credits.report_meter_event('acme', 'mau', 1, 'p3', metadata => '{"user_id": "pat"}');
SELECT consumed FROM credits.report_meter_event('acme', 'mau', 1, 'p4', metadata => '{"user_id": "quin"}');
SELECT returned FROM credits.meter_event_cancel('acme', 'p2');
SELECT returned FROM credits.meter_event_cancel('acme', 'p3');
SELECT period_key, quantity, event_count, credits FROM credits.usage_by_period
    WHERE customer_id = 'acme' ORDER BY 1;
SELECT identifier, price_version, override_no, period_key, credits FROM credits.usage
WHERE customer_id = 'acme' AND identifier LIKE 'p%' ORDER BY 1;

-- Tiers and blocks of users; tiers may go on under another price.
SELECT FROM credits.meter_create('packs', aggregation => 'unique', unique_by => 'user',
    pricing => '{"unit_price": 8, "per": 2, "round": "up"}');
SELECT u, consumed FROM unnest('{a, b, a, c}'::text[]) WITH ORDINALITY x (u, no),
    credits.report_meter_event('acme', 'packs', 1, 'k' || no, metadata => jsonb_build_object('user',
    u)) ORDER BY no;
SELECT FROM credits.meter_create('users', aggregation => 'unique', unique_by => 'user', period => 'day',
    pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 2, "unit_price": 0}, {"unit_price": 3}]}');
SELECT u, consumed FROM unnest('{a, b, b, c}'::text[]) WITH ORDINALITY x (u, no),
    credits.report_meter_event('acme', 'users', 1, 'u' || no, metadata => jsonb_build_object('user',
    u)) ORDER BY no;
SELECT FROM credits.meter_update('users', continue_tiers => true, pricing => '{"mode": "graduated",
    "tiers": [{"up_to": 4, "unit_price": 1}, {"unit_price": 2}]}');
SELECT u, consumed FROM unnest('{a, d, e, c}'::text[]) WITH ORDINALITY x (u, no),
    credits.report_meter_event('acme', 'users', 1, 'v' || no, metadata => jsonb_build_object('user',
    u)) ORDER BY no;
SELECT period_key, carried, quantity, event_count, credits FROM credits.usage_by_period
    WHERE event_name = 'users' ORDER BY 1;
SELECT credits.usage_price('users', 10);

-- A hold that is captured as usage.
SELECT hold_id FROM credits.hold_create('acme', 20) \gset
SELECT amount, captured FROM credits.hold_capture('acme', :'hold_id', event_name => 'users',
    identifier => 'h1', metadata => '{"user": "f"}');
SELECT hold_id FROM credits.hold_create('acme', 20) \gset
SELECT amount, captured FROM credits.hold_capture('acme', :'hold_id', event_name => 'users',
    identifier => 'h2', metadata => '{"user": "a"}');
SELECT hold_id FROM credits.hold_create('acme', 20) \gset
SELECT FROM credits.hold_capture('acme', :'hold_id', event_name => 'users', identifier => 'h3');
SELECT identifier, period_key, credits FROM credits.usage WHERE identifier LIKE 'h%' ORDER BY 1;

-- What is owed is forgiven first, what was paid comes back.
SELECT FROM credits.customer_upsert('owing');
SELECT FROM credits.wallet_credit('owing', 3);
SELECT status, consumed, pending FROM credits.report_meter_event('owing', 'mau', 1, 'o1',
    metadata => '{"user_id": 1}');
SELECT status, consumed, pending FROM credits.report_meter_event('owing', 'mau', 1, 'o2',
    metadata => '{"user_id": 1}');
SELECT FROM credits.meter_event_cancel('owing', 'o1');
SELECT pending FROM credits.pending_amount('owing');
SELECT returned FROM credits.meter_event_cancel('owing', 'o2');
SELECT available, pending FROM credits.wallet_balance('owing', 'CREDIT');
-- Limits count what is charged.
SELECT FROM credits.usage_limit_set('owing', 'mau', 6, 'day');
SELECT consumed FROM credits.report_meter_event('owing', 'mau', 1, 'o3', metadata => '{"user_id": 2}');
SELECT consumed FROM credits.report_meter_event('owing', 'mau', 1, 'o4', metadata => '{"user_id": 2}');
SELECT consumed FROM credits.report_meter_event('owing', 'mau', 1, 'o5', metadata => '{"user_id": 3}');

-- Statistics count different values too: of each day, and of all of it.
SELECT * FROM credits.meter_event_stats('mau', customer_id => 'acme');
SELECT bucket, event_count, total_value FROM credits.meter_event_stats('mau', granularity => 'hour');
SELECT event_name, total_quantity, total_credits, event_count FROM credits.usage_summary('acme');
SELECT total_quantity FROM credits.usage_summary('acme', end_at => '2026-03-01Z');

-- Where metadata is cleared, events keep what the price depends on.
SELECT waiting FROM credits.customer_metadata_clear('acme');
SELECT DISTINCT metadata FROM credits.usage WHERE customer_id = 'acme' AND identifier IN ('e5', 'h2') ORDER BY 1;
SELECT returned FROM credits.meter_event_cancel('acme', 'e5');

-- What a meter must be.
SELECT credits.meter_create('bad', aggregation => 'unique');
SELECT credits.meter_create('bad', unique_by => 'user_id');
SELECT credits.meter_create('bad', aggregation => 'unique', unique_by => '');
SELECT credits.meter_create('bad', aggregation => 'unique', unique_by => 'user_id', settlement => 'deferred');
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT credits.meter_update('mau', fallback_currency => 'USD', fallback_rate => 0.1);
SELECT unique_by FROM credits.meter_create('packs', aggregation => 'unique', unique_by => 'user',
    pricing => '{"unit_price": 8, "per": 2, "round": "up"}', if_not_exists => true);
SELECT credits.meter_create('packs', aggregation => 'unique', unique_by => 'users',
    pricing => '{"unit_price": 8, "per": 2, "round": "up"}', if_not_exists => true);

-- verify() works it out from the events.
SELECT * FROM credits.verify();
BEGIN;
UPDATE credits_internal.usage_values SET event_count = event_count + 1 WHERE customer_id = 'poor' AND value = '2';
UPDATE credits_internal.meter_events SET metadata = '{"seat": 8}' WHERE identifier = 's6';
SELECT problem, subject, expected, found FROM credits.verify('poor');
ROLLBACK;
