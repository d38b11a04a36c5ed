\echo Use "ALTER EXTENSION pg_credits UPDATE" to load this file. \quit

-- Nothing that others put into a schema becomes part of the extension.
SET LOCAL search_path = pg_catalog, pg_temp;

-- By hand: what is done to tables that are there, and to their rows.
-- A role for whoever sends to webhook endpoints. Roles are the cluster's: it may be there, from another database.
DO $$
DECLARE
    members text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'credits_sender') THEN
        BEGIN
            CREATE ROLE credits_sender NOLOGIN;
            COMMENT ON ROLE credits_sender IS
                'Sends billing events to webhook endpoints: claims them, and reports the answers.';
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- made at this very moment, for another database of the cluster
        END;
        RETURN;
    END IF;
    SELECT pg_catalog.string_agg(m.member::pg_catalog.regrole::text, ', ') INTO members
    FROM pg_catalog.pg_auth_members m WHERE m.roleid = 'credits_sender'::pg_catalog.regrole;
    IF members IS NOT NULL THEN
        RAISE WARNING 'role credits_sender exists already: its members are %', members
            USING HINT = 'Roles belong to the cluster. Keep out of this database who is not meant: REVOKE CONNECT.';
    END IF;
END $$;
-- Prices with a date: those of before are in force since they were set.
ALTER TABLE credits_internal.meter_prices ADD COLUMN effective_at timestamptz;
-- Prices whose tiers go on from the usage under the price before.
ALTER TABLE credits_internal.meter_prices ADD COLUMN continue_tiers boolean;
ALTER TABLE credits_internal.usage_periods ADD COLUMN carried numeric NOT NULL DEFAULT 0;
-- Periods of a week and of a year.
ALTER TABLE credits_internal.meters DROP CONSTRAINT meters_period_check;
ALTER TABLE credits_internal.meters ADD CONSTRAINT meters_period_check
    CHECK (period IN ('day', 'week', 'month', 'year'));
-- Grants that are ended in part, and suspended.
ALTER TABLE credits_internal.credit_grants DROP CONSTRAINT credit_grants_status_check;
ALTER TABLE credits_internal.credit_grants ADD CONSTRAINT credit_grants_status_check
    CHECK (status IN ('pending', 'granted', 'depleted', 'expired', 'voided', 'suspended'));
ALTER TABLE credits_internal.credit_grants
    ADD COLUMN parts_ended numeric NOT NULL DEFAULT 0 CHECK (parts_ended >= 0),
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN suspended_reason text,
    ADD COLUMN noticed_end timestamptz;
ALTER TABLE credits_internal.reclaims ALTER COLUMN top_up_id DROP NOT NULL;
ALTER TABLE credits_internal.auto_recharges
    ALTER price_id DROP NOT NULL,
    DROP CONSTRAINT auto_recharges_threshold_check,
    ADD CONSTRAINT auto_recharges_threshold_check CHECK (threshold >= 0),
    ADD target numeric CHECK (target > 0),
    ADD price_currency text COLLATE "C",
    ADD max_attempts_per_calendar_day integer CHECK (max_attempts_per_calendar_day > 0),
    ADD max_amount_per_calendar_day numeric CHECK (max_amount_per_calendar_day > 0),
    ADD max_attempts_per_calendar_month integer CHECK (max_attempts_per_calendar_month > 0),
    ADD max_amount_per_calendar_month numeric CHECK (max_amount_per_calendar_month > 0),
    ADD schedule_every interval CHECK (timestamp '2001-02-01' + schedule_every > timestamp '2001-02-01'),
    ADD schedule_start_at timestamptz,
    ADD schedule_day integer CHECK (schedule_day BETWEEN 1 AND 31),
    ADD scheduled_at timestamptz NOT NULL DEFAULT 'infinity',
    ADD CONSTRAINT auto_recharges_bought_with CHECK ((price_id IS NULL) <> (price_currency IS NULL));
ALTER TABLE credits_internal.recharges
    ADD quantity integer,
    ADD scheduled boolean NOT NULL DEFAULT false;

-- Limits, and the members who spend.
ALTER TABLE credits_internal.accounts ADD COLUMN limited boolean NOT NULL DEFAULT false;
-- What is owed and on invoices.
ALTER TABLE credits_internal.accounts ADD COLUMN invoiced numeric;
ALTER TABLE credits_internal.operations ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits_internal.holds ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits_internal.meter_events ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits.inbox ADD COLUMN member_id text COLLATE "C";
ALTER TABLE credits_internal.inbox_rejected ADD COLUMN member_id text COLLATE "C";
-- What grants cost.
ALTER TABLE credits_internal.credit_grants ADD cost_amount numeric CHECK (cost_amount >= 0);
ALTER TABLE credits_internal.credit_grants ADD cost_currency text COLLATE "C";
ALTER TABLE credits_internal.credit_grants
    ADD CONSTRAINT credit_grants_cost CHECK ((cost_amount IS NULL) = (cost_currency IS NULL));
-- Of purchases it is known. A part that was transferred would have taken its part of it along: those have none.
UPDATE credits_internal.credit_grants g
SET cost_amount = round(g.cost_basis * g.amount, c.decimals), cost_currency = t.currency
FROM credits_internal.top_ups t
JOIN credits_internal.currencies c ON c.currency = t.currency
WHERE g.customer_id = t.customer_id AND g.grant_id = t.grant_id AND g.cost_basis IS NOT NULL AND NOT EXISTS (
    SELECT FROM credits_internal.credit_transactions l
    WHERE l.customer_id = g.customer_id AND l.currency = g.currency AND l.grant_id = g.grant_id AND l.type = 'transfer');
ALTER TABLE credits_internal.holds
    ADD COLUMN charged numeric NOT NULL DEFAULT 0 CONSTRAINT holds_charged_check CHECK (charged >= 0),
    ADD COLUMN updated_at timestamptz,
    ADD COLUMN event_name text COLLATE "C";
ALTER TABLE credits_internal.reclaims ALTER COLUMN grant_id DROP NOT NULL;

ALTER TABLE credits_internal.meters
    ADD COLUMN fallback_currency text COLLATE "C",
    ADD COLUMN fallback_rate numeric CHECK (fallback_rate > 0),
    ADD CONSTRAINT meters_fallback_check CHECK ((fallback_currency IS NULL) = (fallback_rate IS NULL)
                                                AND fallback_currency <> currency);
-- More of customers.
ALTER TABLE credits_internal.customers
    ADD COLUMN phone text,
    ADD COLUMN description text,
    ADD COLUMN address jsonb,
    ADD COLUMN shipping jsonb,
    ADD COLUMN currency text COLLATE "C",
    ADD COLUMN invoice_prefix text COLLATE "C",
    ADD COLUMN tax_rate numeric CHECK (tax_rate BETWEEN 0 AND 100),
    ADD COLUMN preferences jsonb;
-- Meters that count different values.
ALTER TABLE credits_internal.meters
    ADD COLUMN unique_by text CHECK (unique_by <> '' AND length(unique_by) <= 255),
    DROP CONSTRAINT meters_aggregation_check,
    ADD CONSTRAINT meters_aggregation_check CHECK (aggregation IN ('sum', 'count', 'last', 'max', 'unique')),
    ADD CONSTRAINT meters_unique_check CHECK ((aggregation = 'unique') = (unique_by IS NOT NULL));
-- Meters that are invoiced.
ALTER TABLE credits_internal.meters
    DROP CONSTRAINT meters_settlement_check,
    ADD CONSTRAINT meters_settlement_check CHECK (settlement IN ('immediate', 'deferred', 'invoice'));
-- Periods in time zones, and from billing dates.
ALTER TABLE credits_internal.customers ADD COLUMN time_zone text, ADD COLUMN billing_anchor timestamptz;
ALTER TABLE credits_internal.meters
    ADD COLUMN time_zone text,
    ADD COLUMN period_from text NOT NULL DEFAULT 'meter' CHECK (period_from IN ('meter', 'customer', 'billing_date')),
    ADD CONSTRAINT meters_calendar_check CHECK (period IS NOT NULL OR (time_zone IS NULL AND period_from = 'meter'));
ALTER TABLE credits_internal.usage_periods ADD COLUMN period_end timestamptz;
-- What a product's one unit grants: in one column instead of six. The views first, which are made anew below.
ALTER TABLE credits_internal.products
    ADD type text,
    ADD images text[],
    ADD features text[],
    ADD unit_label text,
    ADD statement_descriptor text,
    ADD credit_config jsonb,
    ADD updated_at timestamptz;
UPDATE credits_internal.products d
SET type = 'credit', updated_at = coalesce(d.archived_at, d.created_at),
    credit_config = jsonb_strip_nulls(jsonb_build_object(
        'currency', d.credit_currency, 'amount', trim_scale(d.credits)::text, 'category', d.category,
        'priority', d.priority, 'applicable_meters', to_jsonb(d.applicable_meters), 'valid_for', l.shown))
FROM credits_internal.products e
CROSS JOIN LATERAL (
    SELECT (extract(year FROM e.time_to_live) * 12 + extract(month FROM e.time_to_live))::integer AS months,
           extract(day FROM e.time_to_live)::integer AS days,
           extract(hour FROM e.time_to_live) * 3600 + extract(minute FROM e.time_to_live) * 60
               + extract(second FROM e.time_to_live) AS seconds) p
-- As src/moment/length.rs writes it.
CROSS JOIN LATERAL (
    SELECT string_agg(CASE WHEN least(p.months, p.days, p.seconds) < 0 AND u.count > 0 THEN '+' ELSE '' END
                      || trim_scale(u.count) || ' ' || u.unit || CASE WHEN abs(u.count) = 1 THEN '' ELSE 's' END,
                      ' ' ORDER BY u.no) AS shown
    FROM (VALUES (1, CASE WHEN p.months % 12 = 0 THEN p.months / 12 ELSE p.months END::numeric,
                  CASE WHEN p.months % 12 = 0 THEN 'year' ELSE 'month' END),
                 (2, p.days::numeric, 'day'),
                 (3, CASE WHEN p.seconds % 3600 = 0 THEN p.seconds / 3600 ELSE p.seconds END,
                  CASE WHEN p.seconds % 3600 = 0 THEN 'hour' ELSE 'second' END)) AS u (no, count, unit)
    WHERE u.count <> 0) l
WHERE e.product_id = d.product_id;
ALTER TABLE credits_internal.products ALTER type SET NOT NULL, ALTER updated_at SET NOT NULL,
    ADD CONSTRAINT products_type_check CHECK (type IN ('service', 'good', 'credit'));
CREATE OR REPLACE VIEW credits.products AS
SELECT d.product_id, d.name, d.description, (d.credit_config->>'currency') COLLATE "C" AS credit_currency,
       (d.credit_config->>'amount')::numeric AS credits, d.credit_config->>'category' AS category,
       (d.credit_config->>'priority')::integer AS priority, (d.credit_config->>'valid_for')::interval AS time_to_live,
       CASE WHEN d.credit_config ? 'applicable_meters'
            THEN ARRAY(SELECT jsonb_array_elements_text(d.credit_config->'applicable_meters')) END AS applicable_meters,
       d.metadata, d.archived_at IS NULL AS active, d.created_at, d.archived_at
FROM credits_internal.products d;
CREATE OR REPLACE VIEW credits.prices AS
SELECT p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata,
       p.archived_at IS NULL AND d.archived_at IS NULL AS active, p.created_at,
       coalesce(p.archived_at, d.archived_at) AS archived_at, d.name AS product_name, d.credits, d.credit_currency
FROM credits_internal.prices p JOIN credits.products d ON d.product_id = p.product_id;
CREATE OR REPLACE VIEW credits.packages AS
SELECT p.price_id, d.product_id, d.name, d.description, d.credits, d.credit_currency, p.unit_amount,
       p.currency AS price_currency, d.category, d.priority, d.time_to_live, d.applicable_meters, d.metadata,
       p.created_at
FROM credits_internal.prices p JOIN credits.products d ON d.product_id = p.product_id
WHERE p.archived_at IS NULL AND d.archived_at IS NULL;
ALTER TABLE credits_internal.products
    DROP credit_currency, DROP credits, DROP category, DROP priority, DROP time_to_live, DROP applicable_meters;
-- Prices of all kinds.
ALTER TABLE credits_internal.prices
    DROP CONSTRAINT prices_type_check,
    ADD CONSTRAINT prices_type_check CHECK (type IN ('one_time', 'recurring')),
    ALTER unit_amount DROP NOT NULL,
    DROP CONSTRAINT prices_unit_amount_check,
    ADD CONSTRAINT prices_unit_amount_check CHECK (unit_amount >= 0),
    ADD recurring jsonb,
    ADD nickname text,
    ADD lookup_key text COLLATE "C",
    ADD currency_options jsonb,
    ADD pricing jsonb,
    ADD quantity_limit_per_checkout integer CHECK (quantity_limit_per_checkout > 0),
    ADD credit_config jsonb,
    ADD tax_behavior text NOT NULL DEFAULT 'exclusive' CHECK (tax_behavior IN ('exclusive', 'inclusive')),
    ADD updated_at timestamptz,
    ADD CONSTRAINT prices_recurring CHECK ((recurring IS NULL) = (type = 'one_time')),
    ADD CONSTRAINT prices_amount CHECK (pricing IS NULL OR unit_amount IS NULL);
UPDATE credits_internal.prices SET updated_at = coalesce(archived_at, created_at);
ALTER TABLE credits_internal.prices ALTER updated_at SET NOT NULL;
-- Which of them were used. The table is made here, to be filled; what is said of it follows below.
CREATE TABLE credits_internal.price_usage (
    price_id      uuid NOT NULL PRIMARY KEY,
    first_used_at timestamptz NOT NULL
);
INSERT INTO credits_internal.price_usage (price_id, first_used_at)
SELECT u.price_id, min(u.used_at)
FROM (SELECT t.price_id, t.created_at AS used_at FROM credits_internal.top_ups t
      UNION ALL SELECT r.price_id, p.created_at
      FROM credits_internal.auto_recharges r JOIN credits_internal.prices p ON p.price_id = r.price_id
      UNION ALL SELECT c.base_price_id, c.updated_at FROM credits_internal.recharge_configs c) u
WHERE u.price_id IS NOT NULL
GROUP BY u.price_id;
-- Payment intents, and the invoices that they pay: of each top-up. The tables are made here, to be filled; what is said of
-- them follows below.
CREATE TABLE credits_internal.payment_intents (
    customer_id        text COLLATE "C" NOT NULL,
    payment_intent_id  uuid NOT NULL,
    invoice_id         uuid NOT NULL,
    status             text NOT NULL CHECK (status IN ('requires_payment_method', 'requires_action', 'processing',
                                                       'succeeded', 'canceled')),
    amount             numeric NOT NULL CHECK (amount > 0),
    currency           text COLLATE "C" NOT NULL,
    due_amount         numeric NOT NULL CHECK (due_amount BETWEEN 0 AND amount),
    paid_amount        numeric,
    refunded_amount    numeric NOT NULL DEFAULT 0,
    disputed_amount    numeric NOT NULL DEFAULT 0,
    dispute_status     text CHECK (dispute_status IN ('open', 'won', 'lost')),
    is_refunded        boolean NOT NULL DEFAULT false,
    provider           text COLLATE "C",
    provider_reference text COLLATE "C",
    payment_method_id  uuid,
    requested_at       timestamptz,
    attempts           integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    attempt_key        uuid,
    failed_at          timestamptz,
    last_payment_error text,
    action_url         text,
    recharge_id        uuid,
    return_url         text,
    failure_url        text,
    checkout_url       text,
    description        text,
    metadata           jsonb,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    expires_at         timestamptz,
    paid_at            timestamptz,
    closed_at          timestamptz,
    PRIMARY KEY (customer_id, payment_intent_id),
    CONSTRAINT payment_intents_paid CHECK ((status = 'succeeded') = (paid_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE TABLE credits_internal.invoices (
    customer_id             text COLLATE "C" NOT NULL,
    invoice_id              uuid NOT NULL,
    status                  text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    billing_reason          text NOT NULL CHECK (billing_reason IN (
                                'manual', 'recharge', 'auto_recharge', 'deposit', 'subscription_create',
                                'subscription_cycle', 'subscription_update', 'overdraft_protection')),
    currency                text COLLATE "C" NOT NULL,
    number                  text COLLATE "C",
    number_prefix           text COLLATE "C",
    number_no               bigint CHECK (number_no > 0),
    description             text,
    footer                  text,
    custom_fields           jsonb,
    metadata                jsonb,
    tax_rate                numeric CHECK (tax_rate BETWEEN 0 AND 100),
    given_discount          numeric NOT NULL CHECK (given_discount >= 0),
    subtotal                numeric NOT NULL DEFAULT 0,
    discount                numeric NOT NULL DEFAULT 0 CHECK (discount >= 0),
    tax                     numeric NOT NULL DEFAULT 0,
    shipping                numeric NOT NULL DEFAULT 0 CHECK (shipping >= 0),
    from_provider           boolean NOT NULL DEFAULT false,
    total                   numeric NOT NULL DEFAULT 0,
    total_excluding_tax     numeric NOT NULL DEFAULT 0,
    amount_due              numeric NOT NULL DEFAULT 0 CHECK (amount_due >= 0),
    amount_paid             numeric NOT NULL DEFAULT 0 CHECK (amount_paid BETWEEN 0 AND amount_due),
    due_date                timestamptz,
    days_until_due          integer CHECK (days_until_due >= 0),
    customer_name           text,
    customer_email          text,
    customer_phone          text,
    customer_address        jsonb,
    collection_method       text NOT NULL CHECK (collection_method IN ('charge_automatically', 'send_invoice')),
    retained                boolean NOT NULL DEFAULT false,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL,
    finalized_at            timestamptz,
    paid_at                 timestamptz,
    voided_at               timestamptz,
    marked_uncollectible_at timestamptz,
    seller                  text,
    coupon_id               uuid,
    promotion_code_id       uuid,
    checkout_session_id     uuid,
    coupon_name             text,
    subscription_id         uuid,
    payment_method_id       uuid,
    PRIMARY KEY (customer_id, invoice_id),
    CONSTRAINT invoices_number CHECK ((status = 'draft') = (number IS NULL)
                                      AND num_nonnulls(number, number_prefix, number_no, finalized_at) IN (0, 4)),
    CONSTRAINT invoices_paid CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CONSTRAINT invoices_void CHECK ((status = 'void') = (voided_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE TABLE credits_internal.invoice_lines (
    customer_id          text COLLATE "C" NOT NULL,
    invoice_line_id      uuid NOT NULL,
    invoice_id           uuid,
    line_no              integer CHECK (line_no > 0),
    was_pending          boolean NOT NULL DEFAULT false,
    currency             text COLLATE "C" NOT NULL,
    price_id             uuid,
    description          text,
    quantity             numeric CHECK (quantity > 0),
    unit_amount          numeric,
    pricing              jsonb,
    amount               numeric NOT NULL,
    given_discount       numeric NOT NULL CHECK (given_discount >= 0),
    given_tax_rate       numeric CHECK (given_tax_rate BETWEEN 0 AND 100),
    tax_behavior         text NOT NULL CHECK (tax_behavior IN ('exclusive', 'inclusive')),
    discount             numeric NOT NULL CHECK (discount >= 0),
    tax_rate             numeric CHECK (tax_rate > 0),
    tax                  numeric NOT NULL,
    amount_excluding_tax numeric NOT NULL,
    credits              numeric CHECK (credits > 0),
    credit_currency      text COLLATE "C",
    category             text,
    priority             smallint,
    time_to_live         interval,
    applicable_meters    text[],
    grant_name           text,
    grant_id             uuid,
    reclaimed            numeric NOT NULL DEFAULT 0 CHECK (reclaimed >= 0),
    refunded_amount      numeric NOT NULL DEFAULT 0 CHECK (refunded_amount >= 0),
    period_start         timestamptz,
    period_end           timestamptz,
    from_invoice_id      uuid,
    metadata             jsonb,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    rollover             jsonb,
    subscription_item_id uuid,
    covers_until         timestamptz,
    proration            boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, invoice_line_id),
    CONSTRAINT invoice_lines_place CHECK ((invoice_id IS NULL) = (line_no IS NULL)),
    CONSTRAINT invoice_lines_credits CHECK (num_nonnulls(credits, credit_currency, category, priority) IN (0, 4)),
    CONSTRAINT invoice_lines_period CHECK ((period_start IS NULL) = (period_end IS NULL) AND period_start <= period_end)
) WITH (fillfactor = 80);
CREATE TABLE credits_internal.invoice_payments (
    customer_id       text COLLATE "C" NOT NULL,
    invoice_id        uuid NOT NULL,
    payment_no        integer NOT NULL CHECK (payment_no > 0),
    paid_from         text NOT NULL CHECK (paid_from IN ('wallet', 'outside', 'provider', 'deposit')),
    amount            numeric NOT NULL CHECK (amount > 0),
    operation_id      uuid,
    reference         text COLLATE "C",
    created_at        timestamptz NOT NULL,
    reversed_at       timestamptz,
    reversal_id       uuid,
    payment_intent_id uuid,
    deposit_id        uuid,
    PRIMARY KEY (customer_id, invoice_id, payment_no),
    CONSTRAINT invoice_payments_provider CHECK ((paid_from = 'provider') = (payment_intent_id IS NOT NULL)),
    CONSTRAINT invoice_payments_wallet CHECK ((paid_from = 'wallet') = (operation_id IS NOT NULL)),
    CONSTRAINT invoice_payments_deposit CHECK ((paid_from = 'deposit') = (deposit_id IS NOT NULL)),
    CONSTRAINT invoice_payments_reversed CHECK ((reversed_at IS NULL) = (reversal_id IS NULL))
);
CREATE TABLE credits_internal.invoice_numbers (
    customer_id text COLLATE "C" NOT NULL,
    prefix      text COLLATE "C" NOT NULL,
    last_no     bigint NOT NULL CHECK (last_no > 0),
    PRIMARY KEY (customer_id, prefix)
) WITH (fillfactor = 80);
INSERT INTO credits_internal.invoices (
    customer_id, invoice_id, status, billing_reason, currency, number, number_prefix, number_no, description, metadata,
    given_discount, subtotal, discount, tax, shipping, from_provider, total, total_excluding_tax, amount_due, amount_paid,
    collection_method, created_at, updated_at, finalized_at, paid_at)
SELECT t.customer_id, coalesce(t.recharge_id, t.top_up_id), CASE WHEN n.no IS NULL THEN 'draft' ELSE 'paid' END,
       CASE WHEN t.recharge_id IS NULL THEN 'recharge' ELSE 'auto_recharge' END, t.currency,
       n.prefix || '-' || CASE WHEN n.no < 10000 THEN lpad(n.no::text, 4, '0') ELSE n.no::text END, n.prefix, n.no,
       t.description, t.metadata, 0, m.price, m.price - m.net, m.tax, m.shipping, m.from_provider, m.total,
       m.total - m.tax, m.total, CASE WHEN n.no IS NULL THEN 0 ELSE m.total END, 'send_invoice', t.created_at,
       coalesce(t.closed_at, t.created_at), t.paid_at, t.paid_at
FROM credits_internal.top_ups t
-- As src/invoicing/number.rs makes them up, in the order of payment.
LEFT JOIN (
    SELECT p.customer_id, p.top_up_id, x.prefix,
           row_number() OVER (PARTITION BY p.customer_id ORDER BY p.paid_at, p.top_up_id) AS no
    FROM credits_internal.top_ups p
    CROSS JOIN LATERAL (
        SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
                                 get_byte(sha256(convert_to(p.customer_id, 'UTF8')), i) % 32 + 1, 1), '' ORDER BY i) AS prefix
        FROM generate_series(0, 9) i) x
    WHERE p.paid_at IS NOT NULL) n ON n.customer_id = t.customer_id AND n.top_up_id = t.top_up_id
-- What the provider's checkout said, of the payments that covered it. A tax in the price is taken off that.
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.tax), 0) AS tax, coalesce(sum(p.shipping), 0) AS shipping, coalesce(sum(p.discount), 0) AS discount
    FROM credits_internal.payment_totals p
    WHERE p.customer_id = t.customer_id AND p.top_up_id = t.top_up_id AND n.no IS NOT NULL) d
CROSS JOIN LATERAL (
    SELECT CASE WHEN n.no IS NULL THEN t.amount ELSE least(t.due_amount + d.discount, t.amount) END AS price,
           CASE WHEN n.no IS NULL THEN t.amount ELSE t.due_amount END AS net, d.tax, d.shipping,
           d.tax + d.shipping + d.discount > 0 AS from_provider,
           CASE WHEN n.no IS NULL THEN t.amount ELSE t.due_amount END + d.tax + d.shipping AS total) m;
INSERT INTO credits_internal.invoice_lines (
    customer_id, invoice_line_id, invoice_id, line_no, currency, price_id, description, quantity, unit_amount, amount,
    given_discount, tax_behavior, discount, tax, amount_excluding_tax, credits, credit_currency, category, priority,
    time_to_live, applicable_meters, grant_name, grant_id, reclaimed, metadata, created_at, updated_at)
SELECT t.customer_id, t.top_up_id, i.invoice_id, 1, t.currency, t.price_id, t.name,
       CASE WHEN t.rate IS NULL THEN t.quantity ELSE t.credits END, t.rate, i.subtotal, 0, 'exclusive', i.discount, i.tax,
       i.subtotal - i.discount, t.credits, t.credit_currency, t.category, t.priority, t.time_to_live, t.applicable_meters,
       t.name, t.grant_id, t.reclaimed, t.metadata, t.created_at, i.updated_at
FROM credits_internal.top_ups t
JOIN credits_internal.invoices i
  ON i.customer_id = t.customer_id AND i.invoice_id = coalesce(t.recharge_id, t.top_up_id);
INSERT INTO credits_internal.invoice_payments (
    customer_id, invoice_id, payment_no, paid_from, amount, created_at, payment_intent_id)
SELECT t.customer_id, coalesce(t.recharge_id, t.top_up_id), 1, 'provider', i.total, t.paid_at, t.top_up_id
FROM credits_internal.top_ups t
JOIN credits_internal.invoices i
  ON i.customer_id = t.customer_id AND i.invoice_id = coalesce(t.recharge_id, t.top_up_id)
WHERE i.status = 'paid' AND i.total > 0;
INSERT INTO credits_internal.invoice_numbers (customer_id, prefix, last_no)
SELECT i.customer_id, i.number_prefix, max(i.number_no) FROM credits_internal.invoices i
WHERE i.number IS NOT NULL GROUP BY i.customer_id, i.number_prefix;
INSERT INTO credits_internal.payment_intents (
    customer_id, payment_intent_id, invoice_id, status, amount, currency, due_amount, paid_amount, refunded_amount,
    disputed_amount, dispute_status, is_refunded, provider, provider_reference, failed_at, recharge_id, return_url,
    failure_url, checkout_url, description, metadata, created_at, updated_at, expires_at, paid_at, closed_at)
SELECT t.customer_id, t.top_up_id, coalesce(t.recharge_id, t.top_up_id),
       CASE WHEN t.status IN ('paid', 'refunded') THEN 'succeeded' WHEN t.status = 'expired' THEN 'canceled'
            ELSE 'requires_payment_method' END,
       t.amount, t.currency, t.due_amount, t.paid_amount, t.refunded_amount, t.disputed_amount, t.dispute_status,
       t.status = 'refunded', t.provider, t.provider_reference,
       CASE WHEN t.status = 'failed' THEN coalesce(t.closed_at, t.created_at) END, t.recharge_id, t.return_url,
       t.failure_url, t.checkout_url, t.description, t.metadata, t.created_at, coalesce(t.closed_at, t.created_at),
       t.expires_at, t.paid_at, t.closed_at
FROM credits_internal.top_ups t;
ALTER TABLE credits_internal.recharges ADD price_id uuid, ADD rate numeric;
UPDATE credits_internal.recharges r SET price_id = t.price_id, rate = t.rate
FROM credits_internal.top_ups t WHERE t.customer_id = r.customer_id AND t.top_up_id = r.top_up_id;
ALTER TABLE credits_internal.reclaims ADD first_id uuid;
ALTER TABLE credits_internal.payments
    DROP CONSTRAINT payments_type_check,
    ADD CONSTRAINT payments_type_check CHECK (type IN (
        'succeeded', 'failed', 'expired', 'refunded', 'refund_failed', 'disputed', 'dispute_won', 'dispute_lost',
        'processing', 'requires_action'));
-- The views first, which are made anew below.
CREATE OR REPLACE VIEW credits.top_ups AS
SELECT t.customer_id, t.payment_intent_id AS top_up_id, t.status, l.price_id, l.grant_name AS name,
       l.quantity::integer AS quantity, t.amount, t.currency, l.credits, l.credit_currency, l.unit_amount AS rate, t.provider,
       t.provider_reference, l.grant_id, t.recharge_id, t.paid_amount, t.refunded_amount, t.disputed_amount,
       t.dispute_status, l.reclaimed, t.description, t.metadata, t.created_at, t.expires_at, t.paid_at, t.due_amount,
       t.checkout_url
FROM credits_internal.payment_intents t
JOIN credits_internal.invoice_lines l ON l.customer_id = t.customer_id AND l.invoice_id = t.invoice_id;
CREATE OR REPLACE VIEW credits.top_up_payments AS
SELECT p.customer_id, p.top_up_id, p.payment_no, p.provider, p.provider_reference, p.paid_amount, t.currency, p.tax,
       p.shipping, p.discount, p.refunded_amount, p.disputed_amount,
       greatest(p.paid_amount - p.refunded_amount - p.disputed_amount, 0) AS remaining_amount
FROM credits_internal.payment_totals p
JOIN credits_internal.payment_intents t ON t.customer_id = p.customer_id AND t.payment_intent_id = p.top_up_id;
CREATE OR REPLACE VIEW credits_internal.payment_discrepancies AS
SELECT NULL::text AS problem, p.customer_id, p.currency, NULL::text COLLATE "C" AS subject, p.amount AS expected, p.amount AS found
FROM credits_internal.payments p WHERE false;
ALTER EXTENSION pg_credits DROP TABLE credits_internal.top_ups;
DROP TABLE credits_internal.top_ups;
-- The payment link of each recharge configuration.
CREATE TABLE credits_internal.payment_links (
    payment_link_id       uuid NOT NULL PRIMARY KEY,
    name                  text NOT NULL,
    line_items            jsonb NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    after_completion      jsonb,
    allow_promotion_codes boolean NOT NULL,
    lookup_key            text COLLATE "C",
    recharge_currency     text COLLATE "C",
    metadata              jsonb,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    archived_at           timestamptz,
    subscription_data     jsonb
);
INSERT INTO credits_internal.payment_links (
    payment_link_id, name, line_items, currency, allow_promotion_codes, recharge_currency, created_at, updated_at)
SELECT gen_random_uuid(), d.name,
       jsonb_build_array(jsonb_build_object(
           'price_id', r.base_price_id, 'quantity', 1,
           'adjustable_quantity', jsonb_build_object('enabled', true, 'minimum', 1, 'maximum', 2147483647))),
       p.currency, true, r.currency, now(), now()
FROM credits_internal.recharge_configs r
JOIN credits_internal.prices p ON p.price_id = r.base_price_id
JOIN credits_internal.products d ON d.product_id = p.product_id;

-- Written by 'scripts/build.sh step' from here on.
DO $$
DECLARE
    wanted  record;
    role    record;
    members text;
    groups  text;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('credits_owner', 'Owns all of pg_credits, whose functions run with its rights. Not for logins.'),
            ('credits_app', 'Calls everything that moves credits, and reads.'),
            ('credits_read', 'Reads: the views of schema credits, and the functions that change nothing.'),
            ('credits_admin', 'Calls everything: also what configures and maintains.'),
            ('credits_customer', 'Reads the views my_* of schema credits: the rows of credits.current_customer.'),
            ('credits_webhook', 'Receives webhooks: calls credits.webhook_receive, and nothing else.'),
            ('credits_worker', 'Charges cards: takes rows of the outbox, begins recharges, and reports payments.'),
            ('credits_sender', 'Sends billing events to webhook endpoints: claims them, and reports the answers.'),
            ('credits_meter', 'Reports usage: by function, and by COPY into credits.inbox.')
        ) AS roles (name, purpose)
    LOOP
        SELECT r.* INTO role FROM pg_catalog.pg_roles r WHERE r.rolname = wanted.name;
        IF NOT FOUND THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted.name);
                EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', wanted.name, wanted.purpose);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made at this very moment, for another database of the cluster
            END;
            CONTINUE;
        END IF;

        -- Whoever made it decided what else it can do and who is in it.
        IF wanted.name = 'credits_owner'
           AND (role.rolsuper OR role.rolcanlogin OR role.rolcreaterole OR role.rolcreatedb OR role.rolreplication
                OR role.rolbypassrls) THEN
            RAISE EXCEPTION 'role credits_owner exists already, and may do more than own pg_credits'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'ALTER ROLE credits_owner NOSUPERUSER NOLOGIN NOCREATEROLE'
                             ' NOCREATEDB NOREPLICATION NOBYPASSRLS';
        END IF;
        SELECT pg_catalog.string_agg(r.rolname, ', ' ORDER BY r.rolname) INTO members
        FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE m.roleid = role.oid;
        SELECT pg_catalog.string_agg(r.rolname, ', ' ORDER BY r.rolname) INTO groups
        FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid WHERE m.member = role.oid;
        IF role.rolsuper OR role.rolcanlogin OR members IS NOT NULL THEN
            RAISE WARNING 'role % exists already: %', wanted.name,
                pg_catalog.concat_ws('; ', CASE WHEN role.rolsuper THEN 'it is a superuser' END,
                    CASE WHEN role.rolcanlogin THEN 'it can log in' END, 'its members are ' || members)
                USING HINT = 'Roles belong to the cluster. Keep out of this database who is not meant: REVOKE CONNECT.';
        END IF;
        IF wanted.name = 'credits_owner' AND groups IS NOT NULL THEN
            RAISE WARNING 'role credits_owner exists already, and is a member of %', groups
                USING HINT = 'The functions of pg_credits have the rights of those roles as well.';
        END IF;
    END LOOP;
END $$;
CREATE TABLE credits_internal.invoice_prefixes (
    invoice_prefix text COLLATE "C" NOT NULL PRIMARY KEY CHECK (invoice_prefix ~ '^[0-9A-Z]{3,12}$'),
    customer_id    text COLLATE "C" NOT NULL
);
CREATE INDEX invoice_prefixes_of_customer ON credits_internal.invoice_prefixes (customer_id);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_prefixes', '');
CREATE INDEX credit_grants_suspended ON credits_internal.credit_grants (customer_id, currency, expires_at)
    WHERE status = 'suspended';
CREATE INDEX credit_grants_noticing ON credits_internal.credit_grants (expires_at)
    WHERE status = 'granted' AND expires_at < 'infinity' AND noticed_end IS DISTINCT FROM expires_at;
CREATE TABLE credits_internal.grant_rollovers (
    customer_id text COLLATE "C" NOT NULL,
    grant_id    uuid NOT NULL,
    root_id     uuid NOT NULL,
    generation  integer NOT NULL CHECK (generation >= 0),
    percent     numeric NOT NULL CHECK (percent > 0 AND percent <= 100),
    max         numeric CHECK (max > 0),
    times_left  integer CHECK (times_left >= 0),
    lives       interval NOT NULL,
    until       timestamptz,
    rolled_from uuid,
    rolled_to   uuid,
    rolled_over numeric CHECK (rolled_over > 0),
    PRIMARY KEY (customer_id, grant_id),
    CONSTRAINT grant_rollovers_chain UNIQUE (customer_id, root_id, generation),
    CONSTRAINT grant_rollovers_root CHECK ((generation = 0) = (grant_id = root_id)
                                           AND (generation = 0) = (rolled_from IS NULL)),
    CONSTRAINT grant_rollovers_next CHECK ((rolled_to IS NULL) = (rolled_over IS NULL))
) WITH (fillfactor = 90);
ALTER TABLE credits_internal.grant_rollovers ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.grant_rollovers', '');
CREATE TABLE credits_internal.hold_captures (
    customer_id text COLLATE "C" NOT NULL,
    hold_id     uuid NOT NULL,
    capture_id  uuid NOT NULL,
    amount      numeric NOT NULL CHECK (amount >= 0),
    held        numeric NOT NULL CHECK (held BETWEEN 0 AND amount),
    final       boolean NOT NULL,
    late        boolean NOT NULL,
    identifier  text COLLATE "C",
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (customer_id, hold_id, capture_id)
);
CREATE UNIQUE INDEX hold_captures_event ON credits_internal.hold_captures (customer_id, identifier)
    WHERE identifier IS NOT NULL;
ALTER TABLE credits_internal.hold_captures ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.hold_captures', '');
CREATE TABLE credits_internal.reversals (
    customer_id           text COLLATE "C" NOT NULL,
    operation_id          uuid NOT NULL,
    reversed_operation_id uuid NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    reversed_type         text NOT NULL CHECK (reversed_type IN ('debit', 'capture', 'adjustment', 'refund')),
    amount                numeric NOT NULL CHECK (amount > 0),
    created_at            timestamptz NOT NULL,
    spent_at              timestamptz,
    forgiven              numeric NOT NULL DEFAULT 0 CHECK (forgiven BETWEEN 0 AND amount),
    PRIMARY KEY (customer_id, operation_id)
);
CREATE INDEX reversals_of ON credits_internal.reversals (customer_id, reversed_operation_id);
ALTER TABLE credits_internal.reversals ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.reversals', '');
CREATE TABLE credits_internal.spending_limits (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    member_id   text COLLATE "C" NOT NULL,
    event_name  text COLLATE "C" NOT NULL,
    per         text COLLATE "C" NOT NULL,
    seconds     bigint CHECK ((seconds IS NULL) = (per IN ('day', 'month'))),
    amount      numeric NOT NULL CHECK (amount >= 0 AND amount < 'infinity'),
    action      text NOT NULL CHECK (action IN ('reject', 'notify')),
    created_at  timestamptz NOT NULL,
    reported    boolean NOT NULL DEFAULT false,
    since       timestamptz NOT NULL,
    used        numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, member_id, event_name, per)
) WITH (fillfactor = 70);
CREATE TABLE credits_internal.rolling_spending (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    member_id   text COLLATE "C" NOT NULL,
    event_name  text COLLATE "C" NOT NULL,
    per         text COLLATE "C" NOT NULL,
    spent_at    timestamptz NOT NULL,
    amount      numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, member_id, event_name, per, spent_at)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE credits_internal.spending_limits ALTER customer_id SET (n_distinct = -0.05);
ALTER TABLE credits_internal.rolling_spending ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.spending_limits', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.rolling_spending', '');
CREATE TABLE credits_internal.price_overrides (
    customer_id      text COLLATE "C" NOT NULL,
    event_name       text COLLATE "C" NOT NULL,
    override_no      integer NOT NULL CHECK (override_no BETWEEN 1 AND 32767),
    unit_price       numeric CHECK (unit_price >= 0),
    pricing          jsonb,
    discount_percent numeric CHECK (discount_percent > 0 AND discount_percent <= 100),
    effective_at     timestamptz NOT NULL,
    ends_at          timestamptz CHECK (ends_at >= effective_at),
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (customer_id, event_name, override_no),
    CHECK (num_nonnulls(unit_price, pricing, discount_percent) = 1)
);
CREATE INDEX price_overrides_by_meter ON credits_internal.price_overrides (event_name, customer_id, override_no);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_overrides', '');
CREATE TABLE credits_internal.event_fallbacks (
    customer_id text COLLATE "C" NOT NULL,
    identifier  text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    rate        numeric NOT NULL,
    covered     numeric NOT NULL,
    amount      numeric NOT NULL,
    PRIMARY KEY (customer_id, identifier)
);
ALTER TABLE credits_internal.event_fallbacks ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.event_fallbacks', '');
CREATE TABLE credits_internal.invoiced_events (
    customer_id             text COLLATE "C" NOT NULL,
    identifier              text COLLATE "C" NOT NULL,
    event_name              text COLLATE "C" NOT NULL,
    quantity                numeric NOT NULL CHECK (quantity >= 0),
    counted                 text COLLATE "C",
    occurred_at             timestamptz NOT NULL,
    created_at              timestamptz NOT NULL,
    usage_record_summary_id uuid,
    closing_no              integer CHECK (closing_no > 0),
    PRIMARY KEY (customer_id, identifier),
    CONSTRAINT invoiced_events_taken CHECK ((usage_record_summary_id IS NULL) = (closing_no IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX invoiced_events_waiting ON credits_internal.invoiced_events (customer_id, event_name, occurred_at)
    WHERE usage_record_summary_id IS NULL;
CREATE INDEX invoiced_events_counted
    ON credits_internal.invoiced_events (customer_id, usage_record_summary_id, counted)
    WHERE counted IS NOT NULL AND usage_record_summary_id IS NOT NULL;
ALTER TABLE credits_internal.invoiced_events ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoiced_events', '');
CREATE TABLE credits_internal.event_adjustments (
    customer_id   text COLLATE "C" NOT NULL,
    identifier    text COLLATE "C" NOT NULL,
    adjustment_no integer NOT NULL,
    value_before  numeric NOT NULL,
    value         numeric NOT NULL,
    charged       numeric NOT NULL CHECK (charged >= 0),
    returned      numeric NOT NULL CHECK (returned >= 0),
    reason        text,
    adjusted_at   timestamptz NOT NULL,
    PRIMARY KEY (customer_id, identifier, adjustment_no)
);
ALTER TABLE credits_internal.event_adjustments ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.event_adjustments', '');
CREATE TABLE credits_internal.usage_values (
    customer_id  text COLLATE "C" NOT NULL,
    event_name   text COLLATE "C" NOT NULL,
    period       text COLLATE "C" NOT NULL,
    value        text COLLATE "C" NOT NULL,
    event_count  bigint NOT NULL CHECK (event_count > 0),
    period_key   text COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, event_name, period, value)
) WITH (fillfactor = 80);
ALTER TABLE credits_internal.usage_values ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_values', '');
CREATE TABLE credits_internal.catalog_keys (
    idempotency_key text COLLATE "C" NOT NULL PRIMARY KEY,
    function        text NOT NULL,
    object_id       uuid NOT NULL,
    inputs          jsonb NOT NULL,
    created_at      timestamptz NOT NULL
);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.catalog_keys', '');
CREATE UNIQUE INDEX prices_lookup_key ON credits_internal.prices (lookup_key)
    WHERE lookup_key IS NOT NULL AND archived_at IS NULL;
CREATE TABLE credits_internal.price_stock (
    price_id           uuid NOT NULL PRIMARY KEY,
    quantity_available integer CHECK (quantity_available >= 0),
    taken              integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    CONSTRAINT price_stock_taken CHECK (taken <= quantity_available)
) WITH (fillfactor = 50);
CREATE TABLE credits_internal.stock_reservations (
    customer_id text COLLATE "C" NOT NULL,
    holder_id   uuid NOT NULL,
    price_id    uuid NOT NULL,
    quantity    integer NOT NULL CHECK (quantity > 0),
    reserved_at timestamptz NOT NULL,
    expires_at  timestamptz,
    released_at timestamptz,
    PRIMARY KEY (customer_id, holder_id, price_id)
) WITH (fillfactor = 80);
CREATE INDEX stock_reservations_late ON credits_internal.stock_reservations (expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX stock_reservations_of_price ON credits_internal.stock_reservations (price_id, expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_usage', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.price_stock', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.stock_reservations', '');
CREATE TABLE credits_internal.coupons (
    coupon_id                    uuid NOT NULL PRIMARY KEY,
    name                         text NOT NULL CHECK (name <> ''),
    description                  text,
    percent_off                  numeric CHECK (percent_off > 0 AND percent_off <= 100),
    amount_off                   numeric CHECK (amount_off > 0),
    currency                     text COLLATE "C",
    currency_options             jsonb,
    credit_config                jsonb,
    duration                     text NOT NULL CHECK (duration IN ('once', 'repeating', 'forever')),
    duration_in_months           integer CHECK (duration_in_months > 0),
    applies_to_products          uuid[],
    max_redemptions_per_customer integer CHECK (max_redemptions_per_customer > 0),
    redeem_by                    timestamptz,
    active                       boolean NOT NULL,
    metadata                     jsonb,
    created_at                   timestamptz NOT NULL,
    updated_at                   timestamptz NOT NULL,
    CONSTRAINT coupons_kind CHECK (num_nonnulls(percent_off, amount_off, credit_config) = 1),
    CONSTRAINT coupons_currency CHECK ((amount_off IS NULL) = (currency IS NULL)),
    CONSTRAINT coupons_repeating CHECK ((duration = 'repeating') = (duration_in_months IS NOT NULL))
);
CREATE TABLE credits_internal.coupon_counters (
    coupon_id       uuid NOT NULL PRIMARY KEY,
    max_redemptions integer CHECK (max_redemptions > 0),
    taken           integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    first_used_at   timestamptz,
    CONSTRAINT coupon_counters_taken CHECK (taken <= max_redemptions)
) WITH (fillfactor = 50);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.coupons', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.coupon_counters', '');
CREATE TABLE credits_internal.promotion_codes (
    promotion_code_id uuid NOT NULL PRIMARY KEY,
    coupon_id         uuid NOT NULL,
    code              text NOT NULL CHECK (code <> ''),
    code_key          text COLLATE "C" NOT NULL,
    active            boolean NOT NULL,
    description       text,
    starts_at         timestamptz,
    expires_at        timestamptz,
    verification_type text NOT NULL CHECK (verification_type IN ('code', 'user_restricted', 'attested')),
    for_customers     boolean NOT NULL,
    restrictions      jsonb,
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE INDEX promotion_codes_of_coupon ON credits_internal.promotion_codes (coupon_id, promotion_code_id);
CREATE INDEX promotion_codes_by_key ON credits_internal.promotion_codes (code_key, active, promotion_code_id);
CREATE UNIQUE INDEX promotion_codes_active ON credits_internal.promotion_codes (code_key) WHERE active;
CREATE TABLE credits_internal.promotion_code_customers (
    customer_id       text COLLATE "C" NOT NULL,
    promotion_code_id uuid NOT NULL,
    PRIMARY KEY (customer_id, promotion_code_id)
);
CREATE INDEX promotion_code_customers_of_code ON credits_internal.promotion_code_customers (promotion_code_id);
CREATE TABLE credits_internal.promotion_code_counters (
    promotion_code_id uuid NOT NULL PRIMARY KEY,
    max_redemptions   integer CHECK (max_redemptions > 0),
    taken             integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    first_used_at     timestamptz,
    CONSTRAINT promotion_code_counters_taken CHECK (taken <= max_redemptions)
) WITH (fillfactor = 50);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.promotion_codes', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.promotion_code_customers', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.promotion_code_counters', '');
CREATE TABLE credits_internal.redemptions (
    customer_id         text COLLATE "C" NOT NULL,
    holder_id           uuid NOT NULL,
    holder_type         text NOT NULL CHECK (holder_type IN ('invoice', 'subscription', 'voucher')),
    coupon_id           uuid NOT NULL,
    promotion_code_id   uuid,
    amount              numeric NOT NULL CHECK (amount >= 0),
    currency            text COLLATE "C" NOT NULL,
    verification_method text,
    verification_data   jsonb,
    over_quota          boolean NOT NULL DEFAULT false,
    reserved_at         timestamptz NOT NULL,
    expires_at          timestamptz,
    confirmed_at        timestamptz,
    released_at         timestamptz,
    last_log_no         integer NOT NULL CHECK (last_log_no >= 0),
    PRIMARY KEY (customer_id, holder_id),
    CONSTRAINT redemptions_state CHECK (num_nonnulls(confirmed_at, released_at) < 2),
    CONSTRAINT redemptions_over_quota CHECK (confirmed_at IS NOT NULL OR NOT over_quota)
) WITH (fillfactor = 80);
CREATE INDEX redemptions_of_customer ON credits_internal.redemptions (customer_id, coupon_id);
CREATE INDEX redemptions_of_coupon ON credits_internal.redemptions (coupon_id, holder_id);
CREATE INDEX redemptions_of_code ON credits_internal.redemptions (promotion_code_id, holder_id)
    WHERE promotion_code_id IS NOT NULL;
CREATE INDEX redemptions_late ON credits_internal.redemptions (expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX redemptions_late_of_coupon ON credits_internal.redemptions (coupon_id, expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX redemptions_late_of_code ON credits_internal.redemptions (promotion_code_id, expires_at)
    WHERE released_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX redemptions_over_quota_of_coupon ON credits_internal.redemptions (coupon_id) WHERE over_quota;
CREATE TABLE credits_internal.discount_log (
    customer_id       text COLLATE "C" NOT NULL,
    holder_id         uuid NOT NULL,
    log_no            integer NOT NULL CHECK (log_no > 0),
    action            text NOT NULL
        CHECK (action IN ('applied', 'confirmed', 'released', 'removed', 'ended', 'over_quota')),
    coupon_id         uuid NOT NULL,
    promotion_code_id uuid,
    amount            numeric NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (customer_id, holder_id, log_no)
);
CREATE INDEX discount_log_of_coupon ON credits_internal.discount_log (coupon_id, created_at);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.redemptions', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.discount_log', '');
CREATE INDEX payment_intents_by_id ON credits_internal.payment_intents (payment_intent_id);
CREATE INDEX payment_intents_of_invoice ON credits_internal.payment_intents (customer_id, invoice_id);
CREATE UNIQUE INDEX payment_intents_open ON credits_internal.payment_intents (customer_id, invoice_id)
    WHERE status IN ('requires_payment_method', 'requires_action', 'processing');
ALTER TABLE credits_internal.payment_intents ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_intents', '');
CREATE TABLE credits_internal.refunds (
    customer_id        text COLLATE "C" NOT NULL,
    refund_id          uuid NOT NULL,
    payment_intent_id  uuid NOT NULL,
    invoice_id         uuid NOT NULL,
    status             text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
    amount             numeric NOT NULL CHECK (amount > 0),
    currency           text COLLATE "C" NOT NULL,
    takes_credits      boolean NOT NULL,
    lines              jsonb,
    reason             text NOT NULL,
    description        text,
    provider           text COLLATE "C" NOT NULL,
    payment_reference  text COLLATE "C",
    provider_reference text COLLATE "C",
    attempt_key        uuid,
    metadata           jsonb,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    closed_at          timestamptz,
    PRIMARY KEY (customer_id, refund_id),
    CONSTRAINT refunds_closed CHECK ((status = 'pending') = (closed_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX refunds_of_intent ON credits_internal.refunds (customer_id, payment_intent_id);
CREATE INDEX refunds_by_id ON credits_internal.refunds (refund_id);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.refunds', '');
CREATE TABLE credits_internal.payment_methods (
    customer_id       text COLLATE "C" NOT NULL,
    payment_method_id uuid NOT NULL,
    provider          text COLLATE "C" NOT NULL,
    provider_customer text COLLATE "C",
    reference         text COLLATE "C",
    name              text,
    expires_at        timestamptz,
    is_default        boolean NOT NULL CHECK (NOT is_default OR detached_at IS NULL),
    metadata          jsonb,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    detached_at       timestamptz,
    PRIMARY KEY (customer_id, payment_method_id),
    CHECK (reference IS NOT NULL OR detached_at IS NOT NULL)
);
CREATE UNIQUE INDEX payment_methods_attached ON credits_internal.payment_methods (customer_id, provider, reference)
    WHERE detached_at IS NULL;
CREATE UNIQUE INDEX payment_methods_default ON credits_internal.payment_methods (customer_id) WHERE is_default;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_methods', '');
CREATE INDEX reclaims_of_one ON credits_internal.reclaims (customer_id, first_id) WHERE first_id IS NOT NULL;
CREATE INDEX invoices_by_id ON credits_internal.invoices (invoice_id);
CREATE UNIQUE INDEX invoices_by_number ON credits_internal.invoices (customer_id, number);
CREATE INDEX invoices_unpaid ON credits_internal.invoices (customer_id, due_date)
    WHERE status IN ('open', 'uncollectible');
CREATE INDEX invoices_of_subscription ON credits_internal.invoices (customer_id, subscription_id)
    WHERE subscription_id IS NOT NULL;
CREATE INDEX invoices_retained ON credits_internal.invoices (finalized_at) WHERE retained;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoices', '');
CREATE INDEX invoice_lines_of ON credits_internal.invoice_lines (customer_id, invoice_id, line_no);
CREATE INDEX invoice_lines_of_item ON credits_internal.invoice_lines (customer_id, subscription_item_id)
    WHERE subscription_item_id IS NOT NULL;
CREATE INDEX invoice_lines_left_over ON credits_internal.invoice_lines (customer_id, from_invoice_id)
    WHERE from_invoice_id IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_lines', '');
CREATE TABLE credits_internal.invoice_line_grants (
    customer_id     text COLLATE "C" NOT NULL,
    invoice_line_id uuid NOT NULL,
    instalment_no   integer NOT NULL CHECK (instalment_no > 0),
    revision        integer NOT NULL CHECK (revision > 0),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    expires         boolean NOT NULL,
    credits         numeric NOT NULL CHECK (credits > 0),
    grant_id        uuid,
    reclaimed       numeric NOT NULL DEFAULT 0 CHECK (reclaimed >= 0),
    ended_at        timestamptz,
    paid_back       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, invoice_line_id, instalment_no, revision),
    CONSTRAINT invoice_line_grants_time CHECK (starts_at < ends_at)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_line_grants', '');
CREATE INDEX invoice_payments_deposit ON credits_internal.invoice_payments (customer_id, deposit_id)
    WHERE deposit_id IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_payments', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoice_numbers', '');
CREATE TABLE credits_internal.invoiced_credits (
    customer_id text COLLATE "C" NOT NULL,
    grant_id    uuid NOT NULL,
    invoice_id  uuid NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    credits     numeric NOT NULL CHECK (credits > 0),
    status      text NOT NULL CHECK (status IN ('invoiced', 'paid', 'returned')),
    created_at  timestamptz NOT NULL,
    closed_at   timestamptz,
    PRIMARY KEY (customer_id, grant_id),
    CONSTRAINT invoiced_credits_closed CHECK ((status = 'invoiced') = (closed_at IS NULL))
);
CREATE INDEX invoiced_credits_of ON credits_internal.invoiced_credits (customer_id, invoice_id);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.invoiced_credits', '');
CREATE TABLE credits_internal.subscriptions (
    customer_id          text COLLATE "C" NOT NULL,
    subscription_id      uuid NOT NULL,
    status               text NOT NULL CHECK (status IN ('incomplete', 'incomplete_expired', 'trialing', 'active',
                                                         'past_due', 'paused', 'canceled')),
    currency             text COLLATE "C" NOT NULL,
    collection_method    text NOT NULL CHECK (collection_method IN ('charge_automatically', 'send_invoice',
                                                                    'external')),
    "interval"           text NOT NULL CHECK ("interval" IN ('hour', 'day', 'week', 'month', 'year')),
    interval_count       integer NOT NULL CHECK (interval_count > 0),
    billing_cycle_anchor timestamptz NOT NULL,
    trial_end            timestamptz,
    trial_end_behavior   text NOT NULL CHECK (trial_end_behavior IN ('charge', 'cancel', 'pause')),
    current_period_start timestamptz NOT NULL,
    current_period_end   timestamptz NOT NULL,
    proration_behavior   text NOT NULL
        CHECK (proration_behavior IN ('always_invoice', 'create_prorations', 'none')),
    days_until_due       integer NOT NULL CHECK (days_until_due >= 0),
    days_until_cancel    integer NOT NULL CHECK (days_until_cancel >= 0),
    payment_method_id    uuid,
    cancel_at            timestamptz,
    cancel_at_period_end boolean NOT NULL DEFAULT false,
    canceled_at          timestamptz,
    ended_at             timestamptz,
    cancel_reason        text,
    cancel_feedback      text,
    cancel_comment       text,
    paused_at            timestamptz,
    resumes_at           timestamptz,
    past_due_at          timestamptz,
    retries              integer NOT NULL DEFAULT 0 CHECK (retries >= 0),
    has_paid             boolean NOT NULL DEFAULT false,
    coupon_id            uuid,
    promotion_code_id    uuid,
    discount_start       timestamptz,
    discount_end         timestamptz,
    discount_invoice_id  uuid,
    latest_invoice_id    uuid,
    description          text,
    metadata             jsonb,
    next_change_at       timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    checkout_session_id  uuid,
    service_actions      jsonb,
    usage_closes_at      timestamptz,
    at_period_end        text NOT NULL DEFAULT 'carry' CHECK (at_period_end IN ('carry', 'forgive', 'invoice')),
    overage_rate         numeric CHECK (overage_rate > 0),
    overdraft_protection boolean NOT NULL DEFAULT false,
    protect_at           timestamptz,
    announced_end        timestamptz,
    provider             text COLLATE "C",
    provider_reference   text COLLATE "C",
    reported_at          timestamptz,
    status_at            timestamptz,
    PRIMARY KEY (customer_id, subscription_id),
    CONSTRAINT subscriptions_period CHECK (current_period_start < current_period_end),
    CONSTRAINT subscriptions_ended CHECK ((status IN ('canceled', 'incomplete_expired')) = (ended_at IS NOT NULL)),
    CONSTRAINT subscriptions_paused CHECK ((status = 'paused') = (paused_at IS NOT NULL)),
    CONSTRAINT subscriptions_past_due CHECK (status <> 'past_due' OR past_due_at IS NOT NULL),
    CONSTRAINT subscriptions_discounted CHECK (coupon_id IS NOT NULL OR promotion_code_id IS NULL),
    CONSTRAINT subscriptions_overage CHECK (at_period_end <> 'invoice' OR overage_rate IS NOT NULL),
    CONSTRAINT subscriptions_provided CHECK ((collection_method = 'external' OR provider IS NULL)
                                             AND (provider IS NOT NULL OR provider_reference IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX subscriptions_by_id ON credits_internal.subscriptions (subscription_id);
CREATE INDEX subscriptions_due ON credits_internal.subscriptions (next_change_at, customer_id, subscription_id)
    WHERE next_change_at IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.subscriptions', '');
CREATE TABLE credits_internal.subscription_items (
    customer_id          text COLLATE "C" NOT NULL,
    subscription_item_id uuid NOT NULL,
    subscription_id      uuid NOT NULL,
    price_id             uuid NOT NULL,
    quantity             numeric CHECK (quantity > 0),
    metadata             jsonb,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    removed_at           timestamptz,
    changed_at           timestamptz,
    known_since          timestamptz,
    PRIMARY KEY (customer_id, subscription_item_id)
) WITH (fillfactor = 80);
CREATE INDEX subscription_items_of ON credits_internal.subscription_items (customer_id, subscription_id);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.subscription_items', '');
CREATE TABLE credits_internal.subscription_periods (
    customer_id     text COLLATE "C" NOT NULL,
    subscription_id uuid NOT NULL,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('trial', 'stub', 'whole')),
    invoice_id      uuid,
    resumed         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, subscription_id, period_start),
    CONSTRAINT subscription_periods_length CHECK (period_start < period_end)
);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.subscription_periods', '');
CREATE TABLE credits_internal.plan_references (
    provider    text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('subscription', 'item', 'invoice', 'payment', 'price',
                                                          'pair')),
    reference   text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C",
    object_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (provider, kind, reference),
    CONSTRAINT plan_references_of CHECK ((kind = 'price') = (customer_id IS NULL))
);
CREATE UNIQUE INDEX plan_references_subscription ON credits_internal.plan_references (customer_id, object_id)
    WHERE kind = 'subscription';
SELECT pg_catalog.pg_extension_config_dump('credits_internal.plan_references', '');
CREATE TABLE credits_internal.usage_record_summaries (
    customer_id             text COLLATE "C" NOT NULL,
    usage_record_summary_id uuid NOT NULL,
    subscription_id         uuid NOT NULL,
    subscription_item_id    uuid NOT NULL,
    summary_no              integer NOT NULL CHECK (summary_no > 0),
    price_id                uuid NOT NULL,
    aggregate_usage         text NOT NULL
        CHECK (aggregate_usage IN ('sum', 'max', 'last_during_period', 'last_ever')),
    period_start            timestamptz NOT NULL,
    period_end              timestamptz NOT NULL,
    whole_start             timestamptz NOT NULL,
    whole_end               timestamptz NOT NULL,
    free                    boolean NOT NULL,
    records                 integer NOT NULL DEFAULT 0 CHECK (records >= 0),
    usage                   numeric NOT NULL CHECK (usage >= 0),
    last_at                 timestamptz,
    last_value              numeric CHECK (last_value >= 0),
    invoiced_amount         numeric NOT NULL DEFAULT 0 CHECK (invoiced_amount >= 0),
    closes_at               timestamptz,
    event_name              text COLLATE "C",
    PRIMARY KEY (customer_id, usage_record_summary_id),
    CONSTRAINT usage_record_summaries_period CHECK (period_start <= period_end),
    CONSTRAINT usage_record_summaries_whole CHECK (whole_start <= period_start AND period_end <= whole_end
                                                   AND whole_start < whole_end),
    CONSTRAINT usage_record_summaries_last CHECK ((last_at IS NULL) = (last_value IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX usage_record_summaries_of
ON credits_internal.usage_record_summaries (customer_id, subscription_item_id, summary_no);
CREATE INDEX usage_record_summaries_open
ON credits_internal.usage_record_summaries (customer_id, subscription_id, closes_at) WHERE closes_at IS NOT NULL;
CREATE INDEX usage_record_summaries_metered
ON credits_internal.usage_record_summaries (customer_id, subscription_id, event_name, period_start)
WHERE event_name IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_record_summaries', '');
CREATE TABLE credits_internal.usage_records (
    customer_id             text COLLATE "C" NOT NULL,
    usage_record_id         uuid NOT NULL,
    usage_record_summary_id uuid NOT NULL,
    record_no               integer NOT NULL CHECK (record_no > 0),
    action                  text NOT NULL CHECK (action IN ('increment', 'set')),
    quantity                numeric NOT NULL CHECK (quantity >= 0),
    used_at                 timestamptz NOT NULL,
    value                   numeric NOT NULL CHECK (value >= 0),
    created_at              timestamptz NOT NULL,
    PRIMARY KEY (customer_id, usage_record_id)
);
CREATE UNIQUE INDEX usage_records_of
ON credits_internal.usage_records (customer_id, usage_record_summary_id, record_no);
CREATE INDEX usage_records_at
ON credits_internal.usage_records (customer_id, usage_record_summary_id, used_at, record_no);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_records', '');
CREATE TABLE credits_internal.usage_closings (
    customer_id             text COLLATE "C" NOT NULL,
    usage_record_summary_id uuid NOT NULL,
    closing_no              integer NOT NULL CHECK (closing_no > 0),
    records                 integer NOT NULL CHECK (records >= 0),
    usage                   numeric NOT NULL CHECK (usage >= 0),
    amount                  numeric NOT NULL CHECK (amount >= 0),
    invoice_line_id         uuid,
    closed_at               timestamptz NOT NULL,
    PRIMARY KEY (customer_id, usage_record_summary_id, closing_no)
);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_closings', '');
CREATE UNIQUE INDEX payment_links_by_lookup_key ON credits_internal.payment_links (lookup_key)
    WHERE archived_at IS NULL;
CREATE UNIQUE INDEX payment_links_of_recharge ON credits_internal.payment_links (recharge_currency)
    WHERE recharge_currency IS NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.payment_links', '');
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
CREATE INDEX checkout_sessions_by_id ON credits_internal.checkout_sessions (checkout_session_id);
CREATE INDEX checkout_sessions_of_link ON credits_internal.checkout_sessions (payment_link_id)
    WHERE payment_link_id IS NOT NULL;
CREATE INDEX checkout_sessions_ending ON credits_internal.checkout_sessions (expires_at)
    WHERE status = 'open' AND NOT under_way;
SELECT pg_catalog.pg_extension_config_dump('credits_internal.checkout_sessions', '');
CREATE INDEX recharges_of_top_up ON credits_internal.recharges (top_up_id, customer_id);
CREATE TABLE credits_internal.balance_alerts (
    customer_id  text COLLATE "C" NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('absolute', 'percent')),
    levels       numeric[] NOT NULL CHECK (cardinality(levels) > 0),
    full_balance numeric NOT NULL,
    reached      integer NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id, currency, kind)
);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.balance_alerts', '');
CREATE TABLE credits_internal.billing_events (
    event_id    uuid NOT NULL PRIMARY KEY,
    type        text NOT NULL,
    object_type text NOT NULL,
    object_id   text COLLATE "C" NOT NULL,
    object_seq  bigint NOT NULL CHECK (object_seq > 0),
    customer_id text COLLATE "C",
    data        jsonb,
    created_at  timestamptz NOT NULL,
    to_send     boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX billing_events_of_object ON credits_internal.billing_events (object_type, object_id, object_seq);
CREATE INDEX billing_events_of_customer ON credits_internal.billing_events (customer_id, event_id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX billing_events_oldest ON credits_internal.billing_events (created_at, object_seq);
CREATE INDEX billing_events_to_send ON credits_internal.billing_events (created_at, object_seq) WHERE to_send;
CREATE TABLE credits_internal.billing_event_counters (
    object_type text NOT NULL,
    object_id   text COLLATE "C" NOT NULL,
    last_seq    bigint NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (object_type, object_id)
) WITH (fillfactor = 50);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.billing_events', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.billing_event_counters', '');
CREATE TABLE credits_internal.webhook_endpoints (
    webhook_endpoint_id uuid NOT NULL PRIMARY KEY,
    url                 text NOT NULL,
    enabled_events      text[] NOT NULL CHECK (cardinality(enabled_events) > 0),
    description         text,
    metadata            jsonb,
    status              text NOT NULL CHECK (status IN ('enabled', 'disabled')),
    disabled_reason     text CHECK (disabled_reason IS NULL OR status = 'disabled'),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE TABLE credits_internal.webhook_secrets (
    webhook_endpoint_id        uuid NOT NULL PRIMARY KEY,
    secret                     text NOT NULL,
    previous_secret            text,
    previous_secret_expires_at timestamptz,
    CHECK ((previous_secret IS NULL) = (previous_secret_expires_at IS NULL))
);
CREATE TABLE credits_internal.webhook_health (
    webhook_endpoint_id uuid NOT NULL PRIMARY KEY,
    failing_since       timestamptz,
    last_success_at     timestamptz
) WITH (fillfactor = 50);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_endpoints', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_secrets', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_health', '');
CREATE TABLE credits_internal.webhook_deliveries (
    webhook_endpoint_id uuid NOT NULL,
    event_id            uuid NOT NULL,
    object_type         text NOT NULL,
    object_id           text COLLATE "C" NOT NULL,
    object_seq          bigint NOT NULL,
    status              text NOT NULL CHECK (status IN ('waiting', 'due', 'sending', 'succeeded', 'failed')),
    due_at              timestamptz NOT NULL,
    attempts            integer NOT NULL DEFAULT 0,
    failures            integer NOT NULL DEFAULT 0,
    failed_first_at     timestamptz,
    attempt_id          uuid CHECK (attempt_id IS NOT NULL OR status <> 'sending'),
    in_order            boolean NOT NULL DEFAULT true,
    once                boolean NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL,
    PRIMARY KEY (webhook_endpoint_id, event_id)
) WITH (fillfactor = 70);
CREATE INDEX webhook_deliveries_due ON credits_internal.webhook_deliveries (webhook_endpoint_id, due_at)
    WHERE status IN ('due', 'sending');
CREATE INDEX webhook_deliveries_open ON credits_internal.webhook_deliveries (webhook_endpoint_id)
    WHERE status IN ('waiting', 'due', 'sending');
CREATE INDEX webhook_deliveries_sending ON credits_internal.webhook_deliveries (webhook_endpoint_id)
    WHERE status = 'sending';
CREATE INDEX webhook_deliveries_of_object
    ON credits_internal.webhook_deliveries (webhook_endpoint_id, object_type, object_id, object_seq) WHERE in_order;
CREATE INDEX webhook_deliveries_oldest ON credits_internal.webhook_deliveries (created_at);
CREATE TABLE credits_internal.webhook_attempts (
    attempt_id          uuid NOT NULL PRIMARY KEY,
    webhook_endpoint_id uuid NOT NULL,
    event_id            uuid NOT NULL,
    attempt_no          integer NOT NULL,
    worker              text NOT NULL,
    status              text NOT NULL CHECK (status IN ('sending', 'succeeded', 'failed', 'lost')),
    response_status     integer,
    response_body       text,
    started_at          timestamptz NOT NULL,
    ended_at            timestamptz
) WITH (fillfactor = 70);
CREATE INDEX webhook_attempts_of_event ON credits_internal.webhook_attempts (event_id);
CREATE INDEX webhook_attempts_of_endpoint ON credits_internal.webhook_attempts (webhook_endpoint_id, attempt_id);
CREATE INDEX webhook_attempts_oldest ON credits_internal.webhook_attempts (started_at);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_deliveries', '');
SELECT pg_catalog.pg_extension_config_dump('credits_internal.webhook_attempts', '');
CREATE TABLE credits_internal.history_imports (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    entries     bigint NOT NULL CHECK (entries >= 0),
    first_at    timestamptz,
    last_at     timestamptz,
    finished    boolean NOT NULL,
    last_line   bigint NOT NULL,
    posted_at   timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, currency)
);
ALTER TABLE credits_internal.history_imports ALTER customer_id SET (n_distinct = -0.05);
SELECT pg_catalog.pg_extension_config_dump('credits_internal.history_imports', '');
CREATE INDEX customers_newest ON credits_internal.customers (created_at, customer_id);
CREATE INDEX products_newest ON credits_internal.products (created_at, product_id);
CREATE INDEX prices_newest ON credits_internal.prices (created_at, price_id);
CREATE INDEX invoices_newest ON credits_internal.invoices (created_at, invoice_id);
CREATE INDEX payment_intents_newest ON credits_internal.payment_intents (created_at, payment_intent_id);
CREATE INDEX refunds_newest ON credits_internal.refunds (created_at, refund_id);
ALTER TYPE credits.customer ADD ATTRIBUTE phone text, ADD ATTRIBUTE description text, ADD ATTRIBUTE address jsonb, ADD ATTRIBUTE shipping jsonb, ADD ATTRIBUTE currency text, ADD ATTRIBUTE invoice_prefix text, ADD ATTRIBUTE tax_rate numeric, ADD ATTRIBUTE preferences jsonb, ADD ATTRIBUTE time_zone text, ADD ATTRIBUTE billing_anchor timestamptz;
ALTER TYPE credits.availability ADD ATTRIBUTE limit_remaining numeric, ADD ATTRIBUTE invoiced numeric;
ALTER TYPE credits.try_debit ADD ATTRIBUTE reason text;
ALTER TYPE credits.hold ADD ATTRIBUTE charged numeric, ADD ATTRIBUTE capture_id uuid, ADD ATTRIBUTE capture_amount numeric, ADD ATTRIBUTE pending numeric, ADD ATTRIBUTE event_name text;
CREATE TYPE credits.reversal AS (
    operation_id uuid, reversed_operation_id uuid, currency text, taken numeric, returned numeric,
    total_returned numeric, available numeric, replayed boolean, forgiven numeric);
CREATE TYPE credits.spending_limit AS (
    customer_id text, currency text, member_id text, event_name text, per text, amount numeric, action text,
    used numeric, remaining numeric, resets_at timestamptz);
ALTER TYPE credits.credit_grant ADD ATTRIBUTE cost_amount numeric, ADD ATTRIBUTE cost_currency text, ADD ATTRIBUTE rollover jsonb, ADD ATTRIBUTE rolled_from uuid, ADD ATTRIBUTE rolled_to uuid, ADD ATTRIBUTE rolled_over numeric;
ALTER TYPE credits_internal.due_grant ADD ATTRIBUTE rolled_to uuid, ADD ATTRIBUTE rolled_over numeric;
CREATE TYPE credits_internal.due_rollover AS (
    grant_id uuid, stored_id uuid, rolled_from uuid, status text, amount numeric, remaining numeric, lapsed numeric,
    effective_at timestamptz, expires_at timestamptz, suspended boolean, cost_amount numeric, times_left integer,
    rolled_to uuid, rolled_over numeric);
ALTER TYPE credits.grant_summary ADD ATTRIBUTE suspended numeric, ADD ATTRIBUTE usable_granted numeric, ADD ATTRIBUTE grants bigint, ADD ATTRIBUTE consumed numeric;
ALTER TYPE credits.grant_holder ADD ATTRIBUTE usable_grants bigint, ADD ATTRIBUTE usable_granted numeric, ADD ATTRIBUTE holder_count bigint, ADD ATTRIBUTE total_balance numeric;
ALTER TYPE credits.ledger_line ADD ATTRIBUTE reversed_operation_id uuid, ADD ATTRIBUTE member_id text, ADD ATTRIBUTE transaction_id uuid, ADD ATTRIBUTE subscription_id text, ADD ATTRIBUTE display_title text;
ALTER TYPE credits.past_balance ADD ATTRIBUTE invoiced numeric;
ALTER TYPE credits_internal.own_wallet ADD ATTRIBUTE invoiced numeric;
CREATE TYPE credits.own_customer AS (
    customer_id text, name text, email text, phone text, address jsonb, shipping jsonb, currency text,
    invoice_prefix text, tax_rate numeric, preferences jsonb, created_at timestamptz);
ALTER TYPE credits.meter ADD ATTRIBUTE next_price_at timestamptz, ADD ATTRIBUTE fallback_currency text, ADD ATTRIBUTE fallback_rate numeric, ADD ATTRIBUTE unique_by text, ADD ATTRIBUTE time_zone text, ADD ATTRIBUTE period_from text;
CREATE TYPE credits.price_override AS (
    customer_id text, event_name text, override_no integer, unit_price numeric, pricing jsonb, discount_percent numeric,
    effective_at timestamptz, ends_at timestamptz, status text, created_at timestamptz, replayed boolean);
CREATE TYPE credits.event_adjustment AS (
    identifier text, status text, value numeric, value_before numeric, consumed numeric, pending numeric,
    charged numeric, returned numeric, available numeric, replayed boolean);
CREATE TYPE credits.transaction_total AS (
    event_name text, currency text, unit text, total_quantity numeric, total_credits numeric,
    transaction_count bigint);
ALTER TYPE credits.product ADD ATTRIBUTE type text, ADD ATTRIBUTE images text[], ADD ATTRIBUTE features text[], ADD ATTRIBUTE unit_label text, ADD ATTRIBUTE statement_descriptor text, ADD ATTRIBUTE credit_config jsonb, ADD ATTRIBUTE price_ids uuid[], ADD ATTRIBUTE updated_at timestamptz, ADD ATTRIBUTE replayed boolean;
ALTER TYPE credits.price ADD ATTRIBUTE recurring jsonb, ADD ATTRIBUTE nickname text, ADD ATTRIBUTE lookup_key text, ADD ATTRIBUTE currency_options jsonb, ADD ATTRIBUTE pricing jsonb, ADD ATTRIBUTE quantity_limit_per_checkout integer, ADD ATTRIBUTE credit_config jsonb, ADD ATTRIBUTE tax_behavior text, ADD ATTRIBUTE updated_at timestamptz, ADD ATTRIBUTE replayed boolean, ADD ATTRIBUTE quantity_available integer, ADD ATTRIBUTE quantity_taken integer, ADD ATTRIBUTE quantity_sold integer;
ALTER TYPE credits.package ADD ATTRIBUTE lookup_key text, ADD ATTRIBUTE replayed boolean;
CREATE TYPE credits.redemption AS (
    customer_id text, customer_name text, holder_id uuid, holder_type text, coupon_id uuid, promotion_code_id uuid,
    code text, amount numeric, currency text, status text, over_quota boolean, reserved_at timestamptz, expires_at
    timestamptz, confirmed_at timestamptz, verification_method text, verification_data jsonb);
CREATE TYPE credits.coupon AS (
    coupon_id uuid, name text, description text, percent_off numeric, amount_off numeric, currency text,
    currency_options jsonb, credit_config jsonb, duration text, duration_in_months integer, applies_to_products
    uuid[], max_redemptions integer, max_redemptions_per_customer integer, redeem_by timestamptz, times_redeemed
    integer, active boolean, valid boolean, used boolean, metadata jsonb, created_at timestamptz, updated_at
    timestamptz, promotion_codes text[], replayed boolean);
CREATE TYPE credits.promotion_code AS (
    promotion_code_id uuid, coupon_id uuid, code text, active boolean, description text, max_redemptions integer,
    starts_at timestamptz, expires_at timestamptz, customer_ids text[], verification_type text, restrictions jsonb,
    times_redeemed integer, valid boolean, used boolean, coupon_name text, percent_off numeric, amount_off numeric,
    currency text, metadata jsonb, created_at timestamptz, updated_at timestamptz, replayed boolean);
CREATE TYPE credits.voucher AS (
    customer_id text, promotion_code_id uuid, coupon_id uuid, code text, grant_id uuid, currency text, credits
    numeric, expires_at timestamptz, available numeric, replayed boolean);
CREATE TYPE credits.payment_intent AS (
    customer_id text, payment_intent_id uuid, invoice_id uuid, status text, amount numeric, amount_received numeric,
    amount_refunded numeric, currency text, payment_method_id uuid, provider text, provider_reference text,
    last_payment_error text, action_url text, checkout_url text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, expires_at timestamptz, replayed boolean);
CREATE TYPE credits.payment_attempt AS (
    go boolean, payment_intent_id uuid, invoice_id uuid, status text, attempt_key uuid, attempt integer, amount numeric,
    minor_units numeric, currency text, provider text, payment_method_id uuid, provider_customer text,
    payment_method text);
CREATE TYPE credits.payment_method AS (
    customer_id text, payment_method_id uuid, provider text, provider_customer text, reference text, name text,
    expires_at timestamptz, is_default boolean, status text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, detached_at timestamptz, replayed boolean);
CREATE TYPE credits.refund AS (
    customer_id text, refund_id uuid, payment_intent_id uuid, invoice_id uuid, status text, amount numeric,
    currency text, reason text, description text, lines jsonb, provider text,
    payment_reference text, provider_reference text, takes_credits boolean, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, replayed boolean);
CREATE TYPE credits.refund_attempt AS (
    go boolean, refund_id uuid, payment_intent_id uuid, status text, attempt_key uuid, amount numeric,
    minor_units numeric, currency text, provider text, payment_reference text);
CREATE TYPE credits.invoice AS (
    customer_id text, invoice_id uuid, number text, status text, billing_reason text, currency text,
    description text, subtotal numeric, discount numeric, tax numeric, total numeric, total_excluding_tax
    numeric, amount_due numeric, amount_paid numeric, amount_remaining numeric, tax_rate numeric, due_date
    timestamptz, days_until_due integer, customer_name text, customer_email text, footer text, custom_fields
    jsonb, metadata jsonb, created_at timestamptz, updated_at timestamptz, finalized_at timestamptz, paid_at
    timestamptz, voided_at timestamptz, marked_uncollectible_at timestamptz, collection_method text, shipping numeric,
    customer_phone text, customer_address jsonb, payment_intent_id uuid, hosted_invoice_url text,
    amount_refunded numeric, replayed boolean);
CREATE TYPE credits.invoice_line AS (
    customer_id text, invoice_line_id uuid, invoice_id uuid, line_no integer, currency text, price_id uuid,
    description text, quantity numeric, unit_amount numeric, amount numeric, discount numeric, tax_rate
    numeric, tax_behavior text, tax numeric, amount_excluding_tax numeric, credits numeric, credit_currency
    text, grant_id uuid, period_start timestamptz, period_end timestamptz, from_invoice_id uuid, metadata
    jsonb, created_at timestamptz, updated_at timestamptz, replayed boolean);
CREATE TYPE credits.deposit AS (
    customer_id text, invoice_id uuid, status text, currency text, amount numeric, amount_returned numeric,
    amount_returning numeric, amount_returnable numeric, amount_outside numeric, replayed boolean, amount_used numeric);
CREATE TYPE credits.subscription_item AS (
    customer_id text, subscription_item_id uuid, subscription_id uuid, price_id uuid, product_id uuid, quantity numeric,
    metadata jsonb, created_at timestamptz, updated_at timestamptz, removed_at timestamptz, replayed boolean);
CREATE TYPE credits.subscription AS (
    customer_id text, subscription_id uuid, status text, currency text, collection_method text, items jsonb,
    "interval" text, interval_count integer, billing_cycle_anchor timestamptz, trial_end timestamptz,
    trial_end_behavior text, current_period_start timestamptz, current_period_end timestamptz, proration_behavior
    text, days_until_due integer, days_until_cancel integer, payment_method_id uuid, cancel_at timestamptz,
    cancel_at_period_end boolean, canceled_at timestamptz, ended_at timestamptz, cancel_reason text, paused_at
    timestamptz, resumes_at timestamptz, past_due_at timestamptz, coupon_id uuid, promotion_code_id uuid,
    discount_end timestamptz, latest_invoice_id uuid, description text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, replayed boolean, checkout_session_id uuid, service_actions jsonb, at_period_end text,
    overage_rate numeric, overdraft_protection boolean, provider text, provider_reference text);
CREATE TYPE credits.subscription_preview AS (
    subscription_id uuid, proration_behavior text, currency text, subtotal numeric, discount numeric, tax numeric,
    total numeric, lines jsonb, credits jsonb, lowered jsonb);
CREATE TYPE credits.usage_record AS (
    customer_id text, usage_record_id uuid, subscription_id uuid, subscription_item_id uuid,
    usage_record_summary_id uuid, action text, quantity numeric, "timestamp" timestamptz, total_usage numeric,
    created_at timestamptz, replayed boolean);
ALTER TYPE credits.top_up ADD ATTRIBUTE redirect_url text, ADD ATTRIBUTE created_at timestamptz;
CREATE TYPE credits.checkout_session AS (
    customer_id text, checkout_session_id uuid, mode text, status text, payment_status text, currency text,
    amount_subtotal numeric, amount_discount numeric, amount_tax numeric, amount_total numeric, line_items jsonb,
    url text, success_url text, cancel_url text, client_reference_id text, allow_promotion_codes boolean,
    tax_rate numeric, collection_method text, payment_link_id uuid, invoice_id uuid, payment_intent_id uuid,
    checkout_url text, metadata jsonb, created_at timestamptz, updated_at timestamptz, expires_at timestamptz,
    submitted_at timestamptz, completed_at timestamptz, replayed boolean, discounts jsonb, subscription_id uuid,
    subscription_data jsonb);
CREATE TYPE credits.payment_link AS (
    payment_link_id uuid, name text, active boolean, line_items jsonb, currency text, after_completion jsonb,
    allow_promotion_codes boolean, lookup_key text, url text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, archived_at timestamptz, replayed boolean, mode text, subscription_data jsonb);
ALTER TYPE credits.recharge_config ADD ATTRIBUTE base_price_id uuid, ADD ATTRIBUTE checkout_url text, ADD ATTRIBUTE payment_link_id uuid, ADD ATTRIBUTE price jsonb, ADD ATTRIBUTE product jsonb;
CREATE TYPE credits.found AS (
    object text, object_id text, customer_id text, created_at timestamptz, data jsonb, cursor text);
ALTER TYPE credits.auto_recharge ADD ATTRIBUTE target numeric, ADD ATTRIBUTE price_currency text, ADD ATTRIBUTE max_attempts_per_calendar_day integer, ADD ATTRIBUTE max_amount_per_calendar_day numeric, ADD ATTRIBUTE max_attempts_per_calendar_month integer, ADD ATTRIBUTE max_amount_per_calendar_month numeric, ADD ATTRIBUTE schedule_every interval, ADD ATTRIBUTE schedule_start_at timestamptz, ADD ATTRIBUTE schedule_day integer, ADD ATTRIBUTE next_scheduled_at timestamptz;
ALTER TYPE credits.recharge_attempt ADD ATTRIBUTE credits numeric, ADD ATTRIBUTE quantity integer;
CREATE TYPE credits.balance_alert AS (
    customer_id text, currency text, kind text, levels numeric[], reached integer);
CREATE TYPE credits.webhook_endpoint AS (
    webhook_endpoint_id uuid, url text, enabled_events text[], never_sent text[], description text, metadata jsonb,
    status text, disabled_reason text, secret text, previous_secret_expires_at timestamptz, created_at timestamptz,
    updated_at timestamptz, replayed boolean);
CREATE TYPE credits.webhook_request AS (
    attempt_id uuid, webhook_endpoint_id uuid, event_id uuid, url text, headers jsonb, body text, attempt_no integer,
    leased_until timestamptz);
CREATE TYPE credits.webhook_outcome AS (
    attempt_id uuid, status text, delivery_status text, next_attempt_at timestamptz, endpoint_disabled boolean,
    replayed boolean);
CREATE TYPE credits.imported_history AS (
    customer_id text, currency text, entries bigint, lines bigint, first_at timestamptz, last_at timestamptz,
    finished boolean, available numeric, restricted numeric, pending numeric, replayed boolean);
ALTER FUNCTION credits.currency_create(text, text, integer, text, text, jsonb) RENAME TO currency_create_of_before;
ALTER FUNCTION credits.customer_upsert(text, text, text, jsonb) RENAME TO customer_upsert_of_before;
ALTER FUNCTION credits.credit_availability(text, numeric, text, numeric, integer) RENAME TO credit_availability_of_before;
ALTER FUNCTION credits.wallet_debit(text, numeric, text, text, text, jsonb) RENAME TO wallet_debit_of_before;
ALTER FUNCTION credits.wallet_try_debit(text, numeric, text, text, text, jsonb) RENAME TO wallet_try_debit_of_before;
ALTER FUNCTION credits.hold_create(text, numeric, text, interval, text, text, jsonb) RENAME TO hold_create_of_before;
ALTER FUNCTION credits.hold_capture(text, uuid, numeric, text, jsonb) RENAME TO hold_capture_of_before;
ALTER FUNCTION credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text, text, jsonb) RENAME TO credit_grant_of_before;
ALTER FUNCTION credits.credit_grant_void(text, uuid, text) RENAME TO credit_grant_void_of_before;
ALTER FUNCTION credits.credit_grant_expire(text, uuid) RENAME TO credit_grant_expire_of_before;
ALTER FUNCTION credits.credit_grant_update(text, uuid, text, jsonb, integer, timestamptz) RENAME TO credit_grant_update_of_before;
ALTER FUNCTION credits.credit_grant_summary(text) RENAME TO credit_grant_summary_of_before;
ALTER FUNCTION credits.wallet_history(text, text, integer, bigint) RENAME TO wallet_history_of_before;
ALTER FUNCTION credits.meter_create(text, text, text, numeric, text, text, text, text, text, text, jsonb, jsonb) RENAME TO meter_create_of_before;
ALTER FUNCTION credits.meter_update(text, text, numeric, text, text, text, jsonb, jsonb) RENAME TO meter_update_of_before;
ALTER FUNCTION credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb) RENAME TO report_meter_event_of_before;
ALTER FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean) RENAME TO report_meter_events_of_before;
ALTER FUNCTION credits.pending_amount(text, text) RENAME TO pending_amount_of_before;
ALTER FUNCTION credits.usage_price(text, numeric, jsonb, integer, text) RENAME TO usage_price_of_before;
ALTER FUNCTION credits.product_create(text, text, text, numeric, text, integer, interval, text[], jsonb) RENAME TO product_create_of_before;
ALTER FUNCTION credits.product_update(uuid, text, text, numeric, text, integer, interval, text[], jsonb) RENAME TO product_update_of_before;
ALTER FUNCTION credits.price_create(uuid, text, numeric, text, jsonb) RENAME TO price_create_of_before;
ALTER FUNCTION credits.package_create(text, numeric, numeric, text, text, text, text, integer, interval, text[], jsonb) RENAME TO package_create_of_before;
ALTER FUNCTION credits.payment_refunded(text, uuid, text, text, numeric, numeric, text, text, text) RENAME TO payment_refunded_of_before;
ALTER FUNCTION credits.payment_refund_failed(text, uuid, text, text, text) RENAME TO payment_refund_failed_of_before;
ALTER FUNCTION credits.configure_auto_recharge(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval, interval) RENAME TO configure_auto_recharge_of_before;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.price_overrides
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.price_overrides
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.price_overrides ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.webhook_endpoints
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.webhook_endpoints
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.webhook_endpoints ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE OR REPLACE VIEW credits_internal.lines AS
SELECT l.*,
       (overlay(overlay(
          left(encode(sha256(convert_to(length(l.currency) || ':' || l.currency || l.customer_id, 'UTF8')), 'hex'), 20)
          PLACING '8' FROM 13) PLACING 'a' FROM 17)
        || lpad(to_hex(l.line_no), 12, '0'))::uuid AS transaction_id
FROM (SELECT t.customer_id, t.currency, t.line_no, t.type, t.amount, t.running_balance, t.grant_id, t.operation_id,
             t.identifier, t.effective_at, t.created_at, t.held, t.pending, NULL AS function, NULL AS idempotency_key,
             NULL AS description, NULL::jsonb AS metadata, NULL AS member_id, NULL AS event_name,
             NULL AS subscription_id
      FROM credits_internal.credit_transactions t
      UNION ALL
      SELECT e.customer_id, e.currency, e.line_no, 'consumption', -e.consumed, e.running_balance, e.grant_id, NULL,
             e.identifier, e.created_at, e.created_at, NULL, NULL, NULL, NULL, NULL, NULL, e.member_id,
             e.event_name, e.subscription_id
      FROM credits_internal.meter_events e
      UNION ALL
      SELECT o.customer_id, o.currency, o.line_no, 'debit', -o.amount, o.running_balance, o.grant_id, o.operation_id,
             NULL, o.created_at, o.created_at, NULL, NULL, o.function, o.idempotency_key, o.description, o.metadata,
             o.member_id, NULL, NULL
      FROM credits_internal.operations o) l
WHERE l.line_no IS NOT NULL;
CREATE FUNCTION credits.currency_create(
    currency text, name text DEFAULT NULL, decimals integer DEFAULT 2, kind text DEFAULT 'credit',
    symbol text DEFAULT NULL, metadata jsonb DEFAULT NULL, if_not_exists boolean DEFAULT NULL)
RETURNS credits.currency
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'currency_create_2_wrapper';
CREATE FUNCTION credits.customer_upsert(
    customer_id text, name text DEFAULT NULL, email text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    phone text DEFAULT NULL, description text DEFAULT NULL, address jsonb DEFAULT NULL, shipping jsonb DEFAULT NULL,
    currency text DEFAULT NULL, invoice_prefix text DEFAULT NULL, tax_rate numeric DEFAULT NULL,
    preferences jsonb DEFAULT NULL, time_zone text DEFAULT NULL, billing_anchor timestamptz DEFAULT NULL)
RETURNS credits.customer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_upsert_2_wrapper';
CREATE FUNCTION credits.customer_delete(customer_id text)
RETURNS credits.customer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_delete_wrapper';
CREATE OR REPLACE VIEW credits.customers AS
SELECT c.customer_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, c.erased_at, c.phone, c.description,
       c.address, c.shipping, c.currency, c.invoice_prefix, c.tax_rate, c.preferences, c.time_zone,
       c.billing_anchor
FROM credits_internal.customers c;
CREATE OR REPLACE VIEW credits.wallets AS
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
CREATE FUNCTION credits.credit_availability(
    customer_id text, amount numeric DEFAULT NULL, currency text DEFAULT NULL, max_pending numeric DEFAULT 0,
    max_recharges integer DEFAULT NULL, event_name text DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.availability
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_availability_2_wrapper';
CREATE FUNCTION credits.wallet_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_debit_2_wrapper';
CREATE FUNCTION credits.wallet_try_debit(
    customer_id text, amount numeric, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL, metadata jsonb DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.try_debit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_try_debit_2_wrapper';
CREATE FUNCTION credits.hold_create(
    customer_id text, amount numeric, currency text DEFAULT NULL, expires_in interval DEFAULT '15 minutes',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    event_name text DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_create_2_wrapper';
CREATE FUNCTION credits.hold_update(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    expires_in interval DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_update_wrapper';
CREATE OR REPLACE VIEW credits.holds AS
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, 0::numeric AS released, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at, h.charged,
       h.updated_at, h.event_name, h.member_id
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at > credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, 'expired', h.amount, h.captured, h.amount - h.captured, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.expires_at, h.charged,
       h.updated_at, h.event_name, h.member_id
FROM credits_internal.holds h WHERE h.status = 'open' AND h.expires_at <= credits.clock()
UNION ALL
SELECT h.customer_id, h.hold_id, h.currency, h.status, h.amount, h.captured, h.amount - h.captured, h.description,
       h.metadata, h.capture_description, h.capture_metadata, h.created_at, h.expires_at, h.closed_at, h.charged,
       h.updated_at, h.event_name, h.member_id
FROM credits_internal.holds h WHERE h.status <> 'open';
CREATE FUNCTION credits.operation_reverse(
    customer_id text, operation_id uuid DEFAULT NULL, operation_key text DEFAULT NULL, amount numeric DEFAULT NULL,
    reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.reversal
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'operation_reverse_wrapper';
CREATE OR REPLACE VIEW credits_internal.spending AS
SELECT l.customer_id, l.currency, l.line_no,
       coalesce(e.member_id, l.member_id, o.member_id, h.member_id) AS member_id, e.event_name,
       CASE l.type WHEN 'reversal' THEN coalesce(e.created_at, r.spent_at) ELSE l.effective_at END AS spent_at,
       coalesce(l.pending, 0) - l.amount - coalesce(l.held, 0) AS amount
FROM credits_internal.lines l
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.line_no IS NULL
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
WHERE CASE WHEN l.type = 'debt' AND o.function = 'hold_capture' THEN true
           WHEN l.type IN ('consumption', 'debt') THEN l.identifier IS NOT NULL
           WHEN l.type = 'reversal' THEN l.identifier IS NOT NULL OR r.spent_at IS NOT NULL
           WHEN l.type = 'debit'
               THEN coalesce(l.function, o.function) IN ('wallet_debit', 'hold_capture', 'invoice_pay')
           ELSE l.type IN ('hold', 'capture', 'release') END;
CREATE FUNCTION credits.usage_limit_set(
    customer_id text, event_name text DEFAULT NULL, amount numeric DEFAULT NULL, per text DEFAULT NULL,
    action text DEFAULT NULL, currency text DEFAULT NULL)
RETURNS credits.spending_limit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_limit_set_wrapper';
CREATE FUNCTION credits.member_limit_set(
    customer_id text, member_id text, amount numeric DEFAULT NULL, per text DEFAULT NULL,
    currency text DEFAULT NULL)
RETURNS credits.spending_limit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'member_limit_set_wrapper';
CREATE OR REPLACE VIEW credits.limits AS
SELECT l.customer_id, l.currency, nullif(l.member_id, '') AS member_id, nullif(l.event_name, '') AS event_name, l.per,
       l.amount, l.action, n.used + h.held AS used, h.held, greatest(l.amount - n.used - h.held, 0) AS remaining,
       CASE WHEN l.seconds IS NULL
            THEN (date_trunc(l.per, c.now AT TIME ZONE 'UTC') + ('1 ' || l.per)::interval) AT TIME ZONE 'UTC' END
           AS resets_at,
       l.created_at
FROM credits_internal.spending_limits l
CROSS JOIN LATERAL (SELECT credits.clock() AS now) c
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.seconds IS NOT NULL THEN l.used - (
                    SELECT coalesce(sum(r.amount), 0) FROM credits_internal.rolling_spending r
                    WHERE r.customer_id = l.customer_id AND r.currency = l.currency AND r.member_id = l.member_id
                      AND r.event_name = l.event_name AND r.per = l.per
                      AND r.spent_at <= c.now - l.seconds * interval '1 second')
                WHEN date_trunc(l.per, c.now, 'UTC') > l.since THEN 0
                ELSE l.used END AS used) n
CROSS JOIN LATERAL (
    SELECT coalesce(sum(part), 0) AS held FROM credits_internal.holds h CROSS JOIN unnest(h.grant_amounts) AS part
    WHERE h.customer_id = l.customer_id AND h.currency = l.currency AND h.status = 'open' AND h.expires_at > c.now
      AND (l.member_id = '' OR h.member_id = l.member_id) AND (l.event_name = '' OR h.event_name = l.event_name)) h;
CREATE FUNCTION credits.credit_grant(
    customer_id text, amount numeric, currency text DEFAULT NULL, category text DEFAULT 'promotional',
    name text DEFAULT NULL, priority integer DEFAULT 50, effective_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, applicable_meters text[] DEFAULT NULL, cost_basis numeric DEFAULT NULL,
    granted_by text DEFAULT NULL, idempotency_key text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    cost_amount numeric DEFAULT NULL, cost_currency text DEFAULT NULL, rollover jsonb DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_2_wrapper';
CREATE FUNCTION credits.credit_grant_void(
    customer_id text, grant_id uuid, reason text DEFAULT NULL, amount numeric DEFAULT NULL, spent text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_void_2_wrapper';
CREATE FUNCTION credits.credit_grant_expire(
    customer_id text, grant_id uuid, amount numeric DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_expire_2_wrapper';
CREATE FUNCTION credits.credit_grant_update(
    customer_id text, grant_id uuid, name text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    priority integer DEFAULT NULL, expires_at timestamptz DEFAULT NULL, expired boolean DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_update_2_wrapper';
CREATE FUNCTION credits.credit_grant_extend(customer_id text, grant_id uuid, expires_at timestamptz)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_extend_wrapper';
CREATE FUNCTION credits.credit_grant_suspend(customer_id text, grant_id uuid, reason text DEFAULT NULL)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_suspend_wrapper';
CREATE FUNCTION credits.credit_grant_resume(customer_id text, grant_id uuid)
RETURNS credits.credit_grant
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_resume_wrapper';
CREATE FUNCTION credits_internal.due_rollovers(customer_id text, currency text)
RETURNS SETOF credits_internal.due_rollover
LANGUAGE c STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'due_rollovers_wrapper';
CREATE FUNCTION credits_internal.rollover_terms(percent numeric, max numeric, times integer, lives interval)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_strip_nulls(jsonb_build_object(
    'percent', trim_scale(percent)::text, 'max', trim_scale(max)::text, 'max_times', times,
    'expires_after', lives::text));
CREATE FUNCTION credits_internal.rolls_over(percent numeric, max numeric, decimals smallint, remaining numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(trunc(remaining * percent * 0.01, decimals::integer), max);
CREATE OR REPLACE VIEW credits_internal.rollovers AS
SELECT r.customer_id, r.grant_id, r.rolled_from, r.rolled_to, r.rolled_over, r.percent, r.max, r.lives,
       CASE WHEN r.times_left IS DISTINCT FROM 0 AND r.rolled_to IS NULL
            THEN credits_internal.rollover_terms(r.percent, r.max, r.times_left, r.lives) END AS terms
FROM credits_internal.grant_rollovers r;
CREATE OR REPLACE VIEW credits.grants AS
SELECT g.customer_id, g.grant_id, g.currency, g.category, g.name, coalesce(d.status, g.status) AS status, g.amount,
       n.remaining, coalesce(h.held, 0) AS held, g.amount - n.remaining - coalesce(h.held, 0) - n.lapsed AS consumed,
       n.lapsed - coalesce(n.rolled_over, 0) AS lapsed, g.priority::integer AS priority, g.effective_at,
       nullif(g.expires_at, 'infinity') AS expires_at,
       g.ended_at, g.ended_reason,
       g.applicable_meters, g.cost_basis, g.granted_by, g.transferred_from, g.metadata, g.created_at,
       g.suspended_at, g.suspended_reason,
       g.cost_amount, g.cost_currency,
       CASE WHEN d.rolled_to IS NULL THEN r.terms END AS rollover, r.rolled_from, coalesce(d.rolled_to, r.rolled_to)
           AS rolled_to, n.rolled_over
FROM credits_internal.credit_grants g
JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
LEFT JOIN (SELECT x.customer_id, c.grant_id, c.status, c.remaining, c.lapsed, c.rolled_to, c.rolled_over
           FROM credits_internal.unposted x
               CROSS JOIN LATERAL credits_internal.due_grants(x.customer_id, x.currency) c) d
       ON d.customer_id = g.customer_id AND d.grant_id = g.grant_id
LEFT JOIN credits_internal.rollovers r ON r.customer_id = g.customer_id AND r.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits_internal.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' AND o.expires_at > credits.clock()
           GROUP BY o.customer_id, p.grant_id) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT coalesce(d.remaining, CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor
        ELSE g.remaining END)
               AS remaining,
           coalesce(d.lapsed, g.lapsed) AS lapsed, coalesce(d.rolled_over, r.rolled_over) AS rolled_over) n
UNION ALL
-- What grants rolled over into, and nothing has posted yet: with the terms of those that are posted.
SELECT x.customer_id, o.grant_id, x.currency, g.category, g.name, o.status, o.amount, o.remaining, 0,
       o.amount - o.remaining - o.lapsed, o.lapsed - coalesce(o.rolled_over, 0), g.priority::integer, o.effective_at,
       nullif(o.expires_at, 'infinity'), NULL, NULL,
       g.applicable_meters, g.cost_basis, g.granted_by, NULL, g.metadata, o.effective_at,
       CASE WHEN o.suspended THEN g.suspended_at END, CASE WHEN o.suspended THEN g.suspended_reason END,
       o.cost_amount, CASE WHEN o.cost_amount IS NOT NULL THEN g.cost_currency END,
       CASE WHEN o.times_left IS DISTINCT FROM 0 AND o.rolled_to IS NULL
            THEN credits_internal.rollover_terms(r.percent, r.max, o.times_left, r.lives) END,
       o.rolled_from, o.rolled_to, o.rolled_over
FROM credits_internal.unposted x
CROSS JOIN LATERAL credits_internal.due_rollovers(
    CASE WHEN EXISTS (SELECT FROM credits_internal.grant_rollovers w
                      WHERE w.customer_id = x.customer_id AND w.rolled_to IS NULL AND w.times_left IS DISTINCT FROM 0)
         THEN x.customer_id END, x.currency) o
JOIN credits_internal.credit_grants g ON g.customer_id = x.customer_id AND g.grant_id = o.stored_id
JOIN credits_internal.grant_rollovers r ON r.customer_id = x.customer_id AND r.grant_id = o.stored_id;
CREATE FUNCTION credits.credit_grant_summary(customer_id text, subscription_id text DEFAULT NULL)
RETURNS SETOF credits.grant_summary
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_grant_summary_2_wrapper';
CREATE FUNCTION credits.wallet_history(
    customer_id text, currency text DEFAULT NULL, page_size integer DEFAULT 50, before bigint DEFAULT NULL,
    subscription_id text DEFAULT NULL, grant_id uuid DEFAULT NULL, event_name text DEFAULT NULL,
    type text DEFAULT NULL, start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL,
    transaction_id uuid DEFAULT NULL)
RETURNS SETOF credits.ledger_line
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wallet_history_2_wrapper';
CREATE OR REPLACE VIEW credits.ledger AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, coalesce(l.held, 0) AS held,
       coalesce(l.pending, 0) AS pending, l.grant_id, g.name AS grant_name, g.category, l.operation_id,
       coalesce(l.function, o.function) AS function,
       CASE WHEN r.operation_id IS NULL THEN o.reason END AS reason, o.counterparty,
       coalesce(l.idempotency_key, o.idempotency_key) AS idempotency_key, l.identifier, e.event_name, m.unit,
       e.value AS quantity, coalesce(l.description, h.capture_description, o.description) AS description,
       coalesce(l.metadata, h.capture_metadata, o.metadata, e.metadata) AS metadata, l.effective_at, l.created_at,
       r.reversed_operation_id, coalesce(l.member_id, e.member_id, o.member_id) AS member_id,
       l.transaction_id, e.subscription_id,
       coalesce(l.description, h.capture_description, o.description,
                CASE WHEN l.type = 'grant' THEN coalesce(g.name, 'Credits')
                     WHEN l.type = 'transfer' THEN
                         CASE WHEN l.amount < 0 THEN 'Transfer to ' ELSE 'Transfer from ' END || o.counterparty
                     WHEN l.type = 'adjustment' THEN
                         'Adjustment' || coalesce(': ' || replace(o.reason, '_', ' '), '')
                     ELSE CASE l.type WHEN 'consumption' THEN '' WHEN 'debt' THEN 'Owed: ' WHEN 'reversal' THEN
                              'Returned: ' ELSE NULL END || coalesce(m.name, e.event_name) END,
                CASE l.type WHEN 'expiration' THEN 'Expired' WHEN 'void' THEN 'Withdrawn'
                            WHEN 'refund' THEN 'Refunded' WHEN 'reversal' THEN 'Returned'
                            WHEN 'release' THEN 'Hold released' WHEN 'capture' THEN 'Hold captured'
                            WHEN 'rollover' THEN 'Rolled over'
                            ELSE upper(left(l.type, 1)) || substr(l.type, 2) END
                || CASE WHEN l.type IN ('expiration', 'void', 'refund', 'rollover') THEN coalesce(': ' || g.name, '')
                        ELSE '' END)
           AS display_title
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.line_no IS NULL
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
    AND l.type = 'reversal'
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
    AND l.type = 'capture'
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name;
CREATE FUNCTION credits_internal.share(total numeric, part numeric, whole numeric, decimals smallint)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.div(2 * total * part + whole * ('1e-' || decimals::text)::numeric,
                      2 * whole * ('1e-' || decimals::text)::numeric) * ('1e-' || decimals::text)::numeric;
CREATE OR REPLACE VIEW credits_internal.entries AS
SELECT l.customer_id, l.currency, l.line_no, l.type, l.grant_id, l.operation_id, l.identifier, l.effective_at,
       l.created_at, g.category, g.cost_basis, g.cost_amount, g.cost_currency, g.amount AS granted,
       CASE WHEN l.type IN ('suspension', 'resumption') THEN 0 ELSE l.amount + coalesce(l.held, 0) END AS kept,
       CASE WHEN l.grant_id IS NULL THEN 'debt'
            WHEN l.type = 'capture' THEN 'held'
            WHEN g.applicable_meters IS NULL THEN 'available'
            ELSE 'restricted' END AS account,
       CASE WHEN l.grant_id IS NULL THEN -l.pending WHEN l.type = 'capture' THEN l.held ELSE l.amount END AS amount,
       CASE WHEN l.type IN ('grant', 'transfer', 'rollover', 'adjustment') THEN 'issued_' || g.category
            WHEN l.type IN ('hold', 'release') THEN 'held'
            WHEN l.type IN ('consumption', 'debit') AND l.pending IS NOT NULL THEN 'debt'
            WHEN r.reversed_type = 'adjustment' THEN 'issued_' || g.category
            WHEN r.reversed_type IN ('debit', 'capture') THEN 'spent'
            WHEN l.type = 'reversal' AND l.operation_id IS NOT NULL THEN 'refunded'
            WHEN l.type IN ('consumption', 'debit', 'debt', 'capture', 'reversal') THEN 'spent'
            WHEN l.type IN ('suspension', 'resumption') THEN 'suspended'
            WHEN l.type IN ('expiration', 'reinstatement') THEN 'expired'
            WHEN l.type = 'void' THEN 'voided'
            WHEN l.type = 'refund' THEN 'refunded' END AS other_account,
       -- What pays for credits whose price went back makes up for that money: it was revenue once already.
       CASE WHEN l.type IN ('grant', 'transfer', 'rollover') OR (l.type = 'adjustment' AND l.amount > 0) THEN 'received'
            WHEN l.type IN ('hold', 'release', 'suspension', 'resumption') THEN 'deferred'
            WHEN l.type IN ('expiration', 'reinstatement', 'void', 'adjustment') OR r.reversed_type = 'adjustment'
                THEN 'breakage'
            WHEN r.reversed_type IN ('debit', 'capture') THEN 'recognised'
            WHEN l.type = 'refund' OR (l.type IN ('consumption', 'reversal') AND l.operation_id IS NOT NULL
                                       AND m.operation_id IS NULL)
                THEN 'refunded'
            ELSE 'recognised' END AS cost_account
FROM credits_internal.lines l
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.reversals r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
    AND l.type = 'reversal'
-- A grant that was a mistake: nobody paid for it.
LEFT JOIN credits_internal.reclaims m ON m.customer_id = l.customer_id AND m.operation_id = l.operation_id
    AND m.top_up_id IS NULL AND l.type = 'consumption';
CREATE OR REPLACE VIEW credits_internal.cost_entries AS
SELECT e.*, lag(e.gone, 1, e.cost_amount) OVER (PARTITION BY e.customer_id, e.currency, e.grant_id ORDER BY e.line_no)
            - e.gone AS deferred
FROM (SELECT k.*, credits_internal.share(k.cost_amount, k.granted - k.kept_by_now, k.granted, k.decimals) AS gone
      FROM (SELECT n.*, c.decimals,
                   sum(n.kept) OVER (PARTITION BY n.customer_id, n.currency, n.grant_id ORDER BY n.line_no)
                       AS kept_by_now
            FROM credits_internal.entries n
            JOIN credits_internal.currencies c ON c.currency = n.cost_currency) k) e;
CREATE OR REPLACE VIEW credits.journal AS
SELECT e.customer_id, e.currency, e.line_no, e.type, x.account, x.amount, e.category, e.cost_basis, e.grant_id,
       e.operation_id, e.identifier, e.effective_at, e.created_at, x.cost_amount, e.cost_currency, x.cost_account
FROM (SELECT n.customer_id, n.currency, n.line_no, n.type, n.category, n.cost_basis, n.grant_id, n.operation_id,
             n.identifier, n.effective_at, n.created_at, n.account, n.amount, n.other_account,
             NULL::numeric AS deferred, NULL::text AS cost_currency, NULL::text AS deferred_account,
             NULL::text AS cost_account
      FROM credits_internal.entries n
      WHERE n.cost_amount IS NULL
      UNION ALL
      SELECT n.customer_id, n.currency, n.line_no, n.type, n.category, n.cost_basis, n.grant_id, n.operation_id,
             n.identifier, n.effective_at, n.created_at, n.account, n.amount, n.other_account, n.deferred,
             n.cost_currency, 'deferred', n.cost_account
      FROM credits_internal.cost_entries n) e
CROSS JOIN LATERAL (VALUES (e.account, e.amount, e.deferred, e.deferred_account),
                           (e.other_account, -e.amount, -e.deferred, e.cost_account))
               AS x (account, amount, cost_amount, cost_account);
CREATE OR REPLACE VIEW credits.trial_balance AS
SELECT e.currency, x.account, sum(x.amount) AS balance
FROM credits_internal.entries e
CROSS JOIN LATERAL (VALUES (e.account, e.amount), (e.other_account, -e.amount)) AS x (account, amount)
GROUP BY e.currency, x.account
ORDER BY e.currency, x.account;
CREATE OR REPLACE VIEW credits.revenue AS
SELECT m.day, m.currency, m.category, round(sum(m.received), c.decimals) AS received,
       round(sum(m.recognised), c.decimals) AS recognised, round(sum(m.breakage), c.decimals) AS breakage,
       round(sum(m.refunded), c.decimals) AS refunded,
       round(sum(sum(m.received - m.recognised - m.breakage - m.refunded))
                 OVER (PARTITION BY m.currency, m.category ORDER BY m.day), c.decimals) AS deferred
FROM (SELECT (least(g.created_at, g.effective_at) AT TIME ZONE 'UTC')::date AS day, g.cost_currency AS currency,
             g.category, g.cost_amount AS received, 0 AS recognised, 0 AS breakage, 0 AS refunded
      FROM credits_internal.credit_grants g
      WHERE g.cost_amount IS NOT NULL
      UNION ALL
      -- What ended before it began has no line in the ledger.
      SELECT (g.ended_at AT TIME ZONE 'UTC')::date, g.cost_currency, g.category, 0, 0,
             CASE WHEN p.grant_id IS NULL THEN g.cost_amount ELSE 0 END,
             CASE WHEN p.grant_id IS NULL THEN 0 ELSE g.cost_amount END
      FROM credits_internal.credit_grants g
      LEFT JOIN credits_internal.invoice_line_grants p
             ON p.customer_id = g.customer_id AND p.grant_id = g.grant_id AND p.paid_back
      WHERE g.cost_amount IS NOT NULL AND g.ended_at < g.effective_at
      UNION ALL
      SELECT (e.effective_at AT TIME ZONE 'UTC')::date, e.cost_currency, e.category,
             CASE WHEN e.cost_account = 'received' THEN e.deferred ELSE 0 END,
             CASE WHEN e.cost_account = 'recognised' THEN -e.deferred ELSE 0 END,
             CASE WHEN e.cost_account = 'breakage' THEN -e.deferred ELSE 0 END,
             CASE WHEN e.cost_account = 'refunded' THEN -e.deferred ELSE 0 END
      FROM credits_internal.cost_entries e
      -- What a grant begins with is received already; what goes to another customer, or on as another grant, is
      -- received there.
      WHERE e.deferred <> 0 AND (e.cost_account <> 'received' OR e.amount < 0)) m
-- So that whole amounts have their decimals too: nothing is rounded.
JOIN credits_internal.currencies c ON c.currency = m.currency
GROUP BY m.day, m.currency, m.category, c.decimals;
CREATE OR REPLACE FUNCTION credits_internal.own_wallets()
RETURNS SETOF credits_internal.own_wallet
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.currency, w.balance, w.available, w.restricted, w.held, w.pending, w.next_expiry_at, w.next_expiry_amount,
           w.invoiced
    FROM credits.wallets w WHERE w.customer_id = credits.current_customer()
$$;
CREATE FUNCTION credits.customer_me()
RETURNS SETOF credits.own_customer
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.customer_id, c.name, c.email, c.phone, c.address, c.shipping, c.currency, c.invoice_prefix, c.tax_rate,
           c.preferences, c.created_at
    FROM credits_internal.customers c WHERE c.customer_id = credits.current_customer()
$$;
CREATE OR REPLACE VIEW credits.my_wallets WITH (security_barrier) AS
SELECT w.currency, w.balance, w.available, w.restricted, w.held, w.pending, w.next_expiry_at, w.next_expiry_amount,
       w.invoiced
FROM credits_internal.own_wallets() w;
CREATE OR REPLACE VIEW credits.my_ledger WITH (security_barrier) AS
SELECT l.currency, l.line_no, l.type, l.amount, l.running_balance, l.held, l.pending, l.grant_id, l.grant_name,
       l.identifier, l.event_name, l.unit, l.quantity, l.description, l.effective_at, l.transaction_id, l.display_title
FROM credits.ledger l WHERE l.customer_id = (SELECT credits.current_customer());
CREATE OR REPLACE VIEW credits.my_payment_methods WITH (security_barrier) AS
SELECT m.payment_method_id, m.provider, m.name, m.expires_at, m.is_default, m.created_at
FROM credits_internal.payment_methods m
WHERE m.customer_id = (SELECT credits.current_customer()) AND m.detached_at IS NULL;
CREATE FUNCTION credits.meter_create(
    event_name text, name text DEFAULT NULL, currency text DEFAULT NULL, unit_price numeric DEFAULT 1,
    aggregation text DEFAULT 'sum', unit text DEFAULT NULL, period text DEFAULT NULL, overage text DEFAULT 'pending',
    settlement text DEFAULT 'immediate', description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    pricing jsonb DEFAULT NULL, if_not_exists boolean DEFAULT NULL,
    unique_by text DEFAULT NULL, unpriced text DEFAULT NULL, time_zone text DEFAULT NULL,
    period_from text DEFAULT NULL)
RETURNS credits.meter
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_create_2_wrapper';
CREATE FUNCTION credits.meter_update(
    event_name text, name text DEFAULT NULL, unit_price numeric DEFAULT NULL, unit text DEFAULT NULL,
    overage text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL,
    effective_at timestamptz DEFAULT NULL,
    fallback_currency text DEFAULT NULL, fallback_rate numeric DEFAULT NULL,
    continue_tiers boolean DEFAULT NULL,
    unpriced text DEFAULT NULL)
RETURNS credits.meter
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_update_2_wrapper';
CREATE OR REPLACE VIEW credits_internal.price_schedule AS
SELECT p.event_name, p.version, p.unit_price, p.pricing, p.created_at, a.effective_at,
       CASE WHEN p.version = 1 THEN timestamptz '-infinity' ELSE a.effective_at END AS since,
       p.effective_at IS NULL AS numbers_as_written, coalesce(p.continue_tiers, false) AS continue_tiers
FROM credits_internal.meter_prices p
CROSS JOIN LATERAL (SELECT coalesce(p.effective_at, p.created_at) AS effective_at) a;
CREATE OR REPLACE VIEW credits.meters AS
SELECT m.event_name, m.name, m.currency, p.unit_price, m.aggregation, m.unit, m.overage, m.active, m.period,
       m.settlement, p.pricing, p.version AS price_version,
       p.effective_at AS price_since, m.description, m.metadata, m.created_at,
       (SELECT min(s.since) FROM credits_internal.price_schedule s
        WHERE s.event_name = m.event_name AND s.since > credits.clock()) AS next_price_at,
       m.fallback_currency, m.fallback_rate, m.unique_by, m.time_zone, m.period_from
FROM credits_internal.meters m
CROSS JOIN LATERAL (SELECT s.* FROM credits_internal.price_schedule s
                    WHERE s.event_name = m.event_name AND s.since <= credits.clock()
                    ORDER BY s.since DESC, s.version DESC LIMIT 1) p;
CREATE OR REPLACE VIEW credits.price_versions AS
SELECT p.event_name, p.version AS price_version, p.unit_price, p.pricing, m.currency, p.effective_at AS price_since,
       p.created_at,
       lead(p.effective_at) OVER (PARTITION BY p.event_name ORDER BY p.since, p.version) AS price_until,
       p.continue_tiers
FROM credits_internal.price_schedule p LEFT JOIN credits_internal.meters m ON m.event_name = p.event_name;
CREATE FUNCTION credits.meter_price_override(
    customer_id text, event_name text, pricing jsonb DEFAULT NULL, unit_price numeric DEFAULT NULL,
    discount_percent numeric DEFAULT NULL, effective_at timestamptz DEFAULT NULL, ends_at timestamptz DEFAULT NULL,
    unpriced text DEFAULT NULL)
RETURNS credits.price_override
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_price_override_wrapper';
CREATE FUNCTION credits.meter_price_override_end(
    customer_id text, event_name text, override_no integer DEFAULT NULL, ends_at timestamptz DEFAULT NULL)
RETURNS SETOF credits.price_override
LANGUAGE c VOLATILE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_price_override_end_wrapper';
CREATE OR REPLACE VIEW credits.price_overrides AS
SELECT o.customer_id, o.event_name, o.override_no, o.unit_price, o.pricing, o.discount_percent, m.currency,
       o.effective_at, o.ends_at,
       CASE WHEN o.ends_at <= greatest(credits.clock(), o.effective_at) THEN 'ended'
            WHEN o.effective_at > credits.clock() THEN 'scheduled' ELSE 'active' END AS status,
       o.created_at
FROM credits_internal.price_overrides o
LEFT JOIN credits_internal.meters m ON m.event_name = o.event_name;
CREATE FUNCTION credits.report_meter_event(
    customer_id text, event_name text, value numeric DEFAULT 1, identifier text DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL, subscription_id text DEFAULT NULL, source_data jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL, member_id text DEFAULT NULL)
RETURNS credits.reported_event
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_event_2_wrapper';
CREATE FUNCTION credits.report_meter_events(
    customer_ids text[], event_names text[], event_values numeric[], identifiers text[],
    occurred_ats timestamptz[] DEFAULT NULL, all_or_nothing boolean DEFAULT false, member_ids text[] DEFAULT NULL)
RETURNS SETOF credits.batch_event
LANGUAGE c VOLATILE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'report_meter_events_2_wrapper';
CREATE OR REPLACE VIEW credits_internal.events AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.value,
       CASE WHEN x.identifier IS NULL OR e.period_key IS NOT NULL THEN e.consumed ELSE 0 END AS consumed, e.pending,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at, e.price_version, e.period_key,
       e.grant_id, x.identifier IS NOT NULL AS canceled, x.canceled_at, x.reason AS cancel_reason, x.returned,
       e.member_id, coalesce(a.value_before, e.value) AS reported_value
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN credits_internal.event_adjustments a ON a.customer_id = e.customer_id AND a.identifier = e.identifier
    AND a.adjustment_no = 1;
CREATE OR REPLACE VIEW credits_internal.event_values AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.consumed, e.pending, e.occurred_at, e.subscription_id,
       e.price_version, e.period_key, e.canceled, split_part(e.period_key, ' ', 1) AS period,
       CASE WHEN octet_length(n.name) > 255 OR n.name LIKE 'sha256:%'
            THEN 'sha256:' || encode(sha256(convert_to(n.name, 'UTF8')), 'hex') ELSE n.name END
           COLLATE "C" AS value
FROM credits_internal.events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.unique_by IS NOT NULL
CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(e.metadata -> m.unique_by)
                           WHEN 'number' THEN trim_scale((e.metadata ->> m.unique_by)::numeric)::text
                           WHEN 'string' THEN e.metadata ->> m.unique_by
                           WHEN 'boolean' THEN e.metadata ->> m.unique_by END AS name) n;
CREATE FUNCTION credits.hold_capture(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, event_name text DEFAULT NULL, value numeric DEFAULT NULL,
    identifier text DEFAULT NULL, more text DEFAULT NULL, final boolean DEFAULT NULL, late text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.hold
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_capture_2_wrapper';
CREATE OR REPLACE VIEW credits.hold_captures AS
SELECT c.customer_id, c.hold_id, c.capture_id, o.currency, c.amount, c.held, c.amount - c.held AS charged, c.final,
       c.late, e.event_name, c.identifier, e.value AS quantity, o.idempotency_key, o.description,
       coalesce(o.metadata, e.metadata) AS metadata, c.created_at
FROM credits_internal.hold_captures c
LEFT JOIN credits_internal.operations o
       ON o.customer_id = c.customer_id AND o.operation_id = c.capture_id AND o.line_no IS NULL
LEFT JOIN credits_internal.meter_events e ON e.customer_id = c.customer_id AND e.identifier = c.identifier;
CREATE FUNCTION credits.meter_event_adjust(
    customer_id text, identifier text, value numeric DEFAULT NULL, reason text DEFAULT NULL)
RETURNS credits.event_adjustment
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'meter_event_adjust_wrapper';
CREATE OR REPLACE VIEW credits.usage_adjustments AS
SELECT a.customer_id, a.identifier, e.event_name, e.currency, a.adjustment_no, a.value_before AS quantity_before,
       a.value AS quantity, a.charged, a.returned, a.reason, a.adjusted_at
FROM credits_internal.event_adjustments a
JOIN credits_internal.meter_events e ON e.customer_id = a.customer_id AND e.identifier = a.identifier;
CREATE FUNCTION credits.pending_amount(
    customer_id text DEFAULT NULL, currency text DEFAULT NULL, subscription_id text DEFAULT NULL)
RETURNS SETOF credits.pending_usage
LANGUAGE c STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pending_amount_2_wrapper';
CREATE FUNCTION credits.usage_price(
    event_name text, quantity numeric, metadata jsonb DEFAULT NULL, price_version integer DEFAULT NULL,
    price_class text DEFAULT NULL, customer_id text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL,
    override_no integer DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_price_2_wrapper';
CREATE OR REPLACE VIEW credits.usage AS
SELECT e.customer_id, e.identifier, e.event_name, e.currency, m.unit, e.value AS quantity,
       n.credits, n.consumed, n.pending,
       CASE WHEN e.canceled THEN 'canceled' WHEN u.identifier IS NOT NULL THEN 'unsettled'
            WHEN n.pending > 0 THEN 'pending' WHEN e.price_version <> 0 THEN 'processed'
            ELSE coalesce((SELECT CASE WHEN i.usage_record_summary_id IS NULL THEN 'recorded' ELSE 'invoiced' END
                           FROM credits_internal.invoiced_events i
                           WHERE i.customer_id = e.customer_id AND i.identifier = e.identifier), 'processed')
       END AS status,
       e.canceled_at, e.cancel_reason, e.returned,
       e.occurred_at, e.subscription_id, e.source_data, e.metadata, e.created_at,
       nullif(e.price_version % 65536, 0) AS price_version, e.period_key,
       e.member_id, nullif(e.price_version / 65536, 0) AS override_no,
       f.currency AS fallback_currency, f.covered AS fallback_covered, f.amount AS fallback_consumed
FROM credits_internal.events e
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name
LEFT JOIN credits_internal.event_fallbacks f ON f.customer_id = e.customer_id AND f.identifier = e.identifier
LEFT JOIN credits_internal.unsettled_events u ON u.customer_id = e.customer_id AND u.currency = e.currency
                                    AND u.created_at = e.created_at AND u.identifier = e.identifier
LEFT JOIN (SELECT x.customer_id, c.identifier, c.consumed, c.pending
           FROM credits_internal.accounts x CROSS JOIN LATERAL credits_internal.due_events(x.customer_id, x.currency) c
           WHERE x.next_change_at <= credits.clock() AND x.pending > 0) d
       ON d.customer_id = e.customer_id AND d.identifier = e.identifier
CROSS JOIN LATERAL (SELECT e.consumed + e.pending AS credits,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.consumed, e.consumed) ELSE 0 END AS consumed,
                           CASE WHEN u.identifier IS NULL THEN coalesce(d.pending, e.pending) ELSE 0 END AS pending) n;
CREATE OR REPLACE VIEW credits.usage_by_period AS
SELECT u.customer_id, u.event_name, u.currency, m.unit, m.aggregation, m.period,
       u.period_key, nullif(u.period_start, '-infinity') AS period_start, u.quantity, u.event_count, u.credits,
       nullif(u.price_version % 65536, 0) AS price_version,
       nullif(u.price_class, '') AS price_class, nullif(u.price_version / 65536, 0) AS override_no,
       u.carried,
       coalesce(u.period_end,
                (nullif(u.period_start, '-infinity') AT TIME ZONE 'UTC' + ('1 ' || m.period)::interval)
                    AT TIME ZONE 'UTC') AS period_end
FROM credits_internal.usage_periods u LEFT JOIN credits_internal.meters m ON m.event_name = u.event_name;
CREATE FUNCTION credits.credit_transaction_summary(
    customer_id text, event_name text DEFAULT NULL, currency text DEFAULT NULL, subscription_id text DEFAULT NULL,
    start_at timestamptz DEFAULT NULL, end_at timestamptz DEFAULT NULL)
RETURNS SETOF credits.transaction_total
LANGUAGE c STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'credit_transaction_summary_wrapper';
CREATE OR REPLACE FUNCTION credits.inbox_retry(rejected_ids uuid[] DEFAULT NULL, error text DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM credits_internal.inbox_rejected r
        WHERE ($1 IS NULL OR r.rejected_id = ANY ($1)) AND ($2 IS NULL OR r.error = $2)
        RETURNING r.*
    ), back AS (
        INSERT INTO credits.inbox (customer_id, event_name, value, identifier, occurred_at, subscription_id,
            source_data,
                                   metadata, received_at, member_id)
        SELECT g.customer_id, g.event_name, g.value, g.identifier, g.occurred_at, g.subscription_id, g.source_data,
               g.metadata, g.received_at, g.member_id
        FROM gone g ORDER BY g.rejected_id
        RETURNING 1
    )
    SELECT count(*) FROM back
$$;
CREATE OR REPLACE VIEW credits.rejected_events AS
SELECT r.rejected_id, r.customer_id, r.event_name, r.value, r.identifier, r.occurred_at, r.subscription_id,
       r.source_data,
       r.metadata, r.received_at, r.error, r.message, r.rejected_at, r.member_id
FROM credits_internal.inbox_rejected r;
CREATE FUNCTION credits.product_create(
    name text, type text DEFAULT NULL, description text DEFAULT NULL, images text[] DEFAULT NULL,
    features text[] DEFAULT NULL, unit_label text DEFAULT NULL, statement_descriptor text DEFAULT NULL,
    credit_config jsonb DEFAULT NULL, prices jsonb DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL, credits numeric DEFAULT NULL, credit_currency text DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_create_2_wrapper';
CREATE FUNCTION credits.product_update(
    product_id uuid, name text DEFAULT NULL, description text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL, type text DEFAULT NULL,
    images text[] DEFAULT NULL, features text[] DEFAULT NULL, unit_label text DEFAULT NULL,
    statement_descriptor text DEFAULT NULL, credit_config jsonb DEFAULT NULL)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_update_2_wrapper';
CREATE FUNCTION credits.product_delete(product_id uuid)
RETURNS credits.product
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_delete_wrapper';
CREATE OR REPLACE VIEW credits.products AS
SELECT d.product_id, d.name, d.description, (d.credit_config->>'currency') COLLATE "C" AS credit_currency,
       (d.credit_config->>'amount')::numeric AS credits, d.credit_config->>'category' AS category,
       (d.credit_config->>'priority')::integer AS priority, (d.credit_config->>'valid_for')::interval AS time_to_live,
       CASE WHEN d.credit_config ? 'applicable_meters'
            THEN ARRAY(SELECT jsonb_array_elements_text(d.credit_config->'applicable_meters')) END AS applicable_meters,
       d.metadata, d.archived_at IS NULL AS active, d.created_at, d.archived_at, d.type, d.images, d.features,
       d.unit_label, d.statement_descriptor, d.credit_config, d.updated_at
FROM credits_internal.products d;
CREATE FUNCTION credits.price_create(
    product_id uuid, type text DEFAULT 'one_time', unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    recurring jsonb DEFAULT NULL, nickname text DEFAULT NULL, lookup_key text DEFAULT NULL,
    currency_options jsonb DEFAULT NULL, pricing jsonb DEFAULT NULL,
    quantity_limit_per_checkout integer DEFAULT NULL, credit_config jsonb DEFAULT NULL,
    tax_behavior text DEFAULT 'exclusive', metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
    quantity_available integer DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_create_2_wrapper';
CREATE FUNCTION credits.price_update(
    price_id uuid, unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL, recurring jsonb DEFAULT NULL,
    nickname text DEFAULT NULL, lookup_key text DEFAULT NULL, currency_options jsonb DEFAULT NULL,
    pricing jsonb DEFAULT NULL, quantity_limit_per_checkout integer DEFAULT NULL, credit_config jsonb DEFAULT NULL,
    tax_behavior text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    quantity_available integer DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_update_wrapper';
CREATE FUNCTION credits.price_inventory(
    price_id uuid, quantity integer, action text, idempotency_key text DEFAULT NULL)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_inventory_wrapper';
CREATE FUNCTION credits.price_delete(price_id uuid)
RETURNS credits.price
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_delete_wrapper';
CREATE OR REPLACE VIEW credits_internal.offers AS
SELECT p.price_id, p.product_id, d.name AS product_name, p.type, p.unit_amount, p.currency,
       (c.credit_config->>'amount')::numeric AS credits,
       (c.credit_config->>'currency') COLLATE "C" AS credit_currency,
       c.credit_config ? 'applicable_meters' AS restricted, p.pricing,
       p.archived_at IS NULL AND d.archived_at IS NULL AS active
FROM credits_internal.prices p
JOIN credits_internal.products d ON d.product_id = p.product_id
CROSS JOIN LATERAL (SELECT coalesce(p.credit_config, d.credit_config)) AS c (credit_config);
CREATE OR REPLACE VIEW credits_internal.stock AS
SELECT s.price_id, s.quantity_available, (s.taken - r.late)::integer AS quantity_taken,
       (s.taken - r.expiring)::integer AS quantity_sold
FROM credits_internal.price_stock s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.quantity) FILTER (WHERE r.expires_at <= credits.clock()), 0) AS late,
           coalesce(sum(r.quantity), 0) AS expiring
    FROM credits_internal.stock_reservations r
    WHERE r.price_id = s.price_id AND r.released_at IS NULL AND r.expires_at IS NOT NULL) r;
CREATE OR REPLACE VIEW credits.prices AS
SELECT p.price_id, p.product_id, p.type, p.unit_amount, p.currency, p.metadata, o.active, p.created_at,
       coalesce(p.archived_at, d.archived_at) AS archived_at, d.name AS product_name, o.credits, o.credit_currency,
       p.recurring, p.recurring->>'interval' AS recurring_interval, p.nickname, p.lookup_key, p.currency_options,
       p.pricing, p.quantity_limit_per_checkout, p.credit_config, p.tax_behavior, d.type AS product_type,
       u.price_id IS NOT NULL AS used, p.updated_at, s.quantity_available, s.quantity_taken, s.quantity_sold
FROM credits_internal.prices p
JOIN credits_internal.products d ON d.product_id = p.product_id
JOIN credits_internal.offers o ON o.price_id = p.price_id
LEFT JOIN credits_internal.price_usage u ON u.price_id = p.price_id
LEFT JOIN credits_internal.stock s ON s.price_id = p.price_id;
CREATE FUNCTION credits.package_create(
    name text, credits numeric, unit_amount numeric, price_currency text, credit_currency text DEFAULT NULL,
    description text DEFAULT NULL, category text DEFAULT 'paid', priority integer DEFAULT 50,
    time_to_live interval DEFAULT NULL, applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL,
    if_not_exists boolean DEFAULT NULL, lookup_key text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.package
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'package_create_2_wrapper';
CREATE OR REPLACE VIEW credits.packages AS
SELECT p.price_id, d.product_id, d.name, d.description, (c.config->>'amount')::numeric AS credits,
       (c.config->>'currency') COLLATE "C" AS credit_currency, p.unit_amount, p.currency AS price_currency,
       c.config->>'category' AS category, (c.config->>'priority')::integer AS priority,
       (c.config->>'valid_for')::interval AS time_to_live,
       CASE WHEN c.config ? 'applicable_meters'
            THEN ARRAY(SELECT jsonb_array_elements_text(c.config->'applicable_meters')) END AS applicable_meters,
       d.metadata, p.created_at, p.lookup_key, p.quantity_limit_per_checkout
FROM credits_internal.prices p
JOIN credits_internal.products d ON d.product_id = p.product_id
JOIN credits_internal.currencies f ON f.currency = p.currency AND f.kind = 'fiat'
CROSS JOIN LATERAL (SELECT coalesce(p.credit_config, d.credit_config)) AS c (config)
WHERE p.archived_at IS NULL AND d.archived_at IS NULL AND p.type = 'one_time' AND p.unit_amount > 0
  AND c.config IS NOT NULL;
CREATE OR REPLACE VIEW credits_internal.held_redemptions AS
SELECT r.customer_id, c.name AS customer_name, r.holder_id, r.holder_type, r.coupon_id, r.promotion_code_id, p.code,
       r.amount, r.currency, CASE WHEN r.confirmed_at IS NULL THEN 'reserved' ELSE 'confirmed' END AS status,
       r.over_quota, r.reserved_at, r.expires_at, r.confirmed_at, r.verification_method, r.verification_data
FROM credits_internal.redemptions r
JOIN credits_internal.customers c ON c.customer_id = r.customer_id
LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
WHERE r.released_at IS NULL AND coalesce(r.expires_at > credits.clock(), true);
CREATE OR REPLACE VIEW credits.discount_log AS
SELECT l.customer_id, l.holder_id, r.holder_type, l.log_no, l.action, l.coupon_id, l.promotion_code_id, p.code,
       l.amount, l.currency, l.created_at
FROM credits_internal.discount_log l
JOIN credits_internal.redemptions r ON r.customer_id = l.customer_id AND r.holder_id = l.holder_id
LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = l.promotion_code_id;
CREATE FUNCTION credits.coupon_create(
    name text, percent_off numeric DEFAULT NULL, amount_off numeric DEFAULT NULL, currency text DEFAULT NULL,
    credit_config jsonb DEFAULT NULL, currency_options jsonb DEFAULT NULL, duration text DEFAULT 'once',
    duration_in_months integer DEFAULT NULL, applies_to_products uuid[] DEFAULT NULL,
    max_redemptions integer DEFAULT NULL, max_redemptions_per_customer integer DEFAULT NULL,
    redeem_by timestamptz DEFAULT NULL, promotion_codes jsonb DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.coupon
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_create_wrapper';
CREATE FUNCTION credits.coupon_update(
    coupon_id uuid, name text DEFAULT NULL, percent_off numeric DEFAULT NULL, amount_off numeric DEFAULT NULL,
    currency text DEFAULT NULL, credit_config jsonb DEFAULT NULL, currency_options jsonb DEFAULT NULL,
    duration text DEFAULT NULL, duration_in_months integer DEFAULT NULL, applies_to_products uuid[] DEFAULT NULL,
    max_redemptions integer DEFAULT NULL, max_redemptions_per_customer integer DEFAULT NULL,
    redeem_by timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    active boolean DEFAULT NULL)
RETURNS credits.coupon
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_update_wrapper';
CREATE FUNCTION credits.coupon_delete(coupon_id uuid)
RETURNS credits.coupon
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_delete_wrapper';
CREATE FUNCTION credits.coupon_used(coupon_id uuid)
RETURNS boolean
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_used_wrapper';
CREATE FUNCTION credits.coupon_redemptions(
    coupon_id uuid, type text DEFAULT 'customer', page_size integer DEFAULT 50, after uuid DEFAULT NULL)
RETURNS SETOF credits.redemption
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'coupon_redemptions_wrapper';
CREATE OR REPLACE VIEW credits_internal.coupon_uses AS
SELECT u.coupon_id, u.max_redemptions, (u.taken - l.late)::integer AS times_redeemed,
       u.first_used_at IS NOT NULL AS used
FROM credits_internal.coupon_counters u
CROSS JOIN LATERAL (
    SELECT count(*) AS late FROM credits_internal.redemptions r
    WHERE r.coupon_id = u.coupon_id AND r.released_at IS NULL AND r.expires_at IS NOT NULL
      AND r.expires_at <= credits.clock()) l;
CREATE OR REPLACE VIEW credits.coupons AS
SELECT c.coupon_id, c.name, c.description, c.percent_off, c.amount_off, c.currency, c.currency_options,
       c.credit_config, c.duration, c.duration_in_months, c.applies_to_products, u.max_redemptions,
       c.max_redemptions_per_customer, c.redeem_by, u.times_redeemed, c.active,
       c.active AND coalesce(c.redeem_by >= credits.clock(), true)
           AND coalesce(u.times_redeemed < u.max_redemptions, true) AS valid,
       u.used, c.metadata, c.created_at, c.updated_at,
       (SELECT count(*)::integer FROM credits_internal.redemptions r
        WHERE r.coupon_id = c.coupon_id AND r.over_quota) AS times_over_quota
FROM credits_internal.coupons c
JOIN credits_internal.coupon_uses u ON u.coupon_id = c.coupon_id;
CREATE FUNCTION credits.promotion_code_create(
    coupon_id uuid, code text DEFAULT NULL, max_redemptions integer DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    customer_ids text[] DEFAULT NULL, verification_type text DEFAULT NULL, restrictions jsonb DEFAULT NULL,
    starts_at timestamptz DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_create_wrapper';
CREATE FUNCTION credits.promotion_code_update(
    promotion_code_id uuid, active boolean DEFAULT NULL, max_redemptions integer DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, customer_ids text[] DEFAULT NULL, verification_type text DEFAULT NULL,
    restrictions jsonb DEFAULT NULL, starts_at timestamptz DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_update_wrapper';
CREATE FUNCTION credits.promotion_code_archive(promotion_code_id uuid)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_archive_wrapper';
CREATE FUNCTION credits.promotion_code_delete(promotion_code_id uuid)
RETURNS credits.promotion_code
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_delete_wrapper';
CREATE FUNCTION credits.promotion_code_used(promotion_code_id uuid)
RETURNS boolean
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_used_wrapper';
CREATE FUNCTION credits.promotion_code_by_code(code text)
RETURNS credits.promotion_code
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_by_code_wrapper';
CREATE FUNCTION credits.promotion_code_redemptions(
    promotion_code_id uuid, type text DEFAULT 'customer', page_size integer DEFAULT 50, after uuid DEFAULT NULL)
RETURNS SETOF credits.redemption
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'promotion_code_redemptions_wrapper';
CREATE OR REPLACE VIEW credits_internal.promotion_code_uses AS
SELECT u.promotion_code_id, u.max_redemptions, (u.taken - l.late)::integer AS times_redeemed,
       u.first_used_at IS NOT NULL AS used
FROM credits_internal.promotion_code_counters u
CROSS JOIN LATERAL (
    SELECT count(*) AS late FROM credits_internal.redemptions r
    WHERE r.promotion_code_id = u.promotion_code_id AND r.released_at IS NULL AND r.expires_at IS NOT NULL
      AND r.expires_at <= credits.clock()) l;
CREATE OR REPLACE VIEW credits.promotion_codes AS
SELECT p.promotion_code_id, p.coupon_id, p.code, p.active, p.description, u.max_redemptions, p.starts_at,
       p.expires_at,
       CASE WHEN p.for_customers THEN ARRAY(
           SELECT w.customer_id FROM credits_internal.promotion_code_customers w
           WHERE w.promotion_code_id = p.promotion_code_id ORDER BY w.customer_id)::text[] END AS customer_ids,
       p.verification_type, p.restrictions, u.times_redeemed,
       p.active AND c.valid AND coalesce(p.starts_at <= credits.clock(), true)
           AND coalesce(p.expires_at > credits.clock(), true)
           AND coalesce(u.times_redeemed < u.max_redemptions, true) AS valid,
       u.used, c.name AS coupon_name, c.percent_off, c.amount_off, c.currency, p.metadata, p.created_at, p.updated_at,
       c.valid AS coupon_valid,
       (SELECT count(*)::integer FROM credits_internal.redemptions r
        WHERE r.coupon_id = p.coupon_id AND r.over_quota AND r.promotion_code_id = p.promotion_code_id)
           AS times_over_quota
FROM credits_internal.promotion_codes p
JOIN credits_internal.promotion_code_uses u ON u.promotion_code_id = p.promotion_code_id
JOIN credits.coupons c ON c.coupon_id = p.coupon_id;
CREATE FUNCTION credits.voucher_redeem(
    customer_id text, code text, idempotency_key text DEFAULT NULL, verification_data jsonb DEFAULT NULL,
    verification_method text DEFAULT NULL)
RETURNS credits.voucher
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'voucher_redeem_wrapper';
CREATE FUNCTION credits.payment_intent_begin(customer_id text, payment_intent_id uuid)
RETURNS credits.payment_attempt
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_intent_begin_wrapper';
CREATE FUNCTION credits.payment_intent_update(customer_id text, payment_intent_id uuid, metadata jsonb DEFAULT NULL)
RETURNS credits.payment_intent
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_intent_update_wrapper';
CREATE FUNCTION credits.payment_processing(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_processing_wrapper';
CREATE FUNCTION credits.payment_requires_action(
    customer_id text, top_up_id uuid, action_url text DEFAULT NULL, provider text DEFAULT 'manual',
    provider_reference text DEFAULT NULL)
RETURNS credits.payment_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_requires_action_wrapper';
CREATE OR REPLACE VIEW credits.payment_intents AS
SELECT t.customer_id, t.payment_intent_id, t.invoice_id, i.billing_reason,
       CASE WHEN t.status IN ('requires_payment_method', 'requires_action') AND t.expires_at <= credits.clock()
                THEN 'canceled'
            ELSE t.status END AS status,
       t.amount, coalesce(t.paid_amount, 0) AS amount_received, t.refunded_amount AS amount_refunded,
       t.disputed_amount AS amount_disputed, t.dispute_status, t.currency, t.payment_method_id, t.provider,
       t.provider_reference, t.attempts, t.requested_at, t.last_payment_error, t.failed_at, t.action_url,
       t.checkout_url,
       t.recharge_id, t.description, t.metadata, t.created_at, t.updated_at, t.expires_at, t.paid_at
FROM credits_internal.payment_intents t
LEFT JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id;
CREATE OR REPLACE VIEW credits.my_payment_intents WITH (security_barrier) AS
SELECT t.payment_intent_id, t.invoice_id,
       CASE WHEN t.status NOT IN ('succeeded', 'canceled') AND t.expires_at <= credits.clock() THEN 'canceled'
            ELSE t.status END AS status,
       t.amount, coalesce(t.paid_amount, 0) AS amount_received, t.refunded_amount AS amount_refunded, t.currency,
       t.payment_method_id, t.provider, t.failed_at, t.action_url, t.checkout_url, t.description, t.created_at,
       t.expires_at, t.paid_at
FROM credits_internal.payment_intents t WHERE t.customer_id = (SELECT credits.current_customer());
CREATE FUNCTION credits.payment_method_attach(
    customer_id text, provider text, provider_customer text, reference text, expires_at timestamptz DEFAULT NULL,
    is_default boolean DEFAULT false, name text DEFAULT NULL, metadata jsonb DEFAULT NULL)
RETURNS credits.payment_method
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_method_attach_wrapper';
CREATE FUNCTION credits.payment_method_detach(customer_id text, payment_method_id uuid)
RETURNS credits.payment_method
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_method_detach_wrapper';
CREATE OR REPLACE VIEW credits.payment_methods AS
SELECT m.customer_id, m.payment_method_id, m.provider, m.provider_customer, m.reference, m.name, m.expires_at,
       m.is_default,
       CASE WHEN m.detached_at IS NOT NULL THEN 'detached'
            WHEN m.expires_at <= credits.clock() THEN 'expired'
            ELSE 'attached' END AS status,
       m.metadata, m.created_at, m.updated_at, m.detached_at
FROM credits_internal.payment_methods m;
CREATE FUNCTION credits.payment_refunded(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    amount numeric DEFAULT NULL, total_refunded numeric DEFAULT NULL, spent text DEFAULT NULL,
    payment_reference text DEFAULT NULL, currency text DEFAULT NULL, refund_id uuid DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refunded_2_wrapper';
CREATE FUNCTION credits.payment_refund_failed(
    customer_id text, top_up_id uuid, provider text DEFAULT 'manual', provider_reference text DEFAULT NULL,
    payment_reference text DEFAULT NULL, refund_id uuid DEFAULT NULL)
RETURNS credits.refund_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_refund_failed_2_wrapper';
CREATE FUNCTION credits.refund_create(
    customer_id text, payment_intent_id uuid, amount numeric DEFAULT NULL, lines jsonb DEFAULT NULL,
    reason text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, spent text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.refund
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refund_create_wrapper';
CREATE FUNCTION credits.payment_intent_refund(
    customer_id text, payment_intent_id uuid, amount numeric DEFAULT NULL, reason text DEFAULT NULL,
    description text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.refund
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_intent_refund_wrapper';
CREATE FUNCTION credits.refund_begin(customer_id text, refund_id uuid)
RETURNS credits.refund_attempt
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refund_begin_wrapper';
CREATE FUNCTION credits.refund_cancel(customer_id text, refund_id uuid)
RETURNS credits.refund
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'refund_cancel_wrapper';
CREATE OR REPLACE VIEW credits.refunds AS
SELECT r.customer_id, r.refund_id, r.payment_intent_id, r.invoice_id, r.status, r.amount, r.currency, r.reason,
       r.description, r.lines, r.provider, r.payment_reference, r.provider_reference, r.takes_credits,
       r.attempt_key IS NOT NULL AND r.status = 'pending' AS under_way, r.metadata, r.created_at, r.updated_at,
       r.closed_at
FROM credits_internal.refunds r;
CREATE OR REPLACE VIEW credits.my_refunds WITH (security_barrier) AS
SELECT r.refund_id, r.payment_intent_id, r.invoice_id, r.status, r.amount, r.currency, r.description, r.created_at,
       r.closed_at
FROM credits_internal.refunds r WHERE r.customer_id = (SELECT credits.current_customer());
CREATE FUNCTION credits.invoice_create(
    customer_id text, lines jsonb DEFAULT NULL, currency text DEFAULT NULL, description text DEFAULT NULL,
    due_date timestamptz DEFAULT NULL, days_until_due integer DEFAULT NULL, tax_rate numeric DEFAULT NULL,
    discount numeric DEFAULT NULL, auto_finalize boolean DEFAULT false, pending_items text DEFAULT 'include',
    footer text DEFAULT NULL, custom_fields jsonb DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL, collection_method text DEFAULT 'charge_automatically',
    billing_reason text DEFAULT 'manual')
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_create_wrapper';
CREATE FUNCTION credits.invoice_finalize(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_finalize_wrapper';
CREATE FUNCTION credits.invoice_pay(
    customer_id text, invoice_id uuid, paid_from text, amount numeric DEFAULT NULL, reference text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_pay_wrapper';
CREATE FUNCTION credits.invoice_void(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_void_wrapper';
CREATE FUNCTION credits.invoice_mark_uncollectible(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_mark_uncollectible_wrapper';
CREATE FUNCTION credits.invoice_update(
    customer_id text, invoice_id uuid, description text DEFAULT NULL, due_date timestamptz DEFAULT NULL,
    days_until_due integer DEFAULT NULL, tax_rate numeric DEFAULT NULL, discount numeric DEFAULT NULL,
    lines jsonb DEFAULT NULL, footer text DEFAULT NULL, custom_fields jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_update_wrapper';
CREATE FUNCTION credits.invoice_delete(customer_id text, invoice_id uuid)
RETURNS credits.invoice
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_delete_wrapper';
CREATE FUNCTION credits.customer_overdue_invoices(customer_id text)
RETURNS SETOF credits.invoice
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'customer_overdue_invoices_wrapper';
CREATE OR REPLACE VIEW credits.invoices AS
SELECT i.customer_id, i.invoice_id, i.number, i.status, i.billing_reason, i.currency, i.description, i.subtotal,
       i.discount, i.tax, i.total, i.total_excluding_tax, i.amount_due, i.amount_paid,
       CASE WHEN i.status = 'void' THEN 0 ELSE i.amount_due - i.amount_paid END AS amount_remaining, i.tax_rate,
       i.due_date, i.days_until_due, i.customer_name, i.customer_email, i.footer, i.custom_fields, i.metadata,
       i.created_at, i.updated_at, i.finalized_at, i.paid_at, i.voided_at, i.marked_uncollectible_at,
       i.status = 'open' AND coalesce(i.due_date < credits.clock(), false) AS overdue, i.collection_method, i.shipping,
       i.customer_phone, i.customer_address, p.payment_intent_id, p.checkout_url AS hosted_invoice_url,
       (SELECT coalesce(sum(t.refunded_amount), 0) FROM credits_internal.payment_intents t
        WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id) AS amount_refunded,
       i.seller, i.checkout_session_id, i.coupon_id, i.promotion_code_id,
       CASE WHEN i.coupon_id IS NOT NULL THEN (
           SELECT jsonb_build_array(jsonb_build_object(
               'coupon_id', r.coupon_id, 'coupon_name', i.coupon_name, 'promotion_code_id', r.promotion_code_id,
               'code', c.code, 'amount', r.amount::text))
           FROM credits_internal.redemptions r
           LEFT JOIN credits_internal.promotion_codes c ON c.promotion_code_id = r.promotion_code_id
           WHERE r.customer_id = i.customer_id AND r.holder_id = i.invoice_id) END AS discount_details
FROM credits_internal.invoices i
LEFT JOIN LATERAL (
    SELECT t.payment_intent_id, t.checkout_url FROM credits_internal.payment_intents t
    WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
    ORDER BY t.payment_intent_id DESC LIMIT 1) p ON true;
CREATE OR REPLACE VIEW credits.invoice_payments AS
SELECT p.customer_id, p.invoice_id, p.payment_no, p.paid_from, p.amount, i.currency, p.operation_id,
       p.reference, p.created_at, p.reversed_at, p.reversal_id, p.payment_intent_id, p.deposit_id
FROM credits_internal.invoice_payments p
JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id;
CREATE OR REPLACE VIEW credits.my_invoices WITH (security_barrier) AS
SELECT i.invoice_id, i.number, i.status, i.currency, i.description, i.subtotal, i.discount, i.tax, i.total,
       i.total_excluding_tax, i.amount_due, i.amount_paid,
       CASE WHEN i.status = 'void' THEN 0 ELSE i.amount_due - i.amount_paid END AS amount_remaining, i.due_date,
       i.customer_name, i.customer_email, i.footer, i.custom_fields, i.finalized_at, i.paid_at, i.shipping,
       i.customer_phone, i.customer_address, p.checkout_url AS hosted_invoice_url, i.seller
FROM credits_internal.invoices i
LEFT JOIN LATERAL (
    SELECT t.checkout_url FROM credits_internal.payment_intents t
    WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
    ORDER BY t.payment_intent_id DESC LIMIT 1) p ON true
WHERE i.customer_id = (SELECT credits.current_customer()) AND i.status <> 'draft';
CREATE FUNCTION credits.invoice_item_create(
    customer_id text, currency text DEFAULT NULL, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity numeric DEFAULT NULL, unit_amount numeric DEFAULT NULL,
    tax_rate numeric DEFAULT NULL, tax_behavior text DEFAULT NULL, period_start timestamptz DEFAULT NULL,
    period_end timestamptz DEFAULT NULL, metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.invoice_line
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_item_create_wrapper';
CREATE FUNCTION credits.invoice_item_delete(customer_id text, invoice_line_id uuid)
RETURNS credits.invoice_line
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_item_delete_wrapper';
CREATE OR REPLACE VIEW credits.invoice_lines AS
SELECT l.customer_id, l.invoice_line_id, l.invoice_id, l.line_no, l.currency, l.price_id, l.description,
       l.quantity, l.unit_amount, l.amount,
       CASE WHEN l.invoice_id IS NULL THEN l.given_discount ELSE l.discount END AS discount,
       l.tax_rate, l.tax_behavior, l.tax,
       CASE WHEN l.invoice_id IS NULL THEN l.amount - l.given_discount ELSE l.amount_excluding_tax END
           AS amount_excluding_tax,
       l.credits, l.credit_currency, l.grant_id, l.period_start, l.period_end,
       l.from_invoice_id, l.metadata, l.created_at, l.updated_at, p.product_id
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.prices p ON p.price_id = l.price_id;
CREATE OR REPLACE VIEW credits.my_invoice_lines WITH (security_barrier) AS
SELECT l.invoice_line_id, l.invoice_id, l.line_no, l.currency, l.description, l.quantity, l.unit_amount,
       l.amount, l.discount, l.tax_rate, l.tax_behavior, l.tax, l.amount_excluding_tax, l.credits,
       l.credit_currency, l.grant_id, l.period_start, l.period_end
FROM credits_internal.invoice_lines l
JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
WHERE l.customer_id = (SELECT credits.current_customer()) AND i.status <> 'draft';
CREATE FUNCTION credits.invoice_return_deposit_info(customer_id text, invoice_id uuid)
RETURNS credits.deposit
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_return_deposit_info_wrapper';
CREATE FUNCTION credits.invoice_return_deposit(
    customer_id text, invoice_id uuid, amount numeric DEFAULT NULL, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.deposit
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_return_deposit_wrapper';
CREATE FUNCTION credits.invoice_html(customer_id text, invoice_id uuid)
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'invoice_html_wrapper';
CREATE FUNCTION credits.my_invoice_html(invoice_id uuid)
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'my_invoice_html_wrapper';
CREATE OR REPLACE VIEW credits.subscription_items AS
SELECT i.customer_id, i.subscription_item_id, i.subscription_id, i.price_id, p.product_id, i.quantity, i.metadata,
       i.created_at, i.updated_at, i.removed_at
FROM credits_internal.subscription_items i
LEFT JOIN credits_internal.prices p ON p.price_id = i.price_id;
CREATE FUNCTION credits.subscription_item_create(
    customer_id text, subscription_id uuid, price_id uuid DEFAULT NULL, lookup_key text DEFAULT NULL,
    quantity numeric DEFAULT NULL, metadata jsonb DEFAULT NULL, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate', idempotency_key text DEFAULT NULL)
RETURNS credits.subscription_item
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_item_create_wrapper';
CREATE FUNCTION credits.subscription_item_update(
    customer_id text, subscription_item_id uuid, price_id uuid DEFAULT NULL, lookup_key text DEFAULT NULL,
    quantity numeric DEFAULT NULL, metadata jsonb DEFAULT NULL, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate')
RETURNS credits.subscription_item
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_item_update_wrapper';
CREATE FUNCTION credits.subscription_item_delete(
    customer_id text, subscription_item_id uuid, proration_behavior text DEFAULT NULL, credits text DEFAULT 'prorate')
RETURNS credits.subscription_item
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_item_delete_wrapper';
CREATE OR REPLACE VIEW credits.subscriptions AS
SELECT s.customer_id, s.subscription_id,
       CASE WHEN s.status NOT IN ('canceled', 'incomplete_expired') AND s.cancel_at <= credits.clock() THEN 'canceled'
            WHEN s.status = 'incomplete' AND s.checkout_session_id IS NULL AND s.collection_method <> 'external'
                 AND least(s.created_at + interval '23 hours', s.current_period_end) <= credits.clock()
            THEN 'incomplete_expired'
            WHEN s.status = 'incomplete'
                 AND EXISTS (SELECT FROM credits_internal.checkout_sessions c
                             WHERE c.customer_id = s.customer_id AND c.checkout_session_id = s.checkout_session_id
                               AND c.expires_at <= credits.clock() AND NOT c.under_way)
            THEN 'incomplete_expired'
            ELSE s.status END AS status,
       s.currency, s.collection_method, i.items, s."interval", s.interval_count,
       s.billing_cycle_anchor, s.trial_end, s.trial_end_behavior, s.current_period_start, s.current_period_end,
       s.proration_behavior, s.days_until_due, s.days_until_cancel, s.payment_method_id, s.cancel_at,
       s.cancel_at_period_end, s.canceled_at, s.ended_at, s.cancel_reason, s.paused_at, s.resumes_at, s.past_due_at,
       s.coupon_id, s.promotion_code_id, s.discount_end, s.latest_invoice_id, s.description, s.metadata,
       s.created_at, s.updated_at, s.checkout_session_id, s.service_actions, s.at_period_end, s.overage_rate,
       s.overdraft_protection, s.provider, s.provider_reference
FROM credits_internal.subscriptions s
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('subscription_item_id', m.subscription_item_id, 'price_id', m.price_id,
               'quantity', trim_scale(m.quantity)::text, 'metadata', m.metadata)
               ORDER BY m.created_at, m.subscription_item_id), '[]') AS items
    FROM credits_internal.subscription_items m
    WHERE m.customer_id = s.customer_id AND m.subscription_id = s.subscription_id AND m.removed_at IS NULL) i;
CREATE FUNCTION credits.subscription_create(
    customer_id text, items jsonb, trial_period_days integer DEFAULT NULL, trial_end timestamptz DEFAULT NULL,
    trial_end_behavior text DEFAULT 'charge', billing_cycle_anchor timestamptz DEFAULT NULL, collection_method text
    DEFAULT 'charge_automatically', days_until_due integer DEFAULT 30, days_until_cancel integer DEFAULT 30,
    payment_method_id uuid DEFAULT NULL, proration_behavior text DEFAULT 'create_prorations', promotion_code text
    DEFAULT NULL, coupon_id uuid DEFAULT NULL, cancel_at_period_end boolean DEFAULT false, description text DEFAULT
    NULL, metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, at_period_end text DEFAULT 'carry',
    overage_rate numeric DEFAULT NULL, overdraft_protection boolean DEFAULT false, provider text DEFAULT NULL,
    provider_reference text DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_create_wrapper';
CREATE FUNCTION credits.subscription_cancel(
    customer_id text, subscription_id uuid, at text DEFAULT 'period_end', refund text DEFAULT 'none', reason text
    DEFAULT NULL, feedback text DEFAULT NULL, comment text DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_cancel_wrapper';
CREATE FUNCTION credits.subscription_recover(
    customer_id text, subscription_id uuid)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_recover_wrapper';
CREATE FUNCTION credits.subscription_update(
    customer_id text, subscription_id uuid, items jsonb DEFAULT NULL, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate', collection_method text DEFAULT NULL, days_until_due integer DEFAULT NULL,
    days_until_cancel integer DEFAULT NULL, payment_method_id uuid DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, at_period_end text DEFAULT NULL, overage_rate numeric DEFAULT NULL,
    overdraft_protection boolean DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_update_wrapper';
CREATE FUNCTION credits.subscription_preview(
    customer_id text, subscription_id uuid, items jsonb, proration_behavior text DEFAULT NULL,
    credits text DEFAULT 'prorate')
RETURNS credits.subscription_preview
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_preview_wrapper';
CREATE OR REPLACE VIEW credits.my_subscriptions WITH (security_barrier) AS
SELECT s.subscription_id,
       CASE WHEN s.status NOT IN ('canceled', 'incomplete_expired') AND s.cancel_at <= credits.clock() THEN 'canceled'
            WHEN s.status = 'incomplete' AND s.checkout_session_id IS NULL AND s.collection_method <> 'external'
                 AND least(s.created_at + interval '23 hours', s.current_period_end) <= credits.clock()
            THEN 'incomplete_expired'
            WHEN s.status = 'incomplete'
                 AND EXISTS (SELECT FROM credits_internal.checkout_sessions c
                             WHERE c.customer_id = s.customer_id AND c.checkout_session_id = s.checkout_session_id
                               AND c.expires_at <= credits.clock() AND NOT c.under_way)
            THEN 'incomplete_expired'
            ELSE s.status END AS status,
       s.currency, s.collection_method, i.items, s."interval", s.interval_count,
       s.billing_cycle_anchor, s.trial_end, s.trial_end_behavior, s.current_period_start, s.current_period_end,
       s.proration_behavior, s.days_until_due, s.days_until_cancel, s.cancel_at, s.cancel_at_period_end,
       s.canceled_at, s.ended_at, s.paused_at, s.resumes_at, s.past_due_at, s.coupon_id, s.promotion_code_id,
       s.discount_end, s.latest_invoice_id, s.description, s.created_at, s.updated_at, s.provider,
       s.provider_reference
FROM credits_internal.subscriptions s
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('subscription_item_id', m.subscription_item_id, 'price_id', m.price_id,
               'quantity', trim_scale(m.quantity)::text, 'metadata', m.metadata)
               ORDER BY m.created_at, m.subscription_item_id), '[]') AS items
    FROM credits_internal.subscription_items m
    WHERE m.customer_id = s.customer_id AND m.subscription_id = s.subscription_id AND m.removed_at IS NULL) i
WHERE s.customer_id = (SELECT credits.current_customer());
CREATE FUNCTION credits.subscription_delete(customer_id text, subscription_id uuid)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_delete_wrapper';
CREATE OR REPLACE VIEW credits.usage_records AS
SELECT r.customer_id, r.usage_record_id, s.subscription_id, s.subscription_item_id, r.usage_record_summary_id,
       r.action, r.quantity, r.used_at AS "timestamp", r.created_at
FROM credits_internal.usage_records r
JOIN credits_internal.usage_record_summaries s
  ON s.customer_id = r.customer_id AND s.usage_record_summary_id = r.usage_record_summary_id;
CREATE OR REPLACE VIEW credits.my_usage_records WITH (security_barrier) AS
SELECT r.usage_record_id, s.subscription_id, s.subscription_item_id, r.usage_record_summary_id, r.action,
       r.quantity, r.used_at AS "timestamp", r.created_at
FROM credits_internal.usage_records r
JOIN credits_internal.usage_record_summaries s
  ON s.customer_id = r.customer_id AND s.usage_record_summary_id = r.usage_record_summary_id
WHERE r.customer_id = (SELECT credits.current_customer());
CREATE OR REPLACE VIEW credits_internal.usage_so_far AS
SELECT s.customer_id, s.usage_record_summary_id, s.subscription_id, s.subscription_item_id, s.price_id,
       s.aggregate_usage, s.period_start, s.period_end, (s.records + coalesce(w.events, 0))::integer AS records,
       CASE WHEN w.events > 0 THEN
           CASE s.aggregate_usage
               WHEN 'sum' THEN s.usage + w.added + w.values
               WHEN 'max' THEN greatest(s.usage, w.most)
               ELSE CASE WHEN w.last_at < s.last_at THEN s.usage ELSE w.last END END
            ELSE s.usage END AS usage,
       s.invoiced_amount, s.closes_at, s.event_name
FROM credits_internal.usage_record_summaries s
LEFT JOIN LATERAL (
    SELECT count(*) AS events, coalesce(sum(e.quantity) FILTER (WHERE e.counted IS NULL), 0) AS added,
           count(DISTINCT e.counted) FILTER (WHERE NOT EXISTS (
               SELECT FROM credits_internal.invoiced_events o
               WHERE o.customer_id = s.customer_id AND o.usage_record_summary_id = s.usage_record_summary_id
                 AND o.counted = e.counted)) AS values,
           max(e.quantity) AS most, max(e.occurred_at) AS last_at,
           (array_agg(e.quantity ORDER BY e.occurred_at DESC, e.created_at DESC, e.identifier DESC))[1] AS last
    FROM credits_internal.invoiced_events e
    WHERE e.customer_id = s.customer_id AND e.event_name = s.event_name AND e.usage_record_summary_id IS NULL
      AND e.occurred_at >= s.period_start AND e.occurred_at < s.period_end) w ON s.event_name IS NOT NULL;
CREATE OR REPLACE VIEW credits.usage_record_summaries AS
SELECT s.customer_id, s.usage_record_summary_id, s.subscription_id, s.subscription_item_id, s.price_id,
       s.aggregate_usage, s.period_start, s.period_end, s.records, s.usage AS total_usage, c.usage AS invoiced_usage,
       s.invoiced_amount, l.invoice_id, s.closes_at, s.event_name
FROM credits_internal.usage_so_far s
LEFT JOIN LATERAL (
    SELECT c.usage FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
    ORDER BY c.closing_no DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT c.invoice_line_id FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
      AND c.invoice_line_id IS NOT NULL
    ORDER BY c.closing_no DESC LIMIT 1) b ON true
LEFT JOIN credits_internal.invoice_lines l
       ON l.customer_id = s.customer_id AND l.invoice_line_id = b.invoice_line_id;
CREATE OR REPLACE VIEW credits.my_usage_record_summaries WITH (security_barrier) AS
SELECT s.usage_record_summary_id, s.subscription_id, s.subscription_item_id, s.price_id, s.aggregate_usage,
       s.period_start, s.period_end, s.records, s.usage AS total_usage, c.usage AS invoiced_usage,
       s.invoiced_amount, l.invoice_id, s.closes_at, s.event_name
FROM credits_internal.usage_so_far s
LEFT JOIN LATERAL (
    SELECT c.usage FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
    ORDER BY c.closing_no DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT c.invoice_line_id FROM credits_internal.usage_closings c
    WHERE c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
      AND c.invoice_line_id IS NOT NULL
    ORDER BY c.closing_no DESC LIMIT 1) b ON true
LEFT JOIN credits_internal.invoice_lines l
       ON l.customer_id = s.customer_id AND l.invoice_line_id = b.invoice_line_id
WHERE s.customer_id = (SELECT credits.current_customer());
CREATE FUNCTION credits.usage_record_create(
    customer_id text, subscription_item_id uuid, quantity numeric, action text DEFAULT 'increment',
    "timestamp" timestamptz DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.usage_record
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'usage_record_create_wrapper';
CREATE FUNCTION credits.subscription_pause(
    customer_id text, subscription_id uuid, resumes_at timestamptz DEFAULT NULL)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_pause_wrapper';
CREATE FUNCTION credits.subscription_resume(
    customer_id text, subscription_id uuid)
RETURNS credits.subscription
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'subscription_resume_wrapper';
CREATE OR REPLACE VIEW credits.invoiced_events AS
SELECT i.customer_id, i.identifier, i.event_name, i.quantity, i.occurred_at, i.created_at, s.subscription_id,
       s.subscription_item_id, i.usage_record_summary_id, c.closed_at, l.invoice_id
FROM credits_internal.invoiced_events i
LEFT JOIN credits_internal.usage_record_summaries s
       ON s.customer_id = i.customer_id AND s.usage_record_summary_id = i.usage_record_summary_id
LEFT JOIN credits_internal.usage_closings c
       ON c.customer_id = i.customer_id AND c.usage_record_summary_id = i.usage_record_summary_id
      AND c.closing_no = i.closing_no
LEFT JOIN credits_internal.invoice_lines l
       ON l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id;
CREATE OR REPLACE VIEW credits.top_ups AS
SELECT t.customer_id, t.payment_intent_id AS top_up_id,
       CASE WHEN t.status = 'succeeded' THEN CASE WHEN t.is_refunded THEN 'refunded' ELSE 'paid' END
            WHEN t.status = 'canceled' THEN 'expired'
            WHEN t.failed_at IS NOT NULL THEN 'failed'
            WHEN t.expires_at <= credits.clock() THEN 'expired' ELSE 'initiated' END AS status,
       l.price_id, l.grant_name AS name,
       CASE WHEN l.price_id IS NULL THEN 1 ELSE l.quantity::integer END AS quantity, t.amount, t.currency, l.credits,
       l.credit_currency, CASE WHEN l.price_id IS NULL THEN l.unit_amount END AS rate, t.provider, t.provider_reference,
       l.grant_id, t.recharge_id, t.paid_amount, t.refunded_amount, t.disputed_amount, t.dispute_status, l.reclaimed,
       t.description, t.metadata, t.created_at, t.expires_at, t.paid_at, t.due_amount, t.checkout_url, t.invoice_id,
       t.status AS payment_status
FROM credits_internal.payment_intents t
LEFT JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id
LEFT JOIN credits_internal.invoice_lines l ON l.customer_id = t.customer_id AND l.invoice_id = t.invoice_id
WHERE CASE WHEN i.billing_reason IN ('recharge', 'auto_recharge') THEN true ELSE false END;
CREATE OR REPLACE VIEW credits.top_up_payments AS
SELECT p.customer_id, p.top_up_id, p.payment_no, p.provider, p.provider_reference, p.paid_amount, t.currency, p.tax,
       p.shipping,
       p.discount, p.refunded_amount, p.disputed_amount,
       greatest(p.paid_amount - p.refunded_amount - p.disputed_amount, 0) AS remaining_amount
FROM credits_internal.payment_totals p
JOIN credits_internal.payment_intents t ON t.customer_id = p.customer_id AND t.payment_intent_id = p.top_up_id;
CREATE FUNCTION credits.checkout_session_create(
    customer_id text, mode text DEFAULT 'payment', line_items jsonb DEFAULT NULL, currency text DEFAULT NULL,
    discounts jsonb DEFAULT NULL, allow_promotion_codes boolean DEFAULT false, success_url text DEFAULT NULL,
    cancel_url text DEFAULT NULL, client_reference_id text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
    tax_rate numeric DEFAULT NULL, collection_method text DEFAULT 'charge_automatically', provider text DEFAULT NULL,
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, subscription_data jsonb DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_create_wrapper';
CREATE FUNCTION credits.checkout_session_verify(token text)
RETURNS credits.checkout_session
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_verify_wrapper';
CREATE FUNCTION credits.checkout_session_update(
    customer_id text, checkout_session_id uuid, line_items jsonb DEFAULT NULL, quantities jsonb DEFAULT NULL,
    allow_promotion_codes boolean DEFAULT NULL, success_url text DEFAULT NULL, cancel_url text DEFAULT NULL,
    client_reference_id text DEFAULT NULL, expires_at timestamptz DEFAULT NULL, tax_rate numeric DEFAULT NULL,
    collection_method text DEFAULT NULL, metadata jsonb DEFAULT NULL, subscription_data jsonb DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_update_wrapper';
CREATE FUNCTION credits.checkout_session_apply_promotion_code(
    customer_id text, checkout_session_id uuid, promotion_code text, verification_method text DEFAULT NULL,
    verification_data jsonb DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_apply_promotion_code_wrapper';
CREATE FUNCTION credits.checkout_session_remove_promotion_code(customer_id text, checkout_session_id uuid)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_remove_promotion_code_wrapper';
CREATE FUNCTION credits.checkout_session_submit(customer_id text, checkout_session_id uuid)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_submit_wrapper';
CREATE FUNCTION credits.checkout_session_expire(customer_id text, checkout_session_id uuid)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'checkout_session_expire_wrapper';
CREATE OR REPLACE VIEW credits.checkout_sessions AS
SELECT s.customer_id, s.checkout_session_id, s.mode,
       CASE WHEN s.status = 'open' AND s.expires_at <= credits.clock() AND NOT s.under_way THEN 'expired'
            ELSE s.status END AS status,
       s.payment_status, s.currency, s.amount_subtotal, s.amount_discount, s.amount_tax, s.amount_total, s.line_items,
       coalesce(s.url, t.checkout_url) AS url, s.success_url, s.cancel_url, s.client_reference_id,
       s.allow_promotion_codes, s.tax_rate, s.collection_method, s.payment_link_id, s.invoice_id,
       t.payment_intent_id, t.checkout_url, s.metadata, s.created_at, s.updated_at, s.expires_at, s.submitted_at,
       s.completed_at, s.expired_at, s.coupon_id, s.promotion_code_id,
       CASE WHEN s.coupon_id IS NOT NULL
            THEN jsonb_build_array(jsonb_build_object('coupon_id', s.coupon_id, 'promotion_code_id',
                     s.promotion_code_id, 'code', s.promotion_code, 'amount', s.amount_off::text)) END AS discounts,
       s.subscription_id, s.subscription_data
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.payment_intents t
       ON t.customer_id = s.customer_id AND t.payment_intent_id = s.checkout_session_id;
CREATE OR REPLACE VIEW credits.my_checkout_sessions WITH (security_barrier) AS
SELECT s.checkout_session_id,
       CASE WHEN s.status = 'open' AND s.expires_at <= credits.clock() AND NOT s.under_way THEN 'expired'
            ELSE s.status END AS status,
       s.payment_status, s.currency, s.amount_subtotal, s.amount_discount, s.amount_tax, s.amount_total, s.line_items,
       coalesce(s.url, t.checkout_url) AS url, s.allow_promotion_codes, s.invoice_id, s.created_at, s.expires_at,
       s.completed_at, s.subscription_id
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.payment_intents t
       ON t.customer_id = s.customer_id AND t.payment_intent_id = s.checkout_session_id
WHERE s.customer_id = (SELECT credits.current_customer());
CREATE FUNCTION credits_internal.payment_link_url(payment_link_id uuid)
RETURNS text
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_url_wrapper';
CREATE FUNCTION credits.payment_link_create(
    name text, line_items jsonb, currency text DEFAULT NULL, after_completion jsonb DEFAULT NULL,
    lookup_key text DEFAULT NULL, allow_promotion_codes boolean DEFAULT false, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL, subscription_data jsonb DEFAULT NULL)
RETURNS credits.payment_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_create_wrapper';
CREATE FUNCTION credits.payment_link_update(
    payment_link_id uuid, name text DEFAULT NULL, line_items jsonb DEFAULT NULL, after_completion jsonb DEFAULT NULL,
    lookup_key text DEFAULT NULL, allow_promotion_codes boolean DEFAULT NULL, metadata jsonb DEFAULT NULL,
    subscription_data jsonb DEFAULT NULL)
RETURNS credits.payment_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_update_wrapper';
CREATE FUNCTION credits.payment_link_archive(payment_link_id uuid)
RETURNS credits.payment_link
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_archive_wrapper';
CREATE FUNCTION credits.payment_link_open(
    customer_id text, payment_link_id uuid DEFAULT NULL, lookup_key text DEFAULT NULL, quantities jsonb DEFAULT NULL,
    success_url text DEFAULT NULL, cancel_url text DEFAULT NULL, client_reference_id text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, collection_method text DEFAULT 'charge_automatically',
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS credits.checkout_session
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'payment_link_open_wrapper';
CREATE OR REPLACE VIEW credits.payment_links AS
SELECT l.payment_link_id, l.name, l.archived_at IS NULL AS active, l.line_items, l.currency, l.after_completion,
       l.allow_promotion_codes, l.lookup_key, credits_internal.payment_link_url(l.payment_link_id) AS url, l.metadata,
       l.created_at, l.updated_at, l.archived_at, l.recharge_currency,
       CASE WHEN l.subscription_data IS NULL THEN 'payment' ELSE 'subscription' END AS mode, l.subscription_data
FROM credits_internal.payment_links l;
CREATE FUNCTION credits_internal.search_words(
    created_at timestamptz, customer_id text, texts text[], documents text[])
RETURNS text[]
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'search_words_wrapper';
CREATE OR REPLACE VIEW credits_internal.searched_customers AS
SELECT c.created_at, c.customer_id, c.customer_id AS key,
       array_to_tsvector(credits_internal.search_words(
           c.created_at, c.customer_id,
           ARRAY[c.customer_id, c.name, c.email, c.phone, c.description, c.currency, c.invoice_prefix,
                 c.tax_rate::text, c.time_zone],
           ARRAY[c.address::text, c.shipping::text, c.preferences::text, c.metadata::text])) AS words
FROM credits_internal.customers c;
CREATE INDEX customers_by_words ON credits_internal.customers USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, customer_id,
        ARRAY[customer_id, name, email, phone, description, currency, invoice_prefix,
              tax_rate::text, time_zone],
        ARRAY[address::text, shipping::text, preferences::text, metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.customers_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE OR REPLACE VIEW credits_internal.searched_products AS
SELECT d.created_at, NULL::text COLLATE "C" AS customer_id, d.product_id AS key,
       array_to_tsvector(credits_internal.search_words(
           d.created_at, NULL,
           ARRAY[d.product_id::text, d.name, d.description, d.type, d.unit_label, d.statement_descriptor]
               || d.images || d.features,
           ARRAY[d.credit_config::text, d.metadata::text])) AS words
FROM credits_internal.products d;
CREATE INDEX products_by_words ON credits_internal.products USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, NULL,
        ARRAY[product_id::text, name, description, type, unit_label, statement_descriptor]
            || images || features,
        ARRAY[credit_config::text, metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.products_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE OR REPLACE VIEW credits_internal.searched_prices AS
SELECT p.created_at, NULL::text COLLATE "C" AS customer_id, p.price_id AS key,
       array_to_tsvector(credits_internal.search_words(
           p.created_at, NULL,
           ARRAY[p.price_id::text, p.product_id::text, p.type, p.unit_amount::text, p.currency, p.nickname,
                 p.lookup_key, p.tax_behavior],
           ARRAY[p.recurring::text, p.currency_options::text, p.pricing::text, p.credit_config::text,
                 p.metadata::text])) AS words
FROM credits_internal.prices p;
CREATE INDEX prices_by_words ON credits_internal.prices USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, NULL,
        ARRAY[price_id::text, product_id::text, type, unit_amount::text, currency, nickname,
              lookup_key, tax_behavior],
        ARRAY[recurring::text, currency_options::text, pricing::text, credit_config::text,
              metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.prices_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE OR REPLACE VIEW credits_internal.searched_invoices AS
SELECT i.created_at, i.customer_id, i.invoice_id AS key,
       array_to_tsvector(credits_internal.search_words(
           i.created_at, i.customer_id,
           ARRAY[i.number, i.invoice_id::text, i.customer_id, i.status, i.billing_reason, i.currency, i.description,
                 i.footer, i.total::text, i.subtotal::text, i.discount::text, i.tax::text, i.shipping::text,
                 i.total_excluding_tax::text, i.amount_due::text, i.amount_paid::text, i.tax_rate::text,
                 i.collection_method,
                 CASE WHEN NOT i.retained THEN i.customer_name END,
                 CASE WHEN NOT i.retained THEN i.customer_email END,
                 CASE WHEN NOT i.retained THEN i.customer_phone END],
           ARRAY[CASE WHEN NOT i.retained THEN i.customer_address::text END, i.custom_fields::text,
                 i.metadata::text])) AS words
FROM credits_internal.invoices i;
CREATE INDEX invoices_by_words ON credits_internal.invoices USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, customer_id,
        ARRAY[number, invoice_id::text, customer_id, status, billing_reason, currency, description,
              footer, total::text, subtotal::text, discount::text, tax::text, shipping::text,
              total_excluding_tax::text, amount_due::text, amount_paid::text, tax_rate::text,
              collection_method,
              CASE WHEN NOT retained THEN customer_name END,
              CASE WHEN NOT retained THEN customer_email END,
              CASE WHEN NOT retained THEN customer_phone END],
        ARRAY[CASE WHEN NOT retained THEN customer_address::text END, custom_fields::text,
              metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.invoices_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE OR REPLACE VIEW credits_internal.searched_payment_intents AS
SELECT t.created_at, t.customer_id, t.payment_intent_id AS key,
       array_to_tsvector(credits_internal.search_words(
           t.created_at, t.customer_id,
           ARRAY[t.payment_intent_id::text, t.customer_id, t.invoice_id::text, t.recharge_id::text,
                 t.payment_method_id::text, t.status, t.amount::text, t.paid_amount::text, t.refunded_amount::text,
                 t.disputed_amount::text, t.dispute_status, t.currency, t.provider, t.provider_reference,
                 t.last_payment_error, t.description],
           ARRAY[t.metadata::text])) AS words
FROM credits_internal.payment_intents t;
CREATE INDEX payment_intents_by_words ON credits_internal.payment_intents USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, customer_id,
        ARRAY[payment_intent_id::text, customer_id, invoice_id::text, recharge_id::text,
              payment_method_id::text, status, amount::text, paid_amount::text, refunded_amount::text,
              disputed_amount::text, dispute_status, currency, provider, provider_reference,
              last_payment_error, description],
        ARRAY[metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.payment_intents_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE OR REPLACE VIEW credits_internal.searched_refunds AS
SELECT r.created_at, r.customer_id, r.refund_id AS key,
       array_to_tsvector(credits_internal.search_words(
           r.created_at, r.customer_id,
           ARRAY[r.refund_id::text, r.customer_id, r.payment_intent_id::text, r.invoice_id::text, r.status,
                 r.amount::text, r.currency, r.reason, r.description, r.provider, r.payment_reference,
                 r.provider_reference],
           ARRAY[r.lines::text, r.metadata::text])) AS words
FROM credits_internal.refunds r;
CREATE INDEX refunds_by_words ON credits_internal.refunds USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, customer_id,
        ARRAY[refund_id::text, customer_id, payment_intent_id::text, invoice_id::text, status,
              amount::text, currency, reason, description, provider, payment_reference,
              provider_reference],
        ARRAY[lines::text, metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.refunds_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE FUNCTION credits.search(
    query text, objects text[] DEFAULT NULL, customer_id text DEFAULT NULL, page_size integer DEFAULT 50,
    after text DEFAULT NULL)
RETURNS SETOF credits.found
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'search_wrapper';
CREATE FUNCTION credits.configure_auto_recharge(
    customer_id text, currency text DEFAULT NULL, enabled boolean DEFAULT NULL, threshold numeric DEFAULT NULL,
    price_id uuid DEFAULT NULL, quantity integer DEFAULT NULL, payment_method text DEFAULT NULL,
    max_attempts_per_day integer DEFAULT NULL, max_amount_per_day numeric DEFAULT NULL,
    cooldown interval DEFAULT NULL, timeout interval DEFAULT NULL, target numeric DEFAULT NULL,
    max_attempts_per_calendar_day integer DEFAULT NULL, max_amount_per_calendar_day numeric DEFAULT NULL,
    max_attempts_per_calendar_month integer DEFAULT NULL, max_amount_per_calendar_month numeric DEFAULT NULL,
    schedule_every interval DEFAULT NULL, schedule_start_at timestamptz DEFAULT NULL,
    schedule_day integer DEFAULT NULL, price_currency text DEFAULT NULL)
RETURNS credits.auto_recharge
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_auto_recharge_2_wrapper';
CREATE OR REPLACE VIEW credits.recharge_log AS
SELECT r.customer_id, r.recharge_id, r.currency, CASE WHEN o.over THEN 'timed_out' ELSE r.status END AS status,
       r.amount,
       r.price_currency, r.credits, r.top_up_id,
       CASE WHEN o.over THEN 'nobody answered in time' ELSE r.reason END AS reason,
       r.requested_at, r.started_at, r.expires_at, CASE WHEN o.over THEN r.expires_at ELSE r.closed_at END AS closed_at,
       r.quantity, r.scheduled
FROM credits_internal.recharges r
CROSS JOIN LATERAL (SELECT r.status IN ('requested', 'processing') AND r.expires_at <= credits.clock() AS over) o;
CREATE FUNCTION credits.balance_alert_set(
    customer_id text, currency text DEFAULT NULL, levels numeric[] DEFAULT NULL, kind text DEFAULT NULL)
RETURNS credits.balance_alert
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'balance_alert_set_wrapper';
CREATE OR REPLACE VIEW credits.balance_alerts AS
SELECT b.customer_id, b.currency, b.kind, b.levels, b.reached,
       CASE b.kind WHEN 'percent' THEN b.full_balance END AS full_balance
FROM credits_internal.balance_alerts b;
CREATE OR REPLACE VIEW credits.billing_events AS
SELECT e.event_id, e.type, e.object_type, e.object_id, e.object_seq, e.customer_id, e.data, e.created_at
FROM credits_internal.billing_events e;
CREATE FUNCTION credits.webhook_endpoint_create(
    url text, enabled_events text[], description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS credits.webhook_endpoint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_endpoint_create_wrapper';
CREATE FUNCTION credits.webhook_endpoint_update(
    webhook_endpoint_id uuid, url text DEFAULT NULL, enabled_events text[] DEFAULT NULL, status text DEFAULT NULL,
    new_secret boolean DEFAULT false, overlap interval DEFAULT '24 hours', description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL)
RETURNS credits.webhook_endpoint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_endpoint_update_wrapper';
CREATE FUNCTION credits.webhook_endpoint_delete(webhook_endpoint_id uuid)
RETURNS credits.webhook_endpoint
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_endpoint_delete_wrapper';
CREATE OR REPLACE VIEW credits.webhook_endpoints AS
SELECT w.webhook_endpoint_id, w.url, w.enabled_events, w.description, w.metadata, w.status, w.disabled_reason,
       CASE WHEN s.previous_secret_expires_at > credits.clock() THEN s.previous_secret_expires_at END
           AS previous_secret_expires_at,
       h.failing_since, h.last_success_at,
       (SELECT count(*) FROM credits_internal.webhook_deliveries d
        WHERE d.webhook_endpoint_id = w.webhook_endpoint_id AND d.status IN ('waiting', 'due', 'sending'))
           AS undelivered,
       w.created_at, w.updated_at
FROM credits_internal.webhook_endpoints w
LEFT JOIN credits_internal.webhook_health h ON h.webhook_endpoint_id = w.webhook_endpoint_id
LEFT JOIN credits_internal.webhook_secrets s ON s.webhook_endpoint_id = w.webhook_endpoint_id;
CREATE FUNCTION credits.webhook_claim(
    worker text, batch_size integer DEFAULT 20, lease interval DEFAULT '1 minute')
RETURNS SETOF credits.webhook_request
LANGUAGE c VOLATILE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_claim_wrapper';
CREATE FUNCTION credits.webhook_report(
    attempt_id uuid, response_status integer DEFAULT NULL, response_body text DEFAULT NULL)
RETURNS credits.webhook_outcome
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_report_wrapper';
CREATE FUNCTION credits.webhook_test(webhook_endpoint_id uuid)
RETURNS uuid
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_test_wrapper';
CREATE FUNCTION credits.webhook_resend(event_id uuid, webhook_endpoint_id uuid DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'webhook_resend_wrapper';
CREATE OR REPLACE VIEW credits.webhook_attempts AS
SELECT a.attempt_id, a.webhook_endpoint_id, a.event_id, e.type, e.object_type, e.object_id, e.customer_id, a.attempt_no,
       a.worker, a.status, a.response_status, a.response_body, a.started_at, a.ended_at, d.status AS delivery_status,
       CASE WHEN d.status = 'due' AND d.attempt_id = a.attempt_id THEN d.due_at END AS next_attempt_at
FROM credits_internal.webhook_attempts a
LEFT JOIN credits_internal.webhook_deliveries d
       ON d.webhook_endpoint_id = a.webhook_endpoint_id AND d.event_id = a.event_id
LEFT JOIN credits_internal.billing_events e ON e.event_id = a.event_id;
CREATE FUNCTION credits.history_import(
    customer_id text, entries jsonb, currency text DEFAULT NULL, idempotency_key text DEFAULT NULL,
    finished boolean DEFAULT true)
RETURNS credits.imported_history
LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'history_import_wrapper';
CREATE FUNCTION credits.reset()
RETURNS void
LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reset_wrapper';
CREATE OR REPLACE VIEW credits_internal.account_discrepancies (problem, customer_id, currency, subject, expected, found) AS
-- 1. An account's stored balance is the sum of its lines, which are numbered without a gap.
SELECT 'account: balance is not the sum of its lines' AS problem, a.customer_id, a.currency, NULL::text AS subject,
       coalesce(l.total, 0) AS expected, a.available + a.restricted AS found
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount) AS total FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.available + a.restricted <> coalesce(l.total, 0)
UNION ALL
SELECT 'account: lines are not numbered from 1 without a gap', a.customer_id, a.currency, NULL,
       a.last_line, coalesce(l.lines, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, count(*) AS lines, max(line_no) AS last, min(line_no) AS first
           FROM credits_internal.lines GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.last_line <> coalesce(l.lines, 0) OR a.last_line <> coalesce(l.last, 0) OR coalesce(l.first, 1) <> 1
UNION ALL
SELECT 'account: it was posted to after its last line and can be charged by its head', a.customer_id, a.currency, NULL,
       NULL,
       a.last_line
FROM credits_internal.accounts a
LEFT JOIN credits_internal.lines l ON l.customer_id = a.customer_id AND l.currency = a.currency
    AND l.line_no = a.last_line
WHERE a.posted_at <> coalesce(l.created_at, '-infinity') AND a.charge_above < 'infinity'
UNION ALL
SELECT 'line: running balance is not the sum so far', l.customer_id, l.currency, 'line ' || l.line_no,
       l.total, l.running_balance
FROM (SELECT customer_id, currency, line_no, running_balance,
             sum(amount) OVER (PARTITION BY customer_id, currency ORDER BY line_no) AS total
      FROM credits_internal.lines) l
WHERE l.total IS DISTINCT FROM l.running_balance
UNION ALL
SELECT 'line: no such account', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = l.customer_id
    AND a.currency = l.currency)
UNION ALL
SELECT 'account: issued is not the sum of its grants, or more than can be counted', a.customer_id, a.currency, NULL,
       coalesce(g.issued, 0), a.issued
FROM credits_internal.accounts a
-- What rolled over was issued before.
LEFT JOIN (SELECT i.customer_id, i.currency, sum(i.amount) AS issued
           FROM credits_internal.credit_grants i
           WHERE NOT EXISTS (SELECT FROM credits_internal.grant_rollovers r
                             WHERE r.customer_id = i.customer_id AND r.grant_id = i.grant_id AND r.generation > 0)
           GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
LEFT JOIN credits_internal.currencies c ON c.currency = a.currency
WHERE a.issued <> coalesce(g.issued, 0) OR a.issued >= 10::numeric ^ (28 - c.decimals)
UNION ALL
-- An account that nothing can be posted to is named even where all else agrees.
SELECT 'account: maintenance fails on it', f.customer_id, f.currency, f.error || ': ' || f.message, NULL, f.attempts
FROM credits_internal.account_failures f
UNION ALL
SELECT 'account: no such customer', a.customer_id, a.currency, NULL, NULL, NULL
FROM credits_internal.accounts a
    WHERE NOT EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = a.customer_id)
UNION ALL
SELECT 'customer: its invoice prefix is another customer''s, or nobody''s', c.customer_id, NULL, c.invoice_prefix,
       NULL, NULL
FROM credits_internal.customers c
LEFT JOIN credits_internal.invoice_prefixes p ON p.invoice_prefix = c.invoice_prefix
WHERE c.invoice_prefix IS NOT NULL AND p.customer_id IS DISTINCT FROM c.customer_id
UNION ALL
SELECT 'payment method: no such customer', m.customer_id, NULL, 'payment method ' || m.payment_method_id, NULL, NULL
FROM credits_internal.payment_methods m
WHERE NOT EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = m.customer_id)
UNION ALL
SELECT 'account: no such currency, or a limit that is none', a.customer_id, a.currency, NULL, NULL, a.overdraft_limit
FROM credits_internal.accounts a
WHERE NOT EXISTS (SELECT FROM credits_internal.currencies c WHERE c.currency = a.currency)
   OR a.overdraft_limit = 'NaN' OR a.overdraft_limit < 0 OR a.low_balance_threshold IN ('NaN', 'infinity')
   OR a.low_balance_threshold < 0
UNION ALL
SELECT 'grant: it did not come from where it says', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.amount
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, o.counterparty
           FROM credits_internal.lines t
           JOIN credits_internal.operations o
                ON o.customer_id = t.customer_id AND o.operation_id = t.operation_id AND o.line_no IS NULL
           WHERE t.type = 'transfer' AND t.amount > 0) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.transferred_from IS DISTINCT FROM l.counterparty
UNION ALL
SELECT 'grant: no such account', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, g.remaining
FROM credits_internal.credit_grants g
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = g.customer_id
    AND a.currency = g.currency)
UNION ALL
-- … and the sum of what remains in its grants that have taken effect.
SELECT 'account: available is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.available, 0), a.available
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE NOT restricted) AS available
           FROM credits_internal.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.available <> coalesce(g.available, 0)
UNION ALL
SELECT 'account: restricted is not what remains in its grants', a.customer_id, a.currency, NULL,
       coalesce(g.restricted, 0), a.restricted
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(remaining) FILTER (WHERE restricted) AS restricted
           FROM credits_internal.true_grants WHERE status = 'granted' GROUP BY 1, 2) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.restricted <> coalesce(g.restricted, 0)
UNION ALL
SELECT 'account: its head is not the grant that pays next', a.customer_id, a.currency,
       'grant ' || coalesce(a.head_grant_id::text, 'none') || ' where ' || coalesce(g.grant_id::text, 'none')
           || ' is due',
       g.remaining, a.available - a.head_floor
FROM credits_internal.accounts a
LEFT JOIN (SELECT DISTINCT ON (customer_id, currency) customer_id, currency, grant_id, remaining
           FROM credits_internal.true_grants WHERE status = 'granted' AND NOT restricted AND remaining > 0
           ORDER BY customer_id, currency, priority, expires_at, category DESC, effective_at, grant_id) g
       ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE a.head_grant_id IS DISTINCT FROM g.grant_id OR (a.head_grant_id IS NULL AND a.head_floor <> a.available)
UNION ALL
-- 2. What remains of a grant is the sum of its lines; its status says the same.
SELECT 'grant: what remains is not the sum of its lines', g.customer_id, g.currency, 'grant ' || g.grant_id,
       CASE g.status WHEN 'pending' THEN g.amount ELSE coalesce(l.total, 0) END, g.remaining
FROM credits_internal.true_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits_internal.lines
           WHERE type NOT IN ('suspension', 'resumption') GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.remaining <> CASE g.status WHEN 'pending' THEN g.amount + coalesce(l.total, 0) ELSE coalesce(l.total, 0) END
   OR g.remaining < 0 OR g.remaining > g.amount
UNION ALL
SELECT 'grant: what is suspended of it is not what its lines say', g.customer_id, g.currency, 'grant ' || g.grant_id,
       coalesce(l.total, 0), CASE g.status WHEN 'suspended' THEN g.remaining ELSE 0 END
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT customer_id, grant_id, -sum(amount) AS total FROM credits_internal.credit_transactions
           WHERE type IN ('suspension', 'resumption') GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE coalesce(l.total, 0) <> CASE g.status WHEN 'suspended' THEN g.remaining ELSE 0 END
UNION ALL
SELECT 'grant: the parts of it that were ended by hand are not what its lines say', g.customer_id, g.currency,
       'grant ' || g.grant_id, coalesce(l.total, 0), g.parts_ended
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, -sum(t.amount) AS total FROM credits_internal.credit_transactions t
           WHERE t.type IN ('void', 'expiration') AND t.operation_id IS NOT NULL
             AND NOT EXISTS (SELECT FROM credits_internal.reclaims r
                             WHERE r.customer_id = t.customer_id AND r.operation_id = t.operation_id)
           GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.parts_ended <> coalesce(l.total, 0)
UNION ALL
SELECT 'grant: its opening line is not its amount', g.customer_id, g.currency, 'grant ' || g.grant_id, g.amount,
       coalesce(l.total, 0)
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT customer_id, grant_id, sum(amount) AS total FROM credits_internal.lines
           WHERE type IN ('grant', 'transfer', 'adjustment', 'rollover') AND amount > 0 GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE coalesce(l.total, 0) <> CASE WHEN g.status = 'pending' OR g.ended_at < g.effective_at THEN 0 ELSE g.amount END
UNION ALL
SELECT 'grant: its opening line is of another time', g.customer_id, g.currency, 'grant ' || g.grant_id, NULL, l.amount
FROM credits_internal.credit_grants g
JOIN credits_internal.lines l ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
                    AND l.type IN ('grant', 'transfer', 'adjustment', 'rollover') AND l.amount > 0
WHERE l.effective_at <> g.effective_at
UNION ALL
SELECT 'grant: lapsed is not what its lines say', g.customer_id, g.currency, 'grant ' || g.grant_id,
       coalesce(l.total, 0), g.lapsed
FROM credits_internal.credit_grants g
LEFT JOIN (SELECT t.customer_id, t.grant_id, -sum(t.amount) AS total
           FROM credits_internal.lines t
           LEFT JOIN credits_internal.reclaims r ON r.customer_id = t.customer_id AND r.operation_id = t.operation_id
           WHERE t.type IN ('expiration', 'void', 'reinstatement') OR (t.type = 'refund' AND r.grant_id = t.grant_id)
              OR (t.type = 'rollover' AND t.amount < 0)
           GROUP BY 1, 2) l
       ON l.customer_id = g.customer_id AND l.grant_id = g.grant_id
WHERE g.lapsed <> CASE WHEN g.ended_at < g.effective_at THEN g.amount ELSE coalesce(l.total, 0) END
UNION ALL
SELECT 'account: something is below zero', a.customer_id, a.currency, NULL, 0,
       least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor)
FROM credits_internal.accounts a
WHERE least(a.available, a.restricted, a.held, a.pending, a.available - a.head_floor) < 0
UNION ALL
SELECT 'account: charge_above is neither head_floor nor evaluate_below, nor infinity', a.customer_id, a.currency, NULL,
       greatest(a.head_floor, a.evaluate_below), a.charge_above
FROM credits_internal.accounts a WHERE a.charge_above NOT IN (greatest(a.head_floor, a.evaluate_below), 'infinity')
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit what remains', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, g.remaining
FROM credits_internal.true_grants g
WHERE (g.status IN ('depleted', 'expired', 'voided') AND g.remaining <> 0)
   OR (g.status = 'granted' AND g.remaining = 0)
UNION ALL
SELECT 'grant: status ' || g.status || ' does not fit its times', g.customer_id, g.currency, 'grant ' || g.grant_id,
       NULL, NULL
FROM credits_internal.true_grants g
WHERE (g.status IN ('granted', 'suspended') AND g.expires_at <= g.posted_at)
   OR (g.status = 'pending' AND g.effective_at <= g.posted_at)
   OR (g.ended_at IS NOT NULL AND g.status NOT IN ('expired', 'voided')) OR (g.status = 'voided' AND g.ended_at IS NULL)
   OR (g.status = 'expired' AND least(g.expires_at, g.ended_at) > g.posted_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'grant ' || g.grant_id, NULL, NULL
FROM credits_internal.accounts a
JOIN credits_internal.credit_grants g ON g.customer_id = a.customer_id AND g.currency = a.currency
WHERE (g.status IN ('granted', 'suspended') AND g.expires_at < a.next_change_at)
   OR (g.status = 'pending' AND g.effective_at < a.next_change_at)
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits_internal.accounts a
JOIN credits_internal.holds h ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE h.status = 'open' AND h.expires_at < a.next_change_at
UNION ALL
SELECT 'alert: another number of levels is reached', b.customer_id, b.currency, b.kind, x.reached, b.reached
FROM credits_internal.balance_alerts b
JOIN credits_internal.accounts a ON a.customer_id = b.customer_id AND a.currency = b.currency
LEFT JOIN credits_internal.history_imports i ON i.customer_id = a.customer_id AND i.currency = a.currency
CROSS JOIN LATERAL (
    SELECT count(*) AS reached FROM unnest(b.levels) AS level
    WHERE CASE b.kind WHEN 'percent' THEN a.available * 100 <= level * b.full_balance AND b.full_balance > 0
                      ELSE a.available <= level END) x
-- History is not evaluated until all of it is there.
WHERE b.reached <> x.reached AND (NOT i.finished AND i.posted_at = a.posted_at) IS NOT TRUE
UNION ALL
SELECT 'account: something changes before next_change_at', a.customer_id, a.currency, 'auto-recharge', NULL, NULL
FROM credits_internal.accounts a
JOIN credits_internal.auto_recharges r ON r.customer_id = a.customer_id AND r.currency = a.currency
WHERE r.due_at < a.next_change_at
UNION ALL
SELECT 'line: no such grant', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE (l.grant_id IS NOT NULL OR l.type NOT IN ('debt', 'reversal', 'refund') OR (l.type = 'refund' AND l.amount <> 0))
  AND NOT EXISTS (SELECT FROM credits_internal.credit_grants g
                  WHERE g.customer_id = l.customer_id AND g.grant_id = l.grant_id AND g.currency = l.currency)
UNION ALL
-- 3. What is owed is what the events say, and what was taken back of purchases.
SELECT 'account: pending is not what its events owe', a.customer_id, a.currency, NULL, coalesce(e.pending, 0), a.pending
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(pending) AS pending
           FROM (SELECT customer_id, currency, pending FROM credits_internal.meter_events WHERE pending > 0
                 UNION ALL SELECT customer_id, currency, pending FROM credits_internal.reclaims WHERE pending > 0) o
           GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.pending <> coalesce(e.pending, 0)
UNION ALL
SELECT 'account: invoiced is not what invoices hold that are not paid', a.customer_id, a.currency, NULL,
       coalesce(o.credits, 0), coalesce(a.invoiced, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT o.customer_id, o.currency, sum(o.credits) AS credits FROM credits_internal.invoiced_credits o
           WHERE o.status = 'invoiced' GROUP BY 1, 2) o
       ON o.customer_id = a.customer_id AND o.currency = a.currency
WHERE coalesce(a.invoiced, 0) <> coalesce(o.credits, 0) OR a.invoiced = 0
UNION ALL
SELECT 'account: owes while a grant could pay', e.customer_id, e.currency, 'event ' || e.identifier, 0, e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0 AND EXISTS (
    SELECT FROM credits_internal.true_grants g
    WHERE g.customer_id = e.customer_id AND g.currency = e.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR e.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'account: held or pending is not the sum of its lines', a.customer_id, a.currency, NULL,
       coalesce(l.held, 0) + coalesce(l.pending, 0), a.held + a.pending
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(held) AS held, sum(pending) AS pending FROM credits_internal.lines
           WHERE held IS NOT NULL OR pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = a.customer_id AND l.currency = a.currency
WHERE a.held <> coalesce(l.held, 0) OR a.pending <> coalesce(l.pending, 0);
CREATE OR REPLACE VIEW credits_internal.hold_lines AS
SELECT l.customer_id, coalesce(c.hold_id, l.operation_id) AS hold_id, c.capture_id, l.type, l.grant_id, l.held,
       l.type = 'hold' OR c.capture_id IS NOT NULL AND NOT c.final AS while_open
FROM credits_internal.lines l
LEFT JOIN credits_internal.hold_captures c ON c.customer_id = l.customer_id AND c.capture_id = l.operation_id
WHERE l.type IN ('hold', 'capture', 'release');
CREATE OR REPLACE VIEW credits_internal.line_discrepancies (problem, customer_id, currency, subject, expected, found) AS
-- What is held is what the open holds say, and what a hold says is what its lines moved.
SELECT 'account: held is not what its holds hold', a.customer_id, a.currency, NULL, coalesce(h.held, 0), a.held
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, sum(amount - captured) AS held FROM credits_internal.holds
           WHERE status = 'open' GROUP BY 1, 2) h
       ON h.customer_id = a.customer_id AND h.currency = a.currency
WHERE a.held <> coalesce(h.held, 0)
UNION ALL
SELECT 'hold: held in no account', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL, h.amount
FROM credits_internal.holds h
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = h.customer_id
    AND a.currency = h.currency)
UNION ALL
SELECT 'hold: its grants'' parts are not what it has', h.customer_id, h.currency, 'hold ' || h.hold_id,
       h.amount - coalesce(c.held, 0), p.parts
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, hold_id, sum(held) AS held FROM credits_internal.hold_captures WHERE NOT final
           GROUP BY 1, 2) c ON c.customer_id = h.customer_id AND c.hold_id = h.hold_id
CROSS JOIN LATERAL (SELECT coalesce(sum(part), 0) AS parts FROM unnest(h.grant_amounts) AS part) p
WHERE h.amount - coalesce(c.held, 0) <> p.parts
UNION ALL
-- Those of a closed hold are what it had before; if it was updated, what went back before is not told apart.
SELECT 'hold: its parts are not what its lines took', h.customer_id, h.currency, 'hold ' || h.hold_id, l.held, p.amount
FROM credits_internal.holds h
JOIN (SELECT customer_id, hold_id, grant_id, sum(held) AS held, sum(held) FILTER (WHERE while_open) AS held_before
      FROM credits_internal.hold_lines GROUP BY 1, 2, 3) l ON l.customer_id = h.customer_id AND l.hold_id = h.hold_id
CROSS JOIN LATERAL (SELECT coalesce(sum(p.amount), 0) AS amount
                    FROM unnest(h.grant_ids, h.grant_amounts) AS p (grant_id, amount)
                    WHERE p.grant_id = l.grant_id) p
WHERE CASE WHEN h.status = 'open' THEN p.amount <> l.held
           WHEN h.updated_at IS NULL THEN p.amount IS DISTINCT FROM l.held_before END
UNION ALL
SELECT 'hold: what is held, captured or given back is not what its lines say', h.customer_id, h.currency,
       'hold ' || h.hold_id, CASE h.status WHEN 'open' THEN h.amount - h.captured ELSE h.captured END,
       CASE h.status WHEN 'open' THEN l.held ELSE l.captured END
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, hold_id, sum(held) AS held,
                  -coalesce(sum(held) FILTER (WHERE type = 'capture'), 0) AS captured
           FROM credits_internal.hold_lines GROUP BY 1, 2) l
       ON l.customer_id = h.customer_id AND l.hold_id = h.hold_id
WHERE (l.held, l.captured)
      IS DISTINCT FROM (CASE h.status WHEN 'open' THEN h.amount - h.captured ELSE 0 END, h.captured)
   OR (h.status = 'captured' AND h.captured + h.charged = 0)
UNION ALL
SELECT 'hold: what it captured is not what its captures say', h.customer_id, h.currency, 'hold ' || h.hold_id,
       coalesce(c.held, 0) + coalesce(c.charged, 0), h.captured + h.charged
FROM credits_internal.holds h
LEFT JOIN (SELECT customer_id, hold_id, sum(held) AS held, sum(amount - held) AS charged, bool_or(final) AS ended
           FROM credits_internal.hold_captures GROUP BY 1, 2) c
       ON c.customer_id = h.customer_id AND c.hold_id = h.hold_id
-- The last capture need not have a record.
WHERE h.charged <> coalesce(c.charged, 0)
   OR CASE WHEN h.status = 'captured' AND c.ended IS NOT TRUE THEN h.captured <= coalesce(c.held, 0)
           ELSE h.captured <> coalesce(c.held, 0) END
UNION ALL
SELECT 'capture: its operation or its lines do not say the same', c.customer_id, o.currency,
       'operation ' || c.capture_id, c.amount, coalesce(l.held, 0) + coalesce(l.charged, 0)
FROM credits_internal.hold_captures c
LEFT JOIN credits_internal.holds h ON h.customer_id = c.customer_id AND h.hold_id = c.hold_id
LEFT JOIN credits_internal.operations o
       ON o.customer_id = c.customer_id AND o.operation_id = c.capture_id AND o.line_no IS NULL
LEFT JOIN credits_internal.meter_events e ON e.customer_id = c.customer_id AND e.identifier = c.identifier
LEFT JOIN (SELECT customer_id, operation_id, -sum(held) AS held, sum(coalesce(pending, 0) - amount) AS charged
           FROM credits_internal.lines WHERE type IN ('capture', 'debit', 'debt') AND operation_id IS NOT NULL
           GROUP BY 1, 2) l
       ON l.customer_id = c.customer_id AND l.operation_id = c.capture_id
WHERE (o.function, o.amount, o.currency) IS DISTINCT FROM ('hold_capture', c.amount, h.currency)
   OR coalesce(l.held, 0) <> c.held OR (c.late AND c.held <> 0)
   OR c.late IS DISTINCT FROM (h.status = 'expired' AND c.created_at >= h.closed_at)
   OR CASE WHEN c.identifier IS NULL THEN coalesce(l.charged, 0) <> c.amount - c.held
           ELSE coalesce(l.charged, 0) <> 0 OR e.currency IS DISTINCT FROM h.currency END
UNION ALL
SELECT 'reclaim: of no grant, and nothing that left it owed', r.customer_id, r.currency,
       'operation ' || r.operation_id, NULL, r.credits
FROM credits_internal.reclaims r
LEFT JOIN credits_internal.history_imports i ON i.customer_id = r.customer_id AND i.currency = r.currency
WHERE r.grant_id IS NULL
  -- An opening balance, and what was imported.
  AND NOT EXISTS (SELECT FROM credits_internal.operations o
                  WHERE o.customer_id = r.customer_id AND o.operation_id = r.operation_id AND o.line_no IS NULL
                    AND o.currency = r.currency
                    AND CASE o.function WHEN 'wallet_adjust' THEN -o.amount WHEN 'wallet_debit' THEN o.amount END
                        >= r.credits
                    AND (o.reason = 'opening_balance' OR i.customer_id IS NOT NULL))
  -- What was on an invoice that is void.
  AND NOT EXISTS (SELECT FROM credits_internal.operations o
                  JOIN credits_internal.invoiced_credits d ON d.customer_id = o.customer_id AND d.grant_id = o.grant_id
                  WHERE o.customer_id = r.customer_id AND o.operation_id = r.operation_id
                    AND o.function = 'invoice_void' AND d.status = 'returned'
                    AND (d.currency, d.credits, o.amount) = (r.currency, r.credits, r.credits))
  AND NOT EXISTS (SELECT FROM credits_internal.hold_captures c
                  WHERE c.customer_id = r.customer_id AND c.capture_id = r.operation_id AND c.identifier IS NULL
                    AND c.amount - c.held >= r.credits)
UNION ALL
SELECT 'operation: its capture is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'hold_capture'
  AND NOT EXISTS (SELECT FROM credits_internal.hold_captures c
                  WHERE c.customer_id = o.customer_id AND c.capture_id = o.operation_id)
UNION ALL
SELECT 'hold: status ' || h.status || ' does not fit its times', h.customer_id, h.currency, 'hold ' || h.hold_id, NULL,
       h.amount
FROM credits_internal.holds h
JOIN credits_internal.accounts a ON a.customer_id = h.customer_id AND a.currency = h.currency
WHERE (h.status = 'open' AND h.expires_at <= a.posted_at)
   OR CASE h.status WHEN 'expired' THEN h.closed_at <> h.expires_at ELSE h.closed_at >= h.expires_at END
UNION ALL
SELECT 'hold: what a grant gave did not come back to it, or was not spent', h.customer_id, h.currency,
       'hold ' || h.hold_id, 0, l.held
FROM credits_internal.holds h
JOIN (SELECT customer_id, hold_id, grant_id, sum(held) AS held FROM credits_internal.hold_lines GROUP BY 1, 2, 3) l
       ON l.customer_id = h.customer_id AND l.hold_id = h.hold_id
WHERE h.status <> 'open' AND l.held <> 0
UNION ALL
SELECT 'operation: its hold is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'hold_create'
  AND NOT EXISTS (SELECT FROM credits_internal.holds h WHERE h.customer_id = o.customer_id
      AND h.hold_id = o.operation_id)
UNION ALL
SELECT 'hold: its operation does not say the same', h.customer_id, h.currency, 'hold ' || h.hold_id, o.amount, h.amount
FROM credits_internal.holds h
LEFT JOIN credits_internal.operations o
       ON o.customer_id = h.customer_id AND o.operation_id = h.hold_id AND o.line_no IS NULL
WHERE (o.function, o.currency) IS DISTINCT FROM ('hold_create', h.currency)
   OR (h.updated_at IS NULL AND o.amount <> h.amount)
UNION ALL
SELECT 'account: the places in the order of payment are not each for one debt, up to last_debt', a.customer_id,
       a.currency, NULL,
       a.last_debt, coalesce(e.last, 0)
FROM credits_internal.accounts a
LEFT JOIN (SELECT customer_id, currency, count(DISTINCT debt_no) AS debts, count(*) AS events, max(debt_no) AS last
           FROM (SELECT customer_id, currency, debt_no FROM credits_internal.event_debts
                 UNION ALL SELECT customer_id, currency, debt_no FROM credits_internal.reclaims) o
           WHERE debt_no IS NOT NULL GROUP BY 1, 2) e
       ON e.customer_id = a.customer_id AND e.currency = a.currency
WHERE a.last_debt < coalesce(e.last, 0) OR e.debts <> e.events
UNION ALL
SELECT 'operation: amount is not what its lines moved', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, coalesce(l.total, 0)
FROM credits_internal.operations o
-- What it owes it moved too; what paid that later moved nothing more.
LEFT JOIN (SELECT customer_id, operation_id, sum(amount - coalesce(pending, 0)) AS total FROM credits_internal.lines
           WHERE operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = o.customer_id AND l.operation_id = o.operation_id
WHERE CASE o.function WHEN 'wallet_debit' THEN coalesce(l.total, 0) <> -o.amount
                      -- What came from outside has no lines: the rules of invoices tell them apart.
                      WHEN 'invoice_pay' THEN coalesce(l.total, 0) NOT IN (-o.amount, 0)
                      WHEN 'wallet_adjust' THEN coalesce(l.total, 0) <> o.amount
                      WHEN 'invoice_void' THEN coalesce(l.total, 0) <> -o.amount
                      WHEN 'operation_reverse' THEN coalesce(l.total, 0) <> o.amount
                      WHEN 'wallet_transfer' THEN abs(coalesce(l.total, 0)) <> o.amount
                      WHEN 'credit_grant_expire' THEN coalesce(l.total, 0) <> -o.amount
                      -- What is owed for a mistake is in its own rules.
                      WHEN 'credit_grant_void' THEN o.reason IS NULL AND coalesce(l.total, 0) <> -o.amount END
UNION ALL
-- A transfer's lines are always among those of credit_transactions.
SELECT 'transfer: its other side does not say the same', o.customer_id, o.currency, 'operation ' || o.operation_id,
       o.amount, p.amount
FROM credits_internal.operations o
LEFT JOIN credits_internal.operations p
       ON p.customer_id = o.counterparty AND p.operation_id = o.operation_id AND p.line_no IS NULL
CROSS JOIN LATERAL (SELECT sum(l.amount) AS total FROM credits_internal.credit_transactions l
                    WHERE l.customer_id IN (o.customer_id, o.counterparty) AND l.currency = o.currency
                      AND l.operation_id = o.operation_id) l
WHERE o.function = 'wallet_transfer'
  AND ((p.amount, p.currency, p.counterparty) IS DISTINCT FROM (o.amount, o.currency, o.customer_id) OR l.total <> 0)
UNION ALL
SELECT 'operation: its grant is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount,
       g.amount
FROM credits_internal.operations o
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
WHERE (o.function IN ('credit_grant', 'wallet_credit') OR (o.function = 'wallet_adjust' AND o.amount > 0))
  AND g.amount IS DISTINCT FROM o.amount
UNION ALL
SELECT 'line: it names what its type does not, or what is not known', l.customer_id, l.currency, 'line ' || l.line_no,
       NULL, l.amount
FROM credits_internal.lines l
LEFT JOIN credits_internal.event_fallbacks f
       ON f.customer_id = l.customer_id AND f.identifier = l.identifier AND f.currency = l.currency
LEFT JOIN credits_internal.meter_events e
       ON e.customer_id = l.customer_id AND e.identifier = l.identifier
      AND l.currency IN (e.currency, f.currency)
LEFT JOIN credits_internal.operations o
       ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id AND o.currency = l.currency
LEFT JOIN credits_internal.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
LEFT JOIN credits_internal.reversals b ON b.customer_id = l.customer_id AND b.operation_id = l.operation_id
LEFT JOIN credits_internal.hold_captures h ON h.customer_id = l.customer_id AND h.capture_id = l.operation_id
CROSS JOIN LATERAL (SELECT coalesce(r.operation_id, b.operation_id) AS operation_id) c
-- The lines of a capture that is an event name both.
CROSS JOIN LATERAL (SELECT l.type IN ('consumption', 'debt', 'reversal') AND c.operation_id IS NULL
                               OR l.type = 'capture' AND h.identifier IS NOT NULL AS of_usage,
                           l.type NOT IN ('consumption', 'debt', 'reversal', 'grant', 'expiration', 'void',
                                          'suspension', 'resumption', 'reinstatement', 'rollover')
                               OR c.operation_id IS NOT NULL
                               -- Part of a grant that was ended by hand.
                               OR (l.type IN ('expiration', 'void') AND l.operation_id IS NOT NULL) AS of_operation) x
WHERE (l.identifier IS NOT NULL) <> x.of_usage OR (e.identifier IS NOT NULL) <> x.of_usage
   OR l.identifier <> h.identifier
   OR (l.operation_id IS NOT NULL) <> x.of_operation OR (o.operation_id IS NOT NULL) <> x.of_operation
   OR (l.grant_id IS NULL) <> (l.type = 'debt' OR (l.type IN ('reversal', 'refund') AND l.amount = 0))
UNION ALL
SELECT 'line: its type is not what its operation does', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.operations o ON o.customer_id = l.customer_id AND o.operation_id = l.operation_id
LEFT JOIN credits_internal.reclaims w ON w.customer_id = l.customer_id AND w.operation_id = l.operation_id
WHERE CASE WHEN o.function IN ('wallet_debit', 'wallet_adjust') AND w.operation_id IS NOT NULL
                AND l.type IN ('debt', 'consumption') THEN l.pending IS NOT NULL
      ELSE CASE o.function
      WHEN 'wallet_debit' THEN l.type = 'debit'
      WHEN 'invoice_pay' THEN l.type = 'debit'
      WHEN 'hold_create' THEN l.type IN ('hold', 'capture', 'release')
      WHEN 'hold_capture' THEN l.type IN ('capture', 'debit', 'debt', 'consumption')
      WHEN 'wallet_transfer' THEN l.type = 'transfer'
      WHEN 'wallet_adjust' THEN l.type = CASE WHEN l.amount > 0 THEN 'adjustment' WHEN o.reason = 'refund' THEN 'refund'
                                              WHEN o.reason = 'charge' THEN 'debit' ELSE 'adjustment' END
      WHEN 'operation_reverse' THEN l.type = 'reversal'
      WHEN 'invoice_void' THEN l.type IN ('refund', 'consumption')
      WHEN 'credit_grant_void' THEN l.type IN ('void', 'refund', 'consumption')
      WHEN 'credit_grant_expire' THEN l.type = 'expiration'
      WHEN 'payment_refunded' THEN l.type IN ('refund', 'consumption', 'reversal')
      WHEN 'payment_disputed' THEN l.type IN ('refund', 'consumption', 'reversal')
      END END IS NOT TRUE
UNION ALL
SELECT 'line: its amounts are not those of its type', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
WHERE CASE l.type
      WHEN 'grant' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'consumption' THEN l.amount < 0 AND l.held IS NULL AND coalesce(l.pending = l.amount, true)
      WHEN 'debit' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'debt' THEN l.amount = 0 AND l.held IS NULL AND l.pending > 0
      WHEN 'reversal' THEN l.held IS NULL AND CASE l.amount WHEN 0 THEN l.pending < 0
                                                            ELSE l.amount > 0 AND l.pending IS NULL END
      WHEN 'hold' THEN l.amount < 0 AND l.held = -l.amount AND l.pending IS NULL
      WHEN 'capture' THEN l.amount = 0 AND l.held < 0 AND l.pending IS NULL
      WHEN 'release' THEN l.amount > 0 AND l.held = -l.amount AND l.pending IS NULL
      WHEN 'expiration' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'void' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'suspension' THEN l.amount < 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'resumption' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'reinstatement' THEN l.amount > 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'rollover' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'transfer' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'adjustment' THEN l.amount <> 0 AND l.held IS NULL AND l.pending IS NULL
      WHEN 'refund' THEN l.held IS NULL AND (l.amount = 0) = (l.pending IS NOT NULL)
      END IS NOT TRUE
UNION ALL
SELECT 'line: the grant may not pay for this', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
LEFT JOIN credits_internal.reclaims r ON r.customer_id = l.customer_id AND r.operation_id = l.operation_id
LEFT JOIN credits_internal.holds h ON h.customer_id = l.customer_id AND h.hold_id = l.operation_id
WHERE l.type NOT IN ('grant', 'adjustment', 'expiration', 'void', 'suspension', 'resumption', 'reinstatement',
                     'rollover')
  AND g.applicable_meters IS NOT NULL
  AND (coalesce(e.event_name, r.event_name, h.event_name) = ANY (g.applicable_meters)) IS NOT TRUE
UNION ALL
-- Times: a line is within its grant's life, and no line is earlier than the one before it.
SELECT 'line: outside of its grant''s life', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM credits_internal.lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
-- What lapsed before its grant was extended, lapsed at an end that the grant no longer has.
LEFT JOIN (SELECT t.customer_id, t.grant_id, max(t.line_no) AS line_no FROM credits_internal.credit_transactions t
           WHERE t.type = 'reinstatement' GROUP BY 1, 2) b
       ON b.customer_id = l.customer_id AND b.grant_id = l.grant_id
CROSS JOIN LATERAL (SELECT least(g.expires_at, g.ended_at) AS ended_at,
                           EXISTS (SELECT FROM credits_internal.lines r
                                   WHERE r.customer_id = l.customer_id AND r.currency = l.currency
                                     AND r.line_no = l.line_no - 1 AND r.type IN ('release', 'reversal', 'refund')
                                     AND r.grant_id = l.grant_id)
                               AS came_back,
                           -- What was a mistake, or was paid back, does not come back when its grant is extended.
                           EXISTS (SELECT FROM credits_internal.reclaims r
                                   WHERE r.customer_id = l.customer_id AND r.grant_id = l.grant_id
                                     AND r.undone_at IS NULL AND r.credits > r.consumed + r.pending)
                               AS taken_back) x
WHERE l.effective_at < g.effective_at
   OR CASE WHEN l.type IN ('capture', 'release', 'reversal') OR (l.type = 'refund' AND l.amount > 0) THEN false
           WHEN l.type IN ('suspension', 'resumption') THEN l.effective_at > x.ended_at
           -- As its time ran out, which the rules of rollovers look at.
           WHEN l.type = 'rollover' THEN false
           -- Part of a grant, ended by hand.
           WHEN l.type IN ('void', 'expiration') AND l.operation_id IS NOT NULL
           THEN l.effective_at >= g.expires_at OR l.effective_at > g.ended_at
           WHEN l.type = 'expiration' AND l.effective_at < g.expires_at AND (l.line_no < b.line_no OR x.taken_back)
           THEN false
           WHEN l.type = 'void' THEN g.status <> 'voided' OR l.effective_at < x.ended_at
                                     OR (l.effective_at > x.ended_at AND NOT x.came_back)
           WHEN l.type = 'expiration' THEN g.status <> 'expired' OR l.effective_at < x.ended_at
                                           OR (l.effective_at > x.ended_at AND NOT x.came_back)
           ELSE (l.effective_at >= g.expires_at OR l.effective_at > g.ended_at)
                -- What lapsed paid late usage: it came back for that.
                AND NOT EXISTS (SELECT FROM credits_internal.lines r
                                WHERE r.customer_id = l.customer_id AND r.currency = l.currency
                                  AND r.line_no = CASE l.type WHEN 'reinstatement' THEN l.line_no + 1
                                                              WHEN 'consumption' THEN l.line_no - 1 END
                                  AND r.type = CASE l.type WHEN 'reinstatement' THEN 'consumption'
                                                           ELSE 'reinstatement' END
                                  AND r.grant_id = l.grant_id AND r.amount = -l.amount) END
UNION ALL
SELECT 'line: time goes back', l.customer_id, l.currency, 'line ' || l.line_no, NULL, l.amount
FROM (SELECT t.*, lag(t.effective_at) OVER account AS effective_before, lag(t.created_at) OVER account AS created_before
      FROM credits_internal.lines t
      WINDOW account AS (PARTITION BY t.customer_id, t.currency ORDER BY t.line_no)) l
JOIN credits_internal.accounts a ON a.customer_id = l.customer_id AND a.currency = l.currency
LEFT JOIN credits_internal.history_imports i ON i.customer_id = a.customer_id AND i.currency = a.currency
WHERE l.effective_at < l.effective_before OR l.created_at < l.created_before OR l.effective_at > l.created_at
   -- An account in the middle of its history was posted to as of then.
   OR l.created_at > a.posted_at AND (NOT i.finished AND i.posted_at = a.posted_at) IS NOT TRUE;
CREATE OR REPLACE VIEW credits_internal.usage_discrepancies AS
SELECT 'event: something is below zero' AS problem, e.customer_id, e.currency, 'event ' || e.identifier AS subject,
       0 AS expected, least(e.value, e.consumed, e.pending) AS found
FROM credits_internal.meter_events e
WHERE least(e.value, e.pending) < 0 OR (e.consumed < 0 AND e.period_key IS NULL)
UNION ALL
SELECT 'event: owes in no account', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0
  AND NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = e.customer_id
      AND a.currency = e.currency)
UNION ALL
SELECT 'event: no such meter', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.value
FROM credits_internal.meter_events e
WHERE NOT EXISTS (SELECT FROM credits_internal.meters m WHERE m.event_name = e.event_name AND m.currency = e.currency)
UNION ALL
SELECT 'event: no such price', e.customer_id, e.currency, 'event ' || e.identifier, NULL, e.price_version
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = e.customer_id AND o.event_name = e.event_name
                                            AND o.override_no = e.price_version / 65536
-- 0: it was imported with what it was charged elsewhere.
WHERE e.price_version <> 0
  AND CASE WHEN e.price_version < 65536 THEN p.version IS NULL
           -- A discount is one of a price, any other override takes its place.
           ELSE (o.discount_percent IS NOT NULL) IS DISTINCT FROM (p.version IS NOT NULL)
                OR o.override_no IS NULL OR (e.price_version % 65536 > 0 AND p.version IS NULL) END
UNION ALL
SELECT 'event: its price was not in force yet when it occurred', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL, e.price_version
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = e.customer_id AND o.event_name = e.event_name
                                            AND o.override_no = e.price_version / 65536
WHERE (p.version > 1 AND e.occurred_at < p.effective_at) OR e.occurred_at < o.effective_at
UNION ALL
SELECT 'event: owes and has no place in the order of payment', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL,
       e.pending
FROM credits_internal.meter_events e
WHERE e.pending > 0 AND NOT EXISTS (SELECT FROM credits_internal.event_debts d
                                    WHERE d.customer_id = e.customer_id AND d.identifier = e.identifier)
UNION ALL
SELECT 'event: has a place in the order of payment and owes nothing', d.customer_id, d.currency,
       'event ' || d.identifier, NULL,
       e.pending
FROM credits_internal.event_debts d
LEFT JOIN credits_internal.meter_events e ON e.customer_id = d.customer_id AND e.identifier = d.identifier
WHERE (e.pending > 0 AND e.currency = d.currency) IS NOT TRUE
UNION ALL
-- What an event was charged is what its lines took; nothing yet while it is unsettled.
SELECT 'event: consumed is not what its lines took', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.total, 0), e.consumed - coalesce(x.returned, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
                                   AND e.period_key IS NULL
LEFT JOIN (SELECT customer_id, identifier, currency, -sum(amount + coalesce(held, 0)) AS total
           FROM credits_internal.lines WHERE identifier IS NOT NULL GROUP BY 1, 2, 3) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier AND l.currency = e.currency
WHERE e.consumed - coalesce(x.returned, 0) <> coalesce(l.total, 0)
  AND NOT (l.total IS NULL AND EXISTS (
      SELECT FROM credits_internal.unsettled_events u
      WHERE u.customer_id = e.customer_id AND u.currency = e.currency AND u.created_at = e.created_at
        AND u.identifier = e.identifier))
UNION ALL
SELECT 'event: pending is not what its lines say', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.total, 0), e.pending
FROM credits_internal.meter_events e
LEFT JOIN (SELECT customer_id, identifier, sum(pending) AS total FROM credits_internal.lines
           WHERE identifier IS NOT NULL AND pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier
WHERE e.pending <> coalesce(l.total, 0)
UNION ALL
-- Where the lines of an event begin, a cancellation finds by time.
SELECT 'event: charged before it was reported', e.customer_id, e.currency, 'event ' || e.identifier, NULL, l.line_no
FROM credits_internal.lines l
JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
WHERE l.effective_at < e.created_at
UNION ALL
SELECT 'event: taken back and still charged', e.customer_id, e.currency, 'event ' || e.identifier, 0,
       e.consumed - x.returned + e.pending
FROM credits_internal.canceled_events x
JOIN credits_internal.meter_events e ON e.customer_id = x.customer_id AND e.identifier = x.identifier
WHERE e.period_key IS NULL AND (e.consumed <> x.returned OR e.pending <> 0)
UNION ALL
SELECT 'event: what came back is not what its lines say', e.customer_id, e.currency, 'event ' || e.identifier,
       coalesce(l.returned, 0), coalesce(x.returned, 0) + coalesce(a.returned, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN (SELECT customer_id, identifier, sum(returned) AS returned FROM credits_internal.event_adjustments
           GROUP BY 1, 2) a
       ON a.customer_id = e.customer_id AND a.identifier = e.identifier
LEFT JOIN (SELECT customer_id, identifier, currency, sum(amount) AS returned FROM credits_internal.lines
           WHERE type = 'reversal' GROUP BY 1, 2, 3) l
       ON l.customer_id = e.customer_id AND l.identifier = e.identifier AND l.currency = e.currency
WHERE CASE WHEN e.period_key IS NULL THEN coalesce(x.returned, 0) + coalesce(a.returned, 0) <> coalesce(l.returned, 0)
           ELSE x.returned < 0 END
UNION ALL
SELECT 'cancellation: no such event', x.customer_id, NULL, 'event ' || x.identifier, NULL, x.returned
FROM credits_internal.canceled_events x
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_events e WHERE e.customer_id = x.customer_id
    AND e.identifier = x.identifier)
UNION ALL
-- An event that is priced by itself costs what its price says: by a unit price worked out here, by any other asked for.
SELECT 'event: credits are not its price', e.customer_id, e.currency, 'event ' || e.identifier, x.price,
       e.consumed + e.pending + coalesce(f.covered, 0)
FROM credits_internal.meter_events e
LEFT JOIN credits_internal.event_fallbacks f ON f.customer_id = e.customer_id AND f.identifier = e.identifier
JOIN credits_internal.meters m ON m.event_name = e.event_name
JOIN credits_internal.currencies c ON c.currency = m.currency
LEFT JOIN credits_internal.meter_prices p ON p.event_name = e.event_name AND p.version = e.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = e.customer_id AND o.event_name = e.event_name
                                            AND o.override_no = e.price_version / 65536
CROSS JOIN LATERAL (SELECT CASE m.aggregation WHEN 'count' THEN 1 ELSE e.value END AS quantity) q
CROSS JOIN LATERAL (
    SELECT CASE WHEN coalesce(p.pricing, o.pricing) IS NULL
                THEN trim_scale(round(q.quantity * coalesce(p.unit_price, o.unit_price)
                                      * (100 - coalesce(o.discount_percent, 0)) * 0.01, c.decimals))
                WHEN coalesce(p.version, o.override_no) IS NOT NULL
                THEN credits.usage_price(m.event_name, q.quantity, e.metadata, p.version, NULL,
                                         e.customer_id, NULL, o.override_no) END AS price) x
WHERE e.period_key IS NULL AND e.consumed + e.pending + coalesce(f.covered, 0) <> x.price
  AND NOT EXISTS (SELECT FROM credits_internal.canceled_events b
                  WHERE b.customer_id = e.customer_id AND b.identifier = e.identifier)
UNION ALL
-- What a second currency paid: at its rate, in that currency's lines, and back if the event was taken back.
SELECT 'fallback: it is for no event, or not at its rate', f.customer_id, f.currency, 'event ' || f.identifier,
       round(f.covered * f.rate, c.decimals), f.amount
FROM credits_internal.event_fallbacks f
LEFT JOIN credits_internal.currencies c ON c.currency = f.currency
LEFT JOIN credits_internal.meter_events e ON e.customer_id = f.customer_id AND e.identifier = f.identifier
WHERE (f.covered > 0 AND f.amount = round(f.covered * f.rate, c.decimals) AND e.currency <> f.currency
       AND e.period_key IS NULL) IS NOT TRUE
UNION ALL
SELECT 'fallback: what it paid is not what its lines took', f.customer_id, f.currency, 'event ' || f.identifier,
       CASE WHEN x.identifier IS NULL THEN f.amount ELSE 0 END, coalesce(l.total, 0)
FROM credits_internal.event_fallbacks f
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = f.customer_id AND x.identifier = f.identifier
LEFT JOIN (SELECT customer_id, identifier, currency, -sum(amount) AS total FROM credits_internal.lines
           WHERE identifier IS NOT NULL GROUP BY 1, 2, 3) l
       ON l.customer_id = f.customer_id AND l.identifier = f.identifier AND l.currency = f.currency
WHERE coalesce(l.total, 0) <> CASE WHEN x.identifier IS NULL THEN f.amount ELSE 0 END
UNION ALL
-- On the calendar in UTC an event's period is worked out here. Other calendars may have changed since it was reported,
-- as may the rules of time zones: its period is one that it is in. Where midnight comes twice, the second begins it.
SELECT 'event: it is in no period, or in one that is not its own', e.customer_id, e.currency, 'event ' || e.identifier,
       NULL, e.value
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name
LEFT JOIN credits_internal.usage_periods u ON u.customer_id = e.customer_id AND u.event_name = e.event_name
                                 AND u.period_key = e.period_key
WHERE CASE WHEN e.period_key IS NULL THEN m.aggregation IN ('last', 'max', 'unique') AND e.price_version <> 0
           ELSE (CASE WHEN u.period_end IS NULL
                      THEN u.period_start = coalesce(date_trunc(m.period, e.occurred_at, 'UTC'), '-infinity')
                           AND m.time_zone IS NULL AND m.period_from = 'meter'
                      ELSE e.occurred_at >= u.period_start
                                            - CASE WHEN m.time_zone IS NULL AND m.period_from = 'billing_date'
                                                   THEN interval '0' ELSE interval '1 day' END
                           AND e.occurred_at < u.period_end AND u.period_end > u.period_start
                           AND u.period_end < u.period_start + ('1 ' || m.period)::interval + interval '5 days'
                           AND (m.time_zone IS NOT NULL OR m.period_from <> 'meter') END
                 AND split_part(e.period_key, ' ', 1)
                     = CASE WHEN m.period IS NULL THEN 'always'
                            WHEN u.period_start <> date_trunc(m.period, u.period_start, 'UTC')
                            THEN rtrim(rtrim(to_char(u.period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                                             '0'), '.') || 'Z'
                            ELSE to_char(u.period_start AT TIME ZONE 'UTC',
                                         CASE m.period WHEN 'day' THEN 'YYYY-MM-DD' WHEN 'week' THEN 'IYYY-"W"IW'
                                                       WHEN 'year' THEN 'YYYY' ELSE 'YYYY-MM' END) END
                 AND split_part(e.period_key, ' ', 2)
                     = CASE WHEN m.aggregation IN ('last', 'max') THEN ''
                            -- Events of one value are where the first of them is.
                            WHEN m.aggregation = 'unique'
                            THEN concat('v' || nullif(u.price_version % 65536, 0),
                                        'o' || nullif(u.price_version / 65536, 0))
                            ELSE concat('v' || nullif(e.price_version % 65536, 0),
                                        'o' || nullif(e.price_version / 65536, 0))
                       END) IS NOT TRUE END
UNION ALL
-- Deferred events that wait.
SELECT 'unsettled: its event says something else', u.customer_id, u.currency, 'event ' || u.identifier, e.consumed,
       u.cost
FROM credits_internal.unsettled_events u
LEFT JOIN credits_internal.meter_events e ON e.customer_id = u.customer_id AND e.identifier = u.identifier
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = u.customer_id AND x.identifier = u.identifier
WHERE (e.currency, e.event_name, e.created_at, e.consumed, e.pending, x.identifier IS NULL)
      IS DISTINCT FROM (u.currency, u.event_name, u.created_at, u.cost, 0, true)
UNION ALL
SELECT 'unsettled: no such account, or one that does not know of it', u.customer_id, u.currency,
       'event ' || u.identifier,
       NULL, u.cost
FROM credits_internal.unsettled_events u
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a
                  WHERE a.customer_id = u.customer_id AND a.currency = u.currency AND a.defers)
UNION ALL
-- Usage that is priced as one costs the price of what its events add up to, and its events were charged as much.
SELECT 'period: credits are not what its events consumed and owe', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, coalesce(e.credits, 0), u.credits
FROM credits_internal.usage_periods u
LEFT JOIN (SELECT customer_id, event_name, period_key, sum(consumed + pending) AS credits
           FROM credits_internal.meter_events WHERE period_key IS NOT NULL GROUP BY 1, 2, 3) e
       ON e.customer_id = u.customer_id AND e.event_name = u.event_name AND e.period_key = u.period_key
WHERE u.credits <> coalesce(e.credits, 0)
UNION ALL
SELECT 'period: credits are not the price of its quantity', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, x.price, u.credits
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name
JOIN credits_internal.currencies c ON c.currency = m.currency
LEFT JOIN credits_internal.meter_prices p ON p.event_name = u.event_name AND p.version = u.price_version % 65536
LEFT JOIN credits_internal.price_overrides o ON o.customer_id = u.customer_id AND o.event_name = u.event_name
                                            AND o.override_no = u.price_version / 65536
CROSS JOIN LATERAL (
    SELECT CASE WHEN coalesce(p.version, o.override_no) IS NOT NULL
                THEN credits.usage_price(m.event_name, u.carried + u.quantity, NULL, p.version, u.price_class,
                                         u.customer_id, NULL, o.override_no)
                     - CASE WHEN u.carried = 0 THEN 0
                            ELSE credits.usage_price(m.event_name, u.carried, NULL, p.version, u.price_class,
                                                     u.customer_id, NULL, o.override_no) END END AS price) x
WHERE u.credits IS DISTINCT FROM x.price
UNION ALL
SELECT 'period: its events do not add up to what it says', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key,
       CASE m.aggregation WHEN 'sum' THEN e.total WHEN 'count' THEN e.events WHEN 'max' THEN e.highest
                          WHEN 'unique' THEN v.values ELSE e.last END,
       u.quantity
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name
LEFT JOIN (SELECT e.customer_id, e.event_name, e.period_key, count(*) AS all_events,
                  count(*) FILTER (WHERE x.identifier IS NULL) AS events,
                  sum(e.value) FILTER (WHERE x.identifier IS NULL) AS total,
                  max(e.value) FILTER (WHERE x.identifier IS NULL) AS highest,
                  (array_agg(e.value ORDER BY e.occurred_at DESC, r.event_no DESC)
                       FILTER (WHERE x.identifier IS NULL))[1] AS last
           FROM credits_internal.meter_events e
           LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
           LEFT JOIN credits_internal.usage_ranks r
                  ON r.customer_id = e.customer_id AND r.event_name = e.event_name AND r.period_key = e.period_key
                 AND r.identifier = e.identifier
           WHERE e.period_key IS NOT NULL GROUP BY 1, 2, 3) e
       ON e.customer_id = u.customer_id AND e.event_name = u.event_name AND e.period_key = u.period_key
LEFT JOIN (SELECT customer_id, event_name, period_key, count(*) AS values FROM credits_internal.usage_values
           GROUP BY 1, 2, 3) v
       ON v.customer_id = u.customer_id AND v.event_name = u.event_name AND v.period_key = u.period_key
WHERE (u.event_count, u.last_no, u.quantity)
      IS DISTINCT FROM (e.events, e.all_events,
                        coalesce(CASE m.aggregation WHEN 'sum' THEN e.total WHEN 'count' THEN e.events
                                                    WHEN 'max' THEN e.highest WHEN 'unique' THEN v.values
                                                    ELSE e.last END, 0))
UNION ALL
-- The event that counts is the first in rank, and those that are not taken back are ranked.
SELECT 'period: another event counts than the first in rank', u.customer_id, u.currency,
       'period ' || u.event_name || ' ' || u.period_key, r.event_no, u.counted_no
FROM credits_internal.usage_periods u
JOIN credits_internal.meters m ON m.event_name = u.event_name AND m.aggregation IN ('last', 'max')
LEFT JOIN (SELECT DISTINCT ON (r.customer_id, r.event_name, r.period_key)
                  r.customer_id, r.event_name, r.period_key, r.event_no, e.occurred_at, e.price_version
           FROM credits_internal.usage_ranks r
           JOIN credits_internal.meters m ON m.event_name = r.event_name
           JOIN credits_internal.meter_events e ON e.customer_id = r.customer_id AND e.identifier = r.identifier
           ORDER BY r.customer_id, r.event_name, r.period_key, r.rank DESC,
                    CASE m.aggregation WHEN 'last' THEN -r.event_no ELSE r.event_no END) r
       ON r.customer_id = u.customer_id AND r.event_name = u.event_name AND r.period_key = u.period_key
WHERE (u.counted_no, u.counted_at, CASE WHEN u.counted_no IS NOT NULL THEN u.price_version END)
      IS DISTINCT FROM (r.event_no, r.occurred_at, r.price_version)
UNION ALL
SELECT 'event: its rank is not what it should be', e.customer_id, e.currency, 'event ' || e.identifier, x.rank, r.rank
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.aggregation IN ('last', 'max')
CROSS JOIN LATERAL (SELECT CASE m.aggregation
                           WHEN 'max' THEN e.value
                           ELSE extract(epoch FROM e.occurred_at) - extract(epoch FROM timestamptz '2000-01-01 UTC')
                           END AS rank) x
LEFT JOIN credits_internal.usage_ranks r ON r.customer_id = e.customer_id AND r.event_name = e.event_name
                               AND r.period_key = e.period_key AND r.identifier = e.identifier
WHERE x.rank IS DISTINCT FROM r.rank AND e.price_version <> 0
  AND NOT EXISTS (SELECT FROM credits_internal.canceled_events b
                  WHERE b.customer_id = e.customer_id AND b.identifier = e.identifier)
UNION ALL
SELECT 'rank: no event that counts', r.customer_id, NULL, 'event ' || r.identifier, NULL, r.rank
FROM credits_internal.usage_ranks r
WHERE NOT EXISTS (SELECT FROM credits_internal.meter_events e
                  JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.aggregation IN ('last', 'max')
                  WHERE e.customer_id = r.customer_id AND e.identifier = r.identifier AND e.event_name = r.event_name
                    AND e.period_key = r.period_key)
   OR EXISTS (SELECT FROM credits_internal.canceled_events b
              WHERE b.customer_id = r.customer_id AND b.identifier = r.identifier)
UNION ALL
-- What grants paid for it and did not get back is known line by line.
SELECT 'period: its draws are not what grants paid', l.customer_id, l.currency,
       'period ' || l.event_name || ' ' || l.period_key || ', grant ' || l.grant_id, l.amount, coalesce(d.amount, 0)
FROM (SELECT e.customer_id, e.event_name, e.period_key, e.currency, l.grant_id,
             -sum(l.amount + coalesce(l.held, 0)) AS amount
      FROM credits_internal.meter_events e
      JOIN credits_internal.lines l ON l.customer_id = e.customer_id AND l.identifier = e.identifier
      WHERE e.period_key IS NOT NULL AND l.grant_id IS NOT NULL
      GROUP BY 1, 2, 3, 4, 5) l
LEFT JOIN (SELECT customer_id, event_name, period_key, grant_id, sum(amount) AS amount
           FROM credits_internal.usage_draws GROUP BY 1, 2, 3, 4) d
       ON d.customer_id = l.customer_id AND d.event_name = l.event_name AND d.period_key = l.period_key
      AND d.grant_id = l.grant_id
WHERE l.amount <> coalesce(d.amount, 0)
UNION ALL
SELECT 'draw: its line took less, by another grant or for other usage', d.customer_id, l.currency, 'line ' || d.line_no,
       -l.amount - coalesce(l.held, 0), d.amount
FROM credits_internal.usage_draws d
LEFT JOIN credits_internal.usage_periods u ON u.customer_id = d.customer_id AND u.event_name = d.event_name
                                 AND u.period_key = d.period_key
LEFT JOIN credits_internal.lines l ON l.customer_id = d.customer_id AND l.currency = u.currency
                                       AND l.line_no = d.line_no
LEFT JOIN credits_internal.meter_events e ON e.customer_id = l.customer_id AND e.identifier = l.identifier
WHERE (d.amount > 0 AND d.amount <= -l.amount - coalesce(l.held, 0) AND d.grant_id = l.grant_id
       AND l.type IN ('consumption', 'capture') AND e.event_name = d.event_name
       AND e.period_key = d.period_key) IS NOT TRUE;
CREATE OR REPLACE VIEW credits_internal.value_discrepancies AS
SELECT CASE WHEN g.known IS DISTINCT FROM nullif(g.there, 0) THEN 'value: it has another number of events'
            ELSE 'value: no event brought it at that price' END AS problem,
       g.customer_id, g.currency, concat('value ', g.value, ' of ', g.event_name, ' ', g.period_key) AS subject,
       g.there::numeric AS expected, g.known::numeric AS found
FROM (SELECT x.customer_id, x.event_name, x.period, x.value, x.period_key, max(x.currency) AS currency,
             max(x.known) AS known, count(*) FILTER (WHERE x.there) AS there, bool_or(x.brings) AS brought
      FROM (SELECT v.customer_id, v.event_name, v.period, v.value, v.period_key, NULL::text AS currency,
                   v.event_count AS known, false AS there, false AS brings
            FROM credits_internal.usage_values v
            UNION ALL
            -- An event may have brought its value to where its own price counts, and been taken back since.
            SELECT e.customer_id, e.event_name, e.period, e.value, e.period_key, e.currency, NULL, NOT e.canceled,
                   split_part(e.period_key, ' ', 2) = concat('v' || nullif(e.price_version % 65536, 0),
                                                             'o' || nullif(e.price_version / 65536, 0))
            FROM credits_internal.event_values e
            -- Of another price than here, an event that was imported counts nowhere.
            WHERE e.period_key IS NOT NULL) x
      GROUP BY 1, 2, 3, 4, 5) g
WHERE g.known IS DISTINCT FROM nullif(g.there, 0) OR (g.known IS NOT NULL AND NOT g.brought);
CREATE OR REPLACE VIEW credits_internal.correction_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'reversal: its operation does not say the same' AS problem, r.customer_id, r.currency,
       'operation ' || r.operation_id AS subject, r.amount AS expected, o.amount AS found
FROM credits_internal.reversals r
LEFT JOIN credits_internal.operations o
       ON o.customer_id = r.customer_id AND o.operation_id = r.operation_id AND o.line_no IS NULL
WHERE (o.function, o.amount, o.currency) IS DISTINCT FROM ('operation_reverse', r.amount, r.currency)
UNION ALL
SELECT 'operation: its reversal is not there', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'operation_reverse'
  AND NOT EXISTS (SELECT FROM credits_internal.reversals r
                  WHERE r.customer_id = o.customer_id AND r.operation_id = o.operation_id)
UNION ALL
SELECT 'reversal: what it reverses did not take as much', r.customer_id, r.currency,
       'operation ' || r.reversed_operation_id, x.taken, r.amount
FROM (SELECT customer_id, reversed_operation_id, currency, reversed_type, sum(amount) AS amount
      FROM credits_internal.reversals GROUP BY 1, 2, 3, 4) r
LEFT JOIN credits_internal.operations o
       ON o.customer_id = r.customer_id AND o.operation_id = r.reversed_operation_id AND o.currency = r.currency
LEFT JOIN credits_internal.holds h ON h.customer_id = r.customer_id AND h.hold_id = r.reversed_operation_id
LEFT JOIN credits_internal.reclaims w
       ON w.customer_id = r.customer_id AND w.operation_id = r.reversed_operation_id AND w.grant_id IS NULL
CROSS JOIN LATERAL (
    SELECT CASE WHEN o.function IN ('wallet_debit', 'invoice_pay') AND r.reversed_type = 'debit' THEN o.amount
                WHEN o.function = 'hold_create' AND r.reversed_type = 'capture' THEN h.captured
                WHEN o.function = 'hold_capture' AND r.reversed_type = 'capture' THEN o.amount
                WHEN o.function = 'wallet_adjust'
                     AND r.reversed_type = CASE o.reason WHEN 'refund' THEN 'refund' WHEN 'charge' THEN 'debit'
                                                         ELSE 'adjustment' END THEN -o.amount
                ELSE 0 END AS taken) x
WHERE r.amount > x.taken - CASE o.function WHEN 'wallet_adjust' THEN coalesce(w.credits, 0) ELSE 0 END
UNION ALL
SELECT 'reversal: what is owed no longer is not what its lines say', r.customer_id, r.currency,
       'operation ' || r.operation_id, coalesce(l.total, 0), r.forgiven
FROM credits_internal.reversals r
LEFT JOIN (SELECT customer_id, operation_id, -sum(pending) AS total FROM credits_internal.lines
           WHERE type = 'reversal' AND pending IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
WHERE r.forgiven <> coalesce(l.total, 0)
UNION ALL
SELECT 'reversal: more went back to a grant than it gave', b.customer_id, b.currency,
       'operation ' || b.reversed_operation_id || ', grant ' || b.grant_id, coalesce(t.amount, 0), b.amount
FROM (SELECT r.customer_id, r.currency, r.reversed_operation_id, l.grant_id, sum(l.amount) AS amount
      FROM credits_internal.reversals r
      JOIN credits_internal.lines l ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
      GROUP BY 1, 2, 3, 4) b
LEFT JOIN (SELECT l.customer_id, l.operation_id, l.grant_id,
                  -sum(CASE l.type WHEN 'capture' THEN l.held ELSE l.amount END) AS amount
           FROM credits_internal.lines l
           WHERE l.type IN ('debit', 'capture', 'adjustment', 'refund', 'consumption') AND l.operation_id IS NOT NULL
           GROUP BY 1, 2, 3) t
       ON t.customer_id = b.customer_id AND t.operation_id = b.reversed_operation_id AND t.grant_id = b.grant_id
WHERE b.amount > coalesce(t.amount, 0)
UNION ALL
-- An event's value is what it was adjusted to last, step by step from what was reported.
SELECT 'adjustment: its event has another value', a.customer_id, e.currency, 'event ' || a.identifier, a.value, e.value
FROM (SELECT DISTINCT ON (customer_id, identifier) customer_id, identifier, value
      FROM credits_internal.event_adjustments ORDER BY customer_id, identifier, adjustment_no DESC) a
LEFT JOIN credits_internal.meter_events e ON e.customer_id = a.customer_id AND e.identifier = a.identifier
WHERE (e.value = a.value AND e.line_no IS NULL) IS NOT TRUE
UNION ALL
SELECT 'adjustment: it does not follow the one before', a.customer_id, NULL, 'event ' || a.identifier, a.value_then,
       a.value_before
FROM (SELECT customer_id, identifier, adjustment_no, value_before, value, lag(value) OVER event AS value_then,
             row_number() OVER event AS place
      FROM credits_internal.event_adjustments
      WINDOW event AS (PARTITION BY customer_id, identifier ORDER BY adjustment_no)) a
WHERE a.value_before <> a.value_then OR a.value_before = a.value OR a.adjustment_no <> a.place;
CREATE OR REPLACE VIEW credits_internal.payment_discrepancies AS
SELECT 'payment intent: it succeeded and its invoice was not paid by it, or the reverse' AS problem, t.customer_id,
       t.currency, 'payment intent ' || t.payment_intent_id AS subject, t.amount AS expected, p.amount AS found
FROM credits_internal.payment_intents t
LEFT JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id
LEFT JOIN credits_internal.invoice_payments p ON p.customer_id = t.customer_id AND p.invoice_id = t.invoice_id
    AND p.payment_intent_id = t.payment_intent_id
WHERE CASE WHEN t.status = 'succeeded' THEN i.status = 'paid' AND (i.total = 0) = (p.amount IS NULL)
           ELSE i.status IS NOT NULL AND p.amount IS NULL END IS NOT TRUE
UNION ALL
SELECT 'payment intent: it succeeded and its payments do not cover it, or the reverse', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id, t.amount, p.covers
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT customer_id, top_up_id,
    sum(coalesce(subtotal, paid_amount + coalesce(discount, 0) - coalesce(shipping, 0)))
                                              AS covers
           FROM credits_internal.payment_totals WHERE paid_amount IS NOT NULL GROUP BY 1, 2) p
       ON p.customer_id = t.customer_id AND p.top_up_id = t.payment_intent_id
-- What is paid after it was canceled, or after its stock was gone, may have come too late.
WHERE CASE t.status WHEN 'succeeded' THEN coalesce(p.covers, 0) < t.amount WHEN 'canceled' THEN false
                    ELSE coalesce(p.covers, 0) >= t.amount AND NOT EXISTS (
                        SELECT FROM credits_internal.refunds r
                        WHERE r.customer_id = t.customer_id AND r.payment_intent_id = t.payment_intent_id
                          AND r.reason = 'too_late' AND NOT r.takes_credits) END
UNION ALL
SELECT 'payment intent: it is not what its open invoice still has to be paid', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id, i.amount_due - i.amount_paid, t.amount
FROM credits_internal.payment_intents t
JOIN credits_internal.invoices i ON i.customer_id = t.customer_id AND i.invoice_id = t.invoice_id
WHERE t.status NOT IN ('succeeded', 'canceled')
  AND (i.amount_due - i.amount_paid <> t.amount OR i.currency <> t.currency OR i.status IN ('paid', 'void'))
UNION ALL
SELECT 'payment intent: ' || s.what || ' is not what its payments say', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id,
       coalesce(s.expected, 0), coalesce(s.found, 0)
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT customer_id, top_up_id, sum(paid_amount) AS paid, sum(refunded_amount) AS refunded,
                  sum(disputed_amount) AS disputed
           FROM credits_internal.payment_totals GROUP BY 1, 2) p ON p.customer_id = t.customer_id
               AND p.top_up_id = t.payment_intent_id
-- What was reported before any payment is the intent's alone.
CROSS JOIN LATERAL (VALUES ('what was paid', p.paid, t.paid_amount),
                           ('what was refunded', CASE WHEN p.paid IS NULL THEN t.refunded_amount ELSE p.refunded END,
                            t.refunded_amount),
                           ('what is disputed', CASE WHEN p.paid IS NULL THEN t.disputed_amount ELSE p.disputed END,
                            t.disputed_amount)) AS s (what, expected, found)
WHERE coalesce(s.expected, 0) <> coalesce(s.found, 0)
UNION ALL
SELECT 'payment intent: what was due is not what it costs', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id, t.amount, t.due_amount
FROM credits_internal.payment_intents t
WHERE t.due_amount <> t.amount AND NOT EXISTS (
    SELECT FROM credits_internal.payment_totals p
    WHERE p.customer_id = t.customer_id AND p.top_up_id = t.payment_intent_id
      AND coalesce(p.tax, p.discount) IS NOT NULL)
UNION ALL
SELECT 'payment: ' || s.what || ' is not what was reported', coalesce(p.customer_id, l.customer_id), NULL,
       'payment intent ' || coalesce(p.top_up_id, l.top_up_id), s.expected, s.found
FROM (SELECT customer_id, top_up_id, sum(paid_amount) AS paid, sum(tax) AS tax, sum(shipping) AS shipping,
             sum(discount) AS discount
      FROM credits_internal.payment_totals WHERE paid_amount IS NOT NULL GROUP BY 1, 2) p
FULL JOIN (SELECT customer_id, top_up_id, sum(amount) AS paid, sum(tax) AS tax, sum(shipping) AS shipping,
                  sum(discount) AS discount
           FROM (SELECT c.customer_id, c.top_up_id, (array_agg(c.amount ORDER BY c.payment_id))[1] AS amount,
                        max(c.tax) AS tax, max(c.shipping) AS shipping, max(c.discount) AS discount
                 FROM credits_internal.payments c WHERE c.type = 'succeeded' AND c.counts
                 GROUP BY c.customer_id, c.top_up_id, c.provider, coalesce(c.provider_reference, c.payment_id::text)) c
           GROUP BY 1, 2) l ON l.customer_id = p.customer_id AND l.top_up_id = p.top_up_id
CROSS JOIN LATERAL (VALUES ('what was paid', l.paid, p.paid), ('its tax', l.tax, p.tax),
                           ('its shipping', l.shipping, p.shipping), ('its discount', l.discount, p.discount))
               AS s (what, expected, found)
WHERE coalesce(s.expected, 0) <> coalesce(s.found, 0)
UNION ALL
SELECT 'payment: what disputes take is not what was reported', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id,
       coalesce(d.disputed, 0), t.disputed_amount
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT d.customer_id, d.top_up_id, sum(d.amount) AS disputed, count(*) - count(d.amount) AS of_all
           FROM credits_internal.payments d
           WHERE d.type = 'disputed' AND d.counts AND NOT EXISTS (
               SELECT FROM credits_internal.payments w
               WHERE w.customer_id = d.customer_id AND w.top_up_id = d.top_up_id AND w.type = 'dispute_won' AND w.counts
                 AND w.provider = d.provider AND w.provider_reference IS NOT DISTINCT FROM d.provider_reference
                 AND (d.provider_reference IS NOT NULL OR w.payment_id > d.payment_id))
           GROUP BY 1, 2) d ON d.customer_id = t.customer_id AND d.top_up_id = t.payment_intent_id
WHERE coalesce(d.of_all, 0) = 0 AND t.disputed_amount <> coalesce(d.disputed, 0)
UNION ALL
SELECT 'payment: what was refunded is not what was reported', t.customer_id, t.currency,
       'payment intent ' || t.payment_intent_id,
       coalesce(r.refunded, 0), t.refunded_amount
FROM credits_internal.payment_intents t
LEFT JOIN (SELECT r.customer_id, r.top_up_id, sum(r.amount) FILTER (WHERE f.payment_id IS NULL) AS refunded,
                  bool_or(r.amount IS NULL OR r.total_refunded IS NOT NULL) AS says_more
           FROM credits_internal.payments r
           LEFT JOIN credits_internal.payments f
                  ON f.customer_id = r.customer_id AND f.top_up_id = r.top_up_id AND f.type = 'refund_failed'
                      AND f.counts
                 AND f.provider = r.provider AND f.provider_reference = r.provider_reference
           WHERE r.type = 'refunded' AND r.counts
           GROUP BY 1, 2) r ON r.customer_id = t.customer_id AND r.top_up_id = t.payment_intent_id
-- Refunds reported one by one add up; a reported total can be no less than that.
WHERE CASE WHEN r.says_more THEN t.refunded_amount < coalesce(r.refunded, 0)
           ELSE t.refunded_amount <> coalesce(r.refunded, 0) END
UNION ALL
SELECT 'reference: what it names was reported of this payment intent and is another''s', p.customer_id, p.currency,
       p.provider || ' ' || p.provider_reference, NULL, p.amount
FROM credits_internal.payments p
LEFT JOIN credits_internal.payment_references r
       ON r.provider = p.provider AND r.reference = p.provider_reference
      AND r.kind = CASE p.type WHEN 'succeeded' THEN 'payment' WHEN 'refunded' THEN 'refund' ELSE 'dispute' END
WHERE p.counts AND p.type IN ('succeeded', 'refunded', 'disputed') AND p.provider_reference IS NOT NULL
  AND (r.customer_id = p.customer_id AND r.top_up_id = p.top_up_id) IS NOT TRUE
UNION ALL
SELECT 'reference: no such payment intent', r.customer_id, NULL, r.provider || ' ' || r.reference, NULL, NULL
FROM credits_internal.payment_references r
WHERE NOT EXISTS (SELECT FROM credits_internal.payment_intents t WHERE t.customer_id = r.customer_id
    AND t.payment_intent_id = r.top_up_id)
UNION ALL
SELECT 'payment intent: its payment is reported and paid nothing', p.customer_id, p.currency,
       'payment intent ' || p.top_up_id, t.amount, p.amount
FROM credits_internal.payments p
LEFT JOIN credits_internal.payment_intents t ON t.customer_id = p.customer_id AND t.payment_intent_id = p.top_up_id
WHERE p.type = 'succeeded' AND p.contradiction IS NULL AND p.counts AND t.status IS DISTINCT FROM 'succeeded'
UNION ALL
SELECT 'invoice line: what was taken back is not what its operations say', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, coalesce(r.credits, 0), l.reclaimed
FROM credits_internal.invoice_lines l
-- Also of what its grant rolled over into.
LEFT JOIN (SELECT r.customer_id, coalesce(o.root_id, r.grant_id) AS grant_id, sum(r.credits) AS credits
           FROM credits_internal.reclaims r
           LEFT JOIN credits_internal.grant_rollovers o ON o.customer_id = r.customer_id AND o.grant_id = r.grant_id
           WHERE r.undone_at IS NULL AND r.top_up_id IS NOT NULL GROUP BY 1, 2) r
       ON r.customer_id = l.customer_id AND r.grant_id = l.grant_id
WHERE (l.subscription_item_id IS NULL AND l.reclaimed <> coalesce(r.credits, 0)) OR l.reclaimed > coalesce(l.credits, 0)
UNION ALL
-- As src/payments/clawback/share.rs has it: within half of the smallest part of a credit.
SELECT 'invoice line: what was taken back is not its part of what is no longer paid', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, trim_scale(round(l.credits * x.gone, c.decimals)), l.reclaimed
FROM (SELECT n.customer_id, n.invoice_id, least(sum(n.amount_excluding_tax * s.unnamed),
                                                sum((n.amount_excluding_tax + n.tax) * s.unnamed)) AS due
      FROM credits_internal.invoice_lines n
      CROSS JOIN LATERAL (SELECT greatest(1 - CASE WHEN n.amount_excluding_tax + n.tax > 0
          THEN n.refunded_amount / (n.amount_excluding_tax + n.tax)::numeric(100, 40) ELSE 0 END, 0) AS unnamed) s
      GROUP BY 1, 2) d
JOIN credits_internal.invoice_lines l ON l.customer_id = d.customer_id AND l.invoice_id = d.invoice_id
JOIN credits_internal.currencies c ON c.currency = l.credit_currency
JOIN credits_internal.payment_intents t ON t.customer_id = d.customer_id AND t.invoice_id = d.invoice_id
    AND t.status = 'succeeded'
LEFT JOIN (SELECT customer_id, top_up_id,
                  sum(greatest(coalesce(paid_amount, 0) - refunded_amount - disputed_amount, 0)) AS amount
           FROM credits_internal.payment_totals GROUP BY 1, 2) r ON r.customer_id = t.customer_id
               AND r.top_up_id = t.payment_intent_id
LEFT JOIN (SELECT customer_id, invoice_id, sum(amount) AS amount FROM credits_internal.invoice_payments
           WHERE paid_from <> 'provider' AND reversed_at IS NULL GROUP BY 1, 2) o
       ON o.customer_id = d.customer_id AND o.invoice_id = d.invoice_id
CROSS JOIN LATERAL (SELECT greatest(1 - CASE WHEN l.amount_excluding_tax + l.tax > 0
    THEN l.refunded_amount / (l.amount_excluding_tax + l.tax)::numeric(100, 40) ELSE 0 END, 0) AS unnamed) s
-- What lines below zero leave of the others may be nothing at all, to 40 decimals.
CROSS JOIN LATERAL (SELECT 1 - s.unnamed * CASE WHEN d.due > 1e-30
    THEN least((coalesce(r.amount, 0) + coalesce(o.amount, 0)) / d.due::numeric(100, 40), 1) ELSE 1 END AS gone) x
WHERE l.grant_id IS NOT NULL AND abs(l.reclaimed - l.credits * x.gone) > 0.5 * ('1e-' || c.decimals)::numeric + 1e-15
UNION ALL
SELECT 'refund: it is asked for or made, and counts as nothing, or the reverse', r.customer_id, r.currency,
       'refund ' || r.refund_id, r.amount, p.amount
FROM credits_internal.refunds r
LEFT JOIN credits_internal.payments p ON p.customer_id = r.customer_id AND p.top_up_id = r.payment_intent_id
    AND p.type = 'refunded' AND p.counts AND p.provider = r.provider AND p.provider_reference = r.refund_id::text
LEFT JOIN credits_internal.payments f ON f.customer_id = r.customer_id AND f.top_up_id = r.payment_intent_id
    AND f.type = 'refund_failed' AND f.counts AND f.provider = r.provider AND f.provider_reference = r.refund_id::text
WHERE r.takes_credits
  AND (p.amount IS DISTINCT FROM r.amount OR (f.payment_id IS NOT NULL) <> (r.status IN ('failed', 'canceled')))
UNION ALL
SELECT 'invoice line: what refunds name of it is not what was paid back of it', l.customer_id, l.currency,
       'line ' || l.invoice_line_id, coalesce(r.amount, 0), l.refunded_amount
FROM credits_internal.invoice_lines l
LEFT JOIN (SELECT r.customer_id, (e.part->>'invoice_line_id')::uuid AS invoice_line_id,
                  sum((e.part->>'amount')::numeric) AS amount
           FROM credits_internal.refunds r CROSS JOIN LATERAL jsonb_array_elements(r.lines) AS e (part)
           WHERE r.status IN ('pending', 'succeeded') GROUP BY 1, 2) r
       ON r.customer_id = l.customer_id AND r.invoice_line_id = l.invoice_line_id
WHERE l.refunded_amount <> coalesce(r.amount, 0) OR l.refunded_amount > greatest(l.amount_excluding_tax + l.tax, 0)
UNION ALL
SELECT 'reclaim: what it took and what was paid for it is not what its lines say', r.customer_id, r.currency,
       'operation ' || r.operation_id, coalesce(l.total, 0), r.taken + r.consumed
FROM credits_internal.reclaims r
LEFT JOIN (SELECT customer_id, operation_id, -sum(amount) AS total,
                  -sum(amount) FILTER (WHERE type = 'consumption') AS paid
           FROM credits_internal.lines
           WHERE type IN ('refund', 'void', 'consumption', 'reversal') AND operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
-- What an operation took without a grant of its own, it took before it owed.
WHERE r.taken + r.consumed
      <> coalesce(CASE WHEN r.grant_id IS NULL AND r.top_up_id IS NULL THEN l.paid ELSE l.total END, 0)
UNION ALL
SELECT 'reclaim: pending is not what its lines say', r.customer_id, r.currency, 'operation ' || r.operation_id,
       coalesce(l.total, 0) - coalesce(f.total, 0), r.pending
FROM credits_internal.reclaims r
LEFT JOIN (SELECT customer_id, operation_id, sum(pending) AS total FROM credits_internal.lines
           WHERE pending IS NOT NULL AND operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = r.customer_id AND l.operation_id = r.operation_id
LEFT JOIN (SELECT customer_id, reversed_operation_id, sum(forgiven) AS total FROM credits_internal.reversals
           GROUP BY 1, 2) f
       ON f.customer_id = r.customer_id AND f.reversed_operation_id = r.operation_id
WHERE r.pending <> coalesce(l.total, 0) - coalesce(f.total, 0)
UNION ALL
SELECT 'reclaim: more was taken, paid and owed than went back', r.customer_id, r.currency,
       'operation ' || r.operation_id,
       r.credits, r.taken + r.consumed + r.pending
FROM credits_internal.reclaims r
WHERE r.taken + r.consumed + r.pending > r.credits OR (r.pending > 0 AND r.debt_no IS NULL)
   OR (r.undone_at IS NOT NULL AND r.taken + r.consumed + r.pending <> 0)
       OR (NOT r.owes AND r.consumed + r.pending <> 0)
UNION ALL
SELECT 'grant: it waits for more than went back of it', g.customer_id, g.currency, 'grant ' || g.grant_id,
       r.credits - r.taken - r.consumed - r.pending, c.amount
FROM credits_internal.credit_grants g
CROSS JOIN LATERAL unnest(g.clawback_operations, g.clawback_amounts, g.clawback_owes) AS c (operation_id, amount, owes)
LEFT JOIN credits_internal.reclaims r ON r.customer_id = g.customer_id AND r.operation_id = c.operation_id
    AND r.grant_id = g.grant_id
                            AND r.undone_at IS NULL AND r.owes = c.owes
WHERE g.clawback_operations IS NOT NULL
    AND (c.amount > 0 AND c.amount <= r.credits - r.taken - r.consumed - r.pending) IS NOT TRUE
UNION ALL
SELECT 'grant: less has lapsed or is waited for than stands for credits that went back', g.customer_id, g.currency,
       'grant ' || g.grant_id, r.credits, g.lapsed + w.amount
FROM (SELECT customer_id, grant_id, sum(credits - consumed - pending) AS credits FROM credits_internal.reclaims
      WHERE undone_at IS NULL AND grant_id IS NOT NULL GROUP BY 1, 2) r
JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
CROSS JOIN LATERAL (SELECT coalesce(sum(c.amount), 0) AS amount FROM unnest(g.clawback_amounts) AS c (amount)) w
WHERE g.lapsed + w.amount < r.credits
UNION ALL
SELECT 'account: owes while a grant could pay', r.customer_id, r.currency, 'operation ' || r.operation_id, 0, r.pending
FROM credits_internal.reclaims r
WHERE r.pending > 0 AND EXISTS (
    SELECT FROM credits_internal.true_grants g
    WHERE g.customer_id = r.customer_id AND g.currency = r.currency AND g.status = 'granted' AND g.remaining > 0
      AND (g.applicable_meters IS NULL OR r.event_name = ANY (g.applicable_meters)))
UNION ALL
SELECT 'reclaim: no such account', r.customer_id, r.currency, 'operation ' || r.operation_id, NULL, r.credits
FROM credits_internal.reclaims r
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a WHERE a.customer_id = r.customer_id
    AND a.currency = r.currency)
UNION ALL
SELECT 'recharge: status ' || r.status || ' does not fit its payment intent', r.customer_id, r.currency,
       'recharge ' || r.recharge_id, r.amount, t.paid_amount
FROM credits_internal.recharges r
LEFT JOIN credits_internal.payment_intents t ON t.customer_id = r.customer_id AND t.payment_intent_id = r.top_up_id
WHERE t.recharge_id <> r.recharge_id OR (r.status = 'paid') <> (t.status IS NOT DISTINCT FROM 'succeeded')
   OR (t.customer_id IS NULL AND r.status = 'processing')
   OR (r.closed_at IS NULL) <> (r.status IN ('requested', 'processing'))
UNION ALL
SELECT 'recharge: more than one is open', r.customer_id, r.currency, NULL, 1, count(*)
FROM credits_internal.recharges r WHERE r.status IN ('requested', 'processing')
GROUP BY r.customer_id, r.currency HAVING count(*) > 1
UNION ALL
SELECT 'recharge: it is open and nothing looks at it when it times out', r.customer_id, r.currency,
       'recharge ' || r.recharge_id, NULL, r.amount
FROM credits_internal.recharges r
LEFT JOIN credits_internal.auto_recharges s ON s.customer_id = r.customer_id AND s.currency = r.currency
LEFT JOIN credits_internal.accounts a ON a.customer_id = r.customer_id AND a.currency = r.currency
WHERE r.status IN ('requested', 'processing')
  AND s.due_at IS DISTINCT FROM least(r.expires_at, CASE WHEN s.enabled AND s.scheduled_at > a.posted_at
                                                         THEN s.scheduled_at END)
UNION ALL
SELECT 'recharge: it is requested by an account that is switched off', r.customer_id, r.currency,
       'recharge ' || r.recharge_id,
       NULL, r.amount
FROM credits_internal.recharges r
JOIN credits_internal.auto_recharges s ON s.customer_id = r.customer_id AND s.currency = r.currency
WHERE r.status = 'requested' AND NOT s.enabled
UNION ALL
SELECT 'auto-recharge: it is switched on and says why it switched itself off', s.customer_id, s.currency,
       s.disabled_reason,
       NULL, s.failures
FROM credits_internal.auto_recharges s WHERE s.enabled AND s.disabled_reason IS NOT NULL
UNION ALL
SELECT 'recharge: it is not of what its invoice is', r.customer_id, r.currency, 'recharge ' || r.recharge_id,
       r.amount, t.amount
FROM credits_internal.recharges r
JOIN credits_internal.payment_intents t ON t.customer_id = r.customer_id AND t.payment_intent_id = r.top_up_id
LEFT JOIN credits_internal.invoice_lines l ON l.customer_id = t.customer_id AND l.invoice_id = t.invoice_id
WHERE (l.credits, l.credit_currency, t.currency, t.amount)
      IS DISTINCT FROM (r.credits, r.currency, r.price_currency, r.amount)
   OR (r.price_id IS NOT NULL AND l.quantity <> r.quantity)
UNION ALL
SELECT 'auto-recharge: nothing looks at it when its schedule asks', s.customer_id, s.currency, NULL, NULL, NULL
FROM credits_internal.auto_recharges s
JOIN credits_internal.accounts a ON a.customer_id = s.customer_id AND a.currency = s.currency
WHERE s.enabled AND s.scheduled_at > a.posted_at AND s.due_at > s.scheduled_at
UNION ALL
SELECT 'auto-recharge: a moment is due and nothing waits for it', s.customer_id, s.currency, NULL, NULL, NULL
FROM credits_internal.auto_recharges s
JOIN credits_internal.accounts a ON a.customer_id = s.customer_id AND a.currency = s.currency
WHERE s.enabled AND s.scheduled_at <= a.posted_at AND s.due_at = 'infinity'
UNION ALL
SELECT 'auto-recharge: a moment is due of no schedule', s.customer_id, s.currency, NULL, NULL, NULL
FROM credits_internal.auto_recharges s
WHERE s.scheduled_at < 'infinity' AND s.schedule_every IS NULL AND s.schedule_day IS NULL
UNION ALL
SELECT 'auto-recharge: its target is below its threshold', s.customer_id, s.currency, NULL, s.threshold, s.target
FROM credits_internal.auto_recharges s WHERE s.target < s.threshold
UNION ALL
SELECT 'recharge: a price is to be reviewed that does not exist', NULL, NULL, 'price ' || w.price_id, NULL, NULL
FROM credits_internal.recharge_reviews w
WHERE NOT EXISTS (SELECT FROM credits_internal.prices p WHERE p.price_id = w.price_id)
UNION ALL
SELECT DISTINCT 'price: it was sold, and counts as unused', NULL, NULL, 'price ' || t.price_id, NULL::numeric,
       NULL::numeric
FROM credits_internal.invoice_lines t
WHERE t.price_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM credits_internal.price_usage u WHERE u.price_id = t.price_id)
UNION ALL
SELECT 'price: it or its product does not exist', NULL, NULL, 'price ' || p.price_id, NULL, NULL
FROM (SELECT u.price_id FROM credits_internal.price_usage u
      WHERE NOT EXISTS (SELECT FROM credits_internal.prices p WHERE p.price_id = u.price_id)
      UNION ALL
      SELECT p.price_id FROM credits_internal.prices p
      WHERE NOT EXISTS (SELECT FROM credits_internal.products d WHERE d.product_id = p.product_id)) p
UNION ALL
SELECT 'outbox: a row is beyond its customer''s counter', o.customer_id, NULL, 'row ' || o.outbox_no, c.last_no,
       o.outbox_no
FROM credits_internal.outbox o
LEFT JOIN credits_internal.outbox_counters c ON c.customer_id = o.customer_id
WHERE coalesce(c.last_no, 0) < o.outbox_no
UNION ALL
SELECT 'outbox: a consumer that does not exist keeps its place', p.customer_id, NULL, 'consumer ' || p.consumer, NULL,
       p.acked_no
FROM credits_internal.outbox_positions p
WHERE NOT EXISTS (SELECT FROM credits_internal.outbox_consumers c WHERE c.consumer = p.consumer);
CREATE OR REPLACE VIEW credits_internal.limit_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'limit: used is not what was spent in its window', l.customer_id, l.currency, n.name, coalesce(s.spent, 0),
       l.used
FROM credits_internal.spending_limits l
CROSS JOIN LATERAL (SELECT concat_ws(' ', 'limit per', l.per, nullif(l.event_name, ''), nullif(l.member_id, ''))
                        AS name) n
CROSS JOIN LATERAL (
    SELECT sum(s.amount) AS spent FROM credits_internal.spending s
    WHERE s.customer_id = l.customer_id AND s.currency = l.currency AND s.spent_at >= l.since
      AND (l.member_id = '' OR s.member_id = l.member_id) AND (l.event_name = '' OR s.event_name = l.event_name)) s
WHERE l.used <> coalesce(s.spent, 0)
UNION ALL
SELECT 'limit: used is not what its rolling window adds up to', l.customer_id, l.currency,
       concat_ws(' ', 'limit per', l.per, nullif(l.event_name, ''), nullif(l.member_id, '')), coalesce(r.spent, 0),
       l.used
FROM credits_internal.spending_limits l
CROSS JOIN LATERAL (
    SELECT sum(r.amount) AS spent FROM credits_internal.rolling_spending r
    WHERE r.customer_id = l.customer_id AND r.currency = l.currency AND r.member_id = l.member_id
      AND r.event_name = l.event_name AND r.per = l.per) r
WHERE l.seconds IS NOT NULL AND l.used <> coalesce(r.spent, 0)
UNION ALL
SELECT 'limit: its rolling window is of no limit', r.customer_id, r.currency, 'limit per ' || r.per, NULL, r.amount
FROM credits_internal.rolling_spending r
WHERE NOT EXISTS (
    SELECT FROM credits_internal.spending_limits l
    WHERE l.customer_id = r.customer_id AND l.currency = r.currency AND l.member_id = r.member_id
      AND l.event_name = r.event_name AND l.per = r.per AND l.seconds IS NOT NULL)
UNION ALL
SELECT 'limit: no such account', l.customer_id, l.currency, 'limit per ' || l.per, NULL, l.amount
FROM credits_internal.spending_limits l
WHERE NOT EXISTS (SELECT FROM credits_internal.accounts a
                  WHERE a.customer_id = l.customer_id AND a.currency = l.currency)
UNION ALL
SELECT 'account: limited is not whether limits are set, or its head can pay alone all the same', a.customer_id,
       a.currency, NULL,
       NULL, a.charge_above
FROM credits_internal.accounts a
WHERE a.limited <> EXISTS (SELECT FROM credits_internal.spending_limits l
                           WHERE l.customer_id = a.customer_id AND l.currency = a.currency)
   OR (a.limited AND a.charge_above < 'infinity');
CREATE OR REPLACE VIEW credits_internal.cost_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'grant: what of its cost is recognised, deferred, breakage, refunded and passed on is not its cost',
       g.customer_id, g.currency, 'grant ' || g.grant_id, g.cost_amount, x.gone + x.deferred
FROM credits_internal.credit_grants g
JOIN credits_internal.true_grants t ON t.customer_id = g.customer_id AND t.grant_id = g.grant_id
JOIN credits_internal.currencies c ON c.currency = g.cost_currency
JOIN (SELECT e.customer_id, e.currency, e.grant_id,
             sum(-e.deferred) FILTER (WHERE e.cost_account <> 'received' OR e.amount < 0) AS gone,
             sum(e.deferred) FILTER (WHERE e.cost_account = 'received' AND e.amount > 0) AS received
      FROM credits_internal.cost_entries e GROUP BY 1, 2, 3) e
  ON e.customer_id = g.customer_id AND e.currency = g.currency AND e.grant_id = g.grant_id
LEFT JOIN (SELECT o.customer_id, p.grant_id, sum(p.amount) AS held
           FROM credits_internal.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
           WHERE o.status = 'open' GROUP BY 1, 2) h
       ON h.customer_id = g.customer_id AND h.grant_id = g.grant_id
CROSS JOIN LATERAL (
    SELECT g.cost_amount - coalesce(e.received, 0) + coalesce(e.gone, 0) AS gone,
           g.cost_amount - credits_internal.share(g.cost_amount, g.amount - t.remaining - coalesce(h.held, 0), g.amount,
                                                  c.decimals) AS deferred) x
WHERE g.cost_amount IS DISTINCT FROM x.gone + x.deferred
UNION ALL
SELECT 'grant: its cost is not an amount of its currency', g.customer_id, g.currency, 'grant ' || g.grant_id,
       round(g.cost_amount, c.decimals), g.cost_amount
FROM credits_internal.credit_grants g
LEFT JOIN credits_internal.currencies c ON c.currency = g.cost_currency
WHERE g.cost_amount <> round(g.cost_amount, c.decimals) OR (g.cost_amount IS NOT NULL AND c.currency IS NULL)
UNION ALL
SELECT 'transfer: the cost that it passed on is not what arrived', s.customer_id, s.currency, 'to ' || s.counterparty,
       s.passed_on, r.arrived
FROM (SELECT e.customer_id, e.currency, e.cost_currency, o.counterparty, sum(-e.deferred) AS passed_on
      FROM credits_internal.cost_entries e
      JOIN credits_internal.operations o ON o.customer_id = e.customer_id AND o.operation_id = e.operation_id
      WHERE e.type = 'transfer' AND e.amount < 0
      GROUP BY 1, 2, 3, 4) s
CROSS JOIN LATERAL (
    SELECT sum(g.cost_amount) AS arrived
    FROM credits_internal.credit_grants g
    WHERE g.customer_id = s.counterparty AND g.transferred_from = s.customer_id AND g.currency = s.currency
      AND g.cost_currency = s.cost_currency) r
WHERE s.passed_on IS DISTINCT FROM r.arrived
UNION ALL
SELECT 'invoice line: what its grant cost is not in its currency', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, l.amount, g.cost_amount
FROM credits_internal.invoice_lines l
JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
WHERE g.cost_currency <> l.currency;
CREATE OR REPLACE VIEW credits_internal.rollover_lines AS
SELECT r.customer_id, l.currency, r.grant_id, l.line_no, l.effective_at, -l.amount AS amount, sum(b.amount) AS remained
FROM credits_internal.grant_rollovers r
JOIN credits_internal.credit_transactions l
    ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id AND l.type = 'rollover' AND l.amount < 0
LEFT JOIN credits_internal.lines b
    ON b.customer_id = l.customer_id AND b.currency = l.currency AND b.grant_id = l.grant_id AND b.line_no < l.line_no
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE OR REPLACE VIEW credits_internal.rollover_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'rollover: what went on is not its part of what remained', r.customer_id, l.currency, 'grant ' || r.grant_id,
       credits_internal.rolls_over(r.percent, r.max, c.decimals, l.remained), coalesce(r.rolled_over, 0)
FROM credits_internal.grant_rollovers r
LEFT JOIN credits_internal.rollover_lines l ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id
LEFT JOIN credits_internal.currencies c ON c.currency = l.currency
WHERE r.rolled_over IS DISTINCT FROM l.amount
   OR r.rolled_over <> credits_internal.rolls_over(r.percent, r.max, c.decimals, l.remained)
UNION ALL
SELECT 'rollover: the next grant is not what went on', r.customer_id, g.currency, 'grant ' || r.grant_id, r.rolled_over,
       n.amount
FROM credits_internal.grant_rollovers r
JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
LEFT JOIN credits_internal.grant_rollovers o ON o.customer_id = r.customer_id AND o.grant_id = r.rolled_to
LEFT JOIN credits_internal.credit_grants n ON n.customer_id = r.customer_id AND n.grant_id = r.rolled_to
LEFT JOIN credits_internal.rollover_lines l ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id
WHERE r.rolled_to IS NOT NULL
  AND ((n.amount, n.currency, n.category, n.effective_at)
       IS DISTINCT FROM (r.rolled_over, g.currency, g.category, l.effective_at)
       OR n.applicable_meters IS DISTINCT FROM g.applicable_meters OR n.cost_currency IS DISTINCT FROM g.cost_currency
       OR (o.root_id, o.generation, o.rolled_from, o.percent, o.lives)
          IS DISTINCT FROM (r.root_id, r.generation + 1, r.grant_id, r.percent, r.lives)
       OR o.max IS DISTINCT FROM r.max OR o.times_left IS DISTINCT FROM r.times_left - 1)
UNION ALL
SELECT 'rollover: the grant that it came from does not say so, or is not there', r.customer_id, g.currency,
       'grant ' || r.grant_id, NULL, g.amount
FROM credits_internal.grant_rollovers r
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
LEFT JOIN credits_internal.grant_rollovers p ON p.customer_id = r.customer_id AND p.grant_id = r.rolled_from
WHERE g.grant_id IS NULL OR (r.rolled_from IS NOT NULL AND p.rolled_to IS DISTINCT FROM r.grant_id)
UNION ALL
SELECT 'rollover: the cost that went on is not what the next grant has', r.customer_id, e.currency,
       'grant ' || r.grant_id, -e.deferred, n.cost_amount
FROM credits_internal.grant_rollovers r
JOIN credits_internal.cost_entries e
    ON e.customer_id = r.customer_id AND e.grant_id = r.grant_id AND e.type = 'rollover' AND e.amount < 0
LEFT JOIN credits_internal.credit_grants n ON n.customer_id = r.customer_id AND n.grant_id = r.rolled_to
WHERE -e.deferred IS DISTINCT FROM n.cost_amount
UNION ALL
SELECT 'grant: its time ran out and it did not roll over', r.customer_id, g.currency, 'grant ' || r.grant_id,
       credits_internal.rolls_over(r.percent, r.max, c.decimals, l.expired), 0
FROM credits_internal.grant_rollovers r
JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.grant_id
JOIN credits_internal.currencies c ON c.currency = g.currency
-- What came back later expired later, or after what came back at that moment.
JOIN (SELECT t.customer_id, t.currency, t.grant_id, t.effective_at, -t.amount AS expired
      FROM credits_internal.credit_transactions t
      WHERE t.type = 'expiration' AND t.operation_id IS NULL
        AND NOT EXISTS (SELECT FROM credits_internal.lines b
                        WHERE b.customer_id = t.customer_id AND b.currency = t.currency AND b.line_no = t.line_no - 1
                          AND b.type IN ('release', 'reversal', 'refund') AND b.grant_id = t.grant_id)) l
    ON l.customer_id = g.customer_id AND l.currency = g.currency AND l.grant_id = g.grant_id
   AND l.effective_at = g.expires_at
WHERE r.rolled_to IS NULL AND r.times_left IS DISTINCT FROM 0 AND g.status = 'expired' AND g.ended_at IS NULL
  AND credits_internal.rolls_over(r.percent, r.max, c.decimals, l.expired) > 0
UNION ALL
SELECT 'line: what rolled over did not go from one grant to the next', l.customer_id, l.currency, 'line ' || l.line_no,
       -l.amount, o.amount
FROM credits_internal.credit_transactions l
LEFT JOIN credits_internal.grant_rollovers r ON r.customer_id = l.customer_id AND r.grant_id = l.grant_id
LEFT JOIN credits_internal.credit_transactions o
    ON o.customer_id = l.customer_id AND o.currency = l.currency AND o.type = 'rollover'
   AND o.line_no = l.line_no + CASE WHEN l.amount < 0 THEN 1 ELSE -1 END
   AND o.grant_id = CASE WHEN l.amount < 0 THEN r.rolled_to ELSE r.rolled_from END
WHERE l.type = 'rollover'
  AND (o.amount = -l.amount AND o.effective_at = l.effective_at AND o.created_at = l.created_at) IS NOT TRUE;
CREATE OR REPLACE VIEW credits_internal.invoice_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH sums AS (
    SELECT l.customer_id, l.invoice_id, sum(l.amount) AS subtotal, sum(l.discount) AS discount, sum(l.tax) AS tax,
           sum(l.amount - l.discount)
               + coalesce(sum(l.tax) FILTER (WHERE l.tax_behavior = 'exclusive'), 0) AS total,
           sum(l.amount_excluding_tax) AS net, count(*) AS lines, max(l.line_no) AS last_no,
           count(DISTINCT l.line_no) AS places
    FROM credits_internal.invoice_lines l WHERE l.invoice_id IS NOT NULL GROUP BY 1, 2
)
SELECT 'invoice: its total is not its lines, less discounts, with tax on top' AS problem, i.customer_id, i.currency,
       'invoice ' || i.invoice_id AS subject, s.total AS expected, i.total AS found
FROM credits_internal.invoices i
LEFT JOIN sums s ON s.customer_id = i.customer_id AND s.invoice_id = i.invoice_id
WHERE (i.subtotal, i.discount, i.tax, i.total, i.total_excluding_tax)
      IS DISTINCT FROM (s.subtotal, s.discount, s.tax, s.total + i.shipping, s.net + i.shipping)
   OR s.lines <> s.last_no OR s.lines <> s.places
UNION ALL
SELECT 'invoice: what is due is not its total', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       greatest(i.total, 0), i.amount_due
FROM credits_internal.invoices i WHERE i.amount_due <> greatest(i.total, 0)
UNION ALL
SELECT 'invoice: its amounts are not amounts of its currency', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       round(i.total, c.decimals), i.total
FROM credits_internal.invoices i
LEFT JOIN credits_internal.currencies c ON c.currency = i.currency
WHERE c.currency IS NULL
   OR (i.subtotal, i.discount, i.tax, i.total, i.amount_paid)
      <> (round(i.subtotal, c.decimals), round(i.discount, c.decimals), round(i.tax, c.decimals),
          round(i.total, c.decimals), round(i.amount_paid, c.decimals))
UNION ALL
SELECT 'invoice line: what is left without tax is not its amount, less discount and the tax in it', l.customer_id,
       l.currency, 'line ' || l.invoice_line_id, x.net, l.amount_excluding_tax
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
CROSS JOIN LATERAL (
    SELECT l.amount - l.discount - CASE l.tax_behavior WHEN 'inclusive' THEN l.tax ELSE 0 END AS net) x
WHERE l.amount_excluding_tax <> x.net OR (l.tax <> 0 AND l.tax_rate IS NULL AND i.from_provider IS NOT TRUE)
   OR (l.invoice_id IS NOT NULL AND i.currency IS DISTINCT FROM l.currency)
UNION ALL
-- Rounded once: within half of the last decimal.
SELECT 'invoice: a tax is not its rate of the lines', t.customer_id, t.currency,
       'invoice ' || t.invoice_id || ', ' || t.tax_rate || ' % ' || t.tax_behavior,
       round(t.base * t.tax_rate / t.per, c.decimals), t.tax
FROM (SELECT l.customer_id, l.invoice_id, l.currency, l.tax_rate, l.tax_behavior, sum(l.amount - l.discount) AS base,
             sum(l.tax) AS tax, 100 + CASE l.tax_behavior WHEN 'inclusive' THEN l.tax_rate ELSE 0 END AS per
      FROM credits_internal.invoice_lines l
      WHERE l.invoice_id IS NOT NULL AND l.tax_rate IS NOT NULL GROUP BY 1, 2, 3, 4, 5) t
JOIN credits_internal.currencies c ON c.currency = t.currency
WHERE abs(t.tax * t.per - t.base * t.tax_rate) * 2 * 10::numeric ^ c.decimals > t.per
UNION ALL
SELECT 'invoice: what is paid is not what was applied to it', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       coalesce(p.applied, 0), i.amount_paid
FROM credits_internal.invoices i
LEFT JOIN (SELECT p.customer_id, p.invoice_id, sum(p.amount) FILTER (WHERE p.reversed_at IS NULL) AS applied
           FROM credits_internal.invoice_payments p GROUP BY 1, 2) p
       ON p.customer_id = i.customer_id AND p.invoice_id = i.invoice_id
WHERE i.amount_paid <> coalesce(p.applied, 0)
   OR (i.status = 'paid' AND i.amount_paid <> i.amount_due)
   OR (i.status IN ('open', 'uncollectible') AND i.amount_paid >= i.amount_due)
   OR (i.status IN ('draft', 'void') AND i.amount_paid <> 0)
UNION ALL
SELECT 'invoice payment: its debit is not there, or not given back as it says', p.customer_id, i.currency,
       'invoice ' || p.invoice_id || ', payment ' || p.payment_no, p.amount, -l.total
FROM credits_internal.invoice_payments p
JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
LEFT JOIN credits_internal.operations o ON o.customer_id = p.customer_id AND o.operation_id = p.operation_id
LEFT JOIN (SELECT l.customer_id, l.operation_id, sum(l.amount) AS total FROM credits_internal.lines l
           WHERE l.operation_id IS NOT NULL GROUP BY 1, 2) l
       ON l.customer_id = p.customer_id AND l.operation_id = p.operation_id
-- Of a deposit parts may be given back.
LEFT JOIN credits_internal.reversals r ON r.customer_id = p.customer_id AND r.reversed_operation_id = p.operation_id
    AND i.billing_reason NOT IN ('deposit', 'overdraft_protection')
WHERE p.paid_from = 'wallet'
  AND ((o.function, o.currency, o.amount, -l.total) IS DISTINCT FROM ('invoice_pay', i.currency, p.amount, p.amount)
       OR (r.operation_id, r.amount) IS DISTINCT FROM (p.reversal_id, CASE WHEN p.reversal_id IS NOT NULL
                                                                           THEN p.amount END))
UNION ALL
SELECT 'deposit: what paid an invoice is of none, of another currency, or more than there was', p.customer_id,
       max(i.currency), 'invoice ' || p.deposit_id, max(d.amount_paid), sum(p.amount)
FROM credits_internal.invoice_payments p
LEFT JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
LEFT JOIN credits_internal.invoices d ON d.customer_id = p.customer_id AND d.invoice_id = p.deposit_id
WHERE p.deposit_id IS NOT NULL
GROUP BY p.customer_id, p.deposit_id
HAVING sum(p.amount) > coalesce(max(d.amount_paid), 0)
    OR NOT bool_and((d.billing_reason IN ('deposit', 'overdraft_protection') AND d.status = 'paid'
                     AND d.currency = i.currency AND i.subscription_id IS NOT NULL) IS TRUE)
UNION ALL
SELECT 'operation: it pays no invoice', o.customer_id, o.currency, 'operation ' || o.operation_id, o.amount, NULL
FROM credits_internal.operations o
WHERE o.function = 'invoice_pay'
  AND NOT EXISTS (SELECT FROM credits_internal.invoice_payments p
                  WHERE p.customer_id = o.customer_id
                    AND (p.operation_id = o.operation_id OR p.paid_from = 'outside' AND p.amount = o.amount))
UNION ALL
SELECT 'invoice line: it is paid and granted nothing, or granted before it is paid', l.customer_id, l.credit_currency,
       'line ' || l.invoice_line_id, CASE WHEN i.status = 'paid' THEN l.credits END, g.amount
FROM credits_internal.invoice_lines l
LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = l.customer_id AND g.grant_id = l.grant_id
-- What a subscription's line grants has rules of its own: it comes in instalments.
WHERE (l.subscription_item_id IS NULL
       AND (l.credits IS NOT NULL AND i.status IS NOT DISTINCT FROM 'paid') <> (l.grant_id IS NOT NULL))
   OR (l.grant_id IS NOT NULL
       AND ((g.currency, g.cost_currency) IS DISTINCT FROM (l.credit_currency, l.currency)
            OR (l.subscription_item_id IS NULL AND g.amount <> l.credits)))
UNION ALL
SELECT 'invoiced credits: they are closed and their invoice is not, or the reverse', o.customer_id, o.currency,
       'grant ' || o.grant_id || ' of invoice ' || o.invoice_id, o.credits, NULL
FROM credits_internal.invoiced_credits o
LEFT JOIN credits_internal.invoices i ON i.customer_id = o.customer_id AND i.invoice_id = o.invoice_id
WHERE o.status IS DISTINCT FROM CASE i.status WHEN 'paid' THEN 'paid' WHEN 'void' THEN 'returned'
                                              WHEN 'open' THEN 'invoiced' WHEN 'uncollectible' THEN 'invoiced' END
UNION ALL
SELECT 'invoiced credits: their grant is not there, or of another amount', o.customer_id, o.currency,
       'grant ' || o.grant_id, o.credits, g.amount
FROM credits_internal.invoiced_credits o
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
WHERE (g.amount, g.currency) IS DISTINCT FROM (o.credits, o.currency)
UNION ALL
SELECT 'invoiced credits: they are to be owed again once where their invoice is void, and nowhere else', o.customer_id,
       o.currency, 'grant ' || o.grant_id, (o.status = 'returned')::integer, count(r.operation_id)
FROM credits_internal.invoiced_credits o
LEFT JOIN credits_internal.operations p
       ON p.customer_id = o.customer_id AND p.grant_id = o.grant_id AND p.function = 'invoice_void'
LEFT JOIN credits_internal.reclaims r ON r.customer_id = p.customer_id AND r.operation_id = p.operation_id
GROUP BY o.customer_id, o.currency, o.grant_id, o.status
HAVING count(r.operation_id) <> (o.status = 'returned')::integer
UNION ALL
SELECT 'grant: two lines of invoices name it', l.customer_id, l.credit_currency, 'grant ' || l.grant_id, 1, count(*)
FROM credits_internal.invoice_lines l WHERE l.grant_id IS NOT NULL
GROUP BY 1, 2, 3, l.grant_id HAVING count(*) > 1
UNION ALL
SELECT 'invoice: what is left of a total below zero is not pending once, or on one invoice', i.customer_id, i.currency,
       'invoice ' || i.invoice_id, CASE WHEN i.status <> 'draft' THEN least(i.total, 0) ELSE 0 END,
       coalesce(l.amount, 0)
FROM credits_internal.invoices i
LEFT JOIN (SELECT l.customer_id, l.from_invoice_id, sum(l.amount) AS amount, count(*) AS lines
           FROM credits_internal.invoice_lines l
           LEFT JOIN credits_internal.invoices o ON o.customer_id = l.customer_id AND o.invoice_id = l.invoice_id
           WHERE l.from_invoice_id IS NOT NULL AND o.status IS DISTINCT FROM 'void' GROUP BY 1, 2) l
       ON l.customer_id = i.customer_id AND l.from_invoice_id = i.invoice_id
WHERE CASE WHEN i.status <> 'draft' THEN least(i.total, 0) ELSE 0 END <> coalesce(l.amount, 0) OR l.lines > 1
UNION ALL
SELECT 'invoices: their numbers have a gap', n.customer_id, NULL, 'prefix ' || n.prefix, n.last_no, i.given
FROM credits_internal.invoice_numbers n
LEFT JOIN (SELECT i.customer_id, i.number_prefix, count(*) AS given, max(i.number_no) AS last_no
           FROM credits_internal.invoices i WHERE i.number IS NOT NULL GROUP BY 1, 2) i
       ON i.customer_id = n.customer_id AND i.number_prefix = n.prefix
WHERE (i.given, i.last_no) IS DISTINCT FROM (n.last_no, n.last_no)
UNION ALL
SELECT 'invoice: its number was never given', i.customer_id, i.currency, 'invoice ' || i.invoice_id, NULL, i.number_no
FROM credits_internal.invoices i
WHERE i.number IS NOT NULL
  AND NOT EXISTS (SELECT FROM credits_internal.invoice_numbers n
                  WHERE n.customer_id = i.customer_id AND n.prefix = i.number_prefix AND n.last_no >= i.number_no);
CREATE OR REPLACE VIEW credits_internal.event_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'billing events: their numbers have a gap', e.customer_id, NULL, e.object_type || ' ' || e.object_id,
       c.last_seq - e.first_seq + 1, e.kept
FROM (SELECT e.customer_id, e.object_type, e.object_id, count(*) AS kept, min(e.object_seq) AS first_seq,
             max(e.object_seq) AS last_seq
      FROM credits_internal.billing_events e GROUP BY 1, 2, 3) e
LEFT JOIN credits_internal.billing_event_counters c ON c.object_type = e.object_type AND c.object_id = e.object_id
WHERE (c.last_seq, e.kept) IS DISTINCT FROM (e.last_seq, e.last_seq - e.first_seq + 1)
UNION ALL
SELECT 'webhook deliveries: events of one object are under way at once', NULL, NULL,
       'webhook endpoint ' || d.webhook_endpoint_id || ', ' || d.object_type || ' ' || d.object_id, 1, count(*)
FROM credits_internal.webhook_deliveries d
WHERE d.in_order AND d.status IN ('due', 'sending')
GROUP BY d.webhook_endpoint_id, d.object_type, d.object_id
HAVING count(*) > 1
UNION ALL
SELECT 'webhook delivery: it waits for nothing', NULL, NULL,
       'webhook endpoint ' || d.webhook_endpoint_id || ', event ' || d.event_id, NULL, NULL
FROM credits_internal.webhook_deliveries d
WHERE d.status = 'waiting'
  AND NOT EXISTS (SELECT FROM credits_internal.webhook_deliveries b
                  WHERE b.webhook_endpoint_id = d.webhook_endpoint_id AND b.object_type = d.object_type
                    AND b.object_id = d.object_id AND b.object_seq < d.object_seq AND b.in_order
                    AND b.status IN ('due', 'sending'))
UNION ALL
SELECT 'webhook endpoint: it has no secret, and is sent nothing', NULL, NULL,
       'webhook endpoint ' || w.webhook_endpoint_id, NULL, NULL
FROM credits_internal.webhook_endpoints w
WHERE NOT EXISTS (SELECT FROM credits_internal.webhook_secrets s WHERE s.webhook_endpoint_id = w.webhook_endpoint_id)
   OR NOT EXISTS (SELECT FROM credits_internal.webhook_health h WHERE h.webhook_endpoint_id = w.webhook_endpoint_id)
UNION ALL
SELECT 'webhook delivery: no such endpoint', NULL, NULL, 'webhook endpoint ' || d.webhook_endpoint_id, NULL, count(*)
FROM credits_internal.webhook_deliveries d
WHERE NOT EXISTS (SELECT FROM credits_internal.webhook_endpoints w
                  WHERE w.webhook_endpoint_id = d.webhook_endpoint_id)
GROUP BY d.webhook_endpoint_id;
CREATE OR REPLACE VIEW credits_internal.stock_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'stock: taken is not what is reserved' AS problem, NULL::text AS customer_id, NULL::text AS currency,
       'price ' || coalesce(s.price_id, r.price_id) AS subject, coalesce(r.held, 0)::numeric AS expected,
       s.taken::numeric AS found
FROM credits_internal.price_stock s
FULL JOIN (SELECT r.price_id, sum(r.quantity) AS held FROM credits_internal.stock_reservations r
           WHERE r.released_at IS NULL GROUP BY r.price_id) r ON r.price_id = s.price_id
WHERE s.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
SELECT 'stock: an invoice holds other than its lines', r.customer_id, i.currency,
       'invoice ' || i.invoice_id || ', price ' || r.price_id,
       CASE WHEN i.status = 'void' THEN 0 ELSE coalesce(l.quantity, 0) END, r.quantity
FROM credits_internal.stock_reservations r
JOIN credits_internal.invoices i ON i.customer_id = r.customer_id AND i.invoice_id = r.holder_id
CROSS JOIN LATERAL (
    SELECT sum(l.quantity) AS quantity FROM credits_internal.invoice_lines l
    WHERE l.customer_id = r.customer_id AND l.invoice_id = r.holder_id AND l.price_id = r.price_id) l
WHERE r.released_at IS NULL AND (i.status = 'void' OR r.quantity <> coalesce(l.quantity, 0));
CREATE OR REPLACE VIEW credits_internal.discount_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'discounts: taken of a coupon is not what is held' AS problem, NULL::text AS customer_id,
       NULL::text AS currency, 'coupon ' || coalesce(u.coupon_id, r.coupon_id) AS subject,
       coalesce(r.held, 0)::numeric AS expected, u.taken::numeric AS found
FROM credits_internal.coupon_counters u
FULL JOIN (SELECT r.coupon_id, count(*) AS held FROM credits_internal.redemptions r
           WHERE r.released_at IS NULL AND NOT r.over_quota GROUP BY r.coupon_id) r ON r.coupon_id = u.coupon_id
WHERE u.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
SELECT 'discounts: taken of a code is not what is held', NULL, NULL,
       'promotion code ' || coalesce(u.promotion_code_id, r.promotion_code_id), coalesce(r.held, 0), u.taken
FROM credits_internal.promotion_code_counters u
FULL JOIN (SELECT r.promotion_code_id, count(*) AS held FROM credits_internal.redemptions r
           WHERE r.released_at IS NULL AND NOT r.over_quota AND r.promotion_code_id IS NOT NULL
           GROUP BY r.promotion_code_id) r ON r.promotion_code_id = u.promotion_code_id
WHERE u.taken IS DISTINCT FROM coalesce(r.held, 0)
UNION ALL
-- A coupon or a code has a counter, and a counter is of one.
SELECT 'discounts: a coupon without a counter, or the other way round', NULL, NULL,
       'coupon ' || coalesce(c.coupon_id, u.coupon_id), num_nonnulls(c.coupon_id), num_nonnulls(u.coupon_id)
FROM credits_internal.coupons c
FULL JOIN credits_internal.coupon_counters u ON u.coupon_id = c.coupon_id
WHERE c.coupon_id IS NULL OR u.coupon_id IS NULL
UNION ALL
SELECT 'discounts: a code without a counter, or the other way round', NULL, NULL,
       'promotion code ' || coalesce(p.promotion_code_id, u.promotion_code_id), num_nonnulls(p.promotion_code_id),
       num_nonnulls(u.promotion_code_id)
FROM credits_internal.promotion_codes p
FULL JOIN credits_internal.promotion_code_counters u ON u.promotion_code_id = p.promotion_code_id
WHERE p.promotion_code_id IS NULL OR u.promotion_code_id IS NULL
UNION ALL
SELECT 'discounts: a redemption of what was never used, or of another coupon''s code', r.customer_id, r.currency,
       r.holder_type || ' ' || r.holder_id, NULL, NULL
FROM credits_internal.redemptions r
LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
LEFT JOIN credits_internal.coupon_counters u ON u.coupon_id = r.coupon_id
WHERE u.first_used_at IS NULL OR r.promotion_code_id IS NOT NULL AND p.coupon_id IS DISTINCT FROM r.coupon_id
UNION ALL
SELECT 'discounts: the log is not numbered without gaps', coalesce(l.customer_id, r.customer_id), r.currency,
       'holder ' || coalesce(l.holder_id, r.holder_id), r.last_log_no, l.rows
FROM credits_internal.redemptions r
FULL JOIN (SELECT l.customer_id, l.holder_id, count(*) AS rows, max(l.log_no) AS last_no
           FROM credits_internal.discount_log l GROUP BY l.customer_id, l.holder_id) l
    ON l.customer_id = r.customer_id AND l.holder_id = r.holder_id
WHERE r.last_log_no IS DISTINCT FROM coalesce(l.rows, 0) OR l.rows <> l.last_no
   -- Of what was never held.
   OR (r.last_log_no = 0 AND r.released_at IS NULL)
UNION ALL
-- What the log said last is what the redemption is.
SELECT 'discounts: the log says other than the redemption', r.customer_id, r.currency,
       r.holder_type || ' ' || r.holder_id, r.amount, l.amount
FROM credits_internal.redemptions r
JOIN credits_internal.discount_log l
    ON l.customer_id = r.customer_id AND l.holder_id = r.holder_id AND l.log_no = r.last_log_no
WHERE (l.coupon_id, l.amount, l.currency) IS DISTINCT FROM (r.coupon_id, r.amount, r.currency)
   OR l.promotion_code_id IS DISTINCT FROM r.promotion_code_id
   OR l.action <> ALL (CASE WHEN r.over_quota THEN ARRAY['over_quota', 'ended']
                            WHEN r.confirmed_at IS NOT NULL THEN ARRAY['confirmed', 'ended']
                            WHEN r.released_at IS NOT NULL THEN ARRAY['released', 'removed']
                            ELSE ARRAY['applied'] END)
UNION ALL
-- A voucher's credits are what it gave, and no voucher waits to be paid for.
SELECT 'discounts: a voucher gave other than its grant has', r.customer_id, r.currency, 'grant ' || r.holder_id,
       r.amount, g.amount
FROM credits_internal.redemptions r
LEFT JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.holder_id
WHERE r.holder_type = 'voucher'
  AND (g.amount IS DISTINCT FROM r.amount OR g.currency IS DISTINCT FROM r.currency OR r.confirmed_at IS NULL);
CREATE OR REPLACE VIEW credits_internal.checkout_discrepancies (problem, customer_id, currency, subject, expected, found) AS
SELECT 'checkout session: it is complete and its invoice is not paid, or the reverse' AS problem, s.customer_id,
       s.currency, 'session ' || s.checkout_session_id AS subject, s.amount_total AS expected, i.amount_paid AS found
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE (s.status = 'complete') <> (i.status IS NOT DISTINCT FROM 'paid'
                                  OR (s.subscription_id IS NOT NULL AND s.invoice_id IS NULL))
   OR (s.invoice_id IS NOT NULL
       AND (i.checkout_session_id, i.currency) IS DISTINCT FROM (s.checkout_session_id, s.currency))
UNION ALL
SELECT 'checkout session: what it comes to is not what its invoice does', s.customer_id, s.currency,
       'session ' || s.checkout_session_id, i.total, s.amount_total
FROM credits_internal.checkout_sessions s
JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE (s.amount_subtotal, s.amount_discount, s.amount_tax, s.amount_total)
      IS DISTINCT FROM (i.subtotal, i.discount, i.tax, i.total)
   OR (s.payment_status = 'no_payment_required') <> (s.status = 'complete' AND i.total = 0)
UNION ALL
SELECT 'checkout session: it is complete and its subscription has not begun, or the reverse',
       coalesce(s.customer_id, b.customer_id), coalesce(s.currency, b.currency),
       'session ' || coalesce(s.checkout_session_id, b.checkout_session_id), NULL, NULL
FROM (SELECT * FROM credits_internal.checkout_sessions s WHERE s.subscription_id IS NOT NULL) s
FULL JOIN (SELECT * FROM credits_internal.subscriptions b WHERE b.checkout_session_id IS NOT NULL) b
       ON b.customer_id = s.customer_id AND b.subscription_id = s.subscription_id
LEFT JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE b.checkout_session_id IS DISTINCT FROM s.checkout_session_id
   OR (s.status = 'complete') <> (b.status NOT IN ('incomplete', 'incomplete_expired')
                                  AND i.status IS DISTINCT FROM 'draft')
   OR (s.status = 'expired' AND b.ended_at IS NULL)
   OR i.subscription_id <> b.subscription_id
UNION ALL
SELECT 'checkout session: it is over and its payment intent is not, or it is under way otherwise', s.customer_id,
       s.currency, 'session ' || s.checkout_session_id, s.amount_total, t.amount
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.payment_intents t
       ON t.customer_id = s.customer_id AND t.payment_intent_id = s.checkout_session_id
WHERE (s.status = 'expired' AND t.status IN ('requires_payment_method', 'requires_action', 'processing'))
   OR s.under_way <> (s.status = 'open' AND t.status IS NOT DISTINCT FROM 'processing')
   OR (s.status = 'open' AND t.status IN ('succeeded', 'canceled'))
   OR t.invoice_id <> s.invoice_id
UNION ALL
SELECT 'checkout session: its lines do not add up to it', s.customer_id, s.currency,
       'session ' || s.checkout_session_id, l.subtotal, s.amount_subtotal
FROM credits_internal.checkout_sessions s
CROSS JOIN LATERAL (
    SELECT sum((e.item->>'amount')::numeric) AS subtotal, sum((e.item->>'amount_discount')::numeric) AS discount,
           sum((e.item->>'amount_tax')::numeric) AS tax
    FROM jsonb_array_elements(s.line_items) AS e (item)) l
WHERE s.status = 'open'
  AND (l.subtotal, l.discount, l.tax) IS DISTINCT FROM (s.amount_subtotal, s.amount_discount, s.amount_tax)
UNION ALL
SELECT 'checkout session: an item costs other than its price says', s.customer_id, s.currency,
       'session ' || s.checkout_session_id || ', price ' || p.price_id,
       round(p.unit_amount * (e.item->>'quantity')::numeric, c.decimals), (e.item->>'amount')::numeric
FROM credits_internal.checkout_sessions s
JOIN credits_internal.currencies c ON c.currency = s.currency
CROSS JOIN LATERAL jsonb_array_elements(s.line_items) AS e (item)
JOIN credits_internal.prices p ON p.price_id = (e.item->>'price_id')::uuid AND p.pricing IS NULL
-- Of a recurring price a trial is free, and a part of a period is paid in proportion.
WHERE e.item->>'custom_amount' IS NULL AND p.recurring IS NULL
  AND (e.item->>'amount')::numeric <> round(p.unit_amount * (e.item->>'quantity')::numeric, c.decimals)
UNION ALL
SELECT 'checkout session: its discount is not its invoice''s, or not what is taken off', s.customer_id, s.currency,
       'session ' || s.checkout_session_id, s.amount_off, s.amount_discount
FROM credits_internal.checkout_sessions s
LEFT JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.invoice_id = s.invoice_id
WHERE (i.invoice_id IS NOT NULL
       -- A subscription's takes nothing off a trial.
       AND (i.coupon_id IS NOT NULL OR s.mode = 'payment' OR s.amount_discount <> 0)
       AND (i.coupon_id, i.promotion_code_id) IS DISTINCT FROM (s.coupon_id, s.promotion_code_id))
   OR (s.status = 'open' AND s.invoice_id IS NULL AND s.amount_discount <> coalesce(s.amount_off, 0))
UNION ALL
-- What is paid for was used, and what was used is paid for.
SELECT 'checkout session: its invoice is paid and its discount is not used, or the reverse', i.customer_id, i.currency,
       'invoice ' || i.invoice_id, i.discount, r.amount
FROM credits_internal.invoices i
FULL JOIN (SELECT r.customer_id, r.holder_id, r.coupon_id, r.promotion_code_id, r.amount, r.confirmed_at
           FROM credits_internal.redemptions r WHERE r.holder_type = 'invoice') r
       ON r.customer_id = i.customer_id AND r.holder_id = i.invoice_id
WHERE i.subscription_id IS NULL
  AND ((i.coupon_id, i.promotion_code_id) IS DISTINCT FROM (r.coupon_id, r.promotion_code_id)
   OR (i.coupon_id IS NOT NULL AND (i.status = 'paid') <> (r.confirmed_at IS NOT NULL)))
UNION ALL
SELECT 'invoice: no checkout session has it', i.customer_id, i.currency, 'invoice ' || i.invoice_id, i.total, NULL
FROM credits_internal.invoices i
LEFT JOIN credits_internal.checkout_sessions s
       ON s.customer_id = i.customer_id AND s.checkout_session_id = i.checkout_session_id
WHERE i.checkout_session_id IS NOT NULL AND s.invoice_id IS DISTINCT FROM i.invoice_id
UNION ALL
SELECT 'checkout: a price is sold that counts as unused', x.customer_id, NULL, 'price ' || x.price_id, NULL, NULL
FROM (SELECT s.customer_id, e.item->>'price_id' AS price_id
      FROM credits_internal.checkout_sessions s CROSS JOIN LATERAL jsonb_array_elements(s.line_items) AS e (item)
      UNION
      SELECT NULL, e.item->>'price_id'
      FROM credits_internal.payment_links l CROSS JOIN LATERAL jsonb_array_elements(l.line_items) AS e (item)) x
WHERE NOT EXISTS (SELECT FROM credits_internal.price_usage u WHERE u.price_id = x.price_id::uuid)
UNION ALL
SELECT 'recharge configuration: its payment link sells another price', NULL, r.currency, 'link ' || l.payment_link_id,
       NULL, NULL
FROM credits_internal.recharge_configs r
LEFT JOIN credits_internal.payment_links l ON l.recharge_currency = r.currency
WHERE (l.line_items->0->>'price_id')::uuid IS DISTINCT FROM r.base_price_id;
CREATE OR REPLACE VIEW credits_internal.subscription_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH periods AS (
    SELECT p.*, lag(p.period_end) OVER w AS last_end, lead(p.period_start) OVER w AS next_start
    FROM credits_internal.subscription_periods p
    WINDOW w AS (PARTITION BY p.customer_id, p.subscription_id ORDER BY p.period_start)
), instalments AS (
    SELECT g.*, l.invoice_id, l.proration, l.currency, l.credits AS line_credits, l.credit_currency, m.subscription_id,
           i.status AS invoice_status
    FROM credits_internal.invoice_line_grants g
    LEFT JOIN credits_internal.invoice_lines l
           ON l.customer_id = g.customer_id AND l.invoice_line_id = g.invoice_line_id
    LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
    LEFT JOIN credits_internal.subscription_items m
           ON m.customer_id = l.customer_id AND m.subscription_item_id = l.subscription_item_id
)
SELECT 'subscription: its periods have a gap or an overlap' AS problem, p.customer_id, NULL::text AS currency,
       'subscription ' || p.subscription_id || ', ' || p.period_start AS subject, NULL::numeric AS expected,
       NULL::numeric AS found
FROM periods p
JOIN credits_internal.subscriptions s ON s.customer_id = p.customer_id AND s.subscription_id = p.subscription_id
-- A provider may begin a period before the last one is over, and one that nobody pays is none here.
WHERE s.collection_method <> 'external'
  AND (p.last_end > p.period_start OR (p.last_end < p.period_start AND NOT p.resumed))
UNION ALL
SELECT 'subscription: its period is not its last one, or of no subscription', coalesce(s.customer_id, p.customer_id),
       s.currency, 'subscription ' || coalesce(s.subscription_id, p.subscription_id), NULL, NULL
FROM credits_internal.subscriptions s
FULL JOIN (SELECT * FROM periods WHERE next_start IS NULL) p
       ON p.customer_id = s.customer_id AND p.subscription_id = s.subscription_id
WHERE CASE WHEN s.collection_method = 'external' THEN s.current_period_start < p.period_start
           ELSE (s.current_period_start, s.current_period_end) IS DISTINCT FROM (p.period_start, p.period_end) END
UNION ALL
SELECT 'subscription: the invoice of a period is another''s, or of two', p.customer_id, i.currency,
       'subscription ' || p.subscription_id || ', ' || p.period_start, NULL, NULL
FROM credits_internal.subscription_periods p
LEFT JOIN credits_internal.invoices i ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
WHERE (p.invoice_id IS NULL AND p.kind <> 'trial'
       -- Usage alone is invoiced after its period.
       AND NOT EXISTS (SELECT FROM credits_internal.usage_record_summaries u
                       WHERE u.customer_id = p.customer_id AND u.subscription_id = p.subscription_id
                         AND u.period_start = p.period_start))
   OR (p.invoice_id IS NOT NULL
       AND (i.subscription_id IS DISTINCT FROM p.subscription_id
            OR EXISTS (SELECT FROM credits_internal.subscription_periods o
                       WHERE o.customer_id = p.customer_id AND o.subscription_id = p.subscription_id
                         AND o.invoice_id = p.invoice_id AND o.period_start <> p.period_start)
               -- A provider may bill items of several intervals together.
               AND NOT EXISTS (SELECT FROM credits_internal.subscriptions s
                               WHERE s.customer_id = p.customer_id AND s.subscription_id = p.subscription_id
                                 AND s.collection_method = 'external')))
UNION ALL
SELECT 'subscription: it is over and something is still to come, or the reverse', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
WHERE (s.ended_at IS NOT NULL AND s.next_change_at IS DISTINCT FROM s.usage_closes_at)
   OR (s.status IN ('trialing', 'active', 'past_due') AND s.next_change_at IS NULL
       AND s.collection_method <> 'external')
   -- One that began in a checkout session ends with that.
   OR (s.status = 'incomplete' AND s.collection_method <> 'external'
       AND (s.next_change_at IS NULL) <> (s.checkout_session_id IS NOT NULL))
   OR (s.collection_method = 'external' AND s.next_change_at IS NOT NULL)
UNION ALL
SELECT 'subscription: its provider bills it, and an invoice of it is to be paid here', s.customer_id, i.currency,
       'invoice ' || i.invoice_id, NULL, i.amount_due - i.amount_paid
FROM credits_internal.subscriptions s
JOIN credits_internal.invoices i ON i.customer_id = s.customer_id AND i.subscription_id = s.subscription_id
WHERE s.collection_method = 'external' AND i.status IN ('open', 'uncollectible')
UNION ALL
SELECT 'subscription: its provider''s name for it is another''s, or claimed by none', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
LEFT JOIN credits_internal.plan_references r
       ON r.provider = s.provider AND r.kind = 'subscription' AND r.reference = s.provider_reference
WHERE s.provider_reference IS NOT NULL
  AND (r.customer_id, r.object_id) IS DISTINCT FROM (s.customer_id, s.subscription_id)
UNION ALL
SELECT 'subscription: a period of it has granted an item twice', l.customer_id, l.credit_currency,
       'item ' || l.subscription_item_id || ', ' || l.period_start, 1, count(*)
FROM credits_internal.invoice_lines l
JOIN credits_internal.subscription_items m
  ON m.customer_id = l.customer_id AND m.subscription_item_id = l.subscription_item_id
JOIN credits_internal.subscriptions s ON s.customer_id = m.customer_id AND s.subscription_id = m.subscription_id
WHERE s.collection_method = 'external' AND NOT l.proration AND l.credits IS NOT NULL
GROUP BY l.customer_id, l.credit_currency, l.subscription_item_id, l.period_start HAVING count(*) > 1
UNION ALL
SELECT 'subscription: an invoice of it is of no subscription', i.customer_id, i.currency, 'invoice ' || i.invoice_id,
       NULL, NULL
FROM credits_internal.invoices i
LEFT JOIN credits_internal.subscriptions s
       ON s.customer_id = i.customer_id AND s.subscription_id = i.subscription_id
WHERE (i.subscription_id IS NOT NULL AND s.subscription_id IS NULL)
   OR (i.billing_reason LIKE 'subscription\_%') <> (i.subscription_id IS NOT NULL)
UNION ALL
SELECT 'instalment: it is granted and not paid, or the reverse', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, g.credits, c.amount
FROM instalments g
LEFT JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.subscription_id IS NULL
   -- What comes with a change in mid-period may come before it is paid.
   OR (g.ended_at IS NULL AND (g.grant_id IS NOT NULL) <> (g.invoice_status IS NOT DISTINCT FROM 'paid')
       AND NOT (g.proration AND g.grant_id IS NOT NULL))
   OR (g.grant_id IS NOT NULL AND (c.amount, c.currency) IS DISTINCT FROM (g.credits, g.credit_currency))
UNION ALL
SELECT 'instalment: it is there twice, or missing', g.customer_id, g.credit_currency, 'line ' || g.invoice_line_id,
       g.line_credits, sum(g.credits) FILTER (WHERE g.revision = 1)
FROM instalments g GROUP BY g.customer_id, g.credit_currency, g.invoice_line_id, g.line_credits
HAVING sum(g.credits) FILTER (WHERE g.revision = 1) IS DISTINCT FROM g.line_credits
    OR count(*) FILTER (WHERE g.ended_at IS NULL) > count(DISTINCT g.instalment_no)
UNION ALL
SELECT 'instalment: two name one grant', g.customer_id, min(g.credit_currency), 'grant ' || g.grant_id, 1, count(*)
FROM instalments g WHERE g.grant_id IS NOT NULL
GROUP BY g.customer_id, g.grant_id HAVING count(*) > 1
UNION ALL
SELECT 'instalment: what was taken back is not what its operations say', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, coalesce(r.credits, 0),
       g.reclaimed
FROM instalments g
LEFT JOIN (SELECT r.customer_id, r.grant_id, sum(r.credits) AS credits FROM credits_internal.reclaims r
           WHERE r.undone_at IS NULL AND r.top_up_id IS NOT NULL GROUP BY 1, 2) r
       ON r.customer_id = g.customer_id AND r.grant_id = g.grant_id
WHERE g.ended_at IS NULL AND g.reclaimed <> coalesce(r.credits, 0)
UNION ALL
SELECT 'instalment: it begins after its subscription has ended', g.customer_id, g.credit_currency,
       'line ' || g.invoice_line_id || ', ' || g.instalment_no || ' of revision ' || g.revision, 0, g.credits
FROM instalments g
JOIN credits_internal.subscriptions s ON s.customer_id = g.customer_id AND s.subscription_id = g.subscription_id
JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
WHERE g.ended_at IS NULL AND c.status = 'pending' AND c.effective_at >= s.ended_at
UNION ALL
SELECT 'subscription: its discount is not reserved for it, or the reverse', coalesce(s.customer_id, r.customer_id),
       s.currency, 'subscription ' || coalesce(s.subscription_id, r.holder_id), NULL, NULL
FROM (SELECT * FROM credits_internal.subscriptions s WHERE s.coupon_id IS NOT NULL) s
FULL JOIN (SELECT * FROM credits_internal.redemptions r WHERE r.holder_type = 'subscription') r
       ON r.customer_id = s.customer_id AND r.holder_id = s.subscription_id
WHERE (s.coupon_id, s.promotion_code_id) IS DISTINCT FROM (r.coupon_id, r.promotion_code_id)
   -- Between a payment that failed and the next one others may have it.
   OR (s.ended_at IS NULL AND r.released_at IS NOT NULL
       AND NOT (s.status = 'incomplete' AND s.checkout_session_id IS NOT NULL));
CREATE OR REPLACE VIEW credits_internal.usage_record_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH summaries AS (
    SELECT s.*, 'usage ' || s.usage_record_summary_id AS subject, p.currency, p.unit_amount, p.pricing, f.decimals,
           lag(s.period_end) OVER w AS last_end, lag(s.summary_no) OVER w AS last_no,
           c.records AS closed_records, c.amount AS closed_amount, c.most_used
    FROM credits_internal.usage_record_summaries s
    LEFT JOIN credits_internal.prices p ON p.price_id = s.price_id
    LEFT JOIN credits_internal.currencies f ON f.currency = p.currency
    LEFT JOIN (SELECT c.customer_id, c.usage_record_summary_id, max(c.records) AS records, sum(c.amount) AS amount,
                      max(c.usage) AS most_used
               FROM credits_internal.usage_closings c GROUP BY 1, 2) c
           ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
    WINDOW w AS (PARTITION BY s.customer_id, s.subscription_item_id ORDER BY s.summary_no)
), states AS (
    SELECT s.customer_id, s.usage_record_summary_id, s.records, s.usage FROM credits_internal.usage_record_summaries s
    UNION
    SELECT c.customer_id, c.usage_record_summary_id, c.records, c.usage FROM credits_internal.usage_closings c
), moments AS (
    SELECT DISTINCT ON (t.customer_id, t.usage_record_summary_id, t.records, t.usage, r.used_at)
           t.customer_id, t.usage_record_summary_id, t.records, t.usage, r.used_at, r.value
    FROM states t
    JOIN credits_internal.usage_records r
      ON r.customer_id = t.customer_id AND r.usage_record_summary_id = t.usage_record_summary_id
     AND r.record_no <= t.records
    ORDER BY t.customer_id, t.usage_record_summary_id, t.records, t.usage, r.used_at, r.record_no DESC
), counted AS (
    SELECT m.customer_id, m.usage_record_summary_id, m.records, m.usage, sum(m.value) AS sum, max(m.value) AS max,
           (array_agg(m.value ORDER BY m.used_at DESC))[1] AS last
    FROM moments m GROUP BY 1, 2, 3, 4
)
SELECT 'usage: what was counted by then is not what was recorded' AS problem, s.customer_id, s.currency,
       s.subject || ', ' || c.records || ' records' AS subject,
       CASE s.aggregate_usage WHEN 'sum' THEN c.sum WHEN 'max' THEN c.max ELSE c.last END AS expected, c.usage AS found
FROM counted c
JOIN summaries s ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
WHERE c.usage <> CASE s.aggregate_usage WHEN 'sum' THEN c.sum WHEN 'max' THEN c.max ELSE c.last END
UNION ALL
SELECT 'usage: its last value is not that of its last record', s.customer_id, s.currency, s.subject, r.value,
       s.last_value
FROM summaries s
LEFT JOIN LATERAL (
    SELECT r.used_at, r.value FROM credits_internal.usage_record_summaries o
    JOIN credits_internal.usage_records r
      ON r.customer_id = o.customer_id AND r.usage_record_summary_id = o.usage_record_summary_id
    WHERE o.customer_id = s.customer_id AND o.subscription_item_id = s.subscription_item_id
      AND o.summary_no <= s.summary_no
    ORDER BY o.summary_no DESC, r.used_at DESC, r.record_no DESC LIMIT 1) r ON true
WHERE s.event_name IS NULL
  AND ((s.last_at, s.last_value) IS DISTINCT FROM (r.used_at, r.value)
       OR s.usage <> CASE s.aggregate_usage WHEN 'last_ever' THEN coalesce(r.value, 0) ELSE s.usage END
       OR (s.records = 0 AND s.aggregate_usage <> 'last_ever' AND s.usage <> 0))
UNION ALL
SELECT 'usage: a record is not in its period, or not counted', coalesce(s.customer_id, r.customer_id), s.currency,
       coalesce(s.subject, 'usage ' || r.usage_record_summary_id), r.records, s.records
FROM summaries s
FULL JOIN (
    SELECT r.customer_id, r.usage_record_summary_id, count(*) AS records, max(r.record_no) AS last_no,
           min(r.used_at) AS first_at, max(r.used_at) AS last_at,
           bool_and(r.value = r.quantity + CASE r.action WHEN 'set' THEN 0 ELSE coalesce(r.before, 0) END) AS adds_up
    FROM (SELECT r.*, lag(r.value) OVER w AS before FROM credits_internal.usage_records r
          WINDOW w AS (PARTITION BY r.customer_id, r.usage_record_summary_id, r.used_at ORDER BY r.record_no)) r
    GROUP BY 1, 2) r
       ON r.customer_id = s.customer_id AND r.usage_record_summary_id = s.usage_record_summary_id
WHERE ((s.records, s.records) IS DISTINCT FROM (coalesce(r.records, 0)::int, coalesce(r.last_no, 0))
       AND (s.event_name IS NULL OR r.records > 0))
   OR NOT r.adds_up OR r.first_at < s.period_start OR r.last_at > s.period_end
UNION ALL
SELECT 'usage: periods of an item overlap, or are not numbered', s.customer_id, s.currency, s.subject,
       coalesce(s.last_no, 0) + 1, s.summary_no
FROM summaries s
WHERE s.period_start < s.last_end OR s.summary_no <> coalesce(s.last_no, 0) + 1
UNION ALL
SELECT 'usage: what was invoiced is not what it cost', s.customer_id, s.currency, s.subject, s.closed_amount,
       s.invoiced_amount
FROM summaries s
WHERE s.invoiced_amount <> coalesce(s.closed_amount, 0)
   -- What is priced by the unit, in a whole period or where the unit is used up.
   OR (NOT s.free AND s.unit_amount IS NOT NULL AND s.pricing IS NULL AND s.closed_amount IS NOT NULL
       AND (s.aggregate_usage = 'sum' OR (s.period_start, s.period_end) = (s.whole_start, s.whole_end))
       AND s.closed_amount <> round(s.unit_amount * s.most_used, s.decimals))
UNION ALL
SELECT 'usage: it was recorded and will not be invoiced', s.customer_id, s.currency, s.subject, s.records,
       s.closed_records
FROM summaries s
WHERE s.closes_at IS NULL AND s.closed_records IS DISTINCT FROM s.records
UNION ALL
SELECT 'usage: its line is missing, another''s, or there twice', c.customer_id, l.currency,
       'usage ' || c.usage_record_summary_id || ', closing ' || c.closing_no, c.amount, l.amount
FROM credits_internal.usage_closings c
LEFT JOIN credits_internal.usage_record_summaries s
       ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
LEFT JOIN credits_internal.invoice_lines l ON l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id
WHERE s.customer_id IS NULL OR (c.invoice_line_id IS NULL AND c.amount <> 0)
   OR (c.invoice_line_id IS NOT NULL
       AND ((l.amount, l.subscription_item_id) IS DISTINCT FROM (c.amount, s.subscription_item_id)
            OR l.invoice_id IS NULL
            OR EXISTS (SELECT FROM credits_internal.usage_closings o
                       WHERE o.customer_id = c.customer_id AND o.invoice_line_id = c.invoice_line_id
                         AND (o.usage_record_summary_id, o.closing_no) <> (c.usage_record_summary_id, c.closing_no))))
UNION ALL
SELECT 'usage: its subscription closes it at another moment', s.customer_id, s.currency,
       'subscription ' || s.subscription_id, NULL, NULL
FROM credits_internal.subscriptions s
LEFT JOIN (SELECT o.customer_id, o.subscription_id, min(o.closes_at) AS closes_at
           FROM credits_internal.usage_record_summaries o GROUP BY 1, 2) o
       ON o.customer_id = s.customer_id AND o.subscription_id = s.subscription_id
WHERE s.usage_closes_at IS DISTINCT FROM o.closes_at
UNION ALL
SELECT 'usage: a metered item is not counted in its period', s.customer_id, s.currency,
       'item ' || m.subscription_item_id, NULL, NULL
FROM credits_internal.subscriptions s
JOIN credits_internal.subscription_items m
  ON m.customer_id = s.customer_id AND m.subscription_id = s.subscription_id AND m.removed_at IS NULL
WHERE m.quantity IS NULL AND s.ended_at IS NULL
  AND NOT EXISTS (
      SELECT FROM credits_internal.usage_record_summaries o
      WHERE o.customer_id = s.customer_id AND o.subscription_item_id = m.subscription_item_id
        AND o.price_id = m.price_id AND o.period_end = s.current_period_end)
  -- What a meter charges to the wallet is not counted.
  AND NOT EXISTS (SELECT FROM credits_internal.prices p
                  JOIN credits_internal.meters t ON t.event_name = p.recurring ->> 'meter'
                  WHERE p.price_id = m.price_id AND t.settlement <> 'invoice');
CREATE OR REPLACE VIEW credits_internal.invoiced_event_discrepancies (problem, customer_id, currency, subject, expected, found) AS
WITH metered AS (
    SELECT s.*, 'usage ' || s.usage_record_summary_id AS subject, m.aggregation, p.currency,
           p.unit_amount IS NULL AND p.pricing IS NULL AS asks_meter
    FROM credits_internal.usage_record_summaries s
    LEFT JOIN credits_internal.meters m ON m.event_name = s.event_name AND m.settlement = 'invoice'
    LEFT JOIN credits_internal.prices p ON p.price_id = s.price_id
    WHERE s.event_name IS NOT NULL
), closings AS (
    SELECT c.customer_id, c.usage_record_summary_id, c.closing_no, c.records, c.usage, c.invoice_line_id, c.amount
    FROM credits_internal.usage_closings c
    JOIN metered s ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
    UNION ALL
    -- As it stands.
    SELECT s.customer_id, s.usage_record_summary_id, NULL, s.records, s.usage, NULL, NULL FROM metered s
), counted AS (
    SELECT c.customer_id, c.usage_record_summary_id, c.closing_no, c.records, c.usage, count(e.identifier) AS events,
           sum(e.quantity) AS sum, max(e.quantity) AS max, count(DISTINCT e.counted) AS values,
           (array_agg(e.quantity ORDER BY e.occurred_at DESC, e.closing_no DESC, e.created_at DESC,
                                          e.identifier DESC))[1] AS last
    FROM closings c
    LEFT JOIN credits_internal.invoiced_events e
           ON e.customer_id = c.customer_id AND e.usage_record_summary_id = c.usage_record_summary_id
          AND (c.closing_no IS NULL OR e.closing_no <= c.closing_no)
    GROUP BY 1, 2, 3, 4, 5
)
SELECT 'invoiced event: it is charged, taken back, or not what its event says' AS problem, e.customer_id, e.currency,
       'event ' || e.identifier AS subject, e.value AS expected, i.quantity AS found
FROM credits_internal.meter_events e
JOIN credits_internal.meters m ON m.event_name = e.event_name AND m.settlement = 'invoice'
LEFT JOIN credits_internal.canceled_events x ON x.customer_id = e.customer_id AND x.identifier = e.identifier
LEFT JOIN credits_internal.invoiced_events i ON i.customer_id = e.customer_id AND i.identifier = e.identifier
WHERE (e.consumed, e.pending, e.price_version) <> (0, 0, 0)
   OR (i.identifier IS NULL) <> (x.identifier IS NOT NULL)
   OR (i.event_name, i.occurred_at, i.created_at) <> (e.event_name, e.occurred_at, e.created_at)
   OR i.quantity <> CASE WHEN m.aggregation IN ('count', 'unique') THEN 1 ELSE e.value END
   OR (i.identifier IS NOT NULL AND (i.counted IS NULL) = (m.aggregation = 'unique'))
UNION ALL
SELECT 'invoiced event: no such event of a meter that is invoiced', i.customer_id, NULL, 'event ' || i.identifier, NULL,
       i.quantity
FROM credits_internal.invoiced_events i
LEFT JOIN credits_internal.meter_events e ON e.customer_id = i.customer_id AND e.identifier = i.identifier
LEFT JOIN credits_internal.meters m ON m.event_name = e.event_name
WHERE m.settlement IS DISTINCT FROM 'invoice'
UNION ALL
SELECT 'invoiced event: what took it is not the period in which it happened', i.customer_id, s.currency,
       'event ' || i.identifier, NULL, i.quantity
FROM credits_internal.invoiced_events i
LEFT JOIN metered s ON s.customer_id = i.customer_id AND s.usage_record_summary_id = i.usage_record_summary_id
WHERE i.usage_record_summary_id IS NOT NULL
  AND (s.event_name = i.event_name AND i.occurred_at >= s.period_start AND i.occurred_at < s.period_end) IS NOT TRUE
UNION ALL
-- What was invoiced then, and what it comes to now.
SELECT 'usage: it is not what its events come to', c.customer_id, s.currency,
       s.subject || coalesce(', closing ' || c.closing_no, ''),
       CASE WHEN s.aggregation = 'unique' THEN c.values WHEN s.aggregate_usage = 'sum' THEN coalesce(c.sum, 0)
            WHEN s.aggregate_usage = 'max' THEN coalesce(c.max, 0) ELSE coalesce(c.last, 0) END, c.usage
FROM counted c
JOIN metered s ON s.customer_id = c.customer_id AND s.usage_record_summary_id = c.usage_record_summary_id
WHERE s.aggregation IS NULL OR c.events <> c.records
   OR c.usage <> CASE WHEN s.aggregation = 'unique' THEN c.values WHEN s.aggregate_usage = 'sum' THEN coalesce(c.sum, 0)
                      WHEN s.aggregate_usage = 'max' THEN coalesce(c.max, 0) ELSE coalesce(c.last, 0) END
UNION ALL
SELECT 'usage: its lines are not for what was used', s.customer_id, s.currency, s.subject, c.usage, c.quantity
FROM metered s
JOIN (SELECT c.customer_id, c.usage_record_summary_id, max(c.usage) AS usage, coalesce(sum(l.quantity), 0) AS quantity
      FROM closings c
      LEFT JOIN credits_internal.invoice_lines l
             ON l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id
      WHERE c.closing_no IS NOT NULL GROUP BY 1, 2) c
  ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
WHERE NOT s.free AND c.quantity <> c.usage
UNION ALL
-- At its meter's own price of the time when it began, where it was invoiced once, and is no part of how much there is.
SELECT 'usage: it is not invoiced at the price of its meter', s.customer_id, s.currency, s.subject, x.price, c.amount
FROM metered s
JOIN closings c ON c.customer_id = s.customer_id AND c.usage_record_summary_id = s.usage_record_summary_id
               AND c.closing_no = 1
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.aggregation IS NOT NULL
                THEN credits.usage_price(s.event_name, c.usage, customer_id => s.customer_id,
                                         occurred_at => s.period_start) END AS price) x
WHERE s.asks_meter AND NOT s.free AND x.price <> c.amount
  AND (s.aggregate_usage = 'sum' OR (s.period_start, s.period_end) = (s.whole_start, s.whole_end));
CREATE OR REPLACE FUNCTION credits.verify(customer_id text DEFAULT NULL)
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
CREATE OR REPLACE VIEW credits_internal.function_docs AS
SELECT p.oid AS function, p.proname::text AS name, p.prokind = 'p' AS is_procedure, s.subject_no, s.subject,
       regexp_replace(split_part(d.comment, E'\n\n', 1), '\s+', ' ', 'g') AS summary,
       regexp_replace(substring(d.comment, '^.+?\.(?=\s|$)'), '\s+', ' ', 'g') AS first_sentence,
       ARRAY(SELECT regexp_replace(r.rule, '\s+', ' ', 'g')
             FROM string_to_table(d.comment, E'\n\n') WITH ORDINALITY AS r(rule, no)
             WHERE r.no > 1 AND r.rule !~ '^(Raises |[A-Za-z_]+: )' ORDER BY r.no) AS rules,
       ARRAY(SELECT c.code[1]
             FROM regexp_matches(substring(d.comment, '\nRaises ([^\n]*)'), 'PC\d+', 'g') AS c(code)) AS raises,
       regexp_replace(substring(d.comment, '\nExample: (.*)$'), '\n +', E'\n', 'g') AS example
FROM pg_proc p
CROSS JOIN LATERAL (SELECT obj_description(p.oid, 'pg_proc') AS comment) AS d
LEFT JOIN LATERAL (
    SELECT v.subject_no, v.subject
    FROM (VALUES
        (1, 'Customers and currencies', '^(customer|currency)_'),
        (2, 'Grants', '^(credit_grant|wallet_credit$)'),
        (3, 'Balances',
            '^(account_configure|(balance_alert|member_limit|usage_limit)_set|credit_availability|explain_drawdown|'
                || 'pending_amount|wallet_balance)'),
        (4, 'Spending', '^(wallet_(adjust|debit|transfer|try_debit)$|hold_|operation_reverse$)'),
        (5, 'Meters', '^(meter_(activate|create|deactivate|update|price_override(_end)?)|usage_price)$'),
        (6, 'Usage', '^(inbox_|meter_event_|report_meter_event|settle$|usage_summary$|credit_transaction_)'),
        (7, 'Catalogue',
            '^(configure_recharge$|coupon_|exchange_rate|package_|price_|product_|promotion_code_|recharge_config$|'
                || 'voucher_)'),
        (8, 'Purchases and payments', '^(payment_(?!link_)|refund_|top_up_|webhook_receive$)'),
        (9, 'Checkout', '^(checkout_session|payment_link)_'),
        (10, 'Invoices', '^(my_)?invoice_'),
        (17, 'Subscriptions', '^(subscription|usage_record)_'),
        (11, 'Auto-recharge', '^(auto_recharge_|configure_auto_recharge$|recharge_begin$)'),
        (12, 'Outbox', '^outbox_'),
        (18, 'Webhook endpoints', '^webhook_(?!receive$)'),
        (13, 'Billing pages', '^(billing_|current_customer$)'),
        (14, 'Search', '^search$'),
        (15, 'Ledger', '^(verify|wallet_history)$'),
        (16, 'Maintenance', '^(clock$|help$|history_import$|maintain|reset$)')
    ) AS v(subject_no, subject, names)
    WHERE p.proname::text ~ v.names
) AS s ON true
WHERE p.pronamespace = 'credits'::regnamespace;
DROP FUNCTION credits.configure_auto_recharge_of_before(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval, interval);
DROP FUNCTION credits.payment_refund_failed_of_before(text, uuid, text, text, text);
DROP FUNCTION credits.payment_refunded_of_before(text, uuid, text, text, numeric, numeric, text, text, text);
DROP FUNCTION credits.package_create_of_before(text, numeric, numeric, text, text, text, text, integer, interval, text[], jsonb);
DROP FUNCTION credits.price_create_of_before(uuid, text, numeric, text, jsonb);
DROP FUNCTION credits.product_update_of_before(uuid, text, text, numeric, text, integer, interval, text[], jsonb);
DROP FUNCTION credits.product_create_of_before(text, text, text, numeric, text, integer, interval, text[], jsonb);
DROP FUNCTION credits.usage_price_of_before(text, numeric, jsonb, integer, text);
DROP FUNCTION credits.pending_amount_of_before(text, text);
DROP FUNCTION credits.report_meter_events_of_before(text[], text[], numeric[], text[], timestamptz[], boolean);
DROP FUNCTION credits.report_meter_event_of_before(text, text, numeric, text, timestamptz, text, jsonb, jsonb);
DROP FUNCTION credits.meter_update_of_before(text, text, numeric, text, text, text, jsonb, jsonb);
DROP FUNCTION credits.meter_create_of_before(text, text, text, numeric, text, text, text, text, text, text, jsonb, jsonb);
DROP FUNCTION credits.wallet_history_of_before(text, text, integer, bigint);
DROP FUNCTION credits.credit_grant_summary_of_before(text);
DROP FUNCTION credits.credit_grant_update_of_before(text, uuid, text, jsonb, integer, timestamptz);
DROP FUNCTION credits.credit_grant_expire_of_before(text, uuid);
DROP FUNCTION credits.credit_grant_void_of_before(text, uuid, text);
DROP FUNCTION credits.credit_grant_of_before(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text, text, jsonb);
DROP FUNCTION credits.hold_capture_of_before(text, uuid, numeric, text, jsonb);
DROP FUNCTION credits.hold_create_of_before(text, numeric, text, interval, text, text, jsonb);
DROP FUNCTION credits.wallet_try_debit_of_before(text, numeric, text, text, text, jsonb);
DROP FUNCTION credits.wallet_debit_of_before(text, numeric, text, text, text, jsonb);
DROP FUNCTION credits.credit_availability_of_before(text, numeric, text, numeric, integer);
DROP FUNCTION credits.customer_upsert_of_before(text, text, text, jsonb);
DROP FUNCTION credits.currency_create_of_before(text, text, integer, text, text, jsonb);
COMMENT ON COLUMN credits_internal.customers.phone IS 'Not checked; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.description IS 'The application''s own words; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.address IS 'Where it is billed; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.shipping IS 'Where goods are sent, and to whom; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.customers.invoice_prefix IS
'What the numbers of its invoices begin with, its own for ever: see invoice_prefixes.';
COMMENT ON COLUMN credits_internal.customers.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.customers.preferences IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.customers.time_zone IS
'The time zone whose calendar the periods of some meters are on; NULL for none, and once erased.';
COMMENT ON COLUMN credits_internal.customers.billing_anchor IS
'A moment at which a period of some meters begins; the others are counted from it. NULL for none.';
COMMENT ON TABLE credits_internal.invoice_prefixes IS
'Whose invoices have numbers that begin with it, for ever: no two customers have the same.';
COMMENT ON COLUMN credits_internal.invoice_prefixes.invoice_prefix IS '3 to 12 capital letters and digits.';
COMMENT ON COLUMN credits_internal.invoice_prefixes.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.accounts.overdraft_limit IS
'The most that it may owe, pending and invoiced; ''infinity'' for any.';
COMMENT ON COLUMN credits_internal.accounts.charge_above IS
'What a charge by that grant alone must leave more of available than: head_floor or evaluate_below, whichever is more;
infinity, for not at all, where limits are set, and where posted_at is later than its last line, until the next.';
COMMENT ON COLUMN credits_internal.accounts.limited IS
'Whether limits of what may be spent are set: see spending_limits.';
COMMENT ON COLUMN credits_internal.accounts.invoiced IS
'Owed, and on invoices that are not paid: no credits pay it, overdraft_limit counts it; NULL for nothing.';
COMMENT ON COLUMN credits_internal.credit_grants.status IS
'As posted: ''pending'' (not yet effective), ''granted'', ''depleted'', ''expired'', ''voided'', ''suspended''.';
COMMENT ON COLUMN credits_internal.credit_grants.remaining IS
'What is left as posted, of a suspended one too; of the head grant the account''s row has it: available less
head_floor.';
COMMENT ON COLUMN credits_internal.credit_grants.lapsed IS
'What of it expired, rolled over, was voided, or was taken back because its price was paid back.';
COMMENT ON COLUMN credits_internal.credit_grants.parts_ended IS
'How much of it was voided or expired in parts by hand, without what was owed for.';
COMMENT ON COLUMN credits_internal.credit_grants.suspended_at IS
'When it was suspended, if it still is, or was when it ended; NULL otherwise.';
COMMENT ON COLUMN credits_internal.credit_grants.suspended_reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits_internal.credit_grants.noticed_end IS
'The end that was published ahead of time; NULL for none.';
COMMENT ON COLUMN credits_internal.credit_grants.cost_amount IS
'What was paid for all of it, net of tax, in major units; NULL where that is not known.';
COMMENT ON COLUMN credits_internal.credit_grants.cost_currency IS 'The currency that it was paid in.';
COMMENT ON TABLE credits_internal.grant_rollovers IS
'Grants of which something goes on when their time runs out, and what they rolled over into.';
COMMENT ON COLUMN credits_internal.grant_rollovers.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.grant_rollovers.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.grant_rollovers.root_id IS
'The first of the grants that rolled over into one another up to this.';
COMMENT ON COLUMN credits_internal.grant_rollovers.generation IS 'How many of them came before it.';
COMMENT ON COLUMN credits_internal.grant_rollovers.percent IS 'So many percent of what remains go on.';
COMMENT ON COLUMN credits_internal.grant_rollovers.max IS 'At most so many credits; NULL for any.';
COMMENT ON COLUMN credits_internal.grant_rollovers.times_left IS 'So many times more; NULL for any number.';
COMMENT ON COLUMN credits_internal.grant_rollovers.lives IS
'How long what goes on lives, on the calendar in UTC.';
COMMENT ON COLUMN credits_internal.grant_rollovers.until IS
'Until when the next one lives, where that is known and not before it begins; NULL for so long as lives says.';
COMMENT ON COLUMN credits_internal.grant_rollovers.rolled_from IS
'The grant that rolled over into this; NULL for the first.';
COMMENT ON COLUMN credits_internal.grant_rollovers.rolled_to IS
'The grant that this rolled over into; NULL where it did not, or not yet.';
COMMENT ON COLUMN credits_internal.grant_rollovers.rolled_over IS 'How many credits went on, as posted.';
COMMENT ON TABLE credits_internal.operations IS
'What a caller asked for once: debits, holds, adjustments, reversals, transfers (one row on either side), and grants
under an idempotency key.';
COMMENT ON COLUMN credits_internal.operations.amount IS
'Credits taken, granted, held or moved; of an adjustment signed, of an import how many entries it had.';
COMMENT ON COLUMN credits_internal.operations.grant_id IS
'The grant, where it made one or ended part of one; of a debit that is its own line, the grant that paid.';
COMMENT ON COLUMN credits_internal.operations.reason IS
'For an adjustment, its reason; for a reversal, what a repeat of it is compared by; where part of a grant was ended,
''pending'' if spent credits are owed; of an import, a digest of its entries.';
COMMENT ON COLUMN credits_internal.operations.member_id IS 'The member who spent; NULL where the caller named none.';
COMMENT ON COLUMN credits_internal.credit_transactions.type IS
'''grant'' (credits took effect), ''consumption'' (they paid usage), ''debit'', ''debt'' (usage that no credit
covered), ''reversal'' (usage was taken back, or an operation reversed), ''hold'', ''capture'', ''release'',
''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund'', ''suspension'', ''resumption'', ''reinstatement'',
''rollover''.';
COMMENT ON COLUMN credits_internal.credit_transactions.created_at IS
'When it was posted, at the account''s time; of imported history, when it was imported.';
COMMENT ON COLUMN credits_internal.holds.grant_ids IS
'The grants that it has credits of, in the order in which they gave.';
COMMENT ON COLUMN credits_internal.holds.grant_amounts IS
'What it has of each of them: while it is open, what is neither spent nor given back; then what it had before it was
closed.';
COMMENT ON COLUMN credits_internal.holds.member_id IS 'The member who spends; NULL where the caller named none.';
COMMENT ON COLUMN credits_internal.holds.charged IS 'What its captures spent in addition to what was set aside.';
COMMENT ON COLUMN credits_internal.holds.updated_at IS
'When its amount or its end was changed last; NULL where neither was.';
COMMENT ON COLUMN credits_internal.holds.event_name IS
'The meter whose usage alone may be captured, so that credits for that meter may be held; NULL for anything.';
COMMENT ON TABLE credits_internal.hold_captures IS
'Captures of holds, except for those that spent no more than was held, closed the hold and had neither a key nor an
event: these are in the hold''s row. Each is an operation.';
COMMENT ON COLUMN credits_internal.hold_captures.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.hold_captures.hold_id IS 'The hold.';
COMMENT ON COLUMN credits_internal.hold_captures.capture_id IS 'The operation: of its ledger lines too.';
COMMENT ON COLUMN credits_internal.hold_captures.amount IS 'What was captured.';
COMMENT ON COLUMN credits_internal.hold_captures.held IS 'What of it the hold paid; the rest came from the balance.';
COMMENT ON COLUMN credits_internal.hold_captures.final IS 'Whether it was the last of the hold.';
COMMENT ON COLUMN credits_internal.hold_captures.late IS 'Whether it came after the hold had run out.';
COMMENT ON COLUMN credits_internal.hold_captures.identifier IS 'The meter event that it was; NULL for none.';
COMMENT ON COLUMN credits_internal.hold_captures.created_at IS 'When it was made, at the account''s time.';
COMMENT ON TABLE credits_internal.reversals IS
'What went back of what operations took, one operation each.';
COMMENT ON COLUMN credits_internal.reversals.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.reversals.operation_id IS 'The reversal''s own operation.';
COMMENT ON COLUMN credits_internal.reversals.reversed_operation_id IS
'The operation, or the hold, that took the credits.';
COMMENT ON COLUMN credits_internal.reversals.currency IS 'What it counts.';
COMMENT ON COLUMN credits_internal.reversals.reversed_type IS
'The type of the lines that took them, which says where in the journal they come back from: ''debit'', ''capture'',
''adjustment'' or ''refund''.';
COMMENT ON COLUMN credits_internal.reversals.amount IS 'How many went back.';
COMMENT ON COLUMN credits_internal.reversals.created_at IS 'When it was posted, at the account''s time.';
COMMENT ON COLUMN credits_internal.reversals.spent_at IS
'When the credits were spent, in whose window they give room back to limits; NULL for an adjustment, which counts
towards none.';
COMMENT ON COLUMN credits_internal.reversals.forgiven IS 'What of amount was owed, and is owed no longer.';
COMMENT ON TABLE credits_internal.spending_limits IS
'Limits of what may be spent, with what was spent in the window that each was last counted in. They change under their
account''s lock.';
COMMENT ON COLUMN credits_internal.spending_limits.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.spending_limits.currency IS 'What is counted.';
COMMENT ON COLUMN credits_internal.spending_limits.member_id IS
'The member whose spending it limits; empty for everybody''s.';
COMMENT ON COLUMN credits_internal.spending_limits.event_name IS
'The meter whose usage it limits; empty for any spending.';
COMMENT ON COLUMN credits_internal.spending_limits.per IS
'''day'' or ''month'' of the calendar in UTC, or the length of a rolling window.';
COMMENT ON COLUMN credits_internal.spending_limits.seconds IS 'The length of a rolling window; NULL otherwise.';
COMMENT ON COLUMN credits_internal.spending_limits.amount IS 'The most that may be spent in a window.';
COMMENT ON COLUMN credits_internal.spending_limits.action IS
'''reject'': more is refused. ''notify'': it is only published.';
COMMENT ON COLUMN credits_internal.spending_limits.created_at IS 'When it was set first.';
COMMENT ON COLUMN credits_internal.spending_limits.reported IS
'Whether it is published that the limit is reached, and there was no room since.';
COMMENT ON COLUMN credits_internal.spending_limits.since IS 'Where the window began when it was last counted.';
COMMENT ON COLUMN credits_internal.spending_limits.used IS
'What was spent from then on and has not come back; open holds are not in it.';
COMMENT ON TABLE credits_internal.rolling_spending IS
'What was spent at each moment of a rolling window. Rows go once they are out of it.';
COMMENT ON COLUMN credits_internal.rolling_spending.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.rolling_spending.currency IS 'What is counted.';
COMMENT ON COLUMN credits_internal.rolling_spending.member_id IS 'As in the limit.';
COMMENT ON COLUMN credits_internal.rolling_spending.event_name IS 'As in the limit.';
COMMENT ON COLUMN credits_internal.rolling_spending.per IS 'As in the limit.';
COMMENT ON COLUMN credits_internal.rolling_spending.spent_at IS 'When.';
COMMENT ON COLUMN credits_internal.rolling_spending.amount IS 'Credits spent then, less those that came back.';
COMMENT ON COLUMN credits_internal.meters.aggregation IS
'''sum'' of the values, ''count'' of the events, the ''last'' value, the highest (''max''), or how many different ones
there are of unique_by (''unique'').';
COMMENT ON COLUMN credits_internal.meters.period IS
'What adds up: the events of a ''day'', a ''week'', a ''month'' or a ''year'' (by occurred_at), or all of them (NULL).
Matters for last, max, unique, tiers and whole blocks.';
COMMENT ON COLUMN credits_internal.meters.settlement IS
'When events are charged: ''immediate'', ''deferred'' (recorded at once, and charged by settle()), or never: ''invoice''
(recorded, and invoiced by a subscription after its period).';
COMMENT ON COLUMN credits_internal.meters.price_version IS
'The last version of its prices, in force already or not; price_schedule says which is in force when.';
COMMENT ON COLUMN credits_internal.meters.fallback_currency IS
'The currency that pays what its own does not cover; NULL for none.';
COMMENT ON COLUMN credits_internal.meters.fallback_rate IS 'Units of that currency per unit of its own.';
COMMENT ON COLUMN credits_internal.meters.unique_by IS
'Of aggregation unique: the key of the events'' metadata whose different values are counted.';
COMMENT ON COLUMN credits_internal.meters.time_zone IS 'The time zone of its calendar; NULL for UTC.';
COMMENT ON COLUMN credits_internal.meters.period_from IS
'Where its periods begin: on its own calendar (''meter''), on that of the customer''s time zone (''customer''), or at
the customer''s billing date (''billing_date''). A customer who has none has the meter''s calendar.';
COMMENT ON COLUMN credits_internal.meter_prices.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.meter_prices.effective_at IS
'From when on it is in force, for events that occur from then on; NULL for since created_at. The first is in force for
whatever occurred before, too.';
COMMENT ON COLUMN credits_internal.meter_prices.continue_tiers IS
'Whether its tiers go on from what was used under the price before in the same period; NULL or false: they begin anew.';
COMMENT ON TABLE credits_internal.price_overrides IS
'What a customer pays instead of a meter''s prices. Of those in force at a moment, that which began last holds.';
COMMENT ON COLUMN credits_internal.price_overrides.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.price_overrides.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.price_overrides.override_no IS 'Counts from 1 for each customer and meter.';
COMMENT ON COLUMN credits_internal.price_overrides.unit_price IS 'Credits for one unit.';
COMMENT ON COLUMN credits_internal.price_overrides.pricing IS
'Prices by block, tier or metadata, as meter_price_override checked them.';
COMMENT ON COLUMN credits_internal.price_overrides.discount_percent IS
'Percent off what the meter''s prices come to, whichever are in force.';
COMMENT ON COLUMN credits_internal.price_overrides.effective_at IS
'From when on it is in force, for events that occur from then on.';
COMMENT ON COLUMN credits_internal.price_overrides.ends_at IS 'Until when; NULL for no end.';
COMMENT ON COLUMN credits_internal.price_overrides.created_at IS 'When it was set.';
COMMENT ON COLUMN credits_internal.meter_events.value IS
'How much, in the meter''s unit: as reported, or adjusted last.';
COMMENT ON COLUMN credits_internal.meter_events.price_version IS
'The version of its meter''s prices that was in force when it occurred. Where its customer had an override, 65536 times
the override_no is added, to 0 where that is a price of their own. 0 where it was imported with what it was charged,
and where invoices say what it costs.';
COMMENT ON COLUMN credits_internal.meter_events.metadata IS
'The application''s own data; keys of it may decide the price.';
COMMENT ON COLUMN credits_internal.meter_events.member_id IS
'The member whose usage it is; NULL where the reporter named none.';
COMMENT ON TABLE credits_internal.event_fallbacks IS
'Events that their meter''s second currency paid in part or whole, since its own was used up. A row never changes: what
came back when an event was taken back is in the ledger.';
COMMENT ON COLUMN credits_internal.event_fallbacks.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.event_fallbacks.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.event_fallbacks.currency IS 'The second currency.';
COMMENT ON COLUMN credits_internal.event_fallbacks.rate IS 'Units of it per unit of the meter''s currency, as it was.';
COMMENT ON COLUMN credits_internal.event_fallbacks.covered IS 'In the meter''s currency: what it covered of the price.';
COMMENT ON COLUMN credits_internal.event_fallbacks.amount IS 'In the second currency: what it paid.';
COMMENT ON TABLE credits_internal.invoiced_events IS
'Events of meters whose settlement is invoice, which have a row in meter_events too. A subscription takes those that it
can see, under its customer''s lock, as the usage of a period closes: what commits later is left for the next closing.';
COMMENT ON COLUMN credits_internal.invoiced_events.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoiced_events.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.invoiced_events.event_name IS 'Its meter.';
COMMENT ON COLUMN credits_internal.invoiced_events.quantity IS
'What it counts as: its value, or one where the meter counts events or different values.';
COMMENT ON COLUMN credits_internal.invoiced_events.counted IS
'Where the meter counts different values: which it has, as in usage_values.';
COMMENT ON COLUMN credits_internal.invoiced_events.occurred_at IS 'When the usage happened.';
COMMENT ON COLUMN credits_internal.invoiced_events.created_at IS 'When it was reported.';
COMMENT ON COLUMN credits_internal.invoiced_events.usage_record_summary_id IS
'The period of a subscription''s item that took it; NULL for none yet.';
COMMENT ON COLUMN credits_internal.invoiced_events.closing_no IS 'And the closing of that.';
COMMENT ON TABLE credits_internal.event_adjustments IS
'Events whose value was adjusted, each time that it was: the event''s row has the last value.';
COMMENT ON COLUMN credits_internal.event_adjustments.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.event_adjustments.identifier IS 'The event.';
COMMENT ON COLUMN credits_internal.event_adjustments.adjustment_no IS 'Counts from 1 for each event.';
COMMENT ON COLUMN credits_internal.event_adjustments.value_before IS
'The value until then; of the first, what was reported.';
COMMENT ON COLUMN credits_internal.event_adjustments.value IS 'The value from then on.';
COMMENT ON COLUMN credits_internal.event_adjustments.charged IS 'Credits that it charged in addition, paid or owed.';
COMMENT ON COLUMN credits_internal.event_adjustments.returned IS 'Credits that it returned to grants.';
COMMENT ON COLUMN credits_internal.event_adjustments.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits_internal.event_adjustments.adjusted_at IS 'When it was posted, at the account''s time.';
COMMENT ON TABLE credits_internal.usage_periods IS
'Usage that is priced as one, because one event decides (last, max), a value counts once (unique) or the price depends
on what was used before (tiers, whole blocks): what it stands at.';
COMMENT ON COLUMN credits_internal.usage_periods.period_key IS
'The day, week, month, year or ''always'', as in 2026-03 or 2026-W09, or where it begins at another moment than those of
the calendar in UTC, that moment. Of a sum, a count or unique also the price that its events have, since those of
several prices do not add up: v and the version, o and the override_no, and the price_class, as far as there are any.';
COMMENT ON COLUMN credits_internal.usage_periods.period_start IS
'When it begins; ''-infinity'' where there is one period for ever.';
COMMENT ON COLUMN credits_internal.usage_periods.price_version IS
'The version of the meter''s prices that prices it, with an override as in meter_events.';
COMMENT ON COLUMN credits_internal.usage_periods.carried IS
'What had been used under the price before when the first event came, where this price goes on from there.';
COMMENT ON COLUMN credits_internal.usage_periods.period_end IS
'When it ends; NULL where its meter''s periods are on the calendar in UTC, or there is one for ever. As it was when its
events came: time zones, and customers'' time zones and billing dates, may have changed since.';
COMMENT ON TABLE credits_internal.usage_values IS
'The values that events of unique meters have in a period, those taken back not counted: each counts once.';
COMMENT ON COLUMN credits_internal.usage_values.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_values.event_name IS 'The meter.';
COMMENT ON COLUMN credits_internal.usage_values.period IS
'The day, week, month, year or ''always'': what its period_key begins with.';
COMMENT ON COLUMN credits_internal.usage_values.value IS
'The value of the metadata, a number without zeros at its end; one of more than 255 bytes, or that begins like this, as
sha256: and its digest.';
COMMENT ON COLUMN credits_internal.usage_values.event_count IS 'How many events have it.';
COMMENT ON COLUMN credits_internal.usage_values.period_key IS
'The usage_periods row that counts it: that of the price of the event that brought it, and of all its events.';
COMMENT ON COLUMN credits.inbox.member_id IS 'The member whose usage it is; NULL for none.';
COMMENT ON COLUMN credits_internal.inbox_rejected.member_id IS 'As in the inbox.';
COMMENT ON TABLE credits_internal.products IS 'What is sold, and what one unit of it grants.';
COMMENT ON COLUMN credits_internal.products.type IS '''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits_internal.products.images IS 'Addresses of pictures.';
COMMENT ON COLUMN credits_internal.products.features IS 'What it has to offer, for people.';
COMMENT ON COLUMN credits_internal.products.unit_label IS 'What one unit is called.';
COMMENT ON COLUMN credits_internal.products.statement_descriptor IS 'What a card''s statement says.';
COMMENT ON COLUMN credits_internal.products.credit_config IS
'What one unit grants, unless its price says otherwise; NULL for nothing. Written by src/catalog/credit_config.rs.';
COMMENT ON COLUMN credits_internal.products.updated_at IS 'When it last changed.';
COMMENT ON TABLE credits_internal.catalog_keys IS
'Idempotency keys of what is created without a customer, and what was created.';
COMMENT ON COLUMN credits_internal.catalog_keys.idempotency_key IS 'The key.';
COMMENT ON COLUMN credits_internal.catalog_keys.function IS 'The function that it was given to.';
COMMENT ON COLUMN credits_internal.catalog_keys.object_id IS 'What that created.';
COMMENT ON COLUMN credits_internal.catalog_keys.inputs IS 'What a replay must be the same in.';
COMMENT ON COLUMN credits_internal.catalog_keys.created_at IS 'When it was first used.';
COMMENT ON TABLE credits_internal.prices IS
'What one unit of a product costs, and how it is paid. What it comes to never changes once it was used.';
COMMENT ON COLUMN credits_internal.prices.type IS '''one_time'' or ''recurring''.';
COMMENT ON COLUMN credits_internal.prices.unit_amount IS
'What one unit costs, in major units; NULL where pricing or its meter says more.';
COMMENT ON COLUMN credits_internal.prices.recurring IS 'How often it is due; NULL for once.';
COMMENT ON COLUMN credits_internal.prices.nickname IS 'For the merchant.';
COMMENT ON COLUMN credits_internal.prices.lookup_key IS
'A name that programs find it by: of one price on sale at a time.';
COMMENT ON COLUMN credits_internal.prices.currency_options IS 'What it costs in other currencies.';
COMMENT ON COLUMN credits_internal.prices.pricing IS 'What a quantity costs: tiers, blocks; NULL for unit_amount.';
COMMENT ON COLUMN credits_internal.prices.quantity_limit_per_checkout IS
'The most that one purchase may buy; NULL for any.';
COMMENT ON COLUMN credits_internal.prices.credit_config IS
'What one unit grants; NULL for what the product''s says. Written by src/catalog/credit_config.rs.';
COMMENT ON COLUMN credits_internal.prices.tax_behavior IS '''exclusive'' or ''inclusive''.';
COMMENT ON COLUMN credits_internal.prices.updated_at IS 'When it last changed.';
COMMENT ON TABLE credits_internal.price_usage IS
'Prices that were used: sold, or chosen for recharges. What they come to is frozen, and they cannot be deleted.';
COMMENT ON COLUMN credits_internal.price_usage.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.price_usage.first_used_at IS 'When it was first used.';
COMMENT ON TABLE credits_internal.price_stock IS
'How many units of a price there are, and how many are taken: a row for each price that has a limit, or had one.';
COMMENT ON COLUMN credits_internal.price_stock.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.price_stock.quantity_available IS
'How many there are in all, those that are taken included; NULL for any number.';
COMMENT ON COLUMN credits_internal.price_stock.taken IS
'What is reserved and not released: also what ran out, until it is needed or maintain() comes by.';
COMMENT ON TABLE credits_internal.stock_reservations IS
'Units of prices that are set aside or sold: of each price that has a limit, what each holder has.';
COMMENT ON COLUMN credits_internal.stock_reservations.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.stock_reservations.holder_id IS 'The invoice, by its id.';
COMMENT ON COLUMN credits_internal.stock_reservations.price_id IS 'The price.';
COMMENT ON COLUMN credits_internal.stock_reservations.quantity IS 'How many units.';
COMMENT ON COLUMN credits_internal.stock_reservations.reserved_at IS 'When they were last reserved.';
COMMENT ON COLUMN credits_internal.stock_reservations.expires_at IS 'When they may go to others; NULL for never.';
COMMENT ON COLUMN credits_internal.stock_reservations.released_at IS
'When they were given back; NULL while they are held.';
COMMENT ON TABLE credits_internal.coupons IS
'What a coupon takes off, or what credits it gives. That never changes once it was used.';
COMMENT ON COLUMN credits_internal.coupons.coupon_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.coupons.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.coupons.description IS 'For the merchant.';
COMMENT ON COLUMN credits_internal.coupons.percent_off IS 'So many percent off.';
COMMENT ON COLUMN credits_internal.coupons.amount_off IS 'Or so much off, in major units.';
COMMENT ON COLUMN credits_internal.coupons.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits_internal.coupons.currency_options IS
'How much it takes off in other currencies: an object of currencies, each with amount_off.';
COMMENT ON COLUMN credits_internal.coupons.credit_config IS
'Or the credits that it gives: a voucher''s. Written by src/catalog/credit_config.rs.';
COMMENT ON COLUMN credits_internal.coupons.duration IS '''once'', ''repeating'' or ''forever''.';
COMMENT ON COLUMN credits_internal.coupons.duration_in_months IS 'For how many months it repeats.';
COMMENT ON COLUMN credits_internal.coupons.applies_to_products IS 'Off which products; NULL for all.';
COMMENT ON COLUMN credits_internal.coupons.max_redemptions_per_customer IS
'How often one customer may use it; NULL for any number, of a voucher once.';
COMMENT ON COLUMN credits_internal.coupons.redeem_by IS 'The last moment at which it may be used; NULL for no end.';
COMMENT ON COLUMN credits_internal.coupons.active IS 'Whether it may be used.';
COMMENT ON COLUMN credits_internal.coupons.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.coupons.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.coupons.updated_at IS 'When it last changed.';
COMMENT ON TABLE credits_internal.coupon_counters IS
'How often each coupon may be used, and how often it is. It is locked before the counters of the coupon''s codes.';
COMMENT ON COLUMN credits_internal.coupon_counters.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.coupon_counters.max_redemptions IS 'How often in all; NULL for any number.';
COMMENT ON COLUMN credits_internal.coupon_counters.taken IS
'What is reserved or used and not released: also what ran out, until it is needed or maintain() comes by. What is over
quota is not in it.';
COMMENT ON COLUMN credits_internal.coupon_counters.first_used_at IS 'When it was first used; NULL for never.';
COMMENT ON TABLE credits_internal.promotion_codes IS
'Codes of coupons, with what each asks of whoever uses it. That never changes once it was used.';
COMMENT ON COLUMN credits_internal.promotion_codes.promotion_code_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.promotion_codes.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.promotion_codes.code IS 'The code, as it was given.';
COMMENT ON COLUMN credits_internal.promotion_codes.code_key IS
'The code in lower case: of one active code at a time. Written by src/catalog/promotion_code/terms.rs.';
COMMENT ON COLUMN credits_internal.promotion_codes.active IS 'Whether it may be used.';
COMMENT ON COLUMN credits_internal.promotion_codes.description IS 'For the merchant.';
COMMENT ON COLUMN credits_internal.promotion_codes.starts_at IS 'From when on it may be used; NULL for at once.';
COMMENT ON COLUMN credits_internal.promotion_codes.expires_at IS
'When it cannot be used any more; NULL for never.';
COMMENT ON COLUMN credits_internal.promotion_codes.verification_type IS
'''code'': whoever has it. ''user_restricted'': certain customers. ''attested'': those for whom the application
vouches.';
COMMENT ON COLUMN credits_internal.promotion_codes.for_customers IS
'Whether it is for those in promotion_code_customers alone.';
COMMENT ON COLUMN credits_internal.promotion_codes.restrictions IS
'What the purchase must be: minimum_amount, currency, currency_options, first_time_transaction.';
COMMENT ON COLUMN credits_internal.promotion_codes.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.promotion_codes.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.promotion_codes.updated_at IS 'When it last changed.';
COMMENT ON TABLE credits_internal.promotion_code_customers IS
'Who may use a code that is for certain customers. They need not exist yet.';
COMMENT ON COLUMN credits_internal.promotion_code_customers.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.promotion_code_customers.promotion_code_id IS 'The code.';
COMMENT ON TABLE credits_internal.promotion_code_counters IS
'How often each code may be used, and how often it is. It changes under the lock of its coupon''s counter.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.promotion_code_id IS 'The code.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.max_redemptions IS
'How often in all; NULL for any number.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.taken IS
'What is reserved or used and not released, as of a coupon.';
COMMENT ON COLUMN credits_internal.promotion_code_counters.first_used_at IS 'When it was first used; NULL for never.';
COMMENT ON TABLE credits_internal.redemptions IS
'Uses of coupons: of each invoice, subscription or voucher the one that it has. One changes under its holder''s lock.';
COMMENT ON COLUMN credits_internal.redemptions.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.redemptions.holder_id IS
'Who has it: the invoice or the subscription; of a voucher its grant.';
COMMENT ON COLUMN credits_internal.redemptions.holder_type IS '''invoice'', ''subscription'' or ''voucher''.';
COMMENT ON COLUMN credits_internal.redemptions.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.redemptions.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits_internal.redemptions.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits_internal.redemptions.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits_internal.redemptions.verification_method IS 'How the application knows, in its words.';
COMMENT ON COLUMN credits_internal.redemptions.verification_data IS
'What the application vouches with: kept until the person is erased.';
COMMENT ON COLUMN credits_internal.redemptions.over_quota IS
'Whether it was paid for when it was not reserved, and nothing was left: it is honoured, and counted nowhere.';
COMMENT ON COLUMN credits_internal.redemptions.reserved_at IS 'When it was last reserved.';
COMMENT ON COLUMN credits_internal.redemptions.expires_at IS 'When it may go to others; NULL for never.';
COMMENT ON COLUMN credits_internal.redemptions.confirmed_at IS 'When it was paid for; NULL until then.';
COMMENT ON COLUMN credits_internal.redemptions.released_at IS 'When it was given back; NULL while it is held.';
COMMENT ON COLUMN credits_internal.redemptions.last_log_no IS 'The number of its last row in discount_log. It is 0 where
nothing happened yet: nobody submitted the cart, and nothing was left when something was reported of its payment.';
COMMENT ON TABLE credits_internal.discount_log IS 'What happened to each redemption. It is only ever added to.';
COMMENT ON COLUMN credits_internal.discount_log.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.discount_log.holder_id IS 'Whose redemption, as there.';
COMMENT ON COLUMN credits_internal.discount_log.log_no IS 'Its place among those of the redemption: from 1, no gaps.';
COMMENT ON COLUMN credits_internal.discount_log.action IS 'What happened.';
COMMENT ON COLUMN credits_internal.discount_log.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits_internal.discount_log.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits_internal.discount_log.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits_internal.discount_log.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits_internal.discount_log.created_at IS 'When it happened.';
COMMENT ON TABLE credits_internal.payment_intents IS
'Money that is to come for invoices, and what became of it. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.payment_intents.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_intents.payment_intent_id IS
'Its id: what its payment names. A top-up''s is the top-up''s id.';
COMMENT ON COLUMN credits_internal.payment_intents.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits_internal.payment_intents.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits_internal.payment_intents.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits_internal.payment_intents.due_amount IS
'What is due, excluding a tax in the price and a discount that the provider reported, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.paid_amount IS
'What was paid in all payments, in major units; NULL before any.';
COMMENT ON COLUMN credits_internal.payment_intents.refunded_amount IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.disputed_amount IS
'What disputes that are open or lost come to, in major units.';
COMMENT ON COLUMN credits_internal.payment_intents.dispute_status IS
'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_intents.is_refunded IS 'Whether all that was paid was paid back.';
COMMENT ON COLUMN credits_internal.payment_intents.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits_internal.payment_intents.provider_reference IS 'What the provider calls the payment.';
COMMENT ON COLUMN credits_internal.payment_intents.payment_method_id IS
'The payment method that a worker is to charge; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits_internal.payment_intents.requested_at IS
'When a worker was asked to charge; NULL where none is to.';
COMMENT ON COLUMN credits_internal.payment_intents.attempts IS 'How many times a worker began with it.';
COMMENT ON COLUMN credits_internal.payment_intents.attempt_key IS
'The provider''s idempotency key for the attempt that is under way; NULL where none is.';
COMMENT ON COLUMN credits_internal.payment_intents.failed_at IS
'When the last attempt failed; NULL where none did, or another is under way.';
COMMENT ON COLUMN credits_internal.payment_intents.last_payment_error IS
'Why it failed, in the provider''s words; NULL once the person is erased.';
COMMENT ON COLUMN credits_internal.payment_intents.action_url IS
'Where the customer confirms the payment; NULL where nothing is to be confirmed.';
COMMENT ON COLUMN credits_internal.payment_intents.recharge_id IS
'The auto-recharge that asked for it; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_intents.return_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits_internal.payment_intents.failure_url IS 'Where the customer goes when it is not.';
COMMENT ON COLUMN credits_internal.payment_intents.checkout_url IS 'Where to pay.';
COMMENT ON COLUMN credits_internal.payment_intents.description IS 'For people.';
COMMENT ON COLUMN credits_internal.payment_intents.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.payment_intents.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.payment_intents.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.payment_intents.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits_internal.payment_intents.paid_at IS 'When its payments first covered what is due.';
COMMENT ON COLUMN credits_internal.payment_intents.closed_at IS 'When its status last changed.';
COMMENT ON TABLE credits_internal.payment_references IS
'Whose a provider''s payment, refund or dispute is: the first payment intent in its currency that it was reported of.';
COMMENT ON COLUMN credits_internal.payment_references.top_up_id IS
'Of which payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON TABLE credits_internal.payment_totals IS
'Payments of payment intents, each with its refunds and disputes: derived from the table payments.';
COMMENT ON COLUMN credits_internal.payment_totals.top_up_id IS
'Of which payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits_internal.payment_totals.payment_no IS
'Its place among the intent''s: in the order in which they were reported, then those that are only named by a refund or
a dispute.';
COMMENT ON COLUMN credits_internal.payments.top_up_id IS
'Of which payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits_internal.payments.type IS
'''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'',
''dispute_lost'', ''processing'' or ''requires_action''.';
COMMENT ON TABLE credits_internal.refunds IS
'Refunds that were asked for, here or by the application. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.refunds.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.refunds.refund_id IS 'Its id: what the provider''s refund names.';
COMMENT ON COLUMN credits_internal.refunds.payment_intent_id IS 'Of which payment intent.';
COMMENT ON COLUMN credits_internal.refunds.invoice_id IS 'Of which invoice.';
COMMENT ON COLUMN credits_internal.refunds.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits_internal.refunds.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits_internal.refunds.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits_internal.refunds.takes_credits IS
'Whether credits were taken back when it was asked for; false for money that paid for nothing.';
COMMENT ON COLUMN credits_internal.refunds.lines IS
'What of which lines, as objects of invoice_line_id and amount; NULL for all of the invoice.';
COMMENT ON COLUMN credits_internal.refunds.reason IS 'Why: a word of the application''s, or of ours.';
COMMENT ON COLUMN credits_internal.refunds.description IS 'For people.';
COMMENT ON COLUMN credits_internal.refunds.provider IS 'Who took the payment.';
COMMENT ON COLUMN credits_internal.refunds.payment_reference IS
'What the provider calls the payment; NULL where it has no name.';
COMMENT ON COLUMN credits_internal.refunds.provider_reference IS
'What the provider calls the refund; NULL until it is reported.';
COMMENT ON COLUMN credits_internal.refunds.attempt_key IS
'The provider''s idempotency key; NULL until a worker begins with it.';
COMMENT ON COLUMN credits_internal.refunds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.refunds.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits_internal.refunds.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.refunds.closed_at IS 'When it was answered or canceled; NULL while it is pending.';
COMMENT ON TABLE credits_internal.payment_methods IS
'Payment methods of customers, by what providers call them. What is detached stays as a row, and is charged no more.';
COMMENT ON COLUMN credits_internal.payment_methods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.payment_methods.payment_method_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.payment_methods.provider IS 'Who keeps it.';
COMMENT ON COLUMN credits_internal.payment_methods.provider_customer IS
'What the provider calls the customer; NULL where it does not matter, and once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.reference IS
'What the provider calls it: never the number of a card. NULL once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.name IS 'What people call it; NULL once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.expires_at IS
'From when on it cannot be charged; NULL for never, and once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.is_default IS
'Whether it is charged where none is named: at most one per customer.';
COMMENT ON COLUMN credits_internal.payment_methods.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits_internal.payment_methods.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits_internal.payment_methods.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.payment_methods.detached_at IS 'When it was detached; NULL where it is not.';
COMMENT ON TABLE credits_internal.reclaims IS
'Credits of purchases whose price was paid back, and of grants that were a mistake, one operation each. credits are
taken, paid, owed, waited for by the grant (claim), or gone: expired, voided or forgiven. A capture of more than
there was, an opening balance below zero, what was imported, and what was on an invoice that is void have one too,
without a grant: credits are what it left owed.';
COMMENT ON COLUMN credits_internal.reclaims.top_up_id IS 'Of which purchase; NULL for none.';
COMMENT ON COLUMN credits_internal.reclaims.grant_id IS 'The grant; NULL for what another operation left owed.';
COMMENT ON COLUMN credits_internal.reclaims.first_id IS
'Of one refund that took from several grants: the operation of the first; NULL for that itself.';
COMMENT ON TABLE credits_internal.invoices IS
'Invoices. What one comes to is fixed when it gets its number. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoices.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoices.invoice_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.invoices.status IS
'''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits_internal.invoices.billing_reason IS
'Why it was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'',
''subscription_create'', ''subscription_cycle'' or ''subscription_update''.';
COMMENT ON COLUMN credits_internal.invoices.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits_internal.invoices.number IS 'Its number, as people read it; NULL for a draft.';
COMMENT ON COLUMN credits_internal.invoices.number_prefix IS 'The first part of the number.';
COMMENT ON COLUMN credits_internal.invoices.number_no IS 'The second part: from 1 in each prefix, without gaps.';
COMMENT ON COLUMN credits_internal.invoices.description IS 'For people.';
COMMENT ON COLUMN credits_internal.invoices.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits_internal.invoices.custom_fields IS 'For people: an array of names and values.';
COMMENT ON COLUMN credits_internal.invoices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.invoices.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits_internal.invoices.given_discount IS 'What is taken off all lines, as it was given.';
COMMENT ON COLUMN credits_internal.invoices.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits_internal.invoices.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits_internal.invoices.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits_internal.invoices.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits_internal.invoices.from_provider IS
'Whether discount, tax and shipping are what the provider''s checkout said, instead of ours.';
COMMENT ON COLUMN credits_internal.invoices.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits_internal.invoices.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits_internal.invoices.amount_due IS
'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits_internal.invoices.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits_internal.invoices.due_date IS 'When it is due; NULL where nobody said.';
COMMENT ON COLUMN credits_internal.invoices.days_until_due IS 'How many days after it gets its number it is due.';
COMMENT ON COLUMN credits_internal.invoices.customer_name IS 'The customer''s name when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.customer_email IS 'The customer''s address when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.customer_phone IS 'The customer''s number when it got its own.';
COMMENT ON COLUMN credits_internal.invoices.customer_address IS
'The customer''s postal address when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.collection_method IS
'''charge_automatically'': a worker is asked to charge the customer''s payment method; ''send_invoice'': nobody is.';
COMMENT ON COLUMN credits_internal.invoices.retained IS
'Whether the customer was erased, and whom it was for is kept for credits.invoice_retention.';
COMMENT ON COLUMN credits_internal.invoices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.invoices.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.invoices.finalized_at IS 'When it got its number.';
COMMENT ON COLUMN credits_internal.invoices.paid_at IS 'When all of it was paid.';
COMMENT ON COLUMN credits_internal.invoices.voided_at IS 'When it was voided.';
COMMENT ON COLUMN credits_internal.invoices.marked_uncollectible_at IS 'When it was last given up.';
COMMENT ON COLUMN credits_internal.invoices.seller IS
'Who sold: what credits.invoice_seller said when it got its number.';
COMMENT ON COLUMN credits_internal.invoices.coupon_id IS 'The coupon that takes something off it; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.promotion_code_id IS
'The promotion code by which that was given; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.checkout_session_id IS
'The checkout session whose purchase it is; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.coupon_name IS
'What the coupon was called when that was taken off; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.subscription_id IS 'The subscription that it is for; NULL for none.';
COMMENT ON COLUMN credits_internal.invoices.payment_method_id IS
'What is to be charged for it; NULL for the customer''s default.';
COMMENT ON TABLE credits_internal.invoice_lines IS
'Lines of invoices, and those that wait for the next one. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoice_lines.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_lines.invoice_line_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.invoice_lines.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits_internal.invoice_lines.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits_internal.invoice_lines.was_pending IS 'Whether the invoice took it from what was pending.';
COMMENT ON COLUMN credits_internal.invoice_lines.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.invoice_lines.price_id IS 'The price; NULL for a line by hand.';
COMMENT ON COLUMN credits_internal.invoice_lines.description IS
'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits_internal.invoice_lines.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits_internal.invoice_lines.unit_amount IS
'What one costs, in major units, with up to 12 decimals.';
COMMENT ON COLUMN credits_internal.invoice_lines.pricing IS
'What a quantity costs, where that is not the same for each.';
COMMENT ON COLUMN credits_internal.invoice_lines.amount IS
'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits_internal.invoice_lines.given_discount IS 'What is taken off it alone, as it was given.';
COMMENT ON COLUMN credits_internal.invoice_lines.given_tax_rate IS
'In percent, as it was given; NULL for the invoice''s.';
COMMENT ON COLUMN credits_internal.invoice_lines.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits_internal.invoice_lines.discount IS
'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits_internal.invoice_lines.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits_internal.invoice_lines.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits_internal.invoice_lines.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits_internal.invoice_lines.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits_internal.invoice_lines.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits_internal.invoice_lines.category IS 'Of its grant.';
COMMENT ON COLUMN credits_internal.invoice_lines.priority IS 'Of its grant.';
COMMENT ON COLUMN credits_internal.invoice_lines.time_to_live IS 'Of its grant, from the payment on; NULL for ever.';
COMMENT ON COLUMN credits_internal.invoice_lines.applicable_meters IS 'Of its grant; NULL for anything.';
COMMENT ON COLUMN credits_internal.invoice_lines.grant_name IS 'The name of its grant.';
COMMENT ON COLUMN credits_internal.invoice_lines.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits_internal.invoice_lines.reclaimed IS
'Credits that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits_internal.invoice_lines.refunded_amount IS
'What was paid back of this line by refunds that name it, with its tax.';
COMMENT ON COLUMN credits_internal.invoice_lines.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits_internal.invoice_lines.period_end IS 'Until when it is for.';
COMMENT ON COLUMN credits_internal.invoice_lines.from_invoice_id IS
'The invoice whose total was below zero and left it over.';
COMMENT ON COLUMN credits_internal.invoice_lines.metadata IS 'The application''s own data: its grant''s too.';
COMMENT ON COLUMN credits_internal.invoice_lines.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.invoice_lines.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.invoice_lines.rollover IS
'Of its grant, what goes on when its time runs out; NULL for nothing. Written by src/ledger/grant/rollover.rs.';
COMMENT ON COLUMN credits_internal.invoice_lines.subscription_item_id IS
'The item of a subscription that it is for; NULL for none.';
COMMENT ON COLUMN credits_internal.invoice_lines.covers_until IS
'Until when it pays for that item: the end of its period, or when it was credited; NULL where it pays for nothing.';
COMMENT ON COLUMN credits_internal.invoice_lines.proration IS
'Whether it is for part of a period, since an item changed.';
COMMENT ON TABLE credits_internal.invoice_line_grants IS
'The instalments in which the credits of lines are granted. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.instalment_no IS 'Its place in the period, from 1.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.revision IS
'1, and one more each time that it was ended before it began and is granted again.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.starts_at IS 'When it was planned to begin.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.ends_at IS
'When it was planned to end: as the next one begins, or the period ends.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.expires IS
'Whether what is left of it expires then. Otherwise it lasts as long as the line says.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.credits IS 'How many credits.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.grant_id IS 'The grant; NULL until the line is paid.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.reclaimed IS
'Credits of it that refunds and disputes took back, left owed or forgave.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.ended_at IS
'When it was ended before its time: the subscription was canceled, paused or changed, or its price was paid back; NULL
where it was not.';
COMMENT ON COLUMN credits_internal.invoice_line_grants.paid_back IS
'Whether it was ended, before it began, since its price was paid back: where that failed, it is granted again.';
COMMENT ON TABLE credits_internal.invoice_payments IS
'Money that was applied to invoices, a row per source. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.invoice_payments.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_payments.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits_internal.invoice_payments.payment_no IS 'Its place among the invoice''s payments, from 1.';
COMMENT ON COLUMN credits_internal.invoice_payments.paid_from IS
'''wallet'', ''outside'', ''provider'' or ''deposit''.';
COMMENT ON COLUMN credits_internal.invoice_payments.amount IS 'How much, in the invoice''s currency.';
COMMENT ON COLUMN credits_internal.invoice_payments.operation_id IS 'The debit, where the wallet paid.';
COMMENT ON COLUMN credits_internal.invoice_payments.reference IS
'What the application calls it, where the money came from outside.';
COMMENT ON COLUMN credits_internal.invoice_payments.created_at IS 'When it was applied.';
COMMENT ON COLUMN credits_internal.invoice_payments.reversed_at IS 'When it was given back; NULL where it stands.';
COMMENT ON COLUMN credits_internal.invoice_payments.payment_intent_id IS
'The payment intent, where a provider took the money.';
COMMENT ON COLUMN credits_internal.invoice_payments.reversal_id IS 'The operation that gave it back.';
COMMENT ON COLUMN credits_internal.invoice_payments.deposit_id IS
'The invoice of the deposit, where that paid; NULL otherwise.';
COMMENT ON TABLE credits_internal.invoice_numbers IS
'How far the numbers of a customer''s invoices went. A row is locked last, by what gives a number.';
COMMENT ON COLUMN credits_internal.invoice_numbers.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoice_numbers.prefix IS 'The first part of the numbers.';
COMMENT ON COLUMN credits_internal.invoice_numbers.last_no IS 'The second part of the last one.';
COMMENT ON TABLE credits_internal.invoiced_credits IS
'Credits that were owed and were put on an invoice: a grant paid what was owed, one for each meter whose payers might
have. They change under their account''s lock.';
COMMENT ON COLUMN credits_internal.invoiced_credits.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.invoiced_credits.grant_id IS 'The grant that paid what was owed.';
COMMENT ON COLUMN credits_internal.invoiced_credits.invoice_id IS 'The invoice that they are on.';
COMMENT ON COLUMN credits_internal.invoiced_credits.currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits_internal.invoiced_credits.credits IS 'How many were owed.';
COMMENT ON COLUMN credits_internal.invoiced_credits.status IS
'''invoiced'' until the invoice is paid (''paid''), or void: then they are owed again (''returned'').';
COMMENT ON COLUMN credits_internal.invoiced_credits.created_at IS 'When they were put on it.';
COMMENT ON COLUMN credits_internal.invoiced_credits.closed_at IS 'When it was paid, or void; NULL until then.';
COMMENT ON TABLE credits_internal.subscriptions IS 'Subscriptions. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.subscriptions.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.subscriptions.subscription_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.subscriptions.status IS
'''incomplete'', ''incomplete_expired'', ''trialing'', ''active'', ''past_due'', ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits_internal.subscriptions.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits_internal.subscriptions.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits_internal.subscriptions."interval" IS 'The unit of a period.';
COMMENT ON COLUMN credits_internal.subscriptions.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits_internal.subscriptions.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before.';
COMMENT ON COLUMN credits_internal.subscriptions.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits_internal.subscriptions.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits_internal.subscriptions.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits_internal.subscriptions.current_period_end IS 'The first moment after its period.';
COMMENT ON COLUMN credits_internal.subscriptions.proration_behavior IS
'What becomes of the money where items change in mid-period: ''always_invoice'', ''create_prorations'' or ''none''.';
COMMENT ON COLUMN credits_internal.subscriptions.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits_internal.subscriptions.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits_internal.subscriptions.payment_method_id IS
'What is charged for it; NULL for the customer''s default.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_at_period_end IS 'Whether that is the end of a period.';
COMMENT ON COLUMN credits_internal.subscriptions.canceled_at IS 'When that was asked for; NULL where it was not.';
COMMENT ON COLUMN credits_internal.subscriptions.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_reason IS 'Why it ends, as the application says.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_feedback IS 'What the customer chose as the reason.';
COMMENT ON COLUMN credits_internal.subscriptions.cancel_comment IS 'What the customer wrote.';
COMMENT ON COLUMN credits_internal.subscriptions.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits_internal.subscriptions.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits_internal.subscriptions.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits_internal.subscriptions.retries IS 'How often a worker was asked again since then.';
COMMENT ON COLUMN credits_internal.subscriptions.has_paid IS 'Whether money was ever paid for it.';
COMMENT ON COLUMN credits_internal.subscriptions.coupon_id IS
'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits_internal.subscriptions.promotion_code_id IS 'The code by which it was given.';
COMMENT ON COLUMN credits_internal.subscriptions.discount_start IS
'When the period began of the first invoice with it; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits_internal.subscriptions.discount_invoice_id IS
'The one invoice that it took something off, where that is all it does; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits_internal.subscriptions.description IS 'For people.';
COMMENT ON COLUMN credits_internal.subscriptions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.subscriptions.next_change_at IS
'When time changes it next; NULL for never. maintain() looks for it.';
COMMENT ON COLUMN credits_internal.subscriptions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.subscriptions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.subscriptions.checkout_session_id IS
'The checkout session that it began in; NULL for none.';
COMMENT ON COLUMN credits_internal.subscriptions.service_actions IS
'What the application wants done at events of it: an array of objects, each with the names of those.';
COMMENT ON COLUMN credits_internal.subscriptions.usage_closes_at IS
'When usage of it is invoiced next; NULL where it has no metered item.';
COMMENT ON COLUMN credits_internal.subscriptions.at_period_end IS
'What becomes of credits that are owed as a period ends: ''carry'', ''forgive'' or ''invoice''.';
COMMENT ON COLUMN credits_internal.subscriptions.overage_rate IS
'What one of them costs on the invoice, in the currency of its prices; NULL for none.';
COMMENT ON COLUMN credits_internal.subscriptions.overdraft_protection IS
'Whether a deposit pays what the last retry could not.';
COMMENT ON COLUMN credits_internal.subscriptions.protect_at IS
'Since when a deposit is to pay, until that is tried; NULL for not.';
COMMENT ON COLUMN credits_internal.subscriptions.announced_end IS
'The end of a period, or of a trial, that was announced last; NULL for none yet.';
COMMENT ON COLUMN credits_internal.subscriptions.provider IS 'Who bills it; NULL where we do.';
COMMENT ON COLUMN credits_internal.subscriptions.provider_reference IS
'What that calls it; NULL while nobody said.';
COMMENT ON COLUMN credits_internal.subscriptions.reported_at IS
'As of when its provider last said how all of it stands: what is older changes nothing; NULL until then.';
COMMENT ON COLUMN credits_internal.subscriptions.status_at IS
'As of when its provider last said what makes its status, by whatever event; NULL until then.';
COMMENT ON TABLE credits_internal.subscription_items IS
'What subscriptions are for. They change under their customer''s lock.';
COMMENT ON COLUMN credits_internal.subscription_items.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.subscription_items.subscription_item_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.subscription_items.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits_internal.subscription_items.price_id IS 'The price, which is recurring.';
COMMENT ON COLUMN credits_internal.subscription_items.quantity IS
'How many; NULL where the price is metered, and usage says how many.';
COMMENT ON COLUMN credits_internal.subscription_items.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.subscription_items.created_at IS 'When it was added.';
COMMENT ON COLUMN credits_internal.subscription_items.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.subscription_items.removed_at IS 'When it was removed; NULL while it is there.';
COMMENT ON COLUMN credits_internal.subscription_items.changed_at IS
'Since when it is what it is, as its provider says, while what that brings is not settled; NULL once it is.';
COMMENT ON COLUMN credits_internal.subscription_items.known_since IS
'The earliest moment as of which its provider says that it is what it is; NULL where what that brought is settled.';
COMMENT ON TABLE credits_internal.subscription_periods IS
'The periods of subscriptions, one row each: without a gap, except where one was paused, and without an overlap.';
COMMENT ON COLUMN credits_internal.subscription_periods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.subscription_periods.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits_internal.subscription_periods.period_start IS 'Its first moment.';
COMMENT ON COLUMN credits_internal.subscription_periods.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits_internal.subscription_periods.kind IS
'''trial'', ''stub'' (what was left of a period as the subscription began) or ''whole''.';
COMMENT ON COLUMN credits_internal.subscription_periods.invoice_id IS
'The invoice for it; NULL for a trial in which nothing is granted, and where all items are metered.';
COMMENT ON COLUMN credits_internal.subscription_periods.resumed IS
'Whether it began after a pause: then time may lie before it that is in no period.';
COMMENT ON TABLE credits_internal.plan_references IS
'What a provider that bills plans calls things: so each of them pays for one of ours.';
COMMENT ON COLUMN credits_internal.plan_references.provider IS 'The provider.';
COMMENT ON COLUMN credits_internal.plan_references.kind IS
'''subscription'', ''item'', ''invoice'', ''price'', ''payment'': of an intent whose payment has another name,
or ''pair'': of a subscription by the customer and the plan that it began with.';
COMMENT ON COLUMN credits_internal.plan_references.reference IS 'What the provider calls it.';
COMMENT ON COLUMN credits_internal.plan_references.customer_id IS 'The customer; NULL for a price.';
COMMENT ON COLUMN credits_internal.plan_references.object_id IS
'The subscription, the item, the invoice, the payment intent or the price.';
COMMENT ON COLUMN credits_internal.plan_references.created_at IS 'When it was first heard of.';
COMMENT ON TABLE credits_internal.usage_record_summaries IS
'What was used of a metered item in a period, or at one price in a part of it: a row each. They change under their
customer''s lock.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.usage_record_summary_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.summary_no IS 'Its number among those of the item, from 1.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.price_id IS 'The price, which is metered.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.aggregate_usage IS
'How records add up: ''sum'', ''max'', ''last_during_period'' or ''last_ever''.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.period_start IS 'Its first moment.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.whole_start IS 'When the whole period began.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.whole_end IS 'When the whole period ends.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.free IS 'Whether nothing is charged for it: in a trial.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.records IS 'How many records it has, or events it took.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.usage IS 'What they add up to.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.last_at IS
'The last moment that anything was recorded for of the item, in this period or before; NULL for none yet.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.last_value IS 'And what that moment has.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.invoiced_amount IS
'What was invoiced of it, before discounts.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.closes_at IS
'When what is not invoiced yet will be; NULL where nothing is to be.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.event_name IS
'The meter whose events say what is used, which are in invoiced_events; NULL where it is recorded.';
COMMENT ON TABLE credits_internal.usage_records IS 'What was recorded of metered items. Rows never change.';
COMMENT ON COLUMN credits_internal.usage_records.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_records.usage_record_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.usage_records.usage_record_summary_id IS 'The period that it counts in.';
COMMENT ON COLUMN credits_internal.usage_records.record_no IS 'Its number there, from 1, in the order of recording.';
COMMENT ON COLUMN credits_internal.usage_records.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits_internal.usage_records.quantity IS 'How many.';
COMMENT ON COLUMN credits_internal.usage_records.used_at IS 'Its moment.';
COMMENT ON COLUMN credits_internal.usage_records.value IS 'What its moment has after it.';
COMMENT ON COLUMN credits_internal.usage_records.created_at IS 'When it was recorded.';
COMMENT ON TABLE credits_internal.usage_closings IS
'How often usage was invoiced: at the period''s end, and again where some was recorded later. Rows never change.';
COMMENT ON COLUMN credits_internal.usage_closings.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_closings.usage_record_summary_id IS 'What was closed.';
COMMENT ON COLUMN credits_internal.usage_closings.closing_no IS 'Its number there, from 1.';
COMMENT ON COLUMN credits_internal.usage_closings.records IS 'How many records there were by then.';
COMMENT ON COLUMN credits_internal.usage_closings.usage IS 'What they came to.';
COMMENT ON COLUMN credits_internal.usage_closings.amount IS 'What was invoiced for it, before discounts.';
COMMENT ON COLUMN credits_internal.usage_closings.invoice_line_id IS
'The line that it is on; NULL where nothing was invoiced.';
COMMENT ON COLUMN credits_internal.usage_closings.closed_at IS 'When that was.';
COMMENT ON TABLE credits_internal.payment_links IS
'Payment links: what a checkout session of whoever opens one begins with.';
COMMENT ON COLUMN credits_internal.payment_links.payment_link_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.payment_links.name IS 'What people call it.';
COMMENT ON COLUMN credits_internal.payment_links.line_items IS
'What is sold: an array of objects, each with the price, how many, and how many it may be.';
COMMENT ON COLUMN credits_internal.payment_links.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits_internal.payment_links.after_completion IS
'What the customer sees once it is paid: a page of the application''s, or a message.';
COMMENT ON COLUMN credits_internal.payment_links.allow_promotion_codes IS 'Whether customers may enter a code.';
COMMENT ON COLUMN credits_internal.payment_links.lookup_key IS
'A name that programs find it by: of one link at a time.';
COMMENT ON COLUMN credits_internal.payment_links.recharge_currency IS
'The credit currency whose recharge configuration it belongs to; NULL for none.';
COMMENT ON COLUMN credits_internal.payment_links.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits_internal.payment_links.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.payment_links.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits_internal.payment_links.archived_at IS 'When it was archived; NULL where it can be opened.';
COMMENT ON COLUMN credits_internal.payment_links.subscription_data IS
'What is said of the subscriptions that its sessions begin; NULL where they begin none.';
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
COMMENT ON COLUMN credits_internal.auto_recharges.threshold IS
'Below this many available credits are bought; 0: never because of the balance.';
COMMENT ON COLUMN credits_internal.auto_recharges.price_id IS 'At which price; NULL where they are bought by amount.';
COMMENT ON COLUMN credits_internal.auto_recharges.quantity IS 'How many units; with a target, the fewest.';
COMMENT ON COLUMN credits_internal.auto_recharges.target IS
'How many credits a recharge is to reach; NULL where it always buys the same quantity.';
COMMENT ON COLUMN credits_internal.auto_recharges.price_currency IS
'The currency that is paid where credits are bought by amount, at the exchange rate; NULL where they have a price.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_attempts_per_calendar_day IS
'Within a day in UTC; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_amount_per_calendar_day IS
'Within a day in UTC, in the currency that is paid, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_attempts_per_calendar_month IS
'Within a month in UTC; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.max_amount_per_calendar_month IS
'Within a month in UTC, in the currency that is paid, failed attempts not counted; NULL for any.';
COMMENT ON COLUMN credits_internal.auto_recharges.schedule_every IS
'How often it buys whatever the balance, counted from schedule_start_at; NULL for not so.';
COMMENT ON COLUMN credits_internal.auto_recharges.schedule_start_at IS
'The first moment of schedule_every; schedule_day begins no earlier.';
COMMENT ON COLUMN credits_internal.auto_recharges.schedule_day IS
'On which day of each month it buys whatever the balance; NULL for not so.';
COMMENT ON COLUMN credits_internal.auto_recharges.scheduled_at IS
'The first moment of the schedule that nothing was bought for yet. infinity: there is none.';
COMMENT ON COLUMN credits_internal.recharges.top_up_id IS
'The top-up that pays it, and so its payment intent: it begins with the worker, or with its payment.';
COMMENT ON COLUMN credits_internal.recharges.quantity IS
'Units of the price; NULL where it is bought by amount, and in rows of before 0.3.0.';
COMMENT ON COLUMN credits_internal.recharges.scheduled IS 'Whether the schedule asked for it.';
COMMENT ON COLUMN credits_internal.recharges.price_id IS 'The price; NULL where it is bought by amount.';
COMMENT ON COLUMN credits_internal.recharges.rate IS 'The price of one credit; NULL where it is bought by price.';
COMMENT ON TABLE credits_internal.balance_alerts IS
'Levels of a balance at which an event is published. They change under their account''s lock.';
COMMENT ON COLUMN credits_internal.balance_alerts.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.balance_alerts.currency IS 'Which account.';
COMMENT ON COLUMN credits_internal.balance_alerts.kind IS
'''absolute'': levels are credits. ''percent'': percent of full_balance.';
COMMENT ON COLUMN credits_internal.balance_alerts.levels IS 'The levels, highest first.';
COMMENT ON COLUMN credits_internal.balance_alerts.full_balance IS
'What was available when credits last came in, or since, if that was more.';
COMMENT ON COLUMN credits_internal.balance_alerts.reached IS
'How many levels the balance is at or below, which is published.';
COMMENT ON TABLE credits_internal.billing_events IS
'What happened to each object of billing, for credits.event_retention.';
COMMENT ON COLUMN credits_internal.billing_events.event_id IS 'Its id, in the order of time.';
COMMENT ON COLUMN credits_internal.billing_events.type IS
'What happened: a name of src/outbox/billing_event/event_type.rs.';
COMMENT ON COLUMN credits_internal.billing_events.object_type IS
'What it happened to: as the type says it, in one word.';
COMMENT ON COLUMN credits_internal.billing_events.object_id IS 'Which one: its id as text; of a customer its key.';
COMMENT ON COLUMN credits_internal.billing_events.object_seq IS
'Its place among the object''s: from 1 without gaps. The oldest are deleted first.';
COMMENT ON COLUMN credits_internal.billing_events.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits_internal.billing_events.data IS
'The object after it, and what was before of what changed; NULL once the customer is erased.';
COMMENT ON COLUMN credits_internal.billing_events.created_at IS
'When it happened: of one object never before the last one.';
COMMENT ON COLUMN credits_internal.billing_events.to_send IS
'Whether an endpoint wants it, and no delivery is written yet.';
COMMENT ON TABLE credits_internal.billing_event_counters IS
'How many events each object ever had. It changes under the object''s own lock, so nobody waits for it.';
COMMENT ON COLUMN credits_internal.billing_event_counters.object_type IS 'What it is.';
COMMENT ON COLUMN credits_internal.billing_event_counters.object_id IS 'Which one.';
COMMENT ON COLUMN credits_internal.billing_event_counters.last_seq IS 'The number of the last.';
COMMENT ON COLUMN credits_internal.billing_event_counters.last_at IS 'When that was.';
COMMENT ON TABLE credits_internal.webhook_endpoints IS 'Who is sent billing events.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.webhook_endpoint_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.url IS 'Where events are sent.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.enabled_events IS 'Which types are sent; ''*'' is all.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.description IS 'For people.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.status IS '''enabled'' or ''disabled''.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.disabled_reason IS
'Why it was disabled by itself: ''no_success''; NULL where somebody did it.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.created_at IS 'When it was created.';
COMMENT ON COLUMN credits_internal.webhook_endpoints.updated_at IS 'When it last changed.';
COMMENT ON TABLE credits_internal.webhook_secrets IS
'What events are signed with. Only the owner can read it, and no function returns a secret a second time.';
COMMENT ON COLUMN credits_internal.webhook_secrets.webhook_endpoint_id IS 'Of which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_secrets.secret IS 'The secret.';
COMMENT ON COLUMN credits_internal.webhook_secrets.previous_secret IS
'The one before, which signs as well until previous_secret_expires_at.';
COMMENT ON COLUMN credits_internal.webhook_secrets.previous_secret_expires_at IS 'Until when it does.';
COMMENT ON TABLE credits_internal.webhook_health IS 'How each endpoint fares.';
COMMENT ON COLUMN credits_internal.webhook_health.webhook_endpoint_id IS 'Which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_health.failing_since IS
'When it failed first without any success since; NULL where it did not.';
COMMENT ON COLUMN credits_internal.webhook_health.last_success_at IS 'When it last took an event, to the minute.';
COMMENT ON TABLE credits_internal.webhook_deliveries IS
'One row per event and endpoint that is sent it. Of an object''s at most one is due or being sent; those after it
wait.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.event_id IS 'Of which event.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.object_type IS 'What that happened to.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.object_id IS 'Which one.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.object_seq IS 'The event''s place among those of its object.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.status IS
'''waiting'' for an earlier one of the object, ''due'' at due_at, ''sending'' until due_at, ''succeeded'' or ''failed'',
which is given up.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.due_at IS
'When it is sent; of what is being sent when the lease ends.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.attempts IS 'How often it was handed out.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.failures IS 'How often that was reported as failed.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.failed_first_at IS 'When it was for the first time.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.attempt_id IS 'The last attempt.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.in_order IS
'Whether others of the object wait for it: not for one that is sent again.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.once IS 'Whether one failure is enough: of a test.';
COMMENT ON COLUMN credits_internal.webhook_deliveries.created_at IS
'When its event was written: both are kept for as long.';
COMMENT ON TABLE credits_internal.webhook_attempts IS 'Each time that an event was handed out to be sent.';
COMMENT ON COLUMN credits_internal.webhook_attempts.attempt_id IS 'Its id, in the order of time.';
COMMENT ON COLUMN credits_internal.webhook_attempts.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits_internal.webhook_attempts.event_id IS 'Which event.';
COMMENT ON COLUMN credits_internal.webhook_attempts.attempt_no IS 'The how manieth it is, from 1.';
COMMENT ON COLUMN credits_internal.webhook_attempts.worker IS 'Who sends it.';
COMMENT ON COLUMN credits_internal.webhook_attempts.status IS
'''sending'', ''succeeded'', ''failed'', or ''lost'': nobody reported it before the lease ended.';
COMMENT ON COLUMN credits_internal.webhook_attempts.response_status IS 'The answer''s status; NULL for no answer.';
COMMENT ON COLUMN credits_internal.webhook_attempts.response_body IS
'How the answer begins, or why there is none; cleared with the customer.';
COMMENT ON COLUMN credits_internal.webhook_attempts.started_at IS 'When it was handed out.';
COMMENT ON COLUMN credits_internal.webhook_attempts.ended_at IS 'When it was reported, or lost.';
COMMENT ON TABLE credits_internal.history_imports IS
'Accounts whose history was imported. What was posted since is after last_line.';
COMMENT ON COLUMN credits_internal.history_imports.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.history_imports.currency IS 'What the account counts.';
COMMENT ON COLUMN credits_internal.history_imports.entries IS 'How many entries were imported.';
COMMENT ON COLUMN credits_internal.history_imports.first_at IS
'When the first of them happened; NULL where there was none.';
COMMENT ON COLUMN credits_internal.history_imports.last_at IS
'When the last of them happened; NULL where there was none.';
COMMENT ON COLUMN credits_internal.history_imports.finished IS
'Whether that was all of it. Until then more may follow, unless something else is posted before.';
COMMENT ON COLUMN credits_internal.history_imports.last_line IS 'The number of the last line that was imported.';
COMMENT ON COLUMN credits_internal.history_imports.posted_at IS
'The account''s posted_at when the last part was imported.';
COMMENT ON COLUMN credits_internal.history_imports.created_at IS 'When the first part was imported.';
COMMENT ON FUNCTION credits_internal.forget_remembered IS
'Trigger function: notifies every session that a meter, a price, a currency or a webhook endpoint changed. It changes
nothing itself.';
COMMENT ON VIEW credits_internal.lines IS
'Every line of the ledger as posted. For the views ledger and journal, and for verify().

Those of credit_transactions, and those that a meter event or a debit carries itself because one grant paid all of it
at once; of such a debit also what its operation has, of such an event its meter and subscription.';
COMMENT ON FUNCTION credits.currency_create IS
'Creates a currency: a credit unit or money.

currency: its code, 1 to 32 characters.
name: what people call it.
decimals: the most decimals that an amount may have, 0 to 18. It cannot be changed.
kind: ''credit'' for a credit unit, ''fiat'' for money.
symbol: for display.
metadata: the application''s own data.
if_not_exists: true returns a currency that exists already, if it is the same; PC002 says what differs. NULL or false
  refuses it (PC013).

The currency CREDIT, with 6 decimals, is created when it is first used.

With if_not_exists, a name, symbol and metadata that are left out may be anything. So a script can make what it needs
each time that it runs.

Raises PC002, PC013.
Example: SELECT * FROM credits.currency_create(''EUR'', ''Euro'', decimals => 2, kind => ''fiat'', symbol => ''€'');';
COMMENT ON TYPE credits.customer IS 'A customer, as customer_upsert() and customer_delete() return it.';
COMMENT ON COLUMN credits.customer.phone IS 'The customer''s telephone number, not checked.';
COMMENT ON COLUMN credits.customer.description IS 'What the application says of it.';
COMMENT ON COLUMN credits.customer.address IS
'Where it is billed: line1, line2, city, state, postal_code, country (two letters).';
COMMENT ON COLUMN credits.customer.shipping IS 'Where goods are sent, and to whom: name, phone, address.';
COMMENT ON COLUMN credits.customer.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits.customer.invoice_prefix IS
'What the numbers of its invoices begin with; NULL where nobody said.';
COMMENT ON COLUMN credits.customer.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits.customer.preferences IS 'What the customer prefers, in the application''s own words.';
COMMENT ON COLUMN credits.customer.time_zone IS
'The time zone of the calendar of meters whose period_from is ''customer''; NULL for none, and once erased.';
COMMENT ON COLUMN credits.customer.billing_anchor IS
'The billing date: a moment at which a period of meters whose period_from is ''billing_date'' begins; NULL for none.';
COMMENT ON FUNCTION credits.customer_upsert IS
'Creates a customer or updates one. NULL leaves a value unchanged.

customer_id: the application''s own key, 1 to 255 characters.
name: the name of the person or company.
email: an address; it is not checked.
metadata: the application''s own data.
phone: a telephone number; it is not checked.
description: what the application says of the customer.
address: where it is billed, an object of texts: line1, line2, city, state, postal_code, country (the two letters of
  ISO 3166). Another key is refused. It replaces the whole address.
shipping: where goods are sent, and to whom: an object with name, phone and address. It replaces all of it.
currency: the currency that the customer pays in.
invoice_prefix: what the numbers of its invoices begin with from now on: 3 to 12 letters and digits, kept as capitals.
  No two customers ever have the same.
tax_rate: percent of tax on invoices that name none, 0 to 100 with at most 6 decimals; ''infinity'' removes it.
preferences: an object of the application''s own.
time_zone: the time zone whose calendar the periods of meters with period_from ''customer'' are on, as Europe/Berlin.
  An empty text removes it.
billing_anchor: the billing date: a moment at which a period of meters with period_from ''billing_date'' begins. The
  others begin so many periods before and after it, at the end of a month that is too short. ''infinity'' removes it.

Another time_zone or billing_anchor is for events that are reported from then on: those that were keep their period.
Where a period begins at another moment then, its tiers begin anew.

An empty text removes a text, and {} removes address, shipping and preferences. A prefix that is removed or replaced
stays the customer''s: invoices may have it.

Raises PC007, PC008, PC013.
Example: SELECT * FROM credits.customer_upsert(''ann'', name => ''Ann Lee'', email => ''ann@example.com'',
  address => ''{"line1": "Main Street 1", "city": "Bonn", "country": "DE"}'', tax_rate => 19);';
COMMENT ON FUNCTION credits.customer_delete IS
'Deletes a customer that was created by mistake: one without history.

customer_id: the customer.

History is a ledger line, a grant, an operation, a hold, usage (also in the inbox, and rejected), a top-up, a payment, a
recharge, or a webhook that names the customer. With any of it, it is PC020: customer_erase() forgets the person and
keeps what happened.

What is configured for the customer goes with it: accounts, limits, alerts, prices of its own, auto-recharge, payment
methods, and its invoice prefix. Rows of the outbox stay, and so do billing events, without what they said.

Raises PC003, PC013, PC020.
Example: SELECT * FROM credits.customer_delete(''created by mistake'');';
COMMENT ON FUNCTION credits.customer_erase IS
'Forgets the person and keeps the ledger.

customer_id: the customer.

It clears name, email, phone, description, address, shipping, preferences, time_zone and metadata; payment methods,
which are detached, also in the outbox; the addresses of purchases; and what payment providers sent, and will send,
including why a payment failed. Auto-recharge is switched off (outbox: ''recharge.disabled''), and a request that no
worker has begun is canceled. Currency, rate of tax, invoice prefix and billing_anchor stay.

Billing events stay, without what they said, and a customer.updated says what is left.

Invoices that were given out keep the customer''s name and address for credits.invoice_retention: maintain() clears
them after that.

What the application wrote with usage, spending and purchases stays: see customer_metadata_clear().

While a payment is on its way (a payment intent that is ''processing'' or ''requires_action''), it is PC020: what comes
of that would be reported of a person who was forgotten. A worker that took an auto-recharge has to answer first too.

A repeat clears what came since, and returns when it was first done.

Raises PC003, PC013, PC020.
Example: SELECT * FROM credits.customer_erase(''ann'');';
COMMENT ON FUNCTION credits.customer_metadata_clear IS
'Clears what the application wrote with a customer''s usage, spending, grants and purchases.

customer_id: the customer.

It clears metadata and source_data of meter events and of rejected rows of the inbox; metadata and descriptions of
operations, holds and top-ups; metadata of grants, invoices and their lines, also in billing events; and the reasons
of cancellations, adjustments and voids. No amount, line, key or identifier is touched. If a price depends on one value
of an event''s metadata, that value stays.

It locks the customer''s accounts until the transaction ends, and takes longer the more events there are.

Raises PC003, PC013.
Example: SELECT * FROM credits.customer_metadata_clear(''ann'');';
COMMENT ON COLUMN credits.customers.phone IS 'The customer''s telephone number, not checked; NULL once erased.';
COMMENT ON COLUMN credits.customers.description IS 'What the application says of it; NULL once erased.';
COMMENT ON COLUMN credits.customers.address IS
'Where it is billed: line1, line2, city, state, postal_code, country (two letters); NULL once erased.';
COMMENT ON COLUMN credits.customers.shipping IS
'Where goods are sent, and to whom: name, phone, address; NULL once erased.';
COMMENT ON COLUMN credits.customers.currency IS 'The currency that it pays in; NULL where nobody said.';
COMMENT ON COLUMN credits.customers.invoice_prefix IS
'What the numbers of its invoices begin with; NULL where nobody said.';
COMMENT ON COLUMN credits.customers.tax_rate IS 'Percent of tax; NULL where nobody said.';
COMMENT ON COLUMN credits.customers.preferences IS
'What the customer prefers, in the application''s own words; NULL once erased.';
COMMENT ON COLUMN credits.customers.time_zone IS
'The time zone of the calendar of meters whose period_from is ''customer''; NULL for none, and once erased.';
COMMENT ON COLUMN credits.customers.billing_anchor IS
'The billing date: a moment at which a period of meters whose period_from is ''billing_date'' begins; NULL for none.';
COMMENT ON FUNCTION credits.account_configure IS
'Sets how much an account may owe, and when its balance is low. NULL leaves a value unchanged; ''infinity'' removes a
limit.

customer_id: the customer.
currency: the currency of the account; NULL for credits.default_currency.
overdraft_limit: the most usage that the account may owe, in credits, pending and on unpaid invoices. An event that
  would exceed it is refused in full (PC001).
low_balance_threshold: the balance is low while less than this many credits are available: see is_low of the view
  wallets.

Raises PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.account_configure(''ann'', overdraft_limit => 50, low_balance_threshold => 10);';
COMMENT ON COLUMN credits.balance.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits.wallets.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits.wallets.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';
COMMENT ON COLUMN credits.availability.reason IS
'''sufficient'', ''within_max_pending'', ''recharge_in_progress'', ''insufficient_credits'' or ''limit_exceeded''.';
COMMENT ON COLUMN credits.availability.available IS
'What a plain debit may take; with event_name, what the events of that meter may.';
COMMENT ON COLUMN credits.availability.limit_remaining IS
'What the limits that refuse spending leave for it, in credits; NULL where none applies.';
COMMENT ON COLUMN credits.availability.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';
COMMENT ON FUNCTION credits.credit_availability IS
'Returns whether work that would cost so many credits may begin.

customer_id: the customer.
amount: how many credits the work would cost; NULL asks whether there are any credits at all.
currency: the currency; NULL for credits.default_currency.
max_pending: how much usage the customer may owe, in credits.
max_recharges: how many times the credits of an auto-recharge that is under way may be counted on; NULL for none.
event_name: the meter whose usage the work is: credits that only certain meters may use count too. NULL for none.
member_id: the member who would spend: the member''s own limits count too. NULL for none.

It reserves nothing (hold_create() does) and writes nothing; an unknown customer has nothing.

reason is ''sufficient'' (and no more than max_pending is pending), ''within_max_pending'' (short, but no more than
max_pending would be owed afterwards, with what is invoiced), ''recharge_in_progress'' (short, but an auto-recharge
is under way, and max_recharges times what it brings would cover the rest) or ''insufficient_credits''. It is
''limit_exceeded'', whatever the balance, where a limit of usage_limit_set() or member_limit_set() would refuse the
spending (PC021).

Raises PC004, PC005, PC007, PC008, PC013.
Example: SELECT can_continue, reason FROM credits.credit_availability(''ann'', 12.5);';
COMMENT ON FUNCTION credits.wallet_debit IS
'Takes credits, all or nothing, from the usable grants in drawdown order.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first debit with replayed = true; NULL for none.
description: for people; the ledger line has it.
metadata: the application''s own data.
member_id: the member who spends, whose limits it counts towards; NULL for none.

Where there are too few it is PC001, whose DETAIL has customer_id, currency, available, requested and shortfall.
wallet_try_debit() returns the shortfall instead. Where a limit has too little left it is PC021: see the view limits.

Raises PC001, PC002, PC003, PC007, PC008, PC013, PC021.
Example: SELECT debited, available FROM credits.wallet_debit(''ann'', 5, description => ''one picture'');';
COMMENT ON COLUMN credits.try_debit.shortfall IS
'How many credits were missing, or how many too few the limit had left; 0 where none were.';
COMMENT ON COLUMN credits.try_debit.reason IS
'Why nothing was taken: ''insufficient_credits'' or ''limit_exceeded''; NULL where it was.';
COMMENT ON FUNCTION credits.wallet_try_debit IS
'Takes credits as wallet_debit() does, but returns ok = false where there are too few or a limit has too little left.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first debit with replayed = true; NULL for none.
description: for people; the ledger line has it.
metadata: the application''s own data.
member_id: the member who spends, whose limits it counts towards; NULL for none.

With ok = false, shortfall is how many were missing or how many too few the limit has left, reason says which of the
two, nothing is taken, idempotency_key stays unused and the transaction goes on. Every other error is raised.

Raises PC002, PC003, PC007, PC008, PC013.
Example: SELECT ok, shortfall, available FROM credits.wallet_try_debit(''ann'', 5000);';
COMMENT ON FUNCTION credits.wallet_adjust IS
'Corrects a balance for something that happened elsewhere.

customer_id: the customer.
amount: how many credits, signed. Above zero it adds a grant; below zero it takes available credits, and more than is
  available is PC001.
reason: above zero ''external_topup'' (a paid grant), ''gift'' or another (a promotional one). Below zero ''refund''
  (their price was paid back; ledger type ''refund''), ''charge'' (they were spent; ''debit'') or ''correction'' (they
  were never due; ''adjustment''). ''external_topup'' and ''gift'' only add. ''opening_balance'', for customers who come
  from another system, adds a paid grant, or below zero takes what there is and owes the rest: the next credits pay it.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
expires_at: until when the added credits can be spent; NULL for ever.
description: for people; the ledger line has it.
metadata: the application''s own data.

An opening balance is a fact, so it is recorded whatever overdraft_limit says. credit_grant() takes more particulars of
credits that are brought along, and history_import() brings the past along too.

Raises PC001, PC002, PC003, PC007, PC008, PC013.
Example: SELECT * FROM credits.wallet_adjust(''ann'', 50, ''gift'', description => ''sorry for the outage'');';
COMMENT ON TYPE credits.hold IS
'A hold, as hold_create(), hold_update(), hold_capture() and hold_release() return it. The view holds has all of them.';
COMMENT ON COLUMN credits.hold.captured IS 'What was spent of it so far.';
COMMENT ON COLUMN credits.hold.charged IS
'What its captures spent in addition, from the balance, or left owed.';
COMMENT ON COLUMN credits.hold.capture_id IS
'The capture that this call made, as in the view hold_captures; NULL where the hold alone says it all.';
COMMENT ON COLUMN credits.hold.capture_amount IS 'What this call captured; NULL where it was no capture.';
COMMENT ON COLUMN credits.hold.pending IS 'What is owed of what this call captured; NULL where it was no capture.';
COMMENT ON COLUMN credits.hold.event_name IS 'The meter whose usage alone may be captured; NULL for anything.';
COMMENT ON FUNCTION credits.hold_create IS
'Sets credits aside for work in progress, all or nothing, from the grants that a debit would draw on.

customer_id: the customer.
amount: how many credits.
currency: the currency; NULL for credits.default_currency.
expires_in: how long the hold lasts: at most ten years, on the calendar in UTC. After that it counts as released,
  whether or not any job has run.
idempotency_key: a repeat with the same key returns the hold as it stands now with replayed = true; NULL for none.
description: for people; the ledger lines have it.
metadata: the application''s own data.
event_name: the meter whose usage the hold is for: credits are held as an event of that meter would draw them, those too
  that only certain meters may use, and only events of that meter capture them. NULL for none.
member_id: the member who spends, whose limits the hold and its captures count towards; NULL for none.

The credits leave available at once. If a grant ends meanwhile, what is held of it is not affected. Where a limit has
too little left it is PC021: see the view limits.

Raises PC001, PC002, PC003, PC004, PC005, PC007, PC008, PC013, PC021.
Example: SELECT hold_id, expires_at FROM credits.hold_create(''ann'', 20, expires_in => ''10 minutes'');';
COMMENT ON FUNCTION credits.hold_update IS
'Changes an open hold: more credits or fewer, more time or less.

customer_id: the customer.
hold_id: the hold.
amount: how many credits are to be set aside in all, those already captured counted; NULL leaves it. Less than is
  captured is PC007.
expires_at: until when the hold is to last; NULL leaves it. At most ten years from now.
expires_in: the same as an interval from now; NULL leaves it. One of the two.

More is taken all or nothing, from the grants that hold_create() would draw on now, as far as limits allow (PC021). Less
goes back to the grants that it came from, the newest draw first, and pays what is owed.

Where the hold has that amount and lasts so long already, nothing changes (replayed = true). A hold that was captured or
released, or has expired, is PC010.

Raises PC001, PC007, PC010, PC013, PC021.
Example: SELECT amount, expires_at FROM credits.hold_update(''ann'', (SELECT hold_id FROM credits.holds
  WHERE status = ''open''), amount => 30, expires_in => ''1 hour'');';
COMMENT ON FUNCTION credits.hold_release IS
'Gives all that an open hold has back to the grants that it came from.

customer_id: the customer.
hold_id: the hold.

For a hold that was released or has expired nothing happens (replayed = true). One that was captured, or never
existed, is PC010.

Raises PC010, PC013.
Example: SELECT * FROM credits.hold_release(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''));';
COMMENT ON COLUMN credits.holds.amount IS 'What was set aside in all.';
COMMENT ON COLUMN credits.holds.captured IS 'What was spent of it so far.';
COMMENT ON COLUMN credits.holds.charged IS
'What its captures spent in addition, from the balance, or left owed.';
COMMENT ON COLUMN credits.holds.updated_at IS 'When hold_update() changed it last; NULL where it did not.';
COMMENT ON COLUMN credits.holds.event_name IS 'The meter whose usage alone may be captured; NULL for anything.';
COMMENT ON COLUMN credits.holds.member_id IS 'The member who spends; NULL where the caller named none.';
COMMENT ON TYPE credits.reversal IS 'A reversal, as operation_reverse() returns it.';
COMMENT ON COLUMN credits.reversal.operation_id IS 'The operation of the reversal itself.';
COMMENT ON COLUMN credits.reversal.reversed_operation_id IS 'The operation that is reversed.';
COMMENT ON COLUMN credits.reversal.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.reversal.taken IS
'How many credits the reversed operation took, what it left owed included.';
COMMENT ON COLUMN credits.reversal.returned IS
'How many credits this reversal gave back, what is owed no longer included.';
COMMENT ON COLUMN credits.reversal.total_returned IS
'How many credits all reversals of that operation gave back so far.';
COMMENT ON COLUMN credits.reversal.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.reversal.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.reversal.forgiven IS 'How many of the returned credits were owed, and are owed no longer.';
COMMENT ON FUNCTION credits.operation_reverse IS
'Gives back what a debit, a captured hold or an adjustment took, in whole or in parts, until all of it is back.

customer_id: the customer.
operation_id: which operation: the operation_id that wallet_debit() or wallet_adjust() returned, a hold_id, or the
  capture_id of a capture that is in the view hold_captures.
operation_key: instead of operation_id, the idempotency_key of that call.
amount: how many credits go back; NULL for all that is left. More than is left is PC007.
reason: why, for people: the description of the ledger lines.
idempotency_key: a repeat with the same key returns the first reversal with replayed = true; NULL for none.

What a capture left owed, and still owes, is owed no longer. The rest goes back to the grants that gave it, newest draw
first, with their terms, and pays what is owed otherwise. What comes back to a grant that has ended meanwhile ends the
same way at once. What an opening balance left owed is put right by an adjustment.

The ledger has lines of type ''reversal'', whose reversed_operation_id names the operation; in the journal they take
back what it was booked as. Nothing else can be reversed: credits that were added are taken back with
credit_grant_void(), usage with meter_event_cancel() or meter_event_adjust(). Those are PC013, and so is an operation
that is not there.

Where amount is NULL and all is back already, nothing changes and the last reversal is returned (replayed = true).

Raises PC002, PC003, PC007, PC013.
Example: SELECT * FROM credits.wallet_debit(''ann'', 5, idempotency_key => ''picture 1'');
  SELECT returned, available
  FROM credits.operation_reverse(''ann'', operation_key => ''picture 1'', reason => ''the render failed'');';
COMMENT ON VIEW credits_internal.spending IS
'Lines of the ledger that count towards limits: usage, debits, and what was captured of holds. For verify(), and for
what counts them.

amount: credits spent, below zero where they came back, zero where a hold was made or released; spent_at: when; what
came back has the time of the event or the operation that had cost it.';
COMMENT ON TYPE credits.spending_limit IS
'A limit of what may be spent, as usage_limit_set() and member_limit_set() return it.';
COMMENT ON COLUMN credits.spending_limit.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.spending_limit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.spending_limit.member_id IS 'The member whose spending it limits; NULL for everybody''s.';
COMMENT ON COLUMN credits.spending_limit.event_name IS 'The meter whose usage it limits; NULL for any spending.';
COMMENT ON COLUMN credits.spending_limit.per IS
'''day'', ''month'', or the length of a rolling window such as ''7 days''.';
COMMENT ON COLUMN credits.spending_limit.amount IS 'The most that may be spent in a window; NULL where it is removed.';
COMMENT ON COLUMN credits.spending_limit.action IS '''reject'' or ''notify''; NULL where it is removed.';
COMMENT ON COLUMN credits.spending_limit.used IS 'What was spent in the window, and what open holds have.';
COMMENT ON COLUMN credits.spending_limit.remaining IS 'What is left; NULL where it is removed.';
COMMENT ON COLUMN credits.spending_limit.resets_at IS 'When the window ends; NULL for a rolling one.';
COMMENT ON FUNCTION credits.usage_limit_set IS
'Sets, changes or removes a limit of what a customer may spend in a day, a month or a rolling window.

customer_id: the customer.
event_name: the meter whose usage it limits; NULL for everything that is spent in the currency.
amount: the most credits that may be spent in a window; ''infinity'' removes the limit, NULL leaves it as it is.
per: ''day'' or ''month'' of the calendar in UTC, or the length of a rolling window of days, hours, minutes or seconds:
  ''7 days''; required. It is part of which limit it is: a limit per day and one per month stand side by side.
action: ''reject'' refuses what goes beyond it (PC021), ''notify'' only publishes limit.reached; NULL for ''reject'',
  or what the limit has.
currency: the currency; NULL for the meter''s or, without a meter, credits.default_currency.

Debits, usage, and holds count: usage when it is charged, paid or owed, a hold while it is open, and what is captured
of it when it is captured. Usage that is canceled, and what operation_reverse() gives back, makes room again in the
window in which it was spent. Each is judged in the transaction that spends, under the lock of the account, so no two
calls exceed a limit together. Usage of deferred meters and of the inbox has happened: ''reject'' only publishes. What
was spent in the window before the limit was set counts too.

Raises PC003, PC004, PC007, PC008, PC013.
Example: SELECT amount, used, remaining FROM credits.usage_limit_set(''ann'', ''llm.tokens'', 500, ''day'');';
COMMENT ON FUNCTION credits.member_limit_set IS
'Sets, changes or removes a limit of what one member of a customer may spend.

customer_id: the customer: the team, whose credits are spent.
member_id: the member: the application''s own key. Calls that spend name it as member_id.
amount: the most credits that the member may spend in a window; ''infinity'' removes the limit, NULL leaves it as it is.
per: ''day'' or ''month'' of the calendar in UTC, or the length of a rolling window such as ''7 days''; required.
currency: the currency; NULL for credits.default_currency.

What the member would spend beyond it is refused: PC021. What counts, and when, is as for usage_limit_set().

Raises PC003, PC007, PC008, PC013.
Example: SELECT amount, used, remaining FROM credits.member_limit_set(''ann'', ''designer-7'', 100, ''month'');';
COMMENT ON VIEW credits.limits IS
'Limits of what may be spent, with what is used of each at this moment.

Unsettled usage counts once it is settled.';
COMMENT ON COLUMN credits.limits.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.limits.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.limits.member_id IS 'The member whose spending it limits; NULL for everybody''s.';
COMMENT ON COLUMN credits.limits.event_name IS 'The meter whose usage it limits; NULL for any spending.';
COMMENT ON COLUMN credits.limits.per IS
'''day'' or ''month'' of the calendar in UTC, or the length of a rolling window such as ''7 days''.';
COMMENT ON COLUMN credits.limits.amount IS 'The most that may be spent in a window.';
COMMENT ON COLUMN credits.limits.action IS '''reject'' or ''notify''.';
COMMENT ON COLUMN credits.limits.used IS 'What was spent in the window, and what open holds have.';
COMMENT ON COLUMN credits.limits.held IS 'What of that open holds have.';
COMMENT ON COLUMN credits.limits.remaining IS 'What is left.';
COMMENT ON COLUMN credits.limits.resets_at IS 'When the window ends; NULL for a rolling one.';
COMMENT ON COLUMN credits.limits.created_at IS 'When it was set first.';
COMMENT ON COLUMN credits.credit_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits.credit_grant.remaining IS 'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits.credit_grant.cost_amount IS
'What was paid for all of it, net of tax; NULL where that is not known.';
COMMENT ON COLUMN credits.credit_grant.cost_currency IS 'The currency that it was paid in.';
COMMENT ON COLUMN credits.credit_grant.rollover IS
'What goes on when its time runs out, as credit_grant() takes it, with how often it still does; NULL for nothing.';
COMMENT ON COLUMN credits.credit_grant.rolled_from IS 'The grant that rolled over into it; NULL for none.';
COMMENT ON COLUMN credits.credit_grant.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits.credit_grant.rolled_over IS 'How many credits went on then; NULL for none.';
COMMENT ON FUNCTION credits.credit_grant IS
'Grants credits under one set of terms and returns the grant.

customer_id: the customer, who is created where missing.
amount: how many credits: positive, with no more decimals than the currency has.
currency: the currency; NULL for credits.default_currency.
category: ''promotional'' or ''paid''.
name: what people call the grant.
priority: 0 to 100, lower is used first.
effective_at: from when on they can be spent; NULL for now. Until then status is ''pending''. Up to 5 minutes before
  now counts as now, earlier is PC013.
expires_at: until when they can be spent; NULL for ever.
applicable_meters: the event names that they may pay for; NULL for anything.
cost_basis: what was paid for one credit, in money; NULL where that is not known, or to take it from cost_amount.
granted_by: who granted them.
idempotency_key: a repeat with the same key returns the first grant with replayed = true; NULL for none.
metadata: the application''s own data.
cost_amount: what was paid for all of it, net of tax, with no more decimals than cost_currency has; NULL where that
  is not known. The journal and the view revenue go by it. Purchases fill it.
cost_currency: the currency that it was paid in; required with cost_amount.
rollover: what goes on when its time runs out: {"percent": 50, "max": 200, "max_times": 3, "expires_after": "1 month"};
  NULL for nothing. See below.

The account is created where missing. The credits pay pending usage first.

cost_amount is exact to the last cent, whatever becomes of the credits. cost_basis is a price for one credit, for
reports that multiply; where only cost_amount is given it is that divided by amount, rounded to 12 decimals.

Imports that set credits.allow_backdating may give an earlier effective_at: the grant and its lines then have that
time, which must not be before the account''s last line. If expires_at has passed as well, the credits are granted and
expire in the same posting, whose last line is that end.

With rollover, what remains at expires_at becomes another grant in that moment, whoever reads or charges first: percent
of it (100 where that is left out), at most max, rounded down to the currency''s decimals; the rest expires. The new
grant begins then, lives for expires_after (required; at least an hour, on the calendar in UTC), and has the same terms,
name, metadata and part of the cost. It rolls over in turn, max_times in all, or for ever where that is left out. What
is held at expires_at, and what comes back later, does not roll over. A grant that is ended by hand does not either, and
what a transfer moves has no rollover. The ledger has two lines of type ''rollover'', which sum to zero.

Raises PC002, PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.credit_grant(''ann'', 500, name => ''Welcome'',
  expires_at => now() + interval ''30 days'');';
COMMENT ON FUNCTION credits.credit_grant_void IS
'Takes a grant back now, or part of it: what remains is gone (ledger type ''void'').

customer_id: the customer.
grant_id: the grant.
reason: why; it is kept with the grant, or with the part.
amount: only so many credits of what remains, and the grant goes on; more than remain is PC001. NULL for all: the grant
  ends.
spent: what happens to what was spent of it: ''forgive'' (NULL: it stays spent) or ''pending'' (it is owed).
idempotency_key: with an amount: a repeat with the same key returns the grant with replayed = true; NULL for none, and
  each call takes another part. It does not go with all of a grant, which ends once.

What was spent stays spent; what is held ends when it comes back. A grant that was to take effect later never does.
One that has ended already stays as it is (replayed = true).

With spent => ''pending'' the grant was a mistake: what was spent of it, or with an amount as much of the amount as does
not remain, becomes pending usage (ledger type ''refund'' without a grant), which other credits pay at once where there
are any, and the next ones later. What is held is owed once it is captured, and taken back where it is released. Also of
a grant that has ended, once. A purchase is refunded instead: PC013.

Raises PC001, PC002, PC007, PC009, PC013.
Example: SELECT * FROM credits.credit_grant_void(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), amount => 5, idempotency_key => ''ticket-7'');';
COMMENT ON FUNCTION credits.credit_grant_expire IS
'Lets a grant expire now, or part of it: as credit_grant_void(), but what remains counts as expired (breakage), not as
taken back.

customer_id: the customer.
grant_id: the grant.
amount: only so many credits of what remains, and the grant goes on; more than remain is PC001. NULL for all.
idempotency_key: with an amount: a repeat with the same key returns the grant with replayed = true; NULL for none.

expires_at stays what it was; ended_at in the view grants says when the grant ended.

Raises PC001, PC002, PC007, PC009, PC013.
Example: SELECT * FROM credits.credit_grant_expire(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''));';
COMMENT ON FUNCTION credits.credit_grant_update IS
'Changes a grant''s name, metadata, priority or expiry, never its amount. NULL leaves a value unchanged.

customer_id: the customer.
grant_id: the grant.
name: what people call the grant.
metadata: the application''s own data.
priority: 0 to 100, lower is used first.
expires_at: until when its credits can be spent; ''infinity'' for ever.
expired: true ends it now, as credit_grant_expire() does; again changes nothing (replayed = true).

Priority and expiry of a grant that has ended cannot be changed: see credit_grant_extend().

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_update(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), priority => 10);';
COMMENT ON FUNCTION credits.credit_grant_extend IS
'Gives a grant more time, also shortly after its time ran out: what lapsed comes back.

customer_id: the customer.
grant_id: the grant.
expires_at: its new end, later than the one that it has and than now; ''infinity'' for ever.

Until credits.extend_within (7 days) after its end, the grant can be spent from again. What lapsed with its time comes
back (ledger type ''reinstatement'') and pays pending usage first; what was voided, expired by hand, or taken back
because its price was paid back does not. A grant that was suspended when its time ran out is usable then. A grant that
was ended by hand cannot be extended. The same end again changes nothing (replayed = true).

A grant rolls over once. What went on as another grant then stays there, which can be extended itself; what expired
comes back.

Raises PC009, PC013.
Example: SELECT * FROM credits.credit_grant_extend(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), now() + interval ''90 days'');';
COMMENT ON FUNCTION credits.credit_grant_suspend IS
'Suspends a grant: nothing of it can be spent or held until credit_grant_resume().

customer_id: the customer.
grant_id: the grant, which has begun and not ended.
reason: why; it is kept with the grant.

What remains leaves the balance (ledger type ''suspension''; the journal''s account ''suspended''). What is held stays
held; what comes back is suspended too. Its time runs on: at expires_at it expires, or rolls over into a grant that is
suspended as well. Again changes nothing
(replayed = true).

Raises PC009, PC013.
Example: SELECT status, remaining FROM credits.credit_grant_suspend(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''), ''chargeback feared'');';
COMMENT ON FUNCTION credits.credit_grant_resume IS
'Resumes a suspended grant: what remains of it can be spent again.

customer_id: the customer.
grant_id: the grant.

What remains comes back into the balance (ledger type ''resumption'') and pays pending usage first. A grant that is not
suspended stays as it is (replayed = true); one that has ended is PC013.

Raises PC009, PC013.
Example: SELECT status, remaining FROM credits.credit_grant_resume(''ann'',
  (SELECT grant_id FROM credits.grants WHERE name = ''Bonus''));';
COMMENT ON COLUMN credits_internal.due_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits_internal.due_grant.remaining IS
'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits_internal.due_grant.lapsed IS
'What expired, rolled over, was voided, or was taken back because its price was paid back.';
COMMENT ON COLUMN credits_internal.due_grant.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits_internal.due_grant.rolled_over IS 'How many credits went on then; NULL for none.';
COMMENT ON TYPE credits_internal.due_rollover IS 'What due_rollovers() returns.';
COMMENT ON COLUMN credits_internal.due_rollover.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.due_rollover.stored_id IS
'The last grant before it that is stored: it has the same terms.';
COMMENT ON COLUMN credits_internal.due_rollover.rolled_from IS 'The grant that rolled over into it.';
COMMENT ON COLUMN credits_internal.due_rollover.status IS '''granted'', ''depleted'', ''expired'' or ''suspended''.';
COMMENT ON COLUMN credits_internal.due_rollover.amount IS 'What went on.';
COMMENT ON COLUMN credits_internal.due_rollover.remaining IS
'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits_internal.due_rollover.lapsed IS 'What expired or rolled over.';
COMMENT ON COLUMN credits_internal.due_rollover.effective_at IS 'From when on its credits can be spent.';
COMMENT ON COLUMN credits_internal.due_rollover.expires_at IS 'From when on its credits cannot be spent.';
COMMENT ON COLUMN credits_internal.due_rollover.suspended IS 'Whether it began as a suspended one.';
COMMENT ON COLUMN credits_internal.due_rollover.cost_amount IS
'What was paid for all of it; NULL where that is not known.';
COMMENT ON COLUMN credits_internal.due_rollover.times_left IS 'How often it rolls over; NULL for any number.';
COMMENT ON COLUMN credits_internal.due_rollover.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits_internal.due_rollover.rolled_over IS 'How many credits went on then; NULL for none.';
COMMENT ON FUNCTION credits_internal.due_rollovers IS
'Returns an account''s grants that others have rolled over into and nothing has posted yet, as they stand now.

For the view grants, which asks only where a grant of the customer still rolls over. Writes nothing.

customer_id: the customer; NULL for none.
currency: the currency of the account.

Raises PC013.';
COMMENT ON FUNCTION credits_internal.rollover_terms IS
'Returns what goes on of a grant when its time runs out, as credit_grant() takes it. For the view grants.

percent: so many percent of what remains.
max: at most so many credits; NULL for any.
times: so many times; NULL for any number.
lives: how long what goes on lives.';
COMMENT ON FUNCTION credits_internal.rolls_over IS
'Returns how many of the credits that remain of a grant go on when its time runs out.

percent: so many percent of them.
max: at most so many; NULL for any.
decimals: how many decimals their currency has.
remaining: the credits.';
COMMENT ON VIEW credits_internal.rollovers IS
'Grants that roll over, with what of it is still to come as credit_grant() takes it. As posted.';
COMMENT ON VIEW credits.grants IS
'Credit grants at this moment.

amount is what was granted. remaining can be spent (from effective_at, and unless it is suspended), held is set aside,
lapsed expired, was voided or was taken back because its price was paid back, rolled_over went on as another grant;
consumed is the rest: spent, transferred or corrected. For an account whose rows are damaged, grants are as they were
posted, with a warning.';
COMMENT ON COLUMN credits.grants.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits.grants.remaining IS 'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits.grants.suspended_at IS
'When it was suspended, if it still is, or was when it ended; NULL otherwise.';
COMMENT ON COLUMN credits.grants.suspended_reason IS 'Why it was suspended, as the caller said.';
COMMENT ON COLUMN credits.grants.cost_amount IS
'What was paid for all of it, net of tax, also for what was transferred on; NULL where that is not known.';
COMMENT ON COLUMN credits.grants.cost_currency IS 'The currency that it was paid in.';
COMMENT ON COLUMN credits.grants.rollover IS
'What goes on when its time runs out, as credit_grant() takes it, with how often it still does; NULL for nothing.';
COMMENT ON COLUMN credits.grants.rolled_from IS 'The grant that rolled over into it; NULL for none.';
COMMENT ON COLUMN credits.grants.rolled_to IS 'The grant that it rolled over into; NULL for none.';
COMMENT ON COLUMN credits.grants.rolled_over IS 'How many credits went on then; NULL for none.';
COMMENT ON COLUMN credits.grant_summary.remaining IS
'What is left of the grants that can be spent from, not counting held credits.';
COMMENT ON COLUMN credits.grant_summary.suspended IS 'What is left of suspended grants; not in remaining.';
COMMENT ON COLUMN credits.grant_summary.usable_granted IS
'Credits of the grants that can be spent from, as they were granted.';
COMMENT ON COLUMN credits.grant_summary.grants IS 'How many grants ever took effect.';
COMMENT ON COLUMN credits.grant_summary.consumed IS 'What was spent of all grants, by now.';
COMMENT ON FUNCTION credits.credit_grant_summary IS
'Sums up a customer''s grants, those that can be spent from beside all that there ever were: one row per currency.

customer_id: the customer.
subscription_id: only grants that usage of this subscription can draw on; NULL for all.

What a subscription uses are the meters that reported usage with its subscription_id. Its grants are those for any of
these meters, and those without applicable_meters. What rolled over is granted once. It writes nothing.

Raises PC013.
Example: SELECT * FROM credits.credit_grant_summary(''ann'');';
COMMENT ON COLUMN credits.grant_holder.usable_grants IS 'How many grants the customer can spend from.';
COMMENT ON COLUMN credits.grant_holder.usable_granted IS 'Credits of these grants, as they were granted.';
COMMENT ON COLUMN credits.grant_holder.holder_count IS
'How many customers have a balance in the currency, on all pages together.';
COMMENT ON COLUMN credits.grant_holder.total_balance IS 'What they have together.';
COMMENT ON FUNCTION credits.credit_grant_stats IS
'Counts the grants made in a period: per currency one row for all (day NULL), then one per day that had any.

currency: only this currency; NULL for all.
start_at: from when on (included); NULL for no bound.
end_at: until when (not included); NULL for no bound.
category: only this category; NULL for both.
granted_by: only grants by this one; NULL for all.
time_zone: the time zone that says where days begin.

Held, expired and voided credits are in neither remaining nor consumed; transferred credits count as consumed; what
arrived by a transfer is no grant of its own here. What went on by rollover is none either: it counts in remaining and
consumed, on the day on which it did. It writes nothing.

Raises PC008, PC013.
Example: SELECT * FROM credits.credit_grant_stats(''CREDIT'', now() - interval ''30 days'', now());';
COMMENT ON COLUMN credits.ledger_line.reversed_operation_id IS
'Where operation_reverse() gave credits back, the operation that had taken them.';
COMMENT ON COLUMN credits.ledger_line.member_id IS 'The member who spent; NULL where the caller named none.';
COMMENT ON COLUMN credits.ledger_line.transaction_id IS
'The line by one key: made of the customer, the currency and line_no, so it is the same for ever.';
COMMENT ON COLUMN credits.ledger_line.subscription_id IS 'The application''s own subscription id, of usage.';
COMMENT ON COLUMN credits.ledger_line.display_title IS
'What to call the line where the customer reads it: see the view ledger.';
COMMENT ON FUNCTION credits.wallet_history IS
'Returns a customer''s ledger lines, newest first.

customer_id: the customer.
currency: the currency; NULL for the newest of all currencies.
page_size: 1 to 1,000 lines.
before: the line_no of the last line of the previous page, within one currency; NULL for the newest.
subscription_id: only lines of usage reported with this subscription; NULL for all.
grant_id: only lines of this grant; NULL for all.
event_name: only lines of this meter''s usage; NULL for all.
type: only lines of this type, as in the view ledger; NULL for all.
start_at: from when on (included), by effective_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
transaction_id: only this line; NULL for all.

It shows what is posted: CALL maintain() first to include what fell due meanwhile, such as grants that expired.

A time, a grant and a transaction are found by their place in the account. The other filters look at the account''s
lines of that time, newest first, until the page is full.

Raises PC004, PC008, PC009, PC013.
Example: SELECT line_no, type, amount, display_title FROM credits.wallet_history(''ann'', type => ''consumption'',
  start_at => now() - interval ''30 days'', page_size => 20);';
COMMENT ON COLUMN credits.past_balance.invoiced IS 'Usage owed that was on invoices that were not paid then.';
COMMENT ON VIEW credits.ledger IS
'Ledger lines as posted, with what they are about.

amount, held and pending are what a line did to the balance, to the held credits and to the usage owed. The operation
of a hold''s lines is the hold, or the capture where it is in the view hold_captures; a capture has the description and
metadata of hold_capture() where it was given any, and the event where it was one.
Month-end runs CALL maintain() first.';
COMMENT ON COLUMN credits.ledger.type IS
'''grant'' (credits took effect), ''consumption'' (they paid usage), ''debit'', ''debt'' (usage that no credit
covered), ''reversal'' (usage was canceled, or an operation reversed), ''hold'', ''capture'' (held credits were
spent), ''release'' (they came back), ''expiration'', ''void'', ''transfer'', ''adjustment'', ''refund'', ''suspension''
(of a grant), ''resumption'' (of it), ''reinstatement'' (what lapsed with a grant''s time came back), ''rollover'' (what
remained of a grant went on as another).';
COMMENT ON COLUMN credits.ledger.operation_id IS
'The operation that moved the credits: of a hold the hold, or its capture.';
COMMENT ON COLUMN credits.ledger.reversed_operation_id IS
'Where operation_reverse() gave credits back, the operation that had taken them.';
COMMENT ON COLUMN credits.ledger.member_id IS
'The member who spent, whose usage it is, or who made the hold; NULL where the caller named none.';
COMMENT ON COLUMN credits.ledger.transaction_id IS
'The line by one key: made of the customer, the currency and line_no, so it is the same for ever. wallet_history()
finds a line by it.';
COMMENT ON COLUMN credits.ledger.subscription_id IS 'The application''s own subscription id, of usage.';
COMMENT ON COLUMN credits.ledger.display_title IS
'What to call the line where the customer reads it: its description; else the meter''s name, for usage; the grant''s
name, where it began or ended; or what happened, such as ''Transfer from ben''.';
COMMENT ON FUNCTION credits_internal.share IS
'Returns the share of a total that so much of a whole stands for, rounded half away from zero, exactly.

What is split as differences of shares adds up, and no part of it is below zero.

total: what is split.
part: how much of the whole, from zero up.
whole: the whole, above zero.
decimals: how many decimals a share has.';
COMMENT ON VIEW credits_internal.entries IS
'The lines of the ledger with both sides of each: amount goes to account and comes from other_account. For the journal.

kept is what a line does to what its grant still has, held and suspended credits included. cost_account is where the
money goes that is deferred no longer.';
COMMENT ON VIEW credits_internal.cost_entries IS
'The entries of grants that have a cost, with the money that each line adds to what is deferred. For the journal.';
COMMENT ON VIEW credits.journal IS
'The ledger as double entry: two rows per line that sum to zero. As posted: CALL maintain() first.

account: ''issued_paid'', ''issued_promotional'' (below zero: what customers were given; a transfer nets to zero over
  both customers, a rollover over both grants), ''available'', ''restricted'', ''held'', ''suspended'', ''spent'',
  ''expired'', ''voided'', ''refunded'', ''debt'' (below zero: usage owed).

Usage that no credit covered is spent at once, without a category; what pays it later goes to ''debt'' under the
category of the grant that pays. So credits spent by category are the sum over ''spent'' and ''debt''.

cost_amount is the money that goes with the credits of a grant that has a cost, as differences of the cost''s rounded
share, so that all of it is there in the end: 10 for 3 credits is 3.33, 3.34 and 3.33. It sums to zero over a line, and
by cost_account it is the view revenue. Money is deferred while credits are available, restricted, held or suspended,
so a hold moves none. cost_basis is a price per credit that is only reported.';
COMMENT ON COLUMN credits.journal.cost_amount IS
'The signed money that goes with the amount; the two rows of a line sum to zero. NULL where the grant has no cost.';
COMMENT ON COLUMN credits.journal.cost_currency IS 'The currency of cost_amount.';
COMMENT ON COLUMN credits.journal.cost_account IS
'Where the money goes: ''received'' (below zero: what was paid), ''deferred'', ''recognised'', ''breakage'' or
''refunded''. NULL where the grant has no cost.';
COMMENT ON VIEW credits.revenue IS
'Revenue recognised: by day in UTC, currency of the money and category of the credits. As posted: CALL maintain() first.

Of grants that have a cost (cost_amount and cost_currency): those of purchases have it by themselves. For each day on
which something happened there is a row: what was received, and what of it was recognised because credits were spent,
became breakage or was paid back. deferred is a balance: what is still to be earned at the end of that day, also for
grants that have not begun. Over all days received = recognised + breakage + refunded + the last deferred, to the cent.

A day that is over changes only where what a payment was made of (its tax) is reported later.

What usage is owed for is recognised when credits pay it. What was spent stays recognised when its price is paid back;
the credits that later pay for that count as refunded, not as recognised again. Where it was forgiven, nothing does:
the view payment_log has that loss. For one customer or one grant sum the journal by cost_account.';
COMMENT ON COLUMN credits.revenue.day IS 'The day, in UTC.';
COMMENT ON COLUMN credits.revenue.currency IS 'The currency of the money.';
COMMENT ON COLUMN credits.revenue.category IS '''paid'' or ''promotional''.';
COMMENT ON COLUMN credits.revenue.received IS
'What was paid for credits, net of tax, counted when they were granted; transfers and rollovers add nothing.';
COMMENT ON COLUMN credits.revenue.recognised IS
'What was earned because credits were spent, less what came back to their grants.';
COMMENT ON COLUMN credits.revenue.breakage IS
'What credits cost that ended unspent and were not paid back: expired, voided, or taken by a correction.';
COMMENT ON COLUMN credits.revenue.refunded IS
'What the credits cost that were taken back because their price was paid back.';
COMMENT ON COLUMN credits.revenue.deferred IS
'What is still to be earned at the end of the day: the balance of all days until then.';
COMMENT ON FUNCTION credits.current_customer IS
'Returns the customer whose rows customer_me() and the views whose names begin with my_ show: the setting
credits.current_customer.

Only roles that were allowed to may set it. NULL shows nothing.

Example: SELECT credits.current_customer();';
COMMENT ON COLUMN credits_internal.own_wallet.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits_internal.own_wallet.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';
COMMENT ON COLUMN credits_internal.own_grant.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits_internal.own_grant.remaining IS
'What can still be spent, of a suspended grant once it is resumed.';
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
COMMENT ON FUNCTION credits.customer_me IS
'Returns what a customer sees of itself: of credits.current_customer, a row, or none where nobody is named.

Metadata and description are the application''s, and not in it.

Example: SELECT * FROM credits.customer_me();';
COMMENT ON COLUMN credits.my_wallets.next_expiry_amount IS
'How many credits expire then, without those that roll over; NULL where none do.';
COMMENT ON COLUMN credits.my_wallets.invoiced IS
'Usage owed that is on invoices that are not paid yet: no credits pay it.';
COMMENT ON COLUMN credits.my_grants.status IS
'''pending'' (takes effect later), ''granted'', ''depleted'', ''expired'', ''voided'' or ''suspended''.';
COMMENT ON COLUMN credits.my_grants.remaining IS 'What can still be spent, of a suspended grant once it is resumed.';
COMMENT ON COLUMN credits.my_ledger.transaction_id IS 'The line by one key, the same for ever.';
COMMENT ON COLUMN credits.my_ledger.display_title IS
'What to call the line: its description, the meter, the grant, or what happened.';
COMMENT ON VIEW credits.my_payment_methods IS
'The attached payment methods of credits.current_customer, without what providers call them.';
COMMENT ON COLUMN credits.my_payment_methods.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.my_payment_methods.provider IS 'The provider that keeps it.';
COMMENT ON COLUMN credits.my_payment_methods.name IS 'What people call it; NULL where nobody said.';
COMMENT ON COLUMN credits.my_payment_methods.expires_at IS 'From when on it cannot be charged; NULL for never.';
COMMENT ON COLUMN credits.my_payment_methods.is_default IS 'Whether it is charged where none is named.';
COMMENT ON COLUMN credits.my_payment_methods.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits.meter.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, the highest (''max''), or
how many different ones (''unique'') there are of unique_by.';
COMMENT ON COLUMN credits.meter.period IS
'What is priced together: the events of a ''day'', a ''week'' (from Monday), a ''month'' or a ''year'', or all (NULL).
period_from says when it begins.';
COMMENT ON COLUMN credits.meter.settlement IS
'When events are charged: ''immediate'', ''deferred'' (recorded at once, and charged by settle()), or never: ''invoice''
(recorded, and invoiced by a subscription after its period).';
COMMENT ON COLUMN credits.meter.next_price_at IS
'When another price takes effect that is set already; NULL where none is. The view price_versions has it.';
COMMENT ON COLUMN credits.meter.fallback_currency IS
'The currency that pays what its own does not cover; NULL for none.';
COMMENT ON COLUMN credits.meter.fallback_rate IS 'Units of that currency per unit of its own.';
COMMENT ON COLUMN credits.meter.unique_by IS
'Of aggregation unique: the key of the events'' metadata whose different values are counted.';
COMMENT ON COLUMN credits.meter.time_zone IS 'The time zone of its calendar; NULL for UTC.';
COMMENT ON COLUMN credits.meter.period_from IS
'Where its periods begin: on its own calendar (''meter''), on that of the customer''s time zone (''customer''), or at
the customer''s billing date (''billing_date''). A customer who has none has the meter''s calendar.';
COMMENT ON FUNCTION credits.meter_create IS
'Creates a meter: a billable kind of usage.

event_name: its key: what events call it, 1 to 255 characters.
name: what people call it.
currency: the currency that it charges; NULL for credits.default_currency.
unit_price: credits per unit, zero or more.
aggregation: what is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value by
  occurred_at, the highest (''max''), or how many different ones (''unique'') there are of unique_by.
unit: for display.
period: what is priced together: the events of a ''day'', a ''week'' (from Monday), a ''month'' or a ''year'', or all
  (NULL).
overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001).
settlement: ''immediate'' charges at once. ''deferred'' only records, locks nothing, and is charged by settle() as of
  the report: for sum and count, without tiers or whole blocks, with overage ''pending''. ''invoice'' only records, and
  the customer''s subscription with the meter invoices it after its period: in a currency of kind fiat, without a
  period of its own, with one price for all metadata, and overage ''pending''.
description: for people.
metadata: the application''s own data.
pricing: prices by block, tier or metadata, instead of unit_price: see docs/pricing.md. NULL for unit_price.
if_not_exists: true returns a meter that exists already, if it is the same; PC002 says what differs. NULL or false
  refuses it (PC013).
unique_by: with aggregation ''unique'', the key of the events'' metadata whose different values are counted, as in
  user_id for monthly active users; then value does not matter, and an event without the key is PC013.
unpriced: ''reject'' refuses usage for which a pricing by metadata has no price, as "unpriced" in it does; PC013 where
  it has a default. NULL for what the pricing says.
time_zone: the time zone of its calendar, as Europe/Berlin, where it has a period; NULL for UTC.
period_from: where its periods begin: on its own calendar (''meter'', or NULL), on the calendar of the customer''s
  time_zone (''customer''), or at the customer''s billing_anchor (''billing_date''). A customer who has none has the
  meter''s calendar.

Usage is priced event by event, except for last, max, unique, tiers and whole blocks, which are priced by period.
Prices are rounded half away from zero to the currency''s decimals.

With if_not_exists, a name, unit, description and metadata that are left out may be anything, and the price is that of
now. A meter that is switched off stays so.

Raises PC002, PC007, PC008, PC013.
Example: SELECT * FROM credits.meter_create(''image.render'', unit_price => 4, unit => ''image'');';
COMMENT ON FUNCTION credits.meter_update IS
'Changes a meter. NULL leaves a value unchanged.

event_name: the meter.
name: what people call it.
unit_price: credits per unit, zero or more.
unit: for display.
overage: ''pending'' records what no credit covers as owed, ''reject'' refuses the event (PC001).
description: for people.
metadata: the application''s own data.
pricing: prices by block, tier or metadata, instead of unit_price: see docs/pricing.md.
effective_at: from when on unit_price or pricing is in force; NULL for now. Not in the past.
fallback_currency: the currency that pays what the meter''s own does not cover, with fallback_rate.
fallback_rate: units of that currency per unit of the meter''s own. Zero, without fallback_currency, removes both.
continue_tiers: true lets its tiers and blocks go on, in a period that has begun, from what was used under the price
  before. For graduated tiers and blocks of a sum, a count or unique.
unpriced: with a pricing by metadata, ''reject'' refuses usage that it has no price for, as "unpriced" in it does.

Another unit_price or pricing, or one in place of the other, is a new version. An event takes the version that was in
force when it occurred, so one that is reported late takes the price of before. What was charged stays, and tiers
begin anew, unless continue_tiers is true. A price for a moment that has one already takes its place. The same price as
is in force then changes nothing. Currency, aggregation, period, time_zone, period_from
and settlement cannot be changed.

Where a customer''s credits in the meter''s own currency are used up, the rest of an event is charged in
fallback_currency, rounded half away from zero; what neither covers is owed in the meter''s own. That is for events
reported from now on, of meters that add up or count without tiers or rounds and are charged at once.

Raises PC004, PC007, PC008, PC013.
Example: SELECT unit_price, next_price_at FROM credits.meter_update(''llm.tokens'', unit_price => 0.002,
  effective_at => now() + interval ''30 days'');';
COMMENT ON VIEW credits_internal.price_schedule IS
'From when on each price of a meter is in force (since): until another one is. The first is so for all that occurred
before, too.

numbers_as_written: of a price by metadata that was set before 0.3.0, 1.0 and 1 are two values, as events have been
  charged.';
COMMENT ON COLUMN credits.meters.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, the highest (''max''), or
how many different ones (''unique'') there are of unique_by.';
COMMENT ON COLUMN credits.meters.period IS
'What is priced together: the events of a ''day'', a ''week'' (from Monday), a ''month'' or a ''year'', or all (NULL).
period_from says when it begins.';
COMMENT ON COLUMN credits.meters.settlement IS
'When events are charged: ''immediate'', ''deferred'' (recorded at once, and charged by settle()), or never: ''invoice''
(recorded, and invoiced by a subscription after its period).';
COMMENT ON COLUMN credits.meters.price_version IS 'The version of the price that is in force.';
COMMENT ON COLUMN credits.meters.price_since IS 'Since when this price is in force.';
COMMENT ON COLUMN credits.meters.next_price_at IS
'When another price takes effect that is set already; NULL where none is.';
COMMENT ON COLUMN credits.meters.fallback_currency IS
'The currency that pays what its own does not cover; NULL for none.';
COMMENT ON COLUMN credits.meters.fallback_rate IS 'Units of that currency per unit of its own.';
COMMENT ON COLUMN credits.meters.unique_by IS
'Of aggregation unique: the key of the events'' metadata whose different values are counted.';
COMMENT ON COLUMN credits.meters.time_zone IS 'The time zone of its calendar; NULL for UTC.';
COMMENT ON COLUMN credits.meters.period_from IS
'Where its periods begin: on its own calendar (''meter''), on that of the customer''s time zone (''customer''), or at
the customer''s billing date (''billing_date''). A customer who has none has the meter''s calendar.';
COMMENT ON VIEW credits.price_versions IS
'Every price that a meter has, had or will have. Events have the price_version that was in force when they occurred
(view usage).';
COMMENT ON COLUMN credits.price_versions.price_since IS 'From when on it is in force.';
COMMENT ON COLUMN credits.price_versions.created_at IS 'When it was set.';
COMMENT ON COLUMN credits.price_versions.price_until IS
'Until when it is in force; NULL where nothing follows. The same as price_since where another took its place.';
COMMENT ON COLUMN credits.price_versions.continue_tiers IS
'Whether its tiers go on from what was used under the price before in the same period.';
COMMENT ON TYPE credits.price_override IS
'What a customer pays instead of a meter''s prices, as meter_price_override() returns it. The view price_overrides has
all of them.';
COMMENT ON COLUMN credits.price_override.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.price_override.event_name IS 'The meter.';
COMMENT ON COLUMN credits.price_override.override_no IS 'Counts from 1 for each customer and meter.';
COMMENT ON COLUMN credits.price_override.unit_price IS 'Credits per unit; NULL where another column says more.';
COMMENT ON COLUMN credits.price_override.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where another column says it.';
COMMENT ON COLUMN credits.price_override.discount_percent IS
'Percent off the meter''s prices; NULL where the price is the customer''s own.';
COMMENT ON COLUMN credits.price_override.effective_at IS
'From when on it is in force, for events that occur from then on.';
COMMENT ON COLUMN credits.price_override.ends_at IS 'Until when it is in force; NULL for no end.';
COMMENT ON COLUMN credits.price_override.status IS
'''scheduled'' until it begins, then ''active'', at last ''ended''.';
COMMENT ON COLUMN credits.price_override.created_at IS 'When it was set.';
COMMENT ON COLUMN credits.price_override.replayed IS 'Whether it was so already, and this call changed nothing.';
COMMENT ON FUNCTION credits.meter_price_override IS
'Sets what one customer pays for a meter''s usage instead of the meter''s price.

customer_id: the customer, who must exist.
event_name: the meter.
pricing: prices of their own by block, tier or metadata: see docs/pricing.md.
unit_price: a price of their own per unit.
discount_percent: percent off the meter''s prices, more than 0 and at most 100. It follows every change of them.
effective_at: from when on; NULL for now. Not in the past.
ends_at: until when; NULL for no end.
unpriced: with a pricing by metadata, ''reject'' refuses usage that it has no price for, as "unpriced" in it does.

Exactly one of pricing, unit_price and discount_percent is given. An event has the override that was in force when it
occurred; of several that which began last, so a special price may stand over a general one and fall back to it. A
price of their own takes the place of all of the meter''s prices, tiers and blocks too. A discount is taken off what
the meter''s price comes to exactly, before that is rounded. Either way tiers begin anew with the override.

The same again, while it is in force, changes nothing (replayed = true).

Raises PC003, PC004, PC007, PC013.
Example: SELECT override_no, discount_percent, status FROM credits.meter_price_override(''ann'', ''llm.tokens'',
  discount_percent => 20, ends_at => now() + interval ''1 year'');';
COMMENT ON FUNCTION credits.meter_price_override_end IS
'Ends what a customer pays instead of a meter''s price: one override or all, now or at a moment.

customer_id: the customer.
event_name: the meter.
override_no: which; NULL for all that have not ended by then.
ends_at: when; NULL for now. Not in the past.

Returns what ends. One that has not begun by then never begins. What ends earlier stays as it is (replayed = true).
Usage that occurred before keeps its price, however late it is reported.

Raises PC004, PC013.
Example: SELECT override_no, status FROM credits.meter_price_override_end(''ann'', ''llm.tokens'');';
COMMENT ON VIEW credits.price_overrides IS
'What customers pay, paid or will pay instead of a meter''s prices. Of several that are active, that which began last is
in force.';
COMMENT ON COLUMN credits.price_overrides.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.price_overrides.event_name IS 'The meter.';
COMMENT ON COLUMN credits.price_overrides.override_no IS 'Counts from 1 for each customer and meter.';
COMMENT ON COLUMN credits.price_overrides.unit_price IS 'Credits per unit; NULL where another column says more.';
COMMENT ON COLUMN credits.price_overrides.pricing IS
'The price by block, tier or metadata (docs/pricing.md); NULL where another column says it.';
COMMENT ON COLUMN credits.price_overrides.discount_percent IS
'Percent off the meter''s prices; NULL where the price is the customer''s own.';
COMMENT ON COLUMN credits.price_overrides.currency IS 'The currency that the meter charges.';
COMMENT ON COLUMN credits.price_overrides.effective_at IS
'From when on it is in force, for events that occur from then on.';
COMMENT ON COLUMN credits.price_overrides.ends_at IS 'Until when it is in force; NULL for no end.';
COMMENT ON COLUMN credits.price_overrides.status IS
'''scheduled'' until it begins, then ''active'', at last ''ended''.';
COMMENT ON COLUMN credits.price_overrides.created_at IS 'When it was set.';
COMMENT ON COLUMN credits.reported_event.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' where the meter is deferred, or ''recorded'' where it
is invoiced.';
COMMENT ON COLUMN credits.reported_event.available IS
'What a plain debit may take afterwards; NULL where the event is unsettled or recorded.';
COMMENT ON FUNCTION credits.report_meter_event IS
'Reports usage once per customer_id and identifier, for ever, and charges it.

customer_id: the customer.
event_name: the meter.
value: how much, in the meter''s unit; zero or more.
identifier: the reporter''s own key of the event, required, 1 to 255 characters.
occurred_at: when the usage happened; NULL for now. At most credits.event_max_future ahead and credits.event_max_age
  behind.
subscription_id: the application''s own subscription id.
source_data: the application''s own data: what the event was made of.
metadata: the application''s own data; keys of it may decide the price.
member_id: the member whose usage it is, whose limits it counts towards; NULL for none.

A repeat changes nothing and returns replayed = true. Where the meter''s settlement is ''invoice'' no wallet is charged,
and the view invoiced_events says where the event went.

PC001 is raised where the meter''s overage is ''reject'', or overdraft_limit would be exceeded; PC021 where a limit has
too little left, unless the meter is deferred: see the view limits; PC013 where the meter''s pricing has no price for
the event''s metadata and rejects such usage.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013, PC021.
Example: SELECT status, consumed, available FROM credits.report_meter_event(''ann'', ''llm.tokens'', 2000,
  ''req-2'');';
COMMENT ON COLUMN credits.batch_event.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' where the meter is deferred, or ''recorded'' where it
is invoiced.';
COMMENT ON COLUMN credits.batch_event.available IS
'What a plain debit may take afterwards; NULL where the event is unsettled or recorded.';
COMMENT ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]) IS
'Reports a batch of usage in one call: one row per event, in input order, each as if it had been reported alone.

customer_ids: the customers.
event_names: the meters.
event_values: how much, in the meter''s unit.
identifiers: the reporter''s own keys of the events.
occurred_ats: when the usage happened; NULL, for one or for all, for now.
all_or_nothing: true raises the first error and writes nothing.
member_ids: the members whose usage it is; NULL, for one or for all, for none.

The arrays have one element per event. One bad event does not affect the others, nor does an account that cannot be
charged at all: its row has the error''s code (''PC004'' and so on) and message.

With all_or_nothing it raises what report_meter_event() does; without it, PC013 alone.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013, PC021.
Example: SELECT * FROM credits.report_meter_events(ARRAY[''ann'', ''ben''], ARRAY[''llm.tokens'', ''llm.tokens''],
  ARRAY[1200, 300], ARRAY[''req-2'', ''req-3'']);';
COMMENT ON FUNCTION credits.report_meter_events(jsonb, boolean) IS
'Reports a batch of usage in one call: one row per event, in input order, each as if it had been reported alone.

events: a JSON array of objects with the keys customer_id, event_name, identifier, value (default 1; a number, or its
  digits as text), occurred_at (a time with its offset, like 2026-03-01T12:00:00Z; default now), subscription_id,
  source_data, metadata and member_id.
all_or_nothing: true raises the first error and writes nothing.

One bad event does not affect the others, nor does an account that cannot be charged at all: its row has the error''s
code and message (PC013 also for an unknown key).

With all_or_nothing it raises what report_meter_event() does; without it, PC013 alone.

Raises PC001, PC002, PC003, PC004, PC005, PC006, PC007, PC008, PC013, PC021.
Example: SELECT * FROM credits.report_meter_events(
  ''[{"customer_id": "ann", "event_name": "llm.tokens", "value": 1200, "identifier": "req-2"}]'');';
COMMENT ON VIEW credits_internal.events IS
'Meter events as posted, with their cancellation, and what was reported before any adjustment. For the view usage, and
the functions that read events.

consumed: credits paid for it; of a canceled event none, except that one priced with others of its period keeps what
  it changed of the period''s price.';
COMMENT ON VIEW credits_internal.event_values IS
'Events of meters that count different values, each with its value as usage_values has it. For verify(), and the
functions that sum usage up.';
COMMENT ON FUNCTION credits.meter_event_cancel IS
'Takes one event''s usage back. The event stays, with status ''canceled'', and its identifier stays used.

customer_id: the customer.
identifier: the reporter''s own key of the event.
reason: why; it is kept with the event.

An event that is priced by itself costs nothing any more: what it owed is no longer owed; what grants paid for it
comes back to them, newest draw first, and pays what is owed otherwise. What comes back to a grant that has ended ends
the same way at once.

One that is priced with others of its period (last, max, tiers) leaves what they add up to, and the period then costs
less, the same, or more (a value that counts instead may be higher); consumed and pending are what stays with the
event.

A repeat changes nothing (replayed = true). An identifier without an event is PC013.

An event of a meter whose settlement is ''invoice'' can be canceled until the usage of its period is invoiced (PC020).

Raises PC003, PC007, PC013, PC020.
Example: SELECT * FROM credits.meter_event_cancel(''ann'', ''req-1'', reason => ''the request failed'');';
COMMENT ON FUNCTION credits.hold_capture IS
'Spends an open hold, or part of it, and gives the rest back to the grants that it came from; also as usage.

customer_id: the customer.
hold_id: the hold.
amount: how many credits to spend; NULL for all that it has, or for what the event costs. Zero is a release.
description: for people; the ledger lines have it instead of the hold''s. NULL keeps the hold''s where the capture has
  no record of its own.
metadata: the application''s own data, likewise; with event_name that of the event, whose price it may decide.
event_name: the meter whose usage it is; NULL where it is none, or the meter that the hold is for.
value: of the event, how much, in the meter''s unit; NULL is 1.
identifier: of the event, the caller''s own key: required with event_name, unique per customer for ever.
more: where the amount is more than the hold has: ''refuse'' (PC007; so does NULL) or ''available'', which takes
  the rest from the balance, or is PC001, or ''pending'', which takes what there is, and has the customer owe the rest.
final: whether it is the last: NULL or true gives the rest back and closes the hold; false keeps the rest set aside, for
  further captures.
late: after the hold has expired: ''refuse'' (PC010; so does NULL) or ''charge'', which takes the amount from
  the balance, or is PC001.
idempotency_key: a repeat with the same key returns the hold as it stands now with replayed = true; NULL for none.

With event_name the captured credits are an event of that meter, as report_meter_event() would have charged it, paid
by the hold: it is in the view usage and in all statistics, and meter_event_cancel() takes it back, to the grants that
paid. amount is NULL, or exactly what the event costs (PC013). Usage that lowers the price of its period captures
nothing. A hold for a meter can be captured only so.

What is owed is paid by the next credits, like other pending usage; it may not go beyond the account''s overdraft_limit,
and nothing may be owed for a meter whose overage is ''reject'': PC001.

A capture that is not the last wants an idempotency_key or an identifier: that alone decides what is a repeat. Without
either, the same amount again is a repeat of the last capture (replayed = true), and another amount is PC010, like any
capture of a hold that was released or expired.

The newest draw goes back first. What goes back to a grant that has ended meanwhile ends the same way at once.

What the hold has was in the limits of what may be spent when it was made. What the capture takes in addition has to
keep to them, and so has all of an event in a limit on its meter that the hold was not counted in: PC021.

Raises PC001, PC002, PC004, PC005, PC007, PC008, PC010, PC013, PC021.
Example: SELECT * FROM credits.hold_capture(''ann'', (SELECT hold_id FROM credits.holds WHERE status = ''open''),
  12.5);';
COMMENT ON VIEW credits.hold_captures IS
'Captures of holds that were made in parts, under an idempotency key, as an event, of more than was held, or late.

A capture that spent no more than was held, closed the hold, and had neither a key nor an event, is in the view holds.';
COMMENT ON COLUMN credits.hold_captures.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.hold_captures.hold_id IS 'The hold.';
COMMENT ON COLUMN credits.hold_captures.capture_id IS 'The capture: the operation of its ledger lines.';
COMMENT ON COLUMN credits.hold_captures.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.hold_captures.amount IS 'What was captured.';
COMMENT ON COLUMN credits.hold_captures.held IS 'What of it the hold paid.';
COMMENT ON COLUMN credits.hold_captures.charged IS 'What of it came from the balance, or was owed.';
COMMENT ON COLUMN credits.hold_captures.final IS 'Whether it was the last of the hold.';
COMMENT ON COLUMN credits.hold_captures.late IS 'Whether it came after the hold had expired.';
COMMENT ON COLUMN credits.hold_captures.event_name IS 'The meter; NULL where it was no event.';
COMMENT ON COLUMN credits.hold_captures.identifier IS 'The caller''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.hold_captures.quantity IS 'The quantity of the usage, in the meter''s unit.';
COMMENT ON COLUMN credits.hold_captures.idempotency_key IS 'The idempotency key; NULL for none.';
COMMENT ON COLUMN credits.hold_captures.description IS 'The caller''s description.';
COMMENT ON COLUMN credits.hold_captures.metadata IS 'The application''s own data, of the capture or the event.';
COMMENT ON COLUMN credits.hold_captures.created_at IS 'When it was made.';
COMMENT ON TYPE credits.event_adjustment IS 'An adjusted event, as meter_event_adjust() returns it.';
COMMENT ON COLUMN credits.event_adjustment.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.event_adjustment.status IS
'''processed'', ''pending'' while credits are owed, or ''recorded'' where the meter is invoiced.';
COMMENT ON COLUMN credits.event_adjustment.value IS 'The value of the event by now.';
COMMENT ON COLUMN credits.event_adjustment.value_before IS 'The value before.';
COMMENT ON COLUMN credits.event_adjustment.consumed IS
'Credits paid for the event; below zero where it brought credits back.';
COMMENT ON COLUMN credits.event_adjustment.pending IS 'Credits owed for the event.';
COMMENT ON COLUMN credits.event_adjustment.charged IS 'Credits that were charged in addition, paid or owed.';
COMMENT ON COLUMN credits.event_adjustment.returned IS 'Credits that came back to grants.';
COMMENT ON COLUMN credits.event_adjustment.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.event_adjustment.replayed IS
'Whether the event had that value already, so that nothing changed.';
COMMENT ON FUNCTION credits.meter_event_adjust IS
'Gives an event another value, less or more, and charges the difference: at the price that the event had.

customer_id: the customer.
identifier: the reporter''s own key of the event.
value: what the usage really was, in the meter''s unit; required. Zero is allowed.
reason: why; it is kept with the adjustment.

Where it costs less, less is owed for it first; then credits go back to the grants that paid, newest draw first, and
pay what is owed otherwise. What comes back to a grant that has ended ends the same way at once. Where it costs more,
that is charged now as the meter''s usage is: what no credit covers is owed, or the whole call is PC001. Limits apply
(PC021).

One that is priced with others of its period (last, max, tiers) changes what they add up to, and what the period costs.
Events that are not settled yet are settled first. A canceled event is PC013, and so is one that the meter''s second
currency paid in part: cancel it and report the usage anew.

usage and all statistics have the new value; the view usage_adjustments has what it was before. Its report may still
be repeated, with the value that was reported then. Where it has that value already, nothing changes (replayed =
true).

An event of a meter whose settlement is ''invoice'' can be adjusted until the usage of its period is invoiced (PC020).

Raises PC001, PC003, PC007, PC013, PC020, PC021.
Example: SELECT value_before, value, charged, returned, available
  FROM credits.meter_event_adjust(''ann'', ''req-1'', 1500, reason => ''the provider counted again'');';
COMMENT ON VIEW credits.usage_adjustments IS
'What meter_event_adjust() did: what an event''s value was before, and what the difference came to.';
COMMENT ON COLUMN credits.usage_adjustments.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_adjustments.identifier IS 'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.usage_adjustments.event_name IS 'The meter.';
COMMENT ON COLUMN credits.usage_adjustments.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.usage_adjustments.adjustment_no IS 'Which adjustment of the event it is, from 1.';
COMMENT ON COLUMN credits.usage_adjustments.quantity_before IS
'How much it was before, in the meter''s unit; of the first adjustment what was reported.';
COMMENT ON COLUMN credits.usage_adjustments.quantity IS 'How much it was from then on.';
COMMENT ON COLUMN credits.usage_adjustments.charged IS 'Credits that were charged in addition, paid or owed.';
COMMENT ON COLUMN credits.usage_adjustments.returned IS 'Credits that came back to grants.';
COMMENT ON COLUMN credits.usage_adjustments.reason IS 'Why, as the caller said.';
COMMENT ON COLUMN credits.usage_adjustments.adjusted_at IS 'When it was posted.';
COMMENT ON TYPE credits.pending_usage IS 'What is owed in a currency, as pending_amount() returns it.';
COMMENT ON COLUMN credits.pending_usage.pending IS 'Usage that is owed.';
COMMENT ON FUNCTION credits.pending_amount IS
'Returns what is owed at this moment: usage that no credit covered yet, one row per currency.

customer_id: the customer; NULL for what all customers owe together.
currency: the currency; NULL for all.
subscription_id: only usage that was reported with this subscription; NULL for everything that is owed.

With a currency it returns exactly one row. With a subscription there is a row for each currency in which usage of it
is owed. What all customers owe is read from all accounts. It writes nothing. What is on an invoice is not among it:
see invoiced of wallets.

Raises PC008, PC013.
Example: SELECT * FROM credits.pending_amount(''ann'');';
COMMENT ON FUNCTION credits.usage_summary IS
'Sums up a customer''s usage of a period: one row per meter and currency.

customer_id: the customer.
start_at: from when on (included), by occurred_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
event_name: only this meter; NULL for all.
currency: only this currency; NULL for all.
subscription_id: only this subscription; NULL for all.

total_quantity is what the events add up to as the meter aggregates: values added up, counted, the last or the
highest, or the different values of unique_by. It writes nothing.

Raises PC004, PC008, PC013.
Example: SELECT * FROM credits.usage_summary(''ann'', start_at => date_trunc(''month'', now()));';
COMMENT ON FUNCTION credits.usage_price IS
'Returns what a quantity of a meter''s usage costs, if nothing was used before: for an estimate or a hold.

event_name: the meter.
quantity: how much, in the meter''s unit.
metadata: what an event would have, where that decides the price.
price_version: one of the meter''s prices, earlier or later; NULL for that in force.
price_class: the name of the price, instead of metadata.
customer_id: whose usage, where the customer may have an override; NULL for the meter''s prices.
occurred_at: when the usage happens, which decides what is in force; NULL for now.
override_no: one of the customer''s overrides, in force or not, over that price; NULL for that in force, unless
  price_version is given.

It writes nothing. Usage that the pricing has no price for, and rejects, is PC013.

Raises PC004, PC007, PC013.
Example: SELECT credits.usage_price(''llm.tokens'', 2000);';
COMMENT ON COLUMN credits.usage.status IS
'''processed'', ''pending'' while credits are owed, ''unsettled'' until a deferred event is charged, or ''canceled''. Of
a meter that is invoiced ''recorded'', and ''invoiced'' once the usage of its period is: see the view invoiced_events.';
COMMENT ON COLUMN credits.usage.metadata IS 'The application''s own data; keys of it may decide the price.';
COMMENT ON COLUMN credits.usage.price_version IS
'The version of the meter''s prices; NULL where the customer had a price of their own.';
COMMENT ON COLUMN credits.usage.period_key IS
'The day, week, month, year or ''always'' that the event is priced in, as in the view usage_by_period; NULL where it is
priced by itself.';
COMMENT ON COLUMN credits.usage.member_id IS 'The member whose usage it is; NULL where the reporter named none.';
COMMENT ON COLUMN credits.usage.override_no IS
'The customer''s override of the meter''s prices (view price_overrides); NULL for none.';
COMMENT ON COLUMN credits.usage.fallback_currency IS
'The meter''s second currency, where it paid for the event; NULL where it did not.';
COMMENT ON COLUMN credits.usage.fallback_covered IS
'In currency: what the second currency covered of the price, beside credits.';
COMMENT ON COLUMN credits.usage.fallback_consumed IS
'In fallback_currency: what was paid for that; it came back where the event is canceled.';
COMMENT ON VIEW credits.usage_by_period IS
'Usage that is priced as one (last, max, unique, tiers, whole blocks): what its events add up to, and what that costs.

A sum, a count or unique has one row per price: price_version of the meter, and price_class where the events''
metadata decide.';
COMMENT ON COLUMN credits.usage_by_period.aggregation IS
'What is priced: the ''sum'' of the values, the ''count'' of the events, the ''last'' value, the highest (''max''), or
how many different ones (''unique'') there are of unique_by.';
COMMENT ON COLUMN credits.usage_by_period.period IS
'''day'', ''week'', ''month'' or ''year''; NULL for one period for ever.';
COMMENT ON COLUMN credits.usage_by_period.period_key IS
'The day, week, month, year or ''always'', or where the period is not of the calendar in UTC, the moment at which it
begins; for a sum, a count or unique, together with the price that its events have.';
COMMENT ON COLUMN credits.usage_by_period.period_start IS
'When the period begins; NULL for one period for ever. Of a time zone, what date_trunc() says.';
COMMENT ON COLUMN credits.usage_by_period.price_version IS
'The version of the meter''s prices; NULL where the customer had a price of their own.';
COMMENT ON COLUMN credits.usage_by_period.override_no IS
'The customer''s override of the meter''s prices (view price_overrides); NULL for none.';
COMMENT ON COLUMN credits.usage_by_period.carried IS
'What was used under the price before, where this one goes on from there: quantity is beyond that.';
COMMENT ON COLUMN credits.usage_by_period.period_end IS
'When the period ends, and the next one begins; NULL for one period for ever.';
COMMENT ON TYPE credits.transaction_total IS
'What a meter''s usage consumed in a currency, as credit_transaction_summary() returns it.';
COMMENT ON COLUMN credits.transaction_total.event_name IS 'The meter.';
COMMENT ON COLUMN credits.transaction_total.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.transaction_total.unit IS 'For display: ''token'', ''GB''.';
COMMENT ON COLUMN credits.transaction_total.total_quantity IS
'The usage that was paid, in the meter''s unit: of an event that was paid in part, that part.';
COMMENT ON COLUMN credits.transaction_total.total_credits IS
'Credits that paid for usage, less those that came back.';
COMMENT ON COLUMN credits.transaction_total.transaction_count IS 'How many lines of the ledger paid.';
COMMENT ON FUNCTION credits.credit_transaction_summary IS
'Sums up what a customer''s usage consumed in a period, without what is owed: one row per meter and currency.

customer_id: the customer.
event_name: only this meter; NULL for all.
currency: only this currency; NULL for all.
subscription_id: only usage that was reported with this subscription; NULL for all.
start_at: from when on (included), by effective_at of the ledger; NULL for no bound.
end_at: until when (not included); NULL for no bound.

It counts credits when they are paid: usage that was owed counts once credits pay it, usage that is taken back counts
against the period in which it is, and free usage does not count. So the periods of a customer add up. usage_summary()
counts usage by when it occurred, paid or not.

It shows what is posted, as wallet_history() does: CALL maintain() first to include what fell due meanwhile.

Raises PC004, PC008, PC013.
Example: SELECT * FROM credits.credit_transaction_summary(''ann'', start_at => date_trunc(''month'', now()));';
COMMENT ON FUNCTION credits.meter_event_stats IS
'Returns a meter''s usage over time: one row per minute, hour or day that has events.

event_name: the meter.
start_at: from when on (included), by occurred_at; NULL for no bound.
end_at: until when (not included); NULL for no bound.
granularity: ''minute'', ''hour'' or ''day''.
customer_id: only this customer; NULL for all.
time_zone: the time zone that says where days begin.

total_value is what the events of the row add up to, as the meter aggregates: values added up, counted, the last or
the highest (of several at one moment the one reported last, as for the charge), or the different values of unique_by
in that minute, hour or day; for all customers, each one''s last, highest or number of values, added up.

canceled_credits is the part of total_credits that stands with canceled events. One that was priced by itself leaves
nothing. One that was priced with others of its period (tiers, last, max, unique) leaves what those cost more (or,
below zero, less) without it than they were charged when they came: so a day without events can have credits, and the
days of a period add up to what the period costs.

It writes nothing, and reads only the events of that time, or of that customer where those are fewer.

Raises PC004, PC013.
Example: SELECT * FROM credits.meter_event_stats(''llm.tokens'', now() - interval ''7 days'',
  granularity => ''hour'');';
COMMENT ON COLUMN credits.rejected_events.member_id IS 'The member whose usage it is; NULL for none.';
COMMENT ON COLUMN credits.product.credit_currency IS 'The currency of the credits; NULL where it grants none.';
COMMENT ON COLUMN credits.product.type IS '''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits.product.images IS 'Addresses of pictures.';
COMMENT ON COLUMN credits.product.features IS 'What it has to offer, for people.';
COMMENT ON COLUMN credits.product.unit_label IS 'What one unit is called.';
COMMENT ON COLUMN credits.product.statement_descriptor IS 'What a card''s statement says.';
COMMENT ON COLUMN credits.product.credit_config IS 'What one unit grants, in one form; NULL for nothing.';
COMMENT ON COLUMN credits.product.price_ids IS 'Its prices on sale, the oldest first.';
COMMENT ON COLUMN credits.product.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.product.replayed IS 'Whether this replays an earlier call.';
COMMENT ON FUNCTION credits.product_create IS
'Creates a product, and its prices where they are given: a service, a thing, or credits.

name: what people call it, and its grants.
type: ''service'', ''good'' or ''credit''; NULL for ''credit'' where credits is given, and for ''service'' otherwise.
description: for people.
images: addresses of pictures.
features: what it has to offer, for people.
unit_label: what one unit is called: ''seat''.
statement_descriptor: what a card''s statement says, of 1 to 22 characters.
credit_config: what one unit grants, of every price that has no credit_config of its own; NULL for nothing.
prices: an array of objects, with a key for each parameter of price_create() but product_id and idempotency_key.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s product; such keys are apart from those of customers.
credits: credits that one unit grants; with the parameters that follow, credit_config by single terms.
credit_currency: the currency of its credits; NULL for credits.default_currency.
category: the category of its grants: ''paid'' or ''promotional''; NULL for ''paid''.
priority: the priority of its grants: 0 to 100, lower is used first; NULL for 50.
time_to_live: how long the credits last from the payment on, on the calendar in UTC; NULL for ever. At most ten years,
  and more than nothing in every month.
applicable_meters: the event names that its grants may pay for; NULL for anything.

credit_config has amount and may have currency, category, priority, name, applicable_meters, valid_for, schedule and
rollover; other names that keys have elsewhere are taken too. See the page Payments. A replay must have the same name,
type, credit_config and prices.

Raises PC002, PC004, PC007, PC008, PC013, PC015.
Example: SELECT * FROM credits.product_create(''Pack of 500'', ''credit'',
  credit_config => ''{"amount": 500, "valid_for": "1 year"}'',
  prices => ''[{"unit_amount": 9.99, "currency": "USD"}]'');';
COMMENT ON FUNCTION credits.product_update IS
'Changes a product, and what it grants from now on. NULL leaves a value unchanged.

product_id: the product.
name: what people call it, and its grants.
description: for people.
credits: how many credits one unit grants.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on.
applicable_meters: the event names that its grants may pay for.
metadata: the application''s own data.
type: ''service'', ''good'' or ''credit''.
images: addresses of pictures.
features: what it has to offer, for people.
unit_label: what one unit is called.
statement_descriptor: what a card''s statement says, of 1 to 22 characters.
credit_config: what one unit grants, as a whole; credits to applicable_meters change single terms of it.

A top-up that was created before grants what the product said then. An auto-recharge that can buy it no longer
switches itself off.

Raises PC004, PC007, PC008, PC013, PC015, PC019.
Example: SELECT * FROM credits.product_update((SELECT product_id FROM credits.products), credits => 1200);';
COMMENT ON FUNCTION credits.product_archive IS
'Takes a product off sale, with all its prices.

product_id: the product.

Nothing is deleted, and what was begun with it can still be paid. A repeat changes nothing.

Raises PC013, PC019.
Example: SELECT * FROM credits.product_archive((SELECT product_id FROM credits.products));';
COMMENT ON FUNCTION credits.product_delete IS
'Deletes a product with its prices, none of which was ever used. Returns what it was.

product_id: the product.

Once a price of it was sold, or chosen for recharges, it can only be archived: PC020.

Raises PC013, PC019, PC020.
Example: SELECT * FROM credits.product_delete((SELECT product_id FROM credits.product_create(''A mistake'')));';
COMMENT ON COLUMN credits.products.credit_currency IS 'The currency of the credits; NULL where it grants none.';
COMMENT ON COLUMN credits.products.type IS '''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits.products.images IS 'Addresses of pictures.';
COMMENT ON COLUMN credits.products.features IS 'What it has to offer, for people.';
COMMENT ON COLUMN credits.products.unit_label IS 'What one unit is called.';
COMMENT ON COLUMN credits.products.statement_descriptor IS 'What a card''s statement says.';
COMMENT ON COLUMN credits.products.credit_config IS
'What one unit grants, in one form, unless its price says otherwise; NULL for nothing.';
COMMENT ON COLUMN credits.products.updated_at IS 'When it last changed.';
COMMENT ON TYPE credits.price IS
'A price, as price_create() and the functions that change it return it. The view prices has all of them.';
COMMENT ON COLUMN credits.price.type IS '''one_time'' or ''recurring''.';
COMMENT ON COLUMN credits.price.unit_amount IS
'What one unit costs, in major units; NULL where pricing or its meter says more.';
COMMENT ON COLUMN credits.price.recurring IS 'How often it is due; NULL for once.';
COMMENT ON COLUMN credits.price.nickname IS 'For the merchant.';
COMMENT ON COLUMN credits.price.lookup_key IS 'A name that programs find it by.';
COMMENT ON COLUMN credits.price.currency_options IS 'What it costs in other currencies.';
COMMENT ON COLUMN credits.price.pricing IS 'What a quantity costs: tiers, blocks; NULL for unit_amount.';
COMMENT ON COLUMN credits.price.quantity_limit_per_checkout IS 'The most that one purchase may buy; NULL for any.';
COMMENT ON COLUMN credits.price.credit_config IS 'What one unit grants; NULL for what the product''s says.';
COMMENT ON COLUMN credits.price.tax_behavior IS
'''exclusive'': tax comes on top of it. ''inclusive'': it has its tax in it.';
COMMENT ON COLUMN credits.price.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.price.replayed IS
'Whether this call had been made before, or would have created what is there.';
COMMENT ON COLUMN credits.price.quantity_available IS 'How many units there are in all; NULL for any number.';
COMMENT ON COLUMN credits.price.quantity_taken IS
'How many of them are reserved or sold; NULL where they were never limited.';
COMMENT ON COLUMN credits.price.quantity_sold IS
'How many of those are sold, or being paid: they do not come back by time.';
COMMENT ON FUNCTION credits.price_create IS
'Creates a price of a product.

product_id: the product.
type: ''one_time'', or ''recurring'' for subscriptions.
unit_amount: what one unit costs, in major units, with at most 12 decimals; 0 for nothing. Required without pricing.
currency: the currency that is paid; required. One of kind ''credit'' is paid from the wallet.
recurring: how often a recurring price is due: interval (''hour'', ''day'', ''week'', ''month'', ''year''),
  interval_count, usage_type (''licensed'', ''metered''), and where it is metered aggregate_usage and meter.
nickname: for the merchant.
lookup_key: a name that programs find it by: of one price on sale at a time.
currency_options: what it costs in other currencies: an array of objects with currency, and unit_amount or pricing.
pricing: what a quantity costs, as meters have it: tiers, or blocks. See the page Pricing.
quantity_limit_per_checkout: the most that one purchase may buy; NULL for any number.
credit_config: what one unit grants; NULL for what the product''s says.
tax_behavior: ''exclusive'': tax comes on top of it. ''inclusive'': it has its tax in it.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s price; such keys are apart from those of customers.
quantity_available: how many units there are to sell, 0 for none yet; NULL for any number.

A price on sale that has the lookup key and is the same in all but nickname, metadata and quantity_available is
returned; PC002 says what differs. What one purchase costs is rounded to the currency''s decimals. Top-ups and
auto-recharges sell prices that are paid once, in money, and grant credits.

Raises PC002, PC004, PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT * FROM credits.price_create((SELECT product_id FROM credits.products),
  unit_amount => 18, currency => ''USD'', lookup_key => ''pack-usd'');';
COMMENT ON FUNCTION credits.price_update IS
'Changes a price. NULL leaves a value unchanged.

price_id: the price.
unit_amount: what one unit costs; it takes the place of a pricing.
currency: the currency that is paid.
recurring: how often it is due.
nickname: for the merchant.
lookup_key: a name that programs find it by; '''' takes it away.
currency_options: what it costs in other currencies.
pricing: what a quantity costs; it takes the place of a unit amount.
quantity_limit_per_checkout: the most that one purchase may buy.
credit_config: what one unit grants.
tax_behavior: ''exclusive'' or ''inclusive''.
metadata: the application''s own data.
quantity_available: how many units there are in all, at least as many as are taken; -1 for any number.

Once it was used, only nickname, lookup_key, quantity_limit_per_checkout, quantity_available and metadata change:
anything else is PC020.
It was used where anything was sold with it, paid or not, or where it was chosen for recharges.

Raises PC004, PC007, PC008, PC013, PC015, PC020.
Example: SELECT * FROM credits.price_update((SELECT price_id FROM credits.packages), nickname => ''For teams'');';
COMMENT ON FUNCTION credits.price_inventory IS
'Changes how many units of a price there are: more came in, or some are not for sale any more.

price_id: the price.
quantity: by how many; at least 1.
action: ''increment'', or ''decrement''.
idempotency_key: makes a replay change nothing; such keys are apart from those of customers.

It changes quantity_available, never below what is taken: PC013 says by how many it may. What is taken changes with
sales alone. A price of which any number may be sold is PC020: price_update() limits it.

Raises PC002, PC013, PC015, PC020.
Example: SELECT quantity_available, quantity_taken FROM credits.price_inventory((SELECT price_id
  FROM credits.price_create((SELECT product_id FROM credits.products), unit_amount => 1, currency => ''USD'',
    quantity_available => 50)), 10, ''increment'');';
COMMENT ON FUNCTION credits.price_archive IS
'Takes a price off sale.

price_id: the price.

What was begun with it can still be paid, and an auto-recharge that uses it switches itself off. Its lookup key is free
for another. A repeat changes nothing.

Raises PC013, PC015.
Example: SELECT * FROM credits.price_archive((SELECT price_id FROM credits.packages));';
COMMENT ON FUNCTION credits.price_delete IS
'Deletes a price that was never used. Returns what it was.

price_id: the price.

Once it was sold, or chosen for recharges, it can only be archived: PC020.

Raises PC013, PC015, PC020.
Example: SELECT * FROM credits.price_delete((SELECT price_id FROM credits.price_create(
  (SELECT product_id FROM credits.products), unit_amount => 1, currency => ''USD'')));';
COMMENT ON VIEW credits_internal.offers IS
'Each price with what one unit of it grants, by its own credit_config or its product''s.';
COMMENT ON VIEW credits_internal.stock IS
'Each price that has a limit, or had one, with what is taken at the moment of reading: what ran out is not, whether or
not it is released.';
COMMENT ON COLUMN credits.prices.type IS '''one_time'' or ''recurring''.';
COMMENT ON COLUMN credits.prices.unit_amount IS
'What one unit costs, in major units; NULL where pricing or its meter says more.';
COMMENT ON COLUMN credits.prices.credits IS 'Credits that one unit grants; NULL for none.';
COMMENT ON COLUMN credits.prices.recurring IS 'How often it is due; NULL for once.';
COMMENT ON COLUMN credits.prices.recurring_interval IS
'The unit of its period: ''hour'', ''day'', ''week'', ''month'' or ''year''; NULL for once.';
COMMENT ON COLUMN credits.prices.nickname IS 'For the merchant.';
COMMENT ON COLUMN credits.prices.lookup_key IS 'A name that programs find it by: of one price on sale at a time.';
COMMENT ON COLUMN credits.prices.currency_options IS 'What it costs in other currencies.';
COMMENT ON COLUMN credits.prices.pricing IS 'What a quantity costs: tiers, blocks; NULL for unit_amount.';
COMMENT ON COLUMN credits.prices.quantity_limit_per_checkout IS
'The most that one purchase may buy; NULL for any.';
COMMENT ON COLUMN credits.prices.credit_config IS 'What one unit grants; NULL for what the product''s says.';
COMMENT ON COLUMN credits.prices.tax_behavior IS
'''exclusive'': tax comes on top of it. ''inclusive'': it has its tax in it.';
COMMENT ON COLUMN credits.prices.product_type IS 'The product''s type: ''service'', ''good'' or ''credit''.';
COMMENT ON COLUMN credits.prices.used IS
'Whether it was sold, or chosen for recharges: then what it comes to is frozen.';
COMMENT ON COLUMN credits.prices.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.prices.quantity_available IS
'How many units there are in all, those that are taken included; NULL for any number.';
COMMENT ON COLUMN credits.prices.quantity_taken IS
'How many of them are reserved or sold; NULL where they were never limited.';
COMMENT ON COLUMN credits.prices.quantity_sold IS
'How many of those are sold, or being paid: they do not come back by time.';
COMMENT ON COLUMN credits.package.lookup_key IS 'A name that programs find its price by.';
COMMENT ON COLUMN credits.package.replayed IS 'Whether it was there before this call, which would have created it.';
COMMENT ON FUNCTION credits.package_create IS
'Creates a product and its price in one call: a credit pack.

name: what people call it, and its grants.
credits: how many credits it grants.
unit_amount: its price, in major units, with at most 12 decimals.
price_currency: the currency that is paid, of kind ''fiat''.
credit_currency: the currency of its credits; NULL for credits.default_currency.
description: for people.
category: the category of its grants: ''paid'' or ''promotional''.
priority: the priority of its grants: 0 to 100, lower is used first.
time_to_live: how long the credits last from the payment on; NULL for ever.
applicable_meters: the event names that its grants may pay for; NULL for anything.
metadata: the application''s own data.
if_not_exists: true returns a package that is on sale under that name, in these two currencies, if it is the same;
  PC002 says what differs. NULL or false makes another.
lookup_key: a name that programs find its price by. A package on sale that has it is returned if it is the same;
  PC002 says what differs.
idempotency_key: makes a replay return the first call''s package; such keys are apart from those of customers.

With if_not_exists or lookup_key, a description and metadata that are left out may be anything. Archived packages do not
count. Two sessions that make the same package at once get the same one.

Raises PC002, PC004, PC007, PC008, PC013.
Example: SELECT * FROM credits.package_create(''Pack of 5,000'', 5000, 80, ''USD'', time_to_live => ''1 year'');';
COMMENT ON VIEW credits.packages IS
'What top-ups and auto-recharges can sell: each price on sale that is paid once, in money, and grants credits.';
COMMENT ON COLUMN credits.packages.lookup_key IS 'A name that programs find its price by.';
COMMENT ON COLUMN credits.packages.quantity_limit_per_checkout IS
'The most that one purchase may buy; NULL for any.';
COMMENT ON TYPE credits.redemption IS
'A use of a coupon, as coupon_redemptions() and promotion_code_redemptions() return it.';
COMMENT ON COLUMN credits.redemption.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.redemption.customer_name IS 'The customer''s name.';
COMMENT ON COLUMN credits.redemption.holder_id IS
'What it was used for: the invoice or the subscription; of a voucher its grant. A key to page by.';
COMMENT ON COLUMN credits.redemption.holder_type IS '''invoice'', ''subscription'' or ''voucher''.';
COMMENT ON COLUMN credits.redemption.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.redemption.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits.redemption.code IS 'The code, as it was made.';
COMMENT ON COLUMN credits.redemption.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits.redemption.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.redemption.status IS '''reserved'' for a purchase under way, or ''confirmed''.';
COMMENT ON COLUMN credits.redemption.over_quota IS
'Whether it was paid for when it was not reserved, and nothing was left: it is honoured, and not counted.';
COMMENT ON COLUMN credits.redemption.reserved_at IS 'When it was reserved.';
COMMENT ON COLUMN credits.redemption.expires_at IS 'When it may go to others; NULL for never.';
COMMENT ON COLUMN credits.redemption.confirmed_at IS 'When it was paid for; NULL until then.';
COMMENT ON COLUMN credits.redemption.verification_method IS 'How the application knew that the customer may use it.';
COMMENT ON COLUMN credits.redemption.verification_data IS 'What the application vouched with.';
COMMENT ON VIEW credits_internal.held_redemptions IS
'Uses of coupons at the moment of reading: reserved, or paid for.';
COMMENT ON VIEW credits.discount_log IS
'All that happened to discounts, one row each: nothing of it ever changes. A key to page by is customer_id, holder_id
and log_no.';
COMMENT ON COLUMN credits.discount_log.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.discount_log.holder_id IS
'What the discount is on: the invoice or the subscription; of a voucher its grant.';
COMMENT ON COLUMN credits.discount_log.holder_type IS '''invoice'', ''subscription'' or ''voucher''.';
COMMENT ON COLUMN credits.discount_log.log_no IS 'Its place among the rows of the holder: from 1, without gaps.';
COMMENT ON COLUMN credits.discount_log.action IS
'''applied'': reserved for a purchase. ''confirmed'': paid for. ''released'': given back, as the payment failed,
expired or was voided. ''removed'': taken off by the customer. ''ended'': a subscription has it no more.
''over_quota'': paid for when it was not reserved, with nothing left.';
COMMENT ON COLUMN credits.discount_log.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.discount_log.promotion_code_id IS 'The code; NULL where there was none.';
COMMENT ON COLUMN credits.discount_log.code IS 'The code, as it was made.';
COMMENT ON COLUMN credits.discount_log.amount IS 'What it takes off, or the credits that it gave.';
COMMENT ON COLUMN credits.discount_log.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.discount_log.created_at IS 'When it happened.';
COMMENT ON TYPE credits.coupon IS
'A coupon, as coupon_create() and the functions that change it return it. The view coupons has all of them.';
COMMENT ON COLUMN credits.coupon.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.coupon.name IS 'What people call it.';
COMMENT ON COLUMN credits.coupon.description IS 'For the merchant.';
COMMENT ON COLUMN credits.coupon.percent_off IS 'So many percent off.';
COMMENT ON COLUMN credits.coupon.amount_off IS
'Or so much off, in major units: at most what the products cost that it applies to.';
COMMENT ON COLUMN credits.coupon.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.coupon.currency_options IS
'How much it takes off in other currencies: an object of currencies, each with amount_off.';
COMMENT ON COLUMN credits.coupon.credit_config IS 'Or the credits that it gives: then its codes are vouchers.';
COMMENT ON COLUMN credits.coupon.duration IS
'''once'', ''repeating'' or ''forever'': of a subscription, off how many of its invoices.';
COMMENT ON COLUMN credits.coupon.duration_in_months IS 'For how many months it repeats.';
COMMENT ON COLUMN credits.coupon.applies_to_products IS 'Off which products; NULL for all.';
COMMENT ON COLUMN credits.coupon.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.coupon.max_redemptions_per_customer IS
'How often one customer may use it; NULL for any number, of a voucher once.';
COMMENT ON COLUMN credits.coupon.redeem_by IS 'The last moment at which it may be used; NULL for no end.';
COMMENT ON COLUMN credits.coupon.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.coupon.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.coupon.valid IS 'Whether it may be used now: it is active, not over, and not used up.';
COMMENT ON COLUMN credits.coupon.used IS
'Whether it was ever used: then what it takes off or gives is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.coupon.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.coupon.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.coupon.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.coupon.promotion_codes IS 'Its active codes, the oldest first, at most 100.';
COMMENT ON COLUMN credits.coupon.replayed IS 'Whether this replays an earlier call.';
COMMENT ON FUNCTION credits.coupon_create IS
'Creates a coupon, and its promotion codes where they are given: so many percent off, so much off, or credits.

name: what people call it.
percent_off: so many percent off what its products cost: above 0, at most 100.
amount_off: or so much off, in major units: at most what its products cost.
currency: the currency of amount_off; required with it.
credit_config: or the credits that it gives, as a product has it: then its codes are vouchers.
currency_options: how much it takes off in other currencies: {"EUR": {"amount_off": 9}}, or an array of objects with
  currency and amount_off.
duration: of a subscription, off how many of its invoices: ''once'', ''repeating'' or ''forever''.
duration_in_months: for how many months it repeats; for ''repeating'' alone.
applies_to_products: off which products; NULL for all.
max_redemptions: how often it may be used in all; NULL for any number.
max_redemptions_per_customer: how often one customer may use it; NULL for any number, of a voucher once.
redeem_by: the last moment at which it may be used; NULL for no end.
promotion_codes: an array of objects, with a key for each parameter of promotion_code_create() but coupon_id and
  idempotency_key.
description: for the merchant.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s coupon; such keys are apart from those of customers.

Exactly one of percent_off, amount_off and credit_config says what it is. Credits of a voucher are of the category
''promotional'' where credit_config names none.

Raises PC002, PC004, PC007, PC008, PC013, PC015, PC019.
Example: SELECT * FROM credits.coupon_create(''Spring'', percent_off => 20, max_redemptions => 100,
  promotion_codes => ''[{"code": "SPRING20"}]'');';
COMMENT ON FUNCTION credits.coupon_update IS
'Changes a coupon. NULL leaves a value unchanged.

coupon_id: the coupon.
name: what people call it.
percent_off: so many percent off; it takes the place of amount_off or credit_config.
amount_off: so much off; it takes the place of percent_off or credit_config.
currency: the currency of amount_off.
credit_config: the credits that it gives; it takes the place of percent_off or amount_off.
currency_options: how much it takes off in other currencies; ''{}'' for none.
duration: ''once'', ''repeating'' or ''forever''.
duration_in_months: for how many months it repeats.
applies_to_products: off which products; ''{}'' for all.
max_redemptions: how often it may be used in all, at least as often as it is; -1 for any number.
max_redemptions_per_customer: how often one customer may use it; -1 for what a new coupon has.
redeem_by: the last moment at which it may be used; ''infinity'' for no end.
description: for the merchant.
metadata: the application''s own data.
active: false switches it off, with all its codes; true switches it on again.

Once it was used, what it takes off or gives is frozen: percent_off, amount_off, currency, credit_config,
currency_options, duration, duration_in_months and applies_to_products are PC020 then. The limits still change. What
was reserved or paid for keeps its discount, whatever changes.

Raises PC004, PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT * FROM credits.coupon_update((SELECT coupon_id FROM credits.coupons WHERE used), active => false);';
COMMENT ON FUNCTION credits.coupon_delete IS
'Deletes a coupon that was never used, with its promotion codes.

coupon_id: the coupon.

One that was used is PC020: coupon_update() switches it off.

Raises PC013, PC019, PC020.
Example: SELECT * FROM credits.coupon_delete((SELECT coupon_id FROM credits.coupons WHERE NOT used LIMIT 1));';
COMMENT ON FUNCTION credits.coupon_used IS
'Returns whether a coupon was ever used: reserved for a purchase, or given as a voucher.

coupon_id: the coupon.

What it takes off or gives is frozen then, and it cannot be deleted.

Raises PC013, PC019.
Example: SELECT credits.coupon_used((SELECT coupon_id FROM credits.coupons WHERE used));';
COMMENT ON FUNCTION credits.coupon_redemptions IS
'Returns who uses a coupon, the newest first: each use that is reserved for a purchase under way, or paid for.

coupon_id: the coupon.
type: ''customer'' for all uses; ''subscription'' for those of subscriptions alone.
page_size: the most rows, from 1 to 1000.
after: the last holder_id of the page before; NULL for the first page.

What was released is in discount_log.

Raises PC013, PC019.
Example: SELECT customer_id, amount, currency, status
  FROM credits.coupon_redemptions((SELECT coupon_id FROM credits.coupons WHERE used));';
COMMENT ON VIEW credits_internal.coupon_uses IS
'How often each coupon is used at the moment of reading: what ran out is not counted, whether or not it is released.';
COMMENT ON VIEW credits.coupons IS
'Every coupon, with how often it is used at the moment of reading. A key to page by is coupon_id, in the order of
time.';
COMMENT ON COLUMN credits.coupons.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.coupons.name IS 'What people call it.';
COMMENT ON COLUMN credits.coupons.description IS 'For the merchant.';
COMMENT ON COLUMN credits.coupons.percent_off IS 'So many percent off.';
COMMENT ON COLUMN credits.coupons.amount_off IS
'Or so much off, in major units: at most what the products cost that it applies to.';
COMMENT ON COLUMN credits.coupons.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.coupons.currency_options IS
'How much it takes off in other currencies: an object of currencies, each with amount_off.';
COMMENT ON COLUMN credits.coupons.credit_config IS 'Or the credits that it gives: then its codes are vouchers.';
COMMENT ON COLUMN credits.coupons.duration IS
'''once'', ''repeating'' or ''forever'': of a subscription, off how many of its invoices.';
COMMENT ON COLUMN credits.coupons.duration_in_months IS 'For how many months it repeats.';
COMMENT ON COLUMN credits.coupons.applies_to_products IS 'Off which products; NULL for all.';
COMMENT ON COLUMN credits.coupons.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.coupons.max_redemptions_per_customer IS
'How often one customer may use it; NULL for any number, of a voucher once.';
COMMENT ON COLUMN credits.coupons.redeem_by IS 'The last moment at which it may be used; NULL for no end.';
COMMENT ON COLUMN credits.coupons.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.coupons.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.coupons.valid IS 'Whether it may be used now: it is active, not over, and not used up.';
COMMENT ON COLUMN credits.coupons.used IS
'Whether it was ever used: then what it takes off or gives is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.coupons.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.coupons.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.coupons.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.coupons.times_over_quota IS
'How often it was paid for when it was not reserved, with nothing left: honoured, and not in times_redeemed.';
COMMENT ON TYPE credits.promotion_code IS
'A code, as promotion_code_create() and the functions that change it return it. The view promotion_codes has all of
them.';
COMMENT ON COLUMN credits.promotion_code.promotion_code_id IS 'The code''s id.';
COMMENT ON COLUMN credits.promotion_code.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.promotion_code.code IS 'What people type in. Upper and lower case are the same.';
COMMENT ON COLUMN credits.promotion_code.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.promotion_code.description IS 'For the merchant.';
COMMENT ON COLUMN credits.promotion_code.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.promotion_code.starts_at IS 'From when on it may be used; NULL for at once.';
COMMENT ON COLUMN credits.promotion_code.expires_at IS 'When it cannot be used any more; NULL for never.';
COMMENT ON COLUMN credits.promotion_code.customer_ids IS 'The customers that may use it; NULL for all.';
COMMENT ON COLUMN credits.promotion_code.verification_type IS
'''code'': whoever has it. ''user_restricted'': certain customers. ''attested'': those for whom the application
vouches.';
COMMENT ON COLUMN credits.promotion_code.restrictions IS
'What the purchase must be: minimum_amount, currency, currency_options, first_time_transaction.';
COMMENT ON COLUMN credits.promotion_code.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.promotion_code.valid IS
'Whether it may be used now: it and its coupon are active, have begun, are not over, and not used up.';
COMMENT ON COLUMN credits.promotion_code.used IS
'Whether it was ever used: then what it asks for is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.promotion_code.coupon_name IS 'The coupon''s name.';
COMMENT ON COLUMN credits.promotion_code.percent_off IS 'So many percent off, as the coupon says.';
COMMENT ON COLUMN credits.promotion_code.amount_off IS 'Or so much off.';
COMMENT ON COLUMN credits.promotion_code.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.promotion_code.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.promotion_code.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.promotion_code.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.promotion_code.replayed IS 'Whether this replays an earlier call.';
COMMENT ON FUNCTION credits.promotion_code_create IS
'Creates a promotion code of a coupon: what people type in to use it.

coupon_id: the coupon.
code: the code, of 1 to 100 characters without spaces; NULL for a random one. Upper and lower case are the same, and
  no two active codes are.
max_redemptions: how often it may be used in all, beside what the coupon says; NULL for any number.
expires_at: when it cannot be used any more; NULL for never.
customer_ids: the customers that may use it, who need not exist yet; NULL for all.
verification_type: ''code'' for whoever has it; ''user_restricted'' for customer_ids alone; ''attested'' for those for
  whom the application vouches, with verification data that is kept. ''nft'' and ''vc'' are taken as ''attested''. NULL
  for ''user_restricted'' where customer_ids is given, and for ''code'' otherwise.
restrictions: what the purchase must be: minimum_amount with its currency, currency_options ({"EUR":
  {"minimum_amount": 18}}), first_time_transaction.
starts_at: from when on it may be used; NULL for at once.
description: for the merchant.
metadata: the application''s own data.
idempotency_key: makes a replay return the first call''s code; such keys are apart from those of customers.

minimum_amount is held against all that is bought, before anything is taken off. With first_time_transaction it is for
customers who never paid anything.

Raises PC002, PC007, PC008, PC013, PC019.
Example: SELECT * FROM credits.promotion_code_create((SELECT coupon_id FROM credits.coupons WHERE used), ''FRIENDS'',
  max_redemptions => 10, expires_at => now() + interval ''1 month'');';
COMMENT ON FUNCTION credits.promotion_code_update IS
'Changes a promotion code. NULL leaves a value unchanged.

promotion_code_id: the code''s id.
active: false switches it off; true switches it on again, where no other active code is the same.
max_redemptions: how often it may be used in all, at least as often as it is; -1 for any number.
expires_at: when it cannot be used any more; ''infinity'' for never.
customer_ids: the customers that may use it, instead of those before; ''{}'' for all.
verification_type: ''code'', ''user_restricted'' or ''attested''.
restrictions: what the purchase must be, instead of what was asked before; ''{}'' for anything.
starts_at: from when on it may be used; ''-infinity'' for at once.
description: for the merchant.
metadata: the application''s own data.

Once it was used, verification_type and restrictions are frozen: PC020. The code itself and its coupon never change.

Raises PC007, PC008, PC013, PC019, PC020.
Example: SELECT * FROM credits.promotion_code_update((SELECT promotion_code_id FROM credits.promotion_codes
  WHERE used), max_redemptions => 500);';
COMMENT ON FUNCTION credits.promotion_code_archive IS
'Switches a promotion code off.

promotion_code_id: the code''s id.

What was reserved or paid for with it keeps its discount. The code is free for another. A repeat changes nothing.

Raises PC013, PC019.
Example: SELECT * FROM credits.promotion_code_archive((SELECT promotion_code_id FROM credits.promotion_codes
  WHERE used));';
COMMENT ON FUNCTION credits.promotion_code_delete IS
'Deletes a promotion code that was never used.

promotion_code_id: the code''s id.

One that was used is PC020: promotion_code_archive() switches it off.

Raises PC013, PC019, PC020.
Example: SELECT * FROM credits.promotion_code_delete((SELECT promotion_code_id FROM credits.promotion_codes
  WHERE NOT used LIMIT 1));';
COMMENT ON FUNCTION credits.promotion_code_used IS
'Returns whether a promotion code was ever used: reserved for a purchase, or redeemed as a voucher.

promotion_code_id: the code''s id.

What it asks for is frozen then, and it cannot be deleted.

Raises PC013, PC019.
Example: SELECT credits.promotion_code_used((SELECT promotion_code_id FROM credits.promotion_codes WHERE used));';
COMMENT ON FUNCTION credits.promotion_code_by_code IS
'Returns the promotion code that people type in.

code: the code, in upper or lower case, with or without spaces around it.

Where it was switched off and nobody made another like it, that one is returned. Whether a customer may use it for a
purchase is judged there: a checkout says so, or voucher_redeem().

Raises PC013, PC019.
Example: SELECT code, coupon_name, percent_off, valid FROM credits.promotion_code_by_code(''welcome5'');';
COMMENT ON FUNCTION credits.promotion_code_redemptions IS
'Returns who uses a promotion code, the newest first: each use that is reserved for a purchase under way, or paid for.

promotion_code_id: the code''s id.
type: ''customer'' for all uses; ''subscription'' for those of subscriptions alone.
page_size: the most rows, from 1 to 1000.
after: the last holder_id of the page before; NULL for the first page.

What was released is in discount_log.

Raises PC013, PC019.
Example: SELECT customer_id, amount, currency, status FROM credits.promotion_code_redemptions(
  (SELECT promotion_code_id FROM credits.promotion_codes WHERE used));';
COMMENT ON VIEW credits_internal.promotion_code_uses IS
'How often each code is used at the moment of reading: what ran out is not counted, whether or not it is released.';
COMMENT ON VIEW credits.promotion_codes IS
'Every promotion code, with how often it is used at the moment of reading. A key to page by is promotion_code_id, in the
order of time.';
COMMENT ON COLUMN credits.promotion_codes.promotion_code_id IS 'The code''s id.';
COMMENT ON COLUMN credits.promotion_codes.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.promotion_codes.code IS 'What people type in. Upper and lower case are the same.';
COMMENT ON COLUMN credits.promotion_codes.active IS 'Whether it is switched on.';
COMMENT ON COLUMN credits.promotion_codes.description IS 'For the merchant.';
COMMENT ON COLUMN credits.promotion_codes.max_redemptions IS 'How often it may be used in all; NULL for any number.';
COMMENT ON COLUMN credits.promotion_codes.starts_at IS 'From when on it may be used; NULL for at once.';
COMMENT ON COLUMN credits.promotion_codes.expires_at IS 'When it cannot be used any more; NULL for never.';
COMMENT ON COLUMN credits.promotion_codes.customer_ids IS 'The customers that may use it; NULL for all.';
COMMENT ON COLUMN credits.promotion_codes.verification_type IS
'''code'': whoever has it. ''user_restricted'': certain customers. ''attested'': those for whom the application
vouches.';
COMMENT ON COLUMN credits.promotion_codes.restrictions IS
'What the purchase must be: minimum_amount, currency, currency_options, first_time_transaction.';
COMMENT ON COLUMN credits.promotion_codes.times_redeemed IS
'How often it is used, or reserved for a purchase under way, at the moment of reading.';
COMMENT ON COLUMN credits.promotion_codes.valid IS
'Whether it may be used now: it and its coupon are active, have begun, are not over, and not used up.';
COMMENT ON COLUMN credits.promotion_codes.used IS
'Whether it was ever used: then what it asks for is frozen, and it cannot be deleted.';
COMMENT ON COLUMN credits.promotion_codes.coupon_name IS 'The coupon''s name.';
COMMENT ON COLUMN credits.promotion_codes.percent_off IS 'So many percent off, as the coupon says.';
COMMENT ON COLUMN credits.promotion_codes.amount_off IS 'Or so much off.';
COMMENT ON COLUMN credits.promotion_codes.currency IS 'The currency of amount_off.';
COMMENT ON COLUMN credits.promotion_codes.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.promotion_codes.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.promotion_codes.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.promotion_codes.coupon_valid IS 'Whether its coupon may be used now.';
COMMENT ON COLUMN credits.promotion_codes.times_over_quota IS
'How often it was paid for when it was not reserved, with nothing left: honoured, and not in times_redeemed.';
COMMENT ON TYPE credits.voucher IS 'What a code gave, as voucher_redeem() returns it.';
COMMENT ON COLUMN credits.voucher.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.voucher.promotion_code_id IS 'The code.';
COMMENT ON COLUMN credits.voucher.coupon_id IS 'The coupon.';
COMMENT ON COLUMN credits.voucher.code IS 'The code, as it was made.';
COMMENT ON COLUMN credits.voucher.grant_id IS 'The grant that carries the credits.';
COMMENT ON COLUMN credits.voucher.currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.voucher.credits IS 'Credits granted.';
COMMENT ON COLUMN credits.voucher.expires_at IS 'When they expire; NULL for never.';
COMMENT ON COLUMN credits.voucher.available IS 'What a plain debit may take now.';
COMMENT ON COLUMN credits.voucher.replayed IS 'Whether this replays an earlier call.';
COMMENT ON FUNCTION credits.voucher_redeem IS
'Gives a customer the credits of a code whose coupon has a credit_config, at once.

customer_id: the customer, created if missing.
code: the code, in upper or lower case, with or without spaces around it.
idempotency_key: makes a replay return the first call''s grant.
verification_data: what the application vouches with; required for a code that is ''attested'', and kept with it.
verification_method: how the application knows, in its own words.

A customer may use it once, unless the coupon''s max_redemptions_per_customer says otherwise. A code that does not apply
is PC016, whose reason is in DETAIL: inactive, not_started, expired, redeem_by, max_redemptions,
max_redemptions_per_customer, verification, first_time_transaction, or no_eligible_product where it takes something off
a purchase instead. A code that does not exist is PC019.

Raises PC002, PC007, PC008, PC013, PC016, PC019.
Example: SELECT credits, currency, available FROM credits.voucher_redeem(''ben'', ''WELCOME5'');';
COMMENT ON TYPE credits.payment_outcome IS
'A payment intent after a payment was recorded, as payment_succeeded(), payment_failed(), payment_processing(),
payment_requires_action() and top_up_expire() return it.';
COMMENT ON COLUMN credits.payment_outcome.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_outcome.status IS
'Of a top-up ''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''; else the payment intent''s:
''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_outcome.grant_id IS
'The grant of the first line that buys credits; NULL until it is paid, and where none does.';
COMMENT ON COLUMN credits.payment_outcome.credits IS 'Credits that this line buys; NULL where none does.';
COMMENT ON FUNCTION credits.payment_succeeded IS
'Records a payment; once it covers what is due, the invoice is paid and its credits are granted, exactly once.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who took the payment.
provider_reference: the provider''s reference of the payment; NULL where it has none.
amount: what was paid, in major units of the top-up''s currency; NULL for what was due.
tax: how much of it is tax.
shipping: how much of it is shipping.
discount: what the provider took off the price; with it amount may be 0.
currency: the currency that was paid; NULL for the top-up''s. Another one is recorded as a contradiction, with that
  amount, and grants nothing.

It is exactly once whatever is repeated, comes late or out of order, also after a failure or an expiry. Without a
provider_reference the same amount again is a replay. A refund that was reported before takes its part at once.

Less than was due grants nothing until payments add up to it, and is recorded as a contradiction. So is more, a second
payment for what is paid, the same provider_reference with another amount, and one that pays another top-up; the last
two change nothing. Where the account has no room for the credits any more (28 digits of all that it was ever granted)
the payment is a contradiction too, counts for nothing and grants nothing: pay it back. Reported again with tax,
shipping or discount, it is corrected by them.

What comes after the invoice was voided or paid otherwise is a contradiction: it is recorded and pays nothing.

PC014 means that there is no such payment intent: the provider is to try again.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_succeeded(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'', 20);';
COMMENT ON FUNCTION credits.payment_failed IS
'Records that a payment failed: the top-up is ''failed'', and an auto-recharge that asked for it too.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.
reason: why.

After a success it changes nothing and is recorded as a contradiction; a success after it grants all the same.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'', ''card declined'');';
COMMENT ON COLUMN credits.payment_log.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_log.type IS
'''succeeded'', ''failed'', ''expired'', ''refunded'', ''refund_failed'', ''disputed'', ''dispute_won'',
''dispute_lost'', ''processing'' or ''requires_action''.';
COMMENT ON TYPE credits.payment_intent IS
'A payment intent, as functions return it. The view payment_intents has all of them.';
COMMENT ON COLUMN credits.payment_intent.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.payment_intent.payment_intent_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_intent.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits.payment_intent.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_intent.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.payment_intent.amount_received IS 'What was paid in all payments, in major units.';
COMMENT ON COLUMN credits.payment_intent.amount_refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.payment_intent.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.payment_intent.payment_method_id IS
'The payment method that a worker is to charge; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits.payment_intent.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.payment_intent.provider_reference IS 'The provider''s reference of the payment.';
COMMENT ON COLUMN credits.payment_intent.last_payment_error IS
'Why the last attempt failed, as it was reported; NULL where none did, or nobody said.';
COMMENT ON COLUMN credits.payment_intent.action_url IS
'Where the customer confirms the payment, where it is requires_action; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intent.checkout_url IS 'Where the customer pays; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intent.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_intent.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_intent.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_intent.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits.payment_intent.replayed IS 'Whether this call changed nothing.';
COMMENT ON TYPE credits.payment_attempt IS
'Whether a worker is to charge, and what, as payment_intent_begin() returns it.';
COMMENT ON COLUMN credits.payment_attempt.go IS 'Whether to charge.';
COMMENT ON COLUMN credits.payment_attempt.payment_intent_id IS
'The payment intent: the payment''s metadata must name it, with the customer_id.';
COMMENT ON COLUMN credits.payment_attempt.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits.payment_attempt.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_attempt.attempt_key IS
'The provider''s idempotency key: the same as long as the attempt is under way, and a new one for the next.';
COMMENT ON COLUMN credits.payment_attempt.attempt IS 'Which attempt it is, from 1.';
COMMENT ON COLUMN credits.payment_attempt.amount IS 'What to charge, in major units.';
COMMENT ON COLUMN credits.payment_attempt.minor_units IS
'The same in the provider''s minor units; NULL where it is no whole number of them.';
COMMENT ON COLUMN credits.payment_attempt.currency IS 'The currency to charge in.';
COMMENT ON COLUMN credits.payment_attempt.provider IS 'The provider that keeps the payment method.';
COMMENT ON COLUMN credits.payment_attempt.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.payment_attempt.provider_customer IS
'What the provider calls the customer; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_attempt.payment_method IS
'What the provider calls the payment method; NULL where it cannot be charged any more.';
COMMENT ON FUNCTION credits.payment_intent_begin IS
'Begins to charge a payment method, for a worker that read an outbox row ''payment.requested''.

customer_id: the customer.
payment_intent_id: the payment intent.

It judges again whether a charge still may be made: go is false where it is not asked for any more, is paid or canceled,
waits for the customer, or the payment method was detached or has expired. Where go is true, charge amount with
attempt_key as the provider''s idempotency key and customer_id and payment_intent_id in the payment''s metadata; then
the provider''s webhook, or payment_succeeded() and payment_failed(), says how it ended.

Two workers on one intent get the same attempt_key, so the provider charges once. After a failure invoice_pay() with
paid_from => ''provider'' asks for another attempt.

Raises PC003, PC013, PC014.
Example: SELECT go, amount FROM credits.payment_intent_begin(''ann'',
  (SELECT payment_intent_id FROM credits.payment_intents LIMIT 1));';
COMMENT ON FUNCTION credits.payment_intent_update IS
'Changes what an application stored with a payment intent.

customer_id: the customer.
payment_intent_id: the payment intent.
metadata: the application''s own data, which replaces what was there; required.

Raises PC003, PC013, PC014.
Example: SELECT metadata FROM credits.payment_intent_update(''ann'',
  (SELECT payment_intent_id FROM credits.payment_intents LIMIT 1), ''{"order": 4711}'');';
COMMENT ON FUNCTION credits.payment_processing IS
'Records that a payment is under way: a bank transfer that takes days, for one.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.

Until it succeeds or fails, nothing else can pay the invoice. After that it changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_processing(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''acmepay'', ''pay-2'');';
COMMENT ON FUNCTION credits.payment_requires_action IS
'Records that the customer has to confirm a payment: 3-D Secure of a card, for one.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
action_url: where the customer confirms it: a http or https address; NULL where nobody said.
provider: who reported it.
provider_reference: the provider''s reference of the payment; NULL where it has none.

An outbox row ''payment.requires_action'' has the address, for a mail to the customer. The payment succeeds or fails
later; until then nothing else pays the invoice, but it can be voided. After that this changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_requires_action(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''open''), ''https://acmepay.example/confirm/2'',
  ''acmepay'', ''pay-2'');';
COMMENT ON VIEW credits.payment_intents IS
'Payment intents at this moment: money that is to come, or came, for invoices, top-ups included.

Each payment is in the view top_up_payments, everything that was reported of them in payment_log.';
COMMENT ON COLUMN credits.payment_intents.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.payment_intents.payment_intent_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.payment_intents.invoice_id IS 'The invoice that it pays.';
COMMENT ON COLUMN credits.payment_intents.billing_reason IS
'Why that was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'', or
''subscription_create'', ''_cycle'' or ''_update''.';
COMMENT ON COLUMN credits.payment_intents.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.payment_intents.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.payment_intents.amount_received IS 'What was paid in all payments, in major units.';
COMMENT ON COLUMN credits.payment_intents.amount_refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.payment_intents.amount_disputed IS
'What disputes that are open or lost come to, in major units.';
COMMENT ON COLUMN credits.payment_intents.dispute_status IS
'The last dispute: ''open'', ''won'' or ''lost''; NULL for none.';
COMMENT ON COLUMN credits.payment_intents.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.payment_intents.payment_method_id IS
'The payment method that a worker is to charge; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits.payment_intents.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.payment_intents.provider_reference IS 'The provider''s reference of the payment.';
COMMENT ON COLUMN credits.payment_intents.attempts IS 'How many times a worker began to charge.';
COMMENT ON COLUMN credits.payment_intents.requested_at IS 'When a worker was asked to charge; NULL where none is to.';
COMMENT ON COLUMN credits.payment_intents.last_payment_error IS
'Why the last attempt failed, as it was reported; NULL where none did, or nobody said.';
COMMENT ON COLUMN credits.payment_intents.failed_at IS
'When the last attempt failed; NULL where none did, or another is under way.';
COMMENT ON COLUMN credits.payment_intents.action_url IS
'Where the customer confirms the payment, where it is requires_action; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intents.checkout_url IS 'Where the customer pays; NULL where nobody said.';
COMMENT ON COLUMN credits.payment_intents.recharge_id IS 'The auto-recharge that asked for it; NULL for none.';
COMMENT ON COLUMN credits.payment_intents.description IS 'For people.';
COMMENT ON COLUMN credits.payment_intents.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_intents.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_intents.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_intents.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits.payment_intents.paid_at IS 'When its payments first covered what is due.';
COMMENT ON VIEW credits.my_payment_intents IS
'The payment intents of credits.current_customer, at this moment: what is to be paid, or was, top-ups included.

They show what is written on them: their description.';
COMMENT ON COLUMN credits.my_payment_intents.payment_intent_id IS 'The payment intent.';
COMMENT ON COLUMN credits.my_payment_intents.invoice_id IS
'The invoice that it pays, which my_invoices shows once it has a number.';
COMMENT ON COLUMN credits.my_payment_intents.status IS
'''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.my_payment_intents.amount IS 'What is due, in major units.';
COMMENT ON COLUMN credits.my_payment_intents.amount_received IS 'What was paid in all payments, in major units.';
COMMENT ON COLUMN credits.my_payment_intents.amount_refunded IS 'What was paid back in all, in major units.';
COMMENT ON COLUMN credits.my_payment_intents.currency IS 'The currency that is paid.';
COMMENT ON COLUMN credits.my_payment_intents.payment_method_id IS
'The payment method that is to be charged; NULL where the customer pays, and for auto-recharges.';
COMMENT ON COLUMN credits.my_payment_intents.provider IS 'Who is to take, or took, the payment.';
COMMENT ON COLUMN credits.my_payment_intents.failed_at IS
'When the last attempt failed; NULL where none did, or another is under way.';
COMMENT ON COLUMN credits.my_payment_intents.action_url IS
'Where to confirm the payment, where it is requires_action; NULL where nobody said.';
COMMENT ON COLUMN credits.my_payment_intents.checkout_url IS 'Where to pay; NULL where nobody said.';
COMMENT ON COLUMN credits.my_payment_intents.description IS 'For people.';
COMMENT ON COLUMN credits.my_payment_intents.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.my_payment_intents.expires_at IS
'Until when it is to be paid; a later payment counts all the same. NULL for as long as its invoice is open.';
COMMENT ON COLUMN credits.my_payment_intents.paid_at IS 'When its payments first covered what is due.';
COMMENT ON TYPE credits.payment_method IS
'A payment method, as payment_method_attach() and payment_method_detach() return it.';
COMMENT ON COLUMN credits.payment_method.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.payment_method.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.payment_method.provider IS 'The provider that keeps it.';
COMMENT ON COLUMN credits.payment_method.provider_customer IS
'What the provider calls the customer; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_method.reference IS
'What the provider calls the payment method; NULL once erased.';
COMMENT ON COLUMN credits.payment_method.name IS 'What people call it; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_method.expires_at IS
'From when on it cannot be charged; NULL for never, and once erased.';
COMMENT ON COLUMN credits.payment_method.is_default IS
'Whether it is charged where none is named: at most one per customer.';
COMMENT ON COLUMN credits.payment_method.status IS
'''attached'', ''expired'' (cannot be charged any more) or ''detached''.';
COMMENT ON COLUMN credits.payment_method.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.payment_method.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits.payment_method.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_method.detached_at IS 'When it was detached; NULL where it is not.';
COMMENT ON COLUMN credits.payment_method.replayed IS 'Whether it was attached, or detached, before.';
COMMENT ON FUNCTION credits.payment_method_attach IS
'Says that a customer can be charged by something that a provider keeps: a card, a bank account, an authorisation.

customer_id: the customer.
provider: the provider that keeps it: ''stripe'', ''paystack'', or another name.
provider_customer: what the provider calls the customer (Stripe: cus_…); NULL where it does not matter.
reference: what the provider calls it (Stripe: pm_…; Paystack: AUTH_…). The number of a card is refused.
expires_at: from when on it cannot be charged: of a card, the end of its last month. NULL or ''infinity'' for never.
is_default: true: it is charged where none is named, in place of the default before. Otherwise it is only where no other
  default can be charged, and so the first one is.
name: what people call it: Visa ending in 4242.
metadata: the application''s own data.

The same provider and reference again are the same payment method, until it is detached: what is given of
provider_customer, expires_at, name and metadata replaces what was, NULL leaves it, and an empty text or ''infinity''
removes it. After customer_erase() it is PC020 until customer_upsert() says who the customer is.

It charges nobody.

Raises PC003, PC013, PC020.
Example: SELECT * FROM credits.payment_method_attach(''ann'', ''stripe'', ''cus_7'', ''pm_1'', ''2028-01-01'',
  name => ''Visa ending in 4242'');';
COMMENT ON FUNCTION credits.payment_method_detach IS
'Ends that a customer can be charged by a payment method.

customer_id: the customer.
payment_method_id: the payment method.

Its row stays, and another payment method can be attached under the same reference. If it was the default, none is until
one is attached, or named as the default. The provider is to be told as well: this calls nobody.

Raises PC003, PC013, PC019.
Example: SELECT * FROM credits.payment_method_detach(''ann'', (SELECT payment_method_id FROM credits.payment_methods
  WHERE customer_id = ''ann'' AND is_default));';
COMMENT ON VIEW credits.payment_methods IS 'Payment methods of customers, detached ones too.';
COMMENT ON COLUMN credits.payment_methods.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.payment_methods.payment_method_id IS 'The payment method.';
COMMENT ON COLUMN credits.payment_methods.provider IS 'The provider that keeps it.';
COMMENT ON COLUMN credits.payment_methods.provider_customer IS
'What the provider calls the customer; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_methods.reference IS
'What the provider calls the payment method; NULL once erased.';
COMMENT ON COLUMN credits.payment_methods.name IS 'What people call it; NULL where nobody said, and once erased.';
COMMENT ON COLUMN credits.payment_methods.expires_at IS
'From when on it cannot be charged; NULL for never, and once erased.';
COMMENT ON COLUMN credits.payment_methods.is_default IS
'Whether it is charged where none is named: at most one per customer.';
COMMENT ON COLUMN credits.payment_methods.status IS
'''attached'', ''expired'' (cannot be charged any more) or ''detached''.';
COMMENT ON COLUMN credits.payment_methods.metadata IS 'The application''s own data; NULL once erased.';
COMMENT ON COLUMN credits.payment_methods.created_at IS 'When it was attached.';
COMMENT ON COLUMN credits.payment_methods.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_methods.detached_at IS 'When it was detached; NULL where it is not.';
COMMENT ON TYPE credits.refund_outcome IS
'A payment intent after a refund or dispute was recorded, as payment_refunded(), payment_refund_failed(),
payment_disputed() and payment_dispute_closed() return it.';
COMMENT ON COLUMN credits.refund_outcome.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON COLUMN credits.refund_outcome.status IS
'Of a top-up ''initiated'', ''failed'', ''expired'', ''paid'' or ''refunded''; else the payment intent''s:
''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or ''canceled''.';
COMMENT ON COLUMN credits.refund_outcome.taken IS 'Credits taken now, in all currencies.';
COMMENT ON FUNCTION credits.payment_refunded IS
'Records that money was paid back, and takes credits of that purchase back.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who paid it back.
provider_reference: the provider''s reference of the refund; NULL where it has none.
amount: this refund, in major units. With total_refunded NULL too: the whole payment.
total_refunded: all refunds of the payment by this provider so far, including this one; some providers report only
  that.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
payment_reference: the provider''s reference of the payment that it is for; NULL for the latest with money left.
currency: the currency that was paid back; NULL for the top-up''s. Another one is recorded as a contradiction and
  takes nothing.
refund_id: the refund that was asked for (refund_create) and is made now; NULL where it is not known.

One that was asked for here is known by refund_id, by its provider_reference, or as the pending one of that payment and
amount. It has taken its credits already, and counts once.

Credits go back where less remains paid, in all its payments, than was due without tax and shipping: of every line in
proportion to what is missing, rounded on the total. Refunds of several providers add up. Unspent credits go first: what
is available at once, what is held when the hold closes; what has expired or was voided is neither taken nor owed.

The latest payment with money left is judged by all that is known at any time, since the order of reports must not
matter. So the refund may move to a payment that is reported later, and is part of the total that the same provider
reports of a payment, so that it counts once. After a refund failed, a total that equals the single refunds, the
failed ones included, is taken for a late one that counts those; anything else counts as it is.

The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as a
contradiction and changes nothing. More than was paid is recorded as a contradiction.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_refunded(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-2'', amount => 5);';
COMMENT ON FUNCTION credits.payment_refund_failed IS
'Records that a refund did not go through after all: gives back exactly what it took.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the refund; NULL where refund_id says which.
payment_reference: the provider''s reference of the payment; NULL where it is not known.
refund_id: the refund that was asked for (refund_create); NULL where provider_reference says which.

What it left owed is owed no longer. A refund that was never reported changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_refund_failed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''refund-1'');';
COMMENT ON TYPE credits.refund IS
'A refund that was asked for, as functions return it. The view refunds has all of them.';
COMMENT ON COLUMN credits.refund.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.refund.refund_id IS 'The refund: the provider''s refund names it in its metadata.';
COMMENT ON COLUMN credits.refund.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.refund.invoice_id IS 'The invoice that it paid.';
COMMENT ON COLUMN credits.refund.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.refund.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.refund.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.refund.reason IS
'Why: the application''s word, or ''duplicate'', ''overpaid'', ''too_late'' or ''no_room'' for money that paid for
nothing.';
COMMENT ON COLUMN credits.refund.description IS 'For people.';
COMMENT ON COLUMN credits.refund.lines IS
'What of which lines, an array of objects with invoice_line_id and amount; NULL for all of the invoice.';
COMMENT ON COLUMN credits.refund.provider IS 'The provider that took the payment.';
COMMENT ON COLUMN credits.refund.payment_reference IS
'The provider''s reference of the payment; NULL where it has none.';
COMMENT ON COLUMN credits.refund.provider_reference IS
'The provider''s reference of the refund; NULL until it is reported.';
COMMENT ON COLUMN credits.refund.takes_credits IS
'Whether credits were taken back when it was asked for; false for money that paid for nothing.';
COMMENT ON COLUMN credits.refund.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.refund.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits.refund.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.refund.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON TYPE credits.refund_attempt IS 'Whether a worker is to pay back, and what, as refund_begin() returns it.';
COMMENT ON COLUMN credits.refund_attempt.go IS 'Whether to pay back.';
COMMENT ON COLUMN credits.refund_attempt.refund_id IS
'The refund: the provider''s refund must name it in its metadata, with the customer_id.';
COMMENT ON COLUMN credits.refund_attempt.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.refund_attempt.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.refund_attempt.attempt_key IS
'The provider''s idempotency key: the same at every call; NULL where none ever began.';
COMMENT ON COLUMN credits.refund_attempt.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.refund_attempt.minor_units IS
'The same in the provider''s minor units; NULL where it is no whole number of them.';
COMMENT ON COLUMN credits.refund_attempt.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.refund_attempt.provider IS 'The provider that took the payment.';
COMMENT ON COLUMN credits.refund_attempt.payment_reference IS
'The provider''s reference of the payment; NULL where it has none.';
COMMENT ON FUNCTION credits.refund_create IS
'Asks for money to go back, and takes the credits back that it paid for, at once.

customer_id: the customer.
payment_intent_id: the payment intent whose money goes back: a top-up''s id is its payment intent''s.
amount: how much, in major units; NULL for what the lines come to, or all that is there of one payment.
lines: what of which lines goes back, an array of objects with invoice_line_id and amount, tax included; NULL for all.
reason: why, in a word of at most 255 characters; NULL for requested_by_customer.
description: for people.
metadata: the application''s own data.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

An outbox row ''refund.requested'' asks a worker for it, who calls refund_begin(). The provider''s webhook, or
payment_refunded() and payment_refund_failed() with its refund_id, says how it ended; where it fails, exactly what was
taken comes back.

Without lines what was overpaid, tax and shipping go back first, then all lines in proportion: of 11.90 that was paid
for 10.00 and 100 credits, 1.90 takes nothing, and 5.95 takes 40.5. What names a line is of that line alone. What is
asked for and has not failed never adds up to more than was received: PC007 is more than is left of any one payment,
or of a line.

Raises PC002, PC003, PC007, PC013, PC014.
Example: SELECT status FROM credits.refund_create(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), 1);';
COMMENT ON FUNCTION credits.payment_intent_refund IS
'Asks for the money of a payment intent to go back: refund_create() for all lines.

customer_id: the customer.
payment_intent_id: the payment intent.
amount: how much, in major units; NULL for all that is there of one payment.
reason: why, in a word of at most 255 characters; NULL for requested_by_customer.
description: for people.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

Raises PC002, PC003, PC007, PC013, PC014.
Example: SELECT status FROM credits.payment_intent_refund(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), 1);';
COMMENT ON FUNCTION credits.refund_begin IS
'Begins to pay back, for a worker that read an outbox row ''refund.requested''.

customer_id: the customer.
refund_id: the refund.

go is false where it was answered or canceled meanwhile. Where it is true, pay back amount of payment_reference, with
attempt_key as the provider''s idempotency key and customer_id and refund_id in the refund''s metadata. It can be called
again, and the key stays the same, so that the provider pays back once. From then on it cannot be canceled here.

Raises PC003, PC013, PC019.
Example: SELECT go, amount FROM credits.refund_begin(''ann'',
  (SELECT refund_id FROM credits.refunds WHERE description = ''asked''));';
COMMENT ON FUNCTION credits.refund_cancel IS
'Takes back that a refund is asked for: exactly what it took comes back.

customer_id: the customer.
refund_id: the refund.

PC020 is one that a worker has begun with, or that was answered.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.refund_cancel(''ann'',
  (SELECT refund_id FROM credits.refunds WHERE description = ''asked''));';
COMMENT ON VIEW credits.refunds IS
'Refunds that were asked for, by refund_create() or because money paid for nothing.

What providers report of refunds that nobody asked for here is in payment_log alone.';
COMMENT ON COLUMN credits.refunds.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.refunds.refund_id IS 'The refund: the provider''s refund names it in its metadata.';
COMMENT ON COLUMN credits.refunds.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.refunds.invoice_id IS 'The invoice that it paid.';
COMMENT ON COLUMN credits.refunds.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.refunds.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.refunds.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.refunds.reason IS
'Why: the application''s word, or ''duplicate'', ''overpaid'', ''too_late'' or ''no_room'' for money that paid for
nothing.';
COMMENT ON COLUMN credits.refunds.description IS 'For people.';
COMMENT ON COLUMN credits.refunds.lines IS
'What of which lines, an array of objects with invoice_line_id and amount; NULL for all of the invoice.';
COMMENT ON COLUMN credits.refunds.provider IS 'The provider that took the payment.';
COMMENT ON COLUMN credits.refunds.payment_reference IS
'The provider''s reference of the payment; NULL where it has none.';
COMMENT ON COLUMN credits.refunds.provider_reference IS
'The provider''s reference of the refund; NULL until it is reported.';
COMMENT ON COLUMN credits.refunds.takes_credits IS
'Whether credits were taken back when it was asked for; false for money that paid for nothing.';
COMMENT ON COLUMN credits.refunds.under_way IS 'Whether a worker has begun with it and it is not answered.';
COMMENT ON COLUMN credits.refunds.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.refunds.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits.refunds.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.refunds.closed_at IS 'When it was answered or canceled; NULL while it is pending.';
COMMENT ON VIEW credits.my_refunds IS
'The refunds of credits.current_customer.

They show what is written on them: their description.';
COMMENT ON COLUMN credits.my_refunds.refund_id IS 'The refund.';
COMMENT ON COLUMN credits.my_refunds.payment_intent_id IS 'The payment intent whose money goes back.';
COMMENT ON COLUMN credits.my_refunds.invoice_id IS 'The invoice that it paid.';
COMMENT ON COLUMN credits.my_refunds.status IS '''pending'', ''succeeded'', ''failed'' or ''canceled''.';
COMMENT ON COLUMN credits.my_refunds.amount IS 'How much, in major units.';
COMMENT ON COLUMN credits.my_refunds.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.my_refunds.description IS 'For people.';
COMMENT ON COLUMN credits.my_refunds.created_at IS 'When it was asked for.';
COMMENT ON COLUMN credits.my_refunds.closed_at IS 'When it was answered or canceled; NULL while it is pending.';
COMMENT ON FUNCTION credits.payment_disputed IS
'Records that the payer disputes a payment (a chargeback), and takes credits back as a refund would.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the dispute; NULL where it has none.
amount: how much is disputed, in major units; NULL for the whole payment.
spent: what happens to credits that were spent: ''pending'' leaves them owed, ''forgive'' does not; NULL for
  credits.spent_on_refund.
payment_reference: the provider''s reference of the payment that it is for; NULL for the latest with money left.
currency: the currency that is disputed; NULL for the top-up''s. Another one is recorded as a contradiction and takes
  nothing.

The credits stay taken until payment_dispute_closed(). The customer''s auto-recharge is switched off in every
currency. The same provider_reference again is a replay; with another amount, or for another top-up, it is recorded as
a contradiction and changes nothing.

Raises PC007, PC013, PC014.
Example: SELECT * FROM credits.payment_disputed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''dispute-2'', amount => 5);';
COMMENT ON FUNCTION credits.payment_dispute_closed IS
'Records how a dispute was decided.

customer_id: the customer.
top_up_id: the top-up, or the payment intent of any invoice.
provider: who reported it.
provider_reference: the provider''s reference of the dispute; NULL for the newest dispute of this provider, of the
  payment that payment_reference names.
won: whether it was won; required.
payment_reference: the provider''s reference of the payment; NULL for any.

A dispute that was won gives back exactly what it took, to the grants that gave it (what has expired meanwhile expires
at once), and what it left owed is owed no longer. One that was lost keeps what it took; where more went back with it
than was paid, that is recorded as a contradiction.

A dispute is decided once: a later report that differs, or of a dispute that was never reported, is recorded as a
contradiction and changes nothing.

Raises PC013, PC014.
Example: SELECT * FROM credits.payment_dispute_closed(''ann'',
  (SELECT top_up_id FROM credits.top_ups WHERE description = ''paid''), ''acmepay'', ''dispute-1'', won => true);';
COMMENT ON COLUMN credits.received_webhook.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s; NULL for none.';
COMMENT ON COLUMN credits.received_webhook.status IS 'The status of the top-up, or of the payment intent, afterwards.';
COMMENT ON COLUMN credits.webhook_log.top_up_id IS
'The payment intent: a top-up''s id is its payment intent''s; NULL for none.';
COMMENT ON TYPE credits.invoice IS
'An invoice, as functions return it. The view invoices has all of them.';
COMMENT ON COLUMN credits.invoice.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.invoice.number IS
'Its number: a prefix of the customer''s and a sequence without gaps; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.invoice.billing_reason IS
'Why it was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'', or
''subscription_create'', ''_cycle'' or ''_update''.';
COMMENT ON COLUMN credits.invoice.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.invoice.description IS 'For people.';
COMMENT ON COLUMN credits.invoice.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.invoice.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits.invoice.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.invoice.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits.invoice.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits.invoice.amount_due IS 'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits.invoice.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits.invoice.amount_remaining IS 'What is still to be paid.';
COMMENT ON COLUMN credits.invoice.tax_rate IS 'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.invoice.due_date IS
'When it is due; NULL where nobody said, and in a draft that is due so many days after.';
COMMENT ON COLUMN credits.invoice.days_until_due IS
'How many days after it gets its number it is due; NULL where due_date says it.';
COMMENT ON COLUMN credits.invoice.customer_name IS 'The customer''s name when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.customer_email IS 'The customer''s address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits.invoice.custom_fields IS 'For people: an array of objects with name and value.';
COMMENT ON COLUMN credits.invoice.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoice.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoice.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoice.finalized_at IS 'When it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.paid_at IS 'When all of it was paid; NULL until then.';
COMMENT ON COLUMN credits.invoice.voided_at IS 'When it was voided; NULL where it was not.';
COMMENT ON COLUMN credits.invoice.marked_uncollectible_at IS 'When it was given up; NULL where it was not.';
COMMENT ON COLUMN credits.invoice.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.invoice.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits.invoice.customer_phone IS 'The customer''s number when it got its own; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.customer_address IS
'The customer''s postal address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoice.payment_intent_id IS
'The payment intent that pays it, or is to; NULL where nothing is to come from a provider.';
COMMENT ON COLUMN credits.invoice.hosted_invoice_url IS
'Where the customer pays it: the provider''s template; NULL where there is none.';
COMMENT ON COLUMN credits.invoice.amount_refunded IS 'What was paid back through its payment intents.';
COMMENT ON COLUMN credits.invoice.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON FUNCTION credits.invoice_create IS
'Creates an invoice as a draft, of lines and of what is pending.

customer_id: the customer, who is created where missing.
lines: an array of at most 1,000 objects, one per line; NULL for what is pending alone.
currency: the currency of the amounts, of money or credits; NULL for that of the prices, else the default currency.
description: for people.
due_date: when it is due; NULL where days_until_due says it, or nobody.
days_until_due: how many days after it is finalized it is due, 0 to 3,650.
tax_rate: in percent, of lines that have none of their own; NULL for the customer''s, or none.
discount: an amount off all lines.
auto_finalize: whether it is finalized at once.
pending_items: ''include'' takes what is pending in the currency, ''exclude'' leaves it.
footer: for people, below the lines.
custom_fields: for people: an array of at most 20 objects, each with name and value.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
collection_method: ''charge_automatically'': where the customer has a default payment method, a worker is asked to
  charge it when the invoice is finalized, and what is due in credits is paid from the wallet; ''send_invoice'': nobody
  is asked.
billing_reason: ''manual'', ''deposit'' for money that is to be given back, or ''overdraft_protection'': a deposit that
  subscriptions with overdraft_protection use before others.

A line is by price or by hand. By price it has price_id, and quantity (1 where left out). By hand it has one of: amount;
unit_amount, with up to 12 decimals, and quantity; pricing, as of meters, and quantity. An amount below zero gives
something back. Each may have description, discount (an amount off this line), tax_rate, tax_behavior (''exclusive'',
the default: on top of the amount, or ''inclusive'': in it), period (an object with start and end) and metadata.

A line is rounded once. Tax is rounded once per rate and behaviour, on the sum of the lines after discounts. What is
split over lines adds up to the last digit.

Raises PC001, PC002, PC003, PC007, PC008, PC013, PC015, PC017, PC019, PC021.
Example: SELECT invoice_id, total FROM credits.invoice_create(''ann'', currency => ''USD'', tax_rate => 19,
  lines => ''[{"unit_amount": 120, "quantity": 2, "description": "Consulting, hours"}]'');';
COMMENT ON FUNCTION credits.invoice_finalize IS
'Gives an invoice out: a draft gets its number and the customer''s name and address, and is open.

customer_id: the customer.
invoice_id: the invoice.

Its payment intent begins: the customer pays at hosted_invoice_url, or the worker that charges is asked for it with an
outbox row ''payment.requested''.

What is due in credits is taken from the wallet in the same transaction, and the invoice is paid: where the wallet has
too little, it stays a draft (PC001). With collection_method ''send_invoice'' it is open until invoice_pay() takes it.

Its lines and amounts never change after that. The number is the next of the customer''s sequence, which has no gaps.
One of which nothing is to be paid is paid at once; what is left of a total below zero is pending for the next invoice
in its currency, and never becomes credits. Units of prices that have a quantity_available are taken; where too few are
left, it stays a draft (PC017).

One that was finalized before is returned as it is, with replayed = true.

Raises PC001, PC003, PC007, PC008, PC013, PC017, PC019, PC020, PC021.
Example: SELECT number, status FROM credits.invoice_finalize(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''new invoice''));';
COMMENT ON FUNCTION credits.invoice_pay IS
'Applies money to an invoice, all that remains or a part.

customer_id: the customer.
invoice_id: the invoice.
paid_from: ''wallet'' debits the customer''s account in the invoice''s currency; ''outside'' records money that came
  otherwise; ''provider'' asks the worker that charges for all that remains, again after a failure.
amount: how much, at most what remains; NULL for all that remains.
reference: for money from outside, what it is called there; required for that.
idempotency_key: a repeat with the same key returns the invoice with replayed = true; NULL for none.

Once nothing remains it is paid, for good: lines whose price grants credits do so in the same transaction, once, each
with what was paid for it, without tax, as its cost; credits last from this moment. One that was given up as
uncollectible can still be paid.

''provider'' applies nothing by itself: the payment is reported later. Where a payment is asked for or under way, or the
customer has no default payment method, it changes nothing. While money is on its way from a provider nothing else can
be applied (PC020); afterwards the payment intent is for what remains.

operation_reverse() does not take such a debit back: invoice_void() does, of an invoice that is not paid in full.

PC001 is a wallet with too little. PC007 is also more than remains, and credits that the account has no room for.
PC020 is an invoice that is not open.

Raises PC001, PC002, PC003, PC007, PC008, PC013, PC019, PC020, PC021.
Example: SELECT status, amount_remaining FROM credits.invoice_pay(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''), ''outside'',
  reference => ''Transfer 4711'');';
COMMENT ON FUNCTION credits.invoice_void IS
'Voids an invoice that is not paid, as if it had never been given out. It keeps its number.

customer_id: the customer.
invoice_id: the invoice.

What the wallet paid goes back to the grants that paid it. What an earlier invoice left over, and this one had taken,
is pending again; its other lines are gone. Units of prices that it had taken are for sale again.

PC020 is a draft (invoice_delete() is for that), a paid invoice, and one to which money from outside was applied: give
that back first, and mark the invoice as uncollectible. A repeat is returned with replayed = true.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.invoice_void(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''));';
COMMENT ON FUNCTION credits.invoice_mark_uncollectible IS
'Gives up an open invoice. It can still be paid.

customer_id: the customer.
invoice_id: the invoice.

A repeat is returned with replayed = true.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.invoice_mark_uncollectible(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''));';
COMMENT ON FUNCTION credits.invoice_update IS
'Changes an invoice. NULL leaves a thing as it is.

customer_id: the customer.
invoice_id: the invoice.
description: for people.
due_date: when it is due; ''infinity'' for nobody says.
days_until_due: how many days after it is finalized it is due.
tax_rate: in percent, of lines that have none of their own.
discount: an amount off all lines.
lines: replaces the lines that were given with the draft; those that it took from what was pending stay.
footer: for people, below the lines.
custom_fields: for people: an array of at most 20 objects, each with name and value.
metadata: the application''s own data.

A draft can be changed in all of it. One that is open or uncollectible keeps what it comes to: description, due_date
and metadata can change. Of one that is paid or void, metadata can. All else is PC020.

Raises PC003, PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT due_date FROM credits.invoice_update(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''),
  due_date => now() + interval ''30 days'');';
COMMENT ON FUNCTION credits.invoice_delete IS
'Deletes a draft. What it had taken from what was pending is pending again.

customer_id: the customer.
invoice_id: the invoice.

It returns what was there. PC020 is an invoice that has a number: invoice_void() is for that.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.invoice_delete(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''new invoice''));';
COMMENT ON FUNCTION credits.customer_overdue_invoices IS
'Returns the open invoices of a customer whose due date has passed, the oldest first.

customer_id: the customer.

Raises PC003, PC013.
Example: SELECT number, due_date, amount_remaining FROM credits.customer_overdue_invoices(''ann'');';
COMMENT ON VIEW credits.invoices IS
'Invoices at this moment, drafts too. A top-up''s is a draft until it is paid.

What each is for is in the view invoice_lines, what was applied to it in invoice_payments.';
COMMENT ON COLUMN credits.invoices.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoices.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.invoices.number IS
'Its number: a prefix of the customer''s and a sequence without gaps; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.invoices.billing_reason IS
'Why it was made: ''manual'', ''recharge'', ''auto_recharge'', ''deposit'', ''overdraft_protection'', or
''subscription_create'', ''_cycle'' or ''_update''.';
COMMENT ON COLUMN credits.invoices.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.invoices.description IS 'For people.';
COMMENT ON COLUMN credits.invoices.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.invoices.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits.invoices.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.invoices.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits.invoices.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits.invoices.amount_due IS 'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits.invoices.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits.invoices.amount_remaining IS 'What is still to be paid.';
COMMENT ON COLUMN credits.invoices.tax_rate IS 'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.invoices.due_date IS
'When it is due; NULL where nobody said, and in a draft that is due so many days after.';
COMMENT ON COLUMN credits.invoices.days_until_due IS
'How many days after it gets its number it is due; NULL where due_date says it.';
COMMENT ON COLUMN credits.invoices.customer_name IS 'The customer''s name when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.customer_email IS
'The customer''s address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits.invoices.custom_fields IS 'For people: an array of objects with name and value.';
COMMENT ON COLUMN credits.invoices.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoices.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoices.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoices.finalized_at IS 'When it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.paid_at IS 'When all of it was paid; NULL until then.';
COMMENT ON COLUMN credits.invoices.voided_at IS 'When it was voided; NULL where it was not.';
COMMENT ON COLUMN credits.invoices.marked_uncollectible_at IS 'When it was given up; NULL where it was not.';
COMMENT ON COLUMN credits.invoices.overdue IS 'Whether it is open and its due date has passed.';
COMMENT ON COLUMN credits.invoices.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.invoices.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits.invoices.customer_phone IS 'The customer''s number when it got its own; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.customer_address IS
'The customer''s postal address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.invoices.payment_intent_id IS
'The payment intent that pays it, or is to; NULL where nothing is to come from a provider.';
COMMENT ON COLUMN credits.invoices.hosted_invoice_url IS
'Where the customer pays it: the provider''s template; NULL where there is none.';
COMMENT ON COLUMN credits.invoices.amount_refunded IS 'What was paid back through its payment intents.';
COMMENT ON COLUMN credits.invoices.seller IS
'Who sold: what credits.invoice_seller said when it got its number; NULL for a draft, and where that said nothing.';
COMMENT ON COLUMN credits.invoices.checkout_session_id IS 'The checkout session that it is for; NULL for none.';
COMMENT ON COLUMN credits.invoices.coupon_id IS 'The coupon that takes something off; NULL for none.';
COMMENT ON COLUMN credits.invoices.promotion_code_id IS 'The promotion code by which it does; NULL for none.';
COMMENT ON COLUMN credits.invoices.discount_details IS
'What takes something off: an array of one object with coupon_id, coupon_name (as it was then), promotion_code_id, code
and amount; NULL for none.';
COMMENT ON VIEW credits.invoice_payments IS
'Money that was applied to invoices, one row per source.';
COMMENT ON COLUMN credits.invoice_payments.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice_payments.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.invoice_payments.payment_no IS 'Its place among the invoice''s payments, from 1.';
COMMENT ON COLUMN credits.invoice_payments.paid_from IS '''wallet'', ''outside'', ''provider'' or ''deposit''.';
COMMENT ON COLUMN credits.invoice_payments.amount IS 'How much.';
COMMENT ON COLUMN credits.invoice_payments.currency IS 'The currency of the amount.';
COMMENT ON COLUMN credits.invoice_payments.operation_id IS
'The debit, where the wallet paid: the ledger''s lines name it.';
COMMENT ON COLUMN credits.invoice_payments.reference IS
'What the application calls it, where the money came from outside.';
COMMENT ON COLUMN credits.invoice_payments.created_at IS 'When it was applied.';
COMMENT ON COLUMN credits.invoice_payments.reversed_at IS
'When it was given back, since the invoice is void; NULL where it stands.';
COMMENT ON COLUMN credits.invoice_payments.reversal_id IS 'The operation that gave it back.';
COMMENT ON COLUMN credits.invoice_payments.payment_intent_id IS
'The payment intent, where a provider took the money; NULL otherwise.';
COMMENT ON COLUMN credits.invoice_payments.deposit_id IS
'The invoice of the deposit, where that paid what a subscription owed; NULL otherwise.';
COMMENT ON VIEW credits.my_invoices IS
'The invoices of credits.current_customer, except drafts.

They show what is written on them: description, footer and custom_fields.';
COMMENT ON COLUMN credits.my_invoices.invoice_id IS 'The invoice.';
COMMENT ON COLUMN credits.my_invoices.number IS
'Its number: a prefix of the customer''s and a sequence without gaps; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.my_invoices.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.my_invoices.description IS 'For people.';
COMMENT ON COLUMN credits.my_invoices.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.my_invoices.discount IS 'All that is taken off.';
COMMENT ON COLUMN credits.my_invoices.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.my_invoices.total IS 'Lines, less discounts, with tax on top and shipping.';
COMMENT ON COLUMN credits.my_invoices.total_excluding_tax IS 'The total, less all tax.';
COMMENT ON COLUMN credits.my_invoices.amount_due IS 'What is to be paid in all: the total, or 0 where that is below.';
COMMENT ON COLUMN credits.my_invoices.amount_paid IS 'All that was applied to it and not given back.';
COMMENT ON COLUMN credits.my_invoices.amount_remaining IS 'What is still to be paid.';
COMMENT ON COLUMN credits.my_invoices.due_date IS
'When it is due; NULL where nobody said, and in a draft that is due so many days after.';
COMMENT ON COLUMN credits.my_invoices.customer_name IS 'The customer''s name when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.customer_email IS
'The customer''s address when it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.footer IS 'For people, below the lines.';
COMMENT ON COLUMN credits.my_invoices.custom_fields IS 'For people: an array of objects with name and value.';
COMMENT ON COLUMN credits.my_invoices.finalized_at IS 'When it got its number; NULL for a draft.';
COMMENT ON COLUMN credits.my_invoices.paid_at IS 'When all of it was paid; NULL until then.';
COMMENT ON COLUMN credits.my_invoices.shipping IS 'Shipping that the provider''s checkout added.';
COMMENT ON COLUMN credits.my_invoices.customer_phone IS 'The customer''s number when the invoice got its own.';
COMMENT ON COLUMN credits.my_invoices.customer_address IS 'The customer''s postal address when it got its number.';
COMMENT ON COLUMN credits.my_invoices.seller IS 'Who sold; NULL where nobody said.';
COMMENT ON COLUMN credits.my_invoices.hosted_invoice_url IS 'Where to pay it; NULL where nobody said.';
COMMENT ON TYPE credits.invoice_line IS
'A line of an invoice, as invoice_item_create() returns it. The view invoice_lines has all of them.';
COMMENT ON COLUMN credits.invoice_line.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice_line.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits.invoice_line.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits.invoice_line.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits.invoice_line.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.invoice_line.price_id IS 'The price; NULL for a line by hand.';
COMMENT ON COLUMN credits.invoice_line.description IS 'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits.invoice_line.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits.invoice_line.unit_amount IS
'What one costs, in major units; NULL where that is not the same for each.';
COMMENT ON COLUMN credits.invoice_line.amount IS 'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits.invoice_line.discount IS 'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits.invoice_line.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits.invoice_line.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits.invoice_line.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits.invoice_line.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits.invoice_line.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits.invoice_line.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.invoice_line.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits.invoice_line.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits.invoice_line.period_end IS 'Until when it is for.';
COMMENT ON COLUMN credits.invoice_line.from_invoice_id IS 'The invoice whose total was below zero and left it over.';
COMMENT ON COLUMN credits.invoice_line.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoice_line.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoice_line.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoice_line.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON FUNCTION credits.invoice_item_create IS
'Creates a line that waits for the customer''s next invoice in its currency.

customer_id: the customer, who is created where missing.
currency: the currency of the amount; NULL for the price''s, else the default currency.
amount: what it costs; below zero to give something back.
description: for people.
price_id: a price, instead of an amount.
quantity: how many, of a price or at unit_amount; NULL for 1.
unit_amount: what one costs, with up to 12 decimals, instead of an amount.
tax_rate: in percent; NULL for the invoice''s.
tax_behavior: ''exclusive'' or ''inclusive''; NULL for ''exclusive''.
period_start: from when it is for.
period_end: until when it is for.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

The next invoice_create() in that currency takes it, and one invoice only. Where that draft is deleted, it waits again.

Raises PC002, PC007, PC008, PC013, PC015, PC019.
Example: SELECT invoice_line_id FROM credits.invoice_item_create(''ann'', ''USD'', 12.50, ''Support, hours of May'');';
COMMENT ON FUNCTION credits.invoice_item_delete IS
'Deletes a line that is still pending.

customer_id: the customer.
invoice_line_id: the line.

PC020 is a line that is on an invoice, even a draft, and one that another invoice left over, which is the customer''s.

Raises PC003, PC013, PC019, PC020.
Example: SELECT description FROM credits.invoice_item_delete(''ann'',
  (SELECT invoice_line_id FROM credits.invoice_lines WHERE description = ''pending''));';
COMMENT ON VIEW credits.invoice_lines IS
'Lines of invoices, and those that are pending: those have no invoice_id.';
COMMENT ON COLUMN credits.invoice_lines.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoice_lines.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits.invoice_lines.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits.invoice_lines.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits.invoice_lines.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.invoice_lines.price_id IS 'The price; NULL for a line by hand.';
COMMENT ON COLUMN credits.invoice_lines.description IS 'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits.invoice_lines.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits.invoice_lines.unit_amount IS
'What one costs, in major units; NULL where that is not the same for each.';
COMMENT ON COLUMN credits.invoice_lines.amount IS 'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits.invoice_lines.discount IS 'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits.invoice_lines.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits.invoice_lines.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits.invoice_lines.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits.invoice_lines.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits.invoice_lines.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits.invoice_lines.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.invoice_lines.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits.invoice_lines.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits.invoice_lines.period_end IS 'Until when it is for.';
COMMENT ON COLUMN credits.invoice_lines.from_invoice_id IS 'The invoice whose total was below zero and left it over.';
COMMENT ON COLUMN credits.invoice_lines.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.invoice_lines.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.invoice_lines.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.invoice_lines.product_id IS 'The product; NULL for a line by hand.';
COMMENT ON VIEW credits.my_invoice_lines IS
'Lines of the invoices of credits.current_customer, except drafts.';
COMMENT ON COLUMN credits.my_invoice_lines.invoice_line_id IS 'The line.';
COMMENT ON COLUMN credits.my_invoice_lines.invoice_id IS 'The invoice; NULL while it is pending.';
COMMENT ON COLUMN credits.my_invoice_lines.line_no IS 'Its place on the invoice, from 1.';
COMMENT ON COLUMN credits.my_invoice_lines.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.my_invoice_lines.description IS
'For people: the product''s name where nothing else was given.';
COMMENT ON COLUMN credits.my_invoice_lines.quantity IS 'How many; NULL where only an amount was given.';
COMMENT ON COLUMN credits.my_invoice_lines.unit_amount IS
'What one costs, in major units; NULL where that is not the same for each.';
COMMENT ON COLUMN credits.my_invoice_lines.amount IS 'What it costs, rounded once; below zero for what is given back.';
COMMENT ON COLUMN credits.my_invoice_lines.discount IS 'All that is taken off it, with its part of the invoice''s.';
COMMENT ON COLUMN credits.my_invoice_lines.tax_rate IS 'In percent; NULL for no tax, and while it is pending.';
COMMENT ON COLUMN credits.my_invoice_lines.tax_behavior IS
'''exclusive'': tax comes on top of the amount; ''inclusive'': it is in it.';
COMMENT ON COLUMN credits.my_invoice_lines.tax IS 'Its part of the tax.';
COMMENT ON COLUMN credits.my_invoice_lines.amount_excluding_tax IS 'What it comes to, less discounts and tax.';
COMMENT ON COLUMN credits.my_invoice_lines.credits IS 'Credits that its payment grants; NULL for none.';
COMMENT ON COLUMN credits.my_invoice_lines.credit_currency IS 'The currency of the credits.';
COMMENT ON COLUMN credits.my_invoice_lines.grant_id IS 'The grant; NULL until the invoice is paid.';
COMMENT ON COLUMN credits.my_invoice_lines.period_start IS 'From when it is for.';
COMMENT ON COLUMN credits.my_invoice_lines.period_end IS 'Until when it is for.';
COMMENT ON TYPE credits.deposit IS 'How a deposit stands, as invoice_return_deposit() returns it.';
COMMENT ON COLUMN credits.deposit.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.deposit.invoice_id IS 'Its invoice.';
COMMENT ON COLUMN credits.deposit.status IS '''draft'', ''open'', ''paid'', ''void'' or ''uncollectible''.';
COMMENT ON COLUMN credits.deposit.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.deposit.amount IS 'What was paid.';
COMMENT ON COLUMN credits.deposit.amount_returned IS 'What was given back, or is asked back and has not failed.';
COMMENT ON COLUMN credits.deposit.amount_returning IS 'What of that a provider has not confirmed yet.';
COMMENT ON COLUMN credits.deposit.amount_returnable IS 'What can still be given back.';
COMMENT ON COLUMN credits.deposit.amount_outside IS
'What came from outside: it goes back there, and is not counted here.';
COMMENT ON COLUMN credits.deposit.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.deposit.amount_used IS
'What paid invoices of subscriptions that have overdraft_protection: it does not go back.';
COMMENT ON FUNCTION credits.invoice_return_deposit_info IS
'Returns what of a deposit was given back, and what can be.

customer_id: the customer.
invoice_id: the invoice, whose billing_reason is ''deposit'' or ''overdraft_protection''.

PC020 is an invoice that is no deposit.

Raises PC013, PC019, PC020.
Example: SELECT amount, amount_returnable FROM credits.invoice_return_deposit_info(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''deposit''));';
COMMENT ON FUNCTION credits.invoice_return_deposit IS
'Gives a deposit back, or a part of it: what a provider took is asked back, what the wallet paid goes back to it.

customer_id: the customer.
invoice_id: the invoice, whose billing_reason is ''deposit'' or ''overdraft_protection'' and which is paid.
amount: how much, in the invoice''s currency; NULL for all that can be given back.
reason: why, in a word of at most 255 characters; NULL for deposit_returned.
idempotency_key: a repeat with the same key returns how the deposit stands with replayed = true; NULL for none.

Money that a provider took goes first: each of its payments has a refund (view refunds), for which a worker is asked
with an outbox row ''refund.requested''. Where that fails, the amount can be given back again. What the wallet paid is
in it again at once, with its terms. What came from outside goes back outside. What paid an invoice of a
subscription (overdraft_protection) does not go back.

PC007 is more than can be given back. PC020 is an invoice that is no deposit, or not paid.

Raises PC002, PC003, PC007, PC013, PC019, PC020.
Example: SELECT amount_returned FROM credits.invoice_return_deposit(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''deposit''), 5);';
COMMENT ON FUNCTION credits.invoice_html IS
'Returns an invoice as one page of HTML, for a browser and fit to print.

customer_id: the customer.
invoice_id: the invoice.

It shows both sides, number and dates, lines with their discounts, tax per rate, what was paid and from where, what went
back, what remains and where to pay it, description, footer and custom_fields; never metadata. A draft and a void
invoice say so. Who sells is credits.invoice_seller as it was when the invoice got its number. Dates are in UTC.

The page is complete: it loads nothing, runs nothing, and forbids both. Whatever is written on the invoice is shown as
text. Serve it as text/html in UTF-8.

It changes nothing, and works on a standby.

Raises PC013, PC019.
Example: SELECT length(credits.invoice_html(''ann'',
  (SELECT invoice_id FROM credits.invoices WHERE description = ''sent invoice''))) > 0;';
COMMENT ON FUNCTION credits.my_invoice_html IS
'Returns an invoice of credits.current_customer as invoice_html() does, for a customer''s own login.

invoice_id: the invoice, one of those that my_invoices shows.

PC019 is any other, also a draft, and where nobody is named.

Raises PC013, PC019.
Example: SELECT length(credits.my_invoice_html(i.invoice_id)) > 0 FROM credits.my_invoices i;';
COMMENT ON VIEW credits.subscription_items IS 'What subscriptions are for, and what they were for.';
COMMENT ON COLUMN credits.subscription_items.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscription_items.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.subscription_items.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription_items.price_id IS 'The price, which is recurring.';
COMMENT ON COLUMN credits.subscription_items.product_id IS 'The price''s product.';
COMMENT ON COLUMN credits.subscription_items.quantity IS
'How many; NULL where the price is metered, and usage says how many.';
COMMENT ON COLUMN credits.subscription_items.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscription_items.created_at IS 'When it was added.';
COMMENT ON COLUMN credits.subscription_items.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscription_items.removed_at IS 'When it was removed; NULL while it is there.';
COMMENT ON TYPE credits.subscription_item IS
'An item of a subscription, as functions return it. The view subscription_items has all of them.';
COMMENT ON COLUMN credits.subscription_item.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscription_item.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.subscription_item.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription_item.price_id IS 'The price, which is recurring.';
COMMENT ON COLUMN credits.subscription_item.product_id IS 'The price''s product.';
COMMENT ON COLUMN credits.subscription_item.quantity IS
'How many; NULL where the price is metered, and usage says how many.';
COMMENT ON COLUMN credits.subscription_item.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscription_item.created_at IS 'When it was added.';
COMMENT ON COLUMN credits.subscription_item.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscription_item.removed_at IS 'When it was removed; NULL while it is there.';
COMMENT ON COLUMN credits.subscription_item.replayed IS
'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON FUNCTION credits.subscription_item_create IS
'Adds an item to a subscription: subscription_update() with one item that is new.

customer_id: the customer.
subscription_id: the subscription.
price_id: a recurring price of its currency and interval.
lookup_key: or that price by its key.
quantity: how many; NULL for one, and where the price is metered.
metadata: the application''s own data.
proration_behavior: what becomes of the money, as in subscription_update(); NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' or ''keep''.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

Raises PC001, PC002, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
Example: SELECT quantity FROM credits.subscription_item_create(''ben'', (SELECT subscription_id
  FROM credits.subscriptions WHERE customer_id = ''ben'' LIMIT 1), lookup_key => ''pro_monthly'', quantity => 3);';
COMMENT ON FUNCTION credits.subscription_item_update IS
'Changes an item of a subscription: subscription_update() with that item. NULL leaves a thing as it is.

customer_id: the customer.
subscription_item_id: the item.
price_id: another recurring price.
lookup_key: or that price by its key.
quantity: how many.
metadata: the application''s own data.
proration_behavior: what becomes of the money, as in subscription_update(); NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' or ''keep''.

A repeat changes nothing. Several items change at once by subscription_update(); those of another interval have to.

Raises PC001, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
Example: SELECT quantity FROM credits.subscription_item_update(''ben'', (SELECT subscription_item_id
  FROM credits.subscription_items WHERE customer_id = ''ben'' LIMIT 1), quantity => 4);';
COMMENT ON FUNCTION credits.subscription_item_delete IS
'Removes an item from a subscription: subscription_update() with that item deleted. The last one stays.

customer_id: the customer.
subscription_item_id: the item.
proration_behavior: what becomes of the money, as in subscription_update(); NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' or ''keep''.

The view subscription_items goes on having it, with removed_at. A repeat returns it with replayed = true.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT removed_at IS NOT NULL AS removed FROM credits.subscription_item_delete(''ben'',
  (SELECT max(subscription_item_id::text)::uuid FROM credits.subscription_items WHERE customer_id = ''ben''));';
COMMENT ON TYPE credits.subscription IS
'A subscription, as functions return it. The view subscriptions has all of them.';
COMMENT ON COLUMN credits.subscription.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscription.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription.status IS
'''incomplete'' (its first invoice is not paid), ''incomplete_expired'' (it was not in 23 hours, or while its checkout
session was open), ''trialing'',
''active'', ''past_due'' (something is owed), ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits.subscription.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits.subscription.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits.subscription.items IS
'What it is for: an array of objects with subscription_item_id, price_id, quantity and metadata.';
COMMENT ON COLUMN credits.subscription."interval" IS
'The unit of a period: ''hour'', ''day'', ''week'', ''month'' or ''year''.';
COMMENT ON COLUMN credits.subscription.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits.subscription.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before, in UTC.';
COMMENT ON COLUMN credits.subscription.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits.subscription.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits.subscription.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits.subscription.current_period_end IS 'The first moment after it: of a trial its end.';
COMMENT ON COLUMN credits.subscription.proration_behavior IS
'What becomes of the money where items change in mid-period: ''create_prorations'', ''always_invoice'' or
''none''.';
COMMENT ON COLUMN credits.subscription.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits.subscription.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits.subscription.payment_method_id IS 'What is charged for it; NULL for the customer''s default.';
COMMENT ON COLUMN credits.subscription.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits.subscription.cancel_at_period_end IS 'Whether that is the end of its period.';
COMMENT ON COLUMN credits.subscription.canceled_at IS
'When it was asked to end, or ended by itself; NULL where neither was.';
COMMENT ON COLUMN credits.subscription.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits.subscription.cancel_reason IS 'Why it ends, as the application says.';
COMMENT ON COLUMN credits.subscription.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits.subscription.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits.subscription.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits.subscription.coupon_id IS 'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits.subscription.promotion_code_id IS
'The code by which it was given; NULL where there was none.';
COMMENT ON COLUMN credits.subscription.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits.subscription.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits.subscription.description IS 'For people.';
COMMENT ON COLUMN credits.subscription.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscription.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.subscription.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscription.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.subscription.checkout_session_id IS 'The checkout session that it began in; NULL for none.';
COMMENT ON COLUMN credits.subscription.service_actions IS
'What the application wants done at events of it: an array of objects, each with the names of those; NULL for nothing.';
COMMENT ON COLUMN credits.subscription.at_period_end IS
'What becomes of credits that are owed as a period ends: ''carry'' (they stay owed), ''forgive'' or ''invoice''.';
COMMENT ON COLUMN credits.subscription.overage_rate IS
'What one of them costs on the invoice, in the currency of its prices; NULL for none.';
COMMENT ON COLUMN credits.subscription.overdraft_protection IS
'Whether a deposit of the customer pays invoices that the last retry could not.';
COMMENT ON COLUMN credits.subscription.provider IS 'Who bills it; NULL where pg_credits does.';
COMMENT ON COLUMN credits.subscription.provider_reference IS
'What that calls it; NULL while nobody said.';
COMMENT ON VIEW credits.subscriptions IS
'Subscriptions at this moment: those whose time is over have ended, whether or not maintain() ran since.';
COMMENT ON COLUMN credits.subscriptions.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.subscriptions.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscriptions.status IS
'''incomplete'' (its first invoice is not paid), ''incomplete_expired'' (it was not in 23 hours, or while its checkout
session was open), ''trialing'',
''active'', ''past_due'' (something is owed), ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits.subscriptions.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits.subscriptions.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits.subscriptions.items IS
'What it is for: an array of objects with subscription_item_id, price_id, quantity and metadata.';
COMMENT ON COLUMN credits.subscriptions."interval" IS
'The unit of a period: ''hour'', ''day'', ''week'', ''month'' or ''year''.';
COMMENT ON COLUMN credits.subscriptions.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits.subscriptions.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before, in UTC.';
COMMENT ON COLUMN credits.subscriptions.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits.subscriptions.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits.subscriptions.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits.subscriptions.current_period_end IS 'The first moment after it: of a trial its end.';
COMMENT ON COLUMN credits.subscriptions.proration_behavior IS
'What becomes of the money where items change in mid-period: ''create_prorations'', ''always_invoice'' or
''none''.';
COMMENT ON COLUMN credits.subscriptions.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits.subscriptions.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits.subscriptions.payment_method_id IS
'What is charged for it; NULL for the customer''s default.';
COMMENT ON COLUMN credits.subscriptions.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits.subscriptions.cancel_at_period_end IS 'Whether that is the end of its period.';
COMMENT ON COLUMN credits.subscriptions.canceled_at IS
'When it was asked to end, or ended by itself; NULL where neither was.';
COMMENT ON COLUMN credits.subscriptions.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits.subscriptions.cancel_reason IS 'Why it ends, as the application says.';
COMMENT ON COLUMN credits.subscriptions.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits.subscriptions.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits.subscriptions.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits.subscriptions.coupon_id IS 'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits.subscriptions.promotion_code_id IS
'The code by which it was given; NULL where there was none.';
COMMENT ON COLUMN credits.subscriptions.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits.subscriptions.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits.subscriptions.description IS 'For people.';
COMMENT ON COLUMN credits.subscriptions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.subscriptions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.subscriptions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.subscriptions.checkout_session_id IS 'The checkout session that it began in; NULL for none.';
COMMENT ON COLUMN credits.subscriptions.service_actions IS
'What the application wants done at events of it: an array of objects, each with the names of those; NULL for nothing.';
COMMENT ON COLUMN credits.subscriptions.at_period_end IS
'What becomes of credits that are owed as a period ends: ''carry'' (they stay owed), ''forgive'' or ''invoice''.';
COMMENT ON COLUMN credits.subscriptions.overage_rate IS
'What one of them costs on the invoice, in the currency of its prices; NULL for none.';
COMMENT ON COLUMN credits.subscriptions.overdraft_protection IS
'Whether a deposit of the customer pays invoices that the last retry could not.';
COMMENT ON COLUMN credits.subscriptions.provider IS 'Who bills it; NULL where pg_credits does.';
COMMENT ON COLUMN credits.subscriptions.provider_reference IS 'What that calls it; NULL while nobody said.';
COMMENT ON FUNCTION credits.subscription_create IS
'Begins a subscription: recurring prices, each period with its invoice, and the credits that come with it.

customer_id: the customer, who is created where missing.
items: an array of 1 to 20 objects, each with price_id or lookup_key, quantity (1 where left out; none where the price
  is metered) and metadata.
trial_period_days: the trial, in days; NULL or 0 for none.
trial_end: or when it ends; NULL for none.
trial_end_behavior: what its end brings where the customer has no payment method that can be charged: ''charge'' (an
  invoice all the same), ''cancel'' or ''pause''.
billing_cycle_anchor: a moment at which a period begins; NULL for the end of the trial, or now. What is left until
  then is charged in proportion.
collection_method: ''charge_automatically'': a worker is asked to charge the customer''s payment method;
  ''send_invoice'': the customer pays, until the due date; ''external'': a provider bills the plan, and its webhooks
  say when a period is paid.
days_until_due: how many days after an invoice is finalized it is due, where it is sent.
days_until_cancel: how many days after the first failure of a payment the subscription is canceled.
payment_method_id: what is charged; NULL for the customer''s default.
proration_behavior: what becomes of the money where items change in mid-period: ''create_prorations'' (on the next
  invoice), ''always_invoice'' (at once) or ''none''. With ''none'' the time until a later anchor is free.
promotion_code: what takes something off, by its code; NULL for nothing.
coupon_id: or by its coupon; NULL for nothing.
cancel_at_period_end: whether it ends with its first period, or its trial.
description: for people.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
at_period_end: what becomes of credits that are owed as a period ends, in the accounts of its plan credits: ''carry''
  (they stay owed), ''forgive'' (they are written off) or ''invoice'' (they are on the next invoice).
overage_rate: what one of them costs there, in the currency of the prices; needed for ''invoice''.
overdraft_protection: whether a deposit of the customer (invoice_create() with billing_reason ''deposit'' or
  ''overdraft_protection'') pays what the last retry could not.
provider: with ''external'', who bills it, as set by payment_provider_set().
provider_reference: what that calls its subscription; NULL where its metadata will say customer_id and
  subscription_id.

All prices are in one currency and of one interval. Without a trial the first invoice is given out at once; the
subscription is incomplete until that is paid, and over where it is not in 23 hours. Where it is sent, the
subscription is active at once. The credits of a period are granted when its invoice is paid. With ''external''
nothing is invoiced here: the subscription is incomplete until its provider says how it stands.

Where the prices are in a credit currency the wallet pays each invoice. With too little nothing begins (PC001); a
renewal waits, and the subscription is past due.

Raises PC001, PC002, PC007, PC013, PC015, PC016, PC019, PC020, PC021.
Example: SELECT status, current_period_end FROM credits.subscription_create(''ben'',
  ''[{"lookup_key": "pro_monthly", "quantity": 2}]'');';
COMMENT ON FUNCTION credits.subscription_cancel IS
'Ends a subscription: at once, at the end of its period, or at a moment.

customer_id: the customer.
subscription_id: the subscription.
at: ''now'', ''period_end'', or a moment to come as a text, with its offset from UTC.
refund: with ''now'', the money that goes back: ''none'', ''proration'' (what was paid for the time that is left) or
  ''last'' (all that is left of the last payment). Credits that a wallet paid do not.
reason: why, as the application says.
feedback: what the customer chose as the reason.
comment: what the customer wrote.

As it ends, what is still to be charged for changes is invoiced, and its other open invoices are void: money that
comes later is asked back. Where invoices are sent, those for time before stay owed. Credits that were to begin
later are not granted. What has begun stays, and so do credits that were bought apart. subscription_recover() takes
it back until then. One that a provider bills is canceled there; with ''now'' it is ended here alone.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT status, cancel_at_period_end FROM credits.subscription_cancel(''ben'', (SELECT subscription_id
  FROM credits.subscriptions WHERE customer_id = ''ben'' LIMIT 1));';
COMMENT ON FUNCTION credits.subscription_recover IS
'Takes a cancellation back that has not become effective, as if nothing had happened.

customer_id: the customer.
subscription_id: the subscription.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT cancel_at FROM credits.subscription_recover(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1));';
COMMENT ON FUNCTION credits.subscription_update IS
'Changes a subscription: what it is for, and how it is collected. NULL leaves a thing as it is.

customer_id: the customer.
subscription_id: the subscription.
items: an array of objects. One with subscription_item_id changes that item: price_id or lookup_key, quantity, metadata,
  or deleted (true). One without adds an item. Items that are not named stay.
proration_behavior: what becomes of the money: ''create_prorations'' (on the next invoice), ''always_invoice'' (on one
  of its own, at once) or ''none''; NULL for what the subscription says.
credits: what becomes of credits that have begun: ''prorate'' (the share of the time that is left goes, at most what is
  unspent, and that of the new comes) or ''keep'' (they stay until the next instalment).
collection_method: ''charge_automatically'' or ''send_invoice''.
days_until_due: how many days after an invoice is finalized it is due, where it is sent.
days_until_cancel: how many days after the first failure of a payment the subscription is canceled.
payment_method_id: what is charged.
description: for people.
metadata: the application''s own data.
at_period_end: what becomes of credits that are owed as a period ends: ''carry'', ''forgive'' or ''invoice''.
overage_rate: what one of them costs on the invoice.
overdraft_protection: whether a deposit of the customer pays what the last retry could not.

In mid-period what was paid and is not used is given back, and what is left of the new is charged, by the second.
Where the old is not paid yet it is lowered instead, except for credits of it that are spent. Instalments that have
not begun are replaced by those of the new price: with ''create_prorations'' at once, with ''always_invoice'' once
they are paid. With ''none'', and in a trial, the items change and nothing else does until the next period.
subscription_preview() says what it would bring. What is invoiced at once and costs credits has to be in the wallet, or
nothing changes (PC001).

Prices of another interval begin a new period now, from which periods are counted; all items have to move together.
All of it is invoiced at once, with what is pending, less what is not used of the old period; with ''none'' nothing of
the old is given back. What has not begun of the old credits ends, and those of the new period begin.

Raises PC001, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
Example: SELECT status FROM credits.subscription_update(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1), days_until_cancel => 14);';
COMMENT ON TYPE credits.subscription_preview IS 'What an update of items would bring.';
COMMENT ON COLUMN credits.subscription_preview.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.subscription_preview.proration_behavior IS
'What becomes of the money: ''create_prorations'', ''always_invoice'' or ''none''.';
COMMENT ON COLUMN credits.subscription_preview.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.subscription_preview.subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.subscription_preview.discount IS 'What is taken off.';
COMMENT ON COLUMN credits.subscription_preview.tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.subscription_preview.total IS 'What they come to; below zero where more is given back.';
COMMENT ON COLUMN credits.subscription_preview.lines IS
'The lines: an array of objects with description, price_id, quantity, amount, discount and tax.';
COMMENT ON COLUMN credits.subscription_preview.credits IS
'The credits: an array of objects with currency, granted (once it is paid) and taken (at most what is unspent).';
COMMENT ON COLUMN credits.subscription_preview.lowered IS
'Lines that are not paid yet and become less: an array of objects with invoice_line_id, and amount and discount by which
they do.';
COMMENT ON FUNCTION credits.subscription_preview IS
'Says what subscription_update() would bring with the same arguments at the same moment, and changes no item.

customer_id: the customer.
subscription_id: the subscription.
items: as there.
proration_behavior: as there.
credits: as there.

What is due of the subscription by time is done first, as in each call.

Raises PC003, PC007, PC013, PC015, PC019, PC020.
Example: SELECT total, lines FROM credits.subscription_preview(''ben'', (SELECT subscription_id
  FROM credits.subscriptions WHERE customer_id = ''ben'' LIMIT 1), (SELECT jsonb_build_array(jsonb_build_object(
  ''subscription_item_id'', subscription_item_id, ''quantity'', 2))
  FROM credits.subscription_items WHERE customer_id = ''ben'' LIMIT 1));';
COMMENT ON VIEW credits.my_subscriptions IS 'The subscriptions of credits.current_customer, at this moment.';
COMMENT ON COLUMN credits.my_subscriptions.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.my_subscriptions.status IS
'''incomplete'' (its first invoice is not paid), ''incomplete_expired'' (it was not in 23 hours, or while its checkout
session was open), ''trialing'',
''active'', ''past_due'' (something is owed), ''paused'' or ''canceled''.';
COMMENT ON COLUMN credits.my_subscriptions.currency IS 'The currency of its prices.';
COMMENT ON COLUMN credits.my_subscriptions.collection_method IS
'''charge_automatically'', ''send_invoice'' or ''external'': a provider bills it.';
COMMENT ON COLUMN credits.my_subscriptions.items IS
'What it is for: an array of objects with subscription_item_id, price_id, quantity and metadata.';
COMMENT ON COLUMN credits.my_subscriptions."interval" IS
'The unit of a period: ''hour'', ''day'', ''week'', ''month'' or ''year''.';
COMMENT ON COLUMN credits.my_subscriptions.interval_count IS 'So many of them are a period.';
COMMENT ON COLUMN credits.my_subscriptions.billing_cycle_anchor IS
'From when its periods are counted: each begins so many intervals after it, or before, in UTC.';
COMMENT ON COLUMN credits.my_subscriptions.trial_end IS 'When its trial ends, or ended; NULL for none.';
COMMENT ON COLUMN credits.my_subscriptions.trial_end_behavior IS
'What the end of the trial brings where nothing can be charged: ''charge'', ''cancel'' or ''pause''.';
COMMENT ON COLUMN credits.my_subscriptions.current_period_start IS 'When its period began.';
COMMENT ON COLUMN credits.my_subscriptions.current_period_end IS 'The first moment after it: of a trial its end.';
COMMENT ON COLUMN credits.my_subscriptions.proration_behavior IS
'What becomes of the money where items change in mid-period: ''create_prorations'', ''always_invoice'' or
''none''.';
COMMENT ON COLUMN credits.my_subscriptions.days_until_due IS
'How many days after they are finalized its invoices are due, where they are sent.';
COMMENT ON COLUMN credits.my_subscriptions.days_until_cancel IS
'How many days after the first failure of a payment it is canceled.';
COMMENT ON COLUMN credits.my_subscriptions.cancel_at IS 'When it is to end; NULL for never.';
COMMENT ON COLUMN credits.my_subscriptions.cancel_at_period_end IS 'Whether that is the end of its period.';
COMMENT ON COLUMN credits.my_subscriptions.canceled_at IS
'When it was asked to end, or ended by itself; NULL where neither was.';
COMMENT ON COLUMN credits.my_subscriptions.ended_at IS 'When it ended; NULL until then.';
COMMENT ON COLUMN credits.my_subscriptions.paused_at IS 'Since when it is paused; NULL where it is not.';
COMMENT ON COLUMN credits.my_subscriptions.resumes_at IS 'When it goes on by itself; NULL for never.';
COMMENT ON COLUMN credits.my_subscriptions.past_due_at IS
'When a payment first failed of what is still owed; NULL where nothing is.';
COMMENT ON COLUMN credits.my_subscriptions.coupon_id IS 'What takes something off its invoices; NULL for nothing.';
COMMENT ON COLUMN credits.my_subscriptions.promotion_code_id IS
'The code by which it was given; NULL where there was none.';
COMMENT ON COLUMN credits.my_subscriptions.discount_end IS
'It takes nothing off periods that begin then or later; NULL for no end.';
COMMENT ON COLUMN credits.my_subscriptions.latest_invoice_id IS 'Its last invoice; NULL for none yet.';
COMMENT ON COLUMN credits.my_subscriptions.description IS 'For people.';
COMMENT ON COLUMN credits.my_subscriptions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.my_subscriptions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.my_subscriptions.provider IS 'Who bills it; NULL where pg_credits does.';
COMMENT ON COLUMN credits.my_subscriptions.provider_reference IS 'What that calls it; NULL while nobody said.';
COMMENT ON FUNCTION credits.subscription_delete IS
'Deletes a subscription that was never used: without any invoice, open or void, a discount, or a checkout session.

customer_id: the customer.
subscription_id: the subscription.

That is one whose trial goes on, or ended without a first period. Any other is ended by subscription_cancel() and stays:
what has a number, or was paid, does not vanish. Returns it as it was.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.subscription_delete(''cleo'', (SELECT subscription_id
  FROM credits.subscription_create(''cleo'', ''[{"lookup_key": "pro_monthly"}]'', trial_period_days => 14)));';
COMMENT ON TYPE credits.usage_record IS
'A record of usage, as usage_record_create() returns it. The view usage_records has all of them.';
COMMENT ON COLUMN credits.usage_record.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_record.usage_record_id IS 'The record.';
COMMENT ON COLUMN credits.usage_record.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.usage_record.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.usage_record.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.usage_record.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits.usage_record.quantity IS 'How many.';
COMMENT ON COLUMN credits.usage_record."timestamp" IS 'The moment that it is for.';
COMMENT ON COLUMN credits.usage_record.total_usage IS 'What the usage of its period adds up to at this moment.';
COMMENT ON COLUMN credits.usage_record.created_at IS 'When it was recorded.';
COMMENT ON COLUMN credits.usage_record.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON VIEW credits.usage_records IS 'What was recorded of metered items of subscriptions, one row each.';
COMMENT ON COLUMN credits.usage_records.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_records.usage_record_id IS 'The record.';
COMMENT ON COLUMN credits.usage_records.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.usage_records.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.usage_records.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.usage_records.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits.usage_records.quantity IS 'How many.';
COMMENT ON COLUMN credits.usage_records."timestamp" IS 'The moment that it is for.';
COMMENT ON COLUMN credits.usage_records.created_at IS 'When it was recorded.';
COMMENT ON VIEW credits.my_usage_records IS 'What was recorded of metered items of credits.current_customer.';
COMMENT ON COLUMN credits.my_usage_records.usage_record_id IS 'The record.';
COMMENT ON COLUMN credits.my_usage_records.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.my_usage_records.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.my_usage_records.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.my_usage_records.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits.my_usage_records.quantity IS 'How many.';
COMMENT ON COLUMN credits.my_usage_records."timestamp" IS 'The moment that it is for.';
COMMENT ON COLUMN credits.my_usage_records.created_at IS 'When it was recorded.';
COMMENT ON VIEW credits_internal.usage_so_far IS
'What was used of metered items in each period by now. For the views usage_record_summaries and
my_usage_record_summaries.';
COMMENT ON VIEW credits.usage_record_summaries IS
'What was used of metered items in each period, and what of that is invoiced. An item whose price changed in
mid-period has a row for each price.';
COMMENT ON COLUMN credits.usage_record_summaries.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.usage_record_summaries.usage_record_summary_id IS 'The summary.';
COMMENT ON COLUMN credits.usage_record_summaries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.usage_record_summaries.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.usage_record_summaries.price_id IS 'The price.';
COMMENT ON COLUMN credits.usage_record_summaries.aggregate_usage IS
'How records add up: ''sum'', ''max'', ''last_during_period'' or ''last_ever''.';
COMMENT ON COLUMN credits.usage_record_summaries.period_start IS
'When the period began, or the part of it at this price.';
COMMENT ON COLUMN credits.usage_record_summaries.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits.usage_record_summaries.records IS 'How many records it has, or events of its meter.';
COMMENT ON COLUMN credits.usage_record_summaries.total_usage IS 'What they add up to.';
COMMENT ON COLUMN credits.usage_record_summaries.invoiced_usage IS 'What of that is invoiced; NULL for nothing yet.';
COMMENT ON COLUMN credits.usage_record_summaries.invoiced_amount IS
'What was invoiced for it, before discounts and tax.';
COMMENT ON COLUMN credits.usage_record_summaries.invoice_id IS 'The last invoice that it went on; NULL for none.';
COMMENT ON COLUMN credits.usage_record_summaries.closes_at IS
'When what is not invoiced yet will be; NULL where nothing is to be.';
COMMENT ON COLUMN credits.usage_record_summaries.event_name IS
'The meter whose events say what is used; NULL where it is recorded.';
COMMENT ON VIEW credits.my_usage_record_summaries IS
'What credits.current_customer used of metered items in each period, and what of that is invoiced.';
COMMENT ON COLUMN credits.my_usage_record_summaries.usage_record_summary_id IS 'The summary.';
COMMENT ON COLUMN credits.my_usage_record_summaries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits.my_usage_record_summaries.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.my_usage_record_summaries.price_id IS 'The price.';
COMMENT ON COLUMN credits.my_usage_record_summaries.aggregate_usage IS
'How records add up: ''sum'', ''max'', ''last_during_period'' or ''last_ever''.';
COMMENT ON COLUMN credits.my_usage_record_summaries.period_start IS
'When the period began, or the part of it at this price.';
COMMENT ON COLUMN credits.my_usage_record_summaries.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits.my_usage_record_summaries.records IS 'How many records it has, or events of its meter.';
COMMENT ON COLUMN credits.my_usage_record_summaries.total_usage IS 'What they add up to.';
COMMENT ON COLUMN credits.my_usage_record_summaries.invoiced_usage IS
'What of that is invoiced; NULL for nothing yet.';
COMMENT ON COLUMN credits.my_usage_record_summaries.invoiced_amount IS
'What was invoiced for it, before discounts and tax.';
COMMENT ON COLUMN credits.my_usage_record_summaries.invoice_id IS 'The last invoice that it went on; NULL for none.';
COMMENT ON COLUMN credits.my_usage_record_summaries.closes_at IS
'When what is not invoiced yet will be; NULL where nothing is to be.';
COMMENT ON COLUMN credits.my_usage_record_summaries.event_name IS
'The meter whose events say what is used; NULL where it is recorded.';
COMMENT ON FUNCTION credits.usage_record_create IS
'Records usage of a metered item of a subscription, which is invoiced after its period.

customer_id: the customer.
subscription_item_id: the item, whose price is metered and has no meter.
quantity: how many; zero or more.
action: ''increment'' (it adds to what was recorded for the same moment) or ''set'' (it replaces that).
timestamp: the moment that it is for, in quotation marks where it is named; NULL for now.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.

The usage of a period is on the invoice that is made credits.usage_grace after its end. What is recorded later is on
the next one, once. After the end of the subscription it is recorded until its last usage is invoiced.

Raises PC002, PC003, PC007, PC013, PC019, PC020.
Example: SELECT total_usage FROM credits.usage_record_create(''ben'', (SELECT i.subscription_item_id
  FROM credits.subscription_items i WHERE i.customer_id = ''ben'' AND i.quantity IS NULL LIMIT 1), 250);';
COMMENT ON FUNCTION credits.subscription_pause IS
'Pauses a subscription that is active: no invoices meanwhile, and no credits that were still to begin.

customer_id: the customer.
subscription_id: the subscription.
resumes_at: when it goes on by itself; NULL for never.

What has begun of its credits stays.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT status FROM credits.subscription_pause(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1));';
COMMENT ON FUNCTION credits.subscription_resume IS
'Goes on with a subscription that is paused.

customer_id: the customer.
subscription_id: the subscription.

Within its period the credits that are still to begin come back. After that a new period begins now, from which periods
are counted.

Raises PC003, PC007, PC013, PC019, PC020.
Example: SELECT status FROM credits.subscription_resume(''ben'', (SELECT subscription_id FROM credits.subscriptions
  WHERE customer_id = ''ben'' LIMIT 1));';
COMMENT ON VIEW credits.invoiced_events IS
'Events of meters whose settlement is ''invoice'', one row each, and which period of a subscription took it.

Those that no period has taken wait for the closing of one, or happened when no subscription of their customer had the
meter: then none ever takes them. What was canceled is not here.';
COMMENT ON COLUMN credits.invoiced_events.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.invoiced_events.identifier IS
'The reporter''s own key of the event, unique per customer.';
COMMENT ON COLUMN credits.invoiced_events.event_name IS 'The meter.';
COMMENT ON COLUMN credits.invoiced_events.quantity IS
'What it counts as: its value, or one where the meter counts events or different values.';
COMMENT ON COLUMN credits.invoiced_events.occurred_at IS 'When the usage happened, as the reporter says.';
COMMENT ON COLUMN credits.invoiced_events.created_at IS 'When it was reported.';
COMMENT ON COLUMN credits.invoiced_events.subscription_id IS 'The subscription that took it; NULL for none yet.';
COMMENT ON COLUMN credits.invoiced_events.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits.invoiced_events.usage_record_summary_id IS
'The period that it counts in: of the view usage_record_summaries.';
COMMENT ON COLUMN credits.invoiced_events.closed_at IS 'When that took it.';
COMMENT ON COLUMN credits.invoiced_events.invoice_id IS
'The invoice that it is on; NULL where nothing was charged, as in a trial.';
COMMENT ON COLUMN credits.top_up.redirect_url IS
'Where to send the customer: the same as checkout_url, as wallet services call it.';
COMMENT ON COLUMN credits.top_up.created_at IS 'When it was created.';
COMMENT ON FUNCTION credits.top_up_create IS
'Begins a purchase of credits and returns where to pay for it.

customer_id: the customer, who is created where missing.
price_id: the price; NULL to buy by amount.
amount: how much to pay, in major units; NULL to buy by price_id.
currency: the currency that is paid.
quantity: how many units of the price.
credit_currency: the currency of the credits; NULL for currency itself, one for one.
rate: the price of one credit; NULL for the exchange rate of this moment.
return_url: where the customer goes once it is paid.
failure_url: where the customer goes when it is not.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
provider: who takes the payment; NULL for the only one that is set.
expires_in: how long it waits to be paid; a later payment is granted all the same.
description: for people.
metadata: the application''s own data.

It grants nothing before payment_succeeded(). Either price_id and quantity say what is bought, or amount and currency:
then credits are amount / rate, rounded down.

return_url and failure_url are http or https addresses of at most 2,048 visible ASCII characters, without user name,
backslash, quotation mark, < and >. All else is percent-encoded, and a host in other letters written as xn--.

checkout_url is the provider''s template or the recharge configuration''s, with {top_up_id}, {customer_id},
{invoice_id}, {amount}, {minor_units}, {currency}, {credits}, {return_url} and {failure_url} filled in; NULL where there
is neither.

PC007 is also an amount outside of what the currencies allow, and credits that the account has no room for: all that
it was ever granted has at most 28 digits.

Raises PC002, PC007, PC008, PC013, PC015.
Example: SELECT top_up_id, checkout_url FROM credits.top_up_create(''ann'', (SELECT price_id FROM credits.packages));';
COMMENT ON VIEW credits.top_ups IS
'Top-ups at this moment, one row per purchase. Each is the payment intent of an invoice with one line.

That of an auto-recharge is here from when its worker began with it (recharge_begin) or its payment was reported.

Each of its payments is in the view top_up_payments, everything that was reported of them in payment_log.';
COMMENT ON COLUMN credits.top_ups.invoice_id IS 'Its invoice: a draft until it is paid.';
COMMENT ON COLUMN credits.top_ups.payment_status IS
'How far its payment intent has come: ''requires_payment_method'', ''requires_action'', ''processing'', ''succeeded'' or
''canceled''.';
COMMENT ON VIEW credits.top_up_payments IS
'Payments of top-ups and of other payment intents, each with its refunds and disputes.

A refund or dispute that names no payment counts for the latest with money left.';
COMMENT ON COLUMN credits.top_up_payments.top_up_id IS 'The payment intent: a top-up''s id is its payment intent''s.';
COMMENT ON TYPE credits.checkout_session IS
'A checkout session, as functions return it. The view checkout_sessions has all of them.';
COMMENT ON COLUMN credits.checkout_session.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.checkout_session.checkout_session_id IS
'The checkout session. Its payment intent has the same id.';
COMMENT ON COLUMN credits.checkout_session.mode IS '''payment'', or ''subscription'' where it begins one.';
COMMENT ON COLUMN credits.checkout_session.status IS
'''open'', ''complete'' (paid, or nothing was to be paid) or ''expired''.';
COMMENT ON COLUMN credits.checkout_session.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits.checkout_session.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.checkout_session.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.checkout_session.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits.checkout_session.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.checkout_session.amount_total IS 'What is to be paid, or was.';
COMMENT ON COLUMN credits.checkout_session.line_items IS
'What is in the cart: per item price_id, quantity and what else was given, with its name, amount, amount_discount and
amount_tax, and credits of credit_currency where its payment grants some.';
COMMENT ON COLUMN credits.checkout_session.url IS
'Where the customer finds it: credits.checkout_url with a signed token, else checkout_url; NULL where neither is
there.';
COMMENT ON COLUMN credits.checkout_session.success_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits.checkout_session.cancel_url IS 'Where the customer goes to leave it.';
COMMENT ON COLUMN credits.checkout_session.client_reference_id IS 'What the application calls it.';
COMMENT ON COLUMN credits.checkout_session.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits.checkout_session.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.checkout_session.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.checkout_session.payment_link_id IS 'The payment link that opened it; NULL for none.';
COMMENT ON COLUMN credits.checkout_session.invoice_id IS
'Its invoice, a draft until it is paid; NULL until it is submitted, and where a trial is all there is.';
COMMENT ON COLUMN credits.checkout_session.payment_intent_id IS
'What is to pay it, or paid it; NULL until it is submitted, and where no provider''s money is needed.';
COMMENT ON COLUMN credits.checkout_session.checkout_url IS
'Where the provider takes the payment: its template; NULL until it is submitted, and where there is none.';
COMMENT ON COLUMN credits.checkout_session.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.checkout_session.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.checkout_session.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.checkout_session.expires_at IS
'When it ends unless it is complete by then, or its payment under way.';
COMMENT ON COLUMN credits.checkout_session.submitted_at IS 'When it was first submitted; NULL until then.';
COMMENT ON COLUMN credits.checkout_session.completed_at IS
'When it was paid, or there was nothing to pay; NULL until then.';
COMMENT ON COLUMN credits.checkout_session.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.checkout_session.discounts IS
'What takes something off: an array of at most one object with coupon_id, promotion_code_id, code and amount; NULL for
nothing.';
COMMENT ON COLUMN credits.checkout_session.subscription_id IS
'The subscription that it began; NULL until it is submitted, and where it begins none.';
COMMENT ON COLUMN credits.checkout_session.subscription_data IS
'What was said of the subscription that it begins; NULL where it begins none.';
COMMENT ON FUNCTION credits.checkout_session_create IS
'Begins a checkout: a cart of prices that are paid once, or of a subscription, and what it comes to.

customer_id: the customer, who is created where missing.
mode: ''payment''; or ''subscription'', where line_items have recurring prices of one interval, with prices that are
  paid once besides or without.
line_items: an array of 1 to 100 objects, one per price; required.
currency: the currency of the amounts; NULL for that of the first price. All prices must be in it.
discounts: an array of at most one object with coupon, promotion_code (their ids) or code, and, where that is attested,
  verification_method and verification_data; NULL for none.
allow_promotion_codes: whether the customer may enter a code: checkout_session_apply_promotion_code().
success_url: where the customer goes once it is paid.
cancel_url: where the customer goes to leave it.
client_reference_id: what the application calls it.
expires_at: when it ends unless it is complete by then; NULL for a day from now.
tax_rate: in percent, of lines that have none of their own; NULL for the customer''s, or none.
collection_method: ''charge_automatically'': where the customer has a default payment method, a worker is asked to
  charge it when the session is submitted; ''send_invoice'': nobody is asked, and the customer pays.
provider: who takes the payment; NULL for the only one that is set.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none.
subscription_data: of the mode ''subscription'': an object with trial_period_days or trial_end, trial_end_behavior,
  billing_cycle_anchor, days_until_due, days_until_cancel, proration_behavior, cancel_at_period_end, description and
  metadata, as subscription_create() takes them; times are texts with their offset. And service_actions, an array of
  objects, each with trigger_events, names of events of subscriptions: those events have it in their data.

An item has price_id or lookup_key, and quantity (1 where left out). It may have adjustable_quantity, an object with
minimum and maximum between which the customer may change the quantity; custom_amount, what it costs in all instead of
what the price says; description, tax_rate, tax_behavior and metadata, as lines of invoice_create(). Of a recurring
price it has only quantity, adjustable_quantity and metadata.

A subscription begins when the session is submitted. Its amounts are those of the first invoice: of a whole period, or
of what is left of one before billing_cycle_anchor; of a trial nothing. Its discount is the subscription''s, and goes on
as long as the coupon says.

url opens the checkout page credits.checkout_url with a token that says which session of whom it is:
checkout_session_verify() reads it. What is in the cart can be changed with checkout_session_update() until
checkout_session_submit() makes an invoice and a payment intent of it. Its amounts are fixed: the prices in a cart count
as used. A discount is judged now and again when the session is submitted, which reserves it.

Raises PC002, PC007, PC008, PC013, PC015, PC016, PC018, PC019.
Example: SELECT status, amount_total FROM credits.checkout_session_create(''ben'', line_items => jsonb_build_array(
  jsonb_build_object(''price_id'', (SELECT price_id FROM credits.prices LIMIT 1), ''quantity'', 2)));';
COMMENT ON FUNCTION credits.checkout_session_verify IS
'Returns the checkout session that a token opens, as it is now.

token: the token of its url.

PC012 is a token that was changed, or was not made in this database with its present key: checkout_session_update()
signs a new url.

Raises PC012, PC013, PC019.
Example: SELECT v.customer_id, v.status FROM credits.checkout_sessions s,
  credits.checkout_session_verify(split_part(s.url, ''token='', 2)) v WHERE s.client_reference_id = ''new session'';';
COMMENT ON FUNCTION credits.checkout_session_update IS
'Changes a checkout session. NULL leaves a thing as it is.

customer_id: the customer.
checkout_session_id: the checkout session.
line_items: replaces what is in the cart.
quantities: an object of how many, by price_id or lookup_key, as the customer chose them: only of items with an
  adjustable_quantity, and between its minimum and maximum.
allow_promotion_codes: whether the customer may enter a code.
success_url: where the customer goes once it is paid.
cancel_url: where the customer goes to leave it.
client_reference_id: what the application calls it.
expires_at: when it ends.
tax_rate: in percent, of lines that have none of their own: once the customer''s address is known, for one.
collection_method: ''charge_automatically'' or ''send_invoice''.
metadata: the application''s own data.
subscription_data: replaces what was said of the subscription that it begins.

Once it is submitted, or over, only client_reference_id and metadata can change; all else is PC020. The url of one that
is open is signed anew. A discount stays, and is worked out anew; PC016 where what is in the cart rules it out now.

Raises PC003, PC007, PC008, PC013, PC015, PC016, PC019, PC020.
Example: SELECT amount_total FROM credits.checkout_session_update(''ben'', (SELECT checkout_session_id
  FROM credits.checkout_sessions WHERE client_reference_id = ''new session''), tax_rate => 19);';
COMMENT ON FUNCTION credits.checkout_session_apply_promotion_code IS
'Takes a promotion code off a checkout session, in place of the discount that it has.

customer_id: the customer.
checkout_session_id: the checkout session, which must have allow_promotion_codes.
promotion_code: what the customer typed in.
verification_method: where the code is attested: how the application knows.
verification_data: and what, as an object.

PC016 says why a code is not good for it. The code is judged again, and reserved, when the session is submitted: until
then others may use the last of it.

Raises PC003, PC013, PC016, PC019, PC020.
Example: SELECT amount_discount, amount_total FROM credits.checkout_session_apply_promotion_code(''ben'', (SELECT
  checkout_session_id FROM credits.checkout_sessions WHERE client_reference_id = ''new session''), ''SPRING'');';
COMMENT ON FUNCTION credits.checkout_session_remove_promotion_code IS
'Removes the discount of a checkout session.

customer_id: the customer.
checkout_session_id: the checkout session.

A session without one is returned with replayed = true.

Raises PC003, PC013, PC019, PC020.
Example: SELECT amount_discount, amount_total FROM credits.checkout_session_remove_promotion_code(''ben'',
  (SELECT checkout_session_id FROM credits.checkout_sessions WHERE client_reference_id = ''new session''));';
COMMENT ON FUNCTION credits.checkout_session_submit IS
'Submits a checkout session: what is in the cart becomes an invoice, as a draft, with a payment intent.

customer_id: the customer.
checkout_session_id: the checkout session.

Units of prices that have a quantity_available are reserved until it ends, and stay so while a payment is under way.
The customer pays at checkout_url, or the worker that charges is asked for it with an outbox row ''payment.requested''.
The payment, which names the session''s id as its payment_intent_id or checkout_session_id, completes it: the invoice
is given out, and what its lines are for is granted. Where nothing is to be paid, or the price is in credits, which the
wallet pays, it is complete at once.

A discount is judged anew and reserved likewise.

Of the mode ''subscription'' the subscription begins, incomplete until the first invoice is paid. It ends with the
session; the session ends at the latest with the first period. Where a trial is all there is, both go on at once.

A repeat returns it with replayed = true; after a payment that failed it judges and reserves again, and asks again.
PC020 is one that has expired, PC016 a discount that is no longer good for it, PC017 a price of which too few are left,
PC018 a customer with invoices that are overdue.

Raises PC001, PC003, PC007, PC008, PC013, PC015, PC016, PC017, PC018, PC019, PC020, PC021.
Example: SELECT status, payment_status FROM credits.checkout_session_submit(''ben'', (SELECT checkout_session_id
  FROM credits.checkout_sessions WHERE client_reference_id = ''new session''));';
COMMENT ON FUNCTION credits.checkout_session_expire IS
'Ends a checkout session that is not paid. What was reserved for it is for sale again, and its subscription has expired.

customer_id: the customer.
checkout_session_id: the checkout session.

maintain() does the same once expires_at has passed; readers see it expired from that moment on. A payment that comes
later completes it all the same, unless what it is for is gone, as a subscription is: then the money is asked back.

A repeat is returned with replayed = true. PC020 is one that is complete, or whose payment is under way.

Raises PC003, PC013, PC019, PC020.
Example: SELECT status FROM credits.checkout_session_expire(''ben'', (SELECT checkout_session_id
  FROM credits.checkout_sessions WHERE client_reference_id = ''new session''));';
COMMENT ON VIEW credits.checkout_sessions IS
'Checkout sessions at this moment: those whose time is over are expired, whether or not maintain() ran since.';
COMMENT ON COLUMN credits.checkout_sessions.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.checkout_sessions.checkout_session_id IS
'The checkout session. Its payment intent has the same id.';
COMMENT ON COLUMN credits.checkout_sessions.mode IS '''payment'', or ''subscription'' where it begins one.';
COMMENT ON COLUMN credits.checkout_sessions.status IS
'''open'', ''complete'' (paid, or nothing was to be paid) or ''expired''.';
COMMENT ON COLUMN credits.checkout_sessions.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits.checkout_sessions.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.checkout_sessions.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.checkout_sessions.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits.checkout_sessions.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.checkout_sessions.amount_total IS 'What is to be paid, or was.';
COMMENT ON COLUMN credits.checkout_sessions.line_items IS
'What is in the cart: per item price_id, quantity and what else was given, with its name, amount, amount_discount and
amount_tax, and credits of credit_currency where its payment grants some.';
COMMENT ON COLUMN credits.checkout_sessions.url IS
'Where the customer finds it: credits.checkout_url with a signed token, else checkout_url; NULL where neither is
there.';
COMMENT ON COLUMN credits.checkout_sessions.success_url IS 'Where the customer goes once it is paid.';
COMMENT ON COLUMN credits.checkout_sessions.cancel_url IS 'Where the customer goes to leave it.';
COMMENT ON COLUMN credits.checkout_sessions.client_reference_id IS 'What the application calls it.';
COMMENT ON COLUMN credits.checkout_sessions.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits.checkout_sessions.tax_rate IS
'In percent: of lines that have none of their own; NULL for no tax.';
COMMENT ON COLUMN credits.checkout_sessions.collection_method IS '''charge_automatically'' or ''send_invoice''.';
COMMENT ON COLUMN credits.checkout_sessions.payment_link_id IS 'The payment link that opened it; NULL for none.';
COMMENT ON COLUMN credits.checkout_sessions.invoice_id IS
'Its invoice, a draft until it is paid; NULL until it is submitted.';
COMMENT ON COLUMN credits.checkout_sessions.payment_intent_id IS
'What is to pay it, or paid it; NULL until it is submitted, and where no provider''s money is needed.';
COMMENT ON COLUMN credits.checkout_sessions.checkout_url IS
'Where the provider takes the payment: its template; NULL until it is submitted, and where there is none.';
COMMENT ON COLUMN credits.checkout_sessions.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.checkout_sessions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.checkout_sessions.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.checkout_sessions.expires_at IS
'When it ends unless it is complete by then, or its payment under way.';
COMMENT ON COLUMN credits.checkout_sessions.submitted_at IS 'When it was first submitted; NULL until then.';
COMMENT ON COLUMN credits.checkout_sessions.completed_at IS
'When it was paid, or there was nothing to pay; NULL until then.';
COMMENT ON COLUMN credits.checkout_sessions.expired_at IS
'When that was written down; NULL where it is not expired, or only by its time so far.';
COMMENT ON COLUMN credits.checkout_sessions.coupon_id IS 'The coupon that takes something off; NULL for none.';
COMMENT ON COLUMN credits.checkout_sessions.promotion_code_id IS 'The promotion code by which it does; NULL for none.';
COMMENT ON COLUMN credits.checkout_sessions.discounts IS
'What takes something off: an array of at most one object with coupon_id, promotion_code_id, code and amount; NULL for
nothing.';
COMMENT ON COLUMN credits.checkout_sessions.subscription_id IS
'The subscription that it began; NULL until it is submitted, and where it begins none.';
COMMENT ON COLUMN credits.checkout_sessions.subscription_data IS
'What was said of the subscription that it begins; NULL where it begins none.';
COMMENT ON VIEW credits.my_checkout_sessions IS
'The checkout sessions of credits.current_customer, at this moment.

They show what is in the cart, with what the application stored with each item.';
COMMENT ON COLUMN credits.my_checkout_sessions.checkout_session_id IS
'The checkout session. Its payment intent has the same id.';
COMMENT ON COLUMN credits.my_checkout_sessions.status IS
'''open'', ''complete'' (paid, or nothing was to be paid) or ''expired''.';
COMMENT ON COLUMN credits.my_checkout_sessions.payment_status IS
'''unpaid'', ''paid'', or ''no_payment_required'' where there was nothing to pay.';
COMMENT ON COLUMN credits.my_checkout_sessions.currency IS 'The currency of the amounts: money, or credits.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_subtotal IS 'The sum of the lines.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_discount IS 'What is taken off.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_tax IS 'All tax, in the lines or on top.';
COMMENT ON COLUMN credits.my_checkout_sessions.amount_total IS 'What is to be paid, or was.';
COMMENT ON COLUMN credits.my_checkout_sessions.line_items IS
'What is in the cart: per item price_id, quantity and what else was given, with its name, amount, amount_discount and
amount_tax, and credits of credit_currency where its payment grants some.';
COMMENT ON COLUMN credits.my_checkout_sessions.url IS
'Where the customer finds it: credits.checkout_url with a signed token, else checkout_url; NULL where neither is
there.';
COMMENT ON COLUMN credits.my_checkout_sessions.allow_promotion_codes IS 'Whether the customer may enter a code.';
COMMENT ON COLUMN credits.my_checkout_sessions.invoice_id IS
'Its invoice, a draft until it is paid; NULL until it is submitted.';
COMMENT ON COLUMN credits.my_checkout_sessions.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.my_checkout_sessions.expires_at IS
'When it ends unless it is complete by then, or its payment under way.';
COMMENT ON COLUMN credits.my_checkout_sessions.completed_at IS
'When it was paid, or there was nothing to pay; NULL until then.';
COMMENT ON COLUMN credits.my_checkout_sessions.subscription_id IS
'The subscription that it began; NULL until it is submitted, and where it begins none.';
COMMENT ON FUNCTION credits_internal.payment_link_url IS
'Returns where a payment link is opened: credits.checkout_url with its id; NULL where that is not set.';
COMMENT ON TYPE credits.payment_link IS
'A payment link, as functions return it. The view payment_links has all of them.';
COMMENT ON COLUMN credits.payment_link.payment_link_id IS 'The payment link.';
COMMENT ON COLUMN credits.payment_link.name IS 'What people call it.';
COMMENT ON COLUMN credits.payment_link.active IS 'Whether it can be opened: it is not archived.';
COMMENT ON COLUMN credits.payment_link.line_items IS
'What is sold: an array of objects, as checkout_session_create() takes them.';
COMMENT ON COLUMN credits.payment_link.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.payment_link.after_completion IS
'What the customer sees once it is paid: type ''redirect'' with a url, or ''hosted_confirmation'' with a message.';
COMMENT ON COLUMN credits.payment_link.allow_promotion_codes IS 'Whether customers may enter a code.';
COMMENT ON COLUMN credits.payment_link.lookup_key IS 'A name that programs find it by: of one link that is active.';
COMMENT ON COLUMN credits.payment_link.url IS
'Where any customer opens it: credits.checkout_url with its id; NULL where that is not set.';
COMMENT ON COLUMN credits.payment_link.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_link.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_link.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_link.archived_at IS 'When it was archived; NULL where it is active.';
COMMENT ON COLUMN credits.payment_link.replayed IS 'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON COLUMN credits.payment_link.mode IS
'''payment'', or ''subscription'' where one of its prices is recurring.';
COMMENT ON COLUMN credits.payment_link.subscription_data IS
'What is said of the subscriptions that its sessions begin; NULL where they begin none.';
COMMENT ON FUNCTION credits.payment_link_create IS
'Creates a payment link: an address for a mail or a page, where each customer who opens it gets a checkout of their own.

name: what people call it.
line_items: what is sold: an array of 1 to 100 objects, as checkout_session_create() takes them.
currency: the currency of the amounts; NULL for that of the first price.
after_completion: what the customer sees once it is paid: {"type": "redirect", "redirect": {"url": …}}, or
  {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": …}}.
lookup_key: a name that programs find it by: of one link that is active.
allow_promotion_codes: whether customers may enter a code.
metadata: the application''s own data.
idempotency_key: a repeat with the same key returns the first with replayed = true; NULL for none. It is unique among
  what is created without a customer.
subscription_data: where a price is recurring, so that its sessions begin subscriptions: what is said of those, as
  checkout_session_create() takes it.

url is credits.checkout_url with the parameter payment_link. The page''s server, which knows who the customer is, calls
payment_link_open().

Raises PC002, PC007, PC008, PC013, PC015, PC019.
Example: SELECT name, active FROM credits.payment_link_create(''Starter'', jsonb_build_array(
  jsonb_build_object(''price_id'', (SELECT price_id FROM credits.prices LIMIT 1))));';
COMMENT ON FUNCTION credits.payment_link_update IS
'Changes a payment link, for whoever opens it from then on. NULL leaves a thing as it is.

payment_link_id: the payment link.
name: what people call it.
line_items: replaces what is sold, in the same currency.
after_completion: what the customer sees once it is paid.
lookup_key: a name that programs find it by: of one link that is active.
allow_promotion_codes: whether customers may enter a code.
metadata: the application''s own data.
subscription_data: replaces what is said of the subscriptions that its sessions begin.

PC020 is one that was archived.

Raises PC007, PC008, PC013, PC015, PC019, PC020.
Example: SELECT name FROM credits.payment_link_update((SELECT payment_link_id FROM credits.payment_links
  WHERE active LIMIT 1), ''Starter, in autumn'');';
COMMENT ON FUNCTION credits.payment_link_archive IS
'Ends a payment link: nobody can open it any more. Sessions that were opened with it stay as they are.

payment_link_id: the payment link.

A repeat is returned with replayed = true.

Raises PC013, PC019.
Example: SELECT active FROM credits.payment_link_archive((SELECT payment_link_id FROM credits.payment_links
  WHERE active LIMIT 1));';
COMMENT ON FUNCTION credits.payment_link_open IS
'Opens a payment link for a customer: returns a new checkout session with what is sold there.

customer_id: the customer, who is created where missing.
payment_link_id: the payment link; NULL where lookup_key names it.
lookup_key: the name of an active payment link.
quantities: an object of how many, by price_id or lookup_key, of items with an adjustable_quantity.
success_url: where the customer goes once it is paid; NULL for what the link says.
cancel_url: where the customer goes to leave it.
client_reference_id: what the application calls the session.
expires_at: when the session ends; NULL for a day from now.
collection_method: ''charge_automatically'' or ''send_invoice'', as of checkout_session_create().
metadata: the application''s own data, of the session.
idempotency_key: a repeat with the same key returns the first session with replayed = true; NULL for none.

PC020 is a link that was archived.

Raises PC002, PC007, PC008, PC013, PC015, PC018, PC019, PC020.
Example: SELECT status, amount_total FROM credits.payment_link_open(''ben'', (SELECT payment_link_id
  FROM credits.payment_links WHERE active LIMIT 1));';
COMMENT ON VIEW credits.payment_links IS 'Payment links, archived ones too.';
COMMENT ON COLUMN credits.payment_links.payment_link_id IS 'The payment link.';
COMMENT ON COLUMN credits.payment_links.name IS 'What people call it.';
COMMENT ON COLUMN credits.payment_links.active IS 'Whether it can be opened: it is not archived.';
COMMENT ON COLUMN credits.payment_links.line_items IS
'What is sold: an array of objects, as checkout_session_create() takes them.';
COMMENT ON COLUMN credits.payment_links.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.payment_links.after_completion IS
'What the customer sees once it is paid: type ''redirect'' with a url, or ''hosted_confirmation'' with a message.';
COMMENT ON COLUMN credits.payment_links.allow_promotion_codes IS 'Whether customers may enter a code.';
COMMENT ON COLUMN credits.payment_links.lookup_key IS 'A name that programs find it by: of one link that is active.';
COMMENT ON COLUMN credits.payment_links.url IS
'Where any customer opens it: credits.checkout_url with its id; NULL where that is not set.';
COMMENT ON COLUMN credits.payment_links.metadata IS 'The application''s own data.';
COMMENT ON COLUMN credits.payment_links.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.payment_links.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.payment_links.archived_at IS 'When it was archived; NULL where it is active.';
COMMENT ON COLUMN credits.payment_links.recharge_currency IS
'The credit currency whose recharge configuration it belongs to; NULL for none.';
COMMENT ON COLUMN credits.payment_links.mode IS
'''payment'', or ''subscription'' where one of its prices is recurring.';
COMMENT ON COLUMN credits.payment_links.subscription_data IS
'What is said of the subscriptions that its sessions begin; NULL where they begin none.';
COMMENT ON COLUMN credits.recharge_config.payment_url IS
'Where any customer buys more, as it is: the payment link on the page credits.checkout_url, else checkout_url where
nothing is to be filled in there; NULL where neither is set.';
COMMENT ON COLUMN credits.recharge_config.base_price_id IS
'The price, under the name that configure_recharge() has for it.';
COMMENT ON COLUMN credits.recharge_config.checkout_url IS
'Where a top-up is paid, with places to be filled in; NULL where nobody said.';
COMMENT ON COLUMN credits.recharge_config.payment_link_id IS
'The payment link that sells the price: payment_link_open() begins a checkout with it.';
COMMENT ON COLUMN credits.recharge_config.price IS
'The price as the view prices has it, without how many were sold.';
COMMENT ON COLUMN credits.recharge_config.product IS 'The product as the view products has it.';
COMMENT ON FUNCTION credits.configure_recharge IS
'Makes a credit currency rechargeable at a price whose product grants it. NULL leaves a value unchanged.

currency: the credit currency.
base_price_id: the price.
checkout_url: where to pay a top-up: an http or https address, with the placeholders of top_up_create() after its
  host.
min_amount: the smallest payment for this currency, in the price''s currency, by top-up or auto-recharge; ''infinity''
  removes the limit.
max_amount: the largest payment, likewise.

It makes a payment link that sells the price, or changes the currency''s, and returns its address as payment_url.

One unit must not cost more than max_amount or the payment currency''s max_payment, and a price in another currency
needs its limits anew.

Raises PC007, PC008, PC013, PC015.
Example: SELECT * FROM credits.configure_recharge(''CREDIT'', (SELECT price_id FROM credits.packages),
  max_amount => 500);';
COMMENT ON FUNCTION credits.recharge_config IS
'Returns how a credit currency is recharged: its price, product and payment URL.

currency: the credit currency; NULL for credits.default_currency.

A currency for which nothing is configured is a row of NULLs.

Raises PC008, PC013.
Example: SELECT * FROM credits.recharge_config(''CREDIT'');';
COMMENT ON FUNCTION credits.billing_bootstrap IS
'Returns all that a billing page draws: {customer, balances, packages, availablePackages, meters, history, purchases,
auto_recharge}.

customer_id: the customer.

Amounts are strings of digits. history has the last 20 ledger lines, purchases the last 20 top-ups.

availablePackages has the packages in the shape of a wallet SDK, with numbers in place of strings: {id, name,
description, credits, creditCurrency, priceMinor, currency}. priceMinor is the price in minor units (cents), as the
payment provider counts them; priceKobo is the same for a price in NGN.

Raises PC013.
Example: SELECT jsonb_pretty(credits.billing_bootstrap(''ann''));';
COMMENT ON FUNCTION credits_internal.search_words IS
'Returns the words of texts, and of all texts and numbers in JSON documents, with one that says whose they are.

Each begins with the name of the 153 hours in which the object was created. What it returns never changes: indexes hold
it.';
COMMENT ON VIEW credits_internal.searched_customers IS 'Customers with the words that search() finds them by.';
COMMENT ON VIEW credits_internal.searched_products IS 'Products with the words that search() finds them by.';
COMMENT ON VIEW credits_internal.searched_prices IS 'Prices with the words that search() finds them by.';
COMMENT ON VIEW credits_internal.searched_invoices IS 'Invoices with the words that search() finds them by.';
COMMENT ON VIEW credits_internal.searched_payment_intents IS
'Payment intents with the words that search() finds them by.';
COMMENT ON VIEW credits_internal.searched_refunds IS 'Refunds with the words that search() finds them by.';
COMMENT ON TYPE credits.found IS 'An object that search() found.';
COMMENT ON COLUMN credits.found.object IS
'What it is: ''customer'', ''product'', ''price'', ''invoice'', ''payment_intent'' or ''refund''.';
COMMENT ON COLUMN credits.found.object_id IS 'Which one: its id as text; of a customer the application''s key.';
COMMENT ON COLUMN credits.found.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits.found.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.found.data IS
'The object as its view shows it at this moment. Amounts are strings of digits, as in billing events.';
COMMENT ON COLUMN credits.found.cursor IS 'What search() takes as after, for the rows behind this one.';
COMMENT ON FUNCTION credits.search IS
'Finds objects by words of their texts, numbers and metadata, the newest first.

query: at least one word and at most 32, in at most 1,000 characters. All have to be in the object, in any order.
objects: which kinds, by the names of their views: customers, products, prices, invoices, payment_intents, refunds; NULL
  for all.
customer_id: only what is this customer''s; NULL for anybody''s, and for the catalogue.
page_size: how many rows, 1 to 1,000.
after: the cursor of the last row of the page before; NULL for the first page.

Capitals and accents do not count. The last word may be unfinished: acm finds Acme. Words in double quotes are finished.
What is written without spaces is found as a whole, by each part, and from each part on: ann@example.com as ann,
example.com or ann@ex, INV-0007 as 0007. In scripts without spaces any sign can be the first. Numbers are found as they
are, however they are written: 11.90 is 11.9, and 1,190.00 is 1190.

Values of metadata are found and keys are not, nor what lines of invoices say. Of an object with more than about 4,000
words those behind them are not found, and of a word of more than 64 characters what it begins with. What was erased is
not found, nor for whom the invoices of an erased customer were.

It answers for all customers. A customer''s own login must not have it.

Raises PC013.
Example: SELECT object, object_id, data->>''name'' AS name FROM credits.search(''ann'', ''{customers}'');';
COMMENT ON COLUMN credits.auto_recharge.threshold IS
'It buys when less than this is available; 0: never because of the balance.';
COMMENT ON COLUMN credits.auto_recharge.price_id IS 'The price that it buys at; NULL where it buys by amount.';
COMMENT ON COLUMN credits.auto_recharge.quantity IS 'How many units it buys; with a target, the fewest.';
COMMENT ON COLUMN credits.auto_recharge.target IS
'How many credits a recharge is to reach; NULL where it always buys the same quantity.';
COMMENT ON COLUMN credits.auto_recharge.price_currency IS
'The currency that is paid where it buys by amount, at the exchange rate; NULL where it buys at a price.';
COMMENT ON COLUMN credits.auto_recharge.max_attempts_per_calendar_day IS
'The most attempts within a day in UTC; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_amount_per_calendar_day IS
'The most money within a day in UTC, not counting failed attempts; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_attempts_per_calendar_month IS
'The most attempts within a month in UTC; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.max_amount_per_calendar_month IS
'The most money within a month in UTC, not counting failed attempts; NULL for no limit.';
COMMENT ON COLUMN credits.auto_recharge.schedule_every IS
'How often it buys whatever the balance; NULL for no such schedule.';
COMMENT ON COLUMN credits.auto_recharge.schedule_start_at IS
'The first moment of schedule_every; schedule_day begins no earlier.';
COMMENT ON COLUMN credits.auto_recharge.schedule_day IS
'On which day of each month it buys whatever the balance, in UTC; NULL for no such schedule.';
COMMENT ON COLUMN credits.auto_recharge.next_scheduled_at IS
'When the schedule asks next, or since when it waits; NULL without one, and while it is switched off.';
COMMENT ON FUNCTION credits.configure_auto_recharge IS
'Configures an account to recharge itself, when its balance is low or on a schedule. NULL leaves a value unchanged.

customer_id: the customer.
currency: the credit currency; NULL for credits.default_currency.
enabled: whether it is on; true at first. true starts afresh.
threshold: buy when less than this many credits are available; required at first. 0, with a schedule: never because
  of the balance.
price_id: what to buy; NULL at first takes the currency''s recharge configuration (PC011 where there is none).
quantity: how many units to buy, with a target the fewest; 1 at first.
payment_method: what the worker charges, in its own terms.
max_attempts_per_day: the most attempts within 24 hours; 0 removes the limit, as 2147483647 does.
max_amount_per_day: the most money within 24 hours, in the price''s currency, not counting failed attempts, and at
  least what one recharge costs. A price in another currency needs it anew; 0 removes the limit, as ''infinity'' does.
cooldown: the least time between two requests; 1 minute at first.
timeout: a request that is not answered within it has timed out; 1 hour at first.
target: how many credits there shall be after a recharge, at least threshold: as much is bought as that takes, in one
  charge. 0 removes it: then it is always quantity.
max_attempts_per_calendar_day: the same as max_attempts_per_day within a day of the calendar in UTC.
max_amount_per_calendar_day: the same as max_amount_per_day within a day of the calendar in UTC.
max_attempts_per_calendar_month: the most attempts within a month of the calendar in UTC.
max_amount_per_calendar_month: the most money within a month of the calendar in UTC.
schedule_every: also buy whenever so much time has passed since schedule_start_at, whatever the balance; 0 removes the
  schedule.
schedule_start_at: the first moment of schedule_every, NULL at first for now; schedule_day begins no earlier.
schedule_day: also buy as this day of each month begins in UTC, the last where a month has fewer days, whatever the
  balance; 0 removes the schedule. It takes the place of schedule_every.
price_currency: buy by amount in this currency, at the exchange rate of the moment, exactly what the target takes;
  price_id goes back to a price.

What leaves less than threshold credits available writes a request in its own transaction: a recharge, a top-up and a
row of the outbox, type ''recharge.requested'', with recharge_id, top_up_id, currency, amount, price_currency,
credits, quantity, scheduled, payment_method and expires_at. Switching it on while there is less does the same. At
most one request is open; one that no worker has begun is canceled when it is switched off, or when a limit that it is
beyond was lowered. If an account is still low when cooldown or limits allow another request, its next posting or
maintain() writes it.

With a target the number of units is worked out when the request is made: so many that the target is reached once what
is owed is paid, at least quantity and what a payment must be, at most what a payment may be and what the limits have
left. Where they have less left than the least, it waits until they allow that.

A schedule asks at its moments, whatever the balance, also after credits were taken back: the next posting of the
account, or maintain(). A moment waits while a request is open, and until cooldown and limits allow it; however many
have passed, they are made up for once. If the target is reached there is nothing to buy, and the moment is over; so is
one whose request fails or times out. It goes on from now where any part of it is given, or enabled => true.

Credits that are taken back (a refund, a dispute, a grant that is voided or ended, a correction) never ask for a
recharge, nor does maintain() after that: waits_for_spend is true until the customer spends again, has threshold
credits again, or enabled => true says so. Usage that was reported before the account''s last posting, and waited in
the inbox, is no such spend.

Auto-recharge switches itself off, with a row ''recharge.disabled'' of the outbox, and disabled_reason has the code:
''failures'' (three failures or time-outs in a row), ''disputed'' (a payment of the customer was disputed), ''erased''
(the customer was erased), or, where it can buy nothing any more, ''not_on_sale'', ''currency_inactive'',
''restricted_credits'' (for certain meters only, so they lift no balance), ''no_rate'' (by amount, and without an
exchange rate), ''amount_too_large'' (too many digits, also together with all that the account was ever granted),
''payment_limit'' (of the payment currency, or of the recharge configuration), ''daily_limit'' and ''monthly_limit''
(the least costs more than a limit). The same is refused here, unless it is switched off. A payment that comes later is
granted, and counts as no failure, but does not switch it on.

Raises PC003, PC007, PC008, PC011, PC013, PC015.
Example: SELECT * FROM credits.configure_auto_recharge(''ann'', threshold => 50, payment_method => ''pm_1'');';
COMMENT ON COLUMN credits.recharge_attempt.credits IS 'Credits that it brings.';
COMMENT ON COLUMN credits.recharge_attempt.quantity IS 'Units of the price; NULL where it is bought by amount.';
COMMENT ON VIEW credits.recharge_log IS
'Requests of auto-recharge, with their outcome.

A request is canceled if, before a worker began, there were enough credits again (for one of the schedule: its target
was reached), auto-recharge was switched off, or a limit was lowered. A time-out shows at its moment, whether or not
anything has posted it.';
COMMENT ON COLUMN credits.recharge_log.quantity IS
'Units of the price; NULL where it is bought by amount, and in rows of before 0.3.0.';
COMMENT ON COLUMN credits.recharge_log.scheduled IS 'Whether the schedule asked for it, whatever the balance.';
COMMENT ON TYPE credits.balance_alert IS 'The alerts of an account''s balance, as balance_alert_set() returns them.';
COMMENT ON COLUMN credits.balance_alert.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.balance_alert.currency IS 'The currency of the account.';
COMMENT ON COLUMN credits.balance_alert.kind IS '''absolute'' or ''percent''.';
COMMENT ON COLUMN credits.balance_alert.levels IS 'The levels, highest first; empty where there are none any more.';
COMMENT ON COLUMN credits.balance_alert.reached IS 'How many of them the balance is at or below.';
COMMENT ON FUNCTION credits.balance_alert_set IS
'Sets the levels of an account''s balance at which balance.alert is published, once per crossing.

customer_id: the customer.
currency: the currency of the account; NULL for credits.default_currency.
levels: at most 20 levels, required; they replace those of that kind. An empty array removes them.
kind: ''absolute'': credits. ''percent'': percent of what was available when credits last came in, or since, if that was
  more. NULL for ''absolute''. Both kinds may be set.

A level is reached once that much or less is available to plain debits. The outbox then has one row per level, in the
transaction that spent; the next one follows after the balance was above the level. A level that the balance is at
already is published at once. low_balance_threshold of account_configure() is beside it.

Raises PC003, PC007, PC008, PC013.
Example: SELECT levels, reached FROM credits.balance_alert_set(''ann'', levels => ''{100, 20}'');';
COMMENT ON VIEW credits.balance_alerts IS
'Levels of balances at which balance.alert is published, as posted.';
COMMENT ON COLUMN credits.balance_alerts.customer_id IS 'The customer: the application''s own key.';
COMMENT ON COLUMN credits.balance_alerts.currency IS 'The currency of the account.';
COMMENT ON COLUMN credits.balance_alerts.kind IS '''absolute'' or ''percent''.';
COMMENT ON COLUMN credits.balance_alerts.levels IS 'The levels, highest first: credits, or percent of full_balance.';
COMMENT ON COLUMN credits.balance_alerts.reached IS 'How many of them the balance is at or below.';
COMMENT ON COLUMN credits.balance_alerts.full_balance IS
'What was available when credits last came in, or since, if that was more; NULL where levels are absolute.';
COMMENT ON VIEW credits.billing_events IS
'What happened to customers, the catalogue, checkouts, invoices and payments, one row per event, for
credits.event_retention.

An event is there if and only if what it says was committed. In what is read after the last event_id, an event of a
transaction that took longer may be missing; object_seq shows it.';
COMMENT ON COLUMN credits.billing_events.event_id IS 'The event: in the order of time, as a key to page by.';
COMMENT ON COLUMN credits.billing_events.type IS 'What happened: ''invoice.paid'' and so on.';
COMMENT ON COLUMN credits.billing_events.object_type IS
'What it happened to: ''customer'', ''product'', ''price'', ''coupon'', ''promotion_code'',
''payment_link'', ''checkout_session'', ''invoice'',
''payment_intent'', ''refund'' or ''subscription''.';
COMMENT ON COLUMN credits.billing_events.object_id IS
'Which one: its id as text; of a customer the application''s key.';
COMMENT ON COLUMN credits.billing_events.object_seq IS
'The event''s place among those of its object: from 1 without gaps.';
COMMENT ON COLUMN credits.billing_events.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits.billing_events.data IS
'object: the object as its view shows it after the event, of what is deleted before it. previous_attributes: of an
update, what was before of all that changed. Amounts are strings of digits. NULL once the customer is erased.';
COMMENT ON COLUMN credits.billing_events.created_at IS
'When it happened: when its transaction began, and never before the object''s last event.';
COMMENT ON TYPE credits.webhook_endpoint IS 'An endpoint, as the functions webhook_endpoint_* return it.';
COMMENT ON COLUMN credits.webhook_endpoint.webhook_endpoint_id IS 'The endpoint''s id.';
COMMENT ON COLUMN credits.webhook_endpoint.url IS 'Where events are sent.';
COMMENT ON COLUMN credits.webhook_endpoint.enabled_events IS 'Which types are sent; ''*'' is all.';
COMMENT ON COLUMN credits.webhook_endpoint.never_sent IS
'Those of enabled_events that nothing writes: names of billing SDKs, for what is not here.';
COMMENT ON COLUMN credits.webhook_endpoint.description IS 'For people.';
COMMENT ON COLUMN credits.webhook_endpoint.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.webhook_endpoint.status IS '''enabled'' or ''disabled''.';
COMMENT ON COLUMN credits.webhook_endpoint.disabled_reason IS
'Why it was disabled by itself: ''no_success'' (for three days); NULL where somebody did it.';
COMMENT ON COLUMN credits.webhook_endpoint.secret IS
'What events are signed with, in the answer of the call that made it; NULL in any other.';
COMMENT ON COLUMN credits.webhook_endpoint.previous_secret_expires_at IS
'Until when events are signed with the secret before as well; NULL where they are not.';
COMMENT ON COLUMN credits.webhook_endpoint.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.webhook_endpoint.updated_at IS 'When it last changed.';
COMMENT ON COLUMN credits.webhook_endpoint.replayed IS 'Whether an earlier call did this.';
COMMENT ON FUNCTION credits.webhook_endpoint_create IS
'Creates an endpoint, to be sent billing events, and returns its secret, once.

url: where events are sent: https, at an address of the internet. credits.webhook_http and
  credits.webhook_private_addresses allow others.
enabled_events: which types are sent, as ''invoice.paid''; ''*'' is all. Every name that billing SDKs have is accepted;
  those that are never sent are in the answer''s never_sent.
description: for people.
metadata: your own data.
idempotency_key: a repeat returns the endpoint, without its secret.

Events that happen from now on are sent, by a program that calls webhook_claim(). Keep the secret where the endpoint
can read it: nothing returns it again, and webhook_endpoint_update() makes another.

Raises PC002, PC013.
Example: SELECT webhook_endpoint_id, secret
  FROM credits.webhook_endpoint_create(''https://hooks.shop.example/credits'', ''{invoice.paid,invoice.voided}'');';
COMMENT ON FUNCTION credits.webhook_endpoint_update IS
'Changes an endpoint: its address, its events, whether it is sent any, and its secret.

webhook_endpoint_id: the endpoint.
url: another address; NULL leaves it.
enabled_events: which types are sent; NULL leaves them.
status: ''enabled'' or ''disabled''; NULL leaves it.
new_secret: whether to make another secret, which is returned, once.
overlap: for how long events are signed with the secret before as well, at most 31 days; 0 for not at all.
description: for people; NULL leaves it.
metadata: your own data; NULL leaves it.

A disabled endpoint is sent nothing, and what happens meanwhile is not sent later; what waited for it before is, once
it is enabled again, for as long as events are kept.

Raises PC013, PC019.
Example: SELECT secret, previous_secret_expires_at
  FROM credits.webhook_endpoint_update((SELECT webhook_endpoint_id FROM credits.webhook_endpoints
    ORDER BY created_at LIMIT 1), new_secret => true, overlap => ''2 days'');';
COMMENT ON FUNCTION credits.webhook_endpoint_delete IS
'Deletes an endpoint, with what waits for it and what was sent, and returns what it was.

webhook_endpoint_id: the endpoint.

It waits for transactions that claim. To keep what was sent, disable it instead.

Raises PC013, PC019.
Example: SELECT url FROM credits.webhook_endpoint_delete((SELECT webhook_endpoint_id FROM credits.webhook_endpoints
  ORDER BY created_at LIMIT 1));';
COMMENT ON VIEW credits.webhook_endpoints IS 'Endpoints that are sent billing events, and how they fare.';
COMMENT ON COLUMN credits.webhook_endpoints.webhook_endpoint_id IS 'The endpoint''s id.';
COMMENT ON COLUMN credits.webhook_endpoints.url IS 'Where events are sent.';
COMMENT ON COLUMN credits.webhook_endpoints.enabled_events IS 'Which types are sent; ''*'' is all.';
COMMENT ON COLUMN credits.webhook_endpoints.description IS 'For people.';
COMMENT ON COLUMN credits.webhook_endpoints.metadata IS 'The application''s own.';
COMMENT ON COLUMN credits.webhook_endpoints.status IS '''enabled'' or ''disabled''.';
COMMENT ON COLUMN credits.webhook_endpoints.disabled_reason IS
'Why it was disabled by itself: ''no_success'' (for three days); NULL where somebody did it.';
COMMENT ON COLUMN credits.webhook_endpoints.previous_secret_expires_at IS
'Until when events are signed with the secret before as well; NULL where they are not.';
COMMENT ON COLUMN credits.webhook_endpoints.failing_since IS
'When it failed first without any success since; NULL where it does not fail.';
COMMENT ON COLUMN credits.webhook_endpoints.last_success_at IS 'When it last took an event, to the minute.';
COMMENT ON COLUMN credits.webhook_endpoints.undelivered IS
'How many events are on their way to it, or wait. Those that no claim has looked at yet are not counted.';
COMMENT ON COLUMN credits.webhook_endpoints.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.webhook_endpoints.updated_at IS 'When it last changed.';
COMMENT ON TYPE credits.webhook_request IS 'What is to be sent, as webhook_claim() returns it.';
COMMENT ON COLUMN credits.webhook_request.attempt_id IS 'The attempt, for webhook_report().';
COMMENT ON COLUMN credits.webhook_request.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits.webhook_request.event_id IS 'Which event.';
COMMENT ON COLUMN credits.webhook_request.url IS 'Where it is to be sent, by POST.';
COMMENT ON COLUMN credits.webhook_request.headers IS 'The headers by their names, with the signature.';
COMMENT ON COLUMN credits.webhook_request.body IS 'What is to be sent, to the byte, in UTF-8: it is signed.';
COMMENT ON COLUMN credits.webhook_request.attempt_no IS 'The how manieth attempt it is, from 1.';
COMMENT ON COLUMN credits.webhook_request.leased_until IS 'When others get it, unless it was reported.';
COMMENT ON TYPE credits.webhook_outcome IS 'What comes of an attempt, as webhook_report() returns it.';
COMMENT ON COLUMN credits.webhook_outcome.attempt_id IS 'The attempt.';
COMMENT ON COLUMN credits.webhook_outcome.status IS '''succeeded'' or ''failed''.';
COMMENT ON COLUMN credits.webhook_outcome.delivery_status IS
'''succeeded''; ''due'' (at next_attempt_at), ''sending'' (by another attempt), or ''failed'': given up.';
COMMENT ON COLUMN credits.webhook_outcome.next_attempt_at IS 'When it is tried again; NULL where it is not.';
COMMENT ON COLUMN credits.webhook_outcome.endpoint_disabled IS
'Whether this disabled the endpoint: it took nothing for three days.';
COMMENT ON COLUMN credits.webhook_outcome.replayed IS 'Whether it was reported before.';
COMMENT ON FUNCTION credits.webhook_claim IS
'Hands out billing events to be sent to endpoints, at least once each, in order for each object.

worker: who sends them, as webhook_attempts shows it.
batch_size: the most requests, 1 to 1,000.
lease: what is not reported when it has passed is handed out again; at most 1 hour.

Of one object''s events an endpoint is sent one at a time: the next follows once that is delivered or given up. Up to 8
are under way to an endpoint at once, 2 while it fails, and those are next that have the fewest, so that none holds back
another. Commit before sending. Any number of sessions may call it at once. examples/webhook_sender.py does.

Raises PC013.
Example: SELECT attempt_id, url, headers, body FROM credits.webhook_claim(''sender 1'', batch_size => 10);';
COMMENT ON FUNCTION credits.webhook_report IS
'Reports what an endpoint answered: an event is delivered, sent again later, or given up.

attempt_id: of webhook_claim().
response_status: the status of the answer: 200 to 299 is a success, anything else is not; NULL for no answer.
response_body: how the answer begins, or why there is none; 2,000 characters are kept.

What failed is sent again after 1 minute, 5 minutes, 30 minutes, 2 hours and 8 hours, then daily, last 3 days after it
first failed. An endpoint that takes nothing for 3 days is disabled, with an event webhook_endpoint.disabled. A repeat
changes nothing. Commit after each.

Raises PC013, PC019.
Example: SELECT r.status, r.next_attempt_at FROM credits.webhook_claim(''sender 1'') c
  CROSS JOIN LATERAL credits.webhook_report(c.attempt_id, 503, ''busy'') r;';
COMMENT ON FUNCTION credits.webhook_test IS
'Has an event webhook_endpoint.test sent to an endpoint, whatever types it asked for, and returns the event''s id.

webhook_endpoint_id: the endpoint.

It is tried once. webhook_attempts shows what came of it.

Raises PC013, PC019, PC020.
Example: SELECT credits.webhook_test((SELECT webhook_endpoint_id FROM credits.webhook_endpoints
  WHERE status = ''enabled'' ORDER BY created_at LIMIT 1));';
COMMENT ON FUNCTION credits.webhook_resend IS
'Has a billing event sent again, and returns to how many endpoints.

event_id: an event of billing_events.
webhook_endpoint_id: the endpoint, whatever types it asked for; NULL for each that asks for the event''s type.

It is sent at once, and its object''s later events do not wait for it. Where the event is still on its way nothing
changes.

Raises PC013, PC019, PC020.
Example: SELECT credits.webhook_resend(event_id) FROM credits.billing_events ORDER BY event_id DESC LIMIT 1;';
COMMENT ON VIEW credits.webhook_attempts IS
'Each time that an event was handed out to be sent to an endpoint, for credits.event_retention. Page by attempt_id.';
COMMENT ON COLUMN credits.webhook_attempts.attempt_id IS 'The attempt: in the order of time, as a key to page by.';
COMMENT ON COLUMN credits.webhook_attempts.webhook_endpoint_id IS 'To which endpoint.';
COMMENT ON COLUMN credits.webhook_attempts.event_id IS 'Which event.';
COMMENT ON COLUMN credits.webhook_attempts.type IS 'What happened: ''invoice.paid'' and so on.';
COMMENT ON COLUMN credits.webhook_attempts.object_type IS 'What it happened to.';
COMMENT ON COLUMN credits.webhook_attempts.object_id IS 'Which one.';
COMMENT ON COLUMN credits.webhook_attempts.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits.webhook_attempts.attempt_no IS 'The how manieth attempt of the event there, from 1.';
COMMENT ON COLUMN credits.webhook_attempts.worker IS 'Who sent it.';
COMMENT ON COLUMN credits.webhook_attempts.status IS
'''sending'', ''succeeded'', ''failed'', or ''lost'': nobody reported it before the lease ended.';
COMMENT ON COLUMN credits.webhook_attempts.response_status IS 'The answer''s status; NULL for no answer.';
COMMENT ON COLUMN credits.webhook_attempts.response_body IS
'How the answer begins, or why there is none; cleared with the customer.';
COMMENT ON COLUMN credits.webhook_attempts.started_at IS 'When it was handed out.';
COMMENT ON COLUMN credits.webhook_attempts.ended_at IS 'When it was reported, or lost.';
COMMENT ON COLUMN credits.webhook_attempts.delivery_status IS
'The event at that endpoint: ''due'', ''sending'', ''succeeded'', or ''failed'', which is given up.';
COMMENT ON COLUMN credits.webhook_attempts.next_attempt_at IS
'When it is sent again, on the line of the last attempt; NULL where it is not.';
COMMENT ON FUNCTION credits.maintain_batch IS
'Does one batch of what CALL credits.maintain() does, and returns how much it was.

batch_size: the most accounts or rows.
work: ''accounts'' posts what fell due; ''inbox'' and ''deferred'' settle at most 1,000 events, as settle() does;
  ''recharges'' reviews accounts that recharge themselves at a price that something changed for; ''notices'' publishes
  which grants are about to end, where credits.expiring_notice is set; ''outbox'' deletes rows that nobody wanted
  within credits.outbox_retention; ''events'' deletes billing events after credits.event_retention; ''webhooks''
  deletes those that were ignored, after credits.webhook_retention; ''invoices'' clears whom old invoices of erased
  customers were for, after credits.invoice_retention; ''sessions'' ends checkout sessions
  whose time is over; ''subscriptions'' renews subscriptions, and does what else is due of them; ''stock'' and
  ''discounts'' release what was reserved for too long, of prices and of coupons.
  NULL does one batch of each.
due_by: counts what was due or had come by then, and leaves later work where it can; NULL for now.

It waits for no other session longer than a moment, and skips what it would have to wait for.

Raises PC013.
Example: SELECT credits.maintain_batch(work => ''accounts'');';
COMMENT ON PROCEDURE credits.maintain IS
'Posts everything that fell due, and settles the usage that waits.

batch_size: the most accounts or rows per batch.

It posts grants that began or expired, holds that expired, and pending usage that is paid by what came in; requests of
auto-recharge that timed out, and those that cooldown and limits allow again. It switches off auto-recharge that
became impossible. It publishes which grants are about to end, where credits.expiring_notice is set. It charges the
inbox, and what deferred meters recorded. It deletes rows of the outbox that nobody
wanted within credits.outbox_retention, billing events after credits.event_retention, webhooks that were ignored, after
credits.webhook_retention, and whom invoices of erased customers were for, after credits.invoice_retention. It releases
stock and coupons that were reserved for too long, which views count as free without it. Balances
are right without it (except for the inbox); the ledger shows it afterwards.

Rows of the inbox are charged as of when they were put in, so while some of a customer''s wait, the customer''s
accounts are brought no further than the oldest that waits, for at most a day.

It does a batch of each kind of work in turn, with a commit after each, until all that was due when it began is done:
what comes in meanwhile neither keeps it going nor holds back the rest. An account that cannot be worked on holds back
no other: it is left alone and tried again after growing pauses (backlog.failed_accounts; verify() lists them). Where
a whole kind of work fails, the others are done all the same, and its error is raised at the end. Inside a transaction
it does one batch of each.

It waits for no other session longer than a moment: what it would have to wait for stays for a later call, and a table
that cannot be read for two seconds is such a failure (55P03). Two may run at once.

Raises PC013.
Example: CALL credits.maintain();';
COMMENT ON TYPE credits.imported_history IS 'An account whose history was imported, as history_import() returns it.';
COMMENT ON COLUMN credits.imported_history.customer_id IS 'The customer.';
COMMENT ON COLUMN credits.imported_history.currency IS 'The currency of the amounts.';
COMMENT ON COLUMN credits.imported_history.entries IS 'How many entries were imported by now.';
COMMENT ON COLUMN credits.imported_history.lines IS 'How many lines the account has in the ledger.';
COMMENT ON COLUMN credits.imported_history.first_at IS 'When the first entry happened; NULL where there was none.';
COMMENT ON COLUMN credits.imported_history.last_at IS 'When the last entry happened; NULL where there was none.';
COMMENT ON COLUMN credits.imported_history.finished IS 'Whether that was all.';
COMMENT ON COLUMN credits.imported_history.available IS 'What a plain debit may take.';
COMMENT ON COLUMN credits.imported_history.restricted IS 'What only the events of certain meters may take.';
COMMENT ON COLUMN credits.imported_history.pending IS 'What is owed.';
COMMENT ON COLUMN credits.imported_history.replayed IS
'Whether this call repeated an earlier one and changed nothing.';
COMMENT ON FUNCTION credits.history_import IS
'Imports what happened to an account before the application moved here, as if it had happened here.

customer_id: the customer, who is created where missing.
entries: a JSON array of objects, in any order, at most 100,000: each has a type, at (when it happened), and what
  belongs to its type.
currency: the currency; NULL for credits.default_currency.
idempotency_key: a repeat with the same key returns the account with replayed = true; NULL for none.
finished: false where more follows, in the order of time, by further calls in the same transaction.

Each entry happens at its own moment: what expired until then has expired, the drawdown order is that of then, and
what no credit covered is owed until credits come. So wallet_balance_at() answers for the past, the ledger and its
running balances are whole, and identifiers and idempotency keys are claimed for ever. A ledger line''s effective_at is
when it happened, its created_at when it was imported.

A ''grant'' has amount, and what credit_grant() takes: category, name, priority, effective_at, expires_at,
applicable_meters, cost_basis, cost_amount, cost_currency, granted_by, idempotency_key, metadata. It expires by itself.

''usage'' has event_name, value (1 where left out), identifier, and may have occurred_at (at, where left out),
subscription_id, source_data, metadata, member_id and credits: what it was charged. Without credits it costs what the
meter''s prices of that time say; with credits it counts in no period of its meter, so that tiers do not go on from it.

A ''debit'' has amount, and may have idempotency_key, description, metadata, member_id; an ''adjustment'' has amount and
reason as wallet_adjust() takes them, and may have expires_at, idempotency_key, description, metadata.

A ''reversal'' gives back what an earlier debit or adjustment took, named by its operation_key: amount, or all of it;
it may have reason and idempotency_key. A ''cancellation'' takes earlier usage back, named by its identifier. A ''void''
or an ''expiration'' ends the rest of an earlier grant, or amount of it, named by its grant_key, before its time is up.

Times are as in 2026-03-01T12:00:00Z. Of several entries at one moment, the earlier in the array happens first. One
that is wrong is an error that names its number, and nothing is imported.

The account must be empty: only configured, if it exists. Nothing that is set today judges history: not limits, not
overdraft_limit, not a meter''s overage. Nothing is announced either, and no recharge is requested for a low balance
of then; what is low once all is imported is, like after any posting. Holds, transfers and a meter''s second currency
are not part of it: a transfer is a debit here and a grant there.

It needs a superuser.

Raises PC001, PC002, PC004, PC006, PC007, PC008, PC013.
Example: SELECT * FROM credits.history_import(''eve'', ''[
  {"type": "grant", "at": "2026-01-01T00:00:00Z", "amount": 100, "expires_at": "2026-02-01T00:00:00Z"},
  {"type": "debit", "at": "2026-01-09T12:00:00Z", "amount": 30, "idempotency_key": "job-1"}]'');';
COMMENT ON FUNCTION credits.reset IS
'Empties a database of tests: all customers with everything that they have, usage on its way in, and the outbox.

What the application configured stays: currencies, meters and their prices, products, prices, exchange rates, recharge
configurations, payment providers, the names of outbox consumers, and the key that signs links.

It needs a superuser, and the setting credits.production switched off, which is on by default. It waits for the
transactions of other sessions to end, without blocking them. What other sessions remember stays right. Where the
calling transaction is rolled back, everything is there again.

Raises PC013.
Example: SELECT credits.reset();';
COMMENT ON VIEW credits_internal.hold_lines IS
'The lines that move held credits, with the hold. For verify().
while_open: whether it was posted while the hold stayed open; of releases that is not known.';
COMMENT ON VIEW credits_internal.value_discrepancies IS
'Values of unique meters that do not count as their events say: no rows when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.correction_discrepancies IS
'Corrections that do not agree with what they correct: no rows when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.payment_discrepancies IS
'Payments, payment intents, recharges and outbox rows that do not agree: no rows when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.limit_discrepancies IS
'Limits that do not agree with the ledger: no rows when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.cost_discrepancies IS
'Grants whose cost does not add up: no rows when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.rollover_lines IS
'The lines by which part of a grant went on, with what remained of the grant before. For verify().';
COMMENT ON VIEW credits_internal.rollover_discrepancies IS
'Grants that rolled over into others, or should have, and do not agree with their lines: no rows when all is sound. Ask
verify().';
COMMENT ON VIEW credits_internal.invoice_discrepancies IS
'Invoices that do not add up, whose money or credits are not there, or whose numbers have a gap: no rows when all is
sound. Ask verify().';
COMMENT ON VIEW credits_internal.event_discrepancies IS
'Billing events whose numbers have a gap, and deliveries that nobody will make: no rows when all is sound. Ask
verify().';
COMMENT ON VIEW credits_internal.stock_discrepancies IS
'Stock whose counter is not what is reserved, or that an invoice holds otherwise than it says: no rows when all is
sound. Ask verify().';
COMMENT ON VIEW credits_internal.discount_discrepancies IS
'Coupons and codes whose counters are not what is held, and redemptions of which the log says something else: no rows
when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.checkout_discrepancies IS
'Checkout sessions and payment links that do not agree with invoices, payments and prices: no rows when all is sound.
Ask verify().';
COMMENT ON VIEW credits_internal.subscription_discrepancies IS
'Subscriptions that went through their periods otherwise than they must: no rows when all is sound. Ask verify().';
COMMENT ON VIEW credits_internal.usage_record_discrepancies IS
'Usage of metered items that is counted or invoiced otherwise than it must be: no rows when all is sound. Ask
verify().';
COMMENT ON VIEW credits_internal.invoiced_event_discrepancies IS
'Events of meters that are invoiced which are taken or counted otherwise than they must be: no rows when all is sound.
Ask verify().';
COMMENT ON FUNCTION credits.verify(text) IS
'Recomputes every balance from the ledger, every grant, its cost and what of it rolled over from its lines, every charge
from its price, what invoices and checkout sessions come to, the numbers of billing events, what is taken of stock, how
often coupons are used, and that subscriptions have their periods, invoices and plan credits once.

customer_id: only this customer; NULL for all.

It returns one row per discrepancy, none when all is sound. All in one snapshot, so it may run at any time.

Example: SELECT * FROM credits.verify();';
-- All of it is credits_owner's before any right is given.
DO $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT pg_catalog.format('ALTER %s %s OWNER TO credits_owner', made.type, made.identity)
        FROM pg_catalog.pg_depend d
        CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS made
        WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
          AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_credits')
          -- What belongs to another object has that one's owner: a table's row type, the sequence of a column.
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend part
              WHERE part.classid = d.classid AND part.objid = d.objid AND part.deptype IN ('a', 'i')
                AND part.refclassid IN ('pg_catalog.pg_class'::pg_catalog.regclass,
                                        'pg_catalog.pg_type'::pg_catalog.regclass))
    LOOP
        EXECUTE command;
    END LOOP;
END $$;
REVOKE ALL ON credits_internal.invoice_prefixes FROM PUBLIC;
REVOKE ALL ON credits_internal.grant_rollovers FROM PUBLIC;
REVOKE ALL ON credits_internal.hold_captures FROM PUBLIC;
REVOKE ALL ON credits_internal.reversals FROM PUBLIC;
REVOKE ALL ON credits_internal.spending_limits FROM PUBLIC;
REVOKE ALL ON credits_internal.rolling_spending FROM PUBLIC;
REVOKE ALL ON credits_internal.price_overrides FROM PUBLIC;
REVOKE ALL ON credits_internal.event_fallbacks FROM PUBLIC;
REVOKE ALL ON credits_internal.invoiced_events FROM PUBLIC;
REVOKE ALL ON credits_internal.event_adjustments FROM PUBLIC;
REVOKE ALL ON credits_internal.usage_values FROM PUBLIC;
REVOKE ALL ON credits_internal.catalog_keys FROM PUBLIC;
REVOKE ALL ON credits_internal.price_usage FROM PUBLIC;
REVOKE ALL ON credits_internal.price_stock FROM PUBLIC;
REVOKE ALL ON credits_internal.stock_reservations FROM PUBLIC;
REVOKE ALL ON credits_internal.coupons FROM PUBLIC;
REVOKE ALL ON credits_internal.coupon_counters FROM PUBLIC;
REVOKE ALL ON credits_internal.promotion_codes FROM PUBLIC;
REVOKE ALL ON credits_internal.promotion_code_customers FROM PUBLIC;
REVOKE ALL ON credits_internal.promotion_code_counters FROM PUBLIC;
REVOKE ALL ON credits_internal.redemptions FROM PUBLIC;
REVOKE ALL ON credits_internal.discount_log FROM PUBLIC;
REVOKE ALL ON credits_internal.payment_intents FROM PUBLIC;
REVOKE ALL ON credits_internal.refunds FROM PUBLIC;
REVOKE ALL ON credits_internal.payment_methods FROM PUBLIC;
REVOKE ALL ON credits_internal.invoices FROM PUBLIC;
REVOKE ALL ON credits_internal.invoice_lines FROM PUBLIC;
REVOKE ALL ON credits_internal.invoice_line_grants FROM PUBLIC;
REVOKE ALL ON credits_internal.invoice_payments FROM PUBLIC;
REVOKE ALL ON credits_internal.invoice_numbers FROM PUBLIC;
REVOKE ALL ON credits_internal.invoiced_credits FROM PUBLIC;
REVOKE ALL ON credits_internal.subscriptions FROM PUBLIC;
REVOKE ALL ON credits_internal.subscription_items FROM PUBLIC;
REVOKE ALL ON credits_internal.subscription_periods FROM PUBLIC;
REVOKE ALL ON credits_internal.plan_references FROM PUBLIC;
REVOKE ALL ON credits_internal.usage_record_summaries FROM PUBLIC;
REVOKE ALL ON credits_internal.usage_records FROM PUBLIC;
REVOKE ALL ON credits_internal.usage_closings FROM PUBLIC;
REVOKE ALL ON credits_internal.payment_links FROM PUBLIC;
REVOKE ALL ON credits_internal.checkout_sessions FROM PUBLIC;
REVOKE ALL ON credits_internal.balance_alerts FROM PUBLIC;
REVOKE ALL ON credits_internal.billing_events FROM PUBLIC;
REVOKE ALL ON credits_internal.billing_event_counters FROM PUBLIC;
REVOKE ALL ON credits_internal.webhook_endpoints FROM PUBLIC;
REVOKE ALL ON credits_internal.webhook_secrets FROM PUBLIC;
REVOKE ALL ON credits_internal.webhook_health FROM PUBLIC;
REVOKE ALL ON credits_internal.webhook_deliveries FROM PUBLIC;
REVOKE ALL ON credits_internal.webhook_attempts FROM PUBLIC;
REVOKE ALL ON credits_internal.history_imports FROM PUBLIC;
REVOKE ALL ON TYPE credits.reversal FROM PUBLIC;
REVOKE ALL ON TYPE credits.spending_limit FROM PUBLIC;
REVOKE ALL ON TYPE credits_internal.due_rollover FROM PUBLIC;
REVOKE ALL ON TYPE credits.own_customer FROM PUBLIC;
REVOKE ALL ON TYPE credits.price_override FROM PUBLIC;
REVOKE ALL ON TYPE credits.event_adjustment FROM PUBLIC;
REVOKE ALL ON TYPE credits.transaction_total FROM PUBLIC;
REVOKE ALL ON TYPE credits.redemption FROM PUBLIC;
REVOKE ALL ON TYPE credits.coupon FROM PUBLIC;
REVOKE ALL ON TYPE credits.promotion_code FROM PUBLIC;
REVOKE ALL ON TYPE credits.voucher FROM PUBLIC;
REVOKE ALL ON TYPE credits.payment_intent FROM PUBLIC;
REVOKE ALL ON TYPE credits.payment_attempt FROM PUBLIC;
REVOKE ALL ON TYPE credits.payment_method FROM PUBLIC;
REVOKE ALL ON TYPE credits.refund FROM PUBLIC;
REVOKE ALL ON TYPE credits.refund_attempt FROM PUBLIC;
REVOKE ALL ON TYPE credits.invoice FROM PUBLIC;
REVOKE ALL ON TYPE credits.invoice_line FROM PUBLIC;
REVOKE ALL ON TYPE credits.deposit FROM PUBLIC;
REVOKE ALL ON TYPE credits.subscription_item FROM PUBLIC;
REVOKE ALL ON TYPE credits.subscription FROM PUBLIC;
REVOKE ALL ON TYPE credits.subscription_preview FROM PUBLIC;
REVOKE ALL ON TYPE credits.usage_record FROM PUBLIC;
REVOKE ALL ON TYPE credits.checkout_session FROM PUBLIC;
REVOKE ALL ON TYPE credits.payment_link FROM PUBLIC;
REVOKE ALL ON TYPE credits.found FROM PUBLIC;
REVOKE ALL ON TYPE credits.balance_alert FROM PUBLIC;
REVOKE ALL ON TYPE credits.webhook_endpoint FROM PUBLIC;
REVOKE ALL ON TYPE credits.webhook_request FROM PUBLIC;
REVOKE ALL ON TYPE credits.webhook_outcome FROM PUBLIC;
REVOKE ALL ON TYPE credits.imported_history FROM PUBLIC;
REVOKE ALL ON credits_internal.spending FROM PUBLIC;
REVOKE ALL ON credits.limits FROM PUBLIC;
REVOKE ALL ON credits_internal.rollovers FROM PUBLIC;
REVOKE ALL ON credits_internal.entries FROM PUBLIC;
REVOKE ALL ON credits_internal.cost_entries FROM PUBLIC;
REVOKE ALL ON credits.revenue FROM PUBLIC;
REVOKE ALL ON credits.my_payment_methods FROM PUBLIC;
REVOKE ALL ON credits_internal.price_schedule FROM PUBLIC;
REVOKE ALL ON credits.price_overrides FROM PUBLIC;
REVOKE ALL ON credits_internal.event_values FROM PUBLIC;
REVOKE ALL ON credits.hold_captures FROM PUBLIC;
REVOKE ALL ON credits.usage_adjustments FROM PUBLIC;
REVOKE ALL ON credits_internal.offers FROM PUBLIC;
REVOKE ALL ON credits_internal.stock FROM PUBLIC;
REVOKE ALL ON credits_internal.held_redemptions FROM PUBLIC;
REVOKE ALL ON credits.discount_log FROM PUBLIC;
REVOKE ALL ON credits_internal.coupon_uses FROM PUBLIC;
REVOKE ALL ON credits.coupons FROM PUBLIC;
REVOKE ALL ON credits_internal.promotion_code_uses FROM PUBLIC;
REVOKE ALL ON credits.promotion_codes FROM PUBLIC;
REVOKE ALL ON credits.payment_intents FROM PUBLIC;
REVOKE ALL ON credits.my_payment_intents FROM PUBLIC;
REVOKE ALL ON credits.payment_methods FROM PUBLIC;
REVOKE ALL ON credits.refunds FROM PUBLIC;
REVOKE ALL ON credits.my_refunds FROM PUBLIC;
REVOKE ALL ON credits.invoices FROM PUBLIC;
REVOKE ALL ON credits.invoice_payments FROM PUBLIC;
REVOKE ALL ON credits.my_invoices FROM PUBLIC;
REVOKE ALL ON credits.invoice_lines FROM PUBLIC;
REVOKE ALL ON credits.my_invoice_lines FROM PUBLIC;
REVOKE ALL ON credits.subscription_items FROM PUBLIC;
REVOKE ALL ON credits.subscriptions FROM PUBLIC;
REVOKE ALL ON credits.my_subscriptions FROM PUBLIC;
REVOKE ALL ON credits.usage_records FROM PUBLIC;
REVOKE ALL ON credits.my_usage_records FROM PUBLIC;
REVOKE ALL ON credits_internal.usage_so_far FROM PUBLIC;
REVOKE ALL ON credits.usage_record_summaries FROM PUBLIC;
REVOKE ALL ON credits.my_usage_record_summaries FROM PUBLIC;
REVOKE ALL ON credits.invoiced_events FROM PUBLIC;
REVOKE ALL ON credits.checkout_sessions FROM PUBLIC;
REVOKE ALL ON credits.my_checkout_sessions FROM PUBLIC;
REVOKE ALL ON credits.payment_links FROM PUBLIC;
REVOKE ALL ON credits_internal.searched_customers FROM PUBLIC;
REVOKE ALL ON credits_internal.searched_products FROM PUBLIC;
REVOKE ALL ON credits_internal.searched_prices FROM PUBLIC;
REVOKE ALL ON credits_internal.searched_invoices FROM PUBLIC;
REVOKE ALL ON credits_internal.searched_payment_intents FROM PUBLIC;
REVOKE ALL ON credits_internal.searched_refunds FROM PUBLIC;
REVOKE ALL ON credits.balance_alerts FROM PUBLIC;
REVOKE ALL ON credits.billing_events FROM PUBLIC;
REVOKE ALL ON credits.webhook_endpoints FROM PUBLIC;
REVOKE ALL ON credits.webhook_attempts FROM PUBLIC;
REVOKE ALL ON credits_internal.hold_lines FROM PUBLIC;
REVOKE ALL ON credits_internal.value_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.correction_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.limit_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.cost_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.rollover_lines FROM PUBLIC;
REVOKE ALL ON credits_internal.rollover_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.invoice_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.event_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.stock_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.discount_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.checkout_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.subscription_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.usage_record_discrepancies FROM PUBLIC;
REVOKE ALL ON credits_internal.invoiced_event_discrepancies FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.currency_create(text, text, integer, text, text, jsonb, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.customer_upsert(text, text, text, jsonb, text, text, jsonb, jsonb, text, text, numeric, jsonb, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.customer_delete(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_availability(text, numeric, text, numeric, integer, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wallet_debit(text, numeric, text, text, text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wallet_try_debit(text, numeric, text, text, text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.hold_create(text, numeric, text, interval, text, text, jsonb, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.hold_update(text, uuid, numeric, timestamptz, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.operation_reverse(text, uuid, text, numeric, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_limit_set(text, text, numeric, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.member_limit_set(text, text, numeric, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text, text, jsonb, numeric, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_void(text, uuid, text, numeric, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_expire(text, uuid, numeric, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_update(text, uuid, text, jsonb, integer, timestamptz, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_extend(text, uuid, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_suspend(text, uuid, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_resume(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits_internal.due_rollovers(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits_internal.rollover_terms(numeric, numeric, integer, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits_internal.rolls_over(numeric, numeric, smallint, numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_grant_summary(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.wallet_history(text, text, integer, bigint, text, uuid, text, text, timestamptz, timestamptz, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits_internal.share(numeric, numeric, numeric, smallint) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.customer_me() FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.meter_create(text, text, text, numeric, text, text, text, text, text, text, jsonb, jsonb, boolean, text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.meter_update(text, text, numeric, text, text, text, jsonb, jsonb, timestamptz, text, numeric, boolean, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.meter_price_override(text, text, jsonb, numeric, numeric, timestamptz, timestamptz, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.meter_price_override_end(text, text, integer, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.hold_capture(text, uuid, numeric, text, jsonb, text, numeric, text, text, boolean, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.meter_event_adjust(text, text, numeric, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.pending_amount(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_price(text, numeric, jsonb, integer, text, text, timestamptz, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.credit_transaction_summary(text, text, text, text, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.product_create(text, text, text, text[], text[], text, text, jsonb, jsonb, jsonb, text, numeric, text, text, integer, interval, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.product_update(uuid, text, text, numeric, text, integer, interval, text[], jsonb, text, text[], text[], text, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.product_delete(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_create(uuid, text, numeric, text, jsonb, text, text, jsonb, jsonb, integer, jsonb, text, jsonb, text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_update(uuid, numeric, text, jsonb, text, text, jsonb, jsonb, integer, jsonb, text, jsonb, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_inventory(uuid, integer, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.price_delete(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.package_create(text, numeric, numeric, text, text, text, text, integer, interval, text[], jsonb, boolean, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.coupon_create(text, numeric, numeric, text, jsonb, jsonb, text, integer, uuid[], integer, integer, timestamptz, jsonb, text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.coupon_update(uuid, text, numeric, numeric, text, jsonb, jsonb, text, integer, uuid[], integer, integer, timestamptz, text, jsonb, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.coupon_delete(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.coupon_used(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.coupon_redemptions(uuid, text, integer, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_create(uuid, text, integer, timestamptz, text[], text, jsonb, timestamptz, text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_update(uuid, boolean, integer, timestamptz, text[], text, jsonb, timestamptz, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_archive(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_delete(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_used(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_by_code(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.promotion_code_redemptions(uuid, text, integer, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.voucher_redeem(text, text, text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_intent_begin(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_intent_update(text, uuid, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_processing(text, uuid, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_requires_action(text, uuid, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_method_attach(text, text, text, text, timestamptz, boolean, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_method_detach(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_refunded(text, uuid, text, text, numeric, numeric, text, text, text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_refund_failed(text, uuid, text, text, text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_create(text, uuid, numeric, jsonb, text, text, jsonb, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_intent_refund(text, uuid, numeric, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_begin(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.refund_cancel(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_create(text, jsonb, text, text, timestamptz, integer, numeric, numeric, boolean, text, text, jsonb, jsonb, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_finalize(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_pay(text, uuid, text, numeric, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_void(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_mark_uncollectible(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_update(text, uuid, text, timestamptz, integer, numeric, numeric, jsonb, text, jsonb, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_delete(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.customer_overdue_invoices(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_item_create(text, text, numeric, text, uuid, numeric, numeric, numeric, text, timestamptz, timestamptz, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_item_delete(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_return_deposit_info(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_return_deposit(text, uuid, numeric, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.invoice_html(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.my_invoice_html(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_item_create(text, uuid, uuid, text, numeric, jsonb, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_item_update(text, uuid, uuid, text, numeric, jsonb, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_item_delete(text, uuid, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_create(text, jsonb, integer, timestamptz, text, timestamptz, text, integer, integer, uuid, text, text, uuid, boolean, text, jsonb, text, text, numeric, boolean, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_cancel(text, uuid, text, text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_recover(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_update(text, uuid, jsonb, text, text, text, integer, integer, uuid, text, jsonb, text, numeric, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_preview(text, uuid, jsonb, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_delete(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.usage_record_create(text, uuid, numeric, text, timestamptz, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_pause(text, uuid, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.subscription_resume(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_create(text, text, jsonb, text, jsonb, boolean, text, text, text, timestamptz, numeric, text, text, jsonb, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_verify(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_update(text, uuid, jsonb, jsonb, boolean, text, text, text, timestamptz, numeric, text, jsonb, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_apply_promotion_code(text, uuid, text, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_remove_promotion_code(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_submit(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.checkout_session_expire(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits_internal.payment_link_url(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_link_create(text, jsonb, text, jsonb, text, boolean, jsonb, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_link_update(uuid, text, jsonb, jsonb, text, boolean, jsonb, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_link_archive(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.payment_link_open(text, uuid, text, jsonb, text, text, text, timestamptz, text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits_internal.search_words(timestamptz, text, text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.search(text, text[], text, integer, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.configure_auto_recharge(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval, interval, numeric, integer, numeric, integer, numeric, interval, timestamptz, integer, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.balance_alert_set(text, text, numeric[], text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_endpoint_create(text, text[], text, jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_endpoint_update(uuid, text, text[], text, boolean, interval, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_endpoint_delete(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_claim(text, integer, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_report(uuid, integer, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_test(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.webhook_resend(uuid, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.history_import(text, jsonb, text, text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.reset() FROM PUBLIC;
REVOKE INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata) ON credits.inbox FROM credits_admin;
REVOKE INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata) ON credits.inbox FROM credits_app;
REVOKE INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata) ON credits.inbox FROM credits_meter;
GRANT EXECUTE ON FUNCTION credits.balance_alert_set(text, text, numeric[], text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_apply_promotion_code(text, uuid, text, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_apply_promotion_code(text, uuid, text, text, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.checkout_session_create(text, text, jsonb, text, jsonb, boolean, text, text, text, timestamptz, numeric, text, text, jsonb, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_create(text, text, jsonb, text, jsonb, boolean, text, text, text, timestamptz, numeric, text, text, jsonb, text, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.checkout_session_expire(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_expire(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.checkout_session_remove_promotion_code(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_remove_promotion_code(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.checkout_session_submit(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_submit(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.checkout_session_update(text, uuid, jsonb, jsonb, boolean, text, text, text, timestamptz, numeric, text, jsonb, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_update(text, uuid, jsonb, jsonb, boolean, text, text, text, timestamptz, numeric, text, jsonb, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.checkout_session_verify(text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.checkout_session_verify(text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.clock() TO credits_customer;
GRANT EXECUTE ON FUNCTION credits.configure_auto_recharge(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval, interval, numeric, integer, numeric, integer, numeric, interval, timestamptz, integer, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.configure_auto_recharge(text, text, boolean, numeric, uuid, integer, text, integer, numeric, interval, interval, numeric, integer, numeric, integer, numeric, interval, timestamptz, integer, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.coupon_create(text, numeric, numeric, text, jsonb, jsonb, text, integer, uuid[], integer, integer, timestamptz, jsonb, text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.coupon_delete(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.coupon_redemptions(uuid, text, integer, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.coupon_redemptions(uuid, text, integer, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.coupon_redemptions(uuid, text, integer, uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.coupon_update(uuid, text, numeric, numeric, text, jsonb, jsonb, text, integer, uuid[], integer, integer, timestamptz, text, jsonb, boolean) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.coupon_used(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.coupon_used(uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.coupon_used(uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.credit_availability(text, numeric, text, numeric, integer, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_availability(text, numeric, text, numeric, integer, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_availability(text, numeric, text, numeric, integer, text, text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text, text, jsonb, numeric, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text, text, jsonb, numeric, text, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_expire(text, uuid, numeric, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_expire(text, uuid, numeric, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_extend(text, uuid, timestamptz) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_extend(text, uuid, timestamptz) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_resume(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_resume(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_summary(text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_summary(text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_summary(text, text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.credit_grant_suspend(text, uuid, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_suspend(text, uuid, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_update(text, uuid, text, jsonb, integer, timestamptz, boolean) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_update(text, uuid, text, jsonb, integer, timestamptz, boolean) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_grant_void(text, uuid, text, numeric, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_grant_void(text, uuid, text, numeric, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_transaction_summary(text, text, text, text, timestamptz, timestamptz) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.credit_transaction_summary(text, text, text, text, timestamptz, timestamptz) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.credit_transaction_summary(text, text, text, text, timestamptz, timestamptz) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.currency_create(text, text, integer, text, text, jsonb, boolean) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.customer_delete(text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.customer_delete(text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.customer_me() TO credits_customer;
GRANT EXECUTE ON FUNCTION credits.customer_overdue_invoices(text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.customer_overdue_invoices(text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.customer_overdue_invoices(text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.customer_upsert(text, text, text, jsonb, text, text, jsonb, jsonb, text, text, numeric, jsonb, text, timestamptz) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.customer_upsert(text, text, text, jsonb, text, text, jsonb, jsonb, text, text, numeric, jsonb, text, timestamptz) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.help(text) TO credits_sender;
GRANT EXECUTE ON FUNCTION credits.hold_capture(text, uuid, numeric, text, jsonb, text, numeric, text, text, boolean, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.hold_capture(text, uuid, numeric, text, jsonb, text, numeric, text, text, boolean, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.hold_create(text, numeric, text, interval, text, text, jsonb, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.hold_create(text, numeric, text, interval, text, text, jsonb, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.hold_update(text, uuid, numeric, timestamptz, interval) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.hold_update(text, uuid, numeric, timestamptz, interval) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_create(text, jsonb, text, text, timestamptz, integer, numeric, numeric, boolean, text, text, jsonb, jsonb, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_create(text, jsonb, text, text, timestamptz, integer, numeric, numeric, boolean, text, text, jsonb, jsonb, text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_delete(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_delete(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_finalize(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_finalize(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_html(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_html(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_html(text, uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.invoice_item_create(text, text, numeric, text, uuid, numeric, numeric, numeric, text, timestamptz, timestamptz, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_item_create(text, text, numeric, text, uuid, numeric, numeric, numeric, text, timestamptz, timestamptz, jsonb, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_item_delete(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_item_delete(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_mark_uncollectible(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_mark_uncollectible(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_pay(text, uuid, text, numeric, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_pay(text, uuid, text, numeric, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_return_deposit(text, uuid, numeric, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_return_deposit(text, uuid, numeric, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_return_deposit_info(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_return_deposit_info(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_update(text, uuid, text, timestamptz, integer, numeric, numeric, jsonb, text, jsonb, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_update(text, uuid, text, timestamptz, integer, numeric, numeric, jsonb, text, jsonb, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.invoice_void(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.invoice_void(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.member_limit_set(text, text, numeric, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.member_limit_set(text, text, numeric, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.meter_create(text, text, text, numeric, text, text, text, text, text, text, jsonb, jsonb, boolean, text, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.meter_event_adjust(text, text, numeric, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.meter_event_adjust(text, text, numeric, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.meter_price_override(text, text, jsonb, numeric, numeric, timestamptz, timestamptz, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.meter_price_override_end(text, text, integer, timestamptz) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.meter_update(text, text, numeric, text, text, text, jsonb, jsonb, timestamptz, text, numeric, boolean, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.my_invoice_html(uuid) TO credits_customer;
GRANT EXECUTE ON FUNCTION credits.operation_reverse(text, uuid, text, numeric, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.operation_reverse(text, uuid, text, numeric, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.package_create(text, numeric, numeric, text, text, text, text, integer, interval, text[], jsonb, boolean, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_intent_begin TO credits_worker;
GRANT EXECUTE ON FUNCTION credits.payment_intent_begin(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_intent_begin(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_intent_refund(text, uuid, numeric, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_intent_refund(text, uuid, numeric, text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_intent_update(text, uuid, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_intent_update(text, uuid, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_link_archive(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_link_create(text, jsonb, text, jsonb, text, boolean, jsonb, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_link_open(text, uuid, text, jsonb, text, text, text, timestamptz, text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_link_open(text, uuid, text, jsonb, text, text, text, timestamptz, text, jsonb, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_link_update(uuid, text, jsonb, jsonb, text, boolean, jsonb, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_method_attach(text, text, text, text, timestamptz, boolean, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_method_attach(text, text, text, text, timestamptz, boolean, text, jsonb) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_method_detach(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_method_detach(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_processing TO credits_worker;
GRANT EXECUTE ON FUNCTION credits.payment_processing(text, uuid, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_processing(text, uuid, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_refund_failed TO credits_worker;
GRANT EXECUTE ON FUNCTION credits.payment_refund_failed(text, uuid, text, text, text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_refund_failed(text, uuid, text, text, text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_refunded TO credits_worker;
GRANT EXECUTE ON FUNCTION credits.payment_refunded(text, uuid, text, text, numeric, numeric, text, text, text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_refunded(text, uuid, text, text, numeric, numeric, text, text, text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.payment_requires_action TO credits_worker;
GRANT EXECUTE ON FUNCTION credits.payment_requires_action(text, uuid, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.payment_requires_action(text, uuid, text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.pending_amount(text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.pending_amount(text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.pending_amount(text, text, text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.price_create(uuid, text, numeric, text, jsonb, text, text, jsonb, jsonb, integer, jsonb, text, jsonb, text, integer) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.price_delete(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.price_inventory(uuid, integer, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.price_update(uuid, numeric, text, jsonb, text, text, jsonb, jsonb, integer, jsonb, text, jsonb, integer) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.product_create(text, text, text, text[], text[], text, text, jsonb, jsonb, jsonb, text, numeric, text, text, integer, interval, text[]) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.product_delete(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.product_update(uuid, text, text, numeric, text, integer, interval, text[], jsonb, text, text[], text[], text, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_archive(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_by_code(text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_by_code(text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.promotion_code_by_code(text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.promotion_code_create(uuid, text, integer, timestamptz, text[], text, jsonb, timestamptz, text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_delete(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_redemptions(uuid, text, integer, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_redemptions(uuid, text, integer, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.promotion_code_redemptions(uuid, text, integer, uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.promotion_code_update(uuid, boolean, integer, timestamptz, text[], text, jsonb, timestamptz, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_used(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.promotion_code_used(uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.promotion_code_used(uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.refund_begin TO credits_worker;
GRANT EXECUTE ON FUNCTION credits.refund_begin(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.refund_begin(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.refund_cancel(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.refund_cancel(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.refund_create(text, uuid, numeric, jsonb, text, text, jsonb, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.refund_create(text, uuid, numeric, jsonb, text, text, jsonb, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.report_meter_event TO credits_meter;
GRANT EXECUTE ON FUNCTION credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.report_meter_events(jsonb, boolean) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.report_meter_events(jsonb, boolean) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.report_meter_events(jsonb, boolean) TO credits_meter;
GRANT EXECUTE ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean, text[]) TO credits_meter;
GRANT EXECUTE ON FUNCTION credits.search(text, text[], text, integer, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.search(text, text[], text, integer, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.search(text, text[], text, integer, text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.subscription_cancel(text, uuid, text, text, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_cancel(text, uuid, text, text, text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_create(text, jsonb, integer, timestamptz, text, timestamptz, text, integer, integer, uuid, text, text, uuid, boolean, text, jsonb, text, text, numeric, boolean, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_create(text, jsonb, integer, timestamptz, text, timestamptz, text, integer, integer, uuid, text, text, uuid, boolean, text, jsonb, text, text, numeric, boolean, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_delete(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_delete(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_item_create(text, uuid, uuid, text, numeric, jsonb, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_item_create(text, uuid, uuid, text, numeric, jsonb, text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_item_delete(text, uuid, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_item_delete(text, uuid, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_item_update(text, uuid, uuid, text, numeric, jsonb, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_item_update(text, uuid, uuid, text, numeric, jsonb, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_pause(text, uuid, timestamptz) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_pause(text, uuid, timestamptz) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_preview(text, uuid, jsonb, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_preview(text, uuid, jsonb, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_recover(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_recover(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_resume(text, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_resume(text, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.subscription_update(text, uuid, jsonb, text, text, text, integer, integer, uuid, text, jsonb, text, numeric, boolean) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.subscription_update(text, uuid, jsonb, text, text, text, integer, integer, uuid, text, jsonb, text, numeric, boolean) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.usage_limit_set(text, text, numeric, text, text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.usage_limit_set(text, text, numeric, text, text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.usage_price(text, numeric, jsonb, integer, text, text, timestamptz, integer) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.usage_price(text, numeric, jsonb, integer, text, text, timestamptz, integer) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.usage_price(text, numeric, jsonb, integer, text, text, timestamptz, integer) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.usage_record_create(text, uuid, numeric, text, timestamptz, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.usage_record_create(text, uuid, numeric, text, timestamptz, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.voucher_redeem(text, text, text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.voucher_redeem(text, text, text, jsonb, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.wallet_debit(text, numeric, text, text, text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.wallet_debit(text, numeric, text, text, text, jsonb, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.wallet_history(text, text, integer, bigint, text, uuid, text, text, timestamptz, timestamptz, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.wallet_history(text, text, integer, bigint, text, uuid, text, text, timestamptz, timestamptz, uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.wallet_history(text, text, integer, bigint, text, uuid, text, text, timestamptz, timestamptz, uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits.wallet_try_debit(text, numeric, text, text, text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.wallet_try_debit(text, numeric, text, text, text, jsonb, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits.webhook_claim TO credits_sender;
GRANT EXECUTE ON FUNCTION credits.webhook_claim(text, integer, interval) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.webhook_endpoint_create(text, text[], text, jsonb, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.webhook_endpoint_delete(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.webhook_endpoint_update(uuid, text, text[], text, boolean, interval, text, jsonb) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.webhook_report TO credits_sender;
GRANT EXECUTE ON FUNCTION credits.webhook_report(uuid, integer, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.webhook_resend(uuid, uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits.webhook_test(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits_internal.due_rollovers(text, text) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits_internal.due_rollovers(text, text) TO credits_app;
GRANT EXECUTE ON FUNCTION credits_internal.due_rollovers(text, text) TO credits_read;
GRANT EXECUTE ON FUNCTION credits_internal.error_code_list() TO credits_sender;
GRANT EXECUTE ON FUNCTION credits_internal.payment_link_url(uuid) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits_internal.payment_link_url(uuid) TO credits_app;
GRANT EXECUTE ON FUNCTION credits_internal.payment_link_url(uuid) TO credits_read;
GRANT EXECUTE ON FUNCTION credits_internal.rollover_terms(numeric, numeric, integer, interval) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits_internal.rollover_terms(numeric, numeric, integer, interval) TO credits_app;
GRANT EXECUTE ON FUNCTION credits_internal.rollover_terms(numeric, numeric, integer, interval) TO credits_read;
GRANT EXECUTE ON FUNCTION credits_internal.share(numeric, numeric, numeric, smallint) TO credits_admin;
GRANT EXECUTE ON FUNCTION credits_internal.share(numeric, numeric, numeric, smallint) TO credits_app;
GRANT EXECUTE ON FUNCTION credits_internal.share(numeric, numeric, numeric, smallint) TO credits_read;
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata, member_id) ON credits.inbox TO credits_admin;
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata, member_id) ON credits.inbox TO credits_app;
GRANT INSERT (customer_id, event_name, value, identifier, occurred_at, subscription_id, source_data, metadata, member_id) ON credits.inbox TO credits_meter;
GRANT SELECT ON credits.balance_alerts TO credits_admin;
GRANT SELECT ON credits.balance_alerts TO credits_app;
GRANT SELECT ON credits.balance_alerts TO credits_read;
GRANT SELECT ON credits.billing_events TO credits_admin;
GRANT SELECT ON credits.billing_events TO credits_app;
GRANT SELECT ON credits.billing_events TO credits_read;
GRANT SELECT ON credits.checkout_sessions TO credits_admin;
GRANT SELECT ON credits.checkout_sessions TO credits_app;
GRANT SELECT ON credits.checkout_sessions TO credits_read;
GRANT SELECT ON credits.coupons TO credits_admin;
GRANT SELECT ON credits.coupons TO credits_app;
GRANT SELECT ON credits.coupons TO credits_read;
GRANT SELECT ON credits.discount_log TO credits_admin;
GRANT SELECT ON credits.discount_log TO credits_app;
GRANT SELECT ON credits.discount_log TO credits_read;
GRANT SELECT ON credits.error_codes TO credits_sender;
GRANT SELECT ON credits.hold_captures TO credits_admin;
GRANT SELECT ON credits.hold_captures TO credits_app;
GRANT SELECT ON credits.hold_captures TO credits_read;
GRANT SELECT ON credits.invoice_lines TO credits_admin;
GRANT SELECT ON credits.invoice_lines TO credits_app;
GRANT SELECT ON credits.invoice_lines TO credits_read;
GRANT SELECT ON credits.invoice_payments TO credits_admin;
GRANT SELECT ON credits.invoice_payments TO credits_app;
GRANT SELECT ON credits.invoice_payments TO credits_read;
GRANT SELECT ON credits.invoiced_events TO credits_admin;
GRANT SELECT ON credits.invoiced_events TO credits_app;
GRANT SELECT ON credits.invoiced_events TO credits_read;
GRANT SELECT ON credits.invoices TO credits_admin;
GRANT SELECT ON credits.invoices TO credits_app;
GRANT SELECT ON credits.invoices TO credits_read;
GRANT SELECT ON credits.limits TO credits_admin;
GRANT SELECT ON credits.limits TO credits_app;
GRANT SELECT ON credits.limits TO credits_read;
GRANT SELECT ON credits.my_checkout_sessions TO credits_customer;
GRANT SELECT ON credits.my_invoice_lines TO credits_customer;
GRANT SELECT ON credits.my_invoices TO credits_customer;
GRANT SELECT ON credits.my_payment_intents TO credits_customer;
GRANT SELECT ON credits.my_payment_methods TO credits_customer;
GRANT SELECT ON credits.my_refunds TO credits_customer;
GRANT SELECT ON credits.my_subscriptions TO credits_customer;
GRANT SELECT ON credits.my_usage_record_summaries TO credits_customer;
GRANT SELECT ON credits.my_usage_records TO credits_customer;
GRANT SELECT ON credits.payment_intents TO credits_admin;
GRANT SELECT ON credits.payment_intents TO credits_app;
GRANT SELECT ON credits.payment_intents TO credits_read;
GRANT SELECT ON credits.payment_links TO credits_admin;
GRANT SELECT ON credits.payment_links TO credits_app;
GRANT SELECT ON credits.payment_links TO credits_read;
GRANT SELECT ON credits.payment_methods TO credits_admin;
GRANT SELECT ON credits.payment_methods TO credits_app;
GRANT SELECT ON credits.payment_methods TO credits_read;
GRANT SELECT ON credits.price_overrides TO credits_admin;
GRANT SELECT ON credits.price_overrides TO credits_app;
GRANT SELECT ON credits.price_overrides TO credits_read;
GRANT SELECT ON credits.promotion_codes TO credits_admin;
GRANT SELECT ON credits.promotion_codes TO credits_app;
GRANT SELECT ON credits.promotion_codes TO credits_read;
GRANT SELECT ON credits.refunds TO credits_admin;
GRANT SELECT ON credits.refunds TO credits_app;
GRANT SELECT ON credits.refunds TO credits_read;
GRANT SELECT ON credits.revenue TO credits_admin;
GRANT SELECT ON credits.revenue TO credits_app;
GRANT SELECT ON credits.revenue TO credits_read;
GRANT SELECT ON credits.subscription_items TO credits_admin;
GRANT SELECT ON credits.subscription_items TO credits_app;
GRANT SELECT ON credits.subscription_items TO credits_read;
GRANT SELECT ON credits.subscriptions TO credits_admin;
GRANT SELECT ON credits.subscriptions TO credits_app;
GRANT SELECT ON credits.subscriptions TO credits_read;
GRANT SELECT ON credits.usage_adjustments TO credits_admin;
GRANT SELECT ON credits.usage_adjustments TO credits_app;
GRANT SELECT ON credits.usage_adjustments TO credits_read;
GRANT SELECT ON credits.usage_record_summaries TO credits_admin;
GRANT SELECT ON credits.usage_record_summaries TO credits_app;
GRANT SELECT ON credits.usage_record_summaries TO credits_read;
GRANT SELECT ON credits.usage_records TO credits_admin;
GRANT SELECT ON credits.usage_records TO credits_app;
GRANT SELECT ON credits.usage_records TO credits_read;
GRANT SELECT ON credits.webhook_attempts TO credits_admin;
GRANT SELECT ON credits.webhook_attempts TO credits_app;
GRANT SELECT ON credits.webhook_attempts TO credits_read;
GRANT SELECT ON credits.webhook_endpoints TO credits_admin;
GRANT SELECT ON credits.webhook_endpoints TO credits_app;
GRANT SELECT ON credits.webhook_endpoints TO credits_read;
GRANT SELECT ON credits_internal.function_docs TO credits_sender;
GRANT SELECT ON credits_internal.function_fields TO credits_sender;
GRANT USAGE ON SCHEMA credits TO credits_sender;
GRANT USAGE ON TYPE credits.balance_alert TO credits_admin;
GRANT USAGE ON TYPE credits.checkout_session TO credits_admin;
GRANT USAGE ON TYPE credits.checkout_session TO credits_app;
GRANT USAGE ON TYPE credits.coupon TO credits_admin;
GRANT USAGE ON TYPE credits.deposit TO credits_admin;
GRANT USAGE ON TYPE credits.deposit TO credits_app;
GRANT USAGE ON TYPE credits.event_adjustment TO credits_admin;
GRANT USAGE ON TYPE credits.event_adjustment TO credits_app;
GRANT USAGE ON TYPE credits.invoice TO credits_admin;
GRANT USAGE ON TYPE credits.invoice TO credits_app;
GRANT USAGE ON TYPE credits.invoice TO credits_read;
GRANT USAGE ON TYPE credits.invoice_line TO credits_admin;
GRANT USAGE ON TYPE credits.invoice_line TO credits_app;
GRANT USAGE ON TYPE credits.own_customer TO credits_customer;
GRANT USAGE ON TYPE credits.payment_attempt TO credits_admin;
GRANT USAGE ON TYPE credits.payment_attempt TO credits_app;
GRANT USAGE ON TYPE credits.payment_attempt TO credits_worker;
GRANT USAGE ON TYPE credits.payment_intent TO credits_admin;
GRANT USAGE ON TYPE credits.payment_intent TO credits_app;
GRANT USAGE ON TYPE credits.payment_link TO credits_admin;
GRANT USAGE ON TYPE credits.payment_method TO credits_admin;
GRANT USAGE ON TYPE credits.payment_method TO credits_app;
GRANT USAGE ON TYPE credits.price_override TO credits_admin;
GRANT USAGE ON TYPE credits.promotion_code TO credits_admin;
GRANT USAGE ON TYPE credits.promotion_code TO credits_app;
GRANT USAGE ON TYPE credits.promotion_code TO credits_read;
GRANT USAGE ON TYPE credits.redemption TO credits_admin;
GRANT USAGE ON TYPE credits.redemption TO credits_app;
GRANT USAGE ON TYPE credits.redemption TO credits_read;
GRANT USAGE ON TYPE credits.refund TO credits_admin;
GRANT USAGE ON TYPE credits.refund TO credits_app;
GRANT USAGE ON TYPE credits.refund_attempt TO credits_admin;
GRANT USAGE ON TYPE credits.refund_attempt TO credits_app;
GRANT USAGE ON TYPE credits.refund_attempt TO credits_worker;
GRANT USAGE ON TYPE credits.reversal TO credits_admin;
GRANT USAGE ON TYPE credits.reversal TO credits_app;
GRANT USAGE ON TYPE credits.spending_limit TO credits_admin;
GRANT USAGE ON TYPE credits.spending_limit TO credits_app;
GRANT USAGE ON TYPE credits.subscription TO credits_admin;
GRANT USAGE ON TYPE credits.subscription TO credits_app;
GRANT USAGE ON TYPE credits.subscription_item TO credits_admin;
GRANT USAGE ON TYPE credits.subscription_item TO credits_app;
GRANT USAGE ON TYPE credits.subscription_preview TO credits_admin;
GRANT USAGE ON TYPE credits.subscription_preview TO credits_app;
GRANT USAGE ON TYPE credits.transaction_total TO credits_admin;
GRANT USAGE ON TYPE credits.transaction_total TO credits_app;
GRANT USAGE ON TYPE credits.transaction_total TO credits_read;
GRANT USAGE ON TYPE credits.usage_record TO credits_admin;
GRANT USAGE ON TYPE credits.usage_record TO credits_app;
GRANT USAGE ON TYPE credits.voucher TO credits_admin;
GRANT USAGE ON TYPE credits.voucher TO credits_app;
GRANT USAGE ON TYPE credits.webhook_endpoint TO credits_admin;
GRANT USAGE ON TYPE credits.webhook_outcome TO credits_admin;
GRANT USAGE ON TYPE credits.webhook_outcome TO credits_sender;
GRANT USAGE ON TYPE credits.webhook_request TO credits_admin;
GRANT USAGE ON TYPE credits.webhook_request TO credits_sender;
