-- UNDO A FAILED GENERATION
--
-- A picture is charged, and then the model fails; or it makes three of the four that were asked for. How to give the
-- credits back depends on how they were taken: as a debit, as usage of a meter, or as a hold. In each case they go back
-- to the grants that paid, with the expiry that those have, and every undo may be called again.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-03-02 09:00+00';
\o /dev/null
SELECT FROM credits.meter_create('pictures', unit => 'picture', unit_price => 4);
SELECT FROM credits.credit_grant('gus', 10, name => 'Bonus', expires_at => '2026-03-31 00:00+00');
SELECT FROM credits.credit_grant('gus', 100, name => 'Pack', category => 'paid', cost_basis => 0.05);
\o
SELECT name, remaining, expires_at FROM credits.grants WHERE customer_id = 'gus' ORDER BY grant_id;

-- 1. IT WAS A DEBIT
--
-- 16 credits for a film: the bonus paid what it had, the pack the rest.
SELECT debited, available FROM credits.wallet_debit('gus', 16, idempotency_key => 'film-1', description => 'Film 1');

-- It failed. Name what is to be undone by the key that it was made with: nobody had to keep an id. The reversal has a
-- key of its own.
SELECT taken, returned, available
FROM credits.operation_reverse('gus', operation_key => 'film-1', reason => 'The model failed',
                               idempotency_key => 'film-1-undo');

-- The worker did not hear the answer, and calls again. So does another, without a key: all of it is back already, and
-- nothing goes back twice.
SELECT returned, available, replayed
FROM credits.operation_reverse('gus', operation_key => 'film-1', reason => 'The model failed',
                               idempotency_key => 'film-1-undo');
SELECT returned, total_returned, available, replayed FROM credits.operation_reverse('gus', operation_key => 'film-1');

-- 6 went back to the pack and 10 to the bonus, which still ends when it would have ended.
SELECT name, remaining, expires_at FROM credits.grants WHERE customer_id = 'gus' ORDER BY grant_id;

-- In part: of the next film, a quarter is missing. What was taken last goes back first. Another part may follow; more
-- than was taken is refused.
SELECT debited, available FROM credits.wallet_debit('gus', 16, idempotency_key => 'film-2', description => 'Film 2');
SELECT returned, total_returned, available
FROM credits.operation_reverse('gus', operation_key => 'film-2', amount => 4, reason => 'A quarter is missing',
                               idempotency_key => 'film-2-undo');
\set VERBOSITY terse
SELECT returned FROM credits.operation_reverse('gus', operation_key => 'film-2', amount => 13);
\set VERBOSITY default
SELECT name, remaining FROM credits.grants WHERE customer_id = 'gus' ORDER BY grant_id;

-- 2. IT WAS USAGE
--
-- Four pictures, reported when they were asked for. They failed: taken back by the identifier that they were reported
-- with. Again is the same answer.
SELECT status, consumed, available FROM credits.report_meter_event('gus', 'pictures', 4, 'pictures-1');
SELECT status, returned, available, replayed FROM credits.meter_event_cancel('gus', 'pictures-1', 'The model failed');
SELECT status, returned, available, replayed FROM credits.meter_event_cancel('gus', 'pictures-1', 'The model failed');

-- Usage that was canceled stays canceled: a report of it that comes late does not charge it again. To try again, use
-- another identifier.
SELECT status, consumed, available, replayed FROM credits.report_meter_event('gus', 'pictures', 4, 'pictures-1');

-- Three of four came out. Then it was three: another value, at the price that the usage had. The same value again
-- changes nothing.
SELECT status, consumed, available FROM credits.report_meter_event('gus', 'pictures', 4, 'pictures-2');
SELECT value, value_before, returned, available, replayed
FROM credits.meter_event_adjust('gus', 'pictures-2', 3, 'One failed');
SELECT value, value_before, returned, available, replayed
FROM credits.meter_event_adjust('gus', 'pictures-2', 3, 'One failed');

-- 3. IT WAS HELD
--
-- The way that needs no undo: set credits aside, work, and take what came of it. Nothing came: release. Again is the
-- same.
SELECT hold_id AS film FROM credits.hold_create('gus', 20, idempotency_key => 'film-3', description => 'Film 3') \gset
SELECT available, held FROM credits.wallet_balance('gus', 'CREDIT');
SELECT status, captured, released, available FROM credits.hold_release('gus', :'film');
SELECT status, released, replayed FROM credits.hold_release('gus', :'film');

-- Some of it came: capture that, and the rest goes back. What the worker never answers for goes back by itself when the
-- hold runs out.
SELECT hold_id AS film FROM credits.hold_create('gus', 20, idempotency_key => 'film-4', description => 'Film 4') \gset
SELECT status, captured, released, available FROM credits.hold_capture('gus', :'film', 12);

-- It was captured, and then the customer shows that the film is black. A captured hold is reversed like a debit, by the
-- key that it was made with.
SELECT taken, returned, available
FROM credits.operation_reverse('gus', operation_key => 'film-4', reason => 'Black', idempotency_key => 'film-4-undo');

-- 4. AFTER THE BONUS ENDED
--
-- Pictures that a bonus paid are taken back once that has ended. They go back to it all the same, and end the same
-- way at once: an undo makes no credits good for longer than they were. Where that is unfair, make it a gift.
SELECT FROM credits.credit_grant('gus', 8, name => 'Sunday', expires_at => '2026-03-03 00:00+00');
SELECT status, consumed FROM credits.report_meter_event('gus', 'pictures', 2, 'pictures-3');
SET credits.test_clock = '2026-03-04 09:00+00';
SELECT available FROM credits.wallet_balance('gus', 'CREDIT');
SELECT returned, available FROM credits.meter_event_cancel('gus', 'pictures-3', 'The model failed');
SELECT adjusted, available
FROM credits.wallet_adjust('gus', 8, 'gift', idempotency_key => 'pictures-3-gift', description => 'For pictures 3',
                           expires_at => '2026-03-31 00:00+00');

-- 5. WHAT THE CUSTOMER SEES
--
-- Each undo is a line of its own beside what it undoes; nothing is ever taken out of the history.
SELECT line_no, display_title AS what, type, amount, running_balance AS balance, grant_name,
       coalesce(identifier, idempotency_key) AS of
FROM credits.ledger WHERE customer_id = 'gus' AND type NOT IN ('grant', 'adjustment') ORDER BY line_no;

-- What was spent in the end: the rest of film 2, three pictures, and nothing else.
SELECT identifier, quantity, credits, status FROM credits.usage WHERE customer_id = 'gus' ORDER BY identifier;
SELECT account, balance FROM credits.trial_balance ORDER BY account;
SELECT name, status, amount, consumed, lapsed, remaining
FROM credits.grants WHERE customer_id = 'gus' ORDER BY grant_id;

-- Does all of it add up? No rows: it does.
SELECT * FROM credits.verify();
