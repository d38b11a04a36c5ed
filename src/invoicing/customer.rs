//! What an invoice needs to know of its customer: whom it is for, and how it is numbered and taxed.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::customer;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{TEXTARRAYOID, TEXTOID};
use std::collections::BTreeSet;

/// A customer, locked until the transaction ends: all that changes a customer's invoices comes one after another.
#[derive(Clone)]
pub struct Customer {
    /// A person's or a company's.
    pub name: Option<String>,
    /// Not checked.
    pub email: Option<String>,
    /// What the numbers of its invoices begin with; NULL where nobody said.
    pub invoice_prefix: Option<String>,
    /// Percent of tax, where an invoice says nothing else.
    pub tax_rate: Option<Decimal>,
    /// Not checked.
    pub phone: Option<String>,
    /// Where it is billed.
    pub address: Option<Json>,
}

static LOCK: Statement = Statement::new(
    c"SELECT c.name, c.email, c.invoice_prefix, c.tax_rate, c.phone, c.address
      FROM credits_internal.customers c WHERE c.customer_id = $1 FOR NO KEY UPDATE",
    &[TEXTOID],
);

/// Locks a customer, who must exist. Raises PC003.
pub fn lock(session: &Session, customer_id: &str) -> Result<Customer, Error> {
    let rows = LOCK.run(session, &[customer_id.cell()])?;
    let missing = || Error::CustomerNotFound { customer_id: customer_id.to_string() };
    let mut row = rows.first().ok_or_else(missing)?;
    Ok(Customer {
        name: row.next()?,
        email: row.next()?,
        invoice_prefix: row.next()?,
        tax_rate: row.next()?,
        phone: row.next()?,
        address: row.next()?,
    })
}

/// The same, created where missing.
pub fn lock_or_make(session: &Session, customer_id: &str) -> Result<Customer, Error> {
    customer::ensure_kept(session, customer_id)?;
    lock(session, customer_id)
}

static LOCK_FREE: Statement = Statement::new(
    c"SELECT c.customer_id FROM unnest($1) AS k (customer_id)
      JOIN credits_internal.customers c ON c.customer_id = k.customer_id
      ORDER BY c.customer_id FOR NO KEY UPDATE OF c SKIP LOCKED",
    &[TEXTARRAYOID],
);

/// Locks those of these customers whom nobody has locked, for work that time brings: it waits for nobody. Returns them.
pub fn lock_free(session: &Session, customers: BTreeSet<&String>) -> Result<BTreeSet<String>, Error> {
    let rows = LOCK_FREE.run(session, &[array(customers)])?;
    rows.iter().map(|mut row| row.next()).collect()
}
