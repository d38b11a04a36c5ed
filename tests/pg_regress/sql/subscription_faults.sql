-- Faults that other systems of subscriptions had, each as a test of its own. (Two workers that renew at once need
-- two sessions: renewed_twice in tests/concurrency.) The clock is moved by hand; the figures were worked out by
-- hand. Each April has 30 days.
SET credits.test_clock_drives_billing = on;
\set SHOW_CONTEXT never
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s WHERE s.customer_id = customer);
CREATE FUNCTION items(customer text, key text, units numeric DEFAULT 1) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('subscription_item_id', i.subscription_item_id, 'lookup_key', key,
                                                'quantity', units))
    FROM credits.subscription_items i WHERE i.customer_id = customer AND i.subscription_id = sub(customer) $$;
-- Who is charged has a card.
CREATE FUNCTION subscribe(customer text, key text) RETURNS text LANGUAGE sql AS $$
    SELECT FROM credits.customer_upsert(customer);
    SELECT FROM credits.payment_method_attach(customer, 'manual', NULL, 'card of ' || customer, is_default => true);
    SELECT s.status FROM credits.subscription_create(customer,
        jsonb_build_array(jsonb_build_object('lookup_key', key))) s $$;
-- The provider reports a payment, or the same again.
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT p.status FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer ORDER BY t.status = 'succeeded', t.payment_intent_id LIMIT 1 $$;
CREATE VIEW bills AS
SELECT i.customer_id, i.status, i.billing_reason AS reason, i.total FROM credits.invoices i
ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW given AS
SELECT g.customer_id, g.status, g.amount, g.remaining, d(g.effective_at) AS from,
       nullif(d(g.expires_at), 'infinity') AS until
FROM credits.grants g ORDER BY g.customer_id, g.effective_at, g.created_at, g.grant_id;
CREATE FUNCTION there(customer text) RETURNS numeric LANGUAGE sql
RETURN (SELECT w.available FROM credits.wallet_balance(customer) w);
SET credits.test_clock = '2026-04-01 00:00:00+00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('COIN', NULL, 0);
SET credits.default_currency = 'COIN';
SELECT product_id AS product FROM credits.product_create('Plan') \gset
SELECT p.key FROM (VALUES
    ('small', 30, 'month', '{"amount": 300, "schedule": {"delivery": "invoice",
                             "expire_with_next_grant": true}}'::jsonb),
    ('large', 60, 'month', '{"amount": 900, "schedule": {"delivery": "invoice", "expire_with_next_grant": true}}'),
    ('lasting', 30, 'month', '{"amount": 300, "valid_for": "45 days"}'),
    ('tens', 30, 'month', '{"amount": 30, "schedule": {"delivery": "schedule", "every": "10 days",
                            "expire_with_next_grant": true}}'),
    ('year', 360, 'year', '{"amount": 1200, "schedule": {"delivery": "schedule", "every": "1 month",
                            "expire_with_next_grant": true}}')) p (key, amount, "interval", config),
    credits.price_create(:'product', 'recurring', p.amount, 'USD', lookup_key => p.key,
        recurring => jsonb_build_object('interval', p."interval"),
        credit_config => p.config || '{"currency": "COIN"}');

-- A renewal that touches credits bought apart: neither it, nor a change, nor the end does.
SELECT FROM credits.credit_grant('apart', 50, name => 'bought apart');
SELECT subscribe('apart', 'small'), pay('apart');
SET credits.test_clock = '2026-05-01 00:00:00+00';
CALL credits.maintain();
SELECT pay('apart');
SELECT FROM credits.subscription_update('apart', sub('apart'), items('apart', 'large'), 'always_invoice');
SELECT FROM credits.subscription_cancel('apart', sub('apart'), 'now', 'proration');
SELECT status, amount, remaining, until FROM given WHERE customer_id = 'apart' AND amount = 50;

-- A recurrence that is granted twice, or not at all, at a period's boundary. A microsecond before it the old is
-- there, at it nothing until the new is paid; then it is there once, whoever looks and reports how often.
SET credits.test_clock = '2027-04-01 00:00:00+00';
SELECT subscribe('boundary', 'small'), pay('boundary');
SET credits.test_clock = '2027-04-30 23:59:59.999999+00';
CALL credits.maintain();
SELECT there('boundary');
SET credits.test_clock = '2027-05-01 00:00:00+00';
SELECT there('boundary');
CALL credits.maintain();
CALL credits.maintain();
SELECT pay('boundary');
SELECT pay('boundary');
SELECT there('boundary');
SELECT * FROM given WHERE customer_id = 'boundary';
SELECT * FROM bills WHERE customer_id = 'boundary';
SELECT s.status FROM credits.subscription_cancel('boundary', sub('boundary'), 'now') s;
-- And between instalments: one ends at the moment at which the next begins.
SET credits.test_clock = '2028-04-01 00:00:00+00';
SELECT subscribe('instalment', 'tens'), pay('instalment');
SET credits.test_clock = '2028-04-10 23:59:59.999999+00';
SELECT there('instalment');
SET credits.test_clock = '2028-04-11 00:00:00+00';
SELECT there('instalment');
SELECT s.status FROM credits.subscription_cancel('instalment', sub('instalment'), 'now') s;

-- An expiry that is counted from the subscription's start: each period's credits have their own 45 days.
SET credits.test_clock = '2029-04-01 00:00:00+00';
SELECT subscribe('expiry', 'lasting'), pay('expiry');
SET credits.test_clock = '2029-05-01 00:00:00+00';
CALL credits.maintain();
SELECT pay('expiry');
SELECT * FROM given WHERE customer_id = 'expiry';
SELECT there('expiry');
SET credits.test_clock = '2029-05-16 00:00:00+00';
SELECT there('expiry');
SELECT s.status FROM credits.subscription_cancel('expiry', sub('expiry'), 'now') s;

-- An upgrade that doubles or loses credits. On the 16th half of the 300 go, and half of 900 come: 600. Of what was
-- spent nothing can go: of 50 that are left, no more.
SET credits.test_clock = '2030-04-01 00:00:00+00';
SELECT subscribe('upgrade', 'small'), pay('upgrade'), subscribe('spender', 'small'), pay('spender');
SET credits.test_clock = '2030-04-16 00:00:00+00';
SELECT FROM credits.wallet_debit('spender', 250);
SELECT FROM credits.subscription_update('upgrade', sub('upgrade'), items('upgrade', 'large'), 'create_prorations');
SELECT FROM credits.subscription_update('spender', sub('spender'), items('spender', 'large'), 'always_invoice');
SELECT there('upgrade'), there('spender') AS "until it is paid";
SELECT pay('spender');
SELECT there('spender');
-- And back at the same moment: as it was.
SELECT FROM credits.subscription_update('upgrade', sub('upgrade'), items('upgrade', 'small'), 'create_prorations');
SELECT there('upgrade');
SELECT sum(l.amount - l.discount) AS "to be charged" FROM credits.invoice_lines l
WHERE l.customer_id = 'upgrade' AND l.invoice_id IS NULL;
SELECT s.status FROM unnest(ARRAY['upgrade', 'spender']) customer,
    credits.subscription_cancel(customer, sub(customer), 'now') s;

-- A late report of a renewal's payment, after the grant had ended: what is paid for begins then, and ends as
-- planned; or, where that has passed, has its whole length of 31 days.
SET credits.test_clock = '2031-04-01 00:00:00+00';
SELECT subscribe('late', 'small'), pay('late'), subscribe('later', 'small'), pay('later');
SET credits.test_clock = '2031-05-01 00:00:00+00';
CALL credits.maintain();
SET credits.test_clock = '2031-05-06 00:00:00+00';
SELECT there('late'), pay('late'), there('late') AS "is there";
SET credits.test_clock = '2031-06-06 00:00:00+00';
CALL credits.maintain();
SELECT pay('later');
SELECT * FROM given WHERE customer_id IN ('late', 'later');
SELECT s.status FROM unnest(ARRAY['late', 'later']) customer,
    credits.subscription_cancel(customer, sub(customer), 'now') s;

-- A payment that succeeds after the cancellation: it is recorded, grants nothing, and is to go back.
SET credits.test_clock = '2032-04-01 00:00:00+00';
SELECT subscribe('after', 'small');
SELECT s.status FROM credits.subscription_cancel('after', sub('after'), 'now') s;
SELECT p.status, p.contradiction FROM credits.payment_intents t,
    credits.payment_succeeded('after', t.payment_intent_id, 'manual', 'after') p WHERE t.customer_id = 'after';
SELECT r.amount, r.status FROM credits.refunds r WHERE r.customer_id = 'after';
SELECT * FROM bills WHERE customer_id = 'after';
SELECT count(*) FROM given WHERE customer_id = 'after';

-- A trial that is canceled at its last second, at once or for its end: nothing is ever charged. (The trial's own
-- credits are on an invoice of nothing.)
SET credits.test_clock = '2033-04-01 00:00:00+00';
SELECT customer, s.status FROM unnest(ARRAY['second', 'third']) customer,
    credits.subscription_create(customer, '[{"lookup_key": "small"}]', trial_period_days => 7) s;
SET credits.test_clock = '2033-04-07 23:59:59+00';
SELECT s.status FROM credits.subscription_cancel('second', sub('second'), 'now') s;
SELECT s.status, d(s.cancel_at) FROM credits.subscription_cancel('third', sub('third'), 'period_end') s;
SET credits.test_clock = '2033-06-01 00:00:00+00';
CALL credits.maintain();
SELECT customer_id, status, d(ended_at) FROM credits.subscriptions WHERE customer_id IN ('second', 'third') ORDER BY 1;
SELECT * FROM bills WHERE customer_id IN ('second', 'third');

-- A pause that ends in a later period: the time of the pause is in none, and the new period is charged and granted
-- once.
SET credits.test_clock = '2034-04-01 00:00:00+00';
SELECT subscribe('resumed', 'small'), pay('resumed');
SET credits.test_clock = '2034-04-16 00:00:00+00';
SELECT s.status FROM credits.subscription_pause('resumed', sub('resumed')) s;
SET credits.test_clock = '2034-06-10 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'resumed';
SELECT s.status, d(s.current_period_start), d(s.current_period_end)
FROM credits.subscription_resume('resumed', sub('resumed')) s;
SELECT pay('resumed');
SELECT * FROM given WHERE customer_id = 'resumed';
SELECT * FROM bills WHERE customer_id = 'resumed';
SELECT s.status FROM credits.subscription_cancel('resumed', sub('resumed'), 'now') s;

-- Past due for three periods, then paid: each is owed, and each has its credits, for as long as they would have
-- lasted.
SET credits.test_clock = '2035-04-01 00:00:00+00';
SELECT subscribe('overdue', 'small'), pay('overdue');
SELECT FROM credits.subscription_update('overdue', sub('overdue'), days_until_cancel => 120);
SET credits.test_clock = '2035-05-01 00:00:00+00';
CALL credits.maintain();
SELECT p.status FROM credits.payment_intents t,
    credits.payment_failed('overdue', t.payment_intent_id, 'manual', 'no', 'declined') p
WHERE t.customer_id = 'overdue' AND t.status <> 'succeeded';
SET credits.test_clock = '2035-07-15 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bills WHERE customer_id = 'overdue';
SELECT pay('overdue');
SELECT pay('overdue');
SELECT status, d(past_due_at) FROM credits.subscriptions WHERE customer_id = 'overdue';
SELECT pay('overdue');
SELECT status, d(past_due_at), d(current_period_end) FROM credits.subscriptions WHERE customer_id = 'overdue';
SELECT * FROM given WHERE customer_id = 'overdue';
SELECT s.status FROM credits.subscription_cancel('overdue', sub('overdue'), 'now') s;

-- One dollar back for goodwill, on a plan of a year: 1/360 of 1,200 credits are 3, of the month that comes last. All
-- else stays.
SET credits.test_clock = '2036-04-01 00:00:00+00';
SELECT subscribe('goodwill', 'year'), pay('goodwill');
SET credits.test_clock = '2036-06-10 00:00:00+00';
SELECT r.amount FROM credits.payment_intents t, credits.refund_create('goodwill', t.payment_intent_id, 1) r
WHERE t.customer_id = 'goodwill';
SELECT status, count(*), sum(amount) AS credits, max("from") AS "the last" FROM given WHERE customer_id = 'goodwill'
GROUP BY 1, amount ORDER BY 4;
SELECT status FROM credits.subscriptions WHERE customer_id = 'goodwill';
SELECT s.status FROM credits.subscription_cancel('goodwill', sub('goodwill'), 'now') s;

-- A coupon of 100 %, then a downgrade: nothing was paid, so nothing goes back, now or later; the credits follow the
-- plan.
SET credits.test_clock = '2038-04-01 00:00:00+00';
SELECT coupon_id AS all_of_it FROM credits.coupon_create('All of it', percent_off => 100, duration => 'once') \gset
SELECT s.status FROM credits.subscription_create('gift', '[{"lookup_key": "large"}]', coupon_id => :'all_of_it') s;
SET credits.test_clock = '2038-04-16 00:00:00+00';
SELECT FROM credits.subscription_update('gift', sub('gift'), items('gift', 'small'));
SELECT * FROM given WHERE customer_id = 'gift';
SET credits.test_clock = '2038-05-01 00:00:00+00';
CALL credits.maintain();
SELECT l.description, l.amount, l.discount FROM credits.invoice_lines l WHERE l.customer_id = 'gift'
ORDER BY l.created_at, l.invoice_line_id;
SELECT * FROM bills WHERE customer_id = 'gift';
SELECT * FROM credits.verify();

-- Credits that last a week, of a plan of a month: in its second half they are over. To change and to change back brings
-- none of them again; what is more of it from then on brings its part, once: half of 300.
SET credits.test_clock = '2039-04-01 00:00:00+00';
SELECT FROM credits.price_create(:'product', 'recurring', 30, 'USD', lookup_key => 'week',
    recurring => '{"interval": "month"}',
    credit_config => '{"amount": 300, "valid_for": "7 days", "currency": "COIN"}');
SELECT subscribe('weekly', 'week'), pay('weekly'), there('weekly');
SET credits.test_clock = '2039-04-16 00:00:00+00';
SELECT there('weekly');
SELECT FROM credits.subscription_update('weekly', sub('weekly'), items('weekly', 'week', 2));
SELECT there('weekly');
SELECT FROM credits.subscription_update('weekly', sub('weekly'), items('weekly', 'week', 1));
SELECT there('weekly');
SELECT FROM credits.subscription_update('weekly', sub('weekly'), items('weekly', 'week', 2));
SELECT FROM credits.subscription_update('weekly', sub('weekly'), items('weekly', 'small', 1));
SELECT FROM credits.subscription_update('weekly', sub('weekly'), items('weekly', 'week', 1));
SELECT there('weekly');
SELECT s.status FROM credits.subscription_cancel('weekly', sub('weekly'), 'now') s;
SELECT * FROM credits.verify();

-- What waits for the next invoice is shown with what is taken off it: half of 45.
SET credits.test_clock = '2040-04-01 00:00:00+00';
SELECT coupon_id AS half FROM credits.coupon_create('Half', percent_off => 50, duration => 'forever') \gset
SELECT FROM credits.customer_upsert('half');
SELECT FROM credits.payment_method_attach('half', 'manual', NULL, 'card', is_default => true);
SELECT s.status FROM credits.subscription_create('half', '[{"lookup_key": "lasting"}]', coupon_id => :'half') s;
SELECT pay('half');
SET credits.test_clock = '2040-04-16 00:00:00+00';
SELECT FROM credits.subscription_update('half', sub('half'), items('half', 'lasting', 3));
SELECT l.description, l.amount, l.discount, l.amount_excluding_tax FROM credits.invoice_lines l
WHERE l.customer_id = 'half' AND l.invoice_id IS NULL ORDER BY l.amount;

-- A setting that is none is refused as it is set. A quantity is no amount of money.
SET credits.subscription_retries = 'soon';
SET credits.subscription_retries = '3, 1';
SET credits.subscription_retries = '';
SHOW credits.subscription_retries;
SET credits.subscription_retries = '2, 4';
SELECT s.status FROM credits.subscription_cancel('half', sub('half'), 'now') s;
SELECT credits.usage_record_create('half', gen_random_uuid(), -1);
SELECT * FROM credits.verify();
