-- Redemptions: who used a coupon, and what happened to each use.

CREATE TYPE credits.redemption AS (
    customer_id text, customer_name text, holder_id uuid, holder_type text, coupon_id uuid, promotion_code_id uuid,
    code text, amount numeric, currency text, status text, over_quota boolean, reserved_at timestamptz, expires_at
    timestamptz, confirmed_at timestamptz, verification_method text, verification_data jsonb);
COMMENT ON TYPE credits.redemption IS
'A use of a coupon, as coupon_redemptions() and promotion_code_redemptions() return it.';
COMMENT ON COLUMN credits.redemption.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.redemption.customer_name IS 'The customer''s name.';
COMMENT ON COLUMN credits.redemption.holder_id IS
'What it was used for: the invoice or the subscription; of a voucher its grant. A key to page by.';
COMMENT ON COLUMN credits.redemption.holder_type IS '''invoice'', ''subscription'' or ''voucher''.';
COMMENT ON COLUMN credits.redemption.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.redemption.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits.redemption.code IS 'The code, as it was made.';
COMMENT ON COLUMN credits.redemption.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits.redemption.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.redemption.status IS '''reserved'' for a purchase under way, or ''confirmed''.';
COMMENT ON COLUMN credits.redemption.over_quota IS
'Whether it was paid for when it was not reserved, and nothing was left: it is honoured, and not counted.';
COMMENT ON COLUMN credits.redemption.reserved_at IS 'When it was reserved.';
COMMENT ON COLUMN credits.redemption.expires_at IS 'When it may go to others; NULL for never.';
COMMENT ON COLUMN credits.redemption.confirmed_at IS 'When it was paid for; NULL until then.';
COMMENT ON COLUMN credits.redemption.verification_method IS 'How the application knew that the customer may use it.';
COMMENT ON COLUMN credits.redemption.verification_data IS 'What the application vouched with.';

CREATE VIEW credits_internal.held_redemptions AS
SELECT r.customer_id, c.name AS customer_name, r.holder_id, r.holder_type, r.coupon_id, r.promotion_code_id, p.code,
       r.amount, r.currency, CASE WHEN r.confirmed_at IS NULL THEN 'reserved' ELSE 'confirmed' END AS status,
       r.over_quota, r.reserved_at, r.expires_at, r.confirmed_at, r.verification_method, r.verification_data
FROM credits_internal.redemptions r
JOIN credits_internal.customers c ON c.customer_id = r.customer_id
LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
WHERE r.released_at IS NULL AND coalesce(r.expires_at > credits.clock(), true);
COMMENT ON VIEW credits_internal.held_redemptions IS
'Uses of coupons at the moment of reading: reserved, or paid for.';

CREATE VIEW credits.discount_log AS
SELECT l.customer_id, l.holder_id, r.holder_type, l.log_no, l.action, l.coupon_id, l.promotion_code_id, p.code,
       l.amount, l.currency, l.created_at
FROM credits_internal.discount_log l
JOIN credits_internal.redemptions r ON r.customer_id = l.customer_id AND r.holder_id = l.holder_id
LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = l.promotion_code_id;
COMMENT ON VIEW credits.discount_log IS
'All that happened to discounts, one row each: nothing of it ever changes. A key to page by is customer_id, holder_id
and log_no.';
COMMENT ON COLUMN credits.discount_log.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.discount_log.holder_id IS
'What the discount is on: the invoice or the subscription; of a voucher its grant.';
COMMENT ON COLUMN credits.discount_log.holder_type IS '''invoice'', ''subscription'' or ''voucher''.';
COMMENT ON COLUMN credits.discount_log.log_no IS 'Its place among the rows of the holder: from 1, without gaps.';
COMMENT ON COLUMN credits.discount_log.action IS
'''applied'': reserved for a purchase. ''confirmed'': paid for. ''released'': given back, as the payment failed,
expired or was voided. ''removed'': taken off by the customer. ''ended'': a subscription has it no more.
''over_quota'': paid for when it was not reserved, with nothing left.';
COMMENT ON COLUMN credits.discount_log.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.discount_log.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits.discount_log.code IS 'The code, as it was made.';
COMMENT ON COLUMN credits.discount_log.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits.discount_log.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.discount_log.created_at IS 'When it happened.';
