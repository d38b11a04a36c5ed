-- A repeat is recognised before anything else is judged, changes nothing, and is answered as the first call was.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.meter_create('images');
SELECT FROM credits.currency_create('GPU');

-- Every function that takes a key.
SELECT amount, remaining, replayed
FROM credits.credit_grant('ada', 10, idempotency_key => 'g1', expires_at => '2026-04-01');
SELECT amount, remaining, replayed FROM credits.credit_grant('ada', 10.00, 'CREDIT', 'promotional', idempotency_key => 'g1', name => 'texts and times may differ', priority => 3, expires_at => '2026-04-02');
SELECT credited, available, replayed FROM credits.wallet_credit('ada', 5, idempotency_key => 'c1');
SELECT credited, available, replayed
FROM credits.wallet_credit('ada', 5, idempotency_key => 'c1', description => 'again');
SELECT debited, available, replayed FROM credits.wallet_debit('ada', 3, idempotency_key => 'd1');
SELECT debited, available, replayed
FROM credits.wallet_debit('ada', 3, idempotency_key => 'd1', metadata => '{"try": 2}');
SELECT ok, shortfall, debited, available, replayed FROM credits.wallet_try_debit('ada', 3, idempotency_key => 'd1');
SELECT consumed, available, replayed FROM credits.report_meter_event('ada', 'tokens', 2, 'e1');
SELECT consumed, available, replayed
FROM credits.report_meter_event('ada', 'tokens', 2.0, 'e1', occurred_at => '2026-02-27');

-- The ids are the first call's.
SELECT count(DISTINCT grant_id) FROM generate_series(1, 3), LATERAL (SELECT grant_id FROM credits.credit_grant('ada', 10, idempotency_key => 'g1')) g;
SELECT count(DISTINCT operation_id) FROM generate_series(1, 3), LATERAL (SELECT operation_id FROM credits.wallet_debit('ada', 3, idempotency_key => 'd1')) d;

-- Another amount, currency, category, function, meter or value under the same key is a conflict.
\set VERBOSITY verbose
SELECT credits.wallet_debit('ada', 4, idempotency_key => 'd1');
\set VERBOSITY default
SELECT credits.wallet_debit('ada', 3, 'GPU', idempotency_key => 'd1');
SELECT credits.wallet_credit('ada', 3, idempotency_key => 'd1');
SELECT credits.credit_grant('ada', 5, idempotency_key => 'c1');
SELECT credits.credit_grant('ada', 10, category => 'paid', idempotency_key => 'g1');
SELECT credits.wallet_try_debit('ada', 10, idempotency_key => 'g1');
SELECT credits.report_meter_event('ada', 'tokens', 3, 'e1');
SELECT credits.report_meter_event('ada', 'images', 2, 'e1');

-- … even where the other call could not be made at all.
SELECT credits.wallet_debit('ada', 3, 'NONE', idempotency_key => 'd1');
SELECT credits.report_meter_event('ada', 'nothing', 2, 'e1');

-- A key is a customer's own.
SELECT credited, replayed FROM credits.wallet_credit('bob', 5, idempotency_key => 'c1');

-- Recognised although the meter is off, the event too old, the grant's end passed, the currency off, the credits gone.
SELECT available FROM credits.wallet_debit('ada', 10);
SELECT FROM credits.meter_deactivate('tokens');
SET credits.test_clock = '2026-06-01';
SELECT consumed, available, replayed FROM credits.report_meter_event('ada', 'tokens', 2, 'e1', occurred_at => '2026-03-01 12:00');
SELECT amount, remaining, status, replayed FROM credits.credit_grant('ada', 10, idempotency_key => 'g1', expires_at => '2026-04-01');
SELECT debited, available, replayed FROM credits.wallet_debit('ada', 3, idempotency_key => 'd1');
SELECT FROM credits.currency_update('CREDIT', active => false);
SELECT debited, available, replayed FROM credits.wallet_debit('ada', 3, idempotency_key => 'd1');
SELECT credited, replayed FROM credits.wallet_credit('ada', 5, idempotency_key => 'c1');
SELECT consumed, replayed FROM credits.report_meter_event('ada', 'tokens', 2, 'e1');
SELECT FROM credits.currency_update('CREDIT', active => true);

-- Status and remaining are as they stand now, though nothing has posted what fell due.
SELECT amount, remaining, status, replayed FROM credits.credit_grant('cy', 10, idempotency_key => 'g1', expires_at => '2026-07-01');
SET credits.test_clock = '2026-08-01';
SELECT amount, remaining, status, replayed FROM credits.credit_grant('cy', 10, idempotency_key => 'g1', expires_at => '2026-07-01');

-- A failure leaves no claim: the key can be used once the credits are there.
SELECT credits.wallet_debit('cy', 3, idempotency_key => 'later');
SELECT ok, shortfall FROM credits.wallet_try_debit('cy', 3, idempotency_key => 'later');
SELECT count(*) FROM credits_internal.operations WHERE customer_id = 'cy' AND idempotency_key = 'later';
SELECT FROM credits.wallet_credit('cy', 5);
SELECT ok, available, replayed FROM credits.wallet_try_debit('cy', 3, idempotency_key => 'later');
SELECT debited, available, replayed FROM credits.wallet_debit('cy', 3, idempotency_key => 'later');

-- The identifiers of events and the keys of other calls do not meet.
SELECT replayed FROM credits.report_meter_event('cy', 'images', 1, 'later');

SELECT * FROM credits.verify();
