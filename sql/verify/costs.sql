-- The rules of verify() for what grants cost.

CREATE VIEW credits_internal.cost_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'grant: what of its cost is recognised, deferred, breakage, refunded and passed on is not its cost',
       g.customer_id, g.currency, 'grant ' || g.grant_id, g.cost_amount, x.gone + x.deferred
FROM credits_internal.credit_grants g
JOIN credits_internal.true_grants t ON t.customer_id = g.customer_id AND t.grant_id = g.grant_id
JOIN credits_internal.currencies c ON c.currency = g.cost_currency
JOIN (SELECT e.customer_id, e.currency, e.grant_id,
             sum(-e.deferred) FILTER (WHERE e.cost_account <> 'received' OR e.amount < 0) AS gone,
             sum(e.deferred) FILTER (WHERE e.cost_account = 'received' AND e.amount > 0) AS received
      FROM credits_internal.cost_entries e GROUP BY 1, 2, 3) e
  ON e.customer_id = g.customer_id AND e.currency = g.currency AND e.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits_internal.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' GROUP BY 1, 2) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT g.cost_amount - coalesce(e.received, 0) + coalesce(e.gone, 0) AS gone,
           g.cost_amount - credits_internal.share(g.cost_amount, g.amount - t.remaining - coalesce(h.held, 0), g.amount,
                                                  c.decimals) AS deferred) x
WHERE g.cost_amount IS DISTINCT FROM x.gone + x.deferred
UNION ALL
SELECT 'grant: its cost is not an amount of its currency', g.customer_id, g.currency, 'grant ' || g.grant_id,
       round(g.cost_amount, c.decimals), g.cost_amount
FROM credits_internal.credit_grants g
LEFT JOIN credits_internal.currencies c ON c.currency = g.cost_currency
WHERE g.cost_amount <> round(g.cost_amount, c.decimals) OR (g.cost_amount IS NOT NULL AND c.currency IS NULL)
UNION ALL
SELECT 'transfer: the cost that it passed on is not what arrived', s.customer_id, s.currency, 'to ' || s.counterparty,
       s.passed_on, r.arrived
FROM (SELECT e.customer_id, e.currency, e.cost_currency, o.counterparty, sum(-e.deferred) AS passed_on
      FROM credits_internal.cost_entries e
      JOIN credits_internal.operations o ON o.customer_id = e.customer_id AND o.operation_id = e.operation_id
      WHERE e.type = 'transfer' AND e.amount < 0
      GROUP BY 1, 2, 3, 4) s
CROSS JOIN LATERAL (
    SELECT sum(g.cost_amount) AS arrived
    FROM credits_internal.credit_grants g
    WHERE g.customer_id = s.counterparty AND g.transferred_from = s.customer_id AND g.currency = s.currency
      AND g.cost_currency = s.cost_currency) r
WHERE s.passed_on IS DISTINCT FROM r.arrived
UNION ALL
SELECT 'invoice line: what its grant cost is not in its currency', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, l.amount, g.cost_amount
FROM credits_internal.invoice_lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
WHERE g.cost_currency <> l.currency;
COMMENT ON VIEW credits_internal.cost_discrepancies IS
'Grants whose cost does not add up: no rows when all is sound. Ask verify().';
