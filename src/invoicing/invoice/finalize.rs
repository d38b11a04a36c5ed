//! Giving an invoice out: it gets its number, says whom it is for, and does not change any more.

use crate::amount::Decimal;
use crate::catalog::stock;
use crate::error::Error;
use crate::input;
use crate::invoicing::customer::{self, Customer};
use crate::invoicing::effect::{self, Source};
use crate::invoicing::invoice::{self, Invoice, InvoiceRow, Status, payment};
use crate::invoicing::line::instalment;
use crate::invoicing::listener::Outcome;
use crate::invoicing::{collection, line, number, owed};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT8OID, JSONBOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// `credits.invoice_finalize`. Raises PC001, PC003, PC007, PC008, PC013, PC017, PC019, PC020, PC021.
#[pg_extern(sql = false)]
fn invoice_finalize(customer_id: Option<&str>, invoice_id: Option<Id>) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        writing(|session| {
            let customer = customer::lock(session, customer_id)?;
            let invoice = invoice::lock(session, customer_id, invoice_id)?;
            let replayed = match invoice.status {
                Status::Draft => {
                    invoice.must_be_own()?;
                    finalize(session, &customer, invoice, settings::now()?)?;
                    false
                }
                Status::Void => return Err(invoice.conflict()),
                _ => true,
            };
            invoice::find(session, customer_id, invoice_id, replayed)
        })
        .map(One)
    })())
}

static FINALIZE: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i
      SET status = 'open', number = $3, number_prefix = $4, number_no = $5, customer_name = $6, customer_email = $7,
          due_date = $8, finalized_at = $9, updated_at = $9, customer_phone = $10, customer_address = $11,
          seller = $12
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        INT8OID,
        TEXTOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        JSONBOID,
        TEXTOID,
    ],
);

static SOLD: Statement = Statement::new(
    c"SELECT l.price_id, l.quantity FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.price_id IS NOT NULL AND l.subscription_item_id IS NULL",
    &[TEXTOID, UUIDOID],
);

/// The prices of an invoice's lines, with how many of each. What is due again and again is not from stock.
pub fn sold(session: &Session, invoice: &Invoice) -> Result<Vec<(Uuid, Decimal)>, Error> {
    let rows = SOLD.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?;
    rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

/// Whether a draft is paid as it is given out: where nothing is to be paid, or the wallet pays, if it can.
pub fn is_paid_at_once(session: &Session, invoice: &Invoice) -> Result<bool, Error> {
    if invoice.amount_due.is_zero() {
        return Ok(true);
    }
    Ok(invoice.collection_method == collection::AUTOMATIC && !currency::is_money(session, &invoice.currency)?)
}

/// Gives out a draft whose customer and row are locked. Where nothing is to be paid it is paid, and what is left of a total
/// below zero is pending for the next one. What is due in credits is paid from the wallet, unless it is only sent; what is
/// due in money has a payment intent, which begins. Raises PC001, PC003, PC007, PC008, PC013, PC017, PC021.
pub fn finalize(session: &Session, customer: &Customer, invoice: Invoice, now: Time) -> Result<(), Error> {
    finalize_as_of(session, customer, invoice, Wallet::MustPay, (now, now))
}

/// What becomes of an invoice in credits that the wallet cannot pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// It is not given out: that is an error.
    MustPay,
    /// It stays open: its payment has failed.
    MayFail,
}

/// The same of one that was due at a moment, perhaps before now: where nothing is to be paid, it was paid then. And of one
/// that the wallet may be unable to pay.
pub fn finalize_as_of(
    session: &Session,
    customer: &Customer,
    invoice: Invoice,
    wallet: Wallet,
    (at, now): (Time, Time),
) -> Result<(), Error> {
    let is_money = currency::is_money(session, &invoice.currency)?;
    let is_free = invoice.amount_due.is_zero();
    let in_credits = !is_free && !is_money && invoice.collection_method == collection::AUTOMATIC;
    let mut is_paid = is_paid_at_once(session, &invoice)?;
    if is_paid {
        // Accounts before any counter.
        let mut accounts = effect::currencies(session, &invoice)?;
        accounts.extend(in_credits.then(|| invoice.currency.clone()));
        effect::lock_accounts(session, &invoice.customer_id, accounts)?;
    }
    let number = give_out(session, customer, &invoice, now)?;
    line::carry_over(session, &invoice, &number, now)?;
    if in_credits {
        is_paid = payment::pay_in_credits(session, &invoice, (number.as_str(), wallet), now)?;
    }
    if is_paid {
        if is_free {
            instalment::withhold(session, &invoice.customer_id, invoice.id, now)?;
        }
        let source = Source { paid_at: is_free.then_some(at), ..Source::INVOICE };
        effect::grant(session, &invoice.bill(), &source)?;
        mark_paid(session, &invoice, now)?;
    } else if is_money {
        collection::begin(session, &invoice, now)?;
    }
    // Last: other customers wait for it, and nobody but this one's own calls for anything above.
    let sold = sold(session, &invoice)?;
    stock::reserve(session, &invoice.customer_id, invoice.id, &sold, None, now)
}

/// Gives a draft its number, and says who sells and whom it is for. Returns the number.
pub fn give_out(session: &Session, customer: &Customer, invoice: &Invoice, now: Time) -> Result<String, Error> {
    let number = number::next(session, &invoice.customer_id, customer.invoice_prefix.as_deref())?;
    let due_date = match (invoice.due_date, invoice.days_until_due) {
        (None, Some(days)) => Some(now.plus_seconds(i64::from(days) * DAY)),
        (due_date, _) => due_date,
    };
    let text = number.text();
    let cells = [
        invoice.customer_id.cell(),
        invoice.id.cell(),
        text.cell(),
        number.prefix.cell(),
        number.no.cell(),
        customer.name.cell(),
        customer.email.cell(),
        due_date.cell(),
        now.cell(),
        customer.phone.cell(),
        customer.address.cell(),
        settings::invoice_seller().cell(),
    ];
    FINALIZE.run(session, &cells)?;
    billing_event::record(session, EventType::InvoiceFinalized, invoice.id, Some(&invoice.customer_id), now)?;
    Ok(text)
}

static PAID: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i SET status = 'paid', paid_at = $3, updated_at = $3
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// All of it is paid.
pub fn mark_paid(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    PAID.run(session, &[invoice.customer_id.cell(), invoice.id.cell(), now.cell()])?;
    owed::paid(session, invoice, now)?;
    billing_event::record(session, EventType::InvoicePaid, invoice.id, Some(&invoice.customer_id), now)?;
    invoice.announce(session, Outcome::Paid, now)
}
