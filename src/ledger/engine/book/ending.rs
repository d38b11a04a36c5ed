//! Grants that are ended in part, taken back as a mistake, suspended and resumed by hand, and brought back after their time
//! ran out.

use crate::amount::Decimal;
use crate::ledger::engine::book::{Book, Short};
use crate::ledger::engine::drawdown::{Clawback, Grant, Status};
use crate::ledger::engine::line::{Debt, Effect, LineType, Source};
use crate::moment::Time;
use uuid::Uuid;

/// A grant that was a mistake, in whole or in part: what was spent of it is owed.
#[derive(Debug, Clone)]
pub struct Mistake<'a> {
    /// The operation that takes it back.
    pub operation_id: Uuid,
    /// The grant.
    pub grant_id: Uuid,
    /// How many credits should not have been granted; `None` for all, of a grant that has ended.
    pub credits: Option<Decimal>,
    /// The meter whose payers may pay what is owed; `None` for what only plain credits may pay.
    pub event_name: Option<&'a str>,
    /// How much of the grant open holds have.
    pub held: Decimal,
    /// How much of what was spent is owed already, or was paid for.
    pub counted: Decimal,
}

/// What taking back a mistake comes to, besides what remained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owed {
    /// Taken from what remained by the operation itself: a part.
    pub taken: Decimal,
    /// Held: owed once it is captured, taken when it comes back.
    pub held: Decimal,
    /// Spent, and owed.
    pub owed: Decimal,
}

impl Owed {
    /// The total.
    pub fn credits(&self) -> Decimal {
        self.taken + self.held + self.owed
    }
}

impl Book {
    /// Credits that are not in the balance come back into it.
    pub(super) fn bring_back(&mut self, line_type: LineType, grant: &Grant, amount: Decimal, at: Time) {
        if !amount.is_zero() {
            let effect = Effect { balance: amount, ..Effect::default() };
            self.post(line_type, Some(grant.reference()), effect, None, at);
        }
    }

    /// Credits of a suspended grant leave the balance.
    pub(super) fn put_aside(&mut self, grant: &Grant, amount: Decimal, at: Time) {
        if !amount.is_zero() {
            let effect = Effect { balance: -amount, ..Effect::default() };
            self.post(LineType::Suspension, Some(grant.reference()), effect, None, at);
        }
    }

    /// Ends part of what remains of a loaded grant that has begun and not ended: voided or expired.
    pub fn end_part(
        &mut self,
        line_type: LineType,
        id: Uuid,
        operation_id: Uuid,
        amount: Decimal,
    ) -> Result<(), Short> {
        let Some(mut grant) = self.take_out(id) else {
            self.broken = true;
            return Ok(());
        };
        if grant.remaining < amount {
            let available = grant.remaining;
            self.insert(grant);
            return Err(Short { available, limit: None });
        }
        self.take_part(line_type, &mut grant, operation_id, amount);
        self.insert(grant);
        Ok(())
    }

    fn take_part(&mut self, line_type: LineType, grant: &mut Grant, operation_id: Uuid, amount: Decimal) {
        if amount.is_zero() {
            return;
        }
        let at = self.posted_at;
        if grant.status == Status::Suspended {
            self.bring_back(LineType::Resumption, grant, amount, at);
        }
        grant.remaining -= amount;
        grant.lapsed += amount;
        (grant.changed, grant.reclaimed) = (true, true);
        if grant.remaining.is_zero() && grant.status == Status::Granted {
            grant.status = Status::Depleted;
        }
        let effect = Effect { balance: -amount, ..Effect::default() };
        self.post(line_type, Some(grant.reference()), effect, Some(&Source::Operation(operation_id)), at);
        self.taken_back();
    }

    /// What taking back a mistake would come to; if the credits are more than remain, are held and were spent, what there
    /// is. A part takes what remains first, then what is held. Nothing is recorded.
    pub fn judge_mistake(&self, mistake: &Mistake<'_>) -> Result<Owed, Short> {
        let Some(grant) = self.grant(mistake.grant_id) else { return Ok(Owed::default()) };
        let waiting: Decimal = grant.clawbacks.iter().map(|clawback| clawback.amount).sum();
        let spent = grant.amount - grant.remaining - mistake.held - grant.lapsed - mistake.counted;
        // Some may have come back by now.
        let spent = spent.max(Decimal::ZERO);
        let held = (mistake.held - waiting).max(Decimal::ZERO);
        match mistake.credits {
            None => Ok(Owed { taken: Decimal::ZERO, held, owed: spent }),
            Some(credits) => {
                let taken = credits.min(grant.remaining);
                let held = held.min(credits - taken);
                let owed = credits - taken - held;
                if owed > spent {
                    let available = credits - owed + spent;
                    return Err(Short { available, limit: None });
                }
                Ok(Owed { taken, held, owed })
            }
        }
    }

    /// Takes a mistake back, as judged. The grant, and those that can pay what is owed, must be
    /// loaded.
    pub fn take_mistake(&mut self, mistake: &Mistake<'_>, owed: Owed) {
        let (at, operation_id) = (self.posted_at, mistake.operation_id);
        let Some(mut grant) = self.take_out(mistake.grant_id) else {
            self.broken = true;
            return;
        };
        self.take_part(LineType::Void, &mut grant, operation_id, owed.taken);
        if !owed.taken.is_zero() {
            *self.taken.entry(operation_id).or_default() += owed.taken;
        }
        if owed.held > Decimal::ZERO {
            grant.clawbacks.push(Clawback { amount: owed.held, operation_id, owes: true });
            (grant.changed, grant.reclaimed) = (true, true);
        }
        self.insert(grant);
        self.owe_back(operation_id, mistake.event_name, owed.owed, at);
        self.pay_debts(at);
        self.taken_back();
        self.touch();
    }

    /// Suspends a loaded grant that has begun and not ended: what remains leaves the balance.
    pub fn suspend_grant(&mut self, id: Uuid) {
        let Some(mut grant) = self.take_out(id) else {
            self.broken = true;
            return;
        };
        grant.status = Status::Suspended;
        grant.changed = true;
        self.put_aside(&grant, grant.remaining, self.posted_at);
        // One that is used up had no change to come.
        self.next_change_at = self.next_change_at.min(grant.expires_at);
        self.insert(grant);
        self.taken_back();
        self.touch();
    }

    /// Resumes a loaded grant that is suspended: what remains comes back, and pays debts first.
    pub fn resume_grant(&mut self, id: Uuid, debts: Vec<Debt>) {
        self.reopen(LineType::Resumption, id, Decimal::ZERO, debts);
    }

    /// Opens a loaded grant again whose time ran out and that has a later end by now: so much of what lapsed comes back,
    /// and pays debts first.
    pub fn extend_grant(&mut self, id: Uuid, back: Decimal, debts: Vec<Debt>) {
        self.reopen(LineType::Reinstatement, id, back, debts);
    }

    fn reopen(&mut self, line_type: LineType, id: Uuid, back: Decimal, debts: Vec<Debt>) {
        let at = self.posted_at;
        let Some(mut grant) = self.take_out(id) else {
            self.broken = true;
            return;
        };
        self.take_debts(debts);
        grant.lapsed -= back;
        self.lapsed.remove(&id);
        grant.remaining += back;
        grant.status = if grant.remaining.is_zero() { Status::Depleted } else { Status::Granted };
        (grant.changed, grant.reclaimed) = (true, true);
        self.next_change_at = self.next_change_at.min(grant.expires_at);
        self.bring_back(line_type, &grant, grant.remaining, at);
        self.insert(grant);
        self.pay_debts(at);
        self.touch();
    }
}
