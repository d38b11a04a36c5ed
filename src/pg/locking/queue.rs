//! A queue for a row that many sessions want to change at once. Without it, all waiting sessions are woken whenever the
//! row is free, and all but one wait again. The queue only puts them in order: the row's own lock decides who has the
//! row, and a session that does not queue waits for that lock.
//!
//! A transaction that has already written does not queue, since it may have the row locked: the queue would wait for
//! it, and it for the queue. The others have changed nothing that anyone waits for, and leave the queue as soon as they
//! have the row. A transaction whose commit does not wait for the disk does not queue either: the wait for it is
//! shorter than a turn of the queue.

use crate::pg::locking::lock::Lock;
use crate::pg::statement::Session;
use foldhash::fast::FixedState;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CStr;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

/// A statement that takes longer may have waited for its row.
const LONG: Duration = Duration::from_micros(300);
/// The session queues for a row until it has found the queue free so many times in a row.
const PATIENCE: u8 = 64;
/// How many rows a session remembers.
const SLOTS: usize = 64;

thread_local! {
    /// Rows that the session had to wait for, by hash, and how many more times it queues for each.
    static WANTED: RefCell<[(u32, u8); SLOTS]> = const { RefCell::new([(0, 0); SLOTS]) };
}

/// Runs `work`, which locks the row of a table with this key: through the queue, if the session had to wait for it
/// lately.
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

/// Whether this transaction has written nothing yet, and its commit will wait for the disk.
fn may_queue() -> bool {
    // SAFETY: reads two variables of the backend.
    unsafe {
        pg_sys::GetTopTransactionIdIfAny() == pg_sys::InvalidTransactionId
            && pg_sys::synchronous_commit != pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF as i32
    }
}
