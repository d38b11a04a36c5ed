-- The rules of verify() for corrections: what went back is what the reversed operation took, grant by grant.

CREATE VIEW credits_internal.correction_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'reversal: its operation does not say the same' AS problem, r.customer_id, r.currency,
       'operation ' || r.operation_id AS subject, r.amount AS expected, o.amount AS found
FROM credits_internal.reversals r
LEFT JOIN credits_internal.operations o
       ON o.customer_id = r.customer_id AND o.operation_id = r.operation_id AND o.line_no IS NULL
WHERE (o.function, o.amount, o.currency) IS DISTINCT FROM ('operation_reverse', r.amount, r.currency)
UNION ALL
SELECT 'operation: its reversal is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'operation_reverse'
  AND NOT EXISTS (SELECT FROM credits_internal.reversals r
                  WHERE r.customer_id = o.customer_id AND r.operation_id = o.operation_id)
UNION ALL
SELECT 'reversal: what it reverses did not take as much', r.customer_id, r.currency,
       'operation ' || r.reversed_operation_id, x.taken, r.amount
FROM (SELECT customer_id, reversed_operation_id, currency, reversed_type, sum(amount) AS amount
      FROM credits_internal.reversals GROUP BY 1, 2, 3, 4) r
LEFT JOIN credits_internal.operations o
       ON o.customer_id = r.customer_id AND o.operation_id = r.reversed_operation_id AND o.currency = r.currency
LEFT JOIN credits_internal.holds h ON h.customer_id = r.customer_id AND h.hold_id = r.reversed_operation_id
LEFT JOIN credits_internal.reclaims w
       ON w.customer_id = r.customer_id AND w.operation_id = r.reversed_operation_id AND w.grant_id IS NULL
CROSS JOIN LATERAL (
    SELECT CASE WHEN o.function IN ('wallet_debit', 'invoice_pay') AND r.reversed_type = 'debit' THEN o.amount
                WHEN o.function = 'hold_create' AND r.reversed_type = 'capture' THEN h.captured
                WHEN o.function = 'hold_capture' AND r.reversed_type = 'capture' THEN o.amount
                WHEN o.function = 'wallet_adjust'
                     AND r.reversed_type = CASE o.reason WHEN 'refund' THEN 'refund' WHEN 'charge' THEN 'debit'
                                                         ELSE 'adjustment' END THEN -o.amount
                ELSE 0 END AS taken) x
WHERE r.amount > x.taken - CASE o.function WHEN 'wallet_adjust' THEN coalesce(w.credits, 0) ELSE 0 END
UNION ALL
SELECT 'reversal: what is owed no longer is not what its lines say', r.customer_id, r.currency,
       'operation ' || r.operation_id, coalesce(l.total, 0), r.forgiven
FROM credits_internal.reversals r
LEFT JOIN (SELECT customer_id, operation_id, -sum(pending) AS total FROM credits_internal.lines
           WHERE type = 'reversal' AND pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
WHERE r.forgiven <> coalesce(l.total, 0)
UNION ALL
SELECT 'reversal: more went back to a grant than it gave', b.customer_id, b.currency,
       'operation ' || b.reversed_operation_id || ', grant ' || b.grant_id, coalesce(t.amount, 0), b.amount
FROM (SELECT r.customer_id, r.currency, r.reversed_operation_id, l.grant_id, sum(l.amount) AS amount
      FROM credits_internal.reversals r
      JOIN credits_internal.lines l ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
      GROUP BY 1, 2, 3, 4) b
LEFT JOIN (SELECT l.customer_id, l.operation_id, l.grant_id,
                  -sum(CASE l.type WHEN 'capture' THEN l.held ELSE l.amount END) AS amount
           FROM credits_internal.lines l
           WHERE l.type IN ('debit', 'capture', 'adjustment', 'refund', 'consumption') AND l.operation_id IS NOT NULL
           GROUP BY 1, 2, 3) t
       ON t.customer_id = b.customer_id AND t.operation_id = b.reversed_operation_id AND t.grant_id = b.grant_id
WHERE b.amount > coalesce(t.amount, 0)
UNION ALL
-- An event's value is what it was adjusted to last, step by step from what was reported.
SELECT 'adjustment: its event has another value', a.customer_id, e.currency, 'event ' || a.identifier, a.value, e.value
FROM (SELECT DISTINCT ON (customer_id, identifier) customer_id, identifier, value
      FROM credits_internal.event_adjustments ORDER BY customer_id, identifier, adjustment_no DESC) a
LEFT JOIN credits_internal.meter_events e ON e.customer_id = a.customer_id AND e.identifier = a.identifier
WHERE (e.value = a.value AND e.line_no IS NULL) IS NOT TRUE
UNION ALL
SELECT 'adjustment: it does not follow the one before', a.customer_id, NULL, 'event ' || a.identifier, a.value_then,
       a.value_before
FROM (SELECT customer_id, identifier, adjustment_no, value_before, value, lag(value) OVER event AS value_then,
             row_number() OVER event AS place
      FROM credits_internal.event_adjustments
      WINDOW event AS (PARTITION BY customer_id, identifier ORDER BY adjustment_no)) a
WHERE a.value_before <> a.value_then OR a.value_before = a.value OR a.adjustment_no <> a.place;
COMMENT ON VIEW credits_internal.correction_discrepancies IS
'Corrections that do not agree with what they correct: no rows when all is sound. Ask verify().';
