-- Rights: nothing for PUBLIC. Roles belong to the cluster, so they are made where they are missing and never dropped.

DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['credits_app', 'credits_read', 'credits_admin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA credits FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA credits FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA credits FROM PUBLIC;

GRANT USAGE ON SCHEMA credits TO credits_app, credits_read, credits_admin;

-- What reads.
GRANT EXECUTE ON FUNCTION credits.wallet_balance(text, text) TO credits_app, credits_read, credits_admin;
GRANT EXECUTE ON FUNCTION credits.verify(text) TO credits_read, credits_admin;

-- What an application does all day.
GRANT EXECUTE ON FUNCTION
    credits.customer_upsert(text, text, text, jsonb),
    credits.credit_grant(text, numeric, text, text, text, integer, timestamptz, timestamptz, text[], numeric, text, text,
                         jsonb),
    credits.wallet_debit(text, numeric, text, text, text, jsonb),
    credits.wallet_try_debit(text, numeric, text, text, text, jsonb),
    credits.wallet_credit(text, numeric, text, text, text, text, jsonb),
    credits.report_meter_event(text, text, numeric, text, timestamptz, text, jsonb, jsonb),
    credits.report_meter_events(text[], text[], numeric[], text[], timestamptz[], boolean)
TO credits_app, credits_admin;

-- What configures and maintains.
GRANT EXECUTE ON FUNCTION
    credits.customer_erase(text),
    credits.currency_create(text, text, integer, text, text, jsonb),
    credits.currency_update(text, text, text, text, boolean, numeric, numeric, jsonb),
    credits.meter_create(text, text, text, numeric, text, text, text, text, text, text, jsonb),
    credits.meter_activate(text),
    credits.meter_deactivate(text),
    credits.maintain_batch(integer)
TO credits_admin;
GRANT EXECUTE ON PROCEDURE credits.maintain(integer) TO credits_admin;
