-- Credits that were owed and are on an invoice.

CREATE TABLE credits_internal.invoiced_credits (
    customer_id text COLLATE "C" NOT NULL,
    grant_id    uuid NOT NULL,
    invoice_id  uuid NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    credits     numeric NOT NULL CHECK (credits > 0),
    status      text NOT NULL CHECK (status IN ('invoiced', 'paid', 'returned')),
    created_at  timestamptz NOT NULL,
    closed_at   timestamptz,
    PRIMARY KEY (customer_id, grant_id),
    CONSTRAINT invoiced_credits_closed CHECK ((status = 'invoiced') = (closed_at IS NULL))
);

COMMENT ON TABLE credits_internal.invoiced_credits IS
'Credits that were owed and were put on an invoice: a grant paid what was owed, one for each meter whose payers might
have. They change under their account''s lock.';
COMMENT ON COLUMN credits_internal.invoiced_credits.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoiced_credits.grant_id IS 'The grant that paid what was owed.';
COMMENT ON COLUMN credits_internal.invoiced_credits.invoice_id IS 'The invoice that they are on.';
COMMENT ON COLUMN credits_internal.invoiced_credits.currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits_internal.invoiced_credits.credits IS 'How many were owed.';
COMMENT ON COLUMN credits_internal.invoiced_credits.status IS
'''invoiced'' until the invoice is paid (''paid''), or void: then they are owed again (''returned'').';
COMMENT ON COLUMN credits_internal.invoiced_credits.created_at IS 'When they were put on it.';
COMMENT ON COLUMN credits_internal.invoiced_credits.closed_at IS 'When it was paid, or void; NULL until then.';

CREATE INDEX invoiced_credits_of ON credits_internal.invoiced_credits (customer_id, invoice_id);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoiced_credits', '');
