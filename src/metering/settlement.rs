//! Settlement: the inbox and unsettled events are charged in batches, as of when they were reported.
//! ledger/engine/posting/unsettled.rs and ledger/engine/book/time.rs charge them; any other posting to the account does
//! the same.

use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::failure;
use crate::ledger::engine::posting::{self, Key};
use crate::metering::inbox;
use crate::moment::Time;
use crate::pg::call::reply::{Reply, Value};
use crate::pg::locking::patience::{Patience, in_any_case};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT8OID, TEXTOID, TIMESTAMPTZOID};
use pgrx::{notice, pg_extern};
use std::cell::RefCell;
use std::collections::HashSet;

/// How many events one batch of the maintenance procedure takes.
pub const BATCH: i32 = 1_000;
/// The most accounts that one batch locks.
const ACCOUNTS: i64 = 100;

thread_local! {
    /// The account at which the last batch of this session ended: the next batch continues after it.
    static LAST: RefCell<Key> = RefCell::default();
}

/// `credits.settle`: charges one batch of the inbox and of unsettled events. Returns how many events. Raises PC013.
#[pg_extern(sql = false)]
fn settle(batch_size: Option<i32>) -> Reply<Value<i32>> {
    Reply(
        input::at_least_one("batch_size", batch_size)
            .and_then(|most| writing(|session| in_any_case(|| batch(session, most))))
            .map(Value),
    )
}

/// A batch of both: half for the inbox, the rest for unsettled events; each may use what the other leaves.
fn batch(session: &Session, most: i32) -> Result<i32, Error> {
    let half = if posting::may_be_unsettled(session)? { most - most / 2 } else { most };
    let patience = Patience::default();
    let drained = inbox::drain(session, half, Time::NEVER, &patience)?;
    let is_kept_out = drained.is_none();
    let mut settled = drained.map_or(0, |drained| drained.rows);
    let full = settled >= half;
    if settled < most {
        settled += charge(session, most - settled, Time::NEVER, &patience)?;
    }
    if full && settled < most {
        let drained = inbox::drain(session, most - settled, Time::NEVER, &patience)?;
        settled += drained.map_or(0, |drained| drained.rows);
    }
    if is_kept_out && settled == 0 {
        kept_out();
    }
    Ok(settled)
}

/// Says that another session is draining the inbox; otherwise the inbox would seem to be empty.
pub fn kept_out() {
    notice!("another session is draining the inbox: inbox_drained_by in credits.backlog says which");
}

/// How many unsettled events a batch takes from each of so many accounts.
pub fn share(most: i32, accounts: usize) -> i64 {
    (i64::from(most) / accounts.max(1) as i64).max(1)
}

// The accounts with unsettled usage that was recorded by a moment, one index step each, after the account where the
// last batch ended.
static LOCK_SOME: Statement = Statement::in_order(
    c"WITH RECURSIVE unsettled AS (
          (SELECT u.customer_id, u.currency, u.created_at FROM credits_internal.unsettled_events u
           WHERE (u.customer_id, u.currency) > ($1, $2) ORDER BY u.customer_id, u.currency, u.created_at LIMIT 1)
          UNION ALL
          SELECT n.customer_id, n.currency, n.created_at FROM unsettled w
          CROSS JOIN LATERAL (
              SELECT u.customer_id, u.currency, u.created_at FROM credits_internal.unsettled_events u
              WHERE (u.customer_id, u.currency) > (w.customer_id, w.currency)
              ORDER BY u.customer_id, u.currency, u.created_at LIMIT 1) n
      )
      SELECT a.customer_id, a.currency, f.customer_id IS NOT NULL
      FROM unsettled w
      JOIN credits_internal.accounts a ON a.customer_id = w.customer_id AND a.currency = w.currency
      LEFT JOIN credits_internal.account_failures f ON f.customer_id = w.customer_id AND f.currency = w.currency
      WHERE w.created_at <= $4 AND (f.retry_at <= clock_timestamp()) IS NOT FALSE
      LIMIT $3
      FOR NO KEY UPDATE OF a SKIP LOCKED",
    &[TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID],
);

/// Charges unsettled events of accounts that no other session has locked and whose oldest was recorded by `due_by`,
/// equally many from each.
pub fn charge(session: &Session, most: i32, due_by: Time, patience: &Patience) -> Result<i32, Error> {
    if !posting::may_be_unsettled(session)? {
        return Ok(0);
    }
    let (now, accounts) = (settings::now()?, i64::from(most).min(ACCOUNTS));
    let mut from_the_start = false;
    loop {
        let behind = LAST.with_borrow(Key::clone);
        from_the_start |= behind == Key::default();
        let (keys, failed) = lock_some(session, &behind, accounts, due_by)?;
        LAST.set(keys.last().cloned().unwrap_or_default());
        if keys.is_empty() {
            if from_the_start {
                return Ok(0);
            }
            continue;
        }
        let (customers, since) = inbox::holds_back(session, &keys, now)?;
        let each = share(most, keys.len());
        let (charged, _) = failure::each_apart(session, &keys, &failed, patience, |keys| {
            // Locked already, so this does not wait.
            let books = posting::lock(session, keys)?;
            let (mut books, mut held): (Vec<Book>, Vec<Book>) =
                books.into_iter().partition(|book| !customers.contains(&book.customer_id));
            posting::some_by(session, &mut books, now, each, Time::NEVER)?;
            posting::some_by(session, &mut held, since, each, since)?;
            books.extend(held);
            let charged = books.iter().map(|b| b.settled.len()).sum::<usize>();
            posting::post_due(session, books)?;
            Ok(charged as i32)
        })?;
        // Zero if another session was quicker or has what they need, or if it failed.
        if charged > 0 || patience.is_out() {
            return Ok(charged);
        }
    }
}

/// Locks some of these accounts. Returns which, and those of them that failed before.
fn lock_some(session: &Session, behind: &Key, most: i64, due_by: Time) -> Result<(Vec<Key>, HashSet<Key>), Error> {
    let (mut keys, mut failed) = (Vec::new(), HashSet::new());
    for mut row in LOCK_SOME.run(session, &[behind.0.cell(), behind.1.cell(), most.cell(), due_by.cell()])?.iter() {
        let key: Key = (row.next()?, row.next()?);
        if row.next()? {
            failed.insert(key.clone());
        }
        keys.push(key);
    }
    Ok((keys, failed))
}
