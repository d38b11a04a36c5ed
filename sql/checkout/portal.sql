-- Links to a customer's billing page.

CREATE TYPE credits.portal_link AS (token text, url text, expires_at timestamptz);
COMMENT ON TYPE credits.portal_link IS 'A link to a billing page, as billing_portal_session_create() returns it.';
COMMENT ON COLUMN credits.portal_link.token IS 'The signed token.';
COMMENT ON COLUMN credits.portal_link.url IS 'credits.portal_url with the token; NULL where that is not set.';
COMMENT ON COLUMN credits.portal_link.expires_at IS 'Until when it can be used.';

CREATE FUNCTION credits.billing_portal_session_create(
    customer_id text, return_url text DEFAULT NULL, failure_url text DEFAULT NULL)
RETURNS credits.portal_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_session_create_wrapper';
COMMENT ON FUNCTION credits.billing_portal_session_create IS
'Creates a signed link to the customer''s billing page, good for 10 minutes.

customer_id: the customer.
return_url: where the customer goes back to, as in top_up_create().
failure_url: where the customer goes after a failure, likewise.

url is credits.portal_url with the token added (before a fragment, which browsers keep to themselves), NULL where that
is not set. The page''s server asks billing_portal_session_verify() whose page it is.

Raises PC003, PC013.
Example: SELECT token, url, expires_at FROM credits.billing_portal_session_create(''ann'');';

CREATE TYPE credits.portal_session AS (
    customer_id text, return_url text, failure_url text, expires_at timestamptz);
COMMENT ON TYPE credits.portal_session IS
'Whose billing page a token opens, as billing_portal_session_verify() returns it.';
COMMENT ON COLUMN credits.portal_session.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.portal_session.return_url IS 'Where the customer goes back to.';
COMMENT ON COLUMN credits.portal_session.failure_url IS 'Where the customer goes after a failure.';
COMMENT ON COLUMN credits.portal_session.expires_at IS 'Until when it can be used.';

CREATE FUNCTION credits.billing_portal_session_verify(token text)
RETURNS credits.portal_session
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_session_verify_wrapper';
COMMENT ON FUNCTION credits.billing_portal_session_verify IS
'Returns whose page a token opens.

token: the token of the link.

PC012 is a token that was changed, has expired, or was not made in this database with its present key.

Raises PC012, PC013.
Example: SELECT v.* FROM credits.billing_portal_session_create(''ann'') s,
  credits.billing_portal_session_verify(s.token) v;';

CREATE FUNCTION credits.billing_portal_key_rotate()
RETURNS timestamptz
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'billing_portal_key_rotate_wrapper';
COMMENT ON FUNCTION credits.billing_portal_key_rotate IS
'Creates a new key for links to billing pages, and returns when it was created.

Links that were created before are PC012 once it commits. Call it when somebody may know the key, and for every copy
of the server''s files (pg_basebackup, a snapshot) before anybody reaches it: the copy''s tokens are then not the
original''s. A database that was restored from a dump, or created from a template, does not need it: its tokens are
its own.

Example: SELECT credits.billing_portal_key_rotate();';
