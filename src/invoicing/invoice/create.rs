//! Invoices are made as drafts: of lines that are given, and of what is pending in their currency.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::invoicing::deposit::DEPOSITS;
use crate::invoicing::invoice::{self, InvoiceRow, finalize};
use crate::invoicing::line::given::{self, Given};
use crate::invoicing::line::{self, New};
use crate::invoicing::{collection, customer, effect};
use crate::ledger::currency;
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The furthest that a day of payment may be, in days.
const MOST_DAYS: i32 = 3_650;
/// The most fields of an application's own.
const MOST_FIELDS: usize = 20;

/// Why one may be made by hand.
const REASONS: [&str; 3] = ["manual", DEPOSITS[0], DEPOSITS[1]];

/// An invoice as it is asked for.
struct Draft<'a> {
    lines: Vec<Given>,
    discount: Decimal,
    tax_rate: Option<Decimal>,
    texts: Said<'a>,
    auto_finalize: bool,
    takes_pending: bool,
    collection_method: &'a str,
    billing_reason: &'a str,
}

/// What is said on an invoice, and when it is due.
pub struct Said<'a> {
    /// For people.
    pub description: Option<&'a str>,
    /// Below the lines.
    pub footer: Option<&'a str>,
    /// Names and values for the reader.
    pub custom_fields: Option<Json>,
    /// The application's own.
    pub metadata: Option<Json>,
    /// When it is due.
    pub due_date: Option<Time>,
    /// Or how many days after it is finalized.
    pub days_until_due: Option<i32>,
}

impl Said<'_> {
    /// Raises PC013.
    pub fn check(&self) -> Result<(), Error> {
        input::text("description", self.description)?;
        input::text("footer", self.footer)?;
        if let Some(days) = self.days_until_due {
            if self.due_date.is_some() {
                return Err(Error::argument("days_until_due", "or due_date is to be given, not both"));
            }
            if !(0..=MOST_DAYS).contains(&days) {
                return Err(Error::argument("days_until_due", format!("must be from 0 to {MOST_DAYS}")));
            }
        }
        self.custom_fields.as_ref().map_or(Ok(()), |fields| check_fields(&fields.text()))
    }
}

fn check_fields(text: &str) -> Result<(), Error> {
    let is_field = |field: &Value| {
        let named = |key: &str| field.get(key).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        field.as_object().is_some_and(|object| object.len() == 2) && named("name") && named("value")
    };
    let fields: Option<Vec<Value>> = serde_json::from_str(text).ok();
    if fields.is_some_and(|fields| fields.len() <= MOST_FIELDS && fields.iter().all(is_field)) {
        return Ok(());
    }
    let reason =
        format!("must be a JSON array of at most {MOST_FIELDS} objects, each with a name and a value as texts");
    Err(Error::argument("custom_fields", reason))
}

/// `credits.invoice_create`. Raises PC001, PC002, PC003, PC007, PC008, PC013, PC015, PC017, PC019, PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn invoice_create(
    customer_id: Option<&str>,
    lines: Option<Json>,
    currency: Option<&str>,
    description: Option<&str>,
    due_date: Option<Timestamptz>,
    days_until_due: Option<i32>,
    tax_rate: Option<Numeric>,
    discount: Option<Numeric>,
    auto_finalize: Option<bool>,
    pending_items: Option<&str>,
    footer: Option<&str>,
    custom_fields: Option<Json>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
    collection_method: Option<&str>,
    billing_reason: Option<&str>,
) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let due_date = finite(due_date)?;
        let texts = Said { description, footer, custom_fields, metadata, due_date, days_until_due };
        texts.check()?;
        let draft = Draft {
            lines: lines.map_or(Ok(Vec::new()), |lines| given::read(&lines.text()))?,
            discount: input::optional_number("discount", discount, amount::not_negative)?.unwrap_or_default(),
            tax_rate: input::optional_number("tax_rate", tax_rate, given::rate)?,
            texts,
            auto_finalize: auto_finalize.unwrap_or(false),
            takes_pending: input::choice("pending_items", pending_items, "include", &["include", "exclude"])?
                == "include",
            collection_method: collection::method(collection_method)?,
            billing_reason: input::choice("billing_reason", billing_reason, REASONS[0], &REASONS)?,
        };
        writing(|session| create(session, customer_id, draft, currency, key)).map(One)
    })())
}

/// When it is due: a moment. Raises PC013.
pub fn finite(due_date: Option<Timestamptz>) -> Result<Option<Time>, Error> {
    match due_date.map(|at| at.0) {
        Some(at) if !at.is_finite() => Err(Error::argument("due_date", "must be a moment, not infinity")),
        at => Ok(at),
    }
}

fn create(
    session: &Session,
    customer_id: &str,
    draft: Draft<'_>,
    currency: Option<&str>,
    key: Option<&str>,
) -> Result<InvoiceRow, Error> {
    let now = settings::now()?;
    let invoice_id = Uuid::now_v7();
    let code = match currency {
        Some(given) => given.to_string(),
        None => line::currency_of(session, &draft.lines)?.unwrap_or_else(settings::default_currency),
    };
    let call = invoice::operation("invoice_create", invoice_id, &code, Decimal::ZERO, draft.compared());
    let mut lines = draft.lines.clone();
    let mut judge = || {
        let decimals = currency::resolve_for(session, &code, "discount", draft.discount)?.decimals;
        let lines: Vec<New> = lines
            .drain(..)
            .map(|given| line::price(session, Uuid::now_v7(), given, &code, decimals))
            .collect::<Result<_, _>>()?;
        if DEPOSITS.contains(&draft.billing_reason) && lines.iter().any(|line| line.credit_currency().is_some()) {
            return Err(Error::argument("lines", "of a deposit must grant no credits: they are to be given back"));
        }
        let customer = customer::lock_or_make(session, customer_id)?;
        if draft.auto_finalize {
            // Where nothing is to be paid, or the wallet pays, it grants at once.
            let mut accounts = effect::pending_currencies(session, customer_id, &code)?;
            accounts.extend(lines.iter().filter_map(New::credit_currency).map(String::from));
            if !currency::is_money(session, &code)? {
                accounts.push(code.clone());
            }
            effect::lock_accounts(session, customer_id, accounts)?;
        }
        Ok((lines, decimals, customer.tax_rate))
    };
    let (lines, decimals, rate) = match key {
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(judged) => judged,
            Begun::Replay(first) => return invoice::find(session, customer_id, first.operation_id, true),
        },
    };
    let draft = Draft { tax_rate: draft.tax_rate.or(rate), ..draft };
    insert(session, customer_id, invoice_id, &code, &draft, now)?;
    for (no, line) in (1..).zip(&lines) {
        line::insert(session, customer_id, &code, Some((invoice_id, no)), line, now)?;
    }
    // What is pending is none of a deposit.
    if draft.takes_pending && !DEPOSITS.contains(&draft.billing_reason) {
        line::take_pending(session, (customer_id, &code), invoice_id, lines.len())?;
    }
    recompute(session, (customer_id, invoice_id), (draft.discount, draft.tax_rate), decimals)?;
    billing_event::record(session, EventType::InvoiceCreated, invoice_id, Some(customer_id), now)?;
    if draft.auto_finalize {
        let customer = customer::lock(session, customer_id)?;
        finalize::finalize(session, &customer, invoice::lock(session, customer_id, invoice_id)?, now)?;
    }
    invoice::find(session, customer_id, invoice_id, false)
}

impl Draft<'_> {
    /// What a replay is compared with: a digest of what the lines cost, and how many they are.
    fn compared(&self) -> String {
        let number = |number: Option<Decimal>| number.map(|n| n.normalize().to_string()).unwrap_or_default();
        let mut digest = Sha256::new();
        for line in &self.lines {
            digest.update(line.compared());
            digest.update("\n");
        }
        digest.update(number(Some(self.discount)));
        digest.update("|");
        digest.update(number(self.tax_rate));
        invoice::digest(digest, self.lines.len())
    }
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoices (
          customer_id, invoice_id, status, billing_reason, currency, description, footer, custom_fields, metadata, tax_rate,
          given_discount, due_date, days_until_due, created_at, updated_at, collection_method)
      VALUES ($1, $2, 'draft', $14, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        JSONBOID,
        NUMERICOID,
        NUMERICOID,
        TIMESTAMPTZOID,
        INT4OID,
        TIMESTAMPTZOID,
        TEXTOID,
        TEXTOID,
    ],
);

fn insert(
    session: &Session,
    customer_id: &str,
    invoice_id: Uuid,
    code: &str,
    draft: &Draft<'_>,
    now: Time,
) -> Result<(), Error> {
    let texts = &draft.texts;
    let cells = [
        customer_id.cell(),
        invoice_id.cell(),
        code.cell(),
        texts.description.cell(),
        texts.footer.cell(),
        texts.custom_fields.cell(),
        texts.metadata.cell(),
        draft.tax_rate.cell(),
        draft.discount.cell(),
        texts.due_date.cell(),
        texts.days_until_due.cell(),
        now.cell(),
        draft.collection_method.cell(),
        draft.billing_reason.cell(),
    ];
    INSERT.run(session, &cells).map(drop)
}

static PUT_TOTALS: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i
      SET subtotal = $3, discount = $4, tax = $5, total = $6, total_excluding_tax = $7, amount_due = greatest($6, 0)
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID],
);

/// Works out what a draft comes to. Raises PC007, and PC013 where it has no lines.
pub fn recompute(
    session: &Session,
    (customer_id, invoice_id): (&str, Uuid),
    (discount, tax_rate): (Decimal, Option<Decimal>),
    decimals: u32,
) -> Result<(), Error> {
    let totals = line::compute(session, (customer_id, invoice_id), (discount, tax_rate), decimals)?;
    let none =
        || Error::argument("lines", "must have at least one, where nothing is pending in the invoice's currency");
    let totals = totals.ok_or_else(none)?;
    let cells = [
        customer_id.cell(),
        invoice_id.cell(),
        totals.subtotal.cell(),
        totals.discount.cell(),
        totals.tax.cell(),
        totals.total.cell(),
        totals.net.cell(),
    ];
    PUT_TOTALS.run(session, &cells).map(drop)
}
