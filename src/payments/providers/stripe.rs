//! Stripe: how it signs, the events of Checkout Sessions, PaymentIntents, refunds and disputes, and its minor units; Stripe
//! Billing is in stripe/plan.rs.
//! Sources: Stripe, "Types of events", "The Event object", and the API reference of the objects that events carry.
//! Pure.

mod plan;

use crate::outbox::signature::{self, Invalid, Signed};
use crate::payments::providers::Provider;
use crate::payments::providers::event::{
    Amounts, Event, Fact, Livemode, Metadata, NoEvent, Sender, Subject, required, subject,
};
use crate::payments::providers::field::{self, Field, Identity};
use crate::payments::reckoning::Details;
use hmac::Hmac;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

/// Stripe.
pub struct Stripe;

impl Provider for Stripe {
    /// `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 of `<t>.<payload>`. Source: Stripe, "Verify webhook
    /// signatures manually".
    fn verify(&self, signed: &Signed<'_>) -> Result<(), Invalid> {
        let (mut signed_at, mut signatures) = (None, Vec::new());
        for (name, value) in signed.header.split(',').filter_map(|item| item.trim().split_once('=')) {
            match name {
                // Stripe's own library reads the first, so a second would be read otherwise elsewhere.
                "t" if signed_at.is_some() => return Err(Invalid::Malformed),
                "t" => signed_at = Some(value),
                "v1" => signatures.extend(signature::bytes::<32>(value)),
                _ => {}
            }
        }
        let signed_at = signed_at.filter(|t| t.bytes().all(|b| b.is_ascii_digit())).ok_or(Invalid::Malformed)?;
        let seconds: i64 = signed_at.parse().map_err(|_| Invalid::Malformed)?;
        if signatures.is_empty() {
            return Err(Invalid::Malformed);
        }
        signed.by_hmac::<Hmac<Sha256>>(&[signed_at, ".", signed.payload], &signatures)?;
        // Only what is genuine is said to be old.
        if seconds < signed.now.saturating_sub(signed.tolerance) { Err(Invalid::TooOld) } else { Ok(()) }
    }

    fn event(&self, json: &Value) -> Result<Event, NoEvent> {
        let payload: Payload = field::object(json).ok_or_else(|| NoEvent::at("", "must be a JSON object"))?;
        Ok(read(&payload)?.with_plan(plan::read(json)?))
    }

    fn minor_decimals(&self, currency: &str) -> u32 {
        match currency.to_ascii_uppercase().as_str() {
            code if WHOLE.contains(&code) => 0,
            code if THOUSANDTHS.contains(&code) => 3,
            _ => 2,
        }
    }

    fn bills_plans(&self) -> bool {
        true
    }
}

/// Currencies that Stripe counts in whole units. Source: Stripe, "Supported currencies: zero-decimal currencies"; ISK
/// and UGX, which have no decimals either, it counts in hundredths.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Those that it counts in thousandths. Source: the same, "three-decimal currencies".
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// An event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    id: Field,
    #[serde(rename = "type")]
    kind: Field,
    data: Field<Data>,
    livemode: Field,
    account: Field,
}

/// What an event carries.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    object: Field<Object>,
}

/// A Checkout Session, a PaymentIntent, a charge, a refund or a dispute: each has some of these.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    id: Field,
    status: Field,
    currency: Field,
    amount: Field,
    amount_received: Field,
    amount_refunded: Field,
    amount_subtotal: Field,
    amount_total: Field,
    total_details: Field<TotalDetails>,
    mode: Field,
    payment_status: Field,
    payment_intent: Field<Identity>,
    charge: Field<Identity>,
    cancellation_reason: Field,
    last_payment_error: Field<PaymentError>,
    next_action: Field<NextAction>,
    client_reference_id: Field,
    metadata: Field<Metadata>,
}

/// What the total of a Checkout Session is made of.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TotalDetails {
    amount_tax: Field,
    amount_shipping: Field,
    amount_discount: Field,
}

/// What the customer has to do for a payment.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NextAction {
    redirect_to_url: Field<Redirect>,
}

/// Where.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Redirect {
    url: Field,
}

/// Why a payment failed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PaymentError {
    message: Field,
}

fn read(payload: &Payload) -> Result<Event, NoEvent> {
    let (id, kind) = (required("id", &payload.id)?, required("type", &payload.kind)?);
    let carried = payload.data.object().filter(|data| data.object.is_there());
    let carried = carried.ok_or_else(|| NoEvent::at("data.object", "is required"))?;
    let nothing = Object::default();
    let object = carried.object.object().unwrap_or(&nothing);
    let currency = object.currency.text();
    let amounts = Amounts { provider: &Stripe, path: "data.object", currency: currency.as_deref() };
    let amount = |name, field| amounts.required(name, field).map(Some);
    let status = object.status.text().unwrap_or_default();
    let own = object.id.text();
    let payment = object.payment_intent.id();
    let (fact, reference, payment) = match kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let reference = payment.or(own);
            let details = object.details(&amounts);
            let fact = match object.payment_status.text().as_deref() {
                Some("paid") => Fact::Succeeded { amount: amount("amount_total", &object.amount_total)?, details },
                Some("no_payment_required") if object.is_free() => Fact::Free { details },
                _ => Fact::Nothing,
            };
            (fact, reference.clone(), reference)
        }
        "checkout.session.async_payment_failed" => (Fact::Failed { reason: None }, payment.clone().or(own), payment),
        "checkout.session.expired" => (Fact::Expired, own, payment),
        "payment_intent.succeeded" => {
            let amount = amount("amount_received", &object.amount_received)?;
            (Fact::Succeeded { amount, details: Details::default() }, own.clone(), own)
        }
        "payment_intent.payment_failed" | "payment_intent.canceled" => {
            let error = object.last_payment_error.object().and_then(|error| error.message.text());
            let reason = error.or_else(|| object.cancellation_reason.text());
            (Fact::Failed { reason }, own.clone(), own)
        }
        "payment_intent.processing" => (Fact::Processing, own.clone(), own),
        "payment_intent.requires_action" => {
            let redirect = object.next_action.object().and_then(|action| action.redirect_to_url.object());
            (Fact::RequiresAction { url: redirect.and_then(|to| to.url.web_address()) }, own.clone(), own)
        }
        // Says what was paid back in all, and not by which refund.
        "charge.refunded" => {
            let total = amount("amount_refunded", &object.amount_refunded)?;
            (Fact::Refunded { amount: None, total }, None, payment.or(own))
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let amount = || amount("amount", &object.amount);
            let fact = match (kind.as_str(), status.as_str()) {
                ("refund.failed", _) | (_, "failed" | "canceled") => Fact::RefundFailed { amount: amount()? },
                (_, "succeeded") => Fact::Refunded { amount: amount()?, total: None },
                _ => Fact::Nothing,
            };
            (fact, own, payment.or_else(|| object.charge.id()))
        }
        "charge.dispute.created" => {
            // An inquiry takes no money.
            let fact = if status.starts_with("warning_") {
                Fact::Nothing
            } else {
                Fact::Disputed { amount: amount("amount", &object.amount)? }
            };
            (fact, own, payment.or_else(|| object.charge.id()))
        }
        "charge.dispute.closed" => {
            let fact = match status.as_str() {
                "won" => Fact::DisputeClosed { won: true },
                "lost" => Fact::DisputeClosed { won: false },
                _ => Fact::Nothing,
            };
            (fact, own, payment.or_else(|| object.charge.id()))
        }
        _ => (Fact::Nothing, own, payment),
    };
    let of_payment = payment.clone().filter(|_| fact.is_of_payment());
    let mut subject: Subject = subject(object.metadata.object(), payment, of_payment);
    if kind.starts_with("checkout.session.") && subject.intent_id.is_none() {
        subject.intent_id = object.client_reference_id.text().filter(|id| uuid::Uuid::parse_str(id).is_ok());
    }
    let sender = Sender { livemode: Livemode::of(&payload.livemode), account: payload.account.text() };
    Ok(Event { id, kind, fact, reference, currency, subject, sender, plan: None })
}

impl Object {
    /// Whether a Checkout Session sold something, and nothing was to be paid for it: sessions of other modes say so as
    /// well.
    fn is_free(&self) -> bool {
        self.amount_total.units() == Some(0) && self.mode.text().is_none_or(|mode| mode == "payment")
    }

    /// What the total of a Checkout Session is made of.
    fn details(&self, amounts: &Amounts<'_>) -> Details {
        let nothing = TotalDetails::default();
        let of_total = self.total_details.object().unwrap_or(&nothing);
        Details {
            tax: amounts.optional(&of_total.amount_tax),
            shipping: amounts.optional(&of_total.amount_shipping),
            discount: amounts.optional(&of_total.amount_discount),
            subtotal: amounts.optional(&self.amount_subtotal),
        }
    }
}

#[cfg(test)]
mod tests;
