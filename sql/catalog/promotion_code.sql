-- Promotion codes: what people type in to use a coupon.

CREATE TYPE credits.promotion_code AS (
    promotion_code_id uuid, coupon_id uuid, code text, active boolean, description text, max_redemptions integer,
    starts_at timestamptz, expires_at timestamptz, customer_ids text[], verification_type text, restrictions jsonb,
    times_redeemed integer, valid boolean, used boolean, coupon_name text, percent_off numeric, amount_off numeric,
    currency text, metadata jsonb, created_at timestamptz, updated_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.promotion_code IS
'A code, as promotion_code_create() and the functions that change it return it. The view promotion_codes has all of
them.';
COMMENT ON COLUMN credits.promotion_code.promotion_code_id IS 'The code''s id.';
COMMENT ON COLUMN credits.promotion_code.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.promotion_code.code IS 'What people type in. Upper and lower case are the same.';
COMMENT ON COLUMN credits.promotion_code.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.promotion_code.description IS 'For the merchant.';
COMMENT ON COLUMN credits.promotion_code.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.promotion_code.starts_at IS 'From when on it may be used; NULL for at once.';
COMMENT ON COLUMN credits.promotion_code.expires_at IS 'When it cannot be used any more; NULL for never.';
COMMENT ON COLUMN credits.promotion_code.customer_ids IS 'The customers that may use it; NULL for all.';
COMMENT ON COLUMN credits.promotion_code.verification_type IS
'''code'': whoever has it. ''user_restricted'': certain customers. ''attested'': those for whom the application
vouches.';
COMMENT ON COLUMN credits.promotion_code.restrictions IS
'What the purchase must be: minimum_amount, currency, currency_options, first_time_transaction.';
COMMENT ON COLUMN credits.promotion_code.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.promotion_code.valid IS
'Whether it may be used now: it and its coupon are active, have begun, are not over, and not used up.';
COMMENT ON COLUMN credits.promotion_code.used IS
'Whether it was ever used: then what it asks for is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.promotion_code.coupon_name IS 'The coupon''s name.';
COMMENT ON COLUMN credits.promotion_code.percent_off IS 'So many percent off, as the coupon says.';
COMMENT ON COLUMN credits.promotion_code.amount_off IS 'Or so much off.';
COMMENT ON COLUMN credits.promotion_code.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.promotion_code.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.promotion_code.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.promotion_code.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.promotion_code.replayed IS 'Whether this replays an earlier call.';

CREATE FUNCTION credits.promotion_code_create(
    coupon_id uuid, code text DEFAULT NULL, max_redemptions integer DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    customer_ids text[] DEFAULT NULL, verification_type text DEFAULT NULL, restrictions jsonb DEFAULT NULL,
    starts_at timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_create_wrapper';
COMMENT ON FUNCTION credits.promotion_code_create IS
'Creates a promotion code of a coupon: what people type in to use it.

coupon_id: the coupon.
code: the code, of 1 to 100 characters without spaces; NULL for a random one. Upper and lower case are the same, and
  no two active codes are.
max_redemptions: how often it may be used in all, beside what the coupon says; NULL for any number.
expires_at: when it cannot be used any more; NULL for never.
customer_ids: the customers that may use it, who need not exist yet; NULL for all.
verification_type: ''code'' for whoever has it; ''user_restricted'' for customer_ids alone; ''attested'' for those for
  whom the application vouches, with verification data that is kept. ''nft'' and ''vc'' are taken as ''attested''. NULL
  for ''user_restricted'' where customer_ids is given, and for ''code'' otherwise.
restrictions: what the purchase must be: minimum_amount with its currency, currency_options ({"EUR":
  {"minimum_amount": 18}}), first_time_transaction.
starts_at: from when on it may be used; NULL for at once.
description: for the merchant.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s code; such keys are apart from those of customers.

minimum_amount is held against all that is bought, before anything is taken off. With first_time_transaction it is for
customers who never paid anything.

Raises PC002, PC007, PC008, PC013, PC019.
Example: SELECT * FROM credits.promotion_code_create((SELECT coupon_id FROM credits.coupons WHERE used), ''FRIENDS'',
  max_redemptions => 10, expires_at => now() + interval ''1 month'');';

CREATE FUNCTION credits.promotion_code_update(
    promotion_code_id uuid, active boolean DEFAULT NULL, max_redemptions integer DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, customer_ids text[] DEFAULT NULL, verification_type text DEFAULT NULL,
    restrictions jsonb DEFAULT NULL, starts_at timestamptz DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_update_wrapper';
COMMENT ON FUNCTION credits.promotion_code_update IS
'Changes a promotion code. NULL leaves a value unchanged.

promotion_code_id: the code''s id.
active: false switches it off; true switches it on again, where no other active code is the same.
max_redemptions: how often it may be used in all, at least as often as it is; -1 for any number.
expires_at: when it cannot be used any more; ''infinity'' for never.
customer_ids: the customers that may use it, instead of those before; ''{}'' for all.
verification_type: ''code'', ''user_restricted'' or ''attested''.
restrictions: what the purchase must be, instead of what was asked before; ''{}'' for anything.
starts_at: from when on it may be used; ''-infinity'' for at once.
description: for the merchant.
metadata: the application''s own data.

Once it was used, verification_type and restrictions are frozen: PC020. The code itself and its coupon never change.

Raises PC007, PC008, PC013, PC019, PC020.
Example: SELECT * FROM credits.promotion_code_update((SELECT promotion_code_id FROM credits.promotion_codes
  WHERE used), max_redemptions => 500);';

CREATE FUNCTION credits.promotion_code_archive(promotion_code_id uuid)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_archive_wrapper';
COMMENT ON FUNCTION credits.promotion_code_archive IS
'Switches a promotion code off.

promotion_code_id: the code''s id.

What was reserved or paid for with it keeps its discount. The code is free for another. A repeat changes nothing.

Raises PC013, PC019.
Example: SELECT * FROM credits.promotion_code_archive((SELECT promotion_code_id FROM credits.promotion_codes
  WHERE used));';

CREATE FUNCTION credits.promotion_code_delete(promotion_code_id uuid)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_delete_wrapper';
COMMENT ON FUNCTION credits.promotion_code_delete IS
'Deletes a promotion code that was never used.

promotion_code_id: the code''s id.

One that was used is PC020: promotion_code_archive() switches it off.

Raises PC013, PC019, PC020.
Example: SELECT * FROM credits.promotion_code_delete((SELECT promotion_code_id FROM credits.promotion_codes
  WHERE NOT used LIMIT 1));';

CREATE FUNCTION credits.promotion_code_used(promotion_code_id uuid)
RETURNS boolean
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_used_wrapper';
COMMENT ON FUNCTION credits.promotion_code_used IS
'Returns whether a promotion code was ever used: reserved for a purchase, or redeemed as a voucher.

promotion_code_id: the code''s id.

What it asks for is frozen then, and it cannot be deleted.

Raises PC013, PC019.
Example: SELECT credits.promotion_code_used((SELECT promotion_code_id FROM credits.promotion_codes WHERE used));';

CREATE FUNCTION credits.promotion_code_by_code(code text)
RETURNS credits.promotion_code
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_by_code_wrapper';
COMMENT ON FUNCTION credits.promotion_code_by_code IS
'Returns the promotion code that people type in.

code: the code, in upper or lower case, with or without spaces around it.

Where it was switched off and nobody made another like it, that one is returned. Whether a customer may use it for a
purchase is judged there: a checkout says so, or voucher_redeem().

Raises PC013, PC019.
Example: SELECT code, coupon_name, percent_off, valid FROM credits.promotion_code_by_code(''welcome5'');';

CREATE FUNCTION credits.promotion_code_redemptions(
    promotion_code_id uuid, type text DEFAULT 'customer', page_size integer DEFAULT 50, after uuid DEFAULT NULL)
RETURNS SETOF credits.redemption
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_redemptions_wrapper';
COMMENT ON FUNCTION credits.promotion_code_redemptions IS
'Returns who uses a promotion code, the newest first: each use that is reserved for a purchase under way, or paid for.

promotion_code_id: the code''s id.
type: ''customer'' for all uses; ''subscription'' for those of subscriptions alone.
page_size: the most rows, from 1 to 1000.
after: the last holder_id of the page before; NULL for the first page.

What was released is in discount_log.

Raises PC013, PC019.
Example: SELECT customer_id, amount, currency, status FROM credits.promotion_code_redemptions(
  (SELECT promotion_code_id FROM credits.promotion_codes WHERE used));';

CREATE VIEW credits_internal.promotion_code_uses AS
SELECT u.promotion_code_id, u.max_redemptions, (u.taken - l.late)::integer AS times_redeemed,
       u.first_used_at IS NOT NULL AS used
FROM credits_internal.promotion_code_counters u
CROSS JOIN LATERAL (
    SELECT count(*) AS late FROM credits_internal.redemptions r
    WHERE r.promotion_code_id = u.promotion_code_id AND r.released_at IS NULL AND r.expires_at IS NOT NULL
      AND r.expires_at <= credits.clock()) l;
COMMENT ON VIEW credits_internal.promotion_code_uses IS
'How often each code is used at the moment of reading: what ran out is not counted, whether or not it is released.';

CREATE VIEW credits.promotion_codes AS
SELECT p.promotion_code_id, p.coupon_id, p.code, p.active, p.description, u.max_redemptions, p.starts_at,
       p.expires_at,
       CASE WHEN p.for_customers THEN ARRAY(
           SELECT w.customer_id FROM credits_internal.promotion_code_customers w
           WHERE w.promotion_code_id = p.promotion_code_id ORDER BY w.customer_id)::text[] END AS customer_ids,
       p.verification_type, p.restrictions, u.times_redeemed,
       p.active AND c.valid AND coalesce(p.starts_at <= credits.clock(), true)
           AND coalesce(p.expires_at > credits.clock(), true)
           AND coalesce(u.times_redeemed < u.max_redemptions, true) AS valid,
       u.used, c.name AS coupon_name, c.percent_off, c.amount_off, c.currency, p.metadata, p.created_at, p.updated_at,
       c.valid AS coupon_valid,
       (SELECT count(*)::integer FROM credits_internal.redemptions r
        WHERE r.coupon_id = p.coupon_id AND r.over_quota AND r.promotion_code_id = p.promotion_code_id)
           AS times_over_quota
FROM credits_internal.promotion_codes p
JOIN credits_internal.promotion_code_uses u ON u.promotion_code_id = p.promotion_code_id
JOIN credits.coupons c ON c.coupon_id = p.coupon_id;
COMMENT ON VIEW credits.promotion_codes IS
'Every promotion code, with how often it is used at the moment of reading. A key to page by is promotion_code_id, in the
order of time.';
COMMENT ON COLUMN credits.promotion_codes.promotion_code_id IS 'The code''s id.';
COMMENT ON COLUMN credits.promotion_codes.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.promotion_codes.code IS 'What people type in. Upper and lower case are the same.';
COMMENT ON COLUMN credits.promotion_codes.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.promotion_codes.description IS 'For the merchant.';
COMMENT ON COLUMN credits.promotion_codes.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.promotion_codes.starts_at IS 'From when on it may be used; NULL for at once.';
COMMENT ON COLUMN credits.promotion_codes.expires_at IS 'When it cannot be used any more; NULL for never.';
COMMENT ON COLUMN credits.promotion_codes.customer_ids IS 'The customers that may use it; NULL for all.';
COMMENT ON COLUMN credits.promotion_codes.verification_type IS
'''code'': whoever has it. ''user_restricted'': certain customers. ''attested'': those for whom the application
vouches.';
COMMENT ON COLUMN credits.promotion_codes.restrictions IS
'What the purchase must be: minimum_amount, currency, currency_options, first_time_transaction.';
COMMENT ON COLUMN credits.promotion_codes.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.promotion_codes.valid IS
'Whether it may be used now: it and its coupon are active, have begun, are not over, and not used up.';
COMMENT ON COLUMN credits.promotion_codes.used IS
'Whether it was ever used: then what it asks for is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.promotion_codes.coupon_name IS 'The coupon''s name.';
COMMENT ON COLUMN credits.promotion_codes.percent_off IS 'So many percent off, as the coupon says.';
COMMENT ON COLUMN credits.promotion_codes.amount_off IS 'Or so much off.';
COMMENT ON COLUMN credits.promotion_codes.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.promotion_codes.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.promotion_codes.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.promotion_codes.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.promotion_codes.coupon_valid IS 'Whether its coupon may be used now.';
COMMENT ON COLUMN credits.promotion_codes.times_over_quota IS
'How often it was paid for when it was not reserved, with nothing left: honoured, and not in times_redeemed.';
