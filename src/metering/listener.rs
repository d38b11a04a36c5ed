//! What the ledger asks about meters, and what this room does when the ledger announces something.

use crate::error::Error;
use crate::ledger::customer::deletion::{Configured, is_any};
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::{Listener, MeterTerms, Meters};
use crate::metering::meter;
use crate::pg::statement::{Session, Statement, text};
use pgrx::pg_sys::TEXTOID;

/// The text of the statement that clears events, except for the metadata that is kept ($kept, of an event `e`).
macro_rules! clearing {
    ($kept:literal) => {
        text!(
            "WITH kept AS (
                 SELECT e.identifier, (",
            $kept,
            ") AS metadata
                 FROM credits_internal.meter_events e
                 WHERE e.customer_id = $1 AND (e.source_data IS NOT NULL OR e.metadata IS NOT NULL)
             ), cleared AS (
                 UPDATE credits_internal.meter_events e SET source_data = NULL, metadata = k.metadata
                 FROM kept k
                 WHERE e.customer_id = $1 AND e.identifier = k.identifier
                   AND (e.source_data IS NOT NULL OR e.metadata IS DISTINCT FROM k.metadata)
                 RETURNING 1
             )
             SELECT count(*) FROM cleared"
        )
    };
}

// An event's metadata keeps what its price depends on, since later corrections need it: keys of the price, with values
// that the price names. A number is named by any text of the same number. What a meter counts different values of stays
// whatever it is.
static CLEAR_EVENTS: Statement = Statement::scanning(
    clearing!(
        "SELECT jsonb_object_agg(x.key, e.metadata -> x.key) FROM (
         SELECT k.key FROM (SELECT t.pricing FROM credits_internal.meter_prices t
               WHERE t.event_name = e.event_name AND t.version = e.price_version % 65536
               UNION ALL
               SELECT o.pricing FROM credits_internal.price_overrides o
               WHERE o.customer_id = e.customer_id AND o.event_name = e.event_name
                 AND o.override_no = e.price_version / 65536) p
         CROSS JOIN LATERAL jsonb_array_elements_text(
             CASE jsonb_typeof(p.pricing -> 'by') WHEN 'array' THEN p.pricing -> 'by'
                                                  ELSE jsonb_build_array(p.pricing -> 'by') END) AS k (key)
         CROSS JOIN LATERAL (SELECT jsonb_typeof(e.metadata -> k.key) AS type, e.metadata ->> k.key AS text) v
         WHERE v.type IN ('string', 'number', 'boolean')
           AND EXISTS (SELECT FROM jsonb_path_query(p.pricing -> 'prices',
                                                    '$.** ? (@.type() == \"object\").keyvalue().key') AS j (name)
                       CROSS JOIN LATERAL (SELECT j.name #>> '{}' AS name) n
                       WHERE CASE WHEN v.type = 'number' AND n.name ~ '^-?[0-9]+([.][0-9]+)?$'
                                  THEN n.name::numeric = v.text::numeric ELSE n.name = v.text END)
         UNION
         SELECT m.unique_by FROM credits_internal.meters m
         WHERE m.event_name = e.event_name AND e.metadata ? m.unique_by) x"
    ),
    &[TEXTOID],
)
.before(clearing!(
    "SELECT jsonb_build_object(p.pricing ->> 'by', e.metadata -> (p.pricing ->> 'by'))
     FROM credits_internal.meter_prices p
     WHERE p.event_name = e.event_name AND p.version = e.price_version
       AND jsonb_typeof(e.metadata -> (p.pricing ->> 'by')) IN ('string', 'number', 'boolean')
       AND p.pricing -> 'prices' ? (e.metadata ->> (p.pricing ->> 'by'))"
));
static CLEAR_CANCELED: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.canceled_events SET reason = NULL WHERE customer_id = $1 AND reason IS NOT NULL RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_ADJUSTED: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.event_adjustments SET reason = NULL WHERE customer_id = $1 AND reason IS NOT NULL
          RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");
static CLEAR_REJECTED: Statement = Statement::scanning(
    c"WITH cleared AS (
          UPDATE credits_internal.inbox_rejected SET source_data = NULL, metadata = NULL
          WHERE customer_id = $1 AND (source_data IS NOT NULL OR metadata IS NOT NULL) RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static IN_INBOX: Statement = Statement::scanning(
    c"SELECT count(*) FROM credits.inbox WHERE customer_id = $1 AND (source_data IS NOT NULL OR metadata IS NOT NULL)",
    &[TEXTOID],
);

// The inbox's rows are usage too, and rejected ones may be tried again.
static USED: Statement = Statement::scanning(
    c"SELECT true
      WHERE EXISTS (SELECT FROM credits_internal.meter_events e WHERE e.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.usage_periods p WHERE p.customer_id = $1)
         OR EXISTS (SELECT FROM credits.inbox i WHERE i.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.inbox_rejected r WHERE r.customer_id = $1)",
    &[TEXTOID],
);
static CONFIGURED: [Configured; 1] = [crate::configured!("price_overrides")];

/// Signed up in lib.rs.
pub struct Metering;

impl Meters for Metering {
    fn find(&self, session: &Session, event_name: &str) -> Result<Option<MeterTerms>, Error> {
        let meter = meter::read(session, event_name)?;
        Ok(meter.map(|meter| MeterTerms {
            currency: meter.currency.clone(),
            decimals: meter.decimals,
            overage: meter.overage,
            active: meter.active,
        }))
    }

    fn missing(&self, session: &Session, event_name: &str) -> Error {
        meter::missing(session, event_name)
    }
}

impl Listener for Metering {
    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &USED, customer_id)
    }

    fn configured(&self) -> &'static [Configured] {
        &CONFIGURED
    }

    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared {
            rows: count(session, &[&CLEAR_EVENTS, &CLEAR_CANCELED, &CLEAR_ADJUSTED, &CLEAR_REJECTED], customer_id)?,
            waiting: count(session, &[&IN_INBOX], customer_id)?,
        })
    }
}
