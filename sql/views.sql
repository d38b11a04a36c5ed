-- The public read side: what applications, reports and people read instead of the tables. wallets and grants are right at
-- the moment of reading; the ledger shows what is posted.

CREATE FUNCTION credits.due_grants(customer_id text, currency text)
RETURNS TABLE (grant_id uuid, status text, remaining numeric, lapsed numeric)
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_grants_wrapper';
COMMENT ON FUNCTION credits.due_grants IS
'An account''s grants that time has changed and nothing has posted yet, as they stand now: for the view grants. Writes nothing. Raises PC013.';

-- Only accounts in which something is to change cost a call (OFFSET 0 keeps the condition before the call); of the others
-- the row is right as it is.
CREATE VIEW credits.wallets AS
SELECT a.customer_id, a.currency, coalesce(n.available, a.available) + coalesce(n.restricted, a.restricted) AS balance,
       coalesce(n.available, a.available) AS available, coalesce(n.restricted, a.restricted) AS restricted,
       coalesce(n.held, a.held) AS held, coalesce(n.pending, a.pending) AS pending, n.next_expiry_at, n.next_expiry_amount,
       nullif(a.overdraft_limit, 'infinity') AS overdraft_limit,
       nullif(a.low_balance_threshold, 0) AS low_balance_threshold,
       coalesce(n.available, a.available) < a.low_balance_threshold AS is_low,
       a.created_at
FROM credits.accounts a
LEFT JOIN LATERAL (SELECT b.available, b.restricted, b.held, b.pending, b.next_expiry_at, b.next_expiry_amount
                   FROM credits.wallet_balance(a.customer_id, a.currency) b
                   WHERE a.next_change_at < 'infinity' OFFSET 0) n ON true;
COMMENT ON VIEW credits.wallets IS
'Accounts at this moment, one a customer and currency: balance (available and restricted), held, pending, what expires next, the limits set by account_configure (NULL for none), and whether available is below low_balance_threshold.';

CREATE VIEW credits.grants AS
SELECT g.customer_id, g.grant_id, g.currency, g.category, g.name, coalesce(d.status, g.status) AS status, g.amount,
       n.remaining, coalesce(h.held, 0) AS held, g.amount - n.remaining - coalesce(h.held, 0) - n.lapsed AS consumed,
       n.lapsed, g.priority, g.effective_at, nullif(g.expires_at, 'infinity') AS expires_at, g.ended_at, g.ended_reason,
       g.applicable_meters, g.cost_basis, g.granted_by, g.transferred_from, g.metadata, g.created_at
FROM credits.credit_grants g
JOIN credits.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
LEFT JOIN (SELECT x.customer_id, c.grant_id, c.status, c.remaining, c.lapsed
           FROM credits.accounts x CROSS JOIN LATERAL credits.due_grants(x.customer_id, x.currency) c
           WHERE x.next_change_at <= credits.clock()) d
       ON d.customer_id = g.customer_id AND d.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' AND o.expires_at > credits.clock()
           GROUP BY o.customer_id, p.grant_id) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT coalesce(d.remaining, CASE WHEN a.head_grant_id = g.grant_id THEN a.head_remaining ELSE g.remaining END)
               AS remaining,
           coalesce(d.lapsed, g.lapsed) AS lapsed) n;
COMMENT ON VIEW credits.grants IS
'Credit grants at this moment: amount is what was granted; remaining can be drawn on (from effective_at), held is set aside, lapsed expired or was voided, consumed is the rest: spent, transferred or corrected. ended_at: when it was voided or expired by hand. transferred_from: the customer that the credits came from.';

CREATE VIEW credits.open_holds AS
SELECT h.customer_id, h.hold_id, h.currency, h.amount, h.description, h.metadata, h.created_at, h.expires_at
FROM credits.holds h WHERE h.status = 'open' AND h.expires_at > credits.clock();
COMMENT ON VIEW credits.open_holds IS
'Holds that are open at this moment: what is set aside, for what, and until when. Those that were captured or released are in the ledger.';

CREATE FUNCTION credits.due_events(customer_id text, currency text)
RETURNS TABLE (identifier text, consumed numeric, pending numeric)
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_events_wrapper';
COMMENT ON FUNCTION credits.due_events IS
'An account''s events whose pending usage was paid by what time brought and nothing has posted yet: for the view usage. Writes nothing. Raises PC013.';

CREATE VIEW credits.usage AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, m.unit, e.value AS quantity,
       e.consumed + e.pending AS credits, n.consumed, n.pending,
       CASE WHEN e.canceled_at IS NOT NULL THEN 'canceled' WHEN n.pending > 0 THEN 'pending' ELSE 'processed' END AS status,
       e.canceled_at, e.cancel_reason, e.returned,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at
FROM credits.meter_events e
LEFT JOIN credits.meters m ON m.event_name = e.event_name
LEFT JOIN (SELECT x.customer_id, c.identifier, c.consumed, c.pending
           FROM credits.accounts x CROSS JOIN LATERAL credits.due_events(x.customer_id, x.currency) c
           WHERE x.next_change_at <= credits.clock() AND x.pending > 0) d
       ON d.customer_id = e.customer_id AND d.identifier = e.identifier
CROSS JOIN LATERAL (SELECT coalesce(d.consumed, e.consumed) AS consumed, coalesce(d.pending, e.pending) AS pending) n;
COMMENT ON VIEW credits.usage IS
'Meter events at this moment: quantity in the meter''s unit, the credits that it cost, consumed of them paid, pending owed. status: ''processed'', ''pending'' while something is owed, or ''canceled'': taken back, with the credits that were returned.';

CREATE VIEW credits.ledger AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, coalesce(l.held, 0) AS held,
       coalesce(l.pending, 0) AS pending, l.grant_id, g.name AS grant_name, g.category, l.operation_id, o.function,
       o.reason, o.counterparty, o.idempotency_key, l.identifier, e.event_name, m.unit, e.value AS quantity,
       coalesce(h.capture_description, o.description) AS description,
       coalesce(h.capture_metadata, o.metadata, e.metadata) AS metadata, l.effective_at, l.created_at
FROM credits.credit_transactions l
LEFT JOIN credits.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits.operations o ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id
LEFT JOIN credits.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id AND l.type = 'capture'
LEFT JOIN credits.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits.meters m ON m.event_name = e.event_name;
COMMENT ON VIEW credits.ledger IS
'Ledger lines as posted, with what they are about. amount: what a line did to the balance; held, pending: to the credits held and the usage owed. The operation of a hold''s lines is the hold; a capture''s description and metadata are those of hold_capture where it was given any. Month-end runs CALL maintain() first.';

COMMENT ON COLUMN credits.ledger.type IS
'''grant'' (credits took effect), ''consumption'' (usage was paid), ''debit'', ''debt'' (usage that no credit covered), ''reversal'' (usage was taken back), ''hold'', ''capture'' (held credits were spent), ''release'' (they came back), ''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund''.';
