-- The clients' story in psql: variables bound with :'name', results kept with \gset, errors read from :LAST_ERROR_…
-- and, as a person reads them, with VERBOSITY verbose. The test runs this file and counts the lines that it prints.

\set QUIET on
\set ON_ERROR_STOP off
\set VERBOSITY verbose
\pset format unaligned
\pset tuples_only on

\set customer 'psql o''brien'
\set answer answer_psql

SELECT event_name AS meter FROM credits.meter_create('psql_answers', unit_price => 0.5) \gset
SELECT customer_id AS signed_up FROM credits.customer_upsert(:'customer', name => 'Pat O''Brien') \gset
SELECT remaining AS bonus FROM credits.credit_grant(:'customer', 20, name => 'sign-up bonus') \gset
SELECT :'signed_up' = :'customer' AS ok \gset
\if :ok \echo ok signed up \else \echo FAIL signed up as :signed_up \endif
SELECT :bonus = 20 AS ok \gset
\if :ok \echo ok 20 granted \else \echo FAIL :bonus granted \endif

SELECT debited, available, replayed FROM credits.wallet_debit(:'customer', 5, idempotency_key => 'order 1') \gset
SELECT (:debited, :available, :'replayed') = (5, 15, 'f') AS ok \gset
\if :ok \echo ok 5 debited, 15 left \else \echo FAIL :debited debited, :available left \endif

SELECT ok AS went, shortfall, operation_id IS NULL AS nothing
FROM credits.wallet_try_debit(:'customer', 1000, idempotency_key => 'order 2') \gset
SELECT (:'went', :shortfall, :'nothing') = ('f', 985, 't') AS ok \gset
\if :ok \echo ok wallet_try_debit: ok = false, 985 short \else \echo FAIL ok = :went, :shortfall short \endif

SELECT consumed AS first_consumed, replayed AS first_replayed
FROM credits.report_meter_event(:'customer', 'psql_answers', 4, :'answer') \gset
SELECT consumed AS again_consumed, replayed AS again_replayed
FROM credits.report_meter_event(:'customer', 'psql_answers', 4, :'answer') \gset
SELECT (:first_consumed, :'first_replayed', :again_consumed, :'again_replayed') = (2, 'f', 2, 't') AS ok \gset
\if :ok \echo ok reported twice, charged once \else \echo FAIL charged :first_consumed, then :again_consumed \endif

SELECT available AS left, pending AS owed FROM credits.wallet_balance(:'customer', 'CREDIT') \gset
SELECT (:left, :owed) = (13, 0) AS ok \gset
\if :ok \echo ok 13 left, nothing owed \else \echo FAIL :left left, :owed owed \endif

-- The refusal. What psql writes about it, DETAIL included, goes to the standard error stream; the test reads it there.
SELECT debited FROM credits.wallet_debit(:'customer', 1000);
SELECT :'LAST_ERROR_SQLSTATE' = 'PC001' AS ok \gset
\if :ok \echo ok :LAST_ERROR_SQLSTATE in LAST_ERROR_SQLSTATE \else \echo FAIL SQLSTATE :LAST_ERROR_SQLSTATE \endif

SELECT available AS left FROM credits.wallet_balance(:'customer', 'CREDIT') \gset
SELECT :left = 13 AS ok \gset
\if :ok \echo ok still 13 left \else \echo FAIL :left left \endif
\echo done
