//! What one recharge buys and costs, or why none is possible: the only code that checks an auto-recharge against the
//! catalogue, the currencies and every limit. Pure. It is used when auto-recharge is configured, when a request is
//! made, and right before it is charged.

use crate::amount::{self, AmountError, Decimal};
use crate::ledger::currency::PaymentLimits;
use crate::payments::money;

/// What auto-recharge buys, from the tables.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Whether price and product are on sale.
    pub on_sale: bool,
    /// Whether both currencies are active, and the price's is money.
    pub active: bool,
    /// Whether the product's credits pay for anything: otherwise they never raise what is available.
    pub unrestricted: bool,
    /// What one unit costs.
    pub unit_amount: Decimal,
    /// Credits that one unit grants.
    pub unit_credits: Decimal,
    /// How many units.
    pub quantity: i32,
    /// The decimals of the price's currency, and of the credits'.
    pub decimals: (u32, u32),
    /// The limits of one payment: those of the price's currency, and those of the recharge configuration.
    pub limits: [PaymentLimits; 2],
    /// The most that may be spent within a day.
    pub most_a_day: Option<Decimal>,
    /// Everything the account was ever granted: with what is bought, it must stay countable.
    pub issued: Decimal,
}

/// What one recharge buys, and costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
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
    /// A currency is inactive, or the price's is not money.
    Currency,
    /// Its credits are for certain meters only.
    Restricted,
    /// What it costs or buys, or that plus everything the account was ever granted, has too many digits.
    TooLarge,
    /// What one recharge costs, which is less or more than one payment may be.
    Limit(Decimal, AmountError),
    /// What one recharge costs, which is more than may be spent within a day.
    DailyLimit(Decimal),
}

impl Offer {
    /// What one recharge is, or why there is none.
    pub fn pack(&self) -> Result<Pack, Obstacle> {
        if !self.on_sale {
            return Err(Obstacle::NotOnSale);
        }
        if !self.active {
            return Err(Obstacle::Currency);
        }
        if !self.unrestricted {
            return Err(Obstacle::Restricted);
        }
        let total = |unit, decimals| {
            let total = money::times(unit, self.quantity).and_then(|total| amount::fit(total, decimals));
            total.map_err(|_| Obstacle::TooLarge)
        };
        let pack = Pack {
            amount: total(self.unit_amount, self.decimals.0)?,
            credits: total(self.unit_credits, self.decimals.1)?,
        };
        amount::fit(self.issued + pack.credits, self.decimals.1).map_err(|_| Obstacle::TooLarge)?;
        self.allows(pack.amount)?;
        Ok(pack)
    }

    /// Checks the amount of one payment against the limits.
    pub fn allows(&self, amount: Decimal) -> Result<(), Obstacle> {
        let limit = |reason| Obstacle::Limit(amount, reason);
        self.limits.iter().try_for_each(|limits| limits.check(amount)).map_err(limit)?;
        match self.most_a_day {
            Some(most) if amount > most => Err(Obstacle::DailyLimit(amount)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(n: i64) -> Decimal {
        Decimal::from(n)
    }

    fn offer() -> Offer {
        Offer {
            on_sale: true,
            active: true,
            unrestricted: true,
            unit_amount: d(20),
            unit_credits: d(100),
            quantity: 2,
            decimals: (2, 6),
            limits: [PaymentLimits::default(), PaymentLimits::default()],
            most_a_day: None,
            issued: Decimal::ZERO,
        }
    }

    #[test]
    fn what_one_recharge_is() {
        assert_eq!(offer().pack(), Ok(Pack { amount: d(40), credits: d(200) }));
        assert_eq!(Offer { on_sale: false, ..offer() }.pack(), Err(Obstacle::NotOnSale));
        assert_eq!(Offer { active: false, ..offer() }.pack(), Err(Obstacle::Currency));
        assert_eq!(Offer { unrestricted: false, ..offer() }.pack(), Err(Obstacle::Restricted));
    }

    #[test]
    fn limits_bind() {
        let most = |most| PaymentLimits { least: None, most: Some(d(most)) };
        let least = PaymentLimits { least: Some(d(41)), most: None };
        for limits in [[most(39), PaymentLimits::default()], [PaymentLimits::default(), most(39)]] {
            assert_eq!(
                Offer { limits, ..offer() }.pack(),
                Err(Obstacle::Limit(d(40), AmountError::AboveMaximum(d(39))))
            );
        }
        assert_eq!(
            Offer { limits: [least, most(50)], ..offer() }.pack(),
            Err(Obstacle::Limit(d(40), AmountError::BelowMinimum(d(41))))
        );
        assert!(Offer { limits: [most(40), most(40)], most_a_day: Some(d(40)), ..offer() }.pack().is_ok());
        assert_eq!(Offer { most_a_day: Some(d(39)), ..offer() }.pack(), Err(Obstacle::DailyLimit(d(40))));
    }

    #[test]
    fn what_does_not_fit_is_no_pack() {
        let credits: Decimal = "9999999999999999999999.999999".parse().unwrap();
        assert_eq!(Offer { unit_credits: credits, ..offer() }.pack(), Err(Obstacle::TooLarge));
        assert!(Offer { unit_credits: credits, quantity: 1, ..offer() }.pack().is_ok());
        assert_eq!(
            Offer { issued: credits, ..offer() }.pack(),
            Err(Obstacle::TooLarge),
            "no grant would be made of it"
        );
        assert_eq!(
            Offer { unit_amount: credits.trunc(), quantity: i32::MAX, ..offer() }.pack(),
            Err(Obstacle::TooLarge)
        );
    }
}
