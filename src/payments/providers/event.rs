//! What a provider's event says, in words of our own. Pure.

use crate::amount::Decimal;
use crate::payments::reckoning::{Details, Kind};
use crate::payments::reference::Thing;
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
    /// Who sent it.
    pub sender: Sender,
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
    /// The same where it is not the payment itself that is told of, but a refund or a dispute of it.
    pub of_payment: Option<String>,
}

/// What happened; amounts in major units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The money came.
    Succeeded {
        /// So much; what was due where the provider may leave that out.
        amount: Option<Decimal>,
        /// What that is made of.
        details: Details,
    },
    /// Nothing was to be paid.
    Free {
        /// Why.
        details: Details,
    },
    /// The money did not come.
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
    /// What it is told of.
    pub fn thing(&self) -> Thing {
        self.kind().map_or(Thing::Payment, Thing::of)
    }

    /// The same as it is reckoned with; `None` for nothing.
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Fact::Succeeded { .. } | Fact::Free { .. } => Kind::Succeeded,
            Fact::Failed { .. } => Kind::Failed,
            Fact::Expired => Kind::Expired,
            Fact::Refunded { .. } => Kind::Refunded,
            Fact::RefundFailed { .. } => Kind::RefundFailed,
            Fact::Disputed { .. } => Kind::Disputed,
            Fact::DisputeClosed { won: true } => Kind::DisputeWon,
            Fact::DisputeClosed { won: false } => Kind::DisputeLost,
            Fact::Nothing => return None,
        })
    }

    /// Whether there is a payment now.
    pub fn is_success(&self) -> bool {
        matches!(self, Fact::Succeeded { .. } | Fact::Free { .. })
    }

    /// Whether it is of a payment, and not the payment itself.
    pub fn is_of_payment(&self) -> bool {
        self.thing() != Thing::Payment
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

/// What an event says of its money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Livemode {
    /// Nothing: it is whatever is expected.
    #[default]
    Unsaid,
    /// That it is real, or not.
    Said(bool),
    /// Something that can be read as neither: it is nothing that anybody expects.
    Unclear,
}

impl Livemode {
    /// Whether it fits what is expected.
    pub fn fits(self, expected: bool) -> bool {
        matches!(self, Livemode::Unsaid) || self == Livemode::Said(expected)
    }
}

/// Who sent an event, as far as it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// Whether it is about real money.
    pub livemode: Livemode,
    /// The connected account that it is about.
    pub account: Option<String>,
}

/// What an event of that provider says of its sender. Sources: Stripe, "The Event object"; Paystack, "Transactions" (`domain`).
pub fn sender(provider: &str, json: &Value) -> Sender {
    let said = match provider {
        "paystack" => json
            .get("data")
            .and_then(|data| data.get("domain").map(|_| text(data, "domain").map(|domain| domain != "test"))),
        _ => json.get("livemode").map(Value::as_bool),
    };
    let livemode = said.map_or(Livemode::Unsaid, |said| said.map_or(Livemode::Unclear, Livemode::Said));
    Sender { livemode, account: text(json, "account") }
}

/// What the application put into the metadata.
pub fn subject(metadata: Option<&Value>, payment: Option<String>) -> Subject {
    let of = |name| metadata.and_then(|metadata| text(metadata, name));
    Subject { customer_id: of("customer_id"), top_up_id: of("top_up_id"), payment, of_payment: None }
}
