-- Subscriptions where the ways meet: what is not paid yet and then not needed, credits that an earlier change left
-- alone, periods that cost nothing and are made late, and what waited on an invoice that is void. The clock is moved
-- by hand; the figures were worked out by hand.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-04-01 00:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION d(at timestamptz) RETURNS text LANGUAGE sql RETURN to_char(at AT TIME ZONE 'UTC', 'MM-DD HH24:MI');
CREATE FUNCTION sub(customer text) RETURNS uuid LANGUAGE sql
RETURN (SELECT s.subscription_id FROM credits.subscriptions s WHERE s.customer_id = customer);
CREATE FUNCTION items(customer text, key text, units numeric DEFAULT 1) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('subscription_item_id', i.subscription_item_id, 'lookup_key', key,
                                                'quantity', units))
    FROM credits.subscription_items i WHERE i.customer_id = customer AND i.subscription_id = sub(customer) $$;
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
CREATE VIEW bills AS
SELECT i.customer_id, i.status, i.billing_reason, i.total FROM credits.invoices i
ORDER BY i.customer_id, i.created_at, i.invoice_id;
CREATE VIEW bill_lines AS
SELECT l.customer_id, coalesce(i.status, 'pending') AS status, l.description, l.amount, l.discount,
       d(l.period_start) AS from
FROM credits.invoice_lines l LEFT JOIN credits.invoices i USING (customer_id, invoice_id)
ORDER BY l.customer_id, l.created_at, l.invoice_line_id;
CREATE VIEW given AS
SELECT g.customer_id, g.status, g.amount, g.remaining, d(g.effective_at) AS from,
       nullif(d(g.expires_at), 'infinity') AS until
FROM credits.grants g ORDER BY g.customer_id, g.effective_at, g.created_at, g.grant_id;
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('COIN', NULL, 0);
SET credits.default_currency = 'COIN';
SELECT product_id AS product FROM credits.product_create('Plan') \gset
SELECT p.key FROM (VALUES
    ('small', 30, 300, '{"delivery": "invoice", "expire_with_next_grant": true}'::jsonb),
    ('large', 60, 900, '{"delivery": "invoice", "expire_with_next_grant": true}'),
    ('free', 0, 30, '{"delivery": "schedule", "every": "10 days", "expire_with_next_grant": true}'),
    ('waits', 0.01, 300, '{"delivery": "invoice", "first_grant": "after_first_payment"}')
    ) p (key, amount, credits, schedule),
    credits.price_create(:'product', 'recurring', p.amount, 'USD', recurring => '{"interval": "month"}',
        lookup_key => p.key,
        credit_config => jsonb_build_object('amount', p.credits, 'currency', 'COIN', 'schedule', p.schedule));

-- 1. A CANCELLATION AT ONCE, AND WHAT IS NOT PAID YET
--
-- Ten days after an upgrade that waits for the next invoice it ends: of the 40.00 for 20 days 20.00 are not needed,
-- and their half of the credits goes. The 20.00 that go back for the old plan stay. So there is nothing to charge.
SELECT FROM credits.subscription_create('ann', '[{"lookup_key": "small"}]');
SELECT pay('ann');
SET credits.test_clock = '2026-04-11 00:00:00+00';
SELECT FROM credits.subscription_update('ann', sub('ann'), items('ann', 'large'));
SELECT * FROM bill_lines WHERE customer_id = 'ann';
SET credits.test_clock = '2026-04-21 00:00:00+00';
SELECT status FROM credits.subscription_cancel('ann', sub('ann'), 'now', 'proration');
SELECT * FROM bill_lines WHERE customer_id = 'ann';
SELECT * FROM bills WHERE customer_id = 'ann';
SELECT * FROM given WHERE customer_id = 'ann';
-- What was sent and not paid: 10 of its 31 days were used, and that much is charged and granted, for as long as it
-- was used.
SET credits.test_clock = '2026-05-01 00:00:00+00';
SELECT FROM credits.subscription_create('bob', '[{"lookup_key": "small"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-05-11 00:00:00+00';
SELECT status FROM credits.subscription_cancel('bob', sub('bob'), 'now', 'proration');
SELECT * FROM bills WHERE customer_id = 'bob';
SELECT pay('bob');
SELECT * FROM given WHERE customer_id = 'bob';

-- 2. 'keep', THEN 'prorate'
--
-- The first change leaves the 300 that have begun alone. The second takes the third that is for the last ten days,
-- once: as a third change at that moment shows.
SET credits.test_clock = '2026-06-01 00:00:00+00';
SELECT FROM credits.subscription_create('cid', '[{"lookup_key": "small"}]');
SELECT pay('cid');
SET credits.test_clock = '2026-06-11 00:00:00+00';
SELECT FROM credits.subscription_update('cid', sub('cid'), items('cid', 'large'), credits => 'keep');
SELECT * FROM given WHERE customer_id = 'cid';
SET credits.test_clock = '2026-06-21 00:00:00+00';
SELECT credits FROM credits.subscription_preview('cid', sub('cid'), items('cid', 'small', 2));
SELECT FROM credits.subscription_update('cid', sub('cid'), items('cid', 'small', 2));
SELECT * FROM given WHERE customer_id = 'cid';
SELECT FROM credits.subscription_update('cid', sub('cid'), items('cid', 'small', 1));
SELECT * FROM given WHERE customer_id = 'cid';

-- 3. A PERIOD OF NOTHING, MADE LATE
--
-- Nobody looked from September to 15 November. The credits of each ten days began and expired as planned, and the
-- last ones are there. September has 30 days, October 31: four instalments.
SET credits.test_clock = '2026-09-01 00:00:00+00';
SELECT FROM credits.subscription_create('dan', '[{"lookup_key": "free"}]');
SET credits.test_clock = '2026-11-15 00:00:00+00';
CALL credits.maintain();
SELECT * FROM given WHERE customer_id = 'dan';
SELECT * FROM bills WHERE customer_id = 'dan';
SELECT type, amount, running_balance, d(effective_at) FROM credits.ledger WHERE customer_id = 'dan' ORDER BY line_no;

-- 4. CREDITS THAT WAIT FOR THE FIRST PAYMENT, AND A FIRST INVOICE OF NOTHING
--
-- The first invoice was not paid when the rest of it was changed away, and ten days of a cent are nothing: it is
-- paid with nothing, so it grants nothing, not even for these ten days. The new one does as money comes: 20 of 30
-- days of 600.
SELECT FROM credits.subscription_create('eve', '[{"lookup_key": "waits"}]', collection_method => 'send_invoice');
SET credits.test_clock = '2026-11-25 00:00:00+00';
SELECT FROM credits.subscription_update('eve', sub('eve'), items('eve', 'waits', 2), 'always_invoice');
SELECT * FROM bills WHERE customer_id = 'eve';
SELECT * FROM given WHERE customer_id = 'eve';
SELECT pay('eve');
SELECT * FROM given WHERE customer_id = 'eve';

-- 5. WHAT WAITED, AND AN INVOICE THAT IS VOID
--
-- An upgrade is charged with the renewal. That is voided: the upgrade waits again, and so does an item by hand. The
-- void invoice says what it came to.
SET credits.test_clock = '2027-04-01 00:00:00+00';
SELECT FROM credits.subscription_create('fay', '[{"lookup_key": "small"}]');
SELECT pay('fay');
SET credits.test_clock = '2027-04-11 00:00:00+00';
SELECT FROM credits.subscription_update('fay', sub('fay'), items('fay', 'large'));
SELECT FROM credits.invoice_item_create('fay', amount => 5, currency => 'USD', description => 'Help');
SET credits.test_clock = '2027-05-01 00:00:00+00';
CALL credits.maintain();
SELECT * FROM bill_lines WHERE customer_id = 'fay';
SELECT v.status, v.total FROM credits.invoices i, credits.invoice_void('fay', i.invoice_id) v
WHERE i.customer_id = 'fay' AND i.status = 'open';
SELECT * FROM bill_lines WHERE customer_id = 'fay';
SELECT * FROM bills WHERE customer_id = 'fay';
SELECT status, total FROM credits.invoice_create('fay', '[]', currency => 'USD');
SELECT sum(remaining) AS credits FROM given WHERE customer_id = 'fay' AND status = 'granted';

-- 6. AN END AS SOMETHING BEGINS
--
-- The second instalment begins at the moment of the end. It goes, whether or not somebody looked at the account
-- before.
SET credits.test_clock = '2027-09-01 00:00:00+00';
SELECT customer, s.status FROM unnest(ARRAY['gus', 'hal']) customer,
    credits.subscription_create(customer, '[{"lookup_key": "free"}]') s;
SET credits.test_clock = '2027-09-11 00:00:00+00';
SELECT FROM credits.credit_grant('gus', 1);
SELECT customer, s.status FROM unnest(ARRAY['gus', 'hal']) customer,
    credits.subscription_cancel(customer, sub(customer), 'now') s;
SELECT * FROM given WHERE customer_id IN ('gus', 'hal');
-- 7. WHAT IS DISPUTED WHILE IT CHANGES
--
-- A period of 30 days has three instalments of 10 credits. All of it is disputed on the fifth day: the first is
-- empty, and the others do not come. In that time it pauses, ends, changes, or is to end; then the dispute is won,
-- and what was ended meanwhile does not come back. What pauses until 12 April has the third; what ends no more has
-- both.
SET credits.test_clock = '2028-04-01 00:00:00+00';
SELECT FROM credits.price_create(:'product', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'parts', credit_config => '{"amount": 30, "currency": "COIN", "schedule": {"delivery": "schedule",
        "every": "10 days", "expire_with_next_grant": true}}');
CREATE FUNCTION dispute(customer text) RETURNS numeric LANGUAGE sql AS $$
    SELECT p.taken FROM credits.payment_intents t,
        credits.payment_disputed(customer, t.payment_intent_id, 'manual', 'dispute of ' || customer) p
    WHERE t.customer_id = customer AND t.status = 'succeeded' $$;
CREATE FUNCTION win(customer text) RETURNS numeric LANGUAGE sql AS $$
    SELECT p.taken FROM credits.payment_intents t,
        credits.payment_dispute_closed(customer, t.payment_intent_id, 'manual', 'dispute of ' || customer, true) p
    WHERE t.customer_id = customer AND t.status = 'succeeded' $$;
CREATE VIEW disputed AS SELECT * FROM given WHERE customer_id LIKE 'while_%' AND status <> 'voided';
SELECT c.customer, s.status, pay(c.customer)
FROM unnest('{while_paused,while_over,while_changed,while_ending,while_refunded}'::text[]) AS c (customer),
    credits.subscription_create(c.customer, '[{"lookup_key": "parts"}]') s;
SET credits.test_clock = '2028-04-05 00:00:00+00';
SELECT c.customer, dispute(c.customer)
FROM unnest('{while_paused,while_over,while_changed,while_ending}'::text[]) AS c (customer);
SELECT * FROM disputed WHERE remaining > 0;
SELECT status FROM credits.subscription_pause('while_paused', sub('while_paused'));
SELECT status FROM credits.subscription_cancel('while_over', sub('while_over'), 'now');
SELECT status FROM credits.subscription_update('while_changed', sub('while_changed'), items('while_changed', 'small'));
SELECT description, amount FROM bill_lines WHERE customer_id = 'while_changed';
SELECT status FROM credits.subscription_cancel('while_ending', sub('while_ending'), '2028-04-11 00:00:00+00');
SELECT c.customer, win(c.customer)
FROM unnest('{while_paused,while_over,while_changed,while_ending}'::text[]) AS c (customer);
SELECT * FROM disputed WHERE customer_id <> 'while_refunded';
SELECT status FROM credits.subscription_recover('while_ending', sub('while_ending'));
SELECT * FROM disputed WHERE customer_id = 'while_ending';
-- Half of it is asked back: the third goes, and half of the second. It pauses, the refund fails, and it goes on: all is
-- there, at what it cost.
SELECT payment_intent_id AS paid FROM credits.payment_intents WHERE customer_id = 'while_refunded' \gset
SELECT refund_id FROM credits.refund_create('while_refunded', :'paid', 15) \gset
SELECT * FROM disputed WHERE customer_id = 'while_refunded';
SELECT status FROM credits.subscription_pause('while_refunded', sub('while_refunded'));
SELECT status FROM credits.payment_refund_failed('while_refunded', :'paid', 'manual', 'no', refund_id => :'refund_id');
SELECT status FROM credits.subscription_resume('while_refunded', sub('while_refunded'));
SELECT * FROM disputed WHERE customer_id = 'while_refunded';
SELECT sum(cost_amount) FROM credits.grants WHERE customer_id = 'while_refunded';
SET credits.test_clock = '2028-04-12 00:00:00+00';
SELECT status FROM credits.subscription_resume('while_paused', sub('while_paused'));
SELECT * FROM disputed WHERE customer_id = 'while_paused';
SELECT * FROM credits.verify();
