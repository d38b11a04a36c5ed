//! A change to another interval: all items move together. A new period begins at that moment, from which periods are counted;
//! what is not used of the old one is given back, and all of the new one is charged at once.

use crate::amount::Decimal;
use crate::catalog::redemption::Quote;
use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::sale::Reason;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::billing::{self, Term};
use crate::subscriptions::change::{Change, Credited, How, Paid, Proration, covering, given_back, write as done};
use crate::subscriptions::instalments;
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::schedule::cycle::{Cycle, Step};
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::{Discounted, Subscription};
use crate::subscriptions::usage_record::summary;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// Periods of another interval.
pub struct Restart {
    /// Its name, and how many of them are a period.
    interval: (&'static str, i32),
    /// Its periods.
    pub cycle: Cycle,
    /// What is pending before, and comes on the invoice of the first one.
    pub taken: Decimal,
    quote: Option<Quote>,
    discount: Option<Discounted>,
}

/// What begins where items have another interval; `None` where they have not. In a trial periods are counted from where they
/// were to be. Raises PC013.
pub fn restart(
    there: &Subscription,
    (interval, step): ((&'static str, i32), Step),
    now: Time,
) -> Result<Option<Restart>, Error> {
    if step == there.cycle.step {
        return Ok(None);
    }
    let cycle = match there.status {
        Status::Trialing => Cycle { step, ..there.cycle },
        _ => there.cycle.restarted(step, now),
    };
    let first = cycle.period_at(if there.status == Status::Trialing { there.period.end } else { now });
    if !first.start.is_finite() || !first.end.is_finite() {
        return Err(Error::argument("items", "must have a period that is within the calendar"));
    }
    Ok(Some(Restart { interval, cycle, taken: Decimal::ZERO, quote: None, discount: there.discount }))
}

/// Works out what it brings, of all items as they will be. Raises PC007, PC013.
pub fn prorate(
    session: &Session,
    there: &Subscription,
    (changes, items): (&[Change], &[Item]),
    (restart, how, is_prorated): (&mut Restart, How, bool),
) -> Result<Proration, Error> {
    let mut proration = match is_prorated {
        true => given_back(session, there, changes, &how)?,
        false => ended(session, there, changes, how.at)?,
    };
    let whole = restart.cycle.period_at(how.at);
    let mut after = Subscription { cycle: restart.cycle, period: whole, ..there.clone() };
    let mut lines = billing::lines(session, &after.currency, items, Term::of(whole))?;
    restart.quote = billing::discounted(session, &mut after, &mut lines, whole.start)?;
    restart.discount = after.discount;
    proration.lines.extend(lines);
    let pending = proration.credited.iter().filter(|credited| credited.line.paid == Paid::Pending);
    let lowered: Decimal = pending.map(|credited| credited.amount - credited.discount).sum();
    restart.taken = billing::taken(session, there)? - lowered;
    Ok(proration)
}

/// Nothing is given back: the old lines pay for nothing any more, and what has not begun of their credits does not.
fn ended(session: &Session, there: &Subscription, changes: &[Change], at: Time) -> Result<Proration, Error> {
    let mut proration = Proration { ends_from: Some((at, false)), ..Proration::default() };
    for change in changes.iter().filter(|change| change.before.is_some()) {
        for mut line in covering::of(session, &there.customer_id, change.item_id, at)? {
            line.paid = Paid::Yes;
            proration.credited.push(Credited { line, amount: Decimal::ZERO, discount: Decimal::ZERO });
        }
    }
    Ok(proration)
}

static INTERVAL: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET \"interval\" = $3, interval_count = $4
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, INT4OID],
);
static CUT: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_periods p SET period_end = $4
      WHERE p.customer_id = $1 AND p.subscription_id = $2 AND p.period_start = $3",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);
static REPLACE: Statement = Statement::new(
    c"DELETE FROM credits_internal.subscription_periods p
      WHERE p.customer_id = $1 AND p.subscription_id = $2 AND p.period_start = $3 RETURNING p.resumed",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Does what was worked out. Accounts are locked. Returns the invoice of the new period; in a trial there is none yet.
pub fn write(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (proration, restart): (&mut Proration, Restart),
    now: Time,
) -> Result<Option<Uuid>, Error> {
    done::given_back(session, there, proration, now)?;
    let customer_id = there.customer_id.clone();
    let of = [customer_id.cell(), there.id.cell()];
    INTERVAL.run(session, &[of[0], of[1], restart.interval.0.cell(), restart.interval.1.cell()])?;
    there.cycle = restart.cycle;
    if there.status == Status::Trialing {
        return Ok(None);
    }
    let began = there.period.start;
    // One that began this moment after a pause is replaced by one that did.
    let mut is_resumed = false;
    if began < now {
        CUT.run(session, &[of[0], of[1], began.cell(), now.cell()])?;
    } else if let Some(mut row) = REPLACE.run(session, &[of[0], of[1], began.cell()])?.first() {
        is_resumed = row.next()?;
    }
    let whole = restart.cycle.period_at(now);
    (there.period, there.discount) = (whole, restart.discount);
    if there.cancel_at_period_end {
        there.cancel_at = Some(whole.end);
    }
    let items = item::of(session, &customer_id, there.id)?;
    summary::begin(session, there, &items, Term::of(whole))?;
    billing::withhold(session, customer, there, (&mut proration.lines, restart.taken))?;
    let lines = (&proration.lines[..], restart.quote.as_ref(), Reason::SubscriptionUpdate);
    // Usage alone is invoiced after its period.
    let made = match proration.lines.is_empty() && restart.taken <= Decimal::ZERO {
        true => None,
        false => Some(billing::order(session, customer, there, lines, (true, now, now))?),
    };
    billing::enter(session, there, whole, "whole", (made, is_resumed))?;
    instalments::end_at_cancel(session, there, now)?;
    Ok(made)
}
