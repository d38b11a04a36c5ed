-- Deleting subscriptions that never were anything.

CREATE FUNCTION credits.subscription_delete(customer_id text, subscription_id uuid)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_delete_wrapper';
COMMENT ON FUNCTION credits.subscription_delete IS
'Deletes a subscription that was never used: without any invoice, open or void, a discount, or a checkout session.

customer_id: the customer.
subscription_id: the subscription.

That is one whose trial goes on, or ended without a first period. Any other is ended by subscription_cancel() and stays:
what has a number, or was paid, does not vanish. Returns it as it was.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.subscription_delete(''cleo'', (SELECT subscription_id
  FROM credits.subscription_create(''cleo'', ''[{"lookup_key": "pro_monthly"}]'', trial_period_days => 14)));';
