//! Memory whose size callers decide, and work that takes as long as they decide. Where memory fails to be had Rust ends the
//! process, and with it the server: so what is proportional to what callers give asks for it first, and says so as PostgreSQL
//! says it. The rest is bounded.

use pgrx::PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY;
use pgrx::{check_for_interrupts, ereport, pg_guard, pg_sys};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sees to it that so many more fit. Raises PostgreSQL's out_of_memory: as a panic, so that all on the way is dropped.
pub fn make_room<T>(items: &mut Vec<T>, more: usize) {
    if items.try_reserve(more).is_err() {
        let bytes = more.saturating_mul(size_of::<T>());
        let detail = format!("Failed on request of size {bytes}.");
        ereport!(ERROR, ERRCODE_OUT_OF_MEMORY, "out of memory", detail);
    }
}

/// Raises the same where so many bytes are not to be had: asked before work that takes them bit by bit.
pub fn expect(bytes: usize) {
    if bytes >= LITTLE {
        drop(with_room::<u8>(bytes));
    }
}

/// Less is not asked for.
const LITTLE: usize = 1 << 20;

/// An empty list with room for so many.
pub fn with_room<T>(count: usize) -> Vec<T> {
    let mut items = Vec::new();
    make_room(&mut items, count);
    items
}

/// The same bytes again.
pub fn copied(bytes: &[u8]) -> Vec<u8> {
    let mut copy = with_room(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

/// Ends the call where it was cancelled, or the session where it was terminated: asked in every loop over what callers give.
pub fn let_interrupt() {
    check_for_interrupts!();
}

/// From so many rows on, or so many bytes, what a call took is given back.
const MANY: usize = 10_000;
const MUCH: usize = 1 << 24;

/// Whether it is to be at the end of the transaction, and whether that is listened for.
static IS_TO_BE: AtomicBool = AtomicBool::new(false);
static IS_HEARD: AtomicBool = AtomicBool::new(false);

/// Gives memory that is free back to the operating system, after a call that took much: the allocator would keep it for the
/// session. At once, and when the transaction has ended, by when PostgreSQL has freed what was given to the call.
pub fn give_back(rows: usize, bytes: usize) {
    if rows < MANY && bytes < MUCH {
        return;
    }
    trim();
    IS_TO_BE.store(true, Ordering::Relaxed);
    if !IS_HEARD.swap(true, Ordering::Relaxed) {
        // SAFETY: the callback lives as long as the library, which PostgreSQL never unloads.
        unsafe { pg_sys::RegisterXactCallback(Some(on_transaction), std::ptr::null_mut()) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _unused: *mut c_void) {
    let ended = matches!(event, pg_sys::XactEvent::XACT_EVENT_COMMIT | pg_sys::XactEvent::XACT_EVENT_ABORT);
    if ended && IS_TO_BE.swap(false, Ordering::Relaxed) {
        trim();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    unsafe extern "C" {
        fn malloc_trim(kept: usize) -> c_int;
    }
    // SAFETY: takes no pointer, and touches nothing that is in use.
    unsafe { malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
