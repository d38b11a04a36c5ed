//! What the payment of an invoice brings about, in the transaction that records it: the credits of its lines, once.

use crate::amount::split::{self, split, units};
use crate::amount::{AmountError, Decimal};
use crate::error::Error;
use crate::invoicing::invoice::Invoice;
use crate::invoicing::line::instalment::{self, Instalment};
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::grant::backdated;
use crate::ledger::grant::rollover::{self, Rollover};
use crate::ledger::grant::terms::{Cost, GrantTerms, Terms};
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, currency};
use crate::moment::Time;
use crate::moment::length::Length;
use crate::payments::clawback::line;
use crate::payments::listener::Answer;
use crate::payments::payment;
use crate::pg::statement::{Row, Session, Statement, text};
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
    /// When it was paid, where that was before now: instalments begin as they would have.
    pub paid_at: Option<Time>,
}

impl Source {
    /// An invoice's own payment.
    pub const INVOICE: Source = Source { granted_by: "invoice", cost: None, recharge_id: None, paid_at: None };
}

impl Invoice {
    /// It as what takes effect.
    pub fn bill(&self) -> Bill<'_> {
        Bill { customer_id: &self.customer_id, invoice_id: self.id, currency: &self.currency }
    }
}

/// The currencies that an invoice grants credits of, or has what was owed of.
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

macro_rules! lines {
    ($which:literal) => {
        text!(
            "SELECT l.invoice_line_id, l.credits, l.credit_currency, l.category, l.priority, l.time_to_live,
                    l.applicable_meters, l.rollover, l.grant_name,
                    greatest(l.amount_excluding_tax - CASE WHEN l.invoice_id IS NULL THEN l.given_discount ELSE 0 END, 0),
                    l.metadata, l.subscription_item_id IS NOT NULL
             FROM credits_internal.invoice_lines l
             WHERE l.customer_id = $1 AND l.credits IS NOT NULL AND ",
            $which
        )
    };
}
static LINES: Statement = Statement::new(
    lines!("l.invoice_id = $2 AND l.grant_id IS NULL ORDER BY l.line_no"),
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.top_up_id, t.credits, t.credit_currency, t.category, t.priority, t.time_to_live, t.applicable_meters,
             NULL::jsonb, t.name, t.due_amount, t.metadata, false
      FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2 AND t.grant_id IS NULL",
);

static LINE: Statement = Statement::new(lines!("l.invoice_line_id = $2"), &[TEXTOID, UUIDOID]);
static MONEY: Statement = Statement::new(
    c"SELECT l.invoice_id, l.currency FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_line_id = $2",
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
    in_instalments: bool,
}

fn bought(session: &Session, bill: &Bill<'_>) -> Result<Vec<Bought>, Error> {
    let mut all = Vec::new();
    for row in LINES.run(session, &[bill.customer_id.cell(), bill.invoice_id.cell()])?.iter() {
        all.push(Bought::read(row)?);
    }
    Ok(all)
}

impl Bought {
    fn read(mut row: Row<'_>) -> Result<Self, Error> {
        Ok(Bought {
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
            in_instalments: row.next()?,
        })
    }
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
    let now = settings::now()?;
    if let Some(paid_at) = source.paid_at.filter(|paid_at| *paid_at < now) {
        // Of all lines before anything is posted: what has begun is in the order of time.
        all.iter()
            .filter(|bought| bought.in_instalments)
            .try_for_each(|bought| give_begun(session, bill, bought, source, (paid_at, now)))?;
    }
    all.iter().try_for_each(|bought| match bought.in_instalments {
        false => give(session, bill, bought, source),
        true => give_in_instalments(session, bill, bought, source),
    })
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

/// Grants a line's credits in instalments: what has begun by now at once, and the others for when they are to begin. Each
/// has its share of what was paid.
fn give_in_instalments(session: &Session, bill: &Bill<'_>, bought: &Bought, source: &Source) -> Result<(), Error> {
    let kept = instalment::of(session, bill.customer_id, bought.line_id)?;
    let begun = kept.iter().find_map(|kept| kept.grant_id);
    let first = give_all(session, bill, bought, source, &kept)?;
    let first = begun.or(first);
    GRANTED.run(session, &[bill.customer_id.cell(), bought.line_id.cell(), first.cell()]).map(drop)
}

/// Grants instalments of a line that have no grant. Returns the first one.
fn give_all(
    session: &Session,
    bill: &Bill<'_>,
    bought: &Bought,
    source: &Source,
    kept: &[instalment::Kept],
) -> Result<Option<Uuid>, Error> {
    let decimals = currency::decimals(session, &bought.currency)?;
    let costs = costs(session, bill, bought, kept)?;
    let open = || account::open_existing(session, bill.customer_id, &bought.currency, settings::now()?);
    let (mut book, mut is_posted) = (open()?, true);
    let mut first = None;
    for ((place, one), cost) in kept.iter().enumerate().zip(costs).filter(|((_, one), _)| one.grant_id.is_none()) {
        let (start, terms) = one.terms(bill, bought, (book.posted_at, kept.get(place + 1)), cost);
        let new = bought.to_grant(one, source);
        grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
        is_posted = start <= book.posted_at;
        if is_posted {
            // It may have paid what is owed: the next one reads what is left of that.
            posting::post(session, &[book])?;
            book = open()?;
        }
        instalment::granted(session, bill.customer_id, one, new.id)?;
        first.get_or_insert(new.id);
    }
    if !is_posted {
        posting::post(session, &[book])?;
    }
    Ok(first)
}

/// Grants what had begun by now of a line that was paid before: as it was planned, though nobody could spend it then. What was
/// over before the account's last line is over.
fn give_begun(
    session: &Session,
    bill: &Bill<'_>,
    bought: &Bought,
    source: &Source,
    (paid_at, now): (Time, Time),
) -> Result<(), Error> {
    let kept = instalment::of(session, bill.customer_id, bought.line_id)?;
    let account = (bill.customer_id, bought.currency.as_str());
    let decimals = currency::decimals(session, &bought.currency)?;
    for ((place, one), cost) in kept.iter().enumerate().zip(costs(session, bill, bought, &kept)?) {
        let (start, terms) = one.terms(bill, bought, (paid_at, kept.get(place + 1)), cost);
        if start >= now {
            break;
        }
        let new = bought.to_grant(one, source);
        if backdated::leave_due(session, account, &new, &terms, (start, now), decimals)? {
            instalment::granted(session, bill.customer_id, one, new.id)?;
        } else {
            instalment::ended(session, bill.customer_id, one, now)?;
        }
    }
    Ok(())
}

impl Bought {
    /// The grant of an instalment.
    fn to_grant(&self, one: &instalment::Kept, source: &Source) -> NewGrant<'_> {
        NewGrant {
            id: Uuid::now_v7(),
            amount: one.plan.credits,
            name: self.name.as_deref(),
            granted_by: Some(source.granted_by),
            metadata: self.metadata.as_ref(),
        }
    }
}

impl instalment::Kept {
    /// When its grant begins where it is paid at a moment, and the terms of that.
    fn terms(
        &self,
        bill: &Bill<'_>,
        bought: &Bought,
        (paid_at, next): (Time, Option<&instalment::Kept>),
        cost: Decimal,
    ) -> (Time, Terms) {
        let (start, planned) = self.plan.window(paid_at);
        let expires_at = match (bought.terms.time_to_live, self.expires) {
            (Some(lasts), _) => lasts.added_to(start),
            (None, true) => planned,
            (None, false) => Time::NEVER,
        };
        let cost = self.had.map_or(cost, |(part, _)| part).normalize();
        let cost = Cost { amount: cost, currency: bill.currency.to_string() };
        let mut terms = Terms::bought(&bought.terms, expires_at, cost).starting_at(start);
        if let (true, Some(rollover)) = (self.expires, &bought.terms.rollover) {
            terms.rollover = Some(goes_on(rollover, self.plan, next.map(|next| next.plan)));
        }
        (start, terms)
    }
}

/// What is left of an instalment goes on until the end of the next one, or for as long as it says.
fn goes_on(rollover: &Rollover, plan: Instalment, next: Option<Instalment>) -> rollover::Terms {
    let microseconds = plan.ends_at.0.saturating_sub(plan.starts_at.0);
    let own = Length { months: 0, days: 0, microseconds };
    let until = next.map_or(Time(plan.ends_at.0.saturating_add(microseconds)), |next| next.ends_at);
    rollover::Terms {
        rollover: rollover.clone(),
        lives: rollover.expires_after.unwrap_or(own),
        until: rollover.expires_after.is_none().then_some(until),
    }
}

/// What each instalment costs: its share of what was paid, by its credits. What is granted again has the cost that it had.
fn costs(
    session: &Session,
    bill: &Bill<'_>,
    bought: &Bought,
    kept: &[instalment::Kept],
) -> Result<Vec<Decimal>, Error> {
    let decimals = [currency::decimals(session, &bought.currency)?, currency::decimals(session, bill.currency)?];
    split_cost(bought.net, kept, decimals).map_err(|_| Error::internal("what was paid cannot be split"))
}

fn split_cost(
    net: Decimal,
    kept: &[instalment::Kept],
    [decimals, money_decimals]: [u32; 2],
) -> Result<Vec<Decimal>, AmountError> {
    let weight = |one: &instalment::Kept| match one.revision {
        1 => units(one.plan.credits, decimals),
        _ => Ok(0),
    };
    let weights: Vec<i128> = kept.iter().map(weight).collect::<Result<_, _>>()?;
    let parts = split(units(net, money_decimals)?, &weights)?;
    parts.into_iter().map(|part| split::amount(part, money_decimals)).collect()
}

/// Grants what a pending line is for before it is on an invoice: what changes in mid-period comes at once. Its accounts are
/// locked.
pub fn grant_pending(session: &Session, customer_id: &str, line_id: Uuid) -> Result<(), Error> {
    let first = grant_again(session, customer_id, line_id)?;
    GRANTED.run(session, &[customer_id.cell(), line_id.cell(), first.cell()]).map(drop)
}

/// Grants what was planned again of a line that is paid. Its accounts are locked. Returns the first grant.
pub fn grant_again(session: &Session, customer_id: &str, line_id: Uuid) -> Result<Option<Uuid>, Error> {
    let cells = [customer_id.cell(), line_id.cell()];
    let Some(bought) = LINE.run(session, &cells)?.first().map(Bought::read).transpose()? else { return Ok(None) };
    let rows = MONEY.run(session, &cells)?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a line that grants is not there"))?;
    let (invoice_id, currency): (Option<Uuid>, String) = (row.next()?, row.next()?);
    let kept = instalment::of(session, customer_id, line_id)?;
    let bill = Bill { customer_id, invoice_id: invoice_id.unwrap_or(line_id), currency: &currency };
    give_all(session, &bill, &bought, &Source::INVOICE, &kept)
}
