//! Reading a JSON object key by key: what is wrong with it is named with its place. Pure.

use crate::amount::{self, AmountError, Decimal};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// The longest name, in characters.
const LONGEST: usize = 255;
/// The most names in a list.
const MOST: usize = 1_000;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("is wrong at {path}: it ") })]
pub struct Wrong {
    path: String,
    reason: String,
}

/// What was read, or what is wrong.
pub type Checked<T> = Result<T, Wrong>;

/// Something wrong at a place.
pub fn wrong<T>(path: &str, reason: impl Into<String>) -> Checked<T> {
    Err(Wrong { path: path.to_string(), reason: reason.into() })
}

/// A JSON text as a value.
pub fn json(text: &str) -> Checked<Value> {
    serde_json::from_str(text).or_else(|_| wrong("", "must be JSON, nested less deeply"))
}

/// An object, at its place. A key whose value is null is as if it were left out.
pub struct Fields<'v> {
    path: String,
    object: &'v Map<String, Value>,
}

impl<'v> Fields<'v> {
    /// An object that has no other keys than these.
    pub fn of(path: &str, value: &'v Value, known: &[&str]) -> Checked<Self> {
        let Some(object) = value.as_object() else { return wrong(path, "must be a JSON object") };
        let fields = Fields { path: path.to_string(), object };
        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => fields.wrong(key, format!("is unknown there; known are {}", known.join(", "))),
            None => Ok(fields),
        }
    }

    /// The place of a key.
    pub fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }

    /// Something wrong with a key's value.
    pub fn wrong<T>(&self, key: &str, reason: impl Into<String>) -> Checked<T> {
        wrong(&self.at(key), reason)
    }

    /// A key's value, if it has one.
    pub fn get(&self, key: &str) -> Option<&'v Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Which of two spellings is used; both are too much.
    pub fn spelled<'k>(&self, key: &'k str, other: &'k str) -> Checked<&'k str> {
        match (self.get(key), self.get(other)) {
            (Some(_), Some(_)) => self.wrong(other, format!("is another name of {key}: give one of them")),
            (None, Some(_)) => Ok(other),
            _ => Ok(key),
        }
    }

    /// A name of 1 to 255 characters.
    pub fn text(&self, key: &str) -> Checked<Option<&'v str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if is_name(text) => Ok(Some(text)),
            Some(_) => self.wrong(key, "must be a text of 1 to 255 characters"),
        }
    }

    /// One of a few words.
    pub fn word(&self, key: &str, words: &[&'static str]) -> Checked<Option<&'static str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match words.iter().find(|word| value.as_str() == Some(word)) {
            Some(word) => Ok(Some(word)),
            None => self.wrong(key, format!("must be one of: {}", words.join(", "))),
        }
    }

    /// True or false.
    pub fn truth(&self, key: &str) -> Checked<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(_) => self.wrong(key, "must be true or false"),
        }
    }

    /// A number, or its digits as text, so that no JSON writer has to round it.
    pub fn number(
        &self,
        key: &str,
        check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
    ) -> Checked<Option<Decimal>> {
        let text = match self.get(key) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => return self.wrong(key, "must be a number"),
        };
        match amount::parse(&text).and_then(check) {
            Ok(number) => Ok(Some(number.normalize())),
            Err(reason) => self.wrong(key, reason.to_string()),
        }
    }

    /// A whole number within a range.
    pub fn whole(&self, key: &str, range: RangeInclusive<i32>) -> Checked<Option<i32>> {
        let outside = || format!("must be a whole number from {} to {}", range.start(), range.end());
        let Some(number) = self.number(key, Ok)? else { return Ok(None) };
        let whole = Some(number).filter(|n| n.scale() == 0).and_then(|n| i32::try_from(n.mantissa()).ok());
        match whole.filter(|whole| range.contains(whole)) {
            Some(whole) => Ok(Some(whole)),
            None => self.wrong(key, outside()),
        }
    }

    /// Names, in order, each once.
    pub fn names(&self, key: &str) -> Checked<Option<Vec<String>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let given = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<String> =
            given.iter().filter_map(Value::as_str).filter(|n| is_name(n)).map(String::from).collect();
        if given.is_empty() || given.len() > MOST || names.len() < given.len() {
            return self.wrong(key, "must be an array of 1 to 1000 names, or left out for anything");
        }
        names.sort();
        names.dedup();
        Ok(Some(names))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST
}
