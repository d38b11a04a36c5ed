//! Deposits: invoices whose money is to be given back. What a provider took is asked back as a refund, what the wallet paid
//! goes back to the grants that paid; what came from outside goes back outside, and is none of ours.

pub mod applied;

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::invoicing::invoice::{self, Invoice, Status};
use crate::invoicing::{customer, effect};
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::ledger::{currency, reversal};
use crate::outbox::billing_event::{self, EventType};
use crate::payments::clawback::line;
use crate::payments::refund::request;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, reading, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

/// What billing_reason says of one; and of one that is for overdraft protection, which is used before others.
pub const DEPOSITS: [&str; 2] = ["deposit", "overdraft_protection"];

row! {
    /// How a deposit stands.
    pub struct DepositRow {
        /// Whose.
        pub customer_id: String,
        /// Its invoice.
        pub invoice_id: Uuid,
        /// What that is.
        pub status: String,
        /// The currency of the amounts.
        pub currency: String,
        /// What was paid.
        pub amount: Decimal,
        /// What was given back, or is asked back.
        pub amount_returned: Decimal,
        /// What of that a provider has not confirmed yet.
        pub amount_returning: Decimal,
        /// What can be given back.
        pub amount_returnable: Decimal,
        /// What came from outside, and goes back there.
        pub amount_outside: Decimal,
        /// Whether this repeats an earlier call.
        pub replayed: bool,
        /// What paid invoices of subscriptions.
        pub amount_used: Decimal,
    }
}

static SOURCES: Statement = Statement::new(
    c"SELECT p.amount, p.payment_intent_id, p.operation_id,
             coalesce((SELECT sum(r.amount) FROM credits_internal.reversals r
                       WHERE r.customer_id = p.customer_id AND r.reversed_operation_id = p.operation_id), 0),
             coalesce((SELECT sum(u.amount) FROM credits_internal.refunds u
                       WHERE u.customer_id = p.customer_id AND u.payment_intent_id = p.payment_intent_id
                         AND u.takes_credits AND u.status = 'pending'), 0),
             coalesce((SELECT least(t.refunded_amount, p.amount) FROM credits_internal.payment_intents t
                       WHERE t.customer_id = p.customer_id AND t.payment_intent_id = p.payment_intent_id), 0)
      FROM credits_internal.invoice_payments p
      WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.reversed_at IS NULL
      ORDER BY p.payment_intent_id IS NULL, p.payment_no DESC",
    &[TEXTOID, UUIDOID],
);

/// Money that a deposit was paid with.
struct Source {
    amount: Decimal,
    intent_id: Option<Uuid>,
    operation_id: Option<Uuid>,
    /// What of it went back, or is asked back.
    back: Decimal,
    /// What of that is not confirmed.
    pending: Decimal,
    /// What of it paid something.
    used: Decimal,
}

impl Source {
    fn is_ours(&self) -> bool {
        self.intent_id.is_some() || self.operation_id.is_some()
    }

    fn left(&self) -> Decimal {
        if self.is_ours() { (self.amount - self.back - self.used).max(Decimal::ZERO) } else { Decimal::ZERO }
    }
}

/// What paid a deposit, what providers took first.
fn sources(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for mut row in SOURCES.run(session, &[customer_id.cell(), invoice_id.cell()])?.iter() {
        let (amount, intent_id, operation_id) = (row.next()?, row.next()?, row.next()?);
        let (reversed, pending, refunded): (Decimal, Decimal, Decimal) = (row.next()?, row.next()?, row.next()?);
        let back = reversed + refunded;
        sources.push(Source { amount, intent_id, operation_id, back, pending, used: Decimal::ZERO });
    }
    let mut used = line::used(session, customer_id, invoice_id)?;
    for source in &mut sources {
        source.used = source.left().min(used);
        used -= source.used;
    }
    Ok(sources)
}

fn stand(session: &Session, customer_id: &str, invoice_id: Uuid, replayed: bool) -> Result<DepositRow, Error> {
    let invoice = invoice::find(session, customer_id, invoice_id, false)?;
    if !DEPOSITS.contains(&invoice.billing_reason.as_str()) {
        return Err(none(invoice_id));
    }
    let sources = sources(session, customer_id, invoice_id)?;
    let sum = |of: fn(&Source) -> Decimal| sources.iter().map(of).sum::<Decimal>();
    let amount_used = line::used(session, customer_id, invoice_id)?;
    let is_paid = invoice.status == Status::Paid.as_str();
    Ok(DepositRow {
        customer_id: customer_id.to_string(),
        invoice_id,
        currency: invoice.currency,
        amount: invoice.amount_paid,
        amount_returned: sum(|source| source.back),
        amount_returning: sum(|source| source.pending),
        amount_returnable: if is_paid { sum(Source::left) } else { Decimal::ZERO },
        amount_outside: sum(|source| if source.is_ours() { Decimal::ZERO } else { source.amount }),
        status: invoice.status,
        replayed,
        amount_used,
    })
}

/// PC020: it is an invoice, and no deposit.
fn none(invoice_id: Uuid) -> Error {
    Error::StateConflict { object: "invoice", id: invoice_id.to_string(), state: "no deposit" }
}

/// `credits.invoice_return_deposit_info`. Raises PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn invoice_return_deposit_info(customer_id: Option<&str>, invoice_id: Option<Id>) -> Reply<One<DepositRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        reading(|session| stand(session, customer_id, invoice_id, false)).map(One)
    })())
}

/// `credits.invoice_return_deposit`. Raises PC002, PC003, PC007, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn invoice_return_deposit(
    customer_id: Option<&str>,
    invoice_id: Option<Id>,
    amount: Option<Numeric>,
    reason: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<DepositRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        let asked = input::optional_number("amount", amount, amount::over_zero)?;
        let reason = input::optional_key("reason", reason)?.unwrap_or("deposit_returned");
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        writing(|session| {
            let now = settings::now()?;
            let currency = invoice::find(session, customer_id, invoice_id, false)?.currency;
            let what = format!("{} of deposit {invoice_id}", if asked.is_some() { "part" } else { "all" });
            let of = asked.unwrap_or_default();
            let call = invoice::operation("invoice_return_deposit", Uuid::now_v7(), &currency, of, what);
            let judge = || judge(session, customer_id, invoice_id, asked);
            let (invoice, amount) = match key {
                None => judge()?,
                Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
                    Begun::First(judged) => judged,
                    Begun::Replay(_) => return stand(session, customer_id, invoice_id, true).map(One),
                },
            };
            give_back(session, &invoice, amount, reason)?;
            billing_event::record(session, EventType::InvoiceUpdated, invoice_id, Some(customer_id), now)?;
            stand(session, customer_id, invoice_id, false).map(One)
        })
    })())
}

/// Whether so much may go back, under all locks: how much it is. Raises PC003, PC007, PC019, PC020.
fn judge(
    session: &Session,
    customer_id: &str,
    invoice_id: Uuid,
    asked: Option<Decimal>,
) -> Result<(Invoice, Decimal), Error> {
    customer::lock(session, customer_id)?;
    let invoice = invoice::lock(session, customer_id, invoice_id)?;
    if !DEPOSITS.contains(&invoice.billing_reason.as_str()) {
        return Err(none(invoice_id));
    }
    invoice.must_be(Status::Paid)?;
    effect::lock_accounts(session, customer_id, wallet(session, &invoice)?)?;
    let most = left(session, customer_id, invoice_id)?;
    let amount = asked.unwrap_or(most);
    let decimals = currency::decimals(session, &invoice.currency)?;
    amount::fit(amount, decimals).map_err(|reason| Error::amount("amount", amount, reason))?;
    if amount > most || amount.is_zero() {
        return Err(Error::amount("amount", amount, AmountError::MoreThanPaid(most)));
    }
    Ok((invoice, amount))
}

/// What of a deposit that is paid can go back, or pay something.
fn left(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<Decimal, Error> {
    Ok(sources(session, customer_id, invoice_id)?.iter().map(Source::left).sum())
}

/// The account that paid a part of it, if the wallet did.
fn wallet(session: &Session, invoice: &Invoice) -> Result<Vec<String>, Error> {
    let sources = sources(session, &invoice.customer_id, invoice.id)?;
    let paid = sources.iter().any(|source| source.operation_id.is_some());
    Ok(if paid { vec![invoice.currency.clone()] } else { Vec::new() })
}

fn give_back(session: &Session, invoice: &Invoice, amount: Decimal, reason: &str) -> Result<(), Error> {
    let mut rest = amount;
    for source in sources(session, &invoice.customer_id, invoice.id)? {
        let part = source.left().min(rest);
        if part.is_zero() {
            continue;
        }
        match (source.intent_id, source.operation_id) {
            (Some(intent_id), _) => request::give_back(session, &invoice.customer_id, intent_id, part, reason)?,
            (None, Some(operation_id)) => {
                reversal::give_part_back(session, &invoice.customer_id, operation_id, part, "The deposit is returned")?;
            }
            (None, None) => continue,
        }
        rest -= part;
    }
    Ok(())
}
