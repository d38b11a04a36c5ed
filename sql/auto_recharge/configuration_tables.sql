-- Auto-recharge: who has it, and which prices are to be reviewed.

CREATE TABLE credits_internal.auto_recharges (
    customer_id          text COLLATE "C" NOT NULL,
    currency             text COLLATE "C" NOT NULL,
    enabled              boolean NOT NULL,
    threshold            numeric NOT NULL CHECK (threshold > 0),
    price_id             uuid NOT NULL,
    quantity             integer NOT NULL CHECK (quantity > 0),
    payment_method       text,
    max_attempts_per_day integer CHECK (max_attempts_per_day > 0),
    max_amount_per_day   numeric CHECK (max_amount_per_day > 0),
    cooldown             interval NOT NULL CHECK (timestamp '2001-02-01' + cooldown >= timestamp '2001-02-01'),
    timeout              interval NOT NULL CHECK (timestamp '2001-02-01' + timeout > timestamp '2001-02-01'),
    failures             integer NOT NULL DEFAULT 0,
    disabled_reason      text,
    waits_for_spend      boolean NOT NULL DEFAULT false,
    due_at               timestamptz NOT NULL DEFAULT 'infinity',
    updated_at           timestamptz NOT NULL,
    PRIMARY KEY (customer_id, currency)
);

COMMENT ON TABLE credits_internal.auto_recharges IS 'How accounts recharge themselves.';
COMMENT ON COLUMN credits_internal.auto_recharges.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.auto_recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.auto_recharges.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits_internal.auto_recharges.threshold IS 'Below this many available credits are bought.';
COMMENT ON COLUMN credits_internal.auto_recharges.price_id IS 'At which price.';
COMMENT ON COLUMN credits_internal.auto_recharges.quantity IS 'How many units.';
COMMENT ON COLUMN credits_internal.auto_recharges.payment_method IS 'What the worker charges, in its own terms.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_attempts_per_day IS 'Within 24 hours; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_amount_per_day IS
'Within 24 hours, in major units of the price''s currency, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.cooldown IS 'The least time between two requests.';
COMMENT ON COLUMN credits_internal.auto_recharges.timeout IS 'How long a request waits for an answer.';
COMMENT ON COLUMN credits_internal.auto_recharges.failures IS 'How many attempts in a row failed or timed out.';
COMMENT ON COLUMN credits_internal.auto_recharges.disabled_reason IS
'The code of why it switched itself off, as configure_auto_recharge lists them; NULL where it did not.';
COMMENT ON COLUMN credits_internal.auto_recharges.waits_for_spend IS
'Whether only the customer''s next spend, or enough credits, end a pause: credits were taken back, and too few were
left.';
COMMENT ON COLUMN credits_internal.auto_recharges.due_at IS
'When time alone calls for an evaluation: an open request times out, or another may be made. infinity: never.';
COMMENT ON COLUMN credits_internal.auto_recharges.updated_at IS 'When it was last configured.';

CREATE INDEX auto_recharges_of_price ON credits_internal.auto_recharges (price_id, customer_id);

CREATE TABLE credits_internal.recharge_reviews (
    price_id       uuid NOT NULL PRIMARY KEY,
    after_customer text COLLATE "C" NOT NULL DEFAULT ''
);

COMMENT ON TABLE credits_internal.recharge_reviews IS
'Prices that something changed for: maintain() reviews the accounts that recharge themselves at them.';
COMMENT ON COLUMN credits_internal.recharge_reviews.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.recharge_reviews.after_customer IS 'Up to which customer they were reviewed.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.auto_recharges', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.recharge_reviews', '');
