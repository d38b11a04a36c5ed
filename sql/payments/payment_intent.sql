-- Payment intents: money that is to come for an invoice.

CREATE TYPE credits.payment_intent AS (
    customer_id text, payment_intent_id uuid, invoice_id uuid, status text, amount numeric, amount_received numeric,
    amount_refunded numeric, currency text, payment_method_id uuid, provider text, provider_reference text,
    last_payment_error text, action_url text, checkout_url text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, expires_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.payment_intent IS
'A payment intent, as functions return it. The view payment_intents has all of them.';
COMMENT ON COLUMN credits.payment_intent.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.payment_intent.payment_intent_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_intent.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits.payment_intent.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_intent.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.payment_intent.amount_received IS 'What was paid in all payments, in major units.';
COMMENT ON COLUMN credits.payment_intent.amount_refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.payment_intent.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.payment_intent.payment_method_id IS
'The payment method that a worker is to charge; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits.payment_intent.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.payment_intent.provider_reference IS 'The provider''s reference of the payment.';
COMMENT ON COLUMN credits.payment_intent.last_payment_error IS
'Why the last attempt failed, as it was reported; NULL where none did, or nobody said.';
COMMENT ON COLUMN credits.payment_intent.action_url IS
'Where the customer confirms the payment, where it is requires_action; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intent.checkout_url IS 'Where the customer pays; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intent.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_intent.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_intent.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_intent.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits.payment_intent.replayed IS 'Whether this call changed nothing.';

CREATE TYPE credits.payment_attempt AS (
    go boolean, payment_intent_id uuid, invoice_id uuid, status text, attempt_key uuid, attempt integer, amount numeric,
    minor_units numeric, currency text, provider text, payment_method_id uuid, provider_customer text,
    payment_method text);
COMMENT ON TYPE credits.payment_attempt IS
'Whether a worker is to charge, and what, as payment_intent_begin() returns it.';
COMMENT ON COLUMN credits.payment_attempt.go IS 'Whether to charge.';
COMMENT ON COLUMN credits.payment_attempt.payment_intent_id IS
'The payment intent: the payment''s metadata must name it, with the customer_id.';
COMMENT ON COLUMN credits.payment_attempt.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits.payment_attempt.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_attempt.attempt_key IS
'The provider''s idempotency key: the same as long as the attempt is under way, and a new one for the next.';
COMMENT ON COLUMN credits.payment_attempt.attempt IS 'Which attempt it is, from 1.';
COMMENT ON COLUMN credits.payment_attempt.amount IS 'What to charge, in major units.';
COMMENT ON COLUMN credits.payment_attempt.minor_units IS
'The same in the provider''s minor units; NULL where it is no whole number of them.';
COMMENT ON COLUMN credits.payment_attempt.currency IS 'The currency to charge in.';
COMMENT ON COLUMN credits.payment_attempt.provider IS 'The provider that keeps the payment method.';
COMMENT ON COLUMN credits.payment_attempt.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.payment_attempt.provider_customer IS
'What the provider calls the customer; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_attempt.payment_method IS
'What the provider calls the payment method; NULL where it cannot be charged any more.';

CREATE FUNCTION credits.payment_intent_begin(customer_id text, payment_intent_id uuid)
RETURNS credits.payment_attempt
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_intent_begin_wrapper';
COMMENT ON FUNCTION credits.payment_intent_begin IS
'Begins to charge a payment method, for a worker that read an outbox row ''payment.requested''.

customer_id: the customer.
payment_intent_id: the payment intent.

It judges again whether a charge still may be made: go is false where it is not asked for any more, is paid or canceled,
waits for the customer, or the payment method was detached or has expired. Where go is true, charge amount with
attempt_key as the provider''s idempotency key and customer_id and payment_intent_id in the payment''s metadata; then
the provider''s webhook, or payment_succeeded() and payment_failed(), says how it ended.

Two workers on one intent get the same attempt_key, so the provider charges once. After a failure invoice_pay() with
paid_from => ''provider'' asks for another attempt.

Raises PC003, PC013, PC014.
Example: SELECT go, amount FROM credits.payment_intent_begin(''ann'',
  (SELECT payment_intent_id FROM credits.payment_intents LIMIT 1));';

CREATE FUNCTION credits.payment_intent_update(customer_id text, payment_intent_id uuid, metadata jsonb DEFAULT NULL)
RETURNS credits.payment_intent
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_intent_update_wrapper';
COMMENT ON FUNCTION credits.payment_intent_update IS
'Changes what an application stored with a payment intent.

customer_id: the customer.
payment_intent_id: the payment intent.
metadata: the application''s own data, which replaces what was there; required.

Raises PC003, PC013, PC014.
Example: SELECT metadata FROM credits.payment_intent_update(''ann'',
  (SELECT payment_intent_id FROM credits.payment_intents LIMIT 1), ''{"order": 4711}'');';

CREATE FUNCTION credits.payment_processing(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_processing_wrapper';
COMMENT ON FUNCTION credits.payment_processing IS
'Records that a payment is under way: a bank transfer that takes days, for one.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.

Until it succeeds or fails, nothing else can pay the invoice. After that it changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_processing(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'');';

CREATE FUNCTION credits.payment_requires_action(
    customer_id text, top_up_id uuid, action_url text DEFAULT NULL, provider text DEFAULT 'manual',
    provider_reference text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_requires_action_wrapper';
COMMENT ON FUNCTION credits.payment_requires_action IS
'Records that the customer has to confirm a payment: 3-D Secure of a card, for one.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
action_url: where the customer confirms it: a http or https address; NULL where nobody said.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.

An outbox row ''payment.requires_action'' has the address, for a mail to the customer. The payment succeeds or fails
later; until then nothing else pays the invoice, but it can be voided. After that this changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_requires_action(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''https://acmepay.example/confirm/2'',
  ''acmepay'', ''pay-2'');';

-- Each has an invoice. With a LEFT JOIN the planner knows how many rows there are, and reads a page of them by index.
CREATE VIEW credits.payment_intents AS
SELECT t.customer_id, t.payment_intent_id, t.invoice_id, i.billing_reason,
       CASE WHEN t.status IN ('requires_payment_method', 'requires_action') AND t.expires_at <= credits.clock()
                THEN 'canceled'
            ELSE t.status END AS status,
       t.amount, coalesce(t.paid_amount, 0) AS amount_received, t.refunded_amount AS amount_refunded,
       t.disputed_amount AS amount_disputed, t.dispute_status, t.currency, t.payment_method_id, t.provider,
       t.provider_reference, t.attempts, t.requested_at, t.last_payment_error, t.failed_at, t.action_url,
       t.checkout_url,
       t.recharge_id, t.description, t.metadata, t.created_at, t.updated_at, t.expires_at, t.paid_at
FROM credits_internal.payment_intents t
LEFT JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id;
COMMENT ON VIEW credits.payment_intents IS
'Payment intents at this moment: money that is to come, or came, for invoices, top-ups included.

Each payment is in the view top_up_payments, everything that was reported of them in payment_log.';
COMMENT ON COLUMN credits.payment_intents.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.payment_intents.payment_intent_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_intents.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits.payment_intents.billing_reason IS
'Why that was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'', or
''subscription_create'', ''_cycle'' or ''_update''.';
COMMENT ON COLUMN credits.payment_intents.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_intents.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.payment_intents.amount_received IS 'What was paid in all payments, in major units.';
COMMENT ON COLUMN credits.payment_intents.amount_refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.payment_intents.amount_disputed IS
'What disputes that are open or lost come to, in major units.';
COMMENT ON COLUMN credits.payment_intents.dispute_status IS
'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits.payment_intents.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.payment_intents.payment_method_id IS
'The payment method that a worker is to charge; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits.payment_intents.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.payment_intents.provider_reference IS 'The provider''s reference of the payment.';
COMMENT ON COLUMN credits.payment_intents.attempts IS 'How many times a worker began to charge.';
COMMENT ON COLUMN credits.payment_intents.requested_at IS 'When a worker was asked to charge; NULL where none is to.';
COMMENT ON COLUMN credits.payment_intents.last_payment_error IS
'Why the last attempt failed, as it was reported; NULL where none did, or nobody said.';
COMMENT ON COLUMN credits.payment_intents.failed_at IS
'When the last attempt failed; NULL where none did, or another is under way.';
COMMENT ON COLUMN credits.payment_intents.action_url IS
'Where the customer confirms the payment, where it is requires_action; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intents.checkout_url IS 'Where the customer pays; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intents.recharge_id IS 'The auto-recharge that asked for it; NULL for none.';
COMMENT ON COLUMN credits.payment_intents.description IS 'For people.';
COMMENT ON COLUMN credits.payment_intents.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_intents.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_intents.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_intents.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits.payment_intents.paid_at IS 'When its payments first covered what is due.';

CREATE VIEW credits.my_payment_intents WITH (security_barrier) AS
SELECT t.payment_intent_id, t.invoice_id,
       CASE WHEN t.status NOT IN ('succeeded', 'canceled') AND t.expires_at <= credits.clock() THEN 'canceled'
            ELSE t.status END AS status,
       t.amount, coalesce(t.paid_amount, 0) AS amount_received, t.refunded_amount AS amount_refunded, t.currency,
       t.payment_method_id, t.provider, t.failed_at, t.action_url, t.checkout_url, t.description, t.created_at,
       t.expires_at, t.paid_at
FROM credits_internal.payment_intents t WHERE t.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_payment_intents IS
'The payment intents of credits.current_customer, at this moment: what is to be paid, or was, top-ups included.

They show what is written on them: their description.';
COMMENT ON COLUMN credits.my_payment_intents.payment_intent_id IS 'The payment intent.';
COMMENT ON COLUMN credits.my_payment_intents.invoice_id IS
'The invoice that it pays, which my_invoices shows once it has a number.';
COMMENT ON COLUMN credits.my_payment_intents.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.my_payment_intents.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.my_payment_intents.amount_received IS 'What was paid in all payments, in major units.';
COMMENT ON COLUMN credits.my_payment_intents.amount_refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.my_payment_intents.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.my_payment_intents.payment_method_id IS
'The payment method that is to be charged; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits.my_payment_intents.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.my_payment_intents.failed_at IS
'When the last attempt failed; NULL where none did, or another is under way.';
COMMENT ON COLUMN credits.my_payment_intents.action_url IS
'Where to confirm the payment, where it is requires_action; NULL where nobody said.';
COMMENT ON COLUMN credits.my_payment_intents.checkout_url IS 'Where to pay; NULL where nobody said.';
COMMENT ON COLUMN credits.my_payment_intents.description IS 'For people.';
COMMENT ON COLUMN credits.my_payment_intents.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.my_payment_intents.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits.my_payment_intents.paid_at IS 'When its payments first covered what is due.';
