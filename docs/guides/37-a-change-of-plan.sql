-- A CHANGE OF PLAN
--
-- A customer who pays by the month needs more in mid-month, and then would rather pay by the year. What each change
-- costs is shown before it is made. docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-09-01 00:00+00';

-- 1. WHAT IS SOLD
--
-- Basic and Pro by the month, with credits that end with the month; and Pro by the year, with credits each month.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS basic FROM credits.product_create('Basic') \gset
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT lookup_key FROM credits.price_create(:'basic', 'recurring', 12, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'basic', credit_config => '{"amount": 600, "schedule": {"expire_with_next_grant": true}}');
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 3000, "schedule": {"expire_with_next_grant": true}}');
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 300, 'USD', recurring => '{"interval": "year"}',
    lookup_key => 'pro-year', credit_config => '{"amount": 36000, "schedule": {"delivery": "schedule",
        "every": "1 month", "expire_with_next_grant": true}}');

-- 2. MIA BEGINS WITH BASIC
SELECT subscription_id AS plan, latest_invoice_id AS due
FROM credits.subscription_create('mia', '[{"lookup_key": "basic"}]') \gset
SELECT payment_intent_id AS due FROM credits.invoices WHERE invoice_id = :'due' \gset
SELECT status, credits, available FROM credits.payment_succeeded('mia', :'due', 'acmepay', 'pay_1');
SELECT FROM credits.wallet_debit('mia', 400);

-- 3. WHAT PRO WOULD COST
--
-- 20 of September's 30 days are left. 8.00 of Basic's 12.00 are unused, and Pro costs 20.00 until the end of the month.
-- Of Basic's credits two thirds would go, and she has no more than 200; of Pro's 3,000 two thirds come. A preview
-- changes nothing.
SET credits.test_clock = '2026-09-11 00:00+00';
SELECT subscription_item_id AS item FROM credits.subscription_items WHERE customer_id = 'mia' \gset
SELECT total, line->>'description' AS line, line->>'amount' AS amount, credits
FROM credits.subscription_preview('mia', :'plan',
         format('[{"subscription_item_id": "%s", "lookup_key": "pro"}]', :'item')::jsonb, 'always_invoice'),
     jsonb_array_elements(lines) AS line;

-- 4. SHE TAKES IT
--
-- One item changes by subscription_item_update(), at once, with an invoice of its own. The credits come as it is paid.
SELECT quantity, replayed FROM credits.subscription_item_update('mia', :'item', lookup_key => 'pro',
    proration_behavior => 'always_invoice');
SELECT billing_reason, total, status FROM credits.invoices WHERE customer_id = 'mia' ORDER BY created_at;
SELECT payment_intent_id AS due FROM credits.invoices WHERE status = 'open' \gset
SELECT status, credits, available FROM credits.payment_succeeded('mia', :'due', 'acmepay', 'pay_2');
-- Whoever follows along is told that it was an upgrade.
SELECT type FROM credits.billing_events WHERE customer_id = 'mia' AND type LIKE 'customer.subscription.up%'
ORDER BY object_seq;

-- 5. BY THE YEAR
--
-- Half of the month is over. A year of Pro begins now, and with it the credits of its first month; what is unused of
-- the month is 15.00.
SET credits.test_clock = '2026-09-16 00:00+00';
SELECT total, line->>'description' AS line, line->>'amount' AS amount, credits
FROM credits.subscription_preview('mia', :'plan',
         format('[{"subscription_item_id": "%s", "lookup_key": "pro-year"}]', :'item')::jsonb),
     jsonb_array_elements(lines) AS line;
SELECT "interval", current_period_start, current_period_end FROM credits.subscription_update('mia', :'plan',
    format('[{"subscription_item_id": "%s", "lookup_key": "pro-year"}]', :'item')::jsonb);
SELECT payment_intent_id AS due FROM credits.invoices WHERE status = 'open' \gset
SELECT status, available FROM credits.payment_succeeded('mia', :'due', 'acmepay', 'pay_3');
SELECT status, count(*), sum(amount) AS credits, min(effective_at) AS first, max(expires_at) AS until
FROM credits.grants WHERE customer_id = 'mia' AND name = 'Pro' AND amount = 3000 GROUP BY status ORDER BY status;

-- 6. AND BACK
--
-- After 73 days she wants to pay by the month again. 240.00 of the year are unused: a month is paid from that, and the
-- rest is on the invoices to come.
SET credits.test_clock = '2026-11-28 00:00+00';
SELECT "interval", current_period_end FROM credits.subscription_update('mia', :'plan',
    format('[{"subscription_item_id": "%s", "lookup_key": "pro"}]', :'item')::jsonb);
SELECT billing_reason, total, amount_due, status FROM credits.invoices WHERE customer_id = 'mia' ORDER BY created_at;
SET credits.test_clock = '2026-12-28 00:00+00';
CALL credits.maintain();
SELECT billing_reason, total, amount_due, status FROM credits.invoices WHERE customer_id = 'mia'
ORDER BY created_at DESC LIMIT 1;
SELECT amount AS "still to be used up" FROM credits.invoice_lines WHERE customer_id = 'mia' AND invoice_id IS NULL;
SELECT * FROM credits.verify();
