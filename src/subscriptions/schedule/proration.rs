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

/// What is unused from a moment on of a line, which costs so much for its time. Where that is what is left of a whole period at
/// a price, so is what is unused: it costs to the cent what the rest of the period would at that price, and a change and back
/// is nothing.
pub fn left(
    (amount, time): (Decimal, Period),
    (price, whole): (Decimal, Period),
    from: Time,
    decimals: u32,
) -> Result<Decimal, AmountError> {
    let is_rest = time.end == whole.end && part(price, whole, time.start, decimals)? == amount;
    if is_rest { part(price, whole, from, decimals) } else { part(amount, time, from, decimals) }
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

        /// Each change gives back what is unused of the line before it, and charges what is left of the period at the new
        /// price. So to change and to change back at one moment is nothing, however often it changed before; and what is
        /// charged in all is what each price costs in its time.
        #[test]
        fn changes_cost_what_their_times_do(
            first in 0i64..10_000_000, begin in 0i64..500_000, decimals in 0u32..4,
            changes in proptest::collection::vec((500_000i64..2_000_000, 0i64..10_000_000), 0..8)
        ) {
            let whole = Period { start: Time(1_000), end: Time(2_001_000) };
            let of = |units, at| part(Decimal::new(units, decimals), whole, at, decimals).unwrap();
            let from = |at| Period { start: at, end: whole.end };
            let mut changes = changes;
            changes.sort();
            // A stub, or all of it.
            let mut at = Time(1_000 + begin);
            let (mut price, mut charged, mut used) = (first, of(first, at), Decimal::ZERO);
            for (moment, new) in changes {
                let now = Time(1_000 + moment);
                let line = |units, start| (of(units, start), from(start));
                let at_price = |units| (Decimal::new(units, decimals), whole);
                let left = |units, start| super::left(line(units, start), at_price(units), now, decimals);
                let back = left(price, at).unwrap();
                let there_and_back = of(new, now) - back + of(price, now) - left(new, now).unwrap();
                prop_assert_eq!(there_and_back, Decimal::ZERO);
                used += of(price, at) - of(price, now);
                charged += of(new, now) - back;
                (at, price) = (now, new);
            }
            prop_assert_eq!(charged, used + of(price, at));
        }

        /// Of any other line it is the part that its time is.
        #[test]
        fn what_is_unused_of_any_line(
            amount in 0i64..1_000_000, price in 0i64..1_000_000, start in 0i64..900, at in 900i64..1_000
        ) {
            let whole = Period { start: Time(0), end: Time(1_000) };
            let (amount, price) = (Decimal::new(amount, 2), Decimal::new(price, 2));
            let time = Period { start: Time(start), end: whole.end };
            let left = left((amount, time), (price, whole), Time(at), 2).unwrap();
            prop_assert!(left >= Decimal::ZERO && left <= amount);
            let off = (left - part(amount, time, Time(at), 2).unwrap()).abs();
            prop_assert!(off <= Decimal::new(1, 2), "a cent at most");
        }
    }
}
