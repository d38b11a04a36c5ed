//! A subtransaction: work that is gone as if it had never run, where it does not come to anything.

use super::planning::with_settings;
use super::statement::Session;
use crate::error::Error;
use pgrx::PgSqlErrorCode::{ERRCODE_LOCK_NOT_AVAILABLE, ERRCODE_UNIQUE_VIOLATION};
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgTryBuilder, pg_sys};
use std::panic::AssertUnwindSafe;

/// Runs work, and keeps what it wrote and locked where it returns something; else, and where a key that it writes is taken,
/// undoes all of it and returns nothing. Unless it `waits` for locks, the same where one is not to be had within a millisecond.
pub fn attempt<T>(
    _session: &Session,
    waits: bool,
    work: impl FnOnce() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    // SAFETY: ended below however the work ends; memory goes on to be taken where it was.
    let (context, owner) = unsafe {
        let before = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(before.0);
        before
    };
    let patience = if waits { None } else { Some((c"lock_timeout", c"1ms")) };
    let work = AssertUnwindSafe(|| Ok(with_settings(patience.into_iter(), work)));
    let worked: Result<_, Box<CaughtError>> =
        PgTryBuilder::new(work).catch_others(|e| Err(Box::new(e))).catch_rust_panic(|e| Err(Box::new(e))).execute();
    // SAFETY: ends the subtransaction begun above. An error of PostgreSQL's was caught and copied by then, which is the state
    // in which one may be undone.
    unsafe {
        match &worked {
            Ok(Ok(Some(_))) => pg_sys::ReleaseCurrentSubTransaction(),
            _ => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
    }
    match worked {
        Ok(outcome) => outcome,
        Err(error) => match (*error, waits) {
            (CaughtError::PostgresError(error), _) if error.sql_error_code() == ERRCODE_UNIQUE_VIOLATION => Ok(None),
            (CaughtError::PostgresError(error), false) if error.sql_error_code() == ERRCODE_LOCK_NOT_AVAILABLE => {
                Ok(None)
            }
            (error, _) => error.rethrow(),
        },
    }
}
