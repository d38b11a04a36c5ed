//! The terms of a grant: reading and checking what a caller asks for, and making the grant.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::drawdown::{Category, Grant, Status};
use crate::ledger::grant::rollover::{self, Rollover};
use crate::ledger::{currency, listener};
use crate::moment::Time;
use crate::moment::length::Length;
use crate::pg::call::argument::{ArrayOf, Numeric, Timestamptz};
use crate::pg::statement::Session;
use crate::pg::value::Json;
use crate::pg::value::span::Span;
use crate::rational;
use uuid::Uuid;

/// Neither first nor last.
pub const DEFAULT_PRIORITY: i16 = 50;
/// So many decimals a cost of one credit has.
const BASIS_DECIMALS: u32 = 12;

/// Terms as they were given; NULL is the default.
#[derive(Default)]
pub struct Given<'a> {
    /// 'paid' or 'promotional'.
    pub category: Option<&'a str>,
    /// 0 to 100.
    pub priority: Option<i32>,
    /// NULL for now.
    pub effective_at: Option<Timestamptz>,
    /// NULL for never.
    pub expires_at: Option<Timestamptz>,
    /// Event names; NULL for anything.
    pub applicable_meters: Option<ArrayOf<String>>,
    /// What was paid for one credit.
    pub cost_basis: Option<Numeric>,
    /// What was paid for all of it.
    pub cost_amount: Option<Numeric>,
    /// In which currency.
    pub cost_currency: Option<&'a str>,
    /// What goes on when its time runs out.
    pub rollover: Option<Json>,
}

/// What was paid for a grant, net of tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// In major units.
    pub amount: Decimal,
    /// The currency's code.
    pub currency: String,
}

impl Cost {
    /// Reads it. Raises PC007, PC013.
    fn read(amount: Option<Numeric>, currency: Option<&str>) -> Result<Option<Self>, Error> {
        let amount = input::optional_number("cost_amount", amount, amount::not_negative)?;
        match (amount, input::optional_key("cost_currency", currency)?) {
            (Some(amount), Some(code)) => Ok(Some(Cost { amount, currency: code.to_string() })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::missing("cost_currency")),
            (None, Some(_)) => Err(Error::argument("cost_currency", "is for a cost_amount")),
        }
    }

    /// What was paid for one of so many credits, for reports that multiply.
    pub fn per_credit(&self, credits: Decimal) -> Option<Decimal> {
        let each = rational::of(self.amount) / rational::of(credits);
        rational::rounded(&each, BASIS_DECIMALS).ok().map(|each| each.normalize())
    }
}

/// The terms of the grant that a purchase creates.
#[derive(Debug, Clone)]
pub struct GrantTerms {
    /// 'paid' or 'promotional'.
    pub category: String,
    /// 0 to 100, lower first.
    pub priority: i16,
    /// How long the credits last from the payment on; `None` for ever.
    pub time_to_live: Option<Span>,
    /// Event names; `None` for anything.
    pub applicable_meters: Option<Vec<String>>,
    /// What goes on when their time runs out.
    pub rollover: Option<Rollover>,
}

impl GrantTerms {
    /// Those of credits that are bought by amount.
    pub fn by_amount() -> Self {
        GrantTerms {
            category: String::from("paid"),
            priority: DEFAULT_PRIORITY,
            time_to_live: None,
            applicable_meters: None,
            rollover: None,
        }
    }
}

/// Terms that are valid whatever the account's time is.
pub struct Terms {
    /// Promotional or paid.
    pub category: Category,
    /// What was paid for all of it.
    pub cost: Option<Cost>,
    /// What goes on when its time runs out.
    pub rollover: Option<rollover::Terms>,
    cost_basis: Option<Decimal>,
    priority: i16,
    effective_at: Option<Time>,
    expires_at: Time,
    meters: Option<Vec<String>>,
}

impl Terms {
    /// Reads terms. Raises PC007, PC013.
    pub fn read(given: Given<'_>) -> Result<Self, Error> {
        let category = input::choice("category", given.category, "promotional", &["paid", "promotional"])?;
        let priority = priority(given.priority)?.unwrap_or(DEFAULT_PRIORITY);
        let effective_at = given.effective_at.map(|t| t.0);
        if effective_at.is_some_and(|at| !at.is_finite()) {
            return Err(Error::argument("effective_at", "must be a moment, not infinity"));
        }
        let expires_at = given.expires_at.map_or(Time::NEVER, |t| t.0);
        Ok(Terms {
            category: Category::parse(category).unwrap_or(Category::Promotional),
            cost_basis: input::optional_number("cost_basis", given.cost_basis, amount::not_negative)?,
            cost: Cost::read(given.cost_amount, given.cost_currency)?,
            rollover: given.rollover.map(|rollover| rollover::Terms::given(&rollover, expires_at)).transpose()?,
            priority,
            effective_at,
            expires_at,
            meters: meters(given.applicable_meters)?,
        })
    }

    /// The terms of a purchase's grant, as the purchase fixed them.
    pub fn bought(bought: &GrantTerms, expires_at: Time, cost: Cost) -> Self {
        Terms { cost: Some(cost), ..Terms::given(bought, expires_at) }
    }

    /// The terms of a grant for which nothing was paid.
    pub fn given(given: &GrantTerms, expires_at: Time) -> Self {
        Terms {
            category: Category::parse(&given.category).unwrap_or(Category::Promotional),
            cost_basis: None,
            cost: None,
            rollover: given.rollover.as_ref().and_then(|rollover| rollover.of_grant(given.time_to_live.map(length))),
            priority: given.priority,
            effective_at: None,
            expires_at,
            meters: given.applicable_meters.clone(),
        }
    }

    /// The same from a moment on.
    pub fn starting_at(self, at: Time) -> Self {
        Terms { effective_at: Some(at), ..self }
    }

    /// What was paid for one of so many credits: as it was given, or as the whole cost says.
    pub fn cost_basis(&self, credits: Decimal) -> Option<Decimal> {
        self.cost_basis.or_else(|| self.cost.as_ref()?.per_credit(credits))
    }

    /// What a first call must meet and a replay need not. Raises PC004, PC007, PC008, PC013.
    pub fn check(&self, session: &Session, now: Time, decimals: u32) -> Result<(), Error> {
        self.rollover.as_ref().map_or(Ok(()), |rollover| rollover.check(decimals))?;
        if let Some(cost) = &self.cost {
            currency::resolve_for(session, &cost.currency, "cost_amount", cost.amount)?;
        }
        let effective_at = input::effective_at(self.effective_at, now)?.unwrap_or(now);
        // An imported grant that took effect long ago may have ended by now as well.
        check_expiry(self.expires_at, effective_at, if effective_at < now { Time::BEGINNING } else { now })?;
        check_meters(session, self.meters.as_deref())
    }

    /// Since when the grant has been effective, if it is backdated.
    pub fn backdated(&self, now: Time) -> Result<Option<Time>, Error> {
        Ok(input::effective_at(self.effective_at, now)?.filter(|at| *at < now))
    }

    /// The grant with these terms at the account's time. Raises PC013.
    pub fn grant(&self, id: Uuid, amount: Decimal, at: Time) -> Result<Grant, Error> {
        if self.expires_at <= at {
            let reason = format!("must be later than the account's last posting, {at}: it is {}", self.expires_at);
            return Err(Error::argument("expires_at", reason));
        }
        let effective_at = self.effective_at.map_or(at, |given| given.max(at));
        let status = if effective_at > at { Status::Scheduled } else { Status::Granted };
        Ok(self.make(id, amount, effective_at, status))
    }

    /// The same, scheduled for a moment, even one that has passed.
    pub fn scheduled(&self, id: Uuid, amount: Decimal, effective_at: Time) -> Grant {
        self.make(id, amount, effective_at, Status::Scheduled)
    }

    fn make(&self, id: Uuid, amount: Decimal, effective_at: Time, status: Status) -> Grant {
        Grant {
            id,
            priority: self.priority,
            expires_at: self.expires_at,
            category: self.category,
            effective_at,
            meters: self.meters.clone(),
            amount,
            remaining: amount,
            lapsed: Decimal::ZERO,
            status,
            was: None,
            clawbacks: Vec::new(),
            reclaimed: false,
            changed: false,
        }
    }
}

fn length(span: Span) -> Length {
    let (months, days, microseconds) = span.parts();
    Length { months, days, microseconds }
}

/// A priority, if one is given. Raises PC013.
pub fn priority(given: Option<i32>) -> Result<Option<i16>, Error> {
    let Some(given) = given else { return Ok(None) };
    let priority = i16::try_from(given).ok().filter(|p| (0..=100).contains(p));
    priority.map(Some).ok_or_else(|| Error::argument("priority", "must be from 0 to 100"))
}

/// Checks that a grant ends in the future, and after it takes effect. Raises PC013.
pub fn check_expiry(expires_at: Time, effective_at: Time, now: Time) -> Result<(), Error> {
    let (after, which) = if effective_at > now { (effective_at, "effective_at") } else { (now, "now") };
    if expires_at > after {
        return Ok(());
    }
    Err(Error::argument("expires_at", format!("must be later than {which}, {after}: it is {expires_at}")))
}

/// The meters that a grant may pay for, in order, each once. Raises PC013.
pub fn meters(given: Option<ArrayOf<String>>) -> Result<Option<Vec<String>>, Error> {
    let Some(given) = given else { return Ok(None) };
    let given = given.elements("applicable_meters")?;
    if given.is_empty() {
        return Err(Error::argument("applicable_meters", "must name a meter, or be NULL for anything"));
    }
    let mut meters = given
        .into_iter()
        .map(|name| name.ok_or_else(|| Error::argument("applicable_meters", "must not have NULL among its names")))
        .collect::<Result<Vec<_>, _>>()?;
    meters.sort();
    meters.dedup();
    Ok(Some(meters))
}

/// Names of meters in order, each once, which must exist. Raises PC004.
pub fn distinct_meters(session: &Session, mut meters: Vec<String>) -> Result<Vec<String>, Error> {
    meters.sort();
    meters.dedup();
    check_meters(session, Some(&meters))?;
    Ok(meters)
}

fn check_meters(session: &Session, meters: Option<&[String]>) -> Result<(), Error> {
    meters.unwrap_or_default().iter().try_for_each(|event_name| listener::meter(session, event_name).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_paid_for_one_credit() {
        let cost = |amount: &str| Cost { amount: amount::parse(amount).unwrap(), currency: String::from("USD") };
        assert_eq!(cost("20").per_credit(Decimal::from(1000)), Some(Decimal::new(2, 2)));
        assert_eq!(cost("1").per_credit(Decimal::from(3)), Some(Decimal::new(333_333_333_333, 12)));
        assert_eq!(cost("0").per_credit(Decimal::from(3)), Some(Decimal::ZERO));
    }
}
