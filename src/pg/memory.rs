//! Memory and time that depend on the caller's input. If an allocation fails, Rust aborts the process, and with it the
//! server. So whatever grows with the input reserves memory first, and raises PostgreSQL's error if there is too
//! little. Everything else is bounded.

use pgrx::PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY;
use pgrx::{check_for_interrupts, ereport, pg_guard, pg_sys};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reserves room for more items. Raises PostgreSQL's out_of_memory: as a panic, so that everything on the stack is
/// dropped.
pub fn make_room<T>(items: &mut Vec<T>, more: usize) {
    if items.try_reserve(more).is_err() {
        let bytes = more.saturating_mul(size_of::<T>());
        let detail = format!("Failed on request of size {bytes}.");
        ereport!(ERROR, ERRCODE_OUT_OF_MEMORY, "out of memory", detail);
    }
}

/// Raises the same if so many bytes are not available: called before work that allocates them bit by bit.
pub fn expect(bytes: usize) {
    if bytes >= LITTLE {
        drop(with_room::<u8>(bytes));
    }
}

/// Smaller amounts are not checked.
const LITTLE: usize = 1 << 20;

/// An empty list with reserved room.
pub fn with_room<T>(count: usize) -> Vec<T> {
    let mut items = Vec::new();
    make_room(&mut items, count);
    items
}

/// A copy of bytes.
pub fn copied(bytes: &[u8]) -> Vec<u8> {
    let mut copy = with_room(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

/// Ends the call if it was cancelled, or the session if it was terminated: called in every loop over the caller's
/// input.
pub fn let_interrupt() {
    check_for_interrupts!();
}

/// From so many rows or bytes on, the memory that a call took is given back.
const MANY: usize = 10_000;
const MUCH: usize = 1 << 24;

/// Whether to trim at the end of the transaction, and whether the callback is registered.
static TRIM_AT_END: AtomicBool = AtomicBool::new(false);
static IS_REGISTERED: AtomicBool = AtomicBool::new(false);

/// Returns free memory to the operating system after a call that took much: the allocator would keep it for the
/// session. Once now, and again at the end of the transaction, when PostgreSQL has freed the call's arguments.
pub fn give_back(rows: usize, bytes: usize) {
    if rows < MANY && bytes < MUCH {
        return;
    }
    trim();
    TRIM_AT_END.store(true, Ordering::Relaxed);
    if !IS_REGISTERED.swap(true, Ordering::Relaxed) {
        // SAFETY: the callback lives as long as the library, which PostgreSQL never unloads.
        unsafe { pg_sys::RegisterXactCallback(Some(on_transaction), std::ptr::null_mut()) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _unused: *mut c_void) {
    let ended = matches!(event, pg_sys::XactEvent::XACT_EVENT_COMMIT | pg_sys::XactEvent::XACT_EVENT_ABORT);
    if ended && TRIM_AT_END.swap(false, Ordering::Relaxed) {
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
