-- The rules of verify() for billing events: each object's are numbered without gaps, from the oldest that is kept. And
-- for their deliveries: of each object one at a time is under way to an endpoint, and those that wait do so for one
-- before.

CREATE VIEW credits_internal.event_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'billing events: their numbers have a gap', e.customer_id, NULL, e.object_type || ' ' || e.object_id,
       c.last_seq - e.first_seq + 1, e.kept
FROM (SELECT e.customer_id, e.object_type, e.object_id, count(*) AS kept, min(e.object_seq) AS first_seq,
             max(e.object_seq) AS last_seq
      FROM credits_internal.billing_events e GROUP BY 1, 2, 3) e
LEFT JOIN credits_internal.billing_event_counters c ON c.object_type = e.object_type AND c.object_id = e.object_id
WHERE (c.last_seq, e.kept) IS DISTINCT FROM (e.last_seq, e.last_seq - e.first_seq + 1)
UNION ALL
SELECT 'webhook deliveries: events of one object are under way at once', NULL, NULL,
       'webhook endpoint ' || d.webhook_endpoint_id || ', ' || d.object_type || ' ' || d.object_id, 1, count(*)
FROM credits_internal.webhook_deliveries d
WHERE d.in_order AND d.status IN ('due', 'sending')
GROUP BY d.webhook_endpoint_id, d.object_type, d.object_id
HAVING count(*) > 1
UNION ALL
SELECT 'webhook delivery: it waits for nothing', NULL, NULL,
       'webhook endpoint ' || d.webhook_endpoint_id || ', event ' || d.event_id, NULL, NULL
FROM credits_internal.webhook_deliveries d
WHERE d.status = 'waiting'
  AND NOT EXISTS (SELECT FROM credits_internal.webhook_deliveries b
                  WHERE b.webhook_endpoint_id = d.webhook_endpoint_id AND b.object_type = d.object_type
                    AND b.object_id = d.object_id AND b.object_seq < d.object_seq AND b.in_order
                    AND b.status IN ('due', 'sending'))
UNION ALL
SELECT 'webhook endpoint: it has no secret, and is sent nothing', NULL, NULL,
       'webhook endpoint ' || w.webhook_endpoint_id, NULL, NULL
FROM credits_internal.webhook_endpoints w
WHERE NOT EXISTS (SELECT FROM credits_internal.webhook_secrets s WHERE s.webhook_endpoint_id = w.webhook_endpoint_id)
   OR NOT EXISTS (SELECT FROM credits_internal.webhook_health h WHERE h.webhook_endpoint_id = w.webhook_endpoint_id)
UNION ALL
SELECT 'webhook delivery: no such endpoint', NULL, NULL, 'webhook endpoint ' || d.webhook_endpoint_id, NULL, count(*)
FROM credits_internal.webhook_deliveries d
WHERE NOT EXISTS (SELECT FROM credits_internal.webhook_endpoints w
                  WHERE w.webhook_endpoint_id = d.webhook_endpoint_id)
GROUP BY d.webhook_endpoint_id;
COMMENT ON VIEW credits_internal.event_discrepancies IS
'Billing events whose numbers have a gap, and deliveries that nobody will make: no rows when all is sound. Ask
verify().';
