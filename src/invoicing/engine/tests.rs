use super::*;
use crate::rational::{self, Rational};
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    crate::amount::parse(text).unwrap()
}

fn line(amount: &str, tax: Option<(&str, bool)>) -> Line {
    let tax = tax.map(|(rate, inclusive)| Tax { rate: d(rate), inclusive });
    Line { amount: d(amount), discount: Decimal::ZERO, tax }
}

fn parts(totals: &Totals, of: impl Fn(&Part) -> Decimal) -> Vec<String> {
    totals.parts.iter().map(|part| of(part).to_string()).collect()
}

#[test]
fn tax_on_top() {
    let lines = [line("10", Some(("19", false))), line("5", Some(("19", false))), line("1", None)];
    let all = totals(&lines, Decimal::ZERO, 2).unwrap();
    assert_eq!((all.subtotal, all.tax, all.total, all.net), (d("16"), d("2.85"), d("18.85"), d("16")));
    assert_eq!(parts(&all, |part| part.tax), ["1.9", "0.95", "0"]);
}

#[test]
fn tax_in_the_amount() {
    let lines = [line("11.90", Some(("19", true))), line("5.95", Some(("19", true)))];
    let all = totals(&lines, Decimal::ZERO, 2).unwrap();
    assert_eq!((all.tax, all.total, all.net), (d("2.85"), d("17.85"), d("15")));
    assert_eq!(parts(&all, |part| part.net), ["10", "5"]);
}

#[test]
fn tax_is_rounded_once_on_the_sum() {
    // 0.105 each: together 0.315, which is 0.32, not 3 × 0.11.
    let lines = vec![line("1.05", Some(("10", false))); 3];
    let all = totals(&lines, Decimal::ZERO, 2).unwrap();
    assert_eq!(all.tax, d("0.32"));
    assert_eq!(parts(&all, |part| part.tax), ["0.11", "0.1", "0.11"]);
    // Half away from zero, below it too.
    assert_eq!(totals(&[line("0.05", Some(("10", false)))], Decimal::ZERO, 2).unwrap().tax, d("0.01"));
    assert_eq!(totals(&[line("-0.05", Some(("10", false)))], Decimal::ZERO, 2).unwrap().tax, d("-0.01"));
}

#[test]
fn each_rate_and_behaviour_apart() {
    let lines = [line("1.05", Some(("10", false))), line("1.05", Some(("10", true))), line("1.05", Some(("5", false)))];
    let all = totals(&lines, Decimal::ZERO, 2).unwrap();
    assert_eq!(parts(&all, |part| part.tax), ["0.11", "0.1", "0.05"]);
    assert_eq!((all.total, all.net), (d("3.31"), d("3.05")));
}

#[test]
fn an_amount_off_is_split() {
    let lines = vec![line("10", Some(("20", false))); 3];
    let all = totals(&lines, d("10"), 2).unwrap();
    assert_eq!(parts(&all, |part| part.discount), ["3.33", "3.34", "3.33"]);
    assert_eq!((all.discount, all.tax, all.total), (d("10"), d("4"), d("24")));
    let some = Line { discount: d("10"), ..line("10", None) };
    let all = totals(&[some, line("10", None), line("-5", None)], d("5"), 2).unwrap();
    assert_eq!(parts(&all, |part| part.discount), ["10", "5", "0"], "what is left of a line counts");
    assert_eq!(all.total, d("0"));
}

#[test]
fn no_more_is_taken_off_than_there_is() {
    assert_eq!(totals(&[line("10", None)], d("10.01"), 2), Err(Fault::Discount(d("10.01"), d("10"))));
    assert_eq!(totals(&[line("10", None), line("-4", None)], d("7"), 2), Err(Fault::Discount(d("7"), d("6"))));
    let some = Line { discount: d("11"), ..line("10", None) };
    assert_eq!(totals(&[some], Decimal::ZERO, 2), Err(Fault::Discount(d("11"), d("10"))));
    let back = Line { discount: d("1"), ..line("-10", None) };
    assert_eq!(totals(&[back], Decimal::ZERO, 2), Err(Fault::Discount(d("1"), d("0"))));
}

#[test]
fn what_is_given_back_takes_its_tax_along() {
    // A change of plan: all but a cent of it cancels out, and each line has its own tax all the same.
    let lines = [line("-10", Some(("19", true))), line("10.01", Some(("19", true)))];
    let all = totals(&lines, Decimal::ZERO, 2).unwrap();
    assert_eq!(parts(&all, |part| part.tax), ["-1.6", "1.6"]);
    assert_eq!((all.tax, all.total), (d("0"), d("0.01")));
    let all = totals(&[line("10", Some(("19", false))), line("-10", Some(("19", false)))], Decimal::ZERO, 2).unwrap();
    assert_eq!(parts(&all, |part| part.tax), ["1.9", "-1.9"]);
    assert_eq!(all.total, d("0"));
}

#[test]
fn what_cannot_be_counted() {
    let most = "99999999999999999999999999.99";
    let all = totals(&[line(most, None)], d(most), 2).unwrap();
    assert_eq!((all.subtotal, all.total), (d(most), d("0")));
    let too_much = Err(Fault::Amount(AmountError::TooManyDigits));
    assert_eq!(totals(&[line(most, None), line("0.01", None)], Decimal::ZERO, 2), too_much);
    assert_eq!(totals(&[line(most, Some(("19", false)))], Decimal::ZERO, 2), too_much);
    // Lines that come to little are fine, however much they are one by one.
    let all = totals(&[line(most, None), line(&format!("-{most}"), None)], Decimal::ZERO, 2).unwrap();
    assert_eq!(all.total, d("0"));
    assert_eq!(totals(&[line("0.001", None)], Decimal::ZERO, 2), Err(Fault::Amount(AmountError::TooManyDecimals(2))));
}

#[test]
fn nothing_at_all() {
    let all = totals(&[line("0", Some(("19", false))), line("0", Some(("19", true)))], Decimal::ZERO, 0).unwrap();
    assert_eq!((all.total, all.tax), (d("0"), d("0")));
}

const RATES: [&str; 5] = ["0", "7", "19", "8.875", "33.333333"];

fn lines(least: i64) -> impl Strategy<Value = Vec<Line>> {
    let one = (least..200_000i64, 0u8..4, 0usize..6, any::<bool>());
    prop::collection::vec(one, 1..9).prop_map(|lines| {
        let line = |(units, off, rate, inclusive): (i64, u8, usize, bool)| Line {
            amount: Decimal::new(units, 2),
            discount: Decimal::new(if off == 0 { units.max(0) / 3 } else { 0 }, 2),
            tax: RATES.get(rate).map(|rate| Tax { rate: d(rate), inclusive }),
        };
        lines.into_iter().map(line).collect()
    })
}

fn sum(amounts: impl Iterator<Item = Decimal>) -> Decimal {
    amounts.sum()
}

proptest! {
    /// The parts add up to the totals, and no part is negative where nothing is.
    #[test]
    fn parts_add_up(lines in lines(0), off in 0i64..100) {
        let left = sum(lines.iter().map(|line| line.amount - line.discount));
        let discount = (left * Decimal::new(off, 2)).round_dp(2).min(left);
        let all = totals(&lines, discount, 2).unwrap();
        prop_assert_eq!(sum(all.parts.iter().map(|part| part.tax)), all.tax);
        prop_assert_eq!(sum(all.parts.iter().map(|part| part.discount)), all.discount);
        prop_assert_eq!(sum(all.parts.iter().map(|part| part.net)), all.net);
        prop_assert_eq!(all.discount, discount + sum(lines.iter().map(|line| line.discount)));
        let on_top = lines.iter().zip(&all.parts).filter(|(line, _)| line.tax.is_some_and(|tax| !tax.inclusive));
        prop_assert_eq!(all.total, all.subtotal - all.discount + sum(on_top.map(|(_, part)| part.tax)));
        for (line, part) in lines.iter().zip(&all.parts) {
            prop_assert!(part.discount >= Decimal::ZERO && part.discount <= line.amount);
            prop_assert!(part.tax >= Decimal::ZERO && part.net >= Decimal::ZERO);
        }
    }

    /// The tax of each rate is within half a unit of the exact one, whatever signs its lines have.
    #[test]
    fn tax_is_exact_but_for_one_rounding(lines in lines(-200_000)) {
        let all = totals(&lines, Decimal::ZERO, 2).unwrap();
        for tax in lines.iter().filter_map(|line| line.tax) {
            let of = || lines.iter().zip(&all.parts).filter(|(line, _)| line.tax == Some(tax));
            let base = sum(of().map(|(line, part)| line.amount - part.discount));
            let found = sum(of().map(|(_, part)| part.tax));
            let hundred = rational::of(Decimal::ONE_HUNDRED);
            let under = if tax.inclusive { &hundred + rational::of(tax.rate) } else { hundred };
            let off = rational::of(base) * rational::of(tax.rate) / under - rational::of(found);
            prop_assert!(off.clone() <= Rational::new(1.into(), 200.into()) && -off <= Rational::new(1.into(), 200.into()));
        }
    }
}
