//! The page of an invoice, fit to print: what is read for it. What stands where is in pages/invoice.

use crate::address;
use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::invoicing::invoice::{self, InvoiceRow};
use crate::json;
use crate::moment::Time;
use crate::pages::invoice::{Coupon, Invoice, Line, Move, Place, State, Totals};
use crate::pages::party;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{Reply, Value};
use crate::pg::statement::{Session, Statement, reading};
use crate::pg::value::{Cell, Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};

/// `credits.invoice_html`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn invoice_html(customer_id: Option<&str>, invoice_id: Option<Id>) -> Reply<Value<String>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        reading(|session| {
            let invoice = invoice::find(session, customer_id, invoice_id, false)?;
            html(session, invoice)
        })
        .map(Value)
    })())
}

/// `credits.my_invoice_html`: of the customer that the setting names. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn my_invoice_html(invoice_id: Option<Id>) -> Reply<Value<String>> {
    Reply((|| {
        let invoice_id = input::required("invoice_id", invoice_id)?.0;
        let customer_id = settings::current_customer().ok_or_else(|| invoice::missing(invoice_id))?;
        reading(|session| {
            let invoice = invoice::find(session, &customer_id, invoice_id, false)?;
            // What customers see of their invoices: all but drafts.
            if invoice.status == "draft" { Err(invoice::missing(invoice_id)) } else { html(session, invoice) }
        })
        .map(Value)
    })())
}

static PARTIES: Statement = Statement::new(
    c"SELECT i.seller, u.decimals::integer, u.kind, c.name, c.email, c.phone, c.address, i.coupon_name, p.code, r.amount
      FROM credits_internal.invoices i
      JOIN credits_internal.currencies u ON u.currency = i.currency
      LEFT JOIN credits_internal.customers c ON c.customer_id = i.customer_id AND i.status = 'draft'
      LEFT JOIN credits_internal.redemptions r
          ON r.customer_id = i.customer_id AND r.holder_id = i.invoice_id AND i.coupon_id IS NOT NULL
      LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
      WHERE i.customer_id = $1 AND i.invoice_id = $2",
    &[TEXTOID, UUIDOID],
);

static LINES: Statement = Statement::new(
    c"SELECT l.description, l.quantity, l.unit_amount, l.amount, l.discount, l.tax_rate, l.tax_behavior = 'inclusive', l.tax,
             l.amount_excluding_tax, l.credits, l.credit_currency, l.period_start, l.period_end
      FROM credits_internal.invoice_lines l WHERE l.customer_id = $1 AND l.invoice_id = $2 ORDER BY l.line_no",
    &[TEXTOID, UUIDOID],
);

static PAYMENTS: Statement = Statement::new(
    c"SELECT p.created_at, p.paid_from, p.reference, t.provider, m.name, p.amount, p.reversed_at
      FROM credits_internal.invoice_payments p
      LEFT JOIN credits_internal.payment_intents t
          ON t.customer_id = p.customer_id AND t.payment_intent_id = p.payment_intent_id
      LEFT JOIN credits_internal.payment_methods m
          ON m.customer_id = t.customer_id AND m.payment_method_id = t.payment_method_id
      WHERE p.customer_id = $1 AND p.invoice_id = $2 ORDER BY p.payment_no",
    &[TEXTOID, UUIDOID],
);

// What was asked back of providers, and what of a deposit went back to the wallet.
static REFUNDS: Statement = Statement::new(
    c"SELECT coalesce(r.closed_at, r.created_at) AS at, r.provider, r.amount, r.status = 'pending',
             r.takes_credits OR r.status = 'succeeded'
      FROM credits_internal.payment_intents t
      JOIN credits_internal.refunds r ON r.customer_id = t.customer_id AND r.payment_intent_id = t.payment_intent_id
      WHERE t.customer_id = $1 AND t.invoice_id = $2 AND r.status IN ('pending', 'succeeded')
      UNION ALL
      SELECT v.created_at, NULL, v.amount, false, false
      FROM credits_internal.invoice_payments p
      JOIN credits_internal.reversals v ON v.customer_id = p.customer_id AND v.reversed_operation_id = p.operation_id
      WHERE p.customer_id = $1 AND p.invoice_id = $2 AND p.reversed_at IS NULL
      ORDER BY at",
    &[TEXTOID, UUIDOID],
);

/// The page of an invoice.
fn html(session: &Session, row: InvoiceRow) -> Result<String, Error> {
    let key = [row.customer_id.cell(), row.invoice_id.cell()];
    let parties = PARTIES.run(session, &key)?;
    let mut parties = parties.first().ok_or_else(|| invoice::missing(row.invoice_id))?;
    let (seller, decimals, kind): (Option<String>, i32, String) = (parties.next()?, parties.next()?, parties.next()?);
    // A draft is for the customer as it is now, and sold by whoever sells now.
    let is_draft = row.status == "draft";
    let (mut name, mut email) = (parties.next::<Option<String>>()?, parties.next::<Option<String>>()?);
    let (mut phone, mut address) = (parties.next::<Option<String>>()?, parties.next::<Option<Json>>()?);
    let (coupon, code) = (parties.next::<Option<String>>()?, parties.next::<Option<String>>()?);
    let coupon = coupon.zip(parties.next()?).map(|(name, amount)| Coupon { name, code, amount });
    if !is_draft {
        (name, email) = (row.customer_name, row.customer_email);
        (phone, address) = (row.customer_phone, row.customer_address);
    }
    let address = address.and_then(|address| json::read(&address.text()));
    let mut customer = vec![name.unwrap_or_else(|| row.customer_id.clone())];
    customer.extend(address.as_ref().map(party::address).unwrap_or_default());
    customer.extend(email.into_iter().chain(phone));

    let (lines, payments) = (lines(session, &key)?, payments(session, &key)?);
    let (refunds, returned) = refunds(session, &key, row.amount_refunded)?;
    let invoice = Invoice {
        state: state(&row.status, row.due_date)?,
        number: row.number,
        currency: row.currency,
        decimals: u32::try_from(decimals).ok().filter(|_| kind == "fiat"),
        seller: seller.or_else(settings::invoice_seller).map(|seller| party::lines(&seller)).unwrap_or_default(),
        customer,
        description: row.description,
        footer: row.footer,
        custom: row.custom_fields.map(|fields| custom(&fields)).unwrap_or_default(),
        issued_at: row.finalized_at,
        due_at: row.due_date,
        paid_at: row.paid_at,
        voided_at: row.voided_at,
        totals: Totals {
            subtotal: row.subtotal,
            discount: row.discount,
            tax: row.tax,
            shipping: row.shipping,
            total: row.total,
            net: row.total_excluding_tax,
            due: row.amount_due,
            paid: row.amount_paid,
            refunded: row.amount_refunded.saturating_add(returned),
            remaining: row.amount_remaining,
        },
        // Providers' templates are checked when they are set, and once more here: browsers go there.
        pay_at: row.hosted_invoice_url.filter(|address| address::check(address).is_ok()),
        coupon,
        lines,
        payments,
        refunds,
    };
    invoice.html().map_err(|_| Error::internal("a page was not written"))
}

fn state(status: &str, due_date: Option<Time>) -> Result<State, Error> {
    let now = settings::now()?;
    Ok(match status {
        "draft" => State::Draft,
        "open" if due_date.is_some_and(|due| due < now) => State::Overdue,
        "open" => State::Open,
        "paid" => State::Paid,
        "void" => State::Void,
        _ => State::Uncollectible,
    })
}

/// Names and values for people.
fn custom(fields: &Json) -> Vec<(String, String)> {
    let fields = json::read(&fields.text());
    let text = |field: &serde_json::Value, key: &str| field.get(key).and_then(|text| text.as_str()).map(String::from);
    let fields = fields.as_ref().and_then(|fields| fields.as_array()).map(Vec::as_slice).unwrap_or_default();
    fields.iter().filter_map(|field| Some((text(field, "name")?, text(field, "value")?))).collect()
}

fn lines(session: &Session, key: &[Cell; 2]) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    for mut row in LINES.run(session, key)?.iter() {
        let (description, quantity, unit_amount) = (row.next()?, row.next()?, row.next()?);
        let (amount, discount, tax_rate) = (row.next()?, row.next()?, row.next()?);
        let (is_inclusive, tax, net) = (row.next()?, row.next()?, row.next()?);
        let credits = row.next::<Option<Decimal>>()?.zip(row.next()?);
        let period = row.next::<Option<Time>>()?.zip(row.next()?);
        lines.push(Line {
            description,
            quantity,
            unit_amount,
            amount,
            discount,
            tax_rate,
            is_inclusive,
            tax,
            net,
            credits,
            period,
        });
    }
    Ok(lines)
}

/// What was applied to an invoice.
fn payments(session: &Session, key: &[Cell; 2]) -> Result<Vec<Move>, Error> {
    let mut payments = Vec::new();
    for mut row in PAYMENTS.run(session, key)?.iter() {
        let (at, from, reference) = (row.next()?, row.next::<String>()?, row.next()?);
        let place = Place::Provider(row.next()?, row.next()?);
        let place = match from.as_str() {
            "wallet" => Place::Wallet,
            "outside" => Place::Outside(reference),
            _ => place,
        };
        payments.push(Move { at, place, amount: row.next()?, undone_at: row.next()?, is_under_way: false });
    }
    Ok(payments)
}

/// What went back of an invoice, and how much of that the wallet got. `refunded` is what counts as paid back by
/// providers: of that, some may have been asked for elsewhere.
fn refunds(session: &Session, key: &[Cell; 2], refunded: Decimal) -> Result<(Vec<Move>, Decimal), Error> {
    let (mut refunds, mut known, mut returned) = (Vec::new(), Decimal::ZERO, Decimal::ZERO);
    for mut row in REFUNDS.run(session, key)?.iter() {
        let (at, provider, amount) = (row.next()?, row.next::<Option<String>>()?, row.next::<Decimal>()?);
        let (is_under_way, counts) = (row.next()?, row.next::<bool>()?);
        let place = match provider {
            None => {
                returned += amount;
                Place::Wallet
            }
            Some(provider) => {
                if counts {
                    known += amount;
                }
                Place::Provider(Some(provider), None)
            }
        };
        refunds.push(Move { at, place, amount, undone_at: None, is_under_way });
    }
    if refunded > known {
        let (place, amount) = (Place::Provider(None, None), refunded - known);
        refunds.push(Move { at: None, place, amount, undone_at: None, is_under_way: false });
    }
    Ok((refunds, returned))
}
