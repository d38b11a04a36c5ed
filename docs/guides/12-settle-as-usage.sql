-- ESTIMATE, HOLD AND SETTLE AS USAGE
--
-- An answer of a model takes a while, and what it costs is known by its tokens, at its end. So: estimate, hold the
-- estimate, answer, and capture what was used as usage of the meter. Report it once, by the capture: a hold that is
-- captured and a usage that is reported beside it are two charges.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-01 09:00+00';
SELECT event_name, unit FROM credits.meter_create('llm.tokens', unit => 'token', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 0.003}}, "default": {"unit_price": 0.001}}');
SELECT amount FROM credits.credit_grant('dan', 20, name => 'Pack', category => 'paid', cost_basis => 0.02);
SELECT amount FROM credits.credit_grant('dan', 5, name => 'Token bonus', applicable_meters => '{llm.tokens}');

-- 1. ESTIMATE
--
-- At most 4,000 tokens of the large model. May that begin? The bonus, which only tokens may use, counts.
SELECT credits.usage_price('llm.tokens', 4000, '{"model": "large"}') AS estimate \gset
SELECT :estimate AS estimate;
SELECT can_continue, reason, available
FROM credits.credit_availability('dan', :estimate, event_name => 'llm.tokens');

-- 2. HOLD
--
-- For that meter: so the bonus is held first, as the usage itself would draw it.
SELECT hold_id AS answer FROM credits.hold_create('dan', :estimate, event_name => 'llm.tokens',
    expires_in => '5 minutes', idempotency_key => 'answer-1', description => 'Answer 1') \gset
SELECT name, remaining, held FROM credits.grants WHERE customer_id = 'dan' ORDER BY grant_id;

-- 3. SETTLE
--
-- It took 2,500 tokens. The price follows from the value and the metadata, as for any event; the rest goes back.
SELECT status, amount, captured, released, available
FROM credits.hold_capture('dan', :'answer', value => 2500, identifier => 'answer-1', metadata => '{"model": "large"}');

-- The worker did not hear the answer, and calls again: the identifier says that it is the same.
SELECT status, captured, replayed
FROM credits.hold_capture('dan', :'answer', value => 2500, identifier => 'answer-1', metadata => '{"model": "large"}');

-- It is usage like any other.
SELECT identifier, quantity, credits, status FROM credits.usage WHERE customer_id = 'dan';
SELECT total_quantity, total_credits, event_count FROM credits.usage_summary('dan');
SELECT line_no, type, amount, held, grant_name, event_name, quantity FROM credits.ledger WHERE customer_id = 'dan'
ORDER BY line_no;

-- 4. IN STEPS
--
-- An agent makes many calls under one hold. Each is an event of its own, and what is left stays set aside. When the
-- estimate turns out low, or the work long, change the hold before it runs out.
SELECT hold_id AS agent FROM credits.hold_create('dan', 6, event_name => 'llm.tokens', description => 'Agent') \gset
SELECT captured FROM credits.hold_capture('dan', :'agent', value => 3000, identifier => 'step-1', final => false);
SELECT captured FROM credits.hold_capture('dan', :'agent', value => 2500, identifier => 'step-2', final => false);
SELECT amount, expires_at FROM credits.hold_update('dan', :'agent', amount => 9, expires_in => '30 minutes');
SELECT captured FROM credits.hold_capture('dan', :'agent', value => 2000, identifier => 'step-3', final => false);
SELECT status, captured, released FROM credits.hold_release('dan', :'agent');

-- 5. IT COST MORE THAN WAS HELD
--
-- The last step of another agent comes to 5, and 4 are held. Refused, unless the caller says where the rest is to come
-- from: 'available' is the balance (PC001 if it is not there), with 'pending' the customer owes what is not there.
SELECT hold_id AS agent FROM credits.hold_create('dan', 4, event_name => 'llm.tokens') \gset
\set VERBOSITY sqlstate
SELECT status FROM credits.hold_capture('dan', :'agent', value => 5000, identifier => 'step-4');
\set VERBOSITY default
SELECT status, captured, charged, capture_amount, pending, available FROM credits.hold_capture('dan', :'agent',
    value => 5000, identifier => 'step-4', more => 'pending');

-- 6. TOO LATE
--
-- The hold ran out before the answer was there. Its credits are Dan's again, so nothing is captured; the usage did
-- happen, though, and is charged to the balance.
SELECT hold_id AS slow FROM credits.hold_create('dan', 2, event_name => 'llm.tokens', expires_in => '1 minute') \gset
SET credits.test_clock = '2026-03-01 09:02+00';
\set VERBOSITY sqlstate
SELECT status FROM credits.hold_capture('dan', :'slow', value => 1500, identifier => 'slow');
\set VERBOSITY default
SELECT status, captured, charged, available
FROM credits.hold_capture('dan', :'slow', value => 1500, identifier => 'slow', late => 'charge');

-- The outbox says which holds ran out, for whoever watches the workers.
SELECT type, payload ->> 'released' AS released FROM credits.outbox_rows WHERE customer_id = 'dan';

-- 7. THE ANSWER WAS BAD
--
-- Its usage is taken back like any other: to the grants that paid.
SELECT returned, available FROM credits.meter_event_cancel('dan', 'answer-1', 'the model failed');
SELECT name, remaining, held, consumed FROM credits.grants WHERE customer_id = 'dan' ORDER BY grant_id;

-- Does all of it add up? No rows: it does.
SELECT * FROM credits.verify();
