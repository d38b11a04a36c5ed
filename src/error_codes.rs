//! The list of error codes, for SQL.

use crate::error::CODES;
use crate::pg::call::reply::{Many, Reply};
use crate::row;
use pgrx::pg_extern;

row! {
    /// One row of the view `error_codes`.
    pub struct CodeRow {
        /// The SQLSTATE.
        pub code: &'static str,
        /// Its name.
        pub name: &'static str,
        /// When it is raised.
        pub raised_when: &'static str,
        /// The keys of DETAIL, which is JSON.
        pub detail: &'static str,
    }
}

/// `credits_internal.error_code_list`: what the view `error_codes` shows.
#[pg_extern(sql = false)]
fn error_code_list() -> Reply<Many<CodeRow>> {
    let rows =
        CODES.iter().map(|c| CodeRow { code: c.code, name: c.name, raised_when: c.raised_when, detail: c.detail });
    Reply(Ok(Many(rows.collect())))
}
