-- What the money for credits has become, day by day.

CREATE VIEW credits.revenue AS
SELECT m.day, m.currency, m.category, round(sum(m.received), c.decimals) AS received,
       round(sum(m.recognised), c.decimals) AS recognised, round(sum(m.breakage), c.decimals) AS breakage,
       round(sum(m.refunded), c.decimals) AS refunded,
       round(sum(sum(m.received - m.recognised - m.breakage - m.refunded))
                 OVER (PARTITION BY m.currency, m.category ORDER BY m.day), c.decimals) AS deferred
FROM (SELECT (least(g.created_at, g.effective_at) AT TIME ZONE 'UTC')::date AS day, g.cost_currency AS currency,
             g.category, g.cost_amount AS received, 0 AS recognised, 0 AS breakage, 0 AS refunded
      FROM credits_internal.credit_grants g
      WHERE g.cost_amount IS NOT NULL
      UNION ALL
      -- What ended before it began has no line in the ledger.
      SELECT (g.ended_at AT TIME ZONE 'UTC')::date, g.cost_currency, g.category, 0, 0,
             CASE WHEN p.grant_id IS NULL THEN g.cost_amount ELSE 0 END,
             CASE WHEN p.grant_id IS NULL THEN 0 ELSE g.cost_amount END
      FROM credits_internal.credit_grants g
      LEFT JOIN credits_internal.invoice_line_grants p
             ON p.customer_id = g.customer_id AND p.grant_id = g.grant_id AND p.paid_back
      WHERE g.cost_amount IS NOT NULL AND g.ended_at < g.effective_at
      UNION ALL
      SELECT (e.effective_at AT TIME ZONE 'UTC')::date, e.cost_currency, e.category,
             CASE WHEN e.cost_account = 'received' THEN e.deferred ELSE 0 END,
             CASE WHEN e.cost_account = 'recognised' THEN -e.deferred ELSE 0 END,
             CASE WHEN e.cost_account = 'breakage' THEN -e.deferred ELSE 0 END,
             CASE WHEN e.cost_account = 'refunded' THEN -e.deferred ELSE 0 END
      FROM credits_internal.cost_entries e
      -- What a grant begins with is received already; what goes to another customer, or on as another grant, is
      -- received there.
      WHERE e.deferred <> 0 AND (e.cost_account <> 'received' OR e.amount < 0)) m
-- So that whole amounts have their decimals too: nothing is rounded.
JOIN credits_internal.currencies c ON c.currency = m.currency
GROUP BY m.day, m.currency, m.category, c.decimals;
COMMENT ON VIEW credits.revenue IS
'Revenue recognised: by day in UTC, currency of the money and category of the credits. As posted: CALL maintain() first.

Of grants that have a cost (cost_amount and cost_currency): those of purchases have it by themselves. For each day on
which something happened there is a row: what was received, and what of it was recognised because credits were spent,
became breakage or was paid back. deferred is a balance: what is still to be earned at the end of that day, also for
grants that have not begun. Over all days received = recognised + breakage + refunded + the last deferred, to the cent.

A day that is over changes only where what a payment was made of (its tax) is reported later.

What usage is owed for is recognised when credits pay it. What was spent stays recognised when its price is paid back;
the credits that later pay for that count as refunded, not as recognised again. Where it was forgiven, nothing does:
the view payment_log has that loss. For one customer or one grant sum the journal by cost_account.';
COMMENT ON COLUMN credits.revenue.day IS 'The day, in UTC.';
COMMENT ON COLUMN credits.revenue.currency IS 'The currency of the money.';
COMMENT ON COLUMN credits.revenue.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.revenue.received IS
'What was paid for credits, net of tax, counted when they were granted; transfers and rollovers add nothing.';
COMMENT ON COLUMN credits.revenue.recognised IS
'What was earned because credits were spent, less what came back to their grants.';
COMMENT ON COLUMN credits.revenue.breakage IS
'What credits cost that ended unspent and were not paid back: expired, voided, or taken by a correction.';
COMMENT ON COLUMN credits.revenue.refunded IS
'What the credits cost that were taken back because their price was paid back.';
COMMENT ON COLUMN credits.revenue.deferred IS
'What is still to be earned at the end of the day: the balance of all days until then.';
