//! What the payment of an invoice brings about, in the transaction that records it: the credits of its lines, once.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::invoice::Invoice;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::grant::terms::{Cost, GrantTerms, Terms};
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, currency};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

/// Locks a customer's accounts in these currencies, made where they are missing, in their order.
pub fn lock_accounts(session: &Session, customer_id: &str, mut currencies: Vec<String>) -> Result<(), Error> {
    currencies.sort();
    currencies.dedup();
    let keys: Vec<Key> = currencies.into_iter().map(|code| (customer_id.to_string(), code)).collect();
    posting::make(session, &keys)?;
    posting::lock(session, &keys).map(drop)
}

static CURRENCIES: Statement = Statement::new(
    c"SELECT DISTINCT l.credit_currency FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.credits IS NOT NULL",
    &[TEXTOID, UUIDOID],
);

/// The currencies that an invoice grants credits of.
pub fn currencies(session: &Session, invoice: &Invoice) -> Result<Vec<String>, Error> {
    let rows = CURRENCIES.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?;
    rows.iter().map(|mut row| row.next()).collect()
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
             l.grant_name, greatest(l.amount_excluding_tax, 0), l.metadata
      FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.credits IS NOT NULL AND l.grant_id IS NULL
      ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
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

/// Grants what an invoice's lines are for, each with what was paid for it. Raises PC007 where an account has no room for it.
pub fn grant(session: &Session, invoice: &Invoice) -> Result<(), Error> {
    let mut all = Vec::new();
    for mut row in LINES.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?.iter() {
        all.push(Bought {
            line_id: row.next()?,
            credits: row.next()?,
            currency: row.next()?,
            terms: GrantTerms {
                category: row.next()?,
                priority: row.next()?,
                time_to_live: row.next()?,
                applicable_meters: row.next()?,
            },
            name: row.next()?,
            net: row.next()?,
            metadata: row.next()?,
        });
    }
    lock_accounts(session, &invoice.customer_id, all.iter().map(|bought| bought.currency.clone()).collect())?;
    all.iter().try_for_each(|bought| give(session, invoice, bought))
}

static GRANTED: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l SET grant_id = $3 WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID],
);

fn give(session: &Session, invoice: &Invoice, bought: &Bought) -> Result<(), Error> {
    let mut book = account::open_existing(session, &invoice.customer_id, &bought.currency, settings::now()?)?;
    let expires_at = bought.terms.time_to_live.map_or(Time::NEVER, |lasts| lasts.added_to(book.posted_at));
    let cost = Cost { amount: bought.net, currency: invoice.currency.clone() };
    let terms = Terms::bought(&bought.terms, expires_at, cost);
    let new = NewGrant {
        id: Uuid::now_v7(),
        amount: bought.credits,
        name: bought.name.as_deref(),
        granted_by: Some("invoice"),
        metadata: bought.metadata.as_ref(),
    };
    let decimals = currency::decimals(session, &bought.currency)?;
    grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
    posting::post(session, &[book])?;
    GRANTED.run(session, &[invoice.customer_id.cell(), bought.line_id.cell(), new.id.cell()]).map(drop)
}
