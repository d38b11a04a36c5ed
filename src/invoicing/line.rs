//! Lines of invoices: how each is priced, kept and taken from what is pending. How callers give them is in line/given.rs,
//! what all of an invoice's come to in engine.rs.

mod bought;
pub mod given;
pub mod instalment;
mod kept;
mod of_item;
pub mod shown;

use crate::amount::{self, Decimal};
use crate::catalog::discount::CartLine;
use crate::catalog::price::offer;
use crate::error::Error;
use crate::invoicing::engine::{self, Fault, Tax, Totals};
use crate::invoicing::invoice::Invoice;
use crate::invoicing::line::given::{BEHAVIORS, Given, MOST_LINES};
use crate::invoicing::line::kept::carry;
use crate::ledger::currency;
use crate::ledger::grant::terms::GrantTerms;
use crate::metering::pricing::Pricing;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT4ARRAYOID, INT4OID, NUMERICARRAYOID, TEXTOID, UUIDARRAYOID, UUIDOID};
use uuid::Uuid;

pub use kept::{insert, insert_all};
pub use of_item::OfItem;

/// A line that is priced and not kept yet.
pub struct New {
    /// Its id.
    pub id: Uuid,
    given: Given,
    description: Option<String>,
    amount: Decimal,
    tax_behavior: String,
    credits: Option<Credits>,
    product_id: Option<Uuid>,
    item: Option<of_item::Item>,
}

/// What the payment of a line grants.
struct Credits {
    amount: Decimal,
    currency: String,
    name: Option<String>,
    terms: GrantTerms,
}

/// The currency that lines by price are in; `None` where there are none.
pub fn currency_of(session: &Session, lines: &[Given]) -> Result<Option<String>, Error> {
    for line in lines {
        if let Some(price_id) = line.price(session)? {
            return Ok(Some(offer::find(session, price_id)?.currency));
        }
    }
    Ok(None)
}

impl Given {
    /// Its price, by id or by lookup key. Raises PC013, PC019.
    fn price(&self, session: &Session) -> Result<Option<Uuid>, Error> {
        match (self.price_id, &self.lookup_key) {
            (Some(_), Some(_)) => Err(Error::argument("lookup_key", "or price_id is to be given, not both")),
            (None, Some(lookup_key)) => offer::id_of(session, lookup_key).map(Some),
            (price_id, None) => Ok(price_id),
        }
    }
}

/// What a line costs in a currency, with what it grants. Raises PC007, PC008, PC013, PC015, PC019.
pub fn price(session: &Session, id: Uuid, given: Given, code: &str, decimals: u32) -> Result<New, Error> {
    let given = Given { price_id: given.price(session)?, ..given };
    let by_hand = [given.amount.is_some(), given.unit_amount.is_some(), given.pricing.is_some()];
    let new = match (given.price_id, by_hand.iter().filter(|given| **given).count()) {
        (Some(price_id), 0) => by_price(session, id, price_id, given, code)?,
        (None, 1) => New {
            id,
            description: given.description.clone(),
            amount: by_hand_amount(&given, decimals)?,
            tax_behavior: given.tax_behavior.clone().unwrap_or_else(|| BEHAVIORS[0].to_string()),
            credits: None,
            product_id: None,
            item: None,
            given,
        },
        _ => {
            let reason = "must each have one of price_id, amount, unit_amount with quantity, and pricing with quantity";
            return Err(Error::argument("lines", reason));
        }
    };
    let discount = new.given.discount.unwrap_or_default();
    amount::fit(discount, decimals).map_err(|reason| Error::amount("discount", discount, reason))?;
    Ok(new)
}

fn by_hand_amount(given: &Given, decimals: u32) -> Result<Decimal, Error> {
    if let Some(amount) = given.amount {
        if given.quantity.is_some() {
            return Err(Error::argument(
                "quantity",
                "is for a price_id, a unit_amount or a pricing: an amount is of the line",
            ));
        }
        return amount::fit(amount, decimals).map_err(|reason| Error::amount("amount", amount, reason));
    }
    let quantity = given.quantity.unwrap_or(Decimal::ONE);
    let cost = match (&given.pricing, given.unit_amount) {
        (Some(pricing), _) => {
            let pricing = Pricing::parse(pricing).map_err(|wrong| Error::argument("pricing", wrong.to_string()))?;
            let by_quantity = || Error::argument("pricing", "must be by quantity alone, without \"by\"");
            // Only a price by metadata has more than the one, or none.
            let price = pricing.price("").filter(|_| !pricing.has_classes()).ok_or_else(by_quantity)?;
            price.cost(quantity, decimals)
        }
        (None, unit_amount) => amount::price(quantity, unit_amount.unwrap_or_default(), decimals),
    };
    cost.map_err(|reason| Error::amount("quantity", quantity, reason))
}

fn by_price(session: &Session, id: Uuid, price_id: Uuid, given: Given, code: &str) -> Result<New, Error> {
    let price = offer::find(session, price_id)?;
    if price.is_archived && !given.is_sold {
        return Err(Error::PriceNotFound { price_id, archived: true });
    }
    if price.recurring.is_some() {
        return Err(Error::argument("price_id", "must be a price that is paid once: this one is recurring"));
    }
    if price.currency != code {
        let reason =
            format!("must be that of all its prices: {price_id} is in {}, and the invoice in {code}", price.currency);
        return Err(Error::argument("currency", reason));
    }
    let quantity = given.quantity.unwrap_or(Decimal::ONE);
    let refused = |reason| Error::amount("quantity", quantity, reason);
    let amount = match given.custom_amount {
        Some(custom) => {
            amount::fit(custom, price.decimals).map_err(|reason| Error::amount("custom_amount", custom, reason))?
        }
        None => price.amount(quantity).map_err(refused)?,
    };
    let mut credits = None;
    if let Some(config) = &price.config {
        let credit_decimals = match given.is_sold {
            true => currency::decimals(session, &config.currency)?,
            false => currency::resolve(session, &config.currency)?.decimals,
        };
        let amount = quantity.checked_mul(config.amount).ok_or(amount::AmountError::TooManyDigits);
        let amount = amount::fit(amount.map_err(refused)?, credit_decimals).map_err(refused)?;
        let name = Some(config.name.clone().unwrap_or_else(|| price.product_name.clone()));
        credits = Some(Credits { amount, currency: config.currency.clone(), name, terms: config.terms() });
    }
    Ok(New {
        id,
        description: given.description.clone().or_else(|| Some(price.product_name.clone())),
        amount,
        tax_behavior: given.tax_behavior.clone().unwrap_or(price.tax_behavior),
        credits,
        product_id: Some(price.product_id),
        item: None,
        given: match given.custom_amount {
            Some(_) => Given { quantity: Some(quantity), ..given },
            None => Given { quantity: Some(quantity), unit_amount: price.unit_amount, pricing: price.pricing, ..given },
        },
    })
}

impl New {
    /// The currency of what its payment grants.
    pub fn credit_currency(&self) -> Option<&str> {
        self.credits.as_ref().map(|credits| credits.currency.as_str())
    }

    /// What its payment grants: how many credits of which currency.
    pub fn credits(&self) -> Option<(&str, Decimal)> {
        self.credits.as_ref().map(|credits| (credits.currency.as_str(), credits.amount))
    }

    /// What people call it.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What it costs before anything is taken off.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// It as a discount sees it.
    pub fn for_discount(&self) -> CartLine {
        CartLine { product_id: self.product_id, amount: self.amount }
    }

    /// So much is taken off it.
    pub fn take_off(&mut self, discount: Decimal) {
        self.given.discount = Some(discount);
    }

    /// Its price, and how many of it.
    pub fn sold(&self) -> Option<(Uuid, Decimal)> {
        Some((self.given.price_id?, self.given.quantity?))
    }

    /// It as what invoices come to is worked out of, where those without a tax rate of their own have that.
    fn reckoned(&self, tax_rate: Option<Decimal>) -> engine::Line {
        let rate = self.given.tax_rate.or(tax_rate).filter(|rate| !rate.is_zero());
        let inclusive = self.tax_behavior == BEHAVIORS[1];
        let discount = self.given.discount.unwrap_or_default();
        engine::Line { amount: self.amount, discount, tax: rate.map(|rate| Tax { rate, inclusive }) }
    }
}

/// What lines that are not kept yet come to. Raises PC007.
pub fn totals(lines: &[New], tax_rate: Option<Decimal>, decimals: u32) -> Result<Totals, Error> {
    let lines: Vec<engine::Line> = lines.iter().map(|line| line.reckoned(tax_rate)).collect();
    engine::totals(&lines, Decimal::ZERO, decimals).map_err(unreckoned)
}

fn unreckoned(fault: Fault) -> Error {
    match fault {
        Fault::Amount(reason) => {
            Error::InvalidAmount { argument: "lines", value: String::from("what they come to"), reason }
        }
        Fault::Discount(asked, most) => Error::amount("discount", asked, amount::AmountError::MoreThanThere(most)),
    }
}

static CARRIED: Statement = Statement::new(
    c"SELECT l.from_invoice_id, l.amount, l.description FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.from_invoice_id IS NOT NULL ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
);

/// What an earlier invoice left over and a void one had taken is pending again: it is the customer's. So are changes of
/// subscriptions that it had taken, and all else that one of a subscription had: nobody chose to put it there.
pub fn carry_again(session: &Session, invoice: &Invoice, at: Time) -> Result<(), Error> {
    kept::wait_again(session, invoice, at)?;
    let mut all: Vec<(Uuid, Decimal, String)> = Vec::new();
    for mut row in CARRIED.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?.iter() {
        all.push((row.next()?, row.next()?, row.next()?));
    }
    let account = (invoice.customer_id.as_str(), invoice.currency.as_str());
    all.iter().try_for_each(|(from, amount, description)| carry(session, account, *from, (*amount, description), at))
}

/// What is left of an invoice whose total is below zero waits for the next one.
pub fn carry_over(session: &Session, invoice: &Invoice, number: &str, at: Time) -> Result<(), Error> {
    if invoice.total >= Decimal::ZERO {
        return Ok(());
    }
    let account = (invoice.customer_id.as_str(), invoice.currency.as_str());
    let description = format!("Carried over from invoice {number}");
    carry(session, account, invoice.id, (invoice.total, &description), at)
}

// Under the customer's lock: nobody else takes them.
static TAKE: Statement = Statement::new(
    c"WITH taken AS (
          SELECT l.invoice_line_id, row_number() OVER (ORDER BY l.created_at, l.invoice_line_id) AS no
          FROM credits_internal.invoice_lines l
          WHERE l.customer_id = $1 AND l.currency = $2 AND l.invoice_id IS NULL
          ORDER BY l.created_at, l.invoice_line_id LIMIT $5
      )
      UPDATE credits_internal.invoice_lines l SET invoice_id = $3, line_no = $4 + t.no, was_pending = true
      FROM taken t WHERE l.customer_id = $1 AND l.invoice_line_id = t.invoice_line_id",
    &[TEXTOID, TEXTOID, UUIDOID, INT4OID, INT4OID],
);

/// Takes what is pending in a currency for an invoice that has so many lines, after them; as many as it has room for. Returns
/// whether there was any.
pub fn take_pending(
    session: &Session,
    (customer_id, code): (&str, &str),
    invoice_id: Uuid,
    lines: usize,
) -> Result<bool, Error> {
    let (after, room) = (lines as i32, MOST_LINES.saturating_sub(lines) as i32);
    let cells = [customer_id.cell(), code.cell(), invoice_id.cell(), after.cell(), room.cell()];
    Ok(TAKE.run(session, &cells)?.written() > 0)
}

static GIVE_BACK: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l
      SET invoice_id = NULL, line_no = NULL, was_pending = false, discount = 0, tax = 0, tax_rate = NULL,
          amount_excluding_tax = l.amount
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.was_pending",
    &[TEXTOID, UUIDOID],
);
static DELETE: Statement = Statement::new(
    c"DELETE FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_id = $2 AND NOT l.was_pending",
    &[TEXTOID, UUIDOID],
);

/// Deletes the lines of a draft that were given with it.
pub fn delete(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<(), Error> {
    DELETE.run(session, &[customer_id.cell(), invoice_id.cell()]).map(drop)
}

/// Those that were pending before a draft took them are so again.
pub fn give_back(session: &Session, customer_id: &str, invoice_id: Uuid) -> Result<(), Error> {
    GIVE_BACK.run(session, &[customer_id.cell(), invoice_id.cell()]).map(drop)
}

static READ: Statement = Statement::new(
    c"SELECT l.invoice_line_id, l.amount, l.given_discount, l.given_tax_rate, l.tax_behavior
      FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_id = $2
      ORDER BY l.was_pending, l.line_no",
    &[TEXTOID, UUIDOID],
);

static PUT_PARTS: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l
      SET line_no = p.no, discount = p.discount, tax_rate = p.rate, tax = p.tax, amount_excluding_tax = p.net
      FROM unnest($2, $3, $4, $5, $6, $7) AS p (id, no, discount, rate, tax, net)
      WHERE l.customer_id = $1 AND l.invoice_line_id = p.id",
    &[TEXTOID, UUIDARRAYOID, INT4ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID],
);

/// Numbers a draft's lines, and works out what they come to; `None` where it has none. Raises PC007.
pub fn compute(
    session: &Session,
    (customer_id, invoice_id): (&str, Uuid),
    (discount, tax_rate): (Decimal, Option<Decimal>),
    decimals: u32,
) -> Result<Option<Totals>, Error> {
    let (mut ids, mut lines) = (Vec::new(), Vec::new());
    for mut row in READ.run(session, &[customer_id.cell(), invoice_id.cell()])?.iter() {
        ids.push(row.next::<Uuid>()?);
        let (amount, discount) = (row.next()?, row.next()?);
        let rate = row.next::<Option<Decimal>>()?.or(tax_rate).filter(|rate| !rate.is_zero());
        let inclusive = row.next::<String>()? == BEHAVIORS[1];
        lines.push(engine::Line { amount, discount, tax: rate.map(|rate| Tax { rate, inclusive }) });
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let totals = engine::totals(&lines, discount, decimals).map_err(unreckoned)?;
    let cells = [
        customer_id.cell(),
        array(ids.iter()),
        array(1..=lines.len() as i32),
        array(totals.parts.iter().map(|part| part.discount)),
        array(lines.iter().map(|line| line.tax.map(|tax| tax.rate))),
        array(totals.parts.iter().map(|part| part.tax)),
        array(totals.parts.iter().map(|part| part.net)),
    ];
    PUT_PARTS.run(session, &cells)?;
    Ok(Some(totals))
}
