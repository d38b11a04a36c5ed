-- OWED AT A PERIOD'S END
--
-- An AI company sells 1,000 credits a month. Whoever uses more goes on working: what no credit covers is owed, and is
-- on the next invoice at 2 cents each. A free plan forgives it. docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-09-01 09:00+00';

-- 1. TWO PLANS
--
-- 'invoice' puts what is owed on the next invoice; 'forgive' writes it off; without either it stays owed, and the next
-- credits pay it.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.meter_create('words', unit => 'words', unit_price => 0.01);
SELECT product_id AS writer FROM credits.product_create('Writer') \gset
SELECT lookup_key FROM credits.price_create(:'writer', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true}}');
SELECT lookup_key FROM credits.price_create(:'writer', 'recurring', 0, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'free', credit_config => '{"amount": 50, "schedule": {"expire_with_next_grant": true}}');
SELECT subscription_id AS plan, status, at_period_end, overage_rate
FROM credits.subscription_create('ann', '[{"lookup_key": "pro"}]', at_period_end => 'invoice',
    overage_rate => 0.02) \gset
\echo :status :at_period_end :overage_rate
SELECT payment_intent_id AS due FROM credits.invoices WHERE customer_id = 'ann' \gset
SELECT status, available FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'september');
SELECT status FROM credits.subscription_create('ben', '[{"lookup_key": "free"}]', at_period_end => 'forgive');
-- Nobody may owe more than this, whether or not it is on an invoice.
SELECT overdraft_limit FROM credits.account_configure('ann', overdraft_limit => 500);

-- 2. A BUSY SEPTEMBER
SET credits.test_clock = '2026-09-20 15:00+00';
SELECT status, consumed, pending FROM credits.report_meter_event('ann', 'words', 123450, 'novel');
SELECT status, consumed, pending FROM credits.report_meter_event('ben', 'words', 7000, 'essay');
SELECT customer_id, available, pending, invoiced FROM credits.wallets ORDER BY customer_id;

-- 3. THE PERIOD ENDS
--
-- maintain() makes October's invoice, with a line for what is owed of September. Until that is paid it is invoiced:
-- new credits do not pay it. What Ben owed is written off.
SET credits.test_clock = '2026-10-01 09:00+00';
CALL credits.maintain();
SELECT l.description, l.quantity, l.unit_amount, l.amount FROM credits.invoices i
JOIN credits.invoice_lines l USING (customer_id, invoice_id)
WHERE i.customer_id = 'ann' AND i.status = 'open' ORDER BY l.line_no;
SELECT customer_id, available, pending, invoiced FROM credits.wallets ORDER BY customer_id;
-- Every event still says who paid for it.
SELECT name, category, amount, status FROM credits.grants WHERE granted_by = 'subscription' ORDER BY customer_id;

-- 4. PAID
SELECT payment_intent_id AS due FROM credits.invoices WHERE customer_id = 'ann' AND status = 'open' \gset
SELECT status, available FROM credits.payment_succeeded('ann', :'due', 'acmepay', 'october');
SELECT available, pending, invoiced FROM credits.wallets WHERE customer_id = 'ann' AND currency = 'CREDIT';

-- 5. NOTHING IS LOST
SELECT * FROM credits.verify();
