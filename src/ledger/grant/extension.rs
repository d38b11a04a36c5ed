//! Extending grants, also shortly after their time ran out: what lapsed with it comes back.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::ledger::account;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::posting;
use crate::ledger::grant::change::open;
use crate::ledger::grant::{GrantRow, find};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};

/// `credits.credit_grant_extend`. Raises PC009, PC013.
#[pg_extern(sql = false)]
fn credit_grant_extend(
    customer_id: Option<&str>,
    grant_id: Option<Id>,
    expires_at: Option<Timestamptz>,
) -> Reply<One<GrantRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let grant_id = input::required("grant_id", grant_id)?.0;
        let expires_at = input::required("expires_at", expires_at)?.0;
        writing(|session| {
            let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
            let replayed = grant.expires_at == expires_at && !grant.has_ended(book.posted_at);
            if !replayed {
                let book = account::post_due(session, book)?;
                extend(session, book, &grant, expires_at)?;
            }
            find(session, customer_id, grant_id, replayed).map(One)
        })
    })())
}

static EXTEND: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants SET expires_at = $3 WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

fn extend(session: &Session, mut book: Book, grant: &Grant, expires_at: Time) -> Result<(), Error> {
    let now = book.posted_at;
    let past = lapsed_otherwise(session, &book, grant)?;
    check(grant, past.by_hand, expires_at, now)?;
    EXTEND.run(session, &[book.customer_id.cell(), grant.id.cell(), expires_at.cell()])?;
    book.next_change_at = book.next_change_at.min(expires_at);
    // Loaded after the change, so in the order that holds from now on; and the head wherever it is now in line, since its
    // remaining is on the account's row alone.
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    if let Some((head, _)) = book.head {
        posting::take_grants(session, &mut book, &[head])?;
    }
    if grant.status == Status::Expired {
        let back = (grant.lapsed - past.amount).max(Decimal::ZERO);
        let debts = posting::debts_for(session, &book, &Grant { remaining: back, ..grant.clone() })?;
        posting::take_grants(session, &mut book, &[grant.id])?;
        book.extend_grant(grant.id, back, debts);
    }
    posting::post(session, &[book])
}

/// Whether a grant may be given that end. Raises PC013.
fn check(grant: &Grant, ended_by_hand: bool, expires_at: Time, now: Time) -> Result<(), Error> {
    if ended_by_hand {
        return Err(Error::argument("grant_id", "cannot be extended: the grant was ended by hand"));
    }
    let latest = grant.expires_at.plus_seconds(settings::extend_within());
    if grant.expires_at <= now && latest < now {
        let reason = format!(
            "cannot be extended: the grant ended at {}, and credits.extend_within allows it until {latest}",
            grant.expires_at
        );
        return Err(Error::argument("grant_id", reason));
    }
    let after = grant.expires_at.max(now);
    if expires_at > after {
        return Ok(());
    }
    let which = if grant.expires_at > now { "the end that the grant has" } else { "now" };
    Err(Error::argument("expires_at", format!("must be later than {which}, {after}: it is {expires_at}")))
}

/// What of a grant is gone for other reasons than its time.
pub(super) struct Otherwise {
    /// Whether all of it was ended by hand.
    by_hand: bool,
    /// Credits: parts that were ended by hand, and what stands for credits that went back.
    amount: Decimal,
}

static OTHERWISE: Statement = Statement::new(
    c"SELECT g.ended_at IS NOT NULL,
             g.parts_ended + (SELECT coalesce(sum(r.credits - r.consumed - r.pending), 0) FROM credits_internal.reclaims r
                              WHERE r.customer_id = $1 AND r.grant_id = $2 AND r.undone_at IS NULL)
      FROM credits_internal.credit_grants g WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID],
);

fn lapsed_otherwise(session: &Session, book: &Book, grant: &Grant) -> Result<Otherwise, Error> {
    let rows = OTHERWISE.run(session, &[book.customer_id.cell(), grant.id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a grant is not there"))?;
    // What its clawbacks still wait for is not gone.
    let waiting: Decimal = grant.clawbacks.iter().map(|clawback| clawback.amount).sum();
    Ok(Otherwise { by_hand: row.next()?, amount: row.next::<Decimal>()? - waiting })
}
