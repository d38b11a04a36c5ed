-- Auto-recharge: the posting that leaves too little asks for credits, at most once at a time, within cooldown and limits.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT FROM credits.wallet_credit('ann', 50);
SELECT credits.configure_auto_recharge('ann', threshold => 20);
SELECT FROM credits.configure_recharge('CREDIT', :'price_id');
SELECT credits.configure_auto_recharge('ann');
SELECT credits.auto_recharge_config('ann');
SELECT customer_id, currency, enabled, threshold, quantity, payment_method, max_attempts_per_day, max_amount_per_day, cooldown, timeout,
       failures, disabled_reason, recharge_in_progress
FROM credits.configure_auto_recharge('ann', threshold => 20, payment_method => 'pm_1', cooldown => '5 minutes', timeout => '10 minutes',
                                     max_attempts_per_day => 5);
CREATE FUNCTION requests(customer text) RETURNS TABLE (status text, amount numeric, credits numeric, reason text, requested_at timestamptz, closed_at timestamptz)
LANGUAGE sql AS $$
    SELECT status, amount, credits, reason, requested_at, closed_at FROM credits.recharge_log
    WHERE customer_id = customer ORDER BY requested_at, recharge_id
$$;

-- Enough is left, then not: one request, in the debit's own transaction; more debits make no other.
SELECT available FROM credits.wallet_debit('ann', 30);
SELECT * FROM requests('ann');
BEGIN;
SELECT available FROM credits.wallet_debit('ann', 1);
SELECT status FROM requests('ann');
ROLLBACK;
SELECT * FROM requests('ann');
SELECT available FROM credits.wallet_debit('ann', 1);
SELECT available FROM credits.wallet_debit('ann', 1);
SELECT * FROM requests('ann');
SELECT recharge_in_progress FROM credits.auto_recharge_config('ann');
-- What is bought and not paid cannot be spent; but work may go on that counts on it.
SELECT ok, shortfall FROM credits.wallet_try_debit('ann', 19);
SELECT can_continue, reason, recharge_in_progress FROM credits.credit_availability('ann', 19);
SELECT can_continue, reason, recharge_in_progress FROM credits.credit_availability('ann', 19, max_recharges => 1);
SELECT can_continue, reason FROM credits.credit_availability('ann', 119, max_recharges => 1);
-- A worker begins, again where it crashed, and the payment ends it.
SELECT recharge_id, top_up_id FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT go, status, amount, minor_units, currency, payment_method, expires_at FROM credits.recharge_begin('ann', :'recharge_id');
SELECT go, status FROM credits.recharge_begin('ann', :'recharge_id');
SELECT status, available FROM credits.payment_succeeded('ann', :'top_up_id', 'stripe', 'pi_1');
SELECT go, status FROM credits.recharge_begin('ann', :'recharge_id');
SELECT * FROM requests('ann');
SELECT * FROM credits.verify();

-- A failure is tried again once the cooldown is over, with nobody debiting; nobody answers that one; the third failure in a
-- row switches it off.
SET credits.test_clock = '2026-03-01 13:00';
SELECT available FROM credits.wallet_debit('ann', 118);
SELECT top_up_id FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT status FROM credits.payment_failed('ann', :'top_up_id', 'stripe', 'pi_2', 'card declined');
SELECT failures, recharge_in_progress FROM credits.auto_recharge_config('ann');
SET credits.test_clock = '2026-03-01 13:04:59';
CALL credits.maintain();
SELECT count(*) FROM credits.recharge_log WHERE status = 'requested';
SET credits.test_clock = '2026-03-01 13:05';
SELECT * FROM credits.verify();
CALL credits.maintain();
SELECT count(*) FROM credits.recharge_log WHERE status = 'requested';
SET credits.test_clock = '2026-03-01 13:15';
SELECT recharge_in_progress FROM credits.auto_recharge_config('ann');
CALL credits.maintain();
SELECT failures FROM credits.auto_recharge_config('ann');
SELECT top_up_id FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT status FROM credits.payment_failed('ann', :'top_up_id', reason => 'card declined');
SELECT enabled, failures, disabled_reason, recharge_in_progress FROM credits.auto_recharge_config('ann');
SELECT * FROM requests('ann');
SELECT available FROM credits.wallet_debit('ann', 0.5);
SELECT count(*) FROM credits.recharge_log WHERE status = 'requested';
-- A late success of the one that timed out is granted, and counts.
SELECT top_up_id FROM credits.recharge_log WHERE status = 'timed_out' \gset
SELECT status, available FROM credits.payment_succeeded('ann', :'top_up_id', 'stripe', 'pi_3');
SELECT status FROM requests('ann');
SELECT enabled, failures FROM credits.auto_recharge_config('ann');
SELECT * FROM credits.verify();

-- Switched on while there is too little: at once. Topped up by hand before a worker began: canceled.
SET credits.test_clock = '2026-03-02 12:00';
SELECT FROM credits.wallet_debit('ann', 90);
SELECT enabled, failures, disabled_reason, recharge_in_progress FROM credits.configure_auto_recharge('ann', enabled => true);
SELECT available FROM credits.wallet_credit('ann', 100);
SELECT status, reason FROM requests('ann') OFFSET 4;
-- While a worker is at it: left to it.
SET credits.test_clock = '2026-03-02 13:00';
SELECT FROM credits.wallet_debit('ann', 100);
SELECT recharge_id FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT go FROM credits.recharge_begin('ann', :'recharge_id');
SELECT FROM credits.wallet_credit('ann', 100);
SELECT recharge_in_progress FROM credits.auto_recharge_config('ann');
SELECT * FROM credits.verify();

-- Daily limits.
SELECT FROM credits.wallet_credit('bob', 10);
SELECT recharge_in_progress FROM credits.configure_auto_recharge('bob', threshold => 20, max_amount_per_day => 25, cooldown => '0', quantity => 1);
SELECT top_up_id FROM credits.recharge_log WHERE customer_id = 'bob' AND status = 'requested' \gset
SELECT available FROM credits.payment_succeeded('bob', :'top_up_id');
SELECT available FROM credits.wallet_debit('bob', 100);
SELECT top_up_id FROM credits.recharge_log WHERE customer_id = 'bob' AND status = 'requested' \gset
SELECT available FROM credits.payment_succeeded('bob', :'top_up_id');
SELECT available FROM credits.wallet_debit('bob', 100);
SELECT status, amount FROM requests('bob');
SET credits.test_clock = '2026-03-03 13:00';
CALL credits.maintain();
SELECT status, amount FROM requests('bob');
-- One that alone is beyond its limit would never be made: refused.
SELECT FROM credits.wallet_credit('cyd', 10);
SELECT recharge_in_progress FROM credits.configure_auto_recharge('cyd', threshold => 20, max_amount_per_day => 5);

-- Metered usage, expiry and holds ask for it as well.
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.credit_grant('dan', 30, expires_at => '2026-03-03 14:00');
SELECT FROM credits.configure_auto_recharge('dan', threshold => 20);
SELECT available FROM credits.report_meter_event('dan', 'tokens', 5, 'e1');
SELECT count(*) FROM requests('dan');
SET credits.test_clock = '2026-03-03 14:00';
CALL credits.maintain();
SELECT status, requested_at FROM requests('dan');
-- Switched off before a worker began: nothing is charged.
SELECT FROM credits.wallet_credit('gus', 30);
SELECT FROM credits.configure_auto_recharge('gus', threshold => 20);
SELECT FROM credits.wallet_debit('gus', 20);
SELECT recharge_id FROM credits.recharge_log WHERE customer_id = 'gus' \gset
SELECT enabled, recharge_in_progress FROM credits.configure_auto_recharge('gus', enabled => false);
SELECT go, status FROM credits.recharge_begin('gus', :'recharge_id');
SELECT status, reason FROM requests('gus');
-- A wallet that goes up and down does not ask more often than its cooldown allows.
SELECT FROM credits.wallet_credit('hal', 30);
SELECT FROM credits.configure_auto_recharge('hal', threshold => 20);
DO $$ DECLARE hold uuid; BEGIN
    FOR i IN 1..20 LOOP
        SELECT hold_id INTO hold FROM credits.hold_create('hal', 15);
        PERFORM credits.hold_release('hal', hold);
    END LOOP;
END $$;
SELECT status, count(*) FROM credits.recharge_log WHERE customer_id = 'hal' GROUP BY 1;
-- An archived price switches it off.
SELECT FROM credits.wallet_credit('eve', 30);
SELECT FROM credits.configure_auto_recharge('eve', threshold => 20);
SELECT FROM credits.price_archive(:'price_id');
SELECT FROM credits.wallet_debit('eve', 20);
SELECT enabled, disabled_reason FROM credits.auto_recharge_config('eve');
SELECT enabled FROM credits.configure_auto_recharge('eve', enabled => false);

-- A low balance is told once a crossing.
SELECT low_balance_threshold FROM credits.account_configure('fay', low_balance_threshold => 10);
SELECT FROM credits.customer_upsert('fay');
SELECT low_balance_threshold FROM credits.account_configure('fay', low_balance_threshold => 10);
SELECT FROM credits.wallet_credit('fay', 30);
SELECT FROM credits.wallet_debit('fay', 20);
SELECT FROM credits.wallet_debit('fay', 1);
SELECT FROM credits.wallet_debit('fay', 1);
SELECT FROM credits.wallet_debit('fay', 8);
SELECT FROM credits.wallet_credit('fay', 12);
SELECT FROM credits.wallet_debit('fay', 3);
SELECT customer_id, outbox_no, type, payload - 'top_up_id' - 'recharge_id' - 'grant_id' AS payload FROM credits.outbox_rows
WHERE customer_id <> 'ann' ORDER BY customer_id, outbox_no;
SELECT outbox_no, type FROM credits.outbox_rows WHERE customer_id = 'ann' ORDER BY outbox_no;

-- Wrong arguments.
SELECT credits.configure_auto_recharge('nobody', threshold => 1);
SELECT credits.configure_auto_recharge('ann', threshold => 0);
SELECT credits.configure_auto_recharge('ann', quantity => 0);
SELECT credits.configure_auto_recharge('ann', cooldown => '-1 s');
SELECT credits.configure_auto_recharge('ann', timeout => '0');
SELECT credits.configure_auto_recharge('ann', max_attempts_per_day => -1);
SELECT credits.configure_auto_recharge('ann', price_id => '00000000-0000-0000-0000-000000000000');
SELECT credits.configure_auto_recharge('ann', 'NONE');
SELECT credits.configure_auto_recharge(NULL);
SELECT credits.recharge_begin('ann', '00000000-0000-0000-0000-000000000000');
SELECT credits.recharge_begin('ann', NULL);
SELECT * FROM credits.verify();
