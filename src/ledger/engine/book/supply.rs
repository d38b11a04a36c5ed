//! What brings credits in and what ends them: grants that open or are scheduled, credits that come back, grants that end.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Status, take_off};
use crate::ledger::engine::line::{Debt, Effect, LineType, Source};
use crate::moment::Time;
use uuid::Uuid;

impl Book {
    /// Adds a grant that takes effect now; it first pays the pending usage that it may pay.
    pub fn open_grant(&mut self, line_type: LineType, grant: Grant, source: Option<&Source>, debts: Vec<Debt>) {
        let (reference, amount) = (grant.reference(), grant.remaining);
        self.issued += grant.amount;
        self.take_debts(debts);
        self.next_change_at = self.next_change_at.min(grant.expires_at);
        self.insert(grant);
        self.evaluation.came = true;
        let at = self.posted_at;
        self.post(line_type, Some(reference), Effect { balance: amount, ..Effect::default() }, source, at);
        self.pay_debts(at);
    }

    /// Adds a grant that takes effect later.
    pub fn schedule_grant(&mut self, grant: Grant) {
        self.issued += grant.amount;
        self.next_change_at = self.next_change_at.min(grant.effective_at);
        self.aside.push(grant);
    }

    /// Ends a loaded grant by hand, now: voided or expired. A scheduled grant never takes effect. A grant that has
    /// ended stays as it is.
    pub fn end_grant(&mut self, id: Uuid, status: Status) {
        match self.take_out(id) {
            Some(grant) => {
                self.end(grant, status, self.posted_at);
                self.taken_back();
            }
            None => self.broken = true,
        }
    }

    /// Ends a grant that was taken out of the book's lists.
    pub(super) fn end(&mut self, mut grant: Grant, status: Status, at: Time) {
        if !matches!(grant.status, Status::Expired | Status::Voided) {
            let (took_effect, was_suspended) = (grant.status != Status::Scheduled, grant.status == Status::Suspended);
            let remaining = std::mem::take(&mut grant.remaining);
            grant.status = status;
            grant.changed = true;
            if took_effect {
                if was_suspended {
                    self.bring_back(LineType::Resumption, &grant, remaining, at);
                }
                self.lapse(&mut grant, remaining, at);
            } else {
                grant.lapsed = remaining;
            }
        }
        self.insert(grant);
    }

    /// Credits of an ended grant lapse as the grant did.
    fn lapse(&mut self, grant: &mut Grant, amount: Decimal, at: Time) {
        if amount.is_zero() {
            return;
        }
        grant.lapsed += amount;
        self.lapsed.entry(grant.id).and_modify(|lapsed| *lapsed += amount);
        let line_type = if grant.status == Status::Voided { LineType::Void } else { LineType::Expiration };
        let effect = Effect { balance: -amount, ..Effect::default() };
        self.post(line_type, Some(grant.reference()), effect, None, at);
    }

    /// Credits return to the grant that gave them: held ones, or those of canceled usage. If the grant has ended, they
    /// lapse at once.
    pub(super) fn give_back(
        &mut self,
        line_type: LineType,
        source: &Source,
        grant_id: Uuid,
        amount: Decimal,
        at: Time,
    ) {
        let Some(mut grant) = self.take_out(grant_id) else {
            self.broken = true;
            return;
        };
        grant.changed = true;
        let held = if line_type == LineType::Release { -amount } else { Decimal::ZERO };
        let effect = Effect { balance: amount, held, ..Effect::default() };
        self.post(line_type, Some(grant.reference()), effect, Some(source), at);
        let ended = matches!(grant.status, Status::Expired | Status::Voided);
        let suspended = grant.status == Status::Suspended;
        if ended || grant.expires_at <= at && !self.rolls_at(&grant, at) {
            // Open clawbacks of it are gone.
            let clawbacks = take_off(&mut grant.clawbacks, amount, false);
            grant.reclaimed |= !clawbacks.is_empty();
            if ended {
                self.lapse(&mut grant, amount, at);
                self.insert(grant);
            } else {
                if suspended {
                    self.put_aside(&grant, amount, at);
                } else {
                    self.lapsed_by_time(grant.id, Decimal::ZERO);
                }
                grant.remaining += amount;
                self.end(grant, Status::Expired, at);
            }
            return self.went_back(grant_id, clawbacks.iter().map(|clawback| clawback.amount).sum());
        }
        let before = grant.remaining;
        grant.remaining += amount;
        self.take_clawbacks(&mut grant, amount, at);
        if suspended {
            self.put_aside(&grant, grant.remaining - before, at);
        } else if grant.remaining.is_zero() {
            grant.status = Status::Depleted;
        } else {
            grant.status = Status::Granted;
            self.next_change_at = self.next_change_at.min(grant.expires_at);
        }
        self.insert(grant);
    }
}
