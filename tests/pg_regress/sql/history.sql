-- What was: the ledger page by page, a balance at a past moment, the journal.
SET credits.test_clock = '2026-03-01';
SELECT FROM credits.meter_create('tokens', unit_price => 0.5, unit => 'token');
SELECT FROM credits.currency_create('GPU');
SELECT FROM credits.credit_grant('ada', 10, name => 'March', expires_at => '2026-04-01');
SELECT FROM credits.credit_grant('ada', 20, name => 'May', effective_at => '2026-05-01');
SELECT FROM credits.credit_grant('ada', 6, name => 'tokens only', applicable_meters => '{tokens}', expires_at => '2026-06-01');
SET credits.test_clock = '2026-03-10';
SELECT FROM credits.wallet_debit('ada', 4, description => 'a picture', metadata => '{"job": 1}');
SELECT FROM credits.report_meter_event('ada', 'tokens', 3, 'e1', metadata => '{"model": "small"}');
SELECT FROM credits.wallet_credit('ada', 3, 'GPU', description => 'GPU hours');
SET credits.test_clock = '2026-03-20';
SELECT FROM credits.hold_create('ada', 2, expires_in => '1 day');
SET credits.test_clock = '2026-04-20';
SELECT FROM credits.report_meter_event('ada', 'tokens', 14, 'e2');

-- Newest first; the next page is before the last line of this one.
SELECT line_no, type, amount, running_balance, held, pending, event_name, unit, quantity, description, metadata, effective_at
FROM credits.wallet_history('ada', 'CREDIT', 4);
SELECT line_no, type, amount, running_balance, held, pending, event_name, unit, quantity, description, metadata, effective_at
FROM credits.wallet_history('ada', 'CREDIT', 4, before => 6);
SELECT line_no, type FROM credits.wallet_history('ada', 'CREDIT', before => 1);
SELECT currency, line_no, type FROM credits.wallet_history('ada', page_size => 7);
SELECT count(*) FROM credits.wallet_history('nobody');
SELECT credits.wallet_history('ada', before => 3);
SELECT credits.wallet_history('ada', 'NONE');
SELECT credits.wallet_history('ada', page_size => 1001);

-- A balance at a past moment: what took effect until then, whenever it was posted. (The hold of March ran out on the 21st,
-- the grant expired on 1 April, and neither was posted before the 20th.)
SET credits.test_clock = '2026-06-10';
SELECT as_of, b.balance, b.available, b.restricted, b.held, b.pending
FROM unnest(ARRAY['2026-02-28', '2026-03-01', '2026-03-09 23:59', '2026-03-10', '2026-03-20', '2026-03-21', '2026-03-31 23:59:59',
                  '2026-04-01', '2026-04-20', '2026-05-01', '2026-05-31', '2026-06-01', '2026-06-10']::timestamptz[]) at,
     LATERAL credits.wallet_balance_at('ada', as_of => at) b;
-- The same once all of it is posted.
CALL credits.maintain();
SELECT as_of, b.balance, b.available, b.restricted, b.held, b.pending
FROM unnest(ARRAY['2026-02-28', '2026-03-01', '2026-03-09 23:59', '2026-03-10', '2026-03-20', '2026-03-21', '2026-03-31 23:59:59',
                  '2026-04-01', '2026-04-20', '2026-05-01', '2026-05-31', '2026-06-01', '2026-06-10']::timestamptz[]) at,
     LATERAL credits.wallet_balance_at('ada', as_of => at) b;
SELECT balance FROM credits.wallet_balance_at('nobody', as_of => '2026-03-01');
SELECT credits.wallet_balance_at('ada');
SELECT credits.wallet_balance_at('ada', as_of => '2026-06-10 00:00:01');
SELECT credits.wallet_balance_at('ada', as_of => '-infinity');
SELECT credits.wallet_balance_at('ada', 'NONE', '2026-03-01');

-- Two rows a line, that sum to zero.
SELECT line_no, type, account, amount, category FROM credits.journal
WHERE customer_id = 'ada' AND currency = 'CREDIT' ORDER BY line_no, account;
SELECT count(*) AS lines_that_do_not FROM (
    SELECT FROM credits.journal GROUP BY customer_id, currency, line_no HAVING sum(amount) <> 0 OR count(*) <> 2) x;
SELECT * FROM credits.trial_balance;

-- However a debit was paid, by one grant or by several, its lines name the call.
SELECT FROM credits.wallet_credit('kim', 5);
SELECT FROM credits.wallet_credit('kim', 9);
SELECT FROM credits.wallet_debit('kim', 2, idempotency_key => 'one', description => 'of one', metadata => '{"n": 1}');
SELECT FROM credits.wallet_debit('kim', 7, idempotency_key => 'two', description => 'of two', metadata => '{"n": 2}');
SELECT line_no, amount, function, idempotency_key, description, metadata,
       count(*) OVER (PARTITION BY operation_id) AS lines_of_the_call
FROM credits.ledger WHERE customer_id = 'kim' AND type = 'debit' ORDER BY line_no;
SELECT line_no, amount FROM credits.ledger WHERE customer_id = 'kim' AND idempotency_key IN ('one', 'two')
ORDER BY line_no;

SELECT * FROM credits.verify();
