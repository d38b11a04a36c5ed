//! The inbox: a table without rules that pipelines COPY usage into, and that is drained batch by batch in the order in which
//! its rows came. A row leaves it in the transaction that charged it, found it a repeat, or put it aside with its error; so
//! nothing is lost and nothing charged twice, however often that is interrupted.

use super::accounts::Locking;
use super::batch;
use super::report::{Event, Extras};
use crate::clock::Time;
use crate::error::Error;
use crate::pg::argument::Numeric;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::{ToCell, array};
use crate::settings;
use pgrx::pg_sys::{INT4OID, INT8ARRAYOID, INT8OID, TEXTARRAYOID};

// One session drains at a time, so that rows are charged in their order; the others have the recorded events to settle.
static ALONE: Statement = Statement::new(
    c"SELECT pg_try_advisory_xact_lock('credits.inbox'::regclass::oid::bigint + 4294967296 * 1128481097)",
    &[],
);

static READ: Statement = Statement::in_order(
    c"SELECT i.inbox_id, i.customer_id, i.event_name, i.value, i.identifier, i.occurred_at, i.received_at, i.subscription_id,
             i.source_data, i.metadata
      FROM credits.inbox i WHERE i.inbox_id > $1 ORDER BY i.inbox_id LIMIT $2",
    &[INT8OID, INT4OID],
);

static PUT_ASIDE: Statement = Statement::new(
    c"INSERT INTO credits.inbox_rejected (inbox_id, customer_id, event_name, value, identifier, occurred_at, subscription_id,
                                          source_data, metadata, received_at, error, message, rejected_at)
      SELECT i.inbox_id, i.customer_id, i.event_name, i.value, i.identifier, i.occurred_at, i.subscription_id,
             i.source_data, i.metadata, i.received_at, x.error, x.message, now()
      FROM unnest($1, $2, $3) AS x (inbox_id, error, message)
      JOIN credits.inbox i ON i.inbox_id = x.inbox_id",
    &[INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID],
);

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits.inbox i USING unnest($1) AS x (inbox_id) WHERE i.inbox_id = x.inbox_id",
    &[INT8ARRAYOID],
);

/// Takes up to so many rows out of the inbox; how many it was. Rows of an account that another session has locked stay.
pub fn drain(session: &Session, most: i32) -> Result<i32, Error> {
    let alone: bool = match ALONE.run(session, &[])?.first() {
        Some(mut row) => row.next()?,
        None => false,
    };
    if !alone {
        return Ok(0);
    }
    let (now, mut after) = (settings::now()?, 0);
    loop {
        let (ids, events) = read(session, after, most, now)?;
        let Some(last) = ids.last() else { return Ok(0) };
        after = *last;
        let drained = report(session, &ids, &events, now)?;
        // All of them were of busy accounts: those behind need not be.
        if drained > 0 || events.len() < most as usize {
            return Ok(drained);
        }
    }
}

type Reported = Vec<Result<Event, Error>>;

fn read(session: &Session, after: i64, most: i32, now: Time) -> Result<(Vec<i64>, Reported), Error> {
    let rows = READ.run(session, &[after.cell(), most.cell()])?;
    let (mut ids, mut events) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for mut row in rows.iter() {
        ids.push(row.next()?);
        events.push(event(&mut row, now)?);
    }
    Ok((ids, events))
}

fn event(row: &mut Row<'_>, now: Time) -> Result<Result<Event, Error>, Error> {
    let (customer_id, event_name): (Option<String>, Option<String>) = (row.next()?, row.next()?);
    let value: Option<Numeric> = row.next()?;
    let identifier: Option<String> = row.next()?;
    let (occurred_at, received_at): (Option<Time>, Time) = (row.next()?, row.next()?);
    let occurred_at = occurred_at.or_else(|| (!settings::is_clock_set()).then_some(received_at));
    let extras = Extras { subscription_id: row.next()?, source_data: row.next()?, metadata: row.next()? };
    Ok(Event::read(customer_id, event_name, value, identifier, occurred_at, now, extras))
}

fn report(session: &Session, ids: &[i64], events: &Reported, now: Time) -> Result<i32, Error> {
    let outcomes = batch::report(session, events, now, Locking::Skip)?;
    let (mut done, mut refused) = (Vec::with_capacity(ids.len()), Vec::new());
    for (id, outcome) in ids.iter().zip(outcomes) {
        match outcome {
            Err(Error::AccountBusy) => continue,
            Err(error) => refused.push((*id, error)),
            Ok(_) => {}
        }
        done.push(*id);
    }
    if !refused.is_empty() {
        let cells = [
            array(refused.iter().map(|(id, _)| *id)),
            array(refused.iter().map(|(_, error)| error.sqlstate())),
            array(refused.iter().map(|(_, error)| error.to_string())),
        ];
        PUT_ASIDE.run(session, &cells)?;
    }
    if !done.is_empty() {
        FORGET.run(session, &[array(done.iter().copied())])?;
    }
    Ok(done.len() as i32)
}
