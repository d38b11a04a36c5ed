-- Payments: what is recorded of them.

CREATE TYPE credits.payment_outcome AS (
    top_up_id uuid, status text, grant_id uuid, credits numeric, credit_currency text, available numeric,
    contradiction text, replayed boolean);
COMMENT ON TYPE credits.payment_outcome IS
'A payment intent after a payment was recorded, as payment_succeeded(), payment_failed(), payment_processing(),
payment_requires_action() and top_up_expire() return it.';
COMMENT ON COLUMN credits.payment_outcome.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_outcome.status IS
'Of a top-up ''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''; else the payment intent''s:
''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_outcome.grant_id IS
'The grant of the first line that buys credits; NULL until it is paid, and where none does.';
COMMENT ON COLUMN credits.payment_outcome.credits IS 'Credits that this line buys; NULL where none does.';
COMMENT ON COLUMN credits.payment_outcome.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.payment_outcome.available IS 'What a plain debit may take afterwards.';
COMMENT ON COLUMN credits.payment_outcome.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.payment_outcome.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.payment_succeeded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, tax numeric DEFAULT NULL, shipping numeric DEFAULT NULL,
    discount numeric DEFAULT NULL, currency text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_succeeded_wrapper';
COMMENT ON FUNCTION credits.payment_succeeded IS
'Records a payment; once it covers what is due, the invoice is paid and its credits are granted, exactly once.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who took the payment.
provider_reference: the provider''s reference of the payment; NULL where it has none.
amount: what was paid, in major units of the top-up''s currency; NULL for what was due.
tax: how much of it is tax.
shipping: how much of it is shipping.
discount: what the provider took off the price; with it amount may be 0.
currency: the currency that was paid; NULL for the top-up''s. Another one is recorded as a contradiction, with that
  amount, and grants nothing.

It is exactly once whatever is repeated, comes late or out of order, also after a failure or an expiry. Without a
provider_reference the same amount again is a replay. A refund that was reported before takes its part at once.

Less than was due grants nothing until payments add up to it, and is recorded as a contradiction. So is more, a second
payment for what is paid, the same provider_reference with another amount, and one that pays another top-up; the last
two change nothing. Where the account has no room for the credits any more (28 digits of all that it was ever granted)
the payment is a contradiction too, counts for nothing and grants nothing: pay it back. Reported again with tax,
shipping or discount, it is corrected by them.

What comes after the invoice was voided or paid otherwise is a contradiction: it is recorded and pays nothing.

PC014 means that there is no such payment intent: the provider is to try again.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_succeeded(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'', 20);';

CREATE FUNCTION credits.payment_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    reason text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_failed_wrapper';
COMMENT ON FUNCTION credits.payment_failed IS
'Records that a payment failed: the top-up is ''failed'', and an auto-recharge that asked for it too.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.
reason: why.

After a success it changes nothing and is recorded as a contradiction; a success after it grants all the same.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'', ''card declined'');';

CREATE VIEW credits.payment_log AS
SELECT p.customer_id, p.top_up_id, p.payment_id, p.type, p.provider, p.provider_reference,
       coalesce(p.amount, p.total_refunded) AS amount, p.currency, p.contradiction, p.operation_id, p.created_at,
       p.payment_reference, p.total_refunded, p.tax, p.shipping, p.discount, p.counts,
       p.type = 'succeeded' AND p.counts AND EXISTS (
           SELECT FROM credits_internal.payments c
           WHERE c.customer_id = p.customer_id AND c.top_up_id = p.top_up_id AND c.payment_id > p.payment_id
             AND c.type = p.type AND c.counts AND c.provider = p.provider
                 AND c.provider_reference = p.provider_reference)
           AS corrected
FROM credits_internal.payments p;
COMMENT ON VIEW credits.payment_log IS
'What was recorded of payments, in order of payment_id.

A person should look at rows with a contradiction: it does not fit what was known, and was not applied, or not in
full.';
COMMENT ON COLUMN credits.payment_log.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.payment_log.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_log.payment_id IS 'Its id; ids are in the order of recording.';
COMMENT ON COLUMN credits.payment_log.type IS
'''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'',
''dispute_lost'', ''processing'' or ''requires_action''.';
COMMENT ON COLUMN credits.payment_log.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.payment_log.provider_reference IS 'The provider''s reference of it.';
COMMENT ON COLUMN credits.payment_log.amount IS 'How much, in major units; NULL where it was not reported.';
COMMENT ON COLUMN credits.payment_log.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.payment_log.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.payment_log.operation_id IS 'The operation that took credits for it; NULL for none.';
COMMENT ON COLUMN credits.payment_log.created_at IS 'When it was recorded.';
COMMENT ON COLUMN credits.payment_log.payment_reference IS
'The provider''s reference of the payment that a refund or dispute is for.';
COMMENT ON COLUMN credits.payment_log.total_refunded IS
'For a refund, the total of all refunds so far; NULL where it was not reported.';
COMMENT ON COLUMN credits.payment_log.tax IS 'Tax that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.payment_log.shipping IS
'Shipping that is part of the payment, in major units; NULL for none.';
COMMENT ON COLUMN credits.payment_log.discount IS
'What the provider took off the price, in major units; NULL for nothing.';
COMMENT ON COLUMN credits.payment_log.counts IS 'Whether it counts for what is paid and paid back.';
COMMENT ON COLUMN credits.payment_log.corrected IS
'Whether the parts of the payment were reported again later, so that its contradiction may be gone.';
