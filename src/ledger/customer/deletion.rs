//! Deleting a customer that was made by mistake: one without history. Each room says whether it has any, and deletes its
//! own configuration.

use crate::error::Error;
use crate::input;
use crate::ledger::customer::{CustomerRow, READ};
use crate::ledger::listener::LISTENERS;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, in_latest_snapshot, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::TEXTOID;
use serde_json::json;

static LOCK: Statement =
    Statement::new(c"SELECT true FROM credits_internal.customers WHERE customer_id = $1 FOR UPDATE", &[TEXTOID]);

static LOCK_ACCOUNTS: Statement = Statement::new(
    c"SELECT a.currency FROM credits_internal.accounts a WHERE a.customer_id = $1 ORDER BY a.currency FOR UPDATE",
    &[TEXTOID],
);

// Events that nobody has charged yet lock no account, but it says that there may be some.
static USED: Statement = Statement::new(
    c"SELECT true
      WHERE EXISTS (SELECT FROM credits_internal.accounts a
                    WHERE a.customer_id = $1 AND (a.last_line > 0 OR a.issued > 0 OR a.defers))
         OR EXISTS (SELECT FROM credits_internal.operations o WHERE o.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.credit_transactions t WHERE t.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.credit_grants g WHERE g.customer_id = $1)
         OR EXISTS (SELECT FROM credits_internal.holds h WHERE h.customer_id = $1)",
    &[TEXTOID],
);

/// A table of what is configured for customers.
pub struct Configured {
    delete: Statement,
    left: Statement,
}

impl Configured {
    /// The table with these statements: [`configured!`](crate::configured).
    pub const fn new(delete: Statement, left: Statement) -> Self {
        Configured { delete, left }
    }
}

/// A table of what is configured for customers, by its name.
#[macro_export]
macro_rules! configured {
    ($table:literal) => {
        $crate::ledger::customer::deletion::Configured::new(
            $crate::pg::statement::Statement::new(
                $crate::pg::statement::text!("DELETE FROM credits_internal.", $table, " WHERE customer_id = $1"),
                &[pgrx::pg_sys::TEXTOID],
            ),
            $crate::pg::statement::Statement::new(
                $crate::pg::statement::text!("SELECT true FROM credits_internal.", $table, " WHERE customer_id = $1"),
                &[pgrx::pg_sys::TEXTOID],
            ),
        )
    };
}

// The customer comes last.
static CONFIGURED: [Configured; 7] = [
    crate::configured!("rolling_spending"),
    crate::configured!("spending_limits"),
    crate::configured!("account_failures"),
    // An import of nothing: what was imported is history.
    crate::configured!("history_imports"),
    crate::configured!("accounts"),
    crate::configured!("invoice_prefixes"),
    crate::configured!("customers"),
];

/// `credits.customer_delete`: deletes a customer without history. Raises PC003, PC013, PC020.
#[pg_extern(sql = false)]
fn customer_delete(customer_id: Option<&str>) -> Reply<One<CustomerRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let cells = [customer_id.cell()];
        writing(|session| {
            // The customer, then its accounts: the order of ledger/engine/posting.rs. Whatever would give it a history has to
            // lock one of them, and waits.
            if LOCK.run(session, &cells)?.len() == 0 {
                return Err(Error::CustomerNotFound { customer_id: customer_id.to_string() });
            }
            LOCK_ACCOUNTS.run(session, &cells)?;
            let used = || Error::StateConflict { object: "customer", id: customer_id.to_string(), state: "used" };
            if in_latest_snapshot(session, |latest| has_history(latest, customer_id))? {
                return Err(used());
            }
            let row = match READ.run(session, &cells)?.first() {
                Some(row) => CustomerRow::read(row)?,
                None => return Err(Error::internal("a customer is locked and not there")),
            };
            let tables = || LISTENERS.all().flat_map(|listener| listener.configured()).chain(&CONFIGURED);
            tables().try_for_each(|table| table.delete.run(session, &cells).map(drop))?;
            // In a transaction with a snapshot of before, what was configured since is not deleted.
            let left = in_latest_snapshot(session, |latest| {
                tables().try_fold(false, |any, table| Ok(any || is_any(latest, &table.left, customer_id)?))
            })?;
            if left {
                return Err(used());
            }
            // Nobody can erase the person later.
            billing_event::erase(session, customer_id)?;
            let (object, now) = (json!({"customer_id": customer_id, "deleted": true}), settings::now()?);
            billing_event::write(session, EventType::CustomerDeleted, customer_id, Some(customer_id), &object, now)?;
            Ok(One(row))
        })
    })())
}

fn has_history(session: &Session, customer_id: &str) -> Result<bool, Error> {
    if is_any(session, &USED, customer_id)? {
        return Ok(true);
    }
    for listener in LISTENERS.all() {
        if listener.has_history(session, customer_id)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a statement finds something of a customer.
pub fn is_any(session: &Session, statement: &'static Statement, customer_id: &str) -> Result<bool, Error> {
    Ok(statement.run(session, &[customer_id.cell()])?.len() > 0)
}
