//! What is sold is an invoice: a top-up's begins as a draft that its payment gives out, and any invoice is paid, with all that
//! this brings about, when the payments of its intent cover what is due.

use crate::amount::Decimal;
use crate::catalog::stock;
use crate::error::Error;
use crate::invoicing::effect::{Bill, Source};
use crate::invoicing::invoice::{self, Invoice, Status, finalize};
use crate::invoicing::{customer, effect, engine};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::listener::{Sale, Sold};
use crate::payments::payment_intent::{self as intent, Intent};
use crate::payments::reckoning::Cover;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{
    BOOLOID, INT2OID, INTERVALOID, JSONBOID, NUMERICARRAYOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID,
    UUIDARRAYOID, UUIDOID,
};
use uuid::Uuid;

/// Who bought a top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A person.
    Recharge,
    /// Nobody: the account fell below its threshold, or the schedule said so.
    AutoRecharge,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Reason::Recharge => "recharge",
            Reason::AutoRecharge => "auto_recharge",
        }
    }
}

// What a recharge asks for is begun by whoever comes first. Before 0.3.0 all of it was in the top-up's own row.
static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoices (
          customer_id, invoice_id, status, billing_reason, currency, description, metadata, given_discount, subtotal, total,
          total_excluding_tax, amount_due, collection_method, created_at, updated_at)
      VALUES ($1, $2, 'draft', $3, $4, $5, $6, 0, $7, $7, $7, $7, 'send_invoice', $8, $8)
      ON CONFLICT (customer_id, invoice_id) DO NOTHING RETURNING 1",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, NUMERICOID, TIMESTAMPTZOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2, $3, $4, $5, $6, $7, $8) >= 0");
static INSERT_LINE: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_lines (
          customer_id, invoice_line_id, invoice_id, line_no, currency, price_id, description, quantity, unit_amount, amount,
          given_discount, tax_behavior, discount, tax, amount_excluding_tax, credits, credit_currency, category, priority,
          time_to_live, applicable_meters, grant_name, metadata, created_at, updated_at)
      VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, 0, 'exclusive', 0, 0, $9, $10, $11, $12, $13, $14, $15, $16, $17,
              $18, $18)",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        TEXTOID,
        UUIDOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        TEXTOID,
        INT2OID,
        INTERVALOID,
        TEXTARRAYOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
    ],
)
.before(
    c"SELECT 1 WHERE num_nonnulls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) < 0",
);

/// Begins a purchase of credits and nothing else: its invoice, as a draft with one line, and its payment intent. The line has
/// the intent's id.
pub fn begin(session: &Session, reason: Reason, new: &intent::New<'_>, now: Time) -> Result<(), Error> {
    let lost = || Error::internal("a top-up buys no credits");
    let credits = new.credits.as_ref().ok_or_else(lost)?;
    let (customer_id, invoice_id, currency) = (new.customer_id.cell(), new.invoice_id.cell(), new.currency.cell());
    let (name, amount, now_cell) = (credits.name.cell(), new.amount.cell(), now.cell());
    let invoice = [
        customer_id,
        invoice_id,
        reason.as_str().cell(),
        currency,
        new.description.cell(),
        new.metadata.cell(),
        amount,
        now_cell,
    ];
    // Whoever came first has begun all of it. What came second has no lock of it yet, and writes no event.
    if INSERT.run(session, &invoice)?.len() == 0 {
        return Ok(());
    }
    // By amount, so many credits at their rate are bought.
    let (quantity, unit) = match credits.rate {
        Some(rate) => (credits.amount, Some(rate)),
        None => (Decimal::from(credits.quantity), None),
    };
    let line = [
        customer_id,
        new.id.cell(),
        invoice_id,
        currency,
        credits.price_id.cell(),
        name,
        quantity.cell(),
        unit.cell(),
        amount,
        credits.amount.cell(),
        credits.currency.cell(),
        credits.terms.category.cell(),
        credits.terms.priority.cell(),
        credits.terms.time_to_live.cell(),
        credits.terms.applicable_meters.cell(),
        name,
        new.metadata.cell(),
        now_cell,
    ];
    INSERT_LINE.run(session, &line)?;
    billing_event::record(session, EventType::InvoiceCreated, new.invoice_id, Some(new.customer_id), now)?;
    intent::insert(session, new, now)?;
    match (reason, credits.price_id) {
        (Reason::Recharge, Some(price_id)) => {
            let wanted = [(price_id, Decimal::from(credits.quantity))];
            stock::reserve(session, new.customer_id, new.invoice_id, &wanted, new.expires_at, now)
        }
        _ => Ok(()),
    }
}

/// Signed up in lib.rs.
pub struct Sales;

impl Sale for Sales {
    fn paid(&self, session: &Session, intent: &Intent, cover: &Cover, now: Time) -> Result<Sold, Error> {
        let invoice = invoice::lock_if_there(session, &intent.customer_id, intent.invoice_id)?;
        match invoice.as_ref().map(|invoice| invoice.status) {
            Some(Status::Void) => return Ok(Sold::TooLate("the invoice is void: nothing is done")),
            Some(Status::Paid) => return Ok(Sold::TooLate("the invoice was paid otherwise: nothing is done")),
            _ => {}
        }
        let source = Source {
            granted_by: if intent.is_top_up { "top_up" } else { "invoice" },
            cost: intent.is_top_up.then_some(cover.due),
            recharge_id: intent.recharge_id,
        };
        let of = Bill { customer_id: &intent.customer_id, invoice_id: intent.invoice_id, currency: &intent.currency };
        if !effect::has_room(session, &of)? {
            return Ok(Sold::NoRoom);
        }
        // A schema of the release before has no invoices, and no stock.
        let Some(invoice) = invoice else { return effect::grant(session, &of, &source).map(|()| Sold::Paid) };
        let is_draft = invoice.status == Status::Draft;
        if is_draft && !take_stock(session, &invoice, now)? {
            return Ok(Sold::TooLate("what was bought is out of stock: nothing is done"));
        }
        if is_draft {
            replace_totals(session, intent, cover)?;
        }
        effect::grant(session, &of, &source)?;
        let applied = if is_draft { total_of(cover) } else { intent.amount };
        if is_draft {
            let customer = customer::lock(session, &intent.customer_id)?;
            finalize::give_out(session, &customer, &invoice, now)?;
        }
        invoice::payment::apply_from_provider(session, &invoice, (intent.id, applied), now)?;
        finalize::mark_paid(session, &invoice, now)?;
        Ok(Sold::Paid)
    }

    fn moved(&self, session: &Session, intent: &Intent, now: Time) -> Result<(), Error> {
        // What an invoice took that was given out, it holds until it is void.
        if !intent.is_top_up {
            return Ok(());
        }
        let (customer_id, holder) = (intent.customer_id.as_str(), intent.invoice_id);
        if intent.status.is_under_way() {
            stock::keep(session, customer_id, holder)
        } else {
            stock::release(session, customer_id, holder, now)
        }
    }

    fn corrected(&self, session: &Session, intent: &Intent, cover: &Cover) -> Result<(), Error> {
        if intent.is_top_up {
            replace_totals(session, intent, cover)?;
            PAY_TOTAL.run(session, &[intent.customer_id.cell(), intent.invoice_id.cell(), total_of(cover).cell()])?;
            CORRECT_COST.run(session, &[intent.customer_id.cell(), intent.invoice_id.cell(), cover.due.cell()])?;
        }
        Ok(())
    }
}

/// Units that a top-up's price has only so many of are set aside for good. Returns whether there are as many.
fn take_stock(session: &Session, invoice: &Invoice, now: Time) -> Result<bool, Error> {
    if !stock::retake(session, &invoice.customer_id, invoice.id, None, now)? {
        return Ok(false);
    }
    // An auto-recharge set none aside.
    let sold = finalize::sold(session, invoice)?;
    match stock::reserve(session, &invoice.customer_id, invoice.id, &sold, None, now) {
        Err(Error::OutOfStock(_)) => Ok(false),
        reserved => reserved.map(|()| true),
    }
}

/// What a draft comes to with what the provider's checkout said of discount, tax and shipping.
fn total_of(cover: &Cover) -> Decimal {
    cover.due.saturating_add(cover.tax).saturating_add(cover.shipping)
}

static LINES: Statement = Statement::new(
    c"SELECT l.invoice_line_id, l.amount FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.top_up_id, t.amount FROM credits_internal.top_ups t
      WHERE t.customer_id = $1 AND t.top_up_id = $2 AND false",
);

static REPLACE: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l
      SET amount = p.amount, discount = p.discount, tax = p.tax, amount_excluding_tax = p.net,
          tax_behavior = CASE WHEN $8 THEN 'inclusive' ELSE 'exclusive' END, tax_rate = NULL
      FROM unnest($3, $4, $5, $6, $7) AS p (id, amount, discount, tax, net)
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND l.invoice_line_id = p.id",
    &[TEXTOID, UUIDOID, UUIDARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, BOOLOID],
);
static PUT_TOTALS: Statement = Statement::new(
    c"UPDATE credits_internal.invoices i
      SET subtotal = $3, discount = $4, tax = $5, shipping = $6, total = $7, total_excluding_tax = $7 - $5, amount_due = $7,
          from_provider = true
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID],
);

/// Tax, discounts and shipping that the provider's checkout added replace ours.
fn replace_totals(session: &Session, intent: &Intent, cover: &Cover) -> Result<(), Error> {
    let plain = Decimal::ZERO;
    if (cover.discount, cover.tax, cover.shipping) == (plain, plain, plain) {
        return Ok(());
    }
    let (mut ids, mut amounts) = (Vec::new(), Vec::new());
    for mut row in LINES.run(session, &[intent.customer_id.cell(), intent.invoice_id.cell()])?.iter() {
        ids.push(row.next::<Uuid>()?);
        amounts.push(row.next::<Decimal>()?);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let decimals = currency::decimals(session, &intent.currency)?;
    let split = |whole: Decimal| {
        engine::shares(whole, &amounts, decimals).map_err(|reason| Error::amount("amount", whole, reason))
    };
    // Tax of which a part is in the price cannot be said of a line: that part is taken off its amount.
    let is_inclusive = !cover.included.is_zero() && cover.included == cover.tax;
    let price = intent.amount - if is_inclusive { plain } else { cover.included };
    let discount = price - cover.due - if is_inclusive { cover.included } else { plain };
    let cells = [
        intent.customer_id.cell(),
        intent.invoice_id.cell(),
        array(ids.iter().copied()),
        array(split(price)?),
        array(split(discount)?),
        array(split(cover.tax)?),
        array(split(cover.due)?),
        is_inclusive.cell(),
    ];
    REPLACE.run(session, &cells)?;
    let totals: [Cell; 7] = [
        intent.customer_id.cell(),
        intent.invoice_id.cell(),
        price.cell(),
        discount.cell(),
        cover.tax.cell(),
        cover.shipping.cell(),
        total_of(cover).cell(),
    ];
    PUT_TOTALS.run(session, &totals).map(drop)
}

// The invoice's row and what was applied to it, which is one row.
static PAY_TOTAL: Statement = Statement::new(
    c"WITH applied AS (
          UPDATE credits_internal.invoice_payments p SET amount = $3
          WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.paid_from = 'provider' AND $3 > 0)
      UPDATE credits_internal.invoices i SET amount_paid = i.amount_due WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2, $3) < 0");

// A part that was transferred took its part of the cost with it, for good: then the cost stays what it was.
static CORRECT_COST: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants g
      SET cost_basis = trim_scale(round(l.amount_excluding_tax / l.credits, 12)),
          cost_amount = CASE WHEN EXISTS (
              SELECT FROM credits_internal.credit_transactions t
              WHERE t.customer_id = g.customer_id AND t.currency = g.currency AND t.grant_id = g.grant_id
                AND t.type = 'transfer') THEN g.cost_amount ELSE l.amount_excluding_tax END
      FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND g.customer_id = l.customer_id AND g.grant_id = l.grant_id
        AND $3 IS NOT NULL",
    &[TEXTOID, UUIDOID, NUMERICOID],
)
.before(
    c"UPDATE credits_internal.credit_grants g SET cost_basis = trim_scale(round($3 / t.credits, 12))
      FROM credits_internal.top_ups t
      WHERE t.customer_id = $1 AND t.top_up_id = $2 AND g.customer_id = t.customer_id AND g.grant_id = t.grant_id",
);
