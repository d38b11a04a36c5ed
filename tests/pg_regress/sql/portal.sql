-- Links to billing pages: where they may lead, and the key that they are signed with.
SET credits.test_clock = '2026-03-01 12:00+00';
SELECT FROM credits.customer_upsert('u1');
CREATE FUNCTION link(page text) RETURNS text LANGUAGE sql AS $$
    SELECT replace(p.url, p.token, 'TOKEN')
    FROM (SELECT set_config('credits.portal_url', page, true)) s, credits.billing_portal_session_create('u1') p
$$;
-- The server gets the token: it stands before a fragment.
SELECT link('https://app.example/billing');
SELECT link('https://app.example/billing?lang=en#/invoices?page=2');
SELECT link('http://localhost:8080/#/billing');
SELECT link('');
-- Addresses: http and https, and nothing that ends a header.
SELECT link('javascript:alert(1)//');
SELECT link('app.example/billing');
SELECT credits.billing_portal_session_create('u1', 'javascript:alert(1)');
SELECT credits.billing_portal_session_create('u1', failure_url => E'https://app.example/\r\nLocation: https://evil.example');
SELECT return_url, failure_url FROM credits.billing_portal_session_create('u1', 'https://app.example/%C3%BC?a=b@c#d', 'http://[::1]:8080') c, credits.billing_portal_session_verify(c.token);
SELECT FROM credits.currency_create('USD', decimals => 2, kind => 'fiat');
SELECT price_id FROM credits.package_create('Pack', 1000, 20, 'USD') \gset
SELECT credits.top_up_create('u1', :'price_id', return_url => 'data:text/html,<script>');
SELECT credits.top_up_create('u1', :'price_id', failure_url => 'https://app.example/' || repeat('x', 2048));
SELECT credits.configure_recharge('CREDIT', :'price_id', checkout_url => '//pay.example/{amount}');
SELECT credits.payment_provider_set('shop', 'secret of the shop', 'ftp://pay.example/{top_up_id}');
SELECT payment_url, checkout_url FROM credits.configure_recharge('CREDIT', :'price_id', checkout_url => 'https://pay.example/{currency}/{amount}?to={return_url}');
SELECT checkout_url FROM credits.top_up_create('u1', :'price_id', return_url => 'https://app.example/#done');

-- An address reads the same to whoever looks at it and to a browser: what one of them does not show, or takes otherwise than
-- the other, is refused, and the character named, since it may be one that cannot be seen.
CREATE FUNCTION refused(address text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    PERFORM credits.billing_portal_session_create('u1', address);
    RETURN 'taken';
EXCEPTION WHEN SQLSTATE 'PC013' THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
    RETURN said;
END $$;
SELECT v.what, refused(v.address) FROM (VALUES
    ('user name', 'https://good.example@evil.example/'), ('user name and password', 'https://good.example:443@evil.example'),
    ('backslash', 'https://evil.example\@good.example/'), ('backslash later', 'https://good.example/\evil'),
    ('blank', 'https://good.example/a b'), ('blank before', ' https://good.example'), ('tab', E'https://good\t.example'),
    ('zero width', U&'https://good\200B.example/'), ('turns the text', U&'https://good.example/\202Emoc.live'),
    ('soft hyphen', U&'https://good\00AD.example'), ('other letters in the host', U&'https://go\043Ed.example'),
    ('other letters', 'https://good.example/ü'), ('another dot', U&'https://good\3002example'), ('markup', 'https://good.example/<b>'),
    ('no host', 'https:///good.example'), ('no host but a port', 'https://:443/'), ('dots alone', 'https://../'),
    ('an encoded host', 'https://good%2eexample'), ('a number', 'http://2130706433/'), ('IPv6 with a zone', 'http://[fe80::1%25eth0]/'),
    ('no port', 'https://good.example:/'), ('port', 'https://good.example:65536/'), ('all of it', 'https://xn--gd-2ka.example.:8443/~a;b/%20?c={D}&e[]=@#f')
) v (what, address);
-- The same for all of them; the places of a template stand after its host.
SELECT link('https://good.example@evil.example/');
SELECT credits.top_up_create('u1', :'price_id', return_url => 'https://good.example@evil.example/');
SELECT credits.top_up_create('u1', :'price_id', failure_url => 'https://evil.example\@good.example/');
SELECT credits.configure_recharge('CREDIT', :'price_id', checkout_url => 'https://{customer_id}/pay');
SELECT credits.payment_provider_set('shop', 'secret of the shop', 'https://good.example@{customer_id}/');

-- Another key: what was signed before is over, what is signed now is good.
SELECT token AS before FROM credits.billing_portal_session_create('u1') \gset
SELECT credits.billing_portal_key_rotate();
SELECT credits.billing_portal_session_verify(:'before');
SELECT token AS after FROM credits.billing_portal_session_create('u1') \gset
SELECT customer_id FROM credits.billing_portal_session_verify(:'after');
SET credits.test_clock = '2026-03-01 12:10+00';
SELECT credits.billing_portal_session_verify(:'after');
-- The first key is made where it is first needed, also by rotating.
DELETE FROM credits_internal.signing_keys;
SELECT credits.billing_portal_session_verify(:'after');
SELECT credits.billing_portal_key_rotate();
SELECT customer_id FROM credits.billing_portal_session_create('u1') c, credits.billing_portal_session_verify(c.token);
-- It is an administrator's.
CREATE ROLE regress_portal_app IN ROLE credits_app;
SET ROLE regress_portal_app;
SELECT credits.billing_portal_key_rotate();
SELECT length(token) > 50 AS made FROM credits.billing_portal_session_create('u1');
RESET ROLE;
DROP ROLE regress_portal_app;
SELECT * FROM credits.verify();
