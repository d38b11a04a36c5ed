-- INVOICES BY HAND
--
-- A studio sells hours, books and credits. It writes invoices, sends them, and books what comes in: from the customer's
-- wallet, from the bank, or in parts from both. What each function takes is in credits.help('invoice_create'); how
-- amounts, tax and numbers are made is in docs/invoices.md.
SET TimeZone = 'UTC';
SET credits.test_clock = '2026-05-04 09:00+00';
SELECT currency FROM credits.currency_create('EUR', 'Euro', kind => 'fiat', symbol => '€');
SELECT customer_id, name FROM credits.customer_upsert('nora', 'Nora Ek', 'nora@example.com');

-- 1. AN INVOICE WITH TAX
--
-- A draft first. The hours are taxed on top, at the invoice's rate; the book has another rate, and its price has the
-- tax in it.
SELECT invoice_id FROM credits.invoice_create('nora', currency => 'EUR', description => 'Website', tax_rate => 19,
    days_until_due => 14, lines => '[
        {"description": "Design, hours", "unit_amount": 95, "quantity": 12.5},
        {"description": "The book", "amount": 26.75, "tax_rate": 7, "tax_behavior": "inclusive"}]') \gset
SELECT description, quantity, unit_amount, amount, tax_rate, tax_behavior, tax
FROM credits.invoice_lines WHERE invoice_id = :'invoice_id' ORDER BY line_no;
-- Nora asked for something off. It is split over the lines, and tax is on what is left.
SELECT subtotal, discount, tax, total FROM credits.invoice_update('nora', :'invoice_id', discount => 50);

-- It is given out: it gets the next number of Nora's sequence, and her name and address as they are now.
SELECT status, number LIKE '%-0001' AS is_her_first, customer_name, due_date, amount_due
FROM credits.invoice_finalize('nora', :'invoice_id');

-- 2. PAID IN PART BY THE WALLET, AND THE REST OUTSIDE
--
-- Nora has 400 euros in her wallet, from a job that fell through. They pay a part: an ordinary debit of that account.
SELECT credited FROM credits.wallet_credit('nora', 400, 'EUR', 'paid');
SELECT status, amount_paid, amount_remaining
FROM credits.invoice_pay('nora', :'invoice_id', 'wallet', 400, idempotency_key => 'invoice-1-wallet');
SELECT type, amount, running_balance, description FROM credits.ledger WHERE customer_id = 'nora' ORDER BY line_no;
-- Two weeks go by.
SET credits.test_clock = '2026-05-20 09:00+00';
SELECT description, amount_remaining, due_date FROM credits.customer_overdue_invoices('nora');
-- The bank reports the rest. The key makes a second report of it harmless.
SELECT status, amount_remaining, paid_at FROM credits.invoice_pay('nora', :'invoice_id', 'outside',
    reference => 'SEPA 2026-05-20/381', idempotency_key => 'SEPA 2026-05-20/381');
SELECT status, replayed FROM credits.invoice_pay('nora', :'invoice_id', 'outside',
    reference => 'SEPA 2026-05-20/381', idempotency_key => 'SEPA 2026-05-20/381');
SELECT payment_no, paid_from, amount, reference FROM credits.invoice_payments WHERE invoice_id = :'invoice_id';

-- 3. VOIDED
--
-- A mistake: it was for somebody else, and Nora's wallet had paid a part already. That goes back to the grant that paid
-- it. The number stays in the sequence.
SELECT credited FROM credits.wallet_credit('nora', 30, 'EUR', 'paid');
SELECT invoice_id FROM credits.invoice_create('nora', '[{"description": "Hosting", "amount": 60}]', 'EUR',
    auto_finalize => true) \gset
SELECT amount_remaining FROM credits.invoice_pay('nora', :'invoice_id', 'wallet', 30);
SELECT status, number LIKE '%-0002' AS is_her_second, amount_paid FROM credits.invoice_void('nora', :'invoice_id');
SELECT available FROM credits.wallet_balance('nora', 'EUR');

-- 4. A CREDIT PACK ON AN INVOICE
--
-- A line by price takes its amount from the catalogue, and grants its credits once it is paid: they last from then on.
SELECT price_id FROM credits.package_create('1,000 renderings', 1000, 119, 'EUR', time_to_live => '1 year') \gset
SELECT invoice_id FROM credits.invoice_create('nora', auto_finalize => true, lines => format(
    '[{"price_id": "%s", "tax_rate": 19, "tax_behavior": "inclusive"}]', :'price_id')::jsonb) \gset
SELECT available AS before FROM credits.wallet_balance('nora', 'CREDIT');
SELECT status FROM credits.invoice_pay('nora', :'invoice_id', 'outside', reference => 'Cash');
-- What it cost is without tax: what revenue is recognised from.
SELECT name, amount, expires_at, cost_amount, cost_currency, granted_by
FROM credits.grants WHERE customer_id = 'nora' AND currency = 'CREDIT';
-- A gift is an invoice of 0. There is nothing to pay, so it grants as it is given out.
SELECT status, subtotal, discount, total FROM credits.invoice_create('nora', discount => 119, auto_finalize => true,
    description => 'With our thanks', lines => format('[{"price_id": "%s"}]', :'price_id')::jsonb);
SELECT sum(amount) AS credits, sum(cost_amount) AS cost
FROM credits.grants WHERE customer_id = 'nora' AND currency = 'CREDIT';

-- 5. SOLD FOR CREDITS
--
-- An invoice in a credit currency is paid from the wallet as it is given out. One that is only sent waits for that.
SELECT status, currency, amount_paid FROM credits.invoice_create('nora',
    '[{"description": "A printed poster", "amount": 350}]', 'CREDIT', auto_finalize => true);
SELECT invoice_id FROM credits.invoice_create('nora', '[{"description": "A frame", "amount": 90}]', 'CREDIT',
    auto_finalize => true, collection_method => 'send_invoice') \gset
SELECT status, currency, amount_paid FROM credits.invoice_pay('nora', :'invoice_id', 'wallet');
SELECT available FROM credits.wallet_balance('nora', 'CREDIT');

-- 6. WHAT WAITS FOR THE NEXT INVOICE
--
-- Small things are noted as they happen, and go on the next invoice in their currency, once.
SELECT amount FROM credits.invoice_item_create('nora', 'EUR', 18.50, 'A courier');
SELECT amount FROM credits.invoice_item_create('nora', 'EUR', -80, 'Hosting that was never used');
-- More comes back than is due: the invoice closes at 0, and what is left waits for the next one. It is never credits.
SELECT status, total, amount_due FROM credits.invoice_create('nora', currency => 'EUR', auto_finalize => true);
SELECT subtotal, total FROM credits.invoice_create('nora', '[{"description": "Design, hours", "amount": 95}]', 'EUR');

-- 7. ALL OF THEM
SELECT right(number, 4) AS no, status, currency, total, amount_paid, description
FROM credits.invoices WHERE customer_id = 'nora' ORDER BY created_at, invoice_id;
SELECT * FROM credits.verify();
