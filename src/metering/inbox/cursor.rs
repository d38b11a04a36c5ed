//! Which rows of the inbox come next. The inbox has no index, so that what is put into it costs no more than a row: a session
//! that drains it reads where its rows are once for many batches, and finds each of them by its place.

use crate::error::Error;
use crate::moment::Time;
use crate::pg::backend::{self, Transaction};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{RowLocation, ToCell};
use pgrx::pg_sys::{INT8OID, TIDOID};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;

/// When a row of the inbox was received, and where it is: its turn. Rows of one moment are in the order in which they lie.
pub type At = (Time, RowLocation);

/// Most rows that a session remembers: 16 bytes each.
const MOST: i64 = 1_000_000;
/// How long it does, in seconds: a transaction that put rows in earlier may commit later.
const SECONDS: i64 = 60;

static READ: Statement = Statement::scanning(
    c"SELECT i.received_at, i.ctid, hashtext(i.customer_id) FROM credits.inbox i WHERE i.ctid >= $2
      ORDER BY i.received_at, i.ctid LIMIT $1",
    &[INT8OID, TIDOID],
);

thread_local! {
    static CURSOR: RefCell<Cursor> = RefCell::default();
}

/// Rows of the inbox that nobody has taken out yet, as far as the session knows, in their order.
pub struct Cursor {
    rows: Vec<At>,
    /// When the first of them to come came, or one that was taken out since.
    oldest: Time,
    /// Whose they are, or those that were taken out since, by their hash.
    customers: HashSet<i32>,
    /// When the whole table was read last, by the server's clock.
    read_at: Time,
    /// The page that had the last of them then or since: what comes is put there or behind it, but for pages that were
    /// vacuumed.
    end: Option<u32>,
    /// The transaction that took rows out last: where it was rolled back they are there again.
    left_by: Option<Transaction>,
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
        }
    }
}

impl Cursor {
    /// What the session remembers, where that still holds. It forgets it until [`Waiting::keep`], so that an error leaves it
    /// with nothing wrong.
    pub fn recall() -> Self {
        let cursor = CURSOR.take();
        let fresh = backend::clock() < cursor.read_at.plus_seconds(SECONDS);
        if fresh && cursor.left_by.as_ref().is_none_or(Transaction::holds) { cursor } else { Cursor::default() }
    }

    /// Has the session remember it, after it took rows out.
    pub fn keep(mut self) {
        self.left_by = Some(backend::transaction());
        self.keep_as_it_was();
    }

    /// Has the session remember it, where it took nothing out.
    pub fn keep_as_it_was(self) {
        CURSOR.set(self);
    }

    /// Reads which rows there are, the first in order: of the `whole` table, or, where it knows of none, of its end, so as not to
    /// go through the pages that were drained each time. Whether it was the whole.
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

    /// So many from there on, at most.
    pub fn some(&self, from: usize, most: usize) -> &[At] {
        let end = from.saturating_add(most).min(self.rows.len());
        self.rows.get(from..end).unwrap_or_default()
    }

    /// A moment that none of them came before, where there are any.
    pub fn since(&self) -> Option<Time> {
        (!self.rows.is_empty()).then_some(self.oldest)
    }

    /// Whether some of them may be of a customer with this hash.
    pub fn may_be_of(&self, customer: i32) -> bool {
        self.customers.contains(&customer)
    }

    /// Takes out those of a range that do not stay; how many stay.
    pub fn take_out(&mut self, range: Range<usize>, stays: impl Fn(&At) -> bool) -> usize {
        let staying: Vec<At> = self.rows[range.clone()].iter().filter(|at| stays(at)).copied().collect();
        let count = staying.len();
        self.rows.splice(range, staying);
        count
    }
}
