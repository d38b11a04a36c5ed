//! What the extension takes for now.

use crate::moment::Time;
use crate::pg::call::reply::{Reply, Value};
use crate::settings;
use pgrx::pg_extern;

/// `credits.clock`: what the extension takes for now(). Raises PC013.
#[pg_extern(sql = false)]
fn clock() -> Reply<Value<Time>> {
    Reply(settings::now().map(Value))
}
