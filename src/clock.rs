//! The clock: what the extension uses as the current time.

use crate::error::Error;
use crate::moment::Time;
use crate::pg::call::reply::{Reply, Value};
use crate::pg::statement::{Session, Statement};
use crate::settings;
use pgrx::{pg_extern, warning};

// What the server's own configuration says is everybody's clock.
static OWN_CLOCK: Statement = Statement::scanning(
    c"SELECT s.source NOT IN ('default', 'environment variable', 'configuration file', 'command line')
      FROM pg_catalog.pg_settings s WHERE s.name = 'credits.test_clock'",
    &[],
);

/// Whether this session has a test clock that others do not have.
fn is_own(session: &Session) -> Result<bool, Error> {
    if !settings::is_clock_set() {
        return Ok(false);
    }
    OWN_CLOCK.run(session, &[])?.first().map_or(Ok(false), |mut row| row.next())
}

/// Whether maintenance does by this session's clock what time brings in billing. Where it does not, it warns that such
/// things are left as they are.
pub fn drives_billing(session: &Session, things: &str) -> Result<bool, Error> {
    let drives = settings::test_clock_drives_billing() || !is_own(session)?;
    if !drives {
        warning!(
            "{things} by this session's test clock are left as they are: credits.test_clock_drives_billing is off"
        );
    }
    Ok(drives)
}

/// `credits.clock`: what the extension uses as now(). Raises PC013.
#[pg_extern(sql = false)]
fn clock() -> Reply<Value<Time>> {
    Reply(settings::now().map(Value))
}
