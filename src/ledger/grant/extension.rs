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
    c"UPDATE credits_internal.credit_grants SET expires_at = $3,
          suspended_at = CASE WHEN status = 'suspended' THEN suspended_at END
      WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

fn extend(session: &Session, mut book: Book, grant: &Grant, expires_at: Time) -> Result<(), Error> {
    let now = book.posted_at;
    let lapsed = posting::by_time(session, &book, grant)?;
    check(grant, lapsed.is_none(), expires_at, now)?;
    EXTEND.run(session, &[book.customer_id.cell(), grant.id.cell(), expires_at.cell()])?;
    book.next_change_at = book.next_change_at.min(expires_at);
    // Loaded after the change, so in the order that holds from now on; and the head wherever it is now in line, since its
    // remaining is on the account's row alone.
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    if let Some((head, _)) = book.head {
        posting::take_grants(session, &mut book, &[head])?;
    }
    if grant.status == Status::Expired {
        let back = lapsed.unwrap_or_default();
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
