-- What is said of a customer beside the name: how to reach it, where it is billed, what it pays in.
SET credits.test_clock = '2026-03-01 12:00Z';
SELECT FROM credits.currency_create('EUR', 'Euro', 2, 'fiat', '€');
SELECT FROM credits.currency_create('OLD', 'Old money', 2, 'fiat');
SELECT FROM credits.currency_update('OLD', active => false);
\x on
SELECT name, email, metadata, phone, description, address, shipping, currency, invoice_prefix, tax_rate, preferences
FROM credits.customer_upsert('ann', 'Ann Lee', 'ann@example.com', '{"plan": "pro"}', phone => '+49 228 1',
    description => 'Asked for offers twice', currency => 'EUR', invoice_prefix => 'annlee', tax_rate => 19.00,
    address => '{"line1": " Main Street 1 ", "line2": "", "city": "Bonn", "state": null,
                 "postal_code": "53111", "country": "de"}',
    shipping => '{"name": "Ann Lee", "phone": "", "address": {"line1": "Harbour 7", "country": "NL"}}',
    preferences => '{"newsletter": false}');
-- NULL leaves a thing as it is; an address is replaced as a whole.
SELECT phone, address, tax_rate, currency
FROM credits.customer_upsert('ann', address => '{"city": "Ulm"}', tax_rate => 0);
-- An empty text removes a text, {} what is an object, 'infinity' a number.
SELECT name, email, phone, description, address, shipping, currency, invoice_prefix, tax_rate, preferences
FROM credits.customer_upsert('ann', name => '', phone => '', description => '', address => '{}',
                             shipping => '{"name": ""}', currency => '', invoice_prefix => '',
                             tax_rate => 'infinity', preferences => '{}');
\x off

-- What is no address, and no rate.
SELECT credits.customer_upsert('ann', address => '"Main Street 1, Bonn"');
SELECT credits.customer_upsert('ann', address => '{"postalcode": "53111"}');
SELECT credits.customer_upsert('ann', address => '{"postal_code": 53111}');
SELECT credits.customer_upsert('ann', address => '{"country": "Germany"}');
SELECT credits.customer_upsert('ann', address => '{"country": "49"}');
SELECT credits.customer_upsert('ann', address => format('{"line1": "%s"}', repeat('x', 256))::jsonb);
SELECT credits.customer_upsert('ann', shipping => '{"city": "Bonn"}');
SELECT credits.customer_upsert('ann', shipping => '{"address": {"contry": "DE"}}');
SELECT credits.customer_upsert('ann', shipping => '{"address": []}');
SELECT credits.customer_upsert('ann', preferences => '[]');
SELECT credits.customer_upsert('ann', preferences => '"{}"');
SELECT credits.customer_upsert('ann', tax_rate => 100.5);
SELECT credits.customer_upsert('ann', tax_rate => -1);
SELECT credits.customer_upsert('ann', tax_rate => 8.8750001);
SELECT credits.customer_upsert('ann', tax_rate => 'NaN');
SELECT credits.customer_upsert('ann', currency => 'EURO');
SELECT credits.customer_upsert('ann', currency => 'OLD');
SELECT credits.customer_upsert('ann', description => repeat('x', 10001));
-- Nothing of that was kept.
SELECT address, shipping, currency, tax_rate, preferences FROM credits.customers WHERE customer_id = 'ann';

-- A prefix of invoices is one customer's for ever, in capitals or not: numbers that begin with it may be on paper.
SELECT invoice_prefix FROM credits.customer_upsert('ann', invoice_prefix => 'ANNLEE');
SELECT invoice_prefix FROM credits.customer_upsert('ann', invoice_prefix => 'Ann2026');
SELECT credits.customer_upsert('bob', invoice_prefix => 'AnnLee');
SELECT credits.customer_upsert('bob', invoice_prefix => 'ann2026');
SELECT credits.customer_upsert('bob', invoice_prefix => 'B');
SELECT credits.customer_upsert('bob', invoice_prefix => 'BOB-1');
SELECT invoice_prefix FROM credits.customer_upsert('bob', invoice_prefix => 'BOB1');
SELECT invoice_prefix, customer_id FROM credits_internal.invoice_prefixes ORDER BY 1;

-- The next invoice has a number with the prefix of then, and the customer's rate where it names none.
SELECT FROM credits.customer_upsert('bob', 'Bob', tax_rate => 20);
SELECT number, tax_rate, tax, total
FROM credits.invoice_create('bob', '[{"amount": 10}]', 'EUR', auto_finalize => true);
SELECT number, tax_rate, tax, total
FROM credits.invoice_create('bob', '[{"amount": 10}]', 'EUR', tax_rate => 0, auto_finalize => true);
SELECT FROM credits.customer_upsert('bob', invoice_prefix => 'BOB2');
SELECT number FROM credits.invoice_create('bob', '[{"amount": 10}]', 'EUR', auto_finalize => true);
SELECT credits.customer_delete('bob');

-- Once the person is erased, what is no person's stays: the currency, the rate of tax, the prefix.
SELECT FROM credits.customer_upsert('ann', 'Ann', phone => '1', description => '2', address => '{"city": "Ulm"}',
                                    shipping => '{"name": "Ann"}', currency => 'EUR', tax_rate => 7,
                                    preferences => '{"a": 1}');
SELECT FROM credits.customer_erase('ann');
SELECT name, phone, description, address, shipping, preferences, currency, tax_rate, invoice_prefix,
       erased_at IS NOT NULL AS erased
FROM credits.customers WHERE customer_id = 'ann';
-- Who gets another rate is still nobody; who has an address is somebody again.
SELECT tax_rate FROM credits.customer_upsert('ann', tax_rate => 19, phone => '');
SELECT erased_at IS NOT NULL AS erased FROM credits.customers WHERE customer_id = 'ann';
SELECT address FROM credits.customer_upsert('ann', address => '{"city": "Ulm"}');
SELECT erased_at IS NOT NULL AS erased FROM credits.customers WHERE customer_id = 'ann';

-- What a customer's own login sees of itself: not what the application writes for itself.
SELECT * FROM credits.customer_me();
SET credits.current_customer = 'ann';
\x on
SELECT customer_id, name, email, phone, address, shipping, currency, invoice_prefix, tax_rate, preferences
FROM credits.customer_me();
\x off
SET credits.current_customer = 'nobody';
SELECT count(*) FROM credits.customer_me();
RESET credits.current_customer;
SELECT * FROM credits.verify();
