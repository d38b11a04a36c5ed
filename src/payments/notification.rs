//! Notifications: what a provider, or a person, reports of a payment, a refund or a dispute. How the purchase that one is of is
//! claimed and locked: notification/case.rs. Each is recorded once (notification/record.rs), and known again by its reference
//! (notification/replay.rs).

pub mod case;
pub mod record;
pub mod replay;

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::payments::reckoning::{Details, Fact, Kind};
use crate::pg::call::argument::Id;
use uuid::Uuid;

/// Whose top-up, and which.
pub fn subject(customer_id: Option<&str>, top_up_id: Option<Id>) -> Result<(&str, Uuid), Error> {
    Ok((input::key("customer_id", customer_id)?, input::required("top_up_id", top_up_id)?.0))
}

/// Who reports something, and what they call it.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// The provider.
    pub provider: &'a str,
    /// Its name for the payment, the refund or the dispute.
    pub reference: Option<&'a str>,
    /// Its name for the payment that a refund or a dispute is of.
    pub payment: Option<&'a str>,
    /// The currency of its amounts; `None` for the intent's.
    pub currency: Option<&'a str>,
    /// The refund that it answers, where it says so.
    pub refund_id: Option<Uuid>,
}

impl<'a> Notification<'a> {
    /// As a call has it. Raises PC013.
    pub fn read(provider: Option<&'a str>, reference: Option<&'a str>) -> Result<Self, Error> {
        Ok(Notification {
            provider: input::key("provider", Some(provider.unwrap_or("manual")))?,
            reference: input::optional_key("provider_reference", reference)?,
            payment: None,
            currency: None,
            refund_id: None,
        })
    }

    /// The same of a refund or a dispute of a payment. Raises PC013.
    pub fn of(self, payment: Option<&'a str>) -> Result<Self, Error> {
        Ok(Notification { payment: input::optional_key("payment_reference", payment)?, ..self })
    }

    /// The same in a currency, where that is said. Raises PC013.
    pub fn in_currency(self, currency: Option<&'a str>) -> Result<Self, Error> {
        Ok(Notification { currency: input::optional_key("currency", currency)?, ..self })
    }

    /// What it reports, as it is reckoned with.
    pub fn fact(&self, kind: Kind, amount: Option<Decimal>) -> Fact {
        Fact {
            kind,
            provider: self.provider.to_string(),
            reference: self.reference.map(String::from),
            payment: self.payment.map(String::from),
            amount,
            total: None,
            details: Details::default(),
            asked: false,
        }
    }
}

/// How a notification was applied.
pub struct Applied {
    /// What does not fit what was recorded before.
    pub contradiction: Option<String>,
    /// Whether it repeats what was recorded before.
    pub replayed: bool,
}

impl Applied {
    /// Now, and with this contradiction.
    pub fn now(contradiction: Option<&str>) -> Self {
        Applied { contradiction: contradiction.map(String::from), replayed: false }
    }

    /// Before, with this contradiction.
    pub fn before(contradiction: Option<&str>) -> Self {
        Applied { contradiction: contradiction.map(String::from), replayed: true }
    }
}
