//! What takes credits: plain withdrawals of every kind, and paying debts. Holds are in hold.rs, meter events in usage.rs.

use crate::amount::{AmountError, Decimal};
use crate::ledger::engine::book::{Book, Charged, Overage};
use crate::ledger::engine::drawdown::Draw;
use crate::ledger::engine::limit::Exceeded;
use crate::ledger::engine::line::{Effect, LineType, Source};
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
                self.would_owe(Some(event_name), cost, overage, decimals)?;
                Ok(self.grants.draw(Some(event_name), cost))
            }
            None => self.draw_all(None, cost).map_err(Refusal::Short),
        }
    }

    /// All or nothing, from what events of that meter, or with `None` plain debits, may draw on.
    pub(super) fn draw_all(&mut self, meter: Option<&str>, amount: Decimal) -> Result<Vec<Draw>, Short> {
        let payable = self.grants.payable(meter);
        if payable < amount {
            return Err(Short { available: payable, limit: None });
        }
        Ok(self.grants.draw(meter, amount))
    }

    /// Takes credits permanently, all or nothing: a debit, the outgoing side of a transfer, a correction.
    pub fn withdraw(&mut self, line_type: LineType, operation_id: Uuid, amount: Decimal) -> Result<Vec<Draw>, Short> {
        let draws = self.draw_all(None, amount)?;
        self.take(line_type, &draws, &Source::Operation(operation_id), self.posted_at);
        match line_type {
            LineType::Debit | LineType::Transfer => self.spent(),
            _ => self.taken_back(),
        }
        Ok(draws)
    }

    /// Takes credits permanently, and owes what there are not.
    pub fn withdraw_or_owe(
        &mut self,
        line_type: LineType,
        operation_id: Uuid,
        amount: Decimal,
        decimals: u32,
    ) -> Result<Charged, Refusal> {
        let owed = self.would_owe(None, amount, Overage::Pending, decimals)?;
        let (at, source) = (self.posted_at, Source::Operation(operation_id));
        let draws = self.grants.draw(None, amount - owed);
        let consumed = self.take(line_type, &draws, &source, at);
        match line_type {
            LineType::Debit => self.spent(),
            _ => self.taken_back(),
        }
        if owed > Decimal::ZERO {
            self.post(LineType::Debt, None, Effect { pending: owed, ..Effect::default() }, Some(&source), at);
            self.owe((source, None, None), Decimal::ZERO, Decimal::ZERO, owed);
        }
        Ok(Charged { consumed, pending: owed })
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
