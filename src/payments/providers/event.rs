//! What a provider's event says, in words of our own. Pure.

use crate::amount::Decimal;
use crate::payments::money;
use crate::payments::providers::Provider;
use crate::payments::providers::field::Field;
use crate::payments::providers::plan::Report;
use crate::payments::reckoning::{Details, Kind};
use crate::payments::reference::Thing;
use std::borrow::Cow;

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
    /// What it says of a plan that the provider bills.
    pub plan: Option<Report>,
}

/// How an event finds its payment intent, and the refund that it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The application's metadata.
    pub customer_id: Option<String>,
    /// Likewise: the payment intent's id, which is a top-up's own.
    pub intent_id: Option<String>,
    /// Likewise, of a refund that was asked for.
    pub refund_id: Option<String>,
    /// What the provider calls the payment.
    pub payment: Option<String>,
    /// The same where it is not the payment itself that is reported, but a refund or a dispute of it.
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
    /// A payment is under way.
    Processing,
    /// The customer has to confirm it.
    RequiresAction {
        /// Where, if the provider says so.
        url: Option<String>,
    },
    /// Nothing that matters here.
    Nothing,
}

impl Event {
    /// The same with what it says of a plan, which is what it is about then.
    pub fn with_plan(mut self, plan: Option<Report>) -> Self {
        if let Some(plan) = &plan {
            self.fact = Fact::Nothing;
            self.subject = Subject { payment: plan.about(), ..Subject::default() };
        }
        Event { plan, ..self }
    }
}

impl Fact {
    /// What it is reported of.
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
            Fact::Processing => Kind::Processing,
            Fact::RequiresAction { .. } => Kind::RequiresAction,
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
    /// By a field that is true for real money.
    pub fn of(field: &Field) -> Self {
        match field {
            Field::Missing => Livemode::Unsaid,
            field => field.flag().map_or(Livemode::Unclear, Livemode::Said),
        }
    }

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

/// What the application put into the metadata.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Metadata {
    customer_id: Field,
    top_up_id: Field,
    payment_intent_id: Field,
    checkout_session_id: Field,
    refund_id: Field,
}

/// What an event is about, by the metadata and the payment that it names.
pub fn subject(metadata: Option<&Metadata>, payment: Option<String>, of_payment: Option<String>) -> Subject {
    let customer_id = metadata.and_then(|metadata| metadata.customer_id.text());
    let intent_id = metadata.and_then(|of| {
        // A checkout session's id is its payment intent's.
        let named = of.payment_intent_id.text().or_else(|| of.top_up_id.text());
        named.or_else(|| of.checkout_session_id.text())
    });
    let refund_id = metadata.and_then(|metadata| metadata.refund_id.text());
    Subject { customer_id, intent_id, refund_id, payment, of_payment }
}

/// Why a payload is no event, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("is wrong at {path}: it ") })]
pub struct NoEvent {
    path: String,
    reason: Cow<'static, str>,
}

impl NoEvent {
    /// At that place of it; an empty path is all of it.
    pub fn at(path: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        NoEvent { path: path.into(), reason: reason.into() }
    }
}

/// A text that an event must have.
pub fn required<T>(path: &str, field: &Field<T>) -> Result<String, NoEvent> {
    field.text().ok_or_else(|| NoEvent::at(path, "must be a text or a number of 1 to 255 characters"))
}

/// Amounts in minor units of a provider's, all of one currency.
pub struct Amounts<'a> {
    /// Whose minor units they are.
    pub provider: &'a dyn Provider,
    /// Where in the event they are.
    pub path: &'static str,
    /// The currency, as the provider writes it.
    pub currency: Option<&'a str>,
}

impl Amounts<'_> {
    /// One in major units. What is not there, or is no amount, makes the event none: it must not stand for what was
    /// due.
    pub fn required(&self, name: &str, field: &Field) -> Result<Decimal, NoEvent> {
        let wrong = |name: &str, reason: Cow<'static, str>| NoEvent::at(format!("{}.{name}", self.path), reason);
        let units = field
            .units()
            .ok_or_else(|| wrong(name, Cow::from("must be a whole number of minor units that is not negative")))?;
        let currency =
            self.currency.ok_or_else(|| wrong("currency", Cow::from("must be the code of the amount's currency")))?;
        money::from_minor(units, self.provider.minor_decimals(currency))
            .map_err(|reason| wrong(name, Cow::from(reason.to_string())))
    }

    /// One in major units that may be left out.
    pub fn optional(&self, field: &Field) -> Option<Decimal> {
        money::from_minor(field.units()?, self.provider.minor_decimals(self.currency?)).ok()
    }
}
