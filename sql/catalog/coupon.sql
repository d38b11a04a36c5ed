-- Coupons: what is taken off a purchase, or given for nothing.

CREATE TYPE credits.coupon AS (
    coupon_id uuid, name text, description text, percent_off numeric, amount_off numeric, currency text,
    currency_options jsonb, credit_config jsonb, duration text, duration_in_months integer, applies_to_products
    uuid[], max_redemptions integer, max_redemptions_per_customer integer, redeem_by timestamptz, times_redeemed
    integer, active boolean, valid boolean, used boolean, metadata jsonb, created_at timestamptz, updated_at
    timestamptz, promotion_codes text[], replayed boolean);
COMMENT ON TYPE credits.coupon IS
'A coupon, as coupon_create() and the functions that change it return it. The view coupons has all of them.';
COMMENT ON COLUMN credits.coupon.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.coupon.name IS 'What people call it.';
COMMENT ON COLUMN credits.coupon.description IS 'For the merchant.';
COMMENT ON COLUMN credits.coupon.percent_off IS 'So many percent off.';
COMMENT ON COLUMN credits.coupon.amount_off IS
'Or so much off, in major units: at most what the products cost that it applies to.';
COMMENT ON COLUMN credits.coupon.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.coupon.currency_options IS
'How much it takes off in other currencies: an object of currencies, each with amount_off.';
COMMENT ON COLUMN credits.coupon.credit_config IS 'Or the credits that it gives: then its codes are vouchers.';
COMMENT ON COLUMN credits.coupon.duration IS
'''once'', ''repeating'' or ''forever'': of a subscription, off how many of its invoices.';
COMMENT ON COLUMN credits.coupon.duration_in_months IS 'For how many months it repeats.';
COMMENT ON COLUMN credits.coupon.applies_to_products IS 'Off which products; NULL for all.';
COMMENT ON COLUMN credits.coupon.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.coupon.max_redemptions_per_customer IS
'How often one customer may use it; NULL for any number, of a voucher once.';
COMMENT ON COLUMN credits.coupon.redeem_by IS 'The last moment at which it may be used; NULL for no end.';
COMMENT ON COLUMN credits.coupon.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.coupon.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.coupon.valid IS 'Whether it may be used now: it is active, not over, and not used up.';
COMMENT ON COLUMN credits.coupon.used IS
'Whether it was ever used: then what it takes off or gives is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.coupon.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.coupon.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.coupon.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.coupon.promotion_codes IS 'Its active codes, the oldest first, at most 100.';
COMMENT ON COLUMN credits.coupon.replayed IS 'Whether this replays an earlier call.';

CREATE FUNCTION credits.coupon_create(
    name text, percent_off numeric DEFAULT NULL, amount_off numeric DEFAULT NULL, currency text DEFAULT NULL,
    credit_config jsonb DEFAULT NULL, currency_options jsonb DEFAULT NULL, duration text DEFAULT 'once',
    duration_in_months integer DEFAULT NULL, applies_to_products uuid[] DEFAULT NULL,
    max_redemptions integer DEFAULT NULL, max_redemptions_per_customer integer DEFAULT NULL,
    redeem_by timestamptz DEFAULT NULL, promotion_codes jsonb DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.coupon
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_create_wrapper';
COMMENT ON FUNCTION credits.coupon_create IS
'Creates a coupon, and its promotion codes where they are given: so many percent off, so much off, or credits.

name: what people call it.
percent_off: so many percent off what its products cost: above 0, at most 100.
amount_off: or so much off, in major units: at most what its products cost.
currency: the currency of amount_off; required with it.
credit_config: or the credits that it gives, as a product has it: then its codes are vouchers.
currency_options: how much it takes off in other currencies: {"EUR": {"amount_off": 9}}, or an array of objects with
  currency and amount_off.
duration: of a subscription, off how many of its invoices: ''once'', ''repeating'' or ''forever''.
duration_in_months: for how many months it repeats; for ''repeating'' alone.
applies_to_products: off which products; NULL for all.
max_redemptions: how often it may be used in all; NULL for any number.
max_redemptions_per_customer: how often one customer may use it; NULL for any number, of a voucher once.
redeem_by: the last moment at which it may be used; NULL for no end.
promotion_codes: an array of objects, with a key for each parameter of promotion_code_create() but coupon_id and
  idempotency_key.
description: for the merchant.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s coupon; such keys are apart from those of customers.

Exactly one of percent_off, amount_off and credit_config says what it is. Credits of a voucher are of the category
''promotional'' where credit_config names none.

Raises PC002, PC004, PC007, PC008, PC013, PC015, PC019.
Example: SELECT * FROM credits.coupon_create(''Spring'', percent_off => 20, max_redemptions => 100,
  promotion_codes => ''[{"code": "SPRING20"}]'');';

CREATE FUNCTION credits.coupon_update(
    coupon_id uuid, name text DEFAULT NULL, percent_off numeric DEFAULT NULL, amount_off numeric DEFAULT NULL,
    currency text DEFAULT NULL, credit_config jsonb DEFAULT NULL, currency_options jsonb DEFAULT NULL,
    duration text DEFAULT NULL, duration_in_months integer DEFAULT NULL, applies_to_products uuid[] DEFAULT NULL,
    max_redemptions integer DEFAULT NULL, max_redemptions_per_customer integer DEFAULT NULL,
    redeem_by timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    active boolean DEFAULT NULL)
RETURNS credits.coupon
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_update_wrapper';
COMMENT ON FUNCTION credits.coupon_update IS
'Changes a coupon. NULL leaves a value unchanged.

coupon_id: the coupon.
name: what people call it.
percent_off: so many percent off; it takes the place of amount_off or credit_config.
amount_off: so much off; it takes the place of percent_off or credit_config.
currency: the currency of amount_off.
credit_config: the credits that it gives; it takes the place of percent_off or amount_off.
currency_options: how much it takes off in other currencies; ''{}'' for none.
duration: ''once'', ''repeating'' or ''forever''.
duration_in_months: for how many months it repeats.
applies_to_products: off which products; ''{}'' for all.
max_redemptions: how often it may be used in all, at least as often as it is; -1 for any number.
max_redemptions_per_customer: how often one customer may use it; -1 for what a new coupon has.
redeem_by: the last moment at which it may be used; ''infinity'' for no end.
description: for the merchant.
metadata: the application''s own data.
active: false switches it off, with all its codes; true switches it on again.

Once it was used, what it takes off or gives is frozen: percent_off, amount_off, currency, credit_config,
currency_options, duration, duration_in_months and applies_to_products are PC020 then. The limits still change. What
was reserved or paid for keeps its discount, whatever changes.

Raises PC004, PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT * FROM credits.coupon_update((SELECT coupon_id FROM credits.coupons WHERE used), active => false);';

CREATE FUNCTION credits.coupon_delete(coupon_id uuid)
RETURNS credits.coupon
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_delete_wrapper';
COMMENT ON FUNCTION credits.coupon_delete IS
'Deletes a coupon that was never used, with its promotion codes.

coupon_id: the coupon.

One that was used is PC020: coupon_update() switches it off.

Raises PC013, PC019, PC020.
Example: SELECT * FROM credits.coupon_delete((SELECT coupon_id FROM credits.coupons WHERE NOT used LIMIT 1));';

CREATE FUNCTION credits.coupon_used(coupon_id uuid)
RETURNS boolean
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_used_wrapper';
COMMENT ON FUNCTION credits.coupon_used IS
'Returns whether a coupon was ever used: reserved for a purchase, or given as a voucher.

coupon_id: the coupon.

What it takes off or gives is frozen then, and it cannot be deleted.

Raises PC013, PC019.
Example: SELECT credits.coupon_used((SELECT coupon_id FROM credits.coupons WHERE used));';

CREATE FUNCTION credits.coupon_redemptions(
    coupon_id uuid, type text DEFAULT 'customer', page_size integer DEFAULT 50, after uuid DEFAULT NULL)
RETURNS SETOF credits.redemption
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_redemptions_wrapper';
COMMENT ON FUNCTION credits.coupon_redemptions IS
'Returns who uses a coupon, the newest first: each use that is reserved for a purchase under way, or paid for.

coupon_id: the coupon.
type: ''customer'' for all uses; ''subscription'' for those of subscriptions alone.
page_size: the most rows, from 1 to 1000.
after: the last holder_id of the page before; NULL for the first page.

What was released is in discount_log.

Raises PC013, PC019.
Example: SELECT customer_id, amount, currency, status
  FROM credits.coupon_redemptions((SELECT coupon_id FROM credits.coupons WHERE used));';

CREATE VIEW credits_internal.coupon_uses AS
SELECT u.coupon_id, u.max_redemptions, (u.taken - l.late)::integer AS times_redeemed,
       u.first_used_at IS NOT NULL AS used
FROM credits_internal.coupon_counters u
CROSS JOIN LATERAL (
    SELECT count(*) AS late FROM credits_internal.redemptions r
    WHERE r.coupon_id = u.coupon_id AND r.released_at IS NULL AND r.expires_at IS NOT NULL
      AND r.expires_at <= credits.clock()) l;
COMMENT ON VIEW credits_internal.coupon_uses IS
'How often each coupon is used at the moment of reading: what ran out is not counted, whether or not it is released.';

CREATE VIEW credits.coupons AS
SELECT c.coupon_id, c.name, c.description, c.percent_off, c.amount_off, c.currency, c.currency_options,
       c.credit_config, c.duration, c.duration_in_months, c.applies_to_products, u.max_redemptions,
       c.max_redemptions_per_customer, c.redeem_by, u.times_redeemed, c.active,
       c.active AND coalesce(c.redeem_by >= credits.clock(), true)
           AND coalesce(u.times_redeemed < u.max_redemptions, true) AS valid,
       u.used, c.metadata, c.created_at, c.updated_at,
       (SELECT count(*)::integer FROM credits_internal.redemptions r
        WHERE r.coupon_id = c.coupon_id AND r.over_quota) AS times_over_quota
FROM credits_internal.coupons c
JOIN credits_internal.coupon_uses u ON u.coupon_id = c.coupon_id;
COMMENT ON VIEW credits.coupons IS
'Every coupon, with how often it is used at the moment of reading. A key to page by is coupon_id, in the order of
time.';
COMMENT ON COLUMN credits.coupons.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.coupons.name IS 'What people call it.';
COMMENT ON COLUMN credits.coupons.description IS 'For the merchant.';
COMMENT ON COLUMN credits.coupons.percent_off IS 'So many percent off.';
COMMENT ON COLUMN credits.coupons.amount_off IS
'Or so much off, in major units: at most what the products cost that it applies to.';
COMMENT ON COLUMN credits.coupons.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.coupons.currency_options IS
'How much it takes off in other currencies: an object of currencies, each with amount_off.';
COMMENT ON COLUMN credits.coupons.credit_config IS 'Or the credits that it gives: then its codes are vouchers.';
COMMENT ON COLUMN credits.coupons.duration IS
'''once'', ''repeating'' or ''forever'': of a subscription, off how many of its invoices.';
COMMENT ON COLUMN credits.coupons.duration_in_months IS 'For how many months it repeats.';
COMMENT ON COLUMN credits.coupons.applies_to_products IS 'Off which products; NULL for all.';
COMMENT ON COLUMN credits.coupons.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.coupons.max_redemptions_per_customer IS
'How often one customer may use it; NULL for any number, of a voucher once.';
COMMENT ON COLUMN credits.coupons.redeem_by IS 'The last moment at which it may be used; NULL for no end.';
COMMENT ON COLUMN credits.coupons.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.coupons.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.coupons.valid IS 'Whether it may be used now: it is active, not over, and not used up.';
COMMENT ON COLUMN credits.coupons.used IS
'Whether it was ever used: then what it takes off or gives is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.coupons.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.coupons.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.coupons.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.coupons.times_over_quota IS
'How often it was paid for when it was not reserved, with nothing left: honoured, and not in times_redeemed.';
