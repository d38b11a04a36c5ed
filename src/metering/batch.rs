//! Charging events, one or ten thousand: price, claim, lock, charge, post. A batch of one is a batch. What is reported is
//! in report.rs, the accounts that pay are in accounts.rs.

use super::accounts::{Accounts, Locking, Owned};
use super::meter::{self, Meter};
use super::repeat;
use super::report::{Event, EventRow, Outcome, Priced, price};
use crate::clock::Time;
use crate::error::Error;
use crate::ledger::posting::Key;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{ToCell, array};
use pgrx::pg_sys::{INT4ARRAYOID, JSONBARRAYOID, NUMERICARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// An event of a batch before anything is charged.
enum Judged<'a> {
    /// Its arguments cannot be right.
    Bad(Error),
    /// Its meter or its time refuses it: only a repeat can be answered.
    Refused(&'a Event, Error),
    /// It may be charged.
    Priced(Priced<'a>),
}

/// Identifiers that this call claimed, each by the first event that may be charged for it.
type Claims<'a, 'b> = HashMap<(&'a str, &'a str), &'b Priced<'a>>;

/// Reports a batch: an outcome an event, in input order, each as if it had been reported alone.
pub fn report(
    session: &Session,
    events: &[Result<Event, Error>],
    now: Time,
    locking: Locking,
) -> Result<Vec<Outcome>, Error> {
    let mut meters: HashMap<&str, Option<Rc<Meter>>> = HashMap::new();
    for event in events.iter().flatten() {
        if !meters.contains_key(event.event_name.as_str()) {
            meters.insert(&event.event_name, meter::find(session, &event.event_name)?);
        }
    }
    let judged: Vec<Judged<'_>> = events
        .iter()
        .map(|event| match event {
            Err(error) => Judged::Bad(error.clone()),
            Ok(event) => match price(event, meters.get(event.event_name.as_str()).and_then(Option::as_deref), now) {
                Err(error) => Judged::Refused(event, error),
                Ok(priced) => Judged::Priced(priced),
            },
        })
        .collect();
    let mut claims: Claims<'_, '_> = HashMap::with_capacity(judged.len());
    for judged in &judged {
        if let Judged::Priced(priced) = judged {
            claims.entry(priced.event.key()).or_insert(priced);
        }
    }
    let claimed = claim(session, claims.values().copied().collect(), now)?;
    claims.retain(|key, _| claimed.contains(&key.owned()));
    charge(session, &judged, &claims, now, locking)
}

/// Charges one event whose identifier is claimed.
pub fn charge_claimed(session: &Session, priced: Priced<'_>, now: Time) -> Outcome {
    let judged = [Judged::Priced(priced)];
    let claims: Claims<'_, '_> =
        judged.iter().filter_map(|j| if let Judged::Priced(p) = j { Some((p.event.key(), p)) } else { None }).collect();
    let mut outcomes = charge(session, &judged, &claims, now, Locking::Wait)?;
    outcomes.pop().unwrap_or_else(|| Err(Error::internal("an event had no outcome")))
}

/// Charges what is claimed, in input order, and answers the rest. What ends up refused leaves no claim.
fn charge<'a>(
    session: &Session,
    judged: &[Judged<'a>],
    claims: &Claims<'a, '_>,
    now: Time,
    locking: Locking,
) -> Result<Vec<Outcome>, Error> {
    let charging = judged.iter().filter_map(|j| match j {
        Judged::Priced(p) if claims.contains_key(&p.event.key()) => Some(p),
        _ => None,
    });
    let mut accounts = Accounts::open(session, charging.collect(), now, locking)?;
    let mut charged: HashMap<(&str, &str), (&Priced<'_>, EventRow)> = HashMap::with_capacity(claims.len());
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(judged.len());
    let (mut places, mut repeats) = (Vec::new(), Vec::new());
    for (place, judged) in judged.iter().enumerate() {
        let (event, priced, error) = match judged {
            Judged::Bad(error) => {
                outcomes.push(Some(Err(error.clone())));
                continue;
            }
            Judged::Refused(event, error) => (*event, None, error.clone()),
            Judged::Priced(p) => (p.event, Some(p), Error::internal("an identifier is taken and not to be found")),
        };
        outcomes.push(if let Some((first, row)) = charged.get(&event.key()) {
            // An identifier twice in one batch: the later report repeats the one that was charged.
            let same = repeat::check(event, (&first.event.event_name, first.event.value));
            Some(same.map(|()| accounts.as_it_stands(first, row)))
        } else if !claims.contains_key(&event.key()) {
            places.push(place);
            repeats.push((event, error));
            None
        } else if let Some(priced) = priced {
            let outcome = accounts.charge(session, priced)?;
            if let Ok(row) = &outcome {
                charged.insert(event.key(), (priced, row.clone()));
            }
            Some(outcome)
        } else {
            Some(Err(error))
        });
    }
    settle_claims(session, claims, &charged, now)?;
    accounts.post(session, now)?;
    for (place, outcome) in places.into_iter().zip(repeat::answers(session, repeats, now)?) {
        outcomes[place] = Some(outcome);
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Err(Error::internal("an event had no outcome"))))
        .collect())
}

/// Takes back the claims of what was refused, and puts right those that another event of the batch was charged for. The
/// identifiers are this transaction's, so nothing here waits.
fn settle_claims(
    session: &Session,
    claims: &Claims<'_, '_>,
    charged: &HashMap<(&str, &str), (&Priced<'_>, EventRow)>,
    now: Time,
) -> Result<(), Error> {
    let (mut undone, mut others) = (Vec::new(), Vec::new());
    for (key, claim) in claims {
        match charged.get(key) {
            Some((priced, _)) if std::ptr::eq(*priced, *claim) => continue,
            Some((priced, _)) => others.push(*priced),
            None => {}
        }
        undone.push(claim.event);
    }
    if !undone.is_empty() {
        let cells = [array(undone.iter().map(|e| &e.customer_id)), array(undone.iter().map(|e| &e.identifier))];
        FORGET.run(session, &cells)?;
    }
    claim(session, others, now).map(drop)
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits.meter_events (customer_id, identifier, event_name, currency, value, consumed, occurred_at,
                                        subscription_id, source_data, metadata, price_version, period_key, created_at)
      SELECT x.*, $8 FROM unnest($1, $2, $3, $4, $5, $6, $7, $9, $10, $11, $12, $13) AS x
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
        TEXTARRAYOID,
        JSONBARRAYOID,
        JSONBARRAYOID,
        INT4ARRAYOID,
        TEXTARRAYOID,
    ],
);

/// Claims identifiers in key order, each as if it were paid in full; those that another report has are left out of
/// the answer, after waiting for that report to commit.
fn claim(session: &Session, mut events: Vec<&Priced<'_>>, now: Time) -> Result<HashSet<Key>, Error> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    events.sort_by_key(|p| p.event.key());
    let cells = [
        array(events.iter().map(|p| &p.event.customer_id)),
        array(events.iter().map(|p| &p.event.identifier)),
        array(events.iter().map(|p| &p.event.event_name)),
        array(events.iter().map(|p| &p.meter.currency)),
        array(events.iter().map(|p| p.event.value)),
        array(events.iter().map(|p| p.own_cost())),
        array(events.iter().map(|p| p.event.occurred_at)),
        now.cell(),
        array(events.iter().map(|p| p.event.extras.subscription_id.as_ref())),
        array(events.iter().map(|p| p.event.extras.source_data.as_ref())),
        array(events.iter().map(|p| p.event.extras.metadata.as_ref())),
        array(events.iter().map(|p| p.meter.price_version)),
        array(events.iter().map(|p| p.period().map(|period| &period.key))),
    ];
    let rows = CLAIM.run(session, &cells)?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits.meter_events e USING unnest($1, $2) AS k (customer_id, identifier)
      WHERE e.customer_id = k.customer_id AND e.identifier = k.identifier",
    &[TEXTARRAYOID, TEXTARRAYOID],
);
