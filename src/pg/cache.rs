//! What a session remembers of tables that hardly ever change, until any session changes them.
//!
//! A trigger on such a table tells all sessions of a change, through PostgreSQL's own relation invalidations: at commit
//! the others, at once its own, and again when it is rolled back. A transaction that begins after the commit sees it.

use crate::error::Error;
use crate::pg::call::procedure::Call;
use crate::pg::value::Oid;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Most entries that a session keeps.
const LIMIT: usize = 1_000;

/// Counts the invalidations of relations that reached this session.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The relations whose changes matter: of any other the invalidation is passed over. A ring: the extension has three such
/// tables, and gets new ones when it is dropped and created again.
static WATCHED: [AtomicU32; 12] = [const { AtomicU32::new(0) }; 12];
static NEXT_WATCHED: AtomicUsize = AtomicUsize::new(0);

fn is_watched(relation: u32) -> bool {
    WATCHED.iter().any(|watched| watched.load(Ordering::Relaxed) == relation)
}

/// Whether it was watched already.
fn watch(relation: u32) -> bool {
    let watched = is_watched(relation);
    if !watched {
        let index = NEXT_WATCHED.fetch_add(1, Ordering::Relaxed) % WATCHED.len();
        WATCHED[index].store(relation, Ordering::Relaxed);
    }
    watched
}

/// Starts to listen. Called once, when the library is loaded.
pub fn listen() {
    // SAFETY: the callback lives as long as the library, which PostgreSQL never unloads.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(on_invalidation), pg_sys::Datum::null()) };
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn on_invalidation(_unused: pg_sys::Datum, relation: pg_sys::Oid) {
    // Zero stands for all of them.
    if relation == pg_sys::InvalidOid || is_watched(relation.to_u32()) {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a trigger on such a table does: tells every session that it changed, this one now, the others when the
/// transaction commits.
pub fn table_changed(call: &Call) {
    let Some(table) = call.trigger_table() else { return };
    // SAFETY: the table that the trigger fires for exists.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(table) };
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Values by key, as long as nothing changed.
pub struct Cache<T> {
    entries: RefCell<(u64, HashMap<String, T>)>,
}

impl<T: Clone> Cache<T> {
    /// An empty one.
    pub fn new() -> Self {
        Cache { entries: RefCell::new((0, HashMap::new())) }
    }

    /// The value that is remembered, or what `find` finds, with the tables that it was read from.
    pub fn get_or_find(
        &self,
        key: &str,
        find: impl FnOnce() -> Result<Option<(T, Vec<Oid>)>, Error>,
    ) -> Result<Option<T>, Error> {
        let generation = GENERATION.load(Ordering::Relaxed);
        {
            let mut entries = self.entries.borrow_mut();
            if entries.0 != generation || entries.1.len() >= LIMIT {
                *entries = (generation, HashMap::new());
            }
            if let Some(value) = entries.1.get(key) {
                return Ok(Some(value.clone()));
            }
        }
        let Some((value, tables)) = find()? else { return Ok(None) };
        let unwatched = tables.iter().filter(|table| !watch(table.0.to_u32())).count();
        // An older snapshot than the last invalidation must not be remembered: neither one that this transaction
        // keeps, nor one that was passed while reading, nor one that could pass because nobody watched.
        // SAFETY: reads a variable of the backend.
        let snapshot_is_new = unsafe { pg_sys::XactIsoLevel } <= pg_sys::XACT_READ_COMMITTED as i32;
        if unwatched == 0 && snapshot_is_new && GENERATION.load(Ordering::Relaxed) == generation {
            self.entries.borrow_mut().1.insert(key.to_string(), value.clone());
        }
        Ok(Some(value))
    }
}
