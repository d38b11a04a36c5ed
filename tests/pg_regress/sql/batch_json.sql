-- A batch as JSON: the same reports as over arrays, told by name.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.meter_create('tokens', unit_price => 0.001);
SELECT FROM credits.meter_create('strict', overage => 'reject');
SELECT FROM credits.wallet_credit('ada', 10);
SELECT FROM credits.wallet_credit('bob', 1);
SELECT * FROM credits.report_meter_events($$[
    {"customer_id": "ada", "event_name": "tokens", "value": 1000, "identifier": "e1", "subscription_id": "pro",
     "source_data": {"request": 7}, "metadata": {"model": "large"}, "occurred_at": "2026-03-01T13:00:00.5+01:00"},
    {"customer_id": "ada", "event_name": "tokens", "value": "2000.50", "identifier": "e2"},
    {"customer_id": "bob", "event_name": "tokens", "value": 3000, "identifier": "e1"},
    {"customer_id": "bob", "event_name": "strict", "identifier": "e2"},
    {"customer_id": "ada", "event_name": "tokens", "value": 1000, "identifier": "e1"},
    {"customer_id": "nobody", "event_name": "tokens", "identifier": "e3"},
    {"customer_id": "ada", "event_name": "nothing", "identifier": "e4"},
    {"customer_id": "ada", "event_name": "tokens", "value": -1, "identifier": "e5"},
    {"customer_id": "ada", "event_name": "tokens", "value": "many", "identifier": "e6"},
    {"customer_id": "ada", "event_name": "tokens", "quantity": 5, "identifier": "e7"},
    {"customer_id": "ada", "event_name": "tokens", "occurred_at": "yesterday", "identifier": "e8"},
    {"customer_id": "ada", "event_name": "tokens", "occurred_at": "2025-03-01T12:00:00Z", "identifier": "e9"},
    {"customer_id": "ada", "event_name": "tokens"},
    {"customer_id": "ada", "event_name": "tokens", "identifier": "e10", "metadata": null},
    {"customer_id": "ada", "event_name": "tokens", "value": null, "identifier": "e10b"},
    {"customer_id": "ada", "event_name": "tokens", "value": 0.1234567890123456789012345678, "identifier": "e11"},
    {"customer_id": "ada", "event_name": "tokens", "value": 1e400, "identifier": "e12"},
    "no object", 5, null, []
]$$);
SELECT identifier, quantity, credits, consumed, pending, occurred_at, subscription_id, source_data, metadata
FROM credits.usage ORDER BY customer_id, identifier;

-- The same again is all replays; and what to_jsonb makes of rows can be handed in as it is.
SELECT identifier, status, replayed FROM credits.report_meter_events($$[
    {"customer_id": "ada", "event_name": "tokens", "value": 1000, "identifier": "e1"},
    {"customer_id": "bob", "event_name": "tokens", "value": 3000, "identifier": "e1"}]$$);
SELECT identifier, status, consumed FROM credits.report_meter_events((
    SELECT jsonb_agg(to_jsonb(u)) FROM (
        SELECT 'ada' AS customer_id, 'tokens' AS event_name, i * 10 AS value, 'row-' || i AS identifier,
               timestamptz '2026-03-01 11:00+00' AS occurred_at FROM generate_series(1, 3) i) u));

-- One event alone, none at all, and all or nothing.
SELECT status, consumed FROM credits.report_meter_events('[{"customer_id": "ada", "event_name": "tokens", "value": 5, "identifier": "alone", "metadata": {"a": 1}}]');
SELECT metadata FROM credits.usage WHERE identifier = 'alone';
SELECT count(*) FROM credits.report_meter_events('[]');
SELECT credits.report_meter_events('[{"customer_id": "ada", "event_name": "tokens", "identifier": "x1"},
                                     {"customer_id": "ada", "event_name": "tokens", "identifer": "x2"}]', all_or_nothing => true);
SELECT count(*) FROM credits.usage WHERE identifier LIKE 'x%';

SELECT credits.report_meter_events('{"customer_id": "ada"}'::jsonb);
SELECT credits.report_meter_events('null'::jsonb);
SELECT credits.report_meter_events(NULL::jsonb);
SELECT * FROM credits.verify();
