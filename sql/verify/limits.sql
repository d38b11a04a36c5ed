-- The rules of verify() for limits: what is used of each is what the ledger says.

CREATE VIEW credits_internal.limit_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'limit: used is not what was spent in its window', l.customer_id, l.currency, n.name, coalesce(s.spent, 0),
       l.used
FROM credits_internal.spending_limits l
CROSS JOIN LATERAL (SELECT concat_ws(' ', 'limit per', l.per, nullif(l.event_name, ''), nullif(l.member_id, ''))
                        AS name) n
CROSS JOIN LATERAL (
    SELECT sum(s.amount) AS spent FROM credits_internal.spending s
    WHERE s.customer_id = l.customer_id AND s.currency = l.currency AND s.spent_at >= l.since
      AND (l.member_id = '' OR s.member_id = l.member_id) AND (l.event_name = '' OR s.event_name = l.event_name)) s
WHERE l.used <> coalesce(s.spent, 0)
UNION ALL
SELECT 'limit: used is not what its rolling window adds up to', l.customer_id, l.currency,
       concat_ws(' ', 'limit per', l.per, nullif(l.event_name, ''), nullif(l.member_id, '')), coalesce(r.spent, 0),
       l.used
FROM credits_internal.spending_limits l
CROSS JOIN LATERAL (
    SELECT sum(r.amount) AS spent FROM credits_internal.rolling_spending r
    WHERE r.customer_id = l.customer_id AND r.currency = l.currency AND r.member_id = l.member_id
      AND r.event_name = l.event_name AND r.per = l.per) r
WHERE l.seconds IS NOT NULL AND l.used <> coalesce(r.spent, 0)
UNION ALL
SELECT 'limit: its rolling window is of no limit', r.customer_id, r.currency, 'limit per ' || r.per, NULL, r.amount
FROM credits_internal.rolling_spending r
WHERE NOT EXISTS (
    SELECT FROM credits_internal.spending_limits l
    WHERE l.customer_id = r.customer_id AND l.currency = r.currency AND l.member_id = r.member_id
      AND l.event_name = r.event_name AND l.per = r.per AND l.seconds IS NOT NULL)
UNION ALL
SELECT 'limit: no such account', l.customer_id, l.currency, 'limit per ' || l.per, NULL, l.amount
FROM credits_internal.spending_limits l
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a
                  WHERE a.customer_id = l.customer_id AND a.currency = l.currency)
UNION ALL
SELECT 'account: limited is not whether limits are set, or its head can pay alone all the same', a.customer_id,
       a.currency, NULL,
       NULL, a.charge_above
FROM credits_internal.accounts a
WHERE a.limited <> EXISTS (SELECT FROM credits_internal.spending_limits l
                           WHERE l.customer_id = a.customer_id AND l.currency = a.currency)
   OR (a.limited AND a.charge_above < 'infinity');
COMMENT ON VIEW credits_internal.limit_discrepancies IS
'Limits that do not agree with the ledger: no rows when all is sound. Ask verify().';
