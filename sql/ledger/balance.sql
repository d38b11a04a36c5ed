-- Balances and wallets.

CREATE TYPE credits.balance AS (
    currency text, available numeric, restricted numeric, held numeric, pending numeric, next_expiry_at timestamptz,
    next_expiry_amount numeric);
COMMENT ON TYPE credits.balance IS 'One account''s balance, as wallet_balance() returns it.';
COMMENT ON COLUMN credits.balance.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.balance.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.balance.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.balance.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.balance.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.balance.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits.balance.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';

CREATE FUNCTION credits_internal.balance_now(customer_id text, currency text, or_null boolean DEFAULT false)
RETURNS credits.balance
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'balance_now_wrapper';
COMMENT ON FUNCTION credits_internal.balance_now IS
'Works out an account from everything that has happened by now.

For wallet_balance() and the views. NULL without a currency.

customer_id: the customer.
currency: the currency of the account.
or_null: true returns NULL, with a warning, where the account''s rows are damaged.

Raises PC008, PC013.';

CREATE VIEW credits_internal.stored_balances AS
SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending,
       a.next_change_at < 'infinity' AS changes,
       a.defers OR (a.next_change_at < 'infinity' AND a.next_change_at <= credits.clock()) AS due
FROM credits_internal.accounts a;
COMMENT ON VIEW credits_internal.stored_balances IS
'Accounts as their rows have them. For wallet_balance().

changes says whether time alone will change something; due whether something may have happened that nothing has
posted, so that the row is not the last word.';

-- Not a call but a query, which takes the place of the call in the caller's own: a balance costs little more than its
-- row. Whoever may run it reads the view with the owner's rights. What the row cannot answer is asked of balance_now,
-- once (OFFSET 0) and only where it is wanted.
CREATE FUNCTION credits.wallet_balance(customer_id text, currency text DEFAULT NULL)
RETURNS SETOF credits.balance
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT coalesce(a.currency, (n.now).currency),
           CASE WHEN a.due IS FALSE THEN a.available ELSE (n.now).available END,
           CASE WHEN a.due IS FALSE THEN a.restricted ELSE (n.now).restricted END,
           CASE WHEN a.due IS FALSE THEN a.held ELSE (n.now).held END,
           CASE WHEN a.due IS FALSE THEN a.pending ELSE (n.now).pending END,
           (coalesce(n.now, n.expiry)).next_expiry_at, (coalesce(n.now, n.expiry)).next_expiry_amount
    FROM (SELECT 1) AS once
    LEFT JOIN credits_internal.stored_balances a ON a.customer_id = $1 AND ($2 IS NULL OR a.currency = $2)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.due IS NOT FALSE THEN credits_internal.balance_now($1, coalesce(a.currency, $2)) END AS now,
               CASE WHEN a.due IS FALSE AND a.changes THEN credits_internal.balance_now($1, a.currency) END AS expiry
        OFFSET 0) n
    WHERE a.customer_id IS NOT NULL OR $2 IS NOT NULL OR n.now IS NOT NULL;
END;
COMMENT ON FUNCTION credits.wallet_balance IS
'Returns what a customer has at this moment, whether or not any job has run: one row per account.

customer_id: the customer.
currency: the currency of the account; NULL for all accounts.

With a currency it returns exactly one row, with zeros where there is nothing. It writes nothing and runs on a
standby. It becomes part of the caller''s query, so prepared statements are fastest.

Raises PC008, PC013.
Example: SELECT * FROM credits.wallet_balance(''ann'', ''CREDIT'');';

-- Accounts whose rows are not the last word: time has changed something, or usage waits to be charged.
CREATE VIEW credits_internal.unposted AS
SELECT a.customer_id, a.currency FROM credits_internal.accounts a WHERE a.next_change_at <= credits.clock()
UNION
SELECT u.customer_id, u.currency FROM credits_internal.unsettled_events u;
COMMENT ON VIEW credits_internal.unposted IS
'Accounts in which something happened that nothing has posted yet. For the other views.';

-- Only accounts in which something is to change or usage waits cost a call (OFFSET 0 keeps the condition before the
-- call); of the others the row is right as it is.
CREATE VIEW credits.wallets AS
SELECT a.customer_id, a.currency, n.available + n.restricted AS balance, n.available, n.restricted, n.held, n.pending,
       n.next_expiry_at, n.next_expiry_amount,
       nullif(a.overdraft_limit, 'infinity') AS overdraft_limit,
       nullif(a.low_balance_threshold, 0) AS low_balance_threshold,
       n.available < a.low_balance_threshold AS is_low,
       a.created_at, coalesce(a.invoiced, 0) AS invoiced
FROM credits_internal.accounts a
CROSS JOIN LATERAL (SELECT a.next_change_at < 'infinity' OR a.defers AS asked OFFSET 0) q
CROSS JOIN LATERAL (SELECT CASE WHEN q.asked THEN credits_internal.balance_now(a.customer_id, a.currency, true) END
    AS now OFFSET 0) b
CROSS JOIN LATERAL (SELECT CASE WHEN q.asked THEN (b.now).available ELSE a.available END AS available,
                           CASE WHEN q.asked THEN (b.now).restricted ELSE a.restricted END AS restricted,
                           CASE WHEN q.asked THEN (b.now).held ELSE a.held END AS held,
                           CASE WHEN q.asked THEN (b.now).pending ELSE a.pending END AS pending,
                           (b.now).next_expiry_at, (b.now).next_expiry_amount) n;
COMMENT ON VIEW credits.wallets IS
'Accounts at this moment, one per customer and currency.

balance is available and restricted. The limits are those that account_configure() set. For an account whose rows
are damaged, the amounts are NULL, with a warning; verify() says what is wrong.';
COMMENT ON COLUMN credits.wallets.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.wallets.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.wallets.balance IS 'Available and restricted credits.';
COMMENT ON COLUMN credits.wallets.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.wallets.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.wallets.held IS 'Credits set aside by open holds.';
COMMENT ON COLUMN credits.wallets.pending IS 'Usage owed: not covered by credits yet.';
COMMENT ON COLUMN credits.wallets.next_expiry_at IS 'When credits expire next; NULL where none do.';
COMMENT ON COLUMN credits.wallets.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits.wallets.overdraft_limit IS 'The most usage that the account may owe; NULL for no limit.';
COMMENT ON COLUMN credits.wallets.low_balance_threshold IS
'The balance is low while less than this is available; NULL for none.';
COMMENT ON COLUMN credits.wallets.is_low IS 'Whether available is below low_balance_threshold.';
COMMENT ON COLUMN credits.wallets.created_at IS 'When the account was first used.';
COMMENT ON COLUMN credits.wallets.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';
