-- Search: objects by their words. Each kind of object has its own part below: the view that says which words it has,
-- the index that keeps them, written as the view has them, and one from the newest to the oldest. Each word is kept
-- together with the stretch of time in which the object was created, so the newest that have it are found first. Few
-- rows wait to be entered (gin_pending_list_limit): a search asks an index for each stretch, and reads them each time.

CREATE FUNCTION credits_internal.search_words(
    created_at timestamptz, customer_id text, texts text[], documents text[])
RETURNS text[]
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'search_words_wrapper';
COMMENT ON FUNCTION credits_internal.search_words IS
'Returns the words of texts, and of all texts and numbers in JSON documents, with one that says whose they are.

Each begins with the name of the 153 hours in which the object was created. What it returns never changes: indexes hold
it.';

-- Customers.
CREATE VIEW credits_internal.searched_customers AS
SELECT c.created_at, c.customer_id, c.customer_id AS key,
       array_to_tsvector(credits_internal.search_words(
           c.created_at, c.customer_id,
           ARRAY[c.customer_id, c.name, c.email, c.phone, c.description, c.currency, c.invoice_prefix,
                 c.tax_rate::text, c.time_zone],
           ARRAY[c.address::text, c.shipping::text, c.preferences::text, c.metadata::text])) AS words
FROM credits_internal.customers c;
COMMENT ON VIEW credits_internal.searched_customers IS 'Customers with the words that search() finds them by.';

CREATE INDEX customers_by_words ON credits_internal.customers USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, customer_id,
        ARRAY[customer_id, name, email, phone, description, currency, invoice_prefix,
              tax_rate::text, time_zone],
        ARRAY[address::text, shipping::text, preferences::text, metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.customers_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX customers_newest ON credits_internal.customers (created_at, customer_id);

-- Products.
CREATE VIEW credits_internal.searched_products AS
SELECT d.created_at, NULL::text COLLATE "C" AS customer_id, d.product_id AS key,
       array_to_tsvector(credits_internal.search_words(
           d.created_at, NULL,
           ARRAY[d.product_id::text, d.name, d.description, d.type, d.unit_label, d.statement_descriptor]
               || d.images || d.features,
           ARRAY[d.credit_config::text, d.metadata::text])) AS words
FROM credits_internal.products d;
COMMENT ON VIEW credits_internal.searched_products IS 'Products with the words that search() finds them by.';

CREATE INDEX products_by_words ON credits_internal.products USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, NULL,
        ARRAY[product_id::text, name, description, type, unit_label, statement_descriptor]
            || images || features,
        ARRAY[credit_config::text, metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.products_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX products_newest ON credits_internal.products (created_at, product_id);

-- Prices.
CREATE VIEW credits_internal.searched_prices AS
SELECT p.created_at, NULL::text COLLATE "C" AS customer_id, p.price_id AS key,
       array_to_tsvector(credits_internal.search_words(
           p.created_at, NULL,
           ARRAY[p.price_id::text, p.product_id::text, p.type, p.unit_amount::text, p.currency, p.nickname,
                 p.lookup_key, p.tax_behavior],
           ARRAY[p.recurring::text, p.currency_options::text, p.pricing::text, p.credit_config::text,
                 p.metadata::text])) AS words
FROM credits_internal.prices p;
COMMENT ON VIEW credits_internal.searched_prices IS 'Prices with the words that search() finds them by.';

CREATE INDEX prices_by_words ON credits_internal.prices USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, NULL,
        ARRAY[price_id::text, product_id::text, type, unit_amount::text, currency, nickname,
              lookup_key, tax_behavior],
        ARRAY[recurring::text, currency_options::text, pricing::text, credit_config::text,
              metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.prices_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX prices_newest ON credits_internal.prices (created_at, price_id);

-- Invoices. What one keeps of a person who was erased is not found.
CREATE VIEW credits_internal.searched_invoices AS
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
COMMENT ON VIEW credits_internal.searched_invoices IS 'Invoices with the words that search() finds them by.';

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
CREATE INDEX invoices_newest ON credits_internal.invoices (created_at, invoice_id);

-- Payment intents. Whether one has expired is a matter of the moment of reading, and no word of it.
CREATE VIEW credits_internal.searched_payment_intents AS
SELECT t.created_at, t.customer_id, t.payment_intent_id AS key,
       array_to_tsvector(credits_internal.search_words(
           t.created_at, t.customer_id,
           ARRAY[t.payment_intent_id::text, t.customer_id, t.invoice_id::text, t.recharge_id::text,
                 t.payment_method_id::text, t.status, t.amount::text, t.paid_amount::text, t.refunded_amount::text,
                 t.disputed_amount::text, t.dispute_status, t.currency, t.provider, t.provider_reference,
                 t.last_payment_error, t.description],
           ARRAY[t.metadata::text])) AS words
FROM credits_internal.payment_intents t;
COMMENT ON VIEW credits_internal.searched_payment_intents IS
'Payment intents with the words that search() finds them by.';

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
CREATE INDEX payment_intents_newest ON credits_internal.payment_intents (created_at, payment_intent_id);

-- Refunds.
CREATE VIEW credits_internal.searched_refunds AS
SELECT r.created_at, r.customer_id, r.refund_id AS key,
       array_to_tsvector(credits_internal.search_words(
           r.created_at, r.customer_id,
           ARRAY[r.refund_id::text, r.customer_id, r.payment_intent_id::text, r.invoice_id::text, r.status,
                 r.amount::text, r.currency, r.reason, r.description, r.provider, r.payment_reference,
                 r.provider_reference],
           ARRAY[r.lines::text, r.metadata::text])) AS words
FROM credits_internal.refunds r;
COMMENT ON VIEW credits_internal.searched_refunds IS 'Refunds with the words that search() finds them by.';

CREATE INDEX refunds_by_words ON credits_internal.refunds USING gin (
    array_to_tsvector(credits_internal.search_words(
        created_at, customer_id,
        ARRAY[refund_id::text, customer_id, payment_intent_id::text, invoice_id::text, status,
              amount::text, currency, reason, description, provider, payment_reference,
              provider_reference],
        ARRAY[lines::text, metadata::text])))
    WITH (gin_pending_list_limit = 64);
ALTER INDEX credits_internal.refunds_by_words ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX refunds_newest ON credits_internal.refunds (created_at, refund_id);

CREATE TYPE credits.found AS (
    object text, object_id text, customer_id text, created_at timestamptz, data jsonb, cursor text);
COMMENT ON TYPE credits.found IS 'An object that search() found.';
COMMENT ON COLUMN credits.found.object IS
'What it is: ''customer'', ''product'', ''price'', ''invoice'', ''payment_intent'' or ''refund''.';
COMMENT ON COLUMN credits.found.object_id IS 'Which one: its id as text; of a customer the application''s key.';
COMMENT ON COLUMN credits.found.customer_id IS 'The customer; NULL for the catalogue''s.';
COMMENT ON COLUMN credits.found.created_at IS 'When it was created.';
COMMENT ON COLUMN credits.found.data IS
'The object as its view shows it at this moment. Amounts are strings of digits, as in billing events.';
COMMENT ON COLUMN credits.found.cursor IS 'What search() takes as after, for the rows behind this one.';

CREATE FUNCTION credits.search(
    query text, objects text[] DEFAULT NULL, customer_id text DEFAULT NULL, page_size integer DEFAULT 50,
    after text DEFAULT NULL)
RETURNS SETOF credits.found
LANGUAGE c STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'search_wrapper';
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
