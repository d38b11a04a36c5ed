//! A meter's price as it was given, and what it must be.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::metering::meter::DEFERRED;
use crate::metering::pricing::Pricing;
use crate::pg::call::argument::Numeric;
use crate::pg::value::{Cell, Json, ToCell};

/// A price as it was given.
pub enum Given {
    /// So many credits for a unit.
    Unit(Decimal),
    /// More than that.
    Pricing(Json, Pricing),
}

impl Given {
    /// `None` where neither is given. Raises PC007, PC013.
    pub fn read(unit_price: Option<Numeric>, pricing: Option<Json>) -> Result<Option<Self>, Error> {
        let unit_price = input::optional_number("unit_price", unit_price, amount::not_negative)?;
        match (unit_price, pricing) {
            (_, None) => Ok(unit_price.map(Given::Unit)),
            (Some(given), Some(_)) if given != Decimal::ONE => {
                Err(Error::argument("unit_price", "must be left out where pricing is given"))
            }
            (_, Some(pricing)) => {
                let parsed = Pricing::parse(&pricing.text()).map_err(|e| Error::argument("pricing", e.to_string()))?;
                Ok(Some(Given::Pricing(pricing, parsed)))
            }
        }
    }

    fn is_flat(&self) -> bool {
        match self {
            Given::Unit(_) => true,
            Given::Pricing(_, pricing) => pricing.is_flat(),
        }
    }

    /// Whether it may go on from usage under another price: it depends on what was used, and never falls with it.
    pub(super) fn can_continue(&self) -> bool {
        matches!(self, Given::Pricing(_, pricing) if !pricing.is_flat() && pricing.never_falls())
    }

    /// unit_price, pricing.
    pub fn cells(&self) -> [Cell; 2] {
        match self {
            Given::Unit(unit_price) => [unit_price.cell(), Cell::NULL],
            Given::Pricing(pricing, _) => [Cell::NULL, pricing.cell()],
        }
    }
}

/// Checks what a deferred meter must be: its events are charged later, when no caller is there to receive a refusal.
/// Raises PC013.
pub(super) fn check_deferred(
    aggregation: &str,
    overage: Option<&str>,
    price: Option<&Given>,
    settlement: &str,
) -> Result<(), Error> {
    if settlement != DEFERRED {
        return Ok(());
    }
    let wrong = |argument, reason| Err(Error::argument(argument, reason));
    if !["sum", "count"].contains(&aggregation) {
        return wrong("aggregation", "must be sum or count where settlement is deferred");
    }
    if overage == Some("reject") {
        return wrong("overage", "must be pending where settlement is deferred");
    }
    if price.is_some_and(|price| !price.is_flat()) {
        return wrong("pricing", "must have no tiers and no round where settlement is deferred");
    }
    Ok(())
}
