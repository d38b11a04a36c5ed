-- Vouchers: codes that give credits.

CREATE TYPE credits.voucher AS (
    customer_id text, promotion_code_id uuid, coupon_id uuid, code text, grant_id uuid, currency text, credits
    numeric, expires_at timestamptz, available numeric, replayed boolean);
COMMENT ON TYPE credits.voucher IS 'What a code gave, as voucher_redeem() returns it.';
COMMENT ON COLUMN credits.voucher.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.voucher.promotion_code_id IS 'The code.';
COMMENT ON COLUMN credits.voucher.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.voucher.code IS 'The code, as it was made.';
COMMENT ON COLUMN credits.voucher.grant_id IS 'The grant that carries the credits.';
COMMENT ON COLUMN credits.voucher.currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.voucher.credits IS 'Credits granted.';
COMMENT ON COLUMN credits.voucher.expires_at IS 'When they expire; NULL for never.';
COMMENT ON COLUMN credits.voucher.available IS 'What a plain debit may take now.';
COMMENT ON COLUMN credits.voucher.replayed IS 'Whether this replays an earlier call.';

CREATE FUNCTION credits.voucher_redeem(
    customer_id text, code text, idempotency_key text DEFAULT NULL, verification_data jsonb DEFAULT NULL,
    verification_method text DEFAULT NULL)
RETURNS credits.voucher
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'voucher_redeem_wrapper';
COMMENT ON FUNCTION credits.voucher_redeem IS
'Gives a customer the credits of a code whose coupon has a credit_config, at once.

customer_id: the customer, created if missing.
code: the code, in upper or lower case, with or without spaces around it.
idempotency_key: makes a replay return the first call''s grant.
verification_data: what the application vouches with; required for a code that is ''attested'', and kept with it.
verification_method: how the application knows, in its own words.

A customer may use it once, unless the coupon''s max_redemptions_per_customer says otherwise. A code that does not apply
is PC016, whose reason is in DETAIL: inactive, not_started, expired, redeem_by, max_redemptions,
max_redemptions_per_customer, verification, first_time_transaction, or no_eligible_product where it takes something off
a purchase instead. A code that does not exist is PC019.

Raises PC002, PC007, PC008, PC013, PC016, PC019.
Example: SELECT credits, currency, available FROM credits.voucher_redeem(''ben'', ''WELCOME5'');';
