//! Charging events, one or ten thousand: read, price, claim, lock, charge, post. A batch of one is a batch.

use super::event::EventRow;
use super::meter::{self, Meter};
use super::pricing;
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::book::{Book, Overage, Refusal};
use crate::ledger::customer;
use crate::ledger::line::Source;
use crate::ledger::posting::{self, Key};
use crate::pg::argument::Numeric;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{ToCell, array};
use crate::settings;
use pgrx::pg_sys::{NUMERICARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID};
use std::collections::{HashMap, HashSet};

/// The status of an event that is paid.
pub const PROCESSED: &str = "processed";
/// The status of an event that owes.
const PENDING: &str = "pending";

/// A report of usage, with arguments that can be right.
#[derive(Debug, Clone)]
pub struct Event {
    /// Whose usage.
    pub customer_id: String,
    /// Its meter.
    pub event_name: String,
    /// How much, in the meter's unit.
    pub value: Decimal,
    /// The caller's own, unique per customer.
    pub identifier: String,
    /// When the usage happened.
    pub occurred_at: Time,
}

impl Event {
    /// Reads a report's arguments. Raises PC007, PC013.
    pub fn read(
        customer_id: Option<&str>,
        event_name: Option<&str>,
        value: Option<Numeric>,
        identifier: Option<&str>,
        occurred_at: Option<Time>,
        now: Time,
    ) -> Result<Self, Error> {
        Ok(Event {
            customer_id: input::key("customer_id", customer_id)?.to_string(),
            event_name: input::key("event_name", event_name)?.to_string(),
            value: input::number("value", value, amount::not_negative)?,
            identifier: input::key("identifier", identifier)?.to_string(),
            occurred_at: occurred_at.unwrap_or(now),
        })
    }

    fn key(&self) -> (&str, &str) {
        (&self.customer_id, &self.identifier)
    }
}

/// An event that may be charged, and what it costs.
#[derive(Debug, Clone)]
pub struct Priced<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its meter.
    pub meter: &'a Meter,
    /// Credits.
    pub cost: Decimal,
}

/// Judges an event by its meter and its time, and prices it. Raises PC004 to PC008.
pub fn price<'a>(event: &'a Event, meter: Option<&'a Meter>, now: Time) -> Result<Priced<'a>, Error> {
    let Some(meter) = meter else {
        return Err(Error::MeterNotFound { event_name: event.event_name.clone() });
    };
    if !meter.active {
        return Err(Error::MeterInactive { event_name: event.event_name.clone() });
    }
    if !meter.currency_active {
        return Err(Error::CurrencyNotFound { currency: meter.currency.clone(), inactive: true });
    }
    let (future, age) = (settings::event_max_future(), settings::event_max_age());
    let out_of_range = |reason, setting, seconds| Err(Error::EventTimeOutOfRange { reason, setting, seconds });
    if event.occurred_at > now.plus_seconds(future) {
        return out_of_range("too far in the future", "credits.event_max_future", future);
    }
    if event.occurred_at < now.plus_seconds(-age) {
        return out_of_range("too far in the past", "credits.event_max_age", age);
    }
    let cost = pricing::event_cost(meter.aggregation, event.value, meter.unit_price, meter.decimals)
        .map_err(|reason| Error::InvalidAmount { argument: "value", value: event.value.to_string(), reason })?;
    Ok(Priced { event, meter, cost })
}

type Outcome = Result<EventRow, Error>;

/// Reports a batch: an outcome an event, in input order, each as if it had been reported alone.
pub fn report(session: &Session, events: Vec<Result<Event, Error>>, now: Time) -> Result<Vec<Outcome>, Error> {
    let mut meters: HashMap<&str, Option<Meter>> = HashMap::new();
    for event in events.iter().flatten() {
        if !meters.contains_key(event.event_name.as_str()) {
            meters.insert(&event.event_name, meter::find(session, &event.event_name)?);
        }
    }
    let mut outcomes: Vec<Option<Outcome>> = (0..events.len()).map(|_| None).collect();
    let mut first: HashSet<(&str, &str)> = HashSet::with_capacity(events.len());
    let (mut priced, mut repeats, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for (place, event) in events.iter().enumerate() {
        match event {
            Err(error) => outcomes[place] = Some(Err(error.clone())),
            Ok(event) => match price(event, meters.get(event.event_name.as_str()).and_then(Option::as_ref), now) {
                Err(error) => repeats.push((place, event, error)),
                Ok(_) if !first.insert(event.key()) => later.push(place),
                Ok(event) => priced.push((place, event)),
            },
        }
    }
    let claimed = claim(session, priced.iter().map(|(_, p)| p).collect(), now)?;
    let (charging, taken): (Vec<_>, Vec<_>) =
        priced.into_iter().partition(|(_, p)| claimed.contains(&p.event.key().owned()));
    repeats.extend(
        taken
            .into_iter()
            .map(|(place, p)| (place, p.event, Error::internal("an identifier is taken and not to be found"))),
    );
    let (places, charging): (Vec<usize>, Vec<Priced<'_>>) = charging.into_iter().unzip();
    for (place, outcome) in places.into_iter().zip(charge_claimed(session, &charging, now)?) {
        outcomes[place] = Some(outcome);
    }
    let (places, repeats): (Vec<usize>, Vec<_>) = repeats.into_iter().map(|(p, e, error)| (p, (e, error))).unzip();
    for (place, outcome) in places.into_iter().zip(repeats_or(session, repeats, now)?) {
        outcomes[place] = Some(outcome);
    }
    // An identifier's second report in one batch is judged after its first: a repeat of it, or, where the first was
    // refused, a report like any other. Its key is this transaction's by now, so claiming it waits for nobody.
    if !later.is_empty() {
        let again: Vec<Result<Event, Error>> = later.iter().map(|place| events[*place].clone()).collect();
        for (place, outcome) in later.into_iter().zip(report(session, again, now)?) {
            outcomes[place] = Some(outcome);
        }
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Err(Error::internal("an event had no outcome"))))
        .collect())
}

trait Owned {
    fn owned(&self) -> Key;
}

impl Owned for (&str, &str) {
    fn owned(&self) -> Key {
        (self.0.to_string(), self.1.to_string())
    }
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits.meter_events (customer_id, identifier, event_name, currency, value, consumed, occurred_at,
                                        created_at)
      SELECT x.*, $8 FROM unnest($1, $2, $3, $4, $5, $6, $7) AS x
      ON CONFLICT DO NOTHING RETURNING customer_id, identifier",
    &[
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZOID,
    ],
);

/// Claims identifiers in key order, each as if it were paid in full; those that another report has are left out of
/// the answer, after waiting for that report to commit.
fn claim(session: &Session, mut events: Vec<&Priced<'_>>, now: Time) -> Result<HashSet<Key>, Error> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    events.sort_by_key(|p| p.event.key());
    let rows = CLAIM.run(
        session,
        &[
            array(events.iter().map(|p| &p.event.customer_id)),
            array(events.iter().map(|p| &p.event.identifier)),
            array(events.iter().map(|p| &p.event.event_name)),
            array(events.iter().map(|p| &p.meter.currency)),
            array(events.iter().map(|p| p.event.value)),
            array(events.iter().map(|p| p.cost)),
            array(events.iter().map(|p| p.event.occurred_at)),
            now.cell(),
        ],
    )?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits.meter_events e USING unnest($1, $2) AS k (customer_id, identifier)
      WHERE e.customer_id = k.customer_id AND e.identifier = k.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// Charges events whose identifiers are claimed: an outcome an event, in the order given. What is refused leaves no
/// claim.
pub fn charge_claimed(session: &Session, events: &[Priced<'_>], now: Time) -> Result<Vec<Outcome>, Error> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut needs: HashMap<(&str, &str), Decimal> = HashMap::new();
    for p in events {
        let need = needs.entry((&p.event.customer_id, &p.meter.currency)).or_default();
        *need = need.checked_add(p.cost).unwrap_or(Decimal::MAX);
    }
    let mut keys: Vec<Key> = needs.keys().map(Owned::owned).collect();
    keys.sort();
    // Only what may end up owing needs an account: where there is none there is nothing to pay with.
    let owing: HashSet<(&str, &str)> = events
        .iter()
        .filter(|p| p.meter.overage == Overage::Pending)
        .map(|p| (p.event.customer_id.as_str(), p.meter.currency.as_str()))
        .collect();
    let owing: Vec<Key> = keys.iter().filter(|k| owing.contains(&(k.0.as_str(), k.1.as_str()))).cloned().collect();
    posting::make(session, &owing)?;
    let mut books = posting::lock(session, &keys)?;
    posting::bring_up_to_date(session, &mut books, now)?;
    let mut wide: Vec<(&mut Book, Decimal)> = Vec::new();
    for book in books.iter_mut() {
        let need = needs.get(&(book.customer_id.as_str(), book.currency.as_str())).copied().unwrap_or_default();
        if book.head_suffices(need) {
            book.take_head();
        } else {
            wide.push((book, need));
        }
    }
    posting::take_windows(session, &mut wide)?;

    let mut outcomes = Vec::with_capacity(events.len());
    let mut refused: Vec<&Event> = Vec::new();
    let places: HashMap<Key, usize> =
        books.iter().enumerate().map(|(i, b)| ((b.customer_id.clone(), b.currency.clone()), i)).collect();
    for p in events {
        let place = places.get(&(p.event.customer_id.as_str(), p.meter.currency.as_str()).owned());
        let outcome = match place.and_then(|place| books.get_mut(*place)) {
            None if customer::exists(session, &p.event.customer_id)? => nothing_to_pay_with(p),
            None => Err(Error::CustomerNotFound { customer_id: p.event.customer_id.clone() }),
            Some(book) => charge(book, p),
        };
        if outcome.is_err() {
            refused.push(p.event);
        }
        outcomes.push(outcome);
    }
    if !refused.is_empty() {
        FORGET.run(
            session,
            &[array(refused.iter().map(|e| &e.customer_id)), array(refused.iter().map(|e| &e.identifier))],
        )?;
    }
    books.retain(Book::is_changed);
    if !books.is_empty() {
        posting::post(session, &books)?;
    }
    Ok(outcomes)
}

/// An event of a meter that refuses, in an account that was never used.
fn nothing_to_pay_with(p: &Priced<'_>) -> Outcome {
    if p.cost.is_zero() {
        return Ok(row(p.event, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, false));
    }
    Err(Error::InsufficientCredits {
        customer_id: p.event.customer_id.clone(),
        currency: p.meter.currency.clone(),
        available: Decimal::ZERO,
        requested: p.cost,
    })
}

fn charge(book: &mut Book, p: &Priced<'_>) -> Outcome {
    let source = Source::Event(p.event.identifier.clone());
    match book.charge(&source, Some(&p.event.event_name), p.cost, p.meter.overage, p.meter.decimals) {
        Ok(charged) => Ok(row(p.event, charged.consumed, charged.pending, book.available, false)),
        Err(Refusal::Short { available }) => Err(Error::InsufficientCredits {
            customer_id: book.customer_id.clone(),
            currency: book.currency.clone(),
            available,
            requested: p.cost,
        }),
        Err(Refusal::Limit(reason)) => {
            Err(Error::InvalidAmount { argument: "value", value: p.event.value.to_string(), reason })
        }
    }
}

fn row(event: &Event, consumed: Decimal, pending: Decimal, available: Decimal, replayed: bool) -> EventRow {
    EventRow {
        identifier: event.identifier.clone(),
        status: if pending > Decimal::ZERO { PENDING } else { PROCESSED }.to_string(),
        consumed,
        pending,
        available,
        replayed,
    }
}

static FIND: Statement = Statement::new(
    c"SELECT e.customer_id, e.identifier, e.event_name, e.currency, e.value, e.consumed, e.pending
      FROM unnest($1, $2) AS k (customer_id, identifier)
      JOIN credits.meter_events e ON e.customer_id = k.customer_id AND e.identifier = k.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
);

/// An event as it was first reported, and what of it is paid.
struct First {
    event_name: String,
    currency: String,
    value: Decimal,
    consumed: Decimal,
    pending: Decimal,
}

/// Answers one report from the first one under its identifier; where there is none, with the error it came with.
pub fn repeat_or(session: &Session, event: &Event, now: Time, error: Error) -> Outcome {
    let mut outcomes = repeats_or(session, vec![(event, error)], now)?;
    outcomes.pop().unwrap_or_else(|| Err(Error::internal("a repeat had no answer")))
}

fn repeats_or(session: &Session, events: Vec<(&Event, Error)>, now: Time) -> Result<Vec<Outcome>, Error> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
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
        };
        firsts.insert(key, first);
    }
    // Balances and what is owed are answered as they stand now, what is due counted.
    let accounts: HashSet<Key> =
        firsts.iter().map(|((customer, _), f)| (customer.clone(), f.currency.clone())).collect();
    let mut books = posting::read(session, &accounts.into_iter().collect::<Vec<_>>())?;
    posting::bring_up_to_date(session, &mut books, now)?;
    let books: HashMap<Key, Book> =
        books.into_iter().map(|b| ((b.customer_id.clone(), b.currency.clone()), b)).collect();

    Ok(events
        .into_iter()
        .map(|(event, error)| {
            let first = firsts.get(&event.key().owned()).ok_or(error)?;
            check_repeat(event, first)?;
            let book = books.get(&(event.customer_id.clone(), first.currency.clone()));
            let debt = book.and_then(|b| b.debt(&event.identifier));
            let (consumed, pending) =
                debt.map_or((first.consumed, first.pending), |debt| (debt.consumed, debt.pending));
            let available = book.map_or(Decimal::ZERO, |b| b.available);
            Ok(row(event, consumed, pending, available, true))
        })
        .collect())
}

fn check_repeat(event: &Event, first: &First) -> Result<(), Error> {
    let difference = if event.event_name != first.event_name {
        "meter"
    } else if event.value != first.value {
        "value"
    } else {
        return Ok(());
    };
    Err(Error::IdempotencyConflict { argument: "identifier", key: event.identifier.clone(), difference })
}
