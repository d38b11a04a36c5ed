//! The configuration of an account's auto-recharge: what it buys, below which balance, within which limits. policy.rs
//! decides when.

use crate::amount::{self, AmountError, Decimal};
use crate::auto_recharge::evaluation;
use crate::auto_recharge::offer::Obstacle;
use crate::auto_recharge::policy::Off;
use crate::catalog::price::{self, Price};
use crate::catalog::recharge_config;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting;
use crate::ledger::{account, currency, customer};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, reading, writing};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::pg::value::span::Span;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT4OID, INTERVALOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// An account's auto-recharge.
    pub struct AutoRechargeRow {
        /// Whose.
        pub customer_id: String,
        /// The credit currency's code.
        pub currency: String,
        /// Whether it is switched on.
        pub enabled: bool,
        /// Below this credits are bought.
        pub threshold: Decimal,
        /// At which price.
        pub price_id: Uuid,
        /// How many units.
        pub quantity: i32,
        /// What the worker charges, in the worker's own format.
        pub payment_method: Option<String>,
        /// Within 24 hours; NULL for no limit.
        pub max_attempts_per_day: Option<i32>,
        /// Within 24 hours, in the price's currency; NULL for no limit.
        pub max_amount_per_day: Option<Decimal>,
        /// The least time between two requests.
        pub cooldown: Span,
        /// How long a request waits for an answer.
        pub timeout: Span,
        /// How many attempts in a row failed or timed out.
        pub failures: i32,
        /// The code for why it switched itself off; NULL if it did not.
        pub disabled_reason: Option<String>,
        /// Whether a request is open.
        pub recharge_in_progress: bool,
        /// Whether it waits for the customer's next spend, because credits were taken back.
        pub waits_for_spend: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT r.customer_id, r.currency, r.enabled, r.threshold, r.price_id, r.quantity, r.payment_method,
             r.max_attempts_per_day, r.max_amount_per_day, r.cooldown, r.timeout, r.failures, r.disabled_reason,
             EXISTS (SELECT FROM credits_internal.recharges o
                     WHERE o.customer_id = r.customer_id AND o.currency = r.currency
                       AND o.status IN ('requested', 'processing') AND o.expires_at > $3),
             r.waits_for_spend
      FROM credits_internal.auto_recharges r WHERE r.customer_id = $1 AND r.currency = $2",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// An account's auto-recharge, if it was ever configured.
pub fn find(session: &Session, customer_id: &str, currency: &str) -> Result<Option<AutoRechargeRow>, Error> {
    let cells = [customer_id.cell(), currency.cell(), settings::now()?.cell()];
    FIND.run(session, &cells)?.first().map(AutoRechargeRow::read).transpose()
}

fn not_configured(customer_id: &str, currency: &str) -> Error {
    Error::RechargeNotConfigured { customer_id: Some(customer_id.to_string()), currency: currency.to_string() }
}

/// `credits.auto_recharge_config`. Raises PC011, PC013.
#[pg_extern(sql = false)]
fn auto_recharge_config(customer_id: Option<&str>, currency: Option<&str>) -> Reply<One<AutoRechargeRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let code = currency::code_or_default(currency)?;
        reading(|session| find(session, customer_id, &code)?.ok_or_else(|| not_configured(customer_id, &code))).map(One)
    })())
}

// Switching it on again resets its failures.
static SAVE: Statement = Statement::new(
    c"INSERT INTO credits_internal.auto_recharges
      AS r (customer_id, currency, enabled, threshold, price_id, quantity, payment_method,
                                               max_attempts_per_day, max_amount_per_day, cooldown, timeout, updated_at)
      VALUES ($1, $2, coalesce($3, true), $4, $5, coalesce($6, 1), $7, nullif($8, 2147483647), nullif($9, 'infinity'),
              coalesce($10, interval '1 minute'), coalesce($11, interval '1 hour'), $12)
      ON CONFLICT (customer_id, currency) DO UPDATE
      SET enabled = coalesce($3, r.enabled), threshold = excluded.threshold, price_id = excluded.price_id,
          quantity = coalesce($6, r.quantity), payment_method = coalesce($7, r.payment_method),
          max_attempts_per_day = nullif(coalesce($8, r.max_attempts_per_day), 2147483647),
          max_amount_per_day = nullif(coalesce($9, r.max_amount_per_day), 'infinity'),
          cooldown = coalesce($10, r.cooldown), timeout = coalesce($11, r.timeout), updated_at = $12,
          failures = CASE WHEN $3 THEN 0 ELSE r.failures END,
          disabled_reason = CASE WHEN $3 THEN NULL ELSE r.disabled_reason END,
          waits_for_spend = CASE WHEN $3 THEN false ELSE r.waits_for_spend END",
    &[
        TEXTOID,
        TEXTOID,
        BOOLOID,
        NUMERICOID,
        UUIDOID,
        INT4OID,
        TEXTOID,
        INT4OID,
        NUMERICOID,
        INTERVALOID,
        INTERVALOID,
        TIMESTAMPTZOID,
    ],
);

/// `credits.configure_auto_recharge`. Raises PC003, PC007, PC008, PC011, PC013, PC015.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn configure_auto_recharge(
    customer_id: Option<&str>,
    currency: Option<&str>,
    enabled: Option<bool>,
    threshold: Option<Numeric>,
    price_id: Option<Id>,
    quantity: Option<i32>,
    payment_method: Option<&str>,
    max_attempts_per_day: Option<i32>,
    max_amount_per_day: Option<Numeric>,
    cooldown: Option<Interval>,
    timeout: Option<Interval>,
) -> Reply<One<AutoRechargeRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let code = currency::code_or_default(currency)?;
        let quantity = quantity.map(|q| input::at_least_one("quantity", Some(q))).transpose()?;
        let attempts =
            max_attempts_per_day.map(|n| input::at_least_one("max_attempts_per_day", Some(n))).transpose()?;
        let cooldown = cooldown.map(|span| span.not_negative("cooldown")).transpose()?;
        let timeout = timeout.map(|span| span.positive("timeout")).transpose()?;
        writing(|session| {
            let now = settings::now()?;
            let decimals = currency::resolve(session, &code)?.decimals;
            customer::must_exist(session, customer_id)?;
            let stored = find(session, customer_id, &code)?;
            let threshold = input::optional_number("threshold", threshold, |n| amount::positive(n, decimals))?;
            let threshold = threshold.or(stored.as_ref().map(|stored| stored.threshold));
            let threshold = input::required("threshold", threshold)?;
            let price_id = match (price_id, &stored) {
                (Some(given), _) => given.0,
                (None, Some(stored)) => stored.price_id,
                (None, None) => recharge_config::base_price(session, &code)?,
            };
            let price = price::find(session, price_id)?;
            if price.credit_currency != code {
                return Err(Error::argument("price_id", format!("must be of a product that grants {code}")));
            }
            let decimals = currency::decimals(session, &price.currency)?;
            let most = input::limit("max_amount_per_day", max_amount_per_day, |n| amount::positive(n, decimals))?;
            if let (Some(stored), None) = (&stored, &most) {
                check_limit_currency(session, stored, &price)?;
            }
            let book = account::open_or_make(session, customer_id, &code, now)?;
            SAVE.run(
                session,
                &[
                    customer_id.cell(),
                    code.cell(),
                    enabled.cell(),
                    threshold.cell(),
                    price_id.cell(),
                    quantity.cell(),
                    payment_method.cell(),
                    attempts.cell(),
                    most.cell(),
                    cooldown.cell(),
                    timeout.cell(),
                    now.cell(),
                ],
            )?;
            check(session, &book, &price)?;
            account::evaluate_again(session, book)?;
            find(session, customer_id, &code)?.ok_or_else(|| not_configured(customer_id, &code)).map(One)
        })
    })())
}

/// Checks that a limit that stays unchanged is in the new price's currency, since it was set in the old one's. Raises
/// PC013.
fn check_limit_currency(session: &Session, stored: &AutoRechargeRow, price: &Price) -> Result<(), Error> {
    if stored.max_amount_per_day.is_none() || stored.price_id == price.id {
        return Ok(());
    }
    let before = price::find(session, stored.price_id)?.currency;
    if before == price.currency {
        return Ok(());
    }
    let reason =
        format!("is required: the limit that is there is in {before}, and this price is in {}", price.currency);
    Err(Error::argument("max_amount_per_day", reason))
}

/// Checks that the configuration can buy something, unless it is switched off. Raises PC007, PC008, PC013, PC015.
fn check(session: &Session, book: &Book, price: &Price) -> Result<(), Error> {
    let (state, _) = evaluation::read(session, book)?;
    let Some(auto) = state.auto.filter(|auto| auto.enabled) else { return Ok(()) };
    let Err(obstacle) = auto.offer.pack() else { return Ok(()) };
    Err(match obstacle {
        Obstacle::NotOnSale => Error::PriceNotFound { price_id: price.id, archived: true },
        Obstacle::Currency => {
            Error::CurrencyNotFound { currency: price.currency.clone(), inactive: true, nearest: None }
        }
        Obstacle::Restricted => {
            Error::argument("price_id", "must be of a product whose credits pay for anything: others lift no balance")
        }
        Obstacle::TooLarge => Error::amount("quantity", auto.offer.quantity.into(), AmountError::BuysTooMuch),
        Obstacle::Limit(cost, reason) => {
            let reason = match reason {
                AmountError::BelowMinimum(least) => AmountError::CostsTooLittle(cost, least),
                AmountError::AboveMaximum(most) => AmountError::CostsTooMuch(cost, most),
                other => other,
            };
            Error::amount("quantity", auto.offer.quantity.into(), reason)
        }
        Obstacle::DailyLimit(one) => {
            let most = auto.offer.most_a_day.unwrap_or_default();
            Error::amount("max_amount_per_day", most, AmountError::BelowOneRecharge(one))
        }
    })
}

static ACCOUNTS: Statement = Statement::new(
    c"SELECT r.currency FROM credits_internal.auto_recharges r WHERE r.customer_id = $1 AND r.enabled",
    &[TEXTOID],
);

/// A customer's accounts with auto-recharge on, to be locked before it is switched off.
pub fn accounts(session: &Session, customer_id: &str) -> Result<Vec<posting::Key>, Error> {
    ACCOUNTS
        .run(session, &[customer_id.cell()])?
        .iter()
        .map(|mut row| Ok((customer_id.to_string(), row.next()?)))
        .collect()
}

static SWITCH_OFF: Statement = Statement::new(
    c"UPDATE credits_internal.auto_recharges r SET enabled = false, disabled_reason = $2
      WHERE r.customer_id = $1 AND r.currency = ANY ($3) AND r.enabled
      RETURNING r.currency, r.failures",
    &[TEXTOID, TEXTOID, TEXTARRAYOID],
);

/// Switches a customer's auto-recharge off, in every currency; requests that no worker has begun are canceled. The
/// accounts are locked ([`accounts`]); if another session has switched one on since, that counts as after this.
pub fn switch_off(session: &Session, customer_id: &str, off: Off, now: Time) -> Result<(), Error> {
    let locked = posting::lock_free(session, &accounts(session, customer_id)?)?;
    let currencies = array(locked.iter().map(|(_, currency)| currency));
    let rows = SWITCH_OFF.run(session, &[customer_id.cell(), off.code().cell(), currencies])?;
    let mut switched: Vec<(String, i32)> =
        rows.iter().map(|mut row| Ok((row.next()?, row.next()?))).collect::<Result<_, Error>>()?;
    switched.sort();
    for (currency, failures) in switched {
        let book = account::open_existing(session, customer_id, &currency, now)?;
        evaluation::publish_off(session, &book, off, failures);
        account::evaluate_again(session, book)?;
    }
    Ok(())
}
