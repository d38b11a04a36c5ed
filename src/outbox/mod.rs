//! The outbox: what other systems must act on. Rows are written in the transaction that caused them, numbered per customer in
//! the order in which those commit, and handed out at least once to each consumer. Who consumes is in consumer.rs. What merely
//! happened, and nobody has to act on, is in billing_event.rs; endpoints that are sent it in webhook_endpoint.rs, and how in
//! webhook_delivery.rs.

pub mod billing_event;
pub mod consumer;
pub mod signature;
pub mod webhook_delivery;
pub mod webhook_endpoint;

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::past;
use crate::pg::call::argument::{ArrayOf, Interval};
use crate::pg::call::last;
use crate::pg::call::reply::{Many, Reply, Value};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, INT8ARRAYOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

// The counter's row is locked until the transaction ends: so a customer's rows are numbered as they commit.
static PUBLISH: Statement = Statement::new(
    c"WITH counter AS (
          INSERT INTO credits_internal.outbox_counters AS c (customer_id, last_no) VALUES ($1, 1)
          ON CONFLICT (customer_id) DO UPDATE SET last_no = c.last_no + 1
          RETURNING c.last_no
      )
      INSERT INTO credits_internal.outbox (customer_id, outbox_no, outbox_id, type, payload, created_at)
      SELECT $1, counter.last_no, $2, $3, $4::jsonb, $5 FROM counter",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

// PostgreSQL sends a transaction's equal notifications once.
static NOTIFY: Statement = Statement::new(c"SELECT pg_catalog.pg_notify('credits_outbox', '')", &[]);

/// Publishes something to other systems, unless it is history, at the end of the call: the counter comes after every
/// account that it locks, and one customer's after another's in their order.
pub fn publish(session: &Session, customer_id: &str, kind: &'static str, payload: &serde_json::Value, at: Time) {
    if past::is_set() {
        return;
    }
    let (customer, payload) = (customer_id.to_string(), payload.to_string());
    last::put_off(session, customer_id, move |session| {
        PUBLISH.run(session, &[customer.cell(), Uuid::now_v7().cell(), kind.cell(), payload.cell(), at.cell()])?;
        if settings::notify() {
            NOTIFY.run(session, &[])?;
        }
        Ok(())
    });
}

static IS_CONSUMED: Statement = Statement::new(c"SELECT EXISTS (SELECT FROM credits_internal.outbox_consumers)", &[]);

/// Whether anybody consumes it: some rows are not worth their cost where nobody does.
pub fn is_consumed(session: &Session) -> Result<bool, Error> {
    IS_CONSUMED.run(session, &[])?.first().map_or(Ok(false), |mut row| row.next())
}

static LOCK_OF: Statement = Statement::new(
    c"SELECT p.customer_id FROM credits_internal.outbox_positions p WHERE p.customer_id = $1 ORDER BY p.customer_id, p.consumer
      FOR UPDATE",
    &[TEXTOID],
);

/// Keeps consumers from a customer's rows until the transaction ends, for whoever changes what is in them: they are deleted
/// under the same locks.
fn keep_still(session: &Session, customer_id: &str) -> Result<(), Error> {
    consumer::all(session).share();
    LOCK_OF.run(session, &[customer_id.cell()]).map(drop)
}

static ERASE: Statement = Statement::new(
    c"UPDATE credits_internal.outbox o
      SET payload = o.payload - CASE WHEN o.type IN ('recharge.failed', 'top_up.failed') THEN ARRAY['payment_method', 'reason']
                                     ELSE ARRAY['payment_method'] END
      WHERE o.customer_id = $1
        AND (o.payload ? 'payment_method' OR o.type IN ('recharge.failed', 'top_up.failed') AND o.payload ? 'reason')",
    &[TEXTOID],
);

/// Clears what rows say of a person.
pub fn erase(session: &Session, customer_id: &str) -> Result<(), Error> {
    keep_still(session, customer_id)?;
    ERASE.run(session, &[customer_id.cell()]).map(drop)
}

row! {
    /// A row of the outbox, as `outbox_claim` returns it.
    pub struct OutboxRow {
        /// What `outbox_ack` takes.
        pub outbox_id: Uuid,
        /// Whose.
        pub customer_id: String,
        /// Its place among the customer's.
        pub outbox_no: i64,
        /// What happened.
        pub kind: String,
        /// The particulars.
        pub payload: Json,
        /// When it was written.
        pub created_at: Time,
    } read
}

/// Most rows that one call hands out: all of them are in memory at once.
const MOST_ROWS: i32 = 50_000;
/// The longest lease, in seconds: so long a consumer that has gone away keeps its rows from the others of its name.
const LONGEST_LEASE: i64 = 24 * 60 * 60;

// Customers with rows that this consumer has not acknowledged and that none of its sessions works on, the oldest first.
static WAITING: Statement = Statement::scanning(
    c"SELECT o.customer_id
      FROM credits_internal.outbox o
      LEFT JOIN credits_internal.outbox_positions p ON p.customer_id = o.customer_id AND p.consumer = $1
      WHERE o.outbox_no > coalesce(p.acked_no, 0) AND coalesce(p.claimed_until, '-infinity') <= $2
      GROUP BY o.customer_id ORDER BY min(o.created_at), o.customer_id LIMIT $3",
    &[TEXTOID, TIMESTAMPTZOID, INT4OID],
);

// The customers that are new to this consumer, except those that another session is just taking, since nobody waits: whoever
// has the customer's first row. It is a row's lock, of which there may be any number.
static LOCK_NEW: Statement = Statement::new(
    c"SELECT o.customer_id
      FROM (SELECT k.customer_id,
                   (SELECT min(f.outbox_no) FROM credits_internal.outbox f WHERE f.customer_id = k.customer_id) AS outbox_no
            FROM unnest($1) AS k (customer_id)
            WHERE NOT EXISTS (SELECT FROM credits_internal.outbox_positions p
                              WHERE p.customer_id = k.customer_id AND p.consumer = $2)) n
      JOIN credits_internal.outbox o ON o.customer_id = n.customer_id AND o.outbox_no = n.outbox_no
      ORDER BY o.customer_id
      FOR NO KEY UPDATE OF o SKIP LOCKED",
    &[TEXTARRAYOID, TEXTOID],
);

static BEGIN_WITH: Statement = Statement::new(
    c"INSERT INTO credits_internal.outbox_positions (customer_id, consumer)
      SELECT k.customer_id, $2 FROM unnest($1) AS k (customer_id) ORDER BY k.customer_id
      ON CONFLICT DO NOTHING",
    &[TEXTARRAYOID, TEXTOID],
);

static LOCK: Statement = Statement::new(
    c"SELECT p.customer_id FROM credits_internal.outbox_positions p
      WHERE p.customer_id = ANY ($1) AND p.consumer = $2 AND p.claimed_until <= $3
      ORDER BY p.customer_id
      FOR UPDATE SKIP LOCKED",
    &[TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID],
);

// In the statement after the lock, so that it sees what was acknowledged meanwhile.
static TAKE: Statement = Statement::new(
    c"SELECT o.outbox_id, o.customer_id, o.outbox_no, o.type, o.payload, o.created_at
      FROM unnest($1) WITH ORDINALITY AS k (customer_id, place)
      JOIN credits_internal.outbox_positions p ON p.customer_id = k.customer_id AND p.consumer = $2
      JOIN credits_internal.outbox o ON o.customer_id = p.customer_id AND o.outbox_no > p.acked_no
      ORDER BY k.place, o.outbox_no LIMIT $3",
    &[TEXTARRAYOID, TEXTOID, INT4OID],
);

static LEASE: Statement = Statement::new(
    c"UPDATE credits_internal.outbox_positions p SET claimed_no = x.claimed_no, claimed_until = $4
      FROM unnest($1, $2) AS x (customer_id, claimed_no)
      WHERE p.customer_id = x.customer_id AND p.consumer = $3",
    &[TEXTARRAYOID, INT8ARRAYOID, TEXTOID, TIMESTAMPTZOID],
);

/// `credits.outbox_claim`. Raises PC013, also for a consumer that was never made.
#[pg_extern(sql = false)]
fn outbox_claim(consumer: Option<&str>, batch_size: Option<i32>, lease: Option<Interval>) -> Reply<Many<OutboxRow>> {
    Reply((|| {
        let consumer = input::key("consumer", consumer)?;
        let most = batch_size_of(batch_size)?;
        let lease = input::required("lease", lease)?;
        writing(|session| {
            let now = settings::clock()?;
            let until = until(&lease, now)?;
            consumer::must_exist(session, consumer)?;
            let locked = lock(session, consumer, now, most)?;
            if locked.is_empty() {
                return Ok(Many(Vec::new()));
            }
            let taken = TAKE.run(session, &[array(locked), consumer.cell(), most.cell()])?;
            let rows = taken.iter().map(OutboxRow::read).collect::<Result<Vec<_>, _>>()?;
            let last: BTreeMap<&str, i64> = rows.iter().map(|r| (r.customer_id.as_str(), r.outbox_no)).collect();
            let (customers, numbers) = (array(last.keys().copied()), array(last.values().copied()));
            LEASE.run(session, &[customers, numbers, consumer.cell(), until.cell()])?;
            Ok(Many(rows))
        })
    })())
}

/// Locks customers for whom something waits, at least one where there is one that no other session has just locked. Whoever
/// has waited longest comes first, so that no row is passed over for ever.
fn lock(session: &Session, consumer: &str, now: Time, most: i32) -> Result<Vec<String>, Error> {
    let mut limit = most;
    loop {
        let mut waiting = customers(WAITING.run(session, &[consumer.cell(), now.cell(), limit.cell()])?.iter())?;
        let new = customers(LOCK_NEW.run(session, &[array(&waiting), consumer.cell()])?.iter())?;
        if !new.is_empty() {
            BEGIN_WITH.run(session, &[array(&new), consumer.cell()])?;
        }
        let locked = LOCK.run(session, &[array(&waiting), consumer.cell(), now.cell()])?;
        let locked: HashSet<String> = customers(locked.iter())?.into_iter().collect();
        let all = (waiting.len() as i32) < limit;
        waiting.retain(|customer| locked.contains(customer));
        if all || !waiting.is_empty() {
            return Ok(waiting);
        }
        limit = limit.saturating_mul(8);
    }
}

fn batch_size_of(given: Option<i32>) -> Result<i32, Error> {
    match input::at_least_one("batch_size", given)? {
        size if size <= MOST_ROWS => Ok(size),
        _ => Err(Error::argument("batch_size", format!("must be at most {MOST_ROWS}"))),
    }
}

/// Until when a lease that begins now lasts.
fn until(lease: &Interval, now: Time) -> Result<Time, Error> {
    match lease.after("lease", now)? {
        until if until <= now.plus_seconds(LONGEST_LEASE) => Ok(until),
        _ => Err(Error::argument("lease", "must be at most 24 hours")),
    }
}

fn customers<'r>(rows: impl Iterator<Item = crate::pg::statement::Row<'r>>) -> Result<Vec<String>, Error> {
    rows.map(|mut row| row.next()).collect()
}

// Every consumer's, so that of two that acknowledge the last of a row at once the later sees the earlier, and deletes it.
static LOCK_POSITIONS: Statement = Statement::new(
    c"SELECT p.customer_id FROM credits_internal.outbox_positions p
      WHERE p.customer_id IN (SELECT o.customer_id FROM credits_internal.outbox o WHERE o.outbox_id = ANY ($1))
      ORDER BY p.customer_id, p.consumer
      FOR UPDATE OF p",
    &[UUIDARRAYOID],
);

// What follows without a gap on what was acknowledged before.
static ACK: Statement = Statement::new(
    c"WITH row AS (
          SELECT o.customer_id, o.outbox_no, o.outbox_id = ANY ($2) AS acked
          FROM credits_internal.outbox_positions p
          JOIN credits_internal.outbox o ON o.customer_id = p.customer_id AND o.outbox_no > p.acked_no
          WHERE p.consumer = $3 AND p.customer_id = ANY ($1)
      ), reach AS (
          SELECT r.customer_id, count(*) FILTER (WHERE r.whole) AS acked, max(r.outbox_no) FILTER (WHERE r.whole) AS acked_no
          FROM (SELECT x.customer_id, x.outbox_no,
                       bool_and(x.acked) OVER (PARTITION BY x.customer_id ORDER BY x.outbox_no) AS whole FROM row x) r
          GROUP BY r.customer_id
      ), moved AS (
          UPDATE credits_internal.outbox_positions p
          SET acked_no = r.acked_no, claimed_until = CASE WHEN r.acked_no >= p.claimed_no THEN '-infinity' ELSE p.claimed_until END
          FROM reach r
          WHERE p.customer_id = r.customer_id AND p.consumer = $3 AND r.acked > 0
      )
      SELECT coalesce(sum(r.acked), 0)::int FROM reach r",
    &[TEXTARRAYOID, UUIDARRAYOID, TEXTOID],
);

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.outbox o
      WHERE o.customer_id = ANY ($1) AND NOT EXISTS (
          SELECT FROM credits_internal.outbox_consumers c
          LEFT JOIN credits_internal.outbox_positions p ON p.customer_id = o.customer_id AND p.consumer = c.consumer
          WHERE coalesce(p.acked_no, 0) < o.outbox_no)",
    &[TEXTARRAYOID],
);

/// `credits.outbox_ack`. Raises PC013, also for a consumer that was never made.
#[pg_extern(sql = false)]
fn outbox_ack(consumer: Option<&str>, ids: Option<ArrayOf<Uuid>>) -> Reply<Value<i32>> {
    Reply((|| {
        let consumer = input::key("consumer", consumer)?;
        let ids: Vec<Uuid> = input::required("ids", ids)?.elements("ids")?.into_iter().flatten().collect();
        writing(|session| {
            consumer::must_exist(session, consumer)?;
            let locked = LOCK_POSITIONS.run(session, &[array(&ids)])?;
            let mut customers = customers(locked.iter())?;
            customers.dedup();
            if customers.is_empty() {
                return Ok(Value(0));
            }
            let acked = match ACK.run(session, &[array(&customers), array(&ids), consumer.cell()])?.first() {
                Some(mut row) => row.next()?,
                None => 0,
            };
            FORGET.run(session, &[array(&customers)])?;
            Ok(Value(acked))
        })
    })())
}

static FORGET_OLD: Statement = Statement::scanning(
    c"WITH old AS (
          SELECT o.customer_id, o.outbox_no FROM credits_internal.outbox o
          WHERE o.created_at < $1 - $2 * interval '1 second' LIMIT $3 FOR UPDATE SKIP LOCKED)
      DELETE FROM credits_internal.outbox o USING old
      WHERE o.customer_id = old.customer_id AND o.outbox_no = old.outbox_no
      RETURNING 1",
    &[TIMESTAMPTZOID, INT4OID, INT4OID],
);

/// Deletes rows that nobody wanted within credits.outbox_retention, by then or by now; how many.
pub fn forget_old(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let (by, seconds) = (settings::now()?.min(due_by), settings::outbox_retention());
    Ok(FORGET_OLD.run(session, &[by.cell(), seconds.cell(), most.cell()])?.len() as i32)
}
