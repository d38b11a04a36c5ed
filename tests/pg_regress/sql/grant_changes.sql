-- Grants that are changed or ended by hand.
SET credits.test_clock = '2026-03-01';
SELECT grant_id AS g FROM credits.credit_grant('ada', 10, name => 'first', expires_at => '2026-06-01') \gset first_
SELECT grant_id AS g FROM credits.credit_grant('ada', 20, name => 'second') \gset second_
SELECT grant_id AS g FROM credits.credit_grant('ada', 7, name => 'scheduled', effective_at => '2026-05-01') \gset scheduled_
SELECT FROM credits.wallet_debit('ada', 4);

-- The order changes with priority and expiry: the first is the one that the account's row carries.
SELECT amount, remaining_after, decided_by FROM credits.explain_drawdown('ada', 8);
SELECT name, priority, remaining FROM credits.credit_grant_update('ada', :'second_g', priority => 10);
SELECT amount, remaining_after, decided_by FROM credits.explain_drawdown('ada', 8);
SELECT FROM credits.wallet_debit('ada', 1);
SELECT name, remaining FROM credits.credit_grant_update('ada', :'second_g', name => 'second, renamed', priority => 90, metadata => '{"ticket": 7}');
SELECT FROM credits.wallet_debit('ada', 1);
SELECT name, priority, remaining, consumed, metadata FROM credits.grants ORDER BY grant_id;
SELECT name, expires_at FROM credits.credit_grant_update('ada', :'second_g', expires_at => '2026-04-01', priority => 50);
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');
SELECT name, expires_at FROM credits.credit_grant_update('ada', :'second_g', expires_at => 'infinity');
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');
SELECT * FROM credits.verify();

-- Voided: what remains is gone, what was spent stays. Again is a no-op, also by the other way of ending.
SELECT name, status, amount, remaining, replayed FROM credits.credit_grant_void('ada', :'second_g', 'fraud');
SELECT name, status, amount, remaining, replayed FROM credits.credit_grant_void('ada', :'second_g', 'again');
SELECT status, replayed FROM credits.credit_grant_expire('ada', :'second_g');
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');

-- Expired by hand: the same, told apart in the ledger. expires_at stays what it was.
SELECT name, status, remaining, expires_at FROM credits.credit_grant_expire('ada', :'first_g');
SELECT name, status, remaining, lapsed, expires_at, ended_at, ended_reason FROM credits.grants ORDER BY grant_id;
SELECT line_no, type, grant_name, amount, running_balance FROM credits.ledger ORDER BY line_no;

-- One that was to take effect later never does.
SELECT status, remaining FROM credits.credit_grant_void('ada', :'scheduled_g');
SET credits.test_clock = '2026-07-01';
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SELECT name, status, remaining, lapsed FROM credits.grants WHERE name = 'scheduled';

-- What has ended cannot be brought back, by its time neither. Its name can still be corrected.
SELECT credits.credit_grant_update('ada', :'first_g', expires_at => '2027-01-01');
SELECT credits.credit_grant_update('ada', :'second_g', priority => 1);
SELECT name FROM credits.credit_grant_update('ada', :'first_g', name => 'first, expired');
SELECT grant_id AS g FROM credits.credit_grant('bob', 5, expires_at => '2026-07-02') \gset bob_
SELECT FROM credits.hold_create('bob', 5, expires_in => '5 days');
SET credits.test_clock = '2026-07-03';
SELECT status, held FROM credits.grants WHERE customer_id = 'bob';
SELECT credits.credit_grant_update('bob', :'bob_g', expires_at => '2027-01-01');
SELECT status, replayed FROM credits.credit_grant_void('bob', :'bob_g');

-- An expiry that was due and not posted is posted before anything else.
SELECT grant_id AS g FROM credits.credit_grant('cy', 5, expires_at => '2026-08-01') \gset cy_
SET credits.test_clock = '2026-08-02';
SELECT status, remaining, replayed FROM credits.credit_grant_void('cy', :'cy_g');
SELECT status FROM credits.grants WHERE customer_id = 'cy';

-- What was due and not posted counts in the order as well: the scheduled grant took effect, and its priority is changed.
SELECT grant_id AS g FROM credits.credit_grant('ida', 5, effective_at => '2026-08-03') \gset ida_
SELECT FROM credits.credit_grant('ida', 5, name => 'other', priority => 20);
SET credits.test_clock = '2026-08-04';
SELECT status, remaining FROM credits.credit_grant_update('ida', :'ida_g', priority => 10, name => 'first now');
SELECT FROM credits.wallet_debit('ida', 1);
SELECT name, remaining FROM credits.grants WHERE customer_id = 'ida' ORDER BY name;
SET credits.test_clock = '2026-08-02';

-- Wrong: someone else's grant, an end in the past, a priority that there is not.
SELECT credits.credit_grant_void('bob', '01900000-0000-7000-8000-000000000000');
DO $$
BEGIN
    PERFORM credits.credit_grant_void('bob', (SELECT grant_id FROM credits.grants WHERE customer_id = 'ada' LIMIT 1));
EXCEPTION WHEN SQLSTATE 'PC009' THEN RAISE NOTICE 'PC009';
END $$;
SELECT grant_id AS g FROM credits.credit_grant('dee', 5, effective_at => '2026-09-01', expires_at => '2026-10-01') \gset dee_
SELECT credits.credit_grant_update('dee', :'dee_g', expires_at => '2026-08-02');
SELECT credits.credit_grant_update('dee', :'dee_g', expires_at => '2026-09-01');
SELECT credits.credit_grant_update('dee', :'dee_g', expires_at => '-infinity');
SELECT credits.credit_grant_update('dee', :'dee_g', priority => 101);
SELECT status, expires_at FROM credits.credit_grant_update('dee', :'dee_g', expires_at => '2026-09-02');

-- Summary, holders, statistics.
SELECT FROM credits.currency_create('GPU');
SELECT FROM credits.credit_grant('dee', 3.25, 'GPU', 'paid', granted_by => 'sales');
SELECT FROM credits.credit_grant('dee', 8, granted_by => 'sales');
SELECT FROM credits.wallet_debit('dee', 2);
SELECT FROM credits.wallet_credit('eve', 6);
SELECT FROM credits.wallet_credit('fay', 6);
SELECT FROM credits.wallet_credit('gil', 40);
SELECT * FROM credits.credit_grant_summary('dee');
SELECT * FROM credits.credit_grant_summary('ada');
SELECT * FROM credits.credit_grant_summary('nobody');
SELECT * FROM credits.credit_grant_holders('CREDIT', 2);
SELECT * FROM credits.credit_grant_holders('CREDIT', 2, after => 'dee');
SELECT * FROM credits.credit_grant_holders('CREDIT', 2, after => 'fay');
-- The last of a page spends what it had: with its balance as it was shown, the next page goes on behind it all the same.
SELECT FROM credits.wallet_debit('dee', 6);
SELECT customer_id, balance FROM credits.credit_grant_holders('CREDIT', 2, after => 'dee');
SELECT customer_id, balance FROM credits.credit_grant_holders('CREDIT', 2, after => 'dee', after_balance => 6);
SELECT FROM credits.wallet_adjust('dee', 6, 'correction', description => 'back');
SELECT credits.credit_grant_holders('CREDIT', after_balance => 6);
SELECT customer_id, currency, balance FROM credits.credit_grant_holders(page_size => 1);
SELECT customer_id, currency, balance FROM credits.credit_grant_holders();
SELECT credits.credit_grant_holders(after => 'dee');
SELECT credits.credit_grant_holders('CREDIT', after => 'nobody');
SELECT credits.credit_grant_holders('NONE');
SELECT credits.credit_grant_holders(page_size => 0);

SELECT * FROM credits.credit_grant_stats();
-- A day begins at midnight of the time zone that is asked for.
SELECT * FROM credits.credit_grant_stats('CREDIT', time_zone => 'America/New_York');
SELECT * FROM credits.credit_grant_stats('CREDIT', '2026-08-01', '2026-08-03', granted_by => 'sales');
SELECT * FROM credits.credit_grant_stats(category => 'paid');
SELECT credits.credit_grant_stats(time_zone => 'Mars/Olympus');
SELECT credits.credit_grant_stats(category => 'free');
SELECT credits.credit_grant_stats(start_at => '2026-08-02', end_at => '2026-08-01');

-- Totals may be more than any one account can count.
SELECT FROM credits.currency_create('UNIT', decimals => 0);
SELECT FROM credits.wallet_credit('w', 9999999999999999999999999999, 'UNIT');
SELECT FROM credits.wallet_debit('w', 9999999999999999999999999999, 'UNIT');
SELECT FROM credits.wallet_credit('v', 9999999999999999999999999999, 'UNIT');
SELECT * FROM credits.credit_grant_summary('w');
SELECT * FROM credits.credit_grant_stats('UNIT');

SELECT * FROM credits.verify();
