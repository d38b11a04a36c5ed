-- Refunds.

CREATE TYPE credits.refund_outcome AS (
    top_up_id uuid, status text, refunded numeric, taken numeric, pending numeric, held numeric, available numeric,
    contradiction text, replayed boolean);
COMMENT ON TYPE credits.refund_outcome IS
'A payment intent after a refund or dispute was recorded, as payment_refunded(), payment_refund_failed(),
payment_disputed() and payment_dispute_closed() return it.';
COMMENT ON COLUMN credits.refund_outcome.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.refund_outcome.status IS
'Of a top-up ''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''; else the payment intent''s:
''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.refund_outcome.refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.refund_outcome.taken IS 'Credits taken now, in all currencies.';
COMMENT ON COLUMN credits.refund_outcome.pending IS 'Credits owed for it now.';
COMMENT ON COLUMN credits.refund_outcome.held IS 'Credits that will be taken when the hold on them closes.';
COMMENT ON COLUMN credits.refund_outcome.available IS 'What a plain debit may take afterwards.';
COMMENT ON COLUMN credits.refund_outcome.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.refund_outcome.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.payment_refunded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, total_refunded numeric DEFAULT NULL, spent text DEFAULT NULL,
    payment_reference text DEFAULT NULL, currency text DEFAULT NULL, refund_id uuid DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refunded_2_wrapper';
COMMENT ON FUNCTION credits.payment_refunded IS
'Records that money was paid back, and takes credits of that purchase back.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who paid it back.
provider_reference: the provider''s reference of the refund; NULL where it has none.
amount: this refund, in major units. With total_refunded NULL too: the whole payment.
total_refunded: all refunds of the payment by this provider so far, including this one; some providers report only
  that.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
payment_reference: the provider''s reference of the payment that it is for; NULL for the latest with money left.
currency: the currency that was paid back; NULL for the top-up''s. Another one is recorded as a contradiction and
  takes nothing.
refund_id: the refund that was asked for (refund_create) and is made now; NULL where it is not known.

One that was asked for here is known by refund_id, by its provider_reference, or as the pending one of that payment and
amount. It has taken its credits already, and counts once.

Credits go back where less remains paid, in all its payments, than was due without tax and shipping: of every line in
proportion to what is missing, rounded on the total. Refunds of several providers add up. Unspent credits go first: what
is available at once, what is held when the hold closes; what has expired or was voided is neither taken nor owed.

The latest payment with money left is judged by all that is known at any time, since the order of reports must not
matter. So the refund may move to a payment that is reported later, and is part of the total that the same provider
reports of a payment, so that it counts once. After a refund failed, a total that equals the single refunds, the
failed ones included, is taken for a late one that counts those; anything else counts as it is.

The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as a
contradiction and changes nothing. More than was paid is recorded as a contradiction.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_refunded(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-2'', amount => 5);';

CREATE FUNCTION credits.payment_refund_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    payment_reference text DEFAULT NULL, refund_id uuid DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refund_failed_2_wrapper';
COMMENT ON FUNCTION credits.payment_refund_failed IS
'Records that a refund did not go through after all: gives back exactly what it took.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the refund; NULL where refund_id says which.
payment_reference: the provider''s reference of the payment; NULL where it is not known.
refund_id: the refund that was asked for (refund_create); NULL where provider_reference says which.

What it left owed is owed no longer. A refund that was never reported changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_refund_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-1'');';

CREATE TYPE credits.refund AS (
    customer_id text, refund_id uuid, payment_intent_id uuid, invoice_id uuid, status text, amount numeric,
    currency text, reason text, description text, lines jsonb, provider text,
    payment_reference text, provider_reference text, takes_credits boolean, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.refund IS
'A refund that was asked for, as functions return it. The view refunds has all of them.';
COMMENT ON COLUMN credits.refund.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.refund.refund_id IS 'The refund: the provider''s refund names it in its metadata.';
COMMENT ON COLUMN credits.refund.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.refund.invoice_id IS 'The invoice that it paid.';
COMMENT ON COLUMN credits.refund.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.refund.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.refund.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.refund.reason IS
'Why: the application''s word, or ''duplicate'', ''overpaid'', ''too_late'' or ''no_room'' for money that paid for
nothing.';
COMMENT ON COLUMN credits.refund.description IS 'For people.';
COMMENT ON COLUMN credits.refund.lines IS
'What of which lines, an array of objects with invoice_line_id and amount; NULL for all of the invoice.';
COMMENT ON COLUMN credits.refund.provider IS 'The provider that took the payment.';
COMMENT ON COLUMN credits.refund.payment_reference IS
'The provider''s reference of the payment; NULL where it has none.';
COMMENT ON COLUMN credits.refund.provider_reference IS
'The provider''s reference of the refund; NULL until it is reported.';
COMMENT ON COLUMN credits.refund.takes_credits IS
'Whether credits were taken back when it was asked for; false for money that paid for nothing.';
COMMENT ON COLUMN credits.refund.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.refund.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits.refund.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.refund.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE TYPE credits.refund_attempt AS (
    go boolean, refund_id uuid, payment_intent_id uuid, status text, attempt_key uuid, amount numeric,
    minor_units numeric, currency text, provider text, payment_reference text);
COMMENT ON TYPE credits.refund_attempt IS 'Whether a worker is to pay back, and what, as refund_begin() returns it.';
COMMENT ON COLUMN credits.refund_attempt.go IS 'Whether to pay back.';
COMMENT ON COLUMN credits.refund_attempt.refund_id IS
'The refund: the provider''s refund must name it in its metadata, with the customer_id.';
COMMENT ON COLUMN credits.refund_attempt.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.refund_attempt.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.refund_attempt.attempt_key IS
'The provider''s idempotency key: the same at every call; NULL where none ever began.';
COMMENT ON COLUMN credits.refund_attempt.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.refund_attempt.minor_units IS
'The same in the provider''s minor units; NULL where it is no whole number of them.';
COMMENT ON COLUMN credits.refund_attempt.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.refund_attempt.provider IS 'The provider that took the payment.';
COMMENT ON COLUMN credits.refund_attempt.payment_reference IS
'The provider''s reference of the payment; NULL where it has none.';

CREATE FUNCTION credits.refund_create(
    customer_id text, payment_intent_id uuid, amount numeric DEFAULT NULL, lines jsonb DEFAULT NULL,
    reason text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, spent text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.refund
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refund_create_wrapper';
COMMENT ON FUNCTION credits.refund_create IS
'Asks for money to go back, and takes the credits back that it paid for, at once.

customer_id: the customer.
payment_intent_id: the payment intent whose money goes back: a top-up''s id is its payment intent''s.
amount: how much, in major units; NULL for what the lines come to, or all that is there of one payment.
lines: what of which lines goes back, an array of objects with invoice_line_id and amount, tax included; NULL for all.
reason: why, in a word of at most 255 characters; NULL for requested_by_customer.
description: for people.
metadata: the application''s own data.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

An outbox row ''refund.requested'' asks a worker for it, who calls refund_begin(). The provider''s webhook, or
payment_refunded() and payment_refund_failed() with its refund_id, says how it ended; where it fails, exactly what was
taken comes back.

Without lines what was overpaid, tax and shipping go back first, then all lines in proportion: of 11.90 that was paid
for 10.00 and 100 credits, 1.90 takes nothing, and 5.95 takes 40.5. What names a line is of that line alone. What is
asked for and has not failed never adds up to more than was received: PC007 is more than is left of any one payment,
or of a line.

Raises PC002, PC003, PC007, PC013, PC014.
Example: SELECT status FROM credits.refund_create(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), 1);';

CREATE FUNCTION credits.payment_intent_refund(
    customer_id text, payment_intent_id uuid, amount numeric DEFAULT NULL, reason text DEFAULT NULL,
    description text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.refund
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_intent_refund_wrapper';
COMMENT ON FUNCTION credits.payment_intent_refund IS
'Asks for the money of a payment intent to go back: refund_create() for all lines.

customer_id: the customer.
payment_intent_id: the payment intent.
amount: how much, in major units; NULL for all that is there of one payment.
reason: why, in a word of at most 255 characters; NULL for requested_by_customer.
description: for people.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

Raises PC002, PC003, PC007, PC013, PC014.
Example: SELECT status FROM credits.payment_intent_refund(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), 1);';

CREATE FUNCTION credits.refund_begin(customer_id text, refund_id uuid)
RETURNS credits.refund_attempt
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refund_begin_wrapper';
COMMENT ON FUNCTION credits.refund_begin IS
'Begins to pay back, for a worker that read an outbox row ''refund.requested''.

customer_id: the customer.
refund_id: the refund.

go is false where it was answered or canceled meanwhile. Where it is true, pay back amount of payment_reference, with
attempt_key as the provider''s idempotency key and customer_id and refund_id in the refund''s metadata. It can be called
again, and the key stays the same, so that the provider pays back once. From then on it cannot be canceled here.

Raises PC003, PC013, PC019.
Example: SELECT go, amount FROM credits.refund_begin(''ann'',
  (SELECT refund_id FROM credits.refunds WHERE description = ''asked''));';

CREATE FUNCTION credits.refund_cancel(customer_id text, refund_id uuid)
RETURNS credits.refund
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refund_cancel_wrapper';
COMMENT ON FUNCTION credits.refund_cancel IS
'Takes back that a refund is asked for: exactly what it took comes back.

customer_id: the customer.
refund_id: the refund.

PC020 is one that a worker has begun with, or that was answered.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.refund_cancel(''ann'',
  (SELECT refund_id FROM credits.refunds WHERE description = ''asked''));';

CREATE VIEW credits.refunds AS
SELECT r.customer_id, r.refund_id, r.payment_intent_id, r.invoice_id, r.status, r.amount, r.currency, r.reason,
       r.description, r.lines, r.provider, r.payment_reference, r.provider_reference, r.takes_credits,
       r.attempt_key IS NOT NULL AND r.status = 'pending' AS under_way, r.metadata, r.created_at, r.updated_at,
       r.closed_at
FROM credits_internal.refunds r;
COMMENT ON VIEW credits.refunds IS
'Refunds that were asked for, by refund_create() or because money paid for nothing.

What providers report of refunds that nobody asked for here is in payment_log alone.';
COMMENT ON COLUMN credits.refunds.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.refunds.refund_id IS 'The refund: the provider''s refund names it in its metadata.';
COMMENT ON COLUMN credits.refunds.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.refunds.invoice_id IS 'The invoice that it paid.';
COMMENT ON COLUMN credits.refunds.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.refunds.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.refunds.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.refunds.reason IS
'Why: the application''s word, or ''duplicate'', ''overpaid'', ''too_late'' or ''no_room'' for money that paid for
nothing.';
COMMENT ON COLUMN credits.refunds.description IS 'For people.';
COMMENT ON COLUMN credits.refunds.lines IS
'What of which lines, an array of objects with invoice_line_id and amount; NULL for all of the invoice.';
COMMENT ON COLUMN credits.refunds.provider IS 'The provider that took the payment.';
COMMENT ON COLUMN credits.refunds.payment_reference IS
'The provider''s reference of the payment; NULL where it has none.';
COMMENT ON COLUMN credits.refunds.provider_reference IS
'The provider''s reference of the refund; NULL until it is reported.';
COMMENT ON COLUMN credits.refunds.takes_credits IS
'Whether credits were taken back when it was asked for; false for money that paid for nothing.';
COMMENT ON COLUMN credits.refunds.under_way IS 'Whether a worker has begun with it and it is not answered.';
COMMENT ON COLUMN credits.refunds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.refunds.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits.refunds.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.refunds.closed_at IS 'When it was answered or canceled; NULL while it is pending.';

CREATE VIEW credits.my_refunds WITH (security_barrier) AS
SELECT r.refund_id, r.payment_intent_id, r.invoice_id, r.status, r.amount, r.currency, r.description, r.created_at,
       r.closed_at
FROM credits_internal.refunds r WHERE r.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_refunds IS
'The refunds of credits.current_customer.

They show what is written on them: their description.';
COMMENT ON COLUMN credits.my_refunds.refund_id IS 'The refund.';
COMMENT ON COLUMN credits.my_refunds.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.my_refunds.invoice_id IS 'The invoice that it paid.';
COMMENT ON COLUMN credits.my_refunds.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.my_refunds.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.my_refunds.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.my_refunds.description IS 'For people.';
COMMENT ON COLUMN credits.my_refunds.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits.my_refunds.closed_at IS 'When it was answered or canceled; NULL while it is pending.';
