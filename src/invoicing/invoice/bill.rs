//! Invoices that nobody writes by hand: of a subscription's lines, with what is pending.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::invoice::create::recompute;
use crate::invoicing::invoice::{self, Invoice};
use crate::invoicing::line;
use crate::invoicing::sale::{self, Order};
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::statement::Session;

/// Makes the invoice that is ordered, with or without what is pending in its currency, as a draft, which is locked. The
/// customer is locked. Raises PC007, PC013.
pub fn bill(session: &Session, order: &Order<'_>, takes_pending: bool, now: Time) -> Result<Invoice, Error> {
    let (customer_id, invoice_id) = (order.customer_id, order.invoice_id);
    sale::draft(session, order, now)?;
    if takes_pending {
        let account = (customer_id, order.currency);
        let has_taken = line::take_pending(session, account, invoice_id, order.lines.len())?;
        // Otherwise it comes to what it did.
        if has_taken || order.lines.is_empty() {
            let decimals = currency::decimals(session, order.currency)?;
            recompute(session, (customer_id, invoice_id), (Decimal::ZERO, order.tax_rate), decimals)?;
        }
    }
    invoice::lock(session, customer_id, invoice_id)
}
