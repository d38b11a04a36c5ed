-- Redemptions: who has a coupon reserved, and who used it; and the log of all that happened to discounts.

CREATE TABLE credits_internal.redemptions (
    customer_id         text COLLATE "C" NOT NULL,
    holder_id           uuid NOT NULL,
    holder_type         text NOT NULL CHECK (holder_type IN ('invoice', 'subscription', 'voucher')),
    coupon_id           uuid NOT NULL,
    promotion_code_id   uuid,
    amount              numeric NOT NULL CHECK (amount >= 0),
    currency            text COLLATE "C" NOT NULL,
    verification_method text,
    verification_data   jsonb,
    over_quota          boolean NOT NULL DEFAULT false,
    reserved_at         timestamptz NOT NULL,
    expires_at          timestamptz,
    confirmed_at        timestamptz,
    released_at         timestamptz,
    last_log_no         integer NOT NULL CHECK (last_log_no >= 0),
    PRIMARY KEY (customer_id, holder_id),
    CONSTRAINT redemptions_state CHECK (num_nonnulls(confirmed_at, released_at) < 2),
    CONSTRAINT redemptions_over_quota CHECK (confirmed_at IS NOT NULL OR NOT over_quota)
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.redemptions IS
'Uses of coupons: of each invoice, subscription or voucher the one that it has. One changes under its holder''s lock.';
COMMENT ON COLUMN credits_internal.redemptions.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.redemptions.holder_id IS
'Who has it: the invoice or the subscription; of a voucher its grant.';
COMMENT ON COLUMN credits_internal.redemptions.holder_type IS '''invoice'', ''subscription'' or ''voucher''.';
COMMENT ON COLUMN credits_internal.redemptions.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.redemptions.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits_internal.redemptions.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits_internal.redemptions.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits_internal.redemptions.verification_method IS 'How the application knows, in its words.';
COMMENT ON COLUMN credits_internal.redemptions.verification_data IS
'What the application vouches with: kept until the person is erased.';
COMMENT ON COLUMN credits_internal.redemptions.over_quota IS
'Whether it was paid for when it was not reserved, and nothing was left: it is honoured, and counted nowhere.';
COMMENT ON COLUMN credits_internal.redemptions.reserved_at IS 'When it was last reserved.';
COMMENT ON COLUMN credits_internal.redemptions.expires_at IS 'When it may go to others; NULL for never.';
COMMENT ON COLUMN credits_internal.redemptions.confirmed_at IS 'When it was paid for; NULL until then.';
COMMENT ON COLUMN credits_internal.redemptions.released_at IS 'When it was given back; NULL while it is held.';
COMMENT ON COLUMN credits_internal.redemptions.last_log_no IS 'The number of its last row in discount_log. It is 0 where
nothing happened yet: nobody submitted the cart, and nothing was left when something was reported of its payment.';

CREATE INDEX redemptions_of_customer ON credits_internal.redemptions (customer_id, coupon_id);
CREATE INDEX redemptions_of_coupon ON credits_internal.redemptions (coupon_id, holder_id);
CREATE INDEX redemptions_of_code ON credits_internal.redemptions (promotion_code_id, holder_id)
    WHERE promotion_code_id IS NOT NULL;
CREATE INDEX redemptions_late ON credits_internal.redemptions (expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX redemptions_late_of_coupon ON credits_internal.redemptions (coupon_id, expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX redemptions_late_of_code ON credits_internal.redemptions (promotion_code_id, expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX redemptions_over_quota_of_coupon ON credits_internal.redemptions (coupon_id) WHERE over_quota;

CREATE TABLE credits_internal.discount_log (
    customer_id       text COLLATE "C" NOT NULL,
    holder_id         uuid NOT NULL,
    log_no            integer NOT NULL CHECK (log_no > 0),
    action            text NOT NULL
        CHECK (action IN ('applied', 'confirmed', 'released', 'removed', 'ended', 'over_quota')),
    coupon_id         uuid NOT NULL,
    promotion_code_id uuid,
    amount            numeric NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (customer_id, holder_id, log_no)
);

COMMENT ON TABLE credits_internal.discount_log IS 'What happened to each redemption. It is only ever added to.';
COMMENT ON COLUMN credits_internal.discount_log.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.discount_log.holder_id IS 'Whose redemption, as there.';
COMMENT ON COLUMN credits_internal.discount_log.log_no IS 'Its place among those of the redemption: from 1, no gaps.';
COMMENT ON COLUMN credits_internal.discount_log.action IS 'What happened.';
COMMENT ON COLUMN credits_internal.discount_log.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.discount_log.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits_internal.discount_log.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits_internal.discount_log.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits_internal.discount_log.created_at IS 'When it happened.';

CREATE INDEX discount_log_of_coupon ON credits_internal.discount_log (coupon_id, created_at);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.redemptions', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.discount_log', '');
