//! Replays: reports under an identifier that was used before, answered from the first report as it stands now.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting::{self, Key};
use crate::metering::report::{CANCELED, Event, Outcome, recorded, row, unsettled};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, in_one_snapshot};
use crate::pg::value::array::array;
use pgrx::pg_sys::TEXTARRAYOID;
use std::collections::{HashMap, HashSet};

static FIND: Statement = Statement::new(
    c"SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.reported_value, e.consumed, e.pending, e.canceled,
             u.identifier IS NOT NULL,
             e.price_version = 0 AND EXISTS (SELECT FROM credits_internal.invoiced_events i
                                             WHERE i.customer_id = e.customer_id AND i.identifier = e.identifier)
      FROM unnest($1, $2) AS k (customer_id, identifier)
      JOIN credits_internal.events e ON e.customer_id = k.customer_id AND e.identifier = k.identifier
      LEFT JOIN credits_internal.unsettled_events u ON u.customer_id = e.customer_id AND u.currency = e.currency
                                          AND u.created_at = e.created_at AND u.identifier = e.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
)
.before(
    c"SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.value, e.consumed, e.pending, e.canceled,
             u.identifier IS NOT NULL, false
      FROM unnest($1, $2) AS k (customer_id, identifier)
      JOIN credits_internal.events e ON e.customer_id = k.customer_id AND e.identifier = k.identifier
      LEFT JOIN credits_internal.unsettled_events u ON u.customer_id = e.customer_id AND u.currency = e.currency
                                          AND u.created_at = e.created_at AND u.identifier = e.identifier",
);

/// An event as first reported, and how much of it is paid.
struct First {
    event_name: String,
    currency: String,
    value: Decimal,
    consumed: Decimal,
    pending: Decimal,
    canceled: bool,
    unsettled: bool,
    recorded: bool,
}

static THERE: Statement = Statement::new(
    c"SELECT e.customer_id, e.identifier FROM unnest($1, $2) AS k (customer_id, identifier)
      JOIN credits_internal.meter_events e ON e.customer_id = k.customer_id AND e.identifier = k.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Those identifiers of these events under which a report exists.
pub fn which_are_there<'e>(
    session: &Session,
    events: impl Iterator<Item = &'e Event> + Clone,
) -> Result<HashSet<Key>, Error> {
    if events.clone().next().is_none() {
        return Ok(HashSet::new());
    }
    let keys = [array(events.clone().map(|e| &e.customer_id)), array(events.map(|e| &e.identifier))];
    THERE.run(session, &keys)?.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

/// The error for an identifier that is taken but has no report.
pub fn lost() -> Error {
    Error::internal("an identifier is taken and not to be found")
}

/// Answers one report from the first one under its identifier; if there is none, with the given error.
pub fn answer(session: &Session, event: &Event, now: Time, error: Error) -> Outcome {
    let mut outcomes = answers(session, vec![(event, error)], now)?;
    outcomes.pop().unwrap_or_else(|| Err(Error::internal("a replay had no answer")))
}

/// The same for many: an answer per report, in the given order, all as of one moment.
pub fn answers(session: &Session, events: Vec<(&Event, Error)>, now: Time) -> Result<Vec<Outcome>, Error> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    in_one_snapshot(session, |session| answers_in(session, events, now))
}

fn answers_in(session: &Session, events: Vec<(&Event, Error)>, now: Time) -> Result<Vec<Outcome>, Error> {
    let found = FIND.run(
        session,
        &[array(events.iter().map(|(e, _)| &e.customer_id)), array(events.iter().map(|(e, _)| &e.identifier))],
    )?;
    let mut firsts: HashMap<Key, First> = HashMap::new();
    for mut row in found.iter() {
        let key = (row.next()?, row.next()?);
        let first = First {
            event_name: row.next()?,
            currency: row.next()?,
            value: row.next()?,
            consumed: row.next()?,
            pending: row.next()?,
            canceled: row.next()?,
            unsettled: row.next()?,
            recorded: row.next()?,
        };
        firsts.insert(key, first);
    }
    // Balances and debts are answered as they stand now, with what is due counted.
    let accounts: HashSet<Key> = firsts
        .iter()
        .filter(|(_, first)| !first.unsettled && !first.recorded)
        .map(|((customer, _), first)| (customer.clone(), first.currency.clone()))
        .collect();
    let mut books = posting::read(session, &accounts.into_iter().collect::<Vec<_>>())?;
    posting::bring_up_to_date(session, &mut books, now)?;
    let books: HashMap<Key, Book> =
        books.into_iter().map(|b| ((b.customer_id.clone(), b.currency.clone()), b)).collect();

    Ok(events
        .into_iter()
        .map(|(event, error)| {
            let first = firsts.get(&(event.customer_id.clone(), event.identifier.clone())).ok_or(error)?;
            check(event, (&first.event_name, first.value))?;
            if first.unsettled {
                return Ok(unsettled(event, true));
            }
            if first.recorded {
                return Ok(recorded(event, true));
            }
            let book = books.get(&(event.customer_id.clone(), first.currency.clone()));
            let debt = book.and_then(|b| b.debt(&event.identifier));
            let (consumed, pending) =
                debt.map_or((first.consumed, first.pending), |debt| (debt.consumed, debt.pending));
            let available = book.map_or(Decimal::ZERO, |b| b.available);
            let mut answer = row(event, consumed, pending, available, true);
            if first.canceled {
                answer.status = CANCELED;
            }
            Ok(answer)
        })
        .collect())
}

/// Checks that a report is the same as the first one under its identifier. Raises PC002.
pub fn check(event: &Event, then: (&str, Decimal)) -> Result<(), Error> {
    let (difference, first, given) = if event.event_name != then.0 {
        ("meter", then.0.to_string(), event.event_name.clone())
    } else if event.value != then.1 {
        ("value", then.1.normalize().to_string(), event.value.normalize().to_string())
    } else {
        return Ok(());
    };
    Err(Error::IdempotencyConflict {
        argument: "identifier",
        key: event.identifier.clone(),
        difference,
        first: Some(first),
        given: Some(given),
    })
}
