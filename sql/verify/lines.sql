-- The rules of verify() for holds, operations, transfers and lines.

-- The lines of holds, also those of captures that are operations of their own.
CREATE VIEW credits_internal.hold_lines AS
SELECT l.customer_id, coalesce(c.hold_id, l.operation_id) AS hold_id, c.capture_id, l.type, l.grant_id, l.held,
       l.type = 'hold' OR c.capture_id IS NOT NULL AND NOT c.final AS while_open
FROM credits_internal.lines l
LEFT JOIN credits_internal.hold_captures c ON c.customer_id = l.customer_id AND c.capture_id = l.operation_id
WHERE l.type IN ('hold', 'capture', 'release');
COMMENT ON VIEW credits_internal.hold_lines IS
'The lines that move held credits, with the hold. For verify().
while_open: whether it was posted while the hold stayed open; of releases that is not known.';

CREATE VIEW credits_internal.line_discrepancies (problem, customer_id, currency, subject, expected, found) AS
-- What is held is what the open holds say, and what a hold says is what its lines moved.
SELECT 'account: held is not what its holds hold', a.customer_id, a.currency, NULL, coalesce(h.held, 0), a.held
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount - captured) AS held FROM credits_internal.holds
           WHERE status = 'open' GROUP BY 1, 2) h
       ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE a.held <> coalesce(h.held, 0)
UNION ALL
SELECT 'hold: held in no account', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL, h.amount
FROM credits_internal.holds h
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = h.customer_id
    AND a.currency = h.currency)
UNION ALL
SELECT 'hold: its grants'' parts are not what it has', h.customer_id, h.currency, 'hold ' || h.hold_id,
       h.amount - coalesce(c.held, 0), p.parts
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, hold_id, sum(held) AS held FROM credits_internal.hold_captures WHERE NOT final
           GROUP BY 1, 2) c ON c.customer_id = h.customer_id AND c.hold_id = h.hold_id
CROSS JOIN LATERAL (SELECT coalesce(sum(part), 0) AS parts FROM unnest(h.grant_amounts) AS part) p
WHERE h.amount - coalesce(c.held, 0) <> p.parts
UNION ALL
-- Those of a closed hold are what it had before; if it was updated, what went back before is not told apart.
SELECT 'hold: its parts are not what its lines took', h.customer_id, h.currency, 'hold ' || h.hold_id, l.held, p.amount
FROM credits_internal.holds h
JOIN (SELECT customer_id, hold_id, grant_id, sum(held) AS held, sum(held) FILTER (WHERE while_open) AS held_before
      FROM credits_internal.hold_lines GROUP BY 1, 2, 3) l ON l.customer_id = h.customer_id AND l.hold_id = h.hold_id
CROSS JOIN LATERAL (SELECT coalesce(sum(p.amount), 0) AS amount
                    FROM unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
                    WHERE p.grant_id = l.grant_id) p
WHERE CASE WHEN h.status = 'open' THEN p.amount <> l.held
           WHEN h.updated_at IS NULL THEN p.amount IS DISTINCT FROM l.held_before END
UNION ALL
SELECT 'hold: what is held, captured or given back is not what its lines say', h.customer_id, h.currency,
       'hold ' || h.hold_id, CASE h.status WHEN 'open' THEN h.amount - h.captured ELSE h.captured END,
       CASE h.status WHEN 'open' THEN l.held ELSE l.captured END
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, hold_id, sum(held) AS held,
                  -coalesce(sum(held) FILTER (WHERE type = 'capture'), 0) AS captured
           FROM credits_internal.hold_lines GROUP BY 1, 2) l
       ON l.customer_id = h.customer_id AND l.hold_id = h.hold_id
WHERE (l.held, l.captured)
      IS DISTINCT FROM (CASE h.status WHEN 'open' THEN h.amount - h.captured ELSE 0 END, h.captured)
   OR (h.status = 'captured' AND h.captured + h.charged = 0)
UNION ALL
SELECT 'hold: what it captured is not what its captures say', h.customer_id, h.currency, 'hold ' || h.hold_id,
       coalesce(c.held, 0) + coalesce(c.charged, 0), h.captured + h.charged
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, hold_id, sum(held) AS held, sum(amount - held) AS charged, bool_or(final) AS ended
           FROM credits_internal.hold_captures GROUP BY 1, 2) c
       ON c.customer_id = h.customer_id AND c.hold_id = h.hold_id
-- The last capture need not have a record.
WHERE h.charged <> coalesce(c.charged, 0)
   OR CASE WHEN h.status = 'captured' AND c.ended IS NOT TRUE THEN h.captured <= coalesce(c.held, 0)
           ELSE h.captured <> coalesce(c.held, 0) END
UNION ALL
SELECT 'capture: its operation or its lines do not say the same', c.customer_id, o.currency,
       'operation ' || c.capture_id, c.amount, coalesce(l.held, 0) + coalesce(l.charged, 0)
FROM credits_internal.hold_captures c
LEFT JOIN credits_internal.holds h ON h.customer_id = c.customer_id AND h.hold_id = c.hold_id
LEFT JOIN credits_internal.operations o
       ON o.customer_id = c.customer_id AND o.operation_id = c.capture_id AND o.line_no IS NULL
LEFT JOIN credits_internal.meter_events e ON e.customer_id = c.customer_id AND e.identifier = c.identifier
LEFT JOIN (SELECT customer_id, operation_id, -sum(held) AS held, sum(coalesce(pending, 0) - amount) AS charged
           FROM credits_internal.lines WHERE type IN ('capture', 'debit', 'debt') AND operation_id IS NOT NULL
           GROUP BY 1, 2) l
       ON l.customer_id = c.customer_id AND l.operation_id = c.capture_id
WHERE (o.function, o.amount, o.currency) IS DISTINCT FROM ('hold_capture', c.amount, h.currency)
   OR coalesce(l.held, 0) <> c.held OR (c.late AND c.held <> 0)
   OR c.late IS DISTINCT FROM (h.status = 'expired' AND c.created_at >= h.closed_at)
   OR CASE WHEN c.identifier IS NULL THEN coalesce(l.charged, 0) <> c.amount - c.held
           ELSE coalesce(l.charged, 0) <> 0 OR e.currency IS DISTINCT FROM h.currency END
UNION ALL
SELECT 'reclaim: of no grant, and nothing that left it owed', r.customer_id, r.currency,
       'operation ' || r.operation_id, NULL, r.credits
FROM credits_internal.reclaims r
LEFT JOIN credits_internal.history_imports i ON i.customer_id = r.customer_id AND i.currency = r.currency
WHERE r.grant_id IS NULL
  -- An opening balance, and what was imported.
  AND NOT EXISTS (SELECT FROM credits_internal.operations o
                  WHERE o.customer_id = r.customer_id AND o.operation_id = r.operation_id AND o.line_no IS NULL
                    AND o.currency = r.currency
                    AND CASE o.function WHEN 'wallet_adjust' THEN -o.amount WHEN 'wallet_debit' THEN o.amount END
                        >= r.credits
                    AND (o.reason = 'opening_balance' OR i.customer_id IS NOT NULL))
  -- What was on an invoice that is void.
  AND NOT EXISTS (SELECT FROM credits_internal.operations o
                  JOIN credits_internal.invoiced_credits d ON d.customer_id = o.customer_id AND d.grant_id = o.grant_id
                  WHERE o.customer_id = r.customer_id AND o.operation_id = r.operation_id
                    AND o.function = 'invoice_void' AND d.status = 'returned'
                    AND (d.currency, d.credits, o.amount) = (r.currency, r.credits, r.credits))
  AND NOT EXISTS (SELECT FROM credits_internal.hold_captures c
                  WHERE c.customer_id = r.customer_id AND c.capture_id = r.operation_id AND c.identifier IS NULL
                    AND c.amount - c.held >= r.credits)
UNION ALL
SELECT 'operation: its capture is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'hold_capture'
  AND NOT EXISTS (SELECT FROM credits_internal.hold_captures c
                  WHERE c.customer_id = o.customer_id AND c.capture_id = o.operation_id)
UNION ALL
SELECT 'hold: status ' || h.status || ' does not fit its times', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits_internal.holds h
JOIN credits_internal.accounts a ON a.customer_id = h.customer_id AND a.currency = h.currency
WHERE (h.status = 'open' AND h.expires_at <= a.posted_at)
   OR CASE h.status WHEN 'expired' THEN h.closed_at <> h.expires_at ELSE h.closed_at >= h.expires_at END
UNION ALL
SELECT 'hold: what a grant gave did not come back to it, or was not spent', h.customer_id, h.currency,
       'hold ' || h.hold_id, 0, l.held
FROM credits_internal.holds h
JOIN (SELECT customer_id, hold_id, grant_id, sum(held) AS held FROM credits_internal.hold_lines GROUP BY 1, 2, 3) l
       ON l.customer_id = h.customer_id AND l.hold_id = h.hold_id
WHERE h.status <> 'open' AND l.held <> 0
UNION ALL
SELECT 'operation: its hold is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'hold_create'
  AND NOT EXISTS (SELECT FROM credits_internal.holds h WHERE h.customer_id = o.customer_id
      AND h.hold_id = o.operation_id)
UNION ALL
SELECT 'hold: its operation does not say the same', h.customer_id, h.currency, 'hold ' || h.hold_id, o.amount, h.amount
FROM credits_internal.holds h
LEFT JOIN credits_internal.operations o
       ON o.customer_id = h.customer_id AND o.operation_id = h.hold_id AND o.line_no IS NULL
WHERE (o.function, o.currency) IS DISTINCT FROM ('hold_create', h.currency)
   OR (h.updated_at IS NULL AND o.amount <> h.amount)
UNION ALL
SELECT 'account: the places in the order of payment are not each for one debt, up to last_debt', a.customer_id,
       a.currency, NULL,
       a.last_debt, coalesce(e.last, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, count(DISTINCT debt_no) AS debts, count(*) AS events, max(debt_no) AS last
           FROM (SELECT customer_id, currency, debt_no FROM credits_internal.event_debts
                 UNION ALL SELECT customer_id, currency, debt_no FROM credits_internal.reclaims) o
           WHERE debt_no IS NOT NULL GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.last_debt < coalesce(e.last, 0) OR e.debts <> e.events
UNION ALL
SELECT 'operation: amount is not what its lines moved', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, coalesce(l.total, 0)
FROM credits_internal.operations o
-- What it owes it moved too; what paid that later moved nothing more.
LEFT JOIN (SELECT customer_id, operation_id, sum(amount - coalesce(pending, 0)) AS total FROM credits_internal.lines
           WHERE operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = o.customer_id AND l.operation_id = o.operation_id
WHERE CASE o.function WHEN 'wallet_debit' THEN coalesce(l.total, 0) <> -o.amount
                      -- What came from outside has no lines: the rules of invoices tell them apart.
                      WHEN 'invoice_pay' THEN coalesce(l.total, 0) NOT IN (-o.amount, 0)
                      WHEN 'wallet_adjust' THEN coalesce(l.total, 0) <> o.amount
                      WHEN 'invoice_void' THEN coalesce(l.total, 0) <> -o.amount
                      WHEN 'operation_reverse' THEN coalesce(l.total, 0) <> o.amount
                      WHEN 'wallet_transfer' THEN abs(coalesce(l.total, 0)) <> o.amount
                      WHEN 'credit_grant_expire' THEN coalesce(l.total, 0) <> -o.amount
                      -- What is owed for a mistake is in its own rules.
                      WHEN 'credit_grant_void' THEN o.reason IS NULL AND coalesce(l.total, 0) <> -o.amount END
UNION ALL
-- A transfer's lines are always among those of credit_transactions.
SELECT 'transfer: its other side does not say the same', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, p.amount
FROM credits_internal.operations o
LEFT JOIN credits_internal.operations p
       ON p.customer_id = o.counterparty AND p.operation_id = o.operation_id AND p.line_no IS NULL
CROSS JOIN LATERAL (SELECT sum(l.amount) AS total FROM credits_internal.credit_transactions l
                    WHERE l.customer_id IN (o.customer_id, o.counterparty) AND l.currency = o.currency
                      AND l.operation_id = o.operation_id) l
WHERE o.function = 'wallet_transfer'
  AND ((p.amount, p.currency, p.counterparty) IS DISTINCT FROM (o.amount, o.currency, o.customer_id) OR l.total <> 0)
UNION ALL
SELECT 'operation: its grant is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount,
       g.amount
FROM credits_internal.operations o
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
WHERE (o.function IN ('credit_grant', 'wallet_credit') OR (o.function = 'wallet_adjust' AND o.amount > 0))
  AND g.amount IS DISTINCT FROM o.amount
UNION ALL
SELECT 'line: it names what its type does not, or what is not known', l.customer_id, l.currency, 'line ' || l.line_no,
       NULL, l.amount
FROM credits_internal.lines l
LEFT JOIN credits_internal.event_fallbacks f
       ON f.customer_id = l.customer_id AND f.identifier = l.identifier AND f.currency = l.currency
LEFT JOIN credits_internal.meter_events e
       ON e.customer_id = l.customer_id AND e.identifier = l.identifier
      AND l.currency IN (e.currency, f.currency)
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.currency = l.currency
LEFT JOIN credits_internal.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
LEFT JOIN credits_internal.reversals b ON b.customer_id = l.customer_id AND b.operation_id = l.operation_id
LEFT JOIN credits_internal.hold_captures h ON h.customer_id = l.customer_id AND h.capture_id = l.operation_id
CROSS JOIN LATERAL (SELECT coalesce(r.operation_id, b.operation_id) AS operation_id) c
-- The lines of a capture that is an event name both.
CROSS JOIN LATERAL (SELECT l.type IN ('consumption', 'debt', 'reversal') AND c.operation_id IS NULL
                               OR l.type = 'capture' AND h.identifier IS NOT NULL AS of_usage,
                           l.type NOT IN ('consumption', 'debt', 'reversal', 'grant', 'expiration', 'void',
                                          'suspension', 'resumption', 'reinstatement', 'rollover')
                               OR c.operation_id IS NOT NULL
                               -- Part of a grant that was ended by hand.
                               OR (l.type IN ('expiration', 'void') AND l.operation_id IS NOT NULL) AS of_operation) x
WHERE (l.identifier IS NOT NULL) <> x.of_usage OR (e.identifier IS NOT NULL) <> x.of_usage
   OR l.identifier <> h.identifier
   OR (l.operation_id IS NOT NULL) <> x.of_operation OR (o.operation_id IS NOT NULL) <> x.of_operation
   OR (l.grant_id IS NULL) <> (l.type = 'debt' OR (l.type IN ('reversal', 'refund') AND l.amount = 0))
UNION ALL
SELECT 'line: its type is not what its operation does', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.operations o ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id
LEFT JOIN credits_internal.reclaims w ON w.customer_id = l.customer_id AND w.operation_id = l.operation_id
WHERE CASE WHEN o.function IN ('wallet_debit', 'wallet_adjust') AND w.operation_id IS NOT NULL
                AND l.type IN ('debt', 'consumption') THEN l.pending IS NOT NULL
      ELSE CASE o.function
      WHEN 'wallet_debit' THEN l.type = 'debit'
      WHEN 'invoice_pay' THEN l.type = 'debit'
      WHEN 'hold_create' THEN l.type IN ('hold', 'capture', 'release')
      WHEN 'hold_capture' THEN l.type IN ('capture', 'debit', 'debt', 'consumption')
      WHEN 'wallet_transfer' THEN l.type = 'transfer'
      WHEN 'wallet_adjust' THEN l.type = CASE WHEN l.amount > 0 THEN 'adjustment' WHEN o.reason = 'refund' THEN 'refund'
                                              WHEN o.reason = 'charge' THEN 'debit' ELSE 'adjustment' END
      WHEN 'operation_reverse' THEN l.type = 'reversal'
      WHEN 'invoice_void' THEN l.type IN ('refund', 'consumption')
      WHEN 'credit_grant_void' THEN l.type IN ('void', 'refund', 'consumption')
      WHEN 'credit_grant_expire' THEN l.type = 'expiration'
      WHEN 'payment_refunded' THEN l.type IN ('refund', 'consumption', 'reversal')
      WHEN 'payment_disputed' THEN l.type IN ('refund', 'consumption', 'reversal')
      END END IS NOT TRUE
UNION ALL
SELECT 'line: its amounts are not those of its type', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE CASE l.type
      WHEN 'grant' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'consumption' THEN l.amount < 0 AND l.held IS NULL AND coalesce(l.pending = l.amount, true)
      WHEN 'debit' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'debt' THEN l.amount = 0 AND l.held IS NULL AND l.pending > 0
      WHEN 'reversal' THEN l.held IS NULL AND CASE l.amount WHEN 0 THEN l.pending < 0
                                                            ELSE l.amount > 0 AND l.pending IS NULL END
      WHEN 'hold' THEN l.amount < 0 AND l.held = -l.amount AND l.pending IS NULL
      WHEN 'capture' THEN l.amount = 0 AND l.held < 0 AND l.pending IS NULL
      WHEN 'release' THEN l.amount > 0 AND l.held = -l.amount AND l.pending IS NULL
      WHEN 'expiration' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'void' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'suspension' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'resumption' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'reinstatement' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'rollover' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'transfer' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'adjustment' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'refund' THEN l.held IS NULL AND (l.amount = 0) = (l.pending IS NOT NULL)
      END IS NOT TRUE
UNION ALL
SELECT 'line: the grant may not pay for this', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
WHERE l.type NOT IN ('grant', 'adjustment', 'expiration', 'void', 'suspension', 'resumption', 'reinstatement',
                     'rollover')
  AND g.applicable_meters IS NOT NULL
  AND (coalesce(e.event_name, r.event_name, h.event_name) = ANY (g.applicable_meters)) IS NOT TRUE
UNION ALL
-- Times: a line is within its grant's life, and no line is earlier than the one before it.
SELECT 'line: outside of its grant''s life', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
-- What lapsed before its grant was extended, lapsed at an end that the grant no longer has.
LEFT JOIN (SELECT t.customer_id, t.grant_id, max(t.line_no) AS line_no FROM credits_internal.credit_transactions t
           WHERE t.type = 'reinstatement' GROUP BY 1, 2) b
       ON b.customer_id = l.customer_id AND b.grant_id = l.grant_id
CROSS JOIN LATERAL (SELECT least(g.expires_at, g.ended_at) AS ended_at,
                           EXISTS (SELECT FROM credits_internal.lines r
                                   WHERE r.customer_id = l.customer_id AND r.currency = l.currency
                                     AND r.line_no = l.line_no - 1 AND r.type IN ('release', 'reversal', 'refund')
                                     AND r.grant_id = l.grant_id)
                               AS came_back,
                           -- What was a mistake, or was paid back, does not come back when its grant is extended.
                           EXISTS (SELECT FROM credits_internal.reclaims r
                                   WHERE r.customer_id = l.customer_id AND r.grant_id = l.grant_id
                                     AND r.undone_at IS NULL AND r.credits > r.consumed + r.pending)
                               AS taken_back) x
WHERE l.effective_at < g.effective_at
   OR CASE WHEN l.type IN ('capture', 'release', 'reversal') OR (l.type = 'refund' AND l.amount > 0) THEN false
           WHEN l.type IN ('suspension', 'resumption') THEN l.effective_at > x.ended_at
           -- As its time ran out, which the rules of rollovers look at.
           WHEN l.type = 'rollover' THEN false
           -- Part of a grant, ended by hand.
           WHEN l.type IN ('void', 'expiration') AND l.operation_id IS NOT NULL
           THEN l.effective_at >= g.expires_at OR l.effective_at > g.ended_at
           WHEN l.type = 'expiration' AND l.effective_at < g.expires_at AND (l.line_no < b.line_no OR x.taken_back)
           THEN false
           WHEN l.type = 'void' THEN g.status <> 'voided' OR l.effective_at < x.ended_at
                                     OR (l.effective_at > x.ended_at AND NOT x.came_back)
           WHEN l.type = 'expiration' THEN g.status <> 'expired' OR l.effective_at < x.ended_at
                                           OR (l.effective_at > x.ended_at AND NOT x.came_back)
           ELSE (l.effective_at >= g.expires_at OR l.effective_at > g.ended_at)
                -- What lapsed paid late usage: it came back for that.
                AND NOT EXISTS (SELECT FROM credits_internal.lines r
                                WHERE r.customer_id = l.customer_id AND r.currency = l.currency
                                  AND r.line_no = CASE l.type WHEN 'reinstatement' THEN l.line_no + 1
                                                              WHEN 'consumption' THEN l.line_no - 1 END
                                  AND r.type = CASE l.type WHEN 'reinstatement' THEN 'consumption'
                                                           ELSE 'reinstatement' END
                                  AND r.grant_id = l.grant_id AND r.amount = -l.amount) END
UNION ALL
SELECT 'line: time goes back', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM (SELECT t.*, lag(t.effective_at) OVER account AS effective_before, lag(t.created_at) OVER account AS created_before
      FROM credits_internal.lines t
      WINDOW account AS (PARTITION BY t.customer_id, t.currency ORDER BY t.line_no)) l
JOIN credits_internal.accounts a ON a.customer_id = l.customer_id AND a.currency = l.currency
LEFT JOIN credits_internal.history_imports i ON i.customer_id = a.customer_id AND i.currency = a.currency
WHERE l.effective_at < l.effective_before OR l.created_at < l.created_before OR l.effective_at > l.created_at
   -- An account in the middle of its history was posted to as of then.
   OR l.created_at > a.posted_at AND (NOT i.finished AND i.posted_at = a.posted_at) IS NOT TRUE;
COMMENT ON VIEW credits_internal.line_discrepancies IS
'Holds, operations and lines that do not agree: no rows when all is sound. Ask verify().';
