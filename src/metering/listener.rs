//! What the ledger asks of meters.

use crate::error::Error;
use crate::ledger::listener::{MeterTerms, Meters};
use crate::metering::meter;
use crate::pg::statement::Session;

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
