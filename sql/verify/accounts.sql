-- The rules of verify() for accounts and grants: balances and grants are the sum of their lines.

CREATE VIEW credits_internal.account_discrepancies (problem, customer_id, currency, subject, expected, found) AS
-- 1. An account's stored balance is the sum of its lines, which are numbered without a gap.
SELECT 'account: balance is not the sum of its lines' AS problem, a.customer_id, a.currency, NULL::text AS subject,
       coalesce(l.total, 0) AS expected, a.available + a.restricted AS found
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS total FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.available + a.restricted <> coalesce(l.total, 0)
UNION ALL
SELECT 'account: lines are not numbered from 1 without a gap', a.customer_id, a.currency, NULL,
       a.last_line, coalesce(l.lines, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, count(*) AS lines, max(line_no) AS last, min(line_no) AS first
           FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.last_line <> coalesce(l.lines, 0) OR a.last_line <> coalesce(l.last, 0) OR coalesce(l.first, 1) <> 1
UNION ALL
SELECT 'account: it was posted to after its last line and can be charged by its head', a.customer_id, a.currency, NULL,
       NULL,
       a.last_line
FROM credits_internal.accounts a
LEFT JOIN credits_internal.lines l ON l.customer_id = a.customer_id AND l.currency = a.currency
    AND l.line_no = a.last_line
WHERE a.posted_at <> coalesce(l.created_at, '-infinity') AND a.charge_above < 'infinity'
UNION ALL
SELECT 'line: running balance is not the sum so far', l.customer_id, l.currency, 'line ' || l.line_no,
       l.total, l.running_balance
FROM (SELECT customer_id, currency, line_no, running_balance,
             sum(amount) OVER (PARTITION BY customer_id, currency ORDER BY line_no) AS total
      FROM credits_internal.lines) l
WHERE l.total IS DISTINCT FROM l.running_balance
UNION ALL
SELECT 'line: no such account', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = l.customer_id
    AND a.currency = l.currency)
UNION ALL
SELECT 'account: issued is not the sum of its grants, or more than can be counted', a.customer_id, a.currency, NULL,
       coalesce(g.issued, 0), a.issued
FROM credits_internal.accounts a
-- What rolled over was issued before.
LEFT JOIN (SELECT i.customer_id, i.currency, sum(i.amount) AS issued
           FROM credits_internal.credit_grants i
           WHERE NOT EXISTS (SELECT FROM credits_internal.grant_rollovers r
                             WHERE r.customer_id = i.customer_id AND r.grant_id = i.grant_id AND r.generation > 0)
           GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
LEFT JOIN credits_internal.currencies c ON c.currency = a.currency
WHERE a.issued <> coalesce(g.issued, 0) OR a.issued >= 10::numeric ^ (28 - c.decimals)
UNION ALL
-- An account that nothing can be posted to is named even where all else agrees.
SELECT 'account: maintenance fails on it', f.customer_id, f.currency, f.error || ': ' || f.message, NULL, f.attempts
FROM credits_internal.account_failures f
UNION ALL
SELECT 'account: no such customer', a.customer_id, a.currency, NULL, NULL, NULL
FROM credits_internal.accounts a
    WHERE NOT EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = a.customer_id)
UNION ALL
SELECT 'customer: its invoice prefix is another customer''s, or nobody''s', c.customer_id, NULL, c.invoice_prefix,
       NULL, NULL
FROM credits_internal.customers c
LEFT JOIN credits_internal.invoice_prefixes p ON p.invoice_prefix = c.invoice_prefix
WHERE c.invoice_prefix IS NOT NULL AND p.customer_id IS DISTINCT FROM c.customer_id
UNION ALL
SELECT 'payment method: no such customer', m.customer_id, NULL, 'payment method ' || m.payment_method_id, NULL, NULL
FROM credits_internal.payment_methods m
WHERE NOT EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = m.customer_id)
UNION ALL
SELECT 'account: no such currency, or a limit that is none', a.customer_id, a.currency, NULL, NULL, a.overdraft_limit
FROM credits_internal.accounts a
WHERE NOT EXISTS (SELECT FROM credits_internal.currencies c WHERE c.currency = a.currency)
   OR a.overdraft_limit = 'NaN' OR a.overdraft_limit < 0 OR a.low_balance_threshold IN ('NaN', 'infinity')
   OR a.low_balance_threshold < 0
UNION ALL
SELECT 'grant: it did not come from where it says', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.amount
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, o.counterparty
           FROM credits_internal.lines t
           JOIN credits_internal.operations o
                ON o.customer_id = t.customer_id AND o.operation_id = t.operation_id AND o.line_no IS NULL
           WHERE t.type = 'transfer' AND t.amount > 0) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.transferred_from IS DISTINCT FROM l.counterparty
UNION ALL
SELECT 'grant: no such account', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.remaining
FROM credits_internal.credit_grants g
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = g.customer_id
    AND a.currency = g.currency)
UNION ALL
-- … and the sum of what remains in its grants that have taken effect.
SELECT 'account: available is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.available, 0), a.available
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE NOT restricted) AS available
           FROM credits_internal.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.available <> coalesce(g.available, 0)
UNION ALL
SELECT 'account: restricted is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.restricted, 0), a.restricted
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE restricted) AS restricted
           FROM credits_internal.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.restricted <> coalesce(g.restricted, 0)
UNION ALL
SELECT 'account: its head is not the grant that pays next', a.customer_id, a.currency,
       'grant ' || coalesce(a.head_grant_id::text, 'none') || ' where ' || coalesce(g.grant_id::text, 'none')
           || ' is due',
       g.remaining, a.available - a.head_floor
FROM credits_internal.accounts a
LEFT JOIN (SELECT DISTINCT ON (customer_id, currency) customer_id, currency, grant_id, remaining
           FROM credits_internal.true_grants WHERE status = 'granted' AND NOT restricted AND remaining > 0
           ORDER BY customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.head_grant_id IS DISTINCT FROM g.grant_id OR (a.head_grant_id IS NULL AND a.head_floor <> a.available)
UNION ALL
-- 2. What remains of a grant is the sum of its lines; its status says the same.
SELECT 'grant: what remains is not the sum of its lines', g.customer_id, g.currency, 'grant ' || g.grant_id,
       CASE g.status WHEN 'pending' THEN g.amount ELSE coalesce(l.total, 0) END, g.remaining
FROM credits_internal.true_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits_internal.lines
           WHERE type NOT IN ('suspension', 'resumption') GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.remaining <> CASE g.status WHEN 'pending' THEN g.amount + coalesce(l.total, 0) ELSE coalesce(l.total, 0) END
   OR g.remaining < 0 OR g.remaining > g.amount
UNION ALL
SELECT 'grant: what is suspended of it is not what its lines say', g.customer_id, g.currency, 'grant ' || g.grant_id,
       coalesce(l.total, 0), CASE g.status WHEN 'suspended' THEN g.remaining ELSE 0 END
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT customer_id, grant_id, -sum(amount) AS total FROM credits_internal.credit_transactions
           WHERE type IN ('suspension', 'resumption') GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE coalesce(l.total, 0) <> CASE g.status WHEN 'suspended' THEN g.remaining ELSE 0 END
UNION ALL
SELECT 'grant: the parts of it that were ended by hand are not what its lines say', g.customer_id, g.currency,
       'grant ' || g.grant_id, coalesce(l.total, 0), g.parts_ended
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, -sum(t.amount) AS total FROM credits_internal.credit_transactions t
           WHERE t.type IN ('void', 'expiration') AND t.operation_id IS NOT NULL
             AND NOT EXISTS (SELECT FROM credits_internal.reclaims r
                             WHERE r.customer_id = t.customer_id AND r.operation_id = t.operation_id)
           GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.parts_ended <> coalesce(l.total, 0)
UNION ALL
SELECT 'grant: its opening line is not its amount', g.customer_id, g.currency, 'grant ' || g.grant_id, g.amount,
       coalesce(l.total, 0)
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits_internal.lines
           WHERE type IN ('grant', 'transfer', 'adjustment', 'rollover') AND amount > 0 GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE coalesce(l.total, 0) <> CASE WHEN g.status = 'pending' OR g.ended_at < g.effective_at THEN 0 ELSE g.amount END
UNION ALL
SELECT 'grant: its opening line is of another time', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, l.amount
FROM credits_internal.credit_grants g
JOIN credits_internal.lines l ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
                    AND l.type IN ('grant', 'transfer', 'adjustment', 'rollover') AND l.amount > 0
WHERE l.effective_at <> g.effective_at
UNION ALL
SELECT 'grant: lapsed is not what its lines say', g.customer_id, g.currency, 'grant ' || g.grant_id,
       coalesce(l.total, 0), g.lapsed
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, -sum(t.amount) AS total
           FROM credits_internal.lines t
           LEFT JOIN credits_internal.reclaims r ON r.customer_id = t.customer_id AND r.operation_id = t.operation_id
           WHERE t.type IN ('expiration', 'void', 'reinstatement') OR (t.type = 'refund' AND r.grant_id = t.grant_id)
              OR (t.type = 'rollover' AND t.amount < 0)
           GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.lapsed <> CASE WHEN g.ended_at < g.effective_at THEN g.amount ELSE coalesce(l.total, 0) END
UNION ALL
SELECT 'account: something is below zero', a.customer_id, a.currency, NULL, 0,
       least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor)
FROM credits_internal.accounts a
WHERE least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor) < 0
UNION ALL
SELECT 'account: charge_above is neither head_floor nor evaluate_below, nor infinity', a.customer_id, a.currency, NULL,
       greatest(a.head_floor, a.evaluate_below), a.charge_above
FROM credits_internal.accounts a WHERE a.charge_above NOT IN (greatest(a.head_floor, a.evaluate_below), 'infinity')
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit what remains', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, g.remaining
FROM credits_internal.true_grants g
WHERE (g.status IN ('depleted', 'expired', 'voided') AND g.remaining <> 0)
   OR (g.status = 'granted' AND g.remaining = 0)
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit its times', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, NULL
FROM credits_internal.true_grants g
WHERE (g.status IN ('granted', 'suspended') AND g.expires_at <= g.posted_at)
   OR (g.status = 'pending' AND g.effective_at <= g.posted_at)
   OR (g.ended_at IS NOT NULL AND g.status NOT IN ('expired', 'voided')) OR (g.status = 'voided' AND g.ended_at IS NULL)
   OR (g.status = 'expired' AND least(g.expires_at, g.ended_at) > g.posted_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'grant ' || g.grant_id, NULL, NULL
FROM credits_internal.accounts a
JOIN credits_internal.credit_grants g ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE (g.status IN ('granted', 'suspended') AND g.expires_at < a.next_change_at)
   OR (g.status = 'pending' AND g.effective_at < a.next_change_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits_internal.accounts a
JOIN credits_internal.holds h ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE h.status = 'open' AND h.expires_at < a.next_change_at
UNION ALL
SELECT 'alert: another number of levels is reached', b.customer_id, b.currency, b.kind, x.reached, b.reached
FROM credits_internal.balance_alerts b
JOIN credits_internal.accounts a ON a.customer_id = b.customer_id AND a.currency = b.currency
LEFT JOIN credits_internal.history_imports i ON i.customer_id = a.customer_id AND i.currency = a.currency
CROSS JOIN LATERAL (
    SELECT count(*) AS reached FROM unnest(b.levels) AS level
    WHERE CASE b.kind WHEN 'percent' THEN a.available * 100 <= level * b.full_balance AND b.full_balance > 0
                      ELSE a.available <= level END) x
-- History is not evaluated until all of it is there.
WHERE b.reached <> x.reached AND (NOT i.finished AND i.posted_at = a.posted_at) IS NOT TRUE
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'auto-recharge', NULL, NULL
FROM credits_internal.accounts a
JOIN credits_internal.auto_recharges r ON r.customer_id = a.customer_id AND r.currency = a.currency
WHERE r.due_at < a.next_change_at
UNION ALL
SELECT 'line: no such grant', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE (l.grant_id IS NOT NULL OR l.type NOT IN ('debt', 'reversal', 'refund') OR (l.type = 'refund' AND l.amount <> 0))
  AND NOT EXISTS (SELECT FROM credits_internal.credit_grants g
                  WHERE g.customer_id = l.customer_id AND g.grant_id = l.grant_id AND g.currency = l.currency)
UNION ALL
-- 3. What is owed is what the events say, and what was taken back of purchases.
SELECT 'account: pending is not what its events owe', a.customer_id, a.currency, NULL, coalesce(e.pending, 0), a.pending
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(pending) AS pending
           FROM (SELECT customer_id, currency, pending FROM credits_internal.meter_events WHERE pending > 0
                 UNION ALL SELECT customer_id, currency, pending FROM credits_internal.reclaims WHERE pending > 0) o
           GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.pending <> coalesce(e.pending, 0)
UNION ALL
SELECT 'account: invoiced is not what invoices hold that are not paid', a.customer_id, a.currency, NULL,
       coalesce(o.credits, 0), coalesce(a.invoiced, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT o.customer_id, o.currency, sum(o.credits) AS credits FROM credits_internal.invoiced_credits o
           WHERE o.status = 'invoiced' GROUP BY 1, 2) o
       ON o.customer_id = a.customer_id AND o.currency = a.currency
WHERE coalesce(a.invoiced, 0) <> coalesce(o.credits, 0) OR a.invoiced = 0
UNION ALL
SELECT 'account: owes while a grant could pay', e.customer_id, e.currency, 'event ' || e.identifier, 0, e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0 AND EXISTS (
    SELECT FROM credits_internal.true_grants g
    WHERE g.customer_id = e.customer_id AND g.currency = e.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR e.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'account: held or pending is not the sum of its lines', a.customer_id, a.currency, NULL,
       coalesce(l.held, 0) + coalesce(l.pending, 0), a.held + a.pending
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(held) AS held, sum(pending) AS pending FROM credits_internal.lines
           WHERE held IS NOT NULL OR pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.held <> coalesce(l.held, 0) OR a.pending <> coalesce(l.pending, 0);
COMMENT ON VIEW credits_internal.account_discrepancies IS
'Accounts and grants that do not agree with their lines: no rows when all is sound. Ask verify().';
