//! Meter events: one report of usage, charged once per (customer_id, identifier) for ever. The SQL-facing functions,
//! and the short way of the common case (ledger/engine/fast_charge.rs); everything else is a batch of one in batch.rs.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::fast_charge::{self, Charge, Paid, Spending, charging};
use crate::ledger::engine::posting;
use crate::metering::batch::accounts::{Locking, Owned};
use crate::metering::batch::{self, replay};
use crate::metering::report::{self, Cost, Event, EventRow, Extras, Outcome, Priced};
use crate::metering::{deferred, meter};
use crate::moment::Time;
use crate::pg::argument::{ArrayOf, Numeric, Timestamptz};
use crate::pg::array::Element;
use crate::pg::memory;
use crate::pg::reply::{Many, One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{FromCell, Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT4OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

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
        /// What that error says, or NULL.
        pub message: Option<String>,
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
        let subscription_id = input::text("subscription_id", subscription_id)?.map(String::from);
        let extras = Extras { subscription_id, source_data, metadata };
        let event = Event::read(customer_id, event_name, value, identifier, occurred_at.map(|t| t.0), now, extras)?;
        writing(|session| report_one(session, &Ok(event), now, Locking::Wait)).map(One)
    })())
}

/// One event: in one statement where it is recorded for later, or where the head pays; as a batch of one otherwise.
pub fn report_one(session: &Session, reported: &Result<Event, Error>, now: Time, locking: Locking) -> Outcome {
    let event = reported.as_ref().map_err(Error::clone)?;
    let meter = batch::meter_of(session, event, now, locking)?;
    let priced = match report::price(event, meter.as_deref(), now) {
        Ok(priced) => priced,
        Err(error) => return replay::answer(session, event, now, meter::suggesting(session, error)),
    };
    if priced.meter.deferred {
        if deferred::record(session, &priced, now)? {
            return Ok(report::unsettled(event, false));
        }
    } else if let Cost::Own(cost) = priced.cost
        && cost > Decimal::ZERO
        && (locking == Locking::Wait || is_free(session, &priced)?)
    {
        match head_pays(session, &priced, cost, now)? {
            Paid::Line { available } => return Ok(report::row(event, cost, Decimal::ZERO, available, false)),
            Paid::Taken => {
                let lost = Error::internal("an identifier is taken and not to be found");
                return replay::answer(session, event, now, lost);
            }
            Paid::Otherwise => {}
        }
    }
    let mut outcomes = batch::report(session, std::slice::from_ref(reported), now, locking)?;
    outcomes.pop().unwrap_or_else(|| Err(Error::internal("an event had no outcome")))
}

/// Whether the account is there and nobody else has it: it is this transaction's from now on.
fn is_free(session: &Session, priced: &Priced<'_>) -> Result<bool, Error> {
    posting::lock_free(session, &[priced.account().owned()]).map(|free| !free.is_empty())
}

static CHARGE: Statement = Statement::new(
    charging!(
        "INSERT INTO credits.meter_events (customer_id, identifier, event_name, currency, value, consumed, occurred_at,
                                           created_at, subscription_id, source_data, metadata, price_version, line_no,
                                           running_balance, grant_id)
         SELECT $1, $7, $8, $2, $9, $3, $10, c.posted_at, $11, $12, $13, $14, c.last_line, c.available, c.head_grant_id
         FROM charge c
         ON CONFLICT (customer_id, identifier) DO NOTHING RETURNING running_balance"
    ),
    &[
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        BOOLOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        INT4OID,
    ],
);

/// Charges an event to the head, where it pays.
fn head_pays(session: &Session, priced: &Priced<'_>, cost: Decimal, now: Time) -> Result<Paid, Error> {
    let event = priced.event;
    let cells = [
        event.identifier.cell(),
        event.event_name.cell(),
        event.value.cell(),
        event.occurred_at.cell(),
        event.extras.subscription_id.cell(),
        event.extras.source_data.cell(),
        event.extras.metadata.cell(),
        priced.meter.price_version.cell(),
    ];
    let charge = Charge { account: priced.account(), amount: cost, by: Spending::Usage, now };
    fast_charge::pay(session, &charge, &CHARGE, &cells)
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
        memory::expect(customers.len() * batch::EVENT_BYTES);
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
        [reported] => Ok(vec![report_one(session, reported, now, Locking::Wait)]),
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
            message: None,
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
            message: Some(error.sentence()),
        }
    }
}
