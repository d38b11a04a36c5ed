//! Events of a meter with a second currency, which pays what the meter's own does not cover: charging both accounts, and
//! the rows that say what the second one paid. How much that is, is in fallback/cover.rs.

pub mod cover;

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::account;
use crate::ledger::engine::book::{Book, Usage};
use crate::ledger::engine::posting;
use crate::metering::batch::fallback::cover::{Covered, cover};
use crate::metering::report::{self, EventRow, Priced};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use pgrx::pg_sys::{NUMERICARRAYOID, TEXTARRAYOID};

/// The most that an event can take of its meter's second currency. One whose price there cannot be counted takes nothing
/// that could be short.
pub fn most(p: &Priced<'_>) -> Decimal {
    p.meter.fallback.as_ref().map_or(Decimal::ZERO, |fallback| {
        let whole = cover(p.own_cost(), Decimal::MAX, fallback.rate, (p.meter.decimals, fallback.decimals));
        whole.map_or(Decimal::MAX, |covered| covered.amount)
    })
}

/// Charges an event to the account of its meter's own currency, which has too little, and to that of the second one. What
/// neither covers is owed in the meter's own, or the event is refused.
pub fn charge(
    session: &Session,
    [own, second]: [&mut Book; 2],
    p: &Priced<'_>,
    usage: &Usage<'_>,
    cost: Decimal,
) -> Result<(EventRow, Covered), Error> {
    let too_much = |reason| Error::amount("value", p.event.value, reason);
    let Some(fallback) = &p.meter.fallback else {
        return Err(Error::internal("a meter has no second currency"));
    };
    let short = cost - own.payable(usage.event_name);
    let payable = second.payable(usage.event_name);
    let decimals = (p.meter.decimals, fallback.decimals);
    let covered = cover(short, payable, fallback.rate, decimals).map_err(too_much)?;
    let limits = second.limits.clone();
    if let Err(exceeded) = second.admit(usage, covered.amount) {
        return Err(posting::exceeded(session, second, exceeded));
    }
    let charged = own.charge(usage, cost - covered.credits, p.meter.overage, p.meter.decimals);
    if charged.is_err() {
        second.limits = limits;
    }
    match charged {
        Ok(charged) => {
            own.set_consumed(usage, charged.consumed);
            second.pay(usage, covered.amount);
            Ok((report::row(p.event, charged.consumed, charged.pending, own.available, false), covered))
        }
        Err(refusal) => Err(account::refused(session, own, cost, ("value", p.event.value), refusal)),
    }
}

static WRITE: Statement = Statement::new(
    c"INSERT INTO credits_internal.event_fallbacks (customer_id, identifier, currency, rate, covered, amount)
      SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6)",
    &[TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID],
);

/// Writes what second currencies paid for events whose rows are written.
pub fn write(session: &Session, paid: &[(&Priced<'_>, Covered)]) -> Result<(), Error> {
    let paid: Vec<_> = paid
        .iter()
        .filter(|(_, covered)| covered.credits > Decimal::ZERO)
        .filter_map(|(p, covered)| Some((p.event, p.meter.fallback.as_ref()?, covered)))
        .collect();
    if paid.is_empty() {
        return Ok(());
    }
    let cells = [
        array(paid.iter().map(|(event, _, _)| &event.customer_id)),
        array(paid.iter().map(|(event, _, _)| &event.identifier)),
        array(paid.iter().map(|(_, fallback, _)| &fallback.currency)),
        array(paid.iter().map(|(_, fallback, _)| fallback.rate)),
        array(paid.iter().map(|(_, _, covered)| covered.credits)),
        array(paid.iter().map(|(_, _, covered)| covered.amount)),
    ];
    WRITE.run(session, &cells).map(drop)
}
