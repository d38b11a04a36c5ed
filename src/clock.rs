//! The clock: what the extension uses as the current time.

use crate::moment::Time;
use crate::pg::call::reply::{Reply, Value};
use crate::settings;
use pgrx::pg_extern;

/// `credits.clock`: what the extension uses as now(). Raises PC013.
#[pg_extern(sql = false)]
fn clock() -> Reply<Value<Time>> {
    Reply(settings::now().map(Value))
}
