//! Periods: usage that is priced together. The standing of each in the tables, read and written under the account's
//! lock. place.rs says which period an event belongs to, aggregate.rs how it changes that.

pub mod aggregate;
pub mod calendar;
pub mod place;
pub mod rank;
pub mod unique;
pub mod value;

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::Period;
use crate::ledger::engine::posting;
use crate::metering::period::aggregate::{Counted, Standing};
use crate::metering::period::place::Place;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{
    INT4ARRAYOID, INT4OID, INT8ARRAYOID, INT8OID, NUMERICARRAYOID, NUMERICOID, Oid, TEXTARRAYOID, TEXTOID,
    TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
};
use std::collections::HashMap;
use std::rc::Rc;

/// A customer, and one of their periods.
pub type Key = (String, Rc<Period>);

/// The text of the statement that reads standings, of the column with what was carried.
macro_rules! reading {
    ($carried:literal) => {
        text!(
            "SELECT k.ordinal, u.quantity, u.event_count, u.last_no, u.credits, u.counted_no, u.counted_at,
                    u.price_version, u.price_class, ",
            $carried,
            " FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, event_name, period_key, ordinal)
             JOIN credits_internal.usage_periods u ON u.customer_id = k.customer_id AND u.event_name = k.event_name
                                                  AND u.period_key = k.period_key"
        )
    };
}

static READ: Statement =
    Statement::new(reading!("u.carried"), &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID]).before(reading!("0::numeric"));

/// The standings of periods; zero for those that have none yet. Their accounts are locked.
pub fn read(session: &Session, keys: Vec<Key>) -> Result<HashMap<Key, Standing>, Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let cells = [
        array(keys.iter().map(|(customer_id, _)| customer_id)),
        array(keys.iter().map(|(_, p)| &p.event_name)),
        array(keys.iter().map(|(_, p)| &p.key)),
    ];
    let mut standings: Vec<Standing> = keys.iter().map(|_| Standing::default()).collect();
    for mut row in READ.run(session, &cells)?.iter() {
        let index = posting::index(&mut row, standings.len())?;
        let standing = &mut standings[index];
        (standing.quantity, standing.event_count) = (row.next()?, row.next()?);
        (standing.last_no, standing.credits) = (row.next()?, row.next()?);
        let (event_no, occurred_at): (Option<i64>, Option<Time>) = (row.next()?, row.next()?);
        let (price_version, price_class) = (row.next()?, row.next()?);
        standing.carried = row.next()?;
        standing.counted = event_no.zip(occurred_at).map(|(event_no, occurred_at)| Counted {
            event_no,
            occurred_at,
            price_version,
            price_class,
        });
    }
    Ok(keys.into_iter().zip(standings).collect())
}

/// The text of the statement that writes standings, of the columns that only some have, which are written once, and of
/// how they change.
macro_rules! writing_standings {
    ($columns:literal, $values:literal, $changes:literal) => {
        text!(
            "INSERT INTO credits_internal.usage_periods AS u (
                 customer_id, event_name, period_key, period_start, currency, quantity, event_count, last_no, credits,
                 counted_no, counted_at, price_version, price_class",
            $columns,
            ") SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13",
            $values,
            ") ON CONFLICT (customer_id, event_name, period_key) DO UPDATE
             SET quantity = excluded.quantity, event_count = excluded.event_count, last_no = excluded.last_no,
                 credits = excluded.credits, counted_no = excluded.counted_no, counted_at = excluded.counted_at,
                 price_version = excluded.price_version, price_class = excluded.price_class",
            $changes
        )
    };
}

const COLUMNS: [Oid; 15] = [
    TEXTARRAYOID,
    TEXTARRAYOID,
    TEXTARRAYOID,
    TIMESTAMPTZARRAYOID,
    TEXTARRAYOID,
    NUMERICARRAYOID,
    INT8ARRAYOID,
    INT8ARRAYOID,
    NUMERICARRAYOID,
    INT8ARRAYOID,
    TIMESTAMPTZARRAYOID,
    INT4ARRAYOID,
    TEXTARRAYOID,
    NUMERICARRAYOID,
    TIMESTAMPTZARRAYOID,
];

static WRITE: Statement = Statement::new(writing_standings!(", carried", ", $14", ""), COLUMNS.split_at(14).0)
    .before(writing_standings!("", "", ""));

// Two calendars may have periods that begin at one moment, and end at two.
static WRITE_WITH_ENDS: Statement = Statement::new(
    writing_standings!(
        ", carried, period_end",
        ", $14, $15",
        ", period_end = greatest(u.period_end, excluded.period_end)"
    ),
    &COLUMNS,
);

/// The standing of a period, to be written.
pub struct Written<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// Which.
    pub period: &'a Period,
    /// When that begins: as for one of its events.
    pub place: &'a Place,
    /// The currency that its meter charges.
    pub currency: &'a str,
    /// The standing.
    pub standing: &'a Standing,
    /// For a sum or a count: the version of the meter's prices, and which of them applies.
    pub price: (i32, &'a str),
}

/// The price in force; for a last or a max, that of the event that counts.
fn price<'a>(standing: &'a Standing, price: (i32, &'a str)) -> (i32, &'a str) {
    standing.counted.as_ref().map_or(price, |c| (c.price_version, &c.price_class))
}

/// Writes the standings of periods.
pub fn write(session: &Session, periods: &[Written<'_>]) -> Result<(), Error> {
    if periods.is_empty() {
        return Ok(());
    }
    let counted = |w: &Written<'_>| w.standing.counted.clone();
    let mut cells = vec![
        array(periods.iter().map(|w| w.customer_id)),
        array(periods.iter().map(|w| &w.period.event_name)),
        array(periods.iter().map(|w| &w.period.key)),
        array(periods.iter().map(|w| w.place.start)),
        array(periods.iter().map(|w| w.currency)),
        array(periods.iter().map(|w| w.standing.quantity)),
        array(periods.iter().map(|w| w.standing.event_count)),
        array(periods.iter().map(|w| w.standing.last_no)),
        array(periods.iter().map(|w| w.standing.credits)),
        array(periods.iter().map(|w| counted(w).map(|c| c.event_no))),
        array(periods.iter().map(|w| counted(w).map(|c| c.occurred_at))),
        array(periods.iter().map(|w| price(w.standing, w.price).0)),
        array(periods.iter().map(|w| price(w.standing, w.price).1)),
        array(periods.iter().map(|w| w.standing.carried)),
    ];
    if periods.iter().all(|w| w.place.end.is_none()) {
        return WRITE.run(session, &cells).map(drop);
    }
    cells.push(array(periods.iter().map(|w| w.place.end)));
    WRITE_WITH_ENDS.run(session, &cells).map(drop)
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.usage_periods
      SET quantity = $4, event_count = $5, last_no = $6, credits = $7, counted_no = $8, counted_at = $9,
          price_version = $10, price_class = $11
      WHERE customer_id = $1 AND event_name = $2 AND period_key = $3",
    &[TEXTOID, TEXTOID, TEXTOID, NUMERICOID, INT8OID, INT8OID, NUMERICOID, INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID],
);

/// Writes another standing of a period that is there: that of a correction. When it begins stays as it was recorded,
/// whatever its customer's calendar is by now.
pub fn update(
    session: &Session,
    customer_id: &str,
    period: &Period,
    standing: &Standing,
    given: (i32, &str),
) -> Result<(), Error> {
    let (version, class) = price(standing, given);
    let cells = [
        customer_id.cell(),
        period.event_name.cell(),
        period.key.cell(),
        standing.quantity.cell(),
        standing.event_count.cell(),
        standing.last_no.cell(),
        standing.credits.cell(),
        standing.counted.as_ref().map(|c| c.event_no).cell(),
        standing.counted.as_ref().map(|c| c.occurred_at).cell(),
        version.cell(),
        class.cell(),
    ];
    UPDATE.run(session, &cells).map(drop)
}

/// Loads into a book what is needed to lower the cost of a period's usage: what is owed for it, what grants paid for
/// it, and the debts that the returned credits may pay.
pub fn take_what_may_come_back(
    session: &Session,
    book: &mut Book,
    period: &Rc<Period>,
    amount: Decimal,
) -> Result<(), Error> {
    let owed = posting::period_debts(session, book, period)?;
    book.take_debts(owed);
    let back = amount - book.owed_in(period);
    if back <= Decimal::ZERO {
        return Ok(());
    }
    posting::take_draws(session, book, period, back)?;
    // If one of the grants is for certain meters only, it may pay any of the debts.
    let credits = (!book.any_restricted_draw(period)).then_some(amount);
    let debts = posting::debts(session, book, credits, None)?;
    book.take_debts(debts);
    Ok(())
}
