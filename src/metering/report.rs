//! A report of usage: its arguments, whether it may be charged, what it costs, and its outcome.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::line::Period;
use crate::metering::meter::Meter;
use crate::metering::period::place::{self, Place};
use crate::metering::period::{self, aggregate, value};
use crate::metering::pricing::Price;
use crate::metering::pricing::version::Version;
use crate::moment::Time;
use crate::pg::call::argument::{JSON_BYTES, Number};
use crate::pg::statement::Row;
use crate::pg::value::{Json, UpTo};
use crate::row;
use crate::settings;
use std::cell::OnceCell;
use std::rc::Rc;

row! {
    /// What `report_meter_event` returns; amounts in credits of the meter's currency.
    pub struct EventRow {
        /// The caller's own.
        pub identifier: String,
        /// 'processed', 'pending', 'unsettled', 'recorded' or, for a replay, 'canceled'.
        pub status: &'static str,
        /// Credits paid; below zero, credits that came back.
        pub consumed: Decimal,
        /// Credits owed.
        pub pending: Decimal,
        /// What a plain debit may take now; NULL if the event is unsettled or recorded, since the account was not read.
        pub available: Option<Decimal>,
        /// Whether this replays an earlier report.
        pub replayed: bool,
    }
}

/// The status of an event that is paid.
const PROCESSED: &str = "processed";
/// The status of an event that owes.
const PENDING: &str = "pending";

/// The status of an event that is recorded and will be charged later.
pub const UNSETTLED: &str = "unsettled";

/// The status of an event that is recorded and will be invoiced.
pub const RECORDED: &str = "recorded";

/// The status of a canceled event.
pub const CANCELED: &str = "canceled";

/// A report of usage, with valid arguments.
#[derive(Debug, Clone)]
pub struct Event {
    /// Whose usage.
    pub customer_id: String,
    /// Its meter.
    pub event_name: String,
    /// How much, in the meter's unit.
    pub value: Decimal,
    /// The caller's own identifier, unique per customer.
    pub identifier: String,
    /// When the usage happened.
    pub occurred_at: Time,
    /// What is stored with it.
    pub extras: Extras,
}

/// What is stored with an event, and affects no price unless the meter's prices are by metadata.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// The application's own.
    pub subscription_id: Option<String>,
    /// The application's own: the data that the event was made from.
    pub source_data: Option<Json>,
    /// The application's own.
    pub metadata: Option<Json>,
    /// The member whose usage it is, which counts towards that member's limits.
    pub member_id: Option<String>,
}

impl Extras {
    /// Reads the next columns: subscription_id, source_data, metadata and member_id; PC013 if one is too large to be read.
    pub fn read(row: &mut Row<'_>) -> Result<Result<Self, Error>, Error> {
        let subscription_id: Option<UpTo<String, TEXT_BYTES>> = row.next()?;
        let (source_data, metadata): (Option<UpTo<Json, JSON_BYTES>>, _) = (row.next()?, row.next()?);
        let member_id: Option<UpTo<String, KEY_BYTES>> = row.next()?;
        Ok((|| {
            Ok(Extras {
                subscription_id: input::bounded("subscription_id", subscription_id, input::TEXT_REASON)?,
                source_data: input::bounded("source_data", source_data, input::JSON_REASON)?,
                metadata: input::bounded::<Json, JSON_BYTES>("metadata", metadata, input::JSON_REASON)?,
                member_id: Extras::member(input::bounded("member_id", member_id, input::KEY_REASON)?)?,
            })
        })())
    }

    /// A member's key, as it was given. Raises PC013.
    pub fn member<S: AsRef<str> + Into<String>>(given: Option<S>) -> Result<Option<String>, Error> {
        given.map(|member_id| input::kept_key("member_id", Some(member_id))).transpose()
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        let jsons = [&self.source_data, &self.metadata].into_iter().flatten().map(Json::size);
        jsons.sum::<usize>() + self.subscription_id.as_ref().map_or(0, String::len)
    }
}

/// A text of at least so many bytes has too many characters.
const TEXT_BYTES: usize = 4 * (input::TEXT_LENGTH + 1);
/// A key of at least so many bytes has too many characters.
pub const KEY_BYTES: usize = 4 * 256;

impl Event {
    /// Reads a report's arguments. Raises PC007, PC013.
    pub fn read<S: AsRef<str> + Into<String>>(
        customer_id: Option<S>,
        event_name: Option<S>,
        value: Option<impl Number>,
        identifier: Option<S>,
        occurred_at: Option<Time>,
        now: Time,
        extras: Extras,
    ) -> Result<Self, Error> {
        Ok(Event {
            customer_id: input::kept_key("customer_id", customer_id)?,
            event_name: input::kept_key("event_name", event_name)?,
            value: input::number("value", value, amount::not_negative)?,
            identifier: input::kept_key("identifier", identifier)?,
            occurred_at: occurred_at.unwrap_or(now),
            extras,
        })
    }

    /// Its unique key: customer, identifier.
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
    /// Which of the meter's prices applies to it.
    pub price_class: &'a str,
    /// That price.
    pub price: &'a Price,
    /// What it costs.
    pub cost: Cost,
    /// What it counts as, of a meter that counts different values.
    pub value: Option<String>,
    /// Whether it is reported after it happened, and what lapsed meanwhile may pay it.
    pub is_late: bool,
}

/// What an event costs.
#[derive(Debug, Clone)]
pub enum Cost {
    /// An amount of its own, whatever else was used.
    Own(Decimal),
    /// By how much it changes the price of a period's usage: which period that is, is known once its account is locked
    /// where its customer's calendar says it.
    Together(OnceCell<Place>),
}

impl<'a> Priced<'a> {
    /// The account that pays: customer, currency.
    pub fn account(&self) -> (&'a str, &'a str) {
        (&self.event.customer_id, &self.meter.currency)
    }

    /// The account that pays where that one has too little: customer, second currency.
    pub fn fallback_account(&self) -> Option<(&'a str, &'a str)> {
        let fallback = self.meter.fallback.as_ref().filter(|_| !self.meter.deferred && !self.is_together())?;
        Some((&self.event.customer_id, &fallback.currency))
    }

    /// What it costs by itself, in credits; zero if it is priced with others.
    pub fn own_cost(&self) -> Decimal {
        if let Cost::Own(cost) = self.cost { cost } else { Decimal::ZERO }
    }

    /// Whether it is priced with others.
    pub fn is_together(&self) -> bool {
        matches!(self.cost, Cost::Together(_))
    }

    /// The period whose usage it is priced with, and when that begins.
    pub fn place(&self) -> Option<&Place> {
        if let Cost::Together(place) = &self.cost { place.get() } else { None }
    }

    /// The period whose usage it is priced with.
    pub fn period(&self) -> Option<&Rc<Period>> {
        self.place().map(|place| &place.period)
    }

    /// The value that it counts as, of that customer, meter and period.
    pub fn value(&self) -> Option<value::Key<'_>> {
        let (name, period) = (self.value.as_deref()?, self.period()?);
        Some((&self.event.customer_id, &self.event.event_name, value::period_of(period), name))
    }

    /// The periods whose usage its own goes on from, if it has none yet: those of the prices before, the newest first.
    pub fn continues(&self) -> Vec<period::Key> {
        let Some(place) = self.place().filter(|_| !self.meter.aggregation.is_ranked()) else { return Vec::new() };
        let key = |version: &i32| {
            let key = period_key(self.meter, place.start, *version, self.price_class);
            (self.event.customer_id.clone(), Rc::new(Period { event_name: place.period.event_name.clone(), key }))
        };
        self.meter.continues.iter().map(key).collect()
    }

    /// The event as its period counts it.
    pub fn in_period(&self) -> aggregate::Report<'a> {
        aggregate::Report {
            value: self.event.value,
            occurred_at: self.event.occurred_at,
            price_version: self.meter.price_version,
            price_class: self.price_class,
            price: self.price,
            decimals: self.meter.decimals,
        }
    }
}

/// Judges an event by its meter and its time, and prices it. Raises PC004 to PC008.
pub fn price<'a>(event: &'a Event, meter: Option<&'a Meter>, now: Time) -> Result<Priced<'a>, Error> {
    let Some(meter) = meter else {
        return Err(Error::meter_not_found(&event.event_name));
    };
    if !meter.active {
        return Err(Error::MeterInactive { event_name: event.event_name.clone() });
    }
    if !meter.currency_active {
        return Err(Error::CurrencyNotFound { currency: meter.currency.clone(), inactive: true, nearest: None });
    }
    let (future, age) = (settings::event_max_future(), settings::event_max_age());
    let occurred_at = event.occurred_at;
    let out_of_range =
        |reason, setting, seconds| Err(Error::EventTimeOutOfRange { occurred_at, reason, setting, seconds });
    if event.occurred_at > now.plus_seconds(future) {
        return out_of_range("too far in the future", "credits.event_max_future", future);
    }
    if event.occurred_at < now.plus_seconds(-age) {
        return out_of_range("too far in the past", "credits.event_max_age", age);
    }
    let is_late = settings::late_usage_grace() > 0 && event.occurred_at < now;
    let Some((price_class, price)) = meter.pricing.find(|| event.extras.metadata.as_ref().map(Json::text)) else {
        return Err(Error::unpriced(&event.event_name));
    };
    let cost = cost(event, meter, price_class, price)?;
    let value = meter.unique_by.as_ref().map(|by| counted_as(event, by)).transpose()?;
    Ok(Priced { event, meter, price_class, price, cost, value, is_late })
}

/// The value of an event's metadata that its meter counts. Raises PC013 where it has none.
fn counted_as(event: &Event, unique_by: &str) -> Result<String, Error> {
    let metadata = event.extras.metadata.as_ref().map(Json::text);
    value::name(metadata, unique_by).ok_or_else(|| Error::uncounted(&event.event_name, unique_by))
}

fn cost(event: &Event, meter: &Meter, price_class: &str, price: &Price) -> Result<Cost, Error> {
    if meter.aggregation.is_ranked() || meter.unique_by.is_some() || !price.is_flat() {
        if meter.invoiced {
            return Ok(Cost::Own(Decimal::ZERO));
        }
        let key = |start| period_key(meter, start, meter.price_version, price_class);
        let place = place::of_meter(meter, &event.event_name, event.occurred_at, key)?;
        return Ok(Cost::Together(place.map_or_else(OnceCell::new, OnceCell::from)));
    }
    own_cost(event, meter, price).map(Cost::Own).map_err(|reason| Error::amount("value", event.value, reason))
}

fn own_cost(event: &Event, meter: &Meter, price: &Price) -> Result<Decimal, AmountError> {
    let cost = price.cost(meter.aggregation.quantity(event.value), meter.decimals)?;
    match meter.deferred {
        true if meter.invoiced => Ok(Decimal::ZERO),
        true => amount::deferrable(cost, meter.decimals),
        false => Ok(cost),
    }
}

/// The key of the period that begins then. If one event decides, all prices aggregate together; otherwise each price
/// aggregates separately. Of values that count once, that is the period of an event whose value is new.
pub fn period_key(meter: &Meter, start: Time, version: i32, price_class: &str) -> String {
    let (name, version) = (meter.period.key(start), Version::unpacked(version));
    match (meter.aggregation.is_ranked(), price_class) {
        (true, _) => name,
        (false, "") => format!("{name} {version}"),
        (false, class) => format!("{name} {version} {class}"),
    }
}

/// The outcome of one event, or its error.
pub type Outcome = Result<EventRow, Error>;

/// The status of a charged event that owes so much.
pub fn status(pending: Decimal) -> &'static str {
    if pending > Decimal::ZERO { PENDING } else { PROCESSED }
}

/// An event's outcome.
pub fn row(event: &Event, consumed: Decimal, pending: Decimal, available: Decimal, replayed: bool) -> EventRow {
    EventRow {
        identifier: event.identifier.clone(),
        status: status(pending),
        consumed,
        pending,
        available: Some(available),
        replayed,
    }
}

/// The outcome of an event that is recorded and will be charged later.
pub fn unsettled(event: &Event, replayed: bool) -> EventRow {
    not_charged(event, UNSETTLED, replayed)
}

/// The outcome of an event that is recorded and will be invoiced.
pub fn recorded(event: &Event, replayed: bool) -> EventRow {
    not_charged(event, RECORDED, replayed)
}

fn not_charged(event: &Event, status: &'static str, replayed: bool) -> EventRow {
    EventRow {
        identifier: event.identifier.clone(),
        status,
        consumed: Decimal::ZERO,
        pending: Decimal::ZERO,
        available: None,
        replayed,
    }
}
