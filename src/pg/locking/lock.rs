//! Locks of the extension's own, which no SQL command can take: a login that may call nothing cannot hold anybody up with them,
//! as it could with advisory locks, whose keys belong to whoever thinks of them.
//!
//! Their tag is that of a database object, in the lock table of PostgreSQL's own commands: the class is a table of the
//! extension, where a command has a system catalogue, the object is a hash. They show in `pg_locks` as locks of type 'object'
//! with `classid` that table's oid. All of them last until the transaction, or the part of it that took them, ends.

use crate::pg::statement::Session;
use foldhash::fast::FixedState;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::hash::{BuildHasher, Hash};

/// The schemas of the tables that give locks their class, the one that has nearly all of them first.
const SCHEMAS: [&CStr; 2] = [c"credits_internal", c"credits"];

/// One lock that one session at a time can have, or any number that share it.
pub struct Lock(pg_sys::LOCKTAG);

impl Lock {
    /// That of a table's key, which need not be in it. Keys of one hash, 48 bits of it, share a lock.
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

    /// Takes it where nobody else has it; whether it did.
    pub fn take_if_free(&self) -> bool {
        self.acquire(pg_sys::ExclusiveLock, true)
    }

    /// Waits for it.
    pub fn take(&self) {
        self.acquire(pg_sys::ExclusiveLock, false);
    }

    /// Waits for it, and has it together with others that share it.
    pub fn share(&self) {
        self.acquire(pg_sys::ShareLock, false);
    }

    fn acquire(&self, mode: u32, only_if_free: bool) -> bool {
        // SAFETY: the tag is whole; a lock of the transaction's, which the end of it or of a part of it gives back.
        let result = unsafe { pg_sys::LockAcquire(&self.0, mode as i32, false, only_if_free) };
        result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
    }

    /// Gives it back before the transaction ends: only what nothing was written under.
    pub fn give_back(self) {
        // SAFETY: gives back what `take` or `take_if_free` took.
        unsafe { pg_sys::LockRelease(&self.0, pg_sys::ExclusiveLock as i32, false) };
    }
}
