-- What must always hold, recomputed from the ledger's lines: one row for each thing that does not. The view is the
-- rules, those of usage are in verify_usage.sql, those of payments in verify_payments.sql; the function is how it is asked, so that a question about one customer reads
-- that customer's rows alone.

CREATE VIEW credits.discrepancies AS
-- 1. An account's stored balance is the sum of its lines, which are numbered without a gap.
SELECT 'account: balance is not the sum of its lines' AS problem, a.customer_id, a.currency, NULL::text AS subject,
       coalesce(l.total, 0) AS expected, a.available + a.restricted AS found
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS total FROM credits.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.available + a.restricted <> coalesce(l.total, 0)
UNION ALL
SELECT 'account: lines are not numbered from 1 without a gap', a.customer_id, a.currency, NULL,
       a.last_line, coalesce(l.lines, 0)
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, count(*) AS lines, max(line_no) AS last, min(line_no) AS first
           FROM credits.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.last_line <> coalesce(l.lines, 0) OR a.last_line <> coalesce(l.last, 0) OR coalesce(l.first, 1) <> 1
UNION ALL
SELECT 'account: it was posted to after its last line and can be charged by its head', a.customer_id, a.currency, NULL, NULL,
       a.last_line
FROM credits.accounts a
LEFT JOIN credits.lines l ON l.customer_id = a.customer_id AND l.currency = a.currency AND l.line_no = a.last_line
WHERE a.posted_at <> coalesce(l.created_at, '-infinity') AND a.charge_above < 'infinity'
UNION ALL
SELECT 'line: running balance is not the sum so far', l.customer_id, l.currency, 'line ' || l.line_no,
       l.total, l.running_balance
FROM (SELECT customer_id, currency, line_no, running_balance,
             sum(amount) OVER (PARTITION BY customer_id, currency ORDER BY line_no) AS total
      FROM credits.lines) l
WHERE l.total IS DISTINCT FROM l.running_balance
UNION ALL
SELECT 'line: no such account', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits.lines l
WHERE NOT EXISTS (SELECT FROM credits.accounts a WHERE a.customer_id = l.customer_id AND a.currency = l.currency)
UNION ALL
SELECT 'account: issued is not the sum of its grants, or more than can be counted', a.customer_id, a.currency, NULL,
       coalesce(g.issued, 0), a.issued
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS issued FROM credits.credit_grants GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
LEFT JOIN credits.currencies c ON c.currency = a.currency
WHERE a.issued <> coalesce(g.issued, 0) OR a.issued >= 10::numeric ^ (28 - c.decimals)
UNION ALL
-- An account that nothing can be posted to is named even where all else agrees.
SELECT 'account: maintenance fails on it', f.customer_id, f.currency, f.error || ': ' || f.message, NULL, f.attempts
FROM credits.account_failures f
UNION ALL
SELECT 'account: no such customer', a.customer_id, a.currency, NULL, NULL, NULL
FROM credits.accounts a WHERE NOT EXISTS (SELECT FROM credits.customers c WHERE c.customer_id = a.customer_id)
UNION ALL
SELECT 'account: no such currency, or a limit that is none', a.customer_id, a.currency, NULL, NULL, a.overdraft_limit
FROM credits.accounts a
WHERE NOT EXISTS (SELECT FROM credits.currencies c WHERE c.currency = a.currency)
   OR a.overdraft_limit = 'NaN' OR a.overdraft_limit < 0 OR a.low_balance_threshold IN ('NaN', 'infinity')
   OR a.low_balance_threshold < 0
UNION ALL
SELECT 'grant: it did not come from where it says', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.amount
FROM credits.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, o.counterparty
           FROM credits.lines t
           JOIN credits.operations o
                ON o.customer_id = t.customer_id AND o.operation_id = t.operation_id AND o.line_no IS NULL
           WHERE t.type = 'transfer' AND t.amount > 0) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.transferred_from IS DISTINCT FROM l.counterparty
UNION ALL
SELECT 'grant: no such account', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.remaining
FROM credits.credit_grants g
WHERE NOT EXISTS (SELECT FROM credits.accounts a WHERE a.customer_id = g.customer_id AND a.currency = g.currency)
UNION ALL
-- … and the sum of what remains in its grants that have taken effect.
SELECT 'account: available is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.available, 0), a.available
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE NOT restricted) AS available
           FROM credits.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.available <> coalesce(g.available, 0)
UNION ALL
SELECT 'account: restricted is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.restricted, 0), a.restricted
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE restricted) AS restricted
           FROM credits.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.restricted <> coalesce(g.restricted, 0)
UNION ALL
SELECT 'account: its head is not the grant that pays next', a.customer_id, a.currency,
       'grant ' || coalesce(a.head_grant_id::text, 'none') || ' where ' || coalesce(g.grant_id::text, 'none') || ' is due',
       g.remaining, a.available - a.head_floor
FROM credits.accounts a
LEFT JOIN (SELECT DISTINCT ON (customer_id, currency) customer_id, currency, grant_id, remaining
           FROM credits.true_grants WHERE status = 'granted' AND NOT restricted AND remaining > 0
           ORDER BY customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.head_grant_id IS DISTINCT FROM g.grant_id OR (a.head_grant_id IS NULL AND a.head_floor <> a.available)
UNION ALL
-- 2. What remains of a grant is the sum of its lines; its status says the same.
SELECT 'grant: what remains is not the sum of its lines', g.customer_id, g.currency, 'grant ' || g.grant_id,
       CASE g.status WHEN 'pending' THEN g.amount ELSE coalesce(l.total, 0) END, g.remaining
FROM credits.true_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits.lines GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.remaining <> CASE g.status WHEN 'pending' THEN g.amount + coalesce(l.total, 0) ELSE coalesce(l.total, 0) END
   OR g.remaining < 0 OR g.remaining > g.amount
UNION ALL
SELECT 'grant: its opening line is not its amount', g.customer_id, g.currency, 'grant ' || g.grant_id, g.amount,
       coalesce(l.total, 0)
FROM credits.credit_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits.lines
           WHERE type IN ('grant', 'transfer', 'adjustment') AND amount > 0 GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE coalesce(l.total, 0) <> CASE WHEN g.status = 'pending' OR g.ended_at < g.effective_at THEN 0 ELSE g.amount END
UNION ALL
SELECT 'grant: its opening line is of another time', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, l.amount
FROM credits.credit_grants g
JOIN credits.lines l ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
                    AND l.type IN ('grant', 'transfer', 'adjustment') AND l.amount > 0
WHERE l.effective_at <> g.effective_at
UNION ALL
SELECT 'grant: lapsed is not what its lines say', g.customer_id, g.currency, 'grant ' || g.grant_id,
       coalesce(l.total, 0), g.lapsed
FROM credits.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, -sum(t.amount) AS total
           FROM credits.lines t
           LEFT JOIN credits.reclaims r ON r.customer_id = t.customer_id AND r.operation_id = t.operation_id
           WHERE t.type IN ('expiration', 'void') OR (t.type = 'refund' AND r.grant_id = t.grant_id) GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.lapsed <> CASE WHEN g.ended_at < g.effective_at THEN g.amount ELSE coalesce(l.total, 0) END
UNION ALL
SELECT 'account: something is below zero', a.customer_id, a.currency, NULL, 0,
       least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor)
FROM credits.accounts a
WHERE least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor) < 0
UNION ALL
SELECT 'account: charge_above is neither head_floor nor watch_below, nor infinity', a.customer_id, a.currency, NULL,
       greatest(a.head_floor, a.watch_below), a.charge_above
FROM credits.accounts a WHERE a.charge_above NOT IN (greatest(a.head_floor, a.watch_below), 'infinity')
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit what remains', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, g.remaining
FROM credits.true_grants g
WHERE (g.status IN ('depleted', 'expired', 'voided') AND g.remaining <> 0)
   OR (g.status = 'granted' AND g.remaining = 0)
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit its times', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, NULL
FROM credits.true_grants g
WHERE (g.status = 'granted' AND g.expires_at <= g.posted_at) OR (g.status = 'pending' AND g.effective_at <= g.posted_at)
   OR (g.ended_at IS NOT NULL AND g.status NOT IN ('expired', 'voided')) OR (g.status = 'voided' AND g.ended_at IS NULL)
   OR (g.status = 'expired' AND least(g.expires_at, g.ended_at) > g.posted_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'grant ' || g.grant_id, NULL, NULL
FROM credits.accounts a
JOIN credits.credit_grants g ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE (g.status = 'granted' AND g.expires_at < a.next_change_at)
   OR (g.status = 'pending' AND g.effective_at < a.next_change_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'hold ' || h.hold_id, NULL, h.amount
FROM credits.accounts a
JOIN credits.holds h ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE h.status = 'open' AND h.expires_at < a.next_change_at
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'auto-recharge', NULL, NULL
FROM credits.accounts a
JOIN credits.auto_recharges r ON r.customer_id = a.customer_id AND r.currency = a.currency
WHERE r.due_at < a.next_change_at
UNION ALL
SELECT 'line: no such grant', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits.lines l
WHERE (l.grant_id IS NOT NULL OR l.type NOT IN ('debt', 'reversal', 'refund') OR (l.type = 'refund' AND l.amount <> 0))
  AND NOT EXISTS (SELECT FROM credits.credit_grants g
                  WHERE g.customer_id = l.customer_id AND g.grant_id = l.grant_id AND g.currency = l.currency)
UNION ALL
-- 3. What is owed is what the events say, and what was taken back of purchases.
SELECT 'account: pending is not what its events owe', a.customer_id, a.currency, NULL, coalesce(e.pending, 0), a.pending
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(pending) AS pending
           FROM (SELECT customer_id, currency, pending FROM credits.meter_events WHERE pending > 0
                 UNION ALL SELECT customer_id, currency, pending FROM credits.reclaims WHERE pending > 0) o
           GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.pending <> coalesce(e.pending, 0)
UNION ALL
SELECT 'account: owes while a grant could pay', e.customer_id, e.currency, 'event ' || e.identifier, 0, e.pending
FROM credits.meter_events e
WHERE e.pending > 0 AND EXISTS (
    SELECT FROM credits.true_grants g
    WHERE g.customer_id = e.customer_id AND g.currency = e.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR e.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'account: held or pending is not the sum of its lines', a.customer_id, a.currency, NULL,
       coalesce(l.held, 0) + coalesce(l.pending, 0), a.held + a.pending
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(held) AS held, sum(pending) AS pending FROM credits.lines
           WHERE held IS NOT NULL OR pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.held <> coalesce(l.held, 0) OR a.pending <> coalesce(l.pending, 0)
UNION ALL
-- What is held is what the open holds say, and what a hold says is what its lines moved.
SELECT 'account: held is not what its holds hold', a.customer_id, a.currency, NULL, coalesce(h.held, 0), a.held
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS held FROM credits.holds WHERE status = 'open' GROUP BY 1, 2) h
       ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE a.held <> coalesce(h.held, 0)
UNION ALL
SELECT 'hold: held in no account', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL, h.amount
FROM credits.holds h
WHERE NOT EXISTS (SELECT FROM credits.accounts a WHERE a.customer_id = h.customer_id AND a.currency = h.currency)
UNION ALL
SELECT 'hold: its grants'' parts are not its amount', h.customer_id, h.currency, 'hold ' || h.hold_id, h.amount, p.parts
FROM credits.holds h, LATERAL (SELECT sum(part) AS parts FROM unnest(h.grant_amounts) AS part) p
WHERE h.amount <> p.parts
UNION ALL
SELECT 'hold: its parts are not what its lines took', h.customer_id, h.currency, 'hold ' || h.hold_id, p.amount, l.held
FROM credits.holds h
CROSS JOIN LATERAL unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
LEFT JOIN (SELECT customer_id, operation_id, grant_id, sum(held) AS held FROM credits.lines
           WHERE type = 'hold' GROUP BY 1, 2, 3) l
       ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id AND l.grant_id = p.grant_id
WHERE p.amount IS DISTINCT FROM l.held
UNION ALL
SELECT 'hold: what is held, captured or given back is not what its lines say', h.customer_id, h.currency,
       'hold ' || h.hold_id, CASE h.status WHEN 'open' THEN h.amount ELSE h.captured END,
       CASE h.status WHEN 'open' THEN l.held ELSE l.captured END
FROM credits.holds h
LEFT JOIN (SELECT customer_id, operation_id, sum(held) AS held,
                  -coalesce(sum(held) FILTER (WHERE type = 'capture'), 0) AS captured
           FROM credits.lines WHERE type IN ('hold', 'capture', 'release') GROUP BY 1, 2) l
       ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id
WHERE (l.held, l.captured) IS DISTINCT FROM (CASE h.status WHEN 'open' THEN h.amount ELSE 0 END, h.captured)
   OR (h.captured > 0) <> (h.status = 'captured')
UNION ALL
SELECT 'hold: status ' || h.status || ' does not fit its times', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits.holds h
JOIN credits.accounts a ON a.customer_id = h.customer_id AND a.currency = h.currency
WHERE (h.status = 'open' AND h.expires_at <= a.posted_at)
   OR CASE h.status WHEN 'expired' THEN h.closed_at <> h.expires_at ELSE h.closed_at >= h.expires_at END
UNION ALL
SELECT 'hold: what a grant gave did not come back to it, or was not spent', h.customer_id, h.currency,
       'hold ' || h.hold_id, 0, l.held
FROM credits.holds h
JOIN (SELECT customer_id, operation_id, grant_id, sum(held) AS held FROM credits.lines
      WHERE type IN ('hold', 'capture', 'release') GROUP BY 1, 2, 3) l
       ON l.customer_id = h.customer_id AND l.operation_id = h.hold_id
WHERE h.status <> 'open' AND l.held <> 0
UNION ALL
SELECT 'operation: its hold is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits.operations o
WHERE o.function = 'hold_create'
  AND NOT EXISTS (SELECT FROM credits.holds h WHERE h.customer_id = o.customer_id AND h.hold_id = o.operation_id)
UNION ALL
SELECT 'hold: its operation does not say the same', h.customer_id, h.currency, 'hold ' || h.hold_id, o.amount, h.amount
FROM credits.holds h
LEFT JOIN credits.operations o
       ON o.customer_id = h.customer_id AND o.operation_id = h.hold_id AND o.line_no IS NULL
WHERE (o.function, o.amount, o.currency) IS DISTINCT FROM ('hold_create', h.amount, h.currency)
UNION ALL
SELECT 'account: the places in the order of payment are not each for one debt, up to last_debt', a.customer_id, a.currency, NULL,
       a.last_debt, coalesce(e.last, 0)
FROM credits.accounts a
LEFT JOIN (SELECT customer_id, currency, count(DISTINCT debt_no) AS debts, count(*) AS events, max(debt_no) AS last
           FROM (SELECT customer_id, currency, debt_no FROM credits.event_debts
                 UNION ALL SELECT customer_id, currency, debt_no FROM credits.reclaims) o
           WHERE debt_no IS NOT NULL GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.last_debt < coalesce(e.last, 0) OR e.debts <> e.events
UNION ALL
SELECT 'operation: amount is not what its lines moved', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, coalesce(l.total, 0)
FROM credits.operations o
LEFT JOIN (SELECT customer_id, operation_id, sum(amount) AS total FROM credits.lines
           WHERE operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = o.customer_id AND l.operation_id = o.operation_id
WHERE CASE o.function WHEN 'wallet_debit' THEN coalesce(l.total, 0) <> -o.amount
                      WHEN 'wallet_adjust' THEN coalesce(l.total, 0) <> o.amount
                      WHEN 'wallet_transfer' THEN abs(coalesce(l.total, 0)) <> o.amount END
UNION ALL
-- A transfer's lines are always among those of credit_transactions.
SELECT 'transfer: its other side does not say the same', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, p.amount
FROM credits.operations o
LEFT JOIN credits.operations p
       ON p.customer_id = o.counterparty AND p.operation_id = o.operation_id AND p.line_no IS NULL
CROSS JOIN LATERAL (SELECT sum(l.amount) AS total FROM credits.credit_transactions l
                    WHERE l.customer_id IN (o.customer_id, o.counterparty) AND l.currency = o.currency
                      AND l.operation_id = o.operation_id) l
WHERE o.function = 'wallet_transfer'
  AND ((p.amount, p.currency, p.counterparty) IS DISTINCT FROM (o.amount, o.currency, o.customer_id) OR l.total <> 0)
UNION ALL
SELECT 'operation: its grant is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, g.amount
FROM credits.operations o
LEFT JOIN credits.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
WHERE (o.function IN ('credit_grant', 'wallet_credit') OR (o.function = 'wallet_adjust' AND o.amount > 0))
  AND g.amount IS DISTINCT FROM o.amount
UNION ALL
SELECT 'line: it names what its type does not, or what is not known', l.customer_id, l.currency, 'line ' || l.line_no,
       NULL, l.amount
FROM credits.lines l
LEFT JOIN credits.meter_events e
       ON e.customer_id = l.customer_id AND e.identifier = l.identifier AND e.currency = l.currency
LEFT JOIN credits.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.currency = l.currency
LEFT JOIN credits.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
CROSS JOIN LATERAL (SELECT l.type IN ('consumption', 'debt', 'reversal') AND r.operation_id IS NULL AS of_usage,
                           l.type NOT IN ('consumption', 'debt', 'reversal', 'grant', 'expiration', 'void')
                               OR r.operation_id IS NOT NULL AS of_operation) x
WHERE (l.identifier IS NOT NULL) <> x.of_usage OR (e.identifier IS NOT NULL) <> x.of_usage
   OR (l.operation_id IS NOT NULL) <> x.of_operation OR (o.operation_id IS NOT NULL) <> x.of_operation
   OR (l.grant_id IS NULL) <> (l.type = 'debt' OR (l.type IN ('reversal', 'refund') AND l.amount = 0))
UNION ALL
SELECT 'line: its type is not what its operation does', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits.lines l
JOIN credits.operations o ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id
WHERE CASE o.function
      WHEN 'wallet_debit' THEN l.type = 'debit'
      WHEN 'hold_create' THEN l.type IN ('hold', 'capture', 'release')
      WHEN 'wallet_transfer' THEN l.type = 'transfer'
      WHEN 'wallet_adjust' THEN l.type = CASE WHEN l.amount > 0 THEN 'adjustment' WHEN o.reason = 'refund' THEN 'refund'
                                              WHEN o.reason = 'charge' THEN 'debit' ELSE 'adjustment' END
      WHEN 'payment_refunded' THEN l.type IN ('refund', 'consumption', 'reversal')
      WHEN 'payment_disputed' THEN l.type IN ('refund', 'consumption', 'reversal')
      END IS NOT TRUE
UNION ALL
SELECT 'line: its amounts are not those of its type', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits.lines l
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
      WHEN 'transfer' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'adjustment' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'refund' THEN l.held IS NULL AND (l.amount = 0) = (l.pending IS NOT NULL)
      END IS NOT TRUE
UNION ALL
SELECT 'line: the grant may not pay for this', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits.lines l
JOIN credits.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
WHERE l.type NOT IN ('grant', 'adjustment', 'expiration', 'void') AND g.applicable_meters IS NOT NULL
  AND (coalesce(e.event_name, r.event_name) = ANY (g.applicable_meters)) IS NOT TRUE
UNION ALL
-- Times: a line is within its grant's life, and no line is earlier than the one before it.
SELECT 'line: outside of its grant''s life', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits.lines l
JOIN credits.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
CROSS JOIN LATERAL (SELECT least(g.expires_at, g.ended_at) AS ended_at,
                           EXISTS (SELECT FROM credits.lines r
                                   WHERE r.customer_id = l.customer_id AND r.currency = l.currency
                                     AND r.line_no = l.line_no - 1 AND r.type IN ('release', 'reversal', 'refund')
                                     AND r.grant_id = l.grant_id)
                               AS came_back) x
WHERE l.effective_at < g.effective_at
   OR CASE WHEN l.type IN ('capture', 'release', 'reversal') OR (l.type = 'refund' AND l.amount > 0) THEN false
           WHEN l.type = 'void' THEN g.status <> 'voided' OR l.effective_at < x.ended_at
                                     OR (l.effective_at > x.ended_at AND NOT x.came_back)
           WHEN l.type = 'expiration' THEN g.status <> 'expired' OR l.effective_at < x.ended_at
                                           OR (l.effective_at > x.ended_at AND NOT x.came_back)
           ELSE l.effective_at >= g.expires_at OR l.effective_at > g.ended_at END
UNION ALL
SELECT 'line: time goes back', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM (SELECT t.*, lag(t.effective_at) OVER account AS effective_before, lag(t.created_at) OVER account AS created_before
      FROM credits.lines t
      WINDOW account AS (PARTITION BY t.customer_id, t.currency ORDER BY t.line_no)) l
JOIN credits.accounts a ON a.customer_id = l.customer_id AND a.currency = l.currency
WHERE l.effective_at < l.effective_before OR l.created_at < l.created_before OR l.effective_at > l.created_at
   OR l.created_at > a.posted_at;
COMMENT ON VIEW credits.discrepancies IS 'What does not agree in the ledger: no rows when it is sound. Ask verify().';

-- Without compilation: it takes longer than the whole question about one customer.
CREATE FUNCTION credits.verify(customer_id text DEFAULT NULL)
RETURNS TABLE (problem text, customer_id text, currency text, subject text, expected numeric, found numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT d.* FROM credits.discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits.usage_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits.payment_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits.discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits.usage_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits.payment_discrepancies d WHERE d.customer_id = $1
$$;
COMMENT ON FUNCTION credits.verify(text) IS
'Recomputes every balance from the ledger, every grant from its lines and every charge from its price, for one customer or (NULL) for all: a row a discrepancy, none when sound. All in one snapshot, so it may run at any time.';
