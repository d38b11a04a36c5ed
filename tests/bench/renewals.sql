-- What the row renewals measures: :renewals subscriptions whose periods end at one moment, an hour after another.
-- Loaded once, by ./run, where that row is chosen.
--
--   floor  The least that can be called a renewal: one UPDATE of the subscription and one INSERT of an invoice under
--          a unique key, in one statement each.
--   hand   What is written by hand in PL/pgSQL: the next number of the customer's invoices, the invoice, its line,
--          what a worker is to charge, and a row that tells it; a commit after each hundred, and no two workers at
--          one customer.
--   ours   maintain(): that, with tax, discounts and pending items looked for, instalments of credits planned, four
--          events for whoever follows along, and all that a search finds.

CREATE TABLE floor_subscription (
    customer_id text PRIMARY KEY, price numeric NOT NULL, period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON floor_subscription (period_end);
CREATE TABLE floor_invoice (
    customer_id text NOT NULL, period_start timestamptz NOT NULL, period_end timestamptz NOT NULL,
    total numeric NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (customer_id, period_start));
INSERT INTO floor_subscription SELECT 'sub_' || i, 20, :'began', :'began'::timestamptz + interval '1 hour'
FROM generate_series(1, :renewals) i;
CREATE PROCEDURE floor_renew(at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    customers text[];
    customer text;
BEGIN
    LOOP
        SELECT array_agg(d.customer_id) INTO customers FROM (
            SELECT s.customer_id FROM floor_subscription s WHERE s.period_end <= at ORDER BY s.period_end LIMIT 100) d;
        EXIT WHEN customers IS NULL;
        FOREACH customer IN ARRAY customers LOOP
            WITH renewed AS (
                UPDATE floor_subscription s
                SET period_start = s.period_end, period_end = s.period_end + interval '1 hour'
                WHERE s.customer_id = customer RETURNING s.*)
            INSERT INTO floor_invoice (customer_id, period_start, period_end, total)
            SELECT r.customer_id, r.period_start, r.period_end, r.price FROM renewed r;
        END LOOP;
        COMMIT;
    END LOOP;
END $$;

CREATE TABLE hand_customer (
    customer_id text PRIMARY KEY, name text, payment_method text, last_no bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE TABLE hand_subscription (
    subscription_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id text NOT NULL, status text NOT NULL,
    price numeric NOT NULL, credits numeric NOT NULL, period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON hand_subscription (period_end) WHERE status = 'active';
CREATE TABLE hand_invoice (
    invoice_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id text NOT NULL, subscription_id uuid NOT NULL,
    number text NOT NULL, status text NOT NULL, customer_name text, total numeric NOT NULL,
    period_start timestamptz NOT NULL, period_end timestamptz NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, number), UNIQUE (subscription_id, period_start));
CREATE TABLE hand_line (
    line_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), invoice_id uuid NOT NULL, description text,
    quantity numeric NOT NULL, amount numeric NOT NULL, credits numeric, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON hand_line (invoice_id);
CREATE TABLE hand_payment (
    payment_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), invoice_id uuid NOT NULL, status text NOT NULL,
    amount numeric NOT NULL, payment_method text, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON hand_payment (invoice_id);
CREATE TABLE hand_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text NOT NULL, payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO hand_customer (customer_id, name, payment_method)
SELECT 'sub_' || i, 'Customer ' || i, 'card ' || i FROM generate_series(1, :renewals) i;
INSERT INTO hand_subscription (customer_id, status, price, credits, period_start, period_end)
SELECT 'sub_' || i, 'active', 20, 1000, :'began', :'began'::timestamptz + interval '1 hour'
FROM generate_series(1, :renewals) i;
CREATE PROCEDURE hand_renew(at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    subscriptions uuid[];
    subscription uuid;
    sub hand_subscription;
    customer hand_customer;
    invoice uuid;
    payment uuid;
BEGIN
    LOOP
        SELECT array_agg(d.subscription_id) INTO subscriptions FROM (
            SELECT s.subscription_id FROM hand_subscription s JOIN hand_customer c ON c.customer_id = s.customer_id
            WHERE s.status = 'active' AND s.period_end <= at ORDER BY s.period_end LIMIT 100
            FOR NO KEY UPDATE OF c SKIP LOCKED) d;
        EXIT WHEN subscriptions IS NULL;
        FOREACH subscription IN ARRAY subscriptions LOOP
            SELECT * INTO sub FROM hand_subscription s WHERE s.subscription_id = subscription FOR NO KEY UPDATE;
            UPDATE hand_customer c SET last_no = c.last_no + 1 WHERE c.customer_id = sub.customer_id
            RETURNING * INTO customer;
            INSERT INTO hand_invoice (customer_id, subscription_id, number, status, customer_name, total, period_start,
                                      period_end)
            VALUES (sub.customer_id, subscription, customer.customer_id || '-' || customer.last_no, 'open',
                    customer.name, sub.price, sub.period_end, sub.period_end + interval '1 hour')
            RETURNING invoice_id INTO invoice;
            INSERT INTO hand_line (invoice_id, description, quantity, amount, credits)
            VALUES (invoice, 'Plan', 1, sub.price, sub.credits);
            INSERT INTO hand_payment (invoice_id, status, amount, payment_method)
            VALUES (invoice, 'requested', sub.price, customer.payment_method) RETURNING payment_id INTO payment;
            INSERT INTO hand_outbox (type, payload)
            VALUES ('payment.requested', jsonb_build_object('payment_id', payment, 'amount', sub.price));
            UPDATE hand_subscription s SET period_start = s.period_end, period_end = s.period_end + interval '1 hour'
            WHERE s.subscription_id = subscription;
        END LOOP;
        COMMIT;
    END LOOP;
END $$;

-- The first period is free, so that no invoice of the beginning is to be paid.
SET credits.test_clock_drives_billing = on;
SELECT set_config('credits.test_clock', :'began', false);
SELECT currency FROM credits.currency_create('USD', kind => 'fiat');
SELECT lookup_key FROM credits.price_create((credits.product_create('Plan')).product_id, 'recurring', 20, 'USD',
    recurring => '{"interval": "hour"}', lookup_key => 'plan',
    credit_config => '{"amount": 1000, "schedule": {"expire_with_next_grant": true}}');
SELECT consumer FROM credits.outbox_consumer_create('charger');
SELECT count(s.status)
FROM generate_series(1, :renewals) AS v (i),
     credits.customer_upsert('sub_' || i, 'Customer ' || i) AS c,
     credits.payment_method_attach(c.customer_id, 'acmepay', NULL, 'card ' || i) AS m,
     credits.subscription_create(m.customer_id, '[{"lookup_key": "plan"}]', proration_behavior => 'none',
         billing_cycle_anchor => :'began'::timestamptz + interval '30 minutes') AS s;
RESET credits.test_clock;
