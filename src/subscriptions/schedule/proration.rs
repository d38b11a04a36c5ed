//! Parts of a period, by the microsecond. Pure.

use crate::amount::split::{amount, rounded, units};
use crate::amount::{AmountError, Decimal};
use crate::moment::Time;
use crate::subscriptions::schedule::cycle::Period;
use num_bigint::BigInt;

/// What the rest of a period costs from a moment on, where all of it costs so much, in a currency with so many decimals. It
/// is the whole less what the time before costs, rounded once: so the parts of a period add up to the whole, wherever it is
/// divided.
pub fn part(whole: Decimal, period: Period, from: Time, decimals: u32) -> Result<Decimal, AmountError> {
    let whole = units(whole, decimals)?;
    let passed = from.0.clamp(period.start.0, period.end.0) - period.start.0;
    let before = rounded(BigInt::from(whole) * passed, BigInt::from(period.length()))?;
    amount(whole - before, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::schedule::cycle::tests::day;
    use proptest::prelude::*;

    fn money(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn by_hand() {
        let april = Period { start: day(2026, 4, 1), end: day(2026, 5, 1) };
        let part = |whole, from| part(money(whole), april, from, 2).unwrap().to_string();
        assert_eq!(part("30.00", day(2026, 4, 11)), "20");
        assert_eq!(part("0.01", day(2026, 4, 16)), "0");
        assert_eq!(part("10.00", day(2026, 4, 2)), "9.67");
        assert_eq!(part("10.00", april.start), "10");
        assert_eq!(part("10.00", april.end), "0");
        assert_eq!(part("-10.00", day(2026, 4, 2)), "-9.67");
    }

    proptest! {
        #[test]
        fn parts_add_up_and_none_is_negative(
            whole in 0i64..10_000_000, mut cuts in proptest::collection::vec(0i64..1_000_000, 0..8)
        ) {
            let period = Period { start: Time(1_000), end: Time(1_001_000) };
            let whole = Decimal::new(whole, 2);
            cuts.sort();
            let mut left = whole;
            let mut sum = Decimal::ZERO;
            for cut in cuts {
                let rest = part(whole, period, Time(1_000 + cut), 2).unwrap();
                prop_assert!(rest <= left && rest >= Decimal::ZERO);
                sum += left - rest;
                left = rest;
            }
            prop_assert_eq!(sum + left, whole);
        }
    }
}
