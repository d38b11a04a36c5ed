//! What the ledger announces to the rooms above it, and asks them. lib.rs says who listens.

use crate::error::{Error, quoted};
use crate::ledger::customer::deletion::Configured;
use crate::ledger::customer::erasure::Cleared;
use crate::ledger::engine::book::{Book, Overage};
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::pg::value::Cell;
use crate::signup::SignUp;

/// A room that acts when the ledger changes, in the transaction that changes it, or that changes accounts as time
/// passes.
pub trait Listener: Sync {
    /// Accounts were posted to and are locked.
    fn posted(&self, _session: &Session, _books: &[&Book]) -> Result<(), Error> {
        Ok(())
    }

    /// A currency's terms changed.
    fn currency_changed(&self, _session: &Session, _currency: &str) -> Result<(), Error> {
        Ok(())
    }

    /// A person is about to be erased: clears what must be locked before the customer's row.
    fn before_erasure(&self, _session: &Session, _customer_id: &str) -> Result<(), Error> {
        Ok(())
    }

    /// A person is being erased, whose accounts are locked: clears what this room stores about the person.
    fn erase(&self, _session: &Session, _customer_id: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Clears what the application stored with a customer's rows in this room.
    fn clear_metadata(&self, _session: &Session, _customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared::default())
    }

    /// Whether a customer did something that this room has to keep. The customer and its accounts are locked.
    fn has_history(&self, _session: &Session, _customer_id: &str) -> Result<bool, Error> {
        Ok(false)
    }

    /// The tables in which this room has what is configured for customers: it is deleted with a customer without history.
    fn configured(&self) -> &'static [Configured] {
        &[]
    }

    /// When this room next changes something in accounts, each after a given moment. `accounts` are their customers,
    /// currencies and moments, as arrays; returns indexes into these, from 0, with the time.
    fn next_changes(&self, _session: &Session, _accounts: &[Cell; 3]) -> Result<Vec<(usize, Time)>, Error> {
        Ok(Vec::new())
    }
}

/// What a grant or a query needs to know about a meter.
pub struct MeterTerms {
    /// The currency that it charges.
    pub currency: String,
    /// The currency's decimals.
    pub decimals: u32,
    /// What to do with what no credit covers.
    pub overage: Overage,
    /// Whether it takes events.
    pub active: bool,
}

/// The room that has the meters.
pub trait Meters: Sync {
    /// The meter with that event name.
    fn find(&self, session: &Session, event_name: &str) -> Result<Option<MeterTerms>, Error>;

    /// PC004, with the meter that may have been meant.
    fn missing(&self, session: &Session, event_name: &str) -> Error;
}

/// Who listens to the ledger.
pub static LISTENERS: SignUp<dyn Listener> = SignUp::new();

/// The one room that has the meters.
pub static METERS: SignUp<dyn Meters> = SignUp::new();

/// A meter that must exist and charge that currency, if one is given. Raises PC004, PC013.
pub fn meter_in(session: &Session, event_name: &str, currency: Option<&str>) -> Result<MeterTerms, Error> {
    let meter = meter(session, event_name)?;
    if let Some(code) = currency.filter(|code| *code != meter.currency) {
        let reason = format!("must be what the meter charges, {}, or NULL: it is {}", meter.currency, quoted(code));
        return Err(Error::argument("currency", reason));
    }
    Ok(meter)
}

impl MeterTerms {
    /// Raises PC005 unless it takes events.
    pub fn must_be_active(&self, event_name: &str) -> Result<(), Error> {
        if self.active { Ok(()) } else { Err(Error::MeterInactive { event_name: event_name.to_string() }) }
    }
}

/// A meter that must exist. Raises PC004.
pub fn meter(session: &Session, event_name: &str) -> Result<MeterTerms, Error> {
    let Some(meters) = METERS.all().next() else {
        return Err(Error::internal("nobody signed up for meters"));
    };
    meters.find(session, event_name)?.ok_or_else(|| meters.missing(session, event_name))
}
