-- The rules of verify() for invoices: what they come to, what was applied to them, what they granted, their numbers.

CREATE VIEW credits_internal.invoice_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH sums AS (
    SELECT l.customer_id, l.invoice_id, sum(l.amount) AS subtotal, sum(l.discount) AS discount, sum(l.tax) AS tax,
           sum(l.amount - l.discount)
               + coalesce(sum(l.tax) FILTER (WHERE l.tax_behavior = 'exclusive'), 0) AS total,
           sum(l.amount_excluding_tax) AS net, count(*) AS lines, max(l.line_no) AS last_no,
           count(DISTINCT l.line_no) AS places
    FROM credits_internal.invoice_lines l WHERE l.invoice_id IS NOT NULL GROUP BY 1, 2
)
SELECT 'invoice: its total is not its lines, less discounts, with tax on top' AS problem, i.customer_id, i.currency,
       'invoice ' || i.invoice_id AS subject, s.total AS expected, i.total AS found
FROM credits_internal.invoices i
LEFT JOIN sums s ON s.customer_id = i.customer_id AND s.invoice_id = i.invoice_id
WHERE (i.subtotal, i.discount, i.tax, i.total, i.total_excluding_tax)
      IS DISTINCT FROM (s.subtotal, s.discount, s.tax, s.total + i.shipping, s.net + i.shipping)
   OR s.lines <> s.last_no OR s.lines <> s.places
UNION ALL
SELECT 'invoice: what is due is not its total', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       greatest(i.total, 0), i.amount_due
FROM credits_internal.invoices i WHERE i.amount_due <> greatest(i.total, 0)
UNION ALL
SELECT 'invoice: its amounts are not amounts of its currency', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       round(i.total, c.decimals), i.total
FROM credits_internal.invoices i
LEFT JOIN credits_internal.currencies c ON c.currency = i.currency
WHERE c.currency IS NULL
   OR (i.subtotal, i.discount, i.tax, i.total, i.amount_paid)
      <> (round(i.subtotal, c.decimals), round(i.discount, c.decimals), round(i.tax, c.decimals),
          round(i.total, c.decimals), round(i.amount_paid, c.decimals))
UNION ALL
SELECT 'invoice line: what is left without tax is not its amount, less discount and the tax in it', l.customer_id,
       l.currency, 'line ' || l.invoice_line_id, x.net, l.amount_excluding_tax
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
CROSS JOIN LATERAL (
    SELECT l.amount - l.discount - CASE l.tax_behavior WHEN 'inclusive' THEN l.tax ELSE 0 END AS net) x
WHERE l.amount_excluding_tax <> x.net OR (l.tax <> 0 AND l.tax_rate IS NULL AND i.from_provider IS NOT TRUE)
   OR (l.invoice_id IS NOT NULL AND i.currency IS DISTINCT FROM l.currency)
UNION ALL
-- Rounded once: within half of the last decimal.
SELECT 'invoice: a tax is not its rate of the lines', t.customer_id, t.currency,
       'invoice ' || t.invoice_id || ', ' || t.tax_rate || ' % ' || t.tax_behavior,
       round(t.base * t.tax_rate / t.per, c.decimals), t.tax
FROM (SELECT l.customer_id, l.invoice_id, l.currency, l.tax_rate, l.tax_behavior, sum(l.amount - l.discount) AS base,
             sum(l.tax) AS tax, 100 + CASE l.tax_behavior WHEN 'inclusive' THEN l.tax_rate ELSE 0 END AS per
      FROM credits_internal.invoice_lines l
      WHERE l.invoice_id IS NOT NULL AND l.tax_rate IS NOT NULL GROUP BY 1, 2, 3, 4, 5) t
JOIN credits_internal.currencies c ON c.currency = t.currency
WHERE abs(t.tax * t.per - t.base * t.tax_rate) * 2 * 10::numeric ^ c.decimals > t.per
UNION ALL
SELECT 'invoice: what is paid is not what was applied to it', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       coalesce(p.applied, 0), i.amount_paid
FROM credits_internal.invoices i
LEFT JOIN (SELECT p.customer_id, p.invoice_id, sum(p.amount) FILTER (WHERE p.reversed_at IS NULL) AS applied
           FROM credits_internal.invoice_payments p GROUP BY 1, 2) p
       ON p.customer_id = i.customer_id AND p.invoice_id = i.invoice_id
WHERE i.amount_paid <> coalesce(p.applied, 0)
   OR (i.status = 'paid' AND i.amount_paid <> i.amount_due)
   OR (i.status IN ('open', 'uncollectible') AND i.amount_paid >= i.amount_due)
   OR (i.status IN ('draft', 'void') AND i.amount_paid <> 0)
UNION ALL
SELECT 'invoice payment: its debit is not there, or not given back as it says', p.customer_id, i.currency,
       'invoice ' || p.invoice_id || ', payment ' || p.payment_no, p.amount, -l.total
FROM credits_internal.invoice_payments p
JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
LEFT JOIN credits_internal.operations o ON o.customer_id = p.customer_id AND o.operation_id = p.operation_id
LEFT JOIN (SELECT l.customer_id, l.operation_id, sum(l.amount) AS total FROM credits_internal.lines l
           WHERE l.operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = p.customer_id AND l.operation_id = p.operation_id
-- Of a deposit parts may be given back.
LEFT JOIN credits_internal.reversals r ON r.customer_id = p.customer_id AND r.reversed_operation_id = p.operation_id
    AND i.billing_reason NOT IN ('deposit', 'overdraft_protection')
WHERE p.paid_from = 'wallet'
  AND ((o.function, o.currency, o.amount, -l.total) IS DISTINCT FROM ('invoice_pay', i.currency, p.amount, p.amount)
       OR (r.operation_id, r.amount) IS DISTINCT FROM (p.reversal_id, CASE WHEN p.reversal_id IS NOT NULL
                                                                           THEN p.amount END))
UNION ALL
SELECT 'deposit: what paid an invoice is of none, of another currency, or more than there was', p.customer_id,
       max(i.currency), 'invoice ' || p.deposit_id, max(d.amount_paid), sum(p.amount)
FROM credits_internal.invoice_payments p
LEFT JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
LEFT JOIN credits_internal.invoices d ON d.customer_id = p.customer_id AND d.invoice_id = p.deposit_id
WHERE p.deposit_id IS NOT NULL
GROUP BY p.customer_id, p.deposit_id
HAVING sum(p.amount) > coalesce(max(d.amount_paid), 0)
    OR NOT bool_and((d.billing_reason IN ('deposit', 'overdraft_protection') AND d.status = 'paid'
                     AND d.currency = i.currency AND i.subscription_id IS NOT NULL) IS TRUE)
UNION ALL
SELECT 'operation: it pays no invoice', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'invoice_pay'
  AND NOT EXISTS (SELECT FROM credits_internal.invoice_payments p
                  WHERE p.customer_id = o.customer_id
                    AND (p.operation_id = o.operation_id OR p.paid_from = 'outside' AND p.amount = o.amount))
UNION ALL
SELECT 'invoice line: it is paid and granted nothing, or granted before it is paid', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, CASE WHEN i.status = 'paid' THEN l.credits END, g.amount
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
-- What a subscription's line grants has rules of its own: it comes in instalments.
WHERE (l.subscription_item_id IS NULL
       AND (l.credits IS NOT NULL AND i.status IS NOT DISTINCT FROM 'paid') <> (l.grant_id IS NOT NULL))
   OR (l.grant_id IS NOT NULL
       AND ((g.currency, g.cost_currency) IS DISTINCT FROM (l.credit_currency, l.currency)
            OR (l.subscription_item_id IS NULL AND g.amount <> l.credits)))
UNION ALL
SELECT 'invoiced credits: they are closed and their invoice is not, or the reverse', o.customer_id, o.currency,
       'grant ' || o.grant_id || ' of invoice ' || o.invoice_id, o.credits, NULL
FROM credits_internal.invoiced_credits o
LEFT JOIN credits_internal.invoices i ON i.customer_id = o.customer_id AND i.invoice_id = o.invoice_id
WHERE o.status IS DISTINCT FROM CASE i.status WHEN 'paid' THEN 'paid' WHEN 'void' THEN 'returned'
                                              WHEN 'open' THEN 'invoiced' WHEN 'uncollectible' THEN 'invoiced' END
UNION ALL
SELECT 'invoiced credits: their grant is not there, or of another amount', o.customer_id, o.currency,
       'grant ' || o.grant_id, o.credits, g.amount
FROM credits_internal.invoiced_credits o
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
WHERE (g.amount, g.currency) IS DISTINCT FROM (o.credits, o.currency)
UNION ALL
SELECT 'invoiced credits: they are to be owed again once where their invoice is void, and nowhere else', o.customer_id,
       o.currency, 'grant ' || o.grant_id, (o.status = 'returned')::integer, count(r.operation_id)
FROM credits_internal.invoiced_credits o
LEFT JOIN credits_internal.operations p
       ON p.customer_id = o.customer_id AND p.grant_id = o.grant_id AND p.function = 'invoice_void'
LEFT JOIN credits_internal.reclaims r ON r.customer_id = p.customer_id AND r.operation_id = p.operation_id
GROUP BY o.customer_id, o.currency, o.grant_id, o.status
HAVING count(r.operation_id) <> (o.status = 'returned')::integer
UNION ALL
SELECT 'grant: two lines of invoices name it', l.customer_id, l.credit_currency, 'grant ' || l.grant_id, 1, count(*)
FROM credits_internal.invoice_lines l WHERE l.grant_id IS NOT NULL
GROUP BY 1, 2, 3, l.grant_id HAVING count(*) > 1
UNION ALL
SELECT 'invoice: what is left of a total below zero is not pending once, or on one invoice', i.customer_id, i.currency,
       'invoice ' || i.invoice_id, CASE WHEN i.status <> 'draft' THEN least(i.total, 0) ELSE 0 END,
       coalesce(l.amount, 0)
FROM credits_internal.invoices i
LEFT JOIN (SELECT l.customer_id, l.from_invoice_id, sum(l.amount) AS amount, count(*) AS lines
           FROM credits_internal.invoice_lines l
           LEFT JOIN credits_internal.invoices o ON o.customer_id = l.customer_id AND o.invoice_id = l.invoice_id
           WHERE l.from_invoice_id IS NOT NULL AND o.status IS DISTINCT FROM 'void' GROUP BY 1, 2) l
       ON l.customer_id = i.customer_id AND l.from_invoice_id = i.invoice_id
WHERE CASE WHEN i.status <> 'draft' THEN least(i.total, 0) ELSE 0 END <> coalesce(l.amount, 0) OR l.lines > 1
UNION ALL
SELECT 'invoices: their numbers have a gap', n.customer_id, NULL, 'prefix ' || n.prefix, n.last_no, i.given
FROM credits_internal.invoice_numbers n
LEFT JOIN (SELECT i.customer_id, i.number_prefix, count(*) AS given, max(i.number_no) AS last_no
           FROM credits_internal.invoices i WHERE i.number IS NOT NULL GROUP BY 1, 2) i
       ON i.customer_id = n.customer_id AND i.number_prefix = n.prefix
WHERE (i.given, i.last_no) IS DISTINCT FROM (n.last_no, n.last_no)
UNION ALL
SELECT 'invoice: its number was never given', i.customer_id, i.currency, 'invoice ' || i.invoice_id, NULL, i.number_no
FROM credits_internal.invoices i
WHERE i.number IS NOT NULL
  AND NOT EXISTS (SELECT FROM credits_internal.invoice_numbers n
                  WHERE n.customer_id = i.customer_id AND n.prefix = i.number_prefix AND n.last_no >= i.number_no);
COMMENT ON VIEW credits_internal.invoice_discrepancies IS
'Invoices that do not add up, whose money or credits are not there, or whose numbers have a gap: no rows when all is
sound. Ask verify().';
