//! Operations: what a caller asked for once, under an idempotency key or none. A key is claimed before anything of an
//! account is read, and the claim commits with its effect.

use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
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
    /// What a repeat differs in from this first call.
    fn difference(&self, call: &Operation) -> Option<&'static str> {
        [
            (self.function != call.function, "function"),
            (self.amount != call.amount, "amount"),
            (self.currency != call.currency, "currency"),
            (self.category != call.category, "category"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what))
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

/// The first call under the key of a call that cannot be a first one itself: it must be the same, or PC002. Without
/// one, the call fails with its own error.
pub fn first_call(
    session: &Session,
    customer_id: &str,
    key: Option<&str>,
    call: &Operation,
    error: Error,
) -> Result<Operation, Error> {
    let Some(key) = key else { return Err(error) };
    let first = find(session, customer_id, key)?.ok_or(error)?;
    match first.difference(call) {
        None => Ok(first),
        Some(difference) => {
            Err(Error::IdempotencyConflict { argument: "idempotency_key", key: key.to_string(), difference })
        }
    }
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits.operations (customer_id, operation_id, function, currency, amount, category, grant_id,
                                      idempotency_key, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT DO NOTHING RETURNING true",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID],
);

/// Claims a key for an operation: false where another call has it, after waiting for that call to commit.
pub fn claim(session: &Session, customer_id: &str, operation: &Operation, key: &str, now: Time) -> Result<bool, Error> {
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
