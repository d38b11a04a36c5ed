//! A book: the working copy of one account while its row is locked (or while a reader computes what is due). It decides
//! what time, grants, charges and holds do to the account, and records the ledger lines. Pure: posting.rs loads it from
//! the tables and writes it back. This file has its balances and how a line is recorded; book/ has what changes them
//! (time.rs, rollover.rs, spend.rs, hold.rs, supply.rs, ending.rs, usage.rs, late.rs, adjustment.rs, reclaim.rs,
//! reversal.rs) and which grants are loaded (window.rs).

mod adjustment;
mod ending;
mod hold;
mod late;
mod reclaim;
mod reversal;
mod rollover;
mod spend;
mod supply;
mod time;
mod usage;
mod window;

pub use adjustment::net_draws;
pub use ending::{Mistake, Owed};
pub use reclaim::{Reclaim, Reclaimed, Taken};
pub use reversal::newest_part;
pub use rollover::{RolledOver, Rolling};
pub use spend::{Refusal, Short};
pub use time::Due;
pub use usage::{Charged, Overage, Usage};

use crate::amount::Decimal;
use crate::ledger::engine::drawdown::{Grant, GrantRef, Grants};
use crate::ledger::engine::limit::Limits;
use crate::ledger::engine::line::{ClosedHold, Debt, Effect, Line, LineType, OwnLine, PeriodDraw, Source};
use crate::moment::Time;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a posting did to the credits, as far as it decides whether to buy more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The customer spent some.
    Spent,
    /// Some were taken from the customer: their price was refunded, or a grant was ended or corrected by hand.
    TakenBack,
}

/// When the balance must be evaluated: auto_recharge/evaluation.rs sets at which balances to publish an event or buy
/// credits.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// When less is available.
    pub below: Decimal,
    /// When at least this much is available again.
    pub above: Option<Decimal>,
    /// At any balance: time changed something, or the terms of the evaluation changed.
    pub now: bool,
    /// Whether credits came in.
    pub came: bool,
    /// What was done to the credits last.
    pub cause: Option<Cause>,
    /// Whether the book is opened as of a moment before its last posting, so that what is charged was reported before
    /// that posting.
    pub late: bool,
}

impl Evaluation {
    /// Whether any balance is set.
    pub fn is_set(&self) -> bool {
        self.below > Decimal::ZERO || self.above.is_some()
    }
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
    /// Owed, and on invoices that are not paid: no credits pay it.
    pub invoiced: Decimal,
    /// Everything it was ever granted: no balance can exceed it.
    pub issued: Decimal,
    /// The most that may be owed; `None` is any.
    pub overdraft_limit: Option<Decimal>,
    /// The grant whose remaining the account's row carries, and what remains of it.
    pub head: Option<(Uuid, Decimal)>,
    /// The first moment at which time alone changes something.
    pub next_change_at: Time,
    /// When it was last posted to, or the moment of the current posting.
    pub posted_at: Time,
    /// The number of the last line.
    pub last_line: i64,
    /// The number of the last debt.
    pub last_debt: i64,
    /// Whether usage may wait to be charged.
    pub defers: bool,
    /// Whether limits of what may be spent are set.
    pub limited: bool,
    /// Those of them that are loaded.
    pub limits: Limits,
    /// The number of the last line in the tables.
    pub posted_line: i64,
    /// For how many seconds after its end what lapsed of a grant may pay late usage.
    pub grace: i64,
    /// By grant: what lapsed with its time and did not come back, as far as it may be needed for late usage.
    lapsed: BTreeMap<Uuid, Decimal>,
    /// Grants in drawdown order: all that are open, or as many of the first as the charges can need.
    grants: Grants,
    /// Whether only the head was loaded, and has paid everything that was charged.
    head_alone: bool,
    /// The last of the loaded grants in drawdown order; `None` if all open grants are loaded.
    window_end: Option<Grant>,
    /// Grants that change but are not in line to pay: ended ones, and those beyond the window's end.
    aside: Vec<Grant>,
    /// What is owed, by number: oldest first.
    debts: BTreeMap<i64, Debt>,
    /// Lines to append.
    pub lines: Vec<Line>,
    /// Holds that ended.
    pub closed: Vec<ClosedHold>,
    /// By line: what grants paid for usage that is priced together, and may get back. New, changed and loaded ones.
    draws: BTreeMap<i64, PeriodDraw>,
    /// Events that owe nothing but whose rows must be written: what was paid for each, less what came back.
    charged: BTreeMap<String, Decimal>,
    /// Events that were recorded earlier and are charged now, with the time of their report.
    pub settled: Vec<(Time, String)>,
    /// By operation: credits that it clawed back from its purchase's grant, in addition to what its row says.
    pub taken: BTreeMap<Uuid, Decimal>,
    /// While time passes, by grant: how those roll over that end meanwhile.
    rolling: BTreeMap<Uuid, Rolling>,
    /// Grants that others rolled over into, in the order in which they did.
    pub rolled_over: Vec<RolledOver>,
    /// When the balance must be evaluated.
    pub evaluation: Evaluation,
    /// Whether the account's row must be written even if no line was.
    touched: bool,
    /// Whether a row that had to change is missing: the tables are damaged.
    broken: bool,
    /// Usage that was recorded earlier and is not charged: more would be owed than can be counted.
    pub uncountable: Vec<String>,
    /// Whether it is brought through imported history.
    history: bool,
}

impl Book {
    /// An account from its row, with no grants loaded.
    pub fn new(
        (customer_id, currency): (String, String),
        [available, restricted, held, pending]: [Decimal; 4],
        overdraft_limit: Option<Decimal>,
        head: Option<(Uuid, Decimal)>,
        (next_change_at, posted_at): (Time, Time),
        (last_line, last_debt): (i64, i64),
    ) -> Self {
        Book {
            customer_id,
            currency,
            available,
            restricted,
            held,
            pending,
            invoiced: Decimal::ZERO,
            issued: Decimal::ZERO,
            overdraft_limit,
            head,
            next_change_at,
            posted_at,
            last_line,
            last_debt,
            defers: false,
            limited: false,
            limits: Limits::default(),
            posted_line: last_line,
            grace: 0,
            lapsed: BTreeMap::new(),
            grants: Grants::default(),
            head_alone: false,
            window_end: None,
            aside: Vec::new(),
            debts: BTreeMap::new(),
            lines: Vec::new(),
            closed: Vec::new(),
            draws: BTreeMap::new(),
            charged: BTreeMap::new(),
            settled: Vec::new(),
            taken: BTreeMap::new(),
            rolling: BTreeMap::new(),
            rolled_over: Vec::new(),
            evaluation: Evaluation::default(),
            touched: false,
            broken: false,
            uncountable: Vec::new(),
            history: false,
        }
    }

    /// It is brought through imported history: nothing that is set today refuses what happened, and each line has the time
    /// of its import, so that none is an event's own.
    pub fn relive(&mut self) {
        self.history = true;
        self.overdraft_limit = None;
    }

    /// Goes on to a later moment, if nothing falls due until then.
    pub fn go_on(&mut self, at: Time) -> bool {
        let goes = at < self.next_change_at && self.posted_at <= at;
        if goes {
            self.posted_at = at;
        }
        goes
    }

    /// An account that was never used: nothing in it, nothing owed.
    pub fn unused(customer_id: &str, currency: &str) -> Self {
        let key = (customer_id.to_string(), currency.to_string());
        Book::new(key, [Decimal::ZERO; 4], None, None, (Time::NEVER, Time(0)), (0, 0))
    }

    /// The balance: available and restricted.
    pub fn balance(&self) -> Decimal {
        self.available + self.restricted
    }

    /// Whether nothing is below zero, no grant exceeds what was granted, and no row that had to change is missing.
    pub fn is_sound(&self) -> bool {
        let sane = |amount: &Decimal| !amount.is_sign_negative() || amount.is_zero();
        !self.broken
            && [self.available, self.restricted, self.held, self.pending].iter().all(sane)
            && self.changed_grants().all(|g| sane(&g.remaining) && g.remaining + g.lapsed <= g.amount)
            // An event of a period may have returned more than was paid for that event.
            && self.changed_debts().all(|d| (d.source.period().is_some() || sane(&d.consumed)) && sane(&d.pending))
    }

    /// Whether there is anything to write.
    pub fn is_changed(&self) -> bool {
        self.touched || !self.lines.is_empty() || self.changed_debts().next().is_some()
    }

    /// Whether the only change is that the head has less, and every line of that was handed over. Then the account's
    /// row needs only its available balance, posting time and last line.
    pub fn only_head_paid(&self) -> bool {
        self.head_alone
            && self.lines.is_empty()
            && self.debts.is_empty()
            && self.settled.is_empty()
            && !self.evaluation.now
    }

    /// Marks the account's row to be written in any case: something that is in no book changes under its lock.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Whether the balance must be evaluated.
    pub fn needs_evaluation(&self) -> bool {
        let Evaluation { below, above, now, came, cause, .. } = &self.evaluation;
        let moved = (*came || *cause == Some(Cause::TakenBack)) && self.evaluation.is_set();
        *now || moved || self.available < *below || above.is_some_and(|above| self.available >= above)
    }

    /// Evaluates the balance at the next posting, whatever it is: the terms of the evaluation changed.
    pub fn evaluate_now(&mut self) {
        self.evaluation.now = true;
        self.touch();
    }

    /// The customer spent credits. Late charges do not count: they were made before the last posting, which may have
    /// taken credits back.
    pub(super) fn spent(&mut self) {
        if !self.evaluation.late {
            self.evaluation.cause = Some(Cause::Spent);
        }
    }

    /// Credits were taken from the customer without being spent.
    pub fn taken_back(&mut self) {
        self.evaluation.cause = Some(Cause::TakenBack);
    }

    /// Records a line: the only way balances change.
    fn post(
        &mut self,
        line_type: LineType,
        grant: Option<GrantRef>,
        effect: Effect,
        source: Option<&Source>,
        effective_at: Time,
    ) {
        if grant.is_some_and(|g| g.restricted) {
            self.restricted += effect.balance;
        } else {
            self.available += effect.balance;
        }
        self.held += effect.held;
        self.pending += effect.pending;
        self.last_line += 1;
        if let (LineType::Consumption | LineType::Capture, Some(grant), Some(period)) =
            (line_type, grant, source.and_then(Source::period))
        {
            let draw = PeriodDraw {
                period: period.clone(),
                grant_id: grant.id,
                amount: -effect.balance - effect.held,
                stored: Decimal::ZERO,
            };
            self.draws.insert(self.last_line, draw);
        }
        self.lines.push(Line {
            line_no: self.last_line,
            line_type,
            effect,
            running_balance: self.balance(),
            grant_id: grant.map(|g| g.id),
            source: source.cloned(),
            effective_at,
        });
    }

    /// Hands over the only line that a charge recorded after the first `before` lines, if the event's row can stand for
    /// it: one grant paid all of it now.
    pub fn hand_over(&mut self, before: usize) -> Option<OwnLine> {
        let [line] = self.lines.get(before..)? else { return None };
        if line.line_type != LineType::Consumption || line.effective_at != self.posted_at || self.history {
            return None;
        }
        let own = OwnLine {
            line_no: line.line_no,
            balance: line.running_balance,
            grant_id: line.grant_id?,
            posted_at: self.posted_at,
        };
        self.lines.pop();
        self.touch();
        Some(own)
    }

    /// Loads debts that the book does not have yet; those that it has are newer than their rows.
    pub fn take_debts(&mut self, debts: Vec<Debt>) {
        for debt in debts {
            self.debts.entry(debt.debt_no).or_insert(debt);
        }
    }

    /// What is still owed for these debts, according to the book.
    pub fn owed_for(&self, debts: &[Debt]) -> Decimal {
        debts.iter().map(|debt| self.debts.get(&debt.debt_no).unwrap_or(debt).pending).sum()
    }

    /// What an event has been charged so far, if that is not in its row yet.
    pub fn debt(&self, identifier: &str) -> Option<&Debt> {
        self.debts.values().find(|d| d.source.identifier() == Some(identifier))
    }

    /// The events that owed something and whose rows must be written.
    pub fn changed_debts(&self) -> impl Iterator<Item = &Debt> {
        self.debts.values().filter(|d| d.changed)
    }

    /// What is paid and owed for an event, if its row must be written.
    pub fn charged_for(&self, identifier: &str) -> Option<(Decimal, Decimal)> {
        let debt = self.debt(identifier).filter(|debt| debt.changed).map(|debt| (debt.consumed, debt.pending));
        debt.or_else(|| self.charged.get(identifier).map(|consumed| (*consumed, Decimal::ZERO)))
    }

    /// The other events whose rows must be written, and what is paid for each.
    pub fn charged(&self) -> impl Iterator<Item = (&String, Decimal)> {
        self.charged.iter().map(|(identifier, consumed)| (identifier, *consumed))
    }

    /// By line: what grants paid for usage that is priced together, if it differs from its row.
    pub fn changed_draws(&self) -> impl Iterator<Item = (i64, &PeriodDraw)> {
        self.draws.iter().filter(|(_, draw)| draw.amount != draw.stored).map(|(line_no, draw)| (*line_no, draw))
    }
}

#[cfg(test)]
mod tests;
