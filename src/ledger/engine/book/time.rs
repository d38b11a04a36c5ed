//! What time does to a book: holds run out, grants expire, grants start, and incoming credits pay debts; usage that was
//! recorded meanwhile is charged as of when it was reported.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Grants, Precedence, Status};
use crate::ledger::engine::line::{Debt, Effect, Hold, LineType, Unsettled};
use crate::moment::Time;
use std::collections::HashSet;
use uuid::Uuid;

/// What falls due in an account up to a moment, and what that touches.
#[derive(Debug, Default)]
pub struct Due {
    /// The grants that end or begin until then.
    pub grants: Vec<Grant>,
    /// The holds that run out until then.
    pub holds: Vec<Hold>,
    /// The grants that gave to those holds, ended or not.
    pub givers: Vec<Grant>,
    /// Where credits come in: what is owed.
    pub debts: Vec<Debt>,
    /// Unsettled usage. The grants that can pay all of it must be loaded first.
    pub usage: Vec<Unsettled>,
}

impl Due {
    /// The credits that come in.
    pub fn incoming(&self) -> Decimal {
        let starting = self.grants.iter().filter(|g| g.status == Status::Scheduled).map(|g| g.remaining);
        starting.chain(self.holds.iter().map(Hold::amount)).sum()
    }

    /// Whether some of what comes in is for certain meters only.
    pub fn is_restricted(&self) -> bool {
        self.grants.iter().any(|g| g.status == Status::Scheduled && g.is_restricted())
            || self.givers.iter().any(Grant::is_restricted)
    }
}

impl Book {
    /// Posts what fell due from the last posting, `since`, up to the book's time, which is not before any of the usage.
    /// At one instant holds end, grants expire, grants start and pending usage is paid, in that order; then usage that
    /// was recorded at that instant is charged.
    ///
    /// No other grant is needed. An open grant that may pay a debt paid it when the debt arose. If not all open grants
    /// are loaded, those that are can pay all the usage, and nothing is owed that they could pay.
    pub fn advance(&mut self, since: Time, due: Due) {
        let to = self.posted_at;
        let window_end = self.window_end.take();
        let mut loaded: HashSet<Uuid> = self.loaded().map(|g| g.id).collect();
        let touched = due.grants.into_iter().chain(due.givers).filter(|g| loaded.insert(g.id)).collect::<Vec<_>>();
        let touched = touched.into_iter().map(|g| self.with_head(g)).collect::<Vec<_>>();
        self.grants = Grants::new(std::mem::take(&mut self.grants).into_iter().chain(touched).collect());
        self.take_debts(due.debts);
        let mut holds = due.holds;
        holds.sort_by_key(|h| (h.expires_at, h.id));
        let mut usage: Vec<(Time, Unsettled)> = due.usage.into_iter().map(|u| (u.created_at.max(since), u)).collect();
        usage.sort_by(|(_, one), (_, other)| {
            (one.created_at, &one.identifier).cmp(&(other.created_at, &other.identifier))
        });
        let mut changes = self.changes_until(to);
        changes.extend(holds.iter().enumerate().map(|(index, hold)| (hold.expires_at, Change::Release(index))));
        changes.retain(|(at, _)| *at <= to);
        changes.sort_unstable();
        let (mut usage, mut instants) = (usage.into_iter().peekable(), 0);
        for changes in changes.chunk_by(|(one, _), (other, _)| one == other) {
            let at = changes[0].0;
            while let Some((moment, usage)) = usage.next_if(|(moment, _)| *moment < at) {
                self.settle(&usage, moment);
            }
            for (_, change) in changes {
                match change {
                    Change::Release(index) => self.expire_hold(&holds[*index], at),
                    Change::Expire(grant) => self.expire(grant, at),
                    Change::Start(grant) => self.start(grant, at),
                }
            }
            self.pay_debts(at);
            // Every charge skips spent grants: remove them from the line now and then.
            instants += 1;
            if 2 * instants > self.grants.count() {
                self.aside.extend(self.grants.take_spent());
                instants = 0;
            }
        }
        self.aside.extend(self.grants.take_spent());
        for (moment, usage) in usage {
            self.settle(&usage, moment);
        }
        if let Some(end) = &window_end {
            let (line, beyond): (Vec<_>, Vec<_>) = std::mem::take(&mut self.grants).into_iter().partition(|g| g <= end);
            self.grants = Grants::new(line);
            self.aside.extend(beyond);
        }
        self.window_end = window_end;
        self.touched = true;
    }

    /// Which grants end and begin, and when.
    fn changes_until(&self, to: Time) -> Vec<(Time, Change)> {
        let ending = self.loaded().map(|g| (g.expires_at, Change::Expire(g.precedence())));
        let beginning = self.grants.iter().filter(|g| g.status == Status::Scheduled);
        let beginning = beginning.map(|g| (g.effective_at, Change::Start(g.precedence())));
        ending.chain(beginning).filter(|(at, _)| *at <= to).collect()
    }

    fn expire(&mut self, grant: &Precedence, at: Time) {
        let open = |g: &&mut Grant| matches!(g.status, Status::Granted | Status::Suspended);
        let Some(grant) = self.grants.at_mut(grant).filter(open) else { return };
        let (id, was_suspended) = (grant.id, grant.status == Status::Suspended);
        let remaining = std::mem::take(&mut grant.remaining);
        grant.lapsed += remaining;
        grant.status = Status::Expired;
        grant.changed = true;
        let reference = grant.reference();
        if !was_suspended {
            self.lapsed_by_time(id, remaining);
        }
        if !remaining.is_zero() {
            if was_suspended {
                let effect = Effect { balance: remaining, ..Effect::default() };
                self.post(LineType::Resumption, Some(reference), effect, None, at);
            }
            let effect = Effect { balance: -remaining, ..Effect::default() };
            self.post(LineType::Expiration, Some(reference), effect, None, at);
        }
    }

    fn start(&mut self, grant: &Precedence, at: Time) {
        let Some(grant) = self.grants.at_mut(grant).filter(|g| g.status == Status::Scheduled) else { return };
        grant.status = Status::Granted;
        grant.changed = true;
        self.evaluation.came = true;
        let (reference, balance) = (grant.reference(), grant.remaining);
        self.post(LineType::Grant, Some(reference), Effect { balance, ..Effect::default() }, None, at);
    }
}

/// What happens at one moment, in this order; those of one kind in drawdown order, or in the order of the holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// The hold at that index runs out.
    Release(usize),
    /// A grant ends.
    Expire(Precedence),
    /// A grant begins.
    Start(Precedence),
}
