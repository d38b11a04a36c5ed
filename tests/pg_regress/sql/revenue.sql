-- What grants cost, and what becomes of the money: to the cent, whatever becomes of the credits.
SET credits.test_clock = '2026-03-01 10:00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('JPY', decimals => 0, kind => 'fiat');
SELECT FROM credits.meter_create('calls');

-- What was paid for all of it. What that is for one credit is rounded, and only reported.
SELECT cost_amount, cost_currency, cost_basis
FROM credits.credit_grant('ann', 3, category => 'paid', cost_amount => 10, cost_currency => 'USD',
                          idempotency_key => 'a');
SELECT cost_amount, cost_currency, cost_basis, replayed
FROM credits.credit_grant('ann', 3, category => 'paid', cost_amount => 10, cost_currency => 'USD',
                          idempotency_key => 'a');
SELECT cost_amount, cost_currency, cost_basis
FROM credits.credit_grant('cai', 3, cost_amount => 100, cost_currency => 'JPY', cost_basis => 33);

-- 10 for 3 credits ends at 10.
SELECT FROM credits.wallet_debit('ann', 1);
SELECT FROM credits.report_meter_event('ann', 'calls', 1, 'a1');
SET credits.test_clock = '2026-03-02 10:00';
SELECT FROM credits.wallet_debit('ann', 1);
SELECT line_no, type, account, amount, cost_amount, cost_currency, cost_account FROM credits.journal
WHERE customer_id = 'ann' ORDER BY line_no, amount DESC;
SELECT * FROM credits.revenue ORDER BY day, currency;

-- Usage that is taken back is revenue no longer.
SET credits.test_clock = '2026-03-03 10:00';
SELECT FROM credits.meter_event_cancel('ann', 'a1');
SELECT * FROM credits.revenue WHERE day = '2026-03-03';
SELECT FROM credits.wallet_debit('ann', 1);
SELECT * FROM credits.revenue WHERE day = '2026-03-03';

-- A transfer passes its part of the cost on, and so does the next: nothing is received, earned or lost by it. Held
-- credits stay deferred. What is left when a grant expires is breakage.
SET credits.test_clock = '2026-03-04 10:00';
SELECT FROM credits.credit_grant('bob', 7, name => 'Pack', category => 'paid', expires_at => '2026-03-06',
                                 cost_amount => 9.99, cost_currency => 'USD');
SELECT hold_id AS work FROM credits.hold_create('bob', 1) \gset
SELECT FROM credits.wallet_transfer('bob', 'dee', 1);
SELECT FROM credits.wallet_transfer('bob', 'dee', 1.5);
SELECT FROM credits.hold_capture('bob', :'work', 0.75);
SELECT FROM credits.wallet_transfer('dee', 'eve', 1.2);
SELECT customer_id, amount, remaining, cost_amount, cost_currency, cost_basis FROM credits.grants
WHERE name = 'Pack' ORDER BY customer_id, grant_id;
SELECT customer_id, line_no, type, account, amount, cost_amount, cost_account FROM credits.journal
WHERE customer_id IN ('bob', 'dee', 'eve') ORDER BY customer_id, line_no, amount DESC;
SELECT * FROM credits.revenue WHERE day = '2026-03-04';
SET credits.test_clock = '2026-03-07 10:00';
CALL credits.maintain();
SELECT * FROM credits.revenue WHERE day = '2026-03-06';
SELECT cost_account, sum(cost_amount) FROM credits.journal WHERE customer_id IN ('bob', 'dee', 'eve')
GROUP BY cost_account ORDER BY cost_account;

-- A grant that has not begun is deferred from the day on which it was sold. One that never begins is breakage, and so
-- is what is voided or corrected away; what is adjusted as a charge is earned, as a refund paid back.
SET credits.test_clock = '2026-03-10 10:00';
SELECT FROM credits.credit_grant('fay', 5, category => 'paid', effective_at => '2026-04-01',
                                 cost_amount => 5, cost_currency => 'USD');
SELECT grant_id AS later FROM credits.credit_grant('fay', 4, category => 'paid', effective_at => '2026-04-01',
                                                   cost_amount => 4, cost_currency => 'USD') \gset
SELECT grant_id AS now FROM credits.credit_grant('fay', 7, category => 'paid', cost_amount => 0.05,
                                                 cost_currency => 'USD') \gset
SELECT * FROM credits.revenue WHERE day = '2026-03-10';
SET credits.test_clock = '2026-03-11 10:00';
SELECT FROM credits.credit_grant_void('fay', :'later');
SELECT FROM credits.wallet_adjust('fay', -1, 'correction');
SELECT FROM credits.wallet_adjust('fay', -1, 'charge');
SELECT FROM credits.wallet_adjust('fay', -1, 'refund');
SELECT FROM credits.credit_grant_void('fay', :'now');
SELECT * FROM credits.revenue WHERE day = '2026-03-11';
SELECT type, account, amount, cost_amount, cost_account FROM credits.journal
WHERE grant_id = :'now' AND account <> 'available' ORDER BY line_no;

-- A purchase has its cost by itself: what was paid without tax, also where the tax is reported after it.
SET credits.test_clock = '2026-03-20 10:00';
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT top_up_id AS gus FROM credits.top_up_create('gus', :'pack') \gset
SELECT FROM credits.payment_succeeded('gus', :'gus', 'bank', 'p_gus', 11.90);
SELECT cost_amount, cost_currency, cost_basis FROM credits.grants WHERE customer_id = 'gus';
SELECT FROM credits.payment_succeeded('gus', :'gus', 'bank', 'p_gus', 11.90, tax => 1.90);
SELECT cost_amount, cost_currency, cost_basis FROM credits.grants WHERE customer_id = 'gus';
-- A refund takes what is unspent. What was spent stays earned, and is owed; the credits that pay for it later make up
-- for the money that went back, and are not earned again.
SELECT FROM credits.wallet_debit('gus', 60);
SELECT taken, pending FROM credits.payment_refunded('gus', :'gus', 'bank', 'r_gus');
SELECT * FROM credits.revenue WHERE day = '2026-03-20';
SET credits.test_clock = '2026-03-21 10:00';
SELECT top_up_id AS more FROM credits.top_up_create('gus', :'pack') \gset
SELECT FROM credits.payment_succeeded('gus', :'more', 'bank', 'q_gus');
SELECT * FROM credits.revenue WHERE day = '2026-03-21';
-- The refund did not come about: all is as it was.
SET credits.test_clock = '2026-03-22 10:00';
SELECT FROM credits.payment_refund_failed('gus', :'gus', 'bank', 'r_gus');
SELECT * FROM credits.revenue WHERE day = '2026-03-22';
SELECT cost_account, sum(cost_amount) FROM credits.journal WHERE customer_id = 'gus'
GROUP BY cost_account ORDER BY cost_account;
-- Once credits were passed on, their part of the cost is gone with them: only cost_basis is corrected.
SELECT top_up_id AS hal FROM credits.top_up_create('hal', :'pack') \gset
SELECT FROM credits.payment_succeeded('hal', :'hal', 'bank', 'p_hal', 11.90);
SELECT FROM credits.wallet_transfer('hal', 'ivy', 30);
SELECT FROM credits.payment_succeeded('hal', :'hal', 'bank', 'p_hal', 11.90, tax => 1.90);
SELECT customer_id, cost_amount, cost_basis FROM credits.grants WHERE customer_id IN ('hal', 'ivy') ORDER BY 1;

-- What is reversed comes back as what it was booked.
SET credits.test_clock = '2026-03-25 10:00';
SELECT FROM credits.credit_grant('jim', 3, category => 'paid', cost_amount => 10, cost_currency => 'USD');
SELECT FROM credits.wallet_debit('jim', 1, idempotency_key => 'spent');
SELECT FROM credits.wallet_adjust('jim', -1, 'correction', idempotency_key => 'corrected');
SELECT FROM credits.wallet_adjust('jim', -0.5, 'refund', idempotency_key => 'refunded');
SELECT * FROM credits.revenue WHERE day = '2026-03-25';
SET credits.test_clock = '2026-03-26 10:00';
SELECT FROM credits.operation_reverse('jim', operation_key => 'spent', amount => 0.5);
SELECT FROM credits.operation_reverse('jim', operation_key => 'corrected');
SELECT FROM credits.operation_reverse('jim', operation_key => 'refunded');
SELECT * FROM credits.revenue WHERE day = '2026-03-26';

-- What is suspended stays deferred. What lapsed and comes back is deferred again; parts are as much as they are.
SET credits.test_clock = '2026-03-27 10:00';
SELECT grant_id AS kay FROM credits.credit_grant('kay', 3, category => 'paid', expires_at => '2026-03-29',
                                                 cost_amount => 10, cost_currency => 'USD') \gset
SELECT FROM credits.credit_grant_void('kay', :'kay', amount => 1);
SELECT FROM credits.credit_grant_suspend('kay', :'kay');
SET credits.test_clock = '2026-03-30 10:00';
CALL credits.maintain();
SELECT FROM credits.credit_grant_extend('kay', :'kay', '2026-05-01');
SELECT FROM credits.wallet_debit('kay', 1);
-- A mistake that nobody paid for: who pays for what was spent of it earns that money.
SELECT grant_id AS mistake FROM credits.credit_grant('kay', 3, priority => 1) \gset
SELECT FROM credits.wallet_debit('kay', 1);
SELECT FROM credits.credit_grant_void('kay', :'mistake', spent => 'pending');
SELECT line_no, type, account, amount, cost_amount, cost_account FROM credits.journal
WHERE customer_id = 'kay' AND cost_amount IS NOT NULL ORDER BY line_no, amount DESC;
SELECT * FROM credits.revenue WHERE day > '2026-03-26' ORDER BY day;

-- All that came in is there.
SELECT currency, category, sum(received) AS received, sum(recognised) AS recognised, sum(breakage) AS breakage,
       sum(refunded) AS refunded, (array_agg(deferred ORDER BY day DESC))[1] AS deferred
FROM credits.revenue GROUP BY currency, category ORDER BY currency, category;
SELECT currency, account, balance FROM credits.trial_balance;
SELECT * FROM credits.verify();

-- Shares are exact: half a cent goes up, less does not, whatever the numbers.
SELECT credits_internal.share(0.01, 1, 2, 2::smallint) AS half,
       credits_internal.share(0.01, 4999999999999999999999999999, 9999999999999999999999999999, 2::smallint) AS less,
       credits_internal.share(9999999999999999999999.99, 1, 3, 2::smallint) AS third,
       credits_internal.share(1, 2, 3, 18::smallint) AS fine, credits_internal.share(0, 1, 3, 0::smallint) AS nothing;

-- Wrong: a currency that is missing, for nothing, unknown or no longer used, and amounts that there are not.
SELECT credits.credit_grant('ann', 1, cost_amount => 1);
SELECT credits.credit_grant('ann', 1, cost_currency => 'USD');
SELECT credits.credit_grant('ann', 1, cost_amount => 1, cost_currency => 'EUR');
SELECT credits.credit_grant('ann', 1, cost_amount => 1, cost_currency => '');
SELECT credits.credit_grant('ann', 1, cost_amount => -1, cost_currency => 'USD');
SELECT credits.credit_grant('ann', 1, cost_amount => 'NaN', cost_currency => 'USD');
SELECT credits.credit_grant('ann', 1, cost_amount => 1.001, cost_currency => 'USD');
SELECT FROM credits.currency_update('JPY', active => false);
SELECT credits.credit_grant('ann', 1, cost_amount => 1, cost_currency => 'JPY');
SELECT cost_amount, cost_basis FROM credits.credit_grant('ann', 1, cost_amount => 0, cost_currency => 'USD');

-- verify() knows.
BEGIN;
UPDATE credits_internal.credit_grants SET cost_amount = 10.01 WHERE customer_id = 'bob';
UPDATE credits_internal.credit_grants SET cost_amount = 1.001 WHERE customer_id = 'cai';
UPDATE credits_internal.credit_grants SET cost_currency = 'JPY' WHERE customer_id = 'gus' AND cost_basis = 0.1;
UPDATE credits_internal.credit_transactions SET amount = -0.26 WHERE customer_id = 'bob' AND type = 'expiration';
SELECT problem, customer_id, expected, found FROM credits.verify() WHERE problem ~ 'cost' ORDER BY 1, 2, 3;
ROLLBACK;
