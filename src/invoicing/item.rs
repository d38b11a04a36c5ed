//! Items: lines that wait for the next invoice in their currency.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::invoicing::line::given::{self, Given};
use crate::invoicing::{customer, invoice, line};
use crate::ledger::currency;
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A line of an invoice, or one that is pending.
    pub struct LineRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub invoice_line_id: Uuid,
        /// The invoice; NULL while it is pending.
        pub invoice_id: Option<Uuid>,
        /// Its place on it.
        pub line_no: Option<i32>,
        /// The currency of the amounts.
        pub currency: String,
        /// The price; NULL for a line by hand.
        pub price_id: Option<Uuid>,
        /// For people.
        pub description: Option<String>,
        /// How many.
        pub quantity: Option<Decimal>,
        /// What one costs.
        pub unit_amount: Option<Decimal>,
        /// What it costs.
        pub amount: Decimal,
        /// All that is taken off it.
        pub discount: Decimal,
        /// In percent; NULL for no tax.
        pub tax_rate: Option<Decimal>,
        /// 'exclusive' or 'inclusive'.
        pub tax_behavior: String,
        /// The tax in it or on top.
        pub tax: Decimal,
        /// What it comes to without tax.
        pub amount_excluding_tax: Decimal,
        /// Credits that its payment grants.
        pub credits: Option<Decimal>,
        /// Of which currency.
        pub credit_currency: Option<String>,
        /// The grant, once it is paid.
        pub grant_id: Option<Uuid>,
        /// From when it is for.
        pub period_start: Option<Time>,
        /// Until when.
        pub period_end: Option<Time>,
        /// The invoice that left it over.
        pub from_invoice_id: Option<Uuid>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT l.customer_id, l.invoice_line_id, l.invoice_id, l.line_no, l.currency, l.price_id, l.description, l.quantity,
             l.unit_amount, l.amount, l.discount, l.tax_rate, l.tax_behavior, l.tax, l.amount_excluding_tax, l.credits,
             l.credit_currency, l.grant_id, l.period_start, l.period_end, l.from_invoice_id, l.metadata, l.created_at,
             l.updated_at, $3
      FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

fn find(session: &Session, customer_id: &str, id: Uuid, replayed: bool) -> Result<LineRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), id.cell(), replayed.cell()])?;
    let missing = || Error::ObjectNotFound { object: "invoice_line", id: id.to_string() };
    LineRow::read(rows.first().ok_or_else(missing)?)
}

/// `credits.invoice_item_create`. Raises PC002, PC007, PC008, PC013, PC015.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn invoice_item_create(
    customer_id: Option<&str>,
    currency: Option<&str>,
    amount: Option<Numeric>,
    description: Option<&str>,
    price_id: Option<Id>,
    quantity: Option<Numeric>,
    unit_amount: Option<Numeric>,
    tax_rate: Option<Numeric>,
    tax_behavior: Option<&str>,
    period_start: Option<Timestamptz>,
    period_end: Option<Timestamptz>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
) -> Reply<One<LineRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let given = Given {
            price_id: price_id.map(|id| id.0),
            quantity: input::optional_number("quantity", quantity, amount::over_zero)?,
            amount: input::optional_number("amount", amount, Ok)?,
            unit_amount: input::optional_number("unit_amount", unit_amount, given::unit)?,
            description: input::text("description", description)?.map(String::from),
            tax_rate: input::optional_number("tax_rate", tax_rate, given::rate)?,
            tax_behavior: given::behavior(tax_behavior.map(String::from))?,
            period: period(period_start, period_end)?,
            metadata: metadata.map(|metadata| metadata.text()),
            ..Given::default()
        };
        writing(|session| create(session, customer_id, given, currency, key)).map(One)
    })())
}

fn period(start: Option<Timestamptz>, end: Option<Timestamptz>) -> Result<Option<(Time, Time)>, Error> {
    match input::span(start, end)? {
        (Some(start), Some(end)) if start.is_finite() && end.is_finite() => Ok(Some((start, end))),
        (None, None) => Ok(None),
        _ => Err(Error::argument("period_end", "and period_start must be given together, as moments")),
    }
}

fn create(
    session: &Session,
    customer_id: &str,
    given: Given,
    currency: Option<&str>,
    key: Option<&str>,
) -> Result<LineRow, Error> {
    let now = settings::now()?;
    let code = match currency {
        Some(given) => given.to_string(),
        None => line::currency_of(session, std::slice::from_ref(&given))?.unwrap_or_else(settings::default_currency),
    };
    let id = Uuid::now_v7();
    let call = invoice::operation("invoice_item_create", id, &code, Decimal::ZERO, given.compared());
    let judge = || {
        let decimals = currency::resolve(session, &code)?.decimals;
        let line = line::price(session, id, given, &code, decimals)?;
        customer::lock_or_make(session, customer_id)?;
        Ok(line)
    };
    let line = match key {
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(line) => line,
            Begun::Replay(first) => return replay(session, customer_id, first.operation_id),
        },
    };
    line::insert(session, customer_id, &code, None, &line, now)?;
    find(session, customer_id, id, false)
}

/// The answer to a replay: what was created, unless it was deleted since.
fn replay(session: &Session, customer_id: &str, id: Uuid) -> Result<LineRow, Error> {
    find(session, customer_id, id, true)
}

static DELETE: Statement = Statement::new(
    c"DELETE FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID],
);

/// `credits.invoice_item_delete`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn invoice_item_delete(customer_id: Option<&str>, invoice_line_id: Option<Id>) -> Reply<One<LineRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("invoice_line_id", invoice_line_id)?.0;
        writing(|session| {
            customer::lock(session, customer_id)?;
            let row = find(session, customer_id, id, false)?;
            let state = match (row.invoice_id, row.from_invoice_id) {
                (Some(_), _) => "on an invoice",
                (None, Some(_)) => "left over by another invoice",
                (None, None) => {
                    DELETE.run(session, &[customer_id.cell(), id.cell()])?;
                    return Ok(One(row));
                }
            };
            Err(Error::StateConflict { object: "invoice_line", id: id.to_string(), state })
        })
    })())
}
