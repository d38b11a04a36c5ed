-- Payments are things of their own: each has what was paid, refunded and disputed of it, and pays one top-up. Credits go back
-- where less remains paid, in all payments of a top-up, than was due without tax and shipping.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT FROM credits.currency_create('EUR', decimals => 2, kind => 'fiat');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT price_id AS big FROM credits.package_create('Big', 500, 25, 'USD') \gset
CREATE FUNCTION begun(customer text, price uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT top_up_id FROM credits.top_up_create(customer, price)
$$;
CREATE FUNCTION stands(customer text) RETURNS TABLE (status text, paid numeric, refunded numeric, disputed numeric, due numeric, reclaimed numeric, problems bigint)
LANGUAGE sql AS $$
    SELECT p.status, p.paid_amount, p.refunded_amount, p.disputed_amount, p.due_amount, p.reclaimed, (SELECT count(*) FROM credits.verify())
    FROM credits.top_ups p WHERE p.customer_id = customer
$$;
CREATE FUNCTION payments(customer text) RETURNS TABLE (provider text, provider_reference text, paid numeric, tax numeric, discount numeric, refunded numeric, disputed numeric, remaining numeric)
LANGUAGE sql AS $$
    SELECT provider, provider_reference, paid_amount, tax, discount, refunded_amount, disputed_amount, remaining_amount
    FROM credits.top_up_payments WHERE customer_id = customer ORDER BY payment_no
$$;

-- The second payment for what is paid is given back: 10 are still paid, and no credits go.
SELECT begun('ann', :'pack') AS ann \gset
SELECT available, contradiction FROM credits.payment_succeeded('ann', :'ann', 'stripe', 'pi_ann_1', 10);
SELECT available, contradiction FROM credits.payment_succeeded('ann', :'ann', 'stripe', 'pi_ann_2', 10);
SELECT taken, available, contradiction
FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_ann_2', 10, payment_reference => 'pi_ann_2');
SELECT * FROM payments('ann');
-- More of it than was paid takes none of the other's either, and a person should look at it.
SELECT taken, contradiction FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_ann_3', 1, payment_reference => 'pi_ann_2');
-- Then the first as well.
SELECT status, taken, available FROM credits.payment_refunded('ann', :'ann', 'stripe', 're_ann_1', 10, payment_reference => 'pi_ann_1');
SELECT * FROM stands('ann');
-- The first while the second stays takes none; a dispute of the second takes all, until it is won.
SELECT begun('bob', :'pack') AS bob \gset
SELECT FROM credits.payment_succeeded('bob', :'bob', 'stripe', 'pi_bob_1', 10);
SELECT FROM credits.payment_succeeded('bob', :'bob', 'stripe', 'pi_bob_2', 10);
SELECT status, taken FROM credits.payment_refunded('bob', :'bob', 'stripe', 're_bob_1', 10, payment_reference => 'pi_bob_1');
SELECT taken FROM credits.payment_disputed('bob', :'bob', 'stripe', 'dp_bob_1', payment_reference => 'pi_bob_2');
SELECT * FROM payments('bob');
SELECT taken FROM credits.payment_dispute_closed('bob', :'bob', 'stripe', won => true, payment_reference => 'pi_bob_2');
SELECT * FROM stands('bob');
-- Without a name it is of the latest payment with money left: first of the second, then of the first.
SELECT begun('cyd', :'pack') AS cyd \gset
SELECT FROM credits.payment_succeeded('cyd', :'cyd', 'stripe', 'pi_cyd_1', 10);
SELECT FROM credits.payment_succeeded('cyd', :'cyd', 'stripe', 'pi_cyd_2', 10);
SELECT taken FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd_1');
SELECT * FROM payments('cyd');
SELECT taken FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd_2', 4);
SELECT taken, contradiction FROM credits.payment_refunded('cyd', :'cyd', 'stripe', 're_cyd_3', 7);
SELECT * FROM payments('cyd');
-- A first payment that was too small, and is given back.
SELECT begun('dan', :'pack') AS dan \gset
SELECT status, contradiction FROM credits.payment_succeeded('dan', :'dan', 'shop', 'p_dan_1', 9);
SELECT status, available, contradiction FROM credits.payment_succeeded('dan', :'dan', 'shop', 'p_dan_2', 10);
SELECT taken, available FROM credits.payment_refunded('dan', :'dan', 'shop', 'r_dan_1', 9, payment_reference => 'p_dan_1');
SELECT * FROM stands('dan');
-- Paid again after it was paid back: the credits come back.
SELECT begun('eve', :'pack') AS eve \gset
SELECT FROM credits.payment_succeeded('eve', :'eve', 'stripe', 'pi_eve_1', 10);
SELECT status, taken FROM credits.payment_refunded('eve', :'eve', 'stripe', 're_eve_1', 10, payment_reference => 'pi_eve_1');
SELECT status, available, contradiction FROM credits.payment_succeeded('eve', :'eve', 'stripe', 'pi_eve_2', 10);
-- A refund or a dispute of a payment that nobody has told yet.
SELECT begun('fay', :'pack') AS fay \gset
SELECT refunded, contradiction FROM credits.payment_refunded('fay', :'fay', 'stripe', 're_fay_1', 3, payment_reference => 'pi_fay_2');
SELECT contradiction FROM credits.payment_disputed('fay', :'fay', 'stripe', 'dp_fay_1', payment_reference => 'pi_fay_1');
SELECT available FROM credits.payment_succeeded('fay', :'fay', 'stripe', 'pi_fay_1', 10);
SELECT taken FROM credits.payment_dispute_closed('fay', :'fay', 'stripe', 'dp_fay_1', true);
SELECT available FROM credits.payment_succeeded('fay', :'fay', 'stripe', 'pi_fay_2', 10);
SELECT * FROM payments('fay');
SELECT * FROM stands('fay');

-- Too much was paid: no credits go until less than what was due remains.
SELECT begun('gil', :'big') AS gil \gset
SELECT available, contradiction FROM credits.payment_succeeded('gil', :'gil', 'stripe', 'pi_gil_1', 30);
SELECT taken FROM credits.payment_refunded('gil', :'gil', 'stripe', 're_gil_1', 5);
SELECT taken FROM credits.payment_refunded('gil', :'gil', 'stripe', 're_gil_2', 5);
SELECT * FROM stands('gil');
-- Payments that make up what is due grant when they do.
SELECT begun('hal', :'big') AS hal \gset
SELECT status, contradiction FROM credits.payment_succeeded('hal', :'hal', 'bank', 'a_hal', 10);
SELECT status, replayed FROM credits.payment_succeeded('hal', :'hal', 'bank', 'a_hal', 10);
SELECT status, available, contradiction FROM credits.payment_succeeded('hal', :'hal', 'bank', 'b_hal', 15);
SELECT amount, cost_basis FROM credits.grants WHERE customer_id = 'hal';
SELECT taken FROM credits.payment_refunded('hal', :'hal', 'bank', 'r_hal', 5);
-- Without a reference the same amount again is a replay, another one is not.
SELECT begun('ivy', :'big') AS ivy \gset
SELECT status, replayed FROM credits.payment_succeeded('ivy', :'ivy', amount => 10);
SELECT status, replayed FROM credits.payment_succeeded('ivy', :'ivy', amount => 10);
SELECT status, available, replayed FROM credits.payment_succeeded('ivy', :'ivy', amount => 15);
SELECT status, replayed FROM credits.payment_succeeded('ivy', :'ivy', amount => 15);
SELECT status, contradiction, replayed FROM credits.payment_succeeded('ivy', :'ivy', amount => 7);
SELECT * FROM stands('ivy');

-- One payment pays once: the first top-up that it is told of; the others grant nothing, whatever is repeated.
-- Whose top-up a contradiction names, in place of its id, which is another in each run.
CREATE FUNCTION plain(said text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT replace(said, p.top_up_id::text, p.customer_id || '''s') FROM credits.top_ups p
                     WHERE position(p.top_up_id::text IN said) > 0), said)
$$;
SELECT begun('jon', :'pack') AS one, begun('jon', :'pack') AS two \gset
SELECT begun('kim', :'pack') AS kim \gset
SELECT available, plain(contradiction) AS contradiction FROM credits.payment_succeeded('jon', :'one', 'stripe', 'pi_jon', 10);
SELECT status, available, plain(contradiction) AS contradiction, replayed FROM credits.payment_succeeded('jon', :'two', 'stripe', 'pi_jon', 10);
SELECT status, available, plain(contradiction) AS contradiction, replayed FROM credits.payment_succeeded('kim', :'kim', 'stripe', 'pi_jon', 10);
SELECT status, available, plain(contradiction) AS contradiction, replayed FROM credits.payment_succeeded('kim', :'kim', 'stripe', 'pi_jon', 10);
SELECT status, plain(contradiction) AS contradiction FROM credits.payment_failed('kim', :'kim', 'stripe', 'pi_jon');
-- Another provider's of the same name is another payment.
SELECT status, available, plain(contradiction) AS contradiction
FROM credits.payment_succeeded('kim', :'kim', 'bank', 'pi_jon', 10);
-- One refund takes once.
SELECT taken, plain(contradiction) AS contradiction FROM credits.payment_refunded('jon', :'one', 'stripe', 're_jon', 5);
SELECT taken, plain(contradiction) AS contradiction FROM credits.payment_refunded('kim', :'kim', 'stripe', 're_jon', 5);
SELECT taken, plain(contradiction) AS contradiction
FROM credits.payment_refunded('kim', :'kim', 'stripe', 're_kim', 5, payment_reference => 'pi_jon');
SELECT taken, plain(contradiction) AS contradiction
FROM credits.payment_refund_failed('kim', :'kim', 'stripe', 're_jon');
-- What was told of the wrong one can be told of the right one.
SELECT taken, plain(contradiction) AS contradiction
FROM credits.payment_refunded('jon', :'one', 'stripe', 're_kim', 5, payment_reference => 'pi_jon');
SELECT customer_id, type, provider_reference, amount, counts, plain(contradiction) AS contradiction
FROM credits.payment_log WHERE customer_id IN ('jon', 'kim') ORDER BY payment_id;

-- Refunds of several providers add up, whatever the order; of one, the same refund counts once, however it is told.
SELECT begun('lea', :'pack') AS lea, begun('max', :'pack') AS max \gset
SELECT FROM credits.payment_succeeded('lea', :'lea', 'stripe', 'pi_lea', 10);
SELECT refunded FROM credits.payment_refunded('lea', :'lea', 'stripe', total_refunded => 2, payment_reference => 'pi_lea');
SELECT refunded FROM credits.payment_refunded('lea', :'lea', 'cheque', 'c_lea', 3);
SELECT refunded FROM credits.payment_refunded('lea', :'lea', 'stripe', 're_lea', 2);
SELECT FROM credits.payment_succeeded('max', :'max', 'stripe', 'pi_max', 10);
SELECT refunded FROM credits.payment_refunded('max', :'max', 'cheque', 'c_max', 3, payment_reference => 'pi_max');
SELECT refunded FROM credits.payment_refunded('max', :'max', 'stripe', 're_max', 2);
SELECT refunded FROM credits.payment_refunded('max', :'max', 'stripe', total_refunded => 2, payment_reference => 'pi_max');
SELECT refunded FROM credits.payment_refund_failed('max', :'max', 'stripe', 're_max');
SELECT * FROM stands('lea');
SELECT * FROM stands('max');

-- Disputed and refunded, and the dispute is lost: more went back than was paid.
SELECT begun('ned', :'pack') AS ned \gset
SELECT FROM credits.payment_succeeded('ned', :'ned', 'stripe', 'pi_ned', 10);
SELECT taken, contradiction FROM credits.payment_disputed('ned', :'ned', 'stripe', 'dp_ned', 10);
SELECT taken, contradiction FROM credits.payment_refunded('ned', :'ned', 'stripe', 're_ned', 10);
SELECT taken, contradiction FROM credits.payment_dispute_closed('ned', :'ned', 'stripe', 'dp_ned', false);
SELECT type, payload - 'top_up_id' - 'grant_id' AS payload FROM credits.outbox_rows WHERE customer_id = 'ned'
ORDER BY outbox_no;
-- The same reference with another amount is recorded, once, and changes nothing.
SELECT begun('ola', :'pack') AS ola \gset
SELECT FROM credits.payment_succeeded('ola', :'ola', 'stripe', 'pi_ola', 10);
SELECT status, contradiction, replayed FROM credits.payment_succeeded('ola', :'ola', 'stripe', 'pi_ola', 12);
SELECT status, contradiction, replayed FROM credits.payment_succeeded('ola', :'ola', 'stripe', 'pi_ola', 12);
SELECT status, contradiction, replayed FROM credits.payment_succeeded('ola', :'ola', 'stripe', 'pi_ola');
SELECT refunded, taken, contradiction, replayed FROM credits.payment_refunded('ola', :'ola', 'stripe', 're_ola', 3);
SELECT refunded, taken, contradiction, replayed FROM credits.payment_refunded('ola', :'ola', 'stripe', 're_ola', 4);
SELECT refunded, taken, contradiction, replayed FROM credits.payment_refunded('ola', :'ola', 'stripe', 're_ola', 3);
SELECT taken, contradiction, replayed FROM credits.payment_disputed('ola', :'ola', 'stripe', 'dp_ola', 1);
SELECT taken, contradiction, replayed FROM credits.payment_disputed('ola', :'ola', 'stripe', 'dp_ola', 2);
SELECT * FROM stands('ola');

-- What comes too late to count is recorded once as well.
SELECT contradiction, replayed FROM credits.payment_refund_failed('ola', :'ola', 'stripe', 're_ola_2');
SELECT taken, contradiction, replayed FROM credits.payment_refunded('ola', :'ola', 'stripe', 're_ola_2', 1);
SELECT taken, contradiction, replayed FROM credits.payment_refunded('ola', :'ola', 'stripe', 're_ola_2', 1);
SELECT taken, contradiction, replayed FROM credits.payment_dispute_closed('ola', :'ola', 'stripe', 'dp_ola', true);
SELECT taken, contradiction, replayed FROM credits.payment_dispute_closed('ola', :'ola', 'stripe', 'dp_ola', false);
SELECT taken, contradiction, replayed FROM credits.payment_dispute_closed('ola', :'ola', 'stripe', 'dp_ola', false);

-- In another currency it is recorded with its amount, and grants or takes nothing.
SELECT begun('pia', :'pack') AS pia \gset
SELECT status, contradiction FROM credits.payment_succeeded('pia', :'pia', 'bank', 'p_pia', 9.123, currency => 'EUR');
SELECT status, replayed FROM credits.payment_succeeded('pia', :'pia', 'bank', 'p_pia', 9.123, currency => 'eur');
SELECT status, available, contradiction
FROM credits.payment_succeeded('pia', :'pia', 'bank', 'q_pia', 10, currency => 'usd');
SELECT taken, contradiction FROM credits.payment_refunded('pia', :'pia', 'bank', 'r_pia', 9.123, payment_reference => 'p_pia', currency => 'EUR');
SELECT taken, contradiction FROM credits.payment_disputed('pia', :'pia', 'bank', 'd_pia', currency => 'EUR');
SELECT type, provider_reference, amount, currency, counts FROM credits.payment_log WHERE customer_id = 'pia'
ORDER BY payment_id;

-- Tax and shipping are no price, and a discount of the provider's is none that is missing.
SELECT begun('pam', :'pack') AS pam \gset
SELECT available, contradiction FROM credits.payment_succeeded('pam', :'pam', 'bank', 'p_pam', 11.90, tax => 1.90);
SELECT amount, cost_basis FROM credits.grants WHERE customer_id = 'pam';
SELECT taken FROM credits.payment_refunded('pam', :'pam', 'bank', 'r_pam_1', 1.90);
SELECT taken FROM credits.payment_refunded('pam', :'pam', 'bank', 'r_pam_2', 4.05);
SELECT * FROM stands('pam');
SELECT begun('quy', :'pack') AS quy, begun('rex', :'pack') AS rex, begun('sue', :'pack') AS sue, begun('tom', :'pack') AS tom \gset
SELECT available, contradiction FROM credits.payment_succeeded('quy', :'quy', 'bank', 'p_quy', 8, discount => 2);
SELECT taken FROM credits.payment_refunded('quy', :'quy', 'bank', 'r_quy', 4);
SELECT available, contradiction FROM credits.payment_succeeded('rex', :'rex', 'bank', 'p_rex', 0, discount => 10);
SELECT available, contradiction FROM credits.payment_succeeded('sue', :'sue', 'bank', 'p_sue', tax => 1.90, shipping => 5);
-- Tax that is in the price; and a discount that is not enough.
SELECT available, contradiction FROM credits.payment_succeeded('tom', :'tom', 'bank', 'p_tom', 7, discount => 2, tax => 1);
SELECT available, contradiction FROM credits.payment_succeeded('tom', :'tom', 'bank', 'q_tom', 10, tax => 1.60);
SELECT customer_id, paid_amount, due_amount, reclaimed FROM credits.top_ups WHERE customer_id IN ('quy', 'rex', 'sue', 'tom') ORDER BY 1;
SELECT customer_id, cost_basis FROM credits.grants WHERE customer_id IN ('quy', 'rex', 'sue', 'tom') ORDER BY 1;
-- What it is made of is told after it.
SELECT begun('uma', :'pack') AS uma \gset
SELECT available, contradiction FROM credits.payment_succeeded('uma', :'uma', 'bank', 'p_uma', 11.90);
SELECT available, contradiction, replayed FROM credits.payment_succeeded('uma', :'uma', 'bank', 'p_uma', 11.90, tax => 1.90);
SELECT replayed FROM credits.payment_succeeded('uma', :'uma', 'bank', 'p_uma', 11.90, tax => 1.90);
SELECT replayed FROM credits.payment_succeeded('uma', :'uma', 'bank', 'p_uma', 11.90);
SELECT contradiction FROM credits.payment_succeeded('uma', :'uma', 'bank', 'p_uma', 11.90, tax => 1);
SELECT amount, cost_basis FROM credits.grants WHERE customer_id = 'uma';
SELECT * FROM payments('uma');

-- Wrong arguments.
SELECT credits.payment_succeeded('uma', :'uma', 'bank', 'x', 0);
SELECT credits.payment_succeeded('uma', :'uma', 'bank', 'x', 10, tax => -1);
SELECT credits.payment_succeeded('uma', :'uma', 'bank', 'x', 10, tax => 1.001);
SELECT credits.payment_succeeded('uma', :'uma', 'bank', 'x', 10, tax => 6, shipping => 5);
SELECT credits.payment_succeeded('uma', :'uma', 'bank', 'x', 10, discount => 'NaN');
SELECT credits.payment_refunded('uma', :'uma', payment_reference => '');
SELECT credits.payment_disputed('uma', :'uma', payment_reference => repeat('x', 256));
SELECT customer_id, type, provider, provider_reference, payment_reference, amount, counts, plain(contradiction) AS contradiction
FROM credits.payment_log WHERE contradiction IS NOT NULL ORDER BY payment_id;
SELECT currency, sum(balance) FROM credits.trial_balance GROUP BY 1;
SELECT * FROM credits.verify();
