-- Deleting a customer that was created by mistake: one to which nothing happened.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 5, 'USD') \gset
SELECT FROM credits.meter_create('calls');
SELECT FROM credits.meter_create('later', settlement => 'deferred');
-- Every table that has rows of customers: how many of each it has.
CREATE FUNCTION has(customer text) RETURNS TABLE (relation text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN
        SELECT a.attrelid::regclass FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname = 'customer_id' AND c.relkind = 'r'
          AND c.relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace) ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE customer_id = $1', relation) INTO rows USING customer;
        IF rows > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;

-- What is configured for a customer is no history.
SELECT FROM credits.customer_upsert('tst', 'Test', 'test@example.com', invoice_prefix => 'TEST');
SELECT FROM credits.customer_upsert('tst', invoice_prefix => 'TEST2');
SELECT FROM credits.account_configure('tst', overdraft_limit => 5, low_balance_threshold => 10);
SELECT FROM credits.usage_limit_set('tst', 'calls', 100, 'day');
SELECT FROM credits.member_limit_set('tst', 'kim', 100, '90 days');
SELECT FROM credits.balance_alert_set('tst', levels => '{10, 5}');
SELECT FROM credits.meter_price_override('tst', 'calls', discount_percent => 20);
SELECT FROM credits.configure_auto_recharge('tst', enabled => false, threshold => 10, price_id => :'price_id');
SELECT FROM credits.payment_method_attach('tst', 'stripe', NULL, 'pm_1');
SELECT FROM credits.checkout_session_create('tst', line_items => format('[{"price_id": "%s"}]', :'price_id')::jsonb);
SELECT * FROM has('tst');
SELECT customer_id, name, email, invoice_prefix FROM credits.customer_delete('tst');
SELECT * FROM has('tst');
SELECT credits.customer_delete('tst');
SELECT * FROM credits.verify();
-- The key is free, and so is the prefix.
SELECT name, invoice_prefix FROM credits.customer_upsert('tst');
SELECT invoice_prefix FROM credits.customer_upsert('other', invoice_prefix => 'TEST');

-- Anything that happened is history, whatever came of it.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT FROM credits.wallet_credit('granted', 5);
SELECT credits.customer_delete('granted');
\set VERBOSITY terse
SELECT grant_id FROM credits.credit_grant('voided', 5, effective_at => '2026-04-01Z') \gset
SELECT FROM credits.credit_grant_void('voided', :'grant_id');
SELECT credits.customer_delete('voided');
SELECT FROM credits.wallet_transfer('granted', 'given', 2);
SELECT credits.customer_delete('given');
SELECT FROM credits.customer_upsert('used');
SELECT FROM credits.report_meter_event('used', 'calls', 1, 'e1');
SELECT credits.customer_delete('used');
SELECT FROM credits.customer_upsert('free');
SELECT FROM credits.report_meter_event('free', 'calls', 0, 'e1');
SELECT credits.customer_delete('free');
SELECT FROM credits.customer_upsert('unsettled');
SELECT FROM credits.report_meter_event('unsettled', 'later', 1, 'e1');
SELECT credits.customer_delete('unsettled');
SELECT FROM credits.customer_upsert('inbox');
INSERT INTO credits.inbox (customer_id, event_name, identifier) VALUES ('inbox', 'none', 'i1');
SELECT credits.customer_delete('inbox');
SELECT FROM credits.settle();
SELECT credits.customer_delete('inbox');
SELECT FROM credits.inbox_discard(ARRAY(SELECT rejected_id FROM credits.rejected_events));
SELECT customer_id FROM credits.customer_delete('inbox');
SELECT FROM credits.top_up_create('buys', :'price_id');
SELECT credits.customer_delete('buys');
SELECT FROM credits.customer_upsert('named');
CREATE EXTENSION pgcrypto;
SELECT FROM credits.payment_provider_set('shop', 'secret of the shop');
SELECT w.outcome
FROM (SELECT '{"id": "1", "type": "payment.seen", "customer_id": "named",
               "top_up_id": "00000000-0000-7000-8000-000000000000"}' AS payload) p
CROSS JOIN LATERAL encode(public.hmac(p.payload, 'secret of the shop', 'sha256'), 'hex') AS signature
CROSS JOIN LATERAL credits.webhook_receive('shop', p.payload, signature) w;
SELECT customer_id FROM credits_internal.webhook_events;
SELECT credits.customer_delete('named');
-- A customer that was erased, and to which nothing happened.
SELECT FROM credits.customer_upsert('erased', 'Somebody');
SELECT FROM credits.customer_erase('erased');
SELECT customer_id, name FROM credits.customer_delete('erased');
SELECT credits.customer_delete('nobody');
SELECT credits.customer_delete(NULL);
SELECT * FROM credits.verify();

-- Every table of customers' rows is one or the other: a new one is to be thought of, where it is configuration in the
-- configured() of its room's listener, else in has_history().
SELECT c.relname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attname = 'customer_id' AND c.relkind = 'r'
  AND c.relnamespace IN ('credits'::regnamespace, 'credits_internal'::regnamespace)
  AND c.relname <> ALL ('{account_failures, accounts, auto_recharges, balance_alerts, checkout_sessions, customers,
                          history_imports, invoice_prefixes,
                          payment_methods, price_overrides, promotion_code_customers, rolling_spending,
                          spending_limits}')  -- configured
  AND c.relname <> ALL ('{canceled_events, credit_grants, credit_transactions, discount_log, event_adjustments,
                          event_debts, event_fallbacks, grant_rollovers, hold_captures, holds, inbox, inbox_rejected,
                          invoice_line_grants, invoice_lines, invoiced_credits, invoiced_events,
                          invoice_numbers, invoice_payments, invoices, meter_events, operations,
                          payment_intents, payment_references, payment_totals, payments, plan_references,
                          reclaims, recharges,
                          redemptions, refunds, reversals, stock_reservations, subscription_items, subscription_periods,
                          subscriptions, unsettled_events, usage_closings, usage_draws,
                          usage_periods, usage_ranks, usage_record_summaries, usage_records,
                          usage_values, webhook_events}')  -- happened
  -- What was published of it stays.
  AND c.relname <> ALL ('{outbox, outbox_counters, outbox_positions, billing_events}')
ORDER BY 1;
