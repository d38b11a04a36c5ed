-- Payment intents: an invoice's payment by a worker that charges, a card that is declined, 3-D Secure, what is paid
-- otherwise
-- meanwhile, and what comes too late.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', 'whsec of sixteen and more', checkout_url_template =>
    'https://pay.example/{invoice_id}?amount={minor_units}&credits={credits}');
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT FROM credits.outbox_consumer_create('worker');
CREATE FUNCTION asked() RETURNS TABLE (type text, payload jsonb) LANGUAGE sql AS $$
    WITH claimed AS (SELECT * FROM credits.outbox_claim('worker', 100)),
    acked AS (SELECT credits.outbox_ack('worker', coalesce(array_agg(c.outbox_id), '{}')) FROM claimed c)
    SELECT c.type, c.payload - '{payment_intent_id,invoice_id,refund_id,payment_method_id,grant_id,top_up_id}'::text[]
    FROM claimed c, acked ORDER BY c.outbox_id
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

-- Without a payment method nothing is asked for: the customer pays where the invoice says.
SELECT invoice_id, payment_intent_id AS ann, status, amount_remaining, collection_method,
       replace(hosted_invoice_url, invoice_id::text, '…') AS hosted_invoice_url
FROM credits.invoice_create('ann', format('[{"amount": 30, "description": "Setup"}, {"price_id": "%s"}]',
    :'price_id')::jsonb,
                            auto_finalize => true, tax_rate => 19) \gset
\echo :status :amount_remaining :collection_method :hosted_invoice_url
SELECT status, amount, attempts, requested_at, provider FROM credits.payment_intents WHERE customer_id = 'ann';
SELECT * FROM asked();
SELECT go, status FROM credits.payment_intent_begin('ann', :'ann');
SELECT replayed FROM credits.invoice_pay('ann', :'invoice_id', 'provider');

-- With one, a worker is asked: for what remains.
SELECT FROM credits.payment_method_attach('ann', 'stripe', 'cus_1', 'pm_1');
SELECT amount_remaining FROM credits.invoice_pay('ann', :'invoice_id', 'outside', 7.60, 'a transfer');
SELECT replayed FROM credits.invoice_pay('ann', :'invoice_id', 'provider');
SELECT replayed FROM credits.invoice_pay('ann', :'invoice_id', 'provider');
SELECT * FROM asked();
SELECT go, status, attempt, amount, minor_units, currency, provider, provider_customer, payment_method,
    attempt_key AS first
FROM credits.payment_intent_begin('ann', :'ann') \gset
\echo :go :status :attempt :amount :minor_units :currency :provider :provider_customer :payment_method
SELECT go, attempt, attempt_key = :'first' AS same_key FROM credits.payment_intent_begin('ann', :'ann');

-- While money is on its way nothing else pays it, and it is not voided.
SELECT refused(format('credits.invoice_pay(''ann'', %L, ''outside'', 1, ''cash'')', :'invoice_id'));
SELECT refused(format('credits.invoice_void(''ann'', %L)', :'invoice_id'));
-- Declined: nothing is asked for until somebody says so; then with another key.
SELECT status FROM credits.payment_failed('ann', :'ann', 'stripe', 'pi_1', 'Your card was declined.');
SELECT status, last_payment_error, attempts, requested_at FROM credits.payment_intents WHERE customer_id = 'ann';
SELECT go, status FROM credits.payment_intent_begin('ann', :'ann');
SELECT replayed FROM credits.invoice_pay('ann', :'invoice_id', 'provider');
SELECT go, attempt, attempt_key = :'first' AS same_key FROM credits.payment_intent_begin('ann', :'ann');
-- The bank wants the customer to confirm it.
SELECT status FROM credits.payment_requires_action('ann', :'ann', 'https://bank.example/confirm', 'stripe', 'pi_2');
SELECT status, replayed FROM credits.payment_requires_action('ann', :'ann', 'https://bank.example/confirm', 'stripe',
    'pi_2');
SELECT status, action_url, last_payment_error FROM credits.payment_intents WHERE customer_id = 'ann';
SELECT go, status FROM credits.payment_intent_begin('ann', :'ann');
SELECT * FROM asked();
SELECT status, grant_id IS NOT NULL AS granted, credits, available
FROM credits.payment_succeeded('ann', :'ann', 'stripe', 'pi_2', 40);
SELECT status, replayed FROM credits.payment_processing('ann', :'ann', 'stripe', 'pi_2');
SELECT status, amount_paid, amount_remaining FROM credits.invoices WHERE customer_id = 'ann';
SELECT paid_from, amount, payment_intent_id = :'ann' AS by_it FROM credits.invoice_payments WHERE customer_id = 'ann';
SELECT amount, cost_amount, cost_currency FROM credits.grants WHERE customer_id = 'ann';
SELECT * FROM asked();

-- Voided, and paid after all: the money is asked back.
SELECT invoice_id, payment_intent_id AS bob FROM credits.invoice_create('bob', '[{"amount": 5}]', 'USD',
    auto_finalize => true) \gset
SELECT status FROM credits.invoice_void('bob', :'invoice_id');
SELECT status FROM credits.payment_intents WHERE customer_id = 'bob';
SELECT status, contradiction FROM credits.payment_succeeded('bob', :'bob', 'stripe', 'pi_3', 5);
SELECT status, contradiction, replayed FROM credits.payment_succeeded('bob', :'bob', 'stripe', 'pi_3', 5);
SELECT status, amount, reason, takes_credits, payment_reference FROM credits.refunds WHERE customer_id = 'bob';
SELECT status, amount_paid FROM credits.invoices WHERE customer_id = 'bob';
SELECT * FROM asked();
SELECT status, refunded FROM credits.payment_refunded('bob', :'bob', 'stripe', 're_3', 5,
    payment_reference => 'pi_3');
SELECT status, provider_reference FROM credits.refunds WHERE customer_id = 'bob';

-- Whatever is said of such a payment later, and however little came of each: it is asked back once.
SELECT invoice_id, payment_intent_id AS gil FROM credits.invoice_create('gil', '[{"amount": 10}]', 'USD',
    auto_finalize => true) \gset
SELECT status FROM credits.invoice_void('gil', :'invoice_id');
SELECT contradiction FROM credits.payment_succeeded('gil', :'gil', 'stripe', 'pi_g', 11.90);
SELECT contradiction, replayed FROM credits.payment_succeeded('gil', :'gil', 'stripe', 'pi_g', 11.90, tax => 1.90);
SELECT contradiction FROM credits.payment_succeeded('gil', :'gil', 'stripe', 'pi_g2', 4);
SELECT amount, reason, payment_reference FROM credits.refunds WHERE customer_id = 'gil' ORDER BY refund_id;
SELECT invoice_id, payment_intent_id AS hal FROM credits.invoice_create('hal', '[{"amount": 10}]', 'USD',
    auto_finalize => true) \gset
SELECT status FROM credits.invoice_void('hal', :'invoice_id');
SELECT contradiction FROM credits.payment_succeeded('hal', :'hal', 'stripe', 'pi_h', 4);
SELECT contradiction, replayed FROM credits.payment_succeeded('hal', :'hal', 'stripe', 'pi_h', 4);
SELECT contradiction FROM credits.payment_succeeded('hal', :'hal', 'stripe', 'pi_h2', 6);
SELECT amount, reason, payment_reference FROM credits.refunds WHERE customer_id = 'hal' ORDER BY refund_id;

-- A second payment that is asked back is not asked back for what the first was too much.
SELECT top_up_id AS ida FROM credits.top_up_create('ida', :'price_id') \gset
SELECT contradiction FROM credits.payment_succeeded('ida', :'ida', 'stripe', 'pi_i', 12);
SELECT contradiction FROM credits.payment_succeeded('ida', :'ida', 'stripe', 'pi_i2', 12);
SELECT contradiction FROM credits.payment_succeeded('ida', :'ida', 'stripe', 'pi_i2', 12, tax => 1);
SELECT amount, reason, payment_reference FROM credits.refunds WHERE customer_id = 'ida' ORDER BY refund_id;

-- Paid after the last one was somebody else's: it is asked back, and stays open.
SELECT price_id AS ticket FROM credits.price_create((credits.product_create('Ticket', 'good')).product_id,
    unit_amount => 10, currency => 'USD', quantity_available => 1,
    credit_config => '{"currency": "CREDIT", "amount": 1}') \gset
SELECT top_up_id AS jan FROM credits.top_up_create('jan', :'ticket') \gset
SELECT status FROM credits.payment_failed('jan', :'jan', 'stripe', 'pi_j');
SELECT status FROM credits.top_up_create('kim', :'ticket');
SELECT status, contradiction FROM credits.payment_succeeded('jan', :'jan', 'stripe', 'pi_j', 10);
SELECT amount, reason, payment_reference FROM credits.refunds WHERE customer_id = 'jan';
SELECT problem, customer_id FROM credits.verify();

-- Paid otherwise, in whole: its intent is canceled. Paid in part by a provider: nothing else pays it, and voiding
-- asks that back.
SELECT invoice_id, payment_intent_id AS cyd FROM credits.invoice_create('cyd', '[{"amount": 5}]', 'USD',
    auto_finalize => true) \gset
SELECT status FROM credits.invoice_pay('cyd', :'invoice_id', 'outside', reference => 'cash');
SELECT status FROM credits.payment_intents WHERE customer_id = 'cyd';
SELECT status, contradiction FROM credits.payment_succeeded('cyd', :'cyd', 'stripe', 'pi_4');
SELECT invoice_id, payment_intent_id AS cyd FROM credits.invoice_create('cyd', '[{"amount": 5}]', 'USD',
    auto_finalize => true) \gset
SELECT status, contradiction FROM credits.payment_succeeded('cyd', :'cyd', 'stripe', 'pi_5', 2);
SELECT refused(format('credits.invoice_pay(''cyd'', %L, ''outside'', 1, ''cash'')', :'invoice_id'));
SELECT status FROM credits.invoice_void('cyd', :'invoice_id');
SELECT amount, reason, payment_reference FROM credits.refunds WHERE customer_id = 'cyd' ORDER BY refund_id;

-- What is due in credits has no intent; nor has what is for nothing.
SELECT FROM credits.credit_grant('dan', 5);
SELECT payment_intent_id, status FROM credits.invoice_create('dan', '[{"amount": 5}]', 'CREDIT',
    auto_finalize => true);
SELECT payment_intent_id, status FROM credits.invoice_create('dan', '[{"amount": 5}, {"amount": -5}]', 'USD',
    auto_finalize => true);
-- A worker is not asked where that is said, nor where the method has expired.
SELECT FROM credits.customer_upsert('eva');
SELECT FROM credits.payment_method_attach('eva', 'stripe', 'cus_2', 'pm_2', '2026-03-31');
SELECT payment_intent_id AS eva FROM credits.invoice_create('eva', '[{"amount": 5}]', 'USD', auto_finalize => true,
    collection_method => 'send_invoice') \gset
SELECT type FROM asked();
SELECT payment_intent_id AS eva FROM credits.invoice_create('eva', '[{"amount": 6}]', 'USD',
    auto_finalize => true) \gset
SELECT type FROM asked();
SET credits.test_clock = '2026-04-01 12:00';
SELECT go, payment_method FROM credits.payment_intent_begin('eva', :'eva');

-- A top-up's draft is its own.
SELECT top_up_id AS fay FROM credits.top_up_create('fay', :'price_id', metadata => '{"n": 1}') \gset
SELECT invoice_id, status, billing_reason, total, number FROM credits.invoices WHERE customer_id = 'fay' \gset
SELECT refused(format('credits.invoice_finalize(''fay'', %L)', :'invoice_id'));
SELECT refused(format('credits.invoice_update(''fay'', %L, ''mine'')', :'invoice_id'));
SELECT refused(format('credits.invoice_delete(''fay'', %L)', :'invoice_id'));
SELECT refused(format('credits.invoice_pay(''fay'', %L, ''outside'', reference => ''x'')', :'invoice_id'));
SELECT metadata, replayed FROM credits.payment_intent_update('fay', :'fay', '{"n": 2}');
SELECT metadata, replayed FROM credits.payment_intent_update('fay', :'fay', '{"n": 2}');
SELECT status, payment_status FROM credits.top_ups WHERE customer_id = 'fay';
SELECT status FROM credits.payment_processing('fay', :'fay', 'stripe', 'pi_6');
SELECT status, payment_status FROM credits.top_ups WHERE customer_id = 'fay';
SELECT status FROM credits.payment_failed('fay', :'fay', 'stripe', 'pi_6');
-- That it was under way before it failed may be reported late.
SELECT status, replayed FROM credits.payment_processing('fay', :'fay', 'stripe', 'pi_6');
SELECT status FROM credits.payment_succeeded('fay', :'fay', 'stripe', 'pi_6', 11.90, tax => 1.90);
SELECT status, number IS NOT NULL AS numbered, subtotal, tax, total, amount_paid FROM credits.invoices
    WHERE customer_id = 'fay';
-- Wrong arguments.
SELECT FROM credits.payment_intent_begin(NULL, NULL);
SELECT FROM credits.payment_intent_begin('ann', NULL);
SELECT FROM credits.payment_intent_begin('nobody', '00000000-0000-0000-0000-000000000001');
SELECT FROM credits.payment_intent_update('fay', :'fay');
SELECT FROM credits.payment_requires_action('fay', :'fay', 'javascript:alert(1)');
SELECT FROM credits.invoice_pay('ann', '00000000-0000-0000-0000-000000000001', 'provider', 1);
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', collection_method => 'by pigeon');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', billing_reason => 'recharge');
SELECT * FROM credits.verify();
