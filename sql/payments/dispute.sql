-- Disputes.

CREATE FUNCTION credits.payment_disputed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, spent text DEFAULT NULL, payment_reference text DEFAULT NULL,
    currency text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_disputed_wrapper';
COMMENT ON FUNCTION credits.payment_disputed IS
'Records that the payer disputes a payment (a chargeback), and takes credits back as a refund would.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the dispute; NULL where it has none.
amount: how much is disputed, in major units; NULL for the whole payment.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
payment_reference: the provider''s reference of the payment that it is for; NULL for the latest with money left.
currency: the currency that is disputed; NULL for the top-up''s. Another one is recorded as a contradiction and takes
  nothing.

The credits stay taken until payment_dispute_closed(). The customer''s auto-recharge is switched off in every
currency. The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as
a contradiction and changes nothing.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_disputed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''dispute-2'', amount => 5);';

CREATE FUNCTION credits.payment_dispute_closed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    won boolean DEFAULT NULL, payment_reference text DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_dispute_closed_wrapper';
COMMENT ON FUNCTION credits.payment_dispute_closed IS
'Records how a dispute was decided.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the dispute; NULL for the newest dispute of this provider, of the
  payment that payment_reference names.
won: whether it was won; required.
payment_reference: the provider''s reference of the payment; NULL for any.

A dispute that was won gives back exactly what it took, to the grants that gave it (what has expired meanwhile expires
at once), and what it left owed is owed no longer. One that was lost keeps what it took; where more went back with it
than was paid, that is recorded as a contradiction.

A dispute is decided once: a later report that differs, or of a dispute that was never reported, is recorded as a
contradiction and changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_dispute_closed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''dispute-1'', won => true);';
