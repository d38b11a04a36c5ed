//! Maintenance: posting what fell due in accounts that nobody touched, settling usage that waits, and deleting what nobody
//! took out of the outbox.

use crate::input;
use crate::ledger::posting::{self, Key};
use crate::metering::settlement;
use crate::pg::procedure::{self, Call};
use crate::pg::reply::{Nothing, Reply, Value};
use crate::pg::statement::{Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use crate::topup::outbox;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, TIMESTAMPTZOID};

/// `CALL credits.maintain()`: batches until nothing is due, a commit after each. Raises PC013.
#[pg_extern(sql = false)]
fn maintain(batch_size: Option<i32>, call: Call) -> Reply<Nothing> {
    Reply(input::at_least_one("batch_size", batch_size).map(|batch_size| {
        procedure::repeat_until_zero(call, c"SELECT credits.maintain_batch($1)", batch_size);
        Nothing
    }))
}

static LOCK_DUE: Statement = Statement::new(
    c"SELECT a.customer_id, a.currency FROM credits.accounts a
      WHERE a.next_change_at <= $1 AND a.next_change_at < 'infinity'
      ORDER BY a.next_change_at LIMIT $2
      FOR NO KEY UPDATE OF a SKIP LOCKED",
    &[TIMESTAMPTZOID, INT4OID],
);

/// `credits.maintain_batch`: one batch; how many accounts it brought up to date, where there are none how many events it
/// settled, and where there are none of those how many old rows of the outbox it deleted. Raises PC013.
#[pg_extern(sql = false)]
fn maintain_batch(batch_size: Option<i32>) -> Reply<Value<i32>> {
    Reply((|| {
        let batch_size = input::at_least_one("batch_size", batch_size)?;
        writing(|session| {
            let now = settings::now()?;
            let mut keys: Vec<Key> = Vec::new();
            for mut row in LOCK_DUE.run(session, &[now.cell(), batch_size.cell()])?.iter() {
                keys.push((row.next()?, row.next()?));
            }
            if keys.is_empty() {
                let settled = settlement::batch(session, settlement::BATCH)?;
                return if settled > 0 { Ok(settled) } else { outbox::forget_old(session, batch_size) }.map(Value);
            }
            // Locked already, so this does not wait.
            let mut books = posting::lock(session, &keys)?;
            posting::some_of(session, &mut books, now, settlement::BATCH.into())?;
            posting::post_due(session, books)?;
            Ok(Value(keys.len() as i32))
        })
    })())
}
