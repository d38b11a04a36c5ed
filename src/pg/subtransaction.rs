//! Subtransactions: work that is undone completely unless it succeeds.

use crate::error::Error;
use crate::pg::call::last;
use crate::pg::locking::patience::{BUSY, Patience};
use crate::pg::planning::with_settings;
use crate::pg::statement::Session;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgTryBuilder, pg_sys};
use std::panic::AssertUnwindSafe;

/// Runs work in a subtransaction, and keeps what it wrote and locked if `keep` accepts its result; otherwise, or if it
/// raises an error, undoes all of it.
fn run<T>(keep: impl FnOnce(&T) -> bool, work: impl FnOnce() -> T) -> Result<T, Box<CaughtError>> {
    // SAFETY: ended below however the work ends; the memory context stays the same.
    let (context, owner) = unsafe {
        let before = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(before.0);
        before
    };
    let begin = last::Scope::begin();
    let work = AssertUnwindSafe(|| Ok(work()));
    let worked: Result<T, Box<CaughtError>> =
        PgTryBuilder::new(work).catch_others(|e| Err(Box::new(e))).catch_rust_panic(|e| Err(Box::new(e))).execute();
    // SAFETY: ends the subtransaction begun above. An error of PostgreSQL's was caught and copied by then, which is the state
    // in which one may be undone.
    unsafe {
        if worked.as_ref().is_ok_and(keep) {
            pg_sys::ReleaseCurrentSubTransaction();
            begin.keep();
        } else {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
    }
    worked
}

/// Tries work, and keeps what it wrote and locked if it returns something. Otherwise, or if it fails, undoes all of it
/// and returns nothing: the caller then tries another way, which meets the same error again. Errors that are not about
/// this work are raised. Unless it `waits` for locks, a lock that is not free within a millisecond counts as a failure.
pub fn attempt<T>(_session: &Session, waits: bool, work: impl FnOnce() -> Result<Option<T>, Error>) -> Option<T> {
    let patience = if waits { None } else { Some((c"lock_timeout", c"1ms")) };
    let keep = |outcome: &Result<Option<T>, Error>| matches!(outcome, Ok(Some(_)));
    let raised = |error: &str| waits && error == BUSY || starts_with(error, &NOT_OF_THE_WORK);
    run(keep, || with_settings(patience.into_iter(), work)).map_or_else(
        |caught| {
            raise_where(&raised, caught);
            None
        },
        |outcome| outcome.unwrap_or_default(),
    )
}

/// Why undone work failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The SQLSTATE.
    pub error: String,
    /// The message.
    pub message: String,
}

impl Failure {
    /// Whether the only reason was a lock of another session.
    pub fn is_busy(&self) -> bool {
        self.error == BUSY
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error: error.sqlstate().to_string(), message: error.sentence() }
    }
}

/// The first two characters of errors that are not about the work but about the server or the session: serialization
/// failures, lack of resources, operator intervention, system errors.
const NOT_OF_THE_WORK: [&str; 4] = ["40", "53", "57", "58"];

/// Those that other kinds of work need not meet: they may need less, or other rows.
const PASSING: [&str; 2] = ["40", "53"];

/// Runs work, and undoes all of it if it fails for any reason, or if a lock is not free in time; only errors that are
/// not about the work, for example a cancel, are raised.
pub fn isolate<T>(patience: &Patience, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    if patience.is_out() {
        return Err(Failure { error: BUSY.to_string(), message: String::new() });
    }
    let outcome = isolate_but(&|error| starts_with(error, &NOT_OF_THE_WORK), || patience.within(work));
    if outcome.as_ref().is_err_and(Failure::is_busy) {
        patience.lose();
    }
    outcome
}

/// The same for work that waits for locks as long as its caller does: if a lock is not free in time, that is raised.
pub fn isolate_waiting<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    isolate_but(&|error| error == BUSY || starts_with(error, &NOT_OF_THE_WORK), work)
}

/// The same for a whole kind of work: only what ends the session's call, such as a cancel or a disk failure, is raised.
pub fn isolate_kind<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    isolate_but(&|error| starts_with(error, &NOT_OF_THE_WORK) && !starts_with(error, &PASSING), work)
}

/// Runs work that takes locks, and keeps them if each was free within a moment; otherwise gives all of them back.
/// Returns whether it kept them. Any other error is raised.
pub fn if_free(work: impl FnOnce() -> Result<(), Error>) -> Result<bool, Error> {
    match isolate_but(&|error| error != BUSY, || Patience::default().within(work)) {
        Ok(()) => Ok(true),
        Err(failure) if failure.is_busy() => Ok(false),
        Err(_) => Err(Error::internal("a lock could not be taken")),
    }
}

/// Runs work, and keeps what it wrote and locked if it returns true; otherwise undoes all of it, and gives its locks back.
/// Any error is raised.
pub fn keep_if_true(work: impl FnOnce() -> Result<bool, Error>) -> Result<bool, Error> {
    run(|kept| matches!(kept, Ok(true)), work).unwrap_or_else(|caught| caught.rethrow())
}

fn starts_with(error: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| error.starts_with(beginning))
}

fn isolate_but<T>(raised: &dyn Fn(&str) -> bool, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    match run(Result::is_ok, work) {
        Ok(outcome) => outcome.map_err(Failure::from),
        Err(caught) => Err(raise_where(raised, caught)),
    }
}

/// Why work failed, unless the error must be raised.
fn raise_where(raised: &dyn Fn(&str) -> bool, caught: Box<CaughtError>) -> Failure {
    let (CaughtError::PostgresError(report)
    | CaughtError::ErrorReport(report)
    | CaughtError::RustPanic { ereport: report, .. }) = &*caught;
    let error = unpack(report.sql_error_code() as i32);
    if raised(&error) {
        caught.rethrow();
    }
    Failure { error, message: report.message().to_string() }
}

/// Unpacks a SQLSTATE, which PostgreSQL packs with six bits per character.
fn unpack(code: i32) -> String {
    (0..5).map(|index| char::from(b'0' + (code >> (6 * index) & 0x3F) as u8)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn unpacks_what_postgresql_packs() {
        assert_eq!(super::unpack(50_856_066), "22023");
        assert_eq!(super::unpack(pgrx::PgSqlErrorCode::ERRCODE_QUERY_CANCELED as i32), "57014");
        assert_eq!(super::unpack(pgrx::PgSqlErrorCode::ERRCODE_DATA_CORRUPTED as i32), "XX001");
    }
}
