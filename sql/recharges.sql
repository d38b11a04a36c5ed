-- Recharging: what a currency is recharged with, auto-recharge, what a page needs. The work is in src/topup/recharge.rs,
-- auto_recharge.rs, watch.rs, bootstrap.rs and portal.rs.

CREATE FUNCTION credits.configure_recharge(
    currency text, base_price_id uuid, checkout_url text DEFAULT NULL, min_amount numeric DEFAULT NULL,
    max_amount numeric DEFAULT NULL,
    OUT currency text, OUT price_id uuid, OUT product_id uuid, OUT product_name text, OUT credits numeric,
    OUT unit_amount numeric, OUT price_currency text, OUT payment_url text, OUT min_amount numeric, OUT max_amount numeric)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_recharge_wrapper';
COMMENT ON FUNCTION credits.configure_recharge IS
'Makes a credit currency rechargeable at a price whose product grants it. checkout_url: where to pay, an http or https address with the places of top_up_create after its host. min_amount, max_amount: what one payment for this currency may be, in the price''s currency, whoever makes it: a top-up or auto-recharge. What is NULL stays; ''infinity'' removes a limit. One unit must not cost more than max_amount or the payment currency''s max_payment, and a price in another currency needs its limits anew. Raises PC007, PC008, PC013, PC015.';

CREATE FUNCTION credits.recharge_config(
    currency text DEFAULT NULL,
    OUT currency text, OUT price_id uuid, OUT product_id uuid, OUT product_name text, OUT credits numeric,
    OUT unit_amount numeric, OUT price_currency text, OUT payment_url text, OUT min_amount numeric, OUT max_amount numeric)
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'recharge_config_wrapper';
COMMENT ON FUNCTION credits.recharge_config IS
'How a credit currency (NULL: credits.default_currency) is recharged: its price, product and payment URL. Raises PC008, PC011.';

CREATE FUNCTION credits.configure_auto_recharge(
    customer_id text, currency text DEFAULT NULL, enabled boolean DEFAULT NULL, threshold numeric DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity integer DEFAULT NULL, payment_method text DEFAULT NULL,
    max_attempts_per_day integer DEFAULT NULL, max_amount_per_day numeric DEFAULT NULL, cooldown interval DEFAULT NULL,
    timeout interval DEFAULT NULL,
    OUT customer_id text, OUT currency text, OUT enabled boolean, OUT threshold numeric, OUT price_id uuid,
    OUT quantity integer, OUT payment_method text, OUT max_attempts_per_day integer, OUT max_amount_per_day numeric,
    OUT cooldown interval, OUT timeout interval, OUT failures integer, OUT disabled_reason text,
    OUT recharge_in_progress boolean, OUT waits_for_spend boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_auto_recharge_wrapper';
COMMENT ON FUNCTION credits.configure_auto_recharge IS
'Has a customer''s account recharge itself: what leaves less than threshold credits available writes a request (a recharge, a top-up and a row of the outbox, type ''recharge.requested'') in its own transaction, as does switching it on while there is less. Credits that are taken back (a refund, a dispute, a grant that is voided or ended, a correction) never ask for a recharge, and nor does maintain() after that: waits_for_spend is true until the customer spends again, has threshold credits again, or enabled => true says so. Usage that was reported before the account''s last posting, and waited in the inbox, is no such spend. At most one request is open; one that no worker has begun is canceled when it is switched off, or when a limit that it is beyond was lowered. enabled: true at first. threshold is required at first; price_id: NULL at first takes the currency''s recharge configuration (PC011 where there is none); quantity: 1 at first. max_attempts_per_day, max_amount_per_day: within 24 hours, the latter in the price''s currency and at least what one recharge costs, failed attempts not counted as amounts; a price in another currency needs it anew. cooldown: the least time between two requests (1 minute at first). timeout: a request that is not answered within it has timed out (1 hour at first). The outbox row has recharge_id, top_up_id, currency, amount, price_currency, credits, payment_method and expires_at. It switches itself off, with a row ''recharge.disabled'' of the outbox, and disabled_reason has the code why: ''failures'' (three failures or time-outs in a row), ''disputed'' (a payment of the customer was disputed), ''erased'' (the customer was erased), or, where it can buy nothing any more, ''not_on_sale'', ''currency_inactive'', ''restricted_credits'' (for certain meters only, so they lift no balance), ''amount_too_large'' (too many digits, also together with all that the account was ever granted), ''payment_limit'' (of the payment currency, or of the recharge configuration) and ''daily_limit''; the same is refused here, unless it is switched off. enabled => true starts afresh; a payment that comes later is granted, and counts as no failure, but does not switch it on. An account that is still low when cooldown or limits allow again is asked for by its next posting, or by maintain(). What is NULL stays; ''infinity'' removes the limit on the amount, 2147483647 that on attempts. Raises PC003, PC007, PC008, PC011, PC013, PC015.';

CREATE FUNCTION credits.auto_recharge_config(
    customer_id text, currency text DEFAULT NULL,
    OUT customer_id text, OUT currency text, OUT enabled boolean, OUT threshold numeric, OUT price_id uuid,
    OUT quantity integer, OUT payment_method text, OUT max_attempts_per_day integer, OUT max_amount_per_day numeric,
    OUT cooldown interval, OUT timeout interval, OUT failures integer, OUT disabled_reason text,
    OUT recharge_in_progress boolean, OUT waits_for_spend boolean)
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'auto_recharge_config_wrapper';
COMMENT ON FUNCTION credits.auto_recharge_config IS
'A customer''s auto-recharge in a currency (NULL: credits.default_currency). failures: how many attempts in a row failed or timed out. disabled_reason: the code of why it switched itself off. waits_for_spend: whether it waits for the customer''s next spend, because credits were taken back. Raises PC011 where none was configured, PC013.';

CREATE FUNCTION credits.recharge_begin(
    customer_id text, recharge_id uuid,
    OUT go boolean, OUT recharge_id uuid, OUT top_up_id uuid, OUT status text, OUT amount numeric, OUT minor_units numeric,
    OUT currency text, OUT payment_method text, OUT expires_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'recharge_begin_wrapper';
COMMENT ON FUNCTION credits.recharge_begin IS
'What a worker calls right before it charges: go says whether it may. Not where the request was answered, has timed out, was canceled (the customer topped up by hand meanwhile, or switched it off), or is beyond a limit that was lowered: limits are judged again here. amount (and minor_units, cents) of currency is what to charge; give the provider recharge_id as the idempotency key and customer_id and top_up_id as metadata, so that its webhook finds the top-up. Again, for one that is being processed, is go again where all that still holds: the provider''s idempotency key keeps it one charge. Raises PC013, PC014.';

CREATE FUNCTION credits.billing_bootstrap(customer_id text)
RETURNS jsonb
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_bootstrap_wrapper';
COMMENT ON FUNCTION credits.billing_bootstrap IS
'All that a billing page draws, in one call: {customer, balances, packages, meters, history, purchases, auto_recharge}. Amounts are strings of digits. history: the last 20 ledger lines; purchases: the last 20. Raises PC013.';

CREATE FUNCTION credits.billing_portal_session_create(
    customer_id text, return_url text DEFAULT NULL, failure_url text DEFAULT NULL,
    OUT token text, OUT url text, OUT expires_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_session_create_wrapper';
COMMENT ON FUNCTION credits.billing_portal_session_create IS
'A signed link to the customer''s billing page, good for 10 minutes: url is credits.portal_url with the token, before a fragment (NULL where that is not set). return_url, failure_url and credits.portal_url are http or https addresses as in top_up_create. The page''s server asks billing_portal_session_verify whose it is. Raises PC003, PC013.';

CREATE FUNCTION credits.billing_portal_session_verify(
    token text,
    OUT customer_id text, OUT return_url text, OUT failure_url text, OUT expires_at timestamptz)
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_session_verify_wrapper';
COMMENT ON FUNCTION credits.billing_portal_session_verify IS
'Whose page a token opens. Raises PC012 for one that was changed, has expired, or was not made in this database with its present key.';

CREATE FUNCTION credits.billing_portal_key_rotate()
RETURNS timestamptz
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_key_rotate_wrapper';
COMMENT ON FUNCTION credits.billing_portal_key_rotate IS
'Makes a new key for links to billing pages: those that were made before are PC012 from its commit on. For a key that somebody may know, and for every copy of the server''s files (pg_basebackup, a snapshot) before anybody reaches it: tokens of the copy are then none of the original. A database that was restored from a dump, or made from a template, needs it not: its tokens are its own. Returns when the key was made.';

CREATE VIEW credits.recharge_log AS
SELECT r.customer_id, r.recharge_id, r.currency, CASE WHEN o.over THEN 'timed_out' ELSE r.status END AS status, r.amount,
       r.price_currency, r.credits, r.top_up_id, CASE WHEN o.over THEN 'nobody answered in time' ELSE r.reason END AS reason,
       r.requested_at, r.started_at, r.expires_at, CASE WHEN o.over THEN r.expires_at ELSE r.closed_at END AS closed_at
FROM credits.recharges r
CROSS JOIN LATERAL (SELECT r.status IN ('requested', 'processing') AND r.expires_at <= credits.clock() AS over) o;
COMMENT ON VIEW credits.recharge_log IS
'Auto-recharge''s attempts: status ''requested'', ''processing'' (a worker is at it), ''paid'', ''failed'', ''timed_out'', ''canceled'' (before a worker began there were credits enough again, it was switched off, or a limit was lowered). A time-out shows at its moment, whether or not anything has posted it.';
