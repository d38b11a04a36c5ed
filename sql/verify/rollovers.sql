-- The rules of verify() for grants that roll over: what went on is what remained, and nothing else.

-- The lines by which credits went on, with what remained of their grant before.
CREATE VIEW credits_internal.rollover_lines AS
SELECT r.customer_id, l.currency, r.grant_id, l.line_no, l.effective_at, -l.amount AS amount, sum(b.amount) AS remained
FROM credits_internal.grant_rollovers r
JOIN credits_internal.credit_transactions l
    ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id AND l.type = 'rollover' AND l.amount < 0
LEFT JOIN credits_internal.lines b
    ON b.customer_id = l.customer_id AND b.currency = l.currency AND b.grant_id = l.grant_id AND b.line_no < l.line_no
GROUP BY 1, 2, 3, 4, 5, 6;
COMMENT ON VIEW credits_internal.rollover_lines IS
'The lines by which part of a grant went on, with what remained of the grant before. For verify().';

CREATE VIEW credits_internal.rollover_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'rollover: what went on is not its part of what remained', r.customer_id, l.currency, 'grant ' || r.grant_id,
       credits_internal.rolls_over(r.percent, r.max, c.decimals, l.remained), coalesce(r.rolled_over, 0)
FROM credits_internal.grant_rollovers r
LEFT JOIN credits_internal.rollover_lines l ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id
LEFT JOIN credits_internal.currencies c ON c.currency = l.currency
WHERE r.rolled_over IS DISTINCT FROM l.amount
   OR r.rolled_over <> credits_internal.rolls_over(r.percent, r.max, c.decimals, l.remained)
UNION ALL
SELECT 'rollover: the next grant is not what went on', r.customer_id, g.currency, 'grant ' || r.grant_id, r.rolled_over,
       n.amount
FROM credits_internal.grant_rollovers r
JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
LEFT JOIN credits_internal.grant_rollovers o ON o.customer_id = r.customer_id AND o.grant_id = r.rolled_to
LEFT JOIN credits_internal.credit_grants n ON n.customer_id = r.customer_id AND n.grant_id = r.rolled_to
LEFT JOIN credits_internal.rollover_lines l ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id
WHERE r.rolled_to IS NOT NULL
  AND ((n.amount, n.currency, n.category, n.effective_at)
       IS DISTINCT FROM (r.rolled_over, g.currency, g.category, l.effective_at)
       OR n.applicable_meters IS DISTINCT FROM g.applicable_meters OR n.cost_currency IS DISTINCT FROM g.cost_currency
       OR (o.root_id, o.generation, o.rolled_from, o.percent, o.lives)
          IS DISTINCT FROM (r.root_id, r.generation + 1, r.grant_id, r.percent, r.lives)
       OR o.max IS DISTINCT FROM r.max OR o.times_left IS DISTINCT FROM r.times_left - 1)
UNION ALL
SELECT 'rollover: the grant that it came from does not say so, or is not there', r.customer_id, g.currency,
       'grant ' || r.grant_id, NULL, g.amount
FROM credits_internal.grant_rollovers r
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
LEFT JOIN credits_internal.grant_rollovers p ON p.customer_id = r.customer_id AND p.grant_id = r.rolled_from
WHERE g.grant_id IS NULL OR (r.rolled_from IS NOT NULL AND p.rolled_to IS DISTINCT FROM r.grant_id)
UNION ALL
SELECT 'rollover: the cost that went on is not what the next grant has', r.customer_id, e.currency,
       'grant ' || r.grant_id, -e.deferred, n.cost_amount
FROM credits_internal.grant_rollovers r
JOIN credits_internal.cost_entries e
    ON e.customer_id = r.customer_id AND e.grant_id = r.grant_id AND e.type = 'rollover' AND e.amount < 0
LEFT JOIN credits_internal.credit_grants n ON n.customer_id = r.customer_id AND n.grant_id = r.rolled_to
WHERE -e.deferred IS DISTINCT FROM n.cost_amount
UNION ALL
SELECT 'grant: its time ran out and it did not roll over', r.customer_id, g.currency, 'grant ' || r.grant_id,
       credits_internal.rolls_over(r.percent, r.max, c.decimals, l.expired), 0
FROM credits_internal.grant_rollovers r
JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
JOIN credits_internal.currencies c ON c.currency = g.currency
-- What came back later expired later, or after what came back at that moment.
JOIN (SELECT t.customer_id, t.currency, t.grant_id, t.effective_at, -t.amount AS expired
      FROM credits_internal.credit_transactions t
      WHERE t.type = 'expiration' AND t.operation_id IS NULL
        AND NOT EXISTS (SELECT FROM credits_internal.lines b
                        WHERE b.customer_id = t.customer_id AND b.currency = t.currency AND b.line_no = t.line_no - 1
                          AND b.type IN ('release', 'reversal', 'refund') AND b.grant_id = t.grant_id)) l
    ON l.customer_id = g.customer_id AND l.currency = g.currency AND l.grant_id = g.grant_id
   AND l.effective_at = g.expires_at
WHERE r.rolled_to IS NULL AND r.times_left IS DISTINCT FROM 0 AND g.status = 'expired' AND g.ended_at IS NULL
  AND credits_internal.rolls_over(r.percent, r.max, c.decimals, l.expired) > 0
UNION ALL
SELECT 'line: what rolled over did not go from one grant to the next', l.customer_id, l.currency, 'line ' || l.line_no,
       -l.amount, o.amount
FROM credits_internal.credit_transactions l
LEFT JOIN credits_internal.grant_rollovers r ON r.customer_id = l.customer_id AND r.grant_id = l.grant_id
LEFT JOIN credits_internal.credit_transactions o
    ON o.customer_id = l.customer_id AND o.currency = l.currency AND o.type = 'rollover'
   AND o.line_no = l.line_no + CASE WHEN l.amount < 0 THEN 1 ELSE -1 END
   AND o.grant_id = CASE WHEN l.amount < 0 THEN r.rolled_to ELSE r.rolled_from END
WHERE l.type = 'rollover'
  AND (o.amount = -l.amount AND o.effective_at = l.effective_at AND o.created_at = l.created_at) IS NOT TRUE;
COMMENT ON VIEW credits_internal.rollover_discrepancies IS
'Grants that rolled over into others, or should have, and do not agree with their lines: no rows when all is sound. Ask
verify().';
