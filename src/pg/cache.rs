//! Caches of tables that hardly ever change, kept by a session until any session changes them.
//!
//! A trigger on such a table notifies all sessions of a change, through PostgreSQL's own relation invalidations: the
//! others at commit, its own at once, and again at a rollback. A transaction that begins after the commit sees it.

use crate::error::Error;
use crate::pg::backend;
use crate::pg::call::procedure::Call;
use crate::pg::value::Oid;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// The most entries of a cache.
const LIMIT: usize = 1_000;

/// Counts the invalidations that reached this session of relations whose changes matter.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Counts all of them, of any relation.
static INVALIDATIONS: AtomicU64 = AtomicU64::new(0);

/// How many invalidations of relations reached this session so far.
pub fn invalidations() -> u64 {
    INVALIDATIONS.load(Ordering::Relaxed)
}

/// The relations whose changes matter: invalidations of others are ignored. A ring: the extension has three such
/// tables, and gets new ones when it is dropped and created again.
static WATCHED: [AtomicU32; 12] = [const { AtomicU32::new(0) }; 12];
static NEXT_WATCHED: AtomicUsize = AtomicUsize::new(0);

fn is_watched(relation: u32) -> bool {
    WATCHED.iter().any(|watched| watched.load(Ordering::Relaxed) == relation)
}

/// Watches a relation. Returns whether it was watched already.
fn watch(relation: u32) -> bool {
    let watched = is_watched(relation);
    if !watched {
        let index = NEXT_WATCHED.fetch_add(1, Ordering::Relaxed) % WATCHED.len();
        WATCHED[index].store(relation, Ordering::Relaxed);
    }
    watched
}

/// Registers the callback. Called once, when the library is loaded.
pub fn listen() {
    // SAFETY: the callback lives as long as the library, which PostgreSQL never unloads.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(on_invalidation), pg_sys::Datum::null()) };
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn on_invalidation(_unused: pg_sys::Datum, relation: pg_sys::Oid) {
    INVALIDATIONS.fetch_add(1, Ordering::Relaxed);
    // Zero stands for all relations.
    if relation == pg_sys::InvalidOid || is_watched(relation.to_u32()) {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the trigger on such a table does: notifies every session of the change, this one now, the others when the
/// transaction commits.
pub fn table_changed(call: &Call) {
    let Some(table) = call.trigger_table() else { return };
    // SAFETY: the table that the trigger fires for exists.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(table) };
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A cache: values by key, as long as nothing changes.
pub struct Cache<T> {
    entries: RefCell<(u64, HashMap<String, T>)>,
}

impl<T: Clone> Cache<T> {
    /// An empty one.
    pub fn new() -> Self {
        Cache { entries: RefCell::new((0, HashMap::new())) }
    }

    /// The cached value, or what `find` returns, with the tables that it was read from.
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
        // A value read with a snapshot older than the last invalidation must not be cached: neither if this transaction
        // keeps such a snapshot, nor if an invalidation came while reading, nor if one could be missed because the
        // table was not watched yet.
        let snapshot_is_new = backend::is_read_committed();
        if unwatched == 0 && snapshot_is_new && GENERATION.load(Ordering::Relaxed) == generation {
            self.entries.borrow_mut().1.insert(key.to_string(), value.clone());
        }
        Ok(Some(value))
    }
}
