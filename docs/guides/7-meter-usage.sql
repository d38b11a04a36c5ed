-- METER USAGE
--
-- An AI platform charges for tokens by model, for storage by the month, for seconds of GPU by started minute, and
-- for mails by tiers. This page sets the meters up, reports usage, changes a price, cancels an event, and reads the
-- results. How prices are written is in docs/pricing.md.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-10 09:00+00';
SELECT name, amount FROM credits.credit_grant('gil', 500, name => 'Pack', category => 'paid', cost_basis => 0.02);

-- 1. WHAT IS METERED, AND WHAT IT COSTS
--
-- Tokens: the price depends on the event's metadata. Each event is charged by itself.
SELECT event_name, aggregation FROM credits.meter_create('tokens', unit => 'token', pricing => '{
    "by": "model",
    "prices": {"large": {"unit_price": 10, "per": 1000}, "small": {"unit_price": 1, "per": 1000}},
    "default": {"unit_price": 4, "per": 1000}}');

-- GPU: what a day adds up to, by the started minute.
SELECT event_name, period FROM credits.meter_create('gpu', unit => 'second', period => 'day', pricing => '{
    "unit_price": 0.5, "per": 60, "round": "up"}');

-- Storage: not what was moved but what is stored. The highest value of the month counts.
SELECT event_name, aggregation, unit_price FROM credits.meter_create('storage', unit => 'GB', aggregation => 'max',
                                                                     period => 'month', unit_price => 2);

-- Mails: the first three of a month are free, the next seven cost 1 each, the rest half of that.
SELECT event_name, aggregation
FROM credits.meter_create('mails', aggregation => 'count', period => 'month', pricing => '{
    "mode": "graduated", "tiers": [
    {"up_to": 3, "unit_price": 0}, {"up_to": 10, "unit_price": 1}, {"unit_price": 0.5}]}');

-- A price that cannot be worked out is refused here, where somebody can fix it, and not when usage arrives:
SELECT FROM credits.meter_create('typo', pricing => '{"unit_price": 10, "pre": 1000}');

-- What would 30,000 tokens of the large model cost? (For an estimate, or for a hold.)
SELECT credits.usage_price('tokens', 30000, '{"model": "large"}');

-- 2. USAGE
--
-- The identifier makes it safe to report again after a timeout: the same event is charged once.
SELECT identifier, consumed, available, replayed
FROM credits.report_meter_event('gil', 'tokens', 1500, 'chat-1', metadata => '{"model": "large"}');
SELECT identifier, consumed, available, replayed
FROM credits.report_meter_event('gil', 'tokens', 1500, 'chat-1', metadata => '{"model": "large"}');
SELECT identifier, consumed, available FROM credits.report_meter_event('gil', 'tokens', 1500, 'chat-2');

-- Three runs on the GPU: 50 seconds begin a minute, 10 more fill it, another one begins the next.
SELECT identifier, consumed
FROM (VALUES ('run-1', 50), ('run-2', 10), ('run-3', 1)) AS run (id, seconds),
LATERAL credits.report_meter_event('gil', 'gpu', seconds, id);

-- Storage grows, shrinks, and is measured late: whatever the order, the month costs its highest value.
SELECT identifier, consumed
FROM (VALUES ('gb-1', 20, '2026-03-08 00:00+00'::timestamptz), ('gb-2', 12, '2026-03-10 00:00+00'),
             ('gb-3', 31, '2026-03-09 00:00+00')) AS measured (id, gb, at),
LATERAL credits.report_meter_event('gil', 'storage', gb, id, at);

-- A newsletter to twelve people, in one call: a row per event, in order, with what it alone would have cost.
SELECT identifier, consumed, error
FROM credits.report_meter_events(array_fill('gil'::text, ARRAY[12]), array_fill('mails'::text, ARRAY[12]),
                                 array_fill(1::numeric, ARRAY[12]),
                                 ARRAY(SELECT 'mail-' || n FROM generate_series(1, 12) n));

-- 3. WHAT IT COMES TO
SELECT event_name, unit, total_quantity, total_credits, event_count FROM credits.usage_summary('gil') ORDER BY 1;

-- The same for what is priced by period: the total quantity, and what it costs.
SELECT event_name, period_start, quantity, credits FROM credits.usage_by_period WHERE customer_id = 'gil' ORDER BY 1;

-- By the hour, for a chart; of one customer or of all.
SELECT bucket, event_count, total_value, total_credits
FROM credits.meter_event_stats('tokens', '2026-03-10', '2026-03-11', 'hour', 'gil');

-- 4. IT WAS A MISTAKE
--
-- The 31 GB were somebody else's. Without them the highest is 20, and 22 credits go back to the grant that paid. A
-- repeat changes nothing.
SELECT status, returned, available, replayed FROM credits.meter_event_cancel('gil', 'gb-3', 'not theirs');
SELECT status, returned, available, replayed FROM credits.meter_event_cancel('gil', 'gb-3', 'not theirs');

-- A chat that failed was priced by itself, and all of it comes back.
SELECT status, returned, available FROM credits.meter_event_cancel('gil', 'chat-2', 'no answer was given');
SELECT identifier, status, quantity, credits, returned, cancel_reason FROM credits.usage
WHERE customer_id = 'gil' AND event_name IN ('storage', 'tokens') ORDER BY 1;

-- 5. ANOTHER PRICE
--
-- From now on mails cost 2 after the first. What was charged stays as it is; tiers start again with the new version.
SELECT pricing FROM credits.meter_update('mails', pricing => '{
    "mode": "graduated", "tiers": [{"up_to": 1, "unit_price": 0}, {"unit_price": 2}]}');
SELECT identifier, consumed
FROM generate_series(13, 14) AS n, LATERAL credits.report_meter_event('gil', 'mails', identifier => 'mail-' || n);
SELECT price_version, quantity, credits FROM credits.usage_by_period WHERE event_name = 'mails' ORDER BY 1;
SELECT price_version, pricing FROM credits.price_versions WHERE event_name = 'mails' ORDER BY 1;

-- 6. MORE THAN THERE IS
--
-- Usage has happened when it is reported, so by default it is recorded, and what no credit covers is owed. A customer
-- may be given a limit, and a meter may refuse outright.
SELECT status, consumed, pending, available
FROM credits.report_meter_event('gil', 'tokens', 60000, 'chat-3', metadata => '{"model": "large"}');
SELECT overdraft_limit FROM credits.account_configure('gil', overdraft_limit => 200);
\set VERBOSITY terse
SELECT status FROM credits.report_meter_event('gil', 'tokens', 30000, 'chat-4', metadata => '{"model": "large"}');
SELECT pending FROM credits.pending_amount('gil', 'CREDIT');

-- The next credits pay it first.
SELECT credited, available FROM credits.wallet_credit('gil', 1000);
SELECT * FROM credits.verify();
