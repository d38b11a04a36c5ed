-- Usage of metered items: recorded by the application, invoiced after its period.

CREATE TYPE credits.usage_record AS (
    customer_id text, usage_record_id uuid, subscription_id uuid, subscription_item_id uuid,
    usage_record_summary_id uuid, action text, quantity numeric, "timestamp" timestamptz, total_usage numeric,
    created_at timestamptz, replayed boolean);
COMMENT ON TYPE credits.usage_record IS
'A record of usage, as usage_record_create() returns it. The view usage_records has all of them.';
COMMENT ON COLUMN credits.usage_record.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_record.usage_record_id IS 'The record.';
COMMENT ON COLUMN credits.usage_record.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.usage_record.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.usage_record.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.usage_record.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits.usage_record.quantity IS 'How many.';
COMMENT ON COLUMN credits.usage_record."timestamp" IS 'The moment that it is for.';
COMMENT ON COLUMN credits.usage_record.total_usage IS 'What the usage of its period adds up to at this moment.';
COMMENT ON COLUMN credits.usage_record.created_at IS 'When it was recorded.';
COMMENT ON COLUMN credits.usage_record.replayed IS 'Whether this call repeated an earlier one and changed nothing.';

CREATE VIEW credits.usage_records AS
SELECT r.customer_id, r.usage_record_id, s.subscription_id, s.subscription_item_id, r.usage_record_summary_id,
       r.action, r.quantity, r.used_at AS "timestamp", r.created_at
FROM credits_internal.usage_records r
JOIN credits_internal.usage_record_summaries s
  ON s.customer_id = r.customer_id AND s.usage_record_summary_id = r.usage_record_summary_id;
COMMENT ON VIEW credits.usage_records IS 'What was recorded of metered items of subscriptions, one row each.';
COMMENT ON COLUMN credits.usage_records.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_records.usage_record_id IS 'The record.';
COMMENT ON COLUMN credits.usage_records.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.usage_records.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.usage_records.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.usage_records.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits.usage_records.quantity IS 'How many.';
COMMENT ON COLUMN credits.usage_records."timestamp" IS 'The moment that it is for.';
COMMENT ON COLUMN credits.usage_records.created_at IS 'When it was recorded.';

CREATE VIEW credits.my_usage_records WITH (security_barrier) AS
SELECT r.usage_record_id, s.subscription_id, s.subscription_item_id, r.usage_record_summary_id, r.action,
       r.quantity, r.used_at AS "timestamp", r.created_at
FROM credits_internal.usage_records r
JOIN credits_internal.usage_record_summaries s
  ON s.customer_id = r.customer_id AND s.usage_record_summary_id = r.usage_record_summary_id
WHERE r.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_usage_records IS 'What was recorded of metered items of credits.current_customer.';
COMMENT ON COLUMN credits.my_usage_records.usage_record_id IS 'The record.';
COMMENT ON COLUMN credits.my_usage_records.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.my_usage_records.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.my_usage_records.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.my_usage_records.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits.my_usage_records.quantity IS 'How many.';
COMMENT ON COLUMN credits.my_usage_records."timestamp" IS 'The moment that it is for.';
COMMENT ON COLUMN credits.my_usage_records.created_at IS 'When it was recorded.';

-- What each period adds up to at this moment: its row, with the events of its meter that it has not taken yet.
CREATE VIEW credits_internal.usage_so_far AS
SELECT s.customer_id, s.usage_record_summary_id, s.subscription_id, s.subscription_item_id, s.price_id,
       s.aggregate_usage, s.period_start, s.period_end, (s.records + coalesce(w.events, 0))::integer AS records,
       CASE WHEN w.events > 0 THEN
           CASE s.aggregate_usage
               WHEN 'sum' THEN s.usage + w.added + w.values
               WHEN 'max' THEN greatest(s.usage, w.most)
               ELSE CASE WHEN w.last_at < s.last_at THEN s.usage ELSE w.last END END
            ELSE s.usage END AS usage,
       s.invoiced_amount, s.closes_at, s.event_name
FROM credits_internal.usage_record_summaries s
LEFT JOIN LATERAL (
    SELECT count(*) AS events, coalesce(sum(e.quantity) FILTER (WHERE e.counted IS NULL), 0) AS added,
           count(DISTINCT e.counted) FILTER (WHERE NOT EXISTS (
               SELECT FROM credits_internal.invoiced_events o
               WHERE o.customer_id = s.customer_id AND o.usage_record_summary_id = s.usage_record_summary_id
                 AND o.counted = e.counted)) AS values,
           max(e.quantity) AS most, max(e.occurred_at) AS last_at,
           (array_agg(e.quantity ORDER BY e.occurred_at DESC, e.created_at DESC, e.identifier DESC))[1] AS last
    FROM credits_internal.invoiced_events e
    WHERE e.customer_id = s.customer_id AND e.event_name = s.event_name AND e.usage_record_summary_id IS NULL
      AND e.occurred_at >= s.period_start AND e.occurred_at < s.period_end) w ON s.event_name IS NOT NULL;
COMMENT ON VIEW credits_internal.usage_so_far IS
'What was used of metered items in each period by now. For the views usage_record_summaries and
my_usage_record_summaries.';

CREATE VIEW credits.usage_record_summaries AS
SELECT s.customer_id, s.usage_record_summary_id, s.subscription_id, s.subscription_item_id, s.price_id,
       s.aggregate_usage, s.period_start, s.period_end, s.records, s.usage AS total_usage, c.usage AS invoiced_usage,
       s.invoiced_amount, l.invoice_id, s.closes_at, s.event_name
FROM credits_internal.usage_so_far s
LEFT JOIN LATERAL (
    SELECT c.usage FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
    ORDER BY c.closing_no DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT c.invoice_line_id FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
      AND c.invoice_line_id IS NOT NULL
    ORDER BY c.closing_no DESC LIMIT 1) b ON true
LEFT JOIN credits_internal.invoice_lines l
       ON l.customer_id = s.customer_id AND l.invoice_line_id = b.invoice_line_id;
COMMENT ON VIEW credits.usage_record_summaries IS
'What was used of metered items in each period, and what of that is invoiced. An item whose price changed in
mid-period has a row for each price.';
COMMENT ON COLUMN credits.usage_record_summaries.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_record_summaries.usage_record_summary_id IS 'The summary.';
COMMENT ON COLUMN credits.usage_record_summaries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.usage_record_summaries.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.usage_record_summaries.price_id IS 'The price.';
COMMENT ON COLUMN credits.usage_record_summaries.aggregate_usage IS
'How records add up: ''sum'', ''max'', ''last_during_period'' or ''last_ever''.';
COMMENT ON COLUMN credits.usage_record_summaries.period_start IS
'When the period began, or the part of it at this price.';
COMMENT ON COLUMN credits.usage_record_summaries.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits.usage_record_summaries.records IS 'How many records it has, or events of its meter.';
COMMENT ON COLUMN credits.usage_record_summaries.total_usage IS 'What they add up to.';
COMMENT ON COLUMN credits.usage_record_summaries.invoiced_usage IS 'What of that is invoiced; NULL for nothing yet.';
COMMENT ON COLUMN credits.usage_record_summaries.invoiced_amount IS
'What was invoiced for it, before discounts and tax.';
COMMENT ON COLUMN credits.usage_record_summaries.invoice_id IS 'The last invoice that it went on; NULL for none.';
COMMENT ON COLUMN credits.usage_record_summaries.closes_at IS
'When what is not invoiced yet will be; NULL where nothing is to be.';
COMMENT ON COLUMN credits.usage_record_summaries.event_name IS
'The meter whose events say what is used; NULL where it is recorded.';

CREATE VIEW credits.my_usage_record_summaries WITH (security_barrier) AS
SELECT s.usage_record_summary_id, s.subscription_id, s.subscription_item_id, s.price_id, s.aggregate_usage,
       s.period_start, s.period_end, s.records, s.usage AS total_usage, c.usage AS invoiced_usage,
       s.invoiced_amount, l.invoice_id, s.closes_at, s.event_name
FROM credits_internal.usage_so_far s
LEFT JOIN LATERAL (
    SELECT c.usage FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
    ORDER BY c.closing_no DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT c.invoice_line_id FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
      AND c.invoice_line_id IS NOT NULL
    ORDER BY c.closing_no DESC LIMIT 1) b ON true
LEFT JOIN credits_internal.invoice_lines l
       ON l.customer_id = s.customer_id AND l.invoice_line_id = b.invoice_line_id
WHERE s.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_usage_record_summaries IS
'What credits.current_customer used of metered items in each period, and what of that is invoiced.';
COMMENT ON COLUMN credits.my_usage_record_summaries.usage_record_summary_id IS 'The summary.';
COMMENT ON COLUMN credits.my_usage_record_summaries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.my_usage_record_summaries.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.my_usage_record_summaries.price_id IS 'The price.';
COMMENT ON COLUMN credits.my_usage_record_summaries.aggregate_usage IS
'How records add up: ''sum'', ''max'', ''last_during_period'' or ''last_ever''.';
COMMENT ON COLUMN credits.my_usage_record_summaries.period_start IS
'When the period began, or the part of it at this price.';
COMMENT ON COLUMN credits.my_usage_record_summaries.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits.my_usage_record_summaries.records IS 'How many records it has, or events of its meter.';
COMMENT ON COLUMN credits.my_usage_record_summaries.total_usage IS 'What they add up to.';
COMMENT ON COLUMN credits.my_usage_record_summaries.invoiced_usage IS
'What of that is invoiced; NULL for nothing yet.';
COMMENT ON COLUMN credits.my_usage_record_summaries.invoiced_amount IS
'What was invoiced for it, before discounts and tax.';
COMMENT ON COLUMN credits.my_usage_record_summaries.invoice_id IS 'The last invoice that it went on; NULL for none.';
COMMENT ON COLUMN credits.my_usage_record_summaries.closes_at IS
'When what is not invoiced yet will be; NULL where nothing is to be.';
COMMENT ON COLUMN credits.my_usage_record_summaries.event_name IS
'The meter whose events say what is used; NULL where it is recorded.';

CREATE FUNCTION credits.usage_record_create(
    customer_id text, subscription_item_id uuid, quantity numeric, action text DEFAULT 'increment',
    "timestamp" timestamptz DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.usage_record
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_record_create_wrapper';
COMMENT ON FUNCTION credits.usage_record_create IS
'Records usage of a metered item of a subscription, which is invoiced after its period.

customer_id: the customer.
subscription_item_id: the item, whose price is metered and has no meter.
quantity: how many; zero or more.
action: ''increment'' (it adds to what was recorded for the same moment) or ''set'' (it replaces that).
timestamp: the moment that it is for, in quotation marks where it is named; NULL for now.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

The usage of a period is on the invoice that is made credits.usage_grace after its end. What is recorded later is on
the next one, once. After the end of the subscription it is recorded until its last usage is invoiced.

Raises PC002, PC003, PC007, PC013, PC019, PC020.
Example: SELECT total_usage FROM credits.usage_record_create(''ben'', (SELECT i.subscription_item_id
  FROM credits.subscription_items i WHERE i.customer_id = ''ben'' AND i.quantity IS NULL LIMIT 1), 250);';
