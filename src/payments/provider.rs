//! Payment providers as they are set: where customers pay (provider/link.rs), and the secrets that they sign with, which
//! are read nowhere else.

pub mod link;

use crate::error::{self, Error};
use crate::input;
use crate::moment::Time;
use crate::outbox::signature::{Invalid, Signed};
use crate::payments::provider::link::Placeholders;
use crate::payments::{money, providers};
use crate::pg::call::argument::Timestamptz;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT4OID, TEXTOID, TIMESTAMPTZOID};

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
        /// Whether its events are about real money.
        pub livemode: bool,
        /// The connected account whose events count.
        pub account: Option<String>,
        /// Until when the older secret is accepted.
        pub previous_secret_expires_at: Option<Time>,
    } read
}

/// How long an older secret is accepted where nobody says, in seconds.
const OVERLAP: i64 = 7 * 24 * 60 * 60;

static SET: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_providers AS p (provider, webhook_secret, checkout_url_template, previous_secret,
                                                  previous_secret_expires_at, tolerance, livemode, account, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT (provider) DO UPDATE
      SET webhook_secret = excluded.webhook_secret, previous_secret = excluded.previous_secret,
          previous_secret_expires_at = excluded.previous_secret_expires_at,
          checkout_url_template = coalesce(excluded.checkout_url_template, p.checkout_url_template),
          tolerance = excluded.tolerance, livemode = excluded.livemode, account = excluded.account,
          updated_at = excluded.updated_at
      RETURNING p.provider, p.checkout_url_template, p.previous_secret IS NOT NULL, p.tolerance, p.livemode, p.account,
                p.previous_secret_expires_at",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, BOOLOID, TEXTOID, TIMESTAMPTZOID],
);

/// `credits.payment_provider_set`. Raises PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_provider_set(
    provider: Option<&str>,
    webhook_secret: Option<&str>,
    checkout_url_template: Option<&str>,
    previous_secret: Option<&str>,
    tolerance: Option<i32>,
    livemode: Option<bool>,
    account: Option<&str>,
    previous_secret_expires_at: Option<Timestamptz>,
) -> Reply<One<ProviderRow>> {
    Reply((|| {
        let provider = input::key("provider", provider)?;
        let secret = secret("webhook_secret", webhook_secret)?;
        let template = input::web_address("checkout_url_template", checkout_url_template)?;
        let previous_secret =
            previous_secret.map(|previous| self::secret("previous_secret", Some(previous))).transpose()?;
        let tolerance = input::at_least_one("tolerance", Some(tolerance.unwrap_or(300)))?;
        let account = input::optional_key("account", account)?;
        let now = settings::now()?;
        let expires_at = overlap(previous_secret.is_some(), previous_secret_expires_at.map(|at| at.0), now)?;
        writing(|session| {
            let cells = [
                provider.cell(),
                secret.cell(),
                template.cell(),
                previous_secret.cell(),
                expires_at.cell(),
                tolerance.cell(),
                livemode.unwrap_or(true).cell(),
                account.cell(),
                now.cell(),
            ];
            let rows = SET.run(session, &cells)?;
            ProviderRow::read(rows.first().ok_or_else(|| Error::internal("a provider was not written"))?).map(One)
        })
    })())
}

/// A secret that nobody guesses. Raises PC013.
fn secret<'a>(argument: &'static str, value: Option<&'a str>) -> Result<&'a str, Error> {
    let value = input::key(argument, value)?;
    if value.chars().count() < SHORTEST_SECRET {
        return Err(Error::argument(argument, format!("must have at least {SHORTEST_SECRET} characters")));
    }
    Ok(value)
}

/// The fewest characters of a secret: of letters and digits alone that is more than 80 bits.
const SHORTEST_SECRET: usize = 16;

/// Until when an older secret is accepted. Raises PC013.
fn overlap(is_given: bool, expires_at: Option<Time>, now: Time) -> Result<Option<Time>, Error> {
    match expires_at {
        Some(_) if !is_given => Err(Error::argument("previous_secret_expires_at", "is only for a previous_secret")),
        Some(at) if at <= now || !at.is_finite() => {
            Err(Error::argument("previous_secret_expires_at", "must be a moment to come, not infinity"))
        }
        expires_at => Ok(is_given.then(|| expires_at.unwrap_or(now.plus_seconds(OVERLAP)))),
    }
}

/// A provider as purchases use it.
pub struct Configured {
    /// Its name.
    pub name: String,
    /// Where customers pay.
    pub checkout_url_template: Option<String>,
}

static FIND: Statement = Statement::new(
    c"SELECT provider, checkout_url_template FROM credits_internal.payment_providers WHERE $1 IS NULL OR provider = $1 LIMIT 2",
    &[TEXTOID],
);

/// Where a payment intent can be paid, by the template of the provider of that name or of the only one, or else by another
/// template; and who the provider is.
pub fn checkout(
    session: &Session,
    name: Option<&str>,
    values: &mut Placeholders<'_>,
    other: impl FnOnce() -> Result<Option<String>, Error>,
) -> Result<(Option<String>, Option<String>), Error> {
    let provider = or_only(session, name)?;
    let name = provider.as_ref().map(|provider| provider.name.clone());
    let decimals = providers::of(name.as_deref().unwrap_or_default()).minor_decimals(values.currency);
    values.minor_units = money::to_minor(values.amount, decimals);
    let template = match provider.and_then(|provider| provider.checkout_url_template) {
        None => other()?,
        template => template,
    };
    Ok((name, template.map(|template| link::fill(&template, values))))
}

/// The provider of that name, or the only one that was set. Raises PC013 for a name that was not.
pub fn or_only(session: &Session, name: Option<&str>) -> Result<Option<Configured>, Error> {
    let rows = FIND.run(session, &[name.cell()])?;
    match (rows.len(), name) {
        (1, _) => rows
            .first()
            .map(|mut row| Ok(Configured { name: row.next()?, checkout_url_template: row.next()? }))
            .transpose(),
        (_, None) => Ok(None),
        (_, Some(name)) => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Error {
    Error::argument("provider", format!("\"{name}\" does not exist: credits.payment_provider_set makes it"))
}

static SECRETS: Statement = Statement::new(
    c"SELECT p.webhook_secret, CASE WHEN p.previous_secret_expires_at > $2 THEN p.previous_secret END, p.tolerance, p.livemode,
             p.account
      FROM credits_internal.payment_providers p WHERE p.provider = $1",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// What a provider's events are expected to be.
pub struct Expected<'a> {
    /// Whose they are.
    pub provider: &'a str,
    /// Whether they are about real money.
    pub livemode: bool,
    /// The connected account whose events count; `None` for no such account's.
    pub account: Option<String>,
}

/// What a provider is expected to send; `None` for one that nobody set.
pub fn expected<'a>(session: &Session, name: &'a str, now: Time) -> Result<Option<Expected<'a>>, Error> {
    let rows = SECRETS.run(session, &[name.cell(), now.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (_, _, _): (String, Option<String>, i32) = (row.next()?, row.next()?, row.next()?);
    Ok(Some(Expected { provider: name, livemode: row.next()?, account: row.next()? }))
}

/// Whether a provider signed that, and what it is expected to send. Raises PC012, PC013.
pub fn check_signature<'a>(
    session: &Session,
    name: &'a str,
    payload: &str,
    signature: &str,
    now: Time,
) -> Result<Expected<'a>, Error> {
    let rows = SECRETS.run(session, &[name.cell(), now.cell()])?;
    let mut row = rows.first().ok_or_else(|| unknown(name))?;
    let (secret, previous): (String, Option<String>) = (row.next()?, row.next()?);
    let tolerance: i32 = row.next()?;
    let expected = Expected { provider: name, livemode: row.next()?, account: row.next()? };
    let secrets: Vec<&str> = std::iter::once(secret.as_str()).chain(previous.as_deref()).collect();
    let (now, tolerance) = (now.unix_seconds(), tolerance.into());
    let signed = Signed { secrets: &secrets, payload, header: signature, now, tolerance };
    providers::of(name).check(&signed).map(|()| expected).map_err(|invalid| Error::SignatureInvalid {
        reason: match invalid {
            Invalid::Malformed => "it is no signature of this provider's scheme",
            Invalid::Wrong => "it was made with another secret or of another payload",
            Invalid::TooOld => error::TOO_OLD,
        },
    })
}
