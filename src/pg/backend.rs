//! State of the backend: transactions and their times, the identity of the database, reserved setting names.

use crate::moment::Time;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// When the current transaction began: now() in SQL.
pub fn transaction_start() -> Time {
    // SAFETY: reads a variable of the backend; functions run inside a transaction.
    Time(unsafe { pg_sys::GetCurrentTransactionStartTimestamp() })
}

/// clock_timestamp() in SQL.
pub fn clock() -> Time {
    // SAFETY: reads the operating system's clock.
    Time(unsafe { pg_sys::GetCurrentTimestamp() })
}

/// A transaction, or the part of one since a savepoint.
pub struct Transaction(pg_sys::TransactionId);

impl Transaction {
    /// Whether it has committed, or is in progress in this session and can still commit.
    pub fn holds(&self) -> bool {
        // SAFETY: both read what the server knows of a transaction; functions run inside one.
        unsafe { pg_sys::TransactionIdIsCurrentTransactionId(self.0) || pg_sys::TransactionIdDidCommit(self.0) }
    }
}

/// The current one, which gets an id if it had none.
pub fn transaction() -> Transaction {
    // SAFETY: functions that write run inside a transaction that may.
    Transaction(unsafe { pg_sys::GetCurrentTransactionId() })
}

/// The identity of this database, different from that of a copy restored elsewhere. Copies of the server's files have
/// the same.
pub fn database() -> (u64, u32) {
    // SAFETY: reads what the server was initialised with, and a variable of the backend.
    unsafe { (pg_sys::GetSystemIdentifier(), pg_sys::MyDatabaseId.to_u32()) }
}

/// Whether each statement of the current transaction sees what is committed by then.
pub fn is_read_committed() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::XactIsoLevel <= pg_sys::XACT_READ_COMMITTED as i32 }
}

/// Whether the current user is a superuser.
pub fn is_superuser() -> bool {
    // SAFETY: looks in the catalogue, inside a transaction.
    unsafe { pg_sys::superuser() }
}

/// The file that a table's rows are in now: another after TRUNCATE, CLUSTER or VACUUM FULL; 0 if there is no such
/// table.
pub fn file_of(schema: &CStr, table: &CStr) -> u32 {
    // SAFETY: the names are live C strings, looked up in the catalogue inside a transaction; the row is read before it is
    // given back, and has the layout of its catalogue.
    unsafe {
        let relation = pg_sys::get_relname_relid(table.as_ptr(), pg_sys::get_namespace_oid(schema.as_ptr(), true));
        let row = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, relation.into());
        if row.is_null() {
            return 0;
        }
        let class = pg_sys::GETSTRUCT(row).cast::<pg_sys::FormData_pg_class>();
        let file = (*class).relfilenode.to_u32();
        pg_sys::ReleaseSysCache(row);
        file
    }
}

/// Parses a moment as PostgreSQL does, and raises PostgreSQL's own error for an invalid one.
pub fn parse_timestamp(text: &str) -> Time {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: the text is a live C string that timestamptz_in reads and does not keep.
    let datum = unsafe {
        pg_sys::OidInputFunctionCall(pg_sys::F_TIMESTAMPTZ_IN.into(), text.as_ptr().cast_mut(), pg_sys::InvalidOid, -1)
    };
    Time(datum.value() as i64)
}

/// Reserves the prefix credits.… for settings, so that PostgreSQL refuses a misspelt one.
pub fn settings_are_all() {
    // SAFETY: the name is a C string that lives for ever; called when the library is loaded.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"credits".as_ptr()) };
}
