-- CUSTOMERS QUERY DIRECTLY
--
-- Some applications let their end users run SQL themselves: from a notebook, a reporting tool, or a layer that turns
-- URLs into queries. Each must see their own wallet and nobody else's, whatever they ask. This page sets that up, tries
-- to get around it, and says what it does not protect against.
--
-- It changes logins on the way (\connect), so it needs a server that lets local logins in without a password. Roles
-- belong to the whole cluster: this page creates three, and drops them at its end.
\set me :USER
SET client_min_messages = warning;
DROP ROLE IF EXISTS guide_alice, guide_bob, guide_shop;

-- Two customers with something to see. (The results of these calls do not matter here.)
\o /dev/null
SELECT FROM credits.credit_grant('alice', 100, name => 'Pack of Alice', category => 'paid', cost_basis => 0.02);
SELECT FROM credits.wallet_debit('alice', 30, description => 'Alice''s poster');
SELECT FROM credits.credit_grant('bob', 700, name => 'Pack of Bob', category => 'paid', cost_basis => 0.02);
SELECT FROM credits.wallet_debit('bob', 20, description => 'Bob''s secret project');
\o

-- 1. A LOGIN FOR EACH CUSTOMER
--
-- The role credits_customer may read the views my_wallets, my_grants, my_ledger, my_invoices, my_invoice_lines,
-- my_payment_methods, my_payment_intents and my_refunds, call clock() and customer_me(), which has what is known of the
-- person, and nothing else. Whose rows they show is the setting credits.current_customer, which needs superuser. Set it
-- for the login, and every session of that login has it from its first moment on. (A real login also needs a password
-- or a certificate.)
CREATE ROLE guide_alice LOGIN;
GRANT credits_customer TO guide_alice;
ALTER ROLE guide_alice SET credits.current_customer = 'alice';

-- 2. WHAT ALICE SEES
--
-- All that is hers, at this moment. There is no customer_id to name and none to get wrong.
\connect - guide_alice
SELECT currency, balance, available, held, pending FROM credits.my_wallets;
SELECT name, category, status, amount, remaining, consumed FROM credits.my_grants;
SELECT line_no, type, amount, running_balance, grant_name, description FROM credits.my_ledger ORDER BY line_no;

-- 3. WHAT SHE CANNOT DO
--
-- Ask for another customer, read the tables, or spend:
\set VERBOSITY terse
SELECT * FROM credits.wallet_balance('bob');
SELECT * FROM credits.ledger WHERE customer_id = 'bob';
SELECT * FROM credits_internal.accounts;
SELECT * FROM credits.wallet_debit('alice', 1);

-- Be somebody else, now or from the next login on:
SET credits.current_customer = 'bob';
ALTER ROLE guide_alice SET credits.current_customer = 'bob';

-- Have a function of hers look at rows before they are filtered. (Without the views' security_barrier PostgreSQL
-- might call it first, because it is so cheap, and it would reveal Bob's project.)
CREATE FUNCTION pg_temp.spy(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql
AS $$BEGIN RAISE NOTICE 'I saw: %', $1; RETURN true; END$$;
SELECT line_no FROM credits.my_ledger WHERE pg_temp.spy(description);

-- Say who she is as she connects, before the extension is loaded, when PostgreSQL accepts any setting with a dot in
-- its name. It is judged when the extension is loaded, and refused; and no call is answered until it is taken back.
\connect -reuse-previous=on "options='-c credits.current_customer=bob'"
SELECT credits.current_customer();
SELECT currency, balance FROM credits.my_wallets;
\connect -reuse-previous=on "options=''"

-- Where nothing is set, nothing is shown: a forgotten setting is an empty page, not everybody's.
\connect - :me
CREATE ROLE guide_bob LOGIN;
GRANT credits_customer TO guide_bob;
\connect - guide_bob
SELECT currency, balance FROM credits.my_wallets;

-- 4. WHAT THIS DOES NOT PROTECT AGAINST
--
-- An application with one login for all of its customers. It can be allowed to choose whose rows it sees:
\connect - :me
CREATE ROLE guide_shop LOGIN;
GRANT credits_customer TO guide_shop;
GRANT SET ON PARAMETER credits.current_customer TO guide_shop;

-- Then each request names its customer for its own transaction, and a query without a WHERE shows one customer's
-- rows:
\connect - guide_shop
BEGIN;
SET LOCAL credits.current_customer = 'alice';
SELECT name, remaining FROM credits.my_grants;
COMMIT;
SELECT count(*) AS after_the_transaction FROM credits.my_grants;

-- That guards against a forgotten WHERE, and against nothing more. Somebody who gets SQL of their own into such a
-- request (an injection) can choose as the application does:
BEGIN;
SET LOCAL credits.current_customer = 'alice';
SET LOCAL credits.current_customer = 'bob'; SELECT description FROM credits.my_ledger WHERE description <> '';
COMMIT;

-- SET ROLE does not change that, since RESET ROLE undoes it. Only a login per customer is a wall.
--
-- Nor does it hide that there are others. How long a query takes, and what EXPLAIN estimates, says something about how
-- many rows there are in all, and how common a value is among them.
--
-- Nor does it keep a customer from making your server work. Limit such logins (CONNECTION LIMIT, a pooler of their
-- own), and REVOKE TEMPORARY ON DATABASE … FROM PUBLIC if they are to make no tables and functions for themselves.
--
-- And it is not there for roles that read for everybody: credits_app, credits_read, credits_admin. Give a customer's
-- login credits_customer and none of these.
\connect - :me
REVOKE SET ON PARAMETER credits.current_customer FROM guide_shop;
DROP ROLE guide_alice, guide_bob, guide_shop;
SELECT * FROM credits.verify();
