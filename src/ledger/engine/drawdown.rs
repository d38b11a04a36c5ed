//! Drawdown: which grant pays what. Pure: no SPI, no pgrx type, nothing of PostgreSQL.
//!
//! The order is a promise to users (README, "Which credits are used first"): priority, then the earliest to expire,
//! then promotional before paid, then the earliest to take effect, then the oldest grant.

use crate::amount::Decimal;
use crate::moment::Time;
use std::cmp::Ordering;
use uuid::Uuid;

/// Where a grant's credits come from. Promotional ones are used before paid ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Given away: bonuses, gifts, trials.
    Promotional,
    /// Bought.
    Paid,
}

impl Category {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Promotional => "promotional",
            Category::Paid => "paid",
        }
    }

    /// The category of that name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        [Category::Promotional, Category::Paid].into_iter().find(|c| c.as_str() == name)
    }
}

/// Where a grant stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Scheduled: not yet effective.
    Scheduled,
    /// Can be drawn on.
    Granted,
    /// Nothing remains.
    Depleted,
    /// Its time ran out.
    Expired,
    /// Ended by hand.
    Voided,
    /// Nothing of it can be used until it is resumed; its time runs on.
    Suspended,
}

impl Status {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Scheduled => "pending",
            Status::Granted => "granted",
            Status::Depleted => "depleted",
            Status::Expired => "expired",
            Status::Voided => "voided",
            Status::Suspended => "suspended",
        }
    }

    /// The status of that name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        use Status::{Depleted, Expired, Granted, Scheduled, Suspended, Voided};
        [Scheduled, Granted, Depleted, Expired, Voided, Suspended].into_iter().find(|s| s.as_str() == name)
    }
}

/// A credit grant: its terms, and what remains of it. Equality and order are those of drawdown.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Version 7, so that of two the older one sorts first.
    pub id: Uuid,
    /// 0 to 100, lower first.
    pub priority: i16,
    /// [`Time::NEVER`] for a grant that does not expire.
    pub expires_at: Time,
    /// Promotional or paid.
    pub category: Category,
    /// When it can first be drawn on.
    pub effective_at: Time,
    /// The event names that it may pay for; `None` is anything, a plain debit too.
    pub meters: Option<Vec<String>>,
    /// What was granted, in credits.
    pub amount: Decimal,
    /// What is left, in credits; while it is suspended, not in the balance.
    pub remaining: Decimal,
    /// How much of it expired, was voided or was clawed back, in credits.
    pub lapsed: Decimal,
    /// Where it stands.
    pub status: Status,
    /// Where it stood when it was loaded; `None` for a new one.
    pub was: Option<Status>,
    /// Open clawbacks: what to take when credits return to it, the oldest first.
    pub clawbacks: Vec<Clawback>,
    /// Whether its row differs from these, or from `lapsed`.
    pub reclaimed: bool,
    /// Whether its row differs from this.
    pub changed: bool,
}

/// An open clawback: credits of a grant whose price was refunded while they were held, or that were forgiven; taken
/// when they come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clawback {
    /// Credits.
    pub amount: Decimal,
    /// The operation that takes them.
    pub operation_id: Uuid,
    /// Whether they are owed once they are spent.
    pub owes: bool,
}

/// Takes an amount off clawbacks, oldest first, or only off those that owe. Returns what each of them gave.
pub fn take_off(clawbacks: &mut Vec<Clawback>, amount: Decimal, owing_alone: bool) -> Vec<Clawback> {
    let mut open = amount;
    let mut taken = Vec::new();
    for clawback in clawbacks.iter_mut().filter(|clawback| clawback.owes || !owing_alone) {
        let part = open.min(clawback.amount);
        if part > Decimal::ZERO {
            clawback.amount -= part;
            open -= part;
            taken.push(Clawback { amount: part, ..*clawback });
        }
    }
    clawbacks.retain(|clawback| !clawback.amount.is_zero());
    taken
}

/// What drawdown orders grants by; unique to each grant.
pub type Precedence = (i16, Time, Category, Time, Uuid);

impl Grant {
    /// Its position in line.
    pub fn precedence(&self) -> Precedence {
        (self.priority, self.expires_at, self.category, self.effective_at, self.id)
    }

    /// What a ledger line needs of it.
    pub fn reference(&self) -> GrantRef {
        GrantRef { id: self.id, restricted: self.is_restricted() }
    }

    /// Whether it can never be drawn on again, even if credits come back to it: ended by hand, or by its time.
    pub fn has_ended(&self, at: Time) -> bool {
        matches!(self.status, Status::Expired | Status::Voided) || self.expires_at <= at
    }

    /// Whether plain debits may not draw on it.
    pub fn is_restricted(&self) -> bool {
        self.meters.is_some()
    }

    /// Whether it may pay an event of that meter, or, with `None`, a plain debit.
    pub fn pays(&self, meter: Option<&str>) -> bool {
        match (&self.meters, meter) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(meters), Some(meter)) => meters.iter().any(|m| m == meter),
        }
    }

    /// The first of the rules of drawdown that puts this grant before that one.
    pub fn comes_before_by(&self, other: &Grant) -> &'static str {
        [
            (self.priority != other.priority, "priority"),
            (self.expires_at != other.expires_at, "expires_at"),
            (self.category != other.category, "category"),
            (self.effective_at != other.effective_at, "effective_at"),
        ]
        .into_iter()
        .find_map(|(differs, rule)| differs.then_some(rule))
        .unwrap_or("age")
    }

    fn is_usable(&self) -> bool {
        self.status == Status::Granted && self.remaining > Decimal::ZERO
    }
}

impl IntoIterator for Grants {
    type Item = Grant;
    type IntoIter = std::vec::IntoIter<Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        self.precedence() == other.precedence()
    }
}
impl Eq for Grant {}
impl PartialOrd for Grant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Grant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence().cmp(&other.precedence())
    }
}

/// A grant, and which balance its credits are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantRef {
    /// Which.
    pub id: Uuid,
    /// Whether it is one for certain meters only.
    pub restricted: bool,
}

/// One grant's part of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The grant that pays.
    pub grant: GrantRef,
    /// Credits, greater than zero.
    pub amount: Decimal,
}

/// Grants of one account in drawdown order, whatever order they came in.
#[derive(Debug, Clone, Default)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// Puts grants in order.
    pub fn new(mut grants: Vec<Grant>) -> Self {
        grants.sort();
        Grants(grants)
    }

    /// Inserts a grant where it belongs.
    pub fn insert(&mut self, grant: Grant) {
        let index = self.0.partition_point(|g| *g < grant);
        self.0.insert(index, grant);
    }

    /// The grant at that position in line, for changes that do not affect the order.
    pub fn at_mut(&mut self, precedence: &Precedence) -> Option<&mut Grant> {
        let index = self.0.binary_search_by(|g| g.precedence().cmp(precedence)).ok()?;
        self.0.get_mut(index)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Removes and returns grants in which time changes nothing any more: nothing remains of them, or they have ended.
    pub fn take_spent(&mut self) -> Vec<Grant> {
        let stays = |g: &Grant| matches!(g.status, Status::Granted | Status::Scheduled | Status::Suspended);
        let (line, spent) = std::mem::take(&mut self.0).into_iter().partition(stays);
        self.0 = line;
        spent
    }

    /// Takes a grant out of the line.
    pub fn remove(&mut self, id: Uuid) -> Option<Grant> {
        let index = self.0.iter().position(|g| g.id == id)?;
        Some(self.0.remove(index))
    }

    /// Those of them that an event of that meter, or with `None` a plain debit, could draw on, in order.
    pub fn payers<'g>(&'g self, meter: Option<&'g str>) -> impl Iterator<Item = &'g Grant> {
        self.0.iter().filter(move |g| g.is_usable() && g.pays(meter))
    }

    /// The grants, first to pay first.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// The grants, for changes that do not affect their order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Grant> {
        self.0.iter_mut()
    }

    /// The total that an event of that meter, or with `None` a plain debit, could draw.
    pub fn payable(&self, meter: Option<&str>) -> Decimal {
        self.payers(meter).map(|g| g.remaining).sum()
    }

    /// The grant that the next plain debit draws on first.
    pub fn head(&self) -> Option<&Grant> {
        self.payers(None).next()
    }

    /// Takes up to `amount` from the grants that may pay, in order. The draws sum to less than `amount` only if there
    /// is no more.
    pub fn draw(&mut self, meter: Option<&str>, amount: Decimal) -> Vec<Draw> {
        self.draw_before(meter, amount, None)
    }

    /// The same from those before a position in line.
    pub fn draw_before(&mut self, meter: Option<&str>, amount: Decimal, end: Option<&Precedence>) -> Vec<Draw> {
        let mut open = amount;
        let mut draws = Vec::new();
        for grant in self.0.iter_mut() {
            if open <= Decimal::ZERO || end.is_some_and(|end| grant.precedence() >= *end) {
                break;
            }
            if !grant.is_usable() || !grant.pays(meter) {
                continue;
            }
            let part = open.min(grant.remaining);
            grant.remaining -= part;
            grant.changed = true;
            if grant.remaining.is_zero() {
                grant.status = Status::Depleted;
            }
            open -= part;
            draws.push(Draw { grant: grant.reference(), amount: part });
        }
        draws
    }
}

#[cfg(test)]
mod tests;
