//! Endpoints: the addresses that others give us, to be sent billing events. What they are sent is in webhook_delivery.rs. Their
//! secrets are made where they are stored, and returned once; no statement has one among its parameters.

pub mod destination;
pub mod names;

use crate::error::Error;
use crate::input;
use crate::input::key;
use crate::moment::Time;
use crate::outbox::webhook_endpoint::destination::Allowed;
use crate::pg::call::argument::{ArrayOf, Id, Interval};
use crate::pg::call::reply::{One, Reply};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The longest overlap of two secrets, in seconds.
const LONGEST_OVERLAP: i64 = 31 * 24 * 60 * 60;

row! {
    /// An endpoint as functions return it.
    pub struct EndpointRow {
        /// Its id.
        pub webhook_endpoint_id: Uuid,
        /// Where events are sent.
        pub url: String,
        /// Which.
        pub enabled_events: Vec<String>,
        /// Those of them that are never sent.
        pub never_sent: Vec<String>,
        /// For people.
        pub description: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// 'enabled' or 'disabled'.
        pub status: String,
        /// Why it was disabled by itself.
        pub disabled_reason: Option<String>,
        /// The secret, where this call made it.
        pub secret: Option<String>,
        /// Until when the one before signs as well.
        pub previous_secret_expires_at: Option<Time>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

static FIND: Statement = Statement::new(
    c"SELECT w.webhook_endpoint_id, w.url, w.enabled_events, w.description, w.metadata, w.status, w.disabled_reason,
             CASE WHEN $2 THEN s.secret END, s.previous_secret_expires_at, w.created_at, w.updated_at
      FROM credits_internal.webhook_endpoints w
      LEFT JOIN credits_internal.webhook_secrets s ON s.webhook_endpoint_id = w.webhook_endpoint_id
      WHERE w.webhook_endpoint_id = $1",
    &[UUIDOID, BOOLOID],
);

fn unknown(id: Uuid) -> Error {
    Error::ObjectNotFound { object: "webhook_endpoint", id: id.to_string() }
}

/// An endpoint as functions return it, with its secret or without. Raises PC019.
fn find(session: &Session, id: Uuid, with_secret: bool, replayed: bool) -> Result<EndpointRow, Error> {
    let rows = FIND.run(session, &[id.cell(), with_secret.cell()])?;
    let mut row = rows.first().ok_or_else(|| unknown(id))?;
    let (webhook_endpoint_id, url, enabled_events): (Uuid, String, Vec<String>) =
        (row.next()?, row.next()?, row.next()?);
    Ok(EndpointRow {
        webhook_endpoint_id,
        url,
        never_sent: enabled_events.iter().filter(|name| !names::is_sent(name)).cloned().collect(),
        enabled_events,
        description: row.next()?,
        metadata: row.next()?,
        status: row.next()?,
        disabled_reason: row.next()?,
        secret: row.next()?,
        previous_secret_expires_at: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        replayed,
    })
}

/// Raises PC013 unless events may be sent there.
fn check_url(url: &str) -> Result<(), Error> {
    let allowed = Allowed { http: settings::webhook_http(), private: settings::webhook_private_addresses() };
    match destination::fault(url, allowed) {
        Some(fault) => Err(Error::argument("url", fault)),
        None => Ok(()),
    }
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.webhook_endpoints (webhook_endpoint_id, url, enabled_events, description, metadata, status,
                                                      created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, 'enabled', $6, $6)",
    &[UUIDOID, TEXTOID, TEXTARRAYOID, TEXTOID, JSONBOID, TIMESTAMPTZOID],
);

static INSERT_HEALTH: Statement =
    Statement::new(c"INSERT INTO credits_internal.webhook_health (webhook_endpoint_id) VALUES ($1)", &[UUIDOID]);

/// `credits.webhook_endpoint_create`. Raises PC002, PC013.
#[pg_extern(sql = false)]
fn webhook_endpoint_create(
    url: Option<&str>,
    enabled_events: Option<ArrayOf<String>>,
    description: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
) -> Reply<One<EndpointRow>> {
    Reply((|| {
        let url = input::required("url", url)?;
        check_url(url)?;
        let names = names::check(input::required("enabled_events", enabled_events)?.elements("enabled_events")?)?;
        let description = input::text("description", description)?;
        let claim = input::optional_key("idempotency_key", idempotency_key)?;
        writing(|session| {
            let (now, id) = (settings::now()?, Uuid::now_v7());
            let inputs = vec![("url", Some(url.to_string())), ("enabled_events", Some(names.join(" ")))];
            if let Some(first) = key::claim(session, claim, "webhook_endpoint_create", id, &inputs, now)? {
                return find(session, first, false, true).map(One);
            }
            let cells =
                [id.cell(), url.cell(), array(&names), description.cell(), metadata.as_ref().cell(), now.cell()];
            INSERT.run(session, &cells)?;
            INSERT_HEALTH.run(session, &[id.cell()])?;
            MAKE_SECRET.run(session, &[id.cell(), None::<Time>.cell()])?;
            find(session, id, true, false).map(One)
        })
    })())
}

/// Shared by whoever sends, taken by whoever deletes an endpoint.
pub fn all(session: &Session) -> Lock {
    Lock::of(session, c"webhook_endpoints", ())
}

static LOCK: Statement = Statement::new(
    c"SELECT w.status FROM credits_internal.webhook_endpoints w WHERE w.webhook_endpoint_id = $1 FOR NO KEY UPDATE",
    &[UUIDOID],
);

/// Locks an endpoint, and returns whether it is enabled. Raises PC019.
pub fn lock(session: &Session, id: Uuid) -> Result<bool, Error> {
    let status: String = LOCK.run(session, &[id.cell()])?.first().ok_or_else(|| unknown(id))?.next()?;
    Ok(status == "enabled")
}

static ENABLED: Statement = Statement::new(
    c"SELECT w.webhook_endpoint_id, w.enabled_events FROM credits_internal.webhook_endpoints w WHERE w.status = 'enabled'",
    &[],
);

/// The endpoints that are sent anything, each with the types that it asked for.
pub fn enabled(session: &Session) -> Result<Vec<(Uuid, Vec<String>)>, Error> {
    let rows = ENABLED.run(session, &[])?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_endpoints w
      SET url = coalesce($2, w.url), enabled_events = coalesce($3, w.enabled_events),
          description = coalesce($4, w.description), metadata = coalesce($5, w.metadata), status = coalesce($6, w.status),
          disabled_reason = CASE WHEN $6 IS NULL THEN w.disabled_reason END, updated_at = $7
      WHERE w.webhook_endpoint_id = $1",
    &[UUIDOID, TEXTOID, TEXTARRAYOID, TEXTOID, JSONBOID, TEXTOID, TIMESTAMPTZOID],
);

// What was failing has another three days, once it is enabled again or has another address.
static START_AGAIN: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_health h SET failing_since = NULL WHERE h.webhook_endpoint_id = $1",
    &[UUIDOID],
);

// Two random uuids are 244 bits, of which PostgreSQL's own source of secrets gives each. The one before signs until then.
static MAKE_SECRET: Statement = Statement::new(
    c"INSERT INTO credits_internal.webhook_secrets AS s (webhook_endpoint_id, secret)
      SELECT $1, 'whsec_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex')
      ON CONFLICT (webhook_endpoint_id) DO UPDATE
      SET secret = excluded.secret, previous_secret = CASE WHEN $2 IS NOT NULL THEN s.secret END,
          previous_secret_expires_at = $2",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// `credits.webhook_endpoint_update`. Raises PC013, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn webhook_endpoint_update(
    webhook_endpoint_id: Option<Id>,
    url: Option<&str>,
    enabled_events: Option<ArrayOf<String>>,
    status: Option<&str>,
    new_secret: Option<bool>,
    overlap: Option<Interval>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<EndpointRow>> {
    Reply((|| {
        let id = input::required("webhook_endpoint_id", webhook_endpoint_id)?.0;
        url.map_or(Ok(()), check_url)?;
        let names = match enabled_events {
            Some(given) => Some(names::check(given.elements("enabled_events")?)?),
            None => None,
        };
        let status = status.map(|s| input::choice("status", Some(s), "", &["enabled", "disabled"])).transpose()?;
        let description = input::text("description", description)?;
        let (now, new_secret) = (settings::now()?, new_secret.unwrap_or(false));
        let until = overlap_end(overlap, now)?;
        writing(|session| {
            lock(session, id)?;
            let names = names.as_ref().map_or(crate::pg::value::Cell::NULL, array);
            let metadata = metadata.as_ref().cell();
            let cells = [id.cell(), url.cell(), names, description.cell(), metadata, status.cell(), now.cell()];
            UPDATE.run(session, &cells)?;
            if status == Some("enabled") || url.is_some() {
                START_AGAIN.run(session, &[id.cell()])?;
            }
            if new_secret {
                MAKE_SECRET.run(session, &[id.cell(), until.cell()])?;
            }
            find(session, id, new_secret, false).map(One)
        })
    })())
}

/// Until when the old secret signs as well; `None` for not at all. Raises PC013.
fn overlap_end(overlap: Option<Interval>, now: Time) -> Result<Option<Time>, Error> {
    let overlap = input::required("overlap", overlap)?.not_negative("overlap")?;
    match overlap.added_to(now) {
        until if until <= now => Ok(None),
        until if until <= now.plus_seconds(LONGEST_OVERLAP) => Ok(Some(until)),
        _ => Err(Error::argument("overlap", "must be at most 31 days")),
    }
}

// Whoever reports has a delivery's row first and may then want the endpoint's. No delivery is written meanwhile.
static FORGET_DELIVERIES: Statement =
    Statement::new(c"DELETE FROM credits_internal.webhook_deliveries d WHERE d.webhook_endpoint_id = $1", &[UUIDOID]);
static FORGET_ATTEMPTS: Statement =
    Statement::new(c"DELETE FROM credits_internal.webhook_attempts a WHERE a.webhook_endpoint_id = $1", &[UUIDOID]);
static FORGET_HEALTH: Statement =
    Statement::new(c"DELETE FROM credits_internal.webhook_health h WHERE h.webhook_endpoint_id = $1", &[UUIDOID]);
static FORGET_SECRETS: Statement =
    Statement::new(c"DELETE FROM credits_internal.webhook_secrets s WHERE s.webhook_endpoint_id = $1", &[UUIDOID]);
static DELETE: Statement =
    Statement::new(c"DELETE FROM credits_internal.webhook_endpoints w WHERE w.webhook_endpoint_id = $1", &[UUIDOID]);

/// `credits.webhook_endpoint_delete`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn webhook_endpoint_delete(webhook_endpoint_id: Option<Id>) -> Reply<One<EndpointRow>> {
    Reply((|| {
        let id = input::required("webhook_endpoint_id", webhook_endpoint_id)?.0;
        writing(|session| {
            all(session).take();
            let row = find(session, id, false, false)?;
            for forget in [&FORGET_DELIVERIES, &FORGET_ATTEMPTS, &FORGET_HEALTH, &FORGET_SECRETS, &DELETE] {
                forget.run(session, &[id.cell()])?;
            }
            Ok(One(EndpointRow { status: String::from("disabled"), ..row }))
        })
    })())
}
