-- Payment methods.

CREATE TYPE credits.payment_method AS (
    customer_id text, payment_method_id uuid, provider text, provider_customer text, reference text, name text,
    expires_at timestamptz, is_default boolean, status text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, detached_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.payment_method IS
'A payment method, as payment_method_attach() and payment_method_detach() return it.';
COMMENT ON COLUMN credits.payment_method.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.payment_method.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.payment_method.provider IS 'The provider that keeps it.';
COMMENT ON COLUMN credits.payment_method.provider_customer IS
'What the provider calls the customer; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_method.reference IS
'What the provider calls the payment method; NULL once erased.';
COMMENT ON COLUMN credits.payment_method.name IS 'What people call it; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_method.expires_at IS
'From when on it cannot be charged; NULL for never, and once erased.';
COMMENT ON COLUMN credits.payment_method.is_default IS
'Whether it is charged where none is named: at most one per customer.';
COMMENT ON COLUMN credits.payment_method.status IS
'''attached'', ''expired'' (cannot be charged any more) or ''detached''.';
COMMENT ON COLUMN credits.payment_method.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.payment_method.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits.payment_method.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_method.detached_at IS 'When it was detached; NULL where it is not.';
COMMENT ON COLUMN credits.payment_method.replayed IS 'Whether it was attached, or detached, before.';

CREATE FUNCTION credits.payment_method_attach(
    customer_id text, provider text, provider_customer text, reference text, expires_at timestamptz DEFAULT NULL,
    is_default boolean DEFAULT false, name text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.payment_method
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_method_attach_wrapper';
COMMENT ON FUNCTION credits.payment_method_attach IS
'Says that a customer can be charged by something that a provider keeps: a card, a bank account, an authorisation.

customer_id: the customer.
provider: the provider that keeps it: ''stripe'', ''paystack'', or another name.
provider_customer: what the provider calls the customer (Stripe: cus_…); NULL where it does not matter.
reference: what the provider calls it (Stripe: pm_…; Paystack: AUTH_…). The number of a card is refused.
expires_at: from when on it cannot be charged: of a card, the end of its last month. NULL or ''infinity'' for never.
is_default: true: it is charged where none is named, in place of the default before. Otherwise it is only where no other
  default can be charged, and so the first one is.
name: what people call it: Visa ending in 4242.
metadata: the application''s own data.

The same provider and reference again are the same payment method, until it is detached: what is given of
provider_customer, expires_at, name and metadata replaces what was, NULL leaves it, and an empty text or ''infinity''
removes it. After customer_erase() it is PC020 until customer_upsert() says who the customer is.

It charges nobody.

Raises PC003, PC013, PC020.
Example: SELECT * FROM credits.payment_method_attach(''ann'', ''stripe'', ''cus_7'', ''pm_1'', ''2028-01-01'',
  name => ''Visa ending in 4242'');';

CREATE FUNCTION credits.payment_method_detach(customer_id text, payment_method_id uuid)
RETURNS credits.payment_method
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_method_detach_wrapper';
COMMENT ON FUNCTION credits.payment_method_detach IS
'Ends that a customer can be charged by a payment method.

customer_id: the customer.
payment_method_id: the payment method.

Its row stays, and another payment method can be attached under the same reference. If it was the default, none is until
one is attached, or named as the default. The provider is to be told as well: this calls nobody.

Raises PC003, PC013, PC019.
Example: SELECT * FROM credits.payment_method_detach(''ann'', (SELECT payment_method_id FROM credits.payment_methods
  WHERE customer_id = ''ann'' AND is_default));';

CREATE VIEW credits.payment_methods AS
SELECT m.customer_id, m.payment_method_id, m.provider, m.provider_customer, m.reference, m.name, m.expires_at,
       m.is_default,
       CASE WHEN m.detached_at IS NOT NULL THEN 'detached'
            WHEN m.expires_at <= credits.clock() THEN 'expired'
            ELSE 'attached' END AS status,
       m.metadata, m.created_at, m.updated_at, m.detached_at
FROM credits_internal.payment_methods m;
COMMENT ON VIEW credits.payment_methods IS 'Payment methods of customers, detached ones too.';
COMMENT ON COLUMN credits.payment_methods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.payment_methods.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.payment_methods.provider IS 'The provider that keeps it.';
COMMENT ON COLUMN credits.payment_methods.provider_customer IS
'What the provider calls the customer; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_methods.reference IS
'What the provider calls the payment method; NULL once erased.';
COMMENT ON COLUMN credits.payment_methods.name IS 'What people call it; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_methods.expires_at IS
'From when on it cannot be charged; NULL for never, and once erased.';
COMMENT ON COLUMN credits.payment_methods.is_default IS
'Whether it is charged where none is named: at most one per customer.';
COMMENT ON COLUMN credits.payment_methods.status IS
'''attached'', ''expired'' (cannot be charged any more) or ''detached''.';
COMMENT ON COLUMN credits.payment_methods.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.payment_methods.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits.payment_methods.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_methods.detached_at IS 'When it was detached; NULL where it is not.';
