//! How many units of a price there are, changed by so many.

use crate::catalog::price::{LOCK, PriceRow, find};
use crate::catalog::stock::level;
use crate::input;
use crate::input::key;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::writing;
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;

/// What price_inventory() may do.
const ACTIONS: [&str; 2] = ["increment", "decrement"];

/// `credits.price_inventory`. Raises PC002, PC013, PC015, PC020.
#[pg_extern(sql = false)]
fn price_inventory(
    price_id: Option<Id>,
    quantity: Option<i32>,
    action: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<PriceRow>> {
    Reply((|| {
        let price_id = input::required("price_id", price_id)?.0;
        let quantity = input::at_least_one("quantity", quantity)?;
        let action = input::required("action", action)?;
        let action = input::choice("action", Some(action), action, &ACTIONS)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let by = i64::from(if action == ACTIONS[0] { quantity } else { -quantity });
        writing(|session| {
            find(session, price_id, false)?;
            let inputs = vec![
                ("price_id", Some(price_id.to_string())),
                ("action", Some(action.to_string())),
                ("quantity", Some(quantity.to_string())),
            ];
            let now = settings::now()?;
            let first = key::claim(session, key, "price_inventory", price_id, &inputs, now)?;
            if first.is_none() {
                LOCK.run(session, &[price_id.cell()])?;
                let shown = billing_event::before(session, EventType::PriceUpdated, price_id, None)?;
                level::change(session, price_id, by, now)?;
                billing_event::updated(session, EventType::PriceUpdated, price_id, None, shown, now)?;
            }
            find(session, price_id, first.is_some()).map(One)
        })
    })())
}
