//! The levels of an alert, and how a balance crosses them. Pure.

use crate::amount::Decimal;
use rust_decimal::RoundingStrategy;

/// The levels of one kind, and how far down the balance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Whether levels are in percent of `full`.
    pub percent: bool,
    /// Highest first.
    pub levels: Vec<Decimal>,
    /// What was available when credits last came in, or since, if that was more.
    pub full: Decimal,
    /// How many levels are reached, and published.
    pub reached: usize,
}

impl Alert {
    /// The most credits that are at or below a level.
    fn amount(&self, level: Decimal, unit: Decimal) -> Decimal {
        if !self.percent {
            return level;
        }
        let share = level / Decimal::ONE_HUNDRED;
        let amount = self.full.checked_mul(share).unwrap_or(self.full);
        amount.round_dp_with_strategy(unit.scale(), RoundingStrategy::ToZero)
    }

    /// Follows the balance. Returns the levels that it has just come down to, highest first. `came` says whether credits
    /// came in; `unit` is the smallest part of a credit.
    pub fn follow(&mut self, available: Decimal, came: bool, unit: Decimal) -> Vec<Decimal> {
        if came || available > self.full {
            self.full = available;
        }
        // Of nothing there are no percentages.
        let is_set = !self.percent || !self.full.is_zero();
        let now = self.levels.iter().take_while(|level| is_set && available <= self.amount(**level, unit)).count();
        let before = std::mem::replace(&mut self.reached, now);
        self.levels.get(before..now).unwrap_or_default().to_vec()
    }

    /// Below which balance, and from which on, something happens next.
    pub fn bounds(&self, unit: Decimal) -> (Decimal, Option<Decimal>) {
        let over = |level: &Decimal| self.amount(*level, unit) + unit;
        let below = self.levels.get(self.reached).map_or(Decimal::ZERO, over);
        let back = self.reached.checked_sub(1).and_then(|index| self.levels.get(index)).map(over);
        let fuller = self.percent.then(|| self.full + unit);
        (below, back.into_iter().chain(fuller).min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNIT: Decimal = Decimal::ONE;

    /// Whether a balance is at or below a level, said otherwise than above.
    fn is_at(alert: &Alert, level: Decimal, full: i64, available: i64) -> bool {
        if alert.percent {
            full > 0 && Decimal::from(available) * Decimal::ONE_HUNDRED <= level * Decimal::from(full)
        } else {
            Decimal::from(available) <= level
        }
    }

    proptest! {
        /// Every balance is followed, or only those that the bounds ask for: the same is published, once per crossing,
        /// and each level again only after the balance was above it.
        #[test]
        fn bounds_leave_nothing_out(
            percent in any::<bool>(),
            levels in proptest::collection::btree_set(0i64..99, 1..5),
            moves in proptest::collection::vec((-40i64..40, any::<bool>()), 1..80),
        ) {
            let levels: Vec<Decimal> = levels.into_iter().rev().map(Decimal::from).collect();
            let begin = 45i64;
            let mut alert = Alert { percent, levels, full: Decimal::from(begin), reached: 0 };
            let (mut available, mut full) = (begin, begin);
            let mut at: Vec<bool> = vec![false; alert.levels.len()];
            let mut bounds = alert.bounds(UNIT);
            for (by, comes) in moves {
                let came = comes && by > 0;
                available = (available + by).max(0);
                full = if came || available > full { available } else { full };
                let mut expected = Vec::new();
                for (level, was) in alert.levels.iter().zip(&mut at) {
                    let is = is_at(&alert, *level, full, available);
                    if is && !*was {
                        expected.push(*level);
                    }
                    *was = is;
                }
                let balance = Decimal::from(available);
                let asked = came || balance < bounds.0 || bounds.1.is_some_and(|above| balance >= above);
                let found = if asked { alert.follow(balance, came, UNIT) } else { Vec::new() };
                if asked {
                    bounds = alert.bounds(UNIT);
                }
                prop_assert_eq!(found, expected);
                prop_assert_eq!(alert.reached, at.iter().filter(|at| **at).count());
            }
        }
    }
}
