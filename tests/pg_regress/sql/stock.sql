-- Stock: how many units of a price there are, who has them, and what is refused when they are gone.
SET credits.test_clock = '2026-05-01 09:00:00+00';
\set SHOW_CONTEXT never
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g')
                 FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail, hint]) s;
END $$;
CREATE VIEW stock AS SELECT nickname, quantity_available, quantity_taken, quantity_sold
FROM credits.prices WHERE nickname IS NOT NULL ORDER BY nickname COLLATE "C";
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT product_id AS shirt FROM credits.product_create('Shirt', 'good') \gset

-- A price has any number of units, or so many.
SELECT price_id AS large, quantity_available, quantity_taken, quantity_sold
FROM credits.price_create(:'shirt', unit_amount => 20, currency => 'USD', nickname => 'large', lookup_key => 'large',
    idempotency_key => 'large', quantity_available => 5) \gset
SELECT :'quantity_available' AS available, :'quantity_taken' AS taken, :'quantity_sold' AS sold;
SELECT price_id AS small FROM credits.price_create(:'shirt', unit_amount => 15, currency => 'USD', nickname => 'small',
    quantity_available => 2) \gset
SELECT price_id AS poster
FROM credits.price_create(:'shirt', unit_amount => 3, currency => 'USD', nickname => 'poster') \gset
SELECT FROM credits.price_create(:'shirt', unit_amount => 1, currency => 'USD', nickname => 'soon',
    quantity_available => 0);
SELECT * FROM stock;

-- The same again is the same price, however many are left; under a key it is the same call.
SELECT price_id = :'large' AS same, replayed, quantity_available
FROM credits.price_create(:'shirt', unit_amount => 20, currency => 'USD', lookup_key => 'large',
    quantity_available => 9);
SELECT refused(format('SELECT credits.price_create(%L, unit_amount => 20, currency => ''USD'', lookup_key => ''large'',
    idempotency_key => ''large'', quantity_available => 9)', :'shirt'));
SELECT refused(format('SELECT credits.price_create(%L, unit_amount => 1, currency => ''USD'',
    quantity_available => -1)', :'shirt'));
SELECT refused('SELECT credits.product_create(''x'', prices => ''[{"unit_amount": 1, "currency": "USD",
    "quantity_available": 1.5}]'')');
SELECT FROM credits.product_create('Mug', 'good', prices => '[{"unit_amount": 1, "currency": "USD", "nickname": "mug",
    "quantity_available": 3}]');

-- An invoice takes its units when it gets its number, of several lines together. A draft takes none.
SELECT invoice_id AS first FROM credits.invoice_create('ann', format('[{"price_id": "%s", "quantity": 2},
    {"price_id": "%s"}, {"price_id": "%s", "quantity": 7.5}, {"price_id": "%s"}]',
    :'large', :'small', :'poster', :'large')::jsonb) \gset
SELECT * FROM stock;
SELECT status FROM credits.invoice_finalize('ann', :'first');
SELECT status, replayed FROM credits.invoice_finalize('ann', :'first');
SELECT * FROM stock;

-- Too few: it stays a draft without a number, and nothing of it is taken.
SELECT invoice_id AS second FROM credits.invoice_create('bob', format('[{"price_id": "%s"}, {"price_id": "%s"},
    {"price_id": "%s", "quantity": 3}]', :'small', :'poster', :'large')::jsonb) \gset
SELECT refused(format('SELECT credits.invoice_finalize(''bob'', %L)', :'second'));
SELECT refused(format('SELECT credits.invoice_create(''bob'', ''[{"price_id": "%s", "quantity": 3}]'',
    auto_finalize => true)', :'large'));
SELECT status, number FROM credits.invoices WHERE customer_id = 'bob';
SELECT refused(format('SELECT credits.invoice_create(''bob'',
    ''[{"price_id": "%s", "quantity": 100000000000000000000}]'', auto_finalize => true)', :'large'));
SELECT * FROM stock;

-- Units are whole: of two halves neither is one.
SELECT refused(format('SELECT credits.invoice_create(''bob'', ''[{"price_id": "%s", "quantity": 0.5},
    {"price_id": "%1$s", "quantity": 0.5}]'', auto_finalize => true)', :'large'));
SELECT status FROM credits.invoice_create('bob', format('[{"price_id": "%s", "quantity": "1.0"}]', :'large')::jsonb,
    auto_finalize => true);

-- More come in, or fewer are for sale, but never fewer than are taken.
SELECT quantity_available, quantity_taken, replayed
FROM credits.price_inventory(:'large', 2, 'increment', 'delivery 1');
SELECT quantity_available, quantity_taken, replayed
FROM credits.price_inventory(:'large', 2, 'increment', 'delivery 1');
SELECT refused(format('SELECT credits.price_inventory(%L, 3, ''increment'', ''delivery 1'')', :'large'));
SELECT refused(format('SELECT credits.price_inventory(%L, 2, ''decrement'', ''delivery 1'')', :'large'));
SELECT refused(format('SELECT credits.price_inventory(%L, 2, ''increment'', ''large'')', :'large'));
SELECT status FROM credits.invoice_finalize('bob', :'second');
SELECT * FROM stock;
SELECT refused(format('SELECT credits.price_inventory(%L, 1, ''decrement'')', :'small'));
SELECT refused(format('SELECT credits.price_inventory(%L, 2147483647, ''increment'')', :'small'));
SELECT quantity_available FROM credits.price_inventory((SELECT price_id FROM credits.prices WHERE nickname = 'mug'), 2,
    'decrement');
SELECT refused(format('SELECT credits.price_inventory(%L, 2, ''decrement'')',
    (SELECT price_id FROM credits.prices WHERE nickname = 'mug')));
SELECT refused(format('SELECT credits.price_inventory(%L, 1, ''increment'')', :'poster'));
SELECT refused(format('SELECT credits.price_inventory(%L, 0, ''increment'')', :'large'));
SELECT refused(format('SELECT credits.price_inventory(%L, 1, ''set'')', :'large'));
SELECT refused(format('SELECT credits.price_inventory(%L, 1, NULL)', :'large'));
SELECT refused(format('SELECT credits.price_inventory(%L, NULL, ''increment'')', :'large'));
SELECT refused('SELECT credits.price_inventory(NULL, 1, ''increment'')');
SELECT refused(format('SELECT credits.price_inventory(%L, 1, ''increment'', '''')', :'large'));
SELECT refused('SELECT credits.price_inventory(''00000000-0000-0000-0000-000000000000'', 1, ''increment'')');

-- price_update() says how many there are in all. -1 is any number; what is sold then is not counted.
SELECT refused(format('SELECT credits.price_update(%L, quantity_available => 6)', :'large'));
SELECT refused(format('SELECT credits.price_update(%L, quantity_available => -2)', :'large'));
SELECT quantity_available, quantity_taken FROM credits.price_update(:'large', quantity_available => 7);
SELECT quantity_available, quantity_taken FROM credits.price_update(:'large', quantity_available => -1);
SELECT status FROM credits.invoice_create('cid', format('[{"price_id": "%s", "quantity": 1.5}]', :'large')::jsonb,
    auto_finalize => true);
SELECT quantity_available, quantity_taken FROM credits.price_update(:'large', nickname => 'large');
SELECT refused(format('SELECT credits.price_inventory(%L, 1, ''increment'')', :'large'));
SELECT refused(format('SELECT credits.price_update(%L, quantity_available => 0)', :'large'));
SELECT quantity_available, quantity_taken FROM credits.price_update(:'large', quantity_available => 7);
SELECT quantity_available, quantity_taken FROM credits.price_update(:'poster', quantity_available => 100);

-- Paid or given up, an invoice keeps what it has. A void one gives it back, once.
SELECT status FROM credits.invoice_pay('ann', :'first', 'outside', reference => 'cash');
SELECT status FROM credits.invoice_mark_uncollectible('bob', :'second');
SELECT * FROM stock;
SELECT status FROM credits.invoice_void('bob', :'second');
SELECT status, replayed FROM credits.invoice_void('bob', :'second');
SELECT * FROM stock;
SELECT * FROM credits.verify();

-- What was reserved for a time is for others when that has passed, for readers at once. Here as a purchase does it.
SELECT status
FROM credits.invoice_create('dot', format('[{"price_id": "%s"}]', :'small')::jsonb, auto_finalize => true);
UPDATE credits_internal.stock_reservations SET expires_at = '2026-05-01 10:00:00+00', holder_id = gen_random_uuid()
WHERE customer_id = 'dot';
SELECT * FROM stock WHERE nickname = 'small';
SELECT refused(format('SELECT credits.invoice_create(''eve'', ''[{"price_id": "%s"}]'', auto_finalize => true)',
    :'small'));
SELECT refused(format('SELECT credits.price_inventory(%L, 1, ''decrement'')', :'small'));
SET credits.test_clock = '2026-05-01 10:00:00+00';
SELECT * FROM stock WHERE nickname = 'small';
SELECT taken FROM credits_internal.price_stock WHERE price_id = :'small';
SELECT refused(format('SELECT credits.invoice_create(''eve'', ''[{"price_id": "%s", "quantity": 2}]'',
    auto_finalize => true)', :'small'));

-- A sale that needs it releases it first, a merchant who has fewer does so too, and maintain() does it for all.
BEGIN;
SELECT status
FROM credits.invoice_create('eve', format('[{"price_id": "%s"}]', :'small')::jsonb, auto_finalize => true);
SELECT quantity, expires_at, released_at FROM credits_internal.stock_reservations WHERE customer_id = 'dot';
SELECT * FROM stock WHERE nickname = 'small';
SELECT * FROM credits.verify();
ROLLBACK;
BEGIN;
SELECT quantity_available, quantity_taken FROM credits.price_inventory(:'small', 1, 'decrement');
SELECT * FROM credits.verify();
ROLLBACK;
SELECT credits.maintain_batch(work => 'stock'), credits.maintain_batch(work => 'stock') AS again;
SELECT taken FROM credits_internal.price_stock WHERE price_id = :'small';
SELECT * FROM stock WHERE nickname = 'small';

-- A price that was never sold takes its stock along.
SELECT count(*) FROM credits_internal.price_stock;
SELECT active, quantity_available
FROM credits.price_delete((SELECT price_id FROM credits.prices WHERE nickname = 'soon'));
SELECT count(*) FROM credits_internal.price_stock;

-- Who has a reservation has a history.
SELECT refused('SELECT credits.customer_delete(''ann'')');

-- verify() sees each of these, broken on purpose.
CREATE FUNCTION pg_temp.broken(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
    EXECUTE statement;
    SELECT array_agg(DISTINCT p.text ORDER BY p.text) INTO found
    FROM credits.verify() d, LATERAL (SELECT d.problem || ': ' || coalesce(d.found::text, 'none')) AS p (text);
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(array_to_string(found, E'\n'), 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN QUERY SELECT string_to_table(SQLERRM, E'\n');
END $$;
SELECT * FROM credits.verify();
SELECT pg_temp.broken(format('UPDATE credits_internal.price_stock SET taken = taken - 1
    WHERE price_id = %L', :'large'));
SELECT pg_temp.broken('UPDATE credits_internal.stock_reservations SET released_at = now() WHERE customer_id = ''bob''');
SELECT pg_temp.broken('DELETE FROM credits_internal.price_stock');
SELECT pg_temp.broken('UPDATE credits_internal.stock_reservations SET released_at = NULL WHERE customer_id = ''bob''');
SELECT pg_temp.broken(format('UPDATE credits_internal.stock_reservations SET quantity = 2 WHERE customer_id = ''ann''
    AND price_id = %L', :'large'));
-- The counter itself refuses the impossible.
SELECT refused('UPDATE credits_internal.price_stock SET taken = quantity_available + 1');
SELECT refused('UPDATE credits_internal.price_stock SET taken = -1');

-- Emptied, a database of tests has its stock again.
SET credits.production = off;
SELECT credits.reset();
SELECT * FROM stock;
SELECT * FROM credits.verify();
