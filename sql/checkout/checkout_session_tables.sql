-- Checkout sessions.

CREATE TABLE credits_internal.checkout_sessions (
    customer_id           text COLLATE "C" NOT NULL,
    checkout_session_id   uuid NOT NULL,
    mode                  text NOT NULL CHECK (mode IN ('payment', 'subscription')),
    status                text NOT NULL CHECK (status IN ('open', 'complete', 'expired')),
    payment_status        text NOT NULL CHECK (payment_status IN ('unpaid', 'paid', 'no_payment_required')),
    under_way             boolean NOT NULL DEFAULT false,
    currency              text COLLATE "C" NOT NULL,
    line_items            jsonb NOT NULL,
    tax_rate              numeric CHECK (tax_rate BETWEEN 0 AND 100),
    amount_subtotal       numeric NOT NULL,
    amount_discount       numeric NOT NULL CHECK (amount_discount >= 0),
    amount_tax            numeric NOT NULL,
    amount_total          numeric NOT NULL CHECK (amount_total >= 0),
    collection_method     text NOT NULL CHECK (collection_method IN ('charge_automatically', 'send_invoice')),
    allow_promotion_codes boolean NOT NULL,
    provider              text COLLATE "C",
    payment_link_id       uuid,
    invoice_id            uuid,
    url                   text,
    success_url           text,
    cancel_url            text,
    client_reference_id   text COLLATE "C",
    metadata              jsonb,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    expires_at            timestamptz NOT NULL,
    submitted_at          timestamptz,
    completed_at          timestamptz,
    expired_at            timestamptz,
    coupon_id             uuid,
    promotion_code_id     uuid,
    promotion_code        text COLLATE "C",
    amount_off            numeric,
    verification_method   text,
    verification_data     jsonb,
    subscription_data     jsonb,
    subscription_id       uuid,
    priced_at             timestamptz,
    PRIMARY KEY (customer_id, checkout_session_id),
    CONSTRAINT checkout_sessions_submitted CHECK (
        coalesce(invoice_id, subscription_id) IS NULL = (submitted_at IS NULL)),
    CONSTRAINT checkout_sessions_subscribed CHECK ((mode = 'subscription') = (subscription_data IS NOT NULL)
        AND (subscription_id IS NOT NULL) = (mode = 'subscription' AND submitted_at IS NOT NULL)),
    CONSTRAINT checkout_sessions_complete CHECK ((status = 'complete') = (completed_at IS NOT NULL)
                                                 AND (status = 'complete') = (payment_status <> 'unpaid')),
    CONSTRAINT checkout_sessions_discounted CHECK ((coupon_id IS NULL) = (amount_off IS NULL)
                                                   AND (promotion_code_id IS NULL) = (promotion_code IS NULL)
                                                   AND (coupon_id IS NOT NULL OR promotion_code_id IS NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.checkout_sessions IS
'Carts, and what became of them. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.checkout_sessions.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.checkout_sessions.checkout_session_id IS
'Its id, which its payment intent has too.';
COMMENT ON COLUMN credits_internal.checkout_sessions.mode IS
'''payment'': all is paid once; ''subscription'': it begins one.';
COMMENT ON COLUMN credits_internal.checkout_sessions.status IS
'''open'', ''complete'' or ''expired''. One that is open ends with expires_at, whatever is written here.';
COMMENT ON COLUMN credits_internal.checkout_sessions.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits_internal.checkout_sessions.under_way IS
'Whether its payment is under way: then time alone does not end it.';
COMMENT ON COLUMN credits_internal.checkout_sessions.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits_internal.checkout_sessions.line_items IS
'What is in the cart: an array of objects, each with the price, how many, and how many it may be.';
COMMENT ON COLUMN credits_internal.checkout_sessions.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits_internal.checkout_sessions.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits_internal.checkout_sessions.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits_internal.checkout_sessions.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits_internal.checkout_sessions.amount_total IS 'What is to be paid.';
COMMENT ON COLUMN credits_internal.checkout_sessions.collection_method IS
'''charge_automatically'': a worker is asked to charge the customer''s payment method; ''send_invoice'': nobody is.';
COMMENT ON COLUMN credits_internal.checkout_sessions.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits_internal.checkout_sessions.provider IS
'Who is to take the payment; NULL for the only one that is set.';
COMMENT ON COLUMN credits_internal.checkout_sessions.payment_link_id IS
'The payment link that opened it; NULL for none.';
COMMENT ON COLUMN credits_internal.checkout_sessions.invoice_id IS
'The invoice; NULL until it is submitted, and where a trial is all there is.';
COMMENT ON COLUMN credits_internal.checkout_sessions.url IS
'Where the customer finds it, with a signed token; NULL where credits.checkout_url was not set, and once erased.';
COMMENT ON COLUMN credits_internal.checkout_sessions.success_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits_internal.checkout_sessions.cancel_url IS 'Where the customer goes to leave it.';
COMMENT ON COLUMN credits_internal.checkout_sessions.client_reference_id IS 'What the application calls it.';
COMMENT ON COLUMN credits_internal.checkout_sessions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.checkout_sessions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.checkout_sessions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.checkout_sessions.expires_at IS 'When it ends, unless it is complete by then.';
COMMENT ON COLUMN credits_internal.checkout_sessions.submitted_at IS 'When it was first submitted.';
COMMENT ON COLUMN credits_internal.checkout_sessions.completed_at IS 'When it was paid, or there was nothing to pay.';
COMMENT ON COLUMN credits_internal.checkout_sessions.expired_at IS
'When it was written down that it had expired; NULL where it did not, or was paid since.';
COMMENT ON COLUMN credits_internal.checkout_sessions.coupon_id IS 'The coupon that takes something off; NULL for none.';
COMMENT ON COLUMN credits_internal.checkout_sessions.promotion_code_id IS
'The promotion code by which it does; NULL for none.';
COMMENT ON COLUMN credits_internal.checkout_sessions.promotion_code IS 'What people type in for it.';
COMMENT ON COLUMN credits_internal.checkout_sessions.amount_off IS 'What the coupon takes off.';
COMMENT ON COLUMN credits_internal.checkout_sessions.verification_method IS
'How the application knows that the customer may use it; NULL where it need not, and once erased.';
COMMENT ON COLUMN credits_internal.checkout_sessions.verification_data IS
'What it knows; NULL where it need not, and once erased.';
COMMENT ON COLUMN credits_internal.checkout_sessions.subscription_data IS
'What was said of the subscription that it begins; NULL where it begins none.';
COMMENT ON COLUMN credits_internal.checkout_sessions.subscription_id IS
'The subscription that it began; NULL until it is submitted.';
COMMENT ON COLUMN credits_internal.checkout_sessions.priced_at IS
'The moment as of which its amounts were worked out last, until it was submitted.';

CREATE INDEX checkout_sessions_by_id ON credits_internal.checkout_sessions (checkout_session_id);
CREATE INDEX checkout_sessions_of_link ON credits_internal.checkout_sessions (payment_link_id)
    WHERE payment_link_id IS NOT NULL;
CREATE INDEX checkout_sessions_ending ON credits_internal.checkout_sessions (expires_at)
    WHERE status = 'open' AND NOT under_way;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.checkout_sessions', '');
