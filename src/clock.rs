//! What pg_credits says of itself to SQL: its clock, whose rows the customer views show, its errors.

use crate::error::CODES;
use crate::moment::Time;
use crate::pg::reply::{Many, Reply, Value};
use crate::row;
use crate::settings;
use pgrx::pg_extern;

/// `credits.clock`: what the extension takes for now(). Raises PC013.
#[pg_extern(sql = false)]
fn clock() -> Reply<Value<Time>> {
    Reply(settings::now().map(Value))
}

/// `credits.current_customer`: whose rows the customer views show; NULL for nobody's.
#[pg_extern(sql = false)]
fn current_customer() -> Reply<Value<Option<String>>> {
    Reply(Ok(Value(settings::current_customer())))
}

row! {
    /// One row of the view `error_codes`.
    pub struct CodeRow {
        /// The SQLSTATE.
        pub code: &'static str,
        /// What people call it.
        pub name: &'static str,
        /// When it is raised.
        pub raised_when: &'static str,
        /// The keys of DETAIL, which is JSON.
        pub detail: &'static str,
    }
}

/// `credits.error_code_list`: what the view `error_codes` shows.
#[pg_extern(sql = false)]
fn error_code_list() -> Reply<Many<CodeRow>> {
    let rows =
        CODES.iter().map(|c| CodeRow { code: c.code, name: c.name, raised_when: c.raised_when, detail: c.detail });
    Reply(Ok(Many(rows.collect())))
}
