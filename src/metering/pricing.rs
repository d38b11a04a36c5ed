//! Pricing: what a quantity costs. Pure: no SPI, no pgrx type. The JSON form of a price is in pricing/schema.rs, what
//! several events add up to in aggregate.rs.

mod classes;
pub mod overrides;
pub mod schedule;
mod schema;
pub mod version;

pub use schema::SchemaError;

use crate::amount;
use crate::amount::{AmountError, Decimal};
use crate::metering::pricing::classes::Classes;
use crate::rational;
use crate::rational::Rational;
use num_traits::Zero;
use std::collections::BTreeMap;

/// How a meter makes one quantity of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The values added up.
    Sum,
    /// The number of events, whatever their values.
    Count,
    /// The value that occurred last; of several at one moment, the one reported last.
    Last,
    /// The highest value; of several, the one reported first.
    Max,
    /// The number of different values of a key of the events' metadata, whatever their values.
    Unique,
}

impl Aggregation {
    /// The names in SQL.
    pub const NAMES: [&'static str; 5] = ["sum", "count", "last", "max", "unique"];

    /// The aggregation of that name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sum" => Some(Aggregation::Sum),
            "count" => Some(Aggregation::Count),
            "last" => Some(Aggregation::Last),
            "max" => Some(Aggregation::Max),
            "unique" => Some(Aggregation::Unique),
            _ => None,
        }
    }

    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Aggregation::Sum => "sum",
            Aggregation::Count => "count",
            Aggregation::Last => "last",
            Aggregation::Max => "max",
            Aggregation::Unique => "unique",
        }
    }

    /// Whether one event decides for all of them.
    pub fn is_ranked(self) -> bool {
        matches!(self, Aggregation::Last | Aggregation::Max)
    }

    /// What one event adds to a sum or a count, or a value to those that count once.
    pub fn quantity(self, value: Decimal) -> Decimal {
        if matches!(self, Aggregation::Count | Aggregation::Unique) { Decimal::ONE } else { value }
    }
}

/// A meter's prices: one for all events, or one for each value of keys in the events' metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    by: Option<Classes>,
    prices: BTreeMap<String, Price>,
    /// That of all other events; `None` refuses them.
    other: Option<Price>,
}

impl Pricing {
    /// A flat price: credits per unit.
    pub fn flat(unit_price: Decimal) -> Self {
        let other = Price { rate: Rate::Flat(unit_price), per: Decimal::ONE, blocks: None, discount: None };
        Pricing { by: None, prices: BTreeMap::new(), other: Some(other) }
    }

    /// Whether there are prices for values of keys in events' metadata.
    pub fn has_classes(&self) -> bool {
        self.by.is_some()
    }

    /// The price of an event, by its metadata (JSON), and the name of it: '' for that of all others.
    pub fn find(&self, metadata: impl FnOnce() -> Option<String>) -> Option<(&str, &Price)> {
        let named = self.by.as_ref().and_then(|by| self.prices.get_key_value(by.find(metadata())?));
        named.map(|(name, price)| (name.as_str(), price)).or_else(|| self.other.as_ref().map(|price| ("", price)))
    }

    /// The price of that name, or that of all others.
    pub fn price(&self, name: &str) -> Option<&Price> {
        self.prices.get(name).or(self.other.as_ref())
    }

    /// The same prices, less so many percent.
    pub fn discounted(&self, percent: Decimal) -> Self {
        let less = |price: &Price| Price { discount: Some(percent), ..price.clone() };
        let prices = self.prices.iter().map(|(class, price)| (class.clone(), less(price))).collect();
        Pricing { by: self.by.clone(), prices, other: self.other.as_ref().map(less) }
    }

    /// Whether more of any class never costs less: then a price may go on from what was used under another.
    pub fn never_falls(&self) -> bool {
        self.prices.values().chain(&self.other).all(|price| !matches!(price.rate, Rate::Volume(_)))
    }

    /// Whether every event is priced by itself.
    pub fn is_flat(&self) -> bool {
        self.prices.values().chain(&self.other).all(Price::is_flat)
    }
}

/// A price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    rate: Rate,
    /// The quantity that a unit price is for.
    per: Decimal,
    /// How a part of that quantity is charged; `None` is in proportion.
    blocks: Option<Blocks>,
    /// Percent off.
    discount: Option<Decimal>,
}

/// How a part of a block is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocks {
    /// As a whole one.
    Up,
    /// Not at all.
    Down,
}

/// Credits for a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rate {
    /// The same for every unit.
    Flat(Decimal),
    /// Each part of the quantity, at the price of the tier that it falls into.
    Graduated(Vec<Tier>),
    /// All of the quantity, at the price of the tier that its end falls into.
    Volume(Vec<Tier>),
}

/// One of a price's tiers. It begins where the previous one ends, the first at zero.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tier {
    /// The last quantity in it; `None` for the last tier.
    up_to: Option<Decimal>,
    unit_price: Decimal,
    /// Credits that are due once the quantity goes beyond where the tier begins.
    flat_fee: Decimal,
}

impl Price {
    /// Whether every event is priced by itself, whatever was used before.
    pub fn is_flat(&self) -> bool {
        matches!(self.rate, Rate::Flat(_)) && self.blocks.is_none()
    }

    /// What a quantity costs, in credits: computed exactly, and rounded once, half away from zero.
    pub fn cost(&self, quantity: Decimal, decimals: u32) -> Result<Decimal, AmountError> {
        match self.rate {
            Rate::Flat(unit_price) if self.per == Decimal::ONE && self.blocks.is_none() && self.discount.is_none() => {
                amount::price(quantity, unit_price, decimals)
            }
            _ => amount::fit(rational::rounded(&self.discounted(self.exact(quantity)), decimals)?, decimals),
        }
    }

    fn discounted(&self, credits: Rational) -> Rational {
        let Some(percent) = self.discount else { return credits };
        let hundred = Rational::from_integer(100.into());
        credits * (&hundred - rational::of(percent)) / &hundred
    }

    fn exact(&self, quantity: Decimal) -> Rational {
        let per = rational::of(self.per);
        let blocks = rational::of(quantity) / &per;
        let blocks = match self.blocks {
            None => blocks,
            Some(Blocks::Up) => blocks.ceil(),
            Some(Blocks::Down) => blocks.floor(),
        };
        let quantity = &blocks * &per;
        let part = |amount: &Rational, tier: &Tier| {
            amount / &per * rational::of(tier.unit_price) + rational::of(tier.flat_fee)
        };
        match &self.rate {
            Rate::Flat(unit_price) => blocks * rational::of(*unit_price),
            Rate::Volume(tiers) => {
                let last = tiers.iter().find(|t| t.up_to.is_none_or(|up_to| quantity <= rational::of(up_to)));
                last.filter(|_| !quantity.is_zero()).map_or_else(Rational::zero, |tier| part(&quantity, tier))
            }
            Rate::Graduated(tiers) => {
                let (mut from, mut total) = (Rational::zero(), Rational::zero());
                for tier in tiers {
                    if quantity <= from {
                        break;
                    }
                    let to =
                        tier.up_to.map_or_else(|| quantity.clone(), |up_to| rational::of(up_to).min(quantity.clone()));
                    total += part(&(&to - &from), tier);
                    from = to;
                }
                total
            }
        }
    }
}

#[cfg(test)]
mod tests;
