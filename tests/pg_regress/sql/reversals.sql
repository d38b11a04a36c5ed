-- What an operation took goes back to the grants that gave it.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.currency_create('COIN', 'Coins', decimals => 0);
SELECT FROM credits.credit_grant('ada', 5, name => 'first', expires_at => '2026-03-10');
SELECT FROM credits.credit_grant('ada', 5, name => 'second', expires_at => '2026-04-10');
SELECT FROM credits.credit_grant('ada', 90, name => 'bought', category => 'paid', cost_basis => 0.5);
SELECT operation_id AS debit FROM credits.wallet_debit('ada', 12, idempotency_key => 'picture 1') \gset

-- In parts, newest draw first, until all is back. The original is found by its key, or by its id.
SELECT reversed_operation_id = :'debit' AS its, operation_id <> :'debit' AS own, taken, returned, total_returned,
       available
FROM credits.operation_reverse('ada', operation_key => 'picture 1', amount => 3, reason => 'half of it failed');
SELECT name, remaining FROM credits.grants ORDER BY grant_id;
SELECT taken, returned, total_returned, available FROM credits.operation_reverse('ada', :'debit', amount => 5);
SELECT name, remaining FROM credits.grants ORDER BY grant_id;
SELECT credits.operation_reverse('ada', :'debit', amount => 4.5);
SELECT taken, returned, total_returned, available, replayed FROM credits.operation_reverse('ada', :'debit');
SELECT name, remaining FROM credits.grants ORDER BY grant_id;

-- All of it is back: once more for all that is left changes nothing, for an amount is refused.
SELECT returned, total_returned, available, replayed FROM credits.operation_reverse('ada', :'debit');
SELECT credits.operation_reverse('ada', :'debit', amount => 1);
SELECT line_no, type, grant_name, amount, running_balance, reversed_operation_id = :'debit' AS reverses, function,
       reason, description
FROM credits.ledger ORDER BY line_no;
SELECT line_no, type, amount, reversed_operation_id = :'debit' AS reverses
FROM credits.wallet_history('ada', 'CREDIT', 3);

-- The journal takes back what was spent, and so does its revenue.
SELECT account, category, sum(amount), sum(amount * cost_basis) AS money
FROM credits.journal GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM credits.trial_balance;

-- A repeat under a key changes nothing, whatever was given back since.
SELECT operation_id AS debit FROM credits.wallet_debit('ada', 10) \gset
SELECT returned, total_returned, replayed
FROM credits.operation_reverse('ada', :'debit', amount => 4, idempotency_key => 'undo');
SELECT returned, total_returned, replayed
FROM credits.operation_reverse('ada', :'debit', idempotency_key => 'the rest');
SELECT returned, total_returned, replayed
FROM credits.operation_reverse('ada', :'debit', amount => 4, reason => 'another', idempotency_key => 'undo');
SELECT returned, total_returned, replayed
FROM credits.operation_reverse('ada', :'debit', idempotency_key => 'the rest');
SELECT credits.operation_reverse('ada', :'debit', amount => 5, idempotency_key => 'undo');
\set VERBOSITY sqlstate
SELECT credits.operation_reverse('ada', operation_key => 'picture 1', amount => 4, idempotency_key => 'undo');
\set VERBOSITY default
SELECT credits.operation_reverse('ada', :'debit', idempotency_key => 'picture 1');
SELECT credits.wallet_debit('ada', 4, idempotency_key => 'undo');

-- What comes back to a grant that has ended meanwhile ends the same way at once.
SELECT operation_id AS debit FROM credits.wallet_debit('ada', 9) \gset
SET credits.test_clock = '2026-03-20';
SELECT FROM credits.credit_grant_void('ada', (SELECT grant_id FROM credits.grants WHERE name = 'second'), 'by mistake');
SELECT returned, available FROM credits.operation_reverse('ada', :'debit');
SELECT name, status, remaining, consumed, lapsed FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, grant_name, amount, effective_at FROM credits.ledger WHERE line_no > 18 ORDER BY line_no;

-- It pays what is owed.
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.wallet_credit('bob', 10);
SELECT operation_id AS debit FROM credits.wallet_debit('bob', 10) \gset
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 7, 'e1');
SELECT returned, available FROM credits.operation_reverse('bob', :'debit', amount => 9);
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT line_no, type, amount, pending, running_balance FROM credits.ledger WHERE customer_id = 'bob' ORDER BY line_no;

-- A captured hold: what was captured, not what was released.
SELECT FROM credits.wallet_credit('cy', 4);
SELECT FROM credits.credit_grant('cy', 10, name => 'soon', expires_at => '2026-04-01');
SELECT hold_id AS hold FROM credits.hold_create('cy', 12, idempotency_key => 'job 7', expires_in => '1 day') \gset
SELECT credits.operation_reverse('cy', operation_key => 'job 7');
SELECT captured, available FROM credits.hold_capture('cy', :'hold', 11);
SELECT taken, returned, total_returned, available
FROM credits.operation_reverse('cy', operation_key => 'job 7', amount => 2);
SELECT name, remaining FROM credits.grants WHERE customer_id = 'cy' ORDER BY grant_id;
SELECT taken, returned, total_returned, available
FROM credits.operation_reverse('cy', :'hold', reason => 'refused by the customer');
SELECT status, captured, released FROM credits.hold_capture('cy', :'hold', 11);
SELECT FROM credits.hold_create('cy', 1, idempotency_key => 'job 8', expires_in => '1 day');
SELECT hold_id AS hold FROM credits.hold_create('cy', 2, expires_in => '1 day') \gset
SELECT FROM credits.hold_release('cy', :'hold');
SELECT credits.operation_reverse('cy', :'hold');

-- An adjustment that took credits, of each kind: the journal takes back what it was booked as.
SELECT FROM credits.credit_grant('dee', 100, category => 'paid', cost_basis => 1);
SELECT FROM credits.wallet_adjust('dee', -10, 'correction', idempotency_key => 'a1');
SELECT FROM credits.wallet_adjust('dee', -10, 'charge', idempotency_key => 'a2');
SELECT FROM credits.wallet_adjust('dee', -10, 'refund', idempotency_key => 'a3');
SELECT account, sum(amount) FROM credits.journal WHERE customer_id = 'dee' GROUP BY 1 ORDER BY 1;
SELECT returned, available
FROM generate_series(1, 3) i, credits.operation_reverse('dee', operation_key => 'a' || i, amount => 4 * i - 3);
SELECT account, sum(amount) FROM credits.journal WHERE customer_id = 'dee' GROUP BY 1 ORDER BY 1;

-- Nothing else: what added credits, moved them, or is a reversal itself.
SELECT FROM credits.wallet_adjust('dee', 5, 'gift', idempotency_key => 'gift');
SELECT credits.operation_reverse('dee', operation_key => 'gift');
SELECT FROM credits.credit_grant('dee', 5, idempotency_key => 'grant');
SELECT credits.operation_reverse('dee', operation_key => 'grant');
SELECT FROM credits.wallet_transfer('dee', 'cy', 5, idempotency_key => 'transfer');
SELECT credits.operation_reverse('dee', operation_key => 'transfer');
SELECT FROM credits.operation_reverse('dee', operation_key => 'a1', amount => 1, idempotency_key => 'back');
SELECT credits.operation_reverse('dee', operation_key => 'back');

-- A debit is found by its id alone among any number of others, though it has no index of its own.
SELECT FROM credits.wallet_credit('eve', 10000);
SELECT FROM credits.credit_grant('eve', 100, currency => 'COIN');
SELECT operation_id AS debit FROM credits.wallet_debit('eve', 3, 'COIN') \gset
SELECT count(*) FROM generate_series(1, 3000) i, LATERAL credits.wallet_debit('eve', 1, idempotency_key => 'd' || i);
SELECT currency, returned, available FROM credits.operation_reverse('eve', :'debit', amount => 1);
SELECT currency, returned, available FROM credits.operation_reverse('eve', (
    SELECT operation_id FROM credits.ledger WHERE customer_id = 'eve' AND currency = 'CREDIT' AND line_no = 2));
SELECT currency, returned, available FROM credits.operation_reverse('eve', (
    SELECT operation_id FROM credits.ledger WHERE customer_id = 'eve' AND currency = 'CREDIT' AND line_no = 3001));

-- Wrong.
SELECT credits.operation_reverse('eve', :'debit', amount => 0.5);
SELECT credits.operation_reverse('eve', :'debit', amount => 0);
SELECT credits.operation_reverse('eve', :'debit', amount => -1);
SELECT credits.operation_reverse('ada', '018f0000-0000-7000-8000-000000000000');
SELECT credits.operation_reverse('ada', '00000000-0000-4000-8000-000000000000');
SELECT credits.operation_reverse('ada', operation_key => 'nothing');
SELECT credits.operation_reverse('bob', operation_key => 'picture 1');
SELECT credits.operation_reverse('nobody', operation_key => 'picture 1');
SELECT credits.operation_reverse('ada');
SELECT credits.operation_reverse('ada', :'debit', 'picture 1');
SELECT credits.operation_reverse(NULL, :'debit');
SELECT * FROM credits.verify();

-- verify() sees what went back and should not.
BEGIN;
UPDATE credits_internal.reversals SET amount = 7 WHERE customer_id = 'bob';
SELECT problem, expected, found FROM credits.verify('bob') ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE credits_internal.reversals SET reversed_operation_id = operation_id WHERE customer_id = 'bob';
SELECT problem, expected, found FROM credits.verify('bob') ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM credits_internal.reversals WHERE customer_id = 'bob';
SELECT problem, expected, found FROM credits.verify('bob') ORDER BY 1;
ROLLBACK;
