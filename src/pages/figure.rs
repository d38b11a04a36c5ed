//! Numbers as people read them: thousands apart, the decimals of their currency, points below each other.

use crate::amount::Decimal;

/// The most decimals for which a column keeps a place.
const MOST: u32 = 12;

/// A number with at least so many decimals, and as many more as it has.
pub fn number(value: Decimal, decimals: u32) -> String {
    let value = value.normalize();
    let shown = decimals.max(value.scale());
    let zeros = "0".repeat((shown - value.scale()) as usize);
    let digits = format!("{}{zeros}", value.mantissa().unsigned_abs());
    let digits = format!("{digits:0>width$}", width = shown as usize + 1);
    let (whole, part) = digits.split_at(digits.len() - shown as usize);
    let mut text = String::new();
    if value < Decimal::ZERO {
        text.push('\u{2212}');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if !part.is_empty() {
        text.push('.');
        text.push_str(part);
    }
    text
}

/// How many decimals it needs.
pub fn scale(value: Decimal) -> u32 {
    value.normalize().scale()
}

/// A number in a column whose numbers have different decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// As people read it.
    pub text: String,
    /// Classes of the style that keep the place of the decimals that it lacks.
    pub place: String,
}

/// The numbers of a column, each with at least so many decimals.
pub fn column(values: &[Option<Decimal>], decimals: u32) -> Vec<Option<Figure>> {
    let shown = |value: Decimal| decimals.max(scale(value));
    let most = values.iter().flatten().map(|value| shown(*value)).max().unwrap_or_default();
    let figure = |value: Decimal| {
        let lacking = most - shown(value);
        let place = match (lacking, shown(value)) {
            (0, _) => String::new(),
            (_, 0) => format!("p{} bare", lacking.min(MOST)),
            _ => format!("p{}", lacking.min(MOST)),
        };
        Figure { text: number(value, decimals), place }
    };
    values.iter().map(|value| value.map(figure)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn thousands_are_apart_and_decimals_those_of_the_currency() {
        for (value, decimals, text) in [
            ("0", 2, "0.00"),
            ("1234.5", 2, "1,234.50"),
            ("-0.05", 2, "\u{2212}0.05"),
            ("-1234567", 0, "\u{2212}1,234,567"),
            ("999", 0, "999"),
            ("1000", 3, "1,000.000"),
            ("0.000000000001", 2, "0.000000000001"),
            ("9999999999999999999999999999", 0, "9,999,999,999,999,999,999,999,999,999"),
        ] {
            assert_eq!(number(of(value), decimals), text);
        }
    }

    #[test]
    fn a_column_keeps_the_place_of_missing_decimals() {
        let places = |values: &[&str], decimals| {
            let values: Vec<_> = values.iter().map(|value| Some(of(value))).collect();
            column(&values, decimals).into_iter().flatten().map(|figure| figure.place).collect::<Vec<_>>()
        };
        assert_eq!(places(&["1", "2.5", "3.25"], 0), ["p2 bare", "p1", ""]);
        assert_eq!(places(&["1", "2.50"], 2), ["", ""]);
        assert_eq!(places(&["95", "0.000000000001"], 2), ["p10", ""]);
        assert_eq!(column(&[None], 2), [None]);
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(mantissa in any::<i64>(), scale in 0u32..20, decimals in 0u32..20) {
            let value = Decimal::from_i128_with_scale(mantissa.into(), scale);
            let text = number(value, decimals).replace(',', "").replace('\u{2212}', "-");
            prop_assert!(text.split('.').nth(1).map_or(0, str::len) >= decimals as usize);
            prop_assert_eq!(crate::amount::exact(&text).unwrap(), value);
        }
    }
}
