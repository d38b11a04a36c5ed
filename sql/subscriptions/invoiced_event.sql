-- Events of meters that are invoiced: where each went.

CREATE VIEW credits.invoiced_events AS
SELECT i.customer_id, i.identifier, i.event_name, i.quantity, i.occurred_at, i.created_at, s.subscription_id,
       s.subscription_item_id, i.usage_record_summary_id, c.closed_at, l.invoice_id
FROM credits_internal.invoiced_events i
LEFT JOIN credits_internal.usage_record_summaries s
       ON s.customer_id = i.customer_id AND s.usage_record_summary_id = i.usage_record_summary_id
LEFT JOIN credits_internal.usage_closings c
       ON c.customer_id = i.customer_id AND c.usage_record_summary_id = i.usage_record_summary_id
      AND c.closing_no = i.closing_no
LEFT JOIN credits_internal.invoice_lines l
       ON l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id;
COMMENT ON VIEW credits.invoiced_events IS
'Events of meters whose settlement is ''invoice'', one row each, and which period of a subscription took it.

Those that no period has taken wait for the closing of one, or happened when no subscription of their customer had the
meter: then none ever takes them. What was canceled is not here.';
COMMENT ON COLUMN credits.invoiced_events.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoiced_events.identifier IS
'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.invoiced_events.event_name IS 'The meter.';
COMMENT ON COLUMN credits.invoiced_events.quantity IS
'What it counts as: its value, or one where the meter counts events or different values.';
COMMENT ON COLUMN credits.invoiced_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.invoiced_events.created_at IS 'When it was reported.';
COMMENT ON COLUMN credits.invoiced_events.subscription_id IS 'The subscription that took it; NULL for none yet.';
COMMENT ON COLUMN credits.invoiced_events.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.invoiced_events.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.invoiced_events.closed_at IS 'When that took it.';
COMMENT ON COLUMN credits.invoiced_events.invoice_id IS
'The invoice that it is on; NULL where nothing was charged, as in a trial.';
