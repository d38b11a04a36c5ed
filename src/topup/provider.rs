//! Payment providers: how they sign, and where customers pay. Their secrets are read here and in webhook.rs, and nowhere else.

use super::signature::{self, Invalid, Scheme};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID};

row! {
    /// A provider as `payment_provider_set` returns it: without its secrets.
    pub struct ProviderRow {
        /// Its name.
        pub provider: String,
        /// Where customers pay.
        pub checkout_url_template: Option<String>,
        /// Whether an older secret is accepted as well.
        pub has_previous_secret: bool,
        /// How old a signed time may be, in seconds.
        pub tolerance: i32,
    } read
}

static SET: Statement = Statement::new(
    c"INSERT INTO credits.payment_providers AS p (provider, webhook_secret, checkout_url_template, previous_secret, tolerance,
                                                  updated_at)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (provider) DO UPDATE
      SET webhook_secret = excluded.webhook_secret, previous_secret = excluded.previous_secret,
          checkout_url_template = coalesce(excluded.checkout_url_template, p.checkout_url_template),
          tolerance = excluded.tolerance, updated_at = excluded.updated_at
      RETURNING p.provider, p.checkout_url_template, p.previous_secret IS NOT NULL, p.tolerance",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID],
);

/// `credits.payment_provider_set`. Raises PC013.
#[pg_extern(sql = false)]
fn payment_provider_set(
    provider: Option<&str>,
    webhook_secret: Option<&str>,
    checkout_url_template: Option<&str>,
    previous_secret: Option<&str>,
    tolerance: Option<i32>,
) -> Reply<One<ProviderRow>> {
    Reply((|| {
        let provider = input::key("provider", provider)?;
        let secret = input::key("webhook_secret", webhook_secret)?;
        let previous_secret = input::optional_key("previous_secret", previous_secret)?;
        let tolerance = input::at_least_one("tolerance", Some(tolerance.unwrap_or(300)))?;
        writing(|session| {
            let cells = [
                provider.cell(),
                secret.cell(),
                checkout_url_template.cell(),
                previous_secret.cell(),
                tolerance.cell(),
                settings::now()?.cell(),
            ];
            let rows = SET.run(session, &cells)?;
            ProviderRow::read(rows.first().ok_or_else(|| Error::internal("a provider was not written"))?).map(One)
        })
    })())
}

/// A provider as purchases use it.
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Where customers pay.
    pub checkout_url_template: Option<String>,
}

static FIND: Statement = Statement::new(
    c"SELECT provider, checkout_url_template FROM credits.payment_providers WHERE $1 IS NULL OR provider = $1 LIMIT 2",
    &[TEXTOID],
);

/// The provider of that name, or the only one that was set. Raises PC013 for a name that was not.
pub fn or_only(session: &Session, name: Option<&str>) -> Result<Option<Provider>, Error> {
    let rows = FIND.run(session, &[name.cell()])?;
    match (rows.len(), name) {
        (1, _) => rows
            .first()
            .map(|mut row| Ok(Provider { name: row.next()?, checkout_url_template: row.next()? }))
            .transpose(),
        (_, None) => Ok(None),
        (_, Some(name)) => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Error {
    Error::argument("provider", format!("\"{name}\" was never set: credits.payment_provider_set"))
}

static SECRETS: Statement = Statement::new(
    c"SELECT webhook_secret, previous_secret, tolerance FROM credits.payment_providers WHERE provider = $1",
    &[TEXTOID],
);

/// Whether a provider signed that. Raises PC012, PC013.
pub fn check_signature(session: &Session, name: &str, payload: &str, signature: &str, now: Time) -> Result<(), Error> {
    let rows = SECRETS.run(session, &[name.cell()])?;
    let mut row = rows.first().ok_or_else(|| unknown(name))?;
    let (secret, previous): (String, Option<String>) = (row.next()?, row.next()?);
    let tolerance: i32 = row.next()?;
    let secrets: Vec<&str> = std::iter::once(secret.as_str()).chain(previous.as_deref()).collect();
    signature::check(Scheme::of(name), &secrets, payload, signature, now.unix_seconds(), tolerance.into()).map_err(
        |invalid| Error::SignatureInvalid {
            reason: match invalid {
                Invalid::Malformed => "it is no signature of this provider's scheme",
                Invalid::Wrong => "it was made with another secret or of another payload",
                Invalid::TooOld => "it was made too long ago",
            },
        },
    )
}
