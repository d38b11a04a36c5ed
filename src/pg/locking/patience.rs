//! Patience: how long maintenance waits for locks of other sessions. Never without limit, or one session that leaves
//! its transaction open would block it for everyone. The first wait is long enough for a session that is about to
//! commit; the others are very short, however many there are.

use crate::pg::planning::with_settings;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CStr;

/// The SQLSTATE when a lock was not free in time.
pub const BUSY: &str = "55P03";

/// A limit as PostgreSQL reads it, and in milliseconds.
type Limit = (&'static CStr, i32);

/// How long to wait for the first lock that is not free,
const AT_FIRST: Limit = (c"50ms", 50);
/// and for each later one.
const AFTERWARDS: Limit = (c"1ms", 1);
/// How many times at most.
const TIMES: u32 = 1_000;
/// How long a statement waits that the work cannot do without.
const IN_ANY_CASE: Limit = (c"2s", 2_000);

/// The patience of one call.
#[derive(Default)]
pub struct Patience {
    /// How many waits failed.
    waited: Cell<u32>,
}

impl Patience {
    /// Whether it is used up: work that would have to wait is left for another call.
    pub fn is_out(&self) -> bool {
        self.waited.get() >= TIMES
    }

    /// Runs `work`, which raises [`BUSY`] if a lock is not free in time.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        limited(if self.waited.get() == 0 { AT_FIRST } else { AFTERWARDS }, work)
    }

    /// Records that a wait failed.
    pub fn lose(&self) {
        self.waited.set(self.waited.get() + 1);
    }
}

/// Runs work that a call cannot do without: it waits for a while, and then fails.
pub fn in_any_case<T>(work: impl FnOnce() -> T) -> T {
    limited(IN_ANY_CASE, work)
}

/// Runs `work` with a limit on each wait for a lock, or the caller's limit if that is shorter.
fn limited<T>((text, milliseconds): Limit, work: impl FnOnce() -> T) -> T {
    // SAFETY: reads a variable of the backend.
    let set = unsafe { pg_sys::LockTimeout };
    let setting = (set == 0 || set > milliseconds).then_some((c"lock_timeout", text));
    with_settings(setting.into_iter(), work)
}
