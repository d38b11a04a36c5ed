//! What payments announce to the rooms above them. Who listens is said in lib.rs.

use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting::Key;
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::signup::SignUp;
use uuid::Uuid;

/// How the payment ended that a recharge had asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The money came: also after a failure or a time-out.
    Paid,
    /// It did not come.
    Failed,
}

/// A room that does something when a payment is reported, in the transaction that records it.
pub trait Listener: Sync {
    /// The payment of a recharge has ended; its account is locked, and posted afterwards.
    fn recharge_ended(
        &self,
        session: &Session,
        book: &mut Book,
        recharge_id: Uuid,
        answer: Answer,
        reason: Option<&str>,
    ) -> Result<(), Error>;

    /// The accounts of a customer that [`Listener::disputed`] changes: they are locked with the purchase's own.
    fn changed_by_dispute(&self, session: &Session, customer_id: &str) -> Result<Vec<Key>, Error>;

    /// A customer disputes a payment, and it is not decided yet.
    fn disputed(&self, session: &Session, customer_id: &str, now: Time) -> Result<(), Error>;
}

/// Who listens to payments.
pub static LISTENERS: SignUp<dyn Listener> = SignUp::new();
