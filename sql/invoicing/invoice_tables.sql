-- Invoices, their lines, what was applied to them, and their numbers.

CREATE TABLE credits_internal.invoices (
    customer_id             text COLLATE "C" NOT NULL,
    invoice_id              uuid NOT NULL,
    status                  text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    billing_reason          text NOT NULL CHECK (billing_reason IN (
                                'manual', 'recharge', 'auto_recharge', 'deposit', 'subscription_create',
                                'subscription_cycle', 'subscription_update', 'overdraft_protection')),
    currency                text COLLATE "C" NOT NULL,
    number                  text COLLATE "C",
    number_prefix           text COLLATE "C",
    number_no               bigint CHECK (number_no > 0),
    description             text,
    footer                  text,
    custom_fields           jsonb,
    metadata                jsonb,
    tax_rate                numeric CHECK (tax_rate BETWEEN 0 AND 100),
    given_discount          numeric NOT NULL CHECK (given_discount >= 0),
    subtotal                numeric NOT NULL DEFAULT 0,
    discount                numeric NOT NULL DEFAULT 0 CHECK (discount >= 0),
    tax                     numeric NOT NULL DEFAULT 0,
    shipping                numeric NOT NULL DEFAULT 0 CHECK (shipping >= 0),
    from_provider           boolean NOT NULL DEFAULT false,
    total                   numeric NOT NULL DEFAULT 0,
    total_excluding_tax     numeric NOT NULL DEFAULT 0,
    amount_due              numeric NOT NULL DEFAULT 0 CHECK (amount_due >= 0),
    amount_paid             numeric NOT NULL DEFAULT 0 CHECK (amount_paid BETWEEN 0 AND amount_due),
    due_date                timestamptz,
    days_until_due          integer CHECK (days_until_due >= 0),
    customer_name           text,
    customer_email          text,
    customer_phone          text,
    customer_address        jsonb,
    collection_method       text NOT NULL CHECK (collection_method IN ('charge_automatically', 'send_invoice')),
    retained                boolean NOT NULL DEFAULT false,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL,
    finalized_at            timestamptz,
    paid_at                 timestamptz,
    voided_at               timestamptz,
    marked_uncollectible_at timestamptz,
    seller                  text,
    coupon_id               uuid,
    promotion_code_id       uuid,
    checkout_session_id     uuid,
    coupon_name             text,
    subscription_id         uuid,
    payment_method_id       uuid,
    PRIMARY KEY (customer_id, invoice_id),
    CONSTRAINT invoices_number CHECK ((status = 'draft') = (number IS NULL)
                                      AND num_nonnulls(number, number_prefix, number_no, finalized_at) IN (0, 4)),
    CONSTRAINT invoices_paid CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CONSTRAINT invoices_void CHECK ((status = 'void') = (voided_at IS NOT NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.invoices IS
'Invoices. What one comes to is fixed when it gets its number. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoices.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoices.invoice_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.invoices.status IS
'''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits_internal.invoices.billing_reason IS
'Why it was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'',
''subscription_create'', ''subscription_cycle'' or ''subscription_update''.';
COMMENT ON COLUMN credits_internal.invoices.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits_internal.invoices.number IS 'Its number, as people read it; NULL for a draft.';
COMMENT ON COLUMN credits_internal.invoices.number_prefix IS 'The first part of the number.';
COMMENT ON COLUMN credits_internal.invoices.number_no IS 'The second part: from 1 in each prefix, without gaps.';
COMMENT ON COLUMN credits_internal.invoices.description IS 'For people.';
COMMENT ON COLUMN credits_internal.invoices.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits_internal.invoices.custom_fields IS 'For people: an array of names and values.';
COMMENT ON COLUMN credits_internal.invoices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.invoices.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits_internal.invoices.given_discount IS 'What is taken off all lines, as it was given.';
COMMENT ON COLUMN credits_internal.invoices.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits_internal.invoices.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits_internal.invoices.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits_internal.invoices.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits_internal.invoices.from_provider IS
'Whether discount, tax and shipping are what the provider''s checkout said, instead of ours.';
COMMENT ON COLUMN credits_internal.invoices.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits_internal.invoices.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits_internal.invoices.amount_due IS
'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits_internal.invoices.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits_internal.invoices.due_date IS 'When it is due; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.invoices.days_until_due IS 'How many days after it gets its number it is due.';
COMMENT ON COLUMN credits_internal.invoices.customer_name IS 'The customer''s name when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.customer_email IS 'The customer''s address when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.customer_phone IS 'The customer''s number when it got its own.';
COMMENT ON COLUMN credits_internal.invoices.customer_address IS
'The customer''s postal address when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.collection_method IS
'''charge_automatically'': a worker is asked to charge the customer''s payment method; ''send_invoice'': nobody is.';
COMMENT ON COLUMN credits_internal.invoices.retained IS
'Whether the customer was erased, and whom it was for is kept for credits.invoice_retention.';
COMMENT ON COLUMN credits_internal.invoices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.invoices.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.invoices.finalized_at IS 'When it got its number.';
COMMENT ON COLUMN credits_internal.invoices.paid_at IS 'When all of it was paid.';
COMMENT ON COLUMN credits_internal.invoices.voided_at IS 'When it was voided.';
COMMENT ON COLUMN credits_internal.invoices.marked_uncollectible_at IS 'When it was last given up.';
COMMENT ON COLUMN credits_internal.invoices.seller IS
'Who sold: what credits.invoice_seller said when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.coupon_id IS 'The coupon that takes something off it; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.promotion_code_id IS
'The promotion code by which that was given; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.checkout_session_id IS
'The checkout session whose purchase it is; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.coupon_name IS
'What the coupon was called when that was taken off; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.subscription_id IS 'The subscription that it is for; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.payment_method_id IS
'What is to be charged for it; NULL for the customer''s default.';

CREATE INDEX invoices_by_id ON credits_internal.invoices (invoice_id);
CREATE UNIQUE INDEX invoices_by_number ON credits_internal.invoices (customer_id, number);
CREATE INDEX invoices_unpaid ON credits_internal.invoices (customer_id, due_date)
    WHERE status IN ('open', 'uncollectible');
CREATE INDEX invoices_of_subscription ON credits_internal.invoices (customer_id, subscription_id)
    WHERE subscription_id IS NOT NULL;
CREATE INDEX invoices_retained ON credits_internal.invoices (finalized_at) WHERE retained;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoices', '');

-- What is pending is a line without an invoice.
CREATE TABLE credits_internal.invoice_lines (
    customer_id          text COLLATE "C" NOT NULL,
    invoice_line_id      uuid NOT NULL,
    invoice_id           uuid,
    line_no              integer CHECK (line_no > 0),
    was_pending          boolean NOT NULL DEFAULT false,
    currency             text COLLATE "C" NOT NULL,
    price_id             uuid,
    description          text,
    quantity             numeric CHECK (quantity > 0),
    unit_amount          numeric,
    pricing              jsonb,
    amount               numeric NOT NULL,
    given_discount       numeric NOT NULL CHECK (given_discount >= 0),
    given_tax_rate       numeric CHECK (given_tax_rate BETWEEN 0 AND 100),
    tax_behavior         text NOT NULL CHECK (tax_behavior IN ('exclusive', 'inclusive')),
    discount             numeric NOT NULL CHECK (discount >= 0),
    tax_rate             numeric CHECK (tax_rate > 0),
    tax                  numeric NOT NULL,
    amount_excluding_tax numeric NOT NULL,
    credits              numeric CHECK (credits > 0),
    credit_currency      text COLLATE "C",
    category             text,
    priority             smallint,
    time_to_live         interval,
    applicable_meters    text[],
    grant_name           text,
    grant_id             uuid,
    reclaimed            numeric NOT NULL DEFAULT 0 CHECK (reclaimed >= 0),
    refunded_amount      numeric NOT NULL DEFAULT 0 CHECK (refunded_amount >= 0),
    period_start         timestamptz,
    period_end           timestamptz,
    from_invoice_id      uuid,
    metadata             jsonb,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    rollover             jsonb,
    subscription_item_id uuid,
    covers_until         timestamptz,
    proration            boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, invoice_line_id),
    CONSTRAINT invoice_lines_place CHECK ((invoice_id IS NULL) = (line_no IS NULL)),
    CONSTRAINT invoice_lines_credits CHECK (num_nonnulls(credits, credit_currency, category, priority) IN (0, 4)),
    CONSTRAINT invoice_lines_period CHECK ((period_start IS NULL) = (period_end IS NULL) AND period_start <= period_end)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.invoice_lines IS
'Lines of invoices, and those that wait for the next one. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoice_lines.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_lines.invoice_line_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.invoice_lines.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits_internal.invoice_lines.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits_internal.invoice_lines.was_pending IS 'Whether the invoice took it from what was pending.';
COMMENT ON COLUMN credits_internal.invoice_lines.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.invoice_lines.price_id IS 'The price; NULL for a line by hand.';
COMMENT ON COLUMN credits_internal.invoice_lines.description IS
'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits_internal.invoice_lines.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits_internal.invoice_lines.unit_amount IS
'What one costs, in major units, with up to 12 decimals.';
COMMENT ON COLUMN credits_internal.invoice_lines.pricing IS
'What a quantity costs, where that is not the same for each.';
COMMENT ON COLUMN credits_internal.invoice_lines.amount IS
'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits_internal.invoice_lines.given_discount IS 'What is taken off it alone, as it was given.';
COMMENT ON COLUMN credits_internal.invoice_lines.given_tax_rate IS
'In percent, as it was given; NULL for the invoice''s.';
COMMENT ON COLUMN credits_internal.invoice_lines.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits_internal.invoice_lines.discount IS
'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits_internal.invoice_lines.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits_internal.invoice_lines.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits_internal.invoice_lines.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits_internal.invoice_lines.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits_internal.invoice_lines.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits_internal.invoice_lines.category IS 'Of its grant.';
COMMENT ON COLUMN credits_internal.invoice_lines.priority IS 'Of its grant.';
COMMENT ON COLUMN credits_internal.invoice_lines.time_to_live IS 'Of its grant, from the payment on; NULL for ever.';
COMMENT ON COLUMN credits_internal.invoice_lines.applicable_meters IS 'Of its grant; NULL for anything.';
COMMENT ON COLUMN credits_internal.invoice_lines.grant_name IS 'The name of its grant.';
COMMENT ON COLUMN credits_internal.invoice_lines.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits_internal.invoice_lines.reclaimed IS
'Credits that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits_internal.invoice_lines.refunded_amount IS
'What was paid back of this line by refunds that name it, with its tax.';
COMMENT ON COLUMN credits_internal.invoice_lines.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits_internal.invoice_lines.period_end IS 'Until when it is for.';
COMMENT ON COLUMN credits_internal.invoice_lines.from_invoice_id IS
'The invoice whose total was below zero and left it over.';
COMMENT ON COLUMN credits_internal.invoice_lines.metadata IS 'The application''s own data: its grant''s too.';
COMMENT ON COLUMN credits_internal.invoice_lines.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.invoice_lines.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.invoice_lines.rollover IS
'Of its grant, what goes on when its time runs out; NULL for nothing. Written by src/ledger/grant/rollover.rs.';
COMMENT ON COLUMN credits_internal.invoice_lines.subscription_item_id IS
'The item of a subscription that it is for; NULL for none.';
COMMENT ON COLUMN credits_internal.invoice_lines.covers_until IS
'Until when it pays for that item: the end of its period, or when it was credited; NULL where it pays for nothing.';
COMMENT ON COLUMN credits_internal.invoice_lines.proration IS
'Whether it is for part of a period, since an item changed.';

CREATE INDEX invoice_lines_of ON credits_internal.invoice_lines (customer_id, invoice_id, line_no);
CREATE INDEX invoice_lines_of_item ON credits_internal.invoice_lines (customer_id, subscription_item_id)
    WHERE subscription_item_id IS NOT NULL;
CREATE INDEX invoice_lines_left_over ON credits_internal.invoice_lines (customer_id, from_invoice_id)
    WHERE from_invoice_id IS NOT NULL;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_lines', '');

-- Of a line whose credits are granted in instalments.
CREATE TABLE credits_internal.invoice_line_grants (
    customer_id     text COLLATE "C" NOT NULL,
    invoice_line_id uuid NOT NULL,
    instalment_no   integer NOT NULL CHECK (instalment_no > 0),
    revision        integer NOT NULL CHECK (revision > 0),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    expires         boolean NOT NULL,
    credits         numeric NOT NULL CHECK (credits > 0),
    grant_id        uuid,
    reclaimed       numeric NOT NULL DEFAULT 0 CHECK (reclaimed >= 0),
    ended_at        timestamptz,
    paid_back       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, invoice_line_id, instalment_no, revision),
    CONSTRAINT invoice_line_grants_time CHECK (starts_at < ends_at)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.invoice_line_grants IS
'The instalments in which the credits of lines are granted. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.instalment_no IS 'Its place in the period, from 1.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.revision IS
'1, and one more each time that it was ended before it began and is granted again.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.starts_at IS 'When it was planned to begin.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.ends_at IS
'When it was planned to end: as the next one begins, or the period ends.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.expires IS
'Whether what is left of it expires then. Otherwise it lasts as long as the line says.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.credits IS 'How many credits.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.grant_id IS 'The grant; NULL until the line is paid.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.reclaimed IS
'Credits of it that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.ended_at IS
'When it was ended before its time: the subscription was canceled, paused or changed, or its price was paid back; NULL
where it was not.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.paid_back IS
'Whether it was ended, before it began, since its price was paid back: where that failed, it is granted again.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_line_grants', '');

CREATE TABLE credits_internal.invoice_payments (
    customer_id       text COLLATE "C" NOT NULL,
    invoice_id        uuid NOT NULL,
    payment_no        integer NOT NULL CHECK (payment_no > 0),
    paid_from         text NOT NULL CHECK (paid_from IN ('wallet', 'outside', 'provider', 'deposit')),
    amount            numeric NOT NULL CHECK (amount > 0),
    operation_id      uuid,
    reference         text COLLATE "C",
    created_at        timestamptz NOT NULL,
    reversed_at       timestamptz,
    reversal_id       uuid,
    payment_intent_id uuid,
    deposit_id        uuid,
    PRIMARY KEY (customer_id, invoice_id, payment_no),
    CONSTRAINT invoice_payments_provider CHECK ((paid_from = 'provider') = (payment_intent_id IS NOT NULL)),
    CONSTRAINT invoice_payments_wallet CHECK ((paid_from = 'wallet') = (operation_id IS NOT NULL)),
    CONSTRAINT invoice_payments_deposit CHECK ((paid_from = 'deposit') = (deposit_id IS NOT NULL)),
    CONSTRAINT invoice_payments_reversed CHECK ((reversed_at IS NULL) = (reversal_id IS NULL))
);

COMMENT ON TABLE credits_internal.invoice_payments IS
'Money that was applied to invoices, a row per source. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoice_payments.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_payments.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits_internal.invoice_payments.payment_no IS 'Its place among the invoice''s payments, from 1.';
COMMENT ON COLUMN credits_internal.invoice_payments.paid_from IS
'''wallet'', ''outside'', ''provider'' or ''deposit''.';
COMMENT ON COLUMN credits_internal.invoice_payments.amount IS 'How much, in the invoice''s currency.';
COMMENT ON COLUMN credits_internal.invoice_payments.operation_id IS 'The debit, where the wallet paid.';
COMMENT ON COLUMN credits_internal.invoice_payments.reference IS
'What the application calls it, where the money came from outside.';
COMMENT ON COLUMN credits_internal.invoice_payments.created_at IS 'When it was applied.';
COMMENT ON COLUMN credits_internal.invoice_payments.reversed_at IS 'When it was given back; NULL where it stands.';
COMMENT ON COLUMN credits_internal.invoice_payments.payment_intent_id IS
'The payment intent, where a provider took the money.';
COMMENT ON COLUMN credits_internal.invoice_payments.reversal_id IS 'The operation that gave it back.';
COMMENT ON COLUMN credits_internal.invoice_payments.deposit_id IS
'The invoice of the deposit, where that paid; NULL otherwise.';

CREATE INDEX invoice_payments_deposit ON credits_internal.invoice_payments (customer_id, deposit_id)
    WHERE deposit_id IS NOT NULL;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_payments', '');

CREATE TABLE credits_internal.invoice_numbers (
    customer_id text COLLATE "C" NOT NULL,
    prefix      text COLLATE "C" NOT NULL,
    last_no     bigint NOT NULL CHECK (last_no > 0),
    PRIMARY KEY (customer_id, prefix)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.invoice_numbers IS
'How far the numbers of a customer''s invoices went. A row is locked last, by what gives a number.';
COMMENT ON COLUMN credits_internal.invoice_numbers.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_numbers.prefix IS 'The first part of the numbers.';
COMMENT ON COLUMN credits_internal.invoice_numbers.last_no IS 'The second part of the last one.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_numbers', '');
