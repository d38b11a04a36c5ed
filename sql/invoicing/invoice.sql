-- Invoices: what a customer owes for what, and what became of it.

CREATE TYPE credits.invoice AS (
    customer_id text, invoice_id uuid, number text, status text, billing_reason text, currency text,
    description text, subtotal numeric, discount numeric, tax numeric, total numeric, total_excluding_tax
    numeric, amount_due numeric, amount_paid numeric, amount_remaining numeric, tax_rate numeric, due_date
    timestamptz, days_until_due integer, customer_name text, customer_email text, footer text, custom_fields
    jsonb, metadata jsonb, created_at timestamptz, updated_at timestamptz, finalized_at timestamptz, paid_at
    timestamptz, voided_at timestamptz, marked_uncollectible_at timestamptz, collection_method text, shipping numeric,
    customer_phone text, customer_address jsonb, payment_intent_id uuid, hosted_invoice_url text,
    amount_refunded numeric, replayed boolean);
COMMENT ON TYPE credits.invoice IS
'An invoice, as functions return it. The view invoices has all of them.';
COMMENT ON COLUMN credits.invoice.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.invoice.number IS
'Its number: a prefix of the customer''s and a sequence without gaps; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.invoice.billing_reason IS
'Why it was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'', or
''subscription_create'', ''_cycle'' or ''_update''.';
COMMENT ON COLUMN credits.invoice.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.invoice.description IS 'For people.';
COMMENT ON COLUMN credits.invoice.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.invoice.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits.invoice.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.invoice.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits.invoice.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits.invoice.amount_due IS 'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits.invoice.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits.invoice.amount_remaining IS 'What is still to be paid.';
COMMENT ON COLUMN credits.invoice.tax_rate IS 'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.invoice.due_date IS
'When it is due; NULL where nobody said, and in a draft that is due so many days after.';
COMMENT ON COLUMN credits.invoice.days_until_due IS
'How many days after it gets its number it is due; NULL where due_date says it.';
COMMENT ON COLUMN credits.invoice.customer_name IS 'The customer''s name when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.customer_email IS 'The customer''s address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits.invoice.custom_fields IS 'For people: an array of objects with name and value.';
COMMENT ON COLUMN credits.invoice.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoice.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoice.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoice.finalized_at IS 'When it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.paid_at IS 'When all of it was paid; NULL until then.';
COMMENT ON COLUMN credits.invoice.voided_at IS 'When it was voided; NULL where it was not.';
COMMENT ON COLUMN credits.invoice.marked_uncollectible_at IS 'When it was given up; NULL where it was not.';
COMMENT ON COLUMN credits.invoice.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.invoice.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits.invoice.customer_phone IS 'The customer''s number when it got its own; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.customer_address IS
'The customer''s postal address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.payment_intent_id IS
'The payment intent that pays it, or is to; NULL where nothing is to come from a provider.';
COMMENT ON COLUMN credits.invoice.hosted_invoice_url IS
'Where the customer pays it: the provider''s template; NULL where there is none.';
COMMENT ON COLUMN credits.invoice.amount_refunded IS 'What was paid back through its payment intents.';
COMMENT ON COLUMN credits.invoice.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.invoice_create(
    customer_id text, lines jsonb DEFAULT NULL, currency text DEFAULT NULL, description text DEFAULT NULL,
    due_date timestamptz DEFAULT NULL, days_until_due integer DEFAULT NULL, tax_rate numeric DEFAULT NULL,
    discount numeric DEFAULT NULL, auto_finalize boolean DEFAULT false, pending_items text DEFAULT 'include',
    footer text DEFAULT NULL, custom_fields jsonb DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL, collection_method text DEFAULT 'charge_automatically',
    billing_reason text DEFAULT 'manual')
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_create_wrapper';
COMMENT ON FUNCTION credits.invoice_create IS
'Creates an invoice as a draft, of lines and of what is pending.

customer_id: the customer, who is created where missing.
lines: an array of at most 1,000 objects, one per line; NULL for what is pending alone.
currency: the currency of the amounts, of money or credits; NULL for that of the prices, else the default currency.
description: for people.
due_date: when it is due; NULL where days_until_due says it, or nobody.
days_until_due: how many days after it is finalized it is due, 0 to 3,650.
tax_rate: in percent, of lines that have none of their own; NULL for the customer''s, or none.
discount: an amount off all lines.
auto_finalize: whether it is finalized at once.
pending_items: ''include'' takes what is pending in the currency, ''exclude'' leaves it.
footer: for people, below the lines.
custom_fields: for people: an array of at most 20 objects, each with name and value.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
collection_method: ''charge_automatically'': where the customer has a default payment method, a worker is asked to
  charge it when the invoice is finalized, and what is due in credits is paid from the wallet; ''send_invoice'': nobody
  is asked.
billing_reason: ''manual'', ''deposit'' for money that is to be given back, or ''overdraft_protection'': a deposit that
  subscriptions with overdraft_protection use before others.

A line is by price or by hand. By price it has price_id, and quantity (1 where left out). By hand it has one of: amount;
unit_amount, with up to 12 decimals, and quantity; pricing, as of meters, and quantity. An amount below zero gives
something back. Each may have description, discount (an amount off this line), tax_rate, tax_behavior (''exclusive'',
the default: on top of the amount, or ''inclusive'': in it), period (an object with start and end) and metadata.

A line is rounded once. Tax is rounded once per rate and behaviour, on the sum of the lines after discounts. What is
split over lines adds up to the last digit.

Raises PC001, PC002, PC003, PC007, PC008, PC013, PC015, PC017, PC019, PC021.
Example: SELECT invoice_id, total FROM credits.invoice_create(''ann'', currency => ''USD'', tax_rate => 19,
  lines => ''[{"unit_amount": 120, "quantity": 2, "description": "Consulting, hours"}]'');';

CREATE FUNCTION credits.invoice_finalize(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_finalize_wrapper';
COMMENT ON FUNCTION credits.invoice_finalize IS
'Gives an invoice out: a draft gets its number and the customer''s name and address, and is open.

customer_id: the customer.
invoice_id: the invoice.

Its payment intent begins: the customer pays at hosted_invoice_url, or the worker that charges is asked for it with an
outbox row ''payment.requested''.

What is due in credits is taken from the wallet in the same transaction, and the invoice is paid: where the wallet has
too little, it stays a draft (PC001). With collection_method ''send_invoice'' it is open until invoice_pay() takes it.

Its lines and amounts never change after that. The number is the next of the customer''s sequence, which has no gaps.
One of which nothing is to be paid is paid at once; what is left of a total below zero is pending for the next invoice
in its currency, and never becomes credits. Units of prices that have a quantity_available are taken; where too few are
left, it stays a draft (PC017).

One that was finalized before is returned as it is, with replayed = true.

Raises PC001, PC003, PC007, PC008, PC013, PC017, PC019, PC020, PC021.
Example: SELECT number, status FROM credits.invoice_finalize(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''new invoice''));';

CREATE FUNCTION credits.invoice_pay(
    customer_id text, invoice_id uuid, paid_from text, amount numeric DEFAULT NULL, reference text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_pay_wrapper';
COMMENT ON FUNCTION credits.invoice_pay IS
'Applies money to an invoice, all that remains or a part.

customer_id: the customer.
invoice_id: the invoice.
paid_from: ''wallet'' debits the customer''s account in the invoice''s currency; ''outside'' records money that came
  otherwise; ''provider'' asks the worker that charges for all that remains, again after a failure.
amount: how much, at most what remains; NULL for all that remains.
reference: for money from outside, what it is called there; required for that.
idempotency_key: a repeat with the same key returns the invoice with replayed = true; NULL for none.

Once nothing remains it is paid, for good: lines whose price grants credits do so in the same transaction, once, each
with what was paid for it, without tax, as its cost; credits last from this moment. One that was given up as
uncollectible can still be paid.

''provider'' applies nothing by itself: the payment is reported later. Where a payment is asked for or under way, or the
customer has no default payment method, it changes nothing. While money is on its way from a provider nothing else can
be applied (PC020); afterwards the payment intent is for what remains.

operation_reverse() does not take such a debit back: invoice_void() does, of an invoice that is not paid in full.

PC001 is a wallet with too little. PC007 is also more than remains, and credits that the account has no room for.
PC020 is an invoice that is not open.

Raises PC001, PC002, PC003, PC007, PC008, PC013, PC019, PC020, PC021.
Example: SELECT status, amount_remaining FROM credits.invoice_pay(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''), ''outside'',
  reference => ''Transfer 4711'');';

CREATE FUNCTION credits.invoice_void(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_void_wrapper';
COMMENT ON FUNCTION credits.invoice_void IS
'Voids an invoice that is not paid, as if it had never been given out. It keeps its number.

customer_id: the customer.
invoice_id: the invoice.

What the wallet paid goes back to the grants that paid it. What an earlier invoice left over, and this one had taken,
is pending again; its other lines are gone. Units of prices that it had taken are for sale again.

PC020 is a draft (invoice_delete() is for that), a paid invoice, and one to which money from outside was applied: give
that back first, and mark the invoice as uncollectible. A repeat is returned with replayed = true.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.invoice_void(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''));';

CREATE FUNCTION credits.invoice_mark_uncollectible(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_mark_uncollectible_wrapper';
COMMENT ON FUNCTION credits.invoice_mark_uncollectible IS
'Gives up an open invoice. It can still be paid.

customer_id: the customer.
invoice_id: the invoice.

A repeat is returned with replayed = true.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.invoice_mark_uncollectible(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''));';

CREATE FUNCTION credits.invoice_update(
    customer_id text, invoice_id uuid, description text DEFAULT NULL, due_date timestamptz DEFAULT NULL,
    days_until_due integer DEFAULT NULL, tax_rate numeric DEFAULT NULL, discount numeric DEFAULT NULL,
    lines jsonb DEFAULT NULL, footer text DEFAULT NULL, custom_fields jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_update_wrapper';
COMMENT ON FUNCTION credits.invoice_update IS
'Changes an invoice. NULL leaves a thing as it is.

customer_id: the customer.
invoice_id: the invoice.
description: for people.
due_date: when it is due; ''infinity'' for nobody says.
days_until_due: how many days after it is finalized it is due.
tax_rate: in percent, of lines that have none of their own.
discount: an amount off all lines.
lines: replaces the lines that were given with the draft; those that it took from what was pending stay.
footer: for people, below the lines.
custom_fields: for people: an array of at most 20 objects, each with name and value.
metadata: the application''s own data.

A draft can be changed in all of it. One that is open or uncollectible keeps what it comes to: description, due_date
and metadata can change. Of one that is paid or void, metadata can. All else is PC020.

Raises PC003, PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT due_date FROM credits.invoice_update(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''),
  due_date => now() + interval ''30 days'');';

CREATE FUNCTION credits.invoice_delete(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_delete_wrapper';
COMMENT ON FUNCTION credits.invoice_delete IS
'Deletes a draft. What it had taken from what was pending is pending again.

customer_id: the customer.
invoice_id: the invoice.

It returns what was there. PC020 is an invoice that has a number: invoice_void() is for that.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.invoice_delete(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''new invoice''));';

CREATE FUNCTION credits.customer_overdue_invoices(customer_id text)
RETURNS SETOF credits.invoice
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_overdue_invoices_wrapper';
COMMENT ON FUNCTION credits.customer_overdue_invoices IS
'Returns the open invoices of a customer whose due date has passed, the oldest first.

customer_id: the customer.

Raises PC003, PC013.
Example: SELECT number, due_date, amount_remaining FROM credits.customer_overdue_invoices(''ann'');';

CREATE VIEW credits.invoices AS
SELECT i.customer_id, i.invoice_id, i.number, i.status, i.billing_reason, i.currency, i.description, i.subtotal,
       i.discount, i.tax, i.total, i.total_excluding_tax, i.amount_due, i.amount_paid,
       CASE WHEN i.status = 'void' THEN 0 ELSE i.amount_due - i.amount_paid END AS amount_remaining, i.tax_rate,
       i.due_date, i.days_until_due, i.customer_name, i.customer_email, i.footer, i.custom_fields, i.metadata,
       i.created_at, i.updated_at, i.finalized_at, i.paid_at, i.voided_at, i.marked_uncollectible_at,
       i.status = 'open' AND coalesce(i.due_date < credits.clock(), false) AS overdue, i.collection_method, i.shipping,
       i.customer_phone, i.customer_address, p.payment_intent_id, p.checkout_url AS hosted_invoice_url,
       (SELECT coalesce(sum(t.refunded_amount), 0) FROM credits_internal.payment_intents t
        WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id) AS amount_refunded,
       i.seller, i.checkout_session_id, i.coupon_id, i.promotion_code_id,
       CASE WHEN i.coupon_id IS NOT NULL THEN (
           SELECT jsonb_build_array(jsonb_build_object(
               'coupon_id', r.coupon_id, 'coupon_name', i.coupon_name, 'promotion_code_id', r.promotion_code_id,
               'code', c.code, 'amount', r.amount::text))
           FROM credits_internal.redemptions r
           LEFT JOIN credits_internal.promotion_codes c ON c.promotion_code_id = r.promotion_code_id
           WHERE r.customer_id = i.customer_id AND r.holder_id = i.invoice_id) END AS discount_details
FROM credits_internal.invoices i
LEFT JOIN LATERAL (
    SELECT t.payment_intent_id, t.checkout_url FROM credits_internal.payment_intents t
    WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
    ORDER BY t.payment_intent_id DESC LIMIT 1) p ON true;
COMMENT ON VIEW credits.invoices IS
'Invoices at this moment, drafts too. A top-up''s is a draft until it is paid.

What each is for is in the view invoice_lines, what was applied to it in invoice_payments.';
COMMENT ON COLUMN credits.invoices.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoices.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.invoices.number IS
'Its number: a prefix of the customer''s and a sequence without gaps; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.invoices.billing_reason IS
'Why it was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'', or
''subscription_create'', ''_cycle'' or ''_update''.';
COMMENT ON COLUMN credits.invoices.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.invoices.description IS 'For people.';
COMMENT ON COLUMN credits.invoices.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.invoices.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits.invoices.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.invoices.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits.invoices.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits.invoices.amount_due IS 'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits.invoices.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits.invoices.amount_remaining IS 'What is still to be paid.';
COMMENT ON COLUMN credits.invoices.tax_rate IS 'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.invoices.due_date IS
'When it is due; NULL where nobody said, and in a draft that is due so many days after.';
COMMENT ON COLUMN credits.invoices.days_until_due IS
'How many days after it gets its number it is due; NULL where due_date says it.';
COMMENT ON COLUMN credits.invoices.customer_name IS 'The customer''s name when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.customer_email IS
'The customer''s address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits.invoices.custom_fields IS 'For people: an array of objects with name and value.';
COMMENT ON COLUMN credits.invoices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoices.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoices.finalized_at IS 'When it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.paid_at IS 'When all of it was paid; NULL until then.';
COMMENT ON COLUMN credits.invoices.voided_at IS 'When it was voided; NULL where it was not.';
COMMENT ON COLUMN credits.invoices.marked_uncollectible_at IS 'When it was given up; NULL where it was not.';
COMMENT ON COLUMN credits.invoices.overdue IS 'Whether it is open and its due date has passed.';
COMMENT ON COLUMN credits.invoices.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.invoices.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits.invoices.customer_phone IS 'The customer''s number when it got its own; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.customer_address IS
'The customer''s postal address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.payment_intent_id IS
'The payment intent that pays it, or is to; NULL where nothing is to come from a provider.';
COMMENT ON COLUMN credits.invoices.hosted_invoice_url IS
'Where the customer pays it: the provider''s template; NULL where there is none.';
COMMENT ON COLUMN credits.invoices.amount_refunded IS 'What was paid back through its payment intents.';
COMMENT ON COLUMN credits.invoices.seller IS
'Who sold: what credits.invoice_seller said when it got its number; NULL for a draft, and where that said nothing.';
COMMENT ON COLUMN credits.invoices.checkout_session_id IS 'The checkout session that it is for; NULL for none.';
COMMENT ON COLUMN credits.invoices.coupon_id IS 'The coupon that takes something off; NULL for none.';
COMMENT ON COLUMN credits.invoices.promotion_code_id IS 'The promotion code by which it does; NULL for none.';
COMMENT ON COLUMN credits.invoices.discount_details IS
'What takes something off: an array of one object with coupon_id, coupon_name (as it was then), promotion_code_id, code
and amount; NULL for none.';

CREATE VIEW credits.invoice_payments AS
SELECT p.customer_id, p.invoice_id, p.payment_no, p.paid_from, p.amount, i.currency, p.operation_id,
       p.reference, p.created_at, p.reversed_at, p.reversal_id, p.payment_intent_id, p.deposit_id
FROM credits_internal.invoice_payments p
JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id;
COMMENT ON VIEW credits.invoice_payments IS
'Money that was applied to invoices, one row per source.';
COMMENT ON COLUMN credits.invoice_payments.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice_payments.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.invoice_payments.payment_no IS 'Its place among the invoice''s payments, from 1.';
COMMENT ON COLUMN credits.invoice_payments.paid_from IS '''wallet'', ''outside'', ''provider'' or ''deposit''.';
COMMENT ON COLUMN credits.invoice_payments.amount IS 'How much.';
COMMENT ON COLUMN credits.invoice_payments.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.invoice_payments.operation_id IS
'The debit, where the wallet paid: the ledger''s lines name it.';
COMMENT ON COLUMN credits.invoice_payments.reference IS
'What the application calls it, where the money came from outside.';
COMMENT ON COLUMN credits.invoice_payments.created_at IS 'When it was applied.';
COMMENT ON COLUMN credits.invoice_payments.reversed_at IS
'When it was given back, since the invoice is void; NULL where it stands.';
COMMENT ON COLUMN credits.invoice_payments.reversal_id IS 'The operation that gave it back.';
COMMENT ON COLUMN credits.invoice_payments.payment_intent_id IS
'The payment intent, where a provider took the money; NULL otherwise.';
COMMENT ON COLUMN credits.invoice_payments.deposit_id IS
'The invoice of the deposit, where that paid what a subscription owed; NULL otherwise.';

CREATE VIEW credits.my_invoices WITH (security_barrier) AS
SELECT i.invoice_id, i.number, i.status, i.currency, i.description, i.subtotal, i.discount, i.tax, i.total,
       i.total_excluding_tax, i.amount_due, i.amount_paid,
       CASE WHEN i.status = 'void' THEN 0 ELSE i.amount_due - i.amount_paid END AS amount_remaining, i.due_date,
       i.customer_name, i.customer_email, i.footer, i.custom_fields, i.finalized_at, i.paid_at, i.shipping,
       i.customer_phone, i.customer_address, p.checkout_url AS hosted_invoice_url, i.seller
FROM credits_internal.invoices i
LEFT JOIN LATERAL (
    SELECT t.checkout_url FROM credits_internal.payment_intents t
    WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
    ORDER BY t.payment_intent_id DESC LIMIT 1) p ON true
WHERE i.customer_id = (SELECT credits.current_customer()) AND i.status <> 'draft';
COMMENT ON VIEW credits.my_invoices IS
'The invoices of credits.current_customer, except drafts.

They show what is written on them: description, footer and custom_fields.';
COMMENT ON COLUMN credits.my_invoices.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.my_invoices.number IS
'Its number: a prefix of the customer''s and a sequence without gaps; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.my_invoices.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.my_invoices.description IS 'For people.';
COMMENT ON COLUMN credits.my_invoices.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.my_invoices.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits.my_invoices.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.my_invoices.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits.my_invoices.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits.my_invoices.amount_due IS 'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits.my_invoices.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits.my_invoices.amount_remaining IS 'What is still to be paid.';
COMMENT ON COLUMN credits.my_invoices.due_date IS
'When it is due; NULL where nobody said, and in a draft that is due so many days after.';
COMMENT ON COLUMN credits.my_invoices.customer_name IS 'The customer''s name when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.customer_email IS
'The customer''s address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits.my_invoices.custom_fields IS 'For people: an array of objects with name and value.';
COMMENT ON COLUMN credits.my_invoices.finalized_at IS 'When it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.paid_at IS 'When all of it was paid; NULL until then.';
COMMENT ON COLUMN credits.my_invoices.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits.my_invoices.customer_phone IS 'The customer''s number when the invoice got its own.';
COMMENT ON COLUMN credits.my_invoices.customer_address IS 'The customer''s postal address when it got its number.';
COMMENT ON COLUMN credits.my_invoices.seller IS 'Who sold; NULL where nobody said.';
COMMENT ON COLUMN credits.my_invoices.hosted_invoice_url IS 'Where to pay it; NULL where nobody said.';
