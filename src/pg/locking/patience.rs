//! How long work that is done for everybody waits for locks of others: never without limit, or one session that leaves its
//! transaction open would hold up all. A moment, for whoever is about to commit; after that next to nothing, however much there is
//! to wait for.

use crate::pg::planning::with_settings;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CStr;

/// The SQLSTATE of a lock that was not to be had in time.
pub const BUSY: &str = "55P03";

/// A limit as PostgreSQL reads it, and in milliseconds.
type Limit = (&'static CStr, i32);

/// How long is waited for the first lock that is not to be had,
const AT_FIRST: Limit = (c"50ms", 50);
/// and for each after it.
const AFTERWARDS: Limit = (c"1ms", 1);
/// So many times at most.
const TIMES: u32 = 1_000;
/// How long a statement waits that no work goes without.
const IN_ANY_CASE: Limit = (c"2s", 2_000);

/// What one call has of it.
#[derive(Default)]
pub struct Patience {
    /// How often it waited in vain.
    waited: Cell<u32>,
}

impl Patience {
    /// Whether nothing is left of it: what it would have to wait for is to be left for another call.
    pub fn is_out(&self) -> bool {
        self.waited.get() >= TIMES
    }

    /// Runs `work`, which raises [`BUSY`] where a lock is not to be had in time.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        limited(if self.waited.get() == 0 { AT_FIRST } else { AFTERWARDS }, work)
    }

    /// It waited in vain.
    pub fn lose(&self) {
        self.waited.set(self.waited.get() + 1);
    }
}

/// Runs a call's work for everybody: what it cannot go on without is waited for a while, and then it fails.
pub fn in_any_case<T>(work: impl FnOnce() -> T) -> T {
    limited(IN_ANY_CASE, work)
}

/// Runs `work`, each of whose waits for a lock ends after so long, or after less where the caller has set less.
fn limited<T>((text, milliseconds): Limit, work: impl FnOnce() -> T) -> T {
    // SAFETY: reads a variable of the backend.
    let set = unsafe { pg_sys::LockTimeout };
    let setting = (set == 0 || set > milliseconds).then_some((c"lock_timeout", text));
    with_settings(setting.into_iter(), work)
}
