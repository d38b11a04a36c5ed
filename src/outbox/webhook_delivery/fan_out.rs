//! Which endpoints are sent which events: written by whoever claims, so that whoever writes an event pays nothing for it.
//!
//! Events that are to be sent are found by their own mark, not by how far somebody has come: one that commits late is found
//! late. Of one object none commits before an earlier one does, and one session at a time writes deliveries: so of each object
//! they are written in order.

use crate::error::Error;
use crate::moment::Time;
use crate::outbox::webhook_endpoint::{self, names};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT4OID, TEXTARRAYOID, TIMESTAMPTZOID, UUIDARRAYOID};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The most events that one call takes.
const MOST: i32 = 200;

static ANY: Statement = Statement::in_order(
    c"SELECT 1 FROM credits_internal.billing_events e WHERE e.to_send ORDER BY e.created_at, e.object_seq LIMIT 1",
    &[],
);

static EVENTS: Statement = Statement::in_order(
    c"SELECT e.event_id, e.type, e.object_type, e.object_id, e.object_seq FROM credits_internal.billing_events e
      WHERE e.to_send ORDER BY e.created_at, e.object_seq LIMIT $1 FOR NO KEY UPDATE",
    &[INT4OID],
);

// The last delivery of each object: whoever reports it waits until those after it are written, or has done so before.
static LAST: Statement = Statement::in_order(
    c"SELECT k.ordinal, l.status
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (webhook_endpoint_id, object_type, object_id, ordinal)
      CROSS JOIN LATERAL (
          SELECT d.status FROM credits_internal.webhook_deliveries d
          WHERE d.webhook_endpoint_id = k.webhook_endpoint_id AND d.object_type = k.object_type AND d.object_id = k.object_id
            AND d.in_order
          ORDER BY d.object_seq DESC LIMIT 1 FOR UPDATE) l",
    &[UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID],
);

static WRITE: Statement = Statement::new(
    c"INSERT INTO credits_internal.webhook_deliveries (webhook_endpoint_id, event_id, object_type, object_id, object_seq,
                                                       status, due_at, created_at)
      SELECT k.webhook_endpoint_id, e.event_id, e.object_type, e.object_id, e.object_seq, k.status, $4, e.created_at
      FROM unnest($1, $2, $3) AS k (webhook_endpoint_id, event_id, status)
      JOIN credits_internal.billing_events e ON e.event_id = k.event_id
      ON CONFLICT DO NOTHING",
    &[UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID],
);

static DONE: Statement = Statement::new(
    c"UPDATE credits_internal.billing_events e SET to_send = false FROM unnest($1) AS k (event_id)
      WHERE e.event_id = k.event_id",
    &[UUIDARRAYOID],
);

/// An event that is to be sent.
#[derive(Debug, Clone)]
struct Event {
    id: Uuid,
    event_type: String,
    object: (String, String),
    seq: i64,
}

/// A delivery that is to be written.
struct Delivery<'e> {
    endpoint: Uuid,
    event: &'e Event,
    waits: bool,
}

/// Writes deliveries of the oldest events that have none yet, unless another session is about it.
pub fn write(session: &Session, now: Time) -> Result<(), Error> {
    // Most calls find nothing, and need no lock to know it.
    if ANY.run(session, &[])?.len() == 0 || !Lock::of(session, c"webhook_deliveries", ()).take_if_free() {
        return Ok(());
    }
    let rows = EVENTS.run(session, &[MOST.cell()])?;
    let events = rows
        .iter()
        .map(|mut row| {
            let (id, event_type) = (row.next()?, row.next()?);
            Ok(Event { id, event_type, object: (row.next()?, row.next()?), seq: row.next()? })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let mut wanted = wanted(&events, &webhook_endpoint::enabled(session)?);
    let busy = busy(session, &wanted)?;
    line_up(&mut wanted, busy);
    let cells = [
        array(wanted.iter().map(|d| d.endpoint)),
        array(wanted.iter().map(|d| d.event.id)),
        array(wanted.iter().map(|d| if d.waits { "waiting" } else { "due" })),
        now.cell(),
    ];
    WRITE.run(session, &cells)?;
    DONE.run(session, &[array(events.iter().map(|event| event.id))]).map(drop)
}

/// A line of events: one endpoint's of one object.
type Place<'e> = (Uuid, &'e (String, String));

/// Who is sent what, of each object in order.
fn wanted<'e>(events: &'e [Event], endpoints: &[(Uuid, Vec<String>)]) -> Vec<Delivery<'e>> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| event.seq);
    let each = endpoints.iter().flat_map(|(endpoint, names)| {
        let wanted = ordered.iter().filter(|event| names::wants(names, &event.event_type));
        wanted.map(|event| Delivery { endpoint: *endpoint, event, waits: false })
    });
    each.collect()
}

/// Whose last delivery is not done yet.
fn busy<'e>(session: &Session, wanted: &[Delivery<'e>]) -> Result<BTreeSet<Place<'e>>, Error> {
    let places: BTreeSet<Place<'e>> = wanted.iter().map(|d| (d.endpoint, &d.event.object)).collect();
    let places: Vec<Place<'e>> = places.into_iter().collect();
    let cells = [
        array(places.iter().map(|(endpoint, _)| *endpoint)),
        array(places.iter().map(|(_, object)| &object.0)),
        array(places.iter().map(|(_, object)| &object.1)),
    ];
    let mut busy = BTreeSet::new();
    for mut row in LAST.run(session, &cells)?.iter() {
        let ordinal: i64 = row.next()?;
        let status: String = row.next()?;
        let place = usize::try_from(ordinal - 1).ok().and_then(|index| places.get(index).copied());
        if let Some(place) = place.filter(|_| matches!(status.as_str(), "waiting" | "due" | "sending")) {
            busy.insert(place);
        }
    }
    Ok(busy)
}

/// The first of each line is due, unless one before it is not done; those after it wait.
fn line_up<'e>(wanted: &mut [Delivery<'e>], mut busy: BTreeSet<Place<'e>>) {
    for delivery in wanted {
        delivery.waits = !busy.insert((delivery.endpoint, &delivery.event.object));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(object_id: &str, seq: i64, event_type: &str) -> Event {
        Event {
            id: Uuid::now_v7(),
            event_type: event_type.to_string(),
            object: (String::from("invoice"), object_id.to_string()),
            seq,
        }
    }

    #[test]
    fn of_each_object_the_first_is_due_and_the_others_wait() {
        let (all, some) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let endpoints = [(all, vec![String::from("*")]), (some, vec![String::from("invoice.paid")])];
        let events = [event("a", 2, "invoice.paid"), event("a", 1, "invoice.created"), event("b", 7, "invoice.paid")];
        let mut wanted = wanted(&events, &endpoints);
        let busy = BTreeSet::from([(some, &events[2].object)]);
        line_up(&mut wanted, busy);
        let lines: Vec<_> =
            wanted.iter().map(|d| (d.endpoint, d.event.object.1.as_str(), d.event.seq, d.waits)).collect();
        assert_eq!(
            lines,
            [
                (all, "a", 1, false),
                (all, "a", 2, true),
                (all, "b", 7, false),
                (some, "a", 2, false),
                (some, "b", 7, true)
            ]
        );
    }
}
