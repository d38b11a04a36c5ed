//! A session begins: with what is in the cart, and what it comes to.

use crate::amount::Decimal;
use crate::checkout::cart::{self, Item};
use crate::checkout::checkout_session::pricing::{self, Cart};
use crate::checkout::checkout_session::{self, SessionRow, link};
use crate::checkout::discount::{self, Asked};
use crate::checkout::subscription_data::{self, SubscriptionData};
use crate::error::Error;
use crate::input;
use crate::invoicing::line::given;
use crate::invoicing::{collection, customer, invoice};
use crate::ledger::currency;
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::payment_intent::DEFAULT_SECONDS;
use crate::payments::provider;
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a session may be for: prices that are paid once, or a subscription.
const MODES: [&str; 2] = ["payment", "subscription"];

/// A session as it is asked for.
pub struct New<'a> {
    /// What is in the cart.
    pub items: Vec<Item>,
    /// The currency of its amounts; `None` for that of the first price.
    pub currency: Option<&'a str>,
    /// What is taken off it.
    pub discount: Option<Asked>,
    /// Whether the customer may enter a code.
    pub allow_promotion_codes: bool,
    /// Where to go once it is paid.
    pub success_url: Option<&'a str>,
    /// Where to go to leave it.
    pub cancel_url: Option<&'a str>,
    /// What the application calls it.
    pub client_reference_id: Option<&'a str>,
    /// When it ends.
    pub expires_at: Time,
    /// In percent, of lines that have none of their own; `None` for the customer's.
    pub tax_rate: Option<Decimal>,
    /// Whether a worker is asked to charge the customer.
    pub collection_method: &'a str,
    /// Who is to take the payment.
    pub provider: Option<&'a str>,
    /// What is said of the subscription that it begins; `None` where it begins none.
    pub subscription: Option<SubscriptionData>,
    /// What opened it.
    pub payment_link_id: Option<Uuid>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// `credits.checkout_session_create`. Raises PC002, PC007, PC008, PC013, PC015, PC016, PC018, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn checkout_session_create(
    customer_id: Option<&str>,
    mode: Option<&str>,
    line_items: Option<Json>,
    currency: Option<&str>,
    discounts: Option<Json>,
    allow_promotion_codes: Option<bool>,
    success_url: Option<&str>,
    cancel_url: Option<&str>,
    client_reference_id: Option<&str>,
    expires_at: Option<Timestamptz>,
    tax_rate: Option<Numeric>,
    collection_method: Option<&str>,
    provider: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
    subscription_data: Option<Json>,
) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let line_items = input::required("line_items", line_items)?.text();
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let now = settings::now()?;
        let subscription = subscription(mode, subscription_data)?;
        subscription.as_ref().map_or(Ok(()), |data| data.check(now))?;
        writing(|session| {
            let new = New {
                items: cart::read(session, &line_items)?,
                currency,
                discount: discounts.map_or(Ok(None), |given| discount::read(&given.text()))?,
                allow_promotion_codes: allow_promotion_codes.unwrap_or(false),
                success_url: input::web_address("success_url", success_url)?,
                cancel_url: input::web_address("cancel_url", cancel_url)?,
                client_reference_id: input::optional_key("client_reference_id", client_reference_id)?,
                expires_at: ends("expires_at", expires_at, now)?,
                tax_rate: input::optional_number("tax_rate", tax_rate, given::rate)?,
                collection_method: collection::method(collection_method)?,
                provider: input::optional_key("provider", provider)?,
                subscription,
                payment_link_id: None,
                metadata,
            };
            create(session, ("checkout_session_create", customer_id), &new, key, now).map(One)
        })
    })())
}

/// What is said of a subscription, where that is what it is for. Raises PC013.
fn subscription(mode: Option<&str>, data: Option<Json>) -> Result<Option<SubscriptionData>, Error> {
    let is_subscription = input::choice("mode", mode, MODES[0], &MODES)? == MODES[1];
    match (is_subscription, data) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(Error::argument("subscription_data", "is for the mode 'subscription'")),
        (true, None) => Ok(Some(SubscriptionData::default())),
        (true, Some(data)) => subscription_data::read(&data.text()).map(Some),
    }
}

/// When a session ends: in a day where nobody says. Raises PC013.
pub fn ends(argument: &'static str, given: Option<Timestamptz>, now: Time) -> Result<Time, Error> {
    match given.map(|at| at.0) {
        None => Ok(now.plus_seconds(DEFAULT_SECONDS)),
        Some(at) if at <= now || !at.is_finite() => {
            Err(Error::argument(argument, "must be a moment to come, not infinity"))
        }
        Some(at) => Ok(at),
    }
}

/// Creates a session by a function, or finds that of the first call under its key.
pub fn create(
    session: &Session,
    (function, customer_id): (&'static str, &str),
    new: &New<'_>,
    key: Option<&str>,
    now: Time,
) -> Result<SessionRow, Error> {
    let id = Uuid::now_v7();
    let code = cart::currency_of(session, new.currency, &new.items)?;
    let call = invoice::operation(function, id, &code, Decimal::ZERO, new.compared());
    let judge = || {
        let decimals = currency::resolve(session, &code)?.decimals;
        provider::or_only(session, new.provider)?;
        // Whether they can be sold, before anybody is locked: the catalogue comes first.
        pricing::price(session, &new.cart((&code, decimals), new.tax_rate, now))?;
        let customer = customer::lock_or_make(session, customer_id)?;
        checkout_session::must_not_be_overdue(session, customer_id, now)?;
        Ok((decimals, customer.tax_rate))
    };
    let (decimals, rate) = match key {
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(judged) => judged,
            Begun::Replay(first) => return checkout_session::find(session, customer_id, first.operation_id, true),
        },
    };
    let tax_rate = new.tax_rate.or(rate);
    let cart = new.cart((&code, decimals), tax_rate, now);
    let mut whole = pricing::price(session, &cart)?;
    cart::record_use(session, &new.items)?;
    let take_off = |asked| whole.take_off(session, (customer_id, None), asked, &cart, now);
    let off = new.discount.as_ref().map(take_off).transpose()?;
    let totals = &whole.priced.totals;
    let cells = [
        customer_id.cell(),
        id.cell(),
        code.cell(),
        cart::written(&new.items, Some(&whole.priced)).cell(),
        tax_rate.cell(),
        totals.subtotal.cell(),
        totals.discount.cell(),
        totals.tax.cell(),
        totals.total.cell(),
        new.collection_method.cell(),
        new.allow_promotion_codes.cell(),
        new.provider.cell(),
        new.payment_link_id.cell(),
        link::url(session, customer_id, id, now)?.cell(),
        new.success_url.cell(),
        new.cancel_url.cell(),
        new.client_reference_id.cell(),
        new.metadata.cell(),
        now.cell(),
        new.expires_at.cell(),
        MODES[usize::from(new.subscription.is_some())].cell(),
        new.subscription.as_ref().map(|data| data.value().to_string()).cell(),
    ];
    INSERT.run(session, &cells)?;
    if let Some(off) = &off {
        discount::put(session, (customer_id, id), Some(&off.now))?;
    }
    billing_event::record(session, EventType::CheckoutSessionCreated, id, Some(customer_id), now)?;
    checkout_session::find(session, customer_id, id, false)
}

impl New<'_> {
    /// What is in its cart.
    fn cart<'a>(&'a self, (code, decimals): (&'a str, u32), tax_rate: Option<Decimal>, now: Time) -> Cart<'a> {
        Cart {
            items: &self.items,
            code,
            decimals,
            tax_rate,
            subscription: self.subscription.as_ref(),
            collection_method: self.collection_method,
            is_sold: false,
            begins: now,
        }
    }

    /// What a replay is compared with: a digest of what the cart costs, and how many items it has.
    fn compared(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(cart::compared(&self.items));
        digest.update("|");
        digest.update(self.tax_rate.map(|rate| rate.normalize().to_string()).unwrap_or_default());
        digest.update(self.discount.as_ref().map(Asked::compared).unwrap_or_default());
        digest.update(self.subscription.as_ref().map(SubscriptionData::compared).unwrap_or_default());
        let link = self.payment_link_id.map(|id| format!(" by link {id}")).unwrap_or_default();
        invoice::digest(digest, self.items.len()) + &link
    }
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.checkout_sessions (
          customer_id, checkout_session_id, mode, status, payment_status, currency, line_items, tax_rate, amount_subtotal,
          amount_discount, amount_tax, amount_total, collection_method, allow_promotion_codes, provider, payment_link_id, url,
          success_url, cancel_url, client_reference_id, metadata, created_at, updated_at, expires_at, subscription_data,
          priced_at)
      VALUES ($1, $2, $21, 'open', 'unpaid', $3, $4::jsonb, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
              $18, $19, $19, $20, $22::jsonb, $19)",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        TEXTOID,
    ],
);
