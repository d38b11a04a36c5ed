//! What is paid of a subscription: a payment of it that failed, and one that comes when it is over.

use crate::error::Error;
use crate::invoicing::collection;
use crate::invoicing::invoice::{self, Invoice, Status};
use crate::invoicing::listener::{LISTENERS, Outcome};
use crate::moment::Time;
use crate::payments::payment_intent::Intent;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static SUBSCRIPTION: Statement = Statement::new(
    c"SELECT i.subscription_id FROM credits_internal.invoices i WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

/// The subscription that an intent pays an invoice of.
pub fn of(session: &Session, intent: &Intent) -> Result<Option<Uuid>, Error> {
    let rows = SUBSCRIPTION.run(session, &[intent.customer_id.cell(), intent.invoice_id.cell()])?;
    rows.first().map_or(Ok(None), |mut row| row.next())
}

// What began after its session's time, since a payment of it was reported, counts.
static OVER: Statement = Statement::new(
    c"SELECT true FROM credits_internal.subscriptions s
      WHERE s.customer_id = $1 AND s.subscription_id = $2 AND (s.ended_at IS NOT NULL OR s.created_at < $3)",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Whether the subscription has ended that a checkout session began: with the session where its time was over and nobody's
/// payment under way, whether or not that was written down.
pub fn is_over(session: &Session, invoice: &Invoice, intent: &Intent, now: Time) -> Result<bool, Error> {
    let (Some(subscription_id), Some(_)) = (invoice.subscription_id, intent.checkout_session_id) else {
        return Ok(false);
    };
    let ended = intent.expires_at.filter(|at| *at <= now && !intent.status.is_under_way());
    let cells = [invoice.customer_id.cell(), subscription_id.cell(), ended.cell()];
    Ok(OVER.run(session, &cells)?.len() > 0)
}

/// A payment of an invoice that was given out failed, or waits for the customer.
pub fn failed(session: &Session, intent: &Intent, now: Time) -> Result<(), Error> {
    let Some(subscription_id) = of(session, intent)? else { return Ok(()) };
    let invoice = invoice::lock(session, &intent.customer_id, intent.invoice_id)?;
    if invoice.status == Status::Void {
        // It was given up while the payment was on its way.
        return collection::cancel(session, &invoice, now);
    }
    let which = (intent.customer_id.as_str(), subscription_id, intent.invoice_id);
    LISTENERS.all().try_for_each(|listener| listener.settled(session, which, Outcome::Failed, now))
}
