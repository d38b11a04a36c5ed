-- The rules of verify() for checkout: a session is complete if and only if its invoice is paid, and comes to what that
-- does; one that has ended is paid by nobody; carts come to what their prices say.

CREATE VIEW credits_internal.checkout_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'checkout session: it is complete and its invoice is not paid, or the reverse' AS problem, s.customer_id,
       s.currency, 'session ' || s.checkout_session_id AS subject, s.amount_total AS expected, i.amount_paid AS found
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE (s.status = 'complete') <> (i.status IS NOT DISTINCT FROM 'paid'
                                  OR (s.subscription_id IS NOT NULL AND s.invoice_id IS NULL))
   OR (s.invoice_id IS NOT NULL
       AND (i.checkout_session_id, i.currency) IS DISTINCT FROM (s.checkout_session_id, s.currency))
UNION ALL
SELECT 'checkout session: what it comes to is not what its invoice does', s.customer_id, s.currency,
       'session ' || s.checkout_session_id, i.total, s.amount_total
FROM credits_internal.checkout_sessions s
JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE (s.amount_subtotal, s.amount_discount, s.amount_tax, s.amount_total)
      IS DISTINCT FROM (i.subtotal, i.discount, i.tax, i.total)
   OR (s.payment_status = 'no_payment_required') <> (s.status = 'complete' AND i.total = 0)
UNION ALL
SELECT 'checkout session: it is complete and its subscription has not begun, or the reverse',
       coalesce(s.customer_id, b.customer_id), coalesce(s.currency, b.currency),
       'session ' || coalesce(s.checkout_session_id, b.checkout_session_id), NULL, NULL
FROM (SELECT * FROM credits_internal.checkout_sessions s WHERE s.subscription_id IS NOT NULL) s
FULL JOIN (SELECT * FROM credits_internal.subscriptions b WHERE b.checkout_session_id IS NOT NULL) b
       ON b.customer_id = s.customer_id AND b.subscription_id = s.subscription_id
LEFT JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE b.checkout_session_id IS DISTINCT FROM s.checkout_session_id
   OR (s.status = 'complete') <> (b.status NOT IN ('incomplete', 'incomplete_expired')
                                  AND i.status IS DISTINCT FROM 'draft')
   OR (s.status = 'expired' AND b.ended_at IS NULL)
   OR i.subscription_id <> b.subscription_id
UNION ALL
SELECT 'checkout session: it is over and its payment intent is not, or it is under way otherwise', s.customer_id,
       s.currency, 'session ' || s.checkout_session_id, s.amount_total, t.amount
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.payment_intents t
       ON t.customer_id = s.customer_id AND t.payment_intent_id = s.checkout_session_id
WHERE (s.status = 'expired' AND t.status IN ('requires_payment_method', 'requires_action', 'processing'))
   OR s.under_way <> (s.status = 'open' AND t.status IS NOT DISTINCT FROM 'processing')
   OR (s.status = 'open' AND t.status IN ('succeeded', 'canceled'))
   OR t.invoice_id <> s.invoice_id
UNION ALL
SELECT 'checkout session: its lines do not add up to it', s.customer_id, s.currency,
       'session ' || s.checkout_session_id, l.subtotal, s.amount_subtotal
FROM credits_internal.checkout_sessions s
CROSS JOIN LATERAL (
    SELECT sum((e.item->>'amount')::numeric) AS subtotal, sum((e.item->>'amount_discount')::numeric) AS discount,
           sum((e.item->>'amount_tax')::numeric) AS tax
    FROM jsonb_array_elements(s.line_items) AS e (item)) l
WHERE s.status = 'open'
  AND (l.subtotal, l.discount, l.tax) IS DISTINCT FROM (s.amount_subtotal, s.amount_discount, s.amount_tax)
UNION ALL
SELECT 'checkout session: an item costs other than its price says', s.customer_id, s.currency,
       'session ' || s.checkout_session_id || ', price ' || p.price_id,
       round(p.unit_amount * (e.item->>'quantity')::numeric, c.decimals), (e.item->>'amount')::numeric
FROM credits_internal.checkout_sessions s
JOIN credits_internal.currencies c ON c.currency = s.currency
CROSS JOIN LATERAL jsonb_array_elements(s.line_items) AS e (item)
JOIN credits_internal.prices p ON p.price_id = (e.item->>'price_id')::uuid AND p.pricing IS NULL
-- Of a recurring price a trial is free, and a part of a period is paid in proportion.
WHERE e.item->>'custom_amount' IS NULL AND p.recurring IS NULL
  AND (e.item->>'amount')::numeric <> round(p.unit_amount * (e.item->>'quantity')::numeric, c.decimals)
UNION ALL
SELECT 'checkout session: its discount is not its invoice''s, or not what is taken off', s.customer_id, s.currency,
       'session ' || s.checkout_session_id, s.amount_off, s.amount_discount
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE (i.invoice_id IS NOT NULL
       -- A subscription's takes nothing off a trial.
       AND (i.coupon_id IS NOT NULL OR s.mode = 'payment' OR s.amount_discount <> 0)
       AND (i.coupon_id, i.promotion_code_id) IS DISTINCT FROM (s.coupon_id, s.promotion_code_id))
   OR (s.status = 'open' AND s.invoice_id IS NULL AND s.amount_discount <> coalesce(s.amount_off, 0))
UNION ALL
-- What is paid for was used, and what was used is paid for.
SELECT 'checkout session: its invoice is paid and its discount is not used, or the reverse', i.customer_id, i.currency,
       'invoice ' || i.invoice_id, i.discount, r.amount
FROM credits_internal.invoices i
FULL JOIN (SELECT r.customer_id, r.holder_id, r.coupon_id, r.promotion_code_id, r.amount, r.confirmed_at
           FROM credits_internal.redemptions r WHERE r.holder_type = 'invoice') r
       ON r.customer_id = i.customer_id AND r.holder_id = i.invoice_id
WHERE i.subscription_id IS NULL
  AND ((i.coupon_id, i.promotion_code_id) IS DISTINCT FROM (r.coupon_id, r.promotion_code_id)
   OR (i.coupon_id IS NOT NULL AND (i.status = 'paid') <> (r.confirmed_at IS NOT NULL)))
UNION ALL
SELECT 'invoice: no checkout session has it', i.customer_id, i.currency, 'invoice ' || i.invoice_id, i.total, NULL
FROM credits_internal.invoices i
LEFT JOIN credits_internal.checkout_sessions s
       ON s.customer_id = i.customer_id AND s.checkout_session_id = i.checkout_session_id
WHERE i.checkout_session_id IS NOT NULL AND s.invoice_id IS DISTINCT FROM i.invoice_id
UNION ALL
SELECT 'checkout: a price is sold that counts as unused', x.customer_id, NULL, 'price ' || x.price_id, NULL, NULL
FROM (SELECT s.customer_id, e.item->>'price_id' AS price_id
      FROM credits_internal.checkout_sessions s CROSS JOIN LATERAL jsonb_array_elements(s.line_items) AS e (item)
      UNION
      SELECT NULL, e.item->>'price_id'
      FROM credits_internal.payment_links l CROSS JOIN LATERAL jsonb_array_elements(l.line_items) AS e (item)) x
WHERE NOT EXISTS (SELECT FROM credits_internal.price_usage u WHERE u.price_id = x.price_id::uuid)
UNION ALL
SELECT 'recharge configuration: its payment link sells another price', NULL, r.currency, 'link ' || l.payment_link_id,
       NULL, NULL
FROM credits_internal.recharge_configs r
LEFT JOIN credits_internal.payment_links l ON l.recharge_currency = r.currency
WHERE (l.line_items->0->>'price_id')::uuid IS DISTINCT FROM r.base_price_id;
COMMENT ON VIEW credits_internal.checkout_discrepancies IS
'Checkout sessions and payment links that do not agree with invoices, payments and prices: no rows when all is sound.
Ask verify().';
