//! Which types of events are wanted by some endpoint, as the session remembers it: whoever writes an event asks here whether it
//! is to be sent, and those that nobody wants otherwise are not even written.

use crate::error::Error;
use crate::outbox::billing_event::EventType;
use crate::outbox::webhook_endpoint::names::ALL;
use crate::pg::cache::Cache;
use crate::pg::installed;
use crate::pg::statement::{Session, Statement, in_latest_snapshot};
use crate::pg::value::Oid;
use std::collections::BTreeSet;
use std::rc::Rc;

static WANTED: Statement = Statement::scanning(
    c"SELECT 'credits_internal.webhook_endpoints'::regclass,
             ARRAY(SELECT DISTINCT n.name FROM credits_internal.webhook_endpoints w
                   CROSS JOIN unnest(w.enabled_events) AS n (name) WHERE w.status = 'enabled')",
    &[],
);

thread_local! {
    static CACHE: Cache<Rc<BTreeSet<String>>> = Cache::new();
}

/// Whether an endpoint is to be sent events of that type.
pub fn is_wanted(session: &Session, event_type: EventType) -> Result<bool, Error> {
    if installed::is_before(session)? {
        return Ok(false);
    }
    let find = || {
        in_latest_snapshot(session, |session| {
            let rows = WANTED.run(session, &[])?;
            let mut row = rows.first().ok_or_else(|| Error::internal("a question returned no row"))?;
            let table: Oid = row.next()?;
            let names: Vec<String> = row.next()?;
            Ok(Some((Rc::new(names.into_iter().collect()), vec![table])))
        })
    };
    let names = CACHE.with(|cache| cache.get_or_find("", find))?;
    Ok(names.is_some_and(|names| !names.is_empty() && (names.contains(event_type.as_str()) || names.contains(ALL))))
}
