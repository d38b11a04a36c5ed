//! The second currency of a meter: setting and removing it. How much it pays is in batch/fallback/cover.rs.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::metering::meter::MeterRow;
use crate::metering::pricing::Pricing;
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID};

/// A second currency as it was given.
pub enum Change<'a> {
    /// It stays as it is.
    Nothing,
    /// None from now on.
    Gone,
    /// This one, at that many units per unit of the meter's own.
    Is(&'a str, Decimal),
}

impl<'a> Change<'a> {
    /// Raises PC007, PC013.
    pub fn read(currency: Option<&'a str>, rate: Option<Numeric>) -> Result<Self, Error> {
        let rate = input::optional_number("fallback_rate", rate, amount::not_negative)?;
        match (currency, rate) {
            (None, None) => Ok(Change::Nothing),
            (None, Some(rate)) if rate.is_zero() => Ok(Change::Gone),
            (Some(_), Some(rate)) if rate.is_zero() => Err(Error::argument(
                "fallback_rate",
                "must be greater than zero; alone, zero removes the second currency",
            )),
            (Some(currency), Some(rate)) => Ok(Change::Is(currency, rate)),
            (Some(_), None) => Err(Error::argument("fallback_rate", "is needed with fallback_currency")),
            (None, Some(_)) => Err(Error::argument("fallback_currency", "is needed with fallback_rate")),
        }
    }
}

static SET: Statement = Statement::new(
    c"UPDATE credits_internal.meters SET fallback_currency = $2, fallback_rate = $3 WHERE event_name = $1",
    &[TEXTOID, TEXTOID, NUMERICOID],
);

/// Sets or removes the second currency of a meter that is locked, and checks that it may have the one that it has then.
/// Raises PC008, PC013.
pub fn change(session: &Session, meter: &MeterRow, change: Change<'_>, now: Time) -> Result<(), Error> {
    let (code, rate) = match change {
        Change::Nothing if meter.fallback_currency.is_none() => return Ok(()),
        Change::Nothing => return check(session, meter, now),
        Change::Gone => (None, None),
        Change::Is(code, _) if code == meter.currency => {
            return Err(Error::argument("fallback_currency", "must be another currency than the meter's own"));
        }
        Change::Is(code, rate) => {
            currency::resolve(session, code)?;
            check(session, meter, now)?;
            (Some(code), Some(rate))
        }
    };
    SET.run(session, &[meter.event_name.cell(), code.cell(), rate.cell()]).map(drop)
}

static LATER: Statement = Statement::new(
    c"SELECT pricing::text FROM credits_internal.price_schedule
      WHERE event_name = $1 AND since > $2 AND pricing IS NOT NULL",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// Checks what a meter with a second currency must be: each of its events costs an amount of its own, under this
/// price and those to come, and is charged when it is reported. An event of an earlier price with tiers has no
/// second currency. Raises PC013.
fn check(session: &Session, meter: &MeterRow, now: Time) -> Result<(), Error> {
    let mut fits = meter.settlement == "immediate" && ["sum", "count"].contains(&meter.aggregation.as_str());
    let mut pricings: Vec<String> = meter.pricing.iter().map(Json::text).collect();
    for mut row in LATER.run(session, &[meter.event_name.cell(), now.cell()])?.iter() {
        pricings.push(row.next()?);
    }
    for pricing in pricings {
        let pricing = Pricing::parse(&pricing);
        fits &= pricing.map_err(|_| Error::internal("a meter has a price that is none"))?.is_flat();
    }
    if fits {
        return Ok(());
    }
    Err(Error::argument(
        "fallback_currency",
        "is for meters that add up or count, without tiers or rounds, and are charged at once",
    ))
}
