-- Credit grants: the functions that programs call. The work is in src/ledger/grant.rs and its folder.

CREATE FUNCTION credits.credit_grant(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    name text DEFAULT NULL, priority integer DEFAULT 50, effective_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, applicable_meters text[] DEFAULT NULL, cost_basis numeric DEFAULT NULL,
    granted_by text DEFAULT NULL, idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT grant_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT remaining numeric, OUT category text, OUT priority integer, OUT effective_at timestamptz,
    OUT expires_at timestamptz, OUT applicable_meters text[], OUT cost_basis numeric, OUT name text,
    OUT granted_by text, OUT metadata jsonb, OUT created_at timestamptz, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_wrapper';
COMMENT ON FUNCTION credits.credit_grant IS
'Grants credits under one set of terms and returns the grant. Makes the customer and the account where they are missing. amount: credits, positive, no more decimals than the currency has. category: ''promotional'' or ''paid''. priority: 0 to 100, lower is used first. effective_at: default now; later means status ''pending'' until then; up to 5 minutes before counts as now, earlier is PC013, except for imports that set credits.allow_backdating: then the grant and its lines have that time, which must not be before the account''s last line; one whose expires_at has passed as well is granted and expires in the same posting, whose last line is that end. expires_at: NULL is never. applicable_meters: event names that it may pay for; NULL is anything. cost_basis: what was paid for one credit. Pays pending usage first. A repeat of idempotency_key returns the first grant with replayed = true. Raises PC002, PC004, PC007, PC008, PC013.';

CREATE FUNCTION credits.credit_grant_void(
    customer_id text, grant_id uuid, reason text DEFAULT NULL,
    OUT grant_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT remaining numeric, OUT category text, OUT priority integer, OUT effective_at timestamptz,
    OUT expires_at timestamptz, OUT applicable_meters text[], OUT cost_basis numeric, OUT name text,
    OUT granted_by text, OUT metadata jsonb, OUT created_at timestamptz, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_void_wrapper';
COMMENT ON FUNCTION credits.credit_grant_void IS
'Takes a grant back now: what remains is gone (ledger type ''void''), what was spent stays spent, what is held ends when it comes back. A grant that was to take effect later never does. One that has ended already stays as it is (replayed = true). reason is kept with the grant. Returns the grant. Raises PC009, PC013.';

CREATE FUNCTION credits.credit_grant_expire(
    customer_id text, grant_id uuid,
    OUT grant_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT remaining numeric, OUT category text, OUT priority integer, OUT effective_at timestamptz,
    OUT expires_at timestamptz, OUT applicable_meters text[], OUT cost_basis numeric, OUT name text,
    OUT granted_by text, OUT metadata jsonb, OUT created_at timestamptz, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_expire_wrapper';
COMMENT ON FUNCTION credits.credit_grant_expire IS
'Lets a grant expire now: as credit_grant_void, but what remains counts as expired (breakage), not as taken back. expires_at stays what it was; ended_at in the view grants says when. Returns the grant. Raises PC009, PC013.';

CREATE FUNCTION credits.credit_grant_update(
    customer_id text, grant_id uuid, name text DEFAULT NULL, metadata jsonb DEFAULT NULL, priority integer DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    OUT grant_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT remaining numeric, OUT category text, OUT priority integer, OUT effective_at timestamptz,
    OUT expires_at timestamptz, OUT applicable_meters text[], OUT cost_basis numeric, OUT name text,
    OUT granted_by text, OUT metadata jsonb, OUT created_at timestamptz, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_update_wrapper';
COMMENT ON FUNCTION credits.credit_grant_update IS
'Changes a grant''s name, metadata, priority or expiry, never its amount; what is NULL stays, expires_at ''infinity'' removes the expiry. Priority and expiry of a grant that has ended cannot be changed. Returns the grant. Raises PC009, PC013.';

CREATE FUNCTION credits.credit_grant_summary(customer_id text)
RETURNS TABLE (currency text, granted numeric, remaining numeric, usable_grants bigint, scheduled numeric)
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_summary_wrapper';
COMMENT ON FUNCTION credits.credit_grant_summary IS
'A customer''s grants in all, a row a currency. granted: credits of every grant that ever took effect. remaining: what is left of them, credits held not counted. usable_grants: how many can be drawn on. scheduled: credits that take effect later. Writes nothing. Raises PC013.';

CREATE FUNCTION credits.credit_grant_holders(
    currency text DEFAULT NULL, page_size integer DEFAULT 50, after text DEFAULT NULL,
    after_balance numeric DEFAULT NULL)
RETURNS TABLE (customer_id text, currency text, balance numeric, available numeric, restricted numeric)
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_holders_wrapper';
COMMENT ON FUNCTION credits.credit_grant_holders IS
'Customers with a balance at this moment, largest first, page_size (1 to 1,000) at a time; after, after_balance: customer_id and balance of the last row of the page before, within one currency (without after_balance what that customer has now counts, and the page may skip or repeat some where that has changed). currency NULL: the largest of each currency, page_size of each. Writes nothing. Raises PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.credit_grant_stats(
    currency text DEFAULT NULL, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    category text DEFAULT NULL, granted_by text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS TABLE (currency text, day date, grants bigint, granted numeric, remaining numeric, consumed numeric)
LANGUAGE c STABLE ROWS 30 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_stats_wrapper';
COMMENT ON FUNCTION credits.credit_grant_stats IS
'Grants made from start_at (included) to end_at (not included), NULL for no bound: a row a currency with day NULL for all of them, then one a day of time_zone on which there were any. grants: how many. granted: their credits. remaining, consumed: what is left and what is spent of them by now (held, expired and voided credits are in neither; transferred ones count as spent; what arrived by a transfer is no grant of its own here). category, granted_by: only those. Writes nothing. Raises PC008, PC013.';
