//! What the cart of a session comes to: prices that are paid once; and, where it begins a subscription, recurring ones, of
//! which the first period is paid, or a trial begins.

use crate::amount::Decimal;
use crate::catalog::discount::CartLine;
use crate::catalog::price::offer::{self, Offer};
use crate::catalog::redemption::Quote;
use crate::checkout::cart::{self, Item, Priced};
use crate::checkout::discount::{self, Asked};
use crate::checkout::subscription_data::SubscriptionData;
use crate::error::Error;
use crate::invoicing::line::New as Line;
use crate::moment::Time;
use crate::pg::statement::Session;
use crate::subscriptions::checkout::{self as subscription, BEHAVIORS, Judged, MOST, New, PRORATIONS};

/// How many days a subscription's invoices may be open, and then be owed, where nobody says.
const DAYS: i32 = 30;

/// What is in a cart, and how it is sold.
pub struct Cart<'a> {
    /// Its items.
    pub items: &'a [Item],
    /// The currency of the amounts.
    pub code: &'a str,
    /// Its decimals.
    pub decimals: u32,
    /// In percent, of lines that have none of their own.
    pub tax_rate: Option<Decimal>,
    /// What is said of the subscription that it begins; `None` where it begins none.
    pub subscription: Option<&'a SubscriptionData>,
    /// Whether a worker is asked to charge the customer.
    pub collection_method: &'a str,
    /// Whether it is sold already: then prices need not be on sale any more.
    pub is_sold: bool,
    /// When a subscription begins.
    pub begins: Time,
}

/// A cart that is priced.
pub struct Whole<'a> {
    /// Its lines, in the order of its items, and what they come to.
    pub priced: Priced,
    /// The subscription that it begins.
    pub plan: Option<Plan<'a>>,
}

/// The subscription of a cart.
pub struct Plan<'a> {
    /// As it is asked for.
    pub new: New<'a>,
    /// Checked.
    pub judged: Judged,
    /// Of each line of the cart, whether the first invoice has it.
    pub on_invoice: Vec<bool>,
    /// The cart for a whole period, by which a discount is judged.
    pub whole: Vec<CartLine>,
}

/// What a discount takes off.
pub struct Discount {
    /// Off what is paid now.
    pub now: Quote,
    /// As its redemption has it: off a whole period of a subscription.
    pub redeemed: Quote,
}

/// Prices a cart, whose prices must be in its currency, and on sale unless it is sold. Raises PC007, PC008, PC013, PC015.
pub fn price<'a>(session: &Session, cart: &Cart<'a>) -> Result<Whole<'a>, Error> {
    let mut offers = Vec::with_capacity(cart.items.len());
    for item in cart.items {
        let offer = offer::find(session, item.price_id)?;
        if !cart.is_sold {
            item.check_limit(&offer)?;
        }
        offers.push(offer);
    }
    let once = |item: &Item| item.line(session, cart.code, cart.decimals, cart.is_sold);
    let Some(data) = cart.subscription else {
        let lines = cart.items.iter().map(once).collect::<Result<_, _>>()?;
        return Ok(Whole { priced: cart::priced(lines, cart.tax_rate, cart.decimals)?, plan: None });
    };
    let new = asked(cart, &offers, data)?;
    let judged = new.judge(session, !cart.is_sold).map_err(of_cart)?;
    if judged.code != cart.code {
        let reason = format!("must be that of all its prices: its recurring ones are in {}", judged.code);
        return Err(Error::argument("currency", reason));
    }
    let mut recurring = subscription::lines(session, &new, &judged).map_err(of_cart)?.into_iter();
    let is_all = judged.items.len() == cart.items.len();
    let mut whole_items = subscription::whole(&judged, is_all)?.into_iter();
    let (mut lines, mut on_invoice, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for (item, offer) in cart.items.iter().zip(&offers) {
        let of_item = if offer.recurring.is_some() { recurring.next().zip(whole_items.next()) } else { None };
        let (line, is_on, whole_line) = match of_item {
            Some(((line, is_on), whole_line)) => (line, is_on, whole_line),
            None => {
                let line = once(item)?;
                let whole_line = line.for_discount();
                (line, true, whole_line)
            }
        };
        lines.push(line);
        on_invoice.push(is_on);
        whole.push(whole_line);
    }
    let mut priced = cart::priced(lines, cart.tax_rate, cart.decimals)?;
    withhold(&mut priced);
    Ok(Whole { priced, plan: Some(Plan { new, judged, on_invoice, whole }) })
}

/// The subscription that a cart asks for. Raises PC013.
fn asked<'a>(cart: &Cart<'a>, offers: &[Offer], data: &'a SubscriptionData) -> Result<New<'a>, Error> {
    let mut items = Vec::new();
    for (item, offer) in cart.items.iter().zip(offers) {
        let Some(recurring) = &offer.recurring else { continue };
        item.check_recurring()?;
        let is_metered = recurring.usage_type == "metered";
        if is_metered {
            item.check_metered()?;
        }
        items.push(subscription::Given {
            id: None,
            new_id: uuid::Uuid::now_v7(),
            price_id: Some(item.price_id),
            quantity: (!is_metered).then(|| item.quantity.into()),
            metadata: item.metadata.clone(),
            is_deleted: false,
        });
    }
    if items.is_empty() {
        return Err(Error::argument("line_items", "must have a recurring price, since mode is 'subscription'"));
    }
    if items.len() > MOST {
        let reason = format!("must have at most {MOST} recurring prices: they are {}", items.len());
        return Err(Error::argument("line_items", reason));
    }
    Ok(New {
        items,
        begins: cart.begins,
        trial_end: data.trial(cart.begins),
        anchor: data.billing_cycle_anchor,
        trial_end_behavior: data.trial_end_behavior.unwrap_or(BEHAVIORS[0]),
        collection_method: cart.collection_method,
        days_until_due: data.days_until_due.unwrap_or(DAYS),
        days_until_cancel: data.days_until_cancel.unwrap_or(DAYS),
        payment_method_id: None,
        proration_behavior: data.proration_behavior.unwrap_or(PRORATIONS[0]),
        promotion_code: None,
        coupon_id: None,
        cancel_at_period_end: data.cancel_at_period_end,
        description: data.description.as_deref(),
        metadata: None,
        checkout: None,
        owed: Default::default(),
        named: None,
    })
}

/// What is wrong with the items of a subscription is wrong with those of the cart.
fn of_cart(error: Error) -> Error {
    match error {
        Error::InvalidArgument { argument: "items", reason } => {
            Error::InvalidArgument { argument: "line_items", reason }
        }
        error => error,
    }
}

/// Credits that wait for the first payment are none where nothing is to be paid yet.
fn withhold(priced: &mut Priced) {
    if priced.totals.total.is_zero() {
        priced.lines.iter_mut().filter(|line| line.waits()).for_each(Line::grant_nothing);
    }
}

impl Whole<'_> {
    /// What a discount takes off it, judged; whose customer is locked. Raises PC016, PC019.
    pub fn take_off(
        &mut self,
        session: &Session,
        (customer_id, holder): (&str, Option<uuid::Uuid>),
        asked: &Asked,
        cart: &Cart<'_>,
        now: Time,
    ) -> Result<Discount, Error> {
        let lines: Vec<CartLine> = match &self.plan {
            Some(plan) => plan.whole.clone(),
            None => self.priced.lines.iter().map(Line::for_discount).collect(),
        };
        let quote = discount::quote(session, (customer_id, holder), asked, (cart.code, &lines), now)?;
        let redeemed = match &self.plan {
            Some(plan) if lines.len() == plan.judged.items.len() => plan.judged.of_usage(quote),
            _ => quote,
        };
        let off = match self.plan {
            Some(_) => subscription::off(session, &redeemed, cart.code, &self.priced.lines)?,
            None => redeemed.clone(),
        };
        self.less(&off.per_line, cart)?;
        Ok(Discount { now: off, redeemed })
    }

    /// So much is taken off each line.
    pub fn less(&mut self, per_line: &[Decimal], cart: &Cart<'_>) -> Result<(), Error> {
        self.priced.take_off(per_line, cart.tax_rate, cart.decimals)?;
        if self.plan.is_some() {
            withhold(&mut self.priced);
        }
        Ok(())
    }
}

impl Plan<'_> {
    /// The lines that its first invoice has.
    pub fn on_invoice(&self, lines: Vec<Line>) -> Vec<Line> {
        lines.into_iter().zip(&self.on_invoice).filter(|(_, is_on)| **is_on).map(|(line, _)| line).collect()
    }
}
