-- PACKAGES AND RECHARGE
--
-- What is sold, what it costs, and a wallet that buys more by itself before it runs out. This page sells a pack of
-- credits, lets a customer's account recharge itself within limits, and shows what happens when a card is declined.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-05-04 09:00+00';

-- 1. WHAT IS SOLD
--
-- Money is a currency of kind 'fiat'. A product says what one unit of it grants, a price what one unit costs.
-- Amounts are in major units: 20 dollars are 20.
SELECT currency, decimals, kind FROM credits.currency_create('USD', 'US dollar', kind => 'fiat');
SELECT product_id AS product
FROM credits.product_create('1,000 credits', description => 'For about 200 pictures', credits => 1000,
                            time_to_live => '1 year') \gset
SELECT price_id AS price FROM credits.price_create(:'product', unit_amount => 20, currency => 'USD') \gset

-- (Where one price is enough, package_create makes both in one call.) What is on sale:
SELECT name, description, credits, credit_currency, unit_amount, price_currency, time_to_live FROM credits.packages;

-- The recharge configuration says what a credit currency is recharged with by default, where to pay, and what one
-- top-up may cost. The places in braces are filled in for each top-up.
SELECT currency, product_name, credits, unit_amount, price_currency, max_amount
FROM credits.configure_recharge('CREDIT', :'price', 'https://shop.example/pay/{top_up_id}?cents={minor_units}',
                                max_amount => 200);

-- A page that offers "recharge" asks for it, by the currency alone:
SELECT product_name, credits, unit_amount, price_currency, checkout_url FROM credits.recharge_config('CREDIT');

-- 2. A PURCHASE
--
-- Hana buys two packs. What she buys is fixed now, with where to pay and until when; credits come with the payment.
SELECT top_up_id AS bought
FROM credits.top_up_create('hana', :'price', quantity => 2, idempotency_key => 'order-1') \gset
SELECT status, amount, currency, credits, expires_at FROM credits.top_ups WHERE customer_id = 'hana';
SELECT replace(checkout_url, top_up_id::text, '(its id)') AS checkout_url, replayed
FROM credits.top_up_create('hana', :'price', quantity => 2, idempotency_key => 'order-1');

-- The money has arrived. The grant has the pack's terms: paid, with what one credit cost, for a year from now. Reported
-- again, it changes nothing.
SELECT status, credits, available, replayed FROM credits.payment_succeeded('hana', :'bought', 'stripe', 'pi_1', 40);
SELECT status, credits, available, replayed FROM credits.payment_succeeded('hana', :'bought', 'stripe', 'pi_1', 40);
SELECT name, category, amount, cost_basis, expires_at FROM credits.grants WHERE customer_id = 'hana';

-- 3. A WALLET THAT RECHARGES ITSELF
--
-- With less than 500 available Hana's account is to buy one pack, charged to the card that her payment provider has:
-- at most four attempts and 60 dollars within 24 hours, and ten minutes between two of them.
SELECT enabled, threshold, quantity, max_attempts_per_day, max_amount_per_day, cooldown, timeout, recharge_in_progress
FROM credits.configure_auto_recharge('hana', threshold => 500, quantity => 1, payment_method => 'cus_7/pm_3',
                                     max_attempts_per_day => 4, max_amount_per_day => 60, cooldown => '10 minutes');

-- Whatever leaves less than that writes a request, in its own transaction: where that fails, nobody is charged.
BEGIN;
SELECT debited, available FROM credits.wallet_debit('hana', 1600);
SELECT recharge_in_progress FROM credits.auto_recharge_config('hana');
ROLLBACK;
SELECT recharge_in_progress FROM credits.auto_recharge_config('hana');
SELECT debited, available FROM credits.wallet_debit('hana', 1600);
SELECT recharge_in_progress FROM credits.auto_recharge_config('hana');

-- One request is open at a time, whatever else is spent meanwhile. Work need not wait for it: the gate says yes where
-- the recharge that is under way would cover the rest.
SELECT debited, available FROM credits.wallet_debit('hana', 300);
SELECT can_continue, reason, available FROM credits.credit_availability('hana', 700);
SELECT can_continue, reason, available FROM credits.credit_availability('hana', 700, max_recharges => 1);

-- The request is a row of the outbox, which a worker of yours claims. An administrator creates a consumer once; any
-- number of workers share its name. Rows are handed out at least once to each consumer, a customer's in their order;
-- what is not acknowledged within five minutes is handed out again. The payload is JSON, with the ids that the row
-- is about.
SELECT consumer FROM credits.outbox_consumer_create('charger');
CREATE TEMPORARY TABLE taken AS SELECT * FROM credits.outbox_claim('charger');
SELECT type, payload ->> 'credits' AS credits, payload ->> 'amount' AS amount,
       payload ->> 'payment_method' AS payment_method
FROM taken;

-- Right before it charges the worker asks whether it still may, and how much. It gives the provider the recharge's id
-- as the idempotency key, so that asking twice is one charge.
SELECT payload ->> 'recharge_id' AS recharge, payload ->> 'top_up_id' AS bought FROM taken
WHERE type = 'recharge.requested' \gset
SELECT go, status, amount, minor_units, currency, payment_method FROM credits.recharge_begin('hana', :'recharge');

-- Charged. The provider's webhook reports it (or, as here, the worker itself), and Hana has her credits.
SET credits.test_clock = '2026-05-04 09:01+00';
SELECT status, credits, available FROM credits.payment_succeeded('hana', :'bought', 'stripe', 'pi_2', 20);
SELECT credits.outbox_ack('charger', ARRAY(SELECT outbox_id FROM taken));
SELECT status, amount, price_currency, credits, requested_at, closed_at FROM credits.recharge_log;

-- 4. THE CARD IS DECLINED
--
-- In the afternoon the balance is low again, and the card is not accepted.
SET credits.test_clock = '2026-05-04 15:00+00';
SELECT debited, available FROM credits.wallet_debit('hana', 900);
SELECT top_up_id AS bought FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT status, available FROM credits.payment_failed('hana', :'bought', 'stripe', 'pi_3', 'card declined');
SELECT enabled, failures, recharge_in_progress FROM credits.auto_recharge_config('hana');

-- It is tried again when the ten minutes have passed, by the next call that touches the account or by maintain(). This
-- one fails as well; and the third is not answered by anybody within its hour, which counts the same.
SET credits.test_clock = '2026-05-04 15:10+00';
CALL credits.maintain();
SELECT top_up_id AS bought FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT status FROM credits.payment_failed('hana', :'bought', 'stripe', 'pi_4', 'card declined');
SET credits.test_clock = '2026-05-04 15:20+00';
CALL credits.maintain();
SELECT failures, recharge_in_progress FROM credits.auto_recharge_config('hana');
SET credits.test_clock = '2026-05-04 16:20+00';
CALL credits.maintain();
SELECT requested_at, status, reason, closed_at FROM credits.recharge_log WHERE customer_id = 'hana'
ORDER BY requested_at;

-- Three in a row: it has switched itself off, with a row in the outbox for the program that writes Hana a mail.
SELECT enabled, failures, disabled_reason, recharge_in_progress FROM credits.auto_recharge_config('hana');
SELECT type, payload ->> 'currency' AS currency, payload ->> 'reason' AS reason
FROM credits.outbox_rows WHERE type = 'recharge.disabled';

-- 5. THE LIMITS OF A DAY
--
-- Hana has another card, and switches it on again. There is less than 500, but these were four attempts within 24
-- hours, and no more are allowed: nothing happens before the first of them is a day old.
SELECT enabled, failures, disabled_reason, payment_method, recharge_in_progress
FROM credits.configure_auto_recharge('hana', enabled => true, payment_method => 'cus_7/pm_9');
SET credits.test_clock = '2026-05-05 08:59+00';
CALL credits.maintain();
SELECT recharge_in_progress FROM credits.auto_recharge_config('hana');
SET credits.test_clock = '2026-05-05 09:00+00';
CALL credits.maintain();
SELECT recharge_in_progress FROM credits.auto_recharge_config('hana');
SELECT top_up_id AS bought FROM credits.recharge_log WHERE status = 'requested' \gset
SELECT status, available FROM credits.payment_succeeded('hana', :'bought', 'stripe', 'pi_5', 20);

-- The limit of the amount counts what was paid or still may be: what nobody answered too, but not what failed. Ivo
-- allows 50 dollars, has bought for 40 today, and another 20 would be too much until those are a day old.
SET credits.test_clock = '2026-05-05 10:00+00';
SELECT available FROM credits.wallet_credit('ivo', 1000);
SELECT threshold, quantity, max_amount_per_day
FROM credits.configure_auto_recharge('ivo', threshold => 100, quantity => 2, payment_method => 'cus_8/pm_1',
                                     max_amount_per_day => 50);
SELECT debited, available FROM credits.wallet_debit('ivo', 990);
SELECT top_up_id AS bought FROM credits.recharge_log WHERE customer_id = 'ivo' AND status = 'requested' \gset
SELECT status, available FROM credits.payment_succeeded('ivo', :'bought', 'stripe', 'pi_6', 40);
SET credits.test_clock = '2026-05-05 12:00+00';
SELECT quantity, recharge_in_progress FROM credits.configure_auto_recharge('ivo', quantity => 1);
SELECT debited, available FROM credits.wallet_debit('ivo', 1950);
SELECT recharge_in_progress FROM credits.auto_recharge_config('ivo');
SET credits.test_clock = '2026-05-06 10:00+00';
CALL credits.maintain();
SELECT recharge_in_progress FROM credits.auto_recharge_config('ivo');

-- 6. BOUGHT BY HAND MEANWHILE
--
-- Ivo does not wait for the worker and buys a pack himself. There is enough again, so the open request is canceled:
-- the worker comes, gets the answer not to charge, and what Ivo paid is paid once.
SELECT recharge_id AS recharge FROM credits.recharge_log WHERE customer_id = 'ivo' AND status = 'requested' \gset
SELECT top_up_id AS bought FROM credits.top_up_create('ivo', :'price') \gset
SELECT status, available FROM credits.payment_succeeded('ivo', :'bought', 'stripe', 'pi_7', 20);
SELECT go, status FROM credits.recharge_begin('ivo', :'recharge');
SELECT requested_at, status, amount, reason FROM credits.recharge_log WHERE customer_id = 'ivo' ORDER BY requested_at;

-- A worker that had already begun is not stopped: its charge may be under way, and the credits of a charge that went
-- through are always granted.
SELECT * FROM credits.verify();
