//! What the catalogue announces to the rooms above it. lib.rs says who listens.

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
    /// The recharge configuration of a currency.
    RechargeConfig(&'a str),
}

/// A room that acts when the catalogue changes, in the transaction that changes it.
pub trait Listener: Sync {
    /// Something in the catalogue changed.
    fn changed(&self, session: &Session, changed: Changed<'_>) -> Result<(), Error>;
}

/// Who listens to the catalogue.
pub static LISTENERS: SignUp<dyn Listener> = SignUp::new();

/// Announces a change to all listeners.
pub fn announce(session: &Session, changed: Changed<'_>) -> Result<(), Error> {
    LISTENERS.all().try_for_each(|listener| listener.changed(session, changed))
}
