//! The credits that an item grants, and the instalments that are kept of them: ended before they begin where the
//! subscription ends or pauses, and granted again where it goes on.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::currency;
use crate::pg::statement::Session;
use crate::subscriptions::item::Item;
use crate::subscriptions::schedule::cycle::Cycle;
use crate::subscriptions::schedule::instalment::{Fault, MOST, Plan};

/// What an item's price grants by its quantity; `None` for nothing. Raises PC007.
pub fn of(session: &Session, item: &Item) -> Result<Option<Plan>, Error> {
    let Some(config) = item.offer.config.as_ref().filter(|_| !item.is_metered()) else { return Ok(None) };
    let decimals = currency::decimals(session, &config.currency)?;
    let plan = Plan::of(config, item.quantity, decimals);
    plan.map(Some).map_err(|reason| Error::amount("quantity", item.quantity, reason))
}

/// Checks that no period of an item's price will have more instalments than there may be. Raises PC007, PC013.
pub fn check(session: &Session, item: &Item, cycle: Cycle) -> Result<(), Error> {
    match of(session, item)? {
        Some(plan) => plan.whole(cycle.longest()).map(drop).map_err(refused),
        None => Ok(()),
    }
}

/// The error of a plan that cannot be kept.
pub fn refused(fault: Fault) -> Error {
    match fault {
        Fault::Amount(reason) => Error::amount("quantity", Decimal::ONE, reason),
        Fault::TooMany => {
            let reason = format!("must have a price whose credits come in at most {MOST} instalments a period");
            Error::argument("items", reason)
        }
    }
}
