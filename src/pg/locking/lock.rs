//! The extension's own locks, which no SQL command can take. So a login without rights cannot block others with them,
//! as it could with advisory locks, whose keys anyone may use.
//!
//! Their tag is that of a database object, as PostgreSQL's own commands use it: but the class is a table of the
//! extension instead of a system catalogue, and the object is a hash. They appear in `pg_locks` as type 'object' with
//! the table's oid as `classid`. They last until the transaction, or the subtransaction that took them, ends.

use crate::pg::statement::Session;
use foldhash::fast::FixedState;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::hash::{BuildHasher, Hash};

/// The schemas of the tables that serve as lock classes, first the one that has nearly all of them.
const SCHEMAS: [&CStr; 2] = [c"credits_internal", c"credits"];

/// A lock that one session at a time can hold, or any number that share it.
pub struct Lock(pg_sys::LOCKTAG);

impl Lock {
    /// The lock of a table's key, which need not exist. Keys with the same hash of 48 bits share a lock.
    pub fn of(_session: &Session, table: &CStr, key: impl Hash) -> Self {
        let hash = FixedState::default().hash_one(key);
        // SAFETY: both names are C strings, looked up in the catalogue inside a transaction; the last reads a variable.
        let (class, database) = unsafe {
            let mut found = SCHEMAS.iter().map(|schema| {
                pg_sys::get_relname_relid(table.as_ptr(), pg_sys::get_namespace_oid(schema.as_ptr(), true))
            });
            let found = found.find(|oid| *oid != pg_sys::InvalidOid);
            (found.unwrap_or(pg_sys::InvalidOid), pg_sys::MyDatabaseId)
        };
        Lock(pg_sys::LOCKTAG {
            locktag_field1: database.to_u32(),
            locktag_field2: class.to_u32(),
            locktag_field3: hash as u32,
            locktag_field4: (hash >> 32) as u16,
            locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
            locktag_lockmethodid: pg_sys::DEFAULT_LOCKMETHOD as u8,
        })
    }

    /// Takes it if it is free. Returns whether it did.
    pub fn take_if_free(&self) -> bool {
        self.acquire(pg_sys::ExclusiveLock, true)
    }

    /// Waits for it.
    pub fn take(&self) {
        self.acquire(pg_sys::ExclusiveLock, false);
    }

    /// Waits for it, and shares it with others that do.
    pub fn share(&self) {
        self.acquire(pg_sys::ShareLock, false);
    }

    fn acquire(&self, mode: u32, only_if_free: bool) -> bool {
        // SAFETY: the tag is whole; a lock of the transaction's, which the end of it or of a part of it gives back.
        let result = unsafe { pg_sys::LockAcquire(&self.0, mode as i32, false, only_if_free) };
        result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
    }

    /// Releases it before the transaction ends: only if nothing was written under it.
    pub fn give_back(self) {
        // SAFETY: gives back what `take` or `take_if_free` took.
        unsafe { pg_sys::LockRelease(&self.0, pg_sys::ExclusiveLock as i32, false) };
    }
}
