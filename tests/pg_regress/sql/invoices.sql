-- Invoices: what a customer owes for what; drafts, numbers, payments from the wallet and from outside, and their ends.
SET credits.test_clock = '2026-05-01 09:00:00+00';
SELECT currency FROM credits.currency_create('USD', 'Dollar', kind => 'fiat');
SELECT currency FROM credits.currency_create('COIN', 'Coin', 0);
SELECT FROM credits.customer_upsert('ann', 'Ann Lee', 'ann@example.com');

-- 1. A DRAFT
--
-- Lines by hand: an amount, or what one costs and how many. Tax comes on top unless a line says that it is in it.
SELECT invoice_id FROM credits.invoice_create('ann', currency => 'USD', description => 'May', tax_rate => 19,
    days_until_due => 14, lines => '[
    {"description": "Consulting, hours", "unit_amount": 120, "quantity": 2.5},
    {"description": "A book", "amount": 10.70, "tax_rate": 7, "tax_behavior": "inclusive"},
    {"description": "Stamps", "amount": "1.60", "tax_rate": 0}]') \gset may_
SELECT status, number, subtotal, discount, tax, total, total_excluding_tax, amount_due, due_date, customer_name
FROM credits.invoices WHERE invoice_id = :'may_invoice_id';
SELECT line_no, description, quantity, unit_amount, amount, tax_rate, tax_behavior, tax, amount_excluding_tax
FROM credits.invoice_lines WHERE invoice_id = :'may_invoice_id' ORDER BY line_no;
-- All of it can change: an amount off all lines is split over them, and tax is on what is left.
SELECT subtotal, discount, tax, total FROM credits.invoice_update('ann', :'may_invoice_id', discount => 31.23);
SELECT line_no, amount, discount, tax FROM credits.invoice_lines WHERE invoice_id = :'may_invoice_id' ORDER BY line_no;
SELECT subtotal, discount, tax, total FROM credits.invoice_update('ann', :'may_invoice_id', discount => 0, lines => '[
    {"description": "Consulting, hours", "unit_amount": 120, "quantity": 2.5, "discount": 20},
    {"description": "A book", "amount": 10.70, "tax_rate": 7, "tax_behavior": "inclusive"}]');

-- 2. GIVEN OUT
--
-- It gets a number, says whom it is for and when it is due, and does not change any more.
SELECT status, right(number, 5) AS number, customer_name, customer_email, due_date, amount_due, amount_remaining,
       replayed
FROM credits.invoice_finalize('ann', :'may_invoice_id');
SELECT status, right(number, 5) AS number, replayed FROM credits.invoice_finalize('ann', :'may_invoice_id');
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_update('ann', :'may_invoice_id', discount => 1);
SELECT FROM credits.invoice_delete('ann', :'may_invoice_id');
\set VERBOSITY default
SELECT description, due_date, metadata
FROM credits.invoice_update('ann', :'may_invoice_id', 'For May', '2026-05-20', metadata => '{"po": 7}');
-- What it says of the customer stays.
SELECT FROM credits.customer_upsert('ann', 'Ann Lee-Smith');
SELECT customer_name FROM credits.invoices WHERE invoice_id = :'may_invoice_id';

-- 3. PAID IN PARTS
--
-- A part by the wallet, an ordinary debit of the account in its currency, and the rest outside.
SELECT FROM credits.wallet_credit('ann', 100, 'USD', 'paid');
SELECT status, amount_paid, amount_remaining
FROM credits.invoice_pay('ann', :'may_invoice_id', 'wallet', 60, idempotency_key => 'p1');
SELECT available FROM credits.wallet_balance('ann', 'USD');
SELECT type, amount, description FROM credits.ledger WHERE customer_id = 'ann' ORDER BY line_no DESC LIMIT 1;
-- The same call again does nothing; another call under its key is refused.
SELECT status, amount_paid, replayed
FROM credits.invoice_pay('ann', :'may_invoice_id', 'wallet', 60, idempotency_key => 'p1');
SELECT FROM credits.invoice_pay('ann', :'may_invoice_id', 'wallet', 61, idempotency_key => 'p1');
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_pay('ann', :'may_invoice_id', 'wallet', idempotency_key => 'p1');
\set VERBOSITY default
-- More than the wallet has, and more than remains.
SELECT FROM credits.invoice_pay('ann', :'may_invoice_id', 'wallet');
SELECT FROM credits.invoice_pay('ann', :'may_invoice_id', 'outside', 1000, 'Transfer 1');
-- It is overdue.
SET credits.test_clock = '2026-05-21 09:00:00+00';
SELECT description, overdue FROM credits.invoices WHERE invoice_id = :'may_invoice_id';
SELECT description, due_date, amount_remaining FROM credits.customer_overdue_invoices('ann');
SELECT status, amount_paid, amount_remaining, paid_at
FROM credits.invoice_pay('ann', :'may_invoice_id', 'outside', reference => 'Transfer 1', idempotency_key => 'p2');
SELECT count(*) AS overdue FROM credits.customer_overdue_invoices('ann');
SELECT payment_no, paid_from, amount, currency, operation_id IS NOT NULL AS debit, reference
FROM credits.invoice_payments WHERE invoice_id = :'may_invoice_id' ORDER BY payment_no;
-- Paid stays paid.
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_pay('ann', :'may_invoice_id', 'outside', 1, 'Transfer 2');
SELECT FROM credits.invoice_void('ann', :'may_invoice_id');
SELECT FROM credits.invoice_mark_uncollectible('ann', :'may_invoice_id');
SELECT FROM credits.invoice_update('ann', :'may_invoice_id', due_date => '2026-06-20');
\set VERBOSITY default
SELECT metadata FROM credits.invoice_update('ann', :'may_invoice_id', metadata => '{"booked": true}');
-- Nor does anybody take its debit back behind its back.
SELECT FROM credits.operation_reverse('ann', operation_key => 'p1');

-- 4. VOID, AND GIVEN UP
--
-- What the wallet paid of a void invoice goes back to the grants that paid it. The number stays.
SELECT invoice_id FROM credits.invoice_create('ann', '[{"amount": 40}]', 'USD', auto_finalize => true) \gset void_
SELECT amount_paid FROM credits.invoice_pay('ann', :'void_invoice_id', 'wallet', 15);
SELECT available FROM credits.wallet_balance('ann', 'USD');
SELECT status, right(number, 5) AS number, amount_due, amount_paid, amount_remaining, voided_at, replayed
FROM credits.invoice_void('ann', :'void_invoice_id');
SELECT available FROM credits.wallet_balance('ann', 'USD');
SELECT paid_from, amount, reversed_at FROM credits.invoice_payments WHERE invoice_id = :'void_invoice_id';
SELECT status, replayed FROM credits.invoice_void('ann', :'void_invoice_id');
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_pay('ann', :'void_invoice_id', 'wallet');
SELECT FROM credits.invoice_finalize('ann', :'void_invoice_id');
\set VERBOSITY default
-- Money from outside cannot be given back here. What is given up can still be paid.
SELECT invoice_id FROM credits.invoice_create('ann', '[{"amount": 30}]', 'USD', auto_finalize => true) \gset up_
SELECT amount_paid FROM credits.invoice_pay('ann', :'up_invoice_id', 'outside', 10, 'Cash');
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_void('ann', :'up_invoice_id');
\set VERBOSITY default
SELECT status, amount_remaining, replayed FROM credits.invoice_mark_uncollectible('ann', :'up_invoice_id');
SELECT status, replayed FROM credits.invoice_mark_uncollectible('ann', :'up_invoice_id');
SELECT status, marked_uncollectible_at IS NOT NULL AS was_given_up, amount_remaining
FROM credits.invoice_pay('ann', :'up_invoice_id', 'outside', reference => 'The court''s');

-- 5. WHAT WAITS FOR THE NEXT INVOICE
--
-- The next one in its currency takes it, after its own lines.
SELECT currency, amount, description, invoice_id, line_no
FROM credits.invoice_item_create('ann', 'USD', 12.5, 'Support, hours of May', idempotency_key => 'i1');
SELECT amount, replayed FROM credits.invoice_item_create('ann', 'USD', 12.5, 'Support', idempotency_key => 'i1');
SELECT FROM credits.invoice_item_create('ann', 'USD', 12.6, idempotency_key => 'i1');
SELECT FROM credits.invoice_item_create('ann', 'COIN', 3, 'In another currency');
SELECT invoice_line_id FROM credits.invoice_item_create('ann', 'USD', 99, 'A mistake') \gset
SELECT description FROM credits.invoice_item_delete('ann', :'invoice_line_id');
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_item_delete('ann', :'invoice_line_id');
\set VERBOSITY default
SELECT invoice_id, total FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', pending_items => 'exclude') \gset
SELECT :total AS without_it;
SELECT invoice_id, total FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', tax_rate => 20) \gset
SELECT line_no, amount, tax, description FROM credits.invoice_lines WHERE invoice_id = :'invoice_id' ORDER BY line_no;
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_item_delete('ann',
    (SELECT invoice_line_id FROM credits.invoice_lines WHERE description LIKE 'Support%'));
\set VERBOSITY default
SELECT FROM credits.invoice_create('ann', currency => 'USD');
-- Where that draft is deleted it waits again, and an invoice may be of nothing else.
SELECT status, total FROM credits.invoice_delete('ann', :'invoice_id');
SELECT total FROM credits.invoice_create('ann', currency => 'USD');

-- 6. LESS THAN NOTHING
--
-- A total below zero closes at 0: what is left waits for the next invoice, and is never credits.
SELECT status, total, amount_due, amount_paid FROM credits.invoice_create('ann', currency => 'USD', tax_rate => 20,
    auto_finalize => true, lines => '[{"amount": 20}, {"amount": -45, "description": "The rest of April"}]');
SELECT amount, tax_rate, description ~ '^Carried over from invoice .*-0004$' AS says_from_where
FROM credits.invoice_lines WHERE from_invoice_id IS NOT NULL;
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_item_delete('ann',
    (SELECT invoice_line_id FROM credits.invoice_lines WHERE from_invoice_id IS NOT NULL));
\set VERBOSITY default
-- It is no part of what is taxed. A void invoice gives it back.
SELECT invoice_id, tax, total FROM credits.invoice_create('ann', '[{"amount": 50}]', 'USD', tax_rate => 20,
    auto_finalize => true) \gset less_
SELECT :less_tax AS tax, :less_total AS total;
SELECT status FROM credits.invoice_void('ann', :'less_invoice_id');
SELECT count(*) FILTER (WHERE invoice_id IS NULL) AS waits, count(*) AS lines, sum(amount) AS amounts
FROM credits.invoice_lines WHERE from_invoice_id IS NOT NULL;
SELECT total FROM credits.invoice_create('ann', '[{"amount": 50}]', 'USD', tax_rate => 20, auto_finalize => true);

-- 7. WHAT PAYMENT GRANTS
--
-- A line by price grants its product's credits once, as it is paid, and they last from then on. Their cost is what the
-- line came to without tax.
SELECT price_id FROM credits.package_create('Pack of 100', 100, 11.90, 'USD', time_to_live => '30 days') \gset
SELECT invoice_id FROM credits.invoice_create('bob', tax_rate => 19, auto_finalize => true,
    discount => 2.80, lines => format('[{"price_id": "%s", "quantity": 3, "tax_behavior": "inclusive"},
                     {"amount": 10, "description": "A mug"}]', :'price_id')::jsonb) \gset bob_
SELECT line_no, description, quantity, unit_amount, amount, discount, tax, credits, credit_currency, grant_id
FROM credits.invoice_lines WHERE invoice_id = :'bob_invoice_id' ORDER BY line_no;
SELECT status FROM credits.invoice_pay('bob', :'bob_invoice_id', 'outside', 20, 'Cash');
SELECT count(*) AS grants FROM credits.grants WHERE customer_id = 'bob';
SET credits.test_clock = '2026-06-01 09:00:00+00';
SELECT status FROM credits.invoice_pay('bob', :'bob_invoice_id', 'outside', reference => 'Cash');
SELECT g.amount, g.currency, g.category, g.name, g.granted_by, g.expires_at, g.cost_amount, g.cost_currency
FROM credits.grants g JOIN credits.invoice_lines l USING (grant_id) WHERE l.invoice_id = :'bob_invoice_id';
-- A gift is paid as it is given out.
SELECT status, total, amount_due, paid_at FROM credits.invoice_create('bob', discount => 11.90, auto_finalize => true,
    lines => format('[{"price_id": "%s"}]', :'price_id')::jsonb);
SELECT amount, cost_amount FROM credits.grants WHERE customer_id = 'bob' AND cost_amount = 0;
-- What is sold for credits is paid from the wallet.
SELECT FROM credits.wallet_credit('bob', 500, 'COIN');
SELECT status, amount_paid FROM credits.invoice_create('bob', '[{"amount": 30, "description": "A hat"}]',
    'COIN', auto_finalize => true);
SELECT paid_from, amount FROM credits.invoice_payments WHERE customer_id = 'bob' AND currency = 'COIN';
SELECT type, amount, description LIKE 'Invoice %' AS names_it FROM credits.ledger
WHERE customer_id = 'bob' AND currency = 'COIN' ORDER BY line_no;
-- Where the wallet has too little, a draft stays what it was, and without a number.
SELECT invoice_id FROM credits.invoice_create('bob', '[{"amount": 1000}]', 'COIN') \gset poor_
SELECT FROM credits.invoice_finalize('bob', :'poor_invoice_id');
SELECT status, number, amount_paid FROM credits.invoices WHERE invoice_id = :'poor_invoice_id';
SELECT FROM credits.invoice_delete('bob', :'poor_invoice_id');
-- One that is sent waits until the application says so.
SELECT invoice_id FROM credits.invoice_create('bob', '[{"unit_amount": 120, "quantity": 2, "description": "Skins"}]',
    'COIN', auto_finalize => true, collection_method => 'send_invoice') \gset
SELECT status, currency, amount_paid FROM credits.invoice_pay('bob', :'invoice_id', 'wallet');
SELECT available FROM credits.wallet_balance('bob', 'COIN');

-- 8. WHAT A QUANTITY COSTS
--
-- 12 decimals of what one costs, rounded once; tiers, as of a meter.
SELECT amount FROM credits.invoice_item_create('cy', 'USD', unit_amount => 0.000000000049, quantity => 100000000);
SELECT amount FROM credits.invoice_item_create('cy', 'USD', unit_amount => 0.000000000051, quantity => 100000000);
SELECT total FROM credits.invoice_create('cy', currency => 'USD', pending_items => 'exclude', lines => '[
    {"description": "Seats", "quantity": 25, "pricing": {"mode": "graduated",
        "tiers": [{"up_to": 10, "unit_price": 10}, {"unit_price": 8.005}]}}]');

-- 9. THE SAME CALL AGAIN
SELECT invoice_id FROM credits.invoice_create('dan', '[{"amount": 5}]', 'USD', idempotency_key => 'k') \gset first_
SELECT invoice_id = :'first_invoice_id' AS same, replayed
FROM credits.invoice_create('dan', '[{"amount": 5.00, "description": "said otherwise"}]', 'USD',
    idempotency_key => 'k');
SELECT FROM credits.invoice_create('dan', '[{"amount": 6}]', 'USD', idempotency_key => 'k');
SELECT FROM credits.invoice_create('dan', '[{"amount": 5}]', 'USD', discount => 1, idempotency_key => 'k');
SELECT FROM credits.wallet_credit('dan', 5, 'USD', idempotency_key => 'k');

-- 10. A PERSON IS FORGOTTEN
--
-- What was given out says whom it was for, for as long as credits.invoice_retention says.
SELECT FROM credits.customer_upsert('eve', 'Eve', 'eve@example.com');
SELECT status FROM credits.invoice_create('eve', '[{"amount": 5, "metadata": {"a": 1}}]', 'USD', metadata => '{"b": 2}',
    auto_finalize => true);
SELECT cleared FROM credits.customer_metadata_clear('eve');
SELECT FROM credits.customer_erase('eve');
CALL credits.maintain();
SELECT customer_name, customer_email, metadata FROM credits.invoices WHERE customer_id = 'eve';
SET credits.test_clock = '2037-06-01 09:00:00+00';
CALL credits.maintain();
SELECT customer_name, customer_email FROM credits.invoices WHERE customer_id = 'eve';
SELECT customer_name FROM credits.invoices WHERE customer_id = 'ann' AND number LIKE '%-0001';

SELECT * FROM credits.verify();
