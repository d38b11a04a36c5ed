-- Refunds.

CREATE TYPE credits.refund_outcome AS (
    top_up_id uuid, status text, refunded numeric, taken numeric, pending numeric, held numeric, available numeric,
    contradiction text, replayed boolean);
COMMENT ON TYPE credits.refund_outcome IS
'A top-up after a refund or dispute was recorded, as payment_refunded(), payment_refund_failed(), payment_disputed()
and payment_dispute_closed() return it.';
COMMENT ON COLUMN credits.refund_outcome.top_up_id IS 'The top-up.';
COMMENT ON COLUMN credits.refund_outcome.status IS '''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''.';
COMMENT ON COLUMN credits.refund_outcome.refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.refund_outcome.taken IS 'Credits taken now.';
COMMENT ON COLUMN credits.refund_outcome.pending IS 'Credits owed for it now.';
COMMENT ON COLUMN credits.refund_outcome.held IS 'Credits that will be taken when the hold on them closes.';
COMMENT ON COLUMN credits.refund_outcome.available IS 'What a plain debit may take afterwards.';
COMMENT ON COLUMN credits.refund_outcome.contradiction IS
'What does not fit what was known, and was not applied, or not in full; NULL where all fits.';
COMMENT ON COLUMN credits.refund_outcome.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE FUNCTION credits.payment_refunded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, total_refunded numeric DEFAULT NULL, spent text DEFAULT NULL,
    payment_reference text DEFAULT NULL, currency text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refunded_wrapper';
COMMENT ON FUNCTION credits.payment_refunded IS
'Records that money was paid back, and takes credits of that purchase back.

customer_id: the customer.
top_up_id: the top-up.
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

Credits go back where less remains paid, in all its payments, than was due without tax and shipping: in proportion to
what is missing, rounded on the total. Refunds of several providers add up. Unspent credits go first: what is
available at once, what is held when the hold closes; what has expired or was voided is neither taken nor owed.

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
    payment_reference text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refund_failed_wrapper';
COMMENT ON FUNCTION credits.payment_refund_failed IS
'Records that a refund did not go through after all: gives back exactly what it took.

customer_id: the customer.
top_up_id: the top-up.
provider: who reported it.
provider_reference: the provider''s reference of the refund; NULL where it has none.
payment_reference: the provider''s reference of the payment; NULL where it is not known.

What it left owed is owed no longer. A refund that was never reported changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_refund_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-1'');';
