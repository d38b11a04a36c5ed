-- Grants that are suspended: nothing of them can be used until they are resumed.
SET credits.test_clock = '2026-03-01';
SELECT event_name FROM credits.meter_create('calls');
SELECT event_name FROM credits.meter_create('images');
SELECT grant_id AS g FROM credits.credit_grant('ada', 100, name => 'bonus', expires_at => '2026-06-01') \gset
SELECT grant_id AS r FROM credits.credit_grant('ada', 30, name => 'images only', applicable_meters => '{images}') \gset
SELECT FROM credits.wallet_credit('ada', 5, description => 'own');
SELECT FROM credits.wallet_debit('ada', 40);
SELECT hold_id AS h FROM credits.hold_create('ada', 10) \gset
SELECT hold_id AS i FROM credits.hold_create('ada', 6) \gset

SELECT name, status, remaining, replayed FROM credits.credit_grant_suspend('ada', :'g', 'chargeback feared');
SELECT name, status, remaining, replayed FROM credits.credit_grant_suspend('ada', :'g', 'again');
SELECT name, status, remaining, replayed FROM credits.credit_grant_suspend('ada', :'r');

-- It shows everywhere.
SELECT available, restricted, held, next_expiry_at FROM credits.wallet_balance('ada', 'CREDIT');
SELECT balance, available, restricted FROM credits.wallets;
SELECT can_continue, reason, available FROM credits.credit_availability('ada', 6);
SELECT name, status, remaining, held, suspended_at, suspended_reason FROM credits.grants ORDER BY grant_id;
SELECT * FROM credits.credit_grant_summary('ada');
SELECT balance, available, restricted FROM credits.credit_grant_holders('CREDIT');
SELECT amount, remaining_after FROM credits.explain_drawdown('ada', 5);
SELECT credits.explain_drawdown('ada', 6);
SELECT credits.wallet_debit('ada', 6);
SELECT status, consumed, pending FROM credits.report_meter_event('ada', 'images', 7, 'i1');
SELECT account, balance FROM credits.trial_balance;
SELECT * FROM credits.verify();

-- What is held stays held: it is spent, or comes back and is suspended as well.
SELECT status FROM credits.hold_capture('ada', :'h', 4);
SELECT status FROM credits.hold_release('ada', :'i');
SELECT available, held, pending FROM credits.wallet_balance('ada', 'CREDIT');
SELECT name, status, remaining, held FROM credits.grants ORDER BY grant_id;
-- Part of it can be voided, and its terms changed.
SELECT status, remaining FROM credits.credit_grant_void('ada', :'g', amount => 6);
SELECT status, priority, remaining FROM credits.credit_grant_update('ada', :'g', priority => 1);
SELECT * FROM credits.verify();

-- Resumed: what remains comes back, and first pays what is owed meanwhile.
SELECT name, status, remaining, replayed FROM credits.credit_grant_resume('ada', :'r');
SELECT name, status, remaining, replayed FROM credits.credit_grant_resume('ada', :'r');
SELECT name, status, remaining, replayed FROM credits.credit_grant_resume('ada', :'g');
SELECT available, restricted, held, pending FROM credits.wallet_balance('ada', 'CREDIT');
SELECT line_no, type, grant_name, amount, held, running_balance FROM credits.ledger ORDER BY line_no;
SELECT * FROM credits.verify();

-- Its time runs on: suspended credits expire as others do.
SELECT status FROM credits.credit_grant_suspend('ada', :'g');
SET credits.test_clock = '2026-06-02';
SELECT name, status, remaining, lapsed FROM credits.grants ORDER BY grant_id;
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
CALL credits.maintain();
SELECT line_no, type, grant_name, amount, running_balance, effective_at
FROM credits.ledger ORDER BY line_no DESC LIMIT 3;
SELECT credits.credit_grant_resume('ada', :'g');
SELECT credits.credit_grant_suspend('ada', :'g');
-- More time makes it usable again.
SELECT status, remaining FROM credits.credit_grant_extend('ada', :'g', '2026-07-01');
SELECT * FROM credits.verify();

-- All of it can be ended while it is suspended; a grant that has not begun cannot be suspended.
SELECT status, remaining FROM credits.credit_grant_suspend('ada', :'r');
SELECT status, remaining FROM credits.credit_grant_void('ada', :'r', 'fraud');
SELECT grant_id AS s FROM credits.credit_grant('bob', 5, effective_at => '2026-07-01') \gset
SELECT credits.credit_grant_suspend('bob', :'s');
SELECT credits.credit_grant_suspend('ada', '01900000-0000-7000-8000-000000000000');
SELECT credits.credit_grant_resume('ada', '01900000-0000-7000-8000-000000000000');
-- A used up grant can be suspended: what comes back to it stays away.
SELECT grant_id AS d FROM credits.credit_grant('cy', 5) \gset
SELECT status FROM credits.report_meter_event('cy', 'calls', 5, 'c1');
SELECT status, remaining FROM credits.credit_grant_suspend('cy', :'d');
SELECT returned FROM credits.meter_event_cancel('cy', 'c1');
SELECT available FROM credits.wallet_balance('cy', 'CREDIT');
-- So is what a refund takes.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT top_up_id AS t
FROM credits.top_up_create('cy', amount => 20, currency => 'USD', credit_currency => 'CREDIT', rate => 1) \gset
SELECT status FROM credits.payment_succeeded('cy', :'t');
SELECT grant_id AS p FROM credits.grants WHERE customer_id = 'cy' AND category = 'paid' \gset
SELECT status FROM credits.credit_grant_suspend('cy', :'p');
SELECT taken, pending, available FROM credits.payment_refunded('cy', :'t', amount => 15);
SELECT status, remaining, lapsed FROM credits.grants WHERE customer_id = 'cy' ORDER BY grant_id;
SELECT available FROM credits.wallet_balance('cy', 'CREDIT');
SELECT * FROM credits.verify();
