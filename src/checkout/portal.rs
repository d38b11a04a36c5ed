//! Links to a customer's own billing page: created, signed and verified here, and valid for ten minutes.

use crate::address;
use crate::checkout::token::{self, Purpose};
use crate::input;
use crate::ledger::customer;
use crate::moment::Time;
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::statement::{reading, writing};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use serde::{Deserialize, Serialize};

/// How long a link is valid, in seconds.
const SECONDS: i64 = 10 * 60;

row! {
    /// The row that `billing_portal_session_create` returns.
    pub struct SessionRow {
        /// What the page's server verifies.
        pub token: String,
        /// The page's address with the token; NULL if no address is configured.
        pub url: Option<String>,
        /// Until when.
        pub expires_at: Time,
    }
}

row! {
    /// What `billing_portal_session_verify` returns.
    pub struct VerifiedRow {
        /// Whose page.
        pub customer_id: String,
        /// Where to go afterwards.
        pub return_url: Option<String>,
        /// Where to go when something fails.
        pub failure_url: Option<String>,
        /// When the link expires.
        pub expires_at: Time,
    }
}

/// The payload of a token. Its keys are short to keep links short.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "c")]
    customer_id: String,
    #[serde(rename = "r")]
    return_url: Option<String>,
    #[serde(rename = "f")]
    failure_url: Option<String>,
    /// In microseconds, as PostgreSQL counts them.
    #[serde(rename = "e")]
    expires_at: i64,
}

/// `credits.billing_portal_key_rotate`.
#[pg_extern(sql = false)]
fn billing_portal_key_rotate() -> Reply<Value<Time>> {
    Reply(writing(|session| token::rotate(session, settings::now()?).map(Value)))
}

/// `credits.billing_portal_session_create`. Raises PC003, PC013.
#[pg_extern(sql = false)]
fn billing_portal_session_create(
    customer_id: Option<&str>,
    return_url: Option<&str>,
    failure_url: Option<&str>,
) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let return_url = input::web_address("return_url", return_url)?;
        let failure_url = input::web_address("failure_url", failure_url)?;
        let page = settings::portal_url();
        let page = input::web_address("credits.portal_url", page.as_deref())?;
        let now = settings::now()?;
        let expires_at = now.plus_seconds(SECONDS);
        writing(|session| {
            customer::must_exist(session, customer_id)?;
            let payload = Payload {
                customer_id: customer_id.to_string(),
                return_url: return_url.map(String::from),
                failure_url: failure_url.map(String::from),
                expires_at: expires_at.0,
            };
            let token = token::sign(session, Purpose::Portal, &payload, now)?;
            let url = page.map(|page| address::with_parameter(page, "token", &token));
            Ok(One(SessionRow { token, url, expires_at }))
        })
    })())
}

/// `credits.billing_portal_session_verify`. Raises PC012, PC013.
#[pg_extern(sql = false)]
fn billing_portal_session_verify(token: Option<&str>) -> Reply<One<VerifiedRow>> {
    Reply((|| {
        let token = input::required("token", token)?;
        let now = settings::now()?;
        let key = reading(|session| token::key(session, Purpose::Portal))?;
        let payload: Payload = token::open(key, token)?;
        let expires_at = Time(payload.expires_at);
        if expires_at <= now {
            return Err(token::invalid("it has expired"));
        }
        let Payload { customer_id, return_url, failure_url, .. } = payload;
        Ok(One(VerifiedRow { customer_id, return_url, failure_url, expires_at }))
    })())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn a_payload_is_read_as_it_was_written() {
        let payload = Payload {
            customer_id: String::from("u\"1\" é"),
            return_url: Some(String::from("https://a.example/?b=c")),
            failure_url: None,
            expires_at: i64::MAX,
        };
        assert_eq!(token::read(&token::write(&payload).unwrap()), Some(payload));
        let read = |json: &str| token::read::<Payload>(&URL_SAFE_NO_PAD.encode(json));
        assert_eq!(read(r#"{"c": "u1", "e": 5}"#).map(|payload| payload.expires_at), Some(5));
        for other in ["", "null", r#"{"e": 5}"#, r#"{"c": "u1"}"#, r#"{"c": 1, "e": 5}"#, r#"{"c": "u1", "e": 1.5}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
