//! Currencies: what is counted, and with how many decimals.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::listener::LISTENERS;
use crate::nearest::nearest;
use crate::pg::cache::Cache;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, Oid, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT2OID, JSONBOID, NUMERICOID, TEXTOID};

/// The built-in credit unit, which is created on first use, and its decimals.
const BUILT_IN: (&str, u32) = ("CREDIT", 6);
/// The longest code, in characters.
const CODE_LENGTH: usize = 32;

row! {
    /// A currency as `currency_create` and `currency_update` return it.
    pub struct CurrencyRow {
        /// The code.
        pub currency: String,
        /// Its display name.
        pub name: Option<String>,
        /// 0 to 18.
        pub decimals: i32,
        /// 'credit' or 'fiat'.
        pub kind: String,
        /// For display.
        pub symbol: Option<String>,
        /// Whether it takes new business.
        pub active: bool,
        /// Smallest payment, in the currency.
        pub min_payment: Option<Decimal>,
        /// Largest payment, in the currency.
        pub max_payment: Option<Decimal>,
        /// The application's own.
        pub metadata: Option<Json>,
    } read
}

static CREATE: Statement = Statement::new(
    c"INSERT INTO credits_internal.currencies (currency, name, decimals, kind, symbol, metadata)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (currency) DO NOTHING
      RETURNING currency, name, decimals::int, kind, symbol, active, min_payment, max_payment, metadata",
    &[TEXTOID, TEXTOID, INT2OID, TEXTOID, TEXTOID, JSONBOID],
);

static THERE: Statement = Statement::new(
    c"SELECT currency, name, decimals::int, kind, symbol, active, min_payment, max_payment, metadata
      FROM credits_internal.currencies WHERE currency = $1",
    &[TEXTOID],
);

static DIFFERENCES: Statement = Statement::new(
    c"SELECT d.what, d.there, d.given
      FROM credits_internal.currencies c
      CROSS JOIN LATERAL (VALUES
          (1, 'name', c.name, $2, $2 IS NULL OR c.name = $2),
          (2, 'decimals', c.decimals::text, $3::text, c.decimals = $3),
          (3, 'kind', c.kind, $4, c.kind = $4),
          (4, 'symbol', c.symbol, $5, $5 IS NULL OR c.symbol = $5),
          (5, 'metadata', c.metadata::text, $6::text, $6 IS NULL OR c.metadata = $6))
          AS d (no, what, there, given, same)
      WHERE c.currency = $1 AND d.same IS NOT TRUE ORDER BY d.no",
    &[TEXTOID, TEXTOID, INT2OID, TEXTOID, TEXTOID, JSONBOID],
);

/// `credits.currency_create`: creates a currency, or returns it where it exists and `if_not_exists` is given. Raises
/// PC002, PC013.
#[pg_extern(sql = false)]
fn currency_create_2(
    currency: Option<&str>,
    name: Option<&str>,
    decimals: Option<i32>,
    kind: Option<&str>,
    symbol: Option<&str>,
    metadata: Option<Json>,
    if_not_exists: Option<bool>,
) -> Reply<One<CurrencyRow>> {
    Reply((|| {
        let currency = code(currency)?;
        let decimals = i16::try_from(decimals.unwrap_or(2))
            .ok()
            .filter(|d| (0..=18).contains(d))
            .ok_or_else(|| Error::argument("decimals", "must be from 0 to 18"))?;
        let kind = input::choice("kind", kind, "credit", &["credit", "fiat"])?;
        writing(|session| {
            let terms = [currency.cell(), name.cell(), decimals.cell(), kind.cell(), symbol.cell(), metadata.cell()];
            if let Some(row) = CREATE.run(session, &terms)?.first() {
                return CurrencyRow::read(row).map(One);
            }
            if if_not_exists != Some(true) {
                let reason = format!("\"{currency}\" exists already: credits.currency_update changes it");
                return Err(Error::argument("currency", reason));
            }
            input::same("currency", currency, &DIFFERENCES.run(session, &terms)?)?;
            let there = THERE.run(session, &[currency.cell()])?;
            CurrencyRow::read(there.first().ok_or_else(|| Error::internal("a currency is not there"))?).map(One)
        })
    })())
}

crate::older!(currency_create_wrapper => currency_create_2_wrapper, 6 of 7);

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.currencies c
      SET name = coalesce($2, c.name), kind = coalesce($3, c.kind), symbol = coalesce($4, c.symbol),
          active = coalesce($5, c.active),
          min_payment = nullif(coalesce($6, c.min_payment), 'infinity'),
          max_payment = nullif(coalesce($7, c.max_payment), 'infinity'),
          metadata = coalesce($8, c.metadata)
      WHERE c.currency = $1
        AND (coalesce(nullif(coalesce($6, c.min_payment), 'infinity'), 0)
             <= coalesce($7, c.max_payment, 'infinity')) IS NOT FALSE
      RETURNING c.currency, c.name, c.decimals::int, c.kind, c.symbol, c.active, c.min_payment, c.max_payment, c.metadata",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, NUMERICOID, NUMERICOID, JSONBOID],
);

/// `credits.currency_update`: changes everything except code and decimals. Raises PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn currency_update(
    currency: Option<&str>,
    name: Option<&str>,
    kind: Option<&str>,
    symbol: Option<&str>,
    active: Option<bool>,
    min_payment: Option<Numeric>,
    max_payment: Option<Numeric>,
    metadata: Option<Json>,
) -> Reply<One<CurrencyRow>> {
    Reply((|| {
        let currency = code(currency)?;
        if let Some(kind) = kind {
            input::choice("kind", Some(kind), kind, &["credit", "fiat"])?;
        }
        writing(|session| {
            let Some(stored) = find(session, currency)? else {
                return Err(missing(session, currency));
            };
            let min_payment = input::limit("min_payment", min_payment, |n| amount::positive(n, stored.decimals))?;
            let max_payment = input::limit("max_payment", max_payment, |n| amount::positive(n, stored.decimals))?;
            let updated = UPDATE.run(
                session,
                &[
                    currency.cell(),
                    name.cell(),
                    kind.cell(),
                    symbol.cell(),
                    active.cell(),
                    min_payment.cell(),
                    max_payment.cell(),
                    metadata.cell(),
                ],
            )?;
            let crossed = "must not be less than min_payment: a limit that is left out stays as it was, and 'infinity' removes it";
            let row = updated.first().ok_or_else(|| Error::argument("max_payment", crossed))?;
            let row = CurrencyRow::read(row)?;
            LISTENERS.all().try_for_each(|listener| listener.currency_changed(session, currency))?;
            Ok(One(row))
        })
    })())
}

/// A currency that a call works in.
#[derive(Debug, Clone, Copy)]
pub struct Currency {
    /// How many decimals its amounts have at most.
    pub decimals: u32,
    /// Whether it takes new business.
    pub active: bool,
    /// Whether it is one of payments.
    is_money: bool,
}

static FIND: Statement = Statement::new(
    c"SELECT tableoid, decimals, active, kind = 'fiat' FROM credits_internal.currencies WHERE currency = $1",
    &[TEXTOID],
);

static MAKE_BUILT_IN: Statement = Statement::new(
    c"INSERT INTO credits_internal.currencies (currency, name, decimals) VALUES ($1, 'Credits', $2)
      ON CONFLICT (currency) DO NOTHING",
    &[TEXTOID, INT2OID],
);

fn code(currency: Option<&str>) -> Result<&str, Error> {
    let code = input::required("currency", currency)?;
    if code.is_empty() || code.chars().count() > CODE_LENGTH {
        return Err(Error::argument("currency", "must have 1 to 32 characters"));
    }
    Ok(code)
}

thread_local! {
    static CACHE: Cache<Currency> = Cache::new();
}

fn find(session: &Session, code: &str) -> Result<Option<Currency>, Error> {
    CACHE.with(|cache| {
        cache.get_or_find(code, || Ok(read(session, code)?.map(|(currency, table)| (currency, vec![table]))))
    })
}

fn read(session: &Session, code: &str) -> Result<Option<(Currency, Oid)>, Error> {
    let found = FIND.run(session, &[code.cell()])?;
    let Some(mut row) = found.first() else { return Ok(None) };
    let table = row.next()?;
    let decimals = u32::try_from(row.next::<i16>()?).unwrap_or_default();
    Ok(Some((Currency { decimals, active: row.next()?, is_money: row.next()? }, table)))
}

/// The code of the currency that a call names, or of the default.
pub fn code_or_default(currency: Option<&str>) -> Result<String, Error> {
    match currency {
        Some(given) => Ok(code(Some(given))?.to_string()),
        None => Ok(settings::default_currency()),
    }
}

static CODES: Statement = Statement::scanning(c"SELECT currency FROM credits_internal.currencies LIMIT 1000", &[]);

/// PC008, with the currency that may have been meant.
fn missing(session: &Session, code: &str) -> Error {
    let codes: Result<Vec<String>, Error> =
        CODES.run(session, &[]).and_then(|rows| rows.iter().map(|mut row| row.next()).collect());
    match codes {
        Ok(codes) => {
            Error::CurrencyNotFound { currency: code.to_string(), inactive: false, nearest: nearest(code, codes) }
        }
        Err(error) => error,
    }
}

fn inactive(code: &str) -> Error {
    Error::CurrencyNotFound { currency: code.to_string(), inactive: true, nearest: None }
}

/// A currency for a call that writes: it must be active, and 'CREDIT' is created if it is missing.
pub fn resolve(session: &Session, code: &str) -> Result<Currency, Error> {
    let mut found = find(session, code)?;
    if found.is_none() && code == BUILT_IN.0 {
        MAKE_BUILT_IN.run(session, &[code.cell(), (BUILT_IN.1 as i16).cell()])?;
        found = find(session, code)?;
    }
    match found {
        Some(currency) if currency.active => Ok(currency),
        Some(_) => Err(inactive(code)),
        None => Err(missing(session, code)),
    }
}

/// The same, for an amount that must fit its decimals.
pub fn resolve_for(session: &Session, code: &str, argument: &'static str, amount: Decimal) -> Result<Currency, Error> {
    let currency = resolve(session, code)?;
    match amount::fit(amount, currency.decimals) {
        Ok(_) => Ok(currency),
        Err(reason) => Err(Error::amount(argument, amount, reason)),
    }
}

/// The limits of one payment in a currency.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaymentLimits {
    /// The least.
    pub least: Option<Decimal>,
    /// The most.
    pub most: Option<Decimal>,
}

impl PaymentLimits {
    /// Checks a payment against them.
    pub fn check(&self, amount: Decimal) -> Result<(), AmountError> {
        match (self.least.filter(|least| amount < *least), self.most.filter(|most| amount > *most)) {
            (Some(least), _) => Err(AmountError::BelowMinimum(least)),
            (_, Some(most)) => Err(AmountError::AboveMaximum(most)),
            _ => Ok(()),
        }
    }
}

static FIND_FIAT: Statement = Statement::new(
    c"SELECT kind = 'fiat', min_payment, max_payment FROM credits_internal.currencies WHERE currency = $1",
    &[TEXTOID],
);

/// Whether a currency that is in use already is one of payments.
pub fn is_money(session: &Session, code: &str) -> Result<bool, Error> {
    Ok(find(session, code)?.is_some_and(|currency| currency.is_money))
}

/// A currency of payments, and the limits of one: it must be active and of kind 'fiat', and the amount must fit its
/// decimals. Raises PC007, PC008, PC013.
pub fn resolve_fiat(
    session: &Session,
    (argument, code): (&'static str, &str),
    (amount_argument, amount): (&'static str, Decimal),
) -> Result<PaymentLimits, Error> {
    resolve_for(session, code, amount_argument, amount)?;
    let rows = FIND_FIAT.run(session, &[code.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a currency is not there"))?;
    if !row.next::<bool>()? {
        return Err(Error::argument(argument, "must be a currency of kind fiat: credits are bought with money"));
    }
    Ok(PaymentLimits { least: row.next()?, most: row.next()? })
}

/// The decimals of a currency that is in use already, active or not.
pub fn decimals(session: &Session, code: &str) -> Result<u32, Error> {
    find(session, code)?.map(|c| c.decimals).ok_or_else(|| Error::internal("a currency is not there"))
}

/// Checks whether an amount of a currency can be spent, if it is there. Raises PC007, PC008.
pub fn check_amount(session: &Session, code: &str, amount: Decimal) -> Result<(), Error> {
    let decimals = match read(session, code)? {
        Some((currency, _)) if currency.active => currency.decimals,
        None if code == BUILT_IN.0 => BUILT_IN.1,
        Some(_) => return Err(inactive(code)),
        None => return Err(missing(session, code)),
    };
    amount::fit(amount, decimals).map(drop).map_err(|reason| Error::amount("amount", amount, reason))
}

/// Checks that a currency can be asked for: it exists, or would be created on first use.
pub fn check_exists(session: &Session, code: &str) -> Result<(), Error> {
    // Not cached: a reader's snapshot may be older than the last change.
    if code == BUILT_IN.0 || read(session, code)?.is_some() {
        return Ok(());
    }
    Err(missing(session, code))
}
