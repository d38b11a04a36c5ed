-- The rules of verify() for usage: what an event was charged is what its lines took and what its price says; what a
-- period's usage costs is the price of what its events add up to. No FULL JOIN: what is asked about one customer would
-- not get through it, and all the others would be read.

CREATE VIEW credits_internal.usage_discrepancies AS
SELECT 'event: something is below zero' AS problem, e.customer_id, e.currency, 'event ' || e.identifier AS subject,
       0 AS expected, least(e.value, e.consumed, e.pending) AS found
FROM credits_internal.meter_events e
WHERE least(e.value, e.pending) < 0 OR (e.consumed < 0 AND e.period_key IS NULL)
UNION ALL
SELECT 'event: owes in no account', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0
  AND NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = e.customer_id
      AND a.currency = e.currency)
UNION ALL
SELECT 'event: no such meter', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.value
FROM credits_internal.meter_events e
WHERE NOT EXISTS (SELECT FROM credits_internal.meters m WHERE m.event_name = e.event_name AND m.currency = e.currency)
UNION ALL
SELECT 'event: no such price', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.price_version
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = e.customer_id AND o.event_name = e.event_name
                                            AND o.override_no = e.price_version / 65536
-- 0: it was imported with what it was charged elsewhere.
WHERE e.price_version <> 0
  AND CASE WHEN e.price_version < 65536 THEN p.version IS NULL
           -- A discount is one of a price, any other override takes its place.
           ELSE (o.discount_percent IS NOT NULL) IS DISTINCT FROM (p.version IS NOT NULL)
                OR o.override_no IS NULL OR (e.price_version % 65536 > 0 AND p.version IS NULL) END
UNION ALL
SELECT 'event: its price was not in force yet when it occurred', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL, e.price_version
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = e.customer_id AND o.event_name = e.event_name
                                            AND o.override_no = e.price_version / 65536
WHERE (p.version > 1 AND e.occurred_at < p.effective_at) OR e.occurred_at < o.effective_at
UNION ALL
SELECT 'event: owes and has no place in the order of payment', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL,
       e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0 AND NOT EXISTS (SELECT FROM credits_internal.event_debts d
                                    WHERE d.customer_id = e.customer_id AND d.identifier = e.identifier)
UNION ALL
SELECT 'event: has a place in the order of payment and owes nothing', d.customer_id, d.currency,
       'event ' || d.identifier, NULL,
       e.pending
FROM credits_internal.event_debts d
LEFT JOIN credits_internal.meter_events e ON e.customer_id = d.customer_id AND e.identifier = d.identifier
WHERE (e.pending > 0 AND e.currency = d.currency) IS NOT TRUE
UNION ALL
-- What an event was charged is what its lines took; nothing yet while it is unsettled.
SELECT 'event: consumed is not what its lines took', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.total, 0), e.consumed - coalesce(x.returned, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
                                   AND e.period_key IS NULL
LEFT JOIN (SELECT customer_id, identifier, currency, -sum(amount + coalesce(held, 0)) AS total
           FROM credits_internal.lines WHERE identifier IS NOT NULL GROUP BY 1, 2, 3) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier AND l.currency = e.currency
WHERE e.consumed - coalesce(x.returned, 0) <> coalesce(l.total, 0)
  AND NOT (l.total IS NULL AND EXISTS (
      SELECT FROM credits_internal.unsettled_events u
      WHERE u.customer_id = e.customer_id AND u.currency = e.currency AND u.created_at = e.created_at
        AND u.identifier = e.identifier))
UNION ALL
SELECT 'event: pending is not what its lines say', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.total, 0), e.pending
FROM credits_internal.meter_events e
LEFT JOIN (SELECT customer_id, identifier, sum(pending) AS total FROM credits_internal.lines
           WHERE identifier IS NOT NULL AND pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier
WHERE e.pending <> coalesce(l.total, 0)
UNION ALL
-- Where the lines of an event begin, a cancellation finds by time.
SELECT 'event: charged before it was reported', e.customer_id, e.currency, 'event ' || e.identifier, NULL, l.line_no
FROM credits_internal.lines l
JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
WHERE l.effective_at < e.created_at
UNION ALL
SELECT 'event: taken back and still charged', e.customer_id, e.currency, 'event ' || e.identifier, 0,
       e.consumed - x.returned + e.pending
FROM credits_internal.canceled_events x
JOIN credits_internal.meter_events e ON e.customer_id = x.customer_id AND e.identifier = x.identifier
WHERE e.period_key IS NULL AND (e.consumed <> x.returned OR e.pending <> 0)
UNION ALL
SELECT 'event: what came back is not what its lines say', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.returned, 0), coalesce(x.returned, 0) + coalesce(a.returned, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN (SELECT customer_id, identifier, sum(returned) AS returned FROM credits_internal.event_adjustments
           GROUP BY 1, 2) a
       ON a.customer_id = e.customer_id AND a.identifier = e.identifier
LEFT JOIN (SELECT customer_id, identifier, currency, sum(amount) AS returned FROM credits_internal.lines
           WHERE type = 'reversal' GROUP BY 1, 2, 3) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier AND l.currency = e.currency
WHERE CASE WHEN e.period_key IS NULL THEN coalesce(x.returned, 0) + coalesce(a.returned, 0) <> coalesce(l.returned, 0)
           ELSE x.returned < 0 END
UNION ALL
SELECT 'cancellation: no such event', x.customer_id, NULL, 'event ' || x.identifier, NULL, x.returned
FROM credits_internal.canceled_events x
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_events e WHERE e.customer_id = x.customer_id
    AND e.identifier = x.identifier)
UNION ALL
-- An event that is priced by itself costs what its price says: by a unit price worked out here, by any other asked for.
SELECT 'event: credits are not its price', e.customer_id, e.currency, 'event ' || e.identifier, x.price,
       e.consumed + e.pending + coalesce(f.covered, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.event_fallbacks f ON f.customer_id = e.customer_id AND f.identifier = e.identifier
JOIN credits_internal.meters m ON m.event_name = e.event_name
JOIN credits_internal.currencies c ON c.currency = m.currency
LEFT JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = e.customer_id AND o.event_name = e.event_name
                                            AND o.override_no = e.price_version / 65536
CROSS JOIN LATERAL (SELECT CASE m.aggregation WHEN 'count' THEN 1 ELSE e.value END AS quantity) q
CROSS JOIN LATERAL (
    SELECT CASE WHEN coalesce(p.pricing, o.pricing) IS NULL
                THEN trim_scale(round(q.quantity * coalesce(p.unit_price, o.unit_price)
                                      * (100 - coalesce(o.discount_percent, 0)) * 0.01, c.decimals))
                WHEN coalesce(p.version, o.override_no) IS NOT NULL
                THEN credits.usage_price(m.event_name, q.quantity, e.metadata, p.version, NULL,
                                         e.customer_id, NULL, o.override_no) END AS price) x
WHERE e.period_key IS NULL AND e.consumed + e.pending + coalesce(f.covered, 0) <> x.price
  AND NOT EXISTS (SELECT FROM credits_internal.canceled_events b
                  WHERE b.customer_id = e.customer_id AND b.identifier = e.identifier)
UNION ALL
-- What a second currency paid: at its rate, in that currency's lines, and back if the event was taken back.
SELECT 'fallback: it is for no event, or not at its rate', f.customer_id, f.currency, 'event ' || f.identifier,
       round(f.covered * f.rate, c.decimals), f.amount
FROM credits_internal.event_fallbacks f
LEFT JOIN credits_internal.currencies c ON c.currency = f.currency
LEFT JOIN credits_internal.meter_events e ON e.customer_id = f.customer_id AND e.identifier = f.identifier
WHERE (f.covered > 0 AND f.amount = round(f.covered * f.rate, c.decimals) AND e.currency <> f.currency
       AND e.period_key IS NULL) IS NOT TRUE
UNION ALL
SELECT 'fallback: what it paid is not what its lines took', f.customer_id, f.currency, 'event ' || f.identifier,
       CASE WHEN x.identifier IS NULL THEN f.amount ELSE 0 END, coalesce(l.total, 0)
FROM credits_internal.event_fallbacks f
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = f.customer_id AND x.identifier = f.identifier
LEFT JOIN (SELECT customer_id, identifier, currency, -sum(amount) AS total FROM credits_internal.lines
           WHERE identifier IS NOT NULL GROUP BY 1, 2, 3) l
       ON l.customer_id = f.customer_id AND l.identifier = f.identifier AND l.currency = f.currency
WHERE coalesce(l.total, 0) <> CASE WHEN x.identifier IS NULL THEN f.amount ELSE 0 END
UNION ALL
-- On the calendar in UTC an event's period is worked out here. Other calendars may have changed since it was reported,
-- as may the rules of time zones: its period is one that it is in. Where midnight comes twice, the second begins it.
SELECT 'event: it is in no period, or in one that is not its own', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL, e.value
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name
LEFT JOIN credits_internal.usage_periods u ON u.customer_id = e.customer_id AND u.event_name = e.event_name
                                 AND u.period_key = e.period_key
WHERE CASE WHEN e.period_key IS NULL THEN m.aggregation IN ('last', 'max', 'unique') AND e.price_version <> 0
           ELSE (CASE WHEN u.period_end IS NULL
                      THEN u.period_start = coalesce(date_trunc(m.period, e.occurred_at, 'UTC'), '-infinity')
                           AND m.time_zone IS NULL AND m.period_from = 'meter'
                      ELSE e.occurred_at >= u.period_start
                                            - CASE WHEN m.time_zone IS NULL AND m.period_from = 'billing_date'
                                                   THEN interval '0' ELSE interval '1 day' END
                           AND e.occurred_at < u.period_end AND u.period_end > u.period_start
                           AND u.period_end < u.period_start + ('1 ' || m.period)::interval + interval '5 days'
                           AND (m.time_zone IS NOT NULL OR m.period_from <> 'meter') END
                 AND split_part(e.period_key, ' ', 1)
                     = CASE WHEN m.period IS NULL THEN 'always'
                            WHEN u.period_start <> date_trunc(m.period, u.period_start, 'UTC')
                            THEN rtrim(rtrim(to_char(u.period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                                             '0'), '.') || 'Z'
                            ELSE to_char(u.period_start AT TIME ZONE 'UTC',
                                         CASE m.period WHEN 'day' THEN 'YYYY-MM-DD' WHEN 'week' THEN 'IYYY-"W"IW'
                                                       WHEN 'year' THEN 'YYYY' ELSE 'YYYY-MM' END) END
                 AND split_part(e.period_key, ' ', 2)
                     = CASE WHEN m.aggregation IN ('last', 'max') THEN ''
                            -- Events of one value are where the first of them is.
                            WHEN m.aggregation = 'unique'
                            THEN concat('v' || nullif(u.price_version % 65536, 0),
                                        'o' || nullif(u.price_version / 65536, 0))
                            ELSE concat('v' || nullif(e.price_version % 65536, 0),
                                        'o' || nullif(e.price_version / 65536, 0))
                       END) IS NOT TRUE END
UNION ALL
-- Deferred events that wait.
SELECT 'unsettled: its event says something else', u.customer_id, u.currency, 'event ' || u.identifier, e.consumed,
       u.cost
FROM credits_internal.unsettled_events u
LEFT JOIN credits_internal.meter_events e ON e.customer_id = u.customer_id AND e.identifier = u.identifier
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = u.customer_id AND x.identifier = u.identifier
WHERE (e.currency, e.event_name, e.created_at, e.consumed, e.pending, x.identifier IS NULL)
      IS DISTINCT FROM (u.currency, u.event_name, u.created_at, u.cost, 0, true)
UNION ALL
SELECT 'unsettled: no such account, or one that does not know of it', u.customer_id, u.currency,
       'event ' || u.identifier,
       NULL, u.cost
FROM credits_internal.unsettled_events u
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a
                  WHERE a.customer_id = u.customer_id AND a.currency = u.currency AND a.defers)
UNION ALL
-- Usage that is priced as one costs the price of what its events add up to, and its events were charged as much.
SELECT 'period: credits are not what its events consumed and owe', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, coalesce(e.credits, 0), u.credits
FROM credits_internal.usage_periods u
LEFT JOIN (SELECT customer_id, event_name, period_key, sum(consumed + pending) AS credits
           FROM credits_internal.meter_events WHERE period_key IS NOT NULL GROUP BY 1, 2, 3) e
       ON e.customer_id = u.customer_id AND e.event_name = u.event_name AND e.period_key = u.period_key
WHERE u.credits <> coalesce(e.credits, 0)
UNION ALL
SELECT 'period: credits are not the price of its quantity', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, x.price, u.credits
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name
JOIN credits_internal.currencies c ON c.currency = m.currency
LEFT JOIN credits_internal.meter_prices p ON p.event_name = u.event_name AND p.version = u.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = u.customer_id AND o.event_name = u.event_name
                                            AND o.override_no = u.price_version / 65536
CROSS JOIN LATERAL (
    SELECT CASE WHEN coalesce(p.version, o.override_no) IS NOT NULL
                THEN credits.usage_price(m.event_name, u.carried + u.quantity, NULL, p.version, u.price_class,
                                         u.customer_id, NULL, o.override_no)
                     - CASE WHEN u.carried = 0 THEN 0
                            ELSE credits.usage_price(m.event_name, u.carried, NULL, p.version, u.price_class,
                                                     u.customer_id, NULL, o.override_no) END END AS price) x
WHERE u.credits IS DISTINCT FROM x.price
UNION ALL
SELECT 'period: its events do not add up to what it says', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key,
       CASE m.aggregation WHEN 'sum' THEN e.total WHEN 'count' THEN e.events WHEN 'max' THEN e.highest
                          WHEN 'unique' THEN v.values ELSE e.last END,
       u.quantity
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name
LEFT JOIN (SELECT e.customer_id, e.event_name, e.period_key, count(*) AS all_events,
                  count(*) FILTER (WHERE x.identifier IS NULL) AS events,
                  sum(e.value) FILTER (WHERE x.identifier IS NULL) AS total,
                  max(e.value) FILTER (WHERE x.identifier IS NULL) AS highest,
                  (array_agg(e.value ORDER BY e.occurred_at DESC, r.event_no DESC)
                       FILTER (WHERE x.identifier IS NULL))[1] AS last
           FROM credits_internal.meter_events e
           LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
           LEFT JOIN credits_internal.usage_ranks r
                  ON r.customer_id = e.customer_id AND r.event_name = e.event_name AND r.period_key = e.period_key
                 AND r.identifier = e.identifier
           WHERE e.period_key IS NOT NULL GROUP BY 1, 2, 3) e
       ON e.customer_id = u.customer_id AND e.event_name = u.event_name AND e.period_key = u.period_key
LEFT JOIN (SELECT customer_id, event_name, period_key, count(*) AS values FROM credits_internal.usage_values
           GROUP BY 1, 2, 3) v
       ON v.customer_id = u.customer_id AND v.event_name = u.event_name AND v.period_key = u.period_key
WHERE (u.event_count, u.last_no, u.quantity)
      IS DISTINCT FROM (e.events, e.all_events,
                        coalesce(CASE m.aggregation WHEN 'sum' THEN e.total WHEN 'count' THEN e.events
                                                    WHEN 'max' THEN e.highest WHEN 'unique' THEN v.values
                                                    ELSE e.last END, 0))
UNION ALL
-- The event that counts is the first in rank, and those that are not taken back are ranked.
SELECT 'period: another event counts than the first in rank', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, r.event_no, u.counted_no
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name AND m.aggregation IN ('last', 'max')
LEFT JOIN (SELECT DISTINCT ON (r.customer_id, r.event_name, r.period_key)
                  r.customer_id, r.event_name, r.period_key, r.event_no, e.occurred_at, e.price_version
           FROM credits_internal.usage_ranks r
           JOIN credits_internal.meters m ON m.event_name = r.event_name
           JOIN credits_internal.meter_events e ON e.customer_id = r.customer_id AND e.identifier = r.identifier
           ORDER BY r.customer_id, r.event_name, r.period_key, r.rank DESC,
                    CASE m.aggregation WHEN 'last' THEN -r.event_no ELSE r.event_no END) r
       ON r.customer_id = u.customer_id AND r.event_name = u.event_name AND r.period_key = u.period_key
WHERE (u.counted_no, u.counted_at, CASE WHEN u.counted_no IS NOT NULL THEN u.price_version END)
      IS DISTINCT FROM (r.event_no, r.occurred_at, r.price_version)
UNION ALL
SELECT 'event: its rank is not what it should be', e.customer_id, e.currency, 'event ' || e.identifier, x.rank, r.rank
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.aggregation IN ('last', 'max')
CROSS JOIN LATERAL (SELECT CASE m.aggregation
                           WHEN 'max' THEN e.value
                           ELSE extract(epoch FROM e.occurred_at) - extract(epoch FROM timestamptz '2000-01-01 UTC')
                           END AS rank) x
LEFT JOIN credits_internal.usage_ranks r ON r.customer_id = e.customer_id AND r.event_name = e.event_name
                               AND r.period_key = e.period_key AND r.identifier = e.identifier
WHERE x.rank IS DISTINCT FROM r.rank AND e.price_version <> 0
  AND NOT EXISTS (SELECT FROM credits_internal.canceled_events b
                  WHERE b.customer_id = e.customer_id AND b.identifier = e.identifier)
UNION ALL
SELECT 'rank: no event that counts', r.customer_id, NULL, 'event ' || r.identifier, NULL, r.rank
FROM credits_internal.usage_ranks r
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_events e
                  JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.aggregation IN ('last', 'max')
                  WHERE e.customer_id = r.customer_id AND e.identifier = r.identifier AND e.event_name = r.event_name
                    AND e.period_key = r.period_key)
   OR EXISTS (SELECT FROM credits_internal.canceled_events b
              WHERE b.customer_id = r.customer_id AND b.identifier = r.identifier)
UNION ALL
-- What grants paid for it and did not get back is known line by line.
SELECT 'period: its draws are not what grants paid', l.customer_id, l.currency,
       'period ' || l.event_name || ' ' || l.period_key || ', grant ' || l.grant_id, l.amount, coalesce(d.amount, 0)
FROM (SELECT e.customer_id, e.event_name, e.period_key, e.currency, l.grant_id,
             -sum(l.amount + coalesce(l.held, 0)) AS amount
      FROM credits_internal.meter_events e
      JOIN credits_internal.lines l ON l.customer_id = e.customer_id AND l.identifier = e.identifier
      WHERE e.period_key IS NOT NULL AND l.grant_id IS NOT NULL
      GROUP BY 1, 2, 3, 4, 5) l
LEFT JOIN (SELECT customer_id, event_name, period_key, grant_id, sum(amount) AS amount
           FROM credits_internal.usage_draws GROUP BY 1, 2, 3, 4) d
       ON d.customer_id = l.customer_id AND d.event_name = l.event_name AND d.period_key = l.period_key
      AND d.grant_id = l.grant_id
WHERE l.amount <> coalesce(d.amount, 0)
UNION ALL
SELECT 'draw: its line took less, by another grant or for other usage', d.customer_id, l.currency, 'line ' || d.line_no,
       -l.amount - coalesce(l.held, 0), d.amount
FROM credits_internal.usage_draws d
LEFT JOIN credits_internal.usage_periods u ON u.customer_id = d.customer_id AND u.event_name = d.event_name
                                 AND u.period_key = d.period_key
LEFT JOIN credits_internal.lines l ON l.customer_id = d.customer_id AND l.currency = u.currency
                                       AND l.line_no = d.line_no
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
WHERE (d.amount > 0 AND d.amount <= -l.amount - coalesce(l.held, 0) AND d.grant_id = l.grant_id
       AND l.type IN ('consumption', 'capture') AND e.event_name = d.event_name
       AND e.period_key = d.period_key) IS NOT TRUE;
COMMENT ON VIEW credits_internal.usage_discrepancies IS
'Usage that does not agree with its price or its lines: no rows when all is sound. Ask verify().';
