//! Money that is applied to an invoice, from whichever source: a row each. Once they cover what is due, the invoice is paid,
//! for good, and grants what it is for.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::invoicing::effect::{self, Source};
use crate::invoicing::invoice::finalize::Wallet;
use crate::invoicing::invoice::{self, Invoice, InvoiceRow, finalize};
use crate::invoicing::{collection, customer};
use crate::ledger::engine::book::Book;
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::{account, currency, reversal};
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The name under which a payment claims its key, and of the debit that pays from the wallet.
const FUNCTION: &str = "invoice_pay";
/// Errors of a wallet that has too little, or that may not be spent from now.
const REFUSALS: [&str; 2] = ["PC001", "PC021"];
/// Where the money comes from.
const SOURCES: [&str; 3] = ["wallet", "outside", "provider"];

/// The one that a worker is asked to charge.
const PROVIDER: &str = SOURCES[2];

/// A payment as it is asked for.
struct Call<'a> {
    customer_id: &'a str,
    invoice_id: Uuid,
    from: &'a str,
    amount: Option<Decimal>,
    reference: Option<&'a str>,
    key: Option<&'a str>,
}

/// `credits.invoice_pay`. Raises PC001, PC002, PC003, PC007, PC008, PC013, PC019, PC020, PC021.
#[pg_extern(sql = false)]
fn invoice_pay(
    customer_id: Option<&str>,
    invoice_id: Option<Id>,
    paid_from: Option<&str>,
    amount: Option<Numeric>,
    reference: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<InvoiceRow>> {
    Reply((|| {
        let from = input::required("paid_from", paid_from)?;
        let call = Call {
            customer_id: input::key("customer_id", customer_id)?,
            invoice_id: input::required("invoice_id", invoice_id)?.0,
            from: input::choice("paid_from", Some(from), from, &SOURCES)?,
            amount: input::optional_number("amount", amount, amount::over_zero)?,
            reference: input::optional_key("reference", reference)?,
            key: input::optional_key("idempotency_key", idempotency_key)?,
        };
        match (call.from, call.reference) {
            ("outside", None) => return Err(Error::missing("reference")),
            ("wallet" | "provider", Some(_)) => {
                return Err(Error::argument("reference", "is for money from outside"));
            }
            _ => {}
        }
        if call.from == PROVIDER {
            if call.amount.is_some() {
                return Err(Error::argument("amount", "is not for 'provider': that pays all that remains"));
            }
            return writing(|session| ask(session, &call)).map(One);
        }
        writing(|session| pay(session, &call)).map(One)
    })())
}

/// Asks a worker to charge what remains. A call while that is asked for, or under way, changes nothing, whatever its key.
fn ask(session: &Session, call: &Call<'_>) -> Result<InvoiceRow, Error> {
    customer::lock(session, call.customer_id)?;
    let invoice = invoice::lock(session, call.customer_id, call.invoice_id)?;
    if !invoice.status.is_payable() {
        return Err(invoice.conflict());
    }
    let asked = collection::ask(session, &invoice, settings::now()?)?;
    invoice::find(session, call.customer_id, call.invoice_id, !asked)
}

/// What a payment that may be made is.
struct Judged {
    invoice: Invoice,
    amount: Decimal,
    /// The account that pays, less that.
    book: Option<Book>,
}

fn pay(session: &Session, call: &Call<'_>) -> Result<InvoiceRow, Error> {
    let now = settings::now()?;
    let id = Uuid::now_v7();
    let found = invoice::find(session, call.customer_id, call.invoice_id, true)?;
    if call.first(session, &found.currency)?.is_some() {
        return Ok(found);
    }
    let judged = match call.judge(session, id, now) {
        Ok(judged) => judged,
        // Another session may have made the same call while this one waited.
        Err(error) => match call.first(session, &found.currency)? {
            Some(_) => return invoice::find(session, call.customer_id, call.invoice_id, true),
            None => return Err(error),
        },
    };
    let Judged { invoice, amount, book } = judged;
    if book.is_some() || call.key.is_some() {
        let operation = call.operation(id, &invoice.currency, amount);
        let description = invoice.number.as_ref().map(|number| format!("Invoice {number}"));
        let texts = Texts { description: description.as_deref(), ..Texts::default() };
        if !operation::claim(session, call.customer_id, &operation, call.key, &texts, now)? {
            // By a call that is none of an invoice's: those wait for the customer.
            return match call.first(session, &found.currency)? {
                Some(_) => invoice::find(session, call.customer_id, call.invoice_id, true),
                None => Err(Error::internal("an idempotency_key is taken and not to be found")),
            };
        }
    }
    let operation_id = book.is_some().then_some(id);
    if let Some(book) = book {
        posting::post(session, &[book])?;
    }
    let source = Applied { from: call.from, reference: call.reference, operation_id, ..Applied::default() };
    apply(session, &source, &invoice, amount, now)?;
    collection::settle(session, &invoice, amount, now)?;
    if amount == invoice.remaining() {
        effect::grant(session, &invoice.bill(), &Source::INVOICE)?;
        finalize::mark_paid(session, &invoice, now)?;
    } else {
        let (paid, remaining) = (invoice.amount_paid.normalize(), invoice.remaining().normalize());
        let before = Some(format!(r#"{{"amount_paid": "{paid}", "amount_remaining": "{remaining}"}}"#));
        billing_event::updated(session, EventType::InvoiceUpdated, invoice.id, Some(call.customer_id), before, now)?;
    }
    invoice::find(session, call.customer_id, call.invoice_id, false)
}

impl Call<'_> {
    fn operation(&self, id: Uuid, currency: &str, amount: Decimal) -> Operation {
        let part = if self.amount.is_some() { "part" } else { "all that remains" };
        let reference = self.reference.map(|reference| format!(", {reference}")).unwrap_or_default();
        let what = format!("{part} of invoice {} from {}{reference}", self.invoice_id, self.from);
        invoice::operation(FUNCTION, id, currency, amount, what)
    }

    /// The first call under its key, which must be the same. Where no amount is asked for, it is what remained then.
    fn first(&self, session: &Session, currency: &str) -> Result<Option<Operation>, Error> {
        let Some(key) = self.key else { return Ok(None) };
        let Some(first) = operation::find(session, self.customer_id, key)? else { return Ok(None) };
        let call = self.operation(first.operation_id, currency, self.amount.unwrap_or(first.amount));
        first.replayed(key, &call).map(Some)
    }

    /// Whether it may be made, under all its locks. Raises PC001, PC003, PC007, PC008, PC019, PC020, PC021.
    fn judge(&self, session: &Session, id: Uuid, now: Time) -> Result<Judged, Error> {
        customer::lock(session, self.customer_id)?;
        let invoice = invoice::lock(session, self.customer_id, self.invoice_id)?;
        if !invoice.status.is_payable() {
            return Err(invoice.conflict());
        }
        collection::stop(session, &invoice)?;
        let remaining = invoice.remaining();
        let amount = self.amount.unwrap_or(remaining);
        let decimals = currency::decimals(session, &invoice.currency)?;
        amount::fit(amount, decimals).map_err(|reason| Error::amount("amount", amount, reason))?;
        if amount > remaining {
            return Err(Error::amount("amount", amount, AmountError::MoreThanRemains(remaining)));
        }
        let from_wallet = self.from == SOURCES[0];
        let mut accounts = if amount == remaining { effect::currencies(session, &invoice)? } else { Vec::new() };
        if from_wallet {
            currency::resolve(session, &invoice.currency)?;
            accounts.push(invoice.currency.clone());
        }
        effect::lock_accounts(session, self.customer_id, accounts)?;
        if !from_wallet {
            return Ok(Judged { invoice, amount, book: None });
        }
        let book = take_from_wallet(session, &invoice, id, amount, now)?;
        Ok(Judged { invoice, amount, book: Some(book) })
    }
}

/// The account that pays, which is locked, less what it pays. Raises PC001, PC003, PC007, PC008, PC021.
fn take_from_wallet(session: &Session, invoice: &Invoice, id: Uuid, amount: Decimal, now: Time) -> Result<Book, Error> {
    let mut book = account::open_for(session, &invoice.customer_id, &invoice.currency, amount, now)?;
    account::admit(session, &mut book, &Use { member_id: None, event_name: None, amount })?;
    account::withdraw(session, &mut book, LineType::Debit, id, amount)?;
    Ok(book)
}

/// Pays all of an invoice whose price is in credits as it is given out. Its accounts are locked. Returns whether it did: an
/// event says where it could not, and may. Raises PC001, PC003, PC007, PC008, PC021.
pub fn pay_in_credits(
    session: &Session,
    invoice: &Invoice,
    (number, wallet): (&str, Wallet),
    now: Time,
) -> Result<bool, Error> {
    let (id, amount) = (Uuid::now_v7(), invoice.remaining());
    let book = match take_from_wallet(session, invoice, id, amount, now) {
        Ok(book) => book,
        Err(error) if wallet == Wallet::MayFail && REFUSALS.contains(&error.sqlstate()) => {
            let (event, of) = (EventType::InvoicePaymentFailed, Some(invoice.customer_id.as_str()));
            billing_event::record(session, event, invoice.id, of, now)?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let what = format!("all of invoice {} as it is finalized", invoice.id);
    let operation = invoice::operation(FUNCTION, id, &invoice.currency, amount, what);
    let description = format!("Invoice {number}");
    let texts = Texts { description: Some(&description), ..Texts::default() };
    operation::claim(session, &invoice.customer_id, &operation, None, &texts, now)?;
    posting::post(session, &[book])?;
    let source = Applied { from: SOURCES[0], operation_id: Some(id), ..Applied::default() };
    apply(session, &source, invoice, amount, now).map(|()| true)
}

/// The wallet pays what remains of an open invoice in credits, if it can. Its accounts are locked. Returns whether it did.
/// Raises PC007.
pub fn pay_again(session: &Session, invoice: &Invoice, now: Time) -> Result<bool, Error> {
    let number = invoice.number.clone().unwrap_or_default();
    let is_paid = pay_in_credits(session, invoice, (number.as_str(), Wallet::MayFail), now)?;
    if is_paid {
        effect::grant(session, &invoice.bill(), &Source::INVOICE)?;
        finalize::mark_paid(session, invoice, now)?;
    }
    Ok(is_paid)
}

static APPLY: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_payments (customer_id, invoice_id, payment_no, paid_from, amount, operation_id,
                                                     reference, created_at, payment_intent_id, deposit_id)
      SELECT $1, $2, count(*) + 1, $3, $4, $5, $6, $7, $8, $9
      FROM credits_internal.invoice_payments p WHERE p.customer_id = $1 AND p.invoice_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, NUMERICOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, UUIDOID, UUIDOID],
);
static ADD: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i SET amount_paid = i.amount_paid + $3, updated_at = $4
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, TIMESTAMPTZOID],
);

/// Where money came from that is applied.
#[derive(Default)]
struct Applied<'a> {
    from: &'a str,
    reference: Option<&'a str>,
    operation_id: Option<Uuid>,
    intent_id: Option<Uuid>,
    deposit_id: Option<Uuid>,
}

fn apply(session: &Session, source: &Applied<'_>, invoice: &Invoice, amount: Decimal, now: Time) -> Result<(), Error> {
    let (customer_id, invoice_id) = (invoice.customer_id.cell(), invoice.id.cell());
    let cells = [
        customer_id,
        invoice_id,
        source.from.cell(),
        amount.cell(),
        source.operation_id.cell(),
        source.reference.cell(),
        now.cell(),
        source.intent_id.cell(),
        source.deposit_id.cell(),
    ];
    APPLY.run(session, &cells)?;
    ADD.run(session, &[customer_id, invoice_id, amount.cell(), now.cell()]).map(drop)
}

/// Applies what the payments of an intent cover; nothing where all was taken off.
pub fn apply_from_provider(
    session: &Session,
    invoice: &Invoice,
    (intent_id, amount): (Uuid, Decimal),
    now: Time,
) -> Result<(), Error> {
    if amount.is_zero() {
        return Ok(());
    }
    let source = Applied { from: PROVIDER, intent_id: Some(intent_id), ..Applied::default() };
    apply(session, &source, invoice, amount, now)
}

/// Deposits pay all that remains of an invoice, whose payment nobody makes meanwhile; its accounts are locked. Raises PC007.
pub fn pay_from_deposits(
    session: &Session,
    invoice: &Invoice,
    parts: &[(Uuid, Decimal)],
    now: Time,
) -> Result<(), Error> {
    for (deposit_id, amount) in parts {
        let source = Applied { from: "deposit", deposit_id: Some(*deposit_id), ..Applied::default() };
        apply(session, &source, invoice, *amount, now)?;
    }
    collection::settle(session, invoice, invoice.remaining(), now)?;
    effect::grant(session, &invoice.bill(), &Source::INVOICE)?;
    finalize::mark_paid(session, invoice, now)
}

static STANDING: Statement = Statement::new(
    c"SELECT p.payment_no, p.operation_id FROM credits_internal.invoice_payments p
      WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.reversed_at IS NULL
        AND p.paid_from <> 'provider'
      ORDER BY p.payment_no DESC",
    &[TEXTOID, UUIDOID],
);
static REVERSED: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_payments p SET reversed_at = $4, reversal_id = $5
      WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.payment_no = $3",
    &[TEXTOID, UUIDOID, pgrx::pg_sys::INT4OID, TIMESTAMPTZOID, UUIDOID],
);

/// Money that came from outside cannot be given back here.
const OUTSIDE: &str = "paid in part from outside";

/// Gives back what the wallet paid of an invoice, to the grants that paid it. Raises PC020 where money came from outside.
pub fn give_back(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    let mut standing: Vec<(i32, Option<Uuid>)> = Vec::new();
    for mut row in STANDING.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?.iter() {
        standing.push((row.next()?, row.next()?));
    }
    let conflict = || Error::StateConflict { object: "invoice", id: invoice.id.to_string(), state: OUTSIDE };
    if standing.iter().any(|(_, operation_id)| operation_id.is_none()) {
        return Err(conflict());
    }
    for (payment_no, operation_id) in standing {
        let operation_id = operation_id.ok_or_else(conflict)?;
        let reason = "The invoice is void";
        let reversal_id = reversal::give_back(session, &invoice.customer_id, operation_id, reason)?;
        let (customer_id, invoice_id) = (invoice.customer_id.cell(), invoice.id.cell());
        REVERSED.run(session, &[customer_id, invoice_id, payment_no.cell(), now.cell(), reversal_id.cell()])?;
    }
    Ok(())
}
