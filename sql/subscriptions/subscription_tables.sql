-- Subscriptions, their items, and the periods that they went through.

CREATE TABLE credits_internal.subscriptions (
    customer_id          text COLLATE "C" NOT NULL,
    subscription_id      uuid NOT NULL,
    status               text NOT NULL CHECK (status IN ('incomplete', 'incomplete_expired', 'trialing', 'active',
                                                         'past_due', 'paused', 'canceled')),
    currency             text COLLATE "C" NOT NULL,
    collection_method    text NOT NULL CHECK (collection_method IN ('charge_automatically', 'send_invoice',
                                                                    'external')),
    "interval"           text NOT NULL CHECK ("interval" IN ('hour', 'day', 'week', 'month', 'year')),
    interval_count       integer NOT NULL CHECK (interval_count > 0),
    billing_cycle_anchor timestamptz NOT NULL,
    trial_end            timestamptz,
    trial_end_behavior   text NOT NULL CHECK (trial_end_behavior IN ('charge', 'cancel', 'pause')),
    current_period_start timestamptz NOT NULL,
    current_period_end   timestamptz NOT NULL,
    proration_behavior   text NOT NULL
        CHECK (proration_behavior IN ('always_invoice', 'create_prorations', 'none')),
    days_until_due       integer NOT NULL CHECK (days_until_due >= 0),
    days_until_cancel    integer NOT NULL CHECK (days_until_cancel >= 0),
    payment_method_id    uuid,
    cancel_at            timestamptz,
    cancel_at_period_end boolean NOT NULL DEFAULT false,
    canceled_at          timestamptz,
    ended_at             timestamptz,
    cancel_reason        text,
    cancel_feedback      text,
    cancel_comment       text,
    paused_at            timestamptz,
    resumes_at           timestamptz,
    past_due_at          timestamptz,
    retries              integer NOT NULL DEFAULT 0 CHECK (retries >= 0),
    has_paid             boolean NOT NULL DEFAULT false,
    coupon_id            uuid,
    promotion_code_id    uuid,
    discount_start       timestamptz,
    discount_end         timestamptz,
    discount_invoice_id  uuid,
    latest_invoice_id    uuid,
    description          text,
    metadata             jsonb,
    next_change_at       timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    checkout_session_id  uuid,
    service_actions      jsonb,
    usage_closes_at      timestamptz,
    at_period_end        text NOT NULL DEFAULT 'carry' CHECK (at_period_end IN ('carry', 'forgive', 'invoice')),
    overage_rate         numeric CHECK (overage_rate > 0),
    overdraft_protection boolean NOT NULL DEFAULT false,
    protect_at           timestamptz,
    announced_end        timestamptz,
    provider             text COLLATE "C",
    provider_reference   text COLLATE "C",
    reported_at          timestamptz,
    status_at            timestamptz,
    PRIMARY KEY (customer_id, subscription_id),
    CONSTRAINT subscriptions_period CHECK (current_period_start < current_period_end),
    CONSTRAINT subscriptions_ended CHECK ((status IN ('canceled', 'incomplete_expired')) = (ended_at IS NOT NULL)),
    CONSTRAINT subscriptions_paused CHECK ((status = 'paused') = (paused_at IS NOT NULL)),
    CONSTRAINT subscriptions_past_due CHECK (status <> 'past_due' OR past_due_at IS NOT NULL),
    CONSTRAINT subscriptions_discounted CHECK (coupon_id IS NOT NULL OR promotion_code_id IS NULL),
    CONSTRAINT subscriptions_overage CHECK (at_period_end <> 'invoice' OR overage_rate IS NOT NULL),
    CONSTRAINT subscriptions_provided CHECK ((collection_method = 'external' OR provider IS NULL)
                                             AND (provider IS NOT NULL OR provider_reference IS NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.subscriptions IS 'Subscriptions. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.subscriptions.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.subscriptions.subscription_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.subscriptions.status IS
'''incomplete'', ''incomplete_expired'', ''trialing'', ''active'', ''past_due'', ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits_internal.subscriptions.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits_internal.subscriptions.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits_internal.subscriptions."interval" IS 'The unit of a period.';
COMMENT ON COLUMN credits_internal.subscriptions.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits_internal.subscriptions.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before.';
COMMENT ON COLUMN credits_internal.subscriptions.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits_internal.subscriptions.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits_internal.subscriptions.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits_internal.subscriptions.current_period_end IS 'The first moment after its period.';
COMMENT ON COLUMN credits_internal.subscriptions.proration_behavior IS
'What becomes of the money where items change in mid-period: ''always_invoice'', ''create_prorations'' or ''none''.';
COMMENT ON COLUMN credits_internal.subscriptions.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits_internal.subscriptions.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits_internal.subscriptions.payment_method_id IS
'What is charged for it; NULL for the customer''s default.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_at_period_end IS 'Whether that is the end of a period.';
COMMENT ON COLUMN credits_internal.subscriptions.canceled_at IS 'When that was asked for; NULL where it was not.';
COMMENT ON COLUMN credits_internal.subscriptions.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_reason IS 'Why it ends, as the application says.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_feedback IS 'What the customer chose as the reason.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_comment IS 'What the customer wrote.';
COMMENT ON COLUMN credits_internal.subscriptions.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits_internal.subscriptions.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits_internal.subscriptions.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits_internal.subscriptions.retries IS 'How often a worker was asked again since then.';
COMMENT ON COLUMN credits_internal.subscriptions.has_paid IS 'Whether money was ever paid for it.';
COMMENT ON COLUMN credits_internal.subscriptions.coupon_id IS
'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits_internal.subscriptions.promotion_code_id IS 'The code by which it was given.';
COMMENT ON COLUMN credits_internal.subscriptions.discount_start IS
'When the period began of the first invoice with it; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits_internal.subscriptions.discount_invoice_id IS
'The one invoice that it took something off, where that is all it does; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits_internal.subscriptions.description IS 'For people.';
COMMENT ON COLUMN credits_internal.subscriptions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.subscriptions.next_change_at IS
'When time changes it next; NULL for never. maintain() looks for it.';
COMMENT ON COLUMN credits_internal.subscriptions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.subscriptions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.subscriptions.checkout_session_id IS
'The checkout session that it began in; NULL for none.';
COMMENT ON COLUMN credits_internal.subscriptions.service_actions IS
'What the application wants done at events of it: an array of objects, each with the names of those.';
COMMENT ON COLUMN credits_internal.subscriptions.usage_closes_at IS
'When usage of it is invoiced next; NULL where it has no metered item.';
COMMENT ON COLUMN credits_internal.subscriptions.at_period_end IS
'What becomes of credits that are owed as a period ends: ''carry'', ''forgive'' or ''invoice''.';
COMMENT ON COLUMN credits_internal.subscriptions.overage_rate IS
'What one of them costs on the invoice, in the currency of its prices; NULL for none.';
COMMENT ON COLUMN credits_internal.subscriptions.overdraft_protection IS
'Whether a deposit pays what the last retry could not.';
COMMENT ON COLUMN credits_internal.subscriptions.protect_at IS
'Since when a deposit is to pay, until that is tried; NULL for not.';
COMMENT ON COLUMN credits_internal.subscriptions.announced_end IS
'The end of a period, or of a trial, that was announced last; NULL for none yet.';
COMMENT ON COLUMN credits_internal.subscriptions.provider IS 'Who bills it; NULL where we do.';
COMMENT ON COLUMN credits_internal.subscriptions.provider_reference IS
'What that calls it; NULL while nobody said.';
COMMENT ON COLUMN credits_internal.subscriptions.reported_at IS
'As of when its provider last said how all of it stands: what is older changes nothing; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.status_at IS
'As of when its provider last said what makes its status, by whatever event; NULL until then.';

CREATE INDEX subscriptions_by_id ON credits_internal.subscriptions (subscription_id);
CREATE INDEX subscriptions_due ON credits_internal.subscriptions (next_change_at, customer_id, subscription_id)
    WHERE next_change_at IS NOT NULL;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.subscriptions', '');

CREATE TABLE credits_internal.subscription_items (
    customer_id          text COLLATE "C" NOT NULL,
    subscription_item_id uuid NOT NULL,
    subscription_id      uuid NOT NULL,
    price_id             uuid NOT NULL,
    quantity             numeric CHECK (quantity > 0),
    metadata             jsonb,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    removed_at           timestamptz,
    changed_at           timestamptz,
    known_since          timestamptz,
    PRIMARY KEY (customer_id, subscription_item_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.subscription_items IS
'What subscriptions are for. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.subscription_items.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.subscription_items.subscription_item_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.subscription_items.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits_internal.subscription_items.price_id IS 'The price, which is recurring.';
COMMENT ON COLUMN credits_internal.subscription_items.quantity IS
'How many; NULL where the price is metered, and usage says how many.';
COMMENT ON COLUMN credits_internal.subscription_items.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.subscription_items.created_at IS 'When it was added.';
COMMENT ON COLUMN credits_internal.subscription_items.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.subscription_items.removed_at IS 'When it was removed; NULL while it is there.';
COMMENT ON COLUMN credits_internal.subscription_items.changed_at IS
'Since when it is what it is, as its provider says, while what that brings is not settled; NULL once it is.';
COMMENT ON COLUMN credits_internal.subscription_items.known_since IS
'The earliest moment as of which its provider says that it is what it is; NULL where what that brought is settled.';

CREATE INDEX subscription_items_of ON credits_internal.subscription_items (customer_id, subscription_id);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.subscription_items', '');

CREATE TABLE credits_internal.subscription_periods (
    customer_id     text COLLATE "C" NOT NULL,
    subscription_id uuid NOT NULL,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('trial', 'stub', 'whole')),
    invoice_id      uuid,
    resumed         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, subscription_id, period_start),
    CONSTRAINT subscription_periods_length CHECK (period_start < period_end)
);

COMMENT ON TABLE credits_internal.subscription_periods IS
'The periods of subscriptions, one row each: without a gap, except where one was paused, and without an overlap.';
COMMENT ON COLUMN credits_internal.subscription_periods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.subscription_periods.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits_internal.subscription_periods.period_start IS 'Its first moment.';
COMMENT ON COLUMN credits_internal.subscription_periods.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits_internal.subscription_periods.kind IS
'''trial'', ''stub'' (what was left of a period as the subscription began) or ''whole''.';
COMMENT ON COLUMN credits_internal.subscription_periods.invoice_id IS
'The invoice for it; NULL for a trial in which nothing is granted, and where all items are metered.';
COMMENT ON COLUMN credits_internal.subscription_periods.resumed IS
'Whether it began after a pause: then time may lie before it that is in no period.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.subscription_periods', '');

-- Claimed before anything is locked, as the names of payments are: the key is nobody's own.
CREATE TABLE credits_internal.plan_references (
    provider    text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('subscription', 'item', 'invoice', 'payment', 'price',
                                                          'pair')),
    reference   text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C",
    object_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (provider, kind, reference),
    CONSTRAINT plan_references_of CHECK ((kind = 'price') = (customer_id IS NULL))
);

COMMENT ON TABLE credits_internal.plan_references IS
'What a provider that bills plans calls things: so each of them pays for one of ours.';
COMMENT ON COLUMN credits_internal.plan_references.provider IS 'The provider.';
COMMENT ON COLUMN credits_internal.plan_references.kind IS
'''subscription'', ''item'', ''invoice'', ''price'', ''payment'': of an intent whose payment has another name,
or ''pair'': of a subscription by the customer and the plan that it began with.';
COMMENT ON COLUMN credits_internal.plan_references.reference IS 'What the provider calls it.';
COMMENT ON COLUMN credits_internal.plan_references.customer_id IS 'The customer; NULL for a price.';
COMMENT ON COLUMN credits_internal.plan_references.object_id IS
'The subscription, the item, the invoice, the payment intent or the price.';
COMMENT ON COLUMN credits_internal.plan_references.created_at IS 'When it was first heard of.';

-- One of ours has one name.
CREATE UNIQUE INDEX plan_references_subscription ON credits_internal.plan_references (customer_id, object_id)
    WHERE kind = 'subscription';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.plan_references', '');
