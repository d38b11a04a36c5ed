//! Reversals of operations: what an operation still owes is owed no longer, then what it took goes back to the grants that
//! gave it, newest draw first.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::{Debt, Effect, LineType, Source};
use uuid::Uuid;

/// The part of an operation's draws (oldest first) that goes back next, newest draw first: `amount` of what is left of
/// them once `returned` have gone back.
pub fn newest_part(draws: &[(Uuid, Decimal)], returned: Decimal, amount: Decimal) -> Vec<(Uuid, Decimal)> {
    let (mut skip, mut open) = (returned, amount);
    let mut part = Vec::new();
    for (grant_id, drawn) in draws.iter().rev() {
        let gone = skip.min(*drawn);
        skip -= gone;
        let back = open.min(*drawn - gone);
        open -= back;
        if back > Decimal::ZERO {
            part.push((*grant_id, back));
        }
    }
    part
}

impl Book {
    /// Lowers what the reversed operation owes, and returns credits to grants, in the given order; that pays debts. The
    /// grants and the operation's own debt must be loaded.
    pub fn reverse(
        &mut self,
        (operation_id, reversed): (Uuid, Uuid),
        forgiven: Decimal,
        parts: &[(Uuid, Decimal)],
        debts: Vec<Debt>,
    ) {
        let (source, at) = (Source::Operation(operation_id), self.posted_at);
        self.take_debts(debts);
        if forgiven > Decimal::ZERO {
            let own = self.debts.values_mut().find(|debt| debt.source == Source::Operation(reversed));
            match own.filter(|debt| debt.pending >= forgiven) {
                Some(debt) => (debt.pending, debt.changed) = (debt.pending - forgiven, true),
                None => self.broken = true,
            }
            let effect = Effect { pending: -forgiven, ..Effect::default() };
            self.post(LineType::Reversal, None, effect, Some(&source), at);
        }
        for (grant_id, amount) in parts {
            self.give_back(LineType::Reversal, &source, *grant_id, *amount, at);
        }
        self.pay_debts(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grants(amounts: &[u8]) -> Vec<(Uuid, Decimal)> {
        amounts.iter().enumerate().map(|(n, amount)| (Uuid::from_u128(n as u128), Decimal::from(*amount))).collect()
    }

    /// A stack with an entry per credit: the last that was put on it is the first to go back.
    fn one_by_one(draws: &[u8], parts: &[u8]) -> Vec<Vec<Uuid>> {
        let per_credit = grants(draws).into_iter().zip(draws);
        let mut stack: Vec<Uuid> =
            per_credit.flat_map(|((id, _), credits)| std::iter::repeat_n(id, usize::from(*credits))).collect();
        parts.iter().map(|part| (0..*part).filter_map(|_| stack.pop()).collect()).collect()
    }

    proptest! {
        #[test]
        fn parts_go_back_as_from_a_stack(
            draws in prop::collection::vec(0u8..20, 0..8),
            parts in prop::collection::vec(0u8..15, 0..8),
        ) {
            let mut returned = Decimal::ZERO;
            for (part, expected) in parts.iter().zip(one_by_one(&draws, &parts)) {
                let back = newest_part(&grants(&draws), returned, Decimal::from(*part));
                let mut found = Vec::new();
                for (id, amount) in &back {
                    prop_assert!(*amount > Decimal::ZERO);
                    let credits = amount.mantissa() as usize;
                    found.extend(std::iter::repeat_n(*id, credits));
                }
                prop_assert_eq!(found, expected);
                returned += back.iter().map(|(_, amount)| *amount).sum::<Decimal>();
            }
        }
    }
}
