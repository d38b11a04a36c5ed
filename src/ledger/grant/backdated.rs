//! Grants that take effect at a moment that has passed: they are scheduled for it and fall due at once, so that their lines,
//! what they pay and what fell due since are in the order of time.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting;
use crate::ledger::grant::terms::Terms;
use crate::ledger::grant::{NewGrant, check_room, insert};
use crate::ledger::{account, history};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID};

static BEGIN_AT: Statement = Statement::new(
    c"UPDATE credits_internal.accounts SET next_change_at = least(next_change_at, $3), issued = issued + $4
      WHERE customer_id = $1 AND currency = $2",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID, NUMERICOID],
);

/// Adds a backdated grant to an account that is locked: as one that was scheduled for that time and is due by now, so
/// that its line, what it pays and what fell due since are in the order of time. Returns what a plain debit may take
/// now. Raises PC007, PC013.
pub(super) fn give(
    session: &Session,
    mut book: Book,
    new: &NewGrant<'_>,
    terms: &Terms,
    at: Time,
    now: Time,
    decimals: u32,
) -> Result<Decimal, Error> {
    if let Some(last) = history::last_line_at(session, &book)?.filter(|last| *last > at) {
        let reason =
            format!("must not be before the account's last line, {last}: it is {at}; import in the order of time");
        return Err(Error::argument("effective_at", reason));
    }
    check_room(&book, new.amount, decimals)?;
    schedule(session, &mut book, new, terms, (at, now))?;
    let book = account::open_existing(session, &book.customer_id, &book.currency, now)?;
    let available = book.available;
    posting::post_due(session, vec![book])?;
    Ok(available)
}

/// Schedules a grant for a moment that has passed, and leaves it to the account's next call to begin it then; where the account
/// has a later line, at the moment of that. The account is there and locked. Returns whether there was any time for it. Raises
/// PC007.
pub fn leave_due(
    session: &Session,
    (customer_id, currency): (&str, &str),
    new: &NewGrant<'_>,
    terms: &Terms,
    (at, now): (Time, Time),
    decimals: u32,
) -> Result<bool, Error> {
    let mut book = account::lock_or_make(session, customer_id, currency)?;
    let at = history::last_line_at(session, &book)?.map_or(at, |last| last.max(at));
    if terms.scheduled(new.id, new.amount, at).expires_at <= at {
        return Ok(false);
    }
    check_room(&book, new.amount, decimals)?;
    schedule(session, &mut book, new, terms, (at, now))?;
    Ok(true)
}

/// Writes the grant as one that was scheduled for that time, and has the account fall due then.
fn schedule(
    session: &Session,
    book: &mut Book,
    new: &NewGrant<'_>,
    terms: &Terms,
    (at, now): (Time, Time),
) -> Result<(), Error> {
    book.posted_at = book.posted_at.max(now);
    insert(session, book, &terms.scheduled(new.id, new.amount, at), terms, new)?;
    BEGIN_AT.run(session, &[book.customer_id.cell(), book.currency.cell(), at.cell(), new.amount.cell()]).map(drop)
}
