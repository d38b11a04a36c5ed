-- Refunds that are asked for: in parts, of lines or of all; begun by a worker, answered by the provider, failed,
-- taken back.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT FROM credits.outbox_consumer_create('worker');
CREATE FUNCTION sell(customer text, price uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.payment_succeeded(customer, (
        SELECT payment_intent_id FROM credits.invoice_create(customer, jsonb_build_array(
            jsonb_build_object('amount', 30, 'description', 'A thing'), jsonb_build_object('price_id', price)),
            auto_finalize => true, tax_rate => 19)), 'stripe', 'pi_' || customer)
$$;
CREATE FUNCTION part(customer text, line integer, back numeric) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('invoice_line_id', invoice_line_id, 'amount', back))
    FROM credits.invoice_lines l WHERE l.customer_id = customer AND l.line_no = line
$$;

CREATE FUNCTION refused(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; more text;
BEGIN
    EXECUTE 'SELECT ' || call;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ': ' || regexp_replace(said, '[0-9a-f-]{36}', '…', 'g')
        || coalesce(' (' || (more::jsonb->>'state') || ')', '');
END $$;
-- A thing for 35.70 and a pack of 100 credits for 11.90: half of the pack goes back, then a part of all.
SELECT sell('ann', :'price_id') AS ann \gset
SELECT refund_id AS half, status, amount, reason, takes_credits, replayed
FROM credits.refund_create('ann', :'ann', lines => part('ann', 2, 5.95), description => 'Half a pack',
    idempotency_key => 'half') \gset
\echo :status :amount :reason :takes_credits :replayed
SELECT status, amount, replayed FROM credits.refund_create('ann', :'ann', lines => part('ann', 2, 5.95),
    idempotency_key => 'half');
SELECT refused(format('credits.refund_create(%L, %L, lines => part(%L, 2, 5), idempotency_key => %L)',
    'ann', :'ann', 'ann', 'half'));
SELECT available FROM credits.wallet_balance('ann');
SELECT type, payload - '{refund_id,payment_intent_id,invoice_id,grant_id}'::text[] AS payload
FROM credits.outbox_claim('worker', 100) WHERE type = 'refund.requested';
-- The tax of what is left goes back first: 6.65 takes nothing, and half of what is left takes half of what is left.
SELECT status FROM credits.refund_create('ann', :'ann', 6.65);
SELECT available FROM credits.wallet_balance('ann');
SELECT refund_id AS more, amount FROM credits.refund_create('ann', :'ann', 17.5) \gset
SELECT available FROM credits.wallet_balance('ann');
SELECT amount_refunded, amount_received, status FROM credits.payment_intents WHERE customer_id = 'ann';
SELECT status, amount_paid, amount_refunded FROM credits.invoices WHERE customer_id = 'ann';

-- A worker begins with it; the provider answers by the metadata, or its own reference. It counts once.
SELECT go, status, amount, minor_units, payment_reference, attempt_key AS key FROM credits.refund_begin('ann',
    :'half') \gset
\echo :go :status :amount :minor_units :payment_reference
SELECT go, attempt_key = :'key' AS same_key FROM credits.refund_begin('ann', :'half');
SELECT refused(format('credits.refund_cancel(%L, %L)', 'ann', :'half'));
SELECT refunded, taken, replayed FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_1', 5.95,
    refund_id => :'half');
SELECT refunded, taken, replayed FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_1', 5.95);
SELECT status, provider_reference FROM credits.refunds WHERE refund_id = :'half';
SELECT go, status FROM credits.refund_begin('ann', :'half');
-- Another amount than was asked for is a contradiction.
SELECT taken, contradiction FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_2', 18, refund_id => :'more');
-- It fails: exactly what it took comes back.
SELECT taken, available FROM credits.payment_refund_failed('ann', :'ann', 'stripe', 're_3', refund_id => :'more');
SELECT taken, replayed FROM credits.payment_refund_failed('ann', :'ann', 'stripe', 're_3', refund_id => :'more');
SELECT go, status FROM credits.refund_begin('ann', :'more');
-- One that succeeded may fail after all; its line can go back again.
SELECT taken, available FROM credits.payment_refund_failed('ann', :'ann', 'stripe', 're_1');
SELECT status FROM credits.refunds WHERE refund_id = :'half';
SELECT status, amount FROM credits.refund_create('ann', :'ann', lines => part('ann', 2, 11.90));
SELECT available FROM credits.wallet_balance('ann');

-- That one was made which failed is reported late, and changes nothing; another in its place is paid back all the same.
SELECT sell('gus', :'price_id') AS gus \gset
SELECT refund_id FROM credits.refund_create('gus', :'gus', 47.60) \gset
SELECT taken FROM credits.payment_refund_failed('gus', :'gus', 'stripe', 're_g', refund_id => :'refund_id');
SELECT taken, contradiction, replayed FROM credits.payment_refunded('gus', :'gus', 'stripe', 're_g', 47.60,
    refund_id => :'refund_id');
SELECT taken, contradiction, replayed FROM credits.payment_refunded('gus', :'gus', 'stripe', 're_g', 47.60,
    refund_id => :'refund_id');
SELECT taken, refunded FROM credits.payment_refunded('gus', :'gus', 'stripe', 're_g2', 47.60,
    refund_id => :'refund_id');
SELECT taken, replayed FROM credits.payment_refunded('gus', :'gus', 'stripe', 're_g2', 47.60,
    refund_id => :'refund_id');
SELECT taken, refunded FROM credits.payment_refund_failed('gus', :'gus', 'stripe', 're_g2', refund_id => :'refund_id');
SELECT status, provider_reference FROM credits.refunds WHERE customer_id = 'gus';
SELECT available FROM credits.wallet_balance('gus');

-- Taken back before anybody began. Spent credits are owed, or forgiven.
SELECT sell('bob', :'price_id') AS bob \gset
SELECT FROM credits.wallet_debit('bob', 80);
SELECT refund_id FROM credits.refund_create('bob', :'bob', lines => part('bob', 2, 11.90)) \gset
SELECT available, pending FROM credits.wallet_balance('bob');
SELECT status FROM credits.refund_cancel('bob', :'refund_id');
SELECT status, replayed FROM credits.refund_cancel('bob', :'refund_id');
SELECT available, pending FROM credits.wallet_balance('bob');
SELECT FROM credits.payment_intent_refund('bob', :'bob', reason => 'fraudulent');
SELECT available, pending FROM credits.wallet_balance('bob');
SELECT amount, reason, status FROM credits.refunds WHERE customer_id = 'bob' ORDER BY refund_id;
-- A provider that reports what is paid back in all counts what was asked for.
SELECT refunded, taken FROM credits.payment_refunded('bob', :'bob', 'stripe', total_refunded => 47.60,
    payment_reference => 'pi_bob');
-- And one refund of that amount and payment is the one that was asked for.
SELECT refunded, taken, contradiction FROM credits.payment_refunded('bob', :'bob', 'stripe', 're_9', 47.60,
    payment_reference => 'pi_bob');
SELECT status, provider_reference FROM credits.refunds WHERE customer_id = 'bob' ORDER BY refund_id;

-- A failure that names neither is of the one that is asked for of that payment and amount.
SELECT FROM credits.payment_provider_set('paystack', 'a secret of sixteen and more');
CREATE EXTENSION pgcrypto;
SELECT top_up_id AS kim FROM credits.top_up_create('kim', :'price_id') \gset
SELECT status FROM credits.payment_succeeded('kim', :'kim', 'paystack', 'T-1', 10);
SELECT status FROM credits.refund_create('kim', :'kim', 4);
SELECT outcome FROM (SELECT '{"event": "refund.failed", "data": {"transaction_reference": "T-1",
    "refund_reference": "R-1",
    "amount": "400", "currency": "USD"}}'::text AS body) b,
    credits.webhook_receive('paystack', b.body,
        encode(hmac(b.body, 'a secret of sixteen and more', 'sha512'), 'hex'));
SELECT status, provider_reference FROM credits.refunds WHERE customer_id = 'kim';
SELECT available FROM credits.wallet_balance('kim');

-- Money that paid for nothing goes back without credits: a second payment, and what was overpaid, where it is
-- known that it was no tax.
SELECT sell('cyd', :'price_id') AS cyd \gset
SELECT contradiction FROM credits.payment_succeeded('cyd', :'cyd', 'stripe', 'pi_again', 47.60);
SELECT top_up_id AS dan FROM credits.top_up_create('dan', :'price_id') \gset
SELECT status, contradiction FROM credits.payment_succeeded('dan', :'dan', 'stripe', 'pi_dan', 12, tax => 0.5);
SELECT top_up_id AS eva FROM credits.top_up_create('eva', :'price_id') \gset
SELECT status, contradiction FROM credits.payment_succeeded('eva', :'eva', 'stripe', 'pi_eva', 4);
SELECT status, contradiction FROM credits.payment_succeeded('eva', :'eva', 'stripe', 'pi_eva_2', 10);
SELECT customer_id, amount, reason, payment_reference, takes_credits, status FROM credits.refunds
WHERE NOT takes_credits ORDER BY customer_id;
SELECT taken, available FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_c', 47.60,
    payment_reference => 'pi_again');
SELECT taken, available FROM credits.payment_refunded('dan', :'dan', 'stripe', 're_d', 2,
    payment_reference => 'pi_dan');
SELECT customer_id, status, provider_reference FROM credits.refunds WHERE NOT takes_credits ORDER BY customer_id;
-- It was paid back and then was not, after all: then it was not paid back.
SELECT refunded FROM credits.payment_refund_failed('cyd', :'cyd', 'stripe', 're_c');
SELECT customer_id, status FROM credits.refunds WHERE customer_id = 'cyd';
-- What is asked back already cannot be asked for again.
SELECT FROM credits.refund_create('eva', :'eva', 10.01);
SELECT amount FROM credits.refund_create('eva', :'eva');

-- A line below zero lowers what the others cost: all of it is paid, and half of that takes half.
SELECT payment_intent_id AS gil FROM credits.invoice_create('gil', jsonb_build_array(
    jsonb_build_object('amount', -4, 'description', 'From before'), jsonb_build_object('price_id', :'price_id')),
    auto_finalize => true) \gset
SELECT status, available FROM credits.payment_succeeded('gil', :'gil', 'stripe', 'pi_gil');
SELECT amount FROM credits.refund_create('gil', :'gil', 3);
SELECT available FROM credits.wallet_balance('gil');
SELECT amount FROM credits.refund_create('gil', :'gil');
SELECT available FROM credits.wallet_balance('gil');

-- Wrong arguments.
SELECT FROM credits.refund_create('ann', NULL);
SELECT FROM credits.refund_create('nobody', '00000000-0000-0000-0000-000000000001');
SELECT FROM credits.refund_create('ann', :'ann', 0);
SELECT FROM credits.refund_create('ann', :'ann', 1.001);
SELECT FROM credits.refund_create('ann', :'ann', 1000);
SELECT FROM credits.refund_create('ann', :'ann', 3, part('ann', 1, 2));
SELECT FROM credits.refund_create('ann', :'ann', lines => part('ann', 2, 0.01));
SELECT refused(format('credits.refund_create(%L, %L, lines => part(%L, 1, 1))', 'ann', :'ann', 'bob'));
SELECT FROM credits.refund_create('ann', :'ann', lines => '[]');
SELECT FROM credits.refund_create('ann', :'ann', lines => '[{"invoice_line_id": 7, "amount": 1}]');
SELECT FROM credits.refund_create('ann', :'ann', spent => 'keep');
SELECT FROM credits.refund_begin('ann', '00000000-0000-0000-0000-000000000001');
SELECT FROM credits.refund_cancel('ann', '00000000-0000-0000-0000-000000000001');
SELECT FROM credits.refund_begin('ann', NULL);
SELECT payment_intent_id FROM credits.invoice_create('fay', '[{"amount": 5}]', 'USD', auto_finalize => true) \gset
SELECT FROM credits.refund_create('fay', :'payment_intent_id');
SELECT * FROM credits.verify();

-- A second payment after a refund pays for what the first no longer does, and is not asked back. One that is asked for
-- after a total is beyond it.
SELECT top_up_id AS ida FROM credits.top_up_create('ida', :'price_id') \gset
SELECT status FROM credits.payment_succeeded('ida', :'ida', 'stripe', 'pi_ida', 10);
SELECT status FROM credits.refund_create('ida', :'ida', 10);
SELECT available FROM credits.wallet_balance('ida');
SELECT contradiction FROM credits.payment_succeeded('ida', :'ida', 'stripe', 'pi_ida_2', 10);
SELECT count(*) AS asked_back FROM credits.refunds WHERE customer_id = 'ida' AND NOT takes_credits;
SELECT available FROM credits.wallet_balance('ida');
SELECT top_up_id AS jon FROM credits.top_up_create('jon', :'price_id') \gset
SELECT status FROM credits.payment_succeeded('jon', :'jon', 'stripe', 'pi_jon', 10);
SELECT refunded FROM credits.payment_refunded('jon', :'jon', 'stripe', total_refunded => 6,
    payment_reference => 'pi_jon');
SELECT status FROM credits.refund_create('jon', :'jon', 4);
SELECT available FROM credits.wallet_balance('jon');
SELECT FROM credits.refund_create('jon', :'jon', 0.01);
SELECT * FROM credits.verify();
