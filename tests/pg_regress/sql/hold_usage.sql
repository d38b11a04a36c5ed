-- Holds that are captured as usage: what is captured is an event of a meter, which the hold pays.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.meter_create('tokens', unit_price => 0.5, unit => 'token');
SELECT FROM credits.meter_create('answers', pricing => '{"by": "model", "prices": {"large": {"unit_price": 3}},
    "default": {"unit_price": 1}}');
SELECT FROM credits.credit_grant('ada', 10, name => 'bonus', expires_at => '2026-03-02');
SELECT FROM credits.credit_grant('ada', 30, name => 'pack', category => 'paid');

-- Estimate 9, use 12 tokens at half a credit: 6 are captured, as that usage, and 3 come back.
SELECT hold_id AS h FROM credits.hold_create('ada', 9) \gset
SELECT status, amount, captured, released, available, replayed, capture_amount
FROM credits.hold_capture('ada', :'h', description => 'one answer', event_name => 'tokens', value => 12,
    identifier => 'req-1');
SELECT status, amount, captured, released, available, replayed, capture_amount
FROM credits.hold_capture('ada', :'h', event_name => 'tokens', value => 12, identifier => 'req-1');
SELECT line_no, type, amount, held, grant_name, function, identifier, event_name, quantity, unit, description
FROM credits.ledger WHERE customer_id = 'ada' AND line_no > 2 ORDER BY line_no;
SELECT identifier, event_name, quantity, credits, consumed, pending, status FROM credits.usage;
SELECT total_quantity, total_credits, event_count FROM credits.usage_summary('ada');
SELECT event_count, total_value, total_credits FROM credits.meter_event_stats('tokens', '2026-03-01', '2026-03-02',
    'day');
SELECT status, consumed, pending, replayed FROM credits.report_meter_event('ada', 'tokens', 12, 'req-1');

-- The identifier is used once: not for other usage, not for another hold, not if it was reported without one.
SELECT credits.hold_capture('ada', :'h', event_name => 'tokens', value => 13, identifier => 'req-1');
SELECT credits.hold_capture('ada', :'h', event_name => 'answers', value => 12, identifier => 'req-1');
SELECT hold_id AS two FROM credits.hold_create('ada', 9) \gset
DO $$ BEGIN PERFORM credits.hold_capture('ada', (SELECT hold_id FROM credits.holds WHERE status = 'open'),
    event_name => 'tokens', value => 12, identifier => 'req-1');
EXCEPTION WHEN SQLSTATE 'PC002' THEN RAISE NOTICE 'PC002: another hold'; END $$;
SELECT status FROM credits.report_meter_event('ada', 'tokens', 1, 'req-2');
DO $$ BEGIN PERFORM credits.hold_capture('ada', (SELECT hold_id FROM credits.holds WHERE status = 'open'),
    event_name => 'tokens', value => 1, identifier => 'req-2');
EXCEPTION WHEN SQLSTATE 'PC002' THEN RAISE NOTICE 'PC002: no hold'; END $$;

-- The amount is the price, or NULL.
SELECT credits.hold_capture('ada', :'two', 5, event_name => 'tokens', value => 12, identifier => 'req-3');
SELECT credits.hold_capture('ada', :'two', event_name => 'tokens', value => 12);
SELECT credits.hold_capture('ada', :'two', value => 12, identifier => 'req-3');
SELECT credits.hold_capture('ada', :'two', event_name => 'token', value => 12, identifier => 'req-3');
SELECT credits.hold_capture('ada', :'two', event_name => 'tokens', value => -1, identifier => 'req-3');
SELECT FROM credits.currency_create('GPU', 'GPU hours');
SELECT FROM credits.meter_create('gpu', currency => 'GPU');
SELECT credits.hold_capture('ada', :'two', event_name => 'gpu', identifier => 'req-3');
SELECT FROM credits.meter_deactivate('tokens');
SELECT credits.hold_capture('ada', :'two', event_name => 'tokens', value => 12, identifier => 'req-3');
SELECT status, replayed FROM credits.hold_capture('ada', :'h', event_name => 'tokens', value => 12,
    identifier => 'req-1');
SELECT FROM credits.meter_activate('tokens');

-- Its metadata decides the price.
SELECT status, captured, capture_amount, available FROM credits.hold_capture('ada', :'two', 3,
    event_name => 'answers',
    identifier => 'answer-1', metadata => '{"model": "large"}', final => false);
SELECT status, captured, capture_amount, available FROM credits.hold_capture('ada', :'two', event_name => 'answers',
    identifier => 'answer-2', final => false);
SELECT status, captured, capture_amount, replayed FROM credits.hold_capture('ada', :'two', event_name => 'answers',
    identifier => 'answer-1', metadata => '{"model": "small"}', final => false);
-- More than it has: refused, or from the balance; that is the same event.
SELECT credits.hold_capture('ada', :'two', event_name => 'tokens', value => 16, identifier => 'more');
SELECT credits.hold_capture('ada', :'two', event_name => 'tokens', value => 1600, identifier => 'more',
    more => 'available');
SELECT status, captured, charged, released, capture_amount, available FROM credits.hold_capture('ada', :'two',
    event_name => 'tokens', value => 16, identifier => 'more', more => 'available');
SELECT event_name, identifier, quantity, amount, held, charged, final, metadata FROM credits.hold_captures
ORDER BY capture_id;
SELECT identifier, event_name, credits, status FROM credits.usage ORDER BY created_at, identifier;

-- Taken back like any other event: to the grants that paid, the hold's too.
SELECT name, remaining, held, consumed FROM credits.grants WHERE customer_id = 'ada' ORDER BY grant_id;
SELECT status, returned, available FROM credits.meter_event_cancel('ada', 'more');
SELECT status, returned, available FROM credits.meter_event_cancel('ada', 'req-1');
SELECT status, returned, available, replayed FROM credits.meter_event_cancel('ada', 'req-1');
SELECT name, remaining, held, consumed FROM credits.grants WHERE customer_id = 'ada' ORDER BY grant_id;
SELECT status, captured, replayed FROM credits.hold_capture('ada', :'h', event_name => 'tokens', value => 12,
    identifier => 'req-1');
SELECT credits.operation_reverse('ada', (SELECT capture_id FROM credits.hold_captures WHERE identifier = 'answer-1'));
SELECT * FROM credits.verify();

-- Late: the balance pays; after the bonus has expired, what comes back of it expires as well.
SELECT hold_id AS h FROM credits.hold_create('ada', 4, expires_in => '1 hour') \gset
SELECT hold_id AS held FROM credits.hold_create('ada', 2, expires_in => '20 days') \gset
SET credits.test_clock = '2026-03-03';
\set VERBOSITY sqlstate
SELECT credits.hold_capture('ada', :'h', event_name => 'tokens', value => 4, identifier => 'late');
\set VERBOSITY default
SELECT status, captured, charged, available, capture_amount FROM credits.hold_capture('ada', :'h',
    event_name => 'tokens',
    value => 4, identifier => 'late', late => 'charge');
SELECT status, captured, charged, available FROM credits.hold_capture('ada', :'held', event_name => 'tokens',
    value => 3,
    identifier => 'held');
SELECT returned, available FROM credits.meter_event_cancel('ada', 'held');
SELECT name, status, remaining, held, consumed, lapsed
    FROM credits.grants WHERE customer_id = 'ada' ORDER BY grant_id;

-- What is priced together costs what it would have cost as a plain event: twins, one with a hold for each event.
SELECT FROM credits.meter_create('tiers', pricing => '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 2},
    {"unit_price": 1}]}', period => 'month');
SELECT FROM credits.meter_create('blocks', pricing => '{"unit_price": 2, "per": 7, "round": "up"}', period => 'day');
SELECT FROM credits.meter_create('seats', aggregation => 'last', period => 'month');
SELECT FROM credits.meter_create('peak', aggregation => 'max', unit_price => 0.25, period => 'month');
SELECT FROM credits.meter_create('calls', aggregation => 'count', unit_price => 0.1);
SELECT FROM credits.meter_create('later', unit_price => 2, settlement => 'deferred');
SELECT FROM credits.wallet_credit('held', 1000);
SELECT FROM credits.wallet_credit('plain', 1000);
DO $$
DECLARE
    i int := 0; meter text; amount numeric; captured numeric; plain numeric; hold uuid;
BEGIN
    FOREACH amount IN ARRAY ARRAY[3, 9, 2, 7, 0, 12.5] LOOP
        FOREACH meter IN ARRAY ARRAY['tiers', 'blocks', 'seats', 'peak', 'calls', 'later'] LOOP
            i := i + 1;
            PERFORM set_config('credits.test_clock', (timestamptz '2026-03-10 10:00' + i * interval '1 hour')::text,
    false);
            hold := (credits.hold_create('held', 20)).hold_id;
            captured := (credits.hold_capture('held', hold, event_name => meter, value => amount,
                                              identifier => 'i' || i, more => 'available')).capture_amount;
            plain := (credits.report_meter_event('plain', meter, amount, 'i' || i)).consumed;
            IF meter <> 'later' AND captured <> greatest(plain, 0) THEN
                RAISE NOTICE '% of %: % captured, % as a plain event', amount, meter, captured, plain;
            END IF;
        END LOOP;
    END LOOP;
END $$;
CALL credits.maintain();
SELECT h.event_name, h.quantity, h.credits, p.quantity = h.quantity AND p.credits = h.credits AS same
FROM credits.usage_by_period h JOIN credits.usage_by_period p ON p.customer_id = 'plain'
    AND h.event_name = p.event_name
    AND h.period_start = p.period_start WHERE h.customer_id = 'held' ORDER BY h.event_name, h.period_start;
SELECT customer_id, available, held, pending FROM credits.wallets WHERE customer_id IN ('held', 'plain') ORDER BY 1;
-- … and canceled in the same order.
SELECT count(*) FROM generate_series(1, 36, 2) i, credits.meter_event_cancel('held', 'i' || i);
SELECT count(*) FROM generate_series(1, 36, 2) i, credits.meter_event_cancel('plain', 'i' || i);
SELECT customer_id, available, held, pending FROM credits.wallets WHERE customer_id IN ('held', 'plain') ORDER BY 1;
SELECT * FROM credits.usage_summary('held') EXCEPT SELECT * FROM credits.usage_summary('plain');

-- Where tiers go on with another price, so they do for usage that a hold pays.
SELECT count(*) FROM unnest('{held,plain}'::text[]) c, credits.report_meter_event(c, 'tiers', 8, 'before');
SELECT FROM credits.meter_update('tiers', pricing => '{"mode": "graduated", "tiers": [{"up_to": 10, "unit_price": 3},
    {"unit_price": 1}]}', continue_tiers => true);
SELECT hold_id FROM credits.hold_create('held', 50) \gset
SELECT capture_amount FROM credits.hold_capture('held', :'hold_id', event_name => 'tiers', value => 4,
    identifier => 'on');
SELECT consumed FROM credits.report_meter_event('plain', 'tiers', 4, 'on');
SELECT customer_id, carried, quantity, credits FROM credits.usage_by_period
WHERE event_name = 'tiers' AND carried > 0 ORDER BY 1;

SELECT sum(balance) = 0 AS balanced FROM credits.trial_balance;
SELECT * FROM credits.verify();

-- verify() knows what such captures must be.
UPDATE credits_internal.credit_transactions SET identifier = 'req-2' WHERE type = 'capture' AND identifier = 'i1';
SELECT problem, subject, expected, found FROM credits.verify() WHERE subject !~ 'grant' ORDER BY 1, 2;
