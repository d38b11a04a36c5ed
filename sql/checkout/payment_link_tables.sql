-- Payment links.

CREATE TABLE credits_internal.payment_links (
    payment_link_id       uuid NOT NULL PRIMARY KEY,
    name                  text NOT NULL,
    line_items            jsonb NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    after_completion      jsonb,
    allow_promotion_codes boolean NOT NULL,
    lookup_key            text COLLATE "C",
    recharge_currency     text COLLATE "C",
    metadata              jsonb,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    archived_at           timestamptz,
    subscription_data     jsonb
);

COMMENT ON TABLE credits_internal.payment_links IS
'Payment links: what a checkout session of whoever opens one begins with.';
COMMENT ON COLUMN credits_internal.payment_links.payment_link_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.payment_links.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.payment_links.line_items IS
'What is sold: an array of objects, each with the price, how many, and how many it may be.';
COMMENT ON COLUMN credits_internal.payment_links.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.payment_links.after_completion IS
'What the customer sees once it is paid: a page of the application''s, or a message.';
COMMENT ON COLUMN credits_internal.payment_links.allow_promotion_codes IS 'Whether customers may enter a code.';
COMMENT ON COLUMN credits_internal.payment_links.lookup_key IS
'A name that programs find it by: of one link at a time.';
COMMENT ON COLUMN credits_internal.payment_links.recharge_currency IS
'The credit currency whose recharge configuration it belongs to; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_links.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.payment_links.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.payment_links.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.payment_links.archived_at IS 'When it was archived; NULL where it can be opened.';
COMMENT ON COLUMN credits_internal.payment_links.subscription_data IS
'What is said of the subscriptions that its sessions begin; NULL where they begin none.';

CREATE UNIQUE INDEX payment_links_by_lookup_key ON credits_internal.payment_links (lookup_key)
    WHERE archived_at IS NULL;
CREATE UNIQUE INDEX payment_links_of_recharge ON credits_internal.payment_links (recharge_currency)
    WHERE recharge_currency IS NOT NULL;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_links', '');
