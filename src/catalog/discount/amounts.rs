//! An amount in each of some currencies, as JSON: an object by currency, or an array. Pure.

use crate::amount;
use crate::catalog::discount::Amounts;
use crate::fields::{Checked, Fields, wrong};
use serde_json::{Map, Value, json};

/// The most currencies.
const MOST: usize = 100;

/// Reads it at its place; `name` is what the amount is called in there.
pub fn read(path: &str, value: &Value, name: &str) -> Checked<Amounts> {
    let mut amounts = Amounts::new();
    let mut put = |currency: &str, fields: &Fields<'_>| match fields.number(name, amount::over_zero)? {
        Some(amount) if amounts.insert(currency.to_string(), amount).is_none() => Ok(()),
        Some(_) => fields.wrong("currency", format!("is there twice: {currency}")),
        None => fields.wrong(name, "is required"),
    };
    match value {
        Value::Object(object) if object.len() <= MOST => {
            for (currency, given) in object {
                put(currency, &Fields::of(&at(path, currency), given, &[name])?)?;
            }
        }
        Value::Array(array) if array.len() <= MOST => {
            for (index, given) in array.iter().enumerate() {
                let fields = Fields::of(&format!("{path}[{index}]"), given, &["currency", "currency_id", name])?;
                let Some(currency) = fields.text(fields.spelled("currency", "currency_id")?)? else {
                    return fields.wrong("currency", "is required");
                };
                put(currency, &fields)?;
            }
        }
        _ => return wrong(path, format!("must be an object of at most {MOST} currencies, each with {name}")),
    }
    Ok(amounts)
}

fn at(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

/// As it is stored: by currency.
pub fn value(amounts: &Amounts, name: &str) -> Value {
    let digits = |amount: &amount::Decimal| amount.normalize().to_string();
    let object: Map<String, Value> =
        amounts.iter().map(|(currency, amount)| (currency.clone(), json!({ name: digits(amount) }))).collect();
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<String, String> {
        let value: Value = serde_json::from_str(text).unwrap();
        let amounts = read("", &value, "amount_off").map_err(|wrong| wrong.to_string())?;
        Ok(value_text(&amounts))
    }

    fn value_text(amounts: &Amounts) -> String {
        value(amounts, "amount_off").to_string()
    }

    #[test]
    fn either_form_is_the_same() {
        let expected = Ok(String::from(r#"{"EUR":{"amount_off":"9.5"},"JPY":{"amount_off":"1000"}}"#));
        assert_eq!(read_text(r#"{"JPY": {"amount_off": "1000.0"}, "EUR": {"amount_off": 9.50}}"#), expected);
        let array = r#"[{"currency": "EUR", "amount_off": 9.5}, {"currency_id": "JPY", "amount_off": 1000}]"#;
        assert_eq!(read_text(array), expected);
        assert_eq!(read_text("{}"), Ok(String::from("{}")));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, reason) in [
            ("5", "must be an object of at most 100 currencies, each with amount_off"),
            (r#"{"EUR": 5}"#, "is wrong at EUR: it must be a JSON object"),
            (r#"{"EUR": {}}"#, "is wrong at EUR.amount_off: it is required"),
            (r#"{"EUR": {"amount_off": 0}}"#, "is wrong at EUR.amount_off: it must be greater than zero"),
            (r#"[{"amount_off": 1}]"#, "is wrong at [0].currency: it is required"),
            (
                r#"[{"currency": "EUR", "amount_off": 1}, {"currency": "EUR", "amount_off": 2}]"#,
                "is wrong at [1].currency: it is there twice: EUR",
            ),
        ] {
            assert_eq!(read_text(text), Err(reason.to_string()), "{text}");
        }
    }
}
