//! What becomes of credits that are owed as a period ends: they stay owed, are written off, or go on the next invoice. They
//! are those of the accounts that the plan grants credits in; where it grants none, of credits.default_currency.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::invoicing::line::given::{Given, UNIT_DECIMALS};
use crate::invoicing::line::{self, New};
use crate::invoicing::owed;
use crate::ledger::currency;
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::grant::owed::{self as debts, Owed, Payer};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::subscription::Subscription;
use pgrx::pg_sys::{BOOLOID, NUMERICOID, TEXTARRAYOID, TEXTOID, UUIDOID};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They stay owed.
    Carry,
    /// They are written off.
    Forgive,
    /// They are on the next invoice, at so much for one.
    Invoice(Decimal),
}

/// The names.
const NAMES: [&str; 3] = ["carry", "forgive", "invoice"];

impl Policy {
    /// As it is kept.
    pub fn stored(name: &str, rate: Option<Decimal>) -> Self {
        match (name, rate) {
            ("forgive", _) => Policy::Forgive,
            ("invoice", Some(rate)) => Policy::Invoice(rate),
            _ => Policy::Carry,
        }
    }

    /// Whether they go on invoices.
    pub fn is_invoiced(self) -> bool {
        matches!(self, Policy::Invoice(_))
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// By its name.
    pub name: Option<&'static str>,
    /// What one credit costs.
    pub rate: Option<Decimal>,
    /// Whether a deposit pays what the last retry could not.
    pub protects: Option<bool>,
}

impl Asked {
    /// Reads it. Raises PC007, PC013.
    pub fn read(name: Option<&str>, rate: Option<Numeric>, protects: Option<bool>) -> Result<Self, Error> {
        let unknown = |given: &str| input::none_of("at_period_end", given, &NAMES);
        let named = |given: &str| NAMES.into_iter().find(|name| *name == given).ok_or_else(|| unknown(given));
        let rate = input::optional_number("overage_rate", rate, amount::over_zero)?;
        if let Some(rate) = rate {
            amount::fit(rate, UNIT_DECIMALS).map_err(|reason| Error::amount("overage_rate", rate, reason))?;
        }
        Ok(Asked { name: name.map(named).transpose()?, rate, protects })
    }

    /// What a subscription that has the other has with this. Raises PC013 where a rate is missing.
    pub fn over(self, name: &'static str, rate: Option<Decimal>) -> Result<Self, Error> {
        let (name, rate) = (self.name.unwrap_or(name), self.rate.or(rate));
        if name == "invoice" && rate.is_none() {
            return Err(Error::argument("overage_rate", "must say what a credit costs, for at_period_end 'invoice'"));
        }
        Ok(Asked { name: Some(name), rate, ..self })
    }

    /// Whether what is owed goes on invoices.
    pub fn is_invoiced(self) -> bool {
        self.name == Some("invoice")
    }

    /// Whether it is what every subscription has.
    pub fn is_usual(self) -> bool {
        self.name.unwrap_or(NAMES[0]) == NAMES[0] && self.rate.is_none() && self.protects != Some(true)
    }

    /// What a replay is compared with.
    pub fn compared(self) -> String {
        let rate = self.rate.map(|rate| rate.normalize().to_string()).unwrap_or_default();
        format!("{} {rate}", self.name.unwrap_or_default())
    }

    /// What a new one has.
    pub fn to_begin(self) -> Result<Self, Error> {
        self.over(NAMES[0], None)
    }
}

static KEPT: Statement = Statement::new(
    c"SELECT s.at_period_end, s.overage_rate FROM credits_internal.subscriptions s
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);

/// What a subscription has, with what is asked for. Raises PC013 where a rate is missing.
pub fn with(session: &Session, customer_id: &str, id: Uuid, asked: Asked) -> Result<Asked, Error> {
    let rows = KEPT.run(session, &[customer_id.cell(), id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a subscription that is locked is not there"))?;
    let (kept, rate): (String, Option<Decimal>) = (row.next()?, row.next()?);
    asked.over(NAMES.into_iter().find(|name| *name == kept).unwrap_or(NAMES[0]), rate)
}

static KEEP: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s
      SET at_period_end = coalesce($3, s.at_period_end), overage_rate = coalesce($4, s.overage_rate),
          overdraft_protection = coalesce($5, s.overdraft_protection)
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, NUMERICOID, BOOLOID],
);

/// Writes it down.
pub fn keep(session: &Session, customer_id: &str, id: Uuid, asked: Asked) -> Result<(), Error> {
    let cells = [customer_id.cell(), id.cell(), asked.name.cell(), asked.rate.cell(), asked.protects.cell()];
    KEEP.run(session, &cells).map(drop)
}

/// The accounts whose owed credits these items settle.
fn of_items(items: &[Item]) -> Result<BTreeSet<String>, Error> {
    let granted = items.iter().filter_map(|item| item.offer.config.as_ref()).map(|config| config.currency.clone());
    let granted: BTreeSet<String> = granted.collect();
    if granted.is_empty() { Ok([currency::code_or_default(None)?].into()) } else { Ok(granted) }
}

static THERE: Statement = Statement::new(
    c"SELECT a.currency FROM credits_internal.accounts a WHERE a.customer_id = $1 AND a.currency = ANY ($2)",
    &[TEXTOID, TEXTARRAYOID],
);

/// The accounts whose owed credits a subscription settles, of those that are there; none where it leaves them alone.
pub fn currencies(session: &Session, there: &Subscription) -> Result<Vec<String>, Error> {
    if there.policy == Policy::Carry {
        return Ok(Vec::new());
    }
    let all = of_items(&item::of(session, &there.customer_id, there.id)?)?;
    let rows = THERE.run(session, &[there.customer_id.cell(), array(all)])?;
    rows.iter().map(|mut row| row.next()).collect()
}

/// Whether nobody else has those accounts; they are locked with this, where they are free.
pub fn is_free(session: &Session, there: &Subscription) -> Result<bool, Error> {
    let mut currencies = currencies(session, there)?;
    currencies.sort();
    let keys: Vec<Key> = currencies.into_iter().map(|code| (there.customer_id.clone(), code)).collect();
    Ok(keys.is_empty() || posting::lock_free(session, &keys)?.len() == keys.len())
}

static OTHERS: Statement = Statement::new(
    c"SELECT s.subscription_id FROM credits_internal.subscriptions s
      WHERE s.customer_id = $1 AND s.subscription_id <> $2 AND s.at_period_end = 'invoice'
        AND s.status NOT IN ('canceled', 'incomplete_expired') ORDER BY s.subscription_id",
    &[TEXTOID, UUIDOID],
);

/// At most one subscription puts on its invoice what an account owes. The customer is locked. Raises PC013.
pub fn check(
    session: &Session,
    (customer_id, id): (&str, Uuid),
    is_invoiced: bool,
    items: &[Item],
) -> Result<(), Error> {
    if !is_invoiced {
        return Ok(());
    }
    if items.iter().any(|item| !item.offer.is_money) {
        let reason = "cannot be 'invoice' where the prices are in credits: it is the wallet that owes";
        return Err(Error::argument("at_period_end", reason));
    }
    let mine = of_items(items)?;
    let mut others: Vec<Uuid> = Vec::new();
    for mut row in OTHERS.run(session, &[customer_id.cell(), id.cell()])?.iter() {
        others.push(row.next()?);
    }
    for other in others {
        let theirs = of_items(&item::of(session, customer_id, other)?)?;
        if let Some(code) = mine.intersection(&theirs).next() {
            let reason = format!(
                "cannot be 'invoice': subscription {other} invoices what is owed in {code}, and at most one may"
            );
            return Err(Error::argument("at_period_end", reason));
        }
    }
    Ok(())
}

/// A period has ended: what its accounts still owe of what was recorded before a moment is written off, or goes on an invoice
/// that is about to be made. Returns the lines for that. The accounts are locked with this, and brought up to date. Raises
/// PC007.
pub fn settle(
    session: &Session,
    there: &Subscription,
    invoice_id: Uuid,
    (period, before): ((Time, Time), Time),
    now: Time,
) -> Result<Vec<New>, Error> {
    let currencies = currencies(session, there)?;
    if currencies.is_empty() {
        return Ok(Vec::new());
    }
    let payer = |name: &'static str, is_paid_for: bool| Payer { is_paid_for, granted_by: "subscription", name };
    let mut lines = Vec::new();
    for owed in debts::before(session, &there.customer_id, currencies, before, now)? {
        match there.policy {
            Policy::Carry => {}
            Policy::Forgive => {
                debts::pay(session, &there.customer_id, &owed, &payer("Owed credits, written off", false), now)?;
            }
            Policy::Invoice(rate) => {
                lines.push(line(session, there, &owed, rate, period)?);
                let of = (there.customer_id.as_str(), invoice_id);
                owed::invoice(session, of, &owed, &payer("Owed credits, invoiced", true), now)?;
            }
        }
    }
    Ok(lines)
}

/// The line for it: so many credits at the rate, rounded once.
fn line(
    session: &Session,
    there: &Subscription,
    owed: &Owed,
    rate: Decimal,
    period: (Time, Time),
) -> Result<New, Error> {
    let given = Given {
        quantity: Some(owed.credits()),
        unit_amount: Some(rate),
        description: Some(format!("Credits beyond the plan, in {}", owed.currency)),
        period: Some(period),
        ..Given::default()
    };
    let decimals = currency::decimals(session, &there.currency)?;
    line::price(session, Uuid::now_v7(), given, &there.currency, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_wants_a_rate() {
        let rate = Decimal::new(2, 2);
        let asked = |name, rate| Asked { name, rate, protects: None };
        assert_eq!(asked(None, None).to_begin().unwrap(), asked(Some("carry"), None));
        assert!(asked(Some("invoice"), None).to_begin().is_err());
        assert_eq!(asked(Some("invoice"), Some(rate)).to_begin().unwrap(), asked(Some("invoice"), Some(rate)));
        // What is there stays where nothing else is asked for.
        assert_eq!(asked(Some("invoice"), None).over("carry", Some(rate)).unwrap(), asked(Some("invoice"), Some(rate)));
        assert_eq!(asked(None, Some(rate)).over("forgive", None).unwrap(), asked(Some("forgive"), Some(rate)));
        assert_eq!(Policy::stored("invoice", Some(rate)), Policy::Invoice(rate));
        assert_eq!(Policy::stored("forgive", None), Policy::Forgive);
        assert_eq!(Policy::stored("carry", Some(rate)), Policy::Carry);
    }
}
