//! Operations: what a caller asked for once, under an idempotency key or none. A key is claimed before anything of an
//! account is read, and the claim commits with its effect.

use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What a repeat is compared with, and what it gets back.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The function that made it.
    pub function: String,
    /// Its own id.
    pub operation_id: Uuid,
    /// The currency's code.
    pub currency: String,
    /// Credits.
    pub amount: Decimal,
    /// Of the grant, where it made one.
    pub category: Option<String>,
    /// The grant, where it made one.
    pub grant_id: Option<Uuid>,
}

impl Operation {
    /// The first call under a key against the call at hand: the same, or PC002.
    pub fn check_repeat(&self, key: &str, call: &Operation) -> Result<(), Error> {
        let difference = if self.function != call.function {
            "function"
        } else if self.amount != call.amount {
            "amount"
        } else if self.currency != call.currency {
            "currency"
        } else if self.category != call.category {
            "category"
        } else {
            return Ok(());
        };
        Err(Error::IdempotencyConflict { argument: "idempotency_key", key: key.to_string(), difference })
    }
}

static FIND: Statement = Statement::new(
    c"SELECT function, operation_id, currency, amount, category, grant_id FROM credits.operations
      WHERE customer_id = $1 AND idempotency_key = $2",
    &[TEXTOID, TEXTOID],
);

/// The operation that a key was used for.
fn find(session: &Session, customer_id: &str, key: &str) -> Result<Option<Operation>, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), key.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    Ok(Some(Operation {
        function: row.next()?,
        operation_id: row.next()?,
        currency: row.next()?,
        amount: row.next()?,
        category: row.next()?,
        grant_id: row.next()?,
    }))
}

/// The first call under a key, for a call that cannot be a first one itself: without one, that call's own error.
pub fn first_call(session: &Session, customer_id: &str, key: Option<&str>, error: Error) -> Result<Operation, Error> {
    match key {
        Some(key) => find(session, customer_id, key)?.ok_or(error),
        None => Err(error),
    }
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits.operations (customer_id, operation_id, function, currency, amount, category, grant_id,
                                      idempotency_key, description, metadata, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
      ON CONFLICT DO NOTHING RETURNING true",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID],
);

/// Claims a key for an operation: false where another call has it, after waiting for that call to commit.
pub fn claim(
    session: &Session,
    customer_id: &str,
    operation: &Operation,
    key: &str,
    (description, metadata): (Option<&str>, Option<&Json>),
    now: Time,
) -> Result<bool, Error> {
    let claimed = CLAIM.run(
        session,
        &[
            customer_id.cell(),
            operation.operation_id.cell(),
            operation.function.cell(),
            operation.currency.cell(),
            operation.amount.cell(),
            operation.category.cell(),
            operation.grant_id.cell(),
            key.cell(),
            description.cell(),
            metadata.cell(),
            now.cell(),
        ],
    )?;
    Ok(claimed.len() > 0)
}

static FORGET: Statement =
    Statement::new(c"DELETE FROM credits.operations WHERE customer_id = $1 AND operation_id = $2", &[TEXTOID, UUIDOID]);

/// Takes back a claim whose effect was refused, so that it leaves nothing.
pub fn forget(session: &Session, customer_id: &str, operation_id: Uuid) -> Result<(), Error> {
    FORGET.run(session, &[customer_id.cell(), operation_id.cell()]).map(drop)
}
