//! What time does to a book: holds run out, grants expire, grants start, and incoming credits pay debts; usage that was
//! recorded meanwhile is charged as of when it was reported.

use crate::amount::Decimal;
use crate::ledger::engine::book::{Book, Rolling};
use crate::ledger::engine::drawdown::{Grant, Grants, Precedence, Status};
use crate::ledger::engine::line::{Debt, Effect, Hold, LineType, Unsettled};
use crate::moment::Time;
use std::collections::{BTreeSet, HashSet};
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
    /// How those of the grants and givers roll over that do.
    pub rolling: Vec<(Uuid, Rolling)>,
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
        self.rolling = due.rolling.into_iter().collect();
        let mut holds = due.holds;
        holds.sort_by_key(|h| (h.expires_at, h.id));
        let mut usage: Vec<(Time, Unsettled)> = due.usage.into_iter().map(|u| (u.created_at.max(since), u)).collect();
        usage.sort_by(|(_, one), (_, other)| {
            (one.created_at, &one.identifier).cmp(&(other.created_at, &other.identifier))
        });
        let mut changes: BTreeSet<(Time, Change)> = self.changes_until(to).collect();
        let ends = holds.iter().enumerate().map(|(index, hold)| (hold.expires_at, Change::Release(index)));
        changes.extend(ends.filter(|(at, _)| *at <= to));
        let (mut usage, mut instants) = (usage.into_iter().peekable(), 0);
        while let Some((at, _)) = changes.first().copied() {
            while let Some((moment, usage)) = usage.next_if(|(moment, _)| *moment < at) {
                self.settle(&usage, moment);
            }
            while let Some((_, change)) = changes.first().copied().filter(|(moment, _)| *moment == at) {
                changes.pop_first();
                match change {
                    Change::Release(index) => self.expire_hold(&holds[index], at),
                    Change::Expire(grant) => {
                        let next =
                            self.expire(&grant, at).map(|next| (next.expires_at, Change::Expire(next.precedence())));
                        changes.extend(next.filter(|(end, _)| *end <= to));
                    }
                    Change::Start(grant) => self.start(&grant, at),
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
        self.rolling.clear();
        self.touched = true;
    }

    /// Which grants end and begin, and when.
    fn changes_until(&self, to: Time) -> impl Iterator<Item = (Time, Change)> {
        let ending = self.loaded().map(|g| (g.expires_at, Change::Expire(g.precedence())));
        let beginning = self.grants.iter().filter(|g| g.status == Status::Scheduled);
        let beginning = beginning.map(|g| (g.effective_at, Change::Start(g.precedence())));
        ending.chain(beginning).filter(move |(at, _)| *at <= to)
    }

    /// A grant's time runs out. Returns what it rolled over into.
    fn expire(&mut self, grant: &Precedence, at: Time) -> Option<Grant> {
        let open = |g: &&mut Grant| matches!(g.status, Status::Granted | Status::Suspended);
        let grant = self.grants.at_mut(grant).filter(open)?;
        let before = grant.clone();
        let remaining = std::mem::take(&mut grant.remaining);
        grant.lapsed += remaining;
        grant.status = Status::Expired;
        grant.changed = true;
        let was_suspended = before.status == Status::Suspended;
        if was_suspended {
            self.bring_back(LineType::Resumption, &before, remaining, at);
        }
        let (expired, next) = self.roll_over(&before, remaining, at);
        if !was_suspended {
            self.lapsed_by_time(before.id, expired);
        }
        if !expired.is_zero() {
            let effect = Effect { balance: -expired, ..Effect::default() };
            self.post(LineType::Expiration, Some(before.reference()), effect, None, at);
        }
        if let Some(next) = &next {
            self.grants.insert(next.clone());
        }
        next
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
