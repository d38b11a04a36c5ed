//! What payments announce to the rooms above them. Who listens is said in lib.rs.

use crate::error::Error;
use crate::ledger::engine::book::{Book, Reclaimed};
use crate::ledger::engine::posting::Key;
use crate::moment::Time;
use crate::payments::clawback::Step;
use crate::payments::clawback::line::Credits;
use crate::payments::payment_intent::{Intent, Subject};
use crate::payments::providers::plan::Report;
use crate::payments::reckoning::Cover;
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

/// What became of an invoice whose money came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sold {
    /// It is paid, and has granted what it is for.
    Paid,
    /// An account can count no more.
    NoRoom,
    /// It cannot be paid any more: why.
    TooLate(&'static str),
}

/// The room of what is sold.
pub trait Sale: Sync {
    /// The payments of an intent cover what is due: what they are for takes effect, in the transaction that records them. The
    /// customer and the accounts are locked.
    fn paid(&self, session: &Session, intent: &Intent, cover: &Cover, now: Time) -> Result<Sold, Error>;

    /// A payment that is not there yet is under way, or failed, or nobody will pay: what was set aside for it stays, or goes
    /// back.
    fn moved(&self, session: &Session, intent: &Intent, now: Time) -> Result<(), Error>;

    /// What a payment intent of that id would pay that has not begun: a cart that nobody submitted.
    fn to_begin(&self, _session: &Session, _id: Uuid) -> Result<Option<Subject>, Error> {
        Ok(None)
    }

    /// The accounts that such a cart would grant credits to.
    fn accounts(&self, _session: &Session, _customer_id: &str, _id: Uuid) -> Result<Vec<Key>, Error> {
        Ok(Vec::new())
    }

    /// Begins it, since something is reported of its payment. The customer and those accounts are locked.
    fn begin(&self, _session: &Session, _customer_id: &str, _id: Uuid, _now: Time) -> Result<(), Error> {
        Ok(())
    }

    /// Brings what went back of a line's instalments to what the line says. Their account is locked.
    fn reclaim(
        &self,
        _session: &Session,
        _intent: &Intent,
        _line: (Uuid, &Credits),
        _step: &mut Step<'_>,
    ) -> Result<Reclaimed, Error> {
        Ok(Reclaimed::default())
    }

    /// What the payments are made of is known better than when they were applied.
    fn corrected(&self, session: &Session, intent: &Intent, cover: &Cover, now: Time) -> Result<(), Error>;
}

/// Who sells.
pub static SALES: SignUp<dyn Sale> = SignUp::new();

/// A room that does something when a payment is reported, in the transaction that records it.
pub trait Listener: Sync {
    /// Begins the payment intent that a recharge asked for, if there is such a recharge and it did not begin yet.
    fn begin_recharge(&self, session: &Session, customer_id: &str, id: Uuid) -> Result<(), Error>;

    /// Whose recharge asked for a payment intent of that id, if any did.
    fn recharge_of(&self, session: &Session, id: Uuid) -> Result<Option<String>, Error>;

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

/// What became of what a provider reported of a plan that it bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// It was applied: whose it is, and the payment intent that it paid.
    Applied(String, Option<Uuid>),
    /// It was recorded, and does not fit what was known.
    Contradiction(String, Option<Uuid>),
    /// It names no subscription that is known, or none of what it is for.
    Unknown,
    /// It names one customer, and another's subscription.
    OtherCustomer(String),
}

/// The room of plans.
pub trait Plans: Sync {
    /// A provider reports something of a plan that it bills. Raises PC014 for a subscription that may come.
    fn reported(&self, session: &Session, provider: &str, report: &Report, now: Time) -> Result<Reported, Error>;
}

/// Who keeps plans.
pub static PLANS: SignUp<dyn Plans> = SignUp::new();
