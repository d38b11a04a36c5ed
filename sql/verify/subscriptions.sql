-- The rules of verify() for subscriptions: periods without a gap or an overlap, each with its own invoice; credits that
-- are granted if and only if their line is paid, once; and nothing to come of what has ended.

CREATE VIEW credits_internal.subscription_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH periods AS (
    SELECT p.*, lag(p.period_end) OVER w AS last_end, lead(p.period_start) OVER w AS next_start
    FROM credits_internal.subscription_periods p
    WINDOW w AS (PARTITION BY p.customer_id, p.subscription_id ORDER BY p.period_start)
), instalments AS (
    SELECT g.*, l.invoice_id, l.proration, l.currency, l.credits AS line_credits, l.credit_currency, m.subscription_id,
           i.status AS invoice_status
    FROM credits_internal.invoice_line_grants g
    LEFT JOIN credits_internal.invoice_lines l
           ON l.customer_id = g.customer_id AND l.invoice_line_id = g.invoice_line_id
    LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
    LEFT JOIN credits_internal.subscription_items m
           ON m.customer_id = l.customer_id AND m.subscription_item_id = l.subscription_item_id
)
SELECT 'subscription: its periods have a gap or an overlap' AS problem, p.customer_id, NULL::text AS currency,
       'subscription ' || p.subscription_id || ', ' || p.period_start AS subject, NULL::numeric AS expected,
       NULL::numeric AS found
FROM periods p
JOIN credits_internal.subscriptions s ON s.customer_id = p.customer_id AND s.subscription_id = p.subscription_id
-- A provider may begin a period before the last one is over, and one that nobody pays is none here.
WHERE s.collection_method <> 'external'
  AND (p.last_end > p.period_start OR (p.last_end < p.period_start AND NOT p.resumed))
UNION ALL
SELECT 'subscription: its period is not its last one, or of no subscription', coalesce(s.customer_id, p.customer_id),
       s.currency, 'subscription ' || coalesce(s.subscription_id, p.subscription_id), NULL, NULL
FROM credits_internal.subscriptions s
FULL JOIN (SELECT * FROM periods WHERE next_start IS NULL) p
       ON p.customer_id = s.customer_id AND p.subscription_id = s.subscription_id
WHERE CASE WHEN s.collection_method = 'external' THEN s.current_period_start < p.period_start
           ELSE (s.current_period_start, s.current_period_end) IS DISTINCT FROM (p.period_start, p.period_end) END
UNION ALL
SELECT 'subscription: the invoice of a period is another''s, or of two', p.customer_id, i.currency,
       'subscription ' || p.subscription_id || ', ' || p.period_start, NULL, NULL
FROM credits_internal.subscription_periods p
LEFT JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
WHERE (p.invoice_id IS NULL AND p.kind <> 'trial'
       -- Usage alone is invoiced after its period.
       AND NOT EXISTS (SELECT FROM credits_internal.usage_record_summaries u
                       WHERE u.customer_id = p.customer_id AND u.subscription_id = p.subscription_id
                         AND u.period_start = p.period_start))
   OR (p.invoice_id IS NOT NULL
       AND (i.subscription_id IS DISTINCT FROM p.subscription_id
            OR EXISTS (SELECT FROM credits_internal.subscription_periods o
                       WHERE o.customer_id = p.customer_id AND o.subscription_id = p.subscription_id
                         AND o.invoice_id = p.invoice_id AND o.period_start <> p.period_start)
               -- A provider may bill items of several intervals together.
               AND NOT EXISTS (SELECT FROM credits_internal.subscriptions s
                               WHERE s.customer_id = p.customer_id AND s.subscription_id = p.subscription_id
                                 AND s.collection_method = 'external')))
UNION ALL
SELECT 'subscription: it is over and something is still to come, or the reverse', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
WHERE (s.ended_at IS NOT NULL AND s.next_change_at IS DISTINCT FROM s.usage_closes_at)
   OR (s.status IN ('trialing', 'active', 'past_due') AND s.next_change_at IS NULL
       AND s.collection_method <> 'external')
   -- One that began in a checkout session ends with that.
   OR (s.status = 'incomplete' AND s.collection_method <> 'external'
       AND (s.next_change_at IS NULL) <> (s.checkout_session_id IS NOT NULL))
   OR (s.collection_method = 'external' AND s.next_change_at IS NOT NULL)
UNION ALL
SELECT 'subscription: its provider bills it, and an invoice of it is to be paid here', s.customer_id, i.currency,
       'invoice ' || i.invoice_id, NULL, i.amount_due - i.amount_paid
FROM credits_internal.subscriptions s
JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.subscription_id = s.subscription_id
WHERE s.collection_method = 'external' AND i.status IN ('open', 'uncollectible')
UNION ALL
SELECT 'subscription: its provider''s name for it is another''s, or claimed by none', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
LEFT JOIN credits_internal.plan_references r
       ON r.provider = s.provider AND r.kind = 'subscription' AND r.reference = s.provider_reference
WHERE s.provider_reference IS NOT NULL
  AND (r.customer_id, r.object_id) IS DISTINCT FROM (s.customer_id, s.subscription_id)
UNION ALL
SELECT 'subscription: a period of it has granted an item twice', l.customer_id, l.credit_currency,
       'item ' || l.subscription_item_id || ', ' || l.period_start, 1, count(*)
FROM credits_internal.invoice_lines l
JOIN credits_internal.subscription_items m
  ON m.customer_id = l.customer_id AND m.subscription_item_id = l.subscription_item_id
JOIN credits_internal.subscriptions s ON s.customer_id = m.customer_id AND s.subscription_id = m.subscription_id
WHERE s.collection_method = 'external' AND NOT l.proration AND l.credits IS NOT NULL
GROUP BY l.customer_id, l.credit_currency, l.subscription_item_id, l.period_start HAVING count(*) > 1
UNION ALL
SELECT 'subscription: an invoice of it is of no subscription', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       NULL, NULL
FROM credits_internal.invoices i
LEFT JOIN credits_internal.subscriptions s
       ON s.customer_id = i.customer_id AND s.subscription_id = i.subscription_id
WHERE (i.subscription_id IS NOT NULL AND s.subscription_id IS NULL)
   OR (i.billing_reason LIKE 'subscription\_%') <> (i.subscription_id IS NOT NULL)
UNION ALL
SELECT 'instalment: it is granted and not paid, or the reverse', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, g.credits, c.amount
FROM instalments g
LEFT JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.subscription_id IS NULL
   -- What comes with a change in mid-period may come before it is paid.
   OR (g.ended_at IS NULL AND (g.grant_id IS NOT NULL) <> (g.invoice_status IS NOT DISTINCT FROM 'paid')
       AND NOT (g.proration AND g.grant_id IS NOT NULL))
   OR (g.grant_id IS NOT NULL AND (c.amount, c.currency) IS DISTINCT FROM (g.credits, g.credit_currency))
UNION ALL
SELECT 'instalment: it is there twice, or missing', g.customer_id, g.credit_currency, 'line ' || g.invoice_line_id,
       g.line_credits, sum(g.credits) FILTER (WHERE g.revision = 1)
FROM instalments g GROUP BY g.customer_id, g.credit_currency, g.invoice_line_id, g.line_credits
HAVING sum(g.credits) FILTER (WHERE g.revision = 1) IS DISTINCT FROM g.line_credits
    OR count(*) FILTER (WHERE g.ended_at IS NULL) > count(DISTINCT g.instalment_no)
UNION ALL
SELECT 'instalment: two name one grant', g.customer_id, min(g.credit_currency), 'grant ' || g.grant_id, 1, count(*)
FROM instalments g WHERE g.grant_id IS NOT NULL
GROUP BY g.customer_id, g.grant_id HAVING count(*) > 1
UNION ALL
SELECT 'instalment: what was taken back is not what its operations say', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, coalesce(r.credits, 0),
       g.reclaimed
FROM instalments g
LEFT JOIN (SELECT r.customer_id, r.grant_id, sum(r.credits) AS credits FROM credits_internal.reclaims r
           WHERE r.undone_at IS NULL AND r.top_up_id IS NOT NULL GROUP BY 1, 2) r
       ON r.customer_id = g.customer_id AND r.grant_id = g.grant_id
WHERE g.ended_at IS NULL AND g.reclaimed <> coalesce(r.credits, 0)
UNION ALL
SELECT 'instalment: it begins after its subscription has ended', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, 0, g.credits
FROM instalments g
JOIN credits_internal.subscriptions s ON s.customer_id = g.customer_id AND s.subscription_id = g.subscription_id
JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.ended_at IS NULL AND c.status = 'pending' AND c.effective_at >= s.ended_at
UNION ALL
SELECT 'subscription: its discount is not reserved for it, or the reverse', coalesce(s.customer_id, r.customer_id),
       s.currency, 'subscription ' || coalesce(s.subscription_id, r.holder_id), NULL, NULL
FROM (SELECT * FROM credits_internal.subscriptions s WHERE s.coupon_id IS NOT NULL) s
FULL JOIN (SELECT * FROM credits_internal.redemptions r WHERE r.holder_type = 'subscription') r
       ON r.customer_id = s.customer_id AND r.holder_id = s.subscription_id
WHERE (s.coupon_id, s.promotion_code_id) IS DISTINCT FROM (r.coupon_id, r.promotion_code_id)
   -- Between a payment that failed and the next one others may have it.
   OR (s.ended_at IS NULL AND r.released_at IS NOT NULL
       AND NOT (s.status = 'incomplete' AND s.checkout_session_id IS NOT NULL));
COMMENT ON VIEW credits_internal.subscription_discrepancies IS
'Subscriptions that went through their periods otherwise than they must: no rows when all is sound. Ask verify().';

-- Usage of metered items: what is counted is what was recorded, and each of it is invoiced at
-- most once, at its price.

CREATE VIEW credits_internal.usage_record_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH summaries AS (
    SELECT s.*, 'usage ' || s.usage_record_summary_id AS subject, p.currency, p.unit_amount, p.pricing, f.decimals,
           lag(s.period_end) OVER w AS last_end, lag(s.summary_no) OVER w AS last_no,
           c.records AS closed_records, c.amount AS closed_amount, c.most_used
    FROM credits_internal.usage_record_summaries s
    LEFT JOIN credits_internal.prices p ON p.price_id = s.price_id
    LEFT JOIN credits_internal.currencies f ON f.currency = p.currency
    LEFT JOIN (SELECT c.customer_id, c.usage_record_summary_id, max(c.records) AS records, sum(c.amount) AS amount,
                      max(c.usage) AS most_used
               FROM credits_internal.usage_closings c GROUP BY 1, 2) c
           ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
    WINDOW w AS (PARTITION BY s.customer_id, s.subscription_item_id ORDER BY s.summary_no)
), states AS (
    SELECT s.customer_id, s.usage_record_summary_id, s.records, s.usage FROM credits_internal.usage_record_summaries s
    UNION
    SELECT c.customer_id, c.usage_record_summary_id, c.records, c.usage FROM credits_internal.usage_closings c
), moments AS (
    SELECT DISTINCT ON (t.customer_id, t.usage_record_summary_id, t.records, t.usage, r.used_at)
           t.customer_id, t.usage_record_summary_id, t.records, t.usage, r.used_at, r.value
    FROM states t
    JOIN credits_internal.usage_records r
      ON r.customer_id = t.customer_id AND r.usage_record_summary_id = t.usage_record_summary_id
     AND r.record_no <= t.records
    ORDER BY t.customer_id, t.usage_record_summary_id, t.records, t.usage, r.used_at, r.record_no DESC
), counted AS (
    SELECT m.customer_id, m.usage_record_summary_id, m.records, m.usage, sum(m.value) AS sum, max(m.value) AS max,
           (array_agg(m.value ORDER BY m.used_at DESC))[1] AS last
    FROM moments m GROUP BY 1, 2, 3, 4
)
SELECT 'usage: what was counted by then is not what was recorded' AS problem, s.customer_id, s.currency,
       s.subject || ', ' || c.records || ' records' AS subject,
       CASE s.aggregate_usage WHEN 'sum' THEN c.sum WHEN 'max' THEN c.max ELSE c.last END AS expected, c.usage AS found
FROM counted c
JOIN summaries s ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
WHERE c.usage <> CASE s.aggregate_usage WHEN 'sum' THEN c.sum WHEN 'max' THEN c.max ELSE c.last END
UNION ALL
SELECT 'usage: its last value is not that of its last record', s.customer_id, s.currency, s.subject, r.value,
       s.last_value
FROM summaries s
LEFT JOIN LATERAL (
    SELECT r.used_at, r.value FROM credits_internal.usage_record_summaries o
    JOIN credits_internal.usage_records r
      ON r.customer_id = o.customer_id AND r.usage_record_summary_id = o.usage_record_summary_id
    WHERE o.customer_id = s.customer_id AND o.subscription_item_id = s.subscription_item_id
      AND o.summary_no <= s.summary_no
    ORDER BY o.summary_no DESC, r.used_at DESC, r.record_no DESC LIMIT 1) r ON true
WHERE s.event_name IS NULL
  AND ((s.last_at, s.last_value) IS DISTINCT FROM (r.used_at, r.value)
       OR s.usage <> CASE s.aggregate_usage WHEN 'last_ever' THEN coalesce(r.value, 0) ELSE s.usage END
       OR (s.records = 0 AND s.aggregate_usage <> 'last_ever' AND s.usage <> 0))
UNION ALL
SELECT 'usage: a record is not in its period, or not counted', coalesce(s.customer_id, r.customer_id), s.currency,
       coalesce(s.subject, 'usage ' || r.usage_record_summary_id), r.records, s.records
FROM summaries s
FULL JOIN (
    SELECT r.customer_id, r.usage_record_summary_id, count(*) AS records, max(r.record_no) AS last_no,
           min(r.used_at) AS first_at, max(r.used_at) AS last_at,
           bool_and(r.value = r.quantity + CASE r.action WHEN 'set' THEN 0 ELSE coalesce(r.before, 0) END) AS adds_up
    FROM (SELECT r.*, lag(r.value) OVER w AS before FROM credits_internal.usage_records r
          WINDOW w AS (PARTITION BY r.customer_id, r.usage_record_summary_id, r.used_at ORDER BY r.record_no)) r
    GROUP BY 1, 2) r
       ON r.customer_id = s.customer_id AND r.usage_record_summary_id = s.usage_record_summary_id
WHERE ((s.records, s.records) IS DISTINCT FROM (coalesce(r.records, 0)::int, coalesce(r.last_no, 0))
       AND (s.event_name IS NULL OR r.records > 0))
   OR NOT r.adds_up OR r.first_at < s.period_start OR r.last_at > s.period_end
UNION ALL
SELECT 'usage: periods of an item overlap, or are not numbered', s.customer_id, s.currency, s.subject,
       coalesce(s.last_no, 0) + 1, s.summary_no
FROM summaries s
WHERE s.period_start < s.last_end OR s.summary_no <> coalesce(s.last_no, 0) + 1
UNION ALL
SELECT 'usage: what was invoiced is not what it cost', s.customer_id, s.currency, s.subject, s.closed_amount,
       s.invoiced_amount
FROM summaries s
WHERE s.invoiced_amount <> coalesce(s.closed_amount, 0)
   -- What is priced by the unit, in a whole period or where the unit is used up.
   OR (NOT s.free AND s.unit_amount IS NOT NULL AND s.pricing IS NULL AND s.closed_amount IS NOT NULL
       AND (s.aggregate_usage = 'sum' OR (s.period_start, s.period_end) = (s.whole_start, s.whole_end))
       AND s.closed_amount <> round(s.unit_amount * s.most_used, s.decimals))
UNION ALL
SELECT 'usage: it was recorded and will not be invoiced', s.customer_id, s.currency, s.subject, s.records,
       s.closed_records
FROM summaries s
WHERE s.closes_at IS NULL AND s.closed_records IS DISTINCT FROM s.records
UNION ALL
SELECT 'usage: its line is missing, another''s, or there twice', c.customer_id, l.currency,
       'usage ' || c.usage_record_summary_id || ', closing ' || c.closing_no, c.amount, l.amount
FROM credits_internal.usage_closings c
LEFT JOIN credits_internal.usage_record_summaries s
       ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
LEFT JOIN credits_internal.invoice_lines l ON l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id
WHERE s.customer_id IS NULL OR (c.invoice_line_id IS NULL AND c.amount <> 0)
   OR (c.invoice_line_id IS NOT NULL
       AND ((l.amount, l.subscription_item_id) IS DISTINCT FROM (c.amount, s.subscription_item_id)
            OR l.invoice_id IS NULL
            OR EXISTS (SELECT FROM credits_internal.usage_closings o
                       WHERE o.customer_id = c.customer_id AND o.invoice_line_id = c.invoice_line_id
                         AND (o.usage_record_summary_id, o.closing_no) <> (c.usage_record_summary_id, c.closing_no))))
UNION ALL
SELECT 'usage: its subscription closes it at another moment', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
LEFT JOIN (SELECT o.customer_id, o.subscription_id, min(o.closes_at) AS closes_at
           FROM credits_internal.usage_record_summaries o GROUP BY 1, 2) o
       ON o.customer_id = s.customer_id AND o.subscription_id = s.subscription_id
WHERE s.usage_closes_at IS DISTINCT FROM o.closes_at
UNION ALL
SELECT 'usage: a metered item is not counted in its period', s.customer_id, s.currency,
       'item ' || m.subscription_item_id, NULL, NULL
FROM credits_internal.subscriptions s
JOIN credits_internal.subscription_items m
  ON m.customer_id = s.customer_id AND m.subscription_id = s.subscription_id AND m.removed_at IS NULL
WHERE m.quantity IS NULL AND s.ended_at IS NULL
  AND NOT EXISTS (
      SELECT FROM credits_internal.usage_record_summaries o
      WHERE o.customer_id = s.customer_id AND o.subscription_item_id = m.subscription_item_id
        AND o.price_id = m.price_id AND o.period_end = s.current_period_end)
  -- What a meter charges to the wallet is not counted.
  AND NOT EXISTS (SELECT FROM credits_internal.prices p
                  JOIN credits_internal.meters t ON t.event_name = p.recurring ->> 'meter'
                  WHERE p.price_id = m.price_id AND t.settlement <> 'invoice');
COMMENT ON VIEW credits_internal.usage_record_discrepancies IS
'Usage of metered items that is counted or invoiced otherwise than it must be: no rows when all is sound. Ask
verify().';

-- Events of meters that are invoiced: each is taken once, by the period in which it happened, and what a period
-- invoices is what its events come to.
CREATE VIEW credits_internal.invoiced_event_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH metered AS (
    SELECT s.*, 'usage ' || s.usage_record_summary_id AS subject, m.aggregation, p.currency,
           p.unit_amount IS NULL AND p.pricing IS NULL AS asks_meter
    FROM credits_internal.usage_record_summaries s
    LEFT JOIN credits_internal.meters m ON m.event_name = s.event_name AND m.settlement = 'invoice'
    LEFT JOIN credits_internal.prices p ON p.price_id = s.price_id
    WHERE s.event_name IS NOT NULL
), closings AS (
    SELECT c.customer_id, c.usage_record_summary_id, c.closing_no, c.records, c.usage, c.invoice_line_id, c.amount
    FROM credits_internal.usage_closings c
    JOIN metered s ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
    UNION ALL
    -- As it stands.
    SELECT s.customer_id, s.usage_record_summary_id, NULL, s.records, s.usage, NULL, NULL FROM metered s
), counted AS (
    SELECT c.customer_id, c.usage_record_summary_id, c.closing_no, c.records, c.usage, count(e.identifier) AS events,
           sum(e.quantity) AS sum, max(e.quantity) AS max, count(DISTINCT e.counted) AS values,
           (array_agg(e.quantity ORDER BY e.occurred_at DESC, e.closing_no DESC, e.created_at DESC,
                                          e.identifier DESC))[1] AS last
    FROM closings c
    LEFT JOIN credits_internal.invoiced_events e
           ON e.customer_id = c.customer_id AND e.usage_record_summary_id = c.usage_record_summary_id
          AND (c.closing_no IS NULL OR e.closing_no <= c.closing_no)
    GROUP BY 1, 2, 3, 4, 5
)
SELECT 'invoiced event: it is charged, taken back, or not what its event says' AS problem, e.customer_id, e.currency,
       'event ' || e.identifier AS subject, e.value AS expected, i.quantity AS found
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.settlement = 'invoice'
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN credits_internal.invoiced_events i ON i.customer_id = e.customer_id AND i.identifier = e.identifier
WHERE (e.consumed, e.pending, e.price_version) <> (0, 0, 0)
   OR (i.identifier IS NULL) <> (x.identifier IS NOT NULL)
   OR (i.event_name, i.occurred_at, i.created_at) <> (e.event_name, e.occurred_at, e.created_at)
   OR i.quantity <> CASE WHEN m.aggregation IN ('count', 'unique') THEN 1 ELSE e.value END
   OR (i.identifier IS NOT NULL AND (i.counted IS NULL) = (m.aggregation = 'unique'))
UNION ALL
SELECT 'invoiced event: no such event of a meter that is invoiced', i.customer_id, NULL, 'event ' || i.identifier, NULL,
       i.quantity
FROM credits_internal.invoiced_events i
LEFT JOIN credits_internal.meter_events e ON e.customer_id = i.customer_id AND e.identifier = i.identifier
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name
WHERE m.settlement IS DISTINCT FROM 'invoice'
UNION ALL
SELECT 'invoiced event: what took it is not the period in which it happened', i.customer_id, s.currency,
       'event ' || i.identifier, NULL, i.quantity
FROM credits_internal.invoiced_events i
LEFT JOIN metered s ON s.customer_id = i.customer_id AND s.usage_record_summary_id = i.usage_record_summary_id
WHERE i.usage_record_summary_id IS NOT NULL
  AND (s.event_name = i.event_name AND i.occurred_at >= s.period_start AND i.occurred_at < s.period_end) IS NOT TRUE
UNION ALL
-- What was invoiced then, and what it comes to now.
SELECT 'usage: it is not what its events come to', c.customer_id, s.currency,
       s.subject || coalesce(', closing ' || c.closing_no, ''),
       CASE WHEN s.aggregation = 'unique' THEN c.values WHEN s.aggregate_usage = 'sum' THEN coalesce(c.sum, 0)
            WHEN s.aggregate_usage = 'max' THEN coalesce(c.max, 0) ELSE coalesce(c.last, 0) END, c.usage
FROM counted c
JOIN metered s ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
WHERE s.aggregation IS NULL OR c.events <> c.records
   OR c.usage <> CASE WHEN s.aggregation = 'unique' THEN c.values WHEN s.aggregate_usage = 'sum' THEN coalesce(c.sum, 0)
                      WHEN s.aggregate_usage = 'max' THEN coalesce(c.max, 0) ELSE coalesce(c.last, 0) END
UNION ALL
SELECT 'usage: its lines are not for what was used', s.customer_id, s.currency, s.subject, c.usage, c.quantity
FROM metered s
JOIN (SELECT c.customer_id, c.usage_record_summary_id, max(c.usage) AS usage, coalesce(sum(l.quantity), 0) AS quantity
      FROM closings c
      LEFT JOIN credits_internal.invoice_lines l
             ON l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id
      WHERE c.closing_no IS NOT NULL GROUP BY 1, 2) c
  ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
WHERE NOT s.free AND c.quantity <> c.usage
UNION ALL
-- At its meter's own price of the time when it began, where it was invoiced once, and is no part of how much there is.
SELECT 'usage: it is not invoiced at the price of its meter', s.customer_id, s.currency, s.subject, x.price, c.amount
FROM metered s
JOIN closings c ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
               AND c.closing_no = 1
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.aggregation IS NOT NULL
                THEN credits.usage_price(s.event_name, c.usage, customer_id => s.customer_id,
                                         occurred_at => s.period_start) END AS price) x
WHERE s.asks_meter AND NOT s.free AND x.price <> c.amount
  AND (s.aggregate_usage = 'sum' OR (s.period_start, s.period_end) = (s.whole_start, s.whole_end));
COMMENT ON VIEW credits_internal.invoiced_event_discrepancies IS
'Events of meters that are invoiced which are taken or counted otherwise than they must be: no rows when all is sound.
Ask verify().';
