-- Credit grants: the functions that programs call. The work is in src/ledger/grant.rs.

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
'Grants credits under one set of terms and returns the grant. Makes the customer and the account where they are missing. amount: credits, positive, no more decimals than the currency has. category: ''promotional'' or ''paid''. priority: 0 to 100, lower is used first. effective_at: default now; later means status ''pending'' until then. expires_at: NULL is never. applicable_meters: event names that it may pay for; NULL is anything. cost_basis: what was paid for one credit. Pays pending usage first. A repeat of idempotency_key returns the first grant with replayed = true. Raises PC002, PC004, PC007, PC008, PC013.';
