//! The JSON form of a meter's pricing, and every way in which it can be wrong. docs/pricing.md explains it to users.
//!
//! ```text
//! pricing = price | { "by": key | [key, …], "prices": prices, "default": price } | { …, "unpriced": "reject" }
//! prices  = { value: price | prices, … }
//! price   = { "unit_price": number, "per": number, "round": "up" | "down" }
//!         | { "tiers": [tier, …], "mode": "graduated" | "volume", "per": number, "round": "up" | "down" }
//! tier    = { "up_to": number, "unit_price": number, "flat_fee": number }
//! ```

use crate::amount::{self, Decimal};
use crate::metering::pricing::classes::{Classes, Level, Next};
use crate::metering::pricing::{Blocks, Price, Pricing, Rate, Tier};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The most tiers of one price, and the most prices of one meter.
const MOST_TIERS: usize = 100;
const MOST_PRICES: usize = 1_000;
/// The most keys that decide together.
const MOST_KEYS: usize = 5;
/// The longest key or value of metadata, in characters.
const LONGEST: usize = 255;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("is wrong at {path}: it ") })]
pub struct SchemaError {
    path: String,
    reason: String,
}

type Checked<T> = Result<T, SchemaError>;

fn wrong<T>(path: &str, reason: impl Into<String>) -> Checked<T> {
    Err(SchemaError { path: path.to_string(), reason: reason.into() })
}

impl Pricing {
    /// Reads a pricing from its JSON text.
    pub fn parse(text: &str) -> Checked<Pricing> {
        Pricing::read(text, true)
    }

    /// The same of one that rejects usage without a price, whether or not it says so. Returns whether it does.
    pub fn parse_rejecting(text: &str) -> Checked<(Pricing, bool)> {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return wrong("", "must be JSON") };
        let Some(Value::Object(given)) = Some(&mut value).filter(|value| value.get("by").is_some()) else {
            return wrong("by", "is required where unpriced is given");
        };
        let says_so = given.contains_key("unpriced");
        if !says_so {
            given.insert(String::from("unpriced"), Value::from("reject"));
        }
        Ok((Pricing::of(&value, true)?, says_so))
    }

    /// The same; 1.0 and 1 may be two values, as they were before 0.3.0.
    pub fn read(text: &str, numbers_are_one: bool) -> Checked<Pricing> {
        match serde_json::from_str::<Value>(text) {
            Ok(value) => Pricing::of(&value, numbers_are_one),
            Err(_) => wrong("", "must be JSON"),
        }
    }

    fn of(value: &Value, numbers_are_one: bool) -> Checked<Pricing> {
        let object = object("", value)?;
        if !object.contains_key("by") {
            let other = price("", object)?;
            return Ok(Pricing { by: None, prices: BTreeMap::new(), other: Some(other) });
        }
        only("", object, &["by", "prices", "default", "unpriced"])?;
        let keys = keys(object.get("by"))?;
        let Some(Value::Object(given)) = object.get("prices") else {
            return wrong("prices", "must be an object: a price for each value of that key");
        };
        let mut reader = Reader { keys: keys.len(), numbers_are_one, prices: BTreeMap::new() };
        let first = reader.level("prices", "", given, 1)?;
        if !(1..=MOST_PRICES).contains(&first.count()) {
            return wrong("prices", "must have 1 to 1000 prices");
        }
        let other = match (object.get("default"), object.get("unpriced")) {
            (Some(other), None) => Some(price("default", self::object("default", other)?)?),
            (None, Some(Value::String(word))) if word == "reject" => None,
            (_, Some(Value::String(word))) if word == "reject" => {
                return wrong("default", "must be left out where unpriced is \"reject\"");
            }
            (_, Some(_)) => return wrong("unpriced", "must be \"reject\", or left out with a default"),
            (None, None) => {
                return wrong(
                    "default",
                    "is required: the price of events with any other value, or none; \"unpriced\": \"reject\" refuses them",
                );
            }
        };
        Ok(Pricing { by: Some(Classes { keys, first }), prices: reader.prices, other })
    }
}

/// The keys of metadata that decide: one, or an array of some.
fn keys(by: Option<&Value>) -> Checked<Vec<String>> {
    let given = match by {
        Some(Value::Array(keys)) => keys.as_slice(),
        Some(key) => std::slice::from_ref(key),
        None => &[],
    };
    let names: Vec<String> = given.iter().filter_map(Value::as_str).map(String::from).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    let all = names.len() == given.len() && distinct.len() == names.len() && names.iter().all(|name| is_name(name));
    if all && (1..=MOST_KEYS).contains(&names.len()) {
        return Ok(names);
    }
    wrong("by", "must be a key of the events' metadata, a text of 1 to 255 characters, or an array of 1 to 5 such keys")
}

/// Reads the prices of each value, and of each combination of values.
struct Reader {
    keys: usize,
    numbers_are_one: bool,
    prices: BTreeMap<String, Price>,
}

impl Reader {
    /// The values of one key: prices, or an object of the values of the next key for some of them.
    fn level(&mut self, path: &str, above: &str, given: &Map<String, Value>, key: usize) -> Checked<Level> {
        let mut level = Level::default();
        for (value, given) in given {
            let path = format!("{path}.{value}");
            if !is_name(value) {
                return wrong(&path, "must have a name of 1 to 255 characters");
            }
            let name = if above.is_empty() { value.clone() } else { format!("{above}/{value}") };
            let object = object(&path, given)?;
            let next = if key < self.keys && !is_price(object) {
                Next::Level(self.level(&path, &name, object, key + 1)?)
            } else {
                if self.prices.insert(name.clone(), price(&path, object)?).is_some() {
                    return wrong(&path, format!("is called \"{name}\", and another price is as well"));
                }
                Next::Class(name)
            };
            if let Some(same) = level.add(value, next, self.numbers_are_one) {
                return wrong(&path, format!("is the same number as {same}, which has a price"));
            }
        }
        Ok(level)
    }
}

/// Whether an object is a price, and not the values of another key, each with its own.
fn is_price(object: &Map<String, Value>) -> bool {
    object.get("unit_price").is_some_and(|given| !given.is_object()) || object.get("tiers").is_some_and(Value::is_array)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= LONGEST
}

fn object<'v>(path: &str, value: &'v Value) -> Checked<&'v Map<String, Value>> {
    value.as_object().map_or_else(|| wrong(path, "must be a JSON object"), Ok)
}

fn only(path: &str, object: &Map<String, Value>, keys: &[&str]) -> Checked<()> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => wrong(&at(path, key), format!("is unknown there; known are {}", keys.join(", "))),
        None => Ok(()),
    }
}

fn at(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

fn price(path: &str, object: &Map<String, Value>) -> Checked<Price> {
    let rate = match (object.get("unit_price"), object.get("tiers")) {
        (Some(_), None) => {
            only(path, object, &["unit_price", "per", "round"])?;
            Rate::Flat(required(path, object, "unit_price")?)
        }
        (None, Some(tiers)) => {
            only(path, object, &["tiers", "mode", "per", "round"])?;
            let tiers = self::tiers(&at(path, "tiers"), tiers)?;
            match object.get("mode").and_then(Value::as_str) {
                Some("graduated") => Rate::Graduated(tiers),
                Some("volume") => Rate::Volume(tiers),
                _ => return wrong(&at(path, "mode"), "must be \"graduated\" or \"volume\""),
            }
        }
        _ => return wrong(path, "must have either unit_price or tiers"),
    };
    let per = number(path, object, "per")?.unwrap_or(Decimal::ONE);
    if per.is_zero() {
        return wrong(&at(path, "per"), "must be greater than zero");
    }
    let blocks = match object.get("round") {
        None => None,
        Some(Value::String(word)) if word == "up" => Some(Blocks::Up),
        Some(Value::String(word)) if word == "down" => Some(Blocks::Down),
        Some(_) => return wrong(&at(path, "round"), "must be \"up\" or \"down\""),
    };
    Ok(Price { rate, per, blocks, discount: None })
}

fn tiers(path: &str, value: &Value) -> Checked<Vec<Tier>> {
    let Some(given) = value.as_array().filter(|t| (1..=MOST_TIERS).contains(&t.len())) else {
        return wrong(path, "must be an array of 1 to 100 tiers");
    };
    let mut tiers = Vec::with_capacity(given.len());
    let mut from = Decimal::ZERO;
    for (index, value) in given.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let object = object(&path, value)?;
        only(&path, object, &["up_to", "unit_price", "flat_fee"])?;
        let up_to = number(&path, object, "up_to")?;
        match up_to {
            Some(_) if index + 1 == given.len() => {
                return wrong(&at(&path, "up_to"), "must be left out of the last tier, which has no end");
            }
            None if index + 1 < given.len() => {
                return wrong(&at(&path, "up_to"), "is required of every tier but the last");
            }
            Some(up_to) if up_to <= from => {
                return wrong(&at(&path, "up_to"), "must be greater than where the tier begins");
            }
            _ => from = up_to.unwrap_or(from),
        }
        let (unit_price, flat_fee) = (number(&path, object, "unit_price")?, number(&path, object, "flat_fee")?);
        if unit_price.is_none() && flat_fee.is_none() {
            return wrong(&path, "must have unit_price, flat_fee or both");
        }
        tiers.push(Tier { up_to, unit_price: unit_price.unwrap_or_default(), flat_fee: flat_fee.unwrap_or_default() });
    }
    Ok(tiers)
}

fn required(path: &str, object: &Map<String, Value>, key: &str) -> Checked<Decimal> {
    number(path, object, key)?.map_or_else(|| wrong(&at(path, key), "is required"), Ok)
}

/// A number, or its digits as text, so that no JSON writer has to round it.
fn number(path: &str, object: &Map<String, Value>, key: &str) -> Checked<Option<Decimal>> {
    let text = match object.get(key) {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return wrong(&at(path, key), "must be a number"),
    };
    match amount::parse(&text).and_then(amount::not_negative) {
        Ok(number) => Ok(Some(number)),
        Err(reason) => wrong(&at(path, key), reason.to_string()),
    }
}
