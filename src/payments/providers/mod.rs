//! What differs from one payment provider to the next: one trait, and one file per provider. Pure.

pub mod event;
mod field;
pub mod generic;
mod paystack;
pub mod plan;
mod stripe;

use crate::json;
use crate::outbox::signature::{Invalid, Signed};
use event::{Event, NoEvent};
use serde_json::Value;

/// What depends on a provider.
pub trait Provider: Sync {
    /// Whether a header signs a payload. What has gone through here may be read.
    fn verify(&self, signed: &Signed<'_>) -> Result<(), Invalid>;

    /// What an event says.
    fn event(&self, json: &Value) -> Result<Event, NoEvent>;

    /// How many decimals its minor unit of a currency has.
    fn minor_decimals(&self, currency: &str) -> u32;

    /// Whether its events may be of plans that it bills.
    fn bills_plans(&self) -> bool {
        false
    }
}

/// The provider of that name. The only place where names are compared.
pub fn of(name: &str) -> &'static dyn Provider {
    match name {
        "stripe" => &stripe::Stripe,
        "paystack" => &paystack::Paystack,
        _ => &generic::Generic,
    }
}

/// The longest header that is read at all.
const LONGEST: usize = 4_096;

impl dyn Provider {
    /// Whether a header signs a payload, whatever the header is.
    pub fn check(&self, signed: &Signed<'_>) -> Result<(), Invalid> {
        if signed.header.len() > LONGEST { Err(Invalid::Malformed) } else { self.verify(signed) }
    }

    /// The event in a payload, whatever that is.
    pub fn read(&self, payload: &str) -> Result<Event, NoEvent> {
        let json = json::read(payload).ok_or_else(|| NoEvent::at("", "must be JSON"))?;
        self.event(&json)
    }
}

#[cfg(test)]
mod tests;
