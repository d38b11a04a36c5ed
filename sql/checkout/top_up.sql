-- Top-ups.

CREATE TYPE credits.top_up AS (
    top_up_id uuid, status text, checkout_url text, expires_at timestamptz, credits numeric, credit_currency text,
    amount numeric, currency text, rate numeric, grant_id uuid, replayed boolean, redirect_url text,
    created_at timestamptz);
COMMENT ON TYPE credits.top_up IS
'A top-up and where to pay for it, as top_up_create() returns it. The view top_ups has all of them.';
COMMENT ON COLUMN credits.top_up.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.top_up.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.top_up.checkout_url IS
'Where the customer pays; NULL where neither the provider nor the recharge configuration says.';
COMMENT ON COLUMN credits.top_up.expires_at IS 'Until when it is to be paid; a later payment is granted all the same.';
COMMENT ON COLUMN credits.top_up.credits IS 'Credits that it buys.';
COMMENT ON COLUMN credits.top_up.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.top_up.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.top_up.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.top_up.rate IS 'The price of one credit; NULL where it was bought by price.';
COMMENT ON COLUMN credits.top_up.grant_id IS 'The grant that it created; NULL until it is paid.';
COMMENT ON COLUMN credits.top_up.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.top_up.redirect_url IS
'Where to send the customer: the same as checkout_url, as wallet services call it.';
COMMENT ON COLUMN credits.top_up.created_at IS 'When it was created.';

CREATE FUNCTION credits.top_up_create(
    customer_id text, price_id uuid DEFAULT NULL, amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    quantity integer DEFAULT 1, credit_currency text DEFAULT NULL, rate numeric DEFAULT NULL,
    return_url text DEFAULT NULL, failure_url text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    provider text DEFAULT NULL, expires_in interval DEFAULT '1 day', description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.top_up
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'top_up_create_wrapper';
COMMENT ON FUNCTION credits.top_up_create IS
'Begins a purchase of credits and returns where to pay for it.

customer_id: the customer, who is created where missing.
price_id: the price; NULL to buy by amount.
amount: how much to pay, in major units; NULL to buy by price_id.
currency: the currency that is paid.
quantity: how many units of the price.
credit_currency: the currency of the credits; NULL for currency itself, one for one.
rate: the price of one credit; NULL for the exchange rate of this moment.
return_url: where the customer goes once it is paid.
failure_url: where the customer goes when it is not.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
provider: who takes the payment; NULL for the only one that is set.
expires_in: how long it waits to be paid; a later payment is granted all the same.
description: for people.
metadata: the application''s own data.

It grants nothing before payment_succeeded(). Either price_id and quantity say what is bought, or amount and currency:
then credits are amount / rate, rounded down.

return_url and failure_url are http or https addresses of at most 2,048 visible ASCII characters, without user name,
backslash, quotation mark, < and >. All else is percent-encoded, and a host in other letters written as xn--.

checkout_url is the provider''s template or the recharge configuration''s, with {top_up_id}, {customer_id},
{invoice_id}, {amount}, {minor_units}, {currency}, {credits}, {return_url} and {failure_url} filled in; NULL where there
is neither.

PC007 is also an amount outside of what the currencies allow, and credits that the account has no room for: all that
it was ever granted has at most 28 digits.

Raises PC002, PC007, PC008, PC013, PC015.
Example: SELECT top_up_id, checkout_url FROM credits.top_up_create(''ann'', (SELECT price_id FROM credits.packages));';

CREATE FUNCTION credits.top_up_expire(customer_id text, top_up_id uuid)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'top_up_expire_wrapper';
COMMENT ON FUNCTION credits.top_up_expire IS
'Gives up a top-up that nobody paid.

customer_id: the customer.
top_up_id: the top-up.

One that is paid stays paid; one that is paid later is granted all the same.

Raises PC013, PC014.
Example: SELECT * FROM credits.top_up_expire(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''));';

-- Each has an invoice and its line. As LEFT JOINs, and with a condition that leaves them so and that half of the rows
-- fulfil, as far as the planner knows, a page of them is read from an index.
CREATE VIEW credits.top_ups AS
SELECT t.customer_id, t.payment_intent_id AS top_up_id,
       CASE WHEN t.status = 'succeeded' THEN CASE WHEN t.is_refunded THEN 'refunded' ELSE 'paid' END
            WHEN t.status = 'canceled' THEN 'expired'
            WHEN t.failed_at IS NOT NULL THEN 'failed'
            WHEN t.expires_at <= credits.clock() THEN 'expired' ELSE 'initiated' END AS status,
       l.price_id, l.grant_name AS name,
       CASE WHEN l.price_id IS NULL THEN 1 ELSE l.quantity::integer END AS quantity, t.amount, t.currency, l.credits,
       l.credit_currency, CASE WHEN l.price_id IS NULL THEN l.unit_amount END AS rate, t.provider, t.provider_reference,
       l.grant_id, t.recharge_id, t.paid_amount, t.refunded_amount, t.disputed_amount, t.dispute_status, l.reclaimed,
       t.description, t.metadata, t.created_at, t.expires_at, t.paid_at, t.due_amount, t.checkout_url, t.invoice_id,
       t.status AS payment_status
FROM credits_internal.payment_intents t
LEFT JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id
LEFT JOIN credits_internal.invoice_lines l ON l.customer_id = t.customer_id AND l.invoice_id = t.invoice_id
WHERE CASE WHEN i.billing_reason IN ('recharge', 'auto_recharge') THEN true ELSE false END;
COMMENT ON VIEW credits.top_ups IS
'Top-ups at this moment, one row per purchase. Each is the payment intent of an invoice with one line.

That of an auto-recharge is here from when its worker began with it (recharge_begin) or its payment was reported.

Each of its payments is in the view top_up_payments, everything that was reported of them in payment_log.';
COMMENT ON COLUMN credits.top_ups.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.top_ups.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.top_ups.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.top_ups.price_id IS 'The price; NULL where it was bought by amount.';
COMMENT ON COLUMN credits.top_ups.name IS 'The name of its grant.';
COMMENT ON COLUMN credits.top_ups.quantity IS 'How many units.';
COMMENT ON COLUMN credits.top_ups.amount IS 'What it costs, in major units.';
COMMENT ON COLUMN credits.top_ups.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.top_ups.credits IS 'Credits that it buys.';
COMMENT ON COLUMN credits.top_ups.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.top_ups.rate IS 'The price of one credit; NULL where it was bought by price.';
COMMENT ON COLUMN credits.top_ups.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.top_ups.provider_reference IS 'The provider''s reference of it.';
COMMENT ON COLUMN credits.top_ups.grant_id IS 'The grant that it created; NULL until it is paid.';
COMMENT ON COLUMN credits.top_ups.recharge_id IS 'The auto-recharge that asked for it; NULL where a person did.';
COMMENT ON COLUMN credits.top_ups.paid_amount IS 'What was paid in all payments, in major units; NULL before any.';
COMMENT ON COLUMN credits.top_ups.refunded_amount IS 'What was paid back, in major units.';
COMMENT ON COLUMN credits.top_ups.disputed_amount IS 'What open and lost disputes come to, in major units.';
COMMENT ON COLUMN credits.top_ups.dispute_status IS 'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits.top_ups.reclaimed IS 'Credits that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits.top_ups.description IS 'For people.';
COMMENT ON COLUMN credits.top_ups.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.top_ups.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.top_ups.expires_at IS 'Until when it is to be paid; a later payment is granted all the same.';
COMMENT ON COLUMN credits.top_ups.paid_at IS 'When its credits were granted.';
COMMENT ON COLUMN credits.top_ups.due_amount IS
'What is due, excluding a tax in the price and the provider''s discount, in major units.';
COMMENT ON COLUMN credits.top_ups.checkout_url IS
'Where the customer pays; NULL where neither the provider nor the recharge configuration says.';
COMMENT ON COLUMN credits.top_ups.invoice_id IS 'Its invoice: a draft until it is paid.';
COMMENT ON COLUMN credits.top_ups.payment_status IS
'How far its payment intent has come: ''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or
''canceled''.';

CREATE VIEW credits.top_up_payments AS
SELECT p.customer_id, p.top_up_id, p.payment_no, p.provider, p.provider_reference, p.paid_amount, t.currency, p.tax,
       p.shipping,
       p.discount, p.refunded_amount, p.disputed_amount,
       greatest(p.paid_amount - p.refunded_amount - p.disputed_amount, 0) AS remaining_amount
FROM credits_internal.payment_totals p
JOIN credits_internal.payment_intents t ON t.customer_id = p.customer_id AND t.payment_intent_id = p.top_up_id;
COMMENT ON VIEW credits.top_up_payments IS
'Payments of top-ups and of other payment intents, each with its refunds and disputes.

A refund or dispute that names no payment counts for the latest with money left.';
COMMENT ON COLUMN credits.top_up_payments.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.top_up_payments.top_up_id IS 'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.top_up_payments.payment_no IS 'Its place among the top-up''s payments.';
COMMENT ON COLUMN credits.top_up_payments.provider IS 'Who took it.';
COMMENT ON COLUMN credits.top_up_payments.provider_reference IS 'The provider''s reference of it.';
COMMENT ON COLUMN credits.top_up_payments.paid_amount IS
'How much, in major units; NULL while only a refund or dispute names it.';
COMMENT ON COLUMN credits.top_up_payments.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.top_up_payments.tax IS 'Tax that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.top_up_payments.shipping IS
'Shipping that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.top_up_payments.discount IS
'What the provider took off the price, in major units; NULL for nothing.';
COMMENT ON COLUMN credits.top_up_payments.refunded_amount IS 'What was paid back, in major units.';
COMMENT ON COLUMN credits.top_up_payments.disputed_amount IS 'What open and lost disputes come to, in major units.';
COMMENT ON COLUMN credits.top_up_payments.remaining_amount IS
'What is left of it after refunds and disputes, in major units.';
