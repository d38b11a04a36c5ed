-- Top-ups and what becomes of their payments. The work is in src/topup/top_up.rs, payment.rs, refund.rs and
-- dispute.rs.

CREATE FUNCTION credits.top_up_create(
    customer_id text, price_id uuid DEFAULT NULL, amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    quantity integer DEFAULT 1, credit_currency text DEFAULT NULL, rate numeric DEFAULT NULL, return_url text DEFAULT NULL,
    failure_url text DEFAULT NULL, idempotency_key text DEFAULT NULL, provider text DEFAULT NULL,
    expires_in interval DEFAULT '1 day', description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT checkout_url text, OUT expires_at timestamptz, OUT credits numeric,
    OUT credit_currency text, OUT amount numeric, OUT currency text, OUT rate numeric, OUT grant_id uuid,
    OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'top_up_create_wrapper';
COMMENT ON FUNCTION credits.top_up_create IS
'Begins a purchase and returns where to pay for it; it grants nothing before payment_succeeded. Either price_id and quantity, or amount and currency: then credits of credit_currency (NULL: the currency itself, one for one) are amount / rate, rounded down; rate is the price of one credit (NULL: the exchange rate of this moment). checkout_url: the provider''s template or the recharge configuration''s, with {top_up_id}, {customer_id}, {amount}, {minor_units}, {currency}, {credits}, {return_url} and {failure_url} filled in; NULL where there is neither. return_url and failure_url are http or https addresses of at most 2,048 visible ASCII characters, without user name, backslash, quotation mark, < and >: all else is percent-encoded, and a host in other letters written as xn--. provider: NULL for the only one that is set. Makes the customer where it is missing. A repeat of idempotency_key returns the first with replayed = true. Raises PC002, PC007 (also for an amount outside of what the currencies allow, and for credits that the account has no room for: it counts 28 digits of all that it was ever granted), PC008, PC013, PC015.';

CREATE FUNCTION credits.payment_succeeded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, tax numeric DEFAULT NULL, shipping numeric DEFAULT NULL, discount numeric DEFAULT NULL,
    currency text DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT grant_id uuid, OUT credits numeric, OUT credit_currency text,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_succeeded_wrapper';
COMMENT ON FUNCTION credits.payment_succeeded IS
'The money came: grants the credits, exactly once, whatever is repeated or comes late or out of order, also after a failure or an expiry. amount: what was paid, in major units of the top-up''s currency (NULL: what was due). tax, shipping: what of it is no price; discount: what the provider took off the price (with it amount may be 0). currency: NULL for the top-up''s; in another one it is recorded as a contradiction, with that amount, and grants nothing. Less than was due grants nothing, until payments add up to it, and is recorded as a contradiction, as are more, a second payment for what is paid, the same provider_reference with another amount, and one that pays another top-up: the last two change nothing. Where the account has no room for the credits any more (28 digits of all that it was ever granted) the payment is a contradiction too, counts for nothing and grants nothing, and nobody need tell it again: pay it back. Told again with tax, shipping or discount it is corrected by them. Without a provider_reference the same amount again is a replay. A refund that was told before takes its part at once. Raises PC007, PC013, PC014 (no such top-up: the provider shall try again).';

CREATE FUNCTION credits.payment_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    reason text DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT grant_id uuid, OUT credits numeric, OUT credit_currency text,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_failed_wrapper';
COMMENT ON FUNCTION credits.payment_failed IS
'The payment failed: the top-up is ''failed'', and an auto-recharge that asked for it too. After a success it changes nothing and is recorded as a contradiction; a success after it grants all the same. Raises PC013, PC014.';

CREATE FUNCTION credits.top_up_expire(
    customer_id text, top_up_id uuid,
    OUT top_up_id uuid, OUT status text, OUT grant_id uuid, OUT credits numeric, OUT credit_currency text,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'top_up_expire_wrapper';
COMMENT ON FUNCTION credits.top_up_expire IS
'Gives a top-up up that nobody paid. One that is paid stays paid; one that is paid later is granted all the same. Raises PC013, PC014.';

CREATE FUNCTION credits.payment_refunded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, total_refunded numeric DEFAULT NULL, spent text DEFAULT NULL,
    payment_reference text DEFAULT NULL, currency text DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT refunded numeric, OUT taken numeric, OUT pending numeric, OUT held numeric,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refunded_wrapper';
COMMENT ON FUNCTION credits.payment_refunded IS
'Money was paid back: takes credits of that purchase back where less remains paid, in all its payments, than was due without tax and shipping: in proportion to what is missing, rounded on the total. amount: this refund; total_refunded: all refunds of the payment by this provider so far, this one included (some providers say only that); both NULL: the whole payment. payment_reference: the provider''s reference of the payment that it is of; NULL: the latest with money left, judged by all that is known at any time, since nobody said which it is and the order in which things are told must not matter: it may move to a payment that is told later, and is in the total that the same provider tells of a payment, so that it counts once. currency: NULL for the top-up''s; in another one it is recorded as a contradiction and takes nothing. Refunds of several providers add up. After a refund failed, a total that the refunds told one by one come to, the failed ones included, is taken for a late one that counts those; what is more counts as it is. Unspent credits go first: what is available at once, what is held when the hold closes; what has expired or was voided is neither taken nor owed; what was spent becomes pending (spent => ''pending'') or is forgiven (''forgive''); NULL: credits.spent_on_refund. The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as a contradiction and changes nothing. More than was paid is recorded as a contradiction. taken: credits taken now; pending: credits owed for it now; held: credits that will be taken. Raises PC007, PC013, PC014.';

CREATE FUNCTION credits.payment_refund_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    payment_reference text DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT refunded numeric, OUT taken numeric, OUT pending numeric, OUT held numeric,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refund_failed_wrapper';
COMMENT ON FUNCTION credits.payment_refund_failed IS
'A refund that was told did not go through after all: gives back exactly what it took, and what it left owed is owed no longer. One that was never told changes nothing. Raises PC013, PC014.';

CREATE FUNCTION credits.payment_disputed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, spent text DEFAULT NULL, payment_reference text DEFAULT NULL, currency text DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT refunded numeric, OUT taken numeric, OUT pending numeric, OUT held numeric,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_disputed_wrapper';
COMMENT ON FUNCTION credits.payment_disputed IS
'The payer disputes a payment (a chargeback): takes credits as a refund of amount would (NULL: the whole payment), until payment_dispute_closed, and switches the customer''s auto-recharge off in every currency. payment_reference and currency: as for payment_refunded. The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as a contradiction and changes nothing. Raises PC007, PC013, PC014.';

CREATE FUNCTION credits.payment_dispute_closed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    won boolean DEFAULT NULL, payment_reference text DEFAULT NULL,
    OUT top_up_id uuid, OUT status text, OUT refunded numeric, OUT taken numeric, OUT pending numeric, OUT held numeric,
    OUT available numeric, OUT contradiction text, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_dispute_closed_wrapper';
COMMENT ON FUNCTION credits.payment_dispute_closed IS
'A dispute was decided. won (required) true: gives back exactly what it took, to the grants that gave it (what has expired meanwhile expires at once), and what it left owed is owed no longer. false: what was taken stays taken; where with it more went back than was paid, that is recorded as a contradiction. A dispute is decided once: told otherwise later, or of a dispute that was never told, it is recorded as a contradiction and changes nothing. provider_reference NULL: the newest dispute of this provider, of the payment that payment_reference names. Raises PC013, PC014.';

CREATE FUNCTION credits.payment_provider_set(
    provider text, webhook_secret text, checkout_url_template text DEFAULT NULL, previous_secret text DEFAULT NULL,
    tolerance integer DEFAULT 300, livemode boolean DEFAULT true, account text DEFAULT NULL,
    previous_secret_expires_at timestamptz DEFAULT NULL,
    OUT provider text, OUT checkout_url_template text, OUT has_previous_secret boolean, OUT tolerance integer,
    OUT livemode boolean, OUT account text, OUT previous_secret_expires_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_provider_set_wrapper';
COMMENT ON FUNCTION credits.payment_provider_set IS
'Says how a provider signs its webhooks, what it is expected to send, and where customers pay. ''stripe'' and ''paystack'' sign as those do; any other name is plain HMAC-SHA256 of the payload, in hexadecimal. Secrets have 16 to 255 characters. previous_secret: accepted beside webhook_secret while secrets are changed, until previous_secret_expires_at (NULL: 7 days from now). tolerance: how old a signed time may be, in seconds (Stripe''s scheme has one). livemode: whether its events are about real money (Stripe''s livemode, Paystack''s domain); account: the connected account whose events count (NULL: only those of no connected account). An event that says nothing of its mode is of the expected one; one whose livemode is there and neither true nor false (or whose domain is no text) is of neither. Events of another mode or of another account are recorded as ignored. checkout_url_template: an http or https address with the places of top_up_create after its host. Called again it says all of it anew, except a checkout_url_template that is NULL, which stays. Secrets are returned by nothing and only the owner can read them; keep them out of statement texts, since a server may log those. Raises PC013.';

CREATE FUNCTION credits.webhook_receive(
    provider text, payload text, signature text,
    OUT event_id text, OUT type text, OUT outcome text, OUT customer_id text, OUT top_up_id uuid, OUT status text,
    OUT replayed boolean, OUT reason text)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_receive_wrapper';
COMMENT ON FUNCTION credits.webhook_receive IS
'Takes a provider''s webhook: payload is the raw request body, at most 1 MiB, signature the header (Stripe-Signature, x-paystack-signature, or HMAC-SHA256 in hexadecimal). Checks the signature, claims the provider''s event id, and applies the payment and its credits, all in the caller''s transaction: a failure leaves no claim, and the provider''s retry does it. outcome: ''applied'', ''contradiction'' (recorded: see the view payment_log), ''ignored'' (kept and answered). reason, of what was ignored: ''kind'' (a kind of event that means nothing here), ''livemode'' and ''account'' (not what payment_provider_set expects), ''unknown'' (no purchase that is known; what names a payment is applied once that is), ''other_customer'' (it names one customer and another''s purchase). A repeat returns the first outcome with replayed = true; what was ignored is judged again, so that a provider can be asked to send it again. Raises PC012 (signature), PC013 (provider or payload), PC014 (a purchase that may not have committed yet: its id was made within the last hour).';

CREATE VIEW credits.purchases AS
SELECT t.customer_id, t.top_up_id,
       CASE WHEN t.status = 'initiated' AND t.expires_at <= credits.clock() THEN 'expired' ELSE t.status END AS status,
       t.price_id, t.name, t.quantity, t.amount, t.currency, t.credits, t.credit_currency, t.rate, t.provider,
       t.provider_reference, t.grant_id, t.recharge_id, t.paid_amount, t.refunded_amount, t.disputed_amount,
       t.dispute_status, t.reclaimed, t.description, t.metadata, t.created_at, t.expires_at, t.paid_at,
       t.due_amount
FROM credits.top_ups t;
COMMENT ON VIEW credits.purchases IS
'Top-ups at this moment: status ''initiated'', ''failed'', ''expired'', ''paid'', ''refunded''. amount: in major units of currency. due_amount: what of it is due without a tax in it and the provider''s discount. paid_amount: what was paid, in all payments (the view purchase_payments). credits: what was bought. reclaimed: credits that refunds and disputes took back, owe or forgave.';

CREATE VIEW credits.purchase_payments AS
SELECT p.customer_id, p.top_up_id, p.payment_no, p.provider, p.provider_reference, p.paid_amount, t.currency, p.tax, p.shipping,
       p.discount, p.refunded_amount, p.disputed_amount,
       greatest(p.paid_amount - p.refunded_amount - p.disputed_amount, 0) AS remaining_amount
FROM credits.payment_totals p
JOIN credits.top_ups t ON t.customer_id = p.customer_id AND t.top_up_id = p.top_up_id;
COMMENT ON VIEW credits.purchase_payments IS
'Payments of top-ups, each with what became of it, in major units of currency. paid_amount: NULL while it is only named by a refund or a dispute; tax, shipping: what of it is no price; discount: what the provider took off. What names no payment is shown at the latest with money left.';

CREATE VIEW credits.payment_log AS
SELECT p.customer_id, p.top_up_id, p.payment_id, p.type, p.provider, p.provider_reference,
       coalesce(p.amount, p.total_refunded) AS amount, p.currency, p.contradiction, p.operation_id, p.created_at,
       p.payment_reference, p.total_refunded, p.tax, p.shipping, p.discount, p.counts,
       p.type = 'succeeded' AND p.counts AND EXISTS (
           SELECT FROM credits.payments c
           WHERE c.customer_id = p.customer_id AND c.top_up_id = p.top_up_id AND c.payment_id > p.payment_id
             AND c.type = p.type AND c.counts AND c.provider = p.provider AND c.provider_reference = p.provider_reference)
           AS corrected
FROM credits.payments p;
COMMENT ON VIEW credits.payment_log IS
'What was told of payments, in order of payment_id: ''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'', ''dispute_lost''. payment_reference: the payment that a refund or a dispute is of. contradiction: what does not fit what was known, and was therefore not, or not wholly, applied; a person should look at these. counts: whether it counts for what is paid and paid back. corrected: what a payment is made of was told after it, so that its contradiction may be none any more.';

CREATE VIEW credits.webhook_log AS
SELECT w.provider, w.event_id, w.type, w.outcome, w.customer_id, w.top_up_id, w.received_at, w.reason
FROM credits.webhook_events w;
COMMENT ON VIEW credits.webhook_log IS
'Webhooks that were received and accepted, each event once: outcome ''applied'', ''contradiction'' or ''ignored'', that for the reason ''kind'', ''livemode'', ''account'', ''unknown'' or ''other_customer''. customer_id: whose payment it is about; for what was ignored, only whom it names.';
