//! The JSON form of a meter's pricing, and every way in which it can be wrong. docs/pricing.md explains it to users.
//!
//! ```text
//! pricing = price | { "by": key, "prices": { value: price, … }, "default": price }
//! price   = { "unit_price": number, "per": number, "round": "up" | "down" }
//!         | { "tiers": [tier, …], "mode": "graduated" | "volume", "per": number, "round": "up" | "down" }
//! tier    = { "up_to": number, "unit_price": number, "flat_fee": number }
//! ```

use crate::amount::{self, Decimal};
use crate::metering::pricing::{Blocks, Price, Pricing, Rate, Tier};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most tiers of one price, and the most prices of one meter.
const MOST_TIERS: usize = 100;
const MOST_PRICES: usize = 1_000;
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
        let Ok(value) = serde_json::from_str::<Value>(text) else { return wrong("", "must be JSON") };
        let object = object("", &value)?;
        if !object.contains_key("by") {
            let other = price("", object)?;
            return Ok(Pricing { by: None, prices: BTreeMap::new(), other });
        }
        only("", object, &["by", "prices", "default"])?;
        let by = match object.get("by") {
            Some(Value::String(key)) if is_name(key) => key.clone(),
            _ => return wrong("by", "must be a key of the events' metadata, a text of 1 to 255 characters"),
        };
        let Some(Value::Object(given)) = object.get("prices") else {
            return wrong("prices", "must be an object: a price for each value of that key");
        };
        if given.is_empty() || given.len() > MOST_PRICES {
            return wrong("prices", "must have 1 to 1000 prices");
        }
        let mut prices = BTreeMap::new();
        for (name, value) in given {
            let path = format!("prices.{name}");
            if !is_name(name) {
                return wrong(&path, "must have a name of 1 to 255 characters");
            }
            prices.insert(name.clone(), price(&path, self::object(&path, value)?)?);
        }
        let Some(other) = object.get("default") else {
            return wrong("default", "is required: the price of events with any other value, or none");
        };
        let other = price("default", self::object("default", other)?)?;
        Ok(Pricing { by: Some(by), prices, other })
    }
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
