//! Reports about many grants: a customer's totals, who holds most, what was granted in a period.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::{currency, customer};
use crate::pg::call::argument::{Numeric, Timestamptz};
use crate::pg::call::reply::{Many, Reply};
use crate::pg::statement::{Statement, reading, text};
use crate::pg::value::{Date, ToCell, Total};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT8OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

row! {
    /// One currency as `credit_grant_summary` returns it; amounts in credits of it.
    pub struct SummaryRow {
        /// The currency's code.
        pub currency: String,
        /// Credits of all grants that ever took effect.
        pub granted: Total,
        /// What is left of them, without held credits.
        pub remaining: Total,
        /// How many grants can be drawn on.
        pub usable_grants: i64,
        /// Credits of grants that take effect later.
        pub scheduled: Total,
        /// What is left of suspended ones.
        pub suspended: Total,
        /// Credits of the grants that can be drawn on, when they were granted.
        pub usable_granted: Total,
        /// How many grants ever took effect.
        pub grants: i64,
        /// How much of them is spent.
        pub consumed: Total,
    } read
}

// What went on as another grant was granted before.
macro_rules! summary {
    ($granted:literal) => {
        text!(
            "SELECT g.currency,
                    trim_scale(coalesce(sum(g.amount) FILTER (
                        WHERE g.status <> 'pending' AND g.effective_at <= coalesce(g.ended_at, 'infinity') ",
            $granted,
            "), 0)),
                    trim_scale(coalesce(sum(g.remaining) FILTER (WHERE g.status = 'granted'), 0)),
                    count(*) FILTER (WHERE g.status = 'granted'),
                    trim_scale(coalesce(sum(g.amount) FILTER (WHERE g.status = 'pending'), 0)),
                    trim_scale(coalesce(sum(g.remaining) FILTER (WHERE g.status = 'suspended'), 0)),
                    trim_scale(coalesce(sum(g.amount) FILTER (WHERE g.status = 'granted'), 0)),
                    count(*) FILTER (WHERE g.status <> 'pending' AND g.effective_at <= coalesce(g.ended_at, 'infinity') ",
            $granted,
            "),
                    trim_scale(coalesce(sum(g.consumed), 0))
             FROM credits.grants g
             WHERE g.customer_id = $1
               AND ($2 IS NULL OR g.applicable_meters IS NULL OR g.applicable_meters && ARRAY(
                   SELECT DISTINCT e.event_name FROM credits_internal.meter_events e
                   WHERE e.customer_id = $1 AND e.subscription_id = $2)::text[])
             GROUP BY g.currency ORDER BY g.currency"
        )
    };
}

static SUMMARY: Statement =
    Statement::scanning(summary!("AND g.rolled_from IS NULL"), &[TEXTOID, TEXTOID]).before(summary!(""));

/// `credits.credit_grant_summary`. Writes nothing. Raises PC013.
#[pg_extern(sql = false)]
fn credit_grant_summary_2(customer_id: Option<&str>, subscription_id: Option<&str>) -> Reply<Many<SummaryRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        reading(|session| {
            let rows = SUMMARY.run(session, &[customer_id.cell(), subscription_id.cell()])?;
            rows.iter().map(SummaryRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}

crate::older!(credit_grant_summary_wrapper => credit_grant_summary_2_wrapper, 1 of 2);

row! {
    /// One account as `credit_grant_holders` returns it; amounts in credits of its currency.
    pub struct HolderRow {
        /// Who.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// Available and restricted.
        pub balance: Decimal,
        /// What a plain debit may take.
        pub available: Decimal,
        /// What only certain meters' events may take.
        pub restricted: Decimal,
        /// How many grants can be drawn on.
        pub usable_grants: i64,
        /// Their credits, when they were granted.
        pub usable_granted: Total,
        /// How many customers have a balance in the currency.
        pub holder_count: i64,
        /// What they have together.
        pub total_balance: Total,
    } read
}

// Only accounts in which something is due or usage is unsettled cost a call (OFFSET 0 keeps the condition before the
// call); the rows of the others are current. A damaged account is left out.
macro_rules! holders {
    ($rolled_over:literal) => {
        text!(
            "WITH now AS (
          SELECT a.customer_id, a.currency, d.asked, CASE WHEN d.asked THEN (n.now).available ELSE a.available END AS available,
                 CASE WHEN d.asked THEN (n.now).restricted ELSE a.restricted END AS restricted
          FROM credits_internal.accounts a
          CROSS JOIN LATERAL (SELECT a.next_change_at <= $5
                                  OR EXISTS (SELECT FROM credits_internal.unsettled_events u
                                             WHERE u.customer_id = a.customer_id AND u.currency = a.currency) AS asked
                              OFFSET 0) d
          CROSS JOIN LATERAL (SELECT CASE WHEN d.asked THEN credits_internal.balance_now(a.customer_id, a.currency, true) END
          AS now
                              OFFSET 0) n
          WHERE $1 IS NULL OR a.currency = $1
      ), ranked AS (
          SELECT n.*, row_number() OVER (
                     PARTITION BY n.currency ORDER BY n.available + n.restricted DESC, n.customer_id) AS no
          FROM now n
          WHERE n.available + n.restricted > 0
            AND ($3 IS NULL
                 OR (-(n.available + n.restricted), n.customer_id)
                    > (-coalesce($4, (SELECT l.available + l.restricted FROM now l WHERE l.customer_id = $3), 0), $3))
      )
      SELECT p.customer_id, p.currency, p.available + p.restricted, p.available, p.restricted, g.grants, g.granted,
             t.holders, t.balance
      FROM ranked p
      JOIN (SELECT n.currency, count(*) AS holders, trim_scale(sum(n.available + n.restricted)) AS balance
            FROM now n WHERE n.available + n.restricted > 0 GROUP BY n.currency) t ON t.currency = p.currency
      CROSS JOIN LATERAL (
          SELECT count(*) AS grants, trim_scale(coalesce(sum(o.amount), 0)) AS granted
          FROM (SELECT o.amount
                FROM credits_internal.credit_grants o
                LEFT JOIN (SELECT d.* FROM credits_internal.due_grants(p.customer_id, p.currency) d WHERE p.asked OFFSET 0) d
                    ON d.grant_id = o.grant_id
                WHERE o.customer_id = p.customer_id AND o.currency = p.currency
                  AND coalesce(d.status, o.status) = 'granted' ",
            $rolled_over,
            ") o) g
      WHERE p.no <= $2 ORDER BY p.currency, p.no"
        )
    };
}

static HOLDERS: Statement = Statement::scanning(
    holders!(
        "UNION ALL
         SELECT d.amount FROM credits_internal.due_rollovers(p.customer_id, p.currency) d
         WHERE p.asked AND d.status = 'granted'"
    ),
    &[TEXTOID, INT8OID, TEXTOID, NUMERICOID, TIMESTAMPTZOID],
)
.before(holders!(""));

/// `credits.credit_grant_holders`: largest first; `after` is the customer_id of the last row of the previous page.
/// Writes nothing. Raises PC003, PC008, PC013.
#[pg_extern(sql = false)]
fn credit_grant_holders(
    currency: Option<&str>,
    page_size: Option<i32>,
    after: Option<&str>,
    after_balance: Option<Numeric>,
) -> Reply<Many<HolderRow>> {
    Reply((|| {
        let page_size = input::page_size(page_size)?;
        let after = input::optional_key("after", after)?;
        let after_balance = input::optional_number("after_balance", after_balance, amount::not_negative)?;
        if after.is_none() && after_balance.is_some() {
            return Err(Error::argument("after_balance", "belongs to after, the customer who had it"));
        }
        let now = settings::now()?;
        reading(|session| {
            match currency {
                Some(code) => currency::check_exists(session, code)?,
                None if after.is_some() => {
                    return Err(Error::argument("after", "needs a currency: balances are compared in one"));
                }
                None => {}
            }
            if let Some(customer_id) = after {
                customer::must_exist(session, customer_id)?;
            }
            let rows = HOLDERS
                .run(session, &[currency.cell(), page_size.cell(), after.cell(), after_balance.cell(), now.cell()])?;
            rows.iter().map(HolderRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}

row! {
    /// One day, or the total, as `credit_grant_stats` returns it; amounts in credits of its currency.
    pub struct StatsRow {
        /// The currency's code.
        pub currency: String,
        /// In the caller's time zone; NULL for the total.
        pub day: Option<Date>,
        /// Grants created.
        pub grants: i64,
        /// Their credits.
        pub granted: Total,
        /// What is left of them now, without held credits.
        pub remaining: Total,
        /// How much of them is spent by now.
        pub consumed: Total,
    } read
}

// What went on as another grant was granted before; what became of it counts on the day on which it did.
macro_rules! stats {
    ($granted:literal) => {
        text!(
            "SELECT d.currency, d.day, count(d.amount), trim_scale(coalesce(sum(d.amount), 0)), trim_scale(sum(d.remaining)),
                    trim_scale(sum(d.consumed))
             FROM (SELECT g.currency, (g.created_at AT TIME ZONE $6)::date AS day, ",
            $granted,
            " AS amount, CASE g.status WHEN 'pending' THEN 0 ELSE g.remaining END AS remaining, g.consumed
                   FROM credits.grants g
                   WHERE g.transferred_from IS NULL AND ($1 IS NULL OR g.currency = $1)
                     AND g.created_at >= coalesce($2, '-infinity') AND g.created_at < coalesce($3, 'infinity')
                     AND ($4 IS NULL OR g.category = $4) AND ($5 IS NULL OR g.granted_by = $5)) d
             GROUP BY GROUPING SETS ((d.currency), (d.currency, d.day))
             ORDER BY d.currency, d.day NULLS FIRST"
        )
    };
}

static STATS: Statement = Statement::scanning(
    stats!("CASE WHEN g.rolled_from IS NULL THEN g.amount END"),
    &[TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID],
)
.before(stats!("g.amount"));

/// `credits.credit_grant_stats`: grants created in a period, in total and day by day. Writes nothing. Raises PC008,
/// PC013.
#[pg_extern(sql = false)]
fn credit_grant_stats(
    currency: Option<&str>,
    start_at: Option<Timestamptz>,
    end_at: Option<Timestamptz>,
    category: Option<&str>,
    granted_by: Option<&str>,
    time_zone: Option<&str>,
) -> Reply<Many<StatsRow>> {
    Reply((|| {
        if let Some(category) = category {
            input::choice("category", Some(category), category, &["paid", "promotional"])?;
        }
        let time_zone = input::time_zone(time_zone)?;
        let (start_at, end_at) = input::span(start_at, end_at)?;
        reading(|session| {
            if let Some(code) = currency {
                currency::check_exists(session, code)?;
            }
            let rows = STATS.run(
                session,
                &[
                    currency.cell(),
                    start_at.cell(),
                    end_at.cell(),
                    category.cell(),
                    granted_by.cell(),
                    time_zone.cell(),
                ],
            )?;
            rows.iter().map(StatsRow::read).collect::<Result<_, _>>().map(Many)
        })
    })())
}
