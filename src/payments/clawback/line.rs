//! The lines of an invoice as its payments see them: what each comes to, and the credits that it granted. They change under
//! their customer's lock.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::currency;
use crate::ledger::engine::posting::Key;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, UUIDOID};
use uuid::Uuid;

/// A line.
pub struct Line {
    /// Its id.
    pub id: Uuid,
    /// What it comes to without tax, in major units.
    pub net: Decimal,
    /// The same with its tax.
    pub gross: Decimal,
    /// What was paid back of it by refunds that name it.
    pub refunded: Decimal,
    /// The credits that it is for.
    pub credits: Option<Credits>,
}

/// Credits that a line is for.
pub struct Credits {
    /// How many.
    pub amount: Decimal,
    /// Of which currency.
    pub currency: String,
    /// With so many decimals.
    pub decimals: u32,
    /// Their grant, once it is paid.
    pub grant_id: Option<Uuid>,
    /// What went back of them.
    pub reclaimed: Decimal,
    /// What they may pay for; `None` for anything.
    pub applicable_meters: Option<Vec<String>>,
    /// Whether they are granted in instalments: then the grant is the first one's.
    pub in_instalments: bool,
}

static CURRENCIES: Statement = Statement::new(
    c"SELECT DISTINCT l.credit_currency FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.credits IS NOT NULL
      UNION
      SELECT o.currency FROM credits_internal.invoiced_credits o WHERE o.customer_id = $1 AND o.invoice_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT t.credit_currency FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2");

/// The accounts that an invoice grants credits to, or has what was owed of.
pub fn accounts(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Vec<Key>, Error> {
    let rows = CURRENCIES.run(session, &[customer_id.cell(), invoice_id.cell()])?;
    rows.iter().map(|mut row| Ok((customer_id.to_string(), row.next()?))).collect()
}

static OF_INVOICE: Statement = Statement::new(
    c"SELECT l.invoice_line_id, l.amount_excluding_tax, l.amount_excluding_tax + l.tax, l.refunded_amount, l.credits,
             l.credit_currency, l.grant_id, l.reclaimed, l.applicable_meters, l.subscription_item_id IS NOT NULL
      FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_id = $2 ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.top_up_id, t.due_amount, t.amount, 0::numeric, t.credits, t.credit_currency, t.grant_id, t.reclaimed,
             t.applicable_meters, false
      FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2",
);

/// An invoice's lines, in their order.
pub fn of(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    for mut row in OF_INVOICE.run(session, &[customer_id.cell(), invoice_id.cell()])?.iter() {
        let (id, net, gross, refunded) = (row.next()?, row.next()?, row.next()?, row.next()?);
        let mut credits = None;
        if let Some(amount) = row.next::<Option<Decimal>>()? {
            let (currency, decimals) = (row.next()?, 0);
            let (grant_id, reclaimed) = (row.next()?, row.next()?);
            let applicable_meters = row.next()?;
            let in_instalments = row.next()?;
            credits =
                Some(Credits { amount, currency, decimals, grant_id, reclaimed, applicable_meters, in_instalments });
        }
        lines.push(Line { id, net, gross, refunded, credits });
    }
    for credits in lines.iter_mut().filter_map(|line| line.credits.as_mut()) {
        credits.decimals = currency::decimals(session, &credits.currency)?;
    }
    Ok(lines)
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l SET reclaimed = $3 WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID],
)
.before(c"UPDATE credits_internal.top_ups t SET reclaimed = $3 WHERE t.customer_id = $1 AND t.top_up_id = $2");

/// Writes what went back of a line's credits.
pub fn save(session: &Session, customer_id: &str, line_id: Uuid, reclaimed: Decimal) -> Result<(), Error> {
    SAVE.run(session, &[customer_id.cell(), line_id.cell(), reclaimed.cell()]).map(drop)
}

static SAVE_REFUNDED: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l SET refunded_amount = $3
      WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID],
);

/// Writes what was paid back of a line by refunds that name it.
pub fn save_refunded(session: &Session, customer_id: &str, line_id: Uuid, refunded: Decimal) -> Result<(), Error> {
    SAVE_REFUNDED.run(session, &[customer_id.cell(), line_id.cell(), refunded.cell()]).map(drop)
}

static OTHERWISE: Statement = Statement::new(
    c"SELECT coalesce(sum(p.amount), 0) FROM credits_internal.invoice_payments p
      WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.paid_from <> 'provider' AND p.reversed_at IS NULL",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT 0::numeric WHERE num_nonnulls($1, $2) > 0");

/// What was applied to an invoice by nobody's payment: from the wallet, and from outside.
pub fn paid_otherwise(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Decimal, Error> {
    let rows = OTHERWISE.run(session, &[customer_id.cell(), invoice_id.cell()])?;
    rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?.next()
}

static USED: Statement = Statement::new(
    c"SELECT coalesce(sum(p.amount), 0) FROM credits_internal.invoice_payments p
      WHERE p.customer_id = $1 AND p.deposit_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT 0::numeric WHERE num_nonnulls($1, $2) > 0");

/// What a deposit paid.
pub fn used(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Decimal, Error> {
    let rows = USED.run(session, &[customer_id.cell(), invoice_id.cell()])?;
    rows.first().ok_or_else(|| Error::internal("a sum returned no row"))?.next()
}

/// Takes what a deposit paid off what is left of its payments, in their order: that does not go back.
pub fn keep_used<'a>(
    session: &Session,
    (customer_id, invoice_id): (&str, Uuid),
    left: impl Iterator<Item = &'a mut Decimal>,
) -> Result<(), Error> {
    let mut used = used(session, customer_id, invoice_id)?;
    for left in left {
        let part = used.min(*left);
        (*left, used) = (*left - part, used - part);
    }
    Ok(())
}
