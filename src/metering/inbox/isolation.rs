//! Isolation of failures in the inbox: if one account or one row fails, it is rejected with its error, and the others
//! are charged. If one would have to wait for another session, it stays in the inbox, and the others are charged too.

use crate::error::Error;
use crate::ledger::engine::failure;
use crate::ledger::engine::posting::{self, Key};
use crate::metering::batch::accounts::Locking;
use crate::metering::inbox::moments;
use crate::metering::report::Event;
use crate::metering::{batch, meter};
use crate::moment::Time;
use crate::pg::locking::patience::Patience;
use crate::pg::statement::Session;
use crate::pg::subtransaction::{self, Failure};
use std::collections::HashMap;

/// The outcome of a row: charged, or found to be a replay; left in the inbox, because another session has its account
/// or its identifier; or why it is rejected.
pub enum Outcome {
    /// Charged, or a replay.
    Done,
    /// To be retried.
    Busy,
    /// Rejected.
    Failed(Failure),
}

/// As of when a row is charged, and what it reports, or why that cannot be read.
type Row<'a> = (Time, &'a Result<Event, Error>);

/// An account, if it is known, and the indexes of its rows.
type Group = (Option<Key>, Vec<usize>);

/// After so many rows of an account, tried one by one, turn out to be locked by another session, all of the account
/// counts as locked.
const ROWS: usize = 10;

/// Charges what rows report, with an outcome per row: all at once, except rows of accounts that failed before; if that
/// fails, account by account.
pub fn report(session: &Session, rows: &[Row<'_>], patience: &Patience) -> Result<Vec<Outcome>, Error> {
    let failed = failure::failed_accounts(session)?;
    let mut outcomes: Vec<Option<Outcome>> = rows.iter().map(|_| None).collect();
    let (mut together, mut apart): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        let is_apart = !failed.is_empty() && account(session, row)?.is_some_and(|key| failed.contains(&key));
        if is_apart { apart.push(index) } else { together.push(index) }
    }
    if let Err(_failure) = charge(session, rows, &together, &mut outcomes, patience) {
        apart.append(&mut together);
    }
    for (key, indexes) in by_account(session, rows, apart)? {
        match charge(session, rows, &indexes, &mut outcomes, patience) {
            Ok(()) => {
                if let Some(key) = key.filter(|key| failed.contains(key)) {
                    failure::forget(session, &key)?;
                }
                continue;
            }
            // Some of them may not have to wait.
            Err(failure) if failure.is_busy() => {}
            // Is it the account, or one of these rows?
            Err(_) => {
                let works =
                    key.as_ref().map_or(Ok(()), |key| account_works(session, key, rows[indexes[0]].0, patience));
                if let (Some(key), Err(failure)) = (&key, works)
                    && !failure.is_busy()
                {
                    failure::record(session, key, &failure)?;
                    indexes.iter().for_each(|index| outcomes[*index] = Some(Outcome::Failed(failure.clone())));
                    continue;
                }
            }
        }
        one_by_one(session, rows, indexes, &mut outcomes, patience);
    }
    let lost = || Error::internal("a row of the inbox had no outcome");
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(lost)).collect()
}

/// Charges the rows at these indexes, each separately.
fn one_by_one(
    session: &Session,
    rows: &[Row<'_>],
    indexes: Vec<usize>,
    outcomes: &mut [Option<Outcome>],
    patience: &Patience,
) {
    let mut busy = 0;
    for index in indexes {
        if busy == ROWS {
            outcomes[index] = Some(Outcome::Busy);
            continue;
        }
        match charge(session, rows, &[index], outcomes, patience) {
            Ok(()) => {}
            Err(failure) if failure.is_busy() => {
                busy += 1;
                outcomes[index] = Some(Outcome::Busy);
            }
            Err(failure) => outcomes[index] = Some(Outcome::Failed(failure)),
        }
    }
}

/// Charges the rows at these indexes, all or none.
fn charge(
    session: &Session,
    rows: &[Row<'_>],
    indexes: &[usize],
    outcomes: &mut [Option<Outcome>],
    patience: &Patience,
) -> Result<(), Failure> {
    if indexes.is_empty() {
        return Ok(());
    }
    let some: Vec<Row<'_>> = indexes.iter().map(|index| rows[*index]).collect();
    let charged = subtransaction::isolate(patience, || charge_all(session, &some))?;
    for (index, outcome) in indexes.iter().zip(charged) {
        outcomes[*index] = Some(match outcome {
            Ok(()) => Outcome::Done,
            Err(Error::AccountBusy) => Outcome::Busy,
            Err(error) => Outcome::Failed(error.into()),
        });
    }
    Ok(())
}

/// Charges rows: if they came at different moments, as many of them at once as possible; of the rest, those that came
/// together are one batch.
fn charge_all(session: &Session, rows: &[Row<'_>]) -> Result<Vec<Result<(), Error>>, Error> {
    let came_together = rows.iter().all(|(as_of, _)| *as_of == rows[0].0);
    let done = if came_together { vec![false; rows.len()] } else { moments::charge(session, rows)? };
    let mut outcomes: Vec<Result<(), Error>> = rows.iter().map(|_| Ok(())).collect();
    let others: Vec<usize> = (0..rows.len()).filter(|index| !done[*index]).collect();
    for together in others.chunk_by(|one, other| rows[*one].0 == rows[*other].0) {
        let events: Vec<&Result<Event, Error>> = together.iter().map(|index| rows[*index].1).collect();
        let reported = batch::report(session, &events, rows[together[0]].0, Locking::Skip)?;
        for (index, outcome) in together.iter().zip(reported) {
            outcomes[*index] = outcome.map(drop);
        }
    }
    Ok(outcomes)
}

/// Whether an account can be brought up to date at all; one that another session has locked counts as one that can.
fn account_works(session: &Session, key: &Key, now: Time, patience: &Patience) -> Result<(), Failure> {
    subtransaction::isolate(patience, || match posting::lock_free(session, std::slice::from_ref(key))? {
        free if free.is_empty() => Ok(()),
        free => posting::open_as_of(session, &free, now).and_then(|books| posting::post_due(session, books)),
    })
}

/// The account that a row would charge, if its meter exists.
fn account(session: &Session, (_, row): &Row<'_>) -> Result<Option<Key>, Error> {
    let Ok(event) = row else { return Ok(None) };
    let meter = meter::find(session, &event.event_name, event.occurred_at)?;
    Ok(meter.map(|meter| (event.customer_id.clone(), meter.currency.clone())))
}

/// Indexes by account, accounts in the order of their first rows.
fn by_account(session: &Session, rows: &[Row<'_>], mut indexes: Vec<usize>) -> Result<Vec<Group>, Error> {
    indexes.sort_unstable();
    let mut groups: Vec<Group> = Vec::new();
    let mut found: HashMap<Option<Key>, usize> = HashMap::new();
    for index in indexes {
        let key = account(session, &rows[index])?;
        let group = *found.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(index);
    }
    Ok(groups)
}
