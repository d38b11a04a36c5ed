-- What is sold: products, prices, packages, exchange rates. The work is in src/topup/catalog.rs and exchange_rate.rs.

CREATE FUNCTION credits.product_create(
    name text, description text DEFAULT NULL, credit_currency text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT 'paid', priority integer DEFAULT 50, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT product_id uuid, OUT name text, OUT description text, OUT credit_currency text, OUT credits numeric,
    OUT category text, OUT priority integer, OUT time_to_live interval, OUT applicable_meters text[], OUT metadata jsonb,
    OUT active boolean, OUT created_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_create_wrapper';
COMMENT ON FUNCTION credits.product_create IS
'Makes a product: what one unit of it grants. credits (required): of credit_currency (NULL: credits.default_currency). category, priority, applicable_meters: as of credit_grant. time_to_live: how long the credits last from the payment on, on the calendar in UTC, NULL for ever; at most ten years, and more than nothing in every month. What it costs: price_create. Raises PC004, PC007, PC008, PC013.';

CREATE FUNCTION credits.product_update(
    product_id uuid, name text DEFAULT NULL, description text DEFAULT NULL, credits numeric DEFAULT NULL,
    category text DEFAULT NULL, priority integer DEFAULT NULL, time_to_live interval DEFAULT NULL,
    applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT product_id uuid, OUT name text, OUT description text, OUT credit_currency text, OUT credits numeric,
    OUT category text, OUT priority integer, OUT time_to_live interval, OUT applicable_meters text[], OUT metadata jsonb,
    OUT active boolean, OUT created_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_update_wrapper';
COMMENT ON FUNCTION credits.product_update IS
'Changes what a product grants from now on; what is NULL stays. A top-up that was made before grants what the product said then; an auto-recharge that can buy it no longer switches itself off. Raises PC004, PC007, PC013.';

CREATE FUNCTION credits.product_archive(
    product_id uuid,
    OUT product_id uuid, OUT name text, OUT description text, OUT credit_currency text, OUT credits numeric,
    OUT category text, OUT priority integer, OUT time_to_live interval, OUT applicable_meters text[], OUT metadata jsonb,
    OUT active boolean, OUT created_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'product_archive_wrapper';
COMMENT ON FUNCTION credits.product_archive IS
'Takes a product off sale, with all its prices: nothing is deleted, and what was begun with it can still be paid. Again is a no-op. Raises PC013.';

CREATE FUNCTION credits.price_create(
    product_id uuid, type text DEFAULT 'one_time', unit_amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    OUT price_id uuid, OUT product_id uuid, OUT type text, OUT unit_amount numeric, OUT currency text, OUT metadata jsonb,
    OUT active boolean, OUT created_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_create_wrapper';
COMMENT ON FUNCTION credits.price_create IS
'Makes a price of a product: unit_amount (required, in major units) of the payment currency (required, kind ''fiat'') for one unit. type: ''one_time''. A price never changes: make another and archive this one. Raises PC007, PC008, PC013.';

CREATE FUNCTION credits.price_archive(
    price_id uuid,
    OUT price_id uuid, OUT product_id uuid, OUT type text, OUT unit_amount numeric, OUT currency text, OUT metadata jsonb,
    OUT active boolean, OUT created_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'price_archive_wrapper';
COMMENT ON FUNCTION credits.price_archive IS
'Takes a price off sale: what was begun with it can still be paid, and an auto-recharge that uses it switches itself off. Again is a no-op. Raises PC015, PC013.';

CREATE FUNCTION credits.package_create(
    name text, credits numeric, unit_amount numeric, price_currency text, credit_currency text DEFAULT NULL,
    description text DEFAULT NULL, category text DEFAULT 'paid', priority integer DEFAULT 50,
    time_to_live interval DEFAULT NULL, applicable_meters text[] DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT price_id uuid, OUT product_id uuid, OUT name text, OUT credits numeric, OUT credit_currency text,
    OUT unit_amount numeric, OUT price_currency text)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'package_create_wrapper';
COMMENT ON FUNCTION credits.package_create IS
'One call for a product and its price: a credit pack. unit_amount: its price, in major units of price_currency. Raises PC004, PC007, PC008, PC013.';

CREATE FUNCTION credits.exchange_rate_set(
    currency text, fiat_currency text, rate numeric, effective_at timestamptz DEFAULT NULL,
    OUT currency text, OUT fiat_currency text, OUT rate numeric, OUT effective_at timestamptz)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'exchange_rate_set_wrapper';
COMMENT ON FUNCTION credits.exchange_rate_set IS
'Sets the price of one credit of currency, in major units of fiat_currency, from effective_at on (NULL: now; up to 5 minutes before counts as now, earlier is PC013 without credits.allow_backdating: what was bought was bought at the rate of then). A later moment schedules the change; the same moment again replaces what was scheduled, as long as it has not come. Raises PC007, PC008, PC013.';

CREATE FUNCTION credits.exchange_rate(currency text, fiat_currency text, at timestamptz DEFAULT NULL)
RETURNS numeric
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'exchange_rate_wrapper';
COMMENT ON FUNCTION credits.exchange_rate IS
'The price of one credit of currency in fiat_currency at a moment (NULL: now); 1 between a currency and itself where none was set, NULL where there is none. Raises PC013.';

CREATE VIEW credits.packages AS
SELECT p.price_id, d.product_id, d.name, d.description, d.credits, d.credit_currency, p.unit_amount,
       p.currency AS price_currency, d.category, d.priority, d.time_to_live, d.applicable_meters, d.metadata, p.created_at
FROM credits.prices p JOIN credits.products d ON d.product_id = p.product_id
WHERE p.archived_at IS NULL AND d.archived_at IS NULL;
COMMENT ON VIEW credits.packages IS
'What is on sale: each price with its product. credits: what one unit grants; unit_amount: what it costs, in major units of price_currency.';

CREATE VIEW credits.catalog AS
SELECT d.product_id, d.name, d.description, d.credits, d.credit_currency, d.category, d.priority, d.time_to_live,
       d.applicable_meters, d.metadata, d.created_at, d.archived_at, p.price_id, p.type, p.unit_amount,
       p.currency AS price_currency, p.metadata AS price_metadata, p.created_at AS price_created_at,
       coalesce(p.archived_at, d.archived_at) AS price_archived_at
FROM credits.products d LEFT JOIN credits.prices p ON p.product_id = d.product_id;
COMMENT ON VIEW credits.catalog IS
'Every product that there is or was, with every price, archived ones too; a product without a price has one row with price_id NULL.';

CREATE VIEW credits.rates AS
SELECT r.currency, r.fiat_currency, r.rate, r.effective_at, r.created_at FROM credits.exchange_rates r;
COMMENT ON VIEW credits.rates IS 'Every exchange rate that was set, scheduled ones too: the price of one credit from effective_at on.';
