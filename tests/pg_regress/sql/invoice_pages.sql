-- Pages of invoices: what they say. How browsers show and print them is tested in tests/pages.
SET credits.test_clock = '2026-05-04 09:00+00';
SET credits.invoice_seller = 'Studio Ek AB\nStorgatan 1\n111 22 Stockholm';
SELECT FROM credits.currency_create('EUR', kind => 'fiat');
SELECT FROM credits.currency_create('JPY', decimals => 0, kind => 'fiat');
SELECT FROM credits.customer_upsert('ann', 'Ann <Lee>', 'ann@example.com', address =>
    '{"line1": "1 Main St", "city": "Springfield", "state": "IL", "postal_code": "62701", "country": "US"}');
-- What a person reads: the page without its tags.
CREATE FUNCTION readable(page text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT line FROM string_to_table(regexp_replace(replace(
        substring(page, '<main.*</main>'), E'\u00a0', ' '), '\s*(<[^>]*>\s*)+', E'\n', 'g'), E'\n') AS line
    WHERE line <> ''
$$;
CREATE FUNCTION refused(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
    EXECUTE 'SELECT ' || call;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
    RETURN SQLSTATE || ': ' || regexp_replace(said, '[0-9a-f-]{36}', '…', 'g');
END $$;

-- A draft is of now.
SELECT invoice_id FROM credits.invoice_create('ann', currency => 'EUR', tax_rate => 19, discount => 10,
    days_until_due => 14, description => 'May', footer => 'Thank you!',
    custom_fields => '[{"name": "Order", "value": "7 & 8"}]', metadata => '{"secret": true}', lines => '[
        {"description": "Hours", "unit_amount": 95, "quantity": 12.5},
        {"description": "Tokens", "unit_amount": 0.000125, "quantity": 240000,
         "period": {"start": "2026-04-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}},
        {"description": "The book", "amount": 26.75, "tax_rate": 7, "tax_behavior": "inclusive"},
        {"amount": -5}]') \gset
SELECT * FROM readable(credits.invoice_html('ann', :'invoice_id'));

-- With its number it keeps who sold to whom.
SELECT status FROM credits.invoice_finalize('ann', :'invoice_id');
SELECT seller FROM credits.invoices;
SET credits.invoice_seller = 'Another AB';
SELECT FROM credits.customer_upsert('ann', 'Ann Other');
SELECT FROM credits.invoice_pay('ann', :'invoice_id', 'outside', 100, 'SEPA 381');
SELECT FROM credits.credit_grant('ann', 50, 'EUR');
SELECT FROM credits.invoice_pay('ann', :'invoice_id', 'wallet', 50);
BEGIN READ ONLY;
SELECT * FROM readable(credits.invoice_html('ann', :'invoice_id'));
COMMIT;
SET credits.test_clock = '2026-05-20 09:00+00';
SELECT * FROM readable(credits.invoice_html('ann', :'invoice_id')) WITH ORDINALITY AS r (line, no) WHERE no < 20;

-- The person is forgotten; the invoice keeps it for as long as the law asks, and then says who it was by its key.
SELECT FROM credits.invoice_mark_uncollectible('ann', :'invoice_id');
SELECT FROM credits.customer_erase('ann');
SELECT string_agg(line, ' | ') FROM readable(credits.invoice_html('ann', :'invoice_id')) WITH ORDINALITY AS r (line, no)
WHERE no < 16;
SET credits.test_clock = '2037-05-20 09:00+00';
CALL credits.maintain();
SELECT string_agg(line, ' | ') FROM readable(credits.invoice_html('ann', :'invoice_id')) WITH ORDINALITY AS r (line, no)
WHERE no < 16;

-- Void, in yen; nothing to pay; and left over.
SELECT invoice_id AS void_id FROM credits.invoice_create('ben', '[{"amount": 1200, "description": "Hosting"}]', 'JPY',
    auto_finalize => true) \gset
SELECT FROM credits.invoice_void('ben', :'void_id');
SELECT string_agg(line, ' | ') FROM readable(credits.invoice_html('ben', :'void_id')) AS line;
SELECT invoice_id AS less_id FROM credits.invoice_create('ben', '[{"amount": -3.5, "description": "Back"}]', 'EUR',
    auto_finalize => true) \gset
SELECT string_agg(line, ' | ') FROM readable(credits.invoice_html('ben', :'less_id')) AS line;

-- In credits, with as many decimals as there are.
SELECT invoice_id AS credit_id FROM credits.invoice_create('ben', '[{"amount": 350}, {"amount": 0.125}]', 'CREDIT',
    auto_finalize => true, collection_method => 'send_invoice') \gset
SELECT string_agg(line, ' | ') FROM readable(credits.invoice_html('ben', :'credit_id')) AS line;

-- A customer's own login sees its own, except drafts.
SELECT invoice_id AS draft_id FROM credits.invoice_create('ben', '[{"amount": 1}]', 'EUR') \gset
SET credits.current_customer = 'ben';
SELECT credits.my_invoice_html(:'void_id') = credits.invoice_html('ben', :'void_id') AS same;
SELECT refused(format('credits.my_invoice_html(%L)', :'draft_id'));
SELECT refused(format('credits.my_invoice_html(%L)', :'invoice_id'));
RESET credits.current_customer;
SELECT refused(format('credits.my_invoice_html(%L)', :'void_id'));
SELECT refused(format('credits.invoice_html(%L, %L)', 'ann', :'void_id'));
SELECT refused(format('credits.invoice_html(%L, %L)', 'nobody', :'void_id'));
SELECT refused(format('credits.invoice_html(NULL, %L)', :'void_id'));
SELECT refused('credits.invoice_html(''ann'', NULL)');
SELECT refused('credits.my_invoice_html(NULL)');
SELECT * FROM credits.verify();
