//! Tax, discounts and shipping that the provider's checkout added replace ours: replaced.rs says how.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::line::given::BEHAVIORS;
use crate::invoicing::sale::replaced::{Before, replaced};
use crate::invoicing::sale::total_of;
use crate::ledger::currency;
use crate::payments::payment_intent::Intent;
use crate::payments::reckoning::Cover;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{BOOLOID, NUMERICARRAYOID, NUMERICOID, TEXTOID, UUIDARRAYOID, UUIDOID};
use uuid::Uuid;

static LINES: Statement = Statement::new(
    c"SELECT l.invoice_line_id, l.amount, l.given_discount, l.tax, l.tax_behavior FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.top_up_id, t.amount, 0::numeric, 0::numeric, 'exclusive' FROM credits_internal.top_ups t
      WHERE t.customer_id = $1 AND t.top_up_id = $2 AND false",
);

static REPLACE: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l
      SET amount = p.amount, discount = p.discount, tax = p.tax, amount_excluding_tax = p.net,
          tax_behavior = CASE WHEN $8 THEN 'inclusive' ELSE 'exclusive' END, tax_rate = NULL
      FROM unnest($3, $4, $5, $6, $7) AS p (id, amount, discount, tax, net)
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.invoice_line_id = p.id",
    &[TEXTOID, UUIDOID, UUIDARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, BOOLOID],
);
static PUT_TOTALS: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i
      SET subtotal = $3, discount = $4, tax = $5, shipping = $6, total = $7, total_excluding_tax = $7 - $5, amount_due = $7,
          from_provider = true
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID],
);
static SHIP: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i
      SET shipping = $3, total = $4, total_excluding_tax = $4 - i.tax, amount_due = $4, from_provider = true
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2, $3, $4) < 0");

/// Writes what a sale comes to with what the provider's checkout said of it.
pub fn totals(session: &Session, intent: &Intent, cover: &Cover) -> Result<(), Error> {
    let plain = Decimal::ZERO;
    if (cover.discount, cover.tax, cover.shipping) == (plain, plain, plain) {
        return Ok(());
    }
    let (customer_id, invoice_id) = (intent.customer_id.cell(), intent.invoice_id.cell());
    let (mut ids, mut lines) = (Vec::new(), Vec::new());
    for mut row in LINES.run(session, &[customer_id, invoice_id])?.iter() {
        ids.push(row.next::<Uuid>()?);
        let (amount, discount, tax) = (row.next()?, row.next()?, row.next()?);
        lines.push(Before { amount, discount, tax, inclusive: row.next::<String>()? == BEHAVIORS[1] });
    }
    let total = total_of(cover);
    if (cover.discount, cover.tax) == (plain, plain) {
        return SHIP.run(session, &[customer_id, invoice_id, cover.shipping.cell(), total.cell()]).map(drop);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let decimals = currency::decimals(session, &intent.currency)?;
    let refused = |reason| Error::amount("amount", intent.amount, reason);
    let after = replaced(&lines, intent.amount, cover, decimals).map_err(refused)?;
    let cells = [
        customer_id,
        invoice_id,
        array(ids.iter().copied()),
        array(after.lines.iter().map(|line| line.amount)),
        array(after.lines.iter().map(|line| line.discount)),
        array(after.lines.iter().map(|line| line.tax)),
        array(after.lines.iter().map(|line| line.net)),
        after.inclusive.cell(),
    ];
    REPLACE.run(session, &cells)?;
    let cells = [
        customer_id,
        invoice_id,
        after.lines.iter().map(|line| line.amount).sum::<Decimal>().cell(),
        after.lines.iter().map(|line| line.discount).sum::<Decimal>().cell(),
        after.lines.iter().map(|line| line.tax).sum::<Decimal>().cell(),
        cover.shipping.cell(),
        total.cell(),
    ];
    PUT_TOTALS.run(session, &cells).map(drop)
}
