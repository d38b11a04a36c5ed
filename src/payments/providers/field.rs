//! One field of a provider's JSON, read as tolerantly as providers write: what is missing, null or of another type can
//! be distinguished, and is never an error by itself. A provider's file names the fields that it reads, as structs for
//! serde. Pure.

use crate::address;
use serde::de::value::{Error, MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// The longest text that is an id or a name, in characters.
const LONGEST: usize = 255;

/// A field as it came. `T` is read from an object.
#[derive(Debug, Default)]
pub enum Field<T = IgnoredAny> {
    /// It is not there.
    #[default]
    Missing,
    /// It is null.
    Null,
    /// True or false.
    Bool(bool),
    /// A text, or the digits of a number as they were written.
    Text(String),
    /// An array; what is in it says nothing to us.
    Array,
    /// An object.
    Object(T),
}

impl<T> Field<T> {
    /// The text, a number's digits included; an empty one is none.
    pub fn text(&self) -> Option<String> {
        match self {
            Field::Text(text) if !text.is_empty() && text.chars().count() <= LONGEST => Some(text.clone()),
            _ => None,
        }
    }

    /// A web address that may be shown to people.
    pub fn web_address(&self) -> Option<String> {
        match self {
            Field::Text(text) => address::check(text).is_ok().then(|| text.clone()),
            _ => None,
        }
    }

    /// A whole number that is not below zero, as a number or a text.
    pub fn units(&self) -> Option<i128> {
        self.text()?.parse().ok().filter(|units| *units >= 0)
    }

    /// True or false.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Field::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// What is in the object.
    pub fn object(&self) -> Option<&T> {
        match self {
            Field::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether it is there, whatever it is.
    pub fn is_there(&self) -> bool {
        !matches!(self, Field::Missing)
    }
}

/// An object of which only the id matters.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Identity {
    id: Field,
}

impl Field<Identity> {
    /// The id of an object that is there whole, or only as its id.
    pub fn id(&self) -> Option<String> {
        self.text().or_else(|| self.object()?.id.text())
    }
}

/// Reads JSON as an object; `None` where it is none.
pub fn object<'de, T: Deserialize<'de>>(json: &'de Value) -> Option<T> {
    match Field::deserialize(Source(json)) {
        Ok(Field::Object(object)) => Some(object),
        _ => None,
    }
}

/// JSON as a field reads it. serde_json would pass some numbers through a float, and 0.000000001 comes out as 1e-9;
/// here a number is the text of its digits.
#[derive(Clone, Copy)]
struct Source<'de>(&'de Value);

impl<'de> Deserializer<'de> for Source<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => visitor.visit_string(number.to_string()),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(_) => visitor.visit_seq(NoElements),
            Value::Object(object) => {
                let members = object.iter().map(|(key, value)| (key.as_str(), Source(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Source<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The elements of an array: none is ever read.
struct NoElements;

impl<'de> serde::de::SeqAccess<'de> for NoElements {
    type Error = Error;

    fn next_element_seed<S: serde::de::DeserializeSeed<'de>>(&mut self, _: S) -> Result<Option<S::Value>, Error> {
        Ok(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Field<T>, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field<T>, E> {
        Ok(Field::Bool(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<T>, E> {
        Ok(Field::Text(text.to_string()))
    }

    fn visit_string<E>(self, text: String) -> Result<Field<T>, E> {
        Ok(Field::Text(text))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Field<T>, A::Error> {
        Ok(Field::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Field<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Field::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct Thing {
        id: Field,
        of: Field<Identity>,
    }

    fn thing(json: &Value) -> Thing {
        object(json).unwrap()
    }

    #[test]
    fn a_field_is_what_it_is() {
        assert!(!thing(&json!({})).id.is_there() && thing(&json!({"id": null})).id.is_there());
        for odd in [json!(null), json!(true), json!([]), json!(["x"]), json!({}), json!({"id": "x"}), json!("")] {
            let thing = thing(&json!({"id": odd, "of": odd}));
            assert_eq!((thing.id.text(), thing.id.units()), (None, None), "{odd}");
            assert_eq!(thing.of.id().is_some(), odd.is_object() && odd["id"] == "x", "{odd}");
        }
        assert_eq!(thing(&json!({"id": false})).id.flag(), Some(false));
        assert_eq!(thing(&json!({"of": "x"})).of.id().as_deref(), Some("x"));
        assert_eq!(thing(&json!({"of": 7})).of.id().as_deref(), Some("7"));
        let long = |characters: usize| thing(&json!({"id": "é".repeat(characters)})).id.text().is_some();
        assert!(long(255) && !long(256));
    }

    #[test]
    fn a_number_keeps_all_its_digits() {
        for digits in ["0", "1.0", "1.50", "0.000000001", "-0.0", "123456789012345678901234567890.123456789", "1e+5"] {
            let json = crate::json::read(&format!(r#"{{"id": {digits}}}"#)).unwrap();
            assert_eq!(thing(&json).id.text().as_deref(), Some(digits));
        }
        let huge = "9".repeat(255);
        assert_eq!(thing(&crate::json::read(&format!(r#"{{"id": {huge}}}"#)).unwrap()).id.text(), Some(huge));
        for (units, whole) in [("7", Some(7)), ("-1", None), ("1.0", None), ("\"12\"", Some(12)), ("\"1 \"", None)] {
            let json = crate::json::read(&format!(r#"{{"id": {units}}}"#)).unwrap();
            assert_eq!(thing(&json).id.units(), whole, "{units}");
        }
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for json in [json!(null), json!(1), json!("id"), json!([]), json!(["x", "y"]), json!(true)] {
            assert!(object::<Thing>(&json).is_none(), "{json}");
        }
        // The key that serde_json keeps for its numbers is a key like any other.
        let odd = json!({"$serde_json::private::Number": {}, "id": "x"});
        assert_eq!(thing(&odd).id.text().as_deref(), Some("x"));
        let odd = json!({"id": {"$serde_json::private::Number": "1", "a": 1}});
        assert_eq!(thing(&odd).id.text(), None);
    }
}
