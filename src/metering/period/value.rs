//! Values of metadata that count once in a period: what a value is called, so that what is the same has one name, and
//! which of the period's standings it counts in. Pure: no SPI, no pgrx type. unique.rs stores it.
//!
//! The rule: a value counts once, in the standing of the price of the event that brought it, and until the last of its
//! events is taken back. Every event of it belongs to that standing; the first costs what the value changes, the others
//! nothing.

use crate::json;
use crate::ledger::engine::line::Period;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

/// The longest name that is kept as it is, in bytes: it is part of a key.
const LONGEST: usize = 255;
/// What the name of a longer one begins with, and no other name does.
const DIGEST: &str = "sha256:";

/// What a key's value is called in metadata (JSON); `None` where it is missing, null, an array or an object. As for prices
/// by metadata, a text is called what it is, a number by what it is (1.0 is 1), true and false by their names. The view
/// event_values in sql/metering/event.sql names them likewise.
pub fn name(metadata: Option<String>, key: &str) -> Option<String> {
    let Value::Object(mut metadata) = json::read(&metadata?)? else { return None };
    let name = match metadata.remove(key)? {
        Value::String(text) => text,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => shortened(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(if name.len() > LONGEST || name.starts_with(DIGEST) { digest(&name) } else { name })
}

/// A number, as PostgreSQL writes it, without zeros at its end.
fn shortened(number: String) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_string() } else { number }
}

fn digest(name: &str) -> String {
    Sha256::digest(name).iter().fold(String::from(DIGEST), |mut digest, byte| {
        // Writing to a String does not fail.
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}

/// The day, week, month, year or always that a period's key begins with.
pub fn period_of(period: &Period) -> &str {
    period.key.split(' ').next().unwrap_or_default()
}

/// Which value: customer, meter, period, name.
pub type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

/// A value that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The standing that it counts in.
    pub period: Rc<Period>,
    /// How many events have it, those taken back not counted.
    pub events: i64,
    /// The price of that standing, where its row says it: its version, and which of its prices.
    pub price: Option<(i32, String)>,
    /// Whether it differs from its row.
    pub changed: bool,
}

/// Values, as far as events need them.
#[derive(Debug, Default)]
pub struct Values<'a>(HashMap<Key<'a>, Known>);

impl<'a> Values<'a> {
    /// A value that counts already.
    pub fn find<'k>(&'k self, key: Option<Key<'k>>) -> Option<&'k Known> {
        self.0.get(&key?)
    }

    /// Takes one from its row.
    pub fn take(&mut self, key: Key<'a>, known: Known) {
        self.0.insert(key, known);
    }

    /// One more event of a value: if none has it yet, it counts in that standing from now on.
    pub fn add(&mut self, key: Key<'a>, period: &Rc<Period>) {
        let first = || Known { period: period.clone(), events: 0, price: None, changed: true };
        let known = self.0.entry(key).or_insert_with(first);
        known.events += 1;
        known.changed = true;
    }

    /// Drops those of some customers.
    pub fn leave(&mut self, left: impl Fn(&str) -> bool) {
        self.0.retain(|(customer_id, ..), _| !left(customer_id));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Key<'a>, &Known)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Decimal;
    use crate::metering::period::aggregate::{Report, Standing};
    use crate::metering::pricing::{Aggregation, Pricing};
    use crate::moment::Time;
    use proptest::prelude::*;

    fn named(value: &str) -> Option<String> {
        name(Some(format!(r#"{{"other": 1, "user": {value}}}"#)), "user")
    }

    #[test]
    fn a_value_is_called_what_it_is() {
        for (value, called) in [
            (r#""ann""#, "ann"),
            (r#""7""#, "7"),
            (r#""7.0""#, "7.0"),
            ("7", "7"),
            ("7.0", "7"),
            ("7.50", "7.5"),
            ("-0.500", "-0.5"),
            ("700", "700"),
            ("0.00", "0"),
            ("true", "true"),
            (r#""""#, ""),
            ("123456789012345678901234567890123456.70", "123456789012345678901234567890123456.7"),
        ] {
            assert_eq!(named(value).as_deref(), Some(called), "{value}");
        }
        for value in ["null", "[1]", "{}", r#"{"a": 1}"#] {
            assert_eq!(named(value), None, "{value}");
        }
        assert_eq!(name(Some(String::from(r#"{"users": 1}"#)), "user"), None);
        assert_eq!(name(Some(String::from("[1]")), "user"), None);
        assert_eq!(name(None, "user"), None);
    }

    #[test]
    fn a_long_value_is_called_by_its_digest() {
        let quoted = |text: &str| named(&format!("\"{text}\"")).unwrap();
        assert_eq!(quoted(&"x".repeat(255)), "x".repeat(255));
        let long = quoted(&"x".repeat(256));
        assert_eq!((long.len(), long.starts_with(DIGEST)), (71, true));
        assert_ne!(long, quoted(&"x".repeat(257)));
        // Two bytes a letter.
        assert!(quoted(&"é".repeat(128)).starts_with(DIGEST));
        // So nobody can send the digest of another value.
        assert_ne!(quoted(&long), long);
        assert_eq!(quoted("sha256:").len(), 71);
    }

    const PRICES: [&str; 3] = [
        r#"{"unit_price": 3}"#,
        r#"{"unit_price": 2, "per": 3, "round": "up"}"#,
        r#"{"mode": "volume", "tiers": [{"up_to": 2, "unit_price": 5}, {"unit_price": 1}]}"#,
    ];

    /// An event: its value, its price, and whether it is still there.
    type Event = (u8, usize, bool);

    /// Which price each value counts at: that of the event that came when none of the value was there. Worked out from
    /// all that happened, in order: an event came (its index), or was taken back.
    fn counted(happened: &[(usize, bool)], events: &[Event]) -> HashMap<u8, usize> {
        let mut there: HashMap<u8, (usize, usize)> = HashMap::new();
        for (index, came) in happened {
            let (value, price, _) = events[*index];
            if *came {
                there.entry(value).or_insert((price, 0)).1 += 1;
            } else {
                let left = there[&value].1 - 1;
                there.get_mut(&value).unwrap().1 = left;
                there.retain(|_, (_, events)| *events > 0);
            }
        }
        there.into_iter().map(|(value, (price, _))| (value, price)).collect()
    }

    proptest! {
        /// Numbers have one name where they are one number, and only there.
        #[test]
        fn numbers_are_one_where_they_are_equal(one in -2000i64..2000, other in -2000i64..2000, zeros in 0usize..4) {
            let written = |n: i64, scale: u32| Decimal::new(n, scale).to_string();
            let longer = |text: String| if text.contains('.') { text + &"0".repeat(zeros) } else { text };
            let (a, b) = (Decimal::new(one, 2), Decimal::new(other, 1));
            prop_assert_eq!(named(&longer(written(one, 2))) == named(&written(other, 1)), a == b);
        }

        /// Events of few values at three prices, some taken back: each standing has the values that count there, once,
        /// and costs the price of how many there are.
        #[test]
        fn each_value_counts_once(
            reports in proptest::collection::vec((0u8..5, 0usize..3, proptest::option::of(0usize..10)), 1..40)
        ) {
            let pricings: Vec<Pricing> = PRICES.iter().map(|text| Pricing::parse(text).unwrap()).collect();
            let report = |price: usize| Report {
                value: Decimal::from(9), occurred_at: Time(0), price_version: price as i32 + 1, price_class: "",
                price: pricings[price].price("").unwrap(), decimals: 6,
            };
            let periods: Vec<Rc<Period>> = (1..=3)
                .map(|v| Rc::new(Period { event_name: String::from("users"), key: format!("2026-03 v{v}") }))
                .collect();
            let place = |period: &Rc<Period>| periods.iter().position(|other| other == period).unwrap();
            let names = ["a", "b", "c", "d", "e"];
            let key = |value: u8| ("ann", "users", period_of(&periods[0]), names[usize::from(value)]);
            let mut values = Values::default();
            let mut standings = vec![Standing::default(); 3];
            let (mut events, mut happened): (Vec<Event>, Vec<(usize, bool)>) = (Vec::new(), Vec::new());
            for (value, price, back) in reports {
                let known = values.find(Some(key(value))).map(|known| known.period.clone());
                let counting = known.as_ref().map_or(price, place);
                let next = match known {
                    Some(_) => standings[counting].with_known(),
                    None => standings[counting].with(Aggregation::Unique, &report(counting)).unwrap(),
                };
                values.add(key(value), &periods[counting]);
                standings[counting] = next;
                events.push((value, price, true));
                happened.push((events.len() - 1, true));
                if let Some(index) = back.filter(|index| *index < events.len() && events[*index].2) {
                    events[index].2 = false;
                    happened.push((index, false));
                    let key = key(events[index].0);
                    let known = values.0.get_mut(&key).unwrap();
                    known.events -= 1;
                    let (left, counting) = (known.events, place(&known.period));
                    standings[counting] = if left > 0 {
                        standings[counting].without_known()
                    } else {
                        values.0.remove(&key);
                        standings[counting].without(Aggregation::Unique, &report(counting)).unwrap()
                    };
                }
                let naive = counted(&happened, &events);
                for (price, standing) in standings.iter().enumerate() {
                    let here = naive.values().filter(|at| **at == price).count();
                    let of_values = |(value, _, there): &&Event| *there && naive.get(value) == Some(&price);
                    prop_assert_eq!(standing.quantity, Decimal::from(here));
                    prop_assert_eq!(standing.event_count, events.iter().filter(of_values).count() as i64);
                    prop_assert_eq!(standing.credits, report(price).price.cost(Decimal::from(here), 6).unwrap());
                }
            }
        }
    }
}
