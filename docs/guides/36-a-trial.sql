-- A TRIAL
--
-- Two weeks of Pro for nothing. Here are three customers: one with a card, whose plan begins; one without, whose trial
-- ends; and one who cancels in time. Then a trial with credits to try, which waits for a card at its end.
-- docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-04-01 10:00+00';

-- 1. WHAT IS SOLD
--
-- Pro grants its credits from the first payment on: first_grant says so. Studio gives all of them to try.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT product_id AS studio FROM credits.product_create('Studio') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true,
        "first_grant": "after_trial"}}');
SELECT lookup_key FROM credits.price_create(:'studio', 'recurring', 90, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'studio', credit_config => '{"amount": 5000, "schedule": {"expire_with_next_grant": true,
        "first_grant": "immediate"}}');

-- 2. THREE CUSTOMERS BEGIN
--
-- Nothing is invoiced. Ann and Cleo leave a card, Ben does not.
SELECT c.customer_id
FROM (VALUES ('ann'), ('ben'), ('cleo'), ('dan')) AS v (name), credits.customer_upsert(v.name) AS c;
SELECT FROM credits.payment_method_attach('ann', 'acmepay', 'cus_1', 'card_1');
SELECT FROM credits.payment_method_attach('cleo', 'acmepay', 'cus_2', 'card_2');
SELECT s.customer_id, s.status, s.trial_end, s.current_period_end FROM (VALUES ('ann'), ('ben'), ('cleo')) AS v (name),
    credits.subscription_create(v.name, '[{"lookup_key": "pro"}]', trial_period_days => 14,
        trial_end_behavior => 'cancel') AS s;
SELECT count(*) AS invoices FROM credits.invoices;

-- 3. CLEO DECIDES AGAINST IT
--
-- She may try it to the end, and nothing is charged. In the last second she could still think again, with
-- subscription_recover().
SET credits.test_clock = '2026-04-15 09:59:59+00';
SELECT subscription_id AS cleos FROM credits.subscriptions WHERE customer_id = 'cleo' \gset
SELECT status, cancel_at = trial_end AS "with its trial" FROM credits.subscription_cancel('cleo', :'cleos');

-- 4. THE TRIAL IS OVER
--
-- Ann's first month begins, and her card is asked for. Ben has none, and said 'cancel'.
SET credits.test_clock = '2026-04-15 10:00+00';
CALL credits.maintain();
SELECT customer_id, status, current_period_start, ended_at FROM credits.subscriptions ORDER BY customer_id;
SELECT customer_id, billing_reason, status, total FROM credits.invoices;
-- Her months are counted from the end of the trial. The credits come with the payment.
SELECT payment_intent_id AS due FROM credits.invoices WHERE customer_id = 'ann' \gset
SELECT status, available FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'pay_1', 20);
SELECT amount, effective_at, expires_at FROM credits.grants WHERE customer_id = 'ann';

-- 5. CREDITS TO TRY
--
-- Dan tries Studio. Its credits are there at once: the trial is an invoice of nothing, so that one can see where they
-- come from. What he does not use ends with the trial.
SELECT status, subscription_id AS dans FROM credits.subscription_create('dan', '[{"lookup_key": "studio"}]',
    trial_period_days => 7, trial_end_behavior => 'pause') \gset
\echo :status
SELECT billing_reason, status, total FROM credits.invoices WHERE customer_id = 'dan';
SELECT amount, cost_amount, expires_at FROM credits.grants WHERE customer_id = 'dan';
SELECT debited, available FROM credits.wallet_debit('dan', 1800, description => 'A film');

-- 6. IT WAITS FOR A CARD
--
-- A week later there is nothing to charge, and his plan is paused: no invoice, and no credits.
SET credits.test_clock = '2026-04-22 10:00+00';
CALL credits.maintain();
SELECT status, paused_at FROM credits.subscriptions WHERE customer_id = 'dan';
SELECT available FROM credits.wallet_balance('dan');
-- In May he has a card, and goes on: from then his months are counted.
SET credits.test_clock = '2026-05-03 18:00+00';
SELECT FROM credits.payment_method_attach('dan', 'acmepay', 'cus_3', 'card_3');
SELECT status, current_period_start, current_period_end FROM credits.subscription_resume('dan', :'dans');
SELECT payment_intent_id AS due FROM credits.invoices WHERE customer_id = 'dan' AND status = 'open' \gset
SELECT status, available FROM credits.payment_succeeded('dan', :'due', 'acmepay', 'pay_2', 90);

-- 7. WHAT AN APPLICATION HEARS
SELECT customer_id, type, created_at FROM credits.billing_events
WHERE object_type = 'subscription' ORDER BY customer_id, event_id;
SELECT * FROM credits.verify();
