-- What Stripe reports of checkout sessions that have a discount: its two events in any order, together or one without
-- the other, with tax and a discount of Stripe's own; of sessions that are over, or whose payment failed before; of
-- carts that nobody submitted; and of another customer's.
CREATE EXTENSION pgcrypto;
SET credits.test_clock = '2026-06-01 09:00:00+00';
SET credits.test_clock_drives_billing = on;
SET credits.checkout_url = 'https://shop.example/checkout';
\set SHOW_CONTEXT never
SELECT FROM credits.currency_create('USD', kind => 'fiat');
SELECT FROM credits.payment_provider_set('stripe', 'whsec of sixteen and more');
SELECT price_id AS pack FROM credits.package_create('Pack', 100, 10, 'USD') \gset
SELECT price_id AS poster FROM credits.price_create((SELECT product_id FROM credits.product_create('Poster', 'good')),
    unit_amount => 10, currency => 'USD', quantity_available => 1) \gset
SELECT FROM credits.coupon_create('In spring', percent_off => 20, promotion_codes => '[{"code": "SPRING"}]');
SELECT FROM credits.coupon_create('Only one', percent_off => 20, max_redemptions => 1,
    promotion_codes => '[{"code": "ONE"}]');
SELECT FROM credits.coupon_create('Few', percent_off => 20,
    promotion_codes => '[{"code": "FEW", "max_redemptions": 1}]');
SELECT FROM credits.coupon_create('Once each', percent_off => 20, max_redemptions_per_customer => 1,
    promotion_codes => '[{"code": "ONCE"}]');
SELECT FROM credits.coupon_create('For a day', percent_off => 20, redeem_by => '2026-06-02 00:00+00',
    promotion_codes => '[{"code": "TODAY"}]');
SELECT coupon_id AS deleted FROM credits.coupon_create('Mistaken', percent_off => 20,
    promotion_codes => '[{"code": "GONE"}]') \gset
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE detail text; ids text := '[0-9a-f]{8}-[0-9a-f-]{27}';
BEGIN
    EXECUTE statement;
    RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN QUERY SELECT regexp_replace(s, ids, '…', 'g') FROM unnest(ARRAY[SQLSTATE || ' ' || SQLERRM, detail]) s;
END $$;
CREATE FUNCTION cart(customer text, price uuid, code text, submit boolean DEFAULT true) RETURNS uuid LANGUAGE sql AS $$
    SELECT CASE WHEN submit THEN (credits.checkout_session_submit(customer, c.checkout_session_id)).checkout_session_id
                ELSE c.checkout_session_id END
    FROM credits.checkout_session_create(customer,
        line_items => jsonb_build_array(jsonb_build_object('price_id', price)),
        discounts => jsonb_build_array(jsonb_build_object('code', code)),
        expires_at => credits.clock() + interval '1 h') c
$$;
CREATE FUNCTION stripe(event text, type text, object jsonb)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    WITH sent AS (SELECT jsonb_build_object('id', event, 'type', type, 'data',
                                            jsonb_build_object('object', object))::text AS body,
                         extract(epoch FROM credits.clock())::bigint::text AS t)
    SELECT r.type, r.outcome, r.status, r.reason
    FROM sent s, credits.webhook_receive('stripe', s.body,
        't=' || s.t || ',v1=' || encode(hmac(s.t || '.' || s.body, 'whsec of sixteen and more', 'sha256'), 'hex')) r
$$;
-- The two events of a payment: by the cents that came and, of a Checkout Session, the tax and the discount that Stripe
-- added.
CREATE FUNCTION completed(p text, customer text, id uuid, total int DEFAULT 800, tax int DEFAULT 0, off int DEFAULT 0)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    SELECT * FROM stripe('completed ' || p, 'checkout.session.completed', jsonb_build_object('id', 'cs_' || p,
        'mode', 'payment', 'payment_status', CASE WHEN total = 0 THEN 'no_payment_required' ELSE 'paid' END,
        'currency', 'usd', 'amount_total', total, 'amount_subtotal', total - tax + off,
        'total_details', jsonb_build_object('amount_tax', tax, 'amount_discount', off, 'amount_shipping', 0),
        'payment_intent', CASE WHEN total > 0 THEN 'pi_' || p END,
        'metadata', jsonb_build_object('customer_id', customer, 'checkout_session_id', id)))
$$;
CREATE FUNCTION succeeded(p text, customer text, id uuid, total int DEFAULT 800)
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    SELECT * FROM stripe('succeeded ' || p, 'payment_intent.succeeded', jsonb_build_object('id', 'pi_' || p,
        'currency', 'usd', 'amount_received', total,
        'metadata', jsonb_build_object('customer_id', customer, 'payment_intent_id', id)))
$$;
CREATE FUNCTION failed(p text, customer text, id uuid, what text DEFAULT 'payment_failed')
RETURNS TABLE (kind text, outcome text, status text, reason text) LANGUAGE sql AS $$
    SELECT * FROM stripe(what || ' ' || p, 'payment_intent.' || what, jsonb_build_object('id', 'pi_' || p,
        'metadata', jsonb_build_object('customer_id', customer, 'payment_intent_id', id)))
$$;
CREATE VIEW state AS
SELECT s.customer_id, s.status, s.payment_status AS paid, s.amount_subtotal AS subtotal, s.amount_discount AS discount,
       s.amount_tax AS tax, s.amount_total AS total, p.amount_received AS received, p.status AS intent,
       CASE WHEN r.over_quota THEN 'over quota' WHEN r.confirmed_at IS NOT NULL THEN 'used'
            WHEN r.released_at IS NOT NULL THEN 'not held' WHEN r.holder_id IS NOT NULL THEN 'reserved' END AS use,
       (SELECT string_agg(l.action, ', ' ORDER BY l.log_no) FROM credits.discount_log l
        WHERE l.customer_id = s.customer_id AND l.holder_id = s.invoice_id) AS log,
       (SELECT count(*) FROM credits.grants g WHERE g.customer_id = s.customer_id) AS grants,
       (SELECT sum(f.amount) FROM credits.refunds f WHERE f.customer_id = s.customer_id) AS back
FROM credits.checkout_sessions s
LEFT JOIN credits.payment_intents p ON p.customer_id = s.customer_id AND p.payment_intent_id = s.payment_intent_id
LEFT JOIN credits_internal.redemptions r ON r.customer_id = s.customer_id AND r.holder_id = s.invoice_id
ORDER BY s.customer_id, s.checkout_session_id;

-- One after the other, either way round, each alone, and each again: paid once, used once.
SELECT cart('both', :'pack', 'SPRING') AS id \gset
SELECT * FROM completed('1', 'both', :'id');
SELECT * FROM succeeded('1', 'both', :'id');
SELECT * FROM completed('1', 'both', :'id');
SELECT cart('turned', :'pack', 'SPRING') AS id \gset
SELECT * FROM succeeded('2', 'turned', :'id');
SELECT * FROM completed('2', 'turned', :'id');
SELECT cart('one', :'pack', 'SPRING') AS id \gset
SELECT * FROM completed('3', 'one', :'id');
SELECT cart('other', :'pack', 'SPRING') AS id \gset
SELECT * FROM succeeded('4', 'other', :'id');
SELECT * FROM state;

-- Stripe took off a dollar more, and added tax: what we took off stays, and what the use took off is ours alone. Before
-- the session says so, the payment alone is less, or more, than was due.
SELECT cart('taxed', :'pack', 'SPRING') AS id \gset
SELECT * FROM completed('5', 'taxed', :'id', 833, 133, 100);
SELECT * FROM succeeded('5', 'taxed', :'id', 833);
SELECT cart('taxed, turned', :'pack', 'SPRING') AS id \gset
SELECT * FROM succeeded('6', 'taxed, turned', :'id', 833);
SELECT * FROM completed('6', 'taxed, turned', :'id', 833, 133, 100);
SELECT cart('less', :'pack', 'SPRING') AS id \gset
SELECT * FROM succeeded('7', 'less', :'id', 700);
SELECT status, use, log FROM state WHERE customer_id = 'less';
SELECT * FROM completed('7', 'less', :'id', 700, 0, 100);
SELECT cart('free', :'pack', 'SPRING') AS id \gset
SELECT * FROM completed('8', 'free', :'id', 0, 0, 800);
SELECT * FROM state WHERE customer_id IN ('taxed', 'taxed, turned', 'less', 'free');
SELECT i.customer_id, i.subtotal, i.discount, i.tax, i.total, i.amount_paid, r.amount AS ours
FROM credits.invoices i JOIN credits_internal.redemptions r ON r.holder_id = i.invoice_id
WHERE i.customer_id IN ('taxed', 'taxed, turned', 'less', 'free') ORDER BY 1;
SELECT customer_id, cost_amount, cost_currency FROM credits.grants
WHERE customer_id IN ('taxed', 'taxed, turned', 'less', 'free') ORDER BY 1;

-- Less than was due, and nothing says why: nothing is used. It stays reserved until the rest comes, or the session is
-- over.
SELECT cart('short', :'pack', 'SPRING') AS id \gset
SELECT * FROM succeeded('9', 'short', :'id', 300);
SELECT * FROM state WHERE customer_id = 'short';
SELECT * FROM succeeded('9b', 'short', :'id', 500);
SELECT * FROM state WHERE customer_id = 'short';

-- So it is of a payment that was under way: that is over, and does not keep it any longer.
SELECT cart('part', :'pack', 'SPRING') AS id \gset
SELECT * FROM failed('9c', 'part', :'id', 'processing');
SELECT * FROM succeeded('9c', 'part', :'id', 300);
SELECT customer_id, status, intent, use, log FROM state WHERE customer_id = 'part';
SELECT status FROM credits.checkout_session_expire('part', :'id');
SELECT customer_id, status, intent, use, log FROM state WHERE customer_id = 'part';

-- The payment failed, and somebody else has the last one: the next payment is honoured, over quota, whichever event
-- says so.
SELECT cart('ann', :'pack', 'ONE') AS ann \gset
SELECT * FROM failed('10', 'ann', :'ann');
SELECT cart('bob', :'pack', 'ONE') AS bob \gset
SELECT * FROM completed('10', 'ann', :'ann');
SELECT * FROM succeeded('10', 'ann', :'ann');
SELECT * FROM failed('11', 'bob', :'bob', 'canceled');
SELECT * FROM succeeded('11b', 'bob', :'bob');
SELECT * FROM completed('11b', 'bob', :'bob');
SELECT * FROM state WHERE customer_id IN ('ann', 'bob');
SELECT name, times_redeemed, times_over_quota FROM credits.coupons WHERE name = 'Only one';

-- Submitted again, it names the code, and why.
SELECT cart('cat', :'pack', 'FEW') AS cat \gset
SELECT * FROM failed('12', 'cat', :'cat');
SELECT cart('dan', :'pack', 'FEW') AS dan \gset
SELECT refused(format('SELECT credits.checkout_session_submit(''cat'', %L)', :'cat'));

-- The session's time is over, and nobody wrote that down; it is; or Stripe says so first.
SELECT cart('eve', :'pack', 'SPRING') AS eve, cart('fay', :'pack', 'SPRING') AS fay,
       cart('gus', :'pack', 'SPRING') AS gus \gset
SELECT * FROM stripe('expired', 'checkout.session.expired', jsonb_build_object('id', 'cs_15',
    'metadata', jsonb_build_object('customer_id', 'gus', 'checkout_session_id', :'gus')));
SET credits.test_clock = '2026-06-01 11:00:00+00';
SELECT customer_id, status, use FROM state WHERE customer_id IN ('eve', 'fay', 'gus');
SELECT * FROM completed('13', 'eve', :'eve');
CALL credits.maintain();
SELECT customer_id, status, use FROM state WHERE customer_id IN ('eve', 'fay', 'gus');
SELECT * FROM completed('14', 'fay', :'fay');
SELECT * FROM succeeded('14', 'fay', :'fay');
SELECT * FROM succeeded('15', 'gus', :'gus');
SELECT * FROM completed('15', 'gus', :'gus');
SELECT * FROM state WHERE customer_id IN ('eve', 'fay', 'gus');

-- Its time went by while the payment was under way: it keeps what it has, until that fails.
SELECT cart('hal', :'poster', 'SPRING') AS hal \gset
SELECT * FROM failed('16', 'hal', :'hal', 'processing');
SET credits.test_clock = '2026-06-01 13:00:00+00';
CALL credits.maintain();
SELECT customer_id, status, use, log FROM state WHERE customer_id = 'hal';
SELECT * FROM failed('16', 'hal', :'hal');
CALL credits.maintain();
SELECT customer_id, status, use, log FROM state WHERE customer_id = 'hal';

-- What was bought is gone when the payment comes: the money goes back, and so does the discount, at once. Also of a
-- payment that was under way, and of a session that is over.
SELECT cart('ida', :'poster', 'SPRING') AS ida \gset
SELECT * FROM failed('17', 'ida', :'ida');
SELECT cart('jim', :'poster', 'SPRING') AS jim \gset
SELECT * FROM failed('17b', 'ida', :'ida', 'processing');
SELECT * FROM succeeded('17b', 'ida', :'ida');
SELECT * FROM completed('17b', 'ida', :'ida');
SELECT * FROM completed('18', 'hal', :'hal');
SELECT * FROM state WHERE customer_id IN ('hal', 'ida');
SELECT status, last_payment_error FROM credits.payment_intents WHERE customer_id = 'ida';
-- It may be submitted again once there is another.
SELECT refused(format('SELECT credits.checkout_session_submit(''ida'', %L)', :'ida'));
SELECT quantity_available FROM credits.price_inventory(:'poster', 1, 'increment');
SELECT replayed FROM credits.checkout_session_submit('ida', :'ida');
SELECT customer_id, status, use, log FROM state WHERE customer_id = 'ida';

-- Nobody submitted it, and the code is used up: what was paid is what it was to cost, and it is over quota. So it is by
-- either event, after a failure, by the limits of a code and of a customer; what is not judged is its time.
SELECT cart('kim', :'pack', 'SPRING', false) AS kim, cart('lea', :'pack', 'TODAY', false) AS lea,
       cart('nat', :'pack', 'GONE', false) AS nat, cart('ned', :'pack', 'ONCE', false) AS ned \gset
SELECT FROM credits.coupon_update((SELECT coupon_id FROM credits.coupons WHERE name = 'Only one'),
    max_redemptions => 2);
SELECT cart('max', :'pack', 'ONE', false) AS max, cart('mia', :'pack', 'ONE', false) AS mia,
       cart('mo', :'pack', 'FEW', false) AS mo \gset
SELECT FROM cart('last', :'pack', 'ONE');
SELECT FROM cart('last of code', :'pack', 'FEW');
SELECT FROM cart('ned', :'pack', 'ONCE');
SELECT FROM credits.coupon_delete(:'deleted');
SET credits.test_clock = '2026-06-01 13:30:00+00';
SELECT * FROM completed('20', 'kim', :'kim');
SELECT * FROM completed('21', 'max', :'max');
SELECT * FROM succeeded('21', 'max', :'max');
SELECT * FROM failed('22', 'mia', :'mia');
SELECT * FROM state WHERE customer_id = 'mia';
SELECT * FROM credits.verify();
SELECT * FROM succeeded('22', 'mia', :'mia');
SELECT * FROM succeeded('23', 'mo', :'mo');
SELECT * FROM completed('24', 'nat', :'nat');
SELECT * FROM completed('25', 'ned', :'ned');
SET credits.test_clock = '2026-06-02 00:30:00+00';
SELECT * FROM succeeded('26', 'lea', :'lea');
SELECT * FROM state WHERE customer_id IN ('kim', 'lea', 'max', 'mia', 'mo', 'nat', 'ned');
SELECT name, times_redeemed, times_over_quota FROM credits.coupons ORDER BY name;
-- And the poster is gone as well: nothing stays reserved.
SELECT cart('oli', :'poster', 'SPRING', false) AS oli \gset
SELECT FROM credits.price_inventory(:'poster', 1, 'decrement');
CALL credits.maintain();
SELECT quantity_available, quantity_taken FROM credits.prices WHERE price_id = :'poster';
SELECT FROM credits.price_inventory(:'poster', 1, 'decrement');
SELECT * FROM completed('27', 'oli', :'oli');
SELECT * FROM state WHERE customer_id = 'oli';

-- An event that names another customer changes nothing, of a session and of a cart that nobody submitted; what the
-- right one says of the same payment counts. Nor does a customer reach another's session.
SELECT cart('pam', :'pack', 'SPRING') AS pam, cart('pia', :'pack', 'SPRING', false) AS pia \gset
SELECT * FROM completed('30', 'quinn', :'pam');
SELECT * FROM succeeded('30', 'quinn', :'pam');
SELECT * FROM failed('30', 'quinn', :'pam');
SELECT * FROM completed('31', 'quinn', :'pia');
SELECT * FROM state WHERE customer_id IN ('pam', 'pia', 'quinn');
SELECT FROM credits.customer_upsert('quinn');
SELECT refused(format('SELECT credits.%s(''quinn'', %L)', f.name, f.id))
FROM (VALUES ('checkout_session_submit', :'pam'), ('checkout_session_expire', :'pam'), ('payment_succeeded', :'pam'),
             ('checkout_session_remove_promotion_code', :'pia'), ('payment_succeeded', :'pia')) AS f (name, id);
SELECT split_part(s.url, 'token=', 2) AS pia_token, split_part(o.url, 'token=', 2) AS pam_token
FROM credits.checkout_sessions s, credits.checkout_sessions o
WHERE s.customer_id = 'pia' AND o.customer_id = 'pam' \gset
SELECT customer_id, checkout_session_id = :'pia' AS its FROM credits.checkout_session_verify(:'pia_token');
SELECT refused(format('SELECT credits.checkout_session_verify(%L)',
    split_part(:'pam_token', '.', 1) || '.' || split_part(:'pia_token', '.', 2)));
SELECT * FROM stripe('completed 30b', 'checkout.session.completed', jsonb_build_object('id', 'cs_30', 'mode', 'payment',
    'payment_status', 'paid', 'currency', 'usd', 'amount_total', 800, 'amount_subtotal', 800, 'payment_intent', 'pi_30',
    'metadata', jsonb_build_object('customer_id', 'pam', 'checkout_session_id', :'pam')));
SELECT * FROM stripe('succeeded 31b', 'payment_intent.succeeded', jsonb_build_object('id', 'pi_31', 'currency', 'usd',
    'amount_received', 800, 'metadata', jsonb_build_object('customer_id', 'pia', 'payment_intent_id', :'pia')));
SELECT * FROM state WHERE customer_id IN ('pam', 'pia', 'quinn');
-- A payment that is another's pays nothing here.
SELECT cart('ray', :'pack', 'SPRING') AS ray \gset
SELECT * FROM stripe('completed 30c', 'checkout.session.completed', jsonb_build_object('id', 'cs_32', 'mode', 'payment',
    'payment_status', 'paid', 'currency', 'usd', 'amount_total', 800, 'amount_subtotal', 800, 'payment_intent', 'pi_30',
    'metadata', jsonb_build_object('customer_id', 'ray', 'checkout_session_id', :'ray')));
SELECT * FROM state WHERE customer_id = 'ray';
SELECT * FROM credits.verify();
