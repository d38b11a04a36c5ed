-- Grants of which something goes on when their time runs out.
SET credits.test_clock = '2026-01-01';
SET credits.late_usage_grace = 0;
CREATE VIEW chain AS
SELECT customer_id, status, amount, remaining, held, consumed, lapsed, rolled_over, effective_at::date AS begins,
       expires_at::date AS ends, rollover
FROM credits.grants ORDER BY customer_id, effective_at;
CREATE VIEW books AS
SELECT customer_id, line_no, type, amount, running_balance, effective_at, created_at
FROM credits.ledger ORDER BY customer_id, line_no;

-- Half of what remains goes on, at most 20, twice, for a month each.
SELECT status, remaining, rollover, rolled_from, rolled_to, rolled_over
FROM credits.credit_grant('ada', 100, name => 'January', expires_at => '2026-02-01', category => 'paid', priority => 10,
    cost_amount => 10, cost_currency => 'CREDIT', metadata => '{"plan": "pro"}',
    rollover => '{"percent": 50, "max": 20, "max_times": 2, "expires_after": "1 month"}');
SELECT FROM credits.wallet_debit('ada', 70);
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');

-- 30 remain. From the moment on at which the grant ends, every reader sees 15 that went on, and nothing is posted.
SET credits.test_clock = '2026-01-31 23:59:59.999999';
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
SET credits.test_clock = '2026-02-01';
SELECT available, next_expiry_at, next_expiry_amount FROM credits.wallet_balance('ada', 'CREDIT');
SELECT balance, next_expiry_at, next_expiry_amount FROM credits.wallets;
SELECT * FROM chain;
SELECT n.name, n.category, n.priority, n.metadata, n.cost_amount, n.cost_currency, n.created_at, n.effective_at,
       n.grant_id = g.rolled_to AS is_next, n.rolled_from = g.grant_id AS is_from
FROM credits.grants n JOIN credits.grants g ON g.rolled_to IS NOT NULL AND n.rolled_from IS NOT NULL;
SELECT balance FROM credits.wallet_balance_at('ada', as_of => '2026-02-01');
SELECT amount, remaining_after, expires_at FROM credits.explain_drawdown('ada', 12);
SELECT granted, remaining, usable_grants, usable_granted, grants, consumed FROM credits.credit_grant_summary('ada');
SELECT usable_grants, usable_granted FROM credits.credit_grant_holders('CREDIT');
SELECT day, grants, granted, remaining, consumed FROM credits.credit_grant_stats('CREDIT');
SELECT can_continue, available FROM credits.credit_availability('ada', 15);
SELECT count(*) FROM books;
SELECT grant_id AS seen FROM credits.grants WHERE rolled_from IS NOT NULL \gset
SELECT count(*) FROM credits.wallet_history('ada', grant_id => :'seen');

-- A debit after it: the same grant, with the same id. What fell due is posted with its own time.
SET credits.test_clock = '2026-02-10';
SELECT debited, available FROM credits.wallet_debit('ada', 12);
SELECT * FROM chain;
SELECT grant_id = :'seen' AS as_seen FROM credits.grants WHERE rolled_from IS NOT NULL;
SELECT * FROM books;
SELECT line_no, display_title, grant_name FROM credits.ledger WHERE type IN ('rollover', 'expiration');
SELECT type, line_no FROM credits.wallet_history('ada', type => 'rollover');
SELECT line_no, account, amount, cost_account, cost_amount FROM credits.journal WHERE type = 'rollover';
SELECT * FROM credits.trial_balance;
SELECT day, received, recognised, breakage, refunded, deferred FROM credits.revenue;
SELECT balance FROM credits.wallet_balance_at('ada', as_of => '2026-02-01');
SELECT balance FROM credits.wallet_balance_at('ada', as_of => '2026-01-31 12:00');
SELECT issued FROM credits_internal.accounts;
SELECT * FROM credits.verify();

-- 3 remain, of which 1.5 go on; and then no more.
SET credits.test_clock = '2026-03-15';
SELECT * FROM chain;
SELECT status, remaining, rollover FROM credits.credit_grant_update('ada', (SELECT rolled_to FROM credits.grants
    WHERE rolled_from = (SELECT grant_id FROM credits.grants WHERE rolled_from IS NULL)), name => 'Last');
SET credits.test_clock = '2026-04-01';
SELECT available FROM credits.wallet_balance('ada', 'CREDIT');
CALL credits.maintain();
SELECT * FROM chain;
SELECT * FROM books WHERE line_no > 7;
SELECT day, received, recognised, breakage, refunded, deferred FROM credits.revenue;
SELECT * FROM credits.verify();

-- A chain that nobody looked at for months: each in its time, whoever comes, also with usage recorded in between. Each
-- lives a month from the day on which it began, to the last day of one that is shorter.
SELECT event_name FROM credits.meter_create('calls', settlement => 'deferred');
SELECT FROM credits.credit_grant('bob', 10, effective_at => '2026-05-30', expires_at => '2026-05-31',
    applicable_meters => '{calls}', rollover => '{"expires_after": "1 month"}');
SET credits.test_clock = '2026-07-10';
SELECT status FROM credits.report_meter_event('bob', 'calls', 2, 'c1');
SET credits.test_clock = '2026-09-01';
SELECT restricted FROM credits.wallet_balance('bob', 'CREDIT');
SELECT * FROM chain WHERE customer_id = 'bob';
SELECT balance, restricted FROM credits.wallet_balance_at('bob', as_of => '2026-07-09');
SELECT status, consumed FROM credits.usage WHERE customer_id = 'bob';
SELECT credits.settle();
SELECT * FROM chain WHERE customer_id = 'bob';
SELECT * FROM books WHERE customer_id = 'bob';
SELECT balance FROM credits.wallet_balance_at('bob', as_of => '2026-07-09');
SELECT * FROM credits.verify();

-- Held credits do not roll. Those of a hold that ends at that moment have come back before.
SELECT FROM credits.credit_grant('cy', 100, expires_at => '2026-10-01', rollover => '{"expires_after": "30 days"}');
SELECT hold_id AS beyond FROM credits.hold_create('cy', 30, expires_in => '60 days') \gset
SELECT hold_id AS until FROM credits.hold_create('cy', 20, expires_in => '30 days') \gset
SET credits.test_clock = '2026-10-01';
SELECT available, held FROM credits.wallet_balance('cy', 'CREDIT');
SELECT * FROM chain WHERE customer_id = 'cy';
SELECT captured, released FROM credits.hold_capture('cy', :'beyond', 10);
SELECT * FROM books WHERE customer_id = 'cy';
SELECT * FROM chain WHERE customer_id = 'cy';
SELECT * FROM credits.verify();

-- What comes back later lapses, as it does with every grant that has ended.
SELECT FROM credits.credit_grant('dee', 100, expires_at => '2026-11-01', rollover => '{"expires_after": "30 days"}');
SELECT operation_id AS d FROM credits.wallet_debit('dee', 40) \gset
SET credits.test_clock = '2026-11-02';
SELECT returned, available FROM credits.operation_reverse('dee', :'d');
SELECT type, amount, effective_at FROM books WHERE customer_id = 'dee';
SELECT * FROM credits.verify();

-- Late usage is paid by what lapsed, in its place, and then by what went on.
SET credits.late_usage_grace = '2 d';
SELECT event_name FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('eve', 100, expires_at => '2026-11-05', applicable_meters => '{tokens}',
    rollover => '{"percent": 90, "expires_after": "30 days"}');
SET credits.test_clock = '2026-11-06';
SELECT status, consumed FROM credits.report_meter_event('eve', 'tokens', 25, 't1', occurred_at => '2026-11-04');
SELECT * FROM chain WHERE customer_id = 'eve';
SELECT type, amount, effective_at FROM books WHERE customer_id = 'eve';
SELECT * FROM credits.verify();

-- A grant that is ended by hand does not roll over, nor a part of it; what is transferred takes no rollover along.
SELECT grant_id AS g FROM credits.credit_grant('fay', 100, expires_at => '2026-12-01',
    rollover => '{"expires_after": "1 month"}') \gset
SELECT remaining FROM credits.credit_grant_void('fay', :'g', amount => 10);
SELECT FROM credits.wallet_transfer('fay', 'gus', 30);
SELECT rollover FROM credits.grants WHERE customer_id = 'gus';
SET credits.test_clock = '2026-12-02';
SELECT customer_id, status, amount, remaining, consumed, lapsed, rolled_over FROM credits.grants
WHERE customer_id IN ('fay', 'gus') ORDER BY 1, effective_at;
SELECT status, remaining
FROM credits.credit_grant_expire('fay', (SELECT rolled_to FROM credits.grants WHERE grant_id = :'g'));
SELECT available FROM credits.wallet_balance('fay', 'CREDIT');
SELECT * FROM credits.verify();

-- A suspended grant goes on as a suspended one.
SELECT grant_id AS g FROM credits.credit_grant('hal', 50, expires_at => '2026-12-10',
    rollover => '{"expires_after": "1 month"}') \gset
SELECT status FROM credits.credit_grant_suspend('hal', :'g', 'disputed');
SET credits.test_clock = '2026-12-15';
SELECT available FROM credits.wallet_balance('hal', 'CREDIT');
SELECT status, remaining, rolled_over, suspended_at, suspended_reason FROM credits.grants WHERE customer_id = 'hal'
ORDER BY effective_at;
SELECT credits.credit_grant_resume('hal', :'g');
SELECT status, remaining
FROM credits.credit_grant_resume('hal', (SELECT rolled_to FROM credits.grants WHERE grant_id = :'g'));
SELECT type, amount, running_balance, effective_at FROM books WHERE customer_id = 'hal';
SELECT status, suspended_at FROM credits.grants WHERE customer_id = 'hal' ORDER BY effective_at;
SELECT * FROM credits.verify();

-- More time: before the end it moves the rollover; after it, what expired comes back, and the grant does not roll
-- again.
SELECT grant_id AS g FROM credits.credit_grant('ida', 50, expires_at => '2026-12-20',
    rollover => '{"percent": 40, "expires_after": "1 month"}') \gset
SELECT expires_at FROM credits.credit_grant_extend('ida', :'g', '2026-12-22');
SET credits.test_clock = '2026-12-21';
SELECT available FROM credits.wallet_balance('ida', 'CREDIT');
SET credits.test_clock = '2026-12-23';
SELECT available FROM credits.wallet_balance('ida', 'CREDIT');
SELECT status, remaining, rollover FROM credits.credit_grant_extend('ida', :'g', '2026-12-25');
SET credits.test_clock = '2026-12-26';
SELECT status, amount, remaining, lapsed, rolled_over, ends FROM chain WHERE customer_id = 'ida';
SELECT type, amount, effective_at FROM books WHERE customer_id = 'ida';
SELECT * FROM credits.verify();
CALL credits.maintain();
SELECT * FROM credits.verify();

-- What a purchase grants goes on for as long as it was valid, and what is refunded is taken where it is by then.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS p FROM credits.product_create('Month', credit_config =>
    '{"amount": 100, "valid_for": "1 month", "rollover": {"percent": 50}}') \gset
SELECT price_id AS c FROM credits.price_create(:'p', unit_amount => 10, currency => 'USD') \gset
SELECT top_up_id AS t FROM credits.top_up_create('joe', price_id => :'c') \gset
SELECT status FROM credits.payment_succeeded('joe', :'t', 'stripe', 'pi_1', 10);
SELECT rollover FROM credits.grants WHERE customer_id = 'joe';
SELECT FROM credits.wallet_debit('joe', 20);
SET credits.test_clock = '2027-01-27';
SELECT * FROM chain WHERE customer_id = 'joe';
SELECT FROM credits.wallet_debit('joe', 5);
-- 35 of the 100 remain, 40 expired, 25 were spent. Half: 35, and 15 of what expired. Then all: the rest of what
-- expired, and what was spent is owed.
SELECT taken, pending FROM credits.payment_refunded('joe', :'t', 'stripe', 're_1', 5);
SELECT * FROM chain WHERE customer_id = 'joe';
SELECT * FROM credits.verify();
SELECT taken, pending FROM credits.payment_refunded('joe', :'t', 'stripe', 're_2', 10);
SELECT available, pending FROM credits.wallet_balance('joe', 'CREDIT');
SELECT * FROM credits.verify();
-- Won: exactly that comes back.
SELECT top_up_id AS t FROM credits.top_up_create('kim', price_id => :'c') \gset
SELECT status FROM credits.payment_succeeded('kim', :'t', 'stripe', 'pi_2', 10);
SELECT FROM credits.wallet_debit('kim', 40);
SET credits.test_clock = '2027-03-01';
SELECT taken, pending FROM credits.payment_disputed('kim', :'t', 'stripe', 'dp_1', 10);
SELECT available, pending FROM credits.wallet_balance('kim', 'CREDIT');
SELECT * FROM credits.verify();
SELECT taken, pending FROM credits.payment_dispute_closed('kim', :'t', 'stripe', 'dp_1', true);
SELECT available, pending FROM credits.wallet_balance('kim', 'CREDIT');
SELECT * FROM chain WHERE customer_id = 'kim';
SELECT * FROM credits.verify();

-- What others learn: a grant that began, with where it came from.
SELECT FROM credits.outbox_consumer_create('crm');
SELECT FROM credits.credit_grant('lea', 10, expires_at => '2027-03-10', rollover => '{"expires_after": "1 month"}');
SET credits.test_clock = '2027-03-11';
CALL credits.maintain();
SELECT type, payload - 'grant_id' - 'rolled_from' AS payload, payload ? 'rolled_from' AS rolled FROM credits.outbox_rows
WHERE customer_id = 'lea';

-- What it has to be.
CREATE FUNCTION refused(rollover text, expires_at timestamptz DEFAULT '2027-04-01') RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits.credit_grant('lea', 1, expires_at => $2, rollover => $1::jsonb);
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT r.given, refused(r.given) FROM unnest(ARRAY['{"expires_after": "1 month"}', '{}', '[]',
    '{"percent": 0, "expires_after": "1 day"}', '{"percent": 101, "expires_after": "1 day"}',
    '{"max": 0, "expires_after": "1 day"}', '{"max": 0.0000001, "expires_after": "1 day"}',
    '{"max_times": 0, "expires_after": "1 day"}', '{"max_times": 1.5, "expires_after": "1 day"}',
    '{"expires_after": "59 minutes"}',
    '{"expires_after": "1 month -28 days"}', '{"expires_after": "11 years"}', '{"expires_after": 5}', '{"most": 5}',
    '{"percent": "12.5", "max": "7", "expires_after": "P1M"}']) AS r (given);
SELECT refused('{"expires_after": "1 day"}', NULL), refused('{"expires_after": "1 day"}', 'infinity');
SELECT rollover FROM credits.grants WHERE customer_id = 'lea' AND status = 'granted' ORDER BY effective_at, grant_id;

-- verify() sees what does not add up.
BEGIN;
UPDATE credits_internal.grant_rollovers SET rolled_over = rolled_over + 1, percent = 10
WHERE customer_id = 'ada' AND generation = 0;
UPDATE credits_internal.grant_rollovers SET times_left = 7 WHERE customer_id = 'bob' AND generation = 1;
SELECT problem, customer_id, expected, found FROM credits.verify() ORDER BY 1, 2;
ROLLBACK;
BEGIN;
UPDATE credits_internal.grant_rollovers SET rolled_to = NULL, rolled_over = NULL
WHERE customer_id = 'lea' AND rolled_to IS NOT NULL;
UPDATE credits_internal.credit_transactions SET type = 'expiration' WHERE customer_id = 'cy' AND line_no = 5;
UPDATE credits_internal.credit_grants g SET cost_amount = 0 WHERE customer_id = 'ada' AND cost_amount = 1.5;
SELECT problem, customer_id, expected, found FROM credits.verify() ORDER BY 1, 2;
ROLLBACK;
SELECT * FROM credits.verify();
