//! What a provider's event says, in words of our own. Pure.

use crate::amount::Decimal;
use serde_json::Value;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's id, unique with it.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// What happened.
    pub fact: Fact,
    /// What the provider calls the payment, the refund or the dispute: what a repeat is known by.
    pub reference: Option<String>,
    /// The currency of its amounts, as the provider writes it.
    pub currency: Option<String>,
    /// What it is about.
    pub subject: Subject,
}

/// How an event finds its top-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The application's metadata.
    pub customer_id: Option<String>,
    /// Likewise.
    pub top_up_id: Option<String>,
    /// What the provider calls the payment.
    pub payment: Option<String>,
}

/// What happened; amounts in major units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The money came.
    Succeeded {
        /// So much; what was due where the provider may leave that out.
        amount: Option<Decimal>,
    },
    /// It did not.
    Failed {
        /// Why, in the provider's words.
        reason: Option<String>,
    },
    /// Nobody will pay.
    Expired,
    /// Money was paid back.
    Refunded {
        /// By this refund.
        amount: Option<Decimal>,
        /// In all.
        total: Option<Decimal>,
    },
    /// It was not after all.
    RefundFailed {
        /// By this refund.
        amount: Option<Decimal>,
    },
    /// The payer disputes it.
    Disputed {
        /// So much of it.
        amount: Option<Decimal>,
    },
    /// That was decided.
    DisputeClosed {
        /// For us.
        won: bool,
    },
    /// Nothing that matters here.
    Nothing,
}

impl Fact {
    /// The word for it in the table of payments.
    pub fn kind(&self) -> &'static str {
        match self {
            Fact::Succeeded { .. } => "succeeded",
            Fact::Failed { .. } | Fact::Nothing => "failed",
            Fact::Expired => "expired",
            Fact::Refunded { .. } => "refunded",
            Fact::RefundFailed { .. } => "refund_failed",
            Fact::Disputed { .. } => "disputed",
            Fact::DisputeClosed { won: true } => "dispute_won",
            Fact::DisputeClosed { won: false } => "dispute_lost",
        }
    }
}

/// A text in JSON, an id's number included; empty is none.
pub fn text(json: &Value, name: &str) -> Option<String> {
    match json.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
    .filter(|text| !text.is_empty() && text.chars().count() <= 255)
}

/// The id of an object that is there whole, or only as its id.
pub fn id_of(json: &Value, name: &str) -> Option<String> {
    text(json, name).or_else(|| text(json.get(name)?, "id"))
}

/// A whole number in JSON that is not below zero, as a number or a text.
pub fn units(json: &Value, name: &str) -> Option<i128> {
    text(json, name)?.parse().ok().filter(|units| *units >= 0)
}

/// Most characters of a number, and the largest exponent.
const LONGEST_NUMBER: usize = 1_000;

/// Whether PostgreSQL can keep that as jsonb.
pub fn can_be_kept(json: &Value) -> bool {
    match json {
        Value::String(text) => !text.contains('\0'),
        Value::Number(number) => {
            let text = number.to_string();
            let exponent = text.split(['e', 'E']).nth(1).map_or(Ok(0), str::parse::<i64>);
            text.len() <= LONGEST_NUMBER && exponent.is_ok_and(|e| e.unsigned_abs() <= LONGEST_NUMBER as u64)
        }
        Value::Array(items) => items.iter().all(can_be_kept),
        Value::Object(members) => members.iter().all(|(name, value)| !name.contains('\0') && can_be_kept(value)),
        Value::Null | Value::Bool(_) => true,
    }
}

/// What the application put into the metadata.
pub fn subject(metadata: Option<&Value>, payment: Option<String>) -> Subject {
    let of = |name| metadata.and_then(|metadata| text(metadata, name));
    Subject { customer_id: of("customer_id"), top_up_id: of("top_up_id"), payment }
}
