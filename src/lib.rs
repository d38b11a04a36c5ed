//! pg_credits: a prepaid-credit ledger inside PostgreSQL. This file says what the library is made of, and nothing else; what
//! the script is made of, sql/files.txt does.

pgrx::pg_module_magic!(name, version);

pub mod amount;
pub mod clock;
pub mod error;
mod input;
mod json;
pub mod ledger;
mod maintenance;
pub mod metering;
mod nearest;
mod pg;
mod running;
mod settings;
#[cfg(feature = "pg_test")]
mod tests;
mod topup;

/// Called by PostgreSQL when the library is loaded.
#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    pg::raise::without_backtraces();
    // Before anything is registered: where this does not return, all of it is called again.
    settings::refuse();
    pg::cache::listen();
    pg::planning::listen();
    settings::register();
}
