-- Checkout sessions: carts, and what became of them.

CREATE TYPE credits.checkout_session AS (
    customer_id text, checkout_session_id uuid, mode text, status text, payment_status text, currency text,
    amount_subtotal numeric, amount_discount numeric, amount_tax numeric, amount_total numeric, line_items jsonb,
    url text, success_url text, cancel_url text, client_reference_id text, allow_promotion_codes boolean,
    tax_rate numeric, collection_method text, payment_link_id uuid, invoice_id uuid, payment_intent_id uuid,
    checkout_url text, metadata jsonb, created_at timestamptz, updated_at timestamptz, expires_at timestamptz,
    submitted_at timestamptz, completed_at timestamptz, replayed boolean, discounts jsonb, subscription_id uuid,
    subscription_data jsonb);
COMMENT ON TYPE credits.checkout_session IS
'A checkout session, as functions return it. The view checkout_sessions has all of them.';
COMMENT ON COLUMN credits.checkout_session.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.checkout_session.checkout_session_id IS
'The checkout session. Its payment intent has the same id.';
COMMENT ON COLUMN credits.checkout_session.mode IS '''payment'', or ''subscription'' where it begins one.';
COMMENT ON COLUMN credits.checkout_session.status IS
'''open'', ''complete'' (paid, or nothing was to be paid) or ''expired''.';
COMMENT ON COLUMN credits.checkout_session.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits.checkout_session.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.checkout_session.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.checkout_session.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits.checkout_session.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.checkout_session.amount_total IS 'What is to be paid, or was.';
COMMENT ON COLUMN credits.checkout_session.line_items IS
'What is in the cart: per item price_id, quantity and what else was given, with its name, amount, amount_discount and
amount_tax, and credits of credit_currency where its payment grants some.';
COMMENT ON COLUMN credits.checkout_session.url IS
'Where the customer finds it: credits.checkout_url with a signed token, else checkout_url; NULL where neither is
there.';
COMMENT ON COLUMN credits.checkout_session.success_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits.checkout_session.cancel_url IS 'Where the customer goes to leave it.';
COMMENT ON COLUMN credits.checkout_session.client_reference_id IS 'What the application calls it.';
COMMENT ON COLUMN credits.checkout_session.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits.checkout_session.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.checkout_session.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.checkout_session.payment_link_id IS 'The payment link that opened it; NULL for none.';
COMMENT ON COLUMN credits.checkout_session.invoice_id IS
'Its invoice, a draft until it is paid; NULL until it is submitted, and where a trial is all there is.';
COMMENT ON COLUMN credits.checkout_session.payment_intent_id IS
'What is to pay it, or paid it; NULL until it is submitted, and where no provider''s money is needed.';
COMMENT ON COLUMN credits.checkout_session.checkout_url IS
'Where the provider takes the payment: its template; NULL until it is submitted, and where there is none.';
COMMENT ON COLUMN credits.checkout_session.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.checkout_session.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.checkout_session.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.checkout_session.expires_at IS
'When it ends unless it is complete by then, or its payment under way.';
COMMENT ON COLUMN credits.checkout_session.submitted_at IS 'When it was first submitted; NULL until then.';
COMMENT ON COLUMN credits.checkout_session.completed_at IS
'When it was paid, or there was nothing to pay; NULL until then.';
COMMENT ON COLUMN credits.checkout_session.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.checkout_session.discounts IS
'What takes something off: an array of at most one object with coupon_id, promotion_code_id, code and amount; NULL for
nothing.';
COMMENT ON COLUMN credits.checkout_session.subscription_id IS
'The subscription that it began; NULL until it is submitted, and where it begins none.';
COMMENT ON COLUMN credits.checkout_session.subscription_data IS
'What was said of the subscription that it begins; NULL where it begins none.';

CREATE FUNCTION credits.checkout_session_create(
    customer_id text, mode text DEFAULT 'payment', line_items jsonb DEFAULT NULL, currency text DEFAULT NULL,
    discounts jsonb DEFAULT NULL, allow_promotion_codes boolean DEFAULT false, success_url text DEFAULT NULL,
    cancel_url text DEFAULT NULL, client_reference_id text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    tax_rate numeric DEFAULT NULL, collection_method text DEFAULT 'charge_automatically', provider text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, subscription_data jsonb DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_create_wrapper';
COMMENT ON FUNCTION credits.checkout_session_create IS
'Begins a checkout: a cart of prices that are paid once, or of a subscription, and what it comes to.

customer_id: the customer, who is created where missing.
mode: ''payment''; or ''subscription'', where line_items have recurring prices of one interval, with prices that are
  paid once besides or without.
line_items: an array of 1 to 100 objects, one per price; required.
currency: the currency of the amounts; NULL for that of the first price. All prices must be in it.
discounts: an array of at most one object with coupon, promotion_code (their ids) or code, and, where that is attested,
  verification_method and verification_data; NULL for none.
allow_promotion_codes: whether the customer may enter a code: checkout_session_apply_promotion_code().
success_url: where the customer goes once it is paid.
cancel_url: where the customer goes to leave it.
client_reference_id: what the application calls it.
expires_at: when it ends unless it is complete by then; NULL for a day from now.
tax_rate: in percent, of lines that have none of their own; NULL for the customer''s, or none.
collection_method: ''charge_automatically'': where the customer has a default payment method, a worker is asked to
  charge it when the session is submitted; ''send_invoice'': nobody is asked, and the customer pays.
provider: who takes the payment; NULL for the only one that is set.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
subscription_data: of the mode ''subscription'': an object with trial_period_days or trial_end, trial_end_behavior,
  billing_cycle_anchor, days_until_due, days_until_cancel, proration_behavior, cancel_at_period_end, description and
  metadata, as subscription_create() takes them; times are texts with their offset. And service_actions, an array of
  objects, each with trigger_events, names of events of subscriptions: those events have it in their data.

An item has price_id or lookup_key, and quantity (1 where left out). It may have adjustable_quantity, an object with
minimum and maximum between which the customer may change the quantity; custom_amount, what it costs in all instead of
what the price says; description, tax_rate, tax_behavior and metadata, as lines of invoice_create(). Of a recurring
price it has only quantity, adjustable_quantity and metadata.

A subscription begins when the session is submitted. Its amounts are those of the first invoice: of a whole period, or
of what is left of one before billing_cycle_anchor; of a trial nothing. Its discount is the subscription''s, and goes on
as long as the coupon says.

url opens the checkout page credits.checkout_url with a token that says which session of whom it is:
checkout_session_verify() reads it. What is in the cart can be changed with checkout_session_update() until
checkout_session_submit() makes an invoice and a payment intent of it. Its amounts are fixed: the prices in a cart count
as used. A discount is judged now and again when the session is submitted, which reserves it.

Raises PC002, PC007, PC008, PC013, PC015, PC016, PC018, PC019.
Example: SELECT status, amount_total FROM credits.checkout_session_create(''ben'', line_items => jsonb_build_array(
  jsonb_build_object(''price_id'', (SELECT price_id FROM credits.prices LIMIT 1), ''quantity'', 2)));';

CREATE FUNCTION credits.checkout_session_verify(token text)
RETURNS credits.checkout_session
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_verify_wrapper';
COMMENT ON FUNCTION credits.checkout_session_verify IS
'Returns the checkout session that a token opens, as it is now.

token: the token of its url.

PC012 is a token that was changed, or was not made in this database with its present key: checkout_session_update()
signs a new url.

Raises PC012, PC013, PC019.
Example: SELECT v.customer_id, v.status FROM credits.checkout_sessions s,
  credits.checkout_session_verify(split_part(s.url, ''token='', 2)) v WHERE s.client_reference_id = ''new session'';';

CREATE FUNCTION credits.checkout_session_update(
    customer_id text, checkout_session_id uuid, line_items jsonb DEFAULT NULL, quantities jsonb DEFAULT NULL,
    allow_promotion_codes boolean DEFAULT NULL, success_url text DEFAULT NULL, cancel_url text DEFAULT NULL,
    client_reference_id text DEFAULT NULL, expires_at timestamptz DEFAULT NULL, tax_rate numeric DEFAULT NULL,
    collection_method text DEFAULT NULL, metadata jsonb DEFAULT NULL, subscription_data jsonb DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_update_wrapper';
COMMENT ON FUNCTION credits.checkout_session_update IS
'Changes a checkout session. NULL leaves a thing as it is.

customer_id: the customer.
checkout_session_id: the checkout session.
line_items: replaces what is in the cart.
quantities: an object of how many, by price_id or lookup_key, as the customer chose them: only of items with an
  adjustable_quantity, and between its minimum and maximum.
allow_promotion_codes: whether the customer may enter a code.
success_url: where the customer goes once it is paid.
cancel_url: where the customer goes to leave it.
client_reference_id: what the application calls it.
expires_at: when it ends.
tax_rate: in percent, of lines that have none of their own: once the customer''s address is known, for one.
collection_method: ''charge_automatically'' or ''send_invoice''.
metadata: the application''s own data.
subscription_data: replaces what was said of the subscription that it begins.

Once it is submitted, or over, only client_reference_id and metadata can change; all else is PC020. The url of one that
is open is signed anew. A discount stays, and is worked out anew; PC016 where what is in the cart rules it out now.

Raises PC003, PC007, PC008, PC013, PC015, PC016, PC019, PC020.
Example: SELECT amount_total FROM credits.checkout_session_update(''ben'', (SELECT checkout_session_id
  FROM credits.checkout_sessions WHERE client_reference_id = ''new session''), tax_rate => 19);';

CREATE FUNCTION credits.checkout_session_apply_promotion_code(
    customer_id text, checkout_session_id uuid, promotion_code text, verification_method text DEFAULT NULL,
    verification_data jsonb DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_apply_promotion_code_wrapper';
COMMENT ON FUNCTION credits.checkout_session_apply_promotion_code IS
'Takes a promotion code off a checkout session, in place of the discount that it has.

customer_id: the customer.
checkout_session_id: the checkout session, which must have allow_promotion_codes.
promotion_code: what the customer typed in.
verification_method: where the code is attested: how the application knows.
verification_data: and what, as an object.

PC016 says why a code is not good for it. The code is judged again, and reserved, when the session is submitted: until
then others may use the last of it.

Raises PC003, PC013, PC016, PC019, PC020.
Example: SELECT amount_discount, amount_total FROM credits.checkout_session_apply_promotion_code(''ben'', (SELECT
  checkout_session_id FROM credits.checkout_sessions WHERE client_reference_id = ''new session''), ''SPRING'');';

CREATE FUNCTION credits.checkout_session_remove_promotion_code(customer_id text, checkout_session_id uuid)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_remove_promotion_code_wrapper';
COMMENT ON FUNCTION credits.checkout_session_remove_promotion_code IS
'Removes the discount of a checkout session.

customer_id: the customer.
checkout_session_id: the checkout session.

A session without one is returned with replayed = true.

Raises PC003, PC013, PC019, PC020.
Example: SELECT amount_discount, amount_total FROM credits.checkout_session_remove_promotion_code(''ben'',
  (SELECT checkout_session_id FROM credits.checkout_sessions WHERE client_reference_id = ''new session''));';

CREATE FUNCTION credits.checkout_session_submit(customer_id text, checkout_session_id uuid)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_submit_wrapper';
COMMENT ON FUNCTION credits.checkout_session_submit IS
'Submits a checkout session: what is in the cart becomes an invoice, as a draft, with a payment intent.

customer_id: the customer.
checkout_session_id: the checkout session.

Units of prices that have a quantity_available are reserved until it ends, and stay so while a payment is under way.
The customer pays at checkout_url, or the worker that charges is asked for it with an outbox row ''payment.requested''.
The payment, which names the session''s id as its payment_intent_id or checkout_session_id, completes it: the invoice
is given out, and what its lines are for is granted. Where nothing is to be paid, or the price is in credits, which the
wallet pays, it is complete at once.

A discount is judged anew and reserved likewise.

Of the mode ''subscription'' the subscription begins, incomplete until the first invoice is paid. It ends with the
session; the session ends at the latest with the first period. Where a trial is all there is, both go on at once.

A repeat returns it with replayed = true; after a payment that failed it judges and reserves again, and asks again.
PC020 is one that has expired, PC016 a discount that is no longer good for it, PC017 a price of which too few are left,
PC018 a customer with invoices that are overdue.

Raises PC001, PC003, PC007, PC008, PC013, PC015, PC016, PC017, PC018, PC019, PC020, PC021.
Example: SELECT status, payment_status FROM credits.checkout_session_submit(''ben'', (SELECT checkout_session_id
  FROM credits.checkout_sessions WHERE client_reference_id = ''new session''));';

CREATE FUNCTION credits.checkout_session_expire(customer_id text, checkout_session_id uuid)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_expire_wrapper';
COMMENT ON FUNCTION credits.checkout_session_expire IS
'Ends a checkout session that is not paid. What was reserved for it is for sale again, and its subscription has expired.

customer_id: the customer.
checkout_session_id: the checkout session.

maintain() does the same once expires_at has passed; readers see it expired from that moment on. A payment that comes
later completes it all the same, unless what it is for is gone, as a subscription is: then the money is asked back.

A repeat is returned with replayed = true. PC020 is one that is complete, or whose payment is under way.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.checkout_session_expire(''ben'', (SELECT checkout_session_id
  FROM credits.checkout_sessions WHERE client_reference_id = ''new session''));';

CREATE VIEW credits.checkout_sessions AS
SELECT s.customer_id, s.checkout_session_id, s.mode,
       CASE WHEN s.status = 'open' AND s.expires_at <= credits.clock() AND NOT s.under_way THEN 'expired'
            ELSE s.status END AS status,
       s.payment_status, s.currency, s.amount_subtotal, s.amount_discount, s.amount_tax, s.amount_total, s.line_items,
       coalesce(s.url, t.checkout_url) AS url, s.success_url, s.cancel_url, s.client_reference_id,
       s.allow_promotion_codes, s.tax_rate, s.collection_method, s.payment_link_id, s.invoice_id,
       t.payment_intent_id, t.checkout_url, s.metadata, s.created_at, s.updated_at, s.expires_at, s.submitted_at,
       s.completed_at, s.expired_at, s.coupon_id, s.promotion_code_id,
       CASE WHEN s.coupon_id IS NOT NULL
            THEN jsonb_build_array(jsonb_build_object('coupon_id', s.coupon_id, 'promotion_code_id',
                     s.promotion_code_id, 'code', s.promotion_code, 'amount', s.amount_off::text)) END AS discounts,
       s.subscription_id, s.subscription_data
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.payment_intents t
       ON t.customer_id = s.customer_id AND t.payment_intent_id = s.checkout_session_id;
COMMENT ON VIEW credits.checkout_sessions IS
'Checkout sessions at this moment: those whose time is over are expired, whether or not maintain() ran since.';
COMMENT ON COLUMN credits.checkout_sessions.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.checkout_sessions.checkout_session_id IS
'The checkout session. Its payment intent has the same id.';
COMMENT ON COLUMN credits.checkout_sessions.mode IS '''payment'', or ''subscription'' where it begins one.';
COMMENT ON COLUMN credits.checkout_sessions.status IS
'''open'', ''complete'' (paid, or nothing was to be paid) or ''expired''.';
COMMENT ON COLUMN credits.checkout_sessions.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits.checkout_sessions.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.checkout_sessions.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.checkout_sessions.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits.checkout_sessions.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.checkout_sessions.amount_total IS 'What is to be paid, or was.';
COMMENT ON COLUMN credits.checkout_sessions.line_items IS
'What is in the cart: per item price_id, quantity and what else was given, with its name, amount, amount_discount and
amount_tax, and credits of credit_currency where its payment grants some.';
COMMENT ON COLUMN credits.checkout_sessions.url IS
'Where the customer finds it: credits.checkout_url with a signed token, else checkout_url; NULL where neither is
there.';
COMMENT ON COLUMN credits.checkout_sessions.success_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits.checkout_sessions.cancel_url IS 'Where the customer goes to leave it.';
COMMENT ON COLUMN credits.checkout_sessions.client_reference_id IS 'What the application calls it.';
COMMENT ON COLUMN credits.checkout_sessions.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits.checkout_sessions.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.checkout_sessions.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.checkout_sessions.payment_link_id IS 'The payment link that opened it; NULL for none.';
COMMENT ON COLUMN credits.checkout_sessions.invoice_id IS
'Its invoice, a draft until it is paid; NULL until it is submitted.';
COMMENT ON COLUMN credits.checkout_sessions.payment_intent_id IS
'What is to pay it, or paid it; NULL until it is submitted, and where no provider''s money is needed.';
COMMENT ON COLUMN credits.checkout_sessions.checkout_url IS
'Where the provider takes the payment: its template; NULL until it is submitted, and where there is none.';
COMMENT ON COLUMN credits.checkout_sessions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.checkout_sessions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.checkout_sessions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.checkout_sessions.expires_at IS
'When it ends unless it is complete by then, or its payment under way.';
COMMENT ON COLUMN credits.checkout_sessions.submitted_at IS 'When it was first submitted; NULL until then.';
COMMENT ON COLUMN credits.checkout_sessions.completed_at IS
'When it was paid, or there was nothing to pay; NULL until then.';
COMMENT ON COLUMN credits.checkout_sessions.expired_at IS
'When that was written down; NULL where it is not expired, or only by its time so far.';
COMMENT ON COLUMN credits.checkout_sessions.coupon_id IS 'The coupon that takes something off; NULL for none.';
COMMENT ON COLUMN credits.checkout_sessions.promotion_code_id IS 'The promotion code by which it does; NULL for none.';
COMMENT ON COLUMN credits.checkout_sessions.discounts IS
'What takes something off: an array of at most one object with coupon_id, promotion_code_id, code and amount; NULL for
nothing.';
COMMENT ON COLUMN credits.checkout_sessions.subscription_id IS
'The subscription that it began; NULL until it is submitted, and where it begins none.';
COMMENT ON COLUMN credits.checkout_sessions.subscription_data IS
'What was said of the subscription that it begins; NULL where it begins none.';

CREATE VIEW credits.my_checkout_sessions WITH (security_barrier) AS
SELECT s.checkout_session_id,
       CASE WHEN s.status = 'open' AND s.expires_at <= credits.clock() AND NOT s.under_way THEN 'expired'
            ELSE s.status END AS status,
       s.payment_status, s.currency, s.amount_subtotal, s.amount_discount, s.amount_tax, s.amount_total, s.line_items,
       coalesce(s.url, t.checkout_url) AS url, s.allow_promotion_codes, s.invoice_id, s.created_at, s.expires_at,
       s.completed_at, s.subscription_id
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.payment_intents t
       ON t.customer_id = s.customer_id AND t.payment_intent_id = s.checkout_session_id
WHERE s.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_checkout_sessions IS
'The checkout sessions of credits.current_customer, at this moment.

They show what is in the cart, with what the application stored with each item.';
COMMENT ON COLUMN credits.my_checkout_sessions.checkout_session_id IS
'The checkout session. Its payment intent has the same id.';
COMMENT ON COLUMN credits.my_checkout_sessions.status IS
'''open'', ''complete'' (paid, or nothing was to be paid) or ''expired''.';
COMMENT ON COLUMN credits.my_checkout_sessions.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits.my_checkout_sessions.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_total IS 'What is to be paid, or was.';
COMMENT ON COLUMN credits.my_checkout_sessions.line_items IS
'What is in the cart: per item price_id, quantity and what else was given, with its name, amount, amount_discount and
amount_tax, and credits of credit_currency where its payment grants some.';
COMMENT ON COLUMN credits.my_checkout_sessions.url IS
'Where the customer finds it: credits.checkout_url with a signed token, else checkout_url; NULL where neither is
there.';
COMMENT ON COLUMN credits.my_checkout_sessions.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits.my_checkout_sessions.invoice_id IS
'Its invoice, a draft until it is paid; NULL until it is submitted.';
COMMENT ON COLUMN credits.my_checkout_sessions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.my_checkout_sessions.expires_at IS
'When it ends unless it is complete by then, or its payment under way.';
COMMENT ON COLUMN credits.my_checkout_sessions.completed_at IS
'When it was paid, or there was nothing to pay; NULL until then.';
COMMENT ON COLUMN credits.my_checkout_sessions.subscription_id IS
'The subscription that it began; NULL until it is submitted, and where it begins none.';
