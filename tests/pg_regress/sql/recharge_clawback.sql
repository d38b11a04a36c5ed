-- Auto-recharge charges nobody because money was given back: only the customer's next spend asks after credits were taken back.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
CREATE FUNCTION auto(customer text) RETURNS TABLE (enabled boolean, disabled_reason text, waits_for_spend boolean, available numeric, requests text)
LANGUAGE sql AS $$
    SELECT a.enabled, a.disabled_reason, a.waits_for_spend, b.available,
           (SELECT string_agg(status, ', ' ORDER BY requested_at, recharge_id) FROM credits.recharge_log
WHERE customer_id = customer)
    FROM credits.auto_recharge_config(customer) a, credits.wallet_balance(customer, 'CREDIT') b
$$;
-- A customer whose last automatic charge was paid: 110 available, threshold 20.
CREATE PROCEDURE recharged(customer text, price uuid) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM credits.wallet_credit(customer, 30);
    PERFORM FROM credits.configure_auto_recharge(customer, threshold => 20, price_id => price, cooldown => '0');
    PERFORM FROM credits.wallet_debit(customer, 20);
    PERFORM FROM credits.payment_succeeded(customer, (SELECT top_up_id FROM credits.recharge_log
WHERE customer_id = customer), 'stripe', 'pi_' || customer);
END $$;
CREATE FUNCTION bought(customer text) RETURNS uuid LANGUAGE sql AS $$ SELECT top_up_id FROM credits.top_ups WHERE customer_id = customer AND status = 'paid' $$;

-- A refund of the automatic charge. It leaves 10, and asks for nothing; nor does maintain(), then or later. The next spend does.
CALL recharged('ann', :'price_id');
SELECT * FROM auto('ann');
SELECT taken, available FROM credits.payment_refunded('ann', bought('ann'), 'stripe', 're_1');
SELECT * FROM auto('ann');
CALL credits.maintain();
SET credits.test_clock = '2026-03-02 12:00+00';
CALL credits.maintain();
SELECT * FROM auto('ann');
SELECT * FROM credits.verify();
SELECT available FROM credits.wallet_debit('ann', 1);
SELECT * FROM auto('ann');

-- A refund while a request is open: that was asked for by a spend, and stays; but where it fails, nothing is asked again.
SELECT FROM credits.wallet_credit('bea', 30);
SELECT top_up_id FROM credits.top_up_create('bea', :'price_id') \gset
SELECT FROM credits.payment_succeeded('bea', :'top_up_id', 'stripe', 'pi_bea');
SELECT FROM credits.configure_auto_recharge('bea', threshold => 20, price_id => :'price_id', cooldown => '0');
SELECT FROM credits.wallet_debit('bea', 120);
SELECT * FROM auto('bea');
SELECT taken, available FROM credits.payment_refunded('bea', :'top_up_id', 'stripe', 're_2', 1);
SELECT * FROM auto('bea');
SELECT FROM credits.payment_failed('bea', (SELECT top_up_id FROM credits.recharge_log WHERE customer_id = 'bea'));
CALL credits.maintain();
SELECT * FROM auto('bea');
-- Credits by hand end the pause as well: what is low after that asks again, by itself too.
SELECT FROM credits.credit_grant('bea', 50, expires_at => '2026-03-03 12:00+00');
SELECT * FROM auto('bea');
SET credits.test_clock = '2026-03-03 12:00+00';
CALL credits.maintain();
SELECT * FROM auto('bea');

-- Held credits are taken when their hold closes, released or run out. What is spent after that asks.
CALL recharged('cas', :'price_id');
SELECT FROM credits.wallet_debit('cas', 10);
SELECT hold_id FROM credits.hold_create('cas', 80) \gset
SELECT taken, held, available FROM credits.payment_refunded('cas', bought('cas'), 'stripe', 're_3', 9);
SELECT * FROM auto('cas');
SELECT FROM credits.hold_release('cas', :'hold_id');
SELECT * FROM auto('cas');
CALL credits.maintain();
SELECT * FROM auto('cas');
SELECT FROM credits.hold_create('cas', 1);
SELECT * FROM auto('cas');
CALL recharged('cid', :'price_id');
SELECT FROM credits.hold_create('cid', 90, expires_in => '1 hour');
SELECT taken, held FROM credits.payment_refunded('cid', bought('cid'), 'stripe', 're_4');
SET credits.test_clock = '2026-03-03 13:00+00';
CALL credits.maintain();
SELECT * FROM auto('cid');
SELECT FROM credits.meter_create('tokens');
SELECT FROM credits.report_meter_event('cid', 'tokens', 1, 'e1');
SELECT * FROM auto('cid');

-- A retry that is due when credits are taken back is not asked for by that call: what timed out unseen ends, and nothing follows.
CREATE PROCEDURE asked_in_vain(customer text, price uuid) LANGUAGE plpgsql AS $$
DECLARE
    top_up uuid := (SELECT top_up_id FROM credits.top_up_create(customer, price));
BEGIN
    PERFORM FROM credits.payment_succeeded(customer, top_up, 'stripe', 'pi_' || customer);
    PERFORM FROM credits.configure_auto_recharge(customer, threshold => 50, price_id => price, cooldown => '0', timeout => '1 second');
    PERFORM FROM credits.wallet_debit(customer, 60);
END $$;
CREATE FUNCTION paid_grant(customer text) RETURNS uuid LANGUAGE sql AS $$ SELECT grant_id FROM credits.grants WHERE customer_id = customer AND category = 'paid' $$;
CALL asked_in_vain('cod', :'price_id');
CALL asked_in_vain('coe', :'price_id');
CALL asked_in_vain('cof', :'price_id');
CALL asked_in_vain('cog', :'price_id');
SET credits.test_clock = '2026-03-03 13:01+00';
SELECT taken, available FROM credits.payment_refunded('cod', bought('cod'), 'stripe', 're_cod', 2);
SELECT status FROM credits.credit_grant_void('coe', paid_grant('coe'));
SELECT status FROM credits.credit_grant_expire('cof', paid_grant('cof'));
SELECT FROM credits.wallet_adjust('cog', -1, 'correction');
CALL credits.maintain();
SELECT c.customer, a.* FROM unnest(ARRAY['cod', 'coe', 'cof', 'cog']) AS c (customer), auto(c.customer) a;
SELECT customer_id, type FROM credits.outbox_rows WHERE customer_id LIKE 'co_' AND type LIKE 'recharge.%' ORDER BY customer_id, outbox_no;
SELECT * FROM credits.verify();
SELECT FROM credits.wallet_debit('cod', 1);
SELECT * FROM auto('cod');

-- What somebody takes by hand is no spend either: a grant that is voided or ended, a correction, a refund elsewhere. A charge
-- elsewhere is one.
SELECT grant_id FROM credits.wallet_credit('dan', 100) \gset
SELECT FROM credits.wallet_credit('dan', 10);
SELECT FROM credits.configure_auto_recharge('dan', threshold => 20, price_id => :'price_id');
SELECT FROM credits.credit_grant_void('dan', :'grant_id');
SELECT * FROM auto('dan');
SELECT FROM credits.wallet_adjust('dan', -1, 'charge');
SELECT * FROM auto('dan');
SELECT grant_id FROM credits.wallet_credit('dee', 100) \gset
SELECT FROM credits.wallet_credit('dee', 10);
SELECT FROM credits.configure_auto_recharge('dee', threshold => 20, price_id => :'price_id');
SELECT FROM credits.credit_grant_expire('dee', :'grant_id');
SELECT * FROM auto('dee');
SELECT FROM credits.wallet_credit('eli', 30);
SELECT FROM credits.configure_auto_recharge('eli', threshold => 20, price_id => :'price_id');
SELECT FROM credits.wallet_adjust('eli', -15, 'correction');
SELECT FROM credits.wallet_adjust('eli', -5, 'refund');
SELECT * FROM auto('eli');
-- Who says so expressly is recharged at once.
SELECT FROM credits.configure_auto_recharge('eli', payment_method => 'pm_2');
SELECT * FROM auto('eli');
SELECT FROM credits.configure_auto_recharge('eli', enabled => true);
SELECT * FROM auto('eli');

-- A dispute switches it off, in every currency, and cancels what no worker has begun; the outbox says so once.
CALL recharged('fay', :'price_id');
SELECT FROM credits.currency_create('GPU', decimals => 0);
SELECT price_id AS gpu FROM credits.package_create('GPU', 10, 5, 'USD', 'GPU') \gset
SELECT FROM credits.wallet_credit('fay', 5, 'GPU');
SELECT recharge_in_progress FROM credits.configure_auto_recharge('fay', 'GPU', threshold => 8, price_id => :'gpu');
SELECT taken, available FROM credits.payment_disputed('fay', bought('fay'), 'stripe', 'dp_1');
SELECT * FROM auto('fay');
SELECT enabled, disabled_reason, recharge_in_progress FROM credits.auto_recharge_config('fay', 'GPU');
SELECT status, reason FROM credits.recharge_log WHERE customer_id = 'fay' AND currency = 'GPU';
SELECT replayed FROM credits.payment_disputed('fay', bought('fay'), 'stripe', 'dp_1');
SELECT FROM credits.wallet_debit('fay', 1);
CALL credits.maintain();
SELECT * FROM auto('fay');
SELECT type, payload - 'recharge_id' - 'top_up_id' AS payload FROM credits.outbox_rows WHERE customer_id = 'fay' AND type IN ('recharge.disabled', 'recharge.canceled') ORDER BY outbox_no;
-- A dispute that is won switches nothing on again; the customer does.
SELECT taken, available FROM credits.payment_dispute_closed('fay', bought('fay'), 'stripe', 'dp_1', true);
SELECT * FROM auto('fay');
SELECT enabled, disabled_reason FROM credits.configure_auto_recharge('fay', enabled => true);
-- A worker that begins at the same time: what it has begun is not charged again after the dispute.
SELECT FROM credits.wallet_debit('fay', 100);
SELECT recharge_id FROM credits.recharge_log WHERE customer_id = 'fay' AND status = 'requested' \gset
SELECT go, status FROM credits.recharge_begin('fay', :'recharge_id');
SELECT FROM credits.payment_disputed('fay', bought('fay'), 'stripe', 'dp_2');
SELECT go, status FROM credits.recharge_begin('fay', :'recharge_id');
SELECT * FROM auto('fay');
SELECT * FROM credits.verify();

-- Usage that was put into the inbox before credits were taken back is no next spend, whenever it is drained; what came after is.
-- By the real clock: with a test clock it is charged as of when it is drained.
SET credits.test_clock = '';
SELECT top_up_id FROM credits.top_up_create('gus', :'price_id') \gset
SELECT FROM credits.payment_succeeded('gus', :'top_up_id', 'stripe', 'pi_gus');
SELECT FROM credits.configure_auto_recharge('gus', threshold => 50, price_id => :'price_id', cooldown => '0');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('gus', 'tokens', 1, 'g1');
SELECT taken FROM credits.payment_refunded('gus', :'top_up_id', 'stripe', 're_gus', 9);
CALL credits.maintain();
SELECT * FROM auto('gus');
INSERT INTO credits.inbox (customer_id, event_name, value, identifier) VALUES ('gus', 'tokens', 1, 'g2'), ('gus', 'tokens', 1, 'g3');
CALL credits.maintain();
SELECT * FROM auto('gus');
SELECT * FROM credits.verify();
