//! Prices compared with the same ones computed in whole numbers, unit by unit; and everything that is not a valid
//! price.

use super::*;
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    amount::parse(text).unwrap()
}

fn cost(pricing: &str, quantity: &str, decimals: u32) -> String {
    Pricing::parse(pricing).unwrap().price("").unwrap().cost(d(quantity), decimals).unwrap().to_string()
}

fn refused(pricing: &str) -> String {
    Pricing::parse(pricing).unwrap_err().to_string()
}

#[test]
fn a_unit_price() {
    assert_eq!(Pricing::flat(d("0.0015")).price("").unwrap().cost(d("374"), 6), Ok(d("0.561")));
    assert_eq!(Pricing::parse(r#"{"unit_price": 0.0015}"#), Ok(Pricing::flat(d("0.0015"))));
    assert_eq!(Pricing::parse(r#"{"unit_price": "0.0015"}"#), Ok(Pricing::flat(d("0.0015"))));
    // More digits than a floating-point number has.
    let fine = Pricing::parse(r#"{"unit_price": 0.1234567890123456789}"#);
    assert_eq!(fine, Ok(Pricing::flat(d("0.1234567890123456789"))));
}

#[test]
fn blocks() {
    assert_eq!(cost(r#"{"unit_price": 2, "per": 1000}"#, "1500", 6), "3");
    assert_eq!(cost(r#"{"unit_price": 1, "per": 3}"#, "1", 6), "0.333333");
    assert_eq!(cost(r#"{"unit_price": 1, "per": 3}"#, "2", 6), "0.666667");
    assert_eq!(cost(r#"{"unit_price": 2, "per": 1000, "round": "up"}"#, "1500", 6), "4");
    assert_eq!(cost(r#"{"unit_price": 2, "per": 1000, "round": "up"}"#, "2000", 6), "4");
    assert_eq!(cost(r#"{"unit_price": 2, "per": 1000, "round": "up"}"#, "0", 6), "0");
    assert_eq!(cost(r#"{"unit_price": 2, "per": 1000, "round": "down"}"#, "1999.9", 6), "2");
    assert_eq!(cost(r#"{"unit_price": 2, "per": 0.5, "round": "down"}"#, "1.2", 6), "4");
}

const TIERS: &str = r#""tiers": [{"up_to": 100, "unit_price": 0.5, "flat_fee": 3}, {"up_to": 200, "flat_fee": 10},
                                 {"unit_price": 0.1}]"#;

#[test]
fn tiers() {
    let graduated = |quantity| cost(&format!(r#"{{"mode": "graduated", {TIERS}}}"#), quantity, 6);
    assert_eq!(graduated("0"), "0");
    assert_eq!(graduated("0.5"), "3.25");
    assert_eq!(graduated("100"), "53");
    assert_eq!(graduated("100.000001"), "63");
    assert_eq!(graduated("200"), "63");
    assert_eq!(graduated("300"), "73");
    let volume = |quantity| cost(&format!(r#"{{"mode": "volume", {TIERS}}}"#), quantity, 6);
    assert_eq!(volume("0"), "0");
    assert_eq!(volume("100"), "53");
    assert_eq!(volume("101"), "10");
    assert_eq!(volume("200"), "10");
    assert_eq!(volume("201"), "20.1");
    // Rounded to whole blocks first, then into the tiers.
    let blocks =
        |quantity| cost(&format!(r#"{{"mode": "graduated", "per": 10, "round": "up", {TIERS}}}"#), quantity, 6);
    assert_eq!(blocks("91"), "8");
    assert_eq!(blocks("201"), "18.1");
}

#[test]
fn classes() {
    let pricing = Pricing::parse(
        r#"{"by": "model", "prices": {"large": {"unit_price": 10}, "batch": {"mode": "volume", "tiers": [{"unit_price": 1}]}},
            "default": {"unit_price": 1}}"#,
    )
    .unwrap();
    let class = |metadata: &str| pricing.find(|| Some(metadata.to_string())).unwrap().0.to_string();
    assert_eq!(class(r#"{"a": 1, "model": "large"}"#), "large");
    // Whatever else an event carries, its model decides its price.
    let deep = format!(r#"{{"a": {}{}, "model": "large"}}"#, "[".repeat(500), "]".repeat(500));
    assert_eq!(class(&deep), "large");
    assert_eq!(class(r#"{"$serde_json::private::Number": 1, "model": "large"}"#), "large");
    for metadata in [r#"{"model": "other"}"#, r#"{"model": ["large"]}"#, r#"{"Model": "large"}"#, r#"["model"]"#, "nul"]
    {
        assert_eq!(class(metadata), "", "{metadata}");
    }
    assert_eq!(pricing.find(|| None).unwrap().0, "");
    let numbers = r#"{"by": "size", "prices": {"1.0": {"unit_price": 2}, "true": {"unit_price": 3}},
        "default": {"unit_price": 1}}"#;
    let numbers = Pricing::parse(numbers).unwrap();
    let class = |metadata: &str| numbers.find(|| Some(metadata.to_string())).unwrap().0.to_string();
    for one in ["1.0", "1", "1.000"] {
        assert_eq!(class(&format!(r#"{{"size": {one}}}"#)), "1.0", "{one}");
    }
    assert_eq!(class(r#"{"size": true}"#), "true");
    // A text is no number, and a price of before 0.3.0 goes by how a number is written.
    assert_eq!(class(r#"{"size": "1"}"#), "");
    let before =
        r#"{"by": "n", "prices": {"1.0": {"unit_price": 2}, "1": {"unit_price": 3}}, "default": {"unit_price": 1}}"#;
    let before = Pricing::read(before, false).unwrap();
    let class = |metadata: &str| before.find(|| Some(metadata.to_string())).unwrap().0.to_string();
    assert_eq!([class(r#"{"n": 1.0}"#), class(r#"{"n": 1}"#), class(r#"{"n": 1.00}"#)], ["1.0", "1", ""]);
    assert_eq!(pricing.price("large").unwrap().cost(d("2"), 0), Ok(d("20")));
    assert_eq!(pricing.price("").unwrap().cost(d("2"), 0), Ok(d("2")));
    assert!(
        !pricing.is_flat() && pricing.price("large").unwrap().is_flat() && !pricing.price("batch").unwrap().is_flat()
    );
}

#[test]
fn classes_of_several_keys() {
    let pricing = Pricing::parse(
        r#"{"by": ["model", "region", "size"], "unpriced": "reject", "prices": {
            "large": {"eu": {"1": {"unit_price": 5}, "2": {"unit_price": 9}}, "us": {"unit_price": 4}},
            "unit_price": {"eu": {"unit_price": 3}}, "small": {"unit_price": 1}}}"#,
    )
    .unwrap();
    let class = |metadata: &str| pricing.find(|| Some(metadata.to_string())).map(|(name, _)| name.to_string());
    for (metadata, name) in [
        (r#"{"model": "large", "region": "eu", "size": 1.0}"#, Some("large/eu/1")),
        (r#"{"size": 2, "region": "eu", "model": "large", "other": 7}"#, Some("large/eu/2")),
        (r#"{"model": "large", "region": "us"}"#, Some("large/us")),
        (r#"{"model": "small", "region": "anywhere"}"#, Some("small")),
        (r#"{"model": "unit_price", "region": "eu"}"#, Some("unit_price/eu")),
        (r#"{"model": "large", "region": "eu"}"#, None),
        (r#"{"model": "large", "region": "eu", "size": 3}"#, None),
        (r#"{"model": "large/us"}"#, None),
        ("{}", None),
    ] {
        assert_eq!(class(metadata).as_deref(), name, "{metadata}");
    }
    assert_eq!(pricing.price("large/us").unwrap().cost(d("2"), 0), Ok(d("8")));
    assert!(pricing.price("").is_none());
}

#[test]
fn what_cannot_be_a_pricing() {
    for (pricing, says) in [
        ("[]", "must be a JSON object"),
        ("{}", "must have either unit_price or tiers"),
        (r#"{"unit_price": 1, "tiers": []}"#, "must have either unit_price or tiers"),
        (r#"{"unit_price": -1}"#, "is wrong at unit_price: it must not be negative"),
        (r#"{"unit_price": null}"#, "is wrong at unit_price: it must be a number"),
        (r#"{"unit_price": "1e3"}"#, "is wrong at unit_price: it must be a finite number"),
        (r#"{"unit_price": 1, "per": 0}"#, "is wrong at per: it must be greater than zero"),
        (r#"{"unit_price": 1, "round": "half"}"#, "is wrong at round: it must be \"up\" or \"down\""),
        (
            r#"{"unit_price": 1, "prise": 2}"#,
            "is wrong at prise: it is unknown there; known are unit_price, per, round",
        ),
        (r#"{"tiers": [{"unit_price": 1}]}"#, "is wrong at mode: it must be \"graduated\" or \"volume\""),
        (r#"{"mode": "volume", "tiers": []}"#, "is wrong at tiers: it must be an array of 1 to 100 tiers"),
        (r#"{"mode": "volume", "tiers": [{}]}"#, "is wrong at tiers[0]: it must have unit_price, flat_fee or both"),
        (
            r#"{"mode": "volume", "tiers": [{"up_to": 5, "unit_price": 1}]}"#,
            "is wrong at tiers[0].up_to: it must be left out of the last tier, which has no end",
        ),
        (
            r#"{"mode": "volume", "tiers": [{"unit_price": 1}, {"unit_price": 1}]}"#,
            "is wrong at tiers[0].up_to: it is required of every tier but the last",
        ),
        (
            r#"{"mode": "volume", "tiers": [{"up_to": 5, "unit_price": 1}, {"up_to": 5, "unit_price": 1}, {"unit_price": 1}]}"#,
            "is wrong at tiers[1].up_to: it must be greater than where the tier begins",
        ),
        (
            r#"{"by": "", "prices": {"a": {"unit_price": 1}}, "default": {"unit_price": 1}}"#,
            "is wrong at by: it must be a key of the events' metadata, a text of 1 to 255 characters, or an array of 1 to 5 such keys",
        ),
        (
            r#"{"by": "m", "prices": {}, "default": {"unit_price": 1}}"#,
            "is wrong at prices: it must have 1 to 1000 prices",
        ),
        (
            r#"{"by": "m", "prices": {"": {"unit_price": 1}}, "default": {"unit_price": 1}}"#,
            "is wrong at prices.: it must have a name of 1 to 255 characters",
        ),
        (
            r#"{"by": "m", "prices": {"a": {"unit_price": 1}}}"#,
            "is wrong at default: it is required: the price of events with any other value, or none; \"unpriced\": \"reject\" refuses them",
        ),
        (
            r#"{"by": "m", "prices": {"1": {"unit_price": 1}, "1.0": {"unit_price": 2}}, "default": {"unit_price": 1}}"#,
            "is wrong at prices.1.0: it is the same number as 1, which has a price",
        ),
        (
            r#"{"by": ["m", "m"], "prices": {"a": {"unit_price": 1}}, "default": {"unit_price": 1}}"#,
            "is wrong at by: it must be a key of the events' metadata, a text of 1 to 255 characters, or an array of 1 to 5 such keys",
        ),
        (
            r#"{"by": ["m", "n"], "prices": {"a": {"b": {"unit_price": 1}}, "a/b": {"unit_price": 1}}, "unpriced": "reject"}"#,
            "is wrong at prices.a/b: it is called \"a/b\", and another price is as well",
        ),
        (
            r#"{"by": "m", "prices": {"a": {"unit_price": 1}}, "unpriced": "allow"}"#,
            "is wrong at unpriced: it must be \"reject\", or left out with a default",
        ),
        (
            r#"{"by": "m", "prices": {"a": {"unit_price": 1}}, "default": {"unit_price": 1}, "unpriced": "reject"}"#,
            "is wrong at default: it must be left out where unpriced is \"reject\"",
        ),
        (
            r#"{"by": "m", "prices": {"a": {"mode": "volume", "tiers": [5]}}, "default": {"unit_price": 1}}"#,
            "is wrong at prices.a.tiers[0]: it must be a JSON object",
        ),
        (
            r#"{"by": "m", "prices": {"a": {"by": "n"}}, "default": {"unit_price": 1}}"#,
            "is wrong at prices.a: it must have either unit_price or tiers",
        ),
    ] {
        assert_eq!(refused(pricing), says, "{pricing}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let large = Pricing::flat(d("1000")).price("").unwrap().cost(d("9999999999999999999999999999"), 0);
    assert_eq!(large, Err(AmountError::TooManyDigits));
    let pricing =
        Pricing::parse(r#"{"unit_price": 9999999999999999999999999999, "per": 0.0000000000000000000000000001}"#);
    assert_eq!(pricing.unwrap().price("").unwrap().cost(d("9"), 6), Err(AmountError::TooManyDigits));
}

proptest! {
    /// Tiers of whole units, priced unit by unit.
    #[test]
    fn tiers_agree_with_counting(
        quantity in 0u32..400, ends in proptest::collection::btree_set(1u32..300, 0..4),
        prices in proptest::collection::vec((0u32..50, 0u32..20), 5), volume in any::<bool>(), per in 1u32..5
    ) {
        let ends: Vec<u32> = ends.into_iter().collect();
        let tier = |index: usize| {
            let (unit_price, flat_fee) = prices[index];
            let up_to = ends.get(index).map_or(String::new(), |end| format!(r#""up_to": {end}, "#));
            format!(r#"{{{up_to}"unit_price": {unit_price}, "flat_fee": {flat_fee}}}"#)
        };
        let tiers: Vec<String> = (0..=ends.len()).map(tier).collect();
        let mode = if volume { "volume" } else { "graduated" };
        let pricing = format!(r#"{{"mode": "{mode}", "per": {per}, "tiers": [{}]}}"#, tiers.join(", "));
        // In twelfths of a credit: per is 1 to 4.
        let of = |unit: u32| ends.iter().filter(|end| **end < unit).count();
        let mut twelfths = 0u64;
        let mut entered = std::collections::BTreeSet::new();
        for unit in 1..=quantity {
            let index = if volume { of(quantity) } else { of(unit) };
            twelfths += u64::from(prices[index].0 * 12 / per);
            entered.insert(index);
        }
        twelfths += entered.iter().map(|index| u64::from(prices[*index].1) * 12).sum::<u64>();
        let expected = (twelfths * 1_000_000 * 2 + 12) / 24;
        let found = Pricing::parse(&pricing).unwrap().price("").unwrap().cost(Decimal::from(quantity), 6).unwrap();
        prop_assert_eq!(found, Decimal::new(expected as i64, 6), "{} of {}", quantity, pricing);
    }
}
