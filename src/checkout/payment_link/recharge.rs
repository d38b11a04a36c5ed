//! The link with which a credit currency is recharged: it follows the currency's recharge configuration.

use crate::catalog::listener::{Changed, Listener};
use crate::checkout::cart::{self, Item};
use crate::error::Error;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::installed;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static OFFER: Statement = Statement::new(
    c"SELECT r.base_price_id, p.product_name, p.currency, i.quantity_limit_per_checkout, l.payment_link_id
      FROM credits_internal.recharge_configs r
      JOIN credits_internal.offers p ON p.price_id = r.base_price_id
      JOIN credits_internal.prices i ON i.price_id = r.base_price_id
      LEFT JOIN credits_internal.payment_links l ON l.recharge_currency = r.currency
      WHERE r.currency = $1",
    &[TEXTOID],
);

static PUT: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_links AS l (payment_link_id, name, line_items, currency, allow_promotion_codes,
          recharge_currency, created_at, updated_at)
      VALUES ($1, $2, $3::jsonb, $4, true, $5, $6, $6)
      ON CONFLICT (recharge_currency) WHERE recharge_currency IS NOT NULL
      DO UPDATE SET name = excluded.name, line_items = excluded.line_items, currency = excluded.currency,
                    updated_at = excluded.updated_at, archived_at = NULL
      WHERE (l.name, l.line_items, l.currency) IS DISTINCT FROM (excluded.name, excluded.line_items, excluded.currency)
         OR l.archived_at IS NOT NULL
      RETURNING l.payment_link_id",
    &[UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// Signed up in lib.rs.
pub struct RechargeLinks;

impl Listener for RechargeLinks {
    fn changed(&self, session: &Session, changed: Changed<'_>) -> Result<(), Error> {
        let Changed::RechargeConfig(code) = changed else { return Ok(()) };
        // A schema of the release before has no links: the step to this one makes them.
        if installed::is_before(session)? { Ok(()) } else { follow(session, code) }
    }
}

fn follow(session: &Session, code: &str) -> Result<(), Error> {
    let rows = OFFER.run(session, &[code.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(()) };
    let (price_id, name, currency): (Uuid, String, String) = (row.next()?, row.next()?, row.next()?);
    let (limit, there): (Option<i32>, Option<Uuid>) = (row.next()?, row.next()?);
    let items = [Item {
        price_id,
        quantity: 1,
        adjustable: Some((1, limit.unwrap_or(i32::MAX))),
        custom_amount: None,
        tax_rate: None,
        tax_behavior: None,
        description: None,
        metadata: None,
    }];
    let now = settings::now()?;
    let updated = EventType::PaymentLinkUpdated;
    let before = there.map(|id| billing_event::before(session, updated, id, None)).transpose()?.flatten();
    let cells = [
        there.unwrap_or_else(Uuid::now_v7).cell(),
        name.cell(),
        cart::written(&items, None).cell(),
        currency.cell(),
        code.cell(),
        now.cell(),
    ];
    let written: Option<Uuid> = PUT.run(session, &cells)?.first().map(|mut row| row.next()).transpose()?;
    match (written, before) {
        (None, _) => Ok(()),
        (Some(id), None) => billing_event::record(session, EventType::PaymentLinkCreated, id, None, now),
        (Some(id), before) => billing_event::updated(session, updated, id, None, before, now),
    }
}
