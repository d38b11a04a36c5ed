-- One event reported, for its columns.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
SELECT * FROM credits.report_meter_event('cus_' || :c, 'api_calls', 10, 'evt_' || :k);
