//! The lines of a refund as a caller gives them: what of which line goes back. Pure.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::payments::clawback::line::Line;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What of a line goes back, tax included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The line.
    pub invoice_line_id: Uuid,
    /// How much, in major units.
    pub amount: Decimal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    invoice_line_id: Uuid,
    amount: Value,
}

/// From JSON. Raises PC007, PC013.
pub fn read(text: &str) -> Result<Vec<Part>, Error> {
    let wrong = |reason: &str| {
        Error::argument("lines", format!("must be an array of objects, each with invoice_line_id and amount: {reason}"))
    };
    let given: Vec<Given> = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    if given.is_empty() {
        return Err(wrong("it is empty"));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(given.len());
    for Given { invoice_line_id, amount } in given {
        let text = match &amount {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return Err(wrong("an amount is no number")),
        };
        let amount = amount::parse(&text).and_then(amount::over_zero);
        let amount =
            amount.map_err(|reason| Error::InvalidAmount { argument: "lines", value: text.clone(), reason })?;
        if parts.iter().any(|part| part.invoice_line_id == invoice_line_id) {
            return Err(wrong(&format!("the line {invoice_line_id} is there twice")));
        }
        parts.push(Part { invoice_line_id, amount });
    }
    Ok(parts)
}

/// What they come to; `None` where there are none. Each is a line of the invoice that has so much left. Raises PC007, PC013.
pub fn judge(parts: &[Part], lines: &[Line]) -> Result<Option<Decimal>, Error> {
    let mut sum = Decimal::ZERO;
    for part in parts {
        let line = lines.iter().find(|line| line.id == part.invoice_line_id).ok_or_else(|| {
            Error::argument("lines", format!("must be lines of the invoice: {} is none", part.invoice_line_id))
        })?;
        let left = (line.gross - line.refunded).max(Decimal::ZERO);
        if part.amount > left {
            return Err(Error::amount("lines", part.amount, AmountError::MoreThanPaid(left)));
        }
        sum = sum.saturating_add(part.amount);
    }
    Ok((!parts.is_empty()).then_some(sum))
}

/// As they are kept.
pub fn json(parts: &[Part]) -> String {
    let all: Vec<Value> = parts
        .iter()
        .map(|part| json!({"invoice_line_id": part.invoice_line_id, "amount": part.amount.normalize().to_string()}))
        .collect();
    Value::Array(all).to_string()
}

/// What a replay is compared with.
pub fn compared(parts: &[Part]) -> String {
    if parts.is_empty() { String::from("all lines") } else { json(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::parse;

    const LINE: &str = "01a22bec-5933-763b-8a3d-9e9a2c7ce734";

    fn given(amount: &str) -> String {
        format!("[{{\"invoice_line_id\": \"{LINE}\", \"amount\": {amount}}}]")
    }

    #[test]
    fn amounts_are_numbers_or_texts() {
        for amount in ["1.10", "\"1.10\""] {
            let parts = read(&given(amount)).unwrap();
            assert_eq!(json(&parts), format!("[{{\"amount\":\"1.1\",\"invoice_line_id\":\"{LINE}\"}}]"));
            assert_eq!(read(&json(&parts)).unwrap(), parts);
        }
        for wrong in ["-1", "0", "null", "\"x\"", "[]"] {
            assert!(read(&given(wrong)).is_err(), "{wrong}");
        }
        for wrong in ["[]", "{}", "[1]", "[{\"amount\": 1}]", &given("1, \"more\": 2"), "[{}", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_more_goes_back_than_is_left_of_a_line() {
        let d = |text| parse(text).unwrap();
        let line = |refunded| Line {
            id: Uuid::parse_str(LINE).unwrap(),
            net: d("10"),
            gross: d("11.90"),
            refunded: d(refunded),
            credits: None,
        };
        let parts = read(&given("5.95")).unwrap();
        assert_eq!(judge(&parts, &[line("0")]).unwrap(), Some(d("5.95")));
        assert_eq!(judge(&parts, &[line("5.95")]).unwrap(), Some(d("5.95")));
        assert!(judge(&parts, &[line("6")]).is_err());
        assert!(judge(&parts, &[]).is_err());
        assert_eq!(judge(&[], &[line("0")]).unwrap(), None);
    }
}
