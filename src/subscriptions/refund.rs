//! Money that goes back as a subscription is canceled: what of its period is unused, or its last payment.

use crate::amount::{AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::currency;
use crate::moment::Time;
use crate::payments::refund::given::Part;
use crate::payments::refund::request;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::schedule::cycle::Period;
use crate::subscriptions::schedule::proration::part;
use crate::subscriptions::subscription::Subscription;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refund {
    /// Nothing.
    None,
    /// What was paid for the time that is left.
    Proration,
    /// All that is left of the last payment.
    Last,
}

impl Refund {
    /// Raises PC013.
    pub fn read(given: Option<&str>) -> Result<Self, Error> {
        Ok(match input::choice("refund", given, "none", &["none", "proration", "last"])? {
            "proration" => Refund::Proration,
            "last" => Refund::Last,
            _ => Refund::None,
        })
    }
}

const REASON: &str = "subscription_canceled";

// The intent that money came by; the last invoice first.
static LAST: Statement = Statement::new(
    c"SELECT t.payment_intent_id FROM credits_internal.invoices i
      JOIN credits_internal.payment_intents t ON t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND i.status = 'paid' AND t.status = 'succeeded'
        AND t.paid_amount > 0
      ORDER BY i.paid_at DESC, i.invoice_id DESC LIMIT 1",
    &[TEXTOID, UUIDOID],
);

// What still pays for time to come, by invoices that a provider's payment paid.
static COVERING: Statement = Statement::new(
    c"SELECT t.payment_intent_id, l.invoice_line_id, l.amount_excluding_tax + l.tax, l.refunded_amount, l.period_start,
             l.period_end
      FROM credits_internal.invoices i
      JOIN credits_internal.payment_intents t ON t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
      JOIN credits_internal.invoice_lines l ON l.customer_id = i.customer_id AND l.invoice_id = i.invoice_id
      JOIN credits_internal.subscription_items m
        ON m.customer_id = l.customer_id AND m.subscription_item_id = l.subscription_item_id
      WHERE i.customer_id = $1 AND m.subscription_id = $2 AND i.status = 'paid' AND t.status = 'succeeded'
        AND t.paid_amount > 0 AND l.covers_until > $3 AND l.period_start <= $3
      ORDER BY t.payment_intent_id, l.line_no",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Asks for the money that is to go back, before the subscription ends: so credits that have not begun go first. Raises
/// PC007.
pub fn ask(session: &Session, there: &Subscription, refund: Refund, now: Time) -> Result<(), Error> {
    let customer_id = there.customer_id.as_str();
    match refund {
        Refund::None => Ok(()),
        Refund::Last => match LAST.run(session, &[customer_id.cell(), there.id.cell()])?.first() {
            Some(mut row) => request::give_all_back(session, customer_id, row.next()?, REASON),
            None => Ok(()),
        },
        Refund::Proration => {
            let decimals = currency::decimals(session, &there.currency)?;
            let mut parts: BTreeMap<Uuid, Vec<Part>> = BTreeMap::new();
            let cells = [customer_id.cell(), there.id.cell(), now.cell()];
            for mut row in COVERING.run(session, &cells)?.iter() {
                let (intent_id, invoice_line_id): (Uuid, Uuid) = (row.next()?, row.next()?);
                let (gross, refunded): (Decimal, Decimal) = (row.next()?, row.next()?);
                let period = Period { start: row.next()?, end: row.next()? };
                let refused = |reason: AmountError| Error::amount("refund", gross, reason);
                let amount = part(gross, period, now, decimals).map_err(refused)?.min(gross - refunded);
                if amount > Decimal::ZERO {
                    parts.entry(intent_id).or_default().push(Part { invoice_line_id, amount });
                }
            }
            let mut parts = parts.into_iter();
            parts.try_for_each(|(intent_id, parts)| {
                request::give_lines_back(session, customer_id, intent_id, parts, REASON)
            })
        }
    }
}
