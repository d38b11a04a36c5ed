-- Refunds that are told again, better, and payments whose parts are told after a refund.
SET credits.test_clock = '2026-03-01 12:00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
CREATE FUNCTION paid(customer text, reference text) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.payment_succeeded(
        customer, (SELECT top_up_id FROM credits.top_up_create(customer, (SELECT price_id FROM credits_internal.prices))), 'stripe', reference, 10)
$$;

-- What was forgiven stays forgiven when a part of it is taken again, and what is owed stays owed.
SELECT paid('ann', 'pi_ann') AS ann, paid('bob', 'pi_bob') AS bob \gset
SELECT FROM credits.wallet_debit('ann', 100);
SELECT FROM credits.wallet_debit('bob', 100);
SELECT taken, pending FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_ann', 5, spent => 'forgive');
SELECT taken, pending FROM credits.payment_refunded('bob', :'bob', 'stripe', 're_bob', 5, spent => 'pending');
SELECT contradiction FROM credits.payment_succeeded('ann', :'ann', 'stripe', 'pi_ann', 10, tax => 1.6);
SET credits.spent_on_refund = 'forgive';
SELECT contradiction FROM credits.payment_succeeded('bob', :'bob', 'stripe', 'pi_bob', 10, tax => 1.6);
RESET credits.spent_on_refund;
SELECT customer_id, pending FROM credits.wallets WHERE customer_id IN ('ann', 'bob') ORDER BY 1;
SELECT customer_id, reclaimed FROM credits.top_ups WHERE customer_id IN ('ann', 'bob') ORDER BY 1;
SELECT * FROM credits.verify();

-- A refund, or a dispute, of a payment that nobody knows is put right; of one that is known it is a contradiction.
SELECT paid('cyd', 'pi_cyd') AS cyd, paid('dan', 'pi_dan') AS dan \gset
SELECT taken, contradiction FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd', 5, payment_reference => 'pi_cdy');
SELECT taken, contradiction, replayed
FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd', 5, payment_reference => 'pi_cyd');
SELECT taken, contradiction, replayed
FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd', 5, payment_reference => 'pi_cyd');
SELECT taken, contradiction, replayed
FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd', 5, payment_reference => 'pi_cdy');
SELECT refunded, taken, contradiction, replayed
FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd', 5, payment_reference => 'pi_ycd');
SELECT refunded, taken, contradiction, replayed
FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd', 5, payment_reference => 'pi_ycd');
SELECT taken, contradiction FROM credits.payment_disputed('dan', :'dan', 'stripe', 'dp_dan', 4, payment_reference => 'pi_dna');
SELECT taken, contradiction, replayed
FROM credits.payment_disputed('dan', :'dan', 'stripe', 'dp_dan', 4, payment_reference => 'pi_dan');
SELECT taken, contradiction FROM credits.payment_dispute_closed('dan', :'dan', 'stripe', 'dp_dan', true);
SELECT customer_id, type, payment_reference, amount, counts, contradiction FROM credits.payment_log
WHERE customer_id IN ('cyd', 'dan') ORDER BY payment_id;
SELECT customer_id, provider_reference, refunded_amount, disputed_amount FROM credits.top_up_payments
WHERE customer_id IN ('cyd', 'dan') ORDER BY 1;
SELECT * FROM credits.verify();

-- A total may be told after a refund failed that it counts: what was told one by one explains it. More than that is news.
SELECT paid('eve', 'pi_eve') AS eve, paid('fay', 'pi_fay') AS fay, paid('gil', 'pi_gil') AS gil, paid('hal', 'pi_hal') AS hal \gset
SELECT refunded, taken FROM credits.payment_refunded('eve', :'eve', 'stripe', 're_eve', 5);
SELECT refunded, taken FROM credits.payment_refund_failed('eve', :'eve', 'stripe', 're_eve');
SELECT refunded, taken, available
FROM credits.payment_refunded('eve', :'eve', 'stripe', total_refunded => 5, payment_reference => 'pi_eve');
SELECT refunded, taken, available
FROM credits.payment_refunded('eve', :'eve', 'stripe', total_refunded => 7, payment_reference => 'pi_eve');
-- Tried again after it failed: by name, and as the whole payment.
SELECT refunded, taken FROM credits.payment_refunded('fay', :'fay', 'stripe', 're_fay_1');
SELECT refunded, taken FROM credits.payment_refund_failed('fay', :'fay', 'stripe', 're_fay_1');
SELECT refunded, taken FROM credits.payment_refunded('fay', :'fay', 'stripe', 're_fay_2');
SELECT refunded, taken FROM credits.payment_refunded('gil', :'gil', 'stripe', 're_gil', 10);
SELECT refunded, taken FROM credits.payment_refund_failed('gil', :'gil', 'stripe', 're_gil');
SELECT refunded, taken FROM credits.payment_refunded('gil', :'gil', 'stripe');
SELECT refunded, taken, replayed FROM credits.payment_refunded('gil', :'gil', 'stripe');
-- The same of a payment without a name.
SELECT top_up_id AS ivy FROM credits.payment_succeeded('ivy', (SELECT top_up_id
FROM credits.top_up_create('ivy', :'pack'))) \gset
SELECT refunded, taken FROM credits.payment_refunded('ivy', :'ivy', 'manual', 'r_ivy');
SELECT refunded, taken FROM credits.payment_refund_failed('ivy', :'ivy', 'manual', 'r_ivy');
SELECT refunded, taken FROM credits.payment_refunded('ivy', :'ivy');
SELECT refunded, taken, replayed FROM credits.payment_refunded('ivy', :'ivy');
-- What names no payment is of the latest with money left, and moves as payments are told: the order does not matter.
SELECT refunded, taken FROM credits.payment_refunded('hal', :'hal', 'stripe', 're_hal', 4);
SELECT refunded_amount, provider_reference FROM credits.top_up_payments WHERE customer_id = 'hal' ORDER BY 2;
SELECT contradiction FROM credits.payment_succeeded('hal', :'hal', 'stripe', 'pi_hal_2', 10);
SELECT refunded_amount, provider_reference FROM credits.top_up_payments WHERE customer_id = 'hal' ORDER BY 2;
SELECT customer_id, refunded_amount, reclaimed FROM credits.top_ups
WHERE customer_id IN ('eve', 'fay', 'gil', 'hal', 'ivy') ORDER BY 1;
SELECT * FROM credits.verify();
