-- verify() finds what does not agree in purchases, refunds and recharges: each rule is broken once, by the owner's hand, and
-- undone.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
CREATE FUNCTION buy(customer text, price uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.payment_succeeded(customer, (SELECT top_up_id
FROM credits.top_up_create(customer, price)))
$$;
SELECT FROM buy('ann', :'price_id');
SELECT buy('bob', :'price_id') AS bob \gset
SELECT FROM credits.wallet_debit('bob', 40);
SELECT FROM credits.hold_create('bob', 20);
SELECT taken, held, pending FROM credits.payment_refunded('bob', :'bob');
SELECT FROM credits.wallet_credit('bob', 5);
SELECT buy('cyd', :'price_id') AS cyd \gset
SELECT FROM credits.payment_disputed('cyd', :'cyd', 'stripe', 'dp_1');
SELECT FROM credits.payment_dispute_closed('cyd', :'cyd', 'stripe', 'dp_1', true);
-- A part that is rounded, in as many decimals as there can be.
SELECT FROM credits.currency_create('FINE', decimals => 18);
SELECT price_id AS fine FROM credits.package_create('Fine pack', 1, 3, 'USD', credit_currency => 'FINE') \gset
SELECT buy('eva', :'fine') AS eva \gset
SELECT taken FROM credits.payment_refunded('eva', :'eva', amount => 1);
SELECT FROM credits.configure_recharge('CREDIT', :'price_id');
SELECT FROM credits.wallet_credit('dan', 10);
SELECT FROM credits.configure_auto_recharge('dan', threshold => 20);
-- Its payment intent begins with what is reported of the payment.
SELECT p.status FROM credits_internal.recharges r, credits.payment_processing('dan', r.top_up_id) p
WHERE r.customer_id = 'dan';
SELECT * FROM credits.verify();
CREATE FUNCTION breaking(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
        RETURN QUERY SELECT format('%s (%s): %s where %s is due', v.problem, v.customer_id, coalesce(v.found::text, '-'),
                                   coalesce(v.expected::text, '-')) FROM credits.verify() v ORDER BY 1;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
    END;
END $$;
SELECT * FROM breaking($$UPDATE credits_internal.invoice_lines SET credits = 99 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET status = 'canceled', paid_at = NULL
    WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET status = 'succeeded', paid_at = now()
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET paid_amount = 9 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET amount = 9, due_amount = 9
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.payment_intents WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET status = 'requires_payment_method', paid_at = NULL WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoice_lines SET reclaimed = 50 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET refunded_amount = 0 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET disputed_amount = 1 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_intents SET due_amount = 5 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoice_lines SET refunded_amount = 5 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_totals SET paid_amount = 9 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_totals SET tax = 1 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_totals SET refunded_amount = 1 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_totals SET disputed_amount = 1 WHERE customer_id = 'cyd'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.payment_totals WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payments SET amount = 9 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payments SET counts = false
    WHERE customer_id = 'cyd' AND type = 'dispute_won'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payments SET type = 'failed'
    WHERE customer_id = 'bob' AND type = 'refunded'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_references SET customer_id = 'bob', top_up_id = (SELECT payment_intent_id FROM credits_internal.payment_intents WHERE customer_id = 'bob') WHERE customer_id = 'cyd'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_references SET top_up_id = gen_random_uuid()
    WHERE customer_id = 'cyd'$$);
SELECT * FROM breaking($$UPDATE credits_internal.payment_references SET kind = 'refund' WHERE customer_id = 'cyd'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.payment_references$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET taken = 41 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET pending = pending + 1 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET consumed = consumed + 1 WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET debt_no = NULL WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET owes = false WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET undone_at = now() WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET undone_at = NULL WHERE customer_id = 'cyd'$$);
SELECT * FROM breaking($$UPDATE credits_internal.reclaims SET currency = 'USD' WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.reclaims WHERE customer_id = 'bob'$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_grants SET clawback_amounts = '{21}'
    WHERE customer_id = 'bob' AND clawback_amounts IS NOT NULL$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_grants SET clawback_owes = '{f}'
    WHERE customer_id = 'bob' AND clawback_amounts IS NOT NULL$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_grants SET lapsed = 0
    WHERE customer_id = 'bob' AND lapsed > 0$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_grants SET remaining = 5, status = 'granted'
    WHERE customer_id = 'bob' AND amount = 5$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_transactions SET pending = 39
    WHERE customer_id = 'bob' AND type = 'refund' AND pending IS NOT NULL$$);
SELECT * FROM breaking($$UPDATE credits_internal.credit_transactions SET type = 'debit'
    WHERE customer_id = 'bob' AND type = 'refund' AND amount < 0$$);
SELECT * FROM breaking($$UPDATE credits_internal.recharges SET status = 'paid', closed_at = now()
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.recharges SET closed_at = now() WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.payment_intents WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.auto_recharges SET due_at = '2026-03-01 12:30'
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.auto_recharges SET scheduled_at = '2026-03-01 12:30'
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.auto_recharges SET schedule_day = 1, scheduled_at = '2026-02-01',
    due_at = 'infinity' WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.auto_recharges SET target = 19 WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.recharges SET credits = 99 WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.recharges SET quantity = 2 WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.auto_recharges WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.auto_recharges SET enabled = false WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.auto_recharges SET disabled_reason = 'failures'
    WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$UPDATE credits_internal.accounts SET next_change_at = 'infinity' WHERE customer_id = 'dan'$$);
SELECT * FROM breaking($$DROP INDEX credits_internal.recharges_open; INSERT INTO credits_internal.recharges SELECT customer_id, gen_random_uuid(), currency, top_up_id, status, amount, price_currency, credits, payment_method, reason, requested_at, started_at, expires_at, closed_at FROM credits_internal.recharges$$);
SELECT * FROM breaking($$INSERT INTO credits_internal.recharge_reviews (price_id) VALUES ('00000000-0000-0000-0000-000000000001')$$);
SELECT * FROM breaking($$UPDATE credits_internal.outbox_counters SET last_no = 0$$);
SELECT * FROM breaking($$INSERT INTO credits_internal.outbox_positions (customer_id, consumer, acked_no) VALUES ('ann', 'nobody', 1)$$);
SELECT * FROM breaking($$UPDATE credits_internal.invoice_payments SET payment_intent_id = gen_random_uuid()
    WHERE customer_id = 'ann'$$);
-- Refunds that were asked for.
SELECT refund_id FROM credits.refund_create('ann', (SELECT top_up_id FROM credits.top_ups WHERE customer_id = 'ann'),
    lines => (SELECT jsonb_build_array(jsonb_build_object('invoice_line_id', invoice_line_id, 'amount', 1))
              FROM credits.invoice_lines WHERE customer_id = 'ann')) \gset
SELECT * FROM credits.verify();
SELECT * FROM breaking($$UPDATE credits_internal.refunds SET amount = 2 WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.refunds SET status = 'failed', closed_at = now()
    WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$UPDATE credits_internal.refunds SET lines = NULL WHERE customer_id = 'ann'$$);
SELECT * FROM breaking($$DELETE FROM credits_internal.payments WHERE customer_id = 'ann' AND type = 'refunded'$$);
SELECT * FROM credits.verify();
