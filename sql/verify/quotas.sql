-- The rules of verify() for quotas. Stock: what is taken of each price is what its holders have.

CREATE VIEW credits_internal.stock_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'stock: taken is not what is reserved' AS problem, NULL::text AS customer_id, NULL::text AS currency,
       'price ' || coalesce(s.price_id, r.price_id) AS subject, coalesce(r.held, 0)::numeric AS expected,
       s.taken::numeric AS found
FROM credits_internal.price_stock s
FULL JOIN (SELECT r.price_id, sum(r.quantity) AS held FROM credits_internal.stock_reservations r
           WHERE r.released_at IS NULL GROUP BY r.price_id) r ON r.price_id = s.price_id
WHERE s.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
SELECT 'stock: an invoice holds other than its lines', r.customer_id, i.currency,
       'invoice ' || i.invoice_id || ', price ' || r.price_id,
       CASE WHEN i.status = 'void' THEN 0 ELSE coalesce(l.quantity, 0) END, r.quantity
FROM credits_internal.stock_reservations r
JOIN credits_internal.invoices i ON i.customer_id = r.customer_id AND i.invoice_id = r.holder_id
CROSS JOIN LATERAL (
    SELECT sum(l.quantity) AS quantity FROM credits_internal.invoice_lines l
    WHERE l.customer_id = r.customer_id AND l.invoice_id = r.holder_id AND l.price_id = r.price_id) l
WHERE r.released_at IS NULL AND (i.status = 'void' OR r.quantity <> coalesce(l.quantity, 0));
COMMENT ON VIEW credits_internal.stock_discrepancies IS
'Stock whose counter is not what is reserved, or that an invoice holds otherwise than it says: no rows when all is
sound. Ask verify().';

-- The rules of verify() for discounts: what is taken of each coupon and code is what its holders have, and the log says
-- what became of each.

CREATE VIEW credits_internal.discount_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'discounts: taken of a coupon is not what is held' AS problem, NULL::text AS customer_id,
       NULL::text AS currency, 'coupon ' || coalesce(u.coupon_id, r.coupon_id) AS subject,
       coalesce(r.held, 0)::numeric AS expected, u.taken::numeric AS found
FROM credits_internal.coupon_counters u
FULL JOIN (SELECT r.coupon_id, count(*) AS held FROM credits_internal.redemptions r
           WHERE r.released_at IS NULL AND NOT r.over_quota GROUP BY r.coupon_id) r ON r.coupon_id = u.coupon_id
WHERE u.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
SELECT 'discounts: taken of a code is not what is held', NULL, NULL,
       'promotion code ' || coalesce(u.promotion_code_id, r.promotion_code_id), coalesce(r.held, 0), u.taken
FROM credits_internal.promotion_code_counters u
FULL JOIN (SELECT r.promotion_code_id, count(*) AS held FROM credits_internal.redemptions r
           WHERE r.released_at IS NULL AND NOT r.over_quota AND r.promotion_code_id IS NOT NULL
           GROUP BY r.promotion_code_id) r ON r.promotion_code_id = u.promotion_code_id
WHERE u.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
-- A coupon or a code has a counter, and a counter is of one.
SELECT 'discounts: a coupon without a counter, or the other way round', NULL, NULL,
       'coupon ' || coalesce(c.coupon_id, u.coupon_id), num_nonnulls(c.coupon_id), num_nonnulls(u.coupon_id)
FROM credits_internal.coupons c
FULL JOIN credits_internal.coupon_counters u ON u.coupon_id = c.coupon_id
WHERE c.coupon_id IS NULL OR u.coupon_id IS NULL
UNION ALL
SELECT 'discounts: a code without a counter, or the other way round', NULL, NULL,
       'promotion code ' || coalesce(p.promotion_code_id, u.promotion_code_id), num_nonnulls(p.promotion_code_id),
       num_nonnulls(u.promotion_code_id)
FROM credits_internal.promotion_codes p
FULL JOIN credits_internal.promotion_code_counters u ON u.promotion_code_id = p.promotion_code_id
WHERE p.promotion_code_id IS NULL OR u.promotion_code_id IS NULL
UNION ALL
SELECT 'discounts: a redemption of what was never used, or of another coupon''s code', r.customer_id, r.currency,
       r.holder_type || ' ' || r.holder_id, NULL, NULL
FROM credits_internal.redemptions r
LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
LEFT JOIN credits_internal.coupon_counters u ON u.coupon_id = r.coupon_id
WHERE u.first_used_at IS NULL OR r.promotion_code_id IS NOT NULL AND p.coupon_id IS DISTINCT FROM r.coupon_id
UNION ALL
SELECT 'discounts: the log is not numbered without gaps', coalesce(l.customer_id, r.customer_id), r.currency,
       'holder ' || coalesce(l.holder_id, r.holder_id), r.last_log_no, l.rows
FROM credits_internal.redemptions r
FULL JOIN (SELECT l.customer_id, l.holder_id, count(*) AS rows, max(l.log_no) AS last_no
           FROM credits_internal.discount_log l GROUP BY l.customer_id, l.holder_id) l
    ON l.customer_id = r.customer_id AND l.holder_id = r.holder_id
WHERE r.last_log_no IS DISTINCT FROM coalesce(l.rows, 0) OR l.rows <> l.last_no
   -- Of what was never held.
   OR (r.last_log_no = 0 AND r.released_at IS NULL)
UNION ALL
-- What the log said last is what the redemption is.
SELECT 'discounts: the log says other than the redemption', r.customer_id, r.currency,
       r.holder_type || ' ' || r.holder_id, r.amount, l.amount
FROM credits_internal.redemptions r
JOIN credits_internal.discount_log l
    ON l.customer_id = r.customer_id AND l.holder_id = r.holder_id AND l.log_no = r.last_log_no
WHERE (l.coupon_id, l.amount, l.currency) IS DISTINCT FROM (r.coupon_id, r.amount, r.currency)
   OR l.promotion_code_id IS DISTINCT FROM r.promotion_code_id
   OR l.action <> ALL (CASE WHEN r.over_quota THEN ARRAY['over_quota', 'ended']
                            WHEN r.confirmed_at IS NOT NULL THEN ARRAY['confirmed', 'ended']
                            WHEN r.released_at IS NOT NULL THEN ARRAY['released', 'removed']
                            ELSE ARRAY['applied'] END)
UNION ALL
-- A voucher's credits are what it gave, and no voucher waits to be paid for.
SELECT 'discounts: a voucher gave other than its grant has', r.customer_id, r.currency, 'grant ' || r.holder_id,
       r.amount, g.amount
FROM credits_internal.redemptions r
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.holder_id
WHERE r.holder_type = 'voucher'
  AND (g.amount IS DISTINCT FROM r.amount OR g.currency IS DISTINCT FROM r.currency OR r.confirmed_at IS NULL);
COMMENT ON VIEW credits_internal.discount_discrepancies IS
'Coupons and codes whose counters are not what is held, and redemptions of which the log says something else: no rows
when all is sound. Ask verify().';
