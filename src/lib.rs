//! pg_credits: a prepaid-credit ledger inside PostgreSQL. This file says what the library is made of, and nothing else; what
//! the script is made of, sql/files.txt does.

pgrx::pg_module_magic!(name, version);

mod address;
pub mod amount;
mod auto_recharge;
mod catalog;
mod checkout;
mod clock;
pub mod error;
mod error_codes;
mod input;
mod jobs;
mod json;
pub mod ledger;
pub mod metering;
pub mod moment;
mod nearest;
mod outbox;
mod payments;
mod pg;
mod rational;
mod settings;
mod signup;
#[cfg(feature = "pg_test")]
mod tests;

/// Called by PostgreSQL when the library is loaded.
#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    pg::call::raise::without_backtraces();
    // Before anything is registered: where this does not return, all of it is called again.
    settings::refuse();
    pg::cache::listen();
    pg::planning::listen();
    settings::register();
    sign_up();
}

/// Who listens to which room: a line each.
fn sign_up() {
    ledger::listener::METERS.set(&[&metering::listener::Metering]);
    ledger::listener::LISTENERS.set(&[
        &metering::listener::Metering,
        &payments::erasure::Payments,
        &auto_recharge::listener::AutoRecharge,
    ]);
    catalog::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge]);
    payments::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge]);
}
