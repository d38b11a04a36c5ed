-- Credits taken back for refunds and disputes, and because they should not have been granted; what captures left owed.

CREATE TABLE credits_internal.reclaims (
    customer_id  text COLLATE "C" NOT NULL,
    operation_id uuid NOT NULL,
    top_up_id    uuid,
    grant_id     uuid,
    currency     text COLLATE "C" NOT NULL,
    credits      numeric NOT NULL CHECK (credits > 0),
    owes         boolean NOT NULL,
    event_name   text COLLATE "C",
    taken        numeric NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND credits),
    consumed     numeric NOT NULL DEFAULT 0 CHECK (consumed >= 0),
    pending      numeric NOT NULL DEFAULT 0 CHECK (pending >= 0),
    debt_no      bigint,
    created_at   timestamptz NOT NULL,
    undone_at    timestamptz,
    first_id     uuid,
    PRIMARY KEY (customer_id, operation_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.reclaims IS
'Credits of purchases whose price was paid back, and of grants that were a mistake, one operation each. credits are
taken, paid, owed, waited for by the grant (claim), or gone: expired, voided or forgiven. A capture of more than
there was, an opening balance below zero, what was imported, and what was on an invoice that is void have one too,
without a grant: credits are what it left owed.';
COMMENT ON COLUMN credits_internal.reclaims.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.reclaims.operation_id IS 'The operation.';
COMMENT ON COLUMN credits_internal.reclaims.top_up_id IS 'Of which purchase; NULL for none.';
COMMENT ON COLUMN credits_internal.reclaims.grant_id IS 'The grant; NULL for what another operation left owed.';
COMMENT ON COLUMN credits_internal.reclaims.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.reclaims.credits IS 'How many are to go back.';
COMMENT ON COLUMN credits_internal.reclaims.owes IS 'Whether those that were spent are owed; else they are forgiven.';
COMMENT ON COLUMN credits_internal.reclaims.event_name IS
'The meter whose payers may pay what is owed; NULL for what only plain credits may pay.';
COMMENT ON COLUMN credits_internal.reclaims.taken IS 'Taken from the grant itself.';
COMMENT ON COLUMN credits_internal.reclaims.consumed IS 'Paid by other credits, for what was owed.';
COMMENT ON COLUMN credits_internal.reclaims.pending IS 'Still owed.';
COMMENT ON COLUMN credits_internal.reclaims.debt_no IS 'Its place in the order of payment, where it ever owed.';
COMMENT ON COLUMN credits_internal.reclaims.created_at IS 'When it was posted.';
COMMENT ON COLUMN credits_internal.reclaims.first_id IS
'Of one refund that took from several grants: the operation of the first; NULL for that itself.';
COMMENT ON COLUMN credits_internal.reclaims.undone_at IS 'When all of it was given back; NULL where it was not.';

CREATE INDEX reclaims_owing ON credits_internal.reclaims (customer_id, currency, debt_no) WHERE pending > 0;
CREATE INDEX reclaims_of_one ON credits_internal.reclaims (customer_id, first_id) WHERE first_id IS NOT NULL;
ALTER TABLE credits_internal.reclaims ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.reclaims', '');
