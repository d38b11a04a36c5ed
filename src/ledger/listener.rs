//! What the ledger announces, and asks, of the rooms above it. Who listens is said in lib.rs.

use crate::error::Error;
use crate::ledger::customer::erasure::Cleared;
use crate::ledger::engine::book::{Book, Overage};
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::pg::value::Cell;
use crate::signup::SignUp;

/// A room that does something when the ledger changes, in the transaction that changes it, or changes it as time goes by.
pub trait Listener: Sync {
    /// Accounts were posted to; their rows are locked.
    fn posted(&self, _session: &Session, _books: &[&Book]) -> Result<(), Error> {
        Ok(())
    }

    /// A currency has other terms.
    fn currency_changed(&self, _session: &Session, _currency: &str) -> Result<(), Error> {
        Ok(())
    }

    /// A person is to be forgotten: clears what is locked before a customer's row is.
    fn before_erasure(&self, _session: &Session, _customer_id: &str) -> Result<(), Error> {
        Ok(())
    }

    /// A person is forgotten: clears what this room knows of one, whose accounts are locked.
    fn erase(&self, _session: &Session, _customer_id: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Clears what the application wrote beside a customer's rows of this room.
    fn clear_metadata(&self, _session: &Session, _customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared::default())
    }

    /// When this room next changes something in accounts after a moment each: their customers, currencies and moments, as
    /// arrays; what it returns are places in those, counted from 0.
    fn next_changes(&self, _session: &Session, _accounts: &[Cell; 3]) -> Result<Vec<(usize, Time)>, Error> {
        Ok(Vec::new())
    }
}

/// What a grant or a question must know of a meter.
pub struct MeterTerms {
    /// What it charges.
    pub currency: String,
    /// The currency's decimals.
    pub decimals: u32,
    /// What to do with what no credit covers.
    pub overage: Overage,
    /// Whether it takes events.
    pub active: bool,
}

/// Whoever knows the meters.
pub trait Meters: Sync {
    /// The meter of that event name.
    fn find(&self, session: &Session, event_name: &str) -> Result<Option<MeterTerms>, Error>;

    /// PC004, with the meter that may have been meant.
    fn missing(&self, session: &Session, event_name: &str) -> Error;
}

/// Who listens to the ledger.
pub static LISTENERS: SignUp<dyn Listener> = SignUp::new();

/// Who knows the meters: one.
pub static METERS: SignUp<dyn Meters> = SignUp::new();

/// A meter that must be there. Raises PC004.
pub fn meter(session: &Session, event_name: &str) -> Result<MeterTerms, Error> {
    let Some(meters) = METERS.all().next() else {
        return Err(Error::internal("nobody signed up for meters"));
    };
    meters.find(session, event_name)?.ok_or_else(|| meters.missing(session, event_name))
}
