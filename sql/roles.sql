-- The roles: one that owns all of it, and those to give to logins. Roles belong to the cluster and not to a database,
-- so they are made where they are missing, never changed and never dropped.

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
