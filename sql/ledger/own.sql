-- For applications that let end users query directly: the rows of one customer, the one that credits.current_customer
-- names. What this protects against and what it does not: docs/guides/6-customers-query-directly.sql.

CREATE FUNCTION credits.current_customer()
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'current_customer_wrapper';
COMMENT ON FUNCTION credits.current_customer IS
'Returns the customer whose rows customer_me() and the views whose names begin with my_ show: the setting
credits.current_customer.

Only roles that were allowed to may set it. NULL shows nothing.

Example: SELECT credits.current_customer();';

CREATE TYPE credits_internal.own_wallet AS (
    currency text, balance numeric, available numeric, restricted numeric, held numeric, pending numeric,
    next_expiry_at timestamptz, next_expiry_amount numeric, invoiced numeric);
COMMENT ON TYPE credits_internal.own_wallet IS 'What own_wallets() returns.';
COMMENT ON COLUMN credits_internal.own_wallet.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.own_wallet.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits_internal.own_wallet.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits_internal.own_wallet.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits_internal.own_wallet.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits_internal.own_wallet.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits_internal.own_wallet.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits_internal.own_wallet.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits_internal.own_wallet.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';

-- A view's functions run with the rights of whoever reads it, and those that wallets and grants call answer for any
-- customer. So the filter is inside of functions that do not, and that return what the views show and nothing else.
CREATE FUNCTION credits_internal.own_wallets()
RETURNS SETOF credits_internal.own_wallet
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.currency, w.balance, w.available, w.restricted, w.held, w.pending, w.next_expiry_at, w.next_expiry_amount,
           w.invoiced
    FROM credits.wallets w WHERE w.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits_internal.own_wallets IS 'Returns what the view my_wallets shows.';

CREATE TYPE credits_internal.own_grant AS (
    grant_id uuid, currency text, category text, name text, status text, amount numeric, remaining numeric,
    held numeric, consumed numeric, effective_at timestamptz, expires_at timestamptz, applicable_meters text[]);
COMMENT ON TYPE credits_internal.own_grant IS 'What own_grants() returns.';
COMMENT ON COLUMN credits_internal.own_grant.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.own_grant.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.own_grant.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits_internal.own_grant.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.own_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits_internal.own_grant.amount IS 'What was granted.';
COMMENT ON COLUMN credits_internal.own_grant.remaining IS
'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits_internal.own_grant.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits_internal.own_grant.consumed IS 'What was spent.';
COMMENT ON COLUMN credits_internal.own_grant.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits_internal.own_grant.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits_internal.own_grant.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';

CREATE FUNCTION credits_internal.own_grants()
RETURNS SETOF credits_internal.own_grant
LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT g.grant_id, g.currency, g.category, g.name, g.status, g.amount, g.remaining, g.held, g.consumed,
           g.effective_at,
           g.expires_at, g.applicable_meters
    FROM credits.grants g WHERE g.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits_internal.own_grants IS 'Returns what the view my_grants shows.';

CREATE TYPE credits.own_customer AS (
    customer_id text, name text, email text, phone text, address jsonb, shipping jsonb, currency text,
    invoice_prefix text, tax_rate numeric, preferences jsonb, created_at timestamptz);
COMMENT ON TYPE credits.own_customer IS 'What a customer sees of itself: see customer_me().';
COMMENT ON COLUMN credits.own_customer.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.own_customer.name IS 'The name of the person or company.';
COMMENT ON COLUMN credits.own_customer.email IS 'The customer''s address, not checked.';
COMMENT ON COLUMN credits.own_customer.phone IS 'The customer''s telephone number, not checked.';
COMMENT ON COLUMN credits.own_customer.address IS
'Where it is billed: line1, line2, city, state, postal_code, country (two letters).';
COMMENT ON COLUMN credits.own_customer.shipping IS 'Where goods are sent, and to whom: name, phone, address.';
COMMENT ON COLUMN credits.own_customer.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits.own_customer.invoice_prefix IS
'What the numbers of its invoices begin with; NULL where nobody said.';
COMMENT ON COLUMN credits.own_customer.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits.own_customer.preferences IS 'What the customer prefers, in the application''s own words.';
COMMENT ON COLUMN credits.own_customer.created_at IS 'When it was created.';

CREATE FUNCTION credits.customer_me()
RETURNS SETOF credits.own_customer
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.customer_id, c.name, c.email, c.phone, c.address, c.shipping, c.currency, c.invoice_prefix, c.tax_rate,
           c.preferences, c.created_at
    FROM credits_internal.customers c WHERE c.customer_id = credits.current_customer()
$$;
COMMENT ON FUNCTION credits.customer_me IS
'Returns what a customer sees of itself: of credits.current_customer, a row, or none where nobody is named.

Metadata and description are the application''s, and not in it.

Example: SELECT * FROM credits.customer_me();';

CREATE VIEW credits.my_wallets WITH (security_barrier) AS
SELECT w.currency, w.balance, w.available, w.restricted, w.held, w.pending, w.next_expiry_at, w.next_expiry_amount,
       w.invoiced
FROM credits_internal.own_wallets() w;
COMMENT ON VIEW credits.my_wallets IS 'The wallets of credits.current_customer, at this moment.';
COMMENT ON COLUMN credits.my_wallets.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_wallets.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits.my_wallets.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.my_wallets.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.my_wallets.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.my_wallets.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.my_wallets.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits.my_wallets.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits.my_wallets.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';

CREATE VIEW credits.my_grants WITH (security_barrier) AS
SELECT g.* FROM credits_internal.own_grants() g;
COMMENT ON VIEW credits.my_grants IS 'The credit grants of credits.current_customer, at this moment.';
COMMENT ON COLUMN credits.my_grants.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.my_grants.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_grants.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.my_grants.name IS 'What people call it.';
COMMENT ON COLUMN credits.my_grants.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits.my_grants.amount IS 'What was granted.';
COMMENT ON COLUMN credits.my_grants.remaining IS 'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits.my_grants.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.my_grants.consumed IS 'What was spent.';
COMMENT ON COLUMN credits.my_grants.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits.my_grants.expires_at IS 'From when on its credits cannot be spent; NULL for never.';
COMMENT ON COLUMN credits.my_grants.applicable_meters IS
'The event names that its credits may pay for; NULL for anything.';

CREATE VIEW credits.my_ledger WITH (security_barrier) AS
SELECT l.currency, l.line_no, l.type, l.amount, l.running_balance, l.held, l.pending, l.grant_id, l.grant_name,
       l.identifier, l.event_name, l.unit, l.quantity, l.description, l.effective_at, l.transaction_id, l.display_title
FROM credits.ledger l WHERE l.customer_id = (SELECT credits.current_customer());
COMMENT ON VIEW credits.my_ledger IS
'The ledger lines of credits.current_customer, as posted.

They show their descriptions: the customer can read what is written there.';
COMMENT ON COLUMN credits.my_ledger.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_ledger.line_no IS
'The line''s number: from 1 in each account, without gaps, in posting order.';
COMMENT ON COLUMN credits.my_ledger.type IS 'The type of the line: see the view ledger.';
COMMENT ON COLUMN credits.my_ledger.amount IS 'What the line did to the balance, signed.';
COMMENT ON COLUMN credits.my_ledger.running_balance IS 'The balance after the line: available and restricted.';
COMMENT ON COLUMN credits.my_ledger.held IS 'What the line did to the held credits, signed.';
COMMENT ON COLUMN credits.my_ledger.pending IS 'What the line did to the usage owed, signed.';
COMMENT ON COLUMN credits.my_ledger.grant_id IS 'The grant.';
COMMENT ON COLUMN credits.my_ledger.grant_name IS 'The grant''s name.';
COMMENT ON COLUMN credits.my_ledger.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.my_ledger.event_name IS 'The meter.';
COMMENT ON COLUMN credits.my_ledger.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.my_ledger.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.my_ledger.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.my_ledger.effective_at IS 'When the balance changed.';
COMMENT ON COLUMN credits.my_ledger.transaction_id IS 'The line by one key, the same for ever.';
COMMENT ON COLUMN credits.my_ledger.display_title IS
'What to call the line: its description, the meter, the grant, or what happened.';

CREATE VIEW credits.my_payment_methods WITH (security_barrier) AS
SELECT m.payment_method_id, m.provider, m.name, m.expires_at, m.is_default, m.created_at
FROM credits_internal.payment_methods m
WHERE m.customer_id = (SELECT credits.current_customer()) AND m.detached_at IS NULL;
COMMENT ON VIEW credits.my_payment_methods IS
'The attached payment methods of credits.current_customer, without what providers call them.';
COMMENT ON COLUMN credits.my_payment_methods.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.my_payment_methods.provider IS 'The provider that keeps it.';
COMMENT ON COLUMN credits.my_payment_methods.name IS 'What people call it; NULL where nobody said.';
COMMENT ON COLUMN credits.my_payment_methods.expires_at IS 'From when on it cannot be charged; NULL for never.';
COMMENT ON COLUMN credits.my_payment_methods.is_default IS 'Whether it is charged where none is named.';
COMMENT ON COLUMN credits.my_payment_methods.created_at IS 'When it was attached.';
