//! Ending a session that nobody paid: by a call, or by maintain() once its time is over, which readers see right then. What
//! was reserved for it goes back: once its time is over, by running out, so that who ends many locks no counter.

use crate::checkout::checkout_session::{self, LockedSession, SessionRow, Status, sale};
use crate::clock;
use crate::error::Error;
use crate::input;
use crate::invoicing::customer;
use crate::moment::Time;
use crate::payments::notification::{Notification, case};
use crate::payments::payment;
use crate::payments::payment_intent as intent;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, TIMESTAMPTZOID};
use uuid::Uuid;

/// `credits.checkout_session_expire`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn checkout_session_expire(customer_id: Option<&str>, checkout_session_id: Option<Id>) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("checkout_session_id", checkout_session_id)?.0;
        writing(|session| {
            customer::lock(session, customer_id)?;
            let there = checkout_session::lock(session, customer_id, id)?;
            let replayed = match there.written {
                Status::Complete => return Err(there.conflict("complete")),
                Status::Expired => true,
                Status::Open => {
                    end(session, &there, settings::now()?)?;
                    false
                }
            };
            checkout_session::find(session, customer_id, id, replayed).map(One)
        })
    })())
}

/// Ends a locked session that is open, with the payment intent that it may have. Raises PC020 while its payment is under way.
fn end(session: &Session, there: &LockedSession, now: Time) -> Result<(), Error> {
    if there.invoice_id.is_none() {
        return sale::expired(session, (&there.customer_id, there.id), now);
    }
    let mut case = case::alone(session, &there.customer_id, there.id, now)?;
    if case.intent.status == intent::Status::Processing {
        return Err(case.intent.conflict());
    }
    // What is canceled ends its session.
    payment::expire(session, &mut case, &Notification::read(None, None)?).map(drop)
}

static DUE: Statement = Statement::in_order(
    c"SELECT s.customer_id, s.checkout_session_id FROM credits_internal.checkout_sessions s
      WHERE s.status = 'open' AND NOT s.under_way AND s.expires_at <= $1 ORDER BY s.expires_at LIMIT $2",
    &[TIMESTAMPTZOID, INT4OID],
)
.before(c"SELECT NULL::text, NULL::uuid WHERE $1 IS NULL AND $2 IS NULL");

/// Ends sessions whose time is over, of customers whom nobody has locked; how many.
pub fn expire_late(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let now = settings::now()?.min(due_by);
    let rows = DUE.run(session, &[now.cell(), most.cell()])?;
    let due: Vec<(String, Uuid)> =
        rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect::<Result<_, Error>>()?;
    if due.is_empty() {
        return Ok(0);
    }
    if !clock::drives_billing(session, "checkout sessions whose time is over")? {
        return Ok(0);
    }
    let free = customer::lock_free(session, due.iter().map(|(customer_id, _)| customer_id).collect())?;
    let mut done = 0;
    for (customer_id, id) in due.iter().filter(|(customer_id, _)| free.contains(customer_id)) {
        let there = checkout_session::lock(session, customer_id, *id)?;
        // It may have been paid, or be under way, since it was looked for.
        if there.written == Status::Open && there.status_at(now) == Status::Expired {
            end(session, &there, now)?;
            done += 1;
        }
    }
    Ok(done)
}
