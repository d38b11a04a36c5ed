-- Auto-recharge: how it is configured.

CREATE TYPE credits.auto_recharge AS (
    customer_id text, currency text, enabled boolean, threshold numeric, price_id uuid, quantity integer,
    payment_method text, max_attempts_per_day integer, max_amount_per_day numeric, cooldown interval,
    timeout interval, failures integer, disabled_reason text, recharge_in_progress boolean, waits_for_spend boolean);
COMMENT ON TYPE credits.auto_recharge IS
'A customer''s auto-recharge, as configure_auto_recharge() and auto_recharge_config() return it.';
COMMENT ON COLUMN credits.auto_recharge.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.auto_recharge.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.auto_recharge.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.auto_recharge.threshold IS 'It buys when less than this is available.';
COMMENT ON COLUMN credits.auto_recharge.price_id IS 'The price that it buys at.';
COMMENT ON COLUMN credits.auto_recharge.quantity IS 'How many units it buys.';
COMMENT ON COLUMN credits.auto_recharge.payment_method IS 'What the worker charges, in the worker''s own terms.';
COMMENT ON COLUMN credits.auto_recharge.max_attempts_per_day IS 'The most attempts within 24 hours; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_amount_per_day IS
'The most money within 24 hours, in the price''s currency, not counting failed attempts; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.cooldown IS 'The least time between two requests.';
COMMENT ON COLUMN credits.auto_recharge.timeout IS 'How long a request waits for an answer.';
COMMENT ON COLUMN credits.auto_recharge.failures IS 'How many attempts in a row failed or timed out.';
COMMENT ON COLUMN credits.auto_recharge.disabled_reason IS
'The code of why it switched itself off: see configure_auto_recharge(). NULL where it did not.';
COMMENT ON COLUMN credits.auto_recharge.recharge_in_progress IS 'Whether an auto-recharge is under way.';
COMMENT ON COLUMN credits.auto_recharge.waits_for_spend IS
'Whether it waits for the customer''s next spend, because credits were taken back.';

CREATE FUNCTION credits.configure_auto_recharge(
    customer_id text, currency text DEFAULT NULL, enabled boolean DEFAULT NULL, threshold numeric DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity integer DEFAULT NULL, payment_method text DEFAULT NULL,
    max_attempts_per_day integer DEFAULT NULL, max_amount_per_day numeric DEFAULT NULL,
    cooldown interval DEFAULT NULL, timeout interval DEFAULT NULL)
RETURNS credits.auto_recharge
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_auto_recharge_wrapper';
COMMENT ON FUNCTION credits.configure_auto_recharge IS
'Configures an account to recharge itself when its balance is low. NULL leaves a value unchanged.

customer_id: the customer.
currency: the credit currency; NULL for credits.default_currency.
enabled: whether it is on; true at first. true starts afresh.
threshold: buy when less than this many credits are available; required at first.
price_id: what to buy; NULL at first takes the currency''s recharge configuration (PC011 where there is none).
quantity: how many units to buy; 1 at first.
payment_method: what the worker charges, in its own terms.
max_attempts_per_day: the most attempts within 24 hours; 2147483647 removes the limit.
max_amount_per_day: the most money within 24 hours, in the price''s currency, not counting failed attempts, and at
  least what one recharge costs. A price in another currency needs it anew; ''infinity'' removes the limit.
cooldown: the least time between two requests; 1 minute at first.
timeout: a request that is not answered within it has timed out; 1 hour at first.

What leaves less than threshold credits available writes a request in its own transaction: a recharge, a top-up and a
row of the outbox, type ''recharge.requested'', with recharge_id, top_up_id, currency, amount, price_currency,
credits, payment_method and expires_at. Switching it on while there is less does the same. At most one request is
open; one that no worker has begun is canceled when it is switched off, or when a limit that it is beyond was lowered.
If an account is still low when cooldown or limits allow another request, its next posting or maintain() writes it.

Credits that are taken back (a refund, a dispute, a grant that is voided or ended, a correction) never ask for a
recharge, nor does maintain() after that: waits_for_spend is true until the customer spends again, has threshold
credits again, or enabled => true says so. Usage that was reported before the account''s last posting, and waited in
the inbox, is no such spend.

Auto-recharge switches itself off, with a row ''recharge.disabled'' of the outbox, and disabled_reason has the code:
''failures'' (three failures or time-outs in a row), ''disputed'' (a payment of the customer was disputed), ''erased''
(the customer was erased), or, where it can buy nothing any more, ''not_on_sale'', ''currency_inactive'',
''restricted_credits'' (for certain meters only, so they lift no balance), ''amount_too_large'' (too many digits, also
together with all that the account was ever granted), ''payment_limit'' (of the payment currency, or of the recharge
configuration) and ''daily_limit''. The same is refused here, unless it is switched off. A payment that comes later is
granted, and counts as no failure, but does not switch it on.

Raises PC003, PC007, PC008, PC011, PC013, PC015.
Example: SELECT * FROM credits.configure_auto_recharge(''ann'', threshold => 50, payment_method => ''pm_1'');';

CREATE FUNCTION credits.auto_recharge_config(customer_id text, currency text DEFAULT NULL)
RETURNS credits.auto_recharge
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'auto_recharge_config_wrapper';
COMMENT ON FUNCTION credits.auto_recharge_config IS
'Returns a customer''s auto-recharge in a currency.

customer_id: the customer.
currency: the credit currency; NULL for credits.default_currency.

PC011 means that none was configured.

Raises PC011, PC013.
Example: SELECT enabled, threshold, disabled_reason FROM credits.auto_recharge_config(''cy'');';
