//! The common case of a batch: new events, each charged by itself at once, in accounts whose heads pay all of it
//! (ledger/engine/fast_charge.rs). It is two statements, in a subtransaction that is undone where anything turns out to be otherwise; then
//! batch.rs charges the events as if this had never been tried.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::fast_charge::{self, Need};
use crate::ledger::engine::line::OwnLine;
use crate::metering::batch::accounts::{Locking, Map};
use crate::metering::batch::rows;
use crate::metering::report::{self, Outcome, Priced};
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::pg::subtransaction;
use std::cell::Cell;

/// Most batches of a session that go without it after it was tried in vain.
const MOST: u32 = 32;

thread_local! {
    /// How many batches are to go without it, and how many will after the next try in vain: twice as many each time.
    static REST: Cell<(u32, u32)> = const { Cell::new((0, 1)) };
}

/// Whether an event may be charged this way.
pub fn may_pay(priced: &Priced<'_>) -> bool {
    !priced.meter.deferred && priced.own_cost() > Decimal::ZERO
}

/// Charges these events, in their order: an outcome an event, or `None` where that is not what they need.
pub fn pay(
    session: &Session,
    events: &[&Priced<'_>],
    now: Time,
    locking: Locking,
) -> Result<Option<Vec<Outcome>>, Error> {
    let (rest, next) = REST.get();
    if rest > 0 {
        REST.set((rest - 1, next));
        return Ok(None);
    }
    let paid = subtransaction::attempt(session, locking == Locking::Wait, || charge(session, events, now))?;
    REST.set(if paid.is_some() { (0, 1) } else { (next, (2 * next).min(MOST)) });
    Ok(paid)
}

fn charge(session: &Session, events: &[&Priced<'_>], now: Time) -> Result<Option<Vec<Outcome>>, Error> {
    let mut needs: Map<(&str, &str), Need> = Map::default();
    for p in events {
        let need = needs.entry(p.account()).or_default();
        let Some(credits) = need.credits.checked_add(p.own_cost()) else { return Ok(None) };
        *need = Need { credits, lines: need.lines + 1 };
    }
    let mut needs: Vec<((&str, &str), Need)> = needs.into_iter().collect();
    needs.sort_unstable_by_key(|(account, _)| *account);
    let Some(left) = fast_charge::pay_all(session, &needs, now)? else { return Ok(None) };
    // From what each account was before, event by event.
    let mut heads: Map<(&str, &str), OwnLine> = Map::default();
    for ((account, need), left) in needs.iter().zip(left) {
        let before = OwnLine { line_no: left.line_no - need.lines, balance: left.balance + need.credits, ..left };
        heads.insert(*account, before);
    }
    let mut outcomes = Vec::with_capacity(events.len());
    let mut lines = Vec::with_capacity(events.len());
    for p in events {
        let Some(head) = heads.get_mut(&p.account()) else {
            return Err(Error::internal("an account was charged and is not there"));
        };
        head.line_no += 1;
        head.balance -= p.own_cost();
        lines.push(head.clone());
        outcomes.push(Ok(report::row(p.event, p.own_cost(), Decimal::ZERO, head.balance, false)));
    }
    rows::write_new(session, events.iter().copied().zip(lines.iter().map(Some)).collect(), now)?;
    Ok(Some(outcomes))
}
