-- Subscriptions: prices that are due again and again, and the credits that come with them.

CREATE TYPE credits.subscription AS (
    customer_id text, subscription_id uuid, status text, currency text, collection_method text, items jsonb,
    "interval" text, interval_count integer, billing_cycle_anchor timestamptz, trial_end timestamptz,
    trial_end_behavior text, current_period_start timestamptz, current_period_end timestamptz, proration_behavior
    text, days_until_due integer, days_until_cancel integer, payment_method_id uuid, cancel_at timestamptz,
    cancel_at_period_end boolean, canceled_at timestamptz, ended_at timestamptz, cancel_reason text, paused_at
    timestamptz, resumes_at timestamptz, past_due_at timestamptz, coupon_id uuid, promotion_code_id uuid,
    discount_end timestamptz, latest_invoice_id uuid, description text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, replayed boolean, checkout_session_id uuid, service_actions jsonb, at_period_end text,
    overage_rate numeric, overdraft_protection boolean, provider text, provider_reference text);
COMMENT ON TYPE credits.subscription IS
'A subscription, as functions return it. The view subscriptions has all of them.';
COMMENT ON COLUMN credits.subscription.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscription.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription.status IS
'''incomplete'' (its first invoice is not paid), ''incomplete_expired'' (it was not in 23 hours, or while its checkout
session was open), ''trialing'',
''active'', ''past_due'' (something is owed), ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits.subscription.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits.subscription.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits.subscription.items IS
'What it is for: an array of objects with subscription_item_id, price_id, quantity and metadata.';
COMMENT ON COLUMN credits.subscription."interval" IS
'The unit of a period: ''hour'', ''day'', ''week'', ''month'' or ''year''.';
COMMENT ON COLUMN credits.subscription.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits.subscription.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before, in UTC.';
COMMENT ON COLUMN credits.subscription.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits.subscription.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits.subscription.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits.subscription.current_period_end IS 'The first moment after it: of a trial its end.';
COMMENT ON COLUMN credits.subscription.proration_behavior IS
'What becomes of the money where items change in mid-period: ''create_prorations'', ''always_invoice'' or
''none''.';
COMMENT ON COLUMN credits.subscription.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits.subscription.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits.subscription.payment_method_id IS 'What is charged for it; NULL for the customer''s default.';
COMMENT ON COLUMN credits.subscription.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits.subscription.cancel_at_period_end IS 'Whether that is the end of its period.';
COMMENT ON COLUMN credits.subscription.canceled_at IS
'When it was asked to end, or ended by itself; NULL where neither was.';
COMMENT ON COLUMN credits.subscription.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits.subscription.cancel_reason IS 'Why it ends, as the application says.';
COMMENT ON COLUMN credits.subscription.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits.subscription.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits.subscription.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits.subscription.coupon_id IS 'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits.subscription.promotion_code_id IS
'The code by which it was given; NULL where there was none.';
COMMENT ON COLUMN credits.subscription.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits.subscription.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits.subscription.description IS 'For people.';
COMMENT ON COLUMN credits.subscription.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscription.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.subscription.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscription.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.subscription.checkout_session_id IS 'The checkout session that it began in; NULL for none.';
COMMENT ON COLUMN credits.subscription.service_actions IS
'What the application wants done at events of it: an array of objects, each with the names of those; NULL for nothing.';
COMMENT ON COLUMN credits.subscription.at_period_end IS
'What becomes of credits that are owed as a period ends: ''carry'' (they stay owed), ''forgive'' or ''invoice''.';
COMMENT ON COLUMN credits.subscription.overage_rate IS
'What one of them costs on the invoice, in the currency of its prices; NULL for none.';
COMMENT ON COLUMN credits.subscription.overdraft_protection IS
'Whether a deposit of the customer pays invoices that the last retry could not.';
COMMENT ON COLUMN credits.subscription.provider IS 'Who bills it; NULL where pg_credits does.';
COMMENT ON COLUMN credits.subscription.provider_reference IS
'What that calls it; NULL while nobody said.';

CREATE VIEW credits.subscriptions AS
SELECT s.customer_id, s.subscription_id,
       CASE WHEN s.status NOT IN ('canceled', 'incomplete_expired') AND s.cancel_at <= credits.clock() THEN 'canceled'
            WHEN s.status = 'incomplete' AND s.checkout_session_id IS NULL AND s.collection_method <> 'external'
                 AND least(s.created_at + interval '23 hours', s.current_period_end) <= credits.clock()
            THEN 'incomplete_expired'
            WHEN s.status = 'incomplete'
                 AND EXISTS (SELECT FROM credits_internal.checkout_sessions c
                             WHERE c.customer_id = s.customer_id AND c.checkout_session_id = s.checkout_session_id
                               AND c.expires_at <= credits.clock() AND NOT c.under_way)
            THEN 'incomplete_expired'
            ELSE s.status END AS status,
       s.currency, s.collection_method, i.items, s."interval", s.interval_count,
       s.billing_cycle_anchor, s.trial_end, s.trial_end_behavior, s.current_period_start, s.current_period_end,
       s.proration_behavior, s.days_until_due, s.days_until_cancel, s.payment_method_id, s.cancel_at,
       s.cancel_at_period_end, s.canceled_at, s.ended_at, s.cancel_reason, s.paused_at, s.resumes_at, s.past_due_at,
       s.coupon_id, s.promotion_code_id, s.discount_end, s.latest_invoice_id, s.description, s.metadata,
       s.created_at, s.updated_at, s.checkout_session_id, s.service_actions, s.at_period_end, s.overage_rate,
       s.overdraft_protection, s.provider, s.provider_reference
FROM credits_internal.subscriptions s
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('subscription_item_id', m.subscription_item_id, 'price_id', m.price_id,
               'quantity', trim_scale(m.quantity)::text, 'metadata', m.metadata)
               ORDER BY m.created_at, m.subscription_item_id), '[]') AS items
    FROM credits_internal.subscription_items m
    WHERE m.customer_id = s.customer_id AND m.subscription_id = s.subscription_id AND m.removed_at IS NULL) i;
COMMENT ON VIEW credits.subscriptions IS
'Subscriptions at this moment: those whose time is over have ended, whether or not maintain() ran since.';
COMMENT ON COLUMN credits.subscriptions.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscriptions.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscriptions.status IS
'''incomplete'' (its first invoice is not paid), ''incomplete_expired'' (it was not in 23 hours, or while its checkout
session was open), ''trialing'',
''active'', ''past_due'' (something is owed), ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits.subscriptions.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits.subscriptions.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits.subscriptions.items IS
'What it is for: an array of objects with subscription_item_id, price_id, quantity and metadata.';
COMMENT ON COLUMN credits.subscriptions."interval" IS
'The unit of a period: ''hour'', ''day'', ''week'', ''month'' or ''year''.';
COMMENT ON COLUMN credits.subscriptions.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits.subscriptions.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before, in UTC.';
COMMENT ON COLUMN credits.subscriptions.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits.subscriptions.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits.subscriptions.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits.subscriptions.current_period_end IS 'The first moment after it: of a trial its end.';
COMMENT ON COLUMN credits.subscriptions.proration_behavior IS
'What becomes of the money where items change in mid-period: ''create_prorations'', ''always_invoice'' or
''none''.';
COMMENT ON COLUMN credits.subscriptions.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits.subscriptions.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits.subscriptions.payment_method_id IS
'What is charged for it; NULL for the customer''s default.';
COMMENT ON COLUMN credits.subscriptions.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits.subscriptions.cancel_at_period_end IS 'Whether that is the end of its period.';
COMMENT ON COLUMN credits.subscriptions.canceled_at IS
'When it was asked to end, or ended by itself; NULL where neither was.';
COMMENT ON COLUMN credits.subscriptions.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits.subscriptions.cancel_reason IS 'Why it ends, as the application says.';
COMMENT ON COLUMN credits.subscriptions.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits.subscriptions.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits.subscriptions.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits.subscriptions.coupon_id IS 'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits.subscriptions.promotion_code_id IS
'The code by which it was given; NULL where there was none.';
COMMENT ON COLUMN credits.subscriptions.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits.subscriptions.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits.subscriptions.description IS 'For people.';
COMMENT ON COLUMN credits.subscriptions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscriptions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.subscriptions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscriptions.checkout_session_id IS 'The checkout session that it began in; NULL for none.';
COMMENT ON COLUMN credits.subscriptions.service_actions IS
'What the application wants done at events of it: an array of objects, each with the names of those; NULL for nothing.';
COMMENT ON COLUMN credits.subscriptions.at_period_end IS
'What becomes of credits that are owed as a period ends: ''carry'' (they stay owed), ''forgive'' or ''invoice''.';
COMMENT ON COLUMN credits.subscriptions.overage_rate IS
'What one of them costs on the invoice, in the currency of its prices; NULL for none.';
COMMENT ON COLUMN credits.subscriptions.overdraft_protection IS
'Whether a deposit of the customer pays invoices that the last retry could not.';
COMMENT ON COLUMN credits.subscriptions.provider IS 'Who bills it; NULL where pg_credits does.';
COMMENT ON COLUMN credits.subscriptions.provider_reference IS 'What that calls it; NULL while nobody said.';

CREATE FUNCTION credits.subscription_create(
    customer_id text, items jsonb, trial_period_days integer DEFAULT NULL, trial_end timestamptz DEFAULT NULL,
    trial_end_behavior text DEFAULT 'charge', billing_cycle_anchor timestamptz DEFAULT NULL, collection_method text
    DEFAULT 'charge_automatically', days_until_due integer DEFAULT 30, days_until_cancel integer DEFAULT 30,
    payment_method_id uuid DEFAULT NULL, proration_behavior text DEFAULT 'create_prorations', promotion_code text
    DEFAULT NULL, coupon_id uuid DEFAULT NULL, cancel_at_period_end boolean DEFAULT false, description text DEFAULT
    NULL, metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, at_period_end text DEFAULT 'carry',
    overage_rate numeric DEFAULT NULL, overdraft_protection boolean DEFAULT false, provider text DEFAULT NULL,
    provider_reference text DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_create_wrapper';
COMMENT ON FUNCTION credits.subscription_create IS
'Begins a subscription: recurring prices, each period with its invoice, and the credits that come with it.

customer_id: the customer, who is created where missing.
items: an array of 1 to 20 objects, each with price_id or lookup_key, quantity (1 where left out; none where the price
  is metered) and metadata.
trial_period_days: the trial, in days; NULL or 0 for none.
trial_end: or when it ends; NULL for none.
trial_end_behavior: what its end brings where the customer has no payment method that can be charged: ''charge'' (an
  invoice all the same), ''cancel'' or ''pause''.
billing_cycle_anchor: a moment at which a period begins; NULL for the end of the trial, or now. What is left until
  then is charged in proportion.
collection_method: ''charge_automatically'': a worker is asked to charge the customer''s payment method;
  ''send_invoice'': the customer pays, until the due date; ''external'': a provider bills the plan, and its webhooks
  say when a period is paid.
days_until_due: how many days after an invoice is finalized it is due, where it is sent.
days_until_cancel: how many days after the first failure of a payment the subscription is canceled.
payment_method_id: what is charged; NULL for the customer''s default.
proration_behavior: what becomes of the money where items change in mid-period: ''create_prorations'' (on the next
  invoice), ''always_invoice'' (at once) or ''none''. With ''none'' the time until a later anchor is free.
promotion_code: what takes something off, by its code; NULL for nothing.
coupon_id: or by its coupon; NULL for nothing.
cancel_at_period_end: whether it ends with its first period, or its trial.
description: for people.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
at_period_end: what becomes of credits that are owed as a period ends, in the accounts of its plan credits: ''carry''
  (they stay owed), ''forgive'' (they are written off) or ''invoice'' (they are on the next invoice).
overage_rate: what one of them costs there, in the currency of the prices; needed for ''invoice''.
overdraft_protection: whether a deposit of the customer (invoice_create() with billing_reason ''deposit'' or
  ''overdraft_protection'') pays what the last retry could not.
provider: with ''external'', who bills it, as set by payment_provider_set().
provider_reference: what that calls its subscription; NULL where its metadata will say customer_id and
  subscription_id.

All prices are in one currency and of one interval. Without a trial the first invoice is given out at once; the
subscription is incomplete until that is paid, and over where it is not in 23 hours. Where it is sent, the
subscription is active at once. The credits of a period are granted when its invoice is paid. With ''external''
nothing is invoiced here: the subscription is incomplete until its provider says how it stands.

Where the prices are in a credit currency the wallet pays each invoice. With too little nothing begins (PC001); a
renewal waits, and the subscription is past due.

Raises PC001, PC002, PC007, PC013, PC015, PC016, PC019, PC020, PC021.
Example: SELECT status, current_period_end FROM credits.subscription_create(''ben'',
  ''[{"lookup_key": "pro_monthly", "quantity": 2}]'');';

CREATE FUNCTION credits.subscription_cancel(
    customer_id text, subscription_id uuid, at text DEFAULT 'period_end', refund text DEFAULT 'none', reason text
    DEFAULT NULL, feedback text DEFAULT NULL, comment text DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_cancel_wrapper';
COMMENT ON FUNCTION credits.subscription_cancel IS
'Ends a subscription: at once, at the end of its period, or at a moment.

customer_id: the customer.
subscription_id: the subscription.
at: ''now'', ''period_end'', or a moment to come as a text, with its offset from UTC.
refund: with ''now'', the money that goes back: ''none'', ''proration'' (what was paid for the time that is left) or
  ''last'' (all that is left of the last payment). Credits that a wallet paid do not.
reason: why, as the application says.
feedback: what the customer chose as the reason.
comment: what the customer wrote.

As it ends, what is still to be charged for changes is invoiced, and its other open invoices are void: money that
comes later is asked back. Where invoices are sent, those for time before stay owed. Credits that were to begin
later are not granted. What has begun stays, and so do credits that were bought apart. subscription_recover() takes
it back until then. One that a provider bills is canceled there; with ''now'' it is ended here alone.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT status, cancel_at_period_end FROM credits.subscription_cancel(''ben'', (SELECT subscription_id
  FROM credits.subscriptions WHERE customer_id = ''ben'' LIMIT 1));';

CREATE FUNCTION credits.subscription_recover(
    customer_id text, subscription_id uuid)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_recover_wrapper';
COMMENT ON FUNCTION credits.subscription_recover IS
'Takes a cancellation back that has not become effective, as if nothing had happened.

customer_id: the customer.
subscription_id: the subscription.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT cancel_at FROM credits.subscription_recover(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1));';

CREATE FUNCTION credits.subscription_update(
    customer_id text, subscription_id uuid, items jsonb DEFAULT NULL, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate', collection_method text DEFAULT NULL, days_until_due integer DEFAULT NULL,
    days_until_cancel integer DEFAULT NULL, payment_method_id uuid DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, at_period_end text DEFAULT NULL, overage_rate numeric DEFAULT NULL,
    overdraft_protection boolean DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_update_wrapper';
COMMENT ON FUNCTION credits.subscription_update IS
'Changes a subscription: what it is for, and how it is collected. NULL leaves a thing as it is.

customer_id: the customer.
subscription_id: the subscription.
items: an array of objects. One with subscription_item_id changes that item: price_id or lookup_key, quantity, metadata,
  or deleted (true). One without adds an item. Items that are not named stay.
proration_behavior: what becomes of the money: ''create_prorations'' (on the next invoice), ''always_invoice'' (on one
  of its own, at once) or ''none''; NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' (the share of the time that is left goes, at most what is
  unspent, and that of the new comes) or ''keep'' (they stay until the next instalment).
collection_method: ''charge_automatically'' or ''send_invoice''.
days_until_due: how many days after an invoice is finalized it is due, where it is sent.
days_until_cancel: how many days after the first failure of a payment the subscription is canceled.
payment_method_id: what is charged.
description: for people.
metadata: the application''s own data.
at_period_end: what becomes of credits that are owed as a period ends: ''carry'', ''forgive'' or ''invoice''.
overage_rate: what one of them costs on the invoice.
overdraft_protection: whether a deposit of the customer pays what the last retry could not.

In mid-period what was paid and is not used is given back, and what is left of the new is charged, by the second.
Where the old is not paid yet it is lowered instead, except for credits of it that are spent. Instalments that have
not begun are replaced by those of the new price: with ''create_prorations'' at once, with ''always_invoice'' once
they are paid. With ''none'', and in a trial, the items change and nothing else does until the next period.
subscription_preview() says what it would bring. What is invoiced at once and costs credits has to be in the wallet, or
nothing changes (PC001).

Prices of another interval begin a new period now, from which periods are counted; all items have to move together.
All of it is invoiced at once, with what is pending, less what is not used of the old period; with ''none'' nothing of
the old is given back. What has not begun of the old credits ends, and those of the new period begin.

Raises PC001, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
Example: SELECT status FROM credits.subscription_update(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1), days_until_cancel => 14);';

CREATE TYPE credits.subscription_preview AS (
    subscription_id uuid, proration_behavior text, currency text, subtotal numeric, discount numeric, tax numeric,
    total numeric, lines jsonb, credits jsonb, lowered jsonb);
COMMENT ON TYPE credits.subscription_preview IS 'What an update of items would bring.';
COMMENT ON COLUMN credits.subscription_preview.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription_preview.proration_behavior IS
'What becomes of the money: ''create_prorations'', ''always_invoice'' or ''none''.';
COMMENT ON COLUMN credits.subscription_preview.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.subscription_preview.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.subscription_preview.discount IS 'What is taken off.';
COMMENT ON COLUMN credits.subscription_preview.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.subscription_preview.total IS 'What they come to; below zero where more is given back.';
COMMENT ON COLUMN credits.subscription_preview.lines IS
'The lines: an array of objects with description, price_id, quantity, amount, discount and tax.';
COMMENT ON COLUMN credits.subscription_preview.credits IS
'The credits: an array of objects with currency, granted (once it is paid) and taken (at most what is unspent).';
COMMENT ON COLUMN credits.subscription_preview.lowered IS
'Lines that are not paid yet and become less: an array of objects with invoice_line_id, and amount and discount by which
they do.';

CREATE FUNCTION credits.subscription_preview(
    customer_id text, subscription_id uuid, items jsonb, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate')
RETURNS credits.subscription_preview
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_preview_wrapper';
COMMENT ON FUNCTION credits.subscription_preview IS
'Says what subscription_update() would bring with the same arguments at the same moment, and changes no item.

customer_id: the customer.
subscription_id: the subscription.
items: as there.
proration_behavior: as there.
credits: as there.

What is due of the subscription by time is done first, as in each call.

Raises PC003, PC007, PC013, PC015, PC019, PC020.
Example: SELECT total, lines FROM credits.subscription_preview(''ben'', (SELECT subscription_id
  FROM credits.subscriptions WHERE customer_id = ''ben'' LIMIT 1), (SELECT jsonb_build_array(jsonb_build_object(
  ''subscription_item_id'', subscription_item_id, ''quantity'', 2))
  FROM credits.subscription_items WHERE customer_id = ''ben'' LIMIT 1));';
