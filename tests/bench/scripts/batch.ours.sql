-- A batch in one call. The first statement makes the arrays; ./run takes its time off.
SELECT /* input */ array_agg('cus_' || (1 + :client_id::int * :wallets::int + floor(random() * :wallets::int))::int) AS customers,
       array_agg('api_calls'::text) AS names, array_agg(10::numeric) AS amounts,
       array_agg('evt_' || (1 + floor(random() * 9e15))::bigint) AS keys
FROM generate_series(1, :events) \gset
SELECT count(*)
FROM credits.report_meter_events(:customers::text[], :names::text[], :amounts::numeric[], :keys::text[]);
