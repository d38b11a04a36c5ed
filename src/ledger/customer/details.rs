//! What is said of a customer beside the name: an address, where goods are sent, a prefix for invoices, a rate of tax.
//! Pure.

use crate::amount::{self, AmountError, Decimal};
use crate::error::{Error, quoted};
use crate::nearest::nearest;
use serde_json::{Map, Value};

/// The keys of an address, as the payment providers' own types have them.
const ADDRESS: [&str; 6] = ["line1", "line2", "city", "state", "postal_code", "country"];
/// The keys of where goods are sent.
const SHIPPING: [&str; 3] = ["name", "phone", "address"];
/// The longest line of an address, in characters.
const LINE_LENGTH: usize = 255;
/// How many characters a prefix may have.
const PREFIX_LENGTH: std::ops::RangeInclusive<usize> = 3..=12;
/// The most decimals of a rate of tax.
const TAX_DECIMALS: u32 = 6;

/// An address as it is stored; empty where nothing of it is left, which removes it. Raises PC013.
pub fn address(text: &str) -> Result<String, Error> {
    Reader("address").address("", &parsed("address", text)?).map(stored)
}

/// Where goods are sent, to whom: likewise. Raises PC013.
pub fn shipping(text: &str) -> Result<String, Error> {
    let reader = Reader("shipping");
    let value = parsed("shipping", text)?;
    let mut kept = Map::new();
    for (key, value) in reader.object("", &value, &SHIPPING)?.into_iter().flatten() {
        let value = match key.as_str() {
            "address" => {
                Some(reader.address("address", value)?).filter(|address| !address.is_empty()).map(Value::Object)
            }
            key => reader.line(key, value)?.map(Value::from),
        };
        kept.extend(value.map(|value| (key.clone(), value)));
    }
    Ok(stored(kept))
}

/// An object of the application's own as it is stored; empty where it has nothing, which removes it. Raises PC013.
pub fn object(argument: &'static str, text: &str) -> Result<String, Error> {
    match text {
        "null" | "{}" => Ok(String::new()),
        object if object.starts_with('{') => Ok(object.to_string()),
        _ => Err(Error::argument(argument, "must be a JSON object")),
    }
}

/// What invoices' numbers begin with, in capitals; empty removes it. Raises PC013.
pub fn invoice_prefix(given: &str) -> Result<String, Error> {
    let all = given.bytes().all(|letter| letter.is_ascii_alphanumeric());
    if given.is_empty() || all && PREFIX_LENGTH.contains(&given.len()) {
        return Ok(given.to_ascii_uppercase());
    }
    let reason = format!("must be 3 to 12 letters and digits, not {}", quoted(given));
    Err(Error::argument("invoice_prefix", reason))
}

/// Percent of tax.
pub fn tax_rate(percent: Decimal) -> Result<Decimal, AmountError> {
    let percent = amount::not_negative(percent)?;
    if percent > Decimal::ONE_HUNDRED {
        return Err(AmountError::OverHundred);
    }
    if percent.scale() > TAX_DECIMALS { Err(AmountError::TooManyDecimals(TAX_DECIMALS)) } else { Ok(percent) }
}

fn parsed(argument: &'static str, text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|_| Error::argument(argument, "must be JSON, nested less deeply"))
}

fn stored(object: Map<String, Value>) -> String {
    if object.is_empty() { String::new() } else { Value::Object(object).to_string() }
}

/// Reads the values of one argument.
struct Reader(&'static str);

impl Reader {
    /// An object that has no other keys than these; `None` for null.
    fn object<'v>(
        &self,
        path: &str,
        value: &'v Value,
        known: &[&str],
    ) -> Result<Option<&'v Map<String, Value>>, Error> {
        let object = match value {
            Value::Null => return Ok(None),
            Value::Object(object) => object,
            _ => return Err(self.wrong(path, "must be a JSON object")),
        };
        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Error::UnknownKey { argument: self.0, key: at(path, key), nearest: nearest(key, known) }),
            None => Ok(Some(object)),
        }
    }

    /// An address: what is empty is left out.
    fn address(&self, path: &str, value: &Value) -> Result<Map<String, Value>, Error> {
        let mut kept = Map::new();
        for (key, value) in self.object(path, value, &ADDRESS)?.into_iter().flatten() {
            let place = at(path, key);
            let Some(mut line) = self.line(&place, value)? else { continue };
            if key == "country" {
                if line.len() != 2 || !line.bytes().all(|letter| letter.is_ascii_alphabetic()) {
                    return Err(self.wrong(&place, "must be the two letters that ISO 3166 has for it, as DE"));
                }
                line.make_ascii_uppercase();
            }
            kept.insert(key.clone(), line.into());
        }
        Ok(kept)
    }

    /// A text; `None` where it is empty or null.
    fn line(&self, path: &str, value: &Value) -> Result<Option<String>, Error> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) if text.chars().count() <= LINE_LENGTH => {
                Ok(Some(text.trim().to_string()).filter(|text| !text.is_empty()))
            }
            _ => Err(self.wrong(path, "must be a text of at most 255 characters")),
        }
    }

    fn wrong(&self, path: &str, reason: &str) -> Error {
        match path {
            "" => Error::argument(self.0, reason),
            path => Error::argument(self.0, format!("is wrong at {path}: it {reason}")),
        }
    }
}

fn at(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(error: Error) -> String {
        error.to_string()
    }

    #[test]
    fn an_address_is_kept_without_what_is_empty() {
        let given = r#"{"line1": " Main St 1 ", "line2": "", "city": "Bonn", "state": null, "country": "de"}"#;
        assert_eq!(address(given).unwrap(), r#"{"city":"Bonn","country":"DE","line1":"Main St 1"}"#);
        for nothing in ["null", "{}", r#"{"line1": "", "country": " ", "city": null}"#] {
            assert_eq!(address(nothing).unwrap(), "");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_named() {
        for (given, reason) in [
            ("[]", "address must be a JSON object"),
            (r#"{"postalcode": "1"}"#, "address has an unknown key, \"postalcode\""),
            (
                r#"{"postal_code": 53111}"#,
                "address is wrong at postal_code: it must be a text of at most 255 characters",
            ),
            (
                r#"{"country": "Germany"}"#,
                "address is wrong at country: it must be the two letters that ISO 3166 has for it, as DE",
            ),
            (
                r#"{"country": "é"}"#,
                "address is wrong at country: it must be the two letters that ISO 3166 has for it, as DE",
            ),
        ] {
            assert_eq!(said(address(given).unwrap_err()), reason);
        }
        let Error::UnknownKey { nearest, .. } = address(r#"{"postalcode": "1"}"#).unwrap_err() else { panic!() };
        assert_eq!(nearest.as_deref(), Some("postal_code"));
    }

    #[test]
    fn shipping_has_a_name_a_phone_and_an_address() {
        let given = r#"{"name": "Ann", "phone": "", "address": {"city": "Bonn", "country": "De"}}"#;
        assert_eq!(shipping(given).unwrap(), r#"{"address":{"city":"Bonn","country":"DE"},"name":"Ann"}"#);
        assert_eq!(shipping(r#"{"address": {"city": ""}, "name": null}"#).unwrap(), "");
        let wrong = said(shipping(r#"{"address": {"country": "D"}}"#).unwrap_err());
        assert_eq!(
            wrong,
            "shipping is wrong at address.country: it must be the two letters that ISO 3166 has for it, as DE"
        );
        assert_eq!(said(shipping(r#"{"city": "Bonn"}"#).unwrap_err()), "shipping has an unknown key, \"city\"");
        assert_eq!(
            said(shipping(r#"{"address": {"zip": ""}}"#).unwrap_err()),
            "shipping has an unknown key, \"address.zip\""
        );
    }

    #[test]
    fn a_prefix_is_letters_and_digits() {
        assert_eq!(invoice_prefix("acme7").unwrap(), "ACME7");
        assert_eq!(invoice_prefix("").unwrap(), "");
        for wrong in ["AB", "ABCDEFGHIJKLM", "AB-1", "ÄBC", "AB C"] {
            assert!(invoice_prefix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_from_0_to_100() {
        let rate = |text: &str| amount::parse(text).and_then(tax_rate);
        assert_eq!(rate("19.000000000"), Ok(Decimal::from(19)));
        assert_eq!(rate("0"), Ok(Decimal::ZERO));
        assert_eq!(rate("8.875001"), Ok(Decimal::new(8_875_001, 6)));
        assert_eq!(rate("8.8750011"), Err(AmountError::TooManyDecimals(6)));
        assert_eq!(rate("100.000001"), Err(AmountError::OverHundred));
        assert_eq!(rate("-1"), Err(AmountError::Negative));
    }

    proptest! {
        #[test]
        fn nothing_is_a_panic_and_what_is_kept_is_kept_again(
            keys in prop::collection::vec(prop::sample::select(&ADDRESS[..]), 0..6), value in "\\PC{0,4}", text in "\\PC{0,30}",
        ) {
            let object: Map<String, Value> = keys.iter().map(|key| (key.to_string(), value.clone().into())).collect();
            if let Ok(kept) = address(&Value::Object(object).to_string()) {
                prop_assert!(kept.is_empty() || address(&kept).unwrap() == kept);
            }
            let _ = (address(&text), shipping(&text), object_of(&text), invoice_prefix(&text));
        }
    }

    fn object_of(text: &str) -> Result<String, Error> {
        object("preferences", text)
    }
}
