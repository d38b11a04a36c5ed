-- Invoices: what a caller can get wrong. Nothing of it is left behind.
SET credits.test_clock = '2026-05-01 09:00:00+00';
\set SHOW_CONTEXT never
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT FROM credits.wallet_credit('ann', 1);
SELECT price_id FROM credits.package_create('Pack', 100, 10, 'EUR') \gset
SELECT invoice_id FROM credits.invoice_create('ann', '[{"amount": 10}]', 'USD', auto_finalize => true) \gset open_
SELECT invoice_id FROM credits.invoice_create('ann', '[{"amount": 10}]', 'USD') \gset draft_

-- What is required.
SELECT FROM credits.invoice_create(NULL);
SELECT FROM credits.invoice_create('ann');
SELECT FROM credits.invoice_create('ann', '[]');
SELECT FROM credits.invoice_finalize('ann', NULL);
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', NULL);
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'outside');
SELECT FROM credits.invoice_item_create('ann', 'USD');
SELECT FROM credits.customer_overdue_invoices(NULL);

-- Who and what is not there: an invoice is found by its customer.
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_finalize('bob', :'draft_invoice_id');
\set VERBOSITY default
SELECT FROM credits.wallet_credit('bob', 1);
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_finalize('bob', :'draft_invoice_id');
\set VERBOSITY default
SELECT FROM credits.invoice_pay('ann', '00000000-0000-7000-8000-000000000000', 'wallet');
SELECT FROM credits.invoice_item_delete('ann', '00000000-0000-7000-8000-000000000000');
SELECT FROM credits.customer_overdue_invoices('nobody');
SELECT FROM credits.invoice_create('ann', '[{"price_id": "00000000-0000-7000-8000-000000000000"}]');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USB');

-- Lines.
SELECT FROM credits.invoice_create('ann', '{}', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amuont": 1}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1, "unit_amount": 1}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"quantity": 1}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1, "quantity": 2}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1.005}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": "1e3"}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"unit_amount": 0.0000000000001}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"unit_amount": 9999999999999999999999, "quantity": 999999999}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": "99999999999999999999999999.99"}, {"amount": 0.01}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1, "tax_rate": 101}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1, "discount": 1.01}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1, "discount": 0.001}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1, "period": {"start": "2026-05-01"}}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"quantity": 1, "pricing": {"unit_price": -1}}]', 'USD');
SELECT FROM credits.invoice_create('ann', '[{"quantity": 1, "pricing": {"by": "model",
    "prices": {"a": {"unit_price": 1}}, "unpriced": "reject"}}]', 'USD');
SELECT FROM credits.invoice_create('ann', currency => 'USD',
    lines => (SELECT jsonb_agg('{"amount": 1}'::jsonb) FROM generate_series(1, 1001)));
-- A price in another currency; a quantity that buys less than the smallest part of a credit.
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_create('ann', format('[{"price_id": "%s"}]', :'price_id')::jsonb, 'USD');
\set VERBOSITY default
SELECT FROM credits.invoice_create('ann', format('[{"price_id": "%s", "quantity": 0.000000001}]', :'price_id')::jsonb);
SELECT FROM credits.price_archive(:'price_id');
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_create('ann', format('[{"price_id": "%s"}]', :'price_id')::jsonb);
\set VERBOSITY default

-- The invoice itself.
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', discount => 1.01);
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', discount => -1);
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', discount => 0.001);
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', tax_rate => 'NaN');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', due_date => 'infinity');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', due_date => '2026-06-01', days_until_due => 3);
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', days_until_due => -1);
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', pending_items => 'some');
SELECT FROM credits.invoice_create('ann', '[{"amount": 1}]', 'USD', custom_fields => '{"a": 1}');
SELECT FROM credits.invoice_update('ann', :'draft_invoice_id', lines => '[]');
SELECT FROM credits.invoice_update('ann', :'draft_invoice_id', discount => 11);

-- What it is rules it out.
\set VERBOSITY sqlstate
SELECT FROM credits.invoice_pay('ann', :'draft_invoice_id', 'wallet');
SELECT FROM credits.invoice_void('ann', :'draft_invoice_id');
SELECT FROM credits.invoice_mark_uncollectible('ann', :'draft_invoice_id');
SELECT FROM credits.invoice_update('ann', :'open_invoice_id', footer => 'x');
\set VERBOSITY default

-- Payments.
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'card');
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'wallet', reference => 'x');
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'wallet', 0);
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'wallet', 0.001);
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'outside', 10.01, 'x');
SELECT FROM credits.invoice_pay('ann', :'open_invoice_id', 'wallet');

-- Credits that the account has no room for are not granted, and the invoice is not paid.
SELECT price_id FROM credits.package_create('Large pack', '9999999999999999999999', 1, 'EUR') \gset large_
SELECT invoice_id FROM credits.invoice_create('ann', format('[{"price_id": "%s"}]', :'large_price_id')::jsonb,
    auto_finalize => true) \gset large_
SELECT FROM credits.invoice_pay('ann', :'large_invoice_id', 'outside', reference => 'x', idempotency_key => 'k');

SELECT status, count(*), sum(amount_paid) AS paid FROM credits.invoices GROUP BY 1 ORDER BY 1;
SELECT * FROM credits.verify();
