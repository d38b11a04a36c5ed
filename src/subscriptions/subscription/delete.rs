//! Deleting a subscription of which nothing ever came: no invoice, no line, no discount, no usage.

use crate::error::Error;
use crate::input;
use crate::invoicing::customer;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use crate::subscriptions::subscription::{self, SubscriptionRow};
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};

static IS_USED: Statement = Statement::new(
    c"SELECT EXISTS (SELECT FROM credits_internal.invoices i WHERE i.customer_id = $1 AND i.subscription_id = $2)
          OR EXISTS (SELECT FROM credits_internal.redemptions r WHERE r.customer_id = $1 AND r.holder_id = $2)
          OR EXISTS (SELECT FROM credits_internal.subscriptions s
                     WHERE s.customer_id = $1 AND s.subscription_id = $2 AND s.checkout_session_id IS NOT NULL)
          OR EXISTS (SELECT FROM credits_internal.subscription_items i
                     JOIN credits_internal.invoice_lines l
                       ON l.customer_id = i.customer_id AND l.subscription_item_id = i.subscription_item_id
                     WHERE i.customer_id = $1 AND i.subscription_id = $2)
          OR EXISTS (SELECT FROM credits_internal.usage_record_summaries u
                     JOIN credits_internal.subscription_items i
                       ON i.customer_id = u.customer_id AND i.subscription_item_id = u.subscription_item_id
                     WHERE i.customer_id = $1 AND i.subscription_id = $2 AND (u.records > 0 OR u.closes_at IS NULL))",
    &[TEXTOID, UUIDOID],
);
static DELETE_PERIODS: Statement = Statement::new(
    c"DELETE FROM credits_internal.subscription_periods p WHERE p.customer_id = $1 AND p.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);
static DELETE_ITEMS: Statement = Statement::new(
    c"DELETE FROM credits_internal.subscription_items i WHERE i.customer_id = $1 AND i.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);
static DELETE_USAGE: Statement = Statement::new(
    c"DELETE FROM credits_internal.usage_record_summaries u
      WHERE u.customer_id = $1 AND u.subscription_id = $2 AND u.closes_at IS NOT NULL",
    &[TEXTOID, UUIDOID],
);
static DELETE: Statement = Statement::new(
    c"DELETE FROM credits_internal.subscriptions s WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);

/// `credits.subscription_delete`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_delete(customer_id: Option<&str>, subscription_id: Option<Id>) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_id", subscription_id)?.0;
        writing(|session| {
            customer::lock(session, customer_id)?;
            subscription::lock(session, customer_id, id)?.must_be_own()?;
            let cells = [customer_id.cell(), id.cell()];
            if is_used(session, customer_id, id)? {
                let (object, id) = ("subscription", id.to_string());
                return Err(Error::StateConflict { object, id, state: "used" });
            }
            let row = subscription::find(session, customer_id, id, false)?;
            let (event, now) = (EventType::SubscriptionDeleted, settings::now()?);
            billing_event::record(session, event, id, Some(customer_id), now)?;
            DELETE_USAGE.run(session, &cells)?;
            DELETE_PERIODS.run(session, &cells)?;
            DELETE_ITEMS.run(session, &cells)?;
            DELETE.run(session, &cells)?;
            Ok(One(row))
        })
    })())
}

/// Whether an invoice was ever made of it, or something is to be charged, or it has a discount, or a session brought it.
fn is_used(session: &Session, customer_id: &str, id: uuid::Uuid) -> Result<bool, Error> {
    let rows = IS_USED.run(session, &[customer_id.cell(), id.cell()])?;
    rows.first().map_or(Ok(true), |mut row| row.next())
}
