//! A report of usage: what was said, whether it may be charged, what it costs, and what came of it.

use super::meter::Meter;
use super::pricing;
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::pg::argument::Number;
use crate::pg::value::Json;
use crate::row;
use crate::settings;

row! {
    /// What `report_meter_event` returns; amounts in credits of the meter's currency.
    pub struct EventRow {
        /// The caller's own.
        pub identifier: String,
        /// 'processed', 'pending' or, for a repeat, 'canceled'.
        pub status: String,
        /// Credits paid.
        pub consumed: Decimal,
        /// Credits owed.
        pub pending: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this repeats an earlier report.
        pub replayed: bool,
    }
}

/// The status of an event that is paid.
const PROCESSED: &str = "processed";
/// The status of an event that owes.
const PENDING: &str = "pending";

/// The status of an event that was taken back.
pub const CANCELED: &str = "canceled";

/// A report of usage, with arguments that can be right.
#[derive(Debug, Clone)]
pub struct Event {
    /// Whose usage.
    pub customer_id: String,
    /// Its meter.
    pub event_name: String,
    /// How much, in the meter's unit.
    pub value: Decimal,
    /// The caller's own, unique per customer.
    pub identifier: String,
    /// When the usage happened.
    pub occurred_at: Time,
    /// What is kept with it and bears on nothing.
    pub extras: Extras,
}

/// What is kept with an event and bears on nothing.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// The application's own.
    pub subscription_id: Option<String>,
    /// The application's own: what the event was made of.
    pub source_data: Option<Json>,
    /// The application's own.
    pub metadata: Option<Json>,
}

impl Event {
    /// Reads a report's arguments. Raises PC007, PC013.
    pub fn read(
        customer_id: Option<&str>,
        event_name: Option<&str>,
        value: Option<impl Number>,
        identifier: Option<&str>,
        occurred_at: Option<Time>,
        now: Time,
        extras: Extras,
    ) -> Result<Self, Error> {
        Ok(Event {
            customer_id: input::key("customer_id", customer_id)?.to_string(),
            event_name: input::key("event_name", event_name)?.to_string(),
            value: input::number("value", value, amount::not_negative)?,
            identifier: input::key("identifier", identifier)?.to_string(),
            occurred_at: occurred_at.unwrap_or(now),
            extras,
        })
    }

    /// What makes it one of its kind: customer, identifier.
    pub fn key(&self) -> (&str, &str) {
        (&self.customer_id, &self.identifier)
    }
}

/// An event that may be charged, and what it costs.
#[derive(Debug, Clone)]
pub struct Priced<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its meter.
    pub meter: &'a Meter,
    /// Credits.
    pub cost: Decimal,
}

impl<'a> Priced<'a> {
    /// The account that pays: customer, currency.
    pub fn account(&self) -> (&'a str, &'a str) {
        (&self.event.customer_id, &self.meter.currency)
    }
}

/// Judges an event by its meter and its time, and prices it. Raises PC004 to PC008.
pub fn price<'a>(event: &'a Event, meter: Option<&'a Meter>, now: Time) -> Result<Priced<'a>, Error> {
    let Some(meter) = meter else {
        return Err(Error::MeterNotFound { event_name: event.event_name.clone() });
    };
    if !meter.active {
        return Err(Error::MeterInactive { event_name: event.event_name.clone() });
    }
    if !meter.currency_active {
        return Err(Error::CurrencyNotFound { currency: meter.currency.clone(), inactive: true });
    }
    let (future, age) = (settings::event_max_future(), settings::event_max_age());
    let out_of_range = |reason, setting, seconds| Err(Error::EventTimeOutOfRange { reason, setting, seconds });
    if event.occurred_at > now.plus_seconds(future) {
        return out_of_range("too far in the future", "credits.event_max_future", future);
    }
    if event.occurred_at < now.plus_seconds(-age) {
        return out_of_range("too far in the past", "credits.event_max_age", age);
    }
    let cost = pricing::event_cost(meter.aggregation, event.value, meter.unit_price, meter.decimals)
        .map_err(|reason| Error::amount("value", event.value, reason))?;
    Ok(Priced { event, meter, cost })
}

/// What becomes of one event.
pub type Outcome = Result<EventRow, Error>;

/// An event's outcome.
pub fn row(event: &Event, consumed: Decimal, pending: Decimal, available: Decimal, replayed: bool) -> EventRow {
    EventRow {
        identifier: event.identifier.clone(),
        status: if pending > Decimal::ZERO { PENDING } else { PROCESSED }.to_string(),
        consumed,
        pending,
        available,
        replayed,
    }
}
