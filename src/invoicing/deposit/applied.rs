//! Deposits that pay: invoices which nobody else paid. What is used does not go back.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::deposit::left;
use crate::invoicing::invoice::{self, Invoice, Status, payment};
use crate::invoicing::{collection, effect};
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::TEXTOID;
use uuid::Uuid;

static PAID: Statement = Statement::new(
    c"SELECT i.invoice_id FROM credits_internal.invoices i
      WHERE i.customer_id = $1 AND i.status = 'paid' AND i.currency = $2
        AND i.billing_reason IN ('deposit', 'overdraft_protection')
      ORDER BY i.billing_reason = 'deposit', i.created_at, i.invoice_id",
    &[TEXTOID, TEXTOID],
);

/// The deposits of a customer in a currency that have something left, locked, in the order in which they are used.
fn deposits(session: &Session, customer_id: &str, code: &str) -> Result<Vec<(Uuid, Decimal)>, Error> {
    let mut ids: Vec<Uuid> = Vec::new();
    for mut row in PAID.run(session, &[customer_id.cell(), code.cell()])?.iter() {
        ids.push(row.next()?);
    }
    let mut all = Vec::new();
    for id in ids {
        invoice::lock(session, customer_id, id)?;
        let left = left(session, customer_id, id)?;
        if !left.is_zero() {
            all.push((id, left));
        }
    }
    Ok(all)
}

/// How an amount is paid out of what is there, in that order; `None` where it is too little.
fn split(there: &[(Uuid, Decimal)], amount: Decimal) -> Option<Vec<(Uuid, Decimal)>> {
    let mut rest = amount;
    let mut parts = Vec::new();
    for (id, left) in there {
        let part = rest.min(*left);
        if part > Decimal::ZERO {
            parts.push((*id, part));
            rest -= part;
        }
    }
    rest.is_zero().then_some(parts)
}

/// The customer's deposits pay these open invoices, in their order, each whole or not at all: those after one that they do not
/// cover stay open too. One whose payment is under way is left alone. The customer is locked.
pub fn pay(session: &Session, customer_id: &str, code: &str, open: &[Uuid], now: Time) -> Result<(), Error> {
    let mut invoices: Vec<Invoice> = Vec::new();
    for id in open {
        let invoice = invoice::lock(session, customer_id, *id)?;
        if collection::is_free(session, &invoice)? {
            invoices.push(invoice);
        }
    }
    let mut there = deposits(session, customer_id, code)?;
    if there.is_empty() {
        return Ok(());
    }
    let mut accounts = Vec::new();
    for invoice in &invoices {
        accounts.extend(effect::currencies(session, invoice)?);
    }
    effect::lock_accounts(session, customer_id, accounts)?;
    for invoice in invoices {
        // What was paid before may have changed it: a subscription that goes on takes its own away.
        let invoice = invoice::lock(session, customer_id, invoice.id)?;
        if invoice.status != Status::Open {
            continue;
        }
        let Some(parts) = split(&there, invoice.remaining()) else { break };
        payment::pay_from_deposits(session, &invoice, &parts, now)?;
        for (id, part) in parts {
            there.iter_mut().filter(|(other, _)| *other == id).for_each(|(_, left)| *left -= part);
            billing_event::record(session, EventType::InvoiceUpdated, id, Some(customer_id), now)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_or_nothing(there in prop::collection::vec(0u32..50, 0..5), amount in 1u32..150) {
            let there: Vec<(Uuid, Decimal)> =
                there.iter().enumerate().map(|(n, left)| (Uuid::from_u128(n as u128), Decimal::from(*left))).collect();
            let (sum, amount): (Decimal, Decimal) = (there.iter().map(|(_, left)| *left).sum(), amount.into());
            match split(&there, amount) {
                None => prop_assert!(sum < amount),
                Some(parts) => {
                    prop_assert_eq!(parts.iter().map(|(_, part)| *part).sum::<Decimal>(), amount);
                    for (id, part) in &parts {
                        prop_assert!(there.iter().any(|(other, left)| other == id && part <= left));
                    }
                    // Each but the last is used up, in their order.
                    let used_up = parts.iter().rev().skip(1).all(|part| there.contains(part));
                    prop_assert!(used_up);
                    prop_assert!(parts.is_sorted_by_key(|(id, _)| *id));
                }
            }
        }
    }
}
