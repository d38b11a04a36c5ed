-- verify(): what must always hold, recomputed from the lines of the ledger.

CREATE TYPE credits.discrepancy AS (
    problem text, customer_id text, currency text, subject text, expected numeric, found numeric);
COMMENT ON TYPE credits.discrepancy IS 'Something that does not agree, as verify() returns it.';
COMMENT ON COLUMN credits.discrepancy.problem IS 'The rule that does not hold.';
COMMENT ON COLUMN credits.discrepancy.customer_id IS 'The customer; NULL where it is about none.';
COMMENT ON COLUMN credits.discrepancy.currency IS 'The account''s currency; NULL where it is about none.';
COMMENT ON COLUMN credits.discrepancy.subject IS 'What it is about: the grant, event, line, hold or payment.';
COMMENT ON COLUMN credits.discrepancy.expected IS 'What it should be; NULL where that is no number.';
COMMENT ON COLUMN credits.discrepancy.found IS 'What was found.';

-- Without compilation: it takes longer than the whole question about one customer.
CREATE FUNCTION credits.verify(customer_id text DEFAULT NULL)
RETURNS SETOF credits.discrepancy
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT d.* FROM credits_internal.account_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.line_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.usage_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.correction_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.payment_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.limit_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.cost_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.rollover_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.invoice_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.value_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.event_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.stock_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.checkout_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.discount_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.subscription_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.usage_record_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.invoiced_event_discrepancies d WHERE $1 IS NULL
    UNION ALL
    SELECT d.* FROM credits_internal.account_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.line_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.usage_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.correction_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.payment_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.limit_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.cost_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.rollover_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.invoice_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.value_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.event_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.stock_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.checkout_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.subscription_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.usage_record_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.invoiced_event_discrepancies d WHERE d.customer_id = $1
    UNION ALL
    SELECT d.* FROM credits_internal.discount_discrepancies d WHERE d.customer_id = $1
$$;
COMMENT ON FUNCTION credits.verify(text) IS
'Recomputes every balance from the ledger, every grant, its cost and what of it rolled over from its lines, every charge
from its price, what invoices and checkout sessions come to, the numbers of billing events, what is taken of stock, how
often coupons are used, and that subscriptions have their periods, invoices and plan credits once.

customer_id: only this customer; NULL for all.

It returns one row per discrepancy, none when all is sound. All in one snapshot, so it may run at any time.

Example: SELECT * FROM credits.verify();';
