//! Deliveries: billing events on their way to endpoints. A program claims them, sends what it is given, and reports the
//! answers.
//!
//! Of one object's at most one is under way to an endpoint; those after it wait until it is delivered or given up. Each
//! endpoint has its own line and its own share of what is under way, so one that fails or is slow holds back no other.

mod again;
mod fan_out;
mod forget;
mod message;
mod report;
mod schedule;

pub use forget::{erase, forget_old};

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::outbox::webhook_delivery::message::Message;
use crate::outbox::webhook_endpoint;
use crate::pg::backend;
use crate::pg::call::argument::Interval;
use crate::pg::call::reply::{Many, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID};
use uuid::Uuid;

/// The most requests that one call hands out.
const MOST_REQUESTS: i32 = 1_000;
/// The longest lease, in seconds.
const LONGEST_LEASE: i64 = 60 * 60;

row! {
    /// What is to be sent, as `webhook_claim` returns it.
    pub struct RequestRow {
        /// What `webhook_report` takes.
        pub attempt_id: Uuid,
        /// To which endpoint.
        pub webhook_endpoint_id: Uuid,
        /// Which event.
        pub event_id: Uuid,
        /// Where to.
        pub url: String,
        /// With which headers.
        pub headers: Json,
        /// What.
        pub body: String,
        /// The how manieth attempt it is.
        pub attempt_no: i32,
        /// When others get it.
        pub leased_until: Time,
    }
}

// Of each endpoint the first that are due, and as many as may be under way to it at once: 8, or 2 while it fails. Those come
// first to which the fewest are under way, so that a slow one does not get every place that becomes free. What has no event
// any more is about to be forgotten.
static DUE: Statement = Statement::in_order(
    c"SELECT x.webhook_endpoint_id, x.event_id, x.attempt_id
      FROM (SELECT d.webhook_endpoint_id, d.event_id, d.attempt_id, d.due_at,
                   f.busy + row_number() OVER (PARTITION BY d.webhook_endpoint_id ORDER BY d.due_at, d.event_id) AS place
            FROM credits_internal.webhook_endpoints w
            JOIN credits_internal.webhook_health h ON h.webhook_endpoint_id = w.webhook_endpoint_id
            JOIN credits_internal.webhook_secrets s ON s.webhook_endpoint_id = w.webhook_endpoint_id
            CROSS JOIN LATERAL (
                SELECT count(*) AS busy
                FROM credits_internal.webhook_deliveries u
                WHERE u.webhook_endpoint_id = w.webhook_endpoint_id AND u.status = 'sending' AND u.due_at > $1) f
            CROSS JOIN LATERAL (
                SELECT q.webhook_endpoint_id, q.event_id, q.due_at,
                       CASE WHEN q.status = 'sending' THEN q.attempt_id END AS attempt_id
                FROM credits_internal.webhook_deliveries q
                WHERE q.webhook_endpoint_id = w.webhook_endpoint_id AND q.status IN ('due', 'sending') AND q.due_at <= $1
                  AND EXISTS (SELECT FROM credits_internal.billing_events e WHERE e.event_id = q.event_id)
                ORDER BY q.due_at
                LIMIT least(greatest(CASE WHEN h.failing_since IS NULL THEN 8 ELSE 2 END - f.busy, 0), $2)
                FOR UPDATE SKIP LOCKED) d
            WHERE w.status = 'enabled') x
      ORDER BY x.place, x.due_at LIMIT $2",
    &[TIMESTAMPTZOID, INT4OID],
);

static LOST: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_attempts a SET status = 'lost', ended_at = $2
      FROM unnest($1) AS k (attempt_id)
      WHERE a.attempt_id = k.attempt_id AND a.status = 'sending'",
    &[UUIDARRAYOID, TIMESTAMPTZOID],
);

static LEASE: Statement = Statement::new(
    c"WITH leased AS (
          UPDATE credits_internal.webhook_deliveries d
          SET status = 'sending', due_at = $5, attempts = d.attempts + 1, attempt_id = k.attempt_id
          FROM unnest($1, $2, $3) AS k (webhook_endpoint_id, event_id, attempt_id)
          WHERE d.webhook_endpoint_id = k.webhook_endpoint_id AND d.event_id = k.event_id
          RETURNING d.attempt_id, d.webhook_endpoint_id, d.event_id, d.attempts
      )
      INSERT INTO credits_internal.webhook_attempts (attempt_id, webhook_endpoint_id, event_id, attempt_no, worker, status,
                                                     started_at)
      SELECT l.attempt_id, l.webhook_endpoint_id, l.event_id, l.attempts, $4, 'sending', $6 FROM leased l",
    &[UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

static READ: Statement = Statement::new(
    c"SELECT a.attempt_id, w.webhook_endpoint_id, w.url, s.secret,
             CASE WHEN s.previous_secret_expires_at > $2 THEN s.previous_secret END, a.attempt_no,
             e.event_id, e.type, e.object_type, e.object_id, e.object_seq, e.customer_id, e.data::text, e.created_at
      FROM unnest($1) WITH ORDINALITY AS k (attempt_id, place)
      JOIN credits_internal.webhook_attempts a ON a.attempt_id = k.attempt_id
      JOIN credits_internal.webhook_endpoints w ON w.webhook_endpoint_id = a.webhook_endpoint_id
      JOIN credits_internal.webhook_secrets s ON s.webhook_endpoint_id = w.webhook_endpoint_id
      JOIN credits_internal.billing_events e ON e.event_id = a.event_id
      ORDER BY k.place",
    &[UUIDARRAYOID, TIMESTAMPTZOID],
);

/// `credits.webhook_claim`. Raises PC013.
#[pg_extern(sql = false)]
fn webhook_claim(worker: Option<&str>, batch_size: Option<i32>, lease: Option<Interval>) -> Reply<Many<RequestRow>> {
    Reply((|| {
        let worker = input::key("worker", worker)?;
        let most = match input::at_least_one("batch_size", batch_size)? {
            size if size <= MOST_REQUESTS => size,
            _ => return Err(Error::argument("batch_size", format!("must be at most {MOST_REQUESTS}"))),
        };
        let lease = input::required("lease", lease)?;
        writing(|session| {
            let now = settings::clock()?;
            let until = match lease.after("lease", now)? {
                until if until <= now.plus_seconds(LONGEST_LEASE) => until,
                _ => return Err(Error::argument("lease", "must be at most 1 hour")),
            };
            webhook_endpoint::all(session).share();
            fan_out::write(session, now)?;
            claim(session, worker, most, now, until).map(Many)
        })
    })())
}

fn claim(session: &Session, worker: &str, most: i32, now: Time, until: Time) -> Result<Vec<RequestRow>, Error> {
    let (mut endpoints, mut events, mut lost): (Vec<Uuid>, Vec<Uuid>, Vec<Uuid>) = Default::default();
    for mut row in DUE.run(session, &[now.cell(), most.cell()])?.iter() {
        endpoints.push(row.next()?);
        events.push(row.next()?);
        lost.extend(row.next::<Option<Uuid>>()?);
    }
    if events.is_empty() {
        return Ok(Vec::new());
    }
    if !lost.is_empty() {
        LOST.run(session, &[array(&lost), now.cell()])?;
    }
    let attempts: Vec<Uuid> = events.iter().map(|_| Uuid::now_v7()).collect();
    let cells = [array(&endpoints), array(&events), array(&attempts), worker.cell(), until.cell(), now.cell()];
    LEASE.run(session, &cells)?;
    read(session, &attempts, now, until)
}

static AS_JSONB: Statement = Statement::new(
    c"SELECT k.headers::jsonb FROM unnest($1) WITH ORDINALITY AS k (headers, place) ORDER BY k.place",
    &[TEXTARRAYOID],
);

/// What is sent with these attempts.
fn read(session: &Session, attempts: &[Uuid], now: Time, until: Time) -> Result<Vec<RequestRow>, Error> {
    // The real time: it is the receiver's clock that judges the age of a signature.
    let seconds = backend::clock().unix_seconds();
    let rows = READ.run(session, &[array(attempts), now.cell()])?;
    let (mut requests, mut headers) = (Vec::new(), Vec::new());
    for mut row in rows.iter() {
        let (attempt_id, webhook_endpoint_id, url): (Uuid, Uuid, String) = (row.next()?, row.next()?, row.next()?);
        let (secret, previous): (String, Option<String>) = (row.next()?, row.next()?);
        let attempt_no = row.next()?;
        let message = Message {
            event_id: row.next()?,
            event_type: row.next()?,
            object_type: row.next()?,
            object_id: row.next()?,
            object_seq: row.next()?,
            customer_id: row.next()?,
            data: row.next()?,
            created_at: row.next()?,
        };
        let body = message.body();
        let secrets: Vec<&str> = std::iter::once(secret.as_str()).chain(previous.as_deref()).collect();
        let signature = message::signature(&secrets, seconds, &body);
        headers.push(message::headers(attempt_id, message.event_id, &signature).to_string());
        requests.push((attempt_id, webhook_endpoint_id, message.event_id, url, body, attempt_no));
    }
    let headers = AS_JSONB.run(session, &[array(&headers)])?;
    let whole = requests.into_iter().zip(headers.iter()).map(|(request, mut headers)| {
        let (attempt_id, webhook_endpoint_id, event_id, url, body, attempt_no) = request;
        let headers = headers.next()?;
        Ok(RequestRow {
            attempt_id,
            webhook_endpoint_id,
            event_id,
            url,
            headers,
            body,
            attempt_no,
            leased_until: until,
        })
    });
    whole.collect()
}
