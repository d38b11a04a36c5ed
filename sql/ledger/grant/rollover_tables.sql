-- Grants that roll over.

-- Few grants do: the others have no row. It changes under its account's lock.
CREATE TABLE credits_internal.grant_rollovers (
    customer_id text COLLATE "C" NOT NULL,
    grant_id    uuid NOT NULL,
    root_id     uuid NOT NULL,
    generation  integer NOT NULL CHECK (generation >= 0),
    percent     numeric NOT NULL CHECK (percent > 0 AND percent <= 100),
    max         numeric CHECK (max > 0),
    times_left  integer CHECK (times_left >= 0),
    lives       interval NOT NULL,
    until       timestamptz,
    rolled_from uuid,
    rolled_to   uuid,
    rolled_over numeric CHECK (rolled_over > 0),
    PRIMARY KEY (customer_id, grant_id),
    CONSTRAINT grant_rollovers_chain UNIQUE (customer_id, root_id, generation),
    CONSTRAINT grant_rollovers_root CHECK ((generation = 0) = (grant_id = root_id)
                                           AND (generation = 0) = (rolled_from IS NULL)),
    CONSTRAINT grant_rollovers_next CHECK ((rolled_to IS NULL) = (rolled_over IS NULL))
) WITH (fillfactor = 90);

COMMENT ON TABLE credits_internal.grant_rollovers IS
'Grants of which something goes on when their time runs out, and what they rolled over into.';
COMMENT ON COLUMN credits_internal.grant_rollovers.customer_id IS 'The customer.';
COMMENT ON COLUMN credits_internal.grant_rollovers.grant_id IS 'The grant.';
COMMENT ON COLUMN credits_internal.grant_rollovers.root_id IS
'The first of the grants that rolled over into one another up to this.';
COMMENT ON COLUMN credits_internal.grant_rollovers.generation IS 'How many of them came before it.';
COMMENT ON COLUMN credits_internal.grant_rollovers.percent IS 'So many percent of what remains go on.';
COMMENT ON COLUMN credits_internal.grant_rollovers.max IS 'At most so many credits; NULL for any.';
COMMENT ON COLUMN credits_internal.grant_rollovers.times_left IS 'So many times more; NULL for any number.';
COMMENT ON COLUMN credits_internal.grant_rollovers.lives IS
'How long what goes on lives, on the calendar in UTC.';
COMMENT ON COLUMN credits_internal.grant_rollovers.until IS
'Until when the next one lives, where that is known and not before it begins; NULL for so long as lives says.';
COMMENT ON COLUMN credits_internal.grant_rollovers.rolled_from IS
'The grant that rolled over into this; NULL for the first.';
COMMENT ON COLUMN credits_internal.grant_rollovers.rolled_to IS
'The grant that this rolled over into; NULL where it did not, or not yet.';
COMMENT ON COLUMN credits_internal.grant_rollovers.rolled_over IS 'How many credits went on, as posted.';

ALTER TABLE credits_internal.grant_rollovers ALTER customer_id SET (n_distinct = -0.05);

SELECT pg_catalog.pg_extension_config_dump('credits_internal.grant_rollovers', '');
