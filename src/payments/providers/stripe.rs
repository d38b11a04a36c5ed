//! Stripe's events: those of Checkout Sessions, PaymentIntents, refunds and disputes. Source: Stripe, "Types of events" and the
//! API reference of the objects that they carry. Pure.

use crate::amount::Decimal;
use crate::payments::money;
use crate::payments::providers::event::{Event, Fact, Sender, Subject, id_of, subject, text, units};
use crate::payments::reckoning::Details;
use serde_json::Value;

/// `None` for what is no event.
pub fn read(json: &Value) -> Option<Event> {
    let (id, kind) = (text(json, "id")?, text(json, "type")?);
    let object = json.get("data")?.get("object")?;
    let currency = text(object, "currency");
    // An amount that is not there, or is none, makes the event none: it must not stand for whatever was due.
    let amount = |name: &str| -> Option<Option<Decimal>> {
        money::reported("stripe", currency.as_deref(), units(object, name)).map(Some)
    };
    let status = text(object, "status").unwrap_or_default();
    let own = text(object, "id");
    let payment = id_of(object, "payment_intent");
    let (fact, reference, payment) = match kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let reference = payment.clone().or(own);
            let details = details(object, currency.as_deref());
            let fact = match text(object, "payment_status").as_deref() {
                Some("paid") => Fact::Succeeded { amount: amount("amount_total")?, details },
                Some("no_payment_required") if is_free(object) => Fact::Free { details },
                _ => Fact::Nothing,
            };
            (fact, reference.clone(), reference)
        }
        "checkout.session.async_payment_failed" => (Fact::Failed { reason: None }, payment.clone().or(own), payment),
        "checkout.session.expired" => (Fact::Expired, own, payment),
        "payment_intent.succeeded" => {
            let fact = Fact::Succeeded { amount: amount("amount_received")?, details: Details::default() };
            (fact, own.clone(), own)
        }
        "payment_intent.payment_failed" | "payment_intent.canceled" => {
            let error = object.get("last_payment_error").and_then(|error| text(error, "message"));
            let reason = error.or_else(|| text(object, "cancellation_reason"));
            (Fact::Failed { reason }, own.clone(), own)
        }
        // Says what was paid back in all, and not by which refund.
        "charge.refunded" => {
            let total = amount("amount_refunded")?;
            (Fact::Refunded { amount: None, total }, None, payment.or(own))
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let fact = match (kind.as_str(), status.as_str()) {
                ("refund.failed", _) | (_, "failed" | "canceled") => Fact::RefundFailed { amount: amount("amount")? },
                (_, "succeeded") => Fact::Refunded { amount: amount("amount")?, total: None },
                _ => Fact::Nothing,
            };
            (fact, own, payment.or_else(|| id_of(object, "charge")))
        }
        "charge.dispute.created" => {
            // An inquiry takes no money.
            let fact = if status.starts_with("warning_") {
                Fact::Nothing
            } else {
                Fact::Disputed { amount: amount("amount")? }
            };
            (fact, own, payment.or_else(|| id_of(object, "charge")))
        }
        "charge.dispute.closed" => {
            let fact = match status.as_str() {
                "won" => Fact::DisputeClosed { won: true },
                "lost" => Fact::DisputeClosed { won: false },
                _ => Fact::Nothing,
            };
            (fact, own, payment.or_else(|| id_of(object, "charge")))
        }
        _ => (Fact::Nothing, own, payment),
    };
    let of_payment = payment.clone().filter(|_| fact.is_of_payment());
    let mut subject = Subject { of_payment, ..subject(object.get("metadata"), payment) };
    if kind.starts_with("checkout.session.") && subject.top_up_id.is_none() {
        subject.top_up_id = text(object, "client_reference_id").filter(|id| uuid::Uuid::parse_str(id).is_ok());
    }
    Some(Event { id, kind, fact, reference, currency, subject, sender: Sender::default() })
}

/// Whether a Checkout Session sold something, and nothing was to be paid for it: sessions of other modes say so as well.
fn is_free(session: &Value) -> bool {
    units(session, "amount_total") == Some(0) && text(session, "mode").is_none_or(|mode| mode == "payment")
}

/// What the total of a Checkout Session is made of.
fn details(session: &Value, currency: Option<&str>) -> Details {
    let part = |object: &Value, name: &str| money::reported("stripe", currency, units(object, name));
    let of_total = |name: &str| session.get("total_details").and_then(|details| part(details, name));
    Details {
        tax: of_total("amount_tax"),
        shipping: of_total("amount_shipping"),
        discount: of_total("amount_discount"),
        subtotal: part(session, "amount_subtotal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, object: Value) -> Event {
        read(&json!({"id": "evt_1", "type": kind, "data": {"object": object}})).unwrap()
    }

    #[test]
    fn a_session_and_its_intent_are_one_payment() {
        let session = event(
            "checkout.session.completed",
            json!({"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 2500, "currency": "usd",
                   "metadata": {"customer_id": "u1", "top_up_id": "t"}}),
        );
        let details = Details::default();
        assert_eq!(session.fact, Fact::Succeeded { amount: Some(Decimal::from(25)), details });
        let intent = event(
            "payment_intent.succeeded",
            json!({"id": "pi_1", "amount_received": 2500, "currency": "usd", "metadata": {"top_up_id": "t"}}),
        );
        assert_eq!((session.reference, session.subject.payment), (intent.reference, intent.subject.payment));
    }

    #[test]
    fn what_is_not_paid_yet_is_nothing() {
        let unpaid = json!({"id": "cs_1", "payment_intent": null, "payment_status": "unpaid", "amount_total": 2500});
        assert_eq!(event("checkout.session.completed", unpaid).fact, Fact::Nothing);
        assert_eq!(
            event("refund.created", json!({"id": "re_1", "status": "pending", "amount": 1})).fact,
            Fact::Nothing
        );
        assert_eq!(event("customer.created", json!({"id": "cus_1"})).fact, Fact::Nothing);
        let inquiry = json!({"id": "dp_1", "status": "warning_needs_response", "amount": 1, "currency": "usd"});
        assert_eq!(event("charge.dispute.created", inquiry).fact, Fact::Nothing);
    }

    #[test]
    fn refunds_and_disputes_name_the_payment() {
        let refund = event(
            "refund.updated",
            json!({"id": "re_1", "status": "succeeded", "amount": 500, "currency": "usd", "payment_intent": {"id": "pi_1"}}),
        );
        assert_eq!(refund.fact, Fact::Refunded { amount: Some(Decimal::from(5)), total: None });
        assert_eq!((refund.reference.as_deref(), refund.subject.payment.as_deref()), (Some("re_1"), Some("pi_1")));
        let charge = event(
            "charge.refunded",
            json!({"id": "ch_1", "amount_refunded": 700, "currency": "usd", "payment_intent": "pi_1"}),
        );
        assert_eq!(charge.fact, Fact::Refunded { amount: None, total: Some(Decimal::from(7)) });
        assert_eq!((charge.reference, charge.subject.of_payment.as_deref()), (None, Some("pi_1")));
        let lost = event("charge.dispute.closed", json!({"id": "dp_1", "status": "lost", "payment_intent": "pi_1"}));
        assert_eq!(lost.fact, Fact::DisputeClosed { won: false });
    }

    #[test]
    fn what_is_no_event_is_none() {
        for json in [json!(null), json!([]), json!({"id": "x"}), json!({"id": 1, "type": "t", "data": []})] {
            assert_eq!(read(&json), None);
        }
    }
}
