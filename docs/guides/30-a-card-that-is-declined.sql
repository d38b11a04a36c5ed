-- A CARD THAT IS DECLINED
--
-- A renewal's payment fails. Here are the attempts after that, a customer who pays with another card, and one who
-- never does. docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-03-01 09:00+00';

-- 1. TWO CUSTOMERS
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 20, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true}}');
CREATE FUNCTION pg_temp.due(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT payment_intent_id FROM credits.invoices WHERE customer_id = customer AND status = 'open');
SELECT c.customer_id, m.reference, s.status FROM (VALUES ('ann'), ('ben')) AS v (name),
    credits.customer_upsert(v.name) AS c,
    credits.payment_method_attach(c.customer_id, 'acmepay', NULL, 'card of ' || v.name) AS m,
    credits.subscription_create(m.customer_id, '[{"lookup_key": "pro"}]', days_until_cancel => 14) AS s;
SELECT p.status, p.available FROM (VALUES ('ann'), ('ben')) AS v (name),
    credits.payment_succeeded(v.name, pg_temp.due(v.name), 'acmepay', 'march ' || v.name) AS p;

-- 2. APRIL: BOTH CARDS ARE DECLINED
SET credits.test_clock = '2026-04-01 09:00+00';
CALL credits.maintain();
SELECT p.status FROM (VALUES ('ann'), ('ben')) AS v (name),
    credits.payment_failed(v.name, pg_temp.due(v.name), 'acmepay', 'april ' || v.name, 'declined') AS p;
SELECT customer_id, status, past_due_at FROM credits.subscriptions ORDER BY customer_id;
-- What they had ended with March, and April's credits are not there.
SELECT customer_id, available FROM credits.wallets ORDER BY customer_id;

-- 3. A DAY LATER A WORKER IS ASKED AGAIN
--
-- credits.subscription_retries says when. Ann has another card by now.
SET credits.test_clock = '2026-04-02 09:00+00';
SELECT status FROM credits.payment_method_attach('ann', 'acmepay', NULL, 'another card', is_default => true);
CALL credits.maintain();
SELECT customer_id, requested_at FROM credits.payment_intents WHERE status <> 'succeeded' ORDER BY customer_id;
SELECT status, available FROM credits.payment_succeeded('ann', pg_temp.due('ann'), 'acmepay', 'april ann 2');
SELECT p.status FROM credits.payment_failed('ben', pg_temp.due('ben'), 'acmepay', 'april ben 2', 'declined') AS p;
SELECT customer_id, status, past_due_at FROM credits.subscriptions ORDER BY customer_id;

-- 4. BEN NEVER PAYS
--
-- 14 days after the first failure his plan is canceled, and its invoice void. Money that comes after all is asked back.
SET credits.test_clock = '2026-04-15 09:00+00';
SELECT payment_intent_id AS late FROM credits.payment_intents WHERE customer_id = 'ben' AND status <> 'succeeded' \gset
CALL credits.maintain();
SELECT customer_id, status, ended_at FROM credits.subscriptions ORDER BY customer_id;
SELECT status, count(*) FROM credits.invoices WHERE customer_id = 'ben' GROUP BY status ORDER BY status;
SELECT status, contradiction FROM credits.payment_succeeded('ben', :'late', 'acmepay', 'april ben 3');
SELECT amount, status, reason FROM credits.refunds;
SELECT * FROM credits.verify();
