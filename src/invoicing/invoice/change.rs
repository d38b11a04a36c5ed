//! Changing an invoice: all of a draft, and of one that was given out what it does not bind anybody to.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::invoicing::customer;
use crate::invoicing::invoice::create::{Said, recompute};
use crate::invoicing::invoice::{self, Invoice, InvoiceRow, Status};
use crate::invoicing::line::given::{self, Given};
use crate::invoicing::line::{self, New};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{Id, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What is to change; NULL leaves a thing as it is.
struct Change<'a> {
    lines: Option<Vec<Given>>,
    discount: Option<Decimal>,
    tax_rate: Option<Decimal>,
    texts: Said<'a>,
}

/// `credits.invoice_update`. Raises PC003, PC007, PC008, PC013, PC015, PC019, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn invoice_update(
    customer_id: Option<&str>,
    invoice_id: Option<Id>,
    description: Option<&str>,
    due_date: Option<Timestamptz>,
    days_until_due: Option<i32>,
    tax_rate: Option<Numeric>,
    discount: Option<Numeric>,
    lines: Option<Json>,
    footer: Option<&str>,
    custom_fields: Option<Json>,
    metadata: Option<Json>,
) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        let due_date = due_date.map(|at| at.0);
        let texts = Said { description, footer, custom_fields, metadata, due_date, days_until_due };
        texts.check()?;
        let change = Change {
            lines: lines.map(|lines| given::read(&lines.text())).transpose()?,
            discount: input::optional_number("discount", discount, amount::not_negative)?,
            tax_rate: input::optional_number("tax_rate", tax_rate, given::rate)?,
            texts,
        };
        writing(|session| {
            customer::lock(session, customer_id)?;
            let invoice = invoice::lock(session, customer_id, invoice_id)?;
            invoice.must_be_own()?;
            change.check(&invoice)?;
            let now = settings::now()?;
            let before = billing_event::before(session, EventType::InvoiceUpdated, invoice_id, Some(customer_id))?;
            change.write(session, &invoice, now)?;
            if invoice.status == Status::Draft {
                change.recompute(session, &invoice, now)?;
            }
            billing_event::updated(session, EventType::InvoiceUpdated, invoice_id, Some(customer_id), before, now)?;
            invoice::find(session, customer_id, invoice_id, false).map(One)
        })
    })())
}

// 'infinity' removes when it is due.
static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i
      SET description = coalesce($3, i.description), footer = coalesce($4, i.footer),
          custom_fields = coalesce($5, i.custom_fields), metadata = coalesce($6, i.metadata),
          due_date = nullif(CASE WHEN $8 IS NULL THEN coalesce($7, i.due_date) END, 'infinity'),
          days_until_due = CASE WHEN $7 IS NULL THEN coalesce($8, i.days_until_due) END,
          given_discount = coalesce($9, i.given_discount), tax_rate = coalesce($10, i.tax_rate), updated_at = $11
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        TIMESTAMPTZOID,
        INT4OID,
        NUMERICOID,
        NUMERICOID,
        TIMESTAMPTZOID,
    ],
);

impl Change<'_> {
    /// Raises PC013, PC020.
    fn check(&self, invoice: &Invoice) -> Result<(), Error> {
        if self.texts.due_date.is_some_and(|at| !at.is_finite() && at != Time::NEVER) {
            return Err(Error::argument("due_date", "must be a moment, or infinity for none"));
        }
        let texts = &self.texts;
        let of_draft = self.lines.is_some()
            || self.discount.is_some()
            || self.tax_rate.is_some()
            || texts.footer.is_some()
            || texts.custom_fields.is_some()
            || texts.days_until_due.is_some();
        let of_open = texts.description.is_some() || texts.due_date.is_some();
        match invoice.status {
            Status::Draft => Ok(()),
            Status::Open | Status::Uncollectible if !of_draft => Ok(()),
            Status::Paid | Status::Void if !of_draft && !of_open => Ok(()),
            _ => Err(invoice.conflict()),
        }
    }

    fn write(&self, session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
        let texts = &self.texts;
        let cells = [
            invoice.customer_id.cell(),
            invoice.id.cell(),
            texts.description.cell(),
            texts.footer.cell(),
            texts.custom_fields.cell(),
            texts.metadata.cell(),
            texts.due_date.cell(),
            texts.days_until_due.cell(),
            self.discount.cell(),
            self.tax_rate.cell(),
            now.cell(),
        ];
        UPDATE.run(session, &cells).map(drop)
    }

    fn recompute(&self, session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
        let customer_id = invoice.customer_id.as_str();
        let decimals = currency::decimals(session, &invoice.currency)?;
        if let Some(lines) = &self.lines {
            let price =
                |given: &Given| line::price(session, Uuid::now_v7(), given.clone(), &invoice.currency, decimals);
            let lines: Vec<New> = lines.iter().map(price).collect::<Result<_, _>>()?;
            line::delete(session, customer_id, invoice.id)?;
            for (no, line) in (1..).zip(&lines) {
                line::insert(session, customer_id, &invoice.currency, Some((invoice.id, no)), line, now)?;
            }
        }
        let discount = self.discount.unwrap_or(invoice.given_discount);
        amount::fit(discount, decimals).map_err(|reason: AmountError| Error::amount("discount", discount, reason))?;
        let terms = (discount, self.tax_rate.or(invoice.tax_rate));
        recompute(session, (customer_id, invoice.id), terms, decimals)
    }
}

static DELETE: Statement = Statement::new(
    c"DELETE FROM credits_internal.invoices i WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

/// `credits.invoice_delete`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn invoice_delete(customer_id: Option<&str>, invoice_id: Option<Id>) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        writing(|session| {
            customer::lock(session, customer_id)?;
            let invoice = invoice::lock(session, customer_id, invoice_id)?;
            invoice.must_be(Status::Draft).and_then(|()| invoice.must_be_own())?;
            let row = invoice::find(session, customer_id, invoice_id, false)?;
            billing_event::record(session, EventType::InvoiceDeleted, invoice_id, Some(customer_id), settings::now()?)?;
            line::give_back(session, customer_id, invoice_id)?;
            line::delete(session, customer_id, invoice_id)?;
            DELETE.run(session, &[customer_id.cell(), invoice_id.cell()])?;
            Ok(One(row))
        })
    })())
}
