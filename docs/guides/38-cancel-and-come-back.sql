-- CANCEL AND COME BACK
--
-- Ways to leave, and back: at the end of the period, and a change of mind; at once, with the money for the time that is
-- left; and a pause. What was bought apart stays in all of them. docs/reference/subscriptions.md has the rules.
SET TimeZone = 'UTC';
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-06-01 08:00+00';

-- 1. TWO CUSTOMERS
--
-- 30 dollars a month, with 100 credits as it begins, after 10 and after 20 days, each until the next ones come. Ann
-- also has 500 credits from a pack.
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT lookup_key FROM credits.price_create(:'pro', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro', credit_config => '{"amount": 300, "schedule": {"delivery": "schedule", "every": "10 days",
        "amount_per_grant": 100, "max_grants_per_period": 3, "expire_with_next_grant": true}}');
CREATE FUNCTION pg_temp.due(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT payment_intent_id FROM credits.invoices WHERE customer_id = customer AND status = 'open');
CREATE FUNCTION pg_temp.plan(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT subscription_id FROM credits.subscriptions WHERE customer_id = customer AND ended_at IS NULL);
CREATE VIEW plan_credits AS
SELECT customer_id, status, amount, remaining, effective_at::date AS begins, expires_at::date AS ends
FROM credits.grants WHERE status IN ('granted', 'pending') AND expires_at > credits.clock()
ORDER BY customer_id, effective_at;
SELECT c.customer_id, s.status FROM (VALUES ('ann'), ('ben')) AS v (name),
    credits.customer_upsert(v.name) AS c,
    credits.payment_method_attach(c.customer_id, 'acmepay', NULL, 'card of ' || v.name) AS m,
    credits.subscription_create(m.customer_id, '[{"lookup_key": "pro"}]') AS s;
SELECT p.status, p.available FROM (VALUES ('ann'), ('ben')) AS v (name),
    credits.payment_succeeded(v.name, pg_temp.due(v.name), 'acmepay', 'june ' || v.name, 30) AS p;
SELECT amount, expires_at FROM credits.credit_grant('ann', 500, name => 'Pack', category => 'paid', cost_amount => 5,
    cost_currency => 'USD');

-- 2. ANN LEAVES AT THE END OF THE MONTH
--
-- She has paid for June, so she has all of it: also the ten days that are to begin on the 21st.
SET credits.test_clock = '2026-06-12 08:00+00';
SELECT status, cancel_at, cancel_at_period_end FROM credits.subscription_cancel('ann', pg_temp.plan('ann'),
    reason => 'support', feedback => 'unused', comment => 'I am away all summer');
SELECT * FROM plan_credits WHERE customer_id = 'ann';
-- She thinks again. It is as if nothing had happened.
SET credits.test_clock = '2026-06-20 08:00+00';
SELECT status, cancel_at, canceled_at, cancel_reason FROM credits.subscription_recover('ann', pg_temp.plan('ann'));
-- And again, on the 25th. On 1 July it ends: no invoice, and only the pack is left.
SET credits.test_clock = '2026-06-25 08:00+00';
SELECT status, cancel_at FROM credits.subscription_cancel('ann', pg_temp.plan('ann'));
SET credits.test_clock = '2026-07-01 08:00+00';
CALL credits.maintain();
SELECT status, canceled_at, ended_at FROM credits.subscriptions WHERE customer_id = 'ann';
SELECT count(*) AS invoices FROM credits.invoices WHERE customer_id = 'ann';
SELECT available FROM credits.wallet_balance('ann');
-- What has ended cannot be recovered any more (PC020): a customer who comes back begins another one, as Ben does below.

-- 3. BEN LEAVES AT ONCE
--
-- His July is paid. On the 16th half of it is left, and half of the money goes back; a worker pays it out, and says so.
-- Half of July's 300 credits go as well: the hundred that was to begin, and 50 of those that have begun. Another way is
-- refund => 'last', for all of the last payment.
SELECT status FROM credits.payment_succeeded('ben', pg_temp.due('ben'), 'acmepay', 'july ben', 30);
SELECT debited, available FROM credits.wallet_debit('ben', 40);
SET credits.test_clock = '2026-07-16 20:00+00';
SELECT * FROM plan_credits WHERE customer_id = 'ben';
SELECT status, ended_at FROM credits.subscription_cancel('ben', pg_temp.plan('ben'), 'now', refund => 'proration',
    reason => 'moved to another product');
SELECT refund_id, payment_intent_id AS paid, amount, status FROM credits.refunds WHERE customer_id = 'ben' \gset
\echo :amount :status
SELECT * FROM plan_credits WHERE customer_id = 'ben';
SELECT status FROM credits.payment_refunded('ben', :'paid', 'acmepay', 're_1', 15, refund_id => :'refund_id');
SELECT amount, status FROM credits.refunds WHERE customer_id = 'ben';

-- 4. HE COMES BACK IN SEPTEMBER
SET credits.test_clock = '2026-09-05 08:00+00';
SELECT status FROM credits.subscription_create('ben', '[{"lookup_key": "pro"}]');
SELECT status, available FROM credits.payment_succeeded('ben', pg_temp.due('ben'), 'acmepay', 'september ben', 30);
SELECT status, created_at, ended_at FROM credits.subscriptions WHERE customer_id = 'ben' ORDER BY created_at;

-- 5. CLEO PAUSES
--
-- She is away for a week: what was to begin meanwhile does not, and what has begun stays. Back within the month she has
-- what is still to come.
SET credits.test_clock = '2026-10-01 08:00+00';
SELECT FROM credits.customer_upsert('cleo');
SELECT FROM credits.payment_method_attach('cleo', 'acmepay', NULL, 'card of cleo');
SELECT status FROM credits.subscription_create('cleo', '[{"lookup_key": "pro"}]');
SELECT status FROM credits.payment_succeeded('cleo', pg_temp.due('cleo'), 'acmepay', 'october cleo', 30);
SET credits.test_clock = '2026-10-08 08:00+00';
SELECT status, paused_at FROM credits.subscription_pause('cleo', pg_temp.plan('cleo'));
SELECT * FROM plan_credits WHERE customer_id = 'cleo';
SET credits.test_clock = '2026-10-15 08:00+00';
SELECT available AS "from 11 October on" FROM credits.wallet_balance('cleo');
SELECT status, current_period_end FROM credits.subscription_resume('cleo', pg_temp.plan('cleo'));
SELECT * FROM plan_credits WHERE customer_id = 'cleo';
-- For the winter she says until when. The time that she paid for goes by meanwhile. No invoice is made, and on
-- 1 February a new month begins by itself, from which her months are counted.
SET credits.test_clock = '2026-10-25 08:00+00';
SELECT status, resumes_at FROM credits.subscription_pause('cleo', pg_temp.plan('cleo'), '2027-02-01 08:00+00');
SET credits.test_clock = '2027-01-31 08:00+00';
CALL credits.maintain();
SELECT count(*) AS invoices FROM credits.invoices WHERE customer_id = 'cleo';
SET credits.test_clock = '2027-02-01 08:00+00';
CALL credits.maintain();
SELECT status, billing_cycle_anchor, current_period_end FROM credits.subscriptions WHERE customer_id = 'cleo';
SELECT status, available FROM credits.payment_succeeded('cleo', pg_temp.due('cleo'), 'acmepay', 'february cleo', 30);
SELECT * FROM credits.verify();
