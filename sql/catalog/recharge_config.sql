-- What a credit currency is recharged with.

CREATE TYPE credits.recharge_config AS (
    currency text, price_id uuid, product_id uuid, product_name text, credits numeric, unit_amount numeric,
    price_currency text, payment_url text, min_amount numeric, max_amount numeric,
    base_price_id uuid, checkout_url text, payment_link_id uuid, price jsonb, product jsonb);
COMMENT ON TYPE credits.recharge_config IS
'What a currency is recharged with, as configure_recharge() and recharge_config() return it.';
COMMENT ON COLUMN credits.recharge_config.currency IS 'The credit currency.';
COMMENT ON COLUMN credits.recharge_config.price_id IS 'The price.';
COMMENT ON COLUMN credits.recharge_config.product_id IS 'The product.';
COMMENT ON COLUMN credits.recharge_config.product_name IS 'The product''s name.';
COMMENT ON COLUMN credits.recharge_config.credits IS 'Credits that one unit grants.';
COMMENT ON COLUMN credits.recharge_config.unit_amount IS 'What one unit costs, in major units.';
COMMENT ON COLUMN credits.recharge_config.price_currency IS 'The currency of the price.';
COMMENT ON COLUMN credits.recharge_config.payment_url IS
'Where any customer buys more, as it is: the payment link on the page credits.checkout_url, else checkout_url where
nothing is to be filled in there; NULL where neither is set.';
COMMENT ON COLUMN credits.recharge_config.min_amount IS
'The smallest payment for this currency, in the price''s currency; NULL for no limit.';
COMMENT ON COLUMN credits.recharge_config.max_amount IS
'The largest payment for this currency, in the price''s currency; NULL for no limit.';
COMMENT ON COLUMN credits.recharge_config.base_price_id IS
'The price, under the name that configure_recharge() has for it.';
COMMENT ON COLUMN credits.recharge_config.checkout_url IS
'Where a top-up is paid, with places to be filled in; NULL where nobody said.';
COMMENT ON COLUMN credits.recharge_config.payment_link_id IS
'The payment link that sells the price: payment_link_open() begins a checkout with it.';
COMMENT ON COLUMN credits.recharge_config.price IS
'The price as the view prices has it, without how many were sold.';
COMMENT ON COLUMN credits.recharge_config.product IS 'The product as the view products has it.';

CREATE FUNCTION credits.configure_recharge(
    currency text, base_price_id uuid, checkout_url text DEFAULT NULL, min_amount numeric DEFAULT NULL,
    max_amount numeric DEFAULT NULL)
RETURNS credits.recharge_config
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_recharge_wrapper';
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

CREATE FUNCTION credits.recharge_config(currency text DEFAULT NULL)
RETURNS credits.recharge_config
LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'recharge_config_wrapper';
COMMENT ON FUNCTION credits.recharge_config IS
'Returns how a credit currency is recharged: its price, product and payment URL.

currency: the credit currency; NULL for credits.default_currency.

A currency for which nothing is configured is a row of NULLs.

Raises PC008, PC013.
Example: SELECT * FROM credits.recharge_config(''CREDIT'');';
