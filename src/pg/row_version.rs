//! Row versions: which rows a statement wrote, by the transaction and the command in the row itself.

use crate::error::Error;
use crate::pg::statement::{Row, Session};
use crate::pg::value::Oid;
use pgrx::pg_sys;

/// A moment of this transaction, between two commands.
pub struct Moment(pg_sys::CommandId);

/// A row version: the transaction and the command that wrote it, its xmin and cmin.
pub struct RowVersion {
    transaction: pg_sys::TransactionId,
    command: pg_sys::CommandId,
}

impl Moment {
    /// The current moment: after everything written so far, before everything written from now on.
    pub fn now(_session: &Session) -> Self {
        // SAFETY: called between statements of a session that may write, where PostgreSQL itself counts on.
        unsafe {
            pg_sys::CommandCounterIncrement();
            Moment(pg_sys::GetCurrentCommandId(false))
        }
    }

    /// Whether a row was written after it, by this transaction.
    pub fn precedes(&self, row: &RowVersion) -> bool {
        // SAFETY: reads the backend's own state.
        row.command >= self.0 && unsafe { pg_sys::TransactionIdIsCurrentTransactionId(row.transaction) }
    }
}

impl RowVersion {
    /// Reads the next columns, xmin and cmin, which are numbers that are passed like an oid.
    pub fn read(row: &mut Row<'_>) -> Result<Self, Error> {
        let (transaction, command) = (row.next::<Oid>()?, row.next::<Oid>()?);
        Ok(RowVersion { transaction: pg_sys::TransactionId::from(transaction.0.to_u32()), command: command.0.to_u32() })
    }
}
