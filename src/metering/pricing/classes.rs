//! Classes: which of a meter's prices an event has, by the values of keys in its metadata. Pure.

use crate::amount::{self, Decimal};
use crate::json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The prices of a meter by values of metadata, as a tree: a level for each key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    /// The keys.
    pub keys: Vec<String>,
    /// The values of the first of them.
    pub first: Level,
}

/// The values of one key that have prices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    values: BTreeMap<String, Next>,
    /// Values that are numbers, by what they are, however they are written.
    numbers: BTreeMap<Decimal, String>,
}

/// What is known with one more value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The name of the price, whatever the values of further keys are.
    Class(String),
    /// The value of the next key is needed.
    Level(Level),
}

impl Level {
    /// Adds a value. Returns one that is the same number, if there is one.
    pub fn add(&mut self, value: &str, next: Next, numbers_are_one: bool) -> Option<String> {
        self.values.insert(value.to_string(), next);
        let number = amount::parse(value).ok().filter(|_| numbers_are_one)?;
        self.numbers.insert(number.normalize(), value.to_string())
    }

    /// How many prices there are.
    pub fn count(&self) -> usize {
        let counts = self.values.values().map(|next| if let Next::Level(level) = next { level.count() } else { 1 });
        counts.sum()
    }

    fn next(&self, value: &Value) -> Option<&Next> {
        match value {
            Value::String(text) => self.values.get(text),
            Value::Bool(value) => self.values.get(&value.to_string()),
            Value::Number(number) => {
                let text = number.to_string();
                self.values.get(&text).or_else(|| {
                    let written = self.numbers.get(&amount::parse(&text).ok()?.normalize())?;
                    self.values.get(written)
                })
            }
            _ => None,
        }
    }
}

impl Classes {
    /// The name of an event's price, if its metadata (JSON) has one.
    pub fn find(&self, metadata: Option<String>) -> Option<&str> {
        let Value::Object(metadata) = json::read(&metadata?)? else { return None };
        self.walk(&metadata)
    }

    fn walk(&self, metadata: &Map<String, Value>) -> Option<&str> {
        let mut level = &self.first;
        for key in &self.keys {
            match level.next(metadata.get(key)?)? {
                Next::Class(name) => return Some(name),
                Next::Level(next) => level = next,
            }
        }
        None
    }
}
