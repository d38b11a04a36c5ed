-- The rules of verify() for billing events: each object's are numbered without gaps, from the oldest that is kept.

CREATE VIEW credits_internal.event_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'billing events: their numbers have a gap', e.customer_id, NULL, e.object_type || ' ' || e.object_id,
       c.last_seq - e.first_seq + 1, e.kept
FROM (SELECT e.customer_id, e.object_type, e.object_id, count(*) AS kept, min(e.object_seq) AS first_seq,
             max(e.object_seq) AS last_seq
      FROM credits_internal.billing_events e GROUP BY 1, 2, 3) e
LEFT JOIN credits_internal.billing_event_counters c ON c.object_type = e.object_type AND c.object_id = e.object_id
WHERE (c.last_seq, e.kept) IS DISTINCT FROM (e.last_seq, e.last_seq - e.first_seq + 1);
COMMENT ON VIEW credits_internal.event_discrepancies IS
'Billing events whose numbers have a gap: no rows when all is sound. Ask verify().';
