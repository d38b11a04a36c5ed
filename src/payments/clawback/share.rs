//! Which part of each line of an invoice was paid back, and so of its credits. Pure.
//!
//! What a refund names is of that line. Of the rest what was overpaid, tax and shipping go back first, then what remains of the
//! lines, in proportion. So of 11.90 that was paid for 10.00 the first 1.90 take nothing, and 5.95 take 40.5 of 100 credits.

use crate::amount::Decimal;
use crate::rational::{self, Rational};
use num_traits::{One, Signed, Zero};

/// A line, in major units.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What it comes to without tax; below zero it lowers what the others cost.
    pub net: Decimal,
    /// The same with its tax.
    pub gross: Decimal,
    /// What was paid back of it by refunds that name it, tax included.
    pub refunded: Decimal,
}

impl Part {
    /// The share of it that no refund names.
    fn unnamed(&self) -> Rational {
        if self.gross <= Decimal::ZERO {
            return Rational::one();
        }
        let share = Rational::one() - rational::of(self.refunded) / rational::of(self.gross);
        if share.is_negative() { Rational::zero() } else { share }
    }
}

/// The share of each line that is gone, from 0 to 1, where of all that was paid for them so much is there.
pub fn gone(lines: &[Part], kept: Decimal) -> Vec<Rational> {
    let sum = |of: fn(&Part) -> Decimal| -> Rational {
        lines.iter().map(|line| rational::of(of(line)) * line.unnamed()).sum()
    };
    // With lines below zero the tax may be so too, and then none can go back first.
    let due = sum(|line| line.net).min(sum(|line| line.gross));
    let missing = &due - rational::of(kept.max(Decimal::ZERO));
    let rest = if missing.is_positive() { Rational::one() - missing / due } else { Rational::one() };
    lines.iter().map(|line| Rational::one() - line.unnamed() * &rest).collect()
}

/// So much of so many credits, rounded to their decimals: all of them where all is gone.
pub fn of(credits: Decimal, gone: &Rational, decimals: u32) -> Decimal {
    if gone.is_one() {
        return credits;
    }
    rational::rounded(&(rational::of(credits) * gone), decimals).unwrap_or(credits).min(credits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::parse;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    fn taken(lines: &[(&str, &str, &str)], kept: &str) -> Vec<String> {
        let parts: Vec<Part> = lines
            .iter()
            .map(|(net, gross, refunded)| Part { net: d(net), gross: d(gross), refunded: d(refunded) })
            .collect();
        gone(&parts, d(kept)).iter().map(|gone| of(d("100"), gone, 6).normalize().to_string()).collect()
    }

    #[test]
    fn what_was_overpaid_tax_and_shipping_go_back_first() {
        let pack = [("10", "11.90", "0")];
        assert_eq!(taken(&pack, "11.90"), ["0"]);
        assert_eq!(taken(&pack, "10"), ["0"]);
        assert_eq!(taken(&pack, "5.95"), ["40.5"]);
        assert_eq!(taken(&pack, "0"), ["100"]);
    }

    #[test]
    fn a_refund_stands_for_a_part() {
        let part = |credits, back, paid, decimals| part(d(credits), d(back), d(paid), decimals).to_string();
        assert_eq!(part("1000", "5", "20", 0), "250");
        assert_eq!(part("100", "1", "3", 2), "33.33");
        assert_eq!(part("1", "1", "2", 0), "1", "half away from zero");
        assert_eq!(part("100", "7", "3", 2), "100");
        let most = "9999999999999999999999";
        assert_eq!(part(most, "9999999999999999999998.99", most, 6), "9999999999999999999998.990000");
    }

    /// Of one line without tax, that so much went back of what was paid.
    fn part(credits: Decimal, back: Decimal, paid: Decimal, decimals: u32) -> Decimal {
        let line = Part { net: paid, gross: paid, refunded: Decimal::ZERO };
        of(credits, &gone(&[line], paid - back)[0], decimals)
    }

    #[test]
    fn then_lines_in_proportion() {
        let mixed = [("10", "11.90", "0"), ("30", "35.70", "0")];
        assert_eq!(taken(&mixed, "40"), ["0", "0"]);
        assert_eq!(taken(&mixed, "20"), ["50", "50"]);
    }

    #[test]
    fn what_a_refund_names_is_of_that_line() {
        let mixed = [("10", "11.90", "5.95"), ("10", "11.90", "0")];
        assert_eq!(taken(&mixed, "17.85"), ["50", "0"]);
        assert_eq!(taken(&mixed, "15"), ["50", "0"], "the tax of what is left goes back first");
        assert_eq!(taken(&mixed, "7.5"), ["75", "50"]);
        assert_eq!(taken(&mixed, "0"), ["100", "100"]);
    }

    #[test]
    fn what_costs_nothing_goes_with_nothing() {
        assert_eq!(taken(&[("0", "0", "0")], "0"), ["0"]);
        assert_eq!(taken(&[("0", "0", "0"), ("10", "10", "0")], "0"), ["100", "100"], "a gift with a purchase");
    }

    #[test]
    fn a_line_below_zero_lowers_what_the_others_cost() {
        let lowered = [("-5", "-5", "0"), ("10", "10", "0")];
        assert_eq!(taken(&lowered, "5"), ["0", "0"], "that is all that was paid");
        assert_eq!(taken(&lowered, "2.5"), ["50", "50"]);
        assert_eq!(taken(&lowered, "0"), ["100", "100"]);
        let named = [("-5", "-5", "0"), ("10", "10", "4")];
        assert_eq!(taken(&named, "1"), ["0", "40"], "what a refund names is of that line alone");
        let tax_below_zero = [("-8", "-10", "0"), ("20", "20", "0")];
        assert_eq!(taken(&tax_below_zero, "10"), ["0", "0"]);
        assert_eq!(taken(&tax_below_zero, "5"), ["50", "50"]);
    }

    proptest! {
        #[test]
        fn more_that_goes_back_takes_more(
            lines in proptest::collection::vec((0i64..10_000, 0i64..2_000, 0i64..100), 1..6),
            back in 0i64..60_000, more in 0i64..60_000
        ) {
            let parts: Vec<Part> = lines.iter().map(|(net, tax, named)| {
                let (net, tax) = (Decimal::new(*net, 2), Decimal::new(*tax, 2));
                let gross = net + tax;
                Part { net, gross, refunded: (gross * Decimal::new(*named, 2)).round_dp(2) }
            }).collect();
            let paid: Decimal = parts.iter().map(|part| part.gross - part.refunded).sum();
            let after = |back: i64| gone(&parts, (paid - Decimal::new(back, 2)).max(Decimal::ZERO));
            for (one, other) in after(back).iter().zip(after(back + more)) {
                prop_assert!(!one.is_negative() && *one <= other && other <= Rational::one());
            }
            if parts.iter().any(|part| part.net > Decimal::ZERO && part.refunded < part.gross) {
                prop_assert!(gone(&parts, Decimal::ZERO).iter().all(Rational::is_one));
            }
        }

        #[test]
        fn parts_grow_with_the_refund(
            credits in 1i64..10_000_000, paid in 1i64..1_000_000, one in 0i64..1_000_000, more in 0i64..1_000,
            decimals in 0u32..7
        ) {
            let (credits, paid) = (Decimal::new(credits, decimals), Decimal::new(paid, 2));
            let (one, two) = (Decimal::new(one, 2), Decimal::new(one + more, 2));
            prop_assert!(part(credits, one, paid, decimals) <= part(credits, two, paid, decimals));
            prop_assert_eq!(part(credits, paid, paid, decimals), credits);
            let back = one.min(paid);
            let exact = credits * back / paid;
            let off = (part(credits, back, paid, decimals) - exact).abs();
            prop_assert!(off <= Decimal::new(5, decimals + 1) + Decimal::new(1, 18));
        }
    }
}
