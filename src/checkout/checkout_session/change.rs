//! Changing a session: all of it while it is open and not submitted, and afterwards what the application keeps with it.

use crate::amount::Decimal;
use crate::catalog::price::offer;
use crate::checkout::cart;
use crate::checkout::checkout_session::create::ends;
use crate::checkout::checkout_session::pricing::{self, Discount, Whole};
use crate::checkout::checkout_session::{self, LockedSession, SessionRow, link};
use crate::checkout::discount;
use crate::checkout::subscription_data::{self, SubscriptionData};
use crate::error::Error;
use crate::input;
use crate::invoicing::line::given;
use crate::invoicing::{collection, customer};
use crate::ledger::currency;
use crate::moment::Time;
use crate::pg::call::argument::{Id, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What is to change; NULL leaves a thing as it is.
struct Change<'a> {
    line_items: Option<String>,
    quantities: Option<String>,
    allow_promotion_codes: Option<bool>,
    success_url: Option<&'a str>,
    cancel_url: Option<&'a str>,
    client_reference_id: Option<&'a str>,
    expires_at: Option<Time>,
    tax_rate: Option<Decimal>,
    collection_method: Option<&'a str>,
    metadata: Option<Json>,
    subscription: Option<SubscriptionData>,
}

/// `credits.checkout_session_update`. Raises PC003, PC007, PC008, PC013, PC015, PC019, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn checkout_session_update(
    customer_id: Option<&str>,
    checkout_session_id: Option<Id>,
    line_items: Option<Json>,
    quantities: Option<Json>,
    allow_promotion_codes: Option<bool>,
    success_url: Option<&str>,
    cancel_url: Option<&str>,
    client_reference_id: Option<&str>,
    expires_at: Option<Timestamptz>,
    tax_rate: Option<Numeric>,
    collection_method: Option<&str>,
    metadata: Option<Json>,
    subscription_data: Option<Json>,
) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("checkout_session_id", checkout_session_id)?.0;
        let now = settings::now()?;
        let change = Change {
            line_items: line_items.map(|given| given.text()),
            quantities: quantities.map(|given| given.text()),
            allow_promotion_codes,
            success_url: input::web_address("success_url", success_url)?,
            cancel_url: input::web_address("cancel_url", cancel_url)?,
            client_reference_id: input::optional_key("client_reference_id", client_reference_id)?,
            expires_at: expires_at.map(|at| ends("expires_at", Some(at), now)).transpose()?,
            tax_rate: input::optional_number("tax_rate", tax_rate, given::rate)?,
            collection_method: collection_method.map(|given| collection::method(Some(given))).transpose()?,
            metadata,
            subscription: subscription_data.map(|data| subscription_data::read(&data.text())).transpose()?,
        };
        change.subscription.as_ref().map_or(Ok(()), |data| data.check(now))?;
        writing(|session| change.perform(session, customer_id, id, now)).map(One)
    })())
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET allow_promotion_codes = coalesce($3, s.allow_promotion_codes), success_url = coalesce($4, s.success_url),
          cancel_url = coalesce($5, s.cancel_url), client_reference_id = coalesce($6, s.client_reference_id),
          expires_at = coalesce($7, s.expires_at), tax_rate = coalesce($8, s.tax_rate),
          collection_method = coalesce($9, s.collection_method), metadata = coalesce($10, s.metadata),
          url = coalesce($11, s.url), updated_at = $12, subscription_data = coalesce($13::jsonb, s.subscription_data)
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[
        TEXTOID,
        UUIDOID,
        BOOLOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        TEXTOID,
        JSONBOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TEXTOID,
    ],
);

impl Change<'_> {
    fn perform(&self, session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<SessionRow, Error> {
        // What is put into the cart is of the catalogue, which comes before the customer.
        let items = self.line_items.as_ref().map(|text| cart::read(session, text)).transpose()?;
        if let Some(items) = &items {
            items.iter().try_for_each(|item| offer::find(session, item.price_id).map(drop))?;
        }
        customer::lock(session, customer_id)?;
        let there = checkout_session::lock(session, customer_id, id)?;
        if self.is_of_open() {
            there.must_be_open(now)?;
        }
        if self.subscription.is_some() && there.subscription.is_none() {
            return Err(Error::argument("subscription_data", "is for the mode 'subscription'"));
        }
        let url = if there.must_be_open(now).is_ok() { link::url(session, customer_id, id, now)? } else { None };
        let cells = [
            customer_id.cell(),
            id.cell(),
            self.allow_promotion_codes.cell(),
            self.success_url.cell(),
            self.cancel_url.cell(),
            self.client_reference_id.cell(),
            self.expires_at.cell(),
            self.tax_rate.cell(),
            self.collection_method.cell(),
            self.metadata.cell(),
            url.cell(),
            now.cell(),
            self.subscription.as_ref().map(|data| data.value().to_string()).cell(),
        ];
        UPDATE.run(session, &cells)?;
        if self.is_of_cart() {
            let mut items = match items {
                Some(items) => items,
                None => cart::stored(session, &there.line_items)?,
            };
            if let Some(quantities) = &self.quantities {
                cart::adjust(session, &mut items, quantities)?;
            }
            let tax_rate = self.tax_rate.or(there.tax_rate);
            let subscription = self.subscription.clone().or_else(|| there.subscription.clone());
            refill(session, &LockedSession { tax_rate, subscription, ..there }, &items, now)?;
        }
        checkout_session::find(session, customer_id, id, false)
    }

    /// Whether it comes to something else then.
    fn is_of_cart(&self) -> bool {
        self.line_items.is_some() || self.quantities.is_some() || self.tax_rate.is_some() || self.subscription.is_some()
    }

    /// Whether only an open session can change so.
    fn is_of_open(&self) -> bool {
        self.is_of_cart()
            || self.allow_promotion_codes.is_some()
            || self.expires_at.is_some()
            || self.collection_method.is_some()
            || self.success_url.is_some()
            || self.cancel_url.is_some()
    }
}

static REFILL: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET line_items = $3::jsonb, amount_subtotal = $4, amount_discount = $5, amount_tax = $6, amount_total = $7, priced_at = $8
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID],
);

/// Writes what is in a session's cart, and what that comes to with its discount; returns both. Raises PC016.
pub fn refill<'a>(
    session: &Session,
    there: &'a LockedSession,
    items: &'a [cart::Item],
    now: Time,
) -> Result<(Whole<'a>, Option<Discount>), Error> {
    let cart = there.cart(items, currency::decimals(session, &there.currency)?, now);
    let mut whole = pricing::price(session, &cart)?;
    cart::record_use(session, items)?;
    let holder = (there.customer_id.as_str(), there.holds_discount());
    let take_off = |asked| whole.take_off(session, holder, asked, &cart, now);
    let off = there.discount.as_ref().map(take_off).transpose()?;
    discount::put(session, (&there.customer_id, there.id), off.as_ref().map(|off| &off.now))?;
    let totals = &whole.priced.totals;
    let cells = [
        there.customer_id.cell(),
        there.id.cell(),
        cart::written(items, Some(&whole.priced)).cell(),
        totals.subtotal.cell(),
        totals.discount.cell(),
        totals.tax.cell(),
        totals.total.cell(),
        now.cell(),
    ];
    REFILL.run(session, &cells)?;
    Ok((whole, off))
}
