//! Top-ups: purchases that begin here and are granted once they are paid (payment.rs). What a top-up buys is fixed when
//! it begins.

use crate::amount::{self, Decimal};
use crate::catalog::price::pack;
use crate::catalog::{exchange_rate, recharge_config, usage};
use crate::error::Error;
use crate::input;
use crate::invoicing::sale::{self, Reason};
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::grant::terms::GrantTerms;
use crate::ledger::{balance, currency, customer, grant};
use crate::moment::Time;
use crate::payments::notification::{self, Notification, case};
use crate::payments::payment::{self, PaymentRow};
use crate::payments::payment_intent::{self as intent, Credits, New};
use crate::payments::provider::link::Placeholders;
use crate::payments::reckoning::Kind;
use crate::payments::{money, provider};
use crate::pg::call::argument::{Id, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// What `top_up_create` returns.
    pub struct TopUpRow {
        /// Its id: what the payment must name.
        pub top_up_id: Uuid,
        /// 'initiated'; for a replay, its status now.
        pub status: String,
        /// Where to pay; NULL if no address is configured.
        pub checkout_url: Option<String>,
        /// When it expires; a later payment is granted all the same.
        pub expires_at: Time,
        /// Credits that it buys.
        pub credits: Decimal,
        /// Of which currency.
        pub credit_currency: String,
        /// What is due, in major units.
        pub amount: Decimal,
        /// The payment currency's code.
        pub currency: String,
        /// The price of one credit, if it was bought by amount.
        pub rate: Option<Decimal>,
        /// The grant, once it is paid.
        pub grant_id: Option<Uuid>,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// Where to pay, by the name that wallet services have for it.
        pub redirect_url: Option<String>,
        /// When it began.
        pub created_at: Time,
    }
}

/// What is bought, and its price.
struct Order {
    price_id: Option<Uuid>,
    quantity: i32,
    amount: Decimal,
    currency: String,
    credits: Decimal,
    credit_currency: String,
    rate: Option<Decimal>,
    name: Option<String>,
    terms: GrantTerms,
}

/// What else is stored with a top-up.
struct Extras<'a> {
    provider: Option<&'a str>,
    return_url: Option<&'a str>,
    failure_url: Option<&'a str>,
    expires_at: Time,
    texts: Texts<'a>,
}

/// `credits.top_up_create`. Raises PC002, PC007, PC008, PC013, PC015.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn top_up_create(
    customer_id: Option<&str>,
    price_id: Option<Id>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    quantity: Option<i32>,
    credit_currency: Option<&str>,
    rate: Option<Numeric>,
    return_url: Option<&str>,
    failure_url: Option<&str>,
    idempotency_key: Option<&str>,
    provider: Option<&str>,
    expires_in: Option<Interval>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<TopUpRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("description", description)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let quantity = input::at_least_one("quantity", quantity)?;
        let provider = input::optional_key("provider", provider)?;
        let return_url = input::web_address("return_url", return_url)?;
        let failure_url = input::web_address("failure_url", failure_url)?;
        let now = settings::now()?;
        let expires_at = match expires_in {
            Some(interval) => interval.after("expires_in", now)?,
            None => now.plus_seconds(intent::DEFAULT_SECONDS),
        };
        let texts = Texts { description, metadata: metadata.as_ref(), ..Texts::default() };
        let extras = Extras { provider, return_url, failure_url, expires_at, texts };
        writing(|session| {
            let (call, judged) = match (price_id, amount) {
                (Some(price_id), None) => by_price(session, price_id.0, quantity)?,
                (None, Some(amount)) => by_amount(session, amount, currency, quantity, credit_currency, rate, now)?,
                _ => return Err(Error::argument("price_id", "or amount is required, and not both")),
            };
            // The customer before the key, as everywhere.
            let judge = || {
                let order = judged?;
                customer::ensure_kept(session, customer_id)?;
                Ok(order)
            };
            let order = match key {
                None => judge()?,
                Some(_) => match operation::begin(session, customer_id, &call, key, &extras.texts, now, judge)? {
                    Begun::First(order) => order,
                    Begun::Replay(first) => {
                        return find(session, customer_id, first.operation_id, now, true).map(One);
                    }
                },
            };
            create(session, customer_id, call.operation_id, &order, &extras, now).map(One)
        })
    })())
}

/// What a replay is compared with: the price and quantity, or the amount and what it buys.
fn call(amount: Decimal, credit_currency: &str, what: String) -> Operation {
    Operation {
        function: String::from("top_up_create"),
        operation_id: Uuid::now_v7(),
        currency: credit_currency.to_string(),
        amount,
        category: None,
        grant_id: None,
        counterparty: None,
        reason: Some(what),
    }
}

type Judged = (Operation, Result<Order, Error>);

fn by_price(session: &Session, price_id: Uuid, quantity: i32) -> Result<Judged, Error> {
    let price = pack::find(session, "price_id", price_id)?;
    let amount = price.amount(quantity).map_err(|reason| Error::amount("quantity", quantity.into(), reason))?;
    let call = call(amount, &price.credit_currency, format!("price {price_id} x {quantity}"));
    let judged = (|| {
        if price.archived {
            return Err(Error::PriceNotFound { price_id, archived: true });
        }
        if let Some(limit) = price.quantity_limit.filter(|limit| quantity > *limit) {
            return Err(Error::argument("quantity", format!("must be at most {limit}, which one purchase may buy")));
        }
        if amount.is_zero() {
            return Err(Error::argument("price_id", "must be a price that costs something: this one is free"));
        }
        let credits = total(price.credits, quantity)?;
        currency::resolve_for(session, &price.credit_currency, "quantity", credits)?;
        check_limits(session, ("amount", amount), &price.currency, &price.credit_currency)?;
        Ok(Order {
            price_id: Some(price_id),
            quantity,
            amount,
            currency: price.currency,
            credits,
            credit_currency: price.credit_currency,
            rate: None,
            name: Some(price.name),
            terms: price.terms,
        })
    })();
    Ok((call, judged))
}

fn by_amount(
    session: &Session,
    amount: Numeric,
    currency: Option<&str>,
    quantity: i32,
    credit_currency: Option<&str>,
    rate: Option<Numeric>,
    now: Time,
) -> Result<Judged, Error> {
    if quantity != 1 {
        return Err(Error::argument("quantity", "is for a price: an amount is bought once"));
    }
    let amount = input::number("amount", Some(amount), amount::over_zero)?;
    let code = input::required("currency", currency)?.to_string();
    let credit_currency = credit_currency.unwrap_or(&code).to_string();
    let rate = input::optional_number("rate", rate, amount::over_zero)?;
    let call = call(amount, &credit_currency, format!("amount in {code}"));
    let judged = (|| {
        check_limits(session, ("amount", amount), &code, &credit_currency)?;
        let decimals = currency::resolve(session, &credit_currency)?.decimals;
        let rate = match rate {
            Some(rate) => rate,
            None => exchange_rate::at(session, &credit_currency, &code, now)?.ok_or_else(|| {
                Error::argument("rate", format!("is required: {credit_currency} has no exchange rate in {code}"))
            })?,
        };
        let credits =
            money::bought(amount, rate, decimals).map_err(|reason| Error::amount("amount", amount, reason))?;
        Ok(Order {
            price_id: None,
            quantity,
            amount,
            currency: code,
            credits,
            credit_currency,
            rate: Some(rate),
            name: None,
            terms: GrantTerms::by_amount(),
        })
    })();
    Ok((call, judged))
}

fn total(unit: Decimal, quantity: i32) -> Result<Decimal, Error> {
    money::times(unit, quantity).map_err(|reason| Error::amount("quantity", quantity.into(), reason))
}

/// Checks a payment against the limits of the payment currency and of the credit currency's recharge configuration.
fn check_limits(
    session: &Session,
    (argument, amount): (&'static str, Decimal),
    code: &str,
    credit_currency: &str,
) -> Result<(), Error> {
    let limits = currency::resolve_fiat(session, ("currency", code), (argument, amount))?;
    let refused = |reason| Error::amount(argument, amount, reason);
    limits.check(amount).map_err(refused)?;
    match recharge_config::limits(session, credit_currency, code)? {
        Some(limits) => limits.check(amount).map_err(refused),
        None => Ok(()),
    }
}

fn create(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    order: &Order,
    extras: &Extras<'_>,
    now: Time,
) -> Result<TopUpRow, Error> {
    // A purchase that could not be granted must not be paid. One that fits now may not fit when it is paid: see
    // payment.rs.
    if let Some(book) = balance::current(session, customer_id, &order.credit_currency)? {
        grant::check_room(&book, order.credits, currency::decimals(session, &order.credit_currency)?)?;
    }
    order.price_id.map(|price_id| usage::record(session, price_id)).transpose()?;
    let invoice_id = Uuid::now_v7();
    let mut values = Placeholders {
        id: top_up_id,
        invoice_id,
        customer_id,
        amount: order.amount,
        minor_units: None,
        currency: &order.currency,
        credits: Some(order.credits),
        return_url: extras.return_url,
        failure_url: extras.failure_url,
        checkout_session_id: None,
    };
    let configured = || recharge_config::checkout_url(session, &order.credit_currency);
    let (provider, checkout_url) = provider::checkout(session, extras.provider, &mut values, configured)?;
    let new = New {
        customer_id,
        id: top_up_id,
        invoice_id,
        amount: order.amount,
        currency: &order.currency,
        provider: provider.as_deref(),
        return_url: extras.return_url,
        failure_url: extras.failure_url,
        checkout_url: checkout_url.as_deref(),
        description: extras.texts.description,
        metadata: extras.texts.metadata,
        expires_at: Some(extras.expires_at),
        recharge_id: None,
        credits: Some(Credits {
            price_id: order.price_id,
            quantity: order.quantity,
            amount: order.credits,
            currency: &order.credit_currency,
            rate: order.rate,
            terms: &order.terms,
            name: order.name.as_deref().or(extras.texts.description),
        }),
    };
    sale::begin_top_up(session, Reason::Recharge, &new, now)?;
    find(session, customer_id, top_up_id, now, false)
}

static FIND: Statement = Statement::new(
    c"SELECT t.payment_intent_id, t.checkout_url, t.expires_at, l.credits, l.credit_currency, t.amount, t.currency,
             CASE WHEN l.price_id IS NULL THEN l.unit_amount END, l.grant_id, t.created_at
      FROM credits_internal.payment_intents t
      JOIN credits_internal.invoice_lines l ON l.customer_id = t.customer_id AND l.invoice_id = t.invoice_id
      WHERE t.customer_id = $1 AND t.payment_intent_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT t.top_up_id, t.checkout_url, t.expires_at, t.credits, t.credit_currency, t.amount, t.currency, t.rate, t.grant_id,
             t.created_at
      FROM credits_internal.top_ups t WHERE t.customer_id = $1 AND t.top_up_id = $2",
);

/// A top-up as functions return it.
fn find(session: &Session, customer_id: &str, top_up_id: Uuid, now: Time, replayed: bool) -> Result<TopUpRow, Error> {
    let status = intent::find(session, customer_id, top_up_id)?.status_at(now);
    let rows = FIND.run(session, &[customer_id.cell(), top_up_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| intent::unknown(top_up_id))?;
    let (top_up_id, checkout_url): (_, Option<String>) = (row.next()?, row.next()?);
    Ok(TopUpRow {
        top_up_id,
        status: status.to_string(),
        checkout_url: checkout_url.clone(),
        expires_at: row.next()?,
        credits: row.next()?,
        credit_currency: row.next()?,
        amount: row.next()?,
        currency: row.next()?,
        rate: row.next()?,
        grant_id: row.next()?,
        replayed,
        redirect_url: checkout_url,
        created_at: row.next()?,
    })
}

/// `credits.top_up_expire`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn top_up_expire(customer_id: Option<&str>, top_up_id: Option<Id>) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(None, None)?;
        writing(|session| {
            let mut case = case::open(session, subject, &notification, Kind::Expired)?;
            let applied = payment::expire(session, &mut case, &notification)?;
            payment::row(session, &case, applied)
        })
        .map(One)
    })())
}
