//! The version of the extension that the database has: after new files were installed, and until ALTER EXTENSION UPDATE, it
//! is the release before the library's.

use crate::error::Error;
use crate::pg::cache;
use crate::pg::statement::{Session, Statement, in_latest_snapshot};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The library's own version.
const LIBRARY: &str = env!("CARGO_PKG_VERSION");

/// Whether the database was seen to have the library's version. It never goes back.
static CURRENT: AtomicBool = AtomicBool::new(false);

/// How many invalidations of relations there had been when it was seen to have an earlier one, and one more.
static SEEN_BEFORE: AtomicU64 = AtomicU64::new(0);

/// Whether the database still has the release before. Raises 55000 if it has none.
pub fn is_before(session: &Session) -> Result<bool, Error> {
    if CURRENT.load(Ordering::Relaxed) {
        return Ok(false);
    }
    // An upgrade step alters tables, which every session hears of before its next statement.
    let heard = cache::invalidations() + 1;
    if SEEN_BEFORE.load(Ordering::Relaxed) == heard {
        return Ok(true);
    }
    let installed = in_latest_snapshot(session, version)?;
    let before = numbers(&installed) < numbers(LIBRARY);
    if before {
        SEEN_BEFORE.store(heard, Ordering::Relaxed);
    } else {
        CURRENT.store(true, Ordering::Relaxed);
    }
    Ok(before)
}

fn version(session: &Session) -> Result<String, Error> {
    static VERSION: Statement =
        Statement::new(c"SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'pg_credits'", &[]);
    VERSION.run(session, &[])?.first().ok_or(Error::VersionsDiffer)?.next()
}

/// A version's numbers, to compare versions by.
fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(numbers("0.2.0") < numbers("0.3.0"));
        assert!(numbers("0.9.0") < numbers("0.10.0"));
        assert!(numbers("0.3.1test") > numbers("0.3.0"));
        assert_eq!(numbers("0.3.0"), numbers("0.3.0"));
    }
}
