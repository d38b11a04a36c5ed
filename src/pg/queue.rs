//! A queue before a row that many sessions want to change at once. Without one all that wait for the row are woken whenever it
//! is free, and all but one lie down again. It only puts them in order: who has the row is decided by its own lock, and
//! whoever comes without queueing waits for that.
//!
//! A transaction that has written already does not queue, for it may have the row: the queue would then wait for it, and it for
//! the queue. The others have changed nothing that anybody waits for, and leave the queue as soon as the row is theirs. Nor does
//! one queue whose commit does not wait for the disk: so short a wait is over sooner than the queue has moved on.

use super::statement::Session;
use foldhash::fast::FixedState;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

/// The class of the advisory locks that the queue and the inbox take, as pg_locks shows it. A queue's is one as of
/// `pg_advisory_lock(int, int)`, with a hash of its row's key.
pub const CLASS: u32 = 1_128_481_097;
/// A statement that took longer may have waited for its row.
const LONG: Duration = Duration::from_micros(300);
/// How often the session queues for a row until it has found nobody else there.
const PATIENCE: u8 = 64;
/// How many rows it remembers.
const PLACES: usize = 64;

thread_local! {
    /// Rows that were waited for, by their hash, and how often more they are queued for: nothing at the start.
    static WANTED: RefCell<[(u32, u8); PLACES]> = const { RefCell::new([(0, 0); PLACES]) };
}

/// Runs `work`, which locks the row with this key: in turn, where the session had to wait for it lately.
pub fn in_turn<T>(_session: &Session, key: impl Hash, work: impl FnOnce() -> T) -> T {
    let row = FixedState::default().hash_one(key) as u32;
    let place = row as usize % PLACES;
    let left = WANTED.with_borrow(|wanted| if wanted[place].0 == row { wanted[place].1 } else { 0 });
    if left == 0 || !may_queue() {
        let began = Instant::now();
        let result = work();
        if began.elapsed() > LONG {
            WANTED.with_borrow_mut(|wanted| wanted[place] = (row, PATIENCE));
        }
        return result;
    }
    let free = queue(row);
    let result = work();
    leave(row);
    WANTED.with_borrow_mut(|wanted| wanted[place] = (row, if free { left - 1 } else { PATIENCE }));
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

fn tag(row: u32) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        // SAFETY: reads a variable of the backend.
        locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        locktag_field2: CLASS,
        locktag_field3: row,
        locktag_field4: 2,
        locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}

/// Waits for its turn; whether there was nobody else.
fn queue(row: u32) -> bool {
    let (tag, mode) = (tag(row), pg_sys::ExclusiveLock as i32);
    // SAFETY: a lock of the transaction's, which the end of the transaction or of a part of it gives back where an error keeps
    // `leave` from it.
    unsafe {
        let free = pg_sys::LockAcquire(&tag, mode, false, true) != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL;
        if !free {
            pg_sys::LockAcquire(&tag, mode, false, false);
        }
        free
    }
}

fn leave(row: u32) {
    // SAFETY: gives back what `queue` took.
    unsafe { pg_sys::LockRelease(&tag(row), pg_sys::ExclusiveLock as i32, false) };
}
