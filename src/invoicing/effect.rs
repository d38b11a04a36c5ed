//! What the payment of an invoice brings about, in the transaction that records it: the credits of its lines, once.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::invoice::Invoice;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::grant::rollover::Rollover;
use crate::ledger::grant::terms::{Cost, GrantTerms, Terms};
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, currency};
use crate::moment::Time;
use crate::payments::clawback::line;
use crate::payments::listener::Answer;
use crate::payments::payment;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Locks a customer's accounts in these currencies, made where they are missing, in their order.
pub fn lock_accounts(session: &Session, customer_id: &str, mut currencies: Vec<String>) -> Result<(), Error> {
    currencies.sort();
    currencies.dedup();
    let keys: Vec<Key> = currencies.into_iter().map(|code| (customer_id.to_string(), code)).collect();
    posting::make(session, &keys)?;
    posting::lock(session, &keys).map(drop)
}

/// An invoice whose payment takes effect.
pub struct Bill<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// Its id.
    pub invoice_id: Uuid,
    /// The currency of its amounts.
    pub currency: &'a str,
}

/// What its grants come from.
pub struct Source {
    /// What the history calls it.
    pub granted_by: &'static str,
    /// What was paid without tax, where that is not what the line says.
    pub cost: Option<Decimal>,
    /// The auto-recharge that asked for them.
    pub recharge_id: Option<Uuid>,
}

impl Source {
    /// An invoice's own payment.
    pub const INVOICE: Source = Source { granted_by: "invoice", cost: None, recharge_id: None };
}

impl Invoice {
    /// It as what takes effect.
    pub fn bill(&self) -> Bill<'_> {
        Bill { customer_id: &self.customer_id, invoice_id: self.id, currency: &self.currency }
    }
}

/// The currencies that an invoice grants credits of.
pub fn currencies(session: &Session, invoice: &Invoice) -> Result<Vec<String>, Error> {
    let accounts = line::accounts(session, &invoice.customer_id, invoice.id)?;
    Ok(accounts.into_iter().map(|(_, currency)| currency).collect())
}

static PENDING: Statement = Statement::new(
    c"SELECT DISTINCT l.credit_currency FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.currency = $2 AND l.invoice_id IS NULL AND l.credits IS NOT NULL",
    &[TEXTOID, TEXTOID],
);

/// The same of what is pending in a currency.
pub fn pending_currencies(session: &Session, customer_id: &str, code: &str) -> Result<Vec<String>, Error> {
    let rows = PENDING.run(session, &[customer_id.cell(), code.cell()])?;
    rows.iter().map(|mut row| row.next()).collect()
}

static LINES: Statement = Statement::new(
    c"SELECT l.invoice_line_id, l.credits, l.credit_currency, l.category, l.priority, l.time_to_live, l.applicable_meters,
             l.rollover, l.grant_name, greatest(l.amount_excluding_tax, 0), l.metadata
      FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.credits IS NOT NULL AND l.grant_id IS NULL
      ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.top_up_id, t.credits, t.credit_currency, t.category, t.priority, t.time_to_live, t.applicable_meters,
             NULL::jsonb, t.name, t.due_amount, t.metadata
      FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2 AND t.grant_id IS NULL",
);

/// What one line grants.
struct Bought {
    line_id: Uuid,
    credits: Decimal,
    currency: String,
    terms: GrantTerms,
    name: Option<String>,
    net: Decimal,
    metadata: Option<Json>,
}

fn bought(session: &Session, bill: &Bill<'_>) -> Result<Vec<Bought>, Error> {
    let mut all = Vec::new();
    for mut row in LINES.run(session, &[bill.customer_id.cell(), bill.invoice_id.cell()])?.iter() {
        all.push(Bought {
            line_id: row.next()?,
            credits: row.next()?,
            currency: row.next()?,
            terms: GrantTerms {
                category: row.next()?,
                priority: row.next()?,
                time_to_live: row.next()?,
                applicable_meters: row.next()?,
                rollover: row.next::<Option<Json>>()?.map(|json| Rollover::stored(&json.text())).transpose()?,
            },
            name: row.next()?,
            net: row.next()?,
            metadata: row.next()?,
        });
    }
    Ok(all)
}

/// Whether the accounts, which are locked, can count all that an invoice's lines are for.
pub fn has_room(session: &Session, bill: &Bill<'_>) -> Result<bool, Error> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for bought in bought(session, bill)? {
        let sum = sums.entry(bought.currency).or_default();
        *sum = sum.saturating_add(bought.credits);
    }
    for (code, sum) in sums {
        let book = account::open_existing(session, bill.customer_id, &code, settings::now()?)?;
        if grant::check_room(&book, sum, currency::decimals(session, &code)?).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Grants what an invoice's lines are for, each with what was paid for it; its accounts are locked already, or are with this.
/// Raises PC007 where one has no room for it.
pub fn grant(session: &Session, bill: &Bill<'_>, source: &Source) -> Result<(), Error> {
    let all = bought(session, bill)?;
    lock_accounts(session, bill.customer_id, all.iter().map(|bought| bought.currency.clone()).collect())?;
    all.iter().try_for_each(|bought| give(session, bill, bought, source))
}

static GRANTED: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l SET grant_id = $3 WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID],
)
.before(c"UPDATE credits_internal.top_ups t SET grant_id = $3 WHERE t.customer_id = $1 AND t.top_up_id = $2");

fn give(session: &Session, bill: &Bill<'_>, bought: &Bought, source: &Source) -> Result<(), Error> {
    let mut book = account::open_existing(session, bill.customer_id, &bought.currency, settings::now()?)?;
    let expires_at = bought.terms.time_to_live.map_or(Time::NEVER, |lasts| lasts.added_to(book.posted_at));
    let cost = Cost { amount: source.cost.unwrap_or(bought.net).normalize(), currency: bill.currency.to_string() };
    let terms = Terms::bought(&bought.terms, expires_at, cost);
    let new = NewGrant {
        id: Uuid::now_v7(),
        amount: bought.credits,
        name: bought.name.as_deref(),
        granted_by: Some(source.granted_by),
        metadata: bought.metadata.as_ref(),
    };
    let decimals = currency::decimals(session, &bought.currency)?;
    grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
    if let Some(recharge_id) = source.recharge_id {
        // Before the account is evaluated again.
        payment::end_recharge(session, &mut book, recharge_id, Answer::Paid, None)?;
    }
    posting::post(session, &[book])?;
    GRANTED.run(session, &[bill.customer_id.cell(), bought.line_id.cell(), new.id.cell()]).map(drop)
}
