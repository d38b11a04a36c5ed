//! What the catalogue announces to the rooms above it. Who listens is said in lib.rs.

use crate::error::Error;
use crate::pg::statement::Session;
use crate::signup::SignUp;
use uuid::Uuid;

/// What changed.
#[derive(Debug, Clone, Copy)]
pub enum Changed<'a> {
    /// A price.
    Price(Uuid),
    /// A product.
    Product(Uuid),
    /// What a currency is recharged with.
    RechargeConfig(&'a str),
}

/// A room that does something when the catalogue changes, in the transaction that changes it.
pub trait Listener: Sync {
    /// That changed.
    fn changed(&self, session: &Session, changed: Changed<'_>) -> Result<(), Error>;
}

/// Who listens to the catalogue.
pub static LISTENERS: SignUp<dyn Listener> = SignUp::new();

/// Says so to all who listen.
pub fn announce(session: &Session, changed: Changed<'_>) -> Result<(), Error> {
    LISTENERS.all().try_for_each(|listener| listener.changed(session, changed))
}
