-- What was used of metered items: records, what they come to by item and period, and what of that was invoiced.

CREATE TABLE credits_internal.usage_record_summaries (
    customer_id             text COLLATE "C" NOT NULL,
    usage_record_summary_id uuid NOT NULL,
    subscription_id         uuid NOT NULL,
    subscription_item_id    uuid NOT NULL,
    summary_no              integer NOT NULL CHECK (summary_no > 0),
    price_id                uuid NOT NULL,
    aggregate_usage         text NOT NULL
        CHECK (aggregate_usage IN ('sum', 'max', 'last_during_period', 'last_ever')),
    period_start            timestamptz NOT NULL,
    period_end              timestamptz NOT NULL,
    whole_start             timestamptz NOT NULL,
    whole_end               timestamptz NOT NULL,
    free                    boolean NOT NULL,
    records                 integer NOT NULL DEFAULT 0 CHECK (records >= 0),
    usage                   numeric NOT NULL CHECK (usage >= 0),
    last_at                 timestamptz,
    last_value              numeric CHECK (last_value >= 0),
    invoiced_amount         numeric NOT NULL DEFAULT 0 CHECK (invoiced_amount >= 0),
    closes_at               timestamptz,
    event_name              text COLLATE "C",
    PRIMARY KEY (customer_id, usage_record_summary_id),
    CONSTRAINT usage_record_summaries_period CHECK (period_start <= period_end),
    CONSTRAINT usage_record_summaries_whole CHECK (whole_start <= period_start AND period_end <= whole_end
                                                   AND whole_start < whole_end),
    CONSTRAINT usage_record_summaries_last CHECK ((last_at IS NULL) = (last_value IS NULL))
) WITH (fillfactor = 80);

COMMENT ON TABLE credits_internal.usage_record_summaries IS
'What was used of a metered item in a period, or at one price in a part of it: a row each. They change under their
customer''s lock.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.usage_record_summary_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.subscription_item_id IS 'The item.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.summary_no IS 'Its number among those of the item, from 1.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.price_id IS 'The price, which is metered.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.aggregate_usage IS
'How records add up: ''sum'', ''max'', ''last_during_period'' or ''last_ever''.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.period_start IS 'Its first moment.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.period_end IS 'The first moment after it.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.whole_start IS 'When the whole period began.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.whole_end IS 'When the whole period ends.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.free IS 'Whether nothing is charged for it: in a trial.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.records IS 'How many records it has, or events it took.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.usage IS 'What they add up to.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.last_at IS
'The last moment that anything was recorded for of the item, in this period or before; NULL for none yet.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.last_value IS 'And what that moment has.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.invoiced_amount IS
'What was invoiced of it, before discounts.';
COMMENT ON COLUMN credits_internal.usage_record_summaries.closes_at IS
'When what is not invoiced yet will be; NULL where nothing is to be.';

COMMENT ON COLUMN credits_internal.usage_record_summaries.event_name IS
'The meter whose events say what is used, which are in invoiced_events; NULL where it is recorded.';

CREATE UNIQUE INDEX usage_record_summaries_of
ON credits_internal.usage_record_summaries (customer_id, subscription_item_id, summary_no);
CREATE INDEX usage_record_summaries_open
ON credits_internal.usage_record_summaries (customer_id, subscription_id, closes_at) WHERE closes_at IS NOT NULL;
CREATE INDEX usage_record_summaries_metered
ON credits_internal.usage_record_summaries (customer_id, subscription_id, event_name, period_start)
WHERE event_name IS NOT NULL;

SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_record_summaries', '');

CREATE TABLE credits_internal.usage_records (
    customer_id             text COLLATE "C" NOT NULL,
    usage_record_id         uuid NOT NULL,
    usage_record_summary_id uuid NOT NULL,
    record_no               integer NOT NULL CHECK (record_no > 0),
    action                  text NOT NULL CHECK (action IN ('increment', 'set')),
    quantity                numeric NOT NULL CHECK (quantity >= 0),
    used_at                 timestamptz NOT NULL,
    value                   numeric NOT NULL CHECK (value >= 0),
    created_at              timestamptz NOT NULL,
    PRIMARY KEY (customer_id, usage_record_id)
);

COMMENT ON TABLE credits_internal.usage_records IS 'What was recorded of metered items. Rows never change.';
COMMENT ON COLUMN credits_internal.usage_records.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_records.usage_record_id IS 'Its id.';
COMMENT ON COLUMN credits_internal.usage_records.usage_record_summary_id IS 'The period that it counts in.';
COMMENT ON COLUMN credits_internal.usage_records.record_no IS 'Its number there, from 1, in the order of recording.';
COMMENT ON COLUMN credits_internal.usage_records.action IS
'''increment'' (it adds to what its moment has) or ''set'' (it replaces that).';
COMMENT ON COLUMN credits_internal.usage_records.quantity IS 'How many.';
COMMENT ON COLUMN credits_internal.usage_records.used_at IS 'Its moment.';
COMMENT ON COLUMN credits_internal.usage_records.value IS 'What its moment has after it.';
COMMENT ON COLUMN credits_internal.usage_records.created_at IS 'When it was recorded.';

CREATE UNIQUE INDEX usage_records_of
ON credits_internal.usage_records (customer_id, usage_record_summary_id, record_no);
CREATE INDEX usage_records_at
ON credits_internal.usage_records (customer_id, usage_record_summary_id, used_at, record_no);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_records', '');

CREATE TABLE credits_internal.usage_closings (
    customer_id             text COLLATE "C" NOT NULL,
    usage_record_summary_id uuid NOT NULL,
    closing_no              integer NOT NULL CHECK (closing_no > 0),
    records                 integer NOT NULL CHECK (records >= 0),
    usage                   numeric NOT NULL CHECK (usage >= 0),
    amount                  numeric NOT NULL CHECK (amount >= 0),
    invoice_line_id         uuid,
    closed_at               timestamptz NOT NULL,
    PRIMARY KEY (customer_id, usage_record_summary_id, closing_no)
);

COMMENT ON TABLE credits_internal.usage_closings IS
'How often usage was invoiced: at the period''s end, and again where some was recorded later. Rows never change.';
COMMENT ON COLUMN credits_internal.usage_closings.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.usage_closings.usage_record_summary_id IS 'What was closed.';
COMMENT ON COLUMN credits_internal.usage_closings.closing_no IS 'Its number there, from 1.';
COMMENT ON COLUMN credits_internal.usage_closings.records IS 'How many records there were by then.';
COMMENT ON COLUMN credits_internal.usage_closings.usage IS 'What they came to.';
COMMENT ON COLUMN credits_internal.usage_closings.amount IS 'What was invoiced for it, before discounts.';
COMMENT ON COLUMN credits_internal.usage_closings.invoice_line_id IS
'The line that it is on; NULL where nothing was invoiced.';
COMMENT ON COLUMN credits_internal.usage_closings.closed_at IS 'When that was.';

SELECT pg_catalog.pg_extension_config_dump('credits_internal.usage_closings', '');
