//! What a change of items brings, done: old lines pay for nothing any more, credits that are to go go, and the new lines
//! wait for the next invoice or are on one of their own.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::effect;
use crate::invoicing::invoice::lower;
use crate::invoicing::line::{self, instalment};
use crate::invoicing::sale::Reason;
use crate::ledger::grant::ending;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::billing;
use crate::subscriptions::change::{Change, Paid, Proration};
use crate::subscriptions::instalments;
use crate::subscriptions::item;
use crate::subscriptions::subscription::{self, Subscription};
use crate::subscriptions::usage_record::summary;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::collections::BTreeSet;
use uuid::Uuid;

const REASON: &str = "The subscription has changed";

static COVERS: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l SET covers_until = $3, updated_at = $4
      WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);
static LOWER: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l
      SET amount = l.amount - $3, given_discount = l.given_discount - $4, amount_excluding_tax = l.amount - $3
      WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID],
);

/// Writes the items as they will be.
pub fn items(
    session: &Session,
    there: &mut Subscription,
    (changes, is_restart): (&[Change], bool),
    now: Time,
) -> Result<(), Error> {
    let customer_id = there.customer_id.clone();
    let of = (customer_id.as_str(), there.id);
    for change in changes {
        match (&change.before, &change.after) {
            (None, Some(after)) => item::insert(session, of, after, change.metadata.as_deref(), now)?,
            (Some(_), Some(after)) => item::update(session, of.0, after, change.metadata.as_deref(), now)?,
            (Some(before), None) => item::remove(session, of.0, before.id, now)?,
            (None, None) => {}
        }
    }
    summary::change(session, there, (changes, is_restart), now)
}

/// The old lines pay for nothing any more, and credits that are to go go. Accounts are locked.
pub fn given_back(session: &Session, there: &mut Subscription, proration: &Proration, now: Time) -> Result<(), Error> {
    let customer_id = there.customer_id.clone();
    let mut open = BTreeSet::new();
    for credited in &proration.credited {
        let until = proration.ends_from.map_or(now, |(at, _)| at);
        let cells = [customer_id.cell(), credited.line.id.cell(), until.cell(), now.cell()];
        COVERS.run(session, &cells)?;
        if credited.line.paid != Paid::Yes {
            let lower = [credited.amount.cell(), credited.discount.cell()];
            LOWER.run(session, &[customer_id.cell(), credited.line.id.cell(), lower[0], lower[1]])?;
        }
        if let Paid::Open(invoice_id) = credited.line.paid {
            open.insert(invoice_id);
        }
        if let Some(from) = proration.ends_from {
            instalments::end_of_line(session, &customer_id, credited.line.id, from, REASON, now)?;
        }
    }
    if let Some(from) = proration.ends_from {
        for line_id in &proration.left_alone {
            instalments::end_of_line(session, &customer_id, *line_id, from, REASON, now)?;
        }
    }
    for taken in &proration.taken {
        ending::end_at_most(session, &customer_id, taken.grant_id, taken.credits, REASON)?;
        instalment::cut(session, &customer_id, (taken.line_id, taken.no), now)?;
    }
    if !open.is_empty() {
        for invoice_id in open {
            lower::work_out(session, &customer_id, invoice_id, now)?;
        }
        // What was lowered to nothing is paid: it may owe nothing any more.
        *there = subscription::lock(session, &customer_id, there.id)?;
    }
    Ok(())
}

/// Does what was worked out. Accounts are locked. Returns the invoice, where one was made.
pub fn proration(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    (proration, at_once): (&mut Proration, bool),
    now: Time,
) -> Result<Option<Uuid>, Error> {
    given_back(session, there, proration, now)?;
    let customer_id = there.customer_id.clone();
    if proration.lines.is_empty() {
        return Ok(None);
    }
    if at_once {
        billing::withhold(session, customer, there, (&mut proration.lines, Decimal::ZERO))?;
        let lines = (&proration.lines[..], None, Reason::SubscriptionUpdate);
        return billing::order(session, customer, there, lines, (false, now, now)).map(Some);
    }
    for new in &proration.lines {
        line::insert(session, &customer_id, &there.currency, None, new, now)?;
        if new.credits().is_some() && (there.has_paid || !new.waits()) {
            effect::grant_pending(session, &customer_id, new.id)?;
        }
    }
    instalments::end_at_cancel(session, there, now)?;
    Ok(None)
}
