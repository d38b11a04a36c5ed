//! A queue before a row that many sessions want to change at once. Without one all that wait for the row are woken whenever it
//! is free, and all but one lie down again. It only puts them in order: who has the row is decided by its own lock, and
//! whoever comes without queueing waits for that.
//!
//! A transaction that has written already does not queue, for it may have the row: the queue would then wait for it, and it for
//! the queue. The others have changed nothing that anybody waits for, and leave the queue as soon as the row is theirs. Nor does
//! one queue whose commit does not wait for the disk: so short a wait is over sooner than the queue has moved on.

use crate::pg::locking::lock::Lock;
use crate::pg::statement::Session;
use foldhash::fast::FixedState;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CStr;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

/// A statement that took longer may have waited for its row.
const LONG: Duration = Duration::from_micros(300);
/// How often the session queues for a row until it has found nobody else there.
const PATIENCE: u8 = 64;
/// How many rows it remembers.
const SLOTS: usize = 64;

thread_local! {
    /// Rows that were waited for, by their hash, and how often more they are queued for: nothing at the start.
    static WANTED: RefCell<[(u32, u8); SLOTS]> = const { RefCell::new([(0, 0); SLOTS]) };
}

/// Runs `work`, which locks the row of a table with this key: in turn, where the session had to wait for it lately.
pub fn in_turn<T>(session: &Session, table: &CStr, key: impl Hash, work: impl FnOnce() -> T) -> T {
    let row = FixedState::default().hash_one(key) as u32;
    let slot = row as usize % SLOTS;
    let left = WANTED.with_borrow(|wanted| if wanted[slot].0 == row { wanted[slot].1 } else { 0 });
    if left == 0 || !may_queue() {
        let began = Instant::now();
        let result = work();
        if began.elapsed() > LONG {
            WANTED.with_borrow_mut(|wanted| wanted[slot] = (row, PATIENCE));
        }
        return result;
    }
    let lock = Lock::of(session, table, row);
    let free = lock.take_if_free();
    if !free {
        lock.take();
    }
    let result = work();
    lock.give_back();
    WANTED.with_borrow_mut(|wanted| wanted[slot] = (row, if free { left - 1 } else { PATIENCE }));
    result
}

/// Whether this is a transaction that has written nothing yet and is going to wait for the disk.
fn may_queue() -> bool {
    // SAFETY: reads two variables of the backend.
    unsafe {
        pg_sys::GetTopTransactionIdIfAny() == pg_sys::InvalidTransactionId
            && pg_sys::synchronous_commit != pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF as i32
    }
}
