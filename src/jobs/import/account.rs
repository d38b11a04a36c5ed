//! The account that takes history: it is empty, or has nothing but earlier parts of its history, which goes on.

use crate::error::Error;
use crate::jobs::import::entry::Entry;
use crate::ledger::account;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, INT8OID, TEXTOID, TIMESTAMPTZOID};

/// How far the import of an account has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Entries.
    pub entries: i64,
    /// When the first happened.
    pub first_at: Option<Time>,
    /// When the last happened.
    pub last_at: Option<Time>,
    /// Whether that was all.
    pub finished: bool,
}

impl Progress {
    /// After more entries, in the order of time.
    pub fn after(self, entries: &[Entry], finished: bool) -> Self {
        let [first, last] = [entries.first(), entries.last()].map(|entry| entry.map(|entry| entry.at));
        Progress {
            entries: self.entries + entries.len() as i64,
            first_at: self.first_at.or(first),
            last_at: last.or(self.last_at),
            finished,
        }
    }
}

static STATE: Statement = Statement::new(
    c"SELECT i.entries, i.first_at, i.last_at, i.finished, a.last_line = i.last_line AND a.posted_at = i.posted_at,
             a.last_line > 0 OR a.issued > 0 OR a.pending > 0
             OR EXISTS (SELECT FROM credits_internal.credit_grants g WHERE g.customer_id = $1 AND g.currency = $2)
             OR EXISTS (SELECT FROM credits_internal.meter_events e WHERE e.customer_id = $1 AND e.currency = $2)
      FROM credits_internal.accounts a
      LEFT JOIN credits_internal.history_imports i ON i.customer_id = a.customer_id AND i.currency = a.currency
      WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID],
);

// One that was only configured was posted to then: it begins before anything happened.
static BEGIN: Statement = Statement::new(
    c"UPDATE credits_internal.accounts SET posted_at = '-infinity', charge_above = 'infinity'
      WHERE customer_id = $1 AND currency = $2",
    &[TEXTOID, TEXTOID],
);

/// Locks the account, which is made where it is missing, and checks that it can take these entries. Returns how far it
/// has come. Raises PC013.
pub fn open(session: &Session, (customer_id, code): (&str, &str), entries: &[Entry]) -> Result<Progress, Error> {
    let book = account::lock_or_make(session, customer_id, code)?;
    let lost = || Error::internal("an account is not there");
    let rows = STATE.run(session, &[customer_id.cell(), code.cell()])?;
    let mut row = rows.first().ok_or_else(lost)?;
    let (done, first_at, last_at): (Option<i64>, _, _) = (row.next()?, row.next()?, row.next()?);
    let (finished, untouched): (Option<bool>, Option<bool>) = (row.next()?, row.next()?);
    let refuse = |state| Err(Error::AccountNotEmpty { customer_id: customer_id.into(), currency: code.into(), state });
    let Some(done) = done else {
        if row.next()? {
            return refuse("used");
        }
        BEGIN.run(session, &[customer_id.cell(), code.cell()])?;
        return Ok(Progress::default());
    };
    if finished != Some(false) {
        return refuse("finished");
    }
    if untouched != Some(true) {
        return refuse("posted_to");
    }
    if let Some(entry) = entries.first().filter(|entry| entry.at < book.posted_at) {
        let reason =
            format!("must not be before what was imported earlier, up to {}: it is {}", book.posted_at, entry.at);
        return Err(Error::Entry { number: entry.number, error: Box::new(Error::argument("at", reason)) });
    }
    Ok(Progress { entries: done, first_at, last_at, finished: false })
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.history_imports AS i (customer_id, currency, entries, first_at, last_at, finished,
                                                         last_line, posted_at)
      SELECT a.customer_id, a.currency, $3, $4, $5, $6, a.last_line, a.posted_at
      FROM credits_internal.accounts a WHERE a.customer_id = $1 AND a.currency = $2
      ON CONFLICT (customer_id, currency) DO UPDATE
      SET entries = excluded.entries, first_at = excluded.first_at, last_at = excluded.last_at,
          finished = excluded.finished, last_line = excluded.last_line, posted_at = excluded.posted_at",
    &[TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID],
);

/// Records how far it has come.
pub fn record(session: &Session, (customer_id, code): (&str, &str), progress: Progress) -> Result<(), Error> {
    let Progress { entries, first_at, last_at, finished } = progress;
    let cells = [customer_id.cell(), code.cell(), entries.cell(), first_at.cell(), last_at.cell(), finished.cell()];
    RECORD.run(session, &cells).map(drop)
}

static PROGRESS: Statement = Statement::new(
    c"SELECT i.entries, i.first_at, i.last_at, i.finished FROM credits_internal.history_imports i
      WHERE i.customer_id = $1 AND i.currency = $2",
    &[TEXTOID, TEXTOID],
);

/// How far it has come.
pub fn progress(session: &Session, (customer_id, code): (&str, &str)) -> Result<Option<Progress>, Error> {
    let rows = PROGRESS.run(session, &[customer_id.cell(), code.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    Ok(Some(Progress { entries: row.next()?, first_at: row.next()?, last_at: row.next()?, finished: row.next()? }))
}
