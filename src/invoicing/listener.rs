//! What invoicing announces to the rooms above it. Who listens is said in lib.rs.

use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::signup::SignUp;
use uuid::Uuid;

/// What became of an invoice of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is paid, with or without money.
    Paid,
    /// A payment of it failed.
    Failed,
    /// It is void.
    Void,
}

/// A room that does something when an invoice of a subscription is paid, or is not.
pub trait Listener: Sync {
    /// In the transaction that records it, and after what the payment brings about: of a customer, a subscription and an
    /// invoice. The customer is locked.
    fn settled(&self, session: &Session, which: (&str, Uuid, Uuid), outcome: Outcome, now: Time) -> Result<(), Error>;
}

/// Who listens.
pub static LISTENERS: SignUp<dyn Listener> = SignUp::new();
