//! What lines pay for time to come of an item, and how far they are paid; and the credits that have begun with them.

use crate::amount::split::{amount, rounded, units};
use crate::amount::{AmountError, Decimal};
use crate::catalog::coupon::terms::Coupon;
use crate::error::Error;
use crate::invoicing::line::instalment;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::change::Taken;
use crate::subscriptions::schedule::cycle::Period;
use crate::subscriptions::schedule::instalment::rest;
use crate::subscriptions::subscription::Subscription;
use num_bigint::BigInt;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// How far a line is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// It waits for the next invoice.
    Pending,
    /// It is on an invoice that was given out, of which nothing is paid, and no payment is under way.
    Open(Uuid),
    /// It is paid, or some of it is, or will be.
    Yes,
}

/// A line that pays for time to come.
#[derive(Debug, Clone)]
pub struct Covering {
    /// Its id.
    pub id: Uuid,
    /// How far it is paid.
    pub paid: Paid,
    /// What it costs.
    pub amount: Decimal,
    /// What is taken off it.
    pub discount: Decimal,
    /// In percent.
    pub tax_rate: Option<Decimal>,
    /// 'exclusive' or 'inclusive'.
    pub tax_behavior: String,
    /// What it comes to with its tax.
    gross: Decimal,
    /// What of that went back, or is asked back.
    refunded: Decimal,
    /// What time it is for.
    pub period: Period,
}

// What is paid back of a whole invoice is spread over its lines.
static OF: Statement = Statement::new(
    c"SELECT l.invoice_line_id, l.invoice_id, i.status IN ('open', 'uncollectible') AND i.amount_paid = 0 AND NOT EXISTS (
                 SELECT FROM credits_internal.payment_intents t
                 WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id
                   AND (t.status IN ('requires_action', 'processing') OR t.paid_amount > 0)),
             l.amount, CASE WHEN l.invoice_id IS NULL THEN l.given_discount ELSE l.discount END, l.tax_rate, l.tax_behavior,
             l.amount_excluding_tax + l.tax,
             greatest(l.refunded_amount, coalesce((
                 SELECT trim_scale(round(sum(t.refunded_amount + t.disputed_amount)
                                         * (l.amount_excluding_tax + l.tax) / nullif(i.total, 0), 12))
                 FROM credits_internal.payment_intents t
                 WHERE t.customer_id = i.customer_id AND t.invoice_id = i.invoice_id), 0)),
             l.period_start, l.period_end
      FROM credits_internal.invoice_lines l
      LEFT JOIN credits_internal.invoices i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
      WHERE l.customer_id = $1 AND l.subscription_item_id = $2 AND l.covers_until > $3
        AND l.period_start <= $3 AND i.status IS DISTINCT FROM 'void'
      ORDER BY l.period_start, l.invoice_line_id",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// The lines that pay for an item after a moment, oldest first.
pub fn of(session: &Session, customer_id: &str, item_id: Uuid, at: Time) -> Result<Vec<Covering>, Error> {
    let mut lines = Vec::new();
    for mut row in OF.run(session, &[customer_id.cell(), item_id.cell(), at.cell()])?.iter() {
        let (id, invoice_id): (Uuid, Option<Uuid>) = (row.next()?, row.next()?);
        let is_unpaid: Option<bool> = row.next()?;
        let paid = match (invoice_id, is_unpaid) {
            (None, _) => Paid::Pending,
            (Some(invoice_id), Some(true)) => Paid::Open(invoice_id),
            _ => Paid::Yes,
        };
        lines.push(Covering {
            id,
            paid,
            amount: row.next()?,
            discount: row.next()?,
            tax_rate: row.next()?,
            tax_behavior: row.next()?,
            gross: row.next()?,
            refunded: row.next()?,
            period: Period { start: row.next()?, end: row.next()? },
        });
    }
    Ok(lines)
}

static ITEMS: Statement = Statement::new(
    c"SELECT i.subscription_item_id FROM credits_internal.subscription_items i
      WHERE i.customer_id = $1 AND i.subscription_id = $2 ORDER BY i.created_at, i.subscription_item_id",
    &[TEXTOID, UUIDOID],
);

/// The lines of a subscription that pay for time after a moment and are not paid, also of items that are there no more.
pub fn unpaid(session: &Session, there: &Subscription, at: Time) -> Result<Vec<Covering>, Error> {
    let rows = ITEMS.run(session, &[there.customer_id.cell(), there.id.cell()])?;
    let items: Vec<Uuid> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    let mut lines = Vec::new();
    for item_id in items {
        lines.extend(of(session, &there.customer_id, item_id, at)?.into_iter().filter(|line| line.paid != Paid::Yes));
    }
    Ok(lines)
}

// Credits of an earlier change were left alone, by lines that pay for nothing any more.
static LEFT_ALONE: Statement = Statement::new(
    c"SELECT DISTINCT l.invoice_line_id FROM credits_internal.invoice_lines l
      JOIN credits_internal.invoice_line_grants g
        ON g.customer_id = l.customer_id AND g.invoice_line_id = l.invoice_line_id
      WHERE l.customer_id = $1 AND l.subscription_item_id = $2 AND l.covers_until <= $3 AND l.credits IS NOT NULL
        AND g.starts_at <= $3 AND g.ends_at > $3 AND g.ended_at IS NULL
      ORDER BY l.invoice_line_id",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// The lines of an item whose credits are under way though they pay for nothing any more.
pub fn left_alone(session: &Session, customer_id: &str, item_id: Uuid, at: Time) -> Result<Vec<Uuid>, Error> {
    let rows = LEFT_ALONE.run(session, &[customer_id.cell(), item_id.cell(), at.cell()])?;
    rows.iter().map(|mut row| row.next()).collect()
}

impl Covering {
    /// What is left of what it came to, before tax on top, after what went back.
    pub fn left(&self, decimals: u32) -> Result<Decimal, AmountError> {
        let net = self.amount - self.discount;
        if self.refunded.is_zero() || self.gross <= Decimal::ZERO {
            return Ok(net);
        }
        let left = (self.gross - self.refunded).max(Decimal::ZERO);
        let scale = BigInt::from(10).pow(left.scale());
        let numerator =
            BigInt::from(units(net, decimals)?) * left.mantissa() * BigInt::from(10).pow(self.gross.scale());
        amount(rounded(numerator, scale * self.gross.mantissa())?, decimals)
    }
}

static REMAINING: Statement = Statement::new(
    c"SELECT CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END,
             g.expires_at <= $3, g.status = 'voided'
      FROM credits_internal.credit_grants g
      JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
      WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// The instalments of a line that are under way and have not expired, each with its share of the time from then on.
pub fn under_way(session: &Session, customer_id: &str, line_id: Uuid, at: Time) -> Result<Vec<Taken>, Error> {
    let all = shares(session, customer_id, line_id, at)?;
    Ok(all.into_iter().filter_map(|(taken, is_over)| (!is_over).then_some(taken)).collect())
}

/// The shares of the time from then on of all instalments of an item that are under way, and whose credits have expired.
pub fn lapsed(
    session: &Session,
    customer_id: &str,
    (item_id, currency): (Uuid, &str),
    at: Time,
) -> Result<Decimal, Error> {
    let covering = of(session, customer_id, item_id, at)?.into_iter().map(|line| line.id);
    let mut sum = Decimal::ZERO;
    for line_id in covering.chain(left_alone(session, customer_id, item_id, at)?) {
        let all = shares(session, customer_id, line_id, at)?;
        sum += all
            .iter()
            .filter(|(one, is_over)| *is_over && one.currency == currency)
            .map(|(one, _)| one.credits)
            .sum::<Decimal>();
    }
    Ok(sum)
}

/// The instalments of a line that are under way, each with its share of the time from then on, and whether it has expired.
fn shares(session: &Session, customer_id: &str, line_id: Uuid, at: Time) -> Result<Vec<(Taken, bool)>, Error> {
    let mut shares = Vec::new();
    for kept in instalment::of(session, customer_id, line_id)? {
        let (Some(grant_id), true) = (kept.grant_id, kept.plan.starts_at <= at && at < kept.plan.ends_at) else {
            continue;
        };
        let lost = |_| Error::internal("an instalment cannot be divided");
        let credits = rest(kept.plan, at, kept.decimals).map_err(lost)?.credits;
        if credits > Decimal::ZERO {
            let rows = REMAINING.run(session, &[customer_id.cell(), grant_id.cell(), at.cell()])?;
            let Some(mut row) = rows.first() else { continue };
            let (there, is_over, is_void): (Decimal, bool, bool) = (row.next()?, row.next()?, row.next()?);
            if is_over && is_void {
                continue;
            }
            let unspent = credits.min(there);
            let currency = kept.currency.clone();
            shares.push((Taken { line_id, no: kept.plan.no, grant_id, credits, unspent, currency }, is_over));
        }
    }
    Ok(shares)
}

static INVOICE: Statement = Statement::new(
    c"SELECT p.invoice_id FROM credits_internal.subscription_periods p
      WHERE p.customer_id = $1 AND p.subscription_id = $2 AND p.period_start = $3",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Whether the coupon takes something off the period that a subscription is in.
pub fn is_discounted(session: &Session, there: &Subscription, coupon: &Coupon) -> Result<bool, Error> {
    let Some(discount) = there.discount.filter(|discount| discount.start.is_some()) else { return Ok(false) };
    if coupon.duration != "once" {
        return Ok(discount.end.is_none_or(|end| there.period.start < end));
    }
    let cells = [there.customer_id.cell(), there.id.cell(), there.period.start.cell()];
    let invoice_id: Option<Uuid> = INVOICE.run(session, &cells)?.first().map_or(Ok(None), |mut row| row.next())?;
    Ok(invoice_id.is_some() && invoice_id == discount.invoice_id)
}
