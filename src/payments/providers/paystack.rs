//! Paystack: how it signs, and the events charge.success, charge.failed, refund.* and charge.dispute.*; those of plans are
//! in paystack/plan.rs. Sources:
//! Paystack, "Webhooks: Types of events" and "Transactions". An event has no id of its own: its name and what it is
//! about are one. Pure.

mod plan;

use crate::json;
use crate::outbox::signature::{self, Invalid, Signed};
use crate::payments::providers::Provider;
use crate::payments::providers::event::{Amounts, Event, Fact, Livemode, Metadata, NoEvent, Sender, required, subject};
use crate::payments::providers::field::{self, Field};
use crate::payments::reckoning::Details;
use hmac::Hmac;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha512;

/// Paystack.
pub struct Paystack;

impl Provider for Paystack {
    /// HMAC-SHA512 of the payload, in hexadecimal. Source: Paystack, "Webhooks: Signature validation".
    fn verify(&self, signed: &Signed<'_>) -> Result<(), Invalid> {
        let signature = signature::bytes::<64>(signed.header.trim()).ok_or(Invalid::Malformed)?;
        signed.by_hmac::<Hmac<Sha512>>(&[signed.payload], &[signature])
    }

    fn event(&self, json: &Value) -> Result<Event, NoEvent> {
        let payload: Payload = field::object(json).ok_or_else(|| NoEvent::at("", "must be a JSON object"))?;
        Ok(read(&payload)?.with_plan(plan::read(json)?))
    }

    /// Every currency is counted in hundredths. Source: Paystack, "Supported currencies: subunit".
    fn minor_decimals(&self, _: &str) -> u32 {
        2
    }

    fn bills_plans(&self) -> bool {
        true
    }
}

/// An event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    event: Field,
    data: Field<Data>,
    account: Field,
}

/// A transaction, a refund or a dispute: each has some of these.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    id: Field,
    domain: Field,
    reference: Field,
    refund_reference: Field,
    transaction_reference: Field,
    invoice_code: Field,
    subscription_code: Field,
    transaction: Field<Transaction>,
    amount: Field,
    refund_amount: Field,
    currency: Field,
    gateway_response: Field,
    resolution: Field,
    metadata: Field<Metadata>,
}

/// The transaction that a dispute is of.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Transaction {
    reference: Field,
    metadata: Field<Metadata>,
}

fn read(payload: &Payload) -> Result<Event, NoEvent> {
    let kind = required("event", &payload.event)?;
    let data = payload.data.object().ok_or_else(|| NoEvent::at("data", "must be a JSON object"))?;
    let currency = data.currency.text();
    let amounts = Amounts { provider: &Paystack, path: "data", currency: currency.as_deref() };
    let amount = |name, field| amounts.required(name, field).map(Some);
    let transaction = data.transaction.object();
    let payment = data.transaction_reference.text();
    let payment = payment.or_else(|| transaction.and_then(|transaction| transaction.reference.text()));
    let own = data.id.text().or_else(|| data.refund_reference.text());
    let (fact, reference, payment) = match kind.as_str() {
        "charge.success" => {
            let fact = Fact::Succeeded { amount: amount("amount", &data.amount)?, details: Details::default() };
            (fact, data.reference.text(), data.reference.text())
        }
        "charge.failed" => {
            let reason = data.gateway_response.text();
            (Fact::Failed { reason }, data.reference.text(), data.reference.text())
        }
        "refund.processed" => {
            (Fact::Refunded { amount: amount("amount", &data.amount)?, total: None }, data.refund(), payment)
        }
        "refund.failed" => (Fact::RefundFailed { amount: amount("amount", &data.amount)? }, data.refund(), payment),
        "charge.dispute.create" => {
            (Fact::Disputed { amount: amount("refund_amount", &data.refund_amount)? }, own.clone(), payment)
        }
        "charge.dispute.resolve" => {
            let won = data.resolution.text().as_deref() == Some("declined");
            (Fact::DisputeClosed { won }, own.clone(), payment)
        }
        _ => (Fact::Nothing, own.clone(), payment),
    };
    let named = || data.invoice_code.text().or_else(|| data.subscription_code.text());
    let about = reference.clone().or(own).or_else(|| payment.clone()).or_else(named);
    let about = about.ok_or_else(|| NoEvent::at("data", "must have an id or a reference: what the event is about"))?;
    let of_payment = payment.clone().filter(|_| fact.is_of_payment());
    // The transaction's own only where there is none beside it.
    let metadata = Some(&data.metadata).filter(|metadata| metadata.is_there());
    let metadata = metadata.or_else(|| transaction.map(|transaction| &transaction.metadata));
    let subject = read_metadata(metadata, |metadata| subject(metadata, payment, of_payment));
    let sender = Sender { livemode: data.livemode(), account: payload.account.text() };
    Ok(Event { id: format!("{kind} {about}"), kind, fact, reference, currency, subject, sender, plan: None })
}

/// Metadata come as an object, or as JSON in a text.
fn read_metadata<R>(metadata: Option<&Field<Metadata>>, read: impl FnOnce(Option<&Metadata>) -> R) -> R {
    match metadata {
        Some(Field::Object(metadata)) => read(Some(metadata)),
        Some(Field::Text(text)) => read(json::read(text).and_then(|json| field::object(&json)).as_ref()),
        _ => read(None),
    }
}

impl Data {
    /// What a refund is known by: its reference, its id, or else that there is one of so much for that payment.
    fn refund(&self) -> Option<String> {
        let of_payment = || Some(format!("{} of {}", self.amount.text()?, self.transaction_reference.text()?));
        self.refund_reference.text().or_else(|| self.id.text()).or_else(of_payment)
    }

    /// Whether it is about real money: `domain` is "test" for what is not.
    fn livemode(&self) -> Livemode {
        match self.domain.text() {
            _ if !self.domain.is_there() => Livemode::Unsaid,
            Some(domain) => Livemode::Said(domain != "test"),
            None => Livemode::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Decimal;
    use serde_json::json;

    #[test]
    fn a_charge_and_its_refund() {
        let charge = json!({"event": "charge.success", "data": {"id": 7, "reference": "r1", "amount": 250000, "currency": "NGN",
                            "metadata": "{\"top_up_id\": \"t\", \"customer_id\": \"u1\"}"}});
        let charge = Paystack.event(&charge).unwrap();
        let details = Details::default();
        assert_eq!(charge.fact, Fact::Succeeded { amount: Some(Decimal::from(2500)), details });
        assert_eq!((charge.id.as_str(), charge.subject.intent_id.as_deref()), ("charge.success r1", Some("t")));
        let refund = json!({"event": "refund.processed", "data": {"transaction_reference": "r1", "refund_reference": "f1",
                            "amount": "10000", "currency": "NGN"}});
        let refund = Paystack.event(&refund).unwrap();
        assert_eq!(refund.fact, Fact::Refunded { amount: Some(Decimal::from(100)), total: None });
        assert_eq!((refund.reference.as_deref(), refund.subject.payment.as_deref()), (Some("f1"), Some("r1")));
        assert_eq!((refund.subject.of_payment.as_deref(), charge.subject.of_payment), (Some("r1"), None));
        assert_eq!(Paystack.event(&json!({"event": "refund.pending", "data": {"id": 1}})).unwrap().fact, Fact::Nothing);
    }

    #[test]
    fn what_is_no_event_says_where() {
        for (json, says) in [
            (json!(null), "must be a JSON object"),
            (json!({"data": {"id": 1}}), "is wrong at event: it must be a text or a number of 1 to 255 characters"),
            (json!({"event": "charge.success"}), "is wrong at data: it must be a JSON object"),
            (json!({"event": "x", "data": []}), "is wrong at data: it must be a JSON object"),
            (
                json!({"event": "x", "data": {}}),
                "is wrong at data: it must have an id or a reference: what the event is about",
            ),
            (
                json!({"event": "charge.success", "data": {"reference": "r", "amount": 1.5, "currency": "NGN"}}),
                "is wrong at data.amount: it must be a whole number of minor units that is not negative",
            ),
            (
                json!({"event": "charge.dispute.create", "data": {"id": 1, "amount": 1, "currency": "NGN"}}),
                "is wrong at data.refund_amount: it must be a whole number of minor units that is not negative",
            ),
            (
                json!({"event": "refund.failed", "data": {"id": 1, "amount": 1}}),
                "is wrong at data.currency: it must be the code of the amount's currency",
            ),
        ] {
            assert_eq!(Paystack.event(&json).unwrap_err().to_string(), says, "{json}");
        }
    }

    #[test]
    fn metadata_are_found_in_every_form() {
        let top_up = |data: Value| {
            let mut json = json!({"event": "charge.dispute.resolve", "data": {"id": 1}});
            json["data"].as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
            Paystack.event(&json).unwrap().subject.intent_id
        };
        let of_transaction = json!({"metadata": {"top_up_id": "t"}});
        assert_eq!(top_up(json!({"metadata": {"top_up_id": 5}})).as_deref(), Some("5"));
        assert_eq!(top_up(json!({"metadata": "{\"top_up_id\": \"t\"}"})).as_deref(), Some("t"));
        assert_eq!(top_up(json!({"transaction": of_transaction})).as_deref(), Some("t"));
        for odd in [json!(null), json!(0), json!(""), json!("[]"), json!("{"), json!([]), json!({"top_up_id": null})] {
            assert_eq!(top_up(json!({"metadata": odd, "transaction": of_transaction})), None, "{odd}");
        }
    }

    #[test]
    fn the_domain_says_whether_it_is_real() {
        let said = |data: Value| {
            let mut json = json!({"event": "x", "data": {"id": 1}, "account": 5});
            json["data"].as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
            let sender = Paystack.event(&json).unwrap().sender;
            assert_eq!(sender.account.as_deref(), Some("5"));
            sender.livemode
        };
        assert_eq!(said(json!({})), Livemode::Unsaid);
        assert_eq!(said(json!({"domain": "test"})), Livemode::Said(false));
        assert_eq!(said(json!({"domain": "live"})), Livemode::Said(true));
        for odd in [json!(null), json!(true), json!(""), json!({})] {
            assert_eq!(said(json!({"domain": odd})), Livemode::Unclear);
        }
    }
}
