//! What time does to a book: holds run out, grants expire, grants start, and what came in pays what is owed.

use super::Book;
use crate::amount::Decimal;
use crate::clock::Time;
use crate::ledger::drawdown::{Grant, Grants, Status};
use crate::ledger::line::{Debt, Effect, Hold, HoldStatus, LineType, Source};
use std::collections::HashSet;

/// What falls due in an account until a moment, and what that touches.
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
}

impl Due {
    /// The credits that come in.
    pub fn incoming(&self) -> Decimal {
        let starting = self.grants.iter().filter(|g| g.status == Status::Pending).map(|g| g.remaining);
        starting.chain(self.holds.iter().map(Hold::amount)).sum()
    }

    /// Whether some of what comes in is for certain meters only.
    pub fn is_restricted(&self) -> bool {
        self.grants.iter().any(|g| g.status == Status::Pending && g.is_restricted())
    }
}

impl Book {
    /// Posts what time brings up to `to`. At one instant holds end, grants expire, grants start, pending is paid, in
    /// that order. No other grant is needed: what is open and may pay a debt has paid it when the debt was made.
    pub fn advance(&mut self, to: Time, due: Due) {
        let mut known = HashSet::new();
        let touched = due.grants.into_iter().chain(due.givers).filter(|g| known.insert(g.id));
        self.grants = Grants::new(touched.map(|g| self.with_head(g)).collect());
        self.take_debts(due.debts);
        let mut holds = due.holds;
        holds.sort_by_key(|h| (h.expires_at, h.id));
        let mut instants: Vec<Time> = self.grants.iter().map(|g| g.expires_at).collect();
        instants.extend(self.grants.iter().filter(|g| g.status == Status::Pending).map(|g| g.effective_at));
        instants.extend(holds.iter().map(|h| h.expires_at));
        instants.retain(|at| *at <= to);
        instants.sort();
        instants.dedup();
        for at in instants {
            for hold in holds.iter().filter(|h| h.expires_at == at) {
                self.give_back_all(hold, at);
            }
            self.expire(at);
            self.start(at);
            self.pay_debts(at);
        }
        self.posted_at = to;
        self.advanced = true;
    }

    fn give_back_all(&mut self, hold: &Hold, at: Time) {
        for (grant_id, amount) in hold.parts.iter().rev() {
            self.give_back(LineType::Release, &Source::Operation(hold.id), *grant_id, *amount, at);
        }
        self.close(hold.id, HoldStatus::Expired, Decimal::ZERO, at);
    }

    fn expire(&mut self, at: Time) {
        let (ended, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.grants)
            .into_iter()
            .partition(|g| g.status == Status::Granted && g.expires_at <= at);
        self.grants = Grants::new(open);
        for grant in ended {
            self.end(grant, Status::Expired, at);
        }
    }

    fn start(&mut self, at: Time) {
        let mut started = Vec::new();
        for grant in self.grants.iter_mut() {
            if grant.status == Status::Pending && grant.effective_at <= at {
                grant.status = Status::Granted;
                grant.changed = true;
                started.push((grant.reference(), grant.remaining));
            }
        }
        for (grant, amount) in started {
            self.post(LineType::Grant, Some(grant), Effect { balance: amount, ..Effect::default() }, None, at);
        }
    }
}
