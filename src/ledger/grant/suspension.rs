//! Suspending grants and resuming them.

use crate::error::Error;
use crate::input;
use crate::ledger::account;
use crate::ledger::engine::drawdown::Status;
use crate::ledger::engine::posting;
use crate::ledger::grant::change::open;
use crate::ledger::grant::{GrantRow, find};
use crate::moment::Time;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};

static RECORD: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants SET suspended_at = $3, suspended_reason = $4
      WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TEXTOID],
);

/// `credits.credit_grant_suspend`. Raises PC009, PC013.
#[pg_extern(sql = false)]
fn credit_grant_suspend(customer_id: Option<&str>, grant_id: Option<Id>, reason: Option<&str>) -> Reply<One<GrantRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("reason", reason)?;
        let grant_id = input::required("grant_id", grant_id)?.0;
        writing(|session| {
            let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
            if grant.has_ended(book.posted_at) {
                return Err(Error::argument("grant_id", "cannot be suspended: the grant has ended"));
            }
            if grant.status == Status::Scheduled {
                let reason = "cannot be suspended: the grant has not begun; void it, or let it begin";
                return Err(Error::argument("grant_id", reason));
            }
            let suspended = grant.status == Status::Suspended;
            if !suspended {
                let mut book = account::post_due_before_taking_back(session, book)?;
                posting::take_windows(session, &mut [(&mut book, grant.remaining)], &[])?;
                posting::take_grants(session, &mut book, &[grant_id])?;
                book.suspend_grant(grant_id);
                let cells = [customer_id.cell(), grant_id.cell(), book.posted_at.cell(), reason.cell()];
                RECORD.run(session, &cells)?;
                posting::post(session, &[book])?;
            }
            find(session, customer_id, grant_id, suspended).map(One)
        })
    })())
}

/// `credits.credit_grant_resume`. Raises PC009, PC013.
#[pg_extern(sql = false)]
fn credit_grant_resume(customer_id: Option<&str>, grant_id: Option<Id>) -> Reply<One<GrantRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let grant_id = input::required("grant_id", grant_id)?.0;
        writing(|session| {
            let (book, grant) = open(session, customer_id, grant_id, settings::now()?)?;
            if grant.has_ended(book.posted_at) {
                return Err(Error::argument("grant_id", "cannot be resumed: the grant has ended"));
            }
            let suspended = grant.status == Status::Suspended;
            if suspended {
                let mut book = account::post_due(session, book)?;
                let debts = posting::debts_for(session, &book, &grant)?;
                posting::take_windows(session, &mut [(&mut book, grant.remaining)], &[])?;
                posting::take_grants(session, &mut book, &[grant_id])?;
                book.resume_grant(grant_id, debts);
                RECORD
                    .run(session, &[customer_id.cell(), grant_id.cell(), None::<Time>.cell(), None::<&str>.cell()])?;
                posting::post(session, &[book])?;
            }
            find(session, customer_id, grant_id, !suspended).map(One)
        })
    })())
}
