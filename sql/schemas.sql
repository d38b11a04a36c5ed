-- The schemas, and what holds for all tables. Loaded first.
--
-- credits has what users call and read: functions, their row types, views, and one table, inbox. credits_internal has
-- the tables and what the functions and views need; only the owner may look into it.
--
-- What holds for every table:
--   * Every customer table has customer_id first in its primary key and in every unique key: it is the sharding key.
--   * Everything of an account changes only under the lock of its row in accounts.
--   * Keys are compared byte by byte (COLLATE "C"): faster, in one order everywhere, and safe from a change of locale.
--   * There are no foreign keys: PostgreSQL would check them again whenever a row is written twice in a transaction.
--     The functions keep what they would say, and verify() checks it afterwards.
--   * No index has a column, or a predicate on a column, that every debit changes, so debits are HOT updates.
--   * The tables that every charge writes have no CHECK: PostgreSQL parses its text again in every statement, which
--     took a fifth of a charge. posting.rs asserts it before it writes, and verify() checks it afterwards.
--   * Times without an end and limits that do not limit are 'infinity' in the tables and NULL in what functions return.
--   * The planner is told (n_distinct) that an average customer has twenty rows in the large tables, each worth finding
--     by its own key. By its own count that is often one, and then it reads all rows of a customer who has a hundred
--     thousand, for each row that it looks up.
--   * pg_dump carries every row (pg_extension_config_dump), since the script inserts none.
--
-- What holds for every function: it runs as the owner of the extension with a pinned search_path, so a caller needs the
-- right to call it and no right on a table; none is STRICT, because a missing argument is PC013.

-- Nothing that others put into a schema becomes part of the extension.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'pg_credits needs a database with encoding UTF8, this one has %',
            pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0';
    END IF;
END $$;

CREATE SCHEMA credits;
COMMENT ON SCHEMA credits IS
'pg_credits: prepaid credits, metered usage and the ledger of both: the functions to call and the views to read.';

CREATE SCHEMA credits_internal;
COMMENT ON SCHEMA credits_internal IS
'The tables and helpers of pg_credits. Nobody but the owner has rights in it; call and read what is in schema credits.';
