//! Events that somebody asks to be sent: a test, and what was sent before.

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::outbox::webhook_endpoint::{self, names};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{Reply, Value};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// PC020 for an endpoint that is disabled.
fn disabled(id: Uuid) -> Error {
    Error::StateConflict { object: "webhook_endpoint", id: id.to_string(), state: "disabled" }
}

// One that is under way is left alone; so is one that waits for its turn.
static SEND: Statement = Statement::new(
    c"INSERT INTO credits_internal.webhook_deliveries AS d (webhook_endpoint_id, event_id, object_type, object_id, object_seq,
                                                            status, due_at, in_order, once, created_at)
      SELECT k.webhook_endpoint_id, e.event_id, e.object_type, e.object_id, e.object_seq, 'due', $3, false, $4, e.created_at
      FROM unnest($1) AS k (webhook_endpoint_id)
      CROSS JOIN credits_internal.billing_events e
      WHERE e.event_id = $2
      ON CONFLICT (webhook_endpoint_id, event_id) DO UPDATE
      SET status = 'due', due_at = excluded.due_at, failures = 0, failed_first_at = NULL, in_order = false
      WHERE d.status IN ('succeeded', 'failed')",
    &[UUIDARRAYOID, UUIDOID, TIMESTAMPTZOID, BOOLOID],
);

fn send(session: &Session, endpoints: &[Uuid], event_id: Uuid, once: bool, now: Time) -> Result<i32, Error> {
    let sent = SEND.run(session, &[array(endpoints), event_id.cell(), now.cell(), once.cell()])?.written();
    Ok(i32::try_from(sent).unwrap_or(i32::MAX))
}

/// `credits.webhook_test`: the event's id. Raises PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn webhook_test(webhook_endpoint_id: Option<Id>) -> Reply<Value<Uuid>> {
    Reply((|| {
        let id = input::required("webhook_endpoint_id", webhook_endpoint_id)?.0;
        writing(|session| {
            let now = settings::clock()?;
            webhook_endpoint::all(session).share();
            if !webhook_endpoint::lock(session, id)? {
                return Err(disabled(id));
            }
            let object = json!({"webhook_endpoint_id": id, "message": "It works."});
            let event_id = billing_event::write_unsent(session, EventType::WebhookEndpointTest, id, &object, now)?;
            send(session, &[id], event_id, true, now)?;
            Ok(Value(event_id))
        })
    })())
}

static EVENT: Statement =
    Statement::new(c"SELECT e.type FROM credits_internal.billing_events e WHERE e.event_id = $1", &[UUIDOID]);

/// `credits.webhook_resend`: to how many endpoints it is sent. Raises PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn webhook_resend(event_id: Option<Id>, webhook_endpoint_id: Option<Id>) -> Reply<Value<i32>> {
    Reply((|| {
        let event_id = input::required("event_id", event_id)?.0;
        let endpoint = webhook_endpoint_id.map(|id| id.0);
        writing(|session| {
            let now = settings::clock()?;
            webhook_endpoint::all(session).share();
            let unknown = || Error::ObjectNotFound { object: "billing_event", id: event_id.to_string() };
            let event_type: String = EVENT.run(session, &[event_id.cell()])?.first().ok_or_else(unknown)?.next()?;
            let endpoints = match endpoint {
                Some(id) if !webhook_endpoint::lock(session, id)? => return Err(disabled(id)),
                Some(id) => vec![id],
                None => wanting(session, &event_type)?,
            };
            send(session, &endpoints, event_id, false, now).map(Value)
        })
    })())
}

/// Who is sent events of that type.
fn wanting(session: &Session, event_type: &str) -> Result<Vec<Uuid>, Error> {
    let mut endpoints = webhook_endpoint::enabled(session)?;
    endpoints.retain(|(_, enabled_events)| names::wants(enabled_events, event_type));
    let mut endpoints: Vec<Uuid> = endpoints.into_iter().map(|(id, _)| id).collect();
    endpoints.sort();
    Ok(endpoints)
}
