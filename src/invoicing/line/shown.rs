//! Lines as JSON, for invoices that are not made: what a change would bring, and what is announced.

use crate::amount::Decimal;
use crate::invoicing::engine::{Part, Totals};
use crate::invoicing::line::New;
use serde_json::{Value, json};

/// An amount as JSON has it.
pub fn digits(number: Decimal) -> String {
    number.normalize().to_string()
}

/// An array of objects, one for each line.
pub fn shown(lines: &[New], totals: &Totals) -> Vec<Value> {
    let one = |(line, part): (&New, &Part)| {
        json!({
            "description": line.description(),
            "price_id": line.sold().map(|(price_id, _)| price_id),
            "quantity": line.sold().map(|(_, quantity)| digits(quantity)),
            "amount": digits(line.amount()),
            "discount": digits(part.discount),
            "tax": digits(part.tax),
        })
    };
    lines.iter().zip(&totals.parts).map(one).collect()
}
