//! What a book records: ledger lines, debts, holds. Pure.

use crate::amount::Decimal;
use crate::moment::Time;
use std::rc::Rc;
use uuid::Uuid;

/// What a ledger line records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineType {
    /// A grant took effect.
    Grant,
    /// A grant paid for usage.
    Consumption,
    /// A grant paid for a debit.
    Debit,
    /// Usage that no credit covered.
    Debt,
    /// Usage was canceled: its credits came back, or its debt was dropped.
    Reversal,
    /// Credits were set aside.
    Hold,
    /// Held credits were spent.
    Capture,
    /// Held credits came back.
    Release,
    /// What remained of a grant when its time ran out.
    Expiration,
    /// What remained of a grant when it was voided.
    Void,
    /// Credits went to another customer, or came from one.
    Transfer,
    /// A correction for what happened elsewhere.
    Adjustment,
    /// Credits taken because their price was refunded; without a grant, owed for it; with the opposite sign, returned
    /// because the refund was undone.
    Refund,
    /// Credits left the balance because their grant was suspended.
    Suspension,
    /// Suspended credits came back into the balance: their grant was resumed, or ended.
    Resumption,
    /// Credits that had lapsed with their grant's time came back: its time was extended, or they pay late usage.
    Reinstatement,
    /// Part of what remained of a grant went on as another as its time ran out.
    Rollover,
}

impl LineType {
    const ALL: [LineType; 17] = [
        LineType::Grant,
        LineType::Consumption,
        LineType::Debit,
        LineType::Debt,
        LineType::Reversal,
        LineType::Hold,
        LineType::Capture,
        LineType::Release,
        LineType::Expiration,
        LineType::Void,
        LineType::Transfer,
        LineType::Adjustment,
        LineType::Refund,
        LineType::Suspension,
        LineType::Resumption,
        LineType::Reinstatement,
        LineType::Rollover,
    ];

    /// All names.
    pub fn names() -> [&'static str; 17] {
        LineType::ALL.map(LineType::as_str)
    }

    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            LineType::Grant => "grant",
            LineType::Consumption => "consumption",
            LineType::Debit => "debit",
            LineType::Debt => "debt",
            LineType::Reversal => "reversal",
            LineType::Hold => "hold",
            LineType::Capture => "capture",
            LineType::Release => "release",
            LineType::Expiration => "expiration",
            LineType::Void => "void",
            LineType::Transfer => "transfer",
            LineType::Adjustment => "adjustment",
            LineType::Refund => "refund",
            LineType::Suspension => "suspension",
            LineType::Resumption => "resumption",
            LineType::Reinstatement => "reinstatement",
            LineType::Rollover => "rollover",
        }
    }
}

/// What a line is about, apart from its grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A meter event, by its identifier; and the period whose usage is priced together, if it belongs to one.
    Event(String, Option<Rc<Period>>),
    /// An operation or a hold.
    Operation(Uuid),
    /// A meter event that a hold pays: the capture's operation, and the event as above.
    Captured(Uuid, String, Option<Rc<Period>>),
}

/// Usage of one customer that is priced together: a meter's events of a period, of one price if that matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The meter.
    pub event_name: String,
    /// Which of the meter's: the day or month, and the price where events of several prices do not add up.
    pub key: String,
}

/// What a grant paid by one line for usage that is priced together, less what has come back.
#[derive(Debug, Clone)]
pub struct PeriodDraw {
    /// The usage.
    pub period: Rc<Period>,
    /// The grant that paid.
    pub grant_id: Uuid,
    /// Credits that have not come back.
    pub amount: Decimal,
    /// The same in its row; zero if it has none.
    pub stored: Decimal,
}

impl Source {
    /// The event, if it is one.
    pub fn identifier(&self) -> Option<&str> {
        match self {
            Source::Event(identifier, _) | Source::Captured(_, identifier, _) => Some(identifier),
            Source::Operation(_) => None,
        }
    }

    /// The operation, if it is one.
    pub fn operation(&self) -> Option<Uuid> {
        match self {
            Source::Event(..) => None,
            Source::Operation(id) | Source::Captured(id, ..) => Some(*id),
        }
    }

    /// The period whose usage is priced together, if it is an event of one.
    pub fn period(&self) -> Option<&Rc<Period>> {
        match self {
            Source::Event(_, period) | Source::Captured(_, _, period) => period.as_ref(),
            Source::Operation(_) => None,
        }
    }
}

/// What a line does to the account, signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effect {
    /// To the balance: available and restricted together.
    pub balance: Decimal,
    /// To the credits held.
    pub held: Decimal,
    /// To what is owed.
    pub pending: Decimal,
}

/// One line of the ledger, to be appended.
#[derive(Debug, Clone)]
pub struct Line {
    /// Counts from 1 in each account.
    pub line_no: i64,
    /// What it records.
    pub line_type: LineType,
    /// Credits, signed.
    pub effect: Effect,
    /// The balance after it: available and restricted together.
    pub running_balance: Decimal,
    /// The grant that it changes.
    pub grant_id: Option<Uuid>,
    /// What the credits were used for.
    pub source: Option<Source>,
    /// When the balance changed.
    pub effective_at: Time,
}

/// The ledger line that a meter event's or a debit's own row stands for: one grant paid all of it at once, so the row
/// says everything that a line would.
#[derive(Debug, Clone)]
pub struct OwnLine {
    /// Counts from 1 in each account.
    pub line_no: i64,
    /// The balance after it: available and restricted.
    pub balance: Decimal,
    /// The grant that paid.
    pub grant_id: Uuid,
    /// When it was posted, at the account's time.
    pub posted_at: Time,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldStatus {
    /// Its credits are set aside.
    Open,
    /// Closed by a capture: spent, in whole or in part.
    Captured,
    /// Given back by hand.
    Released,
    /// Given back because its time ran out.
    Expired,
}

impl HoldStatus {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldStatus::Open => "open",
            HoldStatus::Captured => "captured",
            HoldStatus::Released => "released",
            HoldStatus::Expired => "expired",
        }
    }

    /// The status of that name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        [HoldStatus::Open, HoldStatus::Captured, HoldStatus::Released, HoldStatus::Expired]
            .into_iter()
            .find(|s| s.as_str() == name)
    }
}

/// Credits set aside.
#[derive(Debug, Clone)]
pub struct Hold {
    /// That of its operation.
    pub id: Uuid,
    /// When it counts as released.
    pub expires_at: Time,
    /// What it has of each grant, in the order in which they gave it: while it is open, what is neither spent nor given
    /// back.
    pub parts: Vec<(Uuid, Decimal)>,
}

impl Hold {
    /// The total that it has.
    pub fn amount(&self) -> Decimal {
        self.parts.iter().map(|(_, amount)| *amount).sum()
    }
}

/// A hold that ended, to be written.
#[derive(Debug, Clone)]
pub struct ClosedHold {
    /// Which.
    pub id: Uuid,
    /// How.
    pub status: HoldStatus,
    /// Credits that were spent as it ended.
    pub captured: Decimal,
    /// Credits that went back as it ended.
    pub released: Decimal,
    /// When.
    pub closed_at: Time,
}

/// What is owed for one event that no credit covered, or for spent credits whose price was refunded.
#[derive(Debug, Clone)]
pub struct Debt {
    /// The event, or the operation that clawed the credits back.
    pub source: Source,
    /// The meter whose payers may pay it; `None` for what only plain credits may pay.
    pub event_name: Option<String>,
    /// Credits paid so far.
    pub consumed: Decimal,
    /// Credits owed.
    pub pending: Decimal,
    /// Its number in payment order, in its account.
    pub debt_no: i64,
    /// Whether its row differs from this.
    pub changed: bool,
}

/// Unsettled usage: recorded and not charged yet.
#[derive(Debug, Clone)]
pub struct Unsettled {
    /// The event.
    pub identifier: String,
    /// Its meter: which grants may pay.
    pub event_name: String,
    /// Credits.
    pub cost: Decimal,
    /// Of its currency.
    pub decimals: u32,
    /// When it was reported, as of which it is charged.
    pub created_at: Time,
    /// When it happened, if that was earlier and what lapsed meanwhile may pay it.
    pub occurred_at: Option<Time>,
}
