-- The public read side: what applications, reports and people read instead of the tables. wallets and grants are right at
-- the moment of reading; the ledger shows what is posted.

-- Accounts whose rows are not the last word: time has changed something, or usage waits to be charged.
CREATE VIEW credits.unposted AS
SELECT a.customer_id, a.currency FROM credits.accounts a WHERE a.next_change_at <= credits.clock()
UNION
SELECT u.customer_id, u.currency FROM credits.unsettled_events u;
COMMENT ON VIEW credits.unposted IS 'Accounts in which something happened that nothing has posted yet. For the other views.';

CREATE FUNCTION credits.due_grants(customer_id text, currency text)
RETURNS TABLE (grant_id uuid, status text, remaining numeric, lapsed numeric)
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_grants_wrapper';
COMMENT ON FUNCTION credits.due_grants IS
'An account''s grants that time has changed and nothing has posted yet, as they stand now: for the view grants. Writes nothing. Raises PC013.';

-- Only accounts in which something is to change or usage waits cost a call (OFFSET 0 keeps the condition before the call);
-- of the others the row is right as it is.
CREATE VIEW credits.wallets AS
SELECT a.customer_id, a.currency, n.available + n.restricted AS balance, n.available, n.restricted, n.held, n.pending,
       n.next_expiry_at, n.next_expiry_amount,
       nullif(a.overdraft_limit, 'infinity') AS overdraft_limit,
       nullif(a.low_balance_threshold, 0) AS low_balance_threshold,
       n.available < a.low_balance_threshold AS is_low,
       a.created_at
FROM credits.accounts a
CROSS JOIN LATERAL (SELECT a.next_change_at < 'infinity' OR a.defers AS asked OFFSET 0) q
CROSS JOIN LATERAL (SELECT CASE WHEN q.asked THEN credits.balance_now(a.customer_id, a.currency, true) END AS now OFFSET 0) b
CROSS JOIN LATERAL (SELECT CASE WHEN q.asked THEN (b.now).available ELSE a.available END AS available,
                           CASE WHEN q.asked THEN (b.now).restricted ELSE a.restricted END AS restricted,
                           CASE WHEN q.asked THEN (b.now).held ELSE a.held END AS held,
                           CASE WHEN q.asked THEN (b.now).pending ELSE a.pending END AS pending,
                           (b.now).next_expiry_at, (b.now).next_expiry_amount) n;
COMMENT ON VIEW credits.wallets IS
'Accounts at this moment, one a customer and currency: balance (available and restricted), held, pending, what expires next, the limits set by account_configure (NULL for none), and whether available is below low_balance_threshold. Of an account whose rows are damaged the amounts are NULL, with a warning; verify() says what is wrong.';

CREATE VIEW credits.grants AS
SELECT g.customer_id, g.grant_id, g.currency, g.category, g.name, coalesce(d.status, g.status) AS status, g.amount,
       n.remaining, coalesce(h.held, 0) AS held, g.amount - n.remaining - coalesce(h.held, 0) - n.lapsed AS consumed,
       n.lapsed, g.priority, g.effective_at, nullif(g.expires_at, 'infinity') AS expires_at, g.ended_at, g.ended_reason,
       g.applicable_meters, g.cost_basis, g.granted_by, g.transferred_from, g.metadata, g.created_at
FROM credits.credit_grants g
JOIN credits.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
LEFT JOIN (SELECT x.customer_id, c.grant_id, c.status, c.remaining, c.lapsed
           FROM credits.unposted x CROSS JOIN LATERAL credits.due_grants(x.customer_id, x.currency) c) d
       ON d.customer_id = g.customer_id AND d.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' AND o.expires_at > credits.clock()
           GROUP BY o.customer_id, p.grant_id) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT coalesce(d.remaining, CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END)
               AS remaining,
           coalesce(d.lapsed, g.lapsed) AS lapsed) n;
COMMENT ON VIEW credits.grants IS
'Credit grants at this moment: amount is what was granted; remaining can be drawn on (from effective_at), held is set aside, lapsed expired, was voided or was taken back because its price was paid back, consumed is the rest: spent, transferred or corrected. Of an account whose rows are damaged grants are as they were posted, with a warning. ended_at: when it was voided or expired by hand. transferred_from: the customer that the credits came from.';

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

-- What an event that was taken back still counts for is asked here alone.
CREATE VIEW credits.events AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.value,
       CASE WHEN x.identifier IS NULL OR e.period_key IS NOT NULL THEN e.consumed ELSE 0 END AS consumed, e.pending,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at, e.price_version, e.period_key,
       e.grant_id, x.identifier IS NOT NULL AS canceled, x.canceled_at, x.reason AS cancel_reason, x.returned
FROM credits.meter_events e
LEFT JOIN credits.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier;
COMMENT ON VIEW credits.events IS
'Meter events as posted, with what became of those that were taken back. consumed: credits paid for it, of an event that was taken back none, but where it is priced with others of its period what it changed of the period''s price. For the view usage, and the functions that read events.';

CREATE VIEW credits.usage AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, m.unit, e.value AS quantity,
       n.credits, n.consumed, n.pending,
       CASE WHEN e.canceled THEN 'canceled' WHEN u.identifier IS NOT NULL THEN 'unsettled'
            WHEN n.pending > 0 THEN 'pending' ELSE 'processed' END AS status,
       e.canceled_at, e.cancel_reason, e.returned,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at, e.price_version, e.period_key
FROM credits.events e
LEFT JOIN credits.meters m ON m.event_name = e.event_name
LEFT JOIN credits.unsettled_events u ON u.customer_id = e.customer_id AND u.currency = e.currency
                                    AND u.created_at = e.created_at AND u.identifier = e.identifier
LEFT JOIN (SELECT x.customer_id, c.identifier, c.consumed, c.pending
           FROM credits.accounts x CROSS JOIN LATERAL credits.due_events(x.customer_id, x.currency) c
           WHERE x.next_change_at <= credits.clock() AND x.pending > 0) d
       ON d.customer_id = e.customer_id AND d.identifier = e.identifier
CROSS JOIN LATERAL (SELECT e.consumed + e.pending AS credits,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.consumed, e.consumed) ELSE 0 END AS consumed,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.pending, e.pending) ELSE 0 END AS pending) n;
COMMENT ON VIEW credits.usage IS
'Meter events at this moment: quantity in the meter''s unit, the credits that it cost, consumed of them paid, pending owed. status: ''processed'', ''pending'' while something is owed, ''unsettled'' until a deferred event is charged, or ''canceled'': taken back, with the credits that were returned. Where period_key is not NULL the event is priced with others of its period, and credits are what it changed of the period''s price, below zero where credits came back: what the period costs is in usage_by_period.';

CREATE VIEW credits.usage_by_period AS
SELECT u.customer_id, u.event_name, u.currency, m.unit, m.aggregation, m.period,
       u.period_key, nullif(u.period_start, '-infinity') AS period_start, u.quantity, u.event_count, u.credits, u.price_version,
       nullif(u.price_class, '') AS price_class
FROM credits.usage_periods u LEFT JOIN credits.meters m ON m.event_name = u.event_name;
COMMENT ON VIEW credits.usage_by_period IS
'Usage that is priced as one (last, max, tiers, whole blocks): the quantity that its events add up to, how many they are, and the credits that this costs. period_start: in UTC; NULL where there is one period for ever. A sum or a count has a row for each price: price_version of the meter, and price_class where the events'' metadata decide, NULL for the default.';

CREATE VIEW credits.price_list AS
SELECT m.event_name, m.name, m.unit, m.currency, m.aggregation, m.period, m.overage, m.settlement, m.active,
       p.unit_price, p.pricing, p.version AS price_version, p.created_at AS price_since, m.description, m.metadata
FROM credits.meters m
JOIN credits.meter_prices p ON p.event_name = m.event_name AND p.version = m.price_version;
COMMENT ON VIEW credits.price_list IS
'Meters and what their usage costs now: unit_price, credits for one unit, or pricing where that is not all. price_since: when this price was set.';

CREATE VIEW credits.price_versions AS
SELECT p.event_name, p.version AS price_version, p.unit_price, p.pricing, m.currency, p.created_at AS price_since
FROM credits.meter_prices p LEFT JOIN credits.meters m ON m.event_name = p.event_name;
COMMENT ON VIEW credits.price_versions IS
'Every price that a meter has or had. Events say under which price_version they were reported (view usage).';

CREATE VIEW credits.rejected_events AS
SELECT r.rejected_id, r.customer_id, r.event_name, r.value, r.identifier, r.occurred_at, r.subscription_id, r.source_data,
       r.metadata, r.received_at, r.error, r.message, r.rejected_at
FROM credits.inbox_rejected r;
COMMENT ON VIEW credits.rejected_events IS
'Rows of the inbox that could not be charged: error is the code that report_meter_event would have raised, message what it says. inbox_retry() puts them back once that is put right.';

CREATE VIEW credits.backlog AS
SELECT (SELECT count(*) FROM credits.inbox) AS inbox, (SELECT min(received_at) FROM credits.inbox) AS inbox_since,
       (SELECT count(*) FROM credits.unsettled_events) AS unsettled,
       (SELECT min(created_at) FROM credits.unsettled_events) AS unsettled_since,
       (SELECT count(*) FROM credits.inbox_rejected) AS rejected,
       -- The lock that the drainer has: src/pg/lock.rs.
       (SELECT coalesce(l.pid, 0) FROM pg_locks l
        WHERE l.locktype = 'object' AND l.classid = 'credits.inbox'::regclass AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        LIMIT 1) AS inbox_drained_by,
       (SELECT count(*) FROM credits.account_failures) AS failed_accounts,
       (SELECT min(failed_since) FROM credits.account_failures) AS failed_since;
COMMENT ON VIEW credits.backlog IS
'What waits to be settled, as committed: rows in the inbox and events of deferred meters, each with the oldest; and how many rows were put aside. Watch it from another session while settle() or maintain() works: it changes with every batch.';
COMMENT ON COLUMN credits.backlog.failed_accounts IS
'How many accounts settle() and maintain() cannot work on: they are left alone and tried again after growing pauses, and verify() lists them with what went wrong.';
COMMENT ON COLUMN credits.backlog.failed_since IS 'When the first of them failed.';
COMMENT ON COLUMN credits.backlog.inbox_drained_by IS
'The process id of the session whose transaction drains the inbox (pg_stat_activity has it), 0 for a prepared transaction, NULL where none does. No other session can drain the inbox until that transaction ends.';

CREATE VIEW credits.ledger AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, coalesce(l.held, 0) AS held,
       coalesce(l.pending, 0) AS pending, l.grant_id, g.name AS grant_name, g.category, l.operation_id,
       coalesce(l.function, o.function) AS function, o.reason, o.counterparty,
       coalesce(l.idempotency_key, o.idempotency_key) AS idempotency_key, l.identifier, e.event_name, m.unit,
       e.value AS quantity, coalesce(l.description, h.capture_description, o.description) AS description,
       coalesce(l.metadata, h.capture_metadata, o.metadata, e.metadata) AS metadata, l.effective_at, l.created_at
FROM credits.lines l
LEFT JOIN credits.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.line_no IS NULL
LEFT JOIN credits.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id AND l.type = 'capture'
LEFT JOIN credits.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits.meters m ON m.event_name = e.event_name;
COMMENT ON VIEW credits.ledger IS
'Ledger lines as posted, with what they are about. amount: what a line did to the balance; held, pending: to the credits held and the usage owed. The operation of a hold''s lines is the hold; a capture''s description and metadata are those of hold_capture where it was given any. Month-end runs CALL maintain() first.';

COMMENT ON COLUMN credits.ledger.type IS
'''grant'' (credits took effect), ''consumption'' (usage was paid), ''debit'', ''debt'' (usage that no credit covered), ''reversal'' (usage was taken back), ''hold'', ''capture'' (held credits were spent), ''release'' (they came back), ''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund''.';
