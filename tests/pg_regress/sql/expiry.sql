-- Time: credits begin and end by the clock, whether or not anything has run.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.credit_grant('ada', 10, name => 'March', expires_at => '2026-04-01');
SELECT FROM credits.credit_grant('ada', 20, name => 'from mid-March', effective_at => '2026-03-15');
SELECT FROM credits.wallet_credit('ada', 5, description => 'for good');
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');

-- Usable while effective_at <= time < expires_at.
SET credits.test_clock = '2026-03-14 23:59:59.999999';
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SET credits.test_clock = '2026-03-15';
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SET credits.test_clock = '2026-03-31 23:59:59.999999';
SELECT available, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');
SET credits.test_clock = '2026-04-01';
SELECT available, next_expiry_at FROM credits.wallet_balance('ada', 'CREDIT');

-- Nothing was posted by looking. A reader needs no right to write: this works on a standby.
BEGIN READ ONLY;
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SELECT pg_current_xact_id_if_assigned() IS NULL AS without_transaction_id;
COMMIT;
SELECT count(*) AS lines FROM credits_internal.lines;

-- What is due is posted before the next debit, each line at its own time.
SELECT credits.wallet_debit('ada', 26);
SELECT available FROM credits.wallet_debit('ada', 24);
SELECT l.line_no, l.type, g.name, l.amount, l.running_balance, l.effective_at, l.created_at
FROM credits_internal.lines l JOIN credits_internal.credit_grants g USING (customer_id, grant_id) ORDER BY 1;

-- The account's time does not go back.
SET credits.test_clock = '2026-03-01';
SELECT available FROM credits.wallet_debit('ada', 0.5);
SELECT created_at FROM credits_internal.lines ORDER BY line_no DESC LIMIT 1;

-- At one instant grants expire, then grants start, then what is owed is paid.
SET credits.test_clock = '2026-05-01';
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('bob', 4, name => 'old', expires_at => '2026-06-01');
SELECT FROM credits.credit_grant('bob', 4, name => 'new', effective_at => '2026-06-01');
SET credits.test_clock = '2026-05-20';
SELECT consumed, pending FROM credits.report_meter_event('bob', 'tokens', 7, 'e1');
SET credits.test_clock = '2026-07-01';
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
SELECT status, consumed, pending, available FROM credits.report_meter_event('bob', 'tokens', 7, 'e1');
CALL credits.maintain();
SELECT l.line_no, l.type, g.name, l.amount, l.running_balance, l.identifier, l.effective_at, l.created_at
FROM credits_internal.lines l JOIN credits_internal.credit_grants g USING (customer_id, grant_id)
WHERE l.customer_id = 'bob' ORDER BY 1;

-- A grant that began and ended unseen leaves both lines, and what it could pay it paid.
SELECT pending FROM credits.report_meter_event('bob', 'tokens', 2, 'e2');
SELECT FROM credits.credit_grant('bob', 9, name => 'unseen', effective_at => '2026-08-01', expires_at => '2026-08-02');
SET credits.test_clock = '2026-09-01';
SELECT available, pending FROM credits.wallet_balance('bob', 'CREDIT');
CALL credits.maintain();
SELECT l.line_no, l.type, l.amount, l.running_balance, l.identifier, l.effective_at, l.created_at
FROM credits_internal.lines l JOIN credits_internal.credit_grants g USING (customer_id, grant_id) WHERE g.name = 'unseen' ORDER BY 1;

-- maintain() does batches, and inside a transaction one of them.
SELECT FROM generate_series(1, 25) i, credits.credit_grant('c' || i, 1, expires_at => '2026-09-02');
SET credits.test_clock = '2026-10-01';
BEGIN;
CALL credits.maintain(batch_size => 10);
SELECT status, count(*) FROM credits_internal.credit_grants WHERE customer_id LIKE 'c%' GROUP BY 1 ORDER BY 1;
COMMIT;
CALL credits.maintain(10);
SELECT status, count(*) FROM credits_internal.credit_grants WHERE customer_id LIKE 'c%' GROUP BY 1 ORDER BY 1;
CALL credits.maintain(0);
CALL credits.maintain(NULL);

-- The clock is for tests, and says so.
SET credits.test_clock = 'noon-ish';
SELECT credits.clock();
SET credits.test_clock = 'infinity';
SELECT credits.clock();
RESET credits.test_clock;
CREATE ROLE regress_expiry_app IN ROLE credits_app;
SET ROLE regress_expiry_app;
SET credits.test_clock = '2030-01-01';
RESET ROLE;
DROP ROLE regress_expiry_app;

SELECT * FROM credits.verify();
