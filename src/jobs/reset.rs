//! Reset: empties a database of tests, except for its catalogue.

use crate::error::Error;
use crate::metering::inbox;
use crate::pg::backend;
use crate::pg::call::reply::{Nothing, Reply};
use crate::pg::memory;
use crate::pg::statement::{Session, Statement, run_text, writing};
use crate::pg::subtransaction::if_free;
use crate::settings;
use pgrx::pg_extern;
use std::thread::sleep;
use std::time::Duration;

/// How long the tables stay free for others while one of them is not.
const PAUSE: Duration = Duration::from_millis(10);

/// From how many bytes on a table is truncated. That makes new files, also of its indexes, which takes longer than to
/// delete few rows: a test has few.
const LARGE: i64 = 1 << 20;

// What is not named here belongs to customers.
static TABLES: Statement = Statement::scanning(
    c"SELECT t.name, pg_relation_size(t.oid)
      FROM (SELECT c.oid, c.oid::regclass::text AS name
            FROM pg_depend d
            JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_credits'
            JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'r'
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
              AND c.relname NOT IN ('currencies', 'meters', 'meter_prices', 'products', 'prices', 'price_usage',
                                    'price_stock', 'coupons', 'coupon_counters', 'promotion_codes', 'promotion_code_counters',
                                    'promotion_code_customers', 'catalog_keys', 'exchange_rates', 'recharge_configs',
                                    'payment_links', 'payment_providers', 'outbox_consumers', 'signing_keys')) t
      ORDER BY t.name",
    &[],
);

/// Of what is configured these alone say something of customers: how many of it they have.
const COUNTERS: &str =
    "credits_internal.price_stock, credits_internal.coupon_counters, credits_internal.promotion_code_counters";
const RELEASE: [&str; 3] = [
    "UPDATE credits_internal.price_stock SET taken = 0 WHERE taken > 0",
    "UPDATE credits_internal.coupon_counters SET taken = 0 WHERE taken > 0",
    "UPDATE credits_internal.promotion_code_counters SET taken = 0 WHERE taken > 0",
];

/// The tables that are emptied, with their sizes in bytes. Statements cannot have a table as a parameter, and a table that a
/// later version brings must not be forgotten: so these names, as regclass quotes them, are put into the texts below.
fn tables(session: &Session) -> Result<Vec<(String, i64)>, Error> {
    TABLES.run(session, &[])?.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

fn names<'t>(tables: impl Iterator<Item = &'t (String, i64)>) -> String {
    tables.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// `credits.reset`: empties everything but the catalogue. Raises PC013.
#[pg_extern(sql = false)]
fn reset() -> Reply<Nothing> {
    Reply((|| {
        if !backend::is_superuser() {
            return Err(Error::SuperuserOnly { function: "reset" });
        }
        if settings::production() {
            return Err(Error::Production);
        }
        writing(|session| {
            let all = format!("{}, {}", names(tables(session)?.iter()), COUNTERS);
            let lock = format!("LOCK TABLE {all} IN ACCESS EXCLUSIVE MODE");
            // All or none of them: a session in the middle of its work would otherwise wait for one of them, and this for
            // another of that session's.
            while !if_free(|| run_text(session, &lock))? {
                memory::let_interrupt();
                sleep(PAUSE);
            }
            // Once they are locked, their sizes stay, and there are no rows that a new snapshot does not see.
            let least = if backend::is_read_committed() { LARGE } else { 1 };
            let (large, small): (Vec<_>, Vec<_>) = tables(session)?.into_iter().partition(|(_, bytes)| *bytes >= least);
            for (name, _) in small.iter().filter(|(_, bytes)| *bytes > 0) {
                run_text(session, &format!("DELETE FROM {name}"))?;
            }
            if !large.is_empty() {
                run_text(session, &format!("TRUNCATE {}", names(large.iter())))?;
            }
            for release in RELEASE {
                run_text(session, release)?;
            }
            inbox::forget();
            Ok(Nothing)
        })
    })())
}
