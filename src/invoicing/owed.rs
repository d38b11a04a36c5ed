//! Credits that were owed and are on an invoice: as it is given out a grant pays them, and the account has them as invoiced,
//! which no credits pay. Its payment closes that; void, they are owed again. Uncollectible, they stay on it.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::invoice::Invoice;
use crate::ledger::grant::owed::{self, Owed, Payer};
use crate::moment::Time;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoiced_credits (customer_id, grant_id, invoice_id, currency, credits, status, created_at)
      VALUES ($1, $2, $3, $4, $5, 'invoiced', $6)",
    &[TEXTOID, UUIDOID, UUIDOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID],
);

/// What an account owes, which is locked, goes on an invoice that is about to be made. Raises PC007.
pub fn invoice(
    session: &Session,
    (customer_id, invoice_id): (&str, Uuid),
    owed: &Owed,
    payer: &Payer<'_>,
    now: Time,
) -> Result<(), Error> {
    let grants = owed::pay(session, customer_id, owed, payer, now)?;
    for (grant_id, (_, credits)) in grants.into_iter().zip(&owed.parts) {
        let (of, invoice) = ([customer_id.cell(), grant_id.cell()], invoice_id.cell());
        INSERT.run(session, &[of[0], of[1], invoice, owed.currency.cell(), credits.cell(), now.cell()])?;
    }
    owed::add_invoiced(session, customer_id, &owed.currency, owed.credits())
}

static OPEN: Statement = Statement::new(
    c"SELECT o.grant_id, o.currency, o.credits, g.applicable_meters[1] FROM credits_internal.invoiced_credits o
      JOIN credits_internal.credit_grants g ON g.customer_id = o.customer_id AND g.grant_id = o.grant_id
      WHERE o.customer_id = $1 AND o.invoice_id = $2 AND o.status = 'invoiced' ORDER BY o.currency, o.grant_id",
    &[TEXTOID, UUIDOID],
);
static CLOSE: Statement = Statement::new(
    c"UPDATE credits_internal.invoiced_credits o SET status = $3, closed_at = $4
      WHERE o.customer_id = $1 AND o.grant_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID],
);

/// What of owed credits is on an invoice.
struct Part {
    grant_id: Uuid,
    currency: String,
    credits: Decimal,
    event_name: Option<String>,
}

fn parts(session: &Session, invoice: &Invoice) -> Result<Vec<Part>, Error> {
    // Nothing else puts them on one.
    if invoice.subscription_id.is_none() {
        return Ok(Vec::new());
    }
    let rows = OPEN.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?;
    let part = |mut row: Row<'_>| {
        Ok(Part { grant_id: row.next()?, currency: row.next()?, credits: row.next()?, event_name: row.next()? })
    };
    rows.iter().map(part).collect()
}

fn close(session: &Session, invoice: &Invoice, part: &Part, status: &str, now: Time) -> Result<(), Error> {
    let customer_id = invoice.customer_id.as_str();
    CLOSE.run(session, &[customer_id.cell(), part.grant_id.cell(), status.cell(), now.cell()])?;
    owed::add_invoiced(session, customer_id, &part.currency, -part.credits)
}

/// Its invoice is paid: nothing of it is owed any more. Its accounts are locked.
pub fn paid(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    parts(session, invoice)?.iter().try_for_each(|part| close(session, invoice, part, "paid", now))
}

/// The accounts whose owed credits are on an invoice.
pub fn currencies(session: &Session, invoice: &Invoice) -> Result<Vec<String>, Error> {
    Ok(parts(session, invoice)?.into_iter().map(|part| part.currency).collect())
}

/// Its invoice is void: they are owed again; what came back of them meanwhile pays that. Its accounts are locked. Raises PC007.
pub fn give_back(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    for part in parts(session, invoice)? {
        close(session, invoice, &part, "returned", now)?;
        let owed = (part.grant_id, part.event_name.as_deref(), part.credits);
        owed::owe_again(session, (&invoice.customer_id, &part.currency), owed, "invoice_void", now)?;
    }
    Ok(())
}
