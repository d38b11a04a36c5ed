//! Promotion codes that a customer enters while a session is open.

use crate::catalog::redemption::Verification;
use crate::checkout::cart;
use crate::checkout::checkout_session::{self, LockedSession, SessionRow, change};
use crate::checkout::discount::Asked;
use crate::error::Error;
use crate::input;
use crate::invoicing::customer;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// `credits.checkout_session_apply_promotion_code`. Raises PC003, PC013, PC016, PC019, PC020.
#[pg_extern(sql = false)]
fn checkout_session_apply_promotion_code(
    customer_id: Option<&str>,
    checkout_session_id: Option<Id>,
    promotion_code: Option<&str>,
    verification_method: Option<&str>,
    verification_data: Option<Json>,
) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("checkout_session_id", checkout_session_id)?.0;
        let code = input::key("promotion_code", promotion_code)?;
        let asked = Asked::by_code(code, Verification::read(verification_method, verification_data)?);
        writing(|session| choose(session, customer_id, id, Some(asked))).map(One)
    })())
}

/// `credits.checkout_session_remove_promotion_code`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn checkout_session_remove_promotion_code(
    customer_id: Option<&str>,
    checkout_session_id: Option<Id>,
) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("checkout_session_id", checkout_session_id)?.0;
        writing(|session| choose(session, customer_id, id, None)).map(One)
    })())
}

static TOUCH: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s SET updated_at = $3
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Changes the discount of an open session, whose cart is worked out anew.
fn choose(session: &Session, customer_id: &str, id: Uuid, asked: Option<Asked>) -> Result<SessionRow, Error> {
    let now = settings::now()?;
    customer::lock(session, customer_id)?;
    let there = checkout_session::lock(session, customer_id, id)?;
    there.must_be_open(now)?;
    if asked.is_some() && !there.allow_promotion_codes {
        let reason = "is not for this session: allow_promotion_codes is off";
        return Err(Error::argument("promotion_code", reason));
    }
    let replayed = asked.is_none() && there.discount.is_none();
    let items = cart::stored(session, &there.line_items)?;
    change::refill(session, &LockedSession { discount: asked, ..there }, &items, now)?;
    TOUCH.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
    checkout_session::find(session, customer_id, id, replayed)
}
