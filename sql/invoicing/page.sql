-- Pages of invoices, for people.

CREATE FUNCTION credits.invoice_html(customer_id text, invoice_id uuid)
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_html_wrapper';
COMMENT ON FUNCTION credits.invoice_html IS
'Returns an invoice as one page of HTML, for a browser and fit to print.

customer_id: the customer.
invoice_id: the invoice.

It shows both sides, number and dates, lines with their discounts, tax per rate, what was paid and from where, what went
back, what remains and where to pay it, description, footer and custom_fields; never metadata. A draft and a void
invoice say so. Who sells is credits.invoice_seller as it was when the invoice got its number. Dates are in UTC.

The page is complete: it loads nothing, runs nothing, and forbids both. Whatever is written on the invoice is shown as
text. Serve it as text/html in UTF-8.

It changes nothing, and works on a standby.

Raises PC013, PC019.
Example: SELECT length(credits.invoice_html(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''))) > 0;';

CREATE FUNCTION credits.my_invoice_html(invoice_id uuid)
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'my_invoice_html_wrapper';
COMMENT ON FUNCTION credits.my_invoice_html IS
'Returns an invoice of credits.current_customer as invoice_html() does, for a customer''s own login.

invoice_id: the invoice, one of those that my_invoices shows.

PC019 is any other, also a draft, and where nobody is named.

Raises PC013, PC019.
Example: SELECT length(credits.my_invoice_html(i.invoice_id)) > 0 FROM credits.my_invoices i;';
