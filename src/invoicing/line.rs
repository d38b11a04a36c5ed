//! Lines of invoices: how each is priced, kept and taken from what is pending. How callers give them is in line/given.rs, what
//! all of an invoice's come to in engine.rs.

pub mod given;

use crate::amount::{self, Decimal};
use crate::catalog::price::offer;
use crate::catalog::usage;
use crate::error::Error;
use crate::invoicing::engine::{self, Fault, Tax, Totals};
use crate::invoicing::invoice::Invoice;
use crate::invoicing::line::given::{BEHAVIORS, Given, MOST_LINES};
use crate::ledger::currency;
use crate::ledger::grant::terms::GrantTerms;
use crate::metering::pricing::Pricing;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{
    INT2OID, INT4ARRAYOID, INT4OID, INTERVALOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID,
    UUIDARRAYOID, UUIDOID,
};
use uuid::Uuid;

/// A line that is priced and not kept yet.
pub struct New {
    /// Its id.
    pub id: Uuid,
    given: Given,
    description: Option<String>,
    amount: Decimal,
    tax_behavior: String,
    credits: Option<Credits>,
}

/// What the payment of a line grants.
struct Credits {
    amount: Decimal,
    currency: String,
    name: String,
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
    if price.is_archived {
        return Err(Error::PriceNotFound { price_id, archived: true });
    }
    if price.is_recurring {
        return Err(Error::argument("price_id", "must be a price that is paid once: this one is recurring"));
    }
    if price.currency != code {
        let reason =
            format!("must be that of all its prices: {price_id} is in {}, and the invoice in {code}", price.currency);
        return Err(Error::argument("currency", reason));
    }
    let quantity = given.quantity.unwrap_or(Decimal::ONE);
    let refused = |reason| Error::amount("quantity", quantity, reason);
    let amount = price.amount(quantity).map_err(refused)?;
    let mut credits = None;
    if let Some(config) = &price.config {
        let credit_decimals = currency::resolve(session, &config.currency)?.decimals;
        let amount = quantity.checked_mul(config.amount).ok_or(amount::AmountError::TooManyDigits);
        let amount = amount::fit(amount.map_err(refused)?, credit_decimals).map_err(refused)?;
        let name = config.name.clone().unwrap_or_else(|| price.product_name.clone());
        credits = Some(Credits { amount, currency: config.currency.clone(), name, terms: config.terms() });
    }
    Ok(New {
        id,
        description: given.description.clone().or_else(|| Some(price.product_name.clone())),
        amount,
        tax_behavior: given.tax_behavior.clone().unwrap_or(price.tax_behavior),
        credits,
        given: Given { quantity: Some(quantity), unit_amount: price.unit_amount, pricing: price.pricing, ..given },
    })
}

impl New {
    /// The currency of what its payment grants.
    pub fn credit_currency(&self) -> Option<&str> {
        self.credits.as_ref().map(|credits| credits.currency.as_str())
    }
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_lines (
          customer_id, invoice_line_id, invoice_id, line_no, currency, price_id, description, quantity, unit_amount, pricing,
          amount, given_discount, given_tax_rate, tax_behavior, discount, tax, amount_excluding_tax, credits, credit_currency,
          category, priority, time_to_live, applicable_meters, grant_name, period_start, period_end, from_invoice_id, metadata,
          created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14, 0, 0, $11, $15, $16, $17, $18, $19, $20, $21,
              $22, $23, $24, $25::jsonb, $26, $26)",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        INT4OID,
        TEXTOID,
        UUIDOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        TEXTOID,
        TEXTOID,
        INT2OID,
        INTERVALOID,
        TEXTARRAYOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        UUIDOID,
        TEXTOID,
        TIMESTAMPTZOID,
    ],
);

/// Where a line belongs: to an invoice at a place, or pending.
pub type Place = Option<(Uuid, i32)>;

/// Keeps a line, whose parts are found later.
pub fn insert(
    session: &Session,
    customer_id: &str,
    code: &str,
    place: Place,
    line: &New,
    at: Time,
) -> Result<(), Error> {
    let (given, credits) = (&line.given, line.credits.as_ref());
    given.price_id.map(|price_id| usage::record(session, price_id)).transpose()?;
    let terms = credits.map(|credits| &credits.terms);
    let cells = [
        customer_id.cell(),
        line.id.cell(),
        place.map(|(invoice_id, _)| invoice_id).cell(),
        place.map(|(_, no)| no).cell(),
        code.cell(),
        given.price_id.cell(),
        line.description.cell(),
        given.quantity.cell(),
        given.unit_amount.cell(),
        given.pricing.cell(),
        line.amount.cell(),
        given.discount.unwrap_or_default().cell(),
        given.tax_rate.cell(),
        line.tax_behavior.cell(),
        credits.map(|credits| credits.amount).cell(),
        credits.map(|credits| &credits.currency).cell(),
        terms.map(|terms| &terms.category).cell(),
        terms.map(|terms| terms.priority).cell(),
        terms.and_then(|terms| terms.time_to_live).cell(),
        terms.map_or(Cell::NULL, |terms| terms.applicable_meters.cell()),
        credits.map(|credits| &credits.name).cell(),
        given.period.map(|(start, _)| start).cell(),
        given.period.map(|(_, end)| end).cell(),
        Cell::NULL,
        given.metadata.cell(),
        at.cell(),
    ];
    INSERT.run(session, &cells).map(drop)
}

/// Keeps what an invoice left over as a pending line, without tax: that was part of it there.
pub fn carry(
    session: &Session,
    (customer_id, code): (&str, &str),
    from: Uuid,
    (amount, description): (Decimal, &str),
    at: Time,
) -> Result<(), Error> {
    let mut cells = [Cell::NULL; 26];
    for (place, cell) in [
        (0, customer_id.cell()),
        (1, Uuid::now_v7().cell()),
        (4, code.cell()),
        (6, description.cell()),
        (10, amount.cell()),
        (11, Decimal::ZERO.cell()),
        (12, Decimal::ZERO.cell()),
        (13, BEHAVIORS[0].cell()),
        (23, from.cell()),
        (25, at.cell()),
    ] {
        cells[place] = cell;
    }
    INSERT.run(session, &cells).map(drop)
}

static CARRIED: Statement = Statement::new(
    c"SELECT l.from_invoice_id, l.amount, l.description FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.from_invoice_id IS NOT NULL ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
);

/// What an earlier invoice left over and a void one had taken is pending again: it is the customer's.
pub fn carry_again(session: &Session, invoice: &Invoice, at: Time) -> Result<(), Error> {
    let mut all: Vec<(Uuid, Decimal, String)> = Vec::new();
    for mut row in CARRIED.run(session, &[invoice.customer_id.cell(), invoice.id.cell()])?.iter() {
        all.push((row.next()?, row.next()?, row.next()?));
    }
    let account = (invoice.customer_id.as_str(), invoice.currency.as_str());
    all.iter().try_for_each(|(from, amount, description)| carry(session, account, *from, (*amount, description), at))
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

/// Takes what is pending in a currency for an invoice that has so many lines, after them; as many as it has room for.
pub fn take_pending(
    session: &Session,
    (customer_id, code): (&str, &str),
    invoice_id: Uuid,
    lines: usize,
) -> Result<(), Error> {
    let (after, room) = (lines as i32, MOST_LINES.saturating_sub(lines) as i32);
    TAKE.run(session, &[customer_id.cell(), code.cell(), invoice_id.cell(), after.cell(), room.cell()]).map(drop)
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
    let totals = engine::totals(&lines, discount, decimals).map_err(|fault| match fault {
        Fault::Amount(reason) => {
            Error::InvalidAmount { argument: "lines", value: String::from("what they come to"), reason }
        }
        Fault::Discount(asked, most) => Error::amount("discount", asked, amount::AmountError::MoreThanThere(most)),
    })?;
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
