//! The data of a billing page, in one call.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::payments::{money, provider, providers};
use crate::pg::call::reply::{Reply, Value};
use crate::pg::statement::{Row, Session, Statement, reading};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICARRAYOID, TEXTOID, UUIDARRAYOID};
use uuid::Uuid;

// Amounts as text, so that no reader of JSON rounds them.
static PAGE: Statement = Statement::scanning(
    c"SELECT jsonb_build_object(
          'customer', (SELECT jsonb_build_object('customer_id', c.customer_id, 'name', c.name, 'email', c.email,
                                                 'metadata', c.metadata)
                       FROM credits_internal.customers c WHERE c.customer_id = $1),
          'balances', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                              'currency', b.currency, 'available', b.available::text, 'restricted', b.restricted::text,
                              'held', b.held::text, 'pending', b.pending::text, 'next_expiry_at', b.next_expiry_at,
                              'next_expiry_amount', b.next_expiry_amount::text) ORDER BY b.currency), '[]')
                       FROM credits.wallet_balance($1) b),
          'packages', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                              'price_id', p.price_id, 'product_id', p.product_id, 'name', p.name,
                              'description', p.description, 'credits', p.credits::text,
                              'credit_currency', p.credit_currency, 'unit_amount', p.unit_amount::text,
                              'price_currency', p.price_currency, 'metadata', p.metadata)
                              ORDER BY p.credit_currency, p.unit_amount, p.price_id), '[]')
                       FROM credits.packages p),
          'availablePackages', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                       'id', p.price_id, 'name', p.name, 'description', p.description,
                                       'credits', p.credits, 'creditCurrency', p.credit_currency, 'priceMinor', k.minor,
                                       'currency', p.price_currency)
                                       || CASE p.price_currency WHEN 'NGN' THEN jsonb_build_object('priceKobo', k.minor)
                                                                ELSE '{}' END
                                       ORDER BY p.credit_currency, p.unit_amount, p.price_id), '[]')
                                FROM credits.packages p
                                LEFT JOIN unnest($2, $3) AS k (price_id, minor) ON k.price_id = p.price_id),
          'meters', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                            'event_name', m.event_name, 'name', m.name, 'unit', m.unit, 'currency', m.currency,
                            'unit_price', m.unit_price::text, 'pricing', m.pricing) ORDER BY m.event_name), '[]')
                     FROM credits.meters m WHERE m.active),
          'history', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                             'currency', h.currency, 'line_no', h.line_no, 'type', h.type, 'amount', h.amount::text,
                             'running_balance', h.running_balance::text, 'description', h.description, 'grant_name', h.grant_name,
                             'event_name', h.event_name, 'quantity', h.quantity::text, 'effective_at', h.effective_at)), '[]')
                      FROM credits.wallet_history($1, page_size => 20) h),
          'purchases', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.created_at DESC), '[]')
                        FROM (SELECT t.top_up_id, t.price_id, t.name, t.status, t.amount::text, t.currency, t.credits::text, t.credit_currency,
                                     t.refunded_amount::text, t.created_at, t.paid_at
                              FROM credits.top_ups t WHERE t.customer_id = $1
                              ORDER BY t.created_at DESC, t.top_up_id DESC LIMIT 20) p),
          'auto_recharge', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                   'currency', r.currency, 'enabled', r.enabled, 'threshold', r.threshold::text,
                                   'price_id', r.price_id, 'quantity', r.quantity, 'failures', r.failures,
                                   'disabled_reason', r.disabled_reason) ORDER BY r.currency), '[]')
                            FROM credits_internal.auto_recharges r WHERE r.customer_id = $1))",
    &[TEXTOID, UUIDARRAYOID, NUMERICARRAYOID],
);

static PRICES: Statement =
    Statement::scanning(c"SELECT price_id, unit_amount, price_currency FROM credits.packages", &[]);

/// What is on sale, and what it costs in minor units; `None` if that is no whole number.
fn minor_units(session: &Session) -> Result<Vec<(Uuid, Option<Decimal>)>, Error> {
    let provider = provider::or_only(session, None)?.map(|provider| provider.name);
    let provider = providers::of(provider.as_deref().unwrap_or_default());
    let read = |mut row: Row<'_>| {
        let (price_id, amount, currency): (Uuid, Decimal, String) = (row.next()?, row.next()?, row.next()?);
        Ok((price_id, money::to_minor(amount, provider.minor_decimals(&currency))))
    };
    PRICES.run(session, &[])?.iter().map(read).collect()
}

/// `credits.billing_bootstrap`. Raises PC013.
#[pg_extern(sql = false)]
fn billing_bootstrap(customer_id: Option<&str>) -> Reply<Value<Json>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        reading(|session| {
            let prices = minor_units(session)?;
            let ids = array(prices.iter().map(|(price_id, _)| *price_id));
            let rows = PAGE.run(session, &[customer_id.cell(), ids, array(prices.iter().map(|(_, minor)| *minor))])?;
            rows.first().ok_or_else(|| Error::internal("a question returned no row"))?.next().map(Value)
        })
    })())
}
