//! Writing the books that need least: only their heads paid, and the rows of what they paid for are the lines.

use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use pgrx::pg_sys::{BOOLARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID};

static POST_HEAD: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET available = x.available, posted_at = x.posted_at, last_line = x.last_line,
          charge_above = CASE WHEN x.limited THEN 'infinity' ELSE greatest(a.head_floor, a.evaluate_below) END
      FROM (SELECT unnest($1) AS customer_id, unnest($2) AS currency, unnest($3) AS available, unnest($4) AS posted_at,
                   unnest($5) AS last_line, unnest($6) AS limited) x
      WHERE a.customer_id = x.customer_id AND a.currency = x.currency",
    &[TEXTARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, BOOLARRAYOID],
);

/// Writes books whose only change is that the head has less.
pub fn post(session: &Session, books: &[&Book]) -> Result<(), Error> {
    if books.is_empty() {
        return Ok(());
    }
    let cells = [
        array(books.iter().map(|b| &b.customer_id)),
        array(books.iter().map(|b| &b.currency)),
        array(books.iter().map(|b| b.available)),
        array(books.iter().map(|b| b.posted_at)),
        array(books.iter().map(|b| b.last_line)),
        array(books.iter().map(|b| b.limited)),
    ];
    POST_HEAD.run(session, &cells).map(drop)
}
