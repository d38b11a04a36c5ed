//! Tokens of links that customers open: what one says is signed, with a key that the database made and that no dump has.

use crate::error::Error;
use crate::moment::Time;
use crate::outbox::signature;
use crate::pg::backend;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What links are for: each kind has a key of its own, so that no token of one passes for one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A customer's billing page.
    Portal,
    /// A checkout session.
    Checkout,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Portal => "portal",
            Purpose::Checkout => "checkout",
        }
    }
}

static KEY: Statement = Statement::new(c"SELECT key FROM credits_internal.signing_keys WHERE purpose = $1", &[TEXTOID]);

// 244 random bits from PostgreSQL's cryptographic source.
static MAKE_KEY: Statement = Statement::new(
    c"INSERT INTO credits_internal.signing_keys (purpose, key, created_at)
      VALUES ($1, gen_random_uuid()::text || gen_random_uuid()::text, $2) ON CONFLICT DO NOTHING",
    &[TEXTOID, TIMESTAMPTZOID],
);

static ROTATE_KEY: Statement = Statement::new(
    c"INSERT INTO credits_internal.signing_keys AS k (purpose, key, created_at)
      VALUES ($1, gen_random_uuid()::text || gen_random_uuid()::text, $2)
      ON CONFLICT (purpose) DO UPDATE SET key = excluded.key, created_at = excluded.created_at
      RETURNING k.created_at",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// The key that signs links. The database's identity goes into it, so that a copy with the same stored key signs
/// differently.
pub fn key(session: &Session, purpose: Purpose) -> Result<Option<String>, Error> {
    let rows = KEY.run(session, &[purpose.as_str().cell()])?;
    let key: Option<String> = rows.first().map(|mut row| row.next()).transpose()?;
    let (system, database) = backend::database();
    Ok(key.map(|key| format!("{key} {system} {database}")))
}

/// Makes new keys for links of all kinds: those that are out open nothing any more. Returns when.
pub fn rotate(session: &Session, now: Time) -> Result<Time, Error> {
    ROTATE_KEY.run(session, &[Purpose::Checkout.as_str().cell(), now.cell()])?;
    let rows = ROTATE_KEY.run(session, &[Purpose::Portal.as_str().cell(), now.cell()])?;
    rows.first().ok_or_else(|| Error::internal("a key was not written"))?.next()
}

/// A token that says that.
pub fn sign(session: &Session, purpose: Purpose, payload: &impl Serialize, now: Time) -> Result<String, Error> {
    if key(session, purpose)?.is_none() {
        MAKE_KEY.run(session, &[purpose.as_str().cell(), now.cell()])?;
    }
    let key = key(session, purpose)?.ok_or_else(|| Error::internal("a key was made and is not there"))?;
    let body = write(payload)?;
    let signature = URL_SAFE_NO_PAD.encode(signature::sign(key.as_bytes(), &body));
    Ok(format!("{body}.{signature}"))
}

/// The text that is signed.
pub fn write(payload: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_string(payload).map_err(|_| Error::internal("a token's payload was not written"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// Reads a payload whose signature was verified; `None` for a token of another version.
pub fn read<P: DeserializeOwned>(body: &str) -> Option<P> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
}

/// The longest token that can be created, in bytes.
const LONGEST: usize = 1 << 16;

/// What a token says that was signed with this key. Raises PC012.
pub fn open<P: DeserializeOwned>(key: Option<String>, token: &str) -> Result<P, Error> {
    let changed = || invalid("it was changed, or not made in this database with its present key");
    let (body, signature) = token.split_once('.').filter(|_| token.len() <= LONGEST).ok_or_else(changed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| changed())?;
    if !key.is_some_and(|key| signature::is_signed(key.as_bytes(), body, &signature)) {
        return Err(changed());
    }
    read(body).ok_or_else(changed)
}

/// PC012.
pub fn invalid(reason: &'static str) -> Error {
    Error::TokenInvalid { reason }
}
