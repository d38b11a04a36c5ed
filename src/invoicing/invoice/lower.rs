//! An invoice that was given out, of which nothing is paid, whose lines were lowered: what it is for was changed before
//! anybody paid it.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::effect::{self, Source};
use crate::invoicing::invoice::create::recompute;
use crate::invoicing::invoice::{self, finalize};
use crate::invoicing::line::instalment;
use crate::invoicing::{collection, line};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::Session;
use uuid::Uuid;

/// Works out anew what it comes to, and lowers its payment intent by as much. Where nothing is left to pay it is paid, and
/// what is below zero waits for the next one. Its accounts are locked.
pub fn work_out(session: &Session, customer_id: &str, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    let before = billing_event::before(session, EventType::InvoiceUpdated, invoice_id, Some(customer_id))?;
    let invoice = invoice::lock(session, customer_id, invoice_id)?;
    if !invoice.status.is_payable() {
        return Err(invoice.conflict());
    }
    let decimals = currency::decimals(session, &invoice.currency)?;
    recompute(session, (customer_id, invoice_id), (invoice.given_discount, invoice.tax_rate), decimals)?;
    let invoice = invoice::lock(session, customer_id, invoice_id)?;
    collection::settle(session, &invoice, Decimal::ZERO, now)?;
    billing_event::updated(session, EventType::InvoiceUpdated, invoice_id, Some(customer_id), before, now)?;
    if invoice.amount_due > Decimal::ZERO {
        return Ok(());
    }
    line::carry_over(session, &invoice, invoice.number.as_deref().unwrap_or_default(), now)?;
    instalment::withhold(session, customer_id, invoice_id, now)?;
    effect::grant(session, &invoice.bill(), &Source::INVOICE)?;
    finalize::mark_paid(session, &invoice, now)
}
