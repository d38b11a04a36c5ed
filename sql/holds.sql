-- Holds: the functions that programs call. The work is in src/ledger/hold.rs.

CREATE FUNCTION credits.hold_create(
    customer_id text, amount numeric, currency text DEFAULT NULL, expires_in interval DEFAULT '15 minutes',
    idempotency_key text DEFAULT NULL, description text DEFAULT NULL, metadata jsonb DEFAULT NULL,
    OUT hold_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT captured numeric, OUT released numeric, OUT expires_at timestamptz, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_create_wrapper';
COMMENT ON FUNCTION credits.hold_create IS
'Sets amount credits aside for work in progress, all or nothing, from the grants that a debit would draw on. They leave available at once. expires_in: at most ten years, on the calendar in UTC; from then on the hold counts as released, whether or not any job has run. A grant that ends meanwhile does not touch what is held of it. A repeat of idempotency_key returns the hold as it stands now with replayed = true. Raises PC001, PC002, PC003, PC007, PC008, PC013.';

CREATE FUNCTION credits.hold_capture(
    customer_id text, hold_id uuid, amount numeric DEFAULT NULL, description text DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    OUT hold_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT captured numeric, OUT released numeric, OUT expires_at timestamptz, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_capture_wrapper';
COMMENT ON FUNCTION credits.hold_capture IS
'Spends amount of an open hold (NULL: all of it) and gives the rest back to the grants that it came from, newest draw first; what goes back to a grant that has ended meanwhile ends the same way at once. The same amount again is a repeat (replayed = true); another is PC010, and so is a hold that was released or ran out. An amount of zero is a release. More than is held is PC007. Raises PC007, PC010, PC013.';

CREATE FUNCTION credits.hold_release(
    customer_id text, hold_id uuid,
    OUT hold_id uuid, OUT customer_id text, OUT currency text, OUT status text, OUT amount numeric,
    OUT captured numeric, OUT released numeric, OUT expires_at timestamptz, OUT available numeric, OUT replayed boolean)
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hold_release_wrapper';
COMMENT ON FUNCTION credits.hold_release IS
'Gives all of an open hold back to the grants that it came from. A hold that was released or ran out already has been given back: nothing happens (replayed = true). One that was captured, or never made, is PC010. Raises PC010, PC013.';
