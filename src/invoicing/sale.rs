//! What is sold is an invoice: that of a top-up or of a checkout session begins as a draft that its payment gives out, and
//! any invoice is paid, with all that this brings about, when the payments of its intent cover what is due.

mod reclaim;
mod replace;
mod replaced;
mod subscribed;

use crate::amount::Decimal;
use crate::catalog::redemption::{self, HolderType, Quote};
use crate::catalog::stock;
use crate::error::Error;
use crate::invoicing::effect::{Bill, Source};
use crate::invoicing::invoice::{self, Invoice, Status, finalize};
use crate::invoicing::{collection, customer, effect, line};
use crate::ledger::currency;
use crate::ledger::engine::book::Reclaimed;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::clawback::Step;
use crate::payments::clawback::line::Credits;
use crate::payments::listener::{Sale, Sold};
use crate::payments::payment_intent::{self as intent, Intent, Status as Payment};
use crate::payments::reckoning::Cover;
use crate::pg::statement::{Session, Statement};
use crate::pg::subtransaction::keep_if_true;
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{INT4OID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// Why something is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A person tops up.
    Recharge,
    /// Nobody asked: the account fell below its threshold, or the schedule said so.
    AutoRecharge,
    /// A checkout session was submitted: its id.
    Session(Uuid),
    /// A subscription began.
    SubscriptionCreate,
    /// The same in a checkout session that was submitted: its id.
    SubscriptionSession(Uuid),
    /// A period of it did.
    SubscriptionCycle,
    /// An item of it changed.
    SubscriptionUpdate,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Reason::Recharge => "recharge",
            Reason::AutoRecharge => "auto_recharge",
            Reason::Session(_) => "manual",
            Reason::SubscriptionCreate | Reason::SubscriptionSession(_) => "subscription_create",
            Reason::SubscriptionCycle => "subscription_cycle",
            Reason::SubscriptionUpdate => "subscription_update",
        }
    }

    fn session_id(self) -> Option<Uuid> {
        match self {
            Reason::Session(id) | Reason::SubscriptionSession(id) => Some(id),
            _ => None,
        }
    }
}

/// What is sold, as a draft that its payment gives out.
pub struct Order<'a> {
    /// Whose.
    pub customer_id: &'a str,
    /// The invoice's id.
    pub invoice_id: Uuid,
    /// Why.
    pub reason: Reason,
    /// The currency of its amounts.
    pub currency: &'a str,
    /// For people.
    pub description: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<&'a Json>,
    /// How it is collected.
    pub collection_method: &'a str,
    /// In percent, of lines that have none of their own.
    pub tax_rate: Option<Decimal>,
    /// What for.
    pub lines: &'a [line::New],
    /// What is taken off them, as they have it.
    pub discount: Option<&'a Quote>,
    /// Whether a payment of it is reported already: then that decides, and not what cannot be set aside.
    pub is_reported: bool,
    /// The subscription that it is for.
    pub subscription: Option<OfSubscription>,
}

/// What the invoice of a subscription has of it.
#[derive(Debug, Clone, Copy)]
pub struct OfSubscription {
    /// Its id.
    pub id: Uuid,
    /// How many days after it is finalized the invoice is due; `None` for no date.
    pub days_until_due: Option<i32>,
    /// What is to be charged; `None` for the customer's default.
    pub payment_method_id: Option<Uuid>,
}

// What a recharge asks for is begun by whoever comes first. Before 0.3.0 all of it was in the top-up's own row.
static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoices (
          customer_id, invoice_id, status, billing_reason, currency, description, metadata, given_discount, subtotal, discount,
          tax, total, total_excluding_tax, amount_due, collection_method, tax_rate, checkout_session_id, created_at, updated_at,
          coupon_id, promotion_code_id, coupon_name, subscription_id, days_until_due, payment_method_id)
      VALUES ($1, $2, 'draft', $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, greatest($10, 0), $12, $13, $14, $15, $15, $16, $17,
              (SELECT c.name FROM credits_internal.coupons c WHERE c.coupon_id = $16), $18, $19, $20)
      ON CONFLICT (customer_id, invoice_id) DO NOTHING RETURNING 1",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        NUMERICOID,
        UUIDOID,
        TIMESTAMPTZOID,
        UUIDOID,
        UUIDOID,
        UUIDOID,
        INT4OID,
        UUIDOID,
    ],
)
.before(
    c"SELECT 1 WHERE num_nonnulls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                             $18, $19, $20) >= 0",
);

/// Writes the draft of what is sold. Returns whether it was not there yet: whoever came first has begun all of it, and what
/// comes second has no lock of it yet, and writes no event. Raises PC007.
pub fn draft(session: &Session, order: &Order<'_>, now: Time) -> Result<bool, Error> {
    let decimals = currency::decimals(session, order.currency)?;
    let totals = line::totals(order.lines, order.tax_rate, decimals)?;
    let cells = [
        order.customer_id.cell(),
        order.invoice_id.cell(),
        order.reason.as_str().cell(),
        order.currency.cell(),
        order.description.cell(),
        order.metadata.cell(),
        totals.subtotal.cell(),
        totals.discount.cell(),
        totals.tax.cell(),
        totals.total.cell(),
        totals.net.cell(),
        order.collection_method.cell(),
        order.tax_rate.cell(),
        order.reason.session_id().cell(),
        now.cell(),
        order.discount.map(|quote| quote.coupon_id).cell(),
        order.discount.and_then(|quote| quote.promotion_code_id).cell(),
        order.subscription.map(|of| of.id).cell(),
        order.subscription.and_then(|of| of.days_until_due).cell(),
        order.subscription.and_then(|of| of.payment_method_id).cell(),
    ];
    if INSERT.run(session, &cells)?.len() == 0 {
        return Ok(false);
    }
    let account = (order.customer_id, order.currency);
    line::insert_all(session, account, order.invoice_id, (order.lines, order.tax_rate), &totals, now)?;
    billing_event::record(session, EventType::InvoiceCreated, order.invoice_id, Some(order.customer_id), now)?;
    Ok(true)
}

/// Begins what is sold with the payment intent that pays it, and sets its discount and its stock aside until that expires,
/// except for what nobody asked for. Raises PC007, PC016, PC017.
pub fn begin(session: &Session, order: &Order<'_>, new: &intent::New<'_>, now: Time) -> Result<(), Error> {
    if !draft(session, order, now)? {
        return Ok(());
    }
    intent::insert(session, new, now)?;
    if order.reason == Reason::AutoRecharge {
        return Ok(());
    }
    reserve(session, order, new.expires_at, now)
}

/// Sets aside the discount, and what is sold of prices that have only so many. Raises PC016, PC017.
pub fn reserve(session: &Session, order: &Order<'_>, expires_at: Option<Time>, now: Time) -> Result<(), Error> {
    // The counters of coupons before those of prices.
    if let Some(quote) = order.discount {
        let reserve = if order.is_reported { redemption::promise } else { redemption::reserve_for };
        reserve(session, (order.customer_id, HolderType::Invoice, order.invoice_id), quote, expires_at, now)?;
    }
    reserve_stock(session, order, expires_at, now)
}

/// Sets aside what is sold of prices that have only so many; what is due again and again is not from stock. Raises PC017.
pub fn reserve_stock(session: &Session, order: &Order<'_>, expires_at: Option<Time>, now: Time) -> Result<(), Error> {
    let once = order.lines.iter().filter(|line| !line.is_of_item());
    let sold: Vec<(Uuid, Decimal)> = once.filter_map(line::New::sold).collect();
    let set_aside = || stock::reserve(session, order.customer_id, order.invoice_id, &sold, expires_at, now);
    if order.is_reported { keep_if_true(|| is_in_stock(set_aside())).map(drop) } else { set_aside() }
}

fn is_in_stock(set_aside: Result<(), Error>) -> Result<bool, Error> {
    match set_aside {
        Err(Error::OutOfStock(_)) => Ok(false),
        set_aside => set_aside.map(|()| true),
    }
}

/// Begins a purchase of credits and nothing else. Its one line has the intent's id.
pub fn begin_top_up(session: &Session, reason: Reason, new: &intent::New<'_>, now: Time) -> Result<(), Error> {
    let lost = || Error::internal("a top-up buys no credits");
    let credits = new.credits.as_ref().ok_or_else(lost)?;
    let line = line::New::of_credits(new.id, credits, new.amount, new.metadata);
    let order = Order {
        customer_id: new.customer_id,
        invoice_id: new.invoice_id,
        reason,
        currency: new.currency,
        description: new.description,
        metadata: new.metadata,
        collection_method: collection::SENT,
        tax_rate: None,
        lines: &[line],
        discount: None,
        is_reported: false,
        subscription: None,
    };
    begin(session, &order, new, now)
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
        if invoice.as_ref().map_or(Ok(false), |invoice| subscribed::is_over(session, invoice, intent, now))? {
            return Ok(Sold::TooLate("the subscription has ended: nothing is done"));
        }
        let source = Source {
            paid_at: None,
            granted_by: match (intent.is_top_up, intent.checkout_session_id) {
                (true, _) => "top_up",
                (false, Some(_)) => "checkout",
                (false, None) => "invoice",
            },
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
        // A discount that was given back is held again, if it is there: the counters of coupons before those of prices, which
        // are not kept locked where what was set aside goes back.
        let has_discount = is_draft && invoice.coupon_id.is_some();
        let take_both = || {
            redemption::retake(session, &invoice.customer_id, invoice.holds_discount(), None, now)?;
            take_stock(session, &invoice, now)
        };
        let is_taken = match (is_draft, has_discount) {
            (false, _) => true,
            (true, false) => take_stock(session, &invoice, now)?,
            (true, true) => keep_if_true(take_both)?,
        };
        if !is_taken {
            return Ok(Sold::TooLate("what was bought is out of stock: nothing is done"));
        }
        if has_discount {
            redemption::honour(session, &invoice.customer_id, invoice.holds_discount(), now)?;
        }
        if is_draft {
            replace::totals(session, intent, cover)?;
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
        if !intent.is_sale() {
            // One that waits for the customer may wait for ever: until then it is owed.
            let is_owed = intent.failed || intent.status == Payment::RequiresAction;
            return if is_owed { subscribed::failed(session, intent, now) } else { Ok(()) };
        }
        // What a part of the money came for, it holds until that is over.
        if intent.status == Payment::RequiresPaymentMethod && !intent.failed {
            return Ok(());
        }
        let (customer_id, holder) = (intent.customer_id.as_str(), intent.invoice_id);
        // What a subscription has, it holds itself.
        let discounted = match intent.checkout_session_id {
            Some(_) => Some(subscribed::of(session, intent)?.unwrap_or(holder)),
            None => None,
        };
        if intent.status.is_under_way() {
            if let Some(discounted) = discounted {
                redemption::keep(session, customer_id, discounted)?;
            }
            return stock::keep(session, customer_id, holder);
        }
        // Maintenance ends many at once: it must not have the counters of one's stock in hand when the next has a discount.
        if intent.status == Payment::Canceled && intent.expires_at.is_some_and(|at| at <= now) {
            if let Some(discounted) = discounted {
                redemption::lapse(session, customer_id, discounted, now)?;
            }
            return stock::lapse(session, customer_id, holder, now);
        }
        if let Some(discounted) = discounted {
            redemption::release(session, customer_id, discounted, now)?;
        }
        stock::release(session, customer_id, holder, now)
    }

    fn reclaim(
        &self,
        session: &Session,
        intent: &Intent,
        line: (Uuid, &Credits),
        step: &mut Step<'_>,
    ) -> Result<Reclaimed, Error> {
        reclaim::instalments(session, intent, line, step)
    }

    fn corrected(&self, session: &Session, intent: &Intent, cover: &Cover, _: Time) -> Result<(), Error> {
        if intent.is_sale() {
            replace::totals(session, intent, cover)?;
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
    is_in_stock(stock::reserve(session, &invoice.customer_id, invoice.id, &sold, None, now))
}

/// What a draft comes to with what the provider's checkout said of discount, tax and shipping.
fn total_of(cover: &Cover) -> Decimal {
    cover.due.saturating_add(cover.tax).saturating_add(cover.shipping)
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

// A part that was transferred or rolled over took its part of the cost with it, for good: then the cost stays what it was.
static CORRECT_COST: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants g
      SET cost_basis = trim_scale(round(l.amount_excluding_tax / l.credits, 12)),
          cost_amount = CASE WHEN EXISTS (
              SELECT FROM credits_internal.credit_transactions t
              WHERE t.customer_id = g.customer_id AND t.currency = g.currency AND t.grant_id = g.grant_id
                AND t.type IN ('transfer', 'rollover')) THEN g.cost_amount ELSE l.amount_excluding_tax END
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
