//! Meter events: one report of usage, charged once per (customer_id, identifier) for ever. The SQL-facing functions,
//! and the short way of the common case (ledger/head.rs); everything else is a batch of one in batch.rs.

use super::accounts::Locking;
use super::batch;
use super::report::{self, Cost, Event, EventRow, Extras, Outcome, Priced};
use super::{deferred, meter, repeat};
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::head::{self, Spending};
use crate::ledger::line::OwnLine;
use crate::pg::argument::{ArrayOf, Numeric, Timestamptz};
use crate::pg::reply::{Many, One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Element, FromCell, Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, INT8OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};

row! {
    /// One event of `report_meter_events`: as for one alone, or the code that it alone would have raised.
    pub struct BatchRow {
        /// The caller's own.
        pub identifier: Option<String>,
        /// 'processed', 'pending', 'unsettled' or, for a repeat, 'canceled'; NULL with an error.
        pub status: Option<&'static str>,
        /// Credits paid, below zero credits that came back; NULL with an error.
        pub consumed: Option<Decimal>,
        /// Credits owed; NULL with an error.
        pub pending: Option<Decimal>,
        /// What a plain debit may take now; NULL with an error, and where the event is unsettled.
        pub available: Option<Decimal>,
        /// Whether this repeats an earlier report.
        pub replayed: bool,
        /// The code that the event alone would have raised, or NULL.
        pub error: Option<String>,
    }
}

/// `credits.report_meter_event`. Raises PC001 to PC008 and PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn report_meter_event(
    customer_id: Option<&str>,
    event_name: Option<&str>,
    value: Option<Numeric>,
    identifier: Option<&str>,
    occurred_at: Option<Timestamptz>,
    subscription_id: Option<&str>,
    source_data: Option<Json>,
    metadata: Option<Json>,
) -> Reply<One<EventRow>> {
    Reply((|| {
        let now = settings::now()?;
        let extras = Extras { subscription_id: subscription_id.map(String::from), source_data, metadata };
        let event = Event::read(customer_id, event_name, value, identifier, occurred_at.map(|t| t.0), now, extras)?;
        writing(|session| report_one(session, &Ok(event), now)).map(One)
    })())
}

/// One event: recorded in one statement where it is deferred, charged in two where the head covers it, as a batch of one
/// otherwise.
fn report_one(session: &Session, reported: &Result<Event, Error>, now: Time) -> Outcome {
    let event = reported.as_ref().map_err(Error::clone)?;
    let meter = meter::find(session, &event.event_name)?;
    let priced = match report::price(event, meter.as_deref(), now) {
        Ok(priced) => priced,
        Err(error) => return repeat::answer(session, event, now, error),
    };
    if priced.meter.deferred {
        if deferred::record(session, &priced, now)? {
            return Ok(report::unsettled(event, false));
        }
    } else if let Cost::Own(cost) = priced.cost
        && cost > Decimal::ZERO
        && let Some(line) = head::charge(session, priced.account(), cost, Spending::Usage, now)?
    {
        if record(session, &priced, &line)? {
            return Ok(report::row(event, cost, Decimal::ZERO, line.available, false));
        }
        head::undo(session, priced.account(), cost)?;
        return repeat::answer(session, event, now, Error::internal("an identifier is taken and not to be found"));
    }
    let mut outcomes = batch::report(session, std::slice::from_ref(reported), now, Locking::Wait)?;
    outcomes.pop().unwrap_or_else(|| Err(Error::internal("an event had no outcome")))
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits.meter_events (customer_id, identifier, event_name, currency, value, consumed, occurred_at,
                                        created_at, subscription_id, source_data, metadata, price_version, line_no,
                                        running_balance, grant_id)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
      ON CONFLICT DO NOTHING",
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        INT4OID,
        INT8OID,
        NUMERICOID,
        UUIDOID,
    ],
);

/// Writes an event that the head paid, its own line of the ledger: false where its identifier is taken, after waiting for
/// that report to commit.
fn record(session: &Session, priced: &Priced<'_>, line: &OwnLine) -> Result<bool, Error> {
    let event = priced.claim_cells(line.posted_at);
    let line = [line.line_no.cell(), line.balance.cell(), line.grant_id.cell()];
    Ok(RECORD.run(session, &[&event[..], &line[..]].concat())?.written() > 0)
}

/// `credits.report_meter_events` over arrays. Raises PC013; with `all_or_nothing` whatever the first bad event does.
#[pg_extern(sql = false)]
fn report_meter_events(
    customer_ids: Option<ArrayOf<String>>,
    event_names: Option<ArrayOf<String>>,
    event_values: Option<ArrayOf<Numeric>>,
    identifiers: Option<ArrayOf<String>>,
    occurred_ats: Option<ArrayOf<Time>>,
    all_or_nothing: Option<bool>,
) -> Reply<Many<BatchRow>> {
    Reply((|| {
        let now = settings::now()?;
        let customers = input::required("customer_ids", customer_ids)?.elements("customer_ids")?;
        let names = column("event_names", event_names, customers.len())?;
        let values = column("event_values", event_values, customers.len())?;
        let identifiers = column("identifiers", identifiers, customers.len())?;
        let times = match occurred_ats {
            None => vec![None; customers.len()],
            given => column("occurred_ats", given, customers.len())?,
        };
        let mut events = Vec::with_capacity(customers.len());
        let mut echoes = Vec::with_capacity(customers.len());
        for ((((customer, name), value), identifier), at) in
            customers.into_iter().zip(names).zip(values).zip(identifiers).zip(times)
        {
            echoes.push(identifier.clone());
            events.push(Event::read(customer, name, value, identifier, at, now, Extras::default()));
        }
        report_all(events, echoes, all_or_nothing, now)
    })())
}

/// A batch, however it was given: an answer an event, in input order. With `all_or_nothing` the first error is raised.
pub fn report_all(
    events: Vec<Result<Event, Error>>,
    echoes: Vec<Option<String>>,
    all_or_nothing: Option<bool>,
    now: Time,
) -> Result<Many<BatchRow>, Error> {
    // A batch of one comes to the same as its event alone, and is quicker that way.
    let outcomes = writing(|session| match &events[..] {
        [reported] => Ok(vec![report_one(session, reported, now)]),
        _ => batch::report(session, &events, now, Locking::Wait),
    })?;
    let mut rows = Vec::with_capacity(outcomes.len());
    for (outcome, identifier) in outcomes.into_iter().zip(echoes) {
        rows.push(match outcome {
            Err(error) if all_or_nothing == Some(true) => return Err(error),
            Err(error) => BatchRow::refused(identifier, &error),
            Ok(row) => BatchRow::charged(row),
        });
    }
    Ok(Many(rows))
}

/// One of the batch's arrays, which must all be equally long.
fn column<T: Element + FromCell>(
    argument: &'static str,
    given: Option<ArrayOf<T>>,
    length: usize,
) -> Result<Vec<Option<T>>, Error> {
    let column = input::required(argument, given)?.elements(argument)?;
    if column.len() != length {
        return Err(Error::argument(argument, "must have as many elements as customer_ids"));
    }
    Ok(column)
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
        }
    }

    fn refused(identifier: Option<String>, error: &Error) -> Self {
        BatchRow {
            identifier,
            status: None,
            consumed: None,
            pending: None,
            available: None,
            replayed: false,
            error: Some(error.sqlstate().to_string()),
        }
    }
}
