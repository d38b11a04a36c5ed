-- Usage without a price: the parameter says what the pricing can say as well.
SELECT FROM credits.wallet_credit('ada', 1000);
SELECT pricing FROM credits.meter_create('llm', unpriced => 'reject', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 5}}}');
SELECT consumed FROM credits.report_meter_event('ada', 'llm', 1, 'e1', metadata => '{"model": "large"}');
SELECT consumed FROM credits.report_meter_event('ada', 'llm', 1, 'e2', metadata => '{"model": "huge"}');
-- Said once or twice, it is the same.
SELECT price_version FROM credits.meters;
SELECT pricing FROM credits.meter_update('llm', unpriced => 'reject', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 5}},
    "unpriced": "reject"}');
SELECT price_version FROM credits.meters;
SELECT pricing FROM credits.meter_create('llm', pricing => '{"by": "model", "prices": {"large": {"unit_price": 5}},
    "unpriced": "reject"}', if_not_exists => true);
SELECT pricing FROM credits.meter_create('llm', unpriced => 'reject', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 5}}}',
    if_not_exists => true);
SELECT pricing FROM credits.meter_update('llm', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 5}}, "default": {"unit_price": 1}}');
SELECT consumed FROM credits.report_meter_event('ada', 'llm', 1, 'e2', metadata => '{"model": "huge"}');
SELECT pricing FROM credits.meter_price_override('ada', 'llm', '{"by": "model",
    "prices": {"small": {"unit_price": 5}}}', unpriced => 'reject');
SELECT consumed FROM credits.report_meter_event('ada', 'llm', 1, 'e3', metadata => '{"model": "huge"}');
-- Not with what says otherwise, and not without prices by metadata.
SELECT credits.meter_create('bad', unpriced => 'reject', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 5}}, "default": {"unit_price": 1}}');
SELECT credits.meter_create('bad', unpriced => 'reject', pricing => '{"by": "model",
    "prices": {"large": {"unit_price": 5}}, "unpriced": "charge"}');
SELECT credits.meter_create('bad', unpriced => 'reject', pricing => '{"unit_price": 5}');
SELECT credits.meter_create('bad', unpriced => 'reject', pricing => '7');
SELECT credits.meter_create('bad', unpriced => 'reject');
SELECT credits.meter_create('bad', unpriced => 'charge');
SELECT credits.meter_update('llm', unpriced => 'reject');
SELECT credits.meter_price_override('ada', 'llm', discount_percent => 5, unpriced => 'reject');
SELECT * FROM credits.verify();
