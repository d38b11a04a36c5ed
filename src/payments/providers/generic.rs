//! A provider of one's own: plain HMAC, and events `{"id", "type", "customer_id", "payment_intent_id", "reference", "amount",
//! …}` with amounts in major units, as numbers or texts. Pure.

use crate::amount::{self, Decimal};
use crate::outbox::signature::{self, Invalid, Signed};
use crate::payments::providers::Provider;
use crate::payments::providers::event::{Event, Fact, Livemode, NoEvent, Sender, Subject, required};
use crate::payments::providers::field::{self, Field};
use crate::payments::providers::stripe::Stripe;
use crate::payments::reckoning::Details;
use hmac::Hmac;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

/// Any provider that no other file knows, and what a purchase without one is taken for.
pub struct Generic;

impl Provider for Generic {
    /// HMAC-SHA256 of the payload, in hexadecimal, with or without `sha256=` before it.
    fn verify(&self, signed: &Signed<'_>) -> Result<(), Invalid> {
        let header = signed.header.trim();
        let header = header.strip_prefix("sha256=").unwrap_or(header);
        let signature = signature::bytes::<32>(header).ok_or(Invalid::Malformed)?;
        signed.by_hmac::<Hmac<Sha256>>(&[signed.payload], &[signature])
    }

    fn event(&self, json: &Value) -> Result<Event, NoEvent> {
        let payload: Payload = field::object(json).ok_or_else(|| NoEvent::at("", "must be a JSON object"))?;
        read(&payload)
    }

    /// As Stripe counts: most do. Only links are filled in with it.
    fn minor_decimals(&self, currency: &str) -> u32 {
        Stripe.minor_decimals(currency)
    }
}

/// An event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    id: Field,
    #[serde(rename = "type")]
    kind: Field,
    customer_id: Field,
    payment_intent_id: Field,
    top_up_id: Field,
    checkout_session_id: Field,
    refund_id: Field,
    action_url: Field,
    payment: Field,
    reference: Field,
    currency: Field,
    amount: Field,
    total_refunded: Field,
    tax: Field,
    shipping: Field,
    discount: Field,
    reason: Field,
    won: Field,
    livemode: Field,
    account: Field,
}

fn read(payload: &Payload) -> Result<Event, NoEvent> {
    let (id, kind) = (required("id", &payload.id)?, required("type", &payload.kind)?);
    let amount = || amount("amount", &payload.amount);
    let fact = match kind.as_str() {
        "payment.succeeded" => {
            let details = Details {
                tax: self::amount("tax", &payload.tax)?,
                shipping: self::amount("shipping", &payload.shipping)?,
                discount: self::amount("discount", &payload.discount)?,
                subtotal: None,
            };
            Fact::Succeeded { amount: amount()?, details }
        }
        "payment.failed" => Fact::Failed { reason: payload.reason.text() },
        "payment.expired" => Fact::Expired,
        "payment.processing" => Fact::Processing,
        "payment.requires_action" => Fact::RequiresAction { url: payload.action_url.web_address() },
        "payment.refunded" => {
            Fact::Refunded { amount: amount()?, total: self::amount("total_refunded", &payload.total_refunded)? }
        }
        "payment.refund_failed" => Fact::RefundFailed { amount: amount()? },
        "payment.disputed" => Fact::Disputed { amount: amount()? },
        "payment.dispute_closed" => {
            let won = payload.won.flag().ok_or_else(|| NoEvent::at("won", "must be true or false"))?;
            Fact::DisputeClosed { won }
        }
        _ => Fact::Nothing,
    };
    let (payment, reference) = (payload.payment.text(), payload.reference.text());
    let subject = Subject {
        customer_id: payload.customer_id.text(),
        intent_id: (payload.payment_intent_id.text())
            .or_else(|| payload.top_up_id.text())
            .or_else(|| payload.checkout_session_id.text()),
        refund_id: payload.refund_id.text(),
        of_payment: payment.clone().filter(|_| fact.is_of_payment()),
        payment: payment.or_else(|| reference.clone()),
    };
    let sender = Sender { livemode: Livemode::of(&payload.livemode), account: payload.account.text() };
    Ok(Event { id, kind, fact, reference, currency: payload.currency.text(), subject, sender, plan: None })
}

/// An amount. Left out it stands for whatever was due; what is there and no amount makes the event none.
fn amount(name: &str, field: &Field) -> Result<Option<Decimal>, NoEvent> {
    if matches!(field, Field::Missing | Field::Null) {
        return Ok(None);
    }
    let text = field.text().ok_or_else(|| NoEvent::at(name, "must be a number"))?;
    let amount = amount::parse(&text).and_then(amount::not_negative);
    amount.map(Some).map_err(|reason| NoEvent::at(name, reason.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: Value) -> Result<Event, NoEvent> {
        Generic.event(&json)
    }

    #[test]
    fn a_payment_and_what_becomes_of_it() {
        let paid = json!({"id": 1, "type": "payment.succeeded", "top_up_id": "t", "customer_id": "u1", "reference": "p1",
                          "amount": "11.90", "tax": 1.9, "currency": "EUR", "livemode": true, "account": "a"});
        let paid = read(paid).unwrap();
        let details = Details { tax: Some(Decimal::new(19, 1)), ..Details::default() };
        assert_eq!(paid.fact, Fact::Succeeded { amount: Some(Decimal::new(119, 1)), details });
        assert_eq!((paid.subject.payment.as_deref(), paid.subject.of_payment), (Some("p1"), None));
        assert_eq!(paid.sender, Sender { livemode: Livemode::Said(true), account: Some(String::from("a")) });
        let refund =
            json!({"id": 2, "type": "payment.refunded", "payment": "p1", "reference": "r1", "total_refunded": 3});
        let refund = read(refund).unwrap();
        assert_eq!(refund.fact, Fact::Refunded { amount: None, total: Some(Decimal::from(3)) });
        assert_eq!((refund.subject.of_payment.as_deref(), refund.reference.as_deref()), (Some("p1"), Some("r1")));
        assert_eq!(read(json!({"id": 3, "type": "payment.thanks", "amount": "?"})).unwrap().fact, Fact::Nothing);
    }

    #[test]
    fn an_amount_keeps_all_its_digits() {
        for digits in ["0.000000001", "1234567890123456789012345.678", "10.00", "0"] {
            let payload = format!(r#"{{"id": 1, "type": "payment.disputed", "amount": {digits}}}"#);
            let event = <dyn Provider>::read(&Generic, &payload).unwrap();
            assert_eq!(event.fact, Fact::Disputed { amount: Some(amount::parse(digits).unwrap()) }, "{digits}");
        }
    }

    #[test]
    fn what_is_no_event_says_where() {
        for (json, says) in [
            (json!([1]), "must be a JSON object"),
            (json!({"id": "3"}), "is wrong at type: it must be a text or a number of 1 to 255 characters"),
            (
                json!({"id": 1, "type": "payment.dispute_closed", "won": "yes"}),
                "is wrong at won: it must be true or false",
            ),
            (json!({"id": 1, "type": "payment.refunded", "amount": true}), "is wrong at amount: it must be a number"),
            (json!({"id": 1, "type": "payment.refunded", "amount": ""}), "is wrong at amount: it must be a number"),
            (
                json!({"id": 1, "type": "payment.refunded", "amount": 1, "total_refunded": "1e3"}),
                "is wrong at total_refunded: it must be a finite number",
            ),
            (
                json!({"id": 1, "type": "payment.succeeded", "amount": 10, "tax": -1}),
                "is wrong at tax: it must not be negative",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().to_string(), says);
        }
    }
}
