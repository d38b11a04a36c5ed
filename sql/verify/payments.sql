-- The rules of verify() for payments: an intent whose payments cover what is due has paid its invoice; what went back
-- for refunds and disputes was taken, is owed, is waited for or is gone; a payment is one intent's, and the totals of
-- its payments are what was reported of them; at most one recharge is open at a time.

CREATE VIEW credits_internal.payment_discrepancies AS
SELECT 'payment intent: it succeeded and its invoice was not paid by it, or the reverse' AS problem, t.customer_id,
       t.currency, 'payment intent ' || t.payment_intent_id AS subject, t.amount AS expected, p.amount AS found
FROM credits_internal.payment_intents t
LEFT JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id
LEFT JOIN credits_internal.invoice_payments p ON p.customer_id = t.customer_id AND p.invoice_id = t.invoice_id
    AND p.payment_intent_id = t.payment_intent_id
WHERE CASE WHEN t.status = 'succeeded' THEN i.status = 'paid' AND (i.total = 0) = (p.amount IS NULL)
           ELSE i.status IS NOT NULL AND p.amount IS NULL END IS NOT TRUE
UNION ALL
SELECT 'payment intent: it succeeded and its payments do not cover it, or the reverse', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id, t.amount, p.covers
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT customer_id, top_up_id,
    sum(coalesce(subtotal, paid_amount + coalesce(discount, 0) - coalesce(shipping, 0)))
                                              AS covers
           FROM credits_internal.payment_totals WHERE paid_amount IS NOT NULL GROUP BY 1, 2) p
       ON p.customer_id = t.customer_id AND p.top_up_id = t.payment_intent_id
-- What is paid after it was canceled, or after its stock was gone, may have come too late.
WHERE CASE t.status WHEN 'succeeded' THEN coalesce(p.covers, 0) < t.amount WHEN 'canceled' THEN false
                    ELSE coalesce(p.covers, 0) >= t.amount AND NOT EXISTS (
                        SELECT FROM credits_internal.refunds r
                        WHERE r.customer_id = t.customer_id AND r.payment_intent_id = t.payment_intent_id
                          AND r.reason = 'too_late' AND NOT r.takes_credits) END
UNION ALL
SELECT 'payment intent: it is not what its open invoice still has to be paid', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id, i.amount_due - i.amount_paid, t.amount
FROM credits_internal.payment_intents t
JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id
WHERE t.status NOT IN ('succeeded', 'canceled')
  AND (i.amount_due - i.amount_paid <> t.amount OR i.currency <> t.currency OR i.status IN ('paid', 'void'))
UNION ALL
SELECT 'payment intent: ' || s.what || ' is not what its payments say', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id,
       coalesce(s.expected, 0), coalesce(s.found, 0)
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT customer_id, top_up_id, sum(paid_amount) AS paid, sum(refunded_amount) AS refunded,
                  sum(disputed_amount) AS disputed
           FROM credits_internal.payment_totals GROUP BY 1, 2) p ON p.customer_id = t.customer_id
               AND p.top_up_id = t.payment_intent_id
-- What was reported before any payment is the intent's alone.
CROSS JOIN LATERAL (VALUES ('what was paid', p.paid, t.paid_amount),
                           ('what was refunded', CASE WHEN p.paid IS NULL THEN t.refunded_amount ELSE p.refunded END,
                            t.refunded_amount),
                           ('what is disputed', CASE WHEN p.paid IS NULL THEN t.disputed_amount ELSE p.disputed END,
                            t.disputed_amount)) AS s (what, expected, found)
WHERE coalesce(s.expected, 0) <> coalesce(s.found, 0)
UNION ALL
SELECT 'payment intent: what was due is not what it costs', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id, t.amount, t.due_amount
FROM credits_internal.payment_intents t
WHERE t.due_amount <> t.amount AND NOT EXISTS (
    SELECT FROM credits_internal.payment_totals p
    WHERE p.customer_id = t.customer_id AND p.top_up_id = t.payment_intent_id
      AND coalesce(p.tax, p.discount) IS NOT NULL)
UNION ALL
SELECT 'payment: ' || s.what || ' is not what was reported', coalesce(p.customer_id, l.customer_id), NULL,
       'payment intent ' || coalesce(p.top_up_id, l.top_up_id), s.expected, s.found
FROM (SELECT customer_id, top_up_id, sum(paid_amount) AS paid, sum(tax) AS tax, sum(shipping) AS shipping,
             sum(discount) AS discount
      FROM credits_internal.payment_totals WHERE paid_amount IS NOT NULL GROUP BY 1, 2) p
FULL JOIN (SELECT customer_id, top_up_id, sum(amount) AS paid, sum(tax) AS tax, sum(shipping) AS shipping,
                  sum(discount) AS discount
           FROM (SELECT c.customer_id, c.top_up_id, (array_agg(c.amount ORDER BY c.payment_id))[1] AS amount,
                        max(c.tax) AS tax, max(c.shipping) AS shipping, max(c.discount) AS discount
                 FROM credits_internal.payments c WHERE c.type = 'succeeded' AND c.counts
                 GROUP BY c.customer_id, c.top_up_id, c.provider, coalesce(c.provider_reference, c.payment_id::text)) c
           GROUP BY 1, 2) l ON l.customer_id = p.customer_id AND l.top_up_id = p.top_up_id
CROSS JOIN LATERAL (VALUES ('what was paid', l.paid, p.paid), ('its tax', l.tax, p.tax),
                           ('its shipping', l.shipping, p.shipping), ('its discount', l.discount, p.discount))
               AS s (what, expected, found)
WHERE coalesce(s.expected, 0) <> coalesce(s.found, 0)
UNION ALL
SELECT 'payment: what disputes take is not what was reported', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id,
       coalesce(d.disputed, 0), t.disputed_amount
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT d.customer_id, d.top_up_id, sum(d.amount) AS disputed, count(*) - count(d.amount) AS of_all
           FROM credits_internal.payments d
           WHERE d.type = 'disputed' AND d.counts AND NOT EXISTS (
               SELECT FROM credits_internal.payments w
               WHERE w.customer_id = d.customer_id AND w.top_up_id = d.top_up_id AND w.type = 'dispute_won' AND w.counts
                 AND w.provider = d.provider AND w.provider_reference IS NOT DISTINCT FROM d.provider_reference
                 AND (d.provider_reference IS NOT NULL OR w.payment_id > d.payment_id))
           GROUP BY 1, 2) d ON d.customer_id = t.customer_id AND d.top_up_id = t.payment_intent_id
WHERE coalesce(d.of_all, 0) = 0 AND t.disputed_amount <> coalesce(d.disputed, 0)
UNION ALL
SELECT 'payment: what was refunded is not what was reported', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id,
       coalesce(r.refunded, 0), t.refunded_amount
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT r.customer_id, r.top_up_id, sum(r.amount) FILTER (WHERE f.payment_id IS NULL) AS refunded,
                  bool_or(r.amount IS NULL OR r.total_refunded IS NOT NULL) AS says_more
           FROM credits_internal.payments r
           LEFT JOIN credits_internal.payments f
                  ON f.customer_id = r.customer_id AND f.top_up_id = r.top_up_id AND f.type = 'refund_failed'
                      AND f.counts
                 AND f.provider = r.provider AND f.provider_reference = r.provider_reference
           WHERE r.type = 'refunded' AND r.counts
           GROUP BY 1, 2) r ON r.customer_id = t.customer_id AND r.top_up_id = t.payment_intent_id
-- Refunds reported one by one add up; a reported total can be no less than that.
WHERE CASE WHEN r.says_more THEN t.refunded_amount < coalesce(r.refunded, 0)
           ELSE t.refunded_amount <> coalesce(r.refunded, 0) END
UNION ALL
SELECT 'reference: what it names was reported of this payment intent and is another''s', p.customer_id, p.currency,
       p.provider || ' ' || p.provider_reference, NULL, p.amount
FROM credits_internal.payments p
LEFT JOIN credits_internal.payment_references r
       ON r.provider = p.provider AND r.reference = p.provider_reference
      AND r.kind = CASE p.type WHEN 'succeeded' THEN 'payment' WHEN 'refunded' THEN 'refund' ELSE 'dispute' END
WHERE p.counts AND p.type IN ('succeeded', 'refunded', 'disputed') AND p.provider_reference IS NOT NULL
  AND (r.customer_id = p.customer_id AND r.top_up_id = p.top_up_id) IS NOT TRUE
UNION ALL
SELECT 'reference: no such payment intent', r.customer_id, NULL, r.provider || ' ' || r.reference, NULL, NULL
FROM credits_internal.payment_references r
WHERE NOT EXISTS (SELECT FROM credits_internal.payment_intents t WHERE t.customer_id = r.customer_id
    AND t.payment_intent_id = r.top_up_id)
UNION ALL
SELECT 'payment intent: its payment is reported and paid nothing', p.customer_id, p.currency,
       'payment intent ' || p.top_up_id, t.amount, p.amount
FROM credits_internal.payments p
LEFT JOIN credits_internal.payment_intents t ON t.customer_id = p.customer_id AND t.payment_intent_id = p.top_up_id
WHERE p.type = 'succeeded' AND p.contradiction IS NULL AND p.counts AND t.status IS DISTINCT FROM 'succeeded'
UNION ALL
SELECT 'invoice line: what was taken back is not what its operations say', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, coalesce(r.credits, 0), l.reclaimed
FROM credits_internal.invoice_lines l
-- Also of what its grant rolled over into.
LEFT JOIN (SELECT r.customer_id, coalesce(o.root_id, r.grant_id) AS grant_id, sum(r.credits) AS credits
           FROM credits_internal.reclaims r
           LEFT JOIN credits_internal.grant_rollovers o ON o.customer_id = r.customer_id AND o.grant_id = r.grant_id
           WHERE r.undone_at IS NULL AND r.top_up_id IS NOT NULL GROUP BY 1, 2) r
       ON r.customer_id = l.customer_id AND r.grant_id = l.grant_id
WHERE (l.subscription_item_id IS NULL AND l.reclaimed <> coalesce(r.credits, 0)) OR l.reclaimed > coalesce(l.credits, 0)
UNION ALL
-- As src/payments/clawback/share.rs has it: within half of the smallest part of a credit.
SELECT 'invoice line: what was taken back is not its part of what is no longer paid', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, trim_scale(round(l.credits * x.gone, c.decimals)), l.reclaimed
FROM (SELECT n.customer_id, n.invoice_id, least(sum(n.amount_excluding_tax * s.unnamed),
                                                sum((n.amount_excluding_tax + n.tax) * s.unnamed)) AS due
      FROM credits_internal.invoice_lines n
      CROSS JOIN LATERAL (SELECT greatest(1 - CASE WHEN n.amount_excluding_tax + n.tax > 0
          THEN n.refunded_amount / (n.amount_excluding_tax + n.tax)::numeric(100, 40) ELSE 0 END, 0) AS unnamed) s
      GROUP BY 1, 2) d
JOIN credits_internal.invoice_lines l ON l.customer_id = d.customer_id AND l.invoice_id = d.invoice_id
JOIN credits_internal.currencies c ON c.currency = l.credit_currency
JOIN credits_internal.payment_intents t ON t.customer_id = d.customer_id AND t.invoice_id = d.invoice_id
    AND t.status = 'succeeded'
LEFT JOIN (SELECT customer_id, top_up_id,
                  sum(greatest(coalesce(paid_amount, 0) - refunded_amount - disputed_amount, 0)) AS amount
           FROM credits_internal.payment_totals GROUP BY 1, 2) r ON r.customer_id = t.customer_id
               AND r.top_up_id = t.payment_intent_id
LEFT JOIN (SELECT customer_id, invoice_id, sum(amount) AS amount FROM credits_internal.invoice_payments
           WHERE paid_from <> 'provider' AND reversed_at IS NULL GROUP BY 1, 2) o
       ON o.customer_id = d.customer_id AND o.invoice_id = d.invoice_id
CROSS JOIN LATERAL (SELECT greatest(1 - CASE WHEN l.amount_excluding_tax + l.tax > 0
    THEN l.refunded_amount / (l.amount_excluding_tax + l.tax)::numeric(100, 40) ELSE 0 END, 0) AS unnamed) s
-- What lines below zero leave of the others may be nothing at all, to 40 decimals.
CROSS JOIN LATERAL (SELECT 1 - s.unnamed * CASE WHEN d.due > 1e-30
    THEN least((coalesce(r.amount, 0) + coalesce(o.amount, 0)) / d.due::numeric(100, 40), 1) ELSE 1 END AS gone) x
WHERE l.grant_id IS NOT NULL AND abs(l.reclaimed - l.credits * x.gone) > 0.5 * ('1e-' || c.decimals)::numeric + 1e-15
UNION ALL
SELECT 'refund: it is asked for or made, and counts as nothing, or the reverse', r.customer_id, r.currency,
       'refund ' || r.refund_id, r.amount, p.amount
FROM credits_internal.refunds r
LEFT JOIN credits_internal.payments p ON p.customer_id = r.customer_id AND p.top_up_id = r.payment_intent_id
    AND p.type = 'refunded' AND p.counts AND p.provider = r.provider AND p.provider_reference = r.refund_id::text
LEFT JOIN credits_internal.payments f ON f.customer_id = r.customer_id AND f.top_up_id = r.payment_intent_id
    AND f.type = 'refund_failed' AND f.counts AND f.provider = r.provider AND f.provider_reference = r.refund_id::text
WHERE r.takes_credits
  AND (p.amount IS DISTINCT FROM r.amount OR (f.payment_id IS NOT NULL) <> (r.status IN ('failed', 'canceled')))
UNION ALL
SELECT 'invoice line: what refunds name of it is not what was paid back of it', l.customer_id, l.currency,
       'line ' || l.invoice_line_id, coalesce(r.amount, 0), l.refunded_amount
FROM credits_internal.invoice_lines l
LEFT JOIN (SELECT r.customer_id, (e.part->>'invoice_line_id')::uuid AS invoice_line_id,
                  sum((e.part->>'amount')::numeric) AS amount
           FROM credits_internal.refunds r CROSS JOIN LATERAL jsonb_array_elements(r.lines) AS e (part)
           WHERE r.status IN ('pending', 'succeeded') GROUP BY 1, 2) r
       ON r.customer_id = l.customer_id AND r.invoice_line_id = l.invoice_line_id
WHERE l.refunded_amount <> coalesce(r.amount, 0) OR l.refunded_amount > greatest(l.amount_excluding_tax + l.tax, 0)
UNION ALL
SELECT 'reclaim: what it took and what was paid for it is not what its lines say', r.customer_id, r.currency,
       'operation ' || r.operation_id, coalesce(l.total, 0), r.taken + r.consumed
FROM credits_internal.reclaims r
LEFT JOIN (SELECT customer_id, operation_id, -sum(amount) AS total,
                  -sum(amount) FILTER (WHERE type = 'consumption') AS paid
           FROM credits_internal.lines
           WHERE type IN ('refund', 'void', 'consumption', 'reversal') AND operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
-- What an operation took without a grant of its own, it took before it owed.
WHERE r.taken + r.consumed
      <> coalesce(CASE WHEN r.grant_id IS NULL AND r.top_up_id IS NULL THEN l.paid ELSE l.total END, 0)
UNION ALL
SELECT 'reclaim: pending is not what its lines say', r.customer_id, r.currency, 'operation ' || r.operation_id,
       coalesce(l.total, 0) - coalesce(f.total, 0), r.pending
FROM credits_internal.reclaims r
LEFT JOIN (SELECT customer_id, operation_id, sum(pending) AS total FROM credits_internal.lines
           WHERE pending IS NOT NULL AND operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
LEFT JOIN (SELECT customer_id, reversed_operation_id, sum(forgiven) AS total FROM credits_internal.reversals
           GROUP BY 1, 2) f
       ON f.customer_id = r.customer_id AND f.reversed_operation_id = r.operation_id
WHERE r.pending <> coalesce(l.total, 0) - coalesce(f.total, 0)
UNION ALL
SELECT 'reclaim: more was taken, paid and owed than went back', r.customer_id, r.currency,
       'operation ' || r.operation_id,
       r.credits, r.taken + r.consumed + r.pending
FROM credits_internal.reclaims r
WHERE r.taken + r.consumed + r.pending > r.credits OR (r.pending > 0 AND r.debt_no IS NULL)
   OR (r.undone_at IS NOT NULL AND r.taken + r.consumed + r.pending <> 0)
       OR (NOT r.owes AND r.consumed + r.pending <> 0)
UNION ALL
SELECT 'grant: it waits for more than went back of it', g.customer_id, g.currency, 'grant ' || g.grant_id,
       r.credits - r.taken - r.consumed - r.pending, c.amount
FROM credits_internal.credit_grants g
CROSS JOIN LATERAL unnest(g.clawback_operations, g.clawback_amounts, g.clawback_owes) AS c (operation_id, amount, owes)
LEFT JOIN credits_internal.reclaims r ON r.customer_id = g.customer_id AND r.operation_id = c.operation_id
    AND r.grant_id = g.grant_id
                            AND r.undone_at IS NULL AND r.owes = c.owes
WHERE g.clawback_operations IS NOT NULL
    AND (c.amount > 0 AND c.amount <= r.credits - r.taken - r.consumed - r.pending) IS NOT TRUE
UNION ALL
SELECT 'grant: less has lapsed or is waited for than stands for credits that went back', g.customer_id, g.currency,
       'grant ' || g.grant_id, r.credits, g.lapsed + w.amount
FROM (SELECT customer_id, grant_id, sum(credits - consumed - pending) AS credits FROM credits_internal.reclaims
      WHERE undone_at IS NULL AND grant_id IS NOT NULL GROUP BY 1, 2) r
JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
CROSS JOIN LATERAL (SELECT coalesce(sum(c.amount), 0) AS amount FROM unnest(g.clawback_amounts) AS c (amount)) w
WHERE g.lapsed + w.amount < r.credits
UNION ALL
SELECT 'account: owes while a grant could pay', r.customer_id, r.currency, 'operation ' || r.operation_id, 0, r.pending
FROM credits_internal.reclaims r
WHERE r.pending > 0 AND EXISTS (
    SELECT FROM credits_internal.true_grants g
    WHERE g.customer_id = r.customer_id AND g.currency = r.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR r.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'reclaim: no such account', r.customer_id, r.currency, 'operation ' || r.operation_id, NULL, r.credits
FROM credits_internal.reclaims r
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = r.customer_id
    AND a.currency = r.currency)
UNION ALL
SELECT 'recharge: status ' || r.status || ' does not fit its payment intent', r.customer_id, r.currency,
       'recharge ' || r.recharge_id, r.amount, t.paid_amount
FROM credits_internal.recharges r
LEFT JOIN credits_internal.payment_intents t ON t.customer_id = r.customer_id AND t.payment_intent_id = r.top_up_id
WHERE t.recharge_id <> r.recharge_id OR (r.status = 'paid') <> (t.status IS NOT DISTINCT FROM 'succeeded')
   OR (t.customer_id IS NULL AND r.status = 'processing')
   OR (r.closed_at IS NULL) <> (r.status IN ('requested', 'processing'))
UNION ALL
SELECT 'recharge: more than one is open', r.customer_id, r.currency, NULL, 1, count(*)
FROM credits_internal.recharges r WHERE r.status IN ('requested', 'processing')
GROUP BY r.customer_id, r.currency HAVING count(*) > 1
UNION ALL
SELECT 'recharge: it is open and nothing looks at it when it times out', r.customer_id, r.currency,
       'recharge ' || r.recharge_id, NULL, r.amount
FROM credits_internal.recharges r
LEFT JOIN credits_internal.auto_recharges s ON s.customer_id = r.customer_id AND s.currency = r.currency
LEFT JOIN credits_internal.accounts a ON a.customer_id = r.customer_id AND a.currency = r.currency
WHERE r.status IN ('requested', 'processing')
  AND s.due_at IS DISTINCT FROM least(r.expires_at, CASE WHEN s.enabled AND s.scheduled_at > a.posted_at
                                                         THEN s.scheduled_at END)
UNION ALL
SELECT 'recharge: it is requested by an account that is switched off', r.customer_id, r.currency,
       'recharge ' || r.recharge_id,
       NULL, r.amount
FROM credits_internal.recharges r
JOIN credits_internal.auto_recharges s ON s.customer_id = r.customer_id AND s.currency = r.currency
WHERE r.status = 'requested' AND NOT s.enabled
UNION ALL
SELECT 'auto-recharge: it is switched on and says why it switched itself off', s.customer_id, s.currency,
       s.disabled_reason,
       NULL, s.failures
FROM credits_internal.auto_recharges s WHERE s.enabled AND s.disabled_reason IS NOT NULL
UNION ALL
SELECT 'recharge: it is not of what its invoice is', r.customer_id, r.currency, 'recharge ' || r.recharge_id,
       r.amount, t.amount
FROM credits_internal.recharges r
JOIN credits_internal.payment_intents t ON t.customer_id = r.customer_id AND t.payment_intent_id = r.top_up_id
LEFT JOIN credits_internal.invoice_lines l ON l.customer_id = t.customer_id AND l.invoice_id = t.invoice_id
WHERE (l.credits, l.credit_currency, t.currency, t.amount)
      IS DISTINCT FROM (r.credits, r.currency, r.price_currency, r.amount)
   OR (r.price_id IS NOT NULL AND l.quantity <> r.quantity)
UNION ALL
SELECT 'auto-recharge: nothing looks at it when its schedule asks', s.customer_id, s.currency, NULL, NULL, NULL
FROM credits_internal.auto_recharges s
JOIN credits_internal.accounts a ON a.customer_id = s.customer_id AND a.currency = s.currency
WHERE s.enabled AND s.scheduled_at > a.posted_at AND s.due_at > s.scheduled_at
UNION ALL
SELECT 'auto-recharge: a moment is due and nothing waits for it', s.customer_id, s.currency, NULL, NULL, NULL
FROM credits_internal.auto_recharges s
JOIN credits_internal.accounts a ON a.customer_id = s.customer_id AND a.currency = s.currency
WHERE s.enabled AND s.scheduled_at <= a.posted_at AND s.due_at = 'infinity'
UNION ALL
SELECT 'auto-recharge: a moment is due of no schedule', s.customer_id, s.currency, NULL, NULL, NULL
FROM credits_internal.auto_recharges s
WHERE s.scheduled_at < 'infinity' AND s.schedule_every IS NULL AND s.schedule_day IS NULL
UNION ALL
SELECT 'auto-recharge: its target is below its threshold', s.customer_id, s.currency, NULL, s.threshold, s.target
FROM credits_internal.auto_recharges s WHERE s.target < s.threshold
UNION ALL
SELECT 'recharge: a price is to be reviewed that does not exist', NULL, NULL, 'price ' || w.price_id, NULL, NULL
FROM credits_internal.recharge_reviews w
WHERE NOT EXISTS (SELECT FROM credits_internal.prices p WHERE p.price_id = w.price_id)
UNION ALL
SELECT DISTINCT 'price: it was sold, and counts as unused', NULL, NULL, 'price ' || t.price_id, NULL::numeric,
       NULL::numeric
FROM credits_internal.invoice_lines t
WHERE t.price_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM credits_internal.price_usage u WHERE u.price_id = t.price_id)
UNION ALL
SELECT 'price: it or its product does not exist', NULL, NULL, 'price ' || p.price_id, NULL, NULL
FROM (SELECT u.price_id FROM credits_internal.price_usage u
      WHERE NOT EXISTS (SELECT FROM credits_internal.prices p WHERE p.price_id = u.price_id)
      UNION ALL
      SELECT p.price_id FROM credits_internal.prices p
      WHERE NOT EXISTS (SELECT FROM credits_internal.products d WHERE d.product_id = p.product_id)) p
UNION ALL
SELECT 'outbox: a row is beyond its customer''s counter', o.customer_id, NULL, 'row ' || o.outbox_no, c.last_no,
       o.outbox_no
FROM credits_internal.outbox o
LEFT JOIN credits_internal.outbox_counters c ON c.customer_id = o.customer_id
WHERE coalesce(c.last_no, 0) < o.outbox_no
UNION ALL
SELECT 'outbox: a consumer that does not exist keeps its place', p.customer_id, NULL, 'consumer ' || p.consumer, NULL,
       p.acked_no
FROM credits_internal.outbox_positions p
WHERE NOT EXISTS (SELECT FROM credits_internal.outbox_consumers c WHERE c.consumer = p.consumer);
COMMENT ON VIEW credits_internal.payment_discrepancies IS
'Payments, payment intents, recharges and outbox rows that do not agree: no rows when all is sound. Ask verify().';
