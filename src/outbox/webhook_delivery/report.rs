//! What became of an attempt: the delivery is done, tried again later, or given up; and whether its endpoint is still worth
//! sending to.

use crate::address;
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::outbox::webhook_delivery::schedule;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, INT8OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// The most characters of an answer that are kept.
const ANSWER_LENGTH: usize = 2_000;
/// For how long an endpoint may fail without any success, in seconds.
const DISABLED_AFTER: i64 = 3 * 24 * 60 * 60;
/// How old the last success must be before it is written down anew, in seconds.
const SUCCESSES_EVERY: i64 = 60;

row! {
    /// What `webhook_report` returns.
    pub struct OutcomeRow {
        /// Of which attempt.
        pub attempt_id: Uuid,
        /// 'succeeded' or 'failed'.
        pub status: String,
        /// The delivery: 'succeeded', 'due', 'sending' or 'failed'.
        pub delivery_status: String,
        /// When it is tried again.
        pub next_attempt_at: Option<Time>,
        /// Whether the endpoint was disabled by this.
        pub endpoint_disabled: bool,
        /// Whether it was reported before.
        pub replayed: bool,
    }
}

static OF_ATTEMPT: Statement = Statement::new(
    c"SELECT a.webhook_endpoint_id, a.event_id FROM credits_internal.webhook_attempts a WHERE a.attempt_id = $1",
    &[UUIDOID],
);

static LOCK: Statement = Statement::new(
    c"SELECT d.object_type, d.object_id, d.object_seq, d.status, d.due_at, d.failures, d.failed_first_at, d.attempt_id,
             d.in_order, d.once
      FROM credits_internal.webhook_deliveries d WHERE d.webhook_endpoint_id = $1 AND d.event_id = $2 FOR UPDATE",
    &[UUIDOID, UUIDOID],
);

static REPORTED: Statement = Statement::new(
    c"SELECT a.status FROM credits_internal.webhook_attempts a WHERE a.attempt_id = $1 FOR NO KEY UPDATE",
    &[UUIDOID],
);

// What is answered to an event of a person who was erased meanwhile is not kept.
static END_ATTEMPT: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_attempts a
      SET status = $2, response_status = $3, ended_at = $5,
          response_body = CASE WHEN EXISTS (SELECT FROM credits_internal.billing_events e
                                            WHERE e.event_id = a.event_id AND e.data IS NOT NULL) THEN $4 END
      WHERE a.attempt_id = $1",
    &[UUIDOID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID],
);

static CHANGE: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_deliveries d SET status = $3, due_at = $4, failures = $5, failed_first_at = $6
      WHERE d.webhook_endpoint_id = $1 AND d.event_id = $2",
    &[UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID],
);

static NEXT: Statement = Statement::in_order(
    c"SELECT d.event_id, d.status FROM credits_internal.webhook_deliveries d
      WHERE d.webhook_endpoint_id = $1 AND d.object_type = $2 AND d.object_id = $3 AND d.object_seq > $4 AND d.in_order
      ORDER BY d.object_seq LIMIT 1",
    &[UUIDOID, TEXTOID, TEXTOID, INT8OID],
);

static RELEASE: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_deliveries d SET status = 'due', due_at = $3
      WHERE d.webhook_endpoint_id = $1 AND d.event_id = $2 AND d.status = 'waiting'",
    &[UUIDOID, UUIDOID, TIMESTAMPTZOID],
);

/// One delivery's place among those of its object.
pub struct Place {
    /// The endpoint.
    pub endpoint: Uuid,
    /// What the event happened to.
    pub object_type: String,
    /// Which one.
    pub object_id: String,
    /// Its number there.
    pub object_seq: i64,
}

/// Has the next of an object sent, once one before it is done.
pub fn release(session: &Session, place: &Place, now: Time) -> Result<(), Error> {
    let Place { endpoint, object_type, object_id, object_seq } = place;
    let rows = NEXT.run(session, &[endpoint.cell(), object_type.cell(), object_id.cell(), object_seq.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(()) };
    let (event_id, status): (Uuid, String) = (row.next()?, row.next()?);
    if status == "waiting" {
        RELEASE.run(session, &[endpoint.cell(), event_id.cell(), now.cell()])?;
    }
    Ok(())
}

/// `credits.webhook_report`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn webhook_report(
    attempt_id: Option<Id>,
    response_status: Option<i32>,
    response_body: Option<&str>,
) -> Reply<One<OutcomeRow>> {
    Reply((|| {
        let attempt_id = input::required("attempt_id", attempt_id)?.0;
        if response_status.is_some_and(|status| !(100..1_000).contains(&status)) {
            return Err(Error::argument(
                "response_status",
                "must be a status of HTTP, 100 to 999, or NULL for no answer",
            ));
        }
        let answer: Option<String> = response_body.map(|body| body.chars().take(ANSWER_LENGTH).collect());
        writing(|session| report(session, attempt_id, response_status, answer.as_deref()).map(One))
    })())
}

/// A delivery as its row has it.
struct Delivery {
    place: Place,
    status: String,
    due_at: Time,
    failures: i32,
    failed_first_at: Option<Time>,
    attempt_id: Option<Uuid>,
    in_order: bool,
    once: bool,
}

fn unknown(attempt_id: Uuid) -> Error {
    Error::ObjectNotFound { object: "webhook_attempt", id: attempt_id.to_string() }
}

fn lock(session: &Session, endpoint: Uuid, event_id: Uuid) -> Result<Option<Delivery>, Error> {
    let rows = LOCK.run(session, &[endpoint.cell(), event_id.cell()])?;
    let read = |mut row: crate::pg::statement::Row<'_>| {
        let (object_type, object_id, object_seq) = (row.next()?, row.next()?, row.next()?);
        Ok(Delivery {
            place: Place { endpoint, object_type, object_id, object_seq },
            status: row.next()?,
            due_at: row.next()?,
            failures: row.next()?,
            failed_first_at: row.next()?,
            attempt_id: row.next()?,
            in_order: row.next()?,
            once: row.next()?,
        })
    };
    rows.first().map(read).transpose()
}

fn report(
    session: &Session,
    attempt_id: Uuid,
    response_status: Option<i32>,
    answer: Option<&str>,
) -> Result<OutcomeRow, Error> {
    let now = settings::clock()?;
    let rows = OF_ATTEMPT.run(session, &[attempt_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| unknown(attempt_id))?;
    let (endpoint, event_id): (Uuid, Uuid) = (row.next()?, row.next()?);
    let mut delivery = lock(session, endpoint, event_id)?.ok_or_else(|| unknown(attempt_id))?;
    // Read under the delivery's lock: it may have been reported meanwhile.
    let before: String =
        REPORTED.run(session, &[attempt_id.cell()])?.first().ok_or_else(|| unknown(attempt_id))?.next()?;
    if before == "succeeded" || before == "failed" {
        return Ok(outcome(attempt_id, before, &delivery, (false, true)));
    }
    let succeeded = response_status.is_some_and(|status| (200..300).contains(&status));
    let status = if succeeded { "succeeded" } else { "failed" };
    let cells = [attempt_id.cell(), status.cell(), response_status.cell(), answer.cell(), now.cell()];
    END_ATTEMPT.run(session, &cells)?;
    let is_open = matches!(delivery.status.as_str(), "due" | "sending");
    // Of an attempt that was given up for lost a success counts; a failure says nothing of the one after it.
    if is_open && (succeeded || delivery.attempt_id == Some(attempt_id)) {
        change(session, event_id, &mut delivery, succeeded, now)?;
    }
    let disabled = follow(session, endpoint, succeeded, now)?;
    Ok(outcome(attempt_id, status.to_string(), &delivery, (disabled, false)))
}

fn outcome(attempt_id: Uuid, status: String, delivery: &Delivery, (disabled, replayed): (bool, bool)) -> OutcomeRow {
    OutcomeRow {
        attempt_id,
        status,
        delivery_status: delivery.status.clone(),
        next_attempt_at: (delivery.status == "due").then_some(delivery.due_at),
        endpoint_disabled: disabled,
        replayed,
    }
}

/// A delivery is done, tried again later, or given up; then the next of its object has its turn.
fn change(session: &Session, event_id: Uuid, delivery: &mut Delivery, succeeded: bool, now: Time) -> Result<(), Error> {
    let mut status = "succeeded";
    if !succeeded {
        delivery.failures += 1;
        let first = *delivery.failed_first_at.get_or_insert(now);
        let next = schedule::next(delivery.failures, first, now).filter(|_| !delivery.once);
        status = if next.is_some() { "due" } else { "failed" };
        delivery.due_at = next.unwrap_or(now);
    }
    delivery.status = status.to_string();
    let cells = [
        delivery.place.endpoint.cell(),
        event_id.cell(),
        status.cell(),
        delivery.due_at.cell(),
        delivery.failures.cell(),
        delivery.failed_first_at.cell(),
    ];
    CHANGE.run(session, &cells)?;
    match status {
        "due" => Ok(()),
        _ if !delivery.in_order => Ok(()),
        _ => release(session, &delivery.place, now),
    }
}

// Written once a minute at most: an endpoint's reports wait for each other here.
static SUCCEEDED: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_health h SET failing_since = NULL, last_success_at = $2
      WHERE h.webhook_endpoint_id = $1
        AND (h.failing_since IS NOT NULL OR h.last_success_at IS NULL OR h.last_success_at <= $2 - $3 * interval '1 second')",
    &[UUIDOID, TIMESTAMPTZOID, INT8OID],
);

static FAILED: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_health h SET failing_since = $2
      WHERE h.webhook_endpoint_id = $1 AND h.failing_since IS NULL",
    &[UUIDOID, TIMESTAMPTZOID],
);

static FAILING_SINCE: Statement = Statement::new(
    c"SELECT h.failing_since FROM credits_internal.webhook_health h WHERE h.webhook_endpoint_id = $1",
    &[UUIDOID],
);

static DISABLE: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_endpoints w SET status = 'disabled', disabled_reason = 'no_success', updated_at = $2
      WHERE w.webhook_endpoint_id = $1 AND w.status = 'enabled'
      RETURNING w.url, w.enabled_events, w.description",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// Keeps how an endpoint fares, and disables one that took nothing for three days; whether it did.
fn follow(session: &Session, endpoint: Uuid, succeeded: bool, now: Time) -> Result<bool, Error> {
    if succeeded {
        SUCCEEDED.run(session, &[endpoint.cell(), now.cell(), SUCCESSES_EVERY.cell()])?;
        return Ok(false);
    }
    FAILED.run(session, &[endpoint.cell(), now.cell()])?;
    let since: Option<Time> =
        FAILING_SINCE.run(session, &[endpoint.cell()])?.first().map_or(Ok(None), |mut row| row.next())?;
    let Some(since) = since.filter(|since| since.plus_seconds(DISABLED_AFTER) <= now) else { return Ok(false) };
    let rows = DISABLE.run(session, &[endpoint.cell(), now.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(false) };
    let (url, events, description): (String, Vec<String>, Option<String>) = (row.next()?, row.next()?, row.next()?);
    let object = json!({
        "webhook_endpoint_id": endpoint,
        // Others are sent this: what is behind the host may be a key to it.
        "url": address::origin(&url),
        "enabled_events": events,
        "description": description,
        "status": "disabled",
        "disabled_reason": "no_success",
        "failing_since": since.rfc3339(),
    });
    billing_event::write(session, EventType::WebhookEndpointDisabled, endpoint, None, &object, now)?;
    Ok(true)
}
