//! pg_credits: a prepaid-credit ledger inside PostgreSQL. This file says what is loaded, in order, and nothing else.

pgrx::pg_module_magic!(name, version);

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
#[cfg(any(test, feature = "pg_test"))]
mod tests;

pgrx::extension_sql_file!("../sql/tables.sql", name = "tables", bootstrap);
pgrx::extension_sql_file!("../sql/meter_tables.sql", name = "meter_tables", requires = ["tables"]);
pgrx::extension_sql_file!("../sql/payment_tables.sql", name = "payment_tables", requires = ["meter_tables"]);
pgrx::extension_sql_file!("../sql/table_comments.sql", name = "table_comments", requires = ["payment_tables"]);
pgrx::extension_sql_file!(
    "../sql/meter_table_comments.sql",
    name = "meter_table_comments",
    requires = ["table_comments"]
);
pgrx::extension_sql_file!(
    "../sql/payment_table_comments.sql",
    name = "payment_table_comments",
    requires = ["meter_table_comments"]
);
pgrx::extension_sql_file!("../sql/lines.sql", name = "lines", requires = ["payment_table_comments"]);
pgrx::extension_sql_file!("../sql/clock.sql", name = "clock", requires = ["lines"]);
pgrx::extension_sql_file!("../sql/customers.sql", name = "customers", requires = ["clock"]);
pgrx::extension_sql_file!("../sql/grants.sql", name = "grants", requires = ["customers"]);
pgrx::extension_sql_file!("../sql/wallet.sql", name = "wallet", requires = ["grants"]);
pgrx::extension_sql_file!("../sql/holds.sql", name = "holds", requires = ["wallet"]);
pgrx::extension_sql_file!("../sql/metering.sql", name = "metering", requires = ["holds"]);
pgrx::extension_sql_file!("../sql/usage.sql", name = "usage", requires = ["metering"]);
pgrx::extension_sql_file!("../sql/running.sql", name = "running", requires = ["usage"]);
pgrx::extension_sql_file!("../sql/catalog.sql", name = "catalog", requires = ["running"]);
pgrx::extension_sql_file!("../sql/top_ups.sql", name = "top_ups", requires = ["catalog"]);
pgrx::extension_sql_file!("../sql/recharges.sql", name = "recharges", requires = ["top_ups"]);
pgrx::extension_sql_file!("../sql/outbox.sql", name = "outbox", requires = ["recharges"]);
pgrx::extension_sql_file!("../sql/views.sql", name = "views", requires = ["outbox"]);
pgrx::extension_sql_file!("../sql/journal.sql", name = "journal", requires = ["views"]);
pgrx::extension_sql_file!("../sql/customer_views.sql", name = "customer_views", requires = ["journal"]);
pgrx::extension_sql_file!("../sql/verify_grants.sql", name = "verify_grants", requires = ["customer_views"]);
pgrx::extension_sql_file!("../sql/verify_usage.sql", name = "verify_usage", requires = ["verify_grants"]);
pgrx::extension_sql_file!("../sql/verify_payments.sql", name = "verify_payments", requires = ["verify_usage"]);
pgrx::extension_sql_file!("../sql/verify.sql", name = "verify", requires = ["verify_payments"]);
pgrx::extension_sql_file!("../sql/roles.sql", name = "roles", requires = ["verify"]);
pgrx::extension_sql_file!("../sql/ownership.sql", name = "ownership", requires = ["roles"]);
pgrx::extension_sql_file!("../sql/privileges.sql", name = "privileges", requires = ["ownership"], finalize);

/// Called by PostgreSQL when the library is loaded.
#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    pg::raise::without_backtraces();
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
    ledger::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge]);
    catalog::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge]);
    payments::listener::LISTENERS.set(&[&auto_recharge::listener::AutoRecharge]);
}

/// What `cargo pgrx test` asks for at the root of the crate.
#[cfg(test)]
pub mod pg_test {
    /// Nothing to be set up.
    pub fn setup(_options: Vec<&str>) {}

    /// The test server's settings: none but PostgreSQL's own.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        Vec::new()
    }
}
