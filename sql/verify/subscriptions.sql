-- The rules of verify() for subscriptions: periods without a gap or an overlap, each with its own invoice; credits that
-- are granted if and only if their line is paid, once; and nothing to come of what has ended.

CREATE VIEW credits_internal.subscription_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH periods AS (
    SELECT p.*, lag(p.period_end) OVER w AS last_end, lead(p.period_start) OVER w AS next_start
    FROM credits_internal.subscription_periods p
    WINDOW w AS (PARTITION BY p.customer_id, p.subscription_id ORDER BY p.period_start)
), instalments AS (
    SELECT g.*, l.invoice_id, l.proration, l.currency, l.credits AS line_credits, l.credit_currency, m.subscription_id,
           i.status AS invoice_status
    FROM credits_internal.invoice_line_grants g
    LEFT JOIN credits_internal.invoice_lines l
           ON l.customer_id = g.customer_id AND l.invoice_line_id = g.invoice_line_id
    LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
    LEFT JOIN credits_internal.subscription_items m
           ON m.customer_id = l.customer_id AND m.subscription_item_id = l.subscription_item_id
)
SELECT 'subscription: its periods have a gap or an overlap' AS problem, p.customer_id, NULL::text AS currency,
       'subscription ' || p.subscription_id || ', ' || p.period_start AS subject, NULL::numeric AS expected,
       NULL::numeric AS found
FROM periods p
WHERE p.last_end > p.period_start OR (p.last_end < p.period_start AND NOT p.resumed)
UNION ALL
SELECT 'subscription: its period is not its last one, or of no subscription', coalesce(s.customer_id, p.customer_id),
       s.currency, 'subscription ' || coalesce(s.subscription_id, p.subscription_id), NULL, NULL
FROM credits_internal.subscriptions s
FULL JOIN (SELECT * FROM periods WHERE next_start IS NULL) p
       ON p.customer_id = s.customer_id AND p.subscription_id = s.subscription_id
WHERE (s.current_period_start, s.current_period_end) IS DISTINCT FROM (p.period_start, p.period_end)
UNION ALL
SELECT 'subscription: the invoice of a period is another''s, or of two', p.customer_id, i.currency,
       'subscription ' || p.subscription_id || ', ' || p.period_start, NULL, NULL
FROM credits_internal.subscription_periods p
LEFT JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
WHERE (p.invoice_id IS NULL AND p.kind <> 'trial')
   OR (p.invoice_id IS NOT NULL
       AND (i.subscription_id IS DISTINCT FROM p.subscription_id
            OR EXISTS (SELECT FROM credits_internal.subscription_periods o
                       WHERE o.customer_id = p.customer_id AND o.subscription_id = p.subscription_id
                         AND o.invoice_id = p.invoice_id AND o.period_start <> p.period_start)))
UNION ALL
SELECT 'subscription: it is over and something is still to come, or the reverse', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
WHERE (s.ended_at IS NOT NULL AND s.next_change_at IS NOT NULL)
   OR (s.status IN ('trialing', 'active', 'past_due') AND s.next_change_at IS NULL)
   -- One that began in a checkout session ends with that.
   OR (s.status = 'incomplete' AND (s.next_change_at IS NULL) <> (s.checkout_session_id IS NOT NULL))
UNION ALL
SELECT 'subscription: an invoice of it is of no subscription', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       NULL, NULL
FROM credits_internal.invoices i
LEFT JOIN credits_internal.subscriptions s
       ON s.customer_id = i.customer_id AND s.subscription_id = i.subscription_id
WHERE (i.subscription_id IS NOT NULL AND s.subscription_id IS NULL)
   OR (i.billing_reason LIKE 'subscription\_%') <> (i.subscription_id IS NOT NULL)
UNION ALL
SELECT 'instalment: it is granted and not paid, or the reverse', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, g.credits, c.amount
FROM instalments g
LEFT JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.subscription_id IS NULL
   -- What comes with a change in mid-period may come before it is paid.
   OR (g.ended_at IS NULL AND (g.grant_id IS NOT NULL) <> (g.invoice_status IS NOT DISTINCT FROM 'paid')
       AND NOT (g.proration AND g.grant_id IS NOT NULL))
   OR (g.grant_id IS NOT NULL AND (c.amount, c.currency) IS DISTINCT FROM (g.credits, g.credit_currency))
UNION ALL
SELECT 'instalment: it is there twice, or missing', g.customer_id, g.credit_currency, 'line ' || g.invoice_line_id,
       g.line_credits, sum(g.credits) FILTER (WHERE g.revision = 1)
FROM instalments g GROUP BY g.customer_id, g.credit_currency, g.invoice_line_id, g.line_credits
HAVING sum(g.credits) FILTER (WHERE g.revision = 1) IS DISTINCT FROM g.line_credits
    OR count(*) FILTER (WHERE g.ended_at IS NULL) > count(DISTINCT g.instalment_no)
UNION ALL
SELECT 'instalment: two name one grant', g.customer_id, min(g.credit_currency), 'grant ' || g.grant_id, 1, count(*)
FROM instalments g WHERE g.grant_id IS NOT NULL
GROUP BY g.customer_id, g.grant_id HAVING count(*) > 1
UNION ALL
SELECT 'instalment: what was taken back is not what its operations say', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, coalesce(r.credits, 0),
       g.reclaimed
FROM instalments g
LEFT JOIN (SELECT r.customer_id, r.grant_id, sum(r.credits) AS credits FROM credits_internal.reclaims r
           WHERE r.undone_at IS NULL AND r.top_up_id IS NOT NULL GROUP BY 1, 2) r
       ON r.customer_id = g.customer_id AND r.grant_id = g.grant_id
WHERE g.ended_at IS NULL AND g.reclaimed <> coalesce(r.credits, 0)
UNION ALL
SELECT 'instalment: it begins after its subscription has ended', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, 0, g.credits
FROM instalments g
JOIN credits_internal.subscriptions s ON s.customer_id = g.customer_id AND s.subscription_id = g.subscription_id
JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.ended_at IS NULL AND c.status = 'pending' AND c.effective_at >= s.ended_at
UNION ALL
SELECT 'subscription: its discount is not reserved for it, or the reverse', coalesce(s.customer_id, r.customer_id),
       s.currency, 'subscription ' || coalesce(s.subscription_id, r.holder_id), NULL, NULL
FROM (SELECT * FROM credits_internal.subscriptions s WHERE s.coupon_id IS NOT NULL) s
FULL JOIN (SELECT * FROM credits_internal.redemptions r WHERE r.holder_type = 'subscription') r
       ON r.customer_id = s.customer_id AND r.holder_id = s.subscription_id
WHERE (s.coupon_id, s.promotion_code_id) IS DISTINCT FROM (r.coupon_id, r.promotion_code_id)
   -- Between a payment that failed and the next one others may have it.
   OR (s.ended_at IS NULL AND r.released_at IS NOT NULL
       AND NOT (s.status = 'incomplete' AND s.checkout_session_id IS NOT NULL));
COMMENT ON VIEW credits_internal.subscription_discrepancies IS
'Subscriptions that went through their periods otherwise than they must: no rows when all is sound. Ask verify().';
