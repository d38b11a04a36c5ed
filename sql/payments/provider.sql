-- Payment providers.

CREATE TYPE credits.payment_provider AS (
    provider text, checkout_url_template text, has_previous_secret boolean, tolerance integer, livemode boolean,
    account text, previous_secret_expires_at timestamptz);
COMMENT ON TYPE credits.payment_provider IS
'A payment provider without its secrets, as payment_provider_set() returns it.';
COMMENT ON COLUMN credits.payment_provider.provider IS 'The payment provider.';
COMMENT ON COLUMN credits.payment_provider.checkout_url_template IS 'Where customers pay.';
COMMENT ON COLUMN credits.payment_provider.has_previous_secret IS 'Whether a previous secret is accepted too.';
COMMENT ON COLUMN credits.payment_provider.tolerance IS 'How old a signed time may be, in seconds.';
COMMENT ON COLUMN credits.payment_provider.livemode IS 'Whether its events are about real money.';
COMMENT ON COLUMN credits.payment_provider.account IS
'The connected account whose events count; NULL for events of no connected account.';
COMMENT ON COLUMN credits.payment_provider.previous_secret_expires_at IS 'Until when the previous secret is accepted.';

CREATE FUNCTION credits.payment_provider_set(
    provider text, webhook_secret text, checkout_url_template text DEFAULT NULL, previous_secret text DEFAULT NULL,
    tolerance integer DEFAULT 300, livemode boolean DEFAULT true, account text DEFAULT NULL,
    previous_secret_expires_at timestamptz DEFAULT NULL)
RETURNS credits.payment_provider
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_provider_set_wrapper';
COMMENT ON FUNCTION credits.payment_provider_set IS
'Sets how a provider signs its webhooks, what it is expected to send, and where customers pay.

provider: ''stripe'' and ''paystack'' sign as those do; any other name is plain HMAC-SHA256 of the payload, in
  hexadecimal.
webhook_secret: the secret that its webhooks are signed with, 16 to 255 characters.
checkout_url_template: an http or https address, with the placeholders of top_up_create() after its host; NULL leaves
  it unchanged.
previous_secret: accepted beside webhook_secret while secrets are changed; NULL for none.
tolerance: how old a signed time may be, in seconds (Stripe''s scheme has one).
livemode: whether its events are about real money (Stripe''s livemode, Paystack''s domain).
account: the connected account whose events count; NULL for only those of no connected account.
previous_secret_expires_at: until when previous_secret is accepted; NULL for 7 days from now.

A repeat sets all of it anew, except a checkout_url_template that is NULL. Events of another mode or another account
are recorded as ignored. An event that does not say its mode is of the expected one; one whose livemode is neither
true nor false, or whose domain is no text, is of neither.

Nothing returns secrets and only the owner can read them; keep them out of statement texts, since a server may log
those.

Raises PC013.
Example: SELECT * FROM credits.payment_provider_set(''acmepay'', ''not a real secret'',
  ''https://acmepay.example/{top_up_id}'');';
