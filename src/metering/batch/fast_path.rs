//! The common case: new events, each charged by itself at once, in accounts whose head grants pay all of it
//! (ledger/engine/fast_charge.rs). One event takes one statement. Many take two, in a subtransaction that is undone if
//! any event does not fit; then batch.rs charges the events as if this had never been tried.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::fast_charge::{self, Charge, Need, NeedAsOf, Paid, Spending, charging};
use crate::ledger::engine::line::OwnLine;
use crate::ledger::engine::posting;
use crate::metering::batch::accounts::{Locking, Map, Owned};
use crate::metering::batch::replay;
use crate::metering::batch::rows::{self, Charged, writing_events};
use crate::metering::report::{self, Cost, Outcome, Priced};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::subtransaction;
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, INT4OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};
use std::cell::Cell;

/// The most batches of a session that skip it after a failed try.
const MOST: u32 = 32;

thread_local! {
    /// How many more batches skip it, and how many will after the next failed try: twice as many each time.
    static REST: Cell<(u32, u32)> = const { Cell::new((0, 1)) };
}

/// What an event costs, if it may be charged this way.
pub fn cost(priced: &Priced<'_>) -> Option<Decimal> {
    match priced.cost {
        Cost::Own(cost) if cost > Decimal::ZERO && !priced.meter.deferred && !priced.is_late => Some(cost),
        _ => None,
    }
}

/// The text of the charge, with or without the member, whose parameter is the last.
macro_rules! paying {
    ($column:literal, $value:literal) => {
        charging!(
            writing_events!($column),
            "SELECT $1, $7, $8, $2, $9, $3, $10, c.posted_at, $11, $12, $13, $14, NULL, c.last_line, c.available,
                    c.head_grant_id",
            $value,
            " FROM charge c
             ON CONFLICT (customer_id, identifier) DO NOTHING RETURNING running_balance"
        )
    };
}

static CHARGE: Statement = Statement::new(
    paying!(", member_id", ", $15"),
    &[
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        BOOLOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        INT4OID,
        TEXTOID,
    ],
)
.before(paying!("", ""));

/// Charges one event. Returns its outcome, or `None` if it needs the general way.
pub fn pay_one(
    session: &Session,
    priced: &Priced<'_>,
    cost: Decimal,
    now: Time,
    locking: Locking,
) -> Result<Option<Outcome>, Error> {
    if locking == Locking::Skip && posting::lock_free(session, &[priced.account().owned()])?.is_empty() {
        return Ok(None);
    }
    let event = priced.event;
    let cells = [
        event.identifier.cell(),
        event.event_name.cell(),
        event.value.cell(),
        event.occurred_at.cell(),
        event.extras.subscription_id.cell(),
        event.extras.source_data.cell(),
        event.extras.metadata.cell(),
        priced.meter.price_version.cell(),
        event.extras.member_id.cell(),
    ];
    let charge = Charge { account: priced.account(), amount: cost, by: Spending::Usage, now };
    Ok(match fast_charge::pay(session, &charge, &CHARGE, &cells)? {
        Paid::Line { available } => Some(Ok(report::row(event, cost, Decimal::ZERO, available, false))),
        Paid::Taken => Some(replay::answer(session, event, now, replay::lost())),
        Paid::Otherwise => None,
    })
}

/// Charges these events in order. Returns an outcome per event, or `None` if they need the general way.
pub fn pay(session: &Session, events: &[&Priced<'_>], now: Time, locking: Locking) -> Option<Vec<Outcome>> {
    let (rest, next) = REST.get();
    if rest > 0 {
        REST.set((rest - 1, next));
        return None;
    }
    let paid = subtransaction::attempt(session, locking == Locking::Wait, || charge(session, events, now));
    REST.set(if paid.is_some() { (0, 1) } else { (next, (2 * next).min(MOST)) });
    paid
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
    // Starting from what each account was before, event by event.
    let mut last_lines: Map<(&str, &str), OwnLine> = Map::default();
    for ((account, need), left) in needs.iter().zip(left) {
        let before = OwnLine { line_no: left.line_no - need.lines, balance: left.balance + need.credits, ..left };
        last_lines.insert(*account, before);
    }
    let mut outcomes = Vec::with_capacity(events.len());
    let mut lines = Vec::with_capacity(events.len());
    for p in events {
        let Some(last_line) = last_lines.get_mut(&p.account()) else {
            return Err(Error::internal("an account was charged and is not there"));
        };
        last_line.line_no += 1;
        last_line.balance -= p.own_cost();
        lines.push(last_line.clone());
        outcomes.push(Ok(report::row(p.event, p.own_cost(), Decimal::ZERO, last_line.balance, false)));
    }
    let charged = events.iter().zip(&lines).map(|(p, line)| Charged::new(p, Some(line))).collect();
    rows::write_new(session, charged, now)?;
    Ok(Some(outcomes))
}

/// What to charge to an account, and between which moments.
type Span = (Need, (Time, Time));

/// Charges events of locked accounts, each as of its moment, in the order of the moments. Returns whether each was
/// charged: all of an account's are, or none; none at all if an identifier turns out to be taken.
pub fn pay_as_of(session: &Session, events: &[(&Priced<'_>, Time)]) -> Vec<bool> {
    let charged = subtransaction::attempt(session, false, || charge_as_of(session, events));
    charged.unwrap_or_else(|| vec![false; events.len()])
}

fn charge_as_of(session: &Session, events: &[(&Priced<'_>, Time)]) -> Result<Option<Vec<bool>>, Error> {
    let mut needs: Map<(&str, &str), Span> = Map::default();
    for (p, at) in events {
        let (need, (_, last)) = needs.entry(p.account()).or_insert((Need::default(), (*at, *at)));
        let Some(credits) = need.credits.checked_add(p.own_cost()) else { return Ok(None) };
        (*need, *last) = (Need { credits, lines: need.lines + 1 }, *at);
    }
    let mut needs: Vec<NeedAsOf<'_>> = needs.into_iter().map(|(account, (need, span))| (account, need, span)).collect();
    needs.sort_unstable_by_key(|(account, ..)| *account);
    let mut last_lines: Map<(&str, &str), (OwnLine, Time)> = Map::default();
    for ((account, need, (_, last)), left) in needs.iter().zip(fast_charge::pay_all_as_of(session, &needs)?) {
        if let Some(left) = left {
            let before = OwnLine { line_no: left.line_no - need.lines, balance: left.balance + need.credits, ..left };
            last_lines.insert(*account, (before, *last));
        }
    }
    let mut lines: Vec<Option<OwnLine>> = Vec::with_capacity(events.len());
    for (p, at) in events {
        lines.push(last_lines.get_mut(&p.account()).map(|(line, last)| {
            line.line_no += 1;
            line.balance -= p.own_cost();
            // If something was posted after the last of them, all of them are posted after it.
            let posted_at = if line.posted_at > *last { line.posted_at } else { *at };
            OwnLine { posted_at, ..line.clone() }
        }));
    }
    let charged =
        events.iter().zip(&lines).filter_map(|((p, _), line)| Some(Charged::new(p, Some(line.as_ref()?)))).collect();
    rows::write_new(session, charged, Time::NEVER)?;
    Ok(Some(lines.iter().map(Option::is_some).collect()))
}
