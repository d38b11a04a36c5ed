//! The fast path of a charge: the head grant pays, whose remaining the account's own row carries. While nothing is due,
//! such a charge is one statement. The account's row alone decides whether the credits can be taken, and the event or
//! debit is written with the identifier or key that it claims, as its own ledger line. If that identifier or key turns
//! out to be taken, the credits are returned before anyone has seen them gone.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::line::OwnLine;
use crate::ledger::engine::posting;
use crate::moment::Time;
use crate::pg::locking::queue;
use crate::pg::row_version::{Moment, RowVersion};
use crate::pg::statement::{Rows, Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{
    INT8ARRAYOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
};

/// What spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// A plain debit: grants for certain meters are skipped.
    Debit,
    /// A meter's event: if a grant for certain meters has to pay first, the head does not.
    Usage,
}

/// The outcome of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// The head paid, and the line is written.
    Line {
        /// What a plain debit may take now.
        available: Decimal,
    },
    /// The key that the line claims is taken: nothing has changed.
    Taken,
    /// The head does not cover it, or something is due or must be published first: nothing has changed.
    Otherwise,
}

/// The text of a statement that charges the head. The INSERT of the line follows, from `charge c`, and returns the
/// line's running balance; its own parameters begin with $7. Before them: 1 customer_id, 2 currency, 3 credits, 4 the
/// time, 5 the most that may be restricted, 6 whether usage may be unsettled. It waits only for the account's row, and
/// depends on that row alone. Trailing zeros are removed, so that returning credits restores the exact digits.
macro_rules! charging {
    ($($line:expr),+) => {
        crate::pg::statement::text!(
            "WITH charge AS (
                 UPDATE credits_internal.accounts a
                 SET available = trim_scale(a.available - $3), posted_at = greatest(a.posted_at, $4),
                     last_line = a.last_line + 1
                 WHERE a.customer_id = $1 AND a.currency = $2
                   AND a.available - $3 > a.charge_above AND $4 < a.next_change_at
                   AND a.restricted <= $5 AND a.defers <= $6
                 RETURNING a.last_line, a.available, a.restricted, a.head_grant_id, a.posted_at
             ) ",
            $($line),+
        )
    };
}
pub(crate) use charging;

/// Which account pays how much, for what, and when.
pub struct Charge<'a> {
    /// The customer and the currency.
    pub account: (&'a str, &'a str),
    /// Credits, greater than zero.
    pub amount: Decimal,
    /// For what.
    pub by: Spending,
    /// The time.
    pub now: Time,
}

/// Charges the head, and writes the line with a [`charging`] statement and the rest of its parameters.
pub fn pay(session: &Session, charge: &Charge<'_>, line: &Statement, cells: &[Cell]) -> Result<Paid, Error> {
    let standing = match attempt(session, charge, line, cells, (Decimal::ZERO, false))? {
        Attempt::Paid(paid) => return Ok(paid),
        Attempt::Not(None) => return Ok(Paid::Otherwise),
        Attempt::Not(Some(standing)) => standing,
    };
    let (customer_id, currency) = charge.account;
    let passed_over = standing.restricted > Decimal::ZERO && charge.by == Spending::Debit;
    // Unsettled usage comes first, if it was committed when the call began.
    if !(passed_over || standing.defers) || standing.defers && posting::any_unsettled(session, customer_id, currency)? {
        return Ok(Paid::Otherwise);
    }
    let restricted = if passed_over { Decimal::MAX } else { Decimal::ZERO };
    match attempt(session, charge, line, cells, (restricted, standing.defers))? {
        Attempt::Paid(paid) => Ok(paid),
        Attempt::Not(_) => Ok(Paid::Otherwise),
    }
}

/// How one try ended.
enum Attempt {
    /// It is done.
    Paid(Paid),
    /// Nothing was charged: the state of the account, if there is one.
    Not(Option<Standing>),
}

fn attempt(
    session: &Session,
    charge: &Charge<'_>,
    line: &Statement,
    cells: &[Cell],
    (restricted, defers): (Decimal, bool),
) -> Result<Attempt, Error> {
    let (customer_id, currency) = charge.account;
    let own = [
        customer_id.cell(),
        currency.cell(),
        charge.amount.cell(),
        charge.now.cell(),
        restricted.cell(),
        defers.cell(),
    ];
    let before = Moment::now(session);
    let written =
        queue::in_turn(session, c"accounts", charge.account, || line.run(session, &[&own[..], cells].concat()))?;
    if let Some(mut row) = written.first() {
        let balance: Decimal = row.next()?;
        if restricted.is_zero() {
            return Ok(Attempt::Paid(Paid::Line { available: balance }));
        }
        let left = standing(session, charge.account)?;
        let available = left.ok_or_else(|| Error::internal("an account was charged and is not there"))?.available;
        return Ok(Attempt::Paid(Paid::Line { available }));
    }
    // It wrote no line: either the account did not pay, or it did and the line's identifier or key is taken.
    let standing = standing(session, charge.account)?;
    if standing.as_ref().is_some_and(|standing| before.precedes(&standing.written)) {
        undo(session, charge)?;
        return Ok(Attempt::Paid(Paid::Taken));
    }
    Ok(Attempt::Not(standing))
}

/// What to charge to one account: credits, and how many lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Need {
    /// The total of credits.
    pub credits: Decimal,
    /// Lines.
    pub lines: i64,
}

static PAY_ALL: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET available = trim_scale(a.available - x.credits), posted_at = greatest(a.posted_at, $6),
          last_line = a.last_line + x.lines
      FROM (SELECT unnest($1) AS customer_id, unnest($2) AS currency, unnest($3) AS credits, unnest($4) AS lines,
                   unnest($5) AS ordinal) x
      WHERE a.customer_id = x.customer_id AND a.currency = x.currency
        AND a.available - x.credits > a.charge_above AND $6 < a.next_change_at
        AND a.restricted = 0 AND NOT a.defers
      RETURNING x.ordinal, a.last_line, a.available, a.head_grant_id, a.posted_at",
    &[TEXTARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID],
);

/// Charges the head grants of many accounts for events, given and locked in key order. Returns the last line of each,
/// which the caller writes; `None` if one of them does not cover it all: then some were charged, and the caller undoes
/// it.
pub fn pay_all(session: &Session, needs: &[((&str, &str), Need)], now: Time) -> Result<Option<Vec<OwnLine>>, Error> {
    let cells = [
        array(needs.iter().map(|((customer_id, _), _)| *customer_id)),
        array(needs.iter().map(|((_, currency), _)| *currency)),
        array(needs.iter().map(|(_, need)| need.credits)),
        array(needs.iter().map(|(_, need)| need.lines)),
        array(1..=needs.len() as i64),
        now.cell(),
    ];
    let rows = PAY_ALL.run(session, &cells)?;
    if rows.len() < needs.len() {
        return Ok(None);
    }
    Ok(last_lines(&rows, needs.len())?.into_iter().collect())
}

// If the account's last posting is between the first and the last of them, charging one by one would post them at
// different moments.
static PAY_ALL_AS_OF: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET available = trim_scale(a.available - x.credits), posted_at = greatest(a.posted_at, x.last),
          last_line = a.last_line + x.lines
      FROM (SELECT unnest($1) AS customer_id, unnest($2) AS currency, unnest($3) AS credits, unnest($4) AS lines,
                   unnest($5) AS ordinal, unnest($6) AS first, unnest($7) AS last) x
      WHERE a.customer_id = x.customer_id AND a.currency = x.currency
        AND a.available - x.credits > a.charge_above AND x.last < a.next_change_at
        AND a.restricted = 0 AND NOT a.defers AND (a.posted_at <= x.first OR a.posted_at > x.last)
      RETURNING x.ordinal, a.last_line, a.available, a.head_grant_id, a.posted_at",
    &[
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        INT8ARRAYOID,
        INT8ARRAYOID,
        TIMESTAMPTZARRAYOID,
        TIMESTAMPTZARRAYOID,
    ],
);

/// What to charge to one account, and between which moments.
pub type NeedAsOf<'a> = ((&'a str, &'a str), Need, (Time, Time));

/// The same for events of different moments, in accounts that are locked: the last line of each, or none for accounts
/// that do not cover it all, or in which something falls due before the last event.
pub fn pay_all_as_of(session: &Session, needs: &[NeedAsOf<'_>]) -> Result<Vec<Option<OwnLine>>, Error> {
    let cells = [
        array(needs.iter().map(|((customer_id, _), ..)| *customer_id)),
        array(needs.iter().map(|((_, currency), ..)| *currency)),
        array(needs.iter().map(|(_, need, _)| need.credits)),
        array(needs.iter().map(|(_, need, _)| need.lines)),
        array(1..=needs.len() as i64),
        array(needs.iter().map(|(.., (first, _))| *first)),
        array(needs.iter().map(|(.., (_, last))| *last)),
    ];
    last_lines(&PAY_ALL_AS_OF.run(session, &cells)?, needs.len())
}

/// The last line of each account that paid, of so many.
fn last_lines(rows: &Rows<'_>, accounts: usize) -> Result<Vec<Option<OwnLine>>, Error> {
    let mut lines = vec![None; accounts];
    for mut row in rows.iter() {
        let index = posting::index(&mut row, accounts)?;
        let (line_no, balance) = (row.next()?, row.next()?);
        lines[index] = Some(OwnLine { line_no, balance, grant_id: row.next()?, posted_at: row.next()? });
    }
    Ok(lines)
}

/// What the account's row says.
struct Standing {
    written: RowVersion,
    available: Decimal,
    restricted: Decimal,
    defers: bool,
}

static STANDING: Statement = Statement::new(
    c"SELECT a.xmin, a.cmin, a.available, a.restricted, a.defers
      FROM credits_internal.accounts a WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID],
);

fn standing(session: &Session, (customer_id, currency): (&str, &str)) -> Result<Option<Standing>, Error> {
    let rows = STANDING.run(session, &[customer_id.cell(), currency.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    Ok(Some(Standing {
        written: RowVersion::read(&mut row)?,
        available: row.next()?,
        restricted: row.next()?,
        defers: row.next()?,
    }))
}

// The account was last posted to with the line before this one: otherwise charge_above would not have allowed the
// charge.
static UNDO: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET available = trim_scale(a.available + $3), last_line = a.last_line - 1, posted_at = l.created_at
      FROM credits_internal.lines l
      WHERE a.customer_id = $1 AND a.currency = $2
        AND l.customer_id = $1 AND l.currency = $2 AND l.line_no = a.last_line - 1",
    &[TEXTOID, TEXTOID, NUMERICOID],
);

/// Returns what this same call took, whose line is not written.
fn undo(session: &Session, charge: &Charge<'_>) -> Result<(), Error> {
    let (customer_id, currency) = charge.account;
    match UNDO.run(session, &[customer_id.cell(), currency.cell(), charge.amount.cell()])?.written() {
        1 => Ok(()),
        _ => Err(Error::internal("a charge could not be taken back: the line before it is missing")),
    }
}
