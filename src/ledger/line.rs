//! What a book writes down: the lines of the ledger, and what is owed. Pure.

use crate::amount::Decimal;
use crate::clock::Time;
use uuid::Uuid;

/// What a ledger line records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineType {
    /// A grant took effect.
    Grant,
    /// A grant paid for a debit or for usage.
    Consumption,
    /// What remained of a grant when its time ran out.
    Expiration,
}

impl LineType {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            LineType::Grant => "grant",
            LineType::Consumption => "consumption",
            LineType::Expiration => "expiration",
        }
    }
}

/// What a charge is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A meter event, by its identifier.
    Event(String),
    /// An operation: a debit.
    Operation(Uuid),
}

/// One line of the ledger, to be appended.
#[derive(Debug, Clone)]
pub struct Line {
    /// Counts from 1 in each account.
    pub line_no: i64,
    /// What it records.
    pub line_type: LineType,
    /// Credits, signed: what it does to the balance.
    pub amount: Decimal,
    /// The balance after it: available and restricted together.
    pub running_balance: Decimal,
    /// The grant that it changes.
    pub grant_id: Uuid,
    /// What the credits were used for.
    pub source: Option<Source>,
    /// When the balance changed.
    pub effective_at: Time,
}

/// Usage that no credit covered: what is owed for one event.
#[derive(Debug, Clone)]
pub struct Debt {
    /// The event.
    pub identifier: String,
    /// Its meter: which grants may pay.
    pub event_name: String,
    /// Credits paid so far.
    pub consumed: Decimal,
    /// Credits owed.
    pub pending: Decimal,
    /// Its place in the order of payment, in its account.
    pub debt_no: i64,
    /// Whether its row says something else than this.
    pub changed: bool,
}
