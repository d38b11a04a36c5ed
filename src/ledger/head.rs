//! The head: the grant that pays next, whose remaining the account's own row carries. A charge that it covers, while nothing is
//! due, is two statements of one row each. [`charge`] takes the credits where the account's row, and nothing else, allows
//! it; whoever calls writes what is charged with the identifier or key that it claims, its own line of the ledger; and where
//! that identifier or key turns out to be taken, [`undo`] gives the credits back, before anybody has seen them gone.

use super::line::OwnLine;
use super::posting;
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

/// Who spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// Anybody: grants for certain meters are passed over.
    Plain,
    /// A meter's event: a grant for certain meters may have to pay first, and then the head does not.
    Usage,
}

// It waits for the account's row at the most, and is judged by that row alone. Without trailing zeros what is undone is what it
// was to the last digit.
static CHARGE: Statement = Statement::new(
    c"UPDATE credits.accounts a
      SET available = trim_scale(a.available - $3), posted_at = greatest(a.posted_at, $4), last_line = a.last_line + 1
      WHERE a.customer_id = $1 AND a.currency = $2
        AND a.available - $3 > a.charge_above AND greatest(a.posted_at, $4) < a.next_change_at
        AND (a.restricted = 0 OR $5) AND (NOT a.defers OR $6)
      RETURNING a.last_line, a.available, a.restricted, a.head_grant_id, a.posted_at",
    &[TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, BOOLOID, BOOLOID],
);

/// Takes credits, more than nothing, from the head: `None`, and nothing changed, where it does not cover them or something is
/// due or told first.
pub fn charge(
    session: &Session,
    (customer_id, currency): (&str, &str),
    amount: Decimal,
    by: Spending,
    now: Time,
) -> Result<Option<OwnLine>, Error> {
    let attempt = |settled: bool| {
        let plain = by == Spending::Plain;
        let cells = [customer_id.cell(), currency.cell(), amount.cell(), now.cell(), plain.cell(), settled.cell()];
        CHARGE.run(session, &cells)?.first().map(line).transpose()
    };
    if let Some(line) = attempt(false)? {
        return Ok(Some(line));
    }
    // Usage that waits to be charged comes first: what was committed by the beginning of the call.
    if !posting::may_be_unsettled(session)? || posting::any_unsettled(session, customer_id, currency)? {
        return Ok(None);
    }
    attempt(true)
}

fn line(mut row: Row<'_>) -> Result<OwnLine, Error> {
    let (line_no, available, restricted) = (row.next()?, row.next()?, row.next::<Decimal>()?);
    Ok(OwnLine { line_no, available, balance: available + restricted, grant_id: row.next()?, posted_at: row.next()? })
}

// The account was last posted to when the line before this one was: else charge_above would not have let the charge through.
static UNDO: Statement = Statement::new(
    c"UPDATE credits.accounts a
      SET available = trim_scale(a.available + $3), last_line = a.last_line - 1, posted_at = l.created_at
      FROM credits.lines l
      WHERE a.customer_id = $1 AND a.currency = $2
        AND l.customer_id = $1 AND l.currency = $2 AND l.line_no = a.last_line - 1",
    &[TEXTOID, TEXTOID, NUMERICOID],
);

/// Gives back what [`charge`] took in this same call, whose line is not written.
pub fn undo(session: &Session, (customer_id, currency): (&str, &str), amount: Decimal) -> Result<(), Error> {
    UNDO.run(session, &[customer_id.cell(), currency.cell(), amount.cell()]).map(drop)
}
