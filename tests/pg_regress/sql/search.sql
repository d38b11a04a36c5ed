-- Search: objects by words of their texts, numbers and metadata, the newest first.
SET credits.test_clock = '2024-03-01 12:00Z';
SELECT FROM credits.currency_create('USD', 'US Dollar', 2, 'fiat', '$');
SELECT FROM credits.customer_upsert('ann', 'Ann Lee', 'Ann.Lee@Example.com',
    '{"crm": {"ids": ["CRM-1207", 4711]}, "vip": true}',
    phone => '+49 228 1', description => 'Asked for offers twice', address => '{"city": "Łódź", "country": "PL"}',
    invoice_prefix => 'ANN');
SELECT FROM credits.customer_upsert('anna', 'Anna Müller', 'anna@example.org', '{"note": "東京タワーの近く"}',
    invoice_prefix => 'AMU');
SELECT FROM credits.customer_upsert('org:7', 'O’Brien & Söhne GmbH', 'billing@obrien.example', invoice_prefix => 'OBR');
SELECT FROM credits.product_create('Pro plan', 'service', description => 'For teams', features => '{"Single sign-on"}',
    prices => '[{"unit_amount": 49, "currency": "USD", "nickname": "Pro, monthly", "lookup_key": "pro-monthly"}]');
SELECT FROM credits.payment_provider_set('stripe', 'whsec_0123456789abcdef', 'https://pay.example/{payment_intent_id}');
SET credits.test_clock = '2024-03-02 12:00Z';
SELECT invoice_id AS first FROM credits.invoice_create('ann', currency => 'USD', tax_rate => 19, auto_finalize => true,
    description => 'Consulting in spring', metadata => '{"order": {"id": "PO-7781"}}',
    lines => '[{"amount": 1000, "description": "Hours"}]') \gset
SET credits.test_clock = '2024-03-03 12:00Z';
SELECT invoice_id AS second FROM credits.invoice_create('org:7', currency => 'USD', auto_finalize => true,
    description => 'Consulting in summer', lines => '[{"amount": 11.90, "description": "Hours"}]') \gset
SELECT payment_intent_id AS intent FROM credits.payment_intents WHERE customer_id = 'org:7' \gset
SELECT FROM credits.payment_succeeded('org:7', :'intent', 'stripe', 'pi_3Nabc', 11.90);
SET credits.test_clock = '2024-03-04 12:00Z';
SELECT FROM credits.refund_create('org:7', :'intent', 1.90, reason => 'duplicate', description => 'Tax was wrong');

-- What a query finds: what it is, and a name.
PREPARE found AS
SELECT object, customer_id, coalesce(data->>'name', data->>'nickname', data->>'number', data->>'description') AS name
FROM credits.search($1);

-- Words in any order, whatever their capitals and accents; the last one may be unfinished.
EXECUTE found('lee ANN');
EXECUTE found('ann');
EXECUTE found('"ann"');
EXECUTE found('muller');
EXECUTE found('lodz');
EXECUTE found('o''brien sohne');
EXECUTE found('タワー');
EXECUTE found('consulting');
EXECUTE found('consulting sum');
EXECUTE found('consulting winter');
-- What is written without spaces as a whole, from any of its parts on, and by its parts.
EXECUTE found('ann.lee@example.com');
EXECUTE found('example.com');
EXECUTE found('anna@ex');
EXECUTE found('OBR-0001');
EXECUTE found('0001');
EXECUTE found('obr-00');
EXECUTE found('pi_3nabc');
EXECUTE found('org:7');
-- Values of metadata, however deep, but not its keys.
EXECUTE found('po-7781');
EXECUTE found('CRM-1207 4711');
EXECUTE found('ids');
EXECUTE found('order');
-- Numbers, however they are written.
EXECUTE found('11.9');
EXECUTE found('$11.90 USD');
EXECUTE found('1,190.00');
EXECUTE found('1190');
-- The catalogue, and refunds.
EXECUTE found('sign-on');
EXECUTE found('pro-monthly');
EXECUTE found('duplicate');
-- An id, also where another object names it.
SELECT object, object_id = :'intent' AS is_it FROM credits.search(:'intent');
SELECT object, object_id = :'second' AS is_it FROM credits.search(left(:'second', 35));
-- Of some kinds, and of one customer; the catalogue is nobody's.
SELECT object, customer_id FROM credits.search('consulting', '{customers,invoice}');
SELECT object, customer_id FROM credits.search('usd', '{prices,refunds}');
SELECT object, customer_id FROM credits.search('usd', customer_id => 'ann');
SELECT object, customer_id FROM credits.search('ann', customer_id => 'anna');
SELECT object FROM credits.search('usd', customer_id => 'nobody');
SELECT object FROM credits.search('usd', '{prices}', 'ann');
-- The object as its view has it.
\x on
SELECT object, object_id, customer_id, data - '{created_at,updated_at}'::text[] AS data
FROM credits.search('anna', '{customers}');
\x off

-- Pages: each begins behind the cursor of the last row, whatever came or went meanwhile.
SELECT object, created_at FROM credits.search('usd');
SELECT object, created_at, cursor AS next FROM credits.search('usd', page_size => 2) OFFSET 1 \gset
SELECT FROM credits.invoice_create('ann', currency => 'USD', lines => '[{"amount": 1}]');
SELECT object, created_at FROM credits.search('usd', page_size => 2, after => :'next');
WITH RECURSIVE pages AS (
    SELECT 1 AS no, f.object, f.object_id, f.cursor FROM credits.search('usd', page_size => 1) f
    UNION ALL
    SELECT p.no + 1, f.object, f.object_id, f.cursor
    FROM pages p CROSS JOIN LATERAL credits.search('usd', page_size => 1, after => p.cursor) f
)
SELECT array_agg(object_id ORDER BY no) = (SELECT array_agg(object_id) FROM credits.search('usd')) AS same, count(*)
FROM pages;

-- What changed is found as it is now.
SELECT FROM credits.customer_upsert('ann', name => 'Ann Smith');
EXECUTE found('smith');
EXECUTE found('ann lee');
SELECT FROM credits.invoice_update('ann', :'first', metadata => '{"order": "PO-9000"}');
EXECUTE found('PO-7781');
EXECUTE found('PO-9000');
-- What was erased is not found, and an invoice no more by whom it was for. What is left of both is.
SELECT FROM credits.customer_erase('ann');
EXECUTE found('smith');
EXECUTE found('"ann" lee');
EXECUTE found('łódź');
EXECUTE found('example.com');
EXECUTE found('ANN-0001');
SELECT FROM credits.customer_metadata_clear('ann');
EXECUTE found('PO-9000');

-- What is no query.
SELECT credits.search(NULL);
SELECT credits.search('');
SELECT credits.search(' "" -- ');
SELECT credits.search('& | ! <-> :*');
SELECT credits.search('🚀');
SELECT credits.search(repeat('x', 1001));
SELECT credits.search((SELECT string_agg('w' || n, ' ') FROM generate_series(1, 33) n));
SELECT credits.search((SELECT string_agg(n::text, ' ') FROM generate_series(1, 10000) n));
SELECT credits.search('x', '{}');
SELECT credits.search('x', '{invoices,NULL}');
SELECT credits.search('x', '{subscriptions}');
SELECT credits.search('x', '{{invoices,prices},{customers,refunds}}');
SELECT credits.search('x', customer_id => '');
SELECT credits.search('x', page_size => 0);
SELECT credits.search('x', page_size => 1001);
SELECT credits.search('x', after => '');
SELECT credits.search('x', after => 'abc');
SELECT credits.search('x', after => '5:invoice:abc');
SELECT credits.search('x', after => '5:wallet:abc');
-- Signs of PostgreSQL's own queries are signs like others.
EXECUTE found('consulting & !summer');
EXECUTE found('a''b\'' | "');
EXECUTE found('(ann:*');
-- Words that are too long are found by what they begin with, values however deep they are nested. Of very many words
-- those behind the first four thousand are not found; none is refused.
SELECT FROM credits.customer_upsert('long', metadata => jsonb_build_object('a', repeat('x', 1000) || ' end',
    'deep', (repeat('[', 200) || '"bottom"' || repeat(']', 200))::jsonb,
    'more', (SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 10000) n)));
SELECT object_id FROM credits.search(repeat('x', 1000));
SELECT object_id FROM credits.search('bottom end');
SELECT object_id FROM credits.search(md5('1'));
SELECT object_id FROM credits.search(md5('10000'));
-- As many signs as a customer can have, in words of any kind.
SELECT length(metadata->>'a') FROM credits.customer_upsert('wide', metadata => jsonb_build_object('a',
    (SELECT string_agg(repeat('東', 30) || '-' || repeat('é', 30) || n, '/') FROM generate_series(1, 5000) n)));
SELECT object_id FROM credits.search('東東é');
SELECT object_id FROM credits.search('東東-é');

-- Each kind has an index of its words.
SELECT indexrelid::regclass AS index FROM pg_index
WHERE pg_get_indexdef(indexrelid) LIKE '%search_words%' ORDER BY 1::text;
SELECT * FROM credits.verify();
