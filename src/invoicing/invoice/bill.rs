//! Invoices that nobody writes by hand: of a subscription's lines, with what is pending, given out as they are made.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::customer::Customer;
use crate::invoicing::invoice::create::recompute;
use crate::invoicing::invoice::{self, finalize};
use crate::invoicing::line;
use crate::invoicing::sale::{self, Order};
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::statement::Session;

/// Makes the invoice that is ordered, with or without what is pending in its currency, and gives it out, as of when it was due.
/// The customer is locked. Raises PC007, PC013.
pub fn bill(
    session: &Session,
    customer: &Customer,
    order: &Order<'_>,
    takes_pending: bool,
    (at, now): (Time, Time),
) -> Result<(), Error> {
    let (customer_id, invoice_id) = (order.customer_id, order.invoice_id);
    sale::draft(session, order, now)?;
    if takes_pending {
        line::take_pending(session, (customer_id, order.currency), invoice_id, order.lines.len())?;
        let decimals = currency::decimals(session, order.currency)?;
        recompute(session, (customer_id, invoice_id), (Decimal::ZERO, order.tax_rate), decimals)?;
    }
    finalize::finalize_as_of(session, customer, invoice::lock(session, customer_id, invoice_id)?, (at, now))
}
