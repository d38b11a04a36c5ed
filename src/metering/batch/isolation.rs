//! Isolation of failures in a batch: if an account cannot be charged at all, for example because its row is damaged,
//! only that account's events fail.

use crate::error::Error;
use crate::metering::batch::accounts::Locking;
use crate::metering::batch::{charge_quickly, charge_under_locks, judge_all, meters_of, report};
use crate::metering::report::{Event, EventRow};
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::pg::subtransaction::{self, Failure};
use std::collections::BTreeMap;

/// The outcome of an event: its answer, or the code and message of its error.
pub type Answered = Result<EventRow, Failure>;

/// Reports a batch as [`report`] does, with the same outcomes, unless some of its accounts are damaged.
pub fn report_apart(session: &Session, events: &[Result<Event, Error>], now: Time) -> Result<Vec<Answered>, Error> {
    let meters = meters_of(session, events)?;
    let judged = judge_all(session, events, &meters, now);
    let outcomes = match charge_quickly(session, &judged, now, Locking::Wait)? {
        Some(outcomes) => Ok(outcomes),
        None => subtransaction::isolate_waiting(|| charge_under_locks(session, &judged, now, Locking::Wait)),
    };
    match outcomes {
        Ok(outcomes) => Ok(outcomes.into_iter().map(|outcome| outcome.map_err(Failure::from)).collect()),
        Err(_) => by_customer(session, events, now),
    }
}

/// Reports each customer's events separately and, if that fails, each event; in the order of their keys, in which they
/// are locked.
fn by_customer(session: &Session, events: &[Result<Event, Error>], now: Time) -> Result<Vec<Answered>, Error> {
    let mut customers: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        customers.entry(event.as_ref().ok().map(|event| event.customer_id.as_str())).or_default().push(index);
    }
    let mut outcomes: Vec<Option<Answered>> = events.iter().map(|_| None).collect();
    let mut report_some = |indexes: &[usize]| -> Result<(), Failure> {
        let some: Vec<&Result<Event, Error>> = indexes.iter().map(|index| &events[*index]).collect();
        let reported = subtransaction::isolate_waiting(|| report(session, &some, now, Locking::Wait))?;
        for (index, outcome) in indexes.iter().zip(reported) {
            outcomes[*index] = Some(outcome.map_err(Failure::from));
        }
        Ok(())
    };
    let mut failed = Vec::new();
    for indexes in customers.values() {
        if report_some(indexes).is_err() {
            for index in indexes {
                if let Err(failure) = report_some(&[*index]) {
                    failed.push((*index, failure));
                }
            }
        }
    }
    failed.into_iter().for_each(|(index, failure)| outcomes[index] = Some(Err(failure)));
    let lost = || Error::internal("an event had no outcome");
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(lost)).collect()
}
