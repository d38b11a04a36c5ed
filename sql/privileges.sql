-- Rights: nothing for PUBLIC, and nothing that default privileges give where it is installed.

DO $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT pg_catalog.format('REVOKE ALL ON %s %s FROM %s CASCADE', made.kind, made.name,
                                 coalesce(pg_catalog.quote_ident(r.rolname), 'PUBLIC'))
        FROM (
            SELECT 'SCHEMA' AS kind, n.nspname::text AS name, n.nspowner AS owner, n.nspacl AS acl
            FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('credits', 'credits_internal')
            UNION ALL
            SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::pg_catalog.regclass::text,
                   c.relowner, c.relacl
            FROM pg_catalog.pg_class c
            WHERE c.relnamespace IN ('credits'::pg_catalog.regnamespace, 'credits_internal'::pg_catalog.regnamespace)
            UNION ALL
            SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::text, p.proowner, p.proacl
            FROM pg_catalog.pg_proc p
            WHERE p.pronamespace IN ('credits'::pg_catalog.regnamespace, 'credits_internal'::pg_catalog.regnamespace)
            UNION ALL
            SELECT 'TYPE', t.oid::pg_catalog.regtype::text, t.typowner, t.typacl
            FROM pg_catalog.pg_type t
            WHERE t.typnamespace IN ('credits'::pg_catalog.regnamespace, 'credits_internal'::pg_catalog.regnamespace)
        ) AS made, pg_catalog.aclexplode(made.acl) AS given
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = given.grantee
        WHERE given.grantee <> made.owner
        GROUP BY 1
    LOOP
        EXECUTE command;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA credits, credits_internal FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA credits, credits_internal FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA credits, credits_internal FROM PUBLIC;
REVOKE ALL ON TYPE
    credits_internal.error_code, credits.currency, credits.customer, credits.erasure, credits.metadata_clearance,
    credits.account, credits.balance, credits.availability, credits.debit, credits.try_debit, credits.adjustment,
    credits.transfer, credits.drawdown, credits.hold, credits.reversal, credits.credit, credits.credit_grant,
    credits_internal.due_grant, credits_internal.due_rollover, credits.grant_summary, credits.grant_holder,
    credits.grant_stats, credits.ledger_line,
    credits.past_balance, credits_internal.own_wallet, credits_internal.own_grant, credits.meter,
    credits.meter_status, credits.reported_event, credits.batch_event, credits_internal.due_event,
    credits.price_override, credits.cancellation, credits.event_adjustment, credits.pending_usage, credits.usage_total,
    credits.transaction_total, credits.usage_bucket, credits.product, credits.price, credits.package,
    credits.exchange_rate, credits.payment_outcome, credits.refund_outcome,
    credits.payment_provider, credits.received_webhook, credits.top_up, credits.recharge_config, credits.portal_link,
    credits.portal_session, credits.auto_recharge, credits.recharge_attempt, credits.outbox_consumer,
    credits.outbox_row, credits.discrepancy, credits.spending_limit, credits.balance_alert, credits.invoice,
    credits.invoice_line, credits.imported_history, credits.payment_method, credits.own_customer,
    credits.payment_intent, credits.payment_attempt, credits.refund, credits.refund_attempt,
    credits.deposit, credits.found, credits.coupon, credits.promotion_code, credits.redemption, credits.voucher,
    credits.checkout_session, credits.payment_link, credits.subscription, credits.subscription_preview,
    credits.subscription_item, credits.usage_record,
    credits.webhook_endpoint, credits.webhook_request, credits.webhook_outcome
FROM PUBLIC;

GRANT USAGE ON SCHEMA credits
TO credits_app, credits_read, credits_admin, credits_customer, credits_webhook, credits_worker, credits_sender,
   credits_meter;

-- What explains the rest: whoever may use the schema may read what its functions do and which errors they raise.
GRANT EXECUTE ON FUNCTION credits.help(text), credits_internal.error_code_list()
TO credits_app, credits_read, credits_admin, credits_customer, credits_webhook, credits_worker, credits_sender,
   credits_meter;
GRANT SELECT ON credits.error_codes, credits_internal.function_docs, credits_internal.function_fields
TO credits_app, credits_read, credits_admin, credits_customer, credits_webhook, credits_worker, credits_sender,
   credits_meter;

-- What reads. The functions that a view calls run with its reader's rights.
GRANT EXECUTE ON FUNCTION
    credits.wallet_balance(text, text),
    credits_internal.balance_now(text, text, boolean),
    credits.wallet_balance_at(text, text, timestamptz),
    credits.wallet_history(text, text, integer, bigint, text, uuid, text, text, timestamptz, timestamptz, uuid),
    credits.explain_drawdown(text, numeric, text, text),
    credits.credit_availability(text, numeric, text, numeric, integer, text, text),
    credits.credit_grant_summary(text, text),
    credits.credit_grant_holders(text, integer, text, numeric),
    credits.credit_grant_stats(text, timestamptz, timestamptz, text, text, text),
    credits.pending_amount(text, text, text),
    credits.credit_transaction_summary(text, text, text, text, timestamptz, timestamptz),
    credits.usage_summary(text, timestamptz, timestamptz, text, text, text),
    credits.usage_price(text, numeric, jsonb, integer, text, text, timestamptz, integer),
    credits.meter_event_stats(text, timestamptz, timestamptz, text, text, text),
    credits_internal.due_grants(text, text),
    credits_internal.due_rollovers(text, text),
    credits_internal.rollover_terms(numeric, numeric, integer, interval),
    credits_internal.share(numeric, numeric, numeric, smallint),
    credits_internal.due_events(text, text),
    credits.exchange_rate(text, text, timestamptz),
    credits.recharge_config(text),
    credits.auto_recharge_config(text, text),
    credits.billing_bootstrap(text),
    credits.customer_overdue_invoices(text),
    credits.invoice_html(text, uuid),
    credits.search(text, text[], text, integer, text),
    credits.coupon_used(uuid),
    credits.coupon_redemptions(uuid, text, integer, uuid),
    credits.promotion_code_used(uuid),
    credits.promotion_code_by_code(text),
    credits.promotion_code_redemptions(uuid, text, integer, uuid),
    credits_internal.payment_link_url(uuid),
    credits.clock()
TO credits_app, credits_read, credits_admin;
GRANT SELECT ON
    credits.wallets, credits_internal.stored_balances, credits.grants, credits.holds, credits.hold_captures,
    credits.usage, credits.usage_by_period, credits.usage_adjustments, credits.meters, credits.price_versions,
    credits.price_overrides, credits.packages, credits.products,
    credits.prices, credits.customers, credits.currencies, credits.exchange_rates, credits.top_ups,
    credits.top_up_payments, credits.payment_log, credits.webhook_log, credits.recharge_log, credits.outbox_rows,
    credits.outbox_backlog, credits.rejected_events, credits.backlog, credits.ledger, credits.journal,
    credits.trial_balance, credits.limits, credits.revenue, credits.balance_alerts, credits.invoices,
    credits.invoice_lines, credits.invoice_payments, credits.payment_methods, credits.billing_events,
    credits.payment_intents, credits.refunds, credits.coupons, credits.promotion_codes, credits.discount_log,
    credits.checkout_sessions, credits.payment_links, credits.subscriptions, credits.subscription_items,
    credits.usage_records, credits.usage_record_summaries, credits.invoiced_events,
    credits.webhook_endpoints, credits.webhook_attempts
TO credits_app, credits_read, credits_admin;
GRANT EXECUTE ON FUNCTION
    credits.verify(text)
TO credits_read, credits_admin;

-- What an application does all day.
GRANT EXECUTE ON FUNCTION
    credits.customer_upsert(text, text, text, jsonb, text, text, jsonb, jsonb, text, text, numeric, jsonb, text,
        timestamptz),
    credits.customer_delete(text),
    credits.payment_method_attach(text, text, text, text, timestamptz, boolean, text, jsonb),
    credits.payment_method_detach(text, uuid),
    credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text,
        text, jsonb, numeric, text, jsonb),
    credits.credit_grant_void(text, uuid, text, numeric, text, text),
    credits.credit_grant_expire(text, uuid, numeric, text),
    credits.credit_grant_update(text, uuid, text, jsonb, integer, timestamptz, boolean),
    credits.credit_grant_extend(text, uuid, timestamptz),
    credits.credit_grant_suspend(text, uuid, text),
    credits.credit_grant_resume(text, uuid),
    credits.wallet_adjust(text, numeric, text, text, text, timestamptz, text, jsonb),
    credits.operation_reverse(text, uuid, text, numeric, text, text),
    credits.wallet_debit(text, numeric, text, text, text, jsonb, text),
    credits.wallet_try_debit(text, numeric, text, text, text, jsonb, text),
    credits.wallet_credit(text, numeric, text, text, text, text, jsonb),
    credits.wallet_transfer(text, text, numeric, text, text, text, jsonb),
    credits.hold_create(text, numeric, text, interval, text, text, jsonb, text, text),
    credits.hold_update(text, uuid, numeric, timestamptz, interval),
    credits.hold_capture(text, uuid, numeric, text, jsonb, text, numeric, text, text, boolean, text, text),
    credits.hold_release(text, uuid),
    credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb, text),
    credits.meter_event_cancel(text, text, text),
    credits.meter_event_adjust(text, text, numeric, text),
    credits.report_meter_events(jsonb, boolean),
    credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]),
    credits.settle(integer),
    credits.top_up_create(text, uuid, numeric, text, integer, text, numeric, text, text, text, text, interval, text,
        jsonb),
    credits.payment_succeeded(text, uuid, text, text, numeric, numeric, numeric, numeric, text),
    credits.payment_failed(text, uuid, text, text, text),
    credits.payment_processing(text, uuid, text, text),
    credits.payment_requires_action(text, uuid, text, text, text),
    credits.payment_intent_begin(text, uuid),
    credits.payment_intent_update(text, uuid, jsonb),
    credits.payment_refunded(text, uuid, text, text, numeric, numeric, text, text, text, uuid),
    credits.payment_refund_failed(text, uuid, text, text, text, uuid),
    credits.payment_intent_refund(text, uuid, numeric, text, text, text),
    credits.refund_create(text, uuid, numeric, jsonb, text, text, jsonb, text, text),
    credits.refund_begin(text, uuid),
    credits.refund_cancel(text, uuid),
    credits.payment_disputed(text, uuid, text, text, numeric, text, text, text),
    credits.payment_dispute_closed(text, uuid, text, text, boolean, text),
    credits.top_up_expire(text, uuid),
    credits.webhook_receive(text, text, text),
    credits.configure_auto_recharge(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval,
        interval, numeric, integer, numeric, integer, numeric, interval, timestamptz, integer, text),
    credits.recharge_begin(text, uuid),
    credits.billing_portal_session_create(text, text, text),
    credits.billing_portal_session_verify(text),
    credits.outbox_claim(text, integer, interval),
    credits.outbox_ack(text, uuid[]),
    credits.invoice_create(text, jsonb, text, text, timestamptz, integer, numeric, numeric, boolean, text, text,
        jsonb, jsonb, text, text, text),
    credits.invoice_update(text, uuid, text, timestamptz, integer, numeric, numeric, jsonb, text, jsonb, jsonb),
    credits.invoice_finalize(text, uuid),
    credits.invoice_pay(text, uuid, text, numeric, text, text),
    credits.invoice_void(text, uuid),
    credits.invoice_return_deposit(text, uuid, numeric, text, text),
    credits.invoice_return_deposit_info(text, uuid),
    credits.invoice_mark_uncollectible(text, uuid),
    credits.invoice_delete(text, uuid),
    credits.invoice_item_create(text, text, numeric, text, uuid, numeric, numeric, numeric, text, timestamptz,
        timestamptz, jsonb, text),
    credits.invoice_item_delete(text, uuid),
    credits.voucher_redeem(text, text, text, jsonb, text),
    credits.checkout_session_create(text, text, jsonb, text, jsonb, boolean, text, text, text, timestamptz, numeric,
        text, text, jsonb, text, jsonb),
    credits.checkout_session_verify(text),
    credits.checkout_session_update(text, uuid, jsonb, jsonb, boolean, text, text, text, timestamptz, numeric, text,
        jsonb, jsonb),
    credits.checkout_session_apply_promotion_code(text, uuid, text, text, jsonb),
    credits.checkout_session_remove_promotion_code(text, uuid),
    credits.checkout_session_submit(text, uuid),
    credits.checkout_session_expire(text, uuid),
    credits.subscription_create(text, jsonb, integer, timestamptz, text, timestamptz, text, integer, integer, uuid,
        text, text, uuid, boolean, text, jsonb, text, text, numeric, boolean, text, text),
    credits.subscription_cancel(text, uuid, text, text, text, text, text),
    credits.subscription_recover(text, uuid),
    credits.subscription_pause(text, uuid, timestamptz),
    credits.subscription_resume(text, uuid),
    credits.subscription_update(text, uuid, jsonb, text, text, text, integer, integer, uuid, text, jsonb, text,
        numeric, boolean),
    credits.subscription_preview(text, uuid, jsonb, text, text),
    credits.subscription_item_create(text, uuid, uuid, text, numeric, jsonb, text, text, text),
    credits.subscription_item_update(text, uuid, uuid, text, numeric, jsonb, text, text),
    credits.subscription_item_delete(text, uuid, text, text),
    credits.subscription_delete(text, uuid),
    credits.usage_record_create(text, uuid, numeric, text, timestamptz, text),
    credits.payment_link_open(text, uuid, text, jsonb, text, text, text, timestamptz, text, jsonb, text),
    credits.usage_limit_set(text, text, numeric, text, text, text),
    credits.member_limit_set(text, text, numeric, text, text)
TO credits_app, credits_admin;

-- The one table that others write: usage on its way in, but not the columns that say when it came and in what order.
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata,
              member_id)
ON credits.inbox TO credits_app, credits_admin;

-- What configures and maintains.
GRANT EXECUTE ON FUNCTION
    credits.customer_erase(text),
    credits.customer_metadata_clear(text),
    credits.account_configure(text, text, numeric, numeric),
    credits.balance_alert_set(text, text, numeric[], text),
    credits.currency_create(text, text, integer, text, text, jsonb, boolean),
    credits.currency_update(text, text, text, text, boolean, numeric, numeric, jsonb),
    credits.meter_create(text, text, text, numeric, text, text, text, text, text, text, jsonb, jsonb, boolean, text,
        text, text, text),
    credits.meter_update(text, text, numeric, text, text, text, jsonb, jsonb, timestamptz, text,
        numeric, boolean, text),
    credits.meter_price_override(text, text, jsonb, numeric, numeric, timestamptz, timestamptz, text),
    credits.meter_price_override_end(text, text, integer, timestamptz),
    credits.meter_activate(text),
    credits.meter_deactivate(text),
    credits.maintain_batch(integer, text, timestamptz),
    credits.inbox_retry(uuid[], text),
    credits.inbox_discard(uuid[]),
    credits.product_create(text, text, text, text[], text[], text, text, jsonb, jsonb, jsonb, text, numeric, text, text,
        integer, interval, text[]),
    credits.product_update(uuid, text, text, numeric, text, integer, interval, text[], jsonb, text, text[], text[],
        text, text, jsonb),
    credits.product_archive(uuid),
    credits.product_delete(uuid),
    credits.price_create(uuid, text, numeric, text, jsonb, text, text, jsonb, jsonb, integer, jsonb, text, jsonb, text,
        integer),
    credits.price_update(uuid, numeric, text, jsonb, text, text, jsonb, jsonb, integer, jsonb, text, jsonb, integer),
    credits.price_inventory(uuid, integer, text, text),
    credits.price_archive(uuid),
    credits.price_delete(uuid),
    credits.package_create(text, numeric, numeric, text, text, text, text, integer, interval, text[], jsonb, boolean,
        text, text),
    credits.coupon_create(text, numeric, numeric, text, jsonb, jsonb, text, integer, uuid[], integer, integer,
        timestamptz, jsonb, text, jsonb, text),
    credits.coupon_update(uuid, text, numeric, numeric, text, jsonb, jsonb, text, integer, uuid[], integer, integer,
        timestamptz, text, jsonb, boolean),
    credits.coupon_delete(uuid),
    credits.promotion_code_create(uuid, text, integer, timestamptz, text[], text, jsonb, timestamptz, text, jsonb,
        text),
    credits.promotion_code_update(uuid, boolean, integer, timestamptz, text[], text, jsonb, timestamptz, text, jsonb),
    credits.promotion_code_archive(uuid),
    credits.promotion_code_delete(uuid),
    credits.exchange_rate_set(text, text, numeric, timestamptz),
    credits.configure_recharge(text, uuid, text, numeric, numeric),
    credits.payment_link_create(text, jsonb, text, jsonb, text, boolean, jsonb, text, jsonb),
    credits.payment_link_update(uuid, text, jsonb, jsonb, text, boolean, jsonb, jsonb),
    credits.payment_link_archive(uuid),
    credits.payment_provider_set(text, text, text, text, integer, boolean, text, timestamptz),
    credits.outbox_consumer_create(text),
    credits.outbox_consumer_remove(text),
    credits.outbox_release(text, text),
    credits.webhook_claim(text, integer, interval),
    credits.webhook_report(uuid, integer, text),
    credits.webhook_endpoint_create(text, text[], text, jsonb, text),
    credits.webhook_endpoint_update(uuid, text, text[], text, boolean, interval, text, jsonb),
    credits.webhook_endpoint_delete(uuid),
    credits.webhook_test(uuid),
    credits.webhook_resend(uuid, uuid),
    credits.billing_portal_key_rotate()
TO credits_admin;
GRANT EXECUTE ON PROCEDURE credits.maintain(integer) TO credits_admin;

-- What an end user's own login may see: the rows of credits.current_customer, and nothing that answers for another.
GRANT EXECUTE ON FUNCTION
    credits.clock(),
    credits.current_customer(),
    credits.customer_me(),
    credits.my_invoice_html(uuid),
    credits.clock(),
    credits_internal.own_wallets(),
    credits_internal.own_grants()
TO credits_customer;
GRANT SELECT ON credits.my_wallets, credits.my_grants, credits.my_ledger, credits.my_invoices, credits.my_invoice_lines,
    credits.my_payment_methods, credits.my_payment_intents, credits.my_refunds, credits.my_checkout_sessions,
    credits.my_subscriptions, credits.my_usage_records, credits.my_usage_record_summaries
TO credits_customer;

-- What a program needs that does one thing: receive webhooks, charge cards, send to endpoints, report usage.
GRANT EXECUTE ON FUNCTION
    credits.webhook_receive
TO credits_webhook;
GRANT EXECUTE ON FUNCTION
    credits.outbox_claim,
    credits.outbox_ack,
    credits.recharge_begin,
    credits.payment_succeeded,
    credits.payment_failed,
    credits.payment_processing,
    credits.payment_requires_action,
    credits.payment_intent_begin,
    credits.refund_begin,
    credits.payment_refunded,
    credits.payment_refund_failed,
    credits.payment_disputed,
    credits.payment_dispute_closed
TO credits_worker;
-- Not the application's: what is reported as sent is not sent again.
GRANT EXECUTE ON FUNCTION
    credits.webhook_claim,
    credits.webhook_report
TO credits_sender;
GRANT EXECUTE ON FUNCTION
    credits.report_meter_event,
    credits.report_meter_events(jsonb, boolean),
    credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[])
TO credits_meter;
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata,
              member_id)
ON credits.inbox TO credits_meter;

-- Row types: whoever may call a function may use its type, in a function of their own for one.
GRANT USAGE ON TYPE
    credits.balance, credits.availability, credits.drawdown, credits.grant_summary, credits.grant_holder,
    credits.grant_stats, credits.ledger_line, credits.past_balance, credits.pending_usage, credits.usage_total,
    credits.transaction_total,
    credits.usage_bucket, credits.recharge_config, credits.auto_recharge, credits.invoice,
    credits.promotion_code, credits.redemption
TO credits_app, credits_read, credits_admin;
GRANT USAGE ON TYPE
    credits.currency, credits.erasure, credits.metadata_clearance, credits.account, credits.meter,
    credits.meter_status, credits.price_override, credits.product, credits.price, credits.package,
    credits.exchange_rate, credits.payment_provider, credits.outbox_consumer, credits.balance_alert,
    credits.coupon, credits.payment_link, credits.webhook_endpoint
TO credits_admin;
GRANT USAGE ON TYPE
    credits.customer, credits.debit, credits.try_debit, credits.adjustment, credits.transfer, credits.hold,
    credits.reversal, credits.credit, credits.credit_grant, credits.cancellation, credits.event_adjustment,
    credits.top_up, credits.portal_link, credits.portal_session, credits.spending_limit, credits.invoice_line,
    credits.payment_method, credits.payment_intent, credits.refund, credits.deposit, credits.voucher,
    credits.checkout_session, credits.subscription, credits.subscription_preview, credits.subscription_item,
    credits.usage_record
TO credits_app, credits_admin;
GRANT USAGE ON TYPE
    credits.payment_outcome, credits.refund_outcome, credits.recharge_attempt, credits.outbox_row,
    credits.payment_attempt, credits.refund_attempt
TO credits_app, credits_admin, credits_worker;
GRANT USAGE ON TYPE credits.webhook_request, credits.webhook_outcome
TO credits_admin, credits_sender;
GRANT USAGE ON TYPE credits.reported_event, credits.batch_event
TO credits_app, credits_admin, credits_meter;
GRANT USAGE ON TYPE credits.received_webhook
TO credits_app, credits_admin, credits_webhook;
GRANT USAGE ON TYPE credits.own_customer
TO credits_customer;
GRANT USAGE ON TYPE credits.discrepancy
TO credits_read, credits_admin;
