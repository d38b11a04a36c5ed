-- One event reported, by a meter of which some customers have a price of their own.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
SELECT credits.report_meter_event('cus_' || :c, 'negotiated_calls', 10, 'evt_' || :k);
