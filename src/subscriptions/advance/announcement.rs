//! What is announced of a subscription: that its trial will end, and what its next invoice will come to. Once for each period,
//! and not after it.

use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::line;
use crate::invoicing::line::shown::{digits, shown};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::Session;
use crate::subscriptions::billing::{self, Term};
use crate::subscriptions::item;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::Subscription;
use serde_json::{Value, json};

/// Writes it down.
pub fn make(session: &Session, customer: &Customer, there: &mut Subscription, now: Time) -> Result<(), Error> {
    let customer_id = there.customer_id.clone();
    let customer_id = Some(customer_id.as_str());
    if there.status == Status::Trialing {
        let event = EventType::SubscriptionTrialWillEnd;
        billing_event::record(session, event, there.id, customer_id, now)?;
    } else {
        let upcoming = upcoming(session, customer, there)?;
        billing_event::write(session, EventType::InvoiceUpcoming, there.id, customer_id, &upcoming, now)?;
    }
    there.announced_end = Some(there.period.end);
    Ok(())
}

/// The next invoice as it would be now; what is pending besides is apart.
fn upcoming(session: &Session, customer: &Customer, there: &Subscription) -> Result<Value, Error> {
    let whole = there.cycle.period_at(there.period.end);
    let items = item::of(session, &there.customer_id, there.id)?;
    let mut lines = billing::lines(session, &there.currency, &items, Term::of(whole))?;
    billing::discounted(session, &mut there.clone(), &mut lines, whole.start)?;
    let totals = line::totals(&lines, customer.tax_rate, currency::decimals(session, &there.currency)?)?;
    Ok(json!({
        "customer_id": there.customer_id,
        "subscription_id": there.id.to_string(),
        "billing_reason": "subscription_cycle",
        "collection_method": there.collection_method,
        "currency": there.currency,
        "period_start": whole.start.to_string(),
        "period_end": whole.end.to_string(),
        "subtotal": digits(totals.subtotal),
        "discount": digits(totals.discount),
        "tax": digits(totals.tax),
        "total": digits(totals.total),
        "pending": digits(billing::taken(session, there)?),
        "lines": shown(&lines, &totals),
    }))
}
