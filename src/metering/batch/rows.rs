//! The rows of a batch's events: writing them, all at once, claims their identifiers.

use crate::error::Error;
use crate::ledger::engine::line::{OwnLine, Period};
use crate::ledger::engine::posting::Key;
use crate::metering::batch::accounts::Owned;
use crate::metering::report::Priced;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::Cell;
use crate::pg::value::array::{Put, array};
use pgrx::pg_sys::{
    INT4ARRAYOID, INT8ARRAYOID, JSONBARRAYOID, NUMERICARRAYOID, Oid, TEXTARRAYOID, TIMESTAMPTZARRAYOID, UUIDARRAYOID,
};
use std::collections::HashSet;
use std::rc::Rc;

/// A charged event, as if it were paid in full.
#[derive(Clone, Copy)]
pub struct Charged<'e> {
    /// The event.
    pub priced: &'e Priced<'e>,
    /// The ledger line that its own row stands for, if any.
    pub line: Option<&'e OwnLine>,
    /// The period whose usage it is priced with.
    pub period: Option<&'e Rc<Period>>,
}

impl<'e> Charged<'e> {
    /// An event in the period that it has by itself, if any.
    pub fn new(priced: &'e Priced<'e>, line: Option<&'e OwnLine>) -> Self {
        Charged { priced, line, period: priced.period() }
    }

    /// The same, in the period that counts its value already, if one does.
    pub fn counted(priced: &'e Priced<'e>, line: Option<&'e OwnLine>, counting: Option<&'e Rc<Period>>) -> Self {
        Charged { period: counting.or(priced.period()), ..Charged::new(priced, line) }
    }
}

/// The text of a statement that writes events, up to the source of the columns: shared by all ways of charging. The last
/// column is the member, which the release before does not have.
macro_rules! writing_events {
    ($member:literal) => {
        concat!(
            "INSERT INTO credits_internal.meter_events (customer_id, identifier, event_name, currency, value, consumed,
                                               occurred_at, created_at, subscription_id, source_data, metadata,
                                               price_version, period_key, line_no, running_balance, grant_id",
            $member,
            ") "
        )
    };
}
pub(crate) use writing_events;

/// The same from arrays, and the rest of the statement.
macro_rules! writing {
    ($member:literal, $value:literal, $rest:literal) => {
        text!(
            writing_events!($member),
            "SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7), unnest($8),
                    unnest($9), unnest($10), unnest($11), unnest($12), unnest($13), unnest($14), unnest($15), unnest($16)",
            $value,
            " ",
            $rest
        )
    };
    ($rest:literal) => {
        Statement::new(writing!(", member_id", ", unnest($17)", $rest), &COLUMNS).before(writing!("", "", $rest))
    };
}

const COLUMNS: [Oid; 17] = [
    TEXTARRAYOID,
    TEXTARRAYOID,
    TEXTARRAYOID,
    TEXTARRAYOID,
    NUMERICARRAYOID,
    NUMERICARRAYOID,
    TIMESTAMPTZARRAYOID,
    TIMESTAMPTZARRAYOID,
    TEXTARRAYOID,
    JSONBARRAYOID,
    JSONBARRAYOID,
    INT4ARRAYOID,
    TEXTARRAYOID,
    INT8ARRAYOID,
    NUMERICARRAYOID,
    UUIDARRAYOID,
    TEXTARRAYOID,
];

/// The same for many events, in key order, with when each was reported.
fn columns<'e>(events: &mut [Charged<'e>], at: impl Fn(&Charged<'e>) -> Time) -> [Cell; 17] {
    events.sort_unstable_by_key(|e| e.priced.event.key());
    [
        array(events.iter().map(|e| &e.priced.event.customer_id)),
        array(events.iter().map(|e| &e.priced.event.identifier)),
        array(events.iter().map(|e| &e.priced.event.event_name)),
        array(events.iter().map(|e| &e.priced.meter.currency)),
        array(events.iter().map(|e| e.priced.event.value)),
        array(events.iter().map(|e| e.priced.own_cost())),
        array(events.iter().map(|e| e.priced.event.occurred_at)),
        array(events.iter().map(at)),
        sparse(events.iter().map(|e| e.priced.event.extras.subscription_id.as_ref())),
        sparse(events.iter().map(|e| e.priced.event.extras.source_data.as_ref())),
        sparse(events.iter().map(|e| e.priced.event.extras.metadata.as_ref())),
        array(events.iter().map(|e| e.priced.meter.price_version)),
        sparse(events.iter().map(|e| e.period.map(|period| &period.key))),
        array(events.iter().map(|e| e.line.map(|l| l.line_no))),
        array(events.iter().map(|e| e.line.map(|l| l.balance))),
        array(events.iter().map(|e| e.line.map(|l| l.grant_id))),
        sparse(events.iter().map(|e| e.priced.event.extras.member_id.as_ref())),
    ]
}

/// A column that few events have: a NULL array, which gives NULL in each row, if none has it.
fn sparse<T: Put>(items: impl Iterator<Item = Option<T>> + Clone) -> Cell {
    if items.clone().any(|item| item.is_some()) { array(items) } else { Cell::NULL }
}

/// Its own line is posted when it is reported.
fn reported_at(now: Time) -> impl Fn(&Charged<'_>) -> Time {
    move |event| event.line.map_or(now, |l| l.posted_at)
}

static WRITE_NEW: Statement = writing!("");

/// Writes events whose identifiers are assumed to be free: raises PostgreSQL's unique_violation if one is not, after
/// waiting for the report that has it to commit.
pub fn write_new(session: &Session, mut events: Vec<Charged<'_>>, now: Time) -> Result<(), Error> {
    WRITE_NEW.run(session, &columns(&mut events, reported_at(now))).map(drop)
}

static WRITE: Statement = writing!("ON CONFLICT DO NOTHING RETURNING customer_id, identifier");

/// Writes those events whose identifiers are free. Returns the identifiers that other reports have claimed, after
/// waiting for them to commit.
pub fn write(session: &Session, events: Vec<Charged<'_>>, now: Time) -> Result<HashSet<Key>, Error> {
    write_at(session, events, reported_at(now))
}

/// The same of events that were reported at moments of their own.
pub fn write_at<'e>(
    session: &Session,
    mut events: Vec<Charged<'e>>,
    at: impl Fn(&Charged<'e>) -> Time,
) -> Result<HashSet<Key>, Error> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = WRITE.run(session, &columns(&mut events, at))?;
    if rows.len() == events.len() {
        return Ok(HashSet::new());
    }
    let mut lost: HashSet<Key> = events.iter().map(|e| e.priced.event.key().owned()).collect();
    for mut row in rows.iter() {
        lost.remove(&(row.next()?, row.next()?));
    }
    Ok(lost)
}

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.meter_events e USING unnest($1, $2) AS k (customer_id, identifier)
      WHERE e.customer_id = k.customer_id AND e.identifier = k.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Deletes rows that this call has just written.
pub fn forget<'k>(session: &Session, keys: impl Iterator<Item = &'k (&'k str, &'k str)>) -> Result<(), Error> {
    let (customers, identifiers): (Vec<&str>, Vec<&str>) = keys.copied().unzip();
    if customers.is_empty() {
        return Ok(());
    }
    FORGET.run(session, &[array(customers), array(identifiers)]).map(drop)
}
