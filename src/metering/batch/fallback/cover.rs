//! The fallback of a meter: where its own currency is used up, a second one pays the rest of an event. Pure.

use crate::amount::{AmountError, Decimal};
use crate::rational;
use num_traits::Zero;

/// What the second currency pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered {
    /// In the meter's currency: what it covers of the event's price.
    pub credits: Decimal,
    /// In the second currency: what it is charged.
    pub amount: Decimal,
}

impl Covered {
    /// Nothing is covered.
    pub const NOTHING: Covered = Covered { credits: Decimal::ZERO, amount: Decimal::ZERO };
}

/// How much of `short`, which the meter's currency does not cover, `payable` of the second one covers, at `rate` units of it
/// per unit of the meter's. All of it, rounded half away from zero to the second currency's decimals, if there is enough;
/// otherwise the most of the meter's units that `payable` buys, at their price rounded the same way.
pub fn cover(
    short: Decimal,
    payable: Decimal,
    rate: Decimal,
    (decimals, fallback_decimals): (u32, u32),
) -> Result<Covered, AmountError> {
    let exact = rational::of(rate);
    let price = |credits: Decimal| {
        rational::rounded(&(rational::of(credits) * &exact), fallback_decimals).map(|price| price.normalize())
    };
    let whole = price(short)?;
    if whole <= payable {
        return Ok(Covered { credits: short, amount: whole });
    }
    if exact.is_zero() {
        return Ok(Covered::NOTHING);
    }
    // Less than `short`: at its price there is not enough. Its own price is at most `payable`, which has no more decimals.
    let credits = rational::rounded_down(&(rational::of(payable) / &exact), decimals)?.normalize();
    Ok(Covered { credits, amount: price(credits)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same in whole units, the slow way: from all that is short down, the first part whose price is there, or the most
    /// that `payable` buys where not all of it is.
    fn naive(short: i128, payable: i128, (rate, scale): (i128, u32), decimals: (u32, u32)) -> (i128, i128) {
        let base = 10i128.pow(decimals.0 + scale);
        // In units of the second currency, times `base`.
        let exact = |units: i128| units * rate * 10i128.pow(decimals.1);
        let rounded = |units: i128| (exact(units) * 2 + base) / (base * 2);
        if rounded(short) <= payable {
            return (short, rounded(short));
        }
        let most = (0..=short).rev().find(|units| exact(*units) <= payable * base).unwrap_or_default();
        (most, rounded(most))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn it_covers_what_there_is_to_pay(
            short in 1i64..3_000,
            payable in 0i64..3_000,
            rate in (1i64..5_000, 0u32..4),
            decimals in (0u32..4, 0u32..4),
        ) {
            let rated = Decimal::new(rate.0, rate.1);
            let found = cover(Decimal::new(short, decimals.0), Decimal::new(payable, decimals.1), rated, decimals).unwrap();
            let (credits, amount) = naive(short.into(), payable.into(), (rate.0.into(), rate.1), decimals);
            prop_assert_eq!(found.credits, Decimal::from_i128_with_scale(credits, decimals.0));
            prop_assert_eq!(found.amount, Decimal::from_i128_with_scale(amount, decimals.1));
            prop_assert!(found.credits <= Decimal::new(short, decimals.0));
            prop_assert!(found.amount <= Decimal::new(payable, decimals.1));
        }
    }

    #[test]
    fn a_cent_a_credit_with_seven_cents_left_covers_seven() {
        let covered = cover(Decimal::new(10, 0), Decimal::new(7, 2), Decimal::new(1, 2), (6, 2)).unwrap();
        assert_eq!(covered, Covered { credits: Decimal::new(7, 0), amount: Decimal::new(7, 2) });
    }
}
