//! Ending an invoice that nobody paid: it is void, as if it had never been given out, or it is given up. And which are
//! overdue.

use crate::catalog::stock;
use crate::error::Error;
use crate::input;
use crate::invoicing::invoice::{self, Invoice, InvoiceRow, Status, columns, payment, tables};
use crate::invoicing::listener::Outcome;
use crate::invoicing::{collection, customer, effect, line, owed};
use crate::ledger;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{Many, One, Reply};
use crate::pg::statement::{Session, Statement, reading, text, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};

static VOID: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i SET status = 'void', amount_paid = 0, voided_at = $3, updated_at = $3
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// `credits.invoice_void`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn invoice_void(customer_id: Option<&str>, invoice_id: Option<Id>) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        writing(|session| {
            customer::lock(session, customer_id)?;
            let invoice = invoice::lock(session, customer_id, invoice_id)?;
            match invoice.status {
                Status::Void => return invoice::find(session, customer_id, invoice_id, true).map(One),
                status if status.is_payable() => {}
                _ => return Err(invoice.conflict()),
            }
            void(session, &invoice, settings::now()?)?;
            invoice::find(session, customer_id, invoice_id, false).map(One)
        })
    })())
}

/// Makes a locked invoice void that was given out and not paid. Raises PC020 while money is on its way, or came from outside.
pub fn void(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    collection::cancel(session, invoice, now)?;
    void_without(session, invoice, now)
}

/// The same where nobody's payment stands in the way.
fn void_without(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    let (customer_id, invoice_id) = (invoice.customer_id.as_str(), invoice.id);
    let mut accounts = owed::currencies(session, invoice)?;
    if !accounts.is_empty() {
        // With that which paid a part, if the wallet did.
        accounts.extend((!invoice.amount_paid.is_zero()).then(|| invoice.currency.clone()));
        effect::lock_accounts(session, customer_id, accounts)?;
    }
    payment::give_back(session, invoice, now)?;
    line::carry_again(session, invoice, now)?;
    stock::release(session, customer_id, invoice_id, now)?;
    VOID.run(session, &[customer_id.cell(), invoice_id.cell(), now.cell()])?;
    owed::give_back(session, invoice, now)?;
    billing_event::record(session, EventType::InvoiceVoided, invoice_id, Some(customer_id), now)?;
    invoice.announce(session, Outcome::Void, now)
}

static FROM_OUTSIDE: Statement = Statement::new(
    c"SELECT 1 FROM credits_internal.invoice_payments p
      WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.paid_from = 'outside' AND p.reversed_at IS NULL LIMIT 1",
    &[TEXTOID, UUIDOID],
);

/// Nobody is to pay a locked invoice any more, whatever stands in the way: it is void, and money that is on its way comes for
/// nothing. Where money came from outside, which only people can give back, it is uncollectible.
pub fn give_up(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    let cells = [invoice.customer_id.cell(), invoice.id.cell()];
    if FROM_OUTSIDE.run(session, &cells)?.len() > 0 {
        return mark_uncollectible(session, invoice, now);
    }
    if !collection::is_under_way(session, invoice)? {
        collection::cancel(session, invoice, now)?;
    }
    void_without(session, invoice, now)
}

static GIVE_UP: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i SET status = 'uncollectible', marked_uncollectible_at = $3, updated_at = $3
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

fn mark_uncollectible(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    let (customer_id, invoice_id, given_up) =
        (invoice.customer_id.as_str(), invoice.id, EventType::InvoiceMarkedUncollectible);
    GIVE_UP.run(session, &[customer_id.cell(), invoice_id.cell(), now.cell()])?;
    billing_event::record(session, given_up, invoice_id, Some(customer_id), now)
}

/// `credits.invoice_mark_uncollectible`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn invoice_mark_uncollectible(customer_id: Option<&str>, invoice_id: Option<Id>) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        writing(|session| {
            customer::lock(session, customer_id)?;
            let invoice = invoice::lock(session, customer_id, invoice_id)?;
            let replayed = invoice.status == Status::Uncollectible;
            if !replayed {
                invoice.must_be(Status::Open)?;
                mark_uncollectible(session, &invoice, settings::now()?)?;
            }
            invoice::find(session, customer_id, invoice_id, replayed).map(One)
        })
    })())
}

static OVERDUE: Statement = Statement::new(
    text!(
        columns!(),
        "false",
        tables!(),
        "WHERE i.customer_id = $1 AND i.status = 'open' AND i.due_date < $2 ORDER BY i.due_date, i.invoice_id"
    ),
    &[TEXTOID, TIMESTAMPTZOID],
);

/// `credits.customer_overdue_invoices`. Raises PC003, PC013.
#[pg_extern(sql = false)]
fn customer_overdue_invoices(customer_id: Option<&str>) -> Reply<Many<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let now = settings::clock()?;
        reading(|session| {
            ledger::customer::must_exist(session, customer_id)?;
            let rows = OVERDUE.run(session, &[customer_id.cell(), now.cell()])?;
            rows.iter().map(InvoiceRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}
