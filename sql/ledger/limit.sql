-- Limits of what may be spent: by a customer, by its members, on a meter, in a window of time.

-- What counts, line by line. What came back counts when it was spent, so that it gives room where it had taken it.
CREATE VIEW credits_internal.spending AS
SELECT l.customer_id, l.currency, l.line_no,
       coalesce(e.member_id, l.member_id, o.member_id, h.member_id) AS member_id, e.event_name,
       CASE l.type WHEN 'reversal' THEN coalesce(e.created_at, r.spent_at) ELSE l.effective_at END AS spent_at,
       coalesce(l.pending, 0) - l.amount - coalesce(l.held, 0) AS amount
FROM credits_internal.lines l
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.line_no IS NULL
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
WHERE CASE WHEN l.type = 'debt' AND o.function = 'hold_capture' THEN true
           WHEN l.type IN ('consumption', 'debt') THEN l.identifier IS NOT NULL
           WHEN l.type = 'reversal' THEN l.identifier IS NOT NULL OR r.spent_at IS NOT NULL
           WHEN l.type = 'debit'
               THEN coalesce(l.function, o.function) IN ('wallet_debit', 'hold_capture', 'invoice_pay')
           ELSE l.type IN ('hold', 'capture', 'release') END;
COMMENT ON VIEW credits_internal.spending IS
'Lines of the ledger that count towards limits: usage, debits, and what was captured of holds. For verify(), and for
what counts them.

amount: credits spent, below zero where they came back, zero where a hold was made or released; spent_at: when; what
came back has the time of the event or the operation that had cost it.';

CREATE TYPE credits.spending_limit AS (
    customer_id text, currency text, member_id text, event_name text, per text, amount numeric, action text,
    used numeric, remaining numeric, resets_at timestamptz);
COMMENT ON TYPE credits.spending_limit IS
'A limit of what may be spent, as usage_limit_set() and member_limit_set() return it.';
COMMENT ON COLUMN credits.spending_limit.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.spending_limit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.spending_limit.member_id IS 'The member whose spending it limits; NULL for everybody''s.';
COMMENT ON COLUMN credits.spending_limit.event_name IS 'The meter whose usage it limits; NULL for any spending.';
COMMENT ON COLUMN credits.spending_limit.per IS
'''day'', ''month'', or the length of a rolling window such as ''7 days''.';
COMMENT ON COLUMN credits.spending_limit.amount IS 'The most that may be spent in a window; NULL where it is removed.';
COMMENT ON COLUMN credits.spending_limit.action IS '''reject'' or ''notify''; NULL where it is removed.';
COMMENT ON COLUMN credits.spending_limit.used IS 'What was spent in the window, and what open holds have.';
COMMENT ON COLUMN credits.spending_limit.remaining IS 'What is left; NULL where it is removed.';
COMMENT ON COLUMN credits.spending_limit.resets_at IS 'When the window ends; NULL for a rolling one.';

CREATE FUNCTION credits.usage_limit_set(
    customer_id text, event_name text DEFAULT NULL, amount numeric DEFAULT NULL, per text DEFAULT NULL,
    action text DEFAULT NULL, currency text DEFAULT NULL)
RETURNS credits.spending_limit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_limit_set_wrapper';
COMMENT ON FUNCTION credits.usage_limit_set IS
'Sets, changes or removes a limit of what a customer may spend in a day, a month or a rolling window.

customer_id: the customer.
event_name: the meter whose usage it limits; NULL for everything that is spent in the currency.
amount: the most credits that may be spent in a window; ''infinity'' removes the limit, NULL leaves it as it is.
per: ''day'' or ''month'' of the calendar in UTC, or the length of a rolling window of days, hours, minutes or seconds:
  ''7 days''; required. It is part of which limit it is: a limit per day and one per month stand side by side.
action: ''reject'' refuses what goes beyond it (PC021), ''notify'' only publishes limit.reached; NULL for ''reject'',
  or what the limit has.
currency: the currency; NULL for the meter''s or, without a meter, credits.default_currency.

Debits, usage, and holds count: usage when it is charged, paid or owed, a hold while it is open, and what is captured
of it when it is captured. Usage that is canceled, and what operation_reverse() gives back, makes room again in the
window in which it was spent. Each is judged in the transaction that spends, under the lock of the account, so no two
calls exceed a limit together. Usage of deferred meters and of the inbox has happened: ''reject'' only publishes. What
was spent in the window before the limit was set counts too.

Raises PC003, PC004, PC007, PC008, PC013.
Example: SELECT amount, used, remaining FROM credits.usage_limit_set(''ann'', ''llm.tokens'', 500, ''day'');';

CREATE FUNCTION credits.member_limit_set(
    customer_id text, member_id text, amount numeric DEFAULT NULL, per text DEFAULT NULL,
    currency text DEFAULT NULL)
RETURNS credits.spending_limit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'member_limit_set_wrapper';
COMMENT ON FUNCTION credits.member_limit_set IS
'Sets, changes or removes a limit of what one member of a customer may spend.

customer_id: the customer: the team, whose credits are spent.
member_id: the member: the application''s own key. Calls that spend name it as member_id.
amount: the most credits that the member may spend in a window; ''infinity'' removes the limit, NULL leaves it as it is.
per: ''day'' or ''month'' of the calendar in UTC, or the length of a rolling window such as ''7 days''; required.
currency: the currency; NULL for credits.default_currency.

What the member would spend beyond it is refused: PC021. What counts, and when, is as for usage_limit_set().

Raises PC003, PC007, PC008, PC013.
Example: SELECT amount, used, remaining FROM credits.member_limit_set(''ann'', ''designer-7'', 100, ''month'');';

CREATE VIEW credits.limits AS
SELECT l.customer_id, l.currency, nullif(l.member_id, '') AS member_id, nullif(l.event_name, '') AS event_name, l.per,
       l.amount, l.action, n.used + h.held AS used, h.held, greatest(l.amount - n.used - h.held, 0) AS remaining,
       CASE WHEN l.seconds IS NULL
            THEN (date_trunc(l.per, c.now AT TIME ZONE 'UTC') + ('1 ' || l.per)::interval) AT TIME ZONE 'UTC' END
           AS resets_at,
       l.created_at
FROM credits_internal.spending_limits l
CROSS JOIN LATERAL (SELECT credits.clock() AS now) c
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.seconds IS NOT NULL THEN l.used - (
                    SELECT coalesce(sum(r.amount), 0) FROM credits_internal.rolling_spending r
                    WHERE r.customer_id = l.customer_id AND r.currency = l.currency AND r.member_id = l.member_id
                      AND r.event_name = l.event_name AND r.per = l.per
                      AND r.spent_at <= c.now - l.seconds * interval '1 second')
                WHEN date_trunc(l.per, c.now, 'UTC') > l.since THEN 0
                ELSE l.used END AS used) n
CROSS JOIN LATERAL (
    SELECT coalesce(sum(part), 0) AS held FROM credits_internal.holds h CROSS JOIN unnest(h.grant_amounts) AS part
    WHERE h.customer_id = l.customer_id AND h.currency = l.currency AND h.status = 'open' AND h.expires_at > c.now
      AND (l.member_id = '' OR h.member_id = l.member_id) AND (l.event_name = '' OR h.event_name = l.event_name)) h;
COMMENT ON VIEW credits.limits IS
'Limits of what may be spent, with what is used of each at this moment.

Unsettled usage counts once it is settled.';
COMMENT ON COLUMN credits.limits.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.limits.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.limits.member_id IS 'The member whose spending it limits; NULL for everybody''s.';
COMMENT ON COLUMN credits.limits.event_name IS 'The meter whose usage it limits; NULL for any spending.';
COMMENT ON COLUMN credits.limits.per IS
'''day'' or ''month'' of the calendar in UTC, or the length of a rolling window such as ''7 days''.';
COMMENT ON COLUMN credits.limits.amount IS 'The most that may be spent in a window.';
COMMENT ON COLUMN credits.limits.action IS '''reject'' or ''notify''.';
COMMENT ON COLUMN credits.limits.used IS 'What was spent in the window, and what open holds have.';
COMMENT ON COLUMN credits.limits.held IS 'What of that open holds have.';
COMMENT ON COLUMN credits.limits.remaining IS 'What is left.';
COMMENT ON COLUMN credits.limits.resets_at IS 'When the window ends; NULL for a rolling one.';
COMMENT ON COLUMN credits.limits.created_at IS 'When it was set first.';
