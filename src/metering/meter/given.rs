//! A meter's price and calendar as they were given, and what they must be.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::metering::meter::{DEFERRED, INVOICE};
use crate::metering::period::place::PeriodFrom;
use crate::metering::pricing::{Aggregation, Pricing};
use crate::pg::call::argument::Numeric;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Cell, Json, ToCell};
use pgrx::pg_sys::JSONBOID;

/// A price as it was given.
pub enum Given {
    /// So many credits for a unit.
    Unit(Decimal),
    /// More than that. Usage without a price is rejected although the JSON does not say so, where the last is true.
    Pricing(Json, Pricing, bool),
}

impl Given {
    /// `None` where neither is given. Raises PC007, PC013.
    pub fn read(
        unit_price: Option<Numeric>,
        pricing: Option<Json>,
        unpriced: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let unit_price = input::optional_number("unit_price", unit_price, amount::not_negative)?;
        let rejects = unpriced.map(|word| input::choice("unpriced", Some(word), word, &["reject"])).transpose()?;
        match (unit_price, pricing) {
            (_, None) if rejects.is_some() => {
                Err(Error::argument("unpriced", "is for prices by metadata: give pricing, with \"by\""))
            }
            (_, None) => Ok(unit_price.map(Given::Unit)),
            (Some(given), Some(_)) if given != Decimal::ONE => {
                Err(Error::argument("unit_price", "must be left out where pricing is given"))
            }
            (_, Some(pricing)) => {
                let text = pricing.text();
                let parsed = match rejects {
                    None => Pricing::parse(&text).map(|parsed| (parsed, true)),
                    Some(_) => Pricing::parse_rejecting(&text),
                };
                let (parsed, says_so) = parsed.map_err(|e| Error::argument("pricing", e.to_string()))?;
                Ok(Some(Given::Pricing(pricing, parsed, !says_so)))
            }
        }
    }

    fn is_flat(&self) -> bool {
        match self {
            Given::Unit(_) => true,
            Given::Pricing(_, pricing, _) => pricing.is_flat(),
        }
    }

    /// Whether it may go on from usage under another price: it depends on what was used, and never falls with it.
    pub(super) fn can_continue(&self) -> bool {
        matches!(self, Given::Pricing(_, pricing, _) if !pricing.is_flat() && pricing.never_falls())
    }

    /// unit_price, pricing.
    pub fn cells(&self, session: &Session) -> Result<[Cell; 2], Error> {
        Ok(match self {
            Given::Unit(unit_price) => [unit_price.cell(), Cell::NULL],
            Given::Pricing(pricing, _, false) => [Cell::NULL, pricing.cell()],
            Given::Pricing(pricing, _, true) => {
                let rejecting = REJECTING.run(session, &[pricing.cell()])?;
                let mut row = rejecting.first().ok_or_else(|| Error::internal("a pricing became none"))?;
                [Cell::NULL, row.next::<Json>()?.cell()]
            }
        })
    }
}

static REJECTING: Statement = Statement::new(c"SELECT $1 || '{\"unpriced\": \"reject\"}'", &[JSONBOID]);

/// The calendar of a meter's periods: its time zone, as it is spelled, and whose it is. Raises PC013.
pub(super) fn calendar<'a>(
    period: Option<&str>,
    time_zone: Option<&str>,
    period_from: Option<&'a str>,
) -> Result<(Option<String>, &'a str), Error> {
    let time_zone = time_zone.map(input::place).transpose()?;
    let period_from = input::choice("period_from", period_from, "meter", &PeriodFrom::NAMES)?;
    let given = [("time_zone", time_zone.is_some()), ("period_from", period_from != "meter")];
    match given.into_iter().find(|(_, given)| *given && period.is_none()) {
        Some((argument, _)) => Err(Error::argument(argument, "says when a period begins: give period as well")),
        None => Ok((time_zone.filter(|name| name != "UTC"), period_from)),
    }
}

/// Checks what a meter must be whose events are not charged as they are reported. Raises PC013.
///
/// Those of a deferred one are charged when no caller is there to receive a refusal. Those of one that is invoiced are added
/// up by the period of a subscription, and an invoice has one price.
pub(super) fn check_later(
    aggregation: &str,
    overage: Option<&str>,
    price: Option<&Given>,
    settlement: &str,
) -> Result<(), Error> {
    if settlement != DEFERRED {
        return if settlement == INVOICE { check_invoiced(overage, price) } else { Ok(()) };
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

fn check_invoiced(overage: Option<&str>, price: Option<&Given>) -> Result<(), Error> {
    if overage == Some("reject") {
        return Err(Error::argument("overage", "must be pending where settlement is invoice: no wallet is charged"));
    }
    match price {
        Some(Given::Pricing(_, pricing, _)) if pricing.has_classes() => {
            Err(Error::argument("pricing", "must have no \"by\" where settlement is invoice: a period has one price"))
        }
        _ => Ok(()),
    }
}

/// Checks that usage that is invoiced is in money, and by the periods of subscriptions. Raises PC013.
pub(super) fn check_money(
    session: &Session,
    (settlement, period): (&str, Option<&str>),
    code: &str,
) -> Result<(), Error> {
    if settlement != INVOICE {
        return Ok(());
    }
    if period.is_some() {
        let reason = "must be left out where settlement is invoice: it is that of the subscription";
        return Err(Error::argument("period", reason));
    }
    if !currency::is_money(session, code)? {
        let reason = "must be of kind fiat where settlement is invoice: usage in credits is charged to the wallet";
        return Err(Error::argument("currency", reason));
    }
    Ok(())
}

/// Checks that a meter that counts different values says of what, and no other does. Raises PC013.
pub(super) fn check_unique(aggregation: &str, unique_by: Option<&str>) -> Result<(), Error> {
    match (aggregation == Aggregation::Unique.name(), unique_by) {
        (true, None) => Err(Error::argument(
            "unique_by",
            "is required with unique: the key of the events' metadata that is counted",
        )),
        (false, Some(_)) => Err(Error::argument("unique_by", "must be left out where aggregation is not unique")),
        _ => Ok(()),
    }
}
