-- For applications that let end users query directly: the rows of one customer, the one that credits.current_customer
-- names. What this protects against and what not: docs/guides/6-customers-query-directly.sql.

CREATE FUNCTION credits.current_customer()
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'current_customer_wrapper';
COMMENT ON FUNCTION credits.current_customer IS
'The customer whose rows the views my_wallets, my_grants and my_ledger show: the setting credits.current_customer, which only those may set who are allowed to. NULL shows nothing.';

-- A view's functions run with the rights of whoever reads it, and those that wallets and grants call answer for any
-- customer. So the filter is inside of functions that do not, and that return what the views show and nothing else.
CREATE FUNCTION credits.own_wallets()
RETURNS TABLE (
    currency text, balance numeric, available numeric, restricted numeric, held numeric, pending numeric,
    next_expiry_at timestamptz, next_expiry_amount numeric)
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.currency, w.balance, w.available, w.restricted, w.held, w.pending, w.next_expiry_at, w.next_expiry_amount
    FROM credits.wallets w WHERE w.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits.own_wallets IS 'What the view my_wallets shows.';

CREATE FUNCTION credits.own_grants()
RETURNS TABLE (
    grant_id uuid, currency text, category text, name text, status text, amount numeric, remaining numeric, held numeric,
    consumed numeric, effective_at timestamptz, expires_at timestamptz, applicable_meters text[])
LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT g.grant_id, g.currency, g.category, g.name, g.status, g.amount, g.remaining, g.held, g.consumed, g.effective_at,
           g.expires_at, g.applicable_meters
    FROM credits.grants g WHERE g.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits.own_grants IS 'What the view my_grants shows.';

CREATE VIEW credits.my_wallets WITH (security_barrier) AS
SELECT w.* FROM credits.own_wallets() w;
COMMENT ON VIEW credits.my_wallets IS 'The wallet of credits.current_customer, at this moment.';

CREATE VIEW credits.my_grants WITH (security_barrier) AS
SELECT g.* FROM credits.own_grants() g;
COMMENT ON VIEW credits.my_grants IS 'The credit grants of credits.current_customer, at this moment.';

CREATE VIEW credits.my_ledger WITH (security_barrier) AS
SELECT l.currency, l.line_no, l.type, l.amount, l.running_balance, l.held, l.pending, l.grant_id, l.grant_name,
       l.identifier, l.event_name, l.unit, l.quantity, l.description, l.effective_at
FROM credits.ledger l WHERE l.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_ledger IS 'The ledger lines of credits.current_customer, as posted, with their descriptions: what is written there the customer can read.';
