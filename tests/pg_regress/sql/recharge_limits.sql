-- Limits bind whoever buys: auto-recharge is held against them when it is configured, when it asks, and when a worker begins.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.currency_create('EUR', decimals => 2, kind => 'fiat');
SELECT FROM credits.currency_update('USD', min_payment => 5, max_payment => 100);
SELECT FROM credits.meter_create('tokens');
SELECT price_id AS pack FROM credits.package_create('Pack', 1000, 20, 'USD') \gset
SELECT price_id AS cheap FROM credits.package_create('Cheap', 100, 1, 'USD') \gset
SELECT price_id AS euros FROM credits.package_create('Euros', 1000, 20, 'EUR') \gset
SELECT price_id AS prompts FROM credits.package_create('Prompts', 1000, 20, 'USD', applicable_meters => ARRAY['tokens']) \gset
CREATE FUNCTION auto(customer text) RETURNS TABLE (enabled boolean, disabled_reason text, available numeric, requests text)
LANGUAGE sql AS $$
    SELECT a.enabled, a.disabled_reason, b.available,
           (SELECT string_agg(status || coalesce(': ' || reason, ''), ', ' ORDER BY requested_at, recharge_id) FROM credits.recharge_log WHERE customer_id = customer)
    FROM credits.auto_recharge_config(customer) a, credits.wallet_balance(customer, 'CREDIT') b
$$;

-- When it is configured: the payment currency's limits, and the recharge configuration's.
SELECT FROM credits.wallet_credit('ann', 50);
SELECT FROM credits.configure_auto_recharge('ann', threshold => 20, price_id => :'pack', quantity => 1000);
SELECT FROM credits.configure_auto_recharge('ann', threshold => 20, price_id => :'pack', quantity => 6);
SELECT FROM credits.configure_auto_recharge('ann', threshold => 20, price_id => :'cheap', quantity => 4);
SELECT enabled, quantity FROM credits.configure_auto_recharge('ann', threshold => 20, price_id => :'pack', quantity => 5);
SELECT FROM credits.configure_recharge('CREDIT', :'pack', min_amount => 30, max_amount => 60);
SELECT FROM credits.configure_auto_recharge('ann', quantity => 4);
SELECT FROM credits.configure_auto_recharge('ann', quantity => 1);
SELECT enabled, quantity FROM credits.configure_auto_recharge('ann', quantity => 3);
-- Those of the configuration are in the currency of its price, and say nothing of another.
SELECT enabled, quantity FROM credits.configure_auto_recharge('ben', threshold => 20, price_id => :'euros', quantity => 9);
SELECT FROM credits.wallet_credit('ben', 50);
SELECT enabled, quantity FROM credits.configure_auto_recharge('ben', threshold => 20, price_id => :'euros', quantity => 9);
-- A limit a day below one recharge, or in the currency of an old price, would never recharge anything.
SELECT FROM credits.configure_auto_recharge('ann', max_amount_per_day => 59);
SELECT max_amount_per_day FROM credits.configure_auto_recharge('ann', max_amount_per_day => 60);
SELECT FROM credits.configure_auto_recharge('ann', price_id => :'euros');
SELECT max_amount_per_day FROM credits.configure_auto_recharge('ann', price_id => :'euros', max_amount_per_day => 70);
SELECT max_amount_per_day FROM credits.configure_auto_recharge('ann', price_id => :'pack', max_amount_per_day => 'infinity');
-- Credits for certain meters only never lift what is available: the card would be charged again and again.
SELECT FROM credits.configure_auto_recharge('ann', price_id => :'prompts');
-- What has too many digits.
SELECT FROM credits.currency_update('USD', max_payment => 'infinity');
SELECT FROM credits.configure_recharge('CREDIT', :'pack', min_amount => 'infinity', max_amount => 'infinity');
SELECT price_id AS huge, product_id AS huge_product FROM credits.package_create('Huge', 1000, 20, 'USD') \gset
SELECT FROM credits.product_update(:'huge_product', credits => 9999999999999999999999.999999);
SELECT FROM credits.configure_auto_recharge('ann', price_id => :'huge', quantity => 3);
SELECT FROM credits.top_up_create('ann', :'huge', quantity => 3);
SELECT FROM credits.configure_auto_recharge('ann', price_id => :'pack', quantity => 2147483647);
-- The recharge configuration itself: one unit must be possible, and its limits are in its price's currency.
SELECT FROM credits.configure_recharge('CREDIT', :'pack', max_amount => 19);
SELECT FROM credits.configure_recharge('CREDIT', :'pack', max_amount => 60);
SELECT FROM credits.configure_recharge('CREDIT', :'euros');
SELECT price_currency, max_amount FROM credits.configure_recharge('CREDIT', :'euros', max_amount => 'infinity');
SELECT FROM credits.currency_update('USD', max_payment => 19);
SELECT FROM credits.configure_recharge('CREDIT', :'pack');
SELECT FROM credits.currency_update('USD', max_payment => 100);
SELECT FROM credits.configure_recharge('CREDIT', :'pack');

-- When it asks: what has become impossible switches it off, says why, and is no error in the debit.
CREATE PROCEDURE low(customer text, price uuid, quantity integer DEFAULT 1, most numeric DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM credits.wallet_credit(customer, 50);
    PERFORM FROM credits.configure_auto_recharge(customer, threshold => 20, price_id => price, quantity => quantity, max_amount_per_day => most);
END $$;
CALL low('cyd', :'pack', 5);
SELECT FROM credits.currency_update('USD', max_payment => 99);
SELECT available FROM credits.wallet_debit('cyd', 40);
SELECT * FROM auto('cyd');
CALL low('dan', :'pack', 3);
SELECT FROM credits.configure_recharge('CREDIT', :'pack', max_amount => 40);
SELECT status, available FROM credits.report_meter_event('dan', 'tokens', 40, 'e1');
SELECT * FROM auto('dan');
CALL low('eva', :'pack', 2);
SELECT FROM credits.currency_update('USD', min_payment => 41);
SELECT available FROM credits.wallet_debit('eva', 40);
SELECT * FROM auto('eva');
SELECT FROM credits.currency_update('USD', min_payment => 'infinity', max_payment => 'infinity');
SELECT FROM credits.configure_recharge('CREDIT', :'pack', max_amount => 'infinity');
-- The product grew beyond what can be counted.
SELECT price_id AS grows, product_id AS growing FROM credits.package_create('Grows', 1000, 20, 'USD') \gset
CALL low('fox', :'grows', 3);
SELECT FROM credits.product_update(:'growing', credits => 9999999999999999999999.999999);
SELECT available FROM credits.wallet_debit('fox', 40);
SELECT available FROM credits.wallet_debit('fox', 1);
SELECT * FROM auto('fox');
CALL low('gil', :'pack');
UPDATE credits_internal.prices SET unit_amount = 9999999999999999999999999.99 WHERE price_id = :'pack';
UPDATE credits_internal.auto_recharges SET quantity = 2147483647 WHERE customer_id = 'gil';
SELECT available FROM credits.wallet_debit('gil', 40);
SELECT * FROM auto('gil');
UPDATE credits_internal.prices SET unit_amount = 20 WHERE price_id = :'pack';
-- There is no room left for it in the account: the payment could not be granted.
CALL low('gus', :'pack');
SELECT FROM credits.wallet_credit('gus', 9999999999999999999900);
SELECT FROM credits.wallet_debit('gus', 9999999999999999999940);
SELECT * FROM auto('gus');
-- It is for certain meters only; a currency takes no new business.
SELECT price_id AS narrows, product_id AS narrowing FROM credits.package_create('Narrows', 1000, 20, 'USD') \gset
CALL low('hal', :'narrows');
SELECT FROM credits.product_update(:'narrowing', applicable_meters => ARRAY['tokens']);
SELECT available FROM credits.wallet_debit('hal', 40);
SELECT * FROM auto('hal');
CALL low('ivy', :'euros');
SELECT FROM credits.currency_update('EUR', active => false);
SELECT available FROM credits.wallet_debit('ivy', 40);
SELECT * FROM auto('ivy');
SELECT FROM credits.configure_auto_recharge('ivy', enabled => true);
SELECT FROM credits.currency_update('EUR', active => true);
SELECT enabled, disabled_reason FROM credits.configure_auto_recharge('ivy', enabled => true);

-- When a worker begins: a limit was lowered since it was asked for.
CALL low('jon', :'pack', 3, 60);
SELECT FROM credits.wallet_debit('jon', 40);
SELECT recharge_id FROM credits.recharge_log WHERE customer_id = 'jon' \gset
SELECT FROM credits.currency_update('USD', max_payment => 50);
SELECT go, status, amount FROM credits.recharge_begin('jon', :'recharge_id');
SELECT * FROM auto('jon');
-- Begun already: it may be charged, so it stays open; but nobody is told to charge it again.
SELECT FROM credits.currency_update('USD', max_payment => 'infinity');
CALL low('kim', :'pack', 3);
SELECT FROM credits.wallet_debit('kim', 40);
SELECT recharge_id FROM credits.recharge_log WHERE customer_id = 'kim' \gset
SELECT go, status FROM credits.recharge_begin('kim', :'recharge_id');
SELECT FROM credits.currency_update('USD', max_payment => 50);
SELECT go, status FROM credits.recharge_begin('kim', :'recharge_id');
SELECT * FROM auto('kim');
-- What was charged is granted all the same.
SELECT status, available FROM credits.payment_succeeded('kim', (SELECT top_up_id FROM credits.recharge_log WHERE customer_id = 'kim'), 'stripe', 'pi_kim');
SELECT * FROM auto('kim');
-- A limit a day that is lowered cancels what is beyond it, and what is within is asked for instead.
SELECT FROM credits.currency_update('USD', max_payment => 'infinity');
CALL low('lea', :'pack', 3, 60);
SELECT FROM credits.configure_auto_recharge('lea', cooldown => '0');
SELECT FROM credits.wallet_debit('lea', 40);
SELECT FROM credits.configure_auto_recharge('lea', quantity => 1, max_amount_per_day => 30);
SELECT * FROM auto('lea');
SELECT amount, status FROM credits.recharge_log WHERE customer_id = 'lea' ORDER BY recharge_id;

-- Nobody has to run low first: maintain() looks at whoever recharges at a price that something changed for, in batches.
CALL credits.maintain();
SELECT price_id AS fine, product_id AS changing FROM credits.package_create('Fine', 1000, 20, 'USD') \gset
SELECT price_id AS spare FROM credits.package_create('Spare', 1000, 20, 'USD') \gset
CALL low('max', :'fine', 3);
CALL low('mel', :'fine', 2);
CALL low('mia', :'fine', 3);
CALL low('mo', :'spare', 3);
SELECT FROM credits.product_update(:'changing', credits => 2000);
SELECT count(*) FROM credits_internal.recharge_reviews;
SELECT credits.maintain_batch(2, 'recharges'), credits.maintain_batch(2, 'recharges'), credits.maintain_batch(2, 'recharges');
SELECT customer, enabled, disabled_reason FROM unnest(ARRAY['max', 'mel', 'mia', 'mo']) customer, auto(customer);
SELECT FROM credits.product_update(:'changing', credits => 4999999999999999999900);
CALL credits.maintain();
SELECT customer, enabled, disabled_reason FROM unnest(ARRAY['max', 'mel', 'mia', 'mo']) customer, auto(customer);
SELECT FROM credits.currency_update('USD', max_payment => 59);
CALL credits.maintain();
SELECT customer, enabled, disabled_reason FROM unnest(ARRAY['max', 'mel', 'mia', 'mo']) customer, auto(customer);
SELECT FROM credits.currency_update('USD', max_payment => 'infinity');
SELECT FROM credits.price_archive(:'fine');
CALL credits.maintain();
SELECT customer, enabled, disabled_reason FROM unnest(ARRAY['max', 'mel', 'mia', 'mo']) customer, auto(customer);
SELECT count(*) FROM credits_internal.recharge_reviews;

-- One that cannot be worked on holds back nobody: it is recorded, and looked at again once it works.
SELECT price_id AS last, product_id AS late FROM credits.package_create('Late', 1000, 20, 'USD') \gset
CALL low('nat', :'last', 3);
CALL low('ned', :'last', 3);
CALL low('nia', :'last', 3);
UPDATE credits_internal.accounts SET held = -1 WHERE customer_id = 'ned';
SELECT FROM credits.product_update(:'late', credits => 4999999999999999999900);
CALL credits.maintain();
SELECT customer_id, enabled FROM credits_internal.auto_recharges WHERE customer_id IN ('nat', 'ned', 'nia') ORDER BY 1;
SELECT customer_id, error, attempts FROM credits_internal.account_failures;
SELECT count(*) FROM credits_internal.recharge_reviews;
CALL credits.maintain();
UPDATE credits_internal.accounts SET held = 0 WHERE customer_id = 'ned';
UPDATE credits_internal.account_failures SET retry_at = now();
CALL credits.maintain();
SELECT customer_id, enabled FROM credits_internal.auto_recharges WHERE customer_id IN ('nat', 'ned', 'nia') ORDER BY 1;
SELECT count(*) FROM credits_internal.account_failures;

SELECT customer_id, type, payload FROM credits.outbox_rows WHERE type = 'recharge.disabled' ORDER BY customer_id, outbox_no;
SELECT * FROM credits.verify();
