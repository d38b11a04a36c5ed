//! Meter events: a report of usage is charged once per (customer_id, identifier), for ever. This file has the SQL
//! functions; batch.rs decides how events are charged, one or ten thousand.

pub mod invoiced;
pub mod json;

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::metering::batch;
use crate::metering::batch::accounts::Locking;
use crate::metering::report::{Event, EventRow, Extras};
use crate::moment::Time;
use crate::pg::call::argument::{ArrayOf, Numeric, Timestamptz};
use crate::pg::call::reply::{Many, One, Reply};
use crate::pg::memory;
use crate::pg::statement::writing;
use crate::pg::subtransaction::Failure;
use crate::pg::value::array::Element;
use crate::pg::value::{FromCell, Json};
use crate::row;
use crate::settings;
use pgrx::pg_extern;

row! {
    /// One event of `report_meter_events`: the same as for a single event, or the code that it would have raised.
    pub struct BatchRow {
        /// The caller's own.
        pub identifier: Option<String>,
        /// 'processed', 'pending', 'unsettled' or, for a replay, 'canceled'; NULL with an error.
        pub status: Option<&'static str>,
        /// Credits paid; below zero, credits that came back; NULL with an error.
        pub consumed: Option<Decimal>,
        /// Credits owed; NULL with an error.
        pub pending: Option<Decimal>,
        /// What a plain debit may take now; NULL with an error, and if the event is unsettled.
        pub available: Option<Decimal>,
        /// Whether this replays an earlier report.
        pub replayed: bool,
        /// The code that the event would have raised by itself, or NULL.
        pub error: Option<String>,
        /// What that error says, or NULL.
        pub message: Option<String>,
    }
}

crate::older!(report_meter_event_wrapper => report_meter_event_2_wrapper, 8 of 9);
crate::older!(report_meter_events_wrapper => report_meter_events_2_wrapper, 6 of 7);

/// `credits.report_meter_event`. Raises PC001 to PC008, PC013 and PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn report_meter_event_2(
    customer_id: Option<&str>,
    event_name: Option<&str>,
    value: Option<Numeric>,
    identifier: Option<&str>,
    occurred_at: Option<Timestamptz>,
    subscription_id: Option<&str>,
    source_data: Option<Json>,
    metadata: Option<Json>,
    member_id: Option<&str>,
) -> Reply<One<EventRow>> {
    Reply((|| {
        let now = settings::now()?;
        let subscription_id = input::text("subscription_id", subscription_id)?.map(String::from);
        let member_id = Extras::member(member_id)?;
        let extras = Extras { subscription_id, source_data, metadata, member_id };
        let event = Event::read(customer_id, event_name, value, identifier, occurred_at.map(|t| t.0), now, extras)?;
        let mut outcomes = writing(|session| batch::report(session, &[Ok(event)], now, Locking::Wait))?;
        outcomes.pop().unwrap_or_else(|| Err(Error::internal("an event had no outcome"))).map(One)
    })())
}

/// `credits.report_meter_events` with arrays. Raises PC013; with `all_or_nothing` the error of the first bad event.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn report_meter_events_2(
    customer_ids: Option<ArrayOf<String>>,
    event_names: Option<ArrayOf<String>>,
    event_values: Option<ArrayOf<Numeric>>,
    identifiers: Option<ArrayOf<String>>,
    occurred_ats: Option<ArrayOf<Time>>,
    all_or_nothing: Option<bool>,
    member_ids: Option<ArrayOf<String>>,
) -> Reply<Many<BatchRow>> {
    Reply((|| {
        let now = settings::now()?;
        let customers = input::required("customer_ids", customer_ids)?.elements("customer_ids")?;
        memory::expect(customers.len() * batch::EVENT_BYTES);
        let names = column("event_names", event_names, customers.len())?;
        let values = column("event_values", event_values, customers.len())?;
        let identifiers = column("identifiers", identifiers, customers.len())?;
        let times = optional_column("occurred_ats", occurred_ats, customers.len())?;
        let members = optional_column("member_ids", member_ids, customers.len())?;
        let mut events = Vec::with_capacity(customers.len());
        let mut echoes = Vec::with_capacity(customers.len());
        for (((((customer, name), value), identifier), at), member) in
            customers.into_iter().zip(names).zip(values).zip(identifiers).zip(times).zip(members)
        {
            echoes.push(identifier.clone());
            events.push(Extras::member(member).and_then(|member_id| {
                let extras = Extras { member_id, ..Extras::default() };
                Event::read(customer, name, value, identifier, at, now, extras)
            }));
        }
        report_all(events, echoes, all_or_nothing, now)
    })())
}

/// A batch, from arrays or JSON: an answer per event, in input order. With `all_or_nothing` the first error is raised.
pub fn report_all(
    events: Vec<Result<Event, Error>>,
    echoes: Vec<Option<String>>,
    all_or_nothing: Option<bool>,
    now: Time,
) -> Result<Many<BatchRow>, Error> {
    let outcomes = writing(|session| {
        // For a single event, damage is raised, as report_meter_event does.
        if all_or_nothing != Some(true) && events.len() > 1 {
            return batch::report_apart(session, &events, now);
        }
        let outcomes = batch::report(session, &events, now, Locking::Wait)?;
        let answers = outcomes.into_iter().map(|outcome| match outcome {
            Err(error) if all_or_nothing == Some(true) || matches!(error, Error::Internal { .. }) => Err(error),
            outcome => Ok(outcome.map_err(Failure::from)),
        });
        answers.collect()
    })?;
    let rows = outcomes.into_iter().zip(echoes).map(|(outcome, identifier)| match outcome {
        Ok(row) => BatchRow::charged(row),
        Err(failure) => BatchRow::refused(identifier, failure),
    });
    Ok(Many(rows.collect()))
}

/// One of the batch's arrays, which must all have the same length.
fn column<T: Element + FromCell>(
    argument: &'static str,
    given: Option<ArrayOf<T>>,
    length: usize,
) -> Result<Vec<Option<T>>, Error> {
    let column = input::required(argument, given)?.elements(argument)?;
    if column.len() != length {
        let reason = format!("must have as many elements as customer_ids, {length}: it has {}", column.len());
        return Err(Error::argument(argument, reason));
    }
    Ok(column)
}

/// The same, all NULL if it is left out.
fn optional_column<T: Element + FromCell + Clone>(
    argument: &'static str,
    given: Option<ArrayOf<T>>,
    length: usize,
) -> Result<Vec<Option<T>>, Error> {
    if given.is_some() { column(argument, given, length) } else { Ok(vec![None; length]) }
}

impl BatchRow {
    fn charged(row: EventRow) -> Self {
        BatchRow {
            identifier: Some(row.identifier),
            status: Some(row.status),
            consumed: Some(row.consumed),
            pending: Some(row.pending),
            available: row.available,
            replayed: row.replayed,
            error: None,
            message: None,
        }
    }

    fn refused(identifier: Option<String>, failure: Failure) -> Self {
        BatchRow {
            identifier,
            status: None,
            consumed: None,
            pending: None,
            available: None,
            replayed: false,
            error: Some(failure.error),
            message: Some(failure.message),
        }
    }
}
