//! What an account owes, settled all at once: a grant that is made for it pays it, since it is written off or was put on an
//! invoice. So each event still says who paid for it, and what comes back of it goes where it came from.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::grant::terms::{DEFAULT_PRIORITY, GrantTerms, Terms};
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, currency};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID};
use uuid::Uuid;

/// What an account owes.
#[derive(Debug, Clone)]
pub struct Owed {
    /// The currency.
    pub currency: String,
    /// By the meter whose payers may pay it; last, without one, what only plain credits may pay.
    pub parts: Vec<(Option<String>, Decimal)>,
}

impl Owed {
    /// All of it.
    pub fn credits(&self) -> Decimal {
        self.parts.iter().map(|(_, credits)| *credits).sum()
    }
}

static OWED: Statement = Statement::new(
    c"SELECT d.event_name, sum(d.pending)
      FROM (SELECT e.event_name, e.pending
            FROM credits_internal.event_debts o
            JOIN credits_internal.meter_events e ON e.customer_id = o.customer_id AND e.identifier = o.identifier
            WHERE o.customer_id = $1 AND o.currency = $2 AND e.created_at < $3
            UNION ALL
            SELECT r.event_name, r.pending FROM credits_internal.reclaims r
            WHERE r.customer_id = $1 AND r.currency = $2 AND r.pending > 0 AND r.created_at < $3) d
      GROUP BY d.event_name ORDER BY d.event_name NULLS LAST",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// What these accounts of a customer still owe now of what was recorded before a moment; none that owes nothing of it. They
/// are locked, in their order, and brought up to date.
pub fn before(
    session: &Session,
    customer_id: &str,
    mut currencies: Vec<String>,
    before: Time,
    now: Time,
) -> Result<Vec<Owed>, Error> {
    currencies.sort();
    currencies.dedup();
    let keys: Vec<Key> = currencies.into_iter().map(|code| (customer_id.to_string(), code)).collect();
    let books = posting::open(session, &keys, now)?;
    let owing: Vec<String> = books.iter().filter(|book| !book.pending.is_zero()).map(|b| b.currency.clone()).collect();
    posting::post_due(session, books)?;
    let mut all = Vec::new();
    for currency in owing {
        let rows = OWED.run(session, &[customer_id.cell(), currency.cell(), before.cell()])?;
        let parts = rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect::<Result<Vec<_>, Error>>()?;
        if !parts.is_empty() {
            all.push(Owed { currency, parts });
        }
    }
    Ok(all)
}

/// What pays what is owed.
pub struct Payer<'a> {
    /// Whether the customer is to pay for it: else it is written off, and what comes back of it is gone.
    pub is_paid_for: bool,
    /// Who grants it.
    pub granted_by: &'static str,
    /// For people.
    pub name: &'a str,
}

/// Pays all of this, in an account that is locked: a grant for each part, the oldest of it first. Returns them. Raises PC007.
pub fn pay(
    session: &Session,
    customer_id: &str,
    owed: &Owed,
    payer: &Payer<'_>,
    now: Time,
) -> Result<Vec<Uuid>, Error> {
    let decimals = currency::decimals(session, &owed.currency)?;
    let mut grants = Vec::with_capacity(owed.parts.len());
    for (event_name, credits) in &owed.parts {
        let mut book = account::open_existing(session, customer_id, &owed.currency, now)?;
        let terms = GrantTerms {
            category: String::from(if payer.is_paid_for { "paid" } else { "promotional" }),
            priority: DEFAULT_PRIORITY,
            time_to_live: None,
            applicable_meters: event_name.clone().map(|event_name| vec![event_name]),
            rollover: None,
        };
        let expires_at = if payer.is_paid_for { Time::NEVER } else { book.posted_at.next() };
        let new = NewGrant {
            id: Uuid::now_v7(),
            amount: *credits,
            name: Some(payer.name),
            granted_by: Some(payer.granted_by),
            metadata: None,
        };
        let terms = Terms::given(&terms, expires_at);
        grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
        posting::post(session, &[book])?;
        grants.push(new.id);
    }
    Ok(grants)
}

/// What such a grant paid is owed again, as of now, in an account that is locked. The grant stays: what comes back to it, since
/// usage is taken back, pays that. Raises PC007.
pub fn owe_again(
    session: &Session,
    (customer_id, currency): (&str, &str),
    (grant_id, event_name, credits): (Uuid, Option<&str>, Decimal),
    function: &str,
    now: Time,
) -> Result<(), Error> {
    let book = account::open_existing(session, customer_id, currency, now)?;
    let mut book = account::post_due_before_taking_back(session, book)?;
    let decimals = currency::decimals(session, currency)?;
    if !amount::is_countable(book.pending + credits, decimals) {
        return Err(Error::amount("amount", credits, AmountError::TooMuchOwed));
    }
    let meters: Vec<&str> = event_name.into_iter().collect();
    posting::take_windows(session, &mut [(&mut book, credits)], &meters)?;
    let call = Operation {
        function: function.to_string(),
        operation_id: Uuid::now_v7(),
        currency: currency.to_string(),
        amount: credits,
        category: None,
        grant_id: Some(grant_id),
        counterparty: None,
        reason: None,
    };
    operation::claim(session, customer_id, &call, None, &Texts::default(), book.posted_at)?;
    account::record_owed(session, &book, call.operation_id, event_name, credits)?;
    book.owe_again(call.operation_id, event_name, credits);
    posting::post(session, &[book])
}

static ADD: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a SET invoiced = nullif(coalesce(a.invoiced, 0) + $3, 0)
      WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID, NUMERICOID],
);

/// So much more, or less, of an account that is locked is on invoices that are not paid.
pub fn add_invoiced(session: &Session, customer_id: &str, currency: &str, credits: Decimal) -> Result<(), Error> {
    ADD.run(session, &[customer_id.cell(), currency.cell(), credits.cell()]).map(drop)
}
