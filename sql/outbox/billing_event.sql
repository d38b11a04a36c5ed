-- Billing events, for readers.

CREATE VIEW credits.billing_events AS
SELECT e.event_id, e.type, e.object_type, e.object_id, e.object_seq, e.customer_id, e.data, e.created_at
FROM credits_internal.billing_events e;
COMMENT ON VIEW credits.billing_events IS
'What happened to customers, the catalogue, checkouts, invoices and payments, one row per event, for
credits.event_retention.

An event is there if and only if what it says was committed. In what is read after the last event_id, an event of a
transaction that took longer may be missing; object_seq shows it.';
COMMENT ON COLUMN credits.billing_events.event_id IS 'The event: in the order of time, as a key to page by.';
COMMENT ON COLUMN credits.billing_events.type IS 'What happened: ''invoice.paid'' and so on.';
COMMENT ON COLUMN credits.billing_events.object_type IS
'What it happened to: ''customer'', ''product'', ''price'', ''coupon'', ''promotion_code'',
''payment_link'', ''checkout_session'', ''invoice'',
''payment_intent'', ''refund'' or ''subscription''.';
COMMENT ON COLUMN credits.billing_events.object_id IS
'Which one: its id as text; of a customer the application''s key.';
COMMENT ON COLUMN credits.billing_events.object_seq IS
'The event''s place among those of its object: from 1 without gaps.';
COMMENT ON COLUMN credits.billing_events.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits.billing_events.data IS
'object: the object as its view shows it after the event, of what is deleted before it. previous_attributes: of an
update, what was before of all that changed. Amounts are strings of digits. NULL once the customer is erased.';
COMMENT ON COLUMN credits.billing_events.created_at IS
'When it happened: when its transaction began, and never before the object''s last event.';
