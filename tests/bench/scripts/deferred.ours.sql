-- One event of a deferred meter reported, to be charged by settle(), which ./run has done at the end.
\set c random(1, :wallets)
\set k random(1, 9000000000000000)
SELECT credits.report_meter_event('cus_' || :c, 'deferred_calls', 10, 'evt_' || :k);
