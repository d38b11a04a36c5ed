-- Credit grants.

CREATE TYPE credits.credit_grant AS (
    grant_id uuid, customer_id text, currency text, status text, amount numeric, remaining numeric, category text,
    priority integer, effective_at timestamptz, expires_at timestamptz, applicable_meters text[], cost_basis numeric,
    name text, granted_by text, metadata jsonb, created_at timestamptz, replayed boolean, cost_amount numeric,
    cost_currency text, rollover jsonb, rolled_from uuid, rolled_to uuid, rolled_over numeric);
COMMENT ON TYPE credits.credit_grant IS
'A credit grant, as credit_grant() and the functions that change a grant return it. The view grants has all of them.';
COMMENT ON COLUMN credits.credit_grant.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.credit_grant.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.credit_grant.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.credit_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits.credit_grant.amount IS 'What was granted.';
COMMENT ON COLUMN credits.credit_grant.remaining IS 'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits.credit_grant.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.credit_grant.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.credit_grant.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits.credit_grant.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits.credit_grant.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.credit_grant.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits.credit_grant.name IS 'What people call it.';
COMMENT ON COLUMN credits.credit_grant.granted_by IS 'Who granted it.';
COMMENT ON COLUMN credits.credit_grant.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.credit_grant.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.credit_grant.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.credit_grant.cost_amount IS
'What was paid for all of it, net of tax; NULL where that is not known.';
COMMENT ON COLUMN credits.credit_grant.cost_currency IS 'The currency that it was paid in.';
COMMENT ON COLUMN credits.credit_grant.rollover IS
'What goes on when its time runs out, as credit_grant() takes it, with how often it still does; NULL for nothing.';
COMMENT ON COLUMN credits.credit_grant.rolled_from IS 'The grant that rolled over into it; NULL for none.';
COMMENT ON COLUMN credits.credit_grant.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits.credit_grant.rolled_over IS 'How many credits went on then; NULL for none.';

CREATE FUNCTION credits.credit_grant(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    name text DEFAULT NULL, priority integer DEFAULT 50, effective_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, applicable_meters text[] DEFAULT NULL, cost_basis numeric DEFAULT NULL,
    granted_by text DEFAULT NULL, idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    cost_amount numeric DEFAULT NULL, cost_currency text DEFAULT NULL, rollover jsonb DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_2_wrapper';
COMMENT ON FUNCTION credits.credit_grant IS
'Grants credits under one set of terms and returns the grant.

customer_id: the customer, who is created where missing.
amount: how many credits: positive, with no more decimals than the currency has.
currency: the currency; NULL for credits.default_currency.
category: ''promotional'' or ''paid''.
name: what people call the grant.
priority: 0 to 100, lower is used first.
effective_at: from when on they can be spent; NULL for now. Until then status is ''pending''. Up to 5 minutes before
  now counts as now, earlier is PC013.
expires_at: until when they can be spent; NULL for ever.
applicable_meters: the event names that they may pay for; NULL for anything.
cost_basis: what was paid for one credit, in money; NULL where that is not known, or to take it from cost_amount.
granted_by: who granted them.
idempotency_key: a repeat with the same key returns the first grant with replayed = true; NULL for none.
metadata: the application''s own data.
cost_amount: what was paid for all of it, net of tax, with no more decimals than cost_currency has; NULL where that
  is not known. The journal and the view revenue go by it. Purchases fill it.
cost_currency: the currency that it was paid in; required with cost_amount.
rollover: what goes on when its time runs out: {"percent": 50, "max": 200, "max_times": 3, "expires_after": "1 month"};
  NULL for nothing. See below.

The account is created where missing. The credits pay pending usage first.

cost_amount is exact to the last cent, whatever becomes of the credits. cost_basis is a price for one credit, for
reports that multiply; where only cost_amount is given it is that divided by amount, rounded to 12 decimals.

Imports that set credits.allow_backdating may give an earlier effective_at: the grant and its lines then have that
time, which must not be before the account''s last line. If expires_at has passed as well, the credits are granted and
expire in the same posting, whose last line is that end.

With rollover, what remains at expires_at becomes another grant in that moment, whoever reads or charges first: percent
of it (100 where that is left out), at most max, rounded down to the currency''s decimals; the rest expires. The new
grant begins then, lives for expires_after (required; at least an hour, on the calendar in UTC), and has the same terms,
name, metadata and part of the cost. It rolls over in turn, max_times in all, or for ever where that is left out. What
is held at expires_at, and what comes back later, does not roll over. A grant that is ended by hand does not either, and
what a transfer moves has no rollover. The ledger has two lines of type ''rollover'', which sum to zero.

Raises PC002, PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.credit_grant(''ann'', 500, name => ''Welcome'',
  expires_at => now() + interval ''30 days'');';

CREATE FUNCTION credits.credit_grant_void(
    customer_id text, grant_id uuid, reason text DEFAULT NULL, amount numeric DEFAULT NULL, spent text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_void_2_wrapper';
COMMENT ON FUNCTION credits.credit_grant_void IS
'Takes a grant back now, or part of it: what remains is gone (ledger type ''void'').

customer_id: the customer.
grant_id: the grant.
reason: why; it is kept with the grant, or with the part.
amount: only so many credits of what remains, and the grant goes on; more than remain is PC001. NULL for all: the grant
  ends.
spent: what happens to what was spent of it: ''forgive'' (NULL: it stays spent) or ''pending'' (it is owed).
idempotency_key: with an amount: a repeat with the same key returns the grant with replayed = true; NULL for none, and
  each call takes another part. It does not go with all of a grant, which ends once.

What was spent stays spent; what is held ends when it comes back. A grant that was to take effect later never does.
One that has ended already stays as it is (replayed = true).

With spent => ''pending'' the grant was a mistake: what was spent of it, or with an amount as much of the amount as does
not remain, becomes pending usage (ledger type ''refund'' without a grant), which other credits pay at once where there
are any, and the next ones later. What is held is owed once it is captured, and taken back where it is released. Also of
a grant that has ended, once. A purchase is refunded instead: PC013.

Raises PC001, PC002, PC007, PC009, PC013.
Example: SELECT * FROM credits.credit_grant_void(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), amount => 5, idempotency_key => ''ticket-7'');';

CREATE FUNCTION credits.credit_grant_expire(
    customer_id text, grant_id uuid, amount numeric DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_expire_2_wrapper';
COMMENT ON FUNCTION credits.credit_grant_expire IS
'Lets a grant expire now, or part of it: as credit_grant_void(), but what remains counts as expired (breakage), not as
taken back.

customer_id: the customer.
grant_id: the grant.
amount: only so many credits of what remains, and the grant goes on; more than remain is PC001. NULL for all.
idempotency_key: with an amount: a repeat with the same key returns the grant with replayed = true; NULL for none.

expires_at stays what it was; ended_at in the view grants says when the grant ended.

Raises PC001, PC002, PC007, PC009, PC013.
Example: SELECT * FROM credits.credit_grant_expire(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''));';

CREATE FUNCTION credits.credit_grant_update(
    customer_id text, grant_id uuid, name text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    priority integer DEFAULT NULL, expires_at timestamptz DEFAULT NULL, expired boolean DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_update_2_wrapper';
COMMENT ON FUNCTION credits.credit_grant_update IS
'Changes a grant''s name, metadata, priority or expiry, never its amount. NULL leaves a value unchanged.

customer_id: the customer.
grant_id: the grant.
name: what people call the grant.
metadata: the application''s own data.
priority: 0 to 100, lower is used first.
expires_at: until when its credits can be spent; ''infinity'' for ever.
expired: true ends it now, as credit_grant_expire() does; again changes nothing (replayed = true).

Priority and expiry of a grant that has ended cannot be changed: see credit_grant_extend().

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_update(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), priority => 10);';

CREATE FUNCTION credits.credit_grant_extend(customer_id text, grant_id uuid, expires_at timestamptz)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_extend_wrapper';
COMMENT ON FUNCTION credits.credit_grant_extend IS
'Gives a grant more time, also shortly after its time ran out: what lapsed comes back.

customer_id: the customer.
grant_id: the grant.
expires_at: its new end, later than the one that it has and than now; ''infinity'' for ever.

Until credits.extend_within (7 days) after its end, the grant can be spent from again. What lapsed with its time comes
back (ledger type ''reinstatement'') and pays pending usage first; what was voided, expired by hand, or taken back
because its price was paid back does not. A grant that was suspended when its time ran out is usable then. A grant that
was ended by hand cannot be extended. The same end again changes nothing (replayed = true).

A grant rolls over once. What went on as another grant then stays there, which can be extended itself; what expired
comes back.

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_extend(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), now() + interval ''90 days'');';

CREATE FUNCTION credits.credit_grant_suspend(customer_id text, grant_id uuid, reason text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_suspend_wrapper';
COMMENT ON FUNCTION credits.credit_grant_suspend IS
'Suspends a grant: nothing of it can be spent or held until credit_grant_resume().

customer_id: the customer.
grant_id: the grant, which has begun and not ended.
reason: why; it is kept with the grant.

What remains leaves the balance (ledger type ''suspension''; the journal''s account ''suspended''). What is held stays
held; what comes back is suspended too. Its time runs on: at expires_at it expires, or rolls over into a grant that is
suspended as well. Again changes nothing
(replayed = true).

Raises PC009, PC013.
Example: SELECT status, remaining FROM credits.credit_grant_suspend(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), ''chargeback feared'');';

CREATE FUNCTION credits.credit_grant_resume(customer_id text, grant_id uuid)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_resume_wrapper';
COMMENT ON FUNCTION credits.credit_grant_resume IS
'Resumes a suspended grant: what remains of it can be spent again.

customer_id: the customer.
grant_id: the grant.

What remains comes back into the balance (ledger type ''resumption'') and pays pending usage first. A grant that is not
suspended stays as it is (replayed = true); one that has ended is PC013.

Raises PC009, PC013.
Example: SELECT status, remaining FROM credits.credit_grant_resume(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''));';

CREATE TYPE credits_internal.due_grant AS (
    grant_id uuid, status text, remaining numeric, lapsed numeric, rolled_to uuid, rolled_over numeric);
COMMENT ON TYPE credits_internal.due_grant IS 'What due_grants() returns.';
COMMENT ON COLUMN credits_internal.due_grant.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.due_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits_internal.due_grant.remaining IS
'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits_internal.due_grant.lapsed IS
'What expired, rolled over, was voided, or was taken back because its price was paid back.';
COMMENT ON COLUMN credits_internal.due_grant.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits_internal.due_grant.rolled_over IS 'How many credits went on then; NULL for none.';

CREATE FUNCTION credits_internal.due_grants(customer_id text, currency text)
RETURNS SETOF credits_internal.due_grant
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_grants_wrapper';
COMMENT ON FUNCTION credits_internal.due_grants IS
'Returns an account''s grants that time has changed and nothing has posted yet, as they stand now.

For the view grants. Writes nothing.

customer_id: the customer.
currency: the currency of the account.

Raises PC013.';

CREATE TYPE credits_internal.due_rollover AS (
    grant_id uuid, stored_id uuid, rolled_from uuid, status text, amount numeric, remaining numeric, lapsed numeric,
    effective_at timestamptz, expires_at timestamptz, suspended boolean, cost_amount numeric, times_left integer,
    rolled_to uuid, rolled_over numeric);
COMMENT ON TYPE credits_internal.due_rollover IS 'What due_rollovers() returns.';
COMMENT ON COLUMN credits_internal.due_rollover.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.due_rollover.stored_id IS
'The last grant before it that is stored: it has the same terms.';
COMMENT ON COLUMN credits_internal.due_rollover.rolled_from IS 'The grant that rolled over into it.';
COMMENT ON COLUMN credits_internal.due_rollover.status IS '''granted'', ''depleted'', ''expired'' or ''suspended''.';
COMMENT ON COLUMN credits_internal.due_rollover.amount IS 'What went on.';
COMMENT ON COLUMN credits_internal.due_rollover.remaining IS
'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits_internal.due_rollover.lapsed IS 'What expired or rolled over.';
COMMENT ON COLUMN credits_internal.due_rollover.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits_internal.due_rollover.expires_at IS 'From when on its credits cannot be spent.';
COMMENT ON COLUMN credits_internal.due_rollover.suspended IS 'Whether it began as a suspended one.';
COMMENT ON COLUMN credits_internal.due_rollover.cost_amount IS
'What was paid for all of it; NULL where that is not known.';
COMMENT ON COLUMN credits_internal.due_rollover.times_left IS 'How often it rolls over; NULL for any number.';
COMMENT ON COLUMN credits_internal.due_rollover.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits_internal.due_rollover.rolled_over IS 'How many credits went on then; NULL for none.';

CREATE FUNCTION credits_internal.due_rollovers(customer_id text, currency text)
RETURNS SETOF credits_internal.due_rollover
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_rollovers_wrapper';
COMMENT ON FUNCTION credits_internal.due_rollovers IS
'Returns an account''s grants that others have rolled over into and nothing has posted yet, as they stand now.

For the view grants, which asks only where a grant of the customer still rolls over. Writes nothing.

customer_id: the customer; NULL for none.
currency: the currency of the account.

Raises PC013.';

CREATE FUNCTION credits_internal.rollover_terms(percent numeric, max numeric, times integer, lives interval)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_strip_nulls(jsonb_build_object(
    'percent', trim_scale(percent)::text, 'max', trim_scale(max)::text, 'max_times', times,
    'expires_after', lives::text));
COMMENT ON FUNCTION credits_internal.rollover_terms IS
'Returns what goes on of a grant when its time runs out, as credit_grant() takes it. For the view grants.

percent: so many percent of what remains.
max: at most so many credits; NULL for any.
times: so many times; NULL for any number.
lives: how long what goes on lives.';

CREATE FUNCTION credits_internal.rolls_over(percent numeric, max numeric, decimals smallint, remaining numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(trunc(remaining * percent * 0.01, decimals::integer), max);
COMMENT ON FUNCTION credits_internal.rolls_over IS
'Returns how many of the credits that remain of a grant go on when its time runs out.

percent: so many percent of them.
max: at most so many; NULL for any.
decimals: how many decimals their currency has.
remaining: the credits.';

CREATE VIEW credits_internal.rollovers AS
SELECT r.customer_id, r.grant_id, r.rolled_from, r.rolled_to, r.rolled_over, r.percent, r.max, r.lives,
       CASE WHEN r.times_left IS DISTINCT FROM 0 AND r.rolled_to IS NULL
            THEN credits_internal.rollover_terms(r.percent, r.max, r.times_left, r.lives) END AS terms
FROM credits_internal.grant_rollovers r;
COMMENT ON VIEW credits_internal.rollovers IS
'Grants that roll over, with what of it is still to come as credit_grant() takes it. As posted.';

CREATE VIEW credits.grants AS
SELECT g.customer_id, g.grant_id, g.currency, g.category, g.name, coalesce(d.status, g.status) AS status, g.amount,
       n.remaining, coalesce(h.held, 0) AS held, g.amount - n.remaining - coalesce(h.held, 0) - n.lapsed AS consumed,
       n.lapsed - coalesce(n.rolled_over, 0) AS lapsed, g.priority::integer AS priority, g.effective_at,
       nullif(g.expires_at, 'infinity') AS expires_at,
       g.ended_at, g.ended_reason,
       g.applicable_meters, g.cost_basis, g.granted_by, g.transferred_from, g.metadata, g.created_at,
       g.suspended_at, g.suspended_reason,
       g.cost_amount, g.cost_currency,
       CASE WHEN d.rolled_to IS NULL THEN r.terms END AS rollover, r.rolled_from, coalesce(d.rolled_to, r.rolled_to)
           AS rolled_to, n.rolled_over
FROM credits_internal.credit_grants g
JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
LEFT JOIN (SELECT x.customer_id, c.grant_id, c.status, c.remaining, c.lapsed, c.rolled_to, c.rolled_over
           FROM credits_internal.unposted x
               CROSS JOIN LATERAL credits_internal.due_grants(x.customer_id, x.currency) c) d
       ON d.customer_id = g.customer_id AND d.grant_id = g.grant_id
LEFT JOIN credits_internal.rollovers r ON r.customer_id = g.customer_id AND r.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits_internal.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' AND o.expires_at > credits.clock()
           GROUP BY o.customer_id, p.grant_id) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT coalesce(d.remaining, CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor
        ELSE g.remaining END)
               AS remaining,
           coalesce(d.lapsed, g.lapsed) AS lapsed, coalesce(d.rolled_over, r.rolled_over) AS rolled_over) n
UNION ALL
-- What grants rolled over into, and nothing has posted yet: with the terms of those that are posted.
SELECT x.customer_id, o.grant_id, x.currency, g.category, g.name, o.status, o.amount, o.remaining, 0,
       o.amount - o.remaining - o.lapsed, o.lapsed - coalesce(o.rolled_over, 0), g.priority::integer, o.effective_at,
       nullif(o.expires_at, 'infinity'), NULL, NULL,
       g.applicable_meters, g.cost_basis, g.granted_by, NULL, g.metadata, o.effective_at,
       CASE WHEN o.suspended THEN g.suspended_at END, CASE WHEN o.suspended THEN g.suspended_reason END,
       o.cost_amount, CASE WHEN o.cost_amount IS NOT NULL THEN g.cost_currency END,
       CASE WHEN o.times_left IS DISTINCT FROM 0 AND o.rolled_to IS NULL
            THEN credits_internal.rollover_terms(r.percent, r.max, o.times_left, r.lives) END,
       o.rolled_from, o.rolled_to, o.rolled_over
FROM credits_internal.unposted x
CROSS JOIN LATERAL credits_internal.due_rollovers(
    CASE WHEN EXISTS (SELECT FROM credits_internal.grant_rollovers w
                      WHERE w.customer_id = x.customer_id AND w.rolled_to IS NULL AND w.times_left IS DISTINCT FROM 0)
         THEN x.customer_id END, x.currency) o
JOIN credits_internal.credit_grants g ON g.customer_id = x.customer_id AND g.grant_id = o.stored_id
JOIN credits_internal.grant_rollovers r ON r.customer_id = x.customer_id AND r.grant_id = o.stored_id;
COMMENT ON VIEW credits.grants IS
'Credit grants at this moment.

amount is what was granted. remaining can be spent (from effective_at, and unless it is suspended), held is set aside,
lapsed expired, was voided or was taken back because its price was paid back, rolled_over went on as another grant;
consumed is the rest: spent, transferred or corrected. For an account whose rows are damaged, grants are as they were
posted, with a warning.';
COMMENT ON COLUMN credits.grants.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.grants.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.grants.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.grants.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.grants.name IS 'What people call it.';
COMMENT ON COLUMN credits.grants.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits.grants.amount IS 'What was granted.';
COMMENT ON COLUMN credits.grants.remaining IS 'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits.grants.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.grants.consumed IS 'What was spent, transferred or corrected.';
COMMENT ON COLUMN credits.grants.lapsed IS
'What expired, was voided, or was taken back because its price was paid back.';
COMMENT ON COLUMN credits.grants.priority IS '0 to 100: grants with a lower number are spent first.';
COMMENT ON COLUMN credits.grants.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits.grants.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits.grants.ended_at IS 'When it was voided or expired by hand; NULL otherwise.';
COMMENT ON COLUMN credits.grants.ended_reason IS 'Why it was voided, as the caller said.';
COMMENT ON COLUMN credits.grants.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';
COMMENT ON COLUMN credits.grants.cost_basis IS 'What was paid for one credit, for revenue recognition.';
COMMENT ON COLUMN credits.grants.granted_by IS 'Who granted it.';
COMMENT ON COLUMN credits.grants.transferred_from IS
'The customer that the credits came from; NULL unless a transfer created it.';
COMMENT ON COLUMN credits.grants.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.grants.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.grants.suspended_at IS
'When it was suspended, if it still is, or was when it ended; NULL otherwise.';
COMMENT ON COLUMN credits.grants.suspended_reason IS 'Why it was suspended, as the caller said.';
COMMENT ON COLUMN credits.grants.cost_amount IS
'What was paid for all of it, net of tax, also for what was transferred on; NULL where that is not known.';
COMMENT ON COLUMN credits.grants.cost_currency IS 'The currency that it was paid in.';
COMMENT ON COLUMN credits.grants.rollover IS
'What goes on when its time runs out, as credit_grant() takes it, with how often it still does; NULL for nothing.';
COMMENT ON COLUMN credits.grants.rolled_from IS 'The grant that rolled over into it; NULL for none.';
COMMENT ON COLUMN credits.grants.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits.grants.rolled_over IS 'How many credits went on then; NULL for none.';
