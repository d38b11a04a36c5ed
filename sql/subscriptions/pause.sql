-- Pausing a subscription, and going on.

CREATE FUNCTION credits.subscription_pause(
    customer_id text, subscription_id uuid, resumes_at timestamptz DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_pause_wrapper';
COMMENT ON FUNCTION credits.subscription_pause IS
'Pauses a subscription that is active: no invoices meanwhile, and no credits that were still to begin.

customer_id: the customer.
subscription_id: the subscription.
resumes_at: when it goes on by itself; NULL for never.

What has begun of its credits stays.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT status FROM credits.subscription_pause(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1));';

CREATE FUNCTION credits.subscription_resume(
    customer_id text, subscription_id uuid)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_resume_wrapper';
COMMENT ON FUNCTION credits.subscription_resume IS
'Goes on with a subscription that is paused.

customer_id: the customer.
subscription_id: the subscription.

Within its period the credits that are still to begin come back. After that a new period begins now, from which periods
are counted.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT status FROM credits.subscription_resume(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1));';
