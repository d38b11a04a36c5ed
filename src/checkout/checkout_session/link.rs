//! Where a customer finds a session: the checkout page with a signed token, which says which session of whom it is.

use crate::address;
use crate::checkout::checkout_session::{self, SessionRow};
use crate::checkout::token::{self, Purpose};
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, reading};
use crate::settings;
use pgrx::pg_extern;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The payload of a token. Its keys are short to keep links short.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "c")]
    customer_id: String,
    #[serde(rename = "s")]
    checkout_session_id: Uuid,
}

/// A session's address; `None` where no page is configured. Raises PC013 where that is no address.
pub fn url(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<Option<String>, Error> {
    let Some(page) = settings::checkout_url()? else { return Ok(None) };
    let payload = Payload { customer_id: customer_id.to_string(), checkout_session_id: id };
    let token = token::sign(session, Purpose::Checkout, &payload, now)?;
    Ok(Some(address::with_parameter(&page, "token", &token)))
}

/// `credits.checkout_session_verify`. Raises PC012, PC013, PC019.
#[pg_extern(sql = false)]
fn checkout_session_verify(token: Option<&str>) -> Reply<One<SessionRow>> {
    Reply((|| {
        let token = input::required("token", token)?;
        reading(|session| {
            let payload: Payload = token::open(token::key(session, Purpose::Checkout)?, token)?;
            checkout_session::find(session, &payload.customer_id, payload.checkout_session_id, false).map(One)
        })
    })())
}
