//! Where an event belongs: the period that it is priced in. On the calendar of its meter that is known as soon as the
//! event is. On its customer's, which may change at any time, it is read once the account is locked, and then the event
//! keeps it: its row has the period's key, and no correction asks for the calendar again.

use crate::error::{Error, quoted};
use crate::ledger::engine::line::Period;
use crate::metering::meter::Meter;
use crate::metering::period::calendar::{Interval, Span};
use crate::metering::report::{Cost, Priced, period_key};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use crate::pg::zone::Zone;
use pgrx::pg_sys::TEXTARRAYOID;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Whose calendar a meter's periods are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodFrom {
    /// The meter's, for all customers.
    Meter,
    /// That of the customer's time zone.
    Customer,
    /// They begin at the customer's billing date.
    BillingDate,
}

impl PeriodFrom {
    /// The names in SQL.
    pub const NAMES: [&'static str; 3] = ["meter", "customer", "billing_date"];

    /// The one of that name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "meter" => Some(PeriodFrom::Meter),
            "customer" => Some(PeriodFrom::Customer),
            "billing_date" => Some(PeriodFrom::BillingDate),
            _ => None,
        }
    }
}

/// The period of an event.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which.
    pub period: Rc<Period>,
    /// When it begins; '-infinity' for the one that lasts for ever.
    pub start: Time,
    /// When it ends, unless its meter's periods are on the calendar in UTC, which says so.
    pub end: Option<Time>,
}

/// When the periods of a meter begin, for one customer.
#[derive(Debug, Clone, Copy)]
enum Calendar<'a> {
    Utc,
    Zone(&'a str),
    From(Time),
}

impl Calendar<'_> {
    /// Raises PC013 if the server has no such time zone any more.
    fn interval(self, span: Span, at: Time) -> Result<Interval, Error> {
        match self {
            Calendar::Utc => Ok(span.interval(at)),
            Calendar::From(anchor) => Ok(span.interval_from(anchor, at)),
            Calendar::Zone(name) => {
                let zone = Zone::find(name).ok_or_else(|| {
                    Error::argument("time_zone", format!("is {}, which this server does not have", quoted(name)))
                })?;
                Ok(span.interval_in(at, |at| zone.date(at), |date| zone.midnight(date)))
            }
        }
    }
}

impl Meter {
    /// Its own calendar.
    fn calendar(&self) -> Calendar<'_> {
        self.time_zone.as_deref().map_or(Calendar::Utc, Calendar::Zone)
    }

    /// Whether its periods may begin otherwise for some customers.
    fn asks_customer(&self) -> bool {
        self.period != Span::Always && self.period_from != PeriodFrom::Meter
    }

    fn place(&self, interval: Interval, key: String, event_name: &str) -> Place {
        let end = (self.time_zone.is_some() || self.asks_customer()).then_some(interval.end);
        let period = Rc::new(Period { event_name: event_name.to_string(), key });
        Place { period, start: interval.start, end }
    }
}

/// The place of an event that is priced together with others, if its meter's calendar says it. Raises PC013.
pub fn of_meter(
    meter: &Meter,
    event_name: &str,
    at: Time,
    key: impl FnOnce(Time) -> String,
) -> Result<Option<Place>, Error> {
    if meter.asks_customer() {
        return Ok(None);
    }
    let interval = meter.calendar().interval(meter.period, at)?;
    Ok(Some(meter.place(interval, key(interval.start), event_name)))
}

/// What a customer's periods begin at.
struct Billing {
    time_zone: Option<String>,
    anchor: Option<Time>,
}

static READ: Statement = Statement::new(
    c"SELECT c.customer_id, c.time_zone, c.billing_anchor
      FROM unnest($1) AS k (customer_id)
      JOIN credits_internal.customers c ON c.customer_id = k.customer_id",
    &[TEXTARRAYOID],
);

/// Gives those of these events their places that their customers' calendars say, in accounts that are locked: one read
/// for all, if any. An event of a time zone that the server does not have is left without.
pub fn of_customers<'p>(session: &Session, events: impl Iterator<Item = &'p Priced<'p>>) -> Result<(), Error> {
    let waiting: Vec<&Priced<'_>> = events.filter(|p| p.is_together() && p.place().is_none()).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let customers: HashSet<&str> = waiting.iter().map(|p| p.event.customer_id.as_str()).collect();
    let mut billing: HashMap<String, Billing> = HashMap::new();
    for mut row in READ.run(session, &[array(customers.iter().copied())])?.iter() {
        billing.insert(row.next()?, Billing { time_zone: row.next()?, anchor: row.next()? });
    }
    for p in waiting {
        let (Cost::Together(place), found) = (&p.cost, billing.get(&p.event.customer_id)) else { continue };
        let own = match p.meter.period_from {
            PeriodFrom::Meter => None,
            PeriodFrom::Customer => found.and_then(|b| b.time_zone.as_deref()).map(Calendar::Zone),
            PeriodFrom::BillingDate => found.and_then(|b| b.anchor).map(Calendar::From),
        };
        let calendar = own.unwrap_or_else(|| p.meter.calendar());
        if let Ok(interval) = calendar.interval(p.meter.period, p.event.occurred_at) {
            let key = period_key(p.meter, interval.start, p.meter.price_version, p.price_class);
            place.get_or_init(|| p.meter.place(interval, key, &p.event.event_name));
        }
    }
    Ok(())
}

/// The error of an event that has no place since the server does not have its customer's time zone.
pub fn missing(customer_id: &str) -> Error {
    let reason = format!("of customer {} is one that this server does not have", quoted(customer_id));
    Error::argument("time_zone", reason)
}
