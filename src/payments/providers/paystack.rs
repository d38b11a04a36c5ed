//! Paystack's events: charge.success, charge.failed, refund.* and charge.dispute.*. Source: Paystack, "Webhooks: Types of
//! events". An event has no id of its own: its name and what it is about are one. Pure.

use crate::amount::Decimal;
use crate::json;
use crate::payments::money;
use crate::payments::providers::event::{Event, Fact, Sender, Subject, subject, text, units};
use crate::payments::reckoning::Details;
use serde_json::Value;

/// `None` for what is no event.
pub fn read(json: &Value) -> Option<Event> {
    let kind = text(json, "event")?;
    let data = json.get("data")?;
    let currency = text(data, "currency");
    // An amount that is not there, or is none, makes the event none: it must not stand for whatever was due.
    let amount = |name: &str| -> Option<Option<Decimal>> {
        money::reported("paystack", currency.as_deref(), units(data, name)).map(Some)
    };
    let transaction = data.get("transaction");
    let payment = text(data, "transaction_reference")
        .or_else(|| transaction.and_then(|transaction| text(transaction, "reference")));
    let metadata = data.get("metadata").or_else(|| transaction.and_then(|transaction| transaction.get("metadata")));
    let own = text(data, "id").or_else(|| text(data, "refund_reference"));
    let (fact, reference, payment) = match kind.as_str() {
        "charge.success" => {
            let fact = Fact::Succeeded { amount: amount("amount")?, details: Details::default() };
            (fact, text(data, "reference"), text(data, "reference"))
        }
        "charge.failed" => {
            let reason = text(data, "gateway_response");
            (Fact::Failed { reason }, text(data, "reference"), text(data, "reference"))
        }
        "refund.processed" => (Fact::Refunded { amount: amount("amount")?, total: None }, refund(data), payment),
        "refund.failed" => (Fact::RefundFailed { amount: amount("amount")? }, refund(data), payment),
        "charge.dispute.create" => (Fact::Disputed { amount: amount("refund_amount")? }, own.clone(), payment),
        "charge.dispute.resolve" => {
            let won = text(data, "resolution").as_deref() == Some("declined");
            (Fact::DisputeClosed { won }, own.clone(), payment)
        }
        _ => (Fact::Nothing, own.clone(), payment),
    };
    let about = reference.clone().or(own).or_else(|| payment.clone())?;
    let of_payment = payment.clone().filter(|_| fact.is_of_payment());
    let subject = Subject { of_payment, ..subject(metadata_of(metadata).as_ref(), payment) };
    Some(Event { id: format!("{kind} {about}"), kind, fact, reference, currency, subject, sender: Sender::default() })
}

/// What a refund is known by: its reference, its id, or else that there is one of so much for that payment.
fn refund(data: &Value) -> Option<String> {
    text(data, "refund_reference")
        .or_else(|| text(data, "id"))
        .or_else(|| Some(format!("{} of {}", text(data, "amount")?, text(data, "transaction_reference")?)))
}

/// Metadata come as an object, or as JSON in a text.
fn metadata_of(metadata: Option<&Value>) -> Option<Value> {
    match metadata? {
        Value::String(text) => json::read(text),
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_charge_and_its_refund() {
        let charge = json!({"event": "charge.success", "data": {"id": 7, "reference": "r1", "amount": 250000, "currency": "NGN",
                            "metadata": "{\"top_up_id\": \"t\", \"customer_id\": \"u1\"}"}});
        let charge = read(&charge).unwrap();
        let details = Details::default();
        assert_eq!(charge.fact, Fact::Succeeded { amount: Some(Decimal::from(2500)), details });
        assert_eq!((charge.id.as_str(), charge.subject.top_up_id.as_deref()), ("charge.success r1", Some("t")));
        let refund = json!({"event": "refund.processed", "data": {"transaction_reference": "r1", "refund_reference": "f1",
                            "amount": "10000", "currency": "NGN"}});
        let refund = read(&refund).unwrap();
        assert_eq!(refund.fact, Fact::Refunded { amount: Some(Decimal::from(100)), total: None });
        assert_eq!((refund.reference.as_deref(), refund.subject.payment.as_deref()), (Some("f1"), Some("r1")));
        assert_eq!((refund.subject.of_payment.as_deref(), charge.subject.of_payment), (Some("r1"), None));
        assert_eq!(read(&json!({"event": "refund.pending", "data": {"id": 1}})).unwrap().fact, Fact::Nothing);
    }

    #[test]
    fn what_is_no_event_is_none() {
        for json in [json!(null), json!({"event": "charge.success"}), json!({"event": "x", "data": {}})] {
            assert_eq!(read(&json), None);
        }
    }
}
