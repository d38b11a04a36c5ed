-- What a customer's own login sees of its subscriptions.

CREATE VIEW credits.my_subscriptions WITH (security_barrier) AS
SELECT s.subscription_id,
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
       s.proration_behavior, s.days_until_due, s.days_until_cancel, s.cancel_at, s.cancel_at_period_end,
       s.canceled_at, s.ended_at, s.paused_at, s.resumes_at, s.past_due_at, s.coupon_id, s.promotion_code_id,
       s.discount_end, s.latest_invoice_id, s.description, s.created_at, s.updated_at, s.provider,
       s.provider_reference
FROM credits_internal.subscriptions s
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('subscription_item_id', m.subscription_item_id, 'price_id', m.price_id,
               'quantity', trim_scale(m.quantity)::text, 'metadata', m.metadata)
               ORDER BY m.created_at, m.subscription_item_id), '[]') AS items
    FROM credits_internal.subscription_items m
    WHERE m.customer_id = s.customer_id AND m.subscription_id = s.subscription_id AND m.removed_at IS NULL) i
WHERE s.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_subscriptions IS 'The subscriptions of credits.current_customer, at this moment.';
COMMENT ON COLUMN credits.my_subscriptions.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.my_subscriptions.status IS
'''incomplete'' (its first invoice is not paid), ''incomplete_expired'' (it was not in 23 hours, or while its checkout
session was open), ''trialing'',
''active'', ''past_due'' (something is owed), ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits.my_subscriptions.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits.my_subscriptions.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits.my_subscriptions.items IS
'What it is for: an array of objects with subscription_item_id, price_id, quantity and metadata.';
COMMENT ON COLUMN credits.my_subscriptions."interval" IS
'The unit of a period: ''hour'', ''day'', ''week'', ''month'' or ''year''.';
COMMENT ON COLUMN credits.my_subscriptions.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits.my_subscriptions.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before, in UTC.';
COMMENT ON COLUMN credits.my_subscriptions.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits.my_subscriptions.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits.my_subscriptions.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits.my_subscriptions.current_period_end IS 'The first moment after it: of a trial its end.';
COMMENT ON COLUMN credits.my_subscriptions.proration_behavior IS
'What becomes of the money where items change in mid-period: ''create_prorations'', ''always_invoice'' or
''none''.';
COMMENT ON COLUMN credits.my_subscriptions.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits.my_subscriptions.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits.my_subscriptions.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits.my_subscriptions.cancel_at_period_end IS 'Whether that is the end of its period.';
COMMENT ON COLUMN credits.my_subscriptions.canceled_at IS
'When it was asked to end, or ended by itself; NULL where neither was.';
COMMENT ON COLUMN credits.my_subscriptions.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits.my_subscriptions.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits.my_subscriptions.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits.my_subscriptions.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits.my_subscriptions.coupon_id IS 'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits.my_subscriptions.promotion_code_id IS
'The code by which it was given; NULL where there was none.';
COMMENT ON COLUMN credits.my_subscriptions.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits.my_subscriptions.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits.my_subscriptions.description IS 'For people.';
COMMENT ON COLUMN credits.my_subscriptions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.my_subscriptions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.my_subscriptions.provider IS 'Who bills it; NULL where pg_credits does.';
COMMENT ON COLUMN credits.my_subscriptions.provider_reference IS 'What that calls it; NULL while nobody said.';
