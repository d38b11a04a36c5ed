//! Settlement: a deferred meter's events are recorded without touching the account, so that one wallet takes any number of
//! writers, and charged afterwards, as of when they were reported. How they are charged is ledger/posting/unsettled.rs and
//! ledger/book/time.rs; any other posting to the account charges them first.

use super::inbox;
use super::report::Priced;
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::posting::{self, Key};
use crate::pg::cache::Cache;
use crate::pg::reply::{Reply, Value};
use crate::pg::statement::{Session, Statement, in_latest_snapshot, writing};
use crate::pg::value::{Oid, ToCell, array};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, INT8OID, JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID};
use std::cell::RefCell;

/// The name in SQL.
pub const DEFERRED: &str = "deferred";

/// How many events one batch of the maintenance procedure takes.
pub const BATCH: i32 = 1_000;
/// Most accounts that one batch locks.
const ACCOUNTS: i64 = 100;

static IN_USE: Statement = Statement::scanning(
    c"SELECT 'credits.meters'::regclass, EXISTS (SELECT FROM credits.meters WHERE settlement = 'deferred')",
    &[],
);

thread_local! {
    static KNOWN: Cache<bool> = Cache::new();
    /// The account at which the last batch of this session ended: the next one goes on behind it.
    static LAST: RefCell<Key> = RefCell::default();
}

/// Whether there is a deferred meter at all. No meter stops being one, so what a session remembers is wrong only for a
/// moment after the first was made; usage recorded by then is charged a little later.
pub fn is_in_use(session: &Session) -> Result<bool, Error> {
    let find = || {
        in_latest_snapshot(session, |session| {
            let rows = IN_USE.run(session, &[])?;
            let mut row = rows.first().ok_or_else(|| Error::internal("a question returned no row"))?;
            let table: Oid = row.next()?;
            Ok(Some((row.next()?, vec![table])))
        })
    };
    Ok(KNOWN.with(|known| known.get_or_find("", find))?.unwrap_or(true))
}

static RECORD: Statement = Statement::new(
    c"WITH claim AS (
          INSERT INTO credits.meter_events (customer_id, identifier, event_name, currency, value, consumed, occurred_at,
                                            created_at, subscription_id, source_data, metadata, price_version)
          SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
          FROM credits.accounts a WHERE a.customer_id = $1 AND a.currency = $4
          ON CONFLICT DO NOTHING RETURNING 1
      )
      INSERT INTO credits.unsettled_events (customer_id, currency, created_at, identifier, event_name, cost)
      SELECT $1, $4, $8, $2, $3, $6 FROM claim
      RETURNING true",
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        INT4OID,
    ],
);

/// Records one event, in one statement that locks nothing but its identifier: false where that is taken, or where there is
/// no account yet.
pub fn record(session: &Session, priced: &Priced<'_>, now: Time) -> Result<bool, Error> {
    Ok(RECORD.run(session, &priced.claim_cells(now))?.len() > 0)
}

static ENQUEUE: Statement = Statement::new(
    c"INSERT INTO credits.unsettled_events (customer_id, currency, created_at, identifier, event_name, cost)
      SELECT x.customer_id, x.currency, $5, x.identifier, x.event_name, x.cost
      FROM unnest($1, $2, $3, $4, $6) AS x (customer_id, currency, identifier, event_name, cost)",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, NUMERICARRAYOID],
);

/// Has events whose identifiers are claimed wait to be charged.
pub fn enqueue(session: &Session, events: &[&Priced<'_>], now: Time) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let cells = [
        array(events.iter().map(|p| &p.event.customer_id)),
        array(events.iter().map(|p| &p.meter.currency)),
        array(events.iter().map(|p| &p.event.identifier)),
        array(events.iter().map(|p| &p.event.event_name)),
        now.cell(),
        array(events.iter().map(|p| p.own_cost())),
    ];
    ENQUEUE.run(session, &cells).map(drop)
}

/// `credits.settle`: one batch of what was put into the inbox or recorded by deferred meters; how many events it was. Raises
/// PC013.
#[pg_extern(sql = false)]
fn settle(batch_size: Option<i32>) -> Reply<Value<i32>> {
    Reply(
        input::at_least_one("batch_size", batch_size)
            .and_then(|most| writing(|session| batch(session, most)))
            .map(Value),
    )
}

/// The same from within.
pub fn batch(session: &Session, most: i32) -> Result<i32, Error> {
    let drained = inbox::drain(session, most)?;
    if drained >= most {
        return Ok(drained);
    }
    Ok(drained + charge(session, most - drained)?)
}

// The accounts in which usage waits, one step of the index each, behind the one where the last batch ended.
static LOCK_SOME: Statement = Statement::in_order(
    c"WITH RECURSIVE waiting AS (
          (SELECT u.customer_id, u.currency FROM credits.unsettled_events u
           WHERE (u.customer_id, u.currency) > ($1, $2) ORDER BY u.customer_id, u.currency LIMIT 1)
          UNION ALL
          SELECT n.customer_id, n.currency FROM waiting w
          CROSS JOIN LATERAL (
              SELECT u.customer_id, u.currency FROM credits.unsettled_events u
              WHERE (u.customer_id, u.currency) > (w.customer_id, w.currency)
              ORDER BY u.customer_id, u.currency LIMIT 1) n
      )
      SELECT a.customer_id, a.currency
      FROM waiting w JOIN credits.accounts a ON a.customer_id = w.customer_id AND a.currency = w.currency
      LIMIT $3
      FOR NO KEY UPDATE OF a SKIP LOCKED",
    &[TEXTOID, TEXTOID, INT8OID],
);

/// Charges recorded events of accounts that nobody else has locked, as many from each as from the others.
fn charge(session: &Session, most: i32) -> Result<i32, Error> {
    if !is_in_use(session)? {
        return Ok(0);
    }
    let (now, accounts) = (settings::now()?, i64::from(most).min(ACCOUNTS));
    let mut from_the_start = false;
    loop {
        let behind = LAST.with_borrow(Key::clone);
        from_the_start |= behind == Key::default();
        let keys = lock_some(session, &behind, accounts)?;
        LAST.set(keys.last().cloned().unwrap_or_default());
        if keys.is_empty() {
            if from_the_start {
                return Ok(0);
            }
            continue;
        }
        // Locked already, so this does not wait.
        let mut books = posting::lock(session, &keys)?;
        let each = (i64::from(most) / books.len().max(1) as i64).max(1);
        posting::some_of(session, &mut books, now, each)?;
        let charged = books.iter().map(|b| b.settled.len()).sum::<usize>();
        posting::post_due(session, books)?;
        // None where another session was quicker.
        if charged > 0 {
            return Ok(charged as i32);
        }
    }
}

fn lock_some(session: &Session, behind: &Key, most: i64) -> Result<Vec<Key>, Error> {
    let rows = LOCK_SOME.run(session, &[behind.0.cell(), behind.1.cell(), most.cell()])?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}
