//! Reading JSON from outside, whatever it contains. serde_json alone refuses deep nesting, half a surrogate pair, and
//! an object with the key that it uses for numbers; PostgreSQL refuses U+0000. Here each of these loses at most the
//! value that it is part of. Pure.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::fmt;

/// How many levels of objects and arrays are read. Anything deeper is null.
const LEVELS: usize = 10;
/// How many elements of an array are read. The rest is dropped.
const ELEMENTS: usize = 64;
/// The only key of the object that serde_json uses to pass a number with any number of digits.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads a JSON text; `None` if it is not JSON. If a key appears twice, the last value counts, as in PostgreSQL. U+0000
/// and halves of surrogate pairs are read as U+FFFD.
pub fn read(text: &str) -> Option<Value> {
    let text = mended(text);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let value = Reader { levels: LEVELS }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// The text with U+FFFD for escapes of characters that PostgreSQL cannot store.
fn mended(text: &str) -> Cow<'_, str> {
    let (mut mended, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        at = escape + 2;
        let Some(unit) = unit(text, escape) else { continue };
        at = escape + 6;
        match unit {
            0xD800..0xDC00 if unit_is_low(text, at) => at += 6,
            0 | 0xD800..0xE000 => {
                mended.push_str(&text[copied..escape]);
                mended.push_str("\\uFFFD");
                copied = at;
            }
            _ => {}
        }
    }
    if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(mended + &text[copied..]) }
}

/// The UTF-16 unit that is escaped there.
fn unit(text: &str, at: usize) -> Option<u16> {
    u16::from_str_radix(text.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok()
}

fn unit_is_low(text: &str, at: usize) -> bool {
    unit(text, at).is_some_and(|unit| (0xDC00..0xE000).contains(&unit))
}

/// Reads a value, of which so many levels are kept. Deeper ones are skipped without recursion.
#[derive(Clone, Copy)]
struct Reader {
    levels: usize,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        if let Some(levels) = self.levels.checked_sub(1) {
            while array.len() < ELEMENTS
                && let Some(value) = elements.next_element_seed(Reader { levels })?
            {
                array.push(value);
            }
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(if self.levels == 0 { Value::Null } else { Value::Array(array) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Some(levels) = self.levels.checked_sub(1) else {
            return IgnoredAny.visit_map(members).map(|_| Value::Null);
        };
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(Reader { levels })?;
            object.insert(key, value);
        }
        let number = match object.get(NUMBER) {
            Some(Value::String(digits)) if object.len() == 1 => digits.parse::<Number>().ok(),
            _ => None,
        };
        Ok(number.map_or(Value::Object(object), Value::Number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_serde_json_reads_otherwise() {
        for (text, value) in [
            (r#"{"$serde_json::private::Number": "x", "a": 1}"#, json!({"$serde_json::private::Number": "x", "a": 1})),
            (r#"{"a": {"$serde_json::private::Number": {}}}"#, json!({"a": {"$serde_json::private::Number": {}}})),
            (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
            (
                r#"["\u0000\ud83d\ude80\ud83d\\u0000\udE80", "\\u0000"]"#,
                json!(["\u{fffd}🚀\u{fffd}\\u0000\u{fffd}", "\\u0000"]),
            ),
            (r#"{"\u0000": 0, "\ud800": null}"#, json!({"\u{fffd}": null})),
            (" [true, false, null, \"\\n\"]\n", json!([true, false, null, "\n"])),
        ] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        assert_eq!(read("1e999999").unwrap().to_string(), "1e+999999");
        assert_eq!(read(&"9".repeat(5_000)).unwrap().to_string(), "9".repeat(5_000));
    }

    #[test]
    fn what_is_deep_or_long_costs_only_itself() {
        let deep = format!(r#"{{"before": 1, "deep": {}{}, "after": "x"}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let read_deep = read(&deep).unwrap();
        assert_eq!((&read_deep["before"], &read_deep["after"]), (&json!(1), &json!("x")));
        let magic = r#"{"$serde_json::private::Number": "#;
        let deep = format!(r#"{{"deep": {}1{}, "after": 1}}"#, magic.repeat(10_000), "}".repeat(10_000));
        assert_eq!(read(&deep).unwrap()["after"], json!(1));
        let long = read(&format!("[{}1]", "1,".repeat(100_000))).unwrap();
        assert_eq!(long.as_array().map(Vec::len), Some(ELEMENTS));
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in
            ["", " ", "[", "{\"a\":}", "1 1", "\"", "\"\\ud8\"", "\"\\", "\"\\é\"", "nul", "[1,]", "\u{1}", "'a'"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_a_panic(text in "([\\[\\]{}\":,\\\\ud8c0-9]|é){0,60}") {
            read(&text);
        }

        #[test]
        fn plain_json_is_read_as_serde_json_reads_it(text in "\\PC{0,20}", number in any::<f64>(), whole in any::<i64>()) {
            let number = if number.is_finite() { number } else { 0.5 };
            let text = json!({"a": [text, {"b": number}], "c": {"d": whole, "e": null}}).to_string();
            prop_assert_eq!(read(&text), serde_json::from_str(&text).ok());
        }
    }
}
