//! Lines as they are written: those of an invoice, and what one left over.

use crate::amount::Decimal;
use crate::catalog::usage;
use crate::error::Error;
use crate::invoicing::engine::{Part, Totals};
use crate::invoicing::invoice::Invoice;
use crate::invoicing::line::New;
use crate::invoicing::line::given::BEHAVIORS;
use crate::invoicing::line::instalment;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{
    BOOLOID, INT2OID, INT4OID, INTERVALOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID,
};
use uuid::Uuid;

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_lines (
          customer_id, invoice_line_id, invoice_id, line_no, currency, price_id, description, quantity, unit_amount, pricing,
          amount, given_discount, given_tax_rate, tax_behavior, discount, tax, amount_excluding_tax, credits, credit_currency,
          category, priority, time_to_live, applicable_meters, grant_name, period_start, period_end, from_invoice_id, metadata,
          created_at, updated_at, tax_rate, subscription_item_id, covers_until, proration, rollover)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14, $27, $28, $29, $15, $16, $17, $18, $19, $20,
              $21, $22, $23, $24, $25::jsonb, $26, $26, $30, $31, $32, $33, $34::jsonb)",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        INT4OID,
        TEXTOID,
        UUIDOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        TEXTOID,
        TEXTOID,
        INT2OID,
        INTERVALOID,
        TEXTARRAYOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        UUIDOID,
        TEXTOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        UUIDOID,
        TIMESTAMPTZOID,
        BOOLOID,
        TEXTOID,
    ],
)
// A top-up's own row has it.
.before(
    c"SELECT 1 WHERE num_nonnulls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                                  $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34) < 0",
);

static TAKEN: Statement = Statement::new(
    c"SELECT l.invoice_line_id FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.was_pending AND l.from_invoice_id IS NULL
        AND ($3 OR l.subscription_item_id IS NOT NULL)
      ORDER BY l.line_no",
    &[TEXTOID, UUIDOID, BOOLOID],
);
// What the void invoice came to stays readable on it; the credits are those of the line that waits.
static COPY: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_lines (
          customer_id, invoice_line_id, invoice_id, line_no, was_pending, currency, price_id, description, quantity,
          unit_amount, pricing, amount, given_discount, given_tax_rate, tax_behavior, discount, tax_rate, tax,
          amount_excluding_tax, period_start, period_end, metadata, created_at, updated_at, proration)
      SELECT l.customer_id, $3, l.invoice_id, l.line_no, true, l.currency, l.price_id, l.description, l.quantity,
             l.unit_amount, l.pricing, l.amount, l.given_discount, l.given_tax_rate, l.tax_behavior, l.discount, l.tax_rate,
             l.tax, l.amount_excluding_tax, l.period_start, l.period_end, l.metadata, l.created_at, $4, l.proration
      FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID, TIMESTAMPTZOID],
);
static WAITS: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l
      SET invoice_id = NULL, line_no = NULL, was_pending = false, discount = 0, tax = 0, tax_rate = NULL,
          amount_excluding_tax = l.amount, updated_at = $3
      WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Those that an invoice, which is void now, had taken from what was pending wait for the next one again: of one of a
/// subscription all of them, of another those of subscriptions. It keeps copies of them.
pub fn wait_again(session: &Session, invoice: &Invoice, at: Time) -> Result<(), Error> {
    let customer_id = invoice.customer_id.as_str();
    let cells = [customer_id.cell(), invoice.id.cell(), invoice.subscription_id.is_some().cell()];
    let rows = TAKEN.run(session, &cells)?;
    let taken: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    for line_id in taken {
        COPY.run(session, &[customer_id.cell(), line_id.cell(), Uuid::now_v7().cell(), at.cell()])?;
        WAITS.run(session, &[customer_id.cell(), line_id.cell(), at.cell()])?;
    }
    Ok(())
}

/// Where a line belongs: to an invoice at a place, or pending.
pub type Place = Option<(Uuid, i32)>;

/// Keeps a line, whose parts are found later.
pub fn insert(
    session: &Session,
    customer_id: &str,
    code: &str,
    place: Place,
    line: &New,
    at: Time,
) -> Result<(), Error> {
    let none = Part { discount: Decimal::ZERO, tax: Decimal::ZERO, net: line.amount };
    insert_with(session, (customer_id, code), place, (line, None), &none, at)
}

/// Keeps the lines of a draft, with their parts of what they come to.
pub fn insert_all(
    session: &Session,
    account: (&str, &str),
    invoice_id: Uuid,
    (lines, tax_rate): (&[New], Option<Decimal>),
    totals: &Totals,
    at: Time,
) -> Result<(), Error> {
    (1..).zip(lines).zip(&totals.parts).try_for_each(|((no, line), part)| {
        insert_with(session, account, Some((invoice_id, no)), (line, tax_rate), part, at)
    })
}

fn insert_with(
    session: &Session,
    (customer_id, code): (&str, &str),
    place: Place,
    (line, tax_rate): (&New, Option<Decimal>),
    part: &Part,
    at: Time,
) -> Result<(), Error> {
    let (given, credits, item) = (&line.given, line.credits.as_ref(), line.item.as_ref());
    // That of a subscription's item was used as the item was kept.
    given.price_id.filter(|_| item.is_none()).map(|price_id| usage::record(session, price_id)).transpose()?;
    let terms = credits.map(|credits| &credits.terms);
    let cells = [
        customer_id.cell(),
        line.id.cell(),
        place.map(|(invoice_id, _)| invoice_id).cell(),
        place.map(|(_, no)| no).cell(),
        code.cell(),
        given.price_id.cell(),
        line.description.cell(),
        given.quantity.cell(),
        given.unit_amount.cell(),
        given.pricing.cell(),
        line.amount.cell(),
        given.discount.unwrap_or_default().cell(),
        given.tax_rate.cell(),
        line.tax_behavior.cell(),
        credits.map(|credits| credits.amount).cell(),
        credits.map(|credits| &credits.currency).cell(),
        terms.map(|terms| &terms.category).cell(),
        terms.map(|terms| terms.priority).cell(),
        terms.and_then(|terms| terms.time_to_live).cell(),
        terms.map_or(Cell::NULL, |terms| terms.applicable_meters.cell()),
        credits.and_then(|credits| credits.name.as_ref()).cell(),
        given.period.map(|(start, _)| start).cell(),
        given.period.map(|(_, end)| end).cell(),
        Cell::NULL,
        given.metadata.cell(),
        at.cell(),
        part.discount.cell(),
        part.tax.cell(),
        part.net.cell(),
        line.reckoned(tax_rate).tax.filter(|_| place.is_some()).map(|tax| tax.rate).cell(),
        item.map(|item| item.id).cell(),
        item.and_then(|item| item.covers_until).cell(),
        item.is_some_and(|item| item.is_proration).cell(),
        terms.and_then(|terms| terms.rollover.as_ref()).map(|rollover| rollover.value().to_string()).cell(),
    ];
    INSERT.run(session, &cells)?;
    match item.filter(|item| !item.instalments.is_empty()) {
        Some(item) => instalment::insert(session, (customer_id, line.id), &item.instalments, item.expires),
        None => Ok(()),
    }
}

/// Keeps what an invoice left over as a pending line, without tax: that was part of it there.
pub fn carry(
    session: &Session,
    (customer_id, code): (&str, &str),
    from: Uuid,
    (amount, description): (Decimal, &str),
    at: Time,
) -> Result<(), Error> {
    let mut cells = [Cell::NULL; 34];
    for (place, cell) in [
        (0, customer_id.cell()),
        (1, Uuid::now_v7().cell()),
        (4, code.cell()),
        (6, description.cell()),
        (10, amount.cell()),
        (11, Decimal::ZERO.cell()),
        (12, Decimal::ZERO.cell()),
        (13, BEHAVIORS[0].cell()),
        (23, from.cell()),
        (25, at.cell()),
        (26, Decimal::ZERO.cell()),
        (27, Decimal::ZERO.cell()),
        (28, amount.cell()),
        (32, false.cell()),
    ] {
        cells[place] = cell;
    }
    INSERT.run(session, &cells).map(drop)
}
