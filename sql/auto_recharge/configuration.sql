-- Auto-recharge: how it is configured.

CREATE TYPE credits.auto_recharge AS (
    customer_id text, currency text, enabled boolean, threshold numeric, price_id uuid, quantity integer,
    payment_method text, max_attempts_per_day integer, max_amount_per_day numeric, cooldown interval,
    timeout interval, failures integer, disabled_reason text, recharge_in_progress boolean, waits_for_spend boolean,
    target numeric, price_currency text, max_attempts_per_calendar_day integer, max_amount_per_calendar_day numeric,
    max_attempts_per_calendar_month integer, max_amount_per_calendar_month numeric, schedule_every interval,
    schedule_start_at timestamptz, schedule_day integer, next_scheduled_at timestamptz);
COMMENT ON TYPE credits.auto_recharge IS
'A customer''s auto-recharge, as configure_auto_recharge() and auto_recharge_config() return it.';
COMMENT ON COLUMN credits.auto_recharge.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.auto_recharge.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.auto_recharge.enabled IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.auto_recharge.threshold IS
'It buys when less than this is available; 0: never because of the balance.';
COMMENT ON COLUMN credits.auto_recharge.price_id IS 'The price that it buys at; NULL where it buys by amount.';
COMMENT ON COLUMN credits.auto_recharge.quantity IS 'How many units it buys; with a target, the fewest.';
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
COMMENT ON COLUMN credits.auto_recharge.target IS
'How many credits a recharge is to reach; NULL where it always buys the same quantity.';
COMMENT ON COLUMN credits.auto_recharge.price_currency IS
'The currency that is paid where it buys by amount, at the exchange rate; NULL where it buys at a price.';
COMMENT ON COLUMN credits.auto_recharge.max_attempts_per_calendar_day IS
'The most attempts within a day in UTC; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_amount_per_calendar_day IS
'The most money within a day in UTC, not counting failed attempts; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_attempts_per_calendar_month IS
'The most attempts within a month in UTC; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_amount_per_calendar_month IS
'The most money within a month in UTC, not counting failed attempts; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.schedule_every IS
'How often it buys whatever the balance; NULL for no such schedule.';
COMMENT ON COLUMN credits.auto_recharge.schedule_start_at IS
'The first moment of schedule_every; schedule_day begins no earlier.';
COMMENT ON COLUMN credits.auto_recharge.schedule_day IS
'On which day of each month it buys whatever the balance, in UTC; NULL for no such schedule.';
COMMENT ON COLUMN credits.auto_recharge.next_scheduled_at IS
'When the schedule asks next, or since when it waits; NULL without one, and while it is switched off.';

CREATE FUNCTION credits.configure_auto_recharge(
    customer_id text, currency text DEFAULT NULL, enabled boolean DEFAULT NULL, threshold numeric DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity integer DEFAULT NULL, payment_method text DEFAULT NULL,
    max_attempts_per_day integer DEFAULT NULL, max_amount_per_day numeric DEFAULT NULL,
    cooldown interval DEFAULT NULL, timeout interval DEFAULT NULL, target numeric DEFAULT NULL,
    max_attempts_per_calendar_day integer DEFAULT NULL, max_amount_per_calendar_day numeric DEFAULT NULL,
    max_attempts_per_calendar_month integer DEFAULT NULL, max_amount_per_calendar_month numeric DEFAULT NULL,
    schedule_every interval DEFAULT NULL, schedule_start_at timestamptz DEFAULT NULL,
    schedule_day integer DEFAULT NULL, price_currency text DEFAULT NULL)
RETURNS credits.auto_recharge
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_auto_recharge_2_wrapper';
COMMENT ON FUNCTION credits.configure_auto_recharge IS
'Configures an account to recharge itself, when its balance is low or on a schedule. NULL leaves a value unchanged.

customer_id: the customer.
currency: the credit currency; NULL for credits.default_currency.
enabled: whether it is on; true at first. true starts afresh.
threshold: buy when less than this many credits are available; required at first. 0, with a schedule: never because
  of the balance.
price_id: what to buy; NULL at first takes the currency''s recharge configuration (PC011 where there is none).
quantity: how many units to buy, with a target the fewest; 1 at first.
payment_method: what the worker charges, in its own terms.
max_attempts_per_day: the most attempts within 24 hours; 0 removes the limit, as 2147483647 does.
max_amount_per_day: the most money within 24 hours, in the price''s currency, not counting failed attempts, and at
  least what one recharge costs. A price in another currency needs it anew; 0 removes the limit, as ''infinity'' does.
cooldown: the least time between two requests; 1 minute at first.
timeout: a request that is not answered within it has timed out; 1 hour at first.
target: how many credits there shall be after a recharge, at least threshold: as much is bought as that takes, in one
  charge. 0 removes it: then it is always quantity.
max_attempts_per_calendar_day: the same as max_attempts_per_day within a day of the calendar in UTC.
max_amount_per_calendar_day: the same as max_amount_per_day within a day of the calendar in UTC.
max_attempts_per_calendar_month: the most attempts within a month of the calendar in UTC.
max_amount_per_calendar_month: the most money within a month of the calendar in UTC.
schedule_every: also buy whenever so much time has passed since schedule_start_at, whatever the balance; 0 removes the
  schedule.
schedule_start_at: the first moment of schedule_every, NULL at first for now; schedule_day begins no earlier.
schedule_day: also buy as this day of each month begins in UTC, the last where a month has fewer days, whatever the
  balance; 0 removes the schedule. It takes the place of schedule_every.
price_currency: buy by amount in this currency, at the exchange rate of the moment, exactly what the target takes;
  price_id goes back to a price.

What leaves less than threshold credits available writes a request in its own transaction: a recharge, a top-up and a
row of the outbox, type ''recharge.requested'', with recharge_id, top_up_id, currency, amount, price_currency,
credits, quantity, scheduled, payment_method and expires_at. Switching it on while there is less does the same. At
most one request is open; one that no worker has begun is canceled when it is switched off, or when a limit that it is
beyond was lowered. If an account is still low when cooldown or limits allow another request, its next posting or
maintain() writes it.

With a target the number of units is worked out when the request is made: so many that the target is reached once what
is owed is paid, at least quantity and what a payment must be, at most what a payment may be and what the limits have
left. Where they have less left than the least, it waits until they allow that.

A schedule asks at its moments, whatever the balance, also after credits were taken back: the next posting of the
account, or maintain(). A moment waits while a request is open, and until cooldown and limits allow it; however many
have passed, they are made up for once. If the target is reached there is nothing to buy, and the moment is over; so is
one whose request fails or times out. It goes on from now where any part of it is given, or enabled => true.

Credits that are taken back (a refund, a dispute, a grant that is voided or ended, a correction) never ask for a
recharge, nor does maintain() after that: waits_for_spend is true until the customer spends again, has threshold
credits again, or enabled => true says so. Usage that was reported before the account''s last posting, and waited in
the inbox, is no such spend.

Auto-recharge switches itself off, with a row ''recharge.disabled'' of the outbox, and disabled_reason has the code:
''failures'' (three failures or time-outs in a row), ''disputed'' (a payment of the customer was disputed), ''erased''
(the customer was erased), or, where it can buy nothing any more, ''not_on_sale'', ''currency_inactive'',
''restricted_credits'' (for certain meters only, so they lift no balance), ''no_rate'' (by amount, and without an
exchange rate), ''amount_too_large'' (too many digits, also together with all that the account was ever granted),
''payment_limit'' (of the payment currency, or of the recharge configuration), ''daily_limit'' and ''monthly_limit''
(the least costs more than a limit). The same is refused here, unless it is switched off. A payment that comes later is
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
