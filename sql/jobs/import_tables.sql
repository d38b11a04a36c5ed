-- How far imports of history have come.

CREATE TABLE credits_internal.history_imports (
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    entries     bigint NOT NULL CHECK (entries >= 0),
    first_at    timestamptz,
    last_at     timestamptz,
    finished    boolean NOT NULL,
    last_line   bigint NOT NULL,
    posted_at   timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, currency)
);

COMMENT ON TABLE credits_internal.history_imports IS
'Accounts whose history was imported. What was posted since is after last_line.';
COMMENT ON COLUMN credits_internal.history_imports.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.history_imports.currency IS 'What the account counts.';
COMMENT ON COLUMN credits_internal.history_imports.entries IS 'How many entries were imported.';
COMMENT ON COLUMN credits_internal.history_imports.first_at IS
'When the first of them happened; NULL where there was none.';
COMMENT ON COLUMN credits_internal.history_imports.last_at IS
'When the last of them happened; NULL where there was none.';
COMMENT ON COLUMN credits_internal.history_imports.finished IS
'Whether that was all of it. Until then more may follow, unless something else is posted before.';
COMMENT ON COLUMN credits_internal.history_imports.last_line IS 'The number of the last line that was imported.';
COMMENT ON COLUMN credits_internal.history_imports.posted_at IS
'The account''s posted_at when the last part was imported.';
COMMENT ON COLUMN credits_internal.history_imports.created_at IS 'When the first part was imported.';

ALTER TABLE credits_internal.history_imports ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.history_imports', '');
