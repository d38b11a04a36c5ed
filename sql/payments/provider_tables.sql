-- Payment providers. Only the owner can read this table: it holds secrets.

CREATE TABLE credits_internal.payment_providers (
    provider              text COLLATE "C" NOT NULL PRIMARY KEY,
    webhook_secret        text NOT NULL,
    previous_secret       text,
    checkout_url_template text,
    tolerance             integer NOT NULL CHECK (tolerance > 0),
    livemode              boolean NOT NULL,
    account               text COLLATE "C",
    updated_at            timestamptz NOT NULL,
    previous_secret_expires_at timestamptz CHECK ((previous_secret_expires_at IS NULL) = (previous_secret IS NULL))
);

COMMENT ON TABLE credits_internal.payment_providers IS
'Who takes payments. Only the owner can read it: it has the secrets.';
COMMENT ON COLUMN credits_internal.payment_providers.provider IS 'Its name, which also says how it signs.';
COMMENT ON COLUMN credits_internal.payment_providers.webhook_secret IS 'What its webhooks are signed with.';
COMMENT ON COLUMN credits_internal.payment_providers.previous_secret IS
'What they were signed with before; accepted until previous_secret_expires_at.';
COMMENT ON COLUMN credits_internal.payment_providers.checkout_url_template IS
'Where to pay, with places to be filled in.';
COMMENT ON COLUMN credits_internal.payment_providers.tolerance IS 'How old a signed time may be, in seconds.';
COMMENT ON COLUMN credits_internal.payment_providers.livemode IS
'Whether its events are about real money; others are ignored.';
COMMENT ON COLUMN credits_internal.payment_providers.account IS
'The connected account whose events count; NULL: only those that are no connected account''s.';
COMMENT ON COLUMN credits_internal.payment_providers.updated_at IS 'When it was last set.';
COMMENT ON COLUMN credits_internal.payment_providers.previous_secret_expires_at IS
'Until when that is accepted; NULL where there is none.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_providers', '');
