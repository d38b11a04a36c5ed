//! pg_credits: a prepaid-credit ledger inside PostgreSQL. This file says only what the library consists of;
//! sql/files.txt says what the script consists of.

pgrx::pg_module_magic!(name, version);

mod address;
pub mod amount;
mod auto_recharge;
mod catalog;
mod checkout;
mod clock;
pub mod error;
mod error_codes;
mod fields;
mod input;
mod invoicing;
mod jobs;
mod json;
pub mod ledger;
pub mod metering;
pub mod moment;
mod nearest;
mod outbox;
mod pages;
mod past;
mod payments;
mod pg;
mod rational;
mod settings;
mod signup;
mod subscriptions;
#[cfg(feature = "pg_test")]
mod tests;

/// Called by PostgreSQL when the library is loaded.
#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    pg::call::raise::without_backtraces();
    // Before anything is registered: if this raises an error, PostgreSQL calls all of it again.
    settings::refuse();
    pg::cache::listen();
    pg::planning::listen();
    settings::register();
    sign_up();
}

/// Which room listens to which: one line each.
fn sign_up() {
    ledger::listener::METERS.set(&[&metering::listener::Metering]);
    ledger::listener::LISTENERS.set(&[
        &metering::listener::Metering,
        &catalog::stock::Stock,
        &catalog::redemption::Redemptions,
        &payments::erasure::Payments,
        &invoicing::erasure::Invoicing,
        &subscriptions::erasure::Subscriptions,
        &checkout::checkout_session::Listener,
        &auto_recharge::listener::AutoRecharge,
        &ledger::grant::events::GrantEvents,
    ]);
    catalog::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge, &checkout::payment_link::RechargeLinks]);
    payments::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge]);
    invoicing::listener::LISTENERS.set(&[&subscriptions::settlement::Subscriptions]);
    payments::listener::PLANS.set(&[&subscriptions::external::Provided]);
    payments::listener::SALES.set(&[&invoicing::sale::Sales, &checkout::checkout_session::Seller]);
}
