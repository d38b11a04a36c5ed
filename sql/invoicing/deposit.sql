-- Deposits: invoices whose money is to be given back.

CREATE TYPE credits.deposit AS (
    customer_id text, invoice_id uuid, status text, currency text, amount numeric, amount_returned numeric,
    amount_returning numeric, amount_returnable numeric, amount_outside numeric, replayed boolean, amount_used numeric);
COMMENT ON TYPE credits.deposit IS 'How a deposit stands, as invoice_return_deposit() returns it.';
COMMENT ON COLUMN credits.deposit.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.deposit.invoice_id IS 'Its invoice.';
COMMENT ON COLUMN credits.deposit.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.deposit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.deposit.amount IS 'What was paid.';
COMMENT ON COLUMN credits.deposit.amount_returned IS 'What was given back, or is asked back and has not failed.';
COMMENT ON COLUMN credits.deposit.amount_returning IS 'What of that a provider has not confirmed yet.';
COMMENT ON COLUMN credits.deposit.amount_returnable IS 'What can still be given back.';
COMMENT ON COLUMN credits.deposit.amount_outside IS
'What came from outside: it goes back there, and is not counted here.';
COMMENT ON COLUMN credits.deposit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.deposit.amount_used IS
'What paid invoices of subscriptions that have overdraft_protection: it does not go back.';

CREATE FUNCTION credits.invoice_return_deposit_info(customer_id text, invoice_id uuid)
RETURNS credits.deposit
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_return_deposit_info_wrapper';
COMMENT ON FUNCTION credits.invoice_return_deposit_info IS
'Returns what of a deposit was given back, and what can be.

customer_id: the customer.
invoice_id: the invoice, whose billing_reason is ''deposit'' or ''overdraft_protection''.

PC020 is an invoice that is no deposit.

Raises PC013, PC019, PC020.
Example: SELECT amount, amount_returnable FROM credits.invoice_return_deposit_info(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''deposit''));';

CREATE FUNCTION credits.invoice_return_deposit(
    customer_id text, invoice_id uuid, amount numeric DEFAULT NULL, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.deposit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_return_deposit_wrapper';
COMMENT ON FUNCTION credits.invoice_return_deposit IS
'Gives a deposit back, or a part of it: what a provider took is asked back, what the wallet paid goes back to it.

customer_id: the customer.
invoice_id: the invoice, whose billing_reason is ''deposit'' or ''overdraft_protection'' and which is paid.
amount: how much, in the invoice''s currency; NULL for all that can be given back.
reason: why, in a word of at most 255 characters; NULL for deposit_returned.
idempotency_key: a repeat with the same key returns how the deposit stands with replayed = true; NULL for none.

Money that a provider took goes first: each of its payments has a refund (view refunds), for which a worker is asked
with an outbox row ''refund.requested''. Where that fails, the amount can be given back again. What the wallet paid is
in it again at once, with its terms. What came from outside goes back outside. What paid an invoice of a
subscription (overdraft_protection) does not go back.

PC007 is more than can be given back. PC020 is an invoice that is no deposit, or not paid.

Raises PC002, PC003, PC007, PC013, PC019, PC020.
Example: SELECT amount_returned FROM credits.invoice_return_deposit(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''deposit''), 5);';
