//! Adjustments of events that are priced by themselves: another value costs more or less. What that does to events of a
//! period is in usage.rs.

use crate::amount::Decimal;
use crate::ledger::engine::book::{Book, Charged, Overage, Refusal, Usage, newest_part};
use crate::ledger::engine::line::{Debt, Effect, LineType};
use uuid::Uuid;

/// What an event's lines took and gave back, in their order, comes to: what each grant paid and did not get back. What
/// comes back is always the newest that was paid.
pub fn net_draws(lines: impl IntoIterator<Item = (Uuid, Decimal)>) -> Vec<(Uuid, Decimal)> {
    let mut draws: Vec<(Uuid, Decimal)> = Vec::new();
    for (grant_id, taken) in lines {
        let mut back = -taken;
        if taken > Decimal::ZERO {
            draws.push((grant_id, taken));
        }
        while back > Decimal::ZERO
            && let Some((_, newest)) = draws.last_mut()
        {
            let part = back.min(*newest);
            *newest -= part;
            back -= part;
            if newest.is_zero() {
                draws.pop();
            }
        }
    }
    draws
}

impl Book {
    /// Charges more for an event that was charged before. If it owes something, that debt must be loaded.
    pub fn charge_more(
        &mut self,
        usage: &Usage<'_>,
        more: Decimal,
        overage: Overage,
        decimals: u32,
    ) -> Result<Charged, Refusal> {
        let charged = self.charge(usage, more, overage, decimals)?;
        if charged.pending.is_zero() {
            self.record(usage, usage.consumed + charged.consumed);
        }
        Ok(charged)
    }

    /// Charges less for an event: first less is owed for it, then what grants paid (`draws`, oldest first) returns to
    /// them, newest draw first; that pays other debts. Its own debt and the grants must be loaded. Returns what came
    /// back.
    pub fn charge_less(
        &mut self,
        usage: &Usage<'_>,
        less: Decimal,
        draws: &[(Uuid, Decimal)],
        debts: Vec<Debt>,
    ) -> Decimal {
        let (source, at) = (usage.source(), self.posted_at);
        self.take_debts(debts);
        let own = self.debts.values_mut().find(|debt| debt.source.identifier() == Some(usage.identifier));
        let mut forgiven = Decimal::ZERO;
        if let Some(debt) = own {
            forgiven = less.min(debt.pending);
            debt.pending -= forgiven;
            debt.changed = true;
        }
        if forgiven > Decimal::ZERO {
            let effect = Effect { pending: -forgiven, ..Effect::default() };
            self.post(LineType::Reversal, None, effect, Some(&source), at);
        }
        let returned = less - forgiven;
        for (grant_id, amount) in newest_part(draws, Decimal::ZERO, returned) {
            self.give_back(LineType::Reversal, &source, grant_id, amount, at);
        }
        if returned > Decimal::ZERO {
            self.record(usage, usage.consumed - returned);
        }
        self.pay_debts(at);
        returned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Credit by credit, on a stack.
        #[test]
        fn net_draws_are_what_is_left_on_a_stack(lines in prop::collection::vec((0u8..4, -9i64..15), 0..20)) {
            let mut stack: Vec<u8> = Vec::new();
            let mut given = Vec::new();
            for (grant, amount) in lines {
                let amount = amount.max(-(stack.len() as i64));
                let credits = usize::try_from(amount.abs()).unwrap_or_default();
                if amount > 0 {
                    stack.extend(std::iter::repeat_n(grant, credits));
                } else {
                    stack.truncate(stack.len() - credits);
                }
                given.push((Uuid::from_u128(u128::from(grant)), Decimal::from(amount)));
            }
            let left: Vec<u8> = net_draws(given)
                .into_iter()
                .flat_map(|(id, amount)| std::iter::repeat_n(id.as_u128() as u8, amount.mantissa() as usize))
                .collect();
            prop_assert_eq!(left, stack);
        }
    }
}
