//! Credit transactions: what usage took from grants, line by line of the ledger, in total.

use crate::error::Error;
use crate::input;
use crate::ledger::{balance, currency, history};
use crate::metering::meter;
use crate::pg::call::argument::Timestamptz;
use crate::pg::call::reply::{Many, Reply};
use crate::pg::statement::{Statement, reading};
use crate::pg::value::{ToCell, Total};
use crate::row;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT8OID, TEXTOID};

row! {
    /// One meter and currency as `credit_transaction_summary` returns it.
    pub struct TransactionRow {
        /// The meter.
        pub event_name: String,
        /// The currency that was spent.
        pub currency: String,
        /// The meter's unit.
        pub unit: Option<String>,
        /// The usage that was paid.
        pub total_quantity: Total,
        /// Credits that paid it, less those that came back.
        pub total_credits: Total,
        /// How many lines of the ledger paid.
        pub transaction_count: i64,
    } read
}

// A line stands for the share of its event that it paid. Events that are lines of their own are read as such: of many
// thousands, each would be looked up by its key.
static SUMMARY: Statement = Statement::new(
    c"SELECT s.event_name, $2, m.unit, trim_scale(round(s.quantity, 12)), trim_scale(s.credits), s.lines
      FROM (SELECT x.event_name, sum(CASE WHEN x.cost = 0 THEN 0 ELSE x.value * x.credits / x.cost END) AS quantity,
                   sum(x.credits) AS credits, count(*) FILTER (WHERE x.credits > 0) AS lines
            FROM (SELECT e.event_name, e.value, e.consumed + e.pending AS cost, e.consumed AS credits, e.subscription_id
                  FROM credits_internal.meter_events e
                  WHERE e.customer_id = $1 AND e.currency = $2 AND e.line_no IS NOT NULL AND e.line_no > $3 AND e.line_no < $4
                  UNION ALL
                  SELECT e.event_name, e.value, e.consumed + e.pending,
                         CASE t.type WHEN 'capture' THEN -coalesce(t.held, 0) ELSE -t.amount END, e.subscription_id
                  FROM credits_internal.credit_transactions t
                  JOIN credits_internal.meter_events e ON e.customer_id = t.customer_id AND e.identifier = t.identifier
                  WHERE t.customer_id = $1 AND t.currency = $2 AND t.line_no > $3 AND t.line_no < $4
                    AND t.identifier IS NOT NULL AND t.type IN ('consumption', 'capture', 'reversal')) x
            WHERE ($5 IS NULL OR x.event_name = $5) AND ($6 IS NULL OR x.subscription_id = $6)
            GROUP BY x.event_name) s
      LEFT JOIN credits_internal.meters m ON m.event_name = s.event_name",
    &[TEXTOID, TEXTOID, INT8OID, INT8OID, TEXTOID, TEXTOID],
);

/// `credits.credit_transaction_summary`: what was consumed in a period, one row per meter and currency. Writes nothing.
/// Raises PC004, PC008, PC013.
#[pg_extern(sql = false)]
fn credit_transaction_summary(
    customer_id: Option<&str>,
    event_name: Option<&str>,
    currency: Option<&str>,
    subscription_id: Option<&str>,
    start_at: Option<Timestamptz>,
    end_at: Option<Timestamptz>,
) -> Reply<Many<TransactionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let span = input::span(start_at, end_at)?;
        reading(|session| {
            if let Some(name) = event_name {
                meter::read(session, name)?.ok_or_else(|| meter::missing(session, name))?;
            }
            let currencies = match currency {
                Some(code) => {
                    currency::check_exists(session, code)?;
                    vec![code.to_string()]
                }
                None => balance::currencies(session, customer_id)?,
            };
            let mut rows: Vec<TransactionRow> = Vec::new();
            for code in currencies {
                let (after, before) = history::lines_between(session, (customer_id, &code), span)?;
                let found = SUMMARY.run(
                    session,
                    &[
                        customer_id.cell(),
                        code.cell(),
                        after.cell(),
                        before.cell(),
                        event_name.cell(),
                        subscription_id.cell(),
                    ],
                )?;
                for row in found.iter() {
                    rows.push(TransactionRow::read(row)?);
                }
            }
            rows.sort_by(|a, b| (&a.event_name, &a.currency).cmp(&(&b.event_name, &b.currency)));
            Ok::<_, Error>(Many(rows))
        })
    })())
}
