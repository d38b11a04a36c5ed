-- Auto-recharge: who has it, and which prices are to be reviewed.

CREATE TABLE credits_internal.auto_recharges (
    customer_id          text COLLATE "C" NOT NULL,
    currency             text COLLATE "C" NOT NULL,
    enabled              boolean NOT NULL,
    threshold            numeric NOT NULL CHECK (threshold >= 0),
    price_id             uuid,
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
    target               numeric CHECK (target > 0),
    price_currency       text COLLATE "C",
    max_attempts_per_calendar_day   integer CHECK (max_attempts_per_calendar_day > 0),
    max_amount_per_calendar_day     numeric CHECK (max_amount_per_calendar_day > 0),
    max_attempts_per_calendar_month integer CHECK (max_attempts_per_calendar_month > 0),
    max_amount_per_calendar_month   numeric CHECK (max_amount_per_calendar_month > 0),
    schedule_every       interval CHECK (timestamp '2001-02-01' + schedule_every > timestamp '2001-02-01'),
    schedule_start_at    timestamptz,
    schedule_day         integer CHECK (schedule_day BETWEEN 1 AND 31),
    scheduled_at         timestamptz NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (customer_id, currency),
    CONSTRAINT auto_recharges_bought_with CHECK ((price_id IS NULL) <> (price_currency IS NULL))
);

COMMENT ON TABLE credits_internal.auto_recharges IS 'How accounts recharge themselves.';
COMMENT ON COLUMN credits_internal.auto_recharges.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.auto_recharges.currency IS 'The credit currency.';
COMMENT ON COLUMN credits_internal.auto_recharges.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits_internal.auto_recharges.threshold IS
'Below this many available credits are bought; 0: never because of the balance.';
COMMENT ON COLUMN credits_internal.auto_recharges.price_id IS 'At which price; NULL where they are bought by amount.';
COMMENT ON COLUMN credits_internal.auto_recharges.quantity IS 'How many units; with a target, the fewest.';
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
COMMENT ON COLUMN credits_internal.auto_recharges.target IS
'How many credits a recharge is to reach; NULL where it always buys the same quantity.';
COMMENT ON COLUMN credits_internal.auto_recharges.price_currency IS
'The currency that is paid where credits are bought by amount, at the exchange rate; NULL where they have a price.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_attempts_per_calendar_day IS
'Within a day in UTC; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_amount_per_calendar_day IS
'Within a day in UTC, in the currency that is paid, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_attempts_per_calendar_month IS
'Within a month in UTC; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_amount_per_calendar_month IS
'Within a month in UTC, in the currency that is paid, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.schedule_every IS
'How often it buys whatever the balance, counted from schedule_start_at; NULL for not so.';
COMMENT ON COLUMN credits_internal.auto_recharges.schedule_start_at IS
'The first moment of schedule_every; schedule_day begins no earlier.';
COMMENT ON COLUMN credits_internal.auto_recharges.schedule_day IS
'On which day of each month it buys whatever the balance; NULL for not so.';
COMMENT ON COLUMN credits_internal.auto_recharges.scheduled_at IS
'The first moment of the schedule that nothing was bought for yet. infinity: there is none.';

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
