//! Lines as a caller gives them, in JSON, and every way in which they can be wrong.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::moment::{EPOCH, Time};
use crate::nearest::nearest;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// The most lines of an invoice.
pub const MOST_LINES: usize = 1_000;
/// So many decimals a unit's amount may have, and a tax rate.
pub const UNIT_DECIMALS: u32 = 12;
/// How tax may be.
pub const BEHAVIORS: [&str; 2] = ["exclusive", "inclusive"];

const KEYS: [&str; 12] = [
    "price_id",
    "lookup_key",
    "quantity",
    "amount",
    "unit_amount",
    "pricing",
    "description",
    "discount",
    "tax_rate",
    "tax_behavior",
    "period",
    "metadata",
];

/// A line as it is given: by a price and a quantity, or by hand.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The price.
    pub price_id: Option<Uuid>,
    /// Or its name.
    pub lookup_key: Option<String>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// What the line costs.
    pub amount: Option<Decimal>,
    /// What one costs.
    pub unit_amount: Option<Decimal>,
    /// What a quantity costs, as JSON.
    pub pricing: Option<String>,
    /// What the line costs instead of what its price says: of a cart, where the customer or the application sets it.
    pub custom_amount: Option<Decimal>,
    /// For people.
    pub description: Option<String>,
    /// Whether it was sold before: then its price may have been archived since.
    pub is_sold: bool,
    /// What is taken off it.
    pub discount: Option<Decimal>,
    /// In percent; `None` for the invoice's.
    pub tax_rate: Option<Decimal>,
    /// 'exclusive' or 'inclusive'; `None` for the price's.
    pub tax_behavior: Option<String>,
    /// What time it is for.
    pub period: Option<(Time, Time)>,
    /// The application's own, as JSON.
    pub metadata: Option<String>,
}

/// Reads the lines of an invoice. Raises PC007, PC013.
pub fn read(text: &str) -> Result<Vec<Given>, Error> {
    let value: Value = serde_json::from_str(text).map_err(|_| shape())?;
    let given = value.as_array().ok_or_else(shape)?;
    if given.len() > MOST_LINES {
        return Err(Error::argument("lines", format!("must be at most {MOST_LINES}: they are {}", given.len())));
    }
    given.iter().map(|line| Given::read(line.as_object().ok_or_else(shape)?)).collect()
}

fn shape() -> Error {
    Error::argument("lines", "must be a JSON array of objects")
}

impl Given {
    fn read(object: &Map<String, Value>) -> Result<Self, Error> {
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::UnknownKey { argument: "lines", key: key.clone(), nearest: nearest(key, KEYS) });
        }
        let get = |key: &str| object.get(key).filter(|value| !value.is_null());
        Ok(Given {
            price_id: price_id(get("price_id"))?,
            lookup_key: text("lookup_key", get("lookup_key"))?,
            quantity: number("quantity", get("quantity"), amount::over_zero)?,
            amount: number("amount", get("amount"), Ok)?,
            unit_amount: number("unit_amount", get("unit_amount"), unit)?,
            pricing: get("pricing").map(Value::to_string),
            custom_amount: None,
            is_sold: false,
            description: text("description", get("description"))?,
            discount: number("discount", get("discount"), amount::not_negative)?,
            tax_rate: number("tax_rate", get("tax_rate"), rate)?,
            tax_behavior: behavior(text("tax_behavior", get("tax_behavior"))?)?,
            period: get("period").map(period).transpose()?,
            metadata: object_text(get("metadata"))?,
        })
    }

    /// What a replay is compared with: what it costs, and nothing that is for people.
    pub fn compared(&self) -> String {
        let number = |number: Option<Decimal>| number.map(|number| number.normalize().to_string());
        let all = [
            ("price", self.price_id.map(|id| id.to_string())),
            ("lookup_key", self.lookup_key.clone()),
            ("quantity", number(self.quantity)),
            ("amount", number(self.amount)),
            ("unit_amount", number(self.unit_amount)),
            ("pricing", self.pricing.clone()),
            ("custom_amount", number(self.custom_amount)),
            ("discount", number(self.discount)),
            ("tax_rate", number(self.tax_rate)),
            ("tax_behavior", self.tax_behavior.clone()),
        ];
        let given = all.into_iter().filter_map(|(key, value)| Some(format!("{key} {}", value?)));
        given.collect::<Vec<_>>().join(", ")
    }
}

/// The id of a price. Raises PC013.
pub fn price_id(given: Option<&Value>) -> Result<Option<Uuid>, Error> {
    let read = |given: &Value| given.as_str().and_then(|text| Uuid::parse_str(text).ok());
    let wrong = || Error::argument("price_id", "must be the id of a price");
    given.map(|given| read(given).ok_or_else(wrong)).transpose()
}

/// An object of the application's own. Raises PC013.
pub fn object_text(given: Option<&Value>) -> Result<Option<String>, Error> {
    match given {
        None => Ok(None),
        Some(given) if given.is_object() => Ok(Some(given.to_string())),
        Some(_) => Err(Error::argument("metadata", "must be a JSON object")),
    }
}

/// What one costs: with more decimals than its currency.
pub fn unit(number: Decimal) -> Result<Decimal, AmountError> {
    let number = number.normalize();
    if number.scale() > UNIT_DECIMALS { Err(AmountError::TooManyDecimals(UNIT_DECIMALS)) } else { Ok(number) }
}

/// A tax rate in percent.
pub fn rate(number: Decimal) -> Result<Decimal, AmountError> {
    match amount::not_negative(number)? {
        rate if rate > Decimal::ONE_HUNDRED => Err(AmountError::OverHundred),
        rate => unit(rate),
    }
}

/// How tax is. Raises PC013.
pub fn behavior(given: Option<String>) -> Result<Option<String>, Error> {
    if let Some(given) = &given {
        input::choice("tax_behavior", Some(given), BEHAVIORS[0], &BEHAVIORS)?;
    }
    Ok(given)
}

/// A text, as JSON has it.
pub fn text(key: &'static str, value: Option<&Value>) -> Result<Option<String>, Error> {
    match value {
        None => Ok(None),
        Some(Value::String(given)) if given.contains('\0') => Err(Error::argument(key, "must not have U+0000")),
        Some(Value::String(given)) => Ok(input::text(key, Some(given))?.map(String::from)),
        Some(_) => Err(Error::argument(key, "must be a text")),
    }
}

/// A number, or its digits as text, so that no JSON writer has to round it.
pub fn number(
    key: &'static str,
    value: Option<&Value>,
    check: impl FnOnce(Decimal) -> Result<Decimal, AmountError>,
) -> Result<Option<Decimal>, Error> {
    let text = match value {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(Error::argument(key, "must be a number")),
    };
    match amount::parse(&text).and_then(check) {
        Ok(number) => Ok(Some(number.normalize())),
        Err(reason) => Err(Error::InvalidAmount { argument: key, value: text, reason }),
    }
}

/// A span of time: {"start": …, "end": …}.
fn period(value: &Value) -> Result<(Time, Time), Error> {
    let wrong = || {
        let reason =
            "must be an object with start and end, times with their offsets like 2026-03-01T00:00:00Z, start first";
        Error::argument("period", reason)
    };
    let object = value.as_object().filter(|object| object.len() == 2).ok_or_else(wrong)?;
    let at = |key: &str| object.get(key).and_then(moment).ok_or_else(wrong);
    let (start, end) = (at("start")?, at("end")?);
    if start <= end { Ok((start, end)) } else { Err(wrong()) }
}

/// A moment, as RFC 3339 writes it.
pub fn instant(text: &str) -> Option<Time> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let microseconds = moment.unix_timestamp_nanos() / 1_000 - i128::from(EPOCH) * 1_000_000;
    i64::try_from(microseconds).ok().map(Time)
}

/// A moment: RFC 3339, or in seconds since 1970.
pub fn moment(value: &Value) -> Option<Time> {
    let seconds = match value {
        Value::String(text) => return instant(text),
        number => number.as_i64().filter(|seconds| (0..=253_402_300_799).contains(seconds))?,
    };
    Some(Time(0).plus_seconds(seconds - EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_by_price_and_by_hand() {
        let lines = read(
            r#"[{"price_id": "0190a6f2-0000-7000-8000-000000000001", "quantity": 2},
                {"amount": "-4.50", "description": "Back", "tax_rate": 19, "tax_behavior": "inclusive"},
                {"unit_amount": 0.000000000001, "quantity": "1000000000000", "period": {"start": 0, "end": 86400}}]"#,
        )
        .unwrap();
        assert_eq!(lines[0].quantity, Some(Decimal::from(2)));
        assert_eq!(lines[1].amount, Some(Decimal::new(-45, 1)));
        assert_eq!(lines[2].period.map(|(start, end)| end.0 - start.0), Some(86_400_000_000));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("{}", "lines must be a JSON array of objects"),
            ("[1]", "lines must be a JSON array of objects"),
            (r#"[{"amonut": 1}]"#, r#"lines has an unknown key, "amonut""#),
            (r#"[{"price_id": "x"}]"#, "price_id must be the id of a price"),
            (r#"[{"quantity": 0}]"#, "quantity must be greater than zero"),
            (r#"[{"amount": "NaN"}]"#, "amount must be a finite number"),
            (r#"[{"amount": true}]"#, "amount must be a number"),
            (r#"[{"unit_amount": 0.0000000000001}]"#, "unit_amount must have at most 12 decimals"),
            (r#"[{"tax_rate": 101}]"#, "tax_rate must be at most 100"),
            (r#"[{"tax_rate": -1}]"#, "tax_rate must not be negative"),
            (r#"[{"tax_behavior": "none"}]"#, "tax_behavior must be one of: exclusive, inclusive (it is \"none\")"),
            (r#"[{"metadata": []}]"#, "metadata must be a JSON object"),
            (r#"[{"description": 1}]"#, "description must be a text"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), words, "{text}");
        }
        for period in [r#"{"start": 2, "end": 1}"#, r#"{"start": 2}"#, "1", r#"{"start": "now", "end": 1}"#] {
            assert!(read(&format!(r#"[{{"period": {period}}}]"#)).is_err(), "{period}");
        }
    }
}
