//! The configuration of an account's auto-recharge: what it buys, below which balance, within which limits. policy.rs
//! decides when.

use crate::amount::{self, Decimal};
use crate::auto_recharge::evaluation;
use crate::auto_recharge::limit::Period;
use crate::auto_recharge::policy::Off;
use crate::auto_recharge::state::auto_recharges_before;
use crate::auto_recharge::terms::{self, Money, Times};
use crate::error::Error;
use crate::input::{self, Limit};
use crate::ledger::engine::posting;
use crate::ledger::{account, currency, customer};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Interval, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, reading, text, writing};
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
        /// At which price; NULL where they are bought by amount.
        pub price_id: Option<Uuid>,
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
        /// How many credits there shall be after a recharge; NULL for always the same quantity.
        pub target: Option<Decimal>,
        /// The currency that is paid where credits are bought by amount; NULL where by price.
        pub price_currency: Option<String>,
        /// Within a day of the calendar; NULL for no limit.
        pub max_attempts_per_calendar_day: Option<i32>,
        /// Within a day of the calendar, in the currency that is paid; NULL for no limit.
        pub max_amount_per_calendar_day: Option<Decimal>,
        /// Within a month of the calendar; NULL for no limit.
        pub max_attempts_per_calendar_month: Option<i32>,
        /// Within a month of the calendar, in the currency that is paid; NULL for no limit.
        pub max_amount_per_calendar_month: Option<Decimal>,
        /// How often it buys whatever the balance; NULL for no such schedule.
        pub schedule_every: Option<Span>,
        /// From when on it does.
        pub schedule_start_at: Option<Time>,
        /// On which day of each month it buys whatever the balance; NULL for no such schedule.
        pub schedule_day: Option<i32>,
        /// The first moment of the schedule that nothing was bought for yet; NULL where there is none.
        pub next_scheduled_at: Option<Time>,
    } read
}

macro_rules! find {
    ($auto_recharges:expr) => {
        text!(
            "SELECT r.customer_id, r.currency, r.enabled, r.threshold, r.price_id, r.quantity, r.payment_method,
             r.max_attempts_per_day, r.max_amount_per_day, r.cooldown, r.timeout, r.failures, r.disabled_reason,
             EXISTS (SELECT FROM credits_internal.recharges o
                     WHERE o.customer_id = r.customer_id AND o.currency = r.currency
                       AND o.status IN ('requested', 'processing') AND o.expires_at > $3),
             r.waits_for_spend, r.target, r.price_currency, r.max_attempts_per_calendar_day, r.max_amount_per_calendar_day,
             r.max_attempts_per_calendar_month, r.max_amount_per_calendar_month, r.schedule_every, r.schedule_start_at,
             r.schedule_day, CASE WHEN r.enabled AND r.scheduled_at < 'infinity' THEN r.scheduled_at END
      FROM ",
            $auto_recharges,
            " r WHERE r.customer_id = $1 AND r.currency = $2"
        )
    };
}

static FIND: Statement = Statement::new(find!("credits_internal.auto_recharges"), &[TEXTOID, TEXTOID, TIMESTAMPTZOID])
    .before(find!(auto_recharges_before!()));

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
            max_attempts_per_day, max_amount_per_day, cooldown, timeout, updated_at, target, price_currency,
            max_attempts_per_calendar_day, max_amount_per_calendar_day, max_attempts_per_calendar_month,
            max_amount_per_calendar_month, schedule_every, schedule_start_at, schedule_day, scheduled_at)
      VALUES ($1, $2, coalesce($3, true), $4, $5, coalesce($6, 1), $7, nullif($8, 2147483647), nullif($9, 'infinity'),
              coalesce($10, interval '1 minute'), coalesce($11, interval '1 hour'), $12, $13, $14,
              nullif($15, 2147483647), nullif($16, 'infinity'), nullif($17, 2147483647), nullif($18, 'infinity'),
              $19, $20, $21, coalesce($22, 'infinity'))
      ON CONFLICT (customer_id, currency) DO UPDATE
      SET enabled = coalesce($3, r.enabled), threshold = excluded.threshold, price_id = excluded.price_id,
          quantity = coalesce($6, r.quantity), payment_method = coalesce($7, r.payment_method),
          max_attempts_per_day = nullif(coalesce($8, r.max_attempts_per_day), 2147483647),
          max_amount_per_day = nullif(coalesce($9, r.max_amount_per_day), 'infinity'),
          cooldown = coalesce($10, r.cooldown), timeout = coalesce($11, r.timeout), updated_at = $12,
          target = excluded.target, price_currency = excluded.price_currency,
          max_attempts_per_calendar_day = nullif(coalesce($15, r.max_attempts_per_calendar_day), 2147483647),
          max_amount_per_calendar_day = nullif(coalesce($16, r.max_amount_per_calendar_day), 'infinity'),
          max_attempts_per_calendar_month = nullif(coalesce($17, r.max_attempts_per_calendar_month), 2147483647),
          max_amount_per_calendar_month = nullif(coalesce($18, r.max_amount_per_calendar_month), 'infinity'),
          schedule_every = excluded.schedule_every, schedule_start_at = excluded.schedule_start_at,
          schedule_day = excluded.schedule_day, scheduled_at = coalesce($22, r.scheduled_at),
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
        NUMERICOID,
        TEXTOID,
        INT4OID,
        NUMERICOID,
        INT4OID,
        NUMERICOID,
        INTERVALOID,
        TIMESTAMPTZOID,
        INT4OID,
        TIMESTAMPTZOID,
    ],
)
.before(
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
);

/// `credits.configure_auto_recharge`. Raises PC003, PC007, PC008, PC011, PC013, PC015.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn configure_auto_recharge_2(
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
    target: Option<Numeric>,
    max_attempts_per_calendar_day: Option<i32>,
    max_amount_per_calendar_day: Option<Numeric>,
    max_attempts_per_calendar_month: Option<i32>,
    max_amount_per_calendar_month: Option<Numeric>,
    schedule_every: Option<Interval>,
    schedule_start_at: Option<Timestamptz>,
    schedule_day: Option<i32>,
    price_currency: Option<&str>,
) -> Reply<One<AutoRechargeRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let code = currency::code_or_default(currency)?;
        let quantity = quantity.map(|q| input::at_least_one("quantity", Some(q))).transpose()?;
        let attempts = [
            terms::most_attempts("max_attempts_per_day", max_attempts_per_day)?,
            terms::most_attempts("max_attempts_per_calendar_day", max_attempts_per_calendar_day)?,
            terms::most_attempts("max_attempts_per_calendar_month", max_attempts_per_calendar_month)?,
        ];
        let cooldown = cooldown.map(|span| span.not_negative("cooldown")).transpose()?;
        let timeout = timeout.map(|span| span.positive("timeout")).transpose()?;
        let times = Times::read(schedule_every, schedule_start_at, schedule_day)?;
        writing(|session| {
            let now = settings::now()?;
            let decimals = currency::resolve(session, &code)?.decimals;
            customer::must_exist(session, customer_id)?;
            // What is stored is read under the account's lock: what two sessions change at once adds up.
            let book = account::open_or_make(session, customer_id, &code, now)?;
            let stored = find(session, customer_id, &code)?;
            let money = Money::choose(session, &code, price_id.map(|id| id.0), price_currency, stored.as_ref())?;
            let threshold = input::optional_number("threshold", threshold, |n| {
                amount::not_negative(n).and_then(|n| amount::fit(n, decimals))
            })?;
            let threshold = threshold.or(stored.as_ref().map(|stored| stored.threshold));
            let threshold = input::required("threshold", threshold)?;
            let target = match input::limit_above_zero("target", target, |n| amount::positive(n, decimals))? {
                Some(Limit::Removed) => None,
                Some(Limit::At(target)) => Some(target),
                None => stored.as_ref().and_then(|stored| stored.target),
            };
            let times = times.over(stored.as_ref(), book.posted_at);
            terms::check_together(threshold, target, &money, &times)?;
            let limit = |period: Period, given| {
                let decimals = currency::decimals(session, &money.currency)?;
                input::limit_above_zero(period.amount_argument(), given, |n| amount::positive(n, decimals))
            };
            let most = [
                limit(Period::Rolling, max_amount_per_day)?,
                limit(Period::Day, max_amount_per_calendar_day)?,
                limit(Period::Month, max_amount_per_calendar_month)?,
            ];
            if let Some(stored) = &stored {
                terms::check_limit_currency(session, stored, &money, &most)?;
            }
            // A schedule that is new, or starts afresh, goes on from now.
            let is_afresh = times.is_given || enabled == Some(true) || stored.is_none();
            let scheduled_at = times.schedule().map_or(Time::NEVER, |schedule| schedule.after(book.posted_at));
            SAVE.run(
                session,
                &[
                    customer_id.cell(),
                    code.cell(),
                    enabled.cell(),
                    threshold.cell(),
                    money.price_id.cell(),
                    quantity.cell(),
                    payment_method.cell(),
                    attempts[0].cell(),
                    most[0].cell(),
                    cooldown.cell(),
                    timeout.cell(),
                    now.cell(),
                    target.cell(),
                    money.price_id.is_none().then_some(&money.currency).cell(),
                    attempts[1].cell(),
                    most[1].cell(),
                    attempts[2].cell(),
                    most[2].cell(),
                    times.every.cell(),
                    times.start_at.cell(),
                    times.day.cell(),
                    is_afresh.then_some(scheduled_at).cell(),
                ],
            )?;
            terms::check(session, &book, &money)?;
            account::evaluate_again(session, book)?;
            find(session, customer_id, &code)?.ok_or_else(|| not_configured(customer_id, &code)).map(One)
        })
    })())
}

crate::older!(configure_auto_recharge_wrapper => configure_auto_recharge_2_wrapper, 11 of 20);

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
