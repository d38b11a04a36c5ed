-- AN ANNUAL PLAN WITH MONTHLY CREDITS
--
-- Pro costs 200 dollars a year, paid at once, and brings 1,000 credits each month. Here are a sign-up on the last day
-- of January, months that begin by themselves, a pack that is bought beside it, a goodwill refund, the next year, and a
-- customer who pays by bank transfer, late. docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-01-31 12:00+00';

-- 1. WHAT IS SOLD
--
-- 1,000 credits in each month of the year, each thousand until the next one comes.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 200, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'pro_year', credit_config => '{"amount": 12000, "schedule": {"delivery": "schedule",
        "every": "1 month", "expire_with_next_grant": true}}');
SELECT price_id AS pack FROM credits.package_create('500 more', 500, 10, 'USD') \gset

-- 2. ANN SIGNS UP
--
-- She pays once, and all twelve months are granted: one has begun, eleven are to come. They are counted from the 31st,
-- each from there and not from the month before.
SELECT FROM credits.customer_upsert('ann', 'Ann');
SELECT FROM credits.payment_method_attach('ann', 'acmepay', 'cus_1', 'card_1');
SELECT subscription_id AS plan FROM credits.subscription_create('ann', '[{"lookup_key": "pro_year"}]') \gset
SELECT payment_intent_id AS paid FROM credits.invoices WHERE customer_id = 'ann' \gset
SELECT status, available FROM credits.payment_succeeded('ann', :'paid', 'acmepay', 'pay_1', 200);
SELECT status, amount, cost_amount, effective_at, expires_at FROM credits.grants
WHERE customer_id = 'ann' ORDER BY effective_at;

-- 3. FEBRUARY AND MARCH
--
-- At noon on 28 February what is left of the first thousand ends, and the second begins. Nothing has to run for that:
-- the grants are there, and time does the rest.
SELECT debited, available FROM credits.wallet_debit('ann', 600, description => 'Renderings');
SET credits.test_clock = '2026-02-28 11:59:59+00';
SELECT available FROM credits.wallet_balance('ann');
SET credits.test_clock = '2026-02-28 12:00+00';
SELECT available FROM credits.wallet_balance('ann');
-- In March she needs more than a thousand, and buys a pack. It has nothing to do with the plan, and does not end. The
-- plan's credits end sooner, so they are used first.
SET credits.test_clock = '2026-03-31 12:00+00';
SELECT top_up_id AS bought FROM credits.top_up_create('ann', :'pack') \gset
SELECT available FROM credits.payment_succeeded('ann', :'bought', 'acmepay', 'pay_2', 10);
SELECT debited, available FROM credits.wallet_debit('ann', 1200, description => 'A film');
SET credits.test_clock = '2026-05-01 09:00+00';
SELECT name, status, amount, remaining, expires_at FROM credits.grants
WHERE customer_id = 'ann' AND remaining > 0 AND status = 'granted' ORDER BY effective_at;

-- 4. SOMETHING WENT WRONG, AND A BIT OF THE MONEY GOES BACK
--
-- 10 of 200 dollars are a twentieth, and so are 600 of 12,000 credits. They go from the end of the year: its last month
-- has 400. What she has now stays.
SELECT amount, status FROM credits.refund_create('ann', :'paid', 10, description => 'Sorry for the outage');
SELECT status, amount, remaining, effective_at FROM credits.grants
WHERE customer_id = 'ann' AND effective_at > '2026-11-01' ORDER BY effective_at, amount DESC;
SELECT available FROM credits.wallet_balance('ann');

-- 5. THE NEXT YEAR
--
-- The renewal is at noon on 31 January again. What was left ends with the year, and the pack stays.
SET credits.test_clock = '2027-01-31 12:00+00';
CALL credits.maintain();
SELECT billing_reason, status, total, finalized_at FROM credits.invoices
WHERE customer_id = 'ann' ORDER BY finalized_at;
SELECT available AS unpaid FROM credits.wallet_balance('ann');
SELECT payment_intent_id AS due FROM credits.invoices WHERE customer_id = 'ann' AND status = 'open' \gset
SELECT status, available FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'pay_3', 200);
SELECT current_period_start, current_period_end FROM credits.subscriptions;

-- 6. BEN PAYS BY BANK TRANSFER, LATE
--
-- His invoice is sent, and due after 30 days. The plan is active meanwhile, and its credits are there once the money
-- is. The first month has gone by without any, so its thousand begin now, and last as long as they would have. The
-- second month is under way: its thousand end as planned.
SELECT subscription_id AS bens, status FROM credits.subscription_create('ben', '[{"lookup_key": "pro_year"}]',
    collection_method => 'send_invoice') \gset
\echo :status
SELECT invoice_id AS bill, due_date FROM credits.invoices WHERE customer_id = 'ben' \gset
\echo :due_date
SET credits.test_clock = '2027-03-05 10:00+00';
CALL credits.maintain();
SELECT status, past_due_at FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT status FROM credits.invoice_pay('ben', :'bill', 'outside', reference => 'SEPA 2027-03-05/17');
SELECT status, past_due_at FROM credits.subscriptions WHERE customer_id = 'ben';
SELECT status, amount, effective_at, expires_at FROM credits.grants
WHERE customer_id = 'ben' ORDER BY effective_at, expires_at LIMIT 4;
SELECT available FROM credits.wallet_balance('ben');
SELECT * FROM credits.verify();
