//! What takes credits: plain withdrawals of every kind, holds and their capture, and paying debts. Meter events are in
//! usage.rs.

use crate::amount::{AmountError, Decimal};
use crate::ledger::engine::book::{Book, Overage};
use crate::ledger::engine::drawdown::Draw;
use crate::ledger::engine::limit::Exceeded;
use crate::ledger::engine::line::{Debt, Effect, Hold, HoldStatus, LineType, Source};
use crate::moment::Time;
use uuid::Uuid;

/// Too few credits could be drawn on. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// What there was.
    pub available: Decimal,
    /// The most that may be owed, and what would be owed, if that limit is the reason.
    pub limit: Option<[Decimal; 2]>,
}

/// Why a charge was not made. Nothing was changed.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// Too few credits, and the rest may not be owed.
    Short(Short),
    /// More would be owed than can be counted.
    Limit(AmountError),
    /// A limit of what may be spent has too little left.
    Exceeded(Box<Exceeded>),
}

impl Book {
    /// What a charge of that meter, or with `None` a plain debit, would draw, and what would remain undrawn. Nothing is
    /// recorded.
    pub fn foresee(&mut self, meter: Option<(&str, Overage, u32)>, cost: Decimal) -> Result<Vec<Draw>, Refusal> {
        match meter {
            Some((event_name, overage, decimals)) => {
                self.would_owe(event_name, cost, overage, decimals)?;
                Ok(self.grants.draw(Some(event_name), cost))
            }
            None => self.draw_all(cost).map_err(Refusal::Short),
        }
    }

    /// All or nothing, from what plain debits may draw on.
    fn draw_all(&mut self, amount: Decimal) -> Result<Vec<Draw>, Short> {
        let payable = self.grants.payable(None);
        if payable < amount {
            return Err(Short { available: payable, limit: None });
        }
        Ok(self.grants.draw(None, amount))
    }

    /// Takes credits permanently, all or nothing: a debit, the outgoing side of a transfer, a correction.
    pub fn withdraw(&mut self, line_type: LineType, operation_id: Uuid, amount: Decimal) -> Result<Vec<Draw>, Short> {
        let draws = self.draw_all(amount)?;
        self.take(line_type, &draws, &Source::Operation(operation_id), self.posted_at);
        match line_type {
            LineType::Debit | LineType::Transfer => self.spent(),
            _ => self.taken_back(),
        }
        Ok(draws)
    }

    /// Sets credits aside, all or nothing, until `expires_at`.
    pub fn hold(&mut self, id: Uuid, amount: Decimal, expires_at: Time) -> Result<Hold, Short> {
        let draws = self.draw_all(amount)?;
        for draw in &draws {
            let effect = Effect { balance: -draw.amount, held: draw.amount, ..Effect::default() };
            self.post(LineType::Hold, Some(draw.grant), effect, Some(&Source::Operation(id)), self.posted_at);
        }
        self.next_change_at = self.next_change_at.min(expires_at);
        self.spent();
        Ok(Hold { id, expires_at, parts: draws.into_iter().map(|d| (d.grant.id, d.amount)).collect() })
    }

    /// Spends part of an open hold and returns the rest, newest draw first; what returns pays debts. The grants that
    /// gave to it must be loaded.
    pub fn close_hold(&mut self, hold: &Hold, captured: Decimal, debts: Vec<Debt>) {
        let at = self.posted_at;
        let mut open = captured;
        let mut back = Vec::new();
        for (grant_id, amount) in &hold.parts {
            let spent = open.min(*amount);
            open -= spent;
            if spent > Decimal::ZERO {
                let grant = self.grant(*grant_id).map(|g| g.reference());
                self.broken |= grant.is_none();
                let effect = Effect { held: -spent, ..Effect::default() };
                self.post(LineType::Capture, grant, effect, Some(&Source::Operation(hold.id)), at);
            }
            back.push((*grant_id, amount - spent));
        }
        self.take_debts(debts);
        for (grant_id, amount) in back.into_iter().rev().filter(|(_, amount)| *amount > Decimal::ZERO) {
            self.give_back(LineType::Release, &Source::Operation(hold.id), grant_id, amount, at);
        }
        let mut open = captured;
        for (grant_id, amount) in &hold.parts {
            let spent = open.min(*amount);
            open -= spent;
            self.owe_spent_clawbacks(*grant_id, spent, at);
        }
        let status = if captured.is_zero() { HoldStatus::Released } else { HoldStatus::Captured };
        self.close(hold.id, status, captured, at);
        self.pay_debts(at);
    }

    /// Oldest first, each by the grants that may pay it, in drawdown order.
    pub(super) fn pay_debts(&mut self, at: Time) {
        if self.pending.is_zero() {
            return;
        }
        let mut debts = std::mem::take(&mut self.debts);
        for debt in debts.values_mut().filter(|d| d.pending > Decimal::ZERO) {
            for draw in self.grants.draw(debt.event_name.as_deref(), debt.pending) {
                let effect = Effect { balance: -draw.amount, pending: -draw.amount, ..Effect::default() };
                self.post(LineType::Consumption, Some(draw.grant), effect, Some(&debt.source), at);
                debt.pending -= draw.amount;
                debt.consumed += draw.amount;
                debt.changed = true;
            }
        }
        self.debts = debts;
    }

    pub(super) fn take(&mut self, line_type: LineType, draws: &[Draw], source: &Source, at: Time) -> Decimal {
        for draw in draws {
            let effect = Effect { balance: -draw.amount, ..Effect::default() };
            self.post(line_type, Some(draw.grant), effect, Some(source), at);
        }
        draws.iter().map(|draw| draw.amount).sum()
    }
}
