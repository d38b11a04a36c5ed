//! Links to a customer's own billing page: created, signed and verified here, and valid for ten minutes.

use crate::error::Error;
use crate::input;
use crate::ledger::customer;
use crate::moment::Time;
use crate::payments::provider::link;
use crate::payments::signature;
use crate::pg::backend;
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::statement::{Session, Statement, reading, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pgrx::pg_extern;
use pgrx::pg_sys::TIMESTAMPTZOID;
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

impl Payload {
    /// The text that is signed.
    fn write(&self) -> Result<String, Error> {
        let json = serde_json::to_string(self).map_err(|_| Error::internal("a token's payload was not written"))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    /// Reads a payload whose signature was verified; `None` for a token of another version.
    fn read(body: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }
}

static KEY: Statement = Statement::new(c"SELECT key FROM credits_internal.signing_keys WHERE purpose = 'portal'", &[]);

// 244 random bits from PostgreSQL's cryptographic source.
static MAKE_KEY: Statement = Statement::new(
    c"INSERT INTO credits_internal.signing_keys (purpose, key, created_at)
      VALUES ('portal', gen_random_uuid()::text || gen_random_uuid()::text, $1) ON CONFLICT DO NOTHING",
    &[TIMESTAMPTZOID],
);

static ROTATE_KEY: Statement = Statement::new(
    c"INSERT INTO credits_internal.signing_keys AS k (purpose, key, created_at)
      VALUES ('portal', gen_random_uuid()::text || gen_random_uuid()::text, $1)
      ON CONFLICT (purpose) DO UPDATE SET key = excluded.key, created_at = excluded.created_at
      RETURNING k.created_at",
    &[TIMESTAMPTZOID],
);

/// The key that signs links. The database's identity goes into it, so that a copy with the same stored key signs
/// differently.
fn key(session: &Session) -> Result<Option<String>, Error> {
    let key: Option<String> = KEY.run(session, &[])?.first().map(|mut row| row.next()).transpose()?;
    let (system, database) = backend::database();
    Ok(key.map(|key| format!("{key} {system} {database}")))
}

/// `credits.billing_portal_key_rotate`.
#[pg_extern(sql = false)]
fn billing_portal_key_rotate() -> Reply<Value<Time>> {
    Reply(writing(|session| {
        let rows = ROTATE_KEY.run(session, &[settings::now()?.cell()])?;
        rows.first().ok_or_else(|| Error::internal("a key was not written"))?.next().map(Value)
    }))
}

/// A page's address with the token, placed before any fragment, which browsers do not send.
fn with_token(page: &str, token: &str) -> String {
    let (page, fragment) = page.split_at(page.find('#').unwrap_or(page.len()));
    let separator = match page.find('?') {
        None => "?",
        Some(_) if page.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    format!("{page}{separator}token={}{fragment}", link::escape(token))
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
            if key(session)?.is_none() {
                MAKE_KEY.run(session, &[now.cell()])?;
            }
            let key = key(session)?.ok_or_else(|| Error::internal("a key was made and is not there"))?;
            let payload = Payload {
                customer_id: customer_id.to_string(),
                return_url: return_url.map(String::from),
                failure_url: failure_url.map(String::from),
                expires_at: expires_at.0,
            };
            let body = payload.write()?;
            let signature = URL_SAFE_NO_PAD.encode(signature::sign(key.as_bytes(), &body));
            let token = format!("{body}.{signature}");
            let url = page.map(|page| with_token(page, &token));
            Ok(One(SessionRow { token, url, expires_at }))
        })
    })())
}

/// The longest token that can be created, in bytes.
const LONGEST: usize = 1 << 16;

/// `credits.billing_portal_session_verify`. Raises PC012, PC013.
#[pg_extern(sql = false)]
fn billing_portal_session_verify(token: Option<&str>) -> Reply<One<VerifiedRow>> {
    Reply((|| {
        let token = input::required("token", token)?;
        let now = settings::now()?;
        let key = reading(key)?;
        let invalid = |reason| Error::TokenInvalid { reason };
        let changed = || invalid("it was changed, or not made in this database with its present key");
        let (body, signature) = token.split_once('.').filter(|_| token.len() <= LONGEST).ok_or_else(changed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| changed())?;
        if !key.is_some_and(|key| signature::is_signed(key.as_bytes(), body, &signature)) {
            return Err(changed());
        }
        let payload = Payload::read(body).ok_or_else(changed)?;
        let expires_at = Time(payload.expires_at);
        if expires_at <= now {
            return Err(invalid("it has expired"));
        }
        let Payload { customer_id, return_url, failure_url, .. } = payload;
        Ok(One(VerifiedRow { customer_id, return_url, failure_url, expires_at }))
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_as_it_was_written() {
        let payload = Payload {
            customer_id: String::from("u\"1\" é"),
            return_url: Some(String::from("https://a.example/?b=c")),
            failure_url: None,
            expires_at: i64::MAX,
        };
        assert_eq!(Payload::read(&payload.write().unwrap()), Some(payload));
        let read = |json: &str| Payload::read(&URL_SAFE_NO_PAD.encode(json));
        assert_eq!(read(r#"{"c": "u1", "e": 5}"#).map(|payload| payload.expires_at), Some(5));
        for other in ["", "null", r#"{"e": 5}"#, r#"{"c": "u1"}"#, r#"{"c": 1, "e": 5}"#, r#"{"c": "u1", "e": 1.5}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn the_token_is_sent_to_the_server() {
        for (page, with) in [
            ("https://a.example", "https://a.example?token=t"),
            ("https://a.example/b?c=d", "https://a.example/b?c=d&token=t"),
            ("https://a.example/?", "https://a.example/?token=t"),
            ("https://a.example/?c&", "https://a.example/?c&token=t"),
            ("https://a.example/#/billing", "https://a.example/?token=t#/billing"),
            ("https://a.example/?c=d#e?f#g", "https://a.example/?c=d&token=t#e?f#g"),
        ] {
            assert_eq!(with_token(page, "t"), with);
        }
    }
}
