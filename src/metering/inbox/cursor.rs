//! The cursor: which rows of the inbox come next. The inbox has no index, so that inserting costs no more than the row.
//! A session that drains it reads the locations of its rows once for many batches, and finds each row by its location.

use crate::error::Error;
use crate::moment::Time;
use crate::pg::backend::{self, Transaction};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{RowLocation, ToCell};
use pgrx::pg_sys::{INT8OID, TIDOID};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;

/// When a row of the inbox was received, and where it is: this decides its turn. Rows of one moment are in the order of
/// their locations.
pub type At = (Time, RowLocation);

/// The most rows that a cursor has: 16 bytes each.
const MOST: i64 = 1_000_000;
/// How long a cursor is valid, in seconds: a transaction that inserted rows earlier may commit later.
const SECONDS: i64 = 60;

static READ: Statement = Statement::scanning(
    c"SELECT i.received_at, i.ctid, hashtext(i.customer_id) FROM credits.inbox i WHERE i.ctid >= $2
      ORDER BY i.received_at, i.ctid LIMIT $1",
    &[INT8OID, TIDOID],
);

thread_local! {
    static CURSOR: RefCell<Cursor> = RefCell::default();
}

/// The rows of the inbox that are not drained yet, as far as the session knows, in order.
pub struct Cursor {
    rows: Vec<At>,
    /// When the oldest of them came, or one that was taken out since.
    oldest: Time,
    /// The hashes of their customers, including those of rows that were taken out since.
    customers: HashSet<i32>,
    /// When the whole table was last read, by the server's clock.
    read_at: Time,
    /// The last page that had any of them then or since: new rows go there or after it, except those on pages that were
    /// vacuumed.
    end: Option<u32>,
    /// The transaction that last took rows out: if it was rolled back, they are there again.
    left_by: Option<Transaction>,
    /// The file of the table then: in another one the rows are elsewhere.
    file: u32,
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor {
            rows: Vec::new(),
            oldest: Time::NEVER,
            customers: HashSet::new(),
            read_at: Time(0),
            end: None,
            left_by: None,
            file: 0,
        }
    }
}

impl Cursor {
    /// The session's cursor, if it is still valid. The session drops it until [`Cursor::keep`], so that an error leaves
    /// nothing wrong behind.
    pub fn recall() -> Self {
        let cursor = CURSOR.take();
        let file = backend::file_of(c"credits", c"inbox");
        let fresh = cursor.file == file && backend::clock() < cursor.read_at.plus_seconds(SECONDS);
        if fresh && cursor.left_by.as_ref().is_none_or(Transaction::holds) {
            return cursor;
        }
        Cursor { file, ..Cursor::default() }
    }

    /// Makes the session forget it: the table was emptied.
    pub fn forget() {
        CURSOR.take();
    }

    /// Keeps it for the session, after rows were taken out.
    pub fn keep(mut self) {
        self.left_by = Some(backend::transaction());
        self.keep_as_it_was();
    }

    /// Keeps it for the session, if nothing was taken out.
    pub fn keep_as_it_was(self) {
        CURSOR.set(self);
    }

    /// Reads the locations of the first rows in order: of the `whole` table or, if the cursor is empty, of its end, so
    /// as not to read the drained pages each time. Returns whether it was the whole table.
    pub fn read(&mut self, session: &Session, whole: bool) -> Result<bool, Error> {
        let from = self.end.filter(|_| !whole && self.rows.is_empty());
        if from.is_none() {
            self.read_at = backend::clock();
        }
        let found = READ.run(session, &[MOST.cell(), RowLocation::first_of(from.unwrap_or(0)).cell()])?;
        (self.rows, self.oldest, self.customers) = (Vec::with_capacity(found.len()), Time::NEVER, HashSet::new());
        for mut row in found.iter() {
            let at: At = (row.next()?, row.next()?);
            self.rows.push(at);
            self.oldest = self.oldest.min(at.0);
            self.customers.extend(row.next::<Option<i32>>()?);
        }
        if self.rows.len() as i64 == MOST {
            self.end = None;
        } else if let Some(last) = self.rows.iter().map(|(_, index)| index.block()).max() {
            self.end = Some(last);
        }
        Ok(from.is_none())
    }

    /// At most `most` rows from an index on.
    pub fn some(&self, from: usize, most: usize) -> &[At] {
        let end = from.saturating_add(most).min(self.rows.len());
        self.rows.get(from..end).unwrap_or_default()
    }

    /// A moment before which none of them came, if there are any.
    pub fn since(&self) -> Option<Time> {
        (!self.rows.is_empty()).then_some(self.oldest)
    }

    /// Whether a customer with this hash may have any of them.
    pub fn may_be_of(&self, customer: i32) -> bool {
        self.customers.contains(&customer)
    }

    /// Removes those of a range that do not stay. Returns how many stay.
    pub fn take_out(&mut self, range: Range<usize>, stays: impl Fn(&At) -> bool) -> usize {
        let staying: Vec<At> = self.rows[range.clone()].iter().filter(|at| stays(at)).copied().collect();
        let count = staying.len();
        self.rows.splice(range, staying);
        count
    }
}
