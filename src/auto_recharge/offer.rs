//! What one recharge buys and costs, or why none is possible: the only code that checks an auto-recharge against the
//! catalogue, the currencies and every limit. Pure. It is used when auto-recharge is configured, when a request is
//! made, and right before it is charged.

use crate::amount::{self, AmountError, Decimal};
use crate::auto_recharge::limit::{Counted, Period, Window};
use crate::ledger::currency::PaymentLimits;
use crate::moment::Time;
use crate::payments::money;

/// How credits are bought.
#[derive(Debug, Clone)]
pub enum Goods {
    /// Units of a price.
    Units {
        /// What one unit costs.
        amount: Decimal,
        /// Credits that one unit grants.
        credits: Decimal,
        /// How many units: with a target, at least so many.
        quantity: i32,
    },
    /// By amount: what one credit costs now, if that is known.
    Money(Option<Decimal>),
}

/// What auto-recharge buys, from the tables.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Whether price and product are on sale.
    pub on_sale: bool,
    /// Whether both currencies are active, and the one that is paid is money.
    pub active: bool,
    /// Whether the product's credits pay for anything: otherwise they never raise what is available.
    pub unrestricted: bool,
    /// How credits are bought.
    pub goods: Goods,
    /// How many credits there shall be: as much is bought as that takes. Without it, always the same quantity.
    pub target: Option<Decimal>,
    /// The decimals of the currency that is paid, and of the credits'.
    pub decimals: (u32, u32),
    /// The limits of one payment: those of the currency that is paid, and those of the recharge configuration.
    pub limits: [PaymentLimits; 2],
    /// The limits within a day and a month.
    pub windows: Vec<Window>,
    /// Everything the account was ever granted: with what is bought, it must stay countable.
    pub issued: Decimal,
}

/// What one recharge buys, and costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
    /// Units of the price; 1 where it is bought by amount.
    pub quantity: i32,
    /// Money.
    pub amount: Decimal,
    /// Credits.
    pub credits: Decimal,
}

/// Why auto-recharge cannot buy anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Its price is no longer on sale.
    NotOnSale,
    /// A currency is inactive, or the one that is paid is not money.
    Currency,
    /// It buys by amount, and there is no exchange rate.
    NoRate,
    /// Its credits are for certain meters only.
    Restricted,
    /// What it costs or buys, or that plus everything the account was ever granted, has too many digits.
    TooLarge,
    /// What one recharge costs, which is less or more than one payment may be.
    Limit(Decimal, AmountError),
    /// What one recharge costs, which is more than may be spent within a period, and how much that is.
    PeriodLimit(Period, Decimal, Decimal),
}

impl Offer {
    /// The least that one recharge is, or why there is none.
    pub fn least(&self) -> Result<Pack, Obstacle> {
        if !self.on_sale {
            return Err(Obstacle::NotOnSale);
        }
        if !self.active {
            return Err(Obstacle::Currency);
        }
        if !self.unrestricted {
            return Err(Obstacle::Restricted);
        }
        let pack = self.pack(self.fewest()?)?;
        self.allows(pack.amount)?;
        Ok(pack)
    }

    /// What is bought now, of an account that lacks so many credits to its target: as much as that takes and the limits
    /// allow. `None` if they do not even allow the least.
    pub fn pack_for(&self, missing: Option<Decimal>, freed: Option<&Counted>, at: Time) -> Option<Pack> {
        let fewest = self.fewest().ok()?;
        let rest = self.windows.iter().filter_map(|window| window.without(freed, at).rest()).min();
        let fits = |count| {
            let pack = self.pack(count).ok()?;
            let is_allowed = self.allows(pack.amount).is_ok() && rest.is_none_or(|rest| pack.amount <= rest);
            Some(pack).filter(|_| is_allowed)
        };
        let enough = match missing {
            None => fewest,
            Some(missing) => first(fewest, self.most(), |count| match self.goods(count) {
                Ok(pack) => pack.credits >= missing,
                Err(reason) => reason != AmountError::BuysNothing,
            }),
        };
        match fits(enough) {
            None => fits(first(fewest, enough, |count| fits(count + 1).is_none())),
            pack => pack,
        }
    }

    /// When limits next allow an attempt that costs so much, if the freed request no longer counts.
    pub fn allowed_at(&self, at: Time, freed: Option<&Counted>, amount: Decimal) -> Time {
        let allowed_at = self.windows.iter().map(|window| window.without(freed, at).allows_at(at, amount));
        allowed_at.max().unwrap_or(at)
    }

    /// How many credits an account lacks to the target, with what it owes.
    pub fn missing(&self, available: Decimal, pending: Decimal) -> Option<Decimal> {
        self.target.map(|target| target + pending - available)
    }

    /// Checks the amount of one payment against the limits.
    pub fn allows(&self, amount: Decimal) -> Result<(), Obstacle> {
        let limit = |reason| Obstacle::Limit(amount, reason);
        self.limits.iter().try_for_each(|limits| limits.check(amount)).map_err(limit)?;
        self.windows.iter().try_for_each(|window| match window.most_amount {
            Some(most) if amount > most => Err(Obstacle::PeriodLimit(window.period, amount, most)),
            _ => Ok(()),
        })
    }

    /// How many units, or smallest parts of money, are the least: with a target, more than the quantity where a payment
    /// must be larger.
    fn fewest(&self) -> Result<i128, Obstacle> {
        let fewest = match self.goods {
            Goods::Money(None) => return Err(Obstacle::NoRate),
            Goods::Money(Some(_)) => 1,
            Goods::Units { quantity, .. } => quantity.into(),
        };
        if self.target.is_none() {
            return Ok(fewest);
        }
        Ok(first(fewest, self.most(), |count| match self.goods(count) {
            Ok(pack) => self.limits.iter().all(|limits| limits.least.is_none_or(|least| pack.amount >= least)),
            Err(reason) => reason != AmountError::BuysNothing,
        }))
    }

    fn most(&self) -> i128 {
        match self.goods {
            Goods::Units { .. } => i32::MAX.into(),
            Goods::Money(_) => 10i128.pow(amount::MAX_DIGITS),
        }
    }

    fn pack(&self, count: i128) -> Result<Pack, Obstacle> {
        let pack = self.goods(count).map_err(|_| Obstacle::TooLarge)?;
        amount::fit(self.issued + pack.credits, self.decimals.1).map_err(|_| Obstacle::TooLarge)?;
        Ok(pack)
    }

    /// So many units, or smallest parts of money.
    fn goods(&self, count: i128) -> Result<Pack, AmountError> {
        let (money_decimals, decimals) = self.decimals;
        match self.goods {
            Goods::Units { amount, credits, .. } => {
                let quantity = i32::try_from(count).map_err(|_| AmountError::TooManyDigits)?;
                // A price may be finer than its currency.
                let amount = amount::price(quantity.into(), amount, money_decimals)?;
                let credits = money::times(credits, quantity).and_then(|total| amount::fit(total, decimals))?;
                if amount.is_zero() { Err(AmountError::BuysNothing) } else { Ok(Pack { quantity, amount, credits }) }
            }
            Goods::Money(rate) => {
                let amount = amount::fit(money::from_minor(count, money_decimals)?, money_decimals)?;
                let credits = money::bought(amount, rate.ok_or(AmountError::BuysNothing)?, decimals)?;
                Ok(Pack { quantity: 1, amount, credits })
            }
        }
    }
}

/// The first number for which something holds that holds for all after it as well; the last where it holds for none.
fn first(mut from: i128, mut to: i128, holds: impl Fn(i128) -> bool) -> i128 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    to
}

#[cfg(test)]
mod tests;
