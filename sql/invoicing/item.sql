-- Lines of invoices, and those that wait for the next one.

CREATE TYPE credits.invoice_line AS (
    customer_id text, invoice_line_id uuid, invoice_id uuid, line_no integer, currency text, price_id uuid,
    description text, quantity numeric, unit_amount numeric, amount numeric, discount numeric, tax_rate
    numeric, tax_behavior text, tax numeric, amount_excluding_tax numeric, credits numeric, credit_currency
    text, grant_id uuid, period_start timestamptz, period_end timestamptz, from_invoice_id uuid, metadata
    jsonb, created_at timestamptz, updated_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.invoice_line IS
'A line of an invoice, as invoice_item_create() returns it. The view invoice_lines has all of them.';
COMMENT ON COLUMN credits.invoice_line.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice_line.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits.invoice_line.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits.invoice_line.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits.invoice_line.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.invoice_line.price_id IS 'The price; NULL for a line by hand.';
COMMENT ON COLUMN credits.invoice_line.description IS 'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits.invoice_line.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits.invoice_line.unit_amount IS
'What one costs, in major units; NULL where that is not the same for each.';
COMMENT ON COLUMN credits.invoice_line.amount IS 'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits.invoice_line.discount IS 'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits.invoice_line.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits.invoice_line.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits.invoice_line.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits.invoice_line.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits.invoice_line.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits.invoice_line.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.invoice_line.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits.invoice_line.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits.invoice_line.period_end IS 'Until when it is for.';
COMMENT ON COLUMN credits.invoice_line.from_invoice_id IS 'The invoice whose total was below zero and left it over.';
COMMENT ON COLUMN credits.invoice_line.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoice_line.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoice_line.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoice_line.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.invoice_item_create(
    customer_id text, currency text DEFAULT NULL, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity numeric DEFAULT NULL, unit_amount numeric DEFAULT NULL,
    tax_rate numeric DEFAULT NULL, tax_behavior text DEFAULT NULL, period_start timestamptz DEFAULT NULL,
    period_end timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.invoice_line
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_item_create_wrapper';
COMMENT ON FUNCTION credits.invoice_item_create IS
'Creates a line that waits for the customer''s next invoice in its currency.

customer_id: the customer, who is created where missing.
currency: the currency of the amount; NULL for the price''s, else the default currency.
amount: what it costs; below zero to give something back.
description: for people.
price_id: a price, instead of an amount.
quantity: how many, of a price or at unit_amount; NULL for 1.
unit_amount: what one costs, with up to 12 decimals, instead of an amount.
tax_rate: in percent; NULL for the invoice''s.
tax_behavior: ''exclusive'' or ''inclusive''; NULL for ''exclusive''.
period_start: from when it is for.
period_end: until when it is for.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

The next invoice_create() in that currency takes it, and one invoice only. Where that draft is deleted, it waits again.

Raises PC002, PC007, PC008, PC013, PC015, PC019.
Example: SELECT invoice_line_id FROM credits.invoice_item_create(''ann'', ''USD'', 12.50, ''Support, hours of May'');';

CREATE FUNCTION credits.invoice_item_delete(customer_id text, invoice_line_id uuid)
RETURNS credits.invoice_line
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_item_delete_wrapper';
COMMENT ON FUNCTION credits.invoice_item_delete IS
'Deletes a line that is still pending.

customer_id: the customer.
invoice_line_id: the line.

PC020 is a line that is on an invoice, even a draft, and one that another invoice left over, which is the customer''s.

Raises PC003, PC013, PC019, PC020.
Example: SELECT description FROM credits.invoice_item_delete(''ann'',
  (SELECT invoice_line_id FROM credits.invoice_lines WHERE description = ''pending''));';

CREATE VIEW credits.invoice_lines AS
SELECT l.customer_id, l.invoice_line_id, l.invoice_id, l.line_no, l.currency, l.price_id, l.description,
       l.quantity, l.unit_amount, l.amount,
       CASE WHEN l.invoice_id IS NULL THEN l.given_discount ELSE l.discount END AS discount,
       l.tax_rate, l.tax_behavior, l.tax,
       CASE WHEN l.invoice_id IS NULL THEN l.amount - l.given_discount ELSE l.amount_excluding_tax END
           AS amount_excluding_tax,
       l.credits, l.credit_currency, l.grant_id, l.period_start, l.period_end,
       l.from_invoice_id, l.metadata, l.created_at, l.updated_at, p.product_id
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.prices p ON p.price_id = l.price_id;
COMMENT ON VIEW credits.invoice_lines IS
'Lines of invoices, and those that are pending: those have no invoice_id.';
COMMENT ON COLUMN credits.invoice_lines.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice_lines.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits.invoice_lines.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits.invoice_lines.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits.invoice_lines.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.invoice_lines.price_id IS 'The price; NULL for a line by hand.';
COMMENT ON COLUMN credits.invoice_lines.description IS 'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits.invoice_lines.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits.invoice_lines.unit_amount IS
'What one costs, in major units; NULL where that is not the same for each.';
COMMENT ON COLUMN credits.invoice_lines.amount IS 'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits.invoice_lines.discount IS 'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits.invoice_lines.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits.invoice_lines.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits.invoice_lines.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits.invoice_lines.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits.invoice_lines.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits.invoice_lines.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.invoice_lines.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits.invoice_lines.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits.invoice_lines.period_end IS 'Until when it is for.';
COMMENT ON COLUMN credits.invoice_lines.from_invoice_id IS 'The invoice whose total was below zero and left it over.';
COMMENT ON COLUMN credits.invoice_lines.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoice_lines.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoice_lines.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoice_lines.product_id IS 'The product; NULL for a line by hand.';

CREATE VIEW credits.my_invoice_lines WITH (security_barrier) AS
SELECT l.invoice_line_id, l.invoice_id, l.line_no, l.currency, l.description, l.quantity, l.unit_amount,
       l.amount, l.discount, l.tax_rate, l.tax_behavior, l.tax, l.amount_excluding_tax, l.credits,
       l.credit_currency, l.grant_id, l.period_start, l.period_end
FROM credits_internal.invoice_lines l
JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
WHERE l.customer_id = (SELECT credits.current_customer()) AND i.status <> 'draft';
COMMENT ON VIEW credits.my_invoice_lines IS
'Lines of the invoices of credits.current_customer, except drafts.';
COMMENT ON COLUMN credits.my_invoice_lines.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits.my_invoice_lines.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits.my_invoice_lines.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits.my_invoice_lines.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_invoice_lines.description IS
'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits.my_invoice_lines.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits.my_invoice_lines.unit_amount IS
'What one costs, in major units; NULL where that is not the same for each.';
COMMENT ON COLUMN credits.my_invoice_lines.amount IS 'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits.my_invoice_lines.discount IS 'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits.my_invoice_lines.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits.my_invoice_lines.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits.my_invoice_lines.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits.my_invoice_lines.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits.my_invoice_lines.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits.my_invoice_lines.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.my_invoice_lines.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits.my_invoice_lines.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits.my_invoice_lines.period_end IS 'Until when it is for.';
