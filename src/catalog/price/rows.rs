//! A price's row, as it is written and read again.

use crate::catalog::price::terms::{Given, Terms};
use crate::error::Error;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT4OID, NUMERICOID, Oid, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static STORED: Statement = Statement::new(
    c"SELECT product_id, type, unit_amount, currency, recurring::text, nickname, lookup_key, currency_options::text,
             pricing::text, quantity_limit_per_checkout, credit_config::text, tax_behavior, metadata::text
      FROM credits_internal.prices WHERE price_id = $1",
    &[UUIDOID],
);

/// What a price was given, and its product. Raises PC015.
pub fn stored(session: &Session, price_id: Uuid) -> Result<(Uuid, Given), Error> {
    let rows = STORED.run(session, &[price_id.cell()])?;
    let mut row = rows.first().ok_or(Error::PriceNotFound { price_id, archived: false })?;
    let product_id = row.next()?;
    let given = Given {
        kind: row.next()?,
        unit_amount: row.next()?,
        currency: row.next()?,
        recurring: row.next()?,
        nickname: row.next()?,
        lookup_key: row.next()?,
        currency_options: row.next()?,
        pricing: row.next()?,
        quantity_limit: row.next()?,
        credit_config: row.next()?,
        tax_behavior: row.next()?,
        metadata: row.next()?,
        quantity_available: None,
    };
    Ok((product_id, given))
}

const PARAMETERS: [Oid; 15] = [
    UUIDOID,
    UUIDOID,
    TIMESTAMPTZOID,
    TEXTOID,
    NUMERICOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
    INT4OID,
    TEXTOID,
    TEXTOID,
    TEXTOID,
];

/// Writes a new price.
pub static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.prices (price_id, product_id, created_at, updated_at, type, unit_amount, currency, recurring,
          nickname, lookup_key, currency_options, pricing, quantity_limit_per_checkout, credit_config, tax_behavior, metadata)
      VALUES ($1, $2, $3, $3, $4, $5, $6, $7::jsonb, $8, $9, $10::jsonb, $11::jsonb, $12, $13::jsonb, $14, $15::jsonb)",
    &PARAMETERS,
)
.before(
    c"INSERT INTO credits_internal.prices (price_id, product_id, created_at, type, unit_amount, currency, metadata)
      SELECT $1, $2, $3, $4, $5, $6, $15::jsonb
      FROM (SELECT $7, $8, $9, $10, $11, $12, $13, $14) AS of_0_3",
);

/// Writes all that can change of one.
pub static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.prices p
      SET updated_at = $3, type = $4, unit_amount = $5, currency = $6, recurring = $7::jsonb, nickname = $8, lookup_key = $9,
          currency_options = $10::jsonb, pricing = $11::jsonb, quantity_limit_per_checkout = $12,
          credit_config = $13::jsonb, tax_behavior = $14, metadata = $15::jsonb
      WHERE p.price_id = $1 AND p.product_id = $2",
    &PARAMETERS,
);

/// Runs one of them.
pub fn write(
    session: &Session,
    statement: &Statement,
    price_id: Uuid,
    product_id: Uuid,
    terms: &Terms,
) -> Result<(), Error> {
    let cells = [
        price_id.cell(),
        product_id.cell(),
        settings::now()?.cell(),
        terms.kind.cell(),
        terms.unit_amount.cell(),
        terms.currency.cell(),
        terms.recurring_text().cell(),
        terms.nickname.cell(),
        terms.lookup_key.cell(),
        terms.options_text().cell(),
        terms.pricing.cell(),
        terms.quantity_limit.cell(),
        terms.config_text().cell(),
        terms.tax_behavior.cell(),
        terms.metadata.cell(),
    ];
    match statement.run(session, &cells)?.written() {
        0 => Err(Error::internal("a price was not written")),
        _ => Ok(()),
    }
}
