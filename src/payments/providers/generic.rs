//! Events of a provider of one's own: `{"id", "type", "customer_id", "top_up_id", "reference", "amount", "currency", …}`, amounts
//! in major units, as numbers or texts. Pure.

use crate::amount::{self, Decimal};
use crate::payments::providers::event::{Event, Fact, Sender, Subject, subject, text};
use crate::payments::reckoning::Details;
use serde_json::Value;

/// `None` for what is no event.
pub fn read(json: &Value) -> Option<Event> {
    let (id, kind) = (text(json, "id")?, text(json, "type")?);
    // Left out it stands for whatever was due; what is there and no amount makes the event none.
    let amount = |name: &str| -> Option<Option<Decimal>> {
        match json.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(_) => {
                text(json, name).and_then(|text| amount::parse(&text).ok()).filter(|n| *n >= Decimal::ZERO).map(Some)
            }
        }
    };
    let fact = match kind.as_str() {
        "payment.succeeded" => {
            let (tax, shipping, discount) = (amount("tax")?, amount("shipping")?, amount("discount")?);
            let details = Details { tax, shipping, discount, subtotal: None };
            Fact::Succeeded { amount: amount("amount")?, details }
        }
        "payment.failed" => Fact::Failed { reason: text(json, "reason") },
        "payment.expired" => Fact::Expired,
        "payment.refunded" => Fact::Refunded { amount: amount("amount")?, total: amount("total_refunded")? },
        "payment.refund_failed" => Fact::RefundFailed { amount: amount("amount")? },
        "payment.disputed" => Fact::Disputed { amount: amount("amount")? },
        "payment.dispute_closed" => Fact::DisputeClosed { won: json.get("won")?.as_bool()? },
        _ => Fact::Nothing,
    };
    let payment = text(json, "payment");
    let of_payment = payment.clone().filter(|_| fact.is_of_payment());
    let subject = Subject { of_payment, ..subject(Some(json), payment.or_else(|| text(json, "reference"))) };
    Some(Event {
        id,
        kind,
        fact,
        reference: text(json, "reference"),
        currency: text(json, "currency"),
        subject,
        sender: Sender::default(),
    })
}
