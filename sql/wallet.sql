-- The wallet: the functions that programs call. The work is in src/ledger/: a file a noun.

CREATE TYPE credits.balance AS (
    currency text, available numeric, restricted numeric, held numeric, pending numeric,
    next_expiry_at timestamptz, next_expiry_amount numeric);
COMMENT ON TYPE credits.balance IS 'What wallet_balance returns of one account.';

CREATE FUNCTION credits.balance_now(customer_id text, currency text, or_null boolean DEFAULT false)
RETURNS credits.balance
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'balance_now_wrapper';
COMMENT ON FUNCTION credits.balance_now IS
'An account as wallet_balance returns it, worked out from everything that has happened by now: for wallet_balance, the views, and callers that do not prepare their statements. NULL without a currency, and with or_null, and a warning, where the account''s rows are damaged. Raises PC008, PC013.';

CREATE VIEW credits.stored_balances AS
SELECT a.customer_id, a.currency, a.available, a.restricted, a.held, a.pending, a.next_change_at < 'infinity' AS changes,
       a.defers OR (a.next_change_at < 'infinity' AND a.next_change_at <= credits.clock()) AS due
FROM credits.accounts a;
COMMENT ON VIEW credits.stored_balances IS
'Accounts as their rows have them. changes: whether time alone will change something. due: whether something may have happened that nothing has posted, so that the row is not the last word. For wallet_balance.';

-- Not a call but a query, which takes the place of the call in the caller's own: a balance costs little more than its row.
-- Whoever may run it reads the view with the owner's rights. What the row cannot answer is asked of balance_now, once
-- (OFFSET 0) and only where it is wanted.
CREATE FUNCTION credits.wallet_balance(customer_id text, currency text DEFAULT NULL)
RETURNS TABLE (
    currency text, available numeric, restricted numeric, held numeric, pending numeric,
    next_expiry_at timestamptz, next_expiry_amount numeric)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT coalesce(a.currency, (n.now).currency),
           CASE WHEN a.due IS FALSE THEN a.available ELSE (n.now).available END,
           CASE WHEN a.due IS FALSE THEN a.restricted ELSE (n.now).restricted END,
           CASE WHEN a.due IS FALSE THEN a.held ELSE (n.now).held END,
           CASE WHEN a.due IS FALSE THEN a.pending ELSE (n.now).pending END,
           (coalesce(n.now, n.expiry)).next_expiry_at, (coalesce(n.now, n.expiry)).next_expiry_amount
    FROM (SELECT 1) AS once
    LEFT JOIN credits.stored_balances a ON a.customer_id = $1 AND ($2 IS NULL OR a.currency = $2)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.due IS NOT FALSE THEN credits.balance_now($1, coalesce(a.currency, $2)) END AS now,
               CASE WHEN a.due IS FALSE AND a.changes THEN credits.balance_now($1, a.currency) END AS expiry
        OFFSET 0) n
    WHERE a.customer_id IS NOT NULL OR $2 IS NOT NULL OR n.now IS NOT NULL;
END;
COMMENT ON FUNCTION credits.wallet_balance IS
'What a customer has, right at this moment whether or not any job has run: a row an account, or with a currency exactly one row, zeros where there is nothing. available: what a plain debit may take. restricted: what only certain meters'' events may take. held: set aside. pending: usage not yet paid. next_expiry_at, next_expiry_amount: what is lost next, NULL where nothing expires. Writes nothing and runs on a standby. It is planned with the caller''s own query: where that is not prepared, balance_now is quicker. Raises PC008, PC013.';

-- A type of its own and no OUT parameters: of those PostgreSQL makes a row's description anew for every call.
CREATE TYPE credits.debit AS (
    operation_id uuid, currency text, debited numeric, available numeric, replayed boolean);
COMMENT ON TYPE credits.debit IS 'What wallet_debit returns.';

CREATE FUNCTION credits.wallet_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_debit_wrapper';
COMMENT ON FUNCTION credits.wallet_debit IS
'Guarded spend: takes amount credits, all or nothing, from the usable grants in drawdown order. available: what is left for plain debits. A repeat of idempotency_key returns the first debit with replayed = true. Raises PC001 (DETAIL: customer_id, currency, available, requested, shortfall), PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_try_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT ok boolean, OUT shortfall numeric,
    OUT operation_id uuid, OUT currency text, OUT debited numeric, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_try_debit_wrapper';
COMMENT ON FUNCTION credits.wallet_try_debit IS
'wallet_debit without the error: where the credits are short it returns ok = false with the shortfall, writes nothing, leaves idempotency_key unused and the transaction going. Every other error is raised: PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_credit(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT grant_id uuid, OUT currency text, OUT credited numeric, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_credit_wrapper';
COMMENT ON FUNCTION credits.wallet_credit IS
'The plain "add credits": a grant that never expires, at priority 50, named by description. Pays pending usage first, so available may rise by less than credited. A repeat of idempotency_key returns the first with replayed = true. Raises PC002, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_adjust(
    customer_id text, amount numeric, reason text, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT operation_id uuid, OUT grant_id uuid, OUT currency text, OUT adjusted numeric, OUT available numeric,
    OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_adjust_wrapper';
COMMENT ON FUNCTION credits.wallet_adjust IS
'A signed correction for what happened elsewhere. Above zero it adds a grant: reason ''external_topup'' a paid one, ''gift'' and the others a promotional one, until expires_at. Below zero it takes available credits: ''refund'' (their price was paid back; ledger type ''refund''), ''charge'' (they were spent; ''debit''), ''correction'' (they were never due; ''adjustment''); taking more than is available is PC001. ''external_topup'' and ''gift'' only add. grant_id: the new grant, NULL where credits were taken. A repeat of idempotency_key returns the first with replayed = true. Raises PC001, PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_transfer(
    customer_id text, to_customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT operation_id uuid, OUT to_customer_id text, OUT currency text, OUT transferred numeric, OUT available numeric,
    OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_transfer_wrapper';
COMMENT ON FUNCTION credits.wallet_transfer IS
'Moves available credits to another customer, all or nothing, from the grants that a debit would draw on. Each part arrives as a grant of its own with the category, priority, expiry, cost basis, name and metadata of the one that it came from. Makes the recipient where it is missing; what the recipient owes is paid first. available: the sender''s. A repeat of idempotency_key returns the first with replayed = true. Raises PC001, PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.account_configure(
    customer_id text, currency text DEFAULT NULL, overdraft_limit numeric DEFAULT NULL,
    low_balance_threshold numeric DEFAULT NULL,
    OUT customer_id text, OUT currency text, OUT overdraft_limit numeric, OUT low_balance_threshold numeric)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'account_configure_wrapper';
COMMENT ON FUNCTION credits.account_configure IS
'Sets what an account may owe and when its balance is low, in credits; what is NULL stays, ''infinity'' removes a limit. overdraft_limit: the most pending usage; an event that would take it beyond is refused whole (PC001). low_balance_threshold: the view wallets has is_low where available is below it. Returns both, NULL for none. Raises PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.credit_availability(
    customer_id text, amount numeric DEFAULT NULL, currency text DEFAULT NULL, max_pending numeric DEFAULT 0,
    max_recharges integer DEFAULT NULL,
    OUT can_continue boolean, OUT reason text, OUT available numeric, OUT pending numeric,
    OUT recharge_in_progress boolean)
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_availability_wrapper';
COMMENT ON FUNCTION credits.credit_availability IS
'The gate before work begins: may it go on, if it costs amount credits (NULL: if there is anything at all)? reason: ''sufficient'' (and no more than max_pending is owed); ''within_max_pending'' (short, but no more than max_pending would be owed afterwards); ''recharge_in_progress'' (short, but an auto-recharge is under way, and max_recharges times what it brings, NULL for none, would cover the rest); ''insufficient_credits''. It reserves nothing: hold_create does. Writes nothing; an unknown customer has nothing. Raises PC007, PC008, PC013.';

CREATE FUNCTION credits.explain_drawdown(
    customer_id text, amount numeric, currency text DEFAULT NULL, event_name text DEFAULT NULL)
RETURNS TABLE (
    grant_id uuid, amount numeric, remaining_after numeric, decided_by text, category text, priority integer,
    expires_at timestamptz)
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'explain_drawdown_wrapper';
COMMENT ON FUNCTION credits.explain_drawdown IS
'Which grants would pay a debit of amount credits, or with event_name that meter''s usage costing as much, in order, at this moment; changes nothing. decided_by: the first rule that puts the grant before the next in line: ''priority'', ''expires_at'', ''category'', ''effective_at'', ''age'', or ''only grant'' where none follows. Raises what the spend itself would: PC001, PC003, PC004, PC005, PC007, PC008, PC013.';

CREATE FUNCTION credits.wallet_history(
    customer_id text, currency text DEFAULT NULL, page_size integer DEFAULT 50, before bigint DEFAULT NULL)
RETURNS TABLE (
    currency text, line_no bigint, type text, amount numeric, running_balance numeric, held numeric, pending numeric,
    grant_id uuid, grant_name text, operation_id uuid, identifier text, event_name text, unit text, quantity numeric,
    description text,
    metadata jsonb, effective_at timestamptz, created_at timestamptz)
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_history_wrapper';
COMMENT ON FUNCTION credits.wallet_history IS
'A customer''s ledger lines, newest first, page_size (1 to 1,000) at a time; before: the line_no of the last line of the page before, within one currency. currency NULL: the newest of all currencies. amount, held, pending: what the line did to the balance, to the credits held, to the usage owed; running_balance: the balance after it. Shows what is posted: CALL maintain() first for what time brought. Raises PC008, PC013.';

CREATE FUNCTION credits.wallet_balance_at(
    customer_id text, currency text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
    OUT currency text, OUT as_of timestamptz, OUT balance numeric, OUT available numeric, OUT restricted numeric,
    OUT held numeric, OUT pending numeric)
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_balance_at_wrapper';
COMMENT ON FUNCTION credits.wallet_balance_at IS
'What a customer had at a past moment (as_of is required), from the ledger: everything that took effect until then counts, whenever it was posted. balance is available and restricted. Its cost grows with the lines since then. Writes nothing. Raises PC008, PC013.';
