-- verify() finds what does not agree of subscriptions: each rule is broken once, by the owner's hand, and undone.
SET credits.test_clock_drives_billing = on;
SET credits.test_clock = '2026-04-01 00:00:00+00';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('COIN', NULL, 0);
SET credits.default_currency = 'COIN';
SELECT product_id AS product FROM credits.product_create('Plan') \gset
SELECT FROM credits.price_create(:'product', 'recurring', 30, 'USD', recurring => '{"interval": "month"}',
    lookup_key => 'plan', credit_config => '{"amount": 30, "currency": "COIN",
        "schedule": {"delivery": "schedule", "every": "10 days", "expire_with_next_grant": true}}');
SELECT FROM credits.coupon_create('Less', percent_off => 10, duration => 'forever',
    promotion_codes => '[{"code": "LESS"}]');
-- Ann has paid two periods, Bob owes his first, Cid has ended, Dan has a discount, Eve tries it out.
SELECT FROM credits.subscription_create('ann', '[{"lookup_key": "plan"}]');
SELECT FROM credits.subscription_create('bob', '[{"lookup_key": "plan"}]', collection_method => 'send_invoice');
SELECT FROM credits.subscription_create('cid', '[{"lookup_key": "plan"}]');
SELECT FROM credits.subscription_create('dan', '[{"lookup_key": "plan"}]', promotion_code => 'less');
SELECT FROM credits.subscription_create('eve', '[{"lookup_key": "plan"}]', trial_period_days => 60);
CREATE FUNCTION pay(customer text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.status, ', ') FROM credits.payment_intents t,
        credits.payment_succeeded(customer, t.payment_intent_id, 'manual', 'pay ' || t.payment_intent_id) p
    WHERE t.customer_id = customer AND t.status NOT IN ('succeeded', 'canceled') $$;
SELECT pay('ann'), pay('cid'), pay('dan');
SELECT s.status FROM credits.subscriptions c,
    credits.subscription_cancel('cid', c.subscription_id, 'now') s WHERE c.customer_id = 'cid';
SET credits.test_clock = '2026-05-01 00:00:00+00';
CALL credits.maintain();
SELECT pay('ann');
-- A third of May is paid back.
SELECT r.amount FROM credits.payment_intents t, credits.refund_create('ann', t.payment_intent_id, 10) r
WHERE t.customer_id = 'ann' AND t.created_at = '2026-05-01 00:00:00+00';
SELECT * FROM credits.verify();

CREATE FUNCTION breaking(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
        RETURN QUERY SELECT format('%s (%s): %s where %s is due', v.problem, v.customer_id,
            coalesce(v.found::text, '-'), coalesce(v.expected::text, '-')) FROM credits.verify() v ORDER BY 1;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
    END;
END $$;

-- Periods: no gap, no overlap, and the last one is the subscription's.
SELECT * FROM breaking($$UPDATE credits_internal.subscription_periods SET period_end = period_end - interval '1 day'
    WHERE customer_id = 'ann' AND period_start = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.subscription_periods SET period_end = period_end + interval '1 day'
    WHERE customer_id = 'ann' AND period_start = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.subscriptions
    SET current_period_end = current_period_end + interval '1 day' WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.subscription_periods WHERE customer_id = 'eve'$$);
-- After a pause there may be a gap.
SELECT * FROM breaking($$UPDATE credits_internal.subscription_periods
    SET period_start = period_start + interval '1 day', resumed = true
    WHERE customer_id = 'ann' AND period_start = '2026-05-01 00:00:00+00'$$);
-- Each period has an invoice of its own.
SELECT * FROM breaking($$UPDATE credits_internal.subscription_periods SET invoice_id = NULL
    WHERE customer_id = 'ann' AND period_start = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.subscription_periods p SET invoice_id = o.invoice_id
    FROM credits_internal.subscription_periods o
    WHERE o.customer_id = 'ann' AND o.period_start = '2026-05-01 00:00:00+00'
        AND p.customer_id = 'ann' AND p.period_start = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoices SET subscription_id = gen_random_uuid()
    WHERE customer_id = 'bob' AND created_at = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoices SET subscription_id = NULL
    WHERE customer_id = 'bob' AND created_at = '2026-04-01 00:00:00+00'$$);
-- What is over has nothing to come, and what is not has.
SELECT * FROM breaking($$UPDATE credits_internal.subscriptions SET next_change_at = '2026-06-01'
    WHERE customer_id = 'cid'$$);
SELECT * FROM breaking($$UPDATE credits_internal.subscriptions SET next_change_at = NULL WHERE customer_id = 'ann'$$);
-- Instalments: granted if and only if they are paid, each once, all of the line.
SELECT * FROM breaking($$UPDATE credits_internal.invoice_line_grants g SET grant_id = NULL
    WHERE g.customer_id = 'dan' AND g.instalment_no = 1 AND g.starts_at = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoice_line_grants g SET grant_id = c.grant_id
    FROM credits_internal.credit_grants c WHERE c.customer_id = 'ann' AND c.effective_at = '2026-05-11 00:00:00+00'
        AND g.customer_id = 'ann' AND g.starts_at = '2026-05-01 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoice_line_grants g SET grant_id = c.grant_id
    FROM credits_internal.credit_grants c WHERE c.customer_id = 'dan' AND c.effective_at = '2026-04-11 00:00:00+00'
        AND g.customer_id = 'dan' AND g.starts_at = '2026-04-21 00:00:00+00'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoice_line_grants g SET credits = credits + 1
    WHERE g.customer_id = 'bob' AND g.instalment_no = 1 AND g.starts_at = '2026-04-01 00:00:00+00'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.invoice_line_grants g
    WHERE g.customer_id = 'bob' AND g.instalment_no = 2 AND g.starts_at = '2026-04-11 00:00:00+00'$$);
SELECT * FROM breaking($$INSERT INTO credits_internal.invoice_line_grants
    (customer_id, invoice_line_id, instalment_no, revision, starts_at, ends_at, expires, credits)
    SELECT g.customer_id, g.invoice_line_id, g.instalment_no, 2, g.starts_at, g.ends_at, g.expires, g.credits
    FROM credits_internal.invoice_line_grants g
    WHERE g.customer_id = 'bob' AND g.starts_at = '2026-04-11 00:00:00+00'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.subscription_items WHERE customer_id = 'dan'$$);
-- What was taken back is what its operations say. The refund took the last instalment, which had not begun.
SELECT * FROM breaking($$UPDATE credits_internal.invoice_line_grants g SET reclaimed = 5
    WHERE g.customer_id = 'ann' AND g.starts_at = '2026-05-01 00:00:00+00'$$);
-- Nothing begins after the end.
SELECT * FROM breaking($$UPDATE credits_internal.subscriptions
    SET status = 'canceled', ended_at = '2026-05-02', next_change_at = NULL WHERE customer_id = 'ann'$$);
-- A discount is reserved for the subscription that has it, and for no other.
SELECT * FROM breaking($$UPDATE credits_internal.subscriptions SET coupon_id = NULL, promotion_code_id = NULL
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.subscriptions SET promotion_code_id = NULL
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.redemptions SET confirmed_at = NULL, released_at = '2026-04-02'
    WHERE customer_id = 'dan'$$);
SELECT * FROM credits.verify();
