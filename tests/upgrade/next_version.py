"""A next version, which nobody ships: what is new in it as a fresh installation makes it, and the step that leads there in
parts. Without any one of those parts the upgraded database is not like the fresh one, which has to be noticed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FRESH = """
CREATE TABLE credits_internal.parcels (
    customer_id text COLLATE "C",
    parcel_no   bigint NOT NULL,
    weight      numeric NOT NULL DEFAULT 1,
    CONSTRAINT parcels_pkey PRIMARY KEY (customer_id, parcel_no),
    CONSTRAINT parcels_weight_check CHECK (weight > 0));
ALTER TABLE credits_internal.parcels REPLICA IDENTITY FULL, SET (fillfactor = 90);
ALTER TABLE credits_internal.parcels ALTER COLUMN customer_id SET (n_distinct = -0.05);
CREATE INDEX parcels_by_weight ON credits_internal.parcels (customer_id, weight);
COMMENT ON TABLE credits_internal.parcels IS 'Parcels.';
COMMENT ON COLUMN credits_internal.parcels.weight IS 'How heavy it is.';
SELECT pg_catalog.pg_extension_config_dump('credits_internal.parcels', '');

CREATE TYPE credits.parcel AS (parcel_no bigint, weight numeric);
COMMENT ON TYPE credits.parcel IS 'A parcel, as parcel_find() returns it.';
COMMENT ON COLUMN credits.parcel.weight IS 'How heavy it is.';
CREATE FUNCTION credits.parcel_find(customer_id text, parcel_no bigint DEFAULT 1) RETURNS credits.parcel
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.parcel_no, p.weight FROM credits_internal.parcels p WHERE p.customer_id = $1 AND p.parcel_no = $2
$$;
COMMENT ON FUNCTION credits.parcel_find IS 'Finds a parcel.';
CREATE FUNCTION credits_internal.parcel_came() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER came BEFORE INSERT ON credits_internal.parcels FOR EACH ROW EXECUTE FUNCTION credits_internal.parcel_came();
ALTER TABLE credits_internal.parcels DISABLE TRIGGER came;

ALTER TABLE credits_internal.parcels OWNER TO credits_owner;
ALTER TYPE credits.parcel OWNER TO credits_owner;
ALTER FUNCTION credits.parcel_find OWNER TO credits_owner;
ALTER FUNCTION credits_internal.parcel_came OWNER TO credits_owner;

REVOKE ALL ON TYPE credits.parcel FROM PUBLIC;
REVOKE ALL ON FUNCTION credits.parcel_find, credits_internal.parcel_came FROM PUBLIC;
GRANT EXECUTE ON FUNCTION credits.parcel_find TO credits_app;
REVOKE SELECT ON credits.currencies FROM credits_read;
COMMENT ON FUNCTION credits.clock IS 'What time it is.';
"""
# In either way: a column more in a view that there is already.
VIEW = """
DO $$
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW credits.currencies AS SELECT v.*, 1 AS parcels FROM ('
        || pg_catalog.rtrim(pg_catalog.pg_get_viewdef('credits.currencies'), ';') || ') AS v';
END $$;
"""


@dataclass(frozen=True)
class Part:
    """A part of the step."""

    sql: str
    # What it is called where it is forgotten, and the beginning of the line that says what is missing then. A part without a
    # name is one that the others need.
    forgotten: str = ""
    found: str = ""
    # Of another part, without which this one cannot be.
    needs: str = ""


TABLE, COLUMN = "credits_internal.parcels", "column credits_internal.parcels"
STEP = (
    Part("CREATE TABLE credits_internal.parcels (customer_id text COLLATE \"C\", parcel_no bigint NOT NULL,"
         " CONSTRAINT parcels_pkey PRIMARY KEY (customer_id, parcel_no))"),
    Part(f"ALTER TABLE {TABLE} ADD COLUMN weight numeric", "a column", f"{COLUMN}.weight: missing"),
    Part(f"ALTER TABLE {TABLE} ALTER COLUMN weight SET DEFAULT 1", "a default", f"{COLUMN}.weight, default", "a column"),
    Part(f"ALTER TABLE {TABLE} ALTER COLUMN weight SET NOT NULL", "a NOT NULL", f"{COLUMN}.weight, not null", "a column"),
    Part(f"ALTER TABLE {TABLE} ADD CONSTRAINT parcels_weight_check CHECK (weight > 0)",
         "a constraint", f"constraint parcels_weight_check on {TABLE}: missing", "a column"),
    Part(f"CREATE INDEX parcels_by_weight ON {TABLE} (customer_id, weight)",
         "an index", "index credits_internal.parcels_by_weight: missing", "a column"),
    Part(f"COMMENT ON COLUMN {TABLE}.weight IS 'How heavy it is.'",
         "a column's comment", f"{COLUMN}.weight, comment", "a column"),
    Part(f"ALTER TABLE {TABLE} REPLICA IDENTITY FULL", "a replica identity", f"table {TABLE}, replica identity"),
    Part(f"ALTER TABLE {TABLE} SET (fillfactor = 90)", "a table's option", f"table {TABLE}, options"),
    Part(f"ALTER TABLE {TABLE} ALTER COLUMN customer_id SET (n_distinct = -0.05)",
         "a column's option", f"{COLUMN}.customer_id, options"),
    Part(f"COMMENT ON TABLE {TABLE} IS 'Parcels.'"),
    Part(f"SELECT pg_catalog.pg_extension_config_dump('{TABLE}', '')",
         "that dumps carry its rows", f"table {TABLE}, rows in dumps"),
    Part("CREATE TYPE credits.parcel AS (parcel_no bigint)"),
    Part("ALTER TYPE credits.parcel ADD ATTRIBUTE weight numeric",
         "a row type's attribute", "attribute credits.parcel.weight: missing"),
    Part("COMMENT ON TYPE credits.parcel IS 'A parcel, as parcel_find() returns it.'",
         "a type's comment", "type credits.parcel, comment"),
    Part("COMMENT ON COLUMN credits.parcel.weight IS 'How heavy it is.'",
         "an attribute's comment", "attribute credits.parcel.weight, comment", "a row type's attribute"),
    Part("CREATE FUNCTION credits.parcel_find(customer_id text, parcel_no bigint DEFAULT 1) RETURNS credits.parcel"
         " LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT NULL::credits.parcel'"),
    Part("""CREATE OR REPLACE FUNCTION credits.parcel_find(customer_id text, parcel_no bigint DEFAULT 1) RETURNS credits.parcel
LANGUAGE sql STABLE SECURITY DEFINER
AS $$
    SELECT p.parcel_no, p.weight FROM credits_internal.parcels p WHERE p.customer_id = $1 AND p.parcel_no = $2
$$""", "a body", "function credits.parcel_find(text,bigint), body"),
    Part("ALTER FUNCTION credits.parcel_find SET search_path = pg_catalog, pg_temp",
         "a pinned search_path", "function credits.parcel_find(text,bigint), settings"),
    Part("COMMENT ON FUNCTION credits.parcel_find IS 'Finds a parcel.'",
         "a function's comment", "function credits.parcel_find(text,bigint), comment"),
    Part("CREATE FUNCTION credits_internal.parcel_came() RETURNS trigger LANGUAGE plpgsql"
         " SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NEW; END'"),
    Part(f"CREATE TRIGGER came BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION credits_internal.parcel_came()",
         "a trigger", f"trigger came on {TABLE}: missing"),
    Part(f"ALTER TABLE {TABLE} DISABLE TRIGGER came", "whether a trigger fires", f"trigger came on {TABLE}, enabled", "a trigger"),
    Part(f"ALTER TABLE {TABLE} OWNER TO credits_owner", "a table's owner", f"table {TABLE}, owner"),
    Part("ALTER TYPE credits.parcel OWNER TO credits_owner", "a type's owner", "type credits.parcel, owner"),
    Part("ALTER FUNCTION credits.parcel_find OWNER TO credits_owner",
         "a function's owner", "function credits.parcel_find(text,bigint), owner"),
    Part("ALTER FUNCTION credits_internal.parcel_came OWNER TO credits_owner"),
    Part("REVOKE ALL ON TYPE credits.parcel FROM PUBLIC", "a type's REVOKE", "type credits.parcel, rights"),
    Part("REVOKE ALL ON FUNCTION credits.parcel_find FROM PUBLIC",
         "the REVOKE of a new function", "function credits.parcel_find(text,bigint), rights"),
    Part("REVOKE ALL ON FUNCTION credits_internal.parcel_came FROM PUBLIC"),
    Part("GRANT EXECUTE ON FUNCTION credits.parcel_find TO credits_app",
         "a GRANT", "function credits.parcel_find(text,bigint), rights"),
    Part("REVOKE SELECT ON credits.currencies FROM credits_read",
         "the REVOKE of a right that was there", "view credits.currencies, rights"),
    Part("COMMENT ON FUNCTION credits.clock IS 'What time it is.'", "another comment", "function credits.clock(), comment"),
    Part(VIEW, "a view's column", "column credits.currencies.parcels: missing"),
    Part("COMMENT ON COLUMN credits.currencies.parcels IS 'None.'",
         "the comment of a view's column", "column credits.currencies.parcels, comment", "a view's column"),
)  # fmt: skip
FRESH += VIEW + "COMMENT ON COLUMN credits.currencies.parcels IS 'None.';\n"


def step(forgotten: str = "") -> str:
    """The step, without a part of it and what needs that."""
    if not forgotten:
        kept = STEP
    else:
        kept = tuple(part for part in STEP if forgotten not in (part.forgotten, part.needs))
    return "".join(f"{part.sql.strip().removesuffix(';')};\n" for part in kept)


def forgettable() -> list[Part]:
    return [part for part in STEP if part.forgotten]


def name(current: str) -> str:
    """The version after it, marked as what it is."""
    return re.sub(r"(\d+)\D*$", lambda last: f"{int(last[1]) + 1}test", current)
