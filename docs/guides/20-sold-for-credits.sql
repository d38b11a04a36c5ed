-- SOLD FOR CREDITS, AND A GIFT
--
-- A game sells things for the credits that its players have: the price is in credits, and the wallet pays. Then one
-- thing is given away: an invoice of 0.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-06-15 09:00+00';

-- 1. WHAT IS SOLD
--
-- A poster costs 350 credits, and there are two. Credits themselves are sold for dollars.
SELECT currency, kind FROM credits.currency_create('USD', 'US dollar', kind => 'fiat');
SELECT product_id AS poster FROM credits.product_create('Poster, signed', 'good',
    description => 'A2, on heavy paper', unit_label => 'poster') \gset
SELECT price_id AS poster FROM credits.price_create(:'poster', unit_amount => 350, currency => 'CREDIT',
    quantity_available => 2, lookup_key => 'poster') \gset
SELECT price_id AS pack FROM credits.package_create('500 credits', 500, 10, 'USD', lookup_key => 'pack-500') \gset
SELECT lookup_key, product_type, unit_amount, currency, credits, quantity_available
FROM credits.prices ORDER BY lookup_key;

-- 2. BOUGHT
--
-- Yuki has 500 credits that she paid for, and 100 that she won. The invoice is in the price's currency, and the wallet
-- pays as it is given out, in the same transaction. The key makes a repeat of the call safe.
SELECT credited FROM credits.wallet_credit('yuki', 500, 'CREDIT', 'paid', description => '500 credits');
SELECT amount FROM credits.credit_grant('yuki', 100, name => 'Won in June', expires_at => '2026-07-01');
SELECT status, currency, total, amount_paid, replayed
FROM credits.invoice_create('yuki', format('[{"price_id": "%s"}]', :'poster')::jsonb,
                            auto_finalize => true, idempotency_key => 'yuki-poster-1');
SELECT status, currency, total, amount_paid, replayed
FROM credits.invoice_create('yuki', format('[{"price_id": "%s"}]', :'poster')::jsonb,
                            auto_finalize => true, idempotency_key => 'yuki-poster-1');
-- Nothing is to come from a payment provider, so there is no payment intent.
SELECT count(*) AS payment_intents FROM credits.payment_intents WHERE customer_id = 'yuki';
-- An ordinary debit: what she won was to expire first, and so went first.
SELECT line_no, type, grant_name, amount, running_balance FROM credits.ledger WHERE customer_id = 'yuki'
ORDER BY line_no;
SELECT quantity_available, quantity_taken, quantity_sold FROM credits.prices WHERE lookup_key = 'poster';

-- 3. NOT ENOUGH CREDITS
--
-- 250 are left, which is too little (PC001). The call is undone as a whole: no invoice, no number, no poster is taken.
\set VERBOSITY terse
SELECT status FROM credits.invoice_create('yuki', format('[{"price_id": "%s"}]', :'poster')::jsonb,
                                          auto_finalize => true);
\set VERBOSITY default
SELECT count(*) AS invoices FROM credits.invoices WHERE customer_id = 'yuki';
SELECT quantity_taken FROM credits.prices WHERE lookup_key = 'poster';

-- 4. A GIFT
--
-- Yuki found a fault in the game, and gets the other poster and a pack of credits. An invoice has one currency, so
-- these are two. Each comes to 0: nothing is to be paid, and it is paid as it is given out.
SELECT status, subtotal, discount, total, amount_due FROM credits.invoice_create('yuki', discount => 350,
    description => 'With our thanks', auto_finalize => true,
    lines => format('[{"price_id": "%s"}]', :'poster')::jsonb);
SELECT status, subtotal, discount, total, amount_due FROM credits.invoice_create('yuki', discount => 10,
    description => 'With our thanks', auto_finalize => true,
    lines => format('[{"price_id": "%s"}]', :'pack')::jsonb);
-- The pack's credits are there. They cost nothing, so nothing is earned when they are spent.
SELECT name, category, amount, remaining, cost_amount, cost_currency FROM credits.grants
WHERE customer_id = 'yuki' ORDER BY grant_id;
SELECT available FROM credits.wallet_balance('yuki');
-- There is no third poster (PC017).
\set VERBOSITY sqlstate
SELECT status FROM credits.invoice_create('yuki', format('[{"price_id": "%s"}]', :'poster')::jsonb,
                                          auto_finalize => true);
\set VERBOSITY default

-- 5. ALL OF THEM
SELECT right(number, 4) AS no, status, currency, subtotal, total, amount_paid, description
FROM credits.invoices WHERE customer_id = 'yuki' ORDER BY created_at, invoice_id;
SELECT quantity_available, quantity_taken, quantity_sold FROM credits.prices WHERE lookup_key = 'poster';
SELECT * FROM credits.verify();
