//! Amounts of money: what a payment buys, what part of a purchase a refund stands for, and minor units. Pure.

use crate::amount::{self, AmountError, Decimal};
use crate::rational;

/// What an amount buys at a price of one credit: rounded down to the credit's decimals, exactly.
pub fn bought(amount: Decimal, rate: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
    let credits = rational::rounded_down(&(rational::of(amount) / rational::of(rate)), decimals)?;
    let credits = amount::fit(credits, decimals)?;
    if credits.is_zero() { Err(AmountError::BuysNothing) } else { Ok(credits) }
}

/// The part of a purchase's credits that so much of what was paid stands for: rounded half away from zero, exactly, and
/// never more than all of them.
pub fn part(credits: Decimal, back: Decimal, paid: Decimal, decimals: u32) -> Decimal {
    if back >= paid {
        return credits;
    }
    let part = rational::of(credits) * rational::of(back) / rational::of(paid);
    rational::rounded(&part, decimals).unwrap_or(credits)
}

/// The credits of a purchase that are taken in all, where so much of what was paid is there of so much that was due: none
/// while that remains.
pub fn taken(credits: Decimal, due: Decimal, remaining: Decimal, decimals: u32) -> Decimal {
    if remaining >= due { Decimal::ZERO } else { part(credits, due - remaining, due, decimals) }
}

/// So many times an amount, exactly: below 2^96 times below 2^31.
pub fn times(unit: Decimal, quantity: i32) -> Result<Decimal, AmountError> {
    let mantissa = unit.mantissa() * i128::from(quantity);
    let total = Decimal::try_from_i128_with_scale(mantissa, unit.scale()).map_err(|_| AmountError::TooManyDigits)?;
    Ok(total.normalize())
}

/// An amount in a provider's minor units as one in major units.
pub fn from_minor(units: i128, decimals: u32) -> Result<Decimal, AmountError> {
    let amount = Decimal::try_from_i128_with_scale(units, decimals).map_err(|_| AmountError::TooManyDigits)?;
    Ok(amount.normalize())
}

/// An amount in major units as one in a provider's minor units; `None` where it is no whole number of them.
pub fn to_minor(amount: Decimal, decimals: u32) -> Option<Decimal> {
    let units = amount.checked_mul(Decimal::from(10u64.pow(decimals)))?.normalize();
    (units.scale() == 0).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::parse;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    #[test]
    fn credits_are_rounded_down() {
        assert_eq!(bought(d("25"), d("0.3"), 6), Ok(d("83.333333")));
        assert_eq!(bought(d("25"), d("1"), 2), Ok(d("25")));
        assert_eq!(bought(d("25"), d("0.0000001"), 0), Ok(d("250000000")));
        assert_eq!(bought(d("0.01"), d("3"), 0), Err(AmountError::BuysNothing));
        assert_eq!(bought(d("9999999999999999999999999999"), d("0.01"), 0), Err(AmountError::TooManyDigits));
    }

    #[test]
    fn a_refund_stands_for_a_part() {
        assert_eq!(part(d("1000"), d("5"), d("20"), 0), d("250"));
        assert_eq!(part(d("100"), d("1"), d("3"), 2), d("33.33"));
        assert_eq!(part(d("1"), d("1"), d("2"), 0), d("1"), "half away from zero");
        assert_eq!(part(d("100"), d("7"), d("3"), 2), d("100"));
        assert_eq!(
            part(d("9999999999999999999999"), d("9999999999999999999998.99"), d("9999999999999999999999"), 6)
                .to_string(),
            "9999999999999999999998.990000"
        );
    }

    #[test]
    fn credits_are_taken_for_what_is_missing() {
        assert_eq!(taken(d("100"), d("10"), d("11.90"), 6), d("0"));
        assert_eq!(taken(d("100"), d("10"), d("5.95"), 6), d("40.5"));
        assert_eq!(taken(d("100"), d("10"), d("0"), 6), d("100"));
        assert_eq!(taken(d("100"), d("0"), d("0"), 6), d("0"), "what cost nothing");
    }

    #[test]
    fn many_units() {
        assert_eq!(times(d("0.5"), 4), Ok(d("2")));
        assert_eq!(
            times(d("1234567890123456789012.345678"), 999),
            Err(AmountError::TooManyDigits),
            "nothing is rounded"
        );
        assert_eq!(times(d("9999999999999999999999999999"), i32::MAX), Err(AmountError::TooManyDigits));
    }

    #[test]
    fn minor_units() {
        assert_eq!(from_minor(2500, 2), Ok(d("25")));
        assert_eq!(from_minor(2500, 0), Ok(d("2500")));
        assert_eq!(from_minor(2500, 3), Ok(d("2.5")));
        assert_eq!(to_minor(d("25.5"), 2), Some(d("2550")));
        assert_eq!(to_minor(d("25.555"), 2), None);
    }

    proptest! {
        /// Refunds that add up to the payment take all, and a larger refund never takes less.
        #[test]
        fn parts_grow_with_the_refund(
            credits in 1i64..10_000_000, paid in 1i64..1_000_000, one in 0i64..1_000_000, more in 0i64..1_000, decimals in 0u32..7
        ) {
            let (credits, paid) = (Decimal::new(credits, decimals), Decimal::new(paid, 2));
            let (one, two) = (Decimal::new(one, 2), Decimal::new(one + more, 2));
            prop_assert!(part(credits, one, paid, decimals) <= part(credits, two, paid, decimals));
            prop_assert_eq!(part(credits, paid, paid, decimals), credits);
            prop_assert!(part(credits, one, paid, decimals) <= credits);
            // Within half a unit of the exact part.
            let back = one.min(paid);
            let exact = credits * back / paid;
            let off = (part(credits, back, paid, decimals) - exact).abs();
            prop_assert!(off <= Decimal::new(5, decimals + 1) + Decimal::new(1, 18));
        }
    }
}
