//! A batch of events as JSON: the same reports as with arrays, with named fields.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::metering::batch;
use crate::metering::event::{self, BatchRow};
use crate::metering::report::{Event, Extras};
use crate::moment::{EPOCH, Time};
use crate::nearest::nearest;
use crate::pg::call::argument::{ELEMENTS, JsonBatch};
use crate::pg::call::reply::{Many, Reply};
use crate::pg::memory;
use crate::pg::statement::{Row, Statement, reading};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::JSONBOID;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The keys of an event.
const KEYS: [&str; 9] = [
    "customer_id",
    "event_name",
    "value",
    "identifier",
    "occurred_at",
    "subscription_id",
    "source_data",
    "metadata",
    "member_id",
];

static LENGTH: Statement =
    Statement::new(c"SELECT CASE jsonb_typeof($1) WHEN 'array' THEN jsonb_array_length($1) END", &[JSONBOID]);

static READ: Statement = Statement::new(
    c"SELECT jsonb_typeof(e) = 'object',
             CASE jsonb_typeof(e) WHEN 'object' THEN (
                 SELECT min(k) FROM jsonb_object_keys(e) AS k
                 WHERE k NOT IN ('customer_id', 'event_name', 'value', 'identifier', 'occurred_at', 'subscription_id',
                                 'source_data', 'metadata', 'member_id')) END,
             e ->> 'identifier', e ->> 'customer_id', e ->> 'event_name', e ? 'value', e ->> 'value', e ->> 'occurred_at',
             e ->> 'subscription_id', nullif(e -> 'source_data', 'null'), nullif(e -> 'metadata', 'null'), e ->> 'member_id'
      FROM jsonb_array_elements($1) WITH ORDINALITY AS x (e, ordinal) ORDER BY ordinal",
    &[JSONBOID],
);

/// `credits.report_meter_events` with JSON. Raises PC013; with `all_or_nothing` the error of the first bad event.
#[pg_extern(sql = false)]
fn report_meter_events_json(events: Option<JsonBatch>, all_or_nothing: Option<bool>) -> Reply<Many<BatchRow>> {
    Reply((|| {
        let given = input::required("events", events)?.0;
        let now = settings::now()?;
        let (mut events, mut echoes) = (Vec::new(), Vec::new());
        reading(|session| {
            let length: Option<i32> = match LENGTH.run(session, &[given.cell()])?.first() {
                Some(mut row) => row.next()?,
                None => None,
            };
            let length = length.ok_or_else(|| Error::argument("events", "must be a JSON array of objects"))?;
            if length as usize > ELEMENTS {
                return Err(Error::argument("events", format!("must have at most {ELEMENTS} elements")));
            }
            memory::expect(length as usize * batch::EVENT_BYTES);
            for row in READ.run(session, &[given.cell()])?.iter() {
                let (identifier, event) = read(row, now)?;
                echoes.push(identifier);
                events.push(event);
            }
            Ok(())
        })?;
        event::report_all(events, echoes, all_or_nothing, now)
    })())
}

/// One event: its identifier, for the answer, and the report or its error.
fn read(mut row: Row<'_>, now: Time) -> Result<(Option<String>, Result<Event, Error>), Error> {
    let is_object: bool = row.next()?;
    let unknown: Option<String> = row.next()?;
    let identifier: Option<String> = row.next()?;
    let (customer_id, event_name) = (row.next::<Option<String>>()?, row.next::<Option<String>>()?);
    let (has_value, value) = (row.next::<bool>()?, row.next::<Option<String>>()?);
    let occurred_at: Option<String> = row.next()?;
    let extras = Extras::read(&mut row)?;
    let event = (|| {
        if !is_object {
            return Err(Error::argument("events", "must be a JSON array of objects"));
        }
        if let Some(key) = unknown {
            // A misspelt key would be charged as if it had been left out.
            let nearest = nearest(&key, KEYS);
            return Err(Error::UnknownKey { argument: "events", key, nearest });
        }
        let occurred_at = occurred_at.map(|text| moment("occurred_at", &text)).transpose()?;
        // If left out it is 1; null is missing, as for a single event.
        let value = if has_value { value } else { Some(Decimal::ONE.to_string()) };
        Event::read(customer_id, event_name, value, identifier.clone(), occurred_at, now, extras?)
    })();
    Ok((identifier, event))
}

/// A moment in JSON: RFC 3339, or as PostgreSQL writes a `timestamptz`. Raises PC013.
pub fn moment(argument: &'static str, text: &str) -> Result<Time, Error> {
    let wrong = || Error::argument(argument, "must be a time with its offset, like 2026-03-01T12:00:00Z");
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    let microseconds = moment.unix_timestamp_nanos() / 1_000 - i128::from(EPOCH) * 1_000_000;
    i64::try_from(microseconds).map(Time).map_err(|_| wrong())
}
