//! The inbox: a table without constraints that pipelines COPY usage into, drained in batches in the order in which rows
//! came. A row leaves it in the transaction that charged it, found it to be a replay, or rejected it with its error. So
//! nothing is lost and nothing is charged twice, however often draining is interrupted.

mod cursor;
mod isolation;
mod moments;

use crate::error::Error;
use crate::input;
use crate::ledger::engine::posting::Key;
use crate::metering::batch;
use crate::metering::inbox::cursor::{At, Cursor};
use crate::metering::inbox::isolation::Outcome;
use crate::metering::report::{Event, Extras, KEY_BYTES};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::locking::lock::Lock;
use crate::pg::locking::patience::Patience;
use crate::pg::memory;
use crate::pg::statement::{self, Session, Statement, text};
use crate::pg::value::array::array;
use crate::pg::value::{RowLocation, ToCell, UpTo};
use crate::settings;
use pgrx::pg_sys::{TEXTARRAYOID, TIDARRAYOID, TIDOID, UUIDARRAYOID};
use std::cell::Cell;
use std::collections::HashSet;
use uuid::Uuid;

/// A statement that reads rows, and which.
macro_rules! reading {
    ($parameters:expr, $which:literal) => {
        Statement::new(reading!(text "i.member_id", $which), $parameters).before(reading!(text "NULL::text", $which))
    };
    (text $member:literal, $which:literal) => {
        text!(
            "SELECT i.received_at, i.ctid, i.customer_id, i.event_name, i.value, i.identifier, i.occurred_at,
                    i.subscription_id, i.source_data, i.metadata, ",
            $member,
            " FROM credits.inbox i WHERE i.ctid ",
            $which
        )
    };
}

static READ: Statement = reading!(&[TIDARRAYOID], "= ANY ($1)");

static READ_PAGES: Statement = reading!(&[TIDOID, TIDOID], "BETWEEN $1 AND $2");

/// The text of the statement that puts rows aside, with or without the member.
macro_rules! putting_aside {
    ($column:literal, $value:literal) => {
        text!(
            "INSERT INTO credits_internal.inbox_rejected (rejected_id, customer_id, event_name, value, identifier,
                                                 occurred_at, subscription_id, source_data, metadata, received_at,
                                                 error, message, rejected_at",
            $column,
            ") SELECT x.id, i.customer_id, i.event_name, i.value, i.identifier, i.occurred_at, i.subscription_id,
                      i.source_data, i.metadata, i.received_at, x.error, x.message, now()",
            $value,
            " FROM unnest($1, $2, $3, $4) AS x (at, id, error, message)
             JOIN credits.inbox i ON i.ctid = x.at"
        )
    };
}

static PUT_ASIDE: Statement = Statement::new(
    putting_aside!(", member_id", ", i.member_id"),
    &[TIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID],
)
.before(putting_aside!("", ""));

static FORGET: Statement = Statement::new(c"DELETE FROM credits.inbox i WHERE i.ctid = ANY ($1)", &[TIDARRAYOID]);

/// What a batch took out of the inbox.
#[derive(Default)]
pub struct Drained {
    /// Rows.
    pub rows: i32,
    /// Those of them that had come by the given moment.
    pub due: i32,
    /// How many bytes they took.
    bytes: usize,
}

thread_local! {
    /// Whether the inbox has more than the last batch took, as far as the session knows.
    static MORE: Cell<bool> = const { Cell::new(false) };
}

/// Takes up to `most` rows out of the inbox, or returns `None` if another session is draining it. Rows of an account
/// that another session has locked stay, and so do rows for which it would have to wait longer than a moment.
pub fn drain(session: &Session, most: i32, due_by: Time, patience: &Patience) -> Result<Option<Drained>, Error> {
    // One session drains at a time, so that rows are charged in order; other sessions can settle recorded events.
    if !Lock::of(session, c"inbox", "drain").take_if_free() {
        MORE.set(true);
        return Ok(None);
    }
    let mut drained = Drained::default();
    loop {
        // A connection of its own: the arguments and results of a statement stay in memory until its connection ends,
        // whatever context it runs in.
        let (more, all) = statement::freeing(session, |session| some(session, most - drained.rows, due_by, patience))?;
        drained.rows += more.rows;
        drained.due += more.due;
        drained.bytes += more.bytes;
        let ends = all || more.rows == 0 || patience.is_out();
        if ends || drained.rows >= most || drained.bytes >= BYTES_A_CALL {
            memory::give_back(drained.rows as usize, drained.bytes);
            return Ok(Some(drained));
        }
    }
}

/// Makes the session forget where rows are: the table was emptied.
pub fn forget() {
    Cursor::forget();
    MORE.set(false);
}

/// The same with no more rows than fit into memory at once. Returns whether that was all.
fn some(session: &Session, most: i32, due_by: Time, patience: &Patience) -> Result<(Drained, bool), Error> {
    // If this fails, the rows stay and continue to hold back their accounts.
    MORE.set(true);
    let now = settings::now()?;
    let mut cursor = Cursor::recall();
    let (mut from, mut read, mut whole) = (0, false, false);
    loop {
        let some = cursor.some(from, (most as usize).min(AT_ONCE));
        if some.is_empty() {
            if whole {
                cursor.keep_as_it_was();
                MORE.set(false);
                return Ok((Drained::default(), true));
            }
            whole = cursor.read(session, read)?;
            (from, read) = (0, true);
            continue;
        }
        memory::expect(some.len() * batch::EVENT_BYTES);
        let (rows, considered, bytes) = rows(session, some, now)?;
        let (end, all) = (from + considered, considered == some.len() && considered < AT_ONCE);
        let done = report(session, &rows, patience)?;
        // Rows that are gone were taken out by another session.
        let staying = rows.iter().zip(&done).filter(|(_, done)| !**done);
        let stays: HashSet<RowLocation> = staying.map(|(row, _)| row.at.1).collect();
        let staying = cursor.take_out(from..end, |at| stays.contains(&at.1));
        let mut drained = Drained { bytes, ..Drained::default() };
        for (row, _) in rows.iter().zip(&done).filter(|(_, done)| **done) {
            drained.rows += 1;
            drained.due += i32::from(row.as_of <= due_by);
        }
        if drained.rows > 0 || patience.is_out() {
            MORE.set(!all || end - from >= most as usize);
            cursor.keep();
            return Ok((drained, all));
        }
        // All of them were of busy accounts; later ones may not be.
        from += staying;
    }
}

/// The most rows that one batch has in memory, and their most bytes: the rest comes in the next batch.
const AT_ONCE: usize = 10_000;
const BYTES_AT_ONCE: usize = 1 << 25;
/// The most bytes that one call takes out: the rest is for another transaction.
const BYTES_A_CALL: usize = 1 << 28;

/// The longest that rows of the inbox hold back an account's time, in seconds.
const PATIENCE: i64 = 24 * 60 * 60;

static HASHES: Statement = Statement::new(
    c"SELECT k.customer_id, hashtext(k.customer_id) FROM unnest($1) AS k (customer_id)",
    &[TEXTARRAYOID],
);

/// Those of these accounts' customers that may have rows in the inbox, and the moment up to which their accounts may be
/// brought: when the oldest row came, since it is charged as of then.
pub fn holds_back(session: &Session, keys: &[Key], now: Time) -> Result<(HashSet<String>, Time), Error> {
    let mut held = HashSet::new();
    if !MORE.get() || settings::is_clock_set() {
        return Ok((held, now));
    }
    let mut cursor = Cursor::recall();
    if cursor.since().is_none() {
        cursor.read(session, false)?;
    }
    if cursor.since().is_some() {
        for mut row in HASHES.run(session, &[array(keys.iter().map(|(customer_id, _)| customer_id))])?.iter() {
            let (customer_id, hash) = (row.next()?, row.next()?);
            held.extend(cursor.may_be_of(hash).then_some(customer_id));
        }
    }
    let since = cursor.since().map_or(now, |since| since.max(now.plus_seconds(-PATIENCE)).min(now));
    cursor.keep_as_it_was();
    Ok((held, since))
}

/// A whole page is read if so many of its rows are wanted: a sixth of what it holds.
const ROWS_A_PAGE: usize = 16;

/// A row of the inbox.
struct Row {
    at: At,
    /// As of when it is charged.
    as_of: Time,
    event: Result<Event, Error>,
}

/// Reads those of the wanted rows that still exist, in order, as many as fit into memory. Returns them, how many of the
/// wanted rows were covered, and their bytes.
fn rows(session: &Session, wanted: &[At], now: Time) -> Result<(Vec<Row>, usize, usize), Error> {
    let blocks = || wanted.iter().map(|(_, location)| location.block());
    let (first, last) = (blocks().min().unwrap_or_default(), blocks().max().unwrap_or_default());
    // Rows that came together lie together, and are read page by page; otherwise each row by its location.
    let found = if ((last - first) as usize) < wanted.len() / ROWS_A_PAGE + 2 {
        READ_PAGES.run(session, &[RowLocation::first_of(first).cell(), RowLocation::last_of(last).cell()])?
    } else {
        READ.run(session, &[array(wanted.iter().map(|(_, location)| *location))])?
    };
    let mut turns = Vec::with_capacity(found.len());
    for (index, mut row) in found.iter().enumerate() {
        let at: At = (row.next()?, row.next()?);
        // Another row may be at that location by now, which comes in its own turn.
        if let Ok(turn) = wanted.binary_search(&at) {
            turns.push((turn, index));
        }
    }
    turns.sort_unstable();
    let (mut rows, mut bytes) = (Vec::with_capacity(turns.len()), 0);
    for (turn, index) in turns {
        if bytes > BYTES_AT_ONCE {
            return Ok((rows, turn, bytes));
        }
        let mut row = found.row(index);
        let at: At = (row.next()?, row.next()?);
        let (as_of, event) = read(&mut row, at.0, now)?;
        bytes += event.as_ref().map_or(0, |event| event.extras.bytes());
        rows.push(Row { at, as_of, event });
    }
    Ok((rows, wanted.len(), bytes))
}

/// A key in a row: anything that can be put into the table.
type KeyCell = Option<UpTo<String, KEY_BYTES>>;

/// As of when a row is charged, and what it reports. With a test clock the server's times mean nothing; and no time is
/// in the future, in case the clock was set back.
fn read(row: &mut statement::Row<'_>, received_at: Time, now: Time) -> Result<(Time, Result<Event, Error>), Error> {
    let (customer_id, event_name) = (row.next::<KeyCell>()?, row.next::<KeyCell>()?);
    let value: Option<Numeric> = row.next()?;
    let identifier: KeyCell = row.next()?;
    let occurred_at: Option<Time> = row.next()?;
    let as_of = if settings::is_clock_set() { now } else { received_at.min(now) };
    let extras = Extras::read(row)?;
    let event = (|| {
        let key = |argument, value: KeyCell| input::bounded(argument, value, input::KEY_REASON);
        let (customer_id, event_name) = (key("customer_id", customer_id)?, key("event_name", event_name)?);
        Event::read(customer_id, event_name, value, key("identifier", identifier)?, occurred_at, as_of, extras?)
    })();
    Ok((as_of, event))
}

/// Charges what rows report as of when they came, or rejects them. Returns whether each is done.
fn report(session: &Session, rows: &[Row], patience: &Patience) -> Result<Vec<bool>, Error> {
    let reports: Vec<_> = rows.iter().map(|row| (row.as_of, &row.event)).collect();
    let outcomes = isolation::report(session, &reports, patience)?;
    let (mut done, mut leaving, mut refused) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for (row, outcome) in rows.iter().zip(outcomes) {
        let busy = matches!(outcome, Outcome::Busy);
        done.push(!busy);
        if busy {
            continue;
        }
        leaving.push(row.at.1);
        if let Outcome::Failed(failure) = outcome {
            refused.push((row.at.1, failure));
        }
    }
    if !refused.is_empty() {
        let cells = [
            array(refused.iter().map(|(index, _)| *index)),
            // Ids in this order, unique.
            array(refused.iter().map(|_| Uuid::now_v7())),
            array(refused.iter().map(|(_, failure)| &failure.error)),
            array(refused.iter().map(|(_, failure)| &failure.message)),
        ];
        PUT_ASIDE.run(session, &cells)?;
    }
    if !leaving.is_empty() {
        FORGET.run(session, &[array(leaving)])?;
    }
    Ok(done)
}
