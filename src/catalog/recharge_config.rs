//! The recharge configuration of a credit currency: its price, where to pay, and what one top-up may cost.

use crate::address;
use crate::amount::{self, AmountError, Decimal};
use crate::catalog::listener::{self, Changed};
use crate::catalog::price::pack::{self, Pack};
use crate::catalog::stored::offers_before;
use crate::error::Error;
use crate::input::{self, Limit};
use crate::ledger::currency::{self, PaymentLimits};
use crate::outbox::billing_event::AS_JSON;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::planning::with_settings;
use crate::pg::statement::{Session, Statement, reading, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// What `configure_recharge` and `recharge_config` return; all NULL if nothing is configured.
    pub struct RechargeRow {
        /// The credit currency's code.
        pub currency: Option<String>,
        /// Its price.
        pub price_id: Option<Uuid>,
        /// The price's product.
        pub product_id: Option<Uuid>,
        /// Its display name.
        pub product_name: Option<String>,
        /// Credits that one unit grants.
        pub credits: Option<Decimal>,
        /// What one unit costs, in major units.
        pub unit_amount: Option<Decimal>,
        /// The payment currency's code.
        pub price_currency: Option<String>,
        /// Where to pay.
        pub payment_url: Option<String>,
        /// The least that one top-up may cost.
        pub min_amount: Option<Decimal>,
        /// The most.
        pub max_amount: Option<Decimal>,
        /// Its price, as the parameter is called.
        pub base_price_id: Option<Uuid>,
        /// What is configured as the address, with places to be filled in.
        pub checkout_url: Option<String>,
        /// The link that sells it.
        pub payment_link_id: Option<Uuid>,
        /// The price, as its view has it.
        pub price: Option<Json>,
        /// The product, likewise.
        pub product: Option<Json>,
    } read
}

static SAVE: Statement = Statement::new(
    c"INSERT INTO credits_internal.recharge_configs
      AS r (currency, base_price_id, checkout_url, min_amount, max_amount, updated_at)
      VALUES ($1, $2, $3, nullif($4, 'infinity'), nullif($5, 'infinity'), $6)
      ON CONFLICT (currency) DO UPDATE
      SET base_price_id = excluded.base_price_id, checkout_url = coalesce(excluded.checkout_url, r.checkout_url),
          min_amount = nullif(coalesce($4, r.min_amount), 'infinity'),
          max_amount = nullif(coalesce($5, r.max_amount), 'infinity'), updated_at = excluded.updated_at",
    &[TEXTOID, UUIDOID, TEXTOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID],
);

macro_rules! find {
    ($offers:expr, $more:literal, $from:literal) => {
        text!(
            "SELECT r.currency, p.price_id, p.product_id, p.product_name, p.credits, p.unit_amount, p.currency, r.checkout_url,
                    r.min_amount, r.max_amount, r.base_price_id, r.checkout_url, ",
            $more,
            " FROM (SELECT $1 AS currency) c
             LEFT JOIN (credits_internal.recharge_configs r JOIN ",
            $offers,
            " p ON p.price_id = r.base_price_id",
            $from,
            ") ON r.currency = c.currency"
        )
    };
}

// What there is only so much of is not said: it changes with every sale.
static FIND: Statement = Statement::new(
    find!(
        "credits_internal.offers",
        "l.payment_link_id,
         (SELECT to_jsonb(v) - '{quantity_taken, quantity_sold}'::text[] FROM credits.prices v WHERE v.price_id = p.price_id),
         (SELECT to_jsonb(v) FROM credits.products v WHERE v.product_id = p.product_id)",
        " LEFT JOIN credits_internal.payment_links l ON l.recharge_currency = r.currency AND l.archived_at IS NULL"
    ),
    &[TEXTOID],
)
.before(find!(offers_before!(), "NULL::uuid, NULL::jsonb, NULL::jsonb", ""));

fn find(session: &Session, currency: &str) -> Result<RechargeRow, Error> {
    let rows = with_settings(AS_JSON.into_iter(), || FIND.run(session, &[currency.cell()]))?;
    let mut row = RechargeRow::read(rows.first().ok_or_else(|| Error::internal("a question returned no row"))?)?;
    if let (Some(link), Some(page)) = (row.payment_link_id, settings::checkout_url()?) {
        row.payment_url = Some(address::with_parameter(&page, "payment_link", &link.to_string()));
    } else if row.payment_url.as_ref().is_some_and(|url| url.contains('{')) {
        // With places that only a purchase fills in, it opens nothing as it is.
        row.payment_url = None;
    }
    Ok(row)
}

/// `credits.configure_recharge`. Raises PC007, PC008, PC013, PC015.
#[pg_extern(sql = false)]
fn configure_recharge(
    currency: Option<&str>,
    base_price_id: Option<Id>,
    checkout_url: Option<&str>,
    min_amount: Option<Numeric>,
    max_amount: Option<Numeric>,
) -> Reply<One<RechargeRow>> {
    Reply((|| {
        let code = input::required("currency", currency)?;
        let price_id = input::required("base_price_id", base_price_id)?.0;
        let checkout_url = input::web_address("checkout_url", checkout_url)?;
        writing(|session| {
            currency::resolve(session, code)?;
            let (price, unit_amount) = pack::for_recharges(session, "base_price_id", price_id)?;
            if price.archived {
                return Err(Error::PriceNotFound { price_id, archived: true });
            }
            if price.credit_currency != code {
                return Err(Error::argument("base_price_id", format!("must be of a product that grants {code}")));
            }
            let one = price.amount(1);
            let unit_amount = one.map_err(|reason| Error::amount("unit_amount", unit_amount, reason))?;
            let money = ("base_price_id", price.currency.as_str());
            let allowed = currency::resolve_fiat(session, money, ("unit_amount", unit_amount))?;
            // More units cost more: a single unit must not exceed the limit.
            let allowed = PaymentLimits { least: None, ..allowed };
            allowed.check(unit_amount).map_err(|reason| Error::amount("unit_amount", unit_amount, reason))?;
            let decimals = currency::decimals(session, &price.currency)?;
            let least = input::limit("min_amount", min_amount, |n| amount::positive(n, decimals))?;
            let most = input::limit("max_amount", max_amount, |n| amount::positive(n, decimals))?;
            check_limits(session, (&price, unit_amount), least.as_ref(), most.as_ref())?;
            SAVE.run(
                session,
                &[
                    code.cell(),
                    price_id.cell(),
                    checkout_url.cell(),
                    least.cell(),
                    most.cell(),
                    settings::now()?.cell(),
                ],
            )?;
            listener::announce(session, Changed::RechargeConfig(code))?;
            find(session, code).map(One)
        })
    })())
}

static STORED_LIMITS: Statement = Statement::new(
    c"SELECT r.min_amount, r.max_amount, p.currency
      FROM credits_internal.recharge_configs r JOIN credits_internal.prices p ON p.price_id = r.base_price_id
      WHERE r.currency = $1",
    &[TEXTOID],
);

/// Checks the limits of a top-up: the least is at most the greatest, which is at least the price of one unit. A limit
/// that stays unchanged must be in the new price's currency, since it was set in the old one's. Raises PC007, PC013.
fn check_limits(
    session: &Session,
    (price, unit_amount): (&Pack, Decimal),
    least: Option<&Limit>,
    most: Option<&Limit>,
) -> Result<(), Error> {
    let rows = STORED_LIMITS.run(session, &[price.credit_currency.cell()])?;
    let (known_least, known_most, before): (Option<Decimal>, Option<Decimal>, Option<String>) = match rows.first() {
        Some(mut row) => (row.next()?, row.next()?, row.next()?),
        None => (None, None, None),
    };
    let then = |argument, given: Option<&Limit>, stored: Option<Decimal>| match (given, stored, &before) {
        (Some(Limit::At(amount)), _, _) => Ok(Some(*amount)),
        (Some(Limit::Removed), _, _) => Ok(None),
        (None, Some(_), Some(before)) if *before != price.currency => {
            let now = &price.currency;
            let reason = format!("is required: the limit that is there is in {before}, and this price is in {now}");
            Err(Error::argument(argument, reason))
        }
        (None, stored, _) => Ok(stored),
    };
    let (least, most) = (then("min_amount", least, known_least)?, then("max_amount", most, known_most)?);
    match most {
        Some(most) if least.is_some_and(|least| least > most) => {
            let reason = format!("must not be less than min_amount, {}: it is {most}", least.unwrap_or_default());
            Err(Error::argument("max_amount", reason))
        }
        Some(most) if most < unit_amount => {
            Err(Error::amount("max_amount", most, AmountError::BelowOneUnit(unit_amount)))
        }
        _ => Ok(()),
    }
}

/// `credits.recharge_config`. Raises PC008, PC013.
#[pg_extern(sql = false)]
fn recharge_config(currency: Option<&str>) -> Reply<One<RechargeRow>> {
    Reply((|| {
        let code = currency::code_or_default(currency)?;
        reading(|session| {
            currency::check_exists(session, &code)?;
            find(session, &code)
        })
        .map(One)
    })())
}

static BASE_PRICE: Statement = Statement::new(
    c"SELECT r.base_price_id FROM credits_internal.recharge_configs r WHERE r.currency = $1",
    &[TEXTOID],
);

/// The price of a currency's recharge configuration. Raises PC011.
pub fn base_price(session: &Session, currency: &str) -> Result<Uuid, Error> {
    let missing = || Error::RechargeNotConfigured { customer_id: None, currency: currency.to_string() };
    BASE_PRICE.run(session, &[currency.cell()])?.first().ok_or_else(missing)?.next()
}

static LIMITS: Statement = Statement::new(
    c"SELECT r.min_amount, r.max_amount FROM credits_internal.recharge_configs r
      JOIN credits_internal.prices p ON p.price_id = r.base_price_id AND p.currency = $2
      WHERE r.currency = $1",
    &[TEXTOID, TEXTOID],
);

/// What one top-up of a currency may cost, if the limits are in this money.
pub fn limits(session: &Session, currency: &str, fiat_currency: &str) -> Result<Option<PaymentLimits>, Error> {
    let rows = LIMITS.run(session, &[currency.cell(), fiat_currency.cell()])?;
    rows.first().map(|mut row| Ok(PaymentLimits { least: row.next()?, most: row.next()? })).transpose()
}

static CHECKOUT_URL: Statement =
    Statement::new(c"SELECT checkout_url FROM credits_internal.recharge_configs WHERE currency = $1", &[TEXTOID]);

/// Where to pay for a currency's credits.
pub fn checkout_url(session: &Session, currency: &str) -> Result<Option<String>, Error> {
    match CHECKOUT_URL.run(session, &[currency.cell()])?.first() {
        Some(mut row) => row.next(),
        None => Ok(None),
    }
}
