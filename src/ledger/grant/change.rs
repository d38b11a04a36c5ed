//! Changing a grant's terms: name, metadata, priority, expiry.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::account;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::posting;
use crate::ledger::grant::terms;
use crate::ledger::grant::{GrantRow, ending, find, rollover};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT2OID, JSONBOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static CURRENCY: Statement = Statement::new(
    c"SELECT currency FROM credits_internal.credit_grants WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID],
);

/// What a grant counts. Raises PC009.
pub(super) fn currency_of(session: &Session, customer_id: &str, grant_id: Uuid) -> Result<String, Error> {
    let missing = || Error::GrantNotFound { customer_id: customer_id.to_string(), grant_id };
    let find =
        || CURRENCY.run(session, &[customer_id.cell(), grant_id.cell()])?.first().map(|mut row| row.next()).transpose();
    match find()? {
        Some(currency) => Ok(currency),
        // Readers show what a grant rolled over into before it is posted.
        None if rollover::post_due(session, customer_id, settings::now()?)? => find()?.ok_or_else(missing),
        None => Err(missing()),
    }
}

/// The grant's account, locked and up to date, and the grant as it stands. Raises PC009.
pub(super) fn open(session: &Session, customer_id: &str, grant_id: Uuid, now: Time) -> Result<(Book, Grant), Error> {
    let missing = || Error::GrantNotFound { customer_id: customer_id.to_string(), grant_id };
    let currency = currency_of(session, customer_id, grant_id)?;
    let book = account::open_existing(session, customer_id, &currency, now)?;
    // In a copy: the grant's terms decide which others are needed.
    let mut copy = book.clone();
    posting::take_grants(session, &mut copy, &[grant_id])?;
    let grant = copy.grant(grant_id).cloned().ok_or_else(missing)?;
    Ok((book, grant))
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants g
      SET name = coalesce($3, g.name), metadata = coalesce($4, g.metadata), priority = coalesce($5, g.priority),
          expires_at = coalesce($6, g.expires_at)
      WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, JSONBOID, INT2OID, TIMESTAMPTZOID],
);

/// `credits.credit_grant_update`: NULL leaves a value as it is, an infinite `expires_at` removes the expiry, `expired`
/// ends it now. Raises PC009, PC013.
#[pg_extern(sql = false)]
fn credit_grant_update_2(
    customer_id: Option<&str>,
    grant_id: Option<Id>,
    name: Option<&str>,
    metadata: Option<Json>,
    priority: Option<i32>,
    expires_at: Option<Timestamptz>,
    expired: Option<bool>,
) -> Reply<One<GrantRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("name", name)?;
        let grant_id = input::required("grant_id", grant_id)?.0;
        let priority = terms::priority(priority)?;
        let expires_at = expires_at.map(|at| at.0);
        let ends = expired.unwrap_or_default();
        if ends && expires_at.is_some() {
            return Err(Error::argument("expires_at", "cannot be given with expired, which ends the grant now"));
        }
        writing(|session| {
            let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
            // The grant's row is about to change while the book has it loaded.
            let mut book = account::post_due(session, book)?;
            let ended = grant.has_ended(book.posted_at);
            // Of a grant that a call ended, a replay of that call changes nothing more.
            let priority = priority.filter(|_| !(ended && ends));
            if ended && priority.is_some() {
                return Err(Error::argument("priority", "cannot be changed: the grant has ended"));
            }
            if let Some(at) = expires_at {
                check_expiry(&grant, at, book.posted_at)?;
                book.next_change_at = book.next_change_at.min(at);
            }
            UPDATE.run(
                session,
                &[
                    customer_id.cell(),
                    grant_id.cell(),
                    name.cell(),
                    metadata.cell(),
                    priority.cell(),
                    expires_at.cell(),
                ],
            )?;
            // Loaded after the change, so in the order that holds from now on; and the head wherever it is now in line,
            // since its remaining is on the account's row alone.
            posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
            if let Some((head, _)) = book.head {
                posting::take_grants(session, &mut book, &[head])?;
            }
            posting::post(session, &[book])?;
            let replayed = ends && ending::end(session, customer_id, grant_id, Status::Expired, None)?;
            find(session, customer_id, grant_id, replayed).map(One)
        })
    })())
}

fn check_expiry(grant: &Grant, at: Time, now: Time) -> Result<(), Error> {
    if grant.has_ended(now) {
        return Err(Error::argument("expires_at", "cannot be changed: the grant has ended"));
    }
    terms::check_expiry(at, grant.effective_at, now)
}

crate::older!(credit_grant_update_wrapper => credit_grant_update_2_wrapper, 6 of 7);
