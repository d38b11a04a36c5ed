//! What the ledger asks about meters, and what this room does when the ledger announces something.

use crate::error::Error;
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::{Listener, MeterTerms, Meters};
use crate::metering::meter;
use crate::pg::statement::{Session, Statement};
use pgrx::pg_sys::TEXTOID;

// An event's metadata keeps what its price depends on, since later corrections need it: a key of the price, with one of
// the values that the price names.
static CLEAR_EVENTS: Statement = Statement::scanning(
    c"WITH kept AS (
          SELECT e.identifier,
                 (SELECT jsonb_build_object(p.pricing ->> 'by', e.metadata -> (p.pricing ->> 'by'))
                  FROM credits_internal.meter_prices p
                  WHERE p.event_name = e.event_name AND p.version = e.price_version
                    AND jsonb_typeof(e.metadata -> (p.pricing ->> 'by')) IN ('string', 'number', 'boolean')
                    AND p.pricing -> 'prices' ? (e.metadata ->> (p.pricing ->> 'by'))) AS metadata
          FROM credits_internal.meter_events e
          WHERE e.customer_id = $1 AND (e.source_data IS NOT NULL OR e.metadata IS NOT NULL)
      ), cleared AS (
          UPDATE credits_internal.meter_events e SET source_data = NULL, metadata = k.metadata
          FROM kept k
          WHERE e.customer_id = $1 AND e.identifier = k.identifier
            AND (e.source_data IS NOT NULL OR e.metadata IS DISTINCT FROM k.metadata)
          RETURNING 1
      )
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
static CLEAR_CANCELED: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.canceled_events SET reason = NULL WHERE customer_id = $1 AND reason IS NOT NULL RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
);
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
    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared {
            rows: count(session, &[&CLEAR_EVENTS, &CLEAR_CANCELED, &CLEAR_REJECTED], customer_id)?,
            waiting: count(session, &[&IN_INBOX], customer_id)?,
        })
    }
}
