-- A PLAN WITH MONTHLY CREDITS
--
-- An AI company sells Pro: 20 dollars a month, with 1,000 credits each month. Here are the sign-up, a renewal, an
-- upgrade with what it costs, and a customer who leaves and comes back. docs/reference/subscriptions.md has the
-- rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-09-01 09:00+00';

-- 1. WHAT IS SOLD
--
-- The credits of a month end with it. Team is 60 dollars, and 4,000 credits.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS team FROM credits.product_create('Team') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true}}');
SELECT lookup_key FROM credits.price_create(:'team', 'recurring', 60, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'team', credit_config => '{"amount": 4000, "schedule": {"expire_with_next_grant": true}}');

-- 2. ANN SIGNS UP
--
-- Her card is saved with the payment provider. A worker reads what is to be charged from the outbox, and the
-- provider's webhook says that it was: then the credits are there.
SELECT FROM credits.outbox_consumer_create('charger');
SELECT FROM credits.customer_upsert('ann', 'Ann');
SELECT FROM credits.payment_method_attach('ann', 'acmepay', 'cus_1', 'card_1');
SELECT subscription_id AS plan, status FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]') \gset
\echo :status
SELECT type, payload->>'amount' AS amount, payload->>'provider' AS provider FROM credits.outbox_rows
WHERE type = 'payment.requested';
SELECT payment_intent_id AS due FROM credits.invoices WHERE customer_id = 'ann' \gset
SELECT status, credits, available FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'pay_1');
SELECT status, current_period_end FROM credits.subscriptions;
SELECT debited, available FROM credits.wallet_debit('ann', 700);

-- 3. A MONTH LATER
--
-- maintain() makes the next invoice. What was left of September has ended; what October brings is there once it is
-- paid.
SET credits.test_clock = '2026-10-01 09:00+00';
CALL credits.maintain();
SELECT number LIKE '%-0002' AS second, status, total FROM credits.invoices ORDER BY number DESC LIMIT 1;
SELECT available FROM credits.wallet_balance('ann');
SELECT payment_intent_id AS due FROM credits.invoices WHERE status = 'open' \gset
SELECT available FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'pay_2');

-- 4. SHE NEEDS MORE
--
-- 10 of October's 31 days are left. Pro gives 6.45 dollars back, Team costs 19.35; of Pro's credits 323 go, and of
-- Team's 1,290 come.
SET credits.test_clock = '2026-10-22 09:00+00';
SELECT jsonb_build_array(jsonb_build_object('subscription_item_id', subscription_item_id,
    'lookup_key', 'team')) AS team
FROM credits.subscription_items \gset
SELECT total, line->>'description' AS line, line->>'amount' AS amount
FROM credits.subscription_preview('ann', :'plan', :'team', 'always_invoice'), jsonb_array_elements(lines) AS line;
SELECT status FROM credits.subscription_update('ann', :'plan', :'team', 'always_invoice');
SELECT payment_intent_id AS due FROM credits.invoices WHERE status = 'open' \gset
SELECT status, credits FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'pay_3');
SELECT round(available) AS available FROM credits.wallet_balance('ann');

-- 5. SHE LEAVES, AND COMES BACK
--
-- Until the period ends nothing changes, and she can think again.
SELECT status, cancel_at FROM credits.subscription_cancel('ann', :'plan', reason => 'too expensive');
SELECT status, cancel_at FROM credits.subscription_recover('ann', :'plan');
-- In the end she leaves at once, and what is not used of the money goes back.
SELECT status FROM credits.subscription_cancel('ann', :'plan', 'now', refund => 'last');
SELECT amount, status, reason FROM credits.refunds;
SELECT * FROM credits.verify();
