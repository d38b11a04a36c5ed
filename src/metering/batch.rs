//! Charging events, one or ten thousand: a single event is a batch of one. Events are priced once, and [`plan`] decides
//! which way they go. This file has the general way: price, lock, charge, write, post. Reports are in report.rs, the
//! accounts that pay in batch/accounts.rs, the events' rows in batch/rows.rs, the common case, which needs little of
//! that, in batch/fast_path.rs, and events that are only recorded in deferred.rs.

pub mod accounts;
mod fallback;
pub mod fast_path;
mod isolation;
pub mod past;
pub mod replay;
pub mod rows;

pub use isolation::report_apart;

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::line::{OwnLine, Period};
use crate::ledger::engine::posting::Key;
use crate::metering::batch::accounts::{Accounts, Charge, Locking, Map, Owned};
use crate::metering::deferred;
use crate::metering::event::invoiced;
use crate::metering::meter::{self, Meter};
use crate::metering::report::{self, Event, Outcome, Priced, price};
use crate::moment::Time;
use crate::pg::memory;
use crate::pg::statement::Session;
use foldhash::fast::RandomState;
use std::borrow::Borrow;
use std::collections::HashSet;
use std::rc::Rc;

/// For how many unknown meter names of a batch a suggestion is looked for.
const SUGGESTIONS: usize = 20;

/// Memory per event of a batch, from reading to answer: twice what was measured.
pub const EVENT_BYTES: usize = 2_048;

/// An event of a batch before anything is charged.
enum Judged<'a> {
    /// Its arguments are invalid.
    Bad(Error),
    /// Its meter or its time refuses it: only a replay can be answered.
    Refused(&'a Event, Error),
    /// It may be charged.
    Priced(Priced<'a>),
}

/// The state of the answer to an event.
enum Answer {
    /// A replay: the answer to the first report under its identifier or, if there is none, this error.
    Replay(Error),
    /// It was judged in this call.
    Outcome(Outcome),
}

/// Charged events by customer and identifier, each by its first report in the batch that could be charged, at that
/// index.
type Charged<'a, 'b> = Map<(&'a str, &'a str), Recorded<'a, 'b>>;

/// An event that was charged.
struct Recorded<'a, 'b> {
    priced: &'b Priced<'a>,
    index: usize,
    line: Option<OwnLine>,
    counting: Option<Rc<Period>>,
}

impl Recorded<'_, '_> {
    fn row(&self) -> rows::Charged<'_> {
        rows::Charged::counted(self.priced, self.line.as_ref(), self.counting.as_ref())
    }
}

/// How events are charged.
enum Way<'b, 'a> {
    /// The one event cannot be charged: it replays an earlier report, or this error is its outcome.
    Answer(&'a Event, &'b Error),
    /// The one event is recorded, to be charged later, or invoiced.
    Record(&'b Priced<'a>),
    /// The one event has this cost, which the head grant may pay.
    FastPath(&'b Priced<'a>, Decimal),
    /// The head grants of their accounts may pay for all of them.
    BatchFastPath(Vec<&'b Priced<'a>>),
    /// Under the locks of their accounts, event by event.
    General,
}

fn plan<'b, 'a>(judged: &'b [Judged<'a>]) -> Way<'b, 'a> {
    match judged {
        [] | [Judged::Bad(_)] => Way::General,
        [Judged::Refused(event, error)] => Way::Answer(event, error),
        [Judged::Priced(priced)] if priced.meter.deferred => Way::Record(priced),
        [Judged::Priced(priced)] => fast_path::cost(priced).map_or(Way::General, |cost| Way::FastPath(priced, cost)),
        many => many.iter().map(Judged::on_fast_path).collect::<Option<_>>().map_or(Way::General, Way::BatchFastPath),
    }
}

/// Reports a batch: an outcome per event, in input order, each as if reported alone.
pub fn report<E: Borrow<Result<Event, Error>>>(
    session: &Session,
    events: &[E],
    now: Time,
    locking: Locking,
) -> Result<Vec<Outcome>, Error> {
    // One event is the common case, and needs no memory of its own.
    if let [event] = events {
        let event = event.borrow();
        let meter = event.as_ref().map_or(Ok(None), |event| meter_of(session, event))?;
        let judged = judge(event, meter.as_deref(), now, |name| Some(meter::missing(session, name)));
        return charge_all(session, &[judged], now, locking);
    }
    let meters = meters_of(session, events)?;
    charge_all(session, &judge_all(session, events, &meters, now), now, locking)
}

fn charge_all(session: &Session, judged: &[Judged<'_>], now: Time, locking: Locking) -> Result<Vec<Outcome>, Error> {
    match charge_quickly(session, judged, now, locking)? {
        Some(outcomes) => Ok(outcomes),
        None => charge_under_locks(session, judged, now, locking),
    }
}

/// The meter of each event, where it has one, with the prices that apply to it.
fn meters_of<E: Borrow<Result<Event, Error>>>(
    session: &Session,
    events: &[E],
) -> Result<Vec<Option<Rc<Meter>>>, Error> {
    let mut meters: Vec<Option<Rc<Meter>>> = Vec::with_capacity(events.len());
    let mut before: Option<&str> = None;
    for event in events {
        let event = event.borrow().as_ref().ok();
        let meter = match (event, meters.last()) {
            (None, _) => None,
            // Most batches are of one meter, at one price.
            (Some(event), Some(same)) if before == Some(event.event_name.as_str()) => match same {
                Some(meter) if meter.overridden || !meter.in_force.covers(event.occurred_at) => {
                    meter_of(session, event)?
                }
                same => same.clone(),
            },
            (Some(event), _) => meter_of(session, event)?,
        };
        before = event.map(|event| event.event_name.as_str());
        meters.push(meter);
    }
    Ok(meters)
}

/// An event's meter, with the prices that its customer had when it occurred.
pub fn meter_of(session: &Session, event: &Event) -> Result<Option<Rc<Meter>>, Error> {
    meter::find_for(session, &event.event_name, &event.customer_id, event.occurred_at)
}

fn judge_all<'a, E: Borrow<Result<Event, Error>>>(
    session: &Session,
    events: &'a [E],
    meters: &'a [Option<Rc<Meter>>],
    now: Time,
) -> Vec<Judged<'a>> {
    // A name or two are misspelt, seldom more.
    let mut missing: Map<&str, Error> = Map::default();
    let mut suggest = |name: &'a str| {
        if missing.len() < SUGGESTIONS {
            missing.entry(name).or_insert_with(|| meter::missing(session, name));
        }
        missing.get(name).cloned()
    };
    events
        .iter()
        .zip(meters)
        .inspect(|_| memory::let_interrupt())
        .map(|(event, meter)| judge(event.borrow(), meter.as_deref(), now, &mut suggest))
        .collect()
}

/// An event before anything is charged; of a meter that there is not, with the error that says which may have been meant.
fn judge<'a>(
    event: &'a Result<Event, Error>,
    meter: Option<&'a Meter>,
    now: Time,
    missing: impl FnOnce(&'a str) -> Option<Error>,
) -> Judged<'a> {
    match event {
        Err(error) => Judged::Bad(error.clone()),
        Ok(event) => match price(event, meter, now) {
            Ok(priced) => Judged::Priced(priced),
            Err(error) if meter.is_some() => Judged::Refused(event, error),
            Err(error) => Judged::Refused(event, missing(&event.event_name).unwrap_or(error)),
        },
    }
}

/// The quicker ways: `None`, with nothing changed, if none of them works.
fn charge_quickly(
    session: &Session,
    judged: &[Judged<'_>],
    now: Time,
    locking: Locking,
) -> Result<Option<Vec<Outcome>>, Error> {
    Ok(match plan(judged) {
        Way::Answer(event, error) => Some(vec![replay::answer(session, event, now, error.clone())]),
        Way::Record(priced) if priced.meter.invoiced => {
            invoiced::record(session, priced, now)?.then(|| vec![Ok(report::recorded(priced.event, false))])
        }
        Way::Record(priced) => {
            deferred::record(session, priced, now)?.then(|| vec![Ok(report::unsettled(priced.event, false))])
        }
        Way::FastPath(priced, cost) => {
            fast_path::pay_one(session, priced, cost, now, locking)?.map(|outcome| vec![outcome])
        }
        Way::BatchFastPath(events) => fast_path::pay(session, &events, now, locking),
        Way::General => None,
    })
}

/// The general way.
fn charge_under_locks(
    session: &Session,
    judged: &[Judged<'_>],
    now: Time,
    locking: Locking,
) -> Result<Vec<Outcome>, Error> {
    let mut answers: Vec<Answer> = judged.iter().map(Answer::at_first).collect();
    let mut taken: HashSet<Key> = HashSet::new();
    let mut indexes: Vec<usize> = (0..judged.len()).collect();
    // Every identifier is treated as new until its row cannot be written. Then its customer's events are charged again
    // without it: by then each identifier is this transaction's, or known to be another's.
    while !indexes.is_empty() {
        let lost = charge(session, judged, &indexes, &taken, &mut answers, now, locking)?;
        let customers: HashSet<&str> = customers_of(&lost);
        indexes.retain(|index| judged[*index].is_of(&customers));
        taken.extend(lost);
    }
    answer(session, judged, answers, now)
}

/// Charges the events at these indexes in input order, except those whose identifiers are taken, and posts the result.
/// Returns the identifiers that turned out to be taken: nothing is posted for their customers.
fn charge(
    session: &Session,
    judged: &[Judged<'_>],
    indexes: &[usize],
    taken: &HashSet<Key>,
    answers: &mut [Answer],
    now: Time,
    locking: Locking,
) -> Result<HashSet<Key>, Error> {
    let new = |event: &Event| taken.is_empty() || !taken.contains(&event.key().owned());
    let charging = indexes.iter().filter_map(|index| match &judged[*index] {
        Judged::Priced(p) if new(p.event) => Some(p),
        _ => None,
    });
    let (invoiced, charging): (Vec<_>, Vec<_>) = charging.partition(|p| p.meter.invoiced);
    invoiced::keep_customers(session, &invoiced)?;
    let mut accounts = Accounts::open(session, charging, now, locking)?;
    let mut charged: Charged<'_, '_> = Map::with_capacity_and_hasher(indexes.len(), RandomState::default());
    let mut refused = Vec::new();
    for index in indexes {
        memory::let_interrupt();
        let Some(event) = judged[*index].event().filter(|event| new(event)) else { continue };
        let outcome = match (charged.get(&event.key()), &judged[*index]) {
            // An identifier twice in one batch: the later report replays the one that was charged.
            (Some(first), _) => replay::check(event, (&first.priced.event.event_name, first.priced.event.value))
                .and_then(|()| match &answers[first.index] {
                    Answer::Outcome(Ok(row)) => Ok(accounts.as_it_stands(first.priced, row)),
                    _ => Err(Error::internal("an event was charged and has no outcome")),
                }),
            (None, Judged::Priced(priced)) => match accounts.charge(session, priced)? {
                Ok(Charge { row, line, counting }) => {
                    charged.insert(event.key(), Recorded { priced, index: *index, line, counting });
                    Ok(row)
                }
                Err(error) => {
                    refused.push((*index, event));
                    Err(error)
                }
            },
            (None, Judged::Bad(error) | Judged::Refused(_, error)) => {
                refused.push((*index, event));
                Err(error.clone())
            }
        };
        answers[*index] = Answer::Outcome(outcome);
    }
    // A refused event may be a replay, which is never refused.
    let replayed = replay::which_are_there(session, refused.iter().map(|(_, event)| *event))?;
    for (index, _) in refused.into_iter().filter(|(_, event)| replayed.contains(&event.key().owned())) {
        answers[index] = Answer::at_first(&judged[index]);
    }
    let lost = rows::write(session, charged.values().map(Recorded::row).collect(), now)?;
    if !lost.is_empty() {
        let customers = customers_of(&lost);
        rows::forget(session, charged.keys().filter(|key| customers.contains(key.0) && !lost.contains(&key.owned())))?;
        accounts.leave(&customers);
        for index in indexes.iter().filter(|index| judged[**index].is_of(&customers)) {
            answers[*index] = Answer::at_first(&judged[*index]);
        }
    }
    accounts.post(session, now)?;
    Ok(lost)
}

/// Answers all events; replays with the event as it stands now.
fn answer(session: &Session, judged: &[Judged<'_>], answers: Vec<Answer>, now: Time) -> Result<Vec<Outcome>, Error> {
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(answers.len());
    let (mut indexes, mut replays) = (Vec::new(), Vec::new());
    for (index, (answer, judged)) in answers.into_iter().zip(judged).enumerate() {
        outcomes.push(match (answer, judged.event()) {
            (Answer::Outcome(outcome), _) => Some(outcome),
            (Answer::Replay(error), None) => Some(Err(error)),
            (Answer::Replay(error), Some(event)) => {
                indexes.push(index);
                replays.push((event, error));
                None
            }
        });
    }
    for (index, outcome) in indexes.into_iter().zip(replay::answers(session, replays, now)?) {
        outcomes[index] = Some(outcome);
    }
    let lost = || Err(Error::internal("an event had no outcome"));
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect())
}

impl<'a> Judged<'a> {
    fn event(&self) -> Option<&'a Event> {
        match self {
            Judged::Bad(_) => None,
            Judged::Refused(event, _) => Some(event),
            Judged::Priced(priced) => Some(priced.event),
        }
    }

    /// The event, if its account's head grant may pay for it.
    fn on_fast_path(&self) -> Option<&Priced<'a>> {
        if let Judged::Priced(priced) = self { Some(priced).filter(|p| fast_path::cost(p).is_some()) } else { None }
    }

    fn is_of(&self, customers: &HashSet<&str>) -> bool {
        self.event().is_some_and(|event| customers.contains(event.customer_id.as_str()))
    }
}

fn customers_of(keys: &HashSet<Key>) -> HashSet<&str> {
    keys.iter().map(|(customer_id, _)| customer_id.as_str()).collect()
}

impl Answer {
    fn at_first(judged: &Judged<'_>) -> Self {
        match judged {
            Judged::Bad(error) => Answer::Outcome(Err(error.clone())),
            Judged::Refused(_, error) => Answer::Replay(error.clone()),
            Judged::Priced(_) => Answer::Replay(replay::lost()),
        }
    }
}
