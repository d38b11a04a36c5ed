//! Accounts on which maintenance failed: each is skipped for a while, so that it does not hold up others, and retried
//! after growing pauses. The view backlog counts them, verify() names them.

use crate::error::Error;
use crate::ledger::engine::posting::{self, Key};
use crate::pg::locking::patience::Patience;
use crate::pg::statement::{Session, Statement};
use crate::pg::subtransaction::{self, Failure};
use crate::pg::value::ToCell;
use pgrx::pg_sys::TEXTOID;
use std::collections::HashSet;

/// Does `work` for all accounts at once, in a subtransaction; if that fails, for each in one of its own. Accounts for
/// which it fails are recorded, except those that other sessions have locked. `failed` are the accounts that failed
/// before. Returns the sum of what was done, and how many accounts failed.
pub fn each_apart(
    session: &Session,
    keys: &[Key],
    failed: &HashSet<Key>,
    patience: &Patience,
    work: impl Fn(&[Key]) -> Result<i32, Error>,
) -> Result<(i32, i32), Error> {
    let (mut apart, sound): (Vec<Key>, Vec<Key>) = keys.iter().cloned().partition(|key| failed.contains(key));
    let (mut done, mut failures) = (0, 0);
    if !sound.is_empty() {
        match subtransaction::isolate(patience, || work(&sound)) {
            Ok(count) => done += count,
            Err(_) => apart.splice(..0, sound).for_each(drop),
        }
    }
    for key in &apart {
        match subtransaction::isolate(patience, || work(std::slice::from_ref(key))) {
            Ok(count) => {
                done += count;
                if failed.contains(key) {
                    forget(session, key)?;
                }
            }
            Err(failure) if failure.is_busy() => {}
            Err(failure) => {
                failures += 1;
                record(session, key, &failure)?;
            }
        }
    }
    Ok((done, failures))
}

static FAILED_ACCOUNTS: Statement =
    Statement::scanning(c"SELECT f.customer_id, f.currency FROM credits_internal.account_failures f", &[]);

/// All failed accounts.
pub fn failed_accounts(session: &Session) -> Result<HashSet<Key>, Error> {
    FAILED_ACCOUNTS.run(session, &[])?.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

// By the server's clock, whatever the test clock says: a pause takes real time.
static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.account_failures
      AS f (customer_id, currency, error, message, attempts, failed_since, failed_at,
                                                 retry_at)
      VALUES ($1, $2, $3, $4, 1, clock_timestamp(), clock_timestamp(), clock_timestamp() + interval '1 minute')
      ON CONFLICT (customer_id, currency) DO UPDATE
      SET error = excluded.error, message = excluded.message, attempts = f.attempts + 1, failed_at = excluded.failed_at,
          retry_at = excluded.failed_at + least(power(2, least(f.attempts, 6)), 60) * interval '1 minute'",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

/// Records that work for an account failed, unless another session has it locked.
pub fn record(session: &Session, key: &Key, failure: &Failure) -> Result<(), Error> {
    if posting::lock_free(session, std::slice::from_ref(key))?.is_empty() {
        return Ok(());
    }
    let cells = [key.0.cell(), key.1.cell(), failure.error.cell(), failure.message.cell()];
    RECORD.run(session, &cells).map(drop)
}

static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.account_failures f WHERE f.customer_id = $1 AND f.currency = $2",
    &[TEXTOID, TEXTOID],
);

/// Deletes the record: the account works again.
pub fn forget(session: &Session, key: &Key) -> Result<(), Error> {
    FORGET.run(session, &[key.0.cell(), key.1.cell()]).map(drop)
}
