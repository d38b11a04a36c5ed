-- What is announced: that a trial will end, and the next invoice. Once each, in time or not at all.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-04-01 00:00:00+00';
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s
    WHERE s.customer_id = customer ORDER BY s.created_at DESC LIMIT 1);
CREATE VIEW said AS
SELECT e.customer_id, d(e.created_at) AS at, e.object_type, e.type FROM credits.billing_events e
WHERE e.type IN ('customer.subscription.trial_will_end', 'customer.subscription.trial_end', 'invoice.upcoming',
                 'customer.subscription.renewed', 'customer.subscription.deleted')
ORDER BY e.event_id;
CREATE FUNCTION at(moment text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('credits.test_clock', moment || '+00', false);
    WHILE credits.maintain_batch(100, 'subscriptions') > 0 LOOP END LOOP;
END $$;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS pro FROM credits.product_create('Pro') \gset
SELECT FROM credits.price_create(:'pro', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'pro');
SELECT FROM credits.price_create(:'pro', 'recurring', 2, 'USD', recurring => '{"interval": "day"}',
    lookup_key => 'daily');
SELECT FROM credits.coupon_create('Tenth', percent_off => 10, duration => 'forever',
    promotion_codes => '[{"code": "TENTH"}]');
SELECT FROM credits.customer_upsert('ann', tax_rate => 20);

-- 1. A TRIAL, THEN MONTHS
--
-- Three days before the trial ends, and three days before each renewal; however often maintain() runs.
SELECT status FROM credits.subscription_create('ann', '[{"lookup_key": "pro", "quantity": 2}]', trial_period_days => 10,
    promotion_code => 'tenth', collection_method => 'send_invoice');
SELECT at('2026-04-07 23:59:59');
SELECT * FROM said;
SELECT at('2026-04-08 00:00:00');
SELECT at('2026-04-09 00:00:00');
SELECT * FROM said;
SELECT at('2026-05-07 23:00:00');
SELECT at('2026-05-08 12:00:00');
SELECT at('2026-05-10 00:00:00');
SELECT * FROM said;
SELECT (data->'object') - '{subscription_id, lines}'::text[] AS upcoming FROM credits.billing_events
WHERE type = 'invoice.upcoming';
SELECT line - 'price_id' AS line FROM credits.billing_events, jsonb_array_elements(data->'object'->'lines') line
WHERE type = 'invoice.upcoming';
-- Any call of the subscription does it as well. What nobody looked for is not announced afterwards.
SELECT at('2026-06-08 00:00:00');
SELECT at('2026-07-12 00:00:00');
SELECT * FROM said WHERE at > '2026-05-11';
SELECT * FROM credits.verify();

-- 2. SHORT TRIALS, SHORT PERIODS, AND WHAT ENDS
--
-- A trial of a day: at once. A day's period is no longer than the notice: never. What is to end has no next invoice.
SELECT status FROM credits.subscription_create('ben', '[{"lookup_key": "daily"}]', trial_period_days => 1,
    collection_method => 'send_invoice');
SELECT * FROM said WHERE customer_id = 'ben';
SELECT at('2026-07-16 00:00:00');
SELECT * FROM said WHERE customer_id = 'ben';
SELECT FROM credits.subscription_cancel('ben', sub('ben'), 'now');
SELECT FROM credits.subscription_create('cleo', '[{"lookup_key": "pro"}]', collection_method => 'send_invoice');
SELECT FROM credits.subscription_cancel('cleo', sub('cleo'));
SELECT at('2026-08-15 00:00:00');
SELECT * FROM said WHERE customer_id = 'cleo';
-- Taken back in time, it has.
SELECT FROM credits.subscription_recover('cleo', sub('cleo'));
SELECT at('2026-08-15 01:00:00');
SELECT * FROM said WHERE customer_id = 'cleo';

-- 3. THE SETTING
--
-- What is set counts from the next time on that the subscription changes.
SET credits.upcoming_invoice_days = 0;
SELECT FROM credits.subscription_create('dan', '[{"lookup_key": "pro"}]', collection_method => 'send_invoice');
SELECT at('2026-09-14 00:00:00');
SELECT * FROM said WHERE customer_id = 'dan';
SET credits.upcoming_invoice_days = 7;
SELECT FROM credits.subscription_update('dan', sub('dan'), description => 'changed');
SELECT at('2026-09-14 00:30:00');
SELECT * FROM said WHERE customer_id = 'dan';
SELECT * FROM credits.verify();
