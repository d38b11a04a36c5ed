//! What an auto-recharge is configured with, beside what is stored of it: what credits are bought with, when, within which
//! limits, and whether all that fits together.

use crate::amount::{AmountError, Decimal};
use crate::auto_recharge::configuration::AutoRechargeRow;
use crate::auto_recharge::limit::PERIODS;
use crate::auto_recharge::offer::{Goods, Obstacle};
use crate::auto_recharge::schedule::Schedule;
use crate::auto_recharge::state;
use crate::catalog::price::pack;
use crate::catalog::recharge_config;
use crate::error::Error;
use crate::input::Limit;
use crate::ledger::currency;
use crate::ledger::engine::book::Book;
use crate::moment::Time;
use crate::pg::call::argument::{Interval, Timestamptz};
use crate::pg::statement::Session;
use crate::pg::value::span::Span;
use uuid::Uuid;

/// The most attempts; zero, like the largest number, is stored as no limit.
pub fn most_attempts(argument: &'static str, given: Option<i32>) -> Result<Option<i32>, Error> {
    match given {
        Some(0) => Ok(Some(i32::MAX)),
        Some(..0) => Err(Error::argument(argument, "must be at least 1, or 0 for no limit")),
        given => Ok(given),
    }
}

/// What credits are bought with: a price, or money at the exchange rate.
pub struct Money {
    /// The price; `None` where it is money.
    pub price_id: Option<Uuid>,
    /// The currency that is paid.
    pub currency: String,
}

impl Money {
    /// What is given, or else what is stored, or else the recharge configuration's price. Raises PC008, PC011, PC013, PC015.
    pub fn choose(
        session: &Session,
        code: &str,
        price_id: Option<Uuid>,
        price_currency: Option<&str>,
        stored: Option<&AutoRechargeRow>,
    ) -> Result<Self, Error> {
        let price_id = match (price_id, price_currency, stored) {
            (Some(_), Some(_), _) => {
                return Err(Error::argument("price_currency", "or price_id is to be given, not both"));
            }
            (Some(given), None, _) => given,
            (None, Some(money), _) => {
                currency::resolve_fiat(session, ("price_currency", money), ("price_currency", Decimal::ZERO))?;
                return Ok(Money { price_id: None, currency: money.to_string() });
            }
            (None, None, Some(AutoRechargeRow { price_id: Some(stored), .. })) => *stored,
            (None, None, Some(AutoRechargeRow { price_currency: Some(money), .. })) => {
                return Ok(Money { price_id: None, currency: money.clone() });
            }
            (None, None, _) => recharge_config::base_price(session, code)?,
        };
        let (price, _) = pack::for_recharges(session, "price_id", price_id)?;
        if price.credit_currency != code {
            return Err(Error::argument("price_id", format!("must be of a product that grants {code}")));
        }
        Ok(Money { price_id: Some(price_id), currency: price.currency })
    }
}

/// A schedule, as it is given and as it is stored.
pub struct Times {
    /// How often.
    pub every: Option<Span>,
    /// On which day of each month.
    pub day: Option<i32>,
    /// From when on.
    pub start_at: Option<Time>,
    /// Whether anything of it is given.
    pub is_given: bool,
    /// Whether it is given that there shall be none.
    is_removed: bool,
}

impl Times {
    /// Reads what is given. Raises PC013.
    pub fn read(every: Option<Interval>, start_at: Option<Timestamptz>, day: Option<i32>) -> Result<Self, Error> {
        let is_given = every.is_some() || start_at.is_some() || day.is_some();
        let is_removed = every.is_some() || day.is_some();
        let every = every.map(|span| span.step("schedule_every")).transpose()?.flatten();
        let start_at = start_at.map(|at| at.0);
        if start_at.is_some_and(|at| !at.is_finite()) {
            return Err(Error::argument("schedule_start_at", "must be a moment, not infinity"));
        }
        if !day.is_none_or(|day| (0..=31).contains(&day)) {
            return Err(Error::argument("schedule_day", "must be from 1 to 31, or 0 for none"));
        }
        let day = day.filter(|day| *day > 0);
        if every.is_some() && day.is_some() {
            return Err(Error::argument("schedule_day", "or schedule_every is to be given, not both"));
        }
        Ok(Times { every, day, start_at, is_given, is_removed: is_removed && every.is_none() && day.is_none() })
    }

    /// What is given, over what is stored.
    pub fn over(self, stored: Option<&AutoRechargeRow>, now: Time) -> Self {
        let (every, day) = match (self.every, self.day, stored) {
            (None, None, Some(stored)) if !self.is_removed => (stored.schedule_every, stored.schedule_day),
            (every, day, _) => (every, day),
        };
        let start_at =
            self.start_at.or(stored.filter(|_| !self.is_removed).and_then(|stored| stored.schedule_start_at));
        // An interval is counted from somewhere.
        Times { every, day, start_at: start_at.or(every.map(|_| now)), ..self }
    }

    /// The schedule, if there is one.
    pub fn schedule(&self) -> Option<Schedule> {
        state::schedule(self.every, self.day, self.start_at)
    }
}

/// Checks what needs something else to be there, or fit. Raises PC007, PC013.
pub fn check_together(threshold: Decimal, target: Option<Decimal>, money: &Money, times: &Times) -> Result<(), Error> {
    let schedule = times.schedule();
    if let Some(target) = target.filter(|target| *target < threshold) {
        return Err(Error::amount("target", target, AmountError::BelowThreshold(threshold)));
    }
    if target.is_none() && money.price_id.is_none() {
        return Err(Error::argument("target", "is required where credits are bought by amount"));
    }
    if threshold.is_zero() && schedule.is_none() {
        return Err(Error::argument("threshold", "must be greater than zero where there is no schedule"));
    }
    if times.start_at.is_some() && schedule.is_none() {
        return Err(Error::argument("schedule_start_at", "is for schedule_every or schedule_day"));
    }
    Ok(())
}

/// Checks that limits that stay unchanged are in the currency that is paid now, since they were set in the old one.
/// Raises PC013.
pub fn check_limit_currency(
    session: &Session,
    stored: &AutoRechargeRow,
    money: &Money,
    given: &[Option<Limit>; 3],
) -> Result<(), Error> {
    let there = [stored.max_amount_per_day, stored.max_amount_per_calendar_day, stored.max_amount_per_calendar_month];
    let unchanged =
        PERIODS.into_iter().zip(there).zip(given).find(|((_, there), given)| there.is_some() && given.is_none());
    let (Some(((period, _), _)), false) = (unchanged, stored.price_id.is_some() && stored.price_id == money.price_id)
    else {
        return Ok(());
    };
    let before = match (stored.price_id, &stored.price_currency) {
        (Some(price_id), _) => pack::find(session, "price_id", price_id)?.currency,
        (None, before) => before.clone().unwrap_or_default(),
    };
    if before == money.currency {
        return Ok(());
    }
    let reason =
        format!("is required: the limit that is there is in {before}, and what is paid now is {}", money.currency);
    Err(Error::argument(period.amount_argument(), reason))
}

/// Checks that the configuration can buy something, unless it is switched off. Raises PC007, PC008, PC013, PC015.
pub fn check(session: &Session, book: &Book, money: &Money) -> Result<(), Error> {
    let (state, _) = state::read(session, book)?;
    let Some(auto) = state.auto.filter(|auto| auto.enabled) else { return Ok(()) };
    let Err(obstacle) = auto.offer.least() else { return Ok(()) };
    // By amount, what is bought has no number of units.
    let quantity = match auto.offer.goods {
        Goods::Units { quantity, .. } => ("quantity", Decimal::from(quantity)),
        Goods::Money(_) => ("target", auto.offer.target.unwrap_or_default()),
    };
    Err(match obstacle {
        Obstacle::NotOnSale => Error::PriceNotFound { price_id: money.price_id.unwrap_or_default(), archived: true },
        Obstacle::Currency => {
            Error::CurrencyNotFound { currency: money.currency.clone(), inactive: true, nearest: None }
        }
        Obstacle::NoRate => {
            let reason = format!("must be one in which {} has an exchange rate", book.currency);
            Error::argument("price_currency", reason)
        }
        Obstacle::Restricted => {
            Error::argument("price_id", "must be of a product whose credits pay for anything: others lift no balance")
        }
        Obstacle::TooLarge => Error::amount(quantity.0, quantity.1, AmountError::BuysTooMuch),
        Obstacle::Limit(cost, reason) => {
            let reason = match reason {
                AmountError::BelowMinimum(least) => AmountError::CostsTooLittle(cost, least),
                AmountError::AboveMaximum(most) => AmountError::CostsTooMuch(cost, most),
                other => other,
            };
            Error::amount(quantity.0, quantity.1, reason)
        }
        Obstacle::PeriodLimit(period, one, most) => {
            Error::amount(period.amount_argument(), most, AmountError::BelowOneRecharge(one))
        }
    })
}
