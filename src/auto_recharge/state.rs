//! The state of an account as the policy judges it (policy.rs), from its rows.

use crate::amount::{self, Decimal};
use crate::auto_recharge::limit::{Counted, PERIODS, Period, Window};
use crate::auto_recharge::offer::{Goods, Offer};
use crate::auto_recharge::policy::{Auto, Level, Open, State};
use crate::auto_recharge::schedule::{Schedule, Step};
use crate::catalog::exchange_rate;
use crate::catalog::stored::offers_before;
use crate::error::Error;
use crate::ledger::currency::PaymentLimits;
use crate::ledger::engine::book::Book;
use crate::moment::Time;
use crate::pg::statement::{Row, Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::span::Span;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};
use uuid::Uuid;

/// Where auto-recharge is configured, in a schema of the release before: as a table with all columns of now.
macro_rules! auto_recharges_before {
    () => {
        "(SELECT b.*, NULL::text AS price_currency, NULL::numeric AS target,
                 NULL::integer AS max_attempts_per_calendar_day, NULL::numeric AS max_amount_per_calendar_day,
                 NULL::integer AS max_attempts_per_calendar_month, NULL::numeric AS max_amount_per_calendar_month,
                 NULL::interval AS schedule_every, NULL::timestamptz AS schedule_start_at, NULL::integer AS schedule_day,
                 'infinity'::timestamptz AS scheduled_at
          FROM credits_internal.auto_recharges b) "
    };
}
pub(crate) use auto_recharges_before;

macro_rules! read {
    ($auto_recharges:expr, $offers:expr, $scheduled:literal) => {
        text!(
            "SELECT a.low_balance_threshold, a.reported_level, c.decimals, r.enabled,
             r.threshold, r.failures, r.waits_for_spend, (l.last AT TIME ZONE 'UTC' + r.cooldown) AT TIME ZONE 'UTC',
             r.schedule_every, r.schedule_day, r.schedule_start_at, r.scheduled_at, r.price_id, f.currency,
             r.price_id IS NULL OR coalesce(p.active AND p.type = 'one_time' AND p.unit_amount > 0
                                            AND p.credit_currency = a.currency, false),
             c.active AND f.active AND f.kind = 'fiat',
             p.restricted IS NOT TRUE, coalesce(p.unit_amount, 0), coalesce(p.credits, 0), r.quantity,
             r.target, f.decimals, c.decimals,
             f.min_payment, f.max_payment, k.min_amount, k.max_amount,
             o.recharge_id, o.top_up_id, o.status = 'processing', ",
            $scheduled,
            ", o.amount, o.price_currency = f.currency, o.requested_at, o.expires_at,
             r.payment_method, ($3 AT TIME ZONE 'UTC' + r.timeout) AT TIME ZONE 'UTC'
      FROM credits_internal.accounts a
      JOIN credits_internal.currencies c ON c.currency = a.currency
      LEFT JOIN ",
            $auto_recharges,
            " r ON r.customer_id = a.customer_id AND r.currency = a.currency
      LEFT JOIN ",
            $offers,
            " p ON p.price_id = r.price_id
      LEFT JOIN credits_internal.currencies f ON f.currency = coalesce(r.price_currency, p.currency)
      LEFT JOIN (credits_internal.recharge_configs k JOIN credits_internal.prices b ON b.price_id = k.base_price_id)
             ON k.currency = a.currency AND b.currency = f.currency
      LEFT JOIN credits_internal.recharges o ON o.customer_id = a.customer_id AND o.currency = a.currency
                                   AND o.status IN ('requested', 'processing')
      CROSS JOIN LATERAL (
          SELECT max(y.requested_at) AS last FROM credits_internal.recharges y
          WHERE y.customer_id = a.customer_id AND y.currency = a.currency) l
      WHERE a.customer_id = $1 AND a.currency = $2"
        )
    };
}

static READ: Statement = Statement::new(
    read!("credits_internal.auto_recharges", "credits_internal.offers", "o.scheduled"),
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
)
.before(read!(auto_recharges_before!(), offers_before!(), "o.recharge_id <> o.recharge_id"));

// What has no limit is not counted.
macro_rules! windows {
    ($auto_recharges:expr) => {
        text!(
            "SELECT w.most_attempts, l.attempts::int, w.most_amount, l.amount::text, l.oldest
      FROM ",
            $auto_recharges,
            " r
      CROSS JOIN LATERAL (VALUES (1, r.max_attempts_per_day, r.max_amount_per_day, $4),
                                 (2, r.max_attempts_per_calendar_day, r.max_amount_per_calendar_day, $5),
                                 (3, r.max_attempts_per_calendar_month, r.max_amount_per_calendar_month, $6))
                 AS w (ordinal, most_attempts, most_amount, since)
      CROSS JOIN LATERAL (
          SELECT count(*) AS attempts, min(x.requested_at) AS oldest,
                 coalesce(sum(x.amount) FILTER (WHERE x.status <> 'failed' AND x.price_currency = $3), 0) AS amount
          FROM credits_internal.recharges x
          WHERE x.customer_id = r.customer_id AND x.currency = r.currency AND x.status <> 'canceled'
            AND x.requested_at >= w.since AND (w.most_attempts IS NOT NULL OR w.most_amount IS NOT NULL)) l
      WHERE r.customer_id = $1 AND r.currency = $2
      ORDER BY w.ordinal"
        )
    };
}

static WINDOWS: Statement = Statement::new(
    windows!("credits_internal.auto_recharges"),
    &[TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
)
.before(windows!(auto_recharges_before!()));

/// What a request needs besides what decides on it.
#[derive(Default)]
pub struct Particulars {
    /// The open request, and its top-up.
    pub open: Option<(Uuid, Uuid)>,
    /// The price, where credits are bought by units of it.
    pub price_id: Option<Uuid>,
    /// The currency that is paid.
    pub money: String,
    /// In the worker's own format.
    pub payment_method: Option<String>,
    /// When a request times out that is made now.
    pub expires_at: Option<Time>,
}

/// A locked account, from its rows.
pub fn read(session: &Session, book: &Book) -> Result<(State, Particulars), Error> {
    let at = book.posted_at;
    let rows = READ.run(session, &[book.customer_id.cell(), book.currency.cell(), at.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("an account is not there"))?;
    let (low, reported) = (row.next()?, Level::of(row.next()?));
    let unit = Decimal::from_i128_with_scale(1, row.next::<i16>()?.unsigned_abs().into());
    let mut state = State {
        at,
        available: book.available,
        pending: book.pending,
        unit,
        low,
        reported,
        cause: book.evaluation.cause,
        auto: None,
    };
    let Some(enabled) = row.next()? else { return Ok((state, Particulars::default())) };
    let (threshold, failures, waits_for_spend) = (row.next()?, row.next()?, row.next()?);
    let cooled_at = row.next()?;
    let schedule = schedule(row.next()?, row.next()?, row.next()?);
    let scheduled_at = row.next()?;
    let (price_id, money): (Option<Uuid>, String) = (row.next()?, row.next()?);
    let rate = match price_id {
        None => Some(exchange_rate::at(session, &book.currency, &money, at)?),
        Some(_) => None,
    };
    let offer = offer(&mut row, rate, windows(session, book, &money)?, book.issued)?;
    let open = row.next::<Option<Uuid>>()?.zip(row.next()?);
    let request = open_request(&mut row)?;
    state.auto = Some(Auto {
        enabled,
        threshold,
        failures,
        waits_for_spend,
        offer,
        schedule,
        scheduled_at,
        open: request,
        cooled_at,
    });
    let (payment_method, expires_at) = (row.next()?, row.next()?);
    Ok((state, Particulars { open, price_id, money, payment_method, expires_at }))
}

/// A schedule as it is stored.
pub fn schedule(every: Option<Span>, day: Option<i32>, start_at: Option<Time>) -> Option<Schedule> {
    let start_at = start_at.unwrap_or(Time::BEGINNING);
    match (every, day) {
        (Some(every), _) => {
            let (months, days, microseconds) = every.parts();
            Some(Schedule::Every(Step { months: months.into(), days: days.into(), microseconds }, start_at))
        }
        (None, Some(day)) => u8::try_from(day).ok().map(|day| Schedule::MonthDay(day, start_at)),
        (None, None) => None,
    }
}

/// What there was within each period.
fn windows(session: &Session, book: &Book, money: &str) -> Result<Vec<Window>, Error> {
    let [rolling, day, month] = PERIODS.map(|period| period.since(book.posted_at).cell());
    let cells = [book.customer_id.cell(), book.currency.cell(), money.cell(), rolling, day, month];
    let rows = WINDOWS.run(session, &cells)?;
    let window = |(period, mut row): (Period, Row<'_>)| {
        let (most_attempts, attempts, most_amount) = (row.next()?, row.next()?, row.next()?);
        // Amounts of money that add up to more than can be counted exceed every limit.
        let amount = amount::parse(&row.next::<String>()?).unwrap_or(Decimal::MAX);
        Ok(Window { period, most_attempts, attempts, most_amount, amount, oldest: row.next()? })
    };
    PERIODS.into_iter().zip(rows.iter()).map(window).collect()
}

/// What it buys; by amount with the exchange rate, if there is one.
fn offer(
    row: &mut Row<'_>,
    rate: Option<Option<Decimal>>,
    windows: Vec<Window>,
    issued: Decimal,
) -> Result<Offer, Error> {
    let (on_sale, active, unrestricted) = (row.next()?, row.next()?, row.next()?);
    let (amount, credits): (Option<Decimal>, Option<Decimal>) = (row.next()?, row.next()?);
    let quantity = row.next()?;
    let goods = match (rate, amount, credits) {
        (Some(rate), ..) => Goods::Money(rate),
        (None, Some(amount), Some(credits)) => Goods::Units { amount, credits, quantity },
        _ => return Err(Error::internal("an auto-recharge has no price")),
    };
    let target = row.next()?;
    let decimals = (row.next::<i16>()?.unsigned_abs().into(), row.next::<i16>()?.unsigned_abs().into());
    let mut limits = || Ok::<_, Error>(PaymentLimits { least: row.next()?, most: row.next()? });
    let limits = [limits()?, limits()?];
    Ok(Offer { on_sale, active, unrestricted, goods, target, decimals, limits, windows, issued })
}

fn open_request(row: &mut Row<'_>) -> Result<Option<Open>, Error> {
    let (processing, scheduled): (Option<bool>, Option<bool>) = (row.next()?, row.next()?);
    let (amount, comparable): (Option<Decimal>, Option<bool>) = (row.next()?, row.next()?);
    let (requested_at, expires_at): (Option<Time>, Option<Time>) = (row.next()?, row.next()?);
    let (Some(processing), Some(scheduled)) = (processing, scheduled) else { return Ok(None) };
    let (Some(amount), Some(requested_at), Some(expires_at)) = (amount, requested_at, expires_at) else {
        return Ok(None);
    };
    // Without a currency to compare with, limits do not allow it.
    let counted = Counted { amount, comparable: comparable.unwrap_or_default(), requested_at };
    Ok(Some(Open { processing, scheduled, counted, expires_at }))
}
