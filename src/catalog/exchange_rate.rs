//! Exchange rates: the price of one credit in money, from a given time on.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::statement::{Session, Statement, reading, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID};

row! {
    /// A rate.
    pub struct RateRow {
        /// The credit currency's code.
        pub currency: String,
        /// The payment currency's code.
        pub fiat_currency: String,
        /// The price of one credit, in major units.
        pub rate: Decimal,
        /// When it takes effect.
        pub effective_at: Time,
    } read
}

// A rate that has taken effect stays as it is: purchases were made at it.
static SET: Statement = Statement::new(
    c"INSERT INTO credits_internal.exchange_rates AS r (currency, fiat_currency, effective_at, rate, created_at)
      VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (currency, fiat_currency, effective_at) DO UPDATE SET rate = excluded.rate
      WHERE r.effective_at > $5 OR r.rate = excluded.rate OR r.created_at = $5
      RETURNING r.currency, r.fiat_currency, r.rate, r.effective_at",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID, NUMERICOID, TIMESTAMPTZOID],
);

/// `credits.exchange_rate_set`. Raises PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn exchange_rate_set(
    currency: Option<&str>,
    fiat_currency: Option<&str>,
    rate: Option<Numeric>,
    effective_at: Option<Timestamptz>,
) -> Reply<One<RateRow>> {
    Reply((|| {
        let code = input::required("currency", currency)?;
        let fiat = input::required("fiat_currency", fiat_currency)?;
        let rate = input::number("rate", rate, amount::over_zero)?;
        let now = settings::now()?;
        let effective_at = effective_at.map(|at| at.0);
        if effective_at.is_some_and(|at| !at.is_finite()) {
            return Err(Error::argument("effective_at", "must be a moment, not infinity"));
        }
        let effective_at = input::effective_at(effective_at, now)?.unwrap_or(now);
        writing(|session| {
            currency::resolve(session, code)?;
            currency::resolve_fiat(session, ("fiat_currency", fiat), ("rate", Decimal::ZERO))?;
            let cells = [code.cell(), fiat.cell(), effective_at.cell(), rate.cell(), now.cell()];
            let rows = SET.run(session, &cells)?;
            let taken = || {
                let reason =
                    format!("{effective_at} has a rate already, which has taken effect: set one for a later moment");
                Error::argument("effective_at", reason)
            };
            RateRow::read(rows.first().ok_or_else(taken)?).map(One)
        })
    })())
}

static AT: Statement = Statement::in_order(
    c"SELECT rate FROM credits_internal.exchange_rates
      WHERE currency = $1 AND fiat_currency = $2 AND effective_at <= $3
      ORDER BY effective_at DESC LIMIT 1",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// The price of one credit at a moment, if there is one. The rate of a currency in itself is 1 unless it was set
/// otherwise.
pub fn at(session: &Session, currency: &str, fiat_currency: &str, at: Time) -> Result<Option<Decimal>, Error> {
    match AT.run(session, &[currency.cell(), fiat_currency.cell(), at.cell()])?.first() {
        Some(mut row) => row.next().map(Some),
        None => Ok((currency == fiat_currency).then_some(Decimal::ONE)),
    }
}

/// `credits.exchange_rate`. Raises PC013.
#[pg_extern(sql = false)]
fn exchange_rate(
    currency: Option<&str>,
    fiat_currency: Option<&str>,
    at: Option<Timestamptz>,
) -> Reply<Value<Option<Decimal>>> {
    Reply((|| {
        let code = input::required("currency", currency)?;
        let fiat = input::required("fiat_currency", fiat_currency)?;
        let moment = at.map_or_else(settings::now, |given| Ok(given.0))?;
        reading(|session| self::at(session, code, fiat, moment)).map(Value)
    })())
}
