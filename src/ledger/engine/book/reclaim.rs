//! Clawbacks: taking a purchase's credits back when its price is refunded, and undoing that. Unspent credits go first:
//! what remains at once, what is held when the hold closes. What expired or was voided counts as gone. Only the rest
//! was spent: it is owed, or forgiven.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Clawback, Grant, Status, take_off};
use crate::ledger::engine::line::{Debt, Effect, LineType, Source};
use crate::moment::Time;
use uuid::Uuid;

/// Credits of one purchase to claw back.
#[derive(Debug, Clone)]
pub struct Reclaim<'a> {
    /// The operation that takes them.
    pub operation_id: Uuid,
    /// The purchase's grant.
    pub grant_id: Uuid,
    /// How many in total.
    pub credits: Decimal,
    /// Whether spent ones are owed; otherwise they are forgiven.
    pub owes: bool,
    /// The meter whose payers may pay what is owed; `None` for what only plain credits may pay.
    pub event_name: Option<&'a str>,
    /// How much of the grant open holds have.
    pub held: Decimal,
    /// How much of the grant expired or was voided, and is not counted for an earlier clawback.
    pub lapsed: Decimal,
}

/// Where they were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Taken.
    pub taken: Decimal,
    /// Held: taken when the hold closes.
    pub held: Decimal,
    /// Spent, and owed.
    pub owed: Decimal,
}

/// What one ledger line of such an operation took.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// From which grant.
    pub grant_id: Uuid,
    /// Credits.
    pub amount: Decimal,
    /// Whether it took the purchase's own credits; otherwise it paid a debt.
    pub own: bool,
}

impl Book {
    /// Takes a purchase's credits back. Its grant, and the grants that can pay what is owed, must be loaded.
    pub fn reclaim(&mut self, reclaim: &Reclaim<'_>) -> Reclaimed {
        let at = self.posted_at;
        let Some(mut grant) = self.take_out(reclaim.grant_id) else {
            self.broken = true;
            return Reclaimed::default();
        };
        let mut open = reclaim.credits;
        let mut part = |there: Decimal| {
            let part = open.min(there).max(Decimal::ZERO);
            open -= part;
            part
        };
        let outstanding: Decimal = grant.clawbacks.iter().map(|clawback| clawback.amount).sum();
        let (taken, held) = (part(grant.remaining), part(reclaim.held - outstanding));
        part(reclaim.lapsed);
        let (owed, forgiven) = if reclaim.owes { (open, Decimal::ZERO) } else { (Decimal::ZERO, open) };
        if grant.status == Status::Suspended {
            self.bring_back(LineType::Resumption, &grant, taken, at);
        }
        self.take_back(&mut grant, reclaim.operation_id, taken, at);
        if grant.remaining.is_zero() && grant.status == Status::Granted {
            grant.status = Status::Depleted;
        }
        let amount = held + forgiven;
        if amount > Decimal::ZERO {
            grant.clawbacks.push(Clawback { amount, operation_id: reclaim.operation_id, owes: reclaim.owes });
        }
        (grant.changed, grant.reclaimed) = (true, true);
        self.insert(grant);
        self.owe_back(reclaim.operation_id, reclaim.event_name, owed, at);
        self.pay_debts(at);
        self.taken_back();
        self.touch();
        Reclaimed { taken, held, owed }
    }

    /// Takes credits whose price was refunded.
    fn take_back(&mut self, grant: &mut Grant, operation_id: Uuid, amount: Decimal, at: Time) {
        if amount.is_zero() {
            return;
        }
        grant.remaining -= amount;
        grant.lapsed += amount;
        (grant.changed, grant.reclaimed) = (true, true);
        self.taken_back();
        *self.taken.entry(operation_id).or_default() += amount;
        let effect = Effect { balance: -amount, ..Effect::default() };
        self.post(LineType::Refund, Some(grant.reference()), effect, Some(&Source::Operation(operation_id)), at);
    }

    /// Takes open clawbacks from credits that came back to a grant.
    pub(super) fn take_clawbacks(&mut self, grant: &mut Grant, came: Decimal, at: Time) {
        for clawback in take_off(&mut grant.clawbacks, came, false) {
            self.take_back(grant, clawback.operation_id, clawback.amount, at);
        }
    }

    /// Held credits were spent: open clawbacks among them are owed from now on.
    pub(super) fn owe_spent_clawbacks(&mut self, grant_id: Uuid, spent: Decimal, at: Time) {
        let Some(mut grant) = self.take_out(grant_id) else { return };
        let owed = take_off(&mut grant.clawbacks, spent, true);
        grant.reclaimed |= !owed.is_empty();
        grant.changed |= grant.reclaimed;
        let event_name = grant.meters.as_ref().and_then(|meters| meters.first().cloned());
        self.insert(grant);
        for clawback in owed {
            self.owe_back(clawback.operation_id, event_name.as_deref(), clawback.amount, at);
        }
    }

    pub(super) fn owe_back(&mut self, operation_id: Uuid, event_name: Option<&str>, owed: Decimal, at: Time) {
        if owed.is_zero() {
            return;
        }
        self.taken_back();
        let source = Source::Operation(operation_id);
        self.post(LineType::Refund, None, Effect { pending: owed, ..Effect::default() }, Some(&source), at);
        let debt_no = self.debts.values().find(|debt| debt.source == source).map(|debt| debt.debt_no);
        self.owe((source, event_name, debt_no), Decimal::ZERO, Decimal::ZERO, owed);
    }

    /// Owes what a grant paid that nobody else paid for: those that can pay it, which must be loaded, pay first.
    pub fn owe_again(&mut self, operation_id: Uuid, event_name: Option<&str>, credits: Decimal) {
        let at = self.posted_at;
        self.owe_back(operation_id, event_name, credits, at);
        self.pay_debts(at);
        self.touch();
    }

    /// Undoes such an operation: its debt and its open clawbacks are dropped, and what it took returns to the grants
    /// that gave it, newest first; that pays other debts. The grants must be loaded.
    pub fn undo_reclaim(
        &mut self,
        (operation_id, grant_id): (Uuid, Uuid),
        owed: Decimal,
        taken: &[Taken],
        debts: Vec<Debt>,
    ) {
        let at = self.posted_at;
        let source = Source::Operation(operation_id);
        self.take_debts(debts);
        self.debts.retain(|_, debt| debt.source != source);
        if owed > Decimal::ZERO {
            let effect = Effect { pending: -owed, ..Effect::default() };
            self.post(LineType::Refund, None, effect, Some(&source), at);
        }
        match self.take_out(grant_id) {
            Some(mut grant) => {
                grant.clawbacks.retain(|clawback| clawback.operation_id != operation_id);
                (grant.changed, grant.reclaimed) = (true, true);
                self.insert(grant);
            }
            None => self.broken = true,
        }
        for line in taken.iter().rev() {
            if line.own
                && let Some(mut grant) = self.take_out(line.grant_id)
            {
                grant.lapsed -= line.amount;
                self.insert(grant);
            }
            let line_type = if line.own { LineType::Refund } else { LineType::Reversal };
            self.give_back(line_type, &source, line.grant_id, line.amount, at);
        }
        self.pay_debts(at);
        self.touch();
    }
}
