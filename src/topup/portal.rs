//! Links to a customer's own billing page: signed here, checked here, and good for ten minutes.

use super::checkout;
use super::signature;
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::customer;
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, reading, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pgrx::pg_extern;
use pgrx::pg_sys::TIMESTAMPTZOID;
use serde_json::{Value, json};

/// How long a link is good, in seconds.
const SECONDS: i64 = 10 * 60;

row! {
    /// What `billing_portal_session_create` returns.
    pub struct SessionRow {
        /// What the page's server verifies.
        pub token: String,
        /// The page with the token; NULL where nobody said where it is.
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
        /// Until when the link is good.
        pub expires_at: Time,
    }
}

static KEY: Statement = Statement::new(c"SELECT key FROM credits.signing_keys WHERE purpose = 'portal'", &[]);

// 244 random bits from PostgreSQL's own strong source.
static MAKE_KEY: Statement = Statement::new(
    c"INSERT INTO credits.signing_keys (purpose, key, created_at)
      VALUES ('portal', gen_random_uuid()::text || gen_random_uuid()::text, $1) ON CONFLICT DO NOTHING",
    &[TIMESTAMPTZOID],
);

fn key(session: &Session) -> Result<Option<String>, Error> {
    KEY.run(session, &[])?.first().map(|mut row| row.next()).transpose()
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
        let now = settings::now()?;
        let expires_at = now.plus_seconds(SECONDS);
        writing(|session| {
            customer::must_exist(session, customer_id)?;
            if key(session)?.is_none() {
                MAKE_KEY.run(session, &[now.cell()])?;
            }
            let key = key(session)?.ok_or_else(|| Error::internal("a key was made and is not there"))?;
            let claims = json!({"c": customer_id, "r": return_url, "f": failure_url, "e": expires_at.0});
            let body = URL_SAFE_NO_PAD.encode(claims.to_string());
            let signature = URL_SAFE_NO_PAD.encode(signature::sign(key.as_bytes(), &body));
            let token = format!("{body}.{signature}");
            let url = settings::portal_url().map(|page| {
                let separator = if page.contains('?') { '&' } else { '?' };
                format!("{page}{separator}token={}", checkout::escape(&token))
            });
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
        let key = reading(key)?;
        let invalid = |reason| Error::SignatureInvalid { reason };
        let changed = || invalid("the token was changed, or was never made here");
        let (body, signature) = token.split_once('.').ok_or_else(changed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| changed())?;
        if !key.is_some_and(|key| signature::is_signed(key.as_bytes(), body, &signature)) {
            return Err(changed());
        }
        // Ours, so it is what was put in.
        let claims = URL_SAFE_NO_PAD.decode(body).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let claims = claims.ok_or_else(changed)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(String::from);
        let expires_at = Time(claims.get("e").and_then(Value::as_i64).ok_or_else(changed)?);
        if expires_at <= now {
            return Err(invalid("the token has expired"));
        }
        let customer_id = text("c").ok_or_else(changed)?;
        Ok(One(VerifiedRow { customer_id, return_url: text("r"), failure_url: text("f"), expires_at }))
    })())
}
