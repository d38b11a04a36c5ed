-- How sessions learn that a meter, a price, a currency or a webhook endpoint changed.

-- Sessions remember meters, their prices, currencies, and which events endpoints want; this is how they learn of a
-- change, by whatever hand: also by that of a subscription, which fires only what is a row's and always enabled.
-- TRUNCATE has no rows.
CREATE FUNCTION credits_internal.forget_remembered()
 RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'forget_remembered_wrapper';
COMMENT ON FUNCTION credits_internal.forget_remembered IS
'Trigger function: notifies every session that a meter, a price, a currency or a webhook endpoint changed. It changes
nothing itself.';

CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.meters
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.meters
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.meters ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.meter_prices
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.meter_prices
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.meter_prices ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.price_overrides
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.price_overrides
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.price_overrides ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.currencies
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.currencies
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.currencies ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE ON credits_internal.webhook_endpoints
FOR EACH ROW EXECUTE FUNCTION credits_internal.forget_remembered();
CREATE TRIGGER remembered_all AFTER TRUNCATE ON credits_internal.webhook_endpoints
FOR EACH STATEMENT EXECUTE FUNCTION credits_internal.forget_remembered();
ALTER TABLE credits_internal.webhook_endpoints ENABLE ALWAYS TRIGGER remembered, ENABLE ALWAYS TRIGGER remembered_all;
