-- Keys that sign links to billing pages. Only the owner can read this table.

CREATE TABLE credits_internal.signing_keys (
    purpose    text COLLATE "C" NOT NULL PRIMARY KEY,
    key        text NOT NULL,
    created_at timestamptz NOT NULL
);

COMMENT ON TABLE credits_internal.signing_keys IS
'Keys that the extension made for what it signs itself. Only the owner can read it, and no dump has it: a key is made
where it is first needed.';
COMMENT ON COLUMN credits_internal.signing_keys.purpose IS '''portal'': links to billing pages.';
COMMENT ON COLUMN credits_internal.signing_keys.key IS '244 random bits, as text.';
COMMENT ON COLUMN credits_internal.signing_keys.created_at IS 'When it was created.';

-- No pg_extension_config_dump: a dump has no key, and whoever restores it makes a new one.
