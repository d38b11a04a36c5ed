//! A book: the working copy of one account while its row is locked (or while a reader computes what is due).
//! It decides what time, grants and charges do to the account and writes down the ledger lines. Pure: what is loaded
//! into it and what is stored from it is in posting.rs.

use super::drawdown::{Category, Draw, Grant, Grants, Status};
use super::line::{Debt, Line, LineType, Source};
use crate::amount::{self, AmountError, Decimal};
use crate::clock::Time;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What to do with the part of a charge that no credit covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overage {
    /// Record it as owed.
    Pending,
    /// Refuse the whole charge.
    Reject,
}

/// How a charge was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// Credits that grants paid.
    pub consumed: Decimal,
    /// Credits owed.
    pub pending: Decimal,
}

/// Why a charge was not made. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The credits that it could have drawn on do not suffice.
    Short {
        /// What there was for it.
        available: Decimal,
    },
    /// What would be owed is more than can be counted.
    Limit(AmountError),
}

/// The working copy of one account. Its balances are those at `posted_at`.
#[derive(Debug, Clone)]
pub struct Book {
    /// Whose account.
    pub customer_id: String,
    /// What it counts.
    pub currency: String,
    /// What a plain debit may take.
    pub available: Decimal,
    /// What only certain meters' events may take.
    pub restricted: Decimal,
    /// Set aside.
    pub held: Decimal,
    /// Owed.
    pub pending: Decimal,
    /// The grant whose remaining the account's row carries, and what remains of it.
    pub head: Option<(Uuid, Decimal)>,
    /// The first moment at which time alone changes something.
    pub next_change_at: Time,
    /// When it was last posted to, or the moment of the posting under way.
    pub posted_at: Time,
    /// The number of the last line.
    pub last_line: i64,
    /// The number of the last debt.
    pub last_debt: i64,
    /// Grants in drawdown order: all that are open, or as many of the first as the charges can need.
    grants: Grants,
    /// Whether `grants` holds all that are open.
    complete: bool,
    /// Grants that change and are not in line to pay: ended ones, and those that stand after a window's end.
    aside: Vec<Grant>,
    /// What is owed, by number: oldest first.
    debts: BTreeMap<i64, Debt>,
    /// Lines to append.
    pub lines: Vec<Line>,
    /// Whether time changed something since the last posting.
    advanced: bool,
}

impl Book {
    /// An account as its row has it, with no grants loaded.
    pub fn new(
        (customer_id, currency): (String, String),
        [available, restricted, held, pending]: [Decimal; 4],
        head: Option<(Uuid, Decimal)>,
        next_change_at: Time,
        posted_at: Time,
        last_line: i64,
        last_debt: i64,
    ) -> Self {
        Book {
            customer_id,
            currency,
            available,
            restricted,
            held,
            pending,
            head,
            next_change_at,
            posted_at,
            last_line,
            last_debt,
            grants: Grants::default(),
            complete: true,
            aside: Vec::new(),
            debts: BTreeMap::new(),
            lines: Vec::new(),
            advanced: false,
        }
    }

    /// The balance: available and restricted.
    pub fn balance(&self) -> Decimal {
        self.available + self.restricted
    }

    /// The head's true remaining is on the account's row.
    fn with_head(&self, mut grant: Grant) -> Grant {
        if let Some((id, remaining)) = self.head
            && grant.id == id
        {
            grant.changed = grant.remaining != remaining;
            grant.remaining = remaining;
        }
        grant
    }

    /// Posts what time brings up to `to`: given the grants that end or begin until then and, where credits come in,
    /// what is owed. At one instant grants expire, grants start, pending is paid, in that order. No other grant is
    /// needed: what is open and may pay a debt has paid it when the debt was made.
    pub fn advance(&mut self, to: Time, due: Vec<Grant>, debts: Vec<Debt>) {
        self.grants = Grants::new(due.into_iter().map(|g| self.with_head(g)).collect());
        self.take_debts(debts);
        let mut instants: Vec<Time> = self.grants.iter().map(|g| g.expires_at).collect();
        instants.extend(self.grants.iter().filter(|g| g.status == Status::Pending).map(|g| g.effective_at));
        instants.retain(|at| *at <= to);
        instants.sort();
        instants.dedup();
        for at in instants {
            self.expire(at);
            self.start(at);
        }
        self.posted_at = to;
        self.advanced = true;
    }

    /// Whether charges of `need` in all leave something of the head, and no other grant may come before it.
    pub fn head_suffices(&self, need: Decimal) -> bool {
        !self.advanced && self.restricted.is_zero() && self.head.is_some_and(|(_, remaining)| remaining > need)
    }

    /// Whether nothing is below zero, and no grant above what was granted.
    pub fn is_sound(&self) -> bool {
        let sane = |amount: &Decimal| !amount.is_sign_negative() || amount.is_zero();
        [self.available, self.restricted, self.held, self.pending].iter().all(sane)
            && self.changed_grants().all(|g| sane(&g.remaining) && g.remaining <= g.amount)
            && self.changed_debts().all(|d| sane(&d.consumed) && sane(&d.pending))
    }

    /// Whether there is anything to write.
    pub fn is_changed(&self) -> bool {
        self.advanced || !self.lines.is_empty() || self.changed_debts().next().is_some()
    }

    fn expire(&mut self, at: Time) {
        let mut ended = Vec::new();
        for grant in self.grants.iter_mut() {
            if grant.status == Status::Granted && grant.expires_at <= at {
                ended.push((grant.id, grant.is_restricted(), grant.remaining));
                grant.status = Status::Expired;
                grant.remaining = Decimal::ZERO;
                grant.changed = true;
            }
        }
        for (id, restricted, remaining) in ended.into_iter().filter(|(_, _, remaining)| !remaining.is_zero()) {
            self.post(LineType::Expiration, id, restricted, -remaining, None, at);
        }
    }

    fn start(&mut self, at: Time) {
        let mut started = Vec::new();
        for grant in self.grants.iter_mut() {
            if grant.status == Status::Pending && grant.effective_at <= at {
                started.push((grant.id, grant.is_restricted(), grant.remaining));
                grant.status = Status::Granted;
                grant.changed = true;
            }
        }
        if started.is_empty() {
            return;
        }
        for (id, restricted, amount) in started {
            self.post(LineType::Grant, id, restricted, amount, None, at);
        }
        self.pay_debts(at);
    }

    /// What the rows say of debts that the book does not know yet; of those that it knows it knows better.
    fn take_debts(&mut self, debts: Vec<Debt>) {
        for debt in debts {
            self.debts.entry(debt.debt_no).or_insert(debt);
        }
    }

    /// What is still owed for these debts, as the book knows it.
    pub fn owed_for(&self, debts: &[Debt]) -> Decimal {
        debts.iter().map(|debt| self.debts.get(&debt.debt_no).unwrap_or(debt).pending).sum()
    }

    /// Oldest first, each by the grants that may pay it, in drawdown order.
    fn pay_debts(&mut self, at: Time) {
        let mut debts = std::mem::take(&mut self.debts);
        for debt in debts.values_mut().filter(|d| d.pending > Decimal::ZERO) {
            let draws = self.grants.draw(Some(&debt.event_name), debt.pending);
            let paid = self.consume(draws, &Source::Event(debt.identifier.clone()), at);
            if paid > Decimal::ZERO {
                debt.pending -= paid;
                debt.consumed += paid;
                debt.changed = true;
                self.pending -= paid;
            }
        }
        self.debts = debts;
    }

    fn consume(&mut self, draws: Vec<Draw>, source: &Source, at: Time) -> Decimal {
        let mut paid = Decimal::ZERO;
        for draw in draws {
            paid += draw.amount;
            self.post(LineType::Consumption, draw.grant_id, draw.restricted, -draw.amount, Some(source.clone()), at);
        }
        paid
    }

    fn post(
        &mut self,
        line_type: LineType,
        grant_id: Uuid,
        restricted: bool,
        amount: Decimal,
        source: Option<Source>,
        effective_at: Time,
    ) {
        if restricted {
            self.restricted += amount;
        } else {
            self.available += amount;
        }
        self.last_line += 1;
        self.lines.push(Line {
            line_no: self.last_line,
            line_type,
            amount,
            running_balance: self.balance(),
            grant_id,
            source,
            effective_at,
        });
    }

    /// What plain debits could draw from these grants, the head's true remaining counted.
    pub fn open_in(&self, window: &[Grant]) -> Decimal {
        window
            .iter()
            .filter(|g| !g.is_restricted())
            .map(|g| self.head.filter(|(id, _)| *id == g.id).map_or(g.remaining, |(_, remaining)| remaining))
            .sum()
    }

    /// Takes in the open grants that the charges to come can need: the first ones in order, all where `complete`.
    pub fn take_window(&mut self, open: Vec<Grant>, complete: bool) {
        let due = std::mem::take(&mut self.grants);
        self.grants = Grants::new(open.into_iter().map(|g| self.with_head(g)).collect());
        self.complete = complete;
        for grant in due.iter() {
            self.place(grant.clone());
        }
    }

    /// Takes in the head alone, as the account's row has it: enough for charges that leave something of it.
    pub fn take_head(&mut self) {
        let Some((id, remaining)) = self.head else { return };
        self.complete = false;
        self.grants = Grants::new(vec![Grant {
            id,
            priority: 0,
            expires_at: Time::NEVER,
            category: Category::Promotional,
            effective_at: self.posted_at,
            meters: None,
            amount: remaining,
            remaining,
            status: Status::Granted,
            changed: false,
        }]);
    }

    /// In line where it belongs to what is loaded, aside otherwise.
    fn place(&mut self, grant: Grant) {
        let open = grant.status == Status::Granted;
        let loaded = self.complete || self.grants.iter().last().is_some_and(|last| grant < *last);
        if open && loaded {
            self.grants.insert(grant);
        } else {
            self.aside.push(grant);
        }
    }

    /// Adds a grant that takes effect now; the pending usage that it may pay is paid first.
    pub fn open_grant(&mut self, grant: Grant, debts: Vec<Debt>) {
        let (id, restricted, amount) = (grant.id, grant.is_restricted(), grant.remaining);
        self.take_debts(debts);
        self.next_change_at = self.next_change_at.min(grant.expires_at);
        self.place(grant);
        let at = self.posted_at;
        self.post(LineType::Grant, id, restricted, amount, None, at);
        self.pay_debts(at);
    }

    /// Adds a grant that takes effect later.
    pub fn schedule_grant(&mut self, grant: Grant) {
        self.next_change_at = self.next_change_at.min(grant.effective_at);
        self.aside.push(grant);
    }

    /// Charges an event of a meter, or with `None` a plain debit.
    pub fn charge(
        &mut self,
        source: &Source,
        meter: Option<&str>,
        cost: Decimal,
        overage: Overage,
        decimals: u32,
    ) -> Result<Charged, Refusal> {
        let payable = self.grants.payable(meter);
        let owed = (cost - payable).max(Decimal::ZERO);
        if owed > Decimal::ZERO {
            if overage == Overage::Reject {
                return Err(Refusal::Short { available: payable });
            }
            amount::fit(self.pending + owed, decimals).map_err(Refusal::Limit)?;
        }
        let draws = self.grants.draw(meter, cost);
        let consumed = self.consume(draws, source, self.posted_at);
        self.pending += owed;
        if let (Source::Event(identifier), true) = (source, owed > Decimal::ZERO) {
            self.last_debt += 1;
            let debt = Debt {
                identifier: identifier.clone(),
                event_name: meter.unwrap_or_default().to_string(),
                consumed,
                pending: owed,
                debt_no: self.last_debt,
                changed: true,
            };
            self.debts.insert(debt.debt_no, debt);
        }
        Ok(Charged { consumed, pending: owed })
    }

    /// What an event has been charged so far, where that is not in its row yet.
    pub fn debt(&self, identifier: &str) -> Option<&Debt> {
        self.debts.values().find(|d| d.identifier == identifier)
    }

    /// The grant that the account's row is to carry from now on.
    pub fn next_head(&self) -> Option<(Uuid, Decimal)> {
        self.grants.head().map(|g| (g.id, g.remaining))
    }

    /// The grants whose rows must be written. That of the head is left as it is: its remaining is on the account.
    pub fn changed_grants(&self) -> impl Iterator<Item = &Grant> {
        let head = self.next_head().map(|(id, _)| id);
        let carried = self.head.map(|(id, _)| id);
        self.grants
            .iter()
            .chain(&self.aside)
            .filter(move |g| g.changed && !(head == Some(g.id) && carried == Some(g.id)))
    }

    /// A grant by its id, where it is loaded.
    pub fn grant(&self, id: Uuid) -> Option<&Grant> {
        self.grants.iter().chain(&self.aside).find(|g| g.id == id)
    }

    /// The events whose rows must be written.
    pub fn changed_debts(&self) -> impl Iterator<Item = &Debt> {
        self.debts.values().filter(|d| d.changed)
    }

    /// The loaded grants that can be drawn on: after `advance` alone, those that it started.
    pub fn started(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|g| g.status == Status::Granted)
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
